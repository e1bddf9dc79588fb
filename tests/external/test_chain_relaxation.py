"""A compressed chain relaxes as the OpenVT comparison of cell-based models says.

Eleven cells of rest length 1 at half that distance, friction 1; told is the distance between the
outermost centres at time 1. The published values are for the forward Euler method with a step
of 5e-4 and in the limit of small steps. Only the quadratic law is the engine's own and runs through
its kernels; the other two exist in the slow twin here alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from unmoor.tissue.bodies import Bodies, FloatArray
from unmoor.tissue.moving import move

CELLS = 11
STEP = 5e-4
STIFFNESS = {"linear": 18.2816648, "quadratic": 88.54, "logarithmic": 15.6556}
EULER = {"linear": 9.00055, "quadratic": 8.99951, "logarithmic": 8.99939}
LIMIT = {"linear": 9.00000, "quadratic": 8.99890, "logarithmic": 8.99878}
LAWS: dict[str, Callable[[FloatArray], FloatArray]] = {
    "linear": lambda d: np.maximum(1.0 - d, 0.0),
    "quadratic": lambda d: np.maximum(1.0 - d, 0.0) ** 2,
    "logarithmic": lambda d: -np.log(np.minimum(d, 1.0)),
}


def velocity(law: str, x: FloatArray) -> FloatArray:
    """Velocity of each cell from its two neighbours; cells further off never touch it."""
    push = STIFFNESS[law] * LAWS[law](np.diff(x))
    return np.concatenate([[0.0], push]) - np.concatenate([push, [0.0]])


def width(law: str, dt: float, *, order: int = 1) -> float:
    """Width at time 1 by Euler's (order 1) or Heun's method."""
    x = 0.5 * np.arange(CELLS)
    for _ in range(round(1.0 / dt)):
        v = velocity(law, x)
        x = x + dt * (v if order == 1 else 0.5 * (v + velocity(law, x + dt * v)))
    return float(x[-1] - x[0])


def chain() -> Bodies:
    """The chain as bodies that neither adhere nor drive."""
    bodies = Bodies.empty(CELLS)
    bodies.position[:, 0] = 0.5 * np.arange(CELLS)
    bodies.identity[:] = np.arange(1, CELLS + 1)
    bodies.radius[:] = bodies.reach[:] = 0.5
    bodies.repulsion[:] = math.sqrt(STIFFNESS["quadratic"])
    bodies.mobility[:] = 1.0
    bodies.persistence[:] = 1.0
    return bodies


def advance(bodies: Bodies, first: int, steps: int, dt: float, how: str) -> None:
    """Move all cells of a chain with the kernels of the engine."""
    slots = np.arange(CELLS, dtype=np.int32)
    move(bodies, slots, first=first, steps=steps, dt=dt, key=np.uint64(1), how=how)


@pytest.mark.parametrize("law", LAWS)
def test_twin_gives_the_published_widths(law: str) -> None:
    """All three laws, by Euler's method with the published step and in the limit of small steps."""
    assert width(law, STEP) == pytest.approx(EULER[law], abs=5e-5)
    assert width(law, STEP, order=2) == pytest.approx(LIMIT[law], abs=1e-4)


@pytest.mark.parametrize("how", ["vector", "plain", "double"])
def test_engine_gives_the_published_limit(how: str) -> None:
    """The quadratic law through the engine: of order 2, so it is at the limit of small steps."""
    bodies = chain()
    bodies.velocity[:, 0] = velocity("quadratic", bodies.position[:, 0])
    advance(bodies, 0, round(1.0 / STEP), STEP, how)
    found = bodies.position[-1, 0] - bodies.position[0, 0]
    assert found == pytest.approx(LIMIT["quadratic"], abs=2e-4)
    assert np.all(bodies.position[:, 1:] == 0.0)


def test_engine_gives_the_published_width_of_euler() -> None:
    """A step of two thirds with no memory of the step before is one of Euler's.

    x + ⅔Δt(3v − 0)/2 = x + Δt·v. Told from the limit by .0006, of which a tenth is allowed.
    """
    bodies = chain()
    for step in range(round(1.0 / STEP)):
        bodies.velocity[:] = 0.0
        advance(bodies, step, 1, 2.0 * STEP / 3.0, "double")
    found = bodies.position[-1, 0] - bodies.position[0, 0]
    assert found == pytest.approx(EULER["quadratic"], abs=6e-5)
