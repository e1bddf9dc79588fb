"""Line parameters come from one rule, and anyone with the panel files gets the same tables."""

from __future__ import annotations

import csv
import importlib.util
import shutil
import sys
from pathlib import Path
from types import ModuleType

import pytest

from unmoor import catalog
from unmoor.catalog.contracts import LEVELS

PROJECT = Path(__file__).parents[2]
CATALOG = PROJECT / "src" / "unmoor" / "catalog"
LINES = CATALOG / "cell_lines"
RULE = CATALOG / "closures" / "line_rule" / "parameters.tsv"
READING = CATALOG / "closures" / "line_levels" / "parameters.tsv"
SHARED = PROJECT.parent / "shared"
PANEL = SHARED / "data" / "cell_lines" / "breast_panel_molecular.csv"
PROTEIN = SHARED / "data" / "cell_lines" / "breast_panel_protein.csv"
CALLS = SHARED / "evidence" / "cell_lines.csv"
EVIDENCE = SHARED / "evidence" / "evidence.tsv"

needs_panel = pytest.mark.skipif(
    not (PANEL.is_file() and PROTEIN.is_file() and CALLS.is_file()),
    reason="the panel files in ../shared are not part of the project",
)


def load_script() -> ModuleType:
    """Return tools/derive_lines.py as a module."""
    spec = importlib.util.spec_from_file_location(
        "derive_lines", PROJECT / "tools" / "derive_lines.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """Return the derivation script, which needs pandas."""
    pytest.importorskip("pandas")
    return load_script()


def run(script: ModuleType, out: Path, folder: Path, *options: str) -> None:
    """Derive lines from the three files, taken from ``folder`` where they are there."""
    files = [folder / path.name if (folder / path.name).is_file() else path
             for path in (PANEL, PROTEIN, CALLS)]  # fmt: skip
    script.main([
        "--panel", str(files[0]), "--protein", str(files[1]), "--calls", str(files[2]),
        "--out", str(out), "--rule", str(READING), *options,
    ])  # fmt: skip


def values(path: Path) -> dict[str, float]:
    """Return the values of a table by id."""
    with path.open(encoding="utf-8", newline="") as file:
        return {row["id"]: float(row["value"]) for row in csv.DictReader(file, delimiter="\t")}


@needs_panel
def test_committed_lines_are_what_the_rule_gives(script: ModuleType, tmp_path: Path) -> None:
    """Rerunning the script on the panel files reproduces every committed line, byte for byte."""
    committed = sorted(path.name for path in LINES.iterdir() if path.is_dir())
    run(script, tmp_path / "out", tmp_path, "--lines", *committed)
    for name in committed:
        for file in ("about.toml", "parameters.tsv"):
            assert (tmp_path / "out" / name / file).read_text(encoding="utf-8") == (
                LINES / name / file
            ).read_text(encoding="utf-8"), f"{name}/{file}"


@needs_panel
def test_panel_statistics_of_the_rule_are_those_of_the_panel(
    script: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Medians are exact; the four stated spreads are the panel's, to a tenth or so."""
    run(script, tmp_path, tmp_path, "--statistics")
    rule = values(READING)
    printed = dict(line.split("\t") for line in capsys.readouterr().out.splitlines())
    stated = {f"panel_sd_{gene}" for gene in ("ITGB1", "TGFBR2", "SMAD4", "CDH1")}
    for name, text in printed.items():
        if name in stated:
            assert rule[name] == pytest.approx(float(text), rel=0.12), name
        elif name in rule:
            assert rule[name] == pytest.approx(float(text), abs=1e-9), name
    assert {name for name in rule if name.startswith("panel_")} <= set(printed)


@needs_panel
def test_renaming_a_line_changes_none_of_its_numbers(script: ModuleType, tmp_path: Path) -> None:
    """The rule knows no names: a panel line under another name gets the same table."""
    for source in (PANEL, PROTEIN, CALLS):
        text = source.read_text(encoding="utf-8")
        for spelling in ("HCC1806", "hcc1806"):
            text = text.replace(spelling, "Zebra7")
        (tmp_path / source.name).write_text(text.replace("Zebra7", "zebra7"), encoding="utf-8")
    run(script, tmp_path / "out", tmp_path, "--lines", "zebra7")
    renamed = (tmp_path / "out" / "zebra7" / "parameters.tsv").read_text(encoding="utf-8")
    assert renamed == (LINES / "HCC1806" / "parameters.tsv").read_text(encoding="utf-8")


@needs_panel
def test_every_line_with_calls_can_be_placed(script: ModuleType, tmp_path: Path) -> None:
    """All lines derive, with the known traps of the panel avoided."""
    run(script, tmp_path, tmp_path, "--lines", "all")
    lines = {path.parent.name: values(path) for path in tmp_path.glob("*/parameters.tsv")}
    with CALLS.open(encoding="utf-8", newline="") as file:
        assert set(lines) == {row["line"] for row in csv.DictReader(file)}
    rule = values(RULE)
    assert lines["MDA-MB-468"]["L_SMAD4"] < rule["rna_floor"]
    assert lines["MDA-MB-231"]["emt_score"] < rule["X_threshold"] < lines["HCC1806"]["emt_score"]
    assert lines["MDA-MB-157"]["emt_score"] < rule["X_threshold"]
    assert all(lines["MCF10A"][f"L_{gene}"] == 0.0 for gene in ("ITGB1", "TGFBR2", "SMAD4"))


@needs_panel
def test_the_catalog_holds_every_line_of_the_calls_and_of_the_evidence() -> None:
    """Forty-four lines, and each that a row of the evidence names."""
    own = set(catalog.names("cell_lines"))
    with CALLS.open(encoding="utf-8", newline="") as file:
        assert {row["line"] for row in csv.DictReader(file)} <= own
    with EVIDENCE.open(encoding="utf-8", newline="") as file:
        named = {
            line for row in csv.DictReader(file, delimiter="\t") for line in row["line"].split("|")
        }
    assert named <= own
    assert len(own) == 44


def test_every_line_says_what_it_rests_on() -> None:
    """Lines of the panel are measured, those of calls are not, and what is missing is widened."""
    rule = values(READING)
    for name in catalog.names("cell_lines"):
        about, table = catalog.about("cell_lines", name), catalog.table("cell_lines", name)
        grades = {level: row.evidence for level, row in table.items() if level in LEVELS}
        assert set(grades) == set(LEVELS), name
        measured = {level for level, grade in grades.items() if grade == "measured"}
        expected = {"L_ITGB1", "L_TGFBR2", "L_SMAD4", "L_ITGB3", "vim"}
        assert measured == (expected if about["basis"] == "panel" else set()), name
        for level in about["missing"]:
            assert grades[level] == "assumed", name
            assert table[f"sd_{level}"].value == rule[f"panel_sd_{LEVELS[level]}"], name
        if "host" in about:
            assert about["species"] == "mouse", name


@pytest.mark.parametrize(
    ("call", "evidence", "expected"),
    [
        ("high", "V Weaver 1997", False), ("high K", "V Weaver 1997", True), ("high", "K", True),
        ("high", "V Weaver 1997 for mode; K rest", True), ("high", "V family/K status", True),
        ("responsive (GSE69667)", "V GSE69667 for TGFb response; K rest", False),
        ("strongly responsive (1-2 d)", "V Parvani/EW-7203; K times", False),
    ],
)  # fmt: skip
def test_a_call_that_nobody_looked_up_is_an_assumption(
    script: ModuleType, call: str, evidence: str, expected: bool
) -> None:
    """K marks field knowledge, at a call or for all that has no source of its own."""
    assert script.is_field_knowledge(call, evidence) is expected


@needs_panel
def test_a_failed_mirna_assay_is_not_read_as_a_lost_microrna(script: ModuleType) -> None:
    """HCC1428, E-cadherin-positive with all its miRNA near the floor, is not called mesenchymal."""
    rule = script.read_rule(RULE) | script.read_rule(READING)
    panel = script.build_panel(script.read_panel(PANEL), script.read_protein(PROTEIN), rule)
    levels = {level.id: level for level in script.measured_levels("hcc1428", panel, rule)}
    assert levels["emt_score"].value > rule["X_threshold"]
    assert levels["emt_score"].sd == rule["X_sd_missing"]
    assert levels["emt_score"].evidence == "derived"


@needs_panel
def test_the_isoform_with_most_peptides_counts(script: ModuleType, tmp_path: Path) -> None:
    """A duplicate row with fewer peptides does not change a protein ratio."""
    before = script.read_protein(PROTEIN)
    shutil.copy(PROTEIN, tmp_path / PROTEIN.name)
    with (tmp_path / PROTEIN.name).open("a", encoding="utf-8") as file:
        file.write("batch1,HCC1806,ITGB1,1.0,99.0,1,6.63\n")
    after = script.read_protein(tmp_path / PROTEIN.name)
    assert float(after.at["hcc1806", "ITGB1"]) == float(before.at["hcc1806", "ITGB1"])


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("+ (b3 induced on b1 loss)", "+"), ("responsive (autocrine)", "responsive"),
        ("strongly responsive (1-2 d)", "strongly responsive"), ("low/het", "low"),
        ("ZEB2 low", "low"), ("high K", "high"), ("- K", "-"), ("mis-localised; restored", ""),
        ("?", ""), ("", ""), ("K", ""), ("n/a", ""), ("SMAD4-null K", ""),
    ],
)  # fmt: skip
def test_the_first_known_term_of_a_call_counts(
    script: ModuleType, call: str, expected: str
) -> None:
    """Calls are read by their first term; what the rule does not know is missing."""
    assert script.term(call, script.QUANTILES) == expected


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("MDA-MB-134VI", "MDAMB134"), ("SUM149PT", "sum149"), ("Hs 578T", "hs578t"),
        ("MCF10A (repeat 4)", "mcf10a"), ("CAL85-1", "cal851"), ("SUM44PE", "sum44"),
    ],
)  # fmt: skip
def test_spellings_of_one_line_agree(script: ModuleType, one: str, other: str) -> None:
    """The files spell lines differently; the key does not."""
    assert script.line_key(one) == script.line_key(other)


def test_more_of_a_call_never_lowers_its_level(script: ModuleType) -> None:
    """X rises with miR-200 and falls with ZEB; the other levels rise with their call."""
    rule = script.read_rule(READING)
    order = ["-", "low", "mod", "+", "high"]
    blank = {"ITGB1": "", "TGFb_SMAD": "", "VIM": "", "ZEB": "", "miR200": ""}

    def quantiles(level: str, **calls: str) -> float:
        found = script.call_quantiles(blank | calls, rule)
        return float(found[level])

    rising = [quantiles("emt_score", miR200=call, ZEB="mod") for call in order]
    falling = [quantiles("emt_score", ZEB=call, miR200="mod") for call in order]
    beta1 = [quantiles("L_ITGB1", ITGB1=call) for call in order]
    assert rising == sorted(rising)
    assert falling == sorted(falling, reverse=True)
    assert beta1 == sorted(set(beta1))


def test_no_panel_file_is_part_of_the_project() -> None:
    """Only numbers with their citation are committed, never the panel."""
    names = {PANEL.name, PROTEIN.name}
    found = [path for part in ("src", "tests", "tools") for path in (PROJECT / part).rglob("*.csv")]
    assert not [path for path in found if path.name in names]
