"""Fields in balance against sparse elimination, cosine transforms and closed forms."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from unmoor.errors import ParameterError
from unmoor.tissue.lattice import Faces, Lattice, deposit
from unmoor.tissue.quasi_steady import QuasiSteady

DIFFUSION, DECAY, UPTAKE, EDGE = 1e5, 0.1, 10.0, 38.0  # oxygen: µm²/min, 1/min, 1/min, mmHg
LENGTH = float(np.sqrt(DIFFUSION / (DECAY + UPTAKE)))  # how far it reaches into a tissue, µm
TIGHT = 1e-12


def observed_orders(errors: Sequence[float], refinement: float = 2.0) -> list[float]:
    """Order between consecutive grids."""
    return [np.log(a / b) / np.log(refinement) for a, b in pairwise(errors)]


def eliminated(
    lattice: Lattice, faces: Faces, field: np.ndarray, **cells: np.ndarray
) -> np.ndarray:
    """The solution by sparse elimination; ``field`` gives held voxels their values."""
    from scipy.sparse import coo_array, diags
    from scipy.sparse.linalg import spsolve

    number, link = np.arange(field.size).reshape(field.shape), DIFFUSION / lattice.spacing**2
    own = DECAY + cells["uptake"]
    right = cells["source"].copy()
    pairs = []
    ends = [faces[0:2], faces[2:4], faces[4:6] if field.shape[2] > 1 else (None, None)]
    for axis in range(3):
        lines = np.moveaxis(number, axis, 0)
        pairs.append((lines[:-1].ravel(), lines[1:].ravel()))
        for i, value in zip((0, -1), ends[axis], strict=True):
            if value is not None:
                np.moveaxis(own, axis, 0)[i] += 2.0 * link
                np.moveaxis(right, axis, 0)[i] += 2.0 * link * value
    a, b = (np.concatenate(side) for side in zip(*pairs, strict=True))
    one = np.ones(a.size)
    entries = np.concatenate([one, one, -one, -one])
    places = (np.concatenate([a, b, a, b]), np.concatenate([a, b, b, a]))
    system = link * coo_array((entries, places), shape=(field.size,) * 2) + diags(own.ravel())
    held = cells["held"].ravel()
    system = diags(1.0 - held) @ system + diags(1.0 * held)
    return spsolve(system.tocsc(), np.where(held, field.ravel(), right.ravel())).reshape(
        field.shape
    )


@pytest.mark.parametrize(
    ("shape", "faces"),
    [
        ((1, 1, 1), Faces(x_low=3.0)),
        ((2, 1, 1), Faces()),
        ((33, 1, 1), Faces(x_high=1.0)),
        ((1, 1, 30), Faces(z_low=1.0, z_high=4.0)),
        ((17, 31, 1), Faces(y_low=2.0, z_low=9.0)),
        ((13, 16, 11), Faces.all_at(EDGE)),
        ((7, 3, 15), Faces(x_high=1.0, z_low=5.0)),
        ((9, 2, 6), Faces()),
    ],
)
@pytest.mark.parametrize("share_held", [0.0, 0.15])
def test_fields_agree_with_sparse_elimination(
    shape: tuple[int, int, int], faces: Faces, share_held: float
) -> None:
    """Any number of voxels, faces, uptake, sources, and voxels held at values of their own."""
    lattice, chance = Lattice((0.0, 0.0, 0.0), 20.0, shape), np.random.default_rng(1)
    cells = {
        "uptake": np.where(chance.random(shape) < 0.5, chance.lognormal(1.0, 2.0, shape), 0.0),
        "source": 100.0 * chance.normal(size=shape),
        "held": chance.random(shape) < share_held,
    }
    field = chance.random(shape) * EDGE
    expected = eliminated(lattice, faces, field, **cells)
    solver = QuasiSteady(lattice, DIFFUSION, decay=DECAY, faces=faces)
    solved = solver.solve(field, **cells, tolerance=TIGHT)
    assert solved.cycles < 100
    assert field == pytest.approx(expected, rel=1e-9, abs=1e-9 * abs(expected).max())


def test_a_closed_box_agrees_with_the_cosine_transform() -> None:
    """Sources anywhere, decay everywhere: mode by mode."""
    from scipy.fft import dctn, idctn

    lattice = Lattice((0.0, 0.0, 0.0), 20.0, (18, 21, 16))
    source = np.random.default_rng(2).random(lattice.shape)
    rate = np.full(lattice.shape, DECAY)
    for axis, n in enumerate(lattice.shape):
        along = 4.0 * DIFFUSION / 400.0 * np.sin(0.5 * np.pi * np.arange(n) / n) ** 2
        rate += np.expand_dims(along, [a for a in range(3) if a != axis])
    field = lattice.field()
    solver = QuasiSteady(lattice, DIFFUSION, decay=DECAY)
    solver.solve(field, source=source, tolerance=TIGHT)
    assert field == pytest.approx(idctn(dctn(source) / rate), rel=1e-9)


def error_in_a_slab(voxels: int) -> float:
    """Largest error relative to EDGE in 400 µm of cells between two faces held at it."""
    width, faces = 400.0, Faces(x_low=EDGE, x_high=EDGE)
    lattice = Lattice((0.0, 0.0, 0.0), width / voxels, (voxels, 1, 1))
    field = lattice.field(EDGE)
    solver = QuasiSteady(lattice, DIFFUSION, decay=DECAY, faces=faces)
    solver.solve(field, uptake=lattice.field(UPTAKE), tolerance=TIGHT)
    x = lattice.centres()[0][:, None, None] - width / 2.0
    exact = np.cosh(x / LENGTH) / np.cosh(width / 2.0 / LENGTH)
    return float(abs(field / EDGE - exact).max())


def test_oxygen_in_a_slab_of_cells_has_its_closed_form() -> None:
    """Diffusion profile: cosh, within 1 % at 20 µm, second order in space."""
    assert error_in_a_slab(20) < 0.01
    errors = [error_in_a_slab(voxels) for voxels in (40, 80, 160, 320)]
    assert min(observed_orders(errors)) > 1.9


def sphere_in_a_bath(distance: np.ndarray, radius: float) -> np.ndarray:
    """Level at a distance from a consuming sphere's centre; far away, EDGE. Decay in it only."""
    slope = radius / LENGTH / np.tanh(radius / LENGTH)
    at_rim = EDGE / slope
    inside = np.minimum(distance, radius)
    sinh = np.sinh(inside / LENGTH) / np.sinh(radius / LENGTH) * radius / inside
    outside = EDGE - (EDGE - at_rim) * radius / np.maximum(distance, radius)
    return np.where(distance < radius, at_rim * sinh, outside)


