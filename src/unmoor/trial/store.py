"""The folder of a run: results that survive a crash, and proof that they are what was computed.

::

    2026-03-01_truong2014_1f3a9c/
        study.toml        the study as it was run
        provenance.json   what ran it
        data/<key>.npz    one file for each chunk of work
        snapshots.zarr/   frames of tissues, if it has any (:mod:`unmoor.trial.snapshots`)
        ledger.jsonl      one line for each chunk that is done (see :mod:`unmoor.trial.ledger`)
        checksums.json    digests of the other files, copies of study.toml and provenance.json
        log.jsonl         what happened, for people

A chunk counts as done when its file and then its line are on the disk, in that order; whatever a
crash leaves in between is computed again. Nothing is believed unread: the bytes of each file are
compared with their digest before they are used.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy.typing as npt

from unmoor.errors import ResourceError, RunFolderError, nearest
from unmoor.trial.atomic import (
    append_line,
    refusals_told,
    remove_partial_files,
    sync_folder,
    write_file,
)
from unmoor.trial.checksums import Checksums, sha256
from unmoor.trial.file_names import file_name
from unmoor.trial.ledger import Entry, Ledger
from unmoor.trial.lock import WriterLock
from unmoor.trial.packing import pack, unpack
from unmoor.trial.sealed import seal, unseal

GROWING = ("ledger.jsonl", "log.jsonl")
"""Files that grow during a run; their digests are recorded at its end."""

_MENDED = {
    "ledger.jsonl": "what it no longer holds is computed again",
    "log.jsonl": "what it no longer holds is lost",
    "study.toml": "put back from its copy",
    "provenance.json": "put back from its copy",
}
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
        self._checksums = Checksums(path / "checksums.json")
        self._lock = WriterLock(path / ".lock")
        self._turn = threading.RLock()
        self._found: list[str] = []  # damaged files when writing began

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
        name = f"{time.strftime('%Y-%m-%d')}_{file_name(stem)}_{digest[:6]}"
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
            self._ledger.read()
            self._found = self.damaged_files()  # before anything is mended or logged
            if previous is not None:
                self._note("lock of an ended writer taken over", holder=str(previous))
            self._note_damaged_lines()
            self._ledger.mend()
            self._mend_log()
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
        data = pack(arrays)
        file = f"data/{file_name(key)}.npz"
        rows = max((array.shape[0] for array in arrays.values() if array.ndim), default=0)
        with self._turn:
            self.write_bytes(file, data)
            self._ledger.append(Entry(key, file, sha256(data), rows))
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
        return unpack(data, self.path / entry.file)

    def completed(self) -> set[str]:
        """Keys of the chunks that are done and whose files are what was written."""
        self._ledger.read()
        self._note_damaged_lines()
        done = set()
        for entry in self._ledger.entries.values():
            if self._read_if_intact(entry.file, entry.sha256) is None:
                self._note("chunk missing or damaged", key=entry.key, file=entry.file)
                self._tell_damage(entry.file, "computed again")
            else:
                done.add(entry.key)
        return done

    def record_file(self, name: str, *, with_copy: bool = False) -> None:
        """Note the digest of a file, so that :meth:`verify` can tell whether it has changed.

        A crash between writing a file and recording it makes it look changed, until a resumed run
        does both again.

        Parameters
        ----------
        name
            A file written with :meth:`write_text` or :meth:`write_bytes`.
        with_copy
            Whether to keep its text as well, for :meth:`restore`.
        """
        self._require_lock()
        data = self._inside(name).read_bytes()
        with self._turn:
            self._checksums.read()
            self._checksums.files[name] = sha256(data)
            if with_copy:
                self._checksums.copies[name] = data.decode()
            self._checksums.write()

    def record_tree(self, name: str) -> None:
        """Note the digest of every file in a folder, and no longer expect those it had before."""
        self._require_lock()
        paths = [path for path in sorted(self._inside(name).rglob("*")) if path.is_file()]
        names = [path.relative_to(self.path).as_posix() for path in paths]
        digests = [sha256(path.read_bytes()) for path in paths]
        with self._turn:
            self._checksums.read()
            before = self._checksums.files.items()
            kept = {old: digest for old, digest in before if not old.startswith(f"{name}/")}
            self._checksums.files = kept | dict(zip(names, digests, strict=True))
            self._checksums.write()

    def forget_files(self, *names: str) -> None:
        """No longer expect files to be what was recorded, since they are about to change."""
        self._require_lock()
        with self._turn:
            self._checksums.read()
            if [name for name in names if self._checksums.files.pop(name, None)]:
                self._checksums.write()

    def copy_of(self, name: str) -> str | None:
        """Text of a file as it was recorded, if a copy was kept."""
        self._checksums.read()
        return self._checksums.copies.get(name)

    def restore(self, name: str) -> None:
        """Write a file anew from its copy."""
        text = self.copy_of(name)
        if text is not None:
            self.write_text(name, text)

    def damaged_files(self, *, without: str = "") -> list[str]:
        """Names of the recorded files, chunks aside, that are missing or not what was written.

        The folder ``without`` is not looked at, since reading frames of tissues takes its time.
        """
        self._checksums.read()
        files = self._checksums.files.items()
        asked = [each for each in files if not (without and each[0].startswith(f"{without}/"))]
        damaged = [name for name, digest in asked if self._read_if_intact(name, digest) is None]
        # Each run has recorded its study: without the file nothing could be told of the others.
        lost = not self._checksums.path.exists() and (self.path / "provenance.json").exists()
        if self._checksums.is_damaged or lost:
            damaged.append("checksums.json")
        if any(fields is None for fields in self._log_lines()):
            damaged.append("log.jsonl")
        if self._ledger.damaged or not self._ledger.path.exists():
            damaged.append("ledger.jsonl")
        return sorted(set(damaged))

    def verify(self) -> list[str]:
        """Names of the files that are missing or not what was written, relative to the folder."""
        self._ledger.read()
        damaged = [
            entry.file
            for entry in self._ledger.entries.values()
            if self._read_if_intact(entry.file, entry.sha256) is None
        ]
        return sorted({*damaged, *self.damaged_files()})

    def note_damage(self) -> None:
        """Say which files, chunks aside, were damaged when this writer began."""
        for name in self._found:
            self._tell_damage(name, _MENDED.get(name, "made again"))

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
        line = seal({"time": now, "event": event, **fields})
        try:
            with self._turn:
                append_line(self.path / "log.jsonl", line, sync=False)
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

    def _tell_damage(self, name: str, mended: str) -> None:
        """Tell the person who resumes a run; a reader is told by an error where it matters."""
        if self._lock.is_held:
            _log.warning("%s was damaged or missing: %s", self.path / name, mended)
            self.log("damaged file", file=name, mended=mended)

    def _log_lines(self) -> list[dict[str, Any] | None]:
        """Fields of each finished line of the log; None where a line is not what was written."""
        try:
            lines = (self.path / "log.jsonl").read_bytes().split(b"\n")[:-1]
        except OSError:
            return []
        return [unseal(line) for line in lines]

    def _mend_log(self) -> None:
        kept = [seal(fields) + b"\n" for fields in self._log_lines() if fields is not None]
        path = self.path / "log.jsonl"
        if path.exists() and path.stat().st_size != sum(map(len, kept)):
            write_file(path, b"".join(kept))

    def _require_lock(self) -> None:
        if not self._lock.is_held:
            raise RuntimeError(f"{self.path} is written to outside of its 'with' block")

    def _inside(self, name: str) -> Path:
        path = self.path / name
        if ".." in path.parts or not path.is_relative_to(self.path) or path == self.path:
            raise RunFolderError(f"{name!r} is not a file inside {self.path}")
        return path

    def _read_if_intact(self, name: str, digest: str) -> bytes | None:
        try:
            data = self._inside(name).read_bytes()
        except (OSError, RunFolderError):
            return None
        return data if sha256(data) == digest else None
