"""Random numbers: the published vectors, independence of order, and the distributions.

Statistical tests use fixed seeds. Each also runs on a deliberately wrong twin, which it must catch.
"""

from __future__ import annotations

import subprocess
import sys
from hashlib import blake2b

import numpy as np
import numpy.typing as npt
import pytest
from scipy import special, stats

from unmoor.errors import ParameterError
from unmoor.random import Stream, identifier, philox4x32

Words = tuple[int, ...]
CLONES = np.arange(1000)
UNLIKELY = 1e-6  # chance that a statistical test fails although nothing is wrong


def philox_as_published(counter: Words, key: Words) -> Words:
    """The generator once more, in plain integers, after the paper's equations."""
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(10):
        high0, low0 = divmod(0xD2511F53 * c0, 2**32)
        high1, low1 = divmod(0xCD9E8D57 * c2, 2**32)
        c0, c1, c2, c3 = high1 ^ c1 ^ k0, low1, high0 ^ c3 ^ k1, low0
        k0, k1 = (k0 + 0x9E3779B9) % 2**32, (k1 + 0xBB67AE85) % 2**32
    return c0, c1, c2, c3


def compiled_philox(counter: Words, key: Words) -> Words:
    """The compiled generator, called with plain integers."""
    c0, c1, c2, c3 = (np.uint64(word) for word in counter)
    k0, k1 = (np.uint64(word) for word in key)
    return tuple(int(word) for word in philox4x32((c0, c1, c2, c3), (k0, k1)))


@pytest.mark.parametrize(
    ("counter", "key", "block"),
    [
        ("00000000 00000000 00000000 00000000", "00000000 00000000",
         "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff",
         "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0",
         "d16cfe09 94fdcceb 5001e420 24126ea1"),
    ],
)  # fmt: skip
def test_the_generator_gives_the_published_vectors(counter: str, key: str, block: str) -> None:
    """Known-answer vectors of Random123 for Philox4x32-10, for the kernel and for its twin."""
    words, key_words, expected = (
        tuple(int(word, 16) for word in text.split()) for text in (counter, key, block)
    )
    assert compiled_philox(words, key_words) == expected
    assert philox_as_published(words, key_words) == expected


