"""Measures of a tissue at one time: how far it has come, and whether joined or as single cells."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from unmoor.errors import ParameterError
from unmoor.tissue.bodies import FloatArray
from unmoor.tissue.correlation import coordination, polarisation, velocity_correlation
from unmoor.tissue.groups import groups
from unmoor.tissue.snapshot import Snapshot

FRONT = 0.95  # share of the living cells behind the front; a definition, not a finding


class Home(NamedTuple):
    """Where a tissue was when the assay began.

    Attributes
    ----------
    centre
        Mean of the centres of the living cells, shape (3,) [µm].
    surface
        Distance from the centre to the far side of the farthest cell [µm].
    front
        Distance from the centre behind which 95 % of the cells lay [µm].
    """

    centre: FloatArray
    surface: float
    front: float


class Measures(NamedTuple):
    """What an invasion assay reads off a tissue at one time. All of it is about living cells.

    A cell is *outside* when its centre lies beyond the surface at the start. A component of the
    contact graph other than the main body is *detached*: a single (1 cell) or a cluster (≥ 2).

    Attributes
    ----------
    cells
        Living cells.
    front
        95th percentile of the distance from the first centre, minus the same at the start; NaN
        without living cells [µm].
    farthest
        Distance from the first centre to the far side of the farthest cell, minus the same at the
        start; NaN without living cells [µm].
    outside
        Cells outside.
    body
        Cells of the main body.
    singles, clusters, cells_in_clusters
        Detached single cells, detached clusters, and the cells of these.
    outside_singles
        Detached single cells that are outside.
    single_cell_fraction
        (outside_singles + ½) / (outside + 1): finite ratios between arms when nothing has left [-].
    mean_cluster_size
        Mean size of the detached clusters; NaN without one [cells].
    coordination, all_coordination
        Mean cosine between the velocities of touching cells outside, and of all; NaN where no two
        touching cells move [-].
    single_index
        Collective→single index, see `collective_to_single`; NaN with no cell outside [-].
    correlation_length
        Of the velocities of all cells, see `velocity_correlation` [µm].
    polarisation, all_polarisation
        |mean of v/|v|| of cells outside, and of all; NaN where none moves [-].
    compactness
        Radius of gyration that all cells had as one ball (flat: disc) without gaps, by that which
        they have; 1 for one cell, NaN for none [-].
    sizes
        Sizes of the detached components from the largest down: the cluster-size distribution.
    """

    cells: int
    front: float
    farthest: float
    outside: int
    body: int
    singles: int
    clusters: int
    cells_in_clusters: int
    outside_singles: int
    single_cell_fraction: float
    mean_cluster_size: float
    coordination: float
    all_coordination: float
    single_index: float
    correlation_length: float
    polarisation: float
    all_polarisation: float
    compactness: float
    sizes: npt.NDArray[np.int64]


def living(snapshot: Snapshot) -> Snapshot:
    """Only the living cells, by rising identity: sums over them do not depend on the slots."""
    chosen = np.flatnonzero(snapshot.is_living)
    chosen = chosen[np.argsort(snapshot.identity[chosen], kind="stable")]
    rows: Any = (each[chosen] for each in snapshot[1:])
    return Snapshot(snapshot.time, *rows)


def home(start: Snapshot) -> Home:
    """Note where a tissue is when the assay begins.

    Raises
    ------
    ParameterError
        If no cell lives: nothing can be measured against it.
    """
    cells = living(start)
    if cells.identity.size == 0:
        raise ParameterError(
            "the tissue at the start has no living cell; measure from a time at which it has"
        )
    centre = cells.position.mean(axis=0)
    distance = _distance(cells.position, centre)
    surface = float((distance + cells.radius).max())
    return Home(centre, surface, float(np.quantile(distance, FRONT)))


def measure(
    snapshot: Snapshot,
    start: Snapshot | Home,
    *,
    reach: float | None = None,
    is_flat: bool = False,
) -> Measures:
    """Measure a tissue against its start.

    Parameters
    ----------
    snapshot
        The tissue now. Its velocities tell how cells agree: those of displacement over an hour or
        more (`motion.displaced`) are steadier than those of one exchange.
    start
        The tissue at the beginning of the assay, or where it was then.
    reach
        Touching distance in sums of the radii; if not given, the range of adhesion [-].
    is_flat
        Whether the cells form one layer; matters for ``compactness`` alone.
    """
    origin = home(start) if isinstance(start, Snapshot) else start
    cells = living(snapshot)
    found = groups(cells, reach)
    distance = _distance(cells.position, origin.centre)
    is_outside = distance > origin.surface
    outside = int(is_outside.sum())
    singles = int((is_outside & found.is_single).sum())
    sizes = found.detached_sizes
    clusters = sizes[sizes > 1]
    joined = coordination(cells, found, is_outside)
    some = distance.size > 0
    return Measures(
        cells=distance.size,
        front=float(np.quantile(distance, FRONT)) - origin.front if some else math.nan,
        farthest=float((distance + cells.radius).max()) - origin.surface if some else math.nan,
        outside=outside,
        body=int(found.in_body.sum()),
        singles=int((sizes == 1).sum()),
        clusters=clusters.size,
        cells_in_clusters=int(clusters.sum()),
        outside_singles=singles,
        single_cell_fraction=(singles + 0.5) / (outside + 1.0),
        mean_cluster_size=float(clusters.mean()) if clusters.size else math.nan,
        coordination=joined,
        all_coordination=coordination(cells, found, np.ones(distance.size, np.bool_)),
        single_index=collective_to_single(outside, singles, joined),
        correlation_length=velocity_correlation(cells).length,
        polarisation=polarisation(cells.velocity[is_outside]),
        all_polarisation=polarisation(cells.velocity),
        compactness=_compactness(cells, is_flat=is_flat),
        sizes=sizes,
    )


def collective_to_single(outside: int, singles: int, joined: float) -> float:
    """Collective→single index of the cells that have moved out, from 0 to 1.

        I = f + (1 - f) · (1 - max(C, 0)) / 2,   f = singles / outside

    with C the mean cosine between velocities of touching cells outside. Each single counts 1. Each
    cell that is joined to others, in a strand of the main body or in a cluster, counts 0 if
    neighbours move the same way and ½ if they move as if they did not know of each other. So

    * 0: everything that moves out does so joined and coordinated (strands, clusters);
    * up to ½ without singles: joined but uncoordinated, a flowing crowd;
    * 1: all single.

    At fixed C it rises in proportion to the share of singles, at a fixed share it falls with
    coordination. Joined cells of which no two move (C is NaN) do not move apart, and count 0.

    Parameters
    ----------
    outside, singles
        Cells outside, and those of them that touch no other cell.
    joined
        C [-].

    Returns
    -------
        I, or NaN with no cell outside [-].
    """
    if outside == 0:
        return math.nan
    f = singles / outside
    c = 1.0 if math.isnan(joined) else min(max(joined, 0.0), 1.0)
    return f + (1.0 - f) * (1.0 - c) / 2.0


def edges(snapshot: Snapshot, start: Snapshot) -> FloatArray:
    """Advance of a tissue's edges along the axes, for monolayers.

    Per direction, the 95th percentile of the coordinate (downwards: the 5th), minus that at the
    start, counted outwards.

    Returns
    -------
        Shape (3, 2): axes by (down, up); NaN without living cells [µm].
    """
    now, then = living(snapshot).position, living(start).position
    if len(now) == 0 or len(then) == 0:
        return np.full((3, 2), math.nan)
    shares = (1.0 - FRONT, FRONT)
    moved = np.quantile(now, shares, axis=0) - np.quantile(then, shares, axis=0)
    return np.asarray((moved * np.array([[-1.0], [1.0]])).T)


def gap(snapshot: Snapshot, *, axis: int = 0, strips: int = 16) -> float:
    """Mean width of the scratch across a monolayer.

    The layer is cut into strips of equal width along the scratch; in each, the gap is the widest
    empty stretch between cells that follow each other along ``axis``, less their radii.

    Parameters
    ----------
    snapshot
        A layer in the plane of x and y.
    axis
        Across the scratch: 0 for x, 1 for y.
    strips
        Number of strips; those with fewer than two cells are left out.

    Returns
    -------
        Width, not negative; NaN if no strip has two cells [µm].
    """
    cells = living(snapshot)
    across, along = cells.position[:, axis], cells.position[:, 1 - axis]
    if across.size < 2:
        return math.nan
    span = float(along.max() - along.min()) or 1.0
    strip = np.minimum((along - along.min()) / span * strips, strips - 1).astype(np.int64)
    order = np.lexsort((across, strip))
    strip, across, radius = strip[order], across[order], cells.radius[order].astype(np.float64)
    is_pair = strip[1:] == strip[:-1]
    width = np.maximum(across[1:] - across[:-1] - radius[1:] - radius[:-1], 0.0)[is_pair]
    if width.size == 0:
        return math.nan
    widest = np.full(strips, -1.0)
    np.maximum.at(widest, strip[1:][is_pair], width)
    return float(widest[widest >= 0.0].mean())


def _distance(position: FloatArray, centre: FloatArray) -> FloatArray:
    """Of each cell from a point, shape (cells,) [µm]."""
    difference = position - centre
    return np.asarray(np.sqrt((difference * difference).sum(axis=1)))


def _compactness(cells: Snapshot, *, is_flat: bool) -> float:
    """Radius of gyration of a full ball (disc) by that of the cells, each a ball (disc) itself."""
    if cells.identity.size == 0:
        return math.nan
    dimensions = 2 if is_flat else 3
    radius = cells.radius.astype(np.float64)
    weight = radius**2 if is_flat else radius * radius * radius
    total = float(weight.sum())
    if total == 0.0:
        return math.nan
    share = dimensions / (dimensions + 2.0)  # R_g² / R² of a disc, ball
    centre = (weight[:, None] * cells.position).sum(axis=0) / total
    squares = _distance(cells.position, centre) ** 2 + share * radius * radius
    own = float((weight * squares).sum()) / total
    ball: Any = math.pow(total, 1.0 / dimensions)
    return float(math.sqrt(share) * ball / math.sqrt(own))
