"""Making the list of neighbours: which cells may come within range before it is made anew.

Cells are sorted by bin. Those of a bin and of the bins around it are copied next to each other,
once for all cells of the bin, and each cell is held against all of them.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from unmoor.compilation import part
from unmoor.tissue.forces import FIELDS, LANES
from unmoor.tissue.neighbours import SEGMENT, bin_of, row_beside, sort_by_bin, stretch
from unmoor.tissue.sharing import CLAIMED, fetch_add, fused
from unmoor.tissue.vector_code import GROUPS, WIDTH
from unmoor.tissue.vector_lists import TILE, copy_run, lay_tiles, search_near

_NOWHERE = 1e30  # beyond all cells, yet its square is compared without a NaN [µm]
_NO_BIN = np.int64(-(2**62))


@part
def key_cells(bodies: Any, slots: Any, work: Any, settings: Any, begin: Any, end: Any) -> Any:
    """Bin of each cell by its position at the start."""
    real, c = work.record.dtype.type, settings.center
    for i in range(begin, min(end, settings.cells)):
        s = slots[i]
        work.keys[i] = bin_of(
            settings.grid,
            np.float64(real(bodies.position[s, 0] - c[0])),
            np.float64(real(bodies.position[s, 1] - c[1])),
            np.float64(real(bodies.position[s, 2] - c[2])),
        )


@part
def key_again(work: Any, settings: Any, current: Any, begin: Any, end: Any) -> Any:
    """Bin of each cell where it is now."""
    record = work.record[current]
    for i in range(begin, min(end, settings.cells)):
        x, y, z = record[i, 0], record[i, 1], record[i, 2]
        work.keys[i] = bin_of(settings.grid, np.float64(x), np.float64(y), np.float64(z))


@part
def sort_cells(slots: Any, work: Any, settings: Any, is_first: Any) -> Any:
    """Cells in order of their bins; at the start of a call this becomes their order in memory."""
    grid, cells = settings.grid, settings.cells
    sort_by_bin(work.keys, cells, grid.width * grid.height * grid.depth, work.starts, work.place)
    if is_first:
        for i in range(cells):
            work.order[i] = slots[work.place[i]]
            work.place[i] = i


@part
def place_cells(work: Any, settings: Any, current: Any, first: Any, last: Any) -> Any:
    """Columns in order of bins, and where cells are as the list is made."""
    record = work.record[current]
    for p in range(first * LANES, min(last * LANES, settings.cells)):
        j = work.place[p]
        for c in range(3):
            work.column[c, p] = record[j, c]
        work.column[3, p] = record[j, 7]
    for block in range(first, last):
        for c in range(3):
            for lane in range(LANES):
                work.origin_of_list[block, c, lane] = record[block * LANES + lane, c]


@part
def list_blocks(work: Any, settings: Any, current: Any, worker: Any, begin: Any, end: Any) -> Any:
    """Neighbours of the cells of some blocks; return the most candidates of a bin."""
    record, found, near, who = (
        work.record[current], work.row[worker], work.near[worker], work.who[worker]
    )  # fmt: skip
    grid, is_vector = settings.grid, settings.is_vector
    counts, bx, by, bz = np.zeros(LANES, np.int64), _NO_BIN, _NO_BIN, _NO_BIN
    inside = np.empty(near.shape[1], np.int32)
    candidates: Any = np.int64(0)
    most: Any = np.int64(0)
    for block in range(begin, end):
        for lane in range(LANES):
            i, counts[lane] = block * LANES + lane, 0
            if i >= settings.cells:
                continue
            x, y, z = record[i, 0], record[i, 1], record[i, 2]
            ix = np.int64(math.floor(np.float64(x) * grid.finer)) >> SEGMENT
            iy = np.int64(math.floor(np.float64(y) * grid.inverse))
            iz = np.int64(math.floor(np.float64(z) * grid.inverse))
            if ix != bx or iy != by or iz != bz:
                bx, by, bz = ix, iy, iz
                candidates = _candidates(work, grid, is_vector, (ix, iy, iz), near, who)
                most = max(most, candidates)
            if candidates <= near.shape[1] - LANES:
                far = record[i, 7] + record.dtype.type(settings.skin)
                counts[lane] = _search(
                    near, who, candidates, x, y, z, far, i * FIELDS, is_vector, inside, found[lane]
                )
        _lay_out(work, is_vector, counts, found, block)
    return most


@part
def _candidates(work: Any, grid: Any, is_vector: Any, where: Any, near: Any, who: Any) -> Any:
    """Copy the cells of a bin and those around it; return how many these are, if there is room."""
    room: Any = near.shape[1] - LANES
    count: Any = np.int64(0)
    begin, end = (where[0] - 1) << SEGMENT, ((where[0] + 2) << SEGMENT) - 1
    for which in range(9):
        row = row_beside(grid, where[1], where[2], which)
        if row < 0:
            continue
        for half in range(2):
            first, last = stretch(grid, work.starts, row, begin, end, half)
            first, last = np.int64(first), np.int64(last)
            if first < last and count + last - first <= room:
                if is_vector:
                    copy_run(work.column, work.place, first, last, near, who, count)
                else:
                    _copy_plainly(work.column, work.place, first, last, near, who, count)
            count += max(last - first, 0)
    if count <= room:
        near[0, count : count + LANES] = _NOWHERE
    return count


@part
def _copy_plainly(
    column: Any, place: Any, first: Any, last: Any, near: Any, who: Any, count: Any
) -> Any:
    for c in range(4):
        for p in range(first, last):
            near[c, count + p - first] = column[c, p]
    for p in range(first, last):
        who[count + p - first] = place[p] * FIELDS


@part
def _search(
    near: Any, who: Any, candidates: Any, x: Any, y: Any, z: Any, far: Any, me: Any,
    is_vector: Any, inside: Any, found: Any,
) -> Any:  # fmt: skip
    """Those of the candidates that may matter to a cell, in their order."""
    if is_vector:
        return search_near(near, who, candidates, x, y, z, far, np.int32(me), found)
    name, count = np.int32(me), np.uint64(0)
    for k in range(candidates):  # without a branch, so that the compiler makes vector code of it
        dx, dy, dz, limit = x - near[0, k], y - near[1, k], z - near[2, k], far + near[3, k]
        square = fused(dz, dz, fused(dy, dy, dx * dx))
        inside[k] = np.int32((square < limit * limit) & (who[k] != name))
    for k in range(candidates):
        found[count] = who[k]  # overwritten unless it counts: faster than a branch
        count += np.uint64(inside[k])
    return np.int64(count)


@part
def _lay_out(work: Any, is_vector: Any, counts: Any, found: Any, block: Any) -> Any:
    """Neighbours of each cell of a block in a lane of its own, filled up with the ghost."""
    ghost, rows = np.int32(len(work.order) * FIELDS), work.neighbours
    tall = (counts.max() + TILE - 1) // TILE * TILE
    top = fetch_add(work.shared, CLAIMED, tall)
    work.offset[block] = top
    for group in range(GROUPS):
        work.rows[block * GROUPS + group] = counts[group * WIDTH : (group + 1) * WIDTH].max()
    if top + tall > len(rows):
        return
    for lane in range(LANES):
        found[lane, counts[lane] : tall] = ghost
    if is_vector:
        lay_tiles(found, rows, top, tall)
        return
    for k in range(tall):
        for lane in range(LANES):
            rows[top + k, lane] = found[lane, k]
