"""Doses of the drugs that rows of evidence name, which give none themselves."""

from __future__ import annotations

import csv
from functools import lru_cache
from pathlib import Path

from unmoor import catalog


class UnableError(Exception):
    """A row that asks for what the model does not have."""


def named_drug(what: str, beside: Path | None) -> str:
    """Something in the medium as the catalog names it; rows may write it like a gene."""
    return what if what in catalog.names("drugs", beside) else what.lower()


def dose_of(drug: str, beside: Path | None, *, in_animals: bool) -> dict[str, str]:
    """Dose and interval in animals, or the concentration in culture, as in a study file.

    Raises
    ------
    UnableError
        If none is known.
    """
    known = _doses(beside).get(drug)
    if known is None:
        raise UnableError(
            f"there is no dose for a drug {drug}; give one in catalog/validation/doses.tsv beside "
            "the table"
        )
    if in_animals:
        return {"dose": known["dose"], "every": known["every"]}
    return {"concentration": known["concentration"]}


def _doses(beside: Path | None) -> dict[str, dict[str, str]]:
    """Doses by drug; those beside a table of one's own first."""
    found = dict(_read_doses(catalog.ROOT / "validation" / "doses.tsv"))
    own = None if beside is None else beside / "catalog" / "validation" / "doses.tsv"
    return found | _read_doses(own) if own is not None and own.is_file() else found


@lru_cache(maxsize=16)
def _read_doses(path: Path) -> dict[str, dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return {row["drug"]: row for row in csv.DictReader(file, delimiter="\t")}
