"""Contracts of drugs, hosts and matrices in a folder of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from unmoor import catalog
from unmoor.catalog.draws import NOMINAL, Draw
from unmoor.testing.claims import NEUTRAL_LINE, check_folder, claim, folder, same, small_study
from unmoor.testing.claims import volumes as volumes_of

_ORDINARY = 10.0  # mg/kg


class StandardDrugTest:
    """Tests of a drug of one's own.

    Attributes
    ----------
    name
        Name or path of its folder.
    beside
        Folder that holds ``catalog/``; None for a path or a built-in drug.
    cell_line
        A line whose species it binds; one of the catalog's, if not given.
    host
        Host of that line.
    every
        Time between doses.
    """

    name: ClassVar[str]
    beside: ClassVar[str | Path | None] = None
    cell_line: ClassVar[str | None] = None
    host: ClassVar[str] = "nsg"
    every: ClassVar[str] = "2 d"

    def _line(self) -> str:
        binds = catalog.about("drugs", self.name, folder(self.beside)).get("binds", ())
        return self.cell_line or (NEUTRAL_LINE if "mouse" in binds else "HCC1806")

    def _volumes(self, *doses: float) -> dict[str, Any]:
        arms: dict[str, Any] = {"vehicle": []}
        for dose in doses:
            item = {"drug": self.name, "dose": dose, "every": self.every, "start": 0.0}
            arms[f"{dose:g} mg/kg"] = [item]
        beside = folder(self.beside)
        return volumes_of(small_study(self._line(), arms, host=self.host, beside=beside))

    def _highest(self) -> float:
        about = catalog.about("drugs", self.name, folder(self.beside))
        return float(about.get("max_dose", 10.0 * _ORDINARY))

    def test_the_folder_keeps_to_its_contract(self) -> None:
        """A known target, and the rows that its model needs, with units, ranges and sources."""
        check_folder("drugs", self.name, folder(self.beside))

    def test_no_dose_is_no_drug(self) -> None:
        """To the bit."""
        found = self._volumes(0.0)
        claim(same(found["vehicle"], found["0 mg/kg"]), "a dose of nothing does something")

    def test_the_highest_dose_can_be_simulated(self) -> None:
        """Finite outcomes, none of them negative, up to the limit that the folder states."""
        found = self._volumes(self._highest())
        for arm, values in found.items():
            claim(np.isfinite(values).all() and (values >= 0.0).all(), f"{arm}: {values}")

    def test_it_does_something(self) -> None:
        """At the highest dose, in a line it binds; else its target or its numbers are wrong."""
        found = self._volumes(self._highest())
        treated = found[f"{self._highest():g} mg/kg"]
        claim(not same(found["vehicle"], treated), "even the highest dose does nothing")


class StandardHostTest:
    """Tests of a host of one's own: ``name``, ``beside``, and a line that it does not reject."""

    name: ClassVar[str]
    beside: ClassVar[str | Path | None] = None
    cell_line: ClassVar[str] = NEUTRAL_LINE

    def test_the_folder_keeps_to_its_contract(self) -> None:
        """Species, strain, immune status, and the two numbers of freed immunity."""
        check_folder("hosts", self.name, folder(self.beside))

    def test_untreated_tumours_grow_as_in_any_host(self) -> None:
        """Immunity acts only once TGFβ is blocked in the host."""
        beside = folder(self.beside)
        arms: dict[str, Any] = {"vehicle": [], "again": []}
        own = volumes_of(small_study(self.cell_line, arms, host=self.name, beside=beside))
        other = volumes_of(small_study(self.cell_line, arms, host="nsg", beside=beside))
        claim(same(own["vehicle"], other["vehicle"]), "untreated tumours differ from those in NSG")


class StandardMatrixTest:
    """Tests of a matrix of one's own: ``name`` and ``beside``."""

    name: ClassVar[str]
    beside: ClassVar[str | Path | None] = None

    def test_the_folder_keeps_to_its_contract(self) -> None:
        """Four weights, none negative."""
        check_folder("matrices", self.name, folder(self.beside))

    def test_some_receptor_holds_it(self) -> None:
        """In every draw; a matrix that nothing holds has no adhesion to lose."""
        for number in range(NOMINAL, 20):
            weights = Draw(3, number, folder(self.beside)).values("matrices", self.name)
            claim(sum(weights.values()) > 0.0, f"all weights are zero in draw {number}")
