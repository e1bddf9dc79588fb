"""A screen of lines: one rule, cells alone, thresholds, what limits a line, maps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import unmoor as um
from unmoor import catalog
from unmoor.analysis.cell_switch import Cells, put_to_the_test, switch_loss, without
from unmoor.analysis.consistency import consistency
from unmoor.analysis.discrimination import area, best_threshold
from unmoor.analysis.expression import Scale, read_expression
from unmoor.analysis.limiting import limits_of
from unmoor.analysis.map_evidence import (
    degrees_studied,
    doses_studied,
    starts_studied,
    told,
    with_evidence,
)
from unmoor.analysis.own_lines import outside_panel, panel_lines, write_line
from unmoor.analysis.rule_digest import CLOSURES, COVERED, code_of, recorded_digest, rule_digest
from unmoor.catalog.contracts import LEVELS
from unmoor.catalog.draws import Draw
from unmoor.cell.line import CellLine, Structure, network_values
from unmoor.cell.line_rule import derive
from unmoor.errors import StudyError

STRUCTURE = Structure()
SWITCHING, WITHOUT = "HCC1806", "MDA-MB-468"


def draws(count: int = 24) -> list[Draw]:
    """Plausible sets."""
    return Draw.plausible(STRUCTURE.name, 7, range(1, count + 1))


def cells_of(line: CellLine, **options: bool) -> Cells:
    """The test of the cells of a line."""
    return put_to_the_test(line, draws(), STRUCTURE, **options)


def share(cells: Cells) -> float:
    """Share of draws that switch."""
    return float(np.nanmean(cells.switches(switch_loss(draws(1)[0]))))


# --- the rule -----------------------------------------------------------------------------------


def test_the_rule_is_the_one_that_was_recorded() -> None:
    """Whoever changes rule or numbers records the new digest, and says so under Changes results."""
    assert rule_digest() == recorded_digest()


def test_the_digest_sees_what_code_does_and_not_how_it_looks() -> None:
    """Comments, layout, descriptions and types change nothing; a number or an operation does."""
    text = 'def f(x):\n    """A."""\n    return x + 1.0\n'
    same = 'def f(\n    x: float,  # why\n) -> float:\n    """B."""\n\n    return (x + 1.0)\n'
    assert code_of(text) == code_of(same)
    assert code_of(text) != code_of(text.replace("1.0", "1.1"))
    assert code_of(text) != code_of(text.replace("+", "-"))
    assert code_of(text) != code_of(text.replace("x + 1.0", "1.0 + x"))


def test_the_digest_covers_all_that_decides_the_order() -> None:
    """The rule, the reading of expression and panel, the test of the cells and the scoring."""
    for function in (derive, read_expression, panel_lines, put_to_the_test, consistency, area):
        assert function.__module__.removeprefix("unmoor.").replace(".", "/") + ".py" in COVERED
    assert {"line_rule", "line_levels", "expression", "screen"} <= set(CLOSURES)


def test_renaming_a_line_changes_nothing() -> None:
    """Random numbers are named by levels, not by the line."""
    line = CellLine.load(SWITCHING)
    renamed = cells_of(replace(line, name="another"))
    for name in ("untreated", "blocked", "restored", "keeps_branch"):
        np.testing.assert_array_equal(getattr(renamed, name), getattr(cells_of(line), name))


def test_a_cell_does_not_depend_on_its_neighbours_in_the_batch() -> None:
    """The same bits whether a draw is solved among many or among few."""
    line = CellLine.load(SWITCHING)
    few = put_to_the_test(line, draws()[3:8], STRUCTURE)
    np.testing.assert_array_equal(few.blocked, cells_of(line).blocked[3:8])


def test_a_line_changed_in_silico_keeps_its_random_numbers() -> None:
    """Only what follows from the level moves."""
    line = CellLine.load(SWITCHING)
    for draw in draws(6):
        own = line.parameters(draw, "cascading")
        changed = line.altered({"L_ITGB1": -3.0}).parameters(draw, "cascading")
        assert replace(changed, beta1_tot=own.beta1_tot) == own
        assert changed.beta1_tot < own.beta1_tot


# --- cells alone --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["HCC1806", "HCC1937", "MCF-7", "MDA-MB-231", "SUM149PT"])
def test_cells_switch_where_the_oracle_says(name: str) -> None:
    """The inequality of the design decides at least 9 in 10 draws as the equations do."""
    line, found = CellLine.load(name), cells_of(CellLine.load(name))
    expected = []
    for draw in draws():
        own = line.parameters(draw, "cascading")
        k_int = network_values(draw, STRUCTURE, own)["k_int"]
        drive = own.f * (0.165 + own.tone + 0.9 * k_int * own.beta1_tot / 0.6)
        enough = {"epithelial": 0.62 * own.e_present, "mesenchymal": 0.0}.get(
            own.branch, 0.95 * min(own.e_present, 0.39)
        )
        needed = {"epithelial": 1.22, "partial": 2.19}.get(own.branch, math.inf)
        expected.append(drive > needed and enough >= 0.2)
    agreed = found.switches(0.2) == np.array(expected, dtype=float)
    assert agreed.mean() >= 0.9


def test_the_deletion_of_a_gene_takes_the_switch_away() -> None:
    """Neither receptor nor SMAD4 can be missed; what surrounds the cells stays as it was."""
    line, own = CellLine.load(SWITCHING), draws()
    assert share(cells_of(line)) > 0.3
    for level in ("L_SMAD4", "L_TGFBR2"):
        deleted = without(line, level, own, STRUCTURE)
        assert [each.tone for each in deleted] == [
            line.parameters(draw, "cascading").tone for draw in own
        ]
        assert share(put_to_the_test(line, own, STRUCTURE, deleted, restore=False)) <= 0.1


def test_what_limits_a_line_names_the_lost_gene_and_a_repair_that_works() -> None:
    """The repair, applied, makes the line switch; the line lacks SMAD4."""
    line, own = CellLine.load(WITHOUT), draws()
    found = limits_of(line, own, STRUCTURE, 0.5)
    assert "L_SMAD4" in found.factors
    repaired = line.altered({move.level: move.after for move in found.repair})
    after = share(put_to_the_test(repaired, own, STRUCTURE, restore=False))
    assert after == found.repaired_share >= 0.5 > found.share


# --- numbers that tell groups apart -------------------------------------------------------------


def test_the_area_is_the_chance_of_the_greater_value() -> None:
    """Counted pair by pair, ties half."""
    first, second = np.array([3.0, 1.0, 2.0, 2.0]), np.array([2.0, 0.0, 1.0])
    pairs = [(a > b) + 0.5 * (a == b) for a in first for b in second]
    assert area(first, second) == pytest.approx(sum(pairs) / len(pairs))


def test_the_best_threshold_is_found() -> None:
    """A planted threshold with its side; no class, no threshold."""
    values = np.linspace(0.0, 1.0, 400).reshape(20, 20)
    found = best_threshold("x", values, (values < 0.3).astype(float), 1)
    assert found is not None
    assert not found.is_above
    assert found.value == pytest.approx(0.3, abs=0.02)
    assert found.accuracy > 0.95
    assert best_threshold("x", values, np.zeros(values.shape), 1) is None


# --- tumours of one's own -----------------------------------------------------------------------

GENES = ("ITGB1", "TGFBR2", "SMAD4", "ITGB3", "CDH1", "VIM", "ZEB1", "ZEB2",
         "CDC42", "RHOA", "ROCK1", "RAC1")  # fmt: skip
TPM = {"a": (200, 60, 40, 1, 150, 2, 0.1, 0.1, 95, 210, 11, 170),
       "b": (100, 5, 0, 0, 1, 900, 20, 10, 90, 220, 12, 180)}  # fmt: skip


def written(path: Path, rows: Sequence[Sequence[object]], mark: str = ",") -> Path:
    """A table on the disk."""
    path.write_text("\n".join(mark.join(map(str, row)) for row in rows), encoding="utf-8")
    return path


def levels(line: CellLine) -> dict[str, float]:
    """Levels of a line."""
    return {name: line.levels[name].value for name in LEVELS}


def test_any_way_of_writing_a_table_gives_the_same_levels(tmp_path: Path) -> None:
    """Samples as rows or columns, with numbers behind symbols or not, linear or log2(x + 1)."""
    by_row = [["", *(f"{gene} ({i})" for i, gene in enumerate(GENES, 100))]]
    by_row += [[name, *values] for name, values in TPM.items()]
    logs = [[row[0], *(math.log2(float(x) + 1.0) for x in row[1:])] for row in by_row[1:]]
    tables = [
        written(tmp_path / "rows.csv", by_row),
        written(tmp_path / "logs.csv", [by_row[0], *logs]),
        written(tmp_path / "genes.tsv", [["gene", *TPM], *zip(GENES, *TPM.values(), strict=True)],
                "\t"),
    ]  # fmt: skip
    found = [read_expression(path).lines for path in tables]
    for lines in found[1:]:
        for line, same in zip(lines, found[0], strict=True):
            assert levels(line) == pytest.approx(levels(same), abs=1e-6)


def test_depth_and_unit_of_a_table_do_not_matter_with_steady_genes(tmp_path: Path) -> None:
    """A table thrice as deep gives the same levels."""
    rows = [["gene", "value"], *zip(GENES, TPM["a"], strict=True)]
    deeper = [["gene", "value"], *((g, 3 * x) for g, x in zip(GENES, TPM["a"], strict=True))]
    one = read_expression(written(tmp_path / "t.csv", rows), scale="linear").lines[0]
    two = read_expression(written(tmp_path / "t.csv", deeper), scale="linear").lines[0]
    assert levels(two) == pytest.approx(levels(one), abs=1e-9)


def test_less_known_is_less_certain(tmp_path: Path) -> None:
    """Without steady genes a level is less certain than with; without a gene, least."""
    rows = [["gene", "value"], *zip(GENES, TPM["a"], strict=True)]
    whole = read_expression(written(tmp_path / "w.csv", rows), scale="linear").lines[0]
    few = read_expression(written(tmp_path / "f.csv", rows[:9]), scale="linear").lines[0]
    none = read_expression(written(tmp_path / "n.csv", rows[2:9]), scale="linear").lines[0]
    sd = [line.levels["sd_L_ITGB1"].value for line in (whole, few)]
    assert catalog.table("closures", "line_levels")["level_sd_single"].value < sd[0] < sd[1]
    panel = catalog.table("closures", "line_levels")["panel_sd_ITGB1"].value
    assert none.levels["sd_L_ITGB1"].value == panel


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([["gene", "value"], ["ITGB1", "much"], ["CDH1", "3"]], "much"),
        ([["gene", "value"], ["ITGB1", "much"], ["CDH1", "little"]], "little"),
        ([["gene", "value"], ["ABC", "3"]], "HGNC"),
        ([["gene", "value"], ["ITGB1", "180"], ["CDH1", "-3"], ["RHOA", "210"]], "no logarithm"),
        ([["gene", "value"], ["ITGB1", "0"], ["CDH1", "0"]], "nothing but"),
        ([["gene", "value"], ["ITGB1", "-1.2"], ["CDC42", "0.4"], ["RHOA", "-.3"]], "z-scores"),
    ],
)
def test_what_is_no_table_of_levels_is_told(
    tmp_path: Path, rows: Sequence[Sequence[object]], told: str
) -> None:
    """With its place; never a silent guess."""
    with pytest.raises(StudyError, match=told):
        read_expression(written(tmp_path / "bad.csv", rows))


@pytest.mark.parametrize(("scale", "value"), [("log2", 180), ("log2p1", 180), ("log2p1", -1)])
def test_a_scale_that_values_cannot_be_on_is_refused(
    tmp_path: Path, scale: Scale, value: float
) -> None:
    """Declared or not: a logarithm of a share of a million is no 180."""
    rows = [["gene", "value"], ["ITGB1", value], ["CDH1", 3]]
    with pytest.raises(StudyError, match=f"{value:g}: expected .* on {scale}"):
        read_expression(written(tmp_path / "t.csv", rows), scale=scale)


@pytest.mark.parametrize("name", ["../../out", "a/b", "..", "", "x" * 300, "%", ".hidden"])
def test_whatever_a_sample_is_called_it_is_written_in_its_folder(tmp_path: Path, name: str) -> None:
    """Two samples, each in a folder of its own right below; the line there is the same line."""
    rows = [["gene", "plain", name], *((g, x, x) for g, x in zip(GENES, TPM["a"], strict=True))]
    line = read_expression(written(tmp_path / "t.csv", rows)).lines[1]
    assert line.name == (name or "sample 2")
    entry = write_line(line, tmp_path / "deep" / "cell_lines")
    assert entry.parent == tmp_path / "deep" / "cell_lines"
    assert levels(CellLine.load(str(entry))) == pytest.approx(levels(line), abs=1e-4)


def test_a_line_beyond_the_panel_is_outside_the_domain() -> None:
    """The input is named; no line of the catalog is outside."""
    line = CellLine.load(SWITCHING)
    assert outside_panel(line) == []
    assert "L_ITGB1 = 9.00" in outside_panel(line.altered({"L_ITGB1": 9.0}))[0]


def test_a_line_written_out_is_the_same_line(tmp_path: Path) -> None:
    """Its entry passes as one of a catalog of one's own, and gives the same parameters."""
    rows = [["gene", "value"], *zip(GENES, TPM["a"], strict=True)]
    line = read_expression(written(tmp_path / "t.csv", rows), scale="linear").lines[0]
    folder = write_line(line, tmp_path / "cell_lines")
    again = CellLine.load(str(folder))
    assert levels(again) == pytest.approx(levels(line), abs=1e-4)


