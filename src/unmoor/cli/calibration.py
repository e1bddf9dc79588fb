"""The verb that fits what is fitted: calibrate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from unmoor.cli.options import Verbose
from unmoor.cli.streams import columns, put, say
from unmoor.errors import ExitCode, Problem, StudyError

if TYPE_CHECKING:
    from unmoor.analysis.calibrate import Calibration


def calibrate(
    *,
    wanted: Annotated[int, Parameter(help="Plausible parameter sets to find.")] = 400,
    out: Annotated[Path, Parameter(help="Folder that gets the files.")] = Path("calibration"),
    verbose: Verbose = False,
) -> int:
    """Fit k_int to the calibration rows again, under each structure of the model.

    The files have the places they have in the catalog; nothing that is installed is changed.
    """
    if wanted < 1:
        expected = "a whole number of at least 1"
        raise StudyError(Problem("--wanted", "", str(wanted), expected, "", "E-USAGE"))
    from unmoor.analysis.calibrate import STRUCTURES
    from unmoor.analysis.calibrate import calibrate as calibrate_structure
    from unmoor.analysis.calibration_files import write_calibration

    found = []
    for structure in STRUCTURES:
        calibration = calibrate_structure(structure, wanted)
        found.append(calibration)
        say(*_lines(calibration))
    put(*map(str, write_calibration(found, out)))
    return ExitCode.OK


def _lines(calibration: Calibration) -> list[str]:
    """How many draws were plausible, and in how many each row came out."""
    kept, tried = len(calibration.plausible), calibration.tried
    rows = list(next(iter(calibration.shares.values())))
    head = ("", *rows, "switch")
    cells = [
        (line, *(f"{shares[row]:.2f}" for row in rows), f"{calibration.switches[line]:.2f}")
        for line, shares in calibration.shares.items()
    ]
    told = f"{calibration.structure.name}: {kept} of {tried} prior draws are plausible"
    return [told, *columns([head, *cells], indent=2)]
