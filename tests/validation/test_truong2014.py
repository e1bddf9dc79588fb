"""The headline study against what was published: calibration rows and predictions apart."""

from __future__ import annotations

import csv
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest

from unmoor.catalog import ROOT
from unmoor.trial.result import Result
from unmoor.trial.study import Study

POSITIVE = ("4T1", "HCC1806")
LOST = "ITGB1 knock-down"
SHARE = 0.8  # of the draws must have the published direction
SAME = (0.8, 1.25)  # a ratio inside says "no change"
# What the model gets wrong: the 90 % interval of the tumour ratio reaches .78, just below .8.
WRONG: set[tuple[str, str]] = set()


@pytest.fixture(scope="module")
def result() -> Result:
    """The study with all its arms and 200 draws of its own structure."""
    return Study.load("truong2014", {"uncertainty.rivals": "false"}).run()


def _expected() -> list[dict[str, str]]:
    path = ROOT / "studies" / "truong2014" / "expected.tsv"
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def _rows() -> Iterator[tuple[str, dict[str, str]]]:
    for row in _expected():
        for line in row["cell_line"].split("|"):
            yield line, row


def _course(result: Result, line: str, arm: str, quantity: str) -> pd.Series:
    """Quantiles over draws at the read-out day."""
    table = result.timecourses
    own = table[(table.cell_line == line) & (table.arm == arm) & (table.quantity == quantity)]
    last: pd.Series = own.sort_values("day").iloc[-1]
    return last


def _ratios(result: Result, line: str, arm: str, column: str) -> pd.Series:
    if arm == "vehicle":
        return pd.Series(1.0, index=range(1, result.study.uncertainty.draws + 1))
    draws = result.draws
    own = draws[(draws.cell_line == line) & (draws.arm == arm)].set_index("draw")
    values: pd.Series = own[column]
    return values


def _agrees(result: Result, line: str, row: dict[str, str]) -> bool:
    column = {"tumour_volume": "tumour_ratio", "lung_metastases": "spread_ratio"}
    if row["readout"] in column:
        name = column[row["readout"]]
        ratio = _ratios(result, line, row["arm"], name) / _ratios(
            result, line, row["reference"], name
        )
        if row["direction"] == "0":
            low, high = np.quantile(ratio, [0.05, 0.95])
            return bool(low >= SAME[0] and high <= SAME[1])
        wanted = ratio > 1 if row["direction"] == "+" else ratio < 1
        return bool(wanted.mean() >= SHARE)
    if row["readout"] == "e_cadherin":
        lost = _ratios(result, line, row["arm"], "e_loss")
        return bool(((lost >= 0.2) == (row["direction"] == "-")).mean() >= SHARE)
    arm = _course(result, line, row["arm"], row["readout"])
    reference = _course(result, line, row["reference"], row["readout"])
    if row["direction"] == "+":
        return bool(arm["q25"] > reference["median"])
    return bool(arm["q75"] < reference["median"])


@pytest.mark.parametrize(
    ("line", "row"), list(_rows()), ids=lambda x: x if isinstance(x, str) else x["id"]
)
def test_published_direction_comes_out(result: Result, line: str, row: dict[str, str]) -> None:
    """Each published row has its direction in at least 80 % of the draws, but for those named."""
    assert _agrees(result, line, row) == ((line, row["id"]) not in WRONG)


def test_knock_down_is_a_switch_in_the_lines_that_have_e_cadherin(result: Result) -> None:
    """β1 knock-down shrinks the tumour and spreads it (calibration)."""
    verdict = result.verdict()
    for line in POSITIVE:
        assert verdict[line, "orthotopic_xenograft", LOST] == "switch"


def test_receptor_inhibition_from_the_start_prevents_the_spread(result: Result) -> None:
    """Spread against control stays below 1.5 and the tumour as small as without the inhibitor."""
    effects = result.effects().set_index(["cell_line", "arm"])
    for line in POSITIVE:
        for alone, both in (
            (LOST, "knock-down + TGFBR1 knock-down"),
            ("anti-β1", "anti-β1 + TGFBR1 inhibitor"),
        ):
            assert effects.loc[(line, both), "spread_high"] < 1.5
            relative = _ratios(result, line, both, "tumour_ratio") / _ratios(
                result, line, alone, "tumour_ratio"
            )
            assert relative.median() <= SAME[1]
            if both != "anti-β1 + TGFBR1 inhibitor" or line != "4T1":  # 4T1 has an immune host
                assert relative.median() >= SAME[0]


def test_e_cadherin_returns_when_beta1_does(result: Result) -> None:
    """After restoration at day 14 most of the lost E-cadherin is back at day 28."""
    for line in POSITIVE:
        effects = result.effects().set_index(["cell_line", "arm"])
        lost = effects.loc[(line, LOST), "e_loss"]
        left = effects.loc[(line, "knock-down, β1 restored"), "e_loss"]
        assert left < 0.5 * lost


def test_the_line_without_e_cadherin_does_not_switch(result: Result) -> None:
    """MDA-MB-231: no EMT change, slower movement in collagen, no verdict of a switch."""
    effects = result.effects().set_index(["cell_line", "arm"])
    for arm in (LOST, "anti-β1"):
        row = effects.loc[("MDA-MB-231", arm)]
        assert row["p_emt"] == 0.0
        assert row["verdict"] != "switch"
        speed = _course(result, "MDA-MB-231", arm, "speed_collagen")
        assert speed["q75"] < 1.0


@pytest.mark.xfail(
    strict=True,
    reason="how little slow cells without bonds leave is known to a factor of several only",
)
def test_the_line_without_e_cadherin_spreads_no_more(result: Result) -> None:
    """MDA-MB-231 was seen to stop moving; the present model cannot tell its spread."""
    effects = result.effects().set_index(["cell_line", "arm"])
    for arm in (LOST, "anti-β1"):
        assert effects.loc[("MDA-MB-231", arm), "p_more"] < 0.2
