"""How far evidence reaches along the axis of a harm map: what findings of the catalog used.

A range in which something was measured is one interval; a single dose or degree that was given is
a point, and says nothing of what lies between two of them. Where nothing was measured there is
neither.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from unmoor.analysis.evidence_doses import UnableError, dose_of
from unmoor.analysis.evidence_rows import CATALOGUED, Treatment, read_evidence, read_side
from unmoor.elementwise import FloatArray
from unmoor.errors import UnitError
from unmoor.units import parse_quantity

Reach = tuple[tuple[float, float], ...]
"""Intervals with evidence; both ends of a point are the same; empty where there is none."""


def with_evidence(values: FloatArray, reach: Reach) -> npt.NDArray[np.bool_]:
    """Which cells of an axis have evidence: those within an interval, and the nearest to a point.

    Parameters
    ----------
    values
        Rising, shape (steps,).
    """
    found = np.zeros(values.shape, dtype=bool)
    for low, high in reach:
        slack = 1e-9 * max(abs(low), abs(high))
        if low < high:
            found |= (values >= low - slack) & (values <= high + slack)
        elif values[0] - slack <= low <= values[-1] + slack:
            found[int(np.argmin(np.abs(values - low)))] = True
    return found


def told(reach: Reach, unit: str) -> str:
    """Intervals and points in words."""
    if not reach:
        return "no measured range"
    points = [f"{low:.3g}" for low, high in reach if low == high]
    ranges = [f"from {low:.3g} to {high:.3g}" for low, high in reach if low < high]
    parts = [*ranges, *([f"at {', '.join(points)} alone"] if points else [])]
    return f"evidence {' and '.join(parts)} {unit}"


def degrees_studied() -> Reach:
    """Shares of β1 integrin that findings of the catalog took away; none taken away is one."""
    shares = {
        1.0 - float(each.amount)
        for each in _treatments()
        if each.kind == "edit" and each.what == "ITGB1" and float(each.amount) < 1.0
    }
    return _points(shares)


def doses_studied(drug: str, beside: Path | None) -> Reach:
    """Doses behind the findings with a drug [mg/kg]; none at all is one of them."""
    try:
        said = dose_of(drug, beside, in_animals=True)["dose"]
        return _points({parse_quantity(said, "dose")})
    except (UnableError, UnitError):
        return ()


def starts_studied(drug: str) -> Reach:
    """Days after inoculation on which findings began with a drug; day 0 where they do not say."""
    days = {each.start or 0.0 for each in _treatments() if each.what.lower() == drug}
    return tuple((day, day) for day in sorted(days))


def _points(values: set[float]) -> Reach:
    return tuple((each, each) for each in sorted({0.0, *(round(value, 9) for value in values)}))


@lru_cache(maxsize=1)
def _treatments() -> tuple[Treatment, ...]:
    return tuple(_read())


def _read() -> Iterator[Treatment]:
    for row in read_evidence(CATALOGUED):
        for side in (row.perturbation, row.reference):
            yield from read_side(side).treatments
