"""Numbers of free cells against the theory of branching processes (mean and variance).

Cycles have lengths of their own, so the theory is that of age-dependent branching (Bellman and
Harris): with p_k the chance that a cycle ends at its k-th exchange and s the chance to survive one,
the mean m and the second factorial moment f of the progeny of one new cell obey

    m(t) = P(k > t) sᵗ + Σ_{k ≤ t} p_k sᵏ · 2 m(t−k)
    f(t) =               Σ_{k ≤ t} p_k sᵏ · [2 f(t−k) + 2 m(t−k)²]
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from unmoor import catalog
from unmoor.random import Stream
from unmoor.tissue.bodies import FloatArray
from unmoor.tissue.lives import Behaviours
from unmoor.tissue.snapshot import LIVING
from unmoor.tissue.tissue import Numerics, Tissue

EXCHANGES = 960  # of 6 min: four days
FOUNDERS = 600
# Cells that do not notice each other, so that a single step of 6 min moves them.
FREE = {"pressure_stop": 1e9, "c_rep": 1e-3, "bond_E": 0.0, "bond_M": 0.0, "alignment": 0.0}


def moments(division: float, death: float, cv: float) -> tuple[FloatArray, FloatArray]:
    """Mean and variance of the living progeny of one new cell after 0 … EXCHANGES exchanges."""
    mean_cycle = 1440.0 * math.log(2.0) / division  # min
    variance = math.log1p(cv * cv)
    ends = 6.0 * np.arange(1, EXCHANGES + 1)
    z = (np.log(ends / mean_cycle) + 0.5 * variance) / math.sqrt(2.0 * variance)
    done = np.array([0.5 * math.erfc(-value) for value in z])
    survive = math.exp(-death * 6.0 / 1440.0)
    alive = survive ** np.arange(1, EXCHANGES + 1)
    divides = np.diff(done, prepend=0.0) * alive
    m, f = np.ones(EXCHANGES + 1), np.zeros(EXCHANGES + 1)
    for t in range(1, EXCHANGES + 1):
        before = slice(t - 1, None, -1)
        m[t] = (1.0 - done[t - 1]) * alive[t - 1] + 2.0 * divides[:t] @ m[before]
        f[t] = divides[:t] @ (2.0 * f[before] + 2.0 * m[before] ** 2)
    return m, f + m - m**2


@pytest.mark.parametrize(
    ("division", "death", "cv"), [(0.7, 0.0, 0.2), (1.0, 0.3, 0.2), (0.9, 0.9, 0.3)]
)
def test_progenies_have_the_mean_and_the_variance_of_theory(
    division: float, death: float, cv: float
) -> None:
    """Within 4 SE after one to four days; a rate of division that is 15 % wrong is seen."""
    rest = 300.0 * np.stack(np.meshgrid(*[np.arange(9.0)] * 3, indexing="ij"), axis=-1)
    tissue = Tissue.seeded(
        catalog.table("closures", "tissue").values_by_id() | FREE | {"cv_cycle": cv},
        rest.reshape(-1, 3)[:FOUNDERS],
        stream=Stream(11),
        behaviours=Behaviours.of(FOUNDERS, division=division, death=death, speed=0.0),
        clones=np.arange(FOUNDERS),
        progress=0.0,
        numerics=Numerics(dt=6.0),
    )
    mean, variance = moments(division, death, cv)
    for day in (1, 2, 3, 4):
        tissue.advance(1440.0)
        clones = tissue.lives.clone[tissue.lives.phase == LIVING]
        counts = np.bincount(clones, minlength=FOUNDERS).astype(np.float64)
        m, v = mean[240 * day], variance[240 * day]
        assert abs(counts.mean() - m) < 4.0 * math.sqrt(v / FOUNDERS) + 1e-9
        spread = (counts - counts.mean()) ** 2
        assert abs(spread.mean() - v) < 4.0 * spread.std() / math.sqrt(FOUNDERS) + 1e-9
    wrong, _ = moments(1.15 * division, death, cv)
    assert abs(wrong[-1] - mean[-1]) > 4.0 * math.sqrt(variance[-1] / FOUNDERS)


def test_theory_is_a_birth_process_where_that_is_known() -> None:
    """Without spread and death numbers double; growth is never below the rate that is asked."""
    mean, variance = moments(0.6, 0.0, 1e-4)
    cycle = math.log(2.0) / 0.6
    for day in (1, 2, 3, 4):
        assert mean[240 * day] == pytest.approx(2.0 ** math.floor(day / cycle), rel=1e-9)
        assert variance[240 * day] == pytest.approx(0.0, abs=1e-6)
