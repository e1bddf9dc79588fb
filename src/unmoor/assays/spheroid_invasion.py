"""Spheroids in a gel: how far cells come, and whether they come together or one by one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from unmoor.assays.base import Bench, Outcome
from unmoor.assays.culture import in_vitro
from unmoor.assays.tissue_run import Look, Scene, run_tissues
from unmoor.catalog.draws import Draw
from unmoor.elementwise import FloatArray
from unmoor.random import Stream
from unmoor.tissue.measure import living, measure
from unmoor.tissue.seeding import ball, disc
from unmoor.tissue.snapshot import Snapshot

if TYPE_CHECKING:
    from unmoor.assays.tissue_settings import SpheroidInvasion


def invade(settings: SpheroidInvasion, bench: Bench, draws: Sequence[Draw]) -> Outcome:
    """Run parameter sets."""
    is_flat = in_vitro(settings.matrix, settings.dimensions, bench).is_coat
    shape = disc if is_flat else ball

    def arrange(spacing: float, stream: Stream) -> FloatArray:
        return shape(settings.cells, spacing, stream)

    read = partial(_read, founders=settings.cells, is_flat=is_flat)
    scene = Scene(arrange, read, settings.dimensions, settings.collagen)
    return run_tissues(settings, scene, bench, draws)


def _read(look: Look, *, founders: int, is_flat: bool) -> list[float]:
    """``INVASION_OUTCOMES``; those that need a living cell are NaN without one.

    Half a founder's share is added to shares, so that arms can be compared where nothing has come
    off: two spheroids that hold together have the same share, however many cells they have.
    """
    found = measure(look.moved, look.start, is_flat=is_flat)
    cells = living(look.now)
    alone, apart = found.outside_singles, found.singles + found.cells_in_clusters
    return [
        found.front,
        _share(alone, found.cells, founders),
        _share(apart, found.cells, founders),
        mean(cells.e_cadherin),
        found.all_coordination,
        mean_speed(cells),
        float(found.singles),
        float(found.clusters),
        0.0 if math.isnan(found.mean_cluster_size) else found.mean_cluster_size,
        found.single_index,
        found.cells / founders,
        found.correlation_length,
    ]


def _share(count: int, cells: int, founders: int) -> float:
    return count / cells + 0.5 / founders if cells else math.nan


def mean(values: object) -> float:
    """Mean over cells in double precision, NaN without any."""
    numbers = np.asarray(values, dtype=np.float64)
    return math.fsum(numbers.tolist()) / numbers.size if numbers.size else math.nan


def mean_speed(cells: Snapshot) -> float:
    """Mean speed of living cells over the last exchange [µm/min]."""
    v = cells.velocity.astype(np.float64)
    return mean(np.sqrt(v[:, 0] ** 2 + v[:, 1] ** 2 + v[:, 2] ** 2))
