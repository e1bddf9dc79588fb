"""What is given of one drug, on a fine time grid: doses into a body, concentrations in a medium."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from unmoor.elementwise import FloatArray

_STEPS_A_DAY = 48  # half an hour


@dataclass(frozen=True, slots=True)
class Given:
    """All that one arm gives of one drug by one route.

    Attributes
    ----------
    doses
        Time [d] and amount [mg/kg] of each dose.
    route
        ``iv`` puts a drug straight into plasma; None is the usual route.
    held
        Start [d], stop [d] and concentration [nM] of each window in culture medium.
    """

    doses: tuple[tuple[float, float], ...] = ()
    route: str | None = None
    held: tuple[tuple[float, float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class FineGrid:
    """Equal steps of at most half an hour that divide the intervals of a grid."""

    step: float
    count: int
    substeps: int

    @classmethod
    def of(cls, grid: FloatArray) -> FineGrid:
        """Fine grid of increasing, equally spaced times from 0, shape (intervals + 1,) [d]."""
        length = float(grid[1] - grid[0])
        substeps = max(2, math.ceil(length * _STEPS_A_DAY - 1e-9))
        return cls(length / substeps, (grid.size - 1) * substeps, substeps)

    def doses(self, given: Given) -> FloatArray:
        """Dose given at the start of each step, to the nearest one, shape (count + 1,) [mg/kg]."""
        doses = np.zeros(self.count + 1)
        for time, dose in given.doses:
            index = round(time / self.step)
            if index <= self.count:
                doses[index] += dose
        return doses

    def held(self, given: Given) -> tuple[FloatArray, FloatArray]:
        """Concentration in the medium at each time and its mean over each step [nM]."""
        times = self.step * np.arange(self.count + 1)
        at, inside = np.zeros(self.count + 1), np.zeros(self.count)
        for start, stop, concentration in given.held:
            at += np.where((times >= start) & (times < stop), concentration, 0.0)
            covered = np.minimum(times[1:], stop) - np.maximum(times[:-1], start)
            inside += concentration * np.maximum(covered, 0.0) / self.step
        return at, inside

    def coarse(self, inside: FloatArray) -> FloatArray:
        """Means over the grid's intervals of means over steps, shape (intervals,)."""
        by_interval = inside.reshape(-1, self.substeps)
        means = np.zeros(by_interval.shape[0])
        for column in range(self.substeps):  # in order, so that the bits do not depend on the shape
            means += by_interval[:, column]
        return means / self.substeps
