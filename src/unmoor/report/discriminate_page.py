"""The page of `unmoor discriminate`: which study would tell rivals apart."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from unmoor.report.canvas import Canvas, linear_ticks, shortened
from unmoor.report.names import readout_name
from unmoor.report.page import Plot, Section, Table, figure_footer, write_page
from unmoor.report.style import COLOURS, GREY, INK

if TYPE_CHECKING:
    import pandas as pd

    from unmoor.analysis.discriminate import Discriminated

_ROW, _MOST = 12.0, 25
_NOTES = (
    "Gains are expected: a study may tell more or less. The two estimates enclose the true gain in "
    "expectation; more draws bring them together.",
    "Proteins are read with a scatter that is assumed (catalog, closures/assay_error): their gains "
    "stand and fall with it. Rivals are those the study names, with its weights; what is true may "
    "be none of them.",
)


def write_discriminated(found: Discriminated, folder: Path) -> Path:
    """Write the page, its figures and tables; returns the HTML file."""
    plots = []
    for number, (line, rows) in enumerate(found.gains.groupby("cell_line", sort=False), 1):
        best = rows.head(_MOST)
        plots.append(
            Plot(
                f"gains_{number}",
                f"{line}: what a study would tell",
                f"The {len(best)} best of {len(rows)} studies of {found.animals} animals in arm "
                "and control each. Bar: expected information about which structure is right; "
                "whisker: from the lower to the upper estimate; dashed: all there is to learn.",
                lambda best=best: _bars(found, best),  # type: ignore[misc]
                best,
                "Bars of the information gain of studies; the numbers are in the table.",
            )
        )
    sections = [
        Section("In words", found.sentences()),
        Section("Studies, best first", figures=plots,
                tables=[Table("gains", "Expected information gain, in bits", found.gains)]),
        Section("What each rival predicts", ["Ratios to control, and differences for proteins; "
                "intervals over parameter sets."],
                tables=[Table("predicted", "Predictions by structure", found.predicted)]),
    ]  # fmt: skip
    question = "Which arm, day and readout would tell rival structures apart?"
    return write_page(folder, "Tell rivals apart", found.study, sections, question=question,
                      notes=_NOTES)  # fmt: skip


def _bars(found: Discriminated, best: pd.DataFrame) -> Figure:
    rows = best.to_dict("records")
    canvas = Canvas(1, 1, height=_ROW * len(rows), left=250.0, bottom=34.0)
    most = float(rows[0]["bits_most"])
    high = max([most, *(float(row["bits_over"]) for row in rows)]) * 1.05
    panel = canvas.boxes[0].with_axes(x_limits=(0.0, high), y_limits=(len(rows) - 0.5, -0.5))
    canvas.frame(panel, linear_ticks(0.0, high), ())
    limit = float(panel.x(most))
    canvas.stroke([limit, limit], [panel.base, panel.top], GREY, 0.8, (0, (4, 2)))
    for place, row in enumerate(rows):
        y, zero = float(panel.y(place)), float(panel.x(0.0))
        ends = np.clip([row["bits_under"], row["bits_over"]], 0.0, high)
        canvas.stroke([zero, float(panel.x(row["bits"]))], [y, y], COLOURS[1], 6.0)
        canvas.stroke([float(x) for x in panel.x(ends)], [y, y], INK, 0.8)
        name = f"{shortened(row['arm'], 28)} · {readout_name(row['readout'])} · d {row['day']:g}"
        canvas.text(panel.left - 5, y, name, size=-1.0, ha="right")
    canvas.text(panel.middle, 9, "expected information about which structure is right [bit]")
    also = f"n = {found.animals} a group"
    return canvas.finished(
        figure_footer(found.study, also, f"{found.study.uncertainty.draws} draws")
    )
