"""A batch of cells that share a network: state, parameters and inputs in blocks of eight."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from unmoor.errors import ParameterError
from unmoor.signalling.network import Network
from unmoor.signalling.solve import (
    LANES,
    Blocks,
    FloatArray,
    IntegerArray,
    Machine,
    advance,
    follow,
    read,
)

FAILURES = {1: "step size fell to zero or a number was not finite", 2: "too many steps"}


class Batch:
    """Cells of ``subjects`` × ``clones`` that advance together under piecewise constant inputs.

    The clones of a subject fill whole blocks of eight (the last is padded with copies of the
    first clone), so a subject's numbers do not depend on which others are in the batch.

    Parameters
    ----------
    network
        The network that every cell runs.
    parameters
        Value of each parameter of the network, shapes broadcast to (subjects, clones).
    shape
        (subjects, clones).
    rtol
        Relative tolerance; the absolute one is ``rtol`` × the typical size of each species.
    """

    def __init__(
        self,
        network: Network,
        parameters: Mapping[str, Any],
        shape: tuple[int, int] = (1, 1),
        rtol: float = 1e-6,
    ) -> None:
        missing = [name for name in network.parameters if name not in parameters]
        if missing:
            raise ParameterError(f"{network.name}: parameters {missing} have no value")
        self.network, self.shape = network, shape
        self.width = -(-shape[1] // LANES) * LANES
        self._tolerance = np.append(network.state_scale() * rtol, rtol)
        names = network.parameters
        self._parameters = self._blocks(np.empty((len(names), *shape)))
        for i, name in enumerate(names):
            self._parameters[:, i, :] = self._one(parameters[name])
        self._inputs = self._blocks(np.empty((len(network.inputs), *shape)))
        for label, value in network.inputs.items():
            self.set_input(label, value)
        start = network.state_start()
        self.state = np.repeat(
            np.repeat(start[None, :, None], self._inputs.shape[0], axis=0), LANES, axis=2
        )
        self._readouts = np.zeros((self._inputs.shape[0], len(network.readouts), LANES))
        self._step = np.full((self._inputs.shape[0], 1, LANES), 0.01)
        self.status = np.zeros(self._inputs.shape[0], dtype=np.int64)

    def set_input(self, label: str, value: Any) -> None:
        """Hold an input from now on; ``value`` broadcasts to (subjects, clones)."""
        labels = list(self.network.inputs)
        if label not in labels:
            raise ParameterError(f"{self.network.name} has no input {label!r}; it has {labels}")
        self._inputs[:, labels.index(label), :] = self._one(value)

    def set_parameter(self, name: str, value: Any) -> None:
        """Change a parameter; ``value`` broadcasts to (subjects, clones)."""
        self._parameters[:, self.network.parameters.index(name), :] = self._one(value)

    def advance(self, hours: float) -> None:
        """Advance all cells by ``hours``; cells that fail keep their state and get a status."""
        advance(self.blocks, float(hours), self.machine)

    def courses(self, times: npt.ArrayLike) -> dict[str, FloatArray]:
        """Advance all cells through ``times`` under constant inputs.

        Faster than ``advance`` from time to time, since no cell waits for another.

        Parameters
        ----------
        times
            Increasing times from now [h], shape (times,).

        Returns
        -------
            Each readout and each species, shape (subjects, clones, times); NaN from the first time
            that a cell does not reach, whose subject then has a status.

        Raises
        ------
        ParameterError
            If there are no times, or they do not increase from 0 on.
        """
        at = np.array(times, dtype=np.float64).reshape(-1)
        if not (at.size and np.isfinite(at).all() and at[0] >= 0 and (np.diff(at) > 0).all()):
            raise ParameterError(f"times must increase from 0 on; got {at.tolist()}")
        network, cells = self.network, self.shape[0] * self.shape[1]
        states = np.empty((cells, at.size, len(network.species)))
        values = np.empty((cells, at.size, len(network.readouts)))
        follow(self.blocks, self.shape[1], at, self.machine, states)
        read(self.blocks, self.shape[1], states, self.machine, values)
        return {
            name: numbers[:, :, i].reshape(*self.shape, at.size)
            for names, numbers in ((network.readouts, values), (network.species, states))
            for i, name in enumerate(names)
        }

    @property
    def blocks(self) -> Blocks:
        """The arrays themselves, for compiled code that advances the batch."""
        return Blocks(
            self.state, self._parameters, self._inputs, self._step, self.status, self._readouts
        )

    @property
    def machine(self) -> Machine:
        """Code of the network, with this batch's tolerances."""
        compiled = self.network.compiled
        return Machine(compiled.code, compiled.places, self._tolerance, self.network.lowest)

    def readouts(self) -> dict[str, FloatArray]:
        """Readouts at the end of the last interval, each of shape (subjects, clones)."""
        return {
            name: self._cells(self._readouts[:, i, :])
            for i, name in enumerate(self.network.readouts)
        }

    def species(self) -> dict[str, FloatArray]:
        """Species now, each of shape (subjects, clones)."""
        return {
            name: self._cells(self.state[:, i, :]) for i, name in enumerate(self.network.species)
        }

    def failed(self) -> IntegerArray:
        """Status of each subject (0 = solved; see ``FAILURES``), shape (subjects,)."""
        worst: IntegerArray = self.status.reshape(self.shape[0], -1).max(axis=1)
        return worst

    def _one(self, value: Any) -> FloatArray:
        full = np.broadcast_to(np.asarray(value, dtype=np.float64), self.shape)
        padding = np.repeat(full[:, :1], self.width - self.shape[1], axis=1)
        return np.concatenate([full, padding], axis=1).reshape(-1, LANES)

    def _blocks(self, numbers: FloatArray) -> FloatArray:
        return np.zeros((self.shape[0] * self.width // LANES, numbers.shape[0], LANES))

    def _cells(self, numbers: FloatArray) -> FloatArray:
        cells = numbers.reshape(self.shape[0], self.width)[:, : self.shape[1]]
        return cells.copy()
