"""The verb that holds the model to published directions: validate."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from unmoor.cli.analyses import Kept, Out, memory_folder, new_folder
from unmoor.cli.options import Json, Verbose, Workers
from unmoor.cli.progress import shown_progress
from unmoor.cli.streams import columns, put, put_json, say
from unmoor.cli.studies import check_workers
from unmoor.errors import ExitCode, Problem, StudyError, literal

if TYPE_CHECKING:
    from unmoor.analysis.evidence_verdict import Judged, RowVerdict
    from unmoor.analysis.validation import Validation

_COLUMNS = (
    "id", "use", "role", "line", "assay", "matrix", "perturbation", "reference", "readout",
    "published", "structure", "draws", "share", "p_up", "p_down", "p_sign", "measure", "median",
    "low", "high", "outcome", "reason",
)  # fmt: skip
_SEED = 7
_TINY = 1e-3  # change that nobody would measure

Evidence = Annotated[Path | None, Parameter(help="The table, as an option.")]
LeaveOut = Annotated[
    str | None,
    Parameter(help="Judge the rows of one publication, in draws that none of them informed."),
]
Draws = Annotated[int, Parameter(help="Parameter sets under each structure.")]
TissueDraws = Annotated[
    int | None,
    Parameter(help="Parameter sets, over all structures, in rows of tissues; 0 leaves them out."),
]
Weights = Annotated[
    list[str] | None,
    Parameter(
        name="--weight",
        help="STRUCTURE=SHARE: weight of a structure in the mixture that scores all rows.",
        negative=(),
    ),
]


def validate(
    table: Path | None = None,
    /,
    *,
    evidence: Evidence = None,
    out: Out = Path("runs"),
    draws: Draws = 200,
    tissue_draws: TissueDraws = None,
    weight: Weights = None,
    leave_out: LeaveOut = None,
    seed: int = _SEED,
    memory: Kept = None,
    workers: Workers = None,
    json: Json = False,
    verbose: Verbose = False,
) -> int:
    """Judge the model by a table of published directions.

    Parameters
    ----------
    table
        Tab-separated file, with a catalog folder beside it; the catalog's own if not given.
    """
    check_workers(workers)
    from unmoor.analysis.memory import Memory
    from unmoor.analysis.validation import validate as judge

    with shown_progress() as progress:
        found = judge(
            _one(table, evidence),
            draws=draws,
            tissue_draws=tissue_draws,
            weights=_weights(weight),
            leave_out=leave_out,
            seed=seed,
            memory=Memory(memory_folder(out, memory)),
            workers=workers,
            progress=progress,
        )
    return _finish(found, out, json=json)


def _finish(found: Validation, out: Path, *, json: bool) -> int:
    """Tell how rows came out, and write it to a folder."""
    from unmoor.trial.atomic import write_file

    say(*_lines(found))
    folder = new_folder(out, found.name, "validate")
    write_file(folder / "validation.tsv", _table(found.judged).encode())
    if json:
        put_json({**found.to_dict(), "folder": str(folder)})
    else:
        from unmoor.report.evidence_page import write_scoreboard

        write_scoreboard(folder, found)
        put(str(folder))
    return ExitCode.OK


def _one(table: Path | None, evidence: Path | None) -> Path | None:
    if table is not None and evidence is not None:
        expected = "the table once: as an argument or with --evidence"
        raise StudyError(Problem("--evidence", "", literal(str(evidence)), expected, "", "E-USAGE"))
    return evidence if table is None else table


def _weights(given: Sequence[str] | None) -> dict[str, float] | None:
    if not given:
        return None
    found = {}
    for each in given:
        name, _, share = each.partition("=")
        try:
            found[name.strip()] = float(share)
        except ValueError:
            expected = "STRUCTURE=SHARE, such as cascading/tgfb=0.5"
            problem = Problem("--weight", "", literal(each), expected, "", "E-USAGE")
            raise StudyError(problem) from None
    return found


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


def _lines(found: Validation) -> Iterator[str]:
    """Rows for people, what fails and why, then how many agree."""
    head = ("id", "use", "role", "line", "readout", "published", "share", "change", "outcome")
    yield from columns([head, *(_cells(x) for row in found.rows for x in row.lines)])
    yield ""
    for row in found.rows:
        yield from _comment(row)
    yield ""
    heading = ("rows", "agree", "disagree", "cannot", "not run")
    told = found.totals
    cells = [(use, *_counts(told[use])) for use in ("hard", "soft", "conflict")]
    cells += [("hard, by sign alone", *_counts(told["sign"]["hard"]))]
    cells += [(f"hard, {role}", *_counts(own["hard"])) for role, own in told["roles"].items()]
    cells += [(f"hard, {name}", *_counts(own["hard"])) for name, own in told["options"].items()]
    yield from columns([heading, *cells])
    if found.asking.sets == "prior":
        yield f"rows of {found.left_out} informed no draw here: draws are from the prior"
    elif found.left_out:
        yield f"no draw was ever conditioned on rows of {found.left_out}"
    if any(x.role in ("calibrated", "tuned") for x in found.rows):
        yield (
            "rows that were calibrated or tuned made the model what it is: only test rows "
            "validate it"
        )


def _comment(row: RowVerdict) -> Iterator[str]:
    """Under what a row in conflict comes out, and why a row does not agree."""
    name = f"{row.row.id} ({row.row.use}, published {row.row.direction})"
    if row.row.use == "conflict" and row.outcome in ("agrees", "disagrees"):
        reason = f" ({row.reason})" if row.reason else ""
        yield f"{name}: agrees under {', '.join(row.agrees_under) or 'no structure'}{reason}"
    elif row.outcome != "agrees":
        yield f"{name}: {row.outcome}: {row.reason}"


def _counts(counts: dict[str, int]) -> tuple[str, ...]:
    told = (f"{counts['agrees']} of {counts['rows']}", counts["disagrees"], counts["cannot"])
    return (*map(str, told), str(counts["not_run"]))


def _ratio(value: float) -> str:
    return f"×{_plain(value)}"


def _difference(value: float) -> str:
    """Differences have their sign, what is no difference has none."""
    written = _plain(value)
    return written if written == "0" or value < 0.0 else f"+{written}"


def _plain(value: float) -> str:
    """Three significant digits, a true minus sign, and 0 for what is next to nothing."""
    return "0" if abs(value) < _TINY else f"{value:.3g}".replace("-", "\u2212")


def _cells(each: Judged) -> tuple[str, ...]:
    row = each.row
    head = (row.id, row.use, each.role, each.line, row.readout, row.direction)
    if each.reason:
        return (*head, "–", "–", f"{each.outcome}: {each.reason}")
    write = _ratio if each.measure == "ratio" else _difference
    change = f"{write(each.median)} ({write(each.low)} to {write(each.high)})"
    return (*head, f"{each.share:.2f}", change, each.outcome)
