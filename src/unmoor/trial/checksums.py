"""``checksums.json``: digests of the files of a run, and copies of those no one could make again.

The file carries a digest of its own, so that damage to it is told from damage to what it describes.
A copy of the study and of its provenance stands in it: either is put back from the other place.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from unmoor.trial.atomic import write_file


def sha256(data: bytes) -> str:
    """Digest as hexadecimal text."""
    return hashlib.sha256(data).hexdigest()


class Checksums:
    """Digests and copies of one run folder.

    Parameters
    ----------
    path
        The file; a missing file holds nothing.

    Attributes
    ----------
    files
        Digest of each recorded file by name.
    copies
        Text of each file that is also kept here, by name.
    is_damaged
        Whether the file is not what was written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.files: dict[str, str] = {}
        self.copies: dict[str, str] = {}
        self.is_damaged = False

    def read(self) -> None:
        """Read the file anew."""
        self.files, self.copies, self.is_damaged = {}, {}, False
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            return
        except OSError:
            self.is_damaged = True
            return
        record = _record(data)
        if record is None or _text(record["files"], record["copies"]).encode() != data:
            self.is_damaged = True
            return
        self.files, self.copies = record["files"], record["copies"]

    def write(self) -> None:
        """Write the file as a whole; errors as of :func:`unmoor.trial.atomic.write_file`."""
        write_file(self.path, _text(self.files, self.copies).encode())
        self.is_damaged = False


def _record(data: bytes) -> dict[str, Any] | None:
    try:
        record = json.loads(data)
        texts = [text for part in ("files", "copies") for text in record[part].values()]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    return record if all(isinstance(text, str) for text in texts) else None


def _text(files: dict[str, str], copies: dict[str, str]) -> str:
    content = {"files": files, "copies": copies}
    own = sha256(json.dumps(content, sort_keys=True).encode())
    return json.dumps({**content, "sha256": own}, indent=1, sort_keys=True) + "\n"
