"""Where the founders of a tissue are put: a ball, a disc, a strip."""

from __future__ import annotations

import numpy as np

from unmoor.random import Stream
from unmoor.tissue.bodies import FloatArray

_JITTER = 0.05  # of the spacing, so that no symmetry is kept
_PACKED = np.array([[0.0, 0.0, 0.0], [0.0, 0.5, 0.5], [0.5, 0.0, 0.5], [0.5, 0.5, 0.0]])
_ROWS = np.array([[0.0, 0.0], [0.5, 0.5 * np.sqrt(3.0)]])


def ball(count: int, spacing: float, stream: Stream) -> FloatArray:
    """Return the ``count`` places of a close packing that are nearest to the origin, jittered.

    Parameters
    ----------
    count
        Cells.
    spacing
        Distance between neighbours [µm].
    stream
        Random numbers of the tissue.

    Returns
    -------
        Centres in order of their distance, shape (count, 3) [µm].
    """
    edge = spacing * np.sqrt(2.0)
    reach = int(np.ceil((3.0 * max(count, 1) / (16.0 * np.pi)) ** (1.0 / 3.0))) + 2
    side = np.arange(-reach, reach + 1)
    corners = np.stack(np.meshgrid(side, side, side, indexing="ij"), axis=-1).reshape(-1, 1, 3)
    return _nearest(edge * (corners + _PACKED).reshape(-1, 3), count, spacing, stream)


def disc(count: int, spacing: float, stream: Stream) -> FloatArray:
    """Return the ``count`` places of a hexagonal packing in the plane z = 0 nearest to the origin.

    Parameters and result are those of ``ball``.
    """
    reach = int(np.ceil(np.sqrt(max(count, 1) / np.pi))) + 2
    side = np.arange(-reach, reach + 1)
    corners = np.stack(np.meshgrid(side, side, indexing="ij"), axis=-1).reshape(-1, 1, 2)
    rows = spacing * (corners * [1.0, np.sqrt(3.0)] + _ROWS).reshape(-1, 2)
    places = np.concatenate([rows, np.zeros((rows.shape[0], 1))], axis=1)
    chosen = _nearest(places, count, spacing, stream)
    chosen[:, 2] = 0.0
    return chosen


def _nearest(places: FloatArray, count: int, spacing: float, stream: Stream) -> FloatArray:
    """Nearest places to the origin; ties in order of their coordinates."""
    squares = places[:, 0] ** 2 + places[:, 1] ** 2 + places[:, 2] ** 2
    order = np.argsort(np.round(squares, 6), kind="stable")[:count]
    ids = np.arange(3 * count, dtype=np.uint64)
    jitter = stream.uniform(ids, "place of a founder").reshape(count, 3) - 0.5
    placed: FloatArray = places[order] + 2.0 * _JITTER * spacing * jitter
    return placed
