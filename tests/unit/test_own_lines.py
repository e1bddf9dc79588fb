"""Tumours of one's own as people have them: names that are no file names, files that are broken."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from unmoor.analysis.expression import read_expression
from unmoor.analysis.own_lines import safe_name, write_line
from unmoor.cell.line import CellLine
from unmoor.cli import main
from unmoor.errors import ExitCode, StudyError

ROWS = "ITGB1,200\nTGFBR2,60\nSMAD4,40\nITGB3,1\nCDH1,150\nVIM,2\nZEB1,.1\nZEB2,.1\nRHOA,210\n"
NAMES = ("../../esc", "/tmp/abs", "a/b", "..", "C:\\x", "CON", "a\nb", "é" * 300, "T 01")


def table(path: Path, name: str) -> Path:
    """A table with two samples, the first of them of this name."""
    rows = [f"{row},{row.partition(',')[2]}" for row in ROWS.splitlines()]
    quoted = name.replace('"', '""')
    path.write_text(f'gene,"{quoted}",other\n' + "\n".join(rows), encoding="utf-8", newline="")
    return path


@pytest.mark.parametrize("name", NAMES)
def test_no_name_of_a_sample_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    """What is written lies directly in the folder, and the catalog finds it by its true name."""
    line = read_expression(table(tmp_path / "t.csv", name), scale="linear").lines[0]
    assert line.name == " ".join(name.split())
    place = tmp_path / "study" / "catalog" / "cell_lines"
    written = write_line(line, place)
    assert written.resolve().parent == place.resolve()
    assert {path.name for path in tmp_path.iterdir()} == {"t.csv", "study"}
    again = CellLine.load(line.name, tmp_path / "study")
    assert again.levels["L_ITGB1"].value == pytest.approx(line.levels["L_ITGB1"].value, abs=1e-4)


def test_names_that_look_alike_when_made_safe_stay_apart() -> None:
    """Each has a digest of its own; a plain name is kept as it is."""
    assert len({safe_name(name) for name in ("a/b", "a\\b", "a:b", "a_b", "a/b.")}) == 5
    assert safe_name("MDA-MB-231 (p53)") == "MDA-MB-231 (p53)"


def broken(path: Path, kind: str) -> Path:
    """A table that is damaged in one way."""
    text = "gene,value\n" + ROWS
    whole = gzip.compress(text.encode(), mtime=0)
    data = {
        "quote.csv": text.replace("SMAD4", '"SMAD4').encode(),
        "long.csv": (text.replace("SMAD4", '"SMAD4') + "A,1\n" * 40_000).encode(),
        "middle.csv.gz": whole[:14] + b"\xff\xff\xff\xff" + whole[18:],
        "short.csv.gz": whole[:-12],
        "sum.csv.gz": whole[:-8] + b"\0\0\0\0" + whole[-4:],
        "none.csv.gz": text.encode(),
        "bytes.csv": b"gene,value\nITGB1,\xff\xfe\n",
        "nul.csv": text.replace("40", "4\x000").encode(),
        "empty.csv": b"",
    }[kind]
    (path / kind).write_bytes(data)
    return path / kind


KINDS = ("quote.csv", "long.csv", "middle.csv.gz", "short.csv.gz", "sum.csv.gz", "none.csv.gz",
         "bytes.csv", "nul.csv", "empty.csv")  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_a_broken_table_is_told_with_its_place(
    tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Never as a fault of the program; the file is named, and what it should be."""
    path = broken(tmp_path, kind)
    with pytest.raises(StudyError) as told:
        read_expression(path, scale="linear")
    assert str(path) in str(told.value)
    asked = ["screen", "truong2014", "--expression", str(path), "--out", str(tmp_path / "runs")]
    assert main(asked) == ExitCode.BAD_INPUT
    said = capsys.readouterr().err
    assert "E-UNEXPECTED" not in said
    assert kind in said


def test_a_quote_that_is_not_closed_is_told_with_its_line(tmp_path: Path) -> None:
    """Where it was opened, not where the file ends."""
    with pytest.raises(StudyError, match=r"quote\.csv:4"):
        read_expression(broken(tmp_path, "quote.csv"))
