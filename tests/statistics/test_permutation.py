"""The permutation test is exact: it is what counting all relabellings gives."""

from __future__ import annotations

import itertools
import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unmoor.random import Stream
from unmoor.trial.permutation import permutation_test

FloatArray = npt.NDArray[np.float64]


def by_counting(scores: FloatArray, treated: npt.NDArray[np.bool_], slack: float = 1e-9) -> float:
    """Share of all ways to choose the treated that are as far out, or less so by ``slack``."""
    every = itertools.combinations(range(scores.size), int(treated.sum()))
    far = np.abs([scores[list(each)].sum() - treated.sum() * scores.mean() for each in every])
    observed = abs(scores[treated].sum() - treated.sum() * scores.mean())
    return float((far >= observed - slack).mean())


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 40), min_size=3, max_size=11),
    st.lists(st.booleans(), min_size=11, max_size=11),
)
def test_whole_scores_are_exact(values: list[int], labels: list[bool]) -> None:
    """Counts with ties and zeros, groups of any size."""
    scores, treated = np.array(values, dtype=float), np.array(labels[: len(values)])
    if 0 < treated.sum() < scores.size:
        assert permutation_test(scores, treated).p == pytest.approx(by_counting(scores, treated))


@pytest.mark.parametrize("size", [3, 4, 5, 6])
def test_real_scores_are_exact_up_to_the_grid(size: int) -> None:
    """Never below the exact p; above it by no more than sums that differ by .001 of all scores."""
    treated = np.arange(2 * size) < size
    for number in range(20):
        scores = Stream(number).normal(np.arange(2 * size), "scores")
        slack = 1e-3 * float((scores - scores.min()).sum())
        least, most = by_counting(scores, treated), by_counting(scores, treated, slack)
        assert least - 1e-9 <= permutation_test(scores, treated).p <= most + 1e-9


def test_the_critical_distance_is_where_p_reaches_the_level() -> None:
    """At every observed sum: p at most 5 % if and only if the sum is at least so far away."""
    scores = Stream(1).poisson(4.0, np.arange(10), "scores").astype(float)
    checked = {True: 0, False: 0}
    for each in itertools.combinations(range(10), 5):
        treated = np.isin(np.arange(10), each)
        found = permutation_test(scores, treated)
        distance = abs(scores[treated].sum() - 5 * scores.mean())
        assert (found.p <= 0.05) == (distance >= found.critical - 1e-9)
        checked[found.p <= 0.05] += 1
    assert min(checked.values()) > 5


def test_too_few_animals_are_never_significant() -> None:
    """Three against three: the smallest p is 2 of 20, so no distance is critical."""
    found = permutation_test([0, 1, 2, 90, 91, 95], [0, 0, 0, 1, 1, 1])
    assert found.p == pytest.approx(0.1)
    assert math.isinf(found.critical)


@pytest.mark.parametrize("size", [50, 600])
def test_large_groups_agree_with_the_normal_limit(size: int) -> None:
    """Within 5 % of it at fifty animals a group, which are still followed; then it is taken."""
    treated = np.arange(2 * size) < size
    scores = Stream(3).normal(np.arange(2 * size), "scores")
    scores += treated * (
        2.2 * math.sqrt(2 / size) - scores[treated].mean() + scores[~treated].mean()
    )
    sd = math.sqrt(size / 2 * float(scores.var(ddof=1)))
    z = abs(float(scores[treated].sum()) - size * float(scores.mean())) / sd
    p = permutation_test(scores, treated).p
    assert 0.01 < p < 0.06
    assert p == pytest.approx(math.erfc(z / 2**0.5), rel=0.05)


def test_labels_order_and_units_do_not_matter() -> None:
    """Swapped groups, animals in another order, scores in another unit and shifted: the same p."""
    scores = Stream(5).normal(np.arange(14), "scores")
    treated = np.arange(14) < 6
    found = permutation_test(scores, treated)
    order = np.argsort(Stream(6).uniform(np.arange(14), "order"))
    assert permutation_test(scores[order], treated[order]) == found
    assert permutation_test(scores, ~treated).p == pytest.approx(found.p, rel=1e-9)
    scaled = permutation_test(8.0 * scores, treated)
    assert scaled.p == pytest.approx(found.p, rel=1e-9)
    assert scaled.critical == pytest.approx(8.0 * found.critical)
    assert permutation_test(scores + 3.0, treated).p == pytest.approx(found.p, rel=0.01)


def test_equal_scores_say_nothing() -> None:
    """All the same, or a group without animals: p is 1."""
    assert permutation_test([2.0] * 6, [0, 0, 0, 1, 1, 1]).p == 1.0
    assert permutation_test([1.0, 2.0], [1, 1]).p == 1.0
