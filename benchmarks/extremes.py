"""Every layer of the model at the ends of what is allowed: nothing may go wrong in silence.

``python benchmarks/extremes.py --json --points 100000``

The points are a Latin hypercube over the ranges of all catalog tables, the levels of lines, and the
inputs that treatments change; every tenth point is a corner, with each number at one of its ends.
A point is *failed* when the model says so, with a reason, and *silent* when the model gives a
number that is not finite, is negative or lies outside its bounds and says nothing. There must be no
silent point and at most one failed point in a thousand; the exit status is 1 otherwise.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from unmoor import catalog
from unmoor.assays.orthotopic_xenograft import NOT_FINITE, run_xenograft
from unmoor.assays.preparation import Preparation, Setting
from unmoor.assays.treatment import treat
from unmoor.catalog.draws import Draw
from unmoor.cell.line import CellLine, Structure
from unmoor.cell.line_rule import LineParameters, derive
from unmoor.cell.phenotype import behave, settle
from unmoor.organism.colonisation import chances
from unmoor.organism.primary_tumour import grow
from unmoor.random import Stream
from unmoor.signalling.batch import FAILURES
from unmoor.signalling.networks.adhesion_emt import INPUTS, READOUTS
from unmoor.signalling.readouts import Readouts
from unmoor.therapy.drug import Drug
from unmoor.therapy.regimen import Edit, Regimen
from unmoor.tissue.escape import leave

FloatArray = npt.NDArray[np.float64]

SEED = 20
TOLERANCE = 1e-9  # of the size of a quantity: less below zero is rounding
SOLVED_SHARE = 0.999
CORNER_EVERY = 10
BLOCK = 2000  # points whose arrays are held at a time
BATCH = 25  # points of the whole xenograft that share line, host, arms and duration
STRUCTURES = (
    Structure("cascading", "tgfb"), Structure("cascading", "itgb3"),
    Structure("ternary", "tgfb"), Structure("ternary", "itgb3"),
    Structure("cascading", "tgfb", "balance"), Structure("cascading", "itgb3", "balance"),
)  # fmt: skip
DAYS = (14.0, 1.0, 7.0, 28.0, 90.0)  # culture, then a time course
REASONS = {**FAILURES, NOT_FINITE: "an outcome is not a finite number"}
CELL_LAYERS = ("network", "behaviour", "escape", "growth")
LEVELS = ("L_ITGB1", "L_TGFBR2", "L_SMAD4", "L_ITGB3", "e_score", "emt_score", "vim")


@dataclass(frozen=True)
class Hypercube:
    """A Latin hypercube with one column a name, made when it is first asked for.

    A column depends on seed, points and name alone: a new parameter shifts no other.
    """

    points: int
    seed: int = SEED
    _columns: dict[str, FloatArray] = field(default_factory=dict, compare=False, repr=False)

    def column(self, name: str) -> FloatArray:
        """Numbers in (0, 1), one in each of as many strata as there are points."""
        if name not in self._columns:
            ids, stream = np.arange(self.points, dtype=np.uint64), Stream(self.seed)
            rank = np.empty(self.points)
            order = np.argsort(stream.uniform(ids, f"extremes/{name}"), kind="stable")
            rank[order] = np.arange(self.points)
            column = (rank + stream.uniform(ids, f"extremes/jitter/{name}")) / self.points
            end = 1e-3 if name.startswith("line/") else 2.0**-40  # 3.1 sd of a normal, or the end
            corner = np.arange(self.points) % CORNER_EVERY == CORNER_EVERY - 1
            ends = np.where(column < 0.5, end, 1.0 - end)
            self._columns[name] = np.where(corner, ends, column)
        return self._columns[name]

    def at(self, name: str, point: int) -> float:
        """Number of one point."""
        return float(self.column(name)[point])


@dataclass(frozen=True)
class PointDraw(Draw):
    """A parameter set whose numbers are those of a point of a hypercube."""

    cube: Hypercube = field(default_factory=lambda: Hypercube(1))

    def uniforms(self, names: Sequence[str]) -> list[float]:
        """Numbers in (0, 1) of parameters, by name."""
        return [self.cube.at(name, self.number - 1) for name in names]

    @property
    def point(self) -> int:
        """Place in the hypercube."""
        return self.number - 1


def draws_of(cube: Hypercube, points: Sequence[int]) -> list[PointDraw]:
    """Parameter sets of some points."""
    return [PointDraw(SEED, point + 1, None, True, cube=cube) for point in points]


@lru_cache(maxsize=1)
def level_ranges() -> dict[str, tuple[float, float]]:
    """Lowest and highest level that the catalog allows any line to have."""
    tables = [catalog.table("cell_lines", name) for name in catalog.names("cell_lines")]
    return {
        name: (min(table[name].low for table in tables), max(table[name].high for table in tables))
        for name in LEVELS
    }


@dataclass(frozen=True)
class PointLine(CellLine):
    """A line whose levels are those of the point; host and species are another line's."""

    def parameters(self, draw: Draw, emt_core: str) -> LineParameters:
        """The line rule at the levels of the point."""
        levels = dict(self.levels.values_by_id())
        for name, (low, high) in level_ranges().items():
            levels[name] = low + (high - low) * draw.uniform(f"level/{name}")
        return derive(
            levels,
            draw.values("closures", "line_rule"),
            draw.values("networks", emt_core),
            is_malignant=self.is_malignant,
            normal=lambda name: draw.normal(f"line/{name}"),
            uniform=lambda name: draw.uniform(f"line/{name}"),
        )

    @classmethod
    def like(cls, name: str) -> PointLine:
        """A line of the catalog with the levels of points."""
        line = CellLine.load(name)
        return cls(line.name, line.species, line.is_malignant, line.levels, line.about)


