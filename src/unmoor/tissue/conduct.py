"""From behaviours to bodies: how strongly a cell holds on to others, drives and is slowed.

Equations: docs/explanation/tissue.md.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from unmoor.compilation import kernel, part
from unmoor.tissue.bodies import Bodies, SingleArray, SlotArray, StepArray
from unmoor.tissue.collagen import mobility
from unmoor.tissue.lives import Behaviours
from unmoor.tissue.snapshot import LIVING


@part
def pair_adhesion(c: Any, cohesion: float) -> float:
    """Coefficient of adhesion of a pair of cells of some cohesion [µm/min].

    The greatest pull of a bond, where two cells just touch, is this times (1 − 1/reach)²; it is
    given relative to the full drive of a cell.
    """
    bond = c.bond_M + (c.bond_E - c.bond_M) * cohesion
    strength: float = bond * c.v_max / (1.0 - 1.0 / c.reach) ** 2
    return strength


@kernel
def conduct(
    c: Any,
    bodies: Bodies,
    behaviours: Behaviours,
    phase: Any,
    slots: SlotArray,
    here: SingleArray,
    through: SingleArray,
) -> None:
    """Set what moves cells from what they do and from the gel around them.

    Dead cells hold on to their neighbours as cells without E-cadherin do, and do not drive.

    Parameters
    ----------
    here, through
        Collagen where cells are [mg/mL], and share of the drive that gets through, shape (slots,).
    """
    for s in slots:
        is_living = phase[s] == LIVING
        e = behaviours.cohesion[s] if is_living else 0.0
        bodies.repulsion[s] = math.sqrt(c.c_rep)
        bodies.adhesion[s] = math.sqrt(pair_adhesion(c, e))
        bodies.drive[s] = c.v_max * behaviours.speed[s] * through[s] if is_living else 0.0
        bodies.persistence[s] = c.persistence
        bodies.mobility[s] = mobility(c, np.float64(here[s]))


@kernel
def align(
    c: Any,
    bodies: Bodies,
    behaviours: Behaviours,
    phase: Any,
    slots: SlotArray,
    motion: SingleArray,
    start: StepArray,
    neighbour: SlotArray,
    toward: SingleArray,
) -> None:
    """Bias of new headings: mean motion of the neighbours that E-cadherin couples a cell to.

    Neighbours that stand still, as in a jam, have no say; so a body of cells does not begin to
    drift as one by itself.

    Parameters
    ----------
    motion
        Velocity of each cell over the last exchange, shape (slots, 3) [µm/min].
    start, neighbour
        Contacts: those of the i-th slot are ``neighbour[start[i]:start[i + 1]]``, as places in
        ``slots``.
    toward
        What else draws cells, shape (slots, 3) [-].
    """
    for i in range(slots.size):
        s = slots[i]
        x = y = z = 0.0
        count = start[i + 1] - start[i]
        for n in range(start[i], start[i + 1]):
            o = slots[neighbour[n]]
            if phase[o] != LIVING:
                continue  # the dead hold nobody
            share = math.sqrt(behaviours.cohesion[s] * behaviours.cohesion[o]) / (c.v_max * count)
            x, y, z = x + share * motion[o, 0], y + share * motion[o, 1], z + share * motion[o, 2]
        bodies.bias[s, 0] = c.alignment * x + toward[s, 0]
        bodies.bias[s, 1] = c.alignment * y + toward[s, 1]
        bodies.bias[s, 2] = c.alignment * z + toward[s, 2]
