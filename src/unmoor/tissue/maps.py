"""Maps of what cells hold: by distance from a point, and on a grid seen along an axis."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from unmoor.errors import ParameterError
from unmoor.tissue.bodies import FloatArray
from unmoor.tissue.measure import living
from unmoor.tissue.snapshot import Snapshot

MAPPED = ("e_cadherin", "zeb", "mir200", "mesenchymal", "drive", "oxygen", "collagen", "radius")


class Profile(NamedTuple):
    """A quantity in shells around a point.

    Attributes
    ----------
    edge
        Inner edges of the shells and the outer one of the last, shape (shells + 1,) [µm].
    cells
        Living cells of each shell, shape (shells,).
    density
        Cells by volume of the shell (flat: by area of the ring), shape (shells,) [1/µm³, 1/µm²].
    mean
        Of the quantity over these cells; NaN in an empty shell, shape (shells,).
    """

    edge: FloatArray
    cells: npt.NDArray[np.int64]
    density: FloatArray
    mean: FloatArray


class Grid(NamedTuple):
    """A quantity on squares of a plane.

    Attributes
    ----------
    origin
        Lower corner of the first square, shape (2,) [µm].
    spacing
        Side of a square [µm].
    cells
        Living cells over each square, shape (first axis, second axis).
    mean
        Of the quantity over these cells; NaN over an empty square, same shape.
    """

    origin: FloatArray
    spacing: float
    cells: npt.NDArray[np.int64]
    mean: FloatArray


def radial_profile(
    snapshot: Snapshot,
    quantity: str,
    *,
    width: float = 20.0,
    centre: Any = None,
    is_flat: bool = False,
) -> Profile:
    """Mean of a quantity, and density of cells, by distance from a point.

    Parameters
    ----------
    snapshot
        The tissue.
    quantity
        One of ``MAPPED``.
    width
        Of a shell [µm].
    centre
        Shape (3,); the mean of the living cells' centres if not given [µm].
    is_flat
        Whether the cells form one layer, so that rings take the place of shells.

    Raises
    ------
    ParameterError
        If there is no such quantity or the width is not positive.
    """
    cells, value = _chosen(snapshot, quantity, width)
    middle = cells.position.mean(axis=0) if centre is None and value.size else centre
    offset = cells.position - np.asarray(middle if value.size else 0.0)
    distance = np.sqrt((offset * offset).sum(axis=1))
    shell = (distance / width).astype(np.int64)
    shells = int(shell.max()) + 1 if shell.size else 0
    count, mean = _mean(shell, value, shells)
    edge = width * np.arange(shells + 1.0)
    powers = edge * edge if is_flat else edge * edge * edge
    room = (math.pi if is_flat else 4.0 / 3.0 * math.pi) * np.diff(powers)
    return Profile(edge, count, count / room, mean)


def grid(
    snapshot: Snapshot,
    quantity: str,
    *,
    spacing: float = 20.0,
    along: int = 2,
    between: tuple[float, float] = (-math.inf, math.inf),
) -> Grid:
    """Mean of a quantity over the squares of a plane, of all cells above it or of a slice.

    Parameters
    ----------
    snapshot
        The tissue.
    quantity
        One of ``MAPPED``.
    spacing
        Side of a square [µm].
    along
        Axis that is looked along: 0, 1 or 2; the others span the plane in their order.
    between
        Slice along that axis: cells whose centre lies in it, bounds included [µm].

    Raises
    ------
    ParameterError
        If there is no such quantity or the spacing is not positive.
    """
    cells, value = _chosen(snapshot, quantity, spacing)
    depth = cells.position[:, along]
    inside = (depth >= between[0]) & (depth <= between[1])
    place, value = np.delete(cells.position, along, axis=1)[inside], value[inside]
    if value.size == 0:
        return Grid(np.zeros(2), spacing, np.zeros((0, 0), np.int64), np.zeros((0, 0)))
    square = np.floor(place / spacing).astype(np.int64)  # squares stay where they are as cells move
    first = square.min(axis=0)
    square -= first
    rows, columns = (int(each) + 1 for each in square.max(axis=0))
    count, mean = _mean(square[:, 0] * columns + square[:, 1], value, rows * columns)
    shape = rows, columns
    return Grid(first * spacing, spacing, count.reshape(shape), mean.reshape(shape))


def _chosen(snapshot: Snapshot, quantity: str, width: float) -> tuple[Snapshot, FloatArray]:
    if quantity not in MAPPED:
        raise ParameterError(f"no map of {quantity!r}: choose one of {', '.join(MAPPED)}")
    if not width > 0.0:
        raise ParameterError(f"shells or squares of {width} µm: give a positive width")
    cells = living(snapshot)
    return cells, getattr(cells, quantity).astype(np.float64)


def _mean(
    place: npt.NDArray[np.int64], value: FloatArray, places: int
) -> tuple[npt.NDArray[np.int64], FloatArray]:
    """Number and mean of the values at each place; NaN where there is none."""
    count = np.bincount(place, minlength=places)
    mean = np.full(places, math.nan)
    np.divide(np.bincount(place, value, places), count, out=mean, where=count > 0)
    return count, mean
