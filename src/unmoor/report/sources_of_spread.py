"""How sure the answer is over parameters and structures, and what animals add to it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from unmoor.report.canvas import Canvas, columns_for, linear_ticks
from unmoor.report.counts import names_width, write_names
from unmoor.report.numerals import interval, percent, probability, ratio
from unmoor.report.plan import Plan, lines
from unmoor.report.style import COLOURS, arm_styles
from unmoor.report.view import Group, View

_ROW = 18.0
_PARTS = ("parameters", "structures", "animals")
_LOOKS = dict(zip(_PARTS, (COLOURS[1], COLOURS[0], "#B8B8B8"), strict=True))


def uncertainty_rows(view: View) -> list[tuple[str, list[dict[str, Any]]]]:
    """One table a cell line: probabilities over all structures, and shares of what is not known."""
    if view.uncertainty.empty:
        return []
    styles = arm_styles(view.arms)
    return [
        (
            group.label,
            [
                {"number": styles[str(row["arm"])].number, "arm": row["arm"], **_cells(row)}
                for row in group.rows(view.uncertainty).to_dict("records")
            ],
        )
        for group in view.groups
    ]


def _cells(row: Any) -> dict[str, str]:
    cells = {
        name: probability(row[f"p_{name}"])
        for name in ("smaller", "more", "switch", "benefit", "containment", "harm")
    }
    cells["range"] = interval(row["p_switch_least"], row["p_switch_most"])
    limits = interval(row["spread_low"], row["spread_high"])
    cells["spread"] = f"{ratio(row['spread_median'])} ({limits})"
    cells["verdict"] = str(row["verdict"])
    unknown = row["spread_var_parameters"] + row["spread_var_structures"]
    has_any = np.isfinite(unknown) and unknown > 0
    cells["structures"] = percent(row["spread_var_structures"] / unknown) if has_any else "–"
    cells["unknown"] = ratio(float(np.exp(np.sqrt(unknown)))) if has_any else "–"
    animals = row["spread_var_animals"]
    cells["animals"] = ratio(float(np.exp(np.sqrt(animals)))) if np.isfinite(animals) else "–"
    return cells


def sources_of_spread(view: View) -> tuple[Figure, pd.DataFrame]:
    """Standard deviations of ln spread ratio: two bars an arm, never added up."""
    styles, columns = arm_styles(view.arms), columns_for(len(view.groups))
    canvas = Canvas(
        len(view.groups), columns, height=_ROW * len(view.treated),
        left=names_width(view.treated), bottom=44.0, gaps=(16.0, 40.0),
    )  # fmt: skip
    data = view.uncertainty
    known = data[[f"spread_var_{part}" for part in _PARTS]].to_numpy(float)
    ends = np.sqrt(np.concatenate([known[:, 0] + known[:, 1], known[:, 2]]))
    high = 1.08 * max(0.5, float(np.nanmax(ends)) if np.isfinite(ends).any() else 0.0)
    for index, (box, group) in enumerate(zip(canvas.boxes, view.groups, strict=True)):
        panel = box.with_axes(x_limits=(0.0, high), y_limits=(len(view.treated) - 0.5, -0.5))
        canvas.title(panel, group.label)
        canvas.frame(panel, linear_ticks(0.0, high, most=4), ())
        if index % columns == 0:
            write_names(canvas, panel, view.treated, styles)
        _bars(canvas, panel, view, group)
    _key(canvas)
    return canvas.finished(view.footer), data.reset_index(drop=True)


def _bars(canvas: Canvas, panel: Any, view: View, group: Group) -> None:
    rows = {str(row["arm"]): row for row in group.rows(view.uncertainty).to_dict("records")}
    for place, arm in enumerate(view.treated):
        row = rows.get(arm)
        if row is None:
            continue
        parameters, structures, animals = (float(row[f"spread_var_{part}"]) for part in _PARTS)
        y, whole = float(panel.y(place)), parameters + structures
        if np.isfinite(whole) and whole > 0:
            end = np.sqrt(whole)
            cut = end * parameters / whole
            for part, (left, right) in zip(_PARTS, ((0.0, cut), (cut, end)), strict=False):
                xs = [float(x) for x in panel.x([left, right])]
                canvas.stroke(xs, [y + 3.2] * 2, _LOOKS[part], 4.6)
        if np.isfinite(animals):
            xs = [float(x) for x in panel.x([0.0, np.sqrt(animals)])]
            canvas.stroke(xs, [y - 3.2] * 2, _LOOKS["animals"], 4.6)


def _key(canvas: Canvas) -> None:
    canvas.text(canvas.middle, 22, "standard deviation of ln spread ratio")
    words = ("not known: parameters", "not known: structures", "animals of one study")
    for place, (part, word) in enumerate(zip(_PARTS, words, strict=True)):
        x = canvas.middle - 190 + 130 * place
        canvas.stroke([x, x + 12], [9, 9], _LOOKS[part], 4.6)
        canvas.text(x + 16, 9, word, size=-0.5, ha="left")


SOURCES = Plan(
    "sources_of_spread",
    "What the answer is unsure of, and what animals add",
    sources_of_spread,
    lambda view: (
        "Upper bar: standard deviation of the logarithm of the spread ratio over parameter sets "
        f"and {'rival structures' if view.study.uncertainty.rivals else 'one structure'}, split by "
        "their variances. Lower bar: what the animals of one study of this size add to an observed "
        "ratio; it is no uncertainty of the effect and is never added."
    ),
    lambda view: f"Two bars for each arm in {lines(view)}; the numbers are in the data file.",
    lambda view: bool(view.treated and view.groups and len(view.uncertainty)),
)