# --- a whole screen, and a map ------------------------------------------------------------------


@pytest.fixture(scope="module")
def study() -> um.Study:
    """A few draws of the headline study."""
    return um.Study.load("truong2014", {"uncertainty.draws": "12", "uncertainty.rivals": "false"})


def test_a_screen_ranks_lines_and_says_what_it_rests_on(study: um.Study) -> None:
    """Lines by P(switch), non-malignant ones last, three priors, the digest of the rule."""
    found = um.screen(study, ["MCF10A", SWITCHING, WITHOUT], arms=["anti-β1"])
    tables = found.tables()
    assert tables["arms"]["line"].iloc[-1] == "MCF10A"
    assert tables["arms"]["line"].iloc[0] == SWITCHING
    priors = tables["lines"].set_index("line").loc[SWITCHING]
    assert priors["p_cells_calibrated"] >= priors["p_cells_weak"]
    assert found.rule == rule_digest()


def test_a_map_knows_where_its_line_is_and_where_evidence_ends(study: um.Study) -> None:
    """No switch without blockade; beyond the panel a cell has no evidence."""
    found = um.harm_map(
        study, "occupancy=0:0.9:3", "ITGB1=-3:5:3", line=SWITCHING, arm="anti-β1", draws=8
    )
    assert (found.switch[:, 0] == 0.0).all()
    assert found.switch.max() > 0.5
    assert found.own[1] == CellLine.load(SWITCHING).levels["L_ITGB1"].value
    assert found.has_evidence[0].tolist() == [True, False, True]
    assert not found.has_evidence[-1].any()


