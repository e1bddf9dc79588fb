"""Which cells touch: neighbours of each cell, found with a list of sorted bins."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from unmoor.compilation import kernel

_BITS = 21  # of a bin's number along one axis; three fit in a 64-bit code


def contacts(
    position: Any, radius: Any, reach: Any
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
    """Neighbours of each cell, those nearer than the sum of both reaches.

    Parameters
    ----------
    position
        Centres, shape (cells, 3) [µm].
    radius
        Radius, shape (cells,) [µm].
    reach
        Distance up to which a cell touches, shape (cells,) [µm].

    Returns
    -------
        ``offset``, shape (cells + 1,), and ``index``: the neighbours of cell ``i`` are
        ``index[offset[i]:offset[i + 1]]``, in rising order; coincident cells are neighbours.
    """
    place = np.ascontiguousarray(position, np.float64)
    far = np.ascontiguousarray(reach, np.float64)
    cells = len(place)
    if cells == 0:
        return np.zeros(1, np.int64), np.zeros(0, np.int32)
    size = 2.0 * float(far.max()) or 1.0
    bins = np.floor((place - place.min(axis=0)) / size).astype(np.int64)
    # Clipping keeps neighbouring bins neighbours, so a tissue of any extent is right.
    bins = np.minimum(bins, 2**_BITS - 3) + 1
    code = (bins[:, 2] << 2 * _BITS) | (bins[:, 1] << _BITS) | bins[:, 0]
    order = np.argsort(code, kind="stable")
    offset = np.zeros(cells + 1, np.int64)
    sorted_code, nothing = code[order], np.empty(0, np.int32)
    _neighbours(place, far, order, sorted_code, offset, nothing, False)
    np.cumsum(offset, out=offset)
    index = np.empty(int(offset[-1]), np.int32)
    _neighbours(place, far, order, sorted_code, offset, index, True)
    return offset, index


@kernel
def _neighbours(
    place: Any, far: Any, order: Any, code: Any, offset: Any, index: Any, is_filling: bool
) -> None:
    """Count the neighbours of each cell (into the entry after its own), or write them down.

    The cells are walked in the order of their bins, so the nine rows of bins around a cell start
    at nine marks that only move forward.
    """
    cells = order.size
    marks = np.zeros(9, np.int64)
    for s in range(cells):
        i = order[s]
        count = 0
        for row in range(9):
            shift = ((row // 3 - 1) << 42) + ((row % 3 - 1) << 21)
            first = code[s] + shift - 1
            mark = marks[row]
            while mark < cells and code[mark] < first:
                mark += 1
            marks[row] = mark
            while mark < cells and code[mark] <= first + 2:
                j = order[mark]
                mark += 1
                x = place[i, 0] - place[j, 0]
                y = place[i, 1] - place[j, 1]
                z = place[i, 2] - place[j, 2]
                most = far[i] + far[j]
                if j == i or not x * x + y * y + z * z < most * most:
                    continue
                if is_filling:
                    k = offset[i] + count
                    while k > offset[i] and index[k - 1] > j:
                        index[k] = index[k - 1]
                        k -= 1
                    index[k] = j
                count += 1
        if not is_filling:
            offset[i + 1] = count
