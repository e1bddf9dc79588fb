"""Fields of a study: what each may hold, how it is read, and what is said when it is wrong.

One :class:`Field` serves the study file and the Python interface, so both refuse the same values in
the same words. Reading never stops at the first mistake: everything wrong is put into a
:class:`Findings`, which knows where in the file a field stands.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, Protocol

from unmoor.errors import UnitError, literal, nearest
from unmoor.findings import FieldPath, Findings, key, show
from unmoor.units import KINDS, format_quantity, parse_quantity

_NEARLY = 1e-3  # how far shares may be from 1 in sum, since thirds have no end
_ALIKE = 0.7  # likeness above which a misspelt key is taken for the key that is missing


class RejectedError(Exception):
    """A value that a reader refuses.

    Parameters
    ----------
    code
        Code of the problem.
    fix
        What to do; empty for the field's example.
    detail
        What to add to what the reader expects.
    """

    def __init__(self, code: str, fix: str = "", detail: str = "") -> None:
        super().__init__(code)
        self.code, self.fix, self.detail = code, fix, detail


class Reader(Protocol):
    """Turns the value in a file, or an argument, into what the study keeps."""

    @property
    def expected(self) -> str:
        """What is allowed, as a noun phrase with range and unit."""

    def read(self, value: object, *, bare: bool) -> Any:
        """Return the value, or raise :class:`RejectedError`.

        ``bare`` allows plain numbers in base units for quantities, as arguments may be.
        """


@dataclass(frozen=True, slots=True)
class Field:
    """One key of a table: its reader, an example in TOML, and its default if it may be left out."""

    name: str
    reader: Reader
    example: str
    required: bool = True
    default: object = None

    @property
    def expected(self) -> str:
        """What is allowed, as a noun phrase with range and unit."""
        return self.reader.expected

    def read(self, value: object, path: FieldPath, findings: Findings, *, bare: bool) -> Any:
        """Return the value, or record what is wrong with it and return None."""
        try:
            return self.reader.read(value, bare=bare)
        except RejectedError as rejected:
            fix = rejected.fix or f"write, for example, {key(self.name)} = {self.example}"
            findings.add(path, show(value), self.expected + rejected.detail, fix, rejected.code)
            return None

    def write(self, value: object) -> str:
        """Return the key and a value as a line of TOML that reads back as the same value."""
        if isinstance(self.reader, Quantity) and isinstance(value, float):
            value = format_quantity(value, self.reader.kind)
        if isinstance(value, Mapping):
            rows = ", ".join(f"{key(name)} = {literal(part)}" for name, part in value.items())
            return f"{key(self.name)} = {{ {rows} }}"
        return f"{key(self.name)} = {literal(value)}"


@dataclass(frozen=True, slots=True)
class Text:
    """A line of text that is not empty."""

    what: str
    longest: int = 200

    @property
    def expected(self) -> str:
        """What is allowed."""
        return f"{self.what}, one line of 1-{self.longest} characters in quotes"

    def read(self, value: object, *, bare: bool) -> str:
        """Return the text as it is."""
        if not isinstance(value, str):
            raise RejectedError("E-TYPE")
        if not value.strip():
            raise RejectedError("E-EMPTY")
        if not value.isprintable() or value != value.strip():
            raise RejectedError("E-TEXT", "leave out line breaks, and spaces at the ends")
        if len(value) > self.longest:
            raise RejectedError("E-TEXT", "shorten it")
        return value


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of a few words."""

    options: tuple[str, ...]

    @property
    def expected(self) -> str:
        """What is allowed."""
        return "one of " + ", ".join(literal(option) for option in self.options)

    def read(self, value: object, *, bare: bool) -> str:
        """Return the word."""
        if not isinstance(value, str):
            raise RejectedError("E-TYPE")
        if not value.strip():
            raise RejectedError("E-EMPTY")
        if value not in self.options:
            close = nearest(value, self.options, n=1)
            raise RejectedError("E-CHOICE", f"did you mean {literal(close[0])}?" if close else "")
        return value


@dataclass(frozen=True, slots=True)
class Switch:
    """True or false."""

    expected: str = "true or false"

    def read(self, value: object, *, bare: bool) -> bool:
        """Return the truth value; nothing else counts as one."""
        if not isinstance(value, bool):
            raise RejectedError("E-TYPE")
        return value


