"""Tissues that are killed and taken up again go on to the same bits."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from unmoor import catalog
from unmoor.errors import RunFolderError
from unmoor.random import Stream
from unmoor.tissue.lives import Behaviours
from unmoor.tissue.seeding import ball
from unmoor.tissue.tissue import Tissue
from unmoor.trial.checkpoint import advance, keep, take_up

VALUES = catalog.table("closures", "tissue").values_by_id()
KILLS = 20
MINUTES, EVERY = 720.0, 60.0


def spheroid(seed: int = 7, **values: float) -> Tissue:
    """Return a small ball of cells with all its fields."""
    stream = Stream(seed)
    behaviours = Behaviours.of(60, division=1.4, death=0.2, cohesion=0.5)
    return Tissue.seeded(
        VALUES | values,
        ball(60, 1.9 * VALUES["radius"], stream),
        stream=stream,
        behaviours=behaviours,
        collagen=2.5,
        extent=240.0,
        fields=("oxygen", "tgfb", "drug"),
    )


def digest(tissue: Tissue) -> str:
    """Return the digest of all that a tissue is."""
    whole = hashlib.sha256()
    for name, array in sorted(tissue.state().items()):
        whole.update(name.encode())
        whole.update(np.ascontiguousarray(array).tobytes())
    return whole.hexdigest()


def killed_after(seconds: float, path: Path) -> bool:
    """Run a tissue in a process of its own and kill it; whether it was killed before its end."""
    child = os.fork()
    if child == 0:
        try:
            advance(spheroid(), MINUTES, path=path, every=EVERY)
        finally:
            os._exit(0)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def test_a_killed_tissue_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    """Twenty times kill -9 at a random moment, then on from the last checkpoint."""
    whole = spheroid()
    whole.advance(MINUTES)
    expected = digest(whole)
    begin = time.perf_counter()
    advance(spheroid(), MINUTES, path=tmp_path / "whole", every=EVERY)
    length = time.perf_counter() - begin
    moments, kills, taken_up = random.Random(5), 0, 0
    for k in range(KILLS):
        path = tmp_path / f"run {k}"
        kills += killed_after(moments.uniform(0.0, length), path)
        tissue = spheroid()
        taken_up += take_up(path, tissue)
        assert tissue.time % EVERY == 0.0
        tissue.advance(MINUTES - tissue.time)
        assert digest(tissue) == expected
    assert kills > KILLS // 2
    assert taken_up > KILLS // 4


def test_a_checkpoint_that_lacks_anything_is_caught(tmp_path: Path) -> None:
    """What a checkpoint forgets would change the bits: the comparison above can fail."""
    tissue = spheroid()
    tissue.advance(120.0)
    kept = tissue.state()
    other = spheroid()
    other.restore({**kept, "motion": np.zeros_like(kept["motion"])})
    for each in (tissue, other):
        each.advance(120.0)
    assert digest(tissue) != digest(other)


def test_a_damaged_checkpoint_is_told(tmp_path: Path) -> None:
    """One byte changed anywhere is found before anything is used."""
    path, tissue = tmp_path / "checkpoint", spheroid()
    keep(path, tissue)
    data = path.read_bytes()
    for place in (0, 70, len(data) // 2, len(data) - 1):
        path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        with pytest.raises(RunFolderError, match="not what was written"):
            take_up(path, spheroid())
    path.write_bytes(data[:-100])
    with pytest.raises(RunFolderError, match="not what was written"):
        take_up(path, spheroid())


def test_a_checkpoint_of_another_tissue_is_refused(tmp_path: Path) -> None:
    """Another seed or other constants would make a mixture of two runs."""
    path = tmp_path / "checkpoint"
    keep(path, spheroid())
    with pytest.raises(RunFolderError, match="another seed"):
        take_up(path, spheroid(seed=8))
    slower = spheroid()
    slower.numerics = replace(slower.numerics, dt=0.6)
    with pytest.raises(RunFolderError, match="other steps"):
        take_up(path, slower)
    with pytest.raises(RunFolderError, match="another bond_E"):
        take_up(path, spheroid(bond_E=1.0))
