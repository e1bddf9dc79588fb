"""Both networks written out by hand, one function an equation set, for a general solver.

Slow and readable: the names are those of the model description, nothing is shared with the
package's own equations.
"""

# ruff: noqa: N806 - the names are those of the equations

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace

import numpy as np
import numpy.typing as npt
from scipy.integrate import solve_ivp

FloatArray = npt.NDArray[np.float64]
CASCADING = ("c", "T", "s", "S", "R3", "z", "Z", "R2", "E", "N")
TERNARY = ("c", "T", "P", "R2", "z", "Z", "E", "N")
SIZES = {
    "cascading": (1.0, 1.0, 0.1, 1.0, 0.1, 0.1, 1.0, 0.1, 1.0, 1.0),
    "ternary": (1.0, 1.0, 0.1, 1e4, 1e2, 1e5, 1e4, 1e4),
}  # typical numbers of each species
SITES = (1, 6, 15, 20, 15, 6, 1)  # ways to occupy 0 … 6 sites of the ZEB mRNA


def hill(x: float, threshold: float, power: int, fold: float) -> float:
    """Shifted Hill function: 1 without x, ``fold`` at saturation."""
    ratio = (x / threshold) ** power
    return (1.0 + fold * ratio) / (1.0 + ratio)


def extra_tgfb(p: SimpleNamespace, i: SimpleNamespace, c: float, mechanism: str) -> float:
    """J_adh: TGFβ released by lost adhesion."""
    lost = max(0.0, 1.0 - i.itgb1)
    if mechanism == "tgfb":
        return float(p.k_int * p.beta1_tot * p.malignant * lost)
    signal = i.mapk14 * min(1.0, i.ptk2)
    return float(p.k_int * max(1.0, p.beta1_tot) * max(0.0, c - p.c0) / p.kappa3 * signal)


def itgb3_slope(p: SimpleNamespace, i: SimpleNamespace, c: float) -> float:
    """β3 compensates in malignant cells; extra expression adds, knock-down multiplies."""
    replaced = min(1.0, p.beta1_tot) * max(0.0, 1.0 - i.itgb1)
    base = p.c0 + p.kappa3 * p.malignant * i.mapk14 * replaced
    if i.itgb3 > 1.0:
        base += p.c0 * (i.itgb3 - 1.0)
    else:
        base *= i.itgb3
    return float((base - c) / p.tau3)


def drive(p: SimpleNamespace, i: SimpleNamespace, made: float) -> float:
    """D: TGFβ of the cell, its surroundings and the rest, through receptor and SMAD4."""
    return float(p.f * i.tgfbr1 * i.smad4 * (made + p.tone + i.tgfb_outside))


def cascading(x: FloatArray, p: SimpleNamespace, i: SimpleNamespace, mechanism: str) -> list[float]:
    """Tian 2013 with the adhesion edge."""
    c, T, s, S, R3, z, Z, R2, E, N = (float(value) for value in x)
    u = drive(p, i, T) / p.Js
    made = p.k0T + p.kT / (1 + (R2 / p.JT) ** 2) + extra_tgfb(p, i, c, mechanism)
    epithelial = p.ke1 / (1 + (S / p.J1e) ** 2) + p.ke2 / (1 + (Z / p.J2e) ** 2)
    mesenchymal = p.kn1 * S**2 / (p.J1n**2 + S**2) + p.kn2 * Z**2 / (p.J2n**2 + Z**2)
    repressed = 1 + (S / p.J12) ** 2 + (Z / p.J22) ** 2
    return [
        itgb3_slope(p, i, c),
        i.tgfb1 * made - p.kdT * T,
        i.snai1 * (p.k0s + p.ks * u**2 / (1 + u**2)) - p.kds * s,
        p.kS * s / (1 + (R3 / p.JS) ** 2) - p.kdS * S,
        p.k03 + p.k3 / (1 + (S / p.J13) ** 2 + (Z / p.J23) ** 2) - p.kd3 * R3,
        i.zeb1 * (p.k0z + p.kz * (S / p.Jz) ** 2 / (1 + (S / p.Jz) ** 2)) - p.kdz * z,
        p.kZ * z / (1 + (R2 / p.JZ) ** 2) - p.kdZ * Z,
        i.mir200 * (p.k02 + p.k2 / repressed) + i.mir200_source * (p.k02 + p.k2) - p.kd2 * R2,
        p.e_present * i.cdh1 * epithelial + i.cdh1_source * (p.ke1 + p.ke2) - p.kde * E,
        mesenchymal - p.kdn * N,
    ]


def ternary(x: FloatArray, p: SimpleNamespace, i: SimpleNamespace, mechanism: str) -> list[float]:
    """Lu 2013 with SMAD and the adhesion edge."""
    c, T, P, R2, z, Z, E, N = (float(value) for value in x)
    D = drive(p, i, T)
    S = i.snai1 * (p.S0 + p.S1 * P)
    M = R2 / p.mu0
    bound = [ways * M**n / (1 + M) ** 6 for n, ways in enumerate(SITES)]
    L = sum(getattr(p, f"l{n}") * share for n, share in enumerate(bound))
    Ym = sum(getattr(p, f"gm{n}") * share for n, share in enumerate(bound))
    Yu = sum(n * getattr(p, f"gu{n}") * share for n, share in enumerate(bound))
    free = hill(Z, p.x_Z_R2, 3, p.f_Z_R2) * hill(S, p.x_S_R2, 2, p.f_S_R2)
    zeb = hill(Z, p.x_Z_z, 2, p.f_Z_z) * hill(S, p.x_S_z, 2, p.f_S_z)
    ratio = (Z / p.x_Z_N) ** 2
    return [
        itgb3_slope(p, i, c),
        i.tgfb1 * (p.kT0 + extra_tgfb(p, i, c, mechanism)) - p.kdT * T,
        p.k_out * (D / (p.K_P + D) - P),
        p.g200 * (i.mir200 * free + i.mir200_source) - z * Yu - p.k200 * R2,
        i.zeb1 * p.gz * zeb - z * Ym - p.kz * z,
        p.gZ * z * L - p.kZ * Z,
        p.kE * (p.e_present * i.cdh1 * hill(Z, p.x_Z_E, 2, p.f_Z_E) + i.cdh1_source) - p.dE * E,
        p.kN * (p.N_floor + ratio) / (1 + ratio) - p.dN * N,
    ]


RATES = {"cascading": cascading, "ternary": ternary}
SPECIES = {"cascading": CASCADING, "ternary": TERNARY}


def psmad(emt_core: str, x: FloatArray, p: SimpleNamespace, i: SimpleNamespace) -> float:
    """Phosphorylated share of SMAD: quasi-steady in the cascading core, a species in the other."""
    if emt_core == "ternary":
        return float(x[TERNARY.index("P")])
    D = drive(p, i, float(x[CASCADING.index("T")]))
    return float(D / (p.K_P + D))


def solve(
    emt_core: str,
    mechanism: str,
    values: Mapping[str, float],
    inputs: Mapping[str, float],
    start: FloatArray,
    hours: float,
    method: str = "LSODA",
) -> FloatArray:
    """State after some hours by a general solver at rtol 1e-10."""
    p, i = SimpleNamespace(**values), SimpleNamespace(**inputs)
    solution = solve_ivp(
        lambda _, x: RATES[emt_core](x, p, i, mechanism),
        (0.0, hours),
        start,
        method=method,
        rtol=1e-10,
        atol=1e-13 * np.array(SIZES[emt_core]),
    )
    assert solution.success, solution.message
    end: FloatArray = solution.y[:, -1]
    return end
