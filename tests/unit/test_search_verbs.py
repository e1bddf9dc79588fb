"""The verbs search and matrix: what they write, and that JSON and pages agree."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from unmoor.cli import main

STUDY = """
schema = 1
seed = 7
cell_lines = ["4T1"]
control = "vehicle"

[[assays]]
name = "orthotopic_xenograft"
host = "balbc"
inoculum = "1e6 cells"
duration = "10 d"
animals = 2
clones = 4

[arms]
"vehicle" = []
"pair" = [
    { drug = "anti_itgb1", dose = "10 mg/kg", every = "3 d" },
    { drug = "doxorubicin", dose = "3 mg/kg", every = "5 d" },
]

[uncertainty]
draws = 4
rivals = false

[search]
subject_to = ["tumour_volume <= 0.95 * control"]
candidates = 12

[search.vary]
"pair.anti_itgb1.dose" = ["0 mg/kg", "1 mg/kg", "10 mg/kg"]
"pair.doxorubicin.dose" = ["0 mg/kg", "2 mg/kg", "6 mg/kg"]
"""


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A study that is searched in a moment."""
    path = tmp_path / "pair.toml"
    path.write_text(STUDY, encoding="utf-8")
    return path


def test_search_writes_a_page_and_one_document(
    study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The front is the same in the document, in the table and in what is on the page."""
    assert main(["search", str(study), "--out", str(tmp_path / "out"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    folder = Path(found["folder"])
    assert found["tried"] == 9  # the whole grid
    tried = pd.read_csv(folder / "tables" / "tried.csv")
    assert len(tried) == 9
    assert tried["allowed"].sum() == found["allowed"]
    assert all(each["outcomes"]["tumour_volume"] <= 0.95 for each in found["front"])
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "Toxicity is not modelled" in page
    assert (folder / "figures" / "front.svg").is_file()
    assert (folder / "study.toml").is_file()


def test_matrix_writes_both_maps_and_every_cell(
    study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without --first and --second the axes are those of the search."""
    assert main(["matrix", str(study), "--out", str(tmp_path / "out"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert len(found["cells"]) == 9
    first = found["cells"][0]
    assert first["tumour"] == pytest.approx(1.0, rel=1e-12)
    assert first["spread_bliss"] == pytest.approx(0.0, abs=1e-12)
    figures = Path(found["folder"]) / "figures"
    for stem in ("maps-1", "bliss-1", "loewe-1", "hsa-1", "zip-1"):
        assert (figures / f"{stem}.svg").is_file()
        assert (figures / f"{stem}.csv").is_file()


def test_a_matrix_with_one_axis_is_told_what_is_missing(
    study: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, and how to write the other."""
    assert main(["matrix", str(study), "--first", "pair.anti_itgb1.dose=0 mg/kg,1 mg/kg"]) == 2
    assert "--second" in capsys.readouterr().err
