"""All figures of a report: drawn, written beside it, and described."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from unmoor.report.counts import metastasis_counts
from unmoor.report.curves import BANDED_ARMS, network_courses, tumour_curves
from unmoor.report.full import FULL
from unmoor.report.harm_plot import harm_plot
from unmoor.report.names import NETWORK
from unmoor.report.numerals import percent, ratio
from unmoor.report.plan import Plan, lines
from unmoor.report.readouts import READOUTS
from unmoor.report.sources_of_spread import SOURCES
from unmoor.report.structures import options, structure_table
from unmoor.report.style import arm_styles, as_pixels, as_png, as_svg, drawing
from unmoor.report.tissue_section import tissue_plans
from unmoor.report.view import View, targets
from unmoor.trial.atomic import write_file


@dataclass(frozen=True)
class Drawn:
    """A figure of the report."""

    stem: str
    title: str
    caption: str
    alt: str
    svg: str


def draw_figures(
    view: View, folder: Path, executor: Executor, *, full: bool = False
) -> dict[str, Drawn]:
    """Draw every figure there is data for, and write SVG, PNG and CSV files.

    Parameters
    ----------
    view
        What to draw.
    folder
        Existing folder for the files.
    executor
        Compresses and writes files while the next figure is drawn.
    full
        Whether the figures of single animals and of doses are drawn too.

    Returns
    -------
        Figures by stem of their file names.
    """
    drawn: dict[str, Drawn] = {}
    written: list[Future[None]] = []
    with drawing():
        plans = (*_PLANS, SOURCES, _STRUCTURES, *FULL) if full else (*_PLANS, SOURCES)
        for plan in (*plans, *tissue_plans(view, full=full)):
            if not plan.is_possible(view):
                continue
            figure, data = plan.draw(view)
            svg = as_svg(figure)
            path = folder / f"{plan.stem}.svg"
            written.append(executor.submit(write_file, path, svg.encode("utf-8")))
            written.append(executor.submit(_write_png, path.with_suffix(".png"), as_pixels(figure)))
            written.append(executor.submit(_write_csv, path.with_suffix(".csv"), data))
            text = (plan.title, plan.caption(view), plan.alt(view))
            drawn[plan.stem] = Drawn(plan.stem, *text, inline(svg, plan.stem, plan.alt(view)))
    for each in written:
        each.result()
    return drawn


def inline(svg: str, stem: str, alt: str) -> str:
    """SVG ready to stand in a page: no prologue, its ids its own, an alternative text."""
    body = svg[svg.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = re.sub(r'\bid="', f'id="{stem}-', body)
    body = re.sub(r'(href="#|url\(#)', rf"\g<1>{stem}-", body)
    label = alt.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
    return body.replace("<svg", f'<svg role="img" aria-label="{label}"', 1)


def _write_png(path: Path, pixels: NDArray[np.uint8]) -> None:
    write_file(path, as_png(pixels))


def _write_csv(path: Path, data: pd.DataFrame) -> None:
    text = data.to_csv(index=False, float_format="%.6g", lineterminator="\n")
    write_file(path, text.encode("utf-8"))


def _lines(view: View) -> str:
    return ", ".join(group.label for group in view.groups)


def _harm_caption(view: View) -> str:
    return (
        f"Small marks: animals simulated under {view.reference}, each relative to the "
        "control group's geometric-mean volume and mean count (count + 0.5). Large marks: expected "
        f"effect of an arm with its {percent(view.study.verdict.interval)} model interval. Dashed: "
        f"the study's margins, {view.study.verdict.smaller:g} and {view.study.verdict.spread:g}. "
        "Both axes are logarithmic."
    )


def _harm_alt(view: View) -> str:
    return (
        f"Harm plot, one panel for each of {lines(view)}: tumour volume against lung metastases, "
        f"both relative to control. {' '.join(_centres(view))}"
    )


def _centres(view: View) -> Iterator[str]:
    for group in view.groups:
        row = view.effect(group, view.lead)
        if row is not None:
            place = f"tumour {ratio(row['tumour_ratio'])}, spread {ratio(row['spread_ratio'])}"
            yield f"{group.label}, {view.lead}: {place}, {row['verdict']}."


def _courses_caption(view: View, banded: str) -> str:
    styles = arm_styles(view.arms)
    shown = ", ".join(f"{styles[arm].number} {arm}" for arm in view.key_arms[1:])
    if set(view.key_arms) == set(view.arms):
        which = "All arms are shown."
    else:
        which = f"Shown are the control{_choice(view)} ({shown}); all arms are in the data file."
    return (
        f"Median over the parameter draws with 50 % (dark) and 90 % (light) bands{banded}. {which}"
    )


def _choice(view: View) -> str:
    """How the arms beside the control were chosen."""
    if view.effects.empty:
        return f" and the {len(view.key_arms) - 1} arms whose courses lie furthest from it"
    own = targets(view.study.arms[view.lead])
    if all(own <= targets(view.study.arms[arm]) for arm in view.key_arms[1:]):
        return ", the arm of the headlines and arms that contain its treatment"
    return ", the arm of the headlines and other arms"


def _curves_caption(view: View) -> str:
    return "Volume of the typical animal. " + _courses_caption(view, "; grey is the control")


def _network_caption(view: View) -> str:
    is_many = len(view.key_arms) > BANDED_ARMS
    few = f"; bands for the first {BANDED_ARMS} arms of the key only, to keep them readable"
    explained = {
        "singles_per_cluster": " Single cells: those released for each cluster released.",
        "speed_collagen": " Speed: in collagen I.",
    }
    told = "".join(text for name, text in explained.items() if _has(view, name))
    return _courses_caption(view, few if is_many else "") + told


def _network_alt(view: View) -> str:
    shown = ", ".join(name for quantity, name in NETWORK.items() if _has(view, quantity))
    panels = ", ".join(group.label for group in (*view.groups, *view.others))
    return f"Time courses of {shown} in {panels} for {', '.join(view.key_arms)}."


def _has(view: View, *quantities: str) -> bool:
    return bool(len(view.timecourses) and view.timecourses["quantity"].isin(quantities).any())


_PLANS = (
    Plan(
        "harm_plot",
        "Harm plot: tumour change against spread change",
        harm_plot,
        _harm_caption,
        _harm_alt,
        lambda view: bool(len(view.groups)),
    ),
    READOUTS,
    Plan(
        "tumour_curves",
        "Tumour volume in time",
        tumour_curves,
        _curves_caption,
        lambda view: (
            f"Curves of tumour volume, rows {lines(view)}, columns "
            f"{', '.join(view.key_arms[1:])}, each against {view.control}."
        ),
        lambda view: bool(view.treated and view.groups) and _has(view, "tumour_volume"),
    ),
    Plan(
        "metastasis_counts",
        "Lung metastases at the read-out day",
        metastasis_counts,
        lambda view: (
            f"Each mark is one animal simulated under {view.reference}; the dashed "
            "line is the mean of the control. The axis is log(1 + count)."
        ),
        lambda view: (
            f"Strip plot of lung metastases for {len(view.arms)} arms in {lines(view)}; "
            "the mean of each arm is written beside it."
        ),
        lambda view: bool(len(view.groups)),
    ),
    Plan(
        "network_courses",
        "Inside the cells: the network in time",
        network_courses,
        _network_caption,
        _network_alt,
        lambda view: _has(view, *NETWORK),
    ),
)
# The page has the same numbers as a table, so that only the full report draws them.
_STRUCTURES = Plan(
    "structures",
    "P(switch) under each structural option",
    structure_table,
    lambda _: (
        "Structural options: EMT core (cascading or ternary) and what "
        "loss of β1 acts through (TGFβ directly, or β3 integrin). Bold: 0.5 and more. The "
        "rivals of the study's own structure are run coarser (8 clones, inputs held for a "
        "day); coarser runs of rivals lower these shares by up to 0.15."
    ),
    lambda view: (
        f"Heat table of P(switch): arms against {', '.join(options(view))} in "
        f"{lines(view)}; the numbers follow in a table."
    ),
    lambda view: bool(view.treated and len(options(view)) > 1),
)