def share_within(lattice: Lattice, radius: float) -> np.ndarray:
    """Share of each voxel within a radius of the origin, from 5³ points in it."""
    inner = (np.arange(5) - 2.0) / 5.0 * lattice.spacing
    x, y, z = (np.add.outer(centres, inner).ravel() for centres in lattice.centres())
    squares = x[:, None, None] ** 2 + y[None, :, None] ** 2 + z[None, None, :] ** 2
    nx, ny, nz = lattice.shape
    return (squares < radius**2).reshape(nx, 5, ny, 5, nz, 5).mean(axis=(1, 3, 5))


def test_a_consuming_sphere_in_a_bath_has_its_closed_form() -> None:
    """Within 1 % of the bath everywhere, at 20 µm, from its centre to the box held far out."""
    radius, lattice = 200.0, Lattice.around((0.0, 0.0, 0.0), 41 * 20.0, 20.0)
    x, y, z = np.meshgrid(*lattice.centres(), indexing="ij")
    exact = sphere_in_a_bath(np.sqrt(x * x + y * y + z * z) + 1e-9, radius)
    held = np.full(lattice.shape, True)
    held[1:-1, 1:-1, 1:-1] = False
    field = np.where(held, exact, EDGE)
    uptake = (DECAY + UPTAKE) * share_within(lattice, radius)
    QuasiSteady(lattice, DIFFUSION).solve(field, uptake=uptake, held=held, tolerance=TIGHT)
    assert abs(field - exact).max() < 0.01 * EDGE


