"""Departures: single cells and clusters that leave the main body for good."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from unmoor.errors import ParameterError
from unmoor.tissue.bodies import FloatArray
from unmoor.tissue.groups import Groups, groups, is_at_edge
from unmoor.tissue.snapshot import Snapshot

Counts = npt.NDArray[np.int64]


class Departures(NamedTuple):
    """What leaves a main body, by the interval between two snapshots. Shape (intervals,) each.

    The last ``hold`` intervals are not among them: what left then may yet come back.

    Attributes
    ----------
    start, end
        Of the interval [min].
    singles
        Single cells that left for good.
    clusters
        Clusters that left for good.
    cells_in_clusters
        Their cells, and cells that left touching what had left before.
    at_risk
        Cells of the main body, mean of both ends, × length of the interval [cell·min].
    edge_cells
        Cells at the edge of the main body, mean of both ends.
    """

    start: FloatArray
    end: FloatArray
    singles: Counts
    clusters: Counts
    cells_in_clusters: Counts
    at_risk: FloatArray
    edge_cells: FloatArray


def departures(
    snapshots: Sequence[Snapshot], hold: int = 2, reach: float | None = None
) -> Departures:
    """Count what leaves the main body for good.

    A cell leaves in an interval if it (or its mother, where it is new) belonged to the main body
    at the start and is detached at the end and, alive and detached, at each of the next ``hold``
    snapshots; of a cell that has divided, at least one daughter lives and all that live are
    detached. Cells that leave in one interval and touch directly or through others at its end leave
    together: one alone is a single, two or more are a cluster. If the component they are in holds
    cells that had left before, they join it: no new cluster.

    Parameters
    ----------
    snapshots
        Of one tissue in order of time, ``hold`` + 2 or more, so close that no cell divides twice
        between two of them.
    hold
        Snapshots through which a cell must stay away; 0 counts each loss of contact [-].
    reach
        Touching distance in sums of the radii; if not given, the range of adhesion [-].

    Raises
    ------
    ParameterError
        If ``hold`` is negative or the times do not rise.
    """
    time = np.array([each.time for each in snapshots], np.float64)
    if hold < 0 or bool((np.diff(time) <= 0.0).any()):
        raise ParameterError(
            f"hold is {hold} and the times of the snapshots are {time.tolist()}: departures need"
            " hold of 0 or more and times that rise"
        )
    found = [groups(each, reach) for each in snapshots]
    ancestors = [_ancestors(*pair) for pair in pairwise(snapshots)]
    intervals = max(len(snapshots) - 1 - hold, 0)
    singles, clusters, joined = np.zeros((3, intervals), np.int64)
    for i in range(intervals):
        stays = _stays(found[i + 1 : i + 2 + hold], ancestors[i + 1 : i + 1 + hold])
        singles[i], clusters[i], joined[i] = _left(found[i], found[i + 1], ancestors[i], stays)
    body = np.array([each.in_body.sum() for each in found], np.float64)
    edge = np.array(
        [is_at_edge(*each).sum() for each in zip(snapshots, found, strict=True)], np.float64
    )
    first, last = slice(0, intervals), slice(1, intervals + 1)
    return Departures(
        time[first],
        time[last],
        singles,
        clusters,
        joined,
        (body[first] + body[last]) / 2.0 * (time[last] - time[first]),
        (edge[first] + edge[last]) / 2.0,
    )


def _ancestors(before: Snapshot, after: Snapshot) -> Counts:
    """Row that each cell had in the snapshot before, or its mother had; -1 for neither."""
    order = np.argsort(before.identity, kind="stable")
    known = before.identity[order]
    row = np.full(len(after.identity), -1, np.int64)
    if known.size == 0:
        return row
    for name in (after.parent, after.identity):  # the cell itself is written last and prevails
        place = np.minimum(np.searchsorted(known, name), known.size - 1)
        is_known = known[place] == name
        row[is_known] = order[place[is_known]]
    return row


def _stays(found: Sequence[Groups], ancestors: Sequence[Counts]) -> npt.NDArray[np.bool_]:
    """Which cells of the first snapshot are detached in it and, with their daughters, in all."""
    stays = found[-1].is_detached
    for now, later, row in zip(found[-2::-1], found[:0:-1], ancestors[::-1], strict=True):
        cells = now.component.size
        lives = (later.component >= 0) & (row >= 0)
        heirs = np.bincount(row[lives], minlength=cells)
        away = np.bincount(row[lives & stays], minlength=cells)
        stays = now.is_detached & (heirs > 0) & (away == heirs)
    return stays


def _left(before: Groups, now: Groups, row: Counts, stays: Any) -> tuple[int, int, int]:
    """Singles, clusters and cells in clusters that left between two snapshots."""
    from_body = now.is_detached & (row >= 0)
    from_body[from_body] = before.in_body[row[from_body]]
    components = now.size.size
    came = np.bincount(now.component[from_body], minlength=components)
    left = np.bincount(now.component[from_body & stays], minlength=components)
    is_new = came == now.size  # nobody in it had left before
    is_cluster = is_new & (left > 1)
    joined = int(left[is_cluster].sum() + left[~is_new].sum())
    return int((is_new & (left == 1)).sum()), int(is_cluster.sum()), joined
