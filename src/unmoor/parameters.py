"""Numbers with their provenance, and the labels through which treatments reach a network.

A :class:`ParameterTable` is one ``parameters.tsv`` of the catalog: every biological number with
its unit, the range of what we do not know (``low``–``high``), the coefficient of variation between
animals or cells (``cv``), an evidence grade and a source. The two kinds of spread are never mixed.
:class:`Modifier` and :data:`INPUTS` are the vocabulary that therapy and signalling share.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from unmoor.errors import ParameterError, Problem, nearest

EVIDENCE: tuple[str, ...] = ("measured", "transferred", "fitted", "derived", "assumed")
COLUMNS: tuple[str, ...] = (
    "id", "value", "unit", "low", "high", "cv", "evidence", "source", "note",
)  # fmt: skip
_NEEDS_SOURCE = ("measured", "transferred", "fitted")

Change = Literal["knock_down", "over_express", "re_express"]

INPUTS: dict[str, str] = {
    "itgb1": "free active β1 integrin, relative to untreated",
    "itgb3": "set point of the β3 integrin level",
    "ptk2": "FAK level times activity",
    "mapk14": "p38 activity",
    "tgfb1": "production of active TGFβ",
    "tgfbr1": "signalling competence of the TGFβ receptor complex",
    "smad4": "SMAD4 level",
    "snai1": "production of SNAI1",
    "zeb1": "production of ZEB (ZEB1 and ZEB2 together)",
    "mir200": "production of the miR-200 family",
    "cdh1": "production of E-cadherin",
    "mir200_source": "miR-200 made by a promoter of its own, relative to full production",
    "cdh1_source": "E-cadherin made by a promoter of its own, relative to full production",
}

_LEVELS: tuple[Change, ...] = ("knock_down", "over_express")
_ALL: tuple[Change, ...] = ("knock_down", "over_express", "re_express")

# Upper-case HGNC symbols and common names. ZEB1 stands for ZEB1/2, MIR200 for the family,
# TGFBR1 for the receptor complex, as the networks do not resolve them.
GENES: dict[str, tuple[str, tuple[Change, ...]]] = {
    "ITGB1": ("itgb1", _LEVELS),
    "CD29": ("itgb1", _LEVELS),
    "ITGB3": ("itgb3", _LEVELS),
    "CD61": ("itgb3", _LEVELS),
    "PTK2": ("ptk2", _LEVELS),
    "FAK": ("ptk2", _LEVELS),
    "MAPK14": ("mapk14", _LEVELS),
    "P38": ("mapk14", _LEVELS),
    "TGFB1": ("tgfb1", _LEVELS),
    "TGFBR1": ("tgfbr1", _LEVELS),
    "ALK5": ("tgfbr1", _LEVELS),
    "TGFBR2": ("tgfbr1", _LEVELS),
    "SMAD4": ("smad4", _LEVELS),
    "SNAI1": ("snai1", _LEVELS),
    "SNAIL": ("snai1", _LEVELS),
    "ZEB1": ("zeb1", _LEVELS),
    "ZEB2": ("zeb1", _LEVELS),
    "MIR200": ("mir200", _ALL),
    "MIR-200": ("mir200", _ALL),
    "MIR200C": ("mir200", _ALL),
    "CDH1": ("cdh1", _ALL),
    "E-CADHERIN": ("cdh1", _ALL),
}


@dataclass(frozen=True, slots=True)
class Modifier:
    """What a treatment does to one labelled input of a network, in a window of time.

    Parameters
    ----------
    target
        Label of the input, a key of :data:`INPUTS`.
    kind
        ``"factor"`` multiplies the input, ``"add"`` adds to it.
    value
        Factor [-], or amount in the input's own unit.
    start, stop
        Window in which it acts [d after inoculation]; ``-inf`` is from before inoculation.
    """

    target: str
    kind: Literal["factor", "add"]
    value: float
    start: float = -math.inf
    stop: float = math.inf


@dataclass(frozen=True, slots=True)
class Parameter:
    """One number: value and range in ``unit``, variability, evidence grade and source."""

    id: str
    value: float
    unit: str
    low: float
    high: float
    cv: float = 0.0
    evidence: str = "assumed"
    source: str = ""
    note: str = ""


class ParameterTable(Mapping[str, Parameter]):
    """Immutable table of parameters by id, in the order of its file.

    Parameters
    ----------
    rows
        The parameters; of two with one id the later one counts.
    name
        Name of the catalog entry the table belongs to.
    """

    __slots__ = ("_rows", "name")
    _rows: dict[str, Parameter]
    name: str

    def __init__(self, rows: Iterable[Parameter], name: str = "") -> None:
        object.__setattr__(self, "_rows", {row.id: row for row in rows})
        object.__setattr__(self, "name", name)

    @classmethod
    def read(cls, path: Path) -> ParameterTable:
        """Read and check a ``parameters.tsv``.

        Raises
        ------
        ParameterError
            Listing every faulty row with file and line.
        """
        rows, problems = _read_rows(path)
        if problems:
            raise ParameterError(problems)
        return cls(rows, name=path.parent.name)

    def __setattr__(self, name: str, value: object) -> None:
        """Refuse: a table never changes once made."""
        raise AttributeError(f"a ParameterTable is frozen: cannot set {name}")

    def __reduce__(self) -> tuple[type[ParameterTable], tuple[tuple[Parameter, ...], str]]:
        """Pickle by content, since the frozen slots cannot be set one by one."""
        return ParameterTable, (tuple(self._rows.values()), self.name)

    def __getitem__(self, key: str) -> Parameter:
        """Return the parameter with this id."""
        return self._rows[key]

    def __iter__(self) -> Iterator[str]:
        """Iterate over ids in file order."""
        return iter(self._rows)

    def __len__(self) -> int:
        """Return the number of parameters."""
        return len(self._rows)

    def __eq__(self, other: object) -> bool:
        """Compare by content; the name does not count."""
        return isinstance(other, ParameterTable) and self._rows == other._rows

    def __hash__(self) -> int:
        """Hash by content, independent of order."""
        return hash(frozenset(self._rows.values()))

    def __repr__(self) -> str:
        """Return name and size."""
        return f"ParameterTable({self.name!r}, {len(self)} parameters)"

    def values_by_id(self) -> dict[str, float]:
        """Return the nominal values by id, each in its row's unit."""
        return {key: row.value for key, row in self._rows.items()}

    def merged(self, other: Mapping[str, Parameter]) -> ParameterTable:
        """Return a table in which the rows of ``other`` replace or extend these."""
        name = getattr(other, "name", "") or self.name
        return ParameterTable([*self._rows.values(), *other.values()], name=name)

    def draw(self, uniform: Callable[[str], float]) -> dict[str, float]:
        """Draw one parameter set from the ranges.

        Positive parameters vary on a log scale, the others on a linear one; a parameter without
        a range keeps its value. Scalar arithmetic only, so that the bits depend on nothing else.

        Parameters
        ----------
        uniform
            Gives a number in (0, 1) for a parameter id.

        Returns
        -------
            Value of every parameter, each in its row's unit.
        """
        return {key: _draw_one(row, uniform) for key, row in self._rows.items()}


