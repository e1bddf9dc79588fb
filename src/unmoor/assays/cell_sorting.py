"""Two populations of one line that are mixed: whether each finds its own kind."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from unmoor.assays.base import Bench, Outcome
from unmoor.assays.spheroid_invasion import mean
from unmoor.assays.tissue_run import Look, Scene, run_tissues
from unmoor.catalog.draws import Draw
from unmoor.elementwise import FloatArray
from unmoor.random import Stream
from unmoor.tissue.groups import groups
from unmoor.tissue.measure import living
from unmoor.tissue.seeding import disc
from unmoor.tissue.snapshot import Snapshot

if TYPE_CHECKING:
    from unmoor.assays.layer_settings import CellSorting

_JITTER = 0.05  # of the spacing


def sort(settings: CellSorting, bench: Bench, draws: Sequence[Draw]) -> Outcome:
    """Run parameter sets."""
    place = checkerboard if settings.start == "checkerboard" else mixed

    def arrange(spacing: float, stream: Stream) -> FloatArray:
        return place(settings.cells, spacing, stream)

    def read(look: Look) -> list[float]:
        return _read(look.now, settings.cells, settings.clones)

    scene = Scene(arrange, read, "2d", second=settings.second)
    return run_tissues(settings, scene, bench, draws)


def mixed(count: int, spacing: float, stream: Stream) -> FloatArray:
    """Return places of a disc in an order that chance decides, shape (count, 3) [µm]."""
    places = disc(count, spacing, stream)
    ids = np.arange(count, dtype=np.uint64)
    order = np.argsort(stream.uniform(ids, "mixing of founders"), kind="stable")
    shuffled: FloatArray = places[order]
    return shuffled


def checkerboard(count: int, spacing: float, stream: Stream) -> FloatArray:
    """Return places of a square grid around the origin, black and white fields in turn.

    Parameters and result are those of ``mixed``.
    """
    reach = math.ceil(math.sqrt(count)) + 2
    side = np.arange(-reach, reach + 1)
    field = np.stack(np.meshgrid(side, side, indexing="ij"), axis=-1).reshape(-1, 2)
    nearest = field[np.argsort((field * field).sum(axis=1), kind="stable")]
    is_black = (nearest.sum(axis=1) % 2) == 0
    places = np.zeros((count, 3))
    for first, own in ((0, nearest[is_black]), (1, nearest[~is_black])):
        taken = places[first::2, :2]
        taken[:] = spacing * own[: len(taken)]
    ids = np.arange(2 * count, dtype=np.uint64)
    jitter = stream.uniform(ids, "place of a founder").reshape(count, 2) - 0.5
    places[:, :2] += 2.0 * _JITTER * spacing * jitter
    return places


def _read(now: Snapshot, founders: int, clones: int) -> list[float]:
    """``SORTING_OUTCOMES``; NaN where there are no contacts or no living cells."""
    cells = living(now)
    kind = cells.clone // clones
    return [
        heterotypic_fraction(cells, kind),
        float(sum(groups(_of(cells, kind == k)).size.size for k in (0, 1))),
        cells.identity.size / founders,
        mean(cells.e_cadherin),
    ]


def heterotypic_fraction(cells: Snapshot, kind: Any) -> float:
    """Share of the contacts of living cells that are between unlike cells; NaN without any [-]."""
    found = groups(cells)
    own = np.repeat(kind, np.diff(found.offset))
    contacts = own.size
    return float((own != kind[found.neighbour]).sum()) / contacts if contacts else math.nan


def _of(cells: Snapshot, chosen: Any) -> Snapshot:
    return Snapshot(cells.time, *(each[chosen] for each in cells[1:]))
