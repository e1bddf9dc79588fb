"""What is not known falls into parameters and structures; animals stand beside both."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from small_study import small_study
from unmoor.errors import StudyError
from unmoor.random import Stream
from unmoor.trial.study import Study
from unmoor.trial.uncertainty import Mixture, uncertainty_table, weights_of

NAMES = ("cascading/tgfb", "cascading/itgb3", "ternary/tgfb", "ternary/itgb3")
WEIGHTS = dict(zip(NAMES, (0.4, 0.3, 0.2, 0.1), strict=True))


def normal(count: int, purpose: str) -> Any:
    """Return standard normal numbers."""
    return Stream(3).normal(np.arange(count, dtype=np.uint64), purpose)


def with_weights(weights: object, **others: Any) -> Study:
    """Return a small study with weights of its structures."""
    return small_study().replace(
        uncertainty={"draws": 20, "rivals": True, "weights": weights} | others
    )


def test_variances_of_known_groups_come_back() -> None:
    """Two groups of standard deviation 1 and 2 around 0 and 3: within 2.5, between 2.25."""
    groups = (normal(20_000, "a"), 3.0 + 2.0 * normal(20_000, "b"))
    within, between = Mixture(groups, (0.5, 0.5)).variances()
    assert within == pytest.approx(2.5, rel=0.03)
    assert between == pytest.approx(2.25, rel=0.03)


def test_structures_that_are_alike_have_no_variance_between_them_on_average() -> None:
    """Without the correction the mean of 400 would be .75 / 10 = .075 at 10 draws."""
    found = []
    for i in range(400):
        groups = tuple(normal(10, f"{i}/{j}") for j in range(4))
        mixture = Mixture(groups, (0.25,) * 4)
        means = np.array([each.mean() for each in groups])
        raw = float(means.var())
        within, between = mixture.variances()
        found.append(raw - 0.75 * within / 10)
        assert between == pytest.approx(max(found[-1], 0.0), abs=1e-12)
    assert np.mean(found) == pytest.approx(0.0, abs=0.012)


def test_weights_decide_quantiles_and_means() -> None:
    """A structure of weight 0 counts for nothing, however many draws it has."""
    values = (np.arange(100.0), 1e3 + np.arange(900.0))
    assert Mixture(values, (1.0, 0.0)).quantiles([0.5])[0] == pytest.approx(49.5)
    assert Mixture(values, (1.0, 0.0)).mean() == pytest.approx(49.5)
    assert Mixture(values, (0.5, 0.5)).quantiles([0.25])[0] == pytest.approx(49.5, abs=1)


def test_what_is_not_solved_is_left_out() -> None:
    """Unsolved draws take no weight from solved ones of their structure."""
    broken = np.array([np.nan, 2.0, 2.0, np.nan])
    mixture = Mixture((broken, np.array([4.0, 4.0])), (0.5, 0.5))
    assert mixture.mean() == pytest.approx(3.0)
    assert all(map(math.isnan, Mixture((np.array([np.nan]),), (1.0,)).quantiles([0.1, 0.9])))


def draws_of(structures: dict[str, tuple[float, float]]) -> pd.DataFrame:
    """Return a table of draws, 50 a structure, all with one tumour and one spread ratio."""
    return pd.DataFrame(
        [
            {"cell_line": "a", "assay": "b", "arm": "c", "structure": name, "tumour_ratio": tumour,
             "spread_ratio": spread, "paradox_index": spread}
            for name, (tumour, spread) in structures.items()
            for _ in range(50)
        ]
    )  # fmt: skip


def effects_of(low: float, high: float) -> pd.DataFrame:
    """Return a table of effects with one interval of virtual studies for both ratios."""
    seen = {f"{name}_study_{end}": x for name in ("tumour", "spread")
            for end, x in (("low", low), ("high", high))}  # fmt: skip
    return pd.DataFrame([{"cell_line": "a", "assay": "b", "arm": "c", **seen}])


def test_structures_that_disagree_are_all_the_variance_there_is() -> None:
    """P(switch) is the weight of those that switch, and the verdict is open."""
    told = {name: (0.5, 4.0 if "tgfb" in name else 0.5) for name in NAMES}
    table = uncertainty_table(with_weights(WEIGHTS), draws_of(told), effects_of(0.5, 2.0))
    row = table.iloc[0]
    assert row["p_switch"] == pytest.approx(0.6)
    assert (row["p_switch_least"], row["p_switch_most"]) == (0.0, 1.0)
    assert row["p_benefit"] == pytest.approx(0.4)
    assert row["spread_var_parameters"] == pytest.approx(0.0, abs=1e-15)
    assert row["spread_var_structures"] == pytest.approx(0.24 * math.log(8.0) ** 2)
    assert row["verdict"] == "unclear"


def test_animals_are_what_virtual_studies_add() -> None:
    """Their variance comes from the interval of virtual studies alone."""
    told = dict.fromkeys(NAMES, (0.5, 4.0))
    table = uncertainty_table(with_weights(WEIGHTS), draws_of(told), effects_of(0.5, 2.0))
    row = table.iloc[0]
    sd = math.log(4.0) / (2 * 1.6448536)
    assert row["spread_var_animals"] == pytest.approx(sd**2)
    assert row["spread_var_structures"] == row["spread_var_parameters"] == 0.0
    assert row["verdict"] == "switch"


def test_weights_are_written_and_read_back() -> None:
    """A study with weights is equal to what its file says."""
    study = with_weights(WEIGHTS)
    assert Study.loads(study.to_toml()) == study
    assert weights_of(study, NAMES) == pytest.approx(WEIGHTS)
    assert "weights" not in small_study().to_toml()
    assert weights_of(small_study(), NAMES) == pytest.approx(dict.fromkeys(NAMES, 0.25))


@pytest.mark.parametrize(
    ("weights", "code", "said"),
    [
        ({"cascading/tgfb": 0.5, "ternary/tgfb": 0.4}, "E-RANGE", "add up to 0.9"),
        ({"cascading/tgfb": 1.5, "ternary/tgfb": -0.5}, "E-RANGE", "0-1"),
        ({"cascading/tgfb": float("nan")}, "E-RANGE", "0-1"),
        ({"cascading/tgfb": "much"}, "E-TYPE", "table of numbers"),
        ({}, "E-EMPTY", "table of numbers"),
        ([0.5, 0.5], "E-TYPE", "table of numbers"),
        ({"cascading/tgfb": 1.0}, "E-WEIGHTS", "missing: cascading/itgb3"),
        (WEIGHTS | {"cascading/tgfb": 0.0, "cascade/tgfb": 0.4}, "E-WEIGHTS", "cascading/tgfb"),
    ],
)
def test_wrong_weights_are_refused(weights: object, code: str, said: str) -> None:
    """With what is wrong and what would be right; they are never scaled to fit."""
    with pytest.raises(StudyError) as caught:
        with_weights(weights)
    assert code in [each.code for each in caught.value.problems]
    assert said in str(caught.value)


def test_weights_of_rivals_that_are_not_run_are_refused() -> None:
    """The message says how to run them."""
    with pytest.raises(StudyError, match="rivals = true"):
        with_weights(WEIGHTS, rivals=False)
