"""Judge the model by published directions, each row through a study that asks what it says.

Rows give neither doses nor days; those are in ``closures/validation`` and ``validation/doses.tsv``,
fixed before the rows were first run. A direction counts in a draw if the ratio leaves the band that
``closures/calibration`` gives for a published direction without magnitude, or, for shares of a
whole such as E-cadherin and for cosines, if the difference reaches ``switch_loss``; "no change" is
a ratio within ``same_low`` to ``same_high``. A row agrees if enough of the plausible draws have its
direction. Rows of tissues, which take long, get fewer draws.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from unmoor import catalog
from unmoor.analysis.evidence_rows import USES, EvidenceRow, Side, Treatment
from unmoor.assays.settings import ASSAYS
from unmoor.assays.tissue_settings import TissueAssay
from unmoor.catalog import table
from unmoor.cell.line import Structure
from unmoor.elementwise import FloatArray
from unmoor.errors import CatalogError, StudyError
from unmoor.parameters import GENES
from unmoor.trial.chunks import compute, plan
from unmoor.trial.readouts import level, ratio
from unmoor.trial.study import Study

STRUCTURES = (
    Structure("cascading", "tgfb"),
    Structure("cascading", "itgb3"),
    Structure("ternary", "tgfb"),
    Structure("ternary", "itgb3"),
)
AGREES, DISAGREES, CANNOT = "agrees", "disagrees", "cannot"
CALIBRATED, TUNED, TEST = "calibrated", "tuned", "test"
_CALIBRATION = ("T01", "T02", "T03", "T04", "T05", "T06", "T10a", "T10b")
_TUNED_ON = "TGEBP"  # first letters of the rows on which a prototype's defaults were tuned
_WHOLES = ("of epithelial maximum", "of full programme", "cosine")  # told as differences
_SEEDED, _INJECTED = 1e6, 1e5  # cells; ratios do not depend on them
_LEVEL = 0.9


@dataclass(frozen=True)
class Judged:
    """A row in one line under one structure of the model.

    Attributes
    ----------
    role
        ``calibrated`` and ``tuned`` rows made the model what it is; ``test`` rows did not.
    share
        Share of draws with the published direction.
    p_up, p_down
        Shares of draws that go up and down.
    draws
        Parameter sets it was judged in.
    measure
        Whether ``median``, ``low`` and ``high`` are of a ratio or of a difference.
    reason
        Why the row cannot be judged.
    """

    row: EvidenceRow
    line: str
    structure: str
    outcome: str
    role: str
    draws: int = 0
    share: float = float("nan")
    p_up: float = float("nan")
    p_down: float = float("nan")
    measure: str = "ratio"
    median: float = float("nan")
    low: float = float("nan")
    high: float = float("nan")
    reason: str = ""


class _UnableError(Exception):
    """A row that asks for what the model does not have."""


def judge_rows(
    rows: Sequence[EvidenceRow], *, draws: int = 200, seed: int = 7, workers: int = 2
) -> list[Judged]:
    """Judge every row in each of its lines; rows in conflict under every structure.

    Parameters
    ----------
    draws
        Plausible parameter sets.

    Returns
    -------
        In the order of the rows, lines and structures, whatever the workers.
    """
    tasks = [
        (row, line, structure)
        for row in rows
        for line in row.lines
        for structure in (STRUCTURES if row.use == "conflict" else STRUCTURES[:1])
    ]
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(lambda task: _judge(*task, draws=draws, seed=seed), tasks))


def role_of(row: EvidenceRow) -> str:
    """What a row was used for before it is judged."""
    if row.id in _CALIBRATION:
        return CALIBRATED
    return TUNED if row.id[:1] in _TUNED_ON else TEST


def _judge(row: EvidenceRow, line: str, structure: Structure, *, draws: int, seed: int) -> Judged:
    blank = Judged(row, line, structure.name, CANNOT, role_of(row))
    try:
        arm, reference = _values(row, line, structure, draws, seed)
    except _UnableError as error:
        return replace(blank, reason=str(error))
    except (StudyError, CatalogError) as error:
        return replace(blank, reason=str(error).splitlines()[0])
    return _compared(blank, arm, reference)


def _compared(blank: Judged, arm: FloatArray, reference: FloatArray) -> Judged:
    """Fill in how a row came out."""
    rule = _limits()
    is_whole = ASSAYS[blank.row.assay].units[blank.row.readout] in _WHOLES
    values = arm - reference if is_whole else ratio(arm, reference)
    values = values[np.isfinite(values)]
    if not values.size:
        return replace(blank, reason="no draw gives a number")
    if is_whole:
        up, down = values >= rule["switch_loss"], values <= -rule["switch_loss"]
        same = ~up & ~down
    else:
        up, down = values > rule["change"], values < 1.0 / rule["change"]
        same = (values >= rule["same_low"]) & (values <= rule["same_high"])
    share = float({"+": up, "-": down, "0": same}[blank.row.direction].mean())
    tail = 0.5 * (1.0 - _LEVEL)
    low, median, high = (float(x) for x in np.quantile(values, [tail, 0.5, 1.0 - tail]))
    return replace(
        blank,
        outcome=AGREES if share >= rule["share"] else DISAGREES,
        draws=arm.size,
        share=share,
        p_up=float(up.mean()),
        p_down=float(down.mean()),
        measure="difference" if is_whole else "ratio",
        median=median,
        low=low,
        high=high,
    )


@lru_cache(maxsize=1)
def _limits() -> dict[str, float]:
    values = table("closures", "validation").values_by_id()
    values["change"] = table("closures", "calibration")["change"].value
    values["switch_loss"] = table("closures", "line_rule")["switch_loss"].value
    return values


def _values(
    row: EvidenceRow, line: str, structure: Structure, draws: int, seed: int
) -> tuple[FloatArray, FloatArray]:
    """The row's readout on both sides in each draw, shape (draws,) each."""
    kind = ASSAYS.get(row.assay)
    if kind is None:
        raise _UnableError(f"there is no assay {row.assay}")
    if row.readout not in kind.outcomes:
        raise _UnableError(f"{row.assay} does not read {row.readout}")
    if issubclass(kind, TissueAssay):
        draws = min(draws, int(_limits()["tissue_draws"]))
    study, days = study_of(row, line, structure, draws, seed)
    parts = [compute(study, chunk) for chunk in plan(study) if chunk.first > 0]
    outcome = kind.outcomes.index(row.readout)
    names = list(study.arms)
    sides = []
    for name, day in zip(("perturbed", "reference"), days, strict=True):
        arm = names.index(name) if name in names else 0
        at = int(np.argmin(np.abs(parts[0]["days"] - day)))
        sides.append(np.concatenate([level(part, arm, outcome, at) for part in parts]))
    return sides[0], sides[1]


