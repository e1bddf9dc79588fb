"""Runs that are killed, interrupted, damaged or changed: resumed to the same bits, or refused.

Each family of checks ends with planted bugs: what would break the promise must be caught.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import platform
import random
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from small_study import SMALL, digests, environment, files, fresh_run
from unmoor import catalog
from unmoor.catalog import draws
from unmoor.errors import ExitCode, Interrupted, ResourceError, RunFolderError, UnmoorError
from unmoor.trial import atomic, chunks, lock, packing, provenance, run
from unmoor.trial.ledger import Ledger
from unmoor.trial.result import Result
from unmoor.trial.run import Progress, resume
from unmoor.trial.store import RunFolder
from unmoor.trial.study import Study

VICTIMS = Path(__file__).with_name("victims.py")
MANY_DRAWS = SMALL.replace("draws  = 12", "draws  = 30")
CAUGHT = (AssertionError, pytest.fail.Exception)


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    """No test sees what another one left in memory."""
    draws._draw.cache_clear()
    yield
    draws._draw.cache_clear()


# ---------------------------------------------------------------- killed


@pytest.fixture(scope="module")
def victims(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the program that kills runs has to tell."""
    folder = tmp_path_factory.mktemp("victims")
    (folder / "study.toml").write_text(MANY_DRAWS, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, VICTIMS, "study.toml", "out"],
        cwd=folder,
        env=environment(),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    told["at"] = folder
    return told


def check_same_folders(victims: Mapping[str, Any], which: str, length: str = "long") -> None:
    """Tables and chunks are those of the run that was left alone, and nothing else is there."""
    expected = files(victims["at"] / victims[length]["folder"])
    assert len(expected) == victims[length]["chunks"] + victims[length]["tables"]
    for name in victims[which]["folders"]:
        folder = victims["at"] / name
        assert files(folder) == expected
        assert not list(folder.rglob("*.tmp"))
        assert RunFolder.open(folder).verify() == []


def check_costs(victims: Mapping[str, Any], which: str) -> None:
    """A kill costs at most the chunks in flight, and nothing that is done is done again."""
    for session in victims[which]["sessions"]:
        assert session["forgotten"] == []
        assert session["again"] == []
        assert len(session["lost"]) <= victims["allowed"]


def test_twenty_kills_cost_the_chunks_in_flight_only(victims: dict[str, Any]) -> None:
    """Killed from the first chunk to the last, and while it is resumed: the same files."""
    killed = [each for each in victims["kills"]["sessions"] if each["was_killed"]]
    done = [each["done"] / victims["long"]["chunks"] for each in killed]
    assert len(done) == 20
    assert min(done) < 0.25
    assert max(done) > 0.75
    check_costs(victims, "kills")
    check_same_folders(victims, "kills")


def test_kills_between_tables_leave_none_that_is_wrong(victims: dict[str, Any]) -> None:
    """A run that was killed after each table in turn; it is read once all of them are there."""
    readable = victims["tables"]["readable"]
    assert readable[0] is False
    assert readable == sorted(readable)
    assert victims["tables"]["begun"] == []
    check_same_folders(victims, "tables")


@pytest.mark.parametrize(
    ("plant", "check"),
    [
        ("unrecorded", check_costs),
        ("forgetful", check_costs),
        ("overwriting", check_costs),
        ("restarting", lambda told, which: check_same_folders(told, which, "short")),
    ],
)
def test_planted_bugs_are_caught(
    victims: dict[str, Any], plant: str, check: Callable[[Mapping[str, Any], str], None]
) -> None:
    """Chunks not recorded, forgotten, done anew, or drawn from other numbers after a stop."""
    with pytest.raises(AssertionError):
        check(victims, plant)


# ---------------------------------------------------------------- stopped


