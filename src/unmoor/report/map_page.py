"""Figure and page of a harm map."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from unmoor.analysis.harm_map import LEVELS
from unmoor.analysis.map_evidence import told
from unmoor.report.canvas import WIDTH
from unmoor.report.numerals import share
from unmoor.report.page import Plot, Section, Table, figure_footer, write_page
from unmoor.report.style import COLOURS, FONT_SIZE, GREY, INK

if TYPE_CHECKING:
    from unmoor.analysis.harm_map import HarmMap
    from unmoor.analysis.map_axes import Axis

_INCH = 72.0
_HEIGHT = 300.0  # pt
_PRINTED = 13  # cells along an axis up to which their values are printed
_TICKS = 7
_DASHES = {LEVELS[0]: (0, (4, 2)), LEVELS[1]: "-"}


def map_frame(found: HarmMap) -> pd.DataFrame:
    """One row a cell of the map."""
    rows = []
    for j, y in enumerate(found.y.values):
        for i, x in enumerate(found.x.values):
            rows.append({
                found.x.name: float(x), found.y.name: float(y), "p_switch": found.switch[j, i],
                "p_smaller": found.smaller[j, i], "p_more": found.more[j, i],
                "keeps_state": found.holding[j, i], "has_evidence": bool(found.has_evidence[j, i]),
            })  # fmt: skip
    return pd.DataFrame(rows)


def map_figure(found: HarmMap, footer: str) -> Figure:
    """P(switch) in every cell, contours on the grid, the own tumour, hatched without evidence."""
    figure = Figure(figsize=(WIDTH / _INCH, _HEIGHT / _INCH))
    axis = figure.add_axes((0.16, 0.22, 0.62, 0.7))
    x, y = np.arange(found.x.values.size), np.arange(found.y.values.size)
    image = axis.pcolormesh(
        x, y, found.switch, cmap="cividis", vmin=0.0, vmax=1.0, shading="nearest"
    )
    _hatch(axis, found)
    _contours(axis, found)
    _print(axis, found)
    _own(axis, found)
    for set_ticks, axis_of in ((axis.set_xticks, found.x), (axis.set_yticks, found.y)):
        places = _tick_places(axis_of)
        set_ticks(places, [f"{axis_of.values[i]:.3g}".replace("-", "\u2212") for i in places])
    axis.set_xlabel(f"{found.x.label} [{found.x.unit}]", fontsize=FONT_SIZE)
    axis.set_ylabel(f"{found.y.label} [{found.y.unit}]", fontsize=FONT_SIZE)
    axis.set_title(f"{found.line}, {found.arm}", fontsize=FONT_SIZE + 0.5)
    axis.tick_params(labelsize=FONT_SIZE - 0.5, length=2.0, width=0.5)
    bar = figure.colorbar(image, cax=figure.add_axes((0.8, 0.22, 0.018, 0.7)))
    bar.set_label("P(switch), share of draws", fontsize=FONT_SIZE)
    bar.ax.tick_params(labelsize=FONT_SIZE - 0.5, length=2.0, width=0.5)
    figure.text(4.0 / WIDTH, 4.0 / _HEIGHT, footer, fontsize=FONT_SIZE - 1.0, color=GREY)
    return figure


def _tick_places(axis: Axis) -> list[int]:
    last = axis.values.size - 1
    return sorted({round(place) for place in np.linspace(0, last, min(_TICKS, last + 1))})


def _hatch(axis: Any, found: HarmMap) -> None:
    """Hatched where no evidence reaches; grey where the untreated line cannot be what it is."""
    from matplotlib.patches import Patch, Rectangle

    nothing = ~np.isfinite(found.switch)
    for j, i in np.argwhere(nothing):
        axis.add_patch(Rectangle((i - 0.5, j - 0.5), 1, 1, facecolor="#C8C8C8", linewidth=0))
    for j, i in np.argwhere(~found.has_evidence & ~nothing):
        axis.add_patch(Rectangle((i - 0.5, j - 0.5), 1, 1, fill=False, hatch="//", linewidth=0,
                                 edgecolor="#FFFFFF"))  # fmt: skip
    keys = []
    if (~found.has_evidence & ~nothing).any():
        keys.append(Patch(facecolor="#7C7B78", edgecolor="#FFFFFF", hatch="//", linewidth=0,
                          label="no evidence"))  # fmt: skip
    if nothing.any():
        keys.append(Patch(facecolor="#C8C8C8", label="untreated\nline loses\nits state"))
    if keys:
        axis.legend(handles=keys, loc="upper left", bbox_to_anchor=(1.155, 1.02), frameon=False,
                    fontsize=FONT_SIZE - 0.5, handlelength=1.4)  # fmt: skip


def _contours(axis: Any, found: HarmMap) -> None:
    known = found.switch[np.isfinite(found.switch)]
    levels = [each for each in LEVELS if known.size and known.min() < each < known.max()]
    if not levels:
        return
    drawn = axis.contour(
        np.arange(found.x.values.size), np.arange(found.y.values.size), found.switch, levels,
        colors=[COLOURS[0]], linestyles=[_DASHES[each] for each in levels], linewidths=1.4,
    )  # fmt: skip
    axis.clabel(drawn, fmt={each: f"{each:g}" for each in levels}, fontsize=FONT_SIZE - 0.5)


def _print(axis: Any, found: HarmMap) -> None:
    """Values of the cells, where there is room for them."""
    if max(found.x.values.size, found.y.values.size) > _PRINTED:
        return
    for (j, i), value in np.ndenumerate(found.switch):
        if np.isfinite(value):
            colour = INK if value > 0.6 else "white"
            axis.text(i, j, share(float(value)), ha="center", va="center", color=colour,
                      fontsize=FONT_SIZE - 1.5)  # fmt: skip


def _own(axis: Any, found: HarmMap) -> None:
    """The own tumour, where both of its values are known; a line where one is."""
    x, y = (_place(of, value) for of, value in zip((found.x, found.y), found.own, strict=True))
    if x is not None and y is not None:
        axis.plot(x, y, marker="*", markersize=13, color=COLOURS[0], markeredgecolor="white",
                  markeredgewidth=0.9, clip_on=False, zorder=5)  # fmt: skip
    elif x is not None:
        axis.axvline(x, color=COLOURS[0], linewidth=1.0, linestyle=(0, (1, 1)))
    elif y is not None:
        axis.axhline(y, color=COLOURS[0], linewidth=1.0, linestyle=(0, (1, 1)))


def _place(axis: Axis, value: float | None) -> float | None:
    """Where a value lies between the cells, None off the map."""
    if value is None or not axis.values[0] <= value <= axis.values[-1]:
        return None
    scale = np.log if axis.is_log else np.asarray
    return float(np.interp(scale(value), scale(axis.values), np.arange(axis.values.size)))


def map_page(folder: str | os.PathLike[str], found: HarmMap) -> Path:
    """Write the page of a harm map, with its table and figure beside it."""
    frame = map_frame(found)
    footer = figure_footer(found.study, f"{found.draws} draws a cell")
    known = found.switch[np.isfinite(found.switch)]
    text = (
        f"P(switch) lies between {known.min():.2f} and {known.max():.2f} over the map."
        if known.size
        else "In no cell of the map can the untreated line be what it is."
    )
    caption = (
        "Each cell was computed, with the same parameter sets in all; nothing lies in between. "
        f"Contours at {LEVELS[0]:g} (dashed) and {LEVELS[1]:g}; the star, or the dotted line, is "
        "the line and the arm as they are. Hatched: beyond what was measured or calibrated. Grey: "
        "the untreated line could not keep its state."
    )
    evidence = [
        f"{axis.label}: {told(axis.evidence, axis.unit)} ({axis.basis})."
        for axis in (found.x, found.y)
    ]  # fmt: skip
    title = f"Harm map: {found.line}, {found.arm}"
    plot = Plot("map", "Where does it do harm?", caption, partial(map_figure, found, footer), frame)
    table = Table("map", "Cells of the map", frame)
    section = Section(f"{found.x.label} × {found.y.label}", [text, *evidence], [table], [plot])
    question = "For which tumours and treatments does the tumour shrink and yet spread more?"
    return write_page(folder, title, found.study, [section], question=question)