def study_of(
    row: EvidenceRow, line: str, structure: Structure, draws: int, seed: int
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
    perturbed, reference, last = _timed(row)
    days = (perturbed.read or last, reference.read or last)
    last = max(days) if perturbed.read or reference.read else last
    arms = {
        name: [_item(each, side, in_animals=in_animals) for each in side.treatments]
        for name, side in (("reference", reference), ("perturbed", perturbed))
        if side.treatments
    }
    study = Study(
        [line],
        {"none": [], **arms},
        "none",
        assay=_assay(row, line, last, days),
        seed=seed,
        uncertainty={"draws": draws, "rivals": False},
        model={"emt_core": structure.emt_core, "mechanism": structure.mechanism},
        name=row.id,
    )
    return study, days


def _timed(row: EvidenceRow) -> tuple[Side, Side, float]:
    """Both sides, and when they are read unless they say so [d].

    What ends on some day ends soon after the start in a tissue, which would grow for too long: its
    cells have been under it in culture.
    """
    rule, (perturbed, reference) = _limits(), row.sides
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


def _assay(row: EvidenceRow, line: str, last: float, days: tuple[float, float]) -> dict[str, Any]:
    settings: dict[str, Any] = {"name": row.assay, "duration": last}
    names = {field.name for field in ASSAYS[row.assay].table}
    if "read" in names:
        settings["read"] = sorted(set(days))
    if "matrix" in names and row.matrix:
        settings["matrix"], *density = row.matrix.split()
        if density and "collagen" in names:
            settings["collagen"] = _density(density[0])
    if "spheroids" in names:
        settings["cells"] = int(_limits()["tissue_cells"])
    if "animals" in names:
        settings |= {"animals": 2, "inoculum": _SEEDED}
    elif "inoculum" in names:
        settings["inoculum"] = _INJECTED
    if "host" in names:
        home = catalog.about("cell_lines", line).get("host", "nsg")
        settings["host"] = row.host or home
    return settings


def _density(word: str) -> float:
    """Density of a gel that a row calls dense or loose [mg/mL]."""
    density = _limits().get(f"{word}_collagen")
    if density is None:
        raise _UnableError(f"there is no density for a gel that is {word}")
    return density


def _item(each: Treatment, side: Side, *, in_animals: bool) -> dict[str, Any]:
    """A treatment as a study file would have it."""
    times = {
        name: at for name, at in (("start", each.start), ("stop", each.stop)) if at is not None
    }
    if each.kind in ("edit", "re_express"):
        if each.what.upper() not in GENES:
            raise _UnableError(f"no input of the network stands for {each.what}")
        if side.read is not None:  # days of read-out count from the edit
            times.setdefault("start", 0.0)
        change = {"gene": each.what.upper(), **times}
        if each.kind == "re_express":
            return {**change, "change": "re_express"}
        factor = float(each.amount)
        return {**change, "change": "knock_down" if factor < 1.0 else "over_express",
                "factor": factor}  # fmt: skip
    if each.kind == "radiation":
        default = _limits()["irradiated"] if in_animals else 0.0
        return {"radiation": each.amount, "start": times.get("start", default)}
    if each.kind == "medium":
        return {"drug": each.what.lower(), "concentration": each.amount, **times}
    return {"drug": each.what, **_dose(each.what, in_animals=in_animals), **times}


def _dose(drug: str, *, in_animals: bool) -> dict[str, str]:
    known = _doses().get(drug)
    if known is None:
        raise _UnableError(f"there is no dose for a drug {drug}")
    if in_animals:
        return {"dose": known["dose"], "every": known["every"]}
    return {"concentration": known["concentration"]}


@lru_cache(maxsize=1)
def _doses() -> dict[str, dict[str, str]]:
    path = catalog.ROOT / "validation" / "doses.tsv"
    with path.open(encoding="utf-8") as file:
        return {row["drug"]: row for row in csv.DictReader(file, delimiter="\t")}


@dataclass(frozen=True)
class Score:
    """How many rows of one role and use agree, disagree and cannot be judged."""

    role: str
    use: str
    agrees: int
    disagrees: int
    cannot: int


def scores(judged: Sequence[Judged]) -> Iterator[Score]:
    """Count rows; a row agrees if it does so in every line that can be run."""
    rows: dict[str, list[Judged]] = {}
    for each in judged:
        rows.setdefault(each.row.id, []).append(each)
    told = [(group[0].role, group[0].row.use, verdict_of(group)) for group in rows.values()]
    for role in (CALIBRATED, TUNED, TEST):
        for use in USES:
            found = [verdict for r, u, verdict in told if (r, u) == (role, use)]
            if found:
                counts = [found.count(word) for word in (AGREES, DISAGREES, CANNOT)]
                yield Score(role, use, *counts)


def verdict_of(group: Sequence[Judged]) -> str:
    """What a row comes to over its lines; lines that cannot be run are left out.

    A row in conflict agrees if it does so in all lines under one of the structures.
    """
    able = [each for each in group if each.outcome != CANNOT]
    if not able:
        return CANNOT
    return AGREES if structures_that_agree(able) else DISAGREES


def structures_that_agree(group: Sequence[Judged]) -> list[str]:
    """Structures under which a row comes out in every line that can be run."""
    able = [each for each in group if each.outcome != CANNOT]
    names = dict.fromkeys(each.structure for each in able)
    return [name for name in names if all(x.outcome == AGREES for x in able if x.structure == name)]
