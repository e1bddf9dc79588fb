"""Times to an event of two groups: Kaplan–Meier, log-rank, Cox.

The event is the humane end point; animals alive at the read-out are censored there. The usual
log-rank and Cox tests lean on large numbers. Both have scores that are sums over the treated, so
here their permutation distribution is used. It is exact as long as arms do not differ in why
animals are censored (all are followed to the same day).
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from unmoor.trial.permutation import permutation_test

FloatArray = npt.NDArray[np.float64]
BooleanArray = npt.NDArray[np.bool_]
_EDGE = 30.0  # ln hazard ratio at which a likelihood is as flat as it gets
_ROUNDING = 1e-9  # of a score, so that a ratio on the edge is left out


@dataclass(frozen=True)
class SurvivalCurve:
    """Share of animals without event, from day 0 on; a step holds until the next day.

    Attributes
    ----------
    day
        Days of events and censorings, after 0, shape (days,) [d].
    share, low, high
        Kaplan–Meier estimate and its log-log band (Greenwood); NaN where it is undefined.
    at_risk, events
        Animals still followed just before each day, and events on it.
    """

    day: FloatArray
    share: FloatArray
    low: FloatArray
    high: FloatArray
    at_risk: npt.NDArray[np.int64]
    events: npt.NDArray[np.int64]

    def median(self) -> tuple[float, float, float]:
        """First day on which at most half are left, and on which the band says so [d].

        NaN where one half is not reached: then it lies beyond the last day.
        """
        return self._half(self.share), self._half(self.low), self._half(self.high)

    def _half(self, share: FloatArray) -> float:
        reached = np.flatnonzero(share <= 0.5 + 1e-12)
        return float(self.day[reached[0]]) if reached.size else math.nan


@dataclass(frozen=True)
class LogRank:
    """Log-rank statistic of the treated, and p of its permutation distribution.

    Attributes
    ----------
    observed, expected
        Events among the treated, and those expected if arms did not differ.
    z
        (observed − expected) / standard deviation (hypergeometric).
    """

    observed: int
    expected: float
    z: float
    p: float


@dataclass(frozen=True)
class HazardRatio:
    """Proportional-hazards model (ties: Efron), treated against control.

    Attributes
    ----------
    ratio, low, high
        Hazard ratio with score interval. What is too far is set by the permutation distribution,
        so that the interval leaves out 1 exactly when p is at most 1 − level.
    error
        Standard error of its logarithm.
    p
        Of the permutation distribution of the model's score.
    """

    ratio: float
    low: float
    high: float
    error: float
    p: float


def kaplan_meier(day: npt.ArrayLike, event: npt.ArrayLike, level: float = 0.95) -> SurvivalCurve:
    """Kaplan–Meier curve of one group with its band and the animals at risk.

    Parameters
    ----------
    day
        When an animal had its event or was last seen, shape (animals,) [d].
    event
        Whether it had the event, shape (animals,).
    """
    from scipy import stats

    days, events = np.asarray(day, dtype=np.float64), np.asarray(event, dtype=bool)
    curve = stats.ecdf(stats.CensoredData.right_censored(days, ~events)).sf
    with warnings.catch_warnings():  # undefined where no animal, or every animal, is left
        warnings.simplefilter("ignore", RuntimeWarning)
        band = curve.confidence_interval(level, method="log-log")
    when = curve.quantiles
    return SurvivalCurve(
        when,
        curve.probabilities,
        band.low.probabilities,
        band.high.probabilities,
        (days[None, :] >= when[:, None]).sum(axis=1),
        ((days[None, :] == when[:, None]) & events).sum(axis=1),
    )


def log_rank(day: npt.ArrayLike, event: npt.ArrayLike, treated: npt.ArrayLike) -> LogRank:
    """Log-rank test of treated against control.

    Of a virtual study this is what a laboratory would report with so many animals, not evidence.

    Parameters
    ----------
    day, event
        As for :func:`kaplan_meier`.
    treated
        Which animals are treated, shape (animals,).
    """
    table = _Table(day, event, treated)
    n, d = table.at_risk.sum(axis=0), table.died.sum(axis=0)
    expected = float((d * table.at_risk[1] / n).sum())
    share = table.at_risk[1] / n
    with np.errstate(invalid="ignore"):
        spread = np.where(n > 1, d * share * (1.0 - share) * (n - d) / (n - 1.0), 0.0).sum()
    observed = int(table.died[1].sum())
    z = (observed - expected) / math.sqrt(spread) if spread > 0.0 else math.nan
    return LogRank(observed, expected, z, permutation_test(table.scores(d / n), table.treated).p)


def hazard_ratio(
    day: npt.ArrayLike, event: npt.ArrayLike, treated: npt.ArrayLike, level: float = 0.95
) -> HazardRatio:
    """Hazard ratio of treated to control in a Cox model with Efron's treatment of ties.

    Of a virtual study this is what a laboratory would report with so many animals, not evidence.
    Parameters are those of :func:`log_rank`.

    Returns
    -------
        The ratio; 0 or infinity with an interval open on that side if the likelihood rises for
        ever, NaN if there is nothing to compare.
    """
    from scipy import optimize

    table = _Table(day, event, treated)
    test = permutation_test(table.efron_scores(), table.treated, level)
    if table.information(0.0) <= 0.0:
        return HazardRatio(math.nan, math.nan, math.nan, math.nan, test.p)
    if table.score(_EDGE) > 0.0 or table.score(-_EDGE) < 0.0:  # the likelihood rises for ever
        best = math.copysign(_EDGE, table.score(0.0))
        ratio, error = (math.inf if best > 0.0 else 0.0), math.inf
    else:
        best = float(optimize.brentq(table.score, -_EDGE, _EDGE, xtol=1e-13))
        ratio, error = math.exp(best), 1.0 / math.sqrt(table.information(best))
    allowed = test.critical * (1.0 - _ROUNDING) / math.sqrt(table.information(0.0))

    def short(beta: float) -> float:
        return allowed - abs(table.score(beta)) / math.sqrt(table.information(beta))

    ends = [
        edge * math.inf if short(edge) >= 0.0 else float(optimize.brentq(short, best, edge))
        for edge in (-_EDGE, _EDGE)
    ]
    return HazardRatio(ratio, math.exp(ends[0]), math.exp(ends[1]), error, test.p)


class _Table:
    """Events and animals at risk on each day of an event, control first, treated second."""

    def __init__(self, day: npt.ArrayLike, event: npt.ArrayLike, treated: npt.ArrayLike) -> None:
        self.day = np.asarray(day, dtype=np.float64)
        self.event, self.treated = np.asarray(event, dtype=bool), np.asarray(treated, dtype=bool)
        self.when = np.unique(self.day[self.event])
        groups = np.stack([~self.treated, self.treated])
        late = self.day >= self.when[:, None]
        now = (self.day == self.when[:, None]) & self.event
        self.at_risk = (groups[:, None] & late).sum(axis=2).astype(np.float64)
        self.died = (groups[:, None] & now).sum(axis=2).astype(np.float64)
        # Of d events on one day the l-th sees the share l/d of them gone already (Efron).
        d = self.died.sum(axis=0).astype(np.int64)
        self.row = np.repeat(np.arange(self.when.size), d)
        before = np.concatenate([np.arange(count) for count in d]) if d.size else np.zeros(0)
        self.gone = before / d[self.row]

    def _weights(self, beta: float) -> tuple[FloatArray, FloatArray]:
        left = self.at_risk[:, self.row] - self.gone * self.died[:, self.row]
        return left[0], left[1] * math.exp(beta)

    def score(self, beta: float) -> float:
        """Derivative of the partial log-likelihood at a ln hazard ratio."""
        control, treated = self._weights(beta)
        return float(self.died[1].sum() - (treated / (control + treated)).sum())

    def information(self, beta: float) -> float:
        """Its second derivative with the sign turned."""
        control, treated = self._weights(beta)
        share = treated / (control + treated)
        return float((share * (1.0 - share)).sum())

    def scores(self, hazard: FloatArray) -> FloatArray:
        """Event minus cumulative hazard of each animal, shape (animals,)."""
        seen = np.searchsorted(self.when, self.day, side="right")
        sums: FloatArray = np.concatenate([[0.0], np.cumsum(hazard)])
        return self.event - sums[seen]

    def efron_scores(self) -> FloatArray:
        """What each animal adds to the score of the Cox model at ratio 1, shape (animals,)."""
        control, treated = self._weights(0.0)
        left = 1.0 / (control + treated)
        steps = self.when.size
        hazard = np.bincount(self.row, left, steps).astype(np.float64)
        spared = np.bincount(self.row, left * self.gone, steps)
        own = np.zeros(self.day.size)
        own[self.event] = spared[np.searchsorted(self.when, self.day[self.event])]
        return self.scores(hazard) + own
