"""Forces and steps as vector code: the same operations as in ``forces.py``, several cells at once.

Code is written in LLVM's own language with vectors of fixed width, which it maps to whatever the
processor has. No relaxed arithmetic: sums keep their order, quotients and roots are exact, and
products are not fused with sums, so neither the processor nor the width changes a bit.

Neighbours' records lie in memory one after the other, 32 bytes each. A vector of one coordinate of
eight neighbours is made by loading their records and transposing them in registers, which takes a
fraction of the time that gathering numbers one by one would.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir
from numba import types

from unmoor.tissue.forces import FIELDS, LANES
from unmoor.tissue.sharing import intrinsic

_HAS = llvm.get_host_cpu_features()
WIDTH = 16 if _HAS.get("avx512f") else 8  # cells of a vector
GROUPS = LANES // WIDTH  # vectors of a block

_FLOAT, _DOUBLE = ir.FloatType(), ir.DoubleType()
_INT, _LONG = ir.IntType(32), ir.IntType(64)
_QUARTER = ir.VectorType(_FLOAT, 4)
_FLOATS, _DOUBLES = ir.VectorType(_FLOAT, WIDTH), ir.VectorType(_DOUBLE, WIDTH)


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
            ir.Constant(_FLOATS, [0.0] * WIDTH),
            ir.Constant(_FLOATS, [1.0] * WIDTH),
        )

    def number(self, value: int) -> Any:
        """A whole number of 64 bits."""
        return ir.Constant(_LONG, value)

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
        mask = ir.Constant(ir.VectorType(_INT, len(lanes)), list(lanes))
        return self.b.shuffle_vector(a, b, mask)

    def spread(self, value: Any, kind: Any) -> Any:
        """The same number in each lane."""
        none = ir.Constant(kind, ir.Undefined)
        lane = self.b.insert_element(none, value, ir.Constant(_INT, 0))
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
        kind = ir.FunctionType(_FLOATS, [_FLOATS])
        return self.b.call(self.outside(f"llvm.sqrt.v{WIDTH}f32", kind), [a])

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
                self.load(_QUARTER, self.at(data, (begin, 1), (self.number(half), 1)), 16)
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
        index = self.b.phi(_LONG)
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


def _pair(w: Writer, mine: list[Any], other: list[Any]) -> tuple[list[Any], Any]:
    """What ``forces.pair`` says, for a vector of pairs: the summands, and the squared distances."""
    b = w.b
    away = [b.fsub(mine[c], other[c]) for c in range(3)]
    squares = [b.fmul(d, d) for d in away]
    square = b.fadd(b.fadd(squares[0], squares[1]), squares[2])
    touch, hold = b.fadd(mine[3], other[3]), b.fadd(mine[4], other[4])
    product = b.fmul(touch, hold)
    inverse = b.fdiv(w.one, b.fmul(product, w.root(square)))
    share = b.fmul(inverse, square)
    push = w.larger(b.fsub(w.one, b.fmul(share, hold)), w.zero)
    push = b.fmul(push, push)
    pull = w.larger(b.fsub(w.one, b.fmul(share, touch)), w.zero)
    pull = b.fmul(pull, pull)
    repulsion, adhesion = b.fmul(mine[5], other[5]), b.fmul(mine[6], other[6])
    strength = b.fmul(
        b.fsub(b.fmul(repulsion, push), b.fmul(adhesion, pull)), b.fmul(inverse, product)
    )
    return [*(b.fmul(strength, d) for d in away), push], square


def _sum_of_pairs(w: Writer, record: Any, mine: list[Any], rows: Any, count: Any) -> list[Any]:
    """Forces and pressure of a vector of cells, and their smallest squared distance."""

    def body(k: Any, held: list[Any]) -> list[Any]:
        lanes = [
            w.b.zext(w.b.load(w.at(rows, (k, LANES), (w.number(lane), 1))), _LONG)
            for lane in range(WIDTH)
        ]
        summands, square = _pair(w, mine, w.records(record, lanes))
        sums = [w.b.fadd(a, b) for a, b in zip(held[:4], summands, strict=True)]
        nearest = w.b.select(w.b.fcmp_ordered("<", square, held[4]), square, held[4])
        return [*sums, nearest]

    return w.loop(w.number(0), count, [w.zero] * 4 + [w.one], body)


class _Group:
    """Where the numbers of one vector of cells lie."""

    def __init__(self, w: Writer, arrays: list[Any], group: Any) -> None:
        (
            record,
            self.new,
            rows,
            offset,
            counts,
            *columns,
            mobility,
            pressure,
            self.met,
            self.force,
        ) = arrays
        first = w.b.mul(group, w.number(WIDTH))
        block = w.b.lshr(first, w.number(LANES.bit_length() - 1))
        lane = w.b.and_(first, w.number(LANES - 1))
        self.record, self.group = record, group
        self.records = [
            w.b.mul(w.b.add(first, w.number(i)), w.number(FIELDS)) for i in range(WIDTH)
        ]
        top = w.b.load(w.at(offset, (block, 1)))
        self.rows = w.at(rows, (top, LANES), (lane, 1))
        self.count = w.b.sext(w.b.load(w.at(counts, (group, 1))), _LONG)
        self.columns = [
            [
                w.at(column, (block, 3 * LANES), (w.number(c), LANES), (lane, 1))
                for column in columns
            ]
            for c in range(3)
        ]
        self.mobility, self.pressure = (w.at(x, (first, 1)) for x in (mobility, pressure))


def _integrate(w: Writer, at: _Group, sums: list[Any], radius: Any, numbers: list[Any]) -> None:
    """What ``stepping.integrate`` does, for a vector of cells."""
    b = w.b
    *center, now, before, is_flat, _ = numbers
    mobility = w.load(_FLOATS, at.mobility, 4)
    squares, coordinates = [], []
    for c, (position, velocity, motile, origin) in enumerate(at.columns):
        v = b.fmul(b.fadd(sums[c], w.load(_FLOATS, motile, 4)), mobility)
        if c == 2:
            v = b.select(is_flat, w.zero, v)
        ahead = b.fmul(w.spread(now, _DOUBLES), b.fpext(v, _DOUBLES))
        old = b.fpext(w.load(_FLOATS, velocity, 4), _DOUBLES)
        step = b.fadd(ahead, b.fmul(w.spread(before, _DOUBLES), old))
        x = b.fadd(w.load(_DOUBLES, position, 8), step)
        w.store(x, position, 8)
        w.store(v, velocity, 4)
        coordinates.append(b.fptrunc(b.fsub(x, w.spread(center[c], _DOUBLES)), _FLOATS))
        moved = b.fsub(coordinates[c], w.load(_FLOATS, origin, 4))
        squares.append(b.fmul(moved, moved))
    total = b.fadd(b.fadd(squares[0], squares[1]), squares[2])
    w.store(w.larger(total, w.load(_FLOATS, at.force, 4)), at.force, 4)
    for i, quad in enumerate(w.transposed([*coordinates, radius])):
        for group in range(WIDTH // 4):
            row = w.shuffle(quad, quad, range(4 * group, 4 * group + 4))
            w.store(row, w.at(at.new, (at.records[4 * group + i], 1)), 16)


def _step_group(w: Writer, arrays: list[Any], numbers: list[Any], group: Any) -> None:
    """Forces on a vector of cells and their step, unless one of them coincides with another."""
    b, at = w.b, _Group(w, arrays, group)
    mine = w.records(at.record, at.records)
    *sums, nearest = _sum_of_pairs(w, at.record, mine, at.rows, at.count)
    met = b.fcmp_ordered("==", nearest, w.zero)
    any_met = b.icmp_unsigned(
        "!=", b.bitcast(met, ir.IntType(WIDTH)), ir.Constant(ir.IntType(WIDTH), 0)
    )
    with b.if_else(any_met) as (yes, no):
        with yes:
            b.store(ir.Constant(_INT, 1), w.at(at.met, (group, 1)))
            b.store(ir.Constant(_FLOAT, 1.0), w.at(at.force, (w.number(LANES), 1)))
        with no:
            _integrate(w, at, sums[:3], mine[3], numbers)
            with b.if_then(numbers[-1]):
                w.store(sums[3], at.pressure, 4)


@intrinsic
def step_groups(  # type: ignore[no-untyped-def]
    _typing, old, new, rows, offset, counts, position, velocity, motile, origin, mobility, pressure,
    met, force, x, y, z, now, before, is_flat, is_last, first, last,
):  # fmt: skip
    """Step vectors ``first`` to ``last`` of cells whose turns are done.

    Row 0 of ``force`` must be 0 and receives squared displacements; where cells coincide, nothing
    is done but ``met`` of the vector and the first number of row 1 of ``force`` are set to 1.
    """
    arrays = (
        old, new, rows, offset, counts, position, velocity, motile, origin, mobility, pressure, met,
        force,
    )  # fmt: skip
    reals = (types.float64,) * 5
    signature = types.void(*arrays, *reals, types.boolean, types.boolean, types.int64, types.int64)

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        if old.dtype == types.float32:
            w = Writer(builder, sig.args, context, args)
            numbers = [*args[len(arrays) : -4], *(w.truth(flag) for flag in args[-4:-2])]

            def body(group: Any, _: list[Any]) -> list[Any]:
                _step_group(w, w.arrays, numbers, group)
                return []

            w.loop(args[-2], args[-1], [], body)
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def search_row(  # type: ignore[no-untyped-def]
    _typing, column, place, first, last, x, y, z, far, me, found, count, most
):
    """Append those of a stretch of cells that may matter to one; return how many it has then.

    Does for several at once what ``stepping._search`` does one by one. At most ``most`` are kept;
    whole vectors are written, so the array must be one vector longer than that.
    """
    signature = types.int64(
        column, place, types.int64, types.int64, *(types.float32,) * 4, types.int32, found,
        types.int64, types.int64,
    )  # fmt: skip

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        if column.dtype != types.float32:
            return args[-2]
        return _search_row(Writer(builder, sig.args, context, args), sig, args, context)

    return signature, generate


def _squeezed(w: Writer, cells: Any, near: Any) -> Any:
    """Chosen lanes moved to the front, in their order."""
    ints, b = cells.type, w.b
    if WIDTH != 8 or not _HAS.get("avx2"):
        kind = ir.FunctionType(ints, [ints, near.type, ints])
        squeeze = w.outside(f"llvm.experimental.vector.compress.v{WIDTH}i32", kind)
        return b.call(squeeze, [cells, near, ir.Constant(ints, ir.Undefined)])
    # LLVM goes through memory here; a table of where lanes come from is several times faster.
    name, table = "unmoor.lanes_to_front", ir.ArrayType(_LONG, 256)
    constant = b.module.globals.get(name)
    if constant is None:
        rows = [[lane for lane in range(8) if bits >> lane & 1] for bits in range(256)]
        constant = ir.GlobalVariable(b.module, table, name)
        constant.linkage, constant.global_constant = "internal", True
        constant.initializer = ir.Constant(
            table, [int.from_bytes(bytes(row + [0] * (8 - len(row))), "little") for row in rows]
        )
    which = b.zext(b.bitcast(near, ir.IntType(8)), _LONG)
    packed = b.load(b.gep(constant, [w.number(0), which]))
    lanes = b.zext(b.bitcast(packed, ir.VectorType(ir.IntType(8), 8)), ints)
    kind = ir.FunctionType(ints, [ints, ints])
    return b.call(w.outside("llvm.x86.avx2.permd", kind), [cells, lanes])


def _search_row(w: Writer, sig: Any, args: Any, context: Any) -> Any:
    b, (columns, place, found) = w.b, w.arrays
    shape = context.make_array(sig.args[0])(context, b, args[0]).shape
    stride = b.extract_value(shape, 1)
    mine = [w.spread(value, _FLOATS) for value in args[4:8]]
    ints = ir.VectorType(_INT, WIDTH)
    me, last = w.spread(args[8], ints), w.spread(b.trunc(args[3], _INT), ints)
    lanes = ir.Constant(ints, list(range(WIDTH)))
    bits = ir.IntType(WIDTH)
    count_bits = w.outside(f"llvm.ctpop.i{WIDTH}", ir.FunctionType(bits, [bits]))

    def body(step: Any, held: list[Any]) -> list[Any]:
        begin = b.add(args[2], b.mul(step, w.number(WIDTH)))
        other = [
            w.load(_FLOATS, b.gep(columns, [b.add(b.mul(stride, w.number(c)), begin)]), 4)
            for c in range(4)
        ]
        away = [b.fsub(mine[c], other[c]) for c in range(3)]
        squares = [b.fmul(d, d) for d in away]
        square = b.fadd(b.fadd(squares[0], squares[1]), squares[2])
        limit = b.fadd(mine[3], other[3])
        cells = w.load(ints, b.gep(place, [begin]), 4)
        index = b.add(w.spread(b.trunc(begin, _INT), ints), lanes)
        near = b.and_(
            b.fcmp_ordered("<", square, b.fmul(limit, limit)),
            b.and_(b.icmp_signed("<", index, last), b.icmp_signed("!=", cells, me)),
        )
        free = b.select(b.icmp_signed("<", held[0], args[11]), held[0], args[11])
        w.store(_squeezed(w, cells, near), b.gep(found, [free]), 4)
        more = b.call(count_bits, [b.bitcast(near, bits)])
        return [b.add(held[0], b.zext(more, _LONG))]

    vectors = b.sdiv(b.add(b.sub(args[3], args[2]), w.number(WIDTH - 1)), w.number(WIDTH))
    return w.loop(w.number(0), vectors, [args[10]], body)[0]
