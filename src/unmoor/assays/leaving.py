"""What leaves the tumours of parameter sets: read off the catalog's table, or counted anew."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from unmoor.catalog.draws import Draw
from unmoor.tissue.escape import EscapeTable
from unmoor.tissue.escape_smoothing import shift_of
from unmoor.tissue.escape_table import shipped_grid


def leaving(draws: Sequence[Draw], how: str) -> EscapeTable:
    """Table of each parameter set, nodes of shape (draws, bonds, drives, growths, 4).

    Parameters
    ----------
    how
        ``table`` or ``direct``.
    """
    grid = shipped_grid()
    nodes_of = grid.nodes_of
    if how == "direct":
        from unmoor.assays.direct_escape import direct_nodes as nodes_of  # the tissue is heavy
    nodes = [draw.remember(("escape", how), partial(nodes_of, draw)) for draw in draws]
    shifts = [
        0.0 if how == "direct" else draw.remember("gel", partial(_shift, draw)) for draw in draws
    ]
    return grid.table(np.array(nodes), np.array(shifts))


def _shift(draw: Draw) -> float:
    """How a draw's pores differ from those under which the table was made."""
    return shift_of(draw.values("closures", "tissue"))
