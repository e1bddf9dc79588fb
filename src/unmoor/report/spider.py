"""Spider plot: the tumour of every single animal in time, with the mean of its arm."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy import special

from unmoor.report.canvas import (
    Canvas,
    FloatArray,
    Panel,
    Scale,
    day_ticks,
    linear_ticks,
    log_ticks,
    shortened,
)
from unmoor.report.curves import TUMOUR_RANGE
from unmoor.report.plan import Plan, lines
from unmoor.report.style import GREY, INK, ArmStyle, arm_styles
from unmoor.report.view import Group, View
from unmoor.trial.response import limits as response_limits

MOST_LINES = 40
"""More animals than this in one panel are not drawn one by one; the mean is of all."""
COLUMNS = 5
_LEVEL = 0.95  # of the interval of a mean, as laboratories show it
_THIN = "80"  # opacity of the lines of single animals, hexadecimal
_DOTTED = (0, (1, 1.2))

Keyed = tuple[str, str, str]


@dataclass(frozen=True)
class Courses:
    """Animals of one arm in one group.

    Attributes
    ----------
    days
        Days of measurement, shape (days,) [d].
    volumes
        Calliper readings, shape (animals, days) [mm³]; the last one of an animal that was taken
        out is carried on.
    is_there
        Whether the animal was measured on the day, same shape.
    """

    days: FloatArray
    volumes: FloatArray
    is_there: NDArray[np.bool_]

    @property
    def left(self) -> NDArray[np.int64]:
        """Index of the last measurement of each animal."""
        return np.asarray(self.is_there.sum(axis=1) - 1)

    def first(self, least: float) -> int:
        """Index of the first day on which half of the animals reach a volume; 0 if never."""
        return int((np.median(self.volumes, axis=0) >= least).argmax())

    @property
    def mean(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Geometric mean with its 95 % confidence interval, shape (days,) each [mm³]."""
        logs, count = np.log(self.volumes), self.volumes.shape[0]
        middle = logs.mean(axis=0)
        error = np.full(middle.shape, np.nan)
        if count > 1:
            quantile = float(special.stdtrit(count - 1, 0.5 + _LEVEL / 2))
            error = quantile * logs.std(axis=0, ddof=1) / np.sqrt(count)
        return np.exp(middle), np.exp(middle - error), np.exp(middle + error)


def courses(view: View) -> dict[Keyed, Courses]:
    """Animals by cell line, assay and arm, all arms of a line on the same days."""
    found = {}
    for group in view.groups:
        own = group.rows(view.followed)
        days = np.unique(own["day"].to_numpy(float))
        for arm, rows in own.groupby("arm", sort=False):
            table = rows.pivot_table(index="animal", columns="day", values="tumour_volume")
            table = table.reindex(columns=days)  # an arm may have lost all its animals early
            found[group.cell_line, group.assay, str(arm)] = Courses(
                days,
                table.ffill(axis=1).to_numpy(float),
                np.isfinite(table.to_numpy(float)),
            )
    return found


def spider(view: View, scale: Scale = "log") -> tuple[Figure, pd.DataFrame]:
    """One panel an arm, row by row of each line; logarithmic or linear volume."""
    found, styles = courses(view), arm_styles(view.arms)
    rows, columns = _grid(len(view.arms))
    slots = len(view.groups) * rows * columns
    canvas = Canvas(slots, columns, height=60, left=46, top=24, bottom=26, gaps=(10, 36))
    limits, least = _limits(view, scale), response_limits(view.study)["baseline_least"]
    last = float(view.followed["day"].max())
    marks: list[tuple[float, float]] = []
    for place, group in enumerate(view.groups):
        for index, arm in enumerate(view.arms):
            box = canvas.boxes[place * rows * columns + index]
            panel = box.with_axes(x_limits=(0.0, last), y_limits=limits, y_scale=scale)
            is_first = index % columns == 0
            below = index + columns >= len(view.arms)  # nothing stands under this panel
            _frame(canvas, panel, styles[arm], arm, (is_first, below), last)
            if is_first:
                _label(canvas, panel, group.label)
            control = found.get((group.cell_line, group.assay, view.control))
            if control is not None and arm != view.control:
                start = control.first(least)
                heights = _inside(panel, control.mean[0])[start:]
                canvas.stroke(panel.x(control.days)[start:], heights, GREY, 1.0)
            own = found.get((group.cell_line, group.assay, arm))
            if own is not None:
                marks += _animals(canvas, panel, own, styles[arm], own.first(least))
            _limit_line(canvas, panel, view, group)
    if marks:
        xs, ys = zip(*marks, strict=True)
        canvas.axes.scatter(xs, ys, s=9, marker="x", color=INK, linewidth=0.8, zorder=6)
    canvas.text(canvas.middle, 7, f"day (grey: mean of {view.control}; ×: humane end point)")
    return canvas.finished(view.footer), _rows(view, found)


