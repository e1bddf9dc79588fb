"""Readouts of assays without tumours, and joint effects, in a few lines for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from unmoor.cli.streams import columns, styled

if TYPE_CHECKING:
    import pandas as pd

    from unmoor.trial.result import Result

_MOST = 60  # rows shown of each table; all are in the files
_WIDEST_ARM = 32


def readout_lines(result: Result) -> Iterator[str]:
    """Last day of every readout of every arm against control, then what combinations add."""
    told = {assay.label for assay in result.study.assays if not assay.has_tumours}
    rows = result.readouts[result.readouts["assay"].isin(told)]
    rows = rows.sort_values("day", kind="stable")
    keys = ["cell_line", "assay", "arm", "readout"]
    rows = rows.drop_duplicates(keys, keep="last").sort_index()
    if len(rows):
        head = ("arm", "readout", "day", "ratio", "more", "less")
        yield from _listed(rows, head, _readout, "readouts.csv")
    joint = result.joint[result.joint["assay"].isin(told)]
    if len(joint):
        yield styled("together, against both apart (1: independent)", "dim")
        yield from _listed(
            joint, ("arm", "readout", "day", "factor", "more", "less"), _joint, "joint.csv"
        )


def _listed(table: pd.DataFrame, head: tuple[str, ...], cells: Any, file: str) -> Iterator[str]:
    rows = [{str(k): v for k, v in row.items()} for row in table.to_dict("records")]
    first, *lines = columns([head, *map(cells, rows[:_MOST])], indent=2)
    yield styled(first, "dim")
    before = ""
    for row, line in zip(rows, lines, strict=False):
        group = f"{row['cell_line']}, {row['assay']}"
        if group != before:
            yield styled(group, "bold")
        before = group
        yield line
    if len(rows) > _MOST:
        yield f"… and {len(rows) - _MOST} more in {file}"


def _readout(row: Mapping[str, Any]) -> tuple[str, ...]:
    return _cells(row, "ratio", ("p_up", "p_down"))


def _joint(row: Mapping[str, Any]) -> tuple[str, ...]:
    return _cells(row, "factor", ("p_more", "p_less"))


def _cells(row: Mapping[str, Any], name: str, shares: tuple[str, str]) -> tuple[str, ...]:
    from unmoor.report.numerals import interval, probability, ratio

    limits = interval(row[f"{name}_low"], row[f"{name}_high"])
    estimate = ratio(row[name])
    shown = estimate if limits == "–" else f"{estimate} ({limits})"
    arm = str(row["arm"])
    arm = arm if len(arm) <= _WIDEST_ARM else f"{arm[: _WIDEST_ARM - 1]}…"
    p = tuple(probability(row[share]) for share in shares)
    return (arm, str(row["readout"]), f"{row['day']:g}", shown, *p)
