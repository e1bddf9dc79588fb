"""What a laboratory would report of a study of this size: the statistics a reviewer asks for.

:func:`analyse` treats the animals of the reference parameter set as a laboratory treats its mice:
each arm against control, by volume, counts and survival. Its p-values say what one study with so
many animals would have reported, with the luck of these animals. They are no evidence about the
biology – more virtual animals make any difference significant – and the verdict does not use them.

Each test offered here holds its level at 5 to 20 animals an arm (``benchmarks/type_one_error.py``).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from unmoor.catalog import table
from unmoor.catalog.draws import NOMINAL
from unmoor.elementwise import logarithm
from unmoor.trial.count_test import compare_counts
from unmoor.trial.last_day import compare_last_day
from unmoor.trial.mixed_model import Contrast, MixedModel
from unmoor.trial.survival import hazard_ratio, kaplan_meier, log_rank

if TYPE_CHECKING:
    import pandas as pd

    from unmoor.trial.result import Result

COLUMNS = (
    "cell_line", "assay", "arm", "outcome", "test", "estimate", "low", "high", "p", "n", "note",
)  # fmt: skip
FloatArray = npt.NDArray[np.float64]

GROWTH_TEST = "mixed model, arm × time (Satterthwaite)"
VOLUME_TEST = "Welch t-test of log volume"
COUNT_TEST = "negative binomial, permutation of the likelihood ratio"
RANK_TEST = "log-rank (permutation)"
KAPLAN_MEIER = "Kaplan–Meier"
COX_TEST = "Cox (permutation of the score)"

DETECTABLE = 3.0
"""Smallest volume that counts, in standard deviations of the callipers' constant error."""
_FEWEST = 2  # animals in a group, and days
_LEVEL = 0.95  # of intervals, as laboratories report them, whatever the verdict uses
_DIGITS = 6
_HUMANE = "humane_endpoint"
_NO_EVENT = "no animal reached the humane end point"
_TOO_LITTLE = "too few animals or measurable tumours"
_NOTHING = (math.nan,) * 4
_AFTER = "animals past the humane end point are counted at the read-out as the others"


@dataclass(frozen=True)
class GrowthComparison:
    """Treated against control in a mixed model of log volume.

    Attributes
    ----------
    rate
        Difference of the rates of growth (arm × time), taken as constant; where the difference
        bends it is that of a straight line [1/d].
    model
        The fit.
    """

    rate: Contrast
    model: MixedModel


def compare_growth(
    animal: npt.ArrayLike,
    day: npt.ArrayLike,
    volume: npt.ArrayLike,
    treated: npt.ArrayLike,
    limit: float = 0.0,
    level: float = 0.95,
) -> GrowthComparison | None:
    """Log-volume mixed model: random intercept and slope for each animal, arm × time.

    Time enters twice: a common mean on each day, whatever the shape of growth, and a slope that
    differs between groups. What volumes differ by on a day is not for this model to say, since it
    holds the difference of rates for constant (:func:`unmoor.trial.last_day.compare_last_day`).
    Animals taken out early count as long as they were measured.

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
        Smallest volume that can be measured: smaller readings count as this one, and measurements
        start on the first day on which half of all animals reach it [mm³].
    level
        Level of the intervals.

    Returns
    -------
        None if there is too little to compare: fewer than two animals in a group, or two days.
    """
    days, labels = np.asarray(day, dtype=np.float64), np.asarray(treated, dtype=bool)
    volumes = np.maximum(np.asarray(volume, dtype=np.float64), limit)
    every = np.unique(days)
    medians = np.array([np.median(volumes[days == when]) for when in every])
    start = np.flatnonzero(medians > limit)
    if start.size == 0:
        return None
    used = days >= every[start[0]]
    days, labels, volumes = days[used], labels[used], volumes[used]
    _, animals = np.unique(np.asarray(animal)[used], return_inverse=True)
    groups = [np.unique(animals[labels == which]).size for which in (False, True)]
    times = [np.unique(days[labels == which]) for which in (False, True)]
    if min(groups) < _FEWEST or min(each.size for each in times) < _FEWEST:
        return None
    centre = float(days.mean())
    arm = labels.astype(np.float64)
    fixed = np.column_stack([_mean_course(days, animals), arm, arm * (days - centre)])
    try:
        model = MixedModel(logarithm(volumes), fixed, days, animals)
    except np.linalg.LinAlgError:
        return None
    return GrowthComparison(model.contrast(np.eye(model.effects)[-1], level), model)


def _mean_course(days: FloatArray, animals: npt.NDArray[np.int64]) -> FloatArray:
    """Columns of the common mean course: a level a day, or a cubic if the days are not shared."""
    every = np.unique(days)
    if every.size <= 2 * int(np.bincount(animals).max()):
        return np.asarray(days[:, None] == every, dtype=np.float64)
    scaled = (days - days.mean()) / days.std()
    return np.column_stack([np.ones(days.size), scaled, scaled**2, scaled**3])


def analyse(result: Result) -> pd.DataFrame:
    """Analyses a laboratory would run on the virtual study: each arm against control.

    Reference parameter set, the study's own animals. These p-values are no evidence: they say what
    a study of this size would report. They are not adjusted for the number of arms.

    Returns
    -------
        One row a cell line × assay × arm × outcome, columns ``COLUMNS``; ``n`` are the animals of
        both groups together. Empty if the study has no animals or its reference set failed.
    """
    import pandas as pd

    rows: list[dict[str, Any]] = []
    reference = result.outcomes[result.outcomes["draw"] == NOMINAL]
    for (line, assay), outcomes in reference.groupby(["cell_line", "assay"], sort=False):
        where = {"cell_line": line, "assay": assay}
        animals = _of(result.animals, where)
        events = _of(result.events, where)
        for arm in result.study.arms:
            found = _analyse_arm(result, outcomes, animals, events, arm)
            rows += [{**where, "arm": arm, **row} for row in found]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _of(frame: pd.DataFrame, where: dict[str, Any]) -> pd.DataFrame:
    here = (frame["cell_line"] == where["cell_line"]) & (frame["assay"] == where["assay"])
    found: pd.DataFrame = frame.loc[here]
    return found


