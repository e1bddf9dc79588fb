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
from unmoor.tissue.forces import LANES, block_forces, unit_vector
from unmoor.tissue.neighbours import FARTHEST, bin_of, column_of, row_of, sort_by_bin, stretch
from unmoor.tissue.sharing import CLAIMED, fetch_add
from unmoor.tissue.vector_forces import GROUPS, WIDTH, search_row, step_groups

_OUTSIDE = 4e9  # where lanes without a cell stand, and at twice that the ghost [µm]
_NEVER = 2**62
_LOW, _HALF = np.uint64(0xFFFFFFFF), np.uint64(32)


@part
def key_cells(bodies: Any, slots: Any, work: Any, settings: Any, begin: Any, end: Any) -> Any:
    """Bin of each cell by its position at the start."""
    real, c = work.record.dtype.type, settings.center
    for i in range(begin, min(end, settings.cells)):
        s = slots[i]
        work.keys[i] = bin_of(
            settings.grid,
            real(bodies.position[s, 0] - c[0]),
            real(bodies.position[s, 1] - c[1]),
            real(bodies.position[s, 2] - c[2]),
        )


@part
def key_again(work: Any, settings: Any, current: Any, begin: Any, end: Any) -> Any:
    """Bin of each cell where it is now."""
    record = work.record[current]
    for i in range(begin, min(end, settings.cells)):
        work.keys[i] = bin_of(settings.grid, record[i, 0], record[i, 1], record[i, 2])


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
def gather(bodies: Any, work: Any, settings: Any, first: Any, last: Any) -> Any:
    """Copy the cells of some blocks; return the first slot whose numbers are not finite, or -1."""
    bad = np.int64(-1)
    work.met[first * GROUPS : last * GROUPS] = 0
    for block in range(first, last):
        work.next_turn[block] = _NEVER
        for lane in range(LANES):
            i = block * LANES + lane
            if i >= settings.cells:
                _fill_lane(work, settings, block, lane)
            elif not _gather_cell(bodies, work, settings, block, lane) and bad < 0:
                bad = np.int64(work.order[i])
    return bad


@part
def _fill_lane(work: Any, settings: Any, block: Any, lane: Any) -> Any:
    for c in range(3):
        work.position[block, c, lane] = settings.center[c] + _OUTSIDE
        work.velocity[block, c, lane] = work.motile[block, c, lane] = 0.0
        work.origin_of_list[block, c, lane] = _OUTSIDE
    work.mobility[block, lane] = 0.0
    work.turn[block, lane] = _NEVER
    _stand_by(work, block * LANES + lane, _OUTSIDE)


@part
def _stand_by(work: Any, i: Any, where: Any) -> Any:
    """Record of what is no cell: beyond everyone's reach, and of no strength."""
    for which in range(2):
        for c in range(3):
            work.record[which, i, c] = where
        work.record[which, i, 3] = work.record[which, i, 4] = 1.0
        work.record[which, i, 5] = work.record[which, i, 6] = work.record[which, i, 7] = 0.0


@part
def stand_ghost(work: Any) -> Any:
    """Put the ghost that fills up lists behind the last lane."""
    _stand_by(work, len(work.order), 2.0 * _OUTSIDE)


@part
def _gather_cell(bodies: Any, work: Any, settings: Any, block: Any, lane: Any) -> Any:
    """Copy one cell; return whether its numbers are finite."""
    i = block * LANES + lane
    s, real = work.order[i], work.record.dtype.type
    total = 0.0  # not finite if one of the numbers is not
    for c in range(3):
        work.position[block, c, lane] = bodies.position[s, c]
        work.velocity[block, c, lane] = bodies.velocity[s, c]
        moves = bodies.drive[s] != 0.0 and not (settings.is_flat and c == 2)
        drive = real(bodies.drive[s]) * real(bodies.heading[s, c]) if moves else real(0.0)
        work.motile[block, c, lane] = drive
        work.record[0, i, c] = real(bodies.position[s, c] - settings.center[c])
        total += abs(bodies.velocity[s, c]) + abs(drive) + abs(bodies.bias[s, c])
    work.mobility[block, lane] = bodies.mobility[s]
    work.turn[block, lane] = bodies.turn[s] if bodies.drive[s] != 0.0 else _NEVER
    work.next_turn[block] = min(work.next_turn[block], work.turn[block, lane])
    radius, reach = max(bodies.radius[s], real(1e-6)), max(bodies.reach[s], real(1e-6))
    work.record[0, i, 3], work.record[0, i, 4] = radius, reach
    work.record[0, i, 5], work.record[0, i, 6] = bodies.repulsion[s], bodies.adhesion[s]
    work.record[0, i, 7] = max(radius, reach)
    work.record[1, i] = work.record[0, i]
    total += abs(bodies.repulsion[s]) + abs(bodies.adhesion[s]) + abs(bodies.mobility[s])
    return math.isfinite(total) and bodies.persistence[s] >= 0.0


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
def list_block(work: Any, settings: Any, current: Any, worker: Any, block: Any) -> Any:
    """Neighbours of the cells of a block; return the most of one cell."""
    record, found = work.record[current], work.row[worker]
    counts, most = np.zeros(LANES, np.int64), np.int64(0)
    for lane in range(LANES):
        i = block * LANES + lane
        if i < settings.cells:
            counts[lane] = _search(
                work.column, work.place, work.starts, settings.grid, settings.is_vector,
                record[i], i, settings.skin, found[lane],
            )  # fmt: skip
            most = max(most, counts[lane])
    if most > found.shape[1] - LANES:
        return most
    top = fetch_add(work.shared, CLAIMED, most)
    work.offset[block], work.rows[block] = top, most
    if top + most <= len(work.neighbours):
        _lay_out(found, counts, len(work.order), work.neighbours[top : top + most])
    return most


