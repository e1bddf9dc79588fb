"""Judge the model by published directions, each row through a study that asks what it says.

Rows give neither doses nor days; those are in ``closures/validation`` and ``validation/doses.tsv``,
fixed before the rows were first run; a ``catalog/`` beside a table of one's own is searched first.
Every row is judged under every named structure; how it comes out is told in ``evidence_verdict``.
Rows of tissues, which take long, get fewer draws. What was computed is kept in a memory by what
decides it, so that a job that was stopped goes on and rows that ask the same share the work.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from unmoor import catalog
from unmoor.analysis.evidence_doses import UnableError, dose_of, named_drug
from unmoor.analysis.evidence_rows import EvidenceRow, Side, Treatment
from unmoor.analysis.evidence_verdict import CANNOT, NOT_RUN, Judged, compared, role_of
from unmoor.analysis.memory import Memory
from unmoor.analysis.pieces import name_of, name_within, work_through
from unmoor.assays.settings import ASSAYS
from unmoor.assays.tissue_settings import TissueAssay
from unmoor.catalog import table
from unmoor.cell.line import Structure
from unmoor.elementwise import FloatArray
from unmoor.errors import CatalogError, StudyError
from unmoor.parameters import GENES
from unmoor.trial.chunks import Chunk, compute, plan
from unmoor.trial.readouts import level
from unmoor.trial.run import Progress
from unmoor.trial.study import Study

STRUCTURES = (
    Structure("cascading", "tgfb"),
    Structure("cascading", "itgb3"),
    Structure("ternary", "tgfb"),
    Structure("ternary", "itgb3"),
    Structure("cascading", "tgfb", "balance"),
    Structure("cascading", "itgb3", "balance"),
)
WEIGHED = STRUCTURES[:4]
"""Structures that a study weighs against each other; the others are options of its own choice."""
_SEEDED, _INJECTED = 1e6, 1e5  # cells; ratios do not depend on them


@dataclass(frozen=True)
class Asking:
    """How rows are asked.

    Attributes
    ----------
    draws
        Parameter sets under each structure.
    sets
        Where they come from, as in a study.
    tissue_draws
        Parameter sets over all structures in rows of tissues; as the catalog says if None, and
        such rows are not run if 0.
    beside
        Folder of the table, whose ``catalog/`` is searched first.
    """

    draws: int = 200
    seed: int = 7
    structures: tuple[Structure, ...] = STRUCTURES
    sets: str = "plausible"
    tissue_draws: int | None = None
    beside: Path | None = None


class _Job(NamedTuple):
    """A block of draws of a row's study, and the days on which its two sides are read."""

    key: str
    study: Study
    chunk: Chunk
    days: tuple[float, float]

    @property
    def seconds(self) -> float:
        """Time it takes, roughly [s]."""
        draws = self.chunk.last - self.chunk.first + 1
        return self.study.assays[0].seconds * len(self.study.arms) * draws


