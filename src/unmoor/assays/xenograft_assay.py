"""The orthotopic xenograft as an assay: its outcome, and what a laboratory would read of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from unmoor.assays.base import Bench, Outcome
from unmoor.assays.culture import in_order
from unmoor.assays.orthotopic_xenograft import XenograftResult, run_xenograft
from unmoor.assays.preparation import INTERVAL, Setting
from unmoor.assays.quantities import COURSES, PACES
from unmoor.catalog import table
from unmoor.catalog.draws import Draw
from unmoor.elementwise import FloatArray, exponential, logarithm
from unmoor.random import Stream

if TYPE_CHECKING:
    from unmoor.assays.settings import OrthotopicXenograft

_MOST = 1e8  # metastases; far beyond what a lung holds, within what counts are exact for
# Of rivals only shares of draws are shown; coarser runs of rivals lower these by up to .15
# (measured: knock-down in the calibrated lines, where it would be 1 by construction, .86-.98).
_RIVAL_CLONES = 8
_RIVAL_INTERVAL = 1.0  # d


def xenograft(settings: OrthotopicXenograft, bench: Bench, draws: Sequence[Draw]) -> Outcome:
    """Run parameter sets."""
    host = settings.host_of(bench.line.name)
    if host is None:
        raise ValueError(f"no host for {bench.line.name}")  # a checked study names one
    setting = Setting(
        line=bench.line,
        host=host,
        arms=list(bench.arms.values()),
        structure=bench.structure,
        duration=settings.duration if bench.days is None else bench.days,
        inoculum=settings.inoculum,
        clones=min(settings.clones, _RIVAL_CLONES) if bench.is_rival else settings.clones,
        seed=bench.seed,
        interval=_RIVAL_INTERVAL if bench.is_rival else INTERVAL,
        beside=bench.beside,
        interaction=bench.interaction,
        escape="table" if bench.is_rival else bench.escape,
    )
    animals = 1 if bench.is_rival else settings.animals
    if bench.is_reference:
        animals = max(bench.pool, animals)
    followed = settings.animals if bench.is_reference and not bench.is_rival else 0
    result = run_xenograft(
        setting, draws, animals, follow=not bench.is_rival, follow_animals=followed
    )
    return Outcome(
        status=result.status,
        readouts=_readouts(result, draws),
        days=np.array([setting.duration]),
        courses=result.courses.astype(np.float32),
        times=result.times,
        lines=result.lines,
        k_int=result.k_int,
        arrays=_arrays(bench, draws, result),
    )


def _readouts(result: XenograftResult, draws: Sequence[Draw]) -> FloatArray:
    """Typical volume, expected metastases, division and death at read-out.

    Returns
    -------
        Shape (draws, arms, outcomes, 1).
    """
    logs = logarithm(np.maximum(result.volume, np.finfo(float).tiny))
    volume = exponential(in_order(logs) / logs.shape[2])
    metastases = in_order(result.expected_metastases) / logs.shape[2]
    pace = dict(zip(PACES, np.moveaxis(result.paces, 2, 0), strict=True))
    rows = [draw.values("closures", "culture") for draw in draws]
    room = np.array([row["division_rate"] for row in rows])[:, None, None]
    turnover = np.array([row["death_rate"] for row in rows])[:, None, None]
    divisions = room * pace["growth"] + pace["turnover"]
    deaths = turnover + pace["turnover"] + pace["death"] + pace["kill"]
    whole = in_order(result.weights)
    with np.errstate(all="ignore"):
        rates = [in_order(result.weights * each) / whole for each in (divisions, deaths)]
    return np.stack([volume, metastases, *rates], axis=2)[..., None]


def _arrays(bench: Bench, draws: Sequence[Draw], result: XenograftResult) -> Mapping[str, Any]:
    """What effects, verdict and single animals are made of."""
    arrays: dict[str, Any] = {
        "volume": result.volume,
        "expected_metastases": result.expected_metastases,
        "exposure": result.exposure,
        "shedding": result.shedding,
        "e_cadherin": result.courses[:, :, COURSES.index("e_cadherin"), -1],
    }
    if not bench.is_rival:
        arrays |= {"singles": result.singles, "clusters": result.clusters}
        arrays |= observe(bench, draws, result)
    if result.animal_volumes.shape[2]:
        arrays["animal_volumes"] = result.animal_volumes.astype(np.float32)
    return arrays


def observe(bench: Bench, draws: Sequence[Draw], result: XenograftResult) -> dict[str, Any]:
    """What a laboratory would read: calliper volumes and counted metastases."""
    reading, counts = np.empty(result.volume.shape), np.zeros(result.volume.shape, np.int64)
    growth = table("closures", "growth", bench.beside)
    error = growth["residual_a"].value + growth["residual_b"].value * result.volume
    animals = np.arange(1, result.volume.shape[2] + 1, dtype=np.uint64)
    for d, draw in enumerate(draws):
        stream = Stream(bench.seed, draw=draw.number)
        for i, arm in enumerate(bench.arms):
            reading[d, i] = stream.normal(animals, f"calliper/{arm}")
        cv = draw.values("closures", "dissemination")["mu_cv"]
        expected = result.expected_metastases[d] * stream.lognormal(animals, "shedding", cv)
        expected = np.where(result.status[d][:, None] == 0, expected, 0.0)
        same = np.broadcast_to(animals, expected.shape)
        counts[d] = stream.poisson(np.minimum(expected, _MOST), same, "metastases")
    smallest = growth["smallest_reading"].value
    return {"reading": np.maximum(result.volume + error * reading, smallest), "count": counts}
