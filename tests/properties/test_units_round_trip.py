"""Quantities, for any number and any text."""

from __future__ import annotations

import contextlib

from hypothesis import given, settings
from hypothesis import strategies as st

from unmoor.errors import UnitError
from unmoor.units import KINDS, format_quantity, parse_quantity

KIND = st.sampled_from(sorted(KINDS))
NEARLY = st.from_regex(r"[-+]?[0-9.e]{1,8} ?[a-zA-Z/^3]{0,6}")


@settings(deadline=None, max_examples=200)
@given(value=st.floats(allow_nan=False, allow_infinity=False), kind=KIND)
def test_a_written_value_reads_back_as_the_same_float(value: float, kind: str) -> None:
    """Saving a study and loading it again must not change a bit of it."""
    assert parse_quantity(format_quantity(value, kind), kind) == value


@settings(deadline=None, max_examples=200)
@given(text=st.text(max_size=20) | NEARLY, kind=KIND)
def test_any_text_is_read_or_refused_in_our_words(text: str, kind: str) -> None:
    """No text makes the reader fail in another way than with its own error."""
    with contextlib.suppress(UnitError):
        parse_quantity(text, kind)
