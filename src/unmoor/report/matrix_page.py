"""The page of a matrix: two maps side by side, synergy excess below, all cells as numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.colors import Normalize, TwoSlopeNorm
from matplotlib.figure import Figure

from unmoor.analysis.matrix import END_POINTS, Matrix
from unmoor.report.page import Plot, Section, Table, figure_footer, write_page
from unmoor.report.style import GREY, INK
from unmoor.report.sweep_figure import axis_label
from unmoor.trial.effects import draw_interval

_WIDTH = 6.9  # inch
_TITLES = {"tumour": "tumour volume, ratio to control", "spread": "metastases, ratio to control"}
_NAMES = {"bliss": "Bliss", "loewe": "Loewe", "hsa": "highest single agent", "zip": "ZIP"}
_NOTES = (
    "Excess is expected minus found ratio: above 0 the pair is better than the reference expects "
    "(synergy), below 0 worse. A pair may be synergy for the tumour and antagonism for the spread.",
    "Loewe, ZIP and MuSyC need doses on both axes; Loewe says nothing where drugs pull in opposite "
    "directions or an effect turns with dose. ZIP and MuSyC are fitted to the median over draws.",
    "Toxicity is not modelled: blank, not nil.",
)


def write_matrix_page(folder: Path, found: Matrix) -> Path:
    """Write the page of a matrix into a folder and return its HTML file."""
    names = [axis_label(axis) for axis in found.axes]
    cells = matrix_table(found)
    sections = [_section(found, line, cells) for line in range(len(found.foretold.lines))]
    table = Table("cells", "Every cell under every structure", cells)
    return write_page(
        folder, "Two drugs, two end points", found.study,
        [*sections, _fits(found), Section("All cells", [], [table])],
        question=f"What do {names[0]} and {names[1]} of {found.axes[0].arm} do together?",
        notes=_NOTES,
    )  # fmt: skip


def matrix_summary(found: Matrix) -> list[str]:
    """Median excess over all pairs of both, per line, end point and reference."""
    lines = []
    for i, line in enumerate(found.foretold.lines):
        parts = []
        for end_point in END_POINTS:
            said = []
            for reference in found.references():
                middle = _middle(_own(found.excess(end_point, reference), i))
                inner = middle[1:, 1:] if found.is_dose_by_dose else middle
                if np.isfinite(inner).any():
                    said.append(f"{_NAMES[reference]} {np.nanmean(inner):+.3f}")
                else:
                    said.append(f"{_NAMES[reference]} not defined")
            parts.append(f"{end_point} {', '.join(said)}")
        lines.append(f"{line}: mean excess, {'; '.join(parts)}")
    return lines


def matrix_table(found: Matrix) -> pd.DataFrame:
    """Ratios and excess of every cell: median and interval over draws."""
    share = found.study.verdict.interval
    values: dict[str, Any] = {}
    for end_point in END_POINTS:
        values[end_point] = found.ratios(end_point)
        for reference in found.references():
            values[f"{end_point}_{reference}"] = found.excess(end_point, reference)
    rows = []
    for i, line in enumerate(found.foretold.lines):
        for j, structure in enumerate(found.foretold.structures):
            for a, first in enumerate(found.values[0]):
                for b, second in enumerate(found.values[1]):
                    row: dict[str, Any] = {"cell_line": line, "structure": structure.name}
                    row |= {found.axes[0].key: first, found.axes[1].key: second}
                    for name, array in values.items():
                        middle, low, high = draw_interval(array[i, j, a, b], share)
                        row |= {name: middle, f"{name}_low": low, f"{name}_high": high}
                    rows.append(row)
    return pd.DataFrame(rows)


def _own(values: Any, line: int) -> Any:
    """A line under the study's own structure, (n, m, draws)."""
    return values[line, 0]


def _section(found: Matrix, line: int, cells: pd.DataFrame) -> Section:
    name = found.foretold.lines[line]
    maps = Plot(
        f"maps-{line + 1}", "What do they do?",
        "Median ratio to control over draws, under the study's own structure. White: no change; "
        "blue: less; red: more. Both maps have scales of their own.",
        lambda: _maps(found, line), _own_cells(found, line, cells),
    )  # fmt: skip
    return Section(name, [], [], [maps, *_excesses(found, line)])


def _excesses(found: Matrix, line: int) -> list[Plot]:
    plots = []
    for reference in (*found.references(), *(("zip",) if found.is_dose_by_dose else ())):
        values = {}
        for end_point in END_POINTS:
            if reference == "zip":
                values[end_point] = found.zip_excess(end_point, line)
            else:
                every = _own(found.excess(end_point, reference), line)
                values[end_point] = _middle(every)
        label = _NAMES[reference]
        data = pd.DataFrame(
            {"first": first, "second": second, **{e: values[e][a, b] for e in END_POINTS}}
            for a, first in enumerate(found.values[0])
            for b, second in enumerate(found.values[1])
        )
        plots.append(Plot(
            f"{reference}-{line + 1}", f"Beyond {label}?",
            f"Excess over {label}, expected minus found ratio: blue above 0 (synergy), red below "
            "(antagonism), a dash where the reference says nothing.",
            _excess_maker(found, label, values), data,
        ))  # fmt: skip
    return plots


