"""Tables of readouts and joint effects, from arrays whose answer is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from small_study import fresh_run, small_study
from unmoor.trial.joint import combinations, joint_table
from unmoor.trial.readouts import READOUT_COLUMNS, readout_table
from unmoor.trial.study import Study

LOST = {"gene": "ITGB1", "change": "knock_down", "factor": 0.1}
INHIBITED = {"gene": "TGFBR1", "change": "knock_down", "factor": 0.3}
ARMS: dict[str, Any] = {
    "none": [],
    "lost": [LOST],
    "inhibited": [INHIBITED],
    "both": [INHIBITED, LOST],
    "more": [LOST, INHIBITED, {"radiation": "2 Gy"}],
}


def study(**changes: Any) -> Study:
    """Two lines, five arms, viability."""
    given: dict[str, Any] = {"cell_lines": ["4T1"], "arms": ARMS, "control": "none",
                             "assay": {"name": "viability", "duration": 7.0}}  # fmt: skip
    return Study(**{**given, **changes})


def arrays(values: np.ndarray, status: np.ndarray | None = None) -> dict[str, Any]:
    """Arrays of draws in which viability is as given, shape (draws, arms), the rest one."""
    readouts = np.ones((*values.shape, 3, 1))
    readouts[:, :, 0, 0] = values
    found = np.zeros(values.shape, np.int8) if status is None else status
    return {"readouts": readouts, "status": found, "days": np.array([7.0])}


DRAWS = np.linspace(0.5, 1.5, 21)
VALUES = np.stack([2.0 * DRAWS, DRAWS, 3.0 * DRAWS, 0.9 * DRAWS, DRAWS**2], axis=1)


def test_ratios_and_differences_are_paired_by_draw() -> None:
    """Half in every draw, whatever the draw; the difference follows the draw."""
    table = readout_table(study(), 0, "4T1", [arrays(VALUES)], has_draws=True)
    assert tuple(table.columns) == READOUT_COLUMNS
    assert len(table) == 4 * 3
    row = table[(table.arm == "lost") & (table.readout == "viability")].iloc[0]
    assert (row.ratio, row.ratio_low, row.ratio_high) == pytest.approx((0.5, 0.5, 0.5))
    assert (row.difference, row.difference_low) == pytest.approx((-1.0, -1.45))
    assert (row.p_up, row.p_down, row.n_draws, row.n_failed) == (0.0, 1.0, 21, 0)
    assert (row.day, row.unit, row.assay) == (7.0, "living cells per seeded cell", "viability")


def test_shares_are_beyond_the_margins_of_the_study() -> None:
    """The fourth arm's ratio is the draw's half, between .25 and .75."""
    margins = {"smaller": 0.5, "spread": 1.2}
    table = readout_table(study(verdict=margins), 0, "4T1", [arrays(VALUES)], has_draws=True)
    row = table[(table.arm == "more") & (table.readout == "viability")].iloc[0]
    assert row.p_down == pytest.approx((DRAWS / 2.0 < 0.5).mean())
    up = table[(table.arm == "inhibited") & (table.readout == "viability")].iloc[0]
    assert up.p_up == 1.0


def test_failed_arms_are_left_out_and_counted() -> None:
    """A failed control takes the draw from every arm."""
    status = np.zeros(VALUES.shape, np.int8)
    status[0, 1], status[1, 0] = 2, 3
    table = readout_table(study(), 0, "4T1", [arrays(VALUES, status)], has_draws=True)
    counts = table[table.readout == "viability"].set_index("arm")[["n_draws", "n_failed"]]
    assert counts.loc["lost"].tolist() == [19, 2]
    assert counts.loc["both"].tolist() == [20, 1]


def test_nothing_in_the_control_gives_no_ratio() -> None:
    """But a difference."""
    values = VALUES.copy()
    values[:, 0] = 0.0
    table = readout_table(study(), 0, "4T1", [arrays(values)], has_draws=True)
    row = table[(table.arm == "lost") & (table.readout == "viability")].iloc[0]
    assert np.isnan(row.ratio)
    assert np.isnan(row.p_up)
    assert row.difference == pytest.approx(1.0)


def test_without_draws_there_is_no_interval() -> None:
    """The reference set alone."""
    table = readout_table(study(), 0, "4T1", [arrays(VALUES[:1])], has_draws=False)
    row = table.iloc[0]
    assert row.ratio == pytest.approx(0.5)
    assert np.isnan([row.ratio_low, row.difference_high, row.p_up]).all()
    assert row.n_draws == 0


def test_combinations_hold_exactly_two_other_arms() -> None:
    """In whatever order their treatments are written; not three, not a part."""
    assert list(combinations(study())) == [(3, 1, 2)]
    assert list(combinations(study(control="lost"))) == []


def test_the_factor_is_one_where_effects_multiply() -> None:
    """Ratios .5 and 1.5 and together .45: .6 of what independence says."""
    table = joint_table(study(), 0, "4T1", arrays(VALUES))
    row = table[table.readout == "viability"].iloc[0]
    assert (row["arm"], row["first"], row["second"]) == ("both", "lost", "inhibited")
    assert (row.factor, row.factor_low, row.factor_high) == pytest.approx((0.6, 0.6, 0.6))
    assert (row.p_less, row.p_more, row.n_draws) == (1.0, 0.0, 21)
    independent = VALUES.copy()
    independent[:, 3] = independent[:, 1] * independent[:, 2] / independent[:, 0]
    table = joint_table(study(), 0, "4T1", arrays(independent))
    row = table[table.readout == "viability"].iloc[0]
    assert (row.factor, row.p_less, row.p_more) == pytest.approx((1.0, 0.0, 0.0))


def test_readouts_of_tumours_are_the_ratios_of_their_effects() -> None:
    """Volume and metastases as the verdict sees them; division and death beside them."""
    found = fresh_run(small_study(settings={"uncertainty.draws": 4}))
    effects = found.effects().set_index(["cell_line", "assay", "arm"])
    table = found.readouts.set_index(["cell_line", "assay", "arm", "readout"])
    assert set(found.readouts["readout"]) == {
        "tumour_volume", "lung_metastases", "proliferation", "apoptosis",
    }  # fmt: skip
    assert set(found.readouts["day"]) == {14.0}
    for key, row in effects.iterrows():
        assert isinstance(key, tuple)
        volume, spread = (table.loc[(*key, name)] for name in ("tumour_volume", "lung_metastases"))
        assert volume.ratio == pytest.approx(row.tumour_ratio, rel=1e-9)
        assert volume.ratio_low == pytest.approx(row.tumour_low, rel=1e-9)
        assert spread.ratio == pytest.approx(row.spread_ratio, rel=1e-9)
        assert spread.n_draws == row.n_draws == 4
    lost = table.loc[("4T1", "orthotopic_xenograft", "knock-down")]
    assert lost.loc["proliferation", "ratio"] < 1.0
    assert lost.loc["apoptosis", "ratio"] > 1.0
