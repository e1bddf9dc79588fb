"""Mechanics of cells against closed forms, symmetries and states at the edge."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from twins import mechanics_twin as twin
from unmoor.errors import ParameterError, SimulationError
from unmoor.random import Stream
from unmoor.tissue.moving import How, move

RADIUS = 8.413
BOTH: list[How] = ["vector", "double"]


def row(distance: float, cells: int = 2) -> twin.Bodies:
    """Equal cells in a row, without a drive."""
    bodies = twin.jittered_block(cells)
    bodies.position[:] = np.arange(cells)[:, None] * [distance, 0.0, 0.0]
    bodies.drive[:] = 0.0
    return bodies


def run(bodies: twin.Bodies, steps: int, dt: float = 0.1, **options: object) -> twin.Bodies:
    """The same cells, moved."""
    move(bodies, twin.all_slots(bodies), first=0, steps=steps, dt=dt, key=3, **options)  # type: ignore[arg-type]
    return bodies


@pytest.mark.parametrize("how", BOTH)
def test_an_equal_pair_rests_at_its_distance(how: How) -> None:
    """1.90476 radii: √10 (1 − x/2) = √0.4 (1 − x/2.5), from either side."""
    for start in (1.7, 2.1):
        bodies = run(row(start * RADIUS), 20_000, how=how)
        apart = np.linalg.norm(bodies.position[1] - bodies.position[0])
        assert apart / RADIUS == pytest.approx(0.8 / 0.42, abs=1e-4)


def overlap_after(dt: float) -> float:
    """Relative overlap of a pair that only repels, after a minute from an overlap of one half."""
    bodies = row(RADIUS)
    bodies.adhesion[:] = 0.0
    bodies.velocity[:, 0] = [-2.5, 2.5]
    run(bodies, round(1 / dt), dt, how="double")
    return 1.0 - float(np.ptp(bodies.position[:, 0])) / (2 * RADIUS)


def test_a_pair_relaxes_as_calculated_and_to_second_order() -> None:
    """With u = 1 − d/R, u' = −(2 c/R) u², so u = u₀ / (1 + 2 c u₀ t / R)."""
    expected = 0.5 / (1 + 10 * 0.5 / RADIUS)
    coarse, fine = (overlap_after(dt) - expected for dt in (0.02, 0.01))
    assert abs(fine) < 1e-4
    assert 3.5 < coarse / fine < 4.5


@pytest.mark.parametrize(("is_flat", "dimensions"), [(False, 3), (True, 2)])
def test_walk_strays_as_a_persistent_random_walk(is_flat: bool, dimensions: int) -> None:
    """2 v² τ (t − τ (1 − e^(−t/τ))) within 4 standard errors, which a 10 % wrong speed misses."""
    bodies = twin.jittered_block(10_000)
    bodies.repulsion[:] = bodies.adhesion[:] = 0.0
    start = bodies.position.copy()
    run(bodies, 600, is_flat=is_flat)
    square = ((bodies.position - start) ** 2).sum(axis=1)
    error = square.std() / math.sqrt(square.size)
    expected = 2 * 0.5**2 * 10 * (60 - 10 * (1 - math.exp(-6)))
    assert abs(square.mean() - expected) < 4 * error
    assert abs(square.mean() - 1.1**2 * expected) > 4 * error
    along = ((bodies.position - start) ** 2).mean(axis=0)
    assert along[:dimensions] == pytest.approx(expected / dimensions, rel=0.08)
    assert not is_flat or along[2] == 0.0


def test_bias_leads_headings() -> None:
    """A strong bias gives everyone its direction; none at all gives no direction."""
    bodies = twin.jittered_block(4000)
    bodies.bias[:2000] = [0.0, 1000.0, 0.0]
    run(bodies, 1)
    assert bodies.heading[:2000, 1].min() > 0.999
    assert np.abs(bodies.heading[2000:].mean(axis=0)).max() < 4 / math.sqrt(3 * 2000)
    assert np.linalg.norm(bodies.heading, axis=1) == pytest.approx(1.0, abs=1e-6)


def test_space_has_no_direction_and_no_origin() -> None:
    """Turned, mirrored and shifted cells end turned, mirrored and shifted."""
    bodies = twin.jittered_block(300)
    bodies.drive[:] = 0.0
    turned = Rotation.from_rotvec([0.3, -1.1, 0.7]).as_matrix() @ np.diag([1.0, 1.0, -1.0])
    shift = np.array([120.0, -35.0, 60.0])
    other = twin.copied(bodies)
    other.position[:] = bodies.position @ turned.T + shift
    run(bodies, 100, how="double")
    run(other, 100, how="double")
    assert np.abs(other.position - (bodies.position @ turned.T + shift)).max() < 1e-9


