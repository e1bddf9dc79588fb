"""Frames of tissues on disk: whole, the same bytes, readable one by one, and damage is found."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from small_study import environment, sha256, small_study
from tissue_fixture import give_frames, tissue, tracks
from unmoor.errors import ParameterError, ResourceError, RunFolderError
from unmoor.tissue.snapshot import Snapshot
from unmoor.trial import atomic
from unmoor.trial.result import Result
from unmoor.trial.snapshots import (
    COLUMNS,
    FOLDER,
    Track,
    read_snapshots,
    save_snapshots,
    write_snapshots,
)
from unmoor.trial.store import RunFolder


def same(one: Snapshot, other: Snapshot) -> bool:
    """Whether two frames hold the same bits in the same types."""
    pairs = zip(one[1:], other[1:], strict=True)
    return one.time == other.time and all(
        a.dtype == b.dtype and np.array_equal(a, b) for a, b in pairs
    )


def content(folder: Path) -> dict[str, str]:
    """Digest of each file of a folder."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): sha256(path.read_bytes()) for path in paths}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of frames."""
    path = tmp_path_factory.mktemp("frames") / "a.zarr"
    write_snapshots(path, tracks())
    return path


def test_frames_are_read_as_they_were_written(written: Path) -> None:
    """All of them in a row, one by one from either end, and as a slice."""
    found = read_snapshots(written)
    assert set(found) == set(tracks())
    for track, frames in tracks().items():
        assert all(same(a, b) for a, b in zip(frames, found[track], strict=True))
        assert same(found[track][-1], frames[2])
        assert [frame.time for frame in found[track][1:]] == [360.0, 720.0]
        assert found[track].counts.tolist() == [60, 65, 70]
        with pytest.raises(IndexError):
            found[track][3]


def test_every_field_of_a_snapshot_has_a_column() -> None:
    """A field added to snapshots must not be lost on the way to the disk."""
    assert tuple(COLUMNS) == Snapshot._fields[1:]


def test_the_same_frames_are_the_same_bytes(written: Path, tmp_path: Path) -> None:
    """Whatever the order of the tissues."""
    write_snapshots(tmp_path / "b.zarr", dict(reversed(tracks().items())))
    assert content(tmp_path / "b.zarr") == content(written)


def test_many_cells_share_a_file_and_a_frame_is_read_alone(tmp_path: Path) -> None:
    """A file for each column, however many chunks; frames need not end where chunks end."""
    frames = [tissue(5000 + i, 60.0 * i) for i in range(3)]
    write_snapshots(tmp_path / "c.zarr", {Track("a", "b", "c"): frames})
    files = [path for path in (tmp_path / "c.zarr").rglob("c/**/*") if path.is_file()]
    assert len([path for path in files if path.name != "zarr.json"]) <= len(COLUMNS) + 2
    assert same(read_snapshots(tmp_path / "c.zarr")[Track("a", "b", "c")][1], frames[1])


def test_a_frame_may_be_empty_and_a_tissue_without_frames(tmp_path: Path) -> None:
    """All cells may have died, and an arm may have failed."""
    given = {Track("a", "b", "c"): [tissue(0), tissue(3, 1.0)], Track("a", "b", "d"): []}
    write_snapshots(tmp_path / "d.zarr", given)
    found = read_snapshots(tmp_path / "d.zarr")
    assert same(found[Track("a", "b", "c")][0], tissue(0))
    assert list(found[Track("a", "b", "d")]) == []


@pytest.mark.parametrize("arm", ["..", "zarr.json", "__x", "a/b", "β1 阻断 🐁", "", "c" * 400])
def test_any_text_can_name_an_arm(tmp_path: Path, arm: str) -> None:
    """Names are given by people; they must neither leave the folder nor hide what Zarr needs."""
    given = {Track("a", "b", arm): [tissue(2)], Track("a", "b", arm + "."): [tissue(4)]}
    write_snapshots(tmp_path / "e.zarr", given)
    found = read_snapshots(tmp_path / "e.zarr")
    assert {track: frames.counts.tolist() for track, frames in found.items()} == {
        Track("a", "b", arm): [2],
        Track("a", "b", arm + "."): [4],
    }
    assert os.listdir(tmp_path) == ["e.zarr"]


def test_the_layout_can_be_read_without_unmoor(written: Path) -> None:
    """Plain zarr gives names, units and the cells of a frame by the rule in the attributes."""
    import zarr

    root = zarr.open_group(written, mode="r")
    group = root["spheroid_invasion/4T1/vehicle/0"]
    assert dict(group.attrs) == {
        "assay": "spheroid_invasion",
        "cell_line": "4T1",
        "arm": "vehicle",
        "number": 0,
    }
    first = group["first"][...]
    assert group["position"].metadata.dimension_names == ("cell", "axis")
    assert group["position"].attrs["unit"] == "µm"
    assert group["radius"].shards is not None
    frame = tracks()[Track("spheroid_invasion", "4T1", "vehicle")][1]
    assert np.array_equal(group["radius"][first[1] : first[2]], frame.radius)


