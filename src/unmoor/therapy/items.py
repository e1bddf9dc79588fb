"""What the treatments of an arm have in common: times, how they are read and written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

from unmoor.fields import Field, Quantity, RejectedError
from unmoor.findings import FieldPath, Findings
from unmoor.units import KINDS, format_quantity

LONGEST_STUDY = 365.0  # d
SHORTEST_INTERVAL = 1.0 / 24.0  # d
_MOST_MOLAR = 1e7  # nM
_MOST_MASS = 1e8  # ng/mL

_TIME = Quantity("time", 0.0, LONGEST_STUDY, what="time after inoculation")
START = Field("start", _TIME, '"0 d"', required=False)
STOP = Field("stop", replace(_TIME, open_low=True), '"14 d"', required=False)


@dataclass(frozen=True, slots=True)
class Concentration:
    """How much of a drug is in the culture medium.

    Parameters
    ----------
    value
        In nM, or in ng/mL for a ``"mass concentration"``.
    kind
        Kind of quantity, a key of :data:`unmoor.units.KINDS`.
    """

    value: float
    kind: Literal["concentration", "mass concentration"] = "concentration"

    def nanomolar(self, molar_mass: float) -> float:
        """Molar concentration [nM] of a substance of ``molar_mass`` [g/mol]."""
        return self.value if self.kind == "concentration" else 1e3 * self.value / molar_mass

    def __str__(self) -> str:
        """Return the text that reads back as this concentration."""
        return format_quantity(self.value, self.kind)


@dataclass(frozen=True, slots=True)
class ConcentrationReader:
    """A concentration by amount or by mass; a plain number is in nM."""

    @property
    def expected(self) -> str:
        """What is allowed."""
        molar = format_quantity(_MOST_MOLAR, "concentration")
        mass = format_quantity(_MOST_MASS, "mass concentration")
        return f"concentration in the medium, up to {molar} or {mass}"

    def read(self, value: object, *, bare: bool) -> Concentration:
        """Return the concentration in the unit of its kind."""
        if isinstance(value, Concentration):
            value = str(value)
        molar = Quantity("concentration", 0.0, _MOST_MOLAR)
        mass = Quantity("mass concentration", 0.0, _MOST_MASS)
        unit = value.lstrip("0123456789.eE+- ").strip() if isinstance(value, str) else ""
        if unit in KINDS["mass concentration"].units:
            return Concentration(mass.read(value, bare=bare), "mass concentration")
        try:
            return Concentration(molar.read(value, bare=bare))
        except RejectedError as rejected:
            if rejected.code == "E-UNIT":
                raise RejectedError("E-UNIT", "", ", with its unit in quotes") from rejected
            raise


def check_window(values: dict[str, Any], path: FieldPath, findings: Findings) -> None:
    """Record a stop that does not come after the start."""
    start, stop = values.get("start"), values.get("stop")
    if start is None or stop is None or stop > start:
        return
    expected = f"a time after the start, {format_quantity(start, 'time')}"
    fix = "move the stop later, or the start earlier"
    got = f'"{format_quantity(stop, "time")}"'
    findings.add((*path, "stop"), got, expected, fix, "E-TIME")


def inline(item: object, fields: Iterable[Field]) -> str:
    """Return the inline table that stands for a treatment in a study file."""
    given = ((field, getattr(item, field.name)) for field in fields)
    parts = (
        field.write(str(value) if isinstance(value, Concentration) else value)
        for field, value in given
        if value is not None
    )
    return "{ " + ", ".join(parts) + " }"


def without_none(given: dict[str, Any], keep: tuple[str, ...]) -> dict[str, Any]:
    """Arguments that were given, and those that must be looked at in any case."""
    return {name: value for name, value in given.items() if value is not None or name in keep}


def fill(item: object, values: dict[str, Any]) -> None:
    """Set the fields of a frozen treatment."""
    for name, value in values.items():
        object.__setattr__(item, name, value)
