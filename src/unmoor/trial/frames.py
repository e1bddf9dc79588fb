"""Frames of tissues as the arrays of a chunk, so that they are kept and resumed as all else is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from unmoor.tissue.snapshot import Snapshot

_PREFIX = "frames_"
_CELLWISE = Snapshot._fields[1:]


def pack_frames(snapshots: Mapping[str, Sequence[Snapshot]]) -> dict[str, Any]:
    """Arrays of all frames of all arms, one after the other; none if there are no frames.

    ``frames_arm`` and ``frames_time`` have the shape (frames,), ``frames_first`` (frames + 1,)
    says where the cells of a frame begin, and the others hold the cells.
    """
    frames = [(arm, frame) for arm, listed in snapshots.items() for frame in listed]
    if not frames:
        return {}
    counts = [frame.identity.shape[0] for _, frame in frames]
    arrays: dict[str, Any] = {
        "arm": np.array([arm for arm, _ in frames]),
        "time": np.array([frame.time for _, frame in frames]),
        "first": np.cumsum([0, *counts]),
    }
    for name in _CELLWISE:
        arrays[name] = np.concatenate([getattr(frame, name) for _, frame in frames])
    return {_PREFIX + name: values for name, values in arrays.items()}


def unpack_frames(arrays: Mapping[str, Any]) -> dict[str, list[Snapshot]]:
    """Frames by arm, as they were packed; empty if the chunk holds none."""
    found: dict[str, list[Snapshot]] = {}
    if f"{_PREFIX}arm" not in arrays:
        return found
    first = arrays[f"{_PREFIX}first"]
    for i, arm in enumerate(arrays[f"{_PREFIX}arm"].tolist()):
        cells = slice(int(first[i]), int(first[i + 1]))
        own = [arrays[_PREFIX + name][cells] for name in _CELLWISE]
        found.setdefault(arm, []).append(Snapshot(float(arrays[f"{_PREFIX}time"][i]), *own))
    return found