@dataclass(frozen=True, slots=True)
class Nested:
    """A list or table, whose parts are read one by one elsewhere."""

    expected: str

    def read(self, value: object, *, bare: bool) -> object:
        """Return the value as it is."""
        return value


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number from ``low`` to ``high``."""

    what: str
    low: int
    high: int

    @property
    def expected(self) -> str:
        """What is allowed."""
        return f"{self.what}, a whole number, {self.low}-{self.high}"

    def read(self, value: object, *, bare: bool) -> int:
        """Return the number; ``10.0`` and ``"10"`` are not whole numbers."""
        if isinstance(value, bool) or not isinstance(value, Integral):
            raise RejectedError("E-TYPE")
        number = int(value)
        if not self.low <= number <= self.high:
            raise RejectedError("E-RANGE")
        return number


@dataclass(frozen=True, slots=True)
class Number:
    """A pure number from ``low`` to ``high``; an end that is ``open`` is left out itself."""

    what: str
    low: float
    high: float
    open_low: bool = False
    open_high: bool = False

    @property
    def expected(self) -> str:
        """What is allowed."""
        return f"{self.what}, a number without a unit, {_range(self)}"

    def read(self, value: object, *, bare: bool) -> float:
        """Return the number as a float."""
        return _real(value, self)


@dataclass(frozen=True, slots=True)
class Shares:
    """A table of names and numbers that add up to 1."""

    what: str

    @property
    def expected(self) -> str:
        """What is allowed."""
        return f"{self.what}, a table of numbers, 0-1, that add up to 1"

    def read(self, value: object, *, bare: bool) -> dict[str, float]:
        """Return the numbers; they are never scaled to fit."""
        if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
            raise RejectedError("E-TYPE")
        if not value:
            raise RejectedError("E-EMPTY")
        one = Number(self.what, 0.0, 1.0)
        shares = {str(name): _real(part, one) for name, part in value.items()}
        whole = math.fsum(shares.values())
        if abs(whole - 1.0) > _NEARLY:
            raise RejectedError("E-RANGE", detail=f"; these add up to {whole:g}")
        return shares


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with a unit, of a kind that :mod:`unmoor.units` knows, in a range in base units."""

    kind: str
    low: float
    high: float
    open_low: bool = False
    open_high: bool = False
    what: str = ""

    @property
    def expected(self) -> str:
        """What is allowed, with range and unit."""
        return f"{self.what or KINDS[self.kind].description}, {_range(self)}"

    def read(self, value: object, *, bare: bool) -> float:
        """Return the value in the base unit of its kind."""
        if isinstance(value, str):
            value = self._parsed(value)
        elif isinstance(value, int | float) and not isinstance(value, bool) and not bare:
            finite = isinstance(value, int) or math.isfinite(value)
            fix = f'write "{show(value)} {KINDS[self.kind].base_unit}"' if finite else ""
            raise RejectedError("E-UNIT", fix, ", with its unit in quotes")
        return _real(value, self)

    def _parsed(self, text: str) -> float:
        if not text.strip():
            raise RejectedError("E-EMPTY")
        try:
            return parse_quantity(text, self.kind)
        except UnitError as error:
            unit = f"({KINDS[self.kind].base_unit})"
            detail = error.expected.partition(unit)[2].strip(" ,")
            raise RejectedError("E-UNIT", error.fix, f", {detail}" if detail else "") from error


def _real(value: object, bounds: Number | Quantity) -> float:
    if isinstance(value, bool) or not isinstance(value, Real):
        raise RejectedError("E-TYPE")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    above = number > bounds.low if bounds.open_low else number >= bounds.low
    below = number < bounds.high if bounds.open_high else number <= bounds.high
    if not (above and below):  # neither NaN nor an infinity is ever inside
        raise RejectedError("E-RANGE")
    return number


def read_table(
    raw: object,
    fields: Iterable[Field],
    path: FieldPath,
    findings: Findings,
    *,
    bare: bool = False,
) -> dict[str, Any]:
    """Read a table key by key.

    Returns
    -------
        The values that are right, with defaults for optional keys left out; a key whose value is
        wrong is absent and recorded in ``findings``.
    """
    fields = tuple(fields)
    if not isinstance(raw, Mapping):
        expected = "a table of keys and values: " + ", ".join(each.name for each in fields)
        fix = f"write, for example, {{ {fields[0].name} = {fields[0].example} }}"
        findings.add(path, show(raw), expected, fix, "E-TYPE")
        return {}
    unknown = report_unknown_keys(raw, [each.name for each in fields], path, findings)
    values: dict[str, Any] = {}
    for each in fields:
        if each.name in raw:
            value = each.read(raw[each.name], (*path, each.name), findings, bare=bare)
            if value is not None:
                values[each.name] = value
        elif not each.required:
            values[each.name] = each.default
        elif not nearest(each.name, unknown, likeness=_ALIKE):
            report_missing(each, path, findings)
    return values


def report_missing(missing: Field, path: FieldPath, findings: Findings) -> None:
    """Record that a table lacks a key."""
    expected = f"{missing.expected}; it is required and missing"
    fix = f"add {key(missing.name)} = {missing.example}"
    findings.add((*path, missing.name), "", expected, fix, "E-MISSING")


def report_unknown_keys(
    raw: Mapping[Any, Any], allowed: Iterable[str], path: FieldPath, findings: Findings
) -> list[str]:
    """Record every key that is not allowed, with the nearest that is; return those keys."""
    allowed = list(allowed)
    unknown = [name for name in raw if name not in allowed]
    for name in unknown:
        close = nearest(str(name), allowed, n=1, likeness=0.5)
        fix = f"did you mean {close[0]}?" if close else "remove it"
        expected = "a known key, one of " + ", ".join(allowed)
        findings.add((*path, str(name)), "", expected, fix, "E-KEY", at_key=True)
    return [str(name) for name in unknown]


def _range(bounds: Number | Quantity) -> str:
    low, high = _bound(bounds.low, bounds), _bound(bounds.high, bounds)
    if bounds.open_low or bounds.open_high:
        above = "more than" if bounds.open_low else "from"
        below = "less than" if bounds.open_high else "up to"
        return f"{above} {low} and {below} {high}"
    low_unit, high_unit = low.partition(" ")[2], high.partition(" ")[2]
    return f"{low.split()[0]}-{high}" if low_unit == high_unit else f"{low} to {high}"


def _bound(end: float, bounds: Number | Quantity) -> str:
    return format_quantity(end, bounds.kind) if isinstance(bounds, Quantity) else f"{end:g}"
