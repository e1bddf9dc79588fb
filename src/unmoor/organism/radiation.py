"""Ionising radiation: linear-quadratic damage, repaired between fractions, that kills over days.

A fraction j leaves damage E_j = α·D_j + β(D_j² + 2·D_j·U_j), with U_j the dose of earlier
fractions that is not repaired yet. Damaged cells die over the commitment time τ, at the rate
E_j/τ·exp(−(t − t_j)/τ), so the total is exactly linear-quadratic while signals that decide between
repair and death may still change. Radiation also sets free TGFβ.
Equations: docs/explanation/therapy.md.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from unmoor.elementwise import FloatArray, exponential

Fractions = Sequence[tuple[float, float]]  # time [d] and dose [Gy] of each, in order of time
_HOURS = 24.0


def log_kill(fractions: Fractions, values: Mapping[str, float]) -> list[float]:
    """Damage E of each fraction; survival is exp(−ΣE).

    ``values`` are those of ``closures/radiation``: ``alpha_IR`` [1/Gy], ``beta_IR`` [1/Gy²] and
    ``repair_half_time`` [h].
    """
    rate = math.log(2.0) * _HOURS / values["repair_half_time"]
    left, before, damage = 0.0, 0.0, []
    for time, dose in fractions:
        left *= math.exp(-rate * (time - before))
        pairs = dose * dose + 2.0 * dose * left
        damage.append(values["alpha_IR"] * dose + values["beta_IR"] * pairs)
        left, before = left + dose, time
    return damage


def biologically_effective_dose(fractions: Fractions, values: Mapping[str, float]) -> float:
    """Dose in very small fractions that would do the same, ΣE/α [Gy]."""
    return sum(log_kill(fractions, values)) / values["alpha_IR"]


def death_rate(
    fractions: Fractions, values: Mapping[str, float], grid: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Death rate at unit sensitivity, at the grid's times and as mean over intervals [1/d]."""
    tau = values["commitment_time"]
    damage = [each / tau for each in log_kill(fractions, values)]
    return _fading([time for time, _ in fractions], damage, tau, grid)


def freed_tgfb(
    fractions: Fractions, values: Mapping[str, float], grid: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """TGFβ set free, at the grid's times and as mean over intervals, in units of T."""
    scale = values["T_IR"] / values["reference_dose"]
    freed = [scale * dose for _, dose in fractions]
    return _fading([time for time, _ in fractions], freed, values["tau_IR"], grid)


def _fading(
    times: Sequence[float], sizes: Sequence[float], tau: float, grid: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Sum of exponentials that start at given times, and its exact means over intervals."""
    at, mean = np.zeros(grid.size), np.zeros(grid.size - 1)
    length = grid[1:] - grid[:-1]
    for time, size in zip(times, sizes, strict=True):
        after = np.maximum(grid - time, 0.0)
        fading = exponential(-after / tau)
        at += np.where(grid >= time, size * fading, 0.0)
        mean += size * tau * (fading[:-1] - fading[1:]) / length
    return at, mean
