"""What assays of cells in culture are told: signalling, viability, colonies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar

from unmoor.assays.base import (
    CLONES,
    DEFAULT_CLONES,
    LABEL,
    Assay,
    Bench,
    Outcome,
    duration,
    read_fields,
)
from unmoor.assays.quantities import CULTURE_COURSES
from unmoor.errors import literal
from unmoor.fields import Field, OneOf, Quantity, RejectedError, Text
from unmoor.findings import FieldPath, Findings
from unmoor.units import format_quantity

if TYPE_CHECKING:
    from unmoor.catalog.draws import Draw

LONGEST_CULTURE = 100.0  # d
_MOST_TIMES = 50
DEFAULT_MATRIX = "collagen_i"


@dataclass(frozen=True, slots=True)
class Times:
    """One time, or a list of them."""

    most: float

    @property
    def expected(self) -> str:
        """What is allowed."""
        reader = self._reader
        return f"{reader.expected}; one, or a list of 1-{_MOST_TIMES} in rising order"

    @property
    def _reader(self) -> Quantity:
        return Quantity("time", 0.0, self.most, open_low=True, what="time of read-out")

    def read(self, value: object, *, bare: bool) -> tuple[float, ...]:
        """Return the times in days."""
        if not isinstance(value, (list, tuple)):
            return (self._reader.read(value, bare=bare),)
        if not value:
            raise RejectedError("E-EMPTY")
        times = tuple(self._reader.read(each, bare=bare) for each in value)
        is_rising = all(a < b for a, b in pairwise(times))
        if len(times) > _MOST_TIMES or not is_rising:
            raise RejectedError("E-RANGE")
        return times


READ = Field("read", Times(LONGEST_CULTURE), '["3 d", "14 d"]', required=False)
MATRIX = Field(
    "matrix",
    Text("a matrix of the catalog", 80),
    '"collagen_i"',
    required=False,
    default=DEFAULT_MATRIX,
)
DIMENSIONS = Field(
    "dimensions", OneOf(("2d", "3d")), '"3d"', required=False
)  # on a coat or within a gel


def _fields(name: str) -> tuple[Field, ...]:
    named = Field("name", OneOf((name,)), f'"{name}"')
    length = duration("time in the assay", '"14 d"', LONGEST_CULTURE)
    return (named, LABEL, MATRIX, DIMENSIONS, length, READ, CLONES)


def parse_culture(
    raw: Mapping[str, Any],
    table: tuple[Field, ...],
    path: FieldPath,
    findings: Findings,
    *,
    bare: bool,
) -> dict[str, Any]:
    """Read the keys of an assay with read-out times, none of which is after its end."""
    values = read_fields(raw, table, path, findings, bare=bare)
    read, end = values.get("read"), values.get("duration")
    if read is not None and end is not None and read[-1] > end:
        expected = f"a time up to the end of the assay, {format_quantity(end, 'time')}"
        got = f'"{format_quantity(read[-1], "time")}"'
        findings.add((*path, "read"), got, expected, "lengthen the duration", "E-TIME")
    return values


def write_times(name: str, times: Iterable[float]) -> str:
    """Return the line of a study file that stands for times."""
    written = ", ".join(literal(format_quantity(time, "time")) for time in times)
    return f"{name} = [{written}]"


@dataclass(frozen=True, slots=True, init=False)
class CultureAssay(Assay):
    """Cells in culture under all arms; the kinds differ in what they read out.

    Parameters
    ----------
    matrix
        What the cells are on or in, a matrix of the catalog.
    dimensions
        ``"2d"`` for a coat on serum-covered plastic, ``"3d"`` for a gel; None as the matrix is
        mostly used.
    duration
        Time in the assay, ``"14 d"`` or a number in days.
    read
        Time of read-out, or several; None reads at the end.
    clones
        Clones of the culture.
    label
        Name in the results; needed only when a study has several assays of one kind.

    Raises
    ------
    StudyError
        With everything that is wrong.
    """

    courses: ClassVar[tuple[str, ...]] = CULTURE_COURSES
    label: str
    matrix: str
    dimensions: str | None
    duration: float
    read: tuple[float, ...] | None
    clones: int

    def __init__(
        self,
        *,
        duration: str | float,
        matrix: str = DEFAULT_MATRIX,
        dimensions: str | None = None,
        read: str | float | Sequence[str | float] | None = None,
        clones: int = DEFAULT_CLONES,
        label: str | None = None,
    ) -> None:
        given: dict[str, Any] = {"matrix": matrix, "duration": duration, "clones": clones}
        given |= {"label": label} | ({} if read is None else {"read": read})
        self._fill(given if dimensions is None else {**given, "dimensions": dimensions})

    @classmethod
    def parse(
        cls, raw: Mapping[str, Any], path: FieldPath, findings: Findings, *, bare: bool
    ) -> dict[str, Any]:
        """Read the keys of an ``[[assays]]`` table; complete only if nothing was found wrong."""
        return parse_culture(raw, cls.table, path, findings, bare=bare)

    @property
    def entries(self) -> tuple[tuple[str, str], ...]:
        """Kind and name of the catalog tables it needs beside those that all assays need."""
        return (("matrices", self.matrix), ("matrices", "plastic"), ("closures", "culture"))

    def _written(self, field: Field) -> list[str]:
        value = getattr(self, field.name)
        if field.name == "read" and value is not None:
            return [write_times("read", value)]
        return [] if value is None else [field.write(value)]


@dataclass(frozen=True, slots=True, init=False)
class SignallingTimeCourse(CultureAssay):
    """Signalling of cells on a matrix over time: E-cadherin, TGFβ, miR-200 and ZEB, β3, FAK.

    Parameters and errors are those of :class:`CultureAssay`.
    """

    name: ClassVar[str] = "signalling_time_course"
    outcomes: ClassVar[tuple[str, ...]] = (
        "e_cadherin", "cohesion", "mesenchymal_programme", "zeb", "mir200", "mir200_to_zeb",
        "tgfb_activity", "itgb3", "fak",
    )  # fmt: skip
    table: ClassVar[tuple[Field, ...]] = _fields("signalling_time_course")

    def run(self, bench: Bench, draws: Sequence[Draw]) -> Outcome:
        """Run parameter sets."""
        from unmoor.assays.signalling_time_course import signalling

        return signalling(self, bench, draws)


@dataclass(frozen=True, slots=True, init=False)
class Viability(CultureAssay):
    """Living cells, division and death of a culture, on plastic or a coat or in a gel.

    Parameters and errors are those of :class:`CultureAssay`.
    """

    name: ClassVar[str] = "viability"
    outcomes: ClassVar[tuple[str, ...]] = (
        "viability", "proliferation", "apoptosis",
    )  # fmt: skip
    table: ClassVar[tuple[Field, ...]] = _fields("viability")

    def run(self, bench: Bench, draws: Sequence[Draw]) -> Outcome:
        """Run parameter sets."""
        from unmoor.assays.viability import viability

        return viability(self, bench, draws)


@dataclass(frozen=True, slots=True, init=False)
class ColonyFormation(CultureAssay):
    """Single cells seeded thinly; colonies of at least fifty cells are counted.

    Parameters and errors are those of :class:`CultureAssay`.
    """

    name: ClassVar[str] = "colony_formation"
    outcomes: ClassVar[tuple[str, ...]] = (
        "colonies",
    )  # fmt: skip
    table: ClassVar[tuple[Field, ...]] = _fields("colony_formation")

    def run(self, bench: Bench, draws: Sequence[Draw]) -> Outcome:
        """Run parameter sets."""
        from unmoor.assays.colony_formation import colonies

        return colonies(self, bench, draws)
