"""Find catalogued things by name or path; below this package there is only data.

An entry is a folder ``<kind>/<name>/`` with an ``about.toml`` and, mostly, a ``parameters.tsv``.
It is looked for, in this order: as a path, in a folder ``catalog/`` beside the study, in installed
plug-ins (entry-point group ``unmoor.catalog``, each giving a root folder), among the built-in ones.
The first that has the name wins, so a folder of your own can replace a built-in entry.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib.metadata import entry_points
from pathlib import Path
from types import MappingProxyType
from typing import Any

from unmoor.catalog.bibliography import BibEntry, read_bibliography
from unmoor.errors import CatalogError, Problem, literal, nearest
from unmoor.parameters import ParameterTable

KINDS: tuple[str, ...] = (
    "cell_lines", "networks", "drugs", "hosts", "matrices", "closures", "studies",
)  # fmt: skip
ROOT: Path = Path(__file__).parent
_LISTS = ("synonyms", "binds", "routes")  # keys of about.toml that hold lists of texts
_SHORT = 3  # letters of a name in which two may be wrong
ENTRY_POINT_GROUP = "unmoor.catalog"

_SINGULAR = {
    "cell_lines": "cell line",
    "networks": "network",
    "drugs": "drug",
    "hosts": "host",
    "matrices": "matrix",
    "closures": "closure",
    "studies": "study",
}


def find(kind: str, name: str, beside: Path | None = None) -> Path:
    """Return the folder of an entry.

    Parameters
    ----------
    kind
        One of :data:`KINDS`.
    name
        Name, synonym, or path to a folder (with a ``/``; relative to ``beside``).
    beside
        Folder of the study file, whose ``catalog/`` is searched first.

    Raises
    ------
    CatalogError
        If there is no such entry, with the nearest three names.
    """
    if at_path := _folder_at(kind, name, beside):
        return at_path
    for root in _roots(beside):
        # Not by asking for the folder alone, which would ignore case on some file systems.
        folder = root / kind / name
        if name in _listed(root, kind) and (folder / "about.toml").is_file():
            return folder
    for root in _roots(beside):
        for folder in _folders(root, kind).values():
            if name in _read_about(folder).get("synonyms", ()):
                return folder
    raise CatalogError(_unknown(kind, name, beside))


def canonical(kind: str, name: str, beside: Path | None = None) -> str:
    """Return the name an entry is catalogued under, for any of its synonyms or a path to it."""
    return find(kind, name, beside).name


def reference(kind: str, name: str, beside: Path | None = None) -> str:
    """Return how a study refers to an entry: its catalogued name, or the path it was given by."""
    folder = find(kind, name, beside)
    return name if is_path(name) and _folder_at(kind, name, beside) else folder.name


def names(kind: str, beside: Path | None = None) -> list[str]:
    """Return the names of all entries of a kind, sorted as a reader would."""
    found = {name for root in _roots(beside) for name in _folders(root, _checked(kind))}
    return sorted(found, key=lambda name: (name.casefold(), name))


def about(kind: str, name: str, beside: Path | None = None) -> Mapping[str, Any]:
    """Return the content of an entry's ``about.toml``, read-only."""
    return MappingProxyType(_read_about(find(kind, name, beside)))


def table(kind: str, name: str, beside: Path | None = None) -> ParameterTable:
    """Return an entry's ``parameters.tsv``, checked; empty if it has none."""
    folder = find(kind, name, beside)
    path = folder / "parameters.tsv"
    if not path.is_file():
        return ParameterTable((), name=folder.name)
    return _read_table(path, path.stat().st_mtime_ns)


def sources(beside: Path | None = None) -> dict[str, BibEntry]:
    """Return the bibliography of all catalog roots by citation key; the nearest root wins."""
    found: dict[str, BibEntry] = {}
    for root in _roots(beside):
        path = root / "sources.bib"
        if path.is_file():
            for key, entry in _read_sources(path, path.stat().st_mtime_ns).items():
                found.setdefault(key, entry)
    return found


def singular(kind: str) -> str:
    """Return what one entry of a kind is called in a sentence: ``cell line`` for ``cell_lines``."""
    return _SINGULAR[_checked(kind)]


def is_path(name: str) -> bool:
    """Return whether a name is meant as a path rather than looked up."""
    return "/" in name or "\\" in name or name in (".", "..")


def _checked(kind: str) -> str:
    if kind not in KINDS:
        expected = "one of " + ", ".join(KINDS)
        fix = f"did you mean {nearest(kind, KINDS, likeness=0.0)[0]}?"
        raise CatalogError(Problem("", "kind", literal(kind), expected, fix, "E-CATALOG"))
    return kind


