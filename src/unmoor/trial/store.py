"""The folder of a run: results that survive a crash, and proof that they are what was computed.

::

    2026-03-01_truong2014_1f3a9c/
        study.toml        the study as it was run
        provenance.json   what ran it
        data/<key>.npz    one file for each chunk of work
        ledger.jsonl      one line for each chunk that is done (see :mod:`unmoor.trial.ledger`)
        checksums.json    digests of the tables and reports made from the chunks
        log.jsonl         what happened, for people

A chunk counts as done when its file and then its line are on the disk, in that order; whatever a
crash leaves in between is computed again. Nothing is believed unread: the bytes of each file are
compared with their digest before they are used.
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
import re
import threading
import time
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import numpy as np
import numpy.typing as npt

from unmoor.errors import ResourceError, RunFolderError, nearest
from unmoor.trial.atomic import (
    append_line,
    refusals_told,
    remove_partial_files,
    sync_folder,
    write_file,
)
from unmoor.trial.ledger import Entry, Ledger
from unmoor.trial.lock import WriterLock

CHUNK_SCHEMA = 1
"""Version of the layout of chunk files."""

_SCHEMA_NAME = "unmoor_chunk_schema"
_LONGEST_NAME = 150  # bytes; leaves room below the 255 of common file systems
_log = logging.getLogger("unmoor")


class RunFolder:
    """A run on disk. Reading needs nothing; writing needs the lock, held in a ``with`` block.

    Parameters
    ----------
    path
        The folder, which must exist; see :meth:`create` and :meth:`open`.

    Examples
    --------
    >>> import tempfile
    >>> with RunFolder.create(Path(tempfile.mkdtemp()), "study", "1f3a9c") as folder:
    ...     folder.write_chunk("first", {"tumour_volume": np.array([1.0, 2.0])})
    >>> RunFolder.open(folder.path).completed()
    {'first'}
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._ledger = Ledger(path / "ledger.jsonl")
        self._lock = WriterLock(path / ".lock")
        self._turn = threading.RLock()

    @classmethod
    def create(cls, parent: Path, stem: str, digest: str) -> RunFolder:
        """Make a new folder named ``YYYY-MM-DD_<stem>_<digest>``, with -2, -3 … if it is taken.

        Parameters
        ----------
        parent
            Folder to make it in, made if need be.
        stem
            Short name of the study.
        digest
            Digest of the study; its first six characters are used.

        Raises
        ------
        ResourceError, RunFolderError
            If the folder cannot be made.
        """
        name = f"{time.strftime('%Y-%m-%d')}_{_file_name(stem)}_{digest[:6]}"
        path, number = parent / name, 1
        with refusals_told(path, 0):
            parent.mkdir(parents=True, exist_ok=True)
            while True:
                try:
                    path.mkdir()
                    break
                except FileExistsError:
                    number += 1
                    path = parent / f"{name}-{number}"
            (path / "data").mkdir()
            (path / "ledger.jsonl").touch()
            sync_folder(path)
            sync_folder(parent)
        return cls(path)

    @classmethod
    def open(cls, path: Path) -> RunFolder:
        """Open the folder of an earlier run.

        Raises
        ------
        RunFolderError
            If it is not one.
        """
        if not (path / "ledger.jsonl").is_file() and not (path / "study.toml").is_file():
            beside = path.parent.glob("*/ledger.jsonl") if path.parent.is_dir() else ()
            close = nearest(path.name, (ledger.parent.name for ledger in beside))
            hint = f"; did you mean {' or '.join(close)}?" if close else ""
            raise RunFolderError(f"{path} is not the folder of a run{hint}", code="E-NO-RUN")
        return cls(path)

    def __enter__(self) -> Self:
        """Become the only writer, and clear away what a killed writer left unfinished."""
        previous = self._lock.acquire()
        try:
            remove_partial_files(self.path)
            remove_partial_files(self.path / "data")
            if previous is not None:
                self._note("lock of an ended writer taken over", holder=str(previous))
            self._ledger.read()
            self._note_damaged_lines()
            self._ledger.mend()
        except BaseException:
            self._lock.release()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._lock.release()

    def write_text(self, name: str, text: str) -> None:
        """Write a text file (UTF-8) as a whole; see :meth:`write_bytes`."""
        self.write_bytes(name, text.encode())

    def write_bytes(self, name: str, data: bytes) -> None:
        """Write a file as a whole or not at all.

        Parameters
        ----------
        name
            The file, relative to the run folder.
        data
            Its content.

        Raises
        ------
        ResourceError
            If the disk is full; what was written before is intact.
        RunFolderError
            If the file cannot be written.
        """
        self._require_lock()
        path = self._inside(name)
        with refusals_told(path, len(data)):
            path.parent.mkdir(parents=True, exist_ok=True)
        write_file(path, data)

    def write_chunk(self, key: str, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """Save the arrays of one chunk; when this returns, the chunk is done for good.

        Parameters
        ----------
        key
            Name of the chunk. Writing one again replaces it.
        arrays
            Arrays by name; the same arrays always give the same bytes.

        Raises
        ------
        ResourceError, RunFolderError
            As for :meth:`write_bytes`.
        """
        data = _pack(arrays)
        file = f"data/{_file_name(key)}.npz"
        rows = max((array.shape[0] for array in arrays.values() if array.ndim), default=0)
        with self._turn:
            self.write_bytes(file, data)
            self._ledger.append(Entry(key, file, _sha256(data), rows))
        self._lock.show_life()

    def read_chunk(self, key: str) -> dict[str, npt.NDArray[Any]]:
        """Return the arrays of a chunk that is done.

        Raises
        ------
        RunFolderError
            If the chunk is not done, or its file is missing or damaged.
        """
        if key not in self._ledger.entries:
            self._ledger.read()
        entry = self._ledger.entries.get(key)
        if entry is None:
            raise RunFolderError(f"{self.path} holds no chunk {key!r}; resume the run to make it")
        data = self._read_if_intact(entry.file, entry.sha256)
        if data is None:
            raise RunFolderError(
                f"{self.path / entry.file} is missing or damaged; resume the run to make it again",
                code="E-DAMAGED",
            )
        return _unpack(data, self.path / entry.file)

    def completed(self) -> set[str]:
        """Keys of the chunks that are done and whose files are what was written."""
        self._ledger.read()
        self._note_damaged_lines()
        done = set()
        for entry in self._ledger.entries.values():
            if self._read_if_intact(entry.file, entry.sha256) is None:
                self._note("chunk missing or damaged", key=entry.key, file=entry.file)
            else:
                done.add(entry.key)
        return done

    def record_file(self, name: str) -> None:
        """Note the digest of a file, so that :meth:`verify` can tell whether it has changed.

        A crash between writing a file and recording it makes it look changed, until a resumed run
        does both again.

        Parameters
        ----------
        name
            A file written with :meth:`write_text` or :meth:`write_bytes`.
        """
        with self._turn:
            known = self._checksums() or {}
            known[name] = _sha256(self._inside(name).read_bytes())
            self.write_text("checksums.json", json.dumps(known, indent=1, sort_keys=True) + "\n")

    def verify(self) -> list[str]:
        """Names of the files that are missing or not what was written, relative to the folder."""
        self._ledger.read()
        known = self._checksums()
        expected = {entry.file: entry.sha256 for entry in self._ledger.entries.values()}
        expected |= known or {}
        damaged = [
            name for name, sha256 in expected.items() if self._read_if_intact(name, sha256) is None
        ]
        if known is None:
            damaged.append("checksums.json")
        if self._ledger.damaged or not self._ledger.path.exists():
            damaged.append("ledger.jsonl")
        return sorted(damaged)

    def log(self, event: str, **fields: object) -> None:
        """Append a line to ``log.jsonl``; a log that cannot be written never stops a run.

        Parameters
        ----------
        event
            What happened.
        fields
            Anything about it that can be shown as text.
        """
        self._require_lock()
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        line = json.dumps({"time": now, "event": event, **fields}, default=str)
        try:
            with self._turn:
                append_line(self.path / "log.jsonl", line.encode(), sync=False)
        except (ResourceError, RunFolderError) as reason:
            _log.debug("%s", reason)  # the trouble is told where results are written
        self._lock.show_life()

    def _note(self, event: str, **fields: object) -> None:
        """Log what was found, also when only reading, where the log file is not ours to write."""
        _log.info("%s: %s %s", self.path, event, fields)
        if self._lock.is_held:
            self.log(event, **fields)

    def _note_damaged_lines(self) -> None:
        for number in self._ledger.damaged:
            self._note("damaged ledger line dropped", line=number)

    def _require_lock(self) -> None:
        if not self._lock.is_held:
            raise RuntimeError(f"{self.path} is written to outside of its 'with' block")

    def _inside(self, name: str) -> Path:
        path = self.path / name
        if ".." in path.parts or not path.is_relative_to(self.path) or path == self.path:
            raise RunFolderError(f"{name!r} is not a file inside {self.path}")
        return path

    def _read_if_intact(self, name: str, sha256: str) -> bytes | None:
        try:
            data = self._inside(name).read_bytes()
        except (OSError, RunFolderError):
            return None
        return data if _sha256(data) == sha256 else None

    def _checksums(self) -> dict[str, str] | None:
        """Recorded digests by name; None if the file cannot be read."""
        try:
            known = json.loads((self.path / "checksums.json").read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError):
            return None
        if not isinstance(known, dict):
            return None
        return {str(name): str(sha256) for name, sha256 in known.items()}


def _pack(arrays: Mapping[str, npt.NDArray[Any]]) -> bytes:
    """Arrays as the bytes of an ``.npz``, which tell nothing of when and in which order."""
    buffer = io.BytesIO()
    everything = {**arrays, _SCHEMA_NAME: np.array(CHUNK_SCHEMA)}
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in sorted(everything):
            content = io.BytesIO()
            array = np.asarray(everything[name], order="C")
            np.lib.format.write_array(content, array, version=(1, 0), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), content.getvalue())
    return buffer.getvalue()


def _unpack(data: bytes, path: Path) -> dict[str, npt.NDArray[Any]]:
    with np.load(io.BytesIO(data), allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    schema = arrays.pop(_SCHEMA_NAME, None)
    if schema is None or schema != CHUNK_SCHEMA:
        raise RunFolderError(
            f"{path} has layout {schema}, expected {CHUNK_SCHEMA}; read it with the version of "
            "unmoor that wrote it",
            code="E-SCHEMA",
        )
    return arrays


def _file_name(text: str) -> str:
    """A name as a safe file name: letters of any language stay, the rest is escaped, and cut."""
    name = re.sub(r"[^\w.+-]", lambda match: quote(match[0], safe=""), text)
    name = f"%2E{name[1:]}" if name.startswith(".") else name
    if len(name.encode()) <= _LONGEST_NAME:
        return name or "run"
    start = name.encode()[: _LONGEST_NAME - 17].decode(errors="ignore")
    return f"{start}-{_sha256(text.encode())[:16]}"


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
