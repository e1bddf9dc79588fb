"""Where cells are put: what they stand on, whether they have room, whether they share a medium."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from unmoor.catalog.draws import Draw


@dataclass(frozen=True)
class Place:
    """Ground and room of cells; the default is a tumour in an animal.

    Attributes
    ----------
    ground
        Matrix on which behaviour is told, a matrix of the catalog.
    organ
        Matrix on which cells that spread grow out.
    is_coat
        Whether the ground is a coat on serum-covered plastic, on which cells lie.
    growth
        ``tumour``: Gompertz; ``culture``: room for all, at the rate of cells in culture;
        ``colonies``: room for all, at the rate of a small tumour.
    shares_medium
        Whether TGFβ made by switched cells reaches the others.
    """

    ground: str = "tumour"
    organ: str = "lung"
    is_coat: bool = False
    growth: Literal["tumour", "culture", "colonies"] = "tumour"
    shares_medium: bool = True

    def weights(self, where: str, draw: Draw) -> dict[str, float]:
        """Weights of integrins (ids of a matrix) where cells stand, for a name of ``GROUNDS``."""
        if where != "tumour":
            return draw.values("matrices", self.organ if where == "lung" else where)
        own = draw.values("matrices", self.ground)
        if not self.is_coat:
            return own
        share, beneath = self._share(draw), draw.values("matrices", "plastic")
        return {name: share * own[name] + (1.0 - share) * beneath[name] for name in own}

    def _share(self, draw: Draw) -> float:
        return draw.values("closures", "culture")["coat_share"]

    def room(self, draw: Draw) -> float | None:
        """Growth of untreated cells that have room [1/d]; None in a tumour, which fills up."""
        if self.growth == "tumour":
            return None
        if self.growth == "culture":
            return draw.values("closures", "culture")["division_rate"]
        growth = draw.values("closures", "growth")
        return growth["k"] * growth["beta"]


IN_A_TUMOUR = Place()