def level(u: FloatArray, untouched: float) -> FloatArray:
    """Level of an input: a third untouched, a third knocked down, a third over-expressed."""
    low = np.minimum(3.0 * u, 1.0)
    high = 10.0 ** (3.0 * np.clip(3.0 * u - 2.0, 0.0, 1.0))
    if untouched == 0.0:
        return np.where(u < 1.0 / 3.0, 0.0, np.where(u < 2.0 / 3.0, 3.0 * u - 1.0, high))
    return np.where(u < 1.0 / 3.0, low, np.where(u < 2.0 / 3.0, untouched, high))


class Findings:
    """What came out of a layer."""

    def __init__(self, points: int) -> None:
        self.points, self.started = points, time.perf_counter()
        self.failed: dict[int, str] = {}
        self.silent: dict[int, str] = {}
        self.lowest = 0.0

    def fail(self, point: int, reason: str) -> None:
        """Count a point that the model calls failed."""
        self.failed.setdefault(point, reason)

    def expect(
        self, points: Sequence[int], name: str, values: Any, low: float, high: float = np.inf
    ) -> None:
        """Count points whose values, along the first axis, are not finite or out of bounds."""
        array = np.asarray(values, dtype=float).reshape(len(points), -1)
        with np.errstate(invalid="ignore"):
            wrong = ~np.isfinite(array) | (array < low) | (array > high)
        for row in np.flatnonzero(wrong.any(axis=1)):
            value = array[row][wrong[row]][0]
            if points[row] not in self.failed:
                self.silent.setdefault(points[row], f"{name} = {value!r}")
        solved = [row for row, point in enumerate(points) if point not in self.failed]
        if solved and low < 0.0:
            self.lowest = min(self.lowest, float(np.nanmin(array[solved])))

    def summary(self) -> dict[str, Any]:
        """As it is printed."""
        reasons = Counter(self.failed.values())
        share = 1.0 - len(self.failed) / self.points
        examples = sorted(self.silent.items())[:5]
        return {
            "points": self.points,
            "solved_share": share,
            "failed": dict(sorted(reasons.items())),
            "failed_points": sorted(self.failed)[:5],
            "silent": len(self.silent),
            "silent_examples": [f"point {point}: {what}" for point, what in examples],
            "seconds": round(time.perf_counter() - self.started, 1),
            "passed": not self.silent and share >= SOLVED_SHARE,
        }


def blocks(cube: Hypercube, size: int) -> Iterator[list[int]]:
    """Points of a hypercube, some at a time."""
    for first in range(0, cube.points, size):
        yield list(range(first, min(first + size, cube.points)))


