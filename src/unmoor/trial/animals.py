"""The animals of the study one by one: what callipers read day by day, and who left when.

Only the reference parameter set is followed, and of it the study's own number of animals. An
animal whose reading reaches the humane end point is taken out on that day and measured no more.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from unmoor.catalog import table
from unmoor.catalog.draws import NOMINAL
from unmoor.random import Stream
from unmoor.trial.study import Study

ANIMAL_COLUMNS = (
    "cell_line", "assay", "arm", "animal", "day", "tumour_volume", "tumour_volume_true",
)  # fmt: skip
EVENT_COLUMNS = ("cell_line", "assay", "arm", "animal", "event", "day", "observed")
HUMANE, READ_OUT = "humane_endpoint", "read_out"

FloatArray = npt.NDArray[np.float64]
IntegerArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Followed:
    """Animals of one line in one assay.

    Attributes
    ----------
    animals
        One row a measurement: calliper reading and true volume [mm³], by day [d].
    events
        Two rows an animal. ``humane_endpoint``: the day it was reached (observed) or the day of
        the read-out (not observed). ``read_out``: the day of the read-out (observed), or the day
        the animal was taken out before it (not observed).
    """

    animals: pd.DataFrame
    events: pd.DataFrame


def follow(study: Study, assay: int, cell_line: str, arrays: Mapping[str, Any] | None) -> Followed:
    """Animals of a line from the arrays of its reference set.

    Parameters
    ----------
    assay
        Index of the assay in the study.
    arrays
        ``animal_volumes``, shape (draws, arms, animals, times) [mm³], ``reading``, shape (draws,
        arms, animals) [mm³], ``times`` [d] and ``status``; without the first, nothing is known.
    """
    if arrays is None or "animal_volumes" not in arrays:
        return Followed(pd.DataFrame(columns=ANIMAL_COLUMNS), pd.DataFrame(columns=EVENT_COLUMNS))
    settings, days = study.assays[assay], np.asarray(arrays["times"], dtype=float)
    every = table("closures", "response", study.beside)["measured_every"].value
    frames = measured_frames(days, every)
    volumes = np.asarray(arrays["animal_volumes"][0], dtype=float)[:, : settings.animals, frames]
    readings = _readings(study, volumes, frames)
    # On the last day outcomes and courses are the same measurement, so one number.
    readings[:, :, -1] = arrays["reading"][0][:, : settings.animals]
    last, reached = leave(readings, float(getattr(settings, "humane_volume", math.inf)))
    last[arrays["status"][0] != 0] = -1  # a failed arm has no animals to follow
    where = {"cell_line": cell_line, "assay": settings.label}
    return Followed(
        _animal_rows(study, where, days[frames], volumes, readings, last),
        _event_rows(study, where, days[frames], last, reached),
    )


def join(parts: list[Followed]) -> Followed:
    """Animals of several lines and assays in one table each."""
    animals, events = [x.animals for x in parts], [x.events for x in parts]
    return Followed(_stacked(animals, ANIMAL_COLUMNS), _stacked(events, EVENT_COLUMNS))


def _stacked(frames: list[pd.DataFrame], columns: tuple[str, ...]) -> pd.DataFrame:
    known = [frame for frame in frames if len(frame)]
    return pd.concat(known, ignore_index=True) if known else pd.DataFrame(columns=columns)


def measured_frames(days: FloatArray, every: float) -> IntegerArray:
    """Indices of the days with a measurement, counted back from the read-out; none on day 0."""
    spacing = float(days[1] - days[0]) if days.size > 1 else every
    step = max(1, round(every / spacing))
    return np.arange(days.size - 1, 0, -step)[::-1].copy()


def _readings(study: Study, volumes: FloatArray, frames: IntegerArray) -> FloatArray:
    """Calliper readings of true volumes, shape (arms, animals, measurements) [mm³]."""
    growth = table("closures", "growth", study.beside)
    stream = Stream(study.seed, draw=NOMINAL)
    numbers = np.arange(1, volumes.shape[1] + 1, dtype=np.uint64)
    luck = np.empty(volumes.shape)
    for i, arm in enumerate(study.arms):
        for m, frame in enumerate(frames):
            luck[i, :, m] = stream.normal(numbers, f"calliper/{arm}", step=int(frame))
    error = growth["residual_a"].value + growth["residual_b"].value * volumes
    return np.maximum(volumes + error * luck, growth["smallest_reading"].value)


def leave(readings: FloatArray, limit: float) -> tuple[IntegerArray, npt.NDArray[np.bool_]]:
    """Index of the last measurement of each animal, and whether it reached the limit there.

    Readings have days along their last axis, which the results do not have [mm³].
    """
    over = readings >= limit
    reached = np.asarray(over.any(axis=-1))
    last = np.where(reached, over.argmax(axis=-1), readings.shape[-1] - 1)
    return last, reached


def _animal_rows(
    study: Study,
    where: Mapping[str, str],
    days: FloatArray,
    volumes: FloatArray,
    readings: FloatArray,
    last: IntegerArray,
) -> pd.DataFrame:
    arm, animal, day = np.nonzero(np.arange(days.size) <= last[:, :, None])
    names = np.array(list(study.arms), dtype=object)
    return pd.DataFrame(
        {
            **where,
            "arm": names[arm],
            "animal": animal + 1,
            "day": days[day],
            "tumour_volume": readings[arm, animal, day],
            "tumour_volume_true": volumes[arm, animal, day],
        }
    )


def _event_rows(
    study: Study,
    where: Mapping[str, str],
    days: FloatArray,
    last: IntegerArray,
    reached: npt.NDArray[np.bool_],
) -> pd.DataFrame:
    """Two rows an animal, one after the other."""
    arm, animal = np.nonzero(last >= 0)
    names = np.array(list(study.arms), dtype=object)
    left = days[last[arm, animal]]
    humane = reached[arm, animal]
    events = np.tile(np.array([HUMANE, READ_OUT], dtype=object), arm.size)
    observed = np.column_stack([humane, ~humane | (left == days[-1])]).ravel()
    return pd.DataFrame(
        {
            **where,
            "arm": np.repeat(names[arm], 2),
            "animal": np.repeat(animal + 1, 2),
            "event": events,
            "day": np.repeat(left, 2),
            "observed": observed,
        }
    )
