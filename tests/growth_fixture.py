"""Made-up growth of a group of animals, and the real data if they lie beside the project."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from unmoor.analysis.growth_data import GrowthData
from unmoor.elementwise import FloatArray
from unmoor.random import Stream

SHARED = Path(__file__).parents[2] / "shared" / "data" / "tumour_growth"
BREAST = SHARED / "lm2_4_breast.csv"
LUNG = SHARED / "llc_lung.csv"
needs_data = pytest.mark.skipif(
    not BREAST.is_file(), reason="the growth data in ../shared are not part of the project"
)
TRUTH = {"beta": 0.09, "k": 7.4, "omega_beta": 0.15, "a": 10.0, "b": 0.12}
DAYS = np.array([6.0, 9, 12, 15, 18, 21, 24, 28])


def readings(
    animals: int, seed: int = 1, days: FloatArray = DAYS, **changes: float
) -> tuple[list[str], FloatArray, FloatArray]:
    """Names, days and volumes of animals that follow the model with :data:`TRUTH`."""
    truth, stream = TRUTH | changes, Stream(seed)
    beta = true_beta(animals, seed, truth["beta"], truth["omega_beta"])
    start = np.log(truth.get("start", 1.0))
    volume = np.exp(truth["k"] - (truth["k"] - start) * np.exp(-beta[:, None] * days))
    luck = stream.normal(np.arange(volume.size, dtype=np.uint64), "calliper")
    volume = volume + (truth["a"] + truth["b"] * volume) * luck.reshape(volume.shape)
    names = [f"{animal + 1}" for animal in range(animals) for _ in days]
    return names, np.tile(days, animals), np.maximum(volume, 0.0).ravel()


def true_beta(
    animals: int, seed: int = 1, middle: float = TRUTH["beta"], spread: float = TRUTH["omega_beta"]
) -> FloatArray:
    """β of each animal [1/d]."""
    scores = Stream(seed).normal(np.arange(animals, dtype=np.uint64), "growth")
    return np.asarray(middle * np.exp(spread * scores))


def group(animals: int, seed: int = 1, days: FloatArray = DAYS, **changes: float) -> GrowthData:
    """Readings as data for a fit; ``detection_limit`` and ``start`` may be among the changes."""
    limit, start = changes.pop("detection_limit", 0.0), changes.get("start", 1.0)
    made = readings(animals, seed, days, **changes)
    return GrowthData.of(*made, start=start, detection_limit=limit)


def table_text(animals: int, seed: int = 1) -> str:
    """A table of made-up readings in CSV."""
    rows = [
        f"{name},{day:g},{volume:.3f}"
        for name, day, volume in zip(*readings(animals, seed), strict=True)
    ]
    return "\n".join(["animal,day,volume_mm3", *rows]) + "\n"
