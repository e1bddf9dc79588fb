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
