"""Finer steps, finer voxels and a larger box change outcomes little.

A small spheroid grows and invades a gel for a day with oxygen and TGFβ. Trajectories of crowded
cells part exponentially, so what is compared is the mean over tissues with other random numbers,
and differences are held against their own standard error as well. With UNMOOR_LONG=1 for three days
and with five times as many tissues.
"""

from __future__ import annotations

import math
import os
from typing import Any

import numpy as np
import pytest

from unmoor import catalog
from unmoor.random import Stream
from unmoor.tissue import surroundings
from unmoor.tissue.bodies import FloatArray
from unmoor.tissue.lives import Behaviours
from unmoor.tissue.seeding import ball
from unmoor.tissue.snapshot import LIVING
from unmoor.tissue.tissue import Numerics, Tissue

VALUES = catalog.table("closures", "tissue").values_by_id()
CELLS, EXTENT = 60, 320.0
IS_LONG = os.environ.get("UNMOOR_LONG") == "1"
TISSUES, DAYS = (40, 3.0) if IS_LONG else (8, 1.0)
ALLOWED = 0.05


def outcome(seed: int, *, extent: float = EXTENT, **numerics: Any) -> list[float]:
    """Living cells and radius of gyration [µm] in the end."""
    stream = Stream(seed)
    tissue = Tissue.seeded(
        VALUES,
        ball(CELLS, 1.9 * VALUES["radius"], stream),
        stream=stream,
        behaviours=Behaviours.of(CELLS, division=0.7, death=0.05, cohesion=0.5),
        collagen=1.5,
        extent=extent,
        fields=("oxygen", "tgfb"),
        numerics=Numerics(**numerics),
    )
    tissue.advance(1440.0 * DAYS)
    slots = np.flatnonzero(tissue.lives.phase == LIVING)
    place = tissue.bodies.position[slots]
    return [
        float(slots.size),
        float(np.sqrt(((place - place.mean(axis=0)) ** 2).sum(axis=1).mean())),
    ]


def outcomes(**given: Any) -> FloatArray:
    """Of all tissues, shape (tissues, outcomes)."""
    return np.array([outcome(seed, **given) for seed in range(TISSUES)])


@pytest.fixture(scope="module")
def usual() -> FloatArray:
    """Outcomes at the usual steps."""
    return outcomes()


def holds(changed: FloatArray, usual: FloatArray) -> None:
    """Means differ by no more than 5 %, or than chance allows (3 SE of the paired difference)."""
    ratio = np.log(changed / usual)
    error = ratio.std(axis=0, ddof=1) / math.sqrt(TISSUES)
    assert np.all(np.abs(ratio.mean(axis=0)) < np.maximum(ALLOWED, 3.0 * error))
    assert np.all(3.0 * error < 3.0 * ALLOWED)  # chance alone may not excuse everything


def test_half_the_step_of_movement(usual: FloatArray) -> None:
    """.15 instead of .3 min."""
    holds(outcomes(dt=0.15), usual)


def test_half_the_time_between_exchanges(usual: FloatArray) -> None:
    """3 instead of 6 min, with fields and neighbours looked at as often as before."""
    holds(outcomes(exchange=3.0, social=10, signals=20), usual)


def test_half_the_voxels(usual: FloatArray, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fields on voxels of 10 instead of 20 µm."""
    monkeypatch.setattr(surroundings, "SPACING", 0.5 * surroundings.SPACING)
    holds(outcomes(), usual)


def test_a_box_half_as_large_again(usual: FloatArray) -> None:
    """Fields end 50 % farther away."""
    holds(outcomes(extent=1.5 * EXTENT), usual)


def test_the_check_can_fail(usual: FloatArray) -> None:
    """Cells that divide a quarter faster are noticed, and so is a spread of .2."""
    with pytest.raises(AssertionError):
        holds(usual * [1.19, 1.0], usual)
    with pytest.raises(AssertionError):
        holds(usual * np.exp(np.linspace(-0.4, 0.4, TISSUES))[:, None], usual)
