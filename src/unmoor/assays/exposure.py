"""What an arm gives of each drug and of radiation, and what that does in one draw."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from unmoor.catalog.draws import Draw
from unmoor.elementwise import FloatArray
from unmoor.organism import chemotherapy, radiation
from unmoor.organism.dosing import FineGrid, Given
from unmoor.organism.pharmacokinetics import Course, blocked_course
from unmoor.therapy.drug import Drug
from unmoor.therapy.irradiation import Irradiation
from unmoor.therapy.regimen import Regimen

_GRAMS = 1e3  # g/mol in 1 kDa, the unit of antibodies


@dataclass(frozen=True)
class Act:
    """What one drug does over time.

    Attributes
    ----------
    course
        At the grid's times and as means over intervals: blocked share, death rate [1/d] or amount
        added, by the drug's action.
    greatest, hill
        Shape of the dose response of an inhibitor.
    """

    drug: Drug
    course: Course
    greatest: float
    hill: float


@dataclass(frozen=True)
class Exposure:
    """One drug by one route, and all that an arm gives of it: one exposure, not several drugs."""

    drug: Drug
    name: str
    route: str | None
    regimens: tuple[Regimen, ...]


def exposures(regimens: Sequence[Regimen], beside: Path | None) -> list[Exposure]:
    """Regimens of an arm, those of one drug by one route together."""
    groups: dict[tuple[str, str | None], list[Regimen]] = {}
    drugs = {name: Drug.load(name, beside) for name in {item.drug for item in regimens}}
    for item in regimens:
        route = item.route or drugs[item.drug].usual_route
        groups.setdefault((item.drug, route), []).append(item)
    return [
        Exposure(drugs[name], name, route, tuple(same)) for (name, route), same in groups.items()
    ]


def act(exposure: Exposure, draw: Draw, grid: FloatArray) -> Act:
    """What an exposure does in one draw; worked out once for all arms."""
    drug, values = exposure.drug, draw.values("drugs", exposure.name)
    end = float(grid[-1])
    given = _given(exposure, values.get("molar_mass", math.nan), end)
    course: Course = draw.remember(
        (exposure.name, given, grid.size, end), lambda: _course(drug, values, given, grid)
    )
    return Act(drug, course, values.get("max_effect", 1.0), values.get("hill", 1.0))


def irradiated(
    fractions: Sequence[Irradiation], draw: Draw, grid: FloatArray
) -> tuple[Course, Course]:
    """Death rate at unit sensitivity [1/d], and TGFβ set free, from all fractions together."""
    given = sorted((time, item.radiation) for item in fractions for time in item.times())
    values = draw.values("closures", "radiation")
    return radiation.death_rate(given, values, grid), radiation.freed_tgfb(given, values, grid)


def _given(exposure: Exposure, molar_mass: float, end: float) -> Given:
    mass = molar_mass * (_GRAMS if exposure.drug.model == "antibody" else 1.0)
    doses, held = [], []
    for regimen in exposure.regimens:
        if regimen.concentration is not None:
            stop = math.inf if regimen.stop is None else regimen.stop
            held.append((regimen.start, stop, regimen.concentration.nanomolar(mass)))
        elif regimen.dose is not None:
            doses += [(time, regimen.dose) for time in regimen.times(end)]
    return Given(tuple(doses), exposure.route, tuple(held))


def _course(drug: Drug, values: dict[str, float], given: Given, grid: FloatArray) -> Course:
    if drug.action == "kills":
        return chemotherapy.death_rate(values, given, grid)
    if drug.action == "adds":
        fine = FineGrid.of(grid)
        at, inside = fine.held(given)
        per_nanomolar = values["potency"] * values["molar_mass"] / 1e3  # ng/mL in 1 nM
        return per_nanomolar * at[:: fine.substeps], per_nanomolar * fine.coarse(inside)
    return blocked_course(drug.model, values, given, grid, drug.response)
