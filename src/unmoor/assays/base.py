"""What every assay is: settings that can be read and written, and one way to run a batch of draws.

The trial knows assays by :class:`Assay` alone. It hands over a :class:`Bench` and gets back an
:class:`Outcome`; which equations lie between is the assay's own affair.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from unmoor import catalog
from unmoor.assays.interval import INTERVAL
from unmoor.assays.quantities import UNITS
from unmoor.errors import UnmoorError
from unmoor.fields import Field, Quantity, Text, Whole, read_table
from unmoor.findings import FieldPath, Findings, FrozenMap
from unmoor.units import format_quantity

if TYPE_CHECKING:
    from unmoor.assays.treatment import Arm
    from unmoor.catalog.draws import Draw
    from unmoor.cell.line import CellLine, Structure
    from unmoor.cell.line_rule import LineParameters
    from unmoor.elementwise import FloatArray
    from unmoor.tissue.snapshot import Snapshot

DEFAULT_CLONES = 16
LONGEST = 365.0  # d
_A_DAY = 35e-6  # s for a day of one tumour or culture on a core of 2020; for estimates only

LABEL = Field(
    "label", Text("a name for this assay in the results", 60), '"nude mice"', required=False
)
CLONES = Field(
    "clones",
    Whole("clones in each tumour", 1, 1_000),
    str(DEFAULT_CLONES),
    required=False,
    default=DEFAULT_CLONES,
)


def duration(what: str, example: str, longest: float = LONGEST) -> Field:
    """Return the field of an assay's length."""
    reader = Quantity("time", 0.0, longest, open_low=True, what=what)
    return Field("duration", reader, example)


@dataclass(frozen=True)
class Bench:
    """What an assay is given to work on: one cell line under all arms of a study.

    Attributes
    ----------
    arms
        Treatments by name of the arm, in the order of the outcome.
    structure
        Structural options of the model.
    interaction
        Reference model of drugs given together.
    escape
        Where what leaves a tumour comes from: ``table`` or ``direct``.
    days
        Length instead of the assay's own, if not None [d].
    is_rival
        Whether only shares of draws are asked for, so that a coarser run will do.
    is_reference
        Whether this is the reference parameter set, of which single animals are kept.
    pool
        Animals of the reference set from which virtual studies are drawn.
    """

    line: CellLine
    arms: Mapping[str, Arm]
    structure: Structure
    seed: int
    beside: Path | None = None
    interaction: str = "bliss"
    escape: str = "table"
    days: float | None = None
    is_rival: bool = False
    is_reference: bool = False
    pool: int = 0


@dataclass(frozen=True)
class Outcome:
    """What a batch of draws gave.

    Attributes
    ----------
    status
        0, or why an arm could not be solved in a draw, shape (draws, arms).
    readouts
        Expected value of each of the assay's ``outcomes``, shape (draws, arms, outcomes, days).
    days
        When they were read, shape (days,) [d].
    courses
        The assay's ``courses`` over time, shape (draws, arms, courses, times).
    times
        Days of ``courses``, shape (times,) [d].
    lines
        Parameters of the line in each draw.
    k_int
        Coupling of lost adhesion to TGFβ in each draw, shape (draws,).
    arrays
        What only some assays have, by name, with the draws as first axis.
    snapshots
        Frames of the first tissue of the reference set by name of the arm; none outside tissues.
    """

    status: Any
    readouts: FloatArray
    days: FloatArray
    courses: FloatArray
    times: FloatArray
    lines: Sequence[LineParameters]
    k_int: FloatArray
    arrays: Mapping[str, Any]
    snapshots: Mapping[str, Sequence[Snapshot]] = FrozenMap({})


