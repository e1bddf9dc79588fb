"""What to measure next: which numbers of the catalog the answer hangs on.

Two views that need not agree. *Over the ranges* of the catalog, every number by itself: Morris
effects screen all of them, Sobol indices share the variance among the most influential and the rest
as one group. *Over the plausible sets*, which went through the calibration: partial rank
correlations, since those numbers are not independent any more. Both tell numbers on the scale they
are drawn on (logarithmic where positive). Equations: docs/explanation/foresight_why.md.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd

from unmoor.analysis.indices import METHODS, morris, order_of, partial_ranks, sobol
from unmoor.analysis.memory import Memory
from unmoor.analysis.pieces import Report, name_of, work_off
from unmoor.assays.base import Bench
from unmoor.catalog import table
from unmoor.catalog.draws import Draw
from unmoor.cell.line import CellLine, Structure
from unmoor.elementwise import FloatArray
from unmoor.errors import Problem, StudyError, literal
from unmoor.trial.chunks import draw_sets, structures
from unmoor.trial.effects import expected_ratios
from unmoor.trial.run import usable_cores
from unmoor.trial.study import Study
from unmoor.trial.tumour_assay import tumour_assay

OUTCOMES = ("spread", "tumour", "paradox", "e_loss")
SENSITIVITY_COLUMNS = (
    "cell_line", "structure", "arm", "outcome", "rank", "number", "value", "unit", "low", "high",
    "evidence", "source", "effect", "effect_half", "sigma", "first", "first_half", "total",
    "total_half", "partial_rank", "partial_low", "partial_high",
)  # fmt: skip
REST = "all others"
TRAJECTORIES, BASE, TOP = 10, 128, 10  # of Morris, of Sobol, numbers told apart by Sobol
_BLOCK = 50  # points of a piece of work


@dataclass(frozen=True)
class Drawn:
    """A number that is drawn: its name, and its row of the catalog."""

    name: str
    value: float
    unit: str
    low: float
    high: float
    evidence: str
    source: str


@dataclass(frozen=True)
class Sensitivity:
    """How the outcome of an arm hangs on the numbers of the catalog.

    Attributes
    ----------
    numbers
        One row a number (``SENSITIVITY_COLUMNS``), the most influential first; half widths and
        limits are of intervals of the study's level. The row ``all others`` of a Sobol analysis is
        the group of those that are not told apart.
    points
        Points at which the model was asked, and those of them it could not solve.
    """

    study: Study
    outcome: str
    method: str
    numbers: pd.DataFrame
    points: int
    failed: int

    def top(self, count: int = TOP) -> pd.DataFrame:
        """Return the most influential numbers."""
        own = self.numbers[self.numbers["number"] != REST]
        return own.head(count)

    def sentences(self) -> list[str]:
        """Return what to measure next, in words."""
        index, half = (
            ("total", "total_half") if self.method == "sobol" else ("effect", "effect_half")
        )
        what = "share of the variance with interactions" if self.method == "sobol" else "effect"
        top = self.top().to_dict("records")
        told = [
            f"{row['number']} ({what} {row[index]:.2f} ± {row[half]:.2f}; {row['evidence']})"
            for row in top[:3]
        ]
        where = f"{top[0]['cell_line']}, {top[0]['arm']}"
        lines = [f"{where}: {self.outcome} hangs most on {'; '.join(told)}."]
        weak = [row["number"] for row in top if row["evidence"] in ("assumed", "fitted")]
        if weak:
            lines.append(f"Of the ten most influential, not measured: {', '.join(weak)}.")
        if self.failed:
            lines.append(f"{self.failed} of {self.points} points could not be solved.")
        return lines


class _Points(NamedTuple):
    """Points of a design, as rows of numbers in (0, 1)."""

    key: str
    points: FloatArray


def sensitivity(
    study: Study,
    outcome: str = "spread",
    *,
    method: str = "sobol",
    arm: str | None = None,
    line: str | None = None,
    trajectories: int = TRAJECTORIES,
    size: int = BASE,
    memory: Memory | None = None,
    workers: int | None = None,
    progress: Report | None = None,
) -> Sensitivity:
    """Rank the numbers of the catalog by what the outcome of an arm owes to them.

    Parameters
    ----------
    outcome
        ``spread``, ``tumour``, ``paradox`` (logarithms of ratios to control) or ``e_loss``.
    method
        ``sobol`` screens by Morris first and shares the variance among the ten most influential;
        ``morris`` screens alone.
    arm, line
        Of the study; the first arm that is not the control, the first line.
    trajectories, size
        Of the Morris design, and of the Sobol design (a power of 2).

    Raises
    ------
    StudyError
        If something asked for is not there, or SALib is not installed.
    """
    ask = _Asked.of(study, outcome, method, arm, line, size)
    numbers = ask.drawn()
    model = partial(_values, ask, numbers, memory=memory, workers=workers, progress=progress)
    level, seed = study.verdict.interval, study.seed
    counted = _Counted(model)
    screened = morris(counted, len(numbers), trajectories, seed, level)
    order = order_of(screened, "effect")
    columns: dict[str, FloatArray] = dict(screened)
    top = order[:TOP]
    rest = [i for i in order if i not in top]
    if method == "sobol":
        groups = [[i] for i in sorted(top)] + ([sorted(rest)] if rest else [])
        told = sobol(counted, groups, size, seed, level)
        for name, values in told.items():
            columns[name] = np.full(len(numbers), np.nan)
            columns[name][sorted(top)] = values[: len(top)]
        order = [*sorted(top, key=lambda i: -columns["total"][i]), *rest]
    columns |= _over_plausible(ask, numbers, top, level, workers)
    frame = _frame(ask, numbers, order, columns)
    if method == "sobol" and rest:
        frame = _with_rest(frame, ask, {name: float(values[-1]) for name, values in told.items()})
    return Sensitivity(study, outcome, method, frame, counted.points, counted.failed)


@dataclass
class _Counted:
    """A model that counts what it was asked."""

    model: partial[FloatArray]
    points: int = 0
    failed: int = 0

    def __call__(self, points: FloatArray) -> FloatArray:
        values = self.model(points)
        self.points += len(values)
        self.failed += int((~np.isfinite(values)).sum())
        return values


@dataclass(frozen=True)
class _Asked:
    """One line, one arm and its control, one outcome."""

    study: Study
    line: CellLine
    structure: Structure
    arm: str
    outcome: str

    @classmethod
    def of(
        cls, study: Study, outcome: str, method: str, arm: str | None, line: str | None, size: int
    ) -> _Asked:
        """Check what is asked for."""
        assay = tumour_assay(study)
        others = [name for name in study.arms if name != study.control]
        arm = arm or (others[0] if others else "")
        line = line or study.cell_lines[0]
        for field, got, allowed in (
            ("--outcome", outcome, OUTCOMES), ("--method", method, METHODS), ("--arm", arm, others),
            ("--line", line, study.cell_lines),
            ("--size", size, tuple(2**n for n in range(3, 15))),
        ):  # fmt: skip
            if got not in allowed:
                expected = "one of " + ", ".join(map(str, allowed))
                raise StudyError(Problem(field, "", literal(got), expected, "", "E-ASKED"))
        own = study.replace(
            arms={study.control: study.arms[study.control], arm: study.arms[arm]},
            assays=[assay], cell_lines=[line],
        )  # fmt: skip
        return cls(own, CellLine.load(line, study.beside), structures(study)[0], arm, outcome)

    def drawn(self) -> list[Drawn]:
        """Numbers with a range that the model reads, in the order of their names."""
        probe = self._draw({"": 0.5})
        self.values([probe])
        found = []
        for kind, name in probe.tables_read:
            for key, row in table(kind, name, self.study.beside).items():
                if row.low < row.high:
                    found.append(Drawn(f"{kind}/{name}/{key}", row.value, row.unit, row.low,
                                       row.high, row.evidence, row.source))  # fmt: skip
        found += self._levels()
        return sorted(found, key=lambda each: each.name)

    def _levels(self) -> list[Drawn]:
        """Levels of the line that are not known exactly, and the tone of its surroundings."""
        rows = self.line.levels
        found = [
            Drawn(self.line.drawn_name(key), row.value, row.unit, row.low, row.high, row.evidence,
                  row.source)
            for key, row in rows.items()
            if f"sd_{key}" in rows and rows[f"sd_{key}"].value > 0
        ]  # fmt: skip
        nothing = (math.nan, "-", math.nan, math.nan, "assumed", "")
        return [*found, Drawn(self.line.drawn_name("tone"), *nothing)]

    def _draw(self, given: Mapping[str, float]) -> Draw:
        return Draw(self.study.seed, 1, self.study.beside, is_prior=True, given=given)

    def draws(self, numbers: Sequence[Drawn], points: FloatArray) -> list[Draw]:
        """Parameter sets at points, numbers in the order of the columns."""
        names = [each.name for each in numbers]
        return [self._draw(dict(zip(names, map(float, p), strict=True))) for p in points]

    def values(self, draws: Sequence[Draw]) -> FloatArray:
        """The outcome in each draw, shape (draws,)."""
        study = self.study
        bench = Bench(
            line=self.line, arms=study.arms, structure=self.structure, seed=study.seed,
            beside=study.beside, interaction=study.model.interaction, is_rival=True,
        )  # fmt: skip
        outcome = study.assays[0].run(bench, draws)
        names = list(study.arms)
        arrays = {**outcome.arrays, "status": outcome.status}
        ratios = expected_ratios(arrays, names.index(self.arm), names.index(study.control))
        values: FloatArray = getattr(ratios, self.outcome)
        if self.outcome == "e_loss":
            return values
        with np.errstate(all="ignore"):
            return np.where(values > 0, np.log(values), np.nan)


def _values(
    ask: _Asked,
    numbers: Sequence[Drawn],
    points: FloatArray,
    *,
    memory: Memory | None,
    workers: int | None,
    progress: Report | None,
) -> FloatArray:
    """The outcome at points of a design, by several workers."""
    pieces = [
        _Points(f"{start} {ask.arm} {ask.outcome} {points[start : start + _BLOCK].tobytes().hex()}",
                points[start : start + _BLOCK])
        for start in range(0, len(points), _BLOCK)
    ]  # fmt: skip
    found = work_off(
        pieces, lambda piece: {"spread": ask.values(ask.draws(numbers, piece.points))},
        name_of(ask.study, "sensitivity"),
        memory=memory, workers=workers, progress=progress,
    )  # fmt: skip
    return np.concatenate([each["spread"] for each in found])


def _over_plausible(
    ask: _Asked,
    numbers: Sequence[Drawn],
    top: Sequence[int],
    level: float,
    workers: int | None,
) -> dict[str, FloatArray]:
    """Partial rank correlations of the most influential numbers over the study's own draws."""
    columns = {f"partial_{end}": np.full(len(numbers), np.nan) for end in ("rank", "low", "high")}
    count = ask.study.uncertainty.draws
    if count < len(top) + 4:
        return columns
    draws = draw_sets(ask.study, ask.structure, range(1, count + 1))
    names = [numbers[i].name for i in top]
    points = np.array([draw.uniforms(names) for draw in draws])
    blocks = [draws[i : i + _BLOCK] for i in range(0, count, _BLOCK)]
    with ThreadPoolExecutor(workers or usable_cores()) as pool:
        values = np.concatenate(list(pool.map(ask.values, blocks)))
    found = partial_ranks(points, values, ask.study.seed, level)
    for end, name in (("rank", "rank"), ("low", "rank_low"), ("high", "rank_high")):
        columns[f"partial_{end}"][list(top)] = found[name]
    return columns


