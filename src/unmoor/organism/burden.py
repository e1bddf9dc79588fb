"""Metastases by age and size: how many there are, how large, and how much tumour they hold.

The size-structured model of Iwata et al. (2000) in its renewal form: metastases are founded at a
rate, by the primary tumour and – if asked for – by older metastases, and each then grows along
one curve of its age. Equations: docs/explanation/organism.md.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from unmoor.compilation import kernel
from unmoor.elementwise import FloatArray
from unmoor.errors import ParameterError
from unmoor.random import Stream


class Burden(NamedTuple):
    """Metastases over time, on one equally spaced grid.

    Attributes
    ----------
    times
        Grid, shape (times,) [d].
    founded
        Expected metastases founded so far, shape (times,) [count].
    volume
        Expected volume of all of them, shape (times,) [mm³].
    rate
        Metastases founded per day, shape (times,) [1/d].
    """

    times: FloatArray
    founded: FloatArray
    volume: FloatArray
    rate: FloatArray


def burden(
    times: FloatArray,
    emission: FloatArray,
    size: FloatArray,
    offspring: FloatArray | None = None,
) -> Burden:
    """Number and volume of metastases, by the trapezoidal rule (order 2 in the grid).

    Parameters
    ----------
    times
        Equally spaced times from 0, shape (times,) [d].
    emission
        Metastases founded by the primary tumour, shape (times,) [1/d].
    size
        Volume of a metastasis at the ages of the grid, shape (times,) [mm³].
    offspring
        Metastases that one metastasis founds at the ages of the grid, shape (times,) [1/d];
        None if metastases found none.

    Raises
    ------
    ParameterError
        If the shapes differ or the times are not equally spaced from 0.
    """
    times, emission, size = (np.asarray(x, dtype=np.float64) for x in (times, emission, size))
    child = np.zeros_like(times) if offspring is None else np.asarray(offspring, dtype=np.float64)
    step = _step(times)
    for name, values in (("emission", emission), ("size", size), ("offspring", child)):
        if values.shape != times.shape:
            raise ParameterError(
                f"{name} has shape {values.shape} and times {times.shape}; give one value a time"
            )
    rate, founded, volume = np.empty_like(times), np.empty_like(times), np.empty_like(times)
    _renew(emission, size, child, step, rate, founded, volume)
    return Burden(times, founded, volume, rate)


def larger_than(volume: float, at: Burden, size: FloatArray) -> float:
    """Expected metastases above a volume [mm³] at the last time, for sizes that grow with age."""
    if volume <= size[0]:
        return float(at.founded[-1])
    if volume > size[-1]:
        return 0.0
    age = float(np.interp(volume, size, at.times))
    return float(np.interp(at.times[-1] - age, at.times, at.founded))


def sample_sizes(
    stream: Stream, animal: int, at: Burden, size: FloatArray, shedding: float = 1.0
) -> FloatArray:
    """Volumes of the metastases of one animal at the last time, oldest first, shape (count,) [mm³].

    A Poisson process with rate ``shedding × rate``; metastasis ``n`` of an animal is founded where
    the cumulative rate reaches its n-th arrival, so more shedding only adds younger ones.

    Parameters
    ----------
    stream
        Random numbers of the draw.
    animal
        Number of the animal.
    shedding
        Factor of this animal on the rate [-].
    """
    expected = shedding * at.founded
    ages: list[float] = []
    arrival, n = 0.0, 0
    while True:
        arrival -= float(np.log(stream.uniform(animal, "founding", n)).item())
        if arrival > expected[-1]:
            break
        founded = float(np.interp(arrival, expected, at.times))
        ages.append(float(at.times[-1]) - founded)
        n += 1
    return np.interp(np.array(ages), at.times, size) if ages else np.zeros(0)


def _step(times: FloatArray) -> float:
    if times.ndim != 1 or times.size < 2 or times[0] != 0.0:
        raise ParameterError("times must be two or more, in one row from 0")
    steps = np.diff(times)
    if not np.allclose(steps, steps[0], rtol=1e-9, atol=0.0) or steps[0] <= 0.0:
        raise ParameterError("times must be equally spaced and increase")
    return float(times[-1] / (times.size - 1))


@kernel
def _renew(
    emission: FloatArray,
    size: FloatArray,
    child: FloatArray,
    step: float,
    rate: FloatArray,
    founded: FloatArray,
    volume: FloatArray,
) -> None:
    """Volterra equation rate(t) = emission(t) + ∫ rate(s) child(t − s) ds, and its integrals."""
    for i in range(emission.size):
        daughters, held = 0.0, 0.0
        for j in range(i):
            weight = 0.5 if j == 0 else 1.0
            daughters += weight * rate[j] * child[i - j]
            held += weight * rate[j] * size[i - j]
        if i == 0:
            rate[0], founded[0], volume[0] = emission[0], 0.0, 0.0
            continue
        rate[i] = (emission[i] + step * daughters) / (1.0 - 0.5 * step * child[0])
        volume[i] = step * (held + 0.5 * rate[i] * size[0])
        founded[i] = founded[i - 1] + 0.5 * step * (rate[i - 1] + rate[i])
