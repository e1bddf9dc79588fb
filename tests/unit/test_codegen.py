"""Generated machine code: the same everywhere, made once, right, and never a reason to fail."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import unmoor
from network_values import core_values
from unmoor import catalog, compilation
from unmoor.errors import ParameterError
from unmoor.random import Stream
from unmoor.signalling import codegen
from unmoor.signalling.batch import Batch
from unmoor.signalling.network import Network
from unmoor.signalling.networks.adhesion_emt import INPUTS, adhesion_emt
from unmoor.signalling.steady import steady_state, time_course

STRUCTURES = [(core, path) for core in ("cascading", "ternary") for path in ("tgfb", "itgb3")]
DECAY = """
loss  = k*max(0, X - floor)
dX/dt = made - loss
dY/dt = X^2/(1 + X^2) - Y
"""
PROGRAM = """
import hashlib
from unmoor.signalling.codegen import generate
from unmoor.signalling.networks.adhesion_emt import adhesion_emt

for core in ("cascading", "ternary"):
    text, layout = generate(adhesion_emt(core, "itgb3").system)
    print(hashlib.sha256(text.encode()).hexdigest(), layout)
"""
SOLVE = """
import sys
from pathlib import Path
from unmoor import compilation
from unmoor.signalling.network import Network
from unmoor.signalling.steady import steady_state

compilation._bases = lambda: iter([Path(sys.argv[1])])
compilation.cache_folder.cache_clear()
network = Network("decay", "dX/dt = a - X", {}, {"x": "X"}, {"X": 1.0}, {"X": 2.0})
print(steady_state(network, {"a": 2.0})["X"])
"""


def decay() -> Network:
    """A network of two species; a new object, so that nothing is remembered."""
    readouts = {"x": "X", "twice": "2*Y", "least": "min(X, Y, made)", "fixed": "3"}
    typical = {"X": 1.0, "Y": 1.0}
    return Network("decay", DECAY, {"made": 1.0, "unused": 1.0}, readouts, typical, typical)


@pytest.fixture
def in_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """A folder that is the only place for caches in this process."""
    monkeypatch.setattr(compilation, "_bases", lambda: iter([tmp_path / "caches"]))
    compilation.cache_folder.cache_clear()
    yield tmp_path / "caches"
    compilation.cache_folder.cache_clear()


def objects(folder: Path) -> dict[str, int]:
    """Stored object code below a folder, with the time at which each file was made."""
    return {path.name: path.stat().st_mtime_ns for path in folder.rglob("*.o")}


def test_code_does_not_depend_on_the_hash_seed() -> None:
    """Three processes with different orders of sets generate the same text."""
    environment = {**os.environ, "PYTHONPATH": str(Path(unmoor.__file__).parents[1])}
    running = [
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM],
            stdout=subprocess.PIPE,
            text=True,
            env={**environment, "PYTHONHASHSEED": seed},
        )
        for seed in ("0", "1", "2")
    ]
    texts = [process.communicate()[0] for process in running]
    assert [process.returncode for process in running] == [0, 0, 0]
    assert len(texts[0].splitlines()) == 2
    assert texts[0] == texts[1] == texts[2]


def test_code_is_generated_once(in_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second network of the same text loads the stored object, without reading equations."""
    values = {"k": 2.0, "floor": 0.5}
    first = steady_state(decay(), values)
    stored = objects(in_folder)
    assert len(stored) == 1
    monkeypatch.setattr(codegen, "generate", lambda _: pytest.fail("generated again"))
    assert steady_state(decay(), values) == first
    assert objects(in_folder) == stored


def test_a_changed_network_is_generated_anew(in_folder: Path) -> None:
    """Equations, inputs and readouts are part of what is stored; values are not."""
    base = decay()
    assert steady_state(base, {"k": 2.0, "floor": 0.5})["X"] == pytest.approx(1.0)
    steady_state(base, {"k": 4.0, "floor": 0.5})
    assert len(objects(in_folder)) == 1
    for changes in (
        {"equations": DECAY.replace("- Y", "- 2*Y")},
        {"inputs": {"made": 1.0, "floor": 0.5}},
        {"readouts": {"x": "2*X"}},
    ):
        before = len(objects(in_folder))
        parts = {"equations": DECAY, "inputs": base.inputs, "readouts": base.readouts, **changes}
        other = Network("decay", scale=base.scale, start=base.start, **parts)  # type: ignore[arg-type]
        steady_state(other, {"k": 2.0, "floor": 0.5})
        assert len(objects(in_folder)) == before + 1


