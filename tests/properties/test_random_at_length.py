"""Ten million numbers of each distribution, and ten thousand neighbouring streams.

Seeds are fixed, so a test fails always or never. Each also runs on a wrong twin, whose fault is
small, and must catch it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest
from scipy import special, stats

from unmoor.random import Stream

MANY, A_TIME = 10_000_000, 1_000_000
KEYS = 10_000
UNLIKELY = 1e-6  # chance that a test fails although nothing is wrong
FloatArray = npt.NDArray[np.float64]
COUNTS = (0.7, 4.0, 60.0)


def pieces(purpose: str) -> Iterator[FloatArray]:
    """Ten million uniform numbers, a million at a time: over identifiers, steps and animals."""
    for part in range(MANY // A_TIME):
        ids = np.arange(A_TIME) + A_TIME * (part // 4)
        yield Stream(11, animal=part % 2).uniform(ids, purpose, step=part // 2 % 2)


def p_of_cells(counts: FloatArray, chances: FloatArray) -> float:
    """Chance of counts at least this far from what is expected."""
    return float(stats.chisquare(counts, chances * counts.sum()).pvalue)


def p_of_uniform(power: float = 1.0) -> float:
    """Uniform numbers, to a power that is 1 if nothing is wrong, in 100 equal cells."""
    counts = np.zeros(100)
    for numbers in pieces("uniform"):
        counts += np.histogram(numbers**power, 100, (0.0, 1.0))[0]
    return p_of_cells(counts, np.full(100, 0.01))


def test_ten_million_uniform_numbers_are_even() -> None:
    """A half per cent in the exponent, an eighth of a per cent in the mean, is caught."""
    assert UNLIKELY < p_of_uniform() < 1 - UNLIKELY
    assert p_of_uniform(1.005) < UNLIKELY


def test_every_bit_is_fair_and_alone() -> None:
    """Each of 52 bits is 0 or 1 alike, and no two go together; one that leans is caught."""
    ids = np.arange(A_TIME)
    bits = (Stream(12).uniform(ids, "bits") * 2.0**52).astype(np.uint64)
    table = ((bits[:, None] >> np.arange(52, dtype=np.uint64)) & np.uint64(1)).astype(np.float32)
    limit = special.ndtri(1 - UNLIKELY / 2 / 52**2) / np.sqrt(A_TIME)
    signs = 2.0 * table - 1.0
    assert np.abs(signs.mean(axis=0)).max() < limit
    together = signs.T @ signs / A_TIME - np.eye(52)
    assert np.abs(together).max() < limit
    signs[: A_TIME // 100, 17] = 1.0
    assert np.abs(signs.mean(axis=0)).max() > limit


def p_of_normal(spread: float = 1.0) -> float:
    """Standard normal numbers, in 50 cells of equal chance."""
    edges = special.ndtri(np.arange(1, 50) / 50)
    counts = np.zeros(50)
    for part in range(MANY // A_TIME):
        numbers = spread * Stream(13, animal=part).normal(np.arange(A_TIME), "normal")
        counts += np.bincount(np.searchsorted(edges, numbers), minlength=50)
    return p_of_cells(counts, np.full(50, 1 / 50))


def test_ten_million_normal_numbers_are_normal() -> None:
    """A standard deviation four tenths of a per cent too large is caught."""
    assert UNLIKELY < p_of_normal() < 1 - UNLIKELY
    assert p_of_normal(1.004) < UNLIKELY


def p_of_lognormal(cv: float, assumed: float) -> float:
    """Log-normal factors of one cv, in cells of equal chance of another one."""
    sigma = np.sqrt(np.log1p(assumed**2))
    edges = np.exp(sigma * special.ndtri(np.arange(1, 200) / 200) - sigma**2 / 2)
    counts = np.zeros(200)
    for part in range(4):
        numbers = Stream(14, animal=part).lognormal(np.arange(A_TIME), "lognormal", cv)
        counts += np.bincount(np.searchsorted(edges, numbers), minlength=200)
    return p_of_cells(counts, np.full(200, 1 / 200))


@pytest.mark.parametrize("cv", [0.13, 1.0])
def test_four_million_lognormal_factors_have_their_cv(cv: float) -> None:
    """A cv one per cent too large is caught."""
    assert UNLIKELY < p_of_lognormal(cv, cv) < 1 - UNLIKELY
    assert p_of_lognormal(1.01 * cv, cv) < UNLIKELY


def p_of_poisson(mean: float, assumed: float) -> float:
    """Counts of one mean in cells of another one."""
    top = int(stats.poisson.isf(1e-4, assumed))
    counts = np.zeros(top + 1)
    for part in range(2):
        found = Stream(15, animal=part).poisson(mean, np.arange(A_TIME), "poisson")
        counts += np.bincount(np.minimum(found, top), minlength=top + 1)
    chances = np.append(
        stats.poisson.pmf(np.arange(top), assumed), stats.poisson.sf(top - 1, assumed)
    )
    kept = chances * counts.sum() > 20
    rare = np.array([(~kept * counts).sum()]), np.array([(~kept * chances).sum()])
    if rare[1] * counts.sum() < 20:
        first = np.flatnonzero(kept)[0]
        counts[first] += rare[0][0]
        chances[first] += rare[1][0]
        return p_of_cells(counts[kept], chances[kept])
    return p_of_cells(np.append(counts[kept], rare[0]), np.append(chances[kept], rare[1]))


@pytest.mark.parametrize("mean", COUNTS)
def test_two_million_counts_are_poisson(mean: float) -> None:
    """A mean one per cent too large is caught."""
    assert UNLIKELY < p_of_poisson(mean, mean) < 1 - UNLIKELY
    assert p_of_poisson(1.01 * mean, mean) < UNLIKELY


def neighbours(kind: str) -> FloatArray:
    """Numbers of ten thousand streams that differ by one, shape (streams, 500), of mean 0."""
    ids = np.arange(500)
    rows = np.empty((KEYS, ids.size))
    for n in range(KEYS):
        stream = {
            "seed": lambda n: Stream(n), "animal": lambda n: Stream(1, animal=n),
            "draw": lambda n: Stream(1, draw=n), "step": lambda n: Stream(1),
        }[kind](n)  # fmt: skip
        rows[n] = stream.uniform(ids, "x", step=n if kind == "step" else 0)
    return (rows - 0.5) * np.sqrt(12.0)


def worst_correlation(rows: FloatArray) -> float:
    """Largest correlation of a stream with its next and with the one after that."""
    pairs = [(rows[:-gap] * rows[gap:]).mean(axis=1) for gap in (1, 2)]
    return float(max(np.abs(pair).max() for pair in pairs))


@pytest.mark.parametrize("kind", ["seed", "animal", "draw", "step"])
def test_ten_thousand_neighbouring_streams_share_nothing(kind: str) -> None:
    """Seeds, animals, draws or steps that differ by one; a stream of which half is shared."""
    rows = neighbours(kind)
    limit = float(special.ndtri(1 - UNLIKELY / 4 / KEYS)) / np.sqrt(rows.shape[1])
    assert worst_correlation(rows) < limit
    assert abs(float(rows.mean())) < 5 / np.sqrt(rows.size)
    assert abs(float((rows[:, :-1] * rows[:, 1:]).mean())) < 5 / np.sqrt(rows.size)
    rows[500] = np.sqrt(0.75) * rows[500] + 0.5 * rows[499]
    assert worst_correlation(rows) > limit
