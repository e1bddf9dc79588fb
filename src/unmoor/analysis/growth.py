"""Growth of tumours in a group of animals: a mixed-effects fit by exact maximum likelihood.

Every tumour follows the growth law of the primary tumour (docs/explanation/organism.md, O1)
untreated,

    ln V(t) = k − (k − ln V0) exp(−β t),  α = k β,

from V0 at day 0 (reduced Gompertz model: Vaghi et al. 2020, PLoS Comput Biol). β differs between
animals log-normally with median β and standard deviation ω of its logarithm; k is common to all,
or differs too, alone or together with β. A reading is normal about V with standard deviation
a + b·V. What differs is integrated out by adaptive Gauss–Hermite quadrature, around the most
likely value of each animal.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from unmoor.analysis.growth_animals import fit_each
from unmoor.analysis.growth_data import GrowthData
from unmoor.analysis.growth_likelihood import NODES, animal_values, effects_of, integrate
from unmoor.elementwise import FloatArray
from unmoor.errors import SimulationError

MODELS: dict[str, tuple[str, ...]] = {
    "beta": ("beta", "k", "omega_beta", "a", "b"),
    "beta_and_k": ("beta", "k", "omega_beta", "a", "b", "omega_k"),
    "beta_with_k": ("beta", "k", "omega_beta", "a", "b", "omega_k", "rho"),
}
"""What differs between animals – β; β and k independently; β and k correlated – and what is fitted.
"""
_STARTS = (1.0, 0.6, 1.6)  # factors on the first guess of β
_FIRST_STEPS, _MORE_STEPS = 8, 500  # from each start, and from the best of them
_LEAST, _MOST = 1e-3, 2.0  # bounds of ω; the first also of b, and of a as a share of its guess
_STEP = 1e-4  # of the fitted logarithms, for second derivatives
_EDGE = 0.01  # of the fitted logarithms: so near to a bound a number lies on it
_POLISHES = 12
_NEAR = 1e-3  # standard errors from the maximum at which a fit has ended


@dataclass(frozen=True)
class Estimate:
    """A fitted number with its standard error; NaN if it lies on a bound of its range."""

    value: float
    error: float

    @property
    def is_known(self) -> bool:
        """Whether the data determine it."""
        return math.isfinite(self.error)


@dataclass(frozen=True)
class GrowthFit:
    """A mixed-effects fit.

    Attributes
    ----------
    model
        Key of :data:`MODELS`.
    estimates
        By name: ``beta`` (median) [1/d], ``k`` [-], ``omega_beta``, ``omega_k`` (standard
        deviations of logarithms) [-], ``rho`` [-], ``a`` [mm³], ``b`` [-].
    log_likelihood
        Of all readings that were fitted.
    beta, k
        Most likely values of each animal (empirical Bayes), shape (animals,) [1/d, -].
    beta_error
        Standard deviation of ln β of each animal given its readings, shape (animals,) [-].
    """

    model: str
    data: GrowthData
    estimates: dict[str, Estimate]
    log_likelihood: float
    beta: FloatArray
    k: FloatArray
    beta_error: FloatArray

    @property
    def aic(self) -> float:
        """Akaike's information criterion; the smaller, the better."""
        return 2.0 * len(MODELS[self.model]) - 2.0 * self.log_likelihood

    @property
    def values(self) -> dict[str, float]:
        """Fitted numbers by name."""
        return {name: each.value for name, each in self.estimates.items()}

    @property
    def beta_cv(self) -> float:
        """Coefficient of variation of β between animals [-]."""
        return log_normal_cv(self.estimates["omega_beta"].value)


def log_normal_cv(sd: float) -> float:
    """Coefficient of variation of a log-normal number whose logarithm has this deviation [-]."""
    return math.sqrt(math.expm1(sd * sd))


def log_volume(
    days: FloatArray, beta: FloatArray | float, k: FloatArray | float, start: float
) -> FloatArray:
    """Logarithm of the volume in mm³ at ``days`` after it was ``start`` mm³; all broadcast."""
    grown: FloatArray = k - (k - math.log(start)) * np.exp(-beta * days)
    return grown


def fit_growth(data: GrowthData, model: str = "beta") -> GrowthFit:
    """Fit the readings of all animals at once.

    Parameters
    ----------
    data
        Readings; those below detection are censored or left out as ``data`` says.
    model
        Key of :data:`MODELS`.

    Raises
    ------
    SimulationError
        If no maximum is found.
    """
    from scipy.optimize import minimize

    names = MODELS[model]
    if model == "beta":
        first, starts = _first_guess(data), list(_STARTS)
    else:  # the maximum of a simpler model is a good place to begin
        first, starts = {**fit_growth(data).values, "omega_k": 0.05, "rho": 0.0}, [1.0]
    bounds = [_bounds(name, first[name]) for name in names]

    def search(begin: FloatArray, steps: int) -> tuple[float, FloatArray]:
        found = minimize(
            lambda free: _objective(data, names, free), begin, jac=True, method="L-BFGS-B",
            bounds=bounds, options={"maxiter": steps, "ftol": 1e-10, "gtol": 1e-4, "maxcor": 20},
        )  # fmt: skip
        return float(found.fun), np.asarray(found.x)

    begun = []
    for factor in starts:
        start = np.array([_to_free(name, first[name]) for name in names])
        start[0] += math.log(factor)
        begun.append(search(np.clip(start, *np.transpose(bounds)), _FIRST_STEPS))
    best = search(min(begun, key=lambda found: found[0])[1], _MORE_STEPS)
    if not math.isfinite(best[0]):
        raise SimulationError("the growth of these animals cannot be fitted", code="E-FIT")
    return _collect(data, model, best[1], bounds)


