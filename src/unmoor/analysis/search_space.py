"""What a search may try: points on a grid of levels, and the treatments they stand for.

Doses go up in the steps of preferred numbers (40 a decade), times and factors in even round steps.
Grids are what a laboratory can do, and a treatment that comes again costs nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

from unmoor import catalog
from unmoor.fields import Whole
from unmoor.therapy.irradiation import LARGEST_FRACTION, Irradiation
from unmoor.therapy.regimen import LARGEST_DOSE, Regimen
from unmoor.trial.search_fields import Item, Varied, tables_of, varied_of
from unmoor.trial.study import Study
from unmoor.trial.tumour_assay import tumour_assay

Point = tuple[int, ...]
_PREFERRED = (
    1.0, 1.06, 1.12, 1.18, 1.25, 1.32, 1.4, 1.5, 1.6, 1.7, 1.8, 1.9, 2.0, 2.12, 2.24, 2.36, 2.5,
    2.65, 2.8, 3.0, 3.15, 3.35, 3.55, 3.75, 4.0, 4.25, 4.5, 4.75, 5.0, 5.3, 5.6, 6.0, 6.3, 6.7,
    7.1, 7.5, 8.0, 8.5, 9.0, 9.5,
)  # fmt: skip
"""Preferred numbers of a decade, series R40 rounded (ISO 3)."""
_SPAN = 300.0  # the lowest dose but 0 that is tried is the highest over this
_STEPS = 40  # even steps of a range, at least
_ROUND = (1.0, 2.0, 2.5, 5.0, 10.0)  # even steps are one of these times a power of ten


@dataclass(frozen=True)
class Space:
    """The treatments of an arm with some numbers open.

    Attributes
    ----------
    arm
        Name of the arm.
    items
        Its treatments as written.
    varied
        The numbers that are open.
    duration
        Read-out [d after inoculation].
    limits
        Highest dose of each drug in the catalog [mg/kg]; what burden is measured in.
    """

    arm: str
    items: tuple[Item, ...]
    varied: tuple[Varied, ...]
    duration: float
    limits: Mapping[str, float]

    @cached_property
    def levels(self) -> tuple[tuple[float, ...], ...]:
        """What each open number may be, rising, in base units."""
        return tuple(_levels(each) for each in self.varied)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Number of levels of each open number."""
        return tuple(len(each) for each in self.levels)

    def values(self, point: Point) -> tuple[float, ...]:
        """The open numbers at a point, in base units."""
        return tuple(levels[place] for levels, place in zip(self.levels, point, strict=True))

    def treatments(self, point: Point) -> tuple[Item, ...]:
        """The arm at a point; treatments that would do nothing are left out."""
        return self.with_values(self.values(point), set(range(len(self.items))))

    def with_values(self, values: Sequence[float], kept: set[int]) -> tuple[Item, ...]:
        """Some treatments of the arm, by their numbers, with the open numbers as given."""
        changes: dict[int, dict[str, float]] = {}
        for varied, value in zip(self.varied, values, strict=True):
            changes.setdefault(varied.item, {})[varied.field.name] = value
        found: list[Item] = []
        for number, item in enumerate(self.items):
            if number in kept:
                found += _changed(item, changes.get(number, {}), self.duration)
        return tuple(found)

    def burden(self, items: Sequence[Item]) -> float:
        """Doses given until the read-out, each relative to the highest allowed, per day [1/d].

        A dose of a drug counts relative to its limit in the catalog, a fraction of radiation to the
        largest that a study may ask for; an edit of a gene counts nothing. This is how much is
        given, not how toxic it is, which is not modelled.
        """
        total = 0.0
        for item in items:
            if isinstance(item, Regimen) and item.dose is not None:
                given = len(item.times(self.duration))
                total += given * item.dose / self.limits[item.drug]
            elif isinstance(item, Irradiation):
                given = len(item.times(self.duration))
                total += given * item.radiation / LARGEST_FRACTION
        return total / self.duration


