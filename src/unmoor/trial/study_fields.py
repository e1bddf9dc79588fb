"""The study file's tables, read into a draft that the domain checks can look at.

Shape and units are settled here, and names are looked up in the catalog. A draft holds what is
right even when other things are wrong, so that one slip does not hide the next.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from unmoor import catalog
from unmoor.assays.settings import read_assay
from unmoor.catalog.contracts import check_entry
from unmoor.errors import CatalogError, literal, nearest
from unmoor.fields import Field, Nested, Number, OneOf, Shares, Switch, Text, Whole, read_table
from unmoor.findings import FieldPath, Findings, FrozenMap, show
from unmoor.therapy.irradiation import IRRADIATION_FIELDS, read_irradiation
from unmoor.therapy.regimen import EDIT_FIELDS, REGIMEN_FIELDS, read_edit, read_regimen
from unmoor.trial.search_fields import Search, read_search

SCHEMA = 1
LATER = ("outcomes",)  # planned parts of a study that are not there yet
_MOST_LINES, _MOST_ARMS, _MOST_ITEMS, _MOST_ASSAYS = 200, 200, 50, 20

MARGIN_FIELDS: tuple[Field, ...] = (
    Field(
        "smaller",
        Number("tumour ratio below which a tumour is smaller", 0.0, 1.0, True),
        "0.9",
        required=False,
        default=0.9,
    ),
    Field(
        "spread",
        Number("spread ratio above which it is more", 1.0, 100.0),
        "1.1",
        required=False,
        default=1.1,
    ),
    Field(
        "interval",
        Number("share of the draws inside an interval", 0.0, 1.0, True, True),
        "0.9",
        required=False,
        default=0.9,
    ),
)
EMT_CORES, MECHANISMS = ("cascading", "ternary"), ("tgfb", "itgb3")
INTERACTIONS = ("bliss", "loewe", "hsa")  # as in therapy.interaction
UNCERTAINTY_FIELDS: tuple[Field, ...] = (
    Field(
        "draws",
        Whole("parameter sets drawn from the ranges", 0, 100_000),
        "200",
        required=False,
        default=200,
    ),
    Field(
        "rivals",
        Switch("true or false: whether the rival structures are run too"),
        "true",
        required=False,
        default=True,
    ),
    Field(
        "sets",
        OneOf(("plausible", "ranges", "prior")),
        '"plausible"',
        required=False,
        default="plausible",
    ),
    Field(
        "weights",
        Shares("weights of the structures that are run, by name"),
        '{ "cascading/tgfb" = 0.7, "ternary/tgfb" = 0.3 }',
        required=False,
    ),
)
MODEL_FIELDS: tuple[Field, ...] = (
    Field(
        "emt_core",
        OneOf(EMT_CORES),
        '"cascading"',
        required=False,
        default="cascading",
    ),
    Field("mechanism", OneOf(MECHANISMS), '"tgfb"', required=False, default="tgfb"),
    Field("e_readout", OneOf(("cdh1", "balance")), '"cdh1"', required=False, default="cdh1"),
    Field("interaction", OneOf(INTERACTIONS), '"bliss"', required=False, default="bliss"),
    Field("escape", OneOf(("table", "direct")), '"table"', required=False, default="table"),
)
_SECTIONS = {
    "verdict": MARGIN_FIELDS,
    "uncertainty": UNCERTAINTY_FIELDS,
    "model": MODEL_FIELDS,
}
STUDY_FIELDS: tuple[Field, ...] = (
    Field("schema", Whole("version of the study file's format", SCHEMA, SCHEMA), "1"),
    Field(
        "title", Text("a title", 200), '"Does it shrink and spread?"', required=False, default=""
    ),
    Field(
        "seed", Whole("seed of all random numbers", 0, 2**63 - 1), "7", required=False, default=0
    ),
    Field("cell_lines", Nested("a list of 1-200 cell lines of the catalog"), '["4T1"]'),
    Field("control", Text("the name of an arm", 80), '"vehicle"'),
    Field(
        "assays", Nested("one or more [[assays]] tables"), '[{ name = "orthotopic_xenograft", … }]'
    ),
    Field("arms", Nested("a table of arms, each a list of treatments"), "{ vehicle = [] }"),
    Field("verdict", Nested("a table"), "{ smaller = 0.9 }", required=False),
    Field("uncertainty", Nested("a table"), "{ draws = 200 }", required=False),
    Field("model", Nested("a table"), '{ mechanism = "tgfb" }', required=False),
    Field("search", Nested("a table"), "{ vary = { … }, candidates = 200 }", required=False),
)
_ARM_NAME = Text("a name of an arm", 80)
_LINE = Field("cell line", Text("a cell line of the catalog"), '"4T1"')


@dataclass(frozen=True, slots=True)
class Named:
    """A catalogued thing in a study: how the study refers to it, how and where it was written."""

    name: str
    written: str
    path: FieldPath


@dataclass(slots=True)
class Draft:
    """What is right in a study so far; a value that is wrong or missing is absent."""

    beside: Path | None
    values: dict[str, Any] = field(default_factory=dict)
    lines: list[Named] = field(default_factory=list)
    drugs: list[Named] = field(default_factory=list)
    assays: list[dict[str, Any]] = field(default_factory=list)
    arms: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    sections: dict[str, dict[str, Any]] = field(default_factory=dict)
    broken_arms: set[str] = field(default_factory=set)
    search: Search | None = None

    @property
    def control(self) -> str | None:
        """Name of the control arm as given, whether or not there is such an arm."""
        return self.values.get("control")

    @property
    def has_all_lines(self) -> bool:
        """Whether each cell line given is known, so that their absence can be judged."""
        given = self.values.get("cell_lines")
        return bool(self.lines) and isinstance(given, list) and len(given) == len(self.lines)


def read_draft(
    raw: Mapping[str, Any], findings: Findings, beside: Path | None, *, bare: bool
) -> Draft:
    """Read everything in a study that can be read, and record everything that cannot."""
    raw = _without_later(raw, (), findings)
    draft = Draft(beside, read_table(raw, STUDY_FIELDS, (), findings))
    values = draft.values
    if "cell_lines" in values:
        draft.lines = _read_lines(values["cell_lines"], findings, beside)
    if "assays" in values:
        draft.assays = _read_assays(values["assays"], draft, findings, bare=bare)
    if "arms" in values:
        draft.arms = _read_arms(values["arms"], draft, findings, bare=bare)
    for name, fields in _SECTIONS.items():
        section = values.get(name)
        draft.sections[name] = read_table(
            {} if section is None else section, fields, (name,), findings
        )
    if values.get("search") is not None:
        draft.search = read_search(values["search"], draft.arms, findings, bare=bare)
    return draft


def look_up(
    kind: str,
    name: str,
    path: FieldPath,
    findings: Findings,
    beside: Path | None,
    *,
    at_key: bool = False,
) -> str | None:
    """Return how a study refers to a catalogued thing; record it and return None if unknown."""
    try:
        found = catalog.reference(kind, name, beside)
        catalog.about(kind, found, beside)
        check_entry(kind, found, beside)
    except CatalogError as error:
        for problem in error.problems:
            if problem.code == "E-NAME":
                findings.relay(problem, path, at_key=at_key)
            else:  # a damaged entry is told where it is, not where it is named
                findings.problems.append(problem)
        return None
    return found


def _without_later(raw: Mapping[str, Any], path: FieldPath, findings: Findings) -> dict[str, Any]:
    """Set aside parts that are planned but not there yet, and say so."""
    for name in LATER:
        if name in raw:
            expected = "nothing here: this version does not know it yet"
            findings.add(
                (*path, name), show(raw[name]), expected, "remove it", "E-UNSUPPORTED", at_key=True
            )
    return {name: value for name, value in raw.items() if name not in LATER}


def _as_list(
    raw: object,
    path: FieldPath,
    findings: Findings,
    expected: str,
    most: int,
    *,
    least: int = 1,
    example: str,
) -> list[Any]:
    if isinstance(raw, (list, tuple)) and least <= len(raw) <= most:
        return list(raw)
    code = "E-TYPE"
    if isinstance(raw, (list, tuple)):
        code = "E-EMPTY" if not raw else "E-RANGE"
    got = show(raw) if not isinstance(raw, (list, tuple)) else f"a list of {len(raw)}"
    findings.add(path, got, expected, f"write, for example, {example}", code)
    return []


def _read_lines(raw: object, findings: Findings, beside: Path | None) -> list[Named]:
    expected = f"a list of 1-{_MOST_LINES} cell lines of the catalog"
    lines: list[Named] = []
    items = _as_list(
        raw, ("cell_lines",), findings, expected, _MOST_LINES, example='cell_lines = ["4T1"]'
    )
    for number, item in enumerate(items):
        path = ("cell_lines", number)
        written = _LINE.read(item, path, findings, bare=False)
        name = written and look_up("cell_lines", written, path, findings, beside)
        if name:
            lines.append(Named(name, written, path))
    return lines


def _read_assays(
    raw: object, draft: Draft, findings: Findings, *, bare: bool
) -> list[dict[str, Any]]:
    expected = f"1-{_MOST_ASSAYS} [[assays]] tables"
    items = _as_list(
        raw,
        ("assays",),
        findings,
        expected,
        _MOST_ASSAYS,
        example='[[assays]] and below it name = "orthotopic_xenograft"',
    )
    assays = []
    for number, item in enumerate(items):
        values = read_assay(item, ("assays", number), findings, bare=bare)
        if "host" in values:
            path = ("assays", number, "host")
            values["host"] = _look_up_hosts(values["host"], path, findings, draft.beside)
        if "matrix" in values:
            path = ("assays", number, "matrix")
            matrix = look_up("matrices", values.pop("matrix"), path, findings, draft.beside)
            values |= {} if matrix is None else {"matrix": matrix}
        assays.append(values)
    return assays


def _look_up_hosts(
    hosts: Mapping[str, str], path: FieldPath, findings: Findings, beside: Path | None
) -> FrozenMap[str]:
    """Replace synonyms of lines and hosts by the names a study refers to them by."""
    found: dict[str, str] = {}
    for written, value in hosts.items():
        place = (*path, written)
        line: str | None = written
        if written != "default":
            line = look_up("cell_lines", written, place, findings, beside, at_key=True)
        host = look_up("hosts", value, place, findings, beside)
        if line in found:
            expected = f"one host a line; {literal(line)} has one under another of its names"
            findings.add(place, "", expected, "remove one", "E-DUPLICATE", at_key=True)
        elif line is not None and host is not None:
            found[line] = host
    return FrozenMap(found)


def _read_arms(
    raw: object, draft: Draft, findings: Findings, *, bare: bool
) -> dict[str, list[dict[str, Any]]]:
    expected = f"a table of 1-{_MOST_ARMS} arms, each a list of treatments"
    if not isinstance(raw, Mapping) or not 1 <= len(raw) <= _MOST_ARMS:
        code = "E-TYPE" if not isinstance(raw, Mapping) else "E-RANGE" if raw else "E-EMPTY"
        findings.add(("arms",), show(raw), expected, "write [arms] and below it vehicle = []", code)
        return {}
    arms: dict[str, list[dict[str, Any]]] = {}
    example = "[] for no treatment"
    for name, items in raw.items():
        path: FieldPath = ("arms", str(name))
        n_before = len(findings.problems)
        if Field("arm", _ARM_NAME, '"vehicle"').read(name, path, findings, bare=False) is None:
            continue
        expected = f"a list of 0-{_MOST_ITEMS} treatments"
        listed = _as_list(items, path, findings, expected, _MOST_ITEMS, least=0, example=example)
        arms[name] = [
            _read_item(item, (*path, number), draft, findings, bare=bare)
            for number, item in enumerate(listed)
        ]
        if len(findings.problems) > n_before:
            draft.broken_arms.add(name)
    return arms


def _read_item(
    raw: object, path: FieldPath, draft: Draft, findings: Findings, *, bare: bool
) -> dict[str, Any]:
    """Read one treatment of an arm; which kind it is follows from its keys."""
    if not isinstance(raw, Mapping):
        expected = "a treatment, a table with drug, gene or radiation"
        fix = 'write { drug = "anti_itgb1", dose = "10 mg/kg" }'
        findings.add(path, show(raw), expected, fix, "E-TYPE")
        return {}
    kinds = [name for name in _KINDS if name in raw]
    if len(kinds) > 1:
        expected = "a treatment with one of drug, gene and radiation"
        fix = "write two treatments, each in its own { }"
        place, got = (*path, kinds[1]), show(raw[kinds[1]])
        findings.add(place, got, expected, fix, "E-KEY", at_key=True)
        return {}
    kind = kinds[0] if kinds else _nearest_kind(raw)
    if kind == "radiation":
        return read_irradiation(raw, path, findings, bare=bare)
    if kind == "gene":
        return read_edit(raw, path, findings, bare=bare)
    values = read_regimen(raw, path, findings, bare=bare)
    if "drug" in values:
        place = (*path, "drug")
        written = values.pop("drug")
        drug = look_up("drugs", written, place, findings, draft.beside)
        if drug is not None:
            values["drug"] = drug
            draft.drugs.append(Named(drug, written, place))
    return values


_KINDS: dict[str, tuple[Field, ...]] = {
    "drug": REGIMEN_FIELDS,
    "gene": EDIT_FIELDS,
    "radiation": IRRADIATION_FIELDS,
}  # by the key that tells them apart


def _nearest_kind(raw: Mapping[Any, Any]) -> str:
    """Kind of treatment that the keys are nearest to; a drug if they are near to none."""
    names = {kind: [each.name for each in fields] for kind, fields in _KINDS.items()}
    every = {name for known in names.values() for name in known}
    close = [nearest(str(name), every, n=1, likeness=0.6) for name in raw]
    counts = {
        kind: sum(bool(found) and found[0] in known for found in close)
        for kind, known in names.items()
    }
    return max(counts, key=counts.__getitem__)
