"""Made-up tissues for tests of files and pictures. No random numbers: golden ratios."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from unmoor.assays.settings import OrthotopicXenograft
from unmoor.tissue.snapshot import LIVING, NECROTIC, Snapshot
from unmoor.trial.snapshots import Track

RADIUS = 8.0
GOLDEN = (0.618033988749895, 0.754877666246693, 0.569840290998053)


def spread(n: int, which: int = 0) -> Any:
    """Numbers between 0 and 1, evenly and without order, shape (n,)."""
    return (np.arange(1, n + 1) * GOLDEN[which] + 0.5) % 1.0


def tissue(n: int, time: float = 0.0, *, escaped: int = 0, is_flat: bool = False) -> Snapshot:
    """Return a ball (or a disc) of cells, mesenchymal at its rim, with some cells far outside."""
    share = (np.arange(n) + 0.5) / max(n, 1)
    reach = RADIUS * 1.1 * n ** (1 / 2 if is_flat else 1 / 3)
    distance = reach * share ** (1 / 2 if is_flat else 1 / 3)
    if escaped:
        distance[-escaped:] *= 1.5
    turn = 2 * np.pi * spread(n)
    up = np.zeros(n) if is_flat else 2 * spread(n, 1) - 1
    level = np.sqrt(1 - up**2)
    away = np.column_stack([np.cos(turn) * level, np.sin(turn) * level, up])
    rim = (share**2).astype(np.float32)
    single = np.float32
    return Snapshot(
        time,
        (np.arange(1, n + 1, dtype=np.uint64) << np.uint64(40)) + np.uint64(1),
        np.zeros(n, np.uint64),
        (np.arange(n) % 5).astype(np.int32),
        np.where(share < 0.1, NECROTIC, LIVING).astype(np.int8),
        distance[:, None] * away,
        (0.1 * away).astype(single),
        (RADIUS * (0.9 + 0.2 * spread(n, 2))).astype(single),
        1 - rim,
        rim,
        1 + 4 * rim,
        1 - rim / 2,
        0.5 * rim,
        38 * rim,
        np.full(n, 1.7, single),
    )


def tracks(n: int = 60, frames: int = 3) -> Mapping[Track, list[Snapshot]]:
    """Return two arms of a spheroid whose cells increase and leave."""
    return {
        Track("spheroid_invasion", "4T1", arm): [
            tissue(n + 5 * i, 360.0 * i, escaped=i * leaving) for i in range(frames)
        ]
        for arm, leaving in (("vehicle", 1), ("anti-β1 / low dose", 4))
    }


def give_frames(patch: pytest.MonkeyPatch, frames: Sequence[Snapshot]) -> None:
    """Let the orthotopic assay have frames, as an assay of tissues has."""
    run = OrthotopicXenograft.run

    def with_frames(assay: Any, bench: Any, draws: Any) -> Any:
        outcome = run(assay, bench, draws)
        if bench.is_reference:
            given = {arm: list(frames) for arm in bench.arms}
            object.__setattr__(outcome, "snapshots", given)
        return outcome

    patch.setattr(OrthotopicXenograft, "run", with_frames)
