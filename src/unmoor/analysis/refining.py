"""Where the first objective may be less still, by a smooth surface through what is known.

The metric stochastic response surface method (Regis and Shoemaker 2007): radial functions (cubic,
with a linear trend) run through the first objective and through each condition; of many points
about the best and anywhere, those are tried that the surface likes and that are far from what is
known, in a balance that goes round. Points about the best come nearer as long as nothing better is
found, and begin wide again when they have come to the next level of the grid.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

import numpy as np
import numpy.typing as npt

from unmoor.analysis.search_book import Book
from unmoor.analysis.search_space import Point
from unmoor.elementwise import FloatArray
from unmoor.random import Stream

_NEAR, _ANYWHERE = 300, 100  # points that a surface is asked about, for each open number
_BALANCES = (0.5, 0.8, 0.95, 1.0)  # share of liking against distance, in turn
_WIDEST = 0.3  # of the spread of points about the best, as a share of the range
_PATIENCE = 2  # batches without anything better before points come nearer
_MOST = 150  # points that a surface runs through
_TINY = 1e-9


def refine(book: Book, stream: Stream) -> None:
    """Try points where the surfaces say that it is worth it, until the budget is spent."""
    sizes = np.array(book.sizes, dtype=float)
    batch = len(sizes) + 2
    finest = 1.0 / float(sizes.max())
    width, failures = _WIDEST, 0
    for step in count():
        if book.left <= 0:
            return
        best = book.best()
        points = _proposed(book, best, width, batch, stream, step)
        if not points:
            return
        book.ask(points)
        if book.worths[book.best()].rank < book.worths[best].rank:
            failures = 0
            continue
        failures += 1
        if failures >= _PATIENCE:
            width, failures = width / 2.0, 0
            if width < finest / 2.0:
                width = _WIDEST


def _proposed(
    book: Book, best: Point, width: float, batch: int, stream: Stream, step: int
) -> list[Point]:
    """Points to be tried together; none if there is no point left."""
    scale = np.maximum(np.array(book.sizes, dtype=float) - 1.0, 1.0)
    offered = _offered(book, best, width, stream, step)
    if not offered:
        return []
    known = sorted(book.worths, key=lambda point: book.worths[point].rank)[:_MOST]
    at = np.array(known, dtype=float) / scale
    asked = np.array(offered, dtype=float) / scale
    liked, missed = _surfaces(book, known, at, asked)
    chosen: list[Point] = []
    near = np.min(_distances(asked, at), axis=1)
    for number in range(batch):
        balance = _BALANCES[(step * batch + number) % len(_BALANCES)]
        allowed = np.flatnonzero(near > _TINY)
        if allowed.size == 0:
            break
        least = float(missed[allowed].min())
        allowed = allowed[missed[allowed] <= max(least, 0.0)]
        scores = balance * _unit(liked[allowed]) - (1.0 - balance) * _unit(near[allowed])
        place = int(allowed[int(np.argmin(scores))])
        chosen.append(offered[place])
        near = np.minimum(near, _distances(asked, asked[[place]])[:, 0])
    return chosen


def _offered(book: Book, best: Point, width: float, stream: Stream, step: int) -> list[Point]:
    """Points that were not tried: about the best, a step from it along each axis, anywhere."""
    axes = len(book.sizes)
    sizes = np.array(book.sizes)
    normal = stream.normal(np.arange(_NEAR * axes * axes), "search near", step).reshape(-1, axes)
    some = stream.uniform(np.arange(_NEAR * axes * axes), "search axes", step).reshape(-1, axes)
    moved = np.where(some < max(0.5, 2.0 / axes), normal, 0.0) * width * sizes
    around = np.rint(np.array(best) + moved)
    steps = np.concatenate([np.eye(axes), -np.eye(axes)]) + np.array(best)
    far = stream.uniform(np.arange(_ANYWHERE * axes * axes), "search far", step).reshape(-1, axes)
    every = np.concatenate([steps, around, np.floor(far * sizes)])
    every = np.clip(every, 0, sizes - 1).astype(int)
    points = dict.fromkeys(tuple(int(place) for place in row) for row in every)
    return [point for point in points if point not in book.worths]


def _surfaces(
    book: Book, known: Sequence[Point], at: FloatArray, asked: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """First objective and what is missed at points that were not tried, by smooth surfaces."""
    first = np.array([book.worths[point].objectives[0] for point in known])
    if first.min() > 0.0:
        first = np.log(first)
    margins = np.array([book.worths[point].margins for point in known]).reshape(len(known), -1)
    values = np.column_stack([_tamed(first), margins])
    found = _interpolated(at, values, asked)
    return found[:, 0], np.maximum(found[:, 1:], 0.0).sum(axis=1)


def _tamed(values: FloatArray) -> FloatArray:
    """Values above the median are drawn to it: far from the best the shape matters little."""
    middle = float(np.median(values))
    spread = max(middle - float(values.min()), _TINY)
    above = np.maximum(values - middle, 0.0) / spread
    tamed: FloatArray = np.where(values > middle, middle + spread * np.log1p(above), values)
    return tamed


def _interpolated(at: FloatArray, values: FloatArray, asked: FloatArray) -> FloatArray:
    """Cubic radial functions with a linear trend through values, (asked, columns)."""
    n, axes = at.shape
    trend = np.column_stack([np.ones(n), at])
    matrix = np.zeros((n + axes + 1, n + axes + 1))
    matrix[:n, :n] = _distances(at, at) ** 3 + _TINY * np.eye(n)
    matrix[:n, n:], matrix[n:, :n] = trend, trend.T
    right = np.zeros((n + axes + 1, values.shape[1]))
    right[:n] = values
    try:
        weights = np.linalg.solve(matrix, right)
    except np.linalg.LinAlgError:  # all points on a line, for example
        weights = np.linalg.lstsq(matrix, right, rcond=None)[0]
    basis = np.column_stack([_distances(asked, at) ** 3, np.ones(len(asked)), asked])
    found: FloatArray = basis @ weights
    return found


def _distances(one: FloatArray, other: FloatArray) -> FloatArray:
    gaps = one[:, None, :] - other[None, :, :]
    distance: FloatArray = np.sqrt(np.sum(gaps * gaps, axis=2))
    return distance


def _unit(values: FloatArray) -> npt.NDArray[np.float64]:
    """Values scaled to 0 … 1."""
    low, high = float(values.min()), float(values.max())
    scaled: FloatArray = (values - low) / max(high - low, _TINY)
    return scaled
