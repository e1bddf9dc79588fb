"""Every field of the study file, wrong in every way: refused or warned of, never accepted silently.

The cases are made by a program from one good study: each field × each mutation. The combinations
that are legal, or only warned of, are listed with the reason.
"""

import copy
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from unmoor.assays.settings import ORTHOTOPIC_FIELDS
from unmoor.errors import MAX_LINE, StudyError, format_problem
from unmoor.findings import FieldPath, dotted, key
from unmoor.therapy.irradiation import IRRADIATION_FIELDS
from unmoor.therapy.regimen import EDIT_FIELDS, REGIMEN_FIELDS
from unmoor.trial.study import Study
from unmoor.trial.study_fields import (
    MARGIN_FIELDS,
    MODEL_FIELDS,
    STUDY_FIELDS,
    UNCERTAINTY_FIELDS,
)

# Leaves hold the text of a TOML value.
GOOD: dict[str, Any] = {
    "schema": "1",
    "title": '"A study"',
    "seed": "7",
    "cell_lines": '["4T1", "HCC1806"]',
    "control": '"vehicle"',
    "assays": [
        {
            "name": '"orthotopic_xenograft"',
            "label": '"fat pad"',
            "inoculum": '"1e6 cells"',
            "duration": '"28 d"',
            "animals": "10",
            "clones": "16",
            "humane_volume": '"2000 mm^3"',
            "host": {"default": '"nsg"', "4T1": '"balbc"'},
        }
    ],
    "arms": {
        "vehicle": [],
        "block": [
            {
                "drug": '"anti_itgb1"',
                "dose": '"10 mg/kg"',
                "every": '"3 d"',
                "start": '"7 d"',
                "stop": '"21 d"',
                "route": '"ip"',
            }
        ],
        "edited": [
            {
                "gene": '"ITGB1"',
                "change": '"knock_down"',
                "factor": "0.1",
                "start": '"2 d"',
                "stop": '"14 d"',
            }
        ],
        "rays": [
            {"radiation": '"2 Gy"', "every": '"1 d"', "fractions": "5", "start": '"10 d"'},
        ],
    },
    "verdict": {"smaller": "0.9", "spread": "1.1", "interval": "0.9"},
    "uncertainty": {"draws": "200", "rivals": "true", "sets": '"plausible"'},
    "model": {
        "emt_core": '"cascading"',
        "mechanism": '"tgfb"',
        "e_readout": '"cdh1"',
        "interaction": '"bliss"',
        "escape": '"table"',
    },
}
ASSAY: FieldPath = ("assays", 0)
DRUG: FieldPath = ("arms", "block", 0)
EDIT: FieldPath = ("arms", "edited", 0)
RAYS: FieldPath = ("arms", "rays", 0)

# What a field holds: decides what a wrong type, a wrong unit or a near miss looks like.
TEXT, NAME, WHOLE, NUMBER, SWITCH = "text", "name", "whole", "number", "switch"
UNITS = {"inoculum": "cells", "humane_volume": "mm^3", "duration": "d", "dose": "mg/kg",
         "every": "d", "start": "d", "stop": "d", "radiation": "Gy"}  # fmt: skip
