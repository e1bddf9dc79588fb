"""Moving cells gives the same bits with any number of threads, either code and any workspace."""

from __future__ import annotations

import os

import numpy as np
import pytest

from twins import mechanics_twin as twin
from unmoor.tissue.moving import How, Room, move

CELLS = 9000


def moved(how: How = "vector", threads: int = 1, room: Room | None = None) -> twin.Bodies:
    """Cells after 40 steps, two of them at one point at first."""
    bodies = twin.jittered_block(CELLS)
    bodies.position[17] = bodies.position[16]
    done = move(
        bodies, twin.all_slots(bodies), first=3, steps=40, dt=0.1, key=9, how=how,
        threads=threads, room=room,
    )  # fmt: skip
    assert done.rebuilds > 1
    return bodies


def same(a: twin.Bodies, b: twin.Bodies) -> bool:
    """Whether two sets of bodies have the same bits."""
    return all(x.tobytes() == y.tobytes() for x, y in zip(a, b, strict=True))


@pytest.fixture(scope="module")
def alone() -> twin.Bodies:
    """Cells moved by vector code on one thread."""
    return moved()


@pytest.mark.parametrize("threads", [2, 3])
def test_threads_change_no_bit(alone: twin.Bodies, threads: int) -> None:
    """Whichever thread does a cell, its sum has one order."""
    assert same(moved(threads=threads), alone)


def test_plain_code_gives_the_bits_of_vector_code(alone: twin.Bodies) -> None:
    """Including cells that coincide."""
    assert same(moved("plain", threads=2), alone)


def test_double_precision_gives_other_bits(alone: twin.Bodies) -> None:
    """So the comparison sees differences in the last place."""
    other = moved("double")
    assert not same(other, alone)
    assert np.abs(other.position - alone.position).max() < 1e-3


def test_a_used_workspace_changes_no_bit(alone: twin.Bodies) -> None:
    """Even one that served other cells before."""
    room = Room()
    crowd = twin.jittered_block(CELLS)
    crowd.position[:] *= 0.5
    move(crowd, twin.all_slots(crowd), first=0, steps=2, dt=0.01, key=1, room=room)
    assert same(moved(room=room), alone)


def test_two_threads_finish_on_one_core(alone: twin.Bodies) -> None:
    """A thread that waits lets the other run."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        assert same(moved(threads=2), alone)
    finally:
        os.sched_setaffinity(0, cores)