def _grid(n_arms: int) -> tuple[int, int]:
    """Rows and columns of the panels of a line: few rows, about equally full."""
    rows = -(-n_arms // COLUMNS)
    return rows, -(-n_arms // rows)


def _limits(view: View, scale: Scale) -> tuple[float, float]:
    readings = view.followed["tumour_volume"].to_numpy(float)
    high = float(np.nanmax(readings)) * (1.25 if scale == "log" else 1.05)
    return (0.0, high) if scale == "linear" else (max(1.0, high / TUMOUR_RANGE), high)


def _frame(
    canvas: Canvas, panel: Panel, look: ArmStyle, arm: str, place: tuple[bool, bool], last: float
) -> None:
    is_first, is_lowest = place
    if panel.y_scale == "log":
        ticks = log_ticks(*panel.y_limits, labels=is_first, compact=True)
    else:
        ticks = linear_ticks(*panel.y_limits, labels=is_first, most=4)
    canvas.frame(panel, day_ticks(last, labels=is_lowest), ticks)
    name = textwrap.fill(f"{look.number}  {shortened(arm)}", 22, break_on_hyphens=False)
    canvas.text(panel.middle, panel.top + 4, name, size=-0.5, fontweight="bold", va="bottom")


def _label(canvas: Canvas, panel: Panel, name: str) -> None:
    middle = panel.base + panel.height / 2
    canvas.text(6, middle, name, size=1.0, rotation=90, fontweight="bold")
    canvas.text(17, middle, "mm³", rotation=90)


def _inside(panel: Panel, volumes: FloatArray) -> FloatArray:
    """Heights of volumes; those below the panel are not drawn."""
    heights = panel.y(volumes)
    return np.where(heights >= panel.base, heights, np.nan)


def _animals(
    canvas: Canvas, panel: Panel, own: Courses, look: ArmStyle, start: int
) -> Iterator[tuple[float, float]]:
    """Draw an arm; give the marks of the animals that were taken out."""
    xs = panel.x(own.days)
    for animal in range(min(own.volumes.shape[0], MOST_LINES)):
        end = int(own.left[animal]) + 1
        heights = _inside(panel, own.volumes[animal, :end])
        canvas.stroke(xs[:end], heights, f"{look.colour}{_THIN}", 0.5)
        if end < own.days.size:
            yield float(xs[end - 1]), float(panel.clipped(own.volumes[animal, end - 1]))
    mean, low, high = own.mean
    whole = max(int(own.left.min()) + 1, start + 1)
    if np.isfinite(low).all():
        ends = (panel.clipped(low)[start:], panel.clipped(high)[start:])
        canvas.area(xs[start:], *ends, look.colour, 0.25)
    heights = _inside(panel, mean)
    canvas.stroke(xs[start:], heights[start:], "#FFFFFF", 2.8)
    canvas.stroke(xs[start:whole], heights[start:whole], look.colour, 1.6)
    if whole < xs.size:
        canvas.stroke(xs[whole - 1 :], heights[whole - 1 :], look.colour, 1.6, _DOTTED)


def _limit_line(canvas: Canvas, panel: Panel, view: View, group: Group) -> None:
    height = float(panel.y(view.humane_volume(group)))
    if panel.base < height < panel.top:
        canvas.stroke([panel.left, panel.right], [height, height], INK, 0.4, (0, (3, 2)))


def _rows(view: View, found: dict[Keyed, Courses]) -> pd.DataFrame:
    """Readings of the animals, then the means of the arms with their intervals."""
    parts = [view.followed.assign(kind="animal")]
    for (line, assay, arm), own in found.items():
        mean, low, high = own.mean
        about = {"cell_line": line, "assay": assay, "arm": arm, "day": own.days}
        n = own.is_there.sum(axis=0)
        values = {"tumour_volume": mean, "low": low, "high": high, "n_measured": n}
        parts.append(pd.DataFrame({**about, **values, "kind": "mean"}))
    return pd.concat(parts, ignore_index=True)


def _caption(view: View) -> str:
    animals = view.followed["animal"].max()
    least = response_limits(view.study)["baseline_least"]
    shown = f"the first {MOST_LINES} animals" if animals > MOST_LINES else "every animal"
    return (
        f"Calliper readings under {view.reference}: thin lines are {shown} of an arm; the thick "
        "line is the geometric mean of all its animals with the 95 % confidence interval, from the "
        f"day on which half of them reach {least:g} mm³ (smaller readings are mostly error). "
        "A cross ends an animal at its humane end point; from the first one on the mean is dotted "
        "and carries the last reading of animals that were taken out. Dashed: the volume of the "
        "humane end point, where it lies on the axis."
    )


def _alt(view: View) -> str:
    return (
        f"Spider plot: tumour volume of single animals in {len(view.arms)} arms of {lines(view)}, "
        f"with {int(_n_out(view))} animals taken out at the humane end point."
    )


def _n_out(view: View) -> int:
    humane = view.events[view.events["event"] == "humane_endpoint"]
    return int(humane["observed"].sum())


def _is_followed(view: View) -> bool:
    return len(view.followed) > 0


SPIDER = Plan("spider", "Spider plot: single animals", spider, _caption, _alt, _is_followed)
SPIDER_LINEAR = Plan(
    "spider_linear",
    "Spider plot on linear axes",
    partial(spider, scale="linear"),
    _caption,
    _alt,
    _is_followed,
)
