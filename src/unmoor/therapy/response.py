"""From occupied target to lost function: the named dose responses that a drug may use."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from unmoor.elementwise import FloatArray, power

RESPONSES = ("hill", "biphasic")


def occupied(level: FloatArray, half: float, hill: float = 1.0) -> FloatArray:
    """Share of the target that is bound at a concentration, of half the target at ``half``."""
    odds = np.maximum(level, 0.0) / half
    if hill != 1.0:
        odds = power(odds, hill)
    with np.errstate(invalid="ignore"):
        return np.where(np.isinf(odds), 1.0, odds / (1.0 + odds))


def blocked(occupancy: FloatArray, values: Mapping[str, float], response: str) -> FloatArray:
    """Share of the target's function that is lost; negative where it is stimulated.

    Parameters
    ----------
    occupancy
        Share θ of the target that is bound, any shape [-].
    values
        ``max_effect``, and for ``biphasic`` also ``stimulation`` s and ``agonist_ratio`` r, the
        concentration of half stimulation relative to that of half occupancy.
    response
        ``hill``: max_effect·θ. ``biphasic``: agonist at low and antagonist at high occupancy,
        1 − [1 + s·θ/(θ + r(1−θ))]·(1 − max_effect·θ).
    """
    if response == "hill":
        return occupancy * values["max_effect"]
    s, r = values["stimulation"], values["agonist_ratio"]
    roused = s * occupancy / (occupancy + r * (1.0 - occupancy))
    return 1.0 - (1.0 + roused) * (1.0 - values["max_effect"] * occupancy)
