"""Run a study: chunks on any executor, each written as soon as it is done.

Results depend on nothing but the study: not on workers, threads or processes, order, or on how
often the run was stopped and resumed.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from unmoor.errors import Interrupted, ResourceError
from unmoor.trial.chunks import Arrays, Chunk, compute, plan
from unmoor.trial.origin import record_origin, restore_origin, write_origin
from unmoor.trial.provenance import check_same
from unmoor.trial.snapshots import save_snapshots, tracks_of
from unmoor.trial.store import GROWING, RunFolder
from unmoor.trial.study import Study
from unmoor.trial.workers import completed

if TYPE_CHECKING:
    from unmoor.trial.result import Result

_WAITING = 2  # chunks handed to each worker ahead of time


@dataclass(frozen=True)
class Progress:
    """How far a run is.

    Attributes
    ----------
    done, total
        Chunks.
    elapsed, eta
        Seconds since the start, and still to go (None before the first chunk is done).
    failed
        Tumours (draw × arm) that could not be solved.
    """

    done: int
    total: int
    elapsed: float
    eta: float | None
    failed: int


Report = Callable[[Progress], None]


def run(
    study: Study,
    *,
    workers: int | None = None,
    executor: Executor | None = None,
    out: Path | None = None,
    progress: Report | None = None,
) -> Result:
    """Run a study.

    Parameters
    ----------
    workers
        Threads; the cores this process may use if None.
    executor
        Any ``concurrent.futures`` executor instead of threads.
    out
        Folder in which a run folder is made; nothing is written if None.
    progress
        Called after each chunk.

    Raises
    ------
    Interrupted
        If the run was stopped; what was done is in the run folder and ``resume`` goes on.
    ResourceError
        If disk or memory ran out.
    """
    if out is None:
        done = _work(study, plan(study), {}, None, workers, executor, progress)
        return _finish(study, done, None)
    folder = RunFolder.create(Path(out), study.name, study.digest())
    with folder, _stop_signals():
        write_origin(folder, study)
        folder.log("started", study=study.name, seed=study.seed)
        return _complete(study, folder, workers, executor, progress)


def resume(
    path: Path,
    *,
    workers: int | None = None,
    executor: Executor | None = None,
    progress: Report | None = None,
) -> Result:
    """Go on with a run that was stopped, with the same bits as if it never had been.

    Raises
    ------
    RunFolderError
        If the folder is no run, is in use, or the study, the catalog or unmoor has changed.
    """
    from unmoor.trial.result import Result

    folder = RunFolder.open(Path(path))
    with folder, _stop_signals():
        restore_origin(folder)
        study = Result.study_of(folder.path)
        elsewhere = check_same(study, folder.path)
        folder.note_damage()
        folder.log("resumed", **elsewhere)
        record_origin(folder)
        return _complete(study, folder, workers, executor, progress)


def _complete(
    study: Study,
    folder: RunFolder,
    workers: int | None,
    executor: Executor | None,
    progress: Report | None,
) -> Result:
    chunks = plan(study)
    folder.forget_files(*GROWING)
    kept = folder.completed() & {chunk.key for chunk in chunks}
    known = {key: folder.read_chunk(key) for key in sorted(kept)}
    try:
        done = _work(study, chunks, known, folder, workers, executor, progress)
        result = _finish(study, done, folder.path)
        for name, text in result.tables().items():
            folder.write_text(name, text)
            folder.record_file(name)
        save_snapshots(folder, result.snapshots)
    except KeyboardInterrupt:
        folder.log("stopped")
        raise Interrupted(
            f"stopped; what is done is safe. Go on with: unmoor resume {folder.path}"
        ) from None
    except MemoryError as error:
        raise ResourceError(f"memory ran out; use fewer --workers ({error})") from None
    folder.log("finished", failed=result.n_failed)
    for name in GROWING:  # complete now: from here on any change is damage
        folder.record_file(name)
    return result


def _finish(study: Study, done: dict[str, Arrays], path: Path | None) -> Result:
    # pandas is loaded here, when it is needed, and by then perhaps already in the background
    from unmoor.trial.result import Result
    from unmoor.trial.tables import build

    return Result(study, build(study, done), path, tracks_of(study, done))


def _work(
    study: Study,
    chunks: Sequence[Chunk],
    known: dict[str, Arrays],
    folder: RunFolder | None,
    workers: int | None,
    executor: Executor | None,
    progress: Report | None,
) -> dict[str, Arrays]:
    """Compute what is missing; returns the arrays of all chunks by key."""
    done = dict(known)
    todo = [chunk for chunk in chunks if chunk.key not in done]
    if todo:
        _compile(study, chunks)
    clock = _Clock(len(chunks), len(done), progress)  # the compiler's time says nothing of the rest
    # one thread more than cores: now and then each waits for another's turn with the interpreter
    count = workers or usable_cores() + 1
    with _own_executor(executor, count) as pool:
        work = partial(compute, study)
        for chunk, arrays in completed(pool, work, todo, count * _WAITING, count):
            if folder is not None:
                folder.write_chunk(chunk.key, arrays)
            done[chunk.key] = arrays
            clock.tick(int((arrays["status"] != 0).sum()))
    return done


def _compile(study: Study, chunks: Sequence[Chunk]) -> None:
    """Compile everything before workers start: the networks, and the rest by a short run."""
    for structure in dict.fromkeys(chunk.structure for chunk in chunks):
        structure.network.compiled  # noqa: B018 - compiles and caches
    first = replace(chunks[0], first=1, last=1) if study.uncertainty.draws else chunks[0]
    compute(study, first, days=2.0 * study.assays[first.assay].step)


class _Clock:
    """Tells progress, with the time still to go from the chunks done so far."""

    def __init__(self, total: int, done: int, report: Report | None) -> None:
        self.total, self.done, self.first, self.report = total, done, done, report
        self.start, self.failed = time.monotonic(), 0

    def tick(self, failed: int) -> None:
        """Count a chunk as done."""
        self.done += 1
        self.failed += failed
        elapsed = time.monotonic() - self.start
        eta = elapsed / (self.done - self.first) * (self.total - self.done)
        if self.report is not None:
            self.report(Progress(self.done, self.total, elapsed, eta, self.failed))


def usable_cores() -> int:
    """Cores that this process may use: affinity and the quota of its control group."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    with contextlib.suppress(OSError, ValueError):
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
        count = min(count or 1, max(1, round(int(quota) / int(period))))
    return count or 1


@contextlib.contextmanager
def _own_executor(executor: Executor | None, workers: int) -> Iterator[Executor]:
    if executor is not None:
        yield executor
        return
    pool = ThreadPoolExecutor(workers, thread_name_prefix="unmoor")
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


@contextlib.contextmanager
def _stop_signals() -> Iterator[None]:
    """Let SIGTERM stop a run as Ctrl-C does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    earlier = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, earlier)
