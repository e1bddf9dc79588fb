"""Multigrid for D ∇²u − k(x) u + s(x) = 0 on voxels: the kernels behind quasi-steady fields.

The field and its residual are of double precision; each cycle solves for the error left in it, from
zero, in single precision, which halves the memory that passes by and limits no accuracy. Levels are
made by joining two voxels along each axis until one is left; where their number is odd, the last
voxel of the coarser level reaches beyond the box, into nothing.

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

# Columns of the table of levels
NX, NY, NZ, PITCH, PLANE, START, PLAIN, HALVED_X, HALVED_Y, HALVED_Z = range(10)
# A held voxel decays on coarser levels at this multiple of D / spacing² of the finest
HOLD = 4.0


@part
def _relax(
    mine: Any,
    other: Any,
    rest: Any,
    inverse: Any,
    first: Any,
    last: Any,
    colour: Any,
    pitch: Any,
    plane: Any,
    c: Any,
) -> Any:
    """Make the residual zero in voxels first … last − 1 of one colour (0 red, 1 black)."""
    n, s = last - first, first + colour
    x1, x2 = other[s - (plane + 1) // 2 :], other[s + (plane - 1) // 2 :]
    y1, y2 = other[s - (pitch + 1) // 2 :], other[s + (pitch - 1) // 2 :]
    z, m, r, d = other[s - 1 :], mine[first:], rest[first:], inverse[first:]
    cx, cy, cz = c[0], c[1], c[2]
    for q in range(n):
        around = r[q] + cz * (z[q] + z[q + 1])
        around += cy * (y1[q] + y2[q]) + cx * (x1[q] + x2[q])
        m[q] = d[q] * around


@part
def _residual_of_red(
    out: Any,
    error: Any,
    rest: Any,
    inverse: Any,
    first: Any,
    last: Any,
    pitch: Any,
    plane: Any,
    c: Any,
) -> Any:
    """Residual of red voxels; zero in held voxels and ghosts."""
    n = last - first
    black, o = error[1], out[first:]
    x1, x2 = black[first - (plane + 1) // 2 :], black[first + (plane - 1) // 2 :]
    y1, y2 = black[first - (pitch + 1) // 2 :], black[first + (pitch - 1) // 2 :]
    z, m, r, d = black[first - 1 :], error[0, first:], rest[0, first:], inverse[0, first:]
    cx, cy, cz = c[0], c[1], c[2]
    for q in range(n):
        o[q] = cy * (y1[q] + y2[q]) + cx * (x1[q] + x2[q])
    for q in range(n):
        whole = o[q] + r[q] + cz * (z[q] + z[q + 1])
        o[q] = whole - m[q] / d[q] if d[q] > 0.0 else np.float32(0.0)


@part
def _restrict(residual: Any, rest: Any, fine: Any, coarse: Any) -> Any:
    """Mean residual over the children of each coarse voxel; what is beyond the box counts as zero.

    ``residual`` is of the red voxels of the fine level.
    """
    hx, hy, hz = 1 + fine[HALVED_X], 1 + fine[HALVED_Y], 1 + fine[HALVED_Z]
    share = np.float32(1.0 / (hx * hy * hz))
    n = coarse[NZ]
    total = np.empty(n, np.float32)
    for i in range(coarse[NX]):
        for j in range(coarse[NY]):
            total[:] = 0.0
            for a in range(i * hx, min(i * hx + hx, fine[NX])):
                for b in range(j * hy, min(j * hy + hy, fine[NY])):
                    g = (a + 1) * fine[PLANE] + b * fine[PITCH]
                    odd = g & 1
                    count = (fine[NZ] + 1 - odd) // 2 if hz == 2 else 1 - odd
                    children = residual[(g + odd) // 2 :]
                    for k in range(count):
                        total[k] += children[k]
            g = (i + 1) * coarse[PLANE] + j * coarse[PITCH] + 2 * coarse[START]
            for k in range(n):
                rest[(g + k) & 1, (g + k) >> 1] = share * total[k]


@part
def _spread(error: Any, level: Any, plain: Any, signs: Any) -> Any:
    """Put a level's error into plain order with ghosts around: what the faces make of it."""
    nx, ny, nz = level[NX], level[NY], level[NZ]
    for i in range(nx):
        for j in range(ny):
            g = (i + 1) * level[PLANE] + j * level[PITCH]
            row = plain[i + 1, j + 1]
            for k in range(nz):
                row[k + 1] = error[(g + k) & 1, (g + k) >> 1]
            row[0], row[nz + 1] = signs[2, 0] * row[1], signs[2, 1] * row[nz]
        for k in range(nz + 2):
            plain[i + 1, 0, k] = signs[1, 0] * plain[i + 1, 1, k]
            plain[i + 1, ny + 1, k] = signs[1, 1] * plain[i + 1, ny, k]
    for j in range(ny + 2):
        for k in range(nz + 2):
            plain[0, j, k] = signs[0, 0] * plain[1, j, k]
            plain[nx + 1, j, k] = signs[0, 1] * plain[nx, j, k]


@part
def _blend(row: Any, plain: Any, a: Any, b: Any, halved_x: Any, halved_y: Any) -> Any:
    """Interpolate along x and y: the coarse row at the height of the fine row (a, b)."""
    i, j, i2, j2 = a + 1, b + 1, a + 1, b + 1
    if halved_x:
        i, i2 = a // 2 + 1, a // 2 + 2 * (a & 1)
    if halved_y:
        j, j2 = b // 2 + 1, b // 2 + 2 * (b & 1)
    near, far = np.float32(0.75), np.float32(0.25)
    p, q, r, s = plain[i, j], plain[i, j2], plain[i2, j], plain[i2, j2]
    for k in range(row.size):
        row[k] = near * (near * p[k] + far * q[k]) + far * (near * r[k] + far * s[k])


