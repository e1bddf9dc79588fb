"""Pages of analyses and the folders they go to: complete, repeatable, safe to read."""

from __future__ import annotations

import math
import re
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest
from matplotlib.figure import Figure

from small_study import small_study
from unmoor.cli.analyses import analysis_folder
from unmoor.errors import UnmoorError
from unmoor.report.canvas import Canvas
from unmoor.report.page import Plot, Section, Table, figure_footer, write_page
from unmoor.trial.study import Study

FRAME = pd.DataFrame(
    {"arm": ["a<b", "c"], "ratio": [0.123456, math.nan], "n": [8, 20], "met": [True, False]}
)


def figure() -> Figure:
    """A figure with a text in it."""
    canvas = Canvas(1, 1, height=60, left=40)
    canvas.frame(canvas.boxes[0], [(0.5, "half")])
    return canvas.finished(figure_footer(small_study(), "n = 8"))


def sections() -> list[Section]:
    """One section with everything."""
    table = Table("ratios", "Ratios", FRAME, headings={"n": "animals"})
    plot = Plot("curve", "Curve", "A line.", figure, FRAME)
    return [Section("Result & more", ["First <b>.", "Second."], [table], [plot])]


class _Reader(HTMLParser):
    """Cells of tables, and whatever would load something."""

    def __init__(self) -> None:
        super().__init__()
        self.cells: list[str] = []
        self.loads: list[str] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = tag in ("td", "th")
        if self._inside:
            self.cells.append("")
        named = dict(attrs)
        for key in ("src", "href", "xlink:href"):
            target = named.get(key) or "#"
            if not target.startswith(("#", "data:", "https://doi.org/")):
                self.loads.append(target)

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.cells[-1] += data

    def handle_endtag(self, tag: str) -> None:
        self._inside = False


def test_a_page_needs_nothing_else_and_shows_its_tables(tmp_path: Path) -> None:
    """Text is escaped, numbers are rounded, what is missing is a dash, files lie beside."""
    path = write_page(tmp_path, "Power", small_study(), sections(), question="How many?")
    text, reader = path.read_text(encoding="utf-8"), _Reader()
    reader.feed(text)
    assert reader.loads == []
    assert "First &lt;b&gt;." in text
    assert reader.cells[:4] == ["arm", "ratio", "animals", "met"]
    assert reader.cells[4:] == ["a<b", "0.123", "8", "yes", "c", "–", "20", "no"]
    assert pd.read_csv(tmp_path / "tables" / "ratios.csv")["ratio"][0] == FRAME["ratio"][0]
    for ending in ("svg", "png", "csv"):
        assert (tmp_path / "figures" / f"curve.{ending}").stat().st_size > 0
    assert "half" in re.sub(r"<svg.*?>", "", text)


def test_the_same_page_has_the_same_bytes(tmp_path: Path) -> None:
    """Nothing in a page depends on when it was written."""
    pages = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        write_page(tmp_path / name, "Power", small_study(), sections())
        files = sorted(p for p in (tmp_path / name).rglob("*") if p.is_file())
        pages.append([(p.relative_to(tmp_path / name), p.read_bytes()) for p in files])
    assert pages[0] == pages[1]


def test_two_figures_of_one_name_are_refused(tmp_path: Path) -> None:
    """The second would overwrite the first."""
    with pytest.raises(ValueError, match="curve"):
        write_page(tmp_path, "Power", small_study(), [*sections(), *sections()])


def test_a_taken_folder_gets_a_number(tmp_path: Path) -> None:
    """No analysis overwrites another, and each holds a study that reads back."""
    study = small_study()
    made = [analysis_folder(tmp_path / "runs", study, "design") for _ in range(3)]
    assert [each.name for each in made] == ["study-design", "study-design-2", "study-design-3"]
    assert Study.load(made[2] / "study.toml").digest() == study.digest()


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """A file in the place of the folder is no traceback."""
    (tmp_path / "runs").write_text("")
    with pytest.raises(UnmoorError, match="E-WRITE"):
        analysis_folder(tmp_path / "runs", small_study(), "design")
