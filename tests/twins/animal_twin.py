"""A whole small xenograft as one set of differential equations in plain Python.

Network, behaviour, growth, shedding, paracrine TGFβ and antibody advance together by Runge–Kutta
steps of order 4 over less than half an hour; nothing is held constant over half a day as in the
package.
"""

# ruff: noqa: N806 - the names are those of the equations

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
from cell_twin import Cell, behaviour, chances, escape, founded
from network_twins import CASCADING, FloatArray, cascading, drive, solve

from unmoor.signalling.readouts import Readouts
from unmoor.tissue.escape import EscapeTable

_STEP = 1.0 / 64.0  # d
_SETTLE = 40_000.0  # h
Values = Mapping[str, float]
Inputs = Callable[[float], dict[str, float]]  # inputs of the network at a day


@dataclass(frozen=True)
class Animal:
    """Outcome of one animal: volume, integrals of volume and shedding, release at the end."""

    volume: float
    exposure: float
    shed: float
    singles: float
    clusters: float


@dataclass(frozen=True)
class Antibody:
    """Dosing of an antibody against β1, given into the peritoneum."""

    values: Values
    doses: Sequence[float]
    dose: float

    def slope(self, x: FloatArray) -> FloatArray:
        """Depot, plasma, periphery, tumour."""
        v, free = self.values, self.free(x)
        back = v["Q"] / v["V2"] * x[2]
        out = v["Q"] / v["V1"] * x[1]
        lost = v["k_e"] * v["R_0"] * free / (v["K_D"] + free)
        return np.array([
            -v["ka"] * x[0],
            v["ka"] * x[0] - v["CL"] / v["V1"] * x[1] - out + back,
            out - back,
            v["PS"] * (x[1] - free) - lost,
        ])  # fmt: skip

    def free(self, x: FloatArray) -> float:
        """Positive root of the balance of free and bound antibody."""
        v, total = self.values, max(float(x[3]), 0.0)
        roots = np.roots([v["eps"], v["eps"] * v["K_D"] + v["R_0"] - total, -total * v["K_D"]])
        return float(roots.real.max())

    def given(self, day: float) -> float:
        """Amount that enters the depot at a day [nM of the central volume]."""
        v = self.values
        amount = self.dose * 1e6 * v["bioavailability"] / (v["V1"] * v["molar_mass"])
        return amount * sum(abs(day - dose) < 0.5 * _STEP for dose in self.doses)


