"""What was foretold before, kept by what decides it."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass, field
from pathlib import Path

from unmoor.elementwise import FloatArray
from unmoor.errors import RunFolderError
from unmoor.trial.atomic import refusals_told, write_file
from unmoor.trial.packing import pack, unpack


@dataclass
class Memory:
    """What was foretold before, by what decides it: in this process, and in a folder if given.

    A file that is damaged counts as not there.
    """

    folder: Path | None = None
    _known: dict[str, dict[str, FloatArray]] = field(default_factory=dict, repr=False)

    def get(self, key: str) -> dict[str, FloatArray] | None:
        """What is known under a key."""
        if key not in self._known and self.folder is not None:
            path = self._path(key)
            try:
                self._known[key] = unpack(path.read_bytes(), path)
            except (OSError, ValueError, KeyError, zipfile.BadZipFile, RunFolderError):
                return None
        return self._known.get(key)

    def put(self, key: str, values: dict[str, FloatArray]) -> None:
        """Keep what is known under a key.

        Raises
        ------
        ResourceError
            If the disk is full.
        """
        self._known[key] = values
        if self.folder is not None:
            path = self._path(key)
            with refusals_told(path.parent, 0):
                path.parent.mkdir(parents=True, exist_ok=True)
            write_file(path, pack(values))

    def _path(self, key: str) -> Path:
        assert self.folder is not None
        return self.folder / key[:2] / f"{key}.bin"
