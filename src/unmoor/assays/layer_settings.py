"""What assays of flat tissues are told: monolayers, and two populations that sort."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from unmoor.assays.base import CLONES, DEFAULT_CLONES, LABEL, Bench, Outcome
from unmoor.assays.culture_settings import MATRIX, READ, parse_culture
from unmoor.assays.quantities import MONOLAYER_OUTCOMES, SORTING_OUTCOMES
from unmoor.assays.tissue_settings import (
    DEFAULT_CELLS,
    PLASTIC,
    TissueAssay,
    cells_field,
    days_field,
    named,
    repeats_field_of,
)
from unmoor.fields import Field, Nested, OneOf, Quantity
from unmoor.findings import FieldPath, Findings, show
from unmoor.therapy.regimen import Edit, read_edit

if TYPE_CHECKING:
    from unmoor.catalog.draws import Draw

_MOST_EDITS = 10

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
_FLAT_MATRIX = Field(MATRIX.name, MATRIX.reader, '"plastic"', required=False, default=PLASTIC)


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
        named("monolayer"), LABEL, cells_field("cells of a well", DEFAULT_CELLS), _FLAT_MATRIX, GAP,
        days_field("2 d", 2.0), READ, repeats_field_of("wells", "wells"), CLONES,
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
        cells: int = DEFAULT_CELLS,
        matrix: str = PLASTIC,
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
        named("cell_sorting"), LABEL, cells_field("cells of both populations", 100), SECOND, START,
        _FLAT_MATRIX, days_field("1 d", 1.0), READ, repeats_field_of("wells", "wells"), CLONES,
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
        matrix: str = PLASTIC,
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
