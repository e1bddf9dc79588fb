"""The unit tests of the PerMedCoE comparison of cell-based simulators, against closed forms.

Cell cycle, friction, two cells that push each other, chemotaxis. Its cases of diffusion are in
``tests/oracles``; the monolayer and the spheroid are benchmarks.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from unmoor import catalog
from unmoor.random import Stream
from unmoor.tissue.bodies import FloatArray
from unmoor.tissue.lives import Behaviours
from unmoor.tissue.tissue import Numerics, Tissue

VALUES = catalog.table("closures", "tissue").values_by_id()
ALONE = {"alignment": 0.0, "pressure_stop": 1e9}
HOUR = 60.0
PHASES = {"G1": 7.0, "S": 6.0, "G2": 3.0, "M": 2.0}  # h
CYCLE = sum(PHASES.values())


def apart(count: int, spacing: float = 300.0) -> FloatArray:
    """Places of cells that never meet."""
    side = math.ceil(count ** (1.0 / 3.0))
    grid = np.stack(np.meshgrid(*[np.arange(side)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    return spacing * grid[:count].astype(np.float64)


def tissue(where: FloatArray, does: Behaviours, **given: Any) -> Tissue:
    """Return cells at given places, of one size."""
    values = VALUES | ALONE | given.pop("values", {})
    stream = Stream(given.pop("seed", 3))
    return Tissue.seeded(values, where, stream=stream, behaviours=does, **given)


def heading(cells: Tissue, along: FloatArray) -> None:
    """Let cells head one way for ever."""
    cells.bodies.heading[: len(along)] = along
    cells.bodies.turn[:] = np.iinfo(np.int64).max


def test_a_cell_passes_the_phases_of_its_cycle_on_time() -> None:
    """G1 7, S 6, G2 3, M 2 h, read off every 6 min for 48 h: to one exchange in each cycle.

    Phases are shares of the way through the cycle; the engine itself knows progress only. Volume is
    (1 + progress) / 2 of that at division.
    """
    rate = 24.0 * math.log(2.0) / CYCLE
    cells = tissue(np.zeros((1, 3)), Behaviours.of(1, division=rate, speed=0.0),
                   values={"cv_cycle": 0.0}, progress=0.0)  # fmt: skip
    ends = np.cumsum(list(PHASES.values())) / CYCLE
    hours, counts, seen = [], [], []
    for exchange in range(1, 481):
        cells.advance(6.0)
        seen.append(int(np.searchsorted(ends, cells.lives.progress[0] + 1e-9, side="right")) % 4)
        hours.append(0.1 * exchange)
        counts.append(cells.living)
        radius = VALUES["radius"] * (math.log(2.0) * (1.0 + cells.lives.progress[0])) ** (1 / 3)
        assert cells.bodies.radius[0] == pytest.approx(radius, rel=1e-6)
    change = [hours[i] for i in range(1, 480) if seen[i] != seen[i - 1]]
    expected = [7.0, 13.0, 16.0, 18.0, 25.0, 31.0, 34.0, 36.0, 43.0]
    late = np.subtract(change, expected)
    assert np.all(late > -1e-9)
    assert np.all(late < 0.1 * (1 + np.arange(9) // 4) + 1e-9)  # a cycle ends with its exchange
    assert [counts[i] for i in (178, 182, 362)] == [1, 2, 4]


def test_cycles_vary_as_they_are_told_to() -> None:
    """With a spread of 10 % of 18 h, 2 000 first divisions have mean and spread within 4 SE."""
    count = 2000
    rate = 24.0 * math.log(2.0) / CYCLE
    cells = tissue(apart(count), Behaviours.of(count, division=rate, speed=0.0), progress=0.0,
                   values={"cv_cycle": 0.1, "c_rep": 1e-3, "bond_E": 0.0, "bond_M": 0.0},
                   numerics=Numerics(dt=6.0))  # fmt: skip
    first = np.full(count, np.nan)
    for exchange in range(1, 301):
        cells.advance(6.0)
        new = (cells.lives.divisions[:count] > 0) & np.isnan(first)
        first[new] = 0.1 * exchange - 0.05  # in the middle of the exchange
    assert not np.isnan(first).any()
    spread = 0.1 * CYCLE
    assert abs(first.mean() - CYCLE) < 4.0 * spread / math.sqrt(count)
    assert abs(first.std() - spread) < 4.0 * spread / math.sqrt(2.0 * count)


@pytest.mark.parametrize("collagen", [0.0, 1.0, 2.5, 6.0])
def test_drag_and_pores_slow_a_cell_by_the_closed_form(collagen: float) -> None:
    """A cell that heads one way covers D·π(ρ)·μ(ρ)·t, in a gel that it does not take away."""
    cells = tissue(np.zeros((1, 3)), Behaviours.of(1, speed=1.0), collagen=collagen,
                   values={"degradation": 0.0}, extent=200.0)  # fmt: skip
    cells.gel.density[:] = collagen  # also where seeding has cleared it
    heading(cells, np.array([[0.6, 0.0, 0.8]]))
    cells.advance(HOUR)
    c = VALUES
    through = 1.0 / (1.0 + (collagen / c["pore_density"]) ** c["pore_power"])
    slowed = 1.0 / (1.0 + c["collagen_drag"] * collagen ** c["collagen_power"] / c["cell_drag"])
    expected = c["v_max"] * through * slowed * HOUR * np.array([0.6, 0.0, 0.8])
    # The first step of order two starts from rest and is half a step ahead of what came before.
    assert cells.bodies.position[0] == pytest.approx(expected, rel=0.003, abs=1e-6)


def test_two_cells_that_push_come_to_rest_where_forces_balance() -> None:
    """From 30 µm apart they meet, and stay where repulsion is drive and adhesion together."""
    cells = tissue(
        np.array([[-15.0, 0, 0], [15.0, 0, 0]]), Behaviours.of(2, speed=1.0, cohesion=1.0)
    )
    heading(cells, np.array([[1.0, 0, 0], [-1.0, 0, 0]]))
    cells.lives.progress[:] = 0.5  # of the same size
    cells.advance(10 * HOUR)
    x = cells.bodies.position[:2, 0]
    touch = 2.0 * float(cells.bodies.radius[0])
    adhesion = VALUES["bond_E"] * VALUES["v_max"] / (1.0 - 1.0 / VALUES["reach"]) ** 2

    def force(d: float) -> float:
        """Push beyond drive and pull at a distance."""
        pull = adhesion * (1.0 - d / (VALUES["reach"] * touch)) ** 2
        return VALUES["c_rep"] * (1.0 - d / touch) ** 2 - pull - VALUES["v_max"]

    low, high = 0.5 * touch, touch
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if force(middle) > 0.0 else (low, middle)
    assert x[1] - x[0] == pytest.approx(low, abs=1e-3)
    assert x.sum() == pytest.approx(0.0, abs=1e-4)
    assert np.abs(cells.bodies.position[:2, 1:]).max() == 0.0


def test_the_stronger_of_two_cells_pushes_the_other_back() -> None:
    """A pair moves on with the mean of its drives: contact forces are equal and opposite."""
    cells = tissue(np.array([[-8.0, 0, 0], [8.0, 0, 0]]), Behaviours.of(2, speed=[1.0, 0.4]))
    heading(cells, np.array([[1.0, 0, 0], [-1.0, 0, 0]]))
    cells.advance(2 * HOUR)
    before = cells.bodies.position[:2, 0].mean()
    cells.advance(4 * HOUR)
    moved = cells.bodies.position[:2, 0].mean() - before
    assert moved == pytest.approx(0.3 * VALUES["v_max"] * 4 * HOUR, rel=1e-4)


@pytest.mark.parametrize("bias", [0.3, 0.9, 2.0])
def test_cells_drift_up_a_gradient_at_the_expected_pace(bias: float) -> None:
    """Mean heading of unit vectors with bias β: 2β/3 up to β = 1, 1 − 1/(3β²) above; within 4 SE.

    That is the field of an evenly charged sphere, inside and outside. A bias that came out a tenth
    too weak would be seen.
    """
    count, hours = 3000, 12.0

    def drawn(cells: Tissue) -> None:
        """A gradient along x."""
        cells.bodies.bias[:count] = (bias, 0.0, 0.0)

    cells = tissue(apart(count), Behaviours.of(count), added=(drawn,), numerics=Numerics(dt=1.0),
                   values={"persistence": 20.0})  # fmt: skip
    cells.advance(HOUR)  # forget the first headings, made without bias
    start = cells.bodies.position[:count].copy()
    cells.advance(hours * HOUR)
    moved = (cells.bodies.position[:count] - start) / (VALUES["v_max"] * hours * HOUR)
    expected = 2.0 * bias / 3.0 if bias <= 1.0 else 1.0 - 1.0 / (3.0 * bias**2)
    error = moved.std(axis=0) / math.sqrt(count)
    assert 4.0 * error[0] < 0.1 * expected
    assert abs(moved[:, 0].mean() - expected) < 4.0 * error[0] + 0.01 * math.exp(-HOUR / 20.0)
    assert np.all(np.abs(moved[:, 1:].mean(axis=0)) < 4.0 * error[1:])
