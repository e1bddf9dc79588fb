"""The ledger of a run: one line for each chunk of work that is done and safely on the disk.

Lines are only ever appended. Each carries its own checksum, so a line that a crash cut short or a
disk damaged is told from a good one and dropped: its chunk counts as not done and is computed
again, which costs a second and gives the same bits.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from unmoor.trial.atomic import append_line, write_file
from unmoor.trial.sealed import seal, unseal


@dataclass(frozen=True, slots=True)
class Entry:
    """A chunk that is done.

    Parameters
    ----------
    key
        Name of the chunk.
    file
        Its file, relative to the run folder.
    sha256
        Digest of the file's bytes.
    rows
        Number of rows in it.
    """

    key: str
    file: str
    sha256: str
    rows: int


class Ledger:
    """The lines of one ledger file.

    Parameters
    ----------
    path
        The file; a missing file is an empty ledger.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.entries: dict[str, Entry] = {}
        self.damaged: tuple[int, ...] = ()
        """Numbers of the lines that are not what was written, from 1."""
        self.is_torn = False
        """Whether the last line was not finished."""
        self.read()

    def read(self) -> None:
        """Read the file anew; of two lines about one chunk the later counts."""
        try:
            lines = self.path.read_bytes().split(b"\n")
        except FileNotFoundError:
            lines = [b""]
        # What follows the last line break is empty, or was not finished and says nothing.
        self.is_torn = lines[-1] != b""
        entries = [_decode(line) for line in lines[:-1]]
        self.entries = {entry.key: entry for entry in entries if entry is not None}
        self.damaged = tuple(number for number, entry in enumerate(entries, 1) if entry is None)

    def append(self, entry: Entry) -> None:
        """Note a chunk as done; returns when the line is on the disk."""
        append_line(self.path, _encode(entry), sync=True)
        self.entries[entry.key] = entry

    def mend(self) -> None:
        """Write the file anew without the lines that say nothing; only for the one writer."""
        if self.damaged or self.is_torn:
            lines = [_encode(entry) + b"\n" for entry in self.entries.values()]
            write_file(self.path, b"".join(lines))
            self.read()


def _encode(entry: Entry) -> bytes:
    return seal(asdict(entry))


def _decode(line: bytes) -> Entry | None:
    """The entry of a line, or None if the line is not exactly what was once written."""
    fields = unseal(line)
    try:
        return None if fields is None else Entry(**fields)
    except TypeError:
        return None
