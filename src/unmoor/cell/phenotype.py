"""From readouts to behaviour: how a cell grips, grows, dies and moves.

``Phenotype`` is the handover to the tissue. The functions are compiled; constants come as one
record a parameter set (ids of ``closures/cell`` and ``closures/adhesion``). Equations:
docs/explanation/cell.md.
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
        Speed among neighbours, relative to the best grip without cohesion [-].
    drive
        The same without the drag of neighbours: what a cell drives with [-].
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
    drive: float
    cohesion: float
    mesenchymal: float
    stranded: float
    stress: float
    fak_tumour: float
    fak_lung: float


# What sets one cell of a parameter set apart, its untreated readouts, and what ``settle`` works out
# once: ``growth`` of the untreated cell, and for each ground ``per_half``, 1 / adhesion capacity at
# half signal, ``per_signal``, 1 / untreated FAK signal, and ``per_grip``, which turns adhesion
# capacity into grip relative to the best.
CELL = np.dtype([
    (name, np.float64)
    for name in (
        "beta1_tot", "beta4", "K_F", "itgb3", "psmad", "tgfb", "mir200", "zeb",
        "per_half_tumour", "per_half_lung", "per_signal_tumour", "per_signal_lung",
        "per_grip_tumour", "per_grip_collagen_i", "growth",
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
    held = adhesion(cell, tumour, now.itgb3, itgb1)
    elsewhere = adhesion(cell, lung, now.itgb3, itgb1)
    fak = ptk2 * saturation(held * cell.per_half_tumour, c.h) * cell.per_signal_tumour
    fak_lung = ptk2 * saturation(elsewhere * cell.per_half_lung, c.h) * cell.per_signal_lung
    growth = _growth(c, fak, now.psmad, m, stranded)
    driven = drive(c, held * cell.per_grip_tumour, now.psmad)
    anoikis = c.delta_an * max(1.0 - fak, 0.0) * (1.0 - c.r_M * m)
    return Phenotype(
        growth,
        anoikis + c.delta_E * stranded * stress,
        driven * _dragged(c, e),
        driven,
        e,
        m,
        stranded,
        stress,
        fak,
        fak_lung,
    )


@part
def adhesion(cell: Any, ground: tuple[float, ...], itgb3: float, itgb1: float) -> float:
    """Adhesion capacity A of a cell on a ground of weights w1, w3, w4, w0."""
    w1, w3, w4, w0 = ground
    held: float = w1 * cell.beta1_tot * itgb1 + w3 * itgb3 + w4 * cell.beta4 + w0
    return held


@part
def saturation(strength: float, h: float) -> float:
    """H(A): FAK/Src signal of an adhesion capacity relative to that of half signal."""
    grip = math.pow(strength, h)
    signal: float = grip / (1.0 + grip)
    return signal


@part
def _half(c: Any, cell: Any, ground: tuple[float, ...]) -> float:
    """Adhesion capacity of half signal: K_F of the reference line's capacity."""
    w1, w3, w4, w0 = ground
    half: float = cell.K_F * (w1 + w3 * c.c0 + w4 * cell.beta4 + w0)
    return half


@kernel
def settle(c: Any, cell: Any, now: Readouts) -> None:
    """Note the untreated readouts of a cell in its record, and what follows for each ground."""
    cell.itgb3, cell.psmad, cell.tgfb = now.itgb3, now.psmad, now.tgfb
    cell.mir200, cell.zeb = now.mir200, now.zeb
    tumour = (c.w1_tumour, c.w3_tumour, c.w4_tumour, c.w0_tumour)
    lung = (c.w1_lung, c.w3_lung, c.w4_lung, c.w0_lung)
    gel = (c.w1_collagen_i, c.w3_collagen_i, c.w4_collagen_i, c.w0_collagen_i)
    held = adhesion(cell, tumour, now.itgb3, 1.0)
    elsewhere = adhesion(cell, lung, now.itgb3, 1.0)
    cell.per_half_tumour = 1.0 / _half(c, cell, tumour)
    cell.per_half_lung = 1.0 / _half(c, cell, lung)
    cell.per_signal_tumour = 1.0 / saturation(held * cell.per_half_tumour, c.h)
    cell.per_signal_lung = 1.0 / saturation(elsewhere * cell.per_half_lung, c.h)
    e, m = min(max(now.e_cadherin, 0.0), 1.0), min(max(now.mesenchymal, 0.0), 1.0)
    cell.growth = _growth(c, 1.0, now.psmad, m, (1.0 - e) ** 2 * (1.0 - m))
    grip = c.a0 * cell.beta1_tot
    cell.per_grip_tumour = grip / held
    cell.per_grip_collagen_i = grip / adhesion(cell, gel, now.itgb3, 1.0)


@part
def speed_in_collagen(c: Any, cell: Any, now: Readouts, itgb1: float) -> float:
    """Speed in collagen I, the gel of invasion assays, where β1 is the grip almost alone."""
    ground = (c.w1_collagen_i, c.w3_collagen_i, c.w4_collagen_i, c.w0_collagen_i)
    e = min(max(now.e_cadherin, 0.0), 1.0)
    grip = adhesion(cell, ground, now.itgb3, itgb1) * cell.per_grip_collagen_i
    moved: float = drive(c, grip, now.psmad) * _dragged(c, e)
    return moved


@part
def drive(c: Any, grip: float, psmad: float) -> float:
    """Bell-shaped in grip (best at 1), faster with TGFβ."""
    bell = math.pow(4.0 * grip / (1.0 + grip) ** 2, c.p)
    driven: float = (bell + c.v_am) * (1.0 + c.mu_P * psmad)
    return driven


@part
def _dragged(c: Any, e: float) -> float:
    """Share of speed that is left while holding on to neighbours, relative to full E-cadherin.

    Where neighbours are cells of their own, in the tissue, their bonds do this instead.
    """
    left: float = (1.0 + c.chi) / (1.0 + c.chi * e)
    return left


@part
def _growth(c: Any, fak: float, psmad: float, m: float, stranded: float) -> float:
    """Growth relative to a cell with full FAK signal and no TGFβ."""
    adhering = (c.g0 + (1.0 - c.g0) * fak) * (1.0 - c.s_T * psmad * (1.0 - m))
    growth: float = adhering * (1.0 - c.s_E * stranded)
    return growth
