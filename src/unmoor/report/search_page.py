"""The page of a search: the front of tumour, spread and burden, and what a change would do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from unmoor.analysis.search import Searched, Sweep
from unmoor.report.page import Plot, Section, Table, figure_footer, write_page
from unmoor.report.style import COLOURS, DASHES, GREY
from unmoor.report.sweep_figure import plain_ticks, sweep_figure
from unmoor.trial.effects import draw_interval

_WIDTH = 6.9  # inch
_NOTES = (
    "Burden is how much is given: each dose relative to the highest the catalog allows, per day. "
    "Toxicity is not modelled: blank, not nil.",
    "What is tried is judged by a quantile over draws of what is not known, in the worst line; the "
    "front is then foretold anew under every draw and structure.",
)


def write_search_page(folder: Path, found: Searched) -> Path:
    """Write the page of a search into a folder and return its HTML file."""
    title = "Treatments that keep the tumour in check and do not spread it"
    return write_page(
        folder, title, found.study, [_front(found), *_sweeps(found), _tried(found)],
        question=_question(found), notes=_NOTES,
    )  # fmt: skip


def summary(found: Searched) -> list[str]:
    """What was found, in a few lines."""
    allowed = sum(each.is_allowed for each in found.tried)
    lines = [f"{len(found.tried)} treatments tried, {allowed} allowed, "
             f"{sum(each.is_on_front for each in found.tried)} on the front"]  # fmt: skip
    if found.best is None:
        return [*lines, "no treatment meets the conditions; the nearest are in the table tried"]
    for each in found.front[:3]:
        outcomes = each.outcomes
        lines.append(
            f"{_treatment(found, each.values)}: tumour ×{outcomes['tumour_volume']:.2f}, "
            f"spread ×{outcomes['lung_metastases']:.2f}, burden {outcomes['burden']:.3f}/d"
        )
    return lines


def front_table(found: Searched) -> pd.DataFrame:
    """The front and the arm as written, by line and structure: ratios with intervals."""
    if found.verified is None:
        return pd.DataFrame()
    verified, share = found.verified, found.study.verdict.interval
    rows: list[dict[str, Any]] = []
    for place, arm in enumerate(verified.arms):
        if place == verified.control:
            continue
        if arm == "as written":
            own: dict[str, Any] = {each.key: None for each in found.space.varied}
            burden = found.space.burden(found.space.items)
        else:
            chosen = found.front[int(arm) - 1]
            own, burden = dict(chosen.values), chosen.outcomes["burden"]
        for i, line in enumerate(verified.lines):
            for j, structure in enumerate(verified.structures):
                row = {"treatment": arm, "cell_line": line, "structure": structure.name, **own}
                for name, values in (("tumour", verified.tumour), ("spread", verified.spread)):
                    at = values[i, j, place]
                    middle, low, high = draw_interval(at, share)
                    row |= {name: middle, f"{name}_low": low, f"{name}_high": high}
                row["p_smaller"] = _mean(verified.is_smaller[i, j, place])
                row["p_more"] = _mean(verified.is_more[i, j, place])
                row["p_switch"] = _mean(verified.is_switch[i, j, place])
                rows.append({**row, "burden": burden, "draws": verified.tumour.shape[3]})
    return pd.DataFrame(rows)


def sweep_table(found: Searched, sweep: Sweep) -> pd.DataFrame:
    """The best treatment with one number moved, by line and structure."""
    share = found.study.verdict.interval
    rows = []
    foretold = sweep.foretold
    for number, value in enumerate(sweep.values):
        place = foretold.arms.index(f"level {number}")
        for i, line in enumerate(foretold.lines):
            for j, structure in enumerate(foretold.structures):
                row = {"number": sweep.key, "value": value, "cell_line": line}
                row["structure"] = structure.name
                for name, values in (("tumour", foretold.tumour), ("spread", foretold.spread)):
                    middle, low, high = draw_interval(values[i, j, place], share)
                    row |= {name: middle, f"{name}_low": low, f"{name}_high": high}
                row["p_switch"] = _mean(foretold.is_switch[i, j, place])
                rows.append(row)
    return pd.DataFrame(rows)


def tried_table(found: Searched) -> pd.DataFrame:
    """Every treatment that was tried, in order."""
    return pd.DataFrame(
        {**each.values, **each.outcomes, "allowed": each.is_allowed, "on_front": each.is_on_front}
        for each in found.tried
    )


def _mean(values: Any) -> float:
    kept = values[np.isfinite(values)]
    return float(kept.mean()) if kept.size else np.nan


def _treatment(found: Searched, values: Any) -> str:
    parts = [
        f"{each.of} {each.field.name.replace('_', ' ')} {each.write(values[each.key])}"
        for each in found.space.varied
    ]
    return ", ".join(parts)


def _question(found: Searched) -> str:
    asked = found.search
    conditions = " and ".join(asked.subject_to) or "no condition"
    small = ", ".join(name.replace("_", " ") for name in asked.minimise)
    return f"Which {found.space.arm} makes {small} small, with {conditions}?"


def _front(found: Searched) -> Section:
    if not found.front:
        text = "No treatment that was tried meets the conditions. The table below has them all."
        return Section("The front", [text])
    table = front_table(found)
    paragraphs = [
        "On the front are treatments that no other beats in everything that is made small. "
        "The numbers of the table are medians over draws; low and high are the ends of the "
        f"{found.study.verdict.interval:.0%} interval. “As written” is the arm of the study.",
        *summary(found)[1:2],
    ]
    caption = (
        "Each dot is a treatment that was tried, by the quantile over draws that is judged, in the "
        "worst line. Numbered: the front, by spread. Colour: burden. Open: a condition is broken."
    )
    plot = Plot("front", "What can be had?", caption, lambda: _front_figure(found),
                tried_table(found))  # fmt: skip
    shown = Table("front", "The front under every structure", table,
                  formats={"burden": "{:.4f}".format, "draws": "{:d}".format})  # fmt: skip
    return Section("The front", paragraphs, [shown], [plot])


def _front_figure(found: Searched) -> Figure:
    figure = Figure(figsize=(_WIDTH, 3.9))
    axes = figure.add_axes((0.09, 0.17, 0.75, 0.76))
    tumour = np.array([each.outcomes["tumour_volume"] for each in found.tried])
    spread = np.array([each.outcomes["lung_metastases"] for each in found.tried])
    burden = np.array([each.outcomes["burden"] for each in found.tried])
    allowed = np.array([each.is_allowed for each in found.tried])
    top = float(max(burden.max(), 1e-9))
    axes.scatter(tumour[~allowed], spread[~allowed], s=12, facecolors="none", edgecolors=GREY,
                 linewidths=0.6, zorder=2)  # fmt: skip
    dots = axes.scatter(tumour[allowed], spread[allowed], c=burden[allowed], s=16, cmap="cividis",
                        vmin=0.0, vmax=top, zorder=3)  # fmt: skip
    for number, each in enumerate(found.front, 1):
        at = (each.outcomes["tumour_volume"], each.outcomes["lung_metastases"])
        axes.plot(*at, "o", ms=6.5, mfc="none", mec=COLOURS[0], mew=1.1, zorder=4)
        side = 1 if number % 2 else -1
        axes.annotate(str(number), at, xytext=(5 * side, 5 * side), textcoords="offset points",
                      ha="left" if side > 0 else "right", va="center", color=COLOURS[0],
                      zorder=5)  # fmt: skip
    axes.axhline(1.0, color=GREY, lw=0.8, ls=DASHES[1])
    axes.set_yscale("log")
    plain_ticks(axes.yaxis)
    axes.set_xlabel("tumour volume, ratio to control [–]")
    axes.set_ylabel("metastases, ratio to control [–]")
    axes.spines[["top", "right"]].set_visible(False)
    bar = figure.colorbar(dots, cax=figure.add_axes((0.87, 0.17, 0.02, 0.76)))
    bar.set_label("burden: highest doses per day [1/d]")
    asked = found.search
    figure.text(0.01, 0.02, figure_footer(
        found.study, f"{len(found.tried)} treatments × {asked.draws} draws, "
        f"quantile {asked.quantile:g}"), color=GREY, fontsize=5.5)  # fmt: skip
    return figure


def _sweeps(found: Searched) -> list[Section]:
    if not found.swept:
        return []
    tables, plots = [], []
    for number, sweep in enumerate(found.swept, 1):
        frame = sweep_table(found, sweep)
        varied = found.space.varied[number - 1]
        name = f"{varied.of} {varied.field.name.replace('_', ' ')}"
        caption = (
            f"Median ratio to control of the best treatment with {name} moved and all else held; "
            "band: interval of the study's own structure. Vertical line: the best. Dashed: no "
            "change."
        )
        plots.append(Plot(
            f"sweep-{number}", f"What would another {name} do?", caption,
            _sweep_figure(found, sweep, frame), frame,
        ))  # fmt: skip
        tables.append(Table(f"sweep-{number}", f"The best treatment with another {name}", frame))
    text = "The best treatment with one number moved at a time, under every structure."
    return [Section("What a change would do", [text], tables, plots)]


def _sweep_figure(found: Searched, sweep: Sweep, frame: pd.DataFrame) -> Any:
    varied = next(each for each in found.space.varied if each.key == sweep.key)
    assert found.best is not None
    return lambda: sweep_figure(found, varied, frame, found.best.values[varied.key])


def _tried(found: Searched) -> Section:
    caption = "Every treatment that was tried, in the order tried"
    return Section("All that was tried", [], [Table("tried", caption, tried_table(found))])
