"""The search for treatments: what it may try, how it is judged, that it goes on after a stop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import unmoor as um
from planted_problems import DRAWS, problems
from planted_search import ARM, Known, planted_search, study
from unmoor.analysis import search as search_module
from unmoor.analysis.optimiser import front, optimise
from unmoor.analysis.search import explore
from unmoor.analysis.search_book import Worth
from unmoor.analysis.search_space import space_of
from unmoor.errors import StudyError
from unmoor.trial.study import Study


def test_a_planted_optimum_is_recovered() -> None:
    """Regret within 5 % in nine of ten problems; the hundred are in benchmarks/search_regret.py."""
    found = [planted_search(problem, n)[0] for n, problem in enumerate(problems(10))]
    assert sum(each <= 0.05 for each in found) >= 9, found
    assert min(found) > -0.01  # nothing is better than the best that is known


@settings(max_examples=25, deadline=None)
@given(
    dose=st.tuples(st.floats(0.0, 50.0), st.floats(51.0, 200.0)),
    start=st.tuples(st.floats(0.0, 6.0), st.floats(7.0, 20.0)),
    seed=st.integers(0, 2**31),
)
def test_no_dose_or_day_is_ever_outside_its_limits(
    dose: tuple[float, float], start: tuple[float, float], seed: int
) -> None:
    """Whatever the range and the seed; a dose of 0 or a start after the read-out drops the drug."""
    whole = study(
        vary={"anti_itgb1.dose": dose, "anti_itgb1.start": start}, candidates=30, quantile=0.5
    )
    space = space_of(whole)
    asked: list[Any] = []

    def evaluate(arms: Mapping[str, Sequence[Any]]) -> Known:
        asked.extend(arms.values())
        flat = np.ones((1, 1, len(arms), DRAWS))
        return Known(flat, flat)

    assert whole.search is not None
    explore(space, whole.search, evaluate, seed=seed)
    assert asked
    for items in asked:
        for item in (item for item in items if item.drug == "anti_itgb1"):
            assert dose[0] <= item.dose <= dose[1]
            assert item.dose > 0.0
            assert start[0] <= item.start <= start[1]
            assert item.start < 14.0


def test_treatments_that_do_nothing_are_left_out() -> None:
    """A dose of 0 drops the drug; the day it would have started no longer matters."""
    space = space_of(study())
    nothing = space.treatments((0, 0, 5, 0))
    assert nothing == ()
    assert space.burden(nothing) == 0.0
    late = space.treatments((0, 3, len(space.levels[2]) - 1, 0))
    assert late == ()  # starts at the read-out


def test_a_holiday_leaves_doses_out_and_keeps_the_rhythm() -> None:
    """Doses from the pause's beginning until before its end are missing, and no others."""
    whole = study(
        vary={"anti_itgb1.holiday_start": ["3 d", "5 d", "7 d"],
              "anti_itgb1.holiday": ["0 d", "2.5 d", "4 d"]}
    )  # fmt: skip
    space = space_of(whole)
    whole_time = [t for item in space.treatments((0, 0))[:1] for t in item.times(14.0)]
    paused = [
        t for item in space.treatments((1, 1)) if item.drug == "anti_itgb1"
        for t in item.times(14.0)
    ]  # fmt: skip
    assert whole_time == [float(day) for day in range(14)]
    assert paused == [0, 1, 2, 3, 4, *range(8, 14)]


def test_burden_is_what_is_given_relative_to_the_highest_allowed() -> None:
    """One dose a day at half the limit is a burden of one half a day."""
    space = space_of(study(vary={"anti_itgb1.dose": ["0 mg/kg", "100 mg/kg"]}))
    items = (um.Regimen("anti_itgb1", dose=100.0, every="1 d"),)
    assert space.limits["anti_itgb1"] == 200.0
    assert space.burden(items) == pytest.approx(0.5, rel=1e-12)


def test_a_small_grid_is_tried_in_full() -> None:
    """Nothing is guessed where everything can be tried."""
    tried = optimise((3, 4), lambda points: [Worth((p[0] + p[1] * 1.0,)) for p in points],
                     budget=50, seed=1)  # fmt: skip
    assert len(tried) == 12
    assert front(tried) == [(0, 0)]


def test_the_front_is_what_nothing_beats() -> None:
    """Against the definition, point by point; what breaks a condition is not on it."""
    values = {(n,): (float(n % 4), float((7 * n) % 5)) for n in range(20)}
    worths = {p: Worth(v, (1.0,) if p[0] == 0 else ()) for p, v in values.items()}
    allowed = {p: v for p, v in values.items() if p[0] != 0}
    wanted = {
        v for v in allowed.values()
        if not any(o != v and o[0] <= v[0] and o[1] <= v[1] for o in allowed.values())
    }  # fmt: skip
    found = front(worths)
    assert {allowed[p] for p in found} == wanted
    assert len(found) == len(wanted)  # equal points once