def _excess_maker(found: Matrix, label: str, values: dict[str, Any]) -> Any:
    return lambda: _pair(
        found, values, centre=0.0,
        titles={e: f"{e}: excess over {label}" for e in END_POINTS}, flip=True, signed=True,
    )  # fmt: skip


def _middle(every: Any) -> Any:
    found = np.full(every.shape[:2], np.nan)
    for place in np.ndindex(*every.shape[:2]):
        kept = every[place][np.isfinite(every[place])]
        if kept.size:
            found[place] = np.median(kept)
    return found


def _maps(found: Matrix, line: int) -> Figure:
    values = {e: _middle(_own(found.ratios(e), line)) for e in END_POINTS}
    return _pair(found, values, centre=1.0, titles=_TITLES)


def _own_cells(found: Matrix, line: int, cells: pd.DataFrame) -> pd.DataFrame:
    own = found.foretold.structures[0].name
    kept = (cells["cell_line"] == found.foretold.lines[line]) & (cells["structure"] == own)
    return cells[kept].reset_index(drop=True)


def _pair(
    found: Matrix,
    values: dict[str, Any],
    *,
    centre: float,
    titles: dict[str, str],
    flip: bool = False,
    signed: bool = False,
) -> Figure:
    """Two maps side by side, diverging from the centre, each cell with its value."""
    height = 0.45 * len(found.values[1]) + 1.5
    figure = Figure(figsize=(_WIDTH, height))
    grid = figure.subplots(1, 2)
    figure.subplots_adjust(left=0.1, right=0.98, top=1 - 0.3 / height, bottom=0.95 / height,
                           wspace=0.3)  # fmt: skip
    for axes, end_point in zip(grid, END_POINTS, strict=True):
        shown = values[end_point].T
        coloured = np.log(shown) if centre > 0.0 else shown  # a third is as far from 1 as threefold
        axes.imshow(
            np.ma.masked_invalid(coloured), origin="lower", aspect="auto",
            cmap="RdBu" if flip else "RdBu_r", norm=_norm(coloured),
        )  # fmt: skip
        _write_cells(axes, shown, coloured, signed=signed)
        for axis, levels, place in (("x", found.values[0], 0), ("y", found.values[1], 1)):
            ticks = range(len(levels))
            getattr(axes, f"set_{axis}ticks")(ticks, [f"{level:g}" for level in levels])
            getattr(axes, f"set_{axis}label")(axis_label(found.axes[place]))
        axes.tick_params(length=0)
        axes.set_title(titles[end_point], loc="left", fontsize=7)
    own = figure_footer(found.study, f"{found.study.uncertainty.draws} draws")
    figure.text(0.01, 0.08 / height, own, color=GREY, fontsize=5.5)
    return figure


def _norm(coloured: Any) -> Normalize:
    apart = float(np.nanmax(np.abs(coloured))) if np.isfinite(coloured).any() else 0.0
    apart = max(apart, 1e-3)
    return TwoSlopeNorm(0.0, -apart, apart)


def _write_cells(axes: Any, shown: Any, coloured: Any, *, signed: bool) -> None:
    apart = np.nanmax(np.abs(coloured)) if np.isfinite(coloured).any() else 1.0
    for (row, column), value in np.ndenumerate(shown):
        if not np.isfinite(value):
            text, colour = "–", GREY
        else:
            text = f"{value:+.2f}" if signed else f"{value:.2f}"
            text = "0.00" if text in ("+0.00", "-0.00") else text.replace("-", "\u2212")
            colour = "white" if abs(coloured[row, column]) > 0.7 * apart else INK
        axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=6.5)


def _fits(found: Matrix) -> Section:
    rows = []
    for i, line in enumerate(found.foretold.lines):
        for end_point in END_POINTS:
            fit = found.musyc(end_point, i)
            if fit is not None:
                rows.append({
                    "cell_line": line, "end_point": end_point, "alpha_first": fit.alpha_first,
                    "alpha_second": fit.alpha_second, "beta": fit.beta, "missed": fit.missed,
                })  # fmt: skip
    if not rows:
        return Section("MuSyC", ["MuSyC needs three doses or more on both axes."])
    text = (
        "α first: how many times more potent the second drug makes the first; α second the other "
        "way round; β: how far both together reach beyond the better drug. Missed: root mean "
        "square by which the fit misses ratios; where it is large the fit does not describe them."
    )
    table = Table("musyc", "MuSyC, fitted to the median over draws", pd.DataFrame(rows))
    return Section("MuSyC", [text], [table])
