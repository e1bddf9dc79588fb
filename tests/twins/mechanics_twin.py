"""Slow, readable twin of the mechanics of cells: every pair, in double precision, with NumPy."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from unmoor.random import identifier, philox4x32
from unmoor.tissue.bodies import Bodies

FloatArray = npt.NDArray[np.float64]
PURPOSE = identifier("tissue/turn") & 0xFFFFFFF0
WORD = 0xFFFFFFFF


def jittered_block(cells: int, jitter: float = 0.5, seed: int = 1) -> Bodies:
    """Cells of default size in a face-centred block, 5 % compressed; they move by themselves."""
    side = math.ceil((cells / 4) ** (1 / 3))
    corners = np.stack(np.meshgrid(*[np.arange(side)] * 3, indexing="ij"), -1).reshape(-1, 1, 3)
    basis = np.array([[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]])
    position = (corners + basis).reshape(-1, 3) * (0.95 * 2 * 8.413 * math.sqrt(2))
    position -= position.mean(axis=0)
    position = position[np.argsort(np.abs(position).max(axis=1), kind="stable")[:cells]]
    bodies = Bodies.empty(cells)
    bodies.position[:] = position + np.random.default_rng(seed).normal(0, jitter, position.shape)
    bodies.radius[:], bodies.reach[:] = 8.413, 1.25 * 8.413
    bodies.repulsion[:], bodies.adhesion[:] = math.sqrt(10), math.sqrt(0.4)
    bodies.drive[:], bodies.persistence[:], bodies.mobility[:] = 0.5, 10.0, 1.0
    bodies.identity[:] = np.arange(cells, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    return bodies


def all_slots(bodies: Bodies) -> npt.NDArray[np.int32]:
    """Slots of bodies that all hold a cell."""
    return np.arange(len(bodies.radius), dtype=np.int32)


def copied(bodies: Bodies) -> Bodies:
    """Bodies that share nothing with others."""
    return Bodies(*(array.copy() for array in bodies))


def forces(bodies: Bodies) -> tuple[FloatArray, FloatArray]:
    """Sums over neighbours and pressures, shapes (cells, 3) and (cells,)."""
    wide = [np.asarray(x, np.float64) for x in bodies[5:9]]
    radius, reach, repulsion, adhesion = wide
    farthest = 2 * float(max(radius.max(), reach.max()))
    i, j = cKDTree(bodies.position).query_pairs(farthest, output_type="ndarray").T
    away = bodies.position[i] - bodies.position[j]
    distance = np.sqrt((away**2).sum(axis=1))
    push = np.maximum(1 - distance / (radius[i] + radius[j]), 0) ** 2
    pull = np.maximum(1 - distance / (reach[i] + reach[j]), 0) ** 2
    law = repulsion[i] * repulsion[j] * push - adhesion[i] * adhesion[j] * pull
    vector = (law / distance)[:, None] * away
    total, pressure = np.zeros_like(bodies.position), np.zeros(len(radius))
    np.add.at(total, i, vector)
    np.add.at(total, j, -vector)
    np.add.at(pressure, i, push)
    np.add.at(pressure, j, push)
    return total, pressure


def energy(bodies: Bodies) -> float:
    """Potential of all pairs [µm²/min]."""
    radius, reach, repulsion, adhesion = (np.asarray(x, np.float64) for x in bodies[5:9])
    i, j = np.triu_indices(len(radius), 1)
    distance = np.linalg.norm(bodies.position[i] - bodies.position[j], axis=1)
    touch, hold = radius[i] + radius[j], reach[i] + reach[j]
    push = repulsion[i] * repulsion[j] * touch / 3 * np.maximum(1 - distance / touch, 0) ** 3
    pull = adhesion[i] * adhesion[j] * hold / 3 * np.maximum(1 - distance / hold, 0) ** 3
    return float((push - pull).sum())


def _words(identity: int, step: int, purpose: int, key: int) -> list[int]:
    counter = tuple(np.uint64(x) for x in (identity & WORD, identity >> 32, step & WORD, purpose))
    return [int(x) for x in philox4x32(counter, (np.uint64(key & WORD), np.uint64(key >> 32)))]


def _heading(identity: int, step: int, key: int) -> list[float]:
    attempt = 0
    while True:
        words = _words(identity, step, PURPOSE + attempt, key)
        for first, second in (words[:2], words[2:]):
            a, b = ((x + 0.5) / 2**31 - 1 for x in (first, second))
            if 0 < a * a + b * b < 1:
                root = 2 * math.sqrt(1 - a * a - b * b)
                return [a * root, b * root, 1 - 2 * (a * a + b * b)]
        attempt += 1


def advance(bodies: Bodies, first: int, steps: int, dt: float, key: int) -> Bodies:
    """Cells after some steps; nothing is rounded to single precision on the way."""
    position, before = bodies.position.copy(), np.asarray(bodies.velocity, np.float64)
    heading, turn = np.asarray(bodies.heading, np.float64), bodies.turn.copy()
    for step in range(first, first + steps):
        for cell in np.flatnonzero(turn <= step):
            identity = int(bodies.identity[cell])
            heading[cell] = _heading(identity, step, key)
            words = _words(identity, step, PURPOSE + 15, key)
            uniform = (((words[0] << 32 | words[1]) >> 12) + 0.5) / 2**52
            wait = -math.log(uniform) * float(bodies.persistence[cell]) / dt
            turn[cell] = step + 1 + int(wait)
        now = forces(bodies._replace(position=position))[0] + bodies.drive[:, None] * heading
        now *= bodies.mobility[:, None]
        position = position + dt * (1.5 * now - 0.5 * before)
        before = now
    return bodies._replace(position=position, turn=turn)
