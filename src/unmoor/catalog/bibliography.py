"""Read ``sources.bib``: the few parts of BibTeX that a list of sources needs."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from unmoor.errors import CatalogError, Problem

_ENTRY = re.compile(r"@\s*(\w+)\s*\{\s*([^,\s{}]+)\s*,")
_NAME = re.compile(r"\s*,?\s*([\w-]+)\s*=\s*")
_COMMENT = re.compile(r"^\s*%.*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class BibEntry:
    """One source: citation key, entry type (``article`` …) and fields by lower-case name."""

    key: str
    type: str
    fields: dict[str, str] = field(default_factory=dict, hash=False)

    def to_bibtex(self) -> str:
        """Return the entry as BibTeX, ready to paste."""
        body = "".join(f"  {name} = {{{value}}},\n" for name, value in self.fields.items())
        return f"@{self.type}{{{self.key},\n{body}}}\n"


def read_bibliography(path: Path) -> dict[str, BibEntry]:
    """Read a BibTeX file of plain entries, with values in braces, quotes or bare numbers.

    Returns
    -------
        Entries by citation key, in file order.

    Raises
    ------
    CatalogError
        With the line of an entry that cannot be read, or of a key used twice.
    """
    text = _COMMENT.sub("", path.read_text(encoding="utf-8-sig"))
    entries: dict[str, BibEntry] = {}
    position = 0
    while match := _ENTRY.search(text, position):
        kind, key = match[1].lower(), match[2]
        line = text.count("\n", 0, match.start()) + 1
        if key in entries:
            raise _unreadable(path, line, key, "each key once")
        fields, position = _read_fields(text, match.end())
        if position < 0:
            raise _unreadable(path, line, key, "fields in balanced braces, closed by }")
        entries[key] = BibEntry(key, kind, fields)
    return entries


def _unreadable(path: Path, line: int, key: str, expected: str) -> CatalogError:
    return CatalogError(Problem(f"{path}:{line}:1", "entry", key, expected, "", "E-CATALOG"))


def _read_fields(text: str, position: int) -> tuple[dict[str, str], int]:
    """Read ``name = value`` pairs up to the closing brace; end position -1 on failure."""
    fields: dict[str, str] = {}
    while match := _NAME.match(text, position):
        value, position = _read_value(text, match.end())
        if position < 0:
            return fields, -1
        fields[match[1].lower()] = " ".join(value.split())
    closing = re.compile(r"[\s,]*\}").match(text, position)
    return fields, closing.end() if closing else -1


def _read_value(text: str, start: int) -> tuple[str, int]:
    opening = text[start : start + 1]
    if opening not in ("{", '"'):
        bare = re.compile(r"\w+").match(text, start)
        return (bare[0], bare.end()) if bare else ("", -1)
    depth = 0
    for position in range(start, len(text)):
        letter = text[position]
        if opening == '"' and letter == '"' and depth == 0 and position > start:
            return text[start + 1 : position], position + 1
        depth += (letter == "{") - (letter == "}")
        if opening == "{" and depth == 0:
            return text[start + 1 : position], position + 1
    return "", -1
