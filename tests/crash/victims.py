"""Runs that are killed, and what that cost them: a program of its own, since it forks its victims.

``python victims.py STUDY OUT`` prints one JSON document. Starting an interpreter for each victim
would take a minute; a forked one dies of the same signal.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from unmoor.assays import xenograft_assay
from unmoor.errors import Interrupted, RunFolderError
from unmoor.random import Stream
from unmoor.trial import chunks, packing, run
from unmoor.trial.ledger import Ledger
from unmoor.trial.result import Result
from unmoor.trial.store import RunFolder
from unmoor.trial.study import Study

KILLS = 20
WORKERS = 2
DRAWS_A_CHUNK = 1
SHORT = 10  # draws of the runs that carry a planted bug or get a signal


@dataclass
class Session:
    """From a start to its end: chunks in the ledger before and after, and those begun."""

    before: set[str]
    after: set[str]
    begun: set[str]
    was_killed: bool

    def costs(self) -> dict[str, Any]:
        """What the ledger forgot, what was computed twice, and what was lost in flight."""
        return {
            "was_killed": self.was_killed,
            "forgotten": sorted(self.before - self.after),
            "again": sorted(self.before & self.begun),
            "lost": sorted(self.begun - self.after),
            "done": len(self.after),
        }


class Runs:
    """Runs of one study below a folder, each by a process that may be killed."""

    def __init__(self, study: Study, out: Path) -> None:
        self.study, self.out = study, out
        out.mkdir(parents=True)
        self.trace = out / "trace"
        self.plant: Callable[[bool], None] = lambda _: None

    def child(self, work: Callable[[], object]) -> int:
        """Do something in a process of its own; returns its number."""
        number = os.fork()
        if number:
            return number
        status = 1
        try:
            work()
            status = 0
        except Interrupted as stopped:
            status = stopped.exit_code
        except KeyboardInterrupt:
            status = 130
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(status)

    def start(self, name: str) -> int:
        """Begin a run in a folder of this name."""
        return self.child(lambda: self._work(self.out / name, None))

    def resume(self, path: Path) -> int:
        """Go on with a run."""
        return self.child(lambda: self._work(path.parent, path))

    def _work(self, parent: Path, path: Path | None) -> None:
        real = run.compute

        def traced(study: Study, chunk: chunks.Chunk, days: float | None = None) -> chunks.Arrays:
            if days is None:
                file = os.open(self.trace, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
                os.write(file, f"{chunk.key}\n".encode())
                os.close(file)
            return real(study, chunk, days)

        run.compute = traced
        self.plant(path is not None)
        if path is None:
            run.run(self.study, workers=WORKERS, out=parent)
        else:
            run.resume(path, workers=WORKERS)

    def begun(self) -> set[str]:
        """Chunks that were begun since the last call."""
        if not self.trace.exists():
            return set()
        keys = set(self.trace.read_text(encoding="utf-8").split())
        self.trace.unlink()
        return keys

    def folder(self, name: str) -> Path:
        """Folder of a run that was started, once its first chunk is in the ledger."""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            for ledger in (self.out / name).glob("*/ledger.jsonl"):
                if ledger.stat().st_size:
                    return ledger.parent
            time.sleep(0.002)
        raise TimeoutError(f"nothing was written to {self.out / name}")


def entries(path: Path) -> set[str]:
    """Chunks in a ledger."""
    return set(Ledger(path / "ledger.jsonl").entries)


def ended(number: int) -> int:
    """Wait for a process; the signal that killed it is negative."""
    return os.waitstatus_to_exitcode(os.waitpid(number, 0)[1])


def finish(runs: Runs, path: Path) -> Session:
    """Go on to the end."""
    before = entries(path)
    runs.begun()
    if ended(runs.resume(path)) != 0:
        raise RuntimeError(f"{path} could not be finished")
    return Session(before, entries(path), runs.begun(), was_killed=False)


def reference(runs: Runs) -> Path:
    """Run without a kill; returns the folder."""
    victim = runs.start("whole")
    path = runs.folder("whole")
    if ended(victim) != 0:
        raise RuntimeError("the uninterrupted run failed")
    runs.begun()
    return path


def wait_for(victim: int, path: Path, done: int) -> None:
    """Wait until so many chunks are in the ledger, or the run is over."""
    while os.waitid(os.P_PID, victim, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        if (path / "ledger.jsonl").read_bytes().count(b"\n") >= done:
            return
        time.sleep(0.001)


def kill(runs: Runs, name: str, kills: int, total: int, seed: int) -> dict[str, Any]:
    """Kill a run at moments spread evenly over its length, again and again, and then finish it.

    A moment is a number of chunks done and a fraction of a second; where a run is that far already,
    it dies while it is resumed. A run that ends before all kills is followed by another one; no
    more than there are kills.
    """
    moments = random.Random(seed)
    targets = sorted(moments.uniform(1, total) for _ in range(kills))
    sessions: list[Session] = []
    paths: list[Path] = []
    is_over = True
    while (landed := sum(session.was_killed for session in sessions)) < kills:
        if is_over:
            if len(paths) == kills:
                raise RuntimeError(f"{kills} runs ended before they were killed")
            victim = runs.start(f"{name}{len(paths)}")
            paths.append(runs.folder(f"{name}{len(paths)}"))
            before: set[str] = set()
        else:
            before = entries(paths[-1])
            victim = runs.resume(paths[-1])
        is_there = len(before) >= targets[landed]
        wait_for(victim, paths[-1], int(targets[landed]))
        time.sleep(moments.uniform(0, 0.2 if is_there else 0.02))
        os.kill(victim, signal.SIGKILL)
        is_over = ended(victim) == 0
        sessions.append(Session(before, entries(paths[-1]), runs.begun(), not is_over))
    sessions += [finish(runs, path) for path in paths]
    costs = [session.costs() for session in sessions]
    return {"folders": [str(path) for path in paths], "sessions": costs}


def kill_tables(runs: Runs, tables: list[str]) -> dict[str, Any]:
    """Kill a run after each table that it writes; tells whether its tables could be read then."""
    real = RunFolder.write_text
    readable = []
    name = "tables"
    victim = runs.start(name)  # ended only to leave something to do
    path = runs.folder(name)
    os.kill(victim, signal.SIGKILL)
    ended(victim)
    for table in tables:

        def write_text(self: RunFolder, name: str, text: str, *, last: str = table) -> None:
            real(self, name, text)
            if name == last:
                os.kill(os.getpid(), signal.SIGKILL)

        RunFolder.write_text = write_text  # type: ignore[method-assign]
        if ended(runs.resume(path)) != -signal.SIGKILL:
            raise RuntimeError(f"no table {table} was written")
        RunFolder.write_text = real  # type: ignore[method-assign]
        try:
            Result.load(path)
            readable.append(True)
        except RunFolderError:
            readable.append(False)
    last = finish(runs, path)
    return {"folders": [str(path)], "readable": readable, "begun": sorted(last.begun)}


def signalled(runs: Runs) -> dict[str, int]:
    """Exit status of runs that get a signal before and after the chunks are computed."""
    found = {}
    for number, (function, name) in enumerate(
        (function, name) for function in ("_compile", "_finish") for name in ("SIGINT", "SIGTERM")
    ):
        real = getattr(run, function)

        def told(*arguments: Any, name: str = name, real: Any = real) -> Any:
            os.kill(os.getpid(), getattr(signal, name))
            time.sleep(0.01)
            return real(*arguments)

        setattr(run, function, told)
        found[f"{name} in {function}"] = ended(runs.start(f"signalled{number}"))
        setattr(run, function, real)
    return found


def unrecorded(_: bool) -> None:
    """Planted: every second chunk is written but not noted in the ledger."""
    real = RunFolder.write_chunk
    count = iter(range(10**9))

    def write_chunk(self: RunFolder, key: str, arrays: chunks.Arrays) -> None:
        if next(count) % 2:
            self.write_bytes(f"data/{key}.npz", packing.pack(arrays))
        else:
            real(self, key, arrays)

    RunFolder.write_chunk = write_chunk  # type: ignore[method-assign]


def forgetful(_: bool) -> None:
    """Planted: a resumed run does everything again."""
    RunFolder.completed = lambda self: set()  # type: ignore[method-assign]


def restarting(is_resumed: bool) -> None:
    """Planted: random numbers go on differently after a stop."""
    if is_resumed:
        xenograft_assay.Stream = lambda seed, draw: Stream(seed + 1, draw=draw)  # type: ignore[assignment,misc]


def overwriting(is_resumed: bool) -> None:
    """Planted: a resumed run begins its ledger anew."""
    if is_resumed:
        enter = RunFolder.__enter__

        def __enter__(self: RunFolder) -> RunFolder:  # noqa: N807
            (self.path / "ledger.jsonl").write_bytes(b"")
            return enter(self)

        RunFolder.__enter__ = __enter__  # type: ignore[method-assign,assignment]


PLANTS = (unrecorded, forgetful, restarting, overwriting)


def everything(study: Study, out: Path) -> Iterator[tuple[str, Any]]:
    """All there is to tell, by name."""
    chunks._DRAWS = DRAWS_A_CHUNK
    run._compile(study, chunks.plan(study))
    yield "allowed", WORKERS * run._WAITING
    runs = Runs(study, out / "long")
    path = reference(runs)
    total = len(entries(path))
    tables = [*Result.load(path).tables()]
    yield "long", {"folder": str(path), "chunks": total, "tables": len(tables)}
    yield "kills", kill(runs, "killed", KILLS, total, seed=1)
    yield "tables", kill_tables(runs, tables)
    runs = Runs(study.replace(uncertainty=replace(study.uncertainty, draws=SHORT)), out / "short")
    path = reference(runs)
    total = len(entries(path))
    yield "short", {"folder": str(path), "chunks": total, "tables": len(tables)}
    yield "signals", signalled(runs)
    for plant in PLANTS:
        runs.plant = plant
        yield plant.__name__, kill(runs, plant.__name__, 2, total // 3, seed=2)


if __name__ == "__main__":
    print(json.dumps(dict(everything(Study.load(sys.argv[1]), Path(sys.argv[2])))))  # noqa: T201
