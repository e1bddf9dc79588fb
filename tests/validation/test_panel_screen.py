"""Cells of a whole panel of lines: what the rule says of lines it was never fitted to.

Consistency, not validation: subtypes were known when the rule was written. The test of the cells
alone, in few parameter sets; docs/explanation/foresight_lines.md has the whole of it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from unmoor.analysis.cell_switch import Cells, put_to_the_test, switch_loss, without
from unmoor.analysis.discrimination import area, permutation
from unmoor.analysis.own_lines import panel_lines
from unmoor.analysis.panel_levels import MISSPELT, REFERENCE, line_key
from unmoor.catalog.draws import Draw
from unmoor.cell.line import CellLine, Structure

FOLDER = Path(__file__).parents[3] / "shared" / "data" / "cell_lines"
RNA, PROTEIN = (FOLDER / f"breast_panel_{kind}.csv" for kind in ("molecular", "protein"))
NORMAL = ("184A1", "184B5", "MCF10A", "MCF12A", "HBL100")
STRUCTURE = Structure()
DRAWS = 20
OFTEN = 0.3
EXCHANGES = 8
TOGETHER = ("L_ITGB1", "L_TGFBR2")

pytestmark = pytest.mark.skipif(
    not (RNA.exists() and PROTEIN.exists()), reason="the panel is not beside the checkout"
)


@pytest.fixture(scope="module")
def draws() -> list[Draw]:
    """Plausible sets."""
    return Draw.plausible(STRUCTURE.name, 7, range(1, DRAWS + 1))


@pytest.fixture(scope="module")
def lines() -> list[CellLine]:
    """Every line of the panel with RNA."""
    found = panel_lines(RNA, PROTEIN, normal=NORMAL)
    assert len(found) >= 80
    return found


@pytest.fixture(scope="module")
def cells(lines: list[CellLine], draws: list[Draw]) -> dict[str, Cells]:
    """The test of the cells of each line."""
    return {line.name: put_to_the_test(line, draws, STRUCTURE, restore=False) for line in lines}


@pytest.fixture(scope="module")
def shares(cells: Mapping[str, Cells], draws: list[Draw]) -> dict[str, float]:
    """Share of draws that switch."""
    return {name: share(found, draws) for name, found in cells.items()}


def share(found: Cells, draws: Sequence[Draw]) -> float:
    """Share of draws that switch; every draw is solved."""
    switches = found.switches(switch_loss(draws[0]))
    assert np.isfinite(switches).all()
    return float(switches.mean())


def has_protein(line: CellLine, draws: Sequence[Draw]) -> bool:
    """At least as much E-cadherin protein as must be lost to count as a switch."""
    return float(line.about.get("e_protein", math.nan)) >= math.log2(switch_loss(draws[0]))


@pytest.fixture(scope="module")
def groups(lines: list[CellLine], draws: list[Draw]) -> tuple[list[CellLine], list[CellLine]]:
    """Basal lines with E-cadherin protein; luminal and HER2+ ones. Malignant all."""
    scored = [(line, line.about.get("subtype", "")) for line in lines if line.is_malignant]
    first = [line for line, kind in scored if "basal" in kind and has_protein(line, draws)]
    second = [line for line, kind in scored if kind in ("luminal", "HER2+")]
    assert min(len(first), len(second)) >= 20
    return first, second


def test_switching_lines_of_the_panel_are_basal_with_e_cadherin(
    groups: tuple[list[CellLine], list[CellLine]], shares: Mapping[str, float]
) -> None:
    """Area under the curve of at least .75 against luminal and HER2+ lines."""
    first, second = (np.array([shares[line.name] for line in group]) for group in groups)
    assert area(first, second) >= 0.75


def test_two_genes_exchanged_between_lines_take_the_order_away(
    groups: tuple[list[CellLine], list[CellLine]], draws: list[Draw]
) -> None:
    """ITGB1 and TGFBR2 of another line, both at once: at most .65, in the mean of exchanges."""
    scored, size = [*groups[0], *groups[1]], len(groups[0])
    areas = []
    for number in range(EXCHANGES):
        order = permutation(11, f"{number}", len(scored))
        found = np.array([
            share(put_to_the_test(exchanged(line, scored[k]), draws, STRUCTURE, restore=False),
                  draws)
            for line, k in zip(scored, order, strict=True)
        ])  # fmt: skip
        areas.append(area(found[:size], found[size:]))
    assert np.mean(areas) <= 0.65


def exchanged(line: CellLine, other: CellLine) -> CellLine:
    """A line with two levels of another."""
    return line.altered({level: other.levels[level].value for level in TOGETHER})


@pytest.mark.parametrize("gene", ["SMAD4", "TGFBR2"])
def test_no_line_of_the_panel_switches_without_the_gene(
    gene: str, lines: list[CellLine], shares: Mapping[str, float], draws: list[Draw]
) -> None:
    """Every line with more than .3 comes to at most .1, and there are such lines."""
    often = [line for line in lines if shares[line.name] > OFTEN]
    assert len(often) >= 5
    left = {}
    for line in often:
        deleted = without(line, f"L_{gene}", draws, STRUCTURE)
        left[line.name] = share(
            put_to_the_test(line, draws, STRUCTURE, deleted, restore=False), draws
        )
    assert {name: found for name, found in left.items() if found > 0.1} == {}


def test_lines_of_the_panel_without_e_cadherin_protein_do_not_switch(
    lines: list[CellLine], shares: Mapping[str, float], draws: list[Draw]
) -> None:
    """At most .05, by construction: they have none to lose."""
    without_protein = [
        line.name
        for line in lines
        if line.is_malignant and "e_protein" in line.about and not has_protein(line, draws)
    ]
    assert len(without_protein) >= 5
    assert {name: shares[name] for name in without_protein if shares[name] > 0.05} == {}


def renamed_panel(folder: Path) -> list[CellLine]:
    """The panel under other names, in both files, which sort the other way round.

    The reference and rows whose misspelt names are put right keep theirs: files are read by them.
    """
    rna, protein = pd.read_csv(RNA), pd.read_csv(PROTEIN)
    kept = {line_key(REFERENCE), *MISSPELT, *MISSPELT.values()}
    keys = [key for key in rna["line"].map(line_key) if key not in kept]
    called = {key: f"tumour {len(keys) - i:03}" for i, key in enumerate(keys)}

    def other(name: str) -> str:
        bare, mark, repeat = name.partition(" (")
        return called.get(line_key(name), bare) + mark + repeat

    rna["line"], protein["sample"] = rna["line"].map(other), protein["sample"].map(other)
    rna.to_csv(folder / "rna.csv", index=False)
    protein.to_csv(folder / "protein.csv", index=False)
    normal = [other(name) for name in NORMAL]
    return panel_lines(folder / "rna.csv", folder / "protein.csv", normal=normal)


def test_renamed_lines_of_the_panel_give_the_same_bits(
    lines: list[CellLine], cells: Mapping[str, Cells], draws: list[Draw], tmp_path: Path
) -> None:
    """Levels of all, cells of every fourth, and what is malignant stay."""
    renamed = renamed_panel(tmp_path)
    assert sum(a.name != b.name for a, b in zip(lines, renamed, strict=True)) >= 75
    for line, again in zip(lines, renamed, strict=True):
        assert again.levels.values_by_id() == line.levels.values_by_id()
        assert again.is_malignant == line.is_malignant
    for line, again in zip(lines[::4], renamed[::4], strict=True):
        found = put_to_the_test(again, draws, STRUCTURE, restore=False)
        for name in ("untreated", "blocked", "keeps_branch"):
            np.testing.assert_array_equal(getattr(found, name), getattr(cells[line.name], name))
