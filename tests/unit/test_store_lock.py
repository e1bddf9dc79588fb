"""The lock of a run folder: one writer, and no lock that outlives it."""

from __future__ import annotations

import errno
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from unmoor.errors import ExitCode, RunFolderError
from unmoor.trial import lock
from unmoor.trial.store import RunFolder


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[RunFolder]:
    """A run folder, open for writing, with one chunk."""
    with RunFolder.create(tmp_path, "study", "1f3a9c77") as created:
        created.write_chunk("first", {})
        yield created


def events(folder: RunFolder) -> list[str]:
    """What the log says happened."""
    lines = (folder.path / "log.jsonl").read_text().splitlines()
    return [json.loads(line)["event"] for line in lines]


HOLD = """
import os, sys, time
from pathlib import Path
from unmoor.trial.store import RunFolder
with RunFolder.open(Path(sys.argv[1])) as folder:
    worker = os.fork()
    if worker == 0:
        try:
            folder.log("from a worker")
        except RuntimeError:
            time.sleep(60)
        os._exit(1)
    print(worker, flush=True)
    time.sleep(60)
"""

RACE = """
import os, sys, time
from pathlib import Path
from unmoor.errors import RunFolderError
from unmoor.trial.store import RunFolder
path = Path(sys.argv[1])

def contend(turns):
    while turns:
        try:
            with RunFolder.open(path) as folder:
                (path / "writer").write_text(str(os.getpid()))
                folder.write_chunk(f"{os.getpid()} {turns}", {})
                assert (path / "writer").read_text() == str(os.getpid())
                turns -= 1
        except RunFolderError as refusal:
            assert refusal.code == "E-LOCKED"
        time.sleep(0.0005)

for _ in range(5):
    if os.fork() == 0:
        contend(12)
        os._exit(0)
assert [os.wait()[1] for _ in range(5)] == [0] * 5
"""


def test_a_second_writer_is_refused_until_the_first_ends(tmp_path: Path) -> None:
    """Exit code 2, naming process and machine; a killed writer's lock is taken over and noted."""
    folder = RunFolder.create(tmp_path, "study", "1f3a9c")
    command = [sys.executable, "-c", HOLD, str(folder.path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        worker = int(holder.stdout.readline())
        try:
            with pytest.raises(RunFolderError) as caught, folder:
                pass
            assert caught.value.exit_code == ExitCode.BAD_INPUT
            assert f"process {holder.pid} on {socket.gethostname()}" in str(caught.value)
            assert folder.completed() == set()  # reading is always possible
        finally:
            holder.kill()
    try:
        assert (folder.path / ".lock").exists()
        with folder:  # although a worker that the killed writer forked is still there
            folder.write_chunk("first", {})
            assert events(folder) == ["lock of an ended writer taken over"]
        assert not (folder.path / ".lock").exists()
    finally:
        os.kill(worker, signal.SIGKILL)


def test_writers_that_race_for_a_folder_take_turns(tmp_path: Path) -> None:
    """Sixty takings by five processes: never two at once, and no line of the ledger lost."""
    path = RunFolder.create(tmp_path, "study", "1f3a9c").path
    subprocess.run([sys.executable, "-c", RACE, str(path)], check=True)
    assert len(RunFolder.open(path).completed()) == 60
    assert RunFolder.open(path).verify() == []


def test_one_process_is_no_second_writer_either(folder: RunFolder) -> None:
    """Two threads with the same folder would mix their lines."""
    with pytest.raises(RunFolderError, match=f"process {os.getpid()}"), RunFolder.open(folder.path):
        pass
    folder.write_chunk("fourth", {})


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"pid": "x"}', '{"pid": 1}', "\x00" * 100])
def test_a_damaged_lock_file_locks_no_one_out(folder: RunFolder, text: str) -> None:
    """The operating system knows that no one holds it."""
    folder.__exit__(None, None, None)
    (folder.path / ".lock").write_text(text)
    with folder:
        folder.write_chunk("fourth", {})


@pytest.mark.parametrize(
    "number", [1, os.getpid(), 2**31 - 1], ids=["first process", "our own", "largest number"]
)
def test_a_stale_lock_of_this_machine_is_taken_over(folder: RunFolder, number: int) -> None:
    """Even if the number of its process now belongs to another program."""
    folder.__exit__(None, None, None)
    holder = {"pid": number, "host": socket.gethostname()}
    (folder.path / ".lock").write_text(json.dumps(holder))
    with folder:
        assert "lock of an ended writer taken over" in events(folder)


def test_a_lock_of_another_machine_counts_while_it_is_fresh(folder: RunFolder) -> None:
    """On a shared disk one cannot ask whether the process lives; its signs of life decide."""
    folder.__exit__(None, None, None)
    path = folder.path / ".lock"
    path.write_text(json.dumps({"pid": 17, "host": "elsewhere"}))
    with pytest.raises(RunFolderError, match="process 17 on elsewhere"), folder:
        pass
    assert path.exists()
    long_ago = time.time() - lock.STALE_AFTER - 1
    os.utime(path, (long_ago, long_ago))
    with folder:
        os.utime(path, (long_ago, long_ago))
        folder.log("still here")
        assert time.time() - path.stat().st_mtime < 60


def test_without_locks_of_the_file_system_the_file_decides(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some network disks have no locks: there a living process number locks, a dead one not."""
    folder.__exit__(None, None, None)
    monkeypatch.setattr("fcntl.lockf", _no_locks)
    path = folder.path / ".lock"
    path.write_text(json.dumps({"pid": os.getppid(), "host": socket.gethostname()}))
    with pytest.raises(RunFolderError, match=f"process {os.getppid()}"), folder:
        pass
    path.write_text(json.dumps({"pid": 2**31 - 1, "host": socket.gethostname()}))
    with folder:
        folder.log("taken over")


def _no_locks(*_arguments: object) -> None:
    raise OSError(errno.ENOLCK, "No locks available")


def test_writing_without_the_lock_is_a_mistake_of_the_programmer(folder: RunFolder) -> None:
    """It would work until the day two runs meet."""
    reader = RunFolder.open(folder.path)
    with pytest.raises(RuntimeError, match="with"):
        reader.write_text("effects.csv", "x")
    with pytest.raises(RuntimeError, match="with"):
        reader.log("x")


def test_a_writer_clears_away_what_a_killed_one_left(folder: RunFolder) -> None:
    """Unfinished files would fill the disk, run after run."""
    folder.__exit__(None, None, None)
    for left in (".123-4.tmp", "data/.123-5.tmp"):
        (folder.path / left).touch()
    (folder.path / "mine.tmp").touch()
    with folder:
        assert [path.name for path in folder.path.rglob("*.tmp")] == ["mine.tmp"]


def test_threads_of_the_writer_share_its_folder(folder: RunFolder) -> None:
    """Chunks that end at the same time both get their line."""
    keys = {f"chunk {number}" for number in range(40)}
    with ThreadPoolExecutor(4) as executor:
        list(executor.map(lambda key: folder.write_chunk(key, {}), keys))
        list(executor.map(folder.log, keys))
    assert folder.completed() == keys | {"first"}
    assert set(events(folder)) == keys
