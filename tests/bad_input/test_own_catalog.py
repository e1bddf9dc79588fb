"""A catalog of one's own beside a study is used, and each mistake in it is told with its place."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

import own_catalog
from unmoor import catalog
from unmoor.catalog.contracts import problems_of
from unmoor.cli import main
from unmoor.errors import MAX_LINE, ExitCode
from unmoor.trial.provenance import numbers
from unmoor.trial.study import Study

LINE, DRUG = "catalog/cell_lines/Ours-1", "catalog/drugs/our_antibody"
HOST, MATRIX = "catalog/hosts/our_mouse", "catalog/matrices/tumour"
ABOUT, TABLE = "about.toml", "parameters.tsv"
CL = "CL\t5.43\tmL/d/kg\t4.344\t6.7875\t\ttransferred\tPubMed23018115"
K_D = "K_D\t1\tnM\t0.3\t3\t\tassumed\t\taffinity for β1 integrin"


@dataclass(frozen=True)
class Mistake:
    """What is written instead of what in which file, and what must be said of which field."""

    what: str
    folder: str
    file: str
    old: str
    new: str
    code: str
    field: str
    says: str

    def __str__(self) -> str:
        return self.what


M = Mistake
MISTAKES = [
    # the header and rows of a table
    M("a column is missing", DRUG, TABLE, "\tcv\tevidence", "\tevidence", "E-PARAMETER", "header",
      "add the column cv"),
    M("columns apart by commas", LINE, TABLE, own_catalog.HEADER,
      own_catalog.HEADER.replace("\t", ","), "E-PARAMETER", "header", "by tabs"),
    M("columns in another order", HOST, TABLE, "id\tvalue\tunit", "id\tunit\tvalue", "E-PARAMETER",
      "header", "in this order"),
    M("a decimal comma", DRUG, TABLE, "CL\t5.43", "CL\t5,43", "E-PARAMETER", "CL.value",
      "decimal point"),
    M("a unit in the value", DRUG, TABLE, "CL\t5.43", "CL\t5.43 mL", "E-PARAMETER", "CL.value",
      "no unit"),
    M("no value", DRUG, TABLE, "CL\t5.43", "CL\t", "E-PARAMETER", "CL.value", "write the number"),
    M("not a number", DRUG, TABLE, "CL\t5.43", "CL\tnan", "E-PARAMETER", "CL.value", "finite"),
    M("an infinite range", DRUG, TABLE, "\t6.7875\t\ttransferred\tPubMed23018115\tlinear",
      "\tinf\t\ttransferred\tPubMed23018115\tlinear", "E-PARAMETER", "CL.high", "finite"),
    M("a row twice", DRUG, TABLE, CL, f"{CL}\tonce\n{CL}", "E-PARAMETER", "CL", "remove one"),
    M("a row of three cells", DRUG, TABLE, CL, f"CL\t5.43\tmL\n{CL}", "E-PARAMETER", "CL",
      "9 tab-separated cells"),
    M("a value outside its range", DRUG, TABLE, "CL\t5.43", "CL\t9.43", "E-PARAMETER", "CL.value",
      "widen the range"),
    M("an unknown grade", DRUG, TABLE, CL, CL.replace("transferred", "guessed"), "E-PARAMETER",
      "CL.evidence", "measured, transferred"),
    M("a misspelt grade", DRUG, TABLE, CL, CL.replace("transferred", "trnsferred"), "E-PARAMETER",
      "CL.evidence", "did you mean transferred?"),
    M("an assumption without a reason", DRUG, TABLE, K_D, "K_D\t1\tnM\t0.3\t3\t\tassumed\t\t\t#",
      "E-PARAMETER", "K_D", "tab-separated cells"),
    M("no note", HOST, TABLE, "1/d\t0\t0\t\tassumed\t\tno lymphocytes", "1/d\t0\t0\t\tassumed\t\t",
      "E-PARAMETER", "iota.note", "why this value is assumed"),
    M("measured by nobody", LINE, TABLE, "0.8\t\tmeasured\tOurRNA", "0.8\t\tmeasured\t",
      "E-PARAMETER", "L_ITGB1.source", "sources.bib"),
    M("a source that is not there", LINE, TABLE, "0.8\t\tmeasured\tOurRNA",
      "0.8\t\tmeasured\tOurRNAs", "E-SOURCE", "L_ITGB1.source", "did you mean OurRNA?"),
    M("a source far from any", LINE, TABLE, "0.8\t\tmeasured\tOurRNA", "0.8\t\tmeasured\tXyz2020",
      "E-SOURCE", "L_ITGB1.source", "add it to catalog/sources.bib"),
    # what a kind needs
    M("a row that is needed", DRUG, TABLE, f"{CL}\t", "clearance\t5\tmL/d/kg\t4\t6\t\tassumed\t\t",
      "E-PARAMETER", "rows", "missing: CL"),
    M("a misspelt row", DRUG, TABLE, "bioavailability\t", "bioavailabilty\t", "E-PARAMETER",
      "bioavailabilty", "did you mean bioavailability?"),
    M("a wrong unit", DRUG, TABLE, CL, CL.replace("mL/d/kg", "mL/h/kg"), "E-UNIT", "CL.unit",
      "convert value, low and high to mL/d/kg"),
    M("a share above one", DRUG, TABLE, "bioavailability\t1\t-\t0.7\t1",
      "bioavailability\t1\t-\t0.7\t1.2", "E-RANGE", "bioavailability.high", "at most 1"),
    M("a range that holds zero", DRUG, TABLE, "K_D\t1\tnM\t0.3", "K_D\t1\tnM\t0", "E-RANGE",
      "K_D.low", "more than 0 nM"),
    M("a negative rate", HOST, TABLE, "iota\t0\t1/d\t0\t0", "iota\t-1\t1/d\t-1\t0", "E-RANGE",
      "iota.low", "0 or more"),
    M("no row for a host", HOST, TABLE, "Lambda\t0\t-\t0\t0\t\tassumed\t\tno lymphocytes\n", "",
      "E-PARAMETER", "rows", "missing: Lambda"),
    M("a negative weight", MATRIX, TABLE, "w3\t0.2\t-\t0.1", "w3\t0.2\t-\t-0.1", "E-RANGE",
      "w3.low", "0 or more"),
    M("a level that is none", LINE, TABLE, "L_ITGB1\t", "L_ITGA6\t", "E-PARAMETER", "L_ITGA6",
      "a level"),
    M("a misspelt level", LINE, TABLE, "L_TGFBR2\t", "L_TGFBRII\t", "E-PARAMETER", "L_TGFBRII",
      "did you mean L_TGFBR2?"),
    M("a level in FPKM", LINE, TABLE, "L_ITGB1\t-0.3\tlog2", "L_ITGB1\t-0.3\tFPKM", "E-UNIT",
      "L_ITGB1.unit", "convert"),
    M("a level beyond all bounds", LINE, TABLE, "-0.3\tlog2\t-1.4\t0.8", "61\tlog2\t50\t70",
      "E-RANGE", "L_ITGB1.low", "at most 20"),
    M("a level known exactly", LINE, TABLE, "-0.3\tlog2\t-1.4\t0.8", "-0.3\tlog2\t-0.3\t-0.3",
      "E-PARAMETER", "L_ITGB1.low", "or add a row sd_L_ITGB1"),
    # about.toml
    M("an unknown target", DRUG, ABOUT, '"itgb1"', '"integrin beta 1"', "E-CATALOG", "target",
      "itgb1"),
    M("a gene as target", DRUG, ABOUT, '"itgb1"', '"ITGB1"', "E-CATALOG", "target",
      'did you mean "itgb1"?'),
    M("the target of another action", DRUG, ABOUT, '"itgb1"', '"cells"', "E-CATALOG", "target",
      "itgb1"),
    M("an unknown dose response", DRUG, ABOUT, "max_dose", 'response = "linear"\nmax_dose',
      "E-CATALOG", "response", "biphasic"),
    M("no target", DRUG, ABOUT, 'target = "itgb1"\n', "", "E-CATALOG", "target", "add target"),
    M("a target that is a number", DRUG, ABOUT, '"itgb1"', "1", "E-CATALOG", "target", "target"),
    M("an unknown action", DRUG, ABOUT, '"inhibits"', '"blocks"', "E-CATALOG", "action",
      "inhibits"),
    M("an unknown model", DRUG, ABOUT, '"antibody"', '"antibodies"', "E-CATALOG", "model",
      'did you mean "antibody"?'),
    M("binds no species", DRUG, ABOUT, 'binds = ["human"]', "binds = []", "E-CATALOG", "binds",
      "human, mouse"),
    M("binds a species nobody has", DRUG, ABOUT, 'binds = ["human"]', 'binds = ["humans"]',
      "E-CATALOG", "binds", "human, mouse"),
    M("a list that is a text", DRUG, ABOUT, 'binds = ["human"]', 'binds = "human"', "E-CATALOG",
      "binds", "list"),
    M("an unknown route", DRUG, ABOUT, '"ip", "iv"', '"ip", "tail vein"', "E-CATALOG", "routes",
      "iv"),
    M("a limit of nothing", DRUG, ABOUT, "max_dose = 50.0", "max_dose = 0", "E-CATALOG",
      "max_dose", "more than 0"),
    M("a misspelt key", DRUG, ABOUT, "max_dose", "max_doses", "E-KEY", "max_doses",
      "did you mean max_dose?"),
    M("broken TOML", DRUG, ABOUT, 'model = "antibody"', "model = antibody", "E-CATALOG", "about",
      "valid TOML"),
    M("another name than the folder's", DRUG, ABOUT, 'name = "our_antibody"', 'name = "ours"',
      "E-CATALOG", "name", "the name of its folder"),
    M("no species", LINE, ABOUT, 'species = "human"\n', "", "E-CATALOG", "species",
      "add species"),
    M("a species of the zoo", LINE, ABOUT, '"human"', '"hamster"', "E-CATALOG", "species",
      "human"),
    M("malignant in words", LINE, ABOUT, "malignant = true", 'malignant = "yes"', "E-CATALOG",
      "malignant", "true or false"),
    M("a host that is not there", LINE, ABOUT, "malignant = true",
      'malignant = true\nhost = "our_mous"', "E-CATALOG", "host", "our_mouse"),
    M("a source of the line that is not there", LINE, ABOUT, 'sources = ["OurRNA"]',
      'sources = ["OurRna2"]', "E-SOURCE", "sources", "sources.bib"),
    M("an immune status of its own", HOST, ABOUT, '"deficient"', '"none"', "E-CATALOG", "immune",
      "deficient"),
    M("no strain", HOST, ABOUT, 'strain = "ours"\n', "", "E-CATALOG", "strain", "add strain"),
]  # fmt: skip


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A study with a catalog of its own, in the folder one works in."""
    monkeypatch.chdir(tmp_path)
    return own_catalog.write(tmp_path)


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    """Lines that a command refuses its input with; no traceback, none too long."""
    assert main(list(arguments)) == ExitCode.BAD_INPUT
    lines = capsys.readouterr().err.splitlines()
    assert not [line for line in lines if "Traceback" in line or "unexpected" in line]
    assert all(len(line) <= MAX_LINE for line in lines)
    return lines


