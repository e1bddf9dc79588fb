"""What an entry of one's own must hold: the same as the built-in entries of its kind.

The built-in catalog is the pattern: a drug of a model needs the rows that all built-in drugs of
that model share, each in the same unit, and so on. So a new model or row brings its own rule. What
cannot be read off the built-in entries – bounds of shares, words with a meaning – stands in
``limits.tsv`` and in the fields below. Everything wrong with a folder is told at once.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from unmoor import catalog
from unmoor.catalog.bibliography import read_bibliography
from unmoor.errors import CatalogError, ParameterError, Problem, literal, nearest
from unmoor.fields import Field, Number, OneOf, RejectedError, Switch, Text
from unmoor.parameters import INPUTS, Parameter, ParameterTable

SPECIES = ("human", "mouse", "rat")
LEVELS: Mapping[str, str] = {
    "L_ITGB1": "ITGB1", "L_TGFBR2": "TGFBR2", "L_SMAD4": "SMAD4", "L_ITGB3": "ITGB3",
    "e_score": "CDH1", "emt_score": "X", "vim": "VIM",
}  # fmt: skip
"""Levels of a line and what each is called in the panel's rows of ``closures/line_levels``."""
_RESPONSE = "hill"  # of a drug that does not name its dose response
_ALIKE = ("model", "action", "response")  # drugs that share these need the same rows
_SLIP = 0.75  # likeness above which an unknown name is taken for a misspelt known one
_LISTED = 6


def check_entry(kind: str, name: str, beside: Path | None = None) -> None:
    """Refuse an entry of one's own that lacks something or cannot be meant; built-in ones pass.

    Raises
    ------
    CatalogError
        With everything that is wrong, each with file and line.
    """
    folder = catalog.find(kind, name, beside)
    if kind == "studies" or folder.resolve().is_relative_to(catalog.ROOT.resolve()):
        return
    if problems := list(problems_of(kind, folder, beside)):
        raise CatalogError(problems)


def replaced(beside: Path | None) -> Iterator[tuple[str, Path]]:
    """Kind and folder of entries beside a study that it uses without naming them."""
    own = beside / "catalog" if beside is not None else None
    if own is None or own.resolve() == catalog.ROOT.resolve():
        return
    for kind in ("matrices", "closures", "networks"):
        for about in sorted((own / kind).glob("*/about.toml")):
            if kind != "matrices" or about.parent.name in _built_in(kind):
                yield kind, about.parent


def home_of(folder: Path) -> Path | None:
    """Folder of the study that a ``catalog/<kind>/<name>`` belongs to; None elsewhere."""
    parents = folder.resolve().parents
    return parents[2] if len(parents) > 2 and parents[1].name == "catalog" else None


def kind_of(folder: Path) -> str | None:
    """Kind of an entry by where it lies, else by what its ``about.toml`` says; None if neither."""
    if folder.resolve().parent.name in catalog.KINDS:
        return folder.resolve().parent.name
    about = catalog.about(catalog.KINDS[0], f"{folder.resolve()}")
    telling = {"drugs": "target", "hosts": "immune", "cell_lines": "malignant"}
    return next((kind for kind, key in telling.items() if key in about), None)


def problems_of(kind: str, folder: Path, beside: Path | None) -> Iterator[Problem]:
    """Yield everything wrong with a folder; places are told from where one works."""
    here = f"{Path.cwd()}{os.sep}"
    for problem in _problems_of(kind, folder, beside):
        yield problem.at(problem.where.removeprefix(here), problem.field)


