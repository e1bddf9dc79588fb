"""The design behind the table of escape: where the tissue is run, and the file of what it gave.

Runs lie on a Halton sequence over the axes of the table, between ends that follow from the ranges
of the catalog. The file is written run by run, so that a calibration that was stopped goes on.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from unmoor.catalog import ROOT, table
from unmoor.elementwise import FloatArray
from unmoor.errors import CatalogError, Problem, literal
from unmoor.random import SCHEME, Stream
from unmoor.tissue import escape_runs
from unmoor.tissue.escape_counts import Counts, Point
from unmoor.tissue.escape_runs import count_departures
from unmoor.tissue.escape_table import spread_points
from unmoor.trial.atomic import append_line, write_file
from unmoor.trial.provenance import software
from unmoor.trial.run import Progress

SEED = 2014
ENOUGH = 10  # single cells, and clusters, after which a point needs no further run
SHIPPED_RUNS = ROOT / "escape" / "runs.tsv"
# Drives of the phenotype, relative to the best grip: those beyond are rare. Slower cells, which
# have neither grip nor amoeboid speed, hardly leave; a body of faster ones dissolves within hours.
# Bonds are those of cells of drive 1: weaker ones hold no one, stronger ones everyone.
_SLOWEST, _FASTEST = 0.15, 2.0
_COLUMNS = ("point", "replicate", *Point._fields, *Counts._fields)
_WHOLE = ("point", "replicate", "singles", "clusters", "in_clusters")
_SIZE = "made by"  # a larger design holds all runs of a smaller one
_SUMMED = ("edge_days", "singles", "clusters", "in_clusters")
_EXPERIMENT = ("CELLS", "SETTLING", "EVERY", "LOOKS", "HOLD")


@dataclass(frozen=True)
class Run:
    """One run: the numbers of its point and replicate, where it lies, and what it gave."""

    number: int
    replicate: int
    point: Point
    counts: Counts


def axis_ends() -> tuple[tuple[float, float], ...]:
    """Ends of the axes, from the ranges of the catalog."""
    tissue = table("closures", "tissue")
    return (
        (tissue["bond_M"].low, tissue["bond_E"].high),
        (tissue["v_max"].low * _SLOWEST, tissue["v_max"].high * _FASTEST),
        (tissue["tumour_collagen"].low, tissue["tumour_collagen"].high),
        (0.0, table("closures", "escape")["edge_division"].high),
    )


def design(points: int) -> list[Point]:
    """Points spread evenly over the axes; the first are those of a smaller design."""
    return spread_points(axis_ends(), points)


def constants() -> dict[str, float]:
    """Nominal values of the tissue's constants."""
    return table("closures", "tissue").values_by_id()


def about(points: int, replicates: int) -> dict[str, str]:
    """Where runs come from: all that decides their numbers."""
    own = {name.lower(): getattr(escape_runs, name) for name in _EXPERIMENT} | {"enough": ENOUGH}
    return {
        _SIZE: f"unmoor calibrate escape --points {points} --replicates {replicates}",
        "version": software()["version"],
        "seed": f"{SEED} ({SCHEME})",
        "experiment": " ".join(f"{name}={value:g}" for name, value in own.items()),
        "constants": " ".join(f"{name}={value!r}" for name, value in constants().items()),
    }


def make_run(number: int, replicate: int, point: Point) -> Run:
    """Run the tissue once."""
    stream = Stream(SEED, animal=replicate, draw=number)
    return Run(number, replicate, point, count_departures(point, constants(), stream))


def run_point(number: int, point: Point, done: Sequence[Run], replicates: int) -> list[Run]:
    """Run a point again until enough has left in all, or it has been run ``replicates`` times.

    Returns
    -------
        The runs beyond those that are ``done``.
    """
    runs = list(done)
    while not _is_enough(runs, replicates):
        runs.append(make_run(number, len(runs) + 1, point))
    return runs[len(done) :]


def _is_enough(runs: Sequence[Run], replicates: int) -> bool:
    singles = sum(run.counts.singles for run in runs)
    clusters = sum(run.counts.clusters for run in runs)
    return len(runs) >= replicates or min(singles, clusters) >= ENOUGH


