"""Diffusion in time with decay, sinks and sources: one axis after the other, implicitly.

∂u/∂t = D ∇²u − (decay + uptake(x)) u + source(x) by locally one-dimensional splitting: each step
solves, along x, then y, then z, a backward Euler step with that axis' diffusion and an equal share
of decay, uptake and sources (Thomas' algorithm on every line). Second order in space, first order
in time (the splitting is plain, not symmetrised), stable and free of overshoot for any step: a
field that was non-negative stays so. In one dimension nothing is split, and the steady state is
that of the equation. In two and three it is off by a share that grows with D·step/spacing²: fields
that are in balance all the time belong to ``quasi_steady``. Equations: docs/explanation/tissue.md.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from unmoor.compilation import kernel, part
from unmoor.tissue.lattice import Faces, FloatArray, Lattice, refuse

Mask = npt.NDArray[np.bool_]

_WIDTH = 64  # lines solved side by side: their numbers fit the fastest caches


class Ledger(NamedTuple):
    """What became of the molecules in a number of steps [field · voxels].

    The content of the voxels that are not held changes by ``produced − consumed − decayed −
    outflow``, up to rounding. A negative source counts as negative production.
    """

    produced: float
    consumed: float
    decayed: float
    outflow: float

    @property
    def gain(self) -> float:
        """What the content should have changed by."""
        return self.produced - self.consumed - self.decayed - self.outflow


class Diffusion:
    """Stepper for one kind of molecule on one lattice.

    Parameters
    ----------
    lattice
        Voxels of the field.
    diffusion
        Diffusion coefficient [µm²/min].
    decay
        Decay everywhere [1/min].
    faces
        What holds at the faces of the box.

    Raises
    ------
    ParameterError
        If a number is not finite or negative.
    """

    def __init__(
        self, lattice: Lattice, diffusion: float, *, decay: float = 0.0, faces: Faces | None = None
    ) -> None:
        self.lattice, self.diffusion, self.decay = lattice, float(diffusion), float(decay)
        self.faces = Faces() if faces is None else faces
        self.faces.check()
        for name, value in (("diffusion", self.diffusion), ("decay", self.decay)):
            if not 0.0 <= value < math.inf:
                refuse(name, value, "a number >= 0", "give one")
        self._nothing = np.zeros(lattice.shape)
        self._none_held = np.zeros(lattice.shape, np.bool_)
        self._axes = _axes_of(lattice, self.faces)

    def advance(
        self,
        field: FloatArray,
        step: float,
        steps: int = 1,
        *,
        uptake: FloatArray | None = None,
        source: FloatArray | None = None,
        held: Mask | None = None,
    ) -> Ledger:
        """Advance a field in place; an error leaves it as it was.

        Parameters
        ----------
        field
            Shape of the lattice.
        step
            Length of a step [min].
        steps
            How many.
        uptake
            First-order uptake of each voxel, shape of the lattice [1/min]; none if not given.
        source
            What each voxel gets (below zero: loses), shape of the lattice [field/min].
        held
            Voxels that keep their value, shape of the lattice; what goes into them is outflow.

        Raises
        ------
        ParameterError
            If an array has another shape, is not finite, or uptake is negative.
        """
        if not 0.0 < step < math.inf:
            refuse("step", step, "a positive time in min", "give one")
        rates = self._checked("uptake", uptake, np.float64)
        sources = self._checked("source", source, np.float64)
        mask = self._checked("held", held, np.bool_)
        self._checked("field", field, np.float64)
        if rates.min() < 0.0:
            refuse("uptake", float(rates.min()), "rates >= 0, 1/min", "put it into source")
        has_held = held is not None and bool(mask.any())
        totals = np.zeros(4)
        for _ in range(steps):
            self._step(field, step, rates, sources, mask, has_held, totals)
        return Ledger(*map(float, totals))

    def _step(
        self,
        field: Any,
        step: float,
        uptake: Any,
        source: Any,
        held: Any,
        has_held: bool,
        totals: Any,
    ) -> None:
        share = step / len(self._axes)
        solve: Any = _along
        link = step * self.diffusion / self.lattice.spacing**2
        for lines, walls in self._axes:
            arrays = [array.reshape(lines) for array in (field, uptake, source, held)]
            solve(*arrays, has_held, self.decay, share, link, walls, totals)

    def _checked(self, name: str, array: Any, kind: Any) -> Any:
        if array is None:
            return self._none_held if name == "held" else self._nothing
        shape = self.lattice.shape
        if array.shape != shape or array.dtype != kind or not array.flags.c_contiguous:
            expected = f"a contiguous array of {kind.__name__}, shape {shape}"
            refuse(name, f"{array.dtype}, shape {array.shape}", expected, "make it with np.full")
        if not np.isfinite(array).all():
            at = tuple(map(int, np.argwhere(~np.isfinite(array))[0]))
            refuse(f"{name}{list(at)}", float(array[at]), "finite numbers", "look at what made it")
        return array


def _axes_of(lattice: Lattice, faces: Faces) -> list[tuple[tuple[int, int, int], FloatArray]]:
    """For each axis along which something happens: shape (before, along, after) and its walls.

    Walls are (is a value held there, which value) of the low and of the high end, shape (2, 2).
    """
    axes = []
    for axis, ends in enumerate(faces.along_axes(lattice)):
        before, along = math.prod(lattice.shape[:axis]), lattice.shape[axis]
        walls = np.array([(0.0, 0.0) if end is None else (1.0, end) for end in ends])
        if along > 1 or walls[:, 0].any():
            axes.append(((before, along, math.prod(lattice.shape[axis + 1 :])), walls))
    if not axes:  # one voxel behind walls: decay, uptake and sources remain
        axes.append(((1, 1, 1), np.zeros((2, 2))))
    return axes


@part
def _load(tile: Any, array: Any, before: Any, after: Any, width: Any) -> None:
    """Fetch lines side by side, (along, width): neighbours across them, or whole rows."""
    if array.shape[2] > 1:
        for i in range(array.shape[1]):
            row, values = tile[i], array[before, i, after:]
            for k in range(width):
                row[k] = values[k]
    else:
        for k in range(width):
            values = array[before + k, :, 0]
            for i in range(values.size):
                tile[i, k] = values[i]


@part
def _store(tile: Any, array: Any, before: Any, after: Any, width: Any) -> None:
    if array.shape[2] > 1:
        for i in range(array.shape[1]):
            row, values = tile[i], array[before, i, after:]
            for k in range(width):
                values[k] = row[k]
    else:
        for k in range(width):
            values = array[before + k, :, 0]
            for i in range(values.size):
                values[i] = tile[i, k]


@part
def _forward(tiles: Any, i: Any, width: Any, terms: Any) -> None:
    """Thomas' algorithm on lines side by side: eliminate what is before voxel ``i``.

    Its place in the field gets the right-hand side, that in ``ratio`` the factor of the next voxel.
    Short loops that write to one array each, since only such are vectorised.
    """
    field, uptake, source, held, ratio, extra = tiles
    has_held, decay, share, link, walls = terms
    n = field.shape[0]
    low = link if i > 0 else 2.0 * link * walls[0, 0]
    high = link if i + 1 < n else 2.0 * link * walls[1, 0]
    brought = low * walls[0, 1] if i == 0 else 0.0
    brought += high * walls[1, 1] if i + 1 == n else 0.0
    base, ahead = 1.0 + share * decay + low + high, high if i + 1 < n else 0.0
    u, rates, s, keeps, q, more = field[i], uptake[i], source[i], held[i], ratio[i], extra[0]
    for k in range(width):
        q[k] = base + share * rates[k]
    for k in range(width):
        more[k] = share * s[k] + brought
    if i > 0:
        above, q_above = field[i - 1], ratio[i - 1]
        for k in range(width):
            q[k] -= low * q_above[k]
        for k in range(width):
            more[k] += low * above[k]
    if has_held:
        for k in range(width):
            q[k], more[k] = (1.0, 0.0) if keeps[k] > 0.0 else (q[k], more[k])
    for k in range(width):
        q[k] = 1.0 / q[k]
    for k in range(width):
        u[k] = (u[k] + more[k]) * q[k]
    for k in range(width):
        q[k] *= ahead
    if has_held:
        for k in range(width):
            q[k] = 0.0 if keeps[k] > 0.0 else q[k]


@part
def _backward(tiles: Any, i: Any, width: Any, terms: Any, sums: Any) -> None:
    """Put in what is after voxel ``i``, and book what becomes of the molecules of its lines.

    Rows of ``sums``: source, uptake times field, field, flow out of lines by walls and held voxels.
    """
    field, uptake, source, held, ratio, extra = tiles
    has_held, _, _, link, walls = terms
    n = field.shape[0]
    u, rates, s, keeps, free = field[i], uptake[i], source[i], held[i], extra[1]
    made, used, there, gone = sums[0], sums[1], sums[2], sums[3]
    if has_held:
        for k in range(width):
            free[k] = 1.0 - keeps[k]
    if i + 1 < n:
        below, keeps_below, q = field[i + 1], held[i + 1], ratio[i]
        for k in range(width):
            u[k] += q[k] * below[k]
        if has_held:
            for k in range(width):  # into a voxel that is held from one that is not
                gone[k] += link * (u[k] - below[k]) * (keeps_below[k] - keeps[k])
    for k in range(width):
        made[k] += free[k] * s[k]
    for k in range(width):
        used[k] += free[k] * (rates[k] * u[k])
    for k in range(width):
        there[k] += free[k] * u[k]
    for side in range(2):
        if i == side * (n - 1) and walls[side, 0] > 0.0:
            for k in range(width):
                gone[k] += free[k] * (2.0 * link * (u[k] - walls[side, 1]))


@kernel
def _along(
    field: Any, uptake: Any, source: Any, held: Any, has_held: bool,
    decay: float, share: float, link: float, walls: Any, totals: Any,
) -> None:  # fmt: skip
    """One implicit step along the middle axis of arrays of shape (before, along, after)."""
    before, n, after = field.shape
    many = after if after > 1 else before
    tiles = (
        np.zeros((n, _WIDTH)), np.zeros((n, _WIDTH)), np.zeros((n, _WIDTH)),
        np.zeros((n, _WIDTH)), np.zeros((n, _WIDTH)), np.ones((2, _WIDTH)),
    )  # fmt: skip
    terms, sums = (has_held, decay, share, link, walls), np.zeros((4, _WIDTH))
    factors = (share, share, share * decay, 1.0)
    for line in range(before if after > 1 else 1):
        for first in range(0, many, _WIDTH):
            width = min(_WIDTH, many - first)
            b, a = (line, first) if after > 1 else (first, 0)
            _load(tiles[0], field, b, a, width)
            _load(tiles[1], uptake, b, a, width)
            _load(tiles[2], source, b, a, width)
            if has_held:
                _load(tiles[3], held, b, a, width)
            sums[:] = 0.0
            for i in range(n):
                _forward(tiles, i, width, terms)
            for i in range(n - 1, -1, -1):
                _backward(tiles, i, width, terms, sums)
            _store(tiles[0], field, b, a, width)
            for kind in range(4):
                for k in range(width):
                    totals[kind] += factors[kind] * sums[kind, k]
