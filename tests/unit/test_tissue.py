"""A tissue lives through exchanges: growth, division, death, copies and checkpoints of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from unmoor import catalog
from unmoor.errors import ParameterError
from unmoor.random import Stream
from unmoor.tissue.bodies import Bodies
from unmoor.tissue.lives import Behaviours, Lives
from unmoor.tissue.seeding import ball, disc
from unmoor.tissue.snapshot import LIVING, NECROTIC
from unmoor.tissue.tissue import Numerics, Tissue

VALUES = catalog.table("closures", "tissue").values_by_id()
SPACING = 1.9 * VALUES["radius"]
DAY = 1440.0


def spheroid(count: int = 30, seed: int = 7, **given: Any) -> Tissue:
    """Return a small ball of cells."""
    behaviours = Behaviours.of(
        count,
        division=given.pop("division", 0.7),
        death=given.pop("death", 0.03),
        cohesion=given.pop("cohesion", 0.5),
        speed=given.pop("speed", 1.0),
    )
    stream = Stream(seed)
    place = disc if given.get("is_flat") else ball
    return Tissue.seeded(
        VALUES | given.pop("values", {}),
        place(count, SPACING, stream),
        stream=stream,
        behaviours=behaviours,
        extent=given.pop("extent", 400.0),
        **given,
    )


def same(one: Tissue, other: Tissue) -> bool:
    """Whether two tissues are the same to the last bit."""
    a, b = one.state(), other.state()
    return a.keys() == b.keys() and all(a[k].tobytes() == b[k].tobytes() for k in a)


def test_a_population_with_room_grows_at_its_rate() -> None:
    """Cells that neither die nor are held back divide at the rate that they were given."""
    free = {"pressure_stop": 1e9}
    tissue = spheroid(200, division=0.7, death=0.0, values=free)
    tissue.advance(2 * DAY)
    expected = 200 * np.exp(0.7 * 2.0)
    assert abs(tissue.living / expected - 1.0) < 4 * 0.5 / np.sqrt(200)
    slower = spheroid(200, division=0.35, death=0.0, values=free)
    slower.advance(2 * DAY)
    assert abs(slower.living / expected - 1.0) > 4 * 0.5 / np.sqrt(200)


def test_daughters_lie_within_the_outline_of_their_mother() -> None:
    """A division moves nobody else, and every cell has an identity of its own."""
    tissue = spheroid(20, division=1.4, death=0.0)
    tissue.advance(DAY)
    now = tissue.snapshot()
    assert now.identity.size > 30
    assert np.unique(now.identity).size == now.identity.size
    born = now.parent != 0
    assert born.any()
    assert np.isin(now.clone[born], now.clone[~born]).all()


def test_volume_is_shared_at_division() -> None:
    """Mother and daughter together have the volume that the mother had."""
    tissue = spheroid(1, division=1.4, death=0.0, speed=0.0, progress=0.999)
    before = tissue.snapshot().radius.astype(float) ** 3
    while tissue.living == 1:
        tissue.advance(6.0)
    after = tissue.snapshot().radius.astype(float) ** 3
    assert after.sum() == pytest.approx(before.sum(), rel=1e-2)
    assert after[0] == pytest.approx(after[1], rel=1e-5)


def test_branches_of_a_tissue_go_the_same_way_until_something_differs() -> None:
    """A branch is a whole copy; what happens to one leaves the other as it is."""
    tissue = spheroid(collagen=2.5)
    tissue.advance(120.0)
    twin = tissue.branch()
    tissue.advance(240.0)
    twin.advance(240.0)
    assert same(tissue, twin)
    twin.behaviours.cohesion[:] = 0.0
    twin.advance(240.0)
    tissue.advance(240.0)
    assert not np.array_equal(tissue.snapshot().position, twin.snapshot().position)


@pytest.mark.parametrize("fields", [(), ("oxygen", "tgfb", "drug")])
def test_a_restored_tissue_goes_on_to_the_same_bits(fields: tuple[str, ...]) -> None:
    """A checkpoint holds everything; one that lacked a number would go another way."""
    tissue = spheroid(collagen=2.5, fields=fields)
    tissue.advance(186.0)
    kept = tissue.state()
    tissue.advance(300.0)
    other = spheroid(collagen=2.5, fields=fields)
    other.restore(kept)
    other.advance(300.0)
    assert same(tissue, other)
    again = spheroid(collagen=2.5, fields=fields)
    again.restore({**kept, "bodies/velocity": np.zeros_like(kept["bodies/velocity"])})
    again.advance(300.0)
    assert not same(tissue, again)


def test_a_state_of_another_seed_is_refused() -> None:
    """A checkpoint does not go on with other random numbers."""
    with pytest.raises(ParameterError, match="another seed"):
        spheroid(seed=8).restore(spheroid(seed=7).state())


def test_nothing_depends_on_how_time_is_cut() -> None:
    """Ten exchanges at once are ten exchanges one by one."""
    one, other = spheroid(), spheroid()
    one.advance(60.0)
    for _ in range(10):
        other.advance(6.0)
    assert same(one, other)
    with pytest.raises(ParameterError, match="multiple"):
        one.advance(7.0)


def test_a_cell_moves_more_slowly_where_collagen_is_denser() -> None:
    """Drag and narrow pores slow single cells; in medium they are fastest."""

    def strayed(collagen: float) -> float:
        tissue = spheroid(40, division=0.0, death=0.0, cohesion=0.0, collagen=collagen)
        tissue.bodies.position[:40] *= 8.0  # far from each other
        start = tissue.snapshot().position
        tissue.advance(360.0)
        return float(np.square(tissue.snapshot().position - start).sum(axis=1).mean())

    medium, loose, dense = (strayed(c) for c in (0.0, 1.7, 4.0))
    assert medium > 1.2 * loose > 2.0 * dense > 0.0


def test_cells_without_oxygen_die_of_it() -> None:
    """Necrosis begins in the dark of a dense ball and nowhere else."""
    starved = {"oxygen_uptake": 400.0, "necrosis_rate": 0.02}
    tissue = spheroid(300, division=0.0, death=0.0, speed=0.0, fields=("oxygen",), values=starved)
    tissue.advance(600.0)
    now = tissue.snapshot()
    distance = np.sqrt(np.square(now.position).sum(axis=1))
    dead = now.phase == NECROTIC
    assert 0 < dead.sum() < 300
    assert distance[dead].mean() < distance[~dead].mean()
    assert now.oxygen[dead].max() < now.oxygen[~dead].mean()
    fed = spheroid(300, division=0.0, death=0.0, speed=0.0, fields=("oxygen",))
    fed.advance(600.0)
    assert (fed.snapshot().phase == LIVING).all()


@pytest.mark.parametrize("count", [0, 1])
def test_a_tissue_of_no_cell_or_one_is_a_tissue(count: int) -> None:
    """Nothing divides by how many there are."""
    tissue = spheroid(count, fields=("oxygen", "tgfb", "drug"), collagen=2.5, division=0.0)
    tissue.advance(60.0)
    assert tissue.living == count
    assert np.isfinite(tissue.snapshot().position).all()


def test_a_tissue_that_dies_out_stays_empty() -> None:
    """Dead cells vanish, and time passes without them."""
    tissue = spheroid(10, death=500.0, fields=("oxygen",))
    tissue.advance(2 * VALUES["dying_time"] // 6 * 6)
    assert tissue.slots.size == 0
    tissue.advance(60.0)
    assert tissue.snapshot().identity.size == 0


def test_cells_at_one_point_come_apart() -> None:
    """Coincident founders have a defined direction to go."""
    stream = Stream(3)
    tissue = Tissue.seeded(
        VALUES,
        np.zeros((4, 3)),
        stream=stream,
        behaviours=Behaviours.of(4, speed=0.0),
        extent=100.0,
    )
    tissue.advance(60.0)
    now = tissue.snapshot().position
    apart = np.sqrt(np.square(now[:, None] - now[None]).sum(axis=2))
    assert apart[np.triu_indices(4, 1)].min() > VALUES["radius"]


def test_a_cell_that_leaves_the_domain_is_still_a_cell() -> None:
    """Outside, fields are those of the edge and the gel goes on."""
    tissue = spheroid(
        20, extent=50.0, collagen=1.0, fields=("oxygen", "tgfb"), division=0.0, death=0.0
    )
    tissue.bodies.position[:20, 0] += 300.0
    tissue.advance(120.0)
    now = tissue.snapshot()
    assert np.isfinite(now.position).all()
    assert now.collagen == pytest.approx(1.0)
    assert now.oxygen == pytest.approx(VALUES["oxygen_boundary"], abs=1.0)


def test_flat_tissues_stay_in_their_plane() -> None:
    """Cells of a monolayer neither climb nor sink."""
    tissue = spheroid(30, is_flat=True, division=1.4, fields=("oxygen",))
    tissue.advance(DAY)
    assert (tissue.snapshot().position[:, 2] == 0.0).all()


def test_what_is_not_finite_is_refused() -> None:
    """A founder's position must be a number; behaviours must be of the founders."""
    with pytest.raises(ParameterError, match="finite"):
        Tissue.seeded(
            VALUES, np.full((1, 3), np.nan), stream=Stream(1), behaviours=Behaviours.of(1)
        )
    with pytest.raises(ParameterError, match="behaviours"):
        Tissue.seeded(VALUES, np.zeros((2, 3)), stream=Stream(1), behaviours=Behaviours.of(1))


def test_every_array_of_a_tissue_is_in_its_state() -> None:
    """A field that is added to cells must not be forgotten in checkpoints."""
    state = spheroid().state()
    for prefix, kind in (("bodies", Bodies), ("lives", Lives), ("behaviours", Behaviours)):
        assert {f"{prefix}/{name}" for name in kind._fields} <= state.keys()


def test_finer_steps_move_the_outcome_little() -> None:
    """Half the step of movement changes the extent of a growing ball by a few per cent."""

    def extent(numerics: Numerics) -> float:
        tissue = spheroid(60, speed=0.0, numerics=numerics)
        tissue.advance(DAY)
        return float(np.square(tissue.snapshot().position).sum(axis=1).mean() ** 0.5)

    plain = Numerics()
    assert extent(replace(plain, dt=0.15)) == pytest.approx(extent(plain), rel=0.05)
