"""Cells with room: growth, death, colonies and colonisation against closed forms."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy.linalg import expm

from unmoor.assays.base import Bench, Outcome
from unmoor.assays.colony_formation import chance_of_size
from unmoor.assays.culture import Culture, grow_culture, grown, in_order, in_vitro, setting_of
from unmoor.assays.place import Place
from unmoor.assays.settings import ASSAYS
from unmoor.catalog.draws import NOMINAL, Draw
from unmoor.cell.line import CellLine, Structure
from unmoor.therapy.irradiation import Irradiation
from unmoor.therapy.regimen import Edit, Regimen

KNOCK_DOWN = Edit("ITGB1", change="knock_down", factor=0.1)
INHIBITOR = Regimen("tgfbr1_inhibitor", dose="30 mg/kg", every="12 h")
ARMS: dict[str, Any] = {"none": (), "lost": (KNOCK_DOWN,), "hit": (Irradiation("4 Gy"),)}
DRAWS = [Draw(0, NOMINAL), *Draw.sets(11, [1, 2])]


def bench(arms: dict[str, Any] | None = None, line: str = "4T1") -> Bench:
    """A bench with a line and some arms."""
    return Bench(CellLine.load(line), ARMS if arms is None else arms, Structure(), seed=3)


def run(name: str, on: Bench, **settings: Any) -> Outcome:
    """Run an assay by name."""
    kind: Any = ASSAYS[name]
    outcome: Outcome = kind(**{"clones": 4, **settings}).run(on, DRAWS)
    assert not outcome.status.any()
    return outcome


def readout(outcome: Outcome, name: str, readout_name: str) -> np.ndarray:
    """One readout on the last day, shape (draws, arms)."""
    values: np.ndarray = outcome.readouts[:, :, ASSAYS[name].outcomes.index(readout_name), -1]
    return values


@pytest.fixture(scope="module")
def culture() -> Culture:
    """Three arms of 4T1 on collagen for a week."""
    on = bench()
    place = in_vitro("collagen_i", None, on)
    return grow_culture(setting_of(on, place, 7.0, 5), DRAWS)


def closure(draw: Draw) -> dict[str, float]:
    """Numbers of culture in a draw."""
    return draw.values("closures", "culture")


def test_untreated_cells_grow_at_the_difference_of_division_and_death() -> None:
    """Exactly, on every matrix, since signals are relative to untreated there."""
    for matrix in ("collagen_i", "laminin", "plastic", "fibronectin"):
        cells = readout(run("viability", bench(), duration=7.0, matrix=matrix), "viability",
                        "viability")  # fmt: skip
        for d, draw in enumerate(DRAWS):
            rate = closure(draw)["division_rate"] - closure(draw)["death_rate"]
            assert cells[d, 0] == pytest.approx(math.exp(7.0 * rate), rel=1e-9)


def test_untreated_cells_divide_and_die_at_the_rates_of_the_catalog() -> None:
    """Plus the turnover that the phenotype itself has, which division makes up for."""
    outcome = run("viability", bench(), duration=7.0)
    turnover = readout(outcome, "viability", "proliferation")[:, 0]
    deaths = readout(outcome, "viability", "apoptosis")[:, 0]
    for d, draw in enumerate(DRAWS):
        numbers = closure(draw)
        extra = turnover[d] - numbers["division_rate"]
        assert 0.0 <= extra < 0.05
        assert deaths[d] - numbers["death_rate"] == pytest.approx(extra, abs=1e-9)


def test_cells_are_conserved(culture: Culture) -> None:
    """Living cells are those seeded, plus divisions, minus deaths."""
    rates = culture.divisions - culture.deaths
    time = np.exp(culture.logs[:, :-1]) * grown(rates, culture.step)
    gained = np.cumsum(in_order(time * rates), axis=1) / culture.logs.shape[2]
    assert culture.living[:, 1:] == pytest.approx(1.0 + gained, rel=1e-9)


def test_the_compiled_days_count_the_same_cells(culture: Culture) -> None:
    """But for the death that all clones share, and the error of the engine's Runge-Kutta steps."""
    tumours, last = culture.on.tumours, culture.living[:, -1]
    engine = in_order(tumours.volumes[:, :, 0])
    shared = np.exp(-7.0 * culture.turnover[:, 0, 0])
    assert last == pytest.approx(engine * shared, rel=2e-3)
    assert last[2] < 0.5 * last[0]  # radiation, whose dying cells are no longer counted


def test_radiation_kills_the_share_that_the_linear_quadratic_law_says() -> None:
    """In a mesenchymal line, whose growth does not mind the TGFβ that radiation sets free."""
    outcome = run("viability", bench(line="MDA-MB-231"), duration=14.0)
    cells = readout(outcome, "viability", "viability")
    for d, draw in enumerate(DRAWS):
        values = draw.values("closures", "radiation")
        kill = values["alpha_IR"] * 4.0 + values["beta_IR"] * 16.0
        assert math.log(cells[d, 0] / cells[d, 2]) == pytest.approx(kill, rel=0.05)


