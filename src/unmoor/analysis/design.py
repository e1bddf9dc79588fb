"""How many animals: power and assurance for the shrinkage and for the spread, by simulation.

Power is the share of experiments that call an end point when the central draw is the truth;
assurance is the same share when each experiment has another plausible draw for its truth. The
statistics are those of :mod:`unmoor.trial.statistics`. Equations: docs/explanation/animals.md.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from unmoor.analysis.design_question import (
    Choices,
    asked_alone,
    check_choices,
    checked_sizes,
)
from unmoor.analysis.experiments import Conditions, Experiments, experiments, wilson
from unmoor.analysis.memory import Memory
from unmoor.analysis.trial_pool import Pool, make_pool
from unmoor.catalog import table
from unmoor.elementwise import FloatArray
from unmoor.errors import SimulationError
from unmoor.random import Stream
from unmoor.trial.effects import draw_interval
from unmoor.trial.run import Progress, usable_cores
from unmoor.trial.study import Study
from unmoor.trial.tumour_assay import tumour_assay

if TYPE_CHECKING:
    import pandas as pd

END_POINTS = ("tumour_volume", "lung_metastases")
SIZES = (5, 6, 8, 10, 12, 15, 20, 25, 30, 40)
"""Animals an arm for which power is worked out unless others are asked for."""
COLUMNS = (
    "end_point", "n", "power", "power_low", "power_high", "assurance", "assurance_low",
    "assurance_high", "missed", "missed_low", "missed_high",
)  # fmt: skip


@dataclass(frozen=True)
class EndPoint:
    """What is foretold of an end point.

    Attributes
    ----------
    name
        One of ``END_POINTS``.
    direction
        −1 if the central effect is a decrease, 1 if it is an increase: what an experiment is to
        see.
    central
        Ratio to control in the central draw.
    median, low, high
        Over the draws, at the level of the study's verdict.
    share
        Share of draws in which the effect exceeds the study's margin: smaller tumours, more spread.
    """

    name: str
    direction: int
    central: float
    median: float
    low: float
    high: float
    share: float


@dataclass(frozen=True)
class Design:
    """How many animals an experiment needs.

    Attributes
    ----------
    study
        One line, one xenograft, control and the arm in question.
    asked
        The study as it was given.
    arm
        Name of the treated arm.
    choices
        What was asked for.
    end_points
        What is foretold of each.
    table
        One row an end point and number of animals, columns ``COLUMNS``. ``missed``: share of
        experiments that do not call more spread (two-sided, at the level) although more spreads by
        the study's margin in their draw; NaN for the tumour, and where no draw is harmful.
    needed
        Smallest number of animals an arm with the wanted power or assurance, by end point and
        ``power`` or ``assurance``; None if there is none up to ``most``.
    most
        Largest number of animals an arm that was looked at.
    taken_out
        Share of animals that reach the humane end point before the read-out: control, treated.
    draws
        Parameter draws that were solved.
    """

    study: Study
    asked: Study
    arm: str
    choices: Choices
    end_points: dict[str, EndPoint]
    table: pd.DataFrame
    needed: dict[str, dict[str, int | None]]
    most: int
    taken_out: tuple[float, float]
    draws: int

    @property
    def cell_line(self) -> str:
        """The line whose tumours are treated."""
        return self.study.cell_lines[0]

    @property
    def animals(self) -> int:
        """Animals an arm that show both end points with the wanted power, or the study's own."""
        found = [self.needed[name]["power"] for name in END_POINTS]
        known = [n for n in found if n is not None]
        return max(known) if len(known) == len(found) else self.asked_animals

    @property
    def asked_animals(self) -> int:
        """Animals an arm of the study as it was given."""
        return tumour_assay(self.asked).animals

    @property
    def messages(self) -> list[str]:
        """What the design says, in sentences, the most important first."""
        from unmoor.analysis.design_messages import messages

        return messages(self)

    def row(self, end_point: str, n: int) -> dict[str, float]:
        """One row of the table."""
        frame = self.table
        found = frame[(frame["end_point"] == end_point) & (frame["n"] == n)].iloc[0]
        return {name: float(found[name]) for name in COLUMNS[1:]}


