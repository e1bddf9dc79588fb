"""Tissues for the Simularium viewer: a ``.simularium`` file (JSON, trajectory version 3).

Written from the published description of the format; the library of its makers may not be used
commercially and is not used. The viewer colours by type, so a type is a band of E-cadherin, or
dying and dead cells. Cells keep their number from frame to frame; the tissue lies around the
origin.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from unmoor.tissue.snapshot import Snapshot
from unmoor.trial.atomic import write_file

_BANDS = ("#CC5A0A", "#E9A066", "#F3E3CB", "#8CBEDF", "#2A7DB6")
_DEAD = "#A9A39B"
_SPHERE = 1000.0  # kind of object: drawn as it is, not as a fibre
_VIEW = 75  # angle of the camera [°]


def export_simularium(path: Path, frames: Sequence[Snapshot], title: str) -> None:
    """Write one tissue.

    Parameters
    ----------
    path
        The file, with the ending ``.simularium``.
    frames
        Frames in rising order of time.
    title
        What the viewer calls it.

    Raises
    ------
    ResourceError, RunFolderError
        If the disk is full, or the file cannot be written.
    """
    frames = list(frames)
    content = {
        "trajectoryInfo": _info(frames, title),
        "spatialData": {
            "version": 1,
            "msgType": 1,
            "bundleStart": 0,
            "bundleSize": len(frames),
            "bundleData": _bundle(frames),
        },
        "plotData": {"version": 1, "data": [_plot(frames)]},
    }
    write_file(path, json.dumps(content, separators=(",", ":")).encode())


def _info(frames: Sequence[Snapshot], title: str) -> dict[str, Any]:
    middle = _middle(frames)
    reach = max(
        (float((np.abs(f.position - middle).max(axis=1) + f.radius).max()) for f in frames
         if f.radius.size), default=1.0
    )  # fmt: skip
    side = round(2 * reach, 3)
    edges = np.linspace(0, 1, len(_BANDS) + 1)
    names = [f"cell#E-cadherin {low:.1f}-{high:.1f}" for low, high in pairwise(edges)]
    types = [*zip(names, _BANDS, strict=True), ("cell#dying or dead", _DEAD)]
    step = frames[1].time - frames[0].time if len(frames) > 1 else 1.0
    away = reach / np.tan(np.radians(_VIEW / 2)) * 1.6
    return {
        "version": 3,
        "trajectoryTitle": title,
        "modelInfo": {"title": title, "description": "A tissue of cells simulated with unmoor."},
        "timeUnits": {"magnitude": 1.0, "name": "min"},
        "timeStepSize": step,
        "totalSteps": len(frames),
        "spatialUnits": {"magnitude": 1.0, "name": "um"},
        "size": {"x": side, "y": side, "z": side},
        "cameraDefault": {
            "position": {"x": 0, "y": 0, "z": round(float(away), 3)},
            "lookAtPosition": {"x": 0, "y": 0, "z": 0},
            "upVector": {"x": 0, "y": 1, "z": 0},
            "fovDegrees": _VIEW,
        },
        "typeMapping": {
            str(i): {"name": name, "geometry": {"displayType": "SPHERE", "color": colour}}
            for i, (name, colour) in enumerate(types)
        },
    }


def _bundle(frames: Sequence[Snapshot]) -> list[dict[str, Any]]:
    middle = _middle(frames)
    identities = np.concatenate([np.empty(0, np.uint64), *(frame.identity for frame in frames)])
    known = np.unique(identities)
    found = []
    for number, frame in enumerate(frames):
        rows = np.zeros((frame.identity.shape[0], 11))
        rows[:, 0] = _SPHERE
        rows[:, 1] = np.searchsorted(known, frame.identity)
        band = np.minimum(np.maximum(frame.e_cadherin, 0) * len(_BANDS), len(_BANDS) - 1)
        rows[:, 2] = np.where(frame.is_living, np.floor(band), len(_BANDS))
        rows[:, 3:6] = np.round(frame.position - middle, 3)
        rows[:, 9] = np.round(frame.radius.astype(float), 3)
        found.append({"frameNumber": number, "time": frame.time, "data": rows.ravel().tolist()})
    return found


def _plot(frames: Sequence[Snapshot]) -> dict[str, Any]:
    trace = {
        "name": "living cells",
        "type": "scatter",
        "mode": "lines",
        "x": [frame.time for frame in frames],
        "y": [int(frame.is_living.sum()) for frame in frames],
    }
    axes = {"xaxis": {"title": "time (min)"}, "yaxis": {"title": "living cells"}}
    return {"layout": {"title": "Living cells", **axes}, "data": [trace]}


def _middle(frames: Sequence[Snapshot]) -> Any:
    if frames and frames[0].radius.size:
        return frames[0].position.mean(axis=0)
    return np.zeros(3)
