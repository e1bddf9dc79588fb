"""Writing files so that a crash at any moment leaves either the old content or the new.

Whole files are written beside their place, flushed to the disk and moved over the old ones; lines
are appended and taken back if they do not fit. What the operating system refuses is told with the
file, the bytes needed and the bytes free.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from unmoor.errors import ResourceError, RunFolderError

_count = itertools.count()
_NO_RIGHTS = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.ENOMEM, errno.EMFILE})


def write_file(path: Path, data: bytes) -> None:
    """Write a file as a whole, or not at all.

    Parameters
    ----------
    path
        The file; its folder must exist.
    data
        Its new content.

    Raises
    ------
    ResourceError
        If the disk is full or may not be written to. The old content is intact and the space used
        so far is freed.
    RunFolderError
        If the file cannot be written for another reason, such as a file in the place of a folder.
    """
    partial = path.with_name(f".{os.getpid()}-{next(_count)}.tmp")
    with refusals_told(path, len(data)):
        try:
            file = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)
            try:
                _write_all(file, data)
                os.fsync(file)
            finally:
                os.close(file)
            partial.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                partial.unlink()
            raise
        sync_folder(path.parent)


@contextlib.contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Fill a folder beside its place; it takes that place as a whole, or not at all.

    Parameters
    ----------
    path
        The folder; the one above it must exist. If there is one already, it is replaced at the
        end: a crash in between leaves none, never a mixture.

    Yields
    ------
        Where to put the content.

    Raises
    ------
    ResourceError, RunFolderError
        As for :func:`write_file`.
    """
    partial = path.with_name(f".{os.getpid()}-{next(_count)}.tmp")
    old = partial.with_name(f"{partial.stem}-old.tmp")
    with refusals_told(path, 0):
        try:
            partial.mkdir()
            yield partial
            _sync_tree(partial)
            if path.exists():
                path.replace(old)
            partial.replace(path)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
        sync_folder(path.parent)
        shutil.rmtree(old, ignore_errors=True)


def append_line(path: Path, line: bytes, *, sync: bool) -> None:
    """Append one line to a file, or leave the file as it was.

    Parameters
    ----------
    path
        The file, made if need be.
    line
        The line without its line break.
    sync
        Whether to return only when the line is on the disk.

    Raises
    ------
    ResourceError, RunFolderError
        As for :func:`write_file`.
    """
    with refusals_told(path, len(line) + 1):
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
        try:
            before = os.fstat(file).st_size
            # Never continue a line that someone else could not finish.
            torn = before > 0 and os.pread(file, 1, before - 1) != b"\n"
            try:
                _write_all(file, (b"\n" if torn else b"") + line + b"\n")
                if sync:
                    os.fsync(file)
            except BaseException:
                with contextlib.suppress(OSError):
                    os.ftruncate(file, before)
                raise
        finally:
            os.close(file)


def remove_partial_files(folder: Path) -> None:
    """Remove what a killed writer left behind; only for whoever holds the lock of the folder."""
    for partial in folder.glob(".*-*.tmp"):
        with contextlib.suppress(OSError):
            shutil.rmtree(partial) if partial.is_dir() else partial.unlink()


def sync_folder(folder: Path) -> None:
    """Flush the names in a folder to the disk, without which a new file can vanish."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_tree(folder: Path) -> None:
    for each in sorted(folder.rglob("*")):
        if each.is_file():
            file = os.open(each, os.O_RDONLY | os.O_CLOEXEC)
            try:
                os.fsync(file)
            finally:
                os.close(file)
        else:
            sync_folder(each)
    sync_folder(folder)


@contextlib.contextmanager
def refusals_told(path: Path, needed: int) -> Iterator[None]:
    """Turn what the operating system refuses into an error that says what to do.

    Parameters
    ----------
    path
        The file that is written.
    needed
        Size of what is written [bytes].
    """
    try:
        yield
    except OSError as refusal:
        reason = refusal.strerror or str(refusal)
        if refusal.errno in _NO_RIGHTS:
            raise ResourceError(
                f"{path} cannot be written: {reason}, {needed} bytes needed; choose a folder you "
                "may write in",
                code="E-WRITE",
            ) from refusal
        if refusal.errno not in _NO_ROOM:
            raise RunFolderError(
                f"{path} cannot be written: {reason}; choose a folder you may write in",
                code="E-WRITE",
            ) from refusal
        raise ResourceError(
            f"{path}: {reason}, {needed} bytes needed, {_free(path.parent)} bytes free; "
            "make room, then resume the run",
            code="E-DISK",
        ) from refusal


def _free(folder: Path) -> int | str:
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return "unknown"


def _write_all(file: int, data: bytes) -> None:
    """Write everything: the operating system may take a part at a time."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(file, rest) :]
