"""Ionising radiation in one or more fractions, in the words of the lab."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from unmoor.fields import Field, Quantity, Whole, read_table, report_missing
from unmoor.findings import FieldPath, Findings
from unmoor.therapy.items import (
    LONGEST_STUDY,
    SHORTEST_INTERVAL,
    START,
    fill,
    inline,
    without_none,
)

LARGEST_FRACTION = 30.0  # Gy; the linear-quadratic law holds less and less above 10-18 Gy
LARGEST_TOTAL = 100.0  # Gy
_MOST_FRACTIONS = 100

IRRADIATION_FIELDS: tuple[Field, ...] = (
    Field(
        "radiation",
        Quantity("radiation dose", 0.0, LARGEST_FRACTION, what="dose of a fraction"),
        '"2 Gy"',
    ),
    Field(
        "every",
        Quantity("time", SHORTEST_INTERVAL, LONGEST_STUDY, what="time between fractions"),
        '"1 d"',
        required=False,
    ),
    Field("fractions", Whole("fractions given", 1, _MOST_FRACTIONS), "5", required=False),
    replace(START, default=0.0),
)


@dataclass(frozen=True, slots=True, init=False)
class Irradiation:
    """Irradiation of the tumour, or of cells in culture, in fractions of one dose.

    Parameters
    ----------
    radiation
        Dose of each fraction, ``"2 Gy"`` or a number in Gy.
    every
        Time between fractions, ``"1 d"`` or a number in days; needed with several fractions.
    fractions
        How many are given.
    start
        Time of the first fraction after inoculation, ``"10 d"`` or a number in days.

    Raises
    ------
    StudyError
        With everything that is wrong.

    Examples
    --------
    >>> Irradiation("2 Gy", every="1 d", fractions=3, start="10 d").times()
    (10.0, 11.0, 12.0)
    """

    radiation: float
    every: float | None
    fractions: int
    start: float

    def __init__(
        self,
        radiation: str | float,
        *,
        every: str | float | None = None,
        fractions: int | None = None,
        start: str | float = 0.0,
    ) -> None:
        given = {"radiation": radiation, "every": every, "fractions": fractions, "start": start}
        findings = Findings(prefix=("Irradiation",))
        raw = without_none(given, keep=("radiation", "start"))
        values = read_irradiation(raw, (), findings, bare=True)
        findings.raise_errors()
        fill(self, values)

    @property
    def total(self) -> float:
        """Dose of all fractions [Gy]."""
        return self.radiation * self.fractions

    def times(self, until: float = LONGEST_STUDY * 10.0) -> tuple[float, ...]:
        """Return the times of all fractions before ``until`` [d after inoculation]."""
        gap = self.every or 0.0
        candidates = (self.start + n * gap for n in range(self.fractions))
        return tuple(time for time in candidates if time < until)

    def to_toml_item(self) -> str:
        """Return the inline table that stands for it in a study file."""
        return inline(self, IRRADIATION_FIELDS)


def read_irradiation(
    raw: object, path: FieldPath, findings: Findings, *, bare: bool
) -> dict[str, Any]:
    """Read the keys of an irradiation; complete only if nothing was found wrong."""
    n_before = len(findings.problems)
    values = read_table(raw, IRRADIATION_FIELDS, path, findings, bare=bare)
    if len(findings.problems) > n_before:
        return values
    every, fractions = values["every"], values["fractions"]
    if every is not None and fractions is None:
        report_missing(IRRADIATION_FIELDS[2], path, findings)
    if every is None and fractions is not None and fractions > 1:
        report_missing(IRRADIATION_FIELDS[1], path, findings)
    values["fractions"] = 1 if fractions is None else fractions
    return values
