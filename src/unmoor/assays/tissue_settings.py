"""What assays of tissues are told, and those of spheroids in a gel."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from unmoor import catalog
from unmoor.assays.base import (
    CLONES,
    DEFAULT_CLONES,
    LABEL,
    Assay,
    Bench,
    Outcome,
    duration,
)
from unmoor.assays.culture_settings import (
    DEFAULT_MATRIX,
    DIMENSIONS,
    MATRIX,
    READ,
    parse_culture,
    write_times,
)
from unmoor.assays.interval import EXCHANGE
from unmoor.assays.quantities import INVASION_OUTCOMES, TISSUE_UNITS
from unmoor.fields import Field, OneOf, Quantity, Whole
from unmoor.findings import FieldPath, Findings
from unmoor.units import format_quantity

if TYPE_CHECKING:
    from unmoor.catalog.draws import Draw

LONGEST_TISSUE = 30.0  # d
REFERENCE_TISSUES = 6  # of the reference set in each arm, at least
_MOST_CELLS, _MOST_TISSUES = 20_000, 1_000
DEFAULT_CELLS, _DEFAULT_DAYS = 200, 3.0
PLASTIC = "plastic"
# s for a cell, and for a tissue whatever its size, in a day on a core of 2020; estimates only
_A_CELL, _A_TISSUE = 1e-3, 0.08


def cells_field(what: str, default: int) -> Field:
    """Return the field of how many cells a tissue starts from."""
    reader = Whole(what, 1, _MOST_CELLS)
    return Field("cells", reader, str(default), required=False, default=default)


def days_field(default: str, days: float) -> Field:
    """Return the field of an assay's length, which has a usual value."""
    field = duration("time in the assay", f'"{default}"', LONGEST_TISSUE)
    return Field(field.name, field.reader, field.example, required=False, default=days)


def repeats_field_of(name: str, what: str) -> Field:
    """Return the field of how many tissues there are in each arm."""
    told = (
        f"{what} in each arm of a parameter set (of the reference set {REFERENCE_TISSUES} or more)"
    )
    return Field(name, Whole(told, 1, _MOST_TISSUES), "1", required=False, default=1)


COLLAGEN = Field(
    "collagen",
    Quantity("density", 0.1, 20.0, what="density of the gel"),
    '"2.5 mg/mL"',
    required=False,
    default=2.5,
)


def named(name: str) -> Field:
    """Return the field of a kind's name."""
    return Field("name", OneOf((name,)), f'"{name}"')


class TissueAssay(Assay):
    """Assays that follow each cell; the kinds differ in how cells start and what is read.

    Attributes
    ----------
    cells
        Cells that a tissue starts from.
    repeats
        Tissues in each arm of a parameter set.
    """

    __slots__ = ()
    units: ClassVar[Mapping[str, str]] = TISSUE_UNITS
    step: ClassVar[float] = EXCHANGE / 1440.0
    repeats_field: ClassVar[str]
    cells: int
    matrix: str
    read: tuple[float, ...] | None

    @classmethod
    def parse(
        cls, raw: Mapping[str, Any], path: FieldPath, findings: Findings, *, bare: bool
    ) -> dict[str, Any]:
        """Read the keys of an ``[[assays]]`` table; complete only if nothing was found wrong."""
        return parse_culture(raw, cls.table, path, findings, bare=bare)

    @property
    def entries(self) -> tuple[tuple[str, str], ...]:
        """Kind and name of the catalog tables it needs beside those that all assays need."""
        return (
            ("matrices", self.matrix), ("matrices", PLASTIC), ("closures", "culture"),
            ("closures", "tissue"),
        )  # fmt: skip

    @property
    def repeats(self) -> int:
        """Tissues in each arm of a parameter set."""
        return int(getattr(self, self.repeats_field))

    @property
    def days(self) -> tuple[float, ...]:
        """Times of read-out [d]."""
        return self.read or (self.duration,)

    @property
    def seconds(self) -> float:
        """Time that one arm takes in one parameter set on a core of 2020, roughly [s].

        As if all cells had room throughout.
        """
        rates = catalog.table("closures", "culture")
        growth = rates["division_rate"].value - rates["death_rate"].value
        cell_days = self.cells * math.expm1(growth * self.duration) / growth
        return self.repeats * (_A_TISSUE * self.duration + _A_CELL * cell_days)

    @property
    def reference_sets(self) -> float:
        """How many ordinary parameter sets the reference set costs."""
        return max(self.repeats, REFERENCE_TISSUES) / self.repeats

    @property
    def design(self) -> str:
        """Numbers of the design in a few words."""
        density = getattr(self, "collagen", None)
        told = super().design
        if density is not None and "(2-D)" not in told:
            told = f"{told}, {format_quantity(density, 'density')}"
        return f"{self.cells} cells {told}"

    def _written(self, field: Field) -> list[str]:
        value = getattr(self, field.name)
        if field.name == "read" and value is not None:
            return [write_times("read", value)]
        return [] if value is None else [field.write(value)]


