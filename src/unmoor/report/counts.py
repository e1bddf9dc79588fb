"""Lung metastases at the read-out day: every animal, and the mean of each arm."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from unmoor.report.canvas import Canvas, Panel, columns_for, count_ticks, shortened, text_width
from unmoor.report.harm_plot import MANY_DOTS
from unmoor.report.numerals import plain
from unmoor.report.style import GREY, INK, ArmStyle, arm_styles
from unmoor.report.view import Group, View

ROW = 15.0
"""Height of the row of one arm [pt]."""
_GOLDEN = 0.6180339887


def metastasis_counts(view: View) -> tuple[Figure, pd.DataFrame]:
    """One panel a cell line, one row an arm."""
    styles, columns = arm_styles(view.arms), columns_for(len(view.groups))
    left = names_width(view.arms)
    canvas = Canvas(
        len(view.groups), columns, height=ROW * len(view.arms), left=left, right=26, gaps=(32, 40)
    )
    counts = view.animals["lung_metastases"].to_numpy(float)
    highest = max(10.0, float(np.nanmax(counts)) if np.isfinite(counts).any() else 0.0) * 1.25
    panels = [
        box.with_axes(
            x_limits=(-0.25, highest), x_scale="count", y_limits=(len(view.arms) - 0.5, -0.5)
        )
        for box in canvas.boxes
    ]
    for index, (panel, group) in enumerate(zip(panels, view.groups, strict=True)):
        for row in range(0, len(view.arms), 2):
            ys = panel.y([row - 0.5, row + 0.5])
            xs = (panel.left, panel.right)
            canvas.axes.fill_between(xs, *ys, color="#F4F4F4", linewidth=0, zorder=0)
        if index % columns == 0:
            write_names(canvas, panel, view.arms, styles)
        canvas.frame(panel, count_ticks(highest))
        canvas.title(panel, group.label)
        _means(canvas, panel, view, group)
    _strips(canvas, panels, view, styles)
    caption = "lung metastases per animal (bar and number on the right: mean of the arm)"
    canvas.text(canvas.middle, 7, caption)
    kept = ["cell_line", "assay", "arm", "animal", "lung_metastases"]
    return canvas.finished(view.footer), view.animals[kept].reset_index(drop=True)


def names_width(arms: tuple[str, ...]) -> float:
    """Room for the names of arms at the left of a figure [pt]."""
    return min(190.0, 14.0 + max(text_width(f"{shortened(arm)}  00", -0.5) for arm in arms))


def write_names(
    canvas: Canvas, panel: Panel, arms: tuple[str, ...], styles: dict[str, ArmStyle]
) -> None:
    """Write name and number of each arm at the left of its row."""
    for row, arm in enumerate(arms):
        y = float(panel.y(row))
        number = str(styles[arm].number)
        canvas.text(panel.left - 4, y, number, size=-0.5, ha="right", fontweight="bold")
        canvas.text(panel.left - 15, y, shortened(arm), size=-0.5, ha="right")


def _strips(canvas: Canvas, panels: list[Panel], view: View, styles: dict[str, ArmStyle]) -> None:
    for row, arm in enumerate(view.arms):
        look, own = styles[arm], view.animals[view.animals["arm"] == arm]
        pairs = [(p, g.rows(own)) for p, g in zip(panels, view.groups, strict=True)]
        # Dots are spread by animal, so the same animal sits at the same height in every arm.
        heights = [((r["animal"] + 1) * _GOLDEN % 1.0 - 0.5) * 0.6 + row for _, r in pairs]
        canvas.axes.scatter(
            np.concatenate([p.x(r["lung_metastases"]) for p, r in pairs]),
            np.concatenate([p.y(h) for (p, _), h in zip(pairs, heights, strict=True)]),
            s=8,
            marker=look.marker,
            facecolor=look.face,
            edgecolor=look.colour,
            linewidth=0.5,
            alpha=0.7,
            zorder=3,
            rasterized=len(view.animals) > MANY_DOTS,
        )


def _means(canvas: Canvas, panel: Panel, view: View, group: Group) -> None:
    rows = group.rows(view.animals)
    means = rows.groupby("arm", sort=False)["lung_metastases"].mean()
    bars = []
    for row, arm in enumerate(view.arms):
        mean = float(means.get(arm, np.nan))
        if not np.isfinite(mean):
            continue
        x, (top, base) = float(panel.x(mean)), panel.y([row - 0.42, row + 0.42])
        bars.append([(x, base), (x, top)])
        number = f"{mean:.1f}" if mean < 99.95 else plain(round(mean))
        canvas.text(panel.right + 4, float(panel.y(row)), number, size=-0.5, ha="left")
        if arm == view.control:
            canvas.stroke([x, x], [panel.base, panel.top], GREY, 0.7, (0, (4, 2)))
    canvas.axes.add_collection(LineCollection(bars, colors=INK, linewidths=1.6, zorder=4))
