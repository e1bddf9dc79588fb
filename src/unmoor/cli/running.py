"""Verbs that check and run studies: check, run, demo, resume, report."""

from __future__ import annotations

import importlib
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unmoor.cli.options import (
    Escape,
    Full,
    Json,
    Out,
    Prism,
    Report,
    Seed,
    Settings,
    Verbose,
    Workers,
)
from unmoor.cli.progress import duration, shown_progress
from unmoor.cli.streams import put, put_json, say, styled
from unmoor.cli.studies import check_workers, load_study, tell_warnings
from unmoor.errors import ExitCode, Interrupted, Problem, StudyError

if TYPE_CHECKING:
    from unmoor.assays.base import Assay
    from unmoor.trial.result import Result
    from unmoor.trial.study import Study

DEMO = "truong2014"
_START = 2.0
"""Time to start, on a core of 2020 [s]; for estimates only."""


def check(
    study: str,
    /,
    *,
    set_: Settings = None,
    json: Json = False,
    verbose: Verbose = False,
) -> int:
    """Check a study without running it, and echo it with all values resolved.

    Parameters
    ----------
    study
        A study file, the name of a catalog study, or - for standard input.
    """
    try:
        loaded = load_study(study, set_ or ())
    except StudyError as error:
        if json:
            put_json({"study": study, "problems": [_as_data(each) for each in error.problems]})
        raise
    runs = simulated_tumours(loaded)
    if json:
        problems = [_as_data(each) for each in loaded.warnings]
        about = {"study": loaded.name, "digest": loaded.digest(), "problems": problems}
        cost = {"tumours": runs, "seconds": _seconds(loaded)}
        put_json({**about, **cost, "resolved": loaded.to_toml()})
    else:
        put(loaded.to_toml().rstrip())
    tell_warnings(loaded)
    say(_size(loaded, runs))
    return ExitCode.OK


def run(
    study: str,
    /,
    *,
    out: Out = Path("runs"),
    seed: Seed = None,
    set_: Settings = None,
    escape: Escape = None,
    workers: Workers = None,
    json: Json = False,
    report: Report = None,
    verbose: Verbose = False,
) -> int:
    """Run a study; tables and report go to a new run folder, whose path is written.

    Parameters
    ----------
    study
        A study file, the name of a catalog study, or - for standard input.
    """
    check_workers(workers)
    direct = [f"model.escape={escape}"] if escape else []
    loaded = load_study(study, [*(set_ or ()), *direct], seed)
    tell_warnings(loaded)
    from unmoor.trial.run import run as run_study

    wants_report = report if report is not None else not json
    with shown_progress() as progress:
        _load_ahead("unmoor.report.html" if wants_report else "unmoor.trial.tables")
        result = run_study(loaded, workers=workers, out=out, progress=progress)
    return _finish(result, json=json, wants_report=wants_report)


def demo(
    *,
    out: Out = Path("runs"),
    workers: Workers = None,
    json: Json = False,
    verbose: Verbose = False,
) -> int:
    """Run the study truong2014 and say where its report lies."""
    return run(DEMO, out=out, workers=workers, json=json, report=True, verbose=verbose)


def resume(
    folder: Path,
    /,
    *,
    workers: Workers = None,
    json: Json = False,
    report: Report = None,
    verbose: Verbose = False,
) -> int:
    """Go on with a run that was stopped; the result is the same as if it had not been.

    Parameters
    ----------
    folder
        The run folder.
    """
    check_workers(workers)
    from unmoor.trial.run import resume as resume_run

    with shown_progress() as progress:
        result = resume_run(folder, workers=workers, progress=progress)
    return _finish(result, json=json, wants_report=report if report is not None else not json)


def remake_report(
    folder: Path,
    path: Path | None = None,
    /,
    *,
    full: Full = False,
    prism: Prism = False,
    verbose: Verbose = False,
) -> int:
    """Make the report of a finished run anew, and write its path.

    Parameters
    ----------
    folder
        The run folder.
    path
        Where the report goes; into the run folder if not given.
    """
    from unmoor.report import report as make_report
    from unmoor.trial.result import Result

    result = Result.load(folder)
    target = folder / "report.html" if path is None else path
    put(str(make_report(result, target, full=full, prism=prism)))
    return ExitCode.OK


def _load_ahead(module: str) -> None:
    """Import in the background, while workers compute, what is needed only when they are done."""
    threading.Thread(target=importlib.import_module, args=(module,), daemon=True).start()


def _finish(result: Result, *, json: bool, wants_report: bool) -> int:
    """Write what came out, and make the report unless it is not wanted."""
    from unmoor.cli.summary import document, summary_lines

    assert result.path is not None  # a run from here always has a folder
    say(*summary_lines(result))
    put_json(document(result)) if json else put(str(result.path))
    if wants_report:
        say(f"report: {styled(str(_report(result, result.path)), 'bold')}")
    return ExitCode.FAILED_ANIMALS if result.n_failed else ExitCode.OK


def _report(result: Result, folder: Path) -> Path:
    from unmoor.report import report

    try:
        return report(result, folder / "report.html")
    except KeyboardInterrupt:
        raise Interrupted(
            f"stopped; all tables are done. Make the report with: unmoor report {folder}"
        ) from None


def _as_data(problem: Problem) -> dict[str, Any]:
    names = ("severity", "code", "where", "field", "got", "expected", "fix")
    return {**{name: getattr(problem, name) for name in names}, "message": str(problem)}


def simulated_tumours(study: Study) -> int:
    """Tumours and cultures a run simulates: line × assay × arm × draw.

    Tumours are run under each structure of the model.
    """
    kinds = sum(_structures(study, assay) for assay in study.assays)
    return len(study.cell_lines) * len(study.arms) * study.uncertainty.draws * kinds


def _structures(study: Study, assay: Assay) -> int:
    """Structures of the model under which an assay is run."""
    is_rival_itself = study.model.e_readout == "cdh1"
    rivals = (3 if is_rival_itself else 4) if study.uncertainty.rivals else 0
    return 1 + rivals if assay.has_tumours else 1


def _seconds(study: Study) -> float:
    """Time that a run takes on one core, roughly; the reference set costs what an assay says."""
    arms = len(study.cell_lines) * len(study.arms)
    draws = study.uncertainty.draws
    return _START + arms * sum(
        (_structures(study, assay) * draws + assay.reference_sets) * assay.seconds
        for assay in study.assays
    )


def _size(study: Study, tumours: int) -> str:
    numbers = dict.fromkeys(str(assay.animals) for assay in study.assays if assay.animals)
    animals = f" × {' or '.join(numbers)} animals" if numbers else ""
    what = "tumours" if numbers else "cultures"
    return (
        f"{_count(len(study.cell_lines), 'cell line')} × {_count(len(study.arms), 'arm')}"
        f"{animals}, {_count(study.uncertainty.draws, 'parameter draw')}: {tumours} "
        f"simulated {what}, roughly {duration(_seconds(study))} on one core; "
        f"{_count(len(study.warnings), 'warning')}"
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
