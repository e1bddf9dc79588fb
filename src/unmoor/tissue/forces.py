"""Forces between cells: the pair law, and its sum over neighbours in plain scalar code.

A pair at distance d moves each of its cells along the line between them with

    c_rep (1 − d/R)²  for d < R   −   c_adh (1 − d/S)²  for d < S,

R and S the sums of radii and reaches (docs/explanation/tissue.md). The vector code in
``vector_forces.py`` does the same operations in the same order, so both give the same bits; this
one also serves pairs that coincide, whose direction is made up from who they are.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from unmoor.compilation import part
from unmoor.random import philox4x32

LANES = 16  # cells of a block
FIELDS = 8  # numbers of a record
_BEYOND = 1.0001  # of the longest reach, from where rounding cannot make a pair matter
# A record: coordinates relative to the tissue's centre, radius, reach, square roots of the
# coefficients, and how far the cell's pairs can matter.
X, Y, Z, RADIUS, REACH, REPULSION, ADHESION, RANGE = range(8)
_LOW, _HALF = np.uint64(0xFFFFFFFF), np.uint64(32)


@part
def direction(words: Any, k: Any) -> Any:
    """Point in the unit disc from two of four random words, and the square of its radius."""
    a = (np.float64(words[k]) + 0.5) * 2.0**-31 - 1.0
    b = (np.float64(words[k + 1]) + 0.5) * 2.0**-31 - 1.0
    return a, b, a * a + b * b


@part
def unit_vector(low: Any, high: Any, step: Any, purpose: Any, key: Any, is_flat: Any) -> Any:
    """Unit vector of random direction, in space or in the plane (Marsaglia 1972).

    Only products and square roots, so the bits are the same with every mathematical library.
    """
    for attempt in range(14):
        counter = (low, high, step, purpose + np.uint64(attempt))
        w0, w1, w2, w3 = philox4x32(counter, (key & _LOW, key >> _HALF))
        for pair in ((w0, w1), (w2, w3)):
            a, b, s = direction(pair, 0)
            if s >= 1.0 or s == 0.0:
                continue
            if is_flat:
                return (a * a - b * b) / s, 2.0 * a * b / s, 0.0
            scale = 2.0 * math.sqrt(1.0 - s)
            return a * scale, b * scale, 1.0 - 2.0 * s
    return 1.0, 0.0, 0.0  # one time in 10¹⁸


@part
def apart(one: Any, other: Any, is_first: Any, is_flat: Any) -> Any:
    """Direction in which a cell leaves another at the same point; the other leaves oppositely.

    ``is_first`` decides between cells of the same identity.
    """
    low, high = min(one, other), max(one, other)
    step, purpose = high & _LOW, (high >> _HALF) & ~np.uint64(15)
    x, y, z = unit_vector(low & _LOW, low >> _HALF, step, purpose, high, is_flat)
    return (x, y, z) if one < other or (one == other and is_first) else (-x, -y, -z)


@part
def is_beyond(record: Any, i: Any, j: Any) -> Any:
    """Whether a pair is so far apart that it adds nothing, whose roots are then not needed."""
    dx = record[i, X] - record[j, X]
    dy = record[i, Y] - record[j, Y]
    dz = record[i, Z] - record[j, Z]
    limit = (record[i, RANGE] + record[j, RANGE]) * record.dtype.type(_BEYOND)
    return dx * dx + dy * dy + dz * dz > limit * limit


@part
def pair(record: Any, i: Any, j: Any) -> Any:
    """Law of a pair: its pull or push divided by the distance, the overlap, d² and the vector."""
    one = record.dtype.type(1.0)
    none = record.dtype.type(0.0)
    dx = record[i, X] - record[j, X]
    dy = record[i, Y] - record[j, Y]
    dz = record[i, Z] - record[j, Z]
    square = dx * dx + dy * dy + dz * dz
    touch = record[i, RADIUS] + record[j, RADIUS]
    hold = record[i, REACH] + record[j, REACH]
    product = touch * hold
    inverse = one / (product * math.sqrt(square))  # the only division: gives d/R, d/S and 1/d
    share = inverse * square
    push = max(one - share * hold, none)
    push *= push
    pull = max(one - share * touch, none)
    pull *= pull
    repulsion = record[i, REPULSION] * record[j, REPULSION]
    adhesion = record[i, ADHESION] * record[j, ADHESION]
    strength = (repulsion * push - adhesion * pull) * (inverse * product)
    return strength, push, square, dx, dy, dz


@part
def block_forces(
    record: Any, neighbours: Any, top: Any, rows: Any, cells: Any, first: Any, begin: Any, end: Any,
    identity: Any, order: Any, is_flat: Any, force: Any,
) -> Any:  # fmt: skip
    """Sum over the neighbours of each cell of some lanes of a block, in the order of its list.

    Parameters
    ----------
    record
        Shape (cells + 1, 8); the last is a ghost that fills up lists.
    neighbours, top, rows
        The list, shape (all rows, 16), and which of its rows are the block's; it holds where in
        memory the neighbours' records begin, in numbers.
    first, begin, end
        First cell of the block, and the lanes.
    force
        Receives the sums along x, y and z and the pressure, shape (4, 16).
    """
    for lane in range(begin, end):
        i = first + lane
        ax = ay = az = pressure = record.dtype.type(0.0)
        for k in range(top, top + rows):
            j = neighbours[k, lane] // FIELDS
            if j >= cells:
                break
            if is_beyond(record, i, j):
                continue
            strength, push, square, dx, dy, dz = pair(record, i, j)
            if square == 0.0:
                dx, dy, dz, strength, push = _coincident(record, i, j, identity, order, is_flat)
            pressure += push
            ax += strength * dx
            ay += strength * dy
            az += strength * dz
        force[0, lane], force[1, lane], force[2, lane] = ax, ay, az
        force[3, lane] = pressure


@part
def _coincident(record: Any, i: Any, j: Any, identity: Any, order: Any, is_flat: Any) -> Any:
    """Pair at distance 0: as one at a very small distance."""
    real = record.dtype.type
    a, b = order[i], order[j]
    x, y, z = apart(identity[a], identity[b], a < b, is_flat)
    repulsion = record[i, REPULSION] * record[j, REPULSION]
    adhesion = record[i, ADHESION] * record[j, ADHESION]
    return real(x), real(y), real(z), repulsion - adhesion, real(1.0)
