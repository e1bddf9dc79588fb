"""Groups, fronts, single or joined, maps and departures, on planted tissues."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

from tissue_patterns import RADIUS, SPACING, around, ball, chains, outwards, rows, strands, tissue
from unmoor.errors import ParameterError
from unmoor.tissue.correlation import polarisation, velocity_correlation
from unmoor.tissue.departures import departures
from unmoor.tissue.groups import groups, is_at_edge
from unmoor.tissue.maps import grid, radial_profile
from unmoor.tissue.measure import Home, Measures, edges, gap, home, measure
from unmoor.tissue.motion import motion
from unmoor.tissue.snapshot import DYING, Snapshot

BODY = ball(68.0)  # 459 cells, of which six lie on the axes at the surface
START = home(tissue(BODY))
FAR = START.surface + 60.0


def moved_out(*outside: np.ndarray, velocity: np.ndarray | None = None) -> Measures:
    """Measure the body with cells added; velocities are those of the added cells."""
    added = np.concatenate(outside)
    speed = np.zeros((len(BODY) + len(added), 3))
    if velocity is not None:
        speed[len(BODY) :] = velocity
    return measure(tissue(np.concatenate([BODY, added]), speed), START)


def any_way(cells: int, seed: int = 1) -> np.ndarray:
    """Velocities that do not know of each other."""
    return np.random.default_rng(seed).normal(size=(cells, 3))


def same(one: Measures, other: Measures, tolerance: float = 0.0) -> bool:
    """Whether two sets of measures agree; NaN is NaN."""
    return all(
        np.allclose(a, b, rtol=tolerance, atol=tolerance, equal_nan=True)
        for a, b in zip(one, other, strict=True)
    )


# --- Groups -------------------------------------------------------------------------------------


def slow_components(snapshot: Snapshot, reach: float) -> list[set[int]]:
    """Components by flooding, the largest first, ties by identity: the readable twin."""
    alive = set(np.flatnonzero(snapshot.is_living).tolist())
    place, radius = snapshot.position, snapshot.radius.astype(float)
    found = []
    while alive:
        group = edge = {alive.pop()}
        while edge:
            touched = {
                j
                for i in edge
                for j in alive
                if math.dist(place[i], place[j]) < reach * (radius[i] + radius[j])
            }
            alive -= touched
            group, edge = group | touched, touched
        found.append(group)
    return sorted(found, key=lambda g: (-len(g), min(int(snapshot.identity[i]) for i in g)))


@pytest.mark.parametrize(("side", "seed"), [(60.0, 1), (150.0, 2), (250.0, 3), (1e7, 4)])
def test_groups_are_those_of_a_slow_twin(side: float, seed: int) -> None:
    """Any density, sizes that differ, a fifth dead, identities in no order."""
    generator = np.random.default_rng(seed)
    cells = tissue(
        generator.uniform(-side, side, (150, 3)),
        radius=generator.uniform(4.0, 16.0, 150).astype(np.float32),
        identity=generator.permutation(150).astype(np.uint64) + np.uint64(2**63),
        phase=np.where(generator.uniform(size=150) < 0.2, DYING, 1).astype(np.int8),
    )
    found, slow = groups(cells, 1.25), slow_components(cells, 1.25)
    assert found.size.tolist() == [len(group) for group in slow]
    for number, group in enumerate(slow):
        assert set(np.flatnonzero(found.component == number).tolist()) == group
    assert (found.component == -1).sum() == (~cells.is_living).sum()
    assert found.offset[-1] == found.neighbour.size
    assert not np.isin(found.neighbour, np.flatnonzero(~cells.is_living)).any()


def test_touching_ends_at_the_reach() -> None:
    """Touching is d < reach · (r_i + r_j): a chain breaks where its step grows beyond 20 µm."""
    for step, size in [(19.99, [5]), (20.0, [1] * 5)]:
        place = np.outer(np.arange(5) * step, [1.0, 0.0, 0.0])
        assert groups(tissue(place), 1.25).size.tolist() == size


def test_of_equal_groups_the_one_with_the_smallest_identity_is_the_body() -> None:
    """Whatever the order of rows."""
    pair = np.array([[0.0, 0, 0], [SPACING, 0, 0]])
    names = np.array([7, 9, 8, 2], np.uint64)
    found = groups(tissue(np.concatenate([pair, pair + 200.0]), identity=names), 1.25)
    assert found.in_body.tolist() == [False, False, True, True]


def test_cells_apart_have_no_body() -> None:
    """Otherwise one of them would count as the tissue that the others have left."""
    found = groups(tissue(around(30, 500.0)), 1.25)
    assert found.main == -1
    assert found.is_single.all()
    assert found.is_detached.all()


def test_edge_cells_are_those_with_an_open_side() -> None:
    """In a closely packed ball every cell with 12 neighbours is inside, the outermost are not."""
    cells = tissue(ball(125.0))
    found = groups(cells, 1.25)
    at_edge = is_at_edge(cells, found)
    distance = np.sqrt((cells.position**2).sum(axis=1))
    assert not at_edge[np.diff(found.offset) == 12].any()
    assert at_edge[distance > distance.max() - 0.5 * RADIUS].all()
    assert 400 < at_edge.sum() < 900  # 4πR²/(d² √3/2) = 795 sites on the surface


# --- Single or joined ---------------------------------------------------------------------------


def test_coordinated_strands_are_at_the_collective_end() -> None:
    """Every strand moves along itself."""
    place = strands(BODY, 5)
    found = moved_out(place, velocity=outwards(place))
    assert len(place) > 50
    assert found.outside == len(place)
    assert found.body == len(BODY) + len(place)
    assert found.singles == found.clusters == 0
    assert found.sizes.size == 0
    assert found.coordination == pytest.approx(1.0, abs=1e-6)
    assert found.single_index == pytest.approx(0.0, abs=1e-6)
    assert found.single_cell_fraction == 0.5 / (len(place) + 1.0)


def test_coordination_is_that_of_cells_outside() -> None:
    """A body in disorder does not count, whoever was born first; among all cells it does."""
    place = strands(BODY, 5)
    places, velocities = [BODY, place], [any_way(len(BODY)), outwards(place)]
    for turn in (1, -1):
        both = tissue(np.concatenate(places[::turn]), np.concatenate(velocities[::turn]))
        found = measure(both, START)
        assert found.coordination == pytest.approx(1.0, abs=1e-6)
        assert found.single_index == pytest.approx(0.0, abs=1e-6)
        assert found.all_coordination < 0.5


def test_uncoordinated_strands_lie_halfway() -> None:
    """The same places, velocities at random: the share of singles alone cannot tell them apart."""
    place = strands(BODY, 15)
    found = moved_out(place, velocity=any_way(len(place)))
    assert found.coordination == pytest.approx(0.0, abs=4.0 / math.sqrt(3.0 * len(place)))
    assert found.single_index == pytest.approx(0.5, abs=0.06)
    assert found.outside_singles == 0  # a wrong index, singles / outside, would be 0 as before


def test_singles_are_at_the_single_end() -> None:
    """Moved the same way or not."""
    place = around(50, FAR + 100.0)
    for velocity in (np.tile([1.0, 0, 0], (50, 1)), any_way(50)):
        found = moved_out(place, velocity=velocity)
        assert found.single_index == 1.0
        assert found.singles == found.outside_singles == 50
        assert math.isnan(found.coordination)
        assert found.single_cell_fraction == 50.5 / 51.0


def test_cluster_sizes_are_those_planted() -> None:
    """Seven singles, four pairs, three chains of 3, two of 6."""
    planted = [(7, 1), (4, 2), (3, 3), (2, 6)]
    place = [chains(n, size, FAR + 200.0 * k) for k, (n, size) in enumerate(planted)]
    found = moved_out(*place)
    assert found.sizes.tolist() == [6, 6, 3, 3, 3, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1]
    assert (found.singles, found.clusters, found.cells_in_clusters) == (7, 9, 29)
    assert found.mean_cluster_size == 29.0 / 9.0
    assert found.single_index == pytest.approx(7.0 / 36.0)  # nothing moves, so joined cells count 0


@pytest.mark.parametrize("is_coordinated", [True, False])
def test_the_index_rises_with_the_planted_share_of_singles(is_coordinated: bool) -> None:
    """60 cells outside, 0, 4, 8 … of them single, the others in chains of four."""
    indices = []
    for singles in range(0, 61, 4):
        joined = chains((60 - singles) // 4, 4, FAR) if singles < 60 else np.zeros((0, 3))
        place = np.concatenate([joined, around(singles, FAR + 300.0)])
        velocity = outwards(place) if is_coordinated else any_way(60)
        found = moved_out(place, velocity=velocity)
        assert found.outside == 60
        assert found.outside_singles == singles
        indices.append(found.single_index)
        if is_coordinated:
            assert found.single_index == pytest.approx(singles / 60.0, abs=1e-6)
        elif singles < 60:
            c = max(found.coordination, 0.0)
            expected = singles / 60.0 + (1.0 - singles / 60.0) * (1.0 - c) / 2.0
            assert found.single_index == pytest.approx(expected, abs=1e-12)
    assert all(a < b for a, b in pairwise(indices)) if is_coordinated else indices[-1] == 1.0
    assert indices[-1] == 1.0


def test_the_index_falls_with_coordination() -> None:
    """Chains whose velocities turn from random to one direction."""
    place = strands(BODY, 5)
    noise = any_way(len(place))
    found = [
        moved_out(place, velocity=outwards(place) * w + noise * (1.0 - w)).single_index
        for w in (0.0, 0.3, 0.5, 0.7, 1.0)
    ]
    assert all(a > b for a, b in pairwise(found))


def test_singles_within_the_home_radius_have_not_invaded() -> None:
    """A cell that floats in a hole of the body is detached, but has gone nowhere."""
    distance = np.sqrt((BODY**2).sum(axis=1))
    place = np.concatenate([BODY[(distance > 35.0)], np.zeros((1, 3))])
    found = measure(tissue(place), START)
    assert (found.singles, found.outside, found.outside_singles) == (1, 0, 0)
    assert math.isnan(found.single_index)
    assert found.single_cell_fraction == 0.5


def test_fronts_follow_cells() -> None:
    """A tissue blown up by 1.5 has its front and edges half as far out again."""
    start = tissue(BODY)
    grown = tissue(1.5 * BODY)
    found = measure(grown, start)
    assert found.front == pytest.approx(0.5 * START.front)
    farthest = np.sqrt((BODY**2).sum(axis=1)).max()
    assert found.farthest == pytest.approx(0.5 * farthest)
    advance = np.quantile(BODY, [0.05, 0.95], axis=0).T * [-0.5, 0.5]
    assert edges(grown, start) == pytest.approx(advance)
    assert edges(tissue(BODY + np.array([5.0, 0, 0])), start)[0] == pytest.approx([-5.0, 5.0])


def test_nothing_is_outside_at_the_start() -> None:
    """And the front is at 0."""
    found = measure(tissue(BODY), tissue(BODY))
    assert (found.outside, found.front, found.farthest) == (0, 0.0, 0.0)


@pytest.mark.parametrize("width", [0.0, 100.0])
@pytest.mark.parametrize("axis", [0, 1])
def test_the_gap_of_a_scratch_is_its_width(width: float, axis: int) -> None:
    """Two sheets of touching cells apart by the planted width between their membranes."""
    one = np.stack(np.meshgrid(np.arange(20.0), np.arange(40.0)), axis=-1).reshape(-1, 2) * SPACING
    two = one + np.array([20 * SPACING + width, 0.0])
    sheet = np.concatenate([one, two])
    place = np.zeros((len(sheet), 3))
    place[:, [axis, 1 - axis]] = sheet
    assert gap(tissue(place), axis=axis, strips=8) == pytest.approx(width, abs=1e-9)


def test_compactness_tells_a_ball_from_a_chain_and_a_layer() -> None:
    """A close-packed ball fills 74 % of its volume, (.74)^(1/3) = .905; a disc .907 of its area."""
    assert measure(tissue(ball(125.0)), START).compactness == pytest.approx(0.905, abs=0.01)
    side = np.arange(-40, 41)
    hexagons = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2) @ np.array(
        [[1.0, 0.0], [0.5, math.sqrt(0.75)]]
    )
    disc = hexagons[(hexagons**2).sum(axis=1) < 30.0**2] * SPACING
    layer = tissue(np.column_stack([disc, np.zeros(len(disc))]))
    flat = measure(layer, START, is_flat=True).compactness
    assert flat == pytest.approx(math.sqrt(0.9069), abs=0.01)
    chain = measure(tissue(chains(1, 100, 1.0)), START).compactness
    assert chain < 0.15


# --- What must not matter -----------------------------------------------------------------------


def mixed() -> Snapshot:
    """Body, strands, clusters and singles, all moving, some dead."""
    place = np.concatenate([BODY, strands(BODY, 3), chains(5, 3, FAR), around(9, FAR + 150.0)])
    cells = tissue(place, any_way(len(place)))
    cells.phase[::17] = DYING
    return cells


def test_measures_do_not_depend_on_the_order_of_cells() -> None:
    """Not by a bit."""
    cells = mixed()
    order = np.random.default_rng(5).permutation(len(cells.identity))
    one, other = measure(cells, START), measure(rows(cells, order), START)
    assert same(one, other)
    assert not same(one, measure(rows(cells, order[1:]), START))  # one cell less is seen


def test_measures_do_not_depend_on_place_and_direction() -> None:
    """Rotated and shifted with their home."""
    cells = mixed()
    turn = np.linalg.qr(np.random.default_rng(6).normal(size=(3, 3)))[0]
    shift = np.array([300.0, -200.0, 50.0])
    turned = cells._replace(
        position=cells.position @ turn + shift,
        velocity=(cells.velocity @ turn).astype(np.float32),
    )
    there = START._replace(centre=START.centre @ turn + shift)
    assert same(measure(cells, START), measure(turned, there), 1e-5)
    assert not same(measure(cells, START), measure(turned, START), 1e-5)


# --- Edges of the domain ------------------------------------------------------------------------


def test_no_cell_and_all_dead() -> None:
    """Counts are 0; means of nothing are NaN, and nothing else is."""
    dead = tissue(BODY, phase=np.full(len(BODY), DYING, np.int8))
    for cells in (tissue(np.zeros((0, 3))), dead):
        found = measure(cells, START)
        assert (found.cells, found.body, found.outside, found.sizes.size) == (0, 0, 0, 0)
        assert found.single_cell_fraction == 0.5
        assert math.isnan(found.front)
        assert math.isnan(found.single_index)
        assert math.isnan(found.correlation_length)
        assert math.isnan(found.compactness)
        assert np.isnan(edges(cells, tissue(BODY))).all()
        assert math.isnan(gap(cells))
        assert radial_profile(cells, "zeb").cells.size == grid(cells, "zeb").cells.size == 0
        assert motion([cells, cells._replace(time=6.0)]).cells == 0
        gone = departures([tissue(BODY), *(cells._replace(time=6.0 * k) for k in (1, 2, 3))], 1)
        assert gone.singles.tolist() == gone.clusters.tolist() == [0, 0]
        with pytest.raises(ParameterError, match="no living cell"):
            home(cells)


def test_one_cell() -> None:
    """It is a single, as compact as can be, and has no neighbour to agree with."""
    one = tissue(np.zeros((1, 3)), [[0.1, 0.0, 0.0]])
    found = measure(one, one)
    assert (found.cells, found.body, found.singles, found.outside) == (1, 0, 1, 0)
    assert found.compactness == pytest.approx(1.0)
    assert found.all_polarisation == pytest.approx(1.0)
    assert math.isnan(found.all_coordination)
    assert math.isnan(found.correlation_length)
    away = measure(one, Home(np.array([99.0, 0, 0]), 10.0, 9.0))
    assert away.single_index == 1.0
    assert away.front == 90.0


def test_coincident_cells_touch() -> None:
    """All in one place: one body, no infinite number."""
    heap = tissue(np.zeros((30, 3)), any_way(30))
    found = measure(heap, heap)
    assert (found.body, found.singles) == (30, 0)
    assert np.isfinite([found.compactness, found.all_coordination, found.correlation_length]).all()
    assert not is_at_edge(heap, groups(heap)).any()


def test_cells_that_do_not_move() -> None:
    """Directions of nothing are NaN; joined cells that stand still count as joined."""
    found = moved_out(strands(BODY, 5))
    assert math.isnan(found.all_polarisation)
    assert math.isnan(found.all_coordination)
    assert math.isnan(found.correlation_length)
    assert found.single_index == 0.0


def test_everything_detached() -> None:
    """A tissue that has fallen apart altogether."""
    cells = tissue(around(40, FAR + 100.0), any_way(40))
    found = measure(cells, START)
    assert (found.body, found.singles, found.outside_singles) == (0, 40, 40)
    assert found.single_index == 1.0


def test_a_tissue_that_drifts_as_a_whole_has_no_correlation_length() -> None:
    """Every cell has the same velocity, so nothing varies over a distance."""
    drift = tissue(BODY, np.tile([0.3, 0.1, 0.0], (len(BODY), 1)))
    assert math.isnan(velocity_correlation(drift).length)
    assert measure(drift, START).all_polarisation == pytest.approx(1.0)
    assert polarisation([[1.0, 0, 0], [-2.0, 0, 0]]) == 0.0


# --- Maps ---------------------------------------------------------------------------------------


def test_profiles_and_grids_hold_what_was_planted() -> None:
    """E-cadherin that rises with distance, ZEB with x; every living cell counted once."""
    place = ball(125.0)
    living = len(place) - len(place[::10])
    distance = np.sqrt((place**2).sum(axis=1))
    cells = tissue(
        place, e_cadherin=distance.astype(np.float32), zeb=place[:, 0].astype(np.float32)
    )
    cells.phase[::10] = DYING
    shells = radial_profile(cells, "e_cadherin", width=20.0, centre=np.zeros(3))
    assert shells.cells.sum() == living
    middle = (shells.edge[1:] + shells.edge[:-1]) / 2.0
    assert np.abs(shells.mean[2:-1] - middle[2:-1]).max() < 2.0
    packed = 0.9 * math.sqrt(2.0) / SPACING**3  # nine in ten live
    assert shells.density[3:6] == pytest.approx(packed, rel=0.1)
    for along in (1, 2):
        plane = grid(cells, "zeb", spacing=25.0, along=along)
        assert plane.cells.sum() == living
        x = plane.origin[0] + plane.spacing * (np.arange(plane.cells.shape[0]) + 0.5)
        error = np.abs(plane.mean - x[:, None])[plane.cells > 0]
        assert error.max() <= 12.5
    side = grid(cells, "zeb", spacing=25.0, along=0, between=(-5.0, 5.0))
    assert side.cells.sum() == (cells.is_living & (np.abs(place[:, 0]) <= 5.0)).sum()
    assert np.nanmax(np.abs(side.mean)) <= 5.0


def test_maps_refuse_what_they_cannot_show() -> None:
    """By the names that they can."""
    with pytest.raises(ParameterError, match="e_cadherin"):
        grid(tissue(BODY), "cadherin")
    with pytest.raises(ParameterError, match="positive"):
        radial_profile(tissue(BODY), "zeb", width=0.0)


# --- Departures ---------------------------------------------------------------------------------

AWAY = {"single": [0], "cluster": [1, 2, 3], "flicker": [4]}


def placed(*groups_away: str) -> np.ndarray:
    """Body with five guests on its surface, some of which have gone far away."""
    root = START.surface - RADIUS + SPACING
    along = np.array([[1.0, 0, 0], [0, 0, 1.0], [0, 0, 1.0], [0, 0, 1.0], [-1.0, 0, 0]])
    guests = along * (root + SPACING * np.array([[0.0], [0.0], [1.0], [2.0], [0.0]]))
    for name in groups_away:
        guests[AWAY[name]] += 200.0 * along[AWAY[name]]
    return np.concatenate([BODY, guests])


def film(*frames: tuple[str, ...]) -> list[Snapshot]:
    """Snapshots ten minutes apart, rows in another order each time."""
    generator = np.random.default_rng(8)
    pictures = []
    for k, frame in enumerate(frames):
        cells = tissue(placed(*frame), time=10.0 * k)
        pictures.append(rows(cells, generator.permutation(len(cells.identity))))
    return pictures


OUT = ("single", "cluster")
STORY = film((), ("flicker",), (), ("single",), OUT, OUT, (*OUT, "flicker"))


def test_departures_are_those_planted() -> None:
    """A single leaves in the third interval, a chain of three in the fourth; one comes back."""
    found = departures(STORY, hold=1)
    assert found.singles.tolist() == [0, 0, 1, 0, 0]
    assert found.clusters.tolist() == [0, 0, 0, 1, 0]
    assert found.cells_in_clusters.tolist() == [0, 0, 0, 3, 0]
    assert found.start.tolist() == [0.0, 10.0, 20.0, 30.0, 40.0]
    assert found.at_risk == pytest.approx(10.0 * (len(BODY) + np.array([4.5, 4.5, 4.5, 2.5, 1.0])))
    assert (found.edge_cells > 100.0).all()


def test_without_hold_each_lost_contact_counts() -> None:
    """What ``hold`` is there to keep out: the cell that comes back, and one at the very end."""
    found = departures(STORY, hold=0)
    assert found.singles.tolist() == [1, 0, 1, 0, 0, 1]


def test_a_cell_that_dies_away_has_not_escaped() -> None:
    """It must be alive through the hold."""
    pictures = film((), OUT, OUT, OUT)
    assert departures(pictures, hold=2).singles.tolist() == [1]
    pictures[2].phase[pictures[2].identity == len(BODY) + 1] = DYING
    pictures[3].phase[pictures[3].identity == len(BODY) + 1] = DYING
    found = departures(pictures, hold=2)
    assert (found.singles.tolist(), found.clusters.tolist()) == ([0], [1])


def test_daughters_stand_for_their_mother() -> None:
    """A cell that leaves as it divides, and one that divides when it is away."""
    pictures = film((), OUT, OUT, OUT)
    for frame in (1, 3):  # in the first interval, and again in the third
        for later in pictures[frame:]:
            row = later.identity == len(BODY) + (1 if frame == 1 else 1001)
            later.parent[row] = later.identity[row]
            later.identity[row] = len(BODY) + 1000 + frame
    found = departures(pictures, hold=2)
    assert (found.singles.tolist(), found.clusters.tolist()) == ([1], [1])


def test_who_joins_a_cluster_makes_no_new_one() -> None:
    """A cell of the body that ends up in a cluster that had left before."""
    pictures = film((), ("cluster",), ("cluster",), ("cluster",))
    for later in pictures[2:]:
        row = np.flatnonzero(later.identity == len(BODY) + 1)[0]
        cluster = later.position[later.identity == len(BODY) + 4][0]
        later.position[row] = cluster + np.array([0.0, 0.0, SPACING])
    found = departures(pictures, hold=1)
    assert found.clusters.tolist() == [1, 0]
    assert found.cells_in_clusters.tolist() == [3, 1]
    assert found.singles.tolist() == [0, 0]


def test_departures_say_what_they_need() -> None:
    """Times that rise, a hold that is not negative; too few pictures give no interval."""
    with pytest.raises(ParameterError, match="hold"):
        departures(STORY, hold=-1)
    with pytest.raises(ParameterError, match="rise"):
        departures(STORY[::-1])
    assert departures(STORY[:2], hold=1).singles.size == 0
    assert departures([]).singles.size == 0
