"""The days of an animal study, compiled: cells, behaviour, growth and shedding side by side.

One subject (a draw under an arm) after the other runs to the read-out day; nothing of a subject
depends on the others.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from unmoor.cell.phenotype import behave, settle, speed_in_collagen
from unmoor.compilation import kernel, part
from unmoor.elementwise import FloatArray
from unmoor.organism.chemotherapy import grow_and_die
from unmoor.organism.colonisation import chances, founding
from unmoor.organism.primary_tumour import grow
from unmoor.signalling.codegen import LANES
from unmoor.signalling.readouts import Readouts
from unmoor.signalling.solve import SOLVED, Blocks, Machine, advance_block, load_block
from unmoor.tissue.escape import EscapeTable, leave

_MOST_SINGLES = 1e9  # a cluster, relative to untreated; more than anyone can count
_GROWTH, _DEATH, _SINGLES, _CLUSTERS, _FOUNDING = 0, 1, 2, 3, 4
_SPEED, _IN_COLLAGEN, _COHESION, _MESENCHYMAL = 5, 6, 7, 8
_SINGLE, _CLUSTER, _FAK, _FAK_LUNG = 9, 10, 11, 12
_COLUMNS = 13


class Treated(NamedTuple):
    """Treatment of every subject over time.

    ``mean`` holds every input of the network, shape (subjects, intervals, inputs); the others hold
    what behaviour needs, shape (subjects, intervals) as means and (subjects, intervals + 1) at the
    grid's times: free β1, FAK, systemic TGFβ, receptor activity, and death rates by chemotherapy
    and radiation in a cell of unit sensitivity [1/d], in this order.
    """

    inputs: FloatArray
    means: FloatArray
    at: FloatArray


class Tumours(NamedTuple):
    """Animals of every subject; animal 0 is the typical one, whose clones' volumes are weights.

    ``volumes`` (subjects, clones, animals), ``dying`` (subjects, compartments, animals), ``shed``
    and ``exposure`` (subjects, animals) change as days go by; where nothing kills there are no
    compartments.
    """

    volumes: FloatArray
    dying: FloatArray
    shed: FloatArray
    exposure: FloatArray
    alpha: FloatArray
    beta: FloatArray


class Frames(NamedTuple):
    """What is noted on some days: ``COURSES``, and the volume of some animals.

    ``courses`` has the shape (subjects, frames, quantities), ``animals`` (subjects, frames,
    animals), of the first animals after the typical one; as many as there is room for.
    """

    courses: FloatArray
    animals: FloatArray


class Released(NamedTuple):
    """Single cells and clusters that leave at the end, shape (subjects, animals) each."""

    singles: FloatArray
    clusters: FloatArray


@part
def _readouts(values: FloatArray, k: int) -> Readouts:
    """Readouts of clone ``k``, from blocks of eight cells."""
    b, lane = k // LANES, k % LANES
    return Readouts(values[b, 0, lane], values[b, 1, lane], values[b, 2, lane],
                    values[b, 3, lane], values[b, 4, lane], values[b, 5, lane],
                    values[b, 6, lane])  # fmt: skip


@part
def _table_of(leaving: EscapeTable, draw: int) -> EscapeTable:
    """Table of one draw."""
    return EscapeTable(leaving.first[draw], leaving.per_step, leaving.nodes[draw])


@part
def _weigh_clones(
    volumes: FloatArray, readouts: FloatArray, cells: Any, weights: FloatArray
) -> tuple[float, float]:
    """Clones' volumes in the typical animal; returns TGFβ beyond untreated × volume, and volume."""
    made, volume = 0.0, 0.0
    for k in range(weights.size):
        weights[k] = volumes[k, 0]
        made += weights[k] * (readouts[k // LANES, 3, k % LANES] - cells[k].tgfb)
        volume += weights[k]
    return made, volume


@part
def _behave_all(
    c: Any,
    cells: Any,
    readouts: FloatArray,
    given: FloatArray,
    leaving: EscapeTable,
    table: FloatArray,
) -> None:
    """Behaviour of each clone, shape (clones, 13), in the order of ``_GROWTH`` … ``_FAK_LUNG``.

    The only place that calls the equations of behaviour: each call is compiled into its caller.
    ``_IN_COLLAGEN`` is left to ``_move_in_collagen``, since only frames ask for it.
    """
    for k in range(cells.size):
        r = _readouts(readouts, k)
        phenotype = behave(c, cells[k], r, given[0], given[1])
        escape, chance = (
            leave(leaving, c, phenotype, cells[k].growth),
            chances(c, phenotype, given[2]),
        )
        table[k, _GROWTH], table[k, _DEATH] = phenotype.growth, phenotype.death_rate
        table[k, _SINGLES], table[k, _CLUSTERS] = escape.singles_rate, escape.clusters_rate
        table[k, _FOUNDING] = founding(
            c, phenotype.cohesion, escape.singles_rate, escape.clusters_rate, chance
        )
        table[k, _SPEED] = phenotype.speed
        table[k, _COHESION], table[k, _MESENCHYMAL] = phenotype.cohesion, phenotype.mesenchymal
        table[k, _SINGLE], table[k, _CLUSTER] = chance.single, chance.cluster
        table[k, _FAK], table[k, _FAK_LUNG] = phenotype.fak_tumour, phenotype.fak_lung


@part
def _move_in_collagen(
    c: Any, cells: Any, readouts: FloatArray, itgb1: float, table: FloatArray
) -> None:
    for k in range(cells.size):
        r = _readouts(readouts, k)
        table[k, _IN_COLLAGEN] = speed_in_collagen(c, cells[k], r, itgb1)


@part
def _set_rates(
    c: Any, table: FloatArray, base: FloatArray, given: FloatArray, rates: FloatArray
) -> None:
    """Growth, death and shedding of each clone relative to untreated, and what kills it [1/d].

    Cells that have lost FAK signal are more sensitive to drugs that kill and to radiation.
    """
    for k in range(table.shape[0]):
        rates[0, k] = table[k, _GROWTH] / base[k, _GROWTH]
        rates[1, k] = table[k, _DEATH] - base[k, _DEATH] + c.iota * (1.0 - given[2])
        rates[2, k] = table[k, _FOUNDING]
        lost = 1.0 - table[k, _FAK]
        rates[3, k] = given[4] * max(1.0 + c.sigma_C * lost, 0.0)
        rates[3, k] += given[5] * max(1.0 + c.sigma_IR * lost, 0.0)


@part
def _keep(table: FloatArray, base: FloatArray, rates: FloatArray, pace: FloatArray) -> None:
    """``PACES`` of each clone in one interval."""
    for k in range(table.shape[0]):
        pace[0, k], pace[1, k], pace[2, k] = rates[0, k], rates[1, k], base[k, _DEATH]
        pace[3, k], pace[4, k] = table[k, _SINGLE], table[k, _CLUSTER]
        pace[5, k], pace[6, k] = table[k, _FAK], rates[3, k]


@part
def _record(
    cells: Any,
    readouts: FloatArray,
    table: FloatArray,
    base: FloatArray,
    given: FloatArray,
    weights: FloatArray,
    frame: FloatArray,
) -> None:
    """``COURSES`` at one time, weighted by the clones' volumes in the typical animal."""
    weight, singles, clusters, before = 0.0, 0.0, 0.0, 0.0
    for q in range(frame.size):
        frame[q] = 0.0
    for k in range(cells.size):
        r, w = _readouts(readouts, k), weights[k]
        frame[0] += w * table[k, _COHESION]
        frame[1] += w * table[k, _MESENCHYMAL]
        frame[2] += w * r.zeb / cells[k].zeb
        frame[3] += w * r.mir200 / cells[k].mir200
        frame[4] += w * r.psmad
        frame[5] += w * r.itgb3
        frame[9] += w * table[k, _SPEED] / base[k, _SPEED]
        frame[10] += w * table[k, _IN_COLLAGEN] / base[k, _IN_COLLAGEN]
        singles, clusters = singles + w * table[k, _SINGLES], clusters + w * table[k, _CLUSTERS]
        before += base[k, _CLUSTERS] / base[k, _SINGLES] / cells.size
        weight += w
    for q in range(frame.size):
        frame[q] /= weight
    frame[6], frame[7] = given[0], given[3]
    frame[8] = singles / clusters * before
    if frame[8] > _MOST_SINGLES:  # without E-cadherin nothing leaves as a cluster
        frame[8] = _MOST_SINGLES


@part
def _weigh(volumes: FloatArray, dying: FloatArray, frame: FloatArray, animals: FloatArray) -> None:
    """Volume of each animal's tumour; clones are added up in their order, then dying cells."""
    for a in range(animals.size):
        animals[a] = 0.0
    for k in range(volumes.shape[0]):
        for a in range(animals.size):
            animals[a] += volumes[k, a + 1]
    for j in range(dying.shape[0]):
        frame[11] += dying[j, 0]
        for a in range(animals.size):
            animals[a] += dying[j, a + 1]


@part
def _release(
    table: FloatArray, volumes: FloatArray, singles: FloatArray, clusters: FloatArray
) -> None:
    """Add up what leaves each animal's tumour at the end."""
    for k in range(table.shape[0]):
        for a in range(volumes.shape[1]):
            singles[a] += volumes[k, a] * table[k, _SINGLES]
            clusters[a] += volumes[k, a] * table[k, _CLUSTERS]


@part
def _settle_all(
    c: Any, cells: Any, home: FloatArray, one: FloatArray, leaving: EscapeTable, base: FloatArray
) -> None:
    """Note the untreated readouts and FAK signals in the cells, and their behaviour in ``base``."""
    for k in range(cells.size):
        settle(c, cells[k], _readouts(home, k))
    _behave_all(c, cells, home, one, leaving, base)
    _move_in_collagen(c, cells, home, one[0], base)


@part
def _give(inputs: FloatArray, values: FloatArray, outside: int, extra: float) -> None:
    """Set the inputs of a block, with other cells' TGFβ."""
    for j in range(inputs.shape[0]):
        value = values[j] + extra if j == outside else values[j]
        for lane in range(LANES):
            inputs[j, lane] = value


@part
def _copy(source: FloatArray, target: FloatArray) -> None:
    for q in range(source.shape[0]):
        for lane in range(LANES):
            target[q, lane] = source[q, lane]


@part
def _note(middle: FloatArray, seen: FloatArray, i: int, b: int) -> None:
    """Keep the readouts of a block in one interval, if any are kept."""
    if seen.shape[0] > 0:
        _copy(middle, seen[i, b])


@part
def _average(now: FloatArray, middle: FloatArray) -> None:
    """Turn readouts at the start of an interval into those in its middle."""
    for q in range(now.shape[0]):
        for lane in range(LANES):
            middle[q, lane] = 0.5 * (middle[q, lane] + now[q, lane])


@part
def _advance(tumours: Tumours, s: int, rates: FloatArray, clearance: float, days: float) -> None:
    """Grow the tumours of one subject; those that nothing has killed yet the fast way."""
    volumes, shed, exposure = tumours.volumes[s], tumours.shed[s], tumours.exposure[s]
    alpha, beta = tumours.alpha[s], tumours.beta[s]
    if clearance > 0.0:
        dying = tumours.dying[s]
        grow_and_die(volumes, dying, shed, exposure, alpha, beta, rates, clearance, days)
    else:
        grow(volumes, shed, exposure, alpha, beta, rates, days)


@kernel
def live(
    c: Any,
    cells: Any,
    home: FloatArray,
    treated: Treated,
    tumours: Tumours,
    released: Released,
    blocks: Blocks,
    days: float,
    every: int,
    outside: int,
    machine: Machine,
    leaving: EscapeTable,
    frames: Frames,
    paces: FloatArray,
    seen: FloatArray,
) -> None:
    """Run every subject from inoculation to the read-out day.

    Parameters
    ----------
    c, cells
        Constants (a record a subject) and cells (records, shape (subjects, clones)).
    home
        Readouts of the untreated cells, shape (blocks, readouts, 8).
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
    leaving
        What leaves the tumour in each draw, nodes of shape (draws, …); subjects of a draw follow
        one another.
    frames
        What is noted on some days.
    paces
        ``PACES`` of each clone in each interval, shape (subjects, intervals kept, ``PACES``,
        clones); where fewer are kept than there are, the last ones stay.
    seen
        Readouts in the middle of each interval, shape (subjects, intervals, blocks of a subject,
        readouts, 8); nothing is noted where there are no intervals.
    """
    # One long function on purpose: every level of calls is optimised anew when it is compiled.
    width = blocks.state.shape[0] // cells.shape[0]
    count, clones = treated.inputs.shape[1], cells.shape[1]
    w, one = np.zeros((width, machine.places.size * LANES)), np.ones(6)
    middle = np.empty((width, blocks.readouts.shape[1], LANES))
    rates, weights = np.empty((4, clones)), np.empty(clones)
    table, base = np.empty((clones, _COLUMNS)), np.empty((clones, _COLUMNS))
    for s in range(cells.shape[0]):
        own, first = blocks.readouts[s * width : (s + 1) * width], s * width
        left = _table_of(leaving, s * leaving.nodes.shape[0] // cells.shape[0])
        _settle_all(c[s], cells[s], home[first : first + width], one, left, base)
        for b in range(width):
            load_block(first + b, blocks, machine, w[b])
        frame, extra, earlier, kills = 0, 0.0, 0.0, False
        for i in range(count + 1):
            made, volume = _weigh_clones(tumours.volumes[s], own, cells[s], weights)
            earlier, extra = extra, c[s].phi * max(made / volume, 0.0)
            if i == 0:
                earlier = extra = 0.0  # culture medium carries nothing over
            if i == 0 or i == count or (every > 0 and i % every == 0):
                _behave_all(c[s], cells[s], own, treated.at[s, i], left, table)
                _move_in_collagen(c[s], cells[s], own, treated.at[s, i, 0], table)
                noted = frames.courses[s, frame]
                _record(cells[s], own, table, base, treated.at[s, i], weights, noted)
                noted[11], noted[12] = volume, tumours.shed[s, 0]
                _weigh(tumours.volumes[s], tumours.dying[s], noted, frames.animals[s, frame])
                frame += 1
            if i == count:
                break
            ahead = max(extra + 0.5 * (extra - earlier), 0.0)  # in the middle of the interval
            for b in range(width):
                _give(blocks.inputs[first + b], treated.inputs[s, i], outside, ahead)
                _copy(own[b], middle[b])
                if blocks.status[first + b] == SOLVED:
                    advance_block(first + b, blocks, 24.0 * days, machine, w[b])
                _average(own[b], middle[b])
                _note(middle[b], seen[s], i, b)
            _behave_all(c[s], cells[s], middle, treated.means[s, i], left, table)
            _set_rates(c[s], table, base, treated.means[s, i], rates)
            _keep(table, base, rates, paces[s, i % paces.shape[1]])
            kills = kills or treated.means[s, i, 4] + treated.means[s, i, 5] > 0.0
            _advance(tumours, s, rates, c[s].k1 if kills else 0.0, days)
        _release(table, tumours.volumes[s], released.singles[s], released.clusters[s])
