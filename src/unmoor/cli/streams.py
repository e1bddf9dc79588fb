"""Where output goes: data to standard output, words to standard error."""

from __future__ import annotations

import json
import logging
import math
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TextIO

_STYLES = {"bold": "1", "red": "31", "green": "32", "yellow": "33", "dim": "2"}


def say(*lines: str) -> None:
    """Tell people something, on standard error."""
    for line in lines:
        sys.stderr.write(f"{_writable(line, sys.stderr)}\n")
    sys.stderr.flush()


def put(*lines: str) -> None:
    """Write data, on standard output."""
    for line in lines:
        sys.stdout.write(f"{_writable(line, sys.stdout)}\n")


def put_json(document: object) -> None:
    """Write one JSON document, on standard output; what is not a finite number is null."""
    put(json.dumps(_finite(document), ensure_ascii=False, indent=1))


def styled(text: str, style: str, stream: TextIO | None = None) -> str:
    """Return text in a style if the stream (standard error) is a terminal that shows it."""
    return f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if has_colour(stream or sys.stderr) else text


def has_colour(stream: TextIO) -> bool:
    """Return whether a stream is a terminal, and colour is wanted there (see no-color.org)."""
    unwanted = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return stream.isatty() and not unwanted


def be_verbose(arguments: Sequence[str]) -> bool:
    """Return whether details are asked for; if so, show the log as it is written."""
    verbose = "-v" in arguments or "--verbose" in arguments
    if verbose:
        logging.basicConfig(format="%(name)s: %(message)s", stream=sys.stderr)
        logging.getLogger("unmoor").setLevel(logging.DEBUG)
    return verbose


def columns(rows: Iterable[Sequence[str]], gap: int = 2, indent: int = 0) -> list[str]:
    """Return rows of cells as aligned lines; the last column is as wide as it likes."""
    table = [list(row) for row in rows]
    if not table:
        return []
    widths = [max(len(row[i]) for row in table) for i in range(len(table[0]))]
    return [
        " " * indent
        + (" " * gap).join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip()
        for row in table
    ]


def _finite(value: object) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {str(key): _finite(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(part) for part in value]
    return value


def _writable(text: str, stream: TextIO) -> str:
    """The text, with what the stream's encoding lacks replaced (β in an ASCII terminal)."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    return text.encode(encoding, "replace").decode(encoding)
