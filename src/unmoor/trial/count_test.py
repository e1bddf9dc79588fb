"""Counts of two groups: the ratio of a negative-binomial model, and a test that keeps its level.

Counts of metastases differ between animals by more than chance (variance μ + kμ²). The model gives
ratio and interval. Its Wald and likelihood-ratio tests call over 5 % of null trials significant
when groups are small, so p is that of the likelihood ratio's *permutation* distribution: with equal
groups the likelihood ratio is a function of the sums alone (the term with the dispersion does not
know the labels), hence permuting it is permuting the sum, exactly.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from unmoor.trial.permutation import permutation_test

_LEAST, _MOST = 1e-7, 1e4  # dispersion: below the first a negative binomial is Poisson
_EDGE = 60.0  # e^60: no ratio of counts is larger
_ROUNDING = 1e-6  # of a log-likelihood, so that a ratio on the edge is left out


@dataclass(frozen=True)
class CountComparison:
    """Treated against control.

    Attributes
    ----------
    ratio, low, high
        Ratio of mean counts and its profile-likelihood interval. What is too unlikely is set by
        the permutation distribution, so that the interval leaves out 1 when p is at most 1 − level.
    error
        Standard error of ln ratio (Wald), infinite if a group has no count at all.
    dispersion
        k of the variance μ + kμ², common to both groups.
    p
        Two-sided, of the permutation distribution.
    """

    ratio: float
    low: float
    high: float
    error: float
    dispersion: float
    p: float


class _Model:
    """Negative-binomial likelihood of two groups with a common dispersion."""

    def __init__(self, counts: npt.NDArray[np.float64], treated: npt.NDArray[np.bool_]) -> None:
        self.counts = counts
        self.n = (float((~treated).sum()), float(treated.sum()))
        self.sums = (float(counts[~treated].sum()), float(counts[treated].sum()))

    def value(self, k: float, means: tuple[float, float]) -> float:
        """Log-likelihood up to a constant."""
        r = 1.0 / k
        own = float((special.gammaln(self.counts + r) - special.gammaln(r)).sum())
        for n, total, mean in zip(self.n, self.sums, means, strict=True):
            own += float(special.xlogy(total, k * mean / (1.0 + k * mean)))
            own -= n * r * math.log1p(k * mean)
        return own

    def free(self) -> tuple[float, float]:
        """Largest log-likelihood, and the dispersion it is reached at."""
        means = (self.sums[0] / self.n[0], self.sums[1] / self.n[1])
        return _largest(lambda k: self.value(k, means))

    def at(self, log_ratio: float) -> float:
        """Largest log-likelihood if the treated have ``exp(log_ratio)`` times the mean count."""
        c = math.exp(log_ratio)
        return _largest(lambda k: self.value(k, self._means(k, c)))[0]

    def critical(self, distance: float) -> float:
        """Log-likelihood lost at ratio 1 if the sum of the treated were so far from expected."""
        (s0, s1), (n0, n1) = self.sums, self.n
        expected, lost = (s0 + s1) * n1 / (n0 + n1), []
        for moved in (expected - distance, expected + distance):
            if 0.0 <= moved <= s0 + s1:  # the counts stay as they are: only labels change
                other = copy(self)
                other.sums = (s0 + s1 - moved, moved)
                lost.append(other.free()[0] - other.at(0.0))
        return max(lost, default=math.inf) * (1.0 - _ROUNDING)

    def _means(self, k: float, c: float) -> tuple[float, float]:
        """Means that solve the score equation under a given ratio: a quadratic."""
        (n0, n1), (s0, s1) = self.n, self.sums
        a, b, d = c * k * (n0 + n1), n0 + c * n1 - k * (c * s0 + s1), s0 + s1
        root = math.sqrt(b * b + 4.0 * a * d)
        mean = 2.0 * d / (b + root) if b > 0.0 else (root - b) / (2.0 * a)
        return mean, c * mean


def _largest(value: Callable[[float], float]) -> tuple[float, float]:
    """Largest value over the dispersion, and where."""
    from scipy import optimize

    found = optimize.minimize_scalar(
        lambda u: -value(math.exp(u)),
        bounds=(math.log(_LEAST), math.log(_MOST)),
        method="bounded",
        options={"xatol": 1e-9},
    )
    return -float(found.fun), math.exp(float(found.x))


def compare_counts(
    counts: npt.ArrayLike, treated: npt.ArrayLike, level: float = 0.95
) -> CountComparison:
    """Ratio of mean counts of the treated to control, with interval and permutation p-value.

    Of a virtual study this is what a laboratory would report with so many animals, not evidence.

    Parameters
    ----------
    counts
        Whole numbers from 0 on, one for each animal, shape (animals,).
    treated
        Which animals are treated, shape (animals,).
    level
        Level of the interval.

    Returns
    -------
        The comparison; ratio and interval are NaN if there is no count at all or a group is empty.
        A group without counts gives 0 or infinity and an interval open on that side.
    """
    values, labels = np.asarray(counts, dtype=np.float64), np.asarray(treated, dtype=bool)
    model = _Model(values, labels)
    if min(model.n) == 0.0 or values.sum() == 0.0:
        return CountComparison(*(math.nan,) * 5, p=1.0 if min(model.n) else math.nan)
    best, k = model.free()
    (s0, s1), (n0, n1) = model.sums, model.n
    ratio = math.inf if s0 == 0.0 else (s1 / n1) / (s0 / n0)
    error = math.sqrt(1 / s0 + 1 / s1 + k * (1 / n0 + 1 / n1)) if min(s0, s1) else math.inf
    test = permutation_test(values, labels, level)
    low, high = _interval(model, best, ratio, model.critical(test.critical))
    return CountComparison(ratio, low, high, error, k, test.p)


def _interval(model: _Model, best: float, ratio: float, allowed: float) -> tuple[float, float]:
    """Ratios at which the log-likelihood is not more than ``allowed`` below the largest."""
    from scipy import optimize

    if allowed == math.inf:
        return 0.0, math.inf

    def short(log_ratio: float) -> float:
        return allowed - (best - model.at(log_ratio))

    start = math.log(ratio) if 0.0 < ratio < math.inf else -_EDGE if ratio == 0.0 else _EDGE
    ends = []
    for edge in (-_EDGE, _EDGE):
        is_open = start == edge or short(edge) >= 0.0
        end = math.copysign(math.inf, edge)
        ends.append(end if is_open else float(optimize.brentq(short, start, edge, xtol=1e-10)))
    return math.exp(ends[0]), math.exp(ends[1])
