"""How a command ends when something goes wrong: what is said, and the exit status."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import tempfile
import traceback
from collections.abc import Sequence

from cyclopts import CycloptsError

from unmoor.cli.streams import say
from unmoor.errors import ExitCode, UnmoorError

_FULL = (errno.ENOSPC, errno.EDQUOT)


def exit_code_of(error: BaseException, *, verbose: bool) -> ExitCode:
    """Say in a line what went wrong and return the exit status for it."""
    if isinstance(error, BrokenPipeError):
        return _reader_has_left()
    try:
        return _told(error, verbose=verbose)
    except BrokenPipeError:
        return _reader_has_left()


def explain_usage(error: CycloptsError, arguments: Sequence[str]) -> ExitCode:
    """Say in a line what is wrong with a command line."""
    verb = next((part for part in arguments[:1] if not part.startswith("-")), "")
    known = f"unmoor {verb} --help" if getattr(error, "command_chain", None) else "unmoor --help"
    what = " ".join(str(error).split())
    with contextlib.suppress(BrokenPipeError):
        say(f"unmoor: {what} See: {known} [E-USAGE]")
    return ExitCode.BAD_INPUT


def finish_output() -> None:
    """Write what is still buffered, so that a full disk or a closed pipe is noticed."""
    sys.stdout.flush()


def _told(error: BaseException, *, verbose: bool) -> ExitCode:
    if verbose:
        say("".join(traceback.format_exception(error)).rstrip())
    if isinstance(error, UnmoorError):
        say(str(error))
        return error.exit_code
    if isinstance(error, KeyboardInterrupt):
        say("stopped; if a run folder was made, go on with: unmoor resume FOLDER [E-STOPPED]")
        return ExitCode.STOPPED
    if isinstance(error, MemoryError):
        say("memory ran out; use fewer --workers [E-RESOURCE]")
        return ExitCode.RESOURCE
    if isinstance(error, OSError) and error.errno in _FULL:
        _drop_output()
        say(f"the disk is full: {error} [E-RESOURCE]")
        return ExitCode.RESOURCE
    place = "" if verbose else f"; details: {_written(error)}"
    what = " ".join(str(error).split())[:120] or "no message"
    say(f"unmoor failed unexpectedly: {type(error).__name__}: {what}{place} [E-UNEXPECTED]")
    return ExitCode.OTHER


def _written(error: BaseException) -> str:
    """Write the traceback to a file of its own and return its path."""
    try:
        handle, path = tempfile.mkstemp(prefix="unmoor-error-", suffix=".log")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write("".join(traceback.format_exception(error)))
    except OSError:
        return "repeat with -v"
    return path


def _reader_has_left() -> ExitCode:
    """End quietly: whoever read the output has seen enough."""
    _drop_output()
    return ExitCode.OTHER


def _drop_output() -> None:
    """Let what is buffered go nowhere, or Python complains about it on its way out."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
