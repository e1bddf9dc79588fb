"""Escape: cells that leave the primary tumour. The handover from the tissue to the animal.

Until the tissue engine exists, ``analytic_escape`` fills it from a closure whose constants are
assumed; every report says so.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from unmoor.cell.phenotype import Phenotype
from unmoor.compilation import kernel


class Escape(NamedTuple):
    """How fast cells of one kind leave the tumour.

    Attributes
    ----------
    singles_rate, clusters_rate
        Single cells and clusters that leave, up to the line's own scale, which the organism
        fixes from its untreated arm [1/d per cell of the tumour, × scale].
    front_speed
        Speed of the invasion front, in units of the phenotype's speed [-].
    net_growth
        Growth of the invading cells, in units of the phenotype's growth [-].
    """

    singles_rate: float
    clusters_rate: float
    front_speed: float
    net_growth: float


@kernel
def analytic_escape(c: Any, phenotype: Phenotype) -> Escape:
    """Closure of the handover: loss of cohesion releases, speed carries away.

    Parameters
    ----------
    c
        Constants of the parameter set, a record with the ids of ``closures/escape``, and
        ``log_R_s`` and ``log_R_c``, the logarithms of two of them.
    phenotype
        What the cell does.
    """
    e = phenotype.cohesion
    x = 1.0 - e
    release = x * (1.0 + c.k_r) / (x + c.k_r)
    hold = e**2 * (1.0 + c.e_h**2) / (c.e_h**2 + e**2)
    clusters = c.phi_c / (1.0 - c.phi_c) * phenotype.speed * math.exp(release * c.log_R_c) * hold
    singles = phenotype.speed * math.exp(release * c.log_R_s)
    return Escape(singles, clusters, phenotype.speed, phenotype.growth)
