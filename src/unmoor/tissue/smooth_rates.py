"""Smooth rates from counts of rare events: a Gaussian process under Poisson counts.

The logarithm of a rate is a constant, a slope along each axis and a smooth deviation, each with a
normal prior; counts are Poisson about exposure × rate, with a scatter of its own from one run to
the next. Solved by Newton's method about the mode (Laplace's approximation: Rasmussen and
Williams 2006, Gaussian Processes for Machine Learning, section 3.4). Sums run in a fixed order and
no library of linear algebra is called, so that a table has the same bits wherever it is made.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import product
from typing import NamedTuple

import numpy as np

from unmoor.compilation import kernel, part
from unmoor.elementwise import FloatArray

_CONSTANT, _SLOPE = 3.0, 3.0  # standard deviations: weak, a slope may change a rate e⁶-fold
_ROUNDS = 60  # of Newton's method; ten are common
_CLOSE = 1e-9  # change of a logarithm that is none
_NOTHING = 1e-12  # variance that rounding leaves
_LEAST = 1e-6  # share of variance that keeps a matrix of Gaussian readings invertible


class Shape(NamedTuple):
    """How a smooth function may vary over axes that run from −1 to 1.

    Attributes
    ----------
    size
        Standard deviation of the smooth deviation from a plane.
    near, far
        Its length along the first two axes and along the others.
    scatter
        Standard deviation between runs at one place, beyond that of counts.
    """

    size: float
    near: float
    far: float
    scatter: float


SHAPES = tuple(
    Shape(*each) for each in product((0.5, 2.0), (0.5, 1.0), (2.0, 4.0), (0.05, 0.3, 0.8))
)
"""What is tried; the one under which the data are most likely is taken."""


@dataclass(frozen=True, eq=False)
class Smooth:
    """A function fitted to runs at ``places``, shape (runs, axes).

    Attributes
    ----------
    level
        Its prior mean.
    pull
        Weights of the runs in the mean, shape (runs,).
    root, lower
        Square roots of the runs' precisions, shape (runs,), and the Cholesky factor of their
        matrix, shape (runs, runs).
    evidence
        Logarithm of the likelihood of the data under the shape.
    """

    places: FloatArray
    shape: Shape
    level: float
    pull: FloatArray
    root: FloatArray
    lower: FloatArray
    evidence: float

    def at(self, places: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the function and its standard error at places, without scatter of runs."""
        mean, error = np.empty((2, places.shape[0]))
        _predict(self.places, self.shape, self.pull, self.root, self.lower, places, mean, error)
        return self.level + mean, error

    def modes_at(self, places: FloatArray, count: int) -> FloatArray:
        """Ways in which the function may be wrong, shape (places, count).

        A function that the data allow is the mean plus the modes, each times its own standard
        normal number. They are the columns of a pivoted Cholesky factor of the errors' covariance;
        what they leave out is least where the error is largest.
        """
        halved, modes = (
            np.empty((places.shape[0], self.root.size)),
            np.zeros((places.shape[0], count)),
        )
        _halve(self.places, self.shape, self.root, self.lower, places, halved)
        _factorise_errors(self.shape, places, halved, modes)
        return modes


def fit_counts(
    places: FloatArray, exposure: FloatArray, counts: FloatArray, shape: Shape
) -> Smooth:
    """Fit the logarithm of a rate.

    Parameters
    ----------
    places
        Of the runs, shape (runs, axes), each axis from −1 to 1.
    exposure
        What a rate is multiplied with to give the expected count, shape (runs,).
    counts
        Shape (runs,).
    """
    level = math.log((math.fsum(counts) + 0.5) / math.fsum(exposure))
    runs = counts.size
    pull, root, lower = np.zeros(runs), np.empty(runs), np.empty((runs, runs))
    matrix = _covariance(places, shape)
    evidence = _settle(matrix, level, exposure, counts, pull, root, lower)
    # what no rate changes: the factorials
    evidence -= math.fsum(math.lgamma(count + 1.0) for count in counts)
    return Smooth(places, shape, level, pull, root, lower, evidence)


def fit_readings(places: FloatArray, readings: FloatArray, shape: Shape) -> Smooth:
    """Fit a quantity that is read with a normal error, ``shape.scatter``."""
    level = math.fsum(readings) / readings.size
    matrix = _covariance(places, shape._replace(scatter=0.0))
    noise = shape.scatter**2 + _LEAST * (1.0 + shape.size**2)
    root = np.full(readings.size, 1.0 / math.sqrt(noise))
    lower, pull = np.empty(matrix.shape), np.empty(readings.size)
    evidence = _regress(matrix, readings - level, root, lower, pull)
    return Smooth(places, shape, level, pull, root, lower, evidence)


