"""Contracts of drugs, hosts and matrices in a folder of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from unmoor import catalog
from unmoor.assays.base import Bench
from unmoor.assays.culture_settings import SignallingTimeCourse
from unmoor.catalog.draws import NOMINAL, Draw
from unmoor.cell.line import CellLine, Structure
from unmoor.testing.claims import NEUTRAL_LINE, check_folder, claim, folder, same, small_study
from unmoor.testing.claims import volumes as volumes_of
from unmoor.therapy.regimen import Regimen

_ORDINARY = 10.0  # mg/kg
_SEED = 11


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
    most
        Highest concentration that is tried of a drug for culture only [nM].
    """

    name: ClassVar[str]
    beside: ClassVar[str | Path | None] = None
    cell_line: ClassVar[str | None] = None
    host: ClassVar[str] = "nsg"
    every: ClassVar[str] = "2 d"
    most: ClassVar[float] = 1000.0

    def _line(self) -> str:
        binds = catalog.about("drugs", self.name, folder(self.beside)).get("binds", ())
        return self.cell_line or (NEUTRAL_LINE if "mouse" in binds else "HCC1806")

    @property
    def _is_for_culture(self) -> bool:
        return not catalog.about("drugs", self.name, folder(self.beside)).get("routes")

    def _outcomes(self, *amounts: float) -> dict[str, Any]:
        """Outcomes by arm: of tumours, or of cells in culture where the drug is for culture."""
        return self._readouts(*amounts) if self._is_for_culture else self._volumes(*amounts)

    def _readouts(self, *concentrations: float) -> dict[str, Any]:
        beside = folder(self.beside)
        given = [(Regimen(drug=self.name, concentration=each),) for each in concentrations]
        names = ["vehicle", *(f"{each:g}" for each in concentrations)]
        arms = dict(zip(names, [(), *given], strict=True))
        bench = Bench(CellLine.load(self._line(), beside), arms, Structure(), _SEED, beside)
        draws = [Draw(_SEED, number, beside, is_prior=True) for number in range(1, 4)]
        outcome = SignallingTimeCourse(duration="3 d", clones=4).run(bench, draws)
        return {name: np.asarray(outcome.readouts)[:, i] for i, name in enumerate(arms)}

    def _volumes(self, *doses: float) -> dict[str, Any]:
        arms: dict[str, Any] = {"vehicle": []}
        for dose in doses:
            item = {"drug": self.name, "dose": dose, "every": self.every, "start": 0.0}
            arms[f"{dose:g}"] = [item]
        beside = folder(self.beside)
        return volumes_of(small_study(self._line(), arms, host=self.host, beside=beside))

    def _highest(self) -> float:
        if self._is_for_culture:
            return self.most
        about = catalog.about("drugs", self.name, folder(self.beside))
        return float(about.get("max_dose", 10.0 * _ORDINARY))

    def test_the_folder_keeps_to_its_contract(self) -> None:
        """A known target, and the rows that its model needs, with units, ranges and sources."""
        check_folder("drugs", self.name, folder(self.beside))

    def test_no_dose_is_no_drug(self) -> None:
        """To the bit."""
        found = self._outcomes(0.0)
        claim(same(found["vehicle"], found["0"]), "a dose of nothing does something")

    def test_the_highest_dose_can_be_simulated(self) -> None:
        """Finite outcomes, none of them negative, up to the limit that the folder states."""
        found = self._outcomes(self._highest())
        for arm, values in found.items():
            claim(np.isfinite(values).all() and (values >= 0.0).all(), f"{arm}: {values}")

    def test_it_does_something(self) -> None:
        """At the highest dose, in a line it binds; else its target or its numbers are wrong."""
        found = self._outcomes(self._highest())
        treated = found[f"{self._highest():g}"]
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
