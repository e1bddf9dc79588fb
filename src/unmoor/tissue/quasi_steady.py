"""Quasi-steady fields: what diffuses so fast that it is always in balance with the cells.

Solves D ∇²u − (decay + uptake(x)) u + source(x) = 0 on a lattice, finite volumes of second order,
warm-started from the field there was. Rates in 1/min, D in µm²/min, sources in units of the field
per minute. Equations: docs/explanation/tissue.md.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from unmoor.compilation import kernel, part
from unmoor.tissue.lattice import Faces, FloatArray, Lattice, refuse
from unmoor.tissue.multigrid import (
    HOLD,
    NX,
    NY,
    NZ,
    PITCH,
    PLAIN,
    PLANE,
    START,
    coarsen,
    cycle,
    invert,
)

Mask = npt.NDArray[np.bool_]


class Solved(NamedTuple):
    """How a field was solved.

    Attributes
    ----------
    cycles
        Multigrid cycles done.
    change
        Largest change of a voxel in the last cycle [field]; what is left is a fraction of this.
    residual
        Largest residual of the field handed back [field/min].
    """

    cycles: int
    change: float
    residual: float


class QuasiSteady:
    """Solver for one kind of molecule on one lattice; keeps its workspace, nothing of the field.

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
        if not 0.0 < self.diffusion < math.inf:
            refuse("diffusion", diffusion, "a positive number, µm²/min", "give one")
        if not 0.0 <= self.decay < math.inf:
            refuse("decay", decay, "a number >= 0, 1/min", "give one")
        self._geometry = _Geometry.of(lattice, self.diffusion, self.faces)
        self._nothing = np.zeros(lattice.shape)
        self._none_held = np.zeros(lattice.shape, np.bool_)

    def solve(
        self,
        field: FloatArray,
        *,
        uptake: FloatArray | None = None,
        source: FloatArray | None = None,
        held: Mask | None = None,
        tolerance: float = 1e-3,
        cycles: int = 30,
    ) -> Solved:
        """Bring a field to balance, in place; an error leaves it as it was.

        Parameters
        ----------
        field
            First guess, best the last solution, shape of the lattice.
        uptake
            First-order uptake of each voxel, shape of the lattice [1/min]; none if not given.
        source
            What each voxel gets (below zero: loses), shape of the lattice [field/min].
        held
            Voxels that keep the value ``field`` has there, shape of the lattice.
        tolerance
            Stop after the first cycle that changes no voxel by more than this, relative to the
            largest absolute value of the field; the error then left is at most about a third of it.
        cycles
            Most cycles.

        Raises
        ------
        ParameterError
            If an array has another shape, is not finite, uptake is negative, or every field that
            differs by a constant is a solution as well.
        """
        arrays = self._checked(field, uptake, source, held)
        has_held = held is not None and bool(held.any())
        arguments: list[Any] = [*arrays, has_held, self.decay, *self._geometry]
        done, change, residual = _solve(*arguments, float(tolerance), cycles)
        if done < 0:
            self._blame(*arrays)
        return Solved(done, change, residual)

    def _checked(self, field: Any, uptake: Any, source: Any, held: Any) -> tuple[Any, ...]:
        given = {"field": field, "uptake": uptake, "source": source, "held": held}
        shape = self.lattice.shape
        for name, array in given.items():
            kind = np.bool_ if name == "held" else np.float64
            if array is None:
                given[name] = self._none_held if name == "held" else self._nothing
            elif array.shape != shape or array.dtype != kind or not array.flags.c_contiguous:
                expected = f"a contiguous array of {kind.__name__}, shape {shape}"
                refuse(
                    name, f"{array.dtype}, shape {array.shape}", expected, "make it with np.full"
                )
        inner = self._geometry.inner
        return tuple(array.reshape(inner) for array in given.values())

    def _blame(self, field: Any, uptake: Any, source: Any, held: Any) -> None:
        """Say why there is no solution."""
        for name, array in (("field", field), ("uptake", uptake), ("source", source)):
            if not np.isfinite(array).all():
                where = tuple(
                    map(int, np.argwhere(~np.isfinite(array.reshape(self.lattice.shape)))[0])
                )
                got = float(array.reshape(self.lattice.shape)[where])
                refuse(f"{name}{list(where)}", got, "finite numbers", "look at what made it")
        if uptake.min() < 0.0:
            refuse("uptake", float(uptake.min()), "rates >= 0, 1/min", "put it into source")
        refuse(
            "decay", self.decay,
            "something that fixes the level: decay, uptake, a held voxel or a face at a value",
            "add one; without, the field is known up to a constant only",
        )  # fmt: skip


