"""A signalling network: species, labelled inputs, readouts and equations, compiled on demand."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

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
    """

    name: str
    equations: str
    inputs: Mapping[str, float]
    readouts: Mapping[str, str]
    scale: Mapping[str, float]
    start: Mapping[str, float]
    lowest: float = -math.inf

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
