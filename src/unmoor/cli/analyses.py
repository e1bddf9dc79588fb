"""What verbs that analyse a study share: its options, and the folder the results go to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from unmoor.cli.studies import check_workers, load_study, tell_warnings

if TYPE_CHECKING:
    from unmoor.trial.study import Study

Out = Annotated[Path, Parameter(help="Folder in which the folder of the analysis is made.")]
Kept = Annotated[
    Path | None,
    Parameter(
        name="--memory",
        help="Folder that keeps what was computed for the next time; cache beside --out's folders "
        "if not given.",
    ),
]


def study_to_analyse(
    name: str, settings: Sequence[str] | None, seed: int | None, workers: int | None
) -> Study:
    """Read a study with what the command line changes, and tell its warnings.

    Raises
    ------
    StudyError
        With everything that is wrong.
    """
    check_workers(workers)
    study = load_study(name, settings or (), seed)
    tell_warnings(study)
    return study


def memory_folder(out: Path, memory: Path | None) -> Path:
    """Return the folder in which an analysis keeps what it computed."""
    return out / "cache" if memory is None else memory


def analysis_folder(out: Path, study: Study, verb: str) -> Path:
    """Make ``OUT/<study>-<verb>``, with -2, -3 … if it is taken, and put the study into it.

    Raises
    ------
    ResourceError, RunFolderError
        If the folder or the file cannot be written.
    """
    from unmoor.trial.atomic import write_file

    path = new_folder(out, study.name, verb)
    write_file(path / "study.toml", study.to_toml().encode("utf-8"))
    return path


def new_folder(out: Path, what: str, verb: str) -> Path:
    """Make ``OUT/<what>-<verb>``, with -2, -3 … if it is taken.

    Raises
    ------
    ResourceError, RunFolderError
        If the folder cannot be made.
    """
    from unmoor.trial.atomic import refusals_told
    from unmoor.trial.file_names import file_name

    name = f"{file_name(what)}-{verb}"
    path, number = out / name, 1
    with refusals_told(path, 0):
        out.mkdir(parents=True, exist_ok=True)
        while True:
            try:
                path.mkdir()
                return path
            except FileExistsError:
                number += 1
                path = out / f"{name}-{number}"
