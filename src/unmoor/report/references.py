"""Citations as a reader expects them, from the entries of the bibliography."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from unmoor.catalog import sources

MANY_AUTHORS = 6
"""Longer lists of authors end in "et al."."""

_MARKS = {
    "'": "\u0301",
    "`": "\u0300",
    '"': "\u0308",
    "~": "\u0303",
    "^": "\u0302",
    "u": "\u0306",
    "v": "\u030c",
    "c": "\u0327",
}
_ACCENT = re.compile(r"\{?\\(['`\"~^]|[uvc](?![a-z]))\s*\{?\\?([A-Za-z])\}?\}?")


@dataclass(frozen=True)
class Reference:
    """One citation: key, text, and DOI if the source has one."""

    key: str
    text: str
    doi: str


def references(keys: Sequence[str], beside: Path | None) -> list[Reference]:
    """Citations for some keys; a key without an entry is shown as it is."""
    known = sources(beside)
    return [
        Reference(key, _sentence(known[key].fields), known[key].fields.get("doi", ""))
        if key in known
        else Reference(key, key, "")
        for key in keys
    ]


def _sentence(fields: Mapping[str, str]) -> str:
    plain = {name: from_tex(value) for name, value in fields.items()}
    people = [person for person in plain.get("author", "").split(" and ") if person]
    named = [_name(person) for person in people if person != "others"][:MANY_AUTHORS]
    who = ", ".join(named) + (" et al." if len(people) > len(named) else "")
    where = " ".join(
        part
        for part in (plain.get("journal", plain.get("publisher", "")), plain.get("volume", ""))
        if part
    )
    where += f":{plain['pages']}" if where and "pages" in plain else ""
    parts = [f"{who} ({plain.get('year', 'no year')})".strip(), plain.get("title", ""), where]
    return ". ".join(part.rstrip(".") for part in parts if part) + "."


def from_tex(text: str) -> str:
    r"""Text of a BibTeX field: accents such as ``{\'e}`` as letters, dashes and braces resolved."""
    text = _ACCENT.sub(lambda found: found[2] + _MARKS[found[1]], text)
    text = re.sub(r"\\i(?![a-z])\s*", "ı", text)
    return unicodedata.normalize("NFC", re.sub(r"[{}]", "", text).replace("--", "–"))


def _name(person: str) -> str:
    """``Truong, Hoa H.`` → ``Truong HH``."""
    family, _, given = person.partition(",")
    initials = "".join(part[0] for part in re.split(r"[\s-]+", given.strip()) if part[:1].isalpha())
    return f"{family.strip()} {initials}".strip()
