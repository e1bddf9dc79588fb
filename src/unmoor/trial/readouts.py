"""What every assay read out, each arm against the control, draw by draw and in one table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from unmoor.trial.effects import draw_interval
from unmoor.trial.study import Study

FloatArray = npt.NDArray[np.float64]

READOUT_COLUMNS = (
    "cell_line", "assay", "arm", "readout", "day", "unit", "ratio", "ratio_low", "ratio_high",
    "difference", "difference_low", "difference_high", "p_up", "p_down", "n_draws", "n_failed",
)  # fmt: skip


def level(arrays: Mapping[str, Any], arm: int, outcome: int, day: int) -> FloatArray:
    """One readout of an arm in each draw; NaN where the arm could not be solved.

    Parameters
    ----------
    arrays
        ``readouts``, shape (draws, arms, outcomes, days), and ``status``, shape (draws, arms).
    outcome, day
        Index of the readout among the assay's outcomes, and of the day among those read.
    """
    values = np.asarray(arrays["readouts"], dtype=float)[:, arm, outcome, day]
    return np.where(arrays["status"][:, arm] == 0, values, np.nan)


def ratio(arm: FloatArray, reference: FloatArray) -> FloatArray:
    """Arm over reference in each draw; NaN where the reference has nothing, or less than that."""
    with np.errstate(all="ignore"):
        return np.where(reference > 0.0, arm / reference, np.nan)


def readout_table(
    study: Study, assay: int, cell_line: str, parts: list[Mapping[str, Any]], *, has_draws: bool
) -> pd.DataFrame:
    """Rows of one line in one assay.

    Parameters
    ----------
    parts
        Arrays of the reference set and of the draws, those that there are; the last one counts.
    has_draws
        Whether the last part holds draws, so that intervals and shares can be told.
    """
    settings, arms = study.assays[assay], list(study.arms)
    control, arrays = arms.index(study.control), parts[-1]
    rows: list[dict[str, object]] = []
    for arm, name in enumerate(arms):
        if arm == control:
            continue
        failed = sum(int((part["status"][:, [arm, control]] != 0).any(1).sum()) for part in parts)
        for outcome, readout in enumerate(settings.outcomes):
            for day, at in enumerate(arrays["days"]):
                one, other = (level(arrays, i, outcome, day) for i in (arm, control))
                rows.append(
                    {
                        "cell_line": cell_line,
                        "assay": settings.label,
                        "arm": name,
                        "readout": readout,
                        "day": float(at),
                        "unit": settings.units[readout],
                        **dict(_compared(study, one, other, has_draws=has_draws)),
                        "n_failed": failed,
                    }
                )
    return pd.DataFrame(rows, columns=READOUT_COLUMNS)


def _compared(
    study: Study, arm: FloatArray, control: FloatArray, *, has_draws: bool
) -> Iterator[tuple[str, float]]:
    """Ratio and difference with their intervals, and the shares beyond the study's margins."""
    margins = study.verdict
    ratios = ratio(arm, control)
    for name, values in (("ratio", ratios), ("difference", arm - control)):
        middle, low, high = draw_interval(values, margins.interval)
        yield name, middle
        yield f"{name}_low", low if has_draws else np.nan
        yield f"{name}_high", high if has_draws else np.nan
    known = ratios[np.isfinite(ratios)]
    for name, beyond in (("p_up", known > margins.spread), ("p_down", known < margins.smaller)):
        yield name, float(beyond.mean()) if has_draws and known.size else np.nan
    yield "n_draws", int(np.isfinite(arm - control).sum()) if has_draws else 0