@pytest.mark.parametrize("radius", [187.0, 200.0, 213.0])
def test_a_sphere_whose_rim_is_held_is_within_1_per_cent_of_its_closed_form(radius: float) -> None:
    """R sinh(r/L) / (r sinh(R/L)) in voxels of 10 µm, held from a third of one inside the rim on.

    A rim made of voxels is of first order: held from the rim on, the error is 1.6 %.
    """
    lattice = Lattice.around((0.0, 0.0, 0.0), 46 * 10.0, 10.0)
    x, y, z = np.meshgrid(*lattice.centres(), indexing="ij")
    r, field = np.sqrt(x * x + y * y + z * z), lattice.field(EDGE)
    held = r >= radius - lattice.spacing / 3.0
    solver = QuasiSteady(lattice, DIFFUSION, decay=DECAY)
    solver.solve(field, uptake=lattice.field(UPTAKE), held=held, tolerance=TIGHT)
    exact = EDGE * np.sinh(r / LENGTH) / r * radius / np.sinh(radius / LENGTH)
    assert abs(field - exact)[r < 0.8 * radius].max() < 0.01 * EDGE


def test_a_made_up_solution_is_met_at_second_order() -> None:
    """Uptake that varies in space, faces held and closed, any number of voxels; within .1 of 2."""
    errors, edge = [], 400.0
    k = np.pi / edge
    for n in (9, 18, 36, 72):
        lattice = Lattice((0.0, 0.0, 0.0), edge / n, (n, n, 1))
        x, y, _ = np.meshgrid(*lattice.centres(), indexing="ij")
        exact = 2.0 + np.cos(k * x) * np.sin(2.0 * k * y)
        uptake = UPTAKE * (1.0 + np.sin(k * x) * np.cos(k * y))
        source = 5.0 * k * k * DIFFUSION * (exact - 2.0) + (DECAY + uptake) * exact
        solver = QuasiSteady(lattice, DIFFUSION, decay=DECAY, faces=Faces(y_low=2.0, y_high=2.0))
        field = lattice.field()
        solver.solve(field, uptake=uptake, source=source, tolerance=TIGHT)
        errors.append(abs(field - exact).max())
    assert observed_orders(errors) == pytest.approx([2.0] * 3, abs=0.1)


def growing_tissue(exchanges: int) -> Any:
    """Uptake at each exchange of a spheroid that grows by 5 % in radius while its cells stray."""
    lattice, chance = Lattice.around((0.0, 0.0, 0.0), 700.0, 20.0), np.random.default_rng(8)
    count = 9000
    way = chance.normal(size=(count, 3))
    way *= (200.0 * chance.random(count) ** (1 / 3) / np.sqrt((way**2).sum(axis=1)))[:, None]
    slots, volume = np.arange(count, dtype=np.int32), 2494.0
    for n in range(exchanges):
        uptake = lattice.field()
        amount = np.full(count, UPTAKE * volume / lattice.volume)
        deposit(amount, lattice, way * (1.0 + 0.05 * n / exchanges), slots, uptake)
        yield lattice, uptake
        way = way + chance.normal(0.0, 1.0, (count, 3))  # a step of motile cells in 6 min


def test_oxygen_stays_within_a_tenth_of_a_mmhg_of_the_converged_field_while_a_tissue_grows() -> (
    None
):
    """Warm-started at each exchange, in at most three cycles after the first."""
    field, errors, cycles = np.full((35, 35, 35), EDGE), [], []
    for lattice, uptake in growing_tissue(25):
        solver = QuasiSteady(lattice, DIFFUSION, decay=DECAY, faces=Faces.all_at(EDGE))
        cycles.append(solver.solve(field, uptake=uptake).cycles)
        converged = field.copy()
        solver.solve(converged, uptake=uptake, tolerance=TIGHT)
        errors.append(abs(field - converged).max())
    assert max(errors) < 0.1
    assert max(cycles[1:]) <= 3
    assert field.min() < 0.5 * EDGE  # the tissue does starve inside


@pytest.mark.parametrize("cycles", [1, 2, 3, 5])
def test_the_error_said_to_be_left_is_that_left(cycles: int) -> None:
    """To a factor of three, for a guess that is far off."""
    lattice, uptake = next(growing_tissue(1))
    solver = QuasiSteady(lattice, DIFFUSION, decay=DECAY, faces=Faces.all_at(EDGE))
    field, converged = lattice.field(EDGE), lattice.field(EDGE)
    left = solver.solve(field, uptake=uptake, tolerance=0.0, cycles=cycles).left
    solver.solve(converged, uptake=uptake, tolerance=TIGHT)
    assert 1.0 / 3.0 < abs(field - converged).max() / left < 3.0


