"""Swimmer plot: what happened to every single animal, and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from unmoor.report.canvas import Canvas, Panel, columns_for, day_ticks
from unmoor.report.counts import names_width, write_names
from unmoor.report.plan import Plan, lines
from unmoor.report.style import GREY, INK, ArmStyle, arm_styles
from unmoor.report.view import View

LANE = 3.6
"""Height of the lane of one animal [pt]."""
MOST_LANES = 12
"""Animals drawn of each arm; the data file has them all."""
_GAP = 1.2  # lanes between two arms
_DENSE = 2.2  # doses closer than this merge into a bar [pt]
_LOOKS = {
    "humane_endpoint": ("X", "#D55E00", "humane end point"),
    "metastases": ("o", INK, "read-out, lung metastases found"),
    "no_metastases": ("o", "white", "read-out, no lung metastasis found"),
}


@dataclass(frozen=True)
class _Blocks:
    """Lanes of the arms: treatments first, then animals, then a gap."""

    strip: int
    lanes: int

    @property
    def size(self) -> float:
        return self.strip + self.lanes + _GAP


def swimmer(view: View) -> tuple[Figure, pd.DataFrame]:
    """One column a line, a block of lanes an arm, treatments above the animals."""
    rows, styles = event_rows(view), arm_styles(view.arms)
    strip = max(1, max(len(items) for items in view.study.arms.values()))
    blocks = _Blocks(strip, min(MOST_LANES, int(rows["animal"].max())))
    whole = blocks.size * len(view.arms)
    columns = columns_for(len(view.groups))
    canvas = Canvas(
        len(view.groups),
        columns,
        height=LANE * whole,
        left=names_width(view.arms),
        bottom=40,
        gaps=(14, 42),
    )
    last = float(rows["day"].max())
    for index, (box, group) in enumerate(zip(canvas.boxes, view.groups, strict=True)):
        panel = box.with_axes(x_limits=(0.0, last), y_limits=(whole, 0.0))
        canvas.frame(panel, day_ticks(last))
        canvas.title(panel, group.label)
        if index % columns == 0:
            named = panel.with_axes(y_limits=(len(view.arms) - 0.5, -0.5))
            write_names(canvas, named, view.arms, styles)
        own = group.rows(rows)
        for place, arm in enumerate(view.arms):
            top = place * blocks.size
            items = view.study.arms[arm]
            _treatments(canvas, panel, top + blocks.strip - len(items), items)
            animals = own[(own["arm"] == arm) & (own["animal"] <= MOST_LANES)]
            _lanes(canvas, panel, top + blocks.strip, animals, styles[arm])
    canvas.text(canvas.middle, 22, "day")
    _key(canvas, view, rows)
    return canvas.finished(view.footer), rows


def event_rows(view: View) -> pd.DataFrame:
    """One row an animal: how and when it ended, and the metastases found at the read-out."""
    keys = ["cell_line", "assay", "arm", "animal"]
    humane = view.events[view.events["event"] == "humane_endpoint"]
    rows = humane[[*keys, "day", "observed"]].merge(
        view.animals[[*keys, "lung_metastases"]], on=keys, how="left"
    )
    is_out = rows["observed"].astype(bool)
    found = np.where(rows["lung_metastases"] > 0, "metastases", "no_metastases")
    rows["event"] = np.where(is_out, "humane_endpoint", found)
    is_early = is_out & (rows["day"] < rows["day"].max())
    rows.loc[is_early, "lung_metastases"] = np.nan  # not read out
    return rows.drop(columns="observed")


def dose_days(item: Any, last: float) -> list[float] | None:
    """Days of the doses of a treatment; None if it acts all the time [d]."""
    if getattr(item, "dose", None) is None and getattr(item, "radiation", None) is None:
        return None
    return [float(day) for day in item.times(last)]


def _treatments(canvas: Canvas, panel: Panel, top: float, items: Sequence[Any]) -> None:
    """One thin row a treatment: ticks are doses, a line is what acts all the time."""
    last = panel.x_limits[1]
    for row, item in enumerate(items):
        y = float(panel.y(top + row + 0.6))
        days = dose_days(item, last)
        if days is None:
            start, stop = getattr(item, "start", None), getattr(item, "stop", None)
            ends = panel.x([max(start or 0.0, 0.0), min(last if stop is None else stop, last)])
            canvas.stroke(ends, [y, y], GREY, 1.2)
        elif len(days) > 1 and np.diff(panel.x(days[:2]))[0] < _DENSE:
            canvas.stroke(panel.x([days[0], days[-1]]), [y, y], INK, 2.0, (0, (0.6, 0.5)))
        else:
            for x in panel.x(days):
                canvas.stroke([x, x], [y - 1.3, y + 1.3], INK, 0.8)


def _lanes(canvas: Canvas, panel: Panel, top: float, animals: pd.DataFrame, look: ArmStyle) -> None:
    if animals.empty:
        return
    heights = panel.y(top + animals["animal"].to_numpy(float) - 0.5)
    ends = panel.x(animals["day"].to_numpy(float))
    for x, y in zip(ends, heights, strict=True):
        canvas.stroke([panel.left, x], [y, y], look.colour, 0.9)
    sizes = 3.0 + 2.5 * np.log10(1.0 + animals["lung_metastases"].fillna(1.0).to_numpy(float))
    for event, (marker, face, _) in _LOOKS.items():
        own = (animals["event"] == event).to_numpy(bool)
        if own.any():
            canvas.axes.scatter(
                ends[own],
                heights[own],
                s=12.0 if event == "humane_endpoint" else sizes[own],
                marker=marker,
                facecolor=face,
                edgecolor=INK,
                linewidth=0.4,
                zorder=6,
                clip_on=False,
            )


def _key(canvas: Canvas, view: View, rows: pd.DataFrame) -> None:
    """Legend of the marks that the figure has."""
    items = [item for arm in view.arms for item in view.study.arms[arm]]
    is_dose = [dose_days(item, float(rows["day"].max())) is not None for item in items]
    handles = [
        Line2D(
            [], [], linestyle="none", marker=marker, markersize=4, markerfacecolor=face,
            markeredgecolor=INK, markeredgewidth=0.5, label=label,
        )
        for name, (marker, face, label) in _LOOKS.items()
        if (rows["event"] == name).any()
    ]  # fmt: skip
    if any(is_dose):
        handles.append(Line2D([], [], color=INK, linestyle="none", marker="|", label="dose"))
    if not all(is_dose):
        handles.append(Line2D([], [], color=GREY, linewidth=1.2, label="acts all the time"))
    canvas.figure.legend(
        handles=handles, loc="lower center", bbox_to_anchor=(0.5, 10 / (canvas.height + 10)),
        ncols=len(handles), frameon=False, borderpad=0.1, handletextpad=0.4, columnspacing=1.6,
    )  # fmt: skip


def _caption(view: View) -> str:
    count = int(view.events["animal"].max())
    some = f"the first {MOST_LANES} animals" if count > MOST_LANES else "every animal"
    return (
        f"One lane for {some} of an arm under {view.reference}, from inoculation to the end; "
        "above them one thin row for each treatment of the arm, in the order of its description. "
        "Circles at the read-out grow with the logarithm of the count of lung metastases; lungs of "
        "animals that reached the humane end point before are not shown. Metastases are looked for "
        "at the read-out only, so the day on which they arose is not known."
    )


def _alt(view: View) -> str:
    counts = event_rows(view)["event"].value_counts()
    told = ", ".join(f"{_LOOKS[str(name)][2]}: {count}" for name, count in counts.items())
    return f"Swimmer plot of {len(view.arms)} arms in {lines(view)}; animals by end: {told}."


SWIMMER = Plan(
    "swimmer",
    "Swimmer plot: who was treated, left and was read out",
    swimmer,
    _caption,
    _alt,
    lambda view: len(view.events) > 0,
)
