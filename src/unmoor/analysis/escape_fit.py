"""From counts of runs to the table of escape, with its cross-validated error."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from unmoor.analysis.escape_runs import Run, arrays, axis_ends
from unmoor.elementwise import FloatArray
from unmoor.tissue.escape_counts import Counts
from unmoor.tissue.escape_smoothing import places, tabulated
from unmoor.tissue.escape_table import Grid
from unmoor.tissue.smooth_rates import Shape, fit_counts
from unmoor.trial.atomic import write_file

NODES = (10, 7, 4, 4)  # of the table's axes
FOLDS = 5
COUNTED = 5.0  # foretold departures from which a logarithm of a count means something
KINDS = ("singles", "clusters")
_QUADRATURE = 31  # points over the spread of a prediction


@dataclass(frozen=True)
class Validation:
    """How well points that a fit has not seen are foretold.

    Attributes
    ----------
    explained
        Share of the deviance of the counts that goes, against one rate for all [-].
    error
        Root mean square of ln(counted / foretold) over points where ``COUNTED`` or more are
        foretold [-].
    coverage
        Share of the points inside their 90 % interval, which allows for the fit's error, for
        scatter and for chance [-].
    events
        Number of departures counted.
    shape
        Shape that was chosen, from all points.
    """

    explained: float
    error: float
    coverage: float
    events: int
    shape: Shape


def make_grid(runs: Sequence[Run], about: Mapping[str, str]) -> tuple[Grid, dict[str, Validation]]:
    """Fit the runs and tabulate what they say.

    Returns
    -------
        The grid, and how well each rate is foretold.
    """
    points, counts = arrays(runs)
    grid, fits = tabulated(Grid.of(axis_ends(), NODES), points, counts)
    there, exposure = places(grid, points), counts[:, Counts._fields.index("edge_days")]
    told = {
        name: validate(there, exposure, counts[:, Counts._fields.index(name)], fit.shape)
        for name, fit in zip(KINDS, fits, strict=True)
    }
    return replace(grid, about={**about, **_told(told)}), told


def validate(
    there: FloatArray, exposure: FloatArray, counts: FloatArray, shape: Shape
) -> Validation:
    """Foretell each point from those of the other folds."""
    mean, error = np.empty((2, counts.size))
    fold = np.arange(counts.size) % FOLDS
    for number in range(FOLDS):
        out = fold == number
        fit = fit_counts(there[~out], exposure[~out], counts[~out], shape)
        mean[out], error[out] = fit.at(there[out])
    foretold = exposure * np.exp(mean)
    spread = np.sqrt(error**2 + shape.scatter**2)
    level = counts.sum() / exposure.sum()
    known = foretold >= COUNTED
    logs = np.log((counts[known] + 0.5) / (foretold[known] + 0.5))
    return Validation(
        1.0 - _deviance(counts, foretold) / _deviance(counts, level * exposure),
        float(np.sqrt(np.mean(logs**2))) if known.any() else math.nan,
        float(_inside(counts, np.log(exposure) + mean, spread).mean()),
        int(counts.sum()),
        shape,
    )


def _deviance(counts: FloatArray, expected: FloatArray) -> float:
    ratio = np.where(counts > 0.0, counts, 1.0) / expected
    return float(
        2.0 * (np.where(counts > 0.0, counts * np.log(ratio), 0.0) - counts + expected).sum()
    )


def _inside(counts: FloatArray, mean: FloatArray, spread: FloatArray) -> FloatArray:
    """Whether counts lie in the central 90 % of Poisson counts about a log-normal expectation."""
    from scipy.special import pdtr

    nodes, weights = np.polynomial.hermite_e.hermegauss(_QUADRATURE)
    weights = weights / weights.sum()
    expected = np.exp(mean[:, None] + spread[:, None] * nodes)
    upto = (weights * pdtr(counts[:, None], expected)).sum(axis=1)
    below = np.where(
        counts > 0.0,
        (weights * pdtr(np.maximum(counts - 1.0, 0.0)[:, None], expected)).sum(axis=1),
        0.0,
    )
    inside: FloatArray = (upto > 0.05) & (below < 0.95)
    return inside


def _told(found: dict[str, Validation]) -> dict[str, str]:
    """The validation as lines of the table's head."""
    return {
        f"cross-validated {name}": (
            f"explained deviance {each.explained:.3f}; root mean square log error "
            f"{each.error:.3f}; 90 % intervals cover {each.coverage:.3f}; {each.events} departures;"
            " shape " + " ".join(f"{key}={value:g}" for key, value in each.shape._asdict().items())
        )
        for name, each in found.items()
    }


def write_grid(grid: Grid, folder: Path) -> Path:
    """Write the table; returns its path."""
    path = folder / "table.tsv"
    write_file(path, grid.to_text().encode())
    return path
