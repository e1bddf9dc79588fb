"""Likelihood of the growth of a group of animals, with what differs between them integrated out.

Adaptive Gauss–Hermite quadrature: the nodes of an animal lie around the normal numbers that are
most likely given its readings, at the scale of the curvature there. Equations: ``growth``.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from unmoor.analysis.growth_data import GrowthData
from unmoor.elementwise import FloatArray

NODES = {1: 25, 2: 21}
"""Nodes in each direction by number of effects; twice as many move ln L by less than 1e-3."""
_MODE_STEPS = 30
_LENGTHS = np.array([1.0, 0.4, 0.1])  # of a step, whichever leads highest
_FARTHEST = 8.0  # standard deviations; no animal is farther from the others
_HIGHEST = 100.0  # of ln V: keeps numbers finite where a search strays
_ENOUGH = 1e-5  # change of a standard normal number at which the search for a mode ends


@lru_cache(maxsize=16)
def _quadrature(nodes: int) -> tuple[FloatArray, FloatArray]:
    """Points and logarithms of the weights, for the weight exp(−x²/2)."""
    points, weights = np.polynomial.hermite_e.hermegauss(nodes)
    return points, np.log(weights)


class Integral(NamedTuple):
    """ln L, its derivatives by name, and mode and inverse Cholesky factor of each animal."""

    total: float
    gradient: dict[str, float]
    mode: FloatArray
    spread: FloatArray


def integrate(
    data: GrowthData, values: dict[str, float], nodes: int, *, gradient: bool
) -> Integral:
    """Integrate over what differs between animals.

    The derivatives are means of those of the integrand over its own distribution (Fisher).
    """
    effects = effects_of(values)
    mode, spread = modes_of(data, values, effects)
    points, logs = _quadrature(nodes)
    grid = np.stack(np.meshgrid(*[points] * effects, indexing="ij"), -1).reshape(-1, effects)
    weight = np.stack(np.meshgrid(*[logs] * effects, indexing="ij"), -1).sum(-1).ravel()
    at = mode + np.einsum("aij,pj->pai", spread, grid)
    terms = Terms(data, values, at)
    heights = terms.joint() + (weight + 0.5 * (grid**2).sum(1))[:, None]
    top = heights.max(axis=0)
    parts = np.exp(heights - top)
    sums = parts.sum(axis=0)
    volume = np.log(np.abs(np.linalg.det(spread))).sum()
    total = float((top + np.log(sums)).sum() + volume)
    slopes = terms.slopes(parts / sums) if gradient else {}
    return Integral(total, slopes, mode, spread)


def effects_of(values: dict[str, float]) -> int:
    """Return how many numbers differ between animals."""
    return 2 if "omega_k" in values else 1


class Terms:
    """The integrand of every animal at points ``at`` of what differs, shape (points, animals, d).

    Arrays of readings have the shape (points, readings).
    """

    def __init__(self, data: GrowthData, values: dict[str, float], at: FloatArray) -> None:
        self.data, self.values, self.at = data, values, at
        beta, k = animal_values(values, at)
        self.beta, self.k = beta[:, data.index], k[:, data.index]
        fall = np.exp(-self.beta * data.day)
        head = self.k - math.log(data.start)
        self.volume = np.exp(np.minimum(self.k - head * fall, _HIGHEST))
        self.by_log_beta = self.volume * head * self.beta * data.day * fall
        self.by_log_k = self.volume * (1.0 - fall) * self.k
        self.sd = values["a"] + values["b"] * self.volume
        self.away = (data.volume - self.volume) / self.sd

    def joint(self) -> FloatArray:
        """Log density of readings and normal numbers without (2π)^(-d/2), (points, animals)."""
        from scipy.special import log_ndtr

        density = -np.log(self.sd) - 0.5 * self.away**2 - 0.5 * math.log(2.0 * math.pi)
        hidden = self.data.is_censored
        if hidden.any():
            density[:, hidden] = log_ndtr(self.away[:, hidden])
        constant = 0.5 * self.at.shape[2] * math.log(2.0 * math.pi)
        joint: FloatArray = self._summed(density) - 0.5 * (self.at**2).sum(-1) - constant
        return joint

    def rates(self) -> tuple[FloatArray, FloatArray]:
        """Derivatives of the log density of each reading with respect to V, and to its deviation.

        The second one holds the deviation's share alone, so that V acts through both.
        """
        by_volume, by_sd = self.away / self.sd, (self.away**2 - 1.0) / self.sd
        hidden = self.data.is_censored
        if hidden.any():
            away = self.away[:, hidden]
            ratio = _mills(away) / self.sd[:, hidden]
            by_volume[:, hidden], by_sd[:, hidden] = -ratio, -ratio * away
        return by_volume + self.values["b"] * by_sd, by_sd

    def slopes(self, chance: FloatArray) -> dict[str, float]:
        """Derivatives of ln L by name; ``chance`` are weights, shape (points, animals)."""
        by_volume, by_sd = self.rates()
        weight = chance[:, self.data.index]
        log_beta, log_k = weight * by_volume * self.by_log_beta, weight * by_volume * self.by_log_k
        z = self.at[:, self.data.index]
        values = self.values
        slopes = {
            "beta": float(log_beta.sum()) / values["beta"],
            "k": float(log_k.sum()) / values["k"],
            "omega_beta": float((log_beta * z[..., 0]).sum()),
            "a": float((weight * by_sd).sum()),
            "b": float((weight * by_sd * self.volume).sum()),
        }
        if "omega_k" in values:
            rho = values.get("rho", 0.0)
            rest = math.sqrt(1.0 - rho * rho)
            slopes["omega_k"] = float((log_k * (rho * z[..., 0] + rest * z[..., 1])).sum())
            turned = z[..., 0] - rho / rest * z[..., 1]
            slopes["rho"] = float((log_k * turned).sum()) * values["omega_k"]
        return slopes

    def scoring(self) -> tuple[FloatArray, FloatArray]:
        """Gradient of the log density by z, and its expected curvature, at one point."""
        effects = self.at.shape[2]
        by_volume, _ = self.rates()
        turns = _turns(self.values, effects)
        logs = np.stack([self.by_log_beta[0], self.by_log_k[0]], -1)
        by_z = logs @ turns
        slope = self._summed((by_volume[0][:, None] * by_z).T).T - self.at[0]
        known = (1.0 + 2.0 * self.values["b"] ** 2) / self.sd[0] ** 2
        known = np.where(self.data.is_censored, 0.0, known)
        products = (known[:, None, None] * by_z[:, :, None] * by_z[:, None, :]).reshape(
            -1, effects**2
        )
        curvature = self._summed(products.T).T.reshape(-1, effects, effects) + np.eye(effects)
        return slope, curvature

    def _summed(self, readings: FloatArray) -> FloatArray:
        """Sums over the readings of each animal, along the last axis."""
        sums: FloatArray = np.add.reduceat(readings, self.data.firsts, axis=-1)
        return sums


def _mills(away: FloatArray) -> FloatArray:
    """Normal density over normal distribution function, without underflow."""
    from scipy.special import log_ndtr

    ratio: FloatArray = np.exp(-0.5 * away**2 - 0.5 * math.log(2.0 * math.pi) - log_ndtr(away))
    return ratio


def _turns(values: dict[str, float], effects: int) -> FloatArray:
    """Derivatives of (ln β, ln k) with respect to the normal numbers, shape (2, effects)."""
    turns = np.zeros((2, effects))
    turns[0, 0] = values["omega_beta"]
    if effects == 2:
        rho = values.get("rho", 0.0)
        turns[1] = values["omega_k"] * np.array([rho, math.sqrt(1.0 - rho * rho)])
    return turns


def animal_values(values: dict[str, float], normal: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return β and k of animals with these standard normal numbers, shape (…, effects)."""
    logs = normal @ _turns(values, normal.shape[-1]).T
    return values["beta"] * np.exp(logs[..., 0]), values["k"] * np.exp(logs[..., 1])


