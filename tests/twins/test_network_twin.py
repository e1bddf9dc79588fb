"""The compiled stepper against the same equations written by hand and solved by scipy."""

from __future__ import annotations

import ctypes
from types import SimpleNamespace

import numpy as np
import pytest
from network_twins import SPECIES, FloatArray, psmad, solve

from network_values import core_values
from unmoor.errors import ParameterError
from unmoor.random import Stream
from unmoor.signalling.batch import Batch
from unmoor.signalling.codegen import LANES
from unmoor.signalling.network import Network
from unmoor.signalling.networks.adhesion_emt import INPUTS, adhesion_emt
from unmoor.signalling.rosenbrock import GAMMA

STRUCTURES = [(core, path) for core in ("cascading", "ternary") for path in ("tgfb", "itgb3")]
_UNITS = ("E_max", "N_max")  # not part of the equations
_SOURCES = ("mir200_source", "cdh1_source", "tgfb_outside")


def random_cell(network: Network, emt_core: str, number: int) -> tuple[dict[str, float], ...]:
    """Parameters within a factor of 1.4 of the catalog's, and inputs from nothing to twice."""
    uniform = iter(Stream(3, draw=number).uniform(np.arange(500), "twin").tolist())
    values = core_values(emt_core)
    for name in network.parameters:
        if name not in _UNITS:
            values[name] *= 2.0 ** (next(uniform) - 0.5)
    values |= {
        "k_int": 3.0 * next(uniform),
        "tone": 3.0 * next(uniform) * (next(uniform) > 0.5),
        "f": 1.3 * next(uniform),
        "e_present": next(uniform),
        "malignant": float(next(uniform) > 0.2),
    }
    inputs = {
        name: next(uniform) * (next(uniform) > 0.5) if name in _SOURCES else 2.0 * next(uniform)
        for name in INPUTS
    }
    return values, inputs | {"itgb1": 1.2 * next(uniform)}


@pytest.mark.parametrize(("emt_core", "mechanism"), STRUCTURES)
def test_the_stepper_solves_the_equations_as_written(emt_core: str, mechanism: str) -> None:
    """Every species within 1e-6 of the twin at rtol 1e-9, for random cells under new inputs."""
    network, worst = adhesion_emt(emt_core, mechanism), 0.0
    assert network.species == SPECIES[emt_core]
    for number in range(12):
        values, inputs = random_cell(network, emt_core, number)
        batch = Batch(network, values, rtol=1e-9)
        x = batch.state[0, :, 0].copy()
        for hours, given in ((6.0, inputs), (48.0, dict(INPUTS)), (300.0, inputs)):
            for label, value in given.items():
                batch.set_input(label, value)
            batch.advance(hours)
            x = solve(emt_core, mechanism, values, given, x, hours)
            worst = max(worst, float(np.max(np.abs(batch.state[0, :, 0] - x) / np.abs(x))))
        assert not batch.failed().any()
    assert worst < 1e-6


def test_the_twin_itself_does_not_depend_on_its_solver() -> None:
    """LSODA and Radau agree to 1e-8."""
    for emt_core in ("cascading", "ternary"):
        network = adhesion_emt(emt_core, "tgfb")
        values, inputs = random_cell(network, emt_core, 1)
        ends = [
            solve(emt_core, "tgfb", values, inputs, network.state_start(), 48.0, method)
            for method in ("LSODA", "Radau")
        ]
        assert ends[0] == pytest.approx(ends[1], rel=1e-8)


@pytest.mark.parametrize(
    ("emt_core", "e_readout"),
    [("cascading", "cdh1"), ("cascading", "balance"), ("ternary", "cdh1")],
)
def test_readouts_are_what_they_are_called(emt_core: str, e_readout: str) -> None:
    """E and N relative to their maxima, pSMAD, T, β3, miR-200 and ZEB, at the present inputs."""
    network = adhesion_emt(emt_core, "tgfb", e_readout)
    values, inputs = random_cell(network, emt_core, 5)
    batch = Batch(network, values)
    for label, value in inputs.items():
        batch.set_input(label, value)
    batch.advance(24.0)
    p, i = SimpleNamespace(**values), SimpleNamespace(**inputs)
    x = batch.state[0, :, 0]
    now = dict(zip(network.species, x.tolist(), strict=True))
    e = now["E"] / p.E_max
    if e_readout == "balance":
        ratio = now["Z"] / now["R2"]
        e = p.e_present * i.cdh1 * (1 + (p.B_0 / p.B_h) ** 2) / (1 + (ratio / p.B_h) ** 2)
        e += i.cdh1_source
    expected = {
        "e_cadherin": e,
        "mesenchymal": now["N"] / p.N_max,
        "psmad": psmad(emt_core, x, p, i),
        "tgfb": now["T"],
        "itgb3": now["c"],
        "mir200": now["R2"],
        "zeb": now["Z"],
    }
    found = {name: float(value[0, 0]) for name, value in batch.readouts().items()}
    assert list(found) == list(expected)
    assert found == pytest.approx(expected, rel=1e-12)


