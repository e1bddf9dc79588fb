"""Spread, persistence and correlation length against walks and fields with planted values."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tissue_patterns import ball, smooth_field, tissue
from unmoor.errors import ParameterError
from unmoor.tissue.correlation import coordination, velocity_correlation
from unmoor.tissue.groups import groups
from unmoor.tissue.motion import Tracks, Walk, displaced, fitted_walk, motion, spread, tracks
from unmoor.tissue.snapshot import DYING, Snapshot

SPEED, CELLS, FINE = 0.5, 800, 0.5  # µm/min, cells, min


def walked(persistence: float, every: float, times: int, dimensions: int) -> list[Snapshot]:
    """Cells of one speed that turn with rate 1/persistence, pictured now and then.

    Correlation of the velocities is exp(-t/τ) at every fine step.
    """
    generator = np.random.default_rng(round(persistence) + dimensions)

    def directions(cells: int) -> np.ndarray:
        vector = np.zeros((cells, 3))
        vector[:, :dimensions] = generator.normal(size=(cells, dimensions))
        return np.asarray(vector / np.sqrt((vector**2).sum(axis=1))[:, None])

    heading, place = directions(CELLS), np.zeros((CELLS, 3))
    pictures = []
    for picture in range(times):
        pictures.append(tissue(place, time=picture * every))
        for _ in range(round(every / FINE)):
            place = place + SPEED * FINE * heading
            turns = generator.uniform(size=CELLS) < -math.expm1(-FINE / persistence)
            heading[turns] = directions(int(turns.sum()))
    return pictures


@pytest.mark.parametrize(
    ("persistence", "every", "dimensions"), [(20.0, 5.0, 3), (20.0, 10.0, 2), (60.0, 10.0, 3)]
)
def test_a_planted_walk_is_recovered(persistence: float, every: float, dimensions: int) -> None:
    """Speed within 3 %, persistence within 6 %: factors of 2 or of dimension would be seen."""
    found = motion(walked(persistence, every, 60, dimensions), is_flat=dimensions == 2)
    assert found.cells == CELLS
    assert found.walk.speed == pytest.approx(SPEED, rel=0.03)
    assert found.walk.persistence == pytest.approx(persistence, rel=0.06)
    expected = SPEED**2 * persistence / dimensions
    assert found.walk.diffusivity == pytest.approx(expected, rel=0.08)
    # What the distance between pictures tells is less, since cells turn between them.
    assert found.speed < 0.98 * found.walk.speed
    assert 0.0 < found.net_speed < found.speed
    assert found.directionality == pytest.approx(found.net_speed / found.speed, rel=0.05)


def furth(t: np.ndarray, speed: float, tau: float) -> np.ndarray:
    """2 v² τ [t - τ (1 - e^(-t/τ))]."""
    return np.asarray(2.0 * speed**2 * tau * (t - tau * (1.0 - np.exp(-t / tau))))


@pytest.mark.parametrize("tau", [0.5, 3.0, 40.0, 500.0])
def test_the_formula_itself_is_fitted_exactly(tau: float) -> None:
    """From a tenth of the step to five times the time of observation."""
    lag = np.arange(1.0, 21.0) * 5.0
    given = spread(tracks([tissue(np.zeros((1, 3)), time=5.0 * k) for k in range(21)]))
    walk = fitted_walk(given._replace(value=furth(lag, 0.3, tau)), 2)
    assert walk.speed == pytest.approx(0.3, rel=1e-3)
    assert walk.persistence == pytest.approx(tau, rel=1e-3)
    twice = fitted_walk(given._replace(value=furth(lag, 0.3, 2.0 * tau)), 2)
    assert twice.persistence == pytest.approx(2.0 * tau, rel=1e-3)


def test_straight_and_memoryless_motion_are_the_limits() -> None:
    """Infinite persistence, and none: then only the diffusivity can be known."""
    step = np.array([[0.2, 0.0, 0.0], [0.0, 0.2, 0.0]])
    found = motion([tissue(step * k, time=float(k)) for k in range(8)])
    assert found.walk.persistence == math.inf
    assert found.walk.speed == pytest.approx(0.2)
    assert found.directionality == pytest.approx(1.0)
    given = spread(tracks([tissue(step, time=float(k)) for k in range(8)]))
    walk = fitted_walk(given._replace(value=6.0 * 1.7 * given.lag), 3)
    assert walk.persistence == 0.0
    assert math.isnan(walk.speed)
    assert walk.diffusivity == pytest.approx(1.7, rel=0.01)


def test_cells_that_stand_still() -> None:
    """Speed 0; how long they would keep a direction cannot be known."""
    found = motion([tissue(ball(25.0), time=float(k)) for k in range(5)])
    assert (found.speed, found.net_speed, found.walk.speed) == (0.0, 0.0, 0.0)
    assert math.isnan(found.directionality)
    assert math.isnan(found.walk.persistence)
    assert found.cells == len(ball(25.0))


def slow_spread(paths: Tracks) -> list[float]:
    """Mean square displacements with loops, the readable twin."""
    times, cells, _ = paths.position.shape
    means = []
    for lag in range(1, times):
        squares = [
            float(((paths.position[s + lag, c] - paths.position[s, c]) ** 2).sum())
            for s in range(times - lag)
            for c in range(cells)
        ]
        means.append(float(np.nanmean(squares)))
    return means


def coming_and_going() -> list[Snapshot]:
    """Cells that appear, die and change places in the arrays."""
    generator = np.random.default_rng(3)
    pictures = []
    for k in range(7):
        chosen = generator.permutation(12)[:9]
        cells = tissue(
            generator.normal(size=(9, 3)) * 10.0,
            time=6.0 * k,
            identity=chosen.astype(np.uint64) + np.uint64(2**40),
        )
        cells.phase[0] = DYING
        pictures.append(cells)
    return pictures


def test_spread_is_that_of_a_slow_twin() -> None:
    """Cells matched by identity; only those that live at both ends of a lag count."""
    paths = tracks(coming_and_going())
    assert spread(paths).value == pytest.approx(slow_spread(paths), rel=1e-12)
    assert spread(paths, 2).lag.tolist() == [6.0, 12.0]
    by_row = paths._replace(position=np.array([each.position for each in coming_and_going()]))
    assert not np.allclose(slow_spread(by_row), slow_spread(paths))  # matched by row: wrong


def test_paths_are_those_of_cells_that_live_throughout() -> None:
    """Speeds of others would be of another time."""
    pictures = coming_and_going()[:3]
    alive = [set(each.identity[each.is_living].tolist()) for each in pictures]
    found = motion(pictures)
    assert found.cells == len(alive[0] & alive[1] & alive[2]) < 8
    assert found.cells > 0
    assert np.isfinite([found.speed, found.net_speed, found.directionality]).all()


def test_displacements_show_what_jostling_hides() -> None:
    """A disc that turns while each cell jostles: cells agree over hours, not over minutes."""
    place = ball(60.0)
    generator = np.random.default_rng(9)
    turn = np.array([[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    drift = 0.01 * place @ turn
    names = np.arange(len(place), dtype=np.uint64)
    start = tissue(place, identity=names)
    order = generator.permutation(len(place))
    place = (place + 30.0 * drift)[order]
    jostling = drift[order] + generator.normal(size=place.shape)
    now = tissue(place, jostling, time=30.0, identity=names[order])
    now.identity[0] = 10**6  # new
    shown = displaced(now, start)
    assert shown.velocity[1:] == pytest.approx(drift[order][1:], abs=1e-6)
    assert not shown.velocity[0].any()
    all_cells = np.ones(len(place), np.bool_)
    assert coordination(now, groups(now), all_cells) < 0.5
    assert coordination(shown, groups(now), all_cells) > 0.8
    with pytest.raises(ParameterError, match="later"):
        displaced(start, now)


def test_pictures_must_come_in_order_and_evenly() -> None:
    """Lags of different lengths would mix."""
    pictures = coming_and_going()
    with pytest.raises(ParameterError, match="do not rise"):
        tracks(pictures[::-1])
    with pytest.raises(ParameterError, match="evenly spaced"):
        spread(tracks([pictures[0], pictures[1], pictures[4]]))
    one = motion(pictures[:1])
    assert one.cells == 8
    assert math.isnan(one.speed)
    assert all(math.isnan(each) for each in Walk(*one.walk))


def planted(length: float, seed: int, noise: float = 0.0) -> Snapshot:
    """2 000 cells strewn over a square of 1 mm (a tenth of it thick) in a smooth velocity field."""
    generator = np.random.default_rng(seed)
    place = generator.uniform(0.0, 1.0, (2000, 3)) * [1000.0, 1000.0, 100.0]
    field = smooth_field(place, length, seed) + noise * generator.normal(size=place.shape)
    return tissue(place, field)


@pytest.mark.parametrize(("length", "noise"), [(25.0, 0.0), (50.0, 0.0), (40.0, 1.0)])
def test_a_planted_correlation_length_is_recovered(length: float, noise: float) -> None:
    """Within 10 % as the mean of eight fields, also where half of a velocity is the cell's own."""
    found = [velocity_correlation(planted(length, seed, noise)).length for seed in range(8)]
    assert float(np.mean(found)) == pytest.approx(length, rel=0.1)


