"""Trajectories a second of the network solver, against libRoadRunner at the same measured error.

``python benchmarks/network.py --json``

Subjects differ in every parameter; each starts from its own untreated steady state and loses nine
tenths of its free β1 integrin. Both tools get the same equations, parameters, starts and output
times and the same number of cores: unmoor as threads, libRoadRunner as processes that have loaded
the model once. The tolerance of each is the loosest of a scan whose measured error (largest of all
subjects, species and times, relative to a reference at 1e-11) is at most 1e-6. Rounds alternate
between both tools, and ratios are taken within a round.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import multiprocessing
import statistics
import sys
import time
from bisect import bisect_left
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from roadrunner_model import FloatArray, RoadRunner

from unmoor import catalog
from unmoor.random import Stream
from unmoor.signalling.batch import Batch
from unmoor.signalling.network import Network
from unmoor.signalling.networks.adhesion_emt import CORES, adhesion_emt
from unmoor.trial.run import usable_cores

SEED = 4
LANES = 8
SETTLE = 20_000.0  # h
TREATED = {"itgb1": 0.1}
WANTED = 1e-6  # measured error at which tools are compared
REFERENCE = 1e-11
CHECKED = 200  # subjects on which the reference is compared with the other tool
SCANNED = 1000  # subjects that a tolerance must pass before all are tried
TOLERANCES = [float(f"{10.0 ** (-power / 10):.2g}") for power in range(50, 121)]  # ten a decade
TABLES = (("closures", "adhesion"), ("closures", "cell"))
DRAWN = {
    "k_int": (0.3, 3.0), "tone": (0.01, 3.0), "f": (0.3, 1.3), "e_present": (0.1, 1.0),
    "beta1_tot": (0.25, 4.0), "c0": (0.05, 1.0),
}  # fmt: skip
OTHERS = 1.1  # factor either way for every other parameter


@dataclass(frozen=True)
class Subjects:
    """What both tools get, shapes (subjects, …)."""

    network: Network
    parameters: FloatArray
    start: FloatArray

    def part(self, first: int, last: int) -> Subjects:
        """Some of the subjects."""
        return Subjects(self.network, self.parameters[first:last], self.start[first:last])

    def __len__(self) -> int:
        return len(self.parameters)


@dataclass(frozen=True)
class Timed:
    """States at the output times, and what they took."""

    states: FloatArray
    seconds: float
    cpu_seconds: float


Tool = Callable[[Subjects, float], Timed]


def draw(network: Network, core: str, count: int) -> FloatArray:
    """Parameters of each subject, log-uniform, shape (subjects, parameters)."""
    nominal = {"malignant": 1.0}
    for kind, name in (*TABLES, ("networks", core)):
        nominal |= catalog.table(kind, name).values_by_id()
    columns = []
    for name in network.parameters:
        low, high = DRAWN.get(name) or (nominal[name] / OTHERS, nominal[name] * OTHERS)
        if name == "malignant" or low == 0.0:
            low = high = nominal[name]
        uniform = Stream(SEED).uniform(np.arange(count, dtype=np.uint64), f"benchmark/{name}")
        columns.append(low * (high / low) ** uniform if low else np.zeros(count))
    return np.stack(columns, axis=1)


def batch(subjects: Subjects, rtol: float) -> Batch:
    """Subjects side by side, as clones of one."""
    values = {name: subjects.parameters[:, i] for i, name in enumerate(subjects.network.parameters)}
    made = Batch(subjects.network, values, (1, len(subjects)), rtol)
    padded = np.zeros((made.width, subjects.start.shape[1]))
    padded[: len(subjects)] = subjects.start
    made.state[:] = padded.reshape(-1, LANES, padded.shape[1]).transpose(0, 2, 1)
    return made


def settled(network: Network, parameters: FloatArray) -> Subjects:
    """Subjects in their untreated steady states."""
    start = np.tile(network.state_start(), (len(parameters), 1))
    ready = batch(Subjects(network, parameters, start), REFERENCE)
    ends = ready.courses([SETTLE])
    if ready.failed().any():
        raise SystemExit("a subject has no steady state")
    states = [ends[name][0, :, 0] for name in network.species]
    return Subjects(network, parameters, np.stack(states, axis=1))


def unmoor(workers: int, times: FloatArray) -> Tool:
    """The package's solver on threads."""

    def one(subjects: Subjects, rtol: float) -> FloatArray:
        cells = batch(subjects, rtol)
        for label, value in TREATED.items():
            cells.set_input(label, value)
        courses = cells.courses(times)
        if cells.failed().any():
            raise SystemExit("a subject could not be solved")
        return np.stack([courses[name][0] for name in subjects.network.species], axis=-1)

    def run(subjects: Subjects, rtol: float) -> Timed:
        parts = split(subjects, workers)
        began, cpu = time.perf_counter(), time.process_time()
        with ThreadPoolExecutor(workers) as pool:
            states = list(pool.map(one, parts, [rtol] * len(parts)))
        spent = time.perf_counter() - began, time.process_time() - cpu
        return Timed(np.concatenate(states), *spent)

    return run


def split(subjects: Subjects, parts: int) -> list[Subjects]:
    """Subjects in equal parts."""
    edges = np.linspace(0, len(subjects), parts + 1).astype(int)
    return [subjects.part(a, b) for a, b in pairwise(edges) if b > a]


