"""The table of escape against runs of the tissue under each parameter set's own constants.

``python benchmarks/escape.py --json``

For the nominal set and ``--draws`` others: rates of single cells and clusters at falling cohesion
from the table and from ``--runs`` runs of the tissue, and what both make of the β1 knock-down in
4T1 (tumour and spread against untreated). About a minute a set on two idle cores.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import sys
from collections.abc import Sequence
from typing import Any

from unmoor.assays import direct_escape
from unmoor.assays.orthotopic_xenograft import run_xenograft
from unmoor.assays.preparation import Preparation, Setting
from unmoor.catalog.draws import Draw
from unmoor.cell.line import CellLine, Structure
from unmoor.cell.phenotype import Phenotype
from unmoor.therapy.regimen import Edit
from unmoor.tissue.escape import leave

WAYS = ("table", "direct")
COHESIONS = (1.0, 0.7, 0.4, 0.2, 0.0)
RATES = ("singles_rate", "clusters_rate")


def setting(how: str) -> Setting:
    """4T1 in NSG mice, untreated and with β1 knocked down."""
    lost = Edit("ITGB1", change="knock_down", factor=0.1)
    line = CellLine.load("4T1")
    return Setting(line, "nsg", [(), (lost,)], Structure(), 28.0, 1e6, 16, seed=7, escape=how)


def rates(on: Preparation, row: int) -> dict[str, list[float]]:
    """Rates of a parameter set at falling cohesion, all else as in a cell with the best grip."""
    table = on.leaving.of(row)
    record = on.constants[row * len(on.arms)]
    still = dict.fromkeys(Phenotype._fields, 0.0) | {"drive": 1.0}
    found = [leave(table, record, Phenotype(**(still | {"cohesion": e})), 1.0) for e in COHESIONS]
    return {name: [float(getattr(each, name)) for each in found] for name in RATES}


def measure(numbers: Sequence[int], runs: int) -> dict[str, Any]:
    """Rates and ratios both ways for parameter sets of a seed; number 0 is the nominal one."""
    direct_escape.RUNS = runs
    draws = Draw.sets(7, numbers)
    sets: list[dict[str, Any]] = [{"set": number} for number in numbers]
    for how in WAYS:
        on = Preparation(setting(how), draws, 0)
        result = run_xenograft(setting(how), draws, 1, follow=False)
        for row, found in enumerate(sets):
            volume, spread = result.volume[row, :, 0], result.expected_metastases[row, :, 0]
            found[how] = rates(on, row) | {
                "tumour_ratio": float(volume[1] / volume[0]),
                "spread_ratio": float(spread[1] / spread[0]),
            }
    return {"cohesions": COHESIONS, "runs": runs, "sets": sets, "agreement": agreement(sets)}


def agreement(sets: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Median and largest log ratio, direct to table, of what matters: folds and spread."""
    folds = [
        math.log(each[how]["singles_rate"][-1] / each[how]["singles_rate"][0])
        for each in sets
        for how in WAYS
    ]
    apart = [direct - table for table, direct in zip(folds[::2], folds[1::2], strict=True)]
    spread = [
        math.log(each["direct"]["spread_ratio"] / each["table"]["spread_ratio"]) for each in sets
    ]
    return {
        "median_log_fold": statistics.median(apart),
        "largest_log_fold": max(map(abs, apart)),
        "median_log_spread": statistics.median(spread),
        "largest_log_spread": max(map(abs, spread)),
    }


def lines(found: dict[str, Any]) -> list[str]:
    """What was found, for people."""
    told = []
    for each in found["sets"]:
        for how in WAYS:
            singles, clusters = (
                " ".join(f"{rate:.4f}" for rate in each[how][name]) for name in RATES
            )
            told.append(
                f"set {each['set']}, {how}: singles {singles}; clusters {clusters}; "
                f"tumour {each[how]['tumour_ratio']:.2f}, spread {each[how]['spread_ratio']:.2f}"
            )
    return [*told, ", ".join(f"{name} {x:.2f}" for name, x in found["agreement"].items())]


def main() -> None:
    """Read arguments, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=4, help="sets beside the nominal one")
    parser.add_argument("--runs", type=int, default=direct_escape.RUNS, help="runs a set")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = measure(range(options.draws + 1), options.runs)
    sys.stdout.write((json.dumps(found) if options.json else "\n".join(lines(found))) + "\n")


if __name__ == "__main__":
    main()
