"""Steps of mechanics a second, against LAMMPS on as many cells with as many neighbours.

``python benchmarks/tissue.py --cells 100000 --threads 2 --json``

Cells stand in a jittered face-centred block, 5 % closer than they touch, 12.5 neighbours in range,
and walk at 0.5 µm/min with a persistence of 10 min; steps are 0.1 min, the number of cells stays.
Every cell has radius, reach, strengths, drag and drive of its own. The whole step counts: forces,
turns, moving, and the lists of neighbours with all that belongs to them.

LAMMPS has another potential (``lj/cut``, without parameters of atoms and without turns) and as many
atoms in the same block, the same neighbours within range and in its skin, on as many processes as
we have threads; its own loop time counts. Rounds take turns and ratios are taken within a round. By
processor time other jobs on the machine disturb less; LAMMPS reports the share it got.

``--scaling FOLDER`` instead writes what a step costs from 10³ to 10⁶ cells as a table and a figure.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from unmoor.random import Stream
from unmoor.tissue.bodies import Bodies
from unmoor.tissue.moving import Room, move

RADIUS, SPACING = 8.413, 0.95 * 2 * 8.413  # µm
STEP = 0.1  # min
SIZES = (1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000)
SKIN = 3.0  # µm
INPUT = """
units lj
atom_style atomic
boundary s s s
lattice fcc 1.4142135624
region all block -{half} {half} -{half} {half} -{half} {half}
create_box 1 all
create_atoms 1 box
mass 1 1.0
displace_atoms all random 0.03 0.03 0.03 5
velocity all create 0.05 87287
pair_style lj/cut 1.316
pair_coeff 1 1 0.05 0.89 1.316
neigh_modify every 1 delay 0 check yes
fix 1 all nve
timestep 0.005
thermo 1000000
run {warm}
run {steps}
"""


def block(cells: int) -> Bodies:
    """Cells in a jittered face-centred block."""
    side = math.ceil((cells / 4) ** (1 / 3))
    corner = np.stack(np.meshgrid(*[np.arange(side)] * 3, indexing="ij"), -1).reshape(-1, 1, 3)
    basis = np.array([[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]])
    place = (corner + basis).reshape(-1, 3)[:cells] * (SPACING * math.sqrt(2))
    numbers = np.arange(3 * cells, dtype=np.uint64)
    jitter = Stream(1).normal(numbers, "benchmark/jitter").reshape(cells, 3)
    bodies = Bodies.empty(cells)
    bodies.position[:] = place - place.mean(axis=0) + 0.5 * jitter
    bodies.radius[:], bodies.reach[:] = RADIUS, 1.25 * RADIUS
    bodies.repulsion[:], bodies.adhesion[:] = math.sqrt(10), math.sqrt(0.4)
    bodies.drive[:], bodies.persistence[:], bodies.mobility[:] = 0.5, 10.0, 1.0
    bodies.identity[:] = numbers[:cells] + np.uint64(1)
    return bodies


class Subject:
    """Cells that are moved on and on."""

    def __init__(self, cells: int, threads: int, how: Any) -> None:
        self.bodies, self.room = block(cells), Room()
        self.slots = np.arange(cells, dtype=np.int32)
        self.threads, self.how, self.done = threads, how, 0

    def run(self, steps: int) -> tuple[float, float]:
        """Updates of cells a second, and a processor second."""
        began, cpu = time.perf_counter(), time.process_time()
        move(
            self.bodies, self.slots, first=self.done, steps=steps, dt=STEP, key=Stream(1).key,
            skin=SKIN, threads=self.threads, how=self.how, room=self.room,
        )  # fmt: skip
        self.done += steps
        updates = steps * self.slots.size
        return updates / (time.perf_counter() - began), updates / (time.process_time() - cpu)


def lammps_program() -> tuple[str, str] | None:
    """The programs ``lmp`` and ``mpiexec`` of this environment, if it has them."""
    folder = Path(sys.executable).parent
    found = [shutil.which(name, path=str(folder)) for name in ("lmp", "mpiexec")]
    return (found[0], found[1]) if found[0] and found[1] else None


def lammps(programs: tuple[str, str], cells: int, ranks: int, steps: int) -> tuple[float, float]:
    """Updates of atoms a second, and a processor second."""
    half = (cells / 4) ** (1 / 3) / 2
    library = str(Path(sys.prefix) / "lib")
    paths = [library, *filter(None, [os.environ.get("LD_LIBRARY_PATH")])]
    with tempfile.TemporaryDirectory() as folder:
        text = INPUT.format(half=half, warm=max(1, steps // 10), steps=steps)
        (Path(folder) / "in").write_text(text, encoding="utf-8")
        done = subprocess.run(
            [programs[1], "-n", str(ranks), programs[0], "-in", "in", "-log", "none"],
            cwd=folder, capture_output=True, text=True, check=False,
            env={**os.environ, "LD_LIBRARY_PATH": ":".join(paths), "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
    loops = re.findall(r"Loop time of (\S+) on \d+ procs for (\d+) steps with (\d+)", done.stdout)
    shares = re.findall(r"([\d.]+)% CPU use", done.stdout)
    if done.returncode or len(loops) != 2:
        raise SystemExit(f"LAMMPS: {done.stdout[-1000:]}{done.stderr[-1000:]}")
    seconds, updates = float(loops[1][0]), int(loops[1][1]) * int(loops[1][2])
    # The share is of one process, so that each of several can have 100 %.
    return updates / seconds, updates / (seconds * ranks * float(shares[1]) / 100)


def measure(cells: int, threads: int, rounds: int, steps: int) -> dict[str, Any]:
    """Rounds of vector code, plain code and LAMMPS in turn."""
    programs = lammps_program()
    subjects = [Subject(cells, threads, how) for how in ("vector", "plain")]
    for subject in subjects:
        subject.run(max(steps // 2, 20))  # compiles, and relaxes the jitter
    vector, plain, other = [], [], []
    for _ in range(rounds):
        vector.append(subjects[0].run(steps))
        if programs:
            other.append(lammps(programs, cells, threads, steps))
        plain.append(subjects[1].run(max(steps // 4, 20)))
    figures = {
        "cells": cells, "threads": threads, "rounds": rounds, "steps_a_round": steps,
        "cell_updates_per_second": statistics.median(wall for wall, _ in vector),
        "cell_updates_per_cpu_second": statistics.median(cpu for _, cpu in vector),
        "ratio_to_lammps": None, "plain_ratio_to_lammps": None, "peak_megabytes": peak(),
    }  # fmt: skip
    for which, name in ((0, ""), (1, "_by_cpu_seconds")):
        figures["ratio_to_plain" + name] = _ratio(vector, plain, which)
        if other:
            figures["ratio_to_lammps" + name] = _ratio(vector, other, which)
            figures["plain_ratio_to_lammps" + name] = _ratio(plain, other, which)
            rate = statistics.median(one[which] for one in other)
            figures["lammps_updates_per" + (name and "_cpu") + "_second"] = rate
    return figures


def _ratio(one: list[tuple[float, float]], other: list[tuple[float, float]], which: int) -> float:
    """Median of the ratios of each round."""
    return statistics.median(a[which] / b[which] for a, b in zip(one, other, strict=True))


def peak() -> float:
    """Largest memory of this process so far [MB]."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def one_size(cells: int, threads: int) -> dict[str, float]:
    """Cost at one size, for a process of its own."""
    subject, steps = Subject(cells, threads, "vector"), min(2000, max(40, 4_000_000 // cells))
    subject.run(max(20, steps // 4))
    rounds = [subject.run(steps) for _ in range(3)]
    return {
        "cells": cells,
        "nanoseconds_per_update": 1e9 / statistics.median(wall for wall, _ in rounds),
        "cpu_nanoseconds_per_update": 1e9 / statistics.median(cpu for _, cpu in rounds),
        "peak_megabytes": peak(),
    }


def scaling(folder: Path, threads: int, sizes: list[int]) -> list[dict[str, float]]:
    """Write table and figure of what an update costs at each size."""
    rows = []
    for cells in sizes:
        command = [sys.executable, __file__, "--one", str(cells), "--threads", str(threads)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{cells} cells: {done.stderr[-2000:]}")
        rows.append(json.loads(done.stdout))
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["\t".join(rows[0]), *("\t".join(f"{x:.6g}" for x in row.values()) for row in rows)]
    (folder / "tissue_scaling.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    _draw(folder, rows)
    return rows


def _draw(folder: Path, rows: list[dict[str, float]]) -> None:
    import matplotlib as mpl
    from matplotlib.figure import Figure

    mpl.rcParams["svg.hashsalt"] = "tissue"
    figure = Figure(figsize=(5, 3.2), layout="constrained")
    axes = figure.add_subplot(
        xscale="log", xlabel="cells", ylabel="time of an update of one cell [ns]"
    )
    cells = [row["cells"] for row in rows]
    for name, label in (("", "wall clock"), ("cpu_", "all threads together")):
        axes.plot(cells, [row[f"{name}nanoseconds_per_update"] for row in rows], "o-", label=label)
    axes.set_ylim(bottom=0)
    axes.legend()
    for kind in ("svg", "png"):
        figure.savefig(folder / f"tissue_scaling.{kind}", dpi=150, metadata={})


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--cells", type=int, default=100_000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=200, help="of a round")
    parser.add_argument("--scaling", type=Path, metavar="FOLDER", help="write cost by size")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="of --scaling")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one is not None:
        sys.stdout.write(json.dumps(one_size(options.one, options.threads)))
        return 0
    if options.scaling is not None:
        rows = scaling(options.scaling, options.threads, list(options.sizes))
        found: dict[str, Any] = {"threads": options.threads, "sizes": rows}
    else:
        found = measure(options.cells, options.threads, options.rounds, options.steps)
    if options.json:
        sys.stdout.write(json.dumps(found, indent=2) + "\n")
        return 0
    sys.stdout.writelines(f"{name}: {value}\n" for name, value in found.items())
    return 0


if __name__ == "__main__":
    sys.exit(main())
