"""Lost adhesion drives EMT through TGFβ as far as its coupling k_int allows, and no further."""

from __future__ import annotations

import numpy as np
import pytest

from network_values import core_values, state_after, threshold_is_in
from unmoor.cell.line import CellLine, Structure
from unmoor.signalling.batch import Batch
from unmoor.signalling.networks.adhesion_emt import adhesion_emt
from unmoor.signalling.steady import follow, steady_state

NETWORK = adhesion_emt("cascading", "tgfb")
STRUCTURES = [(core, path) for core in ("cascading", "ternary") for path in ("tgfb", "itgb3")]
State = dict[str, float]


@pytest.fixture(scope="module")
def epithelial() -> State:
    """Untreated cell on its feet."""
    return steady_state(NETWORK, core_values("cascading"))


def _after(start: State, coupling: float, days: float, **inputs: float) -> State:
    """Days of complete β1 loss (unless told), where the coupling is the extra TGFβ."""
    values = core_values("cascading", k_int=coupling)
    return state_after(NETWORK, values, days, start, **{"itgb1": 0.0, **inputs})


def _finally(start: State, coupling: float, **inputs: float) -> State:
    values = core_values("cascading", k_int=coupling)
    return steady_state(NETWORK, values, {"itgb1": 0.0, **inputs}, start)


def test_extra_tgfb_that_makes_emt_in_the_end(epithelial: State) -> None:
    """Partial EMT above .6047, full EMT above 1.2082, by continuation and by integration."""
    values = core_values("cascading")
    branch = follow(NETWORK, values, "k_int", (0.0, 3.0), epithelial, {"itgb1": 0.0}, 0.05)
    assert branch.folds[0] == pytest.approx(0.6047, abs=5e-5)
    assert branch.folds[2] == pytest.approx(1.2082, abs=5e-5)
    assert threshold_is_in(lambda j: _finally(epithelial, j)["E"] > 2.0, 0.60465, 0.60475)
    assert threshold_is_in(lambda j: _finally(epithelial, j)["Z"] < 0.5, 1.20815, 1.20825)


@pytest.mark.parametrize(("days", "partial", "full"), [(14.0, 0.650, 1.51), (28.0, 0.619, 1.26)])
def test_extra_tgfb_that_makes_emt_by_a_day(
    epithelial: State, days: float, partial: float, full: float
) -> None:
    """Partial is E < 2, full is Z > .5."""
    assert threshold_is_in(
        lambda j: _after(epithelial, j, days)["E"] > 2.0, partial - 5e-4, partial + 5e-4
    )
    assert threshold_is_in(
        lambda j: _after(epithelial, j, days)["Z"] < 0.5, full - 5e-3, full + 5e-3
    )


def test_a_weak_coupling_never_switches(epithelial: State) -> None:
    """k_int up to .6 keeps E-cadherin even without any β1."""
    for coupling in (0.1, 0.3, 0.5, 0.6):
        assert _finally(epithelial, coupling)["e_cadherin"] > 0.8


def test_a_coupling_of_one_switches_below_a_residual_adhesion(epithelial: State) -> None:
    """At b < .395 in the end, b < .350 within 14 d; the switch is partial and reversible."""
    assert threshold_is_in(lambda b: _finally(epithelial, 1.0, itgb1=b)["E"] < 2.0, 0.3945, 0.3955)
    assert threshold_is_in(
        lambda b: _after(epithelial, 1.0, 14.0, itgb1=b)["E"] < 2.0, 0.3495, 0.3505
    )
    switched = _finally(epithelial, 1.0)
    assert 1.0 < switched["E"] < 1.3
    assert switched["Z"] < 0.1
    back = _finally(switched, 1.0, itgb1=1.0)
    assert back["E"] == pytest.approx(epithelial["E"], rel=1e-6)


def test_receptor_block_from_the_start_prevents_emt(epithelial: State) -> None:
    """From the moment of β1 loss, f = .3 keeps E ≥ 3.02 for every k_int ≤ 2, at every time."""
    couplings = np.linspace(0.02, 2.0, 100)
    batch = Batch(NETWORK, core_values("cascading", k_int=0.0), (100, 1), rtol=1e-8)
    batch.set_parameter("k_int", couplings[:, None])
    batch.set_input("itgb1", 0.0)
    batch.set_input("tgfbr1", 0.3)
    batch.state[:] = np.array([epithelial[name] for name in NETWORK.species])[None, :, None]
    for hours in (24.0, 24.0 * 6, 24.0 * 21, 1e5):
        batch.advance(hours)
        assert not batch.failed().any()
        assert batch.species()["E"].min() >= 3.02


def test_the_limit_of_receptor_block(epithelial: State) -> None:
    """At f = .3, E stays ≥ 3.0 while the extra TGFβ is ≤ 2.06."""
    assert threshold_is_in(lambda j: _finally(epithelial, j, tgfbr1=0.3)["E"] >= 3.0, 2.06, 2.07)


def test_receptor_block_fails_with_a_tone(epithelial: State) -> None:
    """With T0 = 1 and J_adh = 2 even f = .3 from the start ends at E 1.25."""
    failed = _finally(epithelial, 2.0, tgfbr1=0.3, tgfb_outside=1.0)
    assert round(failed["E"], 2) == 1.25


def test_a_late_receptor_block_undoes_partial_emt_only(epithelial: State) -> None:
    """Two weeks of J_adh = 1, then f = .3: E 3.18 in 7 d. Of J_adh = 2: E .196 for good."""
    partial = _after(epithelial, 1.0, 14.0)
    assert round(_after(partial, 1.0, 7.0, tgfbr1=0.3)["E"], 2) == 3.18
    full = _after(epithelial, 2.0, 14.0)
    for days in (14.0, 28.0, 280.0):
        assert round(_after(full, 2.0, days, tgfbr1=0.3)["E"], 3) == 0.196


