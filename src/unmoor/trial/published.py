"""What was published about the arms of a study, beside what the study predicts.

A folder of a study may hold an ``expected.tsv``: one row a published direction, with its source and
whether the model was calibrated on it. Sizes are not compared, only directions.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from unmoor.catalog import ROOT, table
from unmoor.trial.study import Study

if TYPE_CHECKING:
    from unmoor.trial.result import Result

SHARE = 0.8
"""Share of the draws that must agree for a direction to count as predicted."""
SAME = (0.8, 1.25)
"""A ratio whose 90 % interval lies inside is predicted not to change."""
Direction = Literal["+", "-", "0", "?"]
_DIRECTIONS: dict[str, Direction] = {"+": "+", "-": "-"}
_RATIOS = {"tumour_volume": "tumour_ratio", "lung_metastases": "spread_ratio"}


@dataclass(frozen=True)
class Published:
    """One published row for one line.

    Attributes
    ----------
    estimate, low, high
        Predicted ratio of the arm to the reference, median and central 90 % over the draws; of
        courses the ratio of the medians on the last day, with no interval; of E-cadherin the loss
        as a share of the epithelial maximum.
    predicted
        Direction in at least `SHARE` of the draws (courses: the quartile nearer to the reference
        is beyond its median); ``?`` if neither.
    """

    id: str
    cell_line: str
    arm: str
    reference: str
    readout: str
    published: Direction
    predicted: Direction
    estimate: float
    low: float
    high: float
    role: str
    source: str
    note: str

    @property
    def agrees(self) -> bool | None:
        """Whether both directions are the same; None if no direction is predicted."""
        return None if self.predicted == "?" else self.predicted == self.published


def expected_of(study: Study) -> list[dict[str, str]]:
    """Rows of the ``expected.tsv`` of a study; none if it has no such file."""
    beside = None if study.beside is None else Path(study.beside)
    own = beside is not None and not beside.is_relative_to(ROOT)
    folder = beside if own else ROOT / "studies" / study.name
    path = None if folder is None else folder / "expected.tsv"
    if path is None or not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def compare(result: Result) -> list[Published]:
    """Every published row whose line and arms the study has, with its prediction."""
    study, rows = result.study, expected_of(result.study)
    if not rows or not study.uncertainty.draws:
        return []
    known = _Known.of(result)
    return [
        found
        for row in rows
        for line in row["cell_line"].split("|")
        if line in study.cell_lines and {row["arm"], row["reference"]} <= set(study.arms)
        for found in _compared(known, line, row)
    ]


@dataclass(frozen=True)
class _Known:
    """Draws of the study's own structure by line and arm, and the last day of every course."""

    study: Study
    draws: dict[tuple[str, str], pd.DataFrame]
    last: dict[tuple[str, str, str], dict[Hashable, float]]

    @classmethod
    def of(cls, result: Result) -> _Known:
        draws, courses = result.draws, result.timecourses
        if len(draws):
            draws = draws[draws["structure"] == draws["structure"].iloc[0]]
        courses = courses[courses["day"] == courses["day"].max()] if len(courses) else courses
        quantiles = courses[["q25", "median", "q75"]].to_dict("records")
        keys = (courses[name].tolist() for name in ("cell_line", "arm", "quantity"))
        groups = draws.groupby(["cell_line", "arm"], sort=False) if len(draws) else ()
        return cls(
            result.study,
            {(str(key[0]), str(key[1])): own.set_index("draw") for key, own in groups},
            dict(zip(zip(*keys, strict=True), quantiles, strict=True)),
        )

    def values(self, line: str, arm: str, column: str) -> pd.Series:
        """Values by draw; the control is 1, and loses nothing."""
        if arm == self.study.control:
            numbers = [own.index for (x, _), own in self.draws.items() if x == line]
            return pd.Series(
                0.0 if column == "e_loss" else 1.0, index=numbers[0] if numbers else []
            )
        if (line, arm) not in self.draws:
            return pd.Series(dtype=float)
        values: pd.Series = self.draws[line, arm][column]
        return values


def _compared(known: _Known, line: str, row: Mapping[str, str]) -> Iterator[Published]:
    readout, arm, reference = row["readout"], row["arm"], row["reference"]
    if readout in _RATIOS:
        ratios = known.values(line, arm, _RATIOS[readout])
        ratios = ratios / known.values(line, reference, _RATIOS[readout])
        predicted, numbers = _of_ratios(ratios[np.isfinite(ratios)].to_numpy(float))
    elif readout == "e_cadherin":
        values = known.values(line, arm, "e_loss").dropna().to_numpy(float)
        predicted, numbers = _of_loss(known.study, values)
    else:
        ends = [known.last.get((line, each, readout)) for each in (arm, reference)]
        predicted, numbers = _of_courses(ends[0], ends[1])
    if numbers is not None:
        kept = ("id", "arm", "reference", "readout", "role", "source", "note")
        texts = {name: row.get(name) or "" for name in kept}
        published = _DIRECTIONS.get(row["direction"], "0")
        estimate, low, high = numbers
        yield Published(
            cell_line=line, published=published, predicted=predicted, estimate=estimate, low=low,
            high=high, **texts,
        )  # fmt: skip


def _of_ratios(
    values: np.ndarray,
) -> tuple[Direction, tuple[float, float, float] | None]:
    if not values.size:
        return "?", None
    low, middle, high = (float(x) for x in np.quantile(values, (0.05, 0.5, 0.95)))
    predicted: Direction = "?"
    if low >= SAME[0] and high <= SAME[1]:
        predicted = "0"
    elif (values > 1).mean() >= SHARE:
        predicted = "+"
    elif (values < 1).mean() >= SHARE:
        predicted = "-"
    return predicted, (middle, low, high)


def _of_loss(
    study: Study, values: np.ndarray
) -> tuple[Direction, tuple[float, float, float] | None]:
    """E-cadherin falls if a cell loses as much as counts as a switch."""
    if not values.size:
        return "?", None
    least = table("closures", "line_rule", study.beside)["switch_loss"].value
    share = float((values >= least).mean())
    low, middle, high = (float(x) for x in np.quantile(values, (0.05, 0.5, 0.95)))
    predicted: Direction = "-" if share >= SHARE else "0" if 1 - share >= SHARE else "?"
    return predicted, (middle, low, high)


def _of_courses(
    treated: Mapping[Hashable, float] | None, reference: Mapping[Hashable, float] | None
) -> tuple[Direction, tuple[float, float, float] | None]:
    if treated is None or reference is None:
        return "?", None
    middle = reference["median"]
    predicted: Direction = "?"
    if treated["q25"] > middle:
        predicted = "+"
    elif treated["q75"] < middle:
        predicted = "-"
    return predicted, (treated["median"] / middle, math.nan, math.nan)
