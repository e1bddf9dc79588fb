"""Speed against grip: the invariants that Palecek et al. (1997, Nature 385:537) measured.

The highest speed does not depend on receptors, affinity or ligand; the best ligand density is
inversely proportional to receptors and to affinity.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from unmoor.assays.preparation import Preparation, Setting
from unmoor.catalog.draws import Draw
from unmoor.cell.line import CellLine, Structure
from unmoor.cell.phenotype import behave, settle
from unmoor.signalling.readouts import Readouts

UNTREATED = Readouts(1.0, 0.0, 0.05, 0.0, 0.2, 1.0, 1.0)
BLOCKADE = np.exp(np.linspace(np.log(0.02), np.log(50.0), 4001))  # free β1, and over-expression


def speeds(receptors: float, affinity: float) -> np.ndarray:
    """Speed of a cell that grips by β1 alone, over the share of it that can bind."""
    setting = Setting(CellLine.load("4T1"), "balbc", [], Structure(), 1.0, 1e6, 1, seed=3)
    on = Preparation(setting, Draw.sets(3, [0]), 1)
    constants, cell = on.constants[0], on.cells[0, 0]
    for ground in ("tumour", "collagen_i"):
        constants[f"w1_{ground}"] = affinity
        for other in ("w3", "w4", "w0"):
            constants[f"{other}_{ground}"] = 0.0
    cell.beta1_tot = receptors
    settle(constants, cell, UNTREATED)
    return np.array([behave(constants, cell, UNTREATED, b, 1.0).speed for b in BLOCKADE])


def optimum(of: Callable[[float, float], np.ndarray], receptors: float, affinity: float) -> float:
    """Share of free β1 at the highest speed."""
    return float(BLOCKADE[np.argmax(of(receptors, affinity))])


def test_the_highest_speed_does_not_depend_on_receptors_or_affinity() -> None:
    """To the grid's fineness."""
    highest = [speeds(r, k).max() for r, k in ((1.0, 0.8), (0.25, 0.8), (4.0, 0.8), (1.0, 0.2))]
    assert highest == pytest.approx([highest[0]] * 4, rel=1e-5)


def test_the_best_share_of_free_integrin_is_inverse_to_receptors() -> None:
    """Four times the receptors, a quarter of the free share."""
    ratio = optimum(speeds, 4.0, 0.8) / optimum(speeds, 1.0, 0.8)
    assert ratio == pytest.approx(0.25, rel=5e-3)


def test_blockade_speeds_up_cells_that_hold_too_fast_and_stops_those_that_hardly_hold() -> None:
    """At half the free β1, with four and with a quarter of the receptors."""
    whole, half = (int(np.argmin(np.abs(BLOCKADE - b))) for b in (1.0, 0.5))
    over, under = speeds(4.0, 0.8), speeds(0.25, 0.8)
    assert over[half] > 1.2 * over[whole]
    assert under[half] < 0.8 * under[whole]
