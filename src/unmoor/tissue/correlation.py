"""How far and how well the velocities of cells agree."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from unmoor.compilation import kernel
from unmoor.tissue.bodies import FloatArray
from unmoor.tissue.groups import Groups
from unmoor.tissue.snapshot import Snapshot

MOST_CELLS = 3000  # beyond it, a sample: all pairs of so many cells take a twentieth of a second
_MOST_BINS = 96
_STILL = 1e-10  # share of the squared velocities that is rounding (they are stored in single)
_NOISE = 3.0  # standard errors above which a correlation counts as one


class VelocityCorrelation(NamedTuple):
    """Spatial correlation of velocities and its length.

    Attributes
    ----------
    distance
        Mean distance of the pairs of each bin, shape (bins,) [µm].
    value
        C(r) = ⟨δv_i · δv_j⟩ / ⟨δv²⟩ over pairs at that distance, δv = v - ⟨v⟩, shape (bins,) [-].
    pairs
        Number of pairs, shape (bins,).
    length
        ξ of A exp(-r/ξ), 0 < A ≤ 1, fitted to C(r) before its first zero; 0 if C(r) of the nearest
        pairs is within three standard errors of 0; NaN for fewer than two cells, or where all
        cells have the same velocity [µm].
    """

    distance: FloatArray
    value: FloatArray
    pairs: FloatArray
    length: float


def velocity_correlation(
    snapshot: Snapshot, width: float | None = None, cells: int = MOST_CELLS
) -> VelocityCorrelation:
    """Correlate velocities of the living cells at all distances.

    Parameters
    ----------
    snapshot
        Cells with velocities.
    width
        Width of a bin of distance; a mean cell diameter if not given [µm].
    cells
        Number of cells whose pairs are taken; of more, those whose hashed identities are smallest.
    """
    chosen = np.flatnonzero(snapshot.is_living)
    if chosen.size > cells:
        scrambled = snapshot.identity[chosen] * np.uint64(0x9E3779B97F4A7C15)
        chosen = chosen[np.argsort(scrambled ^ (scrambled >> np.uint64(32)), kind="stable")[:cells]]
    chosen = chosen[np.argsort(snapshot.identity[chosen], kind="stable")]
    nothing = np.zeros(0)
    if chosen.size < 2:
        return VelocityCorrelation(nothing, nothing, nothing, math.nan)
    position, velocity = snapshot.position[chosen], snapshot.velocity[chosen].astype(np.float64)
    change = velocity - velocity.mean(axis=0)
    variance = float((change * change).sum(axis=1).mean())
    if variance <= _STILL * float((velocity * velocity).sum(axis=1).mean()):
        return VelocityCorrelation(nothing, nothing, nothing, math.nan)
    diameter = 2.0 * float(snapshot.radius[chosen].mean(dtype=np.float64))
    spread = float(np.sqrt(((position - position.mean(axis=0)) ** 2).sum(axis=1).mean()))
    step = width or diameter or spread or 1.0
    bins = min(max(math.ceil(2.0 * spread / step), 1), _MOST_BINS)
    sums = np.zeros((3, bins))
    _correlate(position, change, step, sums)
    pairs = sums[0]
    seen = pairs > 0.0
    distance, value = sums[1][seen] / pairs[seen], sums[2][seen] / pairs[seen] / variance
    length = _length(distance, value, pairs[seen], chosen.size)
    return VelocityCorrelation(distance, value, pairs[seen], length)


def _length(distance: FloatArray, value: FloatArray, pairs: FloatArray, cells: int) -> float:
    """Least squares of A exp(-r/ξ) over ξ, the best A ≤ 1 of each ξ being known in closed form.

    A bin counts by its pairs up to the number of cells: beyond, pairs are no longer independent.
    """
    from scipy.optimize import minimize_scalar

    if value.size == 0 or value[0] * math.sqrt(pairs[0]) <= _NOISE:
        return 0.0
    below = np.flatnonzero(value <= 0.0)
    last = int(below[0]) if below.size else value.size
    r, c = distance[:last], value[:last]
    weight = pairs[:last] / (pairs[:last] + cells)
    if last == 1:
        return float(-r[0] / math.log(c[0])) if c[0] < 1.0 else float(r[0])

    def misfit(log_length: float) -> float:
        shape = np.array([math.exp(-x * math.exp(-log_length)) for x in r])
        scale = min(float((weight * shape * c).sum() / (weight * shape * shape).sum()), 1.0)
        return float((weight * (c - scale * shape) ** 2).sum())

    low, high = math.log(0.2 * r[0] or 1e-3), math.log(10.0 * distance[-1] or 1.0)
    best = minimize_scalar(misfit, bounds=(low, high), method="bounded", options={"xatol": 1e-4})
    return math.exp(float(best.x))


def coordination(snapshot: Snapshot, found: Groups, chosen: Any) -> float:
    """Mean cosine between the velocities of chosen cells that touch [-].

    NaN if no two chosen cells that touch both move.
    """
    total, pairs = _cosines(
        snapshot.velocity, found.offset, found.neighbour, np.asarray(chosen, np.bool_)
    )
    return total / pairs if pairs else math.nan


def polarisation(velocity: Any) -> float:
    """Order parameter |Σ v_i/|v_i|| / n over the moving cells; NaN if none moves [-].

    Parameters
    ----------
    velocity
        Shape (cells, 3) [µm/min].
    """
    v = np.asarray(velocity, np.float64)
    speed = np.sqrt((v * v).sum(axis=1))
    is_moving = speed > 0.0
    if not is_moving.any():
        return math.nan
    mean = (v[is_moving] / speed[is_moving, None]).mean(axis=0)
    return min(float(np.sqrt((mean * mean).sum())), 1.0)


@kernel
def _cosines(velocity: Any, offset: Any, index: Any, chosen: Any) -> tuple[float, int]:
    """Sum of cosines over touching chosen cells, each pair once, and their number."""
    total, pairs = 0.0, 0
    for i in range(chosen.size):
        if not chosen[i]:
            continue
        for k in range(offset[i], offset[i + 1]):
            j = index[k]
            if j <= i or not chosen[j]:
                continue
            dot = own = other = 0.0
            for axis in range(3):
                a, b = np.float64(velocity[i, axis]), np.float64(velocity[j, axis])
                dot += a * b
                own += a * a
                other += b * b
            if own > 0.0 and other > 0.0:
                total += dot / (np.sqrt(own) * np.sqrt(other))
                pairs += 1
    return total, pairs


@kernel
def _correlate(position: Any, change: Any, step: float, sums: Any) -> None:
    """Add up number, distance and product of all pairs, by bins of distance."""
    bins = sums.shape[1]
    farthest = (bins * step) ** 2
    for i in range(position.shape[0]):
        for j in range(i + 1, position.shape[0]):
            x = position[i, 0] - position[j, 0]
            y = position[i, 1] - position[j, 1]
            z = position[i, 2] - position[j, 2]
            square = x * x + y * y + z * z
            if square < farthest:
                d = np.sqrt(square)
                k = min(int(d / step), bins - 1)
                sums[0, k] += 1.0
                sums[1, k] += d
                sums[2, k] += (
                    change[i, 0] * change[j, 0]
                    + change[i, 1] * change[j, 1]
                    + change[i, 2] * change[j, 2]
                )
