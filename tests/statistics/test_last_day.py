"""Volumes on the last common day: exact, and right where the effect of a treatment bends."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from unmoor.random import Stream
from unmoor.trial.animals import ANIMAL_COLUMNS
from unmoor.trial.last_day import compare_last_day
from unmoor.trial.statistics import COX_TEST, RANK_TEST, VOLUME_TEST, analyse

FloatArray = npt.NDArray[np.float64]
DAYS = np.arange(2.0, 29.0, 2.0)
TRIALS = 1000


def bent(trials: int, n: int) -> tuple[FloatArray, float]:
    """Log volumes, shape (trials, 2n animals, days), and the true ratio on the last day.

    Gompertz growth with rates that differ between animals; the treated lose 95 % in the ten days
    after day 8, more unequally than the control, and then grow back.
    """
    stream, ids = Stream(11), np.arange(trials * 2 * n, dtype=np.uint64)
    beta = 0.0775 * np.exp(0.13 * stream.normal(ids, "beta")).reshape(trials, 2 * n, 1)
    logs = 7.855 * -np.expm1(-beta * DAYS)
    loss = 3.0 * np.clip((DAYS - 8.0) / 10.0, 0.0, 1.0) - 0.12 * np.maximum(DAYS - 18.0, 0.0)
    own = 1.0 + 0.2 * stream.normal(ids, "loss").reshape(trials, 2 * n, 1)
    treated = (np.arange(2 * n) >= n)[:, None]
    logs = logs - treated * own * loss
    noise = stream.normal(np.arange(logs.size, dtype=np.uint64), "reading")
    return logs + 0.17 * noise.reshape(logs.shape), math.exp(-float(loss[-1]))


def columns_of(logs: FloatArray) -> tuple[Any, ...]:
    """Animal, day, volume and group of the readings of one trial."""
    animals, days = logs.shape
    ids = np.repeat(np.arange(animals), days)
    return ids, np.tile(DAYS, animals), np.exp(logs).ravel(), ids >= animals // 2


@pytest.mark.parametrize("n", [5, 10])
def test_the_interval_covers_the_truth_where_the_effect_bends(n: int) -> None:
    """95 % of 1 000 trials, within four standard errors."""
    trials, truth = bent(TRIALS, n)
    covered = 0
    for logs in trials:
        found = compare_last_day(*columns_of(logs))
        assert found is not None
        covered += found.low < truth < found.high
    assert 0.95 - 0.028 < covered / TRIALS < 0.95 + 0.028


def study_of(logs: FloatArray, events: list[dict[str, Any]] | None = None) -> Any:
    """A result with the readings of one trial as its animals."""
    half = len(logs) // 2
    rows = [
        {"cell_line": "A", "assay": "x", "arm": "treated" if i >= half else "control", "draw": 0}
        | {"animal": i % half, "day": day, "tumour_volume": math.exp(value)}
        for i, own in enumerate(logs)
        for day, value in zip(DAYS, own, strict=True)
    ]
    animals = pd.DataFrame(rows)
    outcomes = animals.drop_duplicates(["arm", "animal"]).assign(status="ok", lung_metastases=0)
    events = events or [
        {**row, "day": DAYS[-1], "event": "humane_endpoint", "observed": False}
        for row in outcomes[["cell_line", "assay", "arm", "animal"]].to_dict("records")
    ]
    study = SimpleNamespace(arms=["control", "treated"], control="control", beside=None)
    return SimpleNamespace(
        study=study,
        outcomes=outcomes,
        animals=animals.reindex(columns=list(ANIMAL_COLUMNS)),
        events=pd.DataFrame(events),
    )


def test_the_table_tells_the_ratio_of_that_day_and_not_of_a_straight_line() -> None:
    """As it is worked out by hand; the truth lies in its interval."""
    trials, truth = bent(1, 20)
    table = analyse(study_of(trials[0]))
    row = table[table.outcome == "tumour_volume"].iloc[0]
    expected = math.exp(trials[0, 20:, -1].mean() - trials[0, :20, -1].mean())
    assert row.estimate == pytest.approx(expected, rel=0.02)  # few readings are below the limit
    assert row.low < truth < row.high
    assert row.test == VOLUME_TEST
    assert "day 28" in row.note


def test_it_is_welchs_test() -> None:
    """Statistic, degrees of freedom and p of scipy, groups of different sizes."""
    from scipy import stats

    logs = Stream(3).normal(np.arange(11, dtype=np.uint64), "logs") + 3.0
    treated = np.arange(11) >= 4
    found = compare_last_day(np.arange(11), np.ones(11), np.exp(logs), treated)
    assert found is not None
    known = stats.ttest_ind(logs[treated], logs[~treated], equal_var=False)
    assert found.p == pytest.approx(float(known.pvalue), rel=1e-9)
    assert found.freedom == pytest.approx(float(known.df), rel=1e-9)
    low, high = known.confidence_interval(0.95)
    assert (math.log(found.low), math.log(found.high)) == pytest.approx((low, high), rel=1e-9)


def test_animals_that_left_end_the_comparison() -> None:
    """Large tumours are taken out, and those left over are no fair sample of their group."""
    logs = bent(1, 6)[0][0]
    ids, days, volumes, treated = columns_of(logs)
    kept = ~((ids == 2) & (days > 20.0))
    found = compare_last_day(ids[kept], days[kept], volumes[kept], treated[kept])
    assert found is not None
    assert found.day == 20.0


def test_readings_below_the_limit_are_counted() -> None:
    """They count as the limit; where all do, there is nothing to compare."""
    volumes, treated = np.array([1.0, 2.0, 90.0, 80.0, 120.0, 150.0]), np.arange(6) < 3
    found = compare_last_day(np.arange(6), np.ones(6), volumes, treated, limit=47.0)
    assert found is not None
    assert found.below == 2
    assert found.ratio == pytest.approx(
        (47.0 * 47.0 * 90.0 / (80.0 * 120.0 * 150.0)) ** (1.0 / 3.0)
    )
    assert compare_last_day(np.arange(6), np.ones(6), volumes, treated, limit=1e9) is None


def test_without_an_event_there_is_no_p() -> None:
    """Neither of survival nor of counts, and the note says why; one event is enough for a p."""
    logs = bent(1, 5)[0][0]
    table = analyse(study_of(logs))
    quiet = table[table.test.isin((RANK_TEST, COX_TEST)) | (table.outcome == "lung_metastases")]
    assert len(quiet) == 3
    assert quiet.p.isna().all()
    assert quiet.note.str.startswith("no animal").all()
    events = study_of(logs).events.to_dict("records")
    events[0] |= {"observed": True, "day": 20.0}
    table = analyse(study_of(logs, events))
    assert table.p[table.test.isin((RANK_TEST, COX_TEST))].notna().all()
