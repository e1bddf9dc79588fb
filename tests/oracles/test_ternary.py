"""The ternary core reproduces the published numbers (Lu 2013) and returns after washout."""

from __future__ import annotations

import pytest

from network_values import core_values
from unmoor.signalling.networks.adhesion_emt import adhesion_emt
from unmoor.signalling.steady import Branch, follow, steady_state, steady_states_at

NETWORK = adhesion_emt("ternary", "tgfb")
ALONE = core_values("ternary", S1=0.0)  # S0 is then all of SNAI1
K = 1000.0  # molecules


@pytest.fixture(scope="module")
def branch() -> Branch:
    """Steady states along SNAI1, from epithelial to mesenchymal."""
    start = steady_state(NETWORK, {**ALONE, "S0": 150 * K})
    return follow(NETWORK, ALONE, "S0", (150 * K, 260 * K), start, step=0.05)


def test_the_folds_in_snai1(branch: Branch) -> None:
    """E disappears at 208.84, hybrid exists from 193.18 to 224.68, M from 185.07 (± .05)."""
    e_lost, hybrid_made, hybrid_lost, m_made = (fold / K for fold in branch.folds)
    assert e_lost == pytest.approx(208.84, abs=0.005)
    assert hybrid_made == pytest.approx(193.18, abs=0.005)
    assert hybrid_lost == pytest.approx(224.68, abs=0.005)
    assert m_made == pytest.approx(185.07, abs=0.006)  # 185.0748: tabulated to ± .05


def test_the_five_steady_states(branch: Branch) -> None:
    """At 200 000 SNAI1 molecules: M, hybrid and E stable, two saddles between them."""
    found = steady_states_at(NETWORK, ALONE, "S0", 200 * K, branch)
    printed = [
        (18668, 65.8, 6456, True),
        (15782, 156.0, 18124, False),
        (11690, 326.1, 52414, True),
        (4038, 603.8, 263688, False),
        (1714, 827.5, 563720, True),
    ]
    rounded = [(round(s["R2"]), round(s["z"], 1), round(s["Z"]), ok) for s, ok in found]
    assert rounded == printed


def test_the_folds_as_drive_of_the_receptor() -> None:
    """Through SMAD: E lost at 1.13, hybrid at 1.56, M below .56 (autocrine TGFβ is .158)."""
    values = core_values("ternary")
    start = steady_state(NETWORK, values)
    branch = follow(NETWORK, values, "tone", (0.0, 4.0), start, step=0.05)
    e_lost, _, hybrid_lost, m_lost = (fold + values["kT0"] / values["kdT"] for fold in branch.folds)
    assert round(e_lost, 2) == 1.13
    assert round(hybrid_lost, 2) == 1.56
    assert round(m_lost, 2) == 0.56


def test_full_mesenchymal_state_reverts_by_washout() -> None:
    """The opposite of the cascading core: ligand away, miR-200 and E-cadherin return."""
    values = core_values("ternary")
    epithelial = steady_state(NETWORK, values)
    mesenchymal = steady_state(NETWORK, values, {"tgfb_outside": 3.0}, epithelial)
    assert mesenchymal["e_cadherin"] < 0.2
    assert mesenchymal["mesenchymal"] > 0.9
    washed = steady_state(NETWORK, values, start=mesenchymal)
    for name in NETWORK.species:
        assert washed[name] == pytest.approx(epithelial[name], rel=1e-6)


def test_the_cores_disagree_on_reversibility() -> None:
    """Same history, opposite end: predictions that hang on it are shown under both."""
    ends = {}
    for emt_core in ("cascading", "ternary"):
        network, values = adhesion_emt(emt_core, "tgfb"), core_values(emt_core)
        full = steady_state(network, values, {"tgfb_outside": 3.0}, steady_state(network, values))
        ends[emt_core] = steady_state(network, values, start=full)["e_cadherin"]
    assert ends["cascading"] < 0.05
    assert ends["ternary"] > 0.99
