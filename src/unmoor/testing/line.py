"""Contract of a cell line: finite, bounded, at rest when left alone, growing as stated."""

from __future__ import annotations

import math
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import numpy as np

from unmoor.catalog.draws import NOMINAL, Draw
from unmoor.cell.line import CellLine, Structure, network_values
from unmoor.cell.line_rule import LineParameters
from unmoor.signalling.steady import time_course
from unmoor.testing.claims import check_folder, claim, folder, small_study, volumes

_CORES = ("cascading", "ternary")
_DRAWS = 100
_BOUNDS = {"beta1_tot": (0.0, 1e4), "f": (0.0, 1.3), "e_present": (0.0, 1.0), "c0": (0.0, 1.0),
           "tone": (0.0, 3.0)}  # fmt: skip


class StandardLineTest:
    """Tests of a cell line of one's own.

    Attributes
    ----------
    name
        Name or path of its folder.
    beside
        Folder that holds ``catalog/``; None for a path or a built-in line.
    host
        Host it grows in.
    day
        When an untreated tumour is looked at [d].
    volume
        Lowest and highest volume that the median untreated tumour may have then [mm³].
    kept
        Least share of parameter sets in which the untreated line keeps its state.
    """

    name: ClassVar[str]
    beside: ClassVar[str | Path | None] = None
    host: ClassVar[str] = "nsg"
    day: ClassVar[float] = 28.0
    volume: ClassVar[tuple[float, float]] = (100.0, 4000.0)
    kept: ClassVar[float] = 0.5

    @cached_property
    def line(self) -> CellLine:
        """The line."""
        return CellLine.load(self.name, folder(self.beside))

    def _drawn(self, core: str) -> list[LineParameters]:
        draws = Draw.sets(5, range(1, _DRAWS + 1), folder(self.beside), is_prior=True)
        return [self.line.parameters(draw, core) for draw in draws]

    def test_the_folder_keeps_to_its_contract(self) -> None:
        """Known levels with units, ranges, grades and sources."""
        check_folder("cell_lines", self.name, folder(self.beside))

    def test_parameters_are_finite_and_bounded(self) -> None:
        """In every draw and under both EMT cores."""
        for core in _CORES:
            for drawn in self._drawn(core):
                for name, (low, high) in _BOUNDS.items():
                    value = float(getattr(drawn, name))
                    claim(math.isfinite(value), f"{name} is {value} ({core})")
                    claim(low <= value <= high, f"{name} = {value:g} ({core}): {low:g} to {high:g}")

    def test_it_keeps_its_state_in_most_draws(self) -> None:
        """A line that cannot live in the state it is found in has levels that contradict."""
        for core in _CORES:
            share = float(np.mean([drawn.holds_branch for drawn in self._drawn(core)]))
            claim(share >= self.kept, f"it keeps its state in {share:.0%} of the draws ({core})")

    def test_it_returns_to_its_steady_state(self) -> None:
        """Each species moved by a hundredth; after two weeks nothing is left of it."""
        structure = Structure()
        draw = Draw(0, NOMINAL, folder(self.beside))
        values = network_values(draw, structure, self.line.parameters(draw, structure.emt_core))
        rest = self.line.steady_state(structure)
        network = structure.network
        for name in network.species:
            moved = {**rest, name: rest[name] * 1.01 + 1e-4 * network.scale[name]}
            course = time_course(network, values, [336.0], start=moved)
            for each in network.species:
                away = abs(float(course[each][-1]) - rest[each])
                claim(
                    away <= 1e-3 * network.scale[each],
                    f"{each} is {away:g} away after {name} was moved",
                )

    def test_untreated_tumours_grow_as_stated(self) -> None:
        """The median over draws and animals, at the day that is looked at."""
        study = small_study(
            self.name, {"vehicle": [], "again": []}, host=self.host, beside=folder(self.beside),
            duration=f"{self.day:g} d",
        )  # fmt: skip
        median = float(np.median(volumes(study)["vehicle"][:, 0]))
        low, high = self.volume
        claim(low <= median <= high, f"{median:.0f} mm³ at day {self.day:g}: {low:g} to {high:g}")
