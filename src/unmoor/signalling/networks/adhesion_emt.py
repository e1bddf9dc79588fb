"""From lost adhesion to the embryonic programme: integrin, TGFβ–SMAD, miR-200–ZEB, E-cadherin.

Time in hours. Two rival EMT cores (``emt_core``) and two rival ways in which lost β1 integrin
reaches TGFβ (``mechanism``) are named options. Equations: docs/explanation/signalling.md.
"""

from __future__ import annotations

from functools import lru_cache

from unmoor.errors import ParameterError
from unmoor.signalling.network import Edge, Network

INPUTS = {
    "itgb1": 1.0,  # free active β1 relative to untreated
    "itgb3": 1.0,  # β3 expression relative to untreated
    "ptk2": 1.0,  # FAK level × remaining activity
    "mapk14": 1.0,  # p38 activity
    "tgfb1": 1.0,  # production of active TGFβ
    "tgfb_outside": 0.0,  # TGFβ from outside the cell, in units of the autocrine T
    "tgfbr1": 1.0,  # receptor activity left by inhibitor or knock-down
    "smad4": 1.0,
    "snai1": 1.0,
    "zeb1": 1.0,
    "mir200": 1.0,
    "mir200_source": 0.0,  # promoter-independent production, 1 = epithelial maximum
    "cdh1": 1.0,
    "cdh1_source": 0.0,
}

ADHESION = """
beta1_loss = max(0, 1 - itgb1)
replaced   = min(1, beta1_tot)*beta1_loss           # β3 replaces no more than is lost
itgb3_base = c0 + kappa3*malignant*mapk14*replaced + c0*max(0, itgb3 - 1)
dc/dt      = (itgb3_base*min(1, itgb3) - c)/tau3                # β3 compensation
D          = f*tgfbr1*smad4*(T + tone + tgfb_outside)  # drive through receptor, SMAD4
"""

MECHANISMS = {
    # Truong 2014: β1 loss itself raises TGFβ signalling, β3 is a passenger
    "tgfb": "J_adh = k_int*beta1_tot*malignant*beta1_loss",
    # Parvani 2013: compensating β3, through p38 and FAK, restores TGFβ-EMT
    "itgb3": "J_adh = k_int*max(1, beta1_tot)*max(0, c - c0)/kappa3*mapk14*min(1, ptk2)",
}

CASCADING = """
u      = D/Js
P      = D/(K_P + D)
dT/dt  = tgfb1*(k0T + kT/(1 + (R2/JT)^2) + J_adh) - kdT*T
ds/dt  = snai1*(k0s + ks*u^2/(1 + u^2)) - kds*s
dS/dt  = kS*s/(1 + (R3/JS)^2) - kdS*S
dR3/dt = k03 + k3/(1 + (S/J13)^2 + (Z/J23)^2) - kd3*R3
dz/dt  = zeb1*(k0z + kz*(S/Jz)^2/(1 + (S/Jz)^2)) - kdz*z
dZ/dt  = kZ*z/(1 + (R2/JZ)^2) - kdZ*Z
dR2/dt = mir200*(k02 + k2/(1 + (S/J12)^2 + (Z/J22)^2)) + mir200_source*(k02 + k2) - kd2*R2
made   = ke1/(1 + (S/J1e)^2) + ke2/(1 + (Z/J2e)^2)
dE/dt  = e_present*cdh1*made + cdh1_source*(ke1 + ke2) - kde*E
dN/dt  = kn1*S^2/(J1n^2 + S^2) + kn2*Z^2/(J2n^2 + Z^2) - kdn*N
"""

_CHOOSE = (1, 6, 15, 20, 15, 6, 1)


def _ladder(letter: str, *, weighted: bool = False) -> str:
    """Sum over the occupied sites of the ZEB mRNA, with site number as weight for miR-200."""
    terms = [
        f"{i if weighted else 1}*{choose}*{letter}{i}*M^{i}" for i, choose in enumerate(_CHOOSE)
    ]
    return "(" + " + ".join(terms) + ")/(1 + M)^6"


TERNARY = f"""
S      = snai1*(S0 + S1*P)
M      = R2/mu0
L      = {_ladder("l")}
Ym     = {_ladder("gm")}
Yu     = {_ladder("gu", weighted=True)}
Z_R2   = (1 + f_Z_R2*(Z/x_Z_R2)^3)/(1 + (Z/x_Z_R2)^3)
S_R2   = (1 + f_S_R2*(S/x_S_R2)^2)/(1 + (S/x_S_R2)^2)
Z_z    = (1 + f_Z_z*(Z/x_Z_z)^2)/(1 + (Z/x_Z_z)^2)
S_z    = (1 + f_S_z*(S/x_S_z)^2)/(1 + (S/x_S_z)^2)
Z_E    = (1 + f_Z_E*(Z/x_Z_E)^2)/(1 + (Z/x_Z_E)^2)
Z_N    = (N_floor + (Z/x_Z_N)^2)/(1 + (Z/x_Z_N)^2)
dT/dt  = tgfb1*(kT0 + J_adh) - kdT*T
dP/dt  = k_out*(D/(K_P + D) - P)
dR2/dt = g200*(mir200*Z_R2*S_R2 + mir200_source) - z*Yu - k200*R2
dz/dt  = zeb1*gz*Z_z*S_z - z*Ym - kz*z
dZ/dt  = gZ*z*L - kZ*Z
dE/dt  = kE*(e_present*cdh1*Z_E + cdh1_source) - dE*E
dN/dt  = kN*Z_N - dN*N
"""

