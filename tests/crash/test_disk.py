"""Full and write-protected disks, odd paths, poor surroundings: told in a line, or the same bits.

A full disk is a real one, of memory, where the system lets us mount one, and everywhere a write
that is refused in the middle.
"""

from __future__ import annotations

import codecs
import errno
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from small_study import SMALL, environment, files
from unmoor.catalog import draws
from unmoor.cli import main
from unmoor.errors import ExitCode
from unmoor.trial import atomic
from unmoor.trial.store import RunFolder

MOMENTS = 20
TINY = (
    SMALL.replace("draws  = 12", "draws  = 3")
    .replace('["4T1", "MDA-MB-231"]', '["4T1"]')
    .replace('"14 d"', '"4 d"')
)
ODD = "two words/乳腺癌 β1/🐁 📁"


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    """No test sees what another one left in memory."""
    draws._draw.cache_clear()
    yield
    draws._draw.cache_clear()


def study_file(folder: Path, data: bytes = TINY.encode()) -> Path:
    """The study in a file."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tiny.toml").write_bytes(data)
    return folder / "tiny.toml"


def run_command(study: Path, out: Path) -> int:
    """Run the study as the command line does; the exit status."""
    arguments = ["run", str(study), "--out", str(out), "--workers", "1", "--no-report"]
    return int(main(arguments))


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that is finished."""
    folder = tmp_path_factory.mktemp("earlier")
    assert run_command(study_file(folder), folder / "out") == ExitCode.OK
    (path,) = (folder / "out").iterdir()
    return path