def _problems_of(kind: str, folder: Path, beside: Path | None) -> Iterator[Problem]:
    folder = folder.resolve()
    beside = beside or home_of(folder)
    where = str(folder)
    try:
        about = catalog.about(kind, where, None)
    except CatalogError as error:
        yield from error.problems
        return
    yield from _about_problems(kind, about, folder / "about.toml", beside)
    try:
        table = catalog.table(kind, where, None)
    except ParameterError as error:
        yield from error.problems
        return
    yield from _table_problems(kind, about, table, folder / "parameters.tsv")
    known = _known_sources(folder, beside)
    lines = _lines(folder / "parameters.tsv")
    for row in table.values():
        if row.source and row.source not in known:
            place = f"{folder / 'parameters.tsv'}:{lines.get(row.id, 1)}:1"
            yield _unknown_source(place, f"{row.id}.source", row.source, known)
    for source in _texts(about.get("sources")):
        if source not in known:
            yield _unknown_source(f"{folder / 'about.toml'}", "sources", source, known)


def _fields(kind: str, about: Mapping[str, Any], beside: Path | None) -> tuple[Field, ...]:
    """Keys of ``about.toml`` with a meaning."""
    often = (
        Field("text", Text("what it is", 500), '"My drug"', required=False),
        Field("status", OneOf(("provisional", "confirmed")), '"provisional"', required=False),
    )
    if kind == "cell_lines":
        hosts = tuple(catalog.names("hosts", beside))
        return (
            *often,
            Field("species", OneOf(SPECIES), '"human"'),
            Field("malignant", Switch("true or false: whether it forms tumours"), "true"),
            Field("host", OneOf(hosts), '"balbc"', required=False),
        )
    if kind == "hosts":
        return (
            *often,
            Field("species", OneOf(SPECIES), '"mouse"'),
            Field("strain", Text("name of the strain"), '"BALB/c"'),
            Field("immune", OneOf(_said("hosts", "immune")), '"competent"'),
        )
    if kind == "drugs":
        targets = _targets(str(about.get("action", "")))
        responses = tuple(dict.fromkeys([_RESPONSE, *_said("drugs", "response")]))
        limit = Number("highest dose allowed in mg/kg", 0.0, math.inf, open_low=True)
        return (
            *often,
            Field("target", OneOf(targets), '"itgb1"'),
            Field("action", OneOf(_said("drugs", "action")), '"inhibits"'),
            Field("model", OneOf(_said("drugs", "model")), '"antibody"'),
            Field("response", OneOf(("hill", "biphasic")), '"hill"', required=False),
            Field("response", OneOf(responses), f'"{_RESPONSE}"', required=False),
            Field("systemic", Switch(), "false", required=False),
            Field("max_dose", limit, "200.0", required=False),
        )
    return often


def _targets(action: str) -> tuple[str, ...]:
    """What a drug can act on: an input of the network, or what built-in drugs alike act on."""
    said = dict.fromkeys(
        str(catalog.about("drugs", name)["target"])
        for name in _built_in("drugs")
        if catalog.about("drugs", name)["action"] == action
        or action not in _said("drugs", "action")
    )
    inside = tuple(INPUTS) if not said or set(said) & set(INPUTS) else ()
    return tuple(dict.fromkeys([*inside, *said]))


_LISTS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "drugs": {"binds": SPECIES, "routes": ()},
}
"""Lists of texts that a kind needs, with the words allowed; any word if none is given."""


def _about_problems(
    kind: str, about: Mapping[str, Any], path: Path, beside: Path | None
) -> Iterator[Problem]:
    for field in _fields(kind, about, beside):
        if field.name in about:
            yield from _value_problems(field, about[field.name], path)
        elif field.required:
            fix = f"add {field.name} = {field.example}"
            expected = f"{field.expected}; it is required and missing"
            yield Problem(f"{path}", field.name, "", expected, fix, "E-CATALOG")
    for name, allowed in _LISTS.get(kind, {}).items():
        values = _texts(about.get(name))
        words = allowed or _said_in_lists(kind, name)
        for value in [value for value in values if value not in words]:
            expected = f"one of {', '.join(words)}"
            yield Problem(f"{path}", name, literal(value), expected, "", "E-CATALOG")
        if not values and not _may_be_empty(name, about):
            expected = f"a list of one or more of {', '.join(words)}"
            fix = f"add {name} = [{literal(words[0])}]"
            yield Problem(f"{path}", name, literal(about.get(name)), expected, fix, "E-CATALOG")
    known = {key for each in _built_in(kind) for key in catalog.about(kind, each)}
    for name in [name for name in about if name not in known]:
        if close := nearest(name, known, n=1, likeness=_SLIP):
            expected = "a known key, or one unlike any"
            yield Problem(f"{path}", name, "", expected, f"did you mean {close[0]}?", "E-KEY")


