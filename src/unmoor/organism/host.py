"""The animal that carries the tumour: strain and immune status."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from unmoor import catalog


@dataclass(frozen=True)
class Host:
    """A host strain; ``iota`` and ``Lambda`` of its table say what freed immunity does."""

    name: str
    species: str
    strain: str
    immune: str

    @classmethod
    def load(cls, name: str, beside: Path | None = None) -> Host:
        """Host by catalog name or folder."""
        about = catalog.about("hosts", name, beside)
        return cls(
            name=catalog.canonical("hosts", name, beside),
            species=about["species"],
            strain=about["strain"],
            immune=about["immune"],
        )