@part
def _prolong(plain: Any, error: Any, inverse: Any, fine: Any, coarse: Any) -> Any:
    """Add the coarse error, interpolated between centres, to the red voxels of the fine level."""
    near, far, nothing = np.float32(0.75), np.float32(0.25), np.float32(0.0)
    row = np.empty(coarse[NZ] + 2, np.float32)
    for a in range(fine[NX]):
        for b in range(fine[NY]):
            _blend(row, plain, a, b, fine[HALVED_X], fine[HALVED_Y])
            g = (a + 1) * fine[PLANE] + b * fine[PITCH]
            odd = g & 1
            red, free = error[0, (g + odd) // 2 :], inverse[0, (g + odd) // 2 :]
            if fine[HALVED_Z]:
                beside = row[2 * odd :]
                for k in range((fine[NZ] + 1 - odd) // 2):
                    more = near * row[k + 1] + far * beside[k]
                    red[k] += more if free[k] > 0.0 else nothing
            elif not odd and free[0] > 0.0:
                red[0] += row[1]


@part
def _sweep(level: Any, colour: Any, error: Any, rest: Any, inverse: Any, c: Any) -> Any:
    """One half-sweep over all voxels of one colour."""
    plane, round_up = level[PLANE], 1 - colour
    first, last = (plane + round_up) // 2, ((level[NX] + 1) * plane + round_up) // 2
    _relax(
        error[colour], error[1 - colour], rest[colour], inverse[colour],
        first, last, colour, level[PITCH], plane, c,
    )  # fmt: skip


@part
def cycle(
    levels: Any, error: Any, rest: Any, inverse: Any, plain: Any, scratch: Any, c: Any, signs: Any
) -> Any:
    """One V-cycle from zero: ``error`` of the finest level from its ``rest``."""
    count = levels.shape[0]
    for n in range(count):
        level = levels[n]
        s, size = level[START], (level[NX] + 2) * level[PLANE] // 2 + 1
        e, r, d = error[:, s : s + size], rest[:, s : s + size], inverse[:, s : s + size]
        for q in range(size):
            e[0, q] = r[0, q] * d[0, q]
        _sweep(level, 1, e, r, d, c[n])
        if n + 1 < count:
            first, last = (level[PLANE] + 1) // 2, ((level[NX] + 1) * level[PLANE] + 1) // 2
            _residual_of_red(
                scratch, e, r, d, first, last, level[PITCH], level[PLANE], c[n]
            )  # fmt: skip
            _restrict(scratch, rest, level, levels[n + 1])
    for n in range(count - 2, -1, -1):
        level, coarse = levels[n], levels[n + 1]
        s, size = coarse[START], (coarse[NX] + 2) * coarse[PLANE] // 2 + 1
        shape = (coarse[NX] + 2, coarse[NY] + 2, coarse[NZ] + 2)
        box = plain[coarse[PLAIN] : coarse[PLAIN] + shape[0] * shape[1] * shape[2]].reshape(shape)
        _spread(error[:, s : s + size], coarse, box, signs)
        s, size = level[START], (level[NX] + 2) * level[PLANE] // 2 + 1
        e, r, d = error[:, s : s + size], rest[:, s : s + size], inverse[:, s : s + size]
        _prolong(box, e, d, level, coarse)
        _sweep(level, 1, e, r, d, c[n])
        _sweep(level, 0, e, r, d, c[n])


@part
def invert(decays: Any, level: Any, inverse: Any, diagonal: Any) -> Any:
    """Inverse of the diagonal of a level from the decay of its voxels; zero in held ones."""
    for i in range(level[NX]):
        for j in range(level[NY]):
            g = (i + 1) * level[PLANE] + j * level[PITCH] + 2 * level[START]
            row, base = decays[i, j], diagonal[0, i] + diagonal[1, j]
            for k in range(level[NZ]):
                value = np.float32(1.0) / (row[k] + base + diagonal[2, k])
                inverse[(g + k) & 1, (g + k) >> 1] = value if value > 0.0 else np.float32(0.0)


@part
def coarsen(fine_decays: Any, fine: Any, coarse_decays: Any, held_as: Any) -> Any:
    """Mean decay over the children of each coarse voxel; infinite ones count as ``held_as``."""
    hx, hy, hz = 1 + fine[HALVED_X], 1 + fine[HALVED_Y], 1 + fine[HALVED_Z]
    share = np.float32(1.0 / (hx * hy * hz))
    nx, ny, nz = fine[NX], fine[NY], fine[NZ]
    total = np.empty(nz, np.float32)
    for i in range(coarse_decays.shape[0]):
        for j in range(coarse_decays.shape[1]):
            total[:] = 0.0
            for a in range(i * hx, min(i * hx + hx, nx)):
                for b in range(j * hy, min(j * hy + hy, ny)):
                    row = fine_decays[a, b]
                    for k in range(nz):
                        total[k] += min(held_as, row[k])
            row = coarse_decays[i, j]
            for k in range(row.size):
                last = hz * k + hz - 1
                row[k] = share * (total[hz * k] + (total[last] if hz == 2 and last < nz else 0.0))
