"""The stepper on the stiff problems that solvers are measured with (Hairer & Wanner 1996).

Written in the package's own language of equations and compared with scipy's Radau at 1e-12.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from unmoor.signalling.network import Network
from unmoor.signalling.steady import time_course

FloatArray = np.ndarray


@dataclass(frozen=True)
class Problem:
    """Equations as text and as a function, the start, typical sizes and times to compare at."""

    equations: str
    rates: Callable[[float, FloatArray], list[float]]
    start: dict[str, float]
    sizes: tuple[float, ...]
    times: tuple[float, ...]


def robertson(_: float, x: FloatArray) -> list[float]:
    """Autocatalysis with rates from .04 to 3e7."""
    a, b, c = x
    made, used = 0.04 * a, 3e7 * b * b
    return [-made + 1e4 * b * c, made - 1e4 * b * c - used, used]


def van_der_pol(_: float, x: FloatArray) -> list[float]:
    """Relaxation oscillator, mu = 1000, in its slow time."""
    return [x[1], ((1.0 - x[0] ** 2) * x[1] - x[0]) * 1e6]


def hires(_: float, x: FloatArray) -> list[float]:
    """High irradiance response of plants (Schäfer 1975)."""
    a, b, c, d, e, f, g, h = x
    return [
        -1.71 * a + 0.43 * b + 8.32 * c + 0.0007,
        1.71 * a - 8.75 * b,
        -10.03 * c + 0.43 * d + 0.035 * e,
        8.32 * b + 1.71 * c - 1.12 * d,
        -1.745 * e + 0.43 * f + 0.43 * g,
        -280.0 * f * h + 0.69 * d + 1.71 * e - 0.43 * f + 0.69 * g,
        280.0 * f * h - 1.81 * g,
        -280.0 * f * h + 1.81 * g,
    ]


PROBLEMS = {
    "robertson": Problem(
        """
        dA/dt = -0.04*A + 1e4*B*C
        dB/dt = 0.04*A - 1e4*B*C - 3e7*B^2
        dC/dt = 3e7*B^2
        """,
        robertson,
        {"A": 1.0, "B": 0.0, "C": 0.0},
        (1.0, 1e-5, 1.0),
        (0.4, 40.0, 4e3, 4e5, 4e7),
    ),
    "van der pol": Problem(
        """
        dA/dt = B
        dB/dt = ((1 - A^2)*B - A)*1e6
        """,
        van_der_pol,
        {"A": 2.0, "B": 0.0},
        (1.0, 1.0),
        (0.1, 0.5, 1.0, 2.0),
    ),
    "hires": Problem(
        """
        dA/dt = -1.71*A + 0.43*B + 8.32*C + 0.0007
        dB/dt = 1.71*A - 8.75*B
        dC/dt = -10.03*C + 0.43*D + 0.035*G
        dD/dt = 8.32*B + 1.71*C - 1.12*D
        dG/dt = -1.745*G + 0.43*F + 0.43*K
        dF/dt = -280*F*H + 0.69*D + 1.71*G - 0.43*F + 0.69*K
        dK/dt = 280*F*H - 1.81*K
        dH/dt = -280*F*H + 1.81*K
        """,
        hires,
        {"A": 1.0, "B": 0.0, "C": 0.0, "D": 0.0, "G": 0.0, "F": 0.0, "K": 0.0, "H": 0.0057},
        (1e-3, 1e-4, 1e-4, 1e-3, 1e-3, 1e-3, 1e-3, 1e-3),
        (5.0, 100.0, 321.8122, 421.8122),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize("rtol", [1e-6, 1e-9])
def test_stiff_problems_are_solved_to_ten_times_the_tolerance(name: str, rtol: float) -> None:
    """At every time, relative to each species and its typical size, as the tolerance is meant."""
    problem = PROBLEMS[name]
    sizes = dict(zip(problem.start, problem.sizes, strict=True))
    readouts = {"first": "A"}
    network = Network(name, problem.equations, {}, readouts, sizes, problem.start)
    course = time_course(network, {}, problem.times, rtol=rtol)
    exact = solve_ivp(
        problem.rates,
        (0.0, problem.times[-1]),
        list(problem.start.values()),
        method="Radau",
        t_eval=problem.times,
        rtol=1e-12,
        atol=1e-16 * np.array(problem.sizes),
    )
    assert exact.success, exact.message
    found = np.array([course[name] for name in problem.start])
    allowed = 10.0 * rtol * (np.abs(exact.y) + np.array(problem.sizes)[:, None])
    assert float(np.max(np.abs(found - exact.y) / allowed)) < 1.0
