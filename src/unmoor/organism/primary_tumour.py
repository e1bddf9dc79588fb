"""Growth of the primary tumour: Gompertz, shared by clones that differ in growth and death.

dV_k/dt = V_k[(α − β ln V)·g_k − d_k],  V = Σ V_k, with the integrals ∫ Σ V_k s_k dt of
dissemination and ∫ V dt along the way. Rates are constant during an interval.
"""

from __future__ import annotations

import math

import numpy as np

from unmoor.compilation import kernel
from unmoor.elementwise import FloatArray


@kernel
def _slope(
    volume: FloatArray, alpha: float, beta: float, rates: FloatArray, slope: FloatArray
) -> tuple[float, float]:
    """Slope of each clone's volume; returns those of the two integrals."""
    total, shed = 0.0, 0.0
    for k in range(volume.size):
        total += volume[k]
    push = alpha - beta * math.log(total) if total > 0.0 else 0.0
    for k in range(volume.size):
        slope[k] = volume[k] * (push * rates[0, k] - rates[1, k])
        shed += volume[k] * rates[2, k]
    return shed, total


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
    """Advance the clones of every animal in place by one Runge–Kutta step of order 4.

    Parameters
    ----------
    volumes
        Volume of each clone, shape (animals, clones) [mm³].
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
    clones = volumes.shape[1]
    slopes, trial = np.empty((4, clones)), np.empty(clones)
    for a in range(volumes.shape[0]):
        for k in range(clones):
            trial[k] = volumes[a, k]
        out, volume = 0.0, 0.0
        for stage in range(4):
            weight = 2.0 if stage == 1 or stage == 2 else 1.0
            left, total = _slope(trial, alpha[a], beta[a], rates, slopes[stage])
            out, volume = out + weight * left, volume + weight * total
            reach = days if stage == 2 else 0.5 * days
            for k in range(clones):
                trial[k] = volumes[a, k] + reach * slopes[stage, k]
        shed[a] += out * days / 6.0
        exposure[a] += volume * days / 6.0
        for k in range(clones):
            inner = slopes[1, k] + slopes[2, k]
            volumes[a, k] += days / 6.0 * (slopes[0, k] + 2.0 * inner + slopes[3, k])