KIND: dict[str, str] = {
    "schema": WHOLE, "title": TEXT, "seed": WHOLE, "control": NAME, "name": NAME, "label": TEXT,
    "animals": WHOLE, "clones": WHOLE, "default": NAME, "4T1": NAME, "drug": NAME, "route": NAME,
    "gene": NAME, "change": NAME, "factor": NUMBER, "smaller": NUMBER, "spread": NUMBER,
    "interval": NUMBER, "draws": WHOLE, "rivals": SWITCH, "sets": NAME, "emt_core": NAME,
    "mechanism": NAME,
    "e_readout": NAME, "fractions": WHOLE, "interaction": NAME, "escape": NAME,
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """One mutated study: the field, what was done to it, and the text that came out."""

    path: FieldPath
    mutation: str
    text: str
    line: int

    def __str__(self) -> str:
        return f"{dotted(self.path)}-{self.mutation}"


def render(tree: dict[str, Any]) -> tuple[str, dict[FieldPath, int]]:
    """Write a tree of TOML values one field a line where it can; lines by path."""
    lines: list[str] = []
    places: dict[FieldPath, int] = {}

    def put(path: FieldPath, text: str) -> None:
        lines.append(text)
        for depth in range(1, len(path) + 1):
            places.setdefault(path[:depth], len(lines))

    def inline(value: Any) -> str:
        if isinstance(value, dict):
            return "{ " + ", ".join(f"{key(k)} = {inline(v)}" for k, v in value.items()) + " }"
        if isinstance(value, list):
            return "[" + ", ".join(inline(item) for item in value) + "]"
        return str(value)

    tables = {
        name: value
        for name, value in tree.items()
        if isinstance(value, dict) or (isinstance(value, list) and isinstance(value[0], dict))
    }
    for name, value in tree.items():
        if name not in tables:
            put((name,), f"{key(name)} = {inline(value)}")
            for path in paths(value, (name,)):
                places.setdefault(path, len(lines))
    for name, value in tables.items():
        for number, table in enumerate(value) if isinstance(value, list) else [(None, value)]:
            start: FieldPath = (name,) if number is None else (name, number)
            put(start, f"[{key(name)}]" if number is None else f"[[{key(name)}]]")
            for each, content in table.items():
                put((*start, each), f"{key(each)} = {inline(content)}")
                for path in paths(content, (*start, each)):
                    places.setdefault(path, len(lines))
    return "\n".join(lines) + "\n", places


def paths(tree: Any, start: FieldPath = ()) -> Iterator[FieldPath]:
    """Yield the path of everything in a tree."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree)
    if isinstance(tree, (dict, list)):
        for part, value in items:
            yield (*start, part)
            yield from paths(value, (*start, part))


def at(tree: Any, path: FieldPath) -> Any:
    """Return what stands at a path of a tree."""
    for part in path:
        tree = tree[part]
    return tree


def changed(path: FieldPath, change: Callable[[Any, Any], None], mutation: str) -> Case:
    """Return the case of a good study after ``change(parent, last part of path)``."""
    tree = copy.deepcopy(GOOD)
    change(at(tree, path[:-1]), path[-1])
    text, places = render(tree)
    known = path
    while known not in places and known:
        known = known[:-1]
    return Case(path, mutation, text, places.get(known, 1))


def replaced(path: FieldPath, value: Any, mutation: str) -> Case:
    """Return the case of a good study with another value at a path."""

    def put(parent: Any, part: Any) -> None:
        parent[part] = value

    return changed(path, put, mutation)


def renamed(parent: Any, part: str) -> None:
    """Misspell a key: two letters swapped, or one doubled where both are alike."""
    swapped = part[:-2] + part[-1] + part[-2]
    new = swapped if swapped != part else part + part[-1]
    content = {(new if name == part else name): value for name, value in parent.items()}
    parent.clear()
    parent.update(content)


def removed(parent: Any, part: Any) -> None:
    """Remove a key."""
    del parent[part]


def values_for(name: str) -> Iterator[tuple[str, str]]:
    """Yield mutation and value for a leaf of this name."""
    kind = KIND.get(name, "quantity")
    yield "nan", "nan"
    yield "inf", "inf"
    yield "minus inf", "-inf"
    yield "wrong type list", "[1]"
    yield "wrong type table", "{ a = 1 }"
    yield "wrong type date", "2026-01-15"
    yield "empty", '""'
    yield "null", "null"
    if kind != SWITCH:
        yield "wrong type boolean", "true"
    if kind in (WHOLE, NUMBER, SWITCH):
        yield "wrong type text", '"a"'
        yield "number in quotes", '"1"'
    if kind == WHOLE:
        yield "not whole", "1.5"
        yield "whole as float", "10.0"
    if kind == "quantity":
        unit = UNITS[name]
        yield from (("text nan", f'"nan {unit}"'), ("text inf", f'"inf {unit}"'))
        yield from (("negative", f'"-1 {unit}"'), ("zero", f'"0 {unit}"'))
        yield from (("over range", f'"1e12 {unit}"'), ("no number", f'"{unit}"'))
        yield from (("wrong unit", '"3 nM"'), ("unknown unit", '"3 furlongs"'))
        yield from (("no unit", "3"), ("no unit in quotes", '"3"'), ("words", '"three days"'))
        yield from (("decimal comma", f'"3,5 {unit}"'), ("two quantities", f'"3 {unit} 4 {unit}"'))
    else:
        yield from (("negative", "-1"), ("zero", "0"), ("over range", "99999999999999999999"))
        yield from (("wrong unit", '"3 nM"'), ("no unit", "3.25"))
    if kind in (TEXT, NAME):
        yield "blank", '"  "'
        yield "line break", '"a\\nb"'
        yield "too long", f'"{"x" * 300}"'


def leaf_cases() -> Iterator[Case]:
    """Yield every leaf field × every mutation."""
    for path in paths(GOOD):
        value = at(GOOD, path)
        name = path[-1]
        if not isinstance(value, str) or name == "cell_lines":
            continue
        assert isinstance(name, str)
        yield changed(path, removed, "missing")
        yield changed(path, renamed, "near-miss key")
        for mutation, text in values_for(name):
            yield replaced(path, text, mutation)
        if KIND.get(name) == NAME:
            yield replaced(path, value[:-2] + '_"', "near-miss value")


def container_cases() -> Iterator[Case]:
    """Yield tables and lists that are missing, of a wrong type, empty, or hold an unknown key."""
    for path in paths(GOOD):
        value = at(GOOD, path)
        is_list = path == ("cell_lines",)
        if isinstance(value, str) and not is_list:
            continue
        named = isinstance(path[-1], str)
        if named:
            yield changed(path, removed, "missing")
            yield changed(path, renamed, "near-miss key")
        for mutation, text in (("number", "3"), ("text", '"a b"'), ("nan", "nan"), ("inf", "inf"),
                               ("negative", "-1"), ("boolean", "true"), ("quantity", '"3 d"'),
                               ("wrong type", "[[1], { a = 1 }]")):  # fmt: skip
            yield replaced(path, text, mutation)
        yield replaced(path, "[]" if isinstance(value, list) or is_list else "{ }", "empty")
        if not is_list:
            yield replaced(path, "{ }" if isinstance(value, list) else "[]", "other bracket")
        if isinstance(value, dict) and path != ("arms",):
            yield replaced((*path, "flavour"), "1", "unknown key")
    yield replaced(("flavour",), "1", "unknown key")
    for number in range(2):
        for mutation, text in values_for("name"):
            items = ['"4T1"', '"HCC1806"']
            items[number] = text
            case = replaced(("cell_lines",), f"[{', '.join(items)}]", mutation)
            yield Case(("cell_lines", number), mutation, case.text, case.line)


FREE = "free text may say anything"
OPTIONAL = "optional, with a documented default"
LEGAL: dict[tuple[str, str], str] = {
    **{(name, "missing"): OPTIONAL for name in (
        "title", "seed", "assays[0].label", "assays[0].clones", "assays[0].host",
        "assays[0].humane_volume",
        "arms.block[0].every", "arms.block[0].start", "arms.block[0].stop", "arms.block[0].route",
        "arms.edited[0].start", "arms.edited[0].stop", "arms.rays[0].start", "verdict",
        "uncertainty", "model",
        "verdict.smaller", "verdict.spread", "verdict.interval", "uncertainty.draws",
        "uncertainty.rivals", "uncertainty.sets", "model.emt_core", "model.mechanism",
        "model.e_readout", "model.interaction", "model.escape")},
    **{(name, "empty"): "an empty section keeps the defaults"
       for name in ("verdict", "uncertainty", "model")},
    ("title", "wrong unit"): FREE,
    ("assays[0].label", "wrong unit"): FREE,
    ("verdict.spread", "no unit"): "a ratio has no unit",
    ("seed", "zero"): "0 is a seed like any other",
    ("arms.block[0].start", "zero"): "the day of inoculation",
    ("arms.edited[0].start", "zero"): "the day of inoculation",
    ("arms.edited[0].factor", "zero"): "a knock-out",
    ("arms.rays[0].start", "zero"): "the day of inoculation",
    ("arms.rays", "missing"): "a study may have any arms",
    ("arms.rays", "near-miss key"): "arms may have any name",
    ("assays[0].host.4T1", "missing"): "the default host is used",
    ("arms.block", "missing"): "a study may have any arms",
    ("arms.edited", "missing"): "a study may have any arms",
    ("arms.block", "near-miss key"): "arms may have any name",
    ("arms.edited", "near-miss key"): "arms may have any name",
    ("arms.vehicle", "empty"): "no treatment: the control as it was",
}  # fmt: skip
WARNED: dict[tuple[str, str], str] = {
    ("uncertainty.draws", "zero"): "W-DRAWS",
    ("arms.block[0].dose", "zero"): "W-DOSE",
    ("arms.block", "empty"): "W-SAME",
    ("arms.edited", "empty"): "W-SAME",
    ("arms.rays[0].radiation", "zero"): "W-DOSE",
    ("arms.rays", "empty"): "W-SAME",
}
# Told at another field, which is where the mistake shows.
ELSEWHERE = {
    ("arms.vehicle", "missing"): "control",
    ("arms.vehicle", "near-miss key"): "control",
    ("assays[0].host.default", "missing"): "assays[0].host.HCC1806",
    ("assays[0].host.default", "near-miss key"): "assays[0].host.defautl",
}
CASES = [*leaf_cases(), *container_cases()]


def test_the_good_study_has_every_field_there_is() -> None:
    """A new field of the study file must be added to the good study, and so to all cases."""

    def names(fields: Any) -> set[str]:
        return {field.name for field in fields}

    # A search names the treatments it varies; its mistakes are in unit/test_search.
    assert set(GOOD) | {"search"} == names(STUDY_FIELDS)
    assert set(at(GOOD, ASSAY)) == names(ORTHOTOPIC_FIELDS)
    # A dose and a concentration exclude each other; the planted mistakes hold the concentration.
    assert set(at(GOOD, DRUG)) | {"concentration"} == names(REGIMEN_FIELDS)
    assert set(at(GOOD, RAYS)) == names(IRRADIATION_FIELDS)
    assert set(at(GOOD, EDIT)) == names(EDIT_FIELDS)
    assert set(GOOD["verdict"]) == names(MARGIN_FIELDS)
    # Weights must name the structures that are run; their mistakes are in unit/test_uncertainty.
    assert set(GOOD["uncertainty"]) | {"weights"} == names(UNCERTAINTY_FIELDS)
    assert set(GOOD["model"]) == names(MODEL_FIELDS)


def test_the_good_study_is_accepted_without_a_warning() -> None:
    """All cases differ from a study with nothing wrong."""
    study = Study.loads(render(GOOD)[0], "good.toml")
    assert study.warnings == ()
    assert Study.loads(study.to_toml()) == study


def test_the_lists_of_exceptions_name_real_cases() -> None:
    """A combination that is no longer made must leave the lists too."""
    made = {(dotted(case.path), case.mutation) for case in CASES}
    assert not {*LEGAL, *WARNED, *ELSEWHERE} - made
    assert len(CASES) > 600


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_wrong_field_is_never_accepted_silently(case: Case) -> None:
    """Refused with place, field, expectation and a suggestion; or warned of; or listed as legal."""
    name = (dotted(case.path), case.mutation)
    if name in LEGAL or name in WARNED:
        study = Study.loads(case.text, "bad.toml")
        codes = {warning.code for warning in study.warnings}
        assert codes == ({WARNED[name]} if name in WARNED else set())
        return
    with pytest.raises(StudyError) as caught:
        Study.loads(case.text, "bad.toml")
    assert caught.value.exit_code == 2
    for problem in caught.value.problems:
        line = format_problem(problem)
        assert len(line) <= MAX_LINE
        assert line.isprintable()
        assert re.match(r"bad\.toml:\d+:\d+  ", line)
        assert "expected " in line
        assert problem.severity == "warning" or problem.fix
    if case.mutation == "null":  # TOML has none, so the file cannot be read any further
        assert [problem.code for problem in caught.value.problems] == ["E-SYNTAX"]
        assert caught.value.problems[0].where.startswith(f"bad.toml:{case.line}:")
        return
    told = ELSEWHERE.get(name, dotted(case.path))
    if case.mutation == "near-miss key" and name not in ELSEWHERE:
        fixes = [problem.fix for problem in caught.value.problems if problem.code == "E-KEY"]
        assert fixes == [f"did you mean {case.path[-1]}?"] or name[0] == "assays[0].host.4T1"
        return
    about = [problem for problem in caught.value.problems if problem.field.startswith(told)]
    assert about, f"{told} is not among {[problem.field for problem in caught.value.problems]}"
    if name not in ELSEWHERE:
        assert about[0].where.split(":")[1] == str(case.line)
    if case.mutation == "near-miss value":
        assert at(GOOD, case.path).strip('"') in about[0].fix
    unit = UNITS.get(str(case.path[-1]))
    if unit and case.mutation not in ("near-miss key",):
        assert f" {unit}" in format_problem(about[0])


def test_everything_wrong_is_told_at_once_and_in_order() -> None:
    """One slip in each table gives one problem for each, sorted by line."""
    tree = copy.deepcopy(GOOD)
    tree["seed"] = "-1"
    tree["cell_lines"] = '["4T1", "HCC1806", "4T2"]'
    tree["control"] = '"vehicel"'
    at(tree, ASSAY)["duration"] = '"28"'
    at(tree, ASSAY)["host"]["4T1"] = '"balb"'
    at(tree, DRUG)["dose"] = '"10 mg"'
    at(tree, EDIT)["gene"] = '"ITGB11"'
    tree["verdict"]["smaller"] = "nan"
    tree["uncertainty"]["rivals"] = "1"
    tree["model"]["emt_core"] = '"cascade"'
    with pytest.raises(StudyError) as caught:
        Study.loads(render(tree)[0], "bad.toml")
    lines = [int(problem.where.split(":")[1]) for problem in caught.value.problems]
    assert len(lines) == 10
    assert lines == sorted(lines)
    assert str(caught.value).endswith("10 problems, nothing was run")


def test_every_problem_of_a_very_bad_study_is_told() -> None:
    """Two in each of nearly two hundred arms."""
    tree = copy.deepcopy(GOOD)
    for number in range(190):
        tree["arms"][f"arm {number}"] = [{"drug": '"anti_itbg1"', "dose": '"10 mg"'}]
    text = render(tree)[0]
    with pytest.raises(StudyError) as caught:
        Study.loads(text, "bad.toml")
    assert len(caught.value.problems) == 380
