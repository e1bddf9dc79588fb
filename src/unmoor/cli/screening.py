"""Verbs that ask many tumours: screen and map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from unmoor.cli.analyses import Kept, Out, analysis_folder, memory_folder, study_to_analyse
from unmoor.cli.options import Json, Seed, Settings, Verbose, Workers, flag
from unmoor.cli.progress import shown_progress
from unmoor.cli.streams import columns, put, put_json, say
from unmoor.errors import ExitCode, Problem, StudyError

if TYPE_CHECKING:
    from unmoor.analysis.consistency import Consistency
    from unmoor.analysis.harm_map import HarmMap
    from unmoor.analysis.limiting import Limits
    from unmoor.analysis.screening import Screened
    from unmoor.cell.line import CellLine

_SHOWN = 12  # lines that are told
_RUNS = Path("runs")


def _several(text: str, name: str | None = None) -> Parameter:
    return Parameter(name=name, help=text, consume_multiple=True, negative=())


Lines = Annotated[list[str] | None, _several("Lines of the catalog, or all; the study's if none.")]
Arms = Annotated[list[str] | None, _several("Arms; all of the study if none.", "--arm")]
Table = Annotated[
    Path | None, Parameter(help="Expression of tumours of your own: genes × samples, either way.")
]
Scale = Annotated[
    Literal["linear", "log2p1", "log2"] | None,
    Parameter(help="Scale of the expression table; found out and told if not given."),
]
Reference = Annotated[str | None, Parameter(help="Sample of the expression table that is MCF10A.")]
Samples = Annotated[
    list[str] | None, _several("Samples of the expression table; all if none.", "--sample")
]
Species = Annotated[
    Literal["human", "mouse"] | None, Parameter(help="Species of the expression table.")
]
Benign = Annotated[bool, flag("The tumours of the expression table are not malignant.")]
Rna = Annotated[Path | None, Parameter(name="--panel", help="RNA, microRNA, arrays of a panel.")]
Protein = Annotated[Path | None, Parameter(help="Mass spectrometry of the panel.")]
Normal = Annotated[list[str] | None, _several("Lines of the panel that are not malignant.")]
Limited = Annotated[
    list[str] | None, _several("Lines of which to tell what limits them.", "--limits")
]


@Parameter(name="*")
@dataclass(frozen=True)
class OwnTable:
    """Tumours of an expression table."""

    expression: Table = None
    scale: Scale = None
    reference: Reference = None
    samples: Samples = None
    species: Species = None
    not_malignant: Benign = False


@Parameter(name="*")
@dataclass(frozen=True)
class OwnPanel:
    """Lines of a molecular panel."""

    panel: Rna = None
    protein: Protein = None
    normal: Normal = None


_NO_TABLE, _NO_PANEL = OwnTable(), OwnPanel()


def screen(
    study: str,
    /,
    *,
    lines: Lines = None,
    table: OwnTable = _NO_TABLE,
    panel: OwnPanel = _NO_PANEL,
    arms: Arms = None,
    limits: Limited = None,
    out: Out = _RUNS,
    memory: Kept = None,
    seed: Seed = None,
    set_: Settings = None,
    workers: Workers = None,
    json: Json = False,
    verbose: Verbose = False,
) -> int:
    """Screen lines, or tumours of your own, under the arms of a study.

    Parameters
    ----------
    study
        A study file, the name of a catalog study, or - for standard input.
    """
    loaded = study_to_analyse(study, set_, seed, workers)
    own, messages = _own(table)
    own += _of_panel(panel)
    say(*messages)
    asked: list[Any] = [*_named(lines, loaded.beside), *own]
    from unmoor.analysis.memory import Memory
    from unmoor.analysis.screening import screen as screen_lines

    kept = Memory(memory_folder(out, memory))
    with shown_progress() as progress:
        found = screen_lines(
            loaded, asked or None, arms=arms, memory=kept, workers=workers, progress=progress
        )
    held = found.consistency()
    limited = found.limits(*limits) if limits else {}
    folder = analysis_folder(out, loaded, "screen")
    _write(folder, own, found, held, limited, messages)
    say(*_screen_summary(found, held, limited))
    if json:
        put_json(_screen_document(found, held, limited, folder, messages))
    else:
        put(str(folder))
    return ExitCode.OK


def _own(table: OwnTable) -> tuple[list[CellLine], list[str]]:
    """Tumours of an expression table, and what is to be said about it."""
    if table.expression is None:
        return [], []
    from unmoor.analysis.expression import read_expression

    found = read_expression(
        table.expression, scale=table.scale, reference=table.reference,
        samples=table.samples or (), species=table.species, malignant=not table.not_malignant,
    )  # fmt: skip
    return list(found.lines), [f"{table.expression.name}: {each}" for each in found.messages]


def _of_panel(panel: OwnPanel) -> list[CellLine]:
    if panel.panel is None and panel.protein is None:
        return []
    if panel.panel is None or panel.protein is None:
        lacking = "--panel" if panel.panel is None else "--protein"
        expected, fix = "both files of a panel", f"give {lacking} too"
        raise StudyError(Problem(lacking, "", "nothing", expected, fix, "E-USAGE"))
    from unmoor.analysis.own_lines import panel_lines

    return panel_lines(panel.panel, panel.protein, normal=panel.normal or ())


def _named(lines: list[str] | None, beside: Path | None) -> list[str]:
    from unmoor import catalog

    return catalog.names("cell_lines", beside) if lines == ["all"] else list(lines or ())


def _write(
    folder: Path,
    own: Sequence[CellLine],
    found: Screened,
    held: Consistency,
    limited: dict[str, Limits],
    messages: Sequence[str],
) -> None:
    """The page, and entries of a catalog that studies in its folder can name."""
    from unmoor.analysis.own_lines import write_line
    from unmoor.report.screen_page import screen_page

    for line in own:
        write_line(line, folder / "catalog" / "cell_lines")
    screen_page(folder, found, held, limited, messages)


def _screen_summary(found: Screened, held: Consistency, limited: dict[str, Limits]) -> list[str]:
    from unmoor.analysis.consistency import STRICT
    from unmoor.analysis.screen_tables import arms_table, claims, repair_text

    table = arms_table(found)
    first = table[table["arm"] == found.arms[0]] if found.arms else table
    rows = [("line", "arm", "class", "P(switch)", "P(smaller)", "P(more)")]
    rows += [
        (row["line"], row["arm"], row["class"],
         *(f"{row[name]:.2f}" for name in ("p_switch", "p_smaller", "p_more")))
        for row in first.head(_SHOWN).to_dict("records")
    ]  # fmt: skip
    said = columns(rows)
    if len(first) > _SHOWN:
        said.append(f"… and {len(first) - _SHOWN} more lines in the report")
    told = claims(found, held)
    if held.area.positives and held.area.negatives:
        best = max(told["auroc_single"].values(), key=lambda area: abs(area - 0.5))
        said.append(
            f"consistency, not validation: area {told['auroc']:.2f} ({told['auroc_low']:.2f}–"
            f"{told['auroc_high']:.2f}; {held.areas[STRICT].value:.2f} without lines that lack "
            f"E-cadherin or that were calibrated on), permuted {told['auroc_permuted']:.2f}, "
            f"best single level {max(best, 1.0 - best):.2f}"
        )
    for name, each in limited.items():
        factors = ", ".join(each.factors) or "nothing that the rule reads"
        said.append(f"{name}: limited by {factors}; smallest repair: {repair_text(each)}")
    return said


def _screen_document(
    found: Screened,
    held: Consistency,
    limited: dict[str, Limits],
    folder: Path,
    messages: Sequence[str],
) -> dict[str, Any]:
    from unmoor.analysis.screen_tables import (
        arms_table,
        claims,
        limits_table,
        lines_table,
        threshold_table,
    )

    return {
        "folder": str(folder),
        "rule": found.rule,
        "messages": list(messages),
        "lines": lines_table(found, held).to_dict("records"),
        "arms": arms_table(found).to_dict("records"),
        "thresholds": threshold_table(found, [None, *found.arms]).to_dict("records"),
        "limits": limits_table({**held.exceptions, **limited}).to_dict("records"),
        "claims": claims(found, held),
    }


def map_harm(
    study: str,
    /,
    *,
    x: Annotated[str, Parameter(help="First input, such as tone or SMAD4=-6:1:12.")],
    y: Annotated[str, Parameter(help="Second input, such as occupancy or dose:DRUG.")],
    line: Annotated[str | None, Parameter(help="Line that is varied; the study's first.")] = None,
    table: OwnTable = _NO_TABLE,
    arm: Annotated[str | None, Parameter(help="Arm; the first after the control.")] = None,
    draws: Annotated[int, Parameter(help="Parameter sets in each cell, at most.")] = 40,
    out: Out = _RUNS,
    memory: Kept = None,
    seed: Seed = None,
    set_: Settings = None,
    workers: Workers = None,
    json: Json = False,
    verbose: Verbose = False,
) -> int:
    """Map the chance of a switch over any two inputs.

    Parameters
    ----------
    study
        A study file, the name of a catalog study, or - for standard input.
    """
    loaded = study_to_analyse(study, set_, seed, workers)
    if draws < 1:
        expected = "a whole number of at least 1"
        raise StudyError(Problem("--draws", "", f"{draws}", expected, "", "E-USAGE"))
    if line is not None and table.expression is not None:
        table = replace(table, samples=[line])
    own, messages = _own(table)
    say(*messages)
    from unmoor.analysis.harm_map import harm_map
    from unmoor.analysis.memory import Memory
    from unmoor.report.map_page import map_page

    with shown_progress() as progress:
        found = harm_map(
            loaded, x, y, line=own[0] if own else line, arm=arm, draws=draws,
            memory=Memory(memory_folder(out, memory)), workers=workers, progress=progress,
        )  # fmt: skip
    folder = analysis_folder(out, loaded, "map")
    map_page(folder, found)
    say(*_map_summary(found))
    put_json(_map_document(found, folder)) if json else put(str(folder))
    return ExitCode.OK


def _map_summary(found: HarmMap) -> list[str]:
    import numpy as np

    known = found.switch[np.isfinite(found.switch)]
    if not known.size:
        return ["in no cell of the map can the untreated line be what it is"]
    return [
        f"{found.line}, {found.arm}: P(switch) {known.min():.2f} to {known.max():.2f} over "
        f"{found.x.name} × {found.y.name}; {np.mean(known >= 0.5):.0%} of the cells at .5 or more"
    ]


def _map_document(found: HarmMap, folder: Path) -> dict[str, Any]:
    from unmoor.report.map_page import map_frame

    axes = {
        name: {"name": axis.name, "label": axis.label, "unit": axis.unit,
               "values": axis.values.tolist(),
               "evidence": [list(each) for each in axis.evidence], "own": own}
        for name, axis, own in zip("xy", (found.x, found.y), found.own, strict=True)
    }  # fmt: skip
    return {
        "folder": str(folder), "line": found.line, "arm": found.arm, "draws": found.draws, **axes,
        "cells": map_frame(found).to_dict("records"),
    }  # fmt: skip
