"""What is given to whom and when, in the words of the lab.

A :class:`Regimen` is a drug with dose and schedule, an :class:`Edit` a change of one gene in the
tumour cells. Neither knows what it does: a drug's effect is in the catalog, an edit becomes
:class:`~unmoor.parameters.Modifier` objects on labelled inputs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Literal

from unmoor.fields import Field, Number, OneOf, Quantity, Text, read_table, report_missing
from unmoor.findings import FieldPath, Findings
from unmoor.parameters import GENES, Change, Modifier
from unmoor.units import format_quantity

LONGEST_STUDY = 365.0  # d
_SHORTEST_INTERVAL = 1.0 / 24.0  # d
_LARGEST_DOSE = 1000.0  # mg/kg

_TIME = Quantity("time", 0.0, LONGEST_STUDY, what="time after inoculation")
_START = Field("start", _TIME, '"0 d"', required=False)
_STOP = Field("stop", replace(_TIME, open_low=True), '"14 d"', required=False)

REGIMEN_FIELDS: tuple[Field, ...] = (
    Field("drug", Text("a drug of the catalog"), '"anti_itgb1"'),
    Field("dose", Quantity("dose", 0.0, _LARGEST_DOSE), '"10 mg/kg"'),
    Field(
        "every",
        Quantity("time", _SHORTEST_INTERVAL, LONGEST_STUDY, what="time between doses"),
        '"3 d"',
        required=False,
    ),
    replace(_START, default=0.0),
    _STOP,
    Field("route", Text("a route such as ip, iv or oral", 20), '"ip"', required=False),
)

CHANGES: tuple[Change, ...] = ("knock_down", "over_express", "re_express")
EDIT_FIELDS: tuple[Field, ...] = (
    Field("gene", OneOf(tuple(GENES)), '"ITGB1"'),
    Field("change", OneOf(CHANGES), '"knock_down"'),
    Field("factor", Number("level relative to normal", 0.0, 1000.0), "0.1", required=False),
    _START,
    _STOP,
)

_FACTORS: dict[str, Number] = {
    "knock_down": Number("level that remains", 0.0, 1.0, open_high=True),
    "over_express": Number("level relative to normal", 1.0, 1000.0, open_low=True),
    "re_express": Number("level relative to normal", 0.0, 1000.0, open_low=True),
}


@dataclass(frozen=True, slots=True, init=False)
class Regimen:
    """A drug, its dose and its schedule.

    Parameters
    ----------
    drug
        Name in the catalog, or path of a folder.
    dose
        Dose at each time, ``"10 mg/kg"`` or a number in mg/kg.
    every
        Time between doses, ``"3 d"`` or a number in days; None gives one dose.
    start
        Time of the first dose after inoculation, ``"7 d"`` or a number in days.
    stop
        No dose is given at this time or later; None goes on to the end.
    route
        Route of the drug, if it has several; None is its usual one.

    Raises
    ------
    StudyError
        With everything that is wrong.

    Examples
    --------
    >>> Regimen("anti_itgb1", dose="10 mg/kg", every="3 d", start="7 d").times(until=14.0)
    (7.0, 10.0, 13.0)
    """

    drug: str
    dose: float
    every: float | None
    start: float
    stop: float | None
    route: str | None

    def __init__(
        self,
        drug: str,
        *,
        dose: str | float,
        every: str | float | None = None,
        start: str | float = 0.0,
        stop: str | float | None = None,
        route: str | None = None,
    ) -> None:
        given = {"drug": drug, "dose": dose, "every": every, "start": start, "stop": stop}
        raw = _without_none({**given, "route": route}, keep=("drug", "dose", "start"))
        findings = Findings(prefix=("Regimen",))
        values = read_regimen(raw, (), findings, bare=True)
        findings.raise_errors()
        _set(self, values)

    def times(self, until: float) -> tuple[float, ...]:
        """Return the times of all doses before ``until`` [d after inoculation].

        Each is ``start + n * every``, not a running sum, so that rounding does not build up.
        """
        end = until if self.stop is None else min(until, self.stop)
        if self.every is None:
            return (self.start,) if self.start < end else ()
        n_doses = max(0, math.ceil((end - self.start) / self.every)) + 1
        candidates = (self.start + n * self.every for n in range(n_doses))
        return tuple(time for time in candidates if time < end)

    def to_toml_item(self) -> str:
        """Return the inline table that stands for it in a study file."""
        return _inline(self)


@dataclass(frozen=True, slots=True, init=False)
class Edit:
    """A change of one gene in the tumour cells, not in the host.

    Parameters
    ----------
    gene
        Gene symbol, a key of :data:`~unmoor.parameters.GENES`.
    change
        ``"knock_down"`` leaves ``factor`` of the level, ``"over_express"`` multiplies it by
        ``factor``, ``"re_express"`` adds a source with a promoter of its own, outside the
        network's control.
    factor
        Level relative to normal [-]; needed except for ``"re_express"``, where it is 1.
    start
        Time it begins after inoculation [d or text]; None edits the cells before inoculation.
    stop
        Time it ends [d or text]; None never.

    Raises
    ------
    StudyError
        With everything that is wrong.

    Examples
    --------
    >>> Edit("ITGB1", change="knock_down", factor=0.1, stop="14 d").modifiers()
    (Modifier(target='itgb1', kind='factor', value=0.1, start=-inf, stop=14.0),)
    """

    gene: str
    change: Change
    factor: float
    start: float | None
    stop: float | None

    def __init__(
        self,
        gene: str,
        *,
        change: Change,
        factor: float | None = None,
        start: str | float | None = None,
        stop: str | float | None = None,
    ) -> None:
        given = {"gene": gene, "change": change, "factor": factor, "start": start, "stop": stop}
        findings = Findings(prefix=("Edit",))
        values = read_edit(_without_none(given, keep=("gene", "change")), (), findings, bare=True)
        findings.raise_errors()
        _set(self, values)

    @property
    def label(self) -> str:
        """The input label it acts on."""
        label = GENES[self.gene][0]
        return f"{label}_source" if self.change == "re_express" else label

    def modifiers(self) -> tuple[Modifier, ...]:
        """Return what it does to the labelled inputs of a network, with its window in time."""
        kind: Literal["factor", "add"] = "add" if self.change == "re_express" else "factor"
        start = -math.inf if self.start is None else self.start
        stop = math.inf if self.stop is None else self.stop
        return (Modifier(self.label, kind, self.factor, start, stop),)

    def to_toml_item(self) -> str:
        """Return the inline table that stands for it in a study file."""
        return _inline(self)


def read_regimen(raw: object, path: FieldPath, findings: Findings, *, bare: bool) -> dict[str, Any]:
    """Read the keys of a regimen; complete only if nothing was found wrong."""
    values = read_table(raw, REGIMEN_FIELDS, path, findings, bare=bare)
    _check_window(values, path, findings)
    return values


def read_edit(raw: object, path: FieldPath, findings: Findings, *, bare: bool) -> dict[str, Any]:
    """Read the keys of an edit; complete only if nothing was found wrong."""
    values = read_table(raw, EDIT_FIELDS, path, findings, bare=bare)
    _check_window(values, path, findings)
    gene, change = values.get("gene"), values.get("change")
    if gene is not None and change is not None and change not in GENES[gene][1]:
        able = ", ".join(name for name, (_, changes) in GENES.items() if change in changes)
        expected = f"a change that the networks know for {gene}: " + ", ".join(GENES[gene][1])
        fix = f"{change} is known for {able}"
        findings.add((*path, "change"), f'"{change}"', expected, fix, "E-CHANGE")
    if change is not None and "factor" in values:
        values["factor"] = _factor(change, values["factor"], path, findings)
    return values


def _factor(change: str, factor: float | None, path: FieldPath, findings: Findings) -> Any:
    """The factor a change needs, within the range that makes it that change."""
    if factor is None and change == "re_express":
        return 1.0
    allowed = Field("factor", _FACTORS[change], "0.1" if change == "knock_down" else "5.0")
    if factor is None:
        report_missing(allowed, path, findings)
        return None
    return allowed.read(factor, (*path, "factor"), findings, bare=True)


def _check_window(values: dict[str, Any], path: FieldPath, findings: Findings) -> None:
    start, stop = values.get("start"), values.get("stop")
    if start is None or stop is None or stop > start:
        return
    expected = f"a time after the start, {format_quantity(start, 'time')}"
    fix = "move the stop later, or the start earlier"
    got = f'"{format_quantity(stop, "time")}"'
    findings.add((*path, "stop"), got, expected, fix, "E-TIME")


def _inline(item: Regimen | Edit) -> str:
    fields = REGIMEN_FIELDS if isinstance(item, Regimen) else EDIT_FIELDS
    given = ((field, getattr(item, field.name)) for field in fields)
    return (
        "{ " + ", ".join(field.write(value) for field, value in given if value is not None) + " }"
    )


def _without_none(given: dict[str, Any], keep: tuple[str, ...]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if value is not None or name in keep}


def _set(item: Regimen | Edit, values: dict[str, Any]) -> None:
    for name, value in values.items():
        object.__setattr__(item, name, value)
