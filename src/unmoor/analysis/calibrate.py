"""Condition the parameter draws on the published rows that the model may be fitted to.

k_int, the coupling of lost adhesion to TGFβ, has no measured proxy and is fitted: its prior is
conditioned on rows T01 to T06 and T10 of the evidence table (Truong 2014) in 4T1 and HCC1806. A
draw is plausible if every row comes out in the published direction in both lines, and tumour and
spread within the assumed bands of ``closures/calibration``. Draws are kept
or dropped whole, since the rows inform k_int only together with what it acts through; so other
drawn numbers move too, kappa3 most. These rows are calibration ever after.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from unmoor.assays.orthotopic_xenograft import XenograftResult, run_xenograft
from unmoor.assays.preparation import Setting
from unmoor.assays.quantities import COURSES
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
SHARED = 2000  # draws from which the share of each row is told
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
        Share of the first ``SHARED`` draws in which each row came out, by line and row.
    switches
        Share of those draws with a smaller tumour that spreads more, by line.
    """

    structure: Structure
    tried: int
    plausible: tuple[int, ...]
    k_int: FloatArray
    shares: dict[str, dict[str, float]]
    switches: dict[str, float]


def calibrate(
    structure: Structure, wanted: int = 300, most: int = 200_000, workers: int = 2
) -> Calibration:
    """Draw from the prior until ``wanted`` draws are plausible or ``most`` have been tried."""
    lines = [CellLine.load(name) for name in LINES]
    found: list[_Batch] = []
    first = 1
    with ThreadPoolExecutor(workers) as pool:
        while first <= most and sum(len(batch.plausible) for batch in found) < wanted:
            starts = range(first, first + 8 * _DRAWS_A_BATCH, _DRAWS_A_BATCH)
            found += pool.map(lambda start: _sift(lines, structure, start), starts)
            first = starts.stop
    order = _central_first(np.concatenate([batch.ratios for batch in found], axis=2))
    numbers = [number for batch in found for number in batch.plausible]
    k_int = np.concatenate([batch.k_int for batch in found])
    shares, switches = _shares(lines, structure)
    return Calibration(
        structure, first - 1, tuple(numbers[i] for i in order), k_int[order], shares, switches
    )


@dataclass(frozen=True)
class _Batch:
    """Plausible draws of a batch, their ratios (lines, 2, draws) and k_int."""

    plausible: list[int]
    ratios: FloatArray
    k_int: FloatArray


def _sift(lines: Sequence[CellLine], structure: Structure, first: int) -> _Batch:
    numbers = plausible_among(structure, np.arange(first, first + _DRAWS_A_BATCH), lines)
    if not numbers.size:
        return _Batch([], np.empty((len(lines), 2, 0)), np.empty(0))
    results = [_run(line, structure, numbers, follow=False) for line in lines]
    ratios = np.array([_ratios(result) for result in results])
    return _Batch([int(number) for number in numbers], ratios, results[0].k_int)


def plausible_among(
    structure: Structure, numbers: np.ndarray, lines: Sequence[CellLine] | None = None
) -> np.ndarray:
    """Those of the given draws from the prior under which all rows come out in all lines.

    Draws are dropped line by line, by the dear rows (T10, a third arm) last.
    """
    for follow in (False, True):
        for line in lines or [CellLine.load(name) for name in LINES]:
            if numbers.size:
                rows = _rows(_run(line, structure, numbers, follow=follow), follow=follow)
                numbers = numbers[np.logical_and.reduce(list(rows.values()))]
    return numbers


def _shares(
    lines: Sequence[CellLine], structure: Structure
) -> tuple[dict[str, dict[str, float]], dict[str, float]]:
    rule = table("closures", "calibration").values_by_id()
    shares, switches = {}, {}
    for line in lines:
        result = _run(line, structure, np.arange(1, SHARED + 1), follow=True)
        rows = _rows(result, follow=False) | _rows(result, follow=True)
        tumour, spread = _ratios(result)
        switch = (tumour < rule["tumour_ratio_high"]) & (spread > rule["change"])
        shares[line.name] = {row: float(rows[row].mean()) for row in ROWS}
        switches[line.name] = float(switch.mean())
    return shares, switches


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


def _run(
    line: CellLine, structure: Structure, numbers: np.ndarray, *, follow: bool
) -> XenograftResult:
    """Untreated, knock-down and, to follow its reversal, knock-down that is given back."""
    lost = Edit("ITGB1", change="knock_down", factor=0.1)
    restored = Edit("ITGB1", change="knock_down", factor=0.1, stop=_RESTORED)
    setting = Setting(
        line=line,
        host=HOST,
        arms=[(), (lost,), (restored,)] if follow else [(), (lost,)],
        structure=structure,
        duration=_READ_OUT,
        inoculum=1e6,
        clones=16,
        seed=SEED,
    )
    draws = Draw.sets(SEED, [int(number) for number in numbers], is_prior=True)
    return run_xenograft(setting, draws, animals=1, follow=follow)


def _ratios(result: XenograftResult) -> FloatArray:
    """Tumour and spread of the knock-down against untreated, shape (2, draws)."""
    volume, spread = result.volume[:, :, 0], result.expected_metastases[:, :, 0]
    return np.array([volume[:, 1] / volume[:, 0], spread[:, 1] / spread[:, 0]])


def _rows(result: XenograftResult, *, follow: bool) -> dict[str, np.ndarray]:
    """Whether rows come out in each draw, shape (draws,): T10 if ``follow``, else the others.

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

    if follow:
        gained = course("e_cadherin", 2, _REVERTED) - course("e_cadherin", 1, _REVERTED)
        # cohesion (T10b) is E-cadherin here; a tissue measures it too, but takes seconds a set
        return {"T10a": gained >= switch, "T10b": gained >= switch}
    tumour, spread = _ratios(result)
    return {
        "T01": ratio("singles_per_cluster") > rule["change"],
        "T02": course("e_cadherin", 0, 0.0) - course("e_cadherin", 1, 0.0) >= switch,
        "T03": ratio("tgfb_activity") > rule["change"],
        "T04": ratio("mir200") / ratio("zeb") < 1.0 / rule["change"],
        "T05": (tumour > rule["tumour_ratio_low"]) & (tumour < rule["tumour_ratio_high"]),
        "T06": (spread > rule["spread_ratio_low"]) & (spread < rule["spread_ratio_high"]),
    }
