"""A study tells rivals apart by what they differ in, and by nothing else."""

from __future__ import annotations

import math

import numpy as np
import pytest

from unmoor.analysis.information import Gain, Reading, expected_gain
from unmoor.elementwise import FloatArray
from unmoor.random import Stream


def drawn(count: int, purpose: str) -> FloatArray:
    """Return standard normal numbers."""
    return Stream(11).normal(np.arange(count, dtype=np.uint64), purpose)


def volume(mean: FloatArray, scatter: float = 1.0) -> Reading:
    """Return a normal readout."""
    return Reading("volume", False, mean, np.full(mean.size, scatter))


def counted(mean: FloatArray, dispersion: float = 0.5) -> Reading:
    """Return a readout of counts."""
    return Reading("count", True, mean, np.full(mean.size, dispersion))


def gain(*rivals: list[Reading], animals: int = 8) -> Gain:
    """Return the gain about rivals of equal weight."""
    return expected_gain(rivals, [1 / len(rivals)] * len(rivals), animals, 3)


def test_identical_rivals_cannot_be_told_apart() -> None:
    """The same parameter sets on both sides: nothing, to the last digit but rounding."""
    own = [volume(drawn(60, "a")), counted(np.exp(drawn(60, "b")) * 20)]
    found = gain(own, own)
    assert found.over == pytest.approx(0.0, abs=1e-12)
    assert found.under == pytest.approx(0.0, abs=1e-12)


def test_rivals_alike_gain_nothing_within_the_stated_error() -> None:
    """Different parameter sets of one distribution: 0 lies between the estimates."""
    found = gain([volume(drawn(200, "a"))], [volume(drawn(200, "b"))])
    assert found.under - 2 * found.error <= 0.0 <= found.over + 2 * found.error
    assert found.middle <= found.bias + 2 * found.error


def test_a_planted_difference_is_told_by_its_readout_alone() -> None:
    """Rivals that differ in counts: counts tell all there is, volumes nothing."""
    same = drawn(100, "a")
    one = {"volume": volume(same), "count": counted(np.full(100, 5.0))}
    two = {"volume": volume(same), "count": counted(np.full(100, 80.0))}
    told = {name: gain([one[name]], [two[name]]) for name in one}
    assert told["count"].middle == pytest.approx(math.log(2.0), abs=0.01)
    assert told["volume"].middle < 0.02
    assert gain(list(one.values()), list(two.values())).middle > 0.99 * told["count"].middle


def test_the_gain_of_two_normals_is_that_of_the_channel() -> None:
    """Two means d apart without other uncertainty: against the integral, worked out on a grid."""
    apart, animals = 1.0, 4
    y = np.linspace(-8, 9, 20_001)
    sd = 1.0 / math.sqrt(animals)
    p, q = (np.exp(-0.5 * ((y - m) / sd) ** 2) / sd / math.sqrt(2 * math.pi) for m in (0.0, apart))
    mixed = 0.5 * (p + q)
    parts = [np.where(x > 1e-300, x * np.log(np.maximum(x, 1e-300) / mixed), 0.0) for x in (p, q)]
    exact = 0.5 * float(sum(part.sum() for part in parts) * (y[1] - y[0]))
    found = gain([volume(np.zeros(400))], [volume(np.full(400, apart))], animals=animals)
    assert found.middle == pytest.approx(exact, abs=3 * found.error + 0.01)
    assert found.bias < 0.01


def test_more_animals_tell_more_and_no_more_than_there_is() -> None:
    """Up to the entropy of the weights."""
    rivals = [[volume(np.full(100, m) + 0.1 * drawn(100, f"{m}"))] for m in (0.0, 0.5, 1.0)]
    told = [gain(*rivals, animals=n).middle for n in (2, 8, 32)]
    assert told[0] < told[1] < told[2] <= math.log(3.0)


def test_the_two_estimates_come_together_with_more_draws() -> None:
    """Their distance is the bias of having so few."""
    few, many = (
        gain([volume(drawn(n, "a"))], [volume(1.0 + drawn(n, "b"))]).bias for n in (20, 320)
    )
    assert many < 0.5 * few


def test_a_rival_of_no_weight_is_none() -> None:
    """With one rival left there is nothing to learn."""
    own = [volume(drawn(10, "a"))]
    found = expected_gain([own, own], [1.0, 0.0], 8, 1)
    assert found.most == 0.0
    assert math.isnan(found.over)
