"""Virtual animals of control and one treated arm, from which experiments are drawn.

In each parameter draw the same animals live under both treatments. What is kept of them is what an
experiment can meet: their volume on each day of measurement, and how many metastases their lungs
are expected to hold if they are taken on that day.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, NamedTuple

import numpy as np

from unmoor.analysis.memory import Memory
from unmoor.analysis.pieces import name_of, name_within, work_through
from unmoor.assays.base import Bench
from unmoor.catalog import table
from unmoor.cell.line import CellLine
from unmoor.elementwise import FloatArray
from unmoor.trial.animals import measured_frames
from unmoor.trial.chunks import draw_blocks, draw_sets, structures
from unmoor.trial.run import Progress
from unmoor.trial.study import Study

ANIMALS = 60
"""Animals of an arm in each draw."""
_BLOCK = 10  # draws of a piece of work


@dataclass(frozen=True)
class Pool:
    """Animals of control (0) and treated (1) in each solved draw.

    Attributes
    ----------
    draws
        Numbers of the draws, shape (draws,).
    days
        Days of measurement, the last of them the read-out, shape (days,) [d].
    volumes
        True tumour volumes, shape (draws, 2, animals, days) [mm³].
    metastases
        Expected lung metastases if the lungs are taken on a day, before the animal's own factor of
        shedding, same shape.
    shedding_cv
        Spread of that factor, shape (draws,) [-].
    """

    draws: np.ndarray
    days: FloatArray
    volumes: FloatArray
    metastases: FloatArray
    shedding_cv: FloatArray

    @cached_property
    def tumour(self) -> FloatArray:
        """Ratio of geometric-mean volumes at read-out, treated to control, shape (draws,)."""
        logs = np.log(self.volumes[..., -1]).mean(axis=2)
        ratio: FloatArray = np.exp(logs[:, 1] - logs[:, 0])
        return ratio

    @cached_property
    def spread(self) -> FloatArray:
        """Ratio of mean expected metastases at read-out, shape (draws,)."""
        means = self.metastases[..., -1].mean(axis=2)
        ratio: FloatArray = means[:, 1] / means[:, 0]
        return ratio

    @cached_property
    def central(self) -> int:
        """Index of the draw whose two effects lie nearest to their medians over all draws."""
        distance = np.zeros(self.draws.size)
        for ratio in (self.tumour, self.spread):
            logs = np.log(ratio)
            off = logs - np.median(logs)
            scale = float(np.median(np.abs(off)))
            distance += (off / scale) ** 2 if scale > 0.0 else 0.0
        return int(np.argmin(distance))


class _Piece(NamedTuple):
    first: int
    last: int

    @property
    def key(self) -> str:
        """Name in messages."""
        return f"draws {self.first}-{self.last}"


def make_pool(
    study: Study,
    *,
    memory: Memory,
    workers: int | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Pool:
    """Run the animals of a study with one line, one xenograft and two arms, control first.

    Parameters
    ----------
    study
        What is run; a study without draws is run in its reference set alone.
    memory
        Keeps finished draws.
    workers, progress
        As for :func:`unmoor.trial.run.run`.

    Raises
    ------
    Interrupted
        If it was stopped; what the memory holds is not computed again.
    """
    blocks = draw_blocks(study.uncertainty.draws, _BLOCK) or [(0, 0)]
    pieces = [_Piece(*block) for block in blocks]
    name = _named(study)
    keys = {piece: name_within(name, *piece) for piece in pieces}
    todo = [piece for piece in pieces if memory.get(keys[piece]) is None]

    def keep(piece: _Piece, values: dict[str, FloatArray]) -> int:
        memory.put(keys[piece], values)
        return 0

    work_through(todo, partial(_run, study), keep, memory, workers=workers, progress=progress)
    return _joined([memory.get(keys[piece]) or {} for piece in pieces])


def _named(study: Study) -> str:
    """What decides the animals, but not how many draws there are."""
    one = {"draws": 1, "rivals": False, "sets": study.uncertainty.sets}
    bare = study.replace(uncertainty=one, verdict={}, title="", name="")
    return name_of(bare, "pool", ANIMALS)


def _run(study: Study, piece: _Piece) -> dict[str, FloatArray]:
    """Animals of some draws; those of draws that were not solved are left out."""
    structure = structures(study)[0]
    bench = Bench(
        line=CellLine.load(study.cell_lines[0], study.beside),
        arms=study.arms,
        structure=structure,
        seed=study.seed,
        beside=study.beside,
        interaction=study.model.interaction,
        escape=study.model.escape,
        is_reference=True,  # every draw is followed animal by animal
    )
    draws = draw_sets(study, structure, range(piece.first, piece.last + 1))
    outcome = study.assays[0].run(bench, draws)
    every = table("closures", "response", study.beside)["measured_every"].value
    frames = measured_frames(np.asarray(outcome.times, dtype=float), every)
    courses = dict(zip(study.assays[0].courses, np.moveaxis(outcome.courses, 2, 0), strict=True))
    metastases = _by_day(courses, outcome.arrays)
    volumes = outcome.arrays["animal_volumes"]
    solved = (outcome.status == 0).all(axis=1)
    cv = [draw.values("closures", "dissemination")["mu_cv"] for draw in draws]
    return {
        "draws": np.arange(piece.first, piece.last + 1, dtype=float)[solved],
        "days": np.asarray(outcome.times, dtype=float)[frames],
        "volumes": np.asarray(volumes[..., frames], dtype=float)[solved],
        "metastases": metastases[..., frames][solved],
        "shedding_cv": np.asarray(cv)[solved],
    }


def _by_day(courses: Mapping[str, Any], arrays: Mapping[str, Any]) -> FloatArray:
    """Expected metastases of each animal by day, shape (draws, arms, animals, times).

    An animal sheds as its tumour has volume: what the typical animal sheds a volume and day is
    taken for every animal, and the sum at read-out is the animal's own.
    """
    typical = np.asarray(courses["tumour_volume"], dtype=float)
    shed = np.diff(np.asarray(courses["cumulative_metastases"], dtype=float), axis=-1)
    volumes = np.asarray(arrays["animal_volumes"], dtype=float)

    def between(values: FloatArray) -> FloatArray:
        return 0.5 * (values[..., 1:] + values[..., :-1])

    with np.errstate(divide="ignore", invalid="ignore"):
        rate = (shed / between(typical))[:, :, None, :]
        steps = np.cumsum(rate * between(volumes), axis=-1)
        share = np.where(steps[..., -1:] > 0.0, steps / steps[..., -1:], 0.0)
    whole = np.concatenate([np.zeros((*share.shape[:-1], 1)), share], axis=-1)
    result: FloatArray = arrays["expected_metastases"][..., None] * whole
    return result


def _joined(parts: Sequence[Mapping[str, FloatArray]]) -> Pool:
    def stacked(name: str) -> FloatArray:
        return np.concatenate([part[name] for part in parts])

    return Pool(
        stacked("draws").astype(int), parts[0]["days"], stacked("volumes"),
        stacked("metastases"), stacked("shedding_cv"),
    )  # fmt: skip
