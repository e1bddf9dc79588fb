"""Multigrid for D ∇²u − k(x) u + s(x) = 0 on voxels: the kernels behind quasi-steady fields.

The field and its residual are of double precision; each cycle solves for the error left in it, from
zero, in single precision, which halves the memory that passes by and limits no accuracy. Levels are
made by joining two voxels along each axis until one is left. Where their number is odd, the last is
joined to those before, or left alone; the centres of the coarser level remain evenly spaced, and
its wall stands further out, or further in.

On every level the red voxels (i + j + k even) lie together, and so do the black ones. With ghosts
at the end of rows and planes that make their pitches odd, colour is the parity of the index, and
all neighbours of consecutive voxels of one colour are consecutive voxels of the other: a sweep is
one loop over contiguous numbers. After a sweep that ends on black, the residual of black voxels is
zero, and a sweep that starts on black overwrites them, so both transfers deal with red ones only.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from unmoor.compilation import part
from unmoor.tissue.levels import (
    HALVED_X,
    HALVED_Y,
    HALVED_Z,
    NX,
    NY,
    NZ,
    PITCH,
    PLAIN,
    PLANE,
    START,
)

# A held voxel decays on coarser levels at this multiple of D / spacing² of the finest
HOLD = 2.0


@part
def split(row: Any, by_colour: Any, g: Any) -> Any:
    """Put the values of a row that starts at index ``g`` into order by colour."""
    first, second = by_colour[g & 1, g >> 1 :], by_colour[1 - (g & 1), (g + 1) >> 1 :]
    for k in range((row.size + 1) // 2):
        first[k] = row[2 * k]
    for k in range(row.size // 2):
        second[k] = row[2 * k + 1]


@part
def join(row: Any, by_colour: Any, g: Any) -> Any:
    """Fetch the values of a row that starts at index ``g`` from order by colour."""
    first, second = by_colour[g & 1, g >> 1 :], by_colour[1 - (g & 1), (g + 1) >> 1 :]
    for k in range((row.size + 1) // 2):
        row[2 * k] = first[k]
    for k in range(row.size // 2):
        row[2 * k + 1] = second[k]


@part
def _span(level: Any, colour: Any) -> tuple[Any, Any]:
    """Where a colour (0 red, 1 black) begins and ends in the planes of the box."""
    plane, up = level[PLANE], 1 - colour
    return (plane + up) // 2, ((level[NX] + 1) * plane + up) // 2


@part
def _around(other: Any, level: Any, colour: Any) -> Any:
    """Neighbours of the first voxel of a colour: along x, along y, before it along z."""
    s = _span(level, colour)[0] + colour
    x, y = (level[PLANE] + 1) // 2, (level[PITCH] + 1) // 2
    return other[s - x :], other[s + x - 1 :], other[s - y :], other[s + y - 1 :], other[s - 1 :]


@part
def _sweep(level: Any, colour: Any, error: Any, rest: Any, inverse: Any, c: Any) -> Any:
    """Make the residual of all voxels of one colour zero."""
    first, last = _span(level, colour)
    x1, x2, y1, y2, z = _around(error[1 - colour], level, colour)
    e, r, d = error[colour, first:last], rest[colour, first:last], inverse[colour, first:last]
    cx, cy, cz = c[0], c[1], c[2]
    for q in range(e.size):
        around = r[q] + cz * (z[q] + z[q + 1])
        around += cy * (y1[q] + y2[q]) + cx * (x1[q] + x2[q])
        e[q] = d[q] * around


@part
def _residual_of_red(out: Any, black: Any, inverse: Any, level: Any, c: Any) -> Any:
    """Residual of red voxels that had none before black ones became ``black`` instead of zero."""
    first, last = _span(level, 0)
    x1, x2, y1, y2, z = _around(black, level, 0)
    o, d = out[first:last], inverse[first:last]
    cx, cy, cz, nothing = c[0], c[1], c[2], np.float32(0.0)
    for q in range(o.size):
        around = cz * (z[q] + z[q + 1]) + (cy * (y1[q] + y2[q]) + cx * (x1[q] + x2[q]))
        o[q] = around if d[q] > nothing else nothing


@part
def _children(i: Any, count: Any, is_halved: Any, total: Any) -> Any:
    """First child of a coarse voxel along an axis and the one after the last."""
    step = 1 + is_halved
    return i * step, (total if i + 1 == count else i * step + step)


@part
def _restrict(residual: Any, rest: Any, fine: Any, coarse: Any) -> Any:
    """Mean residual over the children of each coarse voxel, of which black ones have none.

    ``residual`` is of the red voxels of the fine level.
    """
    n, hz = coarse[NZ], 1 + fine[HALVED_Z]
    total = np.empty(n, np.float32)
    for i in range(coarse[NX]):
        a1, a2 = _children(i, coarse[NX], fine[HALVED_X], fine[NX])
        for j in range(coarse[NY]):
            b1, b2 = _children(j, coarse[NY], fine[HALVED_Y], fine[NY])
            total[:] = 0.0
            for a in range(a1, a2):
                for b in range(b1, b2):
                    g = (a + 1) * fine[PLANE] + b * fine[PITCH]
                    odd = g & 1
                    count = (fine[NZ] + 1 - odd) // 2 if hz == 2 else 1 - odd
                    children = residual[(g + odd) // 2 :]
                    for k in range(min(count, n)):
                        total[k] += children[k]
                    for k in range(n, count):
                        total[n - 1] += children[k]
            share = np.float32(1.0 / ((a2 - a1) * (b2 - b1) * hz))
            for k in range(n):
                total[k] *= share
            total[n - 1] *= np.float32(hz / (fine[NZ] - (n - 1) * hz))
            split(total, rest, (i + 1) * coarse[PLANE] + j * coarse[PITCH] + 2 * coarse[START])


@part
def _of_level(room: Any, level: Any) -> Any:
    """Error, rest and inverse diagonal of one level."""
    first, last = level[START], level[START] + (level[NX] + 2) * level[PLANE] // 2 + 1
    return room.error[:, first:last], room.rest[:, first:last], room.inverse[:, first:last]


@part
def _spread(levels: Any, n: Any) -> Any:
    """Error of a level in plain order, with ghosts around: what the faces make of it."""
    level, ghosts = levels.table[n], levels.ghosts[n]
    nx, ny, nz = level[NX], level[NY], level[NZ]
    size = (nx + 2) * (ny + 2) * (nz + 2)
    plain = levels.room.plain[level[PLAIN] : level[PLAIN] + size]
    plain = plain.reshape((nx + 2, ny + 2, nz + 2))
    error = _of_level(levels.room, level)[0]
    for i in range(nx):
        for j in range(ny):
            g = (i + 1) * level[PLANE] + j * level[PITCH]
            row = plain[i + 1, j + 1]
            join(row[1 : nz + 1], error, g)
            row[0], row[nz + 1] = ghosts[2, 0] * row[1], ghosts[2, 1] * row[nz]
        for k in range(nz + 2):
            plain[i + 1, 0, k] = ghosts[1, 0] * plain[i + 1, 1, k]
            plain[i + 1, ny + 1, k] = ghosts[1, 1] * plain[i + 1, ny, k]
    for j in range(ny + 2):
        for k in range(nz + 2):
            plain[0, j, k] = ghosts[0, 0] * plain[1, j, k]
            plain[nx + 1, j, k] = ghosts[0, 1] * plain[nx, j, k]
    return plain


@part
def _between(a: Any, is_halved: Any) -> Any:
    """Coarse voxels, counted with ghosts, on both sides of a fine one: the near and the far."""
    return (a // 2 + 1, a // 2 + 2 * (a & 1)) if is_halved else (a + 1, a + 1)


@part
def _blend(out: Any, first: Any, second: Any) -> Any:
    """Interpolate linearly: the fine centre lies at a quarter of the way."""
    near, far = np.float32(0.75), np.float32(0.25)
    for k in range(out.size):
        out[k] = near * first[k] + far * second[k]


@part
def _prolong(plain: Any, error: Any, inverse: Any, fine: Any, coarse: Any) -> Any:
    """Add the coarse error, interpolated between centres, to the red voxels of the fine level."""
    nothing, width = np.float32(0.0), coarse[NZ] + 2
    sheets = plain.reshape((coarse[NX] + 2, (coarse[NY] + 2) * width))
    sheet, row, more = (
        np.empty(sheets.shape[1], np.float32),
        np.empty(width, np.float32),
        np.empty(width, np.float32),
    )
    for a in range(fine[NX]):
        i, i2 = _between(a, fine[HALVED_X])
        _blend(sheet, sheets[i], sheets[i2])
        for b in range(fine[NY]):
            j, j2 = _between(b, fine[HALVED_Y])
            _blend(row, sheet[j * width : (j + 1) * width], sheet[j2 * width : (j2 + 1) * width])
            g = (a + 1) * fine[PLANE] + b * fine[PITCH]
            odd = g & 1
            red, free = error[0, (g + odd) // 2 :], inverse[0, (g + odd) // 2 :]
            if fine[HALVED_Z]:
                count = (fine[NZ] + 1 - odd) // 2
                _blend(more[:count], row[1:], row[2 * odd :])
                for k in range(count):
                    red[k] += more[k] if free[k] > nothing else nothing
            elif not odd and free[0] > nothing:
                red[0] += row[1]


@part
def cycle(levels: Any) -> Any:
    """One V-cycle from zero: ``error`` of the finest level from its ``rest``."""
    table, room = levels.table, levels.room
    count = table.shape[0]
    for step in range(2 * count - 1):  # down to the coarsest level and up again
        is_down = step < count
        n = step if is_down else 2 * count - 2 - step
        level, c = table[n], levels.single_links[n]
        e, r, d = _of_level(room, level)
        if is_down:
            for q in range(e.shape[1]):
                e[0, q] = r[0, q] * d[0, q]
        else:
            _prolong(_spread(levels, n + 1), e, d, level, table[n + 1])
        for colour in range(1, -1 if not is_down else 0, -1):
            _sweep(level, colour, e, r, d, c)
        if is_down and n + 1 < count:
            _residual_of_red(room.scratch, e[1], d[0], level, c)
            _restrict(room.scratch, room.rest, level, table[n + 1])


@part
def invert(decays: Any, level: Any, inverse: Any, diagonal: Any) -> Any:
    """Inverse of the diagonal of a level from the decay of its voxels; zero in held ones."""
    one, nothing = np.float32(1.0), np.float32(0.0)
    values = np.empty(level[NZ], np.float32)
    for i in range(level[NX]):
        for j in range(level[NY]):
            row, base = decays[i, j], np.float32(diagonal[0, i] + diagonal[1, j])
            for k in range(values.size):
                values[k] = one / (row[k] + (base + np.float32(diagonal[2, k])))
            for k in range(values.size):  # what is neither fed nor drained has no diagonal
                values[k] = values[k] if values[k] < np.inf else nothing
            split(values, inverse, (i + 1) * level[PLANE] + j * level[PITCH] + 2 * level[START])


@part
def coarsen(fine_decays: Any, fine: Any, coarse_decays: Any, held_as: Any) -> Any:
    """Mean decay over the children of each coarse voxel; infinite ones count as ``held_as``."""
    hz = 1 + fine[HALVED_Z]
    cx, cy, n = coarse_decays.shape
    total = np.empty(fine[NZ], np.float32)
    for i in range(cx):
        a1, a2 = _children(i, cx, fine[HALVED_X], fine[NX])
        for j in range(cy):
            b1, b2 = _children(j, cy, fine[HALVED_Y], fine[NY])
            total[:] = 0.0
            for a in range(a1, a2):
                for b in range(b1, b2):
                    row = fine_decays[a, b]
                    for k in range(total.size):
                        total[k] += min(held_as, row[k])
            share, row = np.float32(1.0 / ((a2 - a1) * (b2 - b1) * hz)), coarse_decays[i, j]
            for k in range(n - 1):
                row[k] = share * (total[hz * k] + total[hz * k + hz - 1]) * (0.5 * hz)
            last = 0.0
            for k in range(hz * (n - 1), total.size):
                last += total[k]
            row[n - 1] = share * hz * last / (total.size - hz * (n - 1))
