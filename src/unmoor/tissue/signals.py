"""Signals: every cell of a tissue runs the network of its line, with numbers of its own.

The network is the compiled one that all other scales run; the numbers of slot ``s`` lie in lane
``s % 8`` of block ``s // 8``. Lanes without a cell hold the numbers of the last one that was there.
Equations: docs/explanation/tissue.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from unmoor.cell.phenotype import behave
from unmoor.compilation import kernel, part
from unmoor.signalling.readouts import Readouts
from unmoor.signalling.solve import LANES, SOLVED, Blocks, Machine, advance_block, load_block
from unmoor.tissue.bodies import FloatArray, SlotArray
from unmoor.tissue.lives import Behaviours, copied, remade

_HOUR = 60.0  # min


class Schedule(NamedTuple):
    """What is done to the cells over time.

    Attributes
    ----------
    inputs
        Inputs of the network with all that is done, shape (kinds, intervals, inputs).
    inner
        The same where no drug gets to: edits alone, shape (kinds, intervals, inputs).
    kills
        Death rates by chemotherapy and by radiation in a cell of unit sensitivity, shape
        (intervals, 2) [1/d].
    interval
        Length of an interval; the last one goes on [min].
    """

    inputs: FloatArray
    inner: FloatArray
    kills: FloatArray
    interval: float

    def at(self, time: float) -> int:
        """Return the interval that a time falls into [min]."""
        last = int(self.inputs.shape[1]) - 1
        return min(int(time / self.interval + 1e-9), last)


class Places(NamedTuple):
    """Indices of inputs that are set here or that behaviour needs."""

    itgb1: int
    ptk2: int
    tgfb_outside: int


@dataclass
class Signals:
    """Networks of all cells of a tissue.

    Attributes
    ----------
    machine
        Code of the network.
    blocks
        Its numbers, by slot.
    cells
        Records of ``CELL``, by slot.
    constants
        Constants of behaviour, a record (``closures/cell`` and the like).
    base
        Growth and death of the untreated cell, shape (2, slots) [-, 1/d].
    room
        Net growth of untreated cells that have room [1/d].
    turnover
        Death of untreated cells that ``room`` contains [1/d].
    kind
        Which of the schedule's kinds of cells is in a slot, shape (slots,).
    schedule
        What is done to the cells.
    places
        Indices of inputs.
    """

    machine: Machine
    blocks: Blocks
    cells: Any
    constants: Any
    base: FloatArray
    room: float
    turnover: float
    kind: npt.NDArray[np.int8]
    schedule: Schedule
    places: Places
    _work: FloatArray = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._work = np.zeros(self.machine.places.size * LANES)

    @property
    def slots(self) -> int:
        """Slots there are numbers for."""
        return int(self.blocks.state.shape[0]) * LANES

    @property
    def has_failed(self) -> bool:
        """Whether the network of some cell could not be solved."""
        return bool(self.blocks.status.any())

    def enlarge(self, slots: int) -> None:
        """Make room for more cells; lanes without one hold the numbers of the first slot."""
        more = slots // LANES - self.blocks.state.shape[0]
        self.blocks = Blocks(*(_longer(array, more) for array in self.blocks))
        first = np.repeat(self.cells[:1], more * LANES)
        self.cells = np.concatenate([self.cells, first]).view(np.recarray)
        self.base = np.concatenate([self.base, np.repeat(self.base[:, :1], more * LANES, 1)], 1)
        self.kind = np.concatenate([self.kind, np.repeat(self.kind[:1], more * LANES)])

    def hand_on(self, mothers: SlotArray, daughters: SlotArray) -> None:
        """Give daughters all that their mothers have."""
        b, k, m, n = daughters // LANES, daughters % LANES, mothers // LANES, mothers % LANES
        for name in ("state", "parameters", "inputs", "step", "readouts"):
            numbers = getattr(self.blocks, name)
            numbers[b, :, k] = numbers[m, :, n]
        copied((self.cells, self.kind, self.base[0], self.base[1]), mothers, daughters)

    def advance(
        self,
        slots: SlotArray,
        time: float,
        minutes: float,
        outside: FloatArray,
        reached: FloatArray,
        behaviours: Behaviours,
    ) -> None:
        """Advance the networks of all cells, and read off what the cells do.

        Parameters
        ----------
        time, minutes
            Of the tissue now, and how far to go [min].
        outside
            TGFβ from other cells, shape (slots,), in units of the core.
        reached
            Drugs where cells are, relative to the medium, shape (slots,) [-].
        behaviours
            Where it is put.
        """
        i = self.schedule.at(time + 0.5 * minutes)
        inputs, inner = self.schedule.inputs[:, i], self.schedule.inner[:, i]
        _expose(self.blocks.inputs, slots, self.kind, inputs, inner, reached, outside, self.places)
        _solve(self.blocks, slots, minutes / _HOUR, self.machine, self._work)
        self.read(slots, time + 0.5 * minutes, reached, behaviours)

    def read(
        self, slots: SlotArray, time: float, reached: FloatArray, behaviours: Behaviours
    ) -> None:
        """Read off what the cells do under what is done to them at a time [min]."""
        kills = self.schedule.kills[self.schedule.at(time)]
        _read(
            self.constants, self.cells, self.blocks, self.base, slots, self.places,
            (self.room, self.turnover, float(kills[0]), float(kills[1])), reached, behaviours,
        )  # fmt: skip

    def branch(self, schedule: Schedule | None = None) -> Self:
        """Return a copy that goes its own way, under another schedule if one is given."""
        blocks = remade(Blocks, self.blocks)
        new = replace(
            self,
            blocks=blocks,
            cells=self.cells.copy(),
            base=self.base.copy(),
            kind=self.kind.copy(),
        )
        new.schedule = self.schedule if schedule is None else schedule
        return new

    def state(self) -> dict[str, Any]:
        """All numbers that change, by name."""
        arrays = {f"blocks/{name}": getattr(self.blocks, name).copy() for name in Blocks._fields}
        return {
            **arrays,
            "cells": np.array(self.cells),
            "base": self.base.copy(),
            "kind": self.kind.copy(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take up numbers that ``state`` gave."""
        self.blocks = remade(Blocks, (state[f"blocks/{name}"] for name in Blocks._fields))
        self.cells = np.array(state["cells"]).view(np.recarray)
        self.base = np.array(state["base"])
        self.kind = np.array(state["kind"])


