"""Radiation, chemotherapy, antibodies and their combination against closed forms and data."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from unmoor.assays.treatment import Arm, treat
from unmoor.catalog import table
from unmoor.catalog.draws import Draw
from unmoor.elementwise import FloatArray
from unmoor.organism.chemotherapy import grow_and_die
from unmoor.organism.pharmacokinetics import plasma_concentration
from unmoor.organism.radiation import (
    biologically_effective_dose,
    death_rate,
    freed_tgfb,
    log_kill,
)
from unmoor.signalling.networks.adhesion_emt import INPUTS
from unmoor.therapy.interaction import Effect, combine, combine_rates
from unmoor.therapy.irradiation import Irradiation
from unmoor.therapy.regimen import Regimen

RADIATION = table("closures", "radiation").values_by_id()
K1 = table("closures", "chemotherapy")["k1"].value
K2 = table("drugs", "paclitaxel")["k2"].value
ALPHA, BETA = RADIATION["alpha_IR"], RADIATION["beta_IR"]
PLASMA = Path(__file__).parents[3] / "shared" / "data" / "antibody_pk" / "igg1_mouse_plasma.csv"
# Growth of the control tumours in Simeoni 2004, experiment 1 of Table 2: 1/d and g/d.
LAMBDA_0, LAMBDA_1, PSI = 0.273, 0.814, 20.0


# Radiation


@pytest.mark.parametrize("dose", [0.0, 0.5, 2.0, 8.0, 20.0])
def test_one_fraction_kills_by_the_linear_quadratic_law(dose: float) -> None:
    """S = exp(-αD - βD²), to rounding."""
    killed = sum(log_kill([(3.0, dose)], RADIATION))
    assert math.exp(-killed) == pytest.approx(math.exp(-ALPHA * dose - BETA * dose**2), rel=1e-12)


def test_fractions_a_day_apart_kill_one_by_one() -> None:
    """At full repair S of n fractions is that of one to the power n; a day leaves 2e-5 of 1.5 h."""
    far = [(30.0 * n, 2.0) for n in range(5)]
    assert sum(log_kill(far, RADIATION)) == pytest.approx(5 * (ALPHA * 2 + BETA * 4), rel=1e-12)
    daily = [(float(n), 2.0) for n in range(5)]
    assert sum(log_kill(daily, RADIATION)) == pytest.approx(sum(log_kill(far, RADIATION)), rel=1e-4)


def test_fractions_at_once_are_one_fraction() -> None:
    """Without time for repair only the sum of doses counts."""
    split = [(1.0, 1.5), (1.0, 0.5), (1.0, 2.0)]
    assert sum(log_kill(split, RADIATION)) == pytest.approx(ALPHA * 4 + BETA * 16, rel=1e-12)


def test_a_split_dose_recovers_by_half_in_each_half_time() -> None:
    """The dose squared between fractions falls as 2βD₁D₂·2^(−Δ/T½)."""
    half = RADIATION["repair_half_time"] / 24.0
    apart = sum(log_kill([(0.0, 3.0), (1e6, 4.0)], RADIATION))
    for n in (0.0, 0.5, 1.0, 2.0, 5.0):
        extra = sum(log_kill([(0.0, 3.0), (n * half, 4.0)], RADIATION)) - apart
        assert extra == pytest.approx(2 * BETA * 12 * 0.5**n, rel=1e-9)


@pytest.mark.parametrize(("n", "dose"), [(25, 2.0), (5, 5.2), (1, 8.0)])
def test_the_biologically_effective_dose_is_that_of_the_textbook(n: int, dose: float) -> None:
    """BED = nd(1 + d/(α/β)) for fractions far apart."""
    far = [(30.0 * i, dose) for i in range(n)]
    expected = n * dose * (1.0 + dose / (ALPHA / BETA))
    assert biologically_effective_dose(far, RADIATION) == pytest.approx(expected, rel=1e-12)


def test_the_death_rate_adds_up_to_the_linear_quadratic_kill() -> None:
    """On any grid, to rounding: what is not yet expressed at the end is exp(−T/τ) of it."""
    fractions = [(2.0, 2.0), (2.3, 2.0), (9.0, 6.0)]
    for intervals in (20, 57):
        grid = np.linspace(0.0, 40.0, intervals + 1)
        _, mean = death_rate(fractions, RADIATION, grid)
        expressed = float((mean * (grid[1] - grid[0])).sum())
        damage = log_kill(fractions, RADIATION)
        tau = RADIATION["commitment_time"]
        late = [
            e * math.exp(-(40.0 - t) / tau) for e, (t, _) in zip(damage, fractions, strict=True)
        ]
        assert expressed == pytest.approx(sum(damage) - sum(late), rel=1e-12)


def test_radiation_sets_tgfb_free_in_proportion_to_dose() -> None:
    """T_IR for 8 Gy at once, fading as exp(−t/τ_IR)."""
    grid = np.linspace(0.0, 30.0, 61)
    at, mean = freed_tgfb([(5.0, 8.0), (10.0, 4.0)], RADIATION, grid)
    assert at[grid < 5.0].max() == 0.0
    assert at[10] == pytest.approx(RADIATION["T_IR"])
    faded = math.exp(-5.0 / RADIATION["tau_IR"])
    assert at[20] == pytest.approx(RADIATION["T_IR"] * (faded + 0.5), rel=1e-12)
    assert mean[30] == pytest.approx(0.5 * (at[30] + at[31]), rel=1e-3)


# Chemotherapy


def treated_small_tumour(concentration: float, days: float = 60.0) -> FloatArray:
    """Dividing cells day by day: Simeoni's growth where it is exponential, .01 g."""
    volumes, dying, one = np.full((1, 1), 10.0), np.zeros((3, 1)), np.ones(1)
    shed, exposure = np.zeros(1), np.zeros(1)
    rates = np.array([[1.0], [0.0], [0.0], [K2 * concentration]])
    course = []
    for _ in range(round(2 * days)):
        grow_and_die(volumes, dying, shed, exposure, LAMBDA_0 * one, 0.0 * one, rates, K1, 0.5)
        course.append(float(volumes[0, 0]))
    return np.array(course)


