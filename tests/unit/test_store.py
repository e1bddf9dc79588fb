"""The run folder: what is written is whole, and what is damaged is found."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from unmoor.errors import ExitCode, ResourceError, RunFolderError
from unmoor.trial.store import RunFolder

ARRAYS = {"tumour_volume": np.linspace(0, 1, 7), "status": np.array(["ok", "failed"])}


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[RunFolder]:
    """A run folder, open for writing, with three chunks."""
    with RunFolder.create(tmp_path, "study", "1f3a9c77") as created:
        for key in ("first", "second", "third"):
            created.write_chunk(key, {"value": np.array([len(key)])})
        yield created


def events(folder: RunFolder) -> list[str]:
    """What the log says happened."""
    lines = (folder.path / "log.jsonl").read_text().splitlines()
    return [json.loads(line)["event"] for line in lines]


def test_a_folder_is_named_by_day_study_and_digest(tmp_path: Path) -> None:
    """Runs sort by day, and a second run of the same study gets a number."""
    paths = [RunFolder.create(tmp_path / "runs", "study", "1f3a9c77").path for _ in range(3)]
    day = time.strftime("%Y-%m-%d")
    assert [path.name for path in paths] == [
        f"{day}_study_1f3a9c",
        f"{day}_study_1f3a9c-2",
        f"{day}_study_1f3a9c-3",
    ]


@pytest.mark.parametrize(
    "key", ["..", ".hidden", "a/b", "block + prevent", "β1 阻断 🐁", "x" * 500, "a\nb", "", "A\x00"]
)
def test_any_text_can_name_a_chunk_or_a_study(tmp_path: Path, key: str) -> None:
    """Arms and lines are named by people; their names must not leave the folder."""
    with RunFolder.create(tmp_path, key, "1f3a9c") as folder:
        folder.write_chunk(key, ARRAYS)
        folder.write_chunk(f"{key}.", {})
        assert folder.completed() == {key, f"{key}."}
        assert len(list((folder.path / "data").iterdir())) == 2
    assert folder.path.parent == tmp_path


@pytest.mark.parametrize("name", ["../out.txt", "/etc/passwd", "a/../../b", "", "."])
def test_files_are_written_inside_the_folder_only(folder: RunFolder, name: str) -> None:
    """A name that leads elsewhere is refused."""
    with pytest.raises(RunFolderError):
        folder.write_text(name, "x")


def test_what_is_not_a_run_is_refused_with_what_may_be_meant(tmp_path: Path) -> None:
    """A mistyped path is the usual case."""
    made = RunFolder.create(tmp_path, "study", "1f3a9c").path
    with pytest.raises(RunFolderError, match=f"did you mean {made.name}") as caught:
        RunFolder.open(made.with_name(made.name[:-1]))
    assert caught.value.exit_code == ExitCode.BAD_INPUT
    with pytest.raises(RunFolderError, match="not the folder of a run"):
        RunFolder.open(tmp_path / "no" / "where")


def test_a_chunk_reads_back_as_it_was_written(folder: RunFolder) -> None:
    """Values, shapes and types, for every kind of array a result needs."""
    arrays = {
        **ARRAYS,
        "count": np.arange(6, dtype=np.int32).reshape(2, 3),
        "turned": np.arange(6.0).reshape(2, 3).T,
        "missing": np.array([np.nan, -0.0, np.inf]),
        "scalar": np.array(3.5),
        "none": np.empty((0, 4)),
    }
    folder.write_chunk("all", arrays)
    read = RunFolder.open(folder.path).read_chunk("all")
    assert read.keys() == arrays.keys()
    for name, array in arrays.items():
        assert read[name].dtype == array.dtype
        assert read[name].shape == array.shape
        assert read[name].tobytes() == array.tobytes()


def test_the_same_arrays_give_the_same_bytes(tmp_path: Path) -> None:
    """Whatever the order, the memory layout and the time of writing."""
    table = np.arange(12.0).reshape(3, 4)
    digests = set()
    for arrays in ({"a": table, "b": ARRAYS["status"]}, {"b": ARRAYS["status"], "a": table.T.T}):
        with RunFolder.create(tmp_path, "study", "1f3a9c") as folder:
            folder.write_chunk("x", {name: np.asfortranarray(a) for name, a in arrays.items()})
        digests.add(hashlib.sha256((folder.path / "data" / "x.npz").read_bytes()).hexdigest())
    assert len(digests) == 1


def test_python_objects_are_not_stored(folder: RunFolder) -> None:
    """They could run code when read, and have no stable bytes."""
    with pytest.raises(ValueError, match="Object arrays"):
        folder.write_chunk("objects", {"x": np.array([object()])})
    assert "objects" not in folder.completed()


def test_a_chunk_written_again_replaces_the_first(folder: RunFolder) -> None:
    """As happens after damage: the later line of the ledger counts."""
    folder.write_chunk("first", {"value": np.array([99])})
    assert RunFolder.open(folder.path).read_chunk("first")["value"] == 99
    assert len(folder.completed()) == 3


def test_a_chunk_that_is_not_there_is_named(folder: RunFolder) -> None:
    """Asking for what was never computed is an error, not an empty result."""
    with pytest.raises(RunFolderError, match="no chunk 'fourth'"):
        folder.read_chunk("fourth")


@pytest.mark.parametrize("cut", [1, 20, 90])
def test_a_torn_last_line_is_dropped(folder: RunFolder, cut: int) -> None:
    """A crash in the middle of a line loses that chunk alone; the next line starts afresh."""
    folder.__exit__(None, None, None)
    ledger = folder.path / "ledger.jsonl"
    ledger.write_bytes(ledger.read_bytes()[:-cut])
    reader = RunFolder.open(folder.path)
    assert reader.completed() == {"first", "second"}
    assert reader.verify() == []
    with reader:
        reader.write_chunk("third", {"value": np.array([5])})
    assert RunFolder.open(folder.path).completed() == {"first", "second", "third"}
    assert RunFolder.open(folder.path).verify() == []


def test_a_line_after_one_that_could_not_be_finished_starts_afresh(folder: RunFolder) -> None:
    """Even if the unfinished one could not be taken back."""
    with (folder.path / "ledger.jsonl").open("ab") as ledger:
        ledger.write(b'{"key":"four')
    folder.write_chunk("fifth", {})
    assert folder.completed() == {"first", "second", "third", "fifth"}


def test_any_flipped_bit_of_the_ledger_is_noticed(folder: RunFolder) -> None:
    """Each line carries a checksum: a damaged one is dropped, never believed."""
    ledger = folder.path / "ledger.jsonl"
    good = ledger.read_bytes()
    entries = dict(folder._ledger.entries)
    for place in range(len(good)):
        damaged = bytearray(good)
        damaged[place] ^= 1 << place % 8
        ledger.write_bytes(damaged)
        reader = RunFolder.open(folder.path)
        assert len(reader.completed()) in (1, 2)
        assert all(entries[key] == entry for key, entry in reader._ledger.entries.items())


def test_a_damaged_ledger_is_mended_by_the_next_writer(folder: RunFolder) -> None:
    """The damage is logged, its chunk counts as not done, and the folder is whole afterwards."""
    folder.__exit__(None, None, None)
    ledger = folder.path / "ledger.jsonl"
    ledger.write_bytes(ledger.read_bytes().replace(b"second", b"secund", 1))
    assert RunFolder.open(folder.path).verify() == ["ledger.jsonl"]
    with RunFolder.open(folder.path) as writer:
        assert writer.completed() == {"first", "third"}
        assert writer.verify() == []
        assert "damaged ledger line dropped" in events(writer)


def flip(path: Path) -> None:
    """Change one bit in the middle."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def truncate(path: Path) -> None:
    """Cut off the last byte."""
    path.write_bytes(path.read_bytes()[:-1])