class Command:
    """The command line as a process of its own, writing below a folder."""

    def __init__(self, out: Path, *arguments: object) -> None:
        self.out = out
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "unmoor.cli", *map(str, arguments)],
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )

    def done(self, more_than: int = 0) -> Path:
        """The run folder, once there are more chunks in its ledger."""
        while self.process.poll() is None and time.monotonic() < self.started + 60:
            for ledger in self.out.glob("*/ledger.jsonl"):
                if ledger.read_bytes().count(b"\n") > more_than:
                    return ledger.parent
            time.sleep(0.002)
        raise AssertionError(self.process.communicate()[1])

    def told(self, *signals: int) -> tuple[int, str]:
        """Exit status and standard error, after signals."""
        for number in signals:
            self.process.send_signal(number)
        error = self.process.communicate(timeout=60)[1]
        return self.process.returncode, error


@pytest.fixture(scope="module")
def long_study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study that takes seconds: all structures, 18 chunks."""
    path = tmp_path_factory.mktemp("long") / "long.toml"
    text = SMALL.replace("draws  = 12", "draws  = 80").replace("rivals = false", "rivals = true")
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def expected(long_study: Path) -> dict[str, str]:
    """Digests of its tables."""
    return digests(fresh_run(Study.load(long_study)))


def same_tables(folder: Path, expected: Mapping[str, str]) -> bool:
    """Whether the tables of a run folder are the expected ones."""
    found = files(folder)
    return {name: found.get(name) for name in expected} == dict(expected)


def start(study: Path, out: Path) -> Command:
    """Run a study on one thread."""
    return Command(out, "run", study, "--out", out, "--workers", 1, "--no-report")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_command_that_is_stopped_can_be_resumed(
    long_study: Path, expected: dict[str, str], tmp_path: Path, number: int
) -> None:
    """It ends within seconds with status 4 and tells how to go on, which gives the same bits."""
    command = start(long_study, tmp_path)
    folder = command.done()
    asked = time.monotonic()
    status, error = command.told(number)
    assert time.monotonic() - asked < 10
    assert status == ExitCode.STOPPED, error
    assert f"unmoor resume {folder}" in error
    assert "Traceback" not in error
    assert not (folder / "effects.csv").exists()
    with pytest.raises(RunFolderError, match="resume"):
        Result.load(folder)
    assert digests(resume(folder)) == expected
    assert same_tables(folder, expected)


def test_a_command_killed_twice_ends_the_same(
    long_study: Path, expected: dict[str, str], tmp_path: Path
) -> None:
    """As a user sees it: killed while it runs, and killed again while it is resumed."""
    moments = random.Random(3)
    command = start(long_study, tmp_path)
    folder = command.done()
    time.sleep(moments.uniform(0, 0.15))
    assert command.told(signal.SIGKILL)[0] == -signal.SIGKILL
    done = len(Ledger(folder / "ledger.jsonl").entries)
    command = Command(tmp_path, "resume", folder, "--workers", 1, "--no-report")
    command.done(done)
    time.sleep(moments.uniform(0, 0.15))
    assert command.told(signal.SIGKILL)[0] == -signal.SIGKILL
    assert digests(resume(folder)) == expected
    assert same_tables(folder, expected)


def stop_after(count: int, number: int = signal.SIGINT) -> Callable[[Progress], None]:
    """Send this process a signal when so many chunks are done."""

    def tell(progress: Progress) -> None:
        if progress.done == count:
            os.kill(os.getpid(), number)

    return tell


def small_file(folder: Path, text: str = SMALL) -> Study:
    """The small study, from a file."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "small.toml").write_text(text, encoding="utf-8")
    return Study.load(folder / "small.toml")


def check_stop(study: Study, out: Path, count: int, number: int) -> Path:
    """A signal after so many chunks; returns the run folder, which holds what was done."""
    with pytest.raises(Interrupted) as stopped:
        run.run(study, workers=2, out=out, progress=stop_after(count, number))
    assert stopped.value.exit_code == ExitCode.STOPPED
    (folder,) = out.iterdir()
    assert str(folder) in str(stopped.value)
    assert len(RunFolder.open(folder).completed()) >= count
    assert not (folder / ".lock").exists()
    return folder


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("count", [1, 4])
def test_a_run_that_gets_a_signal_keeps_what_is_done(
    tmp_path: Path, number: int, count: int
) -> None:
    """After the first chunk or the last; the signal's handler is what it was before."""
    study = small_file(tmp_path)
    handler = signal.getsignal(number)
    folder = check_stop(study, tmp_path / "out", count, number)
    assert signal.getsignal(number) is handler
    assert digests(resume(folder)) == digests(fresh_run(study))


