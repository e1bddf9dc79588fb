"""The days of an animal study, compiled: cells, behaviour, growth and shedding side by side.

One subject (a draw under an arm) after the other runs to the read-out day; nothing of a subject
depends on the others.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from unmoor.cell.phenotype import behave, settle, speed_in_collagen
from unmoor.compilation import kernel
from unmoor.elementwise import FloatArray
from unmoor.organism.colonisation import chances
from unmoor.organism.primary_tumour import grow
from unmoor.signalling.codegen import LANES
from unmoor.signalling.readouts import Readouts
from unmoor.signalling.solve import SOLVED, Blocks, Machine, advance_block
from unmoor.tissue.escape import analytic_escape

COURSES = (
    "e_cadherin", "mesenchymal", "zeb", "mir200", "tgfb_activity", "itgb3", "beta1_active",
    "tgfbr1_active", "singles_per_cluster", "speed", "speed_collagen",
    "tumour_volume", "cumulative_metastases",
)  # fmt: skip


class Treated(NamedTuple):
    """Treatment of every subject over time.

    ``mean`` holds every input of the network, shape (subjects, intervals, inputs); the others hold
    what behaviour needs, shape (subjects, intervals) as means and (subjects, intervals + 1) at the
    grid's times: free β1, FAK, systemic TGFβ and receptor activity, in this order.
    """

    inputs: FloatArray
    means: FloatArray
    at: FloatArray


class Tumours(NamedTuple):
    """Animals of every subject; animal 0 is the typical one, whose clones' volumes are weights.

    ``volumes`` (subjects, clones, animals), ``shed`` and ``exposure`` (subjects, animals) change as
    days go by.
    """

    volumes: FloatArray
    shed: FloatArray
    exposure: FloatArray
    alpha: FloatArray
    beta: FloatArray


class Released(NamedTuple):
    """Single cells and clusters that leave at the end, shape (subjects, animals) each."""

    singles: FloatArray
    clusters: FloatArray


@kernel
def _readouts(values: FloatArray, k: int) -> Readouts:
    """Readouts of clone ``k``, from blocks of eight cells."""
    b, lane = k // LANES, k % LANES
    return Readouts(values[b, 0, lane], values[b, 1, lane], values[b, 2, lane],
                    values[b, 3, lane], values[b, 4, lane], values[b, 5, lane],
                    values[b, 6, lane])  # fmt: skip


@kernel
def _set_rates(
    c: Any, cells: Any, readouts: FloatArray, given: FloatArray, rates: FloatArray
) -> None:
    """Growth, death and shedding of each clone relative to untreated."""
    for k in range(cells.size):
        phenotype = behave(c, cells[k], _readouts(readouts, k), given[0], given[1])
        escape, chance = analytic_escape(c, phenotype), chances(c, phenotype, given[2])
        rates[0, k] = phenotype.growth / cells[k].growth
        rates[1, k] = phenotype.death_rate - cells[k].death_rate + c.iota * (1.0 - given[2])
        rates[2, k] = escape.singles_rate * chance.single + escape.clusters_rate * chance.cluster


@kernel
def _weigh(values: FloatArray, weights: FloatArray) -> float:
    """Mean of the clones by weight."""
    total, weight = 0.0, 0.0
    for k in range(weights.size):
        total += weights[k] * values[k]
        weight += weights[k]
    return total / weight


@kernel
def _record(
    c: Any,
    cells: Any,
    readouts: FloatArray,
    given: FloatArray,
    weights: FloatArray,
    shed: float,
    frame: FloatArray,
) -> None:
    """``COURSES`` at one time, weighted by the clones' volumes in the typical animal."""
    values = np.zeros((11, cells.size))
    volume, singles, clusters = 0.0, 0.0, 0.0
    for k in range(cells.size):
        r = _readouts(readouts, k)
        phenotype = behave(c, cells[k], r, given[0], given[1])
        escape = analytic_escape(c, phenotype)
        values[0, k], values[1, k] = phenotype.cohesion, phenotype.mesenchymal
        values[2, k], values[3, k] = r.zeb / cells[k].zeb, r.mir200 / cells[k].mir200
        values[4, k], values[5, k] = r.psmad, r.itgb3
        values[8, k], values[6, k] = escape.singles_rate, escape.clusters_rate
        values[9, k] = phenotype.speed / cells[k].speed
        moved = speed_in_collagen(c, cells[k], r, given[0])
        values[10, k] = moved / cells[k].speed_collagen
        volume += weights[k]
        singles, clusters = singles + cells[k].singles, clusters + cells[k].clusters
    for q in range(11):
        frame[q] = _weigh(values[q], weights)
    frame[8] = frame[8] / frame[6] * (clusters / singles)
    frame[6], frame[7] = given[0], given[3]
    frame[11], frame[12] = volume, shed


