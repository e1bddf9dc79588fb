"""Read a table of tumour volumes; whatever is wrong with it is told with row and column.

One reading a row: which animal, how many days after inoculation, how large the tumour. Nothing is
guessed: a decimal comma, a date, an empty cell or an animal read twice in a day is an error.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import numpy as np

from unmoor.analysis.growth_data import GrowthData
from unmoor.errors import Problem, StudyError, literal, nearest
from unmoor.trial.study_file import read_file

HEADERS: dict[str, tuple[str, ...]] = {
    "animal": ("animal", "mouse", "animal_id", "mouse_id"),
    "day": ("day", "days"),
    "volume": ("volume_mm3", "tumour_volume_mm3", "volume", "tumour_volume"),
    "arm": ("arm", "group", "treatment"),
}
"""Headers by which a column is known, in either spelling and case; ``arm`` may be absent."""
_MOST_TOLD = 20
_LAST_DAY = 1000.0
_LARGEST, _LEAST_PEAK = 20_000.0, 20.0  # mm³: outside, the unit is more likely wrong
_SERIAL = 20_000.0  # days since 1900: numbers of this size are dates of a spreadsheet
_ANIMALS, _READINGS = 4, 12  # fewer tell nothing of how animals differ
_ALIKE = 0.8

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_COMMA = re.compile(r"[+-]?[0-9]+,[0-9]+")
_THOUSANDS = re.compile(r"[+-]?[0-9]{1,3}(?:[, ][0-9]{3})+(?:\.[0-9]+)?")
_DATE = re.compile(r"[0-9]{1,4}[-/.][0-9A-Za-z]{1,3}[-/.][0-9]{1,4}(?:[ T].*)?")


@dataclass(frozen=True)
class GrowthTable:
    """Readings as they stand in a file.

    Attributes
    ----------
    name, digest
        Name of the file, and SHA-256 of its text.
    columns
        Header of each column that was used.
    arm
        Arm whose rows were kept; empty if the table has no arms.
    animals, day, volume
        Name, day [d] and volume [mm³] of each reading.
    other_rows
        Rows of other arms.
    warnings
        What is odd, but no error.
    """

    name: str
    digest: str
    columns: Mapping[str, str]
    arm: str
    animals: tuple[str, ...]
    day: tuple[float, ...]
    volume: tuple[float, ...]
    other_rows: int = 0
    warnings: tuple[Problem, ...] = ()

    def data(self, *, start: float = 1.0, detection_limit: float = 0.0) -> GrowthData:
        """Return the readings ready for a fit; see :meth:`GrowthData.of`.

        Raises
        ------
        StudyError
            If there are too few of them.
        """
        day, volume = np.array(self.day), np.array(self.volume)
        data = GrowthData.of(
            list(self.animals), day, volume, start=start, detection_limit=detection_limit
        )
        later = np.bincount(data.index[data.day > 0.0], minlength=1)
        if (later >= 2).sum() < _ANIMALS or data.day.size < _READINGS:
            got = f"{data.day.size} readings of {len(data.animals)} animals"
            expected = (
                f"at least {_READINGS} readings, two or more after day 0 of {_ANIMALS} animals"
            )
            raise StudyError(Problem(self.name, "", got, expected, "", "E-DATA"))
        return data


def read_growth(
    path: Path, *, columns: Mapping[str, str] | None = None, arm: str | None = None
) -> GrowthTable:
    """Read a table separated by commas, semicolons or tabs.

    Parameters
    ----------
    columns
        Headers of the file for ``animal``, ``day``, ``volume`` or ``arm``, where they are not among
        :data:`HEADERS`.
    arm
        Arm to keep; needed if the table has several.

    Raises
    ------
    StudyError
        With everything that is wrong, by row and column (counted from 1; the header is row 1).
    """
    text = read_file(path)
    rows = _rows(path, text)
    reader = _Reader(path, columns or {}, rows[0])
    for number, cells in rows[1:]:
        reader.read(number, cells)
    table = reader.table(sha256(text.encode()).hexdigest(), arm)
    reader.raise_problems()
    return table


def _rows(path: Path, text: str) -> list[tuple[int, list[str]]]:
    """Rows that are not blank, with their numbers."""
    header = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(",;\t", key=header.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        stripped = [(reader.line_num, [cell.strip() for cell in cells]) for cells in reader]
    except csv.Error as error:
        where = f"{path}:{reader.line_num}"
        expected = "cells between commas, quotes closed"
        raise StudyError(Problem(where, "", str(error), expected, "", "E-SYNTAX")) from error
    rows = [(number, cells) for number, cells in stripped if any(cells)]
    if len(rows) < 2:
        expected = "a header and a row for each reading"
        raise StudyError(Problem(f"{path}", "", f"{len(rows)} rows", expected, "", "E-EMPTY"))
    return rows


@dataclass
class _Reading:
    row: int
    animal: str
    day: float
    volume: float
    arm: str


@dataclass
class _Reader:
    """Reads row by row, and remembers what is wrong."""

    path: Path
    named: Mapping[str, str]
    header: tuple[int, list[str]]
    places: dict[str, int] = field(default_factory=dict)
    readings: list[_Reading] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Find the columns; without them no row makes sense."""
        for what in self.named:
            if what not in HEADERS:
                expected = "one of " + ", ".join(HEADERS)
                self.problems.append(Problem("--column", "", literal(what), expected, "", "E-KEY"))
        for what, known in HEADERS.items():
            self._find(what, known)
        self.raise_problems()

    def _find(self, what: str, known: Sequence[str]) -> None:
        row, header = self.header
        wanted = [self.named[what]] if what in self.named else list(known)
        names = {_spelled(name) for name in wanted}
        found = [i for i, name in enumerate(header) if _spelled(name) in names]
        if len(found) == 1:
            self.places[what] = found[0]
        elif found or what != "arm" or what in self.named:
            got = " ".join(header[i] for i in found) if found else " ".join(header)
            expected = f"one column with a header such as {' or '.join(wanted[:2])}"
            close = nearest(what, header, n=1, likeness=0.6)
            fix = f"name it with --column {what}={close[0] if close else 'HEADER'}"
            where = f"{self.path}:{row}"
            self.problems.append(Problem(where, what, literal(got), expected, fix, "E-KEY"))

    def read(self, row: int, cells: list[str]) -> None:
        """Read one row."""
        width = len(self.header[1])
        if len(cells) != width:
            where, got = f"{self.path}:{row}", f"{len(cells)} cells"
            fix = "is there a decimal comma?" if len(cells) > width else ""
            self.problems.append(Problem(where, "row", got, f"{width} cells", fix, "E-SYNTAX"))
            return
        animal = cells[self.places["animal"]]
        if not animal:
            self._wrong(row, "animal", '""', "the name of the animal", "", "E-EMPTY")
        day = self._number(row, "day", cells)
        volume = self._number(row, "volume", cells)
        if day is None or volume is None or not animal:
            return
        arm = cells[self.places["arm"]] if "arm" in self.places else ""
        if day >= _SERIAL:
            fix = "this looks like a date of a spreadsheet: subtract the day of inoculation"
            self._wrong(row, "day", f"{day:g}", f"days since inoculation, 0-{_LAST_DAY:g}", fix)
        elif not 0.0 <= day <= _LAST_DAY:
            self._wrong(row, "day", f"{day:g}", f"days since inoculation, 0-{_LAST_DAY:g}")
        if volume < 0.0:
            self._wrong(row, "volume", f"{volume:g}", "a volume in mm^3, at least 0")
        self.readings.append(_Reading(row, animal, day, volume, arm))

    def _number(self, row: int, what: str, cells: list[str]) -> float | None:
        text = cells[self.places[what]]
        if _NUMBER.fullmatch(text) and np.isfinite(float(text)):
            return float(text)
        expected = "a volume in mm^3" if what == "volume" else "days since inoculation"
        fix, code = "", "E-TYPE"
        if not text:
            fix, code = "leave out rows without a reading", "E-EMPTY"
        elif _THOUSANDS.fullmatch(text) and not _COMMA.fullmatch(text):
            fix = "write thousands without a separator"
        elif _COMMA.fullmatch(text):
            expected += " with a decimal point"
            fix = f"write {text.replace(',', '.')}"
        elif _DATE.fullmatch(text):
            fix = "this looks like a date: subtract the day of inoculation"
        self._wrong(row, what, literal(text), expected, fix, code)
        return None

    def _wrong(
        self, row: int, what: str, got: str, expected: str, fix: str = "", code: str = "E-RANGE"
    ) -> None:
        place = self.places[what]
        where, name = f"{self.path}:{row}:{place + 1}", self.header[1][place]
        self.problems.append(Problem(where, name, got, expected, fix, code))

    def table(self, digest: str, arm: str | None) -> GrowthTable:
        """Check readings against each other, and keep those of an arm."""
        self._check_repeats()
        arm = self._check_arms(arm)
        kept = [each for each in self.readings if each.arm == arm or "arm" not in self.places]
        self._check_unit([each.volume for each in kept])
        return GrowthTable(
            name=self.path.name,
            digest=digest,
            columns={what: self.header[1][place] for what, place in self.places.items()},
            arm=arm,
            animals=tuple(each.animal for each in kept),
            day=tuple(each.day for each in kept),
            volume=tuple(each.volume for each in kept),
            other_rows=len(self.readings) - len(kept),
            warnings=tuple(self.warnings),
        )

    def _check_repeats(self) -> None:
        """One reading an animal and day, one arm an animal."""
        seen: dict[tuple[str, float], int] = {}
        arms: dict[str, _Reading] = {}
        for each in self.readings:
            earlier = seen.setdefault((each.animal, each.day), each.row)
            if earlier != each.row:
                got = f"animal {each.animal} on day {each.day:g}"
                expected = f"one reading an animal and day; row {earlier} has the other"
                self._wrong(each.row, "day", literal(got), expected, "", "E-DUPLICATE")
            first = arms.setdefault(each.animal, each)
            if first.arm != each.arm:
                expected = f"{first.arm}, the arm of animal {each.animal} in row {first.row}"
                fix = "use other names for other animals"
                self._wrong(each.row, "arm", literal(each.arm), expected, fix, "E-NAME")

    def _check_arms(self, arm: str | None) -> str:
        rows: dict[str, int] = {}
        for each in self.readings:
            rows.setdefault(each.arm, each.row)
        names = list(rows)
        for i, name in enumerate(names):
            alike = nearest(name, names[:i], n=1, likeness=_ALIKE)
            if alike and _wordless(alike[0]) != _wordless(name):
                where = f"{self.path}:{rows[name]}:{self.places['arm'] + 1}"
                expected = f"another name than {alike[0]}, or the same"
                problem = Problem(where, "arm", literal(name), expected, "", "W-ARMS", "warning")
                self.warnings.append(problem)
        if arm is None and len(names) > 1:
            expected = "one arm, of " + ", ".join(names[:8])
            self.problems.append(Problem("--arm", "", "", expected, "", "E-MISSING"))
        elif arm is not None and arm not in names:
            close = nearest(arm, names, n=1)
            fix = f"did you mean {close[0]}?" if close and close[0] else ""
            expected = "an arm of the table" if "arm" in self.places else "a table with arms"
            self.problems.append(Problem("--arm", "", literal(arm), expected, fix, "E-NAME"))
        return arm if arm is not None else (names[0] if names else "")

    def _check_unit(self, volumes: Sequence[float]) -> None:
        peak = max(volumes, default=_LEAST_PEAK)
        if volumes and not _LEAST_PEAK <= peak <= _LARGEST:
            name = self.header[1][self.places["volume"]]
            expected = f"volumes in mm^3, the largest of {_LEAST_PEAK:g}-{_LARGEST:g}"
            self.warnings.append(
                Problem(f"{self.path}", name, f"{peak:g}", expected, "", "W-UNIT", "warning")
            )

    def raise_problems(self) -> None:
        """Raise what is wrong, the first twenty things in full."""
        if not self.problems:
            return
        told, more = self.problems[:_MOST_TOLD], len(self.problems) - _MOST_TOLD
        if more > 0:
            got = f"{more} more problems"
            told = [*told, Problem(f"{self.path}", "", got, "none", "mend those above", "E-DATA")]
        raise StudyError(told)


def _spelled(header: str) -> str:
    """A header in lower case, with the same spelling on both sides of the Atlantic."""
    return header.casefold().replace("our", "or")


def _wordless(name: str) -> str:
    """A name without its digits, by which arms may well differ alone."""
    return re.sub(r"[0-9]", "", name)
