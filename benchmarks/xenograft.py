"""Where the time of the headline study goes: imports, chunks by structure, tables, files, report.

``python benchmarks/xenograft.py --json``

Each part is run ``--rounds`` times in one process, one chunk after the other without threads; the
minimum and the median are told. Machine code is ready. Chunks are told for each draw.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

Made = TypeVar("Made")
IMPORTS = {
    "command line": "import unmoor.cli",
    "a study": "from unmoor.trial.study import Study",
    "a run": "import unmoor.trial.run",
}


class Clock:
    """Wall and CPU seconds of each part, by name."""

    def __init__(self) -> None:
        self.taken: dict[str, list[tuple[float, float]]] = {}

    def time(self, name: str, work: Callable[[], Made]) -> Made:
        """Do something and note how long it took."""
        wall, cpu = time.perf_counter(), time.process_time()
        made = work()
        took = time.perf_counter() - wall, time.process_time() - cpu
        self.taken.setdefault(name, []).append(took)
        return made

    def figures(self) -> dict[str, dict[str, float]]:
        """Median wall seconds, and least and median CPU seconds, of each part."""
        return {
            name: {
                "seconds": statistics.median(wall for wall, _ in rounds),
                "cpu_seconds": statistics.median(cpu for _, cpu in rounds),
                "least_cpu_seconds": min(cpu for _, cpu in rounds),
            }
            for name, rounds in self.taken.items()
        }


def imports(rounds: int) -> dict[str, float]:
    """Median seconds of a new process that imports something, less one that imports nothing."""

    def seconds(code: str) -> float:
        taken = []
        for _ in range(rounds):
            began = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], check=True)
            taken.append(time.perf_counter() - began)
        return statistics.median(taken)

    nothing = seconds("")
    return {name: seconds(code) - nothing for name, code in IMPORTS.items()}


def measure(name: str, draws: int | None, rounds: int) -> dict[str, Any]:
    """Time the parts of a built-in study."""
    from unmoor.catalog import draws as catalog_draws
    from unmoor.report import report
    from unmoor.trial.chunks import compute, plan
    from unmoor.trial.result import Result
    from unmoor.trial.study import Study
    from unmoor.trial.tables import build

    settings = {} if draws is None else {"uncertainty.draws": str(draws)}
    study = Study.load(name, settings=settings)
    chunks, clock = plan(study), Clock()
    for structure in dict.fromkeys(chunk.structure for chunk in chunks):
        structure.network.compiled  # noqa: B018 - compiles and caches
    compute(study, chunks[0], days=1.0)
    counts: dict[str, int] = {}
    for chunk in chunks:
        kind = "reference" if chunk.first == 0 else chunk.structure.name
        counts[kind] = counts.get(kind, 0) + chunk.last - chunk.first + 1
    for _ in range(rounds):
        catalog_draws._draw.cache_clear()  # nothing is remembered from the round before
        done, kinds = {}, Clock()
        for chunk in chunks:
            kind = "reference" if chunk.first == 0 else chunk.structure.name
            done[chunk.key] = kinds.time(kind, lambda c=chunk: compute(study, c))  # type: ignore[misc]
        for kind, taken in kinds.taken.items():
            total = sum(wall for wall, _ in taken), sum(cpu for _, cpu in taken)
            clock.taken.setdefault(f"chunks {kind}", []).append(total)
        tables = clock.time("tables", lambda d=done: build(study, d))  # type: ignore[misc]
        result = Result(study, tables)
        clock.time("files", result.tables)
        with tempfile.TemporaryDirectory() as folder:
            clock.time("report", lambda r=result, f=folder: report(r, Path(f)))  # type: ignore[misc]
    parts = clock.figures()
    for kind, count in counts.items():
        part = parts[f"chunks {kind}"]
        part |= {"draws": count, "milliseconds_per_draw": 1e3 * part["least_cpu_seconds"] / count}
    return {"study": name, "rounds": rounds, "parts": parts}


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--study", default="truong2014", help="a built-in study or a file")
    parser.add_argument("--draws", type=int, help="instead of the study's own number")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    found = measure(options.study, options.draws, options.rounds)
    found["imports_seconds"] = imports(options.rounds)
    if options.json:
        sys.stdout.write(json.dumps(found, indent=2) + "\n")
        return 0
    for name, part in found["parts"].items():
        told = "  ".join(f"{key} {value:.4g}" for key, value in part.items())
        sys.stdout.write(f"{name}: {told}\n")
    sys.stdout.write(f"imports: {found['imports_seconds']}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
