"""Exact permutation tests of two groups, without drawing a single random number.

If a treatment does nothing, each way of handing out the labels was as likely as the one that
happened. A statistic that is a sum over the treated group therefore has a known distribution: that
of the sum over a random subset. It is worked out animal by animal (shift algorithm of Streitberg
and Röhmel), so p depends on no seed and the level holds for counts with any share of zeros, any
spread between animals, ties and censoring – whatever both groups have in common.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
from scipy import special

from unmoor.compilation import kernel

FloatArray = npt.NDArray[np.float64]

_GRID, _PER_ANIMAL = 30_000, 750  # steps that scores are rounded to: the larger of the two
_EXACT = 200_000  # largest sum of whole scores that is followed without rounding
_MOST_WORK = 5e8  # additions, 55 animals a group; beyond, the sum is taken as normal
_SLACK = 1e-6  # of a score of 1: sums whose distances differ by less are the same


@kernel
def _subset_sums(scores: npt.NDArray[np.int64], size: int, total: int) -> FloatArray:
    """Probability of each sum of a random subset of given size, shape (total + 1,).

    Scores ascend. Row k holds the sums of k of the first j; only rows that can still lead to the
    last one are kept up to date, each between its smallest and its largest sum.
    """
    n = scores.size
    chance = np.zeros((size + 1, total + 1))
    chance[0, 0] = 1.0
    before = np.zeros(n + 1, dtype=np.int64)
    for j in range(n):
        score = scores[j]
        before[j + 1] = before[j] + score
        for k in range(min(size, j + 1), max(0, size - (n - 1 - j)) - 1, -1):
            row, out = chance[k], (j + 1.0 - k) / (j + 1.0)
            if k <= j:
                for s in range(before[k], before[j] - before[j - k] + 1):
                    row[s] *= out
            if k > 0:
                below, taken = chance[k - 1], k / (j + 1.0)
                for s in range(before[k - 1], before[j] - before[j - k + 1] + 1):
                    row[s + score] += taken * below[s]
    final: FloatArray = chance[size]
    return final


@dataclass(frozen=True)
class PermutationTest:
    """Outcome of a two-sided permutation test of a sum.

    Attributes
    ----------
    p
        Share of relabellings at least as far from the expectation, above 0 and at most 1.
    critical
        Distance of the sum from its expectation from which on p is at most 1 − level; infinite if
        there are too few animals for that [unit of the scores].
    """

    p: float
    critical: float


def permutation_test(
    scores: npt.ArrayLike, treated: npt.ArrayLike, level: float = 0.95
) -> PermutationTest:
    """Two-sided exact permutation test of the sum of scores over the treated.

    p is the share of relabellings whose sum lies at least as far from its expectation as the
    observed one. Scores that are not whole numbers are rounded to a grid; sums that differ by less
    than this rounding count as equal, which can only make p larger. From some fifty animals a
    group on the normal limit is taken.

    Parameters
    ----------
    scores
        One finite number for each animal, shape (animals,).
    treated
        Which of them are treated, shape (animals,).
    level
        1 − level is what p is compared with.
    """
    values, labels = np.asarray(scores, dtype=np.float64), np.asarray(treated, dtype=bool)
    size = int(labels.sum())
    if size in (0, values.size) or np.ptp(values) == 0.0:
        return PermutationTest(1.0, math.inf)
    if 2 * size > values.size:  # the smaller group takes less work and has the same distribution
        labels, size = ~labels, values.size - size
    whole, steps, tolerance = _whole(values)
    total = int(whole.sum())
    if float(size) * values.size * total > _MOST_WORK:
        return _normal_limit(values, labels, level)
    chance = _subset_sums(np.sort(whole), size, total)
    expected = size * (total / values.size)
    above = np.append(np.cumsum(chance[::-1])[::-1], 0.0)
    below = np.insert(np.cumsum(chance), 0, 0.0)

    def beyond(distance: float) -> float:
        """Probability of sums at least so far from the expectation, on either side."""
        least = max(distance - tolerance - _SLACK, 0.0)
        high, low = math.ceil(expected + least), math.floor(expected - least)
        return float(above[min(high, total + 1)] + below[max(low, -1) + 1])

    p = min(1.0, beyond(abs(float(whole[labels].sum()) - expected)))
    critical = _critical(beyond, expected, total, 1.0 - level)
    return PermutationTest(p, critical / steps)


def _critical(beyond: Callable[[float], float], expected: float, total: int, most: float) -> float:
    """Smallest distance of a whole sum at which the probability is at most ``most``, above 0."""
    found = [math.inf]
    below = math.floor(expected)
    for offset in (expected - below, below + 1 - expected):
        enough = partial(_is_rare, beyond, offset, most)
        first = bisect_left(range(total + 1), True, key=enough)
        if first <= total and beyond(first + offset) > 0.0:
            found.append(first + offset)
    return min(found)


def _is_rare(beyond: Callable[[float], float], offset: float, most: float, step: int) -> bool:
    return beyond(step + offset) <= most


def _whole(values: FloatArray) -> tuple[npt.NDArray[np.int64], float, float]:
    """Scores as whole numbers from 0 on, steps of grid a score, and the error of sums in steps."""
    lifted = values - values.min()
    if np.array_equal(lifted, np.round(lifted)) and lifted.sum() <= _EXACT:
        return lifted.astype(np.int64), 1.0, 0.0
    steps = max(_GRID, _PER_ANIMAL * values.size) / float(lifted.sum())
    # Errors of up to half a step add up like chance; this is over four times their spread.
    error = 2.0 * math.sqrt(values.size)
    return np.round(lifted * steps).astype(np.int64), steps, error


def _normal_limit(
    values: FloatArray, labels: npt.NDArray[np.bool_], level: float
) -> PermutationTest:
    """Normal limit, with the exact variance of the sum over a random subset."""
    size, others = float(labels.sum()), float((~labels).sum())
    spread = math.sqrt(size * others / values.size * float(values.var(ddof=1)))
    distance = abs(float(values[labels].sum()) - size * float(values.mean()))
    p = float(2.0 * special.ndtr(-distance / spread))
    return PermutationTest(p, float(special.ndtri(0.5 + 0.5 * level)) * spread)
