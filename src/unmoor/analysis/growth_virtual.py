"""Untreated virtual animals, measured on the days of real ones and fitted in the same way.

The animals are those of unmoor's own xenograft under the nominal values of the catalog: cells,
clones, host and growth as in any study, without treatment.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from unmoor.analysis.growth import GrowthFit, fit_growth
from unmoor.analysis.growth_animals import AnimalFits, fit_each
from unmoor.analysis.growth_data import GrowthData
from unmoor.assays.orthotopic_xenograft import run_xenograft
from unmoor.assays.preparation import Setting
from unmoor.catalog import table
from unmoor.catalog.draws import NOMINAL, Draw
from unmoor.cell.line import CellLine, Structure
from unmoor.elementwise import FloatArray
from unmoor.random import Stream

LINE, HOST = "MDA-MB-231", "scid"
"""Parent of the line whose growth the catalog holds, and its host."""
SEED = 403
_CLONES = 16


@dataclass(frozen=True)
class VirtualAnimals:
    """Virtual animals and what the fits make of their readings.

    Attributes
    ----------
    cell_line, host
        Whose they are.
    days
        Days on which the true volumes are known, shape (days,) [d].
    volumes
        True volumes, shape (animals, days) [mm³].
    data
        Readings on the days of the real animals.
    each
        Fits of single animals.
    fit
        Mixed-effects fit of all.
    """

    cell_line: str
    host: str
    days: FloatArray
    volumes: FloatArray
    data: GrowthData
    each: AnimalFits
    fit: GrowthFit

    def at(self, day: float) -> FloatArray:
        """True volumes of all animals on a day, shape (animals,) [mm³]."""
        return volumes_on(self.days, self.volumes, np.array([day]))[:, 0]


def virtual_animals(
    pattern: GrowthData,
    animals: int,
    *,
    cell_line: str = LINE,
    host: str = HOST,
    inoculum: float = 1e6,
    seed: int = SEED,
    beside: Path | None = None,
) -> VirtualAnimals:
    """Grow virtual animals, measure them on the days of ``pattern``, and fit them.

    Parameters
    ----------
    pattern
        Real animals: the first virtual one is measured on the days of the first, and so on from
        the start again.
    beside
        Folder whose ``catalog/`` comes first.
    """
    last = max(36.0, math.ceil(float(pattern.day.max())))
    setting = Setting(
        line=CellLine.load(cell_line, beside),
        host=host,
        arms=[()],
        structure=Structure("cascading", "tgfb"),
        duration=last,
        inoculum=inoculum,
        clones=_CLONES,
        seed=seed,
        beside=beside,
    )
    draw = Draw.sets(seed, [NOMINAL], beside)
    result = run_xenograft(setting, draw, animals, follow_animals=animals)
    volumes = np.asarray(result.animal_volumes)[0, 0]
    data = _measure(pattern, result.times, volumes, seed, beside)
    return VirtualAnimals(
        cell_line, host, result.times, volumes, data, fit_each(data), fit_growth(data)
    )


def volumes_on(days: FloatArray, volumes: FloatArray, wanted: FloatArray) -> FloatArray:
    """Volumes between the days on which they are known, linear in the logarithm.

    Returns shape (animals, wanted) [mm³].
    """
    between = np.array([np.interp(wanted, days, own) for own in np.log(volumes)])
    return np.asarray(np.exp(between), dtype=np.float64)


def _measure(
    pattern: GrowthData, days: FloatArray, volumes: FloatArray, seed: int, beside: Path | None
) -> GrowthData:
    """Calliper readings as a study makes them; what cannot be read is treated as in ``pattern``."""
    growth = table("closures", "growth", beside)
    stream = Stream(seed, draw=NOMINAL)
    ends = np.append(pattern.firsts, pattern.day.size)
    names, day, readings = [], [], []
    for animal in range(volumes.shape[0]):
        like = animal % len(pattern.animals)
        own = pattern.day[ends[like] : ends[like + 1]]
        true = volumes_on(days, volumes[animal : animal + 1], own)[0]
        luck = stream.normal(np.arange(own.size, dtype=np.uint64), "calliper/growth", animal)
        error = growth["residual_a"].value + growth["residual_b"].value * true
        reading = true + error * luck
        # A study records the smallest reading for what is smaller; here it is below detection.
        reading = np.where(reading <= growth["smallest_reading"].value, 0.0, reading)
        names += [f"{animal + 1}"] * own.size
        day.append(own)
        readings.append(reading)
    return GrowthData.of(
        names,
        np.concatenate(day),
        np.concatenate(readings),
        start=pattern.start,
        detection_limit=pattern.detection_limit,
    )
