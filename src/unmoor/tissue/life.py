"""Growth, division and death of cells, and what holds them back: oxygen and pressure.

A cell grows through its cycle and divides when its volume has doubled; where oxygen or room is
short it grows more slowly. It dies at its own rate, by apoptosis, and without oxygen by necrosis.
Equations: docs/explanation/tissue.md.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from unmoor.compilation import kernel, part
from unmoor.random import descendant, drawn, purpose_of
from unmoor.tissue.bodies import Bodies, FloatArray, SlotArray
from unmoor.tissue.lives import Behaviours, Lives
from unmoor.tissue.snapshot import DYING, LIVING, NECROTIC

_DAY = 1440.0  # min
_PACKED = 12.0  # neighbours of a ball in a close packing
_DEATH, _NECROSIS = purpose_of("death"), purpose_of("necrosis")
_CYCLE, _CYCLE_TOO = purpose_of("cycle length"), purpose_of("cycle length, second number")
_AXIS, _AXIS_TOO = purpose_of("division axis"), purpose_of("division axis, second number")


@part
def oxygen_gate(c: Any, oxygen: float) -> float:
    """Share of growth that oxygen allows, from 0 at ``oxygen_none`` to 1 where it is enough."""
    full = c.oxygen_enough * c.oxygen_boundary
    share: float = min(max((oxygen - c.oxygen_none) / (full - c.oxygen_none), 0.0), 1.0)
    return share


@part
def cycle_length(c: Any, key: Any, identity: Any, division: Any) -> float:
    """Log-normal length of a cycle, relative to the mean; of one cell after one division."""
    first = drawn(key, identity, division, _CYCLE)
    second = drawn(key, identity, division, _CYCLE_TOO)
    normal = math.sqrt(-2.0 * math.log(first)) * math.cos(2.0 * math.pi * second)
    variance = math.log(1.0 + c.cv_cycle * c.cv_cycle)
    length: float = math.exp(math.sqrt(variance) * normal - 0.5 * variance)
    return length


@part
def _shape(c: Any, bodies: Bodies, lives: Lives, s: int) -> None:
    """Radius and reach that follow from the volume.

    ``radius`` is that of mean volume, and 1/ln 2 the mean of 1 + progress in a growing population.
    """
    volume = math.log(2.0) * (1.0 + lives.progress[s]) * lives.left[s]
    radius = c.radius * math.pow(volume, 1.0 / 3.0)
    bodies.radius[s] = radius
    bodies.reach[s] = c.reach * radius


@part
def crowding(c: Any, adhesion: float, pressure: float) -> float:
    """Share of growth that room allows: pressure beyond that of cells at rest holds it back.

    Adhesion itself draws cells into each other, up to where it is balanced by repulsion; twelve
    neighbours that lie as close as that are no pressure.
    """
    rep = math.sqrt(c.c_rep)
    overlap = 1.0 - (rep - adhesion) / (rep - adhesion / c.reach)
    beyond = max(pressure - _PACKED * overlap * overlap, 0.0)
    share: float = max(1.0 - beyond / c.pressure_stop, 0.0)
    return share


@part
def _waste(c: Any, lives: Lives, s: int, minutes: float) -> bool:
    """Let a dead cell shrink; whether it has vanished."""
    lives.age[s] += minutes
    whole = c.dying_time if lives.phase[s] == DYING else c.necrotic_time
    lives.left[s] = max(1.0 - lives.age[s] / whole, 0.0)
    gone: bool = lives.age[s] >= whole
    return gone


@part
def _fate(
    c: Any, lives: Lives, death: float, oxygen: float, key: Any, identity: Any, step: Any,
    minutes: float, s: int,
) -> None:  # fmt: skip
    """Let chance decide whether a living cell begins to die."""
    lacking = max((c.oxygen_none - oxygen) / c.oxygen_none, 0.0)
    if drawn(key, identity, step, _DEATH) < 1.0 - math.exp(-death * minutes / _DAY):
        lives.phase[s] = DYING
    elif lacking > 0.0:
        rate = c.necrosis_rate * lacking
        if drawn(key, identity, step, _NECROSIS) < 1.0 - math.exp(-rate * minutes):
            lives.phase[s] = NECROTIC


@kernel
def live(
    c: Any,
    bodies: Bodies,
    lives: Lives,
    behaviours: Behaviours,
    oxygen: FloatArray,
    slots: SlotArray,
    minutes: float,
    key: Any,
    step: Any,
    ripe: SlotArray,
) -> int:
    """Let cells grow, begin to die and vanish for some minutes.

    Parameters
    ----------
    c
        Constants, a record with the ids of ``closures/tissue``.
    oxygen
        Where cells are, shape (slots,) [mmHg].
    slots
        Slots that hold a cell.
    key, step
        Of random numbers: the tissue's, and the number of this exchange.
    ripe
        Where slots of cells that are to divide are put, as long as ``slots``.

    Returns
    -------
        How many are to divide.
    """
    count = 0
    for s in slots:
        if lives.phase[s] == LIVING:
            _fate(
                c, lives, behaviours.death[s], oxygen[s], key, bodies.identity[s], step, minutes, s
            )
        if lives.phase[s] == LIVING:
            room = crowding(c, np.float64(bodies.adhesion[s]), np.float64(bodies.pressure[s]))
            rate = behaviours.division[s] / math.log(2.0) / lives.length[s]
            lives.progress[s] += rate * oxygen_gate(c, oxygen[s]) * room * minutes / _DAY
            if lives.progress[s] >= 1.0:
                lives.progress[s] = 1.0
                ripe[count] = s
                count += 1
        elif _waste(c, lives, s, minutes):
            lives.phase[s] = 0
        _shape(c, bodies, lives, s)
    return count


@kernel
def part_daughters(
    c: Any, bodies: Bodies, lives: Lives, mothers: SlotArray, daughters: SlotArray, key: Any,
    is_flat: bool,
) -> None:  # fmt: skip
    """Set mothers and daughters apart along a random axis, each with half the volume.

    All that daughters share with their mothers has been copied before. Both lie within the outline
    of the mother, so that no neighbour is pushed at once.
    """
    for i in range(mothers.size):
        m, d = mothers[i], daughters[i]
        lives.divisions[m] += 1
        division = np.uint64(lives.divisions[m])
        lives.parent[d] = bodies.identity[m]
        bodies.identity[d] = descendant(bodies.identity[m], division)
        lives.divisions[d] = 0
        up = 2.0 * drawn(key, bodies.identity[d], division, _AXIS) - 1.0
        turn = 2.0 * math.pi * drawn(key, bodies.identity[d], division, _AXIS_TOO)
        if is_flat:
            up = 0.0
        flat = math.sqrt(1.0 - up * up)
        apart = bodies.radius[m] * (1.0 - math.pow(0.5, 1.0 / 3.0))
        axis = (flat * math.cos(turn), flat * math.sin(turn), up)
        for x in range(3):
            bodies.position[d, x] = bodies.position[m, x] + apart * axis[x]
            bodies.position[m, x] -= apart * axis[x]
        for s, number in ((m, division), (d, np.uint64(0))):
            lives.progress[s] = 0.0
            lives.length[s] = cycle_length(c, key, bodies.identity[s], number)
            _shape(c, bodies, lives, s)


@kernel
def first_cycles(c: Any, bodies: Bodies, lives: Lives, slots: SlotArray, key: Any) -> None:
    """Give founders the length of their first cycle and a shape."""
    for s in slots:
        lives.length[s] = cycle_length(c, key, bodies.identity[s], np.uint64(0))
        _shape(c, bodies, lives, s)