def space_of(study: Study) -> Space:
    """What the search of a study may try; the study has one."""
    assert study.search is not None
    varied = varied_of(study.search, tables_of(study.arms))
    arm = varied[0].arm
    duration = tumour_assay(study).duration
    return Space(arm, study.arms[arm], varied, duration, limits_of(study, study.arms[arm]))


def limits_of(study: Study, items: Sequence[Item]) -> dict[str, float]:
    """Highest dose of each drug [mg/kg]: the catalog's, or else the highest of its field."""
    drugs = dict.fromkeys(item.drug for item in items if isinstance(item, Regimen))
    return {
        drug: float(catalog.about("drugs", drug, study.beside).get("max_dose", LARGEST_DOSE))
        for drug in drugs
    }


def _levels(varied: Varied) -> tuple[float, ...]:
    """Levels within a range, both ends among them; choices as they are, rising."""
    if not varied.is_range:
        return tuple(sorted(varied.values))
    low, high = varied.values
    if isinstance(varied.field.reader, Whole):
        return tuple(float(n) for n in range(int(low), int(high) + 1))
    if varied.field.name == "dose":
        return _geometric(low, high)
    step = _step((high - low) / _STEPS)
    first = math.floor(low / step) + 1
    between = [n * step for n in range(first, math.ceil(high / step)) if low < n * step < high]
    return (low, *(float(f"{value:.12g}") for value in between), high)


def _geometric(low: float, high: float) -> tuple[float, ...]:
    bottom = max(low, high / _SPAN)
    first, last = math.floor(math.log10(bottom)), math.ceil(math.log10(high))
    numbers = (
        float(f"{digit}e{power}") for power in range(first, last + 1) for digit in _PREFERRED
    )
    return (low, *(number for number in numbers if bottom <= number < high and number > low), high)


def _step(most: float) -> float:
    """The largest round step that is not above ``most``."""
    power = 10.0 ** math.floor(math.log10(most))
    return max(power * each for each in (0.1 * _ROUND[0], *_ROUND) if power * each <= most * 1.0001)


def _changed(item: Item, changes: Mapping[str, float], duration: float) -> list[Item]:
    """A treatment with some numbers changed: none, one, or two with a pause between."""
    given: dict[str, Any] = {each.name: getattr(item, each.name) for each in fields(item)}
    plain = {name: value for name, value in changes.items() if not name.startswith("holiday")}
    given |= {name: int(v) if name == "fractions" else v for name, v in plain.items()}
    start = -math.inf if given["start"] is None else given["start"]
    stop = math.inf if given.get("stop") is None else given["stop"]
    if start >= duration or stop <= max(start, 0.0) or _does_nothing(given):
        return []
    if given.get("stop") is not None and stop >= duration:
        given["stop"] = None  # goes on to the end, in whatever words
    made = type(item)
    if made is Irradiation and given["every"] is not None:  # those after the read-out are not given
        fitting = math.ceil((duration - start) / given["every"] - 1e-9)
        given["fractions"] = min(given["fractions"], fitting)
    if made is Regimen and "holiday" in changes:
        begin = changes["holiday_start"]
        return _with_pause(given, begin, begin + changes["holiday"], duration)
    return [made(**given)]


def _does_nothing(given: Mapping[str, Any]) -> bool:
    if given.get("dose") == 0.0 or given.get("radiation") == 0.0 or given.get("fractions") == 0:
        return True
    return given.get("change") in ("knock_down", "over_express") and given["factor"] == 1.0


def _with_pause(given: dict[str, Any], begin: float, end: float, duration: float) -> list[Item]:
    """A drug whose doses from ``begin`` until before ``end`` are left out; the rhythm goes on."""
    start, stop, every = given["start"], given["stop"], given["every"]
    last = duration if stop is None else min(stop, duration)
    if begin >= last or end <= max(begin, start):
        return [Regimen(**given)]
    parts: list[Item] = []
    if begin > start:
        parts.append(Regimen(**{**given, "stop": begin}))
    again = start + every * max(0, math.ceil((end - start) / every - 1e-9))
    if again < last:
        parts.append(Regimen(**{**given, "start": again}))
    return parts
