"""The figure of a sweep: tumour and spread over one number of a treatment, by structure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, NullLocator, StrMethodFormatter

from unmoor.fields import Quantity
from unmoor.report.page import figure_footer
from unmoor.report.style import COLOURS, DASHES, GREY, MARKERS
from unmoor.units import KINDS

if TYPE_CHECKING:
    from unmoor.analysis.search import Searched
    from unmoor.trial.search_fields import Varied

_WIDTH, _ROW = 6.9, 2.3  # inch
_ENDS = (("tumour", "tumour volume, ratio [–]"), ("spread", "metastases, ratio [–]"))


def axis_label(varied: Varied) -> str:
    """Name and unit of a number that is varied."""
    name = f"{varied.of}, {varied.field.name.replace('_', ' ')}"
    reader = varied.field.reader
    unit = KINDS[reader.kind].base_unit if isinstance(reader, Quantity) else "–"
    return f"{name} [{unit}]"


def sweep_figure(found: Searched, varied: Varied, frame: pd.DataFrame, best: float) -> Figure:
    """Ratios over a number, a row for each line and a column for each end point."""
    lines = list(dict.fromkeys(frame["cell_line"]))
    figure = Figure(figsize=(_WIDTH, _ROW * len(lines) + 0.7))
    height = _ROW * len(lines) + 0.7
    grid = figure.subplots(len(lines), 2, squeeze=False, sharex=True)
    figure.subplots_adjust(left=0.09, right=0.81, top=1 - 0.25 / height, bottom=0.62 / height,
                           wspace=0.28, hspace=0.22)  # fmt: skip
    for row, line in enumerate(lines):
        for column, (name, label) in enumerate(_ENDS):
            axes = grid[row][column]
            _panel(axes, frame[frame["cell_line"] == line], name, varied)
            axes.axvline(best, color=GREY, lw=0.6)
            axes.set_ylabel(label)
            axes.set_title(line, loc="left", fontsize=7)
            if row == len(lines) - 1:
                axes.set_xlabel(axis_label(varied))
    handles, labels = grid[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="center left", bbox_to_anchor=(0.82, 0.55), frameon=False)
    draws = f"{found.study.uncertainty.draws} draws"
    figure.text(0.01, 0.06 / height, figure_footer(found.study, draws), color=GREY, fontsize=5.5)
    return figure


def plain_ticks(axis: Any) -> None:
    """Ticks of a logarithmic axis as plain numbers."""
    axis.set_major_locator(LogLocator(base=10.0, subs=(1.0, 2.0, 5.0)))
    axis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axis.set_minor_formatter(NullFormatter())


def _panel(axes: Any, part: pd.DataFrame, name: str, varied: Varied) -> None:
    for number, (structure, own) in enumerate(part.groupby("structure", sort=False)):
        style: dict[str, Any] = {"color": COLOURS[number], "ls": DASHES[number]}
        axes.plot(own["value"], own[name], marker=MARKERS[number], ms=3, lw=1.1, label=structure,
                  **style)  # fmt: skip
        if number == 0:
            axes.fill_between(own["value"], own[f"{name}_low"], own[f"{name}_high"],
                              color=COLOURS[0], alpha=0.15, lw=0)  # fmt: skip
    axes.axhline(1.0, color=GREY, lw=0.8, ls=DASHES[1])
    if varied.field.name == "dose":
        rises = part["value"][part["value"] > 0.0]
        axes.set_xscale("symlog", linthresh=float(rises.min()), linscale=0.5)
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axes.xaxis.set_minor_locator(NullLocator())
    if name == "spread":
        axes.set_yscale("log")
        plain_ticks(axes.yaxis)
    axes.spines[["top", "right"]].set_visible(False)
