"""How cells move: paths of cells followed by identity, their spread, speed and persistence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from unmoor.compilation import kernel
from unmoor.errors import ParameterError
from unmoor.tissue.bodies import FloatArray, IdentityArray
from unmoor.tissue.snapshot import Snapshot

_STRAIGHT = 1e9  # persistence in spans of the observation at which a path is straight
_UNEVEN = 1e-6  # relative difference between intervals that counts as uneven


class Tracks(NamedTuple):
    """Paths of cells.

    Attributes
    ----------
    time
        Shape (times,) [min].
    identity
        Cells that live at any of the times, rising, shape (cells,).
    position
        NaN where the cell does not live, shape (times, cells, 3) [µm].
    """

    time: FloatArray
    identity: IdentityArray
    position: FloatArray


class Spread(NamedTuple):
    """Mean square displacement.

    Attributes
    ----------
    lag
        Shape (lags,) [min].
    value
        Mean over cells and starting times; NaN where no cell lives at both, shape (lags,) [µm²].
    pairs
        Number of displacements, shape (lags,).
    """

    lag: FloatArray
    value: FloatArray
    pairs: npt.NDArray[np.int64]


class Walk(NamedTuple):
    """A persistent random walk fitted to a mean square displacement.

    Attributes
    ----------
    speed
        v, root mean square speed; NaN where ``persistence`` is 0 [µm/min].
    persistence
        τ; 0 if shorter than a hundredth of the first lag, infinite if longer than a hundred times
        the last, NaN if nothing moves [min].
    diffusivity
        v² τ / dimensions, what the walk amounts to in the long run; infinite where τ is [µm²/min].
    """

    speed: float
    persistence: float
    diffusivity: float


class Motion(NamedTuple):
    """How the cells of a tissue move between two times.

    Attributes
    ----------
    cells
        Cells that live at all times.
    speed
        Mean distance from one snapshot to the next, by the time between them; depends on that
        time, NaN without cells [µm/min].
    net_speed
        Mean distance from first to last place, by the time between them; NaN without cells
        [µm/min].
    directionality
        Mean of distance from first to last place by the length of the path, over cells that
        moved; NaN if none did [-].
    walk
        Persistent random walk fitted to the mean square displacement of all cells.
    """

    cells: int
    speed: float
    net_speed: float
    directionality: float
    walk: Walk


def displaced(now: Snapshot, earlier: Snapshot) -> Snapshot:
    """Give cells the velocity with which they came from where they were at an earlier time.

    Velocities over the minutes of one exchange are mostly each cell's own jostling; how far
    neighbours travel together shows over hours, as cells are followed under a microscope.

    Parameters
    ----------
    now
        The tissue.
    earlier
        The same some time before.

    Returns
    -------
        ``now`` with velocities of displacement; 0, so without a direction, for a cell that was not
        there.

    Raises
    ------
    ParameterError
        If ``earlier`` is not earlier.
    """
    between = now.time - earlier.time
    if not between > 0.0:
        raise ParameterError(
            f"a displacement from {earlier.time:g} to {now.time:g} min: the second must be later"
        )
    order = np.argsort(earlier.identity, kind="stable")
    velocity = np.zeros((len(now.identity), 3), np.float32)
    if order.size:
        known = earlier.identity[order]
        place = np.minimum(np.searchsorted(known, now.identity), order.size - 1)
        same = known[place] == now.identity
        came = now.position[same] - earlier.position[order[place[same]]]
        velocity[same] = came / between
    return now._replace(velocity=velocity)


def tracks(snapshots: Sequence[Snapshot]) -> Tracks:
    """Follow living cells through snapshots by their identity.

    Raises
    ------
    ParameterError
        If the times do not rise.
    """
    time = np.array([each.time for each in snapshots], np.float64)
    if bool((np.diff(time) <= 0.0).any()):
        raise ParameterError("the times of the snapshots do not rise; give them in their order")
    found = [(each.identity[each.is_living], each.position[each.is_living]) for each in snapshots]
    identity = np.unique(np.concatenate([np.empty(0, np.uint64), *(who for who, _ in found)]))
    position = np.full((time.size, identity.size, 3), math.nan)
    for row, (who, where) in zip(position, found, strict=True):
        row[np.searchsorted(identity, who)] = where
    return Tracks(time, identity, position)


def spread(paths: Tracks, lags: int | None = None) -> Spread:
    """Mean square displacement over the first ``lags`` lags, all if not given.

    Raises
    ------
    ParameterError
        If the times are not evenly spaced: lags would mix.
    """
    gaps = np.diff(paths.time)
    if gaps.size and float(gaps.max() - gaps.min()) > _UNEVEN * float(gaps.max()):
        raise ParameterError(
            f"the snapshots are {gaps.min():g} to {gaps.max():g} min apart; a mean square"
            " displacement needs evenly spaced ones: leave out the others"
        )
    most = gaps.size if lags is None else min(lags, gaps.size)
    sums, pairs = np.zeros(most), np.zeros(most, np.int64)
    _square(paths.position, sums, pairs)
    value = np.full(most, math.nan)
    np.divide(sums, pairs, out=value, where=pairs > 0)
    step = float(gaps.mean()) if gaps.size else 0.0
    return Spread(step * np.arange(1.0, most + 1.0), value, pairs)


def fitted_walk(spread: Spread, dimensions: int = 3) -> Walk:
    """Fit Fürth's formula to a mean square displacement.

        MSD(t) = 2 v² τ [t - τ (1 - e^(-t/τ))]

    by least squares of relative deviations. A lag weighs by the number of its displacements that
    do not overlap, pairs / lag. For each τ the best v² is known in closed form; log τ is searched.

    Parameters
    ----------
    spread
        At two lags or more.
    dimensions
        Of space, for ``diffusivity`` alone.
    """
    from scipy.optimize import minimize_scalar

    told = (spread.pairs > 0) & (spread.value > 0.0)
    t, y = spread.lag[told], spread.value[told]
    if t.size < 2:
        return Walk(0.0 if not told.any() and spread.pairs.any() else math.nan, math.nan, math.nan)
    weight = spread.pairs[told] / t

    def scale(tau: float) -> tuple[float, FloatArray]:
        ratio = 2.0 * np.array([_furth(x, tau) for x in t]) / y
        return float((weight * ratio).sum() / (weight * ratio * ratio).sum()), ratio

    def misfit(log_tau: float) -> float:
        square, ratio = scale(math.exp(log_tau))
        return float((weight * (square * ratio - 1.0) ** 2).sum())

    low, high = math.log(t[0] * 1e-2), math.log(t[-1] * 1e2)
    grid = np.linspace(low, high, 65)
    k = int(np.argmin([misfit(float(x)) for x in grid]))
    bounds = (float(grid[max(k - 1, 0)]), float(grid[min(k + 1, grid.size - 1)]))
    best = minimize_scalar(misfit, bounds=bounds, method="bounded", options={"xatol": 1e-6})
    tau = math.exp(float(best.x))
    square = scale(tau)[0]
    if best.x < low + 1e-3:
        return Walk(math.nan, 0.0, square * tau / dimensions)
    if best.x > high - 1e-3:
        return Walk(math.sqrt(scale(t[-1] * _STRAIGHT)[0]), math.inf, math.inf)
    return Walk(math.sqrt(square), tau, square * tau / dimensions)


def _furth(t: float, tau: float) -> float:
    """τ [t - τ (1 - e^(-t/τ))], by its series where the difference would be rounding [min²]."""
    x = t / tau
    if x < 1e-3:
        return t * t * (0.5 - x / 6.0 + x * x / 24.0)
    return tau * (t + tau * math.expm1(-x))


def motion(snapshots: Sequence[Snapshot], *, is_flat: bool = False) -> Motion:
    """Describe how living cells move through evenly spaced snapshots.

    Parameters
    ----------
    snapshots
        Two or more of one tissue, in order of time.
    is_flat
        Whether cells move in a plane; matters for the diffusivity alone.
    """
    paths = tracks(snapshots)
    walk = fitted_walk(spread(paths), 2 if is_flat else 3)
    everywhere = np.isfinite(paths.position[:, :, 0]).all(axis=0)
    cells = int(everywhere.sum())
    if cells == 0 or paths.time.size < 2:
        return Motion(cells, math.nan, math.nan, math.nan, walk)
    places = paths.position[:, everywhere]
    path = _lengths(np.diff(places, axis=0)).sum(axis=0)
    net = _lengths(places[-1] - places[0])
    span = float(paths.time[-1] - paths.time[0])
    moved = path > 0.0
    straight = float((net[moved] / path[moved]).mean()) if moved.any() else math.nan
    return Motion(cells, float(path.mean()) / span, float(net.mean()) / span, straight, walk)


def _lengths(vector: FloatArray) -> FloatArray:
    return np.asarray(np.sqrt((vector * vector).sum(axis=-1)))


@kernel
def _square(position: Any, sums: Any, pairs: Any) -> None:
    """Add up square displacements by lag; a cell that does not live at both ends is left out."""
    times, cells = position.shape[0], position.shape[1]
    for lag in range(1, sums.size + 1):
        for start in range(times - lag):
            for c in range(cells):
                x = position[start + lag, c, 0] - position[start, c, 0]
                y = position[start + lag, c, 1] - position[start, c, 1]
                z = position[start + lag, c, 2] - position[start, c, 2]
                square = x * x + y * y + z * z
                if not np.isnan(square):
                    sums[lag - 1] += square
                    pairs[lag - 1] += 1
