"""Signalling of a culture over time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from unmoor.assays.base import Bench, Outcome
from unmoor.assays.culture import Culture, grow_culture, in_vitro, setting_of
from unmoor.catalog.draws import Draw
from unmoor.elementwise import FloatArray

if TYPE_CHECKING:
    from unmoor.assays.culture_settings import SignallingTimeCourse

_COURSE_OF = {"cohesion": "e_cadherin", "mesenchymal_programme": "mesenchymal"}


def signalling(settings: SignallingTimeCourse, bench: Bench, draws: Sequence[Draw]) -> Outcome:
    """Run parameter sets; every outcome is a mean over the culture's living cells."""
    place = in_vitro(settings.matrix, settings.dimensions, bench)
    grown = grow_culture(setting_of(bench, place, settings.duration, settings.clones), draws)
    days = settings.read or (settings.duration,)
    return grown.outcome(
        [grown.read(_level(grown, name), days) for name in settings.outcomes], days
    )


def _level(grown: Culture, name: str) -> FloatArray:
    if name == "mir200_to_zeb":
        return grown.course("mir200") / grown.course("zeb")
    return grown.course(_COURSE_OF.get(name, name))