def design(
    study: Study,
    *,
    arm: str | None = None,
    cell_line: str | None = None,
    sizes: Iterable[int] = SIZES,
    trials: int = 2000,
    level: float = 0.05,
    target: float = 0.8,
    attrition: float | None = None,
    memory: Memory | None = None,
    workers: int | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Design:
    """How many animals an arm show the shrinkage, and how many show the spread.

    Parameters
    ----------
    study
        Has a xenograft; its first one is designed.
    arm, cell_line
        Treated arm and line in question; the study's first ones if None.
    sizes
        Animals an arm that are looked at; the study's own number is added.
    trials
        Simulated experiments for power, and as many for assurance.
    level
        Two-sided level of each end point's test.
    target
        Power and assurance that are wanted.
    attrition
        Share of animals lost whatever their arm; that of the catalog (closures/attrition) if None.
    memory
        Keeps the animals for the next time.
    workers, progress
        As for :func:`unmoor.trial.run.run`.

    Returns
    -------
        The same for any number of workers.

    Raises
    ------
    StudyError
        If the study has no xenograft, no draws or no treated arm, or an option is out of range.
    Interrupted
        If it was stopped.
    """
    wanted = checked_sizes(study, sizes)
    if attrition is None:
        attrition = float(table("closures", "attrition", study.beside)["lost"].value)
    choices = Choices(trials, level, target, attrition)
    check_choices(choices)
    alone = asked_alone(study, arm, cell_line)
    memory = memory or Memory()
    pool = make_pool(alone, memory=memory, workers=workers, progress=progress)
    if pool.draws.size == 0:
        raise SimulationError(f"{study.name}: no parameter draw could be solved")
    simulated = _Simulated(alone, pool, choices, max(wanted))
    return _designed(study, alone, pool, simulated, wanted, workers)


class _Simulated:
    """Experiments under the central draw and under all of them, and what they call."""

    def __init__(self, study: Study, pool: Pool, choices: Choices, most: int) -> None:
        self.choices, self.most = choices, most
        conditions, stream = Conditions.of(study, choices.attrition), Stream(study.seed)
        every = np.arange(choices.trials) % pool.draws.size
        same = np.full(choices.trials, pool.central)
        make = partial(experiments, pool)
        self.central = make(same, most, conditions, stream, "design/power")
        self.drawn = make(every, most, conditions, stream, "design/assurance")
        self.is_harmful = pool.spread[every] > study.verdict.spread
        self.direction = dict(zip(END_POINTS, _directions(pool), strict=True))

    def row(self, job: tuple[str, int]) -> dict[str, Any]:
        """A row of the table."""
        name, n = job
        level, trials, side = self.choices.level, self.choices.trials, self.direction[name]
        found = []
        drawn = self._tested(self.drawn, name, n)
        for tested in (self._tested(self.central, name, n), drawn):
            hits = int(tested.called(side, level).sum())
            found += [hits / trials, *wilson(hits, trials)]
        missed = [math.nan] * 3
        harmful = int(self.is_harmful.sum())
        if name == END_POINTS[1] and harmful:
            misses = int((~drawn.called(1.0, level) & self.is_harmful).sum())
            missed = [misses / harmful, *wilson(misses, harmful)]
        return dict(zip(COLUMNS, [name, n, *found, *missed], strict=True))

    def _tested(self, where: Experiments, name: str, n: int) -> Any:
        if name == END_POINTS[0]:
            return where.volumes(n)
        return where.metastases(n, self.choices.level)


def _directions(pool: Pool) -> tuple[int, int]:
    tumour, spread = pool.tumour[pool.central], pool.spread[pool.central]
    return (1 if tumour > 1.0 else -1), (-1 if spread < 1.0 else 1)


def _designed(
    asked: Study,
    alone: Study,
    pool: Pool,
    simulated: _Simulated,
    sizes: Sequence[int],
    workers: int | None,
) -> Design:
    import pandas as pd

    rows: dict[tuple[str, int], dict[str, Any]] = {}
    with ThreadPoolExecutor(workers or usable_cores(), thread_name_prefix="unmoor") as threads:

        def fill(jobs: Iterable[tuple[str, int]]) -> None:
            missing = [job for job in dict.fromkeys(jobs) if job not in rows]
            rows.update(zip(missing, threads.map(simulated.row, missing), strict=True))

        fill((name, n) for name in END_POINTS for n in sizes)
        searches = [(name, what) for name in END_POINTS for what in ("power", "assurance")]
        needed: dict[str, dict[str, int | None]] = {name: {} for name in END_POINTS}
        for name, what in searches:
            needed[name][what] = _smallest(name, what, sizes, simulated.choices.target, rows, fill)
        found = {n for each in needed.values() for n in each.values() if n is not None}
        fill((name, n) for name in END_POINTS for n in found)
    ordered = [
        rows[job] for job in sorted(rows, key=lambda job: (END_POINTS.index(job[0]), job[1]))
    ]
    drawn = simulated.drawn
    out = [float(drawn.taken_out[:, side].mean()) for side in (0, 1)]
    arm = next(name for name in alone.arms if name != alone.control)
    return Design(
        study=alone, asked=asked, arm=arm, choices=simulated.choices,
        end_points=_end_points(alone, pool), table=pd.DataFrame(ordered, columns=list(COLUMNS)),
        needed=needed, most=max(sizes), taken_out=(out[0], out[1]), draws=int(pool.draws.size),
    )  # fmt: skip


def _smallest(
    name: str,
    what: str,
    sizes: Sequence[int],
    target: float,
    rows: dict[tuple[str, int], dict[str, Any]],
    fill: Callable[[Iterable[tuple[str, int]]], None],
) -> int | None:
    """Smallest number of animals that reaches the target, by halving between two of ``sizes``."""
    enough = [n for n in sizes if rows[name, n][what] >= target]
    if not enough:
        return None
    high = min(enough)
    low = max((n for n in sizes if n < high), default=high - 1)
    while high - low > 1:
        middle = (low + high) // 2
        fill([(name, middle)])
        if rows[name, middle][what] >= target:
            high = middle
        else:
            low = middle
    return high


def _end_points(study: Study, pool: Pool) -> dict[str, EndPoint]:
    margins, found = study.verdict, {}
    ratios: tuple[FloatArray, FloatArray] = (pool.tumour, pool.spread)
    exceeds = (pool.tumour < margins.smaller, pool.spread > margins.spread)
    columns = zip(END_POINTS, _directions(pool), ratios, exceeds, strict=True)
    for name, direction, ratio, beyond in columns:
        interval = draw_interval(ratio, margins.interval)
        central, share = float(ratio[pool.central]), float(beyond.mean())
        found[name] = EndPoint(name, direction, central, *interval, share)
    return found
