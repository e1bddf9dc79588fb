"""Studies made in Python: the same checks, in the same words, as study files."""

from __future__ import annotations

import dataclasses
import pickle
from pathlib import Path
from typing import Any

import pytest

from unmoor.assays.settings import OrthotopicXenograft
from unmoor.errors import StudyError, format_problem
from unmoor.therapy.regimen import Edit, Regimen
from unmoor.trial.study import Margins, ModelOptions, Study, Uncertainty

BLOCK = Regimen("anti_itgb1", dose="10 mg/kg", every="3 d", start="7 d")
KNOCK_DOWN = Edit("ITGB1", change="knock_down", factor=0.1)
ASSAY = OrthotopicXenograft(inoculum="1e6 cells", duration="28 d", animals=10)


def study(**changes: Any) -> Study:
    """Return a small study with some arguments changed."""
    given: dict[str, Any] = {
        "cell_lines": ["4T1", "HCC1806"],
        "arms": {"vehicle": [], "block": [BLOCK], "knock-down": [KNOCK_DOWN]},
        "control": "vehicle",
        "assay": ASSAY,
    }
    return Study(**{**given, **changes})


def test_a_study_made_in_python_equals_one_read_from_its_file() -> None:
    """And has the same digest."""
    made = study(title="β1", seed=3, verdict=Margins(smaller=0.8))
    read = Study.loads(made.to_toml())
    assert read == made
    assert read.digest() == made.digest()
    assert hash(read) == hash(made)


def test_python_and_file_say_the_same() -> None:
    """Field, expectation, fix and code; only the place is missing."""
    given: dict[str, Any] = {
        "cell_lines": ["4T1", "HCC1860"],
        "arms": {"vehicle": [], "block": [{"drug": "anti_itbg1", "dose": "10 mg"}]},
        "control": "vehicel",
        "seed": -1,
        "verdict": {"smaler": 0.9},
    }
    text = """
schema = 1
seed = -1
cell_lines = ["4T1", "HCC1860"]
control = "vehicel"
assays = [{ name = "orthotopic_xenograft", inoculum = "1e6 cells", duration = "28 d", animals = 1 }]
arms = { vehicle = [], block = [{ drug = "anti_itbg1", dose = "10 mg" }] }
verdict = { smaler = 0.9 }
"""
    with pytest.raises(StudyError) as of_file:
        Study.loads(text, "bad.toml")
    with pytest.raises(StudyError) as of_python:
        study(**given, assay=dataclasses.replace(ASSAY, animals=1))
    in_file = {format_problem(problem.at("", problem.field)) for problem in of_file.value.problems}
    in_python = {format_problem(problem) for problem in of_python.value.problems}
    assert in_file == in_python
    assert len(in_file) == 7


@pytest.mark.parametrize(
    "changes",
    [
        {"cell_lines": "4T1"},
        {"cell_lines": []},
        {"cell_lines": None},
        {"cell_lines": [None]},
        {"cell_lines": {"4T1": 1}},
        {"arms": []},
        {"arms": {}},
        {"arms": {1: []}},
        {"arms": {"vehicle": [], "x": BLOCK}},
        {"arms": {"vehicle": [], "x": [3]}},
        {"arms": {"vehicle": [], "x": [object()]}},
        {"arms": {"vehicle": [], "x": [{1: 2}]}},
        {"arms": {"vehicle": [], "x": [{"drug": "anti_itgb1", "dose": float("nan")}]}},
        {"control": None},
        {"control": 3},
        {"assay": None},
        {"assay": 3},
        {"assay": "orthotopic_xenograft"},
        {"assays": [ASSAY]},
        {"assay": None, "assays": []},
        {"assay": None, "assays": 3},
        {"assay": None, "assays": [ASSAY, ASSAY]},
        {"assay": {"name": "orthotopic_xenograft"}},
        {"seed": 1.5},
        {"seed": True},
        {"seed": 2**63},
        {"title": 3},
        {"title": "a\nb"},
        {"schema": 2},
        {"verdict": 3},
        {"verdict": {"smaller": float("inf")}},
        {"uncertainty": Margins()},
        {"uncertainty": {"draws": 10**5000}},
        {"model": {"emt_core": None}},
        {"model": [1]},
    ],
)
def test_wrong_arguments_are_refused_as_a_study_error(changes: dict[str, Any]) -> None:
    """And as nothing else."""
    with pytest.raises(StudyError):
        study(**changes)