READOUTS = {"psmad": "P", "tgfb": "T", "itgb3": "c", "mir200": "R2", "zeb": "Z"}
E_READOUTS = {
    "cdh1": "E/E_max",
    # ZEB sustains CDH1 silencing, SNAI1 only starts it; without either there is no silencing
    "balance": "e_present*cdh1*(1 + (B_0/B_h)^2)/(1 + (Z/max(R2, 1e-12)/B_h)^2) + cdh1_source",
}
CORES = {
    "cascading": (
        CASCADING,
        {
            "c": 0.2,
            "T": 0.2,
            "s": 0.01,
            "S": 0.01,
            "R3": 0.4,
            "z": 0.03,
            "Z": 0.01,
            "R2": 0.35,
            "E": 3.2,
            "N": 0.01,
        },
        {
            "c": 0.2,
            "T": 1.0,
            "s": 0.1,
            "S": 1.0,
            "R3": 0.3,
            "z": 0.1,
            "Z": 0.1,
            "R2": 0.1,
            "E": 1.0,
            "N": 1.0,
        },
    ),
    "ternary": (
        TERNARY,
        {
            "c": 0.2,
            "T": 0.16,
            "P": 0.02,
            "R2": 2.0e4,
            "z": 50.0,
            "Z": 5.0e3,
            "E": 5.0e4,
            "N": 1.0e3,
        },
        {"c": 0.2, "T": 1.0, "P": 0.1, "R2": 1.0e4, "z": 300.0, "Z": 1.0e5, "E": 2.0e4, "N": 2.0e4},
    ),
}


_ADHESION_EDGES = {
    "lost β1 → β3": Edge("replaced", "itgb3_base"),
    "TGFβ → receptor": Edge("T", "D"),
    "inhibitor ⊣ receptor": Edge("tgfbr1", "D"),
}
_MECHANISM_EDGES = {
    "tgfb": {"lost β1 → TGFβ": Edge("beta1_loss", "J_adh")},
    "itgb3": {"β3 → TGFβ": Edge("c", "J_adh")},
}
_CORE_EDGES = {
    "cascading": {
        "receptor → SNAI1": Edge("D", "u"),
        "receptor → pSMAD": Edge("D", "P"),
        "SNAI1 ⊣ miR-34": Edge("S", "R3"),
        "ZEB ⊣ miR-34": Edge("Z", "R3"),
        "miR-34 ⊣ SNAI1": Edge("R3", "S"),
        "SNAI1 → ZEB": Edge("S", "z"),
        "SNAI1 ⊣ miR-200": Edge("S", "R2"),
        "ZEB ⊣ miR-200": Edge("Z", "R2"),
        "miR-200 ⊣ ZEB": Edge("R2", "Z"),
        "miR-200 ⊣ TGFβ": Edge("R2", "T"),
        "SNAI1 ⊣ E-cadherin": Edge("S", "made"),
        "ZEB ⊣ E-cadherin": Edge("Z", "made"),
        "SNAI1 → mesenchymal": Edge("S", "N"),
        "ZEB → mesenchymal": Edge("Z", "N"),
    },
    "ternary": {
        "receptor → pSMAD": Edge("D", "P"),
        "pSMAD → SNAI1": Edge("P", "S"),
        "SNAI1 → ZEB": Edge("S", "S_z"),
        "SNAI1 ⊣ miR-200": Edge("S", "S_R2"),
        "ZEB → ZEB": Edge("Z", "Z_z"),
        "ZEB ⊣ miR-200": Edge("Z", "Z_R2"),
        "miR-200 ⊣ ZEB": Edge("R2", "M"),
        "ZEB ⊣ E-cadherin": Edge("Z", "Z_E"),
        "ZEB → mesenchymal": Edge("Z", "Z_N"),
    },
}


@lru_cache
def adhesion_emt(
    emt_core: str = "cascading", mechanism: str = "tgfb", e_readout: str = "cdh1"
) -> Network:
    """Network of one structural option.

    Parameters
    ----------
    emt_core
        ``cascading`` (Tian 2013: SNAI1 first, then ZEB; full EMT does not revert by itself) or
        ``ternary`` (Lu 2013: miR-200 and ZEB with a hybrid state; reversible).
    mechanism
        ``tgfb`` or ``itgb3``: how lost β1 integrin raises TGFβ.
    e_readout
        ``cdh1`` reads E-cadherin itself, ``balance`` the ZEB : miR-200 balance (cascading only).

    Raises
    ------
    ParameterError
        If an option is unknown or the combination has no equation.
    """
    for value, allowed, name in (
        (emt_core, CORES, "emt_core"),
        (mechanism, MECHANISMS, "mechanism"),
        (e_readout, E_READOUTS, "e_readout"),
    ):
        if value not in allowed:
            raise ParameterError(f"{name} = {value!r} is unknown; allowed: {', '.join(allowed)}")
    if e_readout == "balance" and emt_core != "cascading":
        raise ParameterError('e_readout = "balance" has an equation for the cascading core only')
    core, start, scale = CORES[emt_core]
    return Network(
        name=f"{emt_core}/{mechanism}",
        equations="\n".join([ADHESION, MECHANISMS[mechanism], core]),
        inputs=INPUTS,
        readouts={
            "e_cadherin": E_READOUTS[e_readout],
            "mesenchymal": "N/N_max",
            **READOUTS,
        },
        start=start,
        lowest=0.0,
        scale=scale,
        edges=_ADHESION_EDGES | _MECHANISM_EDGES[mechanism] | _CORE_EDGES[emt_core],
    )
