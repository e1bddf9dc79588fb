"""What an arm does to the inputs of the network over time, for each draw.

Here therapy and signalling meet: doses become blocked targets, edits become factors, and both
become courses of labelled inputs on the assay's time grid. What kills becomes a death rate.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from unmoor.assays.exposure import Act, act, exposures, irradiated
from unmoor.catalog.draws import Draw
from unmoor.elementwise import FloatArray
from unmoor.parameters import Modifier
from unmoor.therapy.interaction import Effect, combine, combine_rates
from unmoor.therapy.irradiation import Irradiation
from unmoor.therapy.regimen import Edit, Regimen

Arm = Sequence[Regimen | Edit | Irradiation]


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

    def multiply(self, subjects: slice, at: FloatArray, mean: FloatArray) -> None:
        """Combine with another factor on the same input (independent action)."""
        self.at[subjects] *= at
        self.mean[subjects] *= mean

    def add(self, subjects: slice, at: FloatArray, mean: FloatArray) -> None:
        """Add to the input."""
        self.at[subjects] += at
        self.mean[subjects] += mean


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
    chemotherapy, radiation
        Death rate they cause in a cell of unit sensitivity [1/d].
    """

    courses: dict[str, Course]
    systemic: Course
    cultured: dict[str, FloatArray]
    chemotherapy: Course
    radiation: Course

    @classmethod
    def none(cls, subjects: int, intervals: int) -> Treatment:
        """No treatment at all."""
        whole = Course.constant(1.0, subjects, intervals)
        return cls({}, whole, {}, *(Course.constant(0.0, subjects, intervals) for _ in range(2)))

    @property
    def kills(self) -> bool:
        """Whether any subject is given what kills cells."""
        return bool(self.chemotherapy.mean.any() or self.radiation.mean.any())

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
    interaction: str = "bliss",
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
    interaction
        Reference model of drugs that share a target, or that kill (``therapy.interaction``).
    """
    schedule = _Schedule(grid, inputs, species)
    treatment = Treatment.none(len(draws) * len(arms), grid.size - 1)
    for i, arm in enumerate(arms):
        edits = [modifier for x in arm if isinstance(x, Edit) for modifier in x.modifiers()]
        drugs = exposures([x for x in arm if isinstance(x, Regimen)], beside)
        fractions = [x for x in arm if isinstance(x, Irradiation)]
        subjects = slice(i, None, len(arms))  # this arm in every draw
        for modifier in edits:
            _edit(treatment, subjects, modifier, schedule)
        acts = [act(drug, draws, grid) for drug in drugs]
        _apply(treatment, subjects, acts, schedule, interaction)
        if fractions:
            killing, tgfb = irradiated(fractions, draws, grid)
            treatment.radiation.add(subjects, *killing)
            _touch(treatment, "tgfb_outside", schedule).add(subjects, *tgfb)
    return treatment


def _touch(treatment: Treatment, label: str, schedule: _Schedule) -> Course:
    if label not in treatment.courses:
        subjects, intervals = treatment.systemic.mean.shape
        default = schedule.inputs[label]
        treatment.courses[label] = Course.constant(default, subjects, intervals)
        treatment.cultured[label] = np.full(subjects, default)
    return treatment.courses[label]


def _edit(treatment: Treatment, subjects: slice, modifier: Modifier, schedule: _Schedule) -> None:
    """Edit the same cells in every draw, at once."""
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
        course.multiply(subjects, 1.0 + gain * inside.astype(float), 1.0 + gain * share)
        cultured[subjects] *= modifier.value if before else 1.0
    else:
        course.add(subjects, modifier.value * inside.astype(float), modifier.value * share)
        cultured[subjects] += modifier.value if before else 0.0


def _apply(
    treatment: Treatment,
    subjects: slice,
    acts: Sequence[Act],
    schedule: _Schedule,
    interaction: str,
) -> None:
    """Put what drugs do into the courses, drugs of one target joined by the reference model."""
    killing = [each for each in acts if each.drug.action == "kills"]
    if killing:
        at, mean = (combine_rates([x.course[i] for x in killing], interaction) for i in range(2))
        treatment.chemotherapy.add(subjects, at, mean)
    for each in acts:
        if each.drug.action == "adds":
            _touch(treatment, each.drug.target, schedule).add(subjects, *each.course)
    inhibitors = [each for each in acts if each.drug.action == "inhibits"]
    bound = [each for each in inhibitors if schedule.species in each.drug.species]
    for target in dict.fromkeys(each.drug.target for each in bound):
        same = [each for each in bound if each.drug.target == target]
        _inhibit(_touch(treatment, target, schedule), subjects, same, interaction)
    systemic = [each for each in inhibitors if each.drug.is_systemic]
    _inhibit(treatment.systemic, subjects, systemic, interaction)


def _inhibit(course: Course, subjects: slice, acts: Sequence[Act], interaction: str) -> None:
    if interaction == "bliss" or len(acts) < 2:
        for each in acts:  # what each leaves is multiplied
            course.multiply(subjects, 1.0 - each.course[0], 1.0 - each.course[1])
        return
    at, mean = (np.array(_joint(acts, i, interaction)) for i in range(2))
    course.multiply(subjects, 1.0 - at, 1.0 - mean)


def _joint(acts: Sequence[Act], part: int, interaction: str) -> list[FloatArray]:
    """Joint blocked share in each draw; dose responses differ between draws."""
    return [
        combine([Effect(x.course[part][d], x.greatest[d], x.hill[d]) for x in acts], interaction)
        for d in range(len(acts[0].greatest))
    ]
