"""Combinations, doses and schedules that keep the tumour in check and do not spread it.

Each treatment that is tried is judged by what it does in most draws of what is not known (a
quantile), in the worst of the lines; the points of the front are then foretold anew under every
draw of the study and every structure. Equations: docs/explanation/foresight_search.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np

from unmoor.analysis.foretelling import Foretold, foretell
from unmoor.analysis.memory import Memory
from unmoor.analysis.optimiser import front, optimise
from unmoor.analysis.search_book import Worth
from unmoor.analysis.search_space import Point, Space, space_of
from unmoor.elementwise import FloatArray
from unmoor.errors import Problem, StudyError
from unmoor.trial.chunks import structures
from unmoor.trial.run import Progress
from unmoor.trial.search_fields import Condition, Item, Search, conditions
from unmoor.trial.study import Study

_MOST_ON_FRONT = 12  # points of the front that are verified
_SWEPT = 7  # levels of a number in a sweep
_BAD = 1e3  # ratio that stands for an outcome that could not be solved


class Ratios(Protocol):
    """What an evaluator gives: ratios to control, (lines, structures, arms, draws) each."""

    @property
    def tumour(self) -> FloatArray:
        """Ratio of tumour volumes."""

    @property
    def spread(self) -> FloatArray:
        """Ratio of expected metastases."""


Evaluator = Callable[[Mapping[str, Sequence[Item]]], Ratios]
"""Gives the ratios of arms by name, in the order given."""


@dataclass(frozen=True)
class Candidate:
    """A treatment that was tried.

    Attributes
    ----------
    point
        Its place on the grid.
    values
        The numbers that were open, by their key, in base units.
    items
        Its treatments.
    outcomes
        ``tumour_volume`` and ``lung_metastases`` (quantile of the ratio to control in the worst
        line), ``burden`` [1/d] and ``p_switch``.
    is_allowed
        Whether all conditions hold.
    is_on_front
        Whether no other is at least as good in everything that is made small.
    """

    point: Point
    values: Mapping[str, float]
    items: tuple[Item, ...]
    outcomes: Mapping[str, float]
    is_allowed: bool
    is_on_front: bool = False


@dataclass(frozen=True)
class Searched:
    """What a search found.

    Attributes
    ----------
    study
        With the search that was made.
    space
        What could be tried.
    tried
        Every treatment, in the order tried.
    front
        Those that no other beats, best in the first objective first; none if nothing is allowed.
    verified
        The front's treatments (named "1", "2" … in order) and the arm as written ("as written")
        under all draws and structures.
    swept
        The best treatment with one number at a time moved, by key of that number.
    """

    study: Study
    space: Space
    tried: tuple[Candidate, ...]
    front: tuple[Candidate, ...]
    verified: Foretold | None
    swept: tuple[Sweep, ...]

    @property
    def search(self) -> Search:
        """What was asked for."""
        assert self.study.search is not None
        return self.study.search

    @property
    def best(self) -> Candidate | None:
        """First of the front, or None if no treatment is allowed."""
        return self.front[0] if self.front else None


@dataclass(frozen=True)
class Sweep:
    """The best treatment with one number moved over its levels, under every structure."""

    key: str
    values: tuple[float, ...]
    foretold: Foretold

    def __len__(self) -> int:
        """Number of levels."""
        return len(self.values)


def search(
    study: Study,
    *,
    vary: Mapping[str, Sequence[Any]] | None = None,
    minimise: str | Sequence[str] | None = None,
    subject_to: str | Sequence[str] | None = None,
    quantile: float | None = None,
    candidates: int | None = None,
    draws: int | None = None,
    robust: Literal["own", "all"] = "own",
    memory: Memory | Path | str | None = None,
    workers: int | None = None,
    executor: Executor | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Searched:
    """Search for treatments that keep the tumour in check and do not spread it.

    Parameters
    ----------
    study
        With a ``search``, or with the arguments below, which replace parts of it.
    vary, minimise, subject_to, quantile, candidates, draws
        As in :class:`unmoor.trial.search_fields.Search`.
    robust
        ``"all"`` judges by the worst structure and not by the study's own alone.
    memory
        What is known; a folder makes the same search go on where it was stopped.
    workers, executor, progress
        As for :func:`unmoor.trial.run.run`; progress is told of each batch.

    Raises
    ------
    StudyError
        If the study or what is asked for is wrong, or optuna is not installed.
    Interrupted
        If it was stopped; what the memory holds is not computed again.

    Examples
    --------
    >>> import unmoor as um
    >>> arm = "anti-β1 + TGFBR1 inhibitor"
    >>> found = um.search(  # doctest: +SKIP
    ...     um.Study.load("truong2014"),
    ...     vary={f"{arm}.tgfbr1_inhibitor.dose": ["0 mg/kg", "60 mg/kg"]},
    ...     subject_to="tumour_volume <= 0.7 * control",
    ... )
    """
    asked = {"vary": vary, "minimise": minimise, "subject_to": subject_to, "quantile": quantile,
             "candidates": candidates, "draws": draws}  # fmt: skip
    whole = _with_search(study, {key: value for key, value in asked.items() if value is not None})
    assert whole.search is not None
    kept = memory if isinstance(memory, Memory) else Memory(Path(memory) if memory else None)
    options: dict[str, Any] = {"memory": kept, "workers": workers, "executor": executor}
    options["progress"] = progress
    few = min(whole.search.draws, max(whole.uncertainty.draws, 1))
    own = whole.replace(uncertainty=replace(whole.uncertainty, draws=few))
    among = structures(own) if robust == "all" else structures(own)[:1]
    space = space_of(whole)
    tried = explore(
        space, whole.search, lambda arms: foretell(own, arms=arms, among=among, **options),
        seed=whole.seed, smaller=whole.verdict.smaller, spread=whole.verdict.spread,
    )  # fmt: skip
    chosen = _thinned([each for each in tried if each.is_on_front], whole.search)
    verified = _verify(whole, space, chosen, options)
    swept = tuple(_sweeps(whole, space, chosen[0], options)) if chosen else ()
    return Searched(whole, space, tried, chosen, verified, swept)


def _with_search(study: Study, given: Mapping[str, Any]) -> Study:
    if not given:
        if study.search is None:
            expected = "a [search] table in the study, or what to vary"
            fix = 'add [search.vary] and below it "ARM.TREATMENT.FIELD" = ["0 mg/kg", "60 mg/kg"]'
            raise StudyError(Problem(study.name, "search", "", expected, fix, "E-SEARCH"))
        return study
    before: dict[str, Any] = {}
    if study.search is not None:
        names = ("vary", "minimise", "subject_to", "quantile", "candidates", "draws")
        before = {name: getattr(study.search, name) for name in names}
    changed: Study = study.replace(search={**before, **given})
    return changed


def explore(
    space: Space,
    asked: Search,
    evaluator: Evaluator,
    *,
    seed: int,
    smaller: float = 0.9,
    spread: float = 1.1,
) -> tuple[Candidate, ...]:
    """Try treatments, whoever says what they do.

    Parameters
    ----------
    space
        What may be tried.
    asked
        What is wanted.
    evaluator
        Gives the ratios to control of arms; the model, or a problem whose best is known.
    seed
        Seed of all that is random.
    smaller, spread
        Margins of a switch.
    """
    known: dict[Point, Candidate] = {}
    required = conditions(asked)

    def evaluate(points: Sequence[Point]) -> list[Worth]:
        arms = list(dict.fromkeys(space.treatments(point) for point in points))
        ratios = evaluator({f"try {number}": items for number, items in enumerate(arms)})
        rows = _judged(ratios, asked.quantile, smaller, spread)[-len(arms) :]  # control comes first
        judged = dict(zip(arms, rows, strict=True))
        for point in points:
            items = space.treatments(point)
            outcomes = {**judged[items], "burden": space.burden(items)}
            known[point] = _candidate(space, point, items, outcomes, required)
        return [_worth(known[point].outcomes, asked, required) for point in points]

    worths = optimise(space.sizes, evaluate, budget=asked.candidates, seed=seed)
    best = set(front(worths))
    return tuple(replace(known[point], is_on_front=point in best) for point in worths)


def _judged(
    ratios: Ratios, quantile: float, smaller: float, spread: float
) -> list[dict[str, float]]:
    """Outcomes of each arm: the quantile over draws, in the worst line and structure."""
    tumour, spreads = ratios.tumour, ratios.spread
    is_solved = np.isfinite(tumour) & np.isfinite(spreads)
    with np.errstate(invalid="ignore"):
        is_switch = (tumour < smaller) & (spreads > spread)
    worst = []
    for values in (tumour, spreads):
        kept = np.where(is_solved, values, _BAD)
        worst.append(np.quantile(kept, quantile, axis=3).max(axis=(0, 1)))
    share = np.where(is_solved, is_switch, True).mean(axis=3).max(axis=(0, 1))
    names = ("tumour_volume", "lung_metastases", "p_switch")
    return [
        dict(zip(names, map(float, row), strict=True)) for row in zip(*worst, share, strict=True)
    ]


def _candidate(
    space: Space,
    point: Point,
    items: tuple[Item, ...],
    outcomes: Mapping[str, float],
    required: Sequence[Condition],
) -> Candidate:
    keys = (each.key for each in space.varied)
    values = dict(zip(keys, space.values(point), strict=True))
    holds = all(outcomes[each.outcome] <= each.limit for each in required)
    return Candidate(point, values, items, outcomes, holds)


def _worth(outcomes: Mapping[str, float], asked: Search, required: Sequence[Condition]) -> Worth:
    margins = tuple(
        (outcomes[each.outcome] - each.limit) / max(each.limit, 1e-3) for each in required
    )
    return Worth(tuple(outcomes[name] for name in asked.minimise), margins)


def _thinned(found: Sequence[Candidate], asked: Search) -> tuple[Candidate, ...]:
    """The first of the front and others spread evenly along it."""
    if len(found) <= _MOST_ON_FRONT:
        return tuple(_ordered(found, asked))
    ordered = _ordered(found, asked)
    places = np.unique(np.rint(np.linspace(0, len(ordered) - 1, _MOST_ON_FRONT)).astype(int))
    return tuple(ordered[place] for place in places)


def _ordered(found: Sequence[Candidate], asked: Search) -> list[Candidate]:
    """By the objectives in their order; of equals the lighter burden first."""
    names = (*asked.minimise, "burden")
    return sorted(found, key=lambda each: tuple(each.outcomes[name] for name in names))


def _verify(
    study: Study, space: Space, chosen: Sequence[Candidate], options: Mapping[str, Any]
) -> Foretold | None:
    if not chosen:
        return None
    arms: dict[str, Any] = {str(place): each.items for place, each in enumerate(chosen, 1)}
    return foretell(study, arms={**arms, "as written": space.items}, **options)


def _sweeps(study: Study, space: Space, best: Candidate, options: Mapping[str, Any]) -> list[Sweep]:
    """The best treatment with one number moved at a time: what haste or delay would change."""
    found = []
    for axis, (varied, levels) in enumerate(zip(space.varied, space.levels, strict=True)):
        places = np.unique(np.rint(np.linspace(0, len(levels) - 1, _SWEPT)).astype(int))
        points = [(*best.point[:axis], int(place), *best.point[axis + 1 :]) for place in places]
        arms = {f"level {number}": space.treatments(p) for number, p in enumerate(points)}
        foretold = foretell(study, arms=arms, **options)
        found.append(Sweep(varied.key, tuple(levels[place] for place in places), foretold))
    return found
