"""Where things stand in a TOML text, which the standard library's reader does not tell.

:func:`toml_positions` walks over a text that ``tomllib`` has already accepted, so it checks nothing
and need only tell keys, values and their ends apart.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from typing import NamedTuple

from unmoor.findings import FieldPath

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_KEY = re.compile(r"""[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'""")
_STRING = re.compile(
    r'''"""(?:[^\\]|\\.)*?"""{1,3}|\'\'\'.*?\'\'\'{1,3}|"(?:[^"\\\n]|\\.)*"|'[^'\n]*\'''',
    re.DOTALL,
)
# A date and a time may be parted by a space; anything else ends at a space.
_BARE = re.compile(r"\d{4}-\d\d-\d\d \d\d:[^\s,\]}#]*|[^\s,\]}#]+")


class Position(NamedTuple):
    """Place of a key and of its value, as (line, column) counted from 1 in characters."""

    key: tuple[int, int]
    value: tuple[int, int]


def toml_positions(text: str) -> dict[FieldPath, Position]:
    r"""Return the place of every key, table, array element and value.

    Parameters
    ----------
    text
        A text that ``tomllib.loads`` accepts.

    Returns
    -------
        Positions by path of keys and array indexes; an array element is its own key, a table stands
        where its header does, or the first dotted key that needs it.

    Examples
    --------
    >>> toml_positions("[arms]\nblock = [{ dose = 1 }]")[("arms", "block", 0, "dose")]
    Position(key=(2, 12), value=(2, 19))
    """
    return _Scanner(text.replace("\r\n", "\n")).scan()


class _Scanner:
    """One pass over the text; ``at`` is the offset reached."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.found: dict[FieldPath, Position] = {}
        self.n_tables: dict[FieldPath, int] = {}  # [[tables]] seen so far, by path
        self.line_starts = [0] + [match.end() for match in re.finditer("\n", text)]

    def scan(self) -> dict[FieldPath, Position]:
        table: FieldPath = ()
        while self._skip(_BLANK) < len(self.text):
            if self.text[self.at] == "[":
                table = self._header()
            else:
                self._pair(table)
        return self.found

    def _skip(self, pattern: re.Pattern[str]) -> int:
        match = pattern.match(self.text, self.at)
        self.at = match.end() if match else self.at
        return self.at

    def _place(self, offset: int) -> tuple[int, int]:
        line = bisect_right(self.line_starts, offset)
        return line, offset - self.line_starts[line - 1] + 1

    def _header(self) -> FieldPath:
        start = self.at
        is_array = self.text.startswith("[[", start)
        self.at += 2 if is_array else 1
        path: FieldPath = ()
        parts = self._key()
        for left, (part, offset) in zip(reversed(range(len(parts))), parts, strict=True):
            path = (*path, part)
            self._note(path, offset, start)
            if path in self.n_tables and (left or not is_array):
                path = (*path, self.n_tables[path] - 1)
        if is_array:
            number = self.n_tables.get(path, 0)
            self.n_tables[path] = number + 1
            path = (*path, number)
            self._note(path, start, start)
        self.at += 2 if is_array else 1
        return path

    def _key(self) -> list[tuple[str, int]]:
        """Read a dotted key: its parts, each with its offset."""
        parts = []
        while True:
            self._skip(_SPACE)
            match = _KEY.match(self.text, self.at)
            assert match is not None
            parts.append((_unquoted(match[0]), self.at))
            self.at = match.end()
            self._skip(_SPACE)
            if not self.text.startswith(".", self.at):
                return parts
            self.at += 1

    def _pair(self, table: FieldPath) -> None:
        path = table
        parts = self._key()
        self.at += 1  # the equals sign
        self._skip(_BLANK)
        for left, (part, offset) in zip(reversed(range(len(parts))), parts, strict=True):
            path = (*path, part)
            self._note(path, offset, offset if left else self.at)
        self._value(path)

    def _value(self, path: FieldPath) -> None:
        opening = self.text[self.at]
        if opening == "[":
            self._enclosed("]", path)
        elif opening == "{":
            self._enclosed("}", path)
        else:
            self._skip(_STRING if opening in "\"'" else _BARE)

    def _enclosed(self, closing: str, path: FieldPath) -> None:
        """Read the elements of an array or the pairs of an inline table."""
        self.at += 1
        n_elements = 0
        while True:
            self._skip(_BLANK)
            if self.text[self.at] == closing:
                self.at += 1
                return
            if self.text[self.at] == ",":
                self.at += 1
            elif closing == "}":
                self._pair(path)
            else:
                self._note((*path, n_elements), self.at, self.at)
                self._value((*path, n_elements))
                n_elements += 1

    def _note(self, path: FieldPath, key: int, value: int) -> None:
        """Keep the first place of a path: a table may be returned to."""
        if path not in self.found:
            self.found[path] = Position(self._place(key), self._place(value))


def _unquoted(key: str) -> str:
    if key[0] not in "\"'":
        return key
    name = tomllib.loads(f"key = {key}")["key"]
    assert isinstance(name, str)
    return name