@pytest.mark.parametrize("shape", [(31, 31, 31), (63, 47, 1), (33, 8, 25), (30, 3, 3), (7, 7, 60)])
@pytest.mark.parametrize("faces", [Faces(), Faces.all_at(1.0)])
def test_a_cycle_takes_away_three_tenths_at_least_whatever_the_number_of_voxels(
    shape: tuple[int, int, int], faces: Faces
) -> None:
    """With cells here and there, whose uptake differs by orders of magnitude."""
    lattice, chance = Lattice((0.0, 0.0, 0.0), 20.0, shape), np.random.default_rng(9)
    uptake = np.where(chance.random(shape) < 0.3, chance.lognormal(1.0, 2.0, shape), 0.0)
    solver = QuasiSteady(lattice, DIFFUSION, faces=faces)
    field, source = lattice.field(), lattice.field(1.0)
    residuals = [
        solver.solve(field, uptake=uptake, source=source, cycles=1, tolerance=0.0).residual
        for _ in range(8)
    ]
    assert (residuals[-1] / residuals[2]) ** (1 / 5) < 0.7


def test_the_workspace_remembers_nothing() -> None:
    """After another problem, held voxels included, a solver gives the bits of a fresh one."""
    lattice, chance = Lattice((0.0, 0.0, 0.0), 20.0, (11, 12, 9)), np.random.default_rng(3)
    uptake, fields = 5.0 * chance.random(lattice.shape), [lattice.field(EDGE) for _ in range(2)]
    solvers = [
        QuasiSteady(lattice, DIFFUSION, decay=DECAY, faces=Faces.all_at(EDGE)) for _ in range(2)
    ]
    other = 100.0 * chance.random(lattice.shape)
    solvers[1].solve(other, uptake=3.0 * uptake, source=uptake, held=uptake > 2.0)
    for solver, field in zip(solvers, fields, strict=True):
        solver.solve(field, uptake=uptake)
    assert fields[0].tobytes() == fields[1].tobytes()


def test_uptake_that_saturates_agrees_with_a_general_root_finder() -> None:
    """Michaelis–Menten uptake on a line, from good and from bad first guesses."""
    from scipy.optimize import root

    lattice = Lattice((0.0, 0.0, 0.0), 20.0, (24, 1, 1))
    most, half, link = np.linspace(0.0, 400.0, 24), 4.0, DIFFUSION / 400.0

    def residual(u: np.ndarray) -> np.ndarray:
        around = np.concatenate([[2.0 * EDGE - u[0]], u, [u[-1]]])
        return link * (around[:-2] - 2.0 * u + around[2:]) - DECAY * u - most * u / (half + u)

    # In logarithms, since the equation has other, negative solutions
    expected = np.exp(root(lambda v: residual(np.exp(v)), np.zeros(24), tol=1e-13).x)
    assert abs(residual(expected)).max() < 1e-8
    assert expected.min() < half < expected.max()  # from plenty to want
    solver = QuasiSteady(lattice, DIFFUSION, decay=DECAY, faces=Faces(x_low=EDGE))
    for guess in (0.0, EDGE, 1000.0):
        field = lattice.field(guess)
        solver.solve_saturating(field, most=most.reshape(24, 1, 1), half=half, tolerance=1e-10)
        assert field.ravel() == pytest.approx(expected, rel=1e-7)


def test_plenty_is_what_faces_say_where_nothing_is_taken_up() -> None:
    """Uptake 0, decay 0: the value of the faces everywhere, from any guess."""
    lattice = Lattice.around((0.0, 0.0, 0.0), 130.0, 20.0)
    field = lattice.field()
    QuasiSteady(lattice, DIFFUSION, faces=Faces.all_at(EDGE)).solve(field, tolerance=TIGHT)
    assert field == pytest.approx(np.full(lattice.shape, EDGE), rel=1e-12)


def test_without_sources_a_closed_box_is_empty() -> None:
    """And stays so: no cycle is needed to see that zero is zero."""
    lattice = Lattice.around((0.0, 0.0, 0.0), 50.0, 20.0)
    solver, field = QuasiSteady(lattice, DIFFUSION, decay=DECAY), lattice.field(1.0)
    solver.solve(field, tolerance=TIGHT)
    assert abs(field).max() < 1e-12
    field = lattice.field()
    solved = solver.solve(field)
    assert (solved.residual, field.any()) == (0.0, False)


