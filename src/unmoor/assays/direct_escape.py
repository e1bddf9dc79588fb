"""What leaves, counted in runs of the tissue under a parameter set's own constants.

For checking the table, which holds all constants of the tissue but those of its axes at their
nominal values: a minute or more a parameter set.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from unmoor.catalog.draws import Draw
from unmoor.elementwise import FloatArray
from unmoor.random import Stream
from unmoor.tissue.escape_counts import Counts, Point
from unmoor.tissue.escape_runs import count_departures
from unmoor.tissue.escape_smoothing import tabulated
from unmoor.tissue.escape_table import shipped_grid, spread_points

RUNS = 48  # of each parameter set
_SLOWEST = 0.5  # speed of cells that have lost much of their grip, relative to the best
_made: dict[Draw, FloatArray] = {}
_locks: defaultdict[Draw, threading.Lock] = defaultdict(threading.Lock)


def direct_nodes(draw: Draw) -> FloatArray:
    """Nodes of a parameter set on the axes of the catalog's table.

    Lines, arms and structures share the runs of a parameter set; they are made once a process.

    Returns
    -------
        Shape (bonds, drives, growths, 4). Nodes that no cell of the parameter set comes near
        are extrapolated.
    """
    with _locks[draw]:
        if draw not in _made:
            _made[draw] = _nodes(draw)
        return _made[draw]


def points_of(draw: Draw, count: int) -> list[Point]:
    """Where the cells of a parameter set can be, spread evenly."""
    tissue, cell = draw.values("closures", "tissue"), draw.values("closures", "cell")
    fastest = (1.0 + cell["v_am"]) * (1.0 + cell["mu_P"]) * (1.0 + cell["chi"])
    around, bonds = tissue["tumour_collagen"], (tissue["bond_M"], tissue["bond_E"])
    ends = (
        (min(bonds) / fastest, max(bonds) / _SLOWEST),
        (_SLOWEST * tissue["v_max"], fastest * tissue["v_max"]),
        (around, around),
        (0.0, draw.values("closures", "escape")["edge_division"]),
    )
    return spread_points(ends, count)


def count_all(draw: Draw, points: Sequence[Point]) -> FloatArray:
    """Counts of a run at each point, shape (points, counts)."""
    values = draw.values("closures", "tissue")
    counts = np.empty((len(points), len(Counts._fields)))
    for i, point in enumerate(points):
        # run n of a draw; one animal of random numbers each
        stream = Stream(draw.seed, animal=i + 1, draw=draw.number)
        counts[i] = count_departures(point, values, stream)
    return counts


def _nodes(draw: Draw) -> FloatArray:
    points = points_of(draw, RUNS)
    grid, _ = tabulated(shipped_grid(), np.array(points), count_all(draw, points))
    return grid.nodes_at(points[0].collagen)[..., :4]
