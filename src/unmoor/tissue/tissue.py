"""A tissue: cells, what surrounds them, and the loop that lets them live together.

Between two exchanges cells only move. At an exchange they feel their surroundings, grow, divide,
die and change the gel; at some of them oxygen, TGFβ and neighbours are looked at anew, and the
networks advance. Equations and schedule: docs/explanation/tissue.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import numpy as np

from unmoor.errors import ParameterError, SimulationError
from unmoor.random import Stream
from unmoor.tissue.bodies import Bodies, FloatArray, SlotArray
from unmoor.tissue.collagen import Collagen, degrade, meet, push_aside
from unmoor.tissue.conduct import align, conduct
from unmoor.tissue.life import first_cycles, live, part_daughters
from unmoor.tissue.lives import (
    Behaviours,
    Lives,
    below,
    constants,
    copied,
    enlarged,
    longer,
    remade,
    slots_for,
)  # fmt: skip
from unmoor.tissue.moving import move
from unmoor.tissue.neighbours import contacts
from unmoor.tissue.numerics import Numerics as Numerics
from unmoor.tissue.signals import Schedule, Signals
from unmoor.tissue.snapshot import LIVING, Snapshot
from unmoor.tissue.surroundings import Surroundings
from unmoor.tissue.workspace import Room


class Tissue:
    """Cells in a gel or in medium, in three dimensions or in a plane.

    Make one with :meth:`seeded`; :meth:`advance` lets time pass.
    """

    def __init__(
        self,
        rules: Any,
        stream: Stream,
        bodies: Bodies,
        lives: Lives,
        behaviours: Behaviours,
        *,
        gel: Collagen,
        surroundings: Surroundings,
        signals: Signals | None,
        numerics: Numerics,
        is_flat: bool,
        added: Sequence[Callable[[Tissue], None]] = (),
    ) -> None:
        self.added = tuple(added)
        self.rules, self.stream, self.numerics, self.is_flat = rules, stream, numerics, is_flat
        self.key = np.uint64(stream.key)
        self.bodies, self.lives, self.behaviours = bodies, lives, behaviours
        self.gel, self.surroundings, self.signals = gel, surroundings, signals
        self.exchanges = 0
        self.motion = np.zeros((bodies.radius.size, 3), np.float32)
        self.here, self.through = np.zeros((2, bodies.radius.size), np.float32)
        self._room = Room()

    @classmethod
    def seeded(
        cls,
        values: Mapping[str, float],
        position: FloatArray,
        *,
        stream: Stream,
        behaviours: Behaviours | None = None,
        signals: Signals | None = None,
        clones: Any = 0,
        collagen: float = 0.0,
        extent: float = 1000.0,
        fields: tuple[str, ...] = (),
        numerics: Numerics | None = None,
        is_flat: bool = False,
        progress: Any = None,
        is_stirred: bool = False,
        added: Sequence[Callable[[Tissue], None]] = (),
    ) -> Self:
        """Put founders somewhere.

        Parameters
        ----------
        values
            Constants by id (``closures/tissue``).
        position
            Centres of the founders, shape (cells, 3) [µm].
        stream
            Random numbers of this tissue.
        behaviours
            What cells do if they run no network, by founder; daughters do as their mothers.
        signals
            Networks, by founder; instead of ``behaviours``.
        clones
            Number of each founder's clone; broadcasts.
        collagen
            Density of the gel around them; 0 is medium [mg/mL].
        extent
            Side of the cube that fields and gel fill [µm].
        fields
            Which of ``oxygen``, ``tgfb`` and ``drug`` are followed; the others are even.
        progress
            Way of the founders through their cycle; None draws it.
        is_stirred
            Whether the medium is stirred, so that fields are even up to the cells.
        added
            Rules of one's own, called with the tissue at each exchange before cells move.

        Raises
        ------
        ParameterError
            If numbers are not finite, or shapes do not fit.
        """
        where = np.asarray(position, dtype=np.float64).reshape(-1, 3)
        if not np.isfinite(where).all():
            raise ParameterError("a founder's position is not finite; give finite positions in µm")
        if (behaviours is None) == (signals is None):
            raise ParameterError("a tissue needs either behaviours or signals of its cells")
        count = where.shape[0]
        slots = slots_for(count)
        lives, bodies = Lives.empty(slots), Bodies.empty(slots)
        given = Behaviours.of(count) if behaviours is None else behaviours
        if given.division.size != count:
            raise ParameterError(f"behaviours are of {given.division.size} cells, not of {count}")
        c = constants(values)
        new = cls(
            c, stream, bodies, lives, enlarged(given, slots),
            gel=Collagen.filling(np.zeros(3), extent, collagen),
            surroundings=Surroundings.around(
                c, extent, fields, slots, is_flat=is_flat, is_stirred=is_stirred
            ),
            signals=signals, numerics=numerics or Numerics(), is_flat=is_flat, added=added,
        )  # fmt: skip
        new._found(where, np.broadcast_to(np.asarray(clones, dtype=np.int32), (count,)), progress)
        return new

    def _found(self, where: FloatArray, clones: Any, progress: Any) -> None:
        """Make founders of the first slots."""
        count = where.shape[0]
        slots = np.arange(count, dtype=np.int32)
        ids = np.arange(1, count + 1, dtype=np.uint64)
        self.bodies.position[:count], self.bodies.identity[:count] = where, ids
        self.lives.phase[:count], self.lives.clone[:count] = LIVING, clones
        if progress is None:
            # of a growing population: twice as many have just divided as are about to
            progress = 1.0 - np.log2(2.0 - self.stream.uniform(ids, "progress"))
        self.lives.progress[:count] = progress
        first_cycles(self.rules, self.bodies, self.lives, slots, self.key)
        if self.signals is not None:
            if self.signals.slots < self.lives.phase.size:
                self.signals.enlarge(self.lives.phase.size)
            self.signals.read(slots, 0.0, self.surroundings.at_cells.drug, self.behaviours)
        push_aside(self.gel, self.bodies, slots)

    @property
    def slots(self) -> SlotArray:
        """Slots that hold a cell, living or dead, in rising order."""
        return np.flatnonzero(self.lives.phase).astype(np.int32)

    @property
    def time(self) -> float:
        """Since seeding [min]."""
        return self.exchanges * self.numerics.exchange

    @property
    def living(self) -> int:
        """Cells that live."""
        return int((self.lives.phase == LIVING).sum())

    def advance(self, minutes: float) -> None:
        """Let time pass, in whole exchanges.

        Raises
        ------
        ParameterError
            If ``minutes`` is no multiple of the time between exchanges.
        SimulationError
            If a cell's position is no longer finite, or its network cannot be solved.
        """
        count = round(minutes / self.numerics.exchange)
        if count < 0 or abs(count * self.numerics.exchange - minutes) > 1e-6:
            raise ParameterError(
                f"{minutes:g} min is no multiple of the {self.numerics.exchange:g} min between "
                "exchanges; give one that is"
            )
        for _ in range(count):
            self._exchange()

    def _exchange(self) -> None:
        slots, numerics, c = self.slots, self.numerics, self.rules
        if self.exchanges % numerics.social == 0:
            self._look_around(slots)
        if self.signals is not None and self.exchanges % numerics.signals == 0:
            self.signals.advance(
                slots, self.time, numerics.signals * numerics.exchange,
                self.surroundings.at_cells.tgfb, self.surroundings.at_cells.drug, self.behaviours,
            )  # fmt: skip
        self._live(slots)
        for rule in self.added:
            rule(self)
        slots = self.slots
        meet(c, self.gel, self.bodies, slots, self.here, self.through)
        conduct(c, self.bodies, self.behaviours, self.lives.phase, slots, self.here, self.through)
        if self.gel.density.size:
            degrade(c, self.gel, self.bodies, self.lives.phase, slots, numerics.exchange)
        before = self.bodies.position[slots]
        move(
            self.bodies, slots, first=self.exchanges * numerics.steps, steps=numerics.steps,
            dt=numerics.exchange / numerics.steps, key=self.stream.key, is_flat=self.is_flat,
            skin=numerics.skin, threads=numerics.threads, how=numerics.how, room=self._room,
        )  # fmt: skip
        self.motion[slots] = (self.bodies.position[slots] - before) / numerics.exchange
        self.exchanges += 1
        self._check(slots)

    def _look_around(self, slots: SlotArray) -> None:
        """Fields around cells, and which way their neighbours go."""
        self.surroundings.update(
            self.rules, self.bodies, self.lives, self.behaviours, slots
        )  # fmt: skip
        is_drawn = self.rules.alignment > 0.0 or self.surroundings.at_cells.toward.any()
        if is_drawn and slots.size:
            b = self.bodies
            start, neighbour = contacts(b.position[slots], b.radius[slots], b.reach[slots])
            align(
                self.rules, b, self.behaviours, self.lives.phase, slots, self.motion, start,
                neighbour, self.surroundings.at_cells.toward,
            )  # fmt: skip

    def _live(self, slots: SlotArray) -> None:
        """Growth, death and division."""
        ripe = np.empty(slots.size, np.int32)
        oxygen = self.surroundings.at_cells.oxygen
        count = live(
            self.rules, self.bodies, self.lives, self.behaviours, oxygen, slots,
            self.numerics.exchange, self.key, np.uint64(self.exchanges), ripe,
        )  # fmt: skip
        if count:
            self._divide(ripe[:count])

    def _divide(self, mothers: SlotArray) -> None:
        free = np.flatnonzero(self.lives.phase == 0)
        if free.size < mothers.size:
            self._enlarge(self.lives.phase.size + mothers.size - free.size)
            free = np.flatnonzero(self.lives.phase == 0)
        daughters = free[: mothers.size].astype(np.int32)
        for arrays in (self.bodies, self.lives, self.behaviours, self.surroundings.at_cells):
            copied(arrays, mothers, daughters)
        copied((self.motion, self.here, self.through), mothers, daughters)
        if self.signals is not None:
            self.signals.hand_on(mothers, daughters)
        part_daughters(
            self.rules, self.bodies, self.lives, mothers, daughters, self.key, self.is_flat
        )

    def _enlarge(self, needed: int) -> None:
        slots = slots_for(needed)
        self.bodies, self.lives = enlarged(self.bodies, slots), enlarged(self.lives, slots)
        self.behaviours = enlarged(self.behaviours, slots)
        self.surroundings.enlarge(slots)
        for name in ("motion", "here", "through"):
            setattr(self, name, longer(getattr(self, name), slots))
        if self.signals is not None:
            self.signals.enlarge(slots)

    def _check(self, slots: SlotArray) -> None:
        if not np.isfinite(self.bodies.position[slots]).all():
            lost = slots[~np.isfinite(self.bodies.position[slots]).all(axis=1)][0]
            raise SimulationError(
                f"cell {self.bodies.identity[lost]:#x} has no finite position after "
                f"{self.time:g} min; lower the step of movement"
            )
        if self.signals is not None and self.signals.has_failed:
            raise SimulationError(f"a cell's network could not be solved after {self.time:g} min")

    def snapshot(self) -> Snapshot:
        """Return the cells as they are now."""
        slots = self.slots
        b, life, does = self.bodies, self.lives, self.behaviours
        singles = (does.cohesion, does.mesenchymal, does.zeb, does.mir200, b.drive)
        around = (self.surroundings.at_cells.oxygen, self.here)
        return Snapshot(
            self.time, b.identity[slots], life.parent[slots], life.clone[slots], life.phase[slots],
            b.position[slots], self.motion[slots], b.radius[slots],
            *(values[slots].astype(np.float32) for values in (*singles, *around)),
        )  # fmt: skip

    def branch(self, schedule: Schedule | None = None) -> Tissue:
        """Return a copy that goes its own way, under another schedule if one is given."""
        signals = None if self.signals is None else self.signals.branch(schedule)
        new = Tissue(
            self.rules, self.stream, remade(Bodies, self.bodies), remade(Lives, self.lives),
            remade(Behaviours, self.behaviours),
            gel=self.gel._replace(density=self.gel.density.copy()),
            surroundings=self.surroundings.branch(), signals=signals, numerics=self.numerics,
            is_flat=self.is_flat, added=self.added,
        )  # fmt: skip
        new.exchanges = self.exchanges
        for name in ("motion", "here", "through"):
            setattr(new, name, getattr(self, name).copy())
        return new

    @property
    def _pace(self) -> FloatArray:
        """What the count of exchanges and the numbers of steps mean, and what lies outside."""
        n = self.numerics
        return np.array([n.dt, n.exchange, n.social, n.signals, self.gel.outside, self.is_flat])

    def state(self) -> dict[str, Any]:
        """Return everything that changes, by name: what a checkpoint holds.

        Lists of neighbours are no part of it: every exchange makes them anew.
        """
        state: dict[str, Any] = {"exchanges": np.array(self.exchanges), "key": np.array(self.key)}
        state["rules"] = np.array(self.rules.tolist())
        state["pace"] = self._pace
        for name in ("bodies", "lives", "behaviours"):
            arrays = getattr(self, name)
            state |= {f"{name}/{field}": getattr(arrays, field).copy() for field in arrays._fields}
        state |= {name: getattr(self, name).copy() for name in ("motion", "here", "through")}
        state["gel"] = self.gel.density.copy()
        state |= {f"surroundings/{k}": v for k, v in self.surroundings.state().items()}
        if self.signals is not None:
            state |= {f"signals/{k}": v for k, v in self.signals.state().items()}
        return state

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take up what ``state`` gave of a tissue that was seeded in the same way.

        Raises
        ------
        ParameterError
            If it is of a tissue with another seed, gel or constants.
        """
        if state["key"] != self.key or state["gel"].shape != self.gel.density.shape:
            raise ParameterError(
                "this state is of a tissue with another seed or gel; seed the tissue as it was then"
            )
        if (state["pace"] != self._pace).any():
            raise ParameterError(
                "this state is of a tissue with other steps, or in a gel of another density; give "
                "the same numerics and collagen"
            )
        own = np.array(self.rules.tolist())
        if state["rules"].shape != own.shape or (state["rules"] != own).any():
            names = np.array(self.rules.dtype.names)
            other = names[state["rules"] != own] if state["rules"].shape == own.shape else names
            raise ParameterError(
                f"this state is of a tissue with another {', '.join(other)}; give the same"
            )
        self.exchanges = int(state["exchanges"])
        for name, kind in (("bodies", Bodies), ("lives", Lives), ("behaviours", Behaviours)):
            fields = kind._fields
            setattr(self, name, remade(kind, (state[f"{name}/{field}"] for field in fields)))
        for name in ("motion", "here", "through"):
            setattr(self, name, state[name].copy())
        self.gel = self.gel._replace(density=state["gel"].copy())
        self.surroundings.restore(below("surroundings/", state))
        if self.signals is not None:
            self.signals.restore(below("signals/", state))
