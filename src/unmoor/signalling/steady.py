"""Steady states of one cell: by integration, and along branches through their folds."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from unmoor.errors import SimulationError
from unmoor.signalling.batch import FAILURES, Batch
from unmoor.signalling.codegen import LANES
from unmoor.signalling.network import Network
from unmoor.signalling.solve import FloatArray


def time_course(
    network: Network,
    parameters: Mapping[str, float],
    times: npt.ArrayLike,
    inputs: Mapping[str, float] | None = None,
    start: Mapping[str, float] | None = None,
    rtol: float = 1e-8,
) -> dict[str, FloatArray]:
    """Course of one cell under constant inputs.

    Parameters
    ----------
    times
        Increasing times [h], shape (times,); the cell is in ``start`` at time 0.
    start
        Species at time 0; the network's own start for those left out.

    Returns
    -------
        Each species and each readout, shape (times,).

    Raises
    ------
    SimulationError
        If the equations cannot be solved to the tolerance.
    """
    batch = _cell(network, parameters, inputs, start, rtol)
    course = {name: values[0, 0] for name, values in batch.courses(times).items()}
    status = int(batch.failed()[0])
    if status:
        first = int(np.isnan(course[network.species[0]]).argmax())
        raise SimulationError(
            f"{network.name}: {FAILURES[status]} before {np.asarray(times).flat[first]:g} h"
        )
    return course


def steady_state(
    network: Network,
    parameters: Mapping[str, float],
    inputs: Mapping[str, float] | None = None,
    start: Mapping[str, float] | None = None,
    hours: float = 1e5,
) -> dict[str, float]:
    """Steady state that one cell reaches from ``start``: species and readouts by name."""
    course = time_course(network, parameters, [hours, 2 * hours], inputs, start)
    return {name: float(values[-1]) for name, values in course.items()}


def _cell(
    network: Network,
    parameters: Mapping[str, float],
    inputs: Mapping[str, float] | None,
    start: Mapping[str, float] | None,
    rtol: float,
) -> Batch:
    batch = Batch(network, parameters, rtol=rtol)
    for label, value in (inputs or {}).items():
        batch.set_input(label, value)
    for name, value in (start or {}).items():
        if name in network.species:
            batch.state[0, network.species.index(name), :] = value
    return batch


@dataclass(frozen=True)
class Branch:
    """Steady states along one parameter or input.

    Attributes
    ----------
    values
        Value of the varied parameter or input, shape (points,).
    states
        Species at each point, shape (points, species).
    folds
        Values at which the branch turns back, in the order met.
    """

    values: FloatArray
    states: FloatArray
    folds: tuple[float, ...]


class _Function:
    """Rates of one cell as a function of its scaled state and one scaled parameter or input."""

    def __init__(
        self,
        network: Network,
        parameters: Mapping[str, float],
        inputs: Mapping[str, float],
        vary: str,
        unit: float,
    ) -> None:
        at, code = network.compiled.layout, network.compiled.code
        call = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
        self._prepare, self._rates = call(code.prepare), call(code.rates)
        self._w = np.zeros((at.size, LANES))
        for i, name in enumerate(network.parameters):
            self._w[at.parameters + i] = parameters[name]
        for i, (label, value) in enumerate(network.inputs.items()):
            self._w[at.inputs + i] = inputs.get(label, value)
        labels = list(network.inputs)
        self._slot = (
            at.inputs + labels.index(vary)
            if vary in labels
            else at.parameters + network.parameters.index(vary)
        )
        self._at, self._n = at, len(network.species)
        self.scale, self.unit = network.state_scale(), unit

    def __call__(self, point: FloatArray) -> FloatArray:
        at, n = self._at, self._n
        self._w[self._slot] = point[n] * self.unit
        self._w[at.species : at.species + n] = (point[:n] * self.scale)[:, None]
        self._prepare(self._w.ctypes.data)
        self._rates(self._w.ctypes.data)
        rates: FloatArray = self._w[at.rates : at.rates + n, 0] / self.scale
        return rates

    def slopes(self, point: FloatArray) -> FloatArray:
        """Central differences, shape (species, species + 1)."""
        columns = []
        for i in range(point.size):
            move = np.zeros(point.size)
            move[i] = 1e-6 * max(abs(point[i]), 1e-2)
            columns.append((self(point + move) - self(point - move)) / (2 * move[i]))
        return np.array(columns).T


def follow(
    network: Network,
    parameters: Mapping[str, float],
    vary: str,
    stop: tuple[float, float],
    start: Mapping[str, float],
    inputs: Mapping[str, float] | None = None,
    step: float = 0.02,
) -> Branch:
    """Follow steady states along a parameter or input, round its folds (pseudo-arclength).

    Parameters
    ----------
    vary
        Name of the parameter or input to vary.
    stop
        Lowest and highest value; the branch ends where it leaves this range.
    start
        A steady state near ``stop[0]``; it is refined first.
    """
    given = dict(inputs or {})
    unit = max(abs(stop[0]), abs(stop[1]))
    function = _Function(network, parameters, given, vary, unit)
    point = np.array([*(start[name] for name in network.species), stop[0]])
    point = _correct(function, point / np.append(function.scale, unit), None)
    direction = _tangent(function, point, np.append(np.zeros(point.size - 1), 1.0))
    points, folds = [point], []
    for _ in range(20_000):
        new = _correct(function, point + step * direction, direction)
        turned = _tangent(function, new, direction)
        if turned[-1] * direction[-1] < 0:
            folds.append(_fold(function, point, direction, step) * unit)
        point, direction = new, turned
        points.append(point)
        if not stop[0] - 1e-9 <= point[-1] * unit <= stop[1]:
            break
    stacked = np.array(points)
    return Branch(stacked[:, -1] * unit, stacked[:, :-1] * function.scale, tuple(folds))


def jacobian(
    network: Network,
    parameters: Mapping[str, float],
    state: Mapping[str, float],
    inputs: Mapping[str, float] | None = None,
) -> FloatArray:
    """Slopes of the rates at a state by central differences, in units of the species' scales.

    Returns
    -------
        Change of each rate with each species, shape (species, species) [1/h].
    """
    vary = next(iter(network.inputs), None) or network.parameters[0]
    function = _Function(network, parameters, dict(inputs or {}), vary, 1.0)
    given = dict(network.inputs) | dict(parameters) | dict(inputs or {})
    point = np.array([state[name] for name in network.species]) / function.scale
    slopes: FloatArray = function.slopes(np.append(point, given[vary]))[:, :-1]
    return slopes


def steady_states_at(
    network: Network,
    parameters: Mapping[str, float],
    vary: str,
    value: float,
    branch: Branch,
    inputs: Mapping[str, float] | None = None,
) -> list[tuple[dict[str, float], bool]]:
    """All steady states where ``branch`` crosses a value, and whether each is stable."""
    unit = float(np.abs(branch.values).max())
    function = _Function(network, parameters, dict(inputs or {}), vary, unit)
    found = []
    crossing = np.diff(np.sign(branch.values - value)) != 0
    for i in np.flatnonzero(crossing):
        point = np.append(branch.states[i] / function.scale, value / unit)
        point = _correct(function, point, None)
        jacobian = function.slopes(point)[:, :-1]
        is_stable = bool(np.linalg.eigvals(jacobian).real.max() < 0)
        state = point[:-1] * function.scale
        found.append((dict(zip(network.species, map(float, state), strict=True)), is_stable))
    return found


def _correct(function: _Function, guess: FloatArray, direction: FloatArray | None) -> FloatArray:
    """Newton back to the branch, across ``direction`` (None: at the same parameter)."""
    row = np.zeros(guess.size) if direction is None else direction
    if direction is None:
        row[-1] = 1.0
    point = guess.copy()
    for _ in range(40):
        residual = np.append(function(point), row @ (point - guess))
        change = np.linalg.solve(np.vstack([function.slopes(point), row]), residual)
        point = point - change
        if float(np.abs(change).max()) < 1e-11:
            return point
    if float(np.abs(change).max()) < 1e-7:
        return point
    raise SimulationError("no steady state found near the guess; start closer or shorten the step")


def _tangent(function: _Function, point: FloatArray, along: FloatArray) -> FloatArray:
    slopes = function.slopes(point)
    system = np.vstack([slopes, along])
    tangent = np.linalg.solve(system, np.append(np.zeros(len(slopes)), 1.0))
    unit: FloatArray = tangent / np.linalg.norm(tangent)
    return unit


def _fold(function: _Function, point: FloatArray, direction: FloatArray, step: float) -> float:
    """Scaled parameter at the fold between ``point`` and one step on, by bisection."""
    low, high = 0.0, step
    here = point
    for _ in range(40):
        middle = 0.5 * (low + high)
        here = _correct(function, point + middle * direction, direction)
        ahead = _tangent(function, here, direction)
        if ahead[-1] * direction[-1] > 0:
            low = middle
        else:
            high = middle
    return float(here[-1])


def bistable_ranges(folds: tuple[float, ...]) -> list[tuple[float, float]]:
    """Pairs of consecutive folds, low to high: ranges with more than one stable state."""
    pairs = zip(folds[:-1:2], folds[1::2], strict=False)
    return [(min(a, b), max(a, b)) for a, b in pairs]


__all__ = [
    "Branch",
    "bistable_ranges",
    "follow",
    "jacobian",
    "steady_state",
    "steady_states_at",
    "time_course",
]
