"""Look of the figures: one font, one width; one colour, shape, dash and number for each arm.

Figures are drawn without pyplot. The few settings that matplotlib reads only from its global
parameters are set under a lock and put back, so reports can be made from several threads.
"""

from __future__ import annotations

import base64
import io
import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

RESOLUTION = 300
"""Resolution of the PNG files [dot/inch]."""
FONT_SIZE = 7.0
"""Size of most text [point]; others are given relative to it."""
QUALITY, LEAST = 76, 120
"""Quality of pictures inside SVG files, and the width from which it matters [pixel]."""
INK, GREY, FAINT = "#222222", "#6E6E6E", "#D9D9D9"

# Okabe & Ito's palette without yellow, which is too pale for lines on white.
COLOURS = ("#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("s", "^", "D", "v", "P", "X", "p", "*", "<", "h", ">")
DASHES: tuple[Any, ...] = (
    "-",
    (0, (4, 1.2)),
    (0, (1.2, 1)),
    (0, (5, 1, 1, 1)),
    (0, (8, 1.5)),
    (0, (2.5, 1.2)),
    (0, (5, 1, 1, 1, 1, 1)),
    (0, (3, 2.5)),
    (0, (1, 2)),
)
TINTS = {"switch": "#FDF0E7", "benefit": "#EBF6F2", "containment": "#EFF6FB", "harm": "#F6EEF3"}
"""Backgrounds of the verdict quadrants."""

_SETTINGS: dict[str, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": FONT_SIZE,
    "text.color": INK,
    "text.hinting": "none",
    "text.parse_math": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "unmoor",
    "figure.facecolor": "white",
}
_NOT_STYLE = ("backend", "interactive", "toolbar", "timezone", "webagg", "savefig.directory")
_DRAWING = threading.RLock()


@dataclass(frozen=True)
class ArmStyle:
    """How one arm looks in every figure."""

    number: int
    colour: str
    marker: str
    is_filled: bool
    dashes: Any

    @property
    def face(self) -> str:
        """Fill of the marker; hollow markers tell arms of one colour apart."""
        return self.colour if self.is_filled else "white"


def arm_styles(arms: Sequence[str]) -> dict[str, ArmStyle]:
    """Style of each arm; the first arm is the control (number 0, grey circle)."""
    styles = {arms[0]: ArmStyle(0, GREY, "o", is_filled=True, dashes="-")}
    for index, arm in enumerate(arms[1:]):
        styles[arm] = ArmStyle(
            number=index + 1,
            colour=COLOURS[index % len(COLOURS)],
            marker=MARKERS[index % len(MARKERS)],
            is_filled=(index // len(COLOURS)) % 2 == 0,
            dashes=DASHES[index % len(DASHES)],
        )
    return styles


@contextmanager
def drawing() -> Iterator[None]:
    """Figures drawn inside look the same whatever the user's matplotlib settings are."""
    with _DRAWING, matplotlib.rc_context():
        settings: Any = matplotlib.rcParams
        defaults = matplotlib.rcParamsDefault.items()
        settings.update({k: v for k, v in defaults if not k.startswith(_NOT_STYLE)})
        settings.update(_SETTINGS)
        yield


def as_svg(figure: Figure) -> str:
    """Figure as SVG without a date; text stays text, with a fallback where the font is absent."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    text = buffer.getvalue().replace("'DejaVu Sans'", "'DejaVu Sans', Verdana")
    return re.sub(r'"data:image/png;base64,([^"]*)"', _smaller, text)


def _smaller(link: re.Match[str]) -> str:
    """An embedded picture as JPEG where that is smaller: pictures of cells are, scales are not."""
    image = Image.open(io.BytesIO(base64.b64decode(link[1])))
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, format="jpeg", quality=QUALITY, subsampling=0, optimize=True)
    if image.width < LEAST or buffer.tell() > len(link[1]) // 2:
        return link[0]
    return f'"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"'


def as_pixels(figure: Figure) -> NDArray[np.uint8]:
    """Figure as pixels at `RESOLUTION`, shape (height, width, 3)."""
    figure.set_dpi(RESOLUTION)
    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    return np.array(canvas.buffer_rgba(), dtype=np.uint8)[..., :3].copy()


def as_png(pixels: NDArray[np.uint8]) -> bytes:
    """Pixels as PNG; releases the GIL, so it can run beside the next figure."""
    buffer = io.BytesIO()
    image = Image.fromarray(pixels)
    image.save(buffer, format="png", dpi=(RESOLUTION, RESOLUTION), compress_level=3)
    return buffer.getvalue()
