"""Quantities as people write them, such as ``"10 mg/kg"``, and the floats the package works with.

Units live at the border: :func:`parse_quantity` turns text into a float in the base unit of its
kind, :func:`format_quantity` turns it back. The table is small on purpose (a study needs few units,
and a general units library takes longer to load than a study file to check), and the conversion is
exact: the result is the float nearest to the written number, whatever unit it was written in.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from unmoor.errors import Problem, UnitError, literal, nearest


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of quantity: what it is, and the units it may be written in.

    Parameters
    ----------
    base_unit
        The unit of the floats inside the package.
    description
        What it is, in words.
    example
        A quantity of this kind that can be read.
    units
        Every accepted unit, and how many base units it is.
    """

    base_unit: str
    description: str
    example: str
    units: Mapping[str, Fraction]


def _times(factors: Mapping[str, str]) -> dict[str, Fraction]:
    """Exact factors from text, one entry for each of the spellings in a key."""
    return {
        spelling: Fraction(factor)
        for names, factor in factors.items()
        for spelling in names.split()
    }


KINDS: Mapping[str, Kind] = {
    "time": Kind(
        "d",
        "time",
        "35 d",
        _times(
            {
                "d day days": "1",
                "h hr hour hours": "1/24",
                "min minute minutes": "1/1440",
                "s second seconds": "1/86400",
                "wk week weeks": "7",
            }
        ),
    ),
    "dose": Kind(
        "mg/kg",
        "dose per body mass",
        "10 mg/kg",
        _times({"mg/kg ug/g": "1", "ng/kg": "1e-6", "ug/kg": "1e-3", "g/kg mg/g": "1e3"}),
    ),
    "radiation dose": Kind(
        "Gy", "radiation dose", "2 Gy", _times({"Gy": "1", "cGy rad": "1e-2", "mGy": "1e-3"})
    ),
    "cells": Kind("cells", "number of cells", "1e6 cells", _times({"cells cell": "1"})),
    "concentration": Kind(
        "nM",
        "molar concentration",
        "50 nM",
        _times(
            {
                "nM nmol/L": "1",
                "pM pmol/L": "1e-3",
                "uM umol/L": "1e3",
                "mM mmol/L": "1e6",
                "M mol/L": "1e9",
            }
        ),
    ),
    "mass concentration": Kind(
        "ng/mL",
        "mass concentration",
        "5 ng/mL",
        _times(
            {
                "ng/mL ug/L": "1",
                "pg/mL ng/L": "1e-3",
                "ug/mL mg/L": "1e3",
                "mg/mL g/L": "1e6",
            }
        ),
    ),
    "density": Kind(
        "mg/mL",
        "density of a gel",
        "2.5 mg/mL",
        _times({"mg/mL g/L": "1", "ug/mL mg/L": "1e-3"}),
    ),
    "length": Kind(
        "um",
        "length",
        "500 um",
        _times({"um": "1", "nm": "1e-3", "mm": "1e3", "cm": "1e4", "m": "1e6"}),
    ),
    "mass": Kind(
        "g",
        "mass",
        "20 g",
        _times({"g": "1", "kg": "1e3", "mg": "1e-3", "ug": "1e-6", "ng": "1e-9"}),
    ),
    "volume": Kind(
        "mm^3",
        "volume",
        "100 mm^3",
        _times({"mm^3 mm3 uL": "1", "cm^3 cm3 mL": "1e3", "L": "1e6"}),
    ),
}
"""Kinds of quantity by name."""

_QUANTITY = re.compile(
    r"(?P<number>[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)(?P<unit>.*)", re.DOTALL
)
_SAME_UNIT = str.maketrans({"µ": "u", "μ": "u", "³": "^3", " ": None})
_SHORT = 6  # digits a person still reads at a glance
_LONGEST_NUMBER = 40  # characters; more digits than any double, few enough for exact arithmetic


