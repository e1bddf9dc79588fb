"""Lattice: the voxels that fields live on, and how cells read and write them.

A field is an array of double precision of the lattice's shape in C order: a single-precision field
would halve its memory, but its rounding would hide the mass balance that the tests hold it to.
Lengths in µm. Equations: docs/explanation/tissue.md.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from unmoor.compilation import kernel, part
from unmoor.errors import ParameterError, Problem, literal

FloatArray = npt.NDArray[np.float64]
SlotArray = npt.NDArray[np.int32]

_MOST_VOXELS = 1 << 30  # 8 GiB a field; far above any tissue, far below an overflow


class Lattice(NamedTuple):
    """Cubic voxels that fill a box.

    Attributes
    ----------
    origin
        Corner of the box with the lowest coordinates [µm].
    spacing
        Edge of a voxel [µm].
    shape
        Number of voxels along x, y and z; with one along z, fields are two-dimensional.
    """

    origin: tuple[float, float, float]
    spacing: float
    shape: tuple[int, int, int]

    @classmethod
    def around(
        cls, centre: Sequence[float], extent: float | Sequence[float], spacing: float
    ) -> Lattice:
        """Lattice whose box has ``centre`` as its own centre and at least the ``extent``.

        Parameters
        ----------
        centre
            x, y and z [µm].
        extent
            Edges of the box, or one edge for a cube [µm]; rounded up to whole voxels, at least one.
        spacing
            Edge of a voxel [µm].

        Raises
        ------
        ParameterError
            If a number is not finite, the spacing not positive, or the voxels are too many.
        """
        edges = [float(extent)] * 3 if isinstance(extent, (int, float)) else [*map(float, extent)]
        middle = [*map(float, centre)]
        _check_three("centre", middle, all(map(math.isfinite, middle)), "finite")
        _check_three("extent", edges, all(0.0 <= e < math.inf for e in edges), "finite and >= 0")
        if not 0.0 < spacing < math.inf:
            refuse("spacing", spacing, "a positive finite length in µm", "give the edge of a voxel")
        counts = [max(1.0, math.ceil(edge / spacing * (1.0 - 1e-12))) for edge in edges]
        if math.prod(counts) > _MOST_VOXELS:
            expected = f"a box of at most {_MOST_VOXELS} voxels"
            refuse("extent", edges, expected, "take larger voxels or a smaller box")
        nx, ny, nz = map(int, counts)
        x, y, z = (m - 0.5 * n * spacing for m, n in zip(middle, counts, strict=True))
        return cls((x, y, z), float(spacing), (nx, ny, nz))

    @property
    def volume(self) -> float:
        """Volume of a voxel [µm³]."""
        return self.spacing**3

    def field(self, value: float = 0.0) -> FloatArray:
        """A field that has the same value everywhere."""
        return np.full(self.shape, value)

    def centres(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Centres of the voxels along each axis, shapes (nx,), (ny,), (nz,) [µm]."""
        x, y, z = (
            np.asarray(low + self.spacing * (np.arange(n) + 0.5), np.float64)
            for low, n in zip(self.origin, self.shape, strict=True)
        )
        return x, y, z


class Faces(NamedTuple):
    """What holds at the six faces of the box: a value of the field, or None: nothing flows.

    The faces across z of a two-dimensional lattice let nothing flow, whatever they are said to be.
    """

    x_low: float | None = None
    x_high: float | None = None
    y_low: float | None = None
    y_high: float | None = None
    z_low: float | None = None
    z_high: float | None = None

    @classmethod
    def all_at(cls, value: float | None) -> Faces:
        """The same at all faces."""
        return cls(*[value] * 6)

    def along_axes(self, lattice: Lattice) -> list[tuple[float | None, float | None]]:
        """Values at both ends of x, y and z."""
        across = (self.z_low, self.z_high) if lattice.shape[2] > 1 else (None, None)
        return [(self.x_low, self.x_high), (self.y_low, self.y_high), across]

    def check(self) -> None:
        """Raise ParameterError if a value is not finite."""
        for name, value in self._asdict().items():
            if value is not None and not math.isfinite(value):
                refuse(f"faces.{name}", value, "a finite value, or None for no flow", "give one")


