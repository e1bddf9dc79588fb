"""Indices of sensitivity of a function of numbers in (0, 1), with their intervals.

Designs and estimators are SALib's; intervals come from its resampling, seeded. The function is
asked once, with all points of the design.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from unmoor.elementwise import FloatArray
from unmoor.errors import Problem, StudyError
from unmoor.random import Stream

METHODS = ("sobol", "morris")
_LEVELS = 6  # of a Morris design
_RESAMPLES = 200
Function = Callable[[FloatArray], FloatArray]


def sobol(
    function: Function, groups: Sequence[Sequence[int]], size: int, seed: int, level: float = 0.9
) -> dict[str, FloatArray]:
    """First-order and total indices of groups of inputs (Saltelli's design).

    Parameters
    ----------
    function
        From points, shape (points, inputs), to values, shape (points,); NaN where there is none.
    groups
        Inputs of each group, each input in one.
    size
        Points of the base design, a power of 2; ``size × (groups + 2)`` points are asked.
    level
        Share of the intervals.

    Returns
    -------
        ``first``, ``total`` and their half widths ``first_half`` and ``total_half``, shape
        (groups,).
    """
    problem, salib = _problem(groups), _salib()
    points = salib("sample.sobol").sample(problem, size, calc_second_order=False, seed=seed)
    values = _complete(function(_inside(points)))
    found = salib("analyze.sobol").analyze(
        problem, values, calc_second_order=False, num_resamples=_RESAMPLES, conf_level=level,
        seed=seed,
    )  # fmt: skip
    place = _places(groups)
    told = np.argsort([*dict.fromkeys(place[i] for i in sorted(place))])
    columns = {"first": "S1", "first_half": "S1_conf", "total": "ST", "total_half": "ST_conf"}
    # SALib tells groups in the order in which their first inputs stand
    return {name: np.asarray(found[key])[told] for name, key in columns.items()}


def morris(
    function: Function, inputs: int, size: int, seed: int, level: float = 0.9
) -> dict[str, FloatArray]:
    """Mean absolute elementary effect of each input, its half width, and the spread of effects.

    Levels are the middles of six equal parts of (0, 1): at its ends a level that is normal would be
    many standard deviations away.

    Parameters
    ----------
    size
        Trajectories; ``size × (inputs + 1)`` points are asked.

    Returns
    -------
        ``effect``, ``effect_half`` and ``sigma`` (interaction or curvature), shape (inputs,).
    """
    problem, salib = _problem([[i] for i in range(inputs)]), _salib()
    design = salib("sample.morris")
    points = design.sample(problem, size, num_levels=_LEVELS, seed=seed)
    inside = (points * (_LEVELS - 1) + 0.5) / _LEVELS
    values = _complete(function(inside)) * _LEVELS / (_LEVELS - 1)  # effects a unit of the input
    found = salib("analyze.morris").analyze(
        problem, points, values, num_levels=_LEVELS, num_resamples=_RESAMPLES, conf_level=level,
        seed=seed,
    )  # fmt: skip
    return {
        "effect": np.asarray(found["mu_star"], float),
        "effect_half": np.asarray(found["mu_star_conf"], float),
        "sigma": np.asarray(found["sigma"], float),
    }


def partial_ranks(
    points: FloatArray, values: FloatArray, seed: int, level: float = 0.9
) -> dict[str, FloatArray]:
    """Partial rank correlation of each input with the values, from given points.

    The points may be any sample, such as draws that were filtered; an index says what goes with an
    input when the others are held, linearly in ranks.

    Parameters
    ----------
    points
        Shape (points, inputs), more points than inputs.
    values
        Shape (points,).

    Returns
    -------
        ``rank``, ``rank_low``, ``rank_high`` (resampled), shape (inputs,); NaN with too few points.
    """
    known = np.isfinite(values)
    points, values = points[known], values[known]
    count, inputs = points.shape
    if count < inputs + 4:
        return {name: np.full(inputs, np.nan) for name in ("rank", "rank_low", "rank_high")}
    own = _partial(points, values)
    ids = np.arange(_RESAMPLES * count, dtype=np.uint64)
    picks = (Stream(seed).uniform(ids, "ranks") * count).astype(np.int64).reshape(-1, count)
    again = np.array([_partial(points[pick], values[pick]) for pick in picks])
    tail = 0.5 * (1.0 - level)
    low, high = np.nanquantile(again, [tail, 1.0 - tail], axis=0)
    return {"rank": own, "rank_low": low, "rank_high": high}


def _partial(points: FloatArray, values: FloatArray) -> FloatArray:
    """Partial correlations of ranks, from the inverse of their correlations."""
    columns = np.column_stack([points, values])
    ranks = np.argsort(np.argsort(columns, axis=0, kind="stable"), axis=0).astype(float)
    spread = ranks.std(axis=0)
    ranks = (ranks - ranks.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    inverse = np.linalg.pinv(ranks.T @ ranks / len(ranks), hermitian=True)
    scale = np.sqrt(np.maximum(np.diag(inverse), 1e-300))
    found: FloatArray = -inverse[:-1, -1] / (scale[:-1] * scale[-1])
    return found


def _problem(groups: Sequence[Sequence[int]]) -> dict[str, Any]:
    inputs = sum(map(len, groups))
    place = _places(groups)
    problem: dict[str, Any] = {
        "num_vars": inputs,
        "names": [f"x{i}" for i in range(inputs)],
        "bounds": [[0.0, 1.0]] * inputs,
    }
    if len(groups) < inputs:
        problem["groups"] = [f"g{place[i]:04d}" for i in range(inputs)]
    return problem


def _places(groups: Sequence[Sequence[int]]) -> dict[int, int]:
    """Group of each input."""
    return {i: g for g, group in enumerate(groups) for i in group}


def _inside(points: FloatArray) -> FloatArray:
    """Points off the edges, where a quantile may be infinite."""
    kept: FloatArray = np.clip(points, 1e-6, 1.0 - 1e-6)
    return kept


def _complete(values: FloatArray) -> FloatArray:
    """What cannot be solved has the mean of the others: it adds no variance of its own."""
    known = np.isfinite(values)
    if not known.any():
        raise ValueError("no point of the design could be solved")
    filled: FloatArray = np.where(known, values, values[known].mean())
    return filled


def _salib() -> Callable[[str], Any]:
    """Loader of SALib's modules."""
    from importlib import import_module

    def load(name: str) -> Any:
        try:
            return import_module(f"SALib.{name}")
        except ImportError as error:
            expected = "the package SALib, which unmoor sensitivity needs"
            fix = 'install it: pip install "unmoor[foresight]"'
            problem = Problem("", "", "it is not installed", expected, fix, "E-EXTRA")
            raise StudyError(problem) from error

    return load


def order_of(found: Mapping[str, FloatArray], name: str) -> list[int]:
    """Inputs from the most to the least influential; ties in the order of inputs."""
    return [int(i) for i in np.argsort(-np.nan_to_num(found[name]), kind="stable")]
