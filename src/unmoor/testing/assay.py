"""Contract of an assay: same seed, same outcome; order does not count; no dose is no drug."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from unmoor.assays.base import Assay, Bench, Outcome
from unmoor.catalog.draws import Draw
from unmoor.cell.line import CellLine, Structure
from unmoor.findings import Findings
from unmoor.testing.claims import NEUTRAL_LINE, claim, folder, same
from unmoor.therapy.regimen import Edit, Regimen

_SEED = 17
_PARTS = ("status", "readouts", "courses")


class StandardAssayTest:
    """Tests of an assay of one's own.

    Attributes
    ----------
    assay
        Settings of a short run: few clones and animals, some days.
    cell_line
        Line it is run with.
    drug
        Drug whose dose is set to nothing.
    gene
        Gene whose loss must show in some outcome.
    beside
        Folder that holds ``catalog/``.
    """

    assay: ClassVar[Assay]
    cell_line: ClassVar[str] = NEUTRAL_LINE
    drug: ClassVar[str] = "anti_itgb1"
    gene: ClassVar[str] = "ITGB1"
    beside: ClassVar[str | Path | None] = None

    def _arms(self) -> dict[str, Any]:
        is_animal = self.assay.host_of(self.cell_line) is not None
        amount: dict[str, Any] = {"dose": "0 mg/kg"} if is_animal else {"concentration": "0 nM"}
        nothing = Regimen(drug=self.drug, **amount)
        loss = Edit(gene=self.gene, change="knock_down", factor=0.1)
        return {"vehicle": (), "no dose": (nothing,), "loss": (loss,)}

    def _run(
        self, numbers: Sequence[int] = (1, 2, 3), arms: Mapping[str, Any] | None = None
    ) -> Outcome:
        beside = folder(self.beside)
        line = CellLine.load(self.cell_line, beside)
        bench = Bench(line, arms or self._arms(), Structure(), _SEED, beside)
        draws = [Draw(_SEED, number, beside, is_prior=True) for number in numbers]
        return self.assay.run(bench, draws)

    def test_the_same_seed_gives_the_same_outcome(self) -> None:
        """To the bit, whatever was run before."""
        one, other = self._run(), self._run()
        for part in _PARTS:
            claim(same(getattr(one, part), getattr(other, part)), f"{part} differ between two runs")
        for name, array in one.arrays.items():
            claim(same(array, other.arrays[name]), f"{name} differs between two runs")

    def test_the_order_of_draws_does_not_count(self) -> None:
        """The same draws backwards give the same numbers backwards."""
        one, other = self._run((1, 2, 3)), self._run((3, 2, 1))
        for part in _PARTS:
            backwards = np.asarray(getattr(other, part))[::-1]
            claim(same(getattr(one, part), backwards), f"{part} depend on the order of draws")

    def test_a_draw_alone_gives_the_same_bits(self) -> None:
        """It does not matter which others are in the batch."""
        one, alone = self._run((1, 2, 3)), self._run((2,))
        for part in _PARTS:
            claim(
                same(np.asarray(getattr(one, part))[1:2], getattr(alone, part)),
                f"{part} of a draw depend on the others in the batch",
            )

    def test_the_order_of_arms_does_not_count(self) -> None:
        """Nor does an arm that is added."""
        arms = self._arms()
        one = self._run(arms=arms)
        other = self._run(arms={name: arms[name] for name in reversed(arms)})
        for part in _PARTS:
            backwards = np.asarray(getattr(other, part))[:, ::-1]
            claim(same(getattr(one, part), backwards), f"{part} depend on the order of arms")

    def test_no_dose_is_no_drug(self) -> None:
        """A dose of nothing gives the outcome of the untreated arm, to the bit."""
        outcome = self._run()
        for part in _PARTS:
            values = np.asarray(getattr(outcome, part))
            claim(same(values[:, 0], values[:, 1]), f"{part} change with a dose of nothing")

    def test_loss_of_the_gene_shows(self) -> None:
        """An assay in which nothing changes anything measures nothing."""
        readouts = np.asarray(self._run().readouts)
        claim(not same(readouts[:, 0], readouts[:, 2]), f"loss of {self.gene} shows nowhere")

    def test_outcomes_have_their_shape_and_are_finite(self) -> None:
        """(draws, arms, outcomes, days), finite wherever the equations were solved.

        But for outcomes that an assay says may be undefined; no arm loses all of its outcomes.
        """
        outcome = self._run()
        shape = (3, len(self._arms()), len(self.assay.outcomes), len(outcome.days))
        found = np.asarray(outcome.readouts)
        claim(found.shape == shape, f"readouts have shape {found.shape}, not {shape}")
        solved = np.asarray(outcome.status) == 0
        claim(solved.any(), "nothing was solved")
        loose = [name in self.assay.may_be_undefined for name in self.assay.outcomes]
        finite = np.isfinite(found[solved])
        claim(
            (finite | np.array(loose)[:, None]).all(),
            "a readout is not finite, and its status says solved",
        )
        claim(finite.any(axis=1).all(), "an arm has no finite readout, and its status says solved")

    def test_settings_survive_a_study_file(self) -> None:
        """What is written is read back as the same settings, and cannot be changed."""
        raw = tomllib.loads(self.assay.to_toml())["assays"][0]
        findings = Findings()
        values = type(self.assay).parse(raw, (), findings, bare=False)
        claim(not findings.problems, "\n".join(map(str, findings.problems)))
        claim(type(self.assay).made(values) == self.assay, "settings change when written and read")
        try:
            setattr(self.assay, "duration", 1.0)  # noqa: B010 - a checker would refuse it
        except (FrozenInstanceError, AttributeError, TypeError):
            return
        claim(False, "settings can be changed after they were made")
