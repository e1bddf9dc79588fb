"""The page of `unmoor sensitivity`: what to measure next."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure

from unmoor.report.canvas import Canvas, linear_ticks, shortened
from unmoor.report.page import Plot, Section, Table, figure_footer, write_page
from unmoor.report.style import COLOURS, GREY, INK

if TYPE_CHECKING:
    from unmoor.analysis.sensitivity import Sensitivity

_ROW = 13.0
_PANELS = {
    "sobol": (("total", "share of the variance"), ("partial_rank", "partial rank correlation")),
    "morris": (("effect", "mean absolute effect"), ("partial_rank", "partial rank correlation")),
}
_NOTES = (
    "Over the ranges every number varies by itself; over the plausible sets numbers go together, "
    "as the calibration left them. A number with an index near 0 is not unimportant where its "
    "range is too narrow.",
)


def write_sensitivity(found: Sensitivity, folder: Path) -> Path:
    """Write the page, its figure and table; returns the HTML file."""
    top = found.top()
    plot = Plot(
        "top",
        f"{top['cell_line'].iloc[0]}, {top['arm'].iloc[0]}: what {found.outcome} hangs on",
        f"The {len(top)} most influential numbers. Left: index over the ranges of the catalog; "
        "right: over the plausible sets of the study. Whiskers: intervals of the study's level. "
        "Letters: evidence grade (M measured, T transferred, F fitted, D derived, A assumed).",
        lambda: _tornado(found),
        top,
        "Indices of the most influential numbers; they are in the table.",
    )
    sections = [
        Section("In words", found.sentences()),
        Section("The most influential numbers", figures=[plot]),
        Section("All numbers", tables=[Table("numbers", "Numbers by influence", found.numbers)]),
    ]
    question = "Which number of the catalog should be measured next?"
    return write_page(
        folder, "What to measure next", found.study, sections, question=question, notes=_NOTES
    )


def _tornado(found: Sensitivity) -> Figure:
    top = found.top().to_dict("records")
    names = [f"{row['number']}  {str(row['evidence'])[:1].upper()}" for row in top]
    canvas = Canvas(2, 2, height=_ROW * len(top), left=205.0, bottom=34.0)
    for box, (column, title) in zip(canvas.boxes, _PANELS[found.method], strict=True):
        ends = [_ends(row, column) for row in top]
        known = np.array([each for each in ends if np.isfinite(each).all()])
        low = min(0.0, float(known.min())) if known.size else 0.0
        high = max(0.1, float(known.max())) if known.size else 1.0
        panel = box.with_axes(x_limits=(low, high * 1.05), y_limits=(len(top) - 0.5, -0.5))
        canvas.title(panel, title)
        canvas.frame(panel, linear_ticks(low, high, most=4), ())
        zero = float(panel.x(0.0))
        canvas.stroke([zero, zero], [panel.base, panel.top], GREY, 0.6)
        for place, (at, left, right) in enumerate(ends):
            y = float(panel.y(place))
            if np.isfinite(at):
                canvas.stroke([zero, float(panel.x(at))], [y, y], COLOURS[1], 6.0)
            if np.isfinite([left, right]).all():
                canvas.stroke([float(panel.x(left)), float(panel.x(right))], [y, y], INK, 0.8)
    for place, name in enumerate(names):
        box = canvas.boxes[0].with_axes(y_limits=(len(top) - 0.5, -0.5))
        y = float(box.y(place))
        canvas.text(box.left - 5, y, shortened(name, 46), size=-1.0, ha="right")
    return canvas.finished(figure_footer(found.study, f"{found.points} points"))


def _ends(row: dict[Any, Any], column: str) -> tuple[float, float, float]:
    """An index and the ends of its interval."""
    at = float(row[column])
    if column == "partial_rank":
        return at, float(row["partial_low"]), float(row["partial_high"])
    half = float(row[f"{column}_half"])
    return at, at - half, at + half
