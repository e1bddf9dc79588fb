"""Exports: other programs find every cell where it was, or a clear word why not."""

from __future__ import annotations

import json
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from small_study import small_study
from tissue_fixture import give_frames, tissue, tracks
from unmoor.cli import main
from unmoor.cli.exporting import FORMATS as OFFERED
from unmoor.cli.exporting import By
from unmoor.errors import ExitCode, RunFolderError
from unmoor.report.tissue_colours import BY
from unmoor.trial.export_anndata import READOUTS
from unmoor.trial.exports import FORMATS, export
from unmoor.trial.snapshots import COLUMNS, Track

FRAMES = tracks()
NUMPY = {
    "Float32": "f4",
    "Float64": "f8",
    "Int8": "i1",
    "Int32": "i4",
    "Int64": "i8",
    "UInt64": "u8",
}


@pytest.fixture(scope="module", params=list(FORMATS))
def written(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Format and files of an export of two arms."""
    folder = tmp_path_factory.mktemp(request.param)
    return request.param, export(FRAMES, request.param, folder)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small run with frames."""
    with pytest.MonkeyPatch.context() as patch:
        give_frames(patch, [tissue(30), tissue(36, 720.0, escaped=6)])
        settings = {"uncertainty.draws": 1, "assays[0].duration": '"3 d"'}
        result = small_study(settings=settings).run(out=tmp_path_factory.mktemp("runs"), workers=1)
    assert result.path is not None
    return result.path


def cells(name: str) -> Any:
    """A column of all cells of all frames, in the order of the export."""
    return np.concatenate([getattr(f, name) for frames in FRAMES.values() for f in frames])


def test_the_same_frames_are_the_same_files(written: Any, tmp_path: Path) -> None:
    """No date, no order of a set, no name of a machine."""
    kind, paths = written
    before = paths[0].parent if kind == "vtk" else paths[0]
    after = export(FRAMES, kind, tmp_path)[0]
    after = after.parent if kind == "vtk" else after
    listed = [before, *sorted(before.rglob("*"))]
    assert [each.name for each in listed] == [e.name for e in [after, *sorted(after.rglob("*"))]]
    for each in listed:
        if each.is_file():
            assert each.read_bytes() == (after / each.relative_to(before)).read_bytes()


def arrays_of(path: Path) -> dict[str, Any]:
    """Arrays of a ``.vtp``, read by the rules of the format: offsets count from after the ``_``."""
    data = path.read_bytes()
    start = data.index(b'<AppendedData encoding="raw">_') + 30
    head = data[: start - 1] + b"</AppendedData></VTKFile>"
    root = ET.fromstring(head)
    assert root.attrib == {
        "type": "PolyData",
        "version": "1.0",
        "byte_order": "LittleEndian",
        "header_type": "UInt64",
    }
    found = {}
    for element in root.iter("DataArray"):
        at = start + int(element.attrib["offset"])
        length = int.from_bytes(data[at : at + 8], "little")
        values = np.frombuffer(data[at + 8 : at + 8 + length], NUMPY[element.attrib["type"]])
        wide = int(element.attrib["NumberOfComponents"])
        found[element.attrib["Name"]] = values.reshape(-1, wide) if wide > 1 else values
    return found


def test_paraview_finds_times_places_and_readouts(tmp_path: Path) -> None:
    """The collection names a file a frame; each holds points, a vertex a point, and all fields."""
    (pvd, _) = export(FRAMES, "vtk", tmp_path)
    sets = ET.fromstring(pvd.read_text(encoding="utf-8")).iter("DataSet")
    frames = FRAMES[Track("spheroid_invasion", "4T1", "vehicle")]
    for element, frame in zip(sets, frames, strict=True):
        assert float(element.attrib["timestep"]) == frame.time
        found = arrays_of(pvd.parent / element.attrib["file"])
        assert found.pop("TimeValue") == frame.time
        assert np.array_equal(found.pop("Points"), frame.position)
        n = frame.radius.size
        assert found.pop("connectivity").tolist() == list(range(n))
        assert found.pop("offsets").tolist() == list(range(1, n + 1))
        assert len(found) == len(COLUMNS) - 1
        for name, values in found.items():
            assert np.array_equal(values, getattr(frame, name.partition(" ")[0]))
        assert "radius [µm]" in found


def test_vtk_reads_what_was_written(tmp_path: Path) -> None:
    """The library itself, where it is installed."""
    vtk = pytest.importorskip("vtk", reason="vtk is not installed")
    from vtk.util.numpy_support import vtk_to_numpy

    (pvd, _) = export(FRAMES, "vtk", tmp_path)
    reader = vtk.vtkXMLPolyDataReader()
    reader.SetFileName(str(pvd.parent / "frame_0001.vtp"))
    reader.Update()
    frame = next(iter(FRAMES.values()))[1]
    points = reader.GetOutput().GetPoints().GetData()
    assert np.array_equal(vtk_to_numpy(points), frame.position)
    identity = reader.GetOutput().GetPointData().GetArray("identity")
    assert np.array_equal(vtk_to_numpy(identity), frame.identity)


def test_simularium_finds_frames_types_and_units(tmp_path: Path) -> None:
    """Eleven numbers a cell as the format says, around the origin, with a number that stays."""
    path = export(FRAMES, "simularium", tmp_path)[0]
    content = json.loads(path.read_text(encoding="utf-8"))
    info, spatial = content["trajectoryInfo"], content["spatialData"]
    assert (info["version"], info["totalSteps"], info["timeStepSize"]) == (3, 3, 360.0)
    assert info["timeUnits"] == {"magnitude": 1.0, "name": "min"}
    assert info["spatialUnits"] == {"magnitude": 1.0, "name": "um"}
    assert (spatial["msgType"], spatial["bundleStart"], spatial["bundleSize"]) == (1, 0, 3)
    frames = next(iter(FRAMES.values()))
    middle, numbers = frames[0].position.mean(axis=0), {}
    for i, (bundle, frame) in enumerate(zip(spatial["bundleData"], frames, strict=True)):
        assert (bundle["frameNumber"], bundle["time"]) == (i, frame.time)
        rows = np.array(bundle["data"]).reshape(-1, 11)
        assert np.allclose(rows[:, 3:6], frame.position - middle, atol=6e-4)
        assert np.allclose(rows[:, 9], frame.radius, atol=6e-4)
        assert (rows[:, 0] == 1000).all()
        assert (rows[:, [6, 7, 8, 10]] == 0).all()
        assert np.abs(rows[:, 3:6]).max() <= info["size"]["x"] / 2
        for cell, number in zip(frame.identity.tolist(), rows[:, 1].tolist(), strict=True):
            assert numbers.setdefault(cell, number) == number
        names = [info["typeMapping"][str(int(kind))]["name"] for kind in rows[:, 2]]
        for name, level, lives in zip(names, frame.e_cadherin, frame.is_living, strict=True):
            assert (name == "cell#dying or dead") == (not lives)
            if lives:
                low, high = map(float, name.split()[-1].split("-"))
                assert low - 1e-6 <= level <= high + 1e-6
    assert len(set(numbers.values())) == len(numbers)


def elements(group: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """Every element of an AnnData file, with its place."""
    yield place, group
    for name in getattr(group, "keys", list)():
        yield from elements(group[name], f"{place}/{name}")


@pytest.mark.parametrize("kind", ["anndata", "anndata-zarr"])
def test_anndata_has_a_row_a_cell_as_its_format_says(tmp_path: Path, kind: str) -> None:
    """Each element says what it is; readouts, places, arms and times are those of the frames."""
    (path,) = export(FRAMES, kind, tmp_path)
    if kind == "anndata":
        h5py = pytest.importorskip("h5py", reason="h5py is not installed")
        root = h5py.File(path)
    else:
        import zarr

        root = zarr.open_group(path, mode="r", zarr_format=2)
    for place, element in elements(root):
        assert {"encoding-type", "encoding-version"} <= set(element.attrs), place
    assert root.attrs["encoding-type"] == "anndata"
    assert set(root.keys()) == {"X", "layers", "obs", "obsm", "obsp", "uns", "var", "varm", "varp"}
    assert np.array_equal(root["X"][...][:, 0], cells("e_cadherin"))
    assert np.array_equal(root["obsm/spatial"][...], cells("position"))
    assert list(root["obs"].attrs["column-order"])[:3] == ["assay", "cell_line", "arm"]
    for table in ("obs", "var"):
        assert set(root[table].keys()) == {"_index", *root[table].attrs["column-order"]}
    arms = [
        text.decode() if isinstance(text, bytes) else str(text)
        for text in root["obs/arm/categories"][...]
    ]
    counts = [sum(f.radius.size for f in frames) for frames in FRAMES.values()]
    names = [track.arm for track, n in zip(FRAMES, counts, strict=True) for _ in range(n)]
    assert [arms[code] for code in root["obs/arm/codes"][...]] == names


@pytest.mark.parametrize("kind", ["anndata", "anndata-zarr"])
def test_anndata_reads_what_was_written(tmp_path: Path, kind: str) -> None:
    """The library itself, where it is installed (with the pandas of unmoor: from Python 3.12)."""
    anndata = pytest.importorskip("anndata", reason="anndata is not installed")
    (path,) = export(FRAMES, kind, tmp_path)
    read = anndata.read_h5ad if kind == "anndata" else anndata.read_zarr
    table = read(path)
    assert table.var_names.tolist() == list(READOUTS)
    assert table.var["unit"]["radius"] == "µm"
    assert table.obs_names.is_unique
    for name in READOUTS:
        assert np.array_equal(np.asarray(table[:, name].X).ravel(), cells(name))
    assert np.array_equal(table.obsm["spatial"], cells("position"))
    assert np.array_equal(table.obs["identity"], cells("identity"))
    assert set(table.obs["phase"].unique()) == {"living", "necrotic"}
    late = table[(table.obs["arm"] == "vehicle") & (table.obs["time_min"] == 720.0)]
    assert late.n_obs == 70


def test_a_missing_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With how to install it and what works without it; nothing is left half written."""
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(RunFolderError, match=r"pip install \"unmoor\[anndata\]\".*E-EXTRA"):
        export(FRAMES, "anndata", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_command_offers_what_there_is() -> None:
    """Words of the options are written twice, so that help need not load the writers."""
    assert set(FORMATS) < set(OFFERED)
    assert set(By.__args__) == set(BY)


@pytest.mark.parametrize("kind", ["simularium", "png", "html", "apng"])
def test_the_command_writes_and_names_files(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    """One line only, and the paths go to standard output; the run itself is not changed."""
    arguments = [str(run), "--format", kind, "--line", "4T1", "--out", str(tmp_path)]
    assert main(["export", *arguments, "--arm", "vehicle", "--arm", "anti-β1"]) == ExitCode.OK
    paths = [Path(line) for line in capsys.readouterr().out.splitlines()]
    assert len(paths) == (2 if kind == "simularium" else 1)
    assert sorted(paths) == sorted(tmp_path.iterdir())
    if kind == "png":
        with Image.open(paths[0]) as image:
            assert image.size[0] == 2160


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--format", "vtk", "--arm", "vehcle"], '--arm = "vehcle".*write "vehicle".*E-CHOICE'),
        (["--format", "vtk", "--line", "4T2"], '--line = "4T2".*write "4T1".*E-CHOICE'),
        (["--format", "cad"], "simularium.*E-USAGE"),
    ],
)
def test_a_wrong_word_is_told_with_those_that_are_right(
    run: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    """In one line."""
    import re

    assert main(["export", str(run), *arguments]) == ExitCode.BAD_INPUT
    assert re.search(said, capsys.readouterr().err, re.DOTALL)


def test_a_run_without_tissues_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Only some assays follow one."""
    (tmp_path / "ledger.jsonl").touch()
    assert main(["export", str(tmp_path), "--format", "vtk"]) == ExitCode.BAD_INPUT
    assert "E-NO-SNAPSHOTS" in capsys.readouterr().err
