"""Numbers that are drawn together: declared correlations between rows of the catalog.

``correlations.tsv`` of the nearest catalog root that has one. A row names two numbers as
``<kind>/<entry>/<id>`` and the correlation of their normal scores (Gaussian copula), with evidence
grade, source and note like any number. What is not declared is drawn independently; the built-in
file declares none, and says why.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from statistics import NormalDist

from unmoor import catalog
from unmoor.errors import CatalogError, Problem, literal, nearest
from unmoor.parameters import EVIDENCE

FILE = "correlations.tsv"
COLUMNS = ("first", "second", "correlation", "evidence", "source", "note")
_NORMAL = NormalDist()
_LEAST = 1e-9  # of a pivot: below, the correlations contradict each other


@dataclass(frozen=True)
class Correlations:
    """Groups of numbers that are drawn together.

    Attributes
    ----------
    places
        Group and place in it of each number that is correlated with another.
    groups
        Names of each group in the order of the file.
    factors
        Rows of the Cholesky factor of each group's correlations.
    """

    places: Mapping[str, tuple[int, int]]
    groups: tuple[tuple[str, ...], ...]
    factors: tuple[tuple[tuple[float, ...], ...], ...]

    def joined(
        self, names: Sequence[str], uniforms: Callable[[Sequence[str]], list[float]]
    ) -> list[float]:
        """Numbers in (0, 1) by name; those of a group are mixed, the others as they are.

        Parameters
        ----------
        uniforms
            Independent numbers by name. A mixed number depends on those of its own group alone.
        """
        values = uniforms(names)
        for i, name in enumerate(names):
            if name in self.places:
                group, place = self.places[name]
                own = uniforms(self.groups[group][: place + 1])
                row = self.factors[group][place]
                score = math.fsum(x * _NORMAL.inv_cdf(u) for x, u in zip(row, own, strict=True))
                values[i] = min(max(_NORMAL.cdf(score), _LEAST), 1.0 - _LEAST) if place else own[0]
        return values


def correlations(beside: Path | None = None) -> Correlations | None:
    """Declared correlations, of the nearest catalog root with a file of them; None without any.

    Raises
    ------
    CatalogError
        With everything wrong with the file, each with its line.
    """
    own = None if beside is None else beside / "catalog" / FILE
    path = own if own is not None and own.is_file() else catalog.ROOT / FILE
    return _read(path, path.stat().st_mtime_ns, beside)


@lru_cache(maxsize=16)
def _read(path: Path, _modified: int, beside: Path | None) -> Correlations | None:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        got = type(error).__name__
        raise CatalogError(_problem(f"{path}", "table", got, "a readable UTF-8 file")) from error
    content = [(n, line) for n, line in enumerate(lines, 1) if line.strip() and line[0] != "#"]
    if not content or tuple(content[0][1].split("\t")) != COLUMNS:
        expected = "the tab-separated header " + " ".join(COLUMNS)
        raise CatalogError(_problem(f"{path}", "header", "", expected))
    pairs: dict[tuple[str, str], float] = {}
    problems: list[Problem] = []
    for number, line in content[1:]:
        cells = [cell.strip() for cell in line.split("\t")]
        row = dict(zip(COLUMNS, cells + [""] * (len(COLUMNS) - len(cells)), strict=False))
        found = list(_faults(row, f"{path}:{number}:1", pairs, beside))
        problems += found
        if not found:
            pairs[row["first"], row["second"]] = float(row["correlation"])
    if problems:
        raise CatalogError(problems)
    return _grouped(path, pairs) if pairs else None


def _faults(
    row: Mapping[str, str], where: str, known: Mapping[tuple[str, str], float], beside: Path | None
) -> Iterator[Problem]:
    for column in ("first", "second"):
        yield from _name_faults(row[column], f"{where}", column, beside)
    first, second = row["first"], row["second"]
    if first == second or {(first, second), (second, first)} & set(known):
        yield _problem(where, "second", second, "each pair of two numbers once")
    try:
        value = float(row["correlation"])
    except ValueError:
        value = math.nan
    if not -1.0 < value < 1.0:
        expected = "a correlation of normal scores, more than -1 and less than 1"
        yield _problem(where, "correlation", row["correlation"], expected)
    if row["evidence"] not in EVIDENCE:
        yield _problem(where, "evidence", row["evidence"], "one of " + ", ".join(EVIDENCE))
    elif row["evidence"] == "assumed" and not row["note"]:
        yield _problem(where, "note", "", "a note that says why this is assumed")
    elif row["evidence"] in ("measured", "transferred") and not row["source"]:
        yield _problem(where, "source", "", "a key of sources.bib for what was measured")
    if row["source"] and row["source"] not in catalog.sources(beside):
        yield _problem(where, "source", row["source"], "a key of sources.bib")


def _name_faults(name: str, where: str, column: str, beside: Path | None) -> Iterator[Problem]:
    kind, _, rest = name.partition("/")
    entry, _, key = rest.rpartition("/")
    try:
        rows = catalog.table(kind, entry, beside)
    except CatalogError:
        rows = None
    if rows is None or key not in rows:
        expected = "a number of the catalog as <kind>/<entry>/<id>, such as closures/adhesion/h"
        close = nearest(key, rows or (), n=1)
        fix = f"did you mean {kind}/{entry}/{close[0]}?" if close else ""
        yield _problem(where, column, name, expected, fix)
    elif rows[key].low == rows[key].high:
        yield _problem(where, column, name, "a number with a range; this one is never drawn")


def _grouped(path: Path, pairs: Mapping[tuple[str, str], float]) -> Correlations:
    groups: list[list[str]] = []
    for pair in pairs:
        touched = [group for group in groups if set(pair) & set(group)]
        merged = [name for group in touched for name in group]
        merged += [name for name in pair if name not in merged]
        groups = [group for group in groups if group not in touched] + [merged]
    order = list(dict.fromkeys(name for pair in pairs for name in pair))
    named = tuple(tuple(name for name in order if name in group) for group in groups)
    factors = tuple(_factor(path, group, pairs) for group in named)
    places = {name: (g, i) for g, group in enumerate(named) for i, name in enumerate(group)}
    return Correlations(places, named, factors)


def _factor(
    path: Path, names: Sequence[str], pairs: Mapping[tuple[str, str], float]
) -> tuple[tuple[float, ...], ...]:
    """Cholesky factor of a group's correlations; pairs that are not declared have none."""
    rows: list[tuple[float, ...]] = []
    for i, name in enumerate(names):
        row: list[float] = []
        for j in range(i):
            given = pairs.get((names[j], name), pairs.get((name, names[j]), 0.0))
            known = math.fsum(row[k] * rows[j][k] for k in range(j))
            row.append((given - known) / rows[j][j])
        left = 1.0 - math.fsum(x * x for x in row)
        if left < _LEAST:
            expected = "correlations that can hold together (a positive definite matrix)"
            raise CatalogError(_problem(f"{path}", "correlation", name, expected))
        rows.append((*row, math.sqrt(left)))
    return tuple(rows)


def _problem(where: str, field: str, got: str, expected: str, fix: str = "") -> Problem:
    return Problem(where, field, literal(got), expected, fix, "E-CORRELATION")
