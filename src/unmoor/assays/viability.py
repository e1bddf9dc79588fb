"""Living cells, division and death of a culture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from unmoor.assays.base import Bench, Outcome
from unmoor.assays.culture import grow_culture, in_vitro, setting_of
from unmoor.catalog.draws import Draw

if TYPE_CHECKING:
    from unmoor.assays.culture_settings import Viability

_COURSE_OF = {"viability": "cells"}


def viability(settings: Viability, bench: Bench, draws: Sequence[Draw]) -> Outcome:
    """Run parameter sets.

    Proliferation is the division rate at read-out, as a label taken up for an hour tells it;
    apoptosis the mean death rate since the start, since dead cells stay in the well.
    """
    place = in_vitro(settings.matrix, settings.dimensions, bench)
    grown = grow_culture(setting_of(bench, place, settings.duration, settings.clones), draws)
    days = settings.read or (settings.duration,)
    courses = [grown.course(_COURSE_OF.get(name, name)) for name in settings.outcomes]
    return grown.outcome([grown.read(course, days) for course in courses], days)