def lines(cube: Hypercube) -> Findings:
    """The line rule, for both cores."""
    found, line = Findings(cube.points), PointLine.like("4T1")
    names = ("beta1_tot", "f", "e_present", "tone", "c0", "prime_f", "prime_tone")
    for points in blocks(cube, BLOCK):
        for core in ("cascading", "ternary"):
            made = [line.parameters(draw, core) for draw in draws_of(cube, points)]
            for name in names:
                found.expect(points, name, [getattr(each, name) for each in made], 0.0)
            found.expect(points, "e_present", [each.e_present for each in made], 0.0, 1.0)
    return found


def cells(cube: Hypercube, structures: Sequence[Structure]) -> dict[str, Findings]:
    """Steady state, time course, behaviour, escape and growth of cells of some structures."""
    found = {
        each.name: {layer: Findings(cube.points) for layer in CELL_LAYERS} for each in structures
    }
    line = PointLine.like("4T1")
    for points in blocks(cube, BLOCK):
        draws = draws_of(cube, points)
        for structure in structures:
            setting = Setting(line, "balbc", [], structure, 1.0, 1e6, 1, SEED)
            Cells(cube, points, Preparation(setting, draws, 1)).live(found[structure.name])
    return {
        f"cells {name}: {layer}": each for name, own in found.items() for layer, each in own.items()
    }


class Cells:
    """A block of points: one cell each, under inputs of its own."""

    def __init__(self, cube: Hypercube, points: list[int], on: Preparation) -> None:
        self.points, self.on = points, on
        self.index = np.array(points)
        self.inputs = {
            name: level(cube.column(f"input/{name}")[self.index], untouched)
            for name, untouched in {**INPUTS, "systemic": 1.0}.items()
        }
        self.inputs["systemic"] = np.minimum(self.inputs["systemic"], 1.0)

    def live(self, found: Mapping[str, Findings]) -> None:
        """Home, culture, treatment and withdrawal; behaviour at the end of each."""
        self._check(found, "untreated")
        home = self._readouts()
        for i in range(len(self.points)):
            settle(self.on.constants[i], self.on.cells[i, 0], home[i])
        self._behave(found, home, is_treated=False)
        for label in INPUTS:
            self.on.batch.set_input(label, self.inputs[label][:, None])
        for days in DAYS:
            self.on.batch.advance(24.0 * days)
            self._check(found, f"after {days:g} d")
        self._behave(found, self._readouts(), is_treated=True)
        for label, untouched in INPUTS.items():
            self.on.batch.set_input(label, untouched)
        self.on.batch.advance(24.0 * DAYS[-1])
        self._check(found, "withdrawn")

    def _readouts(self) -> list[Readouts]:
        values = self.on.batch.readouts()
        return [Readouts(*(float(values[n][i, 0]) for n in values)) for i in range(len(self.index))]

    def _check(self, found: Mapping[str, Findings], when: str) -> None:
        batch, network = self.on.batch, self.on.network
        for row in np.flatnonzero(batch.failed()):
            for layer in found.values():
                layer.fail(self.points[row], REASONS[int(batch.failed()[row])])
        scale = dict(zip(network.species, network.state_scale(), strict=True))
        for name, values in batch.species().items():
            found["network"].expect(self.points, f"{name} {when}", values / scale[name], -TOLERANCE)
        sizes = {name: scale.get(species, 1.0) for name, species in READOUTS.items()}
        sizes["psmad"] = 1.0  # a share
        for name, values in batch.readouts().items():
            values = values / sizes.get(name, 1.0)
            high = 1.0 + TOLERANCE if name == "psmad" else np.inf
            found["network"].expect(self.points, f"{name} {when}", values, -TOLERANCE, high)

    def _behave(
        self, found: Mapping[str, Findings], now: Sequence[Readouts], *, is_treated: bool
    ) -> None:
        c, records = self.on.constants, self.on.cells
        one = np.ones(len(self.points))
        itgb1, ptk2, systemic = (
            self.inputs[name] if is_treated else one for name in ("itgb1", "ptk2", "systemic")
        )
        done = [behave(c[i], records[i, 0], r, itgb1[i], ptk2[i]) for i, r in enumerate(now)]
        leaving = self.on.leaving
        grown = [record.growth for record in records[:, 0]]
        left = [leave(leaving.of(i), c[i], each, grown[i]) for i, each in enumerate(done)]
        founded = [chances(c[i], phenotype, systemic[i]) for i, phenotype in enumerate(done)]
        for part in (done, left, founded):
            layer = found["behaviour" if part is done else "escape"]
            for name in type(part[0])._fields:
                values = [getattr(each, name) for each in part]
                is_share = name in ("cohesion", "mesenchymal", "stranded")
                low = -np.inf if name in ("front_speed", "net_growth") else 0.0
                layer.expect(self.points, name, values, low, 1.0 if is_share else np.inf)
        if is_treated:
            self._grow(found["growth"], done)

    def _grow(self, found: Findings, done: Sequence[Any]) -> None:
        """A year of one clone with this behaviour, from one cell to a thousand million."""
        tumours = self.on.tumours
        u = np.array([draw.uniform("inoculum") for draw in self.on.draws])
        volumes = 10.0 ** (9.0 * u) * tumours.volumes[:, 0, 0] / 1e6
        rates = np.array([(each.growth, each.death_rate, 1.0) for each in done])
        course = np.empty((len(done), 2, 4))
        _years(volumes, tumours.alpha[:, 0], tumours.beta[:, 0], rates, course)
        # volume, shedding, exposure in the second half; the first half is on the way
        found.expect(self.points, "volume, shedding, exposure", course[:, :, :3], 0.0)
        ceiling = np.exp(np.maximum(tumours.alpha / tumours.beta, 0.0)[:, 0]) * 1.01
        found.expect(
            self.points, "volume of carrying capacity",
            course[:, :, 0] / np.maximum(ceiling, volumes)[:, None], 0.0, 1.0,
        )  # fmt: skip


