"""Number, volume and sizes of metastases against closed forms and a published solution."""

from __future__ import annotations

import numpy as np
import pytest

from unmoor.errors import ParameterError
from unmoor.organism.burden import Burden, burden, larger_than, sample_sizes
from unmoor.random import Stream

# Gompertz growth and emission of the published numerical solution (in no catalog: its own example)
GROWTH, SLOWING, EMISSION, POWER = 0.56, 0.0719, 1e-3, 2.0 / 3.0


def gompertz(start: float, ages: np.ndarray) -> np.ndarray:
    """Volume at an age from a starting volume [mm³]."""
    return start * np.exp(GROWTH / SLOWING * (1.0 - np.exp(-SLOWING * ages)))


def published(steps: int, day: float = 60.0, *, secondary: bool = True) -> Burden:
    """The published case to a day."""
    times = np.linspace(0.0, day, steps + 1)
    primary, size = gompertz(1.0, times), gompertz(1e-6, times)
    child = EMISSION * size**POWER if secondary else None
    return burden(times, EMISSION * primary**POWER, size, child)


def refined(day: float, *, secondary: bool = True) -> tuple[float, float]:
    """Number and volume extrapolated to a step of zero, from two grids."""
    coarse, fine = (published(n, day, secondary=secondary) for n in (2000, 4000))
    founded, volume = (
        (4.0 * getattr(fine, x)[-1] - getattr(coarse, x)[-1]) / 3.0 for x in ("founded", "volume")
    )
    return float(founded), float(volume)


@pytest.mark.parametrize(
    ("day", "founded", "half_digit"), [(60.0, 5.3972217, 5e-8), (6.0, 0.0181256, 5e-8)]
)
def test_numbers_of_the_published_solution(day: float, founded: float, half_digit: float) -> None:
    """With secondary shedding, to the printed digits."""
    assert refined(day)[0] == pytest.approx(founded, abs=half_digit)


def test_first_day_and_volume_of_the_published_solution() -> None:
    """N(1) and M(60), to their printed digits."""
    assert refined(1.0)[0] == pytest.approx(0.00120643, abs=5e-9)
    assert refined(60.0)[1] == pytest.approx(0.00267486, abs=5e-9)


def test_secondary_shedding_adds_what_it_should() -> None:
    """Without it N(60) is 5.39687 and M(60) is .00267481."""
    founded, volume = refined(60.0, secondary=False)
    assert founded == pytest.approx(5.39687, abs=5e-6)
    assert volume == pytest.approx(0.00267481, abs=5e-9)


@pytest.mark.parametrize(("a", "b"), [(0.3, 0.2), (0.2, 0.35), (0.25, 0.25)])
def test_exponential_growth_has_its_closed_form(a: float, b: float) -> None:
    """N = μV0(e^{at} − 1)/a and B = μV0(e^{at} − e^{bt})/(a − b), or μV0·t·e^{at} if a = b."""
    mu, v0, end = 0.01, 2.0, 30.0
    values = []
    for steps in (2000, 4000):
        times = np.linspace(0.0, end, steps + 1)
        at = burden(times, mu * v0 * np.exp(a * times), np.exp(b * times))
        values.append((at.founded[-1], at.volume[-1]))
    founded, volume = (4.0 * fine - coarse for coarse, fine in zip(*values, strict=True))
    grown = np.exp(a * end)
    assert founded / 3.0 == pytest.approx(mu * v0 * (grown - 1.0) / a, rel=1e-9)
    expected = end * grown if a == b else (grown - np.exp(b * end)) / (a - b)
    assert volume / 3.0 == pytest.approx(mu * v0 * expected, rel=1e-9)


def test_sizes_have_the_tail_of_the_growth_rates() -> None:
    """The number above x falls as x^(−a/b) for 1 ≪ x ≪ e^{bt}; a tenth more on a is noticed."""
    a, b, end = 0.2, 0.35, 60.0
    times = np.linspace(0.0, end, 6001)
    size = np.exp(b * times)
    at = burden(times, np.exp(a * times), size)
    many, few = (larger_than(x, at, size) for x in (1e2, 1e4))
    slope = np.log(few / many) / np.log(1e4 / 1e2)
    assert slope == pytest.approx(-a / b, rel=2e-3)
    assert slope != pytest.approx(-1.1 * a / b, rel=2e-3)
    assert larger_than(0.5, at, size) == at.founded[-1]
    assert larger_than(2.0 * size[-1], at, size) == 0.0


def test_sampled_metastases_have_the_expected_number_and_volume() -> None:
    """Means over 4 000 animals within 4 standard errors; a rate a tenth higher is noticed."""
    times = np.linspace(0.0, 28.0, 281)
    size = np.exp(0.2 * times)
    at = burden(times, 0.05 * np.exp(0.15 * times), size)
    animals = [sample_sizes(Stream(11), animal, at, size) for animal in range(4000)]
    for values, expected in (
        (np.array([len(sizes) for sizes in animals]), at.founded[-1]),
        (np.array([sizes.sum() for sizes in animals]), at.volume[-1]),
    ):
        error = values.std(ddof=1) / np.sqrt(values.size)
        assert abs(values.mean() - expected) < 4.0 * error
        assert abs(values.mean() - 1.1 * expected) > 4.0 * error


def test_more_shedding_only_adds_younger_metastases() -> None:
    """The same animal under twice the rate holds at least as many, and the first is no younger."""
    times = np.linspace(0.0, 28.0, 281)
    size = np.exp(0.2 * times)
    at = burden(times, np.full(281, 0.3), size)
    few, many = (sample_sizes(Stream(3), 5, at, size, shedding) for shedding in (1.0, 2.0))
    assert len(many) >= len(few) > 0
    assert many[0] >= few[0]


@pytest.mark.parametrize("times", [[0.0], [1.0, 2.0], [0.0, 1.0, 3.0], [0.0, -1.0]])
def test_a_grid_that_is_not_equally_spaced_from_zero_is_refused(times: list[float]) -> None:
    """Rather than answered wrongly."""
    values = np.ones(len(times))
    with pytest.raises(ParameterError):
        burden(np.array(times), values, values)


def test_arrays_of_another_length_are_refused() -> None:
    """With the name of the one that does not fit."""
    times = np.linspace(0.0, 1.0, 5)
    with pytest.raises(ParameterError, match="size"):
        burden(times, np.ones(5), np.ones(4))
