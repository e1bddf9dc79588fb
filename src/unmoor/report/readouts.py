"""Readouts of assays without primary tumours: every arm against control, with model intervals."""

from __future__ import annotations

import math
import textwrap
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from unmoor.report.canvas import Canvas, Panel, log_ticks
from unmoor.report.counts import names_width, write_names
from unmoor.report.harm_plot import WIDEST
from unmoor.report.names import readout_name
from unmoor.report.numerals import interval, percent, probability, ratio
from unmoor.report.plan import Plan
from unmoor.report.style import GREY, ArmStyle, arm_styles
from unmoor.report.view import Group, View

ROW = 12.0
"""Height of the row of one arm [pt]."""
COLUMNS = 5
_DASHED = (0, (4, 2))


def readout_figure(view: View) -> tuple[Figure, pd.DataFrame]:
    """For each line and assay a row of panels, one a readout; rows within are arms."""
    rows, styles = _last(view), arm_styles(view.arms)
    slots: list[tuple[Group, str] | None] = []
    for group in _groups(view):
        names = group.rows(rows)["readout"].drop_duplicates().tolist()
        slots += [(group, str(name)) for name in names]
        slots += [None] * (-len(names) % COLUMNS)
    canvas = Canvas(
        len(slots),
        COLUMNS,
        height=ROW * len(view.treated),
        left=names_width(view.treated),
        top=34,
        gaps=(12, 50),
    )
    for index, (box, slot) in enumerate(zip(canvas.boxes, slots, strict=True)):
        if slot is None:
            continue
        group, name = slot
        own = group.rows(rows[rows["readout"] == name])
        limits = _limits(own)
        panel = box.with_axes(
            x_limits=limits, x_scale="log", y_limits=(len(view.treated) - 0.5, -0.5)
        )
        canvas.frame(panel, log_ticks(*limits, compact=True))
        title = textwrap.fill(readout_name(name), 17, break_on_hyphens=False)
        canvas.text(panel.middle, panel.top + 4, title, fontweight="bold", va="bottom")
        for value, dashes in ((1.0, "-"), (view.study.verdict.smaller, _DASHED)):
            _line(canvas, panel, value, dashes)
        _line(canvas, panel, view.study.verdict.spread, _DASHED)
        if index % COLUMNS == 0:
            write_names(canvas, panel, view.treated, styles)
        before = slots[index - 1] if index else None
        if before is None or before[0] != group:
            canvas.text(4, panel.top + 25, group.label, size=1.0, ha="left", fontweight="bold")
        _arms(canvas, panel, view, own, styles)
    canvas.text(canvas.middle, 7, "ratio to control on the last day of read-out")
    return canvas.finished(view.footer), view.readouts.reset_index(drop=True)


def _groups(view: View) -> list[Group]:
    return [group for group in view.others if len(group.rows(view.readouts))]


def _last(view: View) -> pd.DataFrame:
    """Rows of the last day of each readout."""
    keys = ["cell_line", "assay", "arm", "readout"]
    return view.readouts.sort_values("day", kind="stable").groupby(keys, sort=False).tail(1)


def _limits(rows: pd.DataFrame) -> tuple[float, float]:
    values = rows[["ratio", "ratio_low", "ratio_high"]].to_numpy(float).ravel()
    values = values[np.isfinite(values) & (values > 0)]
    values = np.clip(np.append(values, (0.7, 1.4)), 1 / WIDEST, WIDEST)
    room = (values.max() / values.min()) ** 0.05
    return float(values.min() / room), float(values.max() * room)


def _line(canvas: Canvas, panel: Panel, value: float, dashes: Any) -> None:
    x = float(panel.x(value))
    if panel.left <= x <= panel.right:
        canvas.stroke([x, x], [panel.base, panel.top], GREY, 0.5, dashes)


def _arms(
    canvas: Canvas, panel: Panel, view: View, rows: pd.DataFrame, styles: dict[str, ArmStyle]
) -> None:
    known = {str(row["arm"]): row for row in rows.to_dict("records")}
    for place, arm in enumerate(view.treated):
        if arm not in known:
            continue
        look, y = styles[arm], float(panel.y(place))
        ends = panel.x([known[arm]["ratio_low"], known[arm]["ratio_high"]])
        if np.isfinite(ends).all():
            canvas.stroke(np.clip(ends, panel.left, panel.right), [y, y], look.colour, 1.8)
        x = float(np.clip(panel.x(known[arm]["ratio"]), panel.left, panel.right))
        if math.isfinite(x):
            edge = "white" if look.is_filled else look.colour
            canvas.axes.scatter(
                x, y, s=20, marker=look.marker, facecolor=look.face, edgecolor=edge, linewidth=0.6,
                zorder=5,
            )  # fmt: skip


def readout_tables(view: View) -> list[tuple[str, list[dict[str, str]]]]:
    """Rows of every readout and day, one table a line and assay."""
    styles, tables = arm_styles(view.arms), []
    for group in _groups(view):
        rows = []
        for row in group.rows(view.readouts).to_dict("records"):
            arm = str(row["arm"])
            rows.append(
                {
                    "number": str(styles[arm].number),
                    "arm": arm,
                    "readout": readout_name(str(row["readout"])),
                    "day": f"{row['day']:g}",
                    "unit": str(row["unit"]),
                    "ratio": ratio(row["ratio"]),
                    "limits": interval(row["ratio_low"], row["ratio_high"]),
                    "p_up": probability(row["p_up"]),
                    "p_down": probability(row["p_down"]),
                    "n_failed": f"{row['n_failed']:g}",
                }
            )
        tables.append((group.label, rows))
    return tables


def joint_tables(view: View) -> list[tuple[str, list[dict[str, str]]]]:
    """What combinations do beyond both of their parts, on the last day of each readout."""
    if view.joint.empty:
        return []
    keys = ["cell_line", "assay", "arm", "first", "second", "readout"]
    last = view.joint.sort_values("day", kind="stable").groupby(keys, sort=False).tail(1)
    tables = []
    for group in (*view.groups, *view.others):
        rows = [
            {
                "arm": str(row["arm"]),
                "parts": f"{row['first']} × {row['second']}",
                "readout": readout_name(str(row["readout"])),
                "factor": ratio(row["factor"]),
                "limits": interval(row["factor_low"], row["factor_high"]),
                "p_more": probability(row["p_more"]),
                "p_less": probability(row["p_less"]),
            }
            for row in group.rows(last).sort_index().to_dict("records")
        ]
        tables += [(group.label, rows)] if rows else []
    return tables


def _caption(view: View) -> str:
    margins = view.study.verdict
    return (
        f"Mark and bar: median ratio to {view.control} and "
        f"{percent(margins.interval)} model interval over the parameter draws. Solid line: no "
        f"change; dashed: margins of the study, {margins.smaller:g} and {margins.spread:g}. "
        "Logarithmic axes; days before the last are in the table and the data file."
    )


def _alt(view: View) -> str:
    told = ", ".join(group.label for group in _groups(view))
    return (
        f"Interval plot of the readouts of {len(view.treated)} arms in {told}; the numbers follow "
        "in a table."
    )


READOUTS = Plan(
    "readouts",
    "Readouts: every arm against control",
    readout_figure,
    _caption,
    _alt,
    lambda view: bool(view.treated and not view.readouts.empty and _groups(view)),
)
