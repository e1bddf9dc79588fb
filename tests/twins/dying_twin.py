"""Slow readable twin of a tumour with dying cells: one differential equation each, no shortcuts."""

from __future__ import annotations

import math

import numpy as np
from scipy.integrate import solve_ivp

from unmoor.elementwise import FloatArray


def grown(
    volumes: FloatArray, dying: FloatArray, alpha: float, beta: float, rates: FloatArray,
    clearance: float, days: float,
) -> tuple[FloatArray, FloatArray, float, float]:  # fmt: skip
    """Clones, dying cells, ∫ΣV_k·s_k dt and ∫V dt after ``days``.

    ``rates`` are growth, death, shedding and killing of each clone, shape (4, clones).
    """
    n = volumes.size
    growth, death, shedding, killing = rates

    def slope(_: float, y: FloatArray) -> FloatArray:
        v, (first, second, third) = y[:n], y[n : n + 3]
        total = v.sum() + first + second + third
        push = alpha - beta * math.log(total)
        moved = np.empty_like(y)
        moved[:n] = v * (push * growth - death - killing)
        moved[n] = (killing * v).sum() - clearance * first
        moved[n + 1] = clearance * (first - second)
        moved[n + 2] = clearance * (second - third)
        moved[n + 3] = (shedding * v).sum()
        moved[n + 4] = total
        return moved

    start = np.concatenate([volumes, dying, [0.0, 0.0]])
    end = solve_ivp(slope, (0.0, days), start, "DOP853", rtol=1e-11, atol=1e-14).y[:, -1]
    return end[:n], end[n : n + 3], float(end[n + 3]), float(end[n + 4])
