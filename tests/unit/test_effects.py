"""Effects of arms against control: exact for planted arrays, and the two intervals apart."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from unmoor.random import Stream
from unmoor.trial.effects import draw_interval, expected_ratios, monte_carlo_error, study_interval

DRAWS, ARMS, ANIMALS = 6, 3, 4
Planted = dict[str, npt.NDArray[np.generic]]
FloatArray = npt.NDArray[np.float64]


def numbers(purpose: str, *shape: int) -> FloatArray:
    """Standard normal numbers of a shape."""
    ids = np.arange(math.prod(shape), dtype=np.uint64)
    return Stream(1).normal(ids, purpose).reshape(shape)


@pytest.fixture
def planted() -> Planted:
    """Arm 1 has .6 and arm 2 1.5 times the volume of arm 0, and 3 and .4 times its spread.

    Animals and draws differ by orders of magnitude, arms by these factors alone.
    """
    size, spread = np.array([1.0, 0.6, 1.5]), np.array([1.0, 3.0, 0.4])
    base = np.exp(2.0 * numbers("base", DRAWS, 1, ANIMALS))
    typical = np.exp(numbers("typical", DRAWS, 1))
    return {
        "volume": 800.0 * base * size[:, None],
        "expected_metastases": 20.0 * base**2 * spread[:, None],
        "shedding": typical * spread,
        "exposure": typical**2 * size,
        "e_cadherin": np.broadcast_to([0.9, 0.2, 0.95], (DRAWS, ARMS)).copy(),
        "status": np.zeros((DRAWS, ARMS), dtype=np.int8),
    }


def test_planted_ratios_come_out_exactly(planted: Planted) -> None:
    """In every draw, whatever its own size, to rounding."""
    for arm, size, spread in ((1, 0.6, 3.0), (2, 1.5, 0.4)):
        ratios = expected_ratios(planted, arm, 0)
        assert ratios.tumour == pytest.approx(np.full(DRAWS, size), rel=1e-13)
        assert ratios.spread == pytest.approx(np.full(DRAWS, spread), rel=1e-13)
        assert ratios.paradox == pytest.approx(np.full(DRAWS, spread), rel=1e-13)
        assert ratios.exposure == pytest.approx(np.full(DRAWS, size), rel=1e-13)
    assert expected_ratios(planted, 1, 0).e_loss == pytest.approx(np.full(DRAWS, 0.7))
    assert expected_ratios(planted, 2, 0).e_loss == pytest.approx(np.full(DRAWS, -0.05))


def test_control_against_itself_is_one(planted: Planted) -> None:
    """And swapping arm and control inverts every ratio."""
    for name in ("tumour", "spread", "paradox", "exposure"):
        assert (getattr(expected_ratios(planted, 0, 0), name) == 1.0).all()
        there, back = expected_ratios(planted, 2, 1), expected_ratios(planted, 1, 2)
        assert getattr(there, name) * getattr(back, name) == pytest.approx(np.ones(DRAWS))


def test_tumour_is_of_geometric_and_spread_of_arithmetic_means() -> None:
    """Two animals that differ: √(2·8) / √(1·4) = 2, and (1 + 9) / (2 + 2) = 2.5."""
    arrays: Planted = {
        "volume": np.array([[[1.0, 4.0], [2.0, 8.0]]]),
        "expected_metastases": np.array([[[2.0, 2.0], [1.0, 9.0]]]),
        "shedding": np.array([[2.0, 5.0]]),
        "exposure": np.array([[4.0, 2.0]]),
        "e_cadherin": np.array([[1.0, 0.25]]),
        "status": np.zeros((1, 2), dtype=np.int8),
    }
    ratios = expected_ratios(arrays, 1, 0)
    found = [float(x[0]) for x in (ratios.tumour, ratios.spread, ratios.paradox, ratios.exposure)]
    assert found == pytest.approx([2.0, 2.5, 2.5, 0.5], rel=1e-14)
    assert ratios.e_loss.tolist() == [0.75]


@pytest.mark.parametrize("arm", [0, 1])
def test_a_draw_that_failed_under_either_arm_has_no_ratio(planted: Planted, arm: int) -> None:
    """And harms no other draw."""
    whole = expected_ratios(planted, 1, 0)
    planted["status"][2, arm] = 2
    planted["volume"][2, arm] = np.nan
    ratios = expected_ratios(planted, 1, 0)
    for name in ("tumour", "spread", "paradox", "exposure", "e_loss"):
        found = getattr(ratios, name)
        assert np.isnan(found[2])
        assert np.delete(found, 2).tolist() == np.delete(getattr(whole, name), 2).tolist()


def test_a_draw_of_another_arm_that_failed_counts(planted: Planted) -> None:
    """Failure of an arm that is not compared changes nothing."""
    whole = expected_ratios(planted, 1, 0)
    planted["status"][2, 2] = 1
    assert expected_ratios(planted, 1, 0).tumour.tolist() == whole.tumour.tolist()


def test_the_interval_over_draws_is_equal_tailed() -> None:
    """Of 0 … 100: median 50, and 5 to 95 at a level of 90 %; failed draws do not count."""
    values = np.append(np.arange(101.0)[::-1], [np.nan, np.inf])
    assert draw_interval(values, 0.9) == pytest.approx((50.0, 5.0, 95.0))
    assert draw_interval(values, 0.5) == pytest.approx((50.0, 25.0, 75.0))
    assert np.isnan(draw_interval(np.array([np.nan, np.nan]), 0.9)).all()
    assert draw_interval(np.array([2.5]), 0.9) == (2.5, 2.5, 2.5)


@given(st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=30), st.floats(0.1, 0.99))
def test_the_interval_over_draws_holds_its_median(values: list[float], level: float) -> None:
    """In order, within the draws, and wider at a higher level."""
    middle, low, high = draw_interval(np.array(values), level)
    assert min(values) <= low <= middle <= high <= max(values)
    _, wider_low, wider_high = draw_interval(np.array(values), 0.5 * (1.0 + level))
    assert wider_low <= low
    assert high <= wider_high


def test_monte_carlo_error_is_that_of_the_median() -> None:
    """For n normal logarithms √(π / 2n) of their spread (± 15 %); failures do not count."""
    spread = 0.5
    for n in (400, 1600):
        values = np.exp(spread * numbers("error", n))
        error = monte_carlo_error(values, seed=3)
        assert error == pytest.approx(spread * math.sqrt(math.pi / 2.0 / n), rel=0.15)
        assert monte_carlo_error(np.append(values, [np.nan, 0.0]), seed=3) == error
    assert math.isnan(monte_carlo_error(np.array([1.0]), seed=3))
    assert monte_carlo_error(np.full(50, 2.0), seed=3) < 1e-12


def _pool(size: float, spread: float, animals: int = 4000) -> Planted:
    """One draw: log-normal volumes (SD .4 of ln V) and Poisson–log-normal counts."""
    factors = np.array([1.0, size])[:, None]
    volumes = 700.0 * factors * np.exp(0.4 * numbers("volumes", 2, animals))
    expected = 20.0 * np.array([1.0, spread])[:, None] * np.exp(0.8 * numbers("mice", 2, animals))
    quantiles = stats.norm.cdf(numbers("counts", 2, animals))
    counts = stats.poisson.ppf(quantiles, expected).astype(np.int64)
    return {"reading": volumes[None], "count": counts[None]}


@pytest.mark.parametrize("animals", [8, 32])
def test_a_study_of_n_animals_would_report_this_interval(animals: int) -> None:
    """Volumes: ln ratio is normal with SD .4·√(2/n), as two separate groups of animals give."""
    pool = _pool(0.6, 3.0)
    found = study_interval(pool, 1, 0, animals, 0.9, seed=5, name="arm")
    logs = np.log(pool["reading"][0].astype(float))
    middle = logs[1].mean() - logs[0].mean()
    half = stats.norm.ppf(0.95) * math.sqrt((logs[0].var() + logs[1].var()) / animals)
    assert np.log(found["tumour"]) == pytest.approx([middle - half, middle + half], abs=0.1 * half)
    low, high = found["spread"]
    counts = pool["count"][0].astype(float)
    relative = counts.var(axis=1) / counts.mean(axis=1) ** 2 / animals
    wide = stats.norm.ppf(0.95) * math.sqrt(relative.sum())
    assert math.log(high / low) == pytest.approx(2.0 * wide, rel=0.15)
    assert low < counts[1].mean() / counts[0].mean() < high


def test_a_study_interval_narrows_with_more_animals() -> None:
    """And with a lower level; it does not depend on the order in which things are asked."""
    pool = _pool(0.6, 3.0)

    def width(name: str, animals: int, level: float) -> float:
        low, high = study_interval(pool, 1, 0, animals, level, seed=5, name="arm")[name]
        return math.log(high / low)

    for name in ("tumour", "spread"):
        assert width(name, 40, 0.9) < width(name, 10, 0.9) < width(name, 10, 0.99)
    again = study_interval(pool, 1, 0, 10, 0.9, seed=5, name="arm")
    assert again == study_interval(pool, 1, 0, 10, 0.9, seed=5, name="arm")
    assert again != study_interval(pool, 1, 0, 10, 0.9, seed=6, name="arm")


def test_control_and_arm_have_animals_of_their_own() -> None:
    """A real study is not paired: even without any effect its ratio varies."""
    low, high = study_interval(_pool(1.0, 1.0), 0, 0, 10, 0.9, seed=5, name="arm")["tumour"]
    assert low < 0.9
    assert high > 1.1


def test_groups_without_any_metastasis_still_give_a_ratio() -> None:
    """Half a metastasis is added to each sum."""
    pool = _pool(1.0, 1.0, 50)
    pool["count"] = np.zeros_like(pool["count"])
    assert study_interval(pool, 1, 0, 5, 0.9, seed=5, name="arm")["spread"] == (1.0, 1.0)
    pool["count"][0, 1] = 3
    assert study_interval(pool, 1, 0, 5, 0.9, seed=5, name="arm")["spread"] == (31.0, 31.0)
