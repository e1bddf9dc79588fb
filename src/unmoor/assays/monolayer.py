"""Monolayers: a disc of cells that spreads, or the two sides of a scratch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from unmoor.assays.base import Bench, Outcome
from unmoor.assays.spheroid_invasion import mean, mean_speed
from unmoor.assays.tissue_run import Scene, run_tissues
from unmoor.catalog.draws import Draw
from unmoor.elementwise import FloatArray
from unmoor.random import Stream
from unmoor.tissue.measure import gap, living, measure
from unmoor.tissue.seeding import disc
from unmoor.tissue.snapshot import Snapshot

if TYPE_CHECKING:
    from unmoor.assays.tissue_settings import Monolayer

_PIXEL = 2.0  # µm, on which covered area is counted
_LONGER = 2.0  # a side of a scratch is so many times as long as it is wide
_JITTER = 0.05  # of the spacing


def spread(settings: Monolayer, bench: Bench, draws: Sequence[Draw]) -> Outcome:
    """Run parameter sets."""
    width = settings.gap

    def arrange(spacing: float, stream: Stream) -> FloatArray:
        if width is None:
            return disc(settings.cells, spacing, stream)
        return sides(settings.cells, spacing, width, stream)

    def read(now: Snapshot, start: Snapshot) -> list[float]:
        return _read(now, start, settings.cells, has_gap=width is not None)

    return run_tissues(settings, Scene(arrange, read, "2d"), bench, draws)


def sides(count: int, spacing: float, width: float, stream: Stream) -> FloatArray:
    """Return places on both sides of a scratch along y, half of the cells on each.

    Parameters
    ----------
    spacing
        Distance between neighbours [µm].
    width
        Of the scratch, free of cells [µm].

    Returns
    -------
        Centres, those of both sides in turn, shape (count, 3) [µm].
    """
    half = -(-count // 2)
    columns = max(1, round(math.sqrt(half / _LONGER)))
    n = np.arange(half)
    row, column = n // columns, n % columns
    across = 0.5 * (width + spacing) + spacing * (column + 0.5 * (row % 2))
    along = 0.5 * math.sqrt(3.0) * spacing * (row - 0.5 * row.max())
    places = np.zeros((2 * half, 3))
    places[0::2, 0], places[1::2, 0] = across, -across
    places[0::2, 1], places[1::2, 1] = along, along
    ids = np.arange(2 * count, dtype=np.uint64)
    jitter = stream.uniform(ids, "place of a founder").reshape(count, 2) - 0.5
    chosen: FloatArray = places[:count]
    chosen[:, :2] += 2.0 * _JITTER * spacing * jitter
    return chosen


def _read(now: Snapshot, start: Snapshot, founders: int, *, has_gap: bool) -> list[float]:
    """``MONOLAYER_OUTCOMES``; those that need a living cell are NaN without one."""
    found, cells = measure(now, start, is_flat=True), living(now)
    advance = 0.5 * (gap(start) - gap(now)) if has_gap else found.front
    return [
        advance,
        covered(cells),
        found.cells / founders,
        mean_speed(cells),
        found.all_coordination,
        found.correlation_length,
        mean(cells.e_cadherin),
    ]


def covered(cells: Snapshot) -> float:
    """Area that cells cover, each as a disc; what two cover counts once [µm²]."""
    if not cells.identity.size:
        return 0.0
    radius = cells.radius.astype(np.float64)
    far = math.ceil(float(radius.max()) / _PIXEL) + 1
    side = np.arange(-far, far + 1)
    corner = np.floor(cells.position[:, :2] / _PIXEL).astype(np.int64)
    low = corner.min(axis=0) - far
    is_covered = np.zeros(corner.max(axis=0) - low + far + 1, np.bool_)
    for k in range(radius.size):
        x, y = corner[k, 0] + side, corner[k, 1] + side
        dx = (x + 0.5) * _PIXEL - cells.position[k, 0]
        dy = (y + 0.5) * _PIXEL - cells.position[k, 1]
        is_covered[np.ix_(x - low[0], y - low[1])] |= (
            dx[:, None] ** 2 + dy[None, :] ** 2 < radius[k] ** 2
        )
    return float(is_covered.sum()) * _PIXEL**2
