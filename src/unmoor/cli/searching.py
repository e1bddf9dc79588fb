"""Verbs that look for treatments: search and matrix."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from unmoor.cli.analyses import Kept, Out, analysis_folder, memory_folder, study_to_analyse
from unmoor.cli.options import Json, Seed, Settings, Verbose, Workers
from unmoor.cli.progress import shown_progress
from unmoor.cli.streams import put, put_json, say
from unmoor.errors import ExitCode, Problem, StudyError

if TYPE_CHECKING:
    from unmoor.analysis.search import Searched

Axis = Annotated[
    str | None,
    Parameter(help='ARM.TREATMENT.FIELD=LEVEL,LEVEL,…: "block.anti_itgb1.dose=0 mg/kg,1 mg/kg,…".'),
]


def search(
    study: str,
    /,
    *,
    candidates: Annotated[int | None, Parameter(help="Treatments tried.")] = None,
    robust: Annotated[
        Literal["own", "all"],
        Parameter(help="Judge by the study's own structure, or by the worst of all."),
    ] = "own",
    out: Out = Path("runs"),
    seed: Seed = None,
    set_: Settings = None,
    workers: Workers = None,
    memory: Kept = None,
    json: Json = False,
    verbose: Verbose = False,
) -> int:
    """Search for treatments that keep the tumour in check and do not spread it.

    Parameters
    ----------
    study
        A study file with a [search] table, the name of a catalog study, or - for standard input.
    """
    loaded = study_to_analyse(study, set_, seed, workers)
    from unmoor.analysis.search import search as search_study
    from unmoor.report.search_page import summary, write_search_page

    with shown_progress() as progress:
        found = search_study(
            loaded, candidates=candidates, robust=robust, memory=memory_folder(out, memory),
            workers=workers, progress=progress,
        )  # fmt: skip
    folder = analysis_folder(out, found.study, "search")
    page = write_search_page(folder, found)
    say(*summary(found))
    put_json(_document(found, folder)) if json else put(str(folder))
    say(f"report: {page}")
    return ExitCode.OK


def _document(found: Searched, folder: Path) -> dict[str, Any]:
    from unmoor.report.search_page import front_table

    table = front_table(found)
    own = {each.key for each in found.space.varied}
    verified = [
        {key: value for key, value in row.items() if key not in own}
        for row in table.to_dict("records")
    ]
    return {
        "folder": str(folder),
        "tried": len(found.tried),
        "allowed": sum(each.is_allowed for each in found.tried),
        "front": [
            {"treatment": str(number), "values": dict(each.values), "outcomes": dict(each.outcomes)}
            for number, each in enumerate(found.front, 1)
        ],
        "verified": verified,
    }


def matrix(
    study: str,
    /,
    *,
    first: Axis = None,
    second: Axis = None,
    out: Out = Path("runs"),
    seed: Seed = None,
    set_: Settings = None,
    workers: Workers = None,
    memory: Kept = None,
    json: Json = False,
    verbose: Verbose = False,
) -> int:
    """Foretell tumour and spread over two doses, or a dose and a day, with synergy of both.

    Parameters
    ----------
    study
        A study file, the name of a catalog study, or - for standard input. Without --first and
        --second, the first two numbers of its [search] table are the axes.
    """
    loaded = study_to_analyse(study, set_, seed, workers)
    vary = _axes(first, second)
    from unmoor.analysis.matrix import matrix as foretell_matrix
    from unmoor.report.matrix_page import matrix_summary, matrix_table, write_matrix_page

    with shown_progress() as progress:
        found = foretell_matrix(
            loaded, vary, memory=memory_folder(out, memory), workers=workers, progress=progress
        )
    folder = analysis_folder(out, found.study, "matrix")
    page = write_matrix_page(folder, found)
    say(*matrix_summary(found))
    if json:
        put_json({"folder": str(folder), "cells": matrix_table(found).to_dict("records")})
    else:
        put(str(folder))
    say(f"report: {page}")
    return ExitCode.OK


def _axes(first: str | None, second: str | None) -> dict[str, list[Any]] | None:
    if first is None and second is None:
        return None
    axes: dict[str, list[Any]] = {}
    for option, text in (("--first", first), ("--second", second)):
        key, equals, levels = (text or "").rpartition("=")
        if not equals:
            expected = "both axes, as ARM.TREATMENT.FIELD=LEVEL,LEVEL,…"
            fix = f'write {option} "block.anti_itgb1.dose=0 mg/kg,1 mg/kg,10 mg/kg"'
            raise StudyError(Problem(option, "", text or "", expected, fix, "E-USAGE"))
        axes[key.strip()] = [_level(part.strip()) for part in levels.split(",")]
    return axes


def _level(text: str) -> object:
    """A number without a unit where there is none, as in a study file."""
    try:
        return float(text)
    except ValueError:
        return text
