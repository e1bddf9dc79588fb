"""Moving: many steps of mechanics in one call.

Each cell moves with the sum of its neighbours' pushes and pulls and its own drive, divided by its
drag. A list of neighbours out to a skin is made at the start of a call and again whenever cells
have moved so far that two of them, unlisted, could have come within range. The result is a
function of the bodies, the slots and the steps alone; threads, workspace and calls before leave no
trace. Equations: docs/explanation/tissue.md.
"""

from __future__ import annotations

import math
import threading
from typing import Any, Literal, NamedTuple

import numpy as np

from unmoor.compilation import kernel, part
from unmoor.errors import ParameterError, SimulationError
from unmoor.random import identifier
from unmoor.tissue.bodies import Bodies, SlotArray
from unmoor.tissue.forces import LANES
from unmoor.tissue.listing import key_again, key_cells, list_blocks, place_cells, sort_cells
from unmoor.tissue.neighbours import FARTHEST, make_grid
from unmoor.tissue.sharing import (
    CLAIMED,
    MOST_CHUNKS,
    borrowed,
    finish_chunk,
    open_phase,
    take_chunk,
)
from unmoor.tissue.stepping import gather, scatter, stand_ghost, step_blocks
from unmoor.tissue.workspace import (
    FAR_AWAY,
    FLEW_APART,
    GATHER,
    GOOD,
    KEYS,
    LIST,
    LIST_FULL,
    NOT_FINITE,
    PHASE,
    PLACE,
    REBUILDS,
    ROW_FULL,
    SCATTER,
    SORT,
    STATUS,
    STEP,
    STEPS_DONE,
    WHO,
    WIDEST,
    Room,
    Settings,
)  # fmt: skip

__all__ = ["How", "Moved", "Room", "move"]

How = Literal["vector", "plain", "double"]

_PURPOSE = identifier("tissue/turn") & 0xFFFFFFF0
_WORTH_A_THREAD = 4000  # cells below which a second thread costs more than it does
_CHUNKS = 16  # of a phase for each thread, when there are several
_SKIN_USED = 0.999  # of the skin, the rest is for rounding
_LONGEST_REACH = 1e5  # of a cell [µm]
_CENTER, _LOW, _HIGH, _LONGEST = 0, 3, 6, 9  # places in what ``survey`` returns


class Moved(NamedTuple):
    """What a call did.

    Attributes
    ----------
    rebuilds
        Lists of neighbours made.
    pairs
        Places in the last list.
    """

    rebuilds: int
    pairs: int


