"""P(switch) under each structural option, or: does the answer depend on how the model is built."""

from __future__ import annotations

from itertools import groupby

import numpy as np
import pandas as pd
from matplotlib.collections import PatchCollection
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from unmoor.report.canvas import Canvas, FloatArray, Panel, columns_for
from unmoor.report.counts import names_width, write_names
from unmoor.report.numerals import probability
from unmoor.report.style import FAINT, INK, arm_styles
from unmoor.report.view import Group, View

ROW = 14.0
"""Height of the row of one arm [pt]."""
_SHADES = LinearSegmentedColormap.from_list("unmoor", ["#FFFFFF", "#F6C6A5", "#D55E00"])


def options(view: View) -> list[str]:
    """Structural options of the run, ``core/mechanism``; options of one core stand together."""
    if view.structures.empty:
        return []
    found = [str(name) for name in view.structures["structure"].drop_duplicates()]
    cores = list(dict.fromkeys(name.split("/")[0] for name in found))
    return sorted(found, key=lambda name: cores.index(name.split("/")[0]))


def shares(view: View, group: Group) -> pd.DataFrame:
    """P(switch) of one group: rows are arms, columns are structural options."""
    names = options(view)
    values = [
        [
            view.switch_shares.get((group.cell_line, group.assay, arm, name), np.nan)
            for name in names
        ]
        for arm in view.treated
    ]
    return pd.DataFrame(values, index=list(view.treated), columns=names, dtype=float)


def structure_table(view: View) -> tuple[Figure, pd.DataFrame]:
    """Heat tables, one a cell line, with the numbers written in."""
    names, styles = options(view), arm_styles(view.arms)
    columns = columns_for(len(view.groups))
    canvas = Canvas(
        len(view.groups),
        columns,
        height=ROW * len(view.treated),
        left=names_width(view.treated),
        bottom=48,
        gaps=(14, 60),
    )
    for index, (box, group) in enumerate(zip(canvas.boxes, view.groups, strict=True)):
        panel = box.with_axes(
            x_limits=(-0.5, len(names) - 0.5), y_limits=(len(view.treated) - 0.5, -0.5)
        )
        canvas.title(panel, group.label)
        if index % columns == 0:
            write_names(canvas, panel, view.treated, styles)
        _heat(canvas, panel, shares(view, group).to_numpy(float))
        _option_names(canvas, panel, names)
    caption = "share of parameter draws with a smaller tumour and more spread"
    canvas.text(canvas.middle, 8, caption)
    return canvas.finished(view.footer), view.structures.reset_index(drop=True)


def _heat(canvas: Canvas, panel: Panel, values: FloatArray) -> None:
    width, height = panel.width / values.shape[1], panel.height / values.shape[0]
    cells, colours = [], []
    for row, column in np.ndindex(values.shape[0], values.shape[1]):
        value = float(values[row, column])
        x, y = float(panel.x(column)), float(panel.y(row))
        cells.append(Rectangle((x - width / 2, y - height / 2), width, height))
        colours.append(_SHADES(value) if np.isfinite(value) else "#FFFFFF")
        canvas.text(
            x,
            y,
            probability(value).replace(" ", ""),
            size=-0.5,
            fontweight="bold" if value >= 0.5 else "normal",
            color="#000000" if value >= 0.5 else INK,
        )
    canvas.axes.add_collection(
        PatchCollection(cells, facecolors=colours, edgecolors=FAINT, linewidths=0.5, zorder=0)
    )


def _option_names(canvas: Canvas, panel: Panel, names: list[str]) -> None:
    """Mechanism under each column, EMT core under each run of columns."""
    parts = [[*name.split("/"), ""][:2] for name in names]
    for column, (_, mechanism) in enumerate(parts):
        canvas.text(float(panel.x(column)), panel.base - 7, mechanism, size=-0.5)
    for core, run in groupby(enumerate(parts), key=lambda item: item[1][0]):
        where = [column for column, _ in run]
        left, right = panel.x([where[0] - 0.42, where[-1] + 0.42])
        canvas.stroke([left, right], [panel.base - 14] * 2, INK, 0.6)
        canvas.text(float(left + right) / 2, panel.base - 21, core, size=-0.5)
