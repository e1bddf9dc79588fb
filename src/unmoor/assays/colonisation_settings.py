"""What assays of colonisation are told: cells injected into the blood of an animal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from unmoor.assays.base import (
    CLONES,
    DEFAULT_CLONES,
    LABEL,
    Bench,
    Outcome,
    duration,
)
from unmoor.assays.host_field import DEFAULT_HOST, HOST, AnimalAssay
from unmoor.assays.quantities import CULTURE_COURSES
from unmoor.fields import Field, OneOf, Quantity, Text

if TYPE_CHECKING:
    from unmoor.catalog.draws import Draw

_MOST_CELLS = 1e8
_INOCULUM = Field("inoculum", Quantity("cells", 1.0, _MOST_CELLS), '"1e5 cells"')
_LENGTH = duration("time from injection to read-out", '"21 d"')
DEFAULT_ORGAN = "collagen_i"  # most of bone, where cells in arterial blood mostly settle
_ORGAN = Field(
    "matrix",
    Text("a matrix of the catalog", 80),
    '"collagen_i"',
    required=False,
    default=DEFAULT_ORGAN,
)


def _named(name: str) -> Field:
    return Field("name", OneOf((name,)), f'"{name}"')


@dataclass(frozen=True, slots=True, init=False)
class TailVein(AnimalAssay):
    """Cells injected into the tail vein: survival in transit, arrest and outgrowth in the lung.

    Parameters
    ----------
    inoculum
        Cells injected, ``"1e5 cells"`` or a number.
    duration
        Time from injection to read-out, ``"21 d"`` or a number in days.
    host
        Mouse strain for every line, or a mapping with ``"default"`` and strains of single lines.
    clones
        Clones of the line.
    label
        Name in the results; needed only when a study has several assays of one kind.

    Raises
    ------
    StudyError
        With everything that is wrong.
    """

    name: ClassVar[str] = "tail_vein"
    outcomes: ClassVar[tuple[str, ...]] = ("lung_metastases", "lung_outgrowth")
    courses: ClassVar[tuple[str, ...]] = CULTURE_COURSES
    table: ClassVar[tuple[Field, ...]] = (
        _named("tail_vein"), LABEL, HOST, _INOCULUM, _LENGTH, CLONES,
    )  # fmt: skip
    label: str
    host: Mapping[str, str]
    inoculum: float
    duration: float
    clones: int

    def __init__(
        self,
        *,
        inoculum: str | float,
        duration: str | float,
        host: str | Mapping[str, str] = DEFAULT_HOST,
        clones: int = DEFAULT_CLONES,
        label: str | None = None,
    ) -> None:
        given = {"host": host, "inoculum": inoculum, "duration": duration}
        self._fill({**given, "clones": clones, "label": label})

    @property
    def entries(self) -> tuple[tuple[str, str], ...]:
        """Kind and name of the catalog tables it needs beside those that all assays need."""
        return (("closures", "culture"),)

    def run(self, bench: Bench, draws: Sequence[Draw]) -> Outcome:
        """Run parameter sets."""
        from unmoor.assays.colonisation import tail_vein

        return tail_vein(self, bench, draws)


@dataclass(frozen=True, slots=True, init=False)
class Intracardiac(AnimalAssay):
    """Cells injected into the left ventricle: a share reaches the lung, the rest other organs.

    Parameters
    ----------
    inoculum
        Cells injected, ``"1e5 cells"`` or a number.
    duration
        Time from injection to read-out, ``"21 d"`` or a number in days.
    host
        Mouse strain for every line, or a mapping with ``"default"`` and strains of single lines.
    matrix
        What cells stand on outside the lung, a matrix of the catalog.
    clones
        Clones of the line.
    label
        Name in the results; needed only when a study has several assays of one kind.

    Raises
    ------
    StudyError
        With everything that is wrong.
    """

    name: ClassVar[str] = "intracardiac"
    outcomes: ClassVar[tuple[str, ...]] = (
        "lung_metastases", "lung_outgrowth", "systemic_metastases", "systemic_outgrowth",
    )  # fmt: skip
    courses: ClassVar[tuple[str, ...]] = CULTURE_COURSES
    table: ClassVar[tuple[Field, ...]] = (
        _named("intracardiac"), LABEL, HOST, _ORGAN, _INOCULUM, _LENGTH, CLONES,
    )  # fmt: skip
    label: str
    host: Mapping[str, str]
    matrix: str
    inoculum: float
    duration: float
    clones: int

    def __init__(
        self,
        *,
        inoculum: str | float,
        duration: str | float,
        host: str | Mapping[str, str] = DEFAULT_HOST,
        matrix: str = DEFAULT_ORGAN,
        clones: int = DEFAULT_CLONES,
        label: str | None = None,
    ) -> None:
        given = {"host": host, "matrix": matrix, "inoculum": inoculum, "duration": duration}
        self._fill({**given, "clones": clones, "label": label})

    @property
    def entries(self) -> tuple[tuple[str, str], ...]:
        """Kind and name of the catalog tables it needs beside those that all assays need."""
        return (("matrices", self.matrix), ("closures", "culture"))

    def run(self, bench: Bench, draws: Sequence[Draw]) -> Outcome:
        """Run parameter sets."""
        from unmoor.assays.colonisation import intracardiac

        return intracardiac(self, bench, draws)
