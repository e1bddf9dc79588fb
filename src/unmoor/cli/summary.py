"""What came out of a run, in a few lines for people and as one document for scripts."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from itertools import groupby
from typing import TYPE_CHECKING, Any

from unmoor.cli.readout_summary import readout_lines
from unmoor.cli.streams import columns, styled

if TYPE_CHECKING:
    from unmoor.trial.result import Result

WIDEST = 100
"""Longest line of a summary [characters]."""

_SHORTEST_ARM = 16
_BETWEEN = 8  # indent and gaps of four columns
_STYLES = {"switch": "red", "harm": "red", "benefit": "green", "containment": "green"}
_RATIOS = {"tumour_ratio": "tumour", "spread_ratio": "spread", "paradox_index": "paradox"}


def document(result: Result) -> dict[str, Any]:
    """Return the effects of a result under the names that scripts rely on."""
    return {
        "run": None if result.path is None else str(result.path),
        "effects": [_effect(row) for row in _rows(result)],
        "readouts": [_plain(row) for row in result.readouts.to_dict("records")],
        "joint": [_plain(row) for row in result.joint.to_dict("records")],
        "warnings": [str(each.at("", each.field)) for each in result.study.warnings],
    }


def summary_lines(result: Result) -> list[str]:
    """Return one line for each cell line and arm: both ratios to control, and the verdict.

    Then the readouts of assays without tumours, which have no verdict.
    """
    study = result.study
    told = [_heading(study), *(_effect_lines(result) if len(result.effects()) else ())]
    told += readout_lines(result)
    if result.n_failed:
        told.append(
            f"{result.n_failed} animals failed (elsewhere: arms of draws); the tables say which"
        )
    return told


def _effect_lines(result: Result) -> Iterator[str]:
    study, rows = result.study, list(_rows(result))
    cells = [("", "tumour", "lung metastases", "verdict")]
    cells += [_cells(row, study.verdict) for row in rows]
    head, *lines = columns(_fitted(cells), indent=2)
    verdicts = [str(row["verdict"]) for row in rows]
    coloured = [_coloured(line, verdict) for line, verdict in zip(lines, verdicts, strict=True)]
    yield styled(head, "dim")
    for group, members in groupby(range(len(rows)), lambda i: _group(result, rows[i])):
        yield styled(group, "bold")
        yield from (coloured[i] for i in members)
    yield "what is calibration, and what is assumed, is said in the report"


def _plain(row: Mapping[Hashable, Any]) -> dict[str, Any]:
    return {str(name): value for name, value in row.items()}


def _rows(result: Result) -> Iterator[dict[str, Any]]:
    for row in result.effects().to_dict("records"):
        yield {str(name): value for name, value in row.items()}


def _effect(row: Mapping[str, Any]) -> dict[str, Any]:
    ratios = {
        name: {
            "estimate": float(row[name]),
            "low": float(row[f"{stem}_low"]),
            "high": float(row[f"{stem}_high"]),
        }
        for name, stem in _RATIOS.items()
    }
    for name in ("tumour", "spread"):
        limits = {end: float(row[f"{name}_study_{end}"]) for end in ("low", "high")}
        ratios[f"{name}_study_interval"] = limits
    names = {name: str(row[name]) for name in ("cell_line", "arm", "assay")}
    p_switch = float(row["p_switch"])
    return {**names, **ratios, "p_switch": p_switch, "verdict": str(row["verdict"])}


def _heading(study: Any) -> str:
    level, draws = study.verdict.interval, study.uncertainty.draws
    if not draws:
        return f"ratio to {study.control}, nominal values only"
    return f"ratio to {study.control} ({100 * level:.3g} % interval over {draws} parameter draws)"


def _group(result: Result, row: Mapping[str, Any]) -> str:
    line, assay = str(row["cell_line"]), str(row["assay"])
    return line if len(result.study.assays) == 1 else f"{line}, {assay}"


def _cells(row: Mapping[str, Any], margins: Any) -> tuple[str, str, str, str]:
    from unmoor.report.numerals import interval, ratio

    def cell(name: str) -> str:
        limits = interval(row[f"{name}_low"], row[f"{name}_high"])
        estimate = ratio(row[f"{name}_ratio"])
        return estimate if limits == "–" else f"{estimate} ({limits})"

    return str(row["arm"]), cell("tumour"), cell("spread"), _verdict(row, margins)


def _fitted(cells: list[tuple[str, str, str, str]]) -> list[tuple[str, str, str, str]]:
    """Names of arms cut to the room that the other columns leave."""
    others = sum(max(len(row[i]) for row in cells) for i in (1, 2, 3))
    room = max(WIDEST - others - _BETWEEN, _SHORTEST_ARM)
    names = (name if len(name) <= room else f"{name[: room - 1]}…" for name, *_ in cells)
    return [(name, *row[1:]) for name, row in zip(names, cells, strict=True)]


def _verdict(row: Mapping[str, Any], margins: Any) -> str:
    """Verdict; an unclear one with the half that is decided anyway."""
    from unmoor.trial.verdict import halves

    word = str(row["verdict"])
    decided = [half for half in halves(row, margins.smaller, margins.spread) if half]
    return f"{word} ({', '.join(decided)})" if word == "unclear" and decided else word


def _coloured(line: str, verdict: str) -> str:
    if verdict not in _STYLES:
        return line
    return line.removesuffix(verdict) + styled(verdict, _STYLES[verdict])
