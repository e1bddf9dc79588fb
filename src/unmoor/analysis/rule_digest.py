"""The rule from molecular levels to a line as one number, which was fixed before the first run."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from unmoor import catalog

_CODE = ("cell/line_rule.py", "cell/levels.py", "analysis/panel_levels.py")
_CLOSURES = ("line_rule", "line_levels")


@cache
def rule_digest() -> str:
    """SHA-256 of the rule: how levels are read, what follows from them, and all its numbers."""
    root = Path(__file__).parents[1]
    found = hashlib.sha256()
    files = [root / name for name in _CODE]
    files += [catalog.ROOT / "closures" / name / "parameters.tsv" for name in _CLOSURES]
    for path in files:
        found.update(f"{path.relative_to(root).as_posix()}\n".encode())
        found.update(path.read_bytes())
    return found.hexdigest()


def recorded_digest() -> str:
    """The digest that was recorded when the rule was last fixed (``closures/line_rule``)."""
    return str(catalog.about("closures", "line_rule").get("digest", ""))
