"""Radius of a growing monolayer over 13 days, against what Brú and others measured (1998).

``python benchmarks/monolayer.py --json --threads 2``

A disc of cells with the radius measured at 336 h grows to 646 h. Cells in its middle are too
crowded to grow, so it grows at its rim and its radius rises linearly. Constants: catalog
``closures/c6``, of which two are fitted to these radii. Printed: radii (of the disc with the same
radius of gyration) and their ratios to the data, the speed of the front in each interval, and how
long it took.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from typing import Any

import numpy as np

from unmoor import catalog
from unmoor.random import Stream
from unmoor.tissue.lives import Behaviours
from unmoor.tissue.seeding import disc
from unmoor.tissue.tissue import Numerics, Tissue

DATA = ((336, 570), (386, 700), (408, 795), (481, 1020), (506, 1125), (646, 1520))  # h, µm


def radius(tissue: Tissue) -> float:
    """Radius of the disc with the tissue's radius of gyration [µm]."""
    place = tissue.bodies.position[tissue.slots, :2]
    return float(np.sqrt(2.0 * ((place - place.mean(axis=0)) ** 2).sum(axis=1).mean()))


def colony(start: float, seed: int, numerics: Numerics) -> Tissue:
    """Return a disc of cells of a radius [µm]."""
    values = catalog.table("closures", "tissue").values_by_id()
    values |= catalog.table("closures", "c6").values_by_id()
    spacing, stream = 1.9 * values["radius"], Stream(seed)
    cells = round(math.pi * start**2 / (spacing**2 * math.sqrt(0.75)))
    behaviours = Behaviours.of(
        cells,
        division=24.0 * math.log(2.0) / values["cycle"],
        speed=0.0,
        cohesion=values["cohesion"],
    )
    return Tissue.seeded(
        values,
        disc(cells, spacing, stream),
        stream=stream,
        behaviours=behaviours,
        numerics=numerics,
        is_flat=True,
    )


def grow(until: float, start: float, seed: int, numerics: Numerics) -> dict[str, Any]:
    """Run to a time [h] and compare; a smaller start is compared in speed alone."""
    clock, work = time.perf_counter(), time.process_time()
    tissue = colony(start, seed, numerics)
    before, rows = (DATA[0][0], radius(tissue)), []
    for hours, measured in DATA[1:]:
        if hours > until:
            break
        tissue.advance((hours - before[0]) * 60.0)
        now = radius(tissue)
        rows.append({
            "hours": hours,
            "cells": tissue.living,
            "radius": now,
            "radius_ratio": now / measured,
            "speed": (now - before[1]) / (hours - before[0]),
        })  # fmt: skip
        before = (hours, now)
    return {
        "times": rows,
        "largest_radius_error": max(abs(row["radius_ratio"] - 1.0) for row in rows),
        "wall_seconds": time.perf_counter() - clock,
        "cpu_seconds": time.process_time() - work,
        "threads": numerics.threads,
        "seed": seed,
    }


def main() -> int:
    """Read the command line, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--until", type=float, default=DATA[-1][0], help="hours, at least 386")
    parser.add_argument("--start", type=float, default=DATA[0][1], help="radius at 336 h, µm")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--dt", type=float, default=0.3, help="step of movement, min")
    parser.add_argument("--exchange", type=float, default=6.0, help="time between exchanges, min")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    if options.until < DATA[1][0]:
        parser.error(f"--until {options.until:g} is before the second radius, at {DATA[1][0]} h")
    numerics = Numerics(dt=options.dt, exchange=options.exchange, threads=options.threads)
    found = grow(options.until, options.start, options.seed, numerics)
    if options.json:
        sys.stdout.write(json.dumps(found, indent=2) + "\n")
        return 0
    for row in found.pop("times"):
        sys.stdout.write("  ".join(f"{name} {value:.4g}" for name, value in row.items()) + "\n")
    sys.stdout.write("  ".join(f"{name} {value:.4g}" for name, value in found.items()) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
