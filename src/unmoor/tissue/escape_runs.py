"""Runs of the tissue that count what leaves a small tumour: one ball of like cells in a gel.

All cells do the same, so that what leaves is a function of what a cell does: how strong
its bonds are, how hard it drives, how dense the gel is and how fast cells divide. Equations and
design: docs/explanation/escape.md.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from unmoor.random import Stream
from unmoor.tissue.departures import departures
from unmoor.tissue.escape_counts import Counts, Point
from unmoor.tissue.lives import Behaviours
from unmoor.tissue.measure import measure
from unmoor.tissue.seeding import ball
from unmoor.tissue.snapshot import Snapshot
from unmoor.tissue.tissue import Tissue

# Numbers of the experiment, not of biology: how it is set up and read.
CELLS = 250  # founders, so that half of the cells are at the edge
SETTLING = 360.0  # min before counting begins: the packing relaxes, first cells turn
EVERY = 120.0  # min between looks
LOOKS = 22  # so counting lasts 44 hours, of which the last six only tell what came back
HOLD = 3  # looks through which a cell must stay away to have left for good
_EXTENT = 800.0  # µm, side of the gel; beyond it lies more of the same
_SPACING = 1.9  # radii between founders: where forces of a pair nearly balance
_LEAST = 0.5  # share of the first body below which it is taken to be dissolved
_DAY = 1440.0  # min
_TINY = 1e-9


def count_departures(point: Point, values: Mapping[str, float], stream: Stream) -> Counts:
    """Grow one ball of cells in a gel and count what leaves it.

    Parameters
    ----------
    point
        What its cells do.
    values
        Constants by id of ``closures/tissue``; bonds, drive and gel are those of ``point``.
    stream
        Random numbers of this run.
    """
    tissue = seeded(point, values, stream)
    tissue.advance(SETTLING)
    seen = [tissue.snapshot()]
    for _ in range(LOOKS):
        tissue.advance(EVERY)
        seen.append(tissue.snapshot())
    return _counted(seen)


def seeded(point: Point, values: Mapping[str, float], stream: Stream) -> Tissue:
    """A ball of cells that all do what ``point`` says.

    Bonds are as strong as ``point`` says whatever the cells' E-cadherin; how far neighbours align
    follows from the E-cadherin that makes such bonds.
    """
    gained = values["bond_E"] - values["bond_M"]
    cohesion = min(max((point.bond - values["bond_M"]) / max(gained, _TINY), 0.0), 1.0)
    own = {"bond_E": point.bond, "bond_M": point.bond, "v_max": point.drive}
    count = CELLS
    return Tissue.seeded(
        {**values, **own},
        ball(count, _SPACING * values["radius"], stream),
        stream=stream,
        behaviours=Behaviours.of(count, division=point.growth, cohesion=cohesion),
        collagen=point.collagen,
        extent=_EXTENT,
    )


def _counted(seen: list[Snapshot]) -> Counts:
    """Read a run, as long as its body has not dissolved."""
    left = departures(seen, HOLD)
    lengths = left.end - left.start
    body = left.at_risk / lengths
    gone = np.flatnonzero(body < _LEAST * CELLS)
    upto = int(gone[0]) if gone.size else body.size
    upto = max(upto, 1)
    ended = measure(seen[upto], seen[0])
    begun = int(seen[0].is_living.sum())
    days = (seen[upto].time - seen[0].time) / _DAY
    return Counts(
        math.fsum(left.edge_cells[:upto] * lengths[:upto]) / _DAY,
        int(left.singles[:upto].sum()),
        int(left.clusters[:upto].sum()),
        int(left.cells_in_clusters[:upto].sum()),
        ended.front / days,
        math.log(max(ended.cells, 1) / max(begun, 1)) / days,
    )
