"""Drugs whose plasma level is in proportion to the dose: one or two compartments, exactly.

Each exponential of the closed form decays on its own, so steps of any length are exact.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from unmoor.compilation import kernel
from unmoor.elementwise import FloatArray
from unmoor.organism.dosing import FineGrid, Given

_NANOGRAMS = 1e6  # ng/mL in a dose of 1 mg/kg spread over 1 mL/kg
_APART = 1e-6  # relative distance of absorption and disposition, below which they are set apart


def disposition(values: Mapping[str, float], route: str | None) -> tuple[list[float], list[float]]:
    """Weights [-] and rates [1/d] of the exponentials that a unit dose over V1 decays by.

    ``values`` holds CL and Q [mL/d/kg], V1 and V2 [mL/kg]; without Q there is one compartment.
    Any route but ``iv`` needs ``ka`` [1/d] and ``bioavailability`` [-].
    """
    k10, exchange = values["CL"] / values["V1"], values.get("Q", 0.0)
    if exchange > 0.0:
        k12, k21 = exchange / values["V1"], exchange / values["V2"]
        total = k10 + k12 + k21
        fast = 0.5 * (total + math.sqrt(total * total - 4.0 * k10 * k21))
        slow = k10 * k21 / fast
        rates, weights = [fast, slow], [(fast - k21) / (fast - slow), (k21 - slow) / (fast - slow)]
    else:
        rates, weights = [k10], [1.0]
    if route != "iv":
        ka = values["ka"]
        for rate in rates:
            if abs(ka - rate) < _APART * rate:  # the closed form is singular there
                ka = rate * (1.0 + _APART)
        share = values["bioavailability"]
        weights = [share * w * ka / (ka - r) for w, r in zip(weights, rates, strict=True)]
        weights, rates = [*weights, -sum(weights)], [*rates, ka]
    return weights, rates


def plasma_level(
    values: Mapping[str, float], given: Given, grid: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Level in plasma on the fine grid.

    Returns
    -------
        Level at each time, before the dose given then, shape (count + 1,), and mean over each
        step, shape (count,) [ng/mL].
    """
    fine = FineGrid.of(grid)
    weights, rates = disposition(values, given.route)
    doses = fine.doses(given) * (_NANOGRAMS / values["V1"])
    at, inside = np.zeros(fine.count + 1), np.zeros(fine.count)
    _decay(doses, np.array(weights), np.array(rates), fine.step, at, inside)
    return at, inside


def nanomolar(level: FloatArray, molar_mass: float) -> FloatArray:
    """Molar concentration [nM] of ``level`` [ng/mL] at ``molar_mass`` [g/mol]."""
    return level * (1e3 / molar_mass)


@kernel
def _decay(
    doses: FloatArray,
    weights: FloatArray,
    rates: FloatArray,
    step: float,
    at: FloatArray,
    inside: FloatArray,
) -> None:
    """Advance every exponential from dose to dose."""
    level, kept, mean = np.zeros(rates.size), np.empty(rates.size), np.empty(rates.size)
    for j in range(rates.size):
        kept[j] = math.exp(-rates[j] * step)
        mean[j] = -math.expm1(-rates[j] * step) / (rates[j] * step)
    for i in range(at.size):
        here, through = 0.0, 0.0
        for j in range(rates.size):
            here += level[j]
            level[j] += weights[j] * doses[i]
            through += level[j] * mean[j]
            level[j] *= kept[j]
        at[i] = max(here, 0.0)  # absorption and decay cancel at first
        if i < inside.size:
            inside[i] = max(through, 0.0)
