"""Drugs that kill: the death rate they cause, and tumours in which dying cells take days to go.

Simeoni 2004: dividing cells are damaged at a rate in proportion to the plasma level and pass
through three compartments before they vanish. They count in the volume, so in Gompertz' ln V, but
neither grow nor shed. Cells killed by radiation go the same way.
Equations: docs/explanation/therapy.md.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from unmoor.compilation import kernel, part
from unmoor.elementwise import FloatArray
from unmoor.organism.dosing import FineGrid, Given
from unmoor.organism.linear_kinetics import plasma_level
from unmoor.organism.pharmacokinetics import Course
from unmoor.therapy.response import occupied

DYING = 3  # compartments that a dying cell passes through
_PACE = 0.1  # change of ln V_k in a step
_MOST_STEPS = 64  # in an interval; killing is exact in any step
_LEAST = 1e-280  # mm³; no volume is 0, since its logarithm is taken
_ONE_CELL = math.log(1e-6)  # ln mm³, by 1 mm³ to 10⁶ cells; Gompertz growth has no meaning below


def death_rate(values: Mapping[str, float], given: Given, grid: FloatArray) -> Course:
    """Death rate at unit sensitivity, at the grid's times and as mean over intervals [1/d].

    In an animal it is ``k2`` [mL/ng/d] × plasma level; in a medium, where levels last and killing
    saturates, ``kill_max`` [1/d] × C/(``ec50`` + C), in nM.
    """
    fine = FineGrid.of(grid)
    if given.held:
        at, inside = (
            values["kill_max"] * occupied(level, values["ec50"]) for level in fine.held(given)
        )
    else:
        at, inside = (values["k2"] * level for level in plasma_level(values, given, grid))
    return at[:: fine.substeps].copy(), fine.coarse(inside)


@part
def _pass_on(dying: FloatArray, a: int, made: float, rate: float, h: float) -> None:
    """Three compartments after ``h``, ``made`` mm³ having come in at an even pace; exact."""
    x = rate * h
    kept = math.exp(-x)
    first, second, third = dying[0, a], dying[1, a], dying[2, a]
    inflow = made / x
    dying[0, a] = first * kept + inflow * (1.0 - kept)
    dying[1, a] = (second + x * first) * kept + inflow * (1.0 - kept * (1.0 + x))
    dying[2, a] = (third + x * (second + 0.5 * x * first)) * kept
    dying[2, a] += inflow * max(1.0 - kept * (1.0 + x * (1.0 + 0.5 * x)), 0.0)


@part
def _reach(
    volumes: FloatArray, a: int, level: float, rates: FloatArray, drive: FloatArray, h: float
) -> float:
    """Volume killed in ``h`` at ln V = ``level``; the change of ln V_k goes to ``drive``."""
    killed = 0.0
    for k in range(volumes.shape[0]):
        slope = (drive[0, k] - drive[1, k] * level) * rates[0, k] - rates[1, k] - rates[3, k]
        drive[2, k] = slope * h
        if rates[3, k] > 0.0:
            mean = math.expm1(slope * h) / (slope * h) if abs(slope * h) > 1e-12 else 1.0
            killed += rates[3, k] * h * volumes[k, a] * mean
    return killed


@kernel
def grow_and_die(
    volumes: FloatArray,
    dying: FloatArray,
    shed: FloatArray,
    exposure: FloatArray,
    alpha: FloatArray,
    beta: FloatArray,
    rates: FloatArray,
    clearance: float,
    days: float,
) -> None:
    """Advance clones and dying cells of every animal in place, on the scale of ln V_k.

    ln V is taken in the middle of each step (order 2); killing and passing on are exact at a
    constant rate, so that no volume turns negative however strong the killing.

    Parameters
    ----------
    volumes, dying
        Volume of each clone, shape (clones, animals), and of dying cells, (3, animals) [mm³].
    shed, exposure, alpha, beta, days
        As for ``primary_tumour.grow``; ``exposure`` counts dying cells too.
    rates
        Relative growth, extra death [1/d], shedding, killing [1/d], shape (4, clones).
    clearance
        Rate at which dying cells pass from one compartment to the next [1/d].
    """
    clones, animals = volumes.shape
    drive, middle, ahead = np.empty((3, clones)), np.empty(clones), np.empty((DYING, 1))
    for a in range(animals):
        drive[0, :], drive[1, :] = alpha[a], beta[a]
        left = days
        for n in range(_MOST_STEPS):
            total, pace = 0.0, 1e-9
            for k in range(clones):
                total += volumes[k, a]
                pace = max(pace, rates[3, k] + abs(rates[1, k]) + alpha[a] * rates[0, k])
            last = left * pace <= _PACE or n == _MOST_STEPS - 1
            h = left if last else max(_PACE / pace, days / _MOST_STEPS)
            gone = dying[0, a] + dying[1, a] + dying[2, a]
            for j in range(DYING):
                ahead[j, 0] = dying[j, a]
            level = max(math.log(total + gone), _ONE_CELL)
            killed = _reach(volumes, a, level, rates, drive, 0.5 * h)
            _pass_on(ahead, 0, killed, clearance, 0.5 * h)
            halfway = ahead[0, 0] + ahead[1, 0] + ahead[2, 0]
            for k in range(clones):
                halfway += volumes[k, a] * math.exp(drive[2, k])
            killed = _reach(volumes, a, max(math.log(halfway), _ONE_CELL), rates, drive, h)
            _pass_on(dying, a, killed, clearance, h)
            after = dying[0, a] + dying[1, a] + dying[2, a]
            for k in range(clones):
                here, middle[k] = volumes[k, a], volumes[k, a] * math.exp(0.5 * drive[2, k])
                volumes[k, a] = max(here * math.exp(drive[2, k]), _LEAST)
                shed[a] += h / 6.0 * (here + 4.0 * middle[k] + volumes[k, a]) * rates[2, k]
                after += volumes[k, a]
            exposure[a] += h / 6.0 * (total + gone + 4.0 * halfway + after)
            left -= h
            if last:
                break
