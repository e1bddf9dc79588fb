"""Regimens and edits: lab language in, floats and modifiers out."""

from __future__ import annotations

import dataclasses
import math
import pickle
from typing import Any

import pytest

from unmoor.errors import StudyError
from unmoor.parameters import GENES, Modifier
from unmoor.therapy.regimen import Edit, Regimen


def test_text_and_numbers_in_base_units_give_the_same_regimen() -> None:
    """mg/kg and days."""
    text = Regimen("d", dose="0.01 g/kg", every="72 h", start="1 week", stop="21 d")
    number = Regimen("d", dose=10, every=3, start=7.0, stop=21)
    assert text == number
    assert (text.dose, text.every, text.start, text.stop) == (10.0, 3.0, 7.0, 21.0)


@pytest.mark.parametrize(
    ("schedule", "until", "times"),
    [
        ({}, 28.0, (0.0,)),
        ({"start": "7 d"}, 7.0, ()),
        ({"every": "3 d", "start": "7 d"}, 14.0, (7.0, 10.0, 13.0)),
        ({"every": "3 d", "start": "7 d"}, 13.0, (7.0, 10.0)),
        ({"every": "3 d", "start": "7 d", "stop": "10 d"}, 28.0, (7.0,)),
        ({"every": "12 h", "stop": "1 d"}, 28.0, (0.0, 0.5)),
        ({"every": "3 d", "start": "7 d"}, 0.0, ()),
    ],
    ids=str,
)
def test_doses_are_given_from_the_start_until_before_the_stop_or_the_end(
    schedule: dict[str, str], until: float, times: tuple[float, ...]
) -> None:
    """A dose at the stop or the end is not given."""
    assert Regimen("d", dose="1 mg/kg", **schedule).times(until) == times


def test_dosing_times_do_not_drift() -> None:
    """The hundredth dose is at a hundred intervals, to the last bit."""
    times = Regimen("d", dose=1.0, every="8 h").times(until=100.0)
    assert len(times) == 300
    assert times[299] == 299 * (1.0 / 3.0)


@pytest.mark.parametrize(
    ("change", "factor", "modifier"),
    [
        ("knock_down", 0.1, Modifier("mir200", "factor", 0.1)),
        ("over_express", 4.0, Modifier("mir200", "factor", 4.0)),
        ("re_express", None, Modifier("mir200_source", "add", 1.0)),
        ("re_express", 0.5, Modifier("mir200_source", "add", 0.5)),
    ],
)
def test_an_edit_becomes_a_modifier(change: Any, factor: float | None, modifier: Modifier) -> None:
    """Levels are factors, a promoter of its own adds."""
    assert Edit("MIR200", change=change, factor=factor).modifiers() == (modifier,)


def test_an_edit_without_a_start_is_made_before_inoculation() -> None:
    """Edited lines are cultured before they are put into animals."""
    (modifier,) = Edit("ITGB1", change="knock_down", factor=0.1, stop="14 d").modifiers()
    assert (modifier.start, modifier.stop) == (-math.inf, 14.0)
    (modifier,) = Edit("ITGB1", change="knock_down", factor=0.1, start="0 d").modifiers()
    assert (modifier.start, modifier.stop) == (0.0, math.inf)


@pytest.mark.parametrize(
    "given",
    [
        {"dose": "10 mg"},
        {"dose": math.nan},
        {"dose": math.inf},
        {"dose": -1.0},
        {"dose": "-1 mg/kg"},
        {"dose": True},
        {"dose": None},
        {"dose": 10**400},
        {"dose": "1001 mg/kg"},
        {"every": 0},
        {"every": "0 d"},
        {"every": ""},
        {"every": 1e-9},
        {"start": -1},
        {"start": None},
        {"start": "366 d"},
        {"stop": 0},
        {"stop": [1]},
        {"start": 5, "stop": 5},
        {"drug": ""},
        {"drug": 3},
        {"drug": None},
        {"route": ""},
    ],
    ids=str,
)
def test_a_wrong_regimen_is_refused(given: dict[str, Any]) -> None:
    """With the same error as a study file."""
    with pytest.raises(StudyError) as caught:
        Regimen(**{"drug": "d", "dose": "1 mg/kg", **given})
    assert caught.value.problems[0].field.startswith("Regimen.")
    assert caught.value.problems[0].where == ""


@pytest.mark.parametrize(
    "given",
    [
        {"gene": "itgb1"},
        {"gene": "TP53"},
        {"gene": 1},
        {"gene": None},
        {"change": "delete"},
        {"change": "re_express"},
        {"factor": 1.0},
        {"factor": -0.1},
        {"factor": math.nan},
        {"factor": None},
        {"factor": "0.1"},
        {"change": "over_express", "factor": 1.0},
        {"change": "over_express", "factor": math.inf},
        {"start": 3, "stop": 2},
        {"start": "-1 d"},
    ],
    ids=str,
)
def test_a_wrong_edit_is_refused(given: dict[str, Any]) -> None:
    """With the same error as a study file."""
    with pytest.raises(StudyError):
        Edit(**{"gene": "ITGB1", "change": "knock_down", "factor": 0.1, **given})


def test_all_that_is_wrong_is_told_at_once() -> None:
    """Four slips, four problems."""
    with pytest.raises(StudyError) as caught:
        Regimen("", dose="10 mg", every="often", start="-1 d")
    assert len(caught.value.problems) == 4


@pytest.mark.parametrize("gene", GENES)
def test_every_gene_can_be_lowered_and_raised(gene: str) -> None:
    """And its label is that of the table."""
    assert Edit(gene, change="knock_down", factor=0).label == GENES[gene][0]
    assert Edit(gene, change="over_express", factor=2).label == GENES[gene][0]


def test_regimens_and_edits_are_frozen_hashable_picklable_and_replaceable() -> None:
    """As everything in the catalog of nouns is."""
    regimen = Regimen("d", dose=1.0, every=3)
    edit = Edit("FAK", change="knock_down", factor=0.2)
    for item in (regimen, edit):
        with pytest.raises(dataclasses.FrozenInstanceError):
            item.start = 3.0  # type: ignore[misc]
        assert pickle.loads(pickle.dumps(item)) == item
        assert hash(item) == hash(dataclasses.replace(item))
    assert dataclasses.replace(regimen, dose=2).dose == 2.0
