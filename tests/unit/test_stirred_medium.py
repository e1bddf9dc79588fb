"""Stirred medium is even up to the cells, and rules of one's own are part of a tissue."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from unmoor import catalog
from unmoor.random import Stream
from unmoor.tissue.bodies import FloatArray
from unmoor.tissue.lives import Behaviours
from unmoor.tissue.seeding import ball
from unmoor.tissue.snapshot import LIVING
from unmoor.tissue.tissue import Tissue

VALUES = catalog.table("closures", "tissue").values_by_id() | {"alignment": 0.0}
SPACING = 1.9 * VALUES["radius"]


def tissue(where: FloatArray, **given: Any) -> Tissue:
    """Return cells that divide once a day and do not move by themselves."""
    stream = Stream(given.pop("seed", 5))
    does = Behaviours.of(len(where), division=1.0, speed=0.0)
    given = {"extent": 600.0, "fields": ("oxygen",), "is_stirred": True} | given
    return Tissue.seeded(VALUES, where, stream=stream, behaviours=does, **given)


def shed(cells: Tissue) -> None:
    """Take away half of the new cells at the surface."""
    lives, bare = cells.lives, cells.surroundings.at_cells.bare
    fresh = np.flatnonzero((lives.phase == LIVING) & (lives.progress == 0.0) & (bare > 0.0))
    luck = cells.stream.uniform(cells.bodies.identity[fresh], "shedding", cells.exchanges)
    lives.phase[fresh[luck < 0.5]] = 0


def test_stirring_brings_the_oxygen_of_the_edge_to_the_surface() -> None:
    """Still medium is used up around the tissue; the inside is short of oxygen either way."""
    where = ball(1500, SPACING, Stream(5))
    stirred, still = tissue(where), tissue(where, is_stirred=False)
    for each in (stirred, still):
        each.advance(6.0)
    now, then = (each.surroundings.at_cells.oxygen[:1500] for each in (stirred, still))
    bare = stirred.surroundings.at_cells.bare[:1500]
    distance = np.linalg.norm(where, axis=1)
    assert np.all(now > then)
    assert now[bare > 0].min() > then.max()
    assert now[distance < 40.0].max() < now[bare > 0].min()
    assert np.all(bare[distance < distance.max() - 60.0] == 0.0)
    assert np.all(bare[distance > distance.max() - 1.0] > 0.0)
    assert np.all(still.surroundings.at_cells.bare == 0.0)


def test_a_hole_inside_is_not_medium() -> None:
    """A closed hollow has the oxygen that gets in through its wall."""
    where = ball(3000, SPACING, Stream(5))
    hollow = where[np.linalg.norm(where, axis=1) > 45.0]
    cells = tissue(hollow)
    cells.advance(6.0)
    field = cells.surroundings.fields["oxygen"]
    middle = tuple(n // 2 for n in field.shape)
    assert field[middle] < 0.9 * VALUES["oxygen_boundary"]
    assert field[0, 0, 0] == VALUES["oxygen_boundary"]
    inner = np.linalg.norm(hollow, axis=1) < 55.0
    assert np.all(cells.surroundings.at_cells.bare[: len(hollow)][inner] == 0.0)


@pytest.mark.parametrize("extent", [1.0, 30.0])
def test_a_domain_smaller_than_the_tissue_gives_a_defined_result(extent: float) -> None:
    """Cells outside see the nearest voxel; all are finite and grow."""
    cells = tissue(ball(40, SPACING, Stream(5)), extent=extent, collagen=0.0)
    cells.advance(600.0)
    at = cells.surroundings.at_cells
    slots = cells.slots
    assert cells.living > 40
    assert np.isfinite(cells.bodies.position[slots]).all()
    assert np.all((at.oxygen[slots] > 0.0) & (at.oxygen[slots] <= VALUES["oxygen_boundary"]))


def test_an_added_rule_is_called_at_each_exchange_of_a_tissue_and_its_branches() -> None:
    """Before cells move and after they have divided."""
    seen: list[tuple[int, int]] = []

    def note(cells: Tissue) -> None:
        """Remember when it was called."""
        seen.append((cells.exchanges, cells.living))

    cells = tissue(ball(20, SPACING, Stream(5)), added=(note,))
    cells.advance(60.0)
    assert [at for at, _ in seen] == list(range(10))
    cells.branch().advance(6.0)
    assert seen[-1][0] == 10


def test_a_rule_with_luck_resumes_to_the_same_bits() -> None:
    """Its numbers are those of the tissue; and it does something."""
    where = ball(200, SPACING, Stream(5))
    whole, part = tissue(where, added=(shed,)), tissue(where, added=(shed,))
    whole.advance(960.0)
    part.advance(480.0)
    other = tissue(where, added=(shed,))
    other.restore(part.state())
    other.advance(480.0)
    one, two = whole.state(), other.state()
    assert all(one[name].tobytes() == two[name].tobytes() for name in one)
    control = tissue(where)
    control.advance(960.0)
    assert whole.living < 0.9 * control.living
