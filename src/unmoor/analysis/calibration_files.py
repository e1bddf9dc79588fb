"""Write a calibration into the catalog: plausible sets, fitted k_int, and what rows allowed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from unmoor.analysis.calibrate import LINES, ROWS, SEED, Calibration
from unmoor.parameters import COLUMNS


def write_calibration(calibrations: Sequence[Calibration], root: Path) -> list[Path]:
    """Write the files of the catalog that hold the calibration.

    Parameters
    ----------
    root
        Folder of the catalog.

    Returns
    -------
        The files written.
    """
    files = {
        root / "calibration" / "sets.tsv": _sets(calibrations),
        root / "calibration" / "shares.tsv": _shares(calibrations),
        root / "closures" / "k_int" / "parameters.tsv": _k_int(calibrations),
    }
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return list(files)


def _sets(calibrations: Sequence[Calibration]) -> str:
    rows = ["structure\tseed\tnumber"]
    for calibration in calibrations:
        name = calibration.structure.name
        rows += [f"{name}\t{SEED}\t{number}" for number in calibration.plausible]
    return "\n".join(rows) + "\n"


def _shares(calibrations: Sequence[Calibration]) -> str:
    """Share of prior draws in which each row came out, and in which the line switched."""
    rows = ["\t".join(["structure", "cell_line", "tried", "plausible", *ROWS, "switch"])]
    for calibration in calibrations:
        for line in LINES:
            shares = [f"{calibration.shares[line][row]:.4f}" for row in ROWS]
            counts = [f"{calibration.tried}", f"{len(calibration.plausible)}"]
            cells = [calibration.structure.name, line, *counts, *shares]
            rows.append("\t".join([*cells, f"{calibration.switches[line]:.4f}"]))
    return "\n".join(rows) + "\n"


def _k_int(calibrations: Sequence[Calibration]) -> str:
    rows = ["\t".join(COLUMNS)]
    for calibration in calibrations:
        low, middle, high = np.quantile(calibration.k_int, [0.05, 0.5, 0.95])
        note = (
            f"median and 5-95 % of {len(calibration.plausible)} plausible of {calibration.tried} "
            "prior draws; fitted to the calibration rows T01-T06 and T10 by "
            "unmoor calibrate"
        )
        numbers = [f"{number:.4g}" for number in (middle, low, high)]
        name = calibration.structure.name.replace("/", "_")
        cells = [name, numbers[0], "uM/h", *numbers[1:], "", "fitted", "Truong2014", note]
        rows.append("\t".join(cells))
    return "\n".join(rows) + "\n"
