"""Figures of a screen of lines: forest of an arm, classes by arm, the test of the cells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from unmoor.report.canvas import WIDTH, log_ticks, shortened
from unmoor.report.style import COLOURS, FAINT, FONT_SIZE, GREY, INK, TINTS

CLASSES = ("switch", "harm", "benefit", "containment", "unclear")
COLOUR_OF = {
    "switch": COLOURS[0], "harm": COLOURS[3], "benefit": COLOURS[2], "containment": COLOURS[1],
    "unclear": GREY,
}  # fmt: skip
MARK_OF = {"switch": "s", "harm": "v", "benefit": "o", "containment": "D", "unclear": "x"}
LETTER_OF = {"switch": "S", "harm": "H", "benefit": "B", "containment": "C", "unclear": "·"}
_INCH = 72.0
_ROW, _HEAD, _FOOT = 9.5, 34.0, 40.0  # heights [pt]
_DASHED = (0, (4, 2))
_WIDE = 110.0  # width of a column that holds its name [pt]
_WIDEST = 1e3
_SHARE = "share of draws"


def screen_forest(frame: pd.DataFrame, arm: str, margins: Any, footer: str) -> Figure:
    """P(switch), tumour and spread of each line under an arm, by falling P(switch).

    Parameters
    ----------
    frame
        ``arms_table`` of a screen.
    margins
        The verdict of the study.
    """
    rows = frame[frame["arm"] == arm].reset_index(drop=True)
    figure = _figure(len(rows))
    grid = figure.add_gridspec(1, 3, width_ratios=(0.8, 1.0, 1.0), wspace=0.08,
                               **_margins(figure, 86.0, 14.0))  # fmt: skip
    axes = [figure.add_subplot(grid[0, k]) for k in range(3)]
    y = np.arange(len(rows))
    for name, look in COLOUR_OF.items():
        own = (rows["class"] == name).to_numpy()
        fill: dict[str, Any] = {} if name == "unclear" else {"edgecolor": look, "facecolor": look}
        axes[0].scatter(rows["p_switch"][own], y[own], s=13, marker=MARK_OF[name], label=name,
                        color=None if fill else look, linewidth=0.9, zorder=3, **fill)  # fmt: skip
    for axis, name, margin in (
        (axes[1], "tumour", margins.smaller),
        (axes[2], "spread", margins.spread),
    ):
        _intervals(axis, rows, name, y, margin)
    _dress(axes, rows, y)
    axes[0].set_xlabel(f"P(switch), {_SHARE}")
    axes[0].legend(loc="lower center", bbox_to_anchor=(1.85, 1.0), ncols=5, frameon=False,
                   fontsize=FONT_SIZE - 0.5, handletextpad=0.3, columnspacing=1.2)  # fmt: skip
    _finish(figure, footer)
    return figure


def _intervals(axis: Any, rows: pd.DataFrame, name: str, y: Any, margin: float) -> None:
    low, high = rows[f"{name}_low"], rows[f"{name}_high"]
    middle = rows[name].clip(1.0 / _WIDEST, _WIDEST)
    colours = [COLOUR_OF[each] for each in rows["class"]]
    left, right = (ends.clip(1.0 / _WIDEST, _WIDEST) for ends in (low, high))
    axis.hlines(y, left, right, colors=colours, linewidth=1.4)
    axis.scatter(middle, y, s=8, color=colours, zorder=3, linewidth=0)
    axis.set_xscale("log")
    ends = (max(min(left.min(), 0.5), 1.0 / _WIDEST), min(max(right.max(), 2.0), _WIDEST))
    axis.set_xlim(ends[0] / 1.15, ends[1] * 1.15)
    ticks = log_ticks(*ends, compact=True)
    axis.set_xticks([value for value, _ in ticks], [label for _, label in ticks])
    axis.set_xticks([], minor=True)
    axis.axvline(1.0, color=GREY, linewidth=0.7, zorder=0)
    axis.axvline(margin, color=GREY, linewidth=0.6, linestyle=_DASHED, zorder=0)
    what = "tumour volume" if name == "tumour" else "expected metastases"
    axis.set_xlabel(f"{what} relative to control")


def class_matrix(frame: pd.DataFrame, arms: Sequence[str], footer: str) -> Figure:
    """Class of each line under each arm, with P(switch) as a number."""
    lines = list(dict.fromkeys(frame.sort_values("p_switch", ascending=False)["line"]))
    width = (WIDTH - 114.0) / max(len(arms), 1)
    slant = 0 if width > _WIDE else 30
    head = 78.0 if slant else 24.0
    figure = _figure(len(lines), head=head)
    box = _margins(figure, 100.0, 60.0 if slant else 14.0, head=head)
    axis = figure.add_axes((box["left"], box["bottom"], box["right"] - box["left"],
                            box["top"] - box["bottom"]))  # fmt: skip
    place = {(row["line"], row["arm"]): row for row in frame.to_dict("records")}
    for i, line in enumerate(lines):
        for k, arm in enumerate(arms):
            row = place[line, arm]
            name = str(row["class"])
            axis.add_patch(_square(k, i, TINTS.get(name, "#FFFFFF")))
            text = f"{LETTER_OF[name]}  {row['p_switch']:.2f}"
            axis.text(k, i, text, ha="center", va="center", fontsize=FONT_SIZE - 1.0,
                      color=INK if name != "unclear" else GREY)  # fmt: skip
    axis.set_xlim(-0.5, len(arms) - 0.5)
    axis.set_ylim(len(lines) - 0.5, -0.5)
    axis.xaxis.tick_top()
    names = [shortened(arm, max(round(width / 4.0), 16)) for arm in arms]
    axis.set_xticks(range(len(arms)), names, rotation=slant, ha="left" if slant else "center",
                    fontsize=FONT_SIZE - 0.5)  # fmt: skip
    axis.set_yticks(range(len(lines)), lines, fontsize=FONT_SIZE - 0.5)
    axis.tick_params(length=0)
    for side in axis.spines.values():
        side.set_visible(False)
    legend = "S switch   H harm   B benefit   C containment   · unclear; numbers: P(switch)"
    figure.text(
        0.5, 20.0 / (figure.get_figheight() * _INCH), legend, ha="center", fontsize=FONT_SIZE
    )
    _finish(figure, footer)
    return figure


def _square(x: float, y: float, colour: str) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle((x - 0.49, y - 0.47), 0.98, 0.94, facecolor=colour, edgecolor="none")


def cells_by_prior(frame: pd.DataFrame, footer: str) -> Figure:
    """Share of draws in which cells of each line lose E-cadherin, under three priors of k_int."""
    rows = frame.reset_index(drop=True)
    figure = _figure(len(rows))
    grid = figure.add_gridspec(1, 2, width_ratios=(1.6, 1.0), wspace=0.08,
                               **_margins(figure, 86.0, 14.0))  # fmt: skip
    axes = [figure.add_subplot(grid[0, k]) for k in range(2)]
    y = np.arange(len(rows))
    looks = (("calibrated", COLOURS[0], "s"), ("prior", COLOURS[1], "^"), ("weak", COLOURS[2], "D"))
    spans = rows[[f"p_cells_{name}" for name, _, _ in looks]]
    axes[0].hlines(y, spans.min(axis=1), spans.max(axis=1), colors=FAINT, linewidth=1.2, zorder=1)
    for name, colour, mark in looks:
        axes[0].scatter(rows[f"p_cells_{name}"], y, s=12, marker=mark, color=colour, label=name,
                        linewidth=0, zorder=3)  # fmt: skip
    axes[1].scatter(rows["reversible"], y, s=12, marker="o", color=COLOURS[1], linewidth=0,
                    label="reversible", zorder=3)  # fmt: skip
    axes[1].scatter(rows["keeps_state"], y, s=12, marker="|", color=INK, linewidth=0.9,
                    label="untreated keeps its state", zorder=3)  # fmt: skip
    _dress(axes, rows, y)
    axes[0].set_xlabel(f"cells lose E-cadherin under β1 blockade, {_SHARE}")
    axes[1].set_xlabel(_SHARE)
    for axis in axes:
        axis.set_xlim(-0.03, 1.03)
        axis.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, frameon=False,
                    fontsize=FONT_SIZE - 0.5, handletextpad=0.1, columnspacing=0.8)  # fmt: skip
    _finish(figure, footer)
    return figure


def threshold_strips(inputs: pd.DataFrame, table: pd.DataFrame, footer: str) -> Figure:
    """Parameters of switching and other cases, with the best threshold of each.

    Parameters
    ----------
    inputs
        ``parameter``, ``value`` and ``switches`` of each line and draw.
    table
        Rows of ``threshold_table`` for the test of the cells.
    """
    names = list(table["parameter"])
    figure = _figure(max(len(names), 1) * 3, head=30.0)
    box = _margins(figure, 66.0, 14.0, head=30.0)
    grid = figure.add_gridspec(1, max(len(names), 1), wspace=0.42, **box)
    for k, name in enumerate(names):
        axis, row = figure.add_subplot(grid[0, k]), table.iloc[k]
        own = inputs[inputs["parameter"] == name]
        for at, (switches, colour) in enumerate(((1, COLOURS[0]), (0, COLOURS[1]))):
            values = own["value"][own["switches"] == switches].to_numpy()
            if values.size:
                ends = np.quantile(values, [0.05, 0.25, 0.5, 0.75, 0.95])
                axis.plot([at, at], ends[[0, 4]], color=colour, linewidth=1.0)
                axis.plot(
                    [at, at], ends[[1, 3]], color=colour, linewidth=4.0, solid_capstyle="butt"
                )
                axis.plot(at, ends[2], "o", color="white", markeredgecolor=colour, markersize=3.5)
        axis.axhspan(row["low"], row["high"], color=FAINT, alpha=0.6, linewidth=0, zorder=0)
        axis.axhline(row["threshold"], color=INK, linewidth=0.8, linestyle=_DASHED)
        axis.set_xticks((0, 1), ("switch", "not"), fontsize=FONT_SIZE - 0.5)
        axis.set_xlim(-0.6, 1.6)
        axis.set_title(f"{name}\nbalanced accuracy {row['balanced_accuracy']:.2f}",
                       fontsize=FONT_SIZE)  # fmt: skip
        _plain(axis)
    _finish(figure, footer)
    return figure


def _figure(rows: int, head: float = _HEAD) -> Figure:
    height = max(rows * _ROW, 60.0) + head + _FOOT
    return Figure(figsize=(WIDTH / _INCH, height / _INCH))


def _margins(figure: Figure, left: float, right: float, head: float = _HEAD) -> dict[str, float]:
    height = figure.get_figheight() * _INCH
    return {"left": left / WIDTH, "right": 1.0 - right / WIDTH, "bottom": _FOOT / height,
            "top": 1.0 - head / height}  # fmt: skip


def _dress(axes: Sequence[Any], rows: pd.DataFrame, y: Any) -> None:
    """Names at the left, faint rows, and a line above those that are not malignant."""
    for k, axis in enumerate(axes):
        axis.set_ylim(len(rows) - 0.4, -0.6)
        axis.set_yticks(y, rows["line"] if k == 0 else [""] * len(rows), fontsize=FONT_SIZE - 0.5)
        axis.grid(axis="y", color="#EEEEEE", linewidth=0.5)
        axis.set_axisbelow(True)
        benign = np.flatnonzero(~rows["malignant"].to_numpy(dtype=bool))
        if benign.size and benign[0] > 0:
            axis.axhline(benign[0] - 0.5, color=INK, linewidth=0.6)
            if k == len(axes) - 1:
                across = axis.get_yaxis_transform()
                axis.text(1.0, benign[0] - 0.42, "not malignant ", transform=across, ha="right",
                          va="top", fontsize=FONT_SIZE - 1.0, color=INK)  # fmt: skip
        _plain(axis)
    axes[0].set_xlim(-0.03, 1.03)


def _plain(axis: Any) -> None:
    axis.tick_params(labelsize=FONT_SIZE - 0.5, length=2.0, width=0.5)
    axis.xaxis.label.set_size(FONT_SIZE)
    for name, side in axis.spines.items():
        side.set_visible(name in ("left", "bottom"))
        side.set_linewidth(0.5)


def _finish(figure: Figure, footer: str) -> None:
    height = figure.get_figheight() * _INCH
    figure.text(4.0 / WIDTH, 4.0 / height, footer, fontsize=FONT_SIZE - 1.0, color=GREY)