def modes_of(
    data: GrowthData, values: dict[str, float], effects: int
) -> tuple[FloatArray, FloatArray]:
    """Most likely normal numbers of each animal and the scale around them, by Fisher scoring.

    Returns shapes (animals, effects) and (animals, effects, effects).
    """
    axis = np.linspace(-4.0, 4.0, 17 if effects == 1 else 7)
    grid = np.stack(np.meshgrid(*[axis] * effects, indexing="ij"), -1).reshape(-1, 1, effects)
    tried = np.broadcast_to(grid, (len(grid), len(data.animals), effects))
    joint = Terms(data, values, tried).joint()
    best = joint.argmax(axis=0)
    here, height = grid[best, 0], joint.max(axis=0)
    for _ in range(_MODE_STEPS):
        slope, curvature = Terms(data, values, here[None]).scoring()
        move = np.linalg.solve(curvature, slope[..., None])[..., 0]
        move = np.clip(here + move, -_FARTHEST, _FARTHEST) - here
        lengths = _LENGTHS[:, None, None]
        joint = Terms(data, values, here + lengths * move).joint()
        longest = joint.argmax(axis=0)
        better = joint.max(axis=0) > height
        chosen = np.where(better, lengths[longest, 0, 0], 0.0)
        here, height = here + chosen[:, None] * move, np.maximum(height, joint.max(axis=0))
        if float(np.abs(chosen[:, None] * move).max()) < _ENOUGH:
            break
    curvature = Terms(data, values, here[None]).scoring()[1]
    lower = np.linalg.cholesky(curvature)
    return here, np.swapaxes(np.linalg.inv(lower), 1, 2)
