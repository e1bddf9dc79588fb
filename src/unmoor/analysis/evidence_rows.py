"""Read a table of published findings, one direction a row, in its small language of treatments.

``ITGB1 x0.1; TGFBR1 x0.3`` are edits, ``MIR200 re-expressed`` a source of its own,
``radiation 2 Gy`` a fraction, ``TGFB1 2 ng/mL`` something in the medium, and any other word a drug.
``until 7 d``, ``from 1 d``, ``at 1 d`` and ``read 14 d`` say when.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from unmoor import catalog
from unmoor.errors import Problem, StudyError, UnitError, literal
from unmoor.trial.study_file import read_file
from unmoor.units import parse_quantity

COLUMNS = (
    "id", "line", "host", "assay", "matrix", "perturbation", "reference", "readout", "direction",
    "source", "use", "note",
)  # fmt: skip
CATALOGUED: Path = catalog.ROOT / "validation" / "evidence.tsv"
"""The table of published directions that comes with the catalog."""
USES = ("hard", "soft", "conflict")
DIRECTIONS = ("+", "-", "0")
_MOST_ROWS, _MOST_TOLD = 5_000, 20
_WHEN = re.compile(r"(.*?)\s+(until|from|at|read)\s+([0-9.]+\s*[a-z]+)", re.DOTALL)
_FACTOR = re.compile(r"([A-Za-z0-9-]+)\s+x([0-9.]+)")
_MEDIUM = re.compile(r"([A-Za-z0-9_-]+)\s+([0-9.]+\s*[A-Za-zµ]+/?[A-Za-z]*)")
_RADIATION = re.compile(r"radiation\s+([0-9.]+\s*c?Gy)")
_RE_EXPRESSED = " re-expressed"


@dataclass(frozen=True)
class Treatment:
    """One treatment of a row.

    Attributes
    ----------
    kind
        ``edit``, ``re_express``, ``radiation``, ``medium`` or ``drug``.
    what
        Gene, or name of the drug; empty for radiation.
    amount
        Factor, dose of a fraction or concentration as it is written; empty for drugs.
    start, stop
        When it begins and ends [d]; None where the row does not say.
    """

    kind: str
    what: str
    amount: str = ""
    start: float | None = None
    stop: float | None = None


@dataclass(frozen=True)
class Side:
    """What one side of a comparison got, and when it is read if the row says [d]."""

    treatments: tuple[Treatment, ...]
    read: float | None = None


@dataclass(frozen=True)
class EvidenceRow:
    """A published direction: what was done to which lines, against what, and which way it went.

    ``evidence`` says how the direction came into the table: read in the source, or from memory.
    """

    id: str
    lines: tuple[str, ...]
    host: str
    assay: str
    matrix: str
    perturbation: str
    reference: str
    readout: str
    direction: str
    source: str
    use: str
    note: str
    evidence: str = ""

    @property
    def sides(self) -> tuple[Side, Side]:
        """The perturbed side and the reference."""
        return read_side(self.perturbation), read_side(self.reference)


def read_evidence(path: Path) -> list[EvidenceRow]:
    """Read a tab-separated table of findings.

    Raises
    ------
    StudyError
        With everything that is wrong, by line of the file.
    """
    table = csv.reader(io.StringIO(read_file(path)), delimiter="\t")
    header, *lines = [[cell.strip() for cell in row] for row in table] or [[]]
    missing = [name for name in COLUMNS if name not in header]
    if missing:
        expected = "a tab-separated table with the columns " + ", ".join(COLUMNS)
        fix = "add " + ", ".join(missing)
        raise StudyError(Problem(f"{path}:1:1", "", "", expected, fix, "E-EVIDENCE"))
    problems: list[Problem] = []
    rows = []
    for number, cells in enumerate(lines[:_MOST_ROWS], 2):
        if any(cells):
            padded = cells + [""] * (len(header) - len(cells))
            row = dict(zip(header, padded, strict=False))
            problems += _faults(row, f"{path}:{number}:1")
            rows.append(row)
    problems += _repeated(rows, str(path))
    if problems or not rows:
        nothing = Problem(f"{path}", "", "", "at least one row", "", "E-EVIDENCE")
        raise StudyError(problems[:_MOST_TOLD] or nothing)
    return [_made(row) for row in rows]


def _made(row: dict[str, str]) -> EvidenceRow:
    texts = {name: row[name] for name in COLUMNS if name != "line"}
    texts["evidence"] = row.get("evidence", "")
    return EvidenceRow(lines=tuple(each.strip() for each in row["line"].split("|")), **texts)


def _faults(row: dict[str, str], where: str) -> list[Problem]:
    """Cells that must hold something, or one of a few words; treatments that cannot be read."""
    problems = [
        Problem(where, name, '""', "something in this column", "fill it in", "E-EMPTY")
        for name in ("id", "line", "assay", "perturbation", "reference", "readout")
        if not row[name]
    ]
    for name, allowed in (("direction", DIRECTIONS), ("use", USES)):
        if row[name] not in allowed:
            expected = "one of " + ", ".join(literal(word) for word in allowed)
            problems.append(Problem(where, name, literal(row[name]), expected, "", "E-CHOICE"))
    for name in ("perturbation", "reference"):
        try:
            read_side(row[name])
        except UnitError as error:
            problems += [each.at(where, name) for each in error.problems]
    return problems


def _repeated(rows: Sequence[dict[str, str]], where: str) -> list[Problem]:
    names = [row["id"] for row in rows]
    again = sorted({name for name in names if names.count(name) > 1})
    expected = "each id once"
    return [Problem(where, "id", literal(name), expected, "", "E-DUPLICATE") for name in again]


def read_side(text: str) -> Side:
    """Read the treatments of one side; ``none`` is no treatment.

    Raises
    ------
    UnitError
        If a time has no unit that is known.
    """
    treatments, read = [], None
    for part in text.split(";"):
        treatment, when = _read_treatment(part.strip())
        read = when if when is not None else read
        if treatment is not None:
            treatments.append(treatment)
    return Side(tuple(treatments), read)


def _read_treatment(text: str) -> tuple[Treatment | None, float | None]:
    times: dict[str, float] = {}
    while match := _WHEN.fullmatch(text):
        text = match[1].strip()
        times[match[2]] = parse_quantity(match[3], "time")
    start = times.get("from", times.get("at"))
    stop, read = times.get("until"), times.get("read")
    if text in ("", "none"):
        return None, read
    if match := _FACTOR.fullmatch(text):
        return Treatment("edit", match[1], match[2], start, stop), read
    if text.endswith(_RE_EXPRESSED):
        return Treatment("re_express", text.removesuffix(_RE_EXPRESSED), "", start, stop), read
    if match := _RADIATION.fullmatch(text):
        return Treatment("radiation", "", match[1], start, stop), read
    if match := _MEDIUM.fullmatch(text):
        return Treatment("medium", match[1], match[2], start, stop), read
    return Treatment("drug", text.split()[0], "", start, stop), read
