"""Effects: each arm against control, with two intervals that are never mixed.

Tumour is the ratio of geometric-mean volumes, spread the ratio of mean lung counts, both at the
read-out day. What we do not know is the spread of the expected ratios over parameter draws; what a
real study would see is the spread of the ratio over virtual studies of its size under one
parameter set. The Monte-Carlo error of the estimate stands apart from both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from unmoor.random import Stream

FloatArray = npt.NDArray[np.float64]
_STUDIES = 2000  # virtual studies
_RESAMPLES = 400  # of the draws, for the Monte-Carlo error
_AT_ONCE = 1_000_000  # animals picked at a time, so that large studies need no more memory


@dataclass(frozen=True)
class Ratios:
    """Expected ratios of one arm to control in each draw, shape (draws,)."""

    tumour: FloatArray
    spread: FloatArray
    paradox: FloatArray
    exposure: FloatArray
    e_loss: FloatArray


def expected_ratios(arrays: Mapping[str, Any], arm: int, control: int) -> Ratios:
    """Expected ratios of an arm, paired by animal; failed draws are NaN.

    Parameters
    ----------
    arrays
        Arrays of a line's chunks, draws along the first axis (``trial.chunks``).
    """
    volume, expected = arrays["volume"], arrays["expected_metastases"]
    shedding, exposure = arrays["shedding"], arrays["exposure"]
    with np.errstate(all="ignore"):
        logs = np.log(volume[:, arm]) - np.log(volume[:, control])
        tumour = np.exp(logs.mean(axis=1))
        spread = expected[:, arm].sum(axis=1) / expected[:, control].sum(axis=1)
        paradox = shedding[:, arm] / shedding[:, control]
        exposed = exposure[:, arm] / exposure[:, control]
    failed = (arrays["status"][:, arm] != 0) | (arrays["status"][:, control] != 0)
    e_loss = arrays["e_cadherin"][:, control] - arrays["e_cadherin"][:, arm]
    columns = [np.where(failed, np.nan, x) for x in (tumour, spread, paradox, exposed, e_loss)]
    return Ratios(*columns)


def draw_interval(values: FloatArray, level: float) -> tuple[float, float, float]:
    """Median and equal-tailed interval over the draws that were solved."""
    solved = values[np.isfinite(values)]
    if solved.size == 0:
        return (np.nan, np.nan, np.nan)
    tail = 0.5 * (1.0 - level)
    low, middle, high = np.quantile(solved, [tail, 0.5, 1.0 - tail])
    return float(middle), float(low), float(high)


def monte_carlo_error(values: FloatArray, seed: int) -> float:
    """Standard error of the median of ln ratio, from resampled draws."""
    solved = np.log(values[np.isfinite(values) & (values > 0)])
    if solved.size < 2:
        return float("nan")
    picks = _picks(seed, "resample", range(_RESAMPLES), solved.size, solved.size)
    return float(np.median(solved[picks], axis=1).std(ddof=1))


def study_interval(
    arrays: Mapping[str, Any],
    arm: int,
    control: int,
    animals: int,
    level: float,
    seed: int,
    name: str,
) -> dict[str, tuple[float, float]]:
    """Intervals of the ratios that studies of ``animals`` an arm would report.

    Arm and control have different animals, as in a laboratory. Half a metastasis is added to each
    group's sum, so that a group without any still gives a ratio.

    Parameters
    ----------
    arrays
        Arrays of the reference parameter set, one draw.
    name
        Name of the arm: its animals do not depend on which other arms there are.
    """
    pool, logs = arrays["reading"].shape[2], np.log(arrays["reading"][0])
    counts = arrays["count"][0].astype(float)
    tumour, spread = np.empty(_STUDIES), np.empty(_STUDIES)
    rows = max(1, _AT_ONCE // animals)
    for first in range(0, _STUDIES, rows):
        studies = range(first, min(first + rows, _STUDIES))
        treated = _picks(seed, f"study/{name}", studies, animals, pool)
        controls = _picks(seed, "study/control", studies, animals, pool)
        now = slice(studies.start, studies.stop)
        tumour[now] = logs[arm][treated].mean(axis=1) - logs[control][controls].mean(axis=1)
        spread[now] = (counts[arm][treated].sum(axis=1) + 0.5) / (
            counts[control][controls].sum(axis=1) + 0.5
        )
    tumour = np.exp(tumour)
    tail = 0.5 * (1.0 - level)
    return {
        name: (float(np.quantile(x, tail)), float(np.quantile(x, 1.0 - tail)))
        for name, x in (("tumour", tumour), ("spread", spread))
    }


@lru_cache(maxsize=8)
def _picks(seed: int, purpose: str, rows: range, columns: int, pool: int) -> npt.NDArray[np.int64]:
    """Indices below ``pool``, drawn with replacement, shape (rows, columns)."""
    ids = np.arange(rows.start * columns, rows.stop * columns, dtype=np.uint64)
    uniform = Stream(seed).uniform(ids, purpose)
    picked: npt.NDArray[np.int64] = (uniform * pool).astype(np.int64).reshape(-1, columns)
    return picked
