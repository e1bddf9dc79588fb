"""A film of tissues inside a page: it moves and turns offline, and is a still without JavaScript.

Cells keep their numbers from frame to frame, so only how far each has moved is stored: positions as
whole steps of a lattice, differences to the frame before in two bytes each, split into low and high
bytes and compressed, which browsers undo by themselves. The player (``tissue_film.js``) is written
by hand and asks for nothing from elsewhere.
"""

from __future__ import annotations

import base64
import html
import io
import json
import zlib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from PIL import Image

from unmoor.report.tissue_colours import DEAD, Key, key
from unmoor.report.tissue_figure import Stage, chosen, round_length
from unmoor.tissue.snapshot import LIVING, Snapshot

BUDGET = 1_200_000
"""Most that the cells of one film take in a page [byte]; frames are left out to keep it."""
FRAMES = 61
COLOURS = ("e_cadherin", "zeb", "cluster", "clone")
_STEPS = 4096  # of the lattice of positions in each direction
_STILL = 460  # width of the still [pixel]
_FEWEST = 4  # frames that are always kept
_HIDDEN = 255  # in place of a colour: a cell that is not there


def film(
    arms: Mapping[str, Sequence[Snapshot]],
    *,
    name: str,
    title: str,
    budget: int = BUDGET,
    wait: float = 0.0,
) -> str:
    """Return a film as a fragment of a page.

    Parameters
    ----------
    arms
        Frames of each arm in rising order of time; arms without frames are left out.
    name
        Identifier of the fragment, alone on its page.
    title
        What is shown, for those who cannot see it.
    budget
        Most bytes that its cells take.
    wait
        Seconds between frames; as many as make ten seconds if 0.

    Returns
    -------
        HTML with style, data and player.
    """
    pool = {arm: chosen(frames, FRAMES) for arm, frames in arms.items() if len(frames)}
    count, data = FRAMES, ""
    while True:
        kept = {arm: chosen(frames, count) for arm, frames in pool.items()}
        stage = Stage.of(kept)
        data = _data(kept, stage, wait)
        longest = max(map(len, kept.values()), default=0)
        if len(data) <= budget or longest <= _FEWEST:
            break
        count = max(_FEWEST, min(longest - 1, int(longest * budget / len(data))))
    return _page(name, title, kept, stage, data)


def film_page(fragment: str, title: str) -> str:
    """Return a page of its own around a film."""
    named = html.escape(title)
    return (
        f'<!DOCTYPE html>\n<html lang="en-GB"><head><meta charset="utf-8"><title>{named}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<link rel="icon" href="data:,"></head>'
        '<body style="margin:24px;font:16px/1.5 system-ui,sans-serif">'
        f'<h1 style="font-size:1.2rem">{named}</h1>{fragment}</body></html>\n'
    )


def _page(
    name: str, title: str, arms: Mapping[str, Sequence[Snapshot]], stage: Stage, data: str
) -> str:
    first = next(iter(arms))
    last = max(arms, key=lambda arm: len(arms[arm][-1].radius)) if arms else first
    frame = arms[last][-1]
    picture = stage.picture(last, frame, key("e_cadherin", [frame]), _STILL)
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, format="jpeg", quality=85, optimize=True)
    still = base64.b64encode(buffer.getvalue()).decode()
    told = f"Still of {last or title} after {frame.time / 60:.3g} h, coloured by E-cadherin."
    return (
        f"<style>{_asset('tissue_film.css')}</style>\n"
        f'<div class="film" id="{html.escape(name)}" role="group" '
        f'aria-label="{html.escape(title)}">'
        f'<img class="film-still" width="{_STILL}" height="{_STILL}" alt="{html.escape(told)}" '
        f'src="data:image/jpeg;base64,{still}">\n'
        f"<noscript><p>{html.escape(told)} The film needs JavaScript.</p></noscript>\n"
        f'<script type="application/json" class="film-data">{data}</script></div>\n'
        f"<script>{_asset('tissue_film.js')}</script>\n"
    )


