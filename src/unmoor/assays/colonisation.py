"""Cells injected into the blood: transit, arrest, and outgrowth in the lung or elsewhere.

Colonisation alone: the cells come from culture, so that release from a tumour plays no part.
Equations: docs/explanation/assays.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from unmoor.assays.base import Bench, Outcome
from unmoor.assays.colony_formation import chance_of_progeny
from unmoor.assays.culture import Culture, grow_culture, in_order, setting_of
from unmoor.assays.place import Place
from unmoor.catalog.draws import Draw
from unmoor.elementwise import FloatArray, exponential, logarithm

if TYPE_CHECKING:
    from unmoor.assays.colonisation_settings import Intracardiac, TailVein

_PER_MILLION = 1e-6


@dataclass(frozen=True, eq=False)
class _Organ:
    """What became of cells in one organ, each of shape (subjects, 1).

    ``metastases`` are relative to untreated, ``outgrowth`` is cells per arrested cell.
    """

    culture: Culture
    metastases: FloatArray
    outgrowth: FloatArray


def tail_vein(settings: TailVein, bench: Bench, draws: Sequence[Draw]) -> Outcome:
    """Run parameter sets; all cells reach the lung."""
    lung = _colonise(settings, "lung", bench, draws)
    counted = _seeded(settings.inoculum, draws, lung) * lung.metastases
    return lung.culture.outcome([counted, lung.outgrowth], (settings.duration,))


def intracardiac(settings: Intracardiac, bench: Bench, draws: Sequence[Draw]) -> Outcome:
    """Run parameter sets; a share of the cells reaches the lung, the others elsewhere."""
    lung = _colonise(settings, "lung", bench, draws)
    other = _colonise(settings, settings.matrix, bench, draws)
    shares = [draw.values("closures", "culture")["lung_share"] for draw in draws]
    share = np.repeat(shares, len(lung.culture.on.arms))[:, None]
    seeded = _seeded(settings.inoculum, draws, lung)
    readouts = [seeded * share * lung.metastases, lung.outgrowth]
    readouts += [seeded * (1.0 - share) * other.metastases, other.outgrowth]
    return lung.culture.outcome(readouts, (settings.duration,))


def _seeded(inoculum: float, draws: Sequence[Draw], organ: _Organ) -> FloatArray:
    """Expected metastases of untreated cells, of which only ratios are informative."""
    rows = [draw.values("closures", "culture")["seeding_per_million"] for draw in draws]
    scale = np.repeat(rows, len(organ.culture.on.arms))[:, None]
    seeded: FloatArray = inoculum * _PER_MILLION * scale
    return seeded


def _colonise(
    settings: TailVein | Intracardiac, matrix: str, bench: Bench, draws: Sequence[Draw]
) -> _Organ:
    """Cells on the matrix of an organ, seeded thinly."""
    place = Place(matrix, organ=matrix, growth="colonies", shares_medium=False)
    host = settings.host_of(bench.line.name)
    setting = setting_of(bench, place, settings.duration, settings.clones, host)
    culture = grow_culture(setting, draws)
    c = culture.on.constants
    outgrowth = culture.pace("cluster") / (c.Theta * c.cluster_anoikis)[:, None, None]
    first, single = outgrowth[:, 0], culture.pace("single")[:, 0]
    arrested = np.divide(single, first, out=np.zeros(single.shape), where=first > 0.0)
    # A cell must get through every day, so logarithms are averaged over time.
    logs = in_order(np.swapaxes(logarithm(outgrowth), 1, 2)) / outgrowth.shape[1]
    lasting = arrested * exponential(logs)
    grown = in_order(lasting * exponential(culture.logs[:, -1]))
    arms = len(culture.on.arms)
    # A lineage that drugs or radiation have killed is no metastasis; what immunity and lost grip
    # take is in the outgrowth already.
    kept = chance_of_progeny(culture.divisions, culture.pace("kill"), culture.step, 1.0)[:, -1]
    founded = in_order(lasting * kept)
    untreated = np.repeat(founded[::arms], arms)
    through = in_order(arrested)
    cells = np.divide(grown, through, out=np.zeros(grown.shape), where=through > 0.0)
    return _Organ(culture, (founded / untreated)[:, None], cells[:, None])
