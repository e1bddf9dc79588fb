"""Planted tissues: cells put where a measure's answer is known."""

from __future__ import annotations

from typing import Any

import numpy as np

from unmoor.tissue.snapshot import LIVING, Snapshot

RADIUS = 8.0
SPACING = 16.0  # cells that just touch


def tissue(position: Any, velocity: Any = None, **columns: Any) -> Snapshot:
    """Living cells of one size, numbered from 1; any column can be given."""
    place = np.asarray(position, np.float64).reshape(-1, 3)
    cells = len(place)
    speed = np.zeros((cells, 3)) if velocity is None else np.asarray(velocity)
    given = {
        "time": 0.0,
        "identity": np.arange(1, cells + 1, dtype=np.uint64),
        "parent": np.zeros(cells, np.uint64),
        "clone": np.zeros(cells, np.int32),
        "phase": np.full(cells, LIVING, np.int8),
        "position": place,
        "velocity": speed.astype(np.float32).reshape(-1, 3),
        "radius": np.full(cells, RADIUS, np.float32),
    }
    rest = {name: np.ones(cells, np.float32) for name in Snapshot._fields if name not in given}
    return Snapshot(**{**rest, **given, **columns})  # type: ignore[arg-type]


def rows(snapshot: Snapshot, chosen: Any) -> Snapshot:
    """The cells of some rows, in that order."""
    taken = {name: getattr(snapshot, name)[chosen] for name in Snapshot._fields[1:]}
    return snapshot._replace(**taken)


def ball(radius: float) -> np.ndarray:
    """Closely packed cells around the origin, up to a distance."""
    side = np.arange(-20, 21)
    sites = np.stack(np.meshgrid(side, side, side, indexing="ij"), axis=-1).reshape(-1, 3)
    sites = sites[sites.sum(axis=1) % 2 == 0] * (SPACING / np.sqrt(2.0))
    return np.asarray(sites[(sites**2).sum(axis=1) <= radius**2])


def around(count: int, distance: float) -> np.ndarray:
    """Points far from each other at one distance from the origin (a golden spiral)."""
    z = 1.0 - (2.0 * np.arange(count) + 1.0) / count
    turn = np.arange(count) * np.pi * (3.0 - np.sqrt(5.0))
    flat = np.sqrt(1.0 - z * z)
    return distance * np.stack([flat * np.cos(turn), flat * np.sin(turn), z], axis=1)


def outwards(place: np.ndarray) -> np.ndarray:
    """Unit vectors away from the origin."""
    return np.asarray(place / np.sqrt((place**2).sum(axis=1))[:, None])


def rays(starts: np.ndarray, length: int) -> np.ndarray:
    """Straight chains of touching cells that point outwards, chain by chain."""
    steps = SPACING * np.arange(length)[:, None]
    return np.asarray((starts[:, None] + outwards(starts)[:, None] * steps).reshape(-1, 3))


def chains(count: int, length: int, distance: float) -> np.ndarray:
    """Chains far from each other."""
    return rays(around(count, distance), length)


def strands(body: np.ndarray, length: int) -> np.ndarray:
    """Chains that are rooted on cells of a ball's surface and keep away from each other."""
    distance = np.sqrt((body**2).sum(axis=1))
    chosen: list[np.ndarray] = []
    for root in body[distance > distance.max() - 0.4 * SPACING]:
        start = root + outwards(root[None])[0] * SPACING
        if all(((start - each) ** 2).sum() > (2.0 * SPACING) ** 2 for each in chosen):
            chosen.append(start)
    return rays(np.array(chosen), length)


def smooth_field(place: np.ndarray, length: float, seed: int, waves: int = 200) -> np.ndarray:
    """Random velocities whose correlation is exp(-r/length): waves with Cauchy wave vectors."""
    generator = np.random.default_rng(seed)
    field = np.zeros((len(place), 3))
    for axis in range(3):
        cauchy = generator.normal(size=(waves, 3)) / np.abs(generator.normal(size=(waves, 1)))
        phase = generator.uniform(0.0, 2.0 * np.pi, waves)
        field[:, axis] = np.cos(place @ (cauchy / length).T + phase).sum(axis=1)
    return field * np.sqrt(2.0 / waves)
