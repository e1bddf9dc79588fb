"""Dose × dose and dose × time: tumour and spread of each pair, and what is beyond a reference.

Each pair is one arm; beside it stand the arms with one of the two alone, since synergy is judged
against them. Where both axes belong to one drug, what it is judged against is that drug alone and
the rest of the arm alone. Equations: docs/explanation/foresight_search.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from unmoor.analysis.foretelling import Foretold, foretell
from unmoor.analysis.memory import Memory
from unmoor.analysis.musyc import Musyc, musyc
from unmoor.analysis.search_space import Space, space_of
from unmoor.analysis.synergy import Surface, excess
from unmoor.elementwise import FloatArray
from unmoor.errors import Problem, StudyError
from unmoor.therapy.regimen import Regimen
from unmoor.trial.run import Progress
from unmoor.trial.search_fields import Item, Varied
from unmoor.trial.study import Study

END_POINTS = ("tumour", "spread")
_SHOWN = 5  # levels of an axis that is a range
_SPLIT = ("bliss", "hsa")  # references that need no doses


@dataclass(frozen=True)
class Matrix:
    """Ratios to control over two numbers of an arm.

    Attributes
    ----------
    study
        What was asked, with the two numbers as its search.
    axes
        The two numbers.
    values
        Their levels in base units, (n,) and (m,).
    foretold
        Arms "i,j" (both), "i,j first", "i,j second" (one alone), "background" and sums of doses.
    """

    study: Study
    axes: tuple[Varied, Varied]
    values: tuple[tuple[float, ...], tuple[float, ...]]
    foretold: Foretold
    _made: dict[tuple[str, str], FloatArray] = field(
        default_factory=dict, repr=False, compare=False
    )

    @property
    def is_dose_by_dose(self) -> bool:
        """Whether both axes are doses of treatments of their own, as most references need."""
        one, other = self.axes
        return one.field.name == other.field.name == "dose" and one.item != other.item

    def ratios(self, end_point: str, part: str = "") -> FloatArray:
        """Ratios to control, (lines, structures, n, m, draws); part "first" or "second" alone."""
        every = getattr(self.foretold, end_point)
        n, m = map(len, self.values)
        names = [[f"{i},{j} {part}".strip() for j in range(m)] for i in range(n)]
        places = [[self.foretold.arms.index(name) for name in row] for row in names]
        found: FloatArray = every[:, :, places]
        return found

    def references(self) -> tuple[str, ...]:
        """Reference models that say something here, Bliss first."""
        return ("bliss", "hsa", "loewe") if self.is_dose_by_dose else _SPLIT

    def excess(self, end_point: str, reference: str) -> FloatArray:
        """Expected minus found ratio in each draw, (lines, structures, n, m, draws).

        Above 0 the pair is better than the reference expects. Ratios are to the rest of the arm
        where that is treated too.
        """
        asked = (end_point, reference)
        if asked not in self._made:
            self._made[asked] = self._excess(*asked)
        return self._made[asked]

    def _excess(self, end_point: str, reference: str) -> FloatArray:
        both = self.ratios(end_point)
        rest = getattr(self.foretold, end_point)[:, :, self.foretold.arms.index("background")]
        rest = rest[:, :, None, None, :] if self.axes[0].item != self.axes[1].item else 1.0
        first, second = (self.ratios(end_point, part) / rest for part in ("first", "second"))
        if reference == "bliss":
            return first * second - both / rest
        if reference == "hsa":
            return np.minimum(first, second) - both / rest
        found = np.full(both.shape, np.nan)
        for line, structure, draw in np.ndindex(both.shape[0], both.shape[1], both.shape[4]):
            surface = self._surface(end_point, (line, structure, draw))
            if np.isfinite(surface.ratios).all():
                found[line, structure, :, :, draw] = excess(surface, reference)
        return found

    def median_surface(self, end_point: str, line: int, structure: int = 0) -> Surface:
        """Median over draws of the ratios of a line, for fits; doses only."""
        return self._surface(end_point, (line, structure, None))

    def zip_excess(self, end_point: str, line: int, structure: int = 0) -> FloatArray:
        """ZIP excess of the median surface, (n, m); NaN where axes are not doses."""
        if not self.is_dose_by_dose:
            return np.full(tuple(map(len, self.values)), np.nan)
        return excess(self.median_surface(end_point, line, structure), "zip")

    def musyc(self, end_point: str, line: int, structure: int = 0) -> Musyc | None:
        """MuSyC fit of the median surface; None where axes are not doses."""
        if not self.is_dose_by_dose:
            return None
        return musyc(self.median_surface(end_point, line, structure))

    def _surface(self, end_point: str, at: tuple[int, int, int | None]) -> Surface:
        line, structure, draw = at
        every = getattr(self.foretold, end_point)[line, structure]
        rest = every[self.foretold.arms.index("background")]
        with np.errstate(invalid="ignore", divide="ignore"):
            relative = every / rest
        row = np.nanmedian(relative, axis=1) if draw is None else relative[:, draw]
        by_name = dict(zip(self.foretold.arms, row, strict=True))
        first, second = (np.array(values) for values in self.values)
        ratios = np.array(
            [[by_name[f"{i},{j}"] for j in range(second.size)] for i in range(first.size)]
        )
        sums = [name for name in by_name if name.startswith("sum ")]
        doses = np.array([float(name.split()[1]) for name in sums])
        more = (doses, np.array([by_name[name] for name in sums])) if sums else None
        return Surface(first, second, ratios, (more, more))


def matrix(
    study: Study,
    vary: Mapping[str, Sequence[Any]] | None = None,
    *,
    memory: Memory | Path | str | None = None,
    workers: int | None = None,
    executor: Executor | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Matrix:
    """Foretell every pair of levels of two numbers of an arm, for both end points.

    Parameters
    ----------
    study
        Has the arm.
    vary
        Two keys ``ARM.TREATMENT.FIELD`` with three or more levels each, or two ends; the first two
        numbers of the study's search if not given. Doses get a level 0.
    memory, workers, executor, progress
        As for :func:`unmoor.analysis.search.search`.

    Raises
    ------
    StudyError
        If what is asked for is wrong.
    """
    whole = _with_axes(study, vary)
    space = space_of(whole)
    axes = (space.varied[0], space.varied[1])
    values = (_levels(space, 0), _levels(space, 1))
    arms = _arms(space, axes, values)
    kept = memory if isinstance(memory, Memory) else Memory(Path(memory) if memory else None)
    foretold = foretell(
        whole, arms=arms, memory=kept, workers=workers, executor=executor, progress=progress
    )
    return Matrix(whole, axes, values, foretold)


def _with_axes(study: Study, vary: Mapping[str, Sequence[Any]] | None) -> Study:
    if vary is None and study.search is not None:
        vary = dict(list(study.search.vary.items())[:2])
    if vary is None or len(vary) != 2:
        expected = "two numbers to vary, ARM.TREATMENT.FIELD with three or more levels each"
        fix = 'give them, or add [search.vary] with "ARM.TREATMENT.FIELD" = ["0 mg/kg", …]'
        raise StudyError(Problem(study.name, "vary", "", expected, fix, "E-SEARCH"))
    whole: Study = study.replace(search={"vary": vary})
    return whole


def _levels(space: Space, axis: int) -> tuple[float, ...]:
    """Levels of an axis: all choices, some of a range; a dose begins with 0."""
    levels = space.levels[axis]
    if space.varied[axis].is_range:
        places = np.unique(np.rint(np.linspace(0, len(levels) - 1, _SHOWN)).astype(int))
        levels = tuple(levels[place] for place in places)
    if space.varied[axis].field.name == "dose" and levels[0] > 0.0:
        levels = (0.0, *levels)
    return levels


def _arms(
    space: Space, axes: tuple[Varied, Varied], values: tuple[tuple[float, ...], ...]
) -> dict[str, tuple[Item, ...]]:
    one, other = axes[0].item, axes[1].item
    every = set(range(len(space.items)))
    mine = {other} if one != other else every - {one}  # what stands alone as the second
    arms: dict[str, tuple[Item, ...]] = {
        "background": space.with_values((values[0][0], values[1][0]), every - {one} - mine)
    }
    for i, first in enumerate(values[0]):
        for j, second in enumerate(values[1]):
            pair = (first, second)
            arms[f"{i},{j}"] = space.with_values(pair, every)
            arms[f"{i},{j} first"] = space.with_values(pair, every - mine)
            arms[f"{i},{j} second"] = space.with_values(pair, every - {one})
    return {**arms, **_sums(space, axes, values)}


def _sums(
    space: Space, axes: tuple[Varied, Varied], values: tuple[tuple[float, ...], ...]
) -> dict[str, tuple[Item, ...]]:
    """A drug combined with itself: both doses given as one, which additivity is exact for."""
    items = [space.items[axis.item] for axis in axes]
    if axes[0].item == axes[1].item or any(axis.field.name != "dose" for axis in axes):
        return {}
    first, second = items
    if not (isinstance(first, Regimen) and isinstance(second, Regimen)):
        return {}
    if (first.drug, first.every, first.start, first.stop, first.route) != (
        second.drug, second.every, second.start, second.stop, second.route,
    ):  # fmt: skip
        return {}
    every = set(range(len(space.items))) - {axes[1].item}
    sums = {a + b for a in values[0] for b in values[1]} - set(values[0]) - set(values[1])
    known = sums | set(values[1]) - set(values[0])
    allowed = sorted(dose for dose in known if dose <= space.limits[first.drug])
    return {f"sum {dose!r}": space.with_values((dose, 0.0), every) for dose in allowed}
