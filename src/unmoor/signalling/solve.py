"""Advance networks in time: one stiff stepper for every network.

The arithmetic of a step is generated for each network (``codegen``); what is here only chooses
the steps. The eight cells of a block share them, so a block's result depends on nothing but that
block.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from unmoor.compilation import kernel, part
from unmoor.signalling.codegen import LANES
from unmoor.signalling.rosenbrock import GAMMA

SOLVED, NOT_FINITE, TOO_MANY_STEPS = 0, 1, 2
_MAX_STEPS = 20_000

FloatArray = npt.NDArray[np.float64]
IntegerArray = npt.NDArray[np.int64]


class Blocks(NamedTuple):
    """All blocks of eight cells.

    ``state`` (blocks, species, 8), ``parameters`` and ``inputs`` likewise, ``step`` and ``status``
    (blocks,), ``readouts`` (blocks, readouts, 8).
    """

    state: FloatArray
    parameters: FloatArray
    inputs: FloatArray
    step: FloatArray
    status: IntegerArray
    readouts: FloatArray


class Machine(NamedTuple):
    """Code of a network: addresses of its functions, places in the workspace, tolerances."""

    functions: IntegerArray
    places: IntegerArray
    tolerance: FloatArray


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
def _norm(w: FloatArray, slot: int) -> float:
    """Error of the worst of the eight cells relative to the tolerance."""
    worst = 0.0
    for k in range(LANES):
        square = w[slot * LANES + k]
        if not square < 1e300:
            return math.inf
        worst = max(worst, square)
    return math.sqrt(worst)


@part
def _interval(
    w: FloatArray, machine: Machine, n: int, hours: float, h: float
) -> tuple[float, int, int]:
    """Advance the block in the workspace; returns the next step, the status and the tries."""
    functions, places = machine.functions, machine.places
    species, base = places[0] * LANES, places[4] * LANES
    time, tries, fresh = 0.0, 0, True
    while time < hours:
        tries += 1
        last = time + h * 1.0000001 >= hours
        used = hours - time if last else h
        if fresh:
            _call(functions[1], w)
        _fill(w, places[6], 1.0 / (used * GAMMA))
        _fill(w, places[7], 1.0 / used)
        _call(functions[2], w)
        error = _norm(w, places[8])
        fresh = error <= 1.0
        growth = 6.0 if error < 1e-4 else max(0.1, min(6.0, 0.9 * error**-0.25))
        if fresh:
            time = hours if last else time + used
            for i in range(n):
                w[base + i] = w[species + i]
        if not (last and fresh and growth * used < h):
            h = used * growth
        if h < 1e-8:
            return h, NOT_FINITE, tries
        if tries > _MAX_STEPS:
            return h, TOO_MANY_STEPS, tries
    return h, SOLVED, tries


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
def advance_block(block: int, blocks: Blocks, hours: float, machine: Machine, w: FloatArray) -> int:
    """Advance one block of eight cells; ``w`` is the workspace. Returns the steps tried."""
    functions, places = machine.functions, machine.places
    n = blocks.state.shape[1]
    for s in range(n + 1):
        _fill(w, places[5] + s, machine.tolerance[s])
    _put(blocks.state, block, w, places[0])
    _put(blocks.state, block, w, places[4])
    _put(blocks.parameters, block, w, places[1])
    _put(blocks.inputs, block, w, places[2])
    _call(functions[0], w)
    h, outcome, tries = _interval(w, machine, n * LANES, hours, blocks.step[block])
    blocks.step[block], blocks.status[block] = h, outcome
    _get(blocks.state, block, w, places[4])
    _put(blocks.state, block, w, places[0])
    _call(functions[3], w)
    _get(blocks.readouts, block, w, places[3])
    return tries


@kernel
def advance(blocks: Blocks, hours: float, machine: Machine) -> int:
    """Advance all blocks by ``hours`` under constant inputs. Returns the steps tried."""
    w = np.zeros(machine.places[9] * LANES)
    total = 0
    for block in range(blocks.state.shape[0]):
        if blocks.status[block] == SOLVED:
            total += advance_block(block, blocks, hours, machine, w)
    return total
