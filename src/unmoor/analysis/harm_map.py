"""For which tumours and treatments: the chance of a switch over any two inputs.

Each cell of the map is computed, with the same parameter sets and the same random numbers; nothing
is fitted in between. Contours are drawn on the grid.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from unmoor.analysis.map_axes import Axis, read_axis
from unmoor.analysis.memory import Memory
from unmoor.analysis.pieces import name_of, name_within, work_through
from unmoor.assays.base import Assay, Bench
from unmoor.catalog.draws import Draw
from unmoor.cell.line import CellLine, Structure
from unmoor.elementwise import FloatArray
from unmoor.errors import Problem, StudyError, literal, nearest
from unmoor.findings import FrozenMap
from unmoor.therapy.regimen import Edit
from unmoor.trial.chunks import draw_sets, structures
from unmoor.trial.run import Progress
from unmoor.trial.study import Arm, Study
from unmoor.trial.tumour_assay import tumour_assay

LEVELS = (0.5, 0.8)
"""Contours of a map."""
_DRAWS = 40
_TOGETHER = 20  # arms of a piece of work
_HOLDING = 0.5  # share of draws that must hold the untreated line on its branch to count


@dataclass(frozen=True)
class HarmMap:
    """Shares of draws over two axes; arrays have shape (y, x).

    Attributes
    ----------
    line, arm
        What was mapped.
    switch, smaller, more
        Share of draws in which the tumour is smaller and yet more spreads, is smaller, more
        spreads; NaN where the untreated line could not be what it is.
    holding
        Share of draws in which the untreated line keeps its state.
    has_evidence
        Whether both inputs lie where something was measured or calibrated.
    own
        Where the line and the arm are without the map; None where an axis has no such place.
    draws
        Parameter sets of each cell.
    """

    study: Study
    line: str
    arm: str
    x: Axis
    y: Axis
    switch: FloatArray
    smaller: FloatArray
    more: FloatArray
    holding: FloatArray
    has_evidence: npt.NDArray[np.bool_]
    own: tuple[float | None, float | None]
    draws: int


class _Cell(NamedTuple):
    """Place of a piece of work; several columns at once if only the arm changes along x."""

    row: int
    columns: tuple[int, ...]

    @property
    def key(self) -> str:
        """Name in messages."""
        return f"row {self.row}, columns {self.columns[0]}-{self.columns[-1]}"


@dataclass(frozen=True)
class _Map:
    """What all cells of a map share."""

    study: Study
    assay: Assay
    line: CellLine
    arm: Arm
    structure: Structure
    draws: Sequence[Draw]
    x: Axis
    y: Axis


def harm_map(
    study: Study,
    x: str,
    y: str,
    *,
    line: str | CellLine | None = None,
    arm: str | None = None,
    draws: int = _DRAWS,
    memory: Memory | None = None,
    workers: int | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> HarmMap:
    """Map the chance of a switch over two inputs.

    Parameters
    ----------
    x, y
        Axes: a parameter of the line (``tone``, ``e_present``, ``f``, ``beta1_tot``, ``c0``), a
        level (``ITGB1``, ``TGFBR2``, ``SMAD4``, …), ``k_int``, ``occupancy`` of β1 integrin,
        ``dose:DRUG`` or ``start:DRUG``; with ``=LOW:HIGH:STEPS`` if wanted.
    line
        Line or tumour that is varied; the study's first if None.
    arm
        Arm that is mapped; the first after the control if None.
    draws
        Parameter sets in each cell, at most the study's.
    memory, workers, progress
        As for :func:`unmoor.analysis.foretelling.foretell`.

    Raises
    ------
    StudyError
        If there is no such axis, line or arm, or the study has no xenograft.
    Interrupted
        If it was stopped; what the memory holds is not computed again.
    """
    shared = _shared(study, x, y, line, arm, draws)
    memory = memory or Memory()
    cells, keys = list(_cells(shared)), _Keys(shared)
    todo = [cell for cell in cells if memory.get(keys.of(cell)) is None]

    def keep(cell: _Cell, found: dict[str, FloatArray]) -> int:
        memory.put(keys.of(cell), found)
        return 0

    shared.structure.network.compiled  # noqa: B018 - compiles and caches before workers start
    compute = partial(_compute, shared)
    work_through(todo, compute, keep, memory, workers=workers, progress=progress)
    shape = (shared.y.values.size, shared.x.values.size)
    found = {name: np.full(shape, np.nan) for name in ("switch", "smaller", "more", "holding")}
    for cell in cells:
        known = memory.get(keys.of(cell))
        assert known is not None
        for name, values in found.items():
            values[cell.row, list(cell.columns)] = known[name]
    inside = [axis.has_evidence for axis in (shared.y, shared.x)]
    return HarmMap(
        study, shared.line.name, arm or _first_arm(study), shared.x, shared.y, **found,
        has_evidence=np.outer(*inside).astype(bool), draws=len(shared.draws),
        own=(_own(shared, shared.x), _own(shared, shared.y)),
    )  # fmt: skip


def _first_arm(study: Study) -> str:
    return next(name for name in study.arms if name != study.control)


def _shared(
    study: Study, x: str, y: str, line: str | CellLine | None, arm: str | None, draws: int
) -> _Map:
    name = arm or _first_arm(study)
    if name not in study.arms:
        fix = f"did you mean {', '.join(nearest(name, study.arms, likeness=0.0))}?"
        raise StudyError(
            Problem(study.name, "arm", literal(name), "an arm of the study", fix, "E-NAME")
        )
    cells = (
        line
        if isinstance(line, CellLine)
        else CellLine.load(line or study.cell_lines[0], study.beside)
    )
    assay = tumour_assay(study)
    structure = structures(study)[0]
    axes = [read_axis(text, study, study.arms[name], structure) for text in (x, y)]
    if axes[0].name == axes[1].name:
        expected = "two different axes"
        raise StudyError(Problem("", "axis", literal(axes[0].name), expected, "", "E-DUPLICATE"))
    count = min(draws, study.uncertainty.draws)
    numbers = range(1, count + 1) if count else range(1)
    sets = draw_sets(study, structure, numbers)
    return _Map(study, assay, cells, study.arms[name], structure, sets, *axes)


def _cells(shared: _Map) -> Iterator[_Cell]:
    columns = range(shared.x.values.size)
    for row in range(shared.y.values.size):
        together = _TOGETHER if shared.x.changes_arm else 1
        for first in range(0, len(columns), together):
            yield _Cell(row, tuple(columns[first : first + together]))


class _Keys:
    """Names in the memory: a digest of everything that decides a cell."""

    def __init__(self, shared: _Map) -> None:
        self._shared = shared
        line = shared.line
        levels = sorted(line.levels.values_by_id().items())
        self._of_map = name_of(
            shared.study, "map", levels, repr(shared.arm), line.is_malignant, line.species,
            len(shared.draws), shared.structure.name,
        )  # fmt: skip

    def of(self, cell: _Cell) -> str:
        """Name of what is known of a cell."""
        x, y = self._shared.x, self._shared.y
        columns = [float(x.values[i]) for i in cell.columns]
        return name_within(self._of_map, x.name, columns, y.name, float(y.values[cell.row]))


def _compute(shared: _Map, cell: _Cell) -> dict[str, FloatArray]:
    """Shares in some columns of a row."""
    axes = [(shared.y, float(shared.y.values[cell.row]))]
    if not shared.x.changes_arm:
        axes.append((shared.x, float(shared.x.values[cell.columns[0]])))
    line, draws = _line_at(shared.line, axes), _draws_at(shared.draws, axes)
    arm = shared.arm
    for axis, value in axes:
        arm = axis.applied(arm, value) if axis.changes_arm else arm
    arms: dict[str, Arm] = {"control": shared.study.arms[shared.study.control]}
    for column in cell.columns:
        value = float(shared.x.values[column])
        arms[f"{column}"] = shared.x.applied(arm, value) if shared.x.changes_arm else arm
    checked = shared.study.replace(arms=arms, control="control", verdict={}).arms
    study = shared.study
    bench = Bench(
        line=line, arms=FrozenMap({name: checked[name] for name in arms}),
        structure=shared.structure, seed=study.seed, beside=study.beside,
        interaction=study.model.interaction, escape="table",
    )  # fmt: skip
    return _shares(study, shared.assay.run(bench, draws))


def _line_at(line: CellLine, axes: Sequence[tuple[Axis, float]]) -> CellLine:
    levels = {axis.key: value for axis, value in axes if axis.kind == "level"}
    fixed = {axis.key: value for axis, value in axes if axis.kind == "parameter"}
    return line.altered(levels, **fixed) if levels or fixed else line


def _draws_at(draws: Sequence[Draw], axes: Sequence[tuple[Axis, float]]) -> Sequence[Draw]:
    """Sets whose coupling is that of the axis, wherever a set has it from."""
    for axis, value in axes:
        if axis.kind == "coupling":
            return [_coupled(draw, value) for draw in draws]
    return draws


def _coupled(draw: Draw, k_int: float) -> Draw:
    fitted = dict.fromkeys(draw.values("closures", "k_int"), k_int)
    return draw.changed("closures", "line_rule", k_int=k_int).changed("closures", "k_int", **fitted)


def _shares(study: Study, outcome: Any) -> dict[str, FloatArray]:
    with np.errstate(all="ignore"):
        logs = np.log(outcome.arrays["volume"]).mean(axis=2)
        spread = outcome.arrays["expected_metastases"].mean(axis=2)
        tumour, spread = np.exp(logs[:, 1:] - logs[:, :1]), spread[:, 1:] / spread[:, :1]
    holds = np.array([line.holds_branch for line in outcome.lines])
    solved = (outcome.status[:, 1:] == 0) & (outcome.status[:, :1] == 0)
    counted = solved & np.isfinite(tumour) & np.isfinite(spread) & holds[:, None]
    smaller = tumour < study.verdict.smaller
    more = spread > study.verdict.spread
    enough = (holds.mean() >= _HOLDING) & (counted.sum(axis=0) > 0)
    count = np.maximum(counted.sum(axis=0), 1)

    def share(of: npt.NDArray[np.bool_]) -> FloatArray:
        return np.where(enough, (of & counted).sum(axis=0) / count, np.nan)

    found = {"switch": share(smaller & more), "smaller": share(smaller), "more": share(more)}
    return {**found, "holding": np.full(count.shape, holds.mean())}


def _own(shared: _Map, axis: Axis) -> float | None:
    """Where the line, or the arm, is without the map."""
    core = shared.structure.emt_core
    if axis.kind == "level":
        return shared.line.levels[axis.key].value
    if axis.kind == "parameter":
        own = [shared.line.parameters(draw, core) for draw in shared.draws]
        return float(np.median([getattr(each, axis.key) for each in own]))
    if axis.kind == "coupling":
        rows: Mapping[str, float]
        known = []
        for draw in shared.draws:
            rows = draw.values("closures", "line_rule" if draw.is_prior else "k_int")
            known.append(
                rows["k_int" if draw.is_prior else shared.structure.name.replace("/", "_")]
            )
        return float(np.median(known))
    for item in shared.arm:
        if getattr(item, "drug", None) == axis.key and axis.kind in ("dose", "start"):
            return float(getattr(item, axis.kind))
        if axis.kind == "occupancy" and isinstance(item, Edit):
            return 1.0 - float(item.factor)
    return None
