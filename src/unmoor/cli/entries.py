"""A thing of the catalog as text, as TOML and as data."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from unmoor import catalog
from unmoor.cli.streams import columns
from unmoor.errors import literal

if TYPE_CHECKING:
    from unmoor.cli.line_entry import LineEntry
    from unmoor.parameters import Parameter, ParameterTable
    from unmoor.trial.study import Study

WIDTH = 96
"""Width that texts are wrapped to [characters]."""

_GIST = 44  # characters of a note that are told beside its number
_HEAD = ("number", "value", "unit", "range", "cv", "evidence", "source", "what")
_TOLD_APART = ("name", "text", "status", "synonyms", "identifiers", "sources")


@dataclass(frozen=True)
class Entry:
    """One entry of the catalog, by kind and name or path."""

    kind: str
    name: str
    beside: Path | None = None

    @cached_property
    def line(self) -> LineEntry:
        """What is told of a cell line alone."""
        from unmoor.cli.line_entry import LineEntry

        return LineEntry(self.name, self.beside)

    @cached_property
    def about(self) -> Mapping[str, Any]:
        """Content of its about.toml."""
        return catalog.about(self.kind, self.name, self.beside)

    @cached_property
    def table(self) -> ParameterTable:
        """Its numbers."""
        return catalog.table(self.kind, self.name, self.beside)

    def lines(self, *, with_notes: bool) -> Iterator[str]:
        """Text and numbers for people."""
        yield from _title(self.about, catalog.singular(self.kind), self.table.name)
        yield from _properties(self.about)
        if self.kind == "cell_lines":
            yield from self.line.lines(with_notes=with_notes)
        elif len(self.table):
            yield ""
            yield from _number_lines(self.table, with_notes=with_notes)
        if sources := self.about.get("sources"):
            yield ""
            yield f"sources: {', '.join(sources)}"

    def as_data(self) -> dict[str, Any]:
        """All there is, as one document."""
        data = {"kind": self.kind, "about": dict(self.about)}
        data["parameters"] = {name: asdict(row) for name, row in self.table.items()}
        if self.kind == "cell_lines":
            data |= self.line.as_data()
        return data

    def as_toml(self) -> Iterator[str]:
        """The about.toml as it is, and the numbers as tables."""
        folder = catalog.find(self.kind, self.name, self.beside)
        yield (folder / "about.toml").read_text(encoding="utf-8-sig").rstrip()
        for name, row in self.table.items():
            yield f"\n[parameters.{json.dumps(name)}]"
            cells = {key: value for key, value in asdict(row).items() if key != "id"}
            yield from (f"{key} = {literal(value)}" for key, value in cells.items())


def study_lines(study: Study, name: str) -> Iterator[str]:
    """Design of a study for people."""
    about: Mapping[str, Any] = {"text": study.title}
    if study.name in catalog.names("studies"):
        about = catalog.about("studies", study.name)
    yield from _title(about, "study", study.name)
    yield ""
    if study.title:
        yield f"  title    {study.title}"
    yield f"  lines    {', '.join(study.cell_lines)}"
    for assay in study.assays:
        hosts = dict.fromkeys(assay.host_of(line) for line in study.cell_lines)
        where = ", ".join(f"{host}" for host in hosts if host)
        kind = assay.label.replace("_", " ")
        yield f"  assay    {kind}: {assay.design}" + (f", host {where}" if where else "")
    yield f"  control  {study.control}"
    yield ""
    for arm, items in study.arms.items():
        yield f"  {arm}"
        yield from (f"    {item.to_toml_item()}" for item in items)
    yield ""
    yield f"a copy to edit: unmoor show {name} --toml"


def _title(about: Mapping[str, Any], one: str, name: str) -> Iterator[str]:
    status = about.get("status", "")
    yield f"{name}: {one}" + (f", {status}" if status else "")
    yield from wrap(str(about.get("text", "")), WIDTH)
    if synonyms := about.get("synonyms"):
        yield f"also called {', '.join(synonyms)}"


def _properties(about: Mapping[str, Any]) -> Iterator[str]:
    """What else about.toml says, one thing a line."""
    identifiers = about.get("identifiers", {})
    rest = {key: value for key, value in about.items() if key not in _TOLD_APART}
    rows = [(key, _shown(value)) for key, value in {**rest, **identifiers}.items()]
    if rows:
        yield ""
        yield from columns(rows, indent=2)


def _number_lines(table: ParameterTable, *, with_notes: bool) -> Iterator[str]:
    cells = [_HEAD, *((*_cells(row), _gist(row.note)) for row in table.values())]
    kept = cells if not with_notes else [row[:-1] for row in cells]  # notes follow in full
    head, *rows = columns(kept, indent=2)
    yield head
    for line, row in zip(rows, table.values(), strict=True):
        yield line
        if with_notes and row.note:
            yield from wrap(row.note, WIDTH, initial_indent="      ", subsequent_indent="      ")


def _gist(note: str) -> str:
    """First clause of a note, cut to fit beside a number."""
    first = note.partition(";")[0]
    return first if len(first) <= _GIST else f"{first[: _GIST - 1].rstrip()}…"


def _cells(row: Parameter) -> tuple[str, ...]:
    limits = "–" if row.low == row.high else f"{row.low:.4g} to {row.high:.4g}"
    cv = f"{row.cv:.3g}" if row.cv else "–"
    return row.id, f"{row.value:.4g}", row.unit, limits, cv, row.evidence, row.source or "–"


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value)) or "none"
    return str(value)
