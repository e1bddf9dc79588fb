"""The cascading core alone reproduces the published numbers (Tian 2013): states, folds, times."""

from __future__ import annotations

import numpy as np
import pytest

from network_values import DAY, core_values, state_after, threshold_is_in
from unmoor.signalling.networks.adhesion_emt import adhesion_emt
from unmoor.signalling.steady import bistable_ranges, follow, steady_state, time_course

NETWORK = adhesion_emt("cascading", "tgfb")
VALUES = core_values("cascading")
State = dict[str, float]


@pytest.fixture(scope="module")
def epithelial() -> State:
    """Steady state without any TGFβ from outside."""
    return steady_state(NETWORK, VALUES)


@pytest.fixture(scope="module")
def mesenchymal(epithelial: State) -> State:
    """Steady state at T0 = 3, entered from the epithelial one."""
    return steady_state(NETWORK, VALUES, {"tgfb_outside": 3.0}, epithelial)


@pytest.fixture(scope="module")
def washed(mesenchymal: State) -> State:
    """The same cell equilibrated at T0 = 0."""
    return steady_state(NETWORK, VALUES, start=mesenchymal)


def test_the_epithelial_state_is_the_published_one(epithelial: State) -> None:
    """All nine species at T0 = 0, to the printed digits."""
    printed = {
        "T": 0.1578, "s": 0.0099, "S": 0.0044, "R3": 0.3766, "z": 0.0333, "Z": 0.0099,
        "R2": 0.3477, "E": 3.1986, "N": 0.0014,
    }  # fmt: skip
    assert {name: round(epithelial[name], 4) for name in printed} == printed
    assert epithelial["e_cadherin"] == pytest.approx(1.0, abs=1e-4)


def test_what_surrounds_the_core_is_off(epithelial: State) -> None:
    """β1, β3, FAK and p38 leave the core alone while k_int is 0."""
    touched = {"itgb1": 0.0, "itgb3": 5.0, "ptk2": 0.0, "mapk14": 0.0}
    alone = steady_state(NETWORK, VALUES, touched, epithelial)
    for name in ("T", "s", "S", "R3", "z", "Z", "R2", "E", "N"):
        assert alone[name] == pytest.approx(epithelial[name], rel=1e-6)


def test_the_folds_in_outside_tgfb(epithelial: State) -> None:
    """E is lost at 1.008, partial regains E at .651 and becomes M at 2.014 (± .005)."""
    branch = follow(NETWORK, VALUES, "tgfb_outside", (0.0, 4.0), epithelial, step=0.05)
    assert branch.folds == pytest.approx((1.008, 0.651, 2.014), abs=5e-4)
    assert branch.values[-1] < 0.0  # the mesenchymal branch reaches back beyond T0 = 0
    assert bistable_ranges(branch.folds)[0] == pytest.approx((0.651, 1.008), abs=5e-4)


@pytest.mark.parametrize("f", [0.5, 1.0, 1.3])
def test_the_tone_ranges_of_the_line_rule_are_the_folds(f: float) -> None:
    """D / f - offset of the catalog is within 3 % of the fold for every competence."""
    values = core_values("cascading", f=f)
    start = steady_state(NETWORK, values)
    folds = follow(NETWORK, values, "tgfb_outside", (0.0, 8.0 / f), start, step=0.1).folds
    rows = (
        ("tone_E_high", "tone_E_offset"),
        ("tone_partial_low", "tone_partial_low_offset"),
        ("tone_partial_high", "tone_partial_high_offset"),
    )
    ruled = [values[drive] / f - values[offset] for drive, offset in rows]
    assert ruled == pytest.approx(folds[:3], rel=0.03)


def test_full_mesenchymal_state_at_three(mesenchymal: State) -> None:
    """N = 3.1515 at T0 = 3, the unit of the mesenchymal programme."""
    assert round(mesenchymal["N"], 4) == 3.1515
    assert mesenchymal["mesenchymal"] == pytest.approx(1.0, abs=2e-5)


def test_full_mesenchymal_state_never_reverts_by_washout(washed: State) -> None:
    """At T0 = 0 it keeps E .116 and N 3.084: the core is irreversible."""
    assert round(washed["E"], 3) == 0.116
    assert round(washed["N"], 3) == 3.084


def test_the_time_course_of_e_cadherin(epithelial: State) -> None:
    """From the epithelial state at T0 = 3, every second day for two weeks."""
    cell, reached = epithelial, [epithelial["E"]]
    for _ in range(7):
        cell = state_after(NETWORK, VALUES, 2.0, cell, tgfb_outside=3.0)
        reached.append(cell["E"])
    assert [round(e, 2) for e in reached] == [3.20, 1.88, 1.24, 1.19, 1.13, 0.99, 0.32, 0.06]


def test_a_time_course_keeps_every_time(epithelial: State) -> None:
    """Asking for more times on the way adds rows and changes none."""
    days = [0.0, 2.0, 4.0, 8.0, 14.0]
    times = np.array(days) * DAY
    course = time_course(NETWORK, VALUES, times, {"tgfb_outside": 3.0}, epithelial)
    for i, day in enumerate(days):
        alone = state_after(NETWORK, VALUES, day, epithelial, tgfb_outside=3.0)
        for name in ("E", "Z", "e_cadherin", "zeb"):
            assert course[name][i] == pytest.approx(alone[name], rel=1e-5)


