"""What a study foretells, arm by arm: expected ratios in each draw under each structure.

The questions of foresight (which line, which dose, which rival) ask for many arms, often the same
ones again. What is foretold of an arm is a function of the study without its other arms, so it is
computed once and kept in a ``Memory``: a job that was stopped goes on where it was, and adding an
arm costs that arm alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from unmoor.analysis.memory import Memory
from unmoor.analysis.pieces import name_of, name_within, work_through
from unmoor.cell.line import Structure
from unmoor.elementwise import FloatArray
from unmoor.findings import FrozenMap
from unmoor.trial.chunks import Chunk, compute, draw_blocks, structures
from unmoor.trial.run import Progress
from unmoor.trial.study import Arm, Study
from unmoor.trial.tumour_assay import tumour_assay

SUMMARY = (
    "log_volume", "metastases", "exposure", "shedding", "e_cadherin", "division", "death",
)  # fmt: skip
"""What is kept of an arm in each draw: mean logarithm of volumes [ln mm³], expected metastases an
animal, ∫V dt and what was shed in the typical animal, E-cadherin at read-out, and the paces of
division and death [1/d]."""
PARAMETERS = ("k_int", "f", "beta1_tot", "e_present", "tone", "c0", "branch", "holds_branch")
"""What is told of the line in each draw; branch 0, 1, 2: epithelial, partial, mesenchymal."""
_READ = ("proliferation", "apoptosis")
_BLOCK = 40  # draws of a piece of work
_TOGETHER = 24  # arms of a piece of work


@dataclass(frozen=True)
class Foretold:
    """Each arm of a study in each draw, under each structure.

    Attributes
    ----------
    study
        What was asked.
    lines, structures, arms
        Names along the first three axes.
    control
        Place of the control among the arms.
    summaries
        ``SUMMARY`` by name, each of shape (lines, structures, arms, draws); NaN where a draw could
        not be solved.
    parameters
        Parameters of the line in each draw, by name, each of shape (lines, structures, draws).
    """

    study: Study
    lines: tuple[str, ...]
    structures: tuple[Structure, ...]
    arms: tuple[str, ...]
    control: int
    summaries: Mapping[str, FloatArray]
    parameters: Mapping[str, FloatArray]

    @cached_property
    def tumour(self) -> FloatArray:
        """Ratio of geometric-mean volumes to control, (lines, structures, arms, draws)."""
        logs = self.summaries["log_volume"]
        ratio: FloatArray = np.exp(logs - logs[:, :, [self.control]])
        return ratio

    @cached_property
    def spread(self) -> FloatArray:
        """Ratio of expected metastases to control, (lines, structures, arms, draws)."""
        return self._ratio("metastases")

    @cached_property
    def paradox(self) -> FloatArray:
        """Paradox index: what the typical animal's tumour sheds, as a ratio to control."""
        return self._ratio("shedding")

    @cached_property
    def exposure(self) -> FloatArray:
        """Ratio of ∫V dt to control."""
        return self._ratio("exposure")

    @cached_property
    def e_loss(self) -> FloatArray:
        """E-cadherin lost against control, as a share of the epithelial maximum."""
        levels = self.summaries["e_cadherin"]
        return levels[:, :, [self.control]] - levels

    @cached_property
    def is_smaller(self) -> FloatArray:
        """1 where the tumour is smaller by the study's margin, 0 where not, NaN if unsolved."""
        return _as_share(self.tumour, self.tumour < self.study.verdict.smaller)

    @cached_property
    def is_more(self) -> FloatArray:
        """1 where more spreads by the study's margin, 0 where not, NaN where unsolved."""
        return _as_share(self.spread, self.spread > self.study.verdict.spread)

    @cached_property
    def is_switch(self) -> FloatArray:
        """1 where the tumour is smaller and yet more spreads, 0 where not, NaN where unsolved."""
        return self.is_smaller * self.is_more

    def _ratio(self, name: str) -> FloatArray:
        values = self.summaries[name]
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio: FloatArray = values / values[:, :, [self.control]]
        return ratio


