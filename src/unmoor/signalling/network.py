"""A signalling network: species, labelled inputs, readouts and equations, compiled on demand."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np

from unmoor.errors import ParameterError
from unmoor.signalling.codegen import Layout
from unmoor.signalling.equations import read_equations
from unmoor.signalling.machine_code import cached, load
from unmoor.signalling.solve import Code, Places
from unmoor.signalling.symbolic import System


@dataclass(frozen=True)
class Compiled:
    """Machine code of a network: addresses of its functions on a block of eight cells."""

    code: Code
    layout: Layout

    @property
    def places(self) -> Places:
        """First slots that the stepper touches."""
        return Places(*[getattr(self.layout, name) for name in Places._fields])


def _name_held(symbol: str) -> str:
    return f"{symbol}_untreated"


def _held(line: str, edge: Edge) -> str:
    """An equation, with the edge's symbol replaced on its right if it is the edge's target."""
    body = line.split("#", 1)[0]
    left, equals, right = body.partition("=")
    if not equals or left.strip() not in (edge.target, f"d{edge.target}/dt"):
        return line
    symbol = re.compile(rf"\b{re.escape(edge.symbol)}\b")
    return f"{left}={symbol.sub(_name_held(edge.symbol), right)}"


class Edge(NamedTuple):
    """How one thing acts on another: ``symbol`` on the right of the equation of ``target``.

    ``target`` is the left side of an equation, without derivative: ``E`` for ``dE/dt = …``.
    """

    symbol: str
    target: str


@dataclass(frozen=True, eq=False)
class Network:
    """A signalling network as text, with what the outside world may touch.

    Attributes
    ----------
    name
        Name in messages.
    equations
        One equation a line (see ``read_equations``); time in hours.
    inputs
        Labelled inputs and their value in an untreated cell; one that an option does not use is
        accepted, so that every option takes the same treatments.
    readouts
        Name of each readout and its expression in species, parameters and inputs.
    scale
        Typical size of each species, shape (species,), in its own unit; sets the absolute error.
    start
        State from which the epithelial steady state is found, shape (species,).
    lowest
        The least a species can be: 0 for amounts, of which a step may leave a little less.
    edges
        Edges that may be cut, by label.
    """

    name: str
    equations: str
    inputs: Mapping[str, float]
    readouts: Mapping[str, str]
    scale: Mapping[str, float]
    start: Mapping[str, float]
    lowest: float = -math.inf
    edges: Mapping[str, Edge] = field(default_factory=dict)

    def without(self, cut: Sequence[str]) -> Network:
        """The network in which the edges ``cut`` see their untreated value, a new parameter.

        Raises
        ------
        ParameterError
            If it has no such edge.
        """
        lines = self.equations.splitlines()
        for label in cut:
            if label not in self.edges:
                known = ", ".join(self.edges) or "none"
                raise ParameterError(f"{self.name} has no edge {label!r}; it has {known}")
            edge = self.edges[label]
            lines = [_held(line, edge) for line in lines]
        return replace(self, equations="\n".join(lines)) if cut else self

    def untreated(
        self,
        cut: Sequence[str],
        species: Mapping[str, np.ndarray],
        parameters: Sequence[Mapping[str, float]],
    ) -> dict[str, list[float]]:
        """What cut edges see in untreated cells: a value a cell for each new parameter.

        Parameters
        ----------
        species
            Untreated state of one cell each, shape (cells, 1).
        parameters
            Parameters of each cell.
        """
        values: dict[str, list[float]] = {}
        for symbol in dict.fromkeys(self.edges[label].symbol for label in cut):
            see = self._seen(symbol)
            rows = [
                {name: float(state[i, 0]) for name, state in species.items()} | dict(own)
                for i, own in enumerate(parameters)
            ]
            values[_name_held(symbol)] = [see({**self.inputs, **row}) for row in rows]
        return values

    def _seen(self, symbol: str) -> Callable[[Mapping[str, float]], float]:
        """Value of a symbol of the equations, from species, parameters and inputs by name."""
        if symbol in self.inputs or symbol in self.start:
            return lambda known: float(known[symbol])
        import sympy

        expression = read_equations(self.equations, self.name).assignments[symbol]
        names = sorted(map(str, expression.free_symbols))
        function = sympy.lambdify(names, expression, modules="math")
        return lambda known: float(function(*[known[name] for name in names]))

    @cached_property
    def system(self) -> System:
        """Symbolic equations with species, parameters and inputs in a fixed order."""
        text = "\n".join([self.equations, *[f"_{n} = {e}" for n, e in self.readouts.items()]])
        equations = read_equations(text, self.name)
        free = equations.free_names()
        readouts = tuple(equations.assignments[f"_{name}"] for name in self.readouts)
        return System(
            species=equations.species,
            parameters=tuple(sorted(free - set(self.inputs))),
            inputs=tuple(self.inputs),
            rates=equations.rates,
            readouts=readouts,
        )

    @property
    def species(self) -> tuple[str, ...]:
        """Names of the species in the order of the state vector."""
        return self.compiled.layout.species_names

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters that the equations need."""
        return self.compiled.layout.parameter_names

    @cached_property
    def compiled(self) -> Compiled:
        """Machine code, generated and compiled once and then cached on disk."""
        key = "\n".join([self.equations, *self.readouts, *self.readouts.values(), *self.inputs])
        code, layout = cached(key, lambda: self.system)
        return Compiled(Code(*load(code)), layout)

    def state_scale(self) -> np.ndarray:
        """Typical size of each species, shape (species,)."""
        return np.array([self.scale[name] for name in self.species])

    def state_start(self) -> np.ndarray:
        """Start from which the epithelial steady state is found, shape (species,)."""
        return np.array([self.start[name] for name in self.species])