def smooth_counts(places: FloatArray, exposure: FloatArray, counts: FloatArray) -> Smooth:
    """Fit the logarithm of a rate under the likeliest of ``SHAPES``."""
    return likeliest([fit_counts(places, exposure, counts, shape) for shape in SHAPES])


def smooth_readings(places: FloatArray, readings: FloatArray) -> Smooth:
    """Fit readings, in units of their spread, under the likeliest of ``SHAPES``."""
    level = math.fsum(readings) / readings.size
    spread = math.sqrt(math.fsum((readings - level) ** 2) / readings.size) or 1.0
    fit = likeliest([fit_readings(places, readings / spread, shape) for shape in SHAPES])
    return replace(fit, level=fit.level * spread, pull=fit.pull * spread)


def likeliest(fits: list[Smooth]) -> Smooth:
    """Return the fit of highest evidence; of equals the first."""
    return max(fits, key=lambda fit: fit.evidence)


@part
def _alike(a: FloatArray, b: FloatArray, shape: Shape) -> float:
    """Prior covariance of two places, without scatter."""
    along, apart = 0.0, 0.0
    for x in range(a.size):
        length = shape.near if x < 2 else shape.far
        along += a[x] * b[x]
        apart += ((a[x] - b[x]) / length) ** 2
    smooth = shape.size * shape.size * math.exp(-0.5 * apart)
    return _CONSTANT * _CONSTANT + _SLOPE * _SLOPE * along + smooth


@kernel
def _covariance(places: FloatArray, shape: Shape) -> FloatArray:
    matrix = np.empty((places.shape[0], places.shape[0]))
    for i in range(places.shape[0]):
        for j in range(i + 1):
            matrix[i, j] = matrix[j, i] = _alike(places[i], places[j], shape)
        matrix[i, i] += shape.scatter * shape.scatter
    return matrix


@part
def _factorise(matrix: FloatArray, root: FloatArray, lower: FloatArray) -> float:
    """Cholesky factor of 1 + root·matrix·root; returns half the logarithm of its determinant."""
    half = 0.0
    for i in range(root.size):
        for j in range(i + 1):
            total = root[i] * matrix[i, j] * root[j]
            for k in range(j):
                total -= lower[i, k] * lower[j, k]
            if i == j:
                lower[i, i] = math.sqrt(1.0 + total)
                half += math.log(lower[i, i])
            else:
                lower[i, j] = total / lower[j, j]
                lower[j, i] = 0.0
    return half


@part
def _solve(lower: FloatArray, vector: FloatArray) -> None:
    """Divide by lower·lowerᵀ, in place."""
    for i in range(vector.size):
        for k in range(i):
            vector[i] -= lower[i, k] * vector[k]
        vector[i] /= lower[i, i]
    for i in range(vector.size - 1, -1, -1):
        for k in range(i + 1, vector.size):
            vector[i] -= lower[k, i] * vector[k]
        vector[i] /= lower[i, i]


@part
def _times(matrix: FloatArray, vector: FloatArray, out: FloatArray) -> None:
    for i in range(vector.size):
        out[i] = 0.0
        for k in range(vector.size):
            out[i] += matrix[i, k] * vector[k]


@part
def _merit(
    level: float, exposure: FloatArray, counts: FloatArray, pull: FloatArray, rise: FloatArray
) -> float:
    """Logarithm of likelihood × prior, up to what no rate changes."""
    merit = 0.0
    for i in range(counts.size):
        value = level + rise[i]
        merit += counts[i] * (value + math.log(exposure[i])) - exposure[i] * math.exp(value)
        merit -= 0.5 * pull[i] * rise[i]
    return merit


