"""What cells are coloured by, in pictures and in the film: one scale for all, safe without colour.

Scales run from dark to light or between two hues that all eyes tell apart (orange and blue);
groups and clones have the colours of Okabe and Ito.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import LinearSegmentedColormap, to_rgb

from unmoor.report.style import COLOURS
from unmoor.tissue.groups import groups
from unmoor.tissue.snapshot import LIVING, Snapshot

DEAD = "#A9A39B"
"""Dying and necrotic cells, whatever the others are coloured by."""
_TWO_HUES = ("#CC5A0A", "#E9A066", "#F3E3CB", "#8CBEDF", "#2A7DB6")
_BODY, _CLUSTER, _SINGLE = "#8FB3CF", "#E69F00", "#C2452D"
CLONES = 8
"""Colours of clones; with more clones they recur."""
_SHADES = 64  # of a scale


@dataclass(frozen=True)
class Key:
    """What a colour stands for.

    Attributes
    ----------
    name, label
        As an option and beside the colours, with its unit.
    limits
        Ends of the scale; empty for groups.
    palette
        Red, green and blue of each shade, shape (shades, 3), from low to high or group by group.
    names
        Names of the groups; empty for a scale.
    is_log
        Whether the scale is logarithmic.
    """

    name: str
    label: str
    palette: Any
    limits: tuple[float, float] = (0.0, 0.0)
    names: tuple[str, ...] = ()
    is_log: bool = False

    def shades(self, snapshot: Snapshot) -> Any:
        """Number of the colour of each cell in the palette, shape (cells,)."""
        if self.names:
            return np.minimum(_GROUPS[self.name](snapshot), len(self.palette) - 1)
        values = np.asarray(getattr(snapshot, self.name), float)
        low, high = self.limits
        if self.is_log:
            values, low, high = np.log2(np.maximum(values, low)), np.log2(low), np.log2(high)
        share = np.clip((values - low) / (high - low), 0.0, 1.0)
        return np.rint(share * (len(self.palette) - 1)).astype(np.int64)

    def colours(self, snapshot: Snapshot) -> Any:
        """Colour of each cell, shape (cells, 3)."""
        found = self.palette[self.shades(snapshot)]
        found[snapshot.phase != LIVING] = to_rgb(DEAD)
        return found


def key(name: str, frames: Iterable[Snapshot]) -> Key:
    """Return the key of a quantity, on one scale for all frames.

    Parameters
    ----------
    name
        One of ``BY``.
    frames
        All that is shown together.
    """
    if name not in BY:
        raise ValueError(f"cells are coloured by {', '.join(BY)}; got {name!r}")
    return BY[name](frames)


def _e_cadherin(_: Iterable[Snapshot]) -> Key:
    return Key("e_cadherin", "E-cadherin (of the epithelial maximum)", _hues(), (0.0, 1.0))


def _mesenchymal(_: Iterable[Snapshot]) -> Key:
    return Key("mesenchymal", "mesenchymal programme (of the full one)", _hues()[::-1], (0.0, 1.0))


def _zeb(frames: Iterable[Snapshot]) -> Key:
    highest = max([2.0, *(float(each.zeb.max()) for each in frames if each.zeb.size)])
    limits = (1.0, float(2.0 ** np.ceil(np.log2(highest))))
    return Key("zeb", "ZEB (untreated cell = 1)", _map("viridis"), limits, is_log=True)


def _oxygen(frames: Iterable[Snapshot]) -> Key:
    highest = max([1.0, *(float(each.oxygen.max()) for each in frames if each.oxygen.size)])
    return Key("oxygen", "oxygen (mmHg)", _map("viridis"), (0.0, float(np.ceil(highest / 10) * 10)))


def _clone(_: Iterable[Snapshot]) -> Key:
    palette = np.array([to_rgb(colour) for colour in (*COLOURS[:6], "#F0E442", "#555555")])
    names = tuple(f"{number + 1}" for number in range(len(palette)))
    return Key("clone", "founding clone (colours recur)", palette, names=names)


def _cluster(_: Iterable[Snapshot]) -> Key:
    palette = np.array([to_rgb(colour) for colour in (_BODY, _CLUSTER, _SINGLE)])
    names = ("main body", "detached clusters", "single cells")
    return Key("cluster", "group of the cell", palette, names=names)


BY: dict[str, Callable[[Iterable[Snapshot]], Key]] = {
    "e_cadherin": _e_cadherin,
    "zeb": _zeb,
    "mesenchymal": _mesenchymal,
    "clone": _clone,
    "cluster": _cluster,
    "oxygen": _oxygen,
}
"""What cells can be coloured by."""


def _clone_of(snapshot: Snapshot) -> Any:
    return snapshot.clone.astype(np.int64) % CLONES


def _cluster_of(snapshot: Snapshot) -> Any:
    found = groups(snapshot)
    return np.where(found.is_single, 2, np.where(found.is_detached, 1, 0))


_GROUPS: dict[str, Callable[[Snapshot], Any]] = {"clone": _clone_of, "cluster": _cluster_of}


def _hues() -> Any:
    scale = LinearSegmentedColormap.from_list("orange to blue", list(_TWO_HUES))
    return scale(np.linspace(0, 1, _SHADES))[:, :3]


def _map(name: str) -> Any:
    """A map without its darkest end, on which shading would not be seen."""
    return colormaps[name](np.linspace(0.2, 1, _SHADES))[:, :3]
