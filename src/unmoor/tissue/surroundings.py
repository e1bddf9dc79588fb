"""What surrounds cells and spreads among them: oxygen, TGFβ, and drugs on their way in.

All three are much faster than cells, so they are always in balance with them. A field that is not
followed is the same everywhere and costs nothing. Equations: docs/explanation/tissue.md.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np

from unmoor.errors import ParameterError
from unmoor.tissue.bodies import Bodies, FloatArray, SingleArray, SlotArray
from unmoor.tissue.lattice import Faces, Lattice, deposit, locate, sample
from unmoor.tissue.lives import Behaviours, Lives, enlarged, remade
from unmoor.tissue.quasi_steady import Mask, QuasiSteady
from unmoor.tissue.snapshot import LIVING

FIELDS = ("oxygen", "tgfb", "drug")
SPACING = 20.0  # µm, about a cell and its share of what is between cells
_TOLERANCE = 1e-3  # of the largest value, at which a field is taken to be in balance


class AtCells(NamedTuple):
    """Fields where cells are.

    Attributes
    ----------
    oxygen
        Shape (slots,) [mmHg].
    tgfb
        Active TGFβ of other cells, shape (slots,), in units of the core.
    drug
        Drugs relative to the medium, shape (slots,) [-].
    bare
        Share of the sides of a cell's voxel that stirred medium washes, shape (slots,) [-].
    toward
        What draws cells along gradients, shape (slots, 3) [-].
    """

    oxygen: FloatArray
    tgfb: FloatArray
    drug: FloatArray
    bare: FloatArray
    toward: SingleArray


@dataclass
class Surroundings:
    """Fields on one lattice, and their values at the cells.

    Attributes
    ----------
    solvers, fields
        By name, of those that are followed.
    at_cells
        Values at the cells.
    is_stirred
        Whether fields have the value of the edge in all voxels that are open to it, those without
        a cell: the medium is stirred.
    """

    lattice: Lattice
    solvers: Mapping[str, QuasiSteady]
    fields: dict[str, FloatArray]
    at_cells: AtCells
    is_stirred: bool = False

    @classmethod
    def around(
        cls, c: Any, extent: float, followed: tuple[str, ...], slots: int, *, is_flat: bool,
        is_stirred: bool = False,
    ) -> Self:  # fmt: skip
        """Surroundings of a tissue around the origin.

        Parameters
        ----------
        c
            Constants, a record with the ids of ``closures/tissue``.
        extent
            Side of the box [µm].
        followed
            Which of ``FIELDS`` are followed.
        is_stirred
            Whether the medium around the cells is stirred.

        Raises
        ------
        ParameterError
            If a field is unknown.
        """
        if unknown := [name for name in followed if name not in FIELDS]:
            raise ParameterError(f"there is no field {unknown[0]!r}; there are {', '.join(FIELDS)}")
        edges = (extent, extent, min(extent, SPACING)) if is_flat else (extent, extent, extent)
        lattice = Lattice.around((0.0, 0.0, 0.0), edges, SPACING)
        makes = {
            "oxygen": (c.oxygen_diffusion, c.oxygen_decay, c.oxygen_boundary),
            "tgfb": (c.tgfb_diffusion, c.tgfb_decay, 0.0),
            "drug": (c.drug_diffusion, 0.0, 1.0),
        }
        solvers, fields = {}, {}
        for name in followed:
            diffusion, decay, edge = (float(value) for value in makes[name])
            faces = Faces.all_at(edge)
            solvers[name] = QuasiSteady(lattice, diffusion, decay=decay, faces=faces)
            fields[name] = lattice.field(edge)
        outside = float(c.oxygen_boundary)
        at_cells = AtCells(
            np.full(slots, outside), np.zeros(slots), np.ones(slots), np.zeros(slots),
            np.zeros((slots, 3), np.float32),
        )  # fmt: skip
        return cls(lattice, solvers, fields, at_cells, is_stirred)

    def update(
        self, c: Any, bodies: Bodies, lives: Lives, behaviours: Behaviours, slots: SlotArray
    ) -> None:
        """Bring the fields into balance with the cells, and look up what cells see."""
        held = self._washed(bodies, slots) if self.is_stirred else None
        if not self.solvers:
            return
        is_living = lives.phase == LIVING
        volume = np.where(is_living, 4.0 / 3.0 * math.pi * bodies.radius.astype(np.float64) ** 3, 0)
        share = self._gathered(volume, bodies, slots)  # of each voxel that living cells fill
        if "oxygen" in self.solvers:
            self.solvers["oxygen"].solve(
                self.fields["oxygen"], uptake=c.oxygen_uptake * share, held=held,
                tolerance=_TOLERANCE,
            )  # fmt: skip
        if "tgfb" in self.solvers:
            made = np.where(is_living, behaviours.tgfb, 0.0) * self._own_volume(c)
            source = c.tgfb_decay * self._gathered(made, bodies, slots)
            self.solvers["tgfb"].solve(
                self.fields["tgfb"], source=source, held=held, tolerance=_TOLERANCE
            )
        if "drug" in self.solvers:
            self.solvers["drug"].solve(
                self.fields["drug"], uptake=c.drug_uptake * share, held=held, tolerance=_TOLERANCE
            )
        for name, field in self.fields.items():
            sample(field, self.lattice, bodies.position, slots, getattr(self.at_cells, name))

    def _washed(self, bodies: Bodies, slots: SlotArray) -> Mask:
        """Voxels of the medium, where fields get the value of the edge; and who borders on them."""
        from scipy import ndimage

        cells = self.lattice.field()
        deposit(np.ones(bodies.radius.size), self.lattice, bodies.position, slots, cells)
        regions, _ = ndimage.label(np.pad(cells == 0.0, 1, constant_values=True))
        around = regions == regions[0, 0, 0]
        inner = (slice(1, -1),) * 3
        sides = sum(np.roll(around, by, axis)[inner] for axis in range(3) for by in (-1, 1)) / 6.0
        voxel = locate(self.lattice, bodies.position, slots)
        self.at_cells.bare[slots] = sides.ravel()[voxel]
        medium = np.ascontiguousarray(around[inner])
        for name, field in self.fields.items():
            field[medium] = self.solvers[name].faces.x_low
        return medium

    def _gathered(self, amount: FloatArray, bodies: Bodies, slots: SlotArray) -> FloatArray:
        """Sum of an amount over the cells of each voxel, per volume."""
        total = self.lattice.field()
        deposit(amount, self.lattice, bodies.position, slots, total)
        return total / self.lattice.volume

    @staticmethod
    def _own_volume(c: Any) -> float:
        """Volume that a cell takes up among cells: that of a ball of its radius, closely packed."""
        packed: float = 4.0 * math.sqrt(2.0) * c.radius**3
        return packed

    def enlarge(self, slots: int) -> None:
        """Make room for more cells."""
        self.at_cells = enlarged(self.at_cells, slots)

    def branch(self) -> Surroundings:
        """Return a copy that goes its own way."""
        fields = {name: field.copy() for name, field in self.fields.items()}
        own = remade(AtCells, self.at_cells)
        return Surroundings(self.lattice, self.solvers, fields, own, self.is_stirred)

    def state(self) -> dict[str, Any]:
        """All numbers that change, by name."""
        fields = {f"field/{name}": field.copy() for name, field in self.fields.items()}
        cells = {f"cells/{name}": getattr(self.at_cells, name).copy() for name in AtCells._fields}
        return {**fields, **cells}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take up numbers that ``state`` gave."""
        self.fields = {name: state[f"field/{name}"].copy() for name in self.solvers}
        self.at_cells = remade(AtCells, (state[f"cells/{name}"] for name in AtCells._fields))
