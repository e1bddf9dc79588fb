"""Positions in TOML: every value stands where it is said to stand."""

from __future__ import annotations

import datetime
import tomllib
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from unmoor.findings import FieldPath
from unmoor.trial.toml_positions import toml_positions

STRINGS = [
    '"plain"',
    '"with \\"quotes\\" and \\\\"',
    "'literal \\'",
    '"""one\ntwo \\""" # no"""',
    "'''a\n'b''c = 1'''",
    '"# no comment, [no] {array}"',
    '""',
    "''",
    '""""five"""""',
]
SCALARS = [
    "1",
    "-1.5e-3",
    "true",
    "nan",
    "-inf",
    "0xFF",
    "1_000",
    "2026-01-15T07:00:00Z",
    "2026-01-15 07:32:00",
    "07:32:00",
    *STRINGS,
]
BLANKS = ["", " ", "\t", "   "]
BREAKS = ["", " ", "\n", ' # a comment ] } , "\n', "\n\n  "]


@st.composite
def key_texts(draw: st.DrawFn) -> str:
    """A key: bare, in double quotes with escapes, or in single quotes."""
    bare = draw(st.text("abcXYZ019_-", min_size=1, max_size=4))
    other = draw(st.text("aβ .#=[]", max_size=4))
    return draw(st.sampled_from([bare, f'"{other}\\u0041\\""', f"'{other}\\'"]))


@st.composite
def values(draw: st.DrawFn, depth: int = 2) -> str:
    """The text of a value, with blanks and comments wherever they are allowed."""
    kind = draw(st.sampled_from(["scalar", "scalar", "array", "table"])) if depth else "scalar"
    if kind == "scalar":
        return draw(st.sampled_from(SCALARS))
    if kind == "array":
        items = draw(st.lists(values(depth - 1), max_size=3))
        gap = draw(st.sampled_from(BREAKS))
        comma = draw(st.sampled_from(["", ","])) if items else ""
        return "[" + gap + f"{gap},{gap}".join(items) + gap + comma + gap + "]"
    keys = draw(st.lists(key_texts(), max_size=3, unique_by=read_key))
    blank = draw(st.sampled_from(BLANKS))
    pairs = [f"{key}{blank}={blank}{draw(values(depth - 1))}" for key in keys]
    return "{" + blank + f"{blank},{blank}".join(pairs) + blank + "}"


def read_key(key: str) -> str:
    """Return what a key text means."""
    return next(iter(tomllib.loads(f"{key} = 1")))


@st.composite
def documents(draw: st.DrawFn) -> str:
    """A document of pairs, tables, dotted headers and arrays of tables."""
    names = draw(st.lists(key_texts(), min_size=1, max_size=5, unique_by=read_key))
    blank = draw(st.sampled_from(BLANKS))
    lines: list[str] = []
    for number, name in enumerate(names):
        style = draw(st.sampled_from(["pair", "dotted", "table", "array"])) if number else "pair"
        value = draw(values())
        if style == "pair" and not any("[" in line[:2] for line in lines):
            lines.append(f"{blank}{name}{blank}={blank}{value}{blank}# comment")
        elif style == "dotted":
            lines.append(f"[{name}{blank}.{blank}sub]\n{blank}x.y{blank}={blank}{value}\nx.z = 1")
        elif style == "table":
            lines.append(f"{blank}[{blank}{name}{blank}] # table\nx = {value}")
        else:
            lines += [
                f"[[{name}]]",
                f"x = {value}",
                f"[{name}.deep]\ny = 1",
                f"[[{name}]]",
                f"[[{name}.more]]\n[[{name}.more]]\nz = {value}",
            ]
    return draw(st.sampled_from(["", "\n", "# first\n\n"])) + "\n".join(lines) + "\n"


def every_path(content: Any, start: FieldPath = ()) -> dict[FieldPath, Any]:
    """Return all paths of parsed TOML with their values."""
    found = {start: content} if start else {}
    parts: Any = ()
    if isinstance(content, dict):
        parts = content.items()
    elif isinstance(content, list):
        parts = enumerate(content)
    for part, value in parts:
        found |= every_path(value, (*start, part))
    return found


def same(one: Any, other: Any) -> bool:
    """Equality under which NaN equals itself."""
    return repr(one) == repr(other)


@settings(max_examples=60, deadline=None)
@given(documents(), st.booleans())
def test_every_path_has_a_place_and_its_value_is_there(text: str, windows: bool) -> None:
    """Reading TOML from the place said gives the value; from the key's place, key and value."""
    content = tomllib.loads(text)
    positions = toml_positions(text.replace("\n", "\r\n") if windows else text)
    expected = every_path(content)
    assert set(positions) == set(expected)
    lines = text.split("\n")
    for path, position in positions.items():
        line, column = position.value
        rest = "\n".join([lines[line - 1][column - 1 :], *lines[line:]])
        key_line, key_column = position.key
        key_rest = lines[key_line - 1][key_column - 1 :]
        if isinstance(path[-1], str):
            assert starts_with_key(key_rest, path[-1])
        if not made_by_key(rest, expected[path]):
            assert same(longest_value(rest), expected[path])


def made_by_key(text: str, value: Any) -> bool:
    """Whether a table or list comes from a header or a dotted key, so that no value is there."""
    if isinstance(value, dict):
        return not text.startswith("{")
    is_tables = isinstance(value, list) and bool(value) and isinstance(value[0], dict)
    return is_tables and text.startswith("[[")


def starts_with_key(text: str, name: str) -> bool:
    """Whether a text starts with a key of this meaning."""
    for end in range(1, len(text) + 1):
        try:
            if read_key(text[:end]) == name:
                return True
        except (tomllib.TOMLDecodeError, StopIteration):
            continue
    return False


def longest_value(text: str) -> Any:
    """Return the value a text starts with, found by trying all ends, longest first."""
    ends = [end for end in range(1, len(text) + 1) if end == len(text) or text[end] in " \t,]}#\n"]
    for end in reversed(ends):
        try:
            read = tomllib.loads(f"value = {text[:end]}")
        except tomllib.TOMLDecodeError:
            continue
        if set(read) == {"value"}:
            return read["value"]
    raise AssertionError(f"no value at the start of {text!r}")


def test_dates_with_a_space_are_one_value() -> None:
    """The only value with a space outside of quotes and brackets."""
    text = "days = [2026-01-15 07:32:00, 2026-01-16]"
    assert tomllib.loads(text)["days"][0] == datetime.datetime(2026, 1, 15, 7, 32)
    assert toml_positions(text)[("days", 1)].value == (1, 30)


def test_columns_count_characters_not_bytes() -> None:
    """Greek letters are one column each."""
    assert toml_positions('"β1" = 2')[("β1",)].value == (1, 8)
