"""Finer steps, finer voxels and a larger box change outcomes little.

A small spheroid grows and invades a gel for a day, uses oxygen and makes TGFβ. Trajectories of
crowded cells part exponentially, so what is compared is the mean over tissues with other random
numbers, and the 90 % interval of the change must lie within 5 %: of cells and of their spread. The
field of TGFβ itself, a hundredth of what cells make since a ball so small keeps next to nothing of
it, may change by a tenth: it reaches farther than the box, whose faces hold none. The voxels of the
gel, about as large as a cell, are part of the model and not refined. With UNMOOR_LONG=1 for three
days and with five times as many tissues.
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
ALLOWED = np.array([0.05, 0.05, 0.1])  # of cells, spread and TGFβ


def outcome(seed: int, *, extent: float = EXTENT, **numerics: Any) -> list[float]:
    """Living cells, radius of gyration [µm] and mean TGFβ at cells [-] in the end."""
    stream = Stream(seed)
    tissue = Tissue.seeded(
        VALUES,
        ball(CELLS, 1.9 * VALUES["radius"], stream),
        stream=stream,
        behaviours=Behaviours.of(CELLS, division=0.7, death=0.05, cohesion=0.5)._replace(
            tgfb=np.ones(CELLS)
        ),
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
        float(tissue.surroundings.at_cells.tgfb[slots].mean()),
    ]


def outcomes(**given: Any) -> FloatArray:
    """Of all tissues, shape (tissues, outcomes)."""
    return np.array([outcome(seed, **given) for seed in range(TISSUES)])


@pytest.fixture(scope="module")
def usual() -> FloatArray:
    """Outcomes at the usual steps."""
    return outcomes()


def holds(changed: FloatArray, usual: FloatArray) -> None:
    """The 90 % interval of the mean change, paired by tissue, lies within what is allowed."""
    ratio = np.log(changed / usual)
    error = ratio.std(axis=0, ddof=1) / math.sqrt(TISSUES)
    assert np.all(np.abs(ratio.mean(axis=0)) + 1.645 * error < ALLOWED)


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
    """A change of 6 % (TGFβ: 12 %) is noticed, and so is a spread of .2; no change is not."""
    holds(usual, usual)
    for changed in range(3):
        with pytest.raises(AssertionError):
            holds(usual * (1.0 + 1.2 * ALLOWED * (np.arange(3) == changed)), usual)
    with pytest.raises(AssertionError):
        holds(usual * np.exp(np.linspace(-0.4, 0.4, TISSUES))[:, None], usual)
