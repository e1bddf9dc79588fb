"""Pieces of work done by several workers, kept in a memory, and stopped without loss."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np

from unmoor.analysis.memory import Memory
from unmoor.elementwise import FloatArray
from unmoor.errors import Interrupted, ResourceError
from unmoor.trial.provenance import CODE, catalog_digest
from unmoor.trial.run import Progress, usable_cores
from unmoor.trial.study import Study
from unmoor.trial.workers import Named, completed

Report = Callable[[Progress], None]
_Piece = TypeVar("_Piece", bound=Named)
_WAITING = 2  # pieces handed to each worker ahead of time
_FINE = 1000.0  # steps of progress in a unit of cost


def name_of(study: Study, *what: object) -> str:
    """Name in a memory: a digest of the code, the study, its catalog, and of what else decides."""
    text = json.dumps([CODE, study.digest(), catalog_digest(study), *what])
    return hashlib.sha256(text.encode()).hexdigest()


def name_within(name: str, *what: object) -> str:
    """Name of a part of what a name stands for."""
    return hashlib.sha256(json.dumps([name, *what]).encode()).hexdigest()


def work_through(
    todo: Sequence[_Piece],
    compute: Callable[[_Piece], Any],
    keep: Callable[[_Piece, Any], int],
    memory: Memory,
    *,
    workers: int | None = None,
    executor: Executor | None = None,
    progress: Report | None = None,
    cost: Callable[[_Piece], float] | None = None,
) -> None:
    """Compute pieces on several workers and keep each as soon as it is done.

    Parameters
    ----------
    keep
        Puts what a piece gave where it belongs; returns how much of it could not be solved.
    memory
        Where that is; whether it has a folder decides what a stop is told to have cost.
    workers, executor, progress
        As for :func:`unmoor.trial.run.run`.
    cost
        What a piece takes, for the time left; all the same if None.

    Raises
    ------
    Interrupted
        If it was stopped; what was done is kept.
    ResourceError
        If memory ran out.
    """
    # one thread more than cores: now and then each waits for another's turn with the interpreter
    count, started = workers or usable_cores() + 1, time.monotonic()
    weigh = cost or (lambda _: 1.0)
    steps, whole = _FINE if cost else 1.0, sum(map(weigh, todo))
    past, failed = 0.0, 0
    with ThreadPoolExecutor(count, thread_name_prefix="unmoor") as pool:
        try:
            found = completed(executor or pool, compute, todo, count * _WAITING, count)
            for piece, values in found:
                failed += keep(piece, values)
                past += weigh(piece)
                if progress is not None:
                    spent = time.monotonic() - started
                    done, total = (int(steps * x) for x in (past, whole))
                    progress(Progress(done, total, spent, spent * (whole / past - 1.0), failed))
        except KeyboardInterrupt:
            pool.shutdown(wait=True, cancel_futures=True)
            kept = "what is done is kept" if memory.folder else "nothing is kept without a memory"
            raise Interrupted(f"stopped; {kept}, and the same command goes on") from None
        except MemoryError as error:
            raise ResourceError(f"memory ran out; use fewer --workers ({error})") from None


def work_off(
    pieces: Sequence[_Piece],
    compute: Callable[[_Piece], Mapping[str, FloatArray]],
    name: str,
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
        Name in the memory of all pieces together (:func:`name_of`).

    Raises
    ------
    Interrupted
        If it was stopped; what is done is in the memory.
    ResourceError
        If memory ran out.
    """
    memory = memory or Memory()
    names = {piece.key: name_within(name, piece.key) for piece in pieces}
    todo = [piece for piece in pieces if memory.get(names[piece.key]) is None]

    def keep(piece: _Piece, values: Mapping[str, FloatArray]) -> int:
        memory.put(names[piece.key], dict(values))
        return int(np.isnan(values["spread"]).sum()) if "spread" in values else 0

    if todo:  # alone first, so that what is compiled is compiled once
        keep(todo[0], compute(todo[0]))
    work_through(todo[1:], compute, keep, memory, workers=workers, progress=progress)
    known = [memory.get(names[piece.key]) for piece in pieces]
    return [each for each in known if each is not None]