class _Geometry(NamedTuple):
    """What kernels need to know of a lattice: see the columns of ``multigrid``."""

    inner: tuple[int, int, int]
    levels: npt.NDArray[np.int64]
    links: FloatArray
    diagonal: FloatArray
    inflow: FloatArray
    signs: npt.NDArray[np.float32]
    room: tuple[Any, ...]

    @classmethod
    def of(cls, lattice: Lattice, diffusion: float, faces: Faces) -> _Geometry:
        """Levels from the lattice to one voxel; axes of one voxel come first, for long rows."""
        walls = [(faces.x_low, faces.x_high), (faces.y_low, faces.y_high)]
        walls.append((faces.z_low, faces.z_high) if lattice.shape[2] > 1 else (None, None))
        order = sorted(range(3), key=lambda axis: lattice.shape[axis] > 1)
        inner = [lattice.shape[axis] for axis in order]
        walls = [walls[axis] for axis in order]
        levels, fills, sizes = _levels(inner)
        longest = max(inner)
        links = np.empty((len(levels), 3))
        diagonal = np.zeros((len(levels), 3, longest))
        inflow = np.zeros((3, longest))
        for n, level in enumerate(levels):
            for axis in range(3):
                count, edge, fill = level[axis], sizes[n][axis], fills[n][axis]
                links[n, axis] = diffusion / (lattice.spacing * edge) ** 2
                row = diagonal[n, axis]
                row[1:count] += links[n, axis]
                row[: count - 1] += links[n, axis]
                for side, value in zip((0, count - 1), walls[axis], strict=True):
                    wall = 2.0 * links[n, axis] / (fill if side == count - 1 else 1.0)
                    row[side] += 0.0 if value is None else wall
                    if n == 0:
                        inflow[axis, side] += 0.0 if value is None else wall * value
        signs = np.array([[1.0 if v is None else -1.0 for v in pair] for pair in walls], np.float32)
        shape = (inner[0], inner[1], inner[2])
        return cls(shape, np.array(levels), links, diagonal, inflow, signs, _room(levels))


