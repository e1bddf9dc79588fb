"""A design on paper: report, protocol, preregistration draft, randomisation list and its key."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from unmoor.analysis.design import END_POINTS, Design
from unmoor.analysis.design_messages import first_size, is_harm, messages
from unmoor.analysis.randomisation import randomise
from unmoor.report.canvas import Canvas, Panel, linear_ticks
from unmoor.report.docx import Part, word_file
from unmoor.report.numerals import percent, probability, ratio
from unmoor.report.page import Plot, Section, Table, figure_footer, write_page
from unmoor.report.protocol import protocol, registration
from unmoor.report.style import COLOURS, GREY, INK
from unmoor.report.templates import template
from unmoor.trial.atomic import refusals_told, write_file
from unmoor.trial.csv_text import csv_text
from unmoor.trial.provenance import software

TUMOUR, SPREAD = END_POINTS
_LABELS = {TUMOUR: "tumour volume", SPREAD: "lung metastases"}
_BLUE, _ORANGE = COLOURS[1], COLOURS[0]
_DASHES = {"power": "-", "assurance": (0, (4, 1.4)), "missed": "-"}


def write_design(
    design: Design, folder: str | os.PathLike[str], *, animals: int | None = None
) -> Path:
    """Write everything a laboratory takes away from a design.

    Parameters
    ----------
    design
        What :func:`unmoor.design` gave.
    folder
        Existing folder. It gets ``report.html`` with figures and tables, ``protocol`` and
        ``registration`` (``.html`` and ``.docx``), ``randomisation.csv`` for everybody, and
        ``blinding/key.csv`` for the one person who is not blinded.
    animals
        Animals in each arm of protocol and list; those of the design if None.

    Returns
    -------
        The report.

    Raises
    ------
    StudyError
        If there are no animals, or too many.
    ResourceError, RunFolderError
        If a file cannot be written.
    """
    place, count = Path(folder), animals or design.animals
    arms = list(design.asked.arms)
    listed, key = randomise(arms, count, design.asked.seed)
    with refusals_told(place / "blinding", 0):
        (place / "blinding").mkdir(exist_ok=True)
    write_file(place / "randomisation.csv", csv_text(listed).encode())
    write_file(place / "blinding" / "key.csv", csv_text(key).encode())
    title = design.asked.title or design.asked.name
    for name, parts in (
        ("protocol", protocol(design, count)), ("registration", registration(design, count))
    ):  # fmt: skip
        write_file(place / f"{name}.docx", word_file(parts, f"{name.capitalize()}: {title}"))
        write_file(place / f"{name}.html", _document(design, parts, name).encode())
    return write_page(
        place,
        f"How many animals: {title}",
        design.asked,
        _sections(design, count),
        question=(
            f"How many animals an arm show what “{design.arm}” does to {design.cell_line}, "
            f"against “{design.study.control}”?"
        ),
        notes=messages(design),
    )


def _document(design: Design, parts: list[Part], name: str) -> str:
    study = design.asked
    return template("protocol.html").render(
        parts=parts, title=name.capitalize(), version=software()["version"],
        study=study.title or study.name, seed=study.seed, digest=study.digest(),
    )  # fmt: skip


def _sections(design: Design, animals: int) -> list[Section]:
    return [
        Section("Power and assurance", _explained(design), [_table(design)], [_plot(design)]),
        Section("What is foretold", _foretold(design), [_effects(design)]),
        Section("What was simulated", _simulated(design)),
        Section("To take away", _files(design, animals)),
    ]


def _explained(design: Design) -> list[str]:
    choices = design.choices
    return [
        "Power: the share of simulated experiments in which an end point is significant "
        f"(two-sided, {choices.level:g}) in the direction foretold, if the central parameter set "
        "is the truth. Assurance: the same share when each experiment has another plausible set "
        "for its truth; it counts what is not known about the effect, and cannot exceed the share "
        "of sets that have an effect. Missing the harm: more spreads by the study's margin, and "
        "the experiment does not call it."
    ]


def _foretold(design: Design) -> list[str]:
    margins = design.study.verdict
    told = [
        f"Ratios to control over {design.draws} plausible parameter sets; the central set is the "
        "one whose two effects are nearest to their medians. Margins of the study: smaller below "
        f"{margins.smaller:g}, more spread above {margins.spread:g}."
    ]
    if not is_harm(design):
        told.append("The central effect on spread is no harm by the margin of the study.")
    return told


def _simulated(design: Design) -> list[str]:
    choices = design.choices
    out = " and ".join(percent(round(share, 3)) for share in design.taken_out)
    return [
        f"{choices.trials} experiments each for power and assurance. Animals of the two arms "
        "differ, as in a laboratory: each is drawn from virtual animals that grow and shed under "
        "the parameter set of its experiment, is read by calliper with its error, and has a count "
        "that is Poisson about what its tumour shed. "
        f"{percent(choices.attrition)} of animals are lost whatever their arm. "
        f"An animal that reaches the humane end point (expected: {out}, control and treated) is "
        "taken out on that day and its lungs are counted then.",
        "Volume: Welch's t-test of log volume on the last day on which every animal was measured. "
        "Metastases: negative-binomial ratio, permutation of the likelihood ratio. Both keep their "
        "level at 5 to 20 animals an arm. Intervals of shares are Wilson's (95 %) and tell the "
        "Monte-Carlo error alone, not what the model does not know.",
    ]


def _files(design: Design, animals: int) -> list[str]:
    return [
        f"protocol.html and .docx: draft in the order of ARRIVE 2.0, with {animals} animals in "
        f"each of {len(design.asked.arms)} groups. registration.html and .docx: draft for a "
        "register of animal studies. randomisation.csv: codes in the order of allocation, for "
        "everybody. blinding/key.csv: what the codes stand for, for one person alone; pass the "
        "list on without this folder, since study and seed make the key anew."
    ]


def _table(design: Design) -> Table:
    def interval(name: str) -> pd.Series:
        ends = zip(design.table[f"{name}_low"], design.table[f"{name}_high"], strict=True)
        return pd.Series([f"{low:.2f}–{high:.2f}" if low == low else "–" for low, high in ends])

    frame = design.table.copy()
    shown = ["end_point", "n"]
    for name in ("power", "assurance", "missed"):
        frame[f"{name}_interval"] = interval(name).to_numpy()
        shown += [name, f"{name}_interval"]
    formats = dict.fromkeys(("power", "assurance", "missed"), probability)
    return Table(
        "power",
        "Share of experiments by animals an arm, with Wilson's 95 % intervals",
        frame,
        headings={
            "end_point": "end point", "power_interval": "95 %", "assurance_interval": "95 %",
            "missed": "harm missed", "missed_interval": "95 %",
        },
        formats={**formats, "end_point": lambda name: _LABELS[name]},
        shown=shown,
    )  # fmt: skip


def _effects(design: Design) -> Table:
    rows = [
        {
            "end_point": name, "central": each.central, "median": each.median, "low": each.low,
            "high": each.high, "beyond_margin": each.share,
            **{f"n_{what}": design.needed[name][what] for what in ("power", "assurance")},
        }
        for name, each in design.end_points.items()
    ]  # fmt: skip
    level, target = percent(design.study.verdict.interval), design.choices.target
    frame = pd.DataFrame(rows).astype({"n_power": "Int64", "n_assurance": "Int64"})

    def number(value: object) -> str:
        return f"> {design.most}" if value is pd.NA else str(value)

    return Table(
        "effects",
        "Effects foretold, and the animals an arm that show them",
        frame,
        headings={
            "end_point": "end point", "low": f"{level} from", "high": "to",
            "beyond_margin": "sets beyond margin", "n_power": f"n for power {target:g}",
            "n_assurance": f"n for assurance {target:g}",
        },
        formats={
            "end_point": lambda name: _LABELS[name], "beyond_margin": probability,
            **dict.fromkeys(("central", "median", "low", "high"), ratio),
            "n_power": number, "n_assurance": number,
        },
    )  # fmt: skip


def _plot(design: Design) -> Plot:
    n = first_size(design)
    return Plot(
        "power",
        "Power, assurance and the harm that is missed",
        "Line: power; dashed: assurance; bands: Wilson's 95 % intervals of "
        f"{design.choices.trials} simulated experiments. Dotted: the wanted "
        f"{design.choices.target:g}, and n = {n}, planned for the tumour. Right: share of "
        "experiments that do not call more spread, among those in whose parameter set more "
        "spreads by the study's margin.",
        lambda: draw(design),
        design.table,
        f"Curves over animals an arm. {' '.join(messages(design))}",
    )


def draw(design: Design) -> Figure:
    """Three panels: tumour volume, lung metastases, harm missed."""
    panels = (
        (_LABELS[TUMOUR], TUMOUR, ("power", "assurance"), _BLUE),
        (_LABELS[SPREAD], SPREAD, ("power", "assurance"), _ORANGE),
        ("harm missed", SPREAD, ("missed",), INK),
    )
    canvas = Canvas(3, 3, height=130, left=40, right=10, top=18, bottom=44, gaps=(26, 20))
    most = float(design.table["n"].max())
    for box, (title, name, what, colour) in zip(canvas.boxes, panels, strict=True):
        panel = box.with_axes(x_limits=(0.0, 1.03 * most), y_limits=(0.0, 1.0))
        rows = design.table[design.table["end_point"] == name]
        is_known = bool(np.isfinite(rows[what[0]]).all())
        for each in what if is_known else ():
            _curve(canvas, panel, rows, each, colour)
        if not is_known:
            canvas.text(panel.middle, (panel.base + panel.top) / 2, "no draw is harmful")
        target = design.choices.target if what != ("missed",) else 0.0
        _mark(canvas, panel, first_size(design), target)
        ticks = linear_ticks(0.0, 1.0, labels=box is canvas.boxes[0])
        canvas.frame(panel, linear_ticks(0.0, most, most=6), ticks)
        canvas.title(panel, title)
        canvas.text(panel.middle, panel.base - 19, "animals an arm")
    canvas.text(8, canvas.boxes[0].base + 65, "share of experiments", rotation=90)
    _key(canvas)
    draws = f"{design.draws} parameter draws"
    trials = f"{design.choices.trials} experiments a curve"
    return canvas.finished(figure_footer(design.asked, draws, trials))


def _curve(canvas: Canvas, panel: Panel, rows: pd.DataFrame, name: str, colour: str) -> None:
    xs = panel.x(rows["n"].to_numpy(dtype=float))
    low, high = (panel.y(rows[f"{name}_{end}"].to_numpy(dtype=float)) for end in ("low", "high"))
    canvas.area(xs, low, high, colour, 0.18)
    ys = panel.y(rows[name].to_numpy(dtype=float))
    canvas.stroke(xs, ys, colour, 1.3, _DASHES[name])


def _mark(canvas: Canvas, panel: Panel, n: int, target: float) -> None:
    """Dotted lines at the wanted power and at the number planned for the tumour."""
    dots = (0, (1, 1.6))
    x = float(panel.x(n))
    canvas.stroke([x, x], [panel.base, panel.top], GREY, 0.8, dots)
    canvas.text(x + 2.5, panel.base + 6, f"n = {n}", size=-1, ha="left", color=GREY)
    if target:
        y = float(panel.y(target))
        canvas.stroke([panel.left, panel.right], [y, y], GREY, 0.8, dots)


def _key(canvas: Canvas) -> None:
    y, x = 8.0, canvas.middle - 90
    for name, label in (("power", "power"), ("assurance", "assurance")):
        canvas.stroke([x, x + 24], [y, y], INK, 1.3, _DASHES[name])
        canvas.text(x + 28, y, label, ha="left")
        x += 100
