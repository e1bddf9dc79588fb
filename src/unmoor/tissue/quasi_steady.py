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
from unmoor.tissue.levels import NX, NY, NZ, PITCH, PLAIN, PLANE, Levels
from unmoor.tissue.multigrid import HOLD, coarsen, cycle, invert, join, split

Mask = npt.NDArray[np.bool_]


class Solved(NamedTuple):
    """How a field was solved.

    Attributes
    ----------
    cycles
        Multigrid cycles done.
    left
        Estimate of the largest error of a voxel, from the changes by the last cycles [field].
    residual
        Largest residual of the field handed back [field/min].
    """

    cycles: int
    left: float
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
        self._levels = Levels.of(lattice, self.diffusion, self.faces)
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
        cycles: int = 100,
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
            Voxels that keep the value ``field`` has there, shape of the lattice. A round body among
            them is best held from a third of a voxel inside its rim on: its rim is a staircase.
        tolerance
            Stop when the error left is estimated to be this at most, relative to the largest
            absolute value of the field.
        cycles
            Most cycles; a cycle leaves a third of the error in large boxes, .7 at worst.

        Raises
        ------
        ParameterError
            If an array has another shape, is not finite, uptake is negative, or every field that
            differs by a constant is a solution as well.
        """
        problem = self._checked(field, uptake, source, held)
        done, left, residual = _solve(problem, self._levels, float(tolerance), cycles)
        if done < 0:
            self._blame(problem)
        return Solved(done, left, residual)

    def solve_saturating(
        self,
        field: FloatArray,
        *,
        most: FloatArray,
        half: float,
        source: FloatArray | None = None,
        held: Mask | None = None,
        tolerance: float = 1e-3,
        rounds: int = 50,
    ) -> Solved:
        """Balance with an uptake of ``most(x) u / (half + u)`` (Michaelis and Menten), in place.

        Newton's method: since this uptake is concave, every round after the first comes nearer from
        below, from any first guess. Warm-started, two or three rounds suffice.

        Parameters
        ----------
        most
            Uptake of each voxel in plenty, shape of the lattice [field/min].
        half
            Level at which uptake is half of this [field].
        field, source, held, tolerance
            As in :meth:`solve`.
        rounds
            Most rounds.

        Returns
        -------
            Cycles of all rounds; the error left and the residual are those of the last round.

        Raises
        ------
        ParameterError
            As :meth:`solve`, or if ``half`` is not positive or ``most`` below zero.
        """
        if not 0.0 < half < math.inf:
            refuse("half", half, "a positive level", "for uptake without saturation use solve")
        self._checked(field, most, source, held)
        if not most.min() >= 0.0:
            refuse("most", float(most.min()), "finite rates >= 0, field/min", "put it into source")
        cycles, guess = 0, np.maximum(field, 0.0)
        for _ in range(rounds):
            load = half + guess
            share = guess / load
            at_guess = most * share * share  # the tangent's uptake where the field is zero
            slope = most * half / (load * load)
            new = guess.copy()
            solved = self.solve(
                new,
                uptake=slope,
                source=(0.0 if source is None else source) - at_guess,
                held=held,
                tolerance=tolerance,
            )
            cycles += solved.cycles
            np.maximum(new, 0.0, out=new)
            moved = float(abs(new - guess).max())
            guess = new
            if moved <= 3.0 * tolerance * float(guess.max()):  # the next is of second order
                break
        field[...] = guess
        return Solved(cycles, solved.left, solved.residual)

    def _checked(self, field: Any, uptake: Any, source: Any, held: Any) -> _Problem:
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
        inner = self._levels.inner
        has_held = held is not None and bool(held.any())
        sorted_axes: dict[str, Any] = {name: a.reshape(inner) for name, a in given.items()}
        return _Problem(**sorted_axes, has_held=has_held, decay=self.decay)

    def _blame(self, problem: _Problem) -> None:
        """Say why there is no solution."""
        for name in ("field", "uptake", "source"):
            array = getattr(problem, name).reshape(self.lattice.shape)
            if not np.isfinite(array).all():
                at = tuple(map(int, np.argwhere(~np.isfinite(array))[0]))
                got, expected = float(array[at]), "finite numbers"
                refuse(f"{name}{list(at)}", got, expected, "look at what made it")
        if problem.uptake.min() < 0.0:
            refuse("uptake", float(problem.uptake.min()), "rates >= 0, 1/min", "put it into source")
        refuse(
            "decay", self.decay,
            "something that fixes the level: decay, uptake, a held voxel or a face at a value",
            "add one; without, the field is known up to a constant only",
        )  # fmt: skip


class _Problem(NamedTuple):
    """What is solved for, with axes sorted as those of the levels."""

    field: FloatArray
    uptake: FloatArray
    source: FloatArray
    held: Mask
    has_held: bool
    decay: float


@part
def _prepare(problem: Any, levels: Any) -> Any:
    """Inverse diagonals of all levels; whether each uptake is a rate, and one is positive."""
    nx, ny, nz = problem.field.shape
    decays, table = levels.room.decays, levels.table
    box = decays[: nx * ny * nz].reshape((nx, ny, nz))
    is_right, is_alive, decay = True, False, problem.decay
    for i in range(nx):
        for j in range(ny):
            row, rates = box[i, j], problem.uptake[i, j]
            for k in range(nz):
                row[k] = decay + rates[k]
            for k in range(nz):
                is_right &= rates[k] >= 0.0
                is_alive |= row[k] > 0.0
            if problem.has_held:
                for k in range(nz):
                    row[k] = np.inf if problem.held[i, j, k] else row[k]
    for n in range(table.shape[0]):
        level = table[n]
        if n > 0:
            nx, ny, nz = level[NX], level[NY], level[NZ]
            below = decays[level[PLAIN] : level[PLAIN] + nx * ny * nz].reshape((nx, ny, nz))
            coarsen(box, table[n - 1], below, np.float32(HOLD * levels.links[0, 2]))
            box = below
        invert(box, level, levels.room.inverse, levels.diagonal[n])
    return is_right, is_alive


@part
def _gather(total: Any, link: Any, neighbours: Any) -> Any:
    for q in range(min(total.size, neighbours.size)):
        total[q] += link * neighbours[q]


@part
def _residual_of_sheet(total: Any, problem: Any, levels: Any, i: Any) -> Any:
    """Residual of the voxels that share their place along the first axis, shape (ny nz,)."""
    nx, ny, nz = problem.field.shape
    field = problem.field.reshape((nx, ny * nz))
    u, s, rates = field[i], problem.source[i].reshape(ny * nz), problem.uptake[i].reshape(ny * nz)
    drain, flow, link = levels.drain, levels.flow, levels.link
    fixed, base = levels.inflow[0, i], problem.decay + levels.diagonal[0, 0, i]
    for q in range(total.size):
        total[q] = s[q] + (fixed + flow[q]) - (base + drain[q] + rates[q]) * u[q]
    if i > 0:
        _gather(total, levels.links[0, 0], field[i - 1])
    if i + 1 < nx:
        _gather(total, levels.links[0, 0], field[i + 1])
    _gather(total, levels.links[0, 1], u[nz:])
    _gather(total[nz:], levels.links[0, 1], u)
    before, after = u, u[1:]
    for q in range(total.size - 1):
        total[q] += link[q] * after[q]
    rest = total[1:]
    for q in range(total.size - 1):
        rest[q] += link[q] * before[q]


@part
def _grow(largest: Any, values: Any) -> Any:
    """Keep the larger absolute value, place by place."""
    for q in range(largest.size):
        size = abs(values[q])
        largest[q] = max(largest[q], size)


@part
def _top(values: Any) -> Any:
    top = 0.0
    for value in values:
        top = max(top, value)
    return top


@part
def _residual(problem: Any, levels: Any) -> Any:
    """Residual of all voxels into ``rest``; the largest, NaN or infinite if one is not finite."""
    nx, ny, nz = problem.field.shape
    level, total = levels.table[0], np.zeros(ny * nz)
    largest, summed = np.zeros(ny * nz), np.zeros(ny * nz)
    for i in range(nx):
        _residual_of_sheet(total, problem, levels, i)
        if problem.has_held:
            held = problem.held[i].reshape(ny * nz)
            for q in range(total.size):
                total[q] = 0.0 if held[q] else total[q]
        _grow(largest, total)
        _gather(summed, 0.0, total)
        for j in range(ny):
            g = (i + 1) * level[PLANE] + j * level[PITCH]
            split(total[j * nz : (j + 1) * nz], levels.room.rest, g)
    spoilt = 0.0
    for value in summed:
        spoilt += value
    return _top(largest) + spoilt


@part
def _correct(field: Any, levels: Any) -> Any:
    """Add the error to the field; the largest correction and the largest absolute value."""
    nx, ny, nz = field.shape
    level, more = levels.table[0], np.zeros(ny * nz)
    change, largest = np.zeros(ny * nz), np.zeros(ny * nz)
    for i in range(nx):
        for j in range(ny):
            g = (i + 1) * level[PLANE] + j * level[PITCH]
            join(more[j * nz : (j + 1) * nz], levels.room.error, g)
        sheet = field[i].reshape(ny * nz)
        _gather(sheet, 1.0, more)
        _grow(change, more)
        _grow(largest, sheet)
    return _top(change), _top(largest)


@kernel
def _solve(problem: Any, levels: Any, tolerance: float, most: int) -> tuple[int, float, float]:
    """Cycles done (−1: no solution, the field is as it was), error left, residual."""
    is_right, is_alive = _prepare(problem, levels)
    is_fixed = is_alive or problem.has_held or levels.has_wall
    done, before, left, largest = 0, 0.0, np.inf, 0.0
    while True:
        residual = _residual(problem, levels)
        if done == 0 and not (is_right and is_fixed and np.isfinite(residual)):
            return -1, 0.0, residual
        if done == most or left <= tolerance * largest:
            return done, left, residual
        cycle(levels)
        change, largest = _correct(problem.field, levels)
        # What one more cycle would change by, and the next, if each leaves the same share
        share = min(max(change / before, 0.2), 0.9) if before > 0.0 else 0.35
        before, left = change, change * share / (1.0 - share)
        done += 1
