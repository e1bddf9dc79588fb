"""A network of the package as SBML, and libRoadRunner running it: a second opinion and a yardstick.

libRoadRunner (``pip install "unmoor[benchmark]"``) solves with CVODE; nothing but the text of the
equations is shared. Whole powers are written as products, which it computes faster than powers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from unmoor.signalling.network import Network

if TYPE_CHECKING:
    import sympy

FloatArray = npt.NDArray[np.float64]
_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<sbml xmlns="http://www.sbml.org/sbml/level3/version1/core" level="3" version="1">'
    '<model id="network"><listOfCompartments>'
    '<compartment id="cell" size="1" spatialDimensions="3" constant="true"/>'
    "</listOfCompartments>"
)
_MATH = '<math xmlns="http://www.w3.org/1998/Math/MathML">{}</math>'
_MOST_STEPS = 100_000


def sbml(network: Network) -> str:
    """SBML level 3 version 1 of a network: species with rate rules; inputs are parameters."""
    system = network.system
    species = "".join(
        f'<species id="{name}" compartment="cell" initialConcentration="{network.start[name]!r}" '
        'hasOnlySubstanceUnits="false" boundaryCondition="false" constant="false"/>'
        for name in system.species
    )
    values = dict.fromkeys(system.parameters, 0.0) | dict(network.inputs)
    parameters = "".join(
        f'<parameter id="{name}" value="{value!r}" constant="true"/>'
        for name, value in values.items()
    )
    rules = "".join(
        f'<rateRule variable="{name}">{_MATH.format(_math(rate))}</rateRule>'
        for name, rate in zip(system.species, system.rates, strict=True)
    )
    return (
        f"{_HEAD}<listOfSpecies>{species}</listOfSpecies>"
        f"<listOfParameters>{parameters}</listOfParameters>"
        f"<listOfRules>{rules}</listOfRules></model></sbml>"
    )


def _math(expression: sympy.Expr) -> str:
    """An expression in MathML."""
    import sympy

    if expression.is_Symbol:
        return f"<ci>{expression}</ci>"
    if expression.is_Integer:
        return f'<cn type="integer">{expression}</cn>'
    if expression.is_Number:
        return f"<cn>{float(expression)!r}</cn>"
    if expression.is_Add:
        return _apply("plus", map(_math, expression.args))
    if expression.is_Mul or expression.is_Pow:
        above, below = sympy.fraction(expression, exact=True)
        if below != 1:
            return _apply("divide", [_math(above), _math(below)])
    if expression.is_Mul:
        return _apply("times", map(_math, expression.args))
    if expression.is_Pow:
        return _apply("times", [_math(expression.base)] * int(expression.exp))
    a, b = map(_math, expression.args)  # min or max of two
    is_first = _apply("gt" if isinstance(expression, sympy.Max) else "lt", [a, b])
    return f"<piecewise><piece>{a}{is_first}</piece><otherwise>{b}</otherwise></piecewise>"


def _apply(operation: str, arguments: Iterable[str]) -> str:
    return f"<apply><{operation}/>{''.join(arguments)}</apply>"


class RoadRunner:
    """A network loaded once into libRoadRunner.

    Parameters
    ----------
    network
        The network.
    inputs
        Inputs that differ from those of an untreated cell.
    """

    def __init__(self, network: Network, inputs: Mapping[str, float]) -> None:
        import roadrunner  # type: ignore[import-untyped]

        names = network.system.species
        self._runner: Any = roadrunner.RoadRunner(sbml(network))
        self._model = self._runner.model
        ids = list(self._model.getGlobalParameterIds())
        self._places = [ids.index(name) for name in network.system.parameters]
        self._scale = network.state_scale()
        for label, value in inputs.items():
            self._runner[label] = value
        self._runner.selections = ["time", *[f"[{name}]" for name in names]]
        self._runner.integrator.stiff = True
        self._runner.integrator.maximum_num_steps = _MOST_STEPS

    def courses(
        self, parameters: FloatArray, start: FloatArray, hours: float, points: int, rtol: float
    ) -> FloatArray:
        """Species of subject after subject at ``points`` equal steps of time up to ``hours``.

        Parameters
        ----------
        parameters, start
            Values of each subject, shapes (subjects, parameters) and (subjects, species).
        rtol
            Relative tolerance; the absolute one is ``rtol`` × the typical size of each species.

        Returns
        -------
            Shape (subjects, points, species).
        """
        integrator, simulate = self._runner.integrator, self._runner.simulate
        integrator.relative_tolerance = rtol
        integrator.absolute_tolerance = [float(x) for x in rtol * self._scale]
        states = np.empty((len(parameters), points, start.shape[1]))
        for i in range(len(parameters)):
            self._model.setGlobalParameterValues(self._places, parameters[i])
            self._model.setFloatingSpeciesConcentrations(start[i])
            states[i] = simulate(0.0, hours, points + 1)[1:, 1:]
        return states
