"""The networks against libRoadRunner, which reads them as SBML and solves them with CVODE."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from network_values import core_values
from unmoor.random import Stream
from unmoor.signalling.batch import Batch
from unmoor.signalling.networks.adhesion_emt import adhesion_emt

MODEL = Path(__file__).parents[2] / "benchmarks" / "roadrunner_model.py"
STRUCTURES = [(core, path) for core in ("cascading", "ternary") for path in ("tgfb", "itgb3")]
SUBJECTS, HOURS, POINTS = 24, 720.0, 15
TREATED = {"itgb1": 0.15, "tgfb_outside": 0.2, "mir200": 0.7}


@pytest.fixture(scope="module")
def model() -> ModuleType:
    """The module that writes SBML and runs libRoadRunner."""
    pytest.importorskip("roadrunner", reason="libroadrunner is not installed (extra: benchmark)")
    spec = importlib.util.spec_from_file_location("roadrunner_model", MODEL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(("emt_core", "mechanism"), STRUCTURES)
def test_both_solve_the_same_equations_to_1e_6(
    model: ModuleType, emt_core: str, mechanism: str
) -> None:
    """Every species of 24 different cells at 15 times over 30 days, at tight tolerances."""
    network = adhesion_emt(emt_core, mechanism)
    nominal = core_values(emt_core, k_int=1.2, tone=0.4, e_present=0.8)
    ids = np.arange(SUBJECTS, dtype=np.uint64)
    parameters = np.stack(
        [
            nominal[name] * 1.5 ** (2.0 * Stream(11).uniform(ids, f"roadrunner/{name}") - 1.0)
            for name in network.parameters
        ],
        axis=1,
    )
    start = np.tile(network.state_start(), (SUBJECTS, 1))
    values = {name: parameters[:, i] for i, name in enumerate(network.parameters)}
    batch = Batch(network, values, (1, SUBJECTS), rtol=1e-9)
    for label, value in TREATED.items():
        batch.set_input(label, value)
    courses = batch.courses(np.linspace(0.0, HOURS, POINTS + 1)[1:])
    found = np.stack([courses[name][0] for name in network.species], axis=-1)
    runner = model.RoadRunner(network, TREATED)
    expected = runner.courses(parameters, start, HOURS, POINTS, 1e-12)
    assert not batch.failed().any()
    assert float(np.max(np.abs(found / expected - 1.0))) < 1e-6