def test_a_box_smaller_than_a_voxel_is_one_voxel() -> None:
    """(λ + k + 6 · 2D/h²) u = 6 · 2D/h² · g."""
    lattice = Lattice.around((0.0, 0.0, 0.0), (5.0, 5.0, 5.0), 20.0)
    field = lattice.field()
    solver = QuasiSteady(lattice, DIFFUSION, decay=DECAY, faces=Faces.all_at(EDGE))
    solver.solve(field, uptake=lattice.field(UPTAKE), tolerance=TIGHT)
    walls = 4 * 2.0 * DIFFUSION / 400.0  # across z, one voxel is two-dimensional
    assert field.item() == pytest.approx(EDGE * walls / (DECAY + UPTAKE + walls), rel=1e-12)


def test_voxels_that_are_all_held_stay() -> None:
    """There is nothing to solve."""
    lattice = Lattice.around((0.0, 0.0, 0.0), 60.0, 20.0)
    field = np.random.default_rng(0).random(lattice.shape)
    before = field.copy()
    QuasiSteady(lattice, DIFFUSION).solve(field, held=np.full(lattice.shape, True))
    assert (field == before).all()


@pytest.mark.parametrize("uptake", [None, 0.0])
def test_a_field_that_nothing_fixes_is_refused(uptake: float | None) -> None:
    """No decay, no uptake, all faces closed: one clear error, and the field as it was."""
    lattice = Lattice.around((0.0, 0.0, 0.0), 60.0, 20.0)
    field = lattice.field(2.0)
    given = {} if uptake is None else {"uptake": lattice.field(uptake)}
    with pytest.raises(ParameterError, match=r"decay = 0\.0: expected something that fixes"):
        QuasiSteady(lattice, DIFFUSION).solve(field, source=lattice.field(1.0), **given)
    assert (field == 2.0).all()


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("uptake", -0.1, r"uptake = -0\.1: expected rates >= 0"),
        ("uptake", np.nan, r"uptake\[1, 2, 0\] = nan: expected finite"),
        ("uptake", np.inf, r"uptake\[1, 2, 0\] = inf: expected finite"),
        ("source", np.inf, r"source\[1, 2, 0\] = inf: expected finite"),
        ("field", np.nan, r"field\[1, 2, 0\] = nan: expected finite"),
    ],
)
def test_what_cannot_be_solved_is_told(name: str, value: float, said: str) -> None:
    """And the field is left as it was."""
    lattice = Lattice((0.0, 0.0, 0.0), 20.0, (4, 5, 3))
    arrays = {each: lattice.field(1.0) for each in ("field", "uptake", "source")}
    arrays[name][1, 2, 0] = value
    before = arrays["field"].copy()
    with pytest.raises(ParameterError, match=said):
        QuasiSteady(lattice, DIFFUSION, decay=DECAY).solve(**arrays)
    assert np.array_equal(arrays["field"], before, equal_nan=True)


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("field", np.zeros((3, 5, 4))),
        ("uptake", np.zeros((4, 5, 3), np.float32)),
        ("source", np.zeros((3, 5, 4)).T),
        ("held", np.zeros((4, 5, 3))),
    ],
)
def test_arrays_of_another_lattice_are_refused(name: str, array: np.ndarray) -> None:
    """By shape, precision or order."""
    lattice = Lattice((0.0, 0.0, 0.0), 20.0, (4, 5, 3))
    given: dict[str, np.ndarray] = {"field": lattice.field(), name: array}
    with pytest.raises(ParameterError, match=f"{name} = .*: expected a contiguous array of"):
        QuasiSteady(lattice, DIFFUSION, decay=DECAY).solve(**given)


@pytest.mark.parametrize("number", [-1.0, 0.0, np.nan, np.inf])
def test_coefficients_must_be_numbers_of_nature(number: float) -> None:
    """Neither negative nor without end; nothing diffuses at zero."""
    lattice = Lattice((0.0, 0.0, 0.0), 20.0, (4, 5, 3))
    with pytest.raises(ParameterError, match="expected a positive number"):
        QuasiSteady(lattice, number)
    with pytest.raises(ParameterError, match="expected a positive level"):
        QuasiSteady(lattice, 1.0).solve_saturating(
            lattice.field(), most=lattice.field(), half=number
        )
