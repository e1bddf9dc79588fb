"""Dose–response: arms that differ only in the dose of one treatment."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from unmoor.report.canvas import Canvas, FloatArray, Panel, log_ticks
from unmoor.report.harm_plot import WIDEST
from unmoor.report.names import readout_name
from unmoor.report.numerals import percent, plain
from unmoor.report.plan import Plan
from unmoor.report.style import GREY, INK, ArmStyle, arm_styles
from unmoor.report.view import Group, View
from unmoor.units import KINDS

FEWEST = 3
"""Doses that make a dose–response."""
MOST_PANELS = 4
"""Readouts shown side by side; the data file has them all."""
_KINDS = {"dose": "dose", "concentration": "concentration", "radiation": "radiation dose"}
_DASHED = (0, (4, 2))


@dataclass(frozen=True)
class Series:
    """Arms that are the same but for the dose of one treatment.

    Attributes
    ----------
    name
        What is dosed, such as ``anti_itgb1``.
    kind
        Kind of quantity of the dose, a key of :data:`unmoor.units.KINDS`.
    arms
        Arms by rising dose.
    doses
        Their doses, in the base unit of the kind.
    """

    name: str
    kind: str
    arms: tuple[str, ...]
    doses: tuple[float, ...]

    @property
    def label(self) -> str:
        """Axis label with its unit."""
        return f"{self.name} [{KINDS[self.kind].base_unit}]"


def series(view: View) -> list[Series]:
    """Every set of three or more arms that differ only in one dose."""
    found: dict[tuple[str, str, str], dict[str, float]] = {}
    for arm in view.treated:
        items = [_attributes(item) for item in view.study.arms[arm]]
        for place, item in enumerate(items):
            for kind in _KINDS:
                written = item.get(kind)
                dose = getattr(written, "value", written)  # of a concentration
                if not isinstance(dose, float | int) or dose <= 0:
                    continue
                unit = getattr(written, "kind", _KINDS[kind])
                rest = [*items[:place], {**item, kind: None}, *items[place + 1 :]]
                same = repr(sorted(repr(sorted(each.items())) for each in rest))
                name = str(item.get("drug") or "radiation")
                found.setdefault((name, unit, same), {})[arm] = float(dose)
    sets = []
    for (name, unit, _), doses in found.items():
        arms = sorted(doses, key=lambda arm: doses[arm])
        if len(set(doses.values())) >= FEWEST:
            sets.append(Series(name, unit, tuple(arms), tuple(doses[arm] for arm in arms)))
    return sets


def _attributes(item: Any) -> dict[str, Any]:
    if is_dataclass(item):
        return {each.name: getattr(item, each.name) for each in fields(item)}
    return {name: value for name, value in vars(item).items() if not callable(value)}


def dose_response(view: View) -> tuple[Figure, pd.DataFrame]:
    """One row of panels for each series and line: endpoints side by side, doses on a log axis."""
    rows = [(each, group) for each in series(view) for group in (*view.groups, *view.others)]
    rows = [(each, group) for each, group in rows if endpoints(view, group)]
    columns = max(min(MOST_PANELS, len(endpoints(view, group))) for _, group in rows)
    canvas = Canvas(
        len(rows) * columns, columns, height=92, left=54, top=18, bottom=30, gaps=(40, 46)
    )
    styles, parts = arm_styles(view.arms), []
    limits = _shared_limits(view, rows)
    for row, (each, group) in enumerate(rows):
        for column, (name, label) in enumerate(endpoints(view, group)[:columns]):
            table = points(view, group, each, name)
            box = canvas.boxes[row * columns + column].with_axes(y_limits=limits[name])
            panel = _frame(canvas, box, each, label)
            _points(canvas, panel, table, styles)
            for value, dashes in _references(view, name):
                _level(canvas, panel, value, dashes)
            about = {"cell_line": group.cell_line, "assay": group.assay, "endpoint": name}
            parts.append(table.assign(**about, treatment=each.name, kind=each.kind))
        left = canvas.boxes[row * columns]
        middle = left.base + left.height / 2
        canvas.text(6, middle, group.label, rotation=90, fontweight="bold")
        canvas.text(17, middle, "ratio to control", size=-0.5, rotation=90)
    return canvas.finished(view.footer), pd.concat(parts, ignore_index=True)


def endpoints(view: View, group: Group) -> list[tuple[str, str]]:
    """Endpoints of a group by name and label: tumour and spread, or the readouts of its assay."""
    if len(view.effects) and len(group.rows(view.effects)):
        return [("tumour", readout_name("tumour_volume")), ("spread", "lung metastases")]
    if view.readouts.empty:
        return []
    own = group.rows(view.readouts)["readout"].drop_duplicates()
    return [(str(name), readout_name(str(name))) for name in own]


def points(view: View, group: Group, each: Series, name: str) -> pd.DataFrame:
    """Ratio of each dose with its intervals: arm, dose, ratio, low, high, study_low, study_high."""
    rows = []
    for arm, dose in zip(each.arms, each.doses, strict=True):
        row = view.effect(group, arm)
        if row is not None:
            ends = ("ratio", "low", "high", "study_low", "study_high")
            values: Mapping[str, float] = {end: row[f"{name}_{end}"] for end in ends}
        else:
            values = _readout(view, group, arm, name)
        rows.append({"arm": arm, "dose": dose, **values})
    return pd.DataFrame(rows)


def _readout(view: View, group: Group, arm: str, name: str) -> Mapping[str, float]:
    """Ratio of a readout on its last day."""
    own = group.rows(view.readouts)
    own = own[(own["arm"] == arm) & (own["readout"] == name)]
    none = dict.fromkeys(("ratio", "low", "high", "study_low", "study_high"), math.nan)
    if own.empty:
        return none
    last = own.sort_values("day", kind="stable").iloc[-1]
    values = {"ratio": last["ratio"], "low": last["ratio_low"], "high": last["ratio_high"]}
    return none | {key: float(value) for key, value in values.items()}


def _references(view: View, name: str) -> Sequence[tuple[float, Any]]:
    margins = {"tumour": view.study.verdict.smaller, "spread": view.study.verdict.spread}
    return [(1.0, "-"), *((margins[key], _DASHED) for key in (name,) if key in margins)]


def _level(canvas: Canvas, panel: Panel, value: float, dashes: Any) -> None:
    y = float(panel.y(value))
    if panel.base <= y <= panel.top:
        canvas.stroke([panel.left, panel.right], [y, y], GREY, 0.6, dashes)


def _shared_limits(
    view: View, rows: Sequence[tuple[Series, Group]]
) -> dict[str, tuple[float, float]]:
    """Limits of each endpoint, the same in all its panels."""
    names = ["ratio", "low", "high", "study_low", "study_high"]
    found: dict[str, list[FloatArray]] = {}
    for each, group in rows:
        for name, _ in endpoints(view, group):
            table = points(view, group, each, name)
            found.setdefault(name, []).append(table[names].to_numpy(float).ravel())
    limits = {}
    for name, parts in found.items():
        values = np.concatenate(parts)
        values = values[np.isfinite(values) & (values > 0)]
        values = np.clip(np.append(values, (0.8, 1.25)), 1 / WIDEST, WIDEST)
        room = (values.max() / values.min()) ** 0.06
        limits[name] = (float(values.min() / room), float(values.max() * room))
    return limits


def _frame(canvas: Canvas, box: Panel, each: Series, label: str) -> Panel:
    room = (each.doses[-1] / each.doses[0]) ** 0.2
    x_limits = (each.doses[0] / room, each.doses[-1] * room)
    panel = box.with_axes(x_limits=x_limits, x_scale="log", y_scale="log")
    ticks = [(dose, plain(dose)) for dose in dict.fromkeys(each.doses)]
    canvas.frame(panel, ticks, log_ticks(*panel.y_limits))
    canvas.text(panel.middle, panel.base - 20, each.label)
    canvas.text(panel.middle, panel.top + 8, label, fontweight="bold")
    return panel


def _points(canvas: Canvas, panel: Panel, table: pd.DataFrame, styles: dict[str, ArmStyle]) -> None:
    """Ratios with their model intervals, and study intervals beside them."""
    canvas.stroke(panel.x(table["dose"]), panel.clipped(table["ratio"]), GREY, 0.5, (0, (1, 1.5)))
    for row in table.to_dict("records"):
        x, y = float(panel.x(row["dose"])), float(panel.clipped(row["ratio"]))
        look = styles[str(row["arm"])]
        for stem, shift, colour, width in (("", 0.0, look.colour, 1.8), ("study_", 3.2, INK, 0.6)):
            ends = panel.clipped([row[f"{stem}low"], row[f"{stem}high"]])
            if np.isfinite(ends).all():
                canvas.stroke([x + shift] * 2, ends, colour, width)
        if math.isfinite(y):
            canvas.axes.plot(
                x, y, marker=look.marker, markersize=5, markerfacecolor=look.face, zorder=5,
                markeredgecolor="white" if look.is_filled else look.colour, markeredgewidth=0.6,
            )  # fmt: skip
            canvas.text(x - 8, y, str(look.number), size=-0.5, fontweight="bold", zorder=7)


def _caption(view: View) -> str:
    told = "; ".join(
        f"{each.name}: "
        + ", ".join(f"{arm_styles(view.arms)[arm].number} {arm}" for arm in each.arms)
        for each in series(view)
    )
    beside = "; thin bar beside it: study interval, where there is one" if view.groups else ""
    margin = "; dashed: margin of the verdict" if view.groups else ""
    return (
        "Arms that differ only in one dose, on logarithmic axes; no curve is fitted, the dotted "
        "line only joins neighbours. Thick bar: "
        f"{percent(view.study.verdict.interval)} model interval of the ratio to "
        f"{view.control}{beside}. Solid level: no change{margin}. Arms: {told}."
    )


def _alt(view: View) -> str:
    told = ", ".join(f"{each.name} at {len(each.doses)} doses" for each in series(view))
    what = "tumour volume and lung metastases" if view.groups else "the readouts"
    return f"Dose–response of {what}: {told}."


def _is_possible(view: View) -> bool:
    return bool(series(view)) and any(
        endpoints(view, group) for group in (*view.groups, *view.others)
    )


DOSES = Plan("dose_response", "Dose–response", dose_response, _caption, _alt, _is_possible)