@kernel
def settle_all(c: Any, cells: Any, readouts: FloatArray) -> None:
    """Note the untreated readouts, behaviour and escape of all cells in their records."""
    blocks = readouts.shape[0] // cells.shape[0]
    for s in range(cells.shape[0]):
        own = readouts[s * blocks : (s + 1) * blocks]
        for k in range(cells.shape[1]):
            cell, now = cells[s, k], _readouts(own, k)
            settle(c[s], cell, now)
            phenotype = behave(c[s], cell, now, 1.0, 1.0)
            escape = analytic_escape(c[s], phenotype)
            cell.growth, cell.death_rate = phenotype.growth, phenotype.death_rate
            cell.speed = phenotype.speed
            cell.speed_collagen = speed_in_collagen(c[s], cell, now, 1.0)
            cell.singles, cell.clusters = escape.singles_rate, escape.clusters_rate


@kernel
def _release(
    c: Any,
    cells: Any,
    readouts: FloatArray,
    given: FloatArray,
    volumes: FloatArray,
    singles: FloatArray,
    clusters: FloatArray,
) -> None:
    """Add up what leaves each animal's tumour at the end."""
    for k in range(cells.size):
        phenotype = behave(c, cells[k], _readouts(readouts, k), given[0], given[1])
        escape = analytic_escape(c, phenotype)
        for a in range(volumes.shape[1]):
            singles[a] += volumes[k, a] * escape.singles_rate
            clusters[a] += volumes[k, a] * escape.clusters_rate


@kernel
def _give(inputs: FloatArray, values: FloatArray, outside: int, extra: float) -> None:
    """Set the inputs of a block, with other cells' TGFβ."""
    for j in range(inputs.shape[0]):
        value = values[j] + extra if j == outside else values[j]
        for lane in range(LANES):
            inputs[j, lane] = value


@kernel
def _copy(source: FloatArray, target: FloatArray) -> None:
    for q in range(source.shape[0]):
        for lane in range(LANES):
            target[q, lane] = source[q, lane]


@kernel
def _average(now: FloatArray, middle: FloatArray) -> None:
    """Turn readouts at the start of an interval into those in its middle."""
    for q in range(now.shape[0]):
        for lane in range(LANES):
            middle[q, lane] = 0.5 * (middle[q, lane] + now[q, lane])


@kernel
def live(
    c: Any,
    cells: Any,
    treated: Treated,
    tumours: Tumours,
    released: Released,
    blocks: Blocks,
    days: float,
    every: int,
    outside: int,
    machine: Machine,
    frames: FloatArray,
) -> None:
    """Run every subject from inoculation to the read-out day.

    Parameters
    ----------
    c, cells
        Constants (a record a subject) and settled cells (records, shape (subjects, clones)).
    treated, tumours, released
        Treatment, animals and what is released at the end.
    blocks
        All blocks of eight cells of the batch.
    days
        Length of an interval [d].
    every
        Intervals between two frames; 0 keeps only the first and the last.
    outside
        Index of the input through which other cells' TGFβ arrives.
    machine
        Code of the network.
    frames
        ``COURSES``, shape (subjects, frames, quantities).
    """
    # One long function on purpose: every level of calls is optimised anew when it is compiled.
    width = blocks.state.shape[0] // cells.shape[0]
    count, clones = treated.inputs.shape[1], cells.shape[1]
    w = np.zeros(machine.places[9] * LANES)
    middle = np.empty((width, blocks.readouts.shape[1], LANES))
    rates, made, weights = np.empty((3, clones)), np.empty(clones), np.empty(clones)
    for s in range(cells.shape[0]):
        own = blocks.readouts[s * width : (s + 1) * width]
        for k in range(clones):
            weights[k] = tumours.volumes[s, k, 0]
        frame, extra, earlier = 0, 0.0, 0.0
        for i in range(count + 1):
            if i == 0 or i == count or (every > 0 and i % every == 0):
                shed = tumours.shed[s, 0]
                _record(c[s], cells[s], own, treated.at[s, i], weights, shed, frames[s, frame])
                frame += 1
            if i == count:
                break
            ahead = max(extra + 0.5 * (extra - earlier), 0.0)  # in the middle of the interval
            for b in range(width):
                _give(blocks.inputs[s * width + b], treated.inputs[s, i], outside, ahead)
                _copy(own[b], middle[b])
                if blocks.status[s * width + b] == SOLVED:
                    advance_block(s * width + b, blocks, 24.0 * days, machine, w)
                _average(own[b], middle[b])
            _set_rates(c[s], cells[s], middle, treated.means[s, i], rates)
            grow(
                tumours.volumes[s], tumours.shed[s], tumours.exposure[s], tumours.alpha[s],
                tumours.beta[s], rates, days,
            )  # fmt: skip
            for k in range(clones):
                made[k] = own[k // LANES, 3, k % LANES] - cells[s, k].tgfb
                weights[k] = tumours.volumes[s, k, 0]
            earlier, extra = extra, c[s].phi * max(_weigh(made, weights), 0.0)
        _release(
            c[s], cells[s], own, treated.at[s, count], tumours.volumes[s],
            released.singles[s], released.clusters[s],
        )  # fmt: skip
