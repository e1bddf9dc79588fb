"""Shares of parts add up; indices of known functions come back."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from unmoor.analysis.indices import morris, partial_ranks, sobol
from unmoor.analysis.shapley import shapley
from unmoor.elementwise import FloatArray
from unmoor.random import Stream


def test_shares_are_averages_over_all_orders() -> None:
    """Against the definition, for a game of four parts without any pattern."""
    values = Stream(1).uniform(np.arange(16, dtype=np.uint64), "game")
    shares = np.zeros(4)
    for order in itertools.permutations(range(4)):
        have = 0
        for part in order:
            shares[part] += (values[have | 1 << part] - values[have]) / 24
            have |= 1 << part
    assert shapley(values) == pytest.approx(shares, abs=1e-14)
    assert shapley(values).sum() == pytest.approx(values[15] - values[0], abs=1e-14)


def test_a_part_without_effect_has_no_share() -> None:
    """And two parts that need each other share alike."""
    both = np.array([[0.0, 0.0, 0.0, 6.0] * 2])  # parts 0 and 1 together; part 2 does nothing
    assert shapley(both) == pytest.approx(np.array([[3.0, 3.0, 0.0]]))


def ishigami(points: FloatArray) -> FloatArray:
    """Return the function of Ishigami and Homma, a = 7, b = .1, of numbers in (0, 1)."""
    x = np.pi * (2.0 * points - 1.0)
    values: FloatArray = np.sin(x[:, 0]) * (1 + 0.1 * x[:, 2] ** 4) + 7.0 * np.sin(x[:, 1]) ** 2
    return values


def test_sobol_indices_of_ishigami_come_back() -> None:
    """Closed form: variances π⁸b²/18 + πb·π³/5 + 1/2 …; a fourth input has none."""
    variance = 49 / 8 + 0.1 * np.pi**4 / 5 + 0.01 * np.pi**8 / 18 + 0.5
    first = np.array([0.5 * (1 + 0.1 * np.pi**4 / 5) ** 2, 49 / 8, 0.0, 0.0]) / variance
    mixed = 8 * 0.01 * np.pi**8 / 225 / variance
    total = first + np.array([mixed, 0.0, mixed, 0.0])
    found = sobol(ishigami, [[0], [1], [2], [3]], 2048, 5)
    assert found["first"] == pytest.approx(first, abs=0.04)
    assert found["total"] == pytest.approx(total, abs=0.04)
    assert (np.abs(found["total"] - total) <= 2 * found["total_half"] + 1e-9).all()


def test_a_group_has_the_indices_of_its_members_together() -> None:
    """Inputs 0 and 2 of Ishigami hold all the variance that input 1 does not."""
    found = sobol(ishigami, [[1], [0, 2], [3]], 2048, 5)
    assert found["total"][:2].sum() == pytest.approx(1.0, abs=0.05)
    assert found["total"][2] == pytest.approx(0.0, abs=1e-9)


def test_groups_keep_their_places_wherever_their_inputs_stand() -> None:
    """3·x₃ + x₅ + .1·x₀: shares .9, .1 and next to nothing, with input 0 among the others."""

    def weighed(points: FloatArray) -> FloatArray:
        told: FloatArray = 3.0 * points[:, 3] + points[:, 5] + 0.1 * points[:, 0]
        return told

    found = sobol(weighed, [[3], [5], [0, 1, 2, 4]], 512, 5)
    for name in ("first", "total"):
        assert found[name] == pytest.approx([0.899, 0.1, 0.001], abs=0.02)
    assert np.all(found["total_half"][:1] > found["total_half"][2])
    swapped = sobol(weighed, [[0, 1, 2, 4], [5], [3]], 512, 5)
    assert swapped["total"] == pytest.approx(found["total"][::-1], abs=0.02)


def test_morris_tells_a_line_from_a_bend_and_from_nothing() -> None:
    """Effects of a linear input are its slope, all the same; a product's differ."""
    found = morris(lambda x: 3.0 * x[:, 0] + x[:, 1] * x[:, 2], 4, 20, 5)
    assert found["effect"][0] == pytest.approx(3.0)
    assert found["sigma"][0] == pytest.approx(0.0, abs=1e-4)
    assert found["sigma"][1] > 0.1
    assert found["effect"][3] == pytest.approx(0.0, abs=1e-12)


def test_partial_ranks_see_through_what_goes_together() -> None:
    """Input 1 goes with input 0, which alone acts: only the plain correlation is fooled."""
    ids = np.arange(3000, dtype=np.uint64)
    z = np.array([Stream(2).normal(ids, f"z{i}") for i in range(3)])
    points = np.column_stack([z[0], 0.8 * z[0] + 0.6 * z[1], z[2]])
    values = np.exp(points[:, 0]) - 0.2 * points[:, 2] ** 3
    found = partial_ranks(points, values, 1)
    assert np.corrcoef(points[:, 1], values)[0, 1] > 0.4
    assert found["rank"][0] > 0.7
    assert abs(found["rank"][1]) < 0.06
    assert found["rank"][2] < -0.1
    assert (found["rank_low"] <= found["rank"]).all()


def test_too_few_draws_have_no_partial_ranks() -> None:
    """Rather than numbers that fit anything."""
    assert np.isnan(partial_ranks(np.ones((5, 4)), np.ones(5), 1)["rank"]).all()


@pytest.mark.parametrize("method", ["sobol", "morris"])
def test_the_same_seed_gives_the_same_indices(method: str) -> None:
    """Designs and intervals are functions of the seed."""
    runs = [
        sobol(ishigami, [[0], [1], [2]], 64, seed)
        if method == "sobol"
        else morris(ishigami, 3, 10, seed)
        for seed in (4, 4, 5)
    ]
    assert all((runs[0][name] == runs[1][name]).all() for name in runs[0])
    assert any((runs[0][name] != runs[2][name]).any() for name in runs[0])
