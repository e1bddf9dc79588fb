"""MuSyC: how each drug changes the potency, and both the greatest effect, of the other.

Cells are untouched, touched by one drug, by the other or by both, and change between these four
states; a ratio to control is the mean over the states (Meyer and others 2019, Wooten and others
2021). α says by how much a drug makes the other more potent (above 1 synergy of potency), β by how
much both together reach beyond the better drug (above 0 synergy of efficacy); where both drugs
raise the ratio, as spread may be raised, "better" is the one that raises it less.
Equations: docs/explanation/foresight_search.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unmoor.analysis.dose_curves import HillCurve, fitted_curve
from unmoor.analysis.synergy import Surface
from unmoor.elementwise import FloatArray

_LEAST = 3  # doses of each drug, 0 among them
_WEIGHT = 1e-3  # of no interaction, against the fit
_MOST_ALPHA = np.log(1e3)


@dataclass(frozen=True)
class Musyc:
    """The fit of a surface.

    Attributes
    ----------
    alpha_first
        Factor by which the second drug makes the first more potent.
    alpha_second
        Factor by which the first makes the second more potent.
    beta
        (better ratio alone − ratio of both) / |1 − better ratio alone|, at infinite doses: above 0
        if both reach lower than the better drug, on whichever side of 1; NaN if that does nothing.
    both
        Ratio at infinite doses of both.
    curves
        The drugs alone.
    missed
        Root of the mean square by which fitted ratios miss.
    """

    alpha_first: float
    alpha_second: float
    beta: float
    both: float
    curves: tuple[HillCurve, HillCurve]
    missed: float


def musyc_ratios(
    first: FloatArray,
    second: FloatArray,
    curves: tuple[HillCurve, HillCurve],
    alphas: tuple[float, float],
    both: float,
) -> FloatArray:
    """Ratio of each pair of doses in the steady state of the four states, (n, m).

    Cooperativity is left as it is alone (γ = 1), and what untouched cells are lost at is equal for
    both drugs: neither can be told from a dose matrix of this size.
    """
    a = (np.asarray(first, dtype=float)[:, None] / curves[0].half) ** curves[0].hill
    b = (np.asarray(second, dtype=float)[None, :] / curves[1].half) ** curves[1].hill
    a, b = np.broadcast_arrays(a, b)
    faster_a = a * alphas[0] ** curves[0].hill  # of cells that the other drug has touched
    faster_b = b * alphas[1] ** curves[1].hill
    shares = _steady(a, b, faster_a, faster_b)
    ends = np.array([1.0, curves[0].end, curves[1].end, both])
    ratio: FloatArray = np.sum(shares * ends[:, None, None], axis=0)
    return ratio


def _steady(a: FloatArray, b: FloatArray, faster_a: FloatArray, faster_b: FloatArray) -> FloatArray:
    """Shares of untouched, first, second and both, (4, n, m); all rates back are 1.

    Sums of the products of rates along the trees that lead to each state, the matrix-tree theorem.
    """
    none = 2.0 + faster_a + faster_b
    one = a * (1.0 + faster_a) + a + b * faster_a
    two = b * (1.0 + faster_b) + b + a * faster_b
    both = a * faster_b * (1.0 + faster_a) + b * faster_a * (1.0 + faster_b)
    found = np.stack([none, one, two, both])
    shares: FloatArray = found / found.sum(axis=0)
    return shares


def musyc(surface: Surface) -> Musyc | None:
    """Fit of a surface by least squares, or None with fewer than three doses of a drug."""
    from scipy.optimize import least_squares

    if min(surface.first.size, surface.second.size) < _LEAST:
        return None
    curves = (
        fitted_curve(surface.first, surface.ratios[:, 0], 1.0),
        fitted_curve(surface.second, surface.ratios[0], 1.0),
    )
    product = curves[0].end * curves[1].end
    scale = max(float(np.abs(surface.ratios - 1.0).max()), 1e-6)

    def missed(x: FloatArray) -> FloatArray:
        alphas = (float(np.exp(x[0])), float(np.exp(x[1])))
        ratios = musyc_ratios(surface.first, surface.second, curves, alphas, float(x[2]))
        apart = ((ratios - surface.ratios) / scale)[1:, 1:].ravel()
        return np.concatenate([apart, _WEIGHT * np.array([x[0], x[1], x[2] - product])])

    bounds = ([-_MOST_ALPHA, -_MOST_ALPHA, 0.0], [_MOST_ALPHA, _MOST_ALPHA, np.inf])
    best = least_squares(missed, np.array([0.0, 0.0, max(product, 1e-6)]), bounds=bounds)
    alphas = (float(np.exp(best.x[0])), float(np.exp(best.x[1])))
    both = float(best.x[2])
    better = min(curves[0].end, curves[1].end)
    beta = (better - both) / abs(1.0 - better) if abs(1.0 - better) > 1e-6 else np.nan
    fitted = musyc_ratios(surface.first, surface.second, curves, alphas, both)
    apart = float(np.sqrt(np.mean((fitted - surface.ratios) ** 2)))
    return Musyc(alphas[0], alphas[1], float(beta), both, curves, apart)
