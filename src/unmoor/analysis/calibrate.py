"""Condition the parameter draws on the published rows that the model may be fitted to.

k_int, the coupling of lost adhesion to TGFβ, has no measured proxy and is fitted: its prior is
conditioned on rows T01 to T06 and T10 of the evidence table (Truong 2014) in 4T1 and HCC1806. A
draw is plausible if every row comes out in the published direction in both lines, and tumour and
spread within the assumed bands of ``closures/calibration``. Draws are kept
or dropped whole, since the rows inform k_int only together with what it acts through; so the
other drawn numbers move a little too, and how far is reported. These rows are calibration ever
after.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from unmoor.assays.days import COURSES
from unmoor.assays.orthotopic_xenograft import XenograftResult, run_xenograft
from unmoor.assays.preparation import Setting
from unmoor.catalog import table
from unmoor.catalog.draws import Draw
from unmoor.cell.line import CellLine, Structure
from unmoor.elementwise import FloatArray
from unmoor.therapy.regimen import Edit

LINES = ("4T1", "HCC1806")
HOST = "nsg"
STRUCTURES = (
    Structure("cascading", "tgfb"),
    Structure("cascading", "itgb3"),
    Structure("ternary", "tgfb"),
    Structure("ternary", "itgb3"),
    Structure("cascading", "tgfb", "balance"),
    Structure("cascading", "itgb3", "balance"),
)
SEED = 2014
ROWS = ("T01", "T02", "T03", "T04", "T05", "T06", "T10a", "T10b")
_READ_OUT, _RESTORED, _REVERTED = 28.0, 7.0, 21.0  # days of the rows
_DRAWS_A_BATCH = 50


@dataclass(frozen=True)
class Calibration:
    """Plausible draws under one structure.

    Attributes
    ----------
    tried
        Draws from the prior.
    plausible
        Numbers of those under which all rows came out; the most central one first.
    k_int
        Coupling of the plausible draws, shape (plausible,).
    shares
        Share of the tried draws in which each row came out, by line and row.
    switches
        Share of the tried draws with a smaller tumour that spreads more, by line.
    """

    structure: Structure
    tried: int
    plausible: tuple[int, ...]
    k_int: FloatArray
    shares: dict[str, dict[str, float]]
    switches: dict[str, float]


def calibrate(
    structure: Structure, wanted: int = 300, most: int = 100_000, workers: int = 2
) -> Calibration:
    """Draw from the prior until ``wanted`` draws are plausible or ``most`` have been tried."""
    settings = [_setting(CellLine.load(name), structure) for name in LINES]
    found: list[_Batch] = []
    with ThreadPoolExecutor(workers) as pool:
        first = 1
        while first <= most and sum(batch.count() for batch in found) < wanted:
            starts = range(first, first + 8 * _DRAWS_A_BATCH, _DRAWS_A_BATCH)
            found += pool.map(lambda start: _batch(settings, start), starts)
            first = starts.stop
    return _summarise(structure, found)


@dataclass(frozen=True)
class _Batch:
    """Draws from ``first`` on: rows (lines, rows, draws), ratios (lines, 2, draws), k_int."""

    first: int
    agreed: np.ndarray
    ratios: FloatArray
    k_int: FloatArray

    def count(self) -> int:
        """Plausible draws."""
        return int(self.agreed.all(axis=(0, 1)).sum())


def _batch(settings: Sequence[Setting], first: int) -> _Batch:
    draws = Draw.sets(SEED, range(first, first + _DRAWS_A_BATCH), is_prior=True)
    results = [run_xenograft(setting, draws, animals=1) for setting in settings]
    agreed = [[rows[row] for row in ROWS] for rows in map(_rows, results)]
    ratios = np.array([_ratios(result) for result in results])
    return _Batch(first, np.array(agreed), ratios, results[0].k_int)


def _summarise(structure: Structure, found: Sequence[_Batch]) -> Calibration:
    agreed = np.concatenate([batch.agreed for batch in found], axis=2)
    ratios = np.concatenate([batch.ratios for batch in found], axis=2)
    k_int = np.concatenate([batch.k_int for batch in found])
    kept = np.flatnonzero(agreed.all(axis=(0, 1)))
    order = _central_first(ratios[:, :, kept])
    rule = table("closures", "calibration").values_by_id()
    switch = (ratios[:, 0] < rule["tumour_ratio_high"]) & (ratios[:, 1] > rule["change"])
    return Calibration(
        structure=structure,
        tried=k_int.size,
        plausible=tuple(int(i) + found[0].first for i in kept[order]),
        k_int=k_int[kept[order]],
        shares={
            line: dict(zip(ROWS, map(float, agreed[i].mean(axis=1)), strict=True))
            for i, line in enumerate(LINES)
        },
        switches={line: float(switch[i].mean()) for i, line in enumerate(LINES)},
    )


def _central_first(ratios: FloatArray) -> np.ndarray:
    """Order that puts the draw first whose log ratios are all closest to their medians."""
    count = ratios.shape[2]
    if count == 0:
        return np.arange(0)
    logs = np.log(ratios.reshape(-1, count))
    away = np.abs(logs - np.median(logs, axis=1, keepdims=True))
    typical = np.median(away, axis=1, keepdims=True)
    central = int(np.argmin((away / np.maximum(typical, 1e-12)).max(axis=0)))
    return np.array([central, *(i for i in range(count) if i != central)])


def _setting(line: CellLine, structure: Structure) -> Setting:
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
        seed=SEED,
    )


def _ratios(result: XenograftResult) -> FloatArray:
    """Tumour and spread of the knock-down against untreated, shape (2, draws)."""
    volume, spread = result.volume[:, :, 0], result.expected_metastases[:, :, 0]
    return np.array([volume[:, 1] / volume[:, 0], spread[:, 1] / spread[:, 0]])


def _rows(result: XenograftResult) -> dict[str, np.ndarray]:
    """Whether each row comes out in each draw, shape (draws,).

    The rows on signalling are read at inoculation, when the cells have been edited for two weeks.
    """
    switch = table("closures", "line_rule")["switch_loss"].value
    rule = table("closures", "calibration").values_by_id()

    def course(name: str, arm: int, day: float) -> FloatArray:
        at = int(np.argmin(np.abs(result.times - day)))
        values: FloatArray = result.courses[:, arm, COURSES.index(name), at]
        return values

    def ratio(name: str) -> FloatArray:
        return course(name, 1, 0.0) / course(name, 0, 0.0)

    regained = course("e_cadherin", 2, _REVERTED) - course("e_cadherin", 1, _REVERTED)
    tumour, spread = _ratios(result)
    return {
        "T01": ratio("singles_per_cluster") > rule["change"],
        "T02": course("e_cadherin", 0, 0.0) - course("e_cadherin", 1, 0.0) >= switch,
        "T03": ratio("tgfb_activity") > rule["change"],
        "T04": ratio("mir200") / ratio("zeb") < 1.0 / rule["change"],
        "T05": (tumour > rule["tumour_ratio_low"]) & (tumour < rule["tumour_ratio_high"]),
        "T06": (spread > rule["spread_ratio_low"]) & (spread < rule["spread_ratio_high"]),
        "T10a": regained >= switch,
        "T10b": regained >= switch,  # cohesion follows E-cadherin until the tissue measures it
    }