def test_cells_push_each_other_equally() -> None:
    """The centre of cells of equal mobility rests."""
    bodies = twin.jittered_block(500)
    bodies.drive[:] = 0.0
    start = bodies.position.copy()
    run(bodies, 1, dt=1.0, how="double")
    steps = bodies.position - start
    assert np.abs(steps.sum(axis=0)).max() < 1e-12 * np.abs(steps).sum()


def test_energy_falls_without_a_drive() -> None:
    """Overdamped cells run downhill."""
    bodies = twin.jittered_block(200)
    bodies.drive[:] = 0.0
    energies = [twin.energy(run(bodies, 5)) for _ in range(30)]
    assert (np.diff(energies) < 0.0).all()


def test_when_lists_are_made_does_not_matter() -> None:
    """Only the order of sums differs."""
    ends = [run(twin.jittered_block(1500), 100, skin=skin).position for skin in (0.5, 3.0, 8.0)]
    assert np.abs(ends[0] - ends[1]).max() < 1e-3
    assert np.abs(ends[2] - ends[1]).max() < 1e-3


@pytest.mark.parametrize("how", BOTH)
def test_a_cell_far_away_changes_nothing(how: How) -> None:
    """Nor is it lost, and cells 0.1 m apart need no memory for the space between."""
    near, far = twin.jittered_block(301), twin.jittered_block(301)
    near.position[300], far.position[300] = 500.0, 1e5
    run(near, 50, how=how)
    run(far, 50, how=how)
    assert np.abs(near.position[:300] - far.position[:300]).max() < 2e-3
    assert np.abs(far.position[300] - 1e5).max() < 3.0


def test_no_cell_and_one_cell_are_a_tissue() -> None:
    """One moves by itself, none does nothing."""
    bodies = twin.jittered_block(1)
    start = bodies.position.copy()
    assert move(bodies, np.empty(0, np.int32), first=0, steps=5, dt=0.1, key=1).rebuilds == 0
    assert (bodies.position == start).all()
    run(bodies, 10)
    assert 0.1 < np.linalg.norm(bodies.position - start) < 0.6


@pytest.mark.parametrize("how", BOTH)
@pytest.mark.parametrize("cells", [2, 60])
def test_cells_at_one_point_part(how: How, cells: int) -> None:
    """In directions that are a function of who they are; their centre rests."""
    bodies = row(0.0, cells)
    run(bodies, 600, 0.01, how=how)
    away = np.linalg.norm(bodies.position[:, None] - bodies.position, axis=-1)
    assert np.isfinite(bodies.position).all()
    assert (away + np.diag(np.full(cells, np.inf))).min() > 0.3 * RADIUS
    assert np.abs(bodies.position.mean(axis=0)).max() < 1e-3


def test_cells_in_a_plane_stay_there() -> None:
    """Also where they are pushed out of it."""
    bodies = twin.jittered_block(200)
    height = bodies.position[:, 2].copy()
    run(bodies, 50, is_flat=True)
    assert (bodies.position[:, 2] == height).all()
    assert (bodies.velocity[:, 2] == 0.0).all()


@pytest.mark.parametrize("field", ["position", "velocity", "radius", "reach", "adhesion", "drive"])
def test_a_number_that_is_not_finite_is_refused(field: str) -> None:
    """With the cell, before anything moves."""
    bodies = twin.jittered_block(50)
    getattr(bodies, field)[31] = math.nan
    before = bodies.position.copy()
    with pytest.raises(ParameterError, match="slot 31"):
        run(bodies, 5)
    assert before.tobytes() == bodies.position.tobytes()


def test_a_cell_far_from_all_others_is_refused_as_such() -> None:
    """Not as one whose numbers are not finite."""
    bodies = twin.jittered_block(50)
    bodies.position[31, 1] = 1e12
    with pytest.raises(ParameterError, match=r"more than 1e\+07 µm from the others"):
        run(bodies, 5)


def test_too_long_a_step_is_an_error_not_a_number() -> None:
    """Cells that are flung out of the world are told of."""
    bodies = row(RADIUS, 40)
    bodies.repulsion[:] = 1e6
    with pytest.raises(SimulationError, match="flew away"):
        run(bodies, 50)


def test_only_cells_in_slots_move() -> None:
    """Others are as if they did not exist."""
    bodies = twin.jittered_block(100)
    start = bodies.position.copy()
    slots = np.arange(0, 100, 2, dtype=np.int32)
    move(bodies, slots, first=0, steps=10, dt=0.1, key=Stream(1).key)
    assert (bodies.position[1::2] == start[1::2]).all()
    assert (bodies.position[::2] != start[::2]).all()
