"""The page of `unmoor why`: where an effect comes from, part by part."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure

from unmoor.report.canvas import Canvas, linear_ticks, shortened
from unmoor.report.names import readout_name
from unmoor.report.numerals import ratio
from unmoor.report.page import Plot, Section, Table, figure_footer, write_page
from unmoor.report.style import COLOURS, GREY, INK

if TYPE_CHECKING:
    import pandas as pd

    from unmoor.analysis.why import Why

_HEIGHT = 110.0
_COLUMNS = 3
_RAISES, _LOWERS = COLOURS[0], COLOURS[1]
_NOTES = (
    "A share is what a part adds to the logarithm of the ratio to control, averaged over all "
    "orders in which parts can be added; means of shares add up to the mean of the whole. Draws "
    "are parameter sets: their intervals tell what is not known, not how animals differ.",
    "The states of cells are those of the treated tumour throughout; only what follows from them "
    "is exchanged. Edges of the network are cut one at a time and do not add up.",
)


def write_why(found: Why, folder: Path) -> Path:
    """Write the page, its figures and tables; returns the HTML file."""
    groups = list(found.parts.groupby(["cell_line", "structure"], sort=False))
    stages, edges = [], []
    for number, (key, rows) in enumerate(groups, 1):
        line, structure = map(str, key)
        stages.append(_plot(found, rows, "stage", f"stages_{number}", f"{line}, {structure}"))
        edges.append(_plot(found, rows, "route", f"routes_{number}", f"{line}, {structure}"))
    sections = [
        Section("In words", found.sentences()),
        Section("From tumour to metastasis", ["Spread is what there is of tumour × what leaves it "
                "× what survives in blood × what grows out."], figures=stages),
        Section("Routes to behaviour", figures=edges,
                tables=[Table("parts", "Shares of all parts", found.parts)]),
        Section("Edges of the network", ["An edge that is cut sees in treated cells what it sees "
                "in untreated ones. The ratio without it says whether the effect needs it."],
                tables=[Table("edges", "Spread with and without each edge", found.edges)]),
    ]  # fmt: skip
    question = "By which way does a treatment change spread?"
    return write_page(folder, "Why", found.study, sections, question=question, notes=_NOTES)


def _plot(found: Why, rows: pd.DataFrame, kind: str, stem: str, where: str) -> Plot:
    data = rows[(rows["outcome"] == "spread") & (rows["kind"].isin([kind, "all"]))]
    level = f"{100 * found.study.verdict.interval:g} %"
    words = "stages of the way to a metastasis" if kind == "stage" else "routes to behaviour"
    return Plot(
        stem,
        f"{where}: spread by {words}",
        f"Bars: factor by which each part changes the spread ratio (mean of the logarithm over "
        f"draws), one after the other from 1 to the whole. Whiskers: {level} of draws. Orange "
        "raises spread, blue lowers it; grey is the whole.",
        lambda: _waterfalls(found, data),
        data,
        f"Waterfall of the {words} for {data['arm'].nunique()} arms; the numbers are in the table.",
    )


def _waterfalls(found: Why, data: pd.DataFrame) -> Figure:
    """One panel an arm: parts from the top down, on one logarithmic axis."""
    arms = list(data["arm"].drop_duplicates())
    panels = [_bars(data[data["arm"] == arm]) for arm in arms]
    ends = np.array([[b[1:] for b in bars] for bars in panels], dtype=float) / np.log(10.0)
    ends = ends[np.isfinite(ends)]
    low, high = (float(ends.min()), float(ends.max())) if ends.size else (-1.0, 1.0)
    low, high = min(low, -0.3) - 0.1, max(high, 0.3) + 0.1
    names = [bar[0] for bar in panels[0]]
    columns = min(_COLUMNS, len(arms))
    canvas = Canvas(len(arms), columns, height=_HEIGHT, left=112.0, bottom=30.0, gaps=(14.0, 36.0))
    for index, (box, arm, bars) in enumerate(zip(canvas.boxes, arms, panels, strict=True)):
        panel = box.with_axes(x_limits=(low, high), y_limits=(len(names) - 0.4, -0.6))
        canvas.title(panel, shortened(arm, 30))
        ticks = [(x, ratio(10**x)) for x, _ in linear_ticks(low, high, most=4) if x == int(x)]
        canvas.frame(panel, ticks or linear_ticks(low, high), ())
        zero = float(panel.x(0.0))
        canvas.stroke([zero, zero], [panel.base, panel.top], GREY, 0.6)
        for place, bar in enumerate(bars):
            _bar(canvas, panel, place, bar)
        if index % columns == 0:
            for place, name in enumerate(names):
                y = float(panel.y(place))
                canvas.text(panel.left - 5, y, readout_name(name), size=-0.5, ha="right")
    canvas.text(canvas.middle, 6, "spread ratio to control", size=0.0)
    also = f"{found.study.uncertainty.draws} parameter draws"
    return canvas.finished(figure_footer(found.study, also))


def _bars(rows: pd.DataFrame) -> list[tuple[Any, ...]]:
    """Name, start, end, and ends of the whisker of each bar, in logarithms; the whole is last."""
    bars, at = [], 0.0
    records = rows.to_dict("records")
    parts = [row for row in records if row["part"] != "all"]
    for row in [*parts, *(row for row in records if row["part"] == "all")]:
        start = 0.0 if row["part"] == "all" else at
        end = start + row["mean"]
        name = "whole" if row["part"] == "all" else str(row["part"])
        bars.append((name, start, end, start + row["low"], start + row["high"]))
        at = end
    return bars


def _bar(canvas: Canvas, panel: Any, place: int, bar: tuple[Any, ...]) -> None:
    name, *logs = bar
    if not np.isfinite(logs).all():
        return
    start, end, low, high = (float(panel.x(x / np.log(10.0))) for x in logs)
    y = float(panel.y(place))
    colour = GREY if name == "whole" else (_RAISES if end >= start else _LOWERS)
    canvas.stroke([start, end], [y, y], colour, 7.0)
    canvas.stroke([low, high], [y, y], INK, 0.7)
