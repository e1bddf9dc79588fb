"""Arrays of a chunk as the bytes of an ``.npz``, the same bytes for the same arrays."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from unmoor.errors import RunFolderError

CHUNK_SCHEMA = 1
"""Version of the layout of chunk files."""

_SCHEMA_NAME = "unmoor_chunk_schema"


def pack(arrays: Mapping[str, npt.NDArray[Any]]) -> bytes:
    """Arrays as the bytes of an ``.npz``, which tell nothing of when and in which order."""
    buffer = io.BytesIO()
    everything = {**arrays, _SCHEMA_NAME: np.array(CHUNK_SCHEMA)}
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in sorted(everything):
            content = io.BytesIO()
            array = np.asarray(everything[name], order="C")
            np.lib.format.write_array(content, array, version=(1, 0), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), content.getvalue())
    return buffer.getvalue()


def unpack(data: bytes, path: Path) -> dict[str, npt.NDArray[Any]]:
    """Arrays by name; ``path`` is named where the layout is not known."""
    with np.load(io.BytesIO(data), allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    schema = arrays.pop(_SCHEMA_NAME, None)
    if schema is None or schema != CHUNK_SCHEMA:
        raise RunFolderError(
            f"{path} has layout {schema}, expected {CHUNK_SCHEMA}; read it with the version of "
            "unmoor that wrote it",
            code="E-SCHEMA",
        )
    return arrays
