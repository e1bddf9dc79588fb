"""Behaviour, escape and colonisation of one cell in plain Python, equation by equation."""

# ruff: noqa: N806 - the names are those of the equations

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from unmoor.signalling.readouts import Readouts
from unmoor.tissue.escape import EscapeTable


@dataclass(frozen=True)
class Cell:
    """One cell: its own numbers and its untreated readouts."""

    beta1_tot: float
    beta4: float
    K_F: float
    untreated: Readouts


def clip(x: float) -> float:
    """To between 0 and 1."""
    return min(max(x, 0.0), 1.0)


def adhesion(c: Mapping[str, float], cell: Cell, ground: str, itgb3: float, b: float) -> float:
    """A = w1·β1_tot·b + w3·c + w4·β4 + w0."""
    return (
        c[f"w1_{ground}"] * cell.beta1_tot * b
        + c[f"w3_{ground}"] * itgb3
        + c[f"w4_{ground}"] * cell.beta4
        + c[f"w0_{ground}"]
    )


def fak(c: Mapping[str, float], cell: Cell, ground: str, itgb3: float, b: float) -> float:
    """H(A), half at K_F times the capacity of the reference: β1_tot = 1, c = c0, b = 1."""
    reference = Cell(1.0, cell.beta4, cell.K_F, cell.untreated)
    half = cell.K_F * adhesion(c, reference, ground, c["c0"], 1.0)
    capacity = adhesion(c, cell, ground, itgb3, b)
    return float(capacity ** c["h"] / (half ** c["h"] + capacity ** c["h"]))


def behaviour(
    c: Mapping[str, float], cell: Cell, now: Readouts, b: float, ptk2: float
) -> dict[str, float]:
    """Phenotype of a cell by name."""
    e, m, P = clip(now.e_cadherin), clip(now.mesenchymal), now.psmad
    x = 1.0 - e
    U = x**2 * (1.0 - m)
    R = (1.0 - c["chi_T"]) + c["chi_T"] * min(P / cell.untreated.psmad, 2.0)
    F, F_lung = (
        ptk2 * fak(c, cell, ground, now.itgb3, b) / fak(c, cell, ground, cell.untreated.itgb3, 1.0)
        for ground in ("tumour", "lung")
    )
    capacity = adhesion(c, cell, "tumour", now.itgb3, b)
    untreated = adhesion(c, cell, "tumour", cell.untreated.itgb3, 1.0)
    a = c["a0"] * cell.beta1_tot * capacity / untreated
    growth = c["g0"] + (1.0 - c["g0"]) * F
    growth *= (1.0 - c["s_T"] * P * (1.0 - m)) * (1.0 - c["s_E"] * U)
    anoikis = c["delta_an"] * max(1.0 - F, 0.0) * (1.0 - c["r_M"] * m)
    drive = (4.0 * a / (1.0 + a) ** 2) ** c["p"] + c["v_am"]
    drive *= 1.0 + c["mu_P"] * P
    return {
        "growth": growth,
        "death_rate": anoikis + c["delta_E"] * U * R,
        "speed": drive * (1.0 + c["chi"]) / (1.0 + c["chi"] * e),
        "drive": drive,
        "cohesion": e,
        "mesenchymal": m,
        "stranded": U,
        "stress": R,
        "fak_tumour": F,
        "fak_lung": F_lung,
    }


def escape(
    table: EscapeTable, c: Mapping[str, float], b: Mapping[str, float], growth: float
) -> tuple[float, ...]:
    """Single cells, clusters, front speed and net growth: linear along one axis after the other."""
    at = (
        (c["bond_M"] + (c["bond_E"] - c["bond_M"]) * b["cohesion"]) / b["drive"],
        math.log(c["v_max"] * b["drive"]),
        c["edge_division"] * growth,
    )
    found = table.nodes
    for axis, place in enumerate(at):
        nodes = table.first[axis] + np.arange(found.shape[0]) / table.per_step[axis]
        rows = found.reshape(nodes.size, -1)
        row = np.array([np.interp(place, nodes, rows[:, i]) for i in range(rows.shape[1])])
        found = row.reshape(found.shape[1:])
    return math.exp(found[0]), math.exp(found[1]), float(found[2]), float(found[3])


def chances(c: Mapping[str, float], b: Mapping[str, float], systemic: float) -> tuple[float, float]:
    """Chance of a single cell and of a cluster to found a metastasis."""
    x = 1.0 - b["cohesion"]
    colony = b["fak_lung"] ** c["q_F"] * (1.0 - c["w_MET"] * x)
    colony *= math.exp(-c["Lambda"] * (1.0 - systemic))
    loss = c["lambda_an"] * (1.0 - c["r_M"] * b["mesenchymal"])
    loss += c["lambda_E"] * b["stranded"] * b["stress"]
    return math.exp(-loss) * colony, c["Theta"] * math.exp(-c["lambda_an"]) * colony


def founded(
    c: Mapping[str, float], e: float, left: tuple[float, ...], chance: tuple[float, float]
) -> float:
    """Metastases of what leaves; a cluster that does not hold is two single cells."""
    hold = e**2 * (1.0 + c["e_h"] ** 2) / (c["e_h"] ** 2 + e**2)
    return left[0] * chance[0] + left[1] * (hold * chance[1] + 2.0 * (1.0 - hold) * chance[0])