def test_time_integrals_of_exponentials_are_exact() -> None:
    """Also where the rate is zero or nearly so."""
    rates = np.array([-3.0, -1e-12, 0.0, 1e-9, 0.4, 2.0])
    fine = np.linspace(0.0, 0.5, 20_001)
    expected = [np.trapezoid(np.exp(rate * fine), fine) for rate in rates]
    assert grown(rates, 0.5) == pytest.approx(expected, rel=1e-8)


def master(divisions: np.ndarray, deaths: np.ndarray, step: float, least: int) -> float:
    """Chance of ``least`` cells or more, from the equations of a birth-death process."""
    size = 700
    counts = np.arange(size)
    state = np.zeros(size)
    state[1] = 1.0
    for b, d in zip(divisions, deaths, strict=True):
        rates = np.diag(-(b + d) * counts.astype(float))
        rates += np.diag(b * counts[:-1], -1) + np.diag(d * counts[1:], 1)
        state = expm(rates * step) @ state
    return float(1.0 - state[:least].sum())


@pytest.mark.parametrize(
    ("divisions", "deaths"),
    [
        ([0.5, 0.5, 0.5, 0.5], [0.1, 0.1, 0.1, 0.1]),
        ([0.7, 0.2, 0.6, 0.9], [0.0, 1.5, 0.05, 0.3]),
        ([0.3, 0.3, 0.3, 0.3], [0.3, 0.3, 0.3, 0.3]),
    ],
)
def test_colonies_equal_the_master_equation(divisions: list[float], deaths: list[float]) -> None:
    """Survival and size of a lineage whose rates change, with and without net growth."""
    b, d = (np.array(x)[None, :, None] for x in (divisions, deaths))
    gains = np.cumsum(b - d, axis=1)
    logs = np.concatenate([np.zeros((1, 1, 1)), gains], axis=1)
    seeded: Any = SimpleNamespace(divisions=b, deaths=d, logs=logs, step=1.0)
    for least in (1, 3, 20):
        found = float(chance_of_size(seeded, float(least))[0, -1, 0])
        assert found == pytest.approx(master(b[0, :, 0], d[0, :, 0], 1.0, least), abs=2e-6)
    wrong: Any = SimpleNamespace(divisions=b, deaths=1.1 * d + 0.01, logs=logs, step=1.0)
    off = float(chance_of_size(wrong, 3.0)[0, -1, 0])
    assert abs(off - master(b[0, :, 0], d[0, :, 0], 1.0, 3)) > 1e-4


def test_colonies_of_untreated_cells_are_plated_and_survive() -> None:
    """Plating × the chance that a lineage lives, once colonies have had time to grow."""
    outcome = run("colony_formation", bench(), duration=30.0)
    found = readout(outcome, "colony_formation", "colonies")
    divided = readout(run("viability", bench(), duration=1.0), "viability", "proliferation")
    for d, draw in enumerate(DRAWS):
        numbers = closure(draw)
        births = divided[d, 0]
        deaths = births - numbers["division_rate"] + numbers["death_rate"]
        expected = numbers["plating"] * (1.0 - deaths / births)
        assert found[d, 0] == pytest.approx(expected, rel=1e-3)


def test_a_coat_shares_its_grip_with_the_plastic_beneath() -> None:
    """A gel does not, and plastic has plastic beneath."""
    draw = DRAWS[0]
    gel, plastic = draw.values("matrices", "laminin"), draw.values("matrices", "plastic")
    share = closure(draw)["coat_share"]
    coat = Place("laminin", is_coat=True).weights("tumour", draw)
    for name, own in gel.items():
        assert coat[name] == pytest.approx(share * own + (1.0 - share) * plastic[name])
    assert Place("laminin").weights("tumour", draw) == gel
    assert Place("plastic", is_coat=True).weights("tumour", draw) == pytest.approx(plastic)


def test_lost_beta1_costs_more_in_a_gel_than_on_its_coat() -> None:
    """Within the gel more than on a coat of it, beneath which there is plastic."""
    left = {}
    for dimensions in ("3d", "2d"):
        outcome = run(
            "viability", bench(), duration=7.0, matrix="collagen_i", dimensions=dimensions
        )
        cells = readout(outcome, "viability", "viability")
        left[dimensions] = cells[:, 1] / cells[:, 0]
    assert (left["3d"] < left["2d"]).all()


def test_readouts_at_several_times_are_those_of_shorter_assays() -> None:
    """And lie on straight lines between the grid's times."""
    long = run("viability", bench(), duration=14.0, read=[3.0, 7.0, 14.0])
    assert long.days.tolist() == [3.0, 7.0, 14.0]
    short = run("viability", bench(), duration=7.0)
    assert long.readouts[:, :, :, 1] == pytest.approx(short.readouts[:, :, :, 0], rel=1e-9)