def _analyse_arm(
    result: Result,
    outcomes: pd.DataFrame,
    animals: pd.DataFrame,
    events: pd.DataFrame,
    arm: str,
) -> Iterator[dict[str, Any]]:
    control, level = result.study.control, _LEVEL
    humane = events[events["event"] == _HUMANE]
    yield from _median_row(humane[humane["arm"] == arm], level)
    if arm == control:
        return
    pair = (control, arm)
    growth = table("closures", "growth", result.study.beside)
    limit = DETECTABLE * growth["residual_a"].value
    yield from _volume_rows(animals[animals["arm"].isin(pair)], arm, limit, level)
    counted = outcomes[outcomes["arm"].isin(pair) & (outcomes["status"] == "ok")]
    early = bool(humane.loc[humane["arm"].isin(pair), "observed"].any())
    yield from _count_rows(counted, arm, level, _AFTER if early else "")
    yield from _survival_rows(humane[humane["arm"].isin(pair)], arm, level)


def _row(outcome: str, test: str, numbers: tuple[float, ...], n: int, note: str) -> dict[str, Any]:
    names = ("estimate", "low", "high", "p")
    return {
        "outcome": outcome,
        "test": test,
        # Iterated and from libraries: what is beyond these digits may depend on the machine.
        **{name: float(f"{x:.{_DIGITS}g}") for name, x in zip(names, numbers, strict=True)},
        "n": n,
        "note": note,
    }


def _volume_rows(
    frame: pd.DataFrame, arm: str, limit: float, level: float
) -> Iterator[dict[str, Any]]:
    n = len(frame[["arm", "animal"]].drop_duplicates())
    if n == 0:
        return
    names = frame["arm"].astype(str) + "/" + frame["animal"].astype(str)
    day, volume = frame["day"].to_numpy(float), frame["tumour_volume"].to_numpy(float)
    treated = (frame["arm"] == arm).to_numpy()
    columns = (names.to_numpy(), day, volume, treated, limit, level)
    grown, last = compare_growth(*columns), compare_last_day(*columns)
    numbers, note = _NOTHING, _TOO_LITTLE
    if grown is not None:
        rate = grown.rate
        numbers = (rate.estimate, rate.low, rate.high, rate.p)
        note = f"difference [1/d], taken as constant; log volume, readings from {limit:.3g} mm³ on"
    yield _row("growth_rate", GROWTH_TEST, numbers, n, note)
    numbers, note = _NOTHING, _TOO_LITTLE
    if last is not None:
        numbers = (last.ratio, last.low, last.high, last.p)
        note = f"ratio of geometric means on day {last.day:g}, the last with all animals"
        if last.below:
            note += f"; {last.below} of {n} readings below {limit:.3g} mm³ count as that"
    yield _row("tumour_volume", VOLUME_TEST, numbers, n, note)


def _count_rows(
    frame: pd.DataFrame, arm: str, level: float, early: str
) -> Iterator[dict[str, Any]]:
    if frame["arm"].nunique() < _FEWEST:
        return
    treated = (frame["arm"] == arm).to_numpy()
    x = compare_counts(frame["lung_metastases"].to_numpy(), treated, level)
    note = "ratio of means, negative binomial" if x.ratio == x.ratio else "no animal has a count"
    note = "; ".join(filter(None, (note, early)))
    p = x.p if x.ratio == x.ratio else math.nan  # without counts there is nothing to test
    yield _row("lung_metastases", COUNT_TEST, (x.ratio, x.low, x.high, p), len(frame), note)


def _survival_rows(frame: pd.DataFrame, arm: str, level: float) -> Iterator[dict[str, Any]]:
    if frame["arm"].nunique() < _FEWEST:
        return
    treated = (frame["arm"] == arm).to_numpy()
    day, observed = frame["day"].to_numpy(float), frame["observed"].to_numpy(bool)
    if not observed.any():  # nothing to test
        for test in (RANK_TEST, COX_TEST):
            yield _row(_HUMANE, test, _NOTHING, len(frame), _NO_EVENT)
        return
    rank, cox = log_rank(day, observed, treated), hazard_ratio(day, observed, treated, level)
    note = f"{rank.observed} events, {rank.expected:.3g} expected"
    yield _row(_HUMANE, RANK_TEST, (*_NOTHING[:3], rank.p), len(frame), note)
    numbers = (cox.ratio, cox.low, cox.high, cox.p)
    yield _row(_HUMANE, COX_TEST, numbers, len(frame), "hazard ratio; ties: Efron")


def _median_row(frame: pd.DataFrame, level: float) -> Iterator[dict[str, Any]]:
    if len(frame) == 0:
        return
    curve = kaplan_meier(frame["day"].to_numpy(float), frame["observed"].to_numpy(bool), level)
    note = f"median [d]; {int(curve.events.sum())} of {len(frame)} animals reached it"
    numbers = (*curve.median(), math.nan)
    yield _row(_HUMANE, KAPLAN_MEIER, numbers, len(frame), note)
