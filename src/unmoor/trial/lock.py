"""One writer for each run folder.

The operating system holds the lock and lets go of it however the writer ends, so no lock outlives
its process, and a process number that was given to another program misleads no one. The file tells
who holds it. Between machines that share a disk the operating system cannot be relied upon; there
the file counts, as long as it is fresh.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import socket
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from unmoor.errors import RunFolderError
from unmoor.trial.atomic import refusals_told

STALE_AFTER = 600.0
"""Time without a sign of life after which another machine's lock is taken over [s]."""

_BUSY = frozenset({errno.EACCES, errno.EAGAIN})
_held: set[tuple[int, Path]] = set()  # by this process: its own locks do not keep it out
_held_guard = threading.Lock()


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a lock: process number and machine."""

    pid: int
    host: str

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"


class WriterLock:
    """The lock of one folder.

    Parameters
    ----------
    path
        The lock file; it is there only while the lock is held, or after a crash.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = -1
        self._owner = (0, path)

    @property
    def is_held(self) -> bool:
        """Whether this process may write; not so in a process forked from the one that may."""
        return self._file >= 0 and self._owner[0] == os.getpid()

    def acquire(self) -> Holder | None:
        """Take the lock.

        Returns
        -------
            The previous holder if it ended without letting go, else None.

        Raises
        ------
        RunFolderError
            If another writer holds it, naming its process and machine.
        """
        me = Holder(os.getpid(), socket.gethostname())
        owner = (me.pid, self.path.resolve())
        with _held_guard:
            if owner in _held:
                raise self._in_use(me)
            file, previous = self._lock_file(me)
            try:
                with refusals_told(self.path, 100):
                    os.ftruncate(file, 0)
                    os.pwrite(file, json.dumps(asdict(me)).encode(), 0)
            except BaseException:
                os.close(file)
                raise
            self._file, self._owner = file, owner
            _held.add(owner)
        return previous

    def release(self) -> None:
        """Let go of the lock and remove its file."""
        if not self.is_held:
            return
        with _held_guard:
            # Removed while still held: whoever waits finds that its file is gone and looks again.
            with contextlib.suppress(OSError):
                self.path.unlink()
            os.close(self._file)
            self._file = -1
            _held.discard(self._owner)

    def show_life(self) -> None:
        """Tell other machines that the writer is alive."""
        with contextlib.suppress(OSError):
            os.utime(self._file)

    def _lock_file(self, me: Holder) -> tuple[int, Holder | None]:
        """Open and lock the file, and read who held it last."""
        while True:
            with refusals_told(self.path, 0):
                file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
            try:
                holder = _read(file)
                if _is_taken(file, holder, me):
                    raise self._in_use(_read_patiently(file))
                if _is_still(file, self.path):
                    return file, holder
            except BaseException:
                os.close(file)
                raise
            os.close(file)

    def _in_use(self, holder: Holder | None) -> RunFolderError:
        return RunFolderError(
            f"{self.path.parent} is being written by {holder or 'another process'}; wait for it or "
            f"stop it (if that machine is gone, remove {self.path.name} in the folder)",
            code="E-LOCKED",
        )


def _is_taken(file: int, holder: Holder | None, me: Holder) -> bool:
    """Lock a file for this process without waiting; True if another writer has it."""
    try:
        # Not flock: worker processes would inherit it and keep it after their parent died.
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as refusal:
        if refusal.errno in _BUSY:
            return True
        # A file system without locks: go by what the file says.
        if holder is not None and holder.host == me.host:
            return _runs(holder.pid)
    if holder is None or holder.host == me.host:
        return False
    return time.time() - os.fstat(file).st_mtime < STALE_AFTER


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # someone else's process
        return True
    return True


def _is_still(file: int, path: Path) -> bool:
    """Whether the locked file is still the one of that name, not one its holder just removed."""
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except FileNotFoundError:
        return False


def _read_patiently(file: int) -> Holder | None:
    """Who holds a taken lock; it takes them a moment to write their name."""
    for _ in range(20):
        holder = _read(file)
        if holder is not None:
            return holder
        time.sleep(0.01)
    return None


def _read(file: int) -> Holder | None:
    try:
        fields = json.loads(os.pread(file, 1000, 0))
        return Holder(int(fields["pid"]), str(fields["host"]))
    except (OSError, ValueError, TypeError, KeyError):
        return None
