"""Studies as a command line names them: a file, a catalog name, ``-``, or the folder of a run."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from unmoor.cli.streams import say, styled
from unmoor.errors import Problem, StudyError, literal

if TYPE_CHECKING:
    from unmoor.trial.study import Study

STDIN = "<stdin>"
"""What ``-`` is replaced with, since a lone hyphen looks like an unknown option."""


def load_study(name: str, settings: Sequence[str] = (), seed: int | None = None) -> Study:
    """Read a study, with values changed by ``KEY=VALUE`` settings and a seed.

    Raises
    ------
    StudyError
        With everything that is wrong with it.
    """
    from unmoor.trial.study import Study

    changes = _changes(settings)
    if seed is not None:
        changes["seed"] = str(seed)
    if name == STDIN:
        return Study.loads(_standard_input(), beside=Path.cwd(), settings=changes)
    return Study.load(name, changes)


def study_text(name: str) -> str:
    """Return the text of a study file, comments and all."""
    from unmoor.trial.study_file import find_study, read_file

    return _standard_input() if name == STDIN else read_file(find_study(name))


def is_run(path: Path) -> bool:
    """Return whether a path is the folder of a run."""
    return (path / "provenance.json").is_file() and (path / "study.toml").is_file()


def check_workers(workers: int | None) -> None:
    """Refuse a number of workers that is none.

    Raises
    ------
    StudyError
        If it is less than one.
    """
    if workers is not None and workers < 1:
        expected = "a whole number of at least 1"
        raise StudyError(Problem("--workers", "", str(workers), expected, "", "E-USAGE"))


def tell_warnings(study: Study) -> None:
    """Say what a study warns of."""
    say(*(styled(str(warning), "yellow") for warning in study.warnings))


def _changes(settings: Sequence[str]) -> dict[str, str]:
    changes = {}
    problems = []
    for setting in settings:
        key, equals, value = setting.partition("=")
        if equals and key.strip():
            changes[key.strip()] = value.strip()
        else:
            expected = "KEY=VALUE, such as uncertainty.draws=20"
            problems.append(Problem("--set", "", literal(setting), expected, "", "E-SET"))
    if problems:
        raise StudyError(problems)
    return changes


def _standard_input() -> str:
    data = sys.stdin.buffer.read()
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        column = len(before) - before.rfind(b"\n")
        where = f"<stdin>:{before.count(10) + 1}:{column}"
        got = f"byte {data[error.start]:#04x}"
        raise StudyError(Problem(where, "", got, "text in UTF-8", "", "E-ENCODING")) from error