def run_design(
    folder: Path,
    points: int,
    replicates: int,
    workers: int,
    progress: Callable[[Progress], None] | None = None,
) -> list[Run]:
    """Run all points, or those that are left of a calibration which was stopped or smaller.

    Parameters
    ----------
    folder
        Holds ``runs.tsv``; its other files are left alone.

    Raises
    ------
    CatalogError
        If the file there is of another experiment.
    """
    path, header = folder / "runs.tsv", about(points, replicates)
    known = _known(path, header)
    folder.mkdir(parents=True, exist_ok=True)
    write_file(path, to_text(header, known).encode())
    done: dict[int, list[Run]] = {number: [] for number in range(1, points + 1)}
    for run in known:
        if run.number <= points and run.replicate <= replicates:
            done[run.number].append(run)
    started = time.monotonic()
    with ThreadPoolExecutor(workers) as pool:
        waiting = {
            pool.submit(run_point, number, point, done[number], replicates): number
            for number, point in enumerate(design(points), 1)
        }
        try:
            for count, made in enumerate(as_completed(waiting), 1):
                for run in made.result():
                    done[run.number].append(run)
                    append_line(path, _row(run).encode(), sync=False)
                if progress:
                    spent = time.monotonic() - started
                    progress(Progress(count, points, spent, spent / count * (points - count), 0))
        finally:
            pool.shutdown(cancel_futures=True)
    runs = [run for number in sorted(done) for run in done[number]]
    write_file(path, to_text(header, runs).encode())
    return runs


def usable_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0))


def to_text(header: Mapping[str, str], runs: Sequence[Run]) -> str:
    """The file of runs."""
    lines = [*(f"# {key}: {value}" for key, value in header.items()), "\t".join(_COLUMNS)]
    return "\n".join([*lines, *map(_row, runs)]) + "\n"


def read_runs(path: Path) -> tuple[dict[str, str], list[Run]]:
    """Read a file of runs: where they come from, and the runs in order.

    Raises
    ------
    CatalogError
        If it is none.
    """
    whole, _, _ = path.read_text(encoding="utf-8").rpartition("\n")  # what follows was torn
    lines = whole.splitlines()
    header = dict(line[2:].split(": ", 1) for line in lines if line.startswith("# "))
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    if not rows or tuple(rows[0]) != _COLUMNS:
        got, expected = literal("\t".join(rows[0]) if rows else ""), ", ".join(_COLUMNS)
        raise CatalogError(Problem(f"{path}", "columns", got, expected, "", "E-CATALOG"))
    runs = [run for row in rows[1:] for run in _read(row)]
    return header, sorted(runs, key=lambda run: (run.number, run.replicate))


def arrays(runs: Sequence[Run]) -> tuple[FloatArray, FloatArray]:
    """Points, shape (points, axes), and what their runs gave together, shape (points, counts).

    Counts and exposure are sums over the runs of a point, the others means.
    """
    points = {run.number: run.point for run in runs}
    found = np.zeros((len(points), len(Counts._fields)))
    for row, number in enumerate(points):
        own = np.array([run.counts for run in runs if run.number == number], dtype=np.float64)
        for column, name in enumerate(Counts._fields):
            total = math.fsum(own[:, column])
            found[row, column] = total if name in _SUMMED else total / own.shape[0]
    return np.array(list(points.values()), dtype=np.float64), found


def _known(path: Path, header: Mapping[str, str]) -> list[Run]:
    if not path.is_file():
        return []
    found, runs = read_runs(path)
    differs = [key for key in header if key != _SIZE and found.get(key) != header[key]]
    if differs:
        expected = "runs of the same experiment, constants and version"
        fix = "choose another folder with --out, or remove the file"
        got = f"another {', '.join(differs)}"
        raise CatalogError(Problem(f"{path}", "runs", got, expected, fix, "E-CATALOG"))
    return runs


def _row(run: Run) -> str:
    numbers = (run.number, run.replicate, *run.point, *run.counts)
    cells = [
        str(int(value)) if name in _WHOLE else repr(float(value))
        for name, value in zip(_COLUMNS, numbers, strict=True)
    ]
    return "\t".join(cells)


def _read(row: Sequence[str]) -> Iterator[Run]:
    """The run of a line; none if the line was torn."""
    if len(row) != len(_COLUMNS):
        return
    values = [int(x) if n in _WHOLE else float(x) for n, x in zip(_COLUMNS, row, strict=True)]
    split = 2 + len(Point._fields)
    point, counts = Point(*values[2:split]), Counts(*values[split:])  # type: ignore[arg-type]
    yield Run(int(values[0]), int(values[1]), point, counts)
