"""Comparisons of two groups: what must not matter, what is open, and the table of a study."""

from __future__ import annotations

import math
from dataclasses import astuple
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from stored_sets import stored

from small_study import small_study
from unmoor.random import Stream
from unmoor.trial.animals import ANIMAL_COLUMNS, EVENT_COLUMNS
from unmoor.trial.count_test import compare_counts
from unmoor.trial.last_day import LastDay, compare_last_day
from unmoor.trial.result import Result
from unmoor.trial.statistics import COLUMNS, GrowthComparison, analyse, compare_growth
from unmoor.trial.survival import hazard_ratio, log_rank

FloatArray = npt.NDArray[np.float64]
FOLLOWED = """
schema     = 1
seed       = 3
cell_lines = ["4T1", "MDA-MB-231"]
control    = "vehicle"

[[assays]]
name     = "orthotopic_xenograft"
host     = { default = "nsg", "4T1" = "balbc" }
inoculum = "1e6 cells"
duration = "28 d"
animals  = 8
clones   = 2

[arms]
"vehicle" = []
"knock-down" = [{ gene = "ITGB1", change = "knock_down", factor = 0.1 }]

[uncertainty]
draws  = 0
rivals = false
"""


def one(name: str, number: int) -> dict[str, FloatArray]:
    """Columns of a stored set."""
    data = stored(name)
    return {key: column.to_numpy(float) for key, column in data[data.set == number].items()}


def grown(number: int, **changed: FloatArray) -> GrowthComparison:
    """Mixed model of a stored set of volumes with some columns changed."""
    data = one("volumes", number) | changed
    found = compare_growth(data["animal"], data["day"], data["volume"], data["treated"])
    assert found is not None
    return found


def last_day(number: int, **changed: FloatArray) -> LastDay:
    """Last common day of a stored set of volumes with some columns changed."""
    data = one("volumes", number) | changed
    found = compare_last_day(data["animal"], data["day"], data["volume"], data["treated"])
    assert found is not None
    return found


@pytest.fixture(scope="module")
def result() -> Result:
    """A study of eight animals an arm, reference set alone."""
    return small_study(FOLLOWED).run()


def test_swapped_groups_turn_every_ratio_round() -> None:
    """Estimate and interval are inverted or change sign, p stays."""
    data = one("counts", 14)
    there = compare_counts(data["count"], data["treated"])
    back = compare_counts(data["count"], 1 - data["treated"])
    assert back.ratio * there.ratio == pytest.approx(1.0)
    assert back.low * there.high == pytest.approx(1.0, rel=1e-5)
    assert back.p == pytest.approx(there.p, rel=1e-9)
    times = one("survival", 8)
    cox = hazard_ratio(times["day"], times["event"], times["treated"])
    turned = hazard_ratio(times["day"], times["event"], 1 - times["treated"])
    assert turned.ratio * cox.ratio == pytest.approx(1.0, rel=1e-6)
    assert turned.high * cox.low == pytest.approx(1.0, rel=1e-4)
    assert turned.p == pytest.approx(cox.p, rel=1e-6)
    growth, swapped = grown(5), grown(5, treated=1 - one("volumes", 5)["treated"])
    assert swapped.rate.estimate == pytest.approx(-growth.rate.estimate, rel=1e-5)
    there_last, back_last = last_day(5), last_day(5, treated=1 - one("volumes", 5)["treated"])
    assert back_last.ratio * there_last.ratio == pytest.approx(1.0, rel=1e-9)
    assert back_last.low * there_last.high == pytest.approx(1.0, rel=1e-9)
    assert swapped.rate.p == pytest.approx(growth.rate.p, rel=1e-4)


def test_the_order_of_animals_does_not_matter() -> None:
    """Rows in another order, animals under other numbers: the same numbers."""
    data = one("volumes", 6)
    order = np.argsort(Stream(1).uniform(np.arange(data["day"].size), "order"))
    mixed = {name: column[order] for name, column in data.items()}
    mixed["animal"] = 1000.0 - mixed["animal"]
    assert astuple(grown(6, **mixed).rate) == pytest.approx(astuple(grown(6).rate), rel=1e-4)
    times = one("survival", 11)
    order = np.argsort(Stream(2).uniform(np.arange(times["day"].size), "order"))
    columns = [times[name] for name in ("day", "event", "treated")]
    mixed_columns = [column[order] for column in columns]
    assert astuple(log_rank(*mixed_columns)) == pytest.approx(astuple(log_rank(*columns)))
    found = astuple(hazard_ratio(*mixed_columns))
    assert found == pytest.approx(astuple(hazard_ratio(*columns)))


