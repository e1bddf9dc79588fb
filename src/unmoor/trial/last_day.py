"""Tumour volumes of two groups on one day, the last on which every animal was measured.

Welch's t-test of ln volume: nothing is assumed of the course before that day. For groups of one
size its statistic is that of the pooled test, with fewer degrees of freedom where the variances
differ, so it keeps its level where the pooled test of five animals calls 7 % of null trials
significant (``benchmarks/type_one_error.py``).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from unmoor.elementwise import logarithm

FloatArray = npt.NDArray[np.float64]

_FEWEST = 2  # animals in a group
_ROUNDING = 1e-12  # variance of logarithms below which all readings are the same


@dataclass(frozen=True)
class LastDay:
    """Ratio of the geometric-mean volumes, treated to control, on the last common day.

    Attributes
    ----------
    day
        The last day on which every animal of both groups was measured [d].
    ratio, low, high
        Estimate and interval [-].
    error
        Standard error of the logarithm of the ratio [-].
    freedom
        Degrees of freedom (Welch–Satterthwaite).
    p
        Two-sided.
    below
        Readings below the limit, which count as the limit.
    """

    day: float
    ratio: float
    low: float
    high: float
    error: float
    freedom: float
    p: float
    below: int


def compare_last_day(
    animal: npt.ArrayLike,
    day: npt.ArrayLike,
    volume: npt.ArrayLike,
    treated: npt.ArrayLike,
    limit: float = 0.0,
    level: float = 0.95,
) -> LastDay | None:
    """Welch's t-test of ln volume on the last day on which every animal was measured.

    Animals that are taken out are the large ones, so a later day would compare those left over.
    Of a virtual study this is what a laboratory would report with so many animals, not evidence.

    Parameters
    ----------
    animal
        Name or number of the animal, shape (measurements,).
    day
        Time of the measurement, shape (measurements,) [d].
    volume
        Calliper reading, above 0, shape (measurements,) [mm³].
    treated
        Whether the animal is treated, shape (measurements,).
    limit
        Smallest volume that can be measured: smaller readings count as this one [mm³].
    level
        Level of the interval.

    Returns
    -------
        None if there is nothing to compare: fewer than two animals in a group, no common day, or
        readings that are all the limit.
    """
    from scipy import special

    _, animals = np.unique(np.asarray(animal), return_inverse=True)
    days, labels = np.asarray(day, dtype=np.float64), np.asarray(treated, dtype=bool)
    when, seen = np.unique(days, return_counts=True)
    common = when[seen == animals.max(initial=-1) + 1]
    if common.size == 0:
        return None
    here = days == common[-1]
    volumes = np.asarray(volume, dtype=np.float64)[here]
    logs = logarithm(np.maximum(volumes, limit))
    groups = [logs[labels[here] == which] for which in (False, True)]
    if min(group.size for group in groups) < _FEWEST:
        return None
    parts = [float(group.var(ddof=1)) / group.size for group in groups]
    spread = parts[0] + parts[1]
    if spread <= _ROUNDING:
        return None
    freedom = spread**2 / sum(
        part**2 / (group.size - 1) for part, group in zip(parts, groups, strict=True)
    )
    difference, error = float(groups[1].mean() - groups[0].mean()), math.sqrt(spread)
    reach = error * float(special.stdtrit(freedom, 0.5 + 0.5 * level))
    low, middle, high = (math.exp(difference + x) for x in (-reach, 0.0, reach))
    p = 2.0 * float(special.stdtr(freedom, -abs(difference / error)))
    below = int((volumes < limit).sum())
    return LastDay(float(common[-1]), middle, low, high, error, freedom, p, below)