def _levels(inner: list[int]) -> tuple[list[list[int]], list[list[float]], list[list[int]]]:
    """Rows of the table of levels, how full the last voxel of each axis is, and edges of voxels."""
    levels: list[list[int]] = []
    fills, sizes = [[1.0] * 3], [[1] * 3]
    counts, start, plain = inner, 0, 0
    while True:
        pitch = (counts[2] + 1) | 1
        plane = pitch * ((counts[1] + 1) | 1)
        halved = [int(n > 1) for n in counts]
        levels.append([*counts, pitch, plane, start, plain, *halved])
        if not any(halved):
            return levels, fills, sizes
        start += (counts[0] + 2) * plane // 2 + 1
        plain += math.prod(n + 2 for n in counts)
        fills.append([
            f if n == 1 else (f / 2.0 if n % 2 else (1.0 + f) / 2.0)
            for n, f in zip(counts, fills[-1], strict=True)
        ])  # fmt: skip
        sizes.append([s * (1 + h) for s, h in zip(sizes[-1], halved, strict=True)])
        counts = [(n + 1) // 2 for n in counts]


def _room(levels: list[list[int]]) -> tuple[Any, ...]:
    """Workspace: error, rest and inverse diagonal by colour; plain order; scratch of one level."""
    last = levels[-1]
    half = last[START] + (last[NX] + 2) * last[PLANE] // 2 + 1
    error, rest, inverse = (np.zeros((2, half), np.float32) for _ in range(3))
    plain = np.zeros(last[PLAIN] + math.prod(last[axis] + 2 for axis in (NX, NY, NZ)), np.float32)
    scratch = np.zeros((levels[0][NX] + 2) * levels[0][PLANE] // 2 + 1, np.float32)
    return error, rest, inverse, plain, plain.copy(), scratch


@part
def _prepare(
    uptake: Any,
    held: Any,
    has_held: Any,
    decay: Any,
    levels: Any,
    links: Any,
    diagonal: Any,
    decays: Any,
    inverse: Any,
) -> Any:
    """Inverse diagonals of all levels; whether each uptake is a rate, and one is positive."""
    nx, ny, nz = levels[0, NX], levels[0, NY], levels[0, NZ]
    box = decays[: nx * ny * nz].reshape((nx, ny, nz))
    is_right, is_alive = True, False
    for i in range(nx):
        for j in range(ny):
            row, rates = box[i, j], uptake[i, j]
            for k in range(nz):
                row[k] = decay + rates[k]
                is_right &= rates[k] >= 0.0
                is_alive |= row[k] > 0.0
            if has_held:
                for k in range(nz):
                    row[k] = np.inf if held[i, j, k] else row[k]
    invert(box, levels[0], inverse, diagonal[0])
    for n in range(1, levels.shape[0]):
        level = levels[n]
        nx, ny, nz = level[NX], level[NY], level[NZ]
        below = decays[level[PLAIN] : level[PLAIN] + nx * ny * nz].reshape((nx, ny, nz))
        coarsen(box, levels[n - 1], below, np.float32(HOLD * links[0, 2]))
        invert(below, level, inverse, diagonal[n])
        box = below
    return is_right, is_alive


@part
def _defect_of_row(
    total: Any,
    u: Any,
    i: Any,
    j: Any,
    source: Any,
    uptake: Any,
    decay: Any,
    c: Any,
    diagonal: Any,
    inflow: Any,
) -> Any:
    """Residual of the voxels of one row."""
    nx, ny, nz = u.shape
    row, s, rates, flow, own = u[i, j], source[i, j], uptake[i, j], inflow[2], diagonal[2]
    fixed, base = inflow[0, i] + inflow[1, j], decay + diagonal[0, i] + diagonal[1, j]
    cx1, cx2 = (c[0] if i > 0 else 0.0), (c[0] if i + 1 < nx else 0.0)
    cy1, cy2 = (c[1] if j > 0 else 0.0), (c[1] if j + 1 < ny else 0.0)
    x1, x2 = u[max(i - 1, 0), j], u[min(i + 1, nx - 1), j]
    y1, y2 = u[i, max(j - 1, 0)], u[i, min(j + 1, ny - 1)]
    for k in range(nz):
        total[k] = s[k] + fixed + flow[k] - (base + rates[k] + own[k]) * row[k]
    for k in range(nz):
        total[k] += (cx1 * x1[k] + cx2 * x2[k]) + (cy1 * y1[k] + cy2 * y2[k])
    before, after, cz = total[: nz - 1], total[1:], c[2]
    for k in range(nz - 1):
        before[k] += cz * row[k + 1]
    for k in range(nz - 1):
        after[k] += cz * row[k]


@part
def _defect(
    u: Any,
    uptake: Any,
    source: Any,
    held: Any,
    has_held: Any,
    decay: Any,
    level: Any,
    c: Any,
    diagonal: Any,
    inflow: Any,
    rest: Any,
) -> Any:
    """Residual of all voxels into ``rest``; the largest, NaN if one is not finite."""
    nx, ny, nz = u.shape
    total, largest, spoilt = np.zeros(nz), np.zeros(nz), np.zeros(nz)
    for i in range(nx):
        for j in range(ny):
            _defect_of_row(total, u, i, j, source, uptake, decay, c, diagonal, inflow)
            if has_held:
                for k in range(nz):
                    total[k] = 0.0 if held[i, j, k] else total[k]
            for k in range(nz):
                spoilt[k] += 0.0 * total[k]
                largest[k] = max(largest[k], abs(total[k]))
            g = (i + 1) * level[PLANE] + j * level[PITCH]
            for k in range(nz):
                rest[(g + k) & 1, (g + k) >> 1] = total[k]
    return largest.max() + spoilt.sum()


@part
def _add(u: Any, error: Any, level: Any) -> Any:
    """Correct the field; the largest correction and the largest absolute value."""
    nx, ny, nz = u.shape
    change, largest = np.zeros(nz), np.zeros(nz)
    more = np.zeros(nz)
    for i in range(nx):
        for j in range(ny):
            g, row = (i + 1) * level[PLANE] + j * level[PITCH], u[i, j]
            for k in range(nz):
                more[k] = error[(g + k) & 1, (g + k) >> 1]
            for k in range(nz):
                row[k] += more[k]
                change[k] = max(change[k], abs(more[k]))
                largest[k] = max(largest[k], abs(row[k]))
    return change.max(), largest.max()


@kernel
def _solve(
    u: Any,
    uptake: Any,
    source: Any,
    held: Any,
    has_held: Any,
    decay: Any,
    inner: Any,
    levels: Any,
    links: Any,
    diagonal: Any,
    inflow: Any,
    signs: Any,
    room: Any,
    tolerance: Any,
    most: Any,
) -> Any:
    """Cycles done (−1: not solvable, nothing was changed), last change, residual."""
    error, rest, inverse, plain, decays, scratch = room
    is_right, is_alive = _prepare(
        uptake, held, has_held, decay, levels, links, diagonal, decays, inverse
    )
    has_level = is_alive or has_held or signs.min() < 0.0
    c, level = links.astype(np.float32), levels[0]
    fine = (u, uptake, source, held, has_held, decay, level, links[0], diagonal[0], inflow, rest)
    residual = _defect(*fine)
    if not (is_right and has_level and np.isfinite(residual)):
        return -1, 0.0, residual
    done, change = 0, 0.0
    while done < most:
        cycle(levels, error, rest, inverse, plain, scratch, c, signs)
        change, largest = _add(u, error, level)
        residual = _defect(*fine)
        done += 1
        if change <= tolerance * largest:
            break
    return done, change, residual
