"""What decides the order of lines in a screen as one number, so that a change of it cannot hide.

It covers what leads from levels, or from an expression table, to the scored ranking: the reading
of a panel and of expression, the rule, the test of the cells, groups and areas, and the numbers of
all these. It does not cover the equations and numbers of the networks, the calibrated couplings,
or the levels of the lines: these have digests of their own in every result. What code does counts,
not how it is laid out or described. History: ``closures/line_rule``.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from unmoor import catalog

COVERED = (
    "cell/line_rule.py", "cell/levels.py", "cell/line.py", "analysis/panel_levels.py",
    "analysis/expression_table.py", "analysis/expression.py", "analysis/own_lines.py",
    "analysis/cell_switch.py", "analysis/screening.py", "analysis/consistency.py",
    "analysis/discrimination.py",
)  # fmt: skip
"""Modules whose code is in the digest."""
CLOSURES = ("line_rule", "line_levels", "expression", "screen")
"""Tables of the catalog whose numbers are in the digest."""
_NUMBERS = ("id", "value", "unit", "low", "high", "cv")
_LAYOUT = {"annotation", "returns", "type_comment", "kind", "type_ignores", "ctx"}


@cache
def rule_digest() -> str:
    """SHA-256 of what decides the order of lines: what the code does, and its numbers."""
    root = Path(__file__).parents[1]
    found = hashlib.sha256()
    for name in COVERED:
        found.update(f"{name}\n{code_of((root / name).read_text(encoding='utf-8'))}\n".encode())
    for name in CLOSURES:
        rows = catalog.table("closures", name)
        told = [[getattr(row, each) for each in _NUMBERS] for row in rows.values()]
        found.update(f"{name}\n{told!r}\n".encode())
    return found.hexdigest()


def recorded_digest() -> str:
    """The digest that was recorded when the rule was last fixed (``closures/line_rule``)."""
    return str(catalog.about("closures", "line_rule").get("digest", ""))


def code_of(source: str) -> str:
    """What a module does, as a text that layout, comments, descriptions and types do not change."""
    return "\n".join(_walked(ast.parse(source)))


def _walked(node: ast.AST) -> Iterator[str]:
    """Names of nodes with their values, depth first; fields that are empty are passed over."""
    yield type(node).__name__
    for name, value in ast.iter_fields(node):
        if name in _LAYOUT:
            continue
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, ast.Expr) and isinstance(item.value, ast.Constant):
                continue  # a docstring
            if isinstance(item, ast.AST):
                yield f"{name}("
                yield from _walked(item)
                yield ")"
            elif item is not None:
                yield f"{name}={item!r}"
