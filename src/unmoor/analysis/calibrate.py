"""Fit k_int, the one fitted number of the model, to the published rows it may be fitted to.

The coupling of lost adhesion to TGFβ has no measured proxy. Its prior is conditioned on rows T01
to T06 and T10 of the evidence table (Truong 2014) in 4T1 and HCC1806: a draw is kept if every row
comes out in the published direction in both lines. These rows are calibration ever after.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from unmoor.assays.days import COURSES
from unmoor.assays.orthotopic_xenograft import XenograftResult, run_xenograft
from unmoor.assays.preparation import Setting
from unmoor.catalog import table
from unmoor.cell.line import CellLine, Structure
from unmoor.elementwise import FloatArray
from unmoor.therapy.regimen import Edit

LINES = ("4T1", "HCC1806")
HOST = "nsg"
STRUCTURES = tuple(
    Structure(core, mechanism)
    for core in ("cascading", "ternary")
    for mechanism in ("tgfb", "itgb3")
)
ROWS = ("T01", "T02", "T03", "T04", "T05", "T06", "T10a", "T10b")
_READ_OUT, _RESTORED, _REVERTED = 28.0, 7.0, 21.0  # days of the rows
_CHANGE = 1.1  # ratio, or its inverse, from which a direction counts; as the default verdict
_DRAWS_A_BATCH = 50


@dataclass(frozen=True)
class Calibration:
    """k_int given the rows, under one structure.

    Attributes
    ----------
    prior, kept
        k_int of every draw, and whether all rows came out, shape (draws,).
    shares
        Share of the draws in which each row came out, by line.
    """

    structure: Structure
    prior: FloatArray
    kept: np.ndarray
    shares: dict[str, dict[str, float]]

    def quantiles(self, points: Sequence[int]) -> FloatArray:
        """Quantiles of the kept draws at ``points`` in percent."""
        return np.quantile(self.prior[self.kept], [point / 100.0 for point in points])


def calibrate(structure: Structure, draws: int = 2000, seed: int = 2014) -> Calibration:
    """Condition the prior of k_int on the calibration rows.

    Parameters
    ----------
    draws
        Parameter sets from the prior.
    """
    kept = np.ones(draws, dtype=bool)
    shares: dict[str, dict[str, float]] = {}
    k_int = np.empty(0)
    for name in LINES:
        setting = _setting(CellLine.load(name), structure, seed)
        parts, couplings = [], []
        for first in range(1, draws + 1, _DRAWS_A_BATCH):
            numbers = range(first, min(first + _DRAWS_A_BATCH, draws + 1))
            result = run_xenograft(setting, numbers, animals=1)
            parts.append(_rows(result))
            couplings.append(result.k_int)
        agreed = {row: np.concatenate([part[row] for part in parts]) for row in ROWS}
        shares[name] = {row: float(values.mean()) for row, values in agreed.items()}
        for values in agreed.values():
            kept &= values
        k_int = np.concatenate(couplings)
    return Calibration(structure, k_int, kept, shares)


def _setting(line: CellLine, structure: Structure, seed: int) -> Setting:
    lost = Edit("ITGB1", change="knock_down", factor=0.1)
    restored = Edit("ITGB1", change="knock_down", factor=0.1, stop=_RESTORED)
    return Setting(
        line=line,
        host=HOST,
        arms=[(), (lost,), (restored,)],
        structure=structure,
        duration=_READ_OUT,
        inoculum=1e6,
        clones=16,
        seed=seed,
        is_calibration=True,
    )


def _rows(result: XenograftResult) -> dict[str, np.ndarray]:
    """Whether each row comes out in each draw, shape (draws,).

    The rows on signalling are read at inoculation, when the cells have been edited for two weeks.
    """
    switch = table("closures", "line_rule")["switch_loss"].value

    def course(name: str, arm: int, day: float) -> FloatArray:
        at = int(np.argmin(np.abs(result.times - day)))
        values: FloatArray = result.courses[:, arm, COURSES.index(name), at]
        return values

    def ratio(name: str) -> FloatArray:
        return course(name, 1, 0.0) / course(name, 0, 0.0)

    regained = course("e_cadherin", 2, _REVERTED) - course("e_cadherin", 1, _REVERTED)
    volume, spread = result.volume[:, :, 0], result.expected_metastases[:, :, 0]
    return {
        "T01": ratio("singles_per_cluster") > _CHANGE,
        "T02": course("e_cadherin", 0, 0.0) - course("e_cadherin", 1, 0.0) >= switch,
        "T03": ratio("tgfb_activity") > _CHANGE,
        "T04": ratio("mir200") / ratio("zeb") < 1.0 / _CHANGE,
        "T05": volume[:, 1] / volume[:, 0] < 1.0 / _CHANGE,
        "T06": spread[:, 1] / spread[:, 0] > _CHANGE,
        "T10a": regained >= switch,
        "T10b": regained >= switch,  # cohesion follows E-cadherin until the tissue measures it
    }