class FullDisk:
    """A disk that takes so many writes and half of the next one."""

    def __init__(self, room: int) -> None:
        self.left, self.writes, self.real = room, 0, atomic._write_all

    def write_all(self, file: int, data: bytes) -> None:
        """Write everything, as long as there is room."""
        self.writes += 1
        if self.writes > self.left:
            self.real(file, data[: len(data) // 2])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.real(file, data)


def check_told(status: int, error: str, place: Path) -> None:
    """Exit status 5 and one line with path, needed and free bytes."""
    assert status == ExitCode.RESOURCE, error
    assert "Traceback" not in error
    line = next(line for line in error.splitlines() if "[E-DISK]" in line)
    assert str(place) in line
    assert "bytes needed" in line
    assert "bytes free" in line


def check_goes_on(out: Path, study: Path, expected: dict[str, str]) -> None:
    """No part of a file is left; once there is room, the run goes on to the same bits."""
    runs = [path for path in out.iterdir() if path.name != "earlier"] if out.exists() else []
    assert not list(out.rglob("*.tmp"))
    # Where not even the study was written there is nothing to go on with: it is run anew.
    if runs and main(["resume", str(runs[0]), "--no-report"]) != ExitCode.OK:
        assert not list((runs[0] / "data").iterdir())
        shutil.rmtree(runs[0])
        runs = []
    if not runs:
        assert run_command(study, out) == ExitCode.OK
        runs = [path for path in out.iterdir() if path.name != "earlier"]
    assert files(runs[0]) == expected
    assert RunFolder.open(runs[0]).verify() == []


def check_full(earlier: Path, folder: Path, room: int, capsys: pytest.CaptureFixture[str]) -> None:
    """A disk that fills up at some moment; earlier results are intact."""
    study, out = study_file(folder), folder / "out"
    out.mkdir()
    shutil.copytree(earlier, out / "earlier")
    before = {path: path.read_bytes() for path in (out / "earlier").rglob("*") if path.is_file()}
    capsys.readouterr()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(atomic, "_write_all", FullDisk(room).write_all)
        status = run_command(study, out)
    check_told(status, capsys.readouterr().err, out)
    assert before == {p: p.read_bytes() for p in (out / "earlier").rglob("*") if p.is_file()}
    check_goes_on(out, study, files(earlier))


def test_a_disk_that_is_full_at_any_moment(
    earlier: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """At twenty random writes of a run, from the first to the last."""
    counted = FullDisk(10**9)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(atomic, "_write_all", counted.write_all)
        assert run_command(study_file(tmp_path), tmp_path / "out") == ExitCode.OK
    # The log is let go when the disk is full, so its last line alone stops nothing.
    moments = random.Random(1).sample(range(1, counted.writes - 3), MOMENTS - 1)
    for room in [0, *moments]:
        check_full(earlier, tmp_path / f"{room}", room, capsys)


# ---------------------------------------------------------------- real disks


def mounted(place: Path, options: str) -> bool:
    """Whether a disk of memory could be mounted at a place."""
    place.mkdir(exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)]
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Mounts a small disk; skipped where that is not allowed."""
    place = tmp_path / "disk"

    def mount(options: str) -> Path:
        if not mounted(place, options):
            pytest.skip("no disk can be mounted here")
        return place

    yield mount
    if place.is_mount():
        subprocess.run(["umount", str(place)], check=True)


def size_of(folder: Path) -> int:
    """Bytes that its files take, in whole pages."""
    return sum(-(-path.stat().st_size // 4096) * 4096 for path in folder.rglob("*"))


def test_a_real_disk_that_is_full(
    earlier: Path,
    tmp_path: Path,
    disk: Callable[[str], Path],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Filled to some degree beforehand; the message tells what is free."""
    place, study = disk("size=8m"), study_file(tmp_path)
    moments = random.Random(2)
    for share in (0.02, *(moments.uniform(0.1, 0.9) for _ in range(4))):
        room = int(share * size_of(earlier)) // 4096 * 4096
        free = shutil.disk_usage(place).free
        (place / "filler").write_bytes(bytes(free - room))
        capsys.readouterr()
        status = run_command(study, place / "out")
        check_told(status, capsys.readouterr().err, place)
        (place / "filler").unlink()
        check_goes_on(place / "out", study, files(earlier))
        shutil.rmtree(place / "out")


def test_a_disk_that_may_not_be_written_to(
    earlier: Path,
    tmp_path: Path,
    disk: Callable[[str], Path],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Told with the path, exit status 5; a run on it can still be read."""
    place = disk("size=8m")
    shutil.copytree(earlier, place / "run")
    subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)
    status = run_command(study_file(tmp_path), place / "out")
    error = capsys.readouterr().err
    assert status == ExitCode.RESOURCE
    assert f"{place}" in error
    assert "Read-only" in error
    assert "[E-WRITE]" in error
    assert RunFolder.open(place / "run").verify() == []
    assert main(["resume", str(place / "run")]) == ExitCode.RESOURCE
    assert str(place / "run") in capsys.readouterr().err


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.EPERM])
def test_missing_rights_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], number: int
) -> None:
    """Whatever the system calls them: exit status 5, the path, and what to do."""

    def refuse(*_: Any, **__: Any) -> None:
        raise OSError(number, os.strerror(number))

    study = study_file(tmp_path)
    monkeypatch.setattr(Path, "mkdir", refuse)
    assert run_command(study, tmp_path / "out") == ExitCode.RESOURCE
    error = capsys.readouterr().err
    assert str(tmp_path / "out") in error
    assert "choose a folder you may write in" in error


# ---------------------------------------------------------------- surroundings


def in_shell(
    prepare: str, study: Path, out: Path, **changes: object
) -> subprocess.CompletedProcess[str]:
    """Run the command in a shell that has been prepared."""
    given = environment(**changes)
    for name in ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        given.pop(name, None)
    call = '"$0" -m unmoor.cli run "$1" --out "$2" --workers 40 --no-report'
    return subprocess.run(
        ["bash", "-c", f"{prepare} {call}", sys.executable, str(study), str(out)],
        env=given,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


@pytest.mark.parametrize(
    ("prepare", "data", "place"),
    [
        ("ulimit -n 256;", TINY.encode(), "plain"),
        ("umask 077;", codecs.BOM_UTF8 + TINY.replace("\n", "\r\n").encode(), ODD),
    ],
    ids=["few files", "own files, BOM and CRLF, odd paths"],
)
def test_poor_surroundings_change_nothing(
    earlier: Path, tmp_path: Path, prepare: str, data: bytes, place: str
) -> None:
    """Without a home, with few open files, under a strict mask, from odd files in odd places."""
    study = study_file(tmp_path / place, data)
    done = in_shell(prepare, study, tmp_path / place / "out", LC_ALL="C")
    assert done.returncode == ExitCode.OK, done.stderr
    (folder,) = (tmp_path / place / "out").iterdir()
    assert files(folder) == files(earlier)
    if "umask" in prepare:
        assert {path.stat().st_mode & 0o077 for path in folder.rglob("*")} == {0}


# ---------------------------------------------------------------- planted bugs


def plant_leftovers(patch: pytest.MonkeyPatch) -> None:
    """What could not be finished is left lying about."""
    patch.setattr(Path, "unlink", lambda *_, **__: None)


def plant_in_place(patch: pytest.MonkeyPatch) -> None:
    """Tables and ledger are written in their place, so that half of one may stay."""

    def write_file(path: Path, data: bytes) -> None:
        with atomic.refusals_told(path, len(data)):
            file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            try:
                atomic._write_all(file, data)
            finally:
                os.close(file)

    patch.setattr("unmoor.trial.store.write_file", write_file)
    patch.setattr("unmoor.trial.checksums.write_file", write_file)


def plant_no_reason(patch: pytest.MonkeyPatch) -> None:
    """A full disk is taken for any other trouble."""
    patch.setattr(atomic, "_NO_ROOM", frozenset())


@pytest.mark.parametrize("plant", [plant_leftovers, plant_no_reason])
def test_planted_bugs_are_caught(
    earlier: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    plant: Callable[[pytest.MonkeyPatch], None],
) -> None:
    """Partial files that stay, or a message that does not say what is missing."""
    plant(monkeypatch)
    with pytest.raises(AssertionError):
        check_full(earlier, tmp_path / "full", 7, capsys)


def damaged_by_a_full_disk(folder: Path) -> list[str]:
    """Files that are half written when the disk is full at the fourth write."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(atomic, "_write_all", FullDisk(3).write_all)
        assert run_command(study_file(folder), folder / "out") == ExitCode.RESOURCE
    (path,) = (folder / "out").iterdir()
    return RunFolder.open(path).verify()


def test_planted_half_files_are_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is written in its place is half there when the disk is full."""
    assert damaged_by_a_full_disk(tmp_path / "right") == []
    plant_in_place(monkeypatch)
    assert damaged_by_a_full_disk(tmp_path / "wrong") == ["checksums.json"]