class _Piece(NamedTuple):
    """Some arms of one line under one structure in a block of draws."""

    line: str
    structure: Structure
    first: int
    last: int
    is_coarse: bool
    arms: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Name in messages."""
        return f"{self.line} {self.structure.name} {self.first}-{self.last}"

    @property
    def draws(self) -> int:
        """Number of draws."""
        return self.last - self.first + 1


def foretell(
    study: Study,
    *,
    arms: Mapping[str, Sequence[Any]] | None = None,
    among: Sequence[Structure] | None = None,
    coarse: bool | None = None,
    memory: Memory | None = None,
    workers: int | None = None,
    executor: Executor | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Foretold:
    """Foretell arms of a study in all its draws.

    Parameters
    ----------
    study
        Has a xenograft; its first one is asked.
    arms
        Instead of the study's, any number of them; the control is always among them.
    among
        Structures instead of the study's own and, if it asks for them, its rivals.
    coarse
        Whether to run as rivals are run in a study (8 clones, inputs held for a day); if None,
        every structure but the study's own.
    memory
        What is known; nothing is kept beyond this call if None.
    workers, executor, progress
        As for :func:`unmoor.trial.run.run`.

    Raises
    ------
    StudyError
        If the study has no xenograft or an arm is wrong.
    Interrupted
        If it was stopped; what the memory holds is not computed again.
    """
    own = _without_arms(study)
    asked = dict(study.arms) if arms is None else {study.control: study.arms[study.control], **arms}
    checked = _checked(own, asked)
    memory = memory or Memory()
    found = tuple(among or structures(study))
    pieces = list(_pieces(study, found, coarse))
    keys = _Keys(own)
    todo = list(_missing(pieces, checked, keys, memory))
    options = {"workers": workers, "executor": executor, "progress": progress}
    _work(own, todo, checked, keys, memory, options)
    return _gathered(study, found, pieces, checked, keys, memory)


def _without_arms(study: Study) -> Study:
    """The study with its control alone, in the assay that is asked."""
    assays = [tumour_assay(study)]
    control = {study.control: study.arms[study.control]}
    bare: Study = study.replace(arms=control, assays=assays, title="", name="", search=None)
    return bare


def _checked(own: Study, arms: Mapping[str, Sequence[Any]]) -> Mapping[str, Arm]:
    """Arms as a study has them, each checked; groups of them, since a study holds so many."""
    found: dict[str, Arm] = {}
    names = list(arms)
    for start in range(0, len(names), _TOGETHER):
        group = {name: arms[name] for name in names[start : start + _TOGETHER]}
        whole = own.replace(arms={**own.arms, **group})
        found |= {name: whole.arms[name] for name in group}
    return FrozenMap(found)


def _pieces(study: Study, among: Sequence[Structure], coarse: bool | None) -> Iterator[_Piece]:
    own, draws = structures(study)[0], study.uncertainty.draws
    blocks = draw_blocks(draws, _BLOCK) or [(0, 0)]
    for line in study.cell_lines:
        for structure in among:
            is_coarse = structure != own if coarse is None else coarse
            for first, last in blocks:
                yield _Piece(line, structure, first, last, is_coarse)


class _Keys:
    """Names in the memory: a digest of everything that decides what is foretold of an arm."""

    def __init__(self, own: Study) -> None:
        self._own = own
        self._asked: dict[tuple[str, str], str] = {}

    def of(self, piece: _Piece, arm: Arm) -> str:
        """Name of what is foretold of an arm in a piece of work."""
        how = (piece.structure.name, piece.first, piece.last, piece.is_coarse)
        return name_within(self._of_line(piece.line, arm), *how)

    def _of_line(self, line: str, arm: Arm) -> str:
        """Digest of the code, the catalog and the study as far as they reach this arm."""
        place = (line, repr(arm))
        if place not in self._asked:
            own = self._own
            draws = {"draws": 1, "rivals": False, "sets": own.uncertainty.sets}
            alone = own.replace(
                cell_lines=[line], arms={"arm": arm}, control="arm", uncertainty=draws, verdict={}
            )
            self._asked[place] = name_of(alone)
        return self._asked[place]


def _missing(
    pieces: Sequence[_Piece], arms: Mapping[str, Arm], keys: _Keys, memory: Memory
) -> Iterator[_Piece]:
    """Pieces of work with the arms that the memory lacks."""
    for piece in pieces:
        lacking = {keys.of(piece, arm): name for name, arm in arms.items()}  # equal arms once
        wanted = [name for key, name in lacking.items() if memory.get(key) is None]
        for start in range(0, len(wanted), _TOGETHER):
            yield piece._replace(arms=tuple(wanted[start : start + _TOGETHER]))


def _work(
    own: Study,
    todo: Sequence[_Piece],
    arms: Mapping[str, Arm],
    keys: _Keys,
    memory: Memory,
    options: Mapping[str, Any],
) -> None:
    """Compute what is missing and put it into the memory."""
    for structure in dict.fromkeys(piece.structure for piece in todo):
        structure.network.compiled  # noqa: B018 - compiles and caches before workers start

    def keep(piece: _Piece, found: Mapping[str, dict[str, FloatArray]]) -> int:
        for name, values in found.items():
            memory.put(keys.of(piece, arms[name]), values)
        return sum(int(np.isnan(values["log_volume"]).sum()) for values in found.values())

    work_through(todo, partial(_foretell_piece, own, arms), keep, memory, **options)


def _foretell_piece(
    own: Study, arms: Mapping[str, Arm], piece: _Piece
) -> dict[str, dict[str, FloatArray]]:
    """What a piece of work gives, by arm: ``SUMMARY`` and the line's parameters, (draws,) each."""
    study = own.replace(
        arms={name: arms[name] for name in piece.arms},
        control=piece.arms[0],
        cell_lines=[piece.line],
        uncertainty={"draws": piece.draws, "rivals": False, "sets": own.uncertainty.sets},
    )
    chunk = Chunk(0, piece.line, piece.structure, piece.first, piece.last, piece.is_coarse)
    arrays = compute(study, chunk)
    is_solved = arrays["status"] == 0
    outcomes = study.assays[0].outcomes
    read = {name: arrays["readouts"][:, :, outcomes.index(name), 0] for name in _READ}
    with np.errstate(all="ignore"):
        summary = {
            "log_volume": np.log(arrays["volume"]).mean(axis=2),
            "metastases": arrays["expected_metastases"].mean(axis=2),
            "exposure": arrays["exposure"],
            "shedding": arrays["shedding"],
            "e_cadherin": arrays["e_cadherin"],
            "division": read["proliferation"],
            "death": read["apoptosis"],
        }
    parameters = {name: np.asarray(arrays[name], dtype=np.float64) for name in PARAMETERS}
    return {
        name: {key: np.where(is_solved[:, i], values[:, i], np.nan)
               for key, values in summary.items()} | parameters
        for i, name in enumerate(piece.arms)
    }  # fmt: skip


