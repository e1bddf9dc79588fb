"""Checkpoints of a long tissue run: everything it is, in one file that is whole or not there.

``keep`` writes between two exchanges, where lists of neighbours do not exist; so a run that is
killed and taken up again gives the same bits as one that was not.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from unmoor.errors import ParameterError, RunFolderError
from unmoor.tissue.tissue import Tissue
from unmoor.trial.atomic import write_file
from unmoor.trial.checksums import sha256
from unmoor.trial.packing import pack, unpack

_DIGEST = 64  # bytes of a digest, before the arrays


def keep(path: Path, tissue: Tissue) -> None:
    """Write a checkpoint; an older one at this path is replaced as a whole.

    Raises
    ------
    ResourceError, RunFolderError
        As of ``atomic.write_file``.
    """
    data = pack(tissue.state())
    write_file(path, sha256(data).encode("ascii") + data)


def take_up(path: Path, tissue: Tissue) -> bool:
    """Bring a freshly seeded tissue to where a checkpoint was written.

    Returns
    -------
        False if there is no such file, so that the tissue begins at its beginning.

    Raises
    ------
    RunFolderError
        If the file is damaged, or of a tissue that was seeded in another way.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return False
    if sha256(data[_DIGEST:]).encode("ascii") != data[:_DIGEST]:
        raise RunFolderError(
            f"{path} is not what was written; remove it to begin anew", code="E-DAMAGED"
        )
    try:
        tissue.restore(unpack(data[_DIGEST:], path))
    except (ParameterError, KeyError) as reason:
        raise RunFolderError(
            f"{path} cannot be taken up: {reason}; remove it to begin anew", code="E-CHECKPOINT"
        ) from reason
    return True


def advance(
    tissue: Tissue,
    minutes: float,
    *,
    path: Path,
    every: float,
    tell: Callable[[Tissue], None] | None = None,
) -> None:
    """Let a tissue live to a time, with a checkpoint now and then.

    Parameters
    ----------
    minutes
        Time at which to stop, counted from seeding [min].
    path
        Of the checkpoint; taken up first if it is there.
    every
        Time between checkpoints, a multiple of that between exchanges [min].
    tell
        Called after each checkpoint.
    """
    take_up(path, tissue)
    while tissue.time < minutes:
        tissue.advance(min(every, minutes - tissue.time))
        keep(path, tissue)
        if tell is not None:
            tell(tissue)
