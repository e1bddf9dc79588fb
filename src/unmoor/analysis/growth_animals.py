"""Growth of each animal by itself: unweighted least squares of the logarithms of its volumes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from unmoor.analysis.growth_data import GrowthData
from unmoor.elementwise import FloatArray

_SLOWEST, _FASTEST = 1e-4, 3.0  # β [1/d]: the exponential limit, and full size within a day
_GRID = 241
_ZOOMS = 8  # each narrows the range of ln β ten times


@dataclass(frozen=True)
class AnimalFits:
    """Fits of single animals; animals with fewer than two readings after day 0 have none.

    Attributes
    ----------
    animal
        Numbers of the animals, shape (fits,).
    alpha, beta, k
        α = k β [1/d], β [1/d] and k [-] of each, shape (fits,).
    is_bounded
        Whether β lies on the end of its range: the readings show no slowing down, or no growth.
    residual
        Differences of logarithms from the fit, of all readings in the order of the data.
    """

    animal: np.ndarray
    alpha: FloatArray
    beta: FloatArray
    k: FloatArray
    is_bounded: np.ndarray
    residual: FloatArray

    def summary(self) -> dict[str, float]:
        """Medians, coefficients of variation and correlation of α and β."""

        def cv(values: FloatArray) -> float:
            return float(values.std(ddof=1) / values.mean()) if values.size > 1 else math.nan

        varies = self.alpha.size > 2 and self.alpha.std() > 0 and self.beta.std() > 0
        both = float(np.corrcoef(self.alpha, self.beta)[0, 1]) if varies else math.nan
        return {
            "median_alpha": float(np.median(self.alpha)),
            "median_beta": float(np.median(self.beta)),
            "cv_alpha": cv(self.alpha), "cv_beta": cv(self.beta), "correlation": both,
            "animals": float(self.alpha.size), "bounded": float(self.is_bounded.sum()),
        }  # fmt: skip


def fit_each(data: GrowthData) -> AnimalFits:
    """Fit ln V = k − (k − ln V0) exp(−β t) to each animal; readings below detection are left out.

    The best k of a given β is a ratio of sums, so the search is over β alone: a grid that narrows.
    """
    detected = ~data.is_censored
    index, day = data.index[detected], data.day[detected]
    logs = np.log(data.volume[detected])
    usable = np.bincount(index[day > 0.0], minlength=len(data.animals)) >= 2
    kept = usable[index]
    index, day, logs = np.cumsum(usable)[index[kept]] - 1, day[kept], logs[kept]
    count = int(usable.sum())
    middle = np.full(count, 0.5 * (math.log(_SLOWEST) + math.log(_FASTEST)))
    half = 0.5 * (math.log(_FASTEST) - math.log(_SLOWEST))
    for _ in range(_ZOOMS):
        tried = middle + half * np.linspace(-1.0, 1.0, _GRID)[:, None]
        tried = np.clip(tried, math.log(_SLOWEST), math.log(_FASTEST))
        misfit = _profile(index, day, logs, data.start, np.exp(tried))[1]
        middle = tried[misfit.argmin(axis=0), np.arange(count)]
        half *= 0.1
    beta = np.exp(middle)
    k = _profile(index, day, logs, data.start, beta[None])[0][0]
    fitted = k[index] - (k[index] - math.log(data.start)) * np.exp(-beta[index] * day)
    ends = (beta <= _SLOWEST * 1.001) | (beta >= _FASTEST * 0.999)
    return AnimalFits(np.flatnonzero(usable), k * beta, beta, k, ends, logs - fitted)


def _profile(
    index: np.ndarray, day: FloatArray, logs: FloatArray, start: float, beta: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Best k and sum of squares for each β tried, shape (tried, animals)."""
    first = np.searchsorted(index, np.arange(beta.shape[1]))
    fall = np.exp(-beta[:, index] * day)
    rise, target = -np.expm1(-beta[:, index] * day), logs - math.log(start) * fall
    squares = np.add.reduceat(rise * rise, first, axis=1)
    k = np.add.reduceat(rise * target, first, axis=1) / squares
    return k, np.add.reduceat((target - k[:, index] * rise) ** 2, first, axis=1)