def test_shuffled_velocities_have_no_correlation_length() -> None:
    """The same velocities given to other cells."""
    cells = planted(50.0, 1)
    order = np.random.default_rng(2).permutation(len(cells.velocity))
    shuffled = velocity_correlation(cells._replace(velocity=cells.velocity[order]))
    assert velocity_correlation(cells).length > 30.0
    assert shuffled.length == 0.0
    assert np.abs(shuffled.value[3:]).max() < 0.05


def test_a_drift_of_the_whole_does_not_change_the_correlation() -> None:
    """Velocities count relative to their mean; without, a drift would correlate all cells."""
    cells = planted(25.0, 4)
    drifting = cells._replace(velocity=cells.velocity + np.float32(4.0))
    one, other = velocity_correlation(cells), velocity_correlation(drifting)
    assert other.length == pytest.approx(one.length, rel=1e-3)
    assert other.value == pytest.approx(one.value, abs=1e-4)


def test_a_sample_of_the_pairs_tells_the_same_length() -> None:
    """What is done beyond a number of cells."""
    cells = planted(50.0, 5)
    all_pairs, fewer = velocity_correlation(cells), velocity_correlation(cells, cells=1200)
    assert 0.3 < fewer.pairs.sum() / all_pairs.pairs.sum() < 0.42  # (1200/2000)²
    assert fewer.length == pytest.approx(all_pairs.length, rel=0.25)
