"""Does a growth fit describe its data? What it predicts for the same animals on the same days."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from unmoor.analysis.growth import GrowthFit, log_volume
from unmoor.analysis.growth_data import GrowthData
from unmoor.analysis.growth_likelihood import animal_values, effects_of
from unmoor.elementwise import FloatArray
from unmoor.random import Stream

PERCENTILES = (10.0, 50.0, 90.0)
BAND = (5.0, 95.0)
"""Interval of a percentile over repeated studies [%]."""
SEED = 3574531
_REPEATS = 500
_BIN = 24  # readings at least that a percentile is taken of
_BINS = 12


@dataclass(frozen=True)
class PredictiveCheck:
    """Observed percentiles of the volumes, and what they would be were the fit true.

    Attributes
    ----------
    day
        Mean day of each bin of readings, shape (bins,) [d].
    readings
        Observed readings in each bin, shape (bins,).
    observed
        :data:`PERCENTILES` of the readings, shape (bins, 3) [mm³].
    low, middle, high
        Interval :data:`BAND` and median of those over repeated studies, shape (bins, 3) [mm³].
    coverage
        Share of readings between the predicted 10 and 90 % of their own day and animal pattern.
    """

    day: FloatArray
    readings: np.ndarray
    observed: FloatArray
    low: FloatArray
    middle: FloatArray
    high: FloatArray
    coverage: float

    @property
    def inside(self) -> float:
        """Share of the observed percentiles that lie within their intervals."""
        return float(((self.observed >= self.low) & (self.observed <= self.high)).mean())


def population(fit: GrowthFit, days: FloatArray, shares: FloatArray) -> FloatArray:
    """Quantiles of the true volumes of all animals, shape (days, shares) [mm³].

    Only if β alone differs, since the volume then rises with it.
    """
    from scipy.special import ndtri

    values = fit.values
    beta = values["beta"] * np.exp(values["omega_beta"] * ndtri(shares))
    return np.exp(log_volume(days[:, None], beta, values["k"], fit.data.start))


def check_predictions(fit: GrowthFit, repeats: int = _REPEATS, seed: int = SEED) -> PredictiveCheck:
    """Simulate the study again and again, with other animals, and compare percentiles.

    Readings below detection are treated as in the data: left out, or set to the limit.
    """
    data = fit.data
    bins = np.array(list(_bins(data.day)))
    simulated = np.array(list(simulate_readings(fit, repeats, seed)))
    observed, spread = [], []
    for low, high in bins:
        own = (data.day >= low) & (data.day <= high)
        observed.append(np.percentile(data.volume[own], PERCENTILES))
        spread.append(np.nanpercentile(simulated[:, own], PERCENTILES, axis=1))
    ends = np.percentile(np.array(spread), (BAND[0], 50.0, BAND[1]), axis=2)
    own_band = np.nanpercentile(simulated, (PERCENTILES[0], PERCENTILES[2]), axis=0)
    within = (data.volume >= own_band[0]) & (data.volume <= own_band[1])
    return PredictiveCheck(
        day=np.array([data.day[(data.day >= a) & (data.day <= b)].mean() for a, b in bins]),
        readings=np.array([((data.day >= a) & (data.day <= b)).sum() for a, b in bins]),
        observed=np.array(observed),
        low=ends[0],
        middle=ends[1],
        high=ends[2],
        coverage=float(within.mean()),
    )


def simulate_readings(fit: GrowthFit, repeats: int, seed: int = SEED) -> Iterator[FloatArray]:
    """Yield readings of new animals on the days of the data; NaN below an unknown limit."""
    data, values = fit.data, fit.values
    animals = np.arange(len(data.animals), dtype=np.uint64)
    numbers = np.arange(data.day.size, dtype=np.uint64)
    stream = Stream(seed)
    for step in range(repeats):
        names = [f"growth/{i}" for i in range(effects_of(values))]
        scores = np.stack([stream.normal(animals, name, step) for name in names], -1)
        beta, k = (each[data.index] for each in animal_values(values, scores))
        volume = np.exp(log_volume(data.day, beta, k, data.start))
        luck = stream.normal(numbers, "calliper", step)
        yield detected(volume + (values["a"] + values["b"] * volume) * luck, data)


def detected(readings: FloatArray, data: GrowthData) -> FloatArray:
    """Readings as they would stand in the data."""
    if data.detection_limit > 0.0:
        return np.maximum(readings, data.detection_limit)
    return np.where(readings > 0.0, readings, np.nan)


def residuals(fit: GrowthFit) -> tuple[FloatArray, FloatArray]:
    """Fitted volume [mm³] and standardised residual [-] of each reading that was not censored."""
    data, values = fit.data, fit.values
    seen = ~data.is_censored
    index = data.index[seen]
    volume = np.exp(log_volume(data.day[seen], fit.beta[index], fit.k[index], data.start))
    return volume, (data.volume[seen] - volume) / (values["a"] + values["b"] * volume)


def serial_correlation(fit: GrowthFit) -> float:
    """Correlation of each residual with the animal's one before it; 0 if errors are independent."""
    seen = ~fit.data.is_censored
    index, away = fit.data.index[seen], residuals(fit)[1]
    same = index[1:] == index[:-1]
    if same.sum() < 3:
        return float("nan")
    return float(np.corrcoef(away[1:][same], away[:-1][same])[0, 1])


def _bins(day: FloatArray) -> Iterator[tuple[float, float]]:
    """First and last day of bins with enough readings each, not too many of them."""
    days, counts = np.unique(day, return_counts=True)
    wanted = max(_BIN, day.size // _BINS)
    first, held = 0, 0
    for i, count in enumerate(counts):
        held += int(count)
        if (held >= wanted and counts[i + 1 :].sum() >= wanted) or i == len(days) - 1:
            yield float(days[first]), float(days[i])
            first, held = i + 1, 0
