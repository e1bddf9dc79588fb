"""Diffusion in time against closed forms, cosine transforms, and a slow readable twin."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest

from unmoor.errors import ParameterError
from unmoor.tissue.diffusion import Diffusion, Ledger
from unmoor.tissue.lattice import Faces, Lattice
from unmoor.tissue.quasi_steady import QuasiSteady

DIFFUSION, DECAY, EDGE = 1000.0, 0.016, 400.0  # of the order of TGFβ in tissue


def box(counts: Sequence[int], edge: float = EDGE) -> Lattice:
    """A box with its corner at the origin and ``edge`` along x."""
    return Lattice((0.0, 0.0, 0.0), edge / counts[0], (counts[0], counts[1], counts[2]))


def observed_orders(errors: Sequence[float], refinement: float = 2.0) -> list[float]:
    """Order between consecutive grids."""
    return [np.log(a / b) / np.log(refinement) for a, b in pairwise(errors)]


def twin(
    field: np.ndarray,
    lattice: Lattice,
    step: float,
    faces: Faces,
    decay: float,
    **cells: np.ndarray,
) -> np.ndarray:
    """One step, as the equations say it: a dense matrix for each line."""
    field, zero = field.copy(), np.zeros(lattice.shape)
    uptake, source = cells.get("uptake", zero), cells.get("source", zero)
    held = cells.get("held", zero > 1.0)
    link = step * DIFFUSION / lattice.spacing**2
    ends = [faces[0:2], faces[2:4], faces[4:6] if lattice.shape[2] > 1 else (None, None)]
    axes = [a for a in range(3) if lattice.shape[a] > 1 or any(e is not None for e in ends[a])]
    axes = axes or [0]
    for axis in axes:
        n = lattice.shape[axis]
        lines = [np.moveaxis(a, axis, 0).reshape(n, -1) for a in (field, uptake, source, held)]
        solved = lines[0].copy()
        for line in range(solved.shape[1]):
            u, rates, s, keeps = (a[:, line] for a in lines)
            matrix = np.diag(1.0 + step / len(axes) * (decay + rates))
            right = u + step / len(axes) * s
            for i in range(n - 1):
                matrix[i : i + 2, i : i + 2] += link * np.array([[1.0, -1.0], [-1.0, 1.0]])
            for i, value in zip((0, n - 1), ends[axis], strict=True):
                if value is not None:
                    matrix[i, i] += 2.0 * link
                    right[i] += 2.0 * link * value
            matrix[keeps], right[keeps] = np.eye(n)[keeps], u[keeps]
            solved[:, line] = np.linalg.solve(matrix, right)
        moved = np.moveaxis(field, axis, 0)
        moved[...] = solved.reshape(moved.shape)
    return field


@pytest.mark.parametrize(
    ("shape", "faces"),
    [
        ((7, 1, 1), Faces(x_low=2.0)),
        ((1, 6, 1), Faces()),
        ((5, 8, 1), Faces(x_high=1.0, y_low=0.0, z_low=9.0)),
        ((4, 5, 3), Faces(x_low=1.0, y_high=3.0, z_low=2.0, z_high=0.5)),
        ((3, 70, 2), Faces.all_at(1.0)),
        ((1, 1, 1), Faces(y_low=4.0)),
        ((1, 1, 1), Faces()),
    ],
)
@pytest.mark.parametrize("with_held", [False, True])
def test_steps_agree_with_dense_elimination(
    shape: tuple[int, int, int], faces: Faces, with_held: bool
) -> None:
    """Any number of voxels, faces, cell sinks and sources, held voxels."""
    lattice, chance = Lattice((0.0, 0.0, 0.0), 20.0, shape), np.random.default_rng(4)
    cells = {"uptake": chance.random(shape) * 3.0, "source": chance.normal(size=shape)}
    if with_held:
        cells["held"] = chance.random(shape) < 0.3
    field = chance.random(shape) * 5.0
    expected = field
    for _ in range(3):
        expected = twin(expected, lattice, 0.7, faces, DECAY, **cells)
    Diffusion(lattice, DIFFUSION, decay=DECAY, faces=faces).advance(field, 0.7, 3, **cells)
    assert field == pytest.approx(expected, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("shape", [(24, 1, 1), (12, 10, 1), (8, 6, 9)])
def test_a_closed_box_agrees_with_the_cosine_transform(shape: tuple[int, int, int]) -> None:
    """Every mode shrinks by its own factor a step; with short steps it decays exponentially."""
    from scipy.fft import dctn, idctn

    lattice = box(shape)
    start = np.random.default_rng(5).random(shape)
    rates = [
        4.0 * DIFFUSION / lattice.spacing**2 * np.sin(0.5 * np.pi * np.arange(n) / n) ** 2
        for n in shape
    ]
    axes = [axis for axis in range(3) if shape[axis] > 1]
    step, time = 0.5, 8.0
    factor, rate = np.ones(shape), np.full(shape, DECAY)
    for axis in axes:
        along = np.expand_dims(rates[axis], [a for a in range(3) if a != axis])
        factor = factor / (1.0 + step * (along + DECAY / len(axes)))
        rate = rate + along
    field, solver = start.copy(), Diffusion(lattice, DIFFUSION, decay=DECAY)
    solver.advance(field, step, round(time / step))
    exact_steps = idctn(dctn(start) * factor ** (time / step))
    assert field == pytest.approx(exact_steps, rel=1e-11)

    exact, errors = idctn(dctn(start) * np.exp(-rate * time)), []
    for steps in (100, 200, 400, 800):
        field = start.copy()
        solver.advance(field, time / steps, steps)
        errors.append(abs(field - exact).max())
    assert observed_orders(errors) == pytest.approx([1.0] * 3, abs=0.1)
    assert errors[-1] < 0.01 * exact.max()


@pytest.mark.parametrize("dimensions", [1, 2, 3])
@pytest.mark.parametrize("is_open", [False, True])
def test_an_eigenmode_decays_as_it_should(dimensions: int, is_open: bool) -> None:
    """Second order in space (steps shrink with its square), within 1 % on the finest grid."""
    time, errors, exact = 5.0, [], 0.0
    wave = np.sin if is_open else np.cos
    for n in (4, 8, 16, 32):
        lattice = box([n] * dimensions + [1] * (3 - dimensions))
        mode = lattice.field(1.0)
        for axis, centres in enumerate(lattice.centres()[:dimensions]):
            others = [a for a in range(3) if a != axis]
            mode = mode * np.expand_dims(wave(np.pi * centres / EDGE), others)
        faces = [0.0 if is_open else None] * (2 * dimensions) + [None] * (6 - 2 * dimensions)
        field, steps = mode.copy(), n * n // 8
        solver = Diffusion(lattice, DIFFUSION, decay=DECAY, faces=Faces(*faces))
        solver.advance(field, time / steps, steps)
        exact = np.exp(-(DECAY + dimensions * DIFFUSION * (np.pi / EDGE) ** 2) * time)
        errors.append(abs(field - exact * mode).max())
    assert min(observed_orders(errors)[1:]) > 1.9
    assert errors[-1] < 0.01 * exact


def test_a_point_source_spreads_as_a_gaussian() -> None:
    """All at once at a point of a large box, decaying, within 1 % of its peak everywhere."""
    lattice, time = Lattice.around((0.0, 0.0, 0.0), 31 * 20.0, 20.0), 3.0
    field = lattice.field()
    field[15, 15, 15] = 1.0
    Diffusion(lattice, DIFFUSION, decay=DECAY).advance(field, time / 100, 100)
    x, y, z = np.meshgrid(*lattice.centres(), indexing="ij")
    spread = 4.0 * DIFFUSION * time
    peak = lattice.volume / (np.pi * spread) ** 1.5 * np.exp(-DECAY * time)
    error = abs(field - peak * np.exp(-(x * x + y * y + z * z) / spread))
    # The second-order error of a point on voxels of a fifth of its spread is what is left
    assert error.max() < 0.05 * peak
    assert error[abs(x) > 60.0].max() < 0.01 * peak


@pytest.mark.parametrize("step", [0.3, 1000.0])
def test_a_line_with_decay_settles_on_its_closed_form(step: float) -> None:
    """With both ends held at 1: cosh, second order in space, whatever the step."""
    errors, length = [], np.sqrt(DIFFUSION / DECAY)
    for n in (10, 20, 40, 80):
        lattice = box((n, 1, 1))
        x = lattice.centres()[0][:, None, None]
        exact = np.cosh((x - EDGE / 2.0) / length) / np.cosh(EDGE / 2.0 / length)
        field = exact.copy() if step < 1.0 else lattice.field()
        solver = Diffusion(lattice, DIFFUSION, decay=DECAY, faces=Faces(x_low=1.0, x_high=1.0))
        solver.advance(field, step, 500)
        errors.append(abs(field / exact - 1.0).max())
    assert min(observed_orders(errors)) > 1.9
    assert errors[1] < 0.01


def made_up(lattice: Lattice, time: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A field that was made up, its change in time, and its Laplacian; faces of y at 1."""
    x, y, _ = np.meshgrid(*lattice.centres(), indexing="ij")
    k = np.pi / EDGE
    shape = np.cos(k * x) * np.sin(2.0 * k * y)
    swing = np.exp(-0.2 * time)
    return 1.0 + swing * shape, -0.2 * swing * shape, -5.0 * k * k * swing * shape