@numba.njit  # type: ignore[untyped-decorator]
def _years(
    volumes: FloatArray, alpha: FloatArray, beta: FloatArray, rates: FloatArray, course: FloatArray
) -> None:
    for i in range(volumes.size):
        volume, shed, exposure = np.full((1, 1), volumes[i]), np.zeros(1), np.zeros(1)
        for half in range(2):
            for _ in range(365):
                grow(
                    volume, shed, exposure, alpha[i : i + 1], beta[i : i + 1],
                    rates[i : i + 1].T.copy(), 0.5,
                )  # fmt: skip
            course[i, half, 0], course[i, half, 1] = volume[0, 0], shed[0]
            course[i, half, 2], course[i, half, 3] = exposure[0], 0.0


def pharmacokinetics(cube: Hypercube) -> Findings:
    """Drugs of the catalog at any dose and schedule; each point has one of them."""
    found, names = Findings(cube.points), catalog.names("drugs")
    grid = np.linspace(0.0, 28.0, 57)
    for points in blocks(cube, BLOCK):
        for point, draw in zip(points, draws_of(cube, points), strict=True):
            given = regimen(draw, names[int(draw.uniform("drug") * len(names))], 28.0)
            made = treat([(given,)], [draw], grid, INPUTS, "mouse", None)
            for label, course in made.courses.items():
                found.expect([point], label, np.append(course.at, course.mean), 0.0)
            systemic = np.append(made.systemic.at, made.systemic.mean)
            found.expect([point], "systemic", systemic, 0.0, 1.0)
    return found


def regimen(draw: Draw, drug: str, duration: float) -> Regimen:
    """A drug at a dose from nothing to the highest that is allowed, from hourly to once."""
    routes = (None, *Drug.load(drug).routes)
    u = {name: draw.uniform(f"regimen/{name}") for name in ("dose", "every", "start", "route")}
    every = 10.0 ** (np.log10(1.0 / 24.0) + 3.9 * u["every"] / 0.9)
    return Regimen(
        drug,
        dose=0.0 if u["dose"] < 0.05 else 10.0 ** (-3.0 + 6.0 * (u["dose"] - 0.05) / 0.95),
        every=float(max(every, 1.0 / 24.0)) if u["every"] < 0.9 else None,
        start=float(duration * u["start"] ** 3),
        route=routes[int(u["route"] * len(routes))],
    )


