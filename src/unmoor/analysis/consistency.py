"""Whether a screen agrees with what is known of the lines, and whether it says more than one gene.

*Consistency*, not validation: the lines' subtypes were known when the rule was written, and no one
has blocked β1 integrin in all of them. Equations: docs/explanation/foresight_lines.md.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from unmoor.analysis.cell_switch import put_to_the_test, without
from unmoor.analysis.discrimination import Area, area, area_with_interval, permutation
from unmoor.analysis.limiting import Limits, limits_of
from unmoor.analysis.panel_levels import line_key
from unmoor.analysis.screening import LIMIT_DRAWS, Screened, mean_of
from unmoor.catalog import ROOT
from unmoor.catalog.contracts import LEVELS
from unmoor.catalog.draws import Draw
from unmoor.cell.line import CellLine, Structure
from unmoor.elementwise import FloatArray
from unmoor.trial.chunks import draw_sets

PERMUTATIONS = 20
_TOGETHER = ("L_ITGB1", "L_TGFBR2")
_POSITIVE, _NEGATIVE = ("basal A", "basal B", "basal"), ("luminal", "HER2+")


@dataclass(frozen=True)
class Consistency:
    """What is known of the lines beside what the screen says.

    Attributes
    ----------
    groups
        ``E-cadherin-positive basal``, ``luminal or HER2+``, ``no E-cadherin protein``, ``not
        malignant`` or ``not scored`` for each line.
    areas
        Of malignant basal lines with E-cadherin protein against malignant luminal and HER2+ ones,
        by which of them are in: ``ALL`` (luminal and HER2+ lines with or without the protein),
        ``WITH_PROTEIN`` (no line without the protein, which cannot switch by construction),
        ``UNSEEN`` (without lines the model was calibrated on), ``STRICT`` (without either).
    without_protein
        Names of all malignant lines without E-cadherin protein, whatever their subtype.
    calibrated
        Names of lines among the two groups that the model was calibrated on.
    permuted
        Areas after ITGB1 and TGFBR2 were exchanged together between lines.
    baselines
        Area of each level alone; below one half, low levels stand for the first group.
    exceptions
        Lines of the two groups on the wrong side of the threshold, with what limits them.
    deleted
        Share of draws that switch in lines with more than ``often``, without SMAD4 and TGFBR2.
    often
        Share of draws from which lines are tried without a gene.
    """

    groups: tuple[str, ...]
    areas: Mapping[str, Area]
    without_protein: tuple[str, ...]
    calibrated: tuple[str, ...]
    permuted: tuple[float, ...]
    baselines: Mapping[str, float]
    exceptions: Mapping[str, Limits]
    deleted: Mapping[str, Mapping[str, float]]
    often: float

    @property
    def area(self) -> Area:
        """Area over all lines of the two groups."""
        return self.areas[ALL]

    def members(self, group: str) -> list[int]:
        """Places of the lines of a group."""
        return [i for i, name in enumerate(self.groups) if name == group]


FIRST, SECOND = "E-cadherin-positive basal", "luminal or HER2+"
NO_PROTEIN, BENIGN, UNSCORED = "no E-cadherin protein", "not malignant", "not scored"
ALL, WITH_PROTEIN = "all", "negatives with E-cadherin protein"
UNSEEN, STRICT = "without calibration lines", "without either"


@cache
def calibration_lines() -> frozenset[str]:
    """Keys of the lines on which catalogued studies say that the model was calibrated."""
    found = set()
    for path in sorted((ROOT / "studies").glob("*/expected.tsv")):
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file, delimiter="\t"):
                if row["role"] == "calibration":
                    found |= {line_key(name) for name in row["cell_line"].split("|")}
    return frozenset(found)


def lacks_protein(line: CellLine, loss: float) -> bool:
    """Whether a line is known to have less E-cadherin protein than counts as a loss."""
    return float(line.about.get("e_protein", math.nan)) < math.log2(loss)


def group_of(line: CellLine, loss: float) -> str:
    """What is known of a line, from its subtype and protein alone.

    A line has E-cadherin protein if it has at least as much as must be lost to count as a switch.
    """
    if not line.is_malignant:
        return BENIGN
    protein = float(line.about.get("e_protein", math.nan))
    if lacks_protein(line, loss):
        return NO_PROTEIN
    subtype = line.about.get("subtype", "")
    if subtype in _POSITIVE and protein >= math.log2(loss):
        return FIRST
    return SECOND if subtype in _NEGATIVE else UNSCORED


def consistency(found: Screened, *, often: float = 0.3) -> Consistency:
    """Hold a screen to the subtypes of its lines.

    Parameters
    ----------
    often
        Share of draws from which lines are tried without SMAD4 and TGFBR2.
    """
    groups = tuple(_scored(line, found.loss) for line in found.lines)
    switching = found.share_switching()
    first = [i for i, name in enumerate(groups) if name == FIRST]
    second = [i for i, name in enumerate(groups) if name == SECOND]
    structure = found.foretold.structures[0]
    numbers = range(1, min(LIMIT_DRAWS, max(found.study.uncertainty.draws, 1)) + 1)
    draws = draw_sets(found.study, structure, numbers)
    return Consistency(
        groups,
        _areas(found, switching, first, second),
        tuple(
            line.name
            for line in found.lines
            if line.is_malignant and lacks_protein(line, found.loss)
        ),
        tuple(found.lines[i].name for i in first + second if _is_calibrated(found.lines[i])),
        tuple(_permuted(found, first, second, draws, structure)),
        {name: _baseline(found.lines, name, first, second) for name in LEVELS},
        {
            found.lines[i].name: limits_of(found.lines[i], draws, structure, found.threshold)
            for i in first + second
            if (switching[i] >= found.threshold) != (i in first)
        },
        {
            line.name: _deleted(line, draws, structure, found.loss)
            for line, share in zip(found.lines, switching, strict=True)
            if share > often
        },
        often,
    )


def _areas(
    found: Screened, switching: FloatArray, first: Sequence[int], second: Sequence[int]
) -> dict[str, Area]:
    """Areas over all lines of the two groups and over those that make a test."""

    def among(*, protein: bool, unseen: bool) -> Area:
        positives, negatives = (
            [
                i
                for i in group
                if not (protein and lacks_protein(found.lines[i], found.loss))
                and not (unseen and _is_calibrated(found.lines[i]))
            ]
            for group in (first, second)
        )
        # the same name of random numbers in all: they differ by their lines alone
        return area_with_interval(
            switching[positives], switching[negatives], found.study.seed, "switch"
        )

    kinds = {ALL: (False, False), WITH_PROTEIN: (True, False), UNSEEN: (False, True),
             STRICT: (True, True)}  # fmt: skip
    return {name: among(protein=a, unseen=b) for name, (a, b) in kinds.items()}


def _is_calibrated(line: CellLine) -> bool:
    return line_key(line.name) in calibration_lines()


def _scored(line: CellLine, loss: float) -> str:
    """Luminal and HER2+ lines count with or without protein; of others protein decides."""
    is_second = line.is_malignant and line.about.get("subtype", "") in _NEGATIVE
    return SECOND if is_second else group_of(line, loss)


def _permuted(
    found: Screened,
    first: Sequence[int],
    second: Sequence[int],
    draws: Sequence[Draw],
    structure: Structure,
) -> list[float]:
    """Areas after the levels of two genes were exchanged between the lines, both at once."""
    scored = [*first, *second]
    lines, areas = [found.lines[i] for i in scored], []
    if not first or not second:
        return []
    for number in range(PERMUTATIONS):
        order = permutation(found.study.seed, f"{number}", len(scored))
        shares = np.array([
            _share(_with_levels_of(line, lines[k]), draws, structure, found.loss)
            for line, k in zip(lines, order, strict=True)
        ])  # fmt: skip
        areas.append(area(shares[: len(first)], shares[len(first) :]))
    return areas


def _with_levels_of(line: CellLine, other: CellLine) -> CellLine:
    return line.altered({name: other.levels[name].value for name in _TOGETHER})


def _share(line: CellLine, draws: Sequence[Draw], structure: Structure, loss: float) -> float:
    return mean_of(put_to_the_test(line, draws, structure, restore=False).switches(loss))


def _baseline(
    lines: Sequence[CellLine], level: str, first: Sequence[int], second: Sequence[int]
) -> float:
    values: FloatArray = np.array([line.levels[level].value for line in lines])
    return area(values[list(first)], values[list(second)])


def _deleted(
    line: CellLine, draws: Sequence[Draw], structure: Structure, loss: float
) -> dict[str, float]:
    """Share of draws that switch without a gene."""
    found = {}
    for gene in ("SMAD4", "TGFBR2"):
        parameters = without(line, f"L_{gene}", draws, structure)
        cells = put_to_the_test(line, draws, structure, parameters, restore=False)
        found[gene] = mean_of(cells.switches(loss))
    return found
