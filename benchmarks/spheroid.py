"""Growth of a spheroid over 19 days, against what Freyer and Sutherland counted and measured.

``python benchmarks/spheroid.py --json --threads 2``

EMT6/Ro cells in stirred medium, from the 600 there were at 102 h to 561 h. Cells divide every 13 h
with all they need, let go at the surface when they divide (both numbers measured), run short of
oxygen inside, and die there. Constants: catalog ``closures/emt6``, of which seven are fitted to the
curve. Printed: numbers of living cells and diameters (of the circle with the area of the outline)
at the times of the data, their ratios to these, the rate of shedding, and how long it took.

``--until H`` stops earlier; ``--networks`` instead follows a spheroid of about 10 000 cells of a
line for ``--days`` days in collagen, each cell with its network, with oxygen, TGFβ and a drug.
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
from unmoor.tissue.bodies import FloatArray
from unmoor.tissue.lives import Behaviours
from unmoor.tissue.seeding import ball
from unmoor.tissue.snapshot import LIVING, NECROTIC
from unmoor.tissue.tissue import Numerics, Tissue

START = (102.0, 600)  # h, cells
DATA = (  # h, cells, µm
    (148, 1472, 272), (193, 4409, 370), (243, 14968, 461), (270, 30327, 559), (366, 62197, 821),
    (414, 121828, 917), (463, 202963, 1053), (561, 244836, 1207),
)  # fmt: skip
PIXEL = 4.0  # µm
HOUR = 60.0  # min


class Shedding:
    """Cells in surface voxels let go when they divide, both daughters of a share of divisions."""

    def __init__(self, share: float) -> None:
        self.share, self.gone = share, 0

    def __call__(self, tissue: Tissue) -> None:
        """Take away who lets go."""
        lives, around = tissue.lives, tissue.surroundings.at_cells
        is_fresh = (lives.phase == LIVING) & (lives.progress == 0.0) & (around.bare > 0.0)
        fresh = np.flatnonzero(is_fresh)
        own = tissue.bodies.identity[fresh]
        mother = np.where(lives.divisions[fresh] == 0, lives.parent[fresh], own)
        leaves = fresh[tissue.stream.uniform(mother, "shedding", tissue.exchanges) < self.share]
        lives.phase[leaves] = 0
        self.gone += leaves.size


def spheroid(seed: int, numerics: Numerics, values: dict[str, float]) -> tuple[Tissue, Shedding]:
    """Return the spheroid at its start, and the rule that sheds cells."""
    stream, cells = Stream(seed), START[1]
    shedding = Shedding(values["shed_share"])
    tissue = Tissue.seeded(
        values,
        ball(cells, 1.9 * values["radius"], stream),
        stream=stream,
        behaviours=Behaviours.of(
            cells,
            division=24.0 * math.log(2.0) / values["cycle"],
            speed=0.0,
            cohesion=values["cohesion"],
        ),
        extent=1600.0,
        fields=("oxygen",),
        numerics=numerics,
        is_stirred=True,
        added=(shedding,),
    )
    return tissue, shedding


def diameter(position: FloatArray, radius: FloatArray) -> float:
    """Diameter of the circle with the area of the outline, seen from above [µm]."""
    from scipy import ndimage

    low = position[:, :2].min(axis=0) - 30.0
    shape = np.ceil((position[:, :2].max(axis=0) + 30.0 - low) / PIXEL).astype(int)
    covered = np.zeros(shape, np.bool_)
    place = (position[:, :2] - low) / PIXEL
    pixel = np.floor(place).astype(int)
    far = math.ceil(float(radius.max()) / PIXEL)
    for step in np.ndindex(2 * far + 1, 2 * far + 1):
        other = pixel + step - far
        inside = ((other + 0.5 - place) ** 2).sum(axis=1) <= (radius / PIXEL) ** 2
        covered[other[inside, 0], other[inside, 1]] = True
    area = ndimage.binary_fill_holes(covered).sum() * PIXEL**2
    return 2.0 * math.sqrt(area / math.pi)


def grow(until: float, seed: int, numerics: Numerics) -> dict[str, Any]:
    """Run to a time [h] and compare."""
    values = catalog.table("closures", "tissue").values_by_id()
    values |= catalog.table("closures", "emt6").values_by_id()
    clock, work = time.perf_counter(), time.process_time()
    tissue, shedding = spheroid(seed, numerics, values)
    rows, shed_rates, before = [], [], START[0]
    for hours, cells, across in DATA:
        if hours > until:
            break
        gone = shedding.gone
        tissue.advance((hours - before) * HOUR)
        slots = tissue.slots
        found = diameter(tissue.bodies.position[slots], tissue.bodies.radius[slots].astype(float))
        surface = math.pi * (found * 1e-3) ** 2  # mm²
        shed_rates.append((shedding.gone - gone) / (hours - before) / surface)
        rows.append({
            "hours": hours,
            "cells": tissue.living,
            "cells_ratio": tissue.living / cells,
            "diameter": found,
            "diameter_ratio": found / across,
            "necrotic": int((tissue.lives.phase[slots] == NECROTIC).sum()),
            "shed_per_mm2_h": shed_rates[-1],
            "seconds": time.perf_counter() - clock,
        })  # fmt: skip
        before = hours
        told = rows[-1]
        sys.stderr.write(
            f"{hours} h: {told['cells']} cells (× {told['cells_ratio']:.2f} of the data), "
            f"{told['diameter']:.0f} µm (× {told['diameter_ratio']:.2f}), {told['seconds']:.0f} s\n"
        )
    return {
        "times": rows,
        "largest_cells_factor": max(math.exp(abs(math.log(r["cells_ratio"]))) for r in rows),
        "largest_diameter_error": max(abs(r["diameter_ratio"] - 1.0) for r in rows),
        "wall_seconds": time.perf_counter() - clock,
        "cpu_seconds": time.process_time() - work,
        "threads": numerics.threads,
        "seed": seed,
    }


def with_networks(days: float, seed: int, cells: int, numerics: Numerics) -> dict[str, Any]:
    """Follow a spheroid in collagen under an antibody, with all networks and fields."""
    from unmoor.assays.base import Bench
    from unmoor.assays.culture import in_vitro, setting_of
    from unmoor.assays.founders import Founders
    from unmoor.catalog.draws import Draw
    from unmoor.cell.line import CellLine, Structure
    from unmoor.therapy.regimen import Regimen

    arms = {"antibody": (Regimen(drug="anti_itgb1", concentration="100 nM"),)}
    bench = Bench(CellLine.load("4T1"), arms, Structure(), seed)
    draw = Draw(seed, 0)
    founders = Founders(setting_of(bench, in_vitro("collagen_i", "3d", bench), days, 16), [draw])
    values, stream = draw.values("closures", "tissue"), Stream(seed)
    places = ball(cells, 2.0 * values["radius"], stream)
    tissue = Tissue.seeded(
        values, places, stream=stream, signals=founders.signals(0, [0], cells),
        clones=founders.clones(cells, 1), collagen=2.5,
        extent=2.0 * (float(np.abs(places).max()) + 150.0),
        fields=("oxygen", "tgfb", "drug"), numerics=numerics,
    )  # fmt: skip
    tissue.advance(HOUR)  # compiles
    clock, work = time.perf_counter(), time.process_time()
    counts, whole = [tissue.living], [tissue.slots.size]
    for _ in range(round(24.0 * days) - 1):
        tissue.advance(HOUR)
        counts.append(tissue.living)
        whole.append(tissue.slots.size)
    cell_days = sum(whole) / 24.0
    return {
        "days": days,
        "cells_at_start": cells,
        "cells_at_end": counts[-1],
        "bodies_at_end": whole[-1],
        "mean_bodies": sum(whole) / len(whole),
        "wall_seconds": time.perf_counter() - clock,
        "cpu_seconds": time.process_time() - work,
        "cpu_seconds_for_10000_cells_over_14_days": (
            (time.process_time() - work) / cell_days * 10_000 * 14
        ),
        "threads": numerics.threads,
    }


def main() -> int:
    """Read the command line, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--until", type=float, default=DATA[-1][0], help="hours, at least 148")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--dt", type=float, default=0.3, help="step of movement, min")
    parser.add_argument("--exchange", type=float, default=6.0, help="time between exchanges, min")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--networks", action="store_true", help="cells with networks, in collagen")
    parser.add_argument("--days", type=float, default=14.0, help="with --networks")
    parser.add_argument("--cells", type=int, default=10_000, help="with --networks, at the start")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    if options.until < DATA[0][0]:
        parser.error(f"--until {options.until:g} is before the first data, at {DATA[0][0]} h")
    numerics = Numerics(dt=options.dt, exchange=options.exchange, threads=options.threads)
    if options.networks:
        found = with_networks(options.days, options.seed, options.cells, numerics)
    else:
        found = grow(options.until, options.seed, numerics)
    if options.json:
        sys.stdout.write(json.dumps(found, indent=2) + "\n")
        return 0
    for row in found.pop("times", []):
        sys.stdout.write("  ".join(f"{name} {value:.4g}" for name, value in row.items()) + "\n")
    sys.stdout.write("  ".join(f"{name} {value:.4g}" for name, value in found.items()) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
