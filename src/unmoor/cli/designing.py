"""The verb that says how many animals an experiment needs: design."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from unmoor.cli.analyses import (
    Kept,
    Out,
    analysis_folder,
    memory_folder,
    study_to_analyse,
)
from unmoor.cli.options import Json, Report, Seed, Settings, Verbose, Workers
from unmoor.cli.progress import shown_progress
from unmoor.cli.streams import columns, put, put_json, say, styled
from unmoor.errors import ExitCode, Problem, StudyError, literal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from unmoor.analysis.design import Design

_Arm = Annotated[str | None, Parameter(help="Treated arm; the first one if not given.")]
_Line = Annotated[str | None, Parameter(help="Cell line; the first one if not given.")]
_Sizes = Annotated[
    str | None,
    Parameter(name="--n", help="Animals an arm to look at, as 5,8,10 or 5-40.", show_default=False),
]
_Animals = Annotated[
    int | None, Parameter(help="Animals an arm of protocol and list; those needed if not given.")
]
_Attrition = Annotated[
    float | None, Parameter(help="Share of animals lost; that of the catalog if not given.")
]


def design(
    study: str,
    /,
    *,
    arm: _Arm = None,
    line: _Line = None,
    n: _Sizes = None,
    trials: Annotated[int, Parameter(help="Simulated experiments a curve.")] = 2000,
    level: Annotated[float, Parameter(help="Two-sided level of each test.")] = 0.05,
    power: Annotated[float, Parameter(help="Power and assurance wanted.")] = 0.8,
    attrition: _Attrition = None,
    animals: _Animals = None,
    out: Out = Path("runs"),
    memory: Kept = None,
    seed: Seed = None,
    set_: Settings = None,
    workers: Workers = None,
    json: Json = False,
    report: Report = None,
    verbose: Verbose = False,
) -> int:
    """Say how many animals show the shrinkage, and how many show the spread.

    A folder gets report, protocol, preregistration draft, randomisation list and blinding key.

    Parameters
    ----------
    study
        A study file, the name of a catalog study, or - for standard input.
    """
    loaded = study_to_analyse(study, set_, seed, workers)
    options: dict[str, Any] = {"sizes": _sizes(n)} if n is not None else {}
    if animals is not None and animals < 1:
        expected = "a whole number of at least 1"
        raise StudyError(Problem("--animals", "", str(animals), expected, "", "E-USAGE"))
    from unmoor.analysis.design import design as design_study
    from unmoor.analysis.memory import Memory

    with shown_progress() as progress:
        found = design_study(
            loaded, arm=arm, cell_line=line, trials=trials, level=level, target=power,
            attrition=attrition, memory=Memory(memory_folder(out, memory)), workers=workers,
            progress=progress, **options,
        )  # fmt: skip
    folder = analysis_folder(out, loaded, "design")
    say(*_lines(found))
    return _finish(found, folder, animals, json=json, wants_report=report is not False)


def _finish(
    found: Design, folder: Path, animals: int | None, *, json: bool, wants_report: bool
) -> int:
    from unmoor.analysis.design_messages import summary

    if wants_report:
        from unmoor.report.design_page import write_design

        path = write_design(found, folder, animals=animals)
        say(f"report: {styled(str(path), 'bold')}")
    else:
        from unmoor.trial.atomic import write_file
        from unmoor.trial.csv_text import csv_text

        write_file(folder / "power.csv", csv_text(found.table).encode())
    put_json({**summary(found), "folder": str(folder)}) if json else put(str(folder))
    return ExitCode.OK


def _lines(found: Design) -> Iterator[str]:
    """Table and messages for people."""
    from unmoor.analysis.design_messages import messages

    choices = found.choices
    yield (
        f"{found.cell_line}, {found.arm} against {found.study.control}: {found.draws} parameter "
        f"sets, {choices.trials} experiments a number, two-sided {choices.level:g}, "
        f"{100 * choices.attrition:g} % lost"
    )
    rows = [("end point", "n", "power", "95 %", "assurance", "95 %")]
    for row in found.table.to_dict("records"):
        shares = [
            cell
            for name in ("power", "assurance")
            for cell in (f"{row[name]:.2f}", f"{row[f'{name}_low']:.2f}–{row[f'{name}_high']:.2f}")
        ]
        rows.append((row["end_point"], str(row["n"]), *shares))
    yield from columns(rows)
    first, *rest = messages(found)
    yield styled(first, "bold")
    yield from rest


def _sizes(text: str) -> list[int]:
    """Numbers as they are written: ``5,8,10`` or ``5-40``.

    Raises
    ------
    StudyError
        If they are not.
    """
    found: list[int] = []
    for part in text.replace(" ", "").split(","):
        low, dash, high = part.partition("-")
        ends = (low, high if dash else low)
        if not all(end.isdecimal() and len(end) <= 4 for end in ends):
            expected = "whole numbers, as 5,8,10 or 5-40"
            raise StudyError(Problem("--n", "", literal(text), expected, "", "E-USAGE"))
        found += range(int(ends[0]), int(ends[1]) + 1)
    return found
