"""Monolayers: a disc of cells that spreads, or the two sides of a scratch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from unmoor.assays.base import Bench, Outcome
from unmoor.assays.spheroid_invasion import mean, mean_speed
from unmoor.assays.tissue_run import Look, Scene, run_tissues
from unmoor.catalog.draws import Draw
from unmoor.elementwise import FloatArray
from unmoor.random import Stream
from unmoor.tissue.measure import living, measure
from unmoor.tissue.seeding import disc
from unmoor.tissue.snapshot import Snapshot

if TYPE_CHECKING:
    from unmoor.assays.layer_settings import Monolayer

_PIXEL = 1.0  # µm, about, on which covered area is counted
_LONGER = 2.0  # a side of a scratch is so many times as long as it is wide
_JITTER = 0.05  # of the spacing


def spread(settings: Monolayer, bench: Bench, draws: Sequence[Draw]) -> Outcome:
    """Run parameter sets."""
    width = settings.gap

    def arrange(spacing: float, stream: Stream) -> FloatArray:
        if width is None:
            return disc(settings.cells, spacing, stream)
        return sides(settings.cells, spacing, width, stream)

    def read(look: Look) -> list[float]:
        return _read(look, settings.cells, width)

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


def _read(look: Look, founders: int, width: float | None) -> list[float]:
    """``MONOLAYER_OUTCOMES``; those that need a living cell are NaN without one.

    A side of a scratch has advanced by half of what cells have come to cover, per length of it.
    """
    found, cells = measure(look.moved, look.start, is_flat=True), living(look.now)
    advance = found.front
    if width is not None:
        first = living(look.start)
        half = (0.5 * width, max(float(np.abs(first.position[:, 1]).max()), _PIXEL))
        advance = (covered(cells, half) - covered(first, half)) / (4.0 * half[1])
    return [
        advance,
        covered(cells),
        found.cells / founders,
        mean_speed(cells),
        found.all_coordination,
        found.correlation_length,
        mean(cells.e_cadherin),
    ]


def covered(cells: Snapshot, half: tuple[float, float] | None = None) -> float:
    """Area that cells cover, each as a disc; what two cover counts once [µm²].

    Parameters
    ----------
    half
        Half the sides of a rectangle around the origin in which area counts; everywhere if None
        [µm].
    """
    if not cells.identity.size:
        return 0.0
    radius, place = cells.radius.astype(np.float64), cells.position[:, :2]
    low, high = (place - radius[:, None]).min(axis=0), (place + radius[:, None]).max(axis=0)
    if half is not None:
        low, high = np.array(half) * -1.0, np.array(half)
    count = np.maximum(np.round((high - low) / _PIXEL).astype(np.int64), 1)
    side = (high - low) / count
    is_covered = np.zeros(count, np.bool_)
    for k in range(radius.size):
        first = np.floor((place[k] - radius[k] - low) / side).astype(np.int64).clip(0, count)
        last = np.ceil((place[k] + radius[k] - low) / side).astype(np.int64).clip(0, count)
        x, y = (
            low[i] + (np.arange(first[i], last[i]) + 0.5) * side[i] - place[k, i] for i in (0, 1)
        )
        near = x[:, None] ** 2 + y[None, :] ** 2 < radius[k] ** 2
        is_covered[first[0] : last[0], first[1] : last[1]] |= near
    return float(is_covered.sum()) * float(side[0] * side[1])
