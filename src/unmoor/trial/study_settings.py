"""Single values of a study changed from the command line: ``--set uncertainty.draws=20``."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from typing import Any

from unmoor.errors import Problem, StudyError, literal
from unmoor.findings import FieldPath, Locate

_PART = re.compile(r"""\.?(?:([\w-]+)|"((?:[^"\\]|\\.)*)"|'([^']*)')|\[(\d{1,6})\]""")
_WHERE = "--set"


def apply_settings(raw: dict[str, Any], settings: Mapping[str, str], locate: Locate) -> Locate:
    """Change values of a study file before it is checked.

    Parameters
    ----------
    raw
        Content of the file; changed in place.
    settings
        Values by dotted field, both as they are written in messages:
        ``{'arms."anti-β1"[0].dose': "5 mg/kg"}``. A value is TOML, or else plain text.
    locate
        Gives the place of a field in the file.

    Returns
    -------
        A function that gives the place of a field, which for a changed one is not in the file.

    Raises
    ------
    StudyError
        If a field cannot be set because there is no such place.
    """
    problems = []
    changed: list[FieldPath] = []
    for name, text in settings.items():
        path = _field_path(name)
        n_parts = _put(raw, path, _value(text)) if path else 0
        if path and n_parts:
            changed.append(path[:n_parts])
        else:
            expected = "a field of this study, such as uncertainty.draws or assays[0].animals"
            problems.append(Problem(_WHERE, "", literal(name), expected, "", "E-SET"))
    if problems:
        raise StudyError(problems)

    def locate_changed(path: FieldPath, at_key: bool) -> str:
        is_changed = any(path[: len(prefix)] == prefix for prefix in changed)
        return _WHERE if is_changed else locate(path, at_key)

    return locate_changed


def _field_path(name: str) -> FieldPath:
    """Return the path a dotted field stands for; empty if it is not one."""
    path: FieldPath = ()
    at = 0
    while match := _PART.match(name, at):
        bare, double, single, index = match.groups()
        part = next((text for text in (bare, double, single) if text is not None), None)
        path = (*path, int(index) if part is None else part)
        at = match.end()
    return path if at == len(name) else ()


def _put(raw: Any, path: FieldPath, value: object) -> int:
    """Put a value at a path, making the tables it needs.

    Returns
    -------
        How many parts of the path lead to the first thing changed; 0 if there is no such place.
    """
    for depth, part in enumerate(path, 1):
        if isinstance(raw, dict) and isinstance(part, str):
            if depth == len(path) or part not in raw:
                for missing in reversed(path[depth:]):
                    if isinstance(missing, int):
                        return 0
                    value = {missing: value}
                raw[part] = value
                return depth
        elif isinstance(raw, list) and isinstance(part, int) and part < len(raw):
            if depth == len(path):
                raw[part] = value
                return depth
        else:
            return 0
        raw = raw[part]
    return 0


def _value(text: str) -> object:
    try:
        read = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):
        return text
    return read["value"] if set(read) == {"value"} else text
