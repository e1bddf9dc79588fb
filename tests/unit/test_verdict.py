"""The verdict: a total function of two intervals and two margins, and never of a point."""

from __future__ import annotations

import math
from typing import get_args

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from unmoor.trial.verdict import Interval, Verdict, halves, judge

SMALLER, MORE = 0.9, 1.25
RATIO = st.floats(1e-3, 1e3)
INTERVALS = st.tuples(RATIO, RATIO).map(lambda pair: Interval(min(pair), max(pair)))
ANY = st.floats(allow_nan=True, allow_infinity=True)
SHRUNK, KEPT = Interval(0.4, 0.8), Interval(0.95, 1.1)
SPREAD, SAME, LESS = Interval(1.5, 4.0), Interval(0.6, 1.2), Interval(0.1, 0.7)


@pytest.mark.parametrize(
    ("tumour", "spread", "verdict"),
    [
        (SHRUNK, SPREAD, "switch"),
        (SHRUNK, SAME, "benefit"),
        (SHRUNK, LESS, "benefit"),
        (KEPT, LESS, "containment"),
        (KEPT, SPREAD, "harm"),
        (KEPT, SAME, "unclear"),
        (Interval(0.8, 1.0), SPREAD, "unclear"),
        (Interval(0.8, 1.0), LESS, "unclear"),
        (SHRUNK, Interval(1.0, 2.0), "unclear"),
        (KEPT, Interval(1.0, 2.0), "unclear"),
        (KEPT, Interval(0.7, 0.9), "unclear"),
    ],
)
def test_each_verdict_means_what_it_says(
    tumour: Interval, spread: Interval, verdict: Verdict
) -> None:
    """Smaller or not, more or not; an interval over its margin is unclear."""
    assert judge(tumour, spread, SMALLER, MORE) == verdict


@pytest.mark.parametrize(
    ("tumour", "spread", "verdict"),
    [
        (Interval(0.5, 0.9), SPREAD, "unclear"),  # reaches the margin: not below it
        (Interval(0.5, math.nextafter(0.9, 0.0)), SPREAD, "switch"),
        (Interval(0.9, 1.0), SPREAD, "harm"),  # at the margin: not smaller
        (Interval(math.nextafter(0.9, 0.0), 1.0), SPREAD, "unclear"),
        (SHRUNK, Interval(1.25, 2.0), "unclear"),  # at the margin: not more
        (SHRUNK, Interval(math.nextafter(1.25, 2.0), 2.0), "switch"),
        (SHRUNK, Interval(1.0, 1.25), "benefit"),
        (SHRUNK, Interval(1.0, math.nextafter(1.25, 2.0)), "unclear"),
        (KEPT, Interval(0.5, 0.8), "unclear"),  # at the inverse margin: not less
        (KEPT, Interval(0.5, math.nextafter(0.8, 0.0)), "containment"),
    ],
)
def test_a_margin_belongs_to_the_cautious_side(
    tumour: Interval, spread: Interval, verdict: Verdict
) -> None:
    """A limit that lies exactly on its margin is not beyond it."""
    assert judge(tumour, spread, SMALLER, MORE) == verdict


@given(ANY, ANY, ANY, ANY, st.floats(0.01, 1.0), st.floats(1.0, 100.0))
def test_there_is_always_one_verdict(
    a: float, b: float, c: float, d: float, smaller: float, more: float
) -> None:
    """For any numbers at all, in any order."""
    assert judge(Interval(a, b), Interval(c, d), smaller, more) in get_args(Verdict)


