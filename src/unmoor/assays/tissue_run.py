"""Tissues of every draw under every arm: founded, followed, and read at some times.

A tissue is a function of seed, draw and repeat: arms share these, so the same founders meet the
same chances under each treatment. Arms are one tissue for as long as nothing tells them apart;
then it is branched. Equations: docs/explanation/assays.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from unmoor.assays.base import Bench, Outcome
from unmoor.assays.culture import NOT_FINITE, in_vitro, setting_of
from unmoor.assays.founders import Founders
from unmoor.assays.interval import EXCHANGE
from unmoor.assays.tissue_settings import REFERENCE_TISSUES, TissueAssay
from unmoor.catalog.draws import Draw
from unmoor.elementwise import FloatArray
from unmoor.errors import ParameterError, SimulationError
from unmoor.random import Stream
from unmoor.signalling.solve import NOT_FINITE as UNSOLVED
from unmoor.therapy.regimen import Edit
from unmoor.tissue.motion import displaced
from unmoor.tissue.signals import Schedule
from unmoor.tissue.snapshot import Snapshot
from unmoor.tissue.tissue import Numerics, Tissue

_FRAMES = 13  # of a course, from the start to the end
_DAY = 1440.0  # min
_INTERVAL = 0.125  # d in which inputs are held
_APART = 2.0  # radii between founders; they find their distance within the first hour
_MARGIN = 150.0  # µm of gel around where founders lie
_PACKED = 0.64  # share of a body of cells that is cells

_LOOK_BACK = 360.0  # min over which it is seen where cells go; less is mostly jostling

Reader = Callable[["Look"], Sequence[float]]


class Look(NamedTuple):
    """A tissue as it is read.

    Attributes
    ----------
    now, start
        As it is, and as it was at the start.
    moved
        ``now`` with velocities over the last six hours instead of the last minutes.
    """

    now: Snapshot
    moved: Snapshot
    start: Snapshot


@dataclass(frozen=True)
class Scene:
    """How a tissue starts, and what is read of it.

    Attributes
    ----------
    arrange
        Places of the founders, shape (cells, 3) [µm], from their spacing and random numbers.
    read
        The assay's outcomes of a tissue.
    dimensions
        ``2d``, ``3d``, or None as the matrix is mostly used.
    collagen
        Density of the gel in three dimensions [mg/mL].
    second
        Edits of every other founder, beside those of the arm; empty for one population.
    """

    arrange: Callable[[float, Stream], FloatArray]
    read: Reader
    dimensions: str | None
    collagen: float = 0.0
    second: tuple[Edit, ...] = ()


_Past = dict[float, Snapshot]  # by time [min]


@dataclass
class _Record:
    """What is noted of the tissues of one draw and repeat.

    Attributes
    ----------
    minutes
        When a tissue is read, in rising order [min].
    values
        What is read then, shape (arms, outcomes, times).
    frames
        Snapshots at some of these times by arm; None if they are not kept.
    """

    minutes: Sequence[float]
    values: FloatArray
    failed: dict[int, int] = field(default_factory=dict)
    frames: dict[int, list[Snapshot]] | None = None


def run_tissues(
    settings: TissueAssay, scene: Scene, bench: Bench, draws: Sequence[Draw]
) -> Outcome:
    """Run parameter sets; a draw's numbers do not depend on the others in the batch."""
    return _Batch(settings, scene, bench, draws).outcome()


