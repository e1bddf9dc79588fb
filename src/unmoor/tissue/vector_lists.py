"""Lists of neighbours as vector code: the same as in ``listing.py``, several candidates at once.

Machine code is kept by ``unmoor.compilation``, which looks for changes of this text too.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types

from unmoor.tissue.forces import FIELDS, LANES
from unmoor.tissue.sharing import intrinsic
from unmoor.tissue.vector_code import FLOATS, HAS, INT, LONG, WIDTH, Writer

TILE = 8  # rows and lanes that are transposed at once
_INTS = ir.VectorType(INT, WIDTH)


def _stride(context: Any, builder: Any, kind: Any, array: Any) -> Any:
    """Numbers in a row of an array."""
    return builder.extract_value(context.make_array(kind)(context, builder, array).shape, 1)


@intrinsic
def copy_run(  # type: ignore[no-untyped-def]
    _typing, column, place, first, last, near, who, count
):
    """Append a run of cells in order of bins to the candidates, of which there are ``count``.

    Whole vectors are read and written, so arrays must be a vector longer than what they hold.
    """
    signature = types.void(column, place, types.int64, types.int64, near, who, types.int64)

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        if column.dtype == types.float32:
            w = Writer(builder, sig.args, context, args)
            b, (columns, places, nears, names) = w.b, w.arrays
            from_stride, to_stride = (_stride(context, b, sig.args[i], args[i]) for i in (0, 4))

            def body(step: Any, _: list[Any]) -> list[Any]:
                ahead = b.mul(step, w.number(WIDTH))
                source, target = b.add(args[2], ahead), b.add(args[6], ahead)
                for c in range(4):
                    row = w.number(c)
                    pointer = b.gep(columns, [b.add(b.mul(from_stride, row), source)])
                    value = w.load(FLOATS, pointer, 4)
                    w.store(value, b.gep(nears, [b.add(b.mul(to_stride, row), target)]), 4)
                cells = w.load(_INTS, b.gep(places, [source]), 4)
                fields = ir.Constant(_INTS, [FIELDS] * WIDTH)
                w.store(b.mul(cells, fields), b.gep(names, [target]), 4)
                return []

            wide = b.add(b.sub(args[3], args[2]), w.number(WIDTH - 1))
            w.loop(w.number(0), b.sdiv(wide, w.number(WIDTH)), [], body)
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def search_near(  # type: ignore[no-untyped-def]
    _typing, near, who, candidates, x, y, z, far, me, found
):
    """Put those candidates that may matter to a cell into ``found``; return how many they are.

    Does for several at once what ``listing._search`` does one by one. Whole vectors are read and
    written, so arrays must be a vector longer than there are candidates.
    """
    signature = types.int64(
        near, who, types.int64, *(types.float32,) * 4, types.int32, found
    )  # fmt: skip

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        if near.dtype != types.float32:
            return ir.Constant(LONG, 0)
        stride = _stride(context, builder, sig.args[0], args[0])
        return _search(Writer(builder, sig.args, context, args), args, stride)

    return signature, generate


def _search(w: Writer, args: Any, stride: Any) -> Any:
    b, (nears, names, found) = w.b, w.arrays
    mine = [w.spread(value, FLOATS) for value in args[3:7]]
    me, bits = w.spread(args[7], _INTS), ir.IntType(WIDTH)
    count_bits = w.outside(f"llvm.ctpop.i{WIDTH}", ir.FunctionType(bits, [bits]))

    def body(step: Any, held: list[Any]) -> list[Any]:
        begin = b.mul(step, w.number(WIDTH))
        other = [
            w.load(FLOATS, b.gep(nears, [b.add(b.mul(stride, w.number(c)), begin)]), 4)
            for c in range(4)
        ]
        away = [b.fsub(mine[c], other[c]) for c in range(3)]
        square = b.fmul(away[0], away[0])
        for d in away[1:]:
            square = w.fused(d, d, square)
        limit = b.fadd(mine[3], other[3])
        cells = w.load(_INTS, b.gep(names, [begin]), 4)
        near = b.and_(
            b.fcmp_ordered("<", square, b.fmul(limit, limit)), b.icmp_signed("!=", cells, me)
        )
        w.store(_squeezed(w, cells, near), b.gep(found, [held[0]]), 4)
        more = b.call(count_bits, [b.bitcast(near, bits)])
        return [b.add(held[0], b.zext(more, LONG))]

    vectors = b.sdiv(b.add(args[2], w.number(WIDTH - 1)), w.number(WIDTH))
    return w.loop(w.number(0), vectors, [w.number(0)], body)[0]


def _squeezed(w: Writer, cells: Any, near: Any) -> Any:
    """Chosen lanes moved to the front, in their order."""
    ints, b = cells.type, w.b
    if WIDTH != 8 or not HAS.get("avx2"):
        kind = ir.FunctionType(ints, [ints, near.type, ints])
        squeeze = w.outside(f"llvm.experimental.vector.compress.v{WIDTH}i32", kind)
        return b.call(squeeze, [cells, near, ir.Constant(ints, ir.Undefined)])
    # LLVM goes through memory here; a table of where lanes come from is several times faster.
    name, table = "unmoor.lanes_to_front", ir.ArrayType(LONG, 256)
    constant = b.module.globals.get(name)
    if constant is None:
        rows = [[lane for lane in range(8) if bits >> lane & 1] for bits in range(256)]
        constant = ir.GlobalVariable(b.module, table, name)
        constant.linkage, constant.global_constant = "internal", True
        constant.initializer = ir.Constant(
            table, [int.from_bytes(bytes(row + [0] * (8 - len(row))), "little") for row in rows]
        )
    which = b.zext(b.bitcast(near, ir.IntType(8)), LONG)
    packed = b.load(b.gep(constant, [w.number(0), which]))
    lanes = b.zext(b.bitcast(packed, ir.VectorType(ir.IntType(8), 8)), ints)
    kind = ir.FunctionType(ints, [ints, ints])
    return b.call(w.outside("llvm.x86.avx2.permd", kind), [cells, lanes])


@intrinsic
def lay_tiles(  # type: ignore[no-untyped-def]
    _typing, found, rows, top, tall
):
    """Neighbours of each cell of a block, a row each, to a lane each of rows from ``top`` on.

    ``tall`` rows, a multiple of 8.
    """
    signature = types.void(found, rows, types.int64, types.int64)

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        w = Writer(builder, sig.args, context, args)
        b, (source, target) = w.b, w.arrays
        stride, ints = _stride(context, b, sig.args[0], args[0]), ir.VectorType(INT, TILE)

        def body(step: Any, _: list[Any]) -> list[Any]:
            begin = b.mul(step, w.number(TILE))
            for lane in range(0, LANES, TILE):
                rows = [
                    w.load(ints, b.gep(source, [b.add(b.mul(stride, w.number(i)), begin)]), 4)
                    for i in range(lane, lane + TILE)
                ]
                for k, row in enumerate(_turned(w, rows)):
                    row_number = b.add(b.add(args[2], begin), w.number(k))
                    w.store(row, w.at(target, (row_number, LANES), (w.number(lane), 1)), 16)
            return []

        w.loop(w.number(0), b.sdiv(args[3], w.number(TILE)), [], body)
        return context.get_dummy_value()

    return signature, generate


def _turned(w: Writer, rows: list[Any]) -> list[Any]:
    """Columns of a square of numbers: halves, quarters and so on change places."""
    size = len(rows)
    apart = 1
    while apart < size:
        for i in range(size):
            if i & apart:
                continue
            a, b = rows[i], rows[i + apart]
            low = [x if not x & apart else size + x - apart for x in range(size)]
            high = [x + apart if not x & apart else size + x for x in range(size)]
            rows[i], rows[i + apart] = w.shuffle(a, b, low), w.shuffle(a, b, high)
        apart *= 2
    return rows
