"""The command ``unmoor calibrate growth``: its files, its report, its errors."""

from __future__ import annotations

import csv
import json
import re
import tomllib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from growth_fixture import TRUTH, table_text
from unmoor import catalog
from unmoor.analysis.growth_table import read_growth
from unmoor.catalog.draws import Draw
from unmoor.cli import main
from unmoor.errors import ExitCode
from unmoor.trial.study import Study

STUDY = """\
schema = 1
cell_lines = ["4T1"]
control = "vehicle"

[[assays]]
name = "orthotopic_xenograft"
host = "nsg"
inoculum = "1e6 cells"
duration = "14 d"
animals = 2

[arms]
vehicle = []
"knock-down" = [{ gene = "ITGB1", change = "knock_down", factor = 0.1 }]
"""


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """The command run once on made-up animals, with virtual ones and the report."""
    folder = tmp_path_factory.mktemp("calibrated")
    data = folder / "mice.csv"
    data.write_text(table_text(16), encoding="utf-8")
    out = folder / "out"
    status = main(
        ["calibrate", "growth", str(data), "--out", str(out), "--virtual", "24", "--title",
         "mice <of> a test"]
    )  # fmt: skip
    found = json.loads((out / "growth.json").read_text(encoding="utf-8"))
    return SimpleNamespace(status=status, folder=folder, data=data, out=out, found=found)


