"""Forces and steps as vector code: the same operations as in ``forces.py``, several cells at once.

Neighbours' records lie in memory one after the other, 32 bytes each. A vector of one coordinate of
eight neighbours is made by loading their records and transposing them in registers, which takes a
fraction of the time that gathering numbers one by one would.

Machine code is kept by ``unmoor.compilation``, which looks for changes of this text too.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types

from unmoor.tissue.forces import FIELDS, LANES
from unmoor.tissue.sharing import intrinsic
from unmoor.tissue.vector_code import DOUBLES, FLOAT, FLOATS, INT, LONG, WIDTH, Writer


def _pair(w: Writer, mine: list[Any], other: list[Any]) -> tuple[list[Any], Any]:
    """What ``forces.pair`` says, for a vector of pairs.

    Returns strength, distances along x, y and z, squared overlap; and the squared distance.
    """
    b = w.b
    away = [b.fsub(mine[c], other[c]) for c in range(3)]
    square = b.fmul(away[0], away[0])
    for d in away[1:]:
        square = w.fused(d, d, square)
    touch, hold = b.fadd(mine[3], other[3]), b.fadd(mine[4], other[4])
    product = b.fmul(touch, hold)
    inverse = b.fdiv(w.one, b.fmul(product, w.root(square)))
    share = b.fneg(b.fmul(inverse, square))
    push = w.larger(w.fused(share, hold, w.one), w.zero)
    push = b.fmul(push, push)
    pull = w.larger(w.fused(share, touch, w.one), w.zero)
    pull = b.fmul(pull, pull)
    pulled = b.fneg(b.fmul(b.fmul(mine[6], other[6]), pull))
    strength = w.fused(b.fmul(mine[5], other[5]), push, pulled)
    strength = b.fmul(strength, b.fmul(inverse, product))
    return [strength, *away, push], square


def _sum_of_pairs(w: Writer, record: Any, mine: list[Any], rows: Any, count: Any) -> list[Any]:
    """Forces and pressure of a vector of cells, and their smallest squared distance."""

    def body(k: Any, held: list[Any]) -> list[Any]:
        lanes = [
            w.b.zext(w.b.load(w.at(rows, (k, LANES), (w.number(lane), 1))), LONG)
            for lane in range(WIDTH)
        ]
        (strength, *away, push), square = _pair(w, mine, w.records(record, lanes))
        sums = [w.fused(strength, d, total) for d, total in zip(away, held[:3], strict=True)]
        sums.append(w.b.fadd(held[3], push))
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
        self.count = w.b.sext(w.b.load(w.at(counts, (group, 1))), LONG)
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
    mobility = w.load(FLOATS, at.mobility, 4)
    squares, coordinates = [], []
    for c, (position, velocity, motile, origin) in enumerate(at.columns):
        v = b.fmul(b.fadd(sums[c], w.load(FLOATS, motile, 4)), mobility)
        if c == 2:
            v = b.select(is_flat, w.zero, v)
        ahead = b.fmul(w.spread(now, DOUBLES), b.fpext(v, DOUBLES))
        old = b.fpext(w.load(FLOATS, velocity, 4), DOUBLES)
        step = b.fadd(ahead, b.fmul(w.spread(before, DOUBLES), old))
        x = b.fadd(w.load(DOUBLES, position, 8), step)
        w.store(x, position, 8)
        w.store(v, velocity, 4)
        coordinates.append(b.fptrunc(b.fsub(x, w.spread(center[c], DOUBLES)), FLOATS))
        moved = b.fsub(coordinates[c], w.load(FLOATS, origin, 4))
        squares.append(b.fmul(moved, moved))
    total = b.fadd(b.fadd(squares[0], squares[1]), squares[2])
    w.store(w.larger(total, w.load(FLOATS, at.force, 4)), at.force, 4)
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
            b.store(ir.Constant(INT, 1), w.at(at.met, (group, 1)))
            b.store(ir.Constant(FLOAT, 1.0), w.at(at.force, (w.number(LANES), 1)))
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
