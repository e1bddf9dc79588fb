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
    """Table, scores by role, and the structures under which a conflict comes out."""
    assert main(["validate", "evidence.tsv", "--draws", "10", "--json"]) == ExitCode.OK
    output = capsys.readouterr()
    document = json.loads(output.out)
    by_row = {x["id"]: x for x in document["rows"]}
    assert by_row["T02"]["outcome"] == "agrees"
    assert by_row["T02"]["role"] == "calibrated"
    assert by_row["T01"]["outcome"] in ("agrees", "disagrees")  # of tissues, in few draws
    assert by_row["T01"]["reason"] == ""
    assert len([x for x in document["rows"] if x["id"] == "A06"]) == 4
    assert "A06 (conflict, published +): agrees under" in output.err
    assert "only test rows validate" in output.err
    table = (here / "validation.tsv").read_text(encoding="utf-8").splitlines()
    assert table[0].split("\t")[:3] == ["id", "use", "role"]
    assert len(table) == 1 + 6
    scores = {(x["role"], x["use"]): (x["agrees"], x["disagrees"], x["cannot"])
              for x in document["scores"]}  # fmt: skip
    agrees, disagrees, cannot = scores["calibrated", "hard"]
    assert (agrees + disagrees, cannot) == (2, 0)


def test_an_earlier_table_of_a_validation_is_kept(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The next one gets the next free name, as run folders do, and the name is told."""
    (here / "validation.tsv").write_text("mine", encoding="utf-8")
    (here / "validation-2.tsv").write_text("mine, too", encoding="utf-8")
    (here / "evidence.tsv").write_text(
        "\n".join(["\t".join(COLUMNS), ROWS[2]]) + "\n", encoding="utf-8"
    )
    assert main(["validate", "evidence.tsv", "--draws", "1"]) == ExitCode.OK
    assert capsys.readouterr().out.strip() == "validation-3.tsv"
    assert (here / "validation.tsv").read_text(encoding="utf-8") == "mine"
    assert (here / "validation-2.tsv").read_text(encoding="utf-8") == "mine, too"
    assert (here / "validation-3.tsv").read_text(encoding="utf-8").startswith("id\tuse")


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
        ["validate"],
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