@pytest.mark.parametrize("function", ["_compile", "_finish"])
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_signals_count_from_start_to_end(victims: dict[str, Any], function: str, name: str) -> None:
    """While kernels are compiled and while tables are made, too."""
    assert victims["signals"][f"{name} in {function}"] == ExitCode.STOPPED


def test_a_planted_buffer_is_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks that are written only every now and then are lost when a run is stopped."""
    real, kept = RunFolder.write_chunk, []

    def write_chunk(self: RunFolder, key: str, arrays: chunks.Arrays) -> None:
        kept.append((key, arrays))
        if len(kept) == 3:
            for item in kept:
                real(self, *item)
            kept.clear()

    monkeypatch.setattr(RunFolder, "write_chunk", write_chunk)
    with pytest.raises(CAUGHT):
        check_stop(small_file(tmp_path), tmp_path / "out", 2, signal.SIGINT)


@pytest.mark.parametrize("moment", [5, 8, 11, 17])
def test_a_full_disk_stops_a_run_that_can_be_resumed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: int
) -> None:
    """Wherever it fills up, in the middle of a write."""
    study, real = small_file(tmp_path), atomic._write_all
    count = iter(range(10**9))

    def write_all(file: int, data: bytes) -> None:
        if next(count) >= moment:
            real(file, data[: len(data) // 2])
            raise OSError(errno.ENOSPC, "No space left on device")
        real(file, data)

    with monkeypatch.context() as patch:
        patch.setattr(atomic, "_write_all", write_all)
        with pytest.raises(ResourceError, match="bytes needed"):
            run.run(study, out=tmp_path / "out")
    (folder,) = (tmp_path / "out").iterdir()
    assert not list(folder.rglob("*.tmp"))
    assert digests(resume(folder)) == digests(fresh_run(study))


# ---------------------------------------------------------------- damaged


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run."""
    folder = tmp_path_factory.mktemp("finished")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chunks, "_DRAWS", 3)
        path = run.run(small_file(folder), out=folder / "out").path
    assert path is not None
    return path


