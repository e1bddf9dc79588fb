"""How a screen is held to what is known: who is in which group, and what is no test."""

from __future__ import annotations

import math

import pytest

import unmoor as um
from unmoor.analysis.consistency import (
    ALL,
    FIRST,
    SECOND,
    STRICT,
    UNSEEN,
    WITH_PROTEIN,
    Consistency,
    calibration_lines,
    consistency,
)
from unmoor.analysis.discrimination import area
from unmoor.analysis.screen_tables import claims
from unmoor.analysis.screening import Screened
from unmoor.cell.line import CellLine
from unmoor.report.screen_page import _who

LINES = ("HCC1806", "HCC1937", "MDA-MB-468", "MCF-7", "BT-474", "SK-BR-3", "CAMA-1", "MDA-MB-231",
         "MCF10A")  # fmt: skip


@pytest.fixture(scope="module")
def screened() -> Screened:
    """A few lines of each kind in a few draws."""
    settings = {"uncertainty.draws": "8", "uncertainty.rivals": "false"}
    return um.screen(um.Study.load("truong2014", settings), LINES, arms=["anti-β1"])


@pytest.fixture(scope="module")
def held(screened: Screened) -> Consistency:
    """What is known of them."""
    return consistency(screened)


def test_every_malignant_line_without_protein_is_under_the_claim(
    screened: Screened, held: Consistency
) -> None:
    """Luminal and HER2+ ones too, although they count among the negatives of the area."""
    floor = math.log2(screened.loss)
    expected = {
        line.name
        for line in screened.lines
        if line.is_malignant and line.about.get("e_protein", 9.0) < floor
    }
    assert set(held.without_protein) == expected
    second = {screened.lines[i].name for i in held.members(SECOND)}
    assert expected & second
    assert expected - second
    told = claims(screened, held)
    assert told["no_protein"] == len(expected)
    assert set(told["no_protein_lines"]) == expected


def test_areas_are_told_without_what_is_no_test(screened: Screened, held: Consistency) -> None:
    """Each area is that of its lines: with protein, never calibrated on, or both."""
    share = dict(zip(LINES, screened.share_switching(), strict=True))
    first = [screened.lines[i].name for i in held.members(FIRST)]
    second = [screened.lines[i].name for i in held.members(SECOND)]
    fitted = {"HCC1806"}
    assert set(held.calibrated) == fitted
    lacking = set(held.without_protein)
    wanted = {
        ALL: (first, second),
        WITH_PROTEIN: (first, [name for name in second if name not in lacking]),
        UNSEEN: ([name for name in first if name not in fitted], second),
        STRICT: (
            [name for name in first if name not in fitted],
            [name for name in second if name not in lacking],
        ),
    }
    for name, (positives, negatives) in wanted.items():
        found = held.areas[name]
        assert (found.positives, found.negatives) == (len(positives), len(negatives))
        values = [screened.share_switching()[[LINES.index(x) for x in group]]
                  for group in (positives, negatives)]  # fmt: skip
        assert found.value == pytest.approx(area(*values))
    assert share["HCC1806"] > 0.0


def test_lines_of_the_calibration_are_those_the_studies_name() -> None:
    """In any spelling, and none that was not calibrated on."""
    assert {"hcc1806", "4t1"} <= calibration_lines()
    assert "mcf7" not in calibration_lines()


def test_the_page_names_who_is_in(screened: Screened, held: Consistency) -> None:
    """Lines of both groups, those that are sure by construction, those that were fitted."""
    told = " ".join(_who(screened, held))
    for name in (*held.without_protein, *held.calibrated, "MCF-7", "HCC1937"):
        assert name in told
    assert "by construction" in told
    assert CellLine.load("SK-BR-3").about["subtype"] == "HER2+"
