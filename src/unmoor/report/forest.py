"""Forest plot: tumour and spread of every arm against control, with both intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from unmoor.report.canvas import Canvas, Panel, log_ticks, shortened, text_width
from unmoor.report.counts import names_width
from unmoor.report.harm_plot import WIDEST
from unmoor.report.numerals import interval, percent, ratio
from unmoor.report.plan import Plan, lines
from unmoor.report.style import FAINT, GREY, INK, ArmStyle, arm_styles
from unmoor.report.view import Group, View

ROW = 10.5
"""Height of a row [pt]."""
ENDPOINTS = {
    "tumour": "tumour volume relative to control",
    "spread": "lung metastases relative to control",
}
_ENDS = ("low", "high")
_DASHED = (0, (4, 2))

Row = tuple[Group, ArmStyle | None, dict[str, Any]]


def forest(view: View) -> tuple[Figure, pd.DataFrame]:
    """One row a line and arm, the worst spread first in each line; two endpoints side by side."""
    rows = list(_rows(view))
    widths = [text_width(_written(row, name), -1.5) for _, _, row in rows for name in ENDPOINTS]
    numbers = 0.9 * max(widths)  # digits are narrower than letters
    canvas = Canvas(
        2,
        2,
        height=ROW * len(rows),
        left=names_width(view.treated),
        right=numbers + 8,
        top=5,
        gaps=(numbers + 12, 0),
        bottom=30,
    )
    for box, (name, label) in zip(canvas.boxes, ENDPOINTS.items(), strict=True):
        limits = _limits(rows, name)
        panel = box.with_axes(x_limits=limits, x_scale="log", y_limits=(len(rows) - 0.5, -0.5))
        _margins(canvas, panel, view, name)
        canvas.frame(panel, log_ticks(*limits, compact=True))
        canvas.text(panel.middle, 7, label)
        for place, (_, look, row) in enumerate(rows):
            if look is not None:
                _estimate(canvas, panel, place, look, row, name)
        _marks(canvas, panel, rows, name)
    _names(canvas, canvas.boxes[0].with_axes(y_limits=(len(rows) - 0.5, -0.5)), rows)
    return canvas.finished(view.footer), _table(view)


def _rows(view: View) -> list[Row]:
    """A heading for each line, then its arms by falling spread ratio."""
    styles, rows = arm_styles(view.arms), []
    for group in view.groups:
        found = [(styles[arm], view.effect(group, arm)) for arm in view.treated]
        known = [(group, look, row) for look, row in found if row is not None]
        known.sort(key=lambda each: -_sortable(each[2]["spread_ratio"]))
        rows += [(group, None, {}), *known]
    return rows


def _sortable(value: float) -> float:
    return value if math.isfinite(value) else -math.inf


def _limits(rows: list[Row], name: str) -> tuple[float, float]:
    """Axis that holds every estimate and interval, within reason."""
    ends = [f"{name}_{end}" for end in ("ratio", *_ENDS)]
    ends += [f"{name}_study_{end}" for end in _ENDS]
    values = np.array([row[end] for _, look, row in rows if look is not None for end in ends])
    values = values[np.isfinite(values) & (values > 0)]
    values = np.clip(np.append(values, (0.7, 1.4)), 1 / WIDEST, WIDEST)
    room = (values.max() / values.min()) ** 0.04
    return float(values.min() / room), float(values.max() * room)


def _margins(canvas: Canvas, panel: Panel, view: View, name: str) -> None:
    """No change as a line, and the margin of the verdict dashed."""
    margins = view.study.verdict
    ends = [panel.base, panel.top]
    for value, dashes in ((1.0, "-"), (getattr(margins, _margin(name)), _DASHED)):
        x = float(panel.x(value))
        if panel.left <= x <= panel.right:
            canvas.stroke([x, x], ends, GREY, 0.6, dashes)


def _margin(name: str) -> str:
    return "smaller" if name == "tumour" else "spread"


def _estimate(
    canvas: Canvas, panel: Panel, place: int, look: ArmStyle, row: Mapping[str, Any], name: str
) -> None:
    """Model interval thick, study interval thin below it, the estimate as the arm's mark."""
    y = float(panel.y(place))
    thin = float(panel.y(place + 0.3))
    for stem, height, colour, width in (
        (name, y, look.colour, 1.8),
        (f"{name}_study", thin, INK, 0.6),
    ):
        ends = panel.x([row[f"{stem}_{end}"] for end in _ENDS])
        if not np.isfinite(ends).all():
            continue
        left, right = (float(x) for x in np.clip(ends, panel.left, panel.right))
        canvas.stroke([left, right], [height, height], colour, width)
        if colour == INK:
            for x in (left, right):
                canvas.stroke([x, x], [height - 1.2, height + 1.2], colour, width)
    canvas.text(panel.right + 5, y, _written(row, name), size=-1.5, ha="left")


