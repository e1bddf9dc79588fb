"""Courses in time: tumour volume, and the network inside the cells, with bands over the draws."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from unmoor.report.canvas import (
    Canvas,
    Panel,
    Scale,
    Ticks,
    day_ticks,
    key_height,
    linear_ticks,
    log_ticks,
    shortened,
)
from unmoor.report.names import NETWORK
from unmoor.report.style import GREY, ArmStyle, arm_styles
from unmoor.report.view import View

SHARES = ("e_cadherin", "speed_collagen")
"""Quantities that are read from zero: always on a linear axis."""
BANDED_ARMS = 3
"""Key arms drawn with bands in one panel; more bands would hide each other."""
WIDE_RANGE = 30.0
"""Quantities whose medians span more than this factor get a logarithmic axis."""
TUMOUR_RANGE = 300.0
"""Tumour volumes below the highest by more than this factor are off the axis."""


def tumour_curves(view: View) -> tuple[Figure, pd.DataFrame]:
    """Tumour volume in time: cell line × key arm, each over the control, logarithmic."""
    rows = view.timecourses[view.timecourses["quantity"] == "tumour_volume"]
    arms, styles = view.key_arms[1:], arm_styles(view.arms)
    canvas = Canvas(
        len(view.groups) * len(arms),
        len(arms),
        height=82 if len(arms) > 2 else 130,
        left=48,
        top=26,
        bottom=26,
        gaps=(12, 12),
    )
    y_limits = _volume_limits(rows)
    last = float(rows["day"].max()) if len(rows) else 1.0
    for index, box in enumerate(canvas.boxes):
        row, column = divmod(index, len(arms))
        panel = box.with_axes(x_limits=(0.0, last), y_limits=y_limits, y_scale="log")
        own = _by_arm(view.groups[row].rows(rows))
        _courses(canvas, panel, own, [view.control, arms[column]], styles, banded=2)
        is_last = row == len(view.groups) - 1
        canvas.frame(
            panel,
            day_ticks(last, labels=is_last),
            log_ticks(*y_limits, labels=column == 0, compact=True),
        )
        if row == 0:
            name = f"{styles[arms[column]].number}  {shortened(arms[column])}"
            name = textwrap.fill(name, 24, break_on_hyphens=False)
            canvas.text(panel.middle, panel.top + 5, name, fontweight="bold", va="bottom")
        if column == 0:
            _line_name(canvas, panel, view.groups[row].label, "mm³")
    canvas.text(canvas.middle, 7, "day (grey: control)")
    return canvas.finished(view.footer), rows.reset_index(drop=True)


def network_courses(view: View) -> tuple[Figure, pd.DataFrame]:
    """E-cadherin, ZEB, miR-200, TGFβ activity, single cells and speed: cell line × quantity."""
    rows = view.timecourses[view.timecourses["quantity"].isin(list(NETWORK))]
    shown = [name for name in NETWORK if (rows["quantity"] == name).any()]
    styles, key = arm_styles(view.arms), key_height(view.key_arms)
    groups = (*view.groups, *view.others)
    n_panels = len(groups) * len(shown)
    canvas = Canvas(
        n_panels, len(shown), height=80, left=46, top=30, bottom=29 + key, gaps=(24, 12)
    )
    last = float(rows["day"].max())
    for index, box in enumerate(canvas.boxes):
        row, column = divmod(index, len(shown))
        own = rows[rows["quantity"] == shown[column]]
        limits = _range(own[own["arm"].isin(view.key_arms)], shown[column] in SHARES)
        y_limits, y_scale = limits
        panel = box.with_axes(x_limits=(0.0, last), y_limits=y_limits, y_scale=y_scale)
        courses = _by_arm(groups[row].rows(own))
        if courses:
            _courses(canvas, panel, courses, view.key_arms, styles, banded=BANDED_ARMS)
            ticks = _ticks(y_limits, y_scale)
            canvas.frame(panel, day_ticks(last, labels=row == len(groups) - 1), ticks)
        if row == 0:
            canvas.title(panel, NETWORK[shown[column]], rise=19)
            unit = str(own["unit"].iloc[0])
            canvas.text(panel.middle, panel.top + 8, unit, size=-1.5, color=GREY)
        if column == 0:
            _line_name(canvas, panel, groups[row].label, "")
    canvas.text(canvas.middle, key + 7, "day")
    canvas.key(view.key_arms, styles, lines=True)
    return canvas.finished(view.footer), rows.reset_index(drop=True)


def _ticks(limits: tuple[float, float], scale: Scale) -> Ticks:
    return log_ticks(*limits, compact=True) if scale == "log" else linear_ticks(*limits)


def _line_name(canvas: Canvas, panel: Panel, name: str, unit: str) -> None:
    middle = panel.base + panel.height / 2
    canvas.text(6, middle, name, size=1.0, rotation=90, fontweight="bold")
    if unit:
        canvas.text(17, middle, unit, rotation=90)


def _by_arm(rows: pd.DataFrame) -> dict[str, pd.DataFrame]:
    return {str(arm): part for arm, part in rows.groupby("arm", sort=False)}


def _courses(
    canvas: Canvas,
    panel: Panel,
    by_arm: dict[str, pd.DataFrame],
    arms: Sequence[str],
    styles: dict[str, ArmStyle],
    *,
    banded: int,
) -> None:
    """Medians of some arms, the first few of them over their 50 and 90 % bands."""
    present = [(styles[arm], by_arm[arm]) for arm in arms if arm in by_arm]
    for look, part in present[:banded]:
        for low, high, opacity in (("low", "high", 0.13), ("q25", "q75", 0.25)):
            ends = (panel.clipped(part[low]), panel.clipped(part[high]))
            canvas.area(panel.x(part["day"]), *ends, look.colour, opacity)
    for look, part in present:
        heights = panel.y(part["median"])
        heights = np.where(heights >= panel.base, heights, np.nan)
        canvas.stroke(panel.x(part["day"]), heights, look.colour, 1.3, look.dashes)


def _volume_limits(rows: pd.DataFrame) -> tuple[float, float]:
    values = rows[["low", "high"]].to_numpy(float)
    values = values[np.isfinite(values) & (values > 0)]
    if not values.size:
        return 1.0, 1000.0
    high = float(values.max()) * 1.2
    return max(float(values.min()), high / TUMOUR_RANGE), high


def _range(rows: pd.DataFrame, is_share: bool) -> tuple[tuple[float, float], Scale]:
    """Limits and scale of the axis of one quantity."""
    values = rows[["low", "high"]].to_numpy(float)
    values = values[np.isfinite(values)]
    medians = rows["median"].to_numpy(float)
    medians = medians[np.isfinite(medians) & (medians > 0)]
    if not values.size:
        return (0.0, 1.0), "linear"
    is_wide = bool(medians.size) and medians.max() > WIDE_RANGE * medians.min()
    if is_wide and not is_share and values.min() >= 0:
        return (float(medians.min()) / 2.0, float(values.max()) * 1.2), "log"
    low, high = min(0.0, float(values.min())), float(values.max())
    return (low, high + 0.04 * max(high - low, 1e-6)), "linear"
