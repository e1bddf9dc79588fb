"""What an arm gives of each drug and of radiation, and what that does in each draw."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

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
    """What one drug does over time, in each of several draws.

    Attributes
    ----------
    course
        At the grid's times and as means over intervals, shapes (draws, intervals + 1) and
        (draws, intervals): blocked share, death rate [1/d] or amount added, by the drug's action.
    greatest, hill
        Shape of the dose response of an inhibitor, a number a draw.
    """

    drug: Drug
    course: Course
    greatest: tuple[float, ...]
    hill: tuple[float, ...]


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


def act(exposure: Exposure, draws: Sequence[Draw], grid: FloatArray) -> Act:
    """What an exposure does in each draw; worked out once for all arms that give the same."""
    drug, end = exposure.drug, float(grid[-1])
    doses = tuple(
        (time, regimen.dose)
        for regimen in exposure.regimens
        if regimen.dose is not None
        for time in regimen.times(end)
    )
    courses, greatest, hill = [], [], []
    for draw in draws:
        values = draw.values("drugs", exposure.name)
        given = Given(doses, exposure.route, _held(exposure, values))
        courses.append(_remembered(exposure, draw, values, given, grid))
        greatest.append(values.get("max_effect", 1.0))
        hill.append(values.get("hill", 1.0))
    return Act(drug, _stacked(courses), tuple(greatest), tuple(hill))


def irradiated(
    fractions: Sequence[Irradiation], draws: Sequence[Draw], grid: FloatArray
) -> tuple[Course, Course]:
    """Death rate at unit sensitivity [1/d], and TGFβ set free, from all fractions together."""
    given = sorted((time, item.radiation) for item in fractions for time in item.times())
    values = [draw.values("closures", "radiation") for draw in draws]
    killing = [radiation.death_rate(given, each, grid) for each in values]
    return _stacked(killing), _stacked([radiation.freed_tgfb(given, x, grid) for x in values])


def _remembered(
    exposure: Exposure, draw: Draw, values: dict[str, float], given: Given, grid: FloatArray
) -> Course:
    key = (exposure.name, given, grid.size, float(grid[-1]))
    course: Course = draw.remember(key, lambda: _course(exposure.drug, values, given, grid))
    return course


def _stacked(courses: Sequence[Course]) -> Course:
    return np.array([at for at, _ in courses]), np.array([mean for _, mean in courses])


def _held(exposure: Exposure, values: dict[str, float]) -> tuple[tuple[float, float, float], ...]:
    """Concentrations kept up: start, stop [d] and level [nM]."""
    mass = values.get("molar_mass", math.nan)
    mass *= _GRAMS if exposure.drug.model == "antibody" else 1.0
    return tuple(
        (
            regimen.start,
            math.inf if regimen.stop is None else regimen.stop,
            regimen.concentration.nanomolar(mass),
        )
        for regimen in exposure.regimens
        if regimen.concentration is not None
    )


def _course(drug: Drug, values: dict[str, float], given: Given, grid: FloatArray) -> Course:
    if drug.action == "kills":
        return chemotherapy.death_rate(values, given, grid)
    if drug.action == "adds":
        fine = FineGrid.of(grid)
        at, inside = fine.held(given)
        per_nanomolar = values["potency"] * values["molar_mass"] / 1e3  # ng/mL in 1 nM
        return per_nanomolar * at[:: fine.substeps], per_nanomolar * fine.coarse(inside)
    return blocked_course(drug.model, values, given, grid, drug.response)
