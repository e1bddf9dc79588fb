"""The verb that holds the model to published directions: validate."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from unmoor.cli.options import Json, Verbose, Workers
from unmoor.cli.streams import columns, put, put_json, say
from unmoor.cli.studies import check_workers
from unmoor.errors import ExitCode, Problem, StudyError

if TYPE_CHECKING:
    from unmoor.analysis.evidence import Judged

_COLUMNS = (
    "id", "use", "role", "line", "assay", "matrix", "perturbation", "reference", "readout",
    "published", "structure", "draws", "share", "p_up", "p_down", "measure", "median", "low",
    "high", "outcome", "reason",
)  # fmt: skip
_MOST_DRAWS = 210
_TABLE = Path("validation.tsv")
_TINY = 1e-3  # change that nobody would measure


def validate(
    evidence: Path,
    /,
    *,
    out: Annotated[Path, Parameter(help="File that gets the table; -2, -3 … if taken.")] = _TABLE,
    draws: Annotated[int, Parameter(help="Plausible parameter sets.")] = 200,
    workers: Workers = None,
    json: Json = False,
    verbose: Verbose = False,
) -> int:
    """Judge the model by a table of published directions, row by row.

    Parameters
    ----------
    evidence
        Tab-separated file with the columns id, line, host, assay, matrix, perturbation,
        reference, readout, direction (+, - or 0), source, use (hard, soft or conflict), note.
    """
    check_workers(workers)
    if not 1 <= draws <= _MOST_DRAWS:
        expected = f"a whole number from 1 to {_MOST_DRAWS}"
        raise StudyError(Problem("--draws", "", str(draws), expected, "", "E-USAGE"))
    from unmoor.analysis.evidence import judge_rows, scores
    from unmoor.analysis.evidence_rows import read_evidence
    from unmoor.trial.atomic import refusals_told, write_file
    from unmoor.trial.run import usable_cores

    rows = read_evidence(evidence)
    judged = judge_rows(rows, draws=draws, workers=workers or usable_cores())
    say(*_lines(judged))
    with refusals_told(out, 0):
        out.parent.mkdir(parents=True, exist_ok=True)
    out = _free(out)
    write_file(out, _table(judged).encode())
    if json:
        counts = [vars(score) for score in scores(judged)]
        put_json({"table": str(out), "scores": counts, "rows": [*map(_record, judged)]})
    else:
        put(str(out))
    return ExitCode.OK


def _record(each: Judged) -> dict[str, Any]:
    row = each.row
    values = {name: getattr(each, name) for name in _COLUMNS if hasattr(each, name)}
    own = {name: getattr(row, name) for name in _COLUMNS if hasattr(row, name)}
    merged = {**own, **values, "published": row.direction}
    return {name: merged[name] for name in _COLUMNS}


def _table(judged: Sequence[Judged]) -> str:
    lines = ["\t".join(_COLUMNS)]
    for each in judged:
        cells = _record(each).values()
        lines.append("\t".join(f"{x:.6g}" if isinstance(x, float) else str(x) for x in cells))
    return "\n".join(lines) + "\n"


def _lines(judged: Sequence[Judged]) -> Iterator[str]:
    """Rows for people, then how many agree."""
    from unmoor.analysis.evidence import scores, structures_that_agree, verdict_of

    head = ("id", "use", "role", "line", "readout", "published", "share", "change", "outcome")
    cells: list[tuple[str, ...]] = [head]
    cells += [_cells(each) for each in judged]
    yield from columns(cells)
    yield ""
    for name, members in groupby(judged, key=lambda each: each.row.id):
        group = list(members)
        if group[0].row.use == "conflict" and verdict_of(group) != "cannot":
            under = ", ".join(structures_that_agree(group)) or "no structure"
            yield f"{name} (conflict, published {group[0].row.direction}): agrees under {under}"
    yield ""
    heading = ("role", "use", "agree", "disagree", "cannot")
    counts = [
        (x.role, x.use, str(x.agrees), str(x.disagrees), str(x.cannot)) for x in scores(judged)
    ]
    yield from columns([heading, *counts])
    if fewer := {each.draws for each in judged if each.draws} - {max(x.draws for x in judged)}:
        yield f"rows of tissues were judged in {max(fewer)} draws, since they take long"
    yield "rows that were calibrated or tuned made the model what it is: only test rows validate it"


def _ratio(value: float) -> str:
    return f"×{_plain(value)}"


def _difference(value: float) -> str:
    """Differences have their sign, what is no difference has none."""
    written = _plain(value)
    return written if written == "0" or value < 0.0 else f"+{written}"


def _plain(value: float) -> str:
    """Three significant digits, a true minus sign, and 0 for what is next to nothing."""
    return "0" if abs(value) < _TINY else f"{value:.3g}".replace("-", "\u2212")


def _free(path: Path) -> Path:
    """The path, or with -2, -3 … if it is taken, as run folders are named."""
    free, number = path, 1
    while free.exists():
        number += 1
        free = path.with_stem(f"{path.stem}-{number}")
    return free


def _cells(each: Judged) -> tuple[str, ...]:
    row = each.row
    line = each.line if row.use != "conflict" else f"{each.line} {each.structure}"
    head = (row.id, row.use, each.role, line, row.readout, row.direction)
    if each.reason:
        return (*head, "–", "–", f"{each.outcome}: {each.reason}")
    write = _ratio if each.measure == "ratio" else _difference
    change = f"{write(each.median)} ({write(each.low)} to {write(each.high)})"
    return (*head, f"{each.share:.2f}", change, each.outcome)
