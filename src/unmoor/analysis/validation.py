"""The scoreboard: a table of published directions, row by row under every structure, and totals.

One weighting of structures holds for all rows. Rows of one publication can be left out of whatever
was fitted: the plausible parameter sets are conditioned on rows of one publication, and without
these rows nothing is left that conditions them, so that its rows are then judged in draws from the
prior. No row of any other publication was ever fitted by conditioning. What cannot be undone is
that a prototype's defaults were chosen while rows of several publications were looked at; those
rows are told apart (``tuned``), whatever is left out.
"""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unmoor import catalog
from unmoor.analysis.evidence import STRUCTURES, WEIGHED, Asking, judge_rows, protocol
from unmoor.analysis.evidence_rows import CATALOGUED, USES, EvidenceRow, read_evidence
from unmoor.analysis.evidence_verdict import (
    CALIBRATED,
    LEFT_OUT,
    OUTCOMES,
    TEST,
    TUNED,
    Judged,
    RowVerdict,
    least_share,
    outcome_of,
    role_of,
    verdicts,
)
from unmoor.catalog.plausible import plausible_sets
from unmoor.errors import Problem, StudyError, literal
from unmoor.trial.treatment_checks import listed

if TYPE_CHECKING:
    from unmoor.analysis.memory import Memory
    from unmoor.trial.run import Progress

_NEAR = 1e-9


