"""Problems with a known best treatment, in the shape of tumour and spread over dose and time.

``planted`` has its optimum in closed form: spread is least at a chosen point among all points
that keep the tumour small, while it is lower still, and a second valley lies, where they do not.
``pharmacology`` is Hill curves of dose, a switch that one drug causes and another prevents until a
day has passed; its optimum is found on a fine mesh, without the code that is tested.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

from unmoor.random import Stream

Array = npt.NDArray[np.float64]
DRAWS = 21
QUANTILE = 0.8
LIMIT = 0.5
_MESH = 160


@dataclass(frozen=True)
class PlantedProblem:
    """Tumour and spread ratios of points in the unit cube, in each draw.

    Attributes
    ----------
    name
        Kind and number.
    n_axes
        Numbers that are open.
    ratios
        Tumour and spread, each (points, draws), of points (points, axes).
    best
        Least spread, in the quantile that is judged, with the tumour within its limit.
    is_logarithmic
        Whether an axis that is a dose is one of its logarithm, as dose responses are drawn.
    """

    name: str
    n_axes: int
    ratios: Callable[[Array], tuple[Array, Array]]
    best: float
    is_logarithmic: bool = False


def problems(number: int, seed: int = 11) -> list[PlantedProblem]:
    """As many problems, half of each kind."""
    return [(planted if n % 2 == 0 else pharmacology)(seed, n) for n in range(number)]


def _noise(stream: Stream, purpose: str, cv: float) -> Array:
    """Factors of the draws whose quantile that is judged is known."""
    return np.exp(cv * stream.normal(np.arange(DRAWS), purpose))


def planted(seed: int, number: int) -> PlantedProblem:
    """A valley on the edge of what is allowed, a decoy beyond it, a plateau far from both."""
    stream = Stream(seed, number)
    n_axes = 2 + number // 2 % 3
    at = 0.15 + 0.7 * stream.uniform(np.arange(n_axes), "at")
    normal = stream.normal(np.arange(n_axes), "normal")
    normal /= np.sqrt(np.sum(normal**2))
    shape = np.eye(n_axes) + 0.5 * stream.normal(np.arange(n_axes * n_axes), "shape").reshape(
        n_axes, n_axes
    )  # axes interact
    least, depth, decoy = (float(x) for x in stream.uniform(np.arange(3), "levels"))
    least, depth, decoy = 0.2 + 0.6 * least, 1.0 + 2.0 * depth, 0.3 + 0.5 * decoy
    tumour_noise, spread_noise = _noise(stream, "tumour", 0.05), _noise(stream, "spread", 0.3)
    level = np.quantile(tumour_noise, QUANTILE)

    def ratios(points: Array) -> tuple[Array, Array]:
        offset = points - at
        beyond = offset @ normal  # above 0 the tumour is too large
        squared = np.sum((4.0 * offset @ shape.T) ** 2, axis=1)
        rise = depth * squared / (1.0 + squared)  # a plateau far away
        forbidden = decoy * np.clip(8.0 * beyond, 0.0, 1.0)
        tumour = LIMIT / level * np.exp(1.2 * beyond)
        spread = least * np.exp(rise - (depth + 0.3) * forbidden)
        return tumour[:, None] * tumour_noise, spread[:, None] * spread_noise

    best = least * float(np.quantile(spread_noise, QUANTILE))
    return PlantedProblem(f"planted {number}", n_axes, ratios, best, is_logarithmic=True)


def pharmacology(seed: int, number: int) -> PlantedProblem:
    """A drug that shrinks and switches, one that prevents it unless late, one that only shrinks."""
    stream = Stream(seed, number)
    n_axes = 2 + number // 2 % 2
    half = 0.05 + 0.2 * stream.uniform(np.arange(3), "half")
    hill = 1.0 + 3.0 * stream.uniform(np.arange(3), "hill")
    sizes = stream.uniform(np.arange(6), "sizes")
    late = 0.3 + 0.5 * float(sizes[0])
    tumour_noise, spread_noise = _noise(stream, "tumour", 0.1), _noise(stream, "spread", 0.4)
    shift = np.exp(0.2 * stream.normal(np.arange(DRAWS), "shift"))

    def effect(dose: Array, which: int) -> Array:
        power = (dose[:, None] / (half[which] * shift)) ** hill[which]
        return power / (1.0 + power)

    def ratios(points: Array) -> tuple[Array, Array]:
        block = effect(points[:, 0], 0)
        prevent = effect(points[:, 1], 1)
        start = points[:, 2][:, None] if n_axes == 3 else np.zeros((len(points), 1))
        prevent = prevent / (1.0 + np.exp(np.clip(20.0 * (start - late), -50.0, 50.0)))
        tumour = (1.0 - (0.75 + 0.2 * sizes[1]) * block) * (1.0 + 0.3 * sizes[2] * prevent)
        switch = 1.0 + (2.0 + 6.0 * sizes[3]) * block**2 * (1.0 - prevent)
        harm = 1.0 + (0.5 + sizes[4]) * np.abs(points[:, 1][:, None] - 0.6) * prevent
        return tumour * tumour_noise, 0.5 * switch * harm * (1.0 - 0.3 * block) * spread_noise

    return PlantedProblem(f"pharmacology {number}", n_axes, ratios, _on_a_mesh(ratios, n_axes))


def judged(ratios: tuple[Array, Array]) -> tuple[Array, Array]:
    """The quantile over draws of each ratio, (points,)."""
    tumour, spread = (np.quantile(each, QUANTILE, axis=1) for each in ratios)
    return tumour, spread


def _on_a_mesh(ratios: Callable[[Array], tuple[Array, Array]], n_axes: int) -> float:
    """Least spread within the limit on a mesh, then on finer meshes about the best of it."""
    low, high = np.zeros(n_axes), np.ones(n_axes)
    best = np.inf
    size = _MESH if n_axes == 2 else 40
    for _ in range(4):
        axes = [np.linspace(a, b, size) for a, b in zip(low, high, strict=True)]
        points = np.array(list(product(*axes)))
        tumour, spread = judged(ratios(points))
        spread = np.where(tumour <= LIMIT, spread, np.inf)
        place = int(np.argmin(spread))
        best = min(best, float(spread[place]))
        width = 4.0 * (high - low) / size
        low = np.clip(points[place] - width, 0.0, 1.0)
        high = np.clip(points[place] + width, 0.0, 1.0)
    return best


def regret(best: float, found: float) -> float:
    """How much more spreads under what was found than under the best."""
    return found / best - 1.0


def points_of(values: Sequence[Sequence[float]]) -> Array:
    """Values as an array of points."""
    return np.array(values, dtype=float)
