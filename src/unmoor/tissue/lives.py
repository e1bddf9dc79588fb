"""Lives and behaviours: what becomes of cells, and what they do. Arrays over slots.

Times in minutes here and in days where the cell's own rates come from. Equations:
docs/explanation/tissue.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from unmoor.signalling.solve import LANES
from unmoor.tissue.bodies import FloatArray, IdentityArray

_ROOM = 1.5  # slots for each cell when room is made
_Arrays = TypeVar("_Arrays", bound=tuple[Any, ...])


class Lives(NamedTuple):
    """Where cells are in their lives, shape (slots,) each.

    Attributes
    ----------
    phase
        0 for an empty slot, or ``LIVING``, ``DYING``, ``NECROTIC`` (``snapshot``).
    clone
        Number of the founding clone.
    parent
        Identity of the cell it came from; 0 for a founder.
    divisions
        Divisions it has been through.
    progress
        Way through the cycle, 0 … 1: volume is that after division × (1 + progress) [-].
    length
        Length of its present cycle relative to the mean [-].
    age
        Time since it began to die [min].
    left
        Share of its volume that is left of a dying cell [-].
    """

    phase: npt.NDArray[np.int8]
    clone: npt.NDArray[np.int32]
    parent: IdentityArray
    divisions: npt.NDArray[np.int32]
    progress: FloatArray
    length: FloatArray
    age: FloatArray
    left: FloatArray

    @classmethod
    def empty(cls, slots: int) -> Lives:
        """Empty slots."""
        return cls(
            np.zeros(slots, np.int8),
            np.zeros(slots, np.int32),
            np.zeros(slots, np.uint64),
            np.zeros(slots, np.int32),
            np.zeros(slots),
            np.ones(slots),
            np.zeros(slots),
            np.ones(slots),
        )


class Behaviours(NamedTuple):
    """What cells do, shape (slots,) each.

    Attributes
    ----------
    division, death
        Rates of a cell with room, oxygen and whatever drugs do [1/d].
    speed
        Motile speed relative to the best grip without TGFβ [-].
    cohesion, mesenchymal
        E-cadherin and the mesenchymal programme, of their maxima [-].
    zeb, mir200
        Relative to the untreated cell [-].
    tgfb
        Active TGFβ that it makes beyond the untreated cell and that reaches others, in units of the
        core.
    """

    division: FloatArray
    death: FloatArray
    speed: FloatArray
    cohesion: FloatArray
    mesenchymal: FloatArray
    zeb: FloatArray
    mir200: FloatArray
    tgfb: FloatArray

    @classmethod
    def of(
        cls, slots: int, *, division: Any = 0.0, death: Any = 0.0, speed: Any = 1.0,
        cohesion: Any = 1.0,
    ) -> Behaviours:  # fmt: skip
        """Behaviour that is given; each broadcasts to (slots,)."""

        def spread(value: Any) -> FloatArray:
            return np.array(np.broadcast_to(np.asarray(value, dtype=np.float64), (slots,)))

        return cls(
            spread(division), spread(death), spread(speed), spread(cohesion), spread(0.0),
            spread(1.0), spread(1.0), spread(0.0),
        )  # fmt: skip


def constants(values: Mapping[str, float]) -> Any:
    """Constants as compiled code wants them: a record with the ids of ``closures/tissue``."""
    record = np.zeros(1, dtype=[(name, np.float64) for name in values])
    for name, value in values.items():
        record[name] = value
    return record.view(np.recarray)[0]


def longer(array: Any, slots: int) -> Any:
    """Return an array over slots with room for ``slots``; new ones hold zeros."""
    new = np.zeros((slots, *array.shape[1:]), array.dtype)
    new[: array.shape[0]] = array
    return new


def enlarged(arrays: _Arrays, slots: int) -> _Arrays:
    """Return a named tuple of arrays over slots, each made longer."""
    return type(arrays)(*(longer(array, slots) for array in arrays))


def remade(kind: type[_Arrays], arrays: Iterable[Any]) -> _Arrays:
    """Return a named tuple of arrays of its own: copies of those given."""
    return kind(*(array.copy() for array in arrays))


def copied(arrays: tuple[Any, ...], mothers: Any, daughters: Any) -> None:
    """Give daughters all that their mothers have."""
    for array in arrays:
        array[daughters] = array[mothers]


def below(prefix: str, state: Mapping[str, Any]) -> dict[str, Any]:
    """Return what stands below a prefix, by the rest of its name."""
    return {key[len(prefix) :]: value for key, value in state.items() if key.startswith(prefix)}


def slots_for(cells: int) -> int:
    """Return how many slots are made for so many cells, in whole blocks of the network."""
    return -(-max(int(_ROOM * cells), LANES) // LANES) * LANES