def test_the_fit_is_written_with_all_that_was_found(done: SimpleNamespace) -> None:
    """Estimates, models, single animals, virtual animals, and which file it was."""
    assert done.status == ExitCode.OK
    found = done.found
    assert found["data"]["animals"] == 16
    assert found["data"]["sha256"] == read_growth(done.data).digest
    beta = found["fit"]["estimates"]["beta"]
    assert abs(beta["value"] - TRUTH["beta"]) < 4 * beta["standard_error"]
    assert set(found["models"]) == {"beta", "beta_and_k", "beta_with_k"}
    assert found["virtual_animals"]["animals"] == 24
    with (done.out / "animals.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["animal"] for row in rows] == [f"{i + 1}" for i in range(16)]
    assert all(float(row["own_alpha"]) > 0 for row in rows)


def test_its_catalog_can_be_put_beside_a_study(done: SimpleNamespace) -> None:
    """The animals of the study grow by the fitted numbers; the source is known."""
    (done.out / "study.toml").write_text(STUDY, encoding="utf-8")
    rows = catalog.table("closures", "growth", done.out)
    assert set(rows) == set(catalog.table("closures", "growth"))
    beta = done.found["fit"]["estimates"]["beta"]
    assert rows["beta"].value == pytest.approx(beta["value"], rel=0.05)
    assert rows["beta"].low < rows["beta"].value < rows["beta"].high
    assert rows["beta"].cv == pytest.approx(done.found["fit"]["cv_beta_between_animals"], rel=1e-3)
    assert rows["beta"].source in catalog.sources(done.out)
    about = tomllib.loads(
        (done.out / "catalog" / "closures" / "growth" / "about.toml").read_text(encoding="utf-8")
    )
    assert about["name"] == "growth"
    study = Study.load(done.out / "study.toml", {"uncertainty.draws": "2"})
    drawn = Draw(study.seed, 0, study.beside).values("closures", "growth")
    assert drawn["beta"] == rows["beta"].value


def test_the_report_needs_nothing_else(done: SimpleNamespace) -> None:
    """One page with its four figures inside, nothing from the network, the title escaped."""
    page = (done.out / "report.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 4
    assert "mice &lt;of&gt; a test" in page
    assert "<of>" not in page
    assert not re.search(r'(?:src|href)="https?:', page)
    assert "NaN" not in page
    assert "nan" not in re.sub(r"<svg.*?</svg>", "", page, flags=re.DOTALL)
    for words in ("standard error", "CV between animals", "ΔAIC", "virtual"):
        assert words in page


@pytest.mark.parametrize(
    "stem", ["predictive_check", "animals_compared", "single_animals", "residuals"]
)
def test_every_figure_is_drawn_and_has_its_numbers(done: SimpleNamespace, stem: str) -> None:
    """As SVG, as PNG with ink on it, and as a table."""
    folder = done.out / "figures"
    assert (folder / f"{stem}.svg").read_text(encoding="utf-8").startswith("<?xml")
    with Image.open(folder / f"{stem}.png") as image:
        pixels = np.asarray(image.convert("L"))
    assert 0.005 < (pixels < 200).mean() < 0.5
    assert len((folder / f"{stem}.csv").read_text(encoding="utf-8").splitlines()) > 10


def test_the_same_table_gives_the_same_files(
    done: SimpleNamespace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """To the byte, page and all."""
    arguments = ["--virtual", "24", "--title", "mice <of> a test", "--out", str(tmp_path)]
    assert main(["calibrate", "growth", str(done.data), *arguments]) == ExitCode.OK
    written = [Path(line) for line in capsys.readouterr().out.splitlines()]
    assert {path.name for path in written} >= {"parameters.tsv", "growth.json", "report.html"}
    for path in written:
        assert path.read_bytes() == (done.out / path.relative_to(tmp_path)).read_bytes()


def test_json_is_one_document(
    done: SimpleNamespace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """On standard output, the same as the file; no report, no virtual animals."""
    arguments = ["--virtual", "0", "--no-report", "--json", "--out", str(tmp_path / "a b")]
    assert main(["calibrate", "growth", str(done.data), *arguments]) == ExitCode.OK
    document = json.loads(capsys.readouterr().out)
    assert document == json.loads((tmp_path / "a b" / "growth.json").read_text(encoding="utf-8"))
    assert "virtual_animals" not in document
    assert not (tmp_path / "a b" / "report.html").exists()


def test_a_limit_and_a_start_reach_fit_and_rows(done: SimpleNamespace, tmp_path: Path) -> None:
    """Censored readings, another volume at day 0, an inoculum of half a million cells."""
    options = ["--detection-limit", "0.06 cm^3", "--start", "2 mm^3", "--inoculum", "5e5 cells"]
    quiet = ["--virtual", "0", "--no-report", "--out", str(tmp_path)]
    assert main(["calibrate", "growth", str(done.data), *options, *quiet]) == ExitCode.OK
    found = json.loads((tmp_path / "growth.json").read_text(encoding="utf-8"))
    assert found["data"]["censored"] > 0
    rows = catalog.table("closures", "growth", tmp_path)
    assert rows["volume_per_million"].value == 4.0
    assert rows["smallest_reading"].value == 60.0
    assert "censored at 60 mm^3" in rows["beta"].note
    assert "V0 = 2 mm^3" in rows["beta"].note


def test_a_known_source_is_not_written_again(done: SimpleNamespace, tmp_path: Path) -> None:
    """A key of the catalog is cited as it is."""
    options = ["--source", "Vaghi2020", "--virtual", "0", "--no-report", "--out", str(tmp_path)]
    assert main(["calibrate", "growth", str(done.data), *options]) == ExitCode.OK
    assert not (tmp_path / "catalog" / "sources.bib").exists()
    assert catalog.table("closures", "growth", tmp_path)["k"].source == "Vaghi2020"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--virtual", "-1"], "0 to 100000"),
        (["--start", "1"], "1 mm^3"),
        (["--start", "1e9 mm^3"], "1e-06-1000 mm^3"),
        (["--start", "1 mg", "--inoculum", "2 d"], "2 problems"),
        (["--detection-limit", "10,5 mm3"], "--detection-limit"),
        (["--source", "a b"], "citation key"),
        (["--column", "animal"], "KEY=HEADER"),
        (["--column", "sex=x"], "one of animal, day, volume, arm"),
        (["--arm", "vehicle"], "a table with arms"),
        (["--cell-line", "4T2"], "4T1"),
        (["--host", "nsq"], "nsg"),
    ],
)
def test_wrong_options_are_told(
    done: SimpleNamespace, tmp_path: Path, options: list[str], said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """In a line, with what is allowed, and exit code 2, before anything is written."""
    out = tmp_path / "out"
    status = main(["calibrate", "growth", str(done.data), *options, "--out", str(out)])
    assert status == ExitCode.BAD_INPUT
    told = capsys.readouterr().err
    assert said in told
    assert "Traceback" not in told
    assert not out.exists()


def test_a_missing_file_is_bad_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And so is a folder that cannot be made."""
    assert main(["calibrate", "growth", str(tmp_path / "no.csv")]) == ExitCode.BAD_INPUT
    assert "readable file" in capsys.readouterr().err
    (tmp_path / "mice.csv").write_text(table_text(6), encoding="utf-8")
    (tmp_path / "file").write_text("", encoding="utf-8")
    arguments = ["--virtual", "0", "--no-report", "--out", str(tmp_path / "file" / "x")]
    status = main(["calibrate", "growth", str(tmp_path / "mice.csv"), *arguments])
    assert status == ExitCode.BAD_INPUT
    assert "choose a folder" in capsys.readouterr().err


def test_help_names_both_calibrations(capsys: pytest.CaptureFixture[str]) -> None:
    """Of k_int, which is the verb alone, and of growth."""
    assert main(["calibrate", "--help"]) == ExitCode.OK
    text = capsys.readouterr().out
    assert "--wanted" in text
    assert "growth" in text
    assert main(["calibrate", "growth", "--help"]) == ExitCode.OK
    assert "--detection-limit" in capsys.readouterr().out
