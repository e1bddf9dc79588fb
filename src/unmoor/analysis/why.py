"""Why an arm spreads a tumour more, or less: its effect, part by part.

The logarithm of a ratio to control is split among the *stages* from tumour to metastasis and, once
more, among the *routes* by which signalling and treatment reach behaviour: each share is what a
part adds, averaged over all orders in which parts can be added (Shapley), in the same draw and the
same animals. Shares add up to the whole. *Edges* of the network are cut one at a time: what is left
without one says whether the effect needs it; these do not add up, since edges act in series.
Equations: docs/explanation/foresight_why.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd

from unmoor.analysis.memory import Memory
from unmoor.analysis.pieces import Report, name_of, work_off
from unmoor.analysis.shapley import shapley
from unmoor.assays.attribution import ROUTES, Coalitions, coalitions, without_edge
from unmoor.assays.base import Assay
from unmoor.assays.interval import INTERVAL
from unmoor.assays.preparation import Setting
from unmoor.assays.replay import STAGES
from unmoor.cell.line import CellLine, Structure
from unmoor.elementwise import FloatArray
from unmoor.errors import Problem, StudyError, literal, nearest
from unmoor.trial.chunks import draw_blocks, draw_sets, structures
from unmoor.trial.effects import draw_interval
from unmoor.trial.study import Study
from unmoor.trial.tumour_assay import tumour_assay

PART_COLUMNS = (
    "cell_line", "structure", "arm", "outcome", "kind", "part", "mean", "median", "low", "high",
    "factor", "p_raises",
)  # fmt: skip
EDGE_COLUMNS = (
    "cell_line", "structure", "arm", "edge", "spread_ratio", "spread_without", "change", "low",
    "high", "p_switch", "p_switch_without",
)  # fmt: skip
WHOLE = "all"
_BLOCK = 20  # draws of a piece of work
_CLONES, _STEP = 8, 1.0  # of a coarse run, as rivals are run in a study; time in days


class _Piece(NamedTuple):
    """All arms of a line under a structure in a block of draws; whole, or without an edge."""

    line: str
    structure: Structure
    first: int
    last: int
    is_fine: bool
    edge: str

    @property
    def key(self) -> str:
        """Name in messages and in the memory."""
        how = "fine" if self.is_fine else "coarse"
        return f"{self.line} {self.structure.name} {self.first}-{self.last} {how} {self.edge}"


@dataclass(frozen=True)
class Why:
    """Effects of a study's arms, part by part.

    Attributes
    ----------
    study
        What was asked.
    parts
        Shares of stages and routes in the logarithm of the tumour and the spread ratio
        (``PART_COLUMNS``): mean over draws – means add up –, median and interval over draws, the
        factor exp(mean), and the share of draws in which the part raises the ratio. The part
        ``all`` is the whole.
    edges
        The spread ratio without each edge of the network (``EDGE_COLUMNS``): medians with and
        without, ``change`` of the logarithm by the edge with its interval, and P(switch).
    draws
        Shares in each draw, shape (draws,) each, by (line, structure, arm, outcome, kind, part).
    """

    study: Study
    parts: pd.DataFrame
    edges: pd.DataFrame
    draws: Mapping[tuple[str, ...], FloatArray]

    def sentences(self) -> list[str]:
        """Return what the parts say of each arm, in words."""
        from unmoor.analysis.why_text import sentences

        return sentences(self)


def why(
    study: Study,
    *,
    arms: Sequence[str] | None = None,
    among: Sequence[Structure] | None = None,
    fine: bool = False,
    memory: Memory | None = None,
    workers: int | None = None,
    progress: Report | None = None,
) -> Why:
    """Split the effects of arms into parts, and cut the edges of the network.

    Parameters
    ----------
    study
        Has a xenograft; its first one is asked.
    arms
        Names of arms instead of all; the control is always run.
    among
        Structures instead of the study's own.
    fine
        Whether to run as the study does, and not with 8 clones, inputs held for a day and one
        animal, as rivals are run.
    memory, workers, progress
        As for :func:`unmoor.analysis.foretelling.foretell`.

    Raises
    ------
    StudyError
        If the study has no xenograft, or no such arm.
    Interrupted
        If it was stopped; what the memory holds is not computed again.
    """
    asked = asked_of(study, arms)
    found = tuple(among or structures(study)[:1])
    draws = asked.uncertainty.draws
    blocks = draw_blocks(draws, _BLOCK) or [(0, 0)]
    pieces = [
        _Piece(line, structure, *block, fine, edge)
        for line in asked.cell_lines
        for structure in found
        for edge in ("", *structure.network.edges)
        for block in blocks
    ]
    results = work_off(
        pieces, partial(_compute, asked), name_of(asked, "why"),
        memory=memory, workers=workers, progress=progress,
    )  # fmt: skip
    return _gathered(asked, pieces, results)


def asked_of(study: Study, arms: Sequence[str] | None) -> Study:
    """The study with its first assay with tumours and the arms that are asked for."""
    assay = tumour_assay(study)
    for name in arms or ():
        if name not in study.arms:
            close = nearest(name, study.arms)
            fix = (
                f"did you mean {', '.join(close)}?" if close else f"it has {', '.join(study.arms)}"
            )
            problem = Problem("--arm", "", literal(name), "an arm of the study", fix, "E-ARM")
            raise StudyError(problem)
    kept = {n: arm for n, arm in study.arms.items() if not arms or n in (study.control, *arms)}
    asked: Study = study.replace(assays=[assay], arms=kept)
    return asked


def _compute(study: Study, piece: _Piece) -> dict[str, FloatArray]:
    """What a piece of work gives: logarithms of ratios, and shares in them, (draws, arms, …)."""
    assay = study.assays[0]
    setting = _setting(study, assay, piece)
    draws = draw_sets(study, piece.structure, range(piece.first, piece.last + 1))
    animals = assay.animals if piece.is_fine else 1
    control = list(study.arms).index(study.control)
    if piece.edge:
        spread, tumour = without_edge(setting, draws, animals, control, (piece.edge,))
        return {"spread": spread, "tumour": tumour}
    stages, routes = coalitions(setting, draws, animals, control)
    values = {"spread": stages.spread[..., -1], "tumour": stages.tumour[..., -1]}
    for kind, parts in (("stage", stages), ("route", routes)):
        values |= {f"{kind}_spread": _shares(parts, parts.spread, kind)}
        values |= {f"{kind}_tumour": _shares(parts, parts.tumour, kind)}
    return values


def _shares(parts: Coalitions, values: FloatArray, kind: str) -> FloatArray:
    """Shares of all parts there are; a route that no arm takes has 0."""
    names, own = list(_PARTS[kind]), shapley(values)
    whole = np.zeros((*own.shape[:-1], len(names)))
    for i, name in enumerate(parts.parts):
        whole[..., names.index(name)] = own[..., i]
    return whole


_PARTS: dict[str, tuple[str, ...]] = {"stage": STAGES, "route": tuple(ROUTES)}


def _setting(study: Study, assay: Assay, piece: _Piece) -> Setting:
    host = assay.host_of(piece.line)
    assert host is not None  # a checked study names one
    return Setting(
        line=CellLine.load(piece.line, study.beside),
        host=host,
        arms=list(study.arms.values()),
        structure=piece.structure,
        duration=assay.duration,
        inoculum=getattr(assay, "inoculum"),  # noqa: B009 - an assay with tumours has one
        clones=assay.clones if piece.is_fine else min(assay.clones, _CLONES),
        seed=study.seed,
        interval=INTERVAL if piece.is_fine else _STEP,
        beside=study.beside,
        interaction=study.model.interaction,
    )


def _gathered(
    study: Study, pieces: Sequence[_Piece], results: Sequence[Mapping[str, FloatArray]]
) -> Why:
    together: dict[tuple[str, str, str], list[Mapping[str, FloatArray]]] = {}
    for piece, values in zip(pieces, results, strict=True):
        place = (piece.line, piece.structure.name, piece.edge)
        together.setdefault(place, []).append(values)
    joined = {
        place: {name: np.concatenate([each[name] for each in blocks]) for name in blocks[0]}
        for place, blocks in together.items()
    }
    draws: dict[tuple[str, ...], FloatArray] = {}
    edges = []
    for (line, structure, edge), values in joined.items():
        if edge:
            edges += list(_edge_rows(study, line, structure, edge, values, joined))
            continue
        for i, arm in enumerate(study.arms):
            if arm != study.control:
                for outcome in ("spread", "tumour"):
                    at = (line, structure, arm, outcome)
                    draws |= dict(_part_draws(at, values, i, outcome))
    parts = pd.DataFrame(list(_part_rows(study, draws)), columns=list(PART_COLUMNS))
    return Why(study, parts, pd.DataFrame(edges, columns=list(EDGE_COLUMNS)), draws)


def _part_draws(
    place: tuple[str, ...], values: Mapping[str, FloatArray], arm: int, outcome: str
) -> Iterator[tuple[tuple[str, ...], FloatArray]]:
    yield (*place, WHOLE, WHOLE), values[outcome][:, arm]
    for kind, names in _PARTS.items():
        for i, name in enumerate(names):
            yield (*place, kind, name), values[f"{kind}_{outcome}"][:, arm, i]


def _part_rows(
    study: Study, draws: Mapping[tuple[str, ...], FloatArray]
) -> Iterator[tuple[object, ...]]:
    for place, values in draws.items():
        known = values[np.isfinite(values)]
        if known.size:
            middle, low, high = draw_interval(known, study.verdict.interval)
            mean = float(known.mean())
            raises = float((known > 0).mean())
            yield (*place, mean, middle, low, high, float(np.exp(mean)), raises)
        else:
            yield (*place, *(np.nan,) * 6)


def _edge_rows(
    study: Study,
    line: str,
    structure: str,
    edge: str,
    values: Mapping[str, FloatArray],
    joined: Mapping[tuple[str, str, str], Mapping[str, FloatArray]],
) -> Iterator[tuple[object, ...]]:
    whole = joined[line, structure, ""]
    for i, arm in enumerate(study.arms):
        if arm == study.control:
            continue
        with_edge, without = whole["spread"][:, i], values["spread"][:, i]
        both = np.isfinite(with_edge) & np.isfinite(without)
        if not both.any():
            yield (line, structure, arm, edge, *(np.nan,) * 7)
            continue
        middle, low, high = draw_interval((with_edge - without)[both], study.verdict.interval)
        ratios = [float(np.exp(np.median(x[both]))) for x in (with_edge, without)]
        switch = [
            float(((t[:, i][both] < np.log(study.verdict.smaller)) & (s[both] > np.log(
                study.verdict.spread))).mean())
            for t, s in ((whole["tumour"], with_edge), (values["tumour"], without))
        ]  # fmt: skip
        yield (line, structure, arm, edge, *ratios, middle, low, high, *switch)
