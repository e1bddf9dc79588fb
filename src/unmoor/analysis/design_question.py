"""What a design is asked: the arm, the numbers to look at, and the options, all checked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from typing import Any

from unmoor.analysis.trial_pool import ANIMALS
from unmoor.errors import Problem, StudyError, literal, nearest
from unmoor.trial.study import Study
from unmoor.trial.tumour_assay import tumour_assay

_MOST, _MOST_TRIALS = 400, 1_000_000
_FEWEST_TRIALS = 100


@dataclass(frozen=True)
class Choices:
    """What was asked for.

    Attributes
    ----------
    trials
        Simulated experiments for power, and as many for assurance.
    level
        Two-sided level of each test.
    target
        Power, or assurance, that is wanted.
    attrition
        Share of animals lost for reasons that have nothing to do with their arm.
    """

    trials: int
    level: float
    target: float
    attrition: float


def asked_alone(study: Study, arm: str | None, cell_line: str | None) -> Study:
    """Return the study with its control, one arm, one line and its xenograft of many animals.

    Raises
    ------
    StudyError
        If it has no such arm or line, no treated arm or no xenograft.
    """
    treated = [name for name in study.arms if name != study.control]
    problems = [*_unknown(study, "arm", arm, treated)]
    problems += _unknown(study, "cell_line", cell_line, study.cell_lines)
    try:
        settings: Any = tumour_assay(study)  # a frozen dataclass, as every kind of assay is
    except StudyError as error:
        problems += error.problems
    if not treated:
        problems.append(
            Problem(study.name, "arms", "control alone", "a treated arm", "", "E-EMPTY")
        )
    if problems:
        raise StudyError(problems)
    values = {each.name: getattr(settings, each.name) for each in fields(settings)}
    assay = type(settings).made({**values, "animals": ANIMALS})
    name = arm or treated[0]
    uncertainty = {"draws": study.uncertainty.draws, "sets": study.uncertainty.sets}
    alone: Study = study.replace(
        cell_lines=[cell_line or study.cell_lines[0]],
        arms={study.control: study.arms[study.control], name: study.arms[name]},
        assay=assay,
        uncertainty={**uncertainty, "rivals": False},
    )
    return alone


def _unknown(study: Study, field: str, name: str | None, known: Iterable[str]) -> Iterator[Problem]:
    names = list(known)
    if name is None or name in names or not names:
        return
    close = nearest(name, names)
    fix = f"did you mean {' or '.join(close)}?" if close else ""
    yield Problem(study.name, field, literal(name), f"one of {', '.join(names)}", fix, "E-CHOICE")


def checked_sizes(study: Study, sizes: Iterable[int]) -> list[int]:
    """Return the numbers of animals an arm in order, the study's own among them.

    Raises
    ------
    StudyError
        If one is out of range, or there is none.
    """
    own = [assay.animals for assay in study.assays if assay.has_tumours]
    given = sorted(set(sizes))
    for n in given:
        if not 2 <= n <= _MOST:
            expected = f"whole numbers from 2 to {_MOST}"
            raise StudyError(Problem("", "sizes", str(n), expected, "", "E-RANGE"))
    if not given:
        raise StudyError(Problem("", "sizes", "none", "at least one number", "", "E-RANGE"))
    return sorted({*given, *(n for n in own if 2 <= n <= _MOST)})


def check_choices(choices: Choices) -> None:
    """Refuse what is out of range.

    Raises
    ------
    StudyError
        With everything that is.
    """
    limits = {
        "trials": (_FEWEST_TRIALS, _MOST_TRIALS), "level": (1e-4, 0.5), "target": (0.01, 0.999),
        "attrition": (0.0, 0.9),
    }  # fmt: skip
    problems = []
    for name, (low, high) in limits.items():
        value = getattr(choices, name)
        if not low <= value <= high:
            expected = f"a number from {low:g} to {high:g}"
            problems.append(Problem("", name, f"{value:g}", expected, "", "E-RANGE"))
    if problems:
        raise StudyError(problems)