def compare_models(data: GrowthData) -> dict[str, GrowthFit]:
    """Fits of all :data:`MODELS` by name."""
    return {model: fit_growth(data, model) for model in MODELS}


def log_likelihood(data: GrowthData, values: dict[str, float], nodes: int = 0) -> float:
    """Return ln L of the readings for given numbers, with as many nodes a direction as wanted."""
    return integrate(data, values, nodes or NODES[effects_of(values)], gradient=False).total


def _first_guess(data: GrowthData) -> dict[str, float]:
    """Numbers near the maximum, from the fits of single animals."""
    each = fit_each(data)
    beta, k = float(np.median(each.beta)), float(np.median(each.k))
    spread = float(np.median(np.abs(np.log(each.beta / beta)))) * 1.48
    small = float(np.quantile(data.volume[~data.is_censored], 0.05))
    noise = float(np.median(np.abs(each.residual))) * 1.48
    return {
        "beta": beta, "k": k, "omega_beta": min(max(0.5 * spread, 0.02), 1.0),
        "a": max(0.2 * small, 1e-6), "b": min(max(noise, 0.01), 1.0),
        "omega_k": 0.05, "rho": 0.0,
    }  # fmt: skip


def _to_free(name: str, value: float) -> float:
    """A number on the scale of the search."""
    return math.atanh(value) if name == "rho" else math.log(value)


def _from_free(names: Sequence[str], free: FloatArray) -> dict[str, float]:
    return {
        name: math.tanh(x) if name == "rho" else math.exp(x)
        for name, x in zip(names, free, strict=True)
    }


def _bounds(name: str, guess: float) -> tuple[float, float]:
    """Range of the search, on its own scale: nothing plausible lies outside."""
    if name == "rho":
        return -4.0, 4.0
    if name in ("omega_beta", "omega_k", "b"):
        return math.log(_LEAST), math.log(_MOST)
    if name == "a":
        return math.log(guess * _LEAST), math.log(guess / _LEAST)
    return math.log(guess) - 4.0, math.log(guess) + 4.0


def _objective(
    data: GrowthData, names: Sequence[str], free: FloatArray
) -> tuple[float, FloatArray]:
    """−ln L and its gradient on the scale of the search."""
    values = _from_free(names, free)
    integral = integrate(data, values, NODES[effects_of(values)], gradient=True)
    scale = {n: 1.0 - v * v if n == "rho" else v for n, v in values.items()}
    slope = np.array([integral.gradient[name] * scale[name] for name in names])
    return -integral.total, -slope


def _collect(
    data: GrowthData, model: str, free: FloatArray, bounds: Sequence[tuple[float, float]]
) -> GrowthFit:
    """Standard errors from the observed information, and each animal's own numbers."""
    names = MODELS[model]
    free, errors = _polish(data, names, free, np.array(bounds))
    values = _from_free(names, free)
    scale = {n: 1.0 - v * v if n == "rho" else v for n, v in values.items()}
    estimates = {
        name: Estimate(values[name], scale[name] * float(error))
        for name, error in zip(names, errors, strict=True)
    }
    integral = integrate(data, values, NODES[effects_of(values)], gradient=False)
    beta, k = animal_values(values, integral.mode)
    error = np.sqrt((integral.spread[:, 0] ** 2).sum(-1)) * values["omega_beta"]
    return GrowthFit(model, data, estimates, integral.total, beta, k, error)


def _polish(
    data: GrowthData, names: Sequence[str], free: FloatArray, bounds: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Newton steps to the maximum, and standard errors there, both on the scale of the search.

    What lies on a bound stays there and has no error.

    Raises
    ------
    SimulationError
        If the rest of the way is not a small part of a standard error in the end, or the error
        of β or k is as large as the number.
    """
    inside = (free > bounds[:, 0] + _EDGE) & (free < bounds[:, 1] - _EDGE)
    errors = np.full(len(names), math.nan)
    left = math.inf
    for _ in range(_POLISHES):
        slope = _objective(data, names, free)[1][inside]
        information = _information(data, names, free)[np.ix_(inside, inside)]
        if not inside.any() or float(np.linalg.eigvalsh(information).min()) <= 0.0:
            break
        inverse = np.linalg.inv(information)
        errors[inside] = np.sqrt(np.diag(inverse))
        step = inverse @ slope
        left = float((np.abs(step) / errors[inside]).max())
        if left < _NEAR:
            break
        moved = free.copy()
        moved[inside] -= step * min(1.0, 1.0 / left)
        free = np.clip(moved, bounds[:, 0], bounds[:, 1])
    # NaN, of a number on its bound, is not less than 1 either.
    if left >= _NEAR or not all(errors[names.index(name)] < 1.0 for name in ("beta", "k")):
        raise SimulationError(
            "these readings do not determine how the animals grow: bring more readings, on more "
            "days, from more animals",
            code="E-FIT",
        )
    return free, errors


def _information(data: GrowthData, names: Sequence[str], free: FloatArray) -> FloatArray:
    """Observed information on the scale of the search, from differences of the gradient."""
    rows = []
    for i in range(len(names)):
        step = np.zeros(len(names))
        step[i] = _STEP
        ahead, behind = (_objective(data, names, free + sign * step)[1] for sign in (1.0, -1.0))
        rows.append((ahead - behind) / (2.0 * _STEP))
    information = np.array(rows)
    return 0.5 * (information + information.T)
