"""Random numbers that are a function of who, what and when.

A :class:`Stream` belongs to one animal under one parameter set. It has no state: each number is
computed from the study's seed, the animal, the parameter set, the identifier of whatever it is
drawn for (a clone, a cell, a parameter), the purpose and the step. So results depend neither on the
order of the work nor on the number of workers, and arms that share their animals are paired: the
same clone meets the same luck under each treatment.

The generator is Philox4x32-10 (Salmon, Moraes, Dror and Shaw 2011, 10.1145/2063384.2063405). The
key is a hash of seed, scheme, animal and parameter set; the counter holds identifier (64 bits),
step (32) and purpose (28, and 4 that count blocks).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from hashlib import blake2b
from operator import index
from typing import SupportsIndex

import numpy as np
import numpy.typing as npt
from scipy import special

from unmoor.compilation import kernel, part
from unmoor.errors import ParameterError

FloatArray = npt.NDArray[np.float64]
IntegerArray = npt.NDArray[np.int64]
Identifiers = npt.NDArray[np.integer] | Sequence[int] | int
_Word = np.uint64

SCHEME = "philox4x32-10/1"
"""Name of the way numbers are made; changing it changes every result."""

_MAX_MEAN = 1e9  # largest Poisson mean whose distribution function is known to full precision


@dataclass(frozen=True)
class Stream:
    """The random numbers of one animal under one parameter set.

    Parameters
    ----------
    seed
        Seed of the study.
    animal
        Number of the animal; arms share these numbers.
    draw
        Number of the parameter set; 0 stands for the nominal values.

    Examples
    --------
    >>> stream = Stream(seed=7, animal=3)
    >>> clones = np.arange(100)
    >>> growth = stream.uniform(clones, "growth")
    >>> bool(stream.uniform(42, "growth") == growth[42])
    True
    """

    seed: int
    animal: int = 0
    draw: int = 0

    @cached_property
    def key(self) -> int:
        """The 64 bits that set this stream apart from all others."""
        return _hash64(f"{SCHEME}|{int(self.seed)}|{int(self.animal)}|{int(self.draw)}")

    def uniform(self, ids: Identifiers, purpose: str, step: int = 0) -> FloatArray:
        """Numbers spread evenly between 0 and 1, neither of which occurs.

        Parameters
        ----------
        ids
            What the numbers are for, of any shape [64-bit identifiers].
        purpose
            What they decide; numbers of different purposes are independent.
        step
            When, from 0 to 2**32 - 1.

        Returns
        -------
            One number for each identifier, odd multiples of 2**-53; shape of ``ids`` [-].

        Raises
        ------
        ParameterError
            If an identifier or the step is not a whole number in its range.
        """
        if not 0 <= step < 2**32:
            raise ParameterError(f"step {step} of a random number is not in 0 to 2**32 - 1")
        identifiers = _as_identifiers(ids)
        numbers = np.empty(identifiers.size)
        key, when, why = map(np.uint64, (self.key, step, _purpose_word(purpose)))
        _fill_uniform(key, identifiers.ravel(), when, why, numbers)
        return numbers.reshape(identifiers.shape)

    def normal(self, ids: Identifiers, purpose: str, step: int = 0) -> FloatArray:
        """Standard normal numbers: quantiles of :meth:`uniform`, whose parameters these are.

        Returns
        -------
            One number for each identifier, between -8.3 and 8.3; shape of ``ids`` [-].
        """
        return np.asarray(special.ndtri(self.uniform(ids, purpose, step)), dtype=np.float64)

    def lognormal(
        self, ids: Identifiers, purpose: str, cv: float | FloatArray, step: int = 0
    ) -> FloatArray:
        """Log-normal factors of mean 1, for quantities that differ between animals or cells.

        Parameters
        ----------
        ids, purpose, step
            As for :meth:`uniform`.
        cv
            Coefficient of variation, not negative; broadcast against ``ids`` [-].

        Returns
        -------
            One factor for each identifier; exactly 1 where ``cv`` is 0 [-].
        """
        spread = np.asarray(cv, dtype=np.float64)
        if not bool(np.all(np.isfinite(spread) & (spread >= 0.0))):
            raise ParameterError("a coefficient of variation is negative or not finite")
        variance = special.log1p(spread * spread)
        exponent = np.sqrt(variance) * self.normal(ids, purpose, step) - 0.5 * variance
        # scipy's exp2 is plain arithmetic: numpy's exp picks its code by processor.
        return np.asarray(special.exp2(exponent * np.log2(np.e)), dtype=np.float64)

    def poisson(
        self, mean: float | FloatArray, ids: Identifiers, purpose: str, step: int = 0
    ) -> IntegerArray:
        """Poisson counts: quantiles of :meth:`uniform`, so a larger mean never counts less.

        Parameters
        ----------
        mean
            Expected counts, from 0 to 1e9; broadcast against ``ids`` [-].
        ids, purpose, step
            As for :meth:`uniform`.

        Returns
        -------
            One count for each identifier [-].
        """
        expected = np.asarray(mean, dtype=np.float64)
        if not bool(np.all((expected >= 0.0) & (expected <= _MAX_MEAN))):
            raise ParameterError(f"an expected count is not in 0 to {_MAX_MEAN:g}")
        return _poisson_quantile(self.uniform(ids, purpose, step), expected)


def identifier(text: str) -> int:
    """Stable 64-bit identifier of a name, the same in every process and on every machine.

    Examples
    --------
    >>> identifier("proliferation_rate") == identifier("proliferation_rate")
    True
    """
    return _hash64(f"name|{text}")


def _hash64(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little")


@lru_cache(maxsize=1024)
def _purpose_word(purpose: str) -> int:
    """Fourth word of the counter; its low four bits are left to count blocks."""
    return _hash64(f"purpose|{purpose}") & 0xFFFFFFF0


def purpose_of(purpose: str) -> np.uint64:
    """Word that stands for a purpose, for ``drawn`` inside kernels."""
    return np.uint64(_purpose_word(purpose))


def _as_identifiers(ids: Identifiers) -> npt.NDArray[_Word]:
    refusal = "identifiers of random numbers are whole numbers in 0 to 2**64 - 1"
    if not isinstance(ids, np.ndarray):
        try:
            whole = index(ids) if isinstance(ids, SupportsIndex) else [index(one) for one in ids]
            return np.asarray(whole, dtype=np.uint64)
        except (OverflowError, TypeError):
            raise ParameterError(refusal) from None
    if ids.dtype == np.uint64:
        return ids.view(np.uint64)
    # Casts of arrays do not complain: minus one would become the largest identifier.
    if ids.dtype.kind not in "ui" or bool(np.any(ids < 0)):
        raise ParameterError(refusal)
    return ids.astype(np.uint64)


def _poisson_quantile(probability: FloatArray, mean: FloatArray) -> IntegerArray:
    """Smallest count whose cumulative probability reaches the one given.

    Starts near the answer (Cornish-Fisher) and walks to it, one count a round, everywhere at once.
    """
    normal = special.ndtri(probability)
    guess = mean + np.sqrt(mean) * normal + (normal * normal - 1.0) / 6.0
    count = np.maximum(np.floor(guess), 0.0)
    probability, mean = np.broadcast_arrays(probability, mean)
    while np.any(short := special.pdtr(count, mean) < probability):
        count = count + short
    while np.any(
        far := (count > 0) & (special.pdtr(np.maximum(count - 1, 0), mean) >= probability)
    ):
        count = count - far
    return np.asarray(count, dtype=np.int64)


@kernel
def philox4x32(
    counter: tuple[_Word, _Word, _Word, _Word], key: tuple[_Word, _Word]
) -> tuple[_Word, _Word, _Word, _Word]:
    """Ten rounds of Philox on a counter of four 32-bit words and a key of two.

    All words are held in 64-bit integers, where products do not overflow and types do not change.
    """
    low, half = np.uint64(0xFFFFFFFF), np.uint64(32)
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(10):
        left = np.uint64(0xD2511F53) * c0
        right = np.uint64(0xCD9E8D57) * c2
        c0, c1 = (right >> half) ^ c1 ^ k0, right & low
        c2, c3 = (left >> half) ^ c3 ^ k1, left & low
        k0 = (k0 + np.uint64(0x9E3779B9)) & low
        k1 = (k1 + np.uint64(0xBB67AE85)) & low
    return c0, c1, c2, c3


@kernel
def _fill_uniform(
    key: _Word, ids: npt.NDArray[_Word], step: _Word, purpose: _Word, numbers: FloatArray
) -> None:
    """One uniform number for each identifier, from the first two words of its block."""
    low, half = np.uint64(0xFFFFFFFF), np.uint64(32)
    for i in range(ids.size):
        counter = (ids[i] & low, ids[i] >> half, step, purpose)
        first, second, _, _ = philox4x32(counter, (key & low, key >> half))
        bits = ((first << half) | second) >> np.uint64(12)
        # 52 bits and a half: symmetric about one half, exact, and never 0 or 1.
        numbers[i] = (np.float64(bits) + 0.5) * 2.0**-52


@part
def drawn(key: _Word, identity: _Word, step: _Word, purpose: _Word) -> float:
    """Return what ``Stream.uniform`` gives for one identifier, inside a kernel.

    Parameters
    ----------
    key
        ``Stream.key``.
    identity, step
        What the number is for, and when.
    purpose
        ``purpose_of`` what it decides.
    """
    low, half = np.uint64(0xFFFFFFFF), np.uint64(32)
    counter = (identity & low, identity >> half, step, purpose)
    first, second, _, _ = philox4x32(counter, (key & low, key >> half))
    bits = ((first << half) | second) >> np.uint64(12)
    number: float = (np.float64(bits) + 0.5) * 2.0**-52
    return number


@part
def descendant(parent: _Word, division: _Word) -> _Word:
    """Identity of the cell that splits off at a division of its parent: a 64-bit hash of both."""
    low, half = np.uint64(0xFFFFFFFF), np.uint64(32)
    key = (np.uint64(0x6C696E65), np.uint64(0x61676521))
    first, second, _, _ = philox4x32((parent & low, parent >> half, division, np.uint64(0)), key)
    return (first << half) | second
