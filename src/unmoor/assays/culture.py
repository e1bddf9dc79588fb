"""Cells that have room, day by day: in culture, and as young colonies in an organ.

The same compiled days as a tumour's, on another ground and without crowding. What each clone did
in each interval is turned into divisions, deaths and numbers of cells here. Equations:
docs/explanation/assays.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from unmoor.assays.base import Bench, Outcome
from unmoor.assays.days import Frames, Released
from unmoor.assays.place import Place
from unmoor.assays.preparation import INTERVAL, Preparation, Setting
from unmoor.assays.quantities import COURSES, CULTURE_COURSES, PACES
from unmoor.catalog import about
from unmoor.catalog.draws import Draw
from unmoor.elementwise import FloatArray, exponential

NOT_FINITE = 3  # status of a subject whose outcome is not a finite number
_FRAME_EVERY = 2  # intervals between the points of a course
_TINY = 1e-8
_FOLLOWED = CULTURE_COURSES[:9]  # noted by the days themselves


def in_order(values: FloatArray) -> FloatArray:
    """Sum along the last axis, from first to last, so that its bits depend on nothing else."""
    total = np.zeros(values.shape[:-1])
    for k in range(values.shape[-1]):
        total += values[..., k]
    return total


def grown(rate: FloatArray, time: float) -> FloatArray:
    """∫ e^(rate·t) dt from 0 to ``time``."""
    x = rate * time
    small = np.abs(x) < _TINY
    safe = np.where(small, 1.0, x)
    return np.where(small, 1.0 + 0.5 * x, (exponential(safe) - 1.0) / safe) * time


@dataclass(frozen=True, eq=False)
class Culture:
    """Clones of every subject over the intervals of a grid.

    Attributes
    ----------
    on
        What the culture was made of; subjects are draws × arms.
    frames
        ``COURSES`` at the grid's times, shape (subjects, intervals + 1, courses).
    paces
        ``PACES``, shape (subjects, intervals, paces, clones).
    turnover
        Death of untreated cells that their net growth contains, a number a subject, shape
        (subjects, 1, 1) [1/d].
    """

    on: Preparation
    frames: FloatArray
    paces: FloatArray
    turnover: FloatArray

    def pace(self, name: str) -> FloatArray:
        """One of ``PACES``, shape (subjects, intervals, clones)."""
        values: FloatArray = self.paces[:, :, PACES.index(name)]
        return values

    @property
    def step(self) -> float:
        """Length of an interval [d]."""
        return float(self.on.grid[1])

    @cached_property
    def divisions(self) -> FloatArray:
        """Division rate of each clone, shape (subjects, intervals, clones) [1/d]."""
        room: FloatArray = self.on.tumours.alpha[:, :1, None]
        divided: FloatArray = room * self.pace("growth") + self.pace("turnover")
        return divided

    @cached_property
    def deaths(self) -> FloatArray:
        """Death rate of each clone, shape (subjects, intervals, clones) [1/d]."""
        return self.turnover + self.pace("turnover") + self.pace("death") + self.pace("kill")

    @cached_property
    def logs(self) -> FloatArray:
        """Logarithm of each clone's cells per cell seeded, shape (subjects, times, clones)."""
        gains = (self.divisions - self.deaths) * self.step
        start = np.zeros((gains.shape[0], 1, gains.shape[2]))
        return np.concatenate([start, np.cumsum(gains, axis=1)], axis=1)

    @cached_property
    def living(self) -> FloatArray:
        """Living cells per cell seeded, shape (subjects, times)."""
        cells: FloatArray = in_order(exponential(self.logs)) / self.logs.shape[2]
        return cells

    @cached_property
    def mortality(self) -> FloatArray:
        """Deaths since the start per living cell and day, shape (subjects, times) [1/d]."""
        rates = self.divisions - self.deaths
        lived = exponential(self.logs[:, :-1]) * grown(rates, self.step)
        died = np.cumsum(in_order(lived * self.deaths), axis=1)
        mean = died / np.cumsum(in_order(lived), axis=1)
        return np.concatenate([in_order(self.deaths[:, :1]) / rates.shape[2], mean], axis=1)

    def per_cell(self, values: FloatArray) -> FloatArray:
        """Mean over living cells of what clones do in the interval before a time.

        Parameters
        ----------
        values
            Of each clone, shape (subjects, intervals, clones); at the start the first interval's.

        Returns
        -------
            Shape (subjects, times).
        """
        at = np.concatenate([values[:, :1], values], axis=1)
        shares = exponential(self.logs - self.logs.max(axis=2, keepdims=True))
        return in_order(shares * at) / in_order(shares)

    def course(self, name: str) -> FloatArray:
        """One of ``CULTURE_COURSES`` at the grid's times, shape (subjects, times)."""
        if name in _FOLLOWED:
            values: FloatArray = self.frames[:, :, COURSES.index(name)]
            return values
        if name == "cells":
            return self.living
        if name == "apoptosis":
            return self.mortality
        return self.per_cell(self.pace("fak") if name == "fak" else self.divisions)

    def read(self, values: FloatArray, days: Sequence[float]) -> FloatArray:
        """Values at given days, on straight lines between the grid's times.

        Parameters
        ----------
        values
            At the grid's times, shape (subjects, times).
        days
            Times of read-out [d].

        Returns
        -------
            Shape (subjects, days).
        """
        last = self.on.grid.size - 1
        columns = []
        for day in days:
            place = min(day / self.step, float(last))
            left = min(int(place), last - 1)
            share = place - left
            columns.append(values[:, left] + share * (values[:, left + 1] - values[:, left]))
        return np.stack(columns, axis=-1)

    def outcome(self, readouts: Sequence[FloatArray], days: Sequence[float]) -> Outcome:
        """Sort subjects by arm.

        Parameters
        ----------
        readouts
            Each of the assay's outcomes, shape (subjects, days).
        """
        last = self.on.grid.size - 1
        kept = [i for i in range(last + 1) if i % _FRAME_EVERY == 0 or i == last]
        courses = np.stack([self.course(name)[:, kept] for name in CULTURE_COURSES], axis=1)
        values = np.stack(readouts, axis=1)
        finite = np.isfinite(values).all(axis=(1, 2)) & np.isfinite(courses).all(axis=(1, 2))
        status = self.on.batch.failed()
        status = np.where((status == 0) & ~finite, NOT_FINITE, status)
        return Outcome(
            status=self._by_arm(status),
            readouts=self._by_arm(values),
            days=np.asarray(days, dtype=float),
            courses=self._by_arm(courses),
            times=self.on.grid[kept],
            lines=self.on.lines,
            k_int=np.array([values["k_int"] for values in self.on.values]),
            arrays={},
        )

    def _by_arm(self, values: Any) -> Any:
        on = self.on
        shape = (len(on.draws), len(on.arms), *values.shape[1:])
        return values.reshape(shape)[:, on.arm_subjects]


