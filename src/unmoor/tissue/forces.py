"""Forces between cells: the pair law, and its sum over neighbours in plain scalar code.

A pair at distance d moves each of its cells along the line between them with

    c_rep (1 − d/R)²  for d < R   −   c_adh (1 − d/S)²  for d < S,

R and S the sums of radii and reaches (docs/explanation/tissue.md). The vector code in
``vector_forces.py`` does the same operations in the same order, with products fused with sums at
the same places, so both give the same bits. ``careful_forces`` also serves pairs that coincide,
whose direction is made up from who they are.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from unmoor.compilation import part
from unmoor.random import philox4x32
from unmoor.tissue.sharing import fused

LANES = 16  # cells of a block
FIELDS = 8  # numbers of a record
# A record: coordinates relative to the tissue's centre, radius, reach, square roots of the
# coefficients, and how far the cell's pairs can matter.
X, Y, Z, RADIUS, REACH, REPULSION, ADHESION, RANGE = range(8)
_USED = 7  # numbers of a record that the law uses
_SUMS, _NEAREST = 2 * _USED, 2 * _USED + 4  # where sums and squared distances of lanes are kept
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
def pair(touch: Any, hold: Any, square: Any, repulsion: Any, adhesion: Any) -> Any:
    """Law of a pair.

    Parameters
    ----------
    touch, hold
        Sums of radii and of reaches [µm].
    square
        Squared distance, not 0 [µm²].
    repulsion, adhesion
        Coefficients of the pair [µm/min].

    Returns
    -------
        Push less pull, divided by the distance [1/min], and the squared overlap [-].
    """
    one, none = np.float32(1.0), np.float32(0.0)  # exact in either precision
    product = touch * hold
    inverse = one / (product * math.sqrt(square))  # the only division: gives d/R, d/S and 1/d
    share = -(inverse * square)
    push = max(fused(share, hold, one), none)
    push *= push
    pull = max(fused(share, touch, one), none)
    pull *= pull
    return fused(repulsion, push, -(adhesion * pull)) * (inverse * product), push


@part
def block_forces(
    numbers: Any, neighbours: Any, top: Any, rows: Any, first: Any, lanes: Any, force: Any
) -> Any:
    """Sum over the neighbours of the cells of a block, all lanes in step.

    Parameters
    ----------
    numbers
        All records, one after the other.
    neighbours, top, rows, first, force
        As for ``careful_forces``, for all lanes.
    lanes
        Workspace, shape (at least 19 × 16,).

    Returns
    -------
        Whether cells coincide, so that the sums are not to be used.
    """
    for lane in range(LANES):
        begin = np.uint64((first + lane) * FIELDS)
        for c in range(_USED):
            lanes[c * LANES + lane] = numbers[begin + np.uint64(c)]
        for c in range(_SUMS, _NEAREST):
            lanes[c * LANES + lane] = 0.0
        lanes[_NEAREST * LANES + lane] = 1.0
    for k in range(top, top + rows):
        for lane in range(LANES):
            begin = np.uint64(neighbours[k, lane])
            for c in range(_USED):
                lanes[(_USED + c) * LANES + lane] = numbers[begin + np.uint64(c)]
        _add_pairs(lanes)
    nearest = lanes[_NEAREST * LANES]
    for lane in range(LANES):
        for c in range(4):
            force[c, lane] = lanes[(_SUMS + c) * LANES + lane]
        nearest = min(nearest, lanes[_NEAREST * LANES + lane])
    return nearest == 0.0


@part
def _add_pairs(lanes: Any) -> Any:
    """Add one pair of each lane; a loop of which the compiler makes vector code by itself."""
    for i in range(LANES):
        dx = lanes[X * LANES + i] - lanes[(_USED + X) * LANES + i]
        dy = lanes[Y * LANES + i] - lanes[(_USED + Y) * LANES + i]
        dz = lanes[Z * LANES + i] - lanes[(_USED + Z) * LANES + i]
        square = fused(dz, dz, fused(dy, dy, dx * dx))
        strength, push = pair(
            lanes[RADIUS * LANES + i] + lanes[(_USED + RADIUS) * LANES + i],
            lanes[REACH * LANES + i] + lanes[(_USED + REACH) * LANES + i],
            square,
            lanes[REPULSION * LANES + i] * lanes[(_USED + REPULSION) * LANES + i],
            lanes[ADHESION * LANES + i] * lanes[(_USED + ADHESION) * LANES + i],
        )
        lanes[_SUMS * LANES + i] = fused(strength, dx, lanes[_SUMS * LANES + i])
        lanes[(_SUMS + 1) * LANES + i] = fused(strength, dy, lanes[(_SUMS + 1) * LANES + i])
        lanes[(_SUMS + 2) * LANES + i] = fused(strength, dz, lanes[(_SUMS + 2) * LANES + i])
        lanes[(_SUMS + 3) * LANES + i] += push
        nearest = lanes[_NEAREST * LANES + i]
        lanes[_NEAREST * LANES + i] = min(nearest, square)


@part
def careful_forces(
    record: Any, neighbours: Any, top: Any, rows: Any, cells: Any, first: Any, begin: Any, end: Any,
    identity: Any, order: Any, is_flat: Any, pairs: Any, force: Any,
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
    pairs
        Workspace, shape (8, at least rows).
    force
        Receives the sums along x, y and z and the pressure, shape (4, 16).
    """
    dx, dy, dz, square, strength, push = (
        pairs[0], pairs[1], pairs[2], pairs[3], pairs[4], pairs[5]
    )  # fmt: skip
    for lane in range(begin, end):
        i, count = first + lane, 0
        while count < rows and neighbours[top + count, lane] < cells * FIELDS:
            j = np.int64(neighbours[top + count, lane]) >> 3
            _fill_pair(record, i, j, pairs, count)
            count += 1
        _apply_law(strength, push, square, pairs[6], pairs[7], count)
        ax = ay = az = pressure = record.dtype.type(0.0)
        for k in range(count):
            if square[k] == 0.0:
                j = np.int64(neighbours[top + k, lane]) >> 3
                dx[k], dy[k], dz[k], strength[k], push[k] = _coincident(
                    record, i, j, identity, order, is_flat
                )
            pressure += push[k]
            ax = fused(strength[k], dx[k], ax)
            ay = fused(strength[k], dy[k], ay)
            az = fused(strength[k], dz[k], az)
        force[0, lane], force[1, lane], force[2, lane] = ax, ay, az
        force[3, lane] = pressure