class _Batch:
    """Tissues of a batch of draws."""

    def __init__(
        self, settings: TissueAssay, scene: Scene, bench: Bench, draws: Sequence[Draw]
    ) -> None:
        self.settings, self.scene, self.bench, self.draws = settings, scene, bench, draws
        place = in_vitro(settings.matrix, scene.dimensions, bench)
        self.is_flat = place.is_coat
        setting = setting_of(bench, place, settings.duration, settings.clones)
        setting = replace(setting, interval=_INTERVAL)
        arms = list(setting.arms)
        if scene.second:
            setting = replace(setting, arms=[*arms, *((*arm, *scene.second) for arm in arms)])
        self.founders = Founders(setting, draws)
        own = self.founders.on.arm_subjects
        n = len(arms)
        self.populations = [tuple(own[i::n]) for i in range(n)]
        self.repeats = settings.repeats
        if bench.is_reference:
            self.repeats = max(self.repeats, REFERENCE_TISSUES)
        self.numerics = Numerics(exchange=EXCHANGE)
        self.duration = self._rounded(setting.duration)
        frames = np.linspace(0.0, self.duration, _FRAMES)
        self.course = [self._rounded(each / _DAY) for each in frames]
        self.days = [min(self._rounded(day), self.duration) for day in settings.days]

    def _rounded(self, days: float) -> float:
        """A time in whole exchanges, the nearest one after the start [min]."""
        step = self.numerics.exchange
        return step * max(round(days * _DAY / step), 0 if days == 0.0 else 1)

    def outcome(self) -> Outcome:
        """Run everything."""
        draws, arms, outcomes = len(self.draws), len(self.populations), len(self.settings.outcomes)
        times = sorted({*self.course, *self.days})
        values = np.full((draws, arms, self.repeats, outcomes, len(times)), np.nan)
        status = np.zeros((draws, arms), np.int64)
        snapshots: Mapping[str, Sequence[Snapshot]] = {}
        for d in range(draws):
            for arm, populations in enumerate(self.populations):
                of = [self.founders.subject(d, each) for each in populations]
                status[d, arm] = max(self.founders.status(each) for each in of)
            for r in range(self.repeats):
                keeps = self.bench.is_reference and d == r == 0
                record = _Record(times, values[d, :, r], frames={} if keeps else None)
                self._run(d, r, np.flatnonzero(status[d] == 0).tolist(), record)
                for arm, why in record.failed.items():
                    status[d, arm] = why
                if record.frames is not None:
                    snapshots = self._frames(record, times)
        return self._told(values, status, times, snapshots)

    def _frames(self, record: _Record, times: list[float]) -> dict[str, list[Snapshot]]:
        """Frames of the course by name of the arm."""
        assert record.frames is not None
        chosen = [times.index(each) for each in dict.fromkeys(self.course)]
        return {
            name: [record.frames[arm][i] for i in chosen if i < len(record.frames[arm])]
            for arm, name in enumerate(self.bench.arms)
            if arm in record.frames
        }

    def _told(self, values: FloatArray, status: Any, times: list[float], snapshots: Any) -> Outcome:
        mean = _mean(values)
        course = [times.index(each) for each in self.course]
        days = [times.index(each) for each in self.days]
        on = self.founders.on
        return Outcome(
            status=status,
            readouts=mean[..., days],
            days=np.asarray(self.settings.days, dtype=float),
            courses=mean[..., course],
            times=np.array(self.course) / _DAY,
            lines=on.lines,
            k_int=np.array([each["k_int"] for each in on.values]),
            arrays={"repeats": values[..., days]},
            snapshots=snapshots,
        )

    def _run(self, draw: int, repeat: int, arms: list[int], record: _Record) -> None:
        """Run the tissues of one draw and repeat."""
        stream = Stream(self.bench.seed, animal=repeat, draw=self.draws[draw].number)
        groups: dict[Any, list[int]] = {}
        for arm in arms:
            groups.setdefault(self._start(draw, arm), []).append(arm)
        for alike in groups.values():
            tissue = self._founded(draw, alike[0], stream)
            past: _Past = {}
            self._note(tissue, past, alike, record)
            self._follow(tissue, past, draw, alike, 0, record)

    def _start(self, draw: int, arm: int) -> Any:
        """What tells the founders of arms apart."""
        state = self.founders.on.batch.blocks
        width = state.state.shape[0] // self.founders.on.shape[0]
        parts = []
        for each in self.populations[arm]:
            s = self.founders.subject(draw, each) * width
            parts += [a[s : s + width].tobytes() for a in (state.state, state.readouts, state.step)]
        has_drugs = self._has_drugs(arm)
        return (*parts, has_drugs)

    def _has_drugs(self, arm: int) -> bool:
        """Whether anything is in the medium, so that its way into the tissue matters."""
        subjects = [self.founders.on.arms[each] for each in self.populations[arm]]
        return any(not isinstance(item, Edit) for items in subjects for item in items)

    def _founded(self, draw: int, arm: int, stream: Stream) -> Tissue:
        cells, values = self.settings.cells, self.draws[draw].values("closures", "tissue")
        of = [self.founders.subject(draw, each) for each in self.populations[arm]]
        signals = self.founders.signals(draw, of, cells)
        places = self.scene.arrange(_APART * values["radius"], stream)
        fields = () if self.is_flat else ("oxygen", "tgfb")
        if self._has_drugs(arm) and not self.is_flat:
            fields = (*fields, "drug")
        reach = float(np.abs(places).max()) if places.size else 0.0
        return Tissue.seeded(
            values, places, stream=stream, signals=signals,
            clones=self.founders.clones(cells, len(of)),
            collagen=0.0 if self.is_flat else self.scene.collagen,
            extent=2.0 * (reach + _MARGIN), fields=fields, numerics=self.numerics,
            is_flat=self.is_flat,
        )  # fmt: skip

    def _schedules(self, draw: int, arm: int) -> Schedule:
        of = [self.founders.subject(draw, each) for each in self.populations[arm]]
        return self.founders.schedule(of)

    def _follow(
        self, tissue: Tissue, past: _Past, draw: int, arms: list[int], first: int, record: _Record
    ) -> None:
        """Follow arms that have been one tissue up to an interval; branch it where they part."""
        schedules = {arm: self._schedules(draw, arm) for arm in arms}
        for i in range(first, self.founders.on.grid.size - 1):
            kinds: dict[bytes, list[int]] = {}
            for arm in arms:
                kinds.setdefault(_row(schedules[arm], i), []).append(arm)
            if len(kinds) > 1:
                for alike in kinds.values():
                    branch = tissue.branch(schedules[alike[0]])
                    self._follow(branch, dict(past), draw, alike, i, record)
                return
            try:
                self._advance(tissue, past, self._end(schedules[arms[0]], i), arms, record)
            except (SimulationError, ParameterError):  # also of cells that lie far apart
                unsolved = tissue.signals is not None and tissue.signals.has_failed
                record.failed |= dict.fromkeys(arms, UNSOLVED if unsolved else NOT_FINITE)
                return

    def _end(self, schedule: Schedule, i: int) -> float:
        """When the networks first meet what interval ``i`` + 1 brings [min]."""
        window = self.numerics.signals * self.numerics.exchange
        n = 0
        while schedule.at((n + 0.5) * window) <= i and n * window < self.duration:
            n += 1
        return min(n * window, self.duration)

    def _advance(
        self, tissue: Tissue, past: _Past, end: float, arms: list[int], record: _Record
    ) -> None:
        for minutes in sorted({*record.minutes, *map(_before, record.minutes)}):
            if tissue.time < minutes <= end:
                tissue.advance(minutes - tissue.time)
                self._note(tissue, past, arms, record)
        if tissue.time < end:
            tissue.advance(end - tissue.time)

    def _note(self, tissue: Tissue, past: _Past, arms: list[int], record: _Record) -> None:
        """Keep a tissue as it is, and read it for all arms that it stands for if it is time."""
        time = tissue.time
        past[time] = now = tissue.snapshot()
        if time not in record.minutes:
            return
        moved = displaced(now, past[_before(time)]) if time > 0.0 else now
        values = self.scene.read(Look(now, moved, past[0.0]))
        column = record.minutes.index(time)
        for arm in arms:
            record.values[arm, :, column] = values
            if record.frames is not None:
                record.frames.setdefault(arm, []).append(now)


def _before(minutes: float) -> float:
    """When to look for where cells come from [min]."""
    return max(minutes - _LOOK_BACK, 0.0)


def _row(schedule: Schedule, i: int) -> bytes:
    """What is done in an interval."""
    parts = (schedule.inputs[..., i, :], schedule.inner[..., i, :], schedule.kills[i])
    return b"".join(np.ascontiguousarray(each).tobytes() for each in parts)


def _mean(values: FloatArray) -> FloatArray:
    """Mean over the repeats that have a value, from first to last; NaN if none has.

    Parameters
    ----------
    values
        Shape (draws, arms, repeats, outcomes, times).
    """
    total, count = np.zeros((2, *values.shape[:2], *values.shape[3:]))
    for r in range(values.shape[2]):
        known = np.isfinite(values[:, :, r])
        total += np.where(known, values[:, :, r], 0.0)
        count += known
    mean: FloatArray = np.full(total.shape, np.nan)
    np.divide(total, count, out=mean, where=count > 0.0)
    return mean
