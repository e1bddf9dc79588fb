"""The verb that fits what is fitted: calibrate, calibrate escape and calibrate growth."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from unmoor.cli.options import Json, Verbose, Workers
from unmoor.cli.progress import shown_progress
from unmoor.cli.streams import columns, put, put_json, say
from unmoor.cli.studies import check_workers
from unmoor.errors import ExitCode, Problem, StudyError, UnitError, literal

if TYPE_CHECKING:
    from unmoor.analysis.calibrate import Calibration
    from unmoor.analysis.growth_study import Choices, GrowthStudy

_MOST_VIRTUAL = 100_000
_FEWEST, _MOST_RUNS = 20, 100_000
_KEY = re.compile(r"[A-Za-z0-9_.:+-]{1,60}")

_Out = Annotated[Path, Parameter(help="Folder that gets the files.")]
_Arm = Annotated[str | None, Parameter(help="Arm to fit, if the table has several.")]
_Columns = Annotated[
    list[str] | None,
    Parameter(help="KEY=HEADER: which column is the animal, day, volume or arm.", negative=()),
]
_Start = Annotated[str, Parameter(help="Tumour volume at day 0.")]
_Inoculum = Annotated[str, Parameter(help="Cells injected at day 0.")]
_Limit = Annotated[
    str | None, Parameter(help="Smallest volume that can be read; smaller ones are censored there.")
]
_Title = Annotated[
    str, Parameter(help="What the animals are, for notes and report.", show_default=False)
]
_Source = Annotated[str, Parameter(help="Citation key of the data.", show_default=False)]
_Virtual = Annotated[
    int, Parameter(help="Virtual animals to measure and fit in the same way; 0 for none.")
]
_Line = Annotated[str, Parameter(help="Cell line of the virtual animals.")]
_Host = Annotated[str, Parameter(help="Host of the virtual animals.")]
_Report = Annotated[
    bool, Parameter(help="Make the report.", negative="--no-report", show_default=False)
]


def calibrate(
    *,
    wanted: Annotated[int, Parameter(help="Plausible parameter sets to find.")] = 400,
    out: Annotated[Path, Parameter(help="Folder that gets the files.")] = Path("calibration"),
    verbose: Verbose = False,
) -> int:
    """Fit k_int to the calibration rows again; see also calibrate escape and calibrate growth.

    k_int is fitted under each structure of the model. The files have the places they have in the
    catalog; nothing that is installed is changed.
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


def escape(
    *,
    out: _Out = Path("escape"),
    points: Annotated[int, Parameter(help="Points at which the tissue is run.")] = 160,
    replicates: Annotated[int, Parameter(help="Most runs at a point.")] = 4,
    workers: Workers = None,
    verbose: Verbose = False,
) -> int:
    """Run the tissue and tabulate what leaves a tumour, for the catalog's folder escape.

    What is done is kept in runs.tsv as it goes; the same command goes on where it was stopped.
    Nothing that is installed is changed.
    """
    check_workers(workers)
    for option, value, least in (("--points", points, _FEWEST), ("--replicates", replicates, 1)):
        if not least <= value <= _MOST_RUNS:
            expected = f"a whole number of {least} to {_MOST_RUNS}"
            raise StudyError(Problem(option, "", str(value), expected, "", "E-USAGE"))
    from unmoor.analysis.escape_fit import make_grid, write_grid
    from unmoor.analysis.escape_runs import about, run_design, usable_cores

    with shown_progress() as progress:
        runs = run_design(out, points, replicates, workers or usable_cores(), progress)
    grid, found = make_grid(runs, about(points, replicates))
    for name, each in found.items():
        say(
            f"{name}: {each.events} departures in {len(runs)} runs; of points left out "
            f"{each.explained:.0%} of the deviance is foretold, log error {each.error:.2f} "
            f"(root mean square), and {each.coverage:.0%} lie inside their 90 % interval"
        )
    put(str(out / "runs.tsv"), str(write_grid(grid, out)))
    return ExitCode.OK


def growth(
    data: Path,
    /,
    *,
    out: _Out = Path("growth"),
    arm: _Arm = None,
    column: _Columns = None,
    start: _Start = "1 mm^3",
    inoculum: _Inoculum = "1e6 cells",
    detection_limit: _Limit = None,
    title: _Title = "",
    source: _Source = "",
    virtual: _Virtual = 1000,
    cell_line: _Line = "MDA-MB-231",
    host: _Host = "scid",
    report: _Report = True,
    json: Json = False,
    verbose: Verbose = False,
) -> int:
    """Fit the growth of untreated tumours to volumes in a table of your own, one reading a row.

    OUT/catalog holds the rows for closures/growth: put it beside a study file and its animals grow
    like yours. Readings of 0 are left out unless a detection limit is given.

    Parameters
    ----------
    data
        Table with the columns animal (or mouse), day and volume_mm3, in CSV.
    """
    _check_virtual(virtual, cell_line, host)
    choices = _choices(start, inoculum, detection_limit, title, source)
    from unmoor.analysis.growth_files import document, write_growth
    from unmoor.analysis.growth_study import study_growth
    from unmoor.analysis.growth_table import read_growth

    table = read_growth(data, columns=_headers(column or ()), arm=arm)
    say(*(str(each) for each in table.warnings))
    study = study_growth(table, choices)
    files = write_growth(study, out)
    if virtual:
        study = _with_virtual(study, virtual, cell_line, host, out)
        files = write_growth(study, out)
    if report:
        from unmoor.report.growth_page import write_growth_report

        files.append(write_growth_report(study, out / "report.html"))
    say(*_told(study))
    put_json(document(study)) if json else put(*map(str, files))
    return ExitCode.OK


