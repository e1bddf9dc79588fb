"""Where the tissue is run for its escape, and what a run gives."""

from __future__ import annotations

from typing import NamedTuple


class Point(NamedTuple):
    """What cells do, and the gel around them.

    Attributes
    ----------
    bond
        Greatest pull of one bond relative to the cell's drive [-].
    drive
        Motile drive among cells [µm/min].
    collagen
        Density of the gel [mg/mL].
    growth
        Divisions [1/d].
    """

    bond: float
    drive: float
    collagen: float
    growth: float


class Counts(NamedTuple):
    """What one run gave.

    Attributes
    ----------
    edge_days
        Cells at the edge of the body × time, until half of the body has gone [d].
    singles, clusters
        Single cells and clusters that left for good in that time.
    in_clusters
        Cells of these clusters.
    front_speed
        Speed of the 95th percentile of distances from the first centre [µm/d].
    net_growth
        Growth of the number of cells [1/d].
    """

    edge_days: float
    singles: int
    clusters: int
    in_clusters: int
    front_speed: float
    net_growth: float