@given(INTERVALS, INTERVALS, st.integers(0, 3))
def test_a_limit_that_is_no_number_is_unclear(
    tumour: Interval, spread: Interval, which: int
) -> None:
    """Nothing is concluded from an interval that could not be computed."""
    both = [[tumour.low, tumour.high], [spread.low, spread.high]]
    both[which // 2] = [math.nan, math.nan]
    assert judge(Interval(*both[0]), Interval(*both[1]), SMALLER, MORE) == "unclear"


PARTS = st.tuples(st.floats(0.0, 1.0), st.floats(0.0, 1.0)).map(sorted)


def _cut(outer: Interval, part: list[float]) -> Interval:
    """A part of an interval, in shares of its width."""
    low, high = (outer.low + share * (outer.high - outer.low) for share in part)
    return Interval(low, min(high, outer.high))


@given(INTERVALS, INTERVALS, PARTS, PARTS)
def test_narrower_intervals_never_change_a_clear_verdict(
    tumour: Interval, spread: Interval, part: list[float], other: list[float]
) -> None:
    """More knowledge makes unclear clear, or leaves the verdict as it is."""
    first = judge(tumour, spread, SMALLER, MORE)
    narrowed = judge(_cut(tumour, part), _cut(spread, other), SMALLER, MORE)
    assert narrowed == first or first == "unclear"


@given(INTERVALS, INTERVALS)
def test_less_and_more_spread_mirror_each_other(tumour: Interval, spread: Interval) -> None:
    """With the inverse spread ratio, harm is containment, and switch is benefit."""
    assume(all(abs(math.log(x)) > 1e-9 for x in (spread.low * MORE, spread.high * MORE)))
    assume(all(abs(math.log(x)) > 1e-9 for x in (spread.low / MORE, spread.high / MORE)))
    inverse = Interval(1.0 / spread.high, 1.0 / spread.low)
    verdict, mirrored = (judge(tumour, x, SMALLER, MORE) for x in (spread, inverse))
    assert (verdict == "harm") == (mirrored == "containment")
    if verdict == "switch":
        assert mirrored == "benefit"


@given(INTERVALS, INTERVALS)
def test_verdicts_agree_with_every_point_inside(tumour: Interval, spread: Interval) -> None:
    """A clear verdict holds for each pair of ratios in the intervals."""
    verdict = judge(tumour, spread, SMALLER, MORE)
    assume(verdict != "unclear")
    for t in (tumour.low, tumour.high):
        for s in (spread.low, spread.high):
            assert (t < SMALLER) == (verdict in ("switch", "benefit"))
            assert (s > MORE) == (verdict in ("switch", "harm"))
            if verdict == "containment":
                assert s < 1.0 / MORE


@given(INTERVALS, INTERVALS, st.floats(0.1, 0.9), st.floats(1.0, 10.0))
def test_stricter_margins_never_make_a_switch(
    tumour: Interval, spread: Interval, smaller: float, more: float
) -> None:
    """What is a switch under strict margins is one under lax ones."""
    if judge(tumour, spread, smaller, more) == "switch":
        assert judge(tumour, spread, 1.0, 1.0) == "switch"
        assert judge(tumour, spread, min(1.0, smaller * 1.1), max(1.0, more / 1.1)) == "switch"


@given(RATIO, RATIO)
def test_a_point_is_clear_unless_nothing_changed(t: float, s: float) -> None:
    """An interval of no width is unclear only where neither tumour nor spread changed."""
    verdict = judge(Interval(t, t), Interval(s, s), SMALLER, MORE)
    assert (verdict == "unclear") == (t >= SMALLER and 1.0 / MORE <= s <= MORE)


@pytest.mark.parametrize(
    ("tumour", "spread", "words"),
    [
        (SHRUNK, Interval(0.7, 2.0), ("smaller", "")),
        (KEPT, Interval(0.7, 2.0), ("not smaller", "")),
        (Interval(0.5, 1.2), SPREAD, ("", "more spread")),
        (Interval(0.5, 1.2), Interval(0.1, 0.5), ("", "less spread")),
        (KEPT, Interval(0.9, 1.2), ("not smaller", "not more spread")),
        (Interval(math.nan, math.nan), Interval(math.nan, math.nan), ("", "")),
    ],
)
def test_each_half_is_told_apart_from_the_verdict(
    tumour: Interval, spread: Interval, words: tuple[str, str]
) -> None:
    """An unclear verdict does not hide the half that is certain."""
    row = {"tumour_low": tumour.low, "tumour_high": tumour.high}
    row |= {"spread_low": spread.low, "spread_high": spread.high}
    assert halves(row, SMALLER, MORE) == words
