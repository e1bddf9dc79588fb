"""From readouts to behaviour: how a cell grips, grows, dies and moves.

``Phenotype`` is the handover to the tissue. The functions are compiled; constants come as one
record a parameter set (ids of ``closures/cell`` and ``closures/adhesion``). Equations:
docs/equations.md.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from unmoor.compilation import kernel, part
from unmoor.signalling.readouts import Readouts


class Phenotype(NamedTuple):
    """What one cell does.

    Attributes
    ----------
    growth
        Growth relative to a cell with full FAK signal and no TGFβ [-].
    death_rate
        Death beyond the turnover that the tumour's growth law contains [1/d].
    speed
        Speed relative to the best grip without cohesion [-].
    cohesion
        E-cadherin that holds neighbours, 0 … 1 [-].
    mesenchymal
        Mesenchymal programme, 0 … 1 [-].
    stranded
        U: E-cadherin lost without the mesenchymal programme, 0 … 1 [-].
    stress
        R: death signal of stranded cells relative to untreated [-].
    fak_tumour, fak_lung
        FAK signal relative to untreated in the tumour and in the lung [-].
    """

    growth: float
    death_rate: float
    speed: float
    cohesion: float
    mesenchymal: float
    stranded: float
    stress: float
    fak_tumour: float
    fak_lung: float


# What sets one cell of a parameter set apart, and its untreated readouts and FAK signals, with
# which the treated cell is compared.
CELL = np.dtype([
    (name, np.float64)
    for name in (
        "beta1_tot", "beta4", "K_F", "itgb3", "psmad", "tgfb", "mir200", "zeb",
        "signal_tumour", "signal_lung",
    )
])  # fmt: skip
GROUNDS = (
    "tumour",
    "lung",
    "collagen_i",
)  # where a cell stands: w1_tumour … w0_lung are its constants


@kernel
def behave(c: Any, cell: Any, now: Readouts, itgb1: float, ptk2: float) -> Phenotype:
    """Behaviour of a cell at its present readouts.

    Parameters
    ----------
    c
        Constants of the parameter set, a record.
    cell
        The cell, a record of ``CELL``.
    now
        Readouts.
    itgb1
        Free active β1 relative to untreated [-].
    ptk2
        FAK level × remaining activity [-].
    """
    e = min(max(now.e_cadherin, 0.0), 1.0)
    m = min(max(now.mesenchymal, 0.0), 1.0)
    stranded = (1.0 - e) ** 2 * (1.0 - m)
    stress = (1.0 - c.chi_T) + c.chi_T * min(now.psmad / cell.psmad, 2.0)
    tumour = (c.w1_tumour, c.w3_tumour, c.w4_tumour, c.w0_tumour)
    lung = (c.w1_lung, c.w3_lung, c.w4_lung, c.w0_lung)
    fak = ptk2 * saturation(c, cell, tumour, now.itgb3, itgb1) / cell.signal_tumour
    growth = (c.g0 + (1.0 - c.g0) * fak) * (1.0 - c.s_T * now.psmad * (1.0 - m))
    anoikis = c.delta_an * max(1.0 - fak, 0.0) * (1.0 - c.r_M * m)
    return Phenotype(
        growth * (1.0 - c.s_E * stranded),
        anoikis + c.delta_E * stranded * stress,
        speed(c, cell, tumour, now, itgb1, e),
        e,
        m,
        stranded,
        stress,
        fak,
        ptk2 * saturation(c, cell, lung, now.itgb3, itgb1) / cell.signal_lung,
    )


@part
def adhesion(cell: Any, ground: tuple[float, ...], itgb3: float, itgb1: float) -> float:
    """Adhesion capacity A of a cell on a ground of weights w1, w3, w4, w0."""
    w1, w3, w4, w0 = ground
    held: float = w1 * cell.beta1_tot * itgb1 + w3 * itgb3 + w4 * cell.beta4 + w0
    return held


@part
def saturation(c: Any, cell: Any, ground: tuple[float, ...], itgb3: float, itgb1: float) -> float:
    """H(A): FAK/Src signal of an adhesion capacity, half at K_F of the reference line's."""
    w1, w3, w4, w0 = ground
    half = cell.K_F * (w1 + w3 * c.c0 + w4 * cell.beta4 + w0)
    grip = math.pow(adhesion(cell, ground, itgb3, itgb1) / half, c.h)
    signal: float = grip / (1.0 + grip)
    return signal


@kernel
def settle(c: Any, cell: Any, now: Readouts) -> None:
    """Note the untreated readouts of a cell in its record, and its FAK signals."""
    cell.itgb3, cell.psmad, cell.tgfb = now.itgb3, now.psmad, now.tgfb
    cell.mir200, cell.zeb = now.mir200, now.zeb
    tumour = (c.w1_tumour, c.w3_tumour, c.w4_tumour, c.w0_tumour)
    lung = (c.w1_lung, c.w3_lung, c.w4_lung, c.w0_lung)
    cell.signal_tumour = saturation(c, cell, tumour, now.itgb3, 1.0)
    cell.signal_lung = saturation(c, cell, lung, now.itgb3, 1.0)


@part
def speed_in_collagen(c: Any, cell: Any, now: Readouts, itgb1: float) -> float:
    """Speed in collagen I, the gel of invasion assays, where β1 is the grip almost alone."""
    ground = (c.w1_collagen_i, c.w3_collagen_i, c.w4_collagen_i, c.w0_collagen_i)
    e = min(max(now.e_cadherin, 0.0), 1.0)
    moved: float = speed(c, cell, ground, now, itgb1, e)
    return moved


@part
def speed(
    c: Any, cell: Any, ground: tuple[float, ...], now: Readouts, itgb1: float, e: float
) -> float:
    """Bell-shaped in grip, faster with TGFβ, slowed by holding on to neighbours."""
    grip = adhesion(cell, ground, now.itgb3, itgb1) / adhesion(cell, ground, cell.itgb3, 1.0)
    a = c.a0 * cell.beta1_tot * grip
    bell = math.pow(4.0 * a / (1.0 + a) ** 2, c.p)
    moved: float = (bell + c.v_am) * (1.0 + c.mu_P * now.psmad) * (1.0 + c.chi) / (1.0 + c.chi * e)
    return moved
