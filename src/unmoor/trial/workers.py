"""Hand chunks to workers, and outlive workers that are killed.

A process pool of which one process dies, often for want of memory, takes all its work down with it.
Then each chunk that was under way is tried again in a process of its own, so that whichever brings
its process down is known by name, and the others are done.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    Executor,
    Future,
    ProcessPoolExecutor,
    wait,
)
from typing import Any, Protocol, TypeVar

from unmoor.errors import ResourceError

TRIES = 3


class Named(Protocol):
    """A piece of work with a name."""

    @property
    def key(self) -> str:
        """Its name."""


_Work = TypeVar("_Work", bound=Named)


def completed(
    pool: Executor, compute: Callable[[_Work], Any], todo: Sequence[_Work], ahead: int, workers: int
) -> Iterator[tuple[_Work, Any]]:
    """Pieces of work as they are done, with never more than ``ahead`` handed out.

    Parameters
    ----------
    pool
        Where work is done; if it breaks, process pools like it follow.
    compute
        What is done with a piece; it must survive the way to another process.
    workers
        Processes of a pool that replaces a broken one.

    Raises
    ------
    ResourceError
        When all else is done, if a piece brought its process down three times.
    """
    left, given_up = deque(todo), []
    suspects: list[_Work] = []
    yield from _until_broken(pool, compute, left, ahead, suspects)
    context = getattr(pool, "_mp_context", None)
    while suspects:
        for work in suspects:
            for _ in range(TRIES - 1):
                alone: list[_Work] = []
                with ProcessPoolExecutor(1, mp_context=context) as single:
                    yield from _until_broken(single, compute, deque([work]), 1, alone)
                if not alone:
                    break
            else:
                given_up.append(work.key)
        suspects = []
        if left:
            with ProcessPoolExecutor(workers, mp_context=context) as next_pool:
                yield from _until_broken(next_pool, compute, left, ahead, suspects)
    if given_up:
        raise ResourceError(
            f"the process that computed {', '.join(given_up)} was killed {TRIES} times, perhaps "
            "for want of memory; all else is done: resume the run with fewer workers",
            code="E-KILLED",
        )


def _has_failed(future: Future[Any]) -> bool:
    return future.exception() is not None


def _until_broken(
    pool: Executor,
    compute: Callable[[_Work], Any],
    left: deque[_Work],
    ahead: int,
    suspects: list[_Work],
) -> Iterator[tuple[_Work, Any]]:
    """Take work from ``left``; what was under way when the pool broke goes to ``suspects``."""
    waiting: dict[Future[Any], _Work] = {}
    try:
        while True:
            while left and len(waiting) < ahead:
                waiting[pool.submit(compute, left[0])] = left[0]
                left.popleft()
            if not waiting:
                return
            finished, _ = wait(waiting, return_when=FIRST_COMPLETED)
            for future in sorted(finished, key=_has_failed):  # what is done is not lost with it
                result = future.result()
                yield waiting.pop(future), result
    except BrokenExecutor:
        for future, work in waiting.items():
            if future.done() and not future.cancelled() and future.exception() is None:
                yield work, future.result()
            else:
                suspects.append(work)
        waiting.clear()
    finally:
        for future in waiting:
            future.cancel()
