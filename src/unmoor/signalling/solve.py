"""Advance networks in time: one stiff stepper for every network.

Everything about a step is generated for each network (``codegen``, ``step_code``); what is here
only fills workspaces. Each cell of a block has its own steps, so its numbers depend on nothing but
the cell.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from unmoor.compilation import kernel, part

SOLVED, NOT_FINITE, TOO_MANY_STEPS = 0, 1, 2
LANES = 8  # cells of a block; here because kernels are stored by the text of their files

FloatArray = npt.NDArray[np.float64]
IntegerArray = npt.NDArray[np.int64]


class Blocks(NamedTuple):
    """All blocks of eight cells.

    ``state`` (blocks, species, 8), ``parameters`` and ``inputs`` likewise, ``step`` (blocks, 1, 8),
    ``status`` (blocks,), ``readouts`` (blocks, readouts, 8).
    """

    state: FloatArray
    parameters: FloatArray
    inputs: FloatArray
    step: FloatArray
    status: IntegerArray
    readouts: FloatArray


class Code(NamedTuple):
    """Addresses of the functions of a network, in the order of ``machine_code.FUNCTIONS``."""

    prepare: int
    slopes: int
    step: int
    readouts: int
    rates: int
    advance: int
    advance_first: int


class Places(NamedTuple):
    """First slots that are filled and read here (``codegen.Layout``)."""

    species: int
    parameters: int
    inputs: int
    readouts: int
    base: int
    tolerance: int
    time: int
    end: int
    step: int
    status: int
    tries: int
    size: int


class Machine(NamedTuple):
    """Code of a network, places in the workspace, tolerances, and the least a species can be."""

    code: Code
    places: Places
    tolerance: FloatArray
    lowest: float


def _call_at(typing: Any, address: Any, workspace: Any) -> Any:
    """Call machine code at an address with the workspace's data pointer."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[1])(context, builder, arguments[1])
        kind = ir.FunctionType(ir.VoidType(), [array.data.type])
        builder.call(builder.inttoptr(arguments[0], kind.as_pointer()), [array.data])
        return context.get_dummy_value()

    return types.void(types.int64, workspace), build


_call: Any = intrinsic(_call_at)


@part
def _fill(w: FloatArray, slot: int, value: float) -> None:
    for k in range(LANES):
        w[slot * LANES + k] = value


@part
def _put(numbers: FloatArray, block: int, w: FloatArray, slot: int) -> None:
    for s in range(numbers.shape[1]):
        for k in range(LANES):
            w[(slot + s) * LANES + k] = numbers[block, s, k]


@part
def _get(numbers: FloatArray, block: int, w: FloatArray, slot: int) -> None:
    for s in range(numbers.shape[1]):
        for k in range(LANES):
            numbers[block, s, k] = w[(slot + s) * LANES + k]


@part
def _raise(state: FloatArray, lowest: float) -> None:
    """Lift what an error within the tolerance has put below the least a species can be."""
    for s in range(state.shape[0]):
        for k in range(state.shape[1]):
            if state[s, k] < lowest:
                state[s, k] = lowest


@part
def load_block(block: int, blocks: Blocks, machine: Machine, w: FloatArray) -> None:
    """Put into a workspace what is the same in all intervals of a block."""
    at = machine.places
    for s in range(machine.tolerance.size):
        _fill(w, at.tolerance + s, machine.tolerance[s])
    _put(blocks.parameters, block, w, at.parameters)


@part
def advance_block(block: int, blocks: Blocks, hours: float, machine: Machine, w: FloatArray) -> int:
    """Advance one block of eight cells, loaded into the workspace. Returns the steps tried."""
    code, at = machine.code, machine.places
    _put(blocks.state, block, w, at.species)
    _put(blocks.state, block, w, at.base)
    _put(blocks.inputs, block, w, at.inputs)
    _put(blocks.step, block, w, at.step)
    _fill(w, at.time, 0.0)
    _fill(w, at.end, hours)
    _fill(w, at.status, 0.0)
    _fill(w, at.tries, 0.0)
    _call(code.prepare, w)
    _call(code.advance, w)
    _get(blocks.step, block, w, at.step)
    _get(blocks.state, block, w, at.base)
    _raise(blocks.state[block], machine.lowest)
    _put(blocks.state, block, w, at.species)
    _call(code.readouts, w)
    _get(blocks.readouts, block, w, at.readouts)
    worst, tries = 0.0, 0.0
    for k in range(LANES):
        worst = max(worst, w[at.status * LANES + k])
        tries += w[at.tries * LANES + k]
    blocks.status[block] = int(worst)
    return int(tries)


@kernel
def advance(blocks: Blocks, hours: float, machine: Machine) -> int:
    """Advance all blocks by ``hours`` under constant inputs. Returns the steps that cells tried."""
    w = np.zeros(machine.places.size * LANES)
    total = 0
    for block in range(blocks.state.shape[0]):
        if blocks.status[block] == SOLVED:
            load_block(block, blocks, machine, w)
            total += advance_block(block, blocks, hours, machine, w)
    return total


class Lanes(NamedTuple):
    """What each lane of the workspace is at: its cell (−1: none) and the next of its times."""

    cell: IntegerArray
    point: IntegerArray


