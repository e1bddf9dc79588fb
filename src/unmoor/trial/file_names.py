"""Names of arms, lines and studies as names of files: safe, readable, no two the same."""

from __future__ import annotations

import re
from urllib.parse import quote

from unmoor.trial.checksums import sha256

_LONGEST_NAME = 150  # bytes; leaves room below the 255 of common file systems


def file_name(text: str) -> str:
    """A name as a safe file name: letters of any language stay, the rest is escaped, and cut."""
    name = re.sub(r"[^\w.+-]", lambda match: quote(match[0], safe=""), text)
    name = f"%2E{name[1:]}" if name.startswith(".") else name
    if len(name.encode()) <= _LONGEST_NAME:
        return name or "run"
    start = name.encode()[: _LONGEST_NAME - 17].decode(errors="ignore")
    return f"{start}-{sha256(text.encode())[:16]}"