def test_a_culture_starts_from_cells_that_were_edited_for_two_weeks() -> None:
    """E-cadherin is lost on the first day; of an edit on day 0 it is not."""
    arms = {"none": (), "before": (KNOCK_DOWN,),
            "on day 0": (Edit("ITGB1", change="knock_down", factor=0.1, start=0.0),)}  # fmt: skip
    outcome = run("signalling_time_course", bench(arms), duration=14.0, read=[0.5, 14.0])
    e = outcome.readouts[:, :, 0, :]
    assert (e[:, 1, 0] < 0.8 * e[:, 0, 0]).any()
    assert (e[:, 2, 0] > 0.9 * e[:, 0, 0]).all()
    assert (e[:, 2, 1] < 0.7 * e[:, 2, 0]).all()


@pytest.mark.parametrize("name", ["tail_vein", "intracardiac"])
def test_metastases_are_proportional_to_cells_injected(name: str) -> None:
    """And without FAK none grow out."""
    arms: dict[str, Any] = {"none": (), "no FAK": (Edit("PTK2", change="knock_down", factor=0.0),)}
    few = run(name, bench(arms), inoculum=1e5, duration=21.0)
    many = run(name, bench(arms), inoculum=1e6, duration=21.0)
    counts = [i for i, each in enumerate(ASSAYS[name].outcomes) if "metastases" in each]
    for i in counts:
        assert many.readouts[:, 0, i, 0] == pytest.approx(10.0 * few.readouts[:, 0, i, 0])
        assert (many.readouts[:, 1, i, 0] == 0.0).all()
    total = sum(many.readouts[:, 0, i, 0] for i in counts)
    assert total == pytest.approx([closure(d)["seeding_per_million"] for d in DRAWS])


def test_freed_immunity_takes_the_colonies_that_its_constant_says() -> None:
    """exp(−Λ(1 − T)) on average over time, and nothing in a host without it."""
    arms: dict[str, Any] = {"none": (), "inhibited": (INHIBITOR,)}
    found = {}
    for host in ("balbc", "nsg"):
        outcome = run("tail_vein", bench(arms), inoculum=1e5, duration=14.0, host=host)
        found[host] = outcome.readouts[:, 1, 0, 0] / outcome.readouts[:, 0, 0, 0]
    on = bench(arms)
    place = Place("lung", organ="lung", growth="colonies", shares_medium=False)
    treated = grow_culture(setting_of(on, place, 14.0, 16, "balbc"), DRAWS).on.treatment
    left = treated.systemic.mean.reshape(len(DRAWS), 2, -1)[:, 1].mean(axis=1)
    lost = [draw.values("hosts", "balbc")["Lambda"] for draw in DRAWS]
    expected = np.exp(-np.array(lost) * (1.0 - left))
    assert (expected < 0.9).all()
    assert found["balbc"] / found["nsg"] == pytest.approx(expected, rel=1e-9)


def test_outgrowth_is_of_arrested_cells_and_release_plays_no_part() -> None:
    """A line that loses its feet grows out less; counts fall at least as much as outgrowth."""
    outcome = run("tail_vein", bench(), inoculum=1e5, duration=21.0)
    counts, grown_out = outcome.readouts[:, :, 0, 0], outcome.readouts[:, :, 1, 0]
    assert (counts[:, 1] < counts[:, 0]).all()
    assert np.isfinite(grown_out).all()
    assert (grown_out[:, 0] > 1.0).all()


def test_the_hardest_treatments_leave_numbers() -> None:
    """100 Gy, or twenty times the dose of half effect for weeks, on the longest assay."""
    arms: dict[str, Any] = {
        "none": (),
        "radiation": (Irradiation("25 Gy", every="1 d", fractions=4), KNOCK_DOWN),
        "poison": (Regimen("cisplatin", concentration="200 uM"), KNOCK_DOWN),
    }
    for name in ("viability", "colony_formation", "signalling_time_course"):
        outcome = run(name, bench(arms), duration=100.0)
        assert np.isfinite(outcome.readouts).all()
        assert (outcome.readouts >= 0.0).all()
    colonies = readout(outcome := run("colony_formation", bench(arms), duration=100.0),
                       "colony_formation", "colonies")  # fmt: skip
    assert outcome.days.tolist() == [100.0]
    assert (colonies[:, 1:] < 1e-6).all()
    assert (colonies[:, 0] > 0.05).all()


def test_chemotherapy_takes_founded_metastases() -> None:
    """Of cells in the lung fewer lineages are left, the more the higher the dose."""
    arms: dict[str, Any] = {
        "none": (),
        "low": (Regimen("paclitaxel", dose="2 mg/kg", every="2 d"),),
        "high": (Regimen("paclitaxel", dose="20 mg/kg", every="2 d"),),
    }
    outcome = run("tail_vein", bench(arms), inoculum=1e5, duration=14.0)
    counts = outcome.readouts[:, :, 0, 0]
    assert (counts[:, 1] < counts[:, 0]).all()
    assert (counts[:, 2] < 0.9 * counts[:, 1]).all()
    assert (counts > 0.0).all()
