"""Time of a screen of one line, and how it grows with draws, arms and animals.

``python benchmarks/foresight.py --json``

What is timed is the command a person gives, ``unmoor screen STUDY``, from its start to the report:
cells alone under each prior, tumours and metastases in animals under the study's own structure,
consistency, tables and figures. Parameter sets are drawn from the ranges, since there are fewer
plausible ones than 1 000. Every screen starts with an empty memory; machine code is ready. Its
least processor time of ``--rounds`` counts.

``scaling`` is of the simulation alone (``foretell``), in one process: each size is varied while the
others are those of the headline, but for draws, which are ``--else-draws``. A whole command has a
fixed cost of imports and figures, which would hide how the simulation grows. Rounds go through all
sizes in turn, so that a drift of the machine falls on each. ``growth`` holds the exponent of the
least processor time between the two largest sizes: 1 is linear. Draws that could not be solved are
counted, since they cost less.

The exit status is 1 if the headline takes more than its budget, ten minutes, of *processor* time:
less than ten minutes on two cores allow, and less disturbed by other jobs than wall time.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import unmoor
from unmoor.analysis.foretelling import foretell
from unmoor.trial.chunks import structures
from unmoor.trial.study import Study

BUDGET, CORES = 600.0, 2  # s, and cores it is to be kept on
SIZES = {"draws": (50, 200, 1_000), "arms": (2, 4, 8), "animals": (5, 20, 100)}
HEADLINE = {"draws": 1_000, "arms": 4, "animals": 20}
LOST = '{ gene = "ITGB1", change = "knock_down", factor = 0.1 }'
ANTIBODY = '{ drug = "anti_itgb1", dose = "10 mg/kg", every = "3 d", start = "0 d" }'
INHIBITOR = '{ drug = "tgfbr1_inhibitor", dose = "30 mg/kg", every = "12 h", start = "0 d" }'
ARMS = {
    "vehicle": (),
    "knock-down": (LOST,),
    "knock-down + inhibitor": (LOST, INHIBITOR),
    "antibody": (ANTIBODY,),
    "antibody + inhibitor": (ANTIBODY, INHIBITOR),
    "inhibitor": (INHIBITOR,),
    "knock-down + late inhibitor": (LOST, INHIBITOR.replace('"0 d"', '"21 d"')),
    "antibody stopped": (ANTIBODY.replace('"0 d"', '"0 d", stop = "14 d"'),),
}
STUDY = """
schema     = 1
seed       = 7
cell_lines = ["HCC1806"]
control    = "vehicle"

[[assays]]
name     = "orthotopic_xenograft"
host     = "nsg"
inoculum = "1e6 cells"
duration = "28 d"
animals  = {animals}

[arms]
{arms}

[uncertainty]
draws  = {draws}
rivals = false
sets   = "ranges"
"""


def study(draws: int, arms: int, animals: int) -> str:
    """A study of these sizes."""
    chosen = list(ARMS.items())[:arms]
    told = "\n".join(f'"{name}" = [{", ".join(given)}]' for name, given in chosen)
    return STUDY.format(draws=draws, arms=told, animals=animals)


def screen(sizes: dict[str, int], workers: int) -> dict[str, Any]:
    """Time of one screen, in a process of its own with an empty memory."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "study.toml")
        path.write_text(study(**sizes), encoding="utf-8")
        command = [sys.executable, "-m", "unmoor.cli", "screen", str(path), "--json",
                   "--out", str(Path(folder, "runs")), "--workers", str(workers)]  # fmt: skip
        environment = {**os.environ, "PYTHONPATH": str(Path(unmoor.__file__).parents[1])}
        before, began = os.times(), time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        seconds, after = time.perf_counter() - began, os.times()
    if done.returncode:
        raise SystemExit(f"{sizes}: {done.stderr[-2000:]}")
    cpu = sum(after[2:4]) - sum(before[2:4])  # of processes that ended: user and system
    first = json.loads(done.stdout)["arms"][0]
    return {
        **sizes,
        "seconds": seconds,
        "cpu_seconds": cpu,
        "draws_per_second": sizes["draws"] / seconds,
        "draws_per_cpu_second": sizes["draws"] / cpu,
        "most_p_switch": first["p_switch"],
    }