def _may_be_empty(name: str, about: Mapping[str, Any]) -> bool:
    """Whether built-in drugs of the same model leave the list empty, as those for culture do."""
    alike = [catalog.about("drugs", each) for each in _built_in("drugs")]
    return any(not each[name] for each in alike if each["model"] == about.get("model"))


def _value_problems(field: Field, value: object, path: Path) -> Iterator[Problem]:
    try:
        field.reader.read(value, bare=True)
    except RejectedError as rejected:
        fix = rejected.fix or f"write, for example, {field.name} = {field.example}"
        expected = field.expected + rejected.detail
        yield Problem(f"{path}", field.name, literal(value), expected, fix, "E-CATALOG")


def _table_problems(
    kind: str, about: Mapping[str, Any], table: ParameterTable, path: Path
) -> Iterator[Problem]:
    needed, known = _pattern(kind, _signature(about), path.parent.name)
    lines = _lines(path)
    if kind in ("closures", "networks") and not known:
        expected = f"the name of a built-in {catalog.singular(kind)}, which this one replaces"
        close = nearest(path.parent.name, _built_in(kind), n=1)
        fix = f"did you mean {close[0]}?" if close else "remove it"
        yield Problem(f"{path}", "name", path.parent.name, expected, fix, "E-NAME")
    wanted = LEVELS if kind == "cell_lines" else needed
    lacking = [name for name in wanted if name not in table]
    slips = {name: nearest(name, lacking, n=1, likeness=_SLIP) for name in table}
    slips = {name: close for name, close in slips.items() if close and name not in known}
    if missing := [n for n in needed if n not in table and (n,) not in slips.values()]:
        listed = ", ".join(missing[:_LISTED]) + (" …" if len(missing) > _LISTED else "")
        one = catalog.singular(kind) + (f" of model {about['model']}" if "model" in about else "")
        expected = f"all rows that a {one} needs; missing: {listed}"
        yield Problem(f"{path}", "rows", "", expected, "add them", "E-PARAMETER")
    for name, row in table.items():
        place = f"{path}:{lines.get(name, 1)}:1"
        if name in slips:
            expected, fix = "the id of a row that is needed", f"did you mean {slips[name][0]}?"
            yield Problem(place, name, "", expected, fix, "E-PARAMETER")
        elif name in known:
            yield from _row_problems(kind, row, known[name], place)
        elif kind == "cell_lines":
            expected = "a level: " + ", ".join(LEVELS)
            yield Problem(place, name, "", expected, "leave it out", "E-PARAMETER")
        if kind == "cell_lines" and _is_too_sure(row, table):
            expected, fix = "low < high, the 90 % range", f"or add a row sd_{name}"
            yield Problem(place, f"{name}.low", f"{row.low:g}", expected, fix, "E-PARAMETER")


def _is_too_sure(row: Parameter, table: ParameterTable) -> bool:
    """Whether a level claims to be known exactly; by the rule only vimentin is read so."""
    has_spread = row.low < row.high or f"sd_{row.id}" in table
    return row.id in LEVELS and row.id != "vim" and not has_spread


