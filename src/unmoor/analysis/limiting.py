"""What keeps a line from switching, and the least change of its levels that would make it switch.

Each level that the rule reads is moved, alone and with others, to where the panel ends; a level
limits a line if, with all others at their favourable end, the line's own value still holds it back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from unmoor.analysis.cell_switch import put_to_the_test, switch_loss
from unmoor.catalog import table
from unmoor.catalog.contracts import LEVELS
from unmoor.catalog.draws import Draw
from unmoor.cell.line import CellLine, Structure
from unmoor.elementwise import FloatArray

_Z90 = 1.645  # half-width of a 90 % range in standard deviations
_CONTRIBUTES = 0.1  # gain in the share of draws from which a level is told to contribute
_TRIED = 4  # sets of one size whose least change is looked for
_HALVINGS = 5


@dataclass(frozen=True)
class Move:
    """A level moved in silico.

    Attributes
    ----------
    level
        Its id.
    before, after
        Value [log2].
    deviations
        Size of the move in standard deviations of the panel, with its sign.
    """

    level: str
    before: float
    after: float
    deviations: float


@dataclass(frozen=True)
class Limits:
    """What limits a line.

    Attributes
    ----------
    is_switching
        Whether the line counts as switching.
    share
        Share of draws in which its cells switch.
    gains
        Change of that share when one level alone is moved to its favourable end of the panel.
    drops
        Change of that share when one level alone is moved to the panel's median.
    held
        Share when all levels but this one are at their favourable end.
    limiting
        Levels that hold the line back even with all others at their favourable end.
    contributing
        Other levels that raise the share by themselves.
    best_share
        Share with all levels at their favourable end.
    repair
        The fewest levels, moved as little as it takes, that make the line switch; empty if it
        switches already or none do.
    repaired_share
        Share of draws that switch after the repair.
    """

    is_switching: bool
    share: float
    gains: Mapping[str, float]
    drops: Mapping[str, float]
    held: Mapping[str, float]
    limiting: tuple[str, ...]
    contributing: tuple[str, ...]
    best_share: float
    repair: tuple[Move, ...]
    repaired_share: float

    @property
    def foremost(self) -> str:
        """The level that decides most: of a line that switches, the one it would miss most."""
        if self.is_switching:
            return min(self.drops, key=lambda name: self.drops[name])
        return min(self.held, key=lambda name: (self.held[name], -self.gains[name]))

    @property
    def factors(self) -> tuple[str, ...]:
        """All that keeps a line from switching: what limits it, and what its repair takes."""
        taken = {move.level for move in self.repair}
        return tuple(name for name in self.gains if name in taken or name in self.limiting)


def limits_of(
    line: CellLine, draws: Sequence[Draw], structure: Structure, threshold: float
) -> Limits:
    """Find what limits a line, and its smallest repair.

    Parameters
    ----------
    threshold
        Share of draws from which a line counts as switching.
    """
    search = _Search(line, draws, structure)
    share = search.share({})
    gains = {name: search.share(search.end(name)) - share for name in LEVELS}
    drops = {name: search.share({name: search.middle[name]}) - share for name in LEVELS}
    best = search.share(search.ends(LEVELS))
    held = {name: search.share(search.ends(set(LEVELS) - {name})) for name in LEVELS}
    limiting = [name for name in LEVELS if held[name] < threshold <= best and share < threshold]
    contributing = [n for n in LEVELS if n not in limiting and gains[n] >= _CONTRIBUTES]
    repair: dict[str, float] = {}
    if share < threshold <= best:
        repair = search.smallest(threshold, limiting)
    moves = tuple(search.move(name, after) for name, after in repair.items())
    after = search.share(repair) if repair else share
    return Limits(
        share >= threshold, share, gains, drops, held, tuple(limiting), tuple(contributing), best,
        moves, after,
    )  # fmt: skip


class _Search:
    """Shares of draws in which a line with some levels moved switches; each asked once."""

    def __init__(self, line: CellLine, draws: Sequence[Draw], structure: Structure) -> None:
        self._line, self._draws, self._structure = line, draws, structure
        self._loss = switch_loss(draws[0])
        panel = table("closures", "line_levels", line.beside).values_by_id()
        reach = table("closures", "expression", line.beside).values_by_id()
        self._sd = {name: panel[f"panel_sd_{called}"] for name, called in LEVELS.items()}
        self.middle = {name: panel[f"panel_median_{called}"] for name, called in LEVELS.items()}
        self._own = {name: line.levels[name].value for name in LEVELS}
        self._known: dict[tuple[tuple[str, float], ...], float] = {}
        self._ends = {
            name: self._favourable(name, panel[f"panel_median_{called}"],
                                   reach[f"panel_low_{called}"], reach[f"panel_high_{called}"])
            for name, called in LEVELS.items()
        }  # fmt: skip

    def share(self, levels: Mapping[str, float]) -> float:
        """Share of draws that switch with some levels moved."""
        key = tuple(sorted(levels.items()))
        if key not in self._known:
            line = self._line.altered(levels) if levels else self._line
            cells = put_to_the_test(line, self._draws, self._structure, restore=False)
            switches: FloatArray = cells.switches(self._loss)
            self._known[key] = float(np.nanmean(switches))
        return self._known[key]

    def end(self, name: str) -> dict[str, float]:
        """A level at its favourable end."""
        return {name: self._ends[name]}

    def ends(self, names: Sequence[str] | set[str] | Mapping[str, str]) -> dict[str, float]:
        """Several levels at their favourable ends."""
        return {name: self._ends[name] for name in LEVELS if name in names}

    def move(self, name: str, after: float) -> Move:
        """A move as it is told."""
        before = self._own[name]
        return Move(name, before, after, (after - before) / self._sd[name])

    def smallest(self, threshold: float, needed: Sequence[str]) -> dict[str, float]:
        """The least move of the fewest levels with which the line switches."""
        others = [name for name in LEVELS if name not in needed]
        for size in range(len(needed), len(LEVELS) + 1):
            sets = [{*needed, *more} for more in combinations(others, size - len(needed))]
            enough = [names for names in sets if names and self._reaches(names, threshold)]
            enough.sort(key=lambda names: -self.share(self.ends(names)))
            if enough:
                found = [self._shrunk(names, threshold) for names in enough[:_TRIED]]
                return min(found, key=self._size)
        return {}

    def _reaches(self, names: set[str], threshold: float) -> bool:
        return self.share(self.ends(names)) >= threshold

    def _size(self, levels: Mapping[str, float]) -> float:
        return sum(abs(self.move(name, after).deviations) for name, after in levels.items())

    def _shrunk(self, names: set[str], threshold: float) -> dict[str, float]:
        """Move all levels as far as it takes, then each in turn less if it can be."""
        parts = dict.fromkeys(sorted(names), 1.0)
        for each in self._orders(parts):
            low, high = 0.0, 1.0
            start = dict(parts)
            for _ in range(_HALVINGS):
                middle = 0.5 * (low + high)
                tried = {n: x * middle if n in each else x for n, x in start.items()}
                if self.share(self._at(tried)) >= threshold:
                    high = middle
                else:
                    low = middle
            parts = {n: x * high if n in each else x for n, x in start.items()}
        return self._at(parts)

    def _orders(self, parts: Mapping[str, float]) -> Iterator[list[str]]:
        yield list(parts)
        if len(parts) > 1:
            yield from ([name] for name in parts)

    def _at(self, parts: Mapping[str, float]) -> dict[str, float]:
        return {
            name: self._own[name] + part * (self._ends[name] - self._own[name])
            for name, part in parts.items()
        }

    def _favourable(self, name: str, middle: float, low: float, high: float) -> float:
        """The end of the panel's central 90 % that helps more, or the own value beyond it.

        Both ends are tried with what else limits at the panel's middle or better, since a level
        may matter only once others do not hold the line back.
        """
        spread = _Z90 * self._sd[name]
        own = self._own[name]
        down, up = max(middle - spread, low), min(middle + spread, high)
        ends = (min(own, down), max(own, up))
        helped = {other: max(0.0, self._own[other]) for other in _HELPFUL if other != name}
        shares = [self.share({**helped, name: end}) for end in ends]
        return ends[int(shares[1] >= shares[0])]


_HELPFUL = ("L_ITGB1", "L_TGFBR2", "L_SMAD4", "e_score")  # at 0: as the reference line
