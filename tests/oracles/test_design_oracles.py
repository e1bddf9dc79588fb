"""O17 and calibration: levels, closed forms, coverage – short runs of benchmarks/design.py.

Bounds lie 5.5 standard errors from the promised value (false alarms below 1e-6). At these sizes
they catch a level of 10 %, a power wrong by nine points, and a 75 % interval sold as one of 90 %.
``UNMOOR_LONG=1`` runs what the benchmark promises: 10⁴ null trials and 2 000 intervals.
"""

from __future__ import annotations

import importlib.util
import math
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest
from scipy import special

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "design.py"
IS_LONG = os.environ.get("UNMOOR_LONG") == "1"
NULL_TRIALS = 10_000 if IS_LONG else 1500
POWER_TRIALS = 10_000 if IS_LONG else 3000
COVERED = 2000 if IS_LONG else 400
ERRORS = 5.5
"""Standard errors between a promised value and its bound."""


def _load() -> ModuleType:
    if not SCRIPT.exists():
        pytest.skip("benchmarks are not part of this distribution", allow_module_level=True)
    spec = importlib.util.spec_from_file_location("design_benchmark", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


bench = _load()


def reach(share: float, trials: int) -> float:
    """Largest distance of a simulated share that is taken for chance."""
    return ERRORS * math.sqrt(share * (1.0 - share) / trials)


def test_the_bounds_would_notice() -> None:
    """False alarms below 1e-6; what is named above is caught with probability over .98."""
    most = math.floor(NULL_TRIALS * (0.05 + reach(0.05, NULL_TRIALS)))
    assert special.bdtrc(most, NULL_TRIALS, 0.05) < 1e-6
    assert special.bdtrc(most, NULL_TRIALS, 0.1) > 0.98
    least = math.ceil(COVERED * (0.9 - reach(0.9, COVERED)))
    assert special.bdtr(least - 1, COVERED, 0.9) < 1e-6
    assert special.bdtr(least - 1, COVERED, 0.75) > 0.98
    assert reach(0.5, POWER_TRIALS) + bench.FEW_POINTS < 0.09


@pytest.mark.parametrize("n", bench.SIZES)
def test_both_tests_of_a_design_keep_their_level(n: int) -> None:
    """Null trials with reading error, losses and humane end point, through the simulator."""
    blocks = NULL_TRIALS // bench.BLOCK
    found = [bench.level_block((n, i, bench.BLOCK)) for i in range(blocks)]
    most = bench.MOST if IS_LONG else 0.05 + reach(0.05, NULL_TRIALS)
    for place in (1, 2):
        assert sum(each[place] for each in found) / NULL_TRIALS <= most


def test_numbers_for_counts_are_those_of_the_closed_form() -> None:
    """O17 to the printed digit."""
    sizes = [round(bench.sample_size(*form), 1) for form in bench.FORMS]
    assert sizes == [18.8, 35.1, 13.9]


@pytest.mark.parametrize(("form", "n"), [(0, 20), (1, 20), (2, 20), (1, 40)])
def test_power_for_counts_is_that_of_the_closed_form(form: int, n: int) -> None:
    """Within two points and chance with the test it is of; the offered one never finds more."""
    row = bench.closed_counts((*bench.FORMS[form], n, POWER_TRIALS))
    close = bench.FEW_POINTS + reach(row["closed"], POWER_TRIALS)
    assert abs(row["its_test"] - row["closed"]) < close
    assert row["closed"] - 0.06 - close < row["offered"] < row["closed"] + close


@pytest.mark.parametrize(("ratio", "spread", "n"), [(0.7, 0.5, 20), (0.6, 0.8, 30), (0.5, 0.4, 5)])
def test_power_for_volumes_is_that_of_the_noncentral_t(ratio: float, spread: float, n: int) -> None:
    """Welch's test loses a little at five animals, nothing to speak of from twenty on."""
    row = bench.closed_volumes((ratio, spread, n, POWER_TRIALS))
    slack = bench.FEW_POINTS if n >= 20 else 0.04
    assert abs(row["offered"] - row["closed"]) < slack + reach(row["closed"], POWER_TRIALS)


@pytest.mark.parametrize("law", bench.LAWS)
@pytest.mark.parametrize("n", [10] if not IS_LONG else bench.SIZES)
def test_intervals_of_ninety_percent_cover_known_effects(law: str, n: int) -> None:
    """Effects drawn from the bands of the published ones, which are assumed."""
    _, _, hits, tried = bench.coverage_block((law, n, 0, COVERED))
    low, high = (0.9 - reach(0.9, tried), 0.9 + reach(0.9, tried))
    if IS_LONG:
        low, high = bench.BAND
    assert low <= hits / tried <= high
