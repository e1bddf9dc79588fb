"""Where theory says that more of one thing means more or less of another, it never is otherwise.

Each claim is checked in ten thousand parameter sets drawn from the ranges of the catalog; each
also on a planted bug, which it must catch.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from unmoor import catalog
from unmoor.assays.treatment import treat
from unmoor.catalog.draws import Draw
from unmoor.cell.line import CellLine, Structure, network_values
from unmoor.elementwise import FloatArray
from unmoor.signalling.batch import Batch
from unmoor.signalling.networks.adhesion_emt import INPUTS
from unmoor.therapy.drug import Drug
from unmoor.therapy.regimen import Regimen

DRAWS = 10_000
LEVELS = (1.0, 0.6, 0.2, 0.0)  # of TGFβ receptor activity
DOSES = (0.0, 0.1, 3.0, 30.0, 1000.0)  # mg/kg, or nM in a medium
MONOTONE = ("hill",)  # dose responses that rise throughout; a biphasic one does not claim to


# ---------------------------------------------------------------- drugs


def monotone_drugs() -> list[str]:
    """Drugs whose response rises with what is bound."""
    return [
        name
        for name in catalog.names("drugs")
        if catalog.about("drugs", name).get("response", "hill") in MONOTONE
    ]


def arms(drug: str) -> list[tuple[Regimen, ...]]:
    """One arm a dose, given every week; as a concentration where there is no animal."""
    is_medium = Drug.load(drug).model == "medium"
    made = []
    for dose in DOSES:
        amount = {"concentration": dose} if is_medium else {"dose": dose}
        made.append((Regimen(drug, every=None if is_medium else 7.0, **amount),))
    return made


def courses(drug: str, draws: list[Draw]) -> dict[str, FloatArray]:
    """Everything a drug changes, shape (draws, doses, values), such that it rises with dose."""
    grid = np.linspace(0.0, 10.0, 11)
    made = treat(arms(drug), draws, grid, INPUTS, Drug.load(drug).species[0], None)
    rising = {}
    for label, course in {**made.courses, "systemic": made.systemic}.items():
        sign = 1.0 if label in ("tgfb_outside",) else -1.0
        rising[label] = sign * np.hstack([course.at, course.mean])
    rising["death"] = np.hstack([made.chemotherapy.at, made.chemotherapy.mean])
    return {name: x.reshape(len(draws), len(DOSES), -1) for name, x in rising.items()}


def check_doses(drugs: list[str], draws: int) -> None:
    """No value is lower at a higher dose, and the highest dose does something."""
    sets = Draw.sets(3, range(1, draws + 1))
    for drug in drugs:
        acts = False
        for label, values in courses(drug, sets).items():
            steps = np.diff(values, axis=1)
            slack = 1e-9 * np.maximum(np.abs(values[:, 1:]), 1e-3)
            assert (steps >= -slack).all(), (drug, label)
            acts = acts or bool((values[:, -1].max(axis=1) > values[:, 0].max(axis=1)).all())
        assert acts, drug


def test_more_of_a_drug_does_more() -> None:
    """Occupancy, inhibition or death, of each drug, on every day."""
    drugs = monotone_drugs()
    assert len(drugs) >= 10
    check_doses(drugs, -(-DRAWS // len(drugs)))


# ---------------------------------------------------------------- receptor and SMAD


def network_batch(structure: Structure, count: int) -> Batch:
    """Cells of drawn parameter sets side by side in whole blocks."""
    line = CellLine.load("HCC1806")
    values = [
        network_values(draw, structure, line.parameters(draw, structure.emt_core))
        for draw in Draw.sets(5, range(1, count + 1), is_prior=True)
    ]
    names = structure.network.parameters
    table = {name: np.array([v[name] for v in values]).reshape(-1, 8) for name in names}
    return Batch(structure.network, table, (count // 8, 8), rtol=1e-6)


def check_receptor(structure: Structure, count: int, label: str = "tgfbr1") -> None:
    """The share of pSMAD at less receptor activity is never higher, on the way and in the end."""
    found = []
    for level in LEVELS:
        batch = network_batch(structure, count)
        batch.set_input("itgb1", 0.2)
        batch.advance(500.0)
        batch.set_input(label, level)
        course = []
        for hours in (1.0, 12.0, 100.0, 1000.0):
            batch.advance(hours)
            course.append(batch.readouts()["psmad"].ravel())
        assert not batch.status.any()
        found.append(np.array(course))
    for more, less in pairwise(found):
        assert (less <= more + 1e-5).all()
    assert (found[-1][-1] < 0.01).all()  # without a receptor there is next to none
    assert (found[0][-1] > found[1][-1]).all()


@pytest.mark.parametrize("core", ["cascading", "ternary"])
@pytest.mark.parametrize("mechanism", ["tgfb", "itgb3"])
def test_less_receptor_means_less_smad(core: str, mechanism: str) -> None:
    """As its inhibitor does; in all structures of the model."""
    check_receptor(Structure(core, mechanism), 2504)  # of each of four structures


# ---------------------------------------------------------------- planted bugs


def plant_receptor(patch: pytest.MonkeyPatch) -> None:
    """The inhibitor reaches the wrong target."""
    real = Batch.set_input

    def set_input(self: Batch, label: str, value: Any) -> None:
        real(self, "mapk14" if label == "tgfbr1" else label, value)

    patch.setattr(Batch, "set_input", set_input)


PLANTED: list[tuple[Callable[[pytest.MonkeyPatch], None], Callable[[], None]]] = [
    (plant_receptor, lambda: check_receptor(Structure(), 80)),
]


@pytest.mark.parametrize(("plant", "check"), PLANTED)
def test_planted_bugs_are_caught(
    monkeypatch: pytest.MonkeyPatch,
    plant: Callable[[pytest.MonkeyPatch], None],
    check: Callable[[], None],
) -> None:
    """Each claim holds above and fails here."""
    plant(monkeypatch)
    with pytest.raises(AssertionError):
        check()


def test_a_planted_hook_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dose response that falls again at the highest dose, of one drug of several."""
    real = treat

    def hooked(arms: Any, *more: Any) -> Any:
        made = real(arms, *more)
        if arms[0][0].drug == "galunisertib":
            for course in made.courses.values():
                last = slice(len(DOSES) - 1, None, len(DOSES))
                course.at[last] = 0.9 * course.at[last] + 0.1
        return made

    monkeypatch.setitem(globals(), "treat", hooked)
    with pytest.raises(AssertionError, match="galunisertib"):
        check_doses(monotone_drugs(), 5)
