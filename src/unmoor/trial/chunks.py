"""The unit of work: a block of draws of one cell line under one structure, all arms together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from unmoor.assays.orthotopic_xenograft import XenograftResult, run_xenograft
from unmoor.assays.preparation import INTERVAL, Setting
from unmoor.assays.quantities import COURSES
from unmoor.catalog import table
from unmoor.catalog.draws import NOMINAL, Draw
from unmoor.cell.line import CellLine, Structure
from unmoor.cell.line_rule import LineParameters
from unmoor.random import Stream
from unmoor.trial.study import Study
from unmoor.trial.study_fields import EMT_CORES, MECHANISMS

POOL = 200  # animals of the reference parameter set, from which virtual studies are drawn
_DRAWS = 40
_MOST = 1e8  # metastases; far beyond what a lung holds, within what counts are exact for
# Of rivals only shares of draws are shown; a coarser run moves them by up to .07 (measured).
_RIVAL_CLONES = 8
_RIVAL_INTERVAL = 1.0  # d
_BRANCHES = ("epithelial", "partial", "mesenchymal")
Arrays = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class Chunk:
    """Draws ``first`` to ``last`` of one line in one assay under one structure.

    Draw 0 is the reference set: the central plausible one, or the nominal values.
    """

    assay: int
    cell_line: str
    structure: Structure
    first: int
    last: int
    is_rival: bool

    @property
    def key(self) -> str:
        """Name in the ledger."""
        model = self.structure.name.replace("/", "-")
        return f"{self.assay}_{self.cell_line}_{model}_{self.first:05d}-{self.last:05d}"


def structures(study: Study) -> list[Structure]:
    """The study's own structure, then its rivals if they are asked for."""
    model = study.model
    own = Structure(model.emt_core, model.mechanism, model.e_readout)
    if not study.uncertainty.rivals:
        return [own]
    rivals = [Structure(core, mechanism) for core in EMT_CORES for mechanism in MECHANISMS]
    return [own, *(rival for rival in rivals if rival != own)]


def plan(study: Study) -> list[Chunk]:
    """All chunks of a study; the reference set of each line comes first."""
    chunks = []
    for i, structure in enumerate(structures(study)):
        blocks = [(0, 0)] if i == 0 else []
        draws = study.uncertainty.draws
        blocks += [(n, min(n + _DRAWS - 1, draws)) for n in range(1, draws + 1, _DRAWS)]
        for assay in range(len(study.assays)):
            for line in study.cell_lines:
                chunks += [Chunk(assay, line, structure, *block, i > 0) for block in blocks]
    return chunks


def compute(study: Study, chunk: Chunk, days: float | None = None) -> Arrays:
    """Run a chunk: a pure function of the study and the chunk.

    ``days`` ends it earlier than the study says.
    """
    settings = study.assays[chunk.assay]
    line = CellLine.load(chunk.cell_line, study.beside)
    host = settings.host_of(chunk.cell_line)
    if host is None:
        raise ValueError(f"no host for {chunk.cell_line}")  # a checked study names one
    setting = Setting(
        line=line,
        host=host,
        arms=list(study.arms.values()),
        structure=chunk.structure,
        duration=settings.duration if days is None else days,
        inoculum=settings.inoculum,
        clones=min(settings.clones, _RIVAL_CLONES) if chunk.is_rival else settings.clones,
        seed=study.seed,
        interval=_RIVAL_INTERVAL if chunk.is_rival else INTERVAL,
        beside=study.beside,
        interaction=study.model.interaction,
    )
    draws = draw_sets(study, chunk.structure, range(chunk.first, chunk.last + 1))
    animals = 1 if chunk.is_rival else settings.animals
    if chunk.first == NOMINAL:
        animals = max(POOL, animals)
    is_reference = chunk.first == NOMINAL and not chunk.is_rival
    followed = settings.animals if is_reference else 0
    result = run_xenograft(
        setting, draws, animals, follow=not chunk.is_rival, follow_animals=followed
    )
    return _pack(study, chunk, draws, result)


def draw_sets(study: Study, structure: Structure, numbers: Sequence[int]) -> list[Draw]:
    """Parameter sets of a study under a structure."""
    if study.uncertainty.sets == "ranges":
        return Draw.sets(study.seed, numbers, study.beside)
    return Draw.plausible(structure.name, study.seed, numbers, study.beside)


def _pack(study: Study, chunk: Chunk, draws: Sequence[Draw], result: XenograftResult) -> Arrays:
    arrays: Arrays = {
        "draw": np.arange(chunk.first, chunk.last + 1),
        "status": result.status.astype(np.int8),
        "volume": result.volume,
        "expected_metastases": result.expected_metastases,
        "exposure": result.exposure,
        "shedding": result.shedding,
        "courses": result.courses.astype(np.float32),
        "times": result.times,
        "e_cadherin": result.courses[:, :, COURSES.index("e_cadherin"), -1],
        "k_int": result.k_int,
        **_line_arrays(result.lines),
    }
    if not chunk.is_rival:
        arrays |= {"singles": result.singles, "clusters": result.clusters}
        arrays |= _observe(study, draws, result)
    if result.animal_volumes.shape[2]:
        arrays["animal_volumes"] = result.animal_volumes.astype(np.float32)
    return arrays


def _line_arrays(lines: Sequence[LineParameters]) -> Arrays:
    numbers = {
        name: np.array([getattr(line, name) for line in lines])
        for name in ("f", "beta1_tot", "e_present", "tone", "c0")
    }
    branch = np.array([_BRANCHES.index(line.branch) for line in lines], dtype=np.int8)
    return {**numbers, "branch": branch, "holds_branch": np.array([x.holds_branch for x in lines])}


def _observe(study: Study, draws: Sequence[Draw], result: XenograftResult) -> Arrays:
    """What a laboratory would read: calliper volumes and counted metastases."""
    reading, counts = np.empty(result.volume.shape), np.zeros(result.volume.shape, np.int64)
    growth = table("closures", "growth", study.beside)
    error = growth["residual_a"].value + growth["residual_b"].value * result.volume
    animals = np.arange(1, result.volume.shape[2] + 1, dtype=np.uint64)
    for d, draw in enumerate(draws):
        stream = Stream(study.seed, draw=draw.number)
        for i, arm in enumerate(study.arms):
            reading[d, i] = stream.normal(animals, f"calliper/{arm}")
        cv = draw.values("closures", "dissemination")["mu_cv"]
        expected = result.expected_metastases[d] * stream.lognormal(animals, "shedding", cv)
        expected = np.where(result.status[d][:, None] == 0, expected, 0.0)
        same = np.broadcast_to(animals, expected.shape)
        counts[d] = stream.poisson(np.minimum(expected, _MOST), same, "metastases")
    smallest = growth["smallest_reading"].value
    return {"reading": np.maximum(result.volume + error * reading, smallest), "count": counts}
