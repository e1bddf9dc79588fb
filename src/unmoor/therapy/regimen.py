"""What is given to whom and when, in the words of the lab.

A :class:`Regimen` is a drug with dose and schedule, or with a concentration in culture; an
:class:`Edit` is a change of one gene in the tumour cells. Neither knows what it does: a drug's
effect is in the catalog, an edit becomes :class:`~unmoor.parameters.Modifier` objects on labelled
inputs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from unmoor.errors import nearest
from unmoor.fields import Field, Number, OneOf, Quantity, Text, read_table, report_missing
from unmoor.findings import FieldPath, Findings
from unmoor.parameters import GENES, Change, Modifier
from unmoor.therapy.items import (
    LONGEST_STUDY,
    SHORTEST_INTERVAL,
    START,
    STOP,
    Concentration,
    ConcentrationReader,
    check_window,
    fill,
    inline,
    without_none,
)

LARGEST_DOSE = 1000.0  # mg/kg
_ALIKE = 0.7  # likeness above which a misspelt key is taken for the key that is missing

REGIMEN_FIELDS: tuple[Field, ...] = (
    Field("drug", Text("a drug of the catalog"), '"anti_itgb1"'),
    Field("dose", Quantity("dose", 0.0, LARGEST_DOSE), '"10 mg/kg"', required=False),
    Field("concentration", ConcentrationReader(), '"70 nM"', required=False),
    Field(
        "every",
        Quantity("time", SHORTEST_INTERVAL, LONGEST_STUDY, what="time between doses"),
        '"3 d"',
        required=False,
    ),
    replace(START, default=0.0),
    STOP,
    Field("route", Text("a route such as ip, iv or oral", 20), '"ip"', required=False),
)

CHANGES: tuple[Change, ...] = ("knock_down", "over_express", "re_express")
EDIT_FIELDS: tuple[Field, ...] = (
    Field("gene", OneOf(tuple(GENES)), '"ITGB1"'),
    Field("change", OneOf(CHANGES), '"knock_down"'),
    Field("factor", Number("level relative to normal", 0.0, 1000.0), "0.1", required=False),
    START,
    STOP,
)

_FACTORS: dict[str, Number] = {
    "knock_down": Number("level that remains", 0.0, 1.0, open_high=True),
    "over_express": Number("level relative to normal", 1.0, 1000.0, open_low=True),
    "re_express": Number("level relative to normal", 0.0, 1000.0, open_low=True),
}


@dataclass(frozen=True, slots=True, init=False)
class Regimen:
    """A drug, and its dose and schedule in an animal or its concentration in culture.

    Parameters
    ----------
    drug
        Name in the catalog, or path of a folder.
    dose
        Dose at each time, ``"10 mg/kg"`` or a number in mg/kg.
    concentration
        Constant concentration in the medium from start to stop, ``"70 nM"``, ``"2 ng/mL"`` or a
        number in nM; one of the two, dose or concentration, is given.
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
    dose: float | None
    concentration: Concentration | None
    every: float | None
    start: float
    stop: float | None
    route: str | None

    def __init__(
        self,
        drug: str,
        *,
        dose: str | float | None = None,
        concentration: str | float | Concentration | None = None,
        every: str | float | None = None,
        start: str | float = 0.0,
        stop: str | float | None = None,
        route: str | None = None,
    ) -> None:
        given = {"drug": drug, "dose": dose, "concentration": concentration, "every": every}
        given |= {"start": start, "stop": stop, "route": route}
        raw = without_none(given, keep=("drug", "start"))
        findings = Findings(prefix=("Regimen",))
        values = read_regimen(raw, (), findings, bare=True)
        findings.raise_errors()
        fill(self, values)

    def times(self, until: float) -> tuple[float, ...]:
        """Return the times of all doses before ``until`` [d after inoculation].

        Each is ``start + n * every``, not a running sum, so that rounding does not build up.
        Nothing is dosed into a medium of constant concentration.
        """
        if self.dose is None:
            return ()
        end = until if self.stop is None else min(until, self.stop)
        if self.every is None:
            return (self.start,) if self.start < end else ()
        n_doses = max(0, math.ceil((end - self.start) / self.every)) + 1
        candidates = (self.start + n * self.every for n in range(n_doses))
        return tuple(time for time in candidates if time < end)

    def to_toml_item(self) -> str:
        """Return the inline table that stands for it in a study file."""
        return inline(self, REGIMEN_FIELDS)


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
        values = read_edit(without_none(given, keep=("gene", "change")), (), findings, bare=True)
        findings.raise_errors()
        fill(self, values)

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
        return inline(self, EDIT_FIELDS)


def read_regimen(raw: object, path: FieldPath, findings: Findings, *, bare: bool) -> dict[str, Any]:
    """Read the keys of a regimen; complete only if nothing was found wrong."""
    values = read_table(raw, REGIMEN_FIELDS, path, findings, bare=bare)
    check_window(values, path, findings)
    if isinstance(raw, Mapping):
        _check_amount(raw, path, findings)
    return values


def _check_amount(raw: Mapping[Any, Any], path: FieldPath, findings: Findings) -> None:
    """One of dose and concentration is given, and a concentration has no schedule or route."""
    names = [field.name for field in REGIMEN_FIELDS]
    if "dose" in raw and "concentration" in raw:
        expected = "either a dose, in an animal, or a concentration, in culture"
        findings.add((*path, "concentration"), "", expected, "remove one", "E-KEY", at_key=True)
    elif "concentration" in raw:
        for name in ("every", "route"):
            if name in raw:
                expected = "no schedule or route beside a concentration, which is held constant"
                fix = "remove it; start and stop say how long"
                findings.add((*path, name), "", expected, fix, "E-KEY", at_key=True)
    elif "dose" not in raw:
        unknown = [str(name) for name in raw if name not in names]
        if not any(nearest(name, unknown, likeness=_ALIKE) for name in ("dose", "concentration")):
            report_missing(REGIMEN_FIELDS[1], path, findings)


def read_edit(raw: object, path: FieldPath, findings: Findings, *, bare: bool) -> dict[str, Any]:
    """Read the keys of an edit; complete only if nothing was found wrong."""
    values = read_table(raw, EDIT_FIELDS, path, findings, bare=bare)
    check_window(values, path, findings)
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