def locate(lattice: Lattice, position: FloatArray, slots: SlotArray) -> npt.NDArray[np.int64]:
    """Voxel of each cell as an index into the flat field; outside the box the nearest one.

    Parameters
    ----------
    position
        Shape (slots, 3) [µm].
    slots
        Which of them, shape (cells,).

    Returns
    -------
        Shape (cells,).
    """
    voxel = np.empty(slots.size, np.int64)
    _locate(lattice.origin, lattice.spacing, lattice.shape, position, slots, voxel)
    return voxel


def sample(
    field: FloatArray, lattice: Lattice, position: FloatArray, slots: SlotArray, out: Any
) -> None:
    """Put the field at the cells into ``out[slots]``: trilinear between the centres of voxels.

    A cell nearer to a face than the outermost centres, or outside the box, sees the nearest point
    between centres.
    """
    _sample(field, lattice.origin, lattice.spacing, position, slots, out)


def deposit(
    amount: Any, lattice: Lattice, position: FloatArray, slots: SlotArray, out: FloatArray
) -> None:
    """Add ``amount[slot]`` of each cell to its voxel of ``out``, in the order of the slots.

    The whole amount goes to one voxel, so sums are exact where amounts are and uptake never reaches
    a voxel without a cell.
    """
    _deposit(amount, lattice.origin, lattice.spacing, position, slots, out)


@part
def index_along(x: float, low: float, spacing: float, count: int) -> int:
    """Voxel of a coordinate along one axis, clamped; that of a NaN is the first."""
    along = (x - low) / spacing
    if not along > 0.0:
        return 0
    return count - 1 if along >= count else int(along)


@part
def voxel_of(
    position: FloatArray, slot: int, origin: Any, spacing: float, nx: int, ny: int, nz: int
) -> int:
    """Flat index of the voxel that a cell is in."""
    i = index_along(position[slot, 0], origin[0], spacing, nx)
    j = index_along(position[slot, 1], origin[1], spacing, ny)
    k = index_along(position[slot, 2], origin[2], spacing, nz)
    return (i * ny + j) * nz + k


@kernel
def _locate(
    origin: Any, spacing: float, shape: Any, position: FloatArray, slots: SlotArray, voxel: Any
) -> None:
    for n in range(slots.size):
        voxel[n] = voxel_of(position, slots[n], origin, spacing, shape[0], shape[1], shape[2])


@kernel
def _deposit(
    amount: Any, origin: Any, spacing: float, position: FloatArray, slots: SlotArray, out: Any
) -> None:
    flat = out.reshape(out.size)
    nx, ny, nz = out.shape
    for n in range(slots.size):
        slot = slots[n]
        flat[voxel_of(position, slot, origin, spacing, nx, ny, nz)] += amount[slot]


@part
def _between(x: float, low: float, spacing: float, count: int) -> tuple[int, int, float]:
    """The two centres around a coordinate and the weight of the second."""
    along = (x - low) / spacing - 0.5
    if not along > 0.0:
        return 0, 0, 0.0
    if along >= count - 1:
        return count - 1, count - 1, 0.0
    first = int(along)
    return first, first + 1, along - first


@kernel
def _sample(
    field: FloatArray, origin: Any, spacing: float, position: FloatArray, slots: SlotArray, out: Any
) -> None:
    nx, ny, nz = field.shape
    for n in range(slots.size):
        slot = slots[n]
        i, i2, u = _between(position[slot, 0], origin[0], spacing, nx)
        j, j2, v = _between(position[slot, 1], origin[1], spacing, ny)
        k, k2, w = _between(position[slot, 2], origin[2], spacing, nz)
        low = (1.0 - v) * (field[i, j, k] + w * (field[i, j, k2] - field[i, j, k]))
        low += v * (field[i, j2, k] + w * (field[i, j2, k2] - field[i, j2, k]))
        high = (1.0 - v) * (field[i2, j, k] + w * (field[i2, j, k2] - field[i2, j, k]))
        high += v * (field[i2, j2, k] + w * (field[i2, j2, k2] - field[i2, j2, k]))
        out[slot] = low + u * (high - low)


def refuse(field: str, got: object, expected: str, fix: str) -> None:
    """Raise a ParameterError about an argument that makes no field."""
    raise ParameterError(Problem("", field, literal(got), expected, fix, "E-FIELD"))


def _check_three(name: str, values: list[float], is_right: bool, what: str) -> None:
    if len(values) != 3 or not is_right:
        refuse(name, values, f"three lengths in µm, {what}", "give x, y and z")
