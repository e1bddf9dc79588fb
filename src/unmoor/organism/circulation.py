"""Cells in blood: how many singles and clusters circulate while a tumour sheds them."""

from __future__ import annotations

import math
from collections.abc import Mapping

from unmoor.elementwise import FloatArray

_MINUTES_A_DAY = 1440.0


def circulating(
    shed: FloatArray, half_life: FloatArray, constants: Mapping[str, FloatArray]
) -> FloatArray:
    """Expected number in one mL of blood when shedding and clearance balance.

    Blood is cleared within minutes and shedding changes over days, so balance holds throughout.

    Parameters
    ----------
    shed
        Singles or clusters released [1/d].
    half_life
        Half-life in blood [min].
    constants
        Values of ``closures/dissemination`` by id.
    """
    residence = half_life / math.log(2.0) / _MINUTES_A_DAY
    count: FloatArray = shed * residence / constants["blood_volume"]
    return count
