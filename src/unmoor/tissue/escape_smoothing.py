"""From counts of tissue runs to the nodes of a table of escape."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from unmoor.catalog import table
from unmoor.compilation import kernel
from unmoor.elementwise import FloatArray
from unmoor.tissue.collagen import passage
from unmoor.tissue.escape import TABULATED
from unmoor.tissue.escape_counts import Counts
from unmoor.tissue.escape_table import MODES, UNCERTAIN, Grid, rounded
from unmoor.tissue.lives import constants
from unmoor.tissue.smooth_rates import Smooth, smooth_counts, smooth_readings


def places(grid: Grid, points: FloatArray) -> FloatArray:
    """Where points lie for a fit, shape (points, axes), each from −1 to 1 on a grid.

    The second is the drive that gets through the gel: rates are smoother in it than in the drive
    among cells, so that points that were left out are foretold twice as well.
    """
    ends = np.array([nodes[[0, -1]] for nodes in grid.nodes])
    corners = _scaled(np.array(list(itertools.product(*ends))))
    low, high = corners.min(axis=0), corners.max(axis=0)
    return np.asarray(2.0 * (_scaled(points) - low) / (high - low) - 1.0)


def tabulated(grid: Grid, points: FloatArray, counts: FloatArray) -> tuple[Grid, list[Smooth]]:
    """Return a grid with what runs at some points say, and the fits of both rates.

    Parameters
    ----------
    points, counts
        Of the runs: ``Point`` and ``Counts``, shapes (runs, 4) and (runs, 6).
    """
    there, wanted = places(grid, points), places(grid, grid.points())
    column = {name: counts[:, i] for i, name in enumerate(Counts._fields)}
    values, fits = np.empty((wanted.shape[0], grid.values.shape[-1])), []
    for i, name in enumerate(UNCERTAIN):
        fit = smooth_counts(there, column["edge_days"], column[name])
        values[:, i] = fit.at(wanted)[0]
        first = len(TABULATED) + i * MODES
        values[:, first : first + MODES] = fit.modes_at(wanted, MODES)
        fits.append(fit)
    for i, name in enumerate(("front_speed", "net_growth"), 2):
        values[:, i] = smooth_readings(there, column[name]).at(wanted)[0]
    whole = np.array([rounded(value) for value in values.ravel()])
    return replace(grid, values=whole.reshape(grid.values.shape)), fits


def _scaled(points: FloatArray) -> FloatArray:
    """Points on the scales on which rates are smooth."""
    c = constants(table("closures", "tissue").values_by_id())
    return np.array([
        (bond, math.log(drive * through(c, collagen)), math.log(collagen), growth)
        for bond, drive, collagen, growth in points
    ])  # fmt: skip


@kernel
def through(c: Any, density: float) -> float:
    """Share of a cell's drive that gets through a gel [-]."""
    share: float = passage(c, density)
    return share


def shift_of(values: Mapping[str, float]) -> float:
    """Logarithm of the drive that gets as far through the gel as a drive of 1 nominally does.

    Parameters
    ----------
    values
        Constants of a parameter set by id of ``closures/tissue``; the gel is ``tumour_collagen``.
    """
    nominal = constants(table("closures", "tissue").values_by_id())
    density = values["tumour_collagen"]
    return math.log(through(nominal, density) / through(constants(values), density))
