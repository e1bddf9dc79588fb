"""What a step of mechanics is made of: phases that ``moving.py`` runs in turn, each in chunks.

For a call, cells are copied in order of their bins to arrays in blocks of 16, so that neighbours
lie near each other in memory. Forces read one set of records while the step writes the other.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from unmoor.compilation import part
from unmoor.random import philox4x32
from unmoor.tissue.forces import LANES, block_forces, careful_forces, unit_vector
from unmoor.tissue.neighbours import FARTHEST
from unmoor.tissue.vector_code import GROUPS, WIDTH
from unmoor.tissue.vector_forces import step_groups

_OUTSIDE = 4e9  # where lanes without a cell stand, and at twice that the ghost [µm]
_NEVER = 2**62
_LOW, _HALF = np.uint64(0xFFFFFFFF), np.uint64(32)


@part
def gather(bodies: Any, work: Any, settings: Any, first: Any, last: Any) -> Any:
    """Copy the cells of some blocks; return a slot whose numbers are not finite, or -1."""
    lanes, cells = (first * LANES, last * LANES), settings.cells
    work.met[first * GROUPS : last * GROUPS] = 0
    bad = _gather_places(
        work.order, lanes, cells, settings.center, bodies.position, bodies.velocity,
        work.position, work.velocity, work.record,
    )  # fmt: skip
    bad = max(bad, _gather_drives(bodies, work.order, lanes, cells, settings.is_flat, work.motile))
    _gather_turns(work.order, lanes, cells, bodies.turn, bodies.drive, work.turn, work.next_turn)
    return max(
        bad,
        _gather_laws(
            work.order, lanes, cells, bodies.radius, bodies.reach, bodies.repulsion,
            bodies.adhesion, bodies.mobility, work.record, work.mobility,
        ),
    )  # fmt: skip


@part
def _gather_places(
    order: Any, lanes: Any, cells: Any, center: Any, position: Any, velocity: Any, places: Any,
    velocities: Any, record: Any,
) -> Any:  # fmt: skip
    """Positions and velocities; lanes without a cell stand beyond everyone's reach."""
    bad = np.int64(-1)
    for i in range(lanes[0], lanes[1]):
        block, lane, s = i // LANES, i % LANES, np.int64(order[i])
        for c in range(3):
            x = position[s, c] if i < cells else center[c] + _OUTSIDE
            v = velocity[s, c] if i < cells else np.float32(0.0)
            places[block, c, lane], velocities[block, c, lane] = x, v
            record[0, i, c] = record[1, i, c] = x - center[c]
            if not math.isfinite(v):
                bad = s
    return bad


@part
def _gather_drives(
    bodies: Any, order: Any, lanes: Any, cells: Any, is_flat: Any, motile: Any
) -> Any:
    """Drives along headings."""
    bad, real = np.int64(-1), motile.dtype.type
    drive, heading, bias, persistence = (
        bodies.drive, bodies.heading, bodies.bias, bodies.persistence
    )  # fmt: skip
    for i in range(lanes[0], lanes[1]):
        block, lane, s = i // LANES, i % LANES, np.int64(order[i])
        for c in range(3):
            speed = real(0.0)
            if i < cells and drive[s] != 0.0:
                if not (is_flat and c == 2):
                    speed = real(drive[s]) * real(heading[s, c])
                if not (math.isfinite(speed + bias[s, c]) and persistence[s] >= 0.0):
                    bad = s
            motile[block, c, lane] = speed
    return bad


@part
def _gather_turns(
    order: Any, lanes: Any, cells: Any, turn: Any, drive: Any, turns: Any, next_turn: Any
) -> Any:
    """Steps of the next turns, which cells without drive do not make."""
    for i in range(lanes[0], lanes[1]):
        block, lane, s = i // LANES, i % LANES, order[i]
        turns[block, lane] = turn[s] if i < cells and drive[s] != 0.0 else _NEVER
        next_turn[block] = (
            turns[block, lane] if lane == 0 else min(next_turn[block], turns[block, lane])
        )


