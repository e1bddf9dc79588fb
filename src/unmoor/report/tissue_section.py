"""What the report shows of tissues: stills of each line in each assay, and a film of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import pandas as pd
from matplotlib.figure import Figure

from unmoor.report.plan import Plan
from unmoor.report.tissue_figure import TIMES, panels
from unmoor.report.tissue_film import BUDGET, film
from unmoor.report.view import View
from unmoor.tissue.snapshot import Snapshot
from unmoor.trial.file_names import file_name

SHOWN = 2
"""Tissues (lines in assays) that the report shows; the full report shows all."""
STILL_ARMS = 4
FILM_ARMS = 6


class Tissue(NamedTuple):
    """One line in one assay, with the frames of its arms."""

    stem: str
    label: str
    arms: Mapping[str, Sequence[Snapshot]]


@dataclass(frozen=True)
class Film:
    """A film with what is said about it."""

    stem: str
    title: str
    html: str
    note: str


def tissues(view: View, *, full: bool = False) -> list[Tissue]:
    """Return what is shown, in the order of the study, its key arms first."""
    found: dict[tuple[str, str], dict[str, Sequence[Snapshot]]] = {}
    for track, frames in view.snapshots.items():
        if len(frames) and track.number == 0:
            found.setdefault((track.cell_line, track.assay), {})[track.arm] = frames
    order = [*view.key_arms, *(arm for arm in view.arms if arm not in view.key_arms)]
    shown = []
    for group in (*view.groups, *view.others):
        own = found.get((group.cell_line, group.assay), {})
        arms = {arm: own[arm] for arm in order if arm in own}
        if arms:
            stem = f"tissue_{file_name(group.assay)}_{file_name(group.cell_line)}"
            shown.append(Tissue(stem.replace("%", ""), group.label, arms))
    return shown if full else shown[:SHOWN]


def tissue_plans(view: View, *, full: bool = False) -> list[Plan]:
    """Return a figure of stills for each tissue."""
    return [
        Plan(
            each.stem,
            f"{each.label}: tissue in time",
            partial(_draw, each),
            partial(_caption, each),
            partial(_alt, each),
            lambda _: True,
        )
        for each in tissues(view, full=full)
    ]


def films(view: View, *, full: bool = False) -> list[Film]:
    """Return a film of each tissue; together they keep to the budget of one page."""
    shown, found = tissues(view, full=full), []
    for each in shown:
        arms = _first(each.arms, FILM_ARMS)
        title = f"{each.label} in motion"
        fragment = film(arms, name=each.stem, title=title, budget=BUDGET // len(shown))
        found.append(Film(each.stem, title, fragment, _note(each, arms)))
    return found


def _draw(tissue: Tissue, _: View) -> tuple[Figure, pd.DataFrame]:
    return panels(_first(tissue.arms, STILL_ARMS))


def _caption(tissue: Tissue, view: View) -> str:
    arms = _first(tissue.arms, STILL_ARMS)
    rest = len(tissue.arms) - len(arms)
    which = f" {rest} more arms are in the run folder." if rest else ""
    return (
        f"First tissue of each arm under {view.reference}, at up to {TIMES} times. Colour: "
        "E-cadherin. Detached: living cells that do not hang together with the main body. Dashed: "
        f"reach of the tissue at the start.{which}"
    )


def _alt(tissue: Tissue, _: View) -> str:
    arms = _first(tissue.arms, STILL_ARMS)
    told = [
        f"{arm}: {frames[0].radius.size} cells at the start, {frames[-1].radius.size} after "
        f"{frames[-1].time / 60:.3g} hours"
        for arm, frames in arms.items()
    ]
    return f"Pictures of {tissue.label}, one row an arm. {'; '.join(told)}."


def _note(tissue: Tissue, arms: Mapping[str, Sequence[Snapshot]]) -> str:
    rest = len(tissue.arms) - len(arms)
    which = f" {rest} more arms are in the run folder." if rest else ""
    return (
        "Drag or use the arrow keys to turn, + and − to zoom, space to play. Places are rounded to "
        f"1/4095 of the width of the whole.{which} All cells with all readouts: "
        "unmoor export RUN --format simularium, vtk, anndata."
    )


def _first(arms: Mapping[str, Sequence[Snapshot]], most: int) -> dict[str, Sequence[Snapshot]]:
    return dict(list(arms.items())[:most])
