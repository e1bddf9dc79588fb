"""What assays of tissues are told: spheroids in a gel, monolayers, two populations that sort."""

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
from unmoor.assays.quantities import (
    INVASION_OUTCOMES,
    MONOLAYER_OUTCOMES,
    SORTING_OUTCOMES,
    TISSUE_UNITS,
)
from unmoor.fields import Field, Nested, OneOf, Quantity, Whole
from unmoor.findings import FieldPath, Findings, show
from unmoor.therapy.regimen import Edit, read_edit

if TYPE_CHECKING:
    from unmoor.catalog.draws import Draw

LONGEST_TISSUE = 30.0  # d
REFERENCE_TISSUES = 6  # of the reference set in each arm, at least
_MOST_CELLS, _MOST_TISSUES, _MOST_EDITS = 20_000, 1_000, 10
_DEFAULT_CELLS, _DEFAULT_DAYS = 200, 3.0
_PLASTIC = "plastic"
# s for a cell, and for a tissue whatever its size, in a day on a core of 2020; estimates only
_A_CELL, _A_TISSUE = 1.5e-3, 0.25


def _cells(what: str, default: int) -> Field:
    reader = Whole(what, 1, _MOST_CELLS)
    return Field("cells", reader, str(default), required=False, default=default)


def _days(default: str, days: float) -> Field:
    field = duration("time in the assay", f'"{default}"', LONGEST_TISSUE)
    return Field(field.name, field.reader, field.example, required=False, default=days)


def _repeats(name: str, what: str) -> Field:
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
GAP = Field(
    "gap",
    Quantity("length", 20.0, 5_000.0, what="width of a scratch; a disc grows without one"),
    '"300 um"',
    required=False,
)
SECOND = Field(
    "second",
    Nested(f"1-{_MOST_EDITS} genetic edits of the second population; CDH1 at a tenth without it"),
    '[{ gene = "CDH1", change = "knock_down", factor = 0.1 }]',
    required=False,
)
_SECOND = ({"gene": "CDH1", "change": "knock_down", "factor": 0.1},)
START = Field(
    "start", OneOf(("random", "checkerboard")), '"random"', required=False, default="random"
)
_FLAT_MATRIX = Field(MATRIX.name, MATRIX.reader, '"plastic"', required=False, default=_PLASTIC)


def _named(name: str) -> Field:
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
            ("matrices", self.matrix), ("matrices", _PLASTIC), ("closures", "culture"),
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
        return f"{self.cells} cells, {super().design}"

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
        _named("spheroid_invasion"), LABEL, _cells("cells of a spheroid", _DEFAULT_CELLS), MATRIX,
        DIMENSIONS, COLLAGEN, _days("3 d", _DEFAULT_DAYS), READ, _repeats("spheroids", "spheroids"),
        CLONES,
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
        cells: int = _DEFAULT_CELLS,
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


@dataclass(frozen=True, slots=True, init=False)
class Monolayer(TissueAssay):
    """Cells on plastic or a coat: a disc that spreads, or the two sides of a scratch that close in.

    Parameters
    ----------
    cells
        Cells at the start.
    matrix
        What lies under the cells, a matrix of the catalog.
    gap
        Width of the scratch, ``"300 um"`` or a number in µm; None for a disc.
    duration
        Time in the assay, ``"2 d"`` or a number in days.
    read
        Time of read-out, or several; None reads at the end.
    wells
        Wells in each arm of a parameter set; the reference set has 6 or more.
    clones
        Clones of the line.
    label
        Name in the results; needed only when a study has several assays of one kind.

    Raises
    ------
    StudyError
        With everything that is wrong.
    """

    name: ClassVar[str] = "monolayer"
    outcomes: ClassVar[tuple[str, ...]] = MONOLAYER_OUTCOMES
    courses: ClassVar[tuple[str, ...]] = MONOLAYER_OUTCOMES
    may_be_undefined: ClassVar[tuple[str, ...]] = (
        "advance", "speed", "coordination", "correlation_length", "cohesion",
    )  # fmt: skip
    repeats_field: ClassVar[str] = "wells"
    table: ClassVar[tuple[Field, ...]] = (
        _named("monolayer"), LABEL, _cells("cells of a well", _DEFAULT_CELLS), _FLAT_MATRIX, GAP,
        _days("2 d", 2.0), READ, _repeats("wells", "wells"), CLONES,
    )  # fmt: skip
    label: str
    cells: int
    matrix: str
    gap: float | None
    duration: float
    read: tuple[float, ...] | None
    wells: int
    clones: int

    def __init__(
        self,
        *,
        cells: int = _DEFAULT_CELLS,
        matrix: str = _PLASTIC,
        gap: str | float | None = None,
        duration: str | float = 2.0,
        read: str | float | Sequence[str | float] | None = None,
        wells: int = 1,
        clones: int = DEFAULT_CLONES,
        label: str | None = None,
    ) -> None:
        given: dict[str, Any] = {"cells": cells, "matrix": matrix, "duration": duration}
        given |= {"wells": wells, "clones": clones, "label": label}
        given |= {} if read is None else {"read": read}
        self._fill(given if gap is None else {**given, "gap": gap})

    def run(self, bench: Bench, draws: Sequence[Draw]) -> Outcome:
        """Run parameter sets."""
        from unmoor.assays.monolayer import spread

        return spread(self, bench, draws)