def test_an_interrupted_write_leaves_what_was_there(
    written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a part of the new nor anything beside it."""
    write_snapshots(tmp_path / "f.zarr", {Track("a", "b", "c"): [tissue(3)]})
    before = content(tmp_path / "f.zarr")

    def stop(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(atomic, "_sync_tree", stop)
    with pytest.raises(KeyboardInterrupt):
        write_snapshots(tmp_path / "f.zarr", tracks())
    assert content(tmp_path / "f.zarr") == before
    assert os.listdir(tmp_path) == ["f.zarr"]


def test_a_killed_write_never_looks_complete(tmp_path: Path) -> None:
    """What a killed process leaves has another name, and the next writer clears it away."""
    code = f"""
import os
from pathlib import Path
from tissue_fixture import tracks
from unmoor.trial import atomic
from unmoor.trial.snapshots import write_snapshots
atomic._sync_tree = lambda folder: os._exit(9)
write_snapshots(Path({str(tmp_path / FOLDER)!r}), tracks())
"""
    done = subprocess.run([sys.executable, "-c", code], env=environment(), check=False)
    assert done.returncode == 9
    assert len(os.listdir(tmp_path)) == 1
    with pytest.raises(RunFolderError, match="E-NO-SNAPSHOTS"):
        read_snapshots(tmp_path / FOLDER)
    atomic.remove_partial_files(tmp_path)
    assert os.listdir(tmp_path) == []


def test_a_full_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the folder and what to do, and nothing is left."""

    def full(_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(atomic, "_sync_tree", full)
    with pytest.raises(ResourceError, match="E-DISK"):
        write_snapshots(tmp_path / "g.zarr", tracks())
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("name", ["position", "radius"])
def test_a_flipped_bit_is_found_when_the_frame_is_read(tmp_path: Path, name: str) -> None:
    """Each chunk carries a checksum, so damaged cells are never shown."""
    write_snapshots(tmp_path / "h.zarr", tracks())
    files = (tmp_path / "h.zarr").rglob(f"vehicle/0/{name}/c/**/*")
    file = next(path for path in files if path.is_file())
    data = bytearray(file.read_bytes())
    data[20] ^= 4
    file.write_bytes(data)
    frames = read_snapshots(tmp_path / "h.zarr")[Track("spheroid_invasion", "4T1", "vehicle")]
    with pytest.raises(RunFolderError, match=r"damaged .*resume the run.*E-DAMAGED"):
        frames[0]


def broken() -> Iterator[tuple[str, list[Snapshot]]]:
    """Frames that cannot be written, with what is said of them."""
    good = tissue(4)
    yield (
        "radius.*shape \\(3,\\).*float32 of shape \\(4,\\)",
        [good._replace(radius=good.radius[1:])],
    )
    yield "position.*nan", [good._replace(position=good.position * [[1], [1], [np.nan], [1]])]
    yield "phase.*float64", [good._replace(phase=good.phase * 1.0)]
    yield "frame 1.*time.*later", [good, good]


@pytest.mark.parametrize("case", range(4))
def test_wrong_frames_are_refused_with_place_and_cure(tmp_path: Path, case: int) -> None:
    """Before anything is written."""
    said, frames = list(broken())[case]
    with pytest.raises(ParameterError, match=said) as error:
        write_snapshots(tmp_path / "i.zarr", {Track("assay", "4T1", "vehicle"): frames})
    assert "4T1 · vehicle" in str(error.value)
    assert os.listdir(tmp_path) == []


def test_another_layout_is_not_guessed_at(tmp_path: Path) -> None:
    """A folder that is no Zarr, and a Zarr of someone else."""
    import zarr

    (tmp_path / "empty").mkdir()
    zarr.create_group(store=tmp_path / "other", zarr_format=3)
    for name, code in (("empty", "E-DAMAGED"), ("other", "E-SCHEMA")):
        with pytest.raises(RunFolderError, match=code):
            read_snapshots(tmp_path / name)


def test_a_run_keeps_its_frames_and_resuming_mends_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are checked like all else, and made again from the chunks, bit for bit."""
    give_frames(monkeypatch, [tissue(9), tissue(11, 60.0)])
    study = small_study(settings={"uncertainty.draws": 1, "assays[0].duration": '"3 d"'})
    path = study.run(out=tmp_path, workers=1).path
    assert path is not None
    track = Track("orthotopic_xenograft", "4T1", "anti-β1")
    assert len(Result.load(path).snapshots) == 8
    assert same(Result.load(path).snapshots[track][1], tissue(11, 60.0))
    assert RunFolder.open(path).verify() == []
    before = content(path / FOLDER)
    lost = path / FOLDER / track.path / "radius" / "zarr.json"
    lost.unlink()
    assert RunFolder.open(path).verify() == [str(lost.relative_to(path))]
    from unmoor.trial.run import resume

    resume(path, workers=1)
    assert content(path / FOLDER) == before
    assert RunFolder.open(path).verify() == []


def test_files_that_are_no_longer_there_are_no_longer_expected(tmp_path: Path) -> None:
    """Frames written anew may need fewer files."""
    with RunFolder.create(tmp_path, "study", "1f3a9c77") as folder:
        save_snapshots(folder, tracks())
        save_snapshots(folder, {Track("a", "b", "c"): [tissue(3)]})
        assert folder.verify() == []


def test_a_study_without_tissues_loads_no_zarr() -> None:
    """Nor does reading the module: whoever has no tissues does not wait for it."""
    code = """
import sys
import unmoor.trial.run, unmoor.trial.result, unmoor.report.html
from unmoor.trial.store import RunFolder
from unmoor.trial.snapshots import save_snapshots
import tempfile, pathlib
with RunFolder.create(pathlib.Path(tempfile.mkdtemp()), "study", "1f3a9c77") as folder:
    save_snapshots(folder, {})
print("zarr" in sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
