"""What is not known, over parameter sets and rival structures, apart from what differs by animal.

Each structure of the model has a weight (``uncertainty.weights`` of the study) that its parameter
sets share. The variance of the logarithm of a ratio falls, by the law of total variance, into that
between parameter sets within a structure, and that between structures. What differs between animals
is no uncertainty about the effect: it is what a study of the stated size adds to it, and stands
beside the other two, never in their sum. Equations: docs/explanation/foresight_why.md.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from unmoor.elementwise import FloatArray
from unmoor.random import Stream
from unmoor.trial.study import Study
from unmoor.trial.verdict import Interval, judge

OUTCOMES = {"tumour": "tumour_ratio", "spread": "spread_ratio", "paradox": "paradox_index"}
CLASSES = ("switch", "benefit", "containment", "harm")
_PARTS = ("parameters", "structures", "animals")
UNCERTAINTY_COLUMNS = (
    "cell_line", "assay", "arm",
    *(f"{name}_{part}" for name in OUTCOMES for part in ("median", "low", "high", "mc")),
    "p_smaller", "p_more", *(f"p_{word}" for word in CLASSES), "p_switch_mc",
    "p_switch_least", "p_switch_most", "verdict",
    *(f"{name}_var_{part}{mc}" for name in ("tumour", "spread") for part in _PARTS
      for mc in ("", "_mc") if part + mc != "animals_mc"),
    "n_structures", "n_draws", "n_failed",
)  # fmt: skip
_RESAMPLES = 200  # of the draws of each structure, for Monte-Carlo errors


def weights_of(study: Study, structures: Sequence[str]) -> dict[str, float]:
    """Weight of each structure, by name; equal unless the study says otherwise."""
    given = study.uncertainty.weights
    known = {name: 1.0 if given is None else given.get(name, 0.0) for name in structures}
    whole = sum(known.values())
    return {name: weight / whole for name, weight in known.items()} if whole else known


@dataclass(frozen=True)
class Mixture:
    """Values over parameter sets under several structures, each with a weight.

    ``values`` holds one array a structure, shape (draws,); what could not be solved is NaN.
    """

    values: tuple[FloatArray, ...]
    weights: tuple[float, ...]

    def solved(self) -> Mixture:
        """The same without what is not finite; a structure without anything loses its weight."""
        values = tuple(each[np.isfinite(each)] for each in self.values)
        kept = [w if each.size else 0.0 for w, each in zip(self.weights, values, strict=True)]
        whole = sum(kept)
        return Mixture(values, tuple(w / whole for w in kept) if whole else tuple(kept))

    def points(self) -> tuple[FloatArray, FloatArray]:
        """All values in rising order, and the weight of each, shape (points,)."""
        own = self.solved()
        parts = [np.full(v.size, w / max(v.size, 1)) for v, w in zip(own.values, own.weights,
                                                                     strict=True)]  # fmt: skip
        values, weights = np.concatenate(own.values), np.concatenate(parts)
        order = np.argsort(values, kind="stable")
        return values[order], weights[order]

    def quantiles(self, levels: Sequence[float]) -> list[float]:
        """Quantiles; linear between points that stand in the middle of their weight.

        With equal weights these are the usual ones, of Hazen's kind.
        """
        values, weights = self.points()
        if not values.size or not weights.sum():
            return [math.nan] * len(levels)
        kept = weights > 0
        values, weights = values[kept], weights[kept]
        places = np.cumsum(weights) - 0.5 * weights
        return [float(np.interp(level, places, values)) for level in levels]

    def mean(self) -> float:
        """Weighted mean."""
        values, weights = self.points()
        return float(np.sum(values * weights)) if weights.sum() else math.nan

    def variances(self) -> tuple[float, float]:
        """Variance within structures and between them, each without bias.

        Means of structures scatter even where they are alike, since they are means of so many
        draws; that much is taken from the variance between them, which is not below 0.
        """
        own = self.solved()
        used = [(v[None], w) for v, w in zip(own.values, own.weights, strict=True) if w > 0]
        if not used or min(v.size for v, _ in used) < 2:
            return math.nan, math.nan
        within, between = _split([v for v, _ in used], [w for _, w in used])
        return float(within[0]), float(between[0])

    def errors(self, seed: int) -> tuple[float, float, float]:
        """Monte-Carlo errors of the median and of both variances, from draws drawn again."""
        own = self.solved()
        used = [(v, w) for v, w in zip(own.values, own.weights, strict=True) if w > 0]
        if not used or min(v.size for v, _ in used) < 2:
            return math.nan, math.nan, math.nan
        weights = [w for _, w in used]
        again = [v[_picks(seed, i, v.size)] for i, (v, _) in enumerate(used)]
        parts = [np.full(v.shape, w / v.shape[1]) for v, w in zip(again, weights, strict=True)]
        values, shares = np.concatenate(again, axis=1), np.concatenate(parts, axis=1)
        order = np.argsort(values, axis=1, kind="stable")
        passed = np.cumsum(np.take_along_axis(shares, order, axis=1), axis=1) >= 0.5
        medians = np.take_along_axis(values, order, axis=1)[
            np.arange(_RESAMPLES), passed.argmax(axis=1)
        ]
        found = (medians, *_split(again, weights))
        error = [float(each.std(ddof=1)) for each in found]
        return error[0], error[1], error[2]


def _split(values: Sequence[FloatArray], weights: Sequence[float]) -> tuple[FloatArray, FloatArray]:
    """Variances within and between groups of values (repeats, draws), shape (repeats,) each."""
    share = np.array(weights)[:, None]
    means = np.array([v.mean(axis=1) for v in values])
    spreads = np.array([v.var(axis=1, ddof=1) for v in values])
    sizes = np.array([[v.shape[1]] for v in values])
    middle = (share * means).sum(axis=0)
    between = (share * (means - middle) ** 2).sum(axis=0)
    chance = (share * (1.0 - share) * spreads / sizes).sum(axis=0)
    return (share * spreads).sum(axis=0), np.maximum(between - chance, 0.0)


def _picks(seed: int, place: int, size: int) -> npt.NDArray[np.int64]:
    """Draws drawn again with replacement, shape (repeats, draws)."""
    ids = np.arange(_RESAMPLES * size, dtype=np.uint64)
    uniform = Stream(seed).uniform(ids, f"resample/{place}")
    picks: npt.NDArray[np.int64] = (uniform * size).astype(np.int64).reshape(_RESAMPLES, size)
    return picks


def uncertainty_table(study: Study, draws: pd.DataFrame, effects: pd.DataFrame) -> pd.DataFrame:
    """What is not known of each arm of each line, over parameter sets and structures.

    Parameters
    ----------
    draws, effects
        Tables of a result.

    Returns
    -------
        One row a line × assay × arm with the columns ``UNCERTAINTY_COLUMNS``: medians and intervals
        of the ratios, probabilities of what the margins decide in a draw, the verdict on these
        intervals, variances of the logarithm of the ratio, and Monte-Carlo errors (``_mc``).
    """
    rows = []
    keys = ["cell_line", "assay", "arm"]
    known = {tuple(map(str, row[:3])): row[3:] for row in effects[
        [*keys, "tumour_study_low", "tumour_study_high", "spread_study_low", "spread_study_high"]
    ].itertuples(index=False)} if len(effects) else {}  # fmt: skip
    for key, part in draws.groupby(keys, sort=False) if len(draws) else ():
        names = tuple(map(str, key))
        seen = known.get(names, (math.nan,) * 4)
        rows.append(dict(zip(keys, names, strict=True)) | _row(study, part, seen))
    return pd.DataFrame(rows, columns=list(UNCERTAINTY_COLUMNS))


def _row(study: Study, part: pd.DataFrame, seen: Sequence[float]) -> dict[str, object]:
    names = [str(name) for name in part["structure"].drop_duplicates()]
    weights = tuple(weights_of(study, names).values())
    groups = [part[part["structure"] == name] for name in names]
    columns = {
        name: Mixture(tuple(g[column].to_numpy(float) for g in groups), weights)
        for name, column in OUTCOMES.items()
    }
    row: dict[str, object] = {}
    level = study.verdict.interval
    tail = 0.5 * (1.0 - level)
    limits = {}
    for name, mixture in columns.items():
        low, middle, high = mixture.quantiles([tail, 0.5, 1.0 - tail])
        row |= {f"{name}_median": middle, f"{name}_low": low, f"{name}_high": high}
        limits[name] = Interval(low, high)
        logs = _logs(mixture)
        error, *others = logs.errors(study.seed)
        row[f"{name}_mc"] = error
        if name != "paradox":
            row |= _variances(name, logs, (others[0], others[1]))
    row |= _probabilities(study, columns, names)
    margins = study.verdict
    row["verdict"] = judge(limits["tumour"], limits["spread"], margins.smaller, margins.spread)
    width = 2.0 * NormalDist().inv_cdf(0.5 + 0.5 * level)
    for name, (low, high) in (("tumour", seen[:2]), ("spread", seen[2:])):
        row[f"{name}_var_animals"] = (math.log(high / low) / width) ** 2 if low > 0 else math.nan
    solved = [int(np.isfinite(each).sum()) for each in columns["tumour"].values]
    counts = {"n_structures": len(names), "n_draws": sum(solved)}
    return row | counts | {"n_failed": len(part) - sum(solved)}


def _logs(mixture: Mixture) -> Mixture:
    with np.errstate(all="ignore"):
        return Mixture(tuple(np.log(each) for each in mixture.values), mixture.weights).solved()


def _variances(name: str, logs: Mixture, errors: tuple[float, float]) -> dict[str, float]:
    row: dict[str, float] = {}
    for part, value, error in zip(_PARTS[:2], logs.variances(), errors, strict=True):
        row |= {f"{name}_var_{part}": value, f"{name}_var_{part}_mc": error}
    return row


def _probabilities(
    study: Study, columns: Mapping[str, Mixture], names: Sequence[str]
) -> dict[str, float]:
    """Weighted shares of draws; a draw counts where both ratios are known."""
    margins, weights = study.verdict, columns["tumour"].weights
    told: dict[str, list[float]] = {}
    counts: list[int] = []
    for tumour, spread in zip(columns["tumour"].values, columns["spread"].values, strict=True):
        both = np.isfinite(tumour) & np.isfinite(spread)
        smaller, more = tumour[both] < margins.smaller, spread[both] > margins.spread
        less = spread[both] < 1.0 / margins.spread
        found: dict[str, Any] = {"p_smaller": smaller, "p_more": more}
        found |= {"p_switch": smaller & more, "p_benefit": smaller & ~more}
        found |= {"p_containment": ~smaller & less, "p_harm": ~smaller & more}
        counts.append(int(both.sum()))
        for name, holds in found.items():
            told.setdefault(name, []).append(float(holds.mean()) if both.any() else math.nan)
    used = [i for i in range(len(names)) if counts[i] and weights[i] > 0]
    whole = sum(weights[i] for i in used)
    if not used:
        return dict.fromkeys((*told, "p_switch_mc", "p_switch_least", "p_switch_most"), math.nan)
    row = {name: sum(weights[i] * p[i] for i in used) / whole for name, p in told.items()}
    own = told["p_switch"]
    variance = sum((weights[i] / whole) ** 2 * own[i] * (1.0 - own[i]) / counts[i] for i in used)
    return row | {
        "p_switch_mc": math.sqrt(variance),
        "p_switch_least": min(own[i] for i in used),
        "p_switch_most": max(own[i] for i in used),
    }