@dataclass(frozen=True)
class Batch:
    """Points of the whole xenograft that share everything but their parameters."""

    cube: Hypercube
    number: int

    @cached_property
    def _draw(self) -> PointDraw:
        return draws_of(self.cube, [self.number])[0]

    def _pick(self, what: str, among: Sequence[Any]) -> Any:
        return among[int(self._draw.uniform(f"setting/{what}") * len(among))]

    def _log(self, what: str, low: float, high: float) -> float:
        u = self._draw.uniform(f"setting/{what}")
        return float(min(max(low * (high / low) ** u, low), high))

    def setting(self) -> Setting:
        """Line, host, structure, arms, duration and cells; arms with up to three items."""
        duration = self._log("duration", 0.01, 365.0)
        line = PointLine.like(self._pick("line", catalog.names("cell_lines")))
        return Setting(
            line=replace(line, is_malignant=self._draw.uniform("setting/malignant") > 0.2),
            host=self._pick("host", catalog.names("hosts")),
            arms=[tuple(self._items(duration))],
            structure=self._pick("structure", STRUCTURES),
            duration=duration,
            inoculum=self._log("inoculum", 1.0, 1e9),
            clones=1 + int(self._draw.uniform("setting/clones") * 12),
            seed=SEED,
        )

    def _items(self, duration: float) -> Iterator[Edit | Regimen]:
        genes = [("ITGB1",), ("ITGB3",), ("PTK2",), ("MAPK14",), ("TGFB1",), ("TGFBR1",)]
        genes += [("SMAD4",), ("SNAI1",), ("ZEB1",), ("MIR200",), ("CDH1",)]
        for part in ("first", "second"):
            u = self._draw.uniform(f"setting/{part}/factor")
            gene = self._pick(f"{part}/gene", genes)[0]
            if u < 0.4:
                yield Edit(gene, change="knock_down", factor=2.5 * u)
            elif u < 0.8:
                yield Edit(gene, change="over_express", factor=max(10 ** (7.5 * (u - 0.4)), 1.001))
            elif u < 0.9 and gene in ("MIR200", "CDH1"):
                factor = max(10 ** (60 * (u - 0.85)), 1e-3)
                yield Edit(
                    gene, change="re_express", factor=min(factor, 1000.0), start=duration / 3
                )
        if self._draw.uniform("setting/treated") < 0.7:
            yield regimen(self._draw, self._pick("drug", catalog.names("drugs")), duration)


def xenograft(cube: Hypercube) -> Findings:
    """Whole animals: an untreated and a treated arm of every point."""
    found = Findings(cube.points)
    settings = Hypercube(-(-cube.points // BATCH), SEED + 1)
    for number, points in enumerate(blocks(cube, BATCH)):
        setting = replace(Batch(settings, number).setting())
        setting = replace(setting, arms=[(), *setting.arms])
        result = run_xenograft(setting, draws_of(cube, points), 2)
        for row in np.flatnonzero(result.status.any(axis=1)):
            found.fail(points[row], REASONS[int(result.status[row].max())])
        for name in ("volume", "expected_metastases", "exposure", "shedding", "singles"):
            found.expect(points, name, getattr(result, name), 0.0)
        found.expect(points, "clusters", result.clusters, 0.0)
        highest = float(np.finfo(np.float32).max)  # courses are kept as such
        found.expect(points, "courses", result.courses, -TOLERANCE, highest)
    return found


def run(points: int, only: Sequence[str] = ()) -> dict[str, Findings]:
    """All layers, or some of them by the start of their names."""
    cube, found = Hypercube(points), {}
    wanted = tuple(only) or ("",)
    if "lines".startswith(wanted):
        found["lines"] = lines(cube)
    structures = [each for each in STRUCTURES if f"cells {each.name}".startswith(wanted)]
    if structures:
        found |= cells(cube, structures)
    if "pharmacokinetics".startswith(wanted):
        found["pharmacokinetics"] = pharmacokinetics(cube)
    if "xenograft".startswith(wanted):
        found["xenograft"] = xenograft(cube)
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Run and tell; 1 if a layer did not pass."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else "")
    parser.add_argument("--points", type=int, default=10_000)
    parser.add_argument("--only", nargs="*", default=[], help="starts of names of layers")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    found = {name: each.summary() for name, each in run(options.points, options.only).items()}
    passed = all(each["passed"] for each in found.values())
    if options.json:
        told = {"seed": SEED, "points": options.points, "passed": passed, "layers": found}
        sys.stdout.write(json.dumps(told, indent=1) + "\n")
    else:
        for name, each in found.items():
            sys.stdout.write(
                f"{name:40} solved {each['solved_share']:.5f}  silent {each['silent']}  "
                f"{each['seconds']:.0f} s  {each['failed'] or ''} {each['silent_examples'] or ''}\n"
            )
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
