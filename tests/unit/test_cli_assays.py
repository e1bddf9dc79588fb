"""The command with studies of other assays, and with published directions."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from unmoor.analysis.evidence_rows import COLUMNS
from unmoor.cli import main
from unmoor.cli.validation import _cells
from unmoor.errors import ExitCode

STUDY = """
schema     = 1
seed       = 7
cell_lines = ["4T1"]
control    = "none"

[[assays]]
name     = "viability"
duration = "3 d"
clones   = 4

[arms]
none = []
lost = [{ gene = "ITGB1", change = "knock_down", factor = 0.1 }]
hit = [{ radiation = "2 Gy" }]
both = [{ radiation = "2 Gy" }, { gene = "ITGB1", change = "knock_down", factor = 0.1 }]

[uncertainty]
draws  = 20
rivals = true
"""
ROWS = (
    "T02\t4T1\t\tsignalling_time_course\tcollagen_i\tITGB1 x0.1\tnone\te_cadherin\t-\tT\thard\t",
    "A06\t4T1\t\tsignalling_time_course\tlaminin\tITGB1 x0.1\tnone\tcohesion\t+\tW\tconflict\t",
    "T01\t4T1\t\tspheroid_invasion\tcollagen_i\tITGB1 x0.1\tnone\tspeed\t+\tT\thard\t",
)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a study and a table of evidence."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "culture.toml").write_text(STUDY, encoding="utf-8")
    text = "\n".join(["\t".join(COLUMNS), *ROWS]) + "\n"
    (tmp_path / "evidence.tsv").write_text(text, encoding="utf-8")
    return tmp_path


def test_a_study_without_tumours_prints_readouts(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """For people and as JSON; without a verdict, and with what a combination adds."""
    assert main(["run", "culture.toml", "--json"]) == ExitCode.OK
    output = capsys.readouterr()
    document = json.loads(output.out)
    assert document["effects"] == []
    rows = {(x["arm"], x["readout"]): x for x in document["readouts"]}
    assert set(rows) == {(arm, name) for arm in ("lost", "hit", "both")
                         for name in ("viability", "proliferation", "apoptosis")}  # fmt: skip
    lost = rows["lost", "viability"]
    assert lost["ratio_low"] < lost["ratio"] < lost["ratio_high"] < 1.0
    assert lost["n_draws"] == 20
    assert {x["arm"] for x in document["joint"]} == {"both"}
    for word in ("viability", "apoptosis", "together", "lost", "4T1"):
        assert word in output.err
    assert "verdict" not in output.err
    found = Path(document["run"]) / "readouts.csv"
    assert found.read_text(encoding="utf-8").startswith("cell_line,assay,arm,readout,day,unit")


def test_the_cost_of_cultures_counts_no_rivals(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Rival structures are compared by the verdict, which cultures lack."""
    assert main(["check", "culture.toml", "--json"]) == ExitCode.OK
    output = capsys.readouterr()
    assert json.loads(output.out)["tumours"] == 4 * 20
    assert "80 simulated cultures" in output.err


def test_published_directions_are_judged_row_by_row(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Rows under every structure, totals, and the structures under which a conflict comes out."""
    command = ["validate", "--evidence", "evidence.tsv", "--draws", "10", "--tissue-draws", "0"]
    assert main([*command, "--json"]) == ExitCode.OK
    output = capsys.readouterr()
    document = json.loads(output.out)
    by_row = {x["id"]: x for x in document["rows"]}
    assert by_row["T02"]["outcome"] == "agrees"
    assert by_row["T02"]["role"] == "calibrated"
    assert by_row["T02"]["published"] == "-"
    assert 0.8 <= by_row["T02"]["probability"] <= 1.0
    assert by_row["T01"]["outcome"] == "not run"
    assert len(by_row["A06"]["options"]) == 6
    option = by_row["A06"]["options"]["ternary/itgb3"]
    assert set(option["lines"]) == {"4T1"}
    assert option["probability"] == option["lines"]["4T1"]["probability"]
    assert "A06 (conflict, published +): agrees under" in output.err
    assert "T01 (hard, published +): not run" in output.err
    assert "only test rows" in output.err
    hard = document["totals"]["hard"]
    assert (hard["rows"], hard["agrees"], hard["not_run"]) == (2, 1, 1)
    folder = Path(document["folder"])
    table = (folder / "validation.tsv").read_text(encoding="utf-8").splitlines()
    assert table[0].split("\t")[:3] == ["id", "use", "role"]
    assert len(table) == 1 + 3 * 6
    assert not (folder / "report.html").exists()
    assert main(command) == ExitCode.OK  # what is known is not computed again
    second = Path(capsys.readouterr().out.strip())
    assert second == Path("runs/evidence-validate-2")
    page = (second / "report.html").read_text(encoding="utf-8")
    for text in ("T02", "A06", "not run", "Rows that must come out", "fitting, not validation"):
        assert text in page
    assert (second / "figures" / "shares_hard.svg").is_file()
    assert (second / "tables" / "failures.csv").is_file()


@pytest.mark.parametrize(
    ("measure", "numbers", "written"),
    [
        ("difference", (-0.571, -0.6, -0.5), "\u22120.571 (\u22120.6 to \u22120.5)"),
        ("difference", (0.0, -8.99e-16, 4.5e-16), "0 (0 to 0)"),
        ("difference", (-6.05e-05, -0.01234, 0.1), "0 (\u22120.0123 to +0.1)"),
        ("ratio", (0.25, 8e-17, 12.345), "×0.25 (×0 to ×12.3)"),
    ],
)
def test_changes_are_written_with_one_sign(
    measure: str, numbers: tuple[float, float, float], written: str
) -> None:
    """A true minus, three digits, and 0 for rounding errors."""
    row = SimpleNamespace(id="T", use="hard", readout="cohesion", direction="-")
    median, low, high = numbers
    judged: Any = SimpleNamespace(
        row=row, line="4T1", role="test", reason="", measure=measure, median=median, low=low,
        high=high, share=1.0, outcome="agrees",
    )  # fmt: skip
    assert _cells(judged)[-2] == written


@pytest.mark.parametrize(
    "arguments",
    [
        ["validate", "nothing.tsv"],
        ["validate", "culture.toml"],
        ["validate", "evidence.tsv", "--draws", "0"],
        ["validate", "evidence.tsv", "--draws", "100000"],
        ["validate", "evidence.tsv", "--workers", "0"],
        ["validate", "evidence.tsv", "--evidence", "evidence.tsv"],
        ["validate", "evidence.tsv", "--weight", "cascading/tgfb"],
        ["validate", "evidence.tsv", "--weight", "cascading/tgfb=2"],
        ["validate", "evidence.tsv", "--leave-out", "nobody"],
    ],
)
def test_wrong_use_is_told(
    here: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    """In a line, with exit code 2."""
    assert main(arguments) == ExitCode.BAD_INPUT
    output = capsys.readouterr()
    assert output.out == ""
    assert "Traceback" not in output.err
    assert "expected" in output.err or "requires" in output.err