def test_the_kernel_agrees_with_its_readable_twin() -> None:
    """Counter and key are packed as documented, and the 52 bits become an odd multiple."""
    stream = Stream(seed=7, animal=3, draw=2)
    clone, step = 2**40 + 5, 9
    digest = blake2b(b"purpose|growth", digest_size=8).digest()
    word = int.from_bytes(digest[:4], "little") & 0xFFFFFFF0
    block = philox_as_published(
        (clone % 2**32, clone // 2**32, step, word), (stream.key % 2**32, stream.key // 2**32)
    )
    bits = (block[0] * 2**32 + block[1]) >> 12
    assert float(stream.uniform(clone, "growth", step)) == (2 * bits + 1) / 2**53


def test_numbers_never_change_between_releases() -> None:
    """A change of these values changes every result: it needs a new scheme and an announcement."""
    stream = Stream(7, 3, 2)
    assert stream.key == 14414478094620504428
    assert float(stream.uniform(5, "growth", 9)).hex() == "0x1.83a4801994617p-1"
    assert int(stream.poisson(50.0, 5, "growth", 9)) == 55
    assert identifier("proliferation_rate") == 6918889843152727200


@pytest.mark.parametrize("size", [1, 7, 64, 1000])
def test_numbers_do_not_depend_on_the_batch(size: int) -> None:
    """A clone draws the same bits alone, in any batch and in any order."""
    stream = Stream(seed=1)
    whole = stream.uniform(CLONES, "growth")
    parts = [stream.uniform(CLONES[i : i + size], "growth") for i in range(0, 1000, size)]
    assert np.array_equal(np.concatenate(parts), whole)
    assert np.array_equal(stream.uniform(CLONES[::-1], "growth"), whole[::-1])
    assert np.array_equal(
        stream.normal(CLONES[::3], "growth"), stream.normal(CLONES, "growth")[::3]
    )


def test_shapes_and_integer_types_do_not_matter() -> None:
    """A number belongs to the value of an identifier, not to how it is stored."""
    stream = Stream(seed=1)
    table = CLONES.reshape(10, 100)
    assert np.array_equal(stream.uniform(table, "x"), stream.uniform(CLONES, "x").reshape(10, 100))
    assert np.array_equal(stream.uniform(table.T, "x"), stream.uniform(table, "x").T)
    assert np.array_equal(stream.uniform([3, 2**64 - 1], "x")[:1], stream.uniform([3], "x"))
    assert stream.uniform(3, "x") == stream.uniform(CLONES.astype(np.uint8)[:4], "x")[3]
    assert stream.uniform(3, "x").shape == ()
    assert stream.uniform([], "x").shape == (0,)


@pytest.mark.parametrize(
    "other",
    [
        (Stream(8, 3, 2), "growth", 0),
        (Stream(7, 4, 2), "growth", 0),
        (Stream(7, 3, 3), "growth", 0),
        (Stream(7, 3, 2), "spread", 0),
        (Stream(7, 3, 2), "growth", 1),
        (Stream(7, 2, 3), "growth", 0),
        (Stream(-7, 3, 2), "growth", 0),
    ],
)
def test_whatever_differs_gives_other_numbers(other: tuple[Stream, str, int]) -> None:
    """Seed, animal, parameter set, purpose and step each set numbers apart."""
    stream, purpose, step = other
    numbers = stream.uniform(CLONES, purpose, step)
    same = Stream(7, 3, 2).uniform(CLONES, "growth")
    assert not np.any(numbers == same)
    assert abs(np.corrcoef(numbers, same)[0, 1]) < 5 / np.sqrt(CLONES.size)


def test_a_new_process_draws_the_same_numbers() -> None:
    """Nothing depends on the process, such as Python's hash of text."""
    code = "from unmoor.random import Stream; print(Stream(7).uniform(1, 'x').hex())"
    code = code.replace("Stream(7).uniform(1, 'x')", "float(Stream(7).uniform(1, 'x'))")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == float(Stream(7).uniform(1, "x")).hex()


def p_of_uniform(numbers: npt.NDArray[np.float64]) -> float:
    """Chance of numbers at least this uneven, by chi-square over 256 equal cells."""
    return float(stats.chisquare(np.histogram(numbers, 256, (0, 1))[0]).pvalue)


def test_uniform_numbers_are_even() -> None:
    """Even over clones, steps and animals; numbers on average 2 % too small are caught."""
    many = np.arange(200_000)
    over_clones = Stream(1).uniform(many, "x")
    over_steps = np.concatenate([Stream(1).uniform(CLONES, "x", step) for step in range(200)])
    over_animals = np.concatenate([Stream(1, animal).uniform(CLONES, "x") for animal in range(200)])
    for numbers in (over_clones, over_steps, over_animals):
        assert UNLIKELY < p_of_uniform(numbers) < 1 - UNLIKELY
        assert p_of_uniform(numbers**1.04) < UNLIKELY
        assert numbers.min() > 0
        assert numbers.max() < 1


def test_neighbouring_animals_are_uncorrelated() -> None:
    """Streams of neighbouring keys share nothing; a stream used twice is caught."""
    numbers = np.array([Stream(1, animal).uniform(CLONES, "x") for animal in range(200)])
    correlations = np.corrcoef(numbers)[np.triu_indices(200, 1)]
    limit = special.ndtri(1 - UNLIKELY / 2 / correlations.size) / np.sqrt(CLONES.size)
    assert np.abs(correlations).max() < limit
    numbers[1] = 0.8 * numbers[1] + 0.2 * numbers[0]
    assert np.abs(np.corrcoef(numbers[:2]))[0, 1] > limit


def test_normal_numbers_are_normal() -> None:
    """Standard normal; a standard deviation 2 % too large is caught."""
    numbers = Stream(2).normal(np.arange(400_000), "x")
    assert stats.kstest(numbers, "norm").pvalue > UNLIKELY
    assert stats.kstest(1.02 * numbers, "norm").pvalue < UNLIKELY
    assert np.all(np.isfinite(numbers))


@pytest.mark.parametrize("cv", [0.1, 0.5, 2.0])
def test_lognormal_factors_have_mean_one_and_their_cv(cv: float) -> None:
    """The logarithm is normal with the variance that gives the cv, about the mean that gives 1."""
    logarithms = np.log(Stream(3).lognormal(np.arange(100_000), "x", cv))
    sigma = np.sqrt(np.log1p(cv**2))
    assert stats.kstest(logarithms, stats.norm(-(sigma**2) / 2, sigma).cdf).pvalue > UNLIKELY
    assert stats.kstest(logarithms, stats.norm(0, sigma).cdf).pvalue < UNLIKELY


def test_no_variability_gives_exactly_one() -> None:
    """A cv of 0 switches variability off without a trace, also for some of many."""
    assert np.all(Stream(3).lognormal(CLONES, "x", 0.0) == 1.0)
    some = Stream(3).lognormal(np.arange(3), "x", np.array([0.0, 0.3, 0.0]))
    assert list(some == 1.0) == [True, False, True]


@pytest.mark.parametrize("mean", [0.01, 0.7, 4.0, 60.0, 3000.0, 1e6])
def test_poisson_counts_are_exact_quantiles(mean: float) -> None:
    """Each count is the smallest whose cumulative probability reaches the uniform number."""
    uniform = Stream(4).uniform(CLONES, "x")
    counts = Stream(4).poisson(mean, CLONES, "x")
    assert np.array_equal(counts, stats.poisson.ppf(uniform, mean))


def test_poisson_counts_follow_the_distribution() -> None:
    """Counts of mean 3 are Poisson; a mean 2 % too large is caught."""
    counts = Stream(5).poisson(3.0, np.arange(200_000), "x")
    seen = np.bincount(np.minimum(counts, 10), minlength=11)
    for mean, right in ((3.0, True), (3.06, False)):
        chances = np.append(stats.poisson.pmf(np.arange(10), mean), stats.poisson.sf(9, mean))
        assert (stats.chisquare(seen, chances * counts.size).pvalue > UNLIKELY) == right


def test_a_larger_mean_never_counts_less() -> None:
    """Paired arms differ by their means alone, not by luck."""
    means = np.concatenate([[0.0], np.geomspace(1e-3, 1e4, 300)])
    counts = Stream(6).poisson(means[:, None], CLONES[:50], "x")
    assert counts.shape == (301, 50)
    assert np.all(np.diff(counts, axis=0) >= 0)
    assert np.all(counts[0] == 0)
    assert counts.dtype == np.int64


@pytest.mark.parametrize("mean", [-1.0, np.nan, np.inf, 1e12])
def test_an_impossible_mean_is_refused(mean: float) -> None:
    """A failed animal is marked as such before its counts are drawn, never given any."""
    with pytest.raises(ParameterError):
        Stream(1).poisson(mean, 1, "x")


@pytest.mark.parametrize("cv", [-0.1, np.nan, np.inf])
def test_an_impossible_variability_is_refused(cv: float) -> None:
    """Negative or not finite."""
    with pytest.raises(ParameterError):
        Stream(1).lognormal(1, "x", cv)


@pytest.mark.parametrize("ids", [-1, [0, -1], np.array([-1]), 1.5, [1.5], np.array([1.0]), 2**64])
def test_identifiers_are_whole_numbers_of_64_bits(ids: int) -> None:
    """Anything else would be cut to an identifier that belongs to something else."""
    with pytest.raises(ParameterError):
        Stream(1).uniform(ids, "x")


@pytest.mark.parametrize("step", [-1, 2**32])
def test_steps_fit_their_word_of_the_counter(step: int) -> None:
    """A step too many would run into the numbers of another one."""
    with pytest.raises(ParameterError):
        Stream(1).uniform(1, "x", step)


def test_identifiers_of_names_are_distinct() -> None:
    """Stable 64-bit hashes: no two of ten thousand names meet."""
    assert len({identifier(f"parameter_{number}") for number in range(10_000)}) == 10_000
    assert all(0 <= identifier(name) < 2**64 for name in ("", "β1", "k_int"))
