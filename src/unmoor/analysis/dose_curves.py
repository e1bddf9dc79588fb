"""Curves of a ratio to control over the dose of one drug: through what is known, or fitted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from unmoor.elementwise import FloatArray

_STEEP = (0.2, 10.0)  # steepness that a fit may have
_WEIGHT = 1e-3  # of staying like the drug alone, against the fit to a ratio
_TINY = 1e-12


@dataclass(frozen=True)
class HillCurve:
    """Ratio start·[1 + (end − 1)·x^h/(1 + x^h)] at dose x times ``half``.

    Attributes
    ----------
    start
        Ratio without the drug.
    end
        Factor that an infinite dose brings.
    half
        Dose of half effect.
    hill
        Steepness.
    """

    start: float
    end: float
    half: float
    hill: float

    def at(self, doses: FloatArray) -> FloatArray:
        """Ratio at each dose."""
        with np.errstate(over="ignore", divide="ignore"):
            odds = (np.asarray(doses, dtype=float) / self.half) ** self.hill
        share = np.where(np.isfinite(odds), odds / (1.0 + odds), 1.0)
        ratio: FloatArray = self.start * (1.0 + (self.end - 1.0) * share)
        return ratio


def fitted_curve(
    doses: FloatArray, ratios: FloatArray, start: float, *, like: HillCurve | None = None
) -> HillCurve:
    """Hill curve with a given start, by least squares of ratios.

    Parameters
    ----------
    doses, ratios
        Rising from dose 0, shape (n,).
    start
        Ratio at dose 0.
    like
        The drug alone: what few doses leave open stays as it is there.
    """
    from scipy.optimize import least_squares

    some = doses[doses > 0.0]
    values = np.asarray(ratios, dtype=float)[doses > 0.0]
    middle = float(np.exp(np.mean(np.log(some[[0, -1]]))))
    first = like or HillCurve(1.0, float(values[-1] / max(start, _TINY)), middle, 1.0)
    anchor = np.array([first.end, np.log(first.half), np.log(first.hill)])
    low = [0.0, np.log(some[0]) - 7.0, np.log(_STEEP[0])]
    high = [np.inf, np.log(some[-1]) + 7.0, np.log(_STEEP[1])]
    scale = max(float(np.abs(values - start).max()), 1e-6)

    def missed(x: FloatArray) -> FloatArray:
        curve = HillCurve(start, x[0], float(np.exp(x[1])), float(np.exp(x[2])))
        apart = (curve.at(some) - values) / scale
        return np.concatenate([apart, _WEIGHT * (x - anchor)])

    begin = np.clip(anchor, np.array(low) + 1e-9, np.minimum(high, 1e9))
    best = least_squares(missed, begin, bounds=(low, high), xtol=1e-14, ftol=1e-14, gtol=1e-14)
    end, half, hill = best.x
    return HillCurve(start, float(end), float(np.exp(half)), float(np.exp(hill)))


def interpolated_curve(doses: FloatArray, logs: FloatArray) -> Callable[[FloatArray], FloatArray]:
    """Monotone cubic curve through logarithms of ratios at doses, on the square root of dose.

    The shape of Fritsch and Carlson (1980) as scipy has it: no overshoot between known doses.
    """
    from scipy.interpolate import PchipInterpolator

    if any(b <= a for a, b in pairwise(doses)):
        raise ValueError("doses of a curve must rise")
    through = PchipInterpolator(np.sqrt(doses), logs)

    def curve(asked: FloatArray) -> FloatArray:
        values: FloatArray = np.asarray(through(np.sqrt(np.asarray(asked, dtype=float))))
        return values

    return curve
