"""The tests that are offered keep their level: a short version of benchmarks/type_one_error.py.

1 000 null trials at a size. At a true level of 8 % one such row exceeds the bound with probability
.91, and the two to twelve rows of a test together with more than .99; at 5 % one row exceeds it
with probability .005 (and seeds are fixed).
"""

from __future__ import annotations

import importlib.util
import math
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from scipy import special

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "type_one_error.py"
TRIALS, BOUND = 1000, 0.068


def _load() -> ModuleType:
    if not SCRIPT.exists():
        pytest.skip("benchmarks are not part of this distribution", allow_module_level=True)
    spec = importlib.util.spec_from_file_location("type_one_error", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


generators = _load()


def share(scenario: object, n: int, trials: int = TRIALS) -> dict[str, float]:
    """Share of null trials called significant, by test."""
    rows = generators.shares(scenario, n, trials, map)
    return {str(row["test"]): float(row["share"]) for row in rows}


def test_the_bound_catches_a_level_of_eight_percent() -> None:
    """Power of one row of 1 000 trials above .9, false alarms below .006."""
    allowed = math.floor(BOUND * TRIALS)
    assert special.bdtrc(allowed, TRIALS, 0.08) > 0.9
    assert special.bdtrc(allowed, TRIALS, 0.05) < 0.006


@pytest.mark.parametrize("scenario", generators.COUNTS, ids=lambda x: x.name)
@pytest.mark.parametrize("n", [5, 10, 20])
def test_the_test_of_counts_keeps_its_level(scenario: object, n: int) -> None:
    """Overdispersed counts with zeros; the negative binomial is not the law they come from."""
    found = share(scenario, n)
    assert found["counts: negative binomial, permutation"] <= BOUND


def test_the_usual_test_of_counts_does_not() -> None:
    """Which is why it is not offered, and shows that the bound would notice."""
    scenario, called = generators.COUNTS[0], 0
    treated = np.arange(10) >= 5
    for counts in generators.counted(scenario, 1, 400, 5):
        called += generators.count_p(counts, treated, True)["counts: Wald (not offered)"] <= 0.05
    assert called / 400 > 0.1


@pytest.mark.parametrize(("number", "n"), [(0, 5), (1, 5), (2, 5), (0, 10)], ids=lambda x: f"{x}")
def test_log_rank_and_cox_keep_their_level(number: int, n: int) -> None:
    """Ties, censoring at the read-out and losses before it."""
    found = share(generators.SURVIVAL[number], n)
    assert found["survival: log-rank, permutation"] <= BOUND
    assert found["survival: Cox, permutation"] <= BOUND


def test_the_mixed_model_keeps_its_level() -> None:
    """Reduced Gompertz growth with drop-out at the humane end point, at n = 5."""
    found = share(generators.VOLUMES[0], 5)
    assert found["volume: mixed model, growth rate"] <= BOUND
    assert found["volume: Welch t-test, last common day"] <= BOUND


@pytest.mark.parametrize("scenario", generators.LOGS, ids=lambda x: x.name)
@pytest.mark.parametrize("n", [5, 8, 10, 20])
def test_the_last_day_keeps_its_level_under_unequal_spread(scenario: object, n: int) -> None:
    """Where the treated are up to four times as spread as the control."""
    assert share(scenario, n)["volume: Welch t-test, last common day"] <= BOUND


def test_sample_sizes_for_counts_are_those_of_the_formula() -> None:
    """O17 to the printed digit."""
    cases = {(10.0, 20.0, 0.5): 18.8, (10.0, 20.0, 1.0): 35.1, (10.0, 30.0, 1.0): 13.9}
    for case, size in cases.items():
        assert round(generators.sample_size(*case), 1) == size


def test_the_test_of_counts_has_about_the_power_of_the_formula() -> None:
    """.8 promised by a formula for large groups and another law; 2 000 trials (error .009)."""
    for row in generators.power(2000):
        assert 0.7 < row["power"] < 0.9