def _longer(array: Any, more: int) -> Any:
    """Add blocks; each lane is that of the first slot."""
    first = array[:1] if array.ndim == 1 else np.repeat(array[:1, :, :1], LANES, axis=2)
    return np.concatenate([array, np.repeat(first, more, axis=0)])


@kernel
def _expose(
    numbers: FloatArray,
    slots: SlotArray,
    kind: Any,
    inputs: FloatArray,
    inner: FloatArray,
    reached: FloatArray,
    outside: FloatArray,
    places: Places,
) -> None:
    """Set the inputs of each cell: drugs act in proportion to what gets to it."""
    for s in slots:
        b, lane = s // LANES, s % LANES
        k = kind[s]
        for j in range(inputs.shape[1]):
            numbers[b, j, lane] = inner[k, j] + reached[s] * (inputs[k, j] - inner[k, j])
        numbers[b, places.tgfb_outside, lane] += outside[s]


@kernel
def _solve(blocks: Blocks, slots: SlotArray, hours: float, machine: Machine, w: FloatArray) -> None:
    """Advance each block that holds a cell."""
    done = -1
    for s in slots:
        b = s // LANES
        if b != done and blocks.status[b] == SOLVED:
            load_block(b, blocks, machine, w)
            advance_block(b, blocks, hours, machine, w)
        done = b


@part
def _readouts(values: FloatArray, s: int) -> Readouts:
    b, k = s // LANES, s % LANES
    return Readouts(values[b, 0, k], values[b, 1, k], values[b, 2, k], values[b, 3, k],
                    values[b, 4, k], values[b, 5, k], values[b, 6, k])  # fmt: skip


@kernel
def _read(
    c: Any,
    cells: Any,
    blocks: Blocks,
    base: FloatArray,
    slots: SlotArray,
    places: Places,
    rates: tuple[float, float, float, float],
    reached: FloatArray,
    behaviours: Behaviours,
) -> None:
    """Behaviour of each cell; rates are as in a culture with room (``assays.culture``)."""
    room, turnover, drug, radiation = rates
    for s in slots:
        b, lane = s // LANES, s % LANES
        now = _readouts(blocks.readouts, s)
        itgb1 = blocks.inputs[b, places.itgb1, lane]
        does = behave(c, cells[s], now, itgb1, blocks.inputs[b, places.ptk2, lane])
        lost = 1.0 - does.fak_tumour
        kill = reached[s] * drug * max(1.0 + c.sigma_C * lost, 0.0)
        kill += radiation * max(1.0 + c.sigma_IR * lost, 0.0)
        behaviours.division[s] = room * does.growth / base[0, s] + base[1, s]
        behaviours.death[s] = turnover + does.death_rate + kill
        behaviours.speed[s] = does.drive
        behaviours.cohesion[s], behaviours.mesenchymal[s] = does.cohesion, does.mesenchymal
        behaviours.zeb[s] = now.zeb / cells[s].zeb
        behaviours.mir200[s] = now.mir200 / cells[s].mir200
        behaviours.tgfb[s] = c.phi * max(now.tgfb - cells[s].tgfb, 0.0)
