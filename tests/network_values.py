"""Values of a network's parameters for tests: the catalog's numbers, everything around neutral."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from unmoor import catalog
from unmoor.signalling.network import Network
from unmoor.signalling.steady import time_course

DAY = 24.0
NEUTRAL = {
    "k_int": 0.0,
    "beta1_tot": 1.0,
    "f": 1.0,
    "tone": 0.0,
    "malignant": 1.0,
    "e_present": 1.0,
}


def core_values(emt_core: str, **changes: float) -> dict[str, float]:
    """Parameters of a core as in the catalog: competent receptor, no tone, no adhesion edge."""
    tables = (("closures", "adhesion"), ("closures", "cell"), ("networks", emt_core))
    values: dict[str, float] = {}
    for kind, name in tables:
        values |= catalog.table(kind, name).values_by_id()
    return values | NEUTRAL | changes


def state_after(
    network: Network,
    values: Mapping[str, float],
    days: float,
    start: Mapping[str, float],
    **inputs: float,
) -> dict[str, float]:
    """Species and readouts of one cell after some days under constant inputs."""
    course = time_course(network, values, [days * DAY], inputs, start)
    return {name: float(values[-1]) for name, values in course.items()}


def threshold_is_in(holds: Callable[[float], bool], low: float, high: float) -> bool:
    """Whether a property that holds at ``low`` is lost by ``high``."""
    return holds(low) and not holds(high)
