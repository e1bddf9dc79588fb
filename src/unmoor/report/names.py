"""Names of readouts as laboratories write them."""

from __future__ import annotations

NAMES = {
    "e_cadherin": "E-cadherin",
    "zeb": "ZEB",
    "mir200": "miR-200",
    "mir200_to_zeb": "miR-200 to ZEB",
    "tgfb_activity": "TGFβ activity",
    "itgb3": "β3 integrin",
    "beta1_active": "active β1 integrin",
    "tgfbr1_active": "active TGFβ receptor",
    "fak": "FAK activity",
    "emt": "EMT",
    "mesenchymal": "mesenchymal programme",
    "speed_collagen": "speed in collagen",
    "singles_per_cluster": "single cells per cluster",
}
"""Readouts whose name is more than their identifier without underscores."""

NETWORK = {
    "e_cadherin": "E-cadherin",
    "zeb": "ZEB",
    "mir200": "miR-200",
    "tgfb_activity": "TGFβ activity",
    "singles_per_cluster": "Single cells",
    "speed_collagen": "Speed",
}
"""Quantities of the network figure with their short names, in order of columns."""


def readout_name(identifier: str) -> str:
    """Name of a readout; unknown ones are their identifiers with spaces."""
    return NAMES.get(identifier, identifier.replace("_", " "))