@cache
def _asset(name: str) -> str:
    return files("unmoor.report").joinpath(name).read_text(encoding="utf-8").strip()


def _data(arms: Mapping[str, Sequence[Snapshot]], stage: Stage, wait: float) -> str:
    everything = [frame for frames in arms.values() for frame in frames]
    keys = [key(name, everything) for name in COLOURS]
    limit = max((float(np.abs(_placed(stage, arm, frame)).max(initial=1.0))
                 for arm, frames in arms.items() for frame in frames), default=1.0)  # fmt: skip
    longest = max(map(len, arms.values()), default=1)
    content = {
        "unit": 2 * limit / (_STEPS - 1),
        "steps": _STEPS,
        "half": stage.half_width,
        "bar": round_length(0.5 * stage.half_width),
        "flat": stage.is_flat,
        "view": [stage.view.turn, stage.view.tilt],
        "wait": wait or 10.0 / longest,
        "dead": DEAD[1:],
        "keys": [_key(each) for each in keys],
        "arms": [_arm(arm, frames, stage, keys, limit) for arm, frames in arms.items()],
    }
    text = json.dumps(content, separators=(",", ":"), ensure_ascii=False)
    return text.replace("<", "\\u003c")  # nothing in it can end the script element


def _key(colours: Key) -> dict[str, Any]:
    palette = ["".join(f"{round(255 * c):02x}" for c in shade) for shade in colours.palette]
    return {
        "name": colours.name.replace("e_cadherin", "E-cadherin").replace("zeb", "ZEB"),
        "label": colours.label,
        "palette": palette,
        "names": list(colours.names),
        "limits": list(colours.limits),
        "log": colours.is_log,
    }


def _arm(
    arm: str, frames: Sequence[Snapshot], stage: Stage, keys: Sequence[Key], limit: float
) -> dict[str, Any]:
    """Bytes of all cells of an arm: places, radius and the shade of each key, frame by frame."""
    identities = np.concatenate([frame.identity for frame in frames])
    _, first = np.unique(identities, return_index=True)
    known = identities[np.sort(first)]  # in the order of appearance
    by_value = np.argsort(known, kind="stable")
    n, count = len(known), len(frames)
    place = np.zeros((count, n, 4), dtype=np.int64)  # x, y, z, radius
    shade = np.full((len(keys), count, n), _HIDDEN, dtype=np.uint8)
    for i, frame in enumerate(frames):
        slots = by_value[np.searchsorted(known, frame.identity, sorter=by_value)]
        lattice = (_placed(stage, arm, frame) + limit) / (2 * limit) * (_STEPS - 1)
        place[i] = place[i - 1] if i else 0
        place[i, slots, :3] = np.rint(lattice)
        place[i, slots, 3] = np.rint(frame.radius * 10)
        for k, colours in enumerate(keys):
            shades = np.where(frame.phase == LIVING, colours.shades(frame), _HIDDEN - 1)
            shade[k, i, slots] = shades
    moved = np.diff(place, axis=0, prepend=0).astype(np.int16).view(np.uint16)
    moved = moved.transpose(2, 0, 1)  # like beside like packs better
    raw = (moved & 255).astype(np.uint8).tobytes() + (moved >> 8).astype(np.uint8).tobytes()
    shade[:, 1:] -= shade[:, :-1].copy()  # wraps round, as it does when it is added up again
    packed = zlib.compress(raw + shade.tobytes(), 9)
    ring = stage.home[arm].surface
    return {
        "name": arm,
        "cells": n,
        "times": [frame.time for frame in frames],
        "counts": [int(frame.radius.size) for frame in frames],
        "ring": float(ring) if np.isfinite(ring) else 0.0,
        "data": base64.b64encode(packed).decode(),
    }


def _placed(stage: Stage, arm: str, frame: Snapshot) -> Any:
    return frame.position - np.nan_to_num(stage.home[arm].centre)