@part
def _fill_pair(record: Any, i: Any, j: Any, pairs: Any, k: Any) -> Any:
    for c in range(3):
        pairs[c, k] = record[i, c] - record[j, c]
    pairs[4, k] = record[i, RADIUS] + record[j, RADIUS]
    pairs[5, k] = record[i, REACH] + record[j, REACH]
    pairs[6, k] = record[i, REPULSION] * record[j, REPULSION]
    pairs[7, k] = record[i, ADHESION] * record[j, ADHESION]
    dx, dy, dz = pairs[0, k], pairs[1, k], pairs[2, k]
    pairs[3, k] = fused(dz, dz, fused(dy, dy, dx * dx))


@part
def _apply_law(
    touch: Any, hold: Any, square: Any, repulsion: Any, adhesion: Any, count: Any
) -> Any:
    """Law of each pair, whose results take the place of radii and reaches.

    A loop without sums over few arrays, of which the compiler makes vector code by itself.
    """
    for k in range(count):
        touch[k], hold[k] = pair(touch[k], hold[k], square[k], repulsion[k], adhesion[k])


@part
def _coincident(record: Any, i: Any, j: Any, identity: Any, order: Any, is_flat: Any) -> Any:
    """Pair at distance 0: as one at a very small distance."""
    real = record.dtype.type
    a, b = order[i], order[j]
    x, y, z = apart(identity[a], identity[b], a < b, is_flat)
    repulsion = record[i, REPULSION] * record[j, REPULSION]
    adhesion = record[i, ADHESION] * record[j, ADHESION]
    return real(x), real(y), real(z), repulsion - adhesion, real(1.0)