def _draw_one(row: Parameter, uniform: Callable[[str], float]) -> float:
    if row.low == row.high:
        return row.value
    u = uniform(row.id)
    if row.low > 0.0:
        drawn = math.exp(math.log(row.low) + u * (math.log(row.high) - math.log(row.low)))
    else:
        drawn = row.low + u * (row.high - row.low)
    return min(max(drawn, row.low), row.high)  # exp(log(x)) may round past an end


def _read_rows(path: Path) -> tuple[list[Parameter], list[Problem]]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        problem = _problem(f"{path}", "table", type(error).__name__, "a readable UTF-8 file", "")
        return [], [problem]
    content = [(n, line) for n, line in enumerate(lines, 1) if line.strip() and line[0] != "#"]
    header = tuple(content[0][1].split("\t")) if content else ()
    if header != COLUMNS:
        where = f"{path}:{content[0][0] if content else 1}:1"
        got, expected = " ".join(header)[:40], "the tab-separated header " + " ".join(COLUMNS)
        return [], [_problem(where, "header", got, expected, _header_fix(header))]
    rows: list[Parameter] = []
    problems: list[Problem] = []
    for number, line in content[1:]:
        row, found = _read_row(line, f"{path}:{number}:1")
        if row is not None and any(row.id == earlier.id for earlier in rows):
            place, fix = f"{path}:{number}:1", "remove one"
            found.append(_problem(place, row.id, row.id, "one row an id", fix))
        problems += found
        if row is not None:
            rows.append(row)
    return rows, problems