def judge_rows(
    rows: Sequence[EvidenceRow],
    asking: Asking | None = None,
    *,
    draws: int | None = None,
    workers: int | None = None,
    memory: Memory | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> list[Judged]:
    """Judge every row in each of its lines under each structure.

    Parameters
    ----------
    asking
        How rows are asked; under the model's first structure alone if None.
    draws
        Parameter sets under each structure, instead of those of ``asking``.
    memory
        What is known; nothing is kept beyond this call if None.
    workers, progress
        As for :func:`unmoor.trial.run.run`.

    Returns
    -------
        In the order of the rows, lines and structures, whatever the workers.

    Raises
    ------
    Interrupted
        If it was stopped; what the memory holds is not computed again.
    """
    asking = asking or Asking(structures=STRUCTURES[:1])
    asking = asking if draws is None else replace(asking, draws=draws)
    memory = memory or Memory()
    blanks = [
        Judged(row, line, structure.name, CANNOT, role_of(row))
        for row in rows
        for line in row.lines
        for structure in asking.structures
    ]
    planned = [_jobs_of(blank, asking) for blank in blanks]
    wanted = {job.key: job for jobs in planned if not isinstance(jobs, Judged) for job in jobs}
    todo = [job for job in wanted.values() if memory.get(job.key) is None]
    faults = _work(sorted(todo, key=lambda job: job.seconds), memory, workers, progress)
    return [
        jobs if isinstance(jobs, Judged) else _judged(blank, jobs, memory, faults, asking)
        for blank, jobs in zip(blanks, planned, strict=True)
    ]


def _jobs_of(blank: Judged, asking: Asking) -> Judged | list[_Job]:
    """What must be computed for a row in a line under a structure, or why it cannot be."""
    row = blank.row
    try:
        kind = ASSAYS.get(row.assay)
        if kind is None:
            raise UnableError(f"there is no assay {row.assay}")
        if row.readout not in kind.outcomes:
            raise UnableError(f"{row.assay} does not read {row.readout}")
        draws = asking.draws
        if issubclass(kind, TissueAssay):
            draws = min(draws, _tissue_draws(asking))
            if draws == 0:
                return replace(blank, outcome=NOT_RUN, reason="rows of tissues were left out")
        structure = next(x for x in asking.structures if x.name == blank.structure)
        study, days = study_of(row, blank.line, structure, draws, asking.seed, asking.beside)
        study = study.replace(uncertainty={"draws": draws, "rivals": False, "sets": asking.sets})
        name = _named(study, days)
        return [
            _Job(name_within(name, chunk.key), study, chunk, days)
            for chunk in plan(study) if chunk.first > 0
        ]  # fmt: skip
    except UnableError as error:
        return replace(blank, reason=str(error))
    except (StudyError, CatalogError) as error:
        return replace(blank, reason=str(error).splitlines()[0])


def _tissue_draws(asking: Asking) -> int:
    """Draws of a tissue under each structure; the number in all is what costs."""
    given = asking.tissue_draws
    whole = int(protocol(asking.beside)["tissue_draws"]) if given is None else given
    return -(-whole // len(asking.structures))


def _named(study: Study, days: tuple[float, float]) -> str:
    """Name of what a row's study gives, whatever the number of draws."""
    one = {"draws": 1, "rivals": False, "sets": study.uncertainty.sets}
    return name_of(study.replace(uncertainty=one), "evidence", days)


def _work(
    todo: Sequence[_Job],
    memory: Memory,
    workers: int | None,
    progress: Callable[[Progress], None] | None,
) -> dict[str, str]:
    """Compute what is missing, quick rows first; returns what could not be, and why."""
    for structure in dict.fromkeys(job.chunk.structure for job in todo):
        structure.network.compiled  # noqa: B018 - compiles and caches before workers start
    faults: dict[str, str] = {}

    def keep(job: _Job, found: dict[str, FloatArray] | str) -> int:
        if isinstance(found, str):
            faults[job.key] = found
        else:
            memory.put(job.key, found)
        return 0

    options: dict[str, Any] = {"workers": workers, "progress": progress}
    work_through(todo, _computed, keep, memory, cost=lambda job: job.seconds, **options)
    return faults


def _computed(job: _Job) -> dict[str, FloatArray] | str:
    """Every readout of the two sides, shape (outcomes, draws) each, or why there is none."""
    try:
        arrays = compute(job.study, job.chunk)
    except (StudyError, CatalogError) as error:
        return str(error).splitlines()[0]
    names, found = list(job.study.arms), {}
    for name, day in zip(("perturbed", "reference"), job.days, strict=True):
        arm = names.index(name) if name in names else 0
        at = int(np.argmin(np.abs(arrays["days"] - day)))
        outcomes = range(len(job.study.assays[0].outcomes))
        found[name] = np.array([level(arrays, arm, outcome, at) for outcome in outcomes])
    return found


def _judged(
    blank: Judged,
    jobs: Sequence[_Job],
    memory: Memory,
    faults: Mapping[str, str],
    asking: Asking,
) -> Judged:
    """Fill in how a row came out, from what the memory holds."""
    for job in jobs:
        if job.key in faults:
            return replace(blank, reason=faults[job.key])
    parts = [memory.get(job.key) or {} for job in jobs]
    at = ASSAYS[blank.row.assay].outcomes.index(blank.row.readout)
    arm, reference = (
        np.concatenate([part[side][at] for part in parts]) for side in ("perturbed", "reference")
    )
    return compared(blank, arm, reference, protocol(asking.beside))


def protocol(beside: Path | None) -> dict[str, float]:
    """Days, draws, doses and bands of the protocol; those beside a table of one's own first."""
    if beside is None or not (beside / "catalog" / "closures" / "validation").is_dir():
        return _limits()
    return _limits() | table("closures", "validation", beside).values_by_id()


@lru_cache(maxsize=1)
def _limits() -> dict[str, float]:
    values = table("closures", "validation").values_by_id()
    values["change"] = table("closures", "calibration")["change"].value
    values["switch_loss"] = table("closures", "line_rule")["switch_loss"].value
    return values


def study_of(
    row: EvidenceRow,
    line: str,
    structure: Structure,
    draws: int,
    seed: int,
    beside: Path | None = None,
) -> tuple[Study, tuple[float, float]]:
    """The study that asks what a row asks, and the days on which its two sides are read.

    Raises
    ------
    StudyError
        If such a study cannot be.
    CatalogError
        If the line is not in the catalog.
    """
    in_animals = "host" in {field.name for field in ASSAYS[row.assay].table}
    perturbed, reference, last = _timed(row, protocol(beside))
    days = (perturbed.read or last, reference.read or last)
    last = max(days) if perturbed.read or reference.read else last
    arms = {
        name: [_item(each, side, beside, in_animals=in_animals) for each in side.treatments]
        for name, side in (("reference", reference), ("perturbed", perturbed))
        if side.treatments
    }
    study = Study(
        [line],
        {"none": [], **arms},
        "none",
        assay=_assay(row, line, last, days, beside),
        seed=seed,
        uncertainty={"draws": draws, "rivals": False},
        model=asdict(structure),
        beside=beside,
        name=row.id,
    )
    return study, days


def _timed(row: EvidenceRow, rule: Mapping[str, float]) -> tuple[Side, Side, float]:
    """Both sides, and when they are read unless they say so [d].

    What ends on some day ends soon after the start in a tissue, which would grow for too long: its
    cells have been under it in culture.
    """
    perturbed, reference = row.sides
    ends = [t.stop for side in row.sides for t in side.treatments if t.stop is not None]
    if not ends:
        return perturbed, reference, rule[row.assay]
    if not issubclass(ASSAYS[row.assay], TissueAssay):
        return perturbed, reference, max(ends) + rule["restored"]
    stop = rule["tissue_stop"]
    sides = [
        replace(side, treatments=tuple(
            each if each.stop is None else replace(each, stop=stop) for each in side.treatments
        ))
        for side in row.sides
    ]  # fmt: skip
    return sides[0], sides[1], stop + rule["tissue_restored"]


def _assay(
    row: EvidenceRow, line: str, last: float, days: tuple[float, float], beside: Path | None
) -> dict[str, Any]:
    rule = protocol(beside)
    settings: dict[str, Any] = {"name": row.assay, "duration": last}
    names = {field.name for field in ASSAYS[row.assay].table}
    if "read" in names:
        settings["read"] = sorted(set(days))
    if "matrix" in names and row.matrix:
        settings["matrix"], *density = row.matrix.split()
        if density and "collagen" in names:
            settings["collagen"] = _density(density[0], rule)
    if "spheroids" in names:
        settings["cells"] = int(rule["tissue_cells"])
    if "animals" in names:
        settings |= {"animals": 2, "inoculum": _SEEDED}
    elif "inoculum" in names:
        settings["inoculum"] = _INJECTED
    if "host" in names:
        home = catalog.about("cell_lines", line, beside).get("host", "nsg")
        settings["host"] = row.host or home
    return settings


def _density(word: str, rule: Mapping[str, float]) -> float:
    """Density of a gel that a row calls dense or loose [mg/mL]."""
    density = rule.get(f"{word}_collagen")
    if density is None:
        raise UnableError(f"there is no density for a gel that is {word}")
    return density


def _item(each: Treatment, side: Side, beside: Path | None, *, in_animals: bool) -> dict[str, Any]:
    """A treatment as a study file would have it."""
    times = {
        name: at for name, at in (("start", each.start), ("stop", each.stop)) if at is not None
    }
    if each.kind in ("edit", "re_express"):
        if each.what.upper() not in GENES:
            raise UnableError(f"no input of the network stands for {each.what}")
        if side.read is not None:  # days of read-out count from the edit
            times.setdefault("start", 0.0)
        change = {"gene": each.what.upper(), **times}
        if each.kind == "re_express":
            return {**change, "change": "re_express"}
        factor = float(each.amount)
        return {**change, "change": "knock_down" if factor < 1.0 else "over_express",
                "factor": factor}  # fmt: skip
    if each.kind == "radiation":
        default = protocol(beside)["irradiated"] if in_animals else 0.0
        return {"radiation": each.amount, "start": times.get("start", default)}
    if each.kind == "medium":
        return {"drug": named_drug(each.what, beside), "concentration": each.amount, **times}
    return {"drug": each.what, **dose_of(each.what, beside, in_animals=in_animals), **times}