def calibration_app(place: int) -> App:
    """Return the verb: alone it fits k_int, followed by a word it makes another table."""
    about = (calibrate.__doc__ or "").partition("\n")[0]
    app = App(name="calibrate", help=about, sort_key=place, version_flags=[])
    app.default(calibrate)
    app.command(escape, name="escape")
    app.command(growth, name="growth")
    return app


def _with_virtual(
    study: GrowthStudy, animals: int, cell_line: str, host: str, beside: Path
) -> GrowthStudy:
    """Virtual animals that grow by the rows just written."""
    from unmoor.analysis.growth_virtual import virtual_animals

    virtual = virtual_animals(
        study.fit.data, animals, cell_line=cell_line, host=host,
        inoculum=study.choices.inoculum, beside=beside,
    )  # fmt: skip
    return study.with_virtual(virtual)


def _check_virtual(virtual: int, cell_line: str, host: str) -> None:
    """Refuse a number of animals, a line or a host that there is not, before the long fit."""
    from unmoor.catalog import find

    find("cell_lines", cell_line)
    find("hosts", host)
    if not 0 <= virtual <= _MOST_VIRTUAL:
        expected = f"a whole number of 0 to {_MOST_VIRTUAL}"
        raise StudyError(Problem("--virtual", "", str(virtual), expected, "", "E-USAGE"))


def _headers(settings: Sequence[str]) -> dict[str, str]:
    headers = {}
    for setting in settings:
        key, equals, header = (part.strip() for part in setting.partition("="))
        if not (key and equals and header):
            expected = "KEY=HEADER, such as animal=Mouse"
            raise StudyError(Problem("--column", "", literal(setting), expected, "", "E-USAGE"))
        headers[key] = header
    return headers


def _choices(
    start: str, inoculum: str, detection_limit: str | None, title: str, source: str
) -> Choices:
    """What the options say, checked."""
    from unmoor.analysis.growth_study import Choices

    given = [("--start", start, "volume", 1e-6, 1e3), ("--inoculum", inoculum, "cells", 1.0, 1e9)]
    if detection_limit is not None:
        given.append(("--detection-limit", detection_limit, "volume", 1e-3, 1e3))
    problems, values = [], {}
    for option, text, kind, low, high in given:
        try:
            values[option] = _quantity(text, kind, low, high)
        except UnitError as error:
            problems += [each.at(option, "") for each in error.problems]
    if source and not _KEY.fullmatch(source):
        expected = "a citation key of letters, digits and _ . : + -"
        problems.append(Problem("--source", "", literal(source), expected, "", "E-USAGE"))
    if problems:
        raise StudyError(problems)
    limit = values.get("--detection-limit", 0.0)
    return Choices(values["--start"], values["--inoculum"], limit, title, source)


def _quantity(text: str, kind: str, low: float, high: float) -> float:
    from unmoor.units import KINDS, parse_quantity

    value = parse_quantity(text, kind)
    if not low <= value <= high:
        expected = f"{low:g}-{high:g} {KINDS[kind].base_unit}"
        raise UnitError(Problem("", "", literal(text), expected, "", "E-RANGE"))
    return value


def _told(study: GrowthStudy) -> list[str]:
    """The fit in a few lines."""
    from unmoor.analysis.growth_files import UNITS, told
    from unmoor.analysis.growth_study import DIFFERS

    data, each = study.fit.data, study.each.summary()
    rows = [("", "value", "standard error", "unit")]
    for name, estimate in study.fit.estimates.items():
        rows.append((name, *told(estimate), UNITS[name]))
    lines = [f"{study.title}: {data.day.size} readings of {len(data.animals)} animals"]
    lines += columns(rows, indent=2)
    lines.append(
        f"single animals: median alpha {each['median_alpha']:.3f}/d, beta "
        f"{each['median_beta']:.4f}/d, CV {each['cv_alpha']:.2f} and {each['cv_beta']:.2f}"
    )
    aic = {name: rival.fit.aic for name, rival in study.fits().items() if rival}
    best = min(aic, key=lambda name: aic[name])
    if best != study.fit.model:
        lines.append(
            f"AIC is lower by {study.fit.aic - aic[best]:.0f} if {DIFFERS[best]}, differ between "
            "animals; a study lets β alone differ"
        )
    return lines