def _fixed_steps(
    network: Network,
    values: dict[str, float],
    inputs: dict[str, float],
    start: FloatArray,
    hours: float,
    steps: int,
) -> FloatArray:
    """State after equal steps of the generated code, without any step-size control."""
    at, code = network.compiled.layout, network.compiled.code
    call = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
    prepare, slopes, step = call(code.prepare), call(code.slopes), call(code.step)
    w, n = np.zeros((at.size, LANES)), len(network.species)
    for k, name in enumerate(network.parameters):
        w[at.parameters + k] = values[name]
    for k, label in enumerate(network.inputs):
        w[at.inputs + k] = inputs[label]
    w[at.species : at.species + n] = w[at.base : at.base + n] = start[:, None]
    w[at.tolerance : at.tolerance + n + 1] = 1.0
    w[at.shift], w[at.inverse_step] = steps / hours / GAMMA, steps / hours
    prepare(w.ctypes.data)
    for _ in range(steps):
        slopes(w.ctypes.data)
        step(w.ctypes.data)
        w[at.base : at.base + n] = w[at.species : at.species + n]
    return w[at.base : at.base + n, 0].copy()


@pytest.mark.parametrize("emt_core", ["cascading", "ternary"])
def test_the_stepper_is_of_order_five(emt_core: str) -> None:
    """Halving a fixed step divides the error by 2**4.5, halving it again by 2**4.8 or more."""
    network = adhesion_emt(emt_core, "tgfb")
    values = core_values(emt_core, k_int=1.5)
    inputs = dict(INPUTS) | {"itgb1": 0.1, "tgfb_outside": 1.0}
    start = network.state_start()
    exact = solve(emt_core, "tgfb", values, inputs, start, 24.0)
    errors = []
    for steps in (48, 96, 192):
        end = _fixed_steps(network, values, inputs, start, 24.0, steps)
        errors.append(float(np.max(np.abs(end - exact) / network.state_scale())))
    orders = np.log2(np.array(errors[:-1]) / np.array(errors[1:]))
    assert orders[0] > 4.5
    assert orders[1] > 4.8


@pytest.mark.parametrize("emt_core", ["cascading", "ternary"])
def test_a_tighter_tolerance_is_kept(emt_core: str) -> None:
    """Over five decades of rtol the error falls with a slope of at least .8 in logarithms."""
    network = adhesion_emt(emt_core, "tgfb")
    values = core_values(emt_core, k_int=1.5)
    inputs = dict(INPUTS) | {"itgb1": 0.1}
    exact = solve(emt_core, "tgfb", values, inputs, network.state_start(), 240.0)
    tolerances = 10.0 ** -np.arange(4.0, 9.0)
    errors = []
    for rtol in tolerances:
        batch = Batch(network, values, rtol=float(rtol))
        batch.set_input("itgb1", 0.1)
        batch.advance(240.0)
        errors.append(float(np.max(np.abs(batch.state[0, :, 0] / exact - 1.0))))
    slope = np.polyfit(np.log(tolerances), np.log(errors), 1)[0]
    assert slope > 0.8
    assert np.all(np.array(errors) < 30.0 * tolerances)


def _batch(numbers: list[int], clones: int, rtol: float = 1e-6) -> Batch:
    """Subjects that differ in every parameter, with clones that differ in two."""
    network = adhesion_emt("cascading", "tgfb")
    cells = [random_cell(network, "cascading", number) for number in numbers]
    values = {
        name: np.array([[values[name]] for values, _ in cells]) for name in network.parameters
    }
    spread = np.linspace(0.6, 1.6, clones)
    values |= {name: values[name] * spread for name in ("k_int", "beta1_tot")}
    batch = Batch(network, values, (len(numbers), clones), rtol)
    for label in INPUTS:
        batch.set_input(label, np.array([[inputs[label]] for _, inputs in cells]))
    return batch


@pytest.mark.parametrize("clones", [1, 5, 8, 13])
def test_a_subject_has_the_same_bits_in_every_batch(clones: int) -> None:
    """Alone, among others, in any order, and whether or not its clones fill whole blocks."""
    numbers = [4, 0, 9, 2, 7]
    together, reordered = _batch(numbers, clones), _batch(numbers[::-1], clones)
    alone = [_batch([number], clones) for number in numbers]
    for hours in (0.7, 24.0, 200.0):
        for batch in (together, reordered, *alone):
            batch.advance(hours)
        for name in ("E", "Z"):
            bits = together.species()[name]
            assert reordered.species()[name][::-1].tobytes() == bits.tobytes()
            assert np.vstack([one.species()[name] for one in alone]).tobytes() == bits.tobytes()
        zeb = together.readouts()["zeb"]
        assert np.vstack([one.readouts()["zeb"] for one in alone]).tobytes() == zeb.tobytes()


