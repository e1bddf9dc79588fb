"""Which lines and tumours answer a study's arms how: a screen of lines.

Each line is asked twice: its cells alone (``cell_switch``), under every structure and under three
priors of the coupling that no one has measured, and its tumours in animals under the study's arms
(``foretelling``). Lines are ranked by what is foretold of them, never by their names.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from unmoor import catalog
from unmoor.analysis.cell_switch import BRANCHES, Cells, put_to_the_test, switch_loss
from unmoor.analysis.foretelling import Foretold, foretell
from unmoor.analysis.memory import Memory
from unmoor.analysis.own_lines import write_line
from unmoor.analysis.rule_digest import rule_digest
from unmoor.catalog.draws import Draw
from unmoor.cell.line import CellLine, Structure
from unmoor.elementwise import FloatArray
from unmoor.errors import Problem, StudyError, literal, nearest
from unmoor.trial.chunks import draw_sets, structures
from unmoor.trial.run import Progress, usable_cores
from unmoor.trial.study import Study

if TYPE_CHECKING:
    import pandas as pd

    from unmoor.analysis.consistency import Consistency
    from unmoor.analysis.limiting import Limits

PRIORS: Mapping[str, str] = {
    "calibrated": "the parameter sets of the study, as a rule the plausible ones",
    "prior": "all ranges of the catalog, k_int from the prior of the line rule",
    "weak": "all ranges, k_int from the weaker prior of the screen",
}
INPUTS = ("f", "beta1_tot", "e_present", "tone", "c0")
MOST_LINES = 200
LIMIT_DRAWS = 60
"""Parameter sets with which lines are changed in silico."""


@dataclass(frozen=True)
class Screened:
    """What a screen found.

    Attributes
    ----------
    lines
        In the order asked for.
    rule
        SHA-256 of what decides the order of lines (:mod:`unmoor.analysis.rule_digest`).
    cells
        Test of the cells by structure and prior, one entry a line, arrays of shape (draws,).
    inputs
        Parameters of the lines in each calibrated draw, shape (lines, draws); and ``branch``,
        0, 1, 2 for epithelial, partial, mesenchymal.
    foretold
        Tumours and metastases under the study's arms; lines in the same order.
    loss
        Absolute loss of E-cadherin that counts as a switch.
    threshold
        Share of draws from which a line counts as switching.
    """

    study: Study
    lines: tuple[CellLine, ...]
    rule: str
    cells: Mapping[tuple[str, str], Sequence[Cells]]
    inputs: Mapping[str, FloatArray]
    foretold: Foretold
    loss: float
    threshold: float
    _made: dict[str, Consistency] = field(default_factory=dict, repr=False, compare=False)

    @property
    def structure(self) -> str:
        """The study's own structure."""
        return self.foretold.structures[0].name

    @property
    def own_cells(self) -> Sequence[Cells]:
        """Test of the cells under the study's structure and the calibrated sets."""
        return self.cells[self.structure, "calibrated"]

    @property
    def arms(self) -> tuple[str, ...]:
        """Arms but the control."""
        arms, control = self.foretold.arms, self.foretold.control
        return tuple(arm for i, arm in enumerate(arms) if i != control)

    def share_switching(self, structure: str = "", prior: str = "calibrated") -> FloatArray:
        """Share of draws in which cells of each line switch, shape (lines,)."""
        found = self.cells[structure or self.structure, prior]
        return np.array([mean_of(each.switches(self.loss)) for each in found])

    def tables(self) -> dict[str, pd.DataFrame]:
        """Lines, lines under arms and thresholds, as they are shown in the report."""
        from unmoor.analysis.screen_tables import arms_table, lines_table, threshold_table

        return {
            "lines": lines_table(self, self.consistency()),
            "arms": arms_table(self),
            "thresholds": threshold_table(self, [None, *self.arms]),
        }

    def consistency(self) -> Consistency:
        """How well the screen agrees with what is known of its lines."""
        from unmoor.analysis.consistency import consistency

        if "held" not in self._made:
            self._made["held"] = consistency(self)
        return self._made["held"]

    def limits(self, *names: str) -> dict[str, Limits]:
        """What limits lines of the screen, and their smallest repair; all lines if none is named.

        Raises
        ------
        StudyError
            If a line was not screened.
        """
        from unmoor.analysis.limiting import limits_of

        known = {line.name: line for line in self.lines}
        structure = self.foretold.structures[0]
        draws = draw_sets(self.study, structure, _numbers(self.study)[:LIMIT_DRAWS])
        wanted = [_screened(name, known) for name in names] or list(self.lines)
        return {line.name: limits_of(line, draws, structure, self.threshold) for line in wanted}


def _screened(name: str, known: Mapping[str, CellLine]) -> CellLine:
    if name in known:
        return known[name]
    fix = f"did you mean {', '.join(nearest(name, known, likeness=0.0))}?"
    expected = "a line of the screen"
    raise StudyError(Problem("", "limits", literal(name), expected, fix, "E-NAME"))


