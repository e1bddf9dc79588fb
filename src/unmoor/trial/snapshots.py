"""Frames of tissues on disk: a folder in the open format Zarr v3, readable frame by frame.

::

    snapshots.zarr/
        zarr.json                            layout, its version, who wrote it
        <assay>/<cell line>/<arm>/<number>/  one tissue followed through time; true names stand in
            time      (frames,)              its attributes, units in those of each array
            first     (frames + 1,)          where the cells of each frame begin in what follows
            position  (cells, 3)             all cells of all frames, one frame after the other
            radius    (cells,)               … and so on, a column for each field of a snapshot

Cells are cut into chunks and many chunks share a file (a shard), so that a frame is read without
the others and a run does not become thousands of files. Each chunk carries a CRC-32C; compression
is Zstandard on one thread, so that the same frames give the same bytes with the same version of
zarr. Blosc would pack tighter, but its threads write their blocks in the order they finish.

zarr takes .3 s to load and is loaded by whoever calls a function here, never by importing this.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, overload

import numpy as np

from unmoor.errors import ParameterError, Problem, RunFolderError
from unmoor.tissue.snapshot import Snapshot
from unmoor.trial.atomic import whole_folder
from unmoor.trial.chunks import Arrays, plan
from unmoor.trial.file_names import file_name
from unmoor.trial.frames import unpack_frames
from unmoor.trial.store import RunFolder
from unmoor.trial.study import Study

FOLDER = "snapshots.zarr"
"""Name in a run folder."""
LAYOUT = 1
"""Version of the layout."""

_NAME = "unmoor tissue snapshots"
_CHUNK, _SHARD = 4096, 256  # cells in a chunk, chunks in a file
_LEVEL = 3  # of compression
_BLOCK = 1 << 20  # cells read at a time when all frames are asked for


class _Column(NamedTuple):
    dtype: str
    unit: str
    meaning: str


COLUMNS: Mapping[str, _Column] = {
    "identity": _Column("uint64", "", "lineage hash of the cell"),
    "parent": _Column("uint64", "", "lineage hash of the cell it came from, 0 for a founder"),
    "clone": _Column("int32", "", "number of the founding clone"),
    "phase": _Column("int8", "", "1 living, 2 dying (apoptosis), 3 necrotic"),
    "position": _Column("float64", "µm", "centre: x, y, z"),
    "velocity": _Column("float32", "µm/min", "mean velocity over the last exchange: x, y, z"),
    "radius": _Column("float32", "µm", "radius"),
    "e_cadherin": _Column("float32", "1", "E-cadherin, of the epithelial maximum"),
    "mesenchymal": _Column("float32", "1", "mesenchymal programme, of the full one"),
    "zeb": _Column("float32", "1", "ZEB, relative to the untreated cell"),
    "mir200": _Column("float32", "1", "miR-200, relative to the untreated cell"),
    "drive": _Column("float32", "µm/min", "motile speed on its own"),
    "oxygen": _Column("float32", "mmHg", "oxygen where the cell is"),
    "collagen": _Column("float32", "mg/mL", "collagen where the cell is"),
}
"""Type, unit and meaning of each field of a snapshot, time aside."""
VECTORS = frozenset({"position", "velocity"})


class Track(NamedTuple):
    """Names of one tissue that was followed.

    Attributes
    ----------
    assay
        Label of the assay.
    cell_line, arm
        As the study names them.
    number
        Of the tissue among those of its arm, from 0.
    """

    assay: str
    cell_line: str
    arm: str
    number: int = 0

    @property
    def path(self) -> str:
        """Place below the root: safe file names that Zarr does not keep for itself."""
        names = [file_name(name).replace(".", "%2E") for name in self[:3]]
        safe = [f"%5F{name[1:]}" if name.startswith("__") else name for name in names]
        return "/".join([*safe, str(self.number)])


@dataclass(frozen=True)
class Frames(Sequence[Snapshot]):
    """Frames of one tissue; each is read when it is asked for.

    Attributes
    ----------
    path
        The folder read from.
    track
        The tissue.
    """

    path: Path
    track: Track
    _times: Any
    _first: Any
    _arrays: Mapping[str, Any]

    def __len__(self) -> int:
        return len(self._times)

    @overload
    def __getitem__(self, index: int) -> Snapshot: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Snapshot]: ...
    def __getitem__(self, index: int | slice) -> Snapshot | Sequence[Snapshot]:
        """Read one frame, or several."""
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        number = range(len(self))[index]
        cells = slice(int(self._first[number]), int(self._first[number + 1]))
        return Snapshot(float(self._times[number]), *self._columns(cells))

    def __iter__(self) -> Iterator[Snapshot]:
        """Read all frames, many at a time, since each read has its price."""
        start = 0
        while start < len(self):
            within = int(np.searchsorted(self._first, self._first[start] + _BLOCK, side="right"))
            end = max(start + 1, within - 1)
            block = slice(int(self._first[start]), int(self._first[end]))
            columns = self._columns(block)
            for i in range(start, end):
                low, high = (int(self._first[n]) - block.start for n in (i, i + 1))
                yield Snapshot(float(self._times[i]), *(each[low:high] for each in columns))
            start = end

    @property
    def times(self) -> Any:
        """When the frames were taken, shape (frames,) [min]."""
        return self._times

    @property
    def counts(self) -> Any:
        """Cells of each frame, shape (frames,)."""
        return np.diff(self._first)

    def _columns(self, cells: slice) -> list[Any]:
        try:
            return [np.asarray(self._arrays[name][cells]) for name in COLUMNS]
        except (ValueError, OSError, RuntimeError) as reason:
            raise _damaged(self.path / self.track.path, str(reason)) from reason


def write_snapshots(path: Path, tracks: Mapping[Track, Sequence[Snapshot]]) -> None:
    """Write frames of tissues as a folder, whole or not at all; the same frames, the same bytes.

    Parameters
    ----------
    path
        The folder, by custom with the ending ``.zarr``; what it holds is replaced.
    tracks
        Frames of each tissue in rising order of time.

    Raises
    ------
    ParameterError
        If frames are not what a :class:`unmoor.tissue.snapshot.Snapshot` holds.
    ResourceError, RunFolderError
        If the disk is full, or the folder cannot be written.
    """
    for track, frames in tracks.items():
        _check(track, frames)
    with whole_folder(path) as partial:
        about = {**_about(), "tracks": [list(track) for track in sorted(tracks)]}
        root = _zarr().create_group(store=_store(partial), attributes=about, zarr_format=3)
        for track in sorted(tracks):
            _write_track(root, track, tracks[track])


def read_snapshots(path: Path) -> dict[Track, Frames]:
    """Return the tissues of a folder that :func:`write_snapshots` wrote.

    Parameters
    ----------
    path
        The folder; cells are read from it later, frame by frame.

    Raises
    ------
    RunFolderError
        If there is no such folder, or it is damaged or of another layout.
    """
    if not path.is_dir():
        raise RunFolderError(
            f"{path} does not exist or is no folder; a run has one if an assay of its study "
            "follows a tissue",
            code="E-NO-SNAPSHOTS",
        )
    try:
        root = _zarr().open_group(store=_store(path, read_only=True), mode="r", zarr_format=3)
        layout = (root.attrs.get("layout"), root.attrs.get("layout_version"))
    except (ValueError, OSError, RuntimeError) as reason:
        raise _damaged(path, str(reason)) from reason
    if layout != (_NAME, LAYOUT):
        raise RunFolderError(
            f"{path} has layout {layout[0]} {layout[1]}, expected {_NAME} {LAYOUT}; read it with "
            "the version of unmoor that wrote it",
            code="E-SCHEMA",
        )
    tracks = [Track(*each) for each in root.attrs["tracks"]]
    return {track: _read_track(root, path, track) for track in tracks}


def save_snapshots(folder: RunFolder, tracks: Mapping[Track, Sequence[Snapshot]]) -> None:
    """Write the frames of a run into its folder, with a digest of each file; nothing if none."""
    if tracks:
        write_snapshots(folder.path / FOLDER, tracks)
        folder.record_tree(FOLDER)


def tracks_of(study: Study, done: Mapping[str, Arrays]) -> dict[Track, list[Snapshot]]:
    """Frames that the chunks of a run hold, by tissue; none outside tissues."""
    return {
        Track(study.assays[chunk.assay].label, chunk.cell_line, arm): frames
        for chunk in plan(study)
        if not chunk.is_rival and chunk.key in done
        for arm, frames in unpack_frames(done[chunk.key]).items()
    }


def _zarr() -> Any:
    import zarr

    return zarr


def _store(path: Path, *, read_only: bool = False) -> Any:
    from zarr.storage import LocalStore

    return LocalStore(path, read_only=read_only)


def _about() -> dict[str, Any]:
    return {
        "layout": _NAME,
        "layout_version": LAYOUT,
        "phases": {"living": 1, "dying": 2, "necrotic": 3},
        "reading": "cells of frame i of a tissue are rows first[i] to first[i + 1] of each column",
    }


def _write_track(root: Any, track: Track, frames: Sequence[Snapshot]) -> None:
    group = root.create_group(track.path, attributes=track._asdict())
    counts = [frame.identity.shape[0] for frame in frames]
    times = np.array([frame.time for frame in frames], dtype=np.float64)
    first = np.cumsum([0, *counts], dtype=np.int64)
    _put(group, "time", times, ("frame",), _Column("float64", "min", "since the start"))
    _put(group, "first", first, ("bound",), _Column("int64", "", "first cell of a frame"))
    for name, column in COLUMNS.items():
        axes = ("cell", "axis") if name in VECTORS else ("cell",)
        empty = np.empty((0, 3) if name in VECTORS else 0, dtype=column.dtype)
        values = np.concatenate([empty, *(getattr(frame, name) for frame in frames)])
        _put(group, name, values.astype(column.dtype, copy=False), axes, column)


def _put(group: Any, name: str, values: Any, axes: tuple[str, ...], column: _Column) -> None:
    from zarr.codecs import Crc32cCodec, ZstdCodec

    rest = values.shape[1:]
    array = group.create_array(
        name,
        shape=values.shape,
        dtype=values.dtype,
        chunks=(_CHUNK, *rest),
        shards=(_CHUNK * _SHARD, *rest),
        compressors=[ZstdCodec(level=_LEVEL), Crc32cCodec()],
        fill_value=0,
        dimension_names=axes,
        attributes={"unit": column.unit, "meaning": column.meaning},
    )
    array[...] = values


def _read_track(root: Any, path: Path, track: Track) -> Frames:
    try:
        group = root[track.path]
        arrays = {name: group[name] for name in COLUMNS}
        return Frames(path, track, group["time"][...], group["first"][...], arrays)
    except (KeyError, ValueError, OSError, RuntimeError) as reason:
        raise _damaged(path / track.path, str(reason)) from reason


def _damaged(place: Path, reason: str) -> RunFolderError:
    return RunFolderError(
        f"{place} is missing or damaged ({' '.join(reason.split())[:120]}); resume the run to make "
        "it again",
        code="E-DAMAGED",
    )


def _check(track: Track, frames: Sequence[Snapshot]) -> None:
    """Refuse frames that could be written but would not be read as they were meant."""
    before = -np.inf
    for number, frame in enumerate(frames):
        place = f"frame {number} of {' · '.join(map(str, track))}"
        if not (np.isfinite(frame.time) and frame.time > before):
            expected = "a finite time later than that of the frame before"
            raise _wrong(place, "time", f"{frame.time:g} min", expected, "give frames in order")
        before, cells = frame.time, frame.identity.shape[0]
        for name, column in COLUMNS.items():
            values = np.asarray(getattr(frame, name))
            shape = (cells, 3) if name in VECTORS else (cells,)
            if values.shape != shape or not np.can_cast(values.dtype, column.dtype, "same_kind"):
                got = f"{values.dtype} of shape {values.shape}"
                expected = f"{column.dtype} of shape {shape}"
                raise _wrong(place, name, got, expected, "give one row a cell")
        if not np.isfinite(frame.position).all():
            bad = int(np.flatnonzero(~np.isfinite(frame.position).all(axis=1))[0])
            got = f"{frame.position[bad].tolist()} in row {bad}"
            raise _wrong(place, "position", got, "finite coordinates [µm]", "leave the cell out")


def _wrong(place: str, field: str, got: str, expected: str, fix: str) -> ParameterError:
    return ParameterError(Problem(place, field, got, expected, fix, "E-SNAPSHOT"))
