"""How well one number tells two groups apart: area under the curve, thresholds, intervals.

Random numbers come from a stream, so that an interval is a function of the seed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from unmoor.elementwise import FloatArray
from unmoor.random import Stream, identifier

RESAMPLES = 2000
Places = npt.NDArray[np.int64]
_THRESHOLDS = 60  # candidates, at quantiles of the values
_LEVEL = 0.9


@dataclass(frozen=True)
class Area:
    """Area under the ROC curve with the interval of a bootstrap within each group.

    Attributes
    ----------
    value, low, high
        Chance that one of the first group has a greater value than one of the second; ties half.
    positives, negatives
        Sizes of the groups.
    """

    value: float
    low: float
    high: float
    positives: int
    negatives: int


@dataclass(frozen=True)
class Threshold:
    """The best threshold of one quantity.

    Attributes
    ----------
    name
        The quantity.
    value, low, high
        Threshold, and its interval over resampled lines.
    is_above
        Whether cases above it belong to the class.
    accuracy, accuracy_low, accuracy_high
        Balanced accuracy: mean of sensitivity and specificity.
    """

    name: str
    value: float
    low: float
    high: float
    is_above: bool
    accuracy: float
    accuracy_low: float
    accuracy_high: float


def area(positives: FloatArray, negatives: FloatArray) -> float:
    """Area under the ROC curve; NaN of an empty group."""
    if not positives.size or not negatives.size:
        return float("nan")
    ranks = _ranks(np.concatenate([positives, negatives]))
    above = ranks[: positives.size].sum() - positives.size * (positives.size + 1) / 2.0
    return float(above / (positives.size * negatives.size))


def area_with_interval(
    positives: FloatArray, negatives: FloatArray, seed: int, what: str, level: float = _LEVEL
) -> Area:
    """Area with the central interval of resampled groups.

    Parameters
    ----------
    seed, what
        Name the random numbers.
    """
    stream = Stream(seed)
    value = area(positives, negatives)
    found = np.full(RESAMPLES, value)
    if np.isfinite(value):
        chosen = [
            _resample(stream, f"area/{what}/{group}", len(values))
            for group, values in (("positives", positives), ("negatives", negatives))
        ]
        found = np.array([
            area(positives[chosen[0][i]], negatives[chosen[1][i]]) for i in range(RESAMPLES)
        ])  # fmt: skip
    low, high = np.quantile(found, [0.5 - level / 2.0, 0.5 + level / 2.0])
    return Area(value, float(low), float(high), positives.size, negatives.size)


def best_threshold(
    name: str, values: FloatArray, is_case: FloatArray, seed: int, resamples: int = 200
) -> Threshold | None:
    """The threshold of a quantity that tells cases from others best, by balanced accuracy.

    Parameters
    ----------
    values
        Of each line in each draw, shape (lines, draws).
    is_case
        1, 0 or NaN, the same shape.
    resamples
        Of lines, for the intervals.

    Returns
    -------
        None if all are cases, or none.
    """
    shares = np.quantile(values, np.linspace(0.0, 1.0, _THRESHOLDS + 2)[1:-1])
    candidates = np.unique(shares)
    known = np.isfinite(is_case)
    above = values[:, :, None] > candidates
    hits = ((is_case == 1.0) & known)[:, :, None] & above
    false = ((is_case == 0.0) & known)[:, :, None] & above
    totals = ((is_case == 1.0).sum(axis=1), (is_case == 0.0).sum(axis=1))
    by_line = (hits.sum(axis=1), false.sum(axis=1), *totals)
    if not totals[0].sum() or not totals[1].sum():
        return None
    best, accuracy, is_above = _best(by_line, np.arange(len(values), dtype=np.int64))
    chosen = _resample(Stream(seed), f"threshold/{name}", len(values), resamples)
    places, accuracies = [], []
    for lines in chosen:
        if totals[0][lines].sum() and totals[1][lines].sum():
            place, found, _ = _best(by_line, lines, is_above=is_above)
            places.append(float(candidates[place]))
            accuracies.append(found)
    ends = [0.5 - _LEVEL / 2.0, 0.5 + _LEVEL / 2.0]
    low, high = np.quantile(places, ends)
    worst, top = np.quantile(accuracies, ends)
    return Threshold(name, float(candidates[best]), float(low), float(high), is_above,
                     accuracy, float(worst), float(top))  # fmt: skip


def _best(
    by_line: tuple[FloatArray, ...], lines: Places, *, is_above: bool | None = None
) -> tuple[int, float, bool]:
    """Place of the best threshold among some lines, its balanced accuracy and its side."""
    hits, false, cases, others = (each[lines].sum(axis=0) for each in by_line)
    accuracy = 0.5 * (hits / cases + 1.0 - false / others)
    if is_above is None:
        is_above = bool(accuracy.max() >= 1.0 - accuracy.min())
    told = accuracy if is_above else 1.0 - accuracy
    best = int(told.argmax())
    return best, float(told[best]), is_above


def permutation(seed: int, what: str, size: int) -> Places:
    """An order of so many things that the seed and a name decide."""
    ids = np.array([identifier(f"{i}") for i in range(size)], dtype=np.uint64)
    order: Places = np.argsort(Stream(seed).uniform(ids, f"permutation/{what}"), kind="stable")
    return order


def _resample(stream: Stream, what: str, size: int, resamples: int = RESAMPLES) -> Places:
    """Places drawn with replacement, shape (resamples, size)."""
    ids = np.arange(resamples * size, dtype=np.uint64)
    drawn = stream.uniform(ids, what).reshape(resamples, size)
    return (drawn * size).astype(np.int64)


def _ranks(values: FloatArray) -> FloatArray:
    """Ranks from 1 on, ties have their mean."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks: FloatArray = (last - 0.5 * (counts - 1.0))[inverse]
    return ranks