def _marks(canvas: Canvas, panel: Panel, rows: list[Row], name: str) -> None:
    """Draw the marks of an arm in all lines at once: each artist has a price."""
    places: dict[ArmStyle, list[tuple[float, float]]] = {}
    for place, (_, look, row) in enumerate(rows):
        if look is not None:
            x = float(np.clip(panel.x(row[f"{name}_ratio"]), panel.left, panel.right))
            places.setdefault(look, []).append((x, float(panel.y(place))))
    for look, spots in places.items():
        xs, ys = zip(*spots, strict=True)
        edge = "white" if look.is_filled else look.colour
        canvas.axes.scatter(
            xs, ys, s=21, marker=look.marker, facecolor=look.face, edgecolor=edge, linewidth=0.6,
            zorder=5,
        )  # fmt: skip


def _written(row: Mapping[str, Any], name: str) -> str:
    if not row:
        return ""
    limits = interval(row[f"{name}_low"], row[f"{name}_high"])
    estimate = ratio(row[f"{name}_ratio"])
    return estimate if limits == "–" else f"{estimate} ({limits})"


def _names(canvas: Canvas, panel: Panel, rows: list[Row]) -> None:
    for place, (group, look, row) in enumerate(rows):
        y = float(panel.y(place))
        if look is None:
            canvas.text(4, y, group.label, size=0.5, ha="left", fontweight="bold")
            rule = float(panel.y(place - 0.5))
            if place:
                canvas.stroke([4, canvas.boxes[1].right], [rule, rule], FAINT, 0.6)
            continue
        canvas.text(panel.left - 4, y, str(look.number), size=-0.5, ha="right", fontweight="bold")
        canvas.text(panel.left - 15, y, shortened(str(row["arm"])), size=-0.5, ha="right")


def _table(view: View) -> pd.DataFrame:
    columns = [
        f"{name}_{end}"
        for name in ENDPOINTS
        for end in ("ratio", *_ENDS, *(f"study_{end}" for end in _ENDS))
    ]
    kept = ["cell_line", "assay", "arm", *columns, "verdict"]
    return view.effects[kept].reset_index(drop=True)


def _caption(view: View) -> str:
    level = percent(view.study.verdict.interval)
    return (
        f"Arms by falling spread ratio. Mark and thick bar: median ratio and {level} model "
        f"interval, also written beside it (what is not known); thin bar: {level} study interval "
        "(what a study of this size would see). Solid line: no change; dashed: margin of the "
        "verdict. Logarithmic axes."
    )


def _alt(view: View) -> str:
    return (
        f"Forest plot of the tumour and spread ratios of {len(view.treated)} arms in "
        f"{lines(view)}; the numbers are in the effects tables."
    )


FOREST = Plan(
    "forest",
    "Forest plot: every arm against control",
    forest,
    _caption,
    _alt,
    lambda view: bool(view.treated) and len(view.effects) > 0,
)