def _header_fix(header: tuple[str, ...]) -> str:
    """What to do about a header: usually the separator is wrong or a column is missing."""
    if not any(header):
        return "begin the file with it"
    if len(header) == 1 and header[0] not in COLUMNS:
        return "separate the columns by tabs"
    if missing := [column for column in COLUMNS if column not in header]:
        return f"add the column {', '.join(missing)}"
    return "put them in this order, and no others"


def _read_row(line: str, where: str) -> tuple[Parameter | None, list[Problem]]:
    cells = [cell.strip() for cell in line.split("\t")]
    if len(cells) > len(COLUMNS) or len(cells) < COLUMNS.index("source"):
        expected, fix = (
            f"{len(COLUMNS)} tab-separated cells",
            "separate them by tabs; leave none out",
        )
        return None, [_problem(where, cells[0][:40], f"{len(cells)} cells", expected, fix)]
    text = dict(zip(COLUMNS, cells + [""] * (len(COLUMNS) - len(cells)), strict=True))
    name = text["id"] or "row"
    problems: list[Problem] = []

    def number(column: str, blank: float) -> float:
        if text[column] in ("", "nan") and column != "value":
            return blank
        try:
            value = float(text[column])
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            got = text[column]
            fix = "write a decimal point, and no unit" if got else "write the number"
            problems.append(_problem(where, f"{name}.{column}", got, "a finite number", fix))
        return value

    value = number("value", math.nan)
    row = Parameter(
        text["id"], value, text["unit"], number("low", value), number("high", value),
        number("cv", 0.0), text["evidence"], text["source"], text["note"],
    )  # fmt: skip
    if not problems:
        problems += [_problem(where, f"{name}.{c}", g, e, fix) for c, g, e, fix in _faults(row)]
    return row, problems


def _faults(row: Parameter) -> Iterator[tuple[str, str, str, str]]:
    """Yield column, got, expected and what to do for each rule that a parsed row breaks."""
    if not row.id:
        yield "id", row.id, "an id in snake_case", "write one"
    if not row.unit:
        yield "unit", row.unit, 'a unit, "-" for a pure number', "write one"
    if not row.low <= row.value <= row.high:
        expected = f"low <= value <= high ({row.low:g} to {row.high:g})"
        yield "value", f"{row.value:g}", expected, "widen the range, or correct the value"
    if row.cv < 0.0:
        yield "cv", f"{row.cv:g}", "a coefficient of variation of at least 0", "leave it empty"
    if row.evidence not in EVIDENCE:
        close = nearest(row.evidence, EVIDENCE, n=1, likeness=0.5)
        fix = f"did you mean {close[0]}?" if close else "write assumed, and why in the note"
        yield "evidence", row.evidence, "one of " + ", ".join(EVIDENCE), fix
    if row.evidence == "assumed" and not row.note:
        expected = "a note that says why this value is assumed"
        yield "note", row.note, expected, "write one in the last column"
    if row.evidence in _NEEDS_SOURCE and not row.source:
        fix = "name one, or write assumed and why"
        yield "source", row.source, f"a key of sources.bib for a {row.evidence} number", fix


def _problem(where: str, field: str, got: str, expected: str, fix: str) -> Problem:
    return Problem(where, field, got, expected, fix, "E-PARAMETER", "error")
