"""Simulate the sets that the statistics are compared on: 50 of counts, survival and volumes each.

``PYTHONPATH=src:benchmarks python tests/statistics/make_sets.py`` writes the tables beside it. The
values are rounded, so that the text is the data; reference.R then adds what R makes of them. Groups
have 4 to 31 animals; there are ties, zeros, overdispersion, censoring, drop-out and true effects.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import type_one_error as generators

from unmoor.random import Stream

HERE = Path(__file__).parent
SETS = range(50)
SIZES = (4, 5, 6, 8, 10, 12, 15, 20, 25, 30)
MEANS, SPREADS, EFFECTS = (1.5, 4.0, 12.0, 25.0, 60.0), (0.6, 1.0, 1.3), (1.0, 2.0, 0.5, 1.5)
SMALLEST, FIRST = 20.0, 8.0  # mm³ and d, of volumes


def write(name: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a table of tab-separated values."""
    lines = ["\t".join(map(str, row)) for row in (header, *rows)]
    (HERE / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


def counts(number: int) -> list[tuple[object, ...]]:
    """Counts of one set; a third of the sets have unequal groups."""
    n, more = SIZES[number % 10], number % 3
    what = generators.Counts(
        "", MEANS[number // 10], SPREADS[number % 3], (0.0, 0.0, 0.2)[number % 3],
        EFFECTS[number % 4],
    )  # fmt: skip
    size = n + more
    found = generators.counted(what, 9000 + number, 1, size)[0]
    chosen = [*found[:n], *found[size:]]
    return [(number + 1, int(i >= n), int(count)) for i, count in enumerate(chosen)]


def survival(number: int) -> list[tuple[object, ...]]:
    """Days to the end point of one set; in some the treated live a few days longer."""
    n = SIZES[number % 10]
    volumes = generators.Volumes(
        "", 1.0, (2.0, 1.0, 3.5, 7.0)[number % 4], (36.0, 45.0, 50.0)[number % 3],
        (800.0, 1000.0, 1500.0)[number % 3],
    )  # fmt: skip
    what = generators.Survival("", volumes, (0.0, 0.2, 0.4)[number % 3])
    days, events = (x[0] for x in generators.last_days(what, 9100 + number, 1, 2 * n))
    later = (0, 2, 5)[number % 3]
    return [
        (number + 1, int(i >= n), round(float(day) + (later if i >= n and event else 0), 1), +event)
        for i, (day, event) in enumerate(zip(days, events.astype(int), strict=True))
    ]


def volumes(number: int) -> list[tuple[object, ...]]:
    """Readings of one set; animals differ in level and slope, in some sets the treated lag."""
    n = min(SIZES[number % 10], 12)
    what = generators.Volumes(
        "", (1.0, 2.0, 3.0)[number % 3], (3.0, 4.0, 6.0)[number % 3], (28.0, 36.0)[number % 2],
        (math.inf, 900.0, 1500.0)[number % 3],
    )  # fmt: skip
    days, readings = generators.grown(what, 9200 + number, 1, 2 * n)
    take = Stream(9300 + number).normal(np.arange(2 * n, dtype=np.uint64), "take")
    rows: list[tuple[object, ...]] = []
    for i in range(2 * n):
        for day, reading in zip(days, readings[0, i], strict=True):
            if day < FIRST:
                continue
            lag = 0.02 * (number % 4) * (day - 10.0) if i >= n else 0.0
            volume = max(reading, SMALLEST) * math.exp(0.35 * take[i] - lag)
            rows.append((number + 1, i + 1, int(i >= n), day, round(volume, 2)))
            if volume >= what.humane:
                break
    return rows


if __name__ == "__main__":
    write("counts.tsv", ("set", "treated", "count"), (x for s in SETS for x in counts(s)))
    write(
        "survival.tsv", ("set", "treated", "day", "event"), (x for s in SETS for x in survival(s))
    )
    header = ("set", "animal", "treated", "day", "volume")
    write("volumes.tsv", header, (x for s in SETS for x in volumes(s)))
