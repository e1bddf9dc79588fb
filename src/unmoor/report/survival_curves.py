"""Kaplan–Meier curves: how long animals stay below the humane end point."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from unmoor.report.canvas import Canvas, FloatArray, Panel, day_ticks, linear_ticks, shortened
from unmoor.report.numerals import p_value, ratio
from unmoor.report.plan import Plan
from unmoor.report.style import ArmStyle, arm_styles
from unmoor.report.view import KEY_ARMS, Group, View
from unmoor.trial.survival import SurvivalCurve, hazard_ratio, kaplan_meier, log_rank

_LINE = 8.0  # height of a line of numbers at risk [pt]
_HALF = 0.5 + 1e-12  # a sum of shares may miss one half by rounding
Times = dict[tuple[str, str, str], tuple[FloatArray, NDArray[np.bool_]]]


def survival_curves(view: View) -> tuple[Figure, pd.DataFrame]:
    """Cell line × key arm, each over the control, with the animals at risk below."""
    times, styles = times_of(view), arm_styles(view.arms)
    arms = _shown(view, times)
    groups = [group for group in view.groups if _events(times, group, (view.control, *arms))]
    canvas = Canvas(
        len(groups) * len(arms), len(arms), height=74, left=62, top=26, bottom=54, gaps=(24, 62)
    )
    last = float(view.events["day"].max())
    for index, box in enumerate(canvas.boxes):
        row, column = divmod(index, len(arms))
        panel = box.with_axes(x_limits=(0.0, last), y_limits=(0.0, 1.0))
        group, arm = groups[row], arms[column]
        canvas.frame(panel, day_ticks(last), linear_ticks(0.0, 1.0, labels=column == 0, most=2))
        name = textwrap.fill(f"{styles[arm].number}  {shortened(arm)}", 24, break_on_hyphens=False)
        canvas.text(panel.middle, panel.top + 6, name, fontweight="bold", va="bottom")
        if column == 0:
            middle = panel.base + panel.height / 2
            canvas.text(6, middle, group.label, size=1.0, rotation=90, fontweight="bold")
            canvas.text(17, middle, "share of animals", rotation=90)
        pair = [
            (styles[each], times[group.cell_line, group.assay, each])
            for each in (view.control, arm)
            if (group.cell_line, group.assay, each) in times
        ]
        _panel(canvas, panel, pair)
    canvas.text(canvas.middle, 7, "day (number at risk below each panel; grey: control)")
    return canvas.finished(view.footer), curve_rows(view)


def times_of(view: View) -> Times:
    """Day and event of every animal, by cell line, assay and arm."""
    humane = view.events[view.events["event"] == "humane_endpoint"]
    return {
        (str(key[0]), str(key[1]), str(key[2])): (
            rows["day"].to_numpy(float),
            rows["observed"].to_numpy(bool),
        )
        for key, rows in humane.groupby(["cell_line", "assay", "arm"], sort=False)
    }


def _shown(view: View, times: Times) -> list[str]:
    """Up to four arms to compare: those of the key first, but arms without any event last."""
    arms = list(dict.fromkeys((*view.key_arms[1:], *view.treated)))
    told = {
        arm: any(_events(times, group, (view.control, arm)) for group in view.groups)
        for arm in arms
    }
    return sorted(arms, key=lambda arm: not told[arm])[: KEY_ARMS - 1]


def _events(times: Times, group: Group, arms: Sequence[str]) -> bool:
    """Whether an animal of these arms reached the end point."""
    own = [times.get((group.cell_line, group.assay, arm)) for arm in arms]
    return any(bool(each[1].any()) for each in own if each is not None)


def has_events(view: View, group: Group | None = None) -> bool:
    """Whether any animal (of a group) reached its humane end point."""
    rows = view.events if group is None or view.events.empty else group.rows(view.events)
    if rows.empty:
        return False
    return bool((rows["observed"].astype(bool) & (rows["event"] == "humane_endpoint")).any())


def _panel(
    canvas: Canvas,
    panel: Panel,
    pair: Sequence[tuple[ArmStyle, tuple[FloatArray, NDArray[np.bool_]]]],
) -> None:
    ticks = [day for day, _ in day_ticks(panel.x_limits[1])]
    for place, (look, (day, event)) in enumerate(pair):
        curve = kaplan_meier(day, event)
        xs, share = _steps(curve, curve.share, panel.x_limits[1])
        _, low = _steps(curve, curve.low, panel.x_limits[1])
        _, high = _steps(curve, curve.high, panel.x_limits[1])
        # The band is not defined where all or none are left.
        ends = [np.where(np.isfinite(end), end, share) for end in (low, high)]
        canvas.area(panel.x(xs), panel.y(ends[0]), panel.y(ends[1]), look.colour, 0.18)
        canvas.stroke(panel.x(xs), panel.y(share), look.colour, 1.4, look.dashes)
        height = panel.base - 21 - _LINE * place
        canvas.text(panel.left - 11, height, f"{look.number}", size=-1.0, fontweight="bold")
        for tick in ticks:
            count = int((day >= tick).sum())
            x = float(panel.x(tick))
            canvas.text(x, height, str(count), size=-1.5)
    if len(pair) == 2:
        told = _compared(*(times for _, times in pair))
        canvas.text(panel.left + 4, panel.base + 10, told, size=-1.0, ha="left", linespacing=1.35)


def _steps(curve: SurvivalCurve, values: FloatArray, last: float) -> tuple[FloatArray, FloatArray]:
    """Corners of a step curve from day 0, where all animals are there, to the last day."""
    days = np.concatenate([[0.0], np.repeat(curve.day, 2), [last]])
    return days, np.repeat(np.concatenate([[1.0], values]), 2)


def _compared(control: Any, treated: Any) -> str:
    ratio, p = _tests(control, treated)
    return f"log-rank p {p}\nHR {ratio}"


def _tests(control: Any, treated: Any) -> tuple[str, str]:
    """Hazard ratio and log-rank p; without an event there is nothing to test."""
    if not (control[1].any() or treated[1].any()):
        return "–", "–"
    day, event = (np.concatenate([a, b]) for a, b in zip(control, treated, strict=True))
    is_treated = np.arange(day.size) >= control[0].size
    found = hazard_ratio(day, event, is_treated)
    p = log_rank(day, event, is_treated).p
    return hazard(found.ratio, found.low, found.high), p_value(p)


def hazard(value: float, low: float, high: float) -> str:
    """Hazard ratio with its interval; an open end is written as such."""
    if math.isnan(value):
        return "–"
    ends = ["∞" if math.isinf(end) else ratio(end) for end in (value, low, high)]
    return f"{ends[0]} ({ends[1]}–{ends[2]})"


def curve_rows(view: View) -> pd.DataFrame:
    """Steps of the curves of all arms."""
    parts = []
    for (line, assay, arm), (day, event) in times_of(view).items():
        curve = kaplan_meier(day, event)
        names = ("day", "share", "low", "high", "at_risk", "events")
        columns: dict[str, ArrayLike] = {name: getattr(curve, name) for name in names}
        parts.append(pd.DataFrame({"cell_line": line, "assay": assay, "arm": arm, **columns}))
    return pd.concat(parts, ignore_index=True)


def survival_rows(view: View) -> list[tuple[str, list[tuple[str, ...]]]]:
    """For each group: number, arm, animals, events, median day, hazard ratio and log-rank p."""
    times, styles = times_of(view), arm_styles(view.arms)
    tables: list[tuple[str, list[tuple[str, ...]]]] = []
    for group in view.groups:
        if not has_events(view, group):
            continue
        keys = [(group.cell_line, group.assay, arm) for arm in view.arms]
        control = times.get(keys[0])
        rows: list[tuple[str, ...]] = []
        for key in keys:
            if key not in times:
                continue
            day, event = times[key]
            curve = kaplan_meier(day, event)
            below = np.flatnonzero(curve.share <= _HALF)
            told = ("–", "–")
            if key != keys[0] and control is not None:
                told = _tests(control, times[key])
            middle = f"{curve.day[below[0]]:g}" if below.size else "not reached"
            number = str(styles[key[2]].number)
            rows.append((number, key[2], str(day.size), str(int(event.sum())), middle, *told))
        tables.append((group.label, rows))
    return tables


def _caption(view: View) -> str:
    volumes = sorted({view.humane_volume(group) for group in view.groups})
    limit = " or ".join(f"{volume:g}" for volume in volumes if math.isfinite(volume))
    return (
        f"Event: first calliper reading of {limit} mm³ or more, on a day of measurement; animals "
        "alive at the read-out are censored there. Kaplan–Meier estimate with its 95 % log-log "
        "band; hazard ratio to control (Cox, Efron's ties, profile-likelihood interval) and "
        "log-rank test (permutation). Both are what a laboratory would find with these animals "
        f"under {view.reference}; they are not evidence. All arms are in the table below."
    )


def _alt(view: View) -> str:
    humane = view.events[view.events["event"] == "humane_endpoint"]
    return (
        f"Kaplan–Meier curves of the humane end point for "
        f"{', '.join(_shown(view, times_of(view)))} against {view.control}; of "
        f"{len(humane)} animals in all arms {int(humane['observed'].sum())} reached it."
    )


SURVIVAL = Plan(
    "survival",
    "Kaplan–Meier: animals below the humane end point",
    survival_curves,
    _caption,
    _alt,
    lambda view: bool(view.treated) and has_events(view),
)