@part
def _lay_out(found: Any, counts: Any, ghost: Any, rows: Any) -> Any:
    """Neighbours of each cell in a lane of its own, filled up with the ghost."""
    for lane in range(LANES):
        for k in range(counts[lane]):
            rows[k, lane] = found[lane, k]
        for k in range(counts[lane], len(rows)):
            rows[k, lane] = ghost


@part
def _search(
    column: Any, place: Any, starts: Any, grid: Any, is_vector: Any, mine: Any, i: Any, skin: Any,
    found: Any,
) -> Any:  # fmt: skip
    """Cells that may matter to one before the list is made anew, in order of bins."""
    count, most = np.int64(0), found.size - LANES
    x, y, z = mine[0], mine[1], mine[2]
    far = mine[7] + mine.dtype.type(skin)
    ix, iy, iz = column_of(grid, x, y, z)
    for which in range(9):
        row = row_of(grid, iy, iz, which)
        if row < 0:
            continue
        for half in range(2):
            first, last = stretch(grid, starts, row, ix, half)
            if is_vector:
                free = min(count, most)
                end = search_row(
                    column, place, np.int64(first), np.int64(last), x, y, z, far, np.int32(i),
                    found[free:], np.int64(0),
                )  # fmt: skip
                count += end
                continue
            for p in range(first, last):
                dx, dy, dz = x - column[0, p], y - column[1, p], z - column[2, p]
                limit = far + column[3, p]
                if dx * dx + dy * dy + dz * dz < limit * limit and place[p] != i:
                    if count < most:
                        found[count] = place[p]
                    count += 1
    return count


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
    now, before = 1.5 * settings.dt, -0.5 * settings.dt
    center, is_last = settings.center, step == settings.first + settings.steps - 1
    farthest = 0.0
    force[:2] = 0.0
    if settings.is_vector:
        step_groups(
            old, new, work.neighbours, work.offset, work.rows, work.position, work.velocity,
            work.motile, work.origin_of_list, work.mobility, work.pressure, work.met, force,
            center[0], center[1], center[2], now, before, settings.is_flat, is_last,
            begin * GROUPS, end * GROUPS,
        )  # fmt: skip
        farthest = np.float64(force[0].max())
    if not settings.is_vector or force[1, 0] != 0.0:
        for group in range(begin * GROUPS, end * GROUPS):
            if settings.is_vector and work.met[group] == 0:
                continue
            work.met[group] = 0
            square = _step_plainly(bodies, work, settings, old, new, force, group)
            farthest = max(farthest, np.float64(square))
    return farthest


@part
def _step_plainly(
    bodies: Any, work: Any, settings: Any, old: Any, new: Any, force: Any, group: Any
) -> Any:
    """Push and move a few cells of a block; return their largest squared displacement."""
    block, lane = group // GROUPS, group % GROUPS * WIDTH
    block_forces(
        old, work.neighbours, work.offset[block], work.rows[block], len(work.order),
        block * LANES, lane, lane + WIDTH, bodies.identity, work.order, settings.is_flat, force,
    )  # fmt: skip
    return _integrate(
        new, work.position[block], work.velocity[block], work.motile[block],
        work.mobility[block], work.origin_of_list[block], work.pressure[block], force,
        settings.center, settings.dt, settings.is_flat, block * LANES, lane, lane + WIDTH,
    )  # fmt: skip


@part
def _integrate(
    new: Any, position: Any, velocity: Any, motile: Any, mobility: Any, origin: Any, pressure: Any,
    force: Any, center: Any, dt: Any, is_flat: Any, cell: Any, begin: Any, end: Any,
) -> Any:  # fmt: skip
    """Second-order step of Adams and Bashforth for some lanes of a block."""
    real = new.dtype.type
    now, before = 1.5 * dt, -0.5 * dt
    farthest = real(0.0)
    for lane in range(begin, end):
        square = real(0.0)
        for c in range(3):
            v = (force[c, lane] + motile[c, lane]) * mobility[lane]
            if c == 2 and is_flat:
                v = real(0.0)
            x = position[c, lane] + (now * v + before * velocity[c, lane])
            position[c, lane], velocity[c, lane] = x, v
            coordinate = real(x - center[c])
            new[cell + lane, c] = coordinate
            moved = coordinate - origin[c, lane]
            square += moved * moved
        pressure[lane] = force[3, lane]
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
