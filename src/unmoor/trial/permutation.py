"""Exact permutation tests of two groups, without drawing a single random number.

If a treatment does nothing, each way of handing out the labels was as likely as the one that
happened. A statistic that is a sum over the treated group therefore has a known distribution: that
of the sum over a random subset. It is worked out animal by animal (shift algorithm of Streitberg
and Röhmel), so p depends on no seed and the level holds for counts with any share of zeros, any
spread between animals, ties and censoring – whatever both groups have in common.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import special

from unmoor.compilation import kernel

FloatArray = npt.NDArray[np.float64]

_GRID = 30_000  # steps that scores are rounded to
_EXACT = 200_000  # largest sum of whole scores that is followed without rounding
_MOST_WORK = 2e9  # additions; beyond, groups are so large that the sum is normal
_SLACK = 1e-6  # of a score of 1: sums whose distances differ by less are the same


@kernel
def _subset_sums(scores: npt.NDArray[np.int64], size: int, total: int) -> FloatArray:
    """Probability of each sum of a random subset of given size, shape (total + 1,)."""
    chance = np.zeros((size + 1, total + 1))
    chance[0, 0] = 1.0
    reach = 0
    for j in range(scores.size):
        score = scores[j]
        reach += score
        for k in range(min(size, j + 1), -1, -1):
            row, out = chance[k], (j + 1.0 - k) / (j + 1.0)
            for s in range(reach + 1):
                row[s] *= out
            if k > 0:
                below, taken = chance[k - 1], k / (j + 1.0)
                for s in range(reach - score + 1):
                    row[s + score] += taken * below[s]
    final: FloatArray = chance[size]
    return final


def permutation_p(scores: npt.ArrayLike, treated: npt.ArrayLike) -> float:
    """Two-sided exact p-value of the sum of scores over the treated.

    The share of relabellings whose sum lies at least as far from its expectation as the observed
    one. Scores that are not whole numbers are rounded to a grid; sums that differ by less than this
    rounding count as equal, which can only make the p-value larger. Of hundreds of animals a group
    the normal limit is taken.

    Parameters
    ----------
    scores
        One finite number for each animal, shape (animals,).
    treated
        Which of them are treated, shape (animals,).

    Returns
    -------
        p, above 0 and at most 1; 1 if all scores are the same or a group is empty.
    """
    values, labels = np.asarray(scores, dtype=np.float64), np.asarray(treated, dtype=bool)
    size = int(labels.sum())
    if size in (0, values.size) or np.ptp(values) == 0.0:
        return 1.0
    if 2 * size > values.size:  # the smaller group takes less work and has the same distribution
        labels, size = ~labels, values.size - size
    whole, tolerance = _whole(values)
    total = int(whole.sum())
    if float(size) * values.size * total > _MOST_WORK:
        return _normal_p(values, labels)
    chance = _subset_sums(whole, size, total)
    expected = size * (total / values.size)
    far = np.abs(np.arange(total + 1) - expected)
    observed = abs(float(whole[labels].sum()) - expected)
    return min(1.0, float(chance[far >= observed - tolerance - _SLACK].sum()))


def _whole(values: FloatArray) -> tuple[npt.NDArray[np.int64], float]:
    """Scores as whole numbers from 0 on, and how far sums of them may be off by rounding."""
    lifted = values - values.min()
    if np.array_equal(lifted, np.round(lifted)) and lifted.sum() <= _EXACT:
        return lifted.astype(np.int64), 0.0
    steps = lifted * (_GRID / lifted.sum())
    # Errors of up to half a step add up like chance; this is over four times their spread.
    return np.round(steps).astype(np.int64), 2.0 * float(np.sqrt(values.size))


def _normal_p(values: FloatArray, labels: npt.NDArray[np.bool_]) -> float:
    """Normal limit, with the exact variance of the sum over a random subset."""
    size, others = float(labels.sum()), float((~labels).sum())
    spread = size * others / values.size * float(values.var(ddof=1))
    distance = float(values[labels].sum()) - size * float(values.mean())
    return float(2.0 * special.ndtr(-abs(distance) / np.sqrt(spread)))