def test_what_was_never_measured_is_hatched_throughout(study: um.Study) -> None:
    """The tone has a prior and no measurement: no cell of such a map has evidence."""
    found = um.harm_map(study, "tone=0.1:1:3", "occupancy=0:0.9:3", line=SWITCHING, draws=2)
    assert found.x.evidence == ()
    assert not found.has_evidence.any()
    assert "no measured range" in told(found.x.evidence, "units")


def test_evidence_at_a_point_reaches_the_nearest_cell_alone() -> None:
    """Degrees, doses and days that findings used; none lies between two of them."""
    values = np.linspace(0.0, 0.99, 12)
    reach = degrees_studied()
    assert all(low == high for low, high in reach)
    assert (0.9, 0.9) in reach
    has = with_evidence(values, reach)
    assert has[0]
    assert has[np.argmin(np.abs(values - 0.9))]
    assert has.sum() == 2
    assert with_evidence(values, ((0.2, 0.5),)).sum() == ((values >= 0.2) & (values <= 0.5)).sum()
    assert not with_evidence(values, ((5.0, 5.0),)).any()
    assert "at 0, 0.9" in told(reach[:2], "share")


def test_doses_with_evidence_are_those_behind_the_findings(tmp_path: Path) -> None:
    """In their unit, those beside the study first; of an unknown drug none."""
    assert doses_studied("anti_itgb1", None) == ((0.0, 0.0), (10.0, 10.0))
    assert doses_studied("no_such_drug", None) == ()
    assert starts_studied("anti_itgb1") == ((0.0, 0.0), (1.0, 1.0))
    place = tmp_path / "catalog" / "validation"
    place.mkdir(parents=True)
    rows = "drug\tdose\tevery\tconcentration\tnote\nanti_itgb1\t500 ug/kg\t1 d\t1 nM\t\n"
    (place / "doses.tsv").write_text(rows, encoding="utf-8")
    assert doses_studied("anti_itgb1", tmp_path) == ((0.0, 0.0), (0.5, 0.5))


@pytest.mark.parametrize("axis", ["tones", "dose:tgfbr1_inhibitor", "tone=3:1", "tone=a:b"])
def test_an_axis_that_cannot_be_is_refused(study: um.Study, axis: str) -> None:
    """No such input, nothing in the arm to vary, ends that do not rise."""
    with pytest.raises(StudyError):
        um.harm_map(study, axis, "k_int", arm="anti-β1")
