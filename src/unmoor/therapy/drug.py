"""A drug: which input of the network it acts on, or that it kills, and how it gets there."""

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
    action
        ``inhibits`` its target, ``kills`` cells or ``adds`` to its target.
    model
        How it gets there: ``antibody`` (plasma, tumour, occupancy), ``slow_offset`` (oral, effect
        outlasts it), ``reversible`` (effect follows plasma) or ``medium`` (culture only).
    response
        Named dose response of ``therapy.response``.
    species
        Species whose target it binds.
    is_systemic
        Whether it reaches the host's own TGFβ signalling.
    """

    name: str
    target: str
    action: str
    model: str
    response: str
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
            action=about["action"],
            model=about["model"],
            response=about.get("response", "hill"),
            species=tuple(about["binds"]),
            is_systemic=bool(about.get("systemic", False)),
            routes=tuple(about.get("routes", ())),
        )

    @property
    def usual_route(self) -> str | None:
        """Route it is given by unless a study says otherwise; None for culture only."""
        return self.routes[0] if self.routes else None