@part
def _gather_laws(
    order: Any, lanes: Any, cells: Any, radius: Any, reach: Any, repulsion: Any, adhesion: Any,
    mobility: Any, record: Any, mobilities: Any,
) -> Any:  # fmt: skip
    """What enters the law of a pair, and mobilities."""
    bad, real = np.int64(-1), record.dtype.type
    for i in range(lanes[0], lanes[1]):
        s = np.int64(order[i])
        if i >= cells:
            _stand_by(record, i)
            mobilities[i // LANES, i % LANES] = 0.0
            continue
        touch, hold = max(real(radius[s]), real(1e-6)), max(real(reach[s]), real(1e-6))
        for which in range(2):
            record[which, i, 3], record[which, i, 4] = touch, hold
            record[which, i, 5], record[which, i, 6] = repulsion[s], adhesion[s]
            record[which, i, 7] = max(touch, hold)
        mobilities[i // LANES, i % LANES] = mobility[s]
        if not math.isfinite(repulsion[s] + adhesion[s] + mobility[s]):
            bad = s
    return bad


@part
def _stand_by(record: Any, i: Any) -> Any:
    """Record of what is no cell: of no strength."""
    for which in range(2):
        record[which, i, 3] = record[which, i, 4] = 1.0
        record[which, i, 5] = record[which, i, 6] = record[which, i, 7] = 0.0


@part
def stand_ghost(record: Any, order: Any, cells: Any) -> Any:
    """Put the ghost that fills up lists behind the last lane; lanes without a cell get a slot."""
    ghost = len(order)
    order[cells:] = order[0]
    _stand_by(record, ghost)
    for c in range(3):
        record[0, ghost, c] = record[1, ghost, c] = 2.0 * _OUTSIDE


@part
def step_blocks(
    bodies: Any,
    work: Any,
    settings: Any,
    current: Any,
    step: Any,
    worker: Any,
    begin: Any,
    end: Any,
) -> Any:
    """Turn, push and move the cells of some blocks; return their largest squared displacement."""
    for block in range(begin, end):
        if work.next_turn[block] <= step:
            _turn_block(bodies, work, settings, step, block)
    old, new, force = work.record[current], work.record[1 - current], work.force[worker]
    center, is_last = settings.center, step == settings.first + settings.steps - 1
    if not settings.is_vector:
        return _step_plainly(bodies, work, settings, old, new, force, begin, end)
    force[:2] = 0.0
    step_groups(
        old, new, work.neighbours, work.offset, work.rows, work.position, work.velocity,
        work.motile, work.origin_of_list, work.mobility, work.pressure, work.met, force,
        center[0], center[1], center[2], 1.5 * settings.dt, -0.5 * settings.dt, settings.is_flat,
        is_last, begin * GROUPS, end * GROUPS,
    )  # fmt: skip
    farthest = np.float64(force[0].max())
    if force[1, 0] != 0.0:  # some coincide with others
        rest = _step_plainly(bodies, work, settings, old, new, force, begin, end)
        farthest = max(farthest, rest)
    return farthest


@part
def _step_plainly(
    bodies: Any, work: Any, settings: Any, old: Any, new: Any, force: Any, begin: Any, end: Any
) -> Any:
    """Push and move cells without vector code: all, or those that the vector code left."""
    farthest, pairs = 0.0, np.empty((8, work.row.shape[2]), new.dtype)
    numbers, lanes = old.reshape(old.size), np.empty(19 * LANES, new.dtype)
    have_met = settings.is_vector
    for group in range(begin * GROUPS, end * GROUPS):
        if settings.is_vector and work.met[group] == 0:
            continue
        work.met[group] = 0
        block, lane = group // GROUPS, group % GROUPS * WIDTH
        first, top = block * LANES, work.offset[block]
        if not settings.is_vector and lane == 0:
            rows = work.rows[group : group + GROUPS].max()
            have_met = block_forces(numbers, work.neighbours, top, rows, first, lanes, force)
        if have_met:
            careful_forces(
                old, work.neighbours, top, work.rows[group], len(work.order), first, lane,
                lane + WIDTH, bodies.identity, work.order, settings.is_flat, pairs, force,
            )  # fmt: skip
        square = _integrate(
            new, work.position, work.velocity, work.motile, work.mobility, work.origin_of_list,
            work.pressure, force, settings.center, settings.dt, settings.is_flat, block, lane,
        )  # fmt: skip
        farthest = max(farthest, np.float64(square))
    return farthest


@part
def _integrate(
    new: Any, position: Any, velocity: Any, motile: Any, mobility: Any, origin: Any, pressure: Any,
    force: Any, center: Any, dt: Any, is_flat: Any, block: Any, begin: Any,
) -> Any:  # fmt: skip
    """Second-order step of Adams and Bashforth; return the largest squared displacement."""
    real = new.dtype.type
    now, before = 1.5 * dt, -0.5 * dt
    farthest = real(0.0)
    for lane in range(begin, begin + WIDTH):
        square = real(0.0)
        for c in range(3):
            v = (force[c, lane] + motile[block, c, lane]) * mobility[block, lane]
            if c == 2 and is_flat:
                v = real(0.0)
            x = position[block, c, lane] + (now * v + before * velocity[block, c, lane])
            position[block, c, lane], velocity[block, c, lane] = x, v
            coordinate = real(x - center[c])
            new[block * LANES + lane, c] = coordinate
            moved = coordinate - origin[block, c, lane]
            square += moved * moved
        pressure[block, lane] = force[3, lane]
        farthest = max(farthest, square)
    return farthest


@part
def _turn_block(bodies: Any, work: Any, settings: Any, step: Any, block: Any) -> Any:
    """New headings of the cells of a block whose time has come."""
    real, soonest = work.record.dtype.type, np.int64(_NEVER)
    for lane in range(LANES):
        if work.turn[block, lane] <= step:
            s = work.order[block * LANES + lane]
            heading, turn = _new_heading(bodies, settings, s, step)
            work.turn[block, lane] = bodies.turn[s] = turn
            for c in range(3):
                bodies.heading[s, c] = heading[c]
                work.motile[block, c, lane] = real(bodies.drive[s]) * real(bodies.heading[s, c])
        soonest = min(soonest, work.turn[block, lane])
    work.next_turn[block] = soonest


@part
def _new_heading(bodies: Any, settings: Any, s: Any, step: Any) -> Any:
    """Heading of a cell that turns, and the step of its next turn."""
    low, high = bodies.identity[s] & _LOW, bodies.identity[s] >> _HALF
    when = np.uint64(step) & _LOW
    key, purpose = settings.key, settings.purpose
    x, y, z = unit_vector(low, high, when, purpose, key, settings.is_flat)
    a, b, c = x + bodies.bias[s, 0], y + bodies.bias[s, 1], z + bodies.bias[s, 2]
    if settings.is_flat:
        c = 0.0
    size = math.sqrt(a * a + b * b + c * c)
    if size > 0.0:
        x, y, z = a / size, b / size, c / size
    counter = (low, high, when, purpose + np.uint64(15))
    w0, w1, _, _ = philox4x32(counter, (key & _LOW, key >> _HALF))
    uniform = (np.float64(((w0 << _HALF) | w1) >> np.uint64(12)) + 0.5) * 2.0**-52
    # The time to the next turn is exponential, counted in steps: persistence is its mean exactly.
    wait = -math.log(uniform) * (bodies.persistence[s] / settings.dt)
    return (x, y, z), np.int64(step) + 1 + np.int64(min(wait, 1e15))


@part
def scatter(bodies: Any, work: Any, settings: Any, first: Any, last: Any) -> Any:
    """Write the cells of some blocks back; return the first slot that went astray, or -1."""
    bad = np.int64(-1)
    for i in range(first * LANES, min(last * LANES, settings.cells)):
        s, block, lane = work.order[i], i // LANES, i % LANES
        for c in range(3):
            x = work.position[block, c, lane]
            bodies.position[s, c] = x
            bodies.velocity[s, c] = work.velocity[block, c, lane]
            if not abs(x - settings.center[c]) < FARTHEST and bad < 0:
                bad = np.int64(s)
        bodies.pressure[s] = work.pressure[block, lane]
    return bad
