"""Tumours with dying cells, and drugs with linear kinetics, against differential equations."""

from __future__ import annotations

import math

import numpy as np
import pytest
from dying_twin import grown
from scipy.integrate import solve_ivp

from unmoor.catalog import table
from unmoor.elementwise import FloatArray
from unmoor.organism.chemotherapy import grow_and_die
from unmoor.organism.dosing import FineGrid, Given
from unmoor.organism.linear_kinetics import plasma_level
from unmoor.organism.primary_tumour import grow

CLONES, STEP, ALPHA, BETA = 4, 0.5, 0.61, 0.0775
K1 = table("closures", "chemotherapy")["k1"].value


class Tumours:
    """Compiled clones and dying cells of animals of different growth, beside their twins."""

    def __init__(self, animals: int = 2) -> None:
        self.volumes = np.full((CLONES, animals), 100.0 / CLONES)
        self.dying = np.zeros((3, animals))
        self.shed, self.exposure = np.zeros(animals), np.zeros(animals)
        self.beta = BETA * (1.0 + 0.2 * np.arange(animals))
        self.alpha = ALPHA / BETA * self.beta

    def advance(self, rates: FloatArray, days: float = STEP) -> None:
        """One interval of the compiled code."""
        grow_and_die(
            self.volumes, self.dying, self.shed, self.exposure, self.alpha, self.beta, rates, K1,
            days,
        )  # fmt: skip


def course(kill: float) -> list[FloatArray]:
    """Rates that differ between clones and days: three days of strong killing, a second pulse."""
    generator = np.random.Generator(np.random.PCG64(5))
    strengths = [kill if i in (6, 7, 8, 30) else 0.1 * kill for i in range(40)]
    return [
        np.array([
            generator.uniform(0.6, 1.1, CLONES), generator.uniform(-0.02, 0.1, CLONES),
            generator.uniform(0.0, 1.0, CLONES), strength * generator.uniform(0.8, 1.5, CLONES),
        ])
        for strength in strengths
    ]  # fmt: skip


@pytest.mark.parametrize("kill", [0.0, 0.3, 2.0])
def test_growth_killing_and_passing_on_equal_the_twin(kill: float) -> None:
    """Clones, compartments and both integrals over 20 days; 2/d kills 98 % in a pulse."""
    tumours = Tumours()
    twins = [(tumours.volumes[:, a].copy(), np.zeros(3)) for a in range(2)]
    shed, exposure = np.zeros(2), np.zeros(2)
    for rates in course(kill):
        tumours.advance(rates)
        for a, (v, d) in enumerate(twins):
            new, gone, s, e = grown(v, d, tumours.alpha[a], tumours.beta[a], rates, K1, STEP)
            twins[a] = new, gone
            shed[a], exposure[a] = shed[a] + s, exposure[a] + e
    for a, (v, d) in enumerate(twins):
        assert tumours.volumes[:, a] == pytest.approx(v, rel=3e-4)
        assert tumours.dying[:, a] == pytest.approx(d, rel=3e-4, abs=1e-12)
    assert tumours.shed == pytest.approx(shed, rel=1e-4)
    assert tumours.exposure == pytest.approx(exposure, rel=1e-4)


def test_without_killing_it_is_the_growth_of_untreated_tumours() -> None:
    """Both kernels follow the same law, so a tumour may pass from one to the other."""
    plain, other = Tumours(), Tumours()
    for rates in course(0.0):
        plain.advance(rates)
        grow(other.volumes, other.shed, other.exposure, other.alpha, other.beta, rates[:3], STEP)
    assert plain.volumes == pytest.approx(other.volumes, rel=1e-4)
    assert plain.exposure == pytest.approx(other.exposure, rel=1e-4)
    assert (plain.dying == 0.0).all()


def test_what_is_killed_is_dying_and_nothing_is_lost() -> None:
    """Without growth or clearance volume is kept, in one interval and at any strength."""
    for kill in (0.01, 1.0, 30.0, 1e4):
        volumes, dying = np.full((CLONES, 1), 25.0), np.zeros((3, 1))
        rates = np.array([[0.0], [0.0], [0.0], [kill]]).repeat(CLONES, axis=1)
        one = np.ones(1)
        grow_and_die(volumes, dying, np.zeros(1), np.zeros(1), one, one, rates, 1e-4, STEP)
        assert float(volumes.sum() + dying.sum()) == pytest.approx(100.0, rel=1e-9)
        assert float(volumes.sum()) == pytest.approx(100.0 * math.exp(-kill * STEP), rel=1e-9)


