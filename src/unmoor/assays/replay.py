"""Days of animals lived again, with parts of what treated cells do replaced by the control's.

The networks are not run again: what cells showed in a treated and in the control subject was noted
(``live``), and behaviour, growth and shedding are worked out anew from any mixture of the two. Two
kinds of parts can be replaced: *routes*, what behaviour sees of the network and of the treatment,
and *stages* of the way from tumour to metastasis. Where nothing is replaced the numbers are those
of ``live``, to rounding. Equations: docs/explanation/foresight_why.md.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from unmoor.assays.days import (
    _CLUSTER,
    _CLUSTERS,
    _COHESION,
    _COLUMNS,
    _FAK_LUNG,
    _SINGLE,
    _SINGLES,
    Treated,
    Tumours,
    _advance,
    _behave_all,
    _set_rates,
    _table_of,
)
from unmoor.compilation import kernel, part
from unmoor.elementwise import FloatArray
from unmoor.organism.colonisation import held_together, outgrow
from unmoor.signalling.codegen import LANES
from unmoor.tissue.escape import EscapeTable

STAGES = ("size", "release", "transit", "colonisation")
"""Stages of the way from tumour to metastasis: how much tumour there is, what leaves it, what
survives in blood, and what grows out in the lung."""
_GIVEN = 6  # courses that behaviour sees of a treatment, as in ``Treated``


@part
def _blend(own: FloatArray, other: FloatArray, is_own: FloatArray, seen: FloatArray) -> None:
    """Readouts (blocks, readouts, 8), each its own or the other's."""
    for b in range(seen.shape[0]):
        for q in range(seen.shape[1]):
            source = own if is_own[q] > 0.0 else other
            for lane in range(LANES):
                seen[b, q, lane] = source[b, q, lane]


@part
def _choose(own: float, other: float, is_own: float) -> float:
    return own if is_own > 0.0 else other


@part
def _mix_stages(
    c: Any,
    own: FloatArray,
    other: FloatArray,
    rates: FloatArray,
    other_rates: FloatArray,
    systemic: FloatArray,
    is_own: FloatArray,
    mixed: FloatArray,
) -> None:
    """Rates of each clone with some stages of the other subject.

    Parameters
    ----------
    own, other
        Behaviour, shape (clones, ``_COLUMNS``).
    rates, other_rates
        What ``_set_rates`` makes of it, shape (4, clones).
    systemic
        TGFβ activity left in the host, own and other, shape (2,).
    is_own
        Whether each of ``STAGES`` is its own, shape (4,).
    mixed
        Filled, shape (4, clones).
    """
    all_own = is_own[0] * is_own[1] * is_own[2] * is_own[3] > 0.0
    for k in range(own.shape[0]):
        for q in range(4):
            mixed[q, k] = _choose(rates[q, k], other_rates[q, k], is_own[0])
        if all_own:
            mixed[2, k] = rates[2, k]
            continue
        at_home = outgrow(c, own[k, _FAK_LUNG], own[k, _COHESION], systemic[0])
        elsewhere = outgrow(c, other[k, _FAK_LUNG], other[k, _COHESION], systemic[1])
        table, grown = own, at_home
        if not is_own[2] > 0.0:
            table, grown = other, elsewhere
        single = table[k, _SINGLE] / grown if grown > 0.0 else 0.0
        cluster = table[k, _CLUSTER] / grown if grown > 0.0 else 0.0
        hold = held_together(c, table[k, _COHESION])
        whole = hold * cluster + (1.0 - hold) * 2.0 * single
        left = _choose(own[k, _SINGLES], other[k, _SINGLES], is_own[1])
        clusters = _choose(own[k, _CLUSTERS], other[k, _CLUSTERS], is_own[1])
        mixed[2, k] = (left * single + clusters * whole) * _choose(at_home, elsewhere, is_own[3])


