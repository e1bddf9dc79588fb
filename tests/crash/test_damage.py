"""Bytes that change, files that are cut, emptied or lost: each is found, named and mended.

One study is run once; copies of its folder are damaged and resumed. What is intact stays, what is
not is made again, and the result is the same to the bit.
"""

from __future__ import annotations

import json
import logging
import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from small_study import SMALL, files
from unmoor.catalog import draws
from unmoor.errors import RunFolderError, UnmoorError
from unmoor.trial import chunks, run
from unmoor.trial.checksums import Checksums
from unmoor.trial.result import Result
from unmoor.trial.run import resume
from unmoor.trial.store import RunFolder
from unmoor.trial.study import Study

FLIPS = 200
A_ROUND = 5  # damaged bytes in a folder at a time
ORIGIN = ("study.toml", "provenance.json", "checksums.json")
TINY = (
    SMALL.replace("draws  = 12", "draws  = 6")
    .replace('["4T1", "MDA-MB-231"]', '["4T1"]')
    .replace('"14 d"', '"4 d"')
)


@pytest.fixture(autouse=True)
def _nothing_remembered(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Chunks of one draw; no test sees what another one left in memory."""
    monkeypatch.setattr(chunks, "_DRAWS", 1)
    draws._draw.cache_clear()
    yield
    draws._draw.cache_clear()


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run."""
    folder = tmp_path_factory.mktemp("finished")
    (folder / "tiny.toml").write_text(TINY, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chunks, "_DRAWS", 1)
        path = run.run(Study.load(folder / "tiny.toml"), out=folder / "out").path
    assert path is not None
    assert RunFolder.open(path).verify() == []
    return path


@pytest.fixture
def copy(finished: Path, tmp_path: Path) -> Path:
    """A copy of it, to be damaged."""
    shutil.copytree(finished, tmp_path / "copy")
    return tmp_path / "copy"


@dataclass
class Damage:
    """What was done to a folder, and which chunks have to be computed again for it."""

    name: str
    chunks: set[str]


def everything(folder: Path) -> dict[str, bytes]:
    """All files but the log, which tells what happened to the folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name not in ("log.jsonl", "ledger.jsonl", "checksums.json")
    }


def flip(folder: Path, name: str, moments: random.Random) -> Damage:
    """Change one byte of a file to another one."""
    path = folder / name
    data = bytearray(path.read_bytes())
    place = moments.randrange(len(data))
    lost = {name} if name.startswith("data/") else set()
    if name == "ledger.jsonl":  # the line of the byte, and the next one if they are joined
        starts = bytes(data).count(b"\n", 0, place)
        lines = bytes(data).split(b"\n")[:-1]
        hit = lines[starts : starts + (2 if data[place : place + 1] == b"\n" else 1)]
        left = [line for i, line in enumerate(lines) if not starts <= i < starts + len(hit)]
        # a chunk that was computed twice has two lines, of which one is enough
        lost = {json.loads(line)["file"] for line in hit}
        lost -= {json.loads(line)["file"] for line in left}
    data[place] = (data[place] + moments.randrange(1, 256)) % 256
    path.write_bytes(data)
    return Damage(name, lost)


def check_detected(folder: Path, name: str) -> None:
    """The file is named by whoever checks the folder, and nothing that is read is believed."""
    assert name in RunFolder.open(folder).verify()
    if name in ORIGIN or (name.endswith(".csv") and name not in ("numbers.csv", "uncertainty.csv")):
        with pytest.raises(RunFolderError, match=name):
            Result.load(folder)


def resumed(folder: Path) -> tuple[set[str], str]:
    """Resume a run, as its messages say; the chunks that were computed, and what was told."""
    found: set[str] = set()
    told: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: told.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("unmoor")
    logger.addHandler(handler)
    real = run.compute

    def compute(study: Study, chunk: chunks.Chunk, days: float | None = None) -> chunks.Arrays:
        if days is None:
            found.add(f"data/{chunk.key}.npz")
        return real(study, chunk, days)

    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(run, "compute", compute)
            try:
                resume(folder, workers=1)
            except UnmoorError as refusal:
                if "remove the file" not in str(refusal):
                    raise
                told.append(str(refusal))
                (folder / "study.toml").unlink()
                resume(folder, workers=1)
    finally:
        logger.removeHandler(handler)
    return found, "\n".join(told)


def check_mended(folder: Path, expected: dict[str, bytes], done: list[Damage]) -> None:
    """Each damage is told by the name of its file; what was intact is not computed again."""
    found, told = resumed(folder)
    for damage in done:
        assert damage.name in told, (damage.name, told)
    assert found == {name for damage in done for name in damage.chunks}
    assert everything(folder) == expected
    assert RunFolder.open(folder).verify() == []
    Result.load(folder)


def kinds(folder: Path) -> list[list[str]]:
    """Names of all files of a run, by what they are."""
    chunks = sorted(f"data/{path.name}" for path in (folder / "data").iterdir())
    tables = sorted(path.name for path in folder.glob("*.csv"))
    return [chunks, tables, ["ledger.jsonl"], ["log.jsonl"], *([name] for name in ORIGIN)]


def rounds(copy: Path, flips: int, seed: int) -> None:
    """Damage bytes of files of every kind, a few at a time, and mend the folder."""
    moments, expected = random.Random(seed), everything(copy)
    seen: set[str] = set()
    for _ in range(flips // A_ROUND):
        done: list[Damage] = []
        while len(done) < A_ROUND:
            name = moments.choice(moments.choice(kinds(copy)))
            taken = {each.name for each in done}
            # The two places of study and provenance are not lost at once: that is another test.
            if name in taken or (name in ORIGIN and taken & set(ORIGIN)):
                continue
            # Without the checksums nothing is known of tables and log; all are made again.
            two = {name.split("/")[0], *(each.split("/")[0] for each in taken)}
            if "checksums.json" in two and two - {"checksums.json", "data"}:
                continue
            # Nor a chunk and its line of the ledger, without which no one knows of the chunk.
            lost = {chunk for each in done for chunk in each.chunks}
            if name in lost or (name == "ledger.jsonl" and lost):
                continue
            done.append(flip(copy, name, moments))
            check_detected(copy, name)
        check_mended(copy, expected, done)
        seen |= {each.name.split("/")[0] for each in done}
    if flips == FLIPS:
        assert seen == {"data", *(name for kind in kinds(copy)[1:] for name in kind)}


def test_two_hundred_flipped_bytes_are_found_and_mended(copy: Path) -> None:
    """In chunks, tables, ledger, log, study, provenance and checksums."""
    rounds(copy, FLIPS, seed=11)


# ---------------------------------------------------------------- cut, emptied, lost


def cut(path: Path) -> None:
    """Half of a file."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path: Path) -> None:
    """Nothing of a file."""
    path.write_bytes(b"")


def zero(path: Path) -> None:
    """Zeros from the middle on, as some file systems leave after a power cut."""
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2] + bytes(len(data) - len(data) // 2))


FILES = ("chunk", "effects.csv", "numbers.csv", "ledger.jsonl", "log.jsonl", *ORIGIN)


@pytest.mark.parametrize("damage", [cut, empty, zero, Path.unlink], ids=lambda each: each.__name__)
def test_files_that_are_cut_emptied_zeroed_or_lost_are_mended(
    copy: Path, damage: Callable[[Path], None]
) -> None:
    """Every kind of file in turn: named, and the folder is what it was."""
    expected = everything(copy)
    for name in FILES:
        which = kinds(copy)[0][2] if name == "chunk" else name
        damage(copy / which)
        assert which in RunFolder.open(copy).verify()
        _, told = resumed(copy)
        assert which in told
        assert everything(copy) == expected
        assert RunFolder.open(copy).verify() == []


def test_what_is_lost_in_both_places_is_refused_by_name(copy: Path) -> None:
    """A study that is gone, and its copy with it: nothing can be told of such a folder."""
    before = files(copy)
    (copy / "study.toml").write_text("schema = ", encoding="utf-8")
    (copy / "checksums.json").write_text("{}", encoding="utf-8")
    with pytest.raises(UnmoorError, match=r"study\.toml"):
        resume(copy)
    assert files(copy) == before


def test_a_run_that_was_stopped_is_checked_too(copy: Path) -> None:
    """Without tables and at any moment: a damaged log, study or chunk is found."""
    growing_and_tables = [name for kind in kinds(copy)[1:4] for name in kind]
    with RunFolder.open(copy) as folder:
        folder.forget_files(*growing_and_tables)
    for path in copy.glob("*.csv"):
        path.unlink()
    assert RunFolder.open(copy).verify() == []
    moments = random.Random(5)
    for name in ("log.jsonl", "study.toml", kinds(copy)[0][1]):
        data = (copy / name).read_bytes()
        for _ in range(10):
            place = moments.randrange(len(data) - 1)  # but the last line break
            (copy / name).write_bytes(data[:place] + bytes([data[place] ^ 4]) + data[place + 1 :])
            assert RunFolder.open(copy).verify() == [name]
        (copy / name).write_bytes(data)


# ---------------------------------------------------------------- planted bugs


def plant_trust(patch: pytest.MonkeyPatch) -> None:
    """Files are believed unread."""

    def read(self: RunFolder, name: str, digest: str) -> bytes | None:
        path = self.path / name
        return path.read_bytes() if path.exists() else None

    patch.setattr(RunFolder, "_read_if_intact", read)


def plant_no_own_digest(patch: pytest.MonkeyPatch) -> None:
    """Checksums are believed as long as they can be read."""

    def read(self: Checksums) -> None:
        try:
            record = json.loads(self.path.read_bytes())
            self.files, self.copies, self.is_damaged = record["files"], record["copies"], False
        except (OSError, ValueError, KeyError):
            self.is_damaged = True

    patch.setattr(Checksums, "read", read)


def plant_no_log(patch: pytest.MonkeyPatch) -> None:
    """Nobody looks at the log."""
    patch.setattr(RunFolder, "_log_lines", lambda self: [])
    real = RunFolder.damaged_files
    patch.setattr(
        RunFolder, "damaged_files", lambda self: [x for x in real(self) if x != "log.jsonl"]
    )


def plant_no_restoring(patch: pytest.MonkeyPatch) -> None:
    """A damaged study is used as long as it can be read."""
    patch.setattr(run, "restore_origin", lambda folder: None)


def plant_forgetful(patch: pytest.MonkeyPatch) -> None:
    """Everything is computed again."""
    patch.setattr(RunFolder, "completed", lambda self: set())


def plant_silence(patch: pytest.MonkeyPatch) -> None:
    """Damage is mended and not told."""
    patch.setattr(RunFolder, "_tell_damage", lambda *_: None)


PLANTS = (
    plant_trust, plant_no_own_digest, plant_no_log, plant_no_restoring, plant_forgetful,
    plant_silence,
)  # fmt: skip


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.__name__)
def test_planted_bugs_are_caught(
    copy: Path, monkeypatch: pytest.MonkeyPatch, plant: Callable[[pytest.MonkeyPatch], None]
) -> None:
    """Fewer flips are enough for that, but each kind of file must be hit."""
    plant(monkeypatch)
    with pytest.raises((AssertionError, pytest.fail.Exception, UnmoorError)):
        rounds(copy, 120, seed=11)
