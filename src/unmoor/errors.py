"""What can go wrong, and how it is said.

The exception tree, with the exit code a command ends with::

    UnmoorError                     1
    ├── StudyError                  2   a study file or study object is wrong
    ├── CatalogError                2   no such cell line, drug, host …, or its folder is wrong
    ├── ParameterError              2   a number is missing, not finite or out of its range
    ├── UnitError                   2   a quantity such as "10 mg" where "10 mg/kg" is needed
    ├── RunFolderError              2   a run folder is damaged, in use or of another study
    ├── SimulationError             1   the equations could not be solved
    ├── Interrupted                 4   stopped on request; the run can be resumed
    └── ResourceError               5   disk or memory ran out, or a disk may not be written to

Anything a person can put right is told as a :class:`Problem`, and every problem is printed by
:func:`format_problem`, so that the command line, the Python interface and the report say the same.
"""

from __future__ import annotations

import difflib
import json
import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import ClassVar, Literal

MAX_LINE = 200
"""Longest line :func:`format_problem` writes [characters]."""

_ELLIPSIS = "…"


class ExitCode(IntEnum):
    """What the exit status of a command means."""

    OK = 0
    OTHER = 1
    BAD_INPUT = 2
    FAILED_ANIMALS = 3
    STOPPED = 4
    RESOURCE = 5


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, where it is, what would be right and what to do.

    Parameters
    ----------
    where
        Place in a file, such as ``"bad.toml:9:38"``; empty when the value came from Python.
    field
        Dotted name of the value, such as ``"arms.block[0].dose"``.
    got
        The value as it would be written in the file (see :func:`literal`); empty when none.
    expected
        What would be right, as a noun phrase: ``"dose per body mass, 0-1000 mg/kg"``.
    fix
        What to do, as a command: ``'write "10 mg/kg"'``; may be empty.
    code
        Short stable name of the kind of problem, such as ``"E-UNIT"``.
    severity
        A warning is told but does not stop a run.
    """

    where: str
    field: str
    got: str
    expected: str
    fix: str
    code: str
    severity: Literal["error", "warning"] = "error"

    def at(self, where: str, field: str) -> Problem:
        """Return the same problem at another place, for callers that know the place better."""
        return replace(self, where=where, field=field)

    def __str__(self) -> str:
        return format_problem(self)


class UnmoorError(Exception):
    """Anything unmoor raises on purpose.

    Parameters
    ----------
    what
        A message, one problem, or several.
    code
        Short stable name of the kind of error; used with a message, since problems have their own.
    """

    exit_code: ClassVar[ExitCode] = ExitCode.OTHER
    default_code: ClassVar[str] = "E-ERROR"

    def __init__(self, what: str | Problem | Iterable[Problem], *, code: str = "") -> None:
        self.problems: tuple[Problem, ...]
        if isinstance(what, str):
            self.message, self.problems = what, ()
        else:
            self.message = ""
            self.problems = (what,) if isinstance(what, Problem) else tuple(what)
        first = self.problems[0].code if self.problems else ""
        self.code = code or first or self.default_code
        # The arguments alone must rebuild the error when it crosses to another process.
        super().__init__(self.message or self.problems)

    def __str__(self) -> str:
        if not self.problems:
            return f"{_printable(self.message)} [{self.code}]"
        return "\n".join(format_problem(problem) for problem in self.problems)


class StudyError(UnmoorError):
    """A study that cannot be run, with everything that is wrong with it."""

    exit_code = ExitCode.BAD_INPUT
    default_code = "E-STUDY"

    def __str__(self) -> str:
        if not self.problems:
            return super().__str__()
        warnings = sum(problem.severity == "warning" for problem in self.problems)
        counts = [_count(len(self.problems) - warnings, "problem")]
        if warnings:
            counts.append(_count(warnings, "warning"))
        return f"{super().__str__()}\n{', '.join(counts)}, nothing was run"


class CatalogError(UnmoorError):
    """A name the catalog does not hold, or an entry that cannot be read."""

    exit_code = ExitCode.BAD_INPUT
    default_code = "E-CATALOG"


class ParameterError(UnmoorError):
    """A number that is missing, not finite or outside its range."""

    exit_code = ExitCode.BAD_INPUT
    default_code = "E-PARAMETER"


class UnitError(UnmoorError):
    """A quantity that cannot be read: no number, no unit, or a unit of another dimension."""

    exit_code = ExitCode.BAD_INPUT
    default_code = "E-UNIT"

    @property
    def got(self) -> str:
        """The quantity as it was written."""
        return self.problems[0].got if self.problems else ""

    @property
    def expected(self) -> str:
        """What would be right."""
        return self.problems[0].expected if self.problems else self.message

    @property
    def fix(self) -> str:
        """What to write instead."""
        return self.problems[0].fix if self.problems else ""


class RunFolderError(UnmoorError):
    """A run folder that is damaged, in use by another process, or of another study."""

    exit_code = ExitCode.BAD_INPUT
    default_code = "E-RUN"


class SimulationError(UnmoorError):
    """Equations that could not be solved; a single animal that fails is a row, not an error."""

    default_code = "E-SIMULATION"


class Interrupted(UnmoorError):  # noqa: N818 - nothing went wrong: a person asked to stop
    """A run that was stopped on request and can be resumed."""

    exit_code = ExitCode.STOPPED
    default_code = "E-STOPPED"


class ResourceError(UnmoorError):
    """The disk or the memory ran out; what was written before is intact."""

    exit_code = ExitCode.RESOURCE
    default_code = "E-RESOURCE"


def format_problem(problem: Problem) -> str:
    """Say a problem in one line of at most 200 characters: where · what · allowed · fix · code.

    Parameters
    ----------
    problem
        The problem; long values are shortened, control characters are shown as escapes.

    Examples
    --------
    >>> print(format_problem(Problem("bad.toml:9:38", "arms.block[0].dose", '"10 mg"',
    ...     "dose per body mass, 0-1000 mg/kg", 'write "10 mg/kg"', "E-UNIT")))
    bad.toml:9:38  arms.block[0].dose = "10 mg": expected dose per body mass, 0-1000 mg/kg; \
