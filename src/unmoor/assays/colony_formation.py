"""Colonies of single cells: plating, and the chance that a birth-death lineage grows large.

A seeded cell and its progeny divide at rate b(t) and die at rate d(t). With G = ∫(b − d) and
J = ∫ d e^(−G), the lineage lives with chance 1/(1 + J) and then has a geometric number of cells
with ratio 1 − 1/W, W = e^G (1 + J) (Kendall 1948). Equations: docs/explanation/assays.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from unmoor.assays.base import Bench, Outcome
from unmoor.assays.culture import Culture, grow_culture, grown, in_order, in_vitro, setting_of
from unmoor.catalog.draws import Draw
from unmoor.elementwise import FloatArray, exponential, power

if TYPE_CHECKING:
    from unmoor.assays.culture_settings import ColonyFormation


def colonies(settings: ColonyFormation, bench: Bench, draws: Sequence[Draw]) -> Outcome:
    """Run parameter sets; colonies are told per cell seeded."""
    place = in_vitro(settings.matrix, settings.dimensions, bench, is_dense=False)
    seeded = grow_culture(setting_of(bench, place, settings.duration, settings.clones), draws)
    tables = [draw.values("closures", "culture") for draw in draws]
    arms = len(seeded.on.arms)
    plating = np.repeat([values["plating"] for values in tables], arms)[:, None]
    least = tables[0]["colony_cells"]
    days = settings.read or (settings.duration,)
    large = in_order(chance_of_size(seeded, least)) / seeded.logs.shape[2]
    return seeded.outcome([seeded.read(plating * large, days)], days)


def chance_of_size(seeded: Culture, least: float) -> FloatArray:
    """Chance that a seeded cell of each clone has at least ``least`` living progeny.

    Returns
    -------
        Shape (subjects, times, clones).
    """
    return chance_of_progeny(seeded.divisions, seeded.deaths, seeded.step, least)


def chance_of_progeny(
    divisions: FloatArray, deaths: FloatArray, step: float, least: float
) -> FloatArray:
    """Chance of at least ``least`` living progeny of a cell that divides and dies at given rates.

    Parameters
    ----------
    divisions, deaths
        Rates in each interval, shape (subjects, intervals, clones) [1/d].
    step
        Length of an interval [d].

    Returns
    -------
        Shape (subjects, times, clones).
    """
    rates = divisions - deaths
    gains = exponential(rates * step)
    lost = deaths * grown(rates, step)
    # e^G·J interval by interval, which stays finite where J alone would overflow
    died = [np.zeros(lost[:, 0].shape)]
    for i in range(lost.shape[1]):
        died.append(died[-1] * gains[:, i] + lost[:, i])
    logs = np.concatenate([np.zeros((lost.shape[0], 1, lost.shape[2])), rates * step], axis=1)
    alive = exponential(np.cumsum(logs, axis=1))
    w = alive + np.stack(died, axis=1)
    # W is 1 while no cell has divided; rounding may put it a bit below
    ratio = np.maximum(1.0 - 1.0 / w, 0.0)
    return power(ratio, least - 1.0) * (alive / w)
