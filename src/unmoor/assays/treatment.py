"""What an arm does to the inputs of the network over time, for each draw.

Here therapy and signalling meet: doses become blocked targets, edits become factors, and both
become courses of labelled inputs on the assay's time grid.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from unmoor.catalog.draws import Draw
from unmoor.elementwise import FloatArray
from unmoor.organism.pharmacokinetics import blocked_fraction
from unmoor.parameters import Modifier
from unmoor.therapy.drug import Drug
from unmoor.therapy.regimen import Edit, Regimen

Arm = Sequence[Regimen | Edit]


@dataclass
class Course:
    """One input over time: value at the grid's times and mean over each interval.

    ``at`` has the shape (subjects, intervals + 1), ``mean`` (subjects, intervals).
    """

    at: FloatArray
    mean: FloatArray

    @classmethod
    def constant(cls, value: float, subjects: int, intervals: int) -> Course:
        """A course that never changes."""
        return cls(np.full((subjects, intervals + 1), value), np.full((subjects, intervals), value))

    def multiply(self, subject: int, at: FloatArray, mean: FloatArray) -> None:
        """Combine with another factor on the same input (independent action)."""
        self.at[subject] *= at
        self.mean[subject] *= mean

    def add(self, subject: int, at: FloatArray, mean: FloatArray) -> None:
        """Add to the input."""
        self.at[subject] += at
        self.mean[subject] += mean


@dataclass
class Treatment:
    """Inputs of every subject over time.

    Attributes
    ----------
    courses
        Course of each labelled input that any arm touches.
    systemic
        TGFβ activity left in the host.
    cultured
        Value of each touched input in culture before inoculation, shape (subjects,).
    """

    courses: dict[str, Course]
    systemic: Course
    cultured: dict[str, FloatArray]

    def course(self, label: str, default: float) -> Course:
        """Course of an input; constant where no arm touches it."""
        if label in self.courses:
            return self.courses[label]
        shape = self.systemic.mean.shape
        return Course.constant(default, shape[0], shape[1])


@dataclass(frozen=True)
class _Schedule:
    """The time grid and the untreated value of every input."""

    grid: FloatArray
    inputs: Mapping[str, float]
    species: str


def treat(
    arms: Sequence[Arm],
    draws: Sequence[Draw],
    grid: FloatArray,
    inputs: Mapping[str, float],
    species: str,
    beside: Path | None,
) -> Treatment:
    """Inputs over time of every draw × arm, in that order.

    Parameters
    ----------
    arms
        Treatments of each arm.
    draws
        Parameter sets; a drug's numbers differ between them.
    grid
        Times from inoculation, equally spaced, shape (intervals + 1,) [d].
    inputs
        Labelled inputs of the network and their untreated values.
    species
        Species of the tumour: a drug that does not bind it does nothing there.
    """
    subjects, intervals = len(draws) * len(arms), grid.size - 1
    schedule = _Schedule(grid, inputs, species)
    treatment = Treatment({}, Course.constant(1.0, subjects, intervals), {})
    for i, arm in enumerate(arms):
        for item in arm:
            if isinstance(item, Edit):
                for modifier in item.modifiers():
                    for d in range(len(draws)):
                        _edit(treatment, d * len(arms) + i, modifier, schedule)
                continue
            drug = Drug.load(item.drug, beside)
            for d, draw in enumerate(draws):
                _dose(treatment, d * len(arms) + i, item, drug, draw, schedule)
    return treatment


def _touch(treatment: Treatment, label: str, schedule: _Schedule) -> Course:
    if label not in treatment.courses:
        subjects, intervals = treatment.systemic.mean.shape
        default = schedule.inputs[label]
        treatment.courses[label] = Course.constant(default, subjects, intervals)
        treatment.cultured[label] = np.full(subjects, default)
    return treatment.courses[label]


def _edit(treatment: Treatment, subject: int, modifier: Modifier, schedule: _Schedule) -> None:
    course = _touch(treatment, modifier.target, schedule)
    grid = schedule.grid
    inside = (grid >= modifier.start) & (grid < modifier.stop)
    start, stop = max(modifier.start, grid[0]), min(modifier.stop, grid[-1])
    overlap = np.minimum(grid[1:], stop) - np.maximum(grid[:-1], start)
    share = np.maximum(overlap, 0.0) / (grid[1:] - grid[:-1])
    cultured = treatment.cultured[modifier.target]
    before = math.isinf(modifier.start)
    if modifier.kind == "factor":
        gain = modifier.value - 1.0
        course.multiply(subject, 1.0 + gain * inside.astype(float), 1.0 + gain * share)
        cultured[subject] *= modifier.value if before else 1.0
    else:
        course.add(subject, modifier.value * inside.astype(float), modifier.value * share)
        cultured[subject] += modifier.value if before else 0.0


def _dose(
    treatment: Treatment,
    subject: int,
    regimen: Regimen,
    drug: Drug,
    draw: Draw,
    schedule: _Schedule,
) -> None:
    grid = schedule.grid
    at, mean = draw.remember(
        (regimen, grid.size, float(grid[-1])),
        lambda: blocked_fraction(
            drug.model,
            draw.values("drugs", regimen.drug),
            regimen.times(float(grid[-1])),
            regimen.dose,
            regimen.route,
            grid,
        ),
    )
    if schedule.species in drug.species:
        _touch(treatment, drug.target, schedule).multiply(subject, 1.0 - at, 1.0 - mean)
    if drug.is_systemic:
        treatment.systemic.multiply(subject, 1.0 - at, 1.0 - mean)