@pytest.mark.parametrize(
    ("section", "given"),
    [
        (Margins, {"smaller": 0.0}),
        (Margins, {"smaller": "0.9"}),
        (Margins, {"spread": 0.5}),
        (Margins, {"interval": 1.0}),
        (Uncertainty, {"draws": -1}),
        (Uncertainty, {"rivals": 1}),
        (ModelOptions, {"emt_core": "other"}),
        (ModelOptions, {"mechanism": 3}),
    ],
)
def test_wrong_options_are_refused_as_they_are_made(section: Any, given: dict[str, Any]) -> None:
    """With the name of the class."""
    with pytest.raises(StudyError, match=section.__name__):
        section(**given)


def test_replace_checks_the_whole_study_again() -> None:
    """A variant can be wrong where its parts are right."""
    small = study()
    assert small.replace() == small
    assert small.replace(seed=9).seed == 9
    assert small.replace(seed=9) != small
    assert small.replace(uncertainty={"draws": 30}).uncertainty == Uncertainty(draws=30)
    longer = dataclasses.replace(ASSAY, duration=35.0)
    assert small.replace(assay=longer).assays == (longer,)
    with pytest.raises(StudyError, match="E-CONTROL"):
        small.replace(control="none")
    with pytest.raises(StudyError, match="E-TIME"):
        small.replace(assay=dataclasses.replace(ASSAY, duration=7.0))


def test_a_study_is_frozen_and_can_be_pickled() -> None:
    """It crosses to worker processes."""
    small = study(assay=dataclasses.replace(ASSAY, animals=1))
    with pytest.raises(dataclasses.FrozenInstanceError):
        small.seed = 3  # type: ignore[misc]
    with pytest.raises(TypeError):
        small.arms["new"] = ()  # type: ignore[index]
    again = pickle.loads(pickle.dumps(small))
    assert again == small
    assert again.warnings == small.warnings != ()


def test_the_digest_tells_studies_apart_but_not_their_place() -> None:
    """Content counts, the folder and short name do not."""
    small = study()
    assert small.digest() == study(beside=Path("/elsewhere"), name="other").digest()
    changes: list[dict[str, Any]] = [
        {"seed": 1},
        {"cell_lines": ["4T1"]},
        {"model": ModelOptions(emt_core="ternary")},
        {"arms": {"vehicle": [], "block": [dataclasses.replace(BLOCK, dose=10.000000001)]}},
    ]
    assert len({small.digest(), *(study(**change).digest() for change in changes)}) == 5


def test_things_with_a_name_stand_for_cell_lines() -> None:
    """As a loaded line does."""

    class Line:
        name = "4T1"

    assert study(cell_lines=[Line()]).cell_lines == ("4T1",)


def test_names_are_kept_as_the_catalog_has_them() -> None:
    """Synonyms of lines, hosts and drugs do not reach the engine."""
    made = study(
        cell_lines=["HCC-1806"],
        arms={"vehicle": [], "block": [dataclasses.replace(BLOCK, drug="anti-beta1")]},
        assay=dataclasses.replace(ASSAY, host={"HCC-1806": "athymic nude"}),
    )
    assert made.cell_lines == ("HCC1806",)
    assert made.assays[0].host == {"HCC1806": "nude"}
    (block,) = made.arms["block"]
    assert isinstance(block, Regimen)
    assert block.drug == "anti_itgb1"


def test_a_line_of_ones_own_is_found_beside_the_study(tmp_path: Path) -> None:
    """In its folder catalog/, or by path."""
    for folder in (tmp_path / "catalog" / "cell_lines" / "mine", tmp_path / "lines" / "yours"):
        folder.mkdir(parents=True)
        about = f'name = "{folder.name}"\nspecies = "mouse"\nmalignant = true\nhost = "fvb"\n'
        (folder / "about.toml").write_text(about, encoding="utf-8")
    text = study().to_toml().replace('["4T1", "HCC1806"]', '["mine", "lines/yours"]')
    path = tmp_path / "own.toml"
    path.write_text(text.replace('"nsg"', '"balbc"'), encoding="utf-8")
    own = Study.load(path)
    assert own.cell_lines == ("mine", "lines/yours")
    assert [warning.code for warning in own.warnings] == ["W-STRAIN", "W-STRAIN"]
    assert own.replace(seed=3).cell_lines == own.cell_lines
    with pytest.raises(StudyError, match="E-NAME"):
        Study.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "about", ["name =", 'binds = "mouse"', "synonyms = [1]", 'name = "other"', "\xff"]
)
def test_a_damaged_entry_beside_a_study_is_told_with_its_file(tmp_path: Path, about: str) -> None:
    """At the entry, not at the study that names it."""
    folder = tmp_path / "catalog" / "drugs" / "own"
    folder.mkdir(parents=True)
    (folder / "about.toml").write_bytes(about.encode("latin-1"))
    with pytest.raises(StudyError) as caught:
        study(arms={"vehicle": [], "own": [Regimen("own", dose=1.0)]}, beside=tmp_path)
    assert {problem.where for problem in caught.value.problems} == {str(folder / "about.toml")}
