"""Waterfall plot: how the tumour of every single animal changed, sorted within each arm."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure

from unmoor.report.canvas import Canvas, FloatArray, Panel, key_height, log_ticks
from unmoor.report.numerals import ratio
from unmoor.report.plan import Plan, lines
from unmoor.report.spider import Courses, courses
from unmoor.report.style import GREY, INK, ArmStyle, arm_styles
from unmoor.report.view import View
from unmoor.trial.response import CATEGORIES, baseline, first_treatment, limits, respond

GAP = 0.1
"""Room between two arms, as a share of an arm's width."""
NARROWEST = 3.4
"""Bars narrower than this carry no letter [pt]."""


@dataclass(frozen=True)
class _Bars:
    """Animals of one arm, the largest change first."""

    look: ArmStyle
    rows: pd.DataFrame


def waterfall(view: View) -> tuple[Figure, pd.DataFrame]:
    """One panel a line; bars are animals, in blocks of arms."""
    rows = responses(view)
    groups = [group for group in view.groups if len(group.rows(rows))]
    key = key_height(view.arms)
    canvas = Canvas(len(groups), 1, height=78, left=62, bottom=key + 40, gaps=(0, 58))
    y_limits = _limits(rows)
    styles = arm_styles(view.arms)
    for box, group in zip(canvas.boxes, groups, strict=True):
        own = group.rows(rows)
        arms = [_Bars(styles[arm], own[own["arm"] == arm]) for arm in view.arms]
        arms = [each for each in arms if len(each.rows)]
        panel = box.with_axes(x_limits=(0.0, len(arms)), y_limits=y_limits, y_scale="log")
        canvas.frame(panel, (), log_ticks(*y_limits))
        canvas.title(panel, group.label)
        level = float(panel.y(1.0))
        canvas.stroke([panel.left, panel.right], [level, level], GREY, 0.7)
        has_baseline = bool(own["best"].notna().any())
        what = "change from start" if has_baseline else f"relative to {view.control}"
        canvas.text(8, panel.base + panel.height / 2, what, rotation=90)
        for place, each in enumerate(arms):
            _bars(canvas, panel, place, each, has_baseline=has_baseline)
        _foot(canvas, panel, arms, has_baseline=has_baseline)
    canvas.key(view.arms, styles, lines=False)
    return canvas.finished(view.footer), rows


def responses(view: View) -> pd.DataFrame:
    """One row an animal: change from the start of treatment and against control, category.

    Without a tumour that can be measured when treatment starts ``best``, ``final`` and
    ``category`` are empty.
    """
    found, known = courses(view), limits(view.study)
    start = first_treatment(view.study)
    parts = []
    for group in view.groups:
        own = {arm: found.get((group.cell_line, group.assay, arm)) for arm in view.arms}
        present = {arm: each for arm, each in own.items() if each is not None}
        if view.control not in present:
            continue
        whole = np.concatenate([each.volumes for each in present.values()])
        days = present[view.control].days
        first = baseline(days, whole, start, known["baseline_least"])
        middle = float(np.exp(np.log(present[view.control].volumes[:, -1]).mean()))
        for arm, each in present.items():
            about = {"cell_line": group.cell_line, "assay": group.assay, "arm": arm}
            table = _responses(each, first, known).assign(**about)
            table["to_control"] = each.volumes[:, -1] / middle
            parts.append(table)
    order = ["cell_line", "assay", "arm", "animal", "baseline_day", "last_day", "best", "final"]
    columns = [*order, "category", "to_control"]
    whole_table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
    return whole_table[columns]


def _responses(own: Courses, first: int | None, known: dict[str, float]) -> pd.DataFrame:
    rows = []
    for animal, end in enumerate(own.left):
        row = {"animal": animal + 1, "last_day": own.days[end], "category": ""}
        row |= dict.fromkeys(("baseline_day", "best", "final"), math.nan)
        if first is not None and end > first:
            span = slice(first, end + 1)
            one = respond(own.days[span], own.volumes[animal, span], known)
            row |= {"baseline_day": own.days[first], "best": one.best, "final": one.final}
            row["category"] = one.category
        rows.append(row)
    return pd.DataFrame(rows)


def _limits(rows: pd.DataFrame) -> tuple[float, float]:
    names = ["best", "final"] if rows["best"].notna().any() else ["to_control"]
    values = rows[names].to_numpy(float).ravel()
    values = np.append(values[np.isfinite(values) & (values > 0)], (0.5, 2.0))
    room = (values.max() / values.min()) ** 0.05
    return float(values.min() / room), float(values.max() * room)