@part
def _place(cell: int, clones: int) -> tuple[int, int]:
    """Block and column of a cell; the clones of a subject fill its blocks from the first on."""
    width = -(-clones // LANES)
    subject, clone = cell // clones, cell % clones
    return subject * width + clone // LANES, clone % LANES


@part
def _take_up(
    lane: int, block: int, column: int, blocks: Blocks, end: float, at: Places, w: FloatArray
) -> None:
    """Put a cell into a lane, at time 0 of an interval."""
    for numbers, slot in (
        (blocks.state, at.species),
        (blocks.state, at.base),
        (blocks.parameters, at.parameters),
        (blocks.inputs, at.inputs),
        (blocks.step, at.step),
    ):
        for s in range(numbers.shape[1]):
            w[(slot + s) * LANES + lane] = numbers[block, s, column]
    w[at.time * LANES + lane], w[at.end * LANES + lane] = 0.0, end
    w[at.status * LANES + lane] = w[at.tries * LANES + lane] = 0.0


@part
def _note(
    lane: int, lanes: Lanes, times: FloatArray, at: Places, w: FloatArray, states: FloatArray
) -> bool:
    """Note the state of a lane that has come to the next of its times; whether it is done."""
    cell, point = lanes.cell[lane], lanes.point[lane]
    for s in range(states.shape[2]):
        states[cell, point, s] = w[(at.base + s) * LANES + lane]
    if w[at.status * LANES + lane] != SOLVED:
        states[cell, point:] = np.nan
        return True
    lanes.point[lane] += 1
    if lanes.point[lane] == times.size:
        return True
    w[at.end * LANES + lane] = times[point + 1]
    return False


@part
def _lay_down(
    lane: int, block: int, column: int, blocks: Blocks, at: Places, w: FloatArray
) -> None:
    """Put a lane's numbers back to its cell."""
    for s in range(blocks.state.shape[1]):
        blocks.state[block, s, column] = w[(at.base + s) * LANES + lane]
    blocks.step[block, 0, column] = w[at.step * LANES + lane]
    status = int(w[at.status * LANES + lane])
    blocks.status[block] = max(blocks.status[block], status)


@kernel
def follow(
    blocks: Blocks, clones: int, times: FloatArray, machine: Machine, states: FloatArray
) -> int:
    """Advance all cells to the last of ``times`` under constant inputs, noting their states.

    A lane of the workspace that is done with its cell takes up the next, so that no cell waits for
    a slower one. Returns the steps that cells tried.

    Parameters
    ----------
    clones
        Cells of a subject.
    times
        Increasing times from now [h], shape (times,).
    states
        Where states go, shape (cells, times, species); NaN from where a cell fails.
    """
    code, at = machine.code, machine.places
    w = np.zeros(at.size * LANES)
    for s in range(machine.tolerance.size):
        _fill(w, at.tolerance + s, machine.tolerance[s])
    lanes = Lanes(np.full(LANES, -1), np.zeros(LANES, dtype=np.int64))
    before, waiting, tries, is_busy = blocks.status.copy(), 0, 0.0, True
    while is_busy:
        is_busy, is_new = False, False
        for lane in range(LANES):
            cell = lanes.cell[lane]
            if cell >= 0 and w[at.time * LANES + lane] >= w[at.end * LANES + lane]:
                tries += w[at.tries * LANES + lane]
                w[at.tries * LANES + lane] = 0.0
                point = lanes.point[lane]
                is_done = _note(lane, lanes, times, at, w, states)
                _raise(states[cell, point : point + 1], machine.lowest)
                if is_done:
                    block, column = _place(cell, clones)
                    _lay_down(lane, block, column, blocks, at, w)
                    lanes.cell[lane] = -1
            if lanes.cell[lane] < 0 and waiting < states.shape[0]:
                lanes.cell[lane], lanes.point[lane], is_new = waiting, 0, True
                block, column = _place(waiting, clones)
                _take_up(lane, block, column, blocks, times[0], at, w)
                if before[block] != SOLVED:  # it goes no further
                    w[at.status * LANES + lane] = before[block]
                    w[at.time * LANES + lane] = times[0]
                waiting += 1
            is_busy = is_busy or lanes.cell[lane] >= 0
        if is_new:
            _call(code.prepare, w)
        _call(code.advance_first, w)
    return int(tries)


@kernel
def read(
    blocks: Blocks, clones: int, states: FloatArray, machine: Machine, readouts: FloatArray
) -> None:
    """Readouts of noted states (see ``follow``), shape (cells, times, readouts)."""
    code, at = machine.code, machine.places
    w = np.zeros(at.size * LANES)
    for first in range(0, states.shape[0], LANES):
        count = min(LANES, states.shape[0] - first)
        for lane in range(count):
            block, column = _place(first + lane, clones)
            _take_up(lane, block, column, blocks, 0.0, at, w)
        _call(code.prepare, w)
        for point in range(states.shape[1]):
            for lane in range(count):
                for s in range(states.shape[2]):
                    w[(at.species + s) * LANES + lane] = states[first + lane, point, s]
            _call(code.readouts, w)
            for lane in range(count):
                for r in range(readouts.shape[2]):
                    readouts[first + lane, point, r] = w[(at.readouts + r) * LANES + lane]
