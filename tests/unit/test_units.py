"""Quantities: what is read, what is refused, and that nothing is lost on the way."""

from __future__ import annotations

import math

import pytest

from unmoor.errors import UnitError
from unmoor.units import KINDS, format_quantity, parse_quantity


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("35 d", "time", 35.0),
        ("12 h", "time", 0.5),
        ("90 min", "time", 0.0625),
        ("2 weeks", "time", 14.0),
        ("1 day", "time", 1.0),
        ("10 mg/kg", "dose", 10.0),
        ("10mg/kg", "dose", 10.0),
        (" 10  mg / kg ", "dose", 10.0),
        ("300 µg/kg", "dose", 0.3),
        ("300 μg/kg", "dose", 0.3),
        ("1e6 cells", "cells", 1e6),
        ("1.5E+6 cells", "cells", 1.5e6),
        ("0.5 uM", "concentration", 500.0),
        ("0.3 uM", "concentration", 300.0),
        ("5 ng/mL", "mass concentration", 5.0),
        ("1 mg/mL", "mass concentration", 1e6),
        ("20 g", "mass", 20.0),
        (".5 mL", "volume", 500.0),
        ("100 mm³", "volume", 100.0),
        ("100 mm**3", "volume", 100.0),
        ("2 Gy", "radiation dose", 2.0),
        ("150 cGy", "radiation dose", 1.5),
        ("-3 d", "time", -3.0),
        ("0 mg/kg", "dose", 0.0),
        ("0e999999999 d", "time", 0.0),
    ],
)
def test_quantities_are_read_as_the_laboratory_writes_them(
    text: str, kind: str, value: float
) -> None:
    """Number and unit, in any unit of the kind, converted without rounding twice."""
    assert parse_quantity(text, kind) == value


@pytest.mark.parametrize(
    ("text", "kind", "expected", "fix"),
    [
        ("10", "dose", "with its unit", 'write "10 mg/kg"'),
        ("10 mg", "dose", "not mass", 'write "10 mg/kg"'),
        ("5 nm", "concentration", "not length", 'write "5 nM"'),
        ("5 ng/mL", "concentration", "not mass concentration", 'write "5 nM"'),
        ("10 mgkg", "dose", "in mg/kg, ng/kg, ug/kg, g/kg", 'write "10 mg/kg"'),
        ("0.5 UM", "concentration", "in nM", 'write "0.5 uM"'),
        ("5 Days", "time", "in d, h, min, s, wk", 'write "5 days"'),
        ("5 bananas", "time", "in d, h", 'write "5 d"'),
        ("ten d", "time", "time (d)", '"35 d"'),
        ("nan d", "time", "time (d)", '"35 d"'),
        ("inf d", "time", "time (d)", '"35 d"'),
        ("-inf d", "time", "time (d)", '"35 d"'),
        ("", "time", "time (d)", '"35 d"'),
        ("d", "time", "time (d)", '"35 d"'),
        ("−5 d", "time", "time (d)", '"35 d"'),
        ("1,5 d", "time", "time (d)", 'with a point and no separators: "1.5"'),
        ("1 000 cells", "cells", "number of cells", "no separators"),
        ("1_000 cells", "cells", "number of cells", "no separators"),
        ("1.2.3 d", "time", "time (d)", "no separators"),
        ("1e999 d", "time", "1e-300 to 1e300", "35 d"),
        ("1e999999999 d", "time", "1e-300 to 1e300", "35 d"),
        ("1e-999999999 d", "time", "1e-300 to 1e300", "35 d"),
        ("9" * 5000 + " d", "time", "1e-300 to 1e300", "35 d"),
        ("1e307 M", "concentration", "1e-300 to 1e300", "50 nM"),
        ("1/3 d", "time", "in d, h", 'write "1 d"'),
        ("5 d\x00", "time", "in d, h", 'write "5 d"'),
    ],
)
def test_anything_else_is_refused_with_what_to_write(
    text: str, kind: str, expected: str, fix: str
) -> None:
    """No number, no unit, an unknown unit, another dimension: named, with the likely intention."""
    with pytest.raises(UnitError) as caught:
        parse_quantity(text, kind)
    assert expected in caught.value.expected
    assert fix in caught.value.fix
    assert len(str(caught.value)) <= 200


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (10.0, "dose", "10 mg/kg"),
        (35.0, "time", "35 d"),
        (0.5, "time", "0.5 d"),
        (1 / 3, "time", "8 h"),
        (1e6, "cells", "1e6 cells"),
        (1.25e6, "cells", "1.25e6 cells"),
        (1500.0, "cells", "1500 cells"),
        (1e-5, "dose", "1e-5 mg/kg"),
        (0.0, "time", "0 d"),
        (1 / 7, "time", "0.14285714285714285 d"),
    ],
)
def test_values_are_written_as_a_person_would(value: float, kind: str, text: str) -> None:
    """The base unit, unless another unit says the same in far fewer digits."""
    assert format_quantity(value, kind) == text


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_value_that_is_no_number_is_not_written(value: float) -> None:
    """A study file that could not be read back must not be written."""
    with pytest.raises(UnitError, match="finite"):
        format_quantity(value, "time")


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_can_read_its_example_and_its_base_unit(kind: str) -> None:
    """The example goes into messages, so it must be right."""
    assert parse_quantity(KINDS[kind].example, kind) > 0
    assert parse_quantity(f"1 {KINDS[kind].base_unit}", kind) == 1.0


def test_every_factor_agrees_with_an_independent_library() -> None:
    """The table is short enough to have been typed, and long enough to hold a typing error."""
    pint = pytest.importorskip("pint")
    registry = pint.UnitRegistry()
    registry.define("cells = count = cell")
    registry.define("wk = week")
    spelling = {"rad": "rads", "mm3": "mm^3", "cm3": "cm^3", "M": "mol/L", "nM": "nmol/L"}
    for kind in KINDS.values():
        base = registry.parse_units(spelling.get(kind.base_unit, kind.base_unit))
        for unit, factor in kind.units.items():
            oracle = registry.Quantity(1, spelling.get(unit, unit)).to(base).magnitude
            assert oracle == pytest.approx(float(factor), rel=1e-12), unit