def parse_quantity(text: str, kind: str) -> float:
    """Read a quantity, and return it in the base unit of its kind.

    A number and a unit are both required; the number must be finite. Its range is not checked.

    Parameters
    ----------
    text
        A number and a unit, such as ``"10 mg/kg"``, ``"12 h"``, ``"1e6 cells"``, ``"0.5 uM"``.
    kind
        A key of :data:`KINDS`.

    Returns
    -------
        The value in ``KINDS[kind].base_unit``.

    Raises
    ------
    UnitError
        If the text has no number, no unit, an unknown unit, or a unit of another kind. Its problem
        has no place yet: the caller knows it (:meth:`unmoor.errors.Problem.at`).

    Examples
    --------
    >>> parse_quantity("12 h", "time"), parse_quantity("0.3 uM", "concentration")
    (0.5, 300.0)
    """
    allowed = KINDS[kind]
    match = _QUANTITY.fullmatch(text.strip())
    if match is None:
        raise _error(text, kind, "", f"write a number and a unit: {literal(allowed.example)}")
    number, written = match["number"], match["unit"].strip()
    unit = written.translate(_SAME_UNIT).replace("**", "^")
    if unit not in allowed.units:
        raise _wrong_unit(text, kind, number, unit)
    value = _in_base_units(number, allowed.units[unit])
    if value is None:
        raise _error(text, kind, "of 1e-300 to 1e300", f"write one like {literal(allowed.example)}")
    return value


def format_quantity(value: float, kind: str) -> str:
    """Write a value with its unit, so that :func:`parse_quantity` gives back the same float.

    The base unit is used unless another one needs far fewer digits (a third of a day is ``8 h``).

    Parameters
    ----------
    value
        A finite value in ``KINDS[kind].base_unit``.
    kind
        A key of :data:`KINDS`.

    Raises
    ------
    UnitError
        If the value is not finite.

    Examples
    --------
    >>> format_quantity(10.0, "dose"), format_quantity(1e6, "cells"), format_quantity(1 / 3, "time")
    ('10 mg/kg', '1e6 cells', '8 h')
    """
    base_unit = KINDS[kind].base_unit
    if not math.isfinite(value):
        raise _error(f"{value} {base_unit}", kind, "with a finite number", "")
    for unit, factor in KINDS[kind].units.items():
        ratio = Fraction(value) / factor
        number = f"{Decimal(ratio.numerator) / ratio.denominator:.{_SHORT}g}"
        if _in_base_units(number, factor) == value:
            return f"{_plain_number(number)} {unit}"
    return f"{_plain_number(repr(float(value)))} {base_unit}"


def _in_base_units(number: str, factor: Fraction) -> float | None:
    """The float nearest to ``number * factor``; None when no ordinary float is near."""
    value = float(number)
    if value == 0.0:
        # Not exact arithmetic, which would take "0e999999999" at its word.
        return None if any(digit in "123456789" for digit in re.split("[eE]", number)[0]) else 0.0
    if len(number) > _LONGEST_NUMBER or not math.isfinite(value):
        return None
    try:
        value = float(Fraction(number) * factor)
    except OverflowError:
        return None
    return value or None


def _wrong_unit(text: str, kind: str, number: str, unit: str) -> UnitError:
    """Say why a unit cannot be used: missing, of another kind, or unknown."""
    allowed = KINDS[kind]
    others = [other.description for other in KINDS.values() if unit in other.units]
    close = nearest(unit, allowed.units, likeness=0.6) if not others else ()
    fix = f"write {literal(f'{number} {close[0] if close else allowed.base_unit}')}"
    if others:
        return _error(text, kind, f"not {others[0]}", fix)
    if not unit:
        return _error(text, kind, "with its unit", fix)
    if unit[0] in ".,'_+-" or unit[0].isdigit():
        return _error(text, kind, "", 'write the number with a point and no separators: "1.5"')
    first_spellings: dict[Fraction, str] = {}
    for spelling, factor in allowed.units.items():
        first_spellings.setdefault(factor, spelling)
    return _error(text, kind, f"in {', '.join(first_spellings.values())}", fix)


def _error(text: str, kind: str, detail: str, fix: str) -> UnitError:
    allowed = KINDS[kind]
    expected = f"{allowed.description} ({allowed.base_unit})"
    if detail:
        expected = f"{expected}, {detail}" if detail.startswith("not ") else f"{expected} {detail}"
    return UnitError(Problem("", "", literal(text), expected, fix, "E-UNIT"))


def _plain_number(number: str) -> str:
    """The same decimal number without idle zeros: ``1e6`` for 1000000.0, ``35`` for 35.0."""
    decimal = Decimal(number).normalize()
    exponent = decimal.as_tuple().exponent
    assert isinstance(exponent, int)
    if exponent >= 4 or decimal.adjusted() < -4:
        return f"{decimal:e}".replace("e+", "e")
    return f"{decimal:f}"
