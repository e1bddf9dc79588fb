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
        if path is None or not _put(raw, path, _value(text)):
            expected = "a field of this study, such as uncertainty.draws or assays[0].animals"
            problems.append(Problem(_WHERE, "", literal(name), expected, "", "E-SET"))
        else:
            changed.append(path)
    if problems:
        raise StudyError(problems)

    def locate_changed(path: FieldPath, at_key: bool) -> str:
        is_changed = any(path[: len(prefix)] == prefix for prefix in changed)
        return _WHERE if is_changed else locate(path, at_key)

    return locate_changed


def _field_path(name: str) -> FieldPath | None:
    path: FieldPath = ()
    at = 0
    while at < len(name):
        match = _PART.match(name, at)
        if match is None:
            return None
        bare, double, single, index = match.groups()
        part = bare if bare is not None else double if double is not None else single
        path = (*path, int(index) if part is None else part)
        at = match.end()
    return path or None


def _put(raw: Any, path: FieldPath, value: object) -> bool:
    """Put a value at a path, making the tables it needs; whether there was a place for it."""
    for part, following in zip(path, (*path[1:], None), strict=True):
        is_last = following is None
        if isinstance(raw, dict) and isinstance(part, str):
            if is_last:
                raw[part] = value
            elif part not in raw and isinstance(following, str):
                raw[part] = {}
            elif part not in raw:
                return False
        elif isinstance(raw, list) and isinstance(part, int) and part < len(raw):
            if is_last:
                raw[part] = value
        else:
            return False
        raw = raw[part]
    return True


def _value(text: str) -> object:
    try:
        read = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):
        return text
    return read["value"] if set(read) == {"value"} else text
