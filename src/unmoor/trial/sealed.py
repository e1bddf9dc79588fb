"""Lines of JSON that carry a checksum of their own, so a damaged one is told from a good one."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from typing import Any


def seal(fields: Mapping[str, object]) -> bytes:
    """Fields as one line without its line break; what is not JSON is written as text."""
    return _dump({**fields, "crc": zlib.crc32(_dump(fields))})


def unseal(line: bytes) -> dict[str, Any] | None:
    """The fields of a line, or None if the line is not exactly what was once written."""
    try:
        fields = json.loads(line)
        del fields["crc"]
        return fields if seal(fields) == line else None
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def _dump(fields: Mapping[str, object]) -> bytes:
    return json.dumps(fields, separators=(",", ":"), default=str).encode("ascii")
