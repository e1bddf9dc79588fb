"""From a dosing schedule to the share of a target's function that is blocked in the tumour.

An antibody passes from plasma (two compartments) into the tumour and is consumed by its target;
a slow-offset inhibitor is cleared within hours while its effect lasts for days. Equations:
docs/equations.md.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from unmoor.compilation import kernel, part
from unmoor.elementwise import FloatArray

_STEPS_A_DAY = 48  # half an hour
_ANTIBODY = ("CL", "Q", "V1", "V2", "ka", "K_D", "PS", "k_e", "eps", "R_0")


def blocked_fraction(
    model: str,
    values: Mapping[str, float],
    doses: Sequence[float],
    dose: float,
    route: str | None,
    grid: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Blocked share of the target's function at the grid's times and its mean over each interval.

    Parameters
    ----------
    model
        ``antibody`` or ``slow_offset``.
    values
        The drug's parameters by id, in the units of its table.
    doses
        Times of dosing [d].
    dose
        Dose each time [mg/kg].
    route
        ``iv`` puts an antibody straight into plasma; None is the usual route.
    grid
        Increasing times from 0, equally spaced, shape (intervals + 1,) [d].

    Returns
    -------
        Shares at the grid's times, shape (intervals + 1,), and means, shape (intervals,) [-]:
        occupied or inhibited target × ``max_effect``.
    """
    length = float(grid[1] - grid[0])
    substeps = max(2, math.ceil(length * _STEPS_A_DAY - 1e-9))
    step = length / substeps
    count = (grid.size - 1) * substeps
    given = _doses_on_steps(doses, step, count, dose)
    fine = np.zeros(count + 1)
    if model == "antibody":
        concentration = values["bioavailability"] if route != "iv" else 1.0
        concentration *= 1e6 / (values["V1"] * values["molar_mass"])  # nM per mg/kg
        numbers = np.array([values[name] for name in _ANTIBODY])
        _antibody(given * concentration, numbers, route == "iv", step, fine)
    else:
        concentration = 1e6 * values["bioavailability"] / (values["V"] * values["molar_mass"])
        elimination = math.log(2.0) * 24.0 / values["half_life"]
        onset = values["k_on"] / values["ic50"]
        numbers = np.array([values["ka"], elimination, onset, values["k_off"]])
        _slow_offset(given * concentration, numbers, step, fine)
    fine *= values["max_effect"]
    inside = 0.5 * (fine[:-1] + fine[1:]).reshape(-1, substeps)
    means = np.zeros(inside.shape[0])
    for column in range(substeps):  # in order, so that the bits do not depend on the shape
        means += inside[:, column]
    return fine[::substeps].copy(), means / substeps


def plasma_concentration(
    values: Mapping[str, float],
    doses: Sequence[float],
    dose: float,
    route: str | None,
    times: FloatArray,
) -> FloatArray:
    """Antibody in plasma from the closed form, one exponential a compartment [nM].

    ``times`` have shape (times,) [d]; the closed form is singular where ``ka`` equals a rate.
    """
    k10, k12 = values["CL"] / values["V1"], values["Q"] / values["V1"]
    k21 = values["Q"] / values["V2"]
    total, product = k10 + k12 + k21, k10 * k21
    fast = 0.5 * (total + math.sqrt(total**2 - 4.0 * product))
    rates = [fast, product / fast]
    weights = [(fast - k21) / (fast - rates[1]), (k21 - rates[1]) / (fast - rates[1])]
    scale = dose * 1e6 / (values["V1"] * values["molar_mass"])
    if route != "iv":
        ka = values["ka"]
        weights = [w * ka / (ka - r) for w, r in zip(weights, rates, strict=True)]
        weights, rates = [*weights, -sum(weights)], [*rates, ka]
        scale *= values["bioavailability"]
    result = np.zeros_like(times)
    for given in doses:
        after = times - given
        for weight, rate in zip(weights, rates, strict=True):
            result += np.where(after >= 0, scale * weight * np.exp(-rate * np.abs(after)), 0.0)
    return result


def _doses_on_steps(doses: Sequence[float], step: float, count: int, dose: float) -> FloatArray:
    """Dose given at the start of each fine step (to the nearest half hour)."""
    given = np.zeros(count + 1)
    for time in doses:
        index = round(time / step)
        if index <= count:
            given[index] += dose
    return given


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
