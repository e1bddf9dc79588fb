"""Compiled behaviour, escape and colonisation against the same equations in plain Python."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from cell_twin import Cell, behaviour, chances, escape

from unmoor.assays.preparation import Preparation, Setting
from unmoor.catalog.draws import Draw
from unmoor.cell.line import CellLine, Structure
from unmoor.cell.phenotype import Phenotype, behave, settle
from unmoor.organism.colonisation import chances as compiled_chances
from unmoor.random import Stream
from unmoor.signalling.readouts import Readouts
from unmoor.tissue.escape import leave

DRAWS = 30


@pytest.fixture(scope="module")
def prepared() -> Preparation:
    """Constants of random parameter sets, as a study prepares them."""
    setting = Setting(CellLine.load("4T1"), "balbc", [], Structure(), 1.0, 1e6, 1, seed=3)
    return Preparation(setting, Draw.sets(3, range(DRAWS)), 1)


def _random(number: int) -> Iterator[float]:
    return iter(Stream(9, draw=number).uniform(np.arange(50), "twin").tolist())


def _readouts(u: Iterator[float]) -> Readouts:
    """E-cadherin and the programme a little beyond 0 … 1 either way."""
    e, m = 1.4 * next(u) - 0.2, 1.4 * next(u) - 0.2
    return Readouts(e, m, 0.01 + 0.5 * next(u), next(u), 1.5 * next(u), next(u), next(u))


@pytest.mark.parametrize("number", range(DRAWS))
def test_a_cell_behaves_as_written(prepared: Preparation, number: int) -> None:
    """Every number of phenotype, escape and chances to 1e-13, over parameter sets and states."""
    u = _random(number)
    constants, record = prepared.constants[number], prepared.cells[number, 0]
    record.beta1_tot, record.beta4, record.K_F = 0.3 + 2.0 * next(u), next(u), 0.3 + 0.3 * next(u)
    untreated = _readouts(u)
    settle(constants, record, untreated)
    cell = Cell(record.beta1_tot, record.beta4, record.K_F, untreated)
    c = {name: float(constants[name]) for name in constants.dtype.names}
    table = prepared.leaving.of(number)
    for _ in range(4):
        now, b, ptk2, systemic = _readouts(u), 1.5 * next(u), 1.5 * next(u), next(u)
        compiled: Phenotype = behave(constants, record, now, b, ptk2)
        expected = behaviour(c, cell, now, b, ptk2)
        assert compiled._asdict() == pytest.approx(expected, rel=1e-13, abs=1e-15)
        left = tuple(leave(table, constants, compiled, record.growth))
        growth = behaviour(c, cell, untreated, 1.0, 1.0)["growth"]
        assert left == pytest.approx(escape(table, c, expected, growth), rel=1e-11)
        founded = tuple(compiled_chances(constants, compiled, systemic))
        assert founded == pytest.approx(chances(c, expected, systemic), rel=1e-13)


def test_an_untreated_cell_is_its_own_reference(prepared: Preparation) -> None:
    """FAK signals 1 to rounding, stress 1, no anoikis."""
    u = _random(77)
    constants, record, now = prepared.constants[3], prepared.cells[3, 0], _readouts(u)
    settle(constants, record, now)
    same = behave(constants, record, now, 1.0, 1.0)
    assert same.stress == 1.0
    assert (same.fak_tumour, same.fak_lung) == pytest.approx((1.0, 1.0), rel=3e-16)
    assert same.death_rate == pytest.approx(constants.delta_E * same.stranded, rel=1e-14)
