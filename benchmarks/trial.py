"""Time and memory of a trial of 10⁴ animals, and how both grow from 10² to 10⁵ animals an arm.

``python benchmarks/trial.py --json``

One line, vehicle against knock-down of ITGB1, a few parameter draws, as a run folder with all
tables and the report. Each size runs in a process of its own, so that the peak of its memory is its
own; machine code is ready. ``growth`` holds the exponent of time and memory between the two largest
sizes: 1 is linear.
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

SIZES = (100, 1_000, 10_000, 100_000)
STUDY = """
schema     = 1
seed       = 7
cell_lines = ["4T1"]
control    = "vehicle"

[[assays]]
name     = "orthotopic_xenograft"
host     = "balbc"
inoculum = "1e6 cells"
duration = "28 d"
animals  = {animals}

[arms]
"vehicle" = []
"knock-down" = [{{ gene = "ITGB1", change = "knock_down", factor = 0.1 }}]

[uncertainty]
draws  = {draws}
rivals = false
"""
MEGABYTE = 1024 * 1024


def peak() -> float:
    """Largest memory of this process so far [MB]."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / MEGABYTE


def one(animals: int, draws: int) -> dict[str, float]:
    """Run one trial in this process."""
    began, clock = time.process_time(), time.perf_counter()
    from unmoor.report import report
    from unmoor.trial.study import Study

    marks = {"imports": (clock, began, peak())}
    study = Study.loads(STUDY.format(animals=animals, draws=draws))
    with tempfile.TemporaryDirectory() as folder:
        result = study.run(out=Path(folder))
        marks["run"] = time.perf_counter(), time.process_time(), peak()
        report(result, Path(folder) / "report.html")
        marks["report"] = time.perf_counter(), time.process_time(), peak()
        assert result.path is not None
        written = sum(file.stat().st_size for file in result.path.rglob("*") if file.is_file())
    wall, cpu, _ = marks["report"]
    return {
        "animals": animals,
        "seconds": wall - clock,
        "cpu_seconds": cpu - began,
        "report_seconds": wall - marks["run"][0],
        "peak_megabytes": marks["report"][2],
        "peak_before_report_megabytes": marks["run"][2],
        "written_megabytes": written / MEGABYTE,
    }


def measure(animals: int, draws: int) -> dict[str, float]:
    """Run one trial in a process of its own."""
    command = [sys.executable, __file__, "--one", str(animals), "--draws", str(draws)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{animals} animals: {done.stderr[-2000:]}")
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def exponent(sizes: list[dict[str, float]], name: str) -> float | None:
    """Power with which a figure grows between the two largest sizes."""
    if len(sizes) < 2:
        return None
    a, b = sizes[-2:]
    return math.log(b[name] / a[name]) / math.log(b["animals"] / a["animals"])


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--draws", type=int, default=8)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="animals an arm")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one is not None:
        sys.stdout.write(json.dumps(one(options.one, options.draws)))
        return 0
    measure(10, 1)  # compiles
    sizes = [measure(animals, options.draws) for animals in sorted(options.sizes)]
    names = ("cpu_seconds", "peak_megabytes", "written_megabytes")
    found: dict[str, Any] = {
        "draws": options.draws,
        "arms": 2,
        "sizes": sizes,
        "growth": {name: exponent(sizes, name) for name in names},
    }
    if options.json:
        sys.stdout.write(json.dumps(found, indent=2) + "\n")
        return 0
    for figures in sizes:
        sys.stdout.write("  ".join(f"{name} {value:.4g}" for name, value in figures.items()) + "\n")
    sys.stdout.write(f"growth {found['growth']}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
