"""Workspace of mechanics: the arrays of a call, and the numbers that its phases share."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from unmoor.errors import ResourceError
from unmoor.tissue.forces import LANES
from unmoor.tissue.sharing import CLAIMED, MOST_CHUNKS

SORT, GATHER, PLACE, LIST, STEP, SCATTER, KEYS = range(7)
GOOD, NOT_FINITE, FAR_AWAY, LIST_FULL, ROW_FULL, FLEW_APART = range(6)
# Places of the numbers that phases share, beside those of sharing.py.
PHASE, STATUS, STEPS_DONE, REBUILDS, WIDEST, WHO = range(24, 30)

_MOST_ROWS = 2**31 // LANES  # of the list: 8 GiB


class Work(NamedTuple):
    """Arrays of a call; blocks have 16 lanes, the last of them may be without cells."""

    order: Any  # slot of a cell, shape (blocks × 16,)
    record: Any  # old and new, shape (2, blocks × 16 + 1, 8)
    position: Any  # shape (blocks, 3, 16) [µm]
    velocity: Any  # shape (blocks, 3, 16) [µm/min]
    motile: Any  # drive along the heading, shape (blocks, 3, 16) [µm/min]
    mobility: Any  # shape (blocks, 16)
    origin_of_list: Any  # coordinates when the list was made, shape (blocks, 3, 16) [µm]
    turn: Any  # step of the next turn, shape (blocks, 16)
    next_turn: Any  # earliest of a block, shape (blocks,)
    pressure: Any  # shape (blocks, 16)
    keys: Any  # bin of a cell, shape (blocks × 16,)
    starts: Any  # first place of a bin, shape (bins + 2,)
    column: Any  # x, y, z and range in order of bins, shape (4, blocks × 16 + 32)
    place: Any  # cells in order of bins, shape (blocks × 16 + 32,)
    offset: Any  # first row of a block's list, shape (blocks,)
    rows: Any  # rows of the list of a vector of cells, shape (blocks × vectors,)
    neighbours: Any  # the list, where their records begin, shape (rows, 16)
    row: Any  # neighbours of the cells of a block, shape (threads, 16, most)
    near: Any  # x, y, z and range of candidates, shape (threads, 4, most)
    who: Any  # where their records begin, shape (threads, most)
    force: Any  # shape (threads, 4, 16)
    met: Any  # whether cells of a vector coincide with others, shape (blocks × vectors,)
    farthest: Any  # largest squared displacement of a chunk, shape (chunks,) [µm²]
    shared: Any  # numbers that threads share


class Settings(NamedTuple):
    """What stays the same during a call."""

    first: Any
    steps: Any
    dt: Any
    key: Any
    purpose: Any
    is_flat: Any
    skin: Any
    is_vector: Any
    cells: Any
    center: Any  # of the tissue, shape (3,) [µm]
    grid: Any


class Room:
    """Workspace of :func:`move`, kept between calls to save time; results do not depend on it.

    A room serves one call at a time.
    """

    def __init__(self) -> None:
        self._work: Work | None = None
        self._threads = 0

    def work(self, cells: int, bins: int, threads: int, real: Any) -> Work:
        """Arrays for so many cells, bins and threads."""
        old, blocks = self._work, -(-cells // LANES)
        if old is not None and (
            len(old.offset) == blocks
            and old.starts.size >= bins + 2
            and len(old.force) >= threads
            and old.record.dtype == real
        ):
            return old
        lanes = blocks * LANES
        rows, most = (len(old.neighbours), old.row.shape[2]) if old is not None else (0, 512)
        vectors = [np.empty((blocks, 3, LANES), real) for _ in range(3)]
        self._work = Work(
            np.empty(lanes, np.int32), _aligned((2, lanes + 1, 8), real),
            np.empty((blocks, 3, LANES)), vectors[0], vectors[1], np.empty((blocks, LANES), real),
            vectors[2], np.empty((blocks, LANES), np.int64), np.empty(blocks, np.int64),
            np.empty((blocks, LANES), real), np.empty(lanes, np.int32),
            np.empty(bins + 2, np.int32), np.empty((4, lanes + 2 * LANES), real),
            np.empty(lanes + 2 * LANES, np.int32), np.empty(blocks, np.int64),
            np.empty(lanes, np.int32), _aligned((max(rows, 32 * blocks), LANES), np.int32),
            np.empty((threads, LANES, most), np.int32), np.empty((threads, 4, most), real),
            np.empty((threads, most), np.int32), _aligned((threads, 4, LANES), real),
            np.empty(lanes, np.int32), np.empty(MOST_CHUNKS), np.empty(64, np.int64),
        )  # fmt: skip
        return self._work

    def grow(self, work: Work) -> Work:
        """The same arrays with room for the list that did not fit."""
        rows, most = int(work.shared[CLAIMED]), int(work.shared[WIDEST])
        if work.shared[STATUS] == ROW_FULL:
            threads, length = len(work.row), most + most // 4 + 2 * LANES
            work = work._replace(
                row=np.empty((threads, LANES, length), np.int32),
                near=np.empty((threads, 4, length), work.near.dtype),
                who=np.empty((threads, length), np.int32),
            )
        else:
            if rows > _MOST_ROWS:
                raise ResourceError(
                    f"cells have {rows * LANES / len(work.order):.0f} neighbours on average, more "
                    "than fit in memory; give them more space or smaller radii",
                    code="E-CROWDED",
                )
            work = work._replace(neighbours=_aligned((rows + rows // 8, LANES), np.int32))
        self._work = work
        return work


def _aligned(shape: tuple[int, ...], kind: Any) -> Any:
    """Array without content whose first byte is at a multiple of 64."""
    size = math.prod(shape) * np.dtype(kind).itemsize
    raw = np.empty(size + 64, np.uint8)
    begin = -raw.ctypes.data % 64
    return raw[begin : begin + size].view(kind).reshape(shape)
