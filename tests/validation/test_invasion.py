"""Spheroids in collagen: what comes out of the tissue, small here and in full on request.

Nothing was fitted to these outcomes. What does not come out is named below.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

import numpy as np
import pytest

from unmoor.trial.chunks import compute, plan
from unmoor.trial.readouts import level
from unmoor.trial.study import Study

Values = Mapping[tuple[str, str], np.ndarray]
SHARE = 0.8  # of the parameter sets must have a direction
LOSS, EARLY = "ITGB1 knock-down", "knock-down + TGFBR1 knock-down"
SMALL = {"assays[0].cells": "24", "assays[0].duration": "1 d", "uncertainty.draws": "6"}
in_full = pytest.mark.skipif(
    os.environ.get("UNMOOR_LONG") != "1", reason="takes minutes; set UNMOOR_LONG=1"
)


def run(study: Study, line: str, assay: int = 0) -> Values:
    """Readouts at the end of every parameter set by arm and readout."""
    found: dict[tuple[str, str], list[np.ndarray]] = {}
    outcomes = study.assays[assay].outcomes
    for chunk in plan(study):
        if chunk.first > 0 and chunk.cell_line == line and chunk.assay == assay:
            arrays = compute(study, chunk)
            for i, arm in enumerate(study.arms):
                for o, name in enumerate(outcomes):
                    found.setdefault((arm, name), []).append(level(arrays, i, o, -1))
    return {key: np.concatenate(parts) for key, parts in found.items()}


def only(study: Study, *arms: str) -> Study:
    """A study without its other arms."""
    return study.replace(arms={name: study.arms[name] for name in ("vehicle", *arms)})


def lower(values: Values, arm: str, reference: str, readout: str, by: float = 1.1) -> float:
    """Share of the parameter sets in which an arm is below another."""
    return float((values[arm, readout] * by < values[reference, readout]).mean())


@pytest.fixture(scope="module")
def small() -> dict[str, Values]:
    """A day of small spheroids by line."""
    study = only(Study.load("invasion2014", SMALL), LOSS, EARLY, "CDH1 knock-down")
    mesenchymal = only(Study.load("invasion2014", SMALL), LOSS)
    return {"4T1": run(study, "4T1"), "MDA-MB-231": run(mesenchymal, "MDA-MB-231")}


def test_loss_of_beta1_takes_cohesion_unless_the_receptor_is_low_from_the_start(
    small: dict[str, Values],
) -> None:
    """In most sets; E-cadherin is that of each cell's own network in the gel."""
    values = small["4T1"]
    lost = values["vehicle", "cohesion"] - values[LOSS, "cohesion"]
    kept = values["vehicle", "cohesion"] - values[EARLY, "cohesion"]
    assert (lost > 0.2).mean() >= SHARE
    assert (kept < 0.1).all()


def test_cells_without_e_cadherin_are_faster_and_know_less_of_each_other(
    small: dict[str, Values],
) -> None:
    """What holds them is gone; what moves them is not."""
    values = small["4T1"]
    assert lower(values, "vehicle", "CDH1 knock-down", "speed") >= SHARE
    assert lower(values, "CDH1 knock-down", "vehicle", "coordination") >= SHARE


def test_a_mesenchymal_line_slows_and_does_not_switch(small: dict[str, Values]) -> None:
    """It has no E-cadherin to lose, only its feet; told of the median set, as some over-adhere."""
    values = small["MDA-MB-231"]
    assert np.median(values[LOSS, "speed"] / values["vehicle", "speed"]) < 1.0 / 1.1
    changed = np.abs(values[LOSS, "cohesion"] - values["vehicle", "cohesion"])
    assert (changed < 0.2).all()


@in_full
def test_how_cells_leave_depends_on_e_cadherin_and_on_room() -> None:
    """Without E-cadherin coordination is lost, and cells leave alone where there is room."""
    study = Study.load("ilina2020")
    dense, loose = run(study, "4T1", 0), run(study, "4T1", 1)
    arm, alone = "CDH1 knock-down", "single_cell_fraction"
    for values in (dense, loose):
        assert lower(values, arm, "vehicle", "coordination") >= SHARE
    assert lower(loose, "vehicle", arm, alone) >= SHARE
    freed = [values[arm, alone] - values["vehicle", alone] for values in (dense, loose)]
    assert (freed[1] > 2.0 * freed[0]).mean() >= SHARE
    assert np.median(dense[arm, alone]) < 0.1 < np.median(loose[arm, alone])


@in_full
def test_a_mesenchymal_line_invades_less_after_loss_of_beta1() -> None:
    """By knock-down and by antibody, over all sets of the study."""
    study = only(Study.load("invasion2014"), LOSS, "anti-β1")
    values = run(study, "MDA-MB-231")
    for arm in (LOSS, "anti-β1"):
        assert lower(values, arm, "vehicle", "invasion") >= SHARE
