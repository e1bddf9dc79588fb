"""A page for small multiples: many panels drawn in one matplotlib axes, in points.

An axes object for each of the fifteen to thirty panels of a figure would cost seconds, most of
them in tick objects; here a panel is only a mapping from data to points, and its frame is a few
line segments. All lengths are in points (1/72 inch), counted from the lower left corner.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import to_rgba_array
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike, NDArray

from unmoor.report.numerals import plain
from unmoor.report.style import FONT_SIZE, GREY, ArmStyle

FloatArray = NDArray[np.float64]
Scale = Literal["linear", "log", "count"]
Ticks = Sequence[tuple[float, str]]

WIDTH = 518.4
"""Width of every figure: 7.2 inches, two columns of a journal page."""
FOOTER = 10.0
"""Height of the line at the foot of every figure."""
TICK = 2.5

_SCALES: dict[Scale, Callable[[FloatArray], FloatArray]] = {
    "linear": lambda values: values,
    "log": lambda values: np.log10(np.where(values > 0, values, np.nan)),
    "count": lambda values: np.log10(1.0 + values),  # shows 0, logarithmic above about 3
}


@dataclass(frozen=True)
class Panel:
    """A rectangle of the page with an axis in each direction."""

    left: float
    base: float
    width: float
    height: float
    x_limits: tuple[float, float] = (0.0, 1.0)
    y_limits: tuple[float, float] = (0.0, 1.0)
    x_scale: Scale = "linear"
    y_scale: Scale = "linear"

    def x(self, values: ArrayLike) -> FloatArray:
        """Horizontal positions of data values [pt]."""
        return self.left + self.width * _fraction(values, self.x_limits, self.x_scale)

    def y(self, values: ArrayLike) -> FloatArray:
        """Vertical positions of data values [pt]."""
        return self.base + self.height * _fraction(values, self.y_limits, self.y_scale)

    def clipped(self, values: ArrayLike) -> FloatArray:
        """Vertical positions of data values, kept inside the panel [pt]."""
        return np.clip(self.y(values), self.base, self.top)

    @property
    def right(self) -> float:
        """Right edge [pt]."""
        return self.left + self.width

    @property
    def top(self) -> float:
        """Upper edge [pt]."""
        return self.base + self.height

    @property
    def middle(self) -> float:
        """Horizontal middle [pt]."""
        return self.left + self.width / 2

    def with_axes(self, **axes: Any) -> Panel:
        """Return the same rectangle with other limits or scales."""
        return replace(self, **axes)


class Canvas:
    """A figure with panels of equal size, row by row, and room for a key below."""

    def __init__(
        self,
        n_panels: int,
        columns: int,
        *,
        height: float,
        left: float,
        right: float = 6.0,
        top: float = 16.0,
        bottom: float = 26.0,
        gaps: tuple[float, float] = (12.0, 34.0),
    ) -> None:
        rows = math.ceil(n_panels / columns)
        self.height = top + rows * height + (rows - 1) * gaps[1] + bottom
        whole = self.height + FOOTER
        self.figure = Figure(figsize=(WIDTH / 72, whole / 72))
        self.axes: Axes = self.figure.add_axes((0, 0, 1, 1))
        self.axes.set(xlim=(0, WIDTH), ylim=(-FOOTER, self.height))
        self.axes.set_axis_off()
        width = (WIDTH - left - right - (columns - 1) * gaps[0]) / columns
        self.boxes = [
            Panel(
                left + (i % columns) * (width + gaps[0]),
                self.height - top - height - (i // columns) * (height + gaps[1]),
                width,
                height,
            )
            for i in range(n_panels)
        ]
        self._lines: list[Any] = []
        self._areas: list[tuple[FloatArray, tuple[str, float]]] = []
        self._strokes: list[tuple[FloatArray, str, float, Any]] = []

    @property
    def middle(self) -> float:
        """Horizontal middle of all panels [pt]."""
        return (self.boxes[0].left + max(box.right for box in self.boxes)) / 2

    def text(self, x: float, y: float, text: str, *, size: float = 0.0, **settings: Any) -> None:
        """Write a text; `size` is relative to the common font size [pt]."""
        look: dict[str, Any] = {
            "ha": "center",
            "va": "center",
            "fontsize": FONT_SIZE + size,
        } | settings
        self.axes.text(x, y, text, **look)

    def title(self, panel: Panel, text: str, rise: float = 7.0) -> None:
        """Write the name of a panel above it."""
        self.text(panel.middle, panel.top + rise, text, size=1.0, fontweight="bold")

    def frame(
        self, panel: Panel, x_ticks: Ticks = (), y_ticks: Ticks = (), *, spines: bool = True
    ) -> None:
        """Add axis lines, ticks and their labels (an empty label draws only the tick)."""
        if spines:
            self._lines.append(((panel.left, panel.top), (panel.left, panel.base)))
            self._lines.append(((panel.left, panel.base), (panel.right, panel.base)))
        for value, label in x_ticks:
            x = float(panel.x(value))
            self._lines.append(((x, panel.base), (x, panel.base - TICK)))
            if label:
                self.text(x, panel.base - TICK - 2, label, size=-0.5, va="top")
        for value, label in y_ticks:
            y = float(panel.y(value))
            self._lines.append(((panel.left, y), (panel.left - TICK, y)))
            if label:
                self.text(panel.left - TICK - 2, y, label, size=-0.5, ha="right")

    def area(
        self, xs: FloatArray, low: FloatArray, high: FloatArray, colour: str, opacity: float
    ) -> None:
        """Add a band between two curves [pt]."""
        corners = np.column_stack([np.append(xs, xs[::-1]), np.append(low, high[::-1])])
        self._areas.append((corners, (colour, opacity)))

    def stroke(
        self, xs: ArrayLike, ys: ArrayLike, colour: str, width: float = 1.0, dashes: Any = "-"
    ) -> None:
        """Add a line through points [pt]; it lies above the bands."""
        self._strokes.append((np.column_stack([xs, ys]), colour, width, dashes))

    def finished(self, footer: str) -> Figure:
        """Add what was collected, in few artists (each has a price), and return the figure."""
        self.text(WIDTH - 4, -5.5, footer, size=-2.0, ha="right", color=GREY)
        if self._areas:
            corners, colours = zip(*self._areas, strict=True)
            faces = to_rgba_array(colours)
            self.axes.add_collection(
                PolyCollection(corners, facecolors=faces, linewidths=0, zorder=2)
            )
        if self._strokes:
            points, inks, widths, dashes = zip(*self._strokes, strict=True)
            self.axes.add_collection(
                LineCollection(
                    points, colors=inks, linewidths=widths, linestyles=list(dashes), zorder=4
                )
            )
        self.axes.add_collection(
            LineCollection(self._lines, colors=GREY, linewidths=0.6, zorder=2.5, capstyle="butt")
        )
        return self.figure

    def key(self, arms: Sequence[str], styles: dict[str, ArmStyle], *, lines: bool) -> None:
        """Write the key at the bottom: number, name and marker (or line) of each arm."""
        columns = _key_columns(arms)
        handles = [
            _handle(styles[arm], f"{styles[arm].number}  {shortened(arm)}", lines) for arm in arms
        ]
        self.figure.legend(
            # The key fills column by column; this order makes the arms read row by row.
            handles=[handles[i] for c in range(columns) for i in range(c, len(handles), columns)],
            loc="lower center",
            bbox_to_anchor=(0.5, FOOTER / (self.height + FOOTER)),
            ncols=columns,
            frameon=False,
            borderpad=0.1,
            labelspacing=0.4,
            handletextpad=0.5,
            columnspacing=1.6,
            handlelength=3.2 if lines else 1.0,
        )


def columns_for(n_panels: int) -> int:
    """Columns for panels that carry a whole comparison: three at most."""
    return max(1, min(3, n_panels))


def key_height(arms: Sequence[str]) -> float:
    """Height that the key of these arms needs [pt]."""
    return 11.2 * math.ceil(len(arms) / _key_columns(arms)) + 3.0


def text_width(text: str, size: float = 0.0) -> float:
    """Rough width of a text [pt]; measuring it exactly would cost a draw."""
    return 0.57 * (FONT_SIZE + size) * len(text)


def shortened(name: str, longest: int = 42) -> str:
    """Name of an arm cut to the room there is."""
    return name if len(name) <= longest else name[: longest - 1].rstrip() + "…"


def log_ticks(low: float, high: float, *, labels: bool = True, compact: bool = False) -> Ticks:
    """Ticks at round numbers; the longer the axis, the fewer."""
    decades = math.log10(high / low)
    few = 0.6 if compact else 1.0
    steps: tuple[float, ...] = (1,)
    for limit, candidates in ((2.6, (1, 3)), (1.7, (1, 2, 5)), (1.15, (1, 1.5, 2, 3, 5, 7))):
        steps = candidates if decades < limit * few else steps
    exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    values = [step * 10.0**exponent for exponent in exponents for step in steps]
    return [(v, plain(v) if labels else "") for v in values if low * 0.999 <= v <= high * 1.001]


def linear_ticks(low: float, high: float, *, labels: bool = True, most: int = 5) -> Ticks:
    """Ticks at multiples of 1, 2 or 5 times a power of ten, with equal decimals."""
    rough = max(high - low, 1e-12) / most
    power = math.floor(math.log10(rough))
    step = next(s * 10.0**power for s in (1, 2, 5, 10) if s * 10.0**power >= rough * 0.999)
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    numbers = range(math.ceil(low / step - 1e-6), math.floor(high / step + 1e-6) + 1)
    return [(n * step, f"{n * step:.{decimals}f}" if labels else "") for n in numbers]


def day_ticks(last: float, *, labels: bool = True) -> Ticks:
    """Ticks in whole days, by weeks where weeks fit."""
    step = next((s for s in (1, 2, 5, 7, 14, 28, 56) if last / s <= 6), 90)
    return [(float(day), str(day) if labels else "") for day in range(0, int(last) + 1, step)]


def count_ticks(highest: float, *, labels: bool = True) -> Ticks:
    """Ticks at 0, 1, 3, 10, 30, 100, … of a count."""
    values = [0.0, 1.0]
    while values[-1] < highest:
        values.append(values[-1] * 3 if len(values) % 2 == 0 else values[-2] * 10)
    return [(v, plain(v) if labels else "") for v in values if v <= highest]


def _fraction(values: ArrayLike, limits: tuple[float, float], scale: Scale) -> FloatArray:
    transform = _SCALES[scale]
    low, high = transform(np.asarray(limits, dtype=float))
    placed: FloatArray = (transform(np.asarray(values, dtype=float)) - low) / (high - low)
    return placed


def _key_columns(arms: Sequence[str]) -> int:
    widest = max(text_width(f"00  {shortened(arm)}") for arm in arms) + 30.0
    return max(1, min(len(arms), int(WIDTH / widest)))


def _handle(style: ArmStyle, label: str, lines: bool) -> Line2D:
    if lines:
        return Line2D(
            [], [], color=style.colour, linestyle=style.dashes, linewidth=1.4, label=label
        )
    return Line2D(
        [],
        [],
        linestyle="none",
        marker=style.marker,
        markersize=5,
        markerfacecolor=style.face,
        markeredgecolor=style.colour,
        markeredgewidth=0.9,
        label=label,
    )
