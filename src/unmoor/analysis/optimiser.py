"""Points of a grid at which several numbers are small, under conditions: asked in whole batches.

Three stages share a budget. A design covers the grid (corners, centre, a Latin hypercube); NSGA-II
(of the library optuna) breeds points that are on the front; a smooth surface
through what is known then says where the first objective may be less still
(:mod:`unmoor.analysis.refining`), since a genetic algorithm comes near a best point and seldom
reaches it. All of it is a function of the seed and of what the points are worth, so that whoever
asks again with a memory of those gets the same answers.
"""

from __future__ import annotations

import itertools
import logging
import warnings
from collections.abc import Sequence
from types import ModuleType
from typing import Any

import numpy as np

from unmoor.analysis.refining import refine
from unmoor.analysis.search_book import Book, Evaluate, Worth
from unmoor.analysis.search_space import Point
from unmoor.errors import Problem, StudyError
from unmoor.random import Stream

_CORNERS = 16  # corners of the grid in the design, at most
_DESIGN, _BRED = 0.25, 0.2  # shares of the budget; the rest refines
_POPULATION = 20
_GENERATIONS_EMPTY = 5  # generations that bring nothing new, after which breeding ends


def optimise(
    sizes: Sequence[int], evaluate: Evaluate, *, budget: int, seed: int
) -> dict[Point, Worth]:
    """Try points of a grid.

    Parameters
    ----------
    sizes
        Levels in each direction.
    evaluate
        Worth of each of several points.
    budget
        Points tried, at most.
    seed
        Seed of all that is random.

    Returns
    -------
        Everything that was tried, in order; all of the grid if that is not larger than the budget.
    """
    book = Book(sizes, evaluate, budget)
    if np.prod([float(size) for size in sizes]) <= budget:
        book.ask(list(itertools.product(*map(range, sizes))))
        return book.worths
    stream = Stream(seed)
    book.ask(_design(book.sizes, max(4, int(_DESIGN * budget)), stream))
    _breed(book, stream, until=int((_DESIGN + _BRED) * budget))
    refine(book, stream)
    return book.worths


def front(worths: dict[Point, Worth]) -> list[Point]:
    """Points under the conditions that no other is at least as good as in everything.

    Of points with the same worth the first is kept.
    """
    kept = [point for point, worth in worths.items() if worth.violation == 0.0]
    values = {point: np.array(worths[point].objectives) for point in kept}
    found = []
    for number, point in enumerate(kept):
        own = values[point]
        better = any(
            np.all(values[other] <= own) and (np.any(values[other] < own) or place < number)
            for place, other in enumerate(kept)
            if place != number
        )
        if not better:
            found.append(point)
    return sorted(found, key=lambda point: (worths[point].objectives, point))


def _design(sizes: tuple[int, ...], number: int, stream: Stream) -> list[Point]:
    """Corners if they are few, the centre, and a Latin hypercube."""
    points: list[Point] = [tuple(size // 2 for size in sizes)]
    if 2 ** len(sizes) <= _CORNERS:
        points += itertools.product(*((0, size - 1) for size in sizes))
    rest = max(number - len(points), 1)
    columns = []
    for axis, size in enumerate(sizes):
        order = np.argsort(stream.uniform(np.arange(rest), "search order", axis), kind="stable")
        within = stream.uniform(np.arange(rest), "search design", axis)
        columns.append(((order + within) / rest * size).astype(int))
    points += [tuple(int(place) for place in row) for row in zip(*columns, strict=True)]
    return list(dict.fromkeys(points))[:number]


def load_optuna() -> ModuleType:
    """Return the library, silenced.

    Raises
    ------
    StudyError
        If it is not installed.
    """
    try:
        import optuna
    except ImportError as error:
        expected = "the package optuna, which unmoor search needs"
        fix = 'install it: pip install "unmoor[foresight]"'
        raise StudyError(
            Problem("", "", "it is not installed", expected, fix, "E-EXTRA")
        ) from error
    optuna.logging.set_verbosity(logging.WARNING)
    module: ModuleType = optuna
    return module


def _breed(book: Book, stream: Stream, until: int) -> None:
    """NSGA-II, a generation at a time, beginning with all that is known."""
    optuna = load_optuna()
    names = [f"x{axis}" for axis in range(len(book.sizes))]
    space = {
        name: optuna.distributions.IntDistribution(0, size - 1)
        for name, size in zip(names, book.sizes, strict=True)
    }
    number = len(next(iter(book.worths.values())).objectives)
    seed = int(stream.uniform(0, "search breeding") * 2**31)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        sampler = optuna.samplers.NSGAIISampler(
            population_size=_POPULATION,
            seed=seed,
            crossover=optuna.samplers.nsgaii.BLXAlphaCrossover(),
        )
        study = optuna.create_study(directions=["minimize"] * number, sampler=sampler)
        _tell_known(optuna, study, space, book)
        empty = 0
        while len(book.worths) < until and empty < _GENERATIONS_EMPTY:
            before = len(book.worths)
            trials = [study.ask(space) for _ in range(_POPULATION)]
            points = [tuple(int(trial.params[name]) for name in names) for trial in trials]
            for trial, worth in zip(trials, book.ask(points), strict=True):
                _tell(study, trial, worth)
            empty = empty + 1 if len(book.worths) == before else 0


def _tell_known(optuna: Any, study: Any, space: dict[str, Any], book: Book) -> None:
    """Let breeding begin with the best that is known; a generation has so many."""
    known = sorted(book.worths, key=lambda point: book.worths[point].rank)[:_POPULATION]
    for point in known:
        study.enqueue_trial(dict(zip(space, point, strict=True)))
    for _ in known:
        trial = study.ask(space)
        point = tuple(int(trial.params[name]) for name in space)
        _tell(study, trial, book.worths[point])


def _tell(study: Any, trial: Any, worth: Worth | None) -> None:
    if worth is None:
        study.tell(trial, state=_failed())
        return
    trial.set_constraint("missed", worth.violation)
    study.tell(trial, list(worth.objectives))


def _failed() -> Any:
    from optuna.trial import TrialState

    return TrialState.FAIL
