"""Response of single animals: change from the start of treatment, and modified RECIST."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from unmoor.trial.response import baseline, first_treatment, limits, respond
from unmoor.trial.study import Study

DAYS = np.array([14.0, 17.0, 20.0, 24.0, 28.0])


@pytest.fixture(scope="module")
def known() -> dict[str, float]:
    """Return the numbers of the catalog."""
    return limits(Study.load("truong2014"))


@pytest.mark.parametrize(
    ("volumes", "category"),
    [
        ([200, 100, 10, 2, 1], "CR"),
        ([200, 150, 120, 80, 90], "PR"),
        ([200, 210, 220, 230, 240], "SD"),
        ([200, 260, 340, 450, 600], "PD"),
        ([200, 400, 500, 300, 60], "PD"),  # late shrinkage: the average change is too large
    ],
)
def test_categories_need_best_and_average_change(
    known: dict[str, float], volumes: list[float], category: str
) -> None:
    """Both criteria of a category must hold; the best that holds is given."""
    assert respond(DAYS, np.array(volumes, dtype=float), known).category == category


def test_best_change_counts_from_the_tenth_day_on(known: dict[str, float]) -> None:
    """A dip before does not count; the last reading is told beside it."""
    found = respond(DAYS, np.array([100.0, 20.0, 150.0, 130.0, 180.0]), known)
    assert (found.best, found.final) == (pytest.approx(1.3), pytest.approx(1.8))


def test_an_animal_that_leaves_early_has_no_category(known: dict[str, float]) -> None:
    """Nothing was measured from day 10 after the start on."""
    found = respond(DAYS[:2], np.array([100.0, 900.0]), known)
    assert found.category == ""
    assert math.isnan(found.best)
    assert found.final == pytest.approx(9.0)


def test_change_has_a_start_only_in_tumours_that_can_be_measured() -> None:
    """Treatment before that gives no category, rather than one of reading errors."""
    volumes = np.array([[5.0, 60.0, 300.0], [1.0, 80.0, 400.0], [9.0, 70.0, 200.0]])
    days = np.array([6.0, 14.0, 20.0])
    assert baseline(days, volumes, 15.0, 50.0) == 1
    assert baseline(days, volumes, 7.0, 50.0) is None
    assert baseline(days, volumes, 0.0, 50.0) is None
    assert baseline(days, volumes, -math.inf, 50.0) is None


@pytest.mark.parametrize(
    ("starts", "first"), [((7.0, 21.0), 7.0), ((7.0, None), -math.inf), ((), math.inf)]
)
def test_start_of_treatment_is_the_earliest_of_all_arms(
    starts: tuple[Any, ...], first: float
) -> None:
    """An edited cell line is treated before inoculation."""
    items = tuple(SimpleNamespace(start=start) for start in starts)
    study: Any = SimpleNamespace(arms={"control": (), "treated": items})
    assert first_treatment(study) == first