def _gathered(
    study: Study,
    among: tuple[Structure, ...],
    pieces: Sequence[_Piece],
    arms: Mapping[str, Arm],
    keys: _Keys,
    memory: Memory,
) -> Foretold:
    """Put what the memory holds into arrays."""
    draws = max(study.uncertainty.draws, 1)
    shape = (len(study.cell_lines), len(among), len(arms), draws)
    summaries = {name: np.full(shape, np.nan) for name in SUMMARY}
    parameters = {name: np.full((*shape[:2], draws), np.nan) for name in PARAMETERS}
    for piece in pieces:
        line, structure = study.cell_lines.index(piece.line), among.index(piece.structure)
        start = max(piece.first - 1, 0)
        now = slice(start, start + piece.draws)
        for place, arm in enumerate(arms.values()):
            known = memory.get(keys.of(piece, arm))
            assert known is not None
            for name in SUMMARY:
                summaries[name][line, structure, place, now] = known[name]
            for name in PARAMETERS:
                parameters[name][line, structure, now] = known[name]
    names = tuple(arms)
    control = names.index(study.control)
    return Foretold(study, study.cell_lines, among, names, control, summaries, parameters)


def _as_share(of: FloatArray, holds: npt.NDArray[np.bool_]) -> FloatArray:
    share: FloatArray = np.where(np.isfinite(of), holds, np.nan)
    return share
