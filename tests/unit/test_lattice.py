"""Voxels: where cells are, what they read from fields and what they put in."""

from __future__ import annotations

import numpy as np
import pytest

from unmoor.errors import ParameterError
from unmoor.tissue.lattice import Faces, Lattice, deposit, locate, sample

BOX = Lattice((-30.0, 0.0, 100.0), 10.0, (6, 4, 5))


def cells(*positions: tuple[float, float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Positions and all their slots."""
    return np.array(positions), np.arange(len(positions), dtype=np.int32)


def random_cells(count: int, margin: float) -> tuple[np.ndarray, np.ndarray]:
    """Cells in a box that is larger by a margin on each side."""
    low = np.array(BOX.origin) - margin
    high = np.array(BOX.origin) + BOX.spacing * np.array(BOX.shape) + margin
    place = np.random.default_rng(1).random((count, 3))
    return low + place * (high - low), np.arange(count, dtype=np.int32)


@pytest.mark.parametrize(
    ("extent", "spacing", "shape"),
    [
        (60.0, 20.0, (3, 3, 3)),
        ((100.0, 50.0, 0.0), 20.0, (5, 3, 1)),
        (5.0, 20.0, (1, 1, 1)),
        (0.3 + 0.6, 0.3, (3, 3, 3)),
    ],
)
def test_a_box_is_filled_by_whole_voxels_around_its_centre(
    extent: float, spacing: float, shape: tuple[int, int, int]
) -> None:
    """Rounded up, at least one, and not by one more where a quotient is a hair above."""
    lattice = Lattice.around((7.0, -3.0, 1.0), extent, spacing)
    assert lattice.shape == shape
    middle = [centres.mean() for centres in lattice.centres()]
    assert middle == pytest.approx([7.0, -3.0, 1.0])


@pytest.mark.parametrize(
    ("centre", "extent", "spacing"),
    [
        ((0.0, np.nan, 0.0), 10.0, 1.0),
        ((0.0, 0.0), 10.0, 1.0),
        ((0.0, 0.0, 0.0), -1.0, 1.0),
        ((0.0, 0.0, 0.0), np.inf, 1.0),
        ((0.0, 0.0, 0.0), 10.0, 0.0),
        ((0.0, 0.0, 0.0), 10.0, np.nan),
        ((0.0, 0.0, 0.0), 1e6, 1.0),
    ],
)
def test_a_box_that_cannot_be_is_refused(centre: tuple, extent: float, spacing: float) -> None:
    """Before memory is taken for it."""
    with pytest.raises(ParameterError, match=r"expected .+ \[E-FIELD\]"):
        Lattice.around(centre, extent, spacing)


def test_a_cell_outside_the_box_is_in_the_nearest_voxel() -> None:
    """Also far outside, and on the faces."""
    position, slots = cells((-31.0, 1e30, 149.9), (-30.0, 0.0, 100.0), (30.0, 40.0, 150.0))
    found = np.unravel_index(locate(BOX, position, slots), BOX.shape)
    assert np.transpose(found).tolist() == [[0, 3, 4], [0, 0, 0], [5, 3, 4]]


def test_voxels_are_those_whose_bounds_hold_the_cell() -> None:
    """Against a division written in NumPy."""
    position, slots = random_cells(500, 0.0)
    expected = np.floor((position - BOX.origin) / BOX.spacing).astype(int)
    found = np.transpose(np.unravel_index(locate(BOX, position, slots), BOX.shape))
    assert (found == expected).all()


def test_a_linear_field_is_read_exactly_between_centres() -> None:
    """And as that of the nearest point between centres elsewhere."""
    position, slots = random_cells(300, 25.0)
    x, y, z = np.meshgrid(*BOX.centres(), indexing="ij")
    field = 2.0 + 0.3 * x - 0.7 * y + 0.1 * z
    out = np.full(300, np.nan)
    sample(field, BOX, position, slots, out)
    ends = [(centres[0], centres[-1]) for centres in BOX.centres()]
    inside = np.clip(position, *np.transpose(ends))
    assert out == pytest.approx(2.0 + inside @ [0.3, -0.7, 0.1], abs=1e-12)


def test_a_field_of_one_voxel_is_the_same_everywhere() -> None:
    """There is nothing to interpolate between."""
    lattice = Lattice.around((0.0, 0.0, 0.0), 1.0, 10.0)
    position, slots = cells((0.0, 0.0, 0.0), (4.9, -4.9, 100.0))
    out = np.zeros(2, np.float32)
    sample(lattice.field(3.5), lattice, position, slots, out)
    assert out.tolist() == [3.5, 3.5]


def test_only_the_slots_asked_for_are_read_and_written() -> None:
    """Slots without a cell may hold anything."""
    position = np.full((4, 3), np.nan)
    position[2] = (0.0, 20.0, 120.0)
    out, total, amount = np.zeros(4), BOX.field(), np.array([np.nan, np.nan, 5.0, np.nan])
    slots = np.array([2], dtype=np.int32)
    sample(BOX.field(1.0), BOX, position, slots, out)
    deposit(amount, BOX, position, slots, total)
    assert out.tolist() == [0.0, 0.0, 1.0, 0.0]
    assert total.sum() == total[3, 2, 2] == 5.0


def test_what_cells_put_in_is_the_sum_over_a_voxel_in_the_order_of_slots() -> None:
    """To the last bit, and added to what is there."""
    position, slots = random_cells(400, 15.0)
    amount = np.random.default_rng(2).lognormal(0.0, 8.0, 400)
    found, expected = BOX.field(1.0), BOX.field(1.0)
    deposit(amount, BOX, position, slots, found)
    for slot, voxel in enumerate(locate(BOX, position, slots)):
        expected.ravel()[voxel] += amount[slot]
    assert (found == expected).all()


def test_a_face_needs_a_finite_value() -> None:
    """None is no flow; infinity is nothing."""
    Faces.all_at(None).check()
    with pytest.raises(ParameterError, match=r"faces\.y_high = inf: expected a finite value"):
        Faces(y_high=np.inf).check()