@pytest.fixture
def damaged(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, to be damaged."""
    monkeypatch.setattr(chunks, "_DRAWS", 3)
    shutil.copytree(finished, tmp_path / "copy")
    return tmp_path / "copy"


def computed(folder: Path) -> tuple[Result, list[str]]:
    """Resume a run; the result, and the chunks that were computed for it."""
    found: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        real = run.compute

        def compute(study: Study, chunk: chunks.Chunk, days: float | None = None) -> chunks.Arrays:
            if days is None:
                found.append(f"data/{chunk.key}.npz")
            return real(study, chunk, days)

        patch.setattr(run, "compute", compute)
        return resume(folder), sorted(found)


def flip(path: Path, moments: random.Random) -> None:
    """Change one bit."""
    data = bytearray(path.read_bytes())
    data[moments.randrange(len(data))] ^= 1 << moments.randrange(8)
    path.write_bytes(data)


def check_repair(folder: Path, names: Sequence[str]) -> None:
    """Just these chunks are computed again, and the folder is what it was."""
    expected = folder.parent / "expected"
    _, found = computed(folder)
    assert found == sorted(names)
    assert files(folder) == files(expected)
    assert RunFolder.open(folder).verify() == []
    assert len(RunFolder.open(folder).completed()) == len(chunk_files(folder))


def chunk_files(folder: Path) -> list[str]:
    """Names of the chunks of a run folder."""
    return sorted(f"data/{path.name}" for path in (folder / "data").iterdir())


def flip_bits(folder: Path) -> list[str]:
    """One bit in each of three chunks."""
    moments = random.Random(4)
    names = moments.sample(chunk_files(folder), 3)
    for name in names:
        flip(folder / name, moments)
    return names


def cut_short(folder: Path) -> list[str]:
    """Half of a chunk."""
    name = chunk_files(folder)[2]
    data = (folder / name).read_bytes()
    (folder / name).write_bytes(data[: len(data) // 2])
    return [name]


def fill_with_zeros(folder: Path) -> list[str]:
    """A chunk of zeros, as after a crash of some file systems."""
    name = chunk_files(folder)[5]
    (folder / name).write_bytes(bytes((folder / name).stat().st_size))
    return [name]


def swap(folder: Path) -> list[str]:
    """Two chunks under each other's names."""
    names = chunk_files(folder)[1:3]
    first, second = ((folder / name).read_bytes() for name in names)
    (folder / names[0]).write_bytes(second)
    (folder / names[1]).write_bytes(first)
    return names


def remove(folder: Path) -> list[str]:
    """A chunk that is gone."""
    name = chunk_files(folder)[-1]
    (folder / name).unlink()
    return [name]


def flip_ledger(folder: Path) -> list[str]:
    """A bit of one line of the ledger; its chunk counts as not done."""
    lines = (folder / "ledger.jsonl").read_bytes().split(b"\n")
    name: str = json.loads(lines[3])["file"]
    lines[3] = lines[3].replace(b'"rows":', b'"rows";', 1)
    (folder / "ledger.jsonl").write_bytes(b"\n".join(lines))
    return [name]


def flip_tables(folder: Path) -> list[str]:
    """A bit of each table: no chunk is concerned."""
    for path in folder.glob("*.csv"):
        flip(path, random.Random(path.name))
    return []


DAMAGES = (flip_bits, cut_short, fill_with_zeros, swap, remove, flip_ledger, flip_tables)


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_what_is_damaged_is_computed_again(
    damaged: Path, damage: Callable[[Path], list[str]]
) -> None:
    """And only that."""
    shutil.copytree(damaged, damaged.parent / "expected")
    check_repair(damaged, damage(damaged))


def test_a_finished_run_reads_back_to_the_bit(damaged: Path) -> None:
    """Its tables are those that were written."""
    tables = {name: digest for name, digest in files(damaged).items() if name.endswith(".csv")}
    assert digests(Result.load(damaged)) == tables


def test_a_damaged_table_is_named_and_not_read(damaged: Path) -> None:
    """Each table of a result in turn."""
    for name in ("outcomes", "effects", "draws", "structures", "timecourses"):
        path = damaged / f"{name}.csv"
        data = path.read_bytes()
        flip(path, random.Random(name))
        with pytest.raises(RunFolderError, match=path.name):
            Result.load(damaged)
        path.write_bytes(data)
    assert RunFolder.open(damaged).verify() == []


@pytest.mark.parametrize("name", ["study.toml", "provenance.json", "ledger.jsonl"])
def test_no_flipped_bit_of_a_run_misleads(damaged: Path, name: str) -> None:
    """One bit of a file after the other: refused in a line, or the same study goes on."""
    path, moments = damaged / name, random.Random(name)
    data, study = path.read_bytes(), Result.study_of(damaged)
    done = RunFolder.open(damaged).completed()
    for _ in range(40):
        flip(path, moments)
        with contextlib.suppress(UnmoorError):
            found = Result.study_of(damaged)
            provenance.check_same(found, damaged)
            assert found == study
            assert RunFolder.open(damaged).completed() <= done
        path.write_bytes(data)


def plant_trust(patch: pytest.MonkeyPatch) -> None:
    """Files are believed unread."""

    def read(self: RunFolder, name: str, sha256: str) -> bytes | None:
        path = self.path / name
        return path.read_bytes() if path.exists() else None

    patch.setattr(RunFolder, "_read_if_intact", read)


def plant_no_record(patch: pytest.MonkeyPatch) -> None:
    """Chunks are computed again, but not noted in the ledger."""

    def write_chunk(self: RunFolder, key: str, arrays: chunks.Arrays) -> None:
        self.write_bytes(f"data/{key}.npz", packing.pack(arrays))

    patch.setattr(RunFolder, "write_chunk", write_chunk)


@pytest.mark.parametrize(
    ("plant", "damage"),
    [(plant_trust, flip_bits), (plant_trust, swap), (plant_no_record, flip_ledger)],
)
def test_planted_trust_is_caught(
    damaged: Path,
    monkeypatch: pytest.MonkeyPatch,
    plant: Callable[[pytest.MonkeyPatch], None],
    damage: Callable[[Path], list[str]],
) -> None:
    """A flipped bit or a swapped file that is believed is noticed by these checks."""
    shutil.copytree(damaged, damaged.parent / "expected")
    names = damage(damaged)
    plant(monkeypatch)
    with pytest.raises((*CAUGHT, zipfile.BadZipFile)):
        check_repair(damaged, names)


# ---------------------------------------------------------------- changed


def with_own(folder: Path, kind: str, name: str) -> Path:
    """A copy of an entry in the catalog beside a study; returns its folder."""
    copy = folder / "catalog" / kind / name
    shutil.copytree(catalog.find(kind, name), copy)
    return copy


def edit(path: Path, old: str, new: str) -> None:
    """Replace a text of a file."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def change_study(folder: Path, run_folder: Path) -> None:
    """Another seed in the study of the run."""
    edit(run_folder / "study.toml", "seed = 7", "seed = 8")


def change_parameter(folder: Path, run_folder: Path) -> None:
    """Another growth rate beside the study."""
    path = folder / "catalog" / "closures" / "growth" / "parameters.tsv"
    edit(path, "\t0.0775\t", "\t0.0776\t")


def change_drug(folder: Path, run_folder: Path) -> None:
    """A drug that no longer binds in the mouse."""
    path = folder / "catalog" / "drugs" / "anti_itgb1" / "about.toml"
    edit(path, '"human", "mouse"', '"human"')


def change_line(folder: Path, run_folder: Path) -> None:
    """A line that is benign all of a sudden."""
    path = folder / "catalog" / "cell_lines" / "4T1" / "about.toml"
    edit(path, "malignant = true", "malignant = false")


def change_record(run_folder: Path, old: str, new: str) -> None:
    """Have a run record something else, in its provenance and in the copy of it."""
    edit(run_folder / "provenance.json", old, new)
    with RunFolder.open(run_folder) as folder:
        folder.record_file("provenance.json", with_copy=True)


def change_version(folder: Path, run_folder: Path) -> None:
    """A run of another version of the package."""
    now = provenance.software()["version"]
    change_record(run_folder, f'"version": "{now}"', '"version": "9.8.7"')


def change_code(folder: Path, run_folder: Path) -> None:
    """A run of the same version with a line of code changed."""
    change_record(run_folder, f'"code": "{provenance.CODE}"', '"code": "0000"')


def change_package(folder: Path, run_folder: Path) -> None:
    """A run with another release of a library that numbers come from."""
    change_record(run_folder, f'"numba": "{version("numba")}"', '"numba": "0.1"')


def change_python(folder: Path, run_folder: Path) -> None:
    """A run of another Python."""
    change_record(run_folder, f'"python": "{platform.python_version()}"', '"python": "3.9.9"')


def change_system(folder: Path, run_folder: Path) -> None:
    """A run of a machine of another kind."""
    change_record(run_folder, f"{platform.system()} {platform.machine()}", "Darwin arm64")


def check_refused(
    folder: Path, change: Callable[[Path, Path], None], what: str, values: Sequence[str] = ()
) -> None:
    """A run that was stopped, and then something was changed: refused, and nothing is touched."""
    for entry in (("closures", "growth"), ("drugs", "anti_itgb1"), ("cell_lines", "4T1")):
        with_own(folder, *entry)
    out = folder / "out"
    path = check_stop(small_file(folder), out, 1, signal.SIGINT)
    change(folder, path)
    draws._draw.cache_clear()
    before = files(path)
    with pytest.raises(RunFolderError, match=f"{what} is not what it was") as refused:
        resume(path)
    assert refused.value.exit_code == ExitCode.BAD_INPUT
    assert all(value in str(refused.value) for value in values)
    assert files(path) == before
    assert not (path / ".lock").exists()


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (change_study, "the study"),
        (change_parameter, "the catalog"),
        (change_version, "unmoor"),
        (change_code, "the code of unmoor"),
        (change_package, "numba"),
        (change_python, "Python"),
        (change_system, "the system"),
        (change_drug, "the catalog"),
        (change_line, "the catalog"),
    ],
)
def test_a_run_is_not_resumed_with_something_else(
    tmp_path: Path, change: Callable[[Path, Path], None], what: str
) -> None:
    """What has changed is named."""
    values = {
        "unmoor": ("9.8.7", provenance.software()["version"]),
        "numba": ("0.1 then", f"{version('numba')} now"),
        "Python": ("3.9 then",),
        "the system": ("Darwin arm64 then",),
        "the study": ("seed = 7 then", "seed = 8 now", "remove the file"),
    }
    check_refused(tmp_path, change, what, values.get(what, ()))


def check_processor(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A run that goes on on another processor says so, and gives the same bits."""
    study = small_file(folder)
    path = check_stop(study, folder / "out", 1, signal.SIGINT)
    change_record(path, json.dumps(provenance._processor()), '"an abacus"')
    assert digests(resume(path)) == digests(fresh_run(study))
    assert "an abacus" in caplog.text
    assert provenance._processor() in (path / "log.jsonl").read_text(encoding="utf-8")


def test_another_processor_is_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Numbers do not depend on it, so the run goes on; a planted silence is caught."""
    check_processor(tmp_path / "told", caplog)
    caplog.clear()
    monkeypatch.setattr(run, "check_same", lambda *_: {})
    with pytest.raises(AssertionError):
        check_processor(tmp_path / "silent", caplog)


def test_a_study_edited_in_its_run_can_be_put_back(tmp_path: Path) -> None:
    """As the message says: without the file the run goes on with the study as it was run."""
    study = small_file(tmp_path)
    path = check_stop(study, tmp_path / "out", 1, signal.SIGINT)
    before = (path / "study.toml").read_bytes()
    change_study(tmp_path, path)
    with pytest.raises(RunFolderError, match="remove the file"):
        resume(path)
    (path / "study.toml").unlink()
    assert digests(resume(path)) == digests(fresh_run(study))
    assert (path / "study.toml").read_bytes() == before


def test_a_planted_digest_is_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A digest of the catalog that is always the same lets a changed one pass."""
    monkeypatch.setattr(provenance, "catalog_digest", lambda study: "0" * 64)
    with pytest.raises(CAUGHT):
        check_refused(tmp_path, change_parameter, "the catalog")


# ---------------------------------------------------------------- two at once


@pytest.fixture
def held(long_study: Path, tmp_path: Path) -> Iterator[tuple[Path, Command]]:
    """A run that another process is in the middle of, and that process, held."""
    command = start(long_study, tmp_path)
    folder = command.done()
    command.process.send_signal(signal.SIGSTOP)
    yield folder, command
    command.process.kill()
    command.process.communicate()


def check_second_refused(folder: Path, command: Command) -> None:
    """A second process names the first and touches nothing."""
    before = files(folder)
    with pytest.raises(RunFolderError, match=f"process {command.process.pid} on ") as refused:
        resume(folder)
    assert refused.value.code == "E-LOCKED"
    assert files(folder) == before


def test_a_second_process_is_refused(
    held: tuple[Path, Command], expected: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In Python and on the command line; once the first is gone, its place is taken over.

    Also a planted bug: a lock that is never taken lets both write, and is caught.
    """
    folder, command = held
    check_second_refused(folder, command)
    second = Command(folder.parent, "resume", folder)
    status, error = second.told()
    assert status == ExitCode.BAD_INPUT, error
    assert f"process {command.process.pid} on " in error
    copy = folder.parent.parent / "planted"
    shutil.copytree(folder, copy)
    with monkeypatch.context() as patch:
        patch.setattr(lock, "_is_taken", lambda *_: False)
        with pytest.raises(CAUGHT):
            check_second_refused(copy, command)
    command.process.kill()
    command.process.wait()
    assert digests(resume(folder)) == expected
    assert same_tables(folder, expected)