def test_the_extra_tgfb_needs_a_malignant_cell(epithelial: State) -> None:
    """Mechanism ``tgfb``: k_int × β1 level × lost share, in malignant cells."""
    benign = core_values("cascading", k_int=3.0, malignant=0.0)
    kept = steady_state(NETWORK, benign, {"itgb1": 0.0}, epithelial)
    assert kept["E"] == pytest.approx(epithelial["E"], rel=1e-6)
    assert kept["c"] == pytest.approx(benign["c0"], rel=1e-9)
    halves = core_values("cascading", k_int=2.0, beta1_tot=0.5)
    once = steady_state(NETWORK, halves, {"itgb1": 0.2}, epithelial)
    same = _finally(epithelial, 0.8)
    assert once["E"] == pytest.approx(same["E"], rel=1e-6)


def test_more_adhesion_than_untreated_is_no_loss(epithelial: State) -> None:
    """Over-expressed β1 does not lower TGFβ below that of the untreated cell."""
    rich = _finally(epithelial, 2.0, itgb1=3.0)
    assert rich["T"] == pytest.approx(epithelial["T"], rel=1e-6)


def test_beta3_compensates_over_days(epithelial: State) -> None:
    """Level c rises from c0 to c0 + κ3·(1 − b) with time constant τ3, and p38 blocks it."""
    values = core_values("cascading")
    days = values["tau3"] / 24.0
    raised = _after(epithelial, 0.0, days, itgb1=0.25)
    gain = 0.75 * values["kappa3"]
    assert raised["c"] == pytest.approx(values["c0"] + gain * (1.0 - np.exp(-1.0)), rel=1e-6)
    assert _finally(epithelial, 0.0, mapk14=0.0)["c"] == pytest.approx(values["c0"], rel=1e-9)


def test_beta3_edits_multiply_or_add(epithelial: State) -> None:
    """Knock-down multiplies the compensated level, over-expression adds to it."""
    values = core_values("cascading")
    full = values["c0"] + values["kappa3"]
    assert _finally(epithelial, 0.0, itgb3=0.1)["c"] == pytest.approx(0.1 * full, rel=1e-6)
    over = _finally(epithelial, 0.0, itgb3=5.0)["c"]
    assert over == pytest.approx(full + 4.0 * values["c0"], rel=1e-6)


@pytest.mark.parametrize("emt_core", ["cascading", "ternary"])
def test_both_mechanisms_share_one_threshold(emt_core: str) -> None:
    """Once β3 is up, mechanism ``itgb3`` makes the extra TGFβ of ``tgfb``; it needs p38 and FAK."""
    ends = {}
    for mechanism in ("tgfb", "itgb3"):
        network, values = adhesion_emt(emt_core, mechanism), core_values(emt_core, k_int=0.4)
        start = steady_state(network, values)
        ends[mechanism] = steady_state(network, values, {"itgb1": 0.0}, start)["T"]
        if mechanism == "itgb3":
            for label in ("ptk2", "mapk14"):
                blocked = steady_state(network, values, {"itgb1": 0.0, label: 0.0}, start)
                assert blocked["T"] == pytest.approx(start["T"], rel=1e-6)
            boosted = steady_state(network, values, {"itgb1": 0.0, "ptk2": 3.0}, start)
            assert boosted["T"] == pytest.approx(ends[mechanism], rel=1e-9)
    assert ends["itgb3"] == pytest.approx(ends["tgfb"], rel=1e-6)


@pytest.mark.parametrize(("emt_core", "mechanism"), STRUCTURES)
def test_a_line_without_e_cadherin_has_no_emt_to_gain(emt_core: str, mechanism: str) -> None:
    """On the mesenchymal branch β1 loss moves neither E-cadherin nor the programme."""
    network = adhesion_emt(emt_core, mechanism)
    values = core_values(emt_core, tone=3.0, e_present=0.005, k_int=3.0)
    untreated = steady_state(network, values)
    blocked = steady_state(network, values, {"itgb1": 0.1}, untreated)
    assert untreated["mesenchymal"] > 0.9
    assert abs(blocked["e_cadherin"] - untreated["e_cadherin"]) < 0.005
    assert abs(blocked["mesenchymal"] - untreated["mesenchymal"]) < 0.05


@pytest.mark.parametrize(("emt_core", "mechanism"), STRUCTURES)
def test_a_line_that_makes_little_e_cadherin_can_lose_little(emt_core: str, mechanism: str) -> None:
    """An epithelial branch with 2 % E-cadherin is no switch, whatever the ratio."""
    network = adhesion_emt(emt_core, mechanism)
    values = core_values(emt_core, e_present=0.02, k_int=3.0)
    untreated = steady_state(network, values)
    blocked = steady_state(network, values, {"itgb1": 0.1}, untreated)
    assert blocked["zeb"] > 5.0 * untreated["zeb"]
    assert 0.0 <= untreated["e_cadherin"] - blocked["e_cadherin"] <= 0.02


@pytest.mark.parametrize(("emt_core", "mechanism"), STRUCTURES)
def test_the_catalogued_negative_line_has_no_emt_to_gain(emt_core: str, mechanism: str) -> None:
    """MDA-MB-231 under its own rule and nominal numbers."""
    line, structure = CellLine.load("MDA-MB-231"), Structure(emt_core, mechanism)
    untreated, blocked = (line.steady_state(structure, itgb1=b) for b in (1.0, 0.1))
    assert untreated["e_cadherin"] < 0.05
    assert abs(blocked["e_cadherin"] - untreated["e_cadherin"]) < 0.01
    assert abs(blocked["mesenchymal"] - untreated["mesenchymal"]) < 0.05