@part
def _weigh_all(tumours: Tumours, volume: FloatArray) -> None:
    """Volume of each animal in each mixture, dying cells included."""
    for m in range(volume.shape[0]):
        for a in range(volume.shape[1]):
            volume[m, a] = 0.0
            for k in range(tumours.volumes.shape[1]):
                volume[m, a] += tumours.volumes[m, k, a]
            for j in range(tumours.dying.shape[1]):
                volume[m, a] += tumours.dying[m, j, a]


@kernel
def replay(
    c: Any,
    cells: Any,
    home: FloatArray,
    treated: Treated,
    seen: FloatArray,
    against: Any,
    routes: FloatArray,
    stages: FloatArray,
    start: Tumours,
    leaving: EscapeTable,
    days: float,
    shed: FloatArray,
    volume: FloatArray,
) -> None:
    """Live all days of all subjects again under each mixture.

    Parameters
    ----------
    c, cells, home, treated, leaving, days
        As for ``live``, which has settled the cells.
    seen
        What ``live`` noted, shape (subjects, intervals, blocks, readouts, 8).
    against
        Subject that each is compared with, shape (subjects,).
    routes
        Whether each readout, then each course of ``treated``, is the subject's own in a mixture,
        shape (mixtures, readouts + 6).
    stages
        Whether each of ``STAGES`` is the subject's own, shape (mixtures, 4).
    start
        Tumours of every subject at inoculation; not changed.
    shed, volume
        Filled: metastases founded, up to the line's scale, and the tumour's volume [mm³], shape
        (subjects, mixtures, animals).
    """
    clones, animals, mixtures = cells.shape[1], shed.shape[2], routes.shape[0]
    width, readouts, dead = seen.shape[2], seen.shape[3], start.dying.shape[1]
    given, theirs, systemic = np.ones(_GIVEN), np.ones(_GIVEN), np.ones(2)
    table, base = np.empty((clones, _COLUMNS)), np.empty((clones, _COLUMNS))
    other, view = np.empty((clones, _COLUMNS)), np.empty(seen.shape[2:])
    rates, other_rates, mixed = np.empty((3, 4, clones))
    for s in range(cells.shape[0]):
        left, t = _table_of(leaving, s * leaving.nodes.shape[0] // cells.shape[0]), against[s]
        now = Tumours(
            np.zeros((mixtures, clones, animals)), np.zeros((mixtures, dead, animals)),
            np.zeros((mixtures, animals)), np.zeros((mixtures, animals)),
            np.zeros((mixtures, animals)), np.zeros((mixtures, animals)),
        )  # fmt: skip
        for m in range(mixtures):
            now.volumes[m] = start.volumes[s]
            now.alpha[m], now.beta[m] = start.alpha[s], start.beta[s]
        kills = np.zeros(mixtures)
        # Untreated behaviour first, then in each interval the other's; one place that works it out.
        for i in range(-1, seen.shape[1]):
            for m in range(-1, mixtures if i >= 0 else 0):
                if i < 0:
                    view[:] = home[s * width : (s + 1) * width]
                    given[:4], given[4:] = 1.0, 0.0
                elif m < 0:
                    view[:], theirs[:] = seen[t, i], treated.means[t, i]
                    given[:] = theirs
                else:
                    _blend(seen[s, i], seen[t, i], routes[m], view)
                    for j in range(_GIVEN):
                        own = treated.means[s, i, j]
                        given[j] = _choose(own, theirs[j], routes[m, readouts + j])
                _behave_all(c[s], cells[s], view, given, left, table)
                if i < 0:
                    base[:] = table
                    continue
                _set_rates(c[s], table, base, given, rates)
                if m < 0:
                    other[:], other_rates[:] = table, rates
                    continue
                systemic[0], systemic[1] = given[2], theirs[2]
                _mix_stages(c[s], table, other, rates, other_rates, systemic, stages[m], mixed)
                kills[m] = max(kills[m], given[4] + given[5], theirs[4] + theirs[5])
                _advance(now, m, mixed, c[s].k1 if kills[m] > 0.0 else 0.0, days)
        _weigh_all(now, volume[s])
        shed[s] = now.shed