def simulation(sizes: dict[str, int], workers: int) -> dict[str, Any]:
    """Time of the simulation of one screen, from an empty memory, in this process."""
    asked = Study.loads(study(**sizes))
    wall, cpu = time.perf_counter(), time.process_time()
    found = foretell(asked, among=structures(asked)[:1], workers=workers)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    solved = np.isfinite(found.tumour[0, 0]).all(axis=0)
    return {
        **sizes,
        "seconds": wall,
        "cpu_seconds": cpu,
        "cpu_milliseconds_per_draw": 1e3 * cpu / sizes["draws"],
        "unsolved_draws": int((~solved).sum()),
    }


def least(rows: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """The round with the least processor time."""
    return min(rows, key=lambda row: float(row["cpu_seconds"]))


def exponent(rows: Sequence[dict[str, Any]], size: str) -> float | None:
    """Power with which processor time grows between the two largest sizes."""
    if len(rows) < 2:
        return None
    a, b = rows[-2:]
    return math.log(b["cpu_seconds"] / a["cpu_seconds"]) / math.log(b[size] / a[size])


def measure(
    headline: dict[str, int],
    sizes: dict[str, Sequence[int]],
    else_draws: int,
    workers: int,
    rounds: int,
) -> dict[str, Any]:
    """The headline as a command, and each size varied."""
    tiny = {"draws": 1, "arms": len(ARMS), "animals": 2}
    screen(tiny, workers)  # compiles
    main = least(screen(headline, workers) for _ in range(rounds))
    asked = {
        name: [{**headline, "draws": else_draws, name: value} for value in sorted(values)]
        for name, values in sizes.items()
    }
    places = {tuple(each.values()): each for each in [headline, *itertools.chain(*asked.values())]}
    simulation(tiny, workers)  # loads machine code
    taken: list[dict[tuple[int, ...], dict[str, Any]]] = [
        {place: simulation(each, workers) for place, each in places.items()} for _ in range(rounds)
    ]
    known = {place: least(each[place] for each in taken) for place in places}
    scaling = {name: [known[tuple(x.values())] for x in rows] for name, rows in asked.items()}
    return {
        **main,
        "unsolved_draws": known[tuple(headline.values())]["unsolved_draws"],
        "workers": workers,
        "rounds": rounds,
        "budget_seconds": BUDGET,
        "is_within_budget": main["cpu_seconds"] <= BUDGET,
        "scaling": scaling,
        "growth": {name: exponent(rows, name) for name, rows in scaling.items()},
    }


def main() -> int:
    """Measure and print; 1 if the headline takes too long."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--json", action="store_true", help="print JSON")
    for name, value in HEADLINE.items():
        parser.add_argument(f"--{name}", type=int, default=value, help="of the headline")
        parser.add_argument(f"--vary-{name}", type=int, nargs="*", default=SIZES[name])
    parser.add_argument("--else-draws", type=int, default=200, help="while others are varied")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=CORES)
    options = parser.parse_args()
    headline = {name: getattr(options, name) for name in HEADLINE}
    sizes = {name: getattr(options, f"vary_{name}") for name in HEADLINE}
    found = measure(headline, sizes, options.else_draws, options.workers, options.rounds)
    status = 0 if found["is_within_budget"] else 1
    if options.json:
        sys.stdout.write(json.dumps(found, indent=2) + "\n")
        return status
    scaling = found.pop("scaling")
    sys.stdout.write("  ".join(f"{name} {value}" for name, value in found.items()) + "\n")
    for name, rows in scaling.items():
        for row in rows:
            told = f"{row[name]} {name}: {row['cpu_seconds']:.1f} processor s"
            sys.stdout.write(f"{told}, {row['seconds']:.1f} s\n")
    return status


if __name__ == "__main__":
    sys.exit(main())
