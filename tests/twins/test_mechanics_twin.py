"""The compiled mechanics against its slow twin."""

from __future__ import annotations

import numpy as np
import pytest

from twins import mechanics_twin as twin
from unmoor.tissue.moving import How, move
from unmoor.tissue.neighbours import contacts


def mixed(cells: int) -> twin.Bodies:
    """Cells of different sizes and strengths at random, some of them overlapping a lot."""
    made, bodies = np.random.default_rng(5), twin.Bodies.empty(cells)
    bodies.position[:] = made.uniform(-70, 70, (cells, 3))
    bodies.radius[:], bodies.reach[:] = made.uniform(4, 12, cells), made.uniform(8, 16, cells)
    bodies.repulsion[:], bodies.adhesion[:] = made.uniform(1, 4, cells), made.uniform(0, 1, cells)
    bodies.mobility[:] = 1.0
    bodies.identity[:] = np.arange(cells)
    return bodies


@pytest.mark.parametrize(("how", "allowed"), [("double", 1e-12), ("plain", 1e-5), ("vector", 1e-5)])
def test_forces_are_those_of_all_pairs(how: How, allowed: float) -> None:
    """Relative to the largest; velocities are what positions changed by."""
    bodies = mixed(700)
    expected, pressure = twin.forces(bodies)
    moved = twin.copied(bodies)
    move(moved, twin.all_slots(bodies), first=0, steps=1, dt=1.0, key=1, how=how)
    found = (moved.position - bodies.position) / 1.5
    assert np.abs(found - expected).max() <= allowed * np.abs(expected).max()
    assert moved.pressure == pytest.approx(pressure, rel=2e-5, abs=1e-5)


def test_a_hundred_steps_stay_with_the_twin() -> None:
    """Moving, turning, pushing cells in single precision are within a nanometre."""
    bodies = twin.jittered_block(2000)
    expected = twin.advance(bodies, 0, 100, 0.1, 77)
    moved = twin.copied(bodies)
    done = move(moved, twin.all_slots(bodies), first=0, steps=100, dt=0.1, key=77)
    assert done.rebuilds > 1
    assert (moved.turn == expected.turn).all()
    assert np.abs(moved.position - bodies.position).max() > 1.0
    assert np.abs(moved.position - expected.position).max() <= 1e-3


def test_contacts_are_all_pairs_within_reach_or_touch() -> None:
    """Also for cells of different sizes, in rising order."""
    bodies = mixed(600)
    away = np.linalg.norm(bodies.position[:, None] - bodies.position, axis=-1)
    hold = np.add.outer(*[bodies.reach.astype(float)] * 2)
    touch = np.add.outer(*[bodies.radius.astype(float)] * 2)
    near = (away < np.maximum(hold, touch)) & ~np.eye(600, dtype=bool)
    offset, index = contacts(bodies.position, bodies.radius, bodies.reach)
    assert (np.diff(offset) == near.sum(axis=1)).all()
    assert (index == np.nonzero(near)[1]).all()
