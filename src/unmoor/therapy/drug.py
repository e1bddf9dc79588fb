"""A drug: which input of the network it acts on, and how."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from unmoor import catalog


@dataclass(frozen=True)
class Drug:
    """A drug of the catalog; its numbers are in the table of the same name.

    Attributes
    ----------
    target
        Label of the network input it acts on.
    model
        ``antibody`` (plasma, tumour, occupancy) or ``slow_offset`` (oral, effect outlasts it).
    species
        Species whose target it binds.
    is_systemic
        Whether it reaches the host's own TGFβ signalling.
    """

    name: str
    target: str
    model: str
    species: tuple[str, ...]
    is_systemic: bool
    routes: tuple[str, ...]

    @classmethod
    def load(cls, name: str, beside: Path | None = None) -> Drug:
        """Drug by catalog name or folder."""
        about = catalog.about("drugs", name, beside)
        return cls(
            name=catalog.canonical("drugs", name, beside),
            target=about["target"],
            model=about["model"],
            species=tuple(about["binds"]),
            is_systemic=bool(about.get("systemic", False)),
            routes=tuple(about.get("routes", ())),
        )
