"""Published directions beside predicted ones, as a table of the report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from unmoor.report.names import readout_name
from unmoor.report.numerals import interval, percent, ratio, share
from unmoor.trial.published import SAME, SHARE, Published, compare

if TYPE_CHECKING:
    from unmoor.trial.result import Result

WORDS = {"+": "↑ more", "-": "↓ less", "0": "= same", "?": "undecided"}
ANSWERS = {True: "✓ agrees", False: "✖ differs", None: "? open"}
NOTE = (
    f"A direction counts as predicted if at least {percent(SHARE)} of the parameter sets have "
    f"it; “same” if the central 90 % of the ratio lies within {SAME[0]:g}–{SAME[1]:g}. "
    "Calibration rows were used to choose the parameter sets, so they agree by construction. "
    "Only directions are compared, not sizes."
)


@dataclass(frozen=True)
class Row:
    """One row as it is set: texts, and whether it was calibrated on."""

    id: str
    cell_line: str
    comparison: str
    readout: str
    published: str
    predicted: str
    estimate: str
    answer: str
    agrees: bool | None
    is_calibration: bool
    source: str
    note: str


@dataclass(frozen=True)
class PublishedTable:
    """Rows, predictions first, and a sentence about both kinds."""

    rows: list[Row]
    summary: str
    note: str


def published(result: Result) -> PublishedTable | None:
    """Table of what was published about the arms of a study; None if nothing is on file."""
    if not all(hasattr(result, name) for name in ("draws", "timecourses")):
        return None
    found = compare(result)
    if not found:
        return None
    found = sorted(found, key=lambda each: each.role == "calibration")
    return PublishedTable([_row(each) for each in found], _summary(found), NOTE)


def _summary(found: list[Published]) -> str:
    told = []
    for name, is_calibration in (("predictions", False), ("calibration rows", True)):
        own = [each for each in found if (each.role == "calibration") == is_calibration]
        if own:
            agreeing = sum(each.agrees is True for each in own)
            told.append(f"{agreeing} of {len(own)} {name} agree")
    return "; ".join(told) + "."


def _row(each: Published) -> Row:
    return Row(
        id=each.id,
        cell_line=each.cell_line,
        comparison=f"{each.arm} against {each.reference}",
        readout=readout_name(each.readout),
        published=WORDS[each.published],
        predicted=WORDS[each.predicted],
        estimate=_estimate(each),
        answer=ANSWERS[each.agrees],
        agrees=each.agrees,
        is_calibration=each.role == "calibration",
        source=each.source,
        note=each.note,
    )


def _estimate(each: Published) -> str:
    if each.readout == "e_cadherin":
        return f"loss {share(each.estimate)} ({share(each.low)} to {share(each.high)})"
    limits = interval(each.low, each.high)
    return f"×{ratio(each.estimate)}" + ("" if limits == "–" else f" ({limits})")