def test_units_and_day_zero_do_not_matter() -> None:
    """Volumes in cm³, days counted from elsewhere: rate, ratio, p and hazard ratio are the same."""
    data, growth = one("volumes", 9), grown(9)
    for changed in ({"volume": data["volume"] / 1000.0}, {"day": data["day"] + 100.0}):
        moved = grown(9, **changed)
        assert astuple(moved.rate) == pytest.approx(astuple(growth.rate), rel=1e-3)
        compared = astuple(last_day(9, **changed))[1:]
        assert compared == pytest.approx(astuple(last_day(9))[1:], rel=1e-9)
    hourly = grown(9, day=data["day"] * 24.0)
    assert hourly.rate.estimate * 24.0 == pytest.approx(growth.rate.estimate, rel=1e-4)
    times = one("survival", 8)
    found = hazard_ratio(times["day"], times["event"], times["treated"])
    later = hazard_ratio(times["day"] + 9.0, times["event"], times["treated"])
    assert astuple(later) == astuple(found)


def test_in_balanced_data_the_mixed_model_is_the_t_test_of_slopes() -> None:
    """Complete follow-up: the exact two-stage analysis, degrees of freedom and all."""
    from scipy import stats

    animals, days = 16, np.arange(10.0, 31.0, 3.0)
    stream, ids = Stream(8), np.arange(animals, dtype=np.uint64)
    slopes = 0.1 + 0.05 * stream.normal(ids, "slope") - 0.02 * (ids >= 8)
    noise = 0.1 * stream.normal(np.arange(animals * days.size), "noise").reshape(animals, -1)
    logs = 4.0 + 0.5 * stream.normal(ids, "level")[:, None] + slopes[:, None] * days + noise
    each = np.polynomial.polynomial.polyfit(days, logs.T, 1)[1]
    plain = stats.ttest_ind(each[8:], each[:8])
    rows = np.repeat(ids, days.size)
    found = compare_growth(rows, np.tile(days, animals), np.exp(logs).ravel(), rows >= 8)
    assert found is not None
    assert found.rate.estimate == pytest.approx(each[8:].mean() - each[:8].mean(), rel=1e-6)
    assert found.rate.freedom == pytest.approx(animals - 2, rel=1e-3)
    assert found.rate.p == pytest.approx(float(plain.pvalue), rel=1e-3)


def test_degrees_of_freedom_never_exceed_the_animals() -> None:
    """Singular fits, where Satterthwaite would count measurements as animals."""
    bounded = 0
    for number in (1, 2, 5, 11, 21):
        found = grown(number)
        assert found.rate.freedom <= found.model.animals - 2
        bounded += found.rate.satterthwaite > found.model.animals - 2
    assert bounded >= 1


@pytest.mark.parametrize("jitter", [0.0, 1.0])
def test_a_planted_effect_is_found(jitter: float) -> None:
    """A third less growth; also where each animal is measured on days of its own."""
    ids, stream = np.arange(20 * 9, dtype=np.uint64), Stream(1)
    animal = ids // 9
    day = 8.0 + 3.0 * (ids % 9) + jitter * stream.uniform(ids, "day")
    rate = 0.15 - 0.05 * (animal >= 10) + 0.01 * stream.normal(animal, "rate")
    volume = np.exp(4.0 + rate * (day - 8.0) + 0.1 * stream.normal(ids, "error"))
    found = compare_growth(animal, day, volume, animal >= 10)
    assert found is not None
    assert found.rate.low < -0.05 < found.rate.high < 0.0
    last = compare_last_day(animal, day, volume, animal >= 10)
    if jitter == 0.0:
        assert last is not None
        assert last.low < math.exp(-0.05 * 24.0) < last.high < 1.0
    else:
        assert last is None  # no day is common
    assert found.model.effects == (11 if jitter == 0.0 else 6)


def test_readings_below_the_limit_count_as_the_limit() -> None:
    """Days before tumours can be measured are left out; a vanished tumour is not minus infinity."""
    data = one("volumes", 12)
    volume = np.where(data["animal"] == 1, 1e-6, data["volume"])
    columns = (data["animal"], data["day"], volume, data["treated"])
    found = compare_growth(*columns, limit=100.0)
    assert found is not None
    assert found.model.rows < volume.size
    assert abs(found.rate.estimate) < 0.2
    assert compare_growth(*columns, limit=1e9) is None


