"""The unit of work: a block of draws of one cell line under one structure, all arms together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from unmoor.assays.base import Bench, Outcome
from unmoor.catalog.draws import NOMINAL, Draw
from unmoor.cell.line import CellLine, Structure
from unmoor.cell.line_rule import LineParameters
from unmoor.trial.frames import pack_frames
from unmoor.trial.study import Study
from unmoor.trial.study_fields import EMT_CORES, MECHANISMS

POOL = 200  # animals of the reference parameter set, from which virtual studies are drawn
_DRAWS = 40
_SECONDS = 10.0  # that a chunk may take, so that little is lost when a run is stopped
_ANIMALS = 40_000  # of a chunk in each arm at most, so that memory does not grow with a study
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
        draws = study.uncertainty.draws
        for assay, settings in enumerate(study.assays):
            if i > 0 and not settings.has_tumours:
                continue  # rivals are compared by the verdict, which only tumours have
            animals = 1 if i > 0 else max(settings.animals, 1)
            quick = int(_SECONDS / (settings.seconds * len(study.arms)))
            size = min(_DRAWS, max(1, _ANIMALS // animals), max(1, quick))
            blocks = [(0, 0)] if i == 0 else []
            blocks += draw_blocks(draws, size)
            for line in study.cell_lines:
                chunks += [Chunk(assay, line, structure, *block, i > 0) for block in blocks]
    return chunks


def draw_blocks(draws: int, size: int) -> list[tuple[int, int]]:
    """First and last number of blocks of draws, of a size but for the last; draws begin at 1."""
    return [(n, min(n + size - 1, draws)) for n in range(1, draws + 1, size)]


def compute(study: Study, chunk: Chunk, days: float | None = None) -> Arrays:
    """Run a chunk: a pure function of the study and the chunk.

    ``days`` ends it earlier than the study says.
    """
    bench = Bench(
        line=CellLine.load(chunk.cell_line, study.beside),
        arms=study.arms,
        structure=chunk.structure,
        seed=study.seed,
        beside=study.beside,
        interaction=study.model.interaction,
        escape=study.model.escape,
        days=days,
        is_rival=chunk.is_rival,
        is_reference=chunk.first == NOMINAL and not chunk.is_rival,
        pool=POOL,
    )
    draws = draw_sets(study, chunk.structure, range(chunk.first, chunk.last + 1))
    return _pack(chunk, study.assays[chunk.assay].run(bench, draws))


def draw_sets(study: Study, structure: Structure, numbers: Sequence[int]) -> list[Draw]:
    """Parameter sets of a study under a structure."""
    sets = study.uncertainty.sets
    if sets == "ranges" or (sets == "prior" and NOMINAL in numbers):  # the reference is no draw
        return Draw.sets(study.seed, numbers, study.beside)
    if sets == "prior":
        return Draw.sets(study.seed, numbers, study.beside, is_prior=True)
    return Draw.plausible(structure.name, study.seed, numbers, study.beside)


def _pack(chunk: Chunk, outcome: Outcome) -> Arrays:
    return {
        "draw": np.arange(chunk.first, chunk.last + 1),
        "status": outcome.status.astype(np.int8),
        "courses": outcome.courses,
        "times": outcome.times,
        "readouts": outcome.readouts,
        "days": outcome.days,
        "k_int": outcome.k_int,
        **_line_arrays(outcome.lines),
        **outcome.arrays,
        **pack_frames(outcome.snapshots),
    }


def _line_arrays(lines: Sequence[LineParameters]) -> Arrays:
    numbers = {
        name: np.array([getattr(line, name) for line in lines])
        for name in ("f", "beta1_tot", "e_present", "tone", "c0")
    }
    branch = np.array([_BRANCHES.index(line.branch) for line in lines], dtype=np.int8)
    return {**numbers, "branch": branch, "holds_branch": np.array([x.holds_branch for x in lines])}