@kernel
def _settle(
    matrix: FloatArray,
    level: float,
    exposure: FloatArray,
    counts: FloatArray,
    pull: FloatArray,
    root: FloatArray,
    lower: FloatArray,
) -> float:
    """Newton's method to the mode; a step that makes things worse is halved.

    Returns
    -------
        Logarithm of the likelihood of the counts, integrated over the function.
    """
    runs = counts.size
    rise, target, ahead, trial = np.zeros(runs), np.empty(runs), np.empty(runs), np.empty(runs)
    merit = _merit(level, exposure, counts, pull, rise)
    for _ in range(_ROUNDS):
        for i in range(runs):
            expected = exposure[i] * math.exp(level + rise[i])
            root[i] = math.sqrt(expected)
            target[i] = expected * rise[i] + counts[i] - expected
        _factorise(matrix, root, lower)
        _times(matrix, target, ahead)
        for i in range(runs):
            trial[i] = root[i] * ahead[i]
        _solve(lower, trial)
        for i in range(runs):
            target[i] -= root[i] * trial[i] + pull[i]  # the whole step
        share, moved = 1.0, 0.0
        for _ in range(20):
            for i in range(runs):
                trial[i] = pull[i] + share * target[i]
            _times(matrix, trial, ahead)
            better = _merit(level, exposure, counts, trial, ahead)
            if better >= merit - 1e-12 * abs(merit):
                break
            share *= 0.5
        for i in range(runs):
            moved = max(moved, abs(ahead[i] - rise[i]))
            pull[i], rise[i] = trial[i], ahead[i]
        merit = better
        if moved < _CLOSE:
            break
    for i in range(runs):
        root[i] = math.sqrt(exposure[i] * math.exp(level + rise[i]))
    return merit - _factorise(matrix, root, lower)


@kernel
def _regress(
    matrix: FloatArray, readings: FloatArray, root: FloatArray, lower: FloatArray, pull: FloatArray
) -> float:
    """Weights of readings with normal errors of precision root²; returns the evidence."""
    half = _factorise(matrix, root, lower)
    evidence = -half
    for i in range(readings.size):
        pull[i] = root[i] * readings[i]
    _solve(lower, pull)
    for i in range(readings.size):
        pull[i] *= root[i]
        evidence += math.log(root[i]) - 0.5 * pull[i] * readings[i]
        evidence -= 0.5 * math.log(2.0 * math.pi)
    return evidence


@kernel
def _halve(
    places: FloatArray,
    shape: Shape,
    root: FloatArray,
    lower: FloatArray,
    wanted: FloatArray,
    halved: FloatArray,
) -> None:
    """Rows whose products are what the runs tell of each pair of places, shape (wanted, runs)."""
    runs = root.size
    for n in range(wanted.shape[0]):
        for i in range(runs):
            halved[n, i] = root[i] * _alike(places[i], wanted[n], shape)
        for i in range(runs):
            for k in range(i):
                halved[n, i] -= lower[i, k] * halved[n, k]
            halved[n, i] /= lower[i, i]


@kernel
def _factorise_errors(
    shape: Shape, wanted: FloatArray, halved: FloatArray, modes: FloatArray
) -> None:
    """Columns of the factor, each from the place that is least known given those before."""
    count = wanted.shape[0]
    left = np.empty(count)
    for n in range(count):
        left[n] = _alike(wanted[n], wanted[n], shape)
        for i in range(halved.shape[1]):
            left[n] -= halved[n, i] * halved[n, i]
    for mode in range(modes.shape[1]):
        at = 0
        for n in range(count):
            if left[n] > left[at]:
                at = n
        if left[at] <= _NOTHING:
            return
        height = math.sqrt(left[at])
        for n in range(count):
            total = _alike(wanted[at], wanted[n], shape)
            for i in range(halved.shape[1]):
                total -= halved[at, i] * halved[n, i]
            for k in range(mode):
                total -= modes[at, k] * modes[n, k]
            modes[n, mode] = total / height
            left[n] -= modes[n, mode] * modes[n, mode]


@kernel
def _predict(
    places: FloatArray,
    shape: Shape,
    pull: FloatArray,
    root: FloatArray,
    lower: FloatArray,
    wanted: FloatArray,
    mean: FloatArray,
    error: FloatArray,
) -> None:
    runs = root.size
    column = np.empty(runs)
    for n in range(wanted.shape[0]):
        mean[n], known = 0.0, 0.0
        for i in range(runs):
            together = _alike(places[i], wanted[n], shape)
            mean[n] += pull[i] * together
            column[i] = root[i] * together
        for i in range(runs):
            for k in range(i):
                column[i] -= lower[i, k] * column[k]
            column[i] /= lower[i, i]
            known += column[i] * column[i]
        error[n] = math.sqrt(max(_alike(wanted[n], wanted[n], shape) - known, 0.0))
