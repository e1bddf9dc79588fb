"""The untreated cell of a line at rest: whether the model's cell stays what the line is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from unmoor.catalog.draws import Draw
from unmoor.cell.line import CellLine, Structure, network_values
from unmoor.elementwise import FloatArray
from unmoor.signalling.batch import Batch

_SETTLE = 20_000.0  # h in which a cell reaches its steady state
_RTOL = 1e-4
HALF = 0.5  # of the full mesenchymal programme; epithelial cells have none of it


def mesenchymal_programme(
    line: CellLine, draws: Sequence[Draw], structure: Structure
) -> FloatArray:
    """Mesenchymal programme of the untreated cell at rest, brought onto the line's branch before.

    Returns
    -------
        Programme relative to the full one in each draw, shape (draws,) [-].
    """
    lines = [line.parameters(draw, structure.emt_core) for draw in draws]
    values = [network_values(draw, structure, own) for draw, own in zip(draws, lines, strict=True)]
    network = structure.network
    own = {name: np.array([[each[name]] for each in values]) for name in network.parameters}
    batch = Batch(network, own, (len(draws), 1), rtol=_RTOL)
    batch.set_parameter("f", np.array([[each.prime_f] for each in lines]))
    batch.set_parameter("tone", np.array([[each.prime_tone] for each in lines]))
    batch.advance(_SETTLE)
    batch.set_parameter("f", own["f"])
    batch.set_parameter("tone", own["tone"])
    batch.advance(_SETTLE)
    return batch.readouts()["mesenchymal"][:, 0]


def reverting(line: CellLine, draws: Sequence[Draw], structure: Structure) -> float:
    """Share of the mesenchymal draws in which the untreated cell does not stay mesenchymal.

    A core with little competence for TGFβ cannot hold the programme by itself; nan without a
    mesenchymal draw.
    """
    found = [line.parameters(draw, structure.emt_core).branch for draw in draws]
    is_mesenchymal = np.array([branch == "mesenchymal" for branch in found])
    if not is_mesenchymal.any():
        return float("nan")
    programme = mesenchymal_programme(line, draws, structure)
    return float((programme[is_mesenchymal] < HALF).mean())
