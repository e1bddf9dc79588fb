"""Neighbours: bins that hold cells, and who touches whom.

Space is cut into cubic bins as wide as the longest distance that matters, so neighbours of a cell
are in its bin or in one next to it. The grid of bins repeats itself in each direction: bins of
places far apart share their number, and the distance tells which cell is meant. So one cell that
strays never makes the grid large, and a cell that leaves the grid needs nothing done.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from unmoor.compilation import kernel, part
from unmoor.errors import ParameterError

FloatArray = npt.NDArray[np.float64]
SingleArray = npt.NDArray[np.float32]

_SHORTER = 4.0  # times than they are wide are bins along x
SEGMENT = 2  # bits: four bins along x are as long as they are wide
_BAND = 2  # bits: rows of bins lie in memory in bands of four, so that neighbours lie near
_WIDER = 1.0 + 1e-6  # of a bin, so that rounding never puts neighbours two bins apart
_MOST = 2.0**20  # bins in one direction
FARTHEST = (
    1e7  # coordinates relative to the tissue's centre up to which single precision serves [µm]
)


class Grid(NamedTuple):
    """Bins of equal size; their number in each direction is a power of two, 1 or at least 4.

    Along x, in which direction they lie one after the other in memory, they are shorter than they
    are wide, so that a row can be searched from and to where it matters.
    """

    inverse: float  # of the width along y and z [1/µm]
    finer: float  # of the length along x [1/µm]
    width: int  # bins along x
    height: int
    depth: int


@part
def make_grid(low: Any, high: Any, reach: Any, cells: Any) -> Any:
    """Return bins at least ``reach`` wide; about as many as would hold all cells, or fewer."""
    inverse = 1.0 / (reach * _WIDER)
    bins = np.empty(3, np.int64)
    limit = max(64, 8 * cells)
    for c in range(3):
        wanted = min((high[c] - low[c]) * inverse * (_SHORTER if c == 0 else 1.0) + 2.0, _MOST)
        bins[c] = 1
        # A flat tissue has one layer: cells that leave it still share that layer's number.
        while bins[c] < wanted and high[c] > low[c]:
            bins[c] *= 2
        if bins[c] == 2:
            bins[c] = 4
    while bins[0] * bins[1] * bins[2] > limit:
        largest = 0
        for c in range(1, 3):
            if bins[c] > bins[largest]:
                largest = c
        if bins[largest] <= 4:
            break
        bins[largest] //= 2
    return Grid(inverse, inverse * _SHORTER, bins[0], bins[1], bins[2])


@part
def bin_of(grid: Any, x: Any, y: Any, z: Any) -> Any:
    """Number of the bin of a point, x fastest."""
    ix = np.int64(math.floor(x * grid.finer)) & (grid.width - 1)
    iy, iz = np.int64(math.floor(y * grid.inverse)), np.int64(math.floor(z * grid.inverse))
    return np.int32(_row(grid, iy, iz) + ix)


@part
def _row(grid: Any, iy: Any, iz: Any) -> Any:
    """First bin of a row of bins.

    Four rows along y, then the same four one step on in z, and so on, then the next four along y:
    what a row has to do with is then in the cache, however large the tissue.
    """
    jy, jz = iy & (grid.height - 1), iz & (grid.depth - 1)
    if grid.height > 1:
        jz = (((jy >> _BAND) * grid.depth + jz) << _BAND) + (jy & ((1 << _BAND) - 1))
    return jz * grid.width


@part
def row_beside(grid: Any, iy: Any, iz: Any, which: Any) -> Any:
    """First bin of one of the nine rows around a row, or -1 if it was among the others."""
    dy, dz = which % 3 - 1, which // 3 - 1
    if (dy != 0 and grid.height == 1) or (dz != 0 and grid.depth == 1):
        return np.int64(-1)
    return _row(grid, iy + dy, iz + dz)


@part
def row_of(grid: Any, x: Any, y: Any, z: Any, which: Any) -> Any:
    """Part of one of nine rows of bins around a point that is within reach.

    Returns
    -------
        First bin of the row and, counted along x, first and last bin in reach; the first is -1 if
        none is, or if the row was among the others.
    """
    dy, dz = which % 3 - 1, which // 3 - 1
    none = np.int64(-1), np.int64(0), np.int64(0)
    if (dy != 0 and grid.height == 1) or (dz != 0 and grid.depth == 1):
        return none
    fy, fz = y * grid.inverse, z * grid.inverse
    iy, iz = math.floor(fy), math.floor(fz)
    gap_y = (fy - iy if dy < 0 else iy + 1.0 - fy) if dy != 0 else 0.0
    gap_z = (fz - iz if dz < 0 else iz + 1.0 - fz) if dz != 0 else 0.0
    left = _WIDER - gap_y * gap_y - gap_z * gap_z
    if left <= 0.0:
        return none
    along, center = _SHORTER * math.sqrt(left), x * grid.finer
    row = _row(grid, np.int64(iy) + dy, np.int64(iz) + dz)
    return row, np.int64(math.floor(center - along)), np.int64(math.floor(center + along))


@part
def stretch(grid: Any, starts: Any, row: Any, begin: Any, end: Any, which: Any) -> Any:
    """First and last of the cells in the bins ``begin`` to ``end`` of a row.

    The second stretch (``which`` 1) is empty unless the bins reach over the grid's edge.
    """
    count = end - begin + 1
    if count >= grid.width:
        return (starts[row], starts[row + grid.width]) if which == 0 else (starts[0], starts[0])
    begin &= grid.width - 1
    if which == 0:
        return starts[row + begin], starts[row + min(begin + count, grid.width)]
    return starts[row], starts[row + max(begin + count - grid.width, 0)]


@part
def sort_by_bin(keys: Any, cells: Any, bins: Any, starts: Any, place: Any) -> Any:
    """Counting sort, which keeps the order within a bin.

    Parameters
    ----------
    keys
        Bin of each cell.
    starts
        Receives the first place of each bin, shape (bins + 1,).
    place
        Receives the cells in order of bins.
    """
    starts[: bins + 2] = 0
    for i in range(cells):
        starts[keys[i] + 2] += 1
    for b in range(2, bins + 2):
        starts[b] += starts[b - 1]
    for i in range(cells):
        place[starts[keys[i] + 1]] = i
        starts[keys[i] + 1] += 1


def contacts(
    position: FloatArray, radius: SingleArray, reach: SingleArray
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
    """Who touches whom: pairs nearer than the sum of their reaches or of their radii.

    Parameters
    ----------
    position
        Centres, shape (cells, 3) [µm].
    radius, reach
        Shape (cells,) [µm].

    Returns
    -------
        Where each cell's neighbours begin, shape (cells + 1,), and their numbers in rising order,
        for all cells one after the other.

    Raises
    ------
    ParameterError
        If a number is not finite or a length negative.
    """
    cells = len(position)
    offset = np.zeros(cells + 1, np.int64)
    if cells == 0:
        return offset, np.empty(0, np.int32)
    extent = np.maximum(radius, reach)
    if not (np.isfinite(position).all() and np.isfinite(extent).all() and extent.min() >= 0.0):
        raise ParameterError("contacts: a position, radius or reach is not a finite length")
    position = np.ascontiguousarray(position, dtype=np.float64)
    longest = max(2.0 * float(extent.max()), 1e-6)
    index = np.empty(16 * cells + 16, np.int32)
    needed = _contacts(position, radius, reach, extent, longest, offset, index)
    if needed > index.size:
        index = np.empty(needed, np.int32)
        _contacts(position, radius, reach, extent, longest, offset, index)
    return offset, index[: offset[-1]].copy()


@kernel
def _contacts(
    position: Any, radius: Any, reach: Any, extent: Any, longest: Any, offset: Any, index: Any
) -> Any:
    """Fill offsets and neighbours; return how many neighbours there are."""
    cells = extent.size
    low, high = position[0].copy(), position[0].copy()
    for i in range(cells):
        for c in range(3):
            low[c], high[c] = min(low[c], position[i, c]), max(high[c], position[i, c])
    grid = make_grid(low, high, longest, cells)
    bins = grid.width * grid.height * grid.depth
    starts, keys = np.empty(bins + 2, np.int32), np.empty(cells, np.int32)
    place = np.empty(cells, np.int32)
    for i in range(cells):
        x, y, z = position[i, 0] - low[0], position[i, 1] - low[1], position[i, 2] - low[2]
        keys[i] = bin_of(grid, x, y, z)
    sort_by_bin(keys, cells, bins, starts, place)
    filled = 0
    for i in range(cells):
        offset[i] = filled
        x, y, z = position[i, 0], position[i, 1], position[i, 2]
        for which in range(9):
            row, begin, end = row_of(grid, x - low[0], y - low[1], z - low[2], which)
            if row < 0:
                continue
            for half in range(2):
                first, last = stretch(grid, starts, row, begin, end, half)
                for s in range(first, last):
                    j = place[s]
                    dx, dy, dz = x - position[j, 0], y - position[j, 1], z - position[j, 2]
                    near = max(
                        np.float64(reach[i]) + np.float64(reach[j]),
                        np.float64(radius[i]) + np.float64(radius[j]),
                    )
                    if j != i and dx * dx + dy * dy + dz * dz < near * near:
                        if filled < index.size:
                            index[filled] = j
                        filled += 1
        if filled <= index.size:
            _sort(index, offset[i], filled)
    offset[cells] = filled
    return filled


@part
def _sort(numbers: Any, first: Any, last: Any) -> Any:
    """Rising order, by insertion: there are few."""
    for i in range(first + 1, last):
        one, k = numbers[i], i
        while k > first and numbers[k - 1] > one:
            numbers[k] = numbers[k - 1]
            k -= 1
        numbers[k] = one
