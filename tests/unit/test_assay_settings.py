"""Settings of an assay: lab language in, floats out."""

from __future__ import annotations

import dataclasses
import math
import pickle
from typing import Any

import pytest

from unmoor.assays.settings import OrthotopicXenograft
from unmoor.errors import StudyError

GIVEN: dict[str, Any] = {"inoculum": "1e6 cells", "duration": "4 weeks", "animals": 10}


def test_text_and_numbers_in_base_units_give_the_same_settings() -> None:
    """Cells and days."""
    text = OrthotopicXenograft(**GIVEN)
    assert text == OrthotopicXenograft(inoculum=1_000_000, duration=28.0, animals=10)
    assert text.name == text.label == "orthotopic_xenograft"
    assert text.clones == 16


def test_a_host_is_for_all_lines_or_by_line() -> None:
    """A line of its own name comes before the default."""
    assert OrthotopicXenograft(**GIVEN, host="nude").host_of("any") == "nude"
    by_line = OrthotopicXenograft(**GIVEN, host={"default": "nsg", "4T1": "balbc"})
    assert (by_line.host_of("4T1"), by_line.host_of("any")) == ("balbc", "nsg")
    assert OrthotopicXenograft(**GIVEN, host={"4T1": "balbc"}).host_of("any") is None


@pytest.mark.parametrize(
    "given",
    [
        {"inoculum": "1e6"},
        {"inoculum": 0},
        {"inoculum": 1e10},
        {"inoculum": math.nan},
        {"duration": "0 d"},
        {"duration": "366 d"},
        {"duration": math.inf},
        {"duration": None},
        {"animals": 0},
        {"animals": 2.0},
        {"animals": "10"},
        {"animals": True},
        {"clones": 0},
        {"clones": 1001},
        {"host": ""},
        {"host": {}},
        {"host": 3},
        {"host": {"default": 3}},
        {"label": ""},
        {"label": 3},
    ],
    ids=str,
)
def test_wrong_settings_are_refused(given: dict[str, Any]) -> None:
    """With the same error as a study file."""
    with pytest.raises(StudyError) as caught:
        OrthotopicXenograft(**{**GIVEN, **given})
    assert caught.value.problems[0].field.startswith("OrthotopicXenograft.")


def test_settings_are_frozen_hashable_picklable_and_replaceable() -> None:
    """Also the table of hosts."""
    settings = OrthotopicXenograft(**GIVEN, host={"default": "nsg", "4T1": "balbc"})
    with pytest.raises(dataclasses.FrozenInstanceError):
        settings.animals = 3  # type: ignore[misc]
    assert pickle.loads(pickle.dumps(settings)) == settings
    assert hash(settings) == hash(dataclasses.replace(settings))
    assert dataclasses.replace(settings, duration=5).duration == 5.0
