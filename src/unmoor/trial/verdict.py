"""The verdict: what two effect ratios with intervals allow one to say, and nothing more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Verdict = Literal["switch", "benefit", "containment", "harm", "unclear"]


@dataclass(frozen=True)
class Interval:
    """Lower and upper limit of a ratio to control."""

    low: float
    high: float


def judge(tumour: Interval, spread: Interval, smaller: float, more: float) -> Verdict:
    """Verdict on one arm against control.

    Parameters
    ----------
    tumour, spread
        Intervals of the tumour and spread ratios.
    smaller
        Tumour ratio below which a tumour counts as smaller.
    more
        Spread ratio above which spread counts as more; below its inverse it counts as less.

    Returns
    -------
        ``switch`` (smaller, spreads more), ``benefit`` (smaller, not more), ``containment`` (not
        smaller, less spread), ``harm`` (not smaller, more), or ``unclear`` if an interval reaches
        over its margin, is not a number, or nothing of this holds.
    """
    is_smaller, is_not_smaller = tumour.high < smaller, tumour.low >= smaller
    is_more, is_not_more = spread.low > more, spread.high <= more
    if is_smaller and is_more:
        return "switch"
    if is_smaller and is_not_more:
        return "benefit"
    if is_not_smaller and spread.high < 1.0 / more:
        return "containment"
    if is_not_smaller and is_more:
        return "harm"
    return "unclear"


def halves(row: Mapping[str, Any], smaller: float, more: float) -> tuple[str, str]:
    """What each interval of an effects row decides on its own, whatever the verdict.

    An arm can be unclear although one half of its answer is certain.

    Parameters
    ----------
    row
        ``tumour_low``, ``tumour_high``, ``spread_low`` and ``spread_high``.
    smaller, more
        As for :func:`judge`.

    Returns
    -------
        Of the tumour ``smaller`` or ``not smaller``; of spread ``more spread``, ``less spread`` or
        ``not more spread``; empty where the interval reaches over its margin.
    """
    tumour = {"smaller": row["tumour_high"] < smaller, "not smaller": row["tumour_low"] >= smaller}
    spread = {
        "more spread": row["spread_low"] > more,
        "less spread": row["spread_high"] < 1.0 / more,
        "not more spread": row["spread_high"] <= more,
    }
    decided = [next((word for word, holds in x.items() if holds), "") for x in (tumour, spread)]
    return decided[0], decided[1]
