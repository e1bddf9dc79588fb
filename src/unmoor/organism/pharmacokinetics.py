"""From a dosing schedule to the share of a target's function that is blocked in the tumour.

An antibody passes from plasma (two compartments) into the tumour and is consumed by its target;
a slow-offset inhibitor is cleared within hours while its effect lasts for days. Equations:
docs/explanation/therapy.md.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from unmoor.compilation import kernel, part
from unmoor.elementwise import FloatArray
from unmoor.organism.dosing import FineGrid, Given
from unmoor.organism.linear_kinetics import disposition, nanomolar, plasma_level
from unmoor.therapy.response import blocked, occupied

_ANTIBODY = ("CL", "Q", "V1", "V2", "ka", "K_D", "PS", "k_e", "eps", "R_0")
Course = tuple[FloatArray, FloatArray]  # at the grid's times, and means over its intervals


def blocked_course(
    model: str,
    values: Mapping[str, float],
    given: Given,
    grid: FloatArray,
    response: str = "hill",
) -> Course:
    """Blocked share of the target's function at the grid's times and its mean over each interval.

    Parameters
    ----------
    model
        ``antibody``, ``slow_offset`` or ``reversible``.
    values
        The drug's parameters by id, in the units of its table.
    given
        Doses into an animal, or concentrations in a medium.
    grid
        Increasing times from 0, equally spaced, shape (intervals + 1,) [d].
    response
        Named dose response of ``therapy.response``.

    Returns
    -------
        Shares at the grid's times, shape (intervals + 1,), and means, shape (intervals,) [-].
    """
    fine = FineGrid.of(grid)
    bound, inside = _occupancy(model, values, given, grid)
    points = blocked(bound, values, response)
    if inside is None:  # what changes slowly
        means = 0.5 * (points[:-1] + points[1:])
    else:
        means = blocked(inside, values, response)
    return points[:: fine.substeps].copy(), fine.coarse(means)


def blocked_fraction(
    model: str,
    values: Mapping[str, float],
    doses: Sequence[float],
    dose: float,
    route: str | None,
    grid: FloatArray,
) -> Course:
    """Blocked share after equal doses [mg/kg] at given times [d]; see ``blocked_course``."""
    given = Given(tuple((time, dose) for time in doses), route)
    return blocked_course(model, values, given, grid)


def plasma_concentration(
    values: Mapping[str, float],
    doses: Sequence[float],
    dose: float,
    route: str | None,
    times: FloatArray,
) -> FloatArray:
    """Antibody in plasma from the closed form, one exponential a compartment [nM].

    ``times`` have shape (times,) [d].
    """
    weights, rates = disposition(values, route)
    scale = dose * 1e6 / (values["V1"] * values["molar_mass"])
    result = np.zeros_like(times)
    for given in doses:
        after = times - given
        for weight, rate in zip(weights, rates, strict=True):
            result += np.where(after >= 0, scale * weight * np.exp(-rate * np.abs(after)), 0.0)
    return result


def _occupancy(
    model: str, values: Mapping[str, float], given: Given, grid: FloatArray
) -> tuple[FloatArray, FloatArray | None]:
    """Bound or inhibited share at fine times, and for what changes fast its mean over steps."""
    fine = FineGrid.of(grid)
    if given.held:
        return _in_medium(model, values, given, fine)
    if model == "reversible":
        level = plasma_level(values, given, grid)
        free = [nanomolar(values["partition"] * x, values["molar_mass"]) for x in level]
        hill = values.get("hill", 1.0)
        return occupied(free[0], values["ic50"], hill), occupied(free[1], values["ic50"], hill)
    doses, bound = fine.doses(given), np.zeros(fine.count + 1)
    if model == "antibody":
        concentration = values["bioavailability"] if given.route != "iv" else 1.0
        concentration *= 1e6 / (values["V1"] * values["molar_mass"])  # nM per mg/kg
        numbers = np.array([values[name] for name in _ANTIBODY])
        _antibody(doses * concentration, numbers, given.route == "iv", fine.step, bound)
    else:
        concentration = 1e6 * values["bioavailability"] / (values["V"] * values["molar_mass"])
        elimination = math.log(2.0) * 24.0 / values["half_life"]
        onset = values["k_on"] / values["ic50"]
        numbers = np.array([values["ka"], elimination, onset, values["k_off"]])
        _slow_offset(doses * concentration, numbers, fine.step, bound)
    return bound, None


def _in_medium(
    model: str, values: Mapping[str, float], given: Given, fine: FineGrid
) -> tuple[FloatArray, FloatArray | None]:
    """The same for cells in medium, which holds far more drug than they can bind."""
    at, inside = fine.held(given)
    if model == "slow_offset":
        bound = np.zeros(fine.count + 1)
        onset = values["k_on"] / values["ic50"]
        _inhibit(inside, onset, values["k_off"], fine.step, bound)
        return bound, None
    half = values["K_D"] if model == "antibody" else values["ic50"]
    hill = values.get("hill", 1.0)
    return occupied(at, half, hill), occupied(inside, half, hill)


@part
def _free(total: float, capacity: float, affinity: float, share: float) -> float:
    """Free antibody C in share·C + capacity·C/(affinity + C) = total."""
    b = share * affinity + capacity - total
    return (math.sqrt(b * b + 4.0 * share * affinity * total) - b) / (2.0 * share)


@part
def _antibody_slope(x: FloatArray, n: tuple[float, ...], slope: FloatArray) -> None:
    """Depot, plasma and peripheral concentration (per V1), antibody in the tumour."""
    clearance, exchange, v1, v2, ka, affinity, permeability, internal, share, capacity = n
    free = _free(max(x[3], 0.0), capacity, affinity, share)
    slope[0] = -ka * x[0]
    slope[1] = ka * x[0] - (clearance + exchange) / v1 * x[1] + exchange / v2 * x[2]
    slope[2] = exchange / v1 * x[1] - exchange / v2 * x[2]
    slope[3] = permeability * (x[1] - free) - internal * capacity * free / (affinity + free)


@kernel
def _antibody(
    given: FloatArray,
    numbers: FloatArray,
    is_intravenous: bool,
    step: float,
    occupancy: FloatArray,
) -> None:
    n = (numbers[0], numbers[1], numbers[2], numbers[3], numbers[4],
         numbers[5], numbers[6], numbers[7], numbers[8], numbers[9])  # fmt: skip
    x, trial = np.zeros(4), np.zeros(4)
    k = np.zeros((4, 4))
    for i in range(occupancy.size):
        free = _free(max(x[3], 0.0), n[9], n[5], n[8])
        occupancy[i] = free / (n[5] + free)
        x[1 if is_intravenous else 0] += given[i]
        for stage in range(4):
            reach = 0.0 if stage == 0 else (step if stage == 3 else 0.5 * step)
            for j in range(4):
                trial[j] = x[j] + reach * k[stage - 1, j]
            _antibody_slope(trial, n, k[stage])
        for j in range(4):
            x[j] += step / 6.0 * (k[0, j] + 2.0 * k[1, j] + 2.0 * k[2, j] + k[3, j])


@kernel
def _slow_offset(
    given: FloatArray, numbers: FloatArray, step: float, inhibition: FloatArray
) -> None:
    """Exact steps of depot and plasma; inhibition exact for the mean level in a step."""
    ka, ke, onset, offset = numbers[0], numbers[1], numbers[2], numbers[3]
    depot, plasma, inhibited = 0.0, 0.0, 0.0
    kept, cleared = math.exp(-ka * step), math.exp(-ke * step)
    passed = step * cleared if abs(ka - ke) < 1e-9 else (cleared - kept) / (ka - ke)
    for i in range(inhibition.size):
        inhibition[i] = inhibited
        depot += given[i]
        new = plasma * cleared + ka * depot * passed
        left = depot * kept
        mean = (depot - left + plasma - new) / (ke * step)
        bound, total = onset * mean, onset * mean + offset
        inhibited = bound / total + (inhibited - bound / total) * math.exp(-total * step)
        depot, plasma = left, new


@kernel
def _inhibit(
    concentration: FloatArray, onset: float, offset: float, step: float, inhibition: FloatArray
) -> None:
    """Slow-offset inhibition at a level that is constant in each step, exact."""
    inhibited = 0.0
    for i in range(concentration.size):
        bound = onset * concentration[i]
        total = bound + offset
        inhibited = bound / total + (inhibited - bound / total) * math.exp(-total * step)
        inhibition[i + 1] = inhibited
