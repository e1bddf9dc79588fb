"""Sinks of the PerMedCoE unit tests of cell-based simulators: one, and a thousand.

A box of 60 µm, D = 2000 µm²/min, 10 µM around, steps of .01 min. The published values of one sink,
9.33 and 6.0 µM, are those of 27 voxels of 20 µm of which the 26 around the sink are held at 10 µM.
"""

from __future__ import annotations

import numpy as np
import pytest

from unmoor.tissue.diffusion import Diffusion
from unmoor.tissue.lattice import Faces, Lattice, deposit, sample
from unmoor.tissue.quasi_steady import QuasiSteady

DIFFUSION, AROUND, STEP, RATE = 2000.0, 10.0, 0.01, 20.0


def one_sink(*, is_constant: bool) -> tuple[Lattice, dict[str, np.ndarray]]:
    """A sink in the middle of 27 voxels, and the others held."""
    lattice = Lattice.around((0.0, 0.0, 0.0), 60.0, 20.0)
    sink, held = lattice.field(), np.full(lattice.shape, True)
    sink[1, 1, 1], held[1, 1, 1] = RATE, False
    return lattice, {"held": held, **({"source": -sink} if is_constant else {"uptake": sink})}


@pytest.mark.parametrize(("is_constant", "published"), [(True, 9.33), (False, 6.0)])
def test_one_sink_among_held_neighbours_has_its_published_level(
    is_constant: bool, published: float
) -> None:
    """A constant sink of 20 µM/min, and one of 20/min, in time and in balance."""
    lattice, sink = one_sink(is_constant=is_constant)
    field = lattice.field(AROUND)
    Diffusion(lattice, DIFFUSION).advance(field, STEP, 100, **sink)
    assert field[1, 1, 1] == pytest.approx(published, abs=0.005)
    field = lattice.field(AROUND)
    QuasiSteady(lattice, DIFFUSION).solve(field, **sink, tolerance=1e-12)
    assert field[1, 1, 1] == pytest.approx(published, abs=0.005)


def test_one_sink_settles_at_the_rate_of_its_voxel() -> None:
    """On the way there, u(t) = 6 + 4 exp(−50 t) µM for the sink of first order."""
    lattice, sink = one_sink(is_constant=False)
    field, solver = lattice.field(AROUND), Diffusion(lattice, DIFFUSION)
    for n in range(1, 11):
        solver.advance(field, STEP / 100.0, 100, **sink)
        assert field[1, 1, 1] == pytest.approx(6.0 + 4.0 * np.exp(-50.0 * STEP * n), rel=2e-3)


def centre_of_the_box(voxels: int) -> float:
    """Mean level in the middle 20 µm of the box with faces at 10 µM, where 20/min is taken up."""
    lattice = Lattice.around((0.0, 0.0, 0.0), 60.0, 60.0 / voxels)
    middle = (slice(voxels // 3, 2 * voxels // 3),) * 3
    uptake, field = lattice.field(), lattice.field(AROUND)
    uptake[middle] = RATE
    solver = QuasiSteady(lattice, DIFFUSION, faces=Faces.all_at(AROUND))
    solver.solve(field, uptake=uptake, tolerance=1e-12)
    return float(field[middle].mean())


def test_a_sink_in_the_box_agrees_with_a_fine_grid() -> None:
    """Voxels of 4 µm are within 2 % of those of 1.3 µm, and differences fall with the square."""
    coarsest, middle, fine, finest = (centre_of_the_box(voxels) for voxels in (3, 9, 15, 45))
    assert fine == pytest.approx(finest, rel=0.02)
    order = np.log((finest - coarsest) / (finest - middle)) / np.log(3.0)
    assert order > 1.0  # of three voxels, one is the sink: far from the second order of fine grids
    assert np.log((finest - middle) / (finest - fine)) / np.log(15.0 / 9.0) > 1.9


def test_a_thousand_sinks_agree_with_a_direct_solution() -> None:
    """Cells anywhere in the box on 12³ voxels, against sparse elimination, after 1 min."""
    from scipy.sparse import diags, eye_array, kron
    from scipy.sparse.linalg import spsolve

    lattice = Lattice.around((0.0, 0.0, 0.0), 60.0, 5.0)
    position = np.random.default_rng(3).uniform(-30.0, 30.0, (1000, 3))
    uptake, field = lattice.field(), lattice.field(AROUND)
    # 20/min in a voxel of 20 µm, each
    amount = np.full(1000, RATE * 20.0**3 / lattice.volume / 1000.0)
    deposit(amount, lattice, position, np.arange(1000, dtype=np.int32), uptake)
    Diffusion(lattice, DIFFUSION, faces=Faces.all_at(AROUND)).advance(
        field, STEP, 100, uptake=uptake
    )

    n, link = 12, DIFFUSION / 25.0
    own = np.full(n, 2.0)
    own[[0, -1]] = 3.0
    line = diags([-np.ones(n - 1), own, -np.ones(n - 1)], [-1, 0, 1])
    one = eye_array(n)
    system = kron(kron(line, one), one) + kron(kron(one, line), one) + kron(kron(one, one), line)
    system = link * system + diags(uptake.ravel())
    walls = np.zeros(n)
    walls[[0, -1]] = 2.0 * link * AROUND
    brought = walls[:, None, None] + walls[None, :, None] + walls[None, None, :]
    expected = spsolve(system.tocsc(), brought.ravel()).reshape(lattice.shape)
    assert field == pytest.approx(expected, rel=0.01)
    balanced = lattice.field(AROUND)
    solver = QuasiSteady(lattice, DIFFUSION, faces=Faces.all_at(AROUND))
    solver.solve(balanced, uptake=uptake, tolerance=1e-12)
    assert balanced == pytest.approx(expected, rel=1e-9)


def test_a_gradient_to_climb_is_a_straight_line() -> None:
    """The profile for chemotaxis: 0 at one end, 10 µM at the other, in time and in balance."""
    lattice, faces = Lattice((0.0, 0.0, 0.0), 20.0, (30, 3, 3)), Faces(x_low=0.0, x_high=AROUND)
    settled, balanced = lattice.field(), lattice.field()
    Diffusion(lattice, DIFFUSION, faces=faces).advance(settled, 1000.0, 30)
    QuasiSteady(lattice, DIFFUSION, faces=faces).solve(balanced, tolerance=1e-13)
    position = np.random.default_rng(4).uniform([10.0, 0.0, 0.0], [590.0, 60.0, 60.0], (200, 3))
    level, slots = np.zeros(200), np.arange(200, dtype=np.int32)
    for field in (settled, balanced):
        sample(field, lattice, position, slots, level)
        assert level == pytest.approx(AROUND * position[:, 0] / 600.0, abs=1e-9)