@dataclass(frozen=True)
class Validation:
    """How the rows of a table of evidence came out.

    Attributes
    ----------
    name
        The table's name.
    digest, catalog
        SHA-256 of the table, and of the catalog the numbers come from.
    rows
        In the order of the table.
    weights
        Weight of each structure in the mixture, by name.
    left_out
        Publication whose rows informed no draw, and are the only ones judged; empty if none.
    judged
        Every row in every line under every structure.
    """

    name: str
    digest: str
    catalog: str
    asking: Asking
    weights: Mapping[str, float]
    left_out: str
    rows: tuple[RowVerdict, ...]
    judged: tuple[Judged, ...]

    @property
    def totals(self) -> dict[str, Any]:
        """Rows that agree, disagree, cannot be expressed and were not run, by use.

        Also by role, by publication, under each structure alone (``options``), and if a change of
        the published sign counted however small it is (``sign``).
        """
        names = [structure.name for structure in self.asking.structures]
        roles = [role for role in (CALIBRATED, TUNED, TEST, LEFT_OUT)
                 if any(each.role == role for each in self.rows)]  # fmt: skip
        sources = dict.fromkeys(publication(each.row) for each in self.rows)
        found: dict[str, Any] = _by_use(self.rows)
        found["sign"] = _by_use(self.rows, "sign")
        found["options"] = {name: _by_use(self.rows, name) for name in names}
        found["roles"] = {role: _by_use([x for x in self.rows if x.role == role]) for role in roles}
        found["publications"] = {
            source: _counts([x.outcome for x in self.rows if publication(x.row) == source])
            for source in sources
        }
        return found

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain data; names stay as they are from version to version."""
        asking = self.asking
        return {
            "rows": [_row(each) for each in self.rows],
            "totals": self.totals,
            "weights": dict(self.weights),
            "draws": asking.draws,
            "seed": asking.seed,
            "sets": asking.sets,
            "left_out": self.left_out,
            "evidence": self.name,
            "evidence_digest": self.digest,
            "catalog_digest": self.catalog,
        }


def validate(
    evidence: str | os.PathLike[str] | None = None,
    *,
    draws: int = 200,
    seed: int = 7,
    weights: Mapping[str, float] | None = None,
    leave_out: str | None = None,
    tissue_draws: int | None = None,
    memory: Memory | None = None,
    workers: int | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Validation:
    """Judge the model by a table of published directions.

    Parameters
    ----------
    evidence
        Tab-separated table; the catalog's own if None. Lines, drugs and doses are first looked
        for in a folder ``catalog`` beside it.
    draws
        Parameter sets under each structure.
    weights
        Weight of each structure in the mixture by which rows are scored, by name, adding up to 1;
        the same for the four that a study weighs if None.
    leave_out
        Judge only rows whose source contains this, in draws that no such row informed; ``|``
        parts several names of one publication.
    tissue_draws
        Parameter sets, over all structures, in rows of tissues; 0 leaves these rows out.
    memory
        What was computed before; nothing is kept if None.
    workers, progress
        As for :func:`unmoor.trial.run.run`.

    Raises
    ------
    StudyError
        If the table, the draws, the weights or the publication are not what they should be.
    Interrupted
        If it was stopped; what the memory holds is not computed again.
    """
    path = CATALOGUED if evidence is None else Path(evidence)
    _check_draws("draws", draws, 1)
    if tissue_draws is not None:
        _check_draws("tissue_draws", tissue_draws, 0)
    shares = _weights(weights)
    rows = read_evidence(path)
    is_own = path.resolve() != CATALOGUED.resolve()
    asking = Asking(
        draws=draws,
        seed=seed,
        tissue_draws=tissue_draws,
        beside=path.resolve().parent if is_own else None,
    )
    if leave_out is not None:
        rows = _of_source(rows, leave_out, path)
        asking = replace(asking, sets="prior") if _informs(rows) else asking
    judged = judge_rows(rows, asking, workers=workers, memory=memory, progress=progress)
    if asking.sets == "prior":
        judged = [replace(each, role=LEFT_OUT) for each in judged]
    found = verdicts(judged, shares, protocol(asking.beside))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return Validation(
        path.stem, digest, _catalog_digest(asking.beside), asking, shares, leave_out or "",
        tuple(found), tuple(judged),
    )  # fmt: skip


def publication(row: EvidenceRow) -> str:
    """The first publication that a row names, by author and year where it has both."""
    first = row.source.split(";")[0].split()
    years = [i for i, word in enumerate(first) if word.isdigit() and len(word) == len("2014")]
    return " ".join(first[: years[0] + 1] if years else first)


def _informs(rows: Sequence[EvidenceRow]) -> bool:
    """Whether any of the rows conditioned the plausible parameter sets."""
    return any(role_of(row) == CALIBRATED for row in rows)


def _of_source(rows: Sequence[EvidenceRow], text: str, path: Path) -> list[EvidenceRow]:
    names = [part.strip().casefold() for part in text.split("|") if part.strip()]
    found = [row for row in rows if any(name in row.source.casefold() for name in names)]
    if found:
        return found
    sources = sorted({publication(row) for row in rows})
    expected = f"part of the source of a row of {path.name}, such as {listed(sources[:4])}"
    raise StudyError(Problem("", "leave_out", literal(text), expected, "", "E-CHOICE"))


def _weights(given: Mapping[str, float] | None) -> dict[str, float]:
    if given is None:
        return {each.name: 1.0 / len(WEIGHED) for each in WEIGHED}
    names = [each.name for each in STRUCTURES]
    problems = [
        Problem("", f"weights.{name}", "", f"one of {listed(names)}", "", "E-WEIGHTS")
        for name in given if name not in names
    ]  # fmt: skip
    bad = [x for x in given.values() if not (math.isfinite(x) and x >= 0.0)]
    if not problems and (bad or abs(sum(given.values()) - 1.0) > _NEAR):
        got = listed([f"{name} = {weight:g}" for name, weight in given.items()])
        expected = "weights of at least 0 that add up to 1"
        problems.append(Problem("", "weights", got, expected, "", "E-WEIGHTS"))
    if problems:
        raise StudyError(problems)
    return dict(given)


def _check_draws(name: str, value: int, least: int) -> None:
    """There are only so many plausible parameter sets under each structure."""
    most = min(len(plausible_sets(each.name).others) for each in STRUCTURES)
    if not least <= value <= most:
        expected = f"a whole number from {least} to {most}"
        raise StudyError(Problem("", name, str(value), expected, "", "E-USAGE"))


def _catalog_digest(beside: Path | None) -> str:
    """SHA-256 of every file of the catalog, and of the one beside the table."""
    digest = hashlib.sha256()
    roots = [catalog.ROOT, *([] if beside is None else [beside / "catalog"])]
    for root in roots:
        for path in sorted(root.rglob("*")):
            if path.is_file() and path.suffix in (".tsv", ".toml"):
                digest.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


def _by_use(rows: Sequence[RowVerdict], of: str = "") -> dict[str, dict[str, int]]:
    return {
        use: _counts(
            [x.outcome_by(of) if of else x.outcome for x in rows if x.row.use == use]
        )
        for use in USES
    }  # fmt: skip


def _counts(outcomes: Sequence[str]) -> dict[str, int]:
    counts = {word.replace(" ", "_"): outcomes.count(word) for word in OUTCOMES}
    return {"rows": len(outcomes), **counts}


def _row(each: RowVerdict) -> dict[str, Any]:
    row = each.row
    return {
        "id": row.id,
        "use": row.use,
        "outcome": each.outcome,
        "probability": each.probability,
        "published": row.direction,
        "options": {
            name: {
                "outcome": outcome_of(lines),
                "probability": least_share(lines),
                "lines": {line.line: _line(line) for line in lines},
            }
            for name, lines in each.options.items()
        },
        "lines": {line.line: _line(line) for line in each.lines},
        "agrees_under": each.agrees_under,
        "reason": each.reason,
        "role": each.role,
        "assay": row.assay,
        "matrix": row.matrix,
        "perturbation": row.perturbation,
        "reference": row.reference,
        "readout": row.readout,
        "source": row.source,
        "evidence": row.evidence,
    }


def _line(each: Judged) -> dict[str, Any]:
    return {
        "outcome": each.outcome,
        "probability": each.share,
        "p_up": each.p_up,
        "p_down": each.p_down,
        "p_sign": each.p_sign,
        "measure": each.measure,
        "median": each.median,
        "low": each.low,
        "high": each.high,
        "draws": each.draws,
        "reason": each.reason,
    }