def test_a_search_is_a_function_of_its_seed() -> None:
    """The same seed tries the same treatments in the same order; another does not."""

    def worth(points: Sequence[tuple[int, ...]]) -> list[Worth]:
        return [Worth((abs(p[0] - 17) + abs(p[1] - 40) * 0.5, float(p[2]))) for p in points]

    runs = [list(optimise((60, 60, 60), worth, budget=90, seed=s)) for s in (3, 3, 4)]
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]


def test_the_best_is_best_in_the_first_objective() -> None:
    """Whatever comes first in ``minimise``; a search for the smallest tumour says so first."""
    for first, second in (("tumour_volume", "lung_metastases"), ("lung_metastases", "burden")):
        whole = study(
            vary={"tgfbr1_inhibitor.dose": ["0 mg/kg", "60 mg/kg"],
                  "tgfbr1_inhibitor.start": ["0 d", "14 d"]},
            candidates=20, draws=3, minimise=[first, second],
        ).replace(uncertainty={"draws": 3, "rivals": False})  # fmt: skip
        found = um.search(whole)
        values = [each.outcomes[first] for each in found.front]
        assert values == sorted(values)
        assert found.best is not None
        assert found.best.outcomes[first] == min(values)


def test_an_interrupted_search_ends_with_the_same_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped half-way and begun again with its memory, it finds what it finds in one go."""
    whole = study(
        vary={"tgfbr1_inhibitor.dose": ["0 mg/kg", "60 mg/kg"],
              "tgfbr1_inhibitor.start": ["0 d", "14 d"]},
        candidates=26, draws=4,
    ).replace(uncertainty={"draws": 4, "rivals": False})  # fmt: skip
    at_once = um.search(whole)
    real, calls = search_module.foretell, []

    def stopped(*given: Any, **options: Any) -> Any:
        calls.append(None)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(*given, **options)

    monkeypatch.setattr(search_module, "foretell", stopped)
    with pytest.raises(KeyboardInterrupt):
        um.search(whole, memory=tmp_path)
    monkeypatch.setattr(search_module, "foretell", real)
    kept = set(tmp_path.rglob("*.bin"))
    assert kept
    again = um.search(whole, memory=tmp_path, workers=3)
    assert again.tried == at_once.tried
    assert again.front == at_once.front
    assert kept <= set(tmp_path.rglob("*.bin"))


def test_a_study_without_a_search_says_what_is_missing() -> None:
    """And what to write."""
    bare = study().replace(search=None)
    with pytest.raises(StudyError, match=r"\[search\] table in the study, or what to vary"):
        um.search(bare)


def test_the_search_table_reads_back() -> None:
    """Written and read again it is the same, units and all."""
    whole = study(subject_to="burden <= 0.2", minimise="lung_metastases", candidates=33)
    assert Study.loads(whole.to_toml(), beside=whole.beside) == whole
    assert whole.search is not None
    assert whole.search.subject_to == ("burden <= 0.2",)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"vary": {}}, "E-EMPTY"),
        ({"vary": {f"{ARM}.anti_itgb1.dose": ["0 mg/kg", "300 mg/kg"]}}, "E-RANGE"),
        ({"vary": {f"{ARM}.anti_itgb1.dose": ["5 mg/kg", "2 mg/kg"]}}, "lower end first"),
        ({"vary": {f"{ARM}.anti_itgb1.dose": ["5 d", "8 d"]}}, "E-UNIT"),
        ({"vary": {f"{ARM}.anti_itgb1.doze": [1, 2]}}, "did you mean"),
        ({"vary": {f"{ARM}.anti_itgb1.holiday": ["1 d", "2 d"]}}, "holiday_start is missing"),
        ({"vary": {"other.anti_itgb1.dose": [1, 2], f"{ARM}.anti_itgb1.dose": [1, 2]}},
         "E-SEARCH"),
        ({"subject_to": ["tumour_volume <= 0.5"]}, "E-SEARCH"),
        ({"subject_to": ["weight <= 0.5 * control"]}, "E-SEARCH"),
        ({"minimise": ["toxicity"]}, "E-SEARCH"),
        ({"candidates": 2}, "E-RANGE"),
        ({"draw": 2}, "E-KEY"),
    ],
)  # fmt: skip
def test_a_wrong_search_table_is_told_before_anything_is_run(
    table: dict[str, Any], said: str
) -> None:
    """Each mistake has its place, what is allowed, and a code."""
    good = {"vary": {f"{ARM}.anti_itgb1.dose": ["0 mg/kg", "20 mg/kg"]}}
    with pytest.raises(StudyError) as caught:
        study().replace(search={**good, **table})
    assert said in str(caught.value)
