"""From leaving the tumour to a lung metastasis: transit in blood, arrest, outgrowth."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from unmoor.cell.phenotype import Phenotype
from unmoor.compilation import kernel, part


class Chances(NamedTuple):
    """Chance, up to one scale per line, that a cell or a cluster that holds founds a metastasis."""

    single: float
    cluster: float


@part
def outgrow(c: Any, fak_lung: float, cohesion: float, systemic_tgfb: float) -> float:
    """Chance that a cell which got to the lung grows out there."""
    outgrowth: float = math.pow(fak_lung, c.q_F) * (1.0 - c.w_MET * (1.0 - cohesion))
    if systemic_tgfb < 1.0:
        outgrowth *= math.exp(-c.Lambda * (1.0 - systemic_tgfb))
    return outgrowth


@kernel
def chances(c: Any, phenotype: Phenotype, systemic_tgfb: float) -> Chances:
    """Survival in transit × outgrowth in the lung.

    Parameters
    ----------
    c
        Constants of the parameter set, a record with the ids of ``closures/dissemination`` and
        of the host's table.
    phenotype
        What the cell does; outgrowth needs FAK signal on the lung's matrix.
    systemic_tgfb
        TGFβ activity left in the host [-].
    """
    outgrowth = outgrow(c, phenotype.fak_lung, phenotype.cohesion, systemic_tgfb)
    anoikis = c.lambda_an * (1.0 - c.r_M * phenotype.mesenchymal)
    oxidative = c.lambda_E * phenotype.stranded * phenotype.stress
    single = math.exp(-anoikis - oxidative) * outgrowth
    return Chances(single, c.Theta * c.cluster_anoikis * outgrowth)


@part
def held_together(c: Any, cohesion: float) -> float:
    """Share of clusters that E-cadherin holds together in blood."""
    e = cohesion * cohesion
    hold: float = e * (1.0 + c.e_h * c.e_h) / (c.e_h * c.e_h + e)
    return hold


@part
def founding(
    c: Any, cohesion: float, singles_rate: float, clusters_rate: float, chance: Chances
) -> float:
    """Metastases founded by what leaves, up to the line's scale.

    Blood pulls clusters apart that E-cadherin does not hold. One that comes apart counts as two
    single cells, since loose clusters are pairs mostly.
    """
    hold = held_together(c, cohesion)
    whole = hold * chance.cluster + (1.0 - hold) * 2.0 * chance.single
    founded: float = singles_rate * chance.single + clusters_rate * whole
    return founded