write "10 mg/kg" [E-UNIT]
    """
    parts = {
        "where": _printable(problem.where),
        "field": _printable(problem.field),
        "got": _printable(problem.got),
        "expected": _printable(problem.expected).removeprefix("expected "),
        "fix": _printable(problem.fix),
        "code": _clip(_printable(problem.code), 20),
    }
    warning = problem.severity == "warning"
    # Least informative first: a long value is known to whoever wrote it, the expectation is not.
    for name, least in (("got", 12), ("where", 28), ("field", 28), ("fix", 30), ("expected", 40)):
        excess = len(_assemble(parts, warning=warning)) - MAX_LINE
        if excess <= 0:
            break
        kept = max(least, len(parts[name]) - excess)
        parts[name] = _clip(parts[name], kept, keep_end=name in ("where", "field"))
    return _assemble(parts, warning=warning)


def literal(value: object) -> str:
    """Write a value the way a study file would: ``"text"``, ``true``, ``1.5``, ``nan``, ``[…]``.

    Examples
    --------
    >>> literal("10 mg"), literal(True), literal(float("inf"))
    ('"10 mg"', 'true', 'inf')
    """
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and not math.isfinite(value):
        return str(float(value))
    if isinstance(value, (list, tuple)):
        shown = [literal(item) for item in value[:4]] + ([_ELLIPSIS] if len(value) > 4 else [])
        return f"[{', '.join(shown)}]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_ELLIPSIS}" for key in list(value)[:4]) + " }"
    return "nothing" if value is None else str(value)


def nearest(
    name: str, allowed: Iterable[str], n: int = 3, *, likeness: float = 0.3
) -> tuple[str, ...]:
    """Return the allowed names most like the one given, best first, at most ``n``.

    Case, spaces, hyphens and underscores do not count, so ``mda mb 231`` finds ``MDA-MB-231``.

    Parameters
    ----------
    name
        The name as it was written.
    allowed
        The names it could have been.
    n
        How many to return at most.
    likeness
        Least likeness, from 0 to 1; the default finds a name of three with two wrong letters.

    Examples
    --------
    >>> nearest("4t-1", ["HCC1806", "4T1", "MDA-MB-231"])
    ('4T1',)
    """
    wanted = _plain(name)
    ranked = []
    for candidate in dict.fromkeys(allowed):
        matcher = difflib.SequenceMatcher(None, wanted, _plain(candidate), autojunk=False)
        if matcher.ratio() >= likeness:
            ranked.append((-matcher.ratio(), candidate))
    return tuple(candidate for _, candidate in sorted(ranked)[:n])


def _plain(name: str) -> str:
    """A name without what people vary; cut, since a pasted page is not a name."""
    return "".join(letter for letter in name[:100].casefold() if letter not in "-_ ")


def _assemble(parts: dict[str, str], *, warning: bool) -> str:
    where = f"{parts['where']}  " if parts["where"] else ""
    label = "warning: " if warning else ""
    value = f" = {parts['got']}" if parts["field"] and parts["got"] else parts["got"]
    fix = f"; {parts['fix']}" if parts["fix"] else ""
    subject = f"{parts['field']}{value}"
    subject = f"{subject}: " if subject else ""
    return f"{where}{label}{subject}expected {parts['expected']}{fix} [{parts['code']}]"


def _clip(text: str, length: int, *, keep_end: bool = False) -> str:
    if len(text) <= length:
        return text
    if keep_end:
        return _ELLIPSIS + text[len(text) - length + 1 :]
    kept = text[: length - 1]
    # A value cut inside its quotes is closed again, so that the line still reads.
    return f"{kept[:-1]}{_ELLIPSIS}{text[-1]}" if text[-1] in "\"'" else kept + _ELLIPSIS


def _printable(text: str) -> str:
    """The text on one line: line breaks, control characters and stray surrogates escaped."""
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode("ascii")
        for letter in text
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