def told(lines: list[str], mistake: Mistake) -> list[str]:
    """Those of the lines that tell the mistake: file, field, code and what to do."""
    return [
        line for line in lines
        if f"[{mistake.code}]" in line and mistake.says in line
        and mistake.file in line and f" {mistake.field}" in line.replace("  ", " ")
    ]  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES, ids=str)
def test_a_mistake_beside_a_study_is_told_by_check(
    study: Path, mistake: Mistake, capsys: pytest.CaptureFixture[str]
) -> None:
    """With file, field, what is allowed and what to do, and nothing is run."""
    own_catalog.change(study.parent / mistake.folder / mistake.file, mistake.old, mistake.new)
    lines = said(capsys, "check", "study.toml")
    assert told(lines, mistake), lines


@pytest.mark.parametrize("mistake", MISTAKES, ids=str)
def test_a_mistake_is_told_by_show(
    study: Path, mistake: Mistake, capsys: pytest.CaptureFixture[str]
) -> None:
    """One can look at an entry alone before it is used."""
    own_catalog.change(study.parent / mistake.folder / mistake.file, mistake.old, mistake.new)
    lines = said(capsys, "show", f"./{mistake.folder}")
    assert told(lines, mistake), lines


def test_everything_wrong_with_a_folder_is_told_at_once(
    study: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two slips in two files of one drug, and one in the host."""
    own_catalog.change(study.parent / DRUG / ABOUT, '"itgb1"', '"itgb9"')
    own_catalog.change(study.parent / DRUG / TABLE, CL, CL.replace("mL/d/kg", "L/d/kg"))
    own_catalog.change(study.parent / HOST / ABOUT, '"deficient"', '"none"')
    text = "\n".join(said(capsys, "check", "study.toml"))
    assert all(word in text for word in ("target", "CL.unit", "immune"))


def test_a_folder_without_an_about_is_told(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Not as a drug that nobody knows."""
    (study.parent / DRUG / ABOUT).unlink()
    lines = said(capsys, "check", "study.toml")
    assert any("about.toml in this folder" in line and DRUG in line for line in lines), lines


def test_a_drug_without_a_table_is_told(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the rows that it needs."""
    (study.parent / DRUG / TABLE).unlink()
    assert any("missing: CL, Q, V1" in line for line in said(capsys, "check", "study.toml"))


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"\x00" * 40, b"", b"\n\n\n", b"\t\t\t\t\t"])
@pytest.mark.parametrize("file", [ABOUT, TABLE])
def test_a_file_of_rubbish_is_told(
    study: Path, file: str, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever its bytes."""
    (study.parent / DRUG / file).write_bytes(content)
    assert any("our_antibody" in line for line in said(capsys, "check", "study.toml"))


@pytest.mark.parametrize("file", [ABOUT, TABLE])
def test_a_folder_in_place_of_a_file_is_told(
    study: Path, file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """It cannot be read."""
    (study.parent / DRUG / file).unlink()
    (study.parent / DRUG / file).mkdir()
    assert any("our_antibody" in line for line in said(capsys, "check", "study.toml"))


def test_an_own_closure_must_have_the_rows_of_the_one_it_replaces(
    study: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """All of them, and a name that is built in."""
    own = study.parent / "catalog" / "closures"
    shutil.copytree(catalog.ROOT / "closures" / "growth", own / "growth")
    text = (own / "growth" / TABLE).read_text(encoding="utf-8").splitlines(keepends=True)
    (own / "growth" / TABLE).write_text("".join(text[:-1]), encoding="utf-8")
    shutil.copytree(catalog.ROOT / "closures" / "cell", own / "cells")
    about = own / "cells" / ABOUT
    about.write_text(about.read_text(encoding="utf-8").replace('"cell"', '"cells"'), "utf-8")
    lines = said(capsys, "check", "study.toml")
    assert any("closures/growth" in line and "rows" in line for line in lines), lines
    assert any("closures/cells" in line and "did you mean cell?" in line for line in lines), lines


def test_what_replaces_a_built_in_entry_is_told(study: Path) -> None:
    """The plausible sets were found with the built-in one."""
    codes = [problem.code for problem in Study.load(study).warnings]
    assert "W-REPLACED" in codes
    ranges = Study.load(study, {"uncertainty.sets": "ranges"})
    assert "W-REPLACED" not in [problem.code for problem in ranges.warnings]


def test_no_code_beside_a_study_is_run(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A study file is data: Python next to it is never loaded, whatever it is called."""
    for place in ("catalog/networks/mine", "catalog/cell_lines/Ours-1", "catalog", "."):
        for name in ("network.py", "__init__.py", "unmoor_plugin.py", "sitecustomize.py"):
            own_catalog.put(study.parent / place / name, "raise SystemExit('code was run')\n")
    assert main(["check", "study.toml"]) == ExitCode.OK
    own_catalog.change(study, "[uncertainty]", '[model]\nemt_core = "mine"\n\n[uncertainty]')
    lines = said(capsys, "check", "study.toml")
    assert any("model.emt_core" in line and '"cascading"' in line for line in lines), lines


def test_levels_that_a_line_leaves_out_count_among_the_assumed(study: Path) -> None:
    """The report's numbers hold what stands in for them; constants of the reading do not count."""
    rows = numbers(Study.load(study))
    line = rows[rows["table"] == "cell_lines/Ours-1"].set_index("id")
    assert line.loc["L_SMAD4", "evidence"] == "assumed"
    assert line.loc["L_ITGB1", "evidence"] == "measured"
    assert not rows["id"].str.startswith(("panel_", "quantile_")).any()


def test_a_catalog_beside_a_study_is_used(study: Path) -> None:
    """Line, drug, host and matrix: the study runs, and each of them counts."""
    result = Study.load(study).run()
    assert result.n_failed == 0
    effect = result.effects().iloc[0]
    assert effect["cell_line"] == "Ours-1"
    assert effect["tumour_ratio"] < 1.0
    table = study.parent / MATRIX / TABLE
    own_catalog.change(table, "w3\t0.2\t-\t0.1\t0.3", "w3\t20\t-\t10\t30")
    assert Study.load(study).run().effects().iloc[0]["tumour_ratio"] != effect["tumour_ratio"]


@pytest.mark.parametrize("folder", [LINE, DRUG, HOST, MATRIX])
def test_show_works_on_a_folder(
    study: Path, folder: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """By path, as text and as JSON, with sources and hosts found beside it."""
    assert main(["show", f"./{folder}"]) == ExitCode.OK
    assert Path(folder).name in capsys.readouterr().out
    assert main(["show", folder, "--json"]) == ExitCode.OK
    document = json.loads(capsys.readouterr().out)
    assert document["kind"] == folder.split("/")[1]


def test_a_folder_elsewhere_is_told_by_its_content(
    study: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A drug in a folder of any name; a matrix does not tell what it is."""
    shutil.copytree(study.parent / DRUG, study.parent / "mine" / "our_antibody")
    shutil.copytree(study.parent / MATRIX, study.parent / "mine" / "tumour")
    assert main(["show", "mine/our_antibody"]) == ExitCode.OK
    assert "our_antibody: drug" in capsys.readouterr().out
    assert any("tells its kind" in line for line in said(capsys, "show", "mine/tumour"))
    assert main(["show", "matrices/mine/tumour"]) == ExitCode.OK


@pytest.mark.parametrize("kind", [kind for kind in catalog.KINDS if kind != "studies"])
def test_built_in_entries_keep_to_the_same_contract(kind: str) -> None:
    """What is asked of an outsider's folder holds for every entry of the package."""
    for name in catalog.names(kind):
        assert list(problems_of(kind, catalog.find(kind, name), None)) == [], name
