"""What was tried in a search and what it was worth, each point once, within a budget."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from unmoor.analysis.search_space import Point


@dataclass(frozen=True)
class Worth:
    """What a point is worth.

    Attributes
    ----------
    objectives
        Numbers to be made small; the first counts most.
    margins
        What each condition is missed by; 0 or less where it holds.
    """

    objectives: tuple[float, ...]
    margins: tuple[float, ...] = ()

    @property
    def violation(self) -> float:
        """By how much the conditions are missed in all; 0 where they hold."""
        return sum(max(margin, 0.0) for margin in self.margins)

    @property
    def rank(self) -> tuple[float, ...]:
        """What the best point has least of: what is missed first, then the objectives in turn."""
        return (self.violation, *self.objectives)


Evaluate = Callable[[Sequence[Point]], Sequence[Worth]]


class Book:
    """Points that were tried, each once, within a budget."""

    def __init__(self, sizes: Sequence[int], evaluate: Evaluate, budget: int) -> None:
        self.sizes = tuple(sizes)
        self.budget = budget
        self.worths: dict[Point, Worth] = {}
        self._evaluate = evaluate

    @property
    def left(self) -> int:
        """How many more points may be tried."""
        return self.budget - len(self.worths)

    def ask(self, points: Sequence[Point]) -> list[Worth | None]:
        """Worth of each point, None for those beyond the budget; new ones are tried together."""
        new = [point for point in dict.fromkeys(points) if point not in self.worths]
        new = new[: self.left]
        if new:
            for point, worth in zip(new, self._evaluate(new), strict=True):
                self.worths[point] = worth
        return [self.worths.get(point) for point in points]

    def best(self) -> Point:
        """The point of least rank; the first tried if several are."""
        return min(self.worths, key=lambda point: self.worths[point].rank)