def _frame(
    ask: _Asked, numbers: Sequence[Drawn], order: Sequence[int], columns: Mapping[str, FloatArray]
) -> pd.DataFrame:
    rows = []
    for rank, i in enumerate(order, 1):
        each = numbers[i]
        name = each.name
        if name.startswith("line/"):
            name = f"cell_lines/{ask.line.name}/{name.rpartition('/')[2]}"
        rows.append(
            {
                "cell_line": ask.line.name, "structure": ask.structure.name, "arm": ask.arm,
                "outcome": ask.outcome, "rank": rank, "number": name, "value": each.value,
                "unit": each.unit, "low": each.low, "high": each.high, "evidence": each.evidence,
                "source": each.source, **{key: float(v[i]) for key, v in columns.items()},
            }
        )  # fmt: skip
    return pd.DataFrame(rows, columns=list(SENSITIVITY_COLUMNS))


def _with_rest(frame: pd.DataFrame, ask: _Asked, told: Mapping[str, float]) -> pd.DataFrame:
    """The table with a last row for the group of all numbers that are not told apart."""
    row = dict.fromkeys(SENSITIVITY_COLUMNS, np.nan) | {
        "cell_line": ask.line.name, "structure": ask.structure.name, "arm": ask.arm,
        "outcome": ask.outcome, "rank": len(frame) + 1, "number": REST, "unit": "", "evidence": "",
        "source": "", **told,
    }  # fmt: skip
    return pd.concat([frame, pd.DataFrame([row])], ignore_index=True)
