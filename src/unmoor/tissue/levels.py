"""Levels of a lattice for multigrid: their table, what holds at their walls, and workspace.

Kernels are given these arrays; those that read the columns are compiled anew when the text here
changes, since it names ``unmoor.compilation``.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from unmoor.tissue.lattice import Faces, FloatArray, Lattice

# Columns of the table: voxels along each axis; pitch of rows and planes by colour and ghosts; where
# the level starts in arrays by colour and in arrays in plain order; which axes the next one halves
NX, NY, NZ, PITCH, PLANE, START, PLAIN, HALVED_X, HALVED_Y, HALVED_Z = range(10)

_LARGE = 1.4  # size of a last voxel relative to others


class Room(NamedTuple):
    """Workspace: by colour, shape (2, half), error, rest and inverse diagonal; the rest is flat."""

    error: npt.NDArray[np.float32]
    rest: npt.NDArray[np.float32]
    inverse: npt.NDArray[np.float32]
    plain: npt.NDArray[np.float32]
    decays: npt.NDArray[np.float32]
    scratch: npt.NDArray[np.float32]


class Levels(NamedTuple):
    """A lattice and what is made of it by halving, with L levels of at most m voxels along an axis.

    Axes are sorted: those of one voxel come first, since rows along the last should be long.

    Attributes
    ----------
    inner
        Shape of the sorted lattice.
    table
        One row a level, shape (L, 10).
    links, single_links
        D / spacing² along each axis, and this in single precision, shape (L, 3) [1/min].
    diagonal
        What leaves a voxel along each axis, to neighbours and walls, shape (L, 3, m) [1/min].
    inflow
        What walls bring to the voxels of the finest level, shape (3, m) [field/min].
    ghosts
        Value beyond a wall in units of that before it, for an error, shape (L, 3, 2).
    drain, flow, link
        Of the finest level, over the last two axes as one: what leaves a voxel along them, what
        walls bring, and what ties it to the next (nothing at the end of a row), shape (m,) each.
    has_wall
        Whether a face is held at a value.
    room
        Workspace.
    """

    inner: tuple[int, int, int]
    table: npt.NDArray[np.int64]
    links: FloatArray
    single_links: npt.NDArray[np.float32]
    diagonal: FloatArray
    inflow: FloatArray
    ghosts: npt.NDArray[np.float32]
    drain: FloatArray
    flow: FloatArray
    link: FloatArray
    has_wall: bool
    room: Room

    @classmethod
    def of(cls, lattice: Lattice, diffusion: float, faces: Faces) -> Levels:
        """Levels from the lattice down to one voxel."""
        at = faces.along_axes(lattice)
        order = sorted(range(3), key=lambda axis: lattice.shape[axis] > 1)
        x, y, z = (lattice.shape[axis] for axis in order)
        walls = [at[axis] for axis in order]
        rows, fills, edges = _halved([x, y, z])
        table = np.array(rows)
        links = diffusion / (lattice.spacing * np.array(edges)) ** 2
        diagonal, inflow = np.zeros((len(rows), 3, max(x, y, z))), np.zeros((3, max(x, y, z)))
        ghosts = np.ones((len(rows), 3, 2), np.float32)
        for n, axis in ((n, axis) for n in range(len(rows)) for axis in range(3)):
            last, row = table[n, axis] - 1, diagonal[n, axis]
            row[1 : last + 1] += links[n, axis]
            row[:last] += links[n, axis]
            for side, (end, value) in enumerate(zip((0, last), walls[axis], strict=True)):
                if value is not None:
                    # Distance of the wall from the last centre, in units of the distance of centres
                    away = (fills[n][axis] if side else 1.0) - 0.5
                    row[end] += links[n, axis] / away
                    ghosts[n, axis, side] = (away - 1.0) / away
                    inflow[axis, end] += links[0, axis] / 0.5 * value if n == 0 else 0.0
        has_wall = any(value is not None for pair in walls for value in pair)
        drain, flow = (np.add.outer(a[1, :y], a[2, :z]).ravel() for a in (diagonal[0], inflow))
        return cls(
            (x, y, z), table, links, links.astype(np.float32), diagonal, inflow, ghosts,
            drain, flow, np.tile(np.append(np.full(z - 1, links[0, 2]), 0.0), y),
            has_wall, _room(rows),
        )  # fmt: skip


def _halved(
    counts: list[int],
) -> tuple[list[list[int]], list[list[float]], list[list[int]]]:
    """Rows of the table, size of the last voxel along each axis relative to others, edges."""
    rows: list[list[int]] = []
    fills, edges, start, plain = [[1.0] * 3], [[1] * 3], 0, 0
    while True:
        pitch = (counts[2] + 1) | 1
        plane = pitch * ((counts[1] + 1) | 1)
        halved = [int(count > 1) for count in counts]
        rows.append([*counts, pitch, plane, start, plain, *halved])
        if not any(halved):
            return rows, fills, edges
        start += half_of(counts[0], plane)
        plain += math.prod(count + 2 for count in counts)
        # An odd voxel out is left alone if the last one is large already, so that it stays near 1
        alone = [n % 2 == 1 and f >= _LARGE for n, f in zip(counts, fills[-1], strict=True)]
        sizes = zip(counts, fills[-1], alone, strict=True)
        fills.append([f if n == 1 else 0.5 * (f + (0 if a else 1 + n % 2)) for n, f, a in sizes])
        edges.append([e * (1 + h) for e, h in zip(edges[-1], halved, strict=True)])
        counts = [max(1, n // 2 + a) for n, a in zip(counts, alone, strict=True)]


def half_of(planes: int, plane: int) -> int:
    """Places for one colour of a level with a plane of ghosts before and behind."""
    return (planes + 2) * plane // 2 + 1


def _room(rows: list[list[int]]) -> Room:
    last, first = rows[-1], rows[0]
    half = last[START] + half_of(last[NX], last[PLANE])
    error, rest, inverse = (np.zeros((2, half), np.float32) for _ in range(3))
    plain = np.zeros(last[PLAIN] + math.prod(count + 2 for count in last[:3]), np.float32)
    scratch = np.zeros(half_of(first[NX], first[PLANE]), np.float32)
    room: Any = (error, rest, inverse, plain, plain.copy(), scratch)
    return Room(*room)
