"""Counts of a known rate: the fit finds it, knows its own error, and is judged fairly."""

from __future__ import annotations

import numpy as np
import pytest

from unmoor.analysis.escape_fit import FOLDS, validate
from unmoor.elementwise import FloatArray
from unmoor.random import Stream
from unmoor.tissue.escape_counts import Counts
from unmoor.tissue.escape_smoothing import places, tabulated
from unmoor.tissue.escape_table import Grid, spread_points
from unmoor.tissue.smooth_rates import Shape, fit_counts, fit_readings, likeliest

ENDS = ((0.04, 2.0), (0.04, 0.6), (1.5, 4.0), (0.0, 1.4))
SHAPES = [Shape(0.8, 1.2, 4.0, scatter) for scatter in (0.02, 0.3, 0.9)]
EXPOSURE, POINTS = 1500.0, 150


def log_rate(places: FloatArray) -> FloatArray:
    """A threshold in the first two axes, as tissue has it, and slopes along the others."""
    step = places[:, 1] - places[:, 0]
    bend: FloatArray = np.log1p(np.exp(3.0 * step)) / 3.0
    return -6.0 + 2.5 * bend + places[:, 1] - 0.6 * places[:, 2] + 0.2 * places[:, 3]


def places_of(count: int) -> FloatArray:
    """Where runs lie, each axis from −1 to 1."""
    points = np.array(spread_points(ENDS, count))
    return places(Grid.of(ENDS, (5, 5, 2, 2)), points)


def counts_at(places: FloatArray, scatter: float, seed: int) -> FloatArray:
    """Poisson counts about the known rate, which scatters from run to run."""
    ids, stream = np.arange(places.shape[0], dtype=np.uint64), Stream(seed)
    logs = log_rate(places) + scatter * stream.normal(ids, "scatter")
    drawn: FloatArray = stream.poisson(EXPOSURE * np.exp(logs), ids, "counts").astype(np.float64)
    return drawn


def fitted(seed: int, scatter: float = 0.3):  # type: ignore[no-untyped-def]
    """Places, counts and the likeliest fit."""
    there = places_of(POINTS)
    counts = counts_at(there, scatter, seed)
    exposure = np.full(POINTS, EXPOSURE)
    return there, counts, likeliest([fit_counts(there, exposure, counts, s) for s in SHAPES])


def test_a_known_rate_is_recovered_with_an_honest_error() -> None:
    """Over five sets of counts: inside the axes, error .15 or less and 90 % intervals that hold.

    With scatter taken for signal (or exposure forgotten) intervals hold far less often.
    """
    wanted = 0.8 * places_of(400)[200:]
    off, sure = [], []
    for seed in range(5):
        _, _, fit = fitted(seed)
        mean, error = fit.at(wanted)
        off.append(mean - log_rate(wanted))
        sure.append(np.abs(off[-1]) < 1.645 * error)
    assert np.sqrt(np.mean(np.square(off))) < 0.15
    assert 0.85 < np.mean(sure) < 0.99


def test_the_scatter_of_runs_is_told_from_chance() -> None:
    """Counts without scatter ask for the least, counts with .9 for the most."""
    assert fitted(3, 0.0)[2].shape.scatter == 0.02
    assert fitted(3, 0.3)[2].shape.scatter == 0.3
    assert fitted(3, 0.9)[2].shape.scatter == 0.9


def test_runs_without_any_departure_are_no_trouble() -> None:
    """All counts 0: a low rate everywhere, finite, and less certain than with counts."""
    there, exposure = places_of(40), np.full(40, EXPOSURE)
    mean, error = fit_counts(there, exposure, np.zeros(40), SHAPES[1]).at(there)
    assert np.isfinite(mean).all()
    assert (mean < np.log(3.0 / EXPOSURE)).all()
    known = fit_counts(there, exposure, counts_at(there, 0.3, 1), SHAPES[1]).at(there)[1]
    assert error.mean() > known.mean()


def test_the_mode_is_where_the_slope_is_nothing() -> None:
    """At the mode, counts less expectation equal the prior's pull: the weights of the fit."""
    there, counts, fit = fitted(2)
    noise = fit.shape.scatter**2 * fit.pull  # predictions leave the run's own scatter out
    expected = EXPOSURE * np.exp(fit.at(there)[0] + noise)
    assert fit.pull == pytest.approx(counts - expected, abs=1e-5 * counts.max())