@dataclass
class Xenograft:
    """One tumour of a few clones in one or more animals under one arm.

    ``networks`` and ``constants`` are the numbers of each clone's network and of behaviour,
    ``leaving`` the table of escape; ``beta4`` and ``half`` (K_F of each clone) those that set
    cells apart; ``gompertz`` holds (α, β) of each animal, the first of which weighs the clones;
    ``systemic`` is the TGFβ activity left in the host at a day.
    """

    networks: Sequence[Values]
    constants: Values
    leaving: EscapeTable
    beta4: float
    half: Sequence[float]
    gompertz: Sequence[tuple[float, float]]
    untreated_inputs: Values
    inputs: Inputs
    systemic: Callable[[float], float]
    cultured: Mapping[str, float]
    culture_days: float
    antibody: Antibody | None = None

    def run(self, start: FloatArray, days: float, inoculum: float) -> list[Animal]:
        """Outcome of every animal at a day; ``start`` leads to the untreated steady state."""
        self._settle(start)
        clones, animals = len(self.networks), len(self.gompertz)
        cultured = {**self.untreated_inputs, **self.cultured}
        cells = np.array([
            solve("cascading", "tgfb", values, cultured, home, 24.0 * self.culture_days)
            for values, home in zip(self.networks, self._home, strict=True)
        ])  # fmt: skip
        volumes = np.full((animals, clones), inoculum / clones)
        y = np.concatenate([cells.ravel(), volumes.ravel(), np.zeros(2 * animals + 4)])
        for n in range(round(days / _STEP)):
            day = n * _STEP
            if self.antibody:
                y[-4] += self.antibody.given(day)
            k1 = self._slope(day, y)
            k2 = self._slope(day + 0.5 * _STEP, y + 0.5 * _STEP * k1)
            k3 = self._slope(day + 0.5 * _STEP, y + 0.5 * _STEP * k2)
            k4 = self._slope(day + 0.999999 * _STEP, y + _STEP * k3)
            y = y + _STEP / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)
        return self._outcome(days, y)

    def _settle(self, start: FloatArray) -> None:
        calm = SimpleNamespace(**self.untreated_inputs)
        self._home = [
            solve("cascading", "tgfb", values, self.untreated_inputs, start, _SETTLE)
            for values in self.networks
        ]
        self._cells = [
            Cell(values["beta1_tot"], self.beta4, half, self._readouts(home, values, calm))
            for values, half, home in zip(self.networks, self.half, self._home, strict=True)
        ]
        self._calm = [behaviour(self.constants, c, c.untreated, 1.0, 1.0) for c in self._cells]

    def _readouts(self, x: FloatArray, values: Values, inputs: SimpleNamespace) -> Readouts:
        now = dict(zip(CASCADING, x.tolist(), strict=True))
        D = drive(SimpleNamespace(**values), inputs, now["T"])
        return Readouts(
            now["E"] / values["E_max"],
            now["N"] / values["N_max"],
            D / (values["K_P"] + D),
            now["T"],
            now["c"],
            now["R2"],
            now["Z"],
        )

    def _parts(self, y: FloatArray) -> tuple[FloatArray, FloatArray]:
        clones, animals = len(self.networks), len(self.gompertz)
        size = clones * len(CASCADING)
        cells = y[:size].reshape(clones, -1)
        return cells, y[size : size + animals * clones].reshape(animals, clones)

    def _behave(self, day: float, y: FloatArray) -> tuple[list[dict[str, float]], dict[str, float]]:
        """What each clone does now, and the inputs that its network sees."""
        cells, volumes = self._parts(y)
        inputs = self.inputs(day)
        if self.antibody:
            free = self.antibody.free(y[-4:])
            v = self.antibody.values
            inputs["itgb1"] *= 1.0 - v["max_effect"] * free / (v["K_D"] + free)
        extra = [x[1] - cell.untreated.tgfb for x, cell in zip(cells, self._cells, strict=True)]
        shared = float(np.average(extra, weights=volumes[0]))
        inputs["tgfb_outside"] += self.constants["phi"] * max(shared, 0.0)
        acting = SimpleNamespace(**inputs)
        behaviours = []
        for x, values, cell in zip(cells, self.networks, self._cells, strict=True):
            now = self._readouts(x, values, acting)
            doing = behaviour(self.constants, cell, now, inputs["itgb1"], inputs["ptk2"])
            behaviours.append(doing)
        return behaviours, inputs

    def _slope(self, day: float, y: FloatArray) -> FloatArray:
        cells, volumes = self._parts(y)
        behaviours, inputs = self._behave(day, y)
        acting = SimpleNamespace(**inputs)
        moved = [
            np.array(cascading(x, SimpleNamespace(**values), acting, "tgfb")) * 24.0
            for x, values in zip(cells, self.networks, strict=True)
        ]
        grown, shed, exposure = np.zeros_like(volumes), [], []
        systemic = self.systemic(day)
        freed = self.constants["iota"] * (1.0 - systemic)
        for a, (alpha, beta) in enumerate(self.gompertz):
            total = float(volumes[a].sum())
            out = 0.0
            for k, (doing, calm) in enumerate(zip(behaviours, self._calm, strict=True)):
                push = (alpha - beta * math.log(total)) * doing["growth"] / calm["growth"]
                killed = doing["death_rate"] - calm["death_rate"] + freed
                grown[a, k] = volumes[a, k] * (push - killed)
                left = escape(self.leaving, self.constants, doing, calm["growth"])
                chance = chances(self.constants, doing, systemic)
                out += volumes[a, k] * founded(self.constants, doing["cohesion"], left, chance)
            shed.append(out)
            exposure.append(total)
        drug = self.antibody.slope(y[-4:]) if self.antibody else np.zeros(4)
        return np.concatenate([*moved, grown.ravel(), shed, exposure, drug])

    def _outcome(self, day: float, y: FloatArray) -> list[Animal]:
        _, volumes = self._parts(y)
        behaviours, _ = self._behave(day, y)
        left = np.array(
            [
                escape(self.leaving, self.constants, doing, calm["growth"])
                for doing, calm in zip(behaviours, self._calm, strict=True)
            ]
        )
        animals = len(self.gompertz)
        shed, exposure = y[-2 * animals - 4 : -4].reshape(2, animals)
        return [
            Animal(
                float(volumes[a].sum()),
                float(exposure[a]),
                float(shed[a]),
                float(volumes[a] @ left[:, 0]),
                float(volumes[a] @ left[:, 1]),
            )
            for a in range(animals)
        ]