def stepped(n: int, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """The field at 4 min, with an uptake that varies in space, and what it should be."""
    lattice, time = box((n, n, 1)), 4.0
    x, y, _ = np.meshgrid(*lattice.centres(), indexing="ij")
    uptake = 0.3 * (1.0 + np.sin(np.pi * x / EDGE) * np.cos(np.pi * y / EDGE))
    solver = Diffusion(lattice, DIFFUSION, decay=DECAY, faces=Faces(y_low=1.0, y_high=1.0))
    field, step = made_up(lattice, 0.0)[0], time / steps
    for i in range(steps):
        exact, change, laplacian = made_up(lattice, (i + 1) * step)
        source = change - DIFFUSION * laplacian + (DECAY + uptake) * exact
        solver.advance(field, step, uptake=uptake, source=source)
    return field, made_up(lattice, time)[0]


def test_a_made_up_solution_is_met_at_second_order_in_space() -> None:
    """Steps shrink with the square of the spacing; order within .1 of 2."""
    errors = [float(abs(np.subtract(*stepped(n, n * n // 8))).max()) for n in (8, 16, 32, 64)]
    assert observed_orders(errors) == pytest.approx([2.0] * 3, abs=0.1)


def test_a_made_up_solution_is_met_at_first_order_in_time() -> None:
    """On one grid, by what halving the step changes; order within .1 of 1."""
    fields = [stepped(24, steps)[0] for steps in (32, 64, 128, 256, 512)]
    changes = [float(abs(b - a).max()) for a, b in pairwise(fields)]
    assert observed_orders(changes) == pytest.approx([1.0] * 3, abs=0.1)


def cells_in(lattice: Lattice) -> dict[str, np.ndarray]:
    """Sinks, sources and some held voxels, at random."""
    chance = np.random.default_rng(6)
    uptake = np.where(chance.random(lattice.shape) < 0.2, 5.0, 0.0)
    source = np.where(chance.random(lattice.shape) < 0.1, 2.0, 0.0)
    return {"uptake": uptake, "source": source, "held": chance.random(lattice.shape) < 0.02}


@pytest.mark.parametrize("faces", [Faces(), Faces.all_at(3.0), Faces(x_low=0.0, y_high=7.0)])
def test_molecules_are_accounted_for(faces: Faces) -> None:
    """Produced − consumed − decayed − outflow: 1e-10 of the content a step, 1e-6 over a run."""
    lattice = box((17, 20, 9))
    cells, solver = cells_in(lattice), Diffusion(lattice, DIFFUSION, decay=DECAY, faces=faces)
    free, field, gains = ~cells["held"], lattice.field(3.0), 0.0
    first = float(field[free].sum())
    for _ in range(150):
        before = float(field[free].sum())
        ledger = solver.advance(field, 0.3, **cells)
        assert min(ledger.produced, ledger.consumed, ledger.decayed) > 0.0
        after = float(field[free].sum())
        assert after - before == pytest.approx(ledger.gain, abs=1e-10 * before)
        gains += ledger.gain
    assert float(field[free].sum()) - first == pytest.approx(gains, abs=1e-6 * first)


def test_each_entry_of_the_ledger_is_what_it_says() -> None:
    """One voxel, one step, by hand: (1 + dt(k + λ) + 2 dt D/h²) u = u0 + dt (s + 2 D/h² g)."""
    lattice = Lattice((0.0, 0.0, 0.0), 20.0, (1, 1, 1))
    field, rate, source = lattice.field(1.0), lattice.field(0.5), lattice.field(2.0)
    solver = Diffusion(lattice, 100.0, decay=0.1, faces=Faces(x_low=4.0))
    ledger = solver.advance(field, 0.2, uptake=rate, source=source)
    u = (1.0 + 0.2 * (2.0 + 0.5 * 4.0)) / (1.0 + 0.2 * (0.5 + 0.1) + 0.2 * 0.5)
    assert field.item() == pytest.approx(u, rel=1e-14)
    expected = Ledger(0.4, 0.2 * 0.5 * u, 0.2 * 0.1 * u, 0.2 * 0.5 * (u - 4.0))
    assert ledger == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize("step", [0.01, 6.0, 1e6])
def test_no_step_makes_less_than_nothing_or_more_than_there_was(step: float) -> None:
    """Without sources, values remain between zero and the largest."""
    lattice = box((9, 8, 7))
    field = np.where(np.random.default_rng(7).random(lattice.shape) < 0.1, 1.0, 0.0)
    cells = cells_in(lattice)
    solver = Diffusion(lattice, DIFFUSION, decay=DECAY, faces=Faces(x_high=0.5))
    solver.advance(field, step, 5, uptake=cells["uptake"])
    assert field.min() >= 0.0
    assert field.max() <= 1.0


def test_settled_fields_approach_those_in_balance_as_steps_shrink() -> None:
    """The splitting moves the steady state in space by an amount of first order in the step."""
    lattice = box((9, 8, 7), edge=180.0)
    cells, faces = cells_in(lattice), Faces.all_at(3.0)
    balanced = lattice.field(3.0)
    QuasiSteady(lattice, DIFFUSION, decay=DECAY, faces=faces).solve(
        balanced, **cells, tolerance=1e-12
    )
    field, errors = lattice.field(3.0), []
    solver = Diffusion(lattice, DIFFUSION, decay=DECAY, faces=faces)
    for step, steps in ((0.04, 200), (0.02, 100), (0.01, 200), (0.005, 400)):
        solver.advance(field, step, steps, **cells)
        errors.append(abs(field - balanced).max())
    assert observed_orders(errors) == pytest.approx([1.0] * 3, abs=0.1)
    assert errors[-1] < 0.01 * balanced.max()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"uptake": -0.1}, r"uptake = -0\.1: expected rates >= 0"),
        ({"uptake": np.nan}, r"uptake\[1, 2, 0\] = nan: expected finite"),
        ({"source": np.inf}, r"source\[1, 2, 0\] = inf: expected finite"),
        ({"field": np.nan}, r"field\[1, 2, 0\] = nan: expected finite"),
        ({"step": 0.0}, r"step = 0\.0: expected a positive time"),
    ],
)
def test_what_cannot_be_stepped_is_told(wrong: dict[str, float], said: str) -> None:
    """And the field is left as it was."""
    lattice = box((4, 5, 3))
    arrays = {name: lattice.field(1.0) for name in ("field", "uptake", "source")}
    for name in arrays.keys() & wrong.keys():
        arrays[name][1, 2, 0] = wrong[name]
    before = arrays["field"].copy()
    with pytest.raises(ParameterError, match=said):
        Diffusion(lattice, DIFFUSION).advance(step=wrong.get("step", 1.0), **arrays)
    assert np.array_equal(arrays["field"], before, equal_nan=True)


@pytest.mark.parametrize("array", [np.zeros((3, 5, 4)), np.zeros((4, 5, 3), np.float32)])
def test_a_field_of_another_lattice_is_refused(array: np.ndarray) -> None:
    """By shape or by precision."""
    with pytest.raises(ParameterError, match=r"expected a contiguous array of float64, shape"):
        Diffusion(box((4, 5, 3)), DIFFUSION).advance(array, 1.0)


@pytest.mark.parametrize("number", [-1.0, np.nan, np.inf])
def test_coefficients_must_be_numbers_of_nature(number: float) -> None:
    """Neither negative nor without end."""
    with pytest.raises(ParameterError, match="expected a number >= 0"):
        Diffusion(box((4, 5, 3)), number)
    with pytest.raises(ParameterError, match="expected a number >= 0"):
        Diffusion(box((4, 5, 3)), DIFFUSION, decay=number)
