"""Pieces of work done by several workers, kept in a memory, and stopped without loss."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np

from unmoor.analysis.memory import Memory
from unmoor.elementwise import FloatArray
from unmoor.errors import Interrupted, ResourceError
from unmoor.trial.provenance import catalog_digest
from unmoor.trial.run import Progress, usable_cores
from unmoor.trial.study import Study
from unmoor.trial.workers import Named, completed

Report = Callable[[Progress], None]
_Piece = TypeVar("_Piece", bound=Named)
_WAITING = 2


def key_of(code: str, study: Study, piece: Named) -> str:
    """Name of a piece in a memory: a digest of code, study, catalog and piece."""
    text = "\n".join([code, study.digest(), catalog_digest(study), piece.key])
    return hashlib.sha256(text.encode()).hexdigest()


def work_off(
    pieces: Sequence[_Piece],
    compute: Callable[[_Piece], Mapping[str, FloatArray]],
    name: Callable[[_Piece], str],
    *,
    memory: Memory | None = None,
    workers: int | None = None,
    progress: Report | None = None,
) -> list[Mapping[str, FloatArray]]:
    """What each piece gives, in their order; what the memory holds is not computed again.

    Parameters
    ----------
    compute
        A function of the piece alone.
    name
        Gives the name of a piece in the memory.

    Raises
    ------
    Interrupted
        If it was stopped; what is done is in the memory.
    ResourceError
        If memory ran out.
    """
    memory = memory or Memory()
    names = {piece.key: name(piece) for piece in pieces}
    todo = [piece for piece in pieces if memory.get(names[piece.key]) is None]
    count, started = workers or usable_cores() + 1, time.monotonic()
    if todo:  # alone first, so that what is compiled is compiled once
        memory.put(names[todo[0].key], dict(compute(todo[0])))
        started = time.monotonic()
    rest = todo[1:]
    with ThreadPoolExecutor(count, thread_name_prefix="unmoor") as pool:
        try:
            found = completed(pool, compute, rest, count * _WAITING, count)
            for done, (piece, values) in enumerate(found, 1):
                memory.put(names[piece.key], dict(values))
                if progress is not None:
                    spent = time.monotonic() - started
                    failed = sum(int(np.isnan(x).sum()) for k, x in values.items() if k == "spread")
                    left = spent / done * (len(rest) - done)
                    progress(Progress(done, len(rest), spent, left, failed))
        except KeyboardInterrupt:
            pool.shutdown(wait=True, cancel_futures=True)
            kept = "what is done is kept" if memory.folder else "nothing is kept without a memory"
            raise Interrupted(f"stopped; {kept}, and the same command goes on") from None
        except MemoryError as error:
            raise ResourceError(f"memory ran out; use fewer --workers ({error})") from None
    known = [memory.get(names[piece.key]) for piece in pieces]
    return [each for each in known if each is not None]