def setting_of(
    bench: Bench, place: Place, duration: float, clones: int, host: str | None = None
) -> Setting:
    """What the days are told of a bench; cells are counted per cell seeded."""
    return Setting(
        line=bench.line,
        host=host,
        arms=list(bench.arms.values()),
        structure=bench.structure,
        duration=duration if bench.days is None else min(bench.days, duration),
        inoculum=1e6,
        clones=clones,
        seed=bench.seed,
        interval=INTERVAL,
        beside=bench.beside,
        interaction=bench.interaction,
        place=place,
    )


def grow_culture(setting: Setting, draws: Sequence[Draw]) -> Culture:
    """Run cells that have room; a draw's numbers do not depend on the others in the batch."""
    on = Preparation(setting, draws, 0)
    shape = (on.shape[0], on.grid.size)
    frames = Frames(np.zeros((*shape, len(COURSES))), np.zeros((*shape, 0)))
    released = Released(np.zeros(on.tumours.shed.shape), np.zeros(on.tumours.shed.shape))
    paces = np.zeros((on.shape[0], on.grid.size - 1, len(PACES), on.shape[1]))
    on.live(released, 1, frames, paces)
    turnover = np.zeros((on.shape[0], 1, 1))
    if setting.place.growth == "culture":
        rates = [draw.values("closures", "culture")["death_rate"] for draw in draws]
        turnover += np.repeat(np.array(rates), len(on.arms))[:, None, None]
    return Culture(on, frames.courses, paces, turnover)


def in_vitro(matrix: str, dimensions: str | None, bench: Bench, *, is_dense: bool = True) -> Place:
    """Return the place of a culture on or in a matrix.

    Parameters
    ----------
    dimensions
        ``2d``, ``3d``, or None as the matrix is mostly used.
    is_dense
        Whether cells share their medium; thinly seeded ones do not.
    """
    mostly = f"{about('matrices', matrix, bench.beside).get('dimensions', 3)}d"
    is_coat = (dimensions or mostly) == "2d"
    return Place(matrix, is_coat=is_coat, growth="culture", shares_medium=is_dense)
