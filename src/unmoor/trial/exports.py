"""Frames of a run in the formats of other programs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from unmoor.tissue.snapshot import Snapshot
from unmoor.trial.atomic import refusals_told
from unmoor.trial.export_anndata import export_anndata_zarr, export_h5ad
from unmoor.trial.export_simularium import export_simularium
from unmoor.trial.export_vtk import export_vtk
from unmoor.trial.file_names import file_name
from unmoor.trial.snapshots import Track

Tracks = Mapping[Track, Sequence[Snapshot]]


def export(tracks: Tracks, kind: str, folder: Path) -> list[Path]:
    """Write frames in the format of another program; returns what was written.

    Parameters
    ----------
    tracks
        Frames of each tissue.
    kind
        One of ``FORMATS``.
    folder
        Where files go, made if need be.

    Raises
    ------
    RunFolderError
        If a package is missing, or a file cannot be written.
    ResourceError
        If the disk is full.
    """
    with refusals_told(folder, 0):
        folder.mkdir(parents=True, exist_ok=True)
    return FORMATS[kind](tracks, folder)


def stem(track: Track) -> str:
    """Name of the file of a tissue, without its ending."""
    number = [str(track.number)] if track.number else []
    return file_name("_".join([track.assay, track.cell_line, track.arm, *number]))


def _simularium(tracks: Tracks, folder: Path) -> list[Path]:
    paths = []
    for track, frames in tracks.items():
        paths.append(folder / f"{stem(track)}.simularium")
        title = f"{track.cell_line}, {track.arm} ({track.assay.replace('_', ' ')})"
        export_simularium(paths[-1], frames, title)
    return paths


def _vtk(tracks: Tracks, folder: Path) -> list[Path]:
    paths = []
    for track, frames in tracks.items():
        place = folder / f"{stem(track)}_vtk"
        export_vtk(place, frames)
        paths.append(place / "tissue.pvd")
    return paths


def _h5ad(tracks: Tracks, folder: Path) -> list[Path]:
    export_h5ad(folder / "tissues.h5ad", tracks)
    return [folder / "tissues.h5ad"]


def _anndata_zarr(tracks: Tracks, folder: Path) -> list[Path]:
    export_anndata_zarr(folder / "tissues.zarr", tracks)
    return [folder / "tissues.zarr"]


FORMATS: dict[str, Callable[[Tracks, Path], list[Path]]] = {
    "simularium": _simularium,
    "vtk": _vtk,
    "anndata": _h5ad,
    "anndata-zarr": _anndata_zarr,
}
"""Writers by name of the format."""
