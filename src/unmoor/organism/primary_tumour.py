"""Growth of the primary tumour: Gompertz, shared by clones that differ in growth and death.

dV_k/dt = V_k[(α − β ln V)·g_k − d_k],  V = Σ V_k, with the integrals ∫ Σ V_k s_k dt of
dissemination and ∫ V dt along the way. Rates are constant during an interval. Tumours that would
change by more than a factor of 1.6 in it are followed on the scale of ln V, where no step is too
long to stay positive and below the carrying capacity.
"""

from __future__ import annotations

import math

import numpy as np

from unmoor.compilation import kernel, part
from unmoor.elementwise import FloatArray

_FAST = 0.5  # change of ln V or of its rate in an interval, above which it is followed closely
_MOST_STEPS = 20_000


@part
def _is_fast(
    volumes: FloatArray, alpha: FloatArray, beta: FloatArray, rates: FloatArray, days: float
) -> bool:
    """Whether the typical animal, animal 0, needs short steps; decided for all animals alike."""
    total = 0.0
    for k in range(volumes.shape[0]):
        total += volumes[k, 0]
    drive = alpha[0] - beta[0] * math.log(total) if total > 0.0 else 0.0
    for k in range(volumes.shape[0]):
        pace = max(abs(drive * rates[0, k] - rates[1, k]), beta[0] * rates[0, k])
        if not pace * days <= _FAST:
            return True
    return False


@part
def _pass(
    volumes: FloatArray,
    a: int,
    alpha: float,
    beta: float,
    rates: FloatArray,
    level: float,
    weights: FloatArray,
    h: float,
    after: FloatArray,
) -> None:
    """Volumes after ``h``: exact for the growth of ``weights``, from a total of e^``level``."""
    total, growth, death = 0.0, 0.0, 0.0
    for k in range(weights.size):
        total += weights[k]
        growth += weights[k] * rates[0, k]
        death += weights[k] * rates[1, k]
    growth, death = growth / total, death / total
    pull, rise = beta * growth, alpha * growth - death
    passed = -math.expm1(-pull * h) / pull if pull * h > 1e-9 else h
    # ∫ ln V dt, with ln V relaxing to rise/pull; both terms stay small where pull does
    area = level * passed + (rise * (h - passed) / pull if pull * h > 1e-9 else 0.5 * rise * h * h)
    for k in range(weights.size):
        gain = (alpha * h - beta * area) * rates[0, k] - rates[1, k] * h
        after[k] = volumes[k, a] * math.exp(gain)


@part
def _follow(
    volumes: FloatArray,
    a: int,
    shed: FloatArray,
    exposure: FloatArray,
    alpha: float,
    beta: float,
    rates: FloatArray,
    days: float,
) -> None:
    """Advance one animal in steps in which ln V changes little; NaN if there are too many."""
    clones = volumes.shape[0]
    now, middle, after = np.empty(clones), np.empty(clones), np.empty(clones)
    left, steps = days, 0
    while left > 0.0:
        total, pace, lost = 0.0, 0.0, 0.0
        for k in range(clones):
            now[k] = volumes[k, a]
            total += now[k]
        if not total > 0.0:
            return
        level = math.log(total)
        for k in range(clones):
            pace = max(pace, abs((alpha - beta * level) * rates[0, k] - rates[1, k]))
        h = left if pace * left <= _FAST else _FAST / pace
        _pass(volumes, a, alpha, beta, rates, level, now, 0.5 * h, middle)
        _pass(volumes, a, alpha, beta, rates, level, middle, h, after)
        steps += 1
        for k in range(clones):
            here, there = now[k] + 4.0 * middle[k] + after[k], rates[2, k]
            exposure[a] += h / 6.0 * here
            lost += h / 6.0 * here * there
            volumes[k, a] = after[k] if steps < _MOST_STEPS else math.nan
        shed[a] += lost
        left = left - h if h < left else 0.0


@kernel
def grow(
    volumes: FloatArray,
    shed: FloatArray,
    exposure: FloatArray,
    alpha: FloatArray,
    beta: FloatArray,
    rates: FloatArray,
    days: float,
) -> None:
    """Advance the clones of every animal in place, by one Runge–Kutta step of order 4 if it may.

    Animals lie side by side in the inner loops, so that the processor takes several at once;
    sums over clones run in their order.

    Parameters
    ----------
    volumes
        Volume of each clone, shape (clones, animals) [mm³].
    shed
        Running integral of Σ V_k s_k, shape (animals,) [mm³·d × unit of s].
    exposure
        Running integral of V, shape (animals,) [mm³·d].
    alpha, beta
        Gompertz parameters, shape (animals,) [1/d].
    rates
        Relative growth g, extra death d [1/d] and shedding s of each clone during the interval,
        shape (3, clones).
    days
        Length of the interval [d].
    """
    clones, animals = volumes.shape
    if _is_fast(volumes, alpha, beta, rates, days):
        for a in range(animals):
            _follow(volumes, a, shed, exposure, alpha[a], beta[a], rates, days)
        return
    trial, summed = volumes.copy(), np.zeros((clones, animals))
    total, left = np.empty(animals), np.empty(animals)
    for stage in range(4):
        weight = 2.0 if stage == 1 or stage == 2 else 1.0
        reach = days if stage == 2 else 0.5 * days
        for a in range(animals):
            total[a], left[a] = 0.0, 0.0
        for k in range(clones):
            for a in range(animals):
                total[a] += trial[k, a]
                left[a] += trial[k, a] * rates[2, k]
        for a in range(animals):
            shed[a] += weight * left[a] * days / 6.0
            exposure[a] += weight * total[a] * days / 6.0
            total[a] = alpha[a] - beta[a] * math.log(total[a]) if total[a] > 0.0 else 0.0
        for k in range(clones):
            for a in range(animals):
                slope = trial[k, a] * (total[a] * rates[0, k] - rates[1, k])
                summed[k, a] += weight * slope
                trial[k, a] = volumes[k, a] + reach * slope
    for k in range(clones):
        for a in range(animals):
            volumes[k, a] += days / 6.0 * summed[k, a]
