"""Readouts: what the network tells the rest of the cell. The handover from signalling."""

from __future__ import annotations

from typing import NamedTuple


class Readouts(NamedTuple):
    """State of signalling of one cell.

    The handovers are named tuples of numbers, so that compiled code can pass them on.

    Attributes
    ----------
    e_cadherin
        E-cadherin relative to the epithelial maximum of the EMT core [-].
    mesenchymal
        N-cadherin/vimentin programme relative to the full programme [-].
    psmad
        Phosphorylated share of SMAD2/3 [-].
    tgfb
        Active TGFβ that the cell itself makes, in units of the core.
    itgb3
        β3 integrin [-].
    mir200, zeb
        miR-200 and ZEB, in units of the core.
    """

    e_cadherin: float
    mesenchymal: float
    psmad: float
    tgfb: float
    itgb3: float
    mir200: float
    zeb: float
