"""Bodies: cells as mechanics sees them. Arrays over slots; a slot is a place that a cell may take.

All arrays of a tissue share their slots, and the network's numbers of slot ``s`` lie in lane
``s % 8`` of block ``s // 8``. Which slots hold a cell is said by a list of slots, in rising order.
Lengths in µm, times in minutes. Equations: docs/explanation/tissue.md.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
SingleArray = npt.NDArray[np.float32]
IdentityArray = npt.NDArray[np.uint64]
SlotArray = npt.NDArray[np.int32]
StepArray = npt.NDArray[np.int64]


class Bodies(NamedTuple):
    """What moves cells, and where they are.

    Attributes
    ----------
    position
        Centres, shape (slots, 3) [µm].
    velocity
        Velocity at the step before, shape (slots, 3) [µm/min].
    heading
        Unit vector of the motile drive, 0 for a cell that has picked none, shape (slots, 3).
    turn
        Number of the step at which a cell next picks a heading, shape (slots,).
    identity
        Lineage hash, shape (slots,).
    radius, reach
        Radius, and distance up to which a cell adheres, shape (slots,) [µm].
    repulsion, adhesion
        Square roots of the coefficients of a pair of such cells, shape (slots,) [(µm/min)^½].
    drive
        Motile speed on its own, before drag, shape (slots,) [µm/min].
    persistence
        Mean time between turns, shape (slots,) [min].
    bias
        What is added to a random unit vector before it becomes the heading, shape (slots, 3) [-].
    mobility
        1 / drag relative to a cell among cells, shape (slots,) [-].
    pressure
        Σ (1 − d/R)² over overlapping neighbours at the last step, shape (slots,) [-].
    """

    position: FloatArray
    velocity: SingleArray
    heading: SingleArray
    turn: StepArray
    identity: IdentityArray
    radius: SingleArray
    reach: SingleArray
    repulsion: SingleArray
    adhesion: SingleArray
    drive: SingleArray
    persistence: SingleArray
    bias: SingleArray
    mobility: SingleArray
    pressure: SingleArray

    @classmethod
    def empty(cls, slots: int) -> Bodies:
        """Bodies of no extent, for ``slots`` cells."""
        single = [np.zeros(slots, np.float32) for _ in range(8)]
        radius, reach, repulsion, adhesion, drive, persistence, mobility, pressure = single
        return cls(
            np.zeros((slots, 3)),
            np.zeros((slots, 3), np.float32),
            np.zeros((slots, 3), np.float32),
            np.zeros(slots, np.int64),
            np.zeros(slots, np.uint64),
            radius, reach, repulsion, adhesion, drive, persistence,
            np.zeros((slots, 3), np.float32),
            mobility, pressure,
        )  # fmt: skip
