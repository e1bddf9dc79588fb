"""Every assay that ships with the package passes the test that is offered to outsiders."""

from __future__ import annotations

from typing import Any

import pytest

from unmoor.assays.settings import ASSAYS
from unmoor.testing import StandardAssayTest

_ANIMALS: dict[str, Any] = {"host": "balbc", "clones": 4, "duration": "6 d"}
SHORT: dict[str, dict[str, Any]] = {
    "orthotopic_xenograft": {**_ANIMALS, "inoculum": "1e6 cells", "animals": 2},
    "tail_vein": {**_ANIMALS, "inoculum": "1e5 cells"},
    "intracardiac": {**_ANIMALS, "inoculum": "1e5 cells"},
    "signalling_time_course": {"clones": 4, "duration": "3 d"},
    "viability": {"clones": 4, "duration": "3 d"},
    "colony_formation": {"clones": 4, "duration": "6 d"},
    "spheroid_invasion": {"clones": 3, "duration": "2 h", "cells": 12},
    "monolayer": {"clones": 3, "duration": "2 h", "cells": 12},
    "cell_sorting": {"clones": 3, "duration": "2 h", "cells": 12},
}


def test_every_kind_of_assay_is_here() -> None:
    """A new one is tested too."""
    assert set(SHORT) == set(ASSAYS)


@pytest.mark.parametrize("claim", [n for n in dir(StandardAssayTest) if n.startswith("test_")])
@pytest.mark.parametrize("name", SHORT)
def test_an_assay_keeps_to_its_contract(name: str, claim: str) -> None:
    """Seeds, order, no dose, shape, settings."""
    assay = ASSAYS[name](**SHORT[name])
    own = type("OwnTest", (StandardAssayTest,), {"assay": assay})()
    getattr(own, claim)()
