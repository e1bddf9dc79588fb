"""Cells of tissues as AnnData, the table that tools for single cells and for space read.

One row a cell and frame, one column a readout. ``obs`` says which assay, line, arm, time, clone,
phase and lineage; ``obsm["spatial"]`` and ``obsm["velocity"]`` hold places [µm] and velocities
[µm/min]; ``var`` holds unit and meaning of each readout. The layout is the documented one (on-disk
format 0.1.0 of anndata 0.8 and later) and is written here, because anndata itself does not work
with the pandas that unmoor needs before Python 3.12. HDF5 needs ``unmoor[anndata]``, Zarr nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from unmoor.errors import RunFolderError
from unmoor.tissue.snapshot import Snapshot
from unmoor.trial.atomic import refusals_told, whole_folder, write_file
from unmoor.trial.snapshots import COLUMNS, Track

READOUTS = ("e_cadherin", "mesenchymal", "zeb", "mir200", "drive", "oxygen", "collagen", "radius")
"""Columns of ``X``."""
_PHASES = ("living", "dying", "necrotic")  # numbered from 1

Tracks = Mapping[Track, Sequence[Snapshot]]


def export_h5ad(path: Path, tracks: Tracks) -> None:
    """Write an ``.h5ad`` file, as a whole or not at all.

    Raises
    ------
    RunFolderError
        If h5py is not installed.
    ResourceError
        If the disk is full.
    """
    try:
        import h5py
    except ImportError as missing:
        raise RunFolderError(
            f"{path.name} needs h5py, which is not installed; install it with: pip install "
            '"unmoor[anndata]", or use --format anndata-zarr, which needs nothing',
            code="E-EXTRA",
        ) from missing
    with refusals_told(path, 0), h5py.File.in_memory(track_order=False) as file:
        _write(_Hdf5(file), tracks)
        file.flush()
        image = file.id.get_file_image()
    write_file(path, image)


def export_anndata_zarr(path: Path, tracks: Tracks) -> None:
    """Write AnnData as a Zarr folder (format 2, which all versions of anndata read)."""
    import zarr
    from zarr.storage import LocalStore

    with whole_folder(path) as partial:
        _write(_Zarr(zarr.create_group(store=LocalStore(partial), zarr_format=2)), tracks)


class _Hdf5:
    """A group of an HDF5 file."""

    def __init__(self, group: Any) -> None:
        self.own = group

    def group(self, name: str) -> _Hdf5:
        return _Hdf5(self.own.create_group(name))

    def mark(self, **about: Any) -> None:
        for key, value in about.items():
            self.own.attrs[key.replace("encoding_", "encoding-")] = value

    def order(self, names: Sequence[str]) -> None:
        import h5py

        self.own.attrs.create("column-order", list(names), dtype=h5py.string_dtype())

    def numbers(self, name: str, values: Any) -> None:
        pack = {"compression": "gzip", "compression_opts": 4} if values.size else {}
        array = self.own.create_dataset(name, data=values, **pack)
        _Hdf5(array).mark(encoding_type="array", encoding_version="0.2.0")

    def texts(self, name: str, values: Sequence[str]) -> None:
        import h5py

        array = self.own.create_dataset(
            name, data=np.array(values, dtype=object), dtype=h5py.string_dtype()
        )
        _Hdf5(array).mark(encoding_type="string-array", encoding_version="0.2.0")


class _Zarr:
    """A group of a Zarr folder."""

    def __init__(self, group: Any) -> None:
        self.own = group

    def group(self, name: str) -> _Zarr:
        return _Zarr(self.own.create_group(name))

    def mark(self, **about: Any) -> None:
        self.own.attrs.update({k.replace("encoding_", "encoding-"): v for k, v in about.items()})

    def order(self, names: Sequence[str]) -> None:
        self.own.attrs["column-order"] = list(names)

    def numbers(self, name: str, values: Any) -> None:
        array = self.own.create_array(name, shape=values.shape, dtype=values.dtype)
        array[...] = values
        array.attrs.update({"encoding-type": "array", "encoding-version": "0.2.0"})

    def texts(self, name: str, values: Sequence[str]) -> None:
        array = self.own.create_array(name, shape=(len(values),), dtype=str)
        array[...] = np.array(values, dtype=object)
        array.attrs.update({"encoding-type": "string-array", "encoding-version": "0.2.0"})


_Place = _Hdf5 | _Zarr


def _write(root: _Place, tracks: Tracks) -> None:
    root.mark(encoding_type="anndata", encoding_version="0.1.0")
    rows = [(track, i, frame) for track in tracks for i, frame in enumerate(tracks[track])]
    columns = [_joined(rows, name) for name in READOUTS]
    root.numbers("X", np.column_stack(columns).astype(np.float32))
    _frame(root.group("obs"), _labels(rows), _observations(rows))
    about = {
        "unit": [COLUMNS[name].unit for name in READOUTS],
        "meaning": [COLUMNS[name].meaning for name in READOUTS],
    }
    _frame(root.group("var"), READOUTS, about)
    for name in ("layers", "obsm", "obsp", "varm", "varp", "uns"):
        group = root.group(name)
        group.mark(encoding_type="dict", encoding_version="0.1.0")
        if name == "obsm":
            group.numbers("spatial", _joined(rows, "position"))
            group.numbers("velocity", _joined(rows, "velocity"))


_Rows = Sequence[tuple[Track, int, Snapshot]]


def _observations(rows: _Rows) -> dict[str, Any]:
    """Columns of ``obs``: texts as (codes, categories)."""
    counts = [frame.identity.shape[0] for _, _, frame in rows]
    tracks = [track for track, _, _ in rows]
    columns: dict[str, Any] = {}
    for name in ("assay", "cell_line", "arm"):
        columns[name] = _category([str(getattr(track, name)) for track in tracks], counts)
    columns["tissue"] = np.repeat(np.array([t.number for t in tracks], np.int64), counts)
    columns["frame"] = np.repeat(np.array([i for _, i, _ in rows], np.int64), counts)
    columns["time_min"] = np.repeat(np.array([f.time for _, _, f in rows], float), counts)
    columns["clone"] = _joined(rows, "clone")
    columns["phase"] = (_joined(rows, "phase") - np.int8(1), _PHASES)
    columns["identity"] = _joined(rows, "identity")
    columns["parent"] = _joined(rows, "parent")
    return columns


def _labels(rows: _Rows) -> list[str]:
    """A name for each row, no two the same: tissue, frame and lineage hash."""
    numbers = {track: i for i, track in enumerate(dict.fromkeys(track for track, _, _ in rows))}
    return [
        f"{numbers[track]}-{i}-{identity:016x}"
        for track, i, frame in rows
        for identity in frame.identity.tolist()
    ]


def _joined(rows: _Rows, name: str) -> Any:
    shape = (0, 3) if name in ("position", "velocity") else (0,)
    empty = np.empty(shape, COLUMNS[name].dtype)
    return np.concatenate([empty, *(getattr(frame, name) for _, _, frame in rows)])


def _category(values: Sequence[str], counts: Sequence[int]) -> tuple[Any, tuple[str, ...]]:
    names = tuple(sorted(set(values)))
    codes = np.array([names.index(value) for value in values], dtype=np.int16)
    return np.repeat(codes, counts), names


def _frame(group: _Place, index: Sequence[str], columns: Mapping[str, Any]) -> None:
    """Write a table, column by column."""
    group.mark(encoding_type="dataframe", encoding_version="0.2.0", _index="_index")
    group.order(list(columns))
    group.texts("_index", index)
    for name, values in columns.items():
        if isinstance(values, tuple):
            part = group.group(name)
            part.mark(encoding_type="categorical", encoding_version="0.2.0", ordered=False)
            part.numbers("codes", values[0])
            part.texts("categories", values[1])
        elif isinstance(values, list):
            group.texts(name, values)
        else:
            group.numbers(name, values)