def test_readings_are_smoothed() -> None:
    """A straight line under noise .1 comes back within .05 (root mean square)."""
    there = places_of(80)
    line = 2.0 + there @ np.array([1.0, -0.5, 0.2, 0.0])
    noise = 0.1 * Stream(4).normal(np.arange(80, dtype=np.uint64), "noise")
    mean, _ = fit_readings(there, line + noise, Shape(0.5, 1.2, 4.0, 0.1)).at(there)
    assert np.sqrt(np.mean((mean - line) ** 2)) < 0.05


def test_cross_validation_tells_a_good_fit_from_none() -> None:
    """Most deviance is foretold, intervals hold; for counts shuffled over the runs nothing is."""
    there, counts, fit = fitted(5)
    exposure = np.full(POINTS, EXPOSURE)
    good = validate(there, exposure, counts, fit.shape)
    assert good.explained > 0.9
    assert 0.83 < good.coverage <= 0.99
    assert good.error < 0.5  # counts of 5 and more, scatter .3
    assert good.events == counts.sum()
    order = np.argsort(Stream(6).uniform(np.arange(POINTS, dtype=np.uint64), "shuffle"))
    none = validate(there, exposure, counts[order], fit.shape)
    assert none.explained < 0.1
    assert none.coverage < 0.83


def test_no_run_is_foretold_from_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each fold's fit sees the runs of the others alone."""
    from unmoor.analysis import escape_fit

    seen = []
    real = escape_fit.fit_counts

    def watched(places: FloatArray, *more: FloatArray) -> object:
        seen.append({tuple(row) for row in places.tolist()})
        return real(places, *more)

    monkeypatch.setattr(escape_fit, "fit_counts", watched)
    there = places_of(30)
    validate(there, np.full(30, EXPOSURE), counts_at(there, 0.3, 1), SHAPES[1])
    every = [tuple(row) for row in there.tolist()]
    assert len(seen) == FOLDS
    assert all(sum(row not in own for own in seen) == 1 for row in every)


def test_a_grid_is_tabulated_from_points_and_counts() -> None:
    """Both rates, with errors, and both readings, at every node."""
    points = np.array(spread_points(ENDS, 100))
    grid = Grid.of(ENDS, (3, 3, 2, 2))
    there = places(grid, points)
    counts = np.zeros((100, len(Counts._fields)))
    counts[:, 0] = EXPOSURE
    counts[:, 1], counts[:, 2] = counts_at(there, 0.3, 8), counts_at(there, 0.3, 9)
    counts[:, 4], counts[:, 5] = 30.0 + 10.0 * there[:, 1], points[:, 3]
    made, fits = tabulated(grid, points, counts)
    truth = log_rate(places(grid, grid.points()))
    values = made.values.reshape(truth.size, -1)
    for i, fit in enumerate(fits):
        error = fit.at(places(grid, grid.points()))[1]
        off = np.abs(values[:, i] - truth) / error
        assert np.all(made.errors(i).ravel() < 1.0001 * error)  # modes hold a part of it
        assert np.mean(off < 2.0) > 0.8
        assert off.max() < 5.0  # at corners, where no point lies
        assert values[:, i] == pytest.approx(fit.at(places(grid, grid.points()))[0], rel=1e-5)
    assert values[:, 3] == pytest.approx(grid.points()[:, 3], abs=0.05)
    assert np.ptp(values[:, 2]) == pytest.approx(20.0, rel=0.1)


def test_modes_are_a_factor_of_the_errors_covariance() -> None:
    """With as many modes as places they give every error; a few give most of the largest."""
    _, _, fit = fitted(7)
    wanted = places_of(60)[:30]
    mean, error = fit.at(wanted)
    whole = fit.modes_at(wanted, 30)
    assert np.sqrt((whole**2).sum(axis=1)) == pytest.approx(error, rel=1e-6)
    few = fit.modes_at(wanted, 6)
    assert np.array_equal(few, whole[:, :6])
    left = error**2 - (few**2).sum(axis=1)
    assert left.max() < 0.5 * (error**2).max()
    assert mean.shape == error.shape


def test_functions_drawn_from_the_modes_cover_the_truth() -> None:
    """Differences of two places: those drawn spread as the truth is off, over sets of counts."""
    wanted = 0.8 * places_of(40)[20:]
    one, other = wanted[:10], wanted[10:]
    truth, off = log_rate(one) - log_rate(other), []
    for seed in range(8):
        _, _, fit = fitted(seed)
        both = np.concatenate([one, other])
        mean, modes = fit.at(both)[0], fit.modes_at(both, 20)
        spread = np.sqrt(((modes[:10] - modes[10:]) ** 2).sum(axis=1))
        off.append((mean[:10] - mean[10:] - truth) / spread)
    assert 0.6 < np.sqrt(np.mean(np.square(off))) < 1.4