class Assay(ABC):
    """Settings of an assay; each kind is one final frozen class.

    Attributes
    ----------
    name
        Kind of assay, as a study file names it.
    outcomes
        What it reads out; units are in ``assays.quantities``.
    courses
        What it follows over time.
    table
        Its fields in a study file.
    has_tumours
        Whether it yields primary tumours and metastases in animals, hence effects and a verdict.
    animals
        Animals in each arm that are told one by one; 0 where only what is expected is told.
    units
        Units of what it reads and follows.
    may_be_undefined
        Outcomes that are NaN where there is nothing to read them of, as a speed without cells.
    step
        Time between two looks at what cells do [d].
    """

    __slots__ = ()
    name: ClassVar[str]
    outcomes: ClassVar[tuple[str, ...]]
    courses: ClassVar[tuple[str, ...]]
    table: ClassVar[tuple[Field, ...]]
    has_tumours: ClassVar[bool] = False
    units: ClassVar[Mapping[str, str]] = UNITS
    may_be_undefined: ClassVar[tuple[str, ...]] = ()
    step: ClassVar[float] = INTERVAL
    animals: int = 0
    label: str
    duration: float
    clones: int

    @abstractmethod
    def run(self, bench: Bench, draws: Sequence[Draw]) -> Outcome:
        """Run parameter sets; a draw's numbers do not depend on which others are in the batch."""

    @classmethod
    @abstractmethod
    def parse(
        cls, raw: Mapping[str, Any], path: FieldPath, findings: Findings, *, bare: bool
    ) -> dict[str, Any]:
        """Read the keys of an ``[[assays]]`` table; complete only if nothing was found wrong."""

    def host_of(self, cell_line: str) -> str | None:
        """Return the host a line is put into; None outside animals."""
        return None

    @property
    def entries(self) -> tuple[tuple[str, str], ...]:
        """Kind and name of the catalog tables it needs beside those that all assays need."""
        return ()

    @property
    def seconds(self) -> float:
        """Time that one arm takes in one parameter set on a core of 2020, roughly [s]."""
        return _A_DAY * self.duration

    @property
    def reference_sets(self) -> float:
        """How many ordinary parameter sets the reference set costs; 0 if that does not matter."""
        return 0.0

    @property
    def design(self) -> str:
        """Numbers of the design in a few words."""
        parts = []
        for field in self.table:
            value = getattr(self, field.name)
            if field.name == "matrix":
                parts.append(self._ground(value))
            elif field.name == "inoculum":
                parts.append(format_quantity(value, "cells"))
            elif field.name == "duration":
                parts.append(f"{value:g} d")
            elif field.name == "animals":
                parts.append(f"{value} animals an arm")
        return ", ".join(parts)

    def _ground(self, matrix: str) -> str:
        """Where cells are: in a gel, on a coat, or on what an organ offers them."""
        if not hasattr(self, "dimensions"):
            return f"on {matrix}"
        given = self.dimensions
        with suppress(UnmoorError):  # a matrix beside the study is not in the catalog
            given = given or f"{catalog.about('matrices', matrix).get('dimensions', 3)}d"
        told = {"2d": f"on {matrix} (2-D)", "3d": f"in {matrix} (3-D)"}
        return told.get(str(given), f"on or in {matrix}, as the matrix says")

    def to_toml(self) -> str:
        """Return the ``[[assays]]`` table that stands for it in a study file."""
        lines = ["[[assays]]", f'name = "{self.name}"']
        for field in self.table:
            if field.name != "name" and (field.name != "label" or self.label != self.name):
                lines += self._written(field)
        return "\n".join(lines) + "\n"

    def _written(self, field: Field) -> list[str]:
        value = getattr(self, field.name)
        return [] if value is None else [field.write(value)]

    def _fill(self, given: Mapping[str, Any]) -> None:
        """Set the fields of a frozen object from its arguments, checked as in a study file."""
        raw = {name: value for name, value in given.items() if name != "self"}
        if raw.get("label") is None:
            raw.pop("label", None)
        findings = Findings(prefix=(type(self).__name__,))
        values = self.parse({"name": self.name, **raw}, (), findings, bare=True)
        findings.raise_errors()
        for field in self.table:
            if field.name != "name":
                object.__setattr__(self, field.name, values[field.name])

    @classmethod
    def made(cls, values: Mapping[str, Any]) -> Self:
        """Make settings from values that were read."""
        return cls(**{name: value for name, value in values.items() if name != "name"})


def read_fields(
    raw: object, table: tuple[Field, ...], path: FieldPath, findings: Findings, *, bare: bool
) -> dict[str, Any]:
    """Read a table of settings; an assay without a label has its name for one."""
    values = read_table(raw, table, path, findings, bare=bare)
    if "name" in values and values.get("label", "") is None:
        values["label"] = values["name"]
    return values