def test_a_cell_has_the_same_bits_beside_any_others() -> None:
    """Whatever else is in its block of eight, and in whatever column it stands."""
    network = adhesion_emt("cascading", "tgfb")
    cells = [random_cell(network, "cascading", number) for number in range(24)]

    def run(order: list[int]) -> dict[int, bytes]:
        batch = Batch(network, _side_by_side([cells[k][0] for k in order]), (1, len(order)))
        for label, values in _side_by_side([cells[k][1] for k in order]).items():
            batch.set_input(label, values)
        for hours in (0.7, 24.0, 200.0):
            batch.advance(hours)
        states = batch.state.transpose(0, 2, 1).reshape(-1, len(network.species))
        return {k: states[i].tobytes() for i, k in enumerate(order)}

    expected = run(list(range(24)))
    shuffled = np.argsort(Stream(4).uniform(np.arange(24), "shuffle")).tolist()
    assert run(shuffled) == expected
    assert run([9]) == {9: expected[9]}


def _side_by_side(cells: list[dict[str, float]]) -> dict[str, np.ndarray]:
    """One subject whose clones are the cells, shape (1, cells) each."""
    return {name: np.array([[cell[name] for cell in cells]]) for name in cells[0]}


@pytest.mark.parametrize("clones", [1, 5, 8, 13])
def test_courses_are_what_advancing_from_time_to_time_gives(clones: int) -> None:
    """Species and readouts at each time within 1e-7 at rtol 1e-9, and the same cells after it."""
    times = np.array([0.0, 0.5, 24.0, 25.0, 300.0])
    followed, advanced = (_batch([4, 0, 9, 2, 7], clones, rtol=1e-9) for _ in range(2))
    courses = followed.courses(times)
    assert set(courses) == {*followed.network.readouts, *followed.network.species}
    for i, hours in enumerate(np.diff(times, prepend=0.0)):
        advanced.advance(float(hours))
        for name, values in (advanced.readouts() | advanced.species()).items():
            assert courses[name].shape == (5, clones, times.size)
            assert np.allclose(courses[name][:, :, i], values, rtol=1e-7, atol=0.0)
    for name, values in followed.species().items():
        assert (values == courses[name][:, :, -1]).all()


def test_courses_have_the_same_bits_in_every_batch() -> None:
    """Alone, among others and in any order, although lanes take up cell after cell."""
    numbers, times = [4, 0, 9, 2, 7, 1, 3], [1.0, 30.0, 400.0]
    together = _batch(numbers, 5).courses(times)
    reordered = _batch(numbers[::-1], 5).courses(times)
    alone = [_batch([number], 5).courses(times) for number in numbers]
    for name, values in together.items():
        assert reordered[name][::-1].tobytes() == values.tobytes()
        assert np.concatenate([one[name] for one in alone]).tobytes() == values.tobytes()


def test_times_that_do_not_increase_are_refused() -> None:
    """Before anything is computed."""
    for times in ([], [2.0, 1.0], [1.0, 1.0], [-1.0], [1.0, np.nan]):
        with pytest.raises(ParameterError, match="times must increase from 0 on"):
            _batch([1], 1).courses(times)


def test_numbers_handed_out_do_not_change_later() -> None:
    """What a batch returned stays as it was while the batch goes on."""
    batch = _batch([4], 1)
    batch.advance(1.0)
    species, readouts = batch.species()["E"], batch.readouts()["zeb"]
    before = float(species[0, 0]), float(readouts[0, 0])
    batch.advance(100.0)
    assert (float(species[0, 0]), float(readouts[0, 0])) == before


def test_a_failed_subject_harms_no_other() -> None:
    """A subject with impossible numbers gets a status; its neighbours keep their bits."""
    network = adhesion_emt("cascading", "tgfb")
    values = core_values("cascading")
    alone, both = Batch(network, values), Batch(network, values, (3, 1))
    both.set_input("tgfb_outside", np.array([[0.0], [np.nan], [0.0]]))
    alone.advance(100.0)
    both.advance(100.0)
    assert (both.failed() != 0).tolist() == [False, True, False]
    for name, value in alone.species().items():
        assert both.species()[name][[0, 2], 0].tolist() == [float(value[0, 0])] * 2


def test_a_cell_that_fails_leaves_its_subject_without_courses_from_there_on() -> None:
    """Its neighbours keep their bits; a subject that has failed goes no further."""
    values = core_values("cascading")
    alone, both = (Batch(adhesion_emt(), values, (n, 1)) for n in (1, 3))
    both.set_input("tgfb_outside", np.array([[0.0], [np.nan], [0.0]]))
    for _ in range(2):
        expected, found = alone.courses([10.0, 100.0]), both.courses([10.0, 100.0])
        assert (both.failed() != 0).tolist() == [False, True, False]
        assert np.isnan(found["E"][1]).all()
        assert np.isfinite(found["E"][[0, 2]]).all()
        assert (found["E"][[0, 2], 0] == expected["E"][0, 0]).all()


def test_a_cell_is_where_it_was_after_no_time() -> None:
    """Advancing by 0 h moves no species and computes the readouts."""
    batch = _batch([1, 2], 3)
    before = batch.state.copy()
    batch.advance(0.0)
    assert batch.state.tobytes() == before.tobytes()
    assert (batch.readouts()["mir200"] == batch.species()["R2"]).all()