def _row_problems(kind: str, row: Parameter, like: Parameter, place: str) -> Iterator[Problem]:
    """A row against the built-in one of the same id: its unit, sign and bounds."""
    if row.unit != like.unit:
        fix = f"convert value, low and high to {like.unit}"
        yield Problem(place, f"{row.id}.unit", row.unit, f"the unit {like.unit}", fix, "E-UNIT")
        return
    bounds = _limits().get((kind, row.id))
    lowest, highest = bounds or (0.0 if like.low >= 0.0 else -math.inf, math.inf)
    above = bounds is None and like.low > 0.0  # a divisor or a logarithm somewhere
    for column in ("low", "value", "high"):
        value = getattr(row, column)
        if not lowest <= value <= highest or (above and value <= 0.0):
            span = "more than 0" if above else f"{lowest:g} or more"
            span += f" and at most {highest:g}" if highest < math.inf else ""
            expected = f"{span} {'' if row.unit == '-' else row.unit}".rstrip()
            yield Problem(place, f"{row.id}.{column}", f"{value:g}", expected, "", "E-RANGE")
            return


def _signature(about: Mapping[str, Any]) -> tuple[str, ...]:
    """What decides which rows a drug needs."""
    return tuple(str(about.get(key, _RESPONSE)) for key in _ALIKE)


@lru_cache(maxsize=64)
def _pattern(
    kind: str, signature: tuple[str, ...], name: str
) -> tuple[tuple[str, ...], dict[str, Parameter]]:
    """Ids that are needed, and the built-in row of every id that is known."""
    alike = _built_in(kind)
    if kind == "drugs":
        own = {n: _signature(catalog.about(kind, n)) for n in alike}
        alike = tuple(n for n in own if own[n] == signature) or tuple(
            n for n in own if own[n][0] == signature[0]
        )
    elif kind in ("closures", "networks"):  # one that replaces a built-in one
        alike = tuple(n for n in alike if n == name)
    tables = [ParameterTable.read(catalog.ROOT / kind / n / "parameters.tsv") for n in alike]
    known: dict[str, Parameter] = {}
    for table in tables:
        for key, row in table.items():
            if key not in known or row.low < known[key].low:
                known[key] = row
    if kind == "cell_lines":  # what a line leaves out is not known, and the rule widens it
        known |= {f"sd_{level}": Parameter("", 1.0, "log2", 0.0, 1.0) for level in LEVELS}
        return (), known
    return tuple(n for n in known if all(n in table for table in tables)), known


@lru_cache(maxsize=1)
def _limits() -> dict[tuple[str, str], tuple[float, float]]:
    """Lowest and highest value by kind and id."""
    text = (catalog.ROOT / "limits.tsv").read_text(encoding="utf-8")
    rows = [line.split("\t") for line in text.splitlines()[1:]]
    return {(kind, name): (float(low), float(high)) for kind, name, low, high, _ in rows}


@lru_cache(maxsize=16)
def _built_in(kind: str) -> tuple[str, ...]:
    return tuple(sorted(path.parent.name for path in (catalog.ROOT / kind).glob("*/about.toml")))


@lru_cache(maxsize=32)
def _said(kind: str, key: str) -> tuple[str, ...]:
    """Words that built-in entries say of themselves."""
    words = [catalog.about(kind, name).get(key) for name in _built_in(kind)]
    return tuple(dict.fromkeys(word for word in words if isinstance(word, str)))


@lru_cache(maxsize=32)
def _said_in_lists(kind: str, key: str) -> tuple[str, ...]:
    lists = [_texts(catalog.about(kind, name).get(key)) for name in _built_in(kind)]
    return tuple(sorted({word for words in lists for word in words}))


def _texts(value: object) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def _lines(path: Path) -> dict[str, int]:
    """Line of each row by id."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError:
        return {}
    return {line.split("\t")[0].strip(): n for n, line in enumerate(text.splitlines(), 1)}


def _known_sources(folder: Path, beside: Path | None) -> set[str]:
    own = folder.parent.parent / "sources.bib"
    return set(catalog.sources(beside)) | (set(read_bibliography(own)) if own.is_file() else set())


def _unknown_source(place: str, field: str, key: str, known: set[str]) -> Problem:
    close = nearest(key, known, n=1, likeness=_SLIP)
    fix = f"did you mean {close[0]}?" if close else "add it to catalog/sources.bib"
    return Problem(place, field, key, "a key of sources.bib", fix, "E-SOURCE")