def screen(
    study: Study,
    lines: Iterable[str | CellLine] | str | None = None,
    *,
    arms: Sequence[str] | None = None,
    memory: Memory | None = None,
    workers: int | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Screened:
    """Screen lines and tumours under the arms of a study.

    Parameters
    ----------
    study
        Has a xenograft; its lines do not matter.
    lines
        Names, paths, lines read by :func:`read_expression` or :func:`panel_lines`; ``"all"`` of the
        catalog; the study's own if None.
    arms
        Arms instead of all of the study's.
    memory
        What is known; nothing is kept beyond this call if None.
    workers, progress
        As for :func:`unmoor.trial.run.run`.

    Raises
    ------
    StudyError
        If there is no such line or arm, two lines of one name, or no xenograft in the study.
    Interrupted
        If it was stopped; what the memory holds is not computed again.
    """
    found = _loaded(study, lines)
    asked = [each.line for each in found]
    chosen = {name: study.arms[name] for name in _arms(study, arms)}
    own, *_ = among = structures(study)
    cells = {
        (structure.name, prior): _test(asked, draws, structure, k_int, workers)
        for structure in among
        for prior, draws, k_int in _priors(study, structure, is_own=structure == own)
    }
    foretold = _foretold(study, found, chosen, memory, workers, progress)
    draws = draw_sets(study, own, _numbers(study))
    constants = catalog.table("closures", "screen", study.beside).values_by_id()
    return Screened(
        study, tuple(asked), rule_digest(), cells, _inputs(asked, draws, own.emt_core), foretold,
        switch_loss(draws[0]), constants["threshold"],
    )  # fmt: skip


def mean_of(values: FloatArray) -> float:
    """Mean of what was solved; NaN of nothing."""
    solved = values[np.isfinite(values)]
    return float(solved.mean()) if solved.size else float("nan")


class _Asked(NamedTuple):
    """A line, and how a study refers to it; empty if it is in no catalog."""

    line: CellLine
    reference: str


def _asked(line: str | CellLine, beside: Path | None) -> _Asked:
    if isinstance(line, CellLine):
        return _Asked(line, "")
    reference = catalog.reference("cell_lines", line, beside)
    return _Asked(CellLine.load(line, beside), reference)


def _loaded(study: Study, lines: Iterable[str | CellLine] | str | None) -> list[_Asked]:
    if lines is None:
        lines = study.cell_lines
    elif isinstance(lines, str):
        lines = catalog.names("cell_lines", study.beside) if lines == "all" else [lines]
    found = [_asked(each, study.beside) for each in lines]
    names = [each.line.name for each in found]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        expected, fix = "each line once", "rename one"
        raise StudyError(Problem("", "lines", ", ".join(twice), expected, fix, "E-DUPLICATE"))
    if not 1 <= len(found) <= MOST_LINES:
        expected = f"1-{MOST_LINES} lines"
        raise StudyError(Problem("", "lines", f"{len(found)}", expected, "", "E-RANGE"))
    return found


def _arms(study: Study, arms: Sequence[str] | None) -> Sequence[str]:
    wanted = [*study.arms] if arms is None else [study.control, *arms]
    for name in wanted:
        if name not in study.arms:
            fix = f"did you mean {', '.join(nearest(name, study.arms, likeness=0.0))}?"
            expected = "an arm of the study"
            raise StudyError(Problem(study.name, "arms", literal(name), expected, fix, "E-NAME"))
    return list(dict.fromkeys(wanted))


def _numbers(study: Study) -> range:
    return range(1, study.uncertainty.draws + 1) if study.uncertainty.draws else range(1)


def _priors(
    study: Study, structure: Structure, *, is_own: bool
) -> Iterable[tuple[str, Sequence[Draw], Sequence[float] | None]]:
    """Name, draws and couplings; rivals are told under their calibrated sets alone."""
    numbers = _numbers(study)
    yield "calibrated", draw_sets(study, structure, numbers), None
    if is_own:
        wide = Draw.sets(study.seed, numbers, study.beside, is_prior=True)
        yield "prior", wide, None
        weak = [draw.values("closures", "screen")["k_int_weak"] for draw in wide]
        yield "weak", wide, weak


def _test(
    lines: Sequence[CellLine],
    draws: Sequence[Draw],
    structure: Structure,
    k_int: Sequence[float] | None,
    workers: int | None,
) -> list[Cells]:
    structure.network.compiled  # noqa: B018 - compiles and caches before workers start
    work = partial(_test_one, draws=draws, structure=structure, k_int=k_int)
    with ThreadPoolExecutor(workers or usable_cores()) as pool:
        return list(pool.map(work, lines))


def _test_one(
    line: CellLine, draws: Sequence[Draw], structure: Structure, k_int: Sequence[float] | None
) -> Cells:
    return put_to_the_test(line, draws, structure, k_int=k_int)


def _inputs(lines: Sequence[CellLine], draws: Sequence[Draw], core: str) -> dict[str, FloatArray]:
    found = [[line.parameters(draw, core) for draw in draws] for line in lines]
    inputs = {
        name: np.array([[getattr(own, name) for own in row] for row in found]) for name in INPUTS
    }
    branch = [[BRANCHES.index(own.branch) for own in row] for row in found]
    return inputs | {"branch": np.array(branch, dtype=np.float64)}


def _foretold(
    study: Study,
    lines: Sequence[_Asked],
    arms: Mapping[str, Sequence[object]],
    memory: Memory | None,
    workers: int | None,
    progress: Callable[[Progress], None] | None,
) -> Foretold:
    """Tumours of the lines under the study's own structure; lines of no catalog get a folder."""
    with tempfile.TemporaryDirectory(prefix="unmoor-") as temporary:
        root = memory.folder if memory is not None and memory.folder else Path(temporary)
        names = [_entry(each, root) for each in lines]
        found = foretell(
            study.replace(cell_lines=names), arms=arms, among=structures(study)[:1],
            memory=memory, workers=workers, progress=progress,
        )  # fmt: skip
    return replace(found, lines=tuple(each.line.name for each in lines))


def _entry(asked: _Asked, root: Path) -> str:
    """How a study refers to a line: as it was asked for, or by a folder named by what it holds."""
    if asked.reference:
        return asked.reference
    line = asked.line
    content = repr((sorted(line.levels.values_by_id().items()), line.is_malignant, line.species))
    digest = hashlib.sha256(content.encode()).hexdigest()[:16]
    return str(write_line(line, root.resolve() / "lines" / digest))