@dataclass(frozen=True, slots=True, init=False)
class CellSorting(TissueAssay):
    """Two populations of one line, mixed: whether those that hold on to each other find together.

    Parameters
    ----------
    cells
        Cells of both populations together.
    second
        Genetic edits that set the second population apart, beside what an arm gives to both; None
        leaves it a tenth of its CDH1.
    start
        ``"random"`` mixes the populations, ``"checkerboard"`` lets them take turns.
    matrix
        What lies under the cells, a matrix of the catalog.
    duration
        Time in the assay, ``"1 d"`` or a number in days.
    read
        Time of read-out, or several; None reads at the end.
    wells
        Wells in each arm of a parameter set; the reference set has 6 or more.
    clones
        Clones of the line.
    label
        Name in the results; needed only when a study has several assays of one kind.

    Raises
    ------
    StudyError
        With everything that is wrong.
    """

    name: ClassVar[str] = "cell_sorting"
    outcomes: ClassVar[tuple[str, ...]] = SORTING_OUTCOMES
    courses: ClassVar[tuple[str, ...]] = SORTING_OUTCOMES
    may_be_undefined: ClassVar[tuple[str, ...]] = ("heterotypic_fraction", "cohesion")
    repeats_field: ClassVar[str] = "wells"
    table: ClassVar[tuple[Field, ...]] = (
        _named("cell_sorting"), LABEL, _cells("cells of both populations", 100), SECOND, START,
        _FLAT_MATRIX, _days("1 d", 1.0), READ, _repeats("wells", "wells"), CLONES,
    )  # fmt: skip
    label: str
    cells: int
    second: tuple[Edit, ...]
    start: str
    matrix: str
    duration: float
    read: tuple[float, ...] | None
    wells: int
    clones: int

    def __init__(
        self,
        *,
        cells: int = 100,
        second: Sequence[Edit | Mapping[str, Any]] | None = None,
        start: str = "random",
        matrix: str = _PLASTIC,
        duration: str | float = 1.0,
        read: str | float | Sequence[str | float] | None = None,
        wells: int = 1,
        clones: int = DEFAULT_CLONES,
        label: str | None = None,
    ) -> None:
        given: dict[str, Any] = {"cells": cells, "matrix": matrix, "duration": duration}
        given |= {"wells": wells, "clones": clones, "label": label, "start": start}
        given |= {} if read is None else {"read": read}
        self._fill(given if second is None else {**given, "second": second})

    @classmethod
    def parse(
        cls, raw: Mapping[str, Any], path: FieldPath, findings: Findings, *, bare: bool
    ) -> dict[str, Any]:
        """Read the keys of an ``[[assays]]`` table; complete only if nothing was found wrong."""
        values = parse_culture(raw, cls.table, path, findings, bare=bare)
        if "second" in values:
            given = values.pop("second")
            given = _SECOND if given is None else given
            second = _read_edits(given, (*path, "second"), findings, bare=bare)
            values |= {} if second is None else {"second": second}
        return values

    def _written(self, field: Field) -> list[str]:
        if field.name == "second":
            return [f"second = [{', '.join(each.to_toml_item() for each in self.second)}]"]
        return TissueAssay._written(self, field)

    def run(self, bench: Bench, draws: Sequence[Draw]) -> Outcome:
        """Run parameter sets."""
        from unmoor.assays.cell_sorting import sort

        return sort(self, bench, draws)


def _read_edits(
    raw: object, path: FieldPath, findings: Findings, *, bare: bool
) -> tuple[Edit, ...] | None:
    """Read a list of edits; None if anything is wrong with it."""
    if not isinstance(raw, (list, tuple)) or not 1 <= len(raw) <= _MOST_EDITS:
        code = "E-TYPE" if not isinstance(raw, (list, tuple)) else "E-RANGE" if raw else "E-EMPTY"
        fix = f"write, for example, second = {SECOND.example}"
        findings.add(path, show(raw), SECOND.expected, fix, code)
        return None
    edits, before = [], len(findings.problems)
    for number, item in enumerate(raw):
        if isinstance(item, Edit):
            edits.append(item)
            continue
        values = read_edit(item, (*path, number), findings, bare=bare)
        if len(findings.problems) == before:
            edits.append(Edit(**values))
    return tuple(edits) if len(findings.problems) == before else None