def zero(path: Path) -> None:
    """Fill with zeros, as some file systems do after a power cut."""
    path.write_bytes(bytes(path.stat().st_size))


def swap(path: Path) -> None:
    """Put another chunk's file in its place."""
    path.write_bytes((path.parent / "first.npz").read_bytes())


@pytest.mark.parametrize("damage", [flip, truncate, zero, swap, Path.unlink])
def test_a_damaged_chunk_is_found_named_and_made_again(
    folder: RunFolder, damage: Callable[[Path], None]
) -> None:
    """Before it is used: by its digest, whatever happened to it."""
    damage(folder.path / "data" / "second.npz")
    with pytest.raises(RunFolderError, match=r"data/second\.npz is missing or damaged"):
        folder.read_chunk("second")
    assert folder.completed() == {"first", "third"}
    assert folder.verify() == ["data/second.npz"]
    assert "chunk missing or damaged" in events(folder)
    folder.write_chunk("second", {"value": np.array([6])})
    assert folder.completed() == {"first", "second", "third"}
    assert folder.verify() == []


def test_a_chunk_of_another_layout_is_refused(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Results of a later version are not misread."""
    monkeypatch.setattr("unmoor.trial.packing.CHUNK_SCHEMA", 2)
    with pytest.raises(RunFolderError, match="layout 1, expected 2"):
        folder.read_chunk("first")


def test_changed_missing_and_unreadable_tables_are_named(folder: RunFolder) -> None:
    """Tables and reports are verified like chunks."""
    for name in ("effects.csv", "figures/harm.svg", "report.html"):
        folder.write_text(name, name)
        folder.record_file(name)
    assert folder.verify() == []
    folder.write_text("effects.csv", "changed")
    (folder.path / "report.html").unlink()
    assert folder.verify() == ["effects.csv", "report.html"]
    folder.record_file("effects.csv")
    assert folder.verify() == ["report.html"]
    (folder.path / "checksums.json").write_text("[1")
    (folder.path / "ledger.jsonl").unlink()
    assert folder.verify() == ["checksums.json", "ledger.jsonl"]


def refuse(*_arguments: object) -> int:
    """What a full disk answers."""
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("call", ["write", "fsync", "replace", "open"])
def test_a_full_disk_is_told_and_loses_nothing(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """Exit code 5 with path, needed and free bytes; old content intact, no rest left behind."""
    folder.write_text("effects.csv", "old")
    folder.log("started")
    before = sorted(folder.path.rglob("*"))
    with monkeypatch.context() as full:
        full.setattr(os, call, refuse)
        for attempt in (
            partial(folder.write_text, "effects.csv", "new"),
            partial(folder.write_chunk, "fourth", ARRAYS),
        ):
            with pytest.raises(ResourceError, match=r"\d+ bytes needed, \d+ bytes free") as caught:
                attempt()
            assert caught.value.exit_code == ExitCode.RESOURCE
            assert str(folder.path) in str(caught.value)
        folder.log("the disk is full")  # must not hide the error that is on its way
    assert sorted(folder.path.rglob("*")) == before
    assert (folder.path / "effects.csv").read_text() == "old"
    assert folder.completed() == {"first", "second", "third"}
    folder.write_chunk("fourth", ARRAYS)
    assert folder.completed() == {"first", "second", "third", "fourth"}


def test_a_disk_that_fills_up_within_a_line_leaves_no_part_of_it(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a ledger line is taken back before the error is told."""
    ledger = folder.path / "ledger.jsonl"
    before = ledger.read_bytes()
    write = os.write

    def write_little(file: int, data: memoryview) -> int:
        if os.fstat(file).st_ino != ledger.stat().st_ino:
            return write(file, data)
        if len(data) < 50:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(file, data[:30])

    with monkeypatch.context() as full:
        full.setattr(os, "write", write_little)
        with pytest.raises(ResourceError):
            folder.write_chunk("fourth", ARRAYS)
    assert ledger.read_bytes() == before


def test_a_folder_that_may_not_be_written_is_told_as_such(tmp_path: Path) -> None:
    """Not a full disk, so another exit code and another advice."""
    (tmp_path / "file").touch()
    with pytest.raises(RunFolderError, match="cannot be written") as caught:
        RunFolder.create(tmp_path / "file", "study", "1f3a9c")
    assert caught.value.exit_code == ExitCode.BAD_INPUT