def move(
    bodies: Bodies,
    slots: SlotArray,
    *,
    first: int,
    steps: int,
    dt: float,
    key: int,
    is_flat: bool = False,
    skin: float = 3.0,
    threads: int = 1,
    how: How = "vector",
    room: Room | None = None,
) -> Moved:
    """Move cells, in place.

    Parameters
    ----------
    bodies
        The cells; position, velocity, heading, turn and pressure are written.
    slots
        Slots that hold a cell, rising.
    first
        Number of the first step, which the turns are a function of.
    steps
        How many steps.
    dt
        Their length [min].
    key
        Key of the random numbers (``Stream.key``).
    is_flat
        Cells move in their plane z only.
    skin
        How much farther than they reach neighbours are listed [µm]; for speed only.
    threads
        How many at most; the result has the same bits with each number.
    how
        ``vector``: single precision, vector code; ``plain``: the same bits from scalar code;
        ``double``: scalar code in double precision.
    room
        Workspace of calls before.

    Raises
    ------
    ParameterError
        If a number of a cell is not finite or out of its range, or a cell is too far away.
    SimulationError
        If cells flew apart: the step is too long for their forces. Their state is then lost.
    ResourceError
        If cells are so crowded that the list of neighbours does not fit in memory.
    """
    cells = len(slots)
    if cells == 0 or steps <= 0:
        return Moved(0, 0)
    if not (math.isfinite(dt) and dt > 0.0 and math.isfinite(skin) and skin > 0.0):
        raise ParameterError(f"move: dt {dt} or skin {skin} is not a positive number")
    survey = np.empty(10)
    bins = _survey(bodies.position, bodies.radius, bodies.reach, slots, skin, survey)
    if bins < 0:
        at, is_far = -1 - bins, bins < -slots.size
        slot = int(slots[at - slots.size if is_far else at])
        _refuse(bodies, slot, FAR_AWAY if is_far else NOT_FINITE)
    threads = max(1, min(threads, cells // (_WORTH_A_THREAD // 2), 64)) if threads > 1 else 1
    room = room or Room()
    work = room.work(cells, bins, threads, np.float64 if how == "double" else np.float32)
    numbers = (first, steps, dt, np.uint64(key), np.uint64(_PURPOSE), is_flat, skin)
    start, chunks = SORT, min(_CHUNKS * threads, MOST_CHUNKS) if threads > 1 else 1
    while True:
        _begin(work.shared, start, chunks)
        _together(threads, [bodies, slots, work, survey, *numbers, how == "vector", chunks])
        status = int(work.shared[STATUS])
        if status not in (LIST_FULL, ROW_FULL):
            break
        work, start = room.grow(work), LIST
    if status != GOOD:
        _refuse(bodies, int(work.shared[WHO]), status)
    return Moved(int(work.shared[REBUILDS]), int(work.shared[CLAIMED]) * LANES)


def _together(threads: int, arguments: list[Any]) -> None:
    """Run all phases on this thread and others, which only help."""
    shares = [[*arguments, worker] for worker in range(threads)]
    helpers = [threading.Thread(target=_run, args=share) for share in shares[1:]]
    for helper in list(helpers):
        try:
            helper.start()
        except RuntimeError:  # no more threads: this one does the work
            helpers.remove(helper)
    try:
        _run(*shares[0])
    finally:
        for helper in helpers:
            helper.join()


def _refuse(bodies: Bodies, slot: int, status: int) -> None:
    who = f"cell {int(bodies.identity[slot])} in slot {slot}"
    if status == FLEW_APART:
        raise SimulationError(
            f"{who} flew away from the tissue; the step is too long for the forces of cells",
            code="E-STEP",
        )
    at = ", ".join(f"{x:.6g}" for x in bodies.position[slot])
    if status == FAR_AWAY:
        raise ParameterError(f"{who} at ({at}) µm is more than {FARTHEST:g} µm from the others")
    raise ParameterError(
        f"{who} at ({at}) µm has a number that is not finite, or a negative length or time"
    )


def _begin(shared: Any, start: int, chunks: int) -> None:
    """Numbers that threads share, before the first of them runs."""
    if start == SORT:
        shared[:] = 0
    shared[STATUS], shared[CLAIMED], shared[WIDEST], shared[PHASE] = GOOD, 0, 0, start
    _open(shared, chunks)


@kernel
def _open(shared: Any, chunks: Any) -> Any:
    open_phase(shared, chunks)


@kernel
def _survey(position: Any, radius: Any, reach: Any, slots: Any, skin: Any, survey: Any) -> Any:
    """Measure the tissue; return the number of bins, or -1 - i if cell i is not finite.

    ``survey`` receives the mean position, the lowest and highest coordinates and the longest
    distance at which cells are listed.
    """
    longest = 0.0
    for i in range(slots.size):
        s = slots[i]
        extent = max(radius[s], reach[s])
        if not (radius[s] >= 0.0 and reach[s] >= 0.0 and extent < _LONGEST_REACH):
            return -1 - i
        longest = max(longest, np.float64(extent))
    survey[_LONGEST] = 2.0 * max(longest, 1e-6) + skin
    for c in range(3):
        total, low, high = 0.0, math.inf, -math.inf
        for i in range(slots.size):
            x = position[slots[i], c]
            if not abs(x) < math.inf:
                return -1 - i
            total += x
            low, high = min(low, x), max(high, x)
        survey[_CENTER + c] = min(max(total / slots.size, low), high)
        survey[_LOW + c], survey[_HIGH + c] = low, high
    for i in range(slots.size):
        for c in range(3):
            if not abs(position[slots[i], c] - survey[_CENTER + c]) < FARTHEST:
                return -1 - i - slots.size
    grid = make_grid(survey[_LOW:_HIGH], survey[_HIGH:_LONGEST], survey[_LONGEST], slots.size)
    return grid.width * grid.height * grid.depth


@kernel
def _run(
    bodies: Any,
    slots: Any,
    work: Any,
    survey: Any,
    first: Any,
    steps: Any,
    dt: Any,
    key: Any,
    purpose: Any,
    is_flat: Any,
    skin: Any,
    is_vector: Any,
    chunks: Any,
    worker: Any,
) -> Any:
    """Take part in all phases of a call until nothing is left to do."""
    bodies, work = borrowed(bodies), borrowed(work)
    grid = make_grid(survey[_LOW:_HIGH], survey[_HIGH:_LONGEST], survey[_LONGEST], slots.size)
    settings = Settings(
        first, steps, dt, key, purpose, is_flat, skin, is_vector, slots.size, survey[:3], grid
    )
    shared, blocks = work.shared, len(work.offset)
    while True:
        chunk = take_chunk(shared)
        if chunk < 0:
            return
        begin, end = chunk * blocks // chunks, (chunk + 1) * blocks // chunks
        _do(bodies, slots, work, settings, worker, chunk, begin, end)
        if finish_chunk(shared):
            is_open = _next(slots, work, settings, chunks)
            open_phase(shared, chunks if is_open else 0)


@part
def _do(
    bodies: Any, slots: Any, work: Any, settings: Any, worker: Any, chunk: Any, begin: Any, end: Any
) -> Any:
    """Do one chunk of the phase that is open."""
    shared = work.shared
    phase, done = shared[PHASE], shared[STEPS_DONE]
    current = done % 2
    if phase == STEP:
        work.farthest[chunk] = step_blocks(
            bodies, work, settings, current, settings.first + done, worker, begin, end
        )
    elif phase == LIST:
        most = list_blocks(work, settings, current, worker, begin, end)
        if most > work.row.shape[2] - LANES:
            shared[WIDEST] = max(shared[WIDEST], most)
    elif phase == SORT:
        key_cells(bodies, slots, work, settings, begin * LANES, end * LANES)
    elif phase == KEYS:
        key_again(work, settings, current, begin * LANES, end * LANES)
    elif phase == PLACE:
        place_cells(work, settings, current, begin, end)
    else:
        bad = -1
        if phase == GATHER:
            bad = gather(bodies, work, settings, begin, end)
        else:
            bad = scatter(bodies, work, settings, begin, end)
        if bad >= 0:
            shared[WHO], shared[STATUS] = bad, NOT_FINITE if phase == GATHER else FLEW_APART


@part
def _next(slots: Any, work: Any, settings: Any, chunks: Any) -> Any:
    """Choose the next phase, doing what a single thread has to; return whether there is one."""
    shared = work.shared
    phase = shared[PHASE]
    if shared[STATUS] != GOOD:
        return False
    if phase == SORT:
        sort_cells(slots, work, settings, True)
        stand_ghost(work.record, work.order, settings.cells)
        shared[PHASE] = GATHER
    elif phase == KEYS:
        sort_cells(slots, work, settings, False)
        shared[PHASE] = PLACE
    elif phase == GATHER:
        shared[PHASE] = PLACE
    elif phase == PLACE:
        shared[CLAIMED] = 0
        shared[PHASE] = LIST
    elif phase == LIST:
        if shared[WIDEST] > 0:
            shared[STATUS] = ROW_FULL
        elif shared[CLAIMED] > len(work.neighbours):
            shared[STATUS] = LIST_FULL
        shared[REBUILDS] += shared[STATUS] == GOOD
        shared[PHASE] = STEP
        return shared[STATUS] == GOOD
    elif phase == STEP:
        shared[STEPS_DONE] += 1
        if shared[STEPS_DONE] == settings.steps:
            shared[PHASE] = SCATTER
        elif 2.0 * math.sqrt(work.farthest[:chunks].max()) > _SKIN_USED * settings.skin:
            shared[PHASE] = KEYS
    else:
        return False
    return True
