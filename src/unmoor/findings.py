"""Everything wrong with a study, collected with its place before anything is said.

:class:`Findings` gathers problems while a study is read, so that all of them are told at once.
The functions write field names, keys and values the way a study file does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from unmoor.errors import Problem, StudyError, literal

FieldPath = tuple[str | int, ...]
Locate = Callable[[FieldPath, bool], str]
T = TypeVar("T")

_BARE_KEY = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")


@dataclass
class Findings:
    """Everything found wrong so far.

    Parameters
    ----------
    locate
        Gives the place of a field in its file (of its key if the second argument is true), or "".
    prefix
        What dotted names start with; the class's name where a file has no say.
    """

    locate: Locate = lambda path, at_key: ""
    prefix: FieldPath = ()
    problems: list[Problem] = field(default_factory=list)

    def add(
        self,
        path: FieldPath,
        got: str,
        expected: str,
        fix: str,
        code: str,
        *,
        at_key: bool = False,
    ) -> None:
        """Record a problem of the field at ``path``; codes starting with W are warnings."""
        where = self.locate(path, at_key)
        severity: Any = "warning" if code.startswith("W-") else "error"
        name = dotted(self.prefix + path)
        self.problems.append(Problem(where, name, got, expected, fix, code, severity))

    def relay(self, problem: Problem, path: FieldPath, *, at_key: bool = False) -> None:
        """Record a problem that another part found, as one of the field at ``path``."""
        name = dotted(self.prefix + path)
        self.problems.append(problem.at(self.locate(path, at_key), name))

    @property
    def errors(self) -> list[Problem]:
        """The problems that stop a run, in the order of the file."""
        return self._of("error")

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """The problems that do not, in the order of the file."""
        return tuple(self._of("warning"))

    def _of(self, severity: str) -> list[Problem]:
        chosen = dict.fromkeys(each for each in self.problems if each.severity == severity)
        return sorted(chosen, key=_line_and_column)

    def raise_errors(self) -> None:
        """Raise all errors at once, if there are any; warnings are told with them."""
        if self.errors:
            raise StudyError([*self.errors, *self.warnings])


def _line_and_column(problem: Problem) -> tuple[int, ...]:
    place = problem.where.split(":")[-2:]
    return tuple(int(part) for part in place if part.isdecimal())


def dotted(path: FieldPath) -> str:
    """Return a path as it is written in a study file: ``arms."block + prevent"[0].dose``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{key(part)}"
    return text.removeprefix(".")


def key(name: str) -> str:
    """Return a key as TOML wants it: bare where it can be, otherwise in quotes."""
    return name if name and set(name) <= _BARE_KEY else literal(name)


def show(value: object) -> str:
    """Return any value as it would stand in a file, however odd it is."""
    try:
        return literal(value) or '""'
    except (ValueError, RecursionError):  # whole numbers of thousands of digits, endless nesting
        return f"a very large {type(value).__name__}"


class FrozenMap(Mapping[str, T], Generic[T]):
    """A mapping that cannot change, keeps its order, and can be hashed and pickled."""

    __slots__ = ("_content",)
    _content: dict[str, T]

    def __init__(self, content: Mapping[str, T]) -> None:
        object.__setattr__(self, "_content", dict(content))

    def __setattr__(self, name: str, value: object) -> None:
        """Refuse: the mapping never changes once made."""
        raise AttributeError(f"a FrozenMap is frozen: cannot set {name}")

    def __reduce__(self) -> tuple[type[FrozenMap[T]], tuple[dict[str, T]]]:
        """Pickle by content, since the frozen slots cannot be set one by one."""
        return FrozenMap, (self._content,)

    def __getitem__(self, key: str) -> T:
        """Return the value of a key."""
        return self._content[key]

    def __iter__(self) -> Iterator[str]:
        """Iterate over keys in the order given."""
        return iter(self._content)

    def __len__(self) -> int:
        """Return the number of keys."""
        return len(self._content)

    def __hash__(self) -> int:
        """Hash by content, independent of order."""
        return hash(frozenset(self._content.items()))

    def __repr__(self) -> str:
        """Show the content as a dict would."""
        return repr(self._content)
