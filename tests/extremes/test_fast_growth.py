"""Tumours that change fast: followed to the right volume, never negative, never past capacity."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from unmoor.elementwise import FloatArray
from unmoor.organism import primary_tumour
from unmoor.organism.primary_tumour import grow

STEP = 0.5  # d, the pace of the animal study
ALPHA, BETA = 0.61, 0.0775  # 1/d, of the size of those of the catalog


def grown(
    volumes: list[float], growth: list[float], death: list[float], days: float
) -> tuple[FloatArray, float, float]:
    """Volumes after some days, and what was shed and the exposure; every cell sheds alike."""
    now = np.array(volumes)[:, None]
    shed, exposure = np.zeros(1), np.zeros(1)
    rates = np.array([growth, death, [1.0] * len(volumes)])
    for _ in range(round(days / STEP)):
        grow(now, shed, exposure, np.array([ALPHA]), np.array([BETA]), rates, STEP)
    return now[:, 0], float(shed[0]), float(exposure[0])


def closed_form(volume: float, growth: float, death: float, days: float) -> float:
    """One clone: ln V relaxes to (α g − d)/(β g)."""
    end = (ALPHA * growth - death) / (BETA * growth)
    return math.exp(end + (math.log(volume) - end) * math.exp(-BETA * growth * days))


def check_one_clone(volume: float, growth: float, death: float) -> None:
    """Against the closed form on several days."""
    for days in (0.5, 1.0, 5.0, 28.0):
        expected = closed_form(volume, growth, death, days)
        found, _, _ = grown([volume], [growth], [death], days)
        assert found[0] == pytest.approx(expected, rel=1e-3)


CASES = [
    (1e-6, 1.0, 0.0), (1e-6, 30.0, 0.0), (1.0, 500.0, 0.0), (1e-3, 1e6, 0.0),
    (2000.0, 0.5, 4.0), (2000.0, 20.0, 9.0), (2e6, 1.0, 0.0), (1e-6, 0.2, 10.0),
]  # fmt: skip


@pytest.mark.parametrize(("volume", "growth", "death"), CASES)
def test_a_fast_tumour_follows_the_closed_form(volume: float, growth: float, death: float) -> None:
    """From one cell, at a million times the growth, or killed at ten a day: to .1 %."""
    check_one_clone(volume, growth, death)


def test_competing_clones_follow_the_equations() -> None:
    """A slow clone is overgrown by a rare one that is eighty times as fast: to 1 %."""
    volumes, growth, death = [10.0, 1e-3, 1.0], [1.0, 80.0, 5.0], [0.0, 3.0, 0.4]
    g, d = np.array(growth), np.array(death)

    def slope(_: float, y: FloatArray) -> FloatArray:
        logs, total = y[:3], np.exp(y[:3]).sum()
        return np.append((ALPHA - BETA * np.log(total)) * g - d, total) + 0.0 * logs.sum()

    start = np.append(np.log(volumes), 0.0)
    for days in (0.5, 3.0, 10.0):
        exact = solve_ivp(slope, (0, days), start, method="LSODA", rtol=1e-9, atol=1e-9).y[:, -1]
        found, shed, exposure = grown(volumes, growth, death, days)
        assert found == pytest.approx(np.exp(exact[:3]), rel=0.01)
        assert exposure == pytest.approx(exact[3], rel=0.01)
        assert shed == pytest.approx(exposure, rel=1e-12)


def test_both_ways_agree_where_they_meet() -> None:
    """Just below and just above the change x from which a tumour is followed closely.

    A step of order four errs by x⁵/120 there, what follows closely by nothing for one clone.
    """
    error = primary_tumour._FAST**5 / 120
    pace = primary_tumour._FAST / STEP
    for volume in (1.0, 1e-2):
        drive = ALPHA - BETA * math.log(volume)
        for growth in (0.999 * pace / drive, 1.001 * pace / drive):
            found, _, _ = grown([volume], [growth], [0.0], STEP)
            assert found[0] == pytest.approx(closed_form(volume, growth, 0.0, STEP), rel=error)


def test_an_animal_is_the_same_in_any_company() -> None:
    """Which way is taken depends on the typical animal, not on which others there are."""
    rates = np.array([[40.0, 1.0], [0.0, 2.0], [1.0, 1.0]])
    many = np.array([[1.0, 1.0, 1.0, 1.0], [2.0, 2.0, 2.0, 2.0]])
    alpha, beta = ALPHA * np.array([1, 1.1, 0.9, 1.3]), BETA * np.array([1.0, 1.1, 0.9, 1.3])
    few = many[:, :2].copy()
    for volumes in (many, few):
        n = volumes.shape[1]
        shed, exposure = np.zeros(n), np.zeros(n)
        for _ in range(20):
            grow(volumes, shed, exposure, alpha[:n], beta[:n], rates, STEP)
    assert few.tobytes() == many[:, :2].copy().tobytes()


def test_nothing_grows_from_nothing() -> None:
    """A tumour that is gone stays away and sheds nothing."""
    found, shed, exposure = grown([0.0, 0.0], [500.0, 1.0], [0.0, 9.0], 14.0)
    assert found.tolist() == [0.0, 0.0]
    assert (shed, exposure) == (0.0, 0.0)
    killed, _, _ = grown([1.0], [1.0], [60.0], 365.0)
    assert killed[0] >= 0.0


def test_what_is_not_a_number_is_not_hidden() -> None:
    """Rates or volumes that are not finite leave a volume that is not, instead of a loop."""
    for volume, growth, death in ((1.0, math.nan, 0.0), (math.nan, 1.0, 0.0), (1.0, math.inf, 0.0)):
        found, _, _ = grown([volume], [growth], [death], 1.0)
        assert not np.isfinite(found[0])


@pytest.mark.parametrize(("volume", "growth", "death"), [CASES[2], CASES[3], CASES[5]])
def test_a_planted_single_step_is_caught(volume: float, growth: float, death: float) -> None:
    """The step of order four, alone as it once was, overshoots and is noticed."""
    drive = ALPHA - BETA * math.log(volume)
    slopes = [drive * growth - death]
    for reach in (0.5, 0.5, 1.0):
        trial = max(volume * (1.0 + reach * STEP * slopes[-1]), 1e-300)
        slopes.append((ALPHA - BETA * math.log(trial)) * growth - death)
    step = volume * (1.0 + STEP / 6.0 * (slopes[0] + 2 * slopes[1] + 2 * slopes[2] + slopes[3]))
    assert step != pytest.approx(closed_form(volume, growth, death, STEP), rel=1e-3)
