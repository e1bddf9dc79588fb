"""The scoreboard as a page: published directions, what the model says, and what fails."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from unmoor.analysis.evidence_rows import USES
from unmoor.analysis.evidence_verdict import AGREES, RowVerdict, least_share
from unmoor.analysis.validation import Validation
from unmoor.report.canvas import FOOTER, Canvas, Panel, shortened
from unmoor.report.page import Origin, Plot, Section, Table, write_page
from unmoor.report.style import FAINT, GREY, INK
from unmoor.trial.provenance import software

_ROW, _LEFT, _RIGHT, _KEY = 13.0, 205.0, 54.0, 50.0  # pt
_SPREAD = 10.0  # pt over which the marks of a row are spread, one a structure
_SIGNS = {"+": "+", "-": "\u2212", "0": "="}
_MOST_TEXT = 47  # letters of a row's name
_HEADS = {
    "hard": "Rows that must come out",
    "soft": "Rows that should come out",
    "conflict": "Rows on which published evidence disagrees",
}


class _Look(NamedTuple):
    """How a structure is marked: core by shape, mechanism by colour, balance hollow."""

    marker: str
    colour: str
    face: str


def _look(structure: str) -> _Look:
    core, mechanism, *readout = structure.split("/")
    colour = "#0072B2" if mechanism == "tgfb" else "#D55E00"
    marker = "o" if core == "cascading" else "^"
    return _Look(marker, colour, "white" if readout else colour)


def write_scoreboard(folder: str | os.PathLike[str], found: Validation) -> Path:
    """Write ``report.html`` with its figures and tables into a folder.

    Returns
    -------
        The HTML file.

    Raises
    ------
    ResourceError, RunFolderError
        If the disk is full, or a file cannot be written.
    """
    origin = Origin("table", found.name, found.asking.seed, found.digest, found.catalog)
    sections = [_summary(found), *_uses(found), _failures(found)]
    return write_page(
        folder,
        "Published directions, and what the model says",
        origin,
        sections,
        question="Which findings does the model reproduce, under which structure, and which not?",
        notes=[*_notes(found)],
    )


def _notes(found: Validation) -> Iterator[str]:
    roles = {each.role for each in found.rows}
    if roles & {"calibrated", "tuned"}:
        yield (
            "Rows that are marked calibrated condition the parameter sets, and a prototype's "
            "defaults were chosen while rows marked tuned were looked at: agreement there is "
            "fitting, not validation."
        )
    if found.asking.sets == "prior":
        yield (
            f"Rows of {found.left_out} informed no draw on this page: draws are from the prior. "
            "That the prototype's defaults were chosen with some of them in view cannot be undone."
        )
    elif found.left_out:
        yield (
            f"No draw was ever conditioned on rows of {found.left_out}. That a prototype's "
            "defaults were chosen with those marked tuned in view cannot be undone."
        )
    if any(each.outcome == "not run" for each in found.rows):
        yield "Rows of tissues, which take long, were left out; they are listed as not run."


def _summary(found: Validation) -> Section:
    totals = found.totals
    told = [("all rows", totals), ("by sign alone", totals["sign"])]
    told += [(f"{role} rows", own) for role, own in totals["roles"].items()]
    told += [(f"{name} alone", own) for name, own in totals["options"].items()]
    rows = [
        {"what": what} | {f"{use}_{word}": own[use][word] for use in USES for word in own[use]}
        for what, own in told
    ]
    frame = pd.DataFrame(rows)
    shown = ["what", *(f"{use}_{word}" for use in USES for word in ("agrees", "rows"))]
    heads = {f"{use}_rows": f"of {use}" for use in USES}
    weights = ", ".join(f"{name} {share:.3g}" for name, share in found.weights.items())
    publications = pd.DataFrame(
        [{"publication": name, **counts} for name, counts in totals["publications"].items()]
    )
    rule = (
        "A row agrees if at least four in five of the weighted draws have the published direction "
        "in every line; one without a change agrees if the 90 % interval of the ratio lies within "
        "0.8 to 1.25. A change counts from a ratio of 1.1, of shares of a whole from a difference "
        "of 0.2. A row on which evidence disagrees must come out under one structure alone."
    )
    return Section(
        "How many rows agree",
        [rule, f"Weights of the mixture, the same for all rows: {weights}. By sign alone, a change "
         "counts however small it is."],
        [Table("totals", "Rows that agree", frame, heads, shown=shown),
         Table("publications", "Rows by publication", publications, {"not_run": "not run"})],
    )  # fmt: skip


def _uses(found: Validation) -> Iterator[Section]:
    for use in USES:
        rows = [each for each in found.rows if each.row.use == use]
        if not rows:
            continue
        frame = pd.DataFrame([_told(each) for each in rows])
        names = [each.name for each in found.asking.structures]
        plot = Plot(
            f"shares_{use}",
            _HEADS[use],
            "Share of draws with the published direction, in the line where it is least, under "
            "each structure of the model (marks) and over their mixture (black bar). +, \u2212, = "
            "at a row's name: published as more, less, no change. The dashed line is the share "
            "from which a row of a change agrees.",
            lambda rows=rows, names=names: _figure(found, rows, names),  # type: ignore[misc]
            _data(rows, names),
        )
        table = Table(
            f"rows_{use}", f"{_HEADS[use]}: shares of draws and outcome", frame,
            shown=["id", "lines", "assay", "perturbation", "reference", "readout", "published",
                   "probability", "outcome", "role"],
        )  # fmt: skip
        yield Section(_HEADS[use], figures=[plot], tables=[table])


def _failures(found: Validation) -> Section:
    rows = [each for each in found.rows if each.outcome != AGREES]
    columns = ["id", "use", "published", "outcome", "reason", "agrees_under"]
    frame = pd.DataFrame([_told(each) for each in rows], columns=columns)
    text = "Every row that does not agree, with what the model says instead, line by line."
    return Section("What fails, and why", [text], [Table("failures", "Rows that fail", frame)])


def _told(each: RowVerdict) -> dict[str, Any]:
    row = each.row
    return {
        "id": row.id,
        "use": row.use,
        "role": each.role,
        "lines": ", ".join(row.lines),
        "assay": row.assay.replace("_", " "),
        "matrix": row.matrix,
        "perturbation": row.perturbation,
        "reference": row.reference,
        "readout": row.readout.replace("_", " "),
        "published": _SIGNS[row.direction],
        "probability": each.probability,
        "outcome": each.outcome,
        "agrees_under": ", ".join(each.agrees_under) or "none",
        "reason": each.reason,
        "source": row.source,
        "evidence": row.evidence,
    }


def _data(rows: Sequence[RowVerdict], names: Sequence[str]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"id": each.row.id, "published": each.row.direction, "mixture": each.probability}
            | {name: least_share(each.options[name]) for name in names}
            for each in rows
        ]
    )


def _figure(found: Validation, rows: Sequence[RowVerdict], names: Sequence[str]) -> Figure:
    canvas = Canvas(
        1, 1, height=_ROW * len(rows), left=_LEFT, right=_RIGHT, top=8.0, bottom=_KEY
    )  # fmt: skip
    panel = canvas.boxes[0].with_axes(x_limits=(-0.03, 1.03), y_limits=(len(rows) - 0.5, -0.5))
    needed = next((x.needed for each in rows for x in each.lines), 0.8)
    canvas.frame(panel, x_ticks=[(x, f"{x:g}") for x in (0, 0.2, 0.4, 0.6, 0.8, 1)])
    canvas.stroke(panel.x([needed] * 2), [panel.base, panel.top], GREY, 0.7, (0, (3, 2)))
    for place, each in enumerate(rows):
        _draw_row(canvas, panel, place, each)
    for order, name in enumerate(names):
        look, shift = _look(name), _SPREAD * (0.5 - (order + 0.5) / len(names))
        points = [(least_share(x.options[name]), i) for i, x in enumerate(rows)]
        kept = [(share, i) for share, i in points if share == share]
        canvas.axes.scatter(
            panel.x([share for share, _ in kept]),
            panel.y([i for _, i in kept]) + shift,
            s=7, marker=look.marker, facecolors=look.face, edgecolors=look.colour,
            linewidths=0.7, zorder=5,
        )  # fmt: skip
    canvas.text(panel.middle, panel.base - 17, "share of draws with the published direction")
    _key(canvas, names)
    draws = f"{found.asking.draws} draws under each structure"
    version = software()["version"]
    return canvas.finished(f"unmoor {version} · seed {found.asking.seed} · {draws}")


def _draw_row(canvas: Canvas, panel: Panel, place: int, each: RowVerdict) -> None:
    """Name, faint line, bar of the mixture and outcome of a row."""
    y, row = float(panel.y(place)), each.row
    canvas.stroke([panel.left, panel.right], [y, y], FAINT, 0.4)
    lines = row.lines[0] + (f" +{len(row.lines) - 1}" if len(row.lines) > 1 else "")
    name = shortened(f"{row.id}  {lines}: {row.readout.replace('_', ' ')}", _MOST_TEXT)
    canvas.text(panel.left - 14, y, name, size=-0.5, ha="right")
    canvas.text(panel.left - 6, y, _SIGNS[row.direction], fontweight="bold")
    if each.probability == each.probability:
        x = float(panel.x(each.probability))
        canvas.stroke([x, x], [y - 4.4, y + 4.4], INK, 1.6)
    is_good = each.outcome == AGREES
    canvas.text(
        panel.right + 5, y, each.outcome, size=-0.5, ha="left",
        color=GREY if is_good else INK, fontweight="normal" if is_good else "bold",
    )  # fmt: skip


def _key(canvas: Canvas, names: Sequence[str]) -> None:
    handles = [
        Line2D([], [], linestyle="none", marker=look.marker, markersize=4,
               markerfacecolor=look.face, markeredgecolor=look.colour, markeredgewidth=0.8,
               label=name)
        for name, look in ((name, _look(name)) for name in names)
    ]  # fmt: skip
    handles.append(Line2D([], [], linestyle="none", marker="|", markersize=7, markeredgewidth=1.6,
                          color=INK, label="mixture"))  # fmt: skip
    canvas.figure.legend(
        handles=handles, loc="lower center",
        bbox_to_anchor=(0.5, FOOTER / (canvas.height + FOOTER)), ncols=4, frameon=False,
        borderpad=0.1, labelspacing=0.4, handletextpad=0.3, columnspacing=1.4,
    )  # fmt: skip
