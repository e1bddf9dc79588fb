"""Which study would tell rival structures of the model apart: arms, days and readouts, ranked.

Every arm is run with the control under each structure that the study names, in the same draws of
each. A laboratory reads tumour volumes, metastases and proteins of both groups, with the scatter
between animals and of the readings; `analysis.information` says how much such readings tell about
which structure is right, given its weights. Equations: docs/explanation/foresight_why.md.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd

from unmoor.analysis.information import Reading, expected_gain
from unmoor.analysis.memory import Memory
from unmoor.analysis.pieces import Report, name_of, work_off
from unmoor.analysis.why import asked_of
from unmoor.assays.quantities import COURSES
from unmoor.catalog import table
from unmoor.cell.line import Structure
from unmoor.elementwise import FloatArray
from unmoor.errors import Problem, StudyError
from unmoor.trial.chunks import Chunk, compute, draw_blocks, structures
from unmoor.trial.effects import draw_interval
from unmoor.trial.study import Study
from unmoor.trial.uncertainty import weights_of

VOLUME, COUNT = "tumour_volume", "lung_metastases"
PROTEINS = ("e_cadherin", "mesenchymal", "tgfb_activity", "itgb3")
SETS: Mapping[str, tuple[str, ...]] = {
    VOLUME: (VOLUME,), COUNT: (COUNT,), **{name: (name,) for name in PROTEINS},
    "volume and metastases": (VOLUME, COUNT), "all": (VOLUME, COUNT, *PROTEINS),
}  # fmt: skip
"""Readouts that are judged, one by one and together."""
GAIN_COLUMNS = (
    "cell_line", "arm", "day", "readout", "bits", "bits_under", "bits_over", "bits_mc", "bits_most",
    "bits_per_animal",
)  # fmt: skip
PREDICTED_COLUMNS = (
    "cell_line", "arm", "day", "readout", "structure", "weight", "measure", "median", "low", "high",
)  # fmt: skip
_BLOCK = 20
_CLONES, _POOL = 8, 8  # clones of a tumour; animals from which their scatter is worked out
_BIT = math.log(2.0)


class _Piece(NamedTuple):
    line: str
    structure: Structure
    first: int
    last: int

    @property
    def key(self) -> str:
        """Name in messages and in the memory."""
        return f"{self.line} {self.structure.name} {self.first}-{self.last}"


@dataclass(frozen=True)
class Discriminated:
    """Studies that would tell rivals apart, best first.

    Attributes
    ----------
    study
        What was asked.
    animals
        In each of the two groups.
    gains
        One row an arm × day × readout (``GAIN_COLUMNS``): the information about which structure is
        right that can at least be expected, both estimates of these readouts, Monte-Carlo error,
        what there is to learn, and gain per animal of both groups [bit]. More readouts never tell
        less, but their estimate falls as its bias grows; so several readouts count for no less than
        the best of them.
    predicted
        What each rival predicts (``PREDICTED_COLUMNS``), as ratio or difference to control.
    """

    study: Study
    animals: int
    gains: pd.DataFrame
    predicted: pd.DataFrame

    def sentences(self) -> list[str]:
        """Return the best studies in words."""
        lines = []
        for line, rows in self.gains.groupby("cell_line", sort=False):
            whole = rows[rows["readout"] == "all"]
            single = rows[~rows["readout"].isin(["all", "volume and metastases"])]
            for what, best in (("one readout", single), ("all together", whole)):
                row = best.iloc[0].to_dict()
                lines.append(
                    f"{line}: by {what} best {row['arm']}, {row['readout'].replace('_', ' ')} on "
                    f"day {row['day']:g}: at least {row['bits']:.2f} of {row['bits_most']:.2f} "
                    f"bit, at most {min(row['bits_over'], row['bits_most']):.2f}, with "
                    f"{self.animals} animals a group."
                )
        return lines


def discriminate(
    study: Study,
    *,
    arms: Sequence[str] | None = None,
    animals: int | None = None,
    days: Sequence[float] | None = None,
    memory: Memory | None = None,
    workers: int | None = None,
    progress: Report | None = None,
) -> Discriminated:
    """Rank arms, days and readouts of a study by what they tell about which structure is right.

    Parameters
    ----------
    study
        Its structures are the rivals, with their weights; its arms are the candidates.
    arms
        Names of arms instead of all.
    animals
        In each group; the assay's own if None.
    days
        When animals are read, the nearest times that are followed; half-way and at the end if None.
    memory, workers, progress
        As for :func:`unmoor.analysis.foretelling.foretell`.

    Raises
    ------
    StudyError
        If the study has no xenograft, no rivals, too few draws, or no such arm.
    """
    asked = asked_of(study, arms)
    rivals = structures(asked)
    draws = asked.uncertainty.draws
    weights = weights_of(asked, [each.name for each in rivals])
    if sum(w > 0 for w in weights.values()) < 2 or draws < 4:
        expected = "two structures with a weight, and 4 draws or more"
        fix = "write rivals = true and draws = 100 under [uncertainty]"
        got = f"{len(rivals)} structures, {draws} draws"
        raise StudyError(Problem("uncertainty", "", got, expected, fix, "E-ASKED"))
    pieces = [
        _Piece(line, structure, *block)
        for line in asked.cell_lines
        for structure in rivals
        for block in draw_blocks(draws, _BLOCK)
    ]
    own = asked.assays[0]
    coarse = type(own)(**{**_settings(own), "clones": min(own.clones, _CLONES), "animals": _POOL})
    run = asked.replace(assays=[coarse])
    found = work_off(
        pieces, partial(_compute, run), name_of(run, "discriminate"),
        memory=memory, workers=workers, progress=progress,
    )  # fmt: skip
    count = animals or own.animals
    return _ranked(asked, rivals, weights, pieces, found, count, days)


def _settings(assay: object) -> dict[str, object]:
    names = [field.name for field in getattr(assay, "table") if field.name != "name"]  # noqa: B009
    return {name: getattr(assay, name) for name in names}


def _compute(study: Study, piece: _Piece) -> dict[str, FloatArray]:
    """Courses of the typical animal, and how animals scatter, by draw and arm."""
    arrays = compute(study, Chunk(0, piece.line, piece.structure, piece.first, piece.last, False))
    is_bad = arrays["status"] != 0
    with np.errstate(all="ignore"):
        logs = np.log(arrays["volume"])
        expected = arrays["expected_metastases"]
        scatter = logs.std(axis=2, ddof=1)
        cv = expected.std(axis=2, ddof=1) / expected.mean(axis=2)
    courses = arrays["courses"].astype(float)
    courses[is_bad] = np.nan
    return {"courses": courses, "scatter": scatter, "cv": cv, "times": arrays["times"][None]}


@dataclass(frozen=True)
class _Rival:
    """A structure in one line: courses (draws, arms, quantities, times), scatter (draws, arms)."""

    name: str
    weight: float
    courses: FloatArray
    scatter: FloatArray
    cv: FloatArray
    times: FloatArray


def _ranked(
    study: Study,
    among: Sequence[Structure],
    weights: Mapping[str, float],
    pieces: Sequence[_Piece],
    found: Sequence[Mapping[str, FloatArray]],
    animals: int,
    days: Sequence[float] | None,
) -> Discriminated:
    gains, predicted = [], []
    for line in study.cell_lines:
        rivals = []
        for structure in among:
            parts = [
                values for piece, values in zip(pieces, found, strict=True)
                if (piece.line, piece.structure) == (line, structure)
            ]  # fmt: skip
            joined = [np.concatenate([p[n] for p in parts]) for n in ("courses", "scatter", "cv")]
            curves, scatter, cv = joined
            weight, times = weights[structure.name], parts[0]["times"][0]
            rivals.append(_Rival(structure.name, weight, curves, scatter, cv, times))
        for arm in [name for name in study.arms if name != study.control]:
            for at in _times(rivals[0].times, days):
                gains += list(_gains(study, line, rivals, arm, at, animals))
                predicted += list(_predicted(study, line, rivals, arm, at))
    table_of = pd.DataFrame(gains, columns=list(GAIN_COLUMNS))
    table_of = table_of.sort_values("bits", ascending=False, kind="stable").reset_index(drop=True)
    told = pd.DataFrame(predicted, columns=list(PREDICTED_COLUMNS))
    return Discriminated(study, animals, table_of, told)


def _times(times: FloatArray, days: Sequence[float] | None) -> list[int]:
    wanted = [0.5 * times[-1], times[-1]] if days is None else list(days)
    return list(dict.fromkeys(int(np.argmin(np.abs(times - day))) for day in wanted))


def _gains(
    study: Study, line: str, rivals: Sequence[_Rival], arm: str, at: int, animals: int
) -> Iterator[tuple[object, ...]]:
    read = [_readings(study, each, arm, at) for each in rivals]
    weights = [each.weight for each in rivals]
    gains = {}
    for name, parts in SETS.items():
        sets = [[own[x] for x in own if x[0] in parts] for own in read]
        gains[name] = expected_gain(sets, weights, animals, study.seed)
    for name, gain in gains.items():
        within = [gains[each] for each in SETS if set(SETS[each]) <= set(SETS[name])]
        surest = max(within, key=lambda each: _known(each.under))
        least = min(max(surest.under, 0.0), gain.most)
        bits = [x / _BIT for x in (least, gain.under, gain.over, surest.error, gain.most)]
        day = float(rivals[0].times[at])
        yield line, arm, day, name, *bits, bits[0] / (2 * animals)


def _known(value: float) -> float:
    return value if math.isfinite(value) else -math.inf


def _readings(study: Study, rival: _Rival, arm: str, at: int) -> dict[tuple[str, int], Reading]:
    """Readings of the arm (0) and the control (1) in each draw."""
    growth = table("closures", "growth", study.beside)
    error = table("closures", "assay_error", study.beside)
    shed = table("closures", "dissemination", study.beside)["mu_cv"].value
    found: dict[tuple[str, int], Reading] = {}
    levels: list[dict[str, FloatArray]] = []
    for group, name in enumerate((arm, study.control)):
        i = list(study.arms).index(name)
        course = {q: rival.courses[:, i, COURSES.index(q), at] for q in (*PROTEINS, VOLUME)}
        volume = np.maximum(course[VOLUME], growth["smallest_reading"].value)
        calliper = growth["residual_a"].value / volume + growth["residual_b"].value
        scatter = np.sqrt(rival.scatter[:, i] ** 2 + calliper**2)
        found[VOLUME, group] = Reading(f"{group}/{VOLUME}", False, np.log(volume), scatter)
        expected = rival.courses[:, i, COURSES.index("cumulative_metastases"), at]
        dispersion = (1.0 + shed**2) * (1.0 + rival.cv[:, i] ** 2) - 1.0
        found[COUNT, group] = Reading(f"{group}/{COUNT}", True, expected, dispersion)
        levels.append(course)
    for protein in PROTEINS:  # against control only: no laboratory reads a model's own unit
        own, base = levels[0][protein], levels[1][protein]
        share, floor = error["protein_cv"].value, error["protein_floor"].value
        sd = np.hypot(share * np.abs(own) + floor, share * np.abs(base) + floor)
        found[protein, 0] = Reading(f"0/{protein}", False, own - base, sd)
    return found


def _predicted(
    study: Study, line: str, rivals: Sequence[_Rival], arm: str, at: int
) -> Iterator[tuple[object, ...]]:
    """What each rival predicts of each readout: ratio to control, of proteins the difference."""
    names = list(study.arms)
    places = [names.index(arm), names.index(study.control)]
    for each in rivals:
        for readout in (VOLUME, COUNT, *PROTEINS):
            quantity = "cumulative_metastases" if readout == COUNT else readout
            own, base = (each.courses[:, i, COURSES.index(quantity), at] for i in places)
            with np.errstate(all="ignore"):
                values = own - base if readout in PROTEINS else own / base
            told = draw_interval(values, study.verdict.interval)
            measure = "difference" if readout in PROTEINS else "ratio"
            day = float(each.times[at])
            yield (line, arm, day, readout, each.name, each.weight, measure, *told)
