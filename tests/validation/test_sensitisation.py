"""Chemo- and radiosensitisation by β1 blockade: in gels, not on plastic; after, not before."""

from __future__ import annotations

import csv
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest

from unmoor.catalog import ROOT
from unmoor.trial.chunks import compute, plan
from unmoor.trial.joint import combinations
from unmoor.trial.readouts import level, ratio
from unmoor.trial.study import Study

SHARE = 0.8  # of the draws must have the direction
CHANGE, SAME = 1.1, (0.8, 1.25)
# Undecided: in laminin, where β4 holds on, some draws lose too little grip to be sensitised by a
# tenth (the direction comes out in .65 to .8 of them); on plastic HCC1806 is sometimes protected.
UNDECIDED = {
    ("4T1", "S1a"), ("HCC1806", "S1a"), ("T4-2", "S1a"), ("HCC1806", "S1c"), ("4T1", "S2a"),
    ("HCC1806", "S2a"), ("MDA-MB-231", "S2a"), ("T4-2", "S2a"), ("BT-474", "S2a"),
}  # fmt: skip
Values = dict[tuple[str, str, str, str], np.ndarray]


@pytest.fixture(scope="module")
def study() -> Study:
    """Viability on three grounds; colonies are left to the run."""
    whole = Study.load("sensitisation", {"uncertainty.draws": "100"})
    return whole.replace(assays=[each for each in whole.assays if each.name == "viability"])


@pytest.fixture(scope="module")
def values(study: Study) -> Values:
    """Readouts of every draw by line, assay, arm and readout."""
    found: dict[tuple[str, str, str, str], list[np.ndarray]] = {}
    for chunk in plan(study):
        if chunk.first > 0:
            arrays, settings = compute(study, chunk), study.assays[chunk.assay]
            for i, arm in enumerate(study.arms):
                for o, readout in enumerate(settings.outcomes):
                    key = (chunk.cell_line, settings.label, arm, readout)
                    found.setdefault(key, []).append(level(arrays, i, o, 0))
    return {key: np.concatenate(parts) for key, parts in found.items()}


def _factor(study: Study, values: Values, line: str, assay: str, arm: str) -> np.ndarray:
    """The arm's viability over what its two parts would give independently."""
    names = list(study.arms)
    parts = next((one, other) for both, one, other in combinations(study) if names[both] == arm)
    base = values[line, assay, study.control, "viability"]
    one, other = (ratio(values[line, assay, names[i], "viability"], base) for i in parts)
    return ratio(ratio(values[line, assay, arm, "viability"], base), one * other)


def _rows() -> Iterator[tuple[str, dict[str, str]]]:
    path = ROOT / "studies" / "sensitisation" / "expected.tsv"
    with path.open(encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            for line in row["cell_line"].split("|"):
                yield line, row


def _share(study: Study, values: Values, line: str, row: dict[str, str]) -> float:
    readout, _, kind = row["readout"].rpartition("_")
    if kind == "factor":
        found = _factor(study, values, line, row["assay"], row["arm"])
    else:
        pair = (values[line, row["assay"], row[side], readout] for side in ("arm", "reference"))
        found = ratio(*pair)
    if row["direction"] == "0":
        return float(((found >= SAME[0]) & (found <= SAME[1])).mean())
    beyond = found > CHANGE if row["direction"] == "+" else found < 1.0 / CHANGE
    return float(beyond.mean())


@pytest.mark.parametrize(
    ("line", "row"), list(_rows()), ids=lambda x: x if isinstance(x, str) else x["id"]
)
def test_the_direction_comes_out(
    study: Study, values: Values, line: str, row: dict[str, str]
) -> None:
    """In at least four of five draws, but for those named, in which it is more likely than not."""
    share = _share(study, values, line, row)
    assert share >= (0.5 if (line, row["id"]) in UNDECIDED else SHARE)


def test_the_antibody_sensitises_after_the_radiation_and_not_before_it(
    study: Study, values: Values
) -> None:
    """Two days of antibody that end with the fraction add little; the two days after it do."""
    for line in study.cell_lines:
        for assay in ("laminin", "collagen"):
            after = _factor(study, values, line, assay, "radiation, anti-β1 after")
            before = _factor(study, values, line, assay, "anti-β1 before, radiation")
            assert np.median(after) < 0.9
            assert 0.95 < np.median(before) < 1.25
            assert (after < before).mean() >= SHARE


def test_a_line_that_holds_on_by_beta3_is_sensitised_less(study: Study, values: Values) -> None:
    """The grip that is left decides: more FAK signal left, a factor nearer to one."""
    frame = pd.concat(
        pd.DataFrame(
            {
                "factor": _factor(study, values, line, "laminin", "anti-β1 + cisplatin"),
                "left": ratio(values[line, "laminin", "anti-β1", "proliferation"],
                              values[line, "laminin", "vehicle", "proliferation"]),
            }
        )
        for line in study.cell_lines
    )  # fmt: skip
    assert frame["factor"].corr(frame["left"], method="spearman") > 0.3
