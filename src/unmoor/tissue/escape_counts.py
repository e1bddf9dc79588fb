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
    cell_days
        Cells of the body × time, until half of it has gone [d].
    singles, clusters
        Single cells and clusters that left for good in that time.
    in_clusters
        Cells of these clusters.
    edge_share
        Share of the body's cells that were at its edge [-].
    front_speed
        Speed of the 95th percentile of distances from the first centre [µm/d].
    net_growth
        Growth of the number of cells [1/d].
    """

    cell_days: float
    singles: int
    clusters: int
    in_clusters: int
    edge_share: float
    front_speed: float
    net_growth: float