def _unknown(kind: str, name: str, beside: Path | None) -> Problem:
    one = singular(kind)
    if folder := _without_about(kind, name, beside):
        expected, fix = "an about.toml in this folder", f"write one with name = {literal(name)}"
        return Problem(f"{folder}", "about", "nothing", expected, fix, "E-CATALOG")
    known = names(kind, beside)
    spellings = {
        spelling: folder.name
        for root in _roots(beside)
        for folder in _folders(root, kind).values()
        for spelling in (folder.name, *_read_about(folder).get("synonyms", ()))
    }
    likeness = 0.3 if len(name) <= _SHORT else 0.5  # among many, a long name is like some
    found = nearest(name, spellings, n=9, likeness=likeness)
    closest = dict.fromkeys(spellings[match] for match in found)
    if closest:
        fix = f"did you mean {', '.join(list(closest)[:3])}?"
    elif known:
        fix = f"there are {', '.join(known[:6])}" + (" and more" if len(known) > 6 else "")
    else:
        fix = f"there is no {one} yet"
    expected = f"a {one} of the catalog"
    if is_path(name):
        expected += ", or a folder with an about.toml"
    return Problem("", one, literal(name), expected, fix, "E-NAME")


def _without_about(kind: str, name: str, beside: Path | None) -> Path | None:
    """A folder that is where an entry would be, and lacks the file that makes it one."""
    if is_path(name) or not name:
        return None
    return next(
        (root / kind / name for root in _roots(beside) if name in _listed(root, kind)), None
    )


def _folder_at(kind: str, name: str, beside: Path | None) -> Path | None:
    _checked(kind)
    if not is_path(name):
        return None
    try:
        folder = ((beside or Path()) / name).expanduser()
        return folder.resolve() if (folder / "about.toml").is_file() else None
    except (OSError, RuntimeError, ValueError):  # too long a path, no such home, a NUL byte
        return None


def _roots(beside: Path | None) -> Iterator[Path]:
    if beside is not None:
        yield beside / "catalog"
    yield from _plug_in_roots()
    yield ROOT


@lru_cache(maxsize=1)
def _plug_in_roots() -> tuple[Path, ...]:
    roots = []
    for entry_point in entry_points(group=ENTRY_POINT_GROUP):
        try:
            loaded = entry_point.load()
            roots.append(Path(loaded() if callable(loaded) else loaded))
        except Exception as error:  # a plug-in can fail in any way; name it
            got = f"{type(error).__name__}: {error}"
            expected = "a root folder, or a function that returns one"
            fix = f"repair or uninstall the plug-in {entry_point.value}"
            field = f"plug-in {entry_point.name}"
            raise CatalogError(Problem("", field, got, expected, fix, "E-PLUGIN")) from error
    return tuple(roots)


def _listed(root: Path, kind: str) -> list[str]:
    try:
        return sorted(os.listdir(root / _checked(kind)))
    except (FileNotFoundError, NotADirectoryError):
        return []


def _folders(root: Path, kind: str) -> dict[str, Path]:
    """Folders of a kind below one root, by name in sorted order."""
    folders = {name: root / kind / name for name in _listed(root, kind)}
    return {name: path for name, path in folders.items() if (path / "about.toml").is_file()}


def _read_about(folder: Path) -> dict[str, Any]:
    path = folder / "about.toml"
    return _parse_about(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=1024)
def _parse_about(path: Path, _modified: int) -> dict[str, Any]:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        problem = Problem(f"{path}", "about", str(error), "valid TOML in UTF-8", "", "E-CATALOG")
        raise CatalogError(problem) from error
    for name in _LISTS:
        value = content.get(name, [])
        if not isinstance(value, list) or not all(isinstance(part, str) for part in value):
            expected = "a list of texts"
            raise CatalogError(Problem(f"{path}", name, literal(value), expected, "", "E-CATALOG"))
    if content.get("name", path.parent.name) != path.parent.name:
        expected = f"the name of its folder, {path.parent.name}"
        got = literal(content["name"])
        raise CatalogError(Problem(f"{path}", "name", got, expected, "", "E-CATALOG"))
    return content


@lru_cache(maxsize=256)
def _read_table(path: Path, _modified: int) -> ParameterTable:
    return ParameterTable.read(path)


@lru_cache(maxsize=16)
def _read_sources(path: Path, _modified: int) -> dict[str, BibEntry]:
    return read_bibliography(path)
