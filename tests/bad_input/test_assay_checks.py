"""Lengths and end points of assays that can be read, but that nobody can have meant."""

from __future__ import annotations

from typing import Any

import pytest

from unmoor.trial.study import Study

ANIMALS: dict[str, Any] = {
    "name": "orthotopic_xenograft", "inoculum": "1e6 cells", "duration": "28 d", "animals": 5,
}  # fmt: skip
CULTURE: dict[str, Any] = {"name": "viability", "duration": "3 d"}


def warned(assay: dict[str, Any]) -> list[tuple[str, str]]:
    """Codes and fields of the warnings of a study with this assay."""
    arms: dict[str, list[Any]] = {
        "none": [], "lost": [{"gene": "ITGB1", "change": "knock_down", "factor": 0.1}],
    }  # fmt: skip
    study = Study(["4T1"], arms, "none", assays=[assay])
    return [(problem.code, problem.field) for problem in study.warnings]


@pytest.mark.parametrize(
    ("limit", "cells"),
    [("0.5 mm^3", "1e6 cells"), ("1 mm^3", "1e6 cells"), ("5 mm^3", "1e7 cells")],
)
def test_an_end_point_below_the_inoculum_is_told(limit: str, cells: str) -> None:
    """A million cells are a cubic millimetre: every animal would leave at once."""
    found = warned({**ANIMALS, "inoculum": cells, "humane_volume": limit})
    assert found == [("W-HUMANE", "assays[0].humane_volume")]


def test_an_end_point_below_what_callipers_read_is_told() -> None:
    """Even if the inoculum is smaller."""
    found = warned({**ANIMALS, "inoculum": "1e4 cells", "humane_volume": "0.5 mm^3"})
    assert found == [("W-HUMANE", "assays[0].humane_volume")]


@pytest.mark.parametrize("assay", [ANIMALS, CULTURE], ids=lambda x: str(x["name"]))
def test_a_time_below_a_step_of_the_model_is_told(assay: dict[str, Any]) -> None:
    """A minute, and all that is less than half a day."""
    for length in ("1 min", "0.49 d"):
        assert warned({**assay, "duration": length}) == [("W-SHORT", "assays[0].duration")]


def test_usual_lengths_and_end_points_are_not() -> None:
    """Half a day, the catalog's end point, one just above the inoculum."""
    assert warned({**CULTURE, "duration": "12 h"}) == []
    assert warned(ANIMALS) == []
    assert warned({**ANIMALS, "humane_volume": "1.1 mm^3"}) == []
