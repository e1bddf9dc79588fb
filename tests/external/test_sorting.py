"""Cells that differ in adhesion sort; cells that do not, do not.

A hundred cells of two kinds in one layer, drawn together as in a round-bottomed well. What is
measured is the share of contacts that are between kinds. The coefficient of a pair is the geometric
mean of those of its cells (M2), so unlike cells hold each other better than the weaker kind holds
itself, and less than the stronger: the stronger kind is engulfed by the weaker (Steinberg's rule).
Unlike cells that hold each other better than both kinds do – what makes a checkerboard – cannot be
stated; a checkerboard that is laid stays as long as nothing mixes it.
"""

from __future__ import annotations

import numpy as np
import pytest

from unmoor.random import Stream
from unmoor.tissue.bodies import Bodies, FloatArray
from unmoor.tissue.moving import move
from unmoor.tissue.neighbours import contacts
from unmoor.tissue.seeding import disc

CELLS = 100
RADIUS, REACH, REPULSION = 8.413, 1.25, 10.0
STRONG, WEAK = 4.0, 0.4  # coefficients of adhesion of like pairs [µm/min]
SLOPE = 0.5 / 80.0  # of the well: bias of headings towards the middle [1/µm]


def layer(seed: int) -> Bodies:
    """A hundred cells in a disc."""
    bodies = Bodies.empty(CELLS)
    bodies.position[:] = disc(CELLS, 1.9 * RADIUS, Stream(seed))
    bodies.identity[:] = np.arange(1, CELLS + 1)
    bodies.radius[:], bodies.reach[:] = RADIUS, REACH * RADIUS
    bodies.repulsion[:] = np.sqrt(REPULSION)
    bodies.mobility[:], bodies.persistence[:] = 1.0, 20.0
    return bodies


def mixed(seed: int) -> FloatArray:
    """Half of the cells, anywhere: True for the one kind."""
    return np.argsort(np.argsort(Stream(seed).uniform(np.arange(CELLS), "kind"))) % 2 == 0


def checkerboard(bodies: Bodies) -> FloatArray:
    """Kinds in turn, row by row: four of the six neighbours in a packed layer are of the other."""
    return np.round(bodies.position[:, 1] / (1.9 * RADIUS * np.sqrt(0.75))).astype(int) % 2 == 0


def between_kinds(bodies: Bodies, kind: FloatArray) -> float:
    """Share of contacts that are between kinds."""
    start, neighbour = contacts(bodies.position, bodies.radius, bodies.reach)
    cell = np.repeat(np.arange(CELLS), np.diff(start))
    assert neighbour.size > 4 * CELLS  # a body, not cells that have strayed
    return float((kind[cell] != kind[neighbour]).mean())


def live(bodies: Bodies, days: float, seed: int) -> None:
    """Let cells move, in the well."""
    slots, key = np.arange(CELLS, dtype=np.int32), Stream(seed).key
    for turn in range(round(days * 48)):
        bodies.bias[:] = -SLOPE * bodies.position
        move(bodies, slots, first=100 * turn, steps=100, dt=0.3, key=key, is_flat=True)


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("start", ["mixed", "checkerboard"])
def test_differential_adhesion_sorts(start: str, seed: int) -> None:
    """From half and half, or a checkerboard, to less than a quarter of contacts between kinds."""
    bodies = layer(seed)
    kind = mixed(seed) if start == "mixed" else checkerboard(bodies)
    bodies.adhesion[:] = np.sqrt(np.where(kind, STRONG, WEAK))
    bodies.drive[:] = 0.3
    before = between_kinds(bodies, kind)
    live(bodies, 8.0, seed)
    after = between_kinds(bodies, kind)
    assert before > 0.45
    assert after < 0.25
    distance = np.linalg.norm(bodies.position[:, :2], axis=1)
    assert distance[kind].mean() < distance[~kind].mean()  # the stronger kind is inside


@pytest.mark.parametrize("seed", [1, 2])
def test_equal_adhesion_does_not_sort(seed: int) -> None:
    """The same drive without the difference keeps kinds mixed: .5 to within .1."""
    bodies = layer(seed)
    kind = checkerboard(bodies)
    bodies.adhesion[:] = (STRONG * WEAK) ** 0.25
    bodies.drive[:] = 0.3
    live(bodies, 8.0, seed)
    assert between_kinds(bodies, kind) == pytest.approx(0.5, abs=0.1)


def test_a_checkerboard_that_nothing_mixes_stays() -> None:
    """Forces alone, with or without differential adhesion, leave the pattern at its .6."""
    for strong in (WEAK, STRONG):
        bodies = layer(1)
        kind = checkerboard(bodies)
        bodies.adhesion[:] = np.sqrt(np.where(kind, strong, WEAK))
        live(bodies, 8.0, 1)
        assert 0.55 < between_kinds(bodies, kind) < 0.7
