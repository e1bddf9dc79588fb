"""Killed writers: nothing they told is lost, and a resumed run ends the same.

A small program writes chunks, is killed, and is run again. It forks its victims, since starting an
interpreter for each would take a minute.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

CRASHES = """
import os, signal, sys, time
from pathlib import Path
import numpy as np
from unmoor.trial.store import RunFolder

KEYS = [f"chunk {number}" for number in range(int(sys.argv[2]))]
REAL = {name: getattr(os, name) for name in ("open", "write", "fsync", "replace", "unlink")}

def arrays(key):
    return {"value": np.arange(500.0) * KEYS.index(key)}

def work(path, told=None, then=lambda: None):
    with RunFolder.open(path) as folder:
        todo = [key for key in KEYS if key not in folder.completed()]
        for key in todo:
            folder.write_chunk(key, arrays(key))
            if told is not None:
                REAL["write"](told, f"{key}\\n".encode())
            folder.log("chunk done", key=key)
        folder.write_text("effects.csv", "made from all chunks")
        folder.record_file("effects.csv")
    then()

def child(action):
    number = os.fork()
    if number == 0:
        try:
            action()
        finally:
            os._exit(0)
    return number

def die_at(call):
    calls = 0
    def counted(name):
        def function(*arguments, **keywords):
            nonlocal calls
            calls += 1
            if calls == call:
                if name == "write":  # a part may still have reached the disk
                    REAL["write"](arguments[0], arguments[1][: len(arguments[1]) // 2])
                os._exit(9)
            return REAL[name](*arguments, **keywords)
        return function
    for name in REAL:
        setattr(os, name, counted(name))

def bytes_of(path):
    return {file.name: file.read_bytes() for file in sorted((path / "data").iterdir())}

def check(path, told, expected):
    os.set_blocking(told, False)
    try:
        done = os.read(told, 10**6).decode().split("\\n")[:-1]
    except BlockingIOError:
        done = []
    reader = RunFolder.open(path)
    assert set(done) <= reader.completed(), (done, reader.completed())
    for key in reader.completed():
        assert (reader.read_chunk(key)["value"] == arrays(key)["value"]).all()
    work(path)
    assert bytes_of(path) == expected
    assert RunFolder.open(path).verify() == []
    assert not list(path.rglob("*.tmp"))

parent = Path(sys.argv[1])
whole = RunFolder.create(parent, "whole", "1f3a9c").path
work(whole)
expected = bytes_of(whole)
assert len(expected) == len(KEYS)

def crash(start, end):
    path = RunFolder.create(parent, "crash", "1f3a9c").path
    told, tell = os.pipe()
    status = os.waitpid(end(child(lambda: start(path, tell))), 0)[1]
    check(path, told, expected)
    os.close(told), os.close(tell)
    return status
"""

EVERY_CALL = """
call = 1
while True:
    def start(path, tell):
        die_at(call)
        work(path, tell, lambda: os._exit(0))
    if crash(start, lambda number: number) == 0:
        break
    call += 1
print(call)
"""

ANY_MOMENT = """
started = time.perf_counter()
work(RunFolder.create(parent, "timed", "1f3a9c").path)
duration = time.perf_counter() - started
killed = 0
for turn in range(20):
    def end(number):
        time.sleep(turn * 0.618 % 1.2 * duration)
        os.kill(number, signal.SIGKILL)
        return number
    killed += crash(work, end) != 0
print(killed)
"""


@pytest.mark.parametrize(
    ("program", "chunks", "least"),
    [(EVERY_CALL, 2, 30), (ANY_MOMENT, 6, 5)],
    ids=["at every call", "at any moment"],
)
def test_a_killed_writer_loses_nothing_it_told(
    tmp_path: Path, program: str, chunks: int, least: int
) -> None:
    """Killed at each call to the system or at random moments and resumed, it ends the same."""
    done = subprocess.run(
        [sys.executable, "-c", CRASHES + program, str(tmp_path), str(chunks)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= least
