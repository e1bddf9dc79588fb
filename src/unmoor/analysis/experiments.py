"""Simulated experiments: animals drawn from a pool, lost, taken out, measured, counted and tested.

All numbers of animals use the same experiments: one with eight animals a group is the first eight
of the one with forty, so that power over n is a smooth curve.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from unmoor.analysis.trial_pool import Pool
from unmoor.catalog import table
from unmoor.elementwise import FloatArray, logarithm
from unmoor.random import Stream
from unmoor.trial.animals import leave
from unmoor.trial.permutation import permutation_test
from unmoor.trial.statistics import DETECTABLE
from unmoor.trial.study import Study

BooleanArray = npt.NDArray[np.bool_]
IntegerArray = npt.NDArray[np.int64]
_MOST_COUNT = 1e8
_FEWEST = 2  # animals in a group
_ROUNDING = 1e-12  # variance of logarithms below which all readings are the same
# The permutation distribution is worked out where it is not plain what it will say: never were sums
# less than the first many standard deviations off called significant, nor more than the second not.
# (tests/oracles/test_design_oracles.py holds this to counts of many kinds.)
_PLAIN = {0.05: (0.9, 2.8)}
_AT_ONCE = 250  # experiments whose animals are held in memory day by day


@dataclass(frozen=True)
class Conditions:
    """What animals of an experiment meet.

    Attributes
    ----------
    attrition
        Chance that an animal is lost for reasons that have nothing to do with its arm; it is in
        neither end point.
    humane
        Reading at which an animal is taken out [mm³]; its lungs are counted on that day.
    constant, relative
        Standard deviation of a reading: constant + relative · volume [mm³, -].
    smallest
        Smallest reading [mm³].
    """

    attrition: float
    humane: float
    constant: float
    relative: float
    smallest: float

    @classmethod
    def of(cls, study: Study, attrition: float) -> Conditions:
        """Conditions of a study's first assay."""
        growth = table("closures", "growth", study.beside)
        humane = float(getattr(study.assays[0], "humane_volume", math.inf))
        names = ("residual_a", "residual_b", "smallest_reading")
        return cls(attrition, humane, *(float(growth[name].value) for name in names))

    @property
    def limit(self) -> float:
        """Smallest volume that can be told from nothing [mm³]."""
        return DETECTABLE * self.constant


@dataclass(frozen=True)
class Tested:
    """Outcome of one end point in each experiment, shape (experiments,).

    Attributes
    ----------
    p
        Two-sided; 1 where there is nothing to test.
    direction
        Sign of ln ratio, treated to control.
    """

    p: FloatArray
    direction: FloatArray

    def called(self, direction: float, level: float) -> BooleanArray:
        """Where the end point is significant in a direction."""
        found: BooleanArray = (self.p <= level) & (self.direction * direction > 0.0)
        return found