def test_dying_cells_leave_after_three_stays_on_average() -> None:
    """Survival in three equal compartments is an Erlang law of mean 3/k1."""
    volumes, dying = np.full((1, 1), 1e-200), np.array([[50.0], [0.0], [0.0]])
    rates, left = np.array([[0.0], [0.0], [0.0], [1.0]]), []
    for _ in range(10):
        left.append(float(dying.sum()))
        grow_and_die(volumes, dying, np.zeros(1), np.zeros(1), np.ones(1), np.ones(1), rates, K1,
                     STEP)  # fmt: skip
    x = K1 * STEP * np.arange(10)
    assert left == pytest.approx(50.0 * np.exp(-x) * (1.0 + x + 0.5 * x * x), rel=1e-9)


def test_animals_side_by_side_do_not_change_each_other() -> None:
    """The second animal alone has the same bits."""
    both, alone = Tumours(2), Tumours(2)
    alone.volumes, alone.dying = alone.volumes[:, 1:].copy(), alone.dying[:, 1:].copy()
    alone.shed, alone.exposure = np.zeros(1), np.zeros(1)
    alone.alpha, alone.beta = alone.alpha[1:], alone.beta[1:]
    for rates in course(2.0):
        both.advance(rates)
        alone.advance(rates)
    assert both.volumes[:, 1].tobytes() == alone.volumes[:, 0].tobytes()
    assert both.exposure[1] == alone.exposure[0]


KINETICS = {
    "one compartment": {"CL": 6538.0, "V1": 282.0, "ka": 24.0, "bioavailability": 0.1},
    "two compartments": {
        "CL": 9000.0, "Q": 4000.0, "V1": 500.0, "V2": 900.0, "ka": 10.0, "bioavailability": 0.7,
    },
}  # fmt: skip


@pytest.mark.parametrize("route", ["iv", "ip"])
@pytest.mark.parametrize("name", KINETICS)
def test_linear_kinetics_equal_their_differential_equations(name: str, route: str) -> None:
    """Level at each time and its exposure in each interval, over three doses of two sizes."""
    values, grid = KINETICS[name], np.linspace(0.0, 4.0, 9)
    given = Given(((0.0, 10.0), (1.0, 10.0), (2.5, 4.0)), route)
    at, inside = plasma_level(values, given, grid)
    fine = FineGrid.of(grid)
    k12, k21 = values.get("Q", 0.0) / values["V1"], values.get("Q", 0.0) / values.get("V2", 1.0)

    def slope(_: float, y: FloatArray) -> list[float]:
        depot, level, other, _area = y
        into = values["ka"] * depot
        moved = k12 * level - k21 * other
        return [-into, into - values["CL"] / values["V1"] * level - moved, moved, level]

    state, expected, areas = np.zeros(4), [0.0], [0.0]
    doses = dict(given.doses)
    for i in range(fine.count):
        dose = doses.get(round(i * fine.step, 9), 0.0) * 1e6 / values["V1"]
        state[1 if route == "iv" else 0] += dose * (values["bioavailability"] ** (route != "iv"))
        state = solve_ivp(slope, (0.0, fine.step), state, "Radau", rtol=1e-9, atol=1e-9).y[:, -1]
        expected.append(state[1])
        areas.append(state[3])
    assert at == pytest.approx(np.array(expected), rel=1e-5, abs=1e-4)
    assert inside * fine.step == pytest.approx(np.diff(areas), rel=1e-5, abs=1e-5)


def test_absorption_as_fast_as_elimination_is_no_singularity() -> None:
    """The closed form has a pole there; the level goes through smoothly."""
    grid = np.linspace(0.0, 2.0, 5)
    levels = []
    for ka in (9.99, 10.0, 10.01):
        values = {"CL": 1000.0, "V1": 100.0, "ka": ka, "bioavailability": 1.0}
        levels.append(plasma_level(values, Given(((0.0, 1.0),), "ip"), grid)[0])
    assert levels[1] == pytest.approx(0.5 * (levels[0] + levels[2]), rel=1e-3, abs=1e-3)
