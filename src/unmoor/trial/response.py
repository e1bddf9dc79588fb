"""How single animals respond: change from the start of treatment, and its category.

Categories hide how much a tumour changed and different ones disagree, so the change itself is
always given beside them. Modified RECIST is defined for tumours that can be measured when treatment
starts; where treatment starts earlier there is no category, only the change against control.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from unmoor.catalog import table
from unmoor.trial.study import Study

FloatArray = npt.NDArray[np.float64]
CATEGORIES = {
    "CR": "complete response",
    "PR": "partial response",
    "SD": "stable disease",
    "PD": "progressive disease",
}
"""Categories of modified RECIST, best first."""


@dataclass(frozen=True)
class Response:
    """Response of one animal.

    Attributes
    ----------
    best, final
        Volume over that at the start of treatment: smallest from the first day that counts on,
        and at the last measurement [-].
    category
        Category of modified RECIST; empty if no measurement counts.
    """

    best: float
    final: float
    category: str


def first_treatment(study: Study) -> float:
    """Day on which the first treatment of any arm starts; minus infinity if before inoculation."""
    starts = [getattr(item, "start", None) for items in study.arms.values() for item in items]
    return min((-math.inf if x is None else float(x) for x in starts), default=math.inf)


def limits(study: Study) -> dict[str, float]:
    """Numbers that define a response, from the catalog."""
    rows = table("closures", "response", study.beside)
    return {name: rows[name].value for name in rows}


def baseline(days: FloatArray, volumes: FloatArray, start: float, least: float) -> int | None:
    """Index of the last measurement up to the start of treatment; None if tumours are too small.

    Parameters
    ----------
    days
        Days of measurement, shape (days,) [d].
    volumes
        Readings of all animals of a group, shape (animals, days) [mm³].
    start
        Start of treatment [d].
    least
        Smallest median volume that counts as a tumour [mm³].
    """
    before = np.flatnonzero(days <= start)
    if not before.size or not math.isfinite(start):
        return None
    index = int(before[-1])
    return index if float(np.median(volumes[:, index])) >= least else None


def respond(days: FloatArray, volumes: FloatArray, known: Mapping[str, float]) -> Response:
    """Response of an animal from its measurements, the first of them at the start of treatment.

    Parameters
    ----------
    days, volumes
        Measurements of the animal, shape (days,) [d, mm³].
    known
        What `limits` gives.
    """
    change = volumes / volumes[0] - 1.0
    average = np.cumsum(change) / np.arange(1, change.size + 1)
    counts = days >= days[0] + known["first_day"]
    if not counts.any():
        return Response(math.nan, float(1.0 + change[-1]), "")
    best, best_average = float(change[counts].min()), float(average[counts].min())
    category = "PD"
    for name, word in (("SD", "stable"), ("PR", "partial"), ("CR", "complete")):
        if best < known[f"{word}_best"] and best_average < known[f"{word}_average"]:
            category = name
    return Response(1.0 + best, float(1.0 + change[-1]), category)