def test_the_interval_of_counts_goes_with_its_test() -> None:
    """It leaves out 1 if and only if p is at most 5 %, at both ends of what is close."""
    for number in range(40):
        counts = Stream(number).poisson(12.0, np.arange(12), "counts").astype(float)
        counts[6:] = np.round(counts[6:] * 1.3)
        found = compare_counts(counts, np.arange(12) >= 6)
        assert (found.low <= 1.0 <= found.high) == (found.p > 0.05)
        assert found.low < found.ratio < found.high


def test_the_interval_of_cox_goes_with_its_test() -> None:
    """The same for hazard ratios."""
    significant = 0
    for number in range(1, 51):
        times = one("survival", number)
        found = hazard_ratio(times["day"], times["event"], times["treated"])
        if not math.isnan(found.ratio):
            assert (found.low <= 1.0 <= found.high) == (found.p > 0.05), number
            significant += found.p <= 0.05
    assert significant > 3


def test_groups_without_counts_leave_the_interval_open() -> None:
    """No metastasis in one group gives 0 or infinity, in both nothing."""
    none = compare_counts([0, 0, 0, 0, 0, 7, 5, 9, 3, 4], [1] * 5 + [0] * 5)
    assert none.ratio == none.low == 0.0
    assert 0.0 < none.high < 1.0
    assert none.p == pytest.approx(2 / 252)
    many = compare_counts([0, 0, 0, 0, 0, 7, 5, 9, 3, 4], [0] * 5 + [1] * 5)
    assert math.isinf(many.ratio)
    assert math.isinf(many.high)
    assert many.low == pytest.approx(1.0 / none.high, rel=1e-4)
    empty = compare_counts([0] * 6, [0, 0, 0, 1, 1, 1])
    assert math.isnan(empty.ratio)
    assert empty.p == 1.0
    few = compare_counts([3, 4, 1, 9, 8, 6], [0, 0, 0, 1, 1, 1])
    assert (few.low, few.high) == (0.0, math.inf)  # at three a group nothing is significant


def test_a_study_is_analysed_by_volume_counts_and_survival(result: Result) -> None:
    """Each arm against control in each line, with all animals; control has its median alone."""
    table = analyse(result)
    assert tuple(table.columns) == COLUMNS
    treated = table[table.arm == "knock-down"]
    outcomes = ["growth_rate", "tumour_volume", "lung_metastases", "humane_endpoint"]
    for line in ("4T1", "MDA-MB-231"):
        rows = treated[treated.cell_line == line]
        assert list(dict.fromkeys(rows.outcome)) == ["humane_endpoint", *outcomes[:3]]
        compared = rows[rows.test != "Kaplan–Meier"]
        assert set(compared.n) == {16}
        quiet = compared.note.str.startswith("no animal")
        assert (compared.p.isna() == quiet).all()
        assert ((compared.p[~quiet] > 0.0) & (compared.p[~quiet] <= 1.0)).all()
    assert set(table[table.arm == "vehicle"].test) == {"Kaplan–Meier"}
    counts = result.outcomes[result.outcomes.draw == 0].groupby(["cell_line", "arm"])
    means = counts["lung_metastases"].mean()
    for line in ("4T1", "MDA-MB-231"):
        row = treated[(treated.cell_line == line) & (treated.outcome == "lung_metastases")]
        expected = means[line, "knock-down"] / means[line, "vehicle"]
        assert float(row.estimate.iloc[0]) == pytest.approx(float(expected), rel=1e-5)


def test_an_analysis_says_the_same_twice(result: Result) -> None:
    """Nothing in it is drawn."""
    assert analyse(result).equals(analyse(result))


def test_an_arm_that_failed_is_left_out() -> None:
    """Neither counts nor curves of animals that have none; an arm that did not fail is compared."""
    rows = [
        {"cell_line": "A", "assay": "x", "arm": arm, "draw": 0, "status": status, "animal": animal}
        | {"lung_metastases": 3 + animal}
        for arm, status in (("control", "ok"), ("failed", "step"), ("other", "ok"))
        for animal in range(4)
    ]
    study = SimpleNamespace(arms=["control", "failed", "other"], control="control", beside=None)
    result: Any = SimpleNamespace(
        study=study,
        outcomes=pd.DataFrame(rows),
        animals=pd.DataFrame(columns=list(ANIMAL_COLUMNS)),
        events=pd.DataFrame(columns=list(EVENT_COLUMNS)),
    )
    table = analyse(result)
    assert table[["arm", "outcome", "n"]].to_numpy().tolist() == [["other", "lung_metastases", 8]]
