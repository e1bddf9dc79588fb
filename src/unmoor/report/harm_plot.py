"""Harm plot: change of the tumour against change of spread, the signature figure.

Dots are animals simulated under the reference parameter set; crosses are what is not known about
the expected effect of an arm. They look different because they answer different questions.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from unmoor.report.canvas import (
    Canvas,
    FloatArray,
    Panel,
    columns_for,
    key_height,
    log_ticks,
    text_width,
)
from unmoor.report.numerals import plain
from unmoor.report.style import INK, TINTS, ArmStyle, arm_styles
from unmoor.report.view import Group, View

MANY_DOTS = 4000
"""More dots than this are stored as pixels, to keep the report small."""
WIDEST = 1e3
"""Ratios are drawn between 1/WIDEST and WIDEST; the table has them all."""

_DASHED = (0, (4, 2))


def relative_animals(view: View) -> pd.DataFrame:
    """Each animal against the control group of its line and assay.

    Returns
    -------
        One row an animal: ``tumour_change`` = volume over the control group's geometric-mean
        volume, ``spread_change`` = (count + 0.5) over the control group's mean count.
    """
    columns = ["cell_line", "assay", "arm", "animal", "tumour_volume", "lung_metastases"]
    parts = [pd.DataFrame(columns=[*columns, "tumour_change", "spread_change"])]
    for group in view.groups:
        rows = group.rows(view.animals)[columns].copy()
        control = rows[rows["arm"] == view.control]
        volumes = control["tumour_volume"].to_numpy(float)
        volumes = volumes[volumes > 0]
        reference = math.exp(float(np.log(volumes).mean())) if volumes.size else math.nan
        mean = float(control["lung_metastases"].mean()) if len(control) else math.nan
        rows["tumour_change"] = rows["tumour_volume"] / reference
        rows["spread_change"] = (rows["lung_metastases"] + 0.5) / max(mean, 0.5)
        parts.append(rows)
    return pd.concat(parts[1:] or parts, ignore_index=True)


def harm_plot(view: View) -> tuple[Figure, pd.DataFrame]:
    """Figure with one panel a cell line, and the rows behind its dots and crosses."""
    animals, styles = relative_animals(view), arm_styles(view.arms)
    columns, key = columns_for(len(view.groups)), key_height(view.arms)
    canvas = Canvas(len(view.groups), columns, height=168, left=32, bottom=31 + key)
    x_limits, y_limits = _limits(view, animals)
    panels = [
        box.with_axes(x_limits=x_limits, y_limits=y_limits, x_scale="log", y_scale="log")
        for box in canvas.boxes
    ]
    for index, (panel, group) in enumerate(zip(panels, view.groups, strict=True)):
        is_first = index % columns == 0
        _quadrants(canvas, panel, view)
        canvas.frame(panel, log_ticks(*x_limits), log_ticks(*y_limits, labels=is_first))
        canvas.title(panel, group.label)
        if is_first:
            middle = panel.base + panel.height / 2
            canvas.text(5, middle, "lung metastases relative to control", rotation=90)
        _centres(canvas, panel, view, group, styles)
    _dots(canvas, panels, view, animals, styles)
    canvas.text(canvas.middle, key + 8, "tumour volume relative to control")
    canvas.key(view.arms, styles, lines=False)
    return canvas.finished(view.footer), _rows(view, animals)


def _limits(view: View, animals: pd.DataFrame) -> tuple[tuple[float, float], tuple[float, float]]:
    """Axis ranges shared by all panels: every interval fits; rare animals do not set them."""
    ranges = []
    for prefix, least in (("tumour", (0.5, 1.7)), ("spread", (0.3, 3.5))):
        names = [f"{prefix}_{end}" for end in ("ratio", "low", "high")]
        arms = _within_reason(view.effects[names].to_numpy(float).ravel())
        dots = _within_reason(animals[f"{prefix}_change"].to_numpy(float))
        dots = np.quantile(np.append(dots, np.repeat(least, 3)), (0.003, 0.997))
        values = np.concatenate([arms, dots, least])
        low, high = float(values.min()), float(values.max())
        room = (high / low) ** 0.05
        ranges.append((low / room, high * room))
    return ranges[0], ranges[1]


def _within_reason(values: FloatArray) -> FloatArray:
    values = values[np.isfinite(values) & (values > 0)]
    return np.clip(values, 1 / WIDEST, WIDEST)


def _quadrants(canvas: Canvas, panel: Panel, view: View) -> None:
    """Quadrants tinted and named by verdict, and the margins of the study."""
    x = float(panel.x(view.study.verdict.smaller))
    y = float(panel.y(view.study.verdict.spread))
    corners = {
        "switch": ((panel.left, x), (y, panel.top), "left", "top"),
        "harm": ((x, panel.right), (y, panel.top), "right", "top"),
        "benefit": ((panel.left, x), (panel.base, y), "left", "bottom"),
        "containment": ((x, panel.right), (panel.base, y), "right", "bottom"),
    }
    for word, (xs, ys, ha, va) in corners.items():
        canvas.axes.fill_between(xs, *ys, color=TINTS[word], linewidth=0, zorder=0)
        is_narrow = xs[1] - xs[0] < text_width(word)
        canvas.text(
            panel.left + 3 if ha == "left" else panel.right - 3,
            panel.top - 3 if va == "top" else panel.base + 3,
            word,
            size=-1.5 if is_narrow else 0.0,
            ha=ha,
            va=va,
            style="italic",
            color="#4A4A4A",
            zorder=1,
        )
    lines = [((x, panel.base), (x, panel.top)), ((panel.left, y), (panel.right, y))]
    canvas.axes.add_collection(
        LineCollection(lines, colors=INK, linewidths=0.6, linestyles=[_DASHED], zorder=1)
    )


def _dots(
    canvas: Canvas,
    panels: list[Panel],
    view: View,
    animals: pd.DataFrame,
    styles: dict[str, ArmStyle],
) -> None:
    for arm in view.arms:
        own, look = animals[animals["arm"] == arm], styles[arm]
        rows = [group.rows(own) for group in view.groups]
        pairs = list(zip(panels, rows, strict=True))
        xs = [np.clip(p.x(r["tumour_change"]), p.left, p.right) for p, r in pairs]
        canvas.axes.scatter(
            np.concatenate(xs),
            np.concatenate([p.clipped(r["spread_change"]) for p, r in pairs]),
            s=7,
            marker=look.marker,
            facecolor=look.face,
            edgecolor=look.colour,
            linewidth=0.4,
            alpha=0.4,
            zorder=3,
            rasterized=len(animals) > MANY_DOTS,
        )


def _centres(
    canvas: Canvas, panel: Panel, view: View, group: Group, styles: dict[str, ArmStyle]
) -> None:
    """Draw expected effect and model interval of each arm, and its number."""
    found = [(styles[arm], view.effect(group, arm)) for arm in view.treated]
    known = [(look, row) for look, row in found if row is not None]
    for look, row in known:
        x, y = float(panel.x(row["tumour_ratio"])), float(panel.clipped(row["spread_ratio"]))
        ends = panel.x([row["tumour_low"], row["tumour_high"]])
        left, right = (float(v) for v in np.clip(ends, panel.left, panel.right))
        low, high = (float(v) for v in panel.clipped([row["spread_low"], row["spread_high"]]))
        canvas.stroke([left, right], [y, y], look.colour)
        canvas.stroke([x, x], [low, high], look.colour)
        _mark(canvas, x, y, look)
    _mark(canvas, float(panel.x(1.0)), float(panel.y(1.0)), styles[view.control])
    numbers = [styles[view.control].number, *(look.number for look, _ in known)]
    xs = panel.x([1.0, *(row["tumour_ratio"] for _, row in known)])
    ys = panel.clipped([1.0, *(row["spread_ratio"] for _, row in known)])
    _number(canvas, panel, numbers, np.column_stack([xs, ys]))


def _mark(canvas: Canvas, x: float, y: float, look: ArmStyle) -> None:
    canvas.axes.plot(
        x,
        y,
        marker=look.marker,
        markersize=6.5,
        markerfacecolor=look.face,
        markeredgecolor="white" if look.is_filled else look.colour,
        markeredgewidth=0.8,
        zorder=5,
    )


def _number(canvas: Canvas, panel: Panel, numbers: list[int], points: FloatArray) -> None:
    """Write the number of each arm beside its centre, with a thin leader."""
    leaders: list[Any] = []
    for number, point, spot in zip(numbers, points, _free_spots(panel, points), strict=True):
        if not np.isfinite(point).all():
            continue
        box = {"boxstyle": "circle,pad=0.06", "facecolor": "white", "linewidth": 0, "alpha": 0.8}
        canvas.text(*spot, plain(number), fontweight="bold", bbox=box, zorder=7)
        leaders.append([tuple(point), tuple(spot)])
    canvas.axes.add_collection(LineCollection(leaders, colors=INK, linewidths=0.5, zorder=6))


def _free_spots(panel: Panel, points: FloatArray) -> list[tuple[float, float]]:
    """Spots for the numbers [pt], chosen one by one where least is covered."""
    angles = np.deg2rad(np.arange(15.0, 375.0, 30.0))
    radii = np.repeat([11.0, 15.0, 20.0, 27.0], angles.size)
    ring = np.column_stack([np.cos(angles), np.sin(angles)])
    shifts = radii[:, None] * np.tile(ring, (4, 1))
    corner = np.array([panel.left, panel.base]) + 5
    far_corner = np.array([panel.right, panel.top]) - 5
    taken: list[FloatArray] = []
    for point in points:
        spots = point + shifts
        cost = 0.25 * radii
        for near, weight, others in ((10.5, 4.0, list(points)), (9.5, 5.0, taken)):
            for other in others:
                distance = np.hypot(*(spots - other).T)
                cost += weight * np.maximum(0.0, near - distance)
        # The bars of the crosses run level and upright through the centres.
        for other in points:
            cost += np.maximum(0.0, 4.0 - np.abs(spots - other).min(axis=1))
        cost += 1000.0 * ((spots < corner) | (spots > far_corner)).any(axis=1)
        taken.append(spots[int(np.argmin(np.nan_to_num(cost, nan=0.0)))])
    return [(float(x), float(y)) for x, y in taken]


def _rows(view: View, animals: pd.DataFrame) -> pd.DataFrame:
    """Rows behind the figure: animals, then arm centres with their intervals."""
    names = [
        f"{prefix}_{end}" for prefix in ("tumour", "spread") for end in ("ratio", "low", "high")
    ]
    centres = view.effects[["cell_line", "assay", "arm", *names]].assign(kind="arm")
    return pd.concat([animals.assign(kind="animal"), centres], ignore_index=True)
