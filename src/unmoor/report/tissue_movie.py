"""Films as files for slides and supplements: GIF, APNG or WebP, whatever the file is called."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from unmoor.report.tissue_colours import Key, key
from unmoor.report.tissue_figure import Stage, chosen, clock, round_length
from unmoor.tissue.snapshot import Snapshot
from unmoor.trial.atomic import write_file

FORMATS = {".gif": "GIF", ".apng": "PNG", ".png": "PNG", ".webp": "WEBP"}
SIDE = 420
"""Width of the picture of an arm [pixel]."""
_HEAD = 26  # height of the names above [pixel]
_FOOT = 52
_INK = (34, 34, 34)


def write_movie(
    path: Path,
    arms: Mapping[str, Sequence[Snapshot]],
    *,
    by: str = "e_cadherin",
    cut: bool = False,
    seconds: float = 10.0,
    most: int = 121,
) -> None:
    """Write a film, arms beside each other, on one scale and with one key.

    Parameters
    ----------
    path
        The file; its ending says the format: ``.gif``, ``.apng``, ``.png`` (the same) or ``.webp``.
    arms
        Frames of each arm in rising order of time, at least one of each.
    by, cut
        As for :func:`unmoor.report.tissue_figure.panels`.
    seconds
        Length of the film.
    most
        Frames at most.

    Raises
    ------
    ResourceError, RunFolderError
        If the file cannot be written.
    """
    shown = {arm: chosen(frames, most) for arm, frames in arms.items() if len(frames)}
    stage = Stage.of(shown, cut=cut)
    colours = key(by, [frame for frames in shown.values() for frame in frames])
    count = max(map(len, shown.values()))
    images = [_image(shown, stage, colours, min(1.0, i / max(count - 1, 1))) for i in range(count)]
    kind = FORMATS[path.suffix.lower()]
    if kind == "GIF":
        palette = images[-1].quantize(256, dither=Image.Dither.NONE)
        images = [image.quantize(palette=palette, dither=Image.Dither.NONE) for image in images]
    buffer = io.BytesIO()
    images[0].save(
        buffer,
        format=kind,
        save_all=True,
        append_images=images[1:],
        duration=round(1000 * seconds / count),
        loop=0,
    )
    write_file(path, buffer.getvalue())


def _image(
    arms: Mapping[str, Sequence[Snapshot]], stage: Stage, colours: Key, at: float
) -> Image.Image:
    whole = Image.new("RGB", (SIDE * len(arms), _HEAD + SIDE + _FOOT), "white")
    pen = ImageDraw.Draw(whole)
    for column, (arm, frames) in enumerate(arms.items()):
        left, frame = SIDE * column, frames[round(at * (len(frames) - 1))]
        picture = stage.picture(arm, frame, colours, SIDE)
        whole.paste(Image.fromarray(picture), (left, _HEAD))
        ring = stage.home[arm].surface / stage.half_width * SIDE / 2
        if np.isfinite(ring):
            _dashed(pen, left + SIDE / 2, _HEAD + SIDE / 2, ring)
        pen.text((left + 8, 5), arm, fill=_INK, font=_font(14, bold=True))
        told = clock(frame.time)
        pen.text((left + SIDE - 8, 5), told, fill=_INK, font=_font(14), anchor="ra")
    length = round_length(0.5 * stage.half_width)
    width = length / (2 * stage.half_width) * SIDE
    base = _HEAD + SIDE - 8
    pen.rectangle((10, base - 3, 10 + width, base), fill=_INK)
    pen.text((10 + width / 2, base - 6), f"{length:g} µm", fill=_INK, font=_font(12), anchor="ms")
    _legend(whole, pen, colours, _HEAD + SIDE + 6)
    return whole


def _legend(whole: Image.Image, pen: Any, colours: Key, top: int) -> None:
    font, x = _font(12), 10
    pen.text((x, top), colours.label, fill=_INK, font=font)
    if not colours.names:
        shades = np.rint(255 * colours.palette[None]).astype(np.uint8)
        bar = Image.fromarray(shades).resize((160, 10))
        ends = [f"{value:g}" for value in colours.limits]
        pen.text((x, top + 22), ends[0], fill=_INK, font=font)
        x += round(font.getlength(ends[0])) + 6
        whole.paste(bar, (x, top + 25))
        pen.text((x + 166, top + 22), ends[1], fill=_INK, font=font)
        return
    for shade, name in zip(colours.palette, colours.names, strict=True):
        pen.ellipse((x, top + 24, x + 10, top + 34), fill=tuple(np.rint(255 * shade).astype(int)))
        pen.text((x + 14, top + 21), name, fill=_INK, font=font)
        x += round(font.getlength(name)) + 30


def _dashed(pen: Any, x: float, y: float, radius: float) -> None:
    box = (x - radius, y - radius, x + radius, y + radius)
    dashes = max(24, round(radius / 3))
    for i in range(dashes):
        pen.arc(box, 360 * i / dashes, 360 * (i + 0.55) / dashes, fill=_INK, width=1)


@cache
def _font(size: int, *, bold: bool = False) -> Any:
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name, size)