def _bars(canvas: Canvas, panel: Panel, place: int, each: _Bars, *, has_baseline: bool) -> None:
    """Bars of one arm; with a baseline the bar is the best change and the tick the last one."""
    key = "best" if has_baseline else "to_control"
    rows = each.rows.sort_values(key, ascending=False, kind="stable", na_position="first")
    count = len(rows)
    edges = place + GAP / 2 + (1 - GAP) * np.linspace(0, 1, count + 1)
    xs, level = panel.x(edges), float(panel.y(1.0))
    heights = panel.clipped(rows[key].to_numpy(float))
    corners = [
        ((a, level), (a, h), (b, h), (b, level))
        for a, b, h in zip(xs[:-1] + 0.2, xs[1:] - 0.2, heights, strict=True)
        if math.isfinite(h)
    ]
    face = to_rgba(each.look.colour, 0.75 if each.look.is_filled else 0.25)
    canvas.axes.add_collection(
        PolyCollection(corners, facecolors=face, edgecolors=each.look.colour, linewidths=0.3)
    )
    if not has_baseline:
        return
    final = panel.clipped(rows["final"].to_numpy(float))
    for a, b, h in zip(xs[:-1], xs[1:], final, strict=True):
        if math.isfinite(h):
            canvas.stroke([a, b], [h, h], INK, 0.9)
    if xs[1] - xs[0] >= NARROWEST:
        _letters(canvas, panel, xs, rows["category"].tolist())


def _letters(canvas: Canvas, panel: Panel, xs: FloatArray, categories: list[str]) -> None:
    """First letters of the categories under the bars: C, P, S, and D for progressive disease."""
    marks = {"CR": "C", "PR": "P", "SD": "S", "PD": "D"}
    for a, b, category in zip(xs[:-1], xs[1:], categories, strict=True):
        if category:
            canvas.text(float(a + b) / 2, panel.base - 5, marks[category], size=-2.5, color=INK)


def _foot(canvas: Canvas, panel: Panel, arms: list[_Bars], *, has_baseline: bool) -> None:
    """Number of each arm, counts of its categories, and its mean against control."""
    labels = ["arm", " · ".join(CATEGORIES) if has_baseline else "", "T/C"]
    heights = [panel.base - y for y in (14, 23, 32)]
    if not has_baseline:
        labels, heights = ["arm", "T/C"], heights[:2]
    for label, y in zip(labels, heights, strict=True):
        canvas.text(panel.left - 5, y, label, size=-1.5, ha="right", color=GREY)
    for place, each in enumerate(arms):
        x = float(panel.x(place + 0.5))
        counts = [int((each.rows["category"] == name).sum()) for name in CATEGORIES]
        logs = np.log(each.rows["to_control"].to_numpy(float))
        told = [
            str(each.look.number),
            " · ".join(map(str, counts)),
            ratio(float(np.exp(logs.mean()))),
        ]
        if not has_baseline:
            told = [told[0], told[2]]
        for text, y in zip(told, heights, strict=True):
            is_name = y == heights[0]
            canvas.text(
                x, y, text, size=0.0 if is_name else -1.0,
                fontweight="bold" if is_name else "normal",
            )  # fmt: skip


def _caption(view: View) -> str:
    rows = responses(view)
    continuous = (
        "T/C: geometric mean of the last reading over that of the control, the continuous "
        "criterion. Categories and T/C can disagree; T/C is the one to compare arms by."
    )
    if not rows["best"].notna().any():
        return (
            f"Bars: last calliper reading of each animal under {view.reference}, relative to the "
            "control's geometric mean, sorted within each arm (an animal at its humane end point "
            "counts with its last reading). Categories of response (mRECIST) need a tumour that "
            f"can be measured when treatment starts; here there is none. {continuous}"
        )
    first = limits(view.study)["first_day"]
    return (
        f"Bars: smallest volume of each animal under {view.reference}, from day {first:g} after "
        "the start of treatment on, relative to its volume at the start; black ticks: last "
        "reading, relative to the same. Letters and counts: modified RECIST for mice (C complete, "
        f"P partial, S stable, D progressive; Gao et al. 2015). {continuous}"
    )


def _alt(view: View) -> str:
    return (
        f"Waterfall plot of the change of every tumour in {len(view.arms)} arms of {lines(view)}, "
        "sorted within each arm; the numbers are in the data file."
    )


WATERFALL = Plan(
    "waterfall",
    "Waterfall plot: change of every tumour",
    waterfall,
    _caption,
    _alt,
    lambda view: len(view.followed) > 0,
)
