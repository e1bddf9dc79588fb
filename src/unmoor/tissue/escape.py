"""Escape: cells that leave the primary tumour. The handover from the tissue to the animal.

What leaves was counted in runs of the tissue (``tissue.escape_runs``). Here a compiled
interpolation reads it off a table over the strength of bonds, motile drive and growth; the organism
sees nothing else of the tissue. Equations: docs/explanation/escape.md.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from unmoor.cell.phenotype import Phenotype
from unmoor.compilation import kernel, part
from unmoor.elementwise import FloatArray

TABULATED = ("log_singles", "log_clusters", "front_speed", "net_growth")
"""What a node of the table holds, in this order."""


class Escape(NamedTuple):
    """How fast cells of one kind leave the tumour.

    Attributes
    ----------
    singles_rate, clusters_rate
        Single cells and clusters that leave [1/d per cell at the edge of the body]; the organism
        fixes the scale of a tumour, and with it the share of cells at its edge, from its untreated
        arm.
    front_speed
        Speed at which the edge of the body moves outwards [µm/d].
    net_growth
        Growth of the number of cells [1/d].
    """

    singles_rate: float
    clusters_rate: float
    front_speed: float
    net_growth: float


class EscapeTable(NamedTuple):
    """Escape on a regular grid.

    Attributes
    ----------
    first, per_step
        First node, shape (…, 3), and 1 / distance of nodes, shape (3,), along the axes: greatest
        pull of a bond relative to the cell's drive [-], logarithm of the drive [ln µm/min],
        divisions [1/d].
    nodes
        ``TABULATED`` at the nodes, shape (…, bonds, drives, growths, 4).
    """

    first: FloatArray
    per_step: FloatArray
    nodes: FloatArray

    def of(self, draw: int) -> EscapeTable:
        """The table of one parameter set of several."""
        return EscapeTable(self.first[draw], self.per_step, self.nodes[draw])


@part
def _place(at: float, nodes: int) -> tuple[int, int, float]:
    """Nodes below and above a place on an axis, and how far it is from the one below, 0 … 1.

    Beyond the axis it is the place of its end.
    """
    inside = min(max(at, 0.0), nodes - 1.0)
    low = max(min(int(inside), nodes - 2), 0)  # also where it is not a number
    return low, min(low + 1, nodes - 1), inside - low


@part
def coordinates(c: Any, phenotype: Phenotype, growth: float) -> tuple[float, float, float]:
    """Greatest pull of a bond / drive [-], drive [µm/min], and divisions at the edge [1/d].

    Growth is the untreated one whatever the treatment: a ball that grows in a gel which does not
    yield overtakes what has left it, a tumour in an animal pushes its surroundings along.
    """
    bond = c.bond_M + (c.bond_E - c.bond_M) * phenotype.cohesion
    drive = phenotype.drive
    return bond / drive, c.v_max * drive, c.edge_division * growth


@kernel
def leave(table: EscapeTable, c: Any, phenotype: Phenotype, growth: float) -> Escape:
    """Read off what leaves: linear between nodes, in the logarithms of rates and drive.

    Parameters
    ----------
    table
        Of this parameter set, nodes of shape (bonds, drives, growths, 4).
    c
        Constants of the parameter set, a record with ``bond_M``, ``bond_E`` and ``v_max`` of
        ``closures/tissue`` and ``edge_division`` of ``closures/escape``.
    phenotype
        What the cell does.
    growth
        Growth of the untreated cell, relative as in ``phenotype`` [-].
    """
    bond, drive, divisions = coordinates(c, phenotype, growth)
    nodes = table.nodes
    at = (bond, math.log(drive), divisions)
    i0, i1, u = _place((at[0] - table.first[0]) * table.per_step[0], nodes.shape[0])
    j0, j1, v = _place((at[1] - table.first[1]) * table.per_step[1], nodes.shape[1])
    k0, k1, w = _place((at[2] - table.first[2]) * table.per_step[2], nodes.shape[2])
    s = t = f = g = 0.0
    for i, weight_i in ((i0, 1.0 - u), (i1, u)):
        for j, weight_j in ((j0, 1.0 - v), (j1, v)):
            for k, weight_k in ((k0, 1.0 - w), (k1, w)):
                weight = weight_i * weight_j * weight_k
                s += weight * nodes[i, j, k, 0]
                t += weight * nodes[i, j, k, 1]
                f += weight * nodes[i, j, k, 2]
                g += weight * nodes[i, j, k, 3]
    return Escape(math.exp(s), math.exp(t), f, g)
