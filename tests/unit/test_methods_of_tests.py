"""The methods name the tests of a laboratory when, and only when, the report shows them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from report_fixture import synthetic_result
from unmoor.report import report
from unmoor.report.survival_curves import survival_rows
from unmoor.report.view import View
from unmoor.trial.statistics import COLUMNS, COUNT_TEST, COX_TEST, GROWTH_TEST, VOLUME_TEST

NAMES = {
    "growth_rate": (GROWTH_TEST, "linear mixed model"),
    "tumour_volume": (VOLUME_TEST, "Welch's t-test"),
    "lung_metastases": (COUNT_TEST, "negative-binomial"),
    "humane_endpoint": (COX_TEST, "Cox model"),
}


def result_with(*outcomes: str, **changes: Any) -> Any:
    """The made-up result, analysed by these outcomes."""
    result = synthetic_result(draws=0, animals=4, **changes)
    arm = list(result.study.arms)[1]
    row = {"cell_line": "4T1", "assay": "orthotopic_xenograft", "arm": arm, "estimate": 0.5}
    row |= {"low": 0.2, "high": 0.9, "p": 0.01, "n": 8, "note": ""}
    rows = [{**row, "outcome": each, "test": NAMES[each][0]} for each in outcomes]
    result.statistics = pd.DataFrame(rows, columns=list(COLUMNS))
    return result


def without_events() -> pd.DataFrame:
    """Events of animals of which none reached its end point."""
    events = synthetic_result(draws=0, animals=4).events
    humane = events["event"] == "humane_endpoint"
    return events.assign(observed=events["observed"].where(~humane, False))


def methods_of(result: Any, folder: Path, *, full: bool) -> str:
    """What ``methods.md`` says of a report; the page says the same of the tests."""
    page = report(result, folder / "report.html", full=full).read_text(encoding="utf-8")
    told = (folder / "methods.md").read_text(encoding="utf-8")
    assert ("as a laboratory would" in told) == ("as a laboratory would" in page)
    return told


def test_the_short_report_names_no_test(tmp_path: Path) -> None:
    """It shows none."""
    told = methods_of(result_with(*NAMES), tmp_path, full=False)
    for word in (*(word for _, word in NAMES.values()), "log-rank", "Kaplan"):
        assert word not in told


def test_the_full_report_names_every_test_it_shows(tmp_path: Path) -> None:
    """Volumes, counts and survival, with what p-values are not adjusted for."""
    told = methods_of(result_with(*NAMES), tmp_path, full=True)
    for word in (*(word for _, word in NAMES.values()), "log-rank", "Kaplan–Meier"):
        assert word in told
    assert "not adjusted for the number of arms" in told


@pytest.mark.parametrize("shown", ["growth_rate", "tumour_volume", "lung_metastases"])
def test_the_full_report_names_no_other_test(tmp_path: Path, shown: str) -> None:
    """Without an event there is no survival, and analyses without an estimate are not shown."""
    told = methods_of(result_with(shown, events=without_events()), tmp_path, full=True)
    assert NAMES[shown][1] in told
    others = [word for outcome, (_, word) in NAMES.items() if outcome != shown]
    for word in (*others, "log-rank", "Kaplan"):
        assert word not in told


def test_an_arm_without_events_has_no_log_rank_p() -> None:
    """If neither it nor the control has one, there is nothing to test; if one has, there is."""
    result = synthetic_result(draws=0, animals=4)
    arms, events = list(result.study.arms), result.events
    quiet = events["arm"].isin(arms[:2]) & (events["event"] == "humane_endpoint")
    busy = (events["arm"] == arms[2]) & (events["event"] == "humane_endpoint")
    observed = events["observed"].where(~quiet, False).where(~busy, True)
    result.events = events.assign(observed=observed)
    for _, rows in survival_rows(View.of(result)):
        by_arm = {row[1]: row for row in rows}
        assert by_arm[arms[1]][-2:] == ("–", "–")
        assert by_arm[arms[2]][-1] != "–"