@dataclass(frozen=True)
class Experiments:
    """Experiments with up to ``animals`` animals an arm, control (0) and treated (1).

    Attributes
    ----------
    logs
        Logarithm of readings, shape (experiments, 2, animals, days) [ln mm³].
    last
        Index of the day an animal was last measured, shape (experiments, 2, animals).
    lost
        Whether an animal was lost, same shape.
    counts
        Lung metastases on its last day, same shape.
    taken_out
        Whether it reached the humane end point before the read-out, same shape.
    """

    logs: npt.NDArray[np.float32]
    last: IntegerArray
    lost: BooleanArray
    counts: FloatArray
    taken_out: BooleanArray

    def volumes(self, n: int) -> Tested:
        """Welch's t-test of ln volume on the last day on which every animal was measured."""
        from scipy import special

        kept = ~self.lost[:, :, :n]
        days = self.logs.shape[3]
        common = np.where(kept, self.last[:, :, :n], days - 1).min(axis=(1, 2))
        logs = self.logs[np.arange(common.size), :, :n, common].astype(np.float64)
        size = kept.sum(axis=2).astype(np.float64)
        enough = (size >= _FEWEST).all(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            mean = np.where(kept, logs, 0.0).sum(axis=2) / size
            squares = np.where(kept, (logs - mean[:, :, None]) ** 2, 0.0).sum(axis=2)
            part = squares / (size - 1.0) / size
            spread = part.sum(axis=1)
            freedom = spread**2 / (part**2 / (size - 1.0)).sum(axis=1)
            difference = mean[:, 1] - mean[:, 0]
            p = 2.0 * special.stdtr(freedom, -np.abs(difference) / np.sqrt(spread))
        is_test = enough & (spread > _ROUNDING)
        return Tested(np.where(is_test, p, 1.0), np.where(is_test, np.sign(difference), 0.0))

    def metastases(self, n: int, level: float) -> Tested:
        """Permutation test of the negative-binomial likelihood ratio, decided at a level.

        Where the outcome is plain from the sum's distance in standard deviations, p is 0 or 1.
        """
        kept, counts = ~self.lost[:, :, :n], self.counts[:, :, :n]
        p, direction = np.ones(counts.shape[0]), np.zeros(counts.shape[0])
        sizes = kept.sum(axis=2)
        for i in range(counts.shape[0]):
            groups = [counts[i, arm][kept[i, arm]] for arm in (0, 1)]
            if sizes[i].min() == 0:
                continue
            direction[i] = np.sign(groups[1].mean() - groups[0].mean())
            p[i] = decided(groups[0], groups[1], level)
        return Tested(p, direction)


def decided(control: FloatArray, treated: FloatArray, level: float) -> float:
    """Two-sided p of the permutation test of two groups of counts; 0 or 1 where it is plain."""
    every = np.concatenate([control, treated])
    size, others = treated.size, control.size
    spread = math.sqrt(size * others / every.size * float(every.var(ddof=1)))
    if spread == 0.0:
        return 1.0
    z = abs(float(treated.sum()) - size * float(every.mean())) / spread
    low, high = _PLAIN.get(level, (0.0, math.inf))
    if not low <= z <= high:
        return 1.0 if z < low else 0.0
    return permutation_test(every, np.arange(every.size) >= others).p


def experiments(
    pool: Pool,
    which: IntegerArray,
    animals: int,
    conditions: Conditions,
    stream: Stream,
    purpose: str,
) -> Experiments:
    """Draw experiments; arms have different animals, as in a laboratory.

    Parameters
    ----------
    which
        Index of the draw in the pool that holds in each experiment, shape (experiments,).
    animals
        Animals in each arm.
    stream, purpose
        Where luck comes from: that of an animal depends on the experiment, its arm and its place.
    """
    parts = [
        _some(pool, which[first : first + _AT_ONCE], first, animals, conditions, stream, purpose)
        for first in range(0, which.size, _AT_ONCE)
    ]
    names = ("logs", "last", "lost", "counts", "taken_out")
    joined = {name: np.concatenate([getattr(x, name) for x in parts]) for name in names}
    return Experiments(**joined)


def _some(
    pool: Pool,
    which: IntegerArray,
    first: int,
    animals: int,
    conditions: Conditions,
    stream: Stream,
    purpose: str,
) -> Experiments:
    many, days = pool.volumes.shape[2:]
    place = np.arange(first, first + which.size, dtype=np.uint64)[:, None, None] << np.uint64(17)
    arm = np.arange(2, dtype=np.uint64)[None, :, None] << np.uint64(16)
    ids = place + arm + np.arange(animals, dtype=np.uint64)
    picked = (stream.uniform(ids, f"{purpose}/animal") * many).astype(np.int64)
    draw, side = which[:, None, None], np.arange(2)[None, :, None]
    volumes = pool.volumes[draw, side, picked]
    luck = np.stack(
        [stream.normal(ids, f"{purpose}/calliper", step=day) for day in range(days)], axis=-1
    )
    error = conditions.constant + conditions.relative * volumes
    readings = np.maximum(volumes + error * luck, conditions.smallest)
    last, reached = leave(readings, conditions.humane)
    lost = stream.uniform(ids, f"{purpose}/lost") < conditions.attrition
    factor = stream.lognormal(ids, f"{purpose}/shedding", pool.shedding_cv[which][:, None, None])
    mean = pool.metastases[draw, side, picked, last] * factor
    counts = stream.poisson(np.minimum(mean, _MOST_COUNT), ids, f"{purpose}/metastases")
    logs = logarithm(np.maximum(readings, conditions.limit)).astype(np.float32)
    early = reached & (last < days - 1)
    return Experiments(logs, last, lost, counts.astype(np.float64), early)


def wilson(hits: float, tries: float, level: float = 0.95) -> tuple[float, float]:
    """Wilson's interval of a share.

    Examples
    --------
    >>> low, high = wilson(38, 100)
    >>> round(low, 3), round(high, 3)
    (0.291, 0.478)
    """
    from scipy import special

    if tries == 0:
        return math.nan, math.nan
    z = float(special.ndtri(0.5 + 0.5 * level))
    share, weight = hits / tries, z * z / tries
    middle = (share + 0.5 * weight) / (1.0 + weight)
    reach = z / (1.0 + weight) * math.sqrt(share * (1.0 - share) / tries + 0.25 * weight / tries)
    low = 0.0 if hits == 0 else middle - reach
    high = 1.0 if hits == tries else middle + reach
    return low, high
