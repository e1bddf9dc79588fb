"""Every field of every other kind of assay, wrong in every way: refused or warned of."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from typing import Any

import pytest
import test_bad_studies as suite

from unmoor.assays.settings import ASSAYS
from unmoor.errors import MAX_LINE, StudyError, format_problem
from unmoor.findings import key
from unmoor.trial.study import Study

HOST = {"default": '"nsg"', "4T1": '"balbc"'}
CULTURE = {
    "label": '"dish"',
    "matrix": '"laminin"',
    "dimensions": '"3d"',
    "duration": '"28 d"',
    "read": '["7 d", "28 d"]',
    "clones": "16",
}
BLOOD = {
    "label": '"blood"',
    "inoculum": '"1e5 cells"',
    "duration": '"28 d"',
    "clones": "16",
    "host": HOST,
}
FLAT = {
    "label": '"well"',
    "cells": "100",
    "matrix": '"laminin"',
    "duration": '"28 d"',
    "read": '["7 d", "28 d"]',
    "wells": "2",
    "clones": "16",
}
GEL = {
    "label": '"gel"',
    "cells": "100",
    "matrix": '"collagen_i"',
    "dimensions": '"3d"',
    "collagen": '"4 mg/mL"',
    "duration": '"28 d"',
    "read": '["7 d", "28 d"]',
    "spheroids": "2",
    "clones": "16",
}
SECOND = '[{ gene = "CDH1", change = "knock_down", factor = 0.1 }]'
GOOD: dict[str, dict[str, Any]] = {
    "signalling_time_course": CULTURE,
    "viability": CULTURE,
    "colony_formation": CULTURE,
    "tail_vein": BLOOD,
    "intracardiac": {**BLOOD, "matrix": '"collagen_i"'},
    "spheroid_invasion": GEL,
    "monolayer": {**FLAT, "gap": '"300 um"'},
    "cell_sorting": {**FLAT, "start": '"random"', "second": SECOND},
}
KINDS = sorted(GOOD)
suite.KIND.setdefault("matrix", suite.NAME)
suite.KIND.setdefault("dimensions", suite.NAME)
for name in ("cells", "spheroids", "wells"):
    suite.KIND.setdefault(name, suite.WHOLE)
suite.UNITS.setdefault("read", "d")
suite.UNITS.setdefault("collagen", "mg/mL")
suite.UNITS.setdefault("gap", "um")


def study_of(kind: str, changes: dict[str, Any] | None = None) -> tuple[str, int]:
    """A study whose assay is of a kind, and the line of its first changed key."""
    tree = copy.deepcopy(suite.GOOD)
    assay = {"name": f'"{kind}"', **copy.deepcopy(GOOD[kind])}
    for name, value in (changes or {}).items():
        if value is None:
            del assay[name]
        else:
            assay[name] = value
    tree["assays"] = [assay]
    drug = tree["arms"]["block"][0]
    if "host" not in GOOD[kind]:
        for name in ("dose", "every", "route"):
            del drug[name]
        drug["concentration"] = '"70 nM"'
    text, places = suite.render(tree)
    first = next(iter(changes or {"name": ""}))
    return text, places.get(("assays", 0, first), places["assays", 0])


def mutations() -> Iterator[tuple[str, str, str, str | None]]:
    """Kind, field, mutation and new value; no value removes the field."""
    for kind in KINDS:
        for name, value in GOOD[kind].items():
            if name in ("label", "clones", "host"):  # the same field as the xenograft's
                continue
            if name != "duration" or "cells" not in GOOD[kind]:  # tissues have a usual one
                yield kind, name, "missing", None
            if name in ("start", "second"):  # a word, and a list that is tried below
                continue
            for mutation, text in suite.values_for(name):
                if (name, mutation) != ("read", "wrong type list"):
                    yield kind, name, mutation, text
            if suite.KIND.get(name) == suite.NAME:
                yield kind, name, "near-miss value", value[:-2] + '_"'
        if "read" in GOOD[kind]:
            for mutation, text in (("falling", '["14 d", "7 d"]'), ("twice", '["7 d", "7 d"]'),
                                   ("after the end", '["7 d", "29 d"]'), ("none", "[]"),
                                   ("numbers", "[7, 14]"), ("zero in list", '["0 d", "7 d"]'),
                                   ("mixed", '["7 d", 3]'), ("table in list", "[{ a = 1 }]"),
                                   ("many", str([f"{n} h" for n in range(1, 60)]))):  # fmt: skip
                yield kind, "read", mutation, text
        if "start" in GOOD[kind]:
            for text in ("nan", "[1]", "{ a = 1 }", '""', "true", "3", '"randm"', '"a\\nb"'):
                yield kind, "start", text, text
        if "second" in GOOD[kind]:
            for text in ("nan", "3", '"CDH1"', "[]", "[3]", "[{ }]", '[{ gene = "CDH" }]', "{ }",
                         '[{ gene = "CDH1", change = "knock_down" }]',
                         f"[{', '.join([SECOND[1:-1]] * 11)}]"):  # fmt: skip
                yield kind, "second", text, text
        yield kind, "animals", "unknown key", "10"
        yield kind, "durations", "unknown key", '"3 d"'


CASES = list(mutations())
MAY_BE_LEFT_OUT = (
    "matrix", "dimensions", "read", "cells", "collagen", "spheroids", "wells", "gap", "start",
    "second",
)  # fmt: skip
LEGAL = {(name, "missing") for name in MAY_BE_LEFT_OUT}


@pytest.mark.parametrize("kind", KINDS)
def test_the_good_assay_has_every_field_there_is(kind: str) -> None:
    """A new field must be added here, and so to all cases."""
    assert {"name", *GOOD[kind]} == {field.name for field in ASSAYS[kind].table}


def test_every_kind_of_assay_has_a_suite() -> None:
    """The xenograft's is the suite of the study file."""
    assert set(GOOD) | {"orthotopic_xenograft"} == set(ASSAYS)