def serve(pipe: Any, core: str, times: FloatArray) -> None:
    """A process with libRoadRunner: subjects in, states and CPU seconds out."""
    network = adhesion_emt(core)
    runner = RoadRunner(network, TREATED)
    while (task := pipe.recv()) is not None:
        parameters, start, rtol = task
        cpu = time.process_time()
        states = runner.courses(parameters, start, float(times[-1]), times.size, rtol)
        pipe.send(time.process_time() - cpu)  # done; the clock stops before results are sent
        pipe.send(states)


@contextmanager
def roadrunner(core: str, workers: int, times: FloatArray) -> Iterator[Tool]:
    """Run libRoadRunner on processes of its own, each with the model loaded."""
    context = multiprocessing.get_context("spawn")
    pipes, processes = [], []
    for _ in range(workers):
        ours, theirs = context.Pipe()
        process = context.Process(target=serve, args=(theirs, core, times), daemon=True)
        process.start()
        theirs.close()  # so that a process that dies is noticed
        pipes.append(ours)
        processes.append(process)

    def run(subjects: Subjects, rtol: float) -> Timed:
        parts = split(subjects, workers)
        began = time.perf_counter()
        for pipe, part in zip(pipes, parts, strict=False):
            pipe.send((part.parameters, part.start, rtol))
        used = pipes[: len(parts)]
        cpu = sum(pipe.recv() for pipe in used)
        spent = time.perf_counter() - began
        return Timed(np.concatenate([pipe.recv() for pipe in used]), spent, cpu)

    try:
        yield run
    finally:
        for pipe in pipes:
            pipe.send(None)
        for process in processes:
            process.join()


def largest_error(states: FloatArray, reference: FloatArray) -> float:
    """Largest relative error over subjects, times and species."""
    return float(np.max(np.abs(states / reference - 1.0)))


def loosest(tool: Tool, subjects: Subjects, reference: FloatArray) -> tuple[float, float]:
    """Loosest tolerance whose measured error is small enough, and that error."""
    some = subjects.part(0, min(SCANNED, len(subjects)))

    def passes(rtol: float) -> bool:
        return largest_error(tool(some, rtol).states, reference[: len(some)]) <= WANTED

    first = bisect_left(TOLERANCES, True, key=passes)
    for rtol in TOLERANCES[first:]:
        error = largest_error(tool(subjects, rtol).states, reference)
        if error <= WANTED:
            return rtol, error
    raise SystemExit(f"no tolerance down to {TOLERANCES[-1]} gives an error of {WANTED:g}")


def measure(core: str, count: int, rounds: int, hours: float, points: int) -> dict[str, Any]:
    """Figures of one core of the network."""
    network, workers = adhesion_emt(core), usable_cores()
    times = np.linspace(0.0, hours, points + 1)[1:]
    subjects = settled(network, draw(network, core, count))
    own = unmoor(workers, times)
    reference = own(subjects, REFERENCE).states
    rtol, error = loosest(own, subjects, reference)
    figures: dict[str, Any] = {
        "network": network.name, "subjects": count, "hours": hours, "output_times": points,
        "cores": workers, "rounds": rounds, "tolerance": rtol, "measured_error": error,
    }  # fmt: skip
    if importlib.util.find_spec("roadrunner") is None:
        runs = [own(subjects, rtol) for _ in range(rounds)]
        rates = [count / run.seconds for run in runs]
        return (
            figures
            | {"trajectories_per_second": statistics.median(rates)}
            | {"ratio_to_libroadrunner": None}
        )
    with roadrunner(core, workers, times) as other:
        return figures | _compare(own, other, subjects, reference, rtol, rounds)


def _compare(
    own: Tool, other: Tool, subjects: Subjects, reference: FloatArray, rtol: float, rounds: int
) -> dict[str, Any]:
    """Rounds of both tools in turn."""
    checked = min(CHECKED, len(subjects))
    tight = other(subjects.part(0, checked), 1e-12).states
    other_rtol, other_error = loosest(other, subjects, reference)
    pairs = [(own(subjects, rtol), other(subjects, other_rtol)) for _ in range(rounds)]
    count = len(subjects)
    rates = [count / a.seconds for a, _ in pairs]
    ratios = [b.seconds / a.seconds for a, b in pairs]
    return {
        "trajectories_per_second": statistics.median(rates),
        "trajectories_per_cpu_second": statistics.median(count / a.cpu_seconds for a, _ in pairs),
        "ratio_to_libroadrunner": statistics.median(ratios),
        "ratio_range": [min(ratios), max(ratios)],
        "ratio_by_cpu_seconds": statistics.median(b.cpu_seconds / a.cpu_seconds for a, b in pairs),
        "reference_against_libroadrunner": largest_error(tight, reference[:checked]),
        "libroadrunner": {
            "tolerance": other_rtol,
            "measured_error": other_error,
            "trajectories_per_second": statistics.median(count / b.seconds for _, b in pairs),
            "trajectories_per_cpu_second": statistics.median(
                count / b.cpu_seconds for _, b in pairs
            ),
        },
    }


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--subjects", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--hours", type=float, default=720.0)
    parser.add_argument("--points", type=int, default=30, help="output times")
    parser.add_argument("--cores", nargs="+", choices=CORES, default=list(CORES), help="EMT cores")
    options = parser.parse_args()
    found = [
        measure(core, options.subjects, options.rounds, options.hours, options.points)
        for core in options.cores
    ]
    if options.json:
        sys.stdout.write(json.dumps({**found[0], "others": found[1:]}, indent=2) + "\n")
        return 0
    for figures in found:
        sys.stdout.writelines(f"{name}: {value}\n" for name, value in figures.items())
    return 0


if __name__ == "__main__":
    sys.exit(main())
