"""What a laboratory would report of the virtual study: one row an analysis, for the full report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from unmoor.report import numerals
from unmoor.report.style import arm_styles
from unmoor.report.view import View
from unmoor.trial.statistics import COX_TEST, KAPLAN_MEIER, RANK_TEST

if TYPE_CHECKING:
    from unmoor.trial.result import Result


class Analysis(NamedTuple):
    """One analysis of an arm against control, in words."""

    number: int
    arm: str
    outcome: str
    test: str
    estimate: str
    p: str
    n: int
    note: str


def analyses(result: Result, view: View) -> list[tuple[str, list[Analysis]]]:
    """Analyses by cell line and assay that have an estimate; all are in ``statistics.csv``."""
    table, styles = result.statistics, arm_styles(view.arms)
    if not view.groups:
        return []  # only animals with tumours are analysed, and an empty table holds no numbers
    numbers = table[["estimate", "p"]].apply(pd.to_numeric)
    told = table[np.isfinite(numbers).all(axis=1)]
    found = []
    for group in view.groups:
        own: Any = group.rows(told).itertuples()
        rows = [
            Analysis(
                styles[row.arm].number,
                row.arm,
                row.outcome.replace("_", " "),
                row.test,
                _estimate(row),
                numerals.p_value(row.p),
                row.n,
                row.note,
            )
            for row in own
        ]
        if rows:
            found.append((group.label, rows))
    return found


def tests_shown(found: list[tuple[str, list[Analysis]]], has_survival: bool) -> frozenset[str]:
    """Tests behind the analyses, and those of the survival curves and their table."""
    shown = {row.test for _, rows in found for row in rows}
    return frozenset(shown | ({KAPLAN_MEIER, RANK_TEST, COX_TEST} if has_survival else set()))


def _estimate(row: Any) -> str:
    """A ratio, or a difference with its sign, with the interval of the analysis."""
    if row.outcome == "growth_rate":
        low, middle, high = (f"{x:+.3f}" for x in (row.low, row.estimate, row.high))
        return f"{middle} ({low} to {high})".replace("-", "\u2212")
    return f"{numerals.ratio(row.estimate)} ({numerals.interval(row.low, row.high)})"
