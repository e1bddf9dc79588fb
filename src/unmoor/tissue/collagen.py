"""Collagen: a gel that slows cells, bars their way where it is dense, and is taken away by them.

Density lies on voxels; a cell feels the voxel it is in and the one ahead of it. Equations:
docs/explanation/tissue.md.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from unmoor.compilation import kernel, part
from unmoor.tissue.bodies import Bodies, FloatArray, SingleArray, SlotArray
from unmoor.tissue.snapshot import LIVING

SPACING = 10.0  # µm, about the radius of a cell
_AHEAD = 1.5  # radii ahead of its centre at which a cell meets what is in its way
_TOUCH = 1.5  # radii up to which it takes collagen away


class Collagen(NamedTuple):
    """Collagen of a tissue.

    Attributes
    ----------
    corner
        Lowest corner of the gel, shape (3,) [µm].
    density
        Shape (x, y, z) [mg/mL]; without a gel there are no voxels.
    outside
        Density beyond the voxels [mg/mL].
    """

    corner: FloatArray
    density: SingleArray
    outside: float

    @classmethod
    def none(cls) -> Collagen:
        """No gel at all."""
        return cls(np.zeros(3), np.zeros((0, 0, 0), np.float32), 0.0)

    @classmethod
    def filling(cls, centre: FloatArray, extent: float, density: float) -> Collagen:
        """Return a gel of even density in a cube of side ``extent`` around a point [µm, mg/mL].

        Without density there is no gel.
        """
        if density <= 0.0:
            return cls.none()
        count = max(math.ceil(extent / SPACING), 1)
        corner = np.asarray(centre, dtype=np.float64) - 0.5 * count * SPACING
        return cls(corner, np.full((count, count, count), density, np.float32), density)


@part
def _voxel(gel: Collagen, x: float, y: float, z: float) -> tuple[int, int, int]:
    """Voxel of a point; the first index is −1 outside."""
    i = math.floor((x - gel.corner[0]) / SPACING)
    j = math.floor((y - gel.corner[1]) / SPACING)
    k = math.floor((z - gel.corner[2]) / SPACING)
    nx, ny, nz = gel.density.shape
    if i < 0 or j < 0 or k < 0 or i >= nx or j >= ny or k >= nz:
        return -1, 0, 0
    return int(i), int(j), int(k)


@part
def density_at(gel: Collagen, x: float, y: float, z: float) -> float:
    """Density at a point [mg/mL]."""
    i, j, k = _voxel(gel, x, y, z)
    found: float = gel.outside if i < 0 else np.float64(gel.density[i, j, k])
    return found


@part
def passage(c: Any, density: float) -> float:
    """Share of a cell's drive that gets through a gel ahead: pores narrow as density rises."""
    return 1.0 / (1.0 + math.pow(density / c.pore_density, c.pore_power))


@part
def mobility(c: Any, density: float) -> float:
    """1 / drag in a gel, relative to a cell among cells."""
    slowed: float = c.cell_drag / (
        c.cell_drag + c.collagen_drag * math.pow(density, c.collagen_power)
    )
    return slowed


@kernel
def degrade(
    c: Any, gel: Collagen, bodies: Bodies, phase: Any, slots: SlotArray, minutes: float
) -> None:
    """Let living cells take away the collagen that they touch."""
    keep = np.float32(math.exp(-c.degradation * minutes))
    nx, ny, nz = gel.density.shape
    for s in slots:
        if phase[s] != LIVING:
            continue
        far = _TOUCH * bodies.radius[s]
        low = [0, 0, 0]
        high = [nx, ny, nz]
        for x in range(3):
            at = bodies.position[s, x] - gel.corner[x]
            low[x] = max(math.floor((at - far) / SPACING), 0)
            high[x] = min(math.floor((at + far) / SPACING) + 1, high[x])
        for i in range(low[0], high[0]):
            dx = gel.corner[0] + (i + 0.5) * SPACING - bodies.position[s, 0]
            for j in range(low[1], high[1]):
                dy = gel.corner[1] + (j + 0.5) * SPACING - bodies.position[s, 1]
                for k in range(low[2], high[2]):
                    dz = gel.corner[2] + (k + 0.5) * SPACING - bodies.position[s, 2]
                    if dx * dx + dy * dy + dz * dz < far * far:
                        gel.density[i, j, k] *= keep


@kernel
def push_aside(gel: Collagen, bodies: Bodies, slots: SlotArray) -> None:
    """Take all collagen away where cells are put into a gel."""
    nx, ny, nz = gel.density.shape
    for s in slots:
        i, j, k = _voxel(gel, bodies.position[s, 0], bodies.position[s, 1], bodies.position[s, 2])
        if i < 0:
            continue
        far = bodies.reach[s]
        for x in range(max(i - 2, 0), min(i + 3, nx)):
            dx = gel.corner[0] + (x + 0.5) * SPACING - bodies.position[s, 0]
            for y in range(max(j - 2, 0), min(j + 3, ny)):
                dy = gel.corner[1] + (y + 0.5) * SPACING - bodies.position[s, 1]
                for z in range(max(k - 2, 0), min(k + 3, nz)):
                    dz = gel.corner[2] + (z + 0.5) * SPACING - bodies.position[s, 2]
                    if dx * dx + dy * dy + dz * dz < far * far:
                        gel.density[x, y, z] = 0.0


@kernel
def meet(
    c: Any, gel: Collagen, bodies: Bodies, slots: SlotArray, here: SingleArray, through: SingleArray
) -> None:
    """Density where cells are, and the share of their drive that gets through ahead of them.

    Parameters
    ----------
    here, through
        Where results go, shape (slots,).
    """
    for s in slots:
        x, y, z = bodies.position[s, 0], bodies.position[s, 1], bodies.position[s, 2]
        far = _AHEAD * bodies.radius[s]
        u, v, w = bodies.heading[s, 0], bodies.heading[s, 1], bodies.heading[s, 2]
        here[s] = density_at(gel, x, y, z)
        through[s] = passage(c, density_at(gel, x + far * u, y + far * v, z + far * w))
