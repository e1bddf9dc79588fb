"""How much a study is expected to tell about which of several rivals is right.

Rivals are distributions of what a study would read: each is a set of parameter sets, and each
parameter set gives the expected readings and their scatter between animals. The expected
information gain is the mutual information of rival and readings,

    I = Σ_m w_m E[ln p(y | m) − ln Σ_k w_k p(y | k)].

Two estimates enclose it in expectation. *Over*: the parameter sets at hand are taken for all
there are; mixtures of samples differ even where rivals do not, since the divergence is convex in
them. *Under*: the parameter set that made a reading is left out of every rival when the reading is
judged; any judgement that does not know the truth gains no more than the best one. More draws bring
them together; half their distance is told as bias.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from unmoor.elementwise import FloatArray
from unmoor.random import Stream

_DOUBT = 1e-3
_LEAST = 1e-12  # scatter and expected counts, so that nothing is certain


@dataclass(frozen=True)
class Reading:
    """One readout of one group of animals, in each parameter set of a rival.

    Attributes
    ----------
    name
        The same in every rival.
    is_count
        Whether it is the sum of negative-binomial counts of the animals, or the mean of normal
        readings.
    mean
        Expected reading of one animal, shape (draws,).
    scatter
        Standard deviation between readings of animals, or for counts the dispersion k in
        variance = mean + k·mean²; shape (draws,).
    """

    name: str
    is_count: bool
    mean: FloatArray
    scatter: FloatArray


Rival = Sequence[Reading]
"""Readings of one study, in the same order in every rival."""


@dataclass(frozen=True)
class Gain:
    """Expected information gain of a study about which rival is right [nat].

    Attributes
    ----------
    under, over
        Estimates that enclose it in expectation.
    error
        Monte-Carlo standard error of their middle.
    most
        What there is to learn: the entropy of the weights.
    """

    under: float
    over: float
    error: float
    most: float

    @property
    def middle(self) -> float:
        """Middle of both estimates, between 0 and what there is to learn."""
        return min(max(0.5 * (self.under + self.over), 0.0), self.most)

    @property
    def bias(self) -> float:
        """Half the distance of both estimates."""
        return 0.5 * abs(self.over - self.under)


def expected_gain(
    rivals: Sequence[Rival], weights: Sequence[float], animals: int, seed: int, repeats: int = 4
) -> Gain:
    """Information that a study of so many animals a group is expected to give.

    Parameters
    ----------
    rivals
        All with the same number of draws, two or more; draws that are not finite are left out.
    weights
        Of the rivals, adding up to 1; one of weight 0 is no rival.
    animals
        In each group; readings of animals are independent given rival and parameter set.
    repeats
        Virtual studies of each parameter set.
    """
    used = [(_solved(r), w) for r, w in zip(rivals, weights, strict=True) if w > 0]
    most = -math.fsum(w * math.log(w) for _, w in used)
    if len(used) < 2 or min(r[0].mean.size for r, _ in used) < 2:
        return Gain(math.nan, math.nan, math.nan, most)
    under, over = [], []
    for m, (truth, weight) in enumerate(used):
        made = _virtual(truth, animals, seed, m, repeats)
        own, held = _judged([r for r, _ in used], [w for _, w in used], made, animals, m)
        under.append((weight, held))
        over.append((weight, own))
    found = [math.fsum(w * float(x.mean()) for w, x in each) for each in (under, over)]
    variance = math.fsum(
        w * w * float((0.5 * (a + b)).mean(axis=1).var(ddof=1)) / a.shape[0]
        for (w, a), (_, b) in zip(under, over, strict=True)
    )
    return Gain(found[0], found[1], math.sqrt(variance), most)


def _solved(rival: Rival) -> Rival:
    known = np.all([np.isfinite(each.mean) & np.isfinite(each.scatter) for each in rival], axis=0)
    return [
        Reading(each.name, each.is_count, each.mean[known], each.scatter[known]) for each in rival
    ]


def _virtual(rival: Rival, animals: int, seed: int, place: int, repeats: int) -> list[FloatArray]:
    """Readings of virtual studies, one array a readout, shape (draws, repeats)."""
    made: list[FloatArray] = []
    for each in rival:
        count = each.mean.size * repeats
        ids = np.arange(count, dtype=np.uint64)
        stream = Stream(seed)
        mean, scatter = each.mean[:, None], np.maximum(each.scatter[:, None], _LEAST)
        z = stream.normal(ids, f"{place}/{each.name}").reshape(-1, repeats)
        if not each.is_count:
            noisy: FloatArray = mean + scatter / math.sqrt(animals) * z
            made.append(noisy)
            continue
        from scipy.special import gammaincinv, ndtr  # heavy

        expected = np.maximum(mean, _LEAST) * animals
        shape = animals / scatter
        rate = gammaincinv(np.broadcast_to(shape, z.shape), ndtr(z)) / shape * expected
        same = np.broadcast_to(ids.reshape(-1, repeats), rate.shape)
        counts = stream.poisson(np.minimum(rate, 1e8), same, f"{place}/{each.name}/n")
        made.append(counts.astype(np.float64))
    return made


def _judged(
    rivals: Sequence[Rival],
    weights: Sequence[float],
    made: Sequence[FloatArray],
    animals: int,
    truth: int,
) -> tuple[FloatArray, FloatArray]:
    """Information of each virtual study: with all parameter sets, and without its own number."""
    logs: list[list[FloatArray]] = [[], []]
    draws = made[0].shape[0]
    for rival in rivals:
        chances = _log_chances(rival, made, animals)  # (draws of the truth, repeats, draws)
        logs[0].append(_log_mean(chances))
        own = np.arange(min(draws, chances.shape[2]))
        chances[own, :, own] = -np.inf
        logs[1].append(_log_mean(chances))
    found = []
    for part in logs:
        whole = np.logaddexp.reduce(
            [x + math.log(w) for x, w in zip(part, weights, strict=True)], axis=0
        )
        found.append(np.where(np.isfinite(whole), part[truth] - whole, 0.0))
    # whoever judges keeps a little doubt, so that one reading that no other set explains costs
    # little: mixed with the weights themselves, which tell nothing, the judgement is still one
    return found[0], np.log((1.0 - _DOUBT) * np.exp(found[1]) + _DOUBT)


def _log_chances(rival: Rival, made: Sequence[FloatArray], animals: int) -> FloatArray:
    """Logarithm of the chance of readings under each parameter set of a rival."""
    from scipy.special import gammaln

    total = np.zeros((*made[0].shape, rival[0].mean.size))
    for each, values in zip(rival, made, strict=True):
        y = values[:, :, None]
        if not each.is_count:
            scatter = np.maximum(each.scatter, _LEAST) / math.sqrt(animals)
            total += -0.5 * ((y - each.mean) / scatter) ** 2 - np.log(scatter)
            continue
        shape = animals / np.maximum(each.scatter, _LEAST)
        expected = np.maximum(each.mean, _LEAST) * animals
        total += gammaln(y + shape) - gammaln(shape) - gammaln(y + 1.0)
        total += shape * np.log(shape / (shape + expected))
        total += y * np.log(expected / (shape + expected))
    return total


def _log_mean(logs: FloatArray) -> FloatArray:
    """Logarithm of the mean over the last axis of what is not left out."""
    counted = np.isfinite(logs).sum(axis=2)
    with np.errstate(divide="ignore"):
        found: FloatArray = np.logaddexp.reduce(logs, axis=2) - np.log(np.maximum(counted, 1))
    return found