def test_a_constant_level_eradicates_above_434_nanograms() -> None:
    """λ0/k2 = 434 ng/mL: at 433 a small tumour grows, at 435 it shrinks, for ever."""
    assert round(LAMBDA_0 / K2) == 434
    for concentration, sign in ((300.0, 1), (433.0, 1), (435.0, -1), (900.0, -1)):
        assert (sign * np.diff(treated_small_tumour(concentration)) > 0.0).all()
        rate = np.diff(np.log(treated_small_tumour(concentration)))[-1] / 0.5
        assert rate == pytest.approx(LAMBDA_0 - K2 * concentration, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(("concentration", "is_eradicated"), [(425.0, False), (443.0, True)])
def test_a_large_tumour_under_the_published_growth_has_the_same_threshold(
    concentration: float, is_eradicated: bool
) -> None:
    """However large it starts: below, it settles at a size; above, it vanishes."""

    def slope(_: float, x: FloatArray) -> list[float]:
        total, kill = float(x.sum()), K2 * concentration
        slowed = (1.0 + (LAMBDA_0 / LAMBDA_1 * total) ** PSI) ** (1.0 / PSI)
        damaged = kill * x[0]
        return [LAMBDA_0 * x[0] / slowed - damaged, damaged - K1 * x[1],
                K1 * (x[1] - x[2]), K1 * (x[2] - x[3])]  # fmt: skip

    end = solve_ivp(slope, (0.0, 4000.0), [3.0, 0.0, 0.0, 0.0], "LSODA", rtol=1e-9, atol=1e-14)
    reached = float(end.y[:, -1].sum())
    assert (reached < 1e-6) == is_eradicated
    if not is_eradicated:  # growth of a dividing cell is slowed until it balances killing
        slowed = LAMBDA_0 / (K2 * concentration)
        size = LAMBDA_1 / LAMBDA_0 * (slowed**PSI - 1.0) ** (1.0 / PSI)
        assert reached == pytest.approx(size, rel=1e-4)


# Antibodies


@pytest.mark.skipif(not PLASMA.is_file(), reason="the plasma data are not part of the project")
def test_the_antibody_curve_goes_through_24_plasma_points(
    record_property: pytest.RecordProperty,
) -> None:
    """8 mg/kg i.v. in mice: every point within 20 %, half of them within 6 %, no drift in time."""
    values = table("drugs", "anti_itgb1").values_by_id()
    with PLASMA.open(encoding="utf-8") as file:
        rows = [(float(r["time"]) / 24.0, 1e3 * float(r["value"])) for r in csv.DictReader(file)]
    times, measured = np.array(rows).T
    assert times.size == 24
    model = plasma_concentration(values, [0.0], 8.0, "iv", times)
    error = np.log(model / measured)
    record_property("rms_log_error", float(np.sqrt((error**2).mean())))
    assert np.abs(error).max() < 0.2
    assert np.median(np.abs(error)) < 0.06
    assert abs(error[times >= 7.0].mean()) < 0.05


# Combination


def effect(dose: FloatArray, half: float, greatest: float, hill: float) -> Effect:
    """A drug alone."""
    odds = (dose / half) ** hill
    return Effect(greatest * odds / (1.0 + odds), greatest, hill)


@pytest.mark.parametrize("greatest", [0.6, 1.0])
@pytest.mark.parametrize("hill", [0.7, 1.0, 2.5])
def test_a_drug_with_itself_is_additive_under_loewe(greatest: float, hill: float) -> None:
    """Splitting a dose in two parts, or three, changes nothing, to rounding."""
    dose = np.array([0.01, 0.3, 1.0, 4.0, 50.0])
    whole = effect(dose, 2.0, greatest, hill).share
    for parts in ((0.5, 0.5), (0.1, 0.9), (0.2, 0.3, 0.5)):
        split = [effect(part * dose, 2.0, greatest, hill) for part in parts]
        assert combine(split, "loewe") == pytest.approx(whole, rel=1e-12)


def test_a_stronger_copy_of_a_drug_is_additive_under_loewe() -> None:
    """The sham with another unit of dose: 1 of a drug ten times as potent stands for 10."""
    dose = np.array([0.01, 0.3, 1.0, 4.0])
    joint = combine([effect(dose, 2.0, 0.9, 1.0), effect(dose, 0.2, 0.9, 1.0)], "loewe")
    assert joint == pytest.approx(effect(11.0 * dose, 2.0, 0.9, 1.0).share, rel=1e-12)


def test_loewe_solves_the_equation_of_isoboles() -> None:
    """Σ dose_i/D_i(e) = 1 for curves of different height and slope."""
    first, second = np.array([0.2, 1.0, 3.0]), np.array([1.0, 0.5, 2.0])
    curves = ((2.0, 0.9, 1.0), (1.5, 0.8, 2.0))
    doses = (first, second)
    joint = combine([effect(d, *c) for d, c in zip(doses, curves, strict=True)], "loewe")
    used = np.zeros(3)
    for dose, (half, greatest, hill) in zip(doses, curves, strict=True):
        alone = half * (joint / (greatest - joint)) ** (1.0 / hill)
        used += np.where(joint < greatest, dose / alone, 0.0)
    reached = joint < 0.8
    assert used[reached] == pytest.approx(1.0, rel=1e-9)
    assert reached.sum() >= 2


def test_bliss_and_hsa_are_their_closed_forms() -> None:
    """Independent: 1 − Π(1 − e). Highest single agent: the greater."""
    a, b, c = np.array([0.0, 0.3, 0.9]), np.array([0.5, 0.3, 0.2]), np.array([0.1, 0.0, 1.0])
    effects = [Effect(x) for x in (a, b, c)]
    assert combine(effects, "bliss") == pytest.approx(1 - (1 - a) * (1 - b) * (1 - c), rel=1e-15)
    assert combine(effects, "hsa").tolist() == np.maximum(np.maximum(a, b), c).tolist()
    assert combine_rates([a, b], "bliss").tolist() == (a + b).tolist()
    assert combine_rates([a, b], "loewe").tolist() == (a + b).tolist()
    assert combine_rates([a, b], "hsa").tolist() == np.maximum(a, b).tolist()


def course(arm: Arm, interaction: str, label: str = "tgfbr1") -> FloatArray:
    """Means of an input under an arm, with nominal numbers."""
    grid = np.linspace(0.0, 10.0, 21)
    treatment = treat([arm], [Draw(1, 0)], grid, INPUTS, "mouse", None, interaction)
    return treatment.course(label, 1.0).mean[0]


def test_one_drug_in_two_regimens_is_one_drug_under_every_model() -> None:
    """The sham of an arm: half the medium's level twice is the level, and so are doses."""
    halves = tuple(Regimen("galunisertib", concentration=x) for x in ("50 nM", "50 nM"))
    whole = (Regimen("galunisertib", concentration="100 nM"),)
    doses = tuple(Regimen("anti_itgb1", dose=dose, every=3) for dose in (4.0, 6.0))
    for model in ("bliss", "loewe", "hsa"):
        assert course(halves, model) == pytest.approx(course(whole, model), rel=1e-12)
        together = course(doses, model, "itgb1")
        alone = course((Regimen("anti_itgb1", dose=10.0, every=3),), model, "itgb1")
        assert together == pytest.approx(alone, rel=1e-9)


def test_two_drugs_on_one_target_join_by_the_named_model() -> None:
    """Two TGFBR1 inhibitors leave most under HSA; every model does as much as each drug."""
    one = Regimen("vactosertib", concentration="0.1 nM")
    other = Regimen("anti_tgfb", concentration="1 nM")
    left = {model: course((one, other), model) for model in ("bliss", "loewe", "hsa")}
    single = [course((each,), "bliss") for each in (one, other)]
    assert left["bliss"] == pytest.approx(single[0] * single[1], rel=1e-14)
    assert left["hsa"] == pytest.approx(np.minimum(*single), rel=1e-14)
    assert (left["bliss"] < left["hsa"] + 1e-15).all()
    assert (left["loewe"] < left["hsa"] + 1e-12).all()
    assert (np.abs(left["loewe"] - left["bliss"]) > 1e-3).any()


def test_fractions_of_several_items_are_one_course() -> None:
    """Two boosts of an arm a moment apart interact like two fractions."""
    grid = np.linspace(0.0, 10.0, 21)
    pair = (Irradiation(2.0, start=3.0), Irradiation(2.0, start=3.0))
    one = (Irradiation(4.0, start=3.0),)
    rates = [
        treat([arm], [Draw(1, 0)], grid, INPUTS, "mouse", None).radiation.mean
        for arm in (pair, one)
    ]
    assert rates[0] == pytest.approx(rates[1], rel=1e-12)
