"""Snapshot: a tissue at one time, as measures, pictures and files see it."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

LIVING, DYING, NECROTIC = 1, 2, 3  # phases of a cell


class Snapshot(NamedTuple):
    """Cells of a tissue at one time, in rising order of their slots, shape (cells,) each.

    Attributes
    ----------
    time
        Since the start of the assay [min].
    identity, parent
        Lineage hash of the cell and of the cell it came from (0: a founder).
    clone
        Number of the founding clone.
    phase
        ``LIVING``, ``DYING`` (apoptosis) or ``NECROTIC``.
    position, velocity
        Centres [µm] and velocities averaged over the last exchange with the fields [µm/min], shape
        (cells, 3).
    radius
        Radius [µm].
    e_cadherin, mesenchymal
        Of the epithelial maximum and of the full programme [-].
    zeb, mir200
        Relative to the untreated cell [-].
    drive
        Motile speed on its own [µm/min].
    oxygen
        Where the cell is [mmHg].
    collagen
        Where the cell is [mg/mL].
    """

    time: float
    identity: npt.NDArray[np.uint64]
    parent: npt.NDArray[np.uint64]
    clone: npt.NDArray[np.int32]
    phase: npt.NDArray[np.int8]
    position: npt.NDArray[np.float64]
    velocity: npt.NDArray[np.float32]
    radius: npt.NDArray[np.float32]
    e_cadherin: npt.NDArray[np.float32]
    mesenchymal: npt.NDArray[np.float32]
    zeb: npt.NDArray[np.float32]
    mir200: npt.NDArray[np.float32]
    drive: npt.NDArray[np.float32]
    oxygen: npt.NDArray[np.float32]
    collagen: npt.NDArray[np.float32]

    @property
    def is_living(self) -> Any:
        """Which cells live, shape (cells,)."""
        return self.phase == LIVING
