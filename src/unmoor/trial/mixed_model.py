"""Linear mixed model of repeated measurements: random intercept and slope for each animal.

Restricted maximum likelihood in the parametrisation of Bates, Mächler, Bolker and Walker (2015,
lme4): the covariance of an animal's intercept and slope is σ²ΛΛ', and the deviance is profiled over
everything but the three numbers θ of Λ. Inference follows Satterthwaite, as lmerTest does, with one
difference: a contrast between groups of animals never has more degrees of freedom than there are
animals less two. Wald tests with the normal distribution would be too bold at five animals a group.

(The mixed model of statsmodels was tried and fails to converge in most data sets of this size.)
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from unmoor.compilation import kernel

FloatArray = npt.NDArray[np.float64]
_STEP = 1e-3  # of θ and ln σ, for second derivatives
_FLAT = 1e-8  # curvature below which a direction carries no information


@dataclass(frozen=True)
class Contrast:
    """A weighted sum of fixed effects with its small-sample inference.

    Attributes
    ----------
    estimate, error
        In the unit of the effects.
    satterthwaite
        Degrees of freedom after Satterthwaite.
    freedom
        Those used: not more than animals less two.
    low, high, p
        Interval and two-sided p of the t distribution.
    """

    estimate: float
    error: float
    satterthwaite: float
    freedom: float
    low: float
    high: float
    p: float


@kernel
def _factorise(
    theta: FloatArray, zz: FloatArray, ze: FloatArray, ee: FloatArray, factor: FloatArray
) -> float:
    """Fill the Cholesky factor of effects and response, free of animals; returns ln|L|² + ln|R|².

    Each animal has its own factor of 1 + Λ'Z'ZΛ, two by two and written out.
    """
    a, b, c = theta[0], theta[1], theta[2]
    size, determinant = ee.shape[0], 0.0
    top, low = np.empty(size), np.empty(size)
    factor[:] = ee
    for i in range(zz.shape[0]):
        l11 = np.sqrt(a * a * zz[i, 0, 0] + 2 * a * b * zz[i, 0, 1] + b * b * zz[i, 1, 1] + 1.0)
        l21 = c * (a * zz[i, 0, 1] + b * zz[i, 1, 1]) / l11
        l22 = np.sqrt(c * c * zz[i, 1, 1] + 1.0 - l21 * l21)
        determinant += 2.0 * (np.log(l11) + np.log(l22))
        for j in range(size):
            top[j] = (a * ze[i, 0, j] + b * ze[i, 1, j]) / l11
            low[j] = (c * ze[i, 1, j] - l21 * top[j]) / l22
        for j in range(size):
            for k in range(j + 1):
                factor[j, k] -= top[j] * top[k] + low[j] * low[k]
    for j in range(size):
        for k in range(j + 1):
            rest = factor[j, k]
            for m in range(k):
                rest -= factor[j, m] * factor[k, m]
            factor[j, k] = np.sqrt(rest) if j == k else rest / factor[k, k]
        factor[j, j + 1 :] = 0.0
        if j < size - 1:
            determinant += 2.0 * np.log(factor[j, j])
    return determinant


class MixedModel:
    """Fit of a response to fixed effects and an intercept and slope of each animal.

    Parameters
    ----------
    response
        Shape (measurements,).
    fixed
        Design matrix of full column rank, shape (measurements, effects).
    slope
        What the random slope multiplies (time), shape (measurements,).
    animal
        Number of the animal from 0 on, shape (measurements,).

    Raises
    ------
    numpy.linalg.LinAlgError
        If the fixed effects cannot be told apart.
    """

    def __init__(
        self,
        response: FloatArray,
        fixed: FloatArray,
        slope: FloatArray,
        animal: npt.NDArray[np.int64],
    ) -> None:
        self.centre, self.scale = float(slope.mean()), float(slope.std()) or 1.0
        random = np.column_stack([np.ones(slope.size), (slope - self.centre) / self.scale])
        self.animals, self.rows = int(animal.max()) + 1, response.size
        self.effects = int(fixed.shape[1])
        every = np.column_stack([fixed, response])
        self._zz = np.zeros((self.animals, 2, 2))
        np.add.at(self._zz, animal, random[:, :, None] * random[:, None, :])
        self._ze = np.zeros((self.animals, 2, self.effects + 1))
        np.add.at(self._ze, animal, random[:, :, None] * every[:, None, :])
        self._ee: FloatArray = np.einsum("ij,ik->jk", every, every)
        np.linalg.cholesky(self._ee[:-1, :-1])
        self.theta = self._minimise()
        _, residual, self._root = self._parts(self.theta)
        self.sigma = math.sqrt(residual / (self.rows - self.effects))
        self._information: FloatArray | None = None

    def _parts(self, theta: FloatArray) -> tuple[float, float, FloatArray]:
        """ln|L|² + ln|R|², penalised residual sum of squares, and the factor R of the effects."""
        factor = np.empty_like(self._ee)
        logs = float(_factorise(theta, self._zz, self._ze, self._ee, factor))
        return logs, float(factor[-1, -1]) ** 2, factor

    def _profiled(self, theta: FloatArray) -> float:
        factor = np.empty_like(self._ee)
        freedom = self.rows - self.effects
        logs: float = _factorise(theta, self._zz, self._ze, self._ee, factor)
        return logs + freedom * math.log(factor[-1, -1] ** 2)

    def deviance(self, theta: FloatArray, sigma: float | None = None) -> float:
        """Restricted deviance; profiled over the residual standard deviation unless it is given."""
        logs, residual, _ = self._parts(theta)
        freedom = self.rows - self.effects
        if sigma is None:
            return logs + freedom * (1.0 + math.log(2.0 * math.pi * residual / freedom))
        return logs + freedom * math.log(2.0 * math.pi * sigma**2) + residual / sigma**2

    def _minimise(self) -> FloatArray:
        """The θ of the smallest deviance; the sign of a column of Λ means nothing."""
        from scipy import optimize

        start = np.array([[1.0, 0.0, 1.0], [0.5, 0.0, 1.0], [1.0, 0.3, 1.0], [1.0, 0.0, 0.3]])
        options = {"xatol": 1e-6, "fatol": 1e-9, "maxiter": 2000, "initial_simplex": start}
        fit = optimize.minimize(self._profiled, start[0], method="Nelder-Mead", options=options)
        best = np.asarray(fit.x, dtype=np.float64)
        theta: FloatArray = best * np.where(best[[0, 0, 2]] < 0.0, -1.0, 1.0)
        return theta

    def fixed_effects(self) -> FloatArray:
        """Estimates, shape (effects,)."""
        p = self.effects
        return np.linalg.solve(self._root[:p, :p].T, self._root[p, :p]).astype(np.float64)

    def covariance(self) -> FloatArray:
        """Covariance of an animal's intercept (at slope variable 0) and slope, shape (2, 2)."""
        a, b, c = self.theta
        factor = self.sigma * np.array([[a, 0.0], [b, c]])
        back = np.array([[1.0, -self.centre / self.scale], [0.0, 1.0 / self.scale]])
        inner: FloatArray = back @ factor
        result: FloatArray = inner @ inner.T
        return result

    def _variance(self, weights: FloatArray, parameters: FloatArray) -> float:
        """Variance of a contrast at (θ, ln σ)."""
        factor = self._parts(parameters[:3])[2]
        p = self.effects
        half = np.linalg.solve(factor[:p, :p], weights)
        return math.exp(2.0 * float(parameters[3])) * float((half * half).sum())

    def contrast(self, weights: npt.ArrayLike, level: float = 0.95) -> Contrast:
        """Estimate, interval and p of a weighted sum of fixed effects.

        Parameters
        ----------
        weights
            Shape (effects,).
        """
        from scipy import special

        w = np.asarray(weights, dtype=np.float64)
        at = np.append(self.theta, math.log(self.sigma))
        variance = self._variance(w, at)
        estimate, error = float((w * self.fixed_effects()).sum()), math.sqrt(variance)
        gradient = _gradient(lambda x: self._variance(w, x), at)
        if self._information is None:
            self._information = _hessian(lambda x: self.deviance(x[:3], math.exp(x[3])), at)
        values, vectors = np.linalg.eigh(self._information)
        known = values > _FLAT * values.max()
        along = (vectors[:, known] * gradient[:, None]).sum(axis=0)
        satterthwaite = variance**2 / float((along**2 / values[known]).sum())
        freedom = min(satterthwaite, self.animals - 2.0)
        reach = float(special.stdtrit(freedom, 0.5 + 0.5 * level)) * error
        p = 2.0 * float(special.stdtr(freedom, -abs(estimate) / error))
        return Contrast(
            estimate, error, satterthwaite, freedom, estimate - reach, estimate + reach, p
        )


def _gradient(value: Callable[[FloatArray], float], at: FloatArray) -> FloatArray:
    """First derivatives by central differences of fourth order."""
    slopes = np.empty(at.size)
    for i in range(at.size):
        step = np.zeros(at.size)
        step[i] = _STEP
        near = value(at + step) - value(at - step)
        far = value(at + 2 * step) - value(at - 2 * step)
        slopes[i] = (8.0 * near - far) / (12.0 * _STEP)
    return slopes


def _hessian(value: Callable[[FloatArray], float], at: FloatArray) -> FloatArray:
    """Second derivatives by central differences."""
    size, steps = at.size, _STEP * np.eye(at.size)
    rows, middle = np.empty((size, size)), value(at)
    for i in range(size):
        up, down = value(at + steps[i]), value(at - steps[i])
        rows[i, i] = (up - 2.0 * middle + down) / _STEP**2
        for j in range(i):
            sums = [
                sign * value(at + steps[i] + sign * steps[j])
                - sign * value(at - steps[i] + sign * steps[j])
                for sign in (1.0, -1.0)
            ]
            rows[i, j] = rows[j, i] = sum(sums) / (4.0 * _STEP**2)
    return rows
