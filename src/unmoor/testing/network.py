"""Contract of a network: amounts stay amounts, totals stay totals, and it comes to rest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

import numpy as np

from unmoor.signalling.network import Network
from unmoor.signalling.steady import jacobian, steady_state, time_course
from unmoor.testing.claims import claim

_TIMES = (0.1, 1.0, 10.0, 100.0, 1000.0)  # h


class StandardNetworkTest:
    """Tests of a :class:`~unmoor.signalling.network.Network` of one's own.

    Attributes
    ----------
    network
        The network.
    parameters
        Value of each of its parameters.
    conserved
        Totals that never change, by name: weight of each species in the sum.
    settings
        Inputs to try; the untreated cell, and every input at a tenth and tenfold, if not given.
    hours
        Time in which it comes to rest [h].
    """

    network: ClassVar[Network]
    parameters: ClassVar[Mapping[str, float]]
    conserved: ClassVar[Mapping[str, Mapping[str, float]]] = {}
    settings: ClassVar[Sequence[Mapping[str, float]]] = ()
    hours: ClassVar[float] = 1e5

    def _settings(self) -> Iterator[Mapping[str, float]]:
        if self.settings:
            yield from self.settings
            return
        yield {}
        for label, value in self.network.inputs.items():
            yield {label: value * 0.1}
            yield {label: value * 10.0 if value else 1.0}

    def test_amounts_never_fall_below_zero(self) -> None:
        """From the start, under every setting; beyond what the solver's error explains."""
        for inputs in self._settings():
            course = time_course(self.network, self.parameters, _TIMES, inputs)
            for name in self.network.species:
                least = float(course[name].min())
                bound = -1e-6 * self.network.scale[name]
                claim(least >= bound, f"{name} falls to {least:g} under {dict(inputs)}")

    def test_readouts_are_finite(self) -> None:
        """Numbers that a cell's behaviour can be computed from."""
        for inputs in self._settings():
            course = time_course(self.network, self.parameters, _TIMES, inputs)
            for name in self.network.readouts:
                claim(np.isfinite(course[name]).all(), f"{name} is not finite under {dict(inputs)}")

    def test_totals_are_conserved(self) -> None:
        """To a millionth of their size."""
        for name, weights in self.conserved.items():
            start = sum(w * self.network.start[s] for s, w in weights.items())
            size = sum(abs(w) * self.network.scale[s] for s, w in weights.items())
            for inputs in self._settings():
                course = time_course(self.network, self.parameters, _TIMES, inputs)
                total = sum(w * course[s] for s, w in weights.items())
                drift = float(np.max(np.abs(total - start)))
                claim(drift <= 1e-6 * size, f"{name} drifts by {drift:g} under {dict(inputs)}")

    def test_a_steady_state_is_found(self) -> None:
        """At which it stays: ten times as long changes nothing."""
        for inputs in self._settings():
            rest = steady_state(self.network, self.parameters, inputs, hours=self.hours)
            later = time_course(self.network, self.parameters, [10 * self.hours], inputs, rest)
            for name in self.network.species:
                change = abs(float(later[name][-1]) - rest[name])
                claim(
                    change <= 1e-5 * self.network.scale[name],
                    f"{name} still changes by {change:g} under {dict(inputs)}",
                )

    def test_the_jacobian_is_finite(self) -> None:
        """At the start and at the steady state, where implicit steps and branches need it."""
        for inputs in self._settings():
            self._claim_slopes(self.network.start, inputs)
            rest = steady_state(self.network, self.parameters, inputs, hours=self.hours)
            self._claim_slopes(rest, inputs)

    def _claim_slopes(self, state: Mapping[str, float], inputs: Mapping[str, float]) -> None:
        with np.errstate(all="ignore"):
            slopes = jacobian(self.network, self.parameters, state, inputs)
        claim(np.isfinite(slopes).all(), f"slopes are not finite under {dict(inputs)}: {slopes}")
