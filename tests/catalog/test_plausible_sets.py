"""The stored result of the calibration belongs to the present model and catalog."""

from __future__ import annotations

import numpy as np
import pytest

from unmoor.analysis.calibrate import SEED, STRUCTURES, plausible_among
from unmoor.catalog.plausible import plausible_sets
from unmoor.cell.line import Structure

CHECKED = 16  # of each structure; the central one is among them


@pytest.mark.parametrize("structure", STRUCTURES, ids=lambda structure: structure.name)
def test_stored_sets_meet_the_rows_they_were_kept_for(structure: Structure) -> None:
    """A change of the model or of a number that asks for a new calibration is noticed."""
    stored = plausible_sets(structure.name)
    assert stored.seed == SEED
    numbers = np.array([stored.central, *stored.others[: CHECKED - 1]])
    assert plausible_among(structure, numbers).tolist() == numbers.tolist()


def test_sets_that_were_not_kept_are_dropped() -> None:
    """The check can fail: of neighbours that are not stored none passes."""
    structure = STRUCTURES[0]
    stored = plausible_sets(structure.name)
    known = {stored.central, *stored.others}
    others = np.array([n for n in range(1, 60) if n not in known])
    assert plausible_among(structure, others).size == 0