@pytest.mark.parametrize("kind", KINDS)
def test_the_good_assay_is_accepted_and_reads_back(kind: str) -> None:
    """All cases differ from a study with nothing wrong; it survives its own file."""
    study = Study.loads(study_of(kind)[0], "good.toml")
    assert [str(each) for each in study.warnings] == []
    assert study.assays[0].name == kind
    again = Study.loads(study.to_toml())
    assert again == study
    assert again.digest() == study.digest()
    assert study.replace(seed=3).assays == study.assays


@pytest.mark.parametrize(("kind", "name", "mutation", "value"), CASES)
def test_a_wrong_field_is_never_accepted_silently(
    kind: str, name: str, mutation: str, value: str | None
) -> None:
    """Refused with place, field, what is allowed and how to mend it."""
    text, line = study_of(kind, {name: value})
    if (name, mutation) in LEGAL:
        assert Study.loads(text, "bad.toml").warnings == ()
        return
    with pytest.raises(StudyError) as caught:
        Study.loads(text, "bad.toml")
    assert caught.value.exit_code == 2
    for problem in caught.value.problems:
        shown = format_problem(problem)
        assert len(shown) <= MAX_LINE
        assert re.match(r"bad\.toml:\d+:\d+  ", shown)
        assert "expected " in shown
        assert problem.fix or problem.severity == "warning"
    if mutation == "null":
        assert caught.value.problems[0].code == "E-SYNTAX"
        return
    about = [p for p in caught.value.problems if p.field.startswith(f"assays[0].{key(name)}")]
    assert about, [p.field for p in caught.value.problems]
    if mutation != "missing":
        assert int(about[0].where.split(":")[1]) == line


@pytest.mark.parametrize("name", ['"viabilty"', '"colony_formations"', '"tailvein"'])
def test_a_misspelt_kind_is_corrected_and_hides_nothing_else(name: str) -> None:
    """The other keys are read as those of the kind they are nearest to."""
    text, _ = study_of("viability", {"name": name, "duration": '"28"'})
    with pytest.raises(StudyError) as caught:
        Study.loads(text, "bad.toml")
    told = {problem.field: problem for problem in caught.value.problems}
    assert {"assays[0].name", "assays[0].duration"} <= set(told)
    assert "did you mean" in told["assays[0].name"].fix


def test_an_unknown_matrix_is_told_with_the_nearest() -> None:
    """As for any name of the catalog."""
    with pytest.raises(StudyError) as caught:
        Study.loads(study_of("viability", {"matrix": '"lamini"'})[0], "bad.toml")
    assert [(p.code, p.field) for p in caught.value.problems] == [("E-NAME", "assays[0].matrix")]
    assert "laminin" in caught.value.problems[0].fix


def test_a_dose_in_culture_and_a_concentration_in_an_animal_are_refused() -> None:
    """With the fix that belongs to each."""
    culture = study_of("viability")[0].replace('concentration = "70 nM"', 'dose = "10 mg/kg"')
    animal = study_of("tail_vein")[0].replace('dose = "10 mg/kg", every = "3 d"', 'concentration = "70 nM"').replace(', route = "ip"', "")  # fmt: skip  # noqa: E501
    for text, fix in ((culture, "concentration ="), (animal, "dose =")):
        with pytest.raises(StudyError) as caught:
            Study.loads(text, "bad.toml")
        found = [p for p in caught.value.problems if p.code == "E-MEDIUM"]
        assert found
        assert fix in found[0].fix