@dataclass(frozen=True, slots=True, init=False)
class SpheroidInvasion(TissueAssay):
    """Spheroids in a gel: how far cells invade, together or one by one.

    Parameters
    ----------
    cells
        Cells of a spheroid at the start.
    matrix
        What the gel is made of, or what lies under the cells; a matrix of the catalog.
    dimensions
        ``"3d"`` for a spheroid in a gel, ``"2d"`` for a patch of cells on a coat; None as the
        matrix is mostly used.
    collagen
        Density of the gel, ``"2.5 mg/mL"`` or a number in mg/mL; it does not matter on a coat.
    duration
        Time in the assay, ``"3 d"`` or a number in days.
    read
        Time of read-out, or several; None reads at the end.
    spheroids
        Spheroids in each arm of a parameter set; the reference set has 6 or more, by which what
        chance does is told from what is not known.
    clones
        Clones of the line.
    label
        Name in the results; needed only when a study has several assays of one kind.

    Raises
    ------
    StudyError
        With everything that is wrong.

    Examples
    --------
    >>> SpheroidInvasion(collagen="4 mg/mL", read=["1 d", "3 d"]).collagen
    4.0
    """

    name: ClassVar[str] = "spheroid_invasion"
    outcomes: ClassVar[tuple[str, ...]] = INVASION_OUTCOMES
    courses: ClassVar[tuple[str, ...]] = INVASION_OUTCOMES
    may_be_undefined: ClassVar[tuple[str, ...]] = (
        "invasion", "single_cell_fraction", "dissemination", "cohesion", "coordination", "speed",
        "collective_index", "correlation_length",
    )  # fmt: skip
    repeats_field: ClassVar[str] = "spheroids"
    table: ClassVar[tuple[Field, ...]] = (
        named("spheroid_invasion"), LABEL, cells_field("cells of a spheroid", DEFAULT_CELLS),
        MATRIX, DIMENSIONS, COLLAGEN, days_field("3 d", _DEFAULT_DAYS), READ,
        repeats_field_of("spheroids", "spheroids"), CLONES,
    )  # fmt: skip
    label: str
    cells: int
    matrix: str
    dimensions: str | None
    collagen: float
    duration: float
    read: tuple[float, ...] | None
    spheroids: int
    clones: int

    def __init__(
        self,
        *,
        cells: int = DEFAULT_CELLS,
        matrix: str = DEFAULT_MATRIX,
        dimensions: str | None = None,
        collagen: str | float = 2.5,
        duration: str | float = _DEFAULT_DAYS,
        read: str | float | Sequence[str | float] | None = None,
        spheroids: int = 1,
        clones: int = DEFAULT_CLONES,
        label: str | None = None,
    ) -> None:
        given: dict[str, Any] = {"cells": cells, "matrix": matrix, "collagen": collagen}
        given |= {"duration": duration, "spheroids": spheroids, "clones": clones, "label": label}
        given |= {} if read is None else {"read": read}
        self._fill(given if dimensions is None else {**given, "dimensions": dimensions})

    def run(self, bench: Bench, draws: Sequence[Draw]) -> Outcome:
        """Run parameter sets."""
        from unmoor.assays.spheroid_invasion import invade

        return invade(self, bench, draws)
