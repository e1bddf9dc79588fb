"""Tissues for ParaView and other readers of VTK: one file a frame and one that lists them.

XML PolyData (``.vtp``): points with a vertex each, all readouts as point data, binary as the format
lays it down (appended, raw, little-endian, with lengths of eight bytes); times in minutes stand in
the collection (``.pvd``) and in each file.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import numpy as np

from unmoor.tissue.snapshot import Snapshot
from unmoor.trial.atomic import whole_folder
from unmoor.trial.snapshots import COLUMNS

_TYPES = {
    "float32": "Float32",
    "float64": "Float64",
    "int8": "Int8",
    "int32": "Int32",
    "int64": "Int64",
    "uint64": "UInt64",
}


def export_vtk(path: Path, frames: Sequence[Snapshot]) -> None:
    """Write a folder with ``tissue.pvd`` and a ``.vtp`` for each frame, whole or not at all.

    Parameters
    ----------
    path
        The folder; what it holds is replaced.
    frames
        Frames of one tissue.

    Raises
    ------
    ResourceError, RunFolderError
        If the disk is full, or the folder cannot be written.
    """
    digits = max(4, len(str(max(len(frames) - 1, 0))))
    lines = []
    with whole_folder(path) as partial:
        for number, frame in enumerate(frames):
            name = f"frame_{number:0{digits}d}.vtp"
            (partial / name).write_bytes(_poly_data(frame))
            lines.append(f'<DataSet timestep="{frame.time!r}" group="" part="0" file="{name}"/>')
        (partial / "tissue.pvd").write_text(_collection(lines), encoding="utf-8")


def _collection(lines: Sequence[str]) -> str:
    inside = "\n".join(f"    {line}" for line in lines)
    return (
        '<?xml version="1.0"?>\n'
        '<VTKFile type="Collection" version="1.0" byte_order="LittleEndian" '
        'header_type="UInt64">\n'
        f"  <Collection>\n{inside}\n  </Collection>\n</VTKFile>\n"
    )


class _Appended:
    """Binary blocks at the end of a file, and where each begins."""

    def __init__(self) -> None:
        self.blocks: list[bytes] = []
        self.length = 0

    def array(self, name: str, values: Any, **about: str) -> str:
        """Element that stands for an array."""
        little = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<"))
        data = little.tobytes()
        extra = "".join(f" {key}={quoteattr(value)}" for key, value in about.items())
        wide = values.shape[1] if values.ndim > 1 else 1
        element = (
            f'<DataArray type="{_TYPES[values.dtype.name]}" Name={quoteattr(name)} '
            f'NumberOfComponents="{wide}"{extra} format="appended" offset="{self.length}"/>'
        )
        self.blocks.append(len(data).to_bytes(8, "little") + data)
        self.length += len(self.blocks[-1])
        return element


def _poly_data(frame: Snapshot) -> bytes:
    n, appended = frame.identity.shape[0], _Appended()
    time = appended.array("TimeValue", np.array([frame.time]), NumberOfTuples="1")
    points = appended.array("Points", np.asarray(frame.position, np.float64))
    data = [
        appended.array(_named(name), np.asarray(getattr(frame, name), column.dtype))
        for name, column in COLUMNS.items()
        if name != "position"
    ]
    vertices = [
        appended.array("connectivity", np.arange(n, dtype=np.int64)),
        appended.array("offsets", np.arange(1, n + 1, dtype=np.int64)),
    ]
    head = "\n".join(
        [
            '<?xml version="1.0"?>',
            '<VTKFile type="PolyData" version="1.0" byte_order="LittleEndian" '
            'header_type="UInt64">',
            "<PolyData>",
            f"<FieldData>{time}</FieldData>",
            f'<Piece NumberOfPoints="{n}" NumberOfVerts="{n}" NumberOfLines="0" '
            'NumberOfStrips="0" NumberOfPolys="0">',
            f"<Points>{points}</Points>",
            "<PointData>",
            *data,
            "</PointData>",
            "<Verts>",
            *vertices,
            "</Verts>",
            "</Piece>",
            "</PolyData>",
            '<AppendedData encoding="raw">_',
        ]
    )
    tail = b"\n</AppendedData>\n</VTKFile>\n"
    return head.encode() + b"".join(appended.blocks) + tail


def _named(name: str) -> str:
    """Name of a field with its unit, since VTK has no other place for it."""
    unit = COLUMNS[name].unit
    return f"{name} [{unit}]" if unit not in ("", "1") else name