@pytest.mark.parametrize(("outside", "e"), [(1.9, 3.199), (2.0, 3.199), (2.2, 0.116), (3.0, 0.116)])
def test_washout_after_four_weeks(epithelial: State, outside: float, e: float) -> None:
    """Four weeks at T0, then four without: E-cadherin as tabulated (± .002)."""
    held = state_after(NETWORK, VALUES, 28.0, epithelial, tgfb_outside=outside)
    assert state_after(NETWORK, VALUES, 28.0, held)["E"] == pytest.approx(e, abs=0.002)


def _reverts(epithelial: State, outside: float, days: float) -> bool:
    held = state_after(NETWORK, VALUES, days, epithelial, tgfb_outside=outside)
    return steady_state(NETWORK, VALUES, start=held, hours=1e4)["E"] > 2.0


def test_below_the_last_fold_any_exposure_is_reversible(epithelial: State) -> None:
    """T0 up to 2.0137 reverts even after 4000 days, T0 just above it does not."""
    assert threshold_is_in(lambda outside: _reverts(epithelial, outside, 4000.0), 2.0136, 2.0138)


@pytest.mark.parametrize(("outside", "days"), [(2.2, 20.6), (2.5, 14.5), (3.0, 11.6), (5.0, 9.1)])
def test_the_shortest_exposure_that_commits(epithelial: State, outside: float, days: float) -> None:
    """A cell washed out before it reverts, after it never does (± .05 d)."""
    assert threshold_is_in(
        lambda exposure: _reverts(epithelial, outside, exposure), days - 0.05, days + 0.05
    )


def test_receptor_activity_that_prevents_emt(epithelial: State) -> None:
    """At T0 = 3 from the start, f < .3692 keeps E and f < .6948 prevents full M."""

    def reached(f: float) -> State:
        return steady_state(NETWORK, VALUES, {"tgfb_outside": 3.0, "tgfbr1": f}, epithelial)

    assert threshold_is_in(lambda f: reached(f)["E"] > 2.5, 0.36905, 0.36925)
    assert threshold_is_in(lambda f: reached(f)["Z"] < 0.5, 0.69470, 0.69490)
    law = 1.1657 / (3.0 + 0.1578)
    assert round(law, 3) == 0.369


def test_receptor_activity_that_undoes_emt(mesenchymal: State, washed: State) -> None:
    """M at T0 = 0 returns to E for f < .7005, M held at T0 = 3 only for f < .256."""

    def returned(f: float, outside: float, start: State) -> bool:
        given = {"tgfb_outside": outside, "tgfbr1": f}
        return steady_state(NETWORK, VALUES, given, start)["E"] > 2.5

    assert threshold_is_in(lambda f: returned(f, 0.0, washed), 0.70040, 0.70060)
    assert threshold_is_in(lambda f: returned(f, 3.0, mesenchymal), 0.2555, 0.2565)


def test_the_same_thresholds_by_continuation(epithelial: State) -> None:
    """The folds in receptor activity at T0 = 3."""
    held = {"tgfb_outside": 3.0}
    start = steady_state(NETWORK, VALUES, {**held, "tgfbr1": 0.0}, epithelial)
    branch = follow(NETWORK, VALUES, "tgfbr1", (0.0, 1.2), start, held, 0.05)
    e_lost, e_regained, m_made, m_lost = branch.folds
    assert e_lost == pytest.approx(0.3692, abs=1e-4)
    assert e_regained == pytest.approx(0.256, abs=5e-4)
    assert m_made == pytest.approx(0.6948, abs=1e-4)
    assert m_lost > e_regained  # M becomes partial just before partial becomes E


def test_at_two_weeks_the_thresholds_differ(epithelial: State, washed: State) -> None:
    """.393 for E > 2 and .882 for Z < 1 under T0 = 3, .660 for E > 2 from washed-out M."""

    def later(f: float, outside: float, start: State) -> State:
        return state_after(NETWORK, VALUES, 14.0, start, tgfb_outside=outside, tgfbr1=f)

    assert threshold_is_in(lambda f: later(f, 3.0, epithelial)["E"] > 2.0, 0.3925, 0.3935)
    assert threshold_is_in(lambda f: later(f, 3.0, epithelial)["Z"] < 1.0, 0.8815, 0.8825)
    assert threshold_is_in(lambda f: later(f, 0.0, washed)["E"] > 2.0, 0.6595, 0.6605)


def test_competence_and_inhibitor_act_alike(epithelial: State) -> None:
    """Competence f of the line, receptor activity and SMAD4 are factors of one drive."""
    held = {"tgfb_outside": 3.0}
    line = steady_state(NETWORK, core_values("cascading", f=0.5), held, epithelial)
    for label in ("tgfbr1", "smad4"):
        treated = steady_state(NETWORK, VALUES, {**held, label: 0.5}, epithelial)
        assert treated["E"] == pytest.approx(line["E"], rel=1e-9)


def test_tone_and_outside_tgfb_act_alike(epithelial: State) -> None:
    """Both add to the autocrine TGFβ."""
    toned = steady_state(NETWORK, core_values("cascading", tone=1.5), start=epithelial)
    given = steady_state(NETWORK, VALUES, {"tgfb_outside": 1.5}, epithelial)
    assert toned["E"] == pytest.approx(given["E"], rel=1e-9)
