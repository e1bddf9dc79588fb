"""Work shared by threads that never wait for one that has not come.

Work goes in phases, a phase in chunks. A thread takes the next chunk by adding to a ticket; whoever
finishes the last chunk of a phase opens the next one. A thread that starts late or sleeps without a
chunk holds up no one, and one thread alone does everything, so nothing hangs on a single core,
after a fork, or where no second thread can be started.

The ticket is one 64-bit word, so that a thread sees a phase, its size and its chunk at once:
phase (32 bits), chunks (16), next chunk (16).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import extending, types

from unmoor.compilation import part

TICKET, DONE, CLAIMED = (
    0,
    8,
    16,
)  # places in the array of shared numbers, on cache lines of their own
MOST_CHUNKS = 4096
_PATIENCE = 200  # looks at the ticket before the core is offered to others


def intrinsic(function: Any) -> Any:
    """Make a function of kernels that is written in the compiler's own language."""
    return extending.intrinsic(function)


def _element(context: Any, builder: Any, kind: Any, array: Any, index: Any) -> Any:
    data = context.make_array(kind)(context, builder, array).data
    return builder.gep(data, [index])


@intrinsic
def borrowed(_typing: Any, arrays: Any) -> Any:
    """The same named arrays without counts of references, each change of which costs time.

    Whoever calls keeps the arrays alive.
    """

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        made = []
        for i, kind in enumerate(arrays.types):
            array = context.make_array(kind)(context, builder, builder.extract_value(args[0], i))
            array.meminfo = ir.Constant(array.meminfo.type, None)
            made.append(array._getvalue())
        return context.make_tuple(builder, sig.return_type, made)

    return arrays(arrays), generate


@intrinsic
def fetch_add(_typing: Any, numbers: Any, index: Any, value: Any) -> Any:
    """Add to a number in one piece; return what it was."""
    signature = types.int64(numbers, types.int64, types.int64)

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        pointer = _element(context, builder, sig.args[0], args[0], args[1])
        return builder.atomic_rmw("add", pointer, args[2], "seq_cst")

    return signature, generate


@intrinsic
def exchange(_typing: Any, numbers: Any, index: Any, value: Any) -> Any:
    """Set a number in one piece; all that was written before is seen by whoever reads it."""
    signature = types.int64(numbers, types.int64, types.int64)

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        pointer = _element(context, builder, sig.args[0], args[0], args[1])
        return builder.atomic_rmw("xchg", pointer, args[2], "seq_cst")

    return signature, generate


@intrinsic
def look(_typing: Any, numbers: Any, index: Any) -> Any:
    """Read a number in one piece."""
    signature = types.int64(numbers, types.int64)

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        pointer = _element(context, builder, sig.args[0], args[0], args[1])
        return builder.load_atomic(pointer, "seq_cst", 8)

    return signature, generate


@intrinsic
def fused(_typing: Any, a: Any, b: Any, c: Any) -> Any:
    """``a·b + c``, rounded once; where the processor cannot, its library of functions does it."""

    def generate(_context: Any, builder: Any, _sig: Any, args: Any) -> Any:
        return builder.fma(*args)

    return a(a, a, a), generate


@intrinsic
def offer_core(_typing: Any) -> Any:
    """Let another thread run (POSIX ``sched_yield``)."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        kind = ir.FunctionType(ir.IntType(32), [])
        module = builder.module
        found = module.globals.get("sched_yield")
        builder.call(found or ir.Function(module, kind, "sched_yield"), [])
        return context.get_dummy_value()

    return types.void(), generate


@part
def open_phase(shared: Any, chunks: Any) -> Any:
    """Begin the next phase; to be called by the thread that finished the phase before."""
    phase = (look(shared, TICKET) >> 32) + 1
    exchange(shared, DONE, np.int64(0))
    exchange(shared, TICKET, (phase << 32) | (np.int64(chunks) << 16))


@part
def take_chunk(shared: Any) -> Any:
    """Return the number of a chunk to do; -1 once a phase without chunks is open: all is done."""
    while True:
        word = look(shared, TICKET)
        chunks = (word >> 16) & 0xFFFF
        if chunks == 0:
            return np.int64(-1)
        if (word & 0xFFFF) < chunks:
            word = fetch_add(shared, TICKET, np.int64(1))
            chunks, chunk = (word >> 16) & 0xFFFF, word & 0xFFFF
            if chunks == 0:  # the last phase was opened between the look and the claim
                return np.int64(-1)
            if chunk < chunks:
                return chunk
        looks = 0
        while (look(shared, TICKET) >> 32) == (word >> 32):
            looks += 1
            if looks > _PATIENCE:
                offer_core()


@part
def finish_chunk(shared: Any) -> Any:
    """Say that a chunk is done; return whether it was the last of its phase."""
    chunks = (look(shared, TICKET) >> 16) & 0xFFFF
    return fetch_add(shared, DONE, np.int64(1)) + 1 == chunks