def solve_in_new_process(folder: Path) -> subprocess.CompletedProcess[str]:
    """Solve a network in a process whose only place for code of networks is a folder."""
    return subprocess.run(
        [sys.executable, "-c", SOLVE, str(folder)],
        capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(Path(unmoor.__file__).parents[1])},
    )  # fmt: skip


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache with the code of one network."""
    folder = tmp_path_factory.mktemp("stored")
    done = solve_in_new_process(folder)
    assert (done.returncode, done.stdout) == (0, "2.0\n"), done.stderr
    return folder


@pytest.mark.parametrize("kept", [0, 300])
def test_damaged_stored_code_costs_a_compilation(stored: Path, tmp_path: Path, kept: int) -> None:
    """Power loss leaves empty or short files; they are replaced, and never run."""
    files = sorted(stored.rglob("networks/*"))
    for number, file in enumerate(files):
        folder = tmp_path / str(number)
        shutil.copytree(stored, folder)
        damaged = folder / file.relative_to(stored)
        damaged.write_bytes(file.read_bytes()[:kept])
        done = solve_in_new_process(folder)
        assert (done.returncode, done.stdout) == (0, "2.0\n"), done.stderr
        assert damaged.stat().st_size == file.stat().st_size
    assert files


def test_where_code_cannot_be_stored_a_network_still_works(in_folder: Path) -> None:
    """As on a full disk: here a file lies where the folder should be."""
    folder = compilation.cache_folder()
    (folder / "networks").touch()
    assert folder.parent == in_folder
    assert steady_state(decay(), {"k": 2.0, "floor": 0.5})["X"] == pytest.approx(1.0)


def test_without_any_cache_folder_a_network_still_works(in_folder: Path) -> None:
    """Nothing can be written anywhere: compiled in this process, for this process."""
    in_folder.touch()
    assert steady_state(decay(), {"k": 2.0, "floor": 0.5})["X"] == pytest.approx(1.0)


def test_a_small_network_has_its_closed_form() -> None:
    """Linear above a floor, saturating production, readouts of species, inputs and constants."""
    values = {"k": 2.0, "floor": 0.5}
    times = np.array([0.3, 1.0, 4.0])
    course = time_course(decay(), values, times[-1:], {"made": 3.0})
    end = 2.0 - 1.0 * np.exp(-2.0 * times[-1])
    assert course["X"][-1] == pytest.approx(end, rel=1e-7)
    state = steady_state(decay(), values, {"made": 3.0, "unused": 7.0})
    assert state["X"] == pytest.approx(2.0, rel=1e-9)
    assert state["Y"] == pytest.approx(0.8, rel=1e-9)
    assert state["twice"] == pytest.approx(1.6, rel=1e-9)
    assert state["least"] == pytest.approx(0.8, rel=1e-9)
    assert state["fixed"] == 3.0


def test_no_name_of_a_network_clashes_with_those_of_the_generator() -> None:
    """A parameter may be called as anything inside the generated code."""
    for name in ("constant_0", "constant_1", "x0", "v0", "w"):
        equations = f"dX/dt = a*b - {name}*X"
        network = Network("clash", equations, {}, {"x": "X"}, {"X": 1.0}, {"X": 1.0})
        values = {"a": 2.0, "b": 3.0, name: 2.0}
        assert steady_state(network, values)["X"] == pytest.approx(3.0, rel=1e-9)


def test_missing_values_and_unknown_inputs_are_named() -> None:
    """Before anything is computed."""
    with pytest.raises(ParameterError, match=r"decay: parameters \['floor'\] have no value"):
        Batch(decay(), {"k": 1.0})
    with pytest.raises(ParameterError, match="has no input 'itgb1'"):
        Batch(decay(), {"k": 1.0, "floor": 0.0}).set_input("itgb1", 0.5)


def test_unknown_options_are_named() -> None:
    """And the option that has no equation under the other core."""
    for options in (("quaternary",), ("cascading", "magic"), ("cascading", "tgfb", "zeb")):
        with pytest.raises(ParameterError, match="is unknown; allowed: "):
            adhesion_emt(*options)
    with pytest.raises(ParameterError, match="cascading core only"):
        adhesion_emt("ternary", "tgfb", "balance")


def latin_hypercube(columns: int, rows: int, purpose: str) -> np.ndarray:
    """One number in each of ``rows`` equal parts of 0 … 1 a column, shape (columns, rows)."""
    ids = np.arange(columns * rows, dtype=np.uint64)
    order = np.argsort(Stream(5).uniform(ids, f"{purpose}/order").reshape(columns, rows), axis=1)
    inside = Stream(5).uniform(ids, f"{purpose}/inside").reshape(columns, rows)
    square: np.ndarray = (order + inside) / rows
    return square


@pytest.mark.parametrize(("emt_core", "mechanism"), STRUCTURES)
def test_species_stay_finite_and_not_negative(emt_core: str, mechanism: str) -> None:
    """2000 cells over the ranges of all tables and inputs, from hours to steady state.

    Numbers of the published cores, which are not drawn, vary by half either way.
    """
    network, cells = adhesion_emt(emt_core, mechanism), 2000
    ranges = {
        "k_int": (0.3, 3.0), "tone": (0.01, 3.0), "f": (0.0, 1.3), "e_present": (0.0, 1.0),
        "beta1_tot": (0.25, 4.0), "c0": (0.05, 1.0), "malignant": (0.0, 1.0),
    }  # fmt: skip
    for kind, name in (("closures", "adhesion"), ("closures", "cell"), ("networks", emt_core)):
        for row in catalog.table(kind, name).values():
            fixed = (row.value / 1.5, row.value * 1.5)
            ranges.setdefault(row.id, (row.low, row.high) if row.low < row.high else fixed)
    outside = {"tgfb_outside": (0.0, 3.0), "itgb3": (0.0, 5.0)}
    inputs = {
        label: outside.get(label, (0.0, 2.0 if value else 1.0)) for label, value in INPUTS.items()
    }
    names = [*network.parameters, *inputs]
    square = latin_hypercube(len(names), cells, f"{emt_core}/{mechanism}")
    drawn = {}
    for name, share in zip(names, square, strict=True):
        low, high = ranges[name] if name in network.parameters else inputs[name]
        drawn[name] = (low + (high - low) * share).reshape(-1, 8)
    batch = Batch(network, core_values(emt_core) | drawn, (cells // 8, 8))
    for label in inputs:
        batch.set_input(label, drawn[label])
    for hours in (0.1, 24.0, 14 * 24.0, 1e4):
        batch.advance(hours)
        assert not batch.failed().any()
        for name, scale in network.scale.items():
            values = batch.species()[name]
            assert np.isfinite(values).all()
            assert values.min() >= -1e-6 * scale
        for values in batch.readouts().values():
            assert np.isfinite(values).all()
