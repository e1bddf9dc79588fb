"""Volumes of tumours of a group of animals in time, and what may be left out of a fit."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from unmoor.elementwise import FloatArray


@dataclass(frozen=True)
class GrowthData:
    """Readings of a group of animals, sorted by animal and day.

    Attributes
    ----------
    animals
        Names of the animals.
    index
        Number of the animal of each reading, not falling, shape (readings,).
    day
        Days since the tumour was ``start`` mm³, shape (readings,) [d].
    volume
        Tumour volumes; of a censored reading its upper limit, shape (readings,) [mm³].
    is_censored
        Whether a reading is only known to be below ``volume``, shape (readings,).
    start
        Volume at day 0 [mm³].
    detection_limit
        Smallest volume that can be read [mm³]; 0 if it is not known.
    left_out
        Readings below detection that are in none of the arrays.
    """

    animals: tuple[str, ...]
    index: np.ndarray
    day: FloatArray
    volume: FloatArray
    is_censored: np.ndarray
    start: float = 1.0
    detection_limit: float = 0.0
    left_out: int = 0

    @cached_property
    def firsts(self) -> np.ndarray:
        """Where the readings of each animal begin, shape (animals,)."""
        return np.searchsorted(self.index, np.arange(len(self.animals)))

    @classmethod
    def of(
        cls,
        names: list[str],
        day: FloatArray,
        volume: FloatArray,
        *,
        start: float = 1.0,
        detection_limit: float = 0.0,
    ) -> GrowthData:
        """Sort readings by animal, in the order in which animals first come, and by day.

        Parameters
        ----------
        names
            Animal of each reading.
        detection_limit
            Smallest volume that can be read [mm³]. Readings below it are known to be below it
            (censored); if it is 0, readings of 0 say nothing and are left out.
        """
        numbers = {name: i for i, name in enumerate(dict.fromkeys(names))}
        index = np.array([numbers[name] for name in names])
        order = np.lexsort((day, index))
        index, day, volume = index[order], np.asarray(day)[order], np.asarray(volume)[order]
        censored = volume < detection_limit
        kept = censored | (volume > 0.0)
        present = np.unique(index[kept])
        animals = tuple(np.array(list(numbers))[present].tolist())
        return cls(
            animals=animals,
            index=np.searchsorted(present, index[kept]),
            day=day[kept].astype(float),
            volume=np.where(censored, detection_limit, volume)[kept],
            is_censored=censored[kept],
            start=start,
            detection_limit=detection_limit,
            left_out=int((~kept).sum()),
        )
