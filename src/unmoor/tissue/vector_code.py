"""Writing vector code: LLVM's own language, with vectors of fixed width, from Python.

LLVM maps such vectors to whatever the processor has. No relaxed arithmetic: sums keep their order,
quotients and roots are exact, and a product is fused with a sum only where this code says so
(``fused``), so neither the processor nor the width changes a bit.

Machine code is kept by ``unmoor.compilation``, which looks for changes of this text too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir
from numba import types

from unmoor.tissue.forces import LANES

HAS = llvm.get_host_cpu_features()
WIDTH = 16 if HAS.get("avx512f") else 8  # cells of a vector
GROUPS = LANES // WIDTH  # vectors of a block

FLOAT, DOUBLE = ir.FloatType(), ir.DoubleType()
INT, LONG = ir.IntType(32), ir.IntType(64)
QUARTER = ir.VectorType(FLOAT, 4)
FLOATS, DOUBLES = ir.VectorType(FLOAT, WIDTH), ir.VectorType(DOUBLE, WIDTH)


class Writer:
    """Writes vector code into a function that Numba is making."""

    def __init__(
        self, builder: Any, kinds: Sequence[Any], context: Any, args: Sequence[Any]
    ) -> None:
        self.b = builder
        self._context = context
        self.arrays = [
            context.make_array(kind)(context, builder, arg).data
            for kind, arg in zip(kinds, args, strict=False)
            if isinstance(kind, types.Array)
        ]
        self.zero, self.one = (
            ir.Constant(FLOATS, [0.0] * WIDTH),
            ir.Constant(FLOATS, [1.0] * WIDTH),
        )

    def number(self, value: int) -> Any:
        """A whole number of 64 bits."""
        return ir.Constant(LONG, value)

    def at(self, data: Any, *terms: Any) -> Any:
        """Pointer to an element of an array, its index the sum of products given as pairs."""
        index = self.number(0)
        for value, scale in terms:
            index = self.b.add(index, self.b.mul(value, self.number(scale)))
        return self.b.gep(data, [index])

    def load(self, kind: Any, pointer: Any, align: int) -> Any:
        """Load a vector."""
        return self.b.load(self.b.bitcast(pointer, kind.as_pointer()), align=align)

    def store(self, value: Any, pointer: Any, align: int) -> None:
        """Store a vector."""
        self.b.store(value, self.b.bitcast(pointer, value.type.as_pointer()), align=align)

    def shuffle(self, a: Any, b: Any, lanes: Sequence[int]) -> Any:
        """Lanes of two vectors in another order."""
        mask = ir.Constant(ir.VectorType(INT, len(lanes)), list(lanes))
        return self.b.shuffle_vector(a, b, mask)

    def spread(self, value: Any, kind: Any) -> Any:
        """The same number in each lane."""
        none = ir.Constant(kind, ir.Undefined)
        lane = self.b.insert_element(none, value, ir.Constant(INT, 0))
        return self.shuffle(lane, none, [0] * kind.count)

    def joined(self, parts: list[Any]) -> Any:
        """Vectors of equal width one after the other."""
        while len(parts) > 1:
            lanes = range(2 * parts[0].type.count)
            parts = [
                self.shuffle(a, b, lanes) for a, b in zip(parts[::2], parts[1::2], strict=True)
            ]
        return parts[0]

    def larger(self, a: Any, b: Any) -> Any:
        """The larger in each lane."""
        return self.b.select(self.b.fcmp_ordered(">", a, b), a, b)

    def root(self, a: Any) -> Any:
        """Square root of each lane, exact."""
        kind = ir.FunctionType(FLOATS, [FLOATS])
        return self.b.call(self.outside(f"llvm.sqrt.v{WIDTH}f32", kind), [a])

    def fused(self, a: Any, b: Any, c: Any) -> Any:
        """``a·b + c``, rounded once."""
        kind = ir.FunctionType(FLOATS, [FLOATS] * 3)
        return self.b.call(self.outside(f"llvm.fma.v{WIDTH}f32", kind), [a, b, c])

    def outside(self, name: str, kind: Any) -> Any:
        """A function of LLVM itself."""
        module = self.b.module
        return module.globals.get(name) or ir.Function(module, kind, name)

    def truth(self, flag: Any) -> Any:
        """One bit of what Numba keeps in eight."""
        return self.b.icmp_unsigned("!=", flag, ir.Constant(flag.type, 0))

    def transposed(self, quads: list[Any]) -> list[Any]:
        """Four vectors of four-lane rows turned within each group of four lanes."""
        groups = range(0, quads[0].type.count, 4)
        width = quads[0].type.count

        def pick(a: Any, b: Any, lanes: Sequence[int]) -> Any:
            chosen = [g + x % 4 + (width if x >= 4 else 0) for g in groups for x in lanes]
            return self.shuffle(a, b, chosen)

        low = [pick(quads[i], quads[i + 1], (0, 4, 1, 5)) for i in (0, 2)]
        high = [pick(quads[i], quads[i + 1], (2, 6, 3, 7)) for i in (0, 2)]
        return [
            pick(half[0], half[1], lanes)
            for half in (low, high)
            for lanes in ((0, 1, 4, 5), (2, 3, 6, 7))
        ]

    def records(self, data: Any, begins: list[Any]) -> list[Any]:
        """The eight numbers of as many records as a vector has lanes, a vector each."""
        columns = []
        for half in (0, 4):
            rows = [
                self.load(QUARTER, self.at(data, (begin, 1), (self.number(half), 1)), 16)
                for begin in begins
            ]
            columns += self.transposed([self.joined(rows[i::4]) for i in range(4)])
        return columns

    def loop(
        self, first: Any, last: Any, carried: list[Any], body: Callable[..., list[Any]]
    ) -> list[Any]:
        """Numbers carried through a loop over ``first`` ≤ i < ``last``."""
        before = self.b.block
        inside = self.b.append_basic_block("loop")
        after = self.b.append_basic_block("after")
        self.b.cbranch(self.b.icmp_signed("<", first, last), inside, after)
        self.b.position_at_end(inside)
        index = self.b.phi(LONG)
        index.add_incoming(first, before)
        held = [self.b.phi(value.type) for value in carried]
        for phi, value in zip(held, carried, strict=True):
            phi.add_incoming(value, before)
        made = body(index, held)
        following = self.b.add(index, self.number(1))
        end = self.b.block
        index.add_incoming(following, end)
        for phi, value in zip(held, made, strict=True):
            phi.add_incoming(value, end)
        self.b.cbranch(self.b.icmp_signed("<", following, last), inside, after)
        self.b.position_at_end(after)
        results = [self.b.phi(value.type) for value in carried]
        for phi, start, value in zip(results, carried, made, strict=True):
            phi.add_incoming(start, before)
            phi.add_incoming(value, end)
        return results
