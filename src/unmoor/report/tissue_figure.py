"""Stills of tissues: arms below each other, time from left to right, on one scale and one key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from unmoor.report.canvas import Canvas, Panel, shortened, text_width
from unmoor.report.style import GREY, INK, RESOLUTION
from unmoor.report.tissue_colours import DEAD, Key, key
from unmoor.report.tissue_scene import ABOVE, View3D, render
from unmoor.tissue.groups import groups
from unmoor.tissue.measure import Home, home
from unmoor.tissue.snapshot import LIVING, Snapshot

TIMES = 4
"""Frames of an arm that are shown at most."""
KEY_HEIGHT = 27.0
_RING = (0, (3.5, 2.5))
_INSIDE = 0.998  # share of the cells that a picture holds, if that is not too wide
_WIDEST = 3.0  # half width of a picture [radii of the tissue at the start]
_MARGIN = 1.04
_GAP = 5.0  # between pictures [pt]


@dataclass(frozen=True)
class Stage:
    """What pictures of the same tissues have in common.

    Attributes
    ----------
    home
        Where the first tissue began, by arm.
    half_width
        From the middle of a picture to its border [µm].
    is_flat
        Whether all cells lie in one plane: a monolayer, seen from above.
    view
        From where it is seen.
    """

    home: Mapping[str, Home]
    half_width: float
    is_flat: bool
    view: View3D

    @classmethod
    def of(cls, arms: Mapping[str, Sequence[Snapshot]], *, cut: bool = False) -> Stage:
        """Set a stage on which the cells of all frames find room, but for a few far away."""
        frames = [frame for listed in arms.values() for frame in listed]
        heights = [np.ptp(frame.position[:, 2]) for frame in frames if frame.radius.size]
        is_flat = bool(max(heights, default=0.0) < 1e-9)
        view = ABOVE if is_flat else View3D(cut=cut)
        homes = {arm: _home(listed[0]) for arm, listed in arms.items()}
        surfaces = [each.surface for each in homes.values() if np.isfinite(each.surface)]
        widest = _WIDEST * max(surfaces, default=np.inf)
        widths = [1.12 * surface for surface in surfaces]
        for arm, listed in arms.items():
            for frame in listed:
                reach = _reach(frame, homes[arm], view)
                widths += [min(float(np.quantile(reach, _INSIDE)), widest)] if reach.size else []
        return cls(homes, _MARGIN * max(widths, default=100.0), is_flat, view)

    def picture(self, arm: str, frame: Snapshot, colours: Key, pixels: int) -> Any:
        """Picture of one frame, shape (pixels, pixels, 3)."""
        return render(
            frame.position,
            frame.radius,
            colours.colours(frame),
            view=self.view,
            centre=np.nan_to_num(self.home[arm].centre),
            half_width=self.half_width,
            pixels=pixels,
        )

    def outside(self, arm: str, frame: Snapshot) -> int:
        """Cells that the picture does not hold."""
        return int((_reach(frame, self.home[arm], self.view) > self.half_width).sum())


def panels(
    arms: Mapping[str, Sequence[Snapshot]], *, by: str = "e_cadherin", cut: bool = False
) -> tuple[Figure, pd.DataFrame]:
    """Draw a panel for each arm (row) and time (column).

    Parameters
    ----------
    arms
        Frames of each arm in rising order of time, at least one of each.
    by
        What cells are coloured by, see :data:`unmoor.report.tissue_colours.BY`.
    cut
        Whether the tissue is cut open.

    Returns
    -------
        The figure, and a row for each picture.
    """
    shown = {arm: chosen(frames) for arm, frames in arms.items() if len(frames)}
    columns = max(map(len, shown.values()), default=1)
    left = 20.0 if any(shown) else 4.0
    side = min((514 - left - (columns - 1) * _GAP) / columns, 165.0)
    right = 518.4 - left - columns * side - (columns - 1) * _GAP
    canvas = Canvas(
        len(shown) * columns,
        columns,
        height=side,
        left=left,
        right=right,
        top=13,
        bottom=KEY_HEIGHT + 4,
        gaps=(_GAP, 15),
    )
    stage = Stage.of(shown, cut=cut)
    frames = [frame for listed in shown.values() for frame in listed]
    colours, rows = key(by, frames), []
    for row, (arm, listed) in enumerate(shown.items()):
        boxes = canvas.boxes[row * columns : (row + 1) * columns]
        _name(canvas, boxes[0], arm)
        for box, frame in zip(boxes, listed, strict=False):
            _panel(canvas, box, stage, (arm, frame), colours)
            rows.append(_row(stage, arm, frame))
        _scale_bar(canvas, boxes[0], stage)
    is_dead = any(bool((frame.phase != LIVING).any()) for frame in frames)
    _key(canvas, colours, is_dead=is_dead)
    return canvas.finished(_footer(stage)), pd.DataFrame(rows)


def still(snapshot: Snapshot, *, by: str = "e_cadherin", cut: bool = False) -> Figure:
    """Draw one frame by itself; see :func:`panels`."""
    return panels({"": [snapshot]}, by=by, cut=cut)[0]


def chosen(frames: Sequence[Snapshot], most: int = TIMES) -> list[Snapshot]:
    """Frames spread evenly over time, the first and the last among them."""
    count = len(frames)
    if count <= most:
        return list(frames)
    return [frames[round(i * (count - 1) / (most - 1))] for i in range(most)]


def clock(minutes: float) -> str:
    """Time as it stands in a picture: hours, and days from three days on."""
    hours = minutes / 60.0
    return f"{hours:.3g} h" if hours < 72.0 else f"{hours / 24.0:.3g} d"


def round_length(longest: float) -> float:
    """Longest of 1, 2 and 5 times a power of ten that is no longer than this."""
    power = 10.0 ** np.floor(np.log10(longest))
    return float(max(step * power for step in (1, 2, 5) if step * power <= longest))


def _home(first: Snapshot) -> Home:
    """Where a tissue began; in the middle and without a surface if nothing lived."""
    if first.is_living.any():
        return home(first)
    return Home(np.zeros(3), np.nan, np.nan)


def _reach(frame: Snapshot, start: Home, view: View3D) -> Any:
    """How wide a picture must be to hold each cell, shape (cells,) [µm]."""
    seen = (frame.position - np.nan_to_num(start.centre)) @ view.rotation.T
    return np.abs(seen[:, :2]).max(axis=1, initial=0.0) + frame.radius


def _panel(
    canvas: Canvas, box: Panel, stage: Stage, shown: tuple[str, Snapshot], colours: Key
) -> None:
    arm, frame = shown
    image = stage.picture(arm, frame, colours, round(box.width * RESOLUTION / 72))
    canvas.axes.imshow(
        image,
        extent=(box.left, box.right, box.base, box.top),
        zorder=1,
        interpolation="none",
        aspect="auto",
    )
    canvas.axes.set(xlim=(0, 518.4), ylim=(-10.0, canvas.height))
    turn = np.linspace(0.0, 2 * np.pi, 121)
    ring = stage.home[arm].surface / stage.half_width * box.width / 2
    if np.isfinite(ring):
        middle = (box.base + box.top) / 2
        xs, ys = box.middle + ring * np.cos(turn), middle + ring * np.sin(turn)
        canvas.stroke(xs, ys, INK, 0.5, _RING)
    canvas.text(box.left + 2, box.top + 5, clock(frame.time), ha="left", fontweight="bold")
    apart = int(groups(frame).is_detached.sum())
    count = f"{frame.radius.size:,} cells".replace(",", "\u202f")
    told = f"{count}, {apart} detached" if apart else count
    canvas.text(box.right - 2, box.top + 5, told, size=-1.0, color=GREY, ha="right")


def _name(canvas: Canvas, box: Panel, arm: str) -> None:
    middle = (box.base + box.top) / 2
    canvas.text(box.left - 9, middle, shortened(arm, 34), rotation=90, fontweight="bold", size=0.5)


def _scale_bar(canvas: Canvas, box: Panel, stage: Stage) -> None:
    length = round_length(0.5 * stage.half_width)
    width = length / (2 * stage.half_width) * box.width
    canvas.stroke([box.left + 3, box.left + 3 + width], [box.base + 3] * 2, INK, 1.6)
    canvas.text(box.left + 3 + width / 2, box.base + 8, f"{length:g} µm", size=-0.5, zorder=6)


def _key(canvas: Canvas, colours: Key, *, is_dead: bool) -> None:
    """Write what colours mean at the foot."""
    base, x = 8.0, canvas.boxes[0].left
    pairs: list[tuple[Any, str]] = []
    if colours.names:
        pairs += zip(map(tuple, colours.palette), colours.names, strict=True)
        canvas.text(x, base + 15, colours.label, size=-0.5, ha="left")
    else:
        x = _bar(canvas, colours, x, base)
    pairs += [(DEAD, "dying or dead")] if is_dead else []
    for colour, name in pairs:
        canvas.axes.plot([x + 3], [base + 4], "o", color=colour, markersize=5, zorder=5)
        canvas.text(x + 9, base + 4, name, size=-0.5, ha="left")
        x += 21 + text_width(name, -0.5)
    x += 8
    canvas.stroke([x, x + 14], [base + 4] * 2, INK, 0.7, _RING)
    canvas.text(x + 18, base + 4, "where the tissue began", size=-0.5, ha="left")


def _bar(canvas: Canvas, colours: Key, x: float, base: float) -> float:
    """Draw the scale of a quantity; returns where the next thing may stand."""
    width, height = 120.0, 6.0
    extent = (x, x + width, base + 1, base + 1 + height)
    canvas.axes.imshow(
        np.rint(255 * colours.palette[None, :, :]).astype(np.uint8),
        extent=extent,
        zorder=2,
        interpolation="none",
        aspect="auto",
    )
    canvas.axes.set(xlim=(0, 518.4), ylim=(-10.0, canvas.height))
    low, high = colours.limits
    if colours.is_log:
        values = [2.0**n for n in range(int(np.log2(low)), int(np.log2(high)) + 1)]
        shares = [np.log2(v / low) / np.log2(high / low) for v in values]
    else:
        shares = [0.0, 0.25, 0.5, 0.75, 1.0]
        values = [low + share * (high - low) for share in shares]
    for share, value in zip(shares, values, strict=True):
        canvas.text(x + share * width, base - 2, f"{value:g}", size=-1.0, va="top")
    canvas.text(x, base + height + 6, colours.label, size=-0.5, ha="left")
    return x + width + 16


def _row(stage: Stage, arm: str, frame: Snapshot) -> dict[str, Any]:
    found = groups(frame)
    return {
        "arm": arm,
        "hour": frame.time / 60.0,
        "cells": frame.radius.size,
        "living": int(frame.is_living.sum()),
        "detached": int(found.is_detached.sum()),
        "singles": int(found.is_single.sum()),
        "outside_picture": stage.outside(arm, frame),
        "picture_width_um": 2 * stage.half_width,
    }


def _footer(stage: Stage) -> str:
    how = "seen from above" if stage.is_flat else "parallel projection"
    cut = ", cut open" if stage.view.cut else ""
    return f"{how}{cut}; picture {2 * stage.half_width:.0f} µm wide"
