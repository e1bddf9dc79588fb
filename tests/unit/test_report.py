"""The report: what it says, what it writes, and that it needs nothing else."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from report_fixture import ARMS, LINES, synthetic_result, synthetic_study
from unmoor.report import report
from unmoor.report.canvas import count_ticks, linear_ticks, log_ticks
from unmoor.report.counts import metastasis_counts
from unmoor.report.harm_plot import harm_plot, relative_animals
from unmoor.report.numerals import interval, probability, ratio
from unmoor.report.references import from_tex, references
from unmoor.report.style import arm_styles
from unmoor.report.tables import arm_table
from unmoor.report.text import headlines, structure_notes
from unmoor.report.view import View
from unmoor.trial.study import Study

STEMS = (
    "harm_plot",
    "tumour_curves",
    "metastasis_counts",
    "network_courses",
)
LARGEST = 5_000_000  # bytes


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the report of the made-up result."""
    return report(synthetic_result(), tmp_path_factory.mktemp("run") / "report.html")


@pytest.fixture(scope="module")
def text(page: Path) -> str:
    """Return what a person reads: no tags, entities resolved, single spaces."""
    parser = _Reader()
    parser.feed(page.read_text(encoding="utf-8"))
    return " ".join(" ".join(parser.seen).split())


class _Reader(HTMLParser):
    """Collects the visible text, and checks that every element is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember an element that must be closed."""
        if tag not in ("meta", "link", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close the innermost element."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Keep text that is shown."""
        if not {"style", "svg"} & set(self.open):
            self.seen.append(data)


def effect_of(result: Any, line: str, arm: str) -> pd.Series:
    """Return one row of the effects table."""
    table = result.effects
    return table[(table["cell_line"] == line) & (table["arm"] == arm)].iloc[0]


def test_report_asks_the_network_for_nothing(page: Path) -> None:
    """No script, style sheet, font, image or frame comes from elsewhere."""
    html = page.read_text(encoding="utf-8")
    for tag in ("<script", "<iframe", "<img", "@import", "url(http", "url('http", 'src="http'):
        assert tag not in html
    for tag, address in re.findall(r'<(\w+)[^>]*\shref="(https?:[^"]*)"', html):
        assert tag == "a", address
    assert page.stat().st_size < LARGEST


def test_report_is_well_formed(page: Path) -> None:
    """Every element is closed, and no id is used twice, also inside the drawings."""
    html = page.read_text(encoding="utf-8")
    parser = _Reader()
    parser.feed(html)
    assert parser.open == []
    ids = re.findall(r'\sid="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    for target in re.findall(r'(?:href="#|url\(#)([^")]+)', html):
        assert target in ids


def test_headline_holds_verdict_both_intervals_and_probability(text: str) -> None:
    """One sentence a line, built from the effects table and not from anything else."""
    result = synthetic_result(draws=0)
    view = View.of(result)
    found = headlines(view)
    assert [each.label for each in found] == list(LINES)
    for each in found:
        row = effect_of(result, each.label, view.lead)
        for low, high in (("low", "high"), ("study_low", "study_high")):
            for prefix in ("tumour", "spread"):
                bounds = interval(row[f"{prefix}_{low}"], row[f"{prefix}_{high}"])
                assert bounds in each.sentence
        assert f"P(switch) {probability(row['p_switch'])}" in each.sentence
        assert row["verdict"] in each.sentence
        assert each.sentence in text
        assert each.sentence.count(". ") == 0


def test_report_says_what_is_assumed_calibrated_and_not_known(text: str) -> None:
    """Tissue, calibration rows, both intervals, failures and limits are all in the text."""
    assert "FROM TISSUE TO ANIMAL" in text
    assert "counted in runs of the tissue" in text
    assert "k_int" in text
    assert "T01–T06 and T10" in text
    assert "Everything else here is prediction" in text
    assert "Model interval what we do not know" in text
    assert "Study interval what a real study would see" in text
    assert "3 of the 1200 simulated animals failed" in text
    assert "What the model cannot say" in text
    assert "Truong" in text


def test_report_says_when_the_headline_holds_only_under_some_structures(text: str) -> None:
    """Two of four structural options support the switch in the made-up result."""
    notes = structure_notes(View.of(synthetic_result(draws=0)))
    assert "only under some structural options" in notes[0]
    assert "not under cascading/itgb3" in notes[0]
    assert "less likely than not under every structural option" in notes[2]
    assert all(note in text for note in notes)
    assert "P(switch) ≥ 0.5 under 2 of 4 structural options" in text


def test_footer_names_seed_animals_version_and_arms(text: str) -> None:
    """Whoever reads a printed copy can run the study again."""
    assert "unmoor 0.1.0 · seed 7 · n = 10 animals an arm · 200 parameter draws" in text
    assert "c0ffee" in text
    assert "anti_itgb1 10 mg/kg (ip) every 3 d from day 7 until day 14" in text
    assert "ITGB1 knock-down × 0.1, from before inoculation until day 14" in text


def test_every_figure_is_written_as_svg_png_and_data(page: Path) -> None:
    """Text in SVG stays text, PNG has 300 dots an inch, CSV has rows."""
    for stem in STEMS:
        path = page.parent / "figures" / stem
        svg = path.with_suffix(".svg").read_text(encoding="utf-8")
        assert svg.count("<text") > 10
        assert "4T1" in svg
        with Image.open(path.with_suffix(".png")) as image:
            assert image.info["dpi"] == pytest.approx((300, 300), abs=0.1)
            assert image.width == 2160
        assert len(pd.read_csv(path.with_suffix(".csv"))) > 10


def test_figures_have_an_alternative_text(page: Path) -> None:
    """A reader who cannot see the figures is told what they show."""
    html = page.read_text(encoding="utf-8")
    labels = re.findall(r'<svg role="img" aria-label="([^"]+)"', html)
    assert len(labels) == len(STEMS)
    assert all(len(label) > 60 for label in labels)


def test_same_result_gives_the_same_bytes_also_from_two_threads(page: Path, tmp_path: Path) -> None:
    """Nothing depends on time, folder, thread or the settings of the user."""
    before = dict(matplotlib.rcParams)
    folders = [tmp_path / "a", tmp_path / "b"]
    for folder in folders:
        folder.mkdir()
    with ThreadPoolExecutor(2) as executor:
        list(executor.map(lambda folder: report(synthetic_result(), folder), folders))
    assert dict(matplotlib.rcParams) == before
    for expected in (page, *sorted((page.parent / "figures").iterdir())):
        for folder in folders:
            found = folder / expected.relative_to(page.parent)
            assert found.read_bytes() == expected.read_bytes(), found


def test_arm_names_cannot_inject_html_or_formulas(tmp_path: Path) -> None:
    """Names from a study file are text, in the page, in attributes and in the drawings."""
    name = '<script>alert("x")</script> & $\\frac{1}{0}$ "quoted"'
    result = synthetic_result(draws=0, animals=3)
    arms = {name if arm == "anti-β1" else arm: items for arm, items in ARMS.items()}
    for table in ("outcomes", "effects", "structures", "timecourses"):
        frame = getattr(result, table)
        frame["arm"] = frame["arm"].replace("anti-β1", name)
    result.study = synthetic_study(arms=arms, title=name)
    html = report(result, tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    _Reader().feed(html)


def test_nominal_run_without_draws_gives_no_verdict_and_no_crash(tmp_path: Path) -> None:
    """Without parameter draws there is no interval, so the report shows dashes."""
    result = synthetic_result(draws=0, animals=1)
    intervals = [name for name in result.effects if re.search("_(low|high|mc)$|^p_", name)]
    result.effects[intervals] = np.nan
    result.effects["verdict"] = "unclear"
    for table in ("structures", "timecourses", "numbers"):
        setattr(result, table, getattr(result, table).iloc[:0])
    nominal = {"draws": 0, "rivals": False, "sets": "plausible"}
    result.study = synthetic_study(uncertainty=type("U", (), nominal)())
    html = report(result, tmp_path / "report.html").read_text(encoding="utf-8")
    assert "no parameter draws, hence no interval and no verdict" in html
    assert "Rival structures were not run" in html
    assert "it comes first in the study" in html
    assert not re.search(r"\bnan\b", re.sub(r"<svg.*?</svg>", "", html, flags=re.DOTALL))
    assert not (tmp_path / "figures" / "structures.svg").exists()


def test_report_of_a_real_study_describes_its_arms(tmp_path: Path) -> None:
    """The attributes that the report reads are those of a study of the catalog."""
    result = synthetic_result(draws=0, animals=2, study=Study.load("truong2014"))
    path = report(result, tmp_path / "report.html")
    assert "TGFBR1 knock-down × 0.3, from before inoculation" in path.read_text(encoding="utf-8")
    assert len(arm_table(View.of(result))) == len(ARMS)


@pytest.mark.parametrize("arms", [("vehicle", "anti-β1"), ("vehicle",)])
def test_small_studies_have_a_report(arms: tuple[str, ...], tmp_path: Path) -> None:
    """One line with one treated arm, or with the control alone."""
    result = synthetic_result(draws=0, animals=2)
    for table in ("outcomes", "effects", "structures", "timecourses"):
        frame = getattr(result, table)
        is_kept = frame["arm"].isin(arms) & (frame["cell_line"] == "4T1")
        setattr(result, table, frame[is_kept])
    result.study = synthetic_study(arms={arm: ARMS[arm] for arm in arms}, cell_lines=("4T1",))
    html = report(result, tmp_path / "report.html").read_text(encoding="utf-8")
    assert ("the verdict on anti-β1 is switch" in html) == ("anti-β1" in arms)


def test_animals_are_relative_to_the_control_group() -> None:
    """Control animals have geometric mean 1, and counts are divided by the control's mean."""
    result = synthetic_result()
    animals = relative_animals(View.of(result))
    control = animals[animals["arm"] == "vehicle"]
    for _, rows in control.groupby("cell_line"):
        assert np.exp(np.log(rows["tumour_change"]).mean()) == pytest.approx(1.0)
        mean = rows["lung_metastases"].mean()
        assert rows["spread_change"].mean() == pytest.approx(1.0 + 0.5 / mean)
    assert len(animals) == len(LINES) * len(ARMS) * 10


def test_failed_animals_and_zero_counts_do_not_stop_a_figure() -> None:
    """A group in which every animal failed, and a control without metastases, are drawn."""
    result = synthetic_result(draws=0, animals=4)
    outcomes = result.outcomes
    outcomes.loc[outcomes["arm"] == "anti-β1", "status"] = "step_limit"
    outcomes.loc[outcomes["arm"] == "vehicle", "lung_metastases"] = 0.0
    view = View.of(result)
    for draw in (harm_plot, metastasis_counts):
        _, rows = draw(view)
        assert len(rows) > 0


def test_arms_differ_by_number_marker_and_dash_without_colour() -> None:
    """In black and white thirty arms still differ, and the ten of the study also by colour."""
    styles = arm_styles([f"arm {i}" for i in range(30)])
    assert len({style.number for style in styles.values()}) == 30
    looks = {(style.colour, style.marker, style.is_filled) for style in styles.values()}
    assert len(looks) == 30
    first = list(styles.values())[:10]
    assert len({style.marker for style in first}) == 10


def test_headline_is_about_a_treatment_not_built_on_another() -> None:
    """Combinations answer how to mend the harm, so they do not lead, however likely they switch."""
    result = synthetic_result(draws=0, animals=1)
    result.effects.loc[result.effects["arm"] == "knock-down + late inhibitor", "p_switch"] = 1.0
    view = View.of(result)
    assert view.lead == "ITGB1 knock-down"
    assert view.key_arms[:2] == ("vehicle", "ITGB1 knock-down")
    assert "knock-down + TGFBR1 knock-down" in view.key_arms


@pytest.mark.parametrize(
    ("value", "written"),
    [(0.0312, "0.031"), (0.996, "1.0"), (4.64, "4.6"), (9.97, "10"), (152.0, "150"), (np.nan, "–")],
)
def test_ratios_have_two_digits(value: float, written: str) -> None:
    """Neither false precision nor an exponent."""
    assert ratio(value) == written


def test_probabilities_are_never_rounded_to_certainty() -> None:
    """0 and 1 are written only when they are meant."""
    assert [probability(p) for p in (0.0, 0.001, 0.5, 0.999, 1.0)] == [
        "0.00",
        "< 0.01",
        "0.50",
        "> 0.99",
        "1.00",
    ]


def test_ticks_are_round_numbers_inside_the_axis() -> None:
    """Linear, logarithmic and count axes."""
    assert [label for _, label in linear_ticks(0.0, 1.04)] == ["0.0", "0.5", "1.0"]
    assert [label for _, label in log_ticks(0.09, 12.0)] == ["0.1", "0.3", "1", "3", "10"]
    assert [label for _, label in count_ticks(120.0)] == ["0", "1", "3", "10", "30", "100"]


def test_references_read_as_citations() -> None:
    """Accents are resolved, many authors end in et al., an unknown key is shown as it is."""
    assert from_tex("Le D{\\'e}v{\\'e}dec and Balc{\\i}o{\\u g}lu and Iba{\\~n}ez") == (
        "Le Dévédec and Balcıoğlu and Ibañez"
    )
    known, unknown = references(["Truong2014", "Nobody1900"], None)
    assert known.text.startswith("Truong HH, Xiong J")
    assert "et al. (2014)" in known.text
    assert known.doi == "10.1126/scisignal.2004751"
    assert unknown.text == "Nobody1900"
    (some,) = references(["Gao2015"], None)
    assert some.text.startswith("Gao H et al. (2015)")


def test_provenance_is_shown_in_full(text: str) -> None:
    """Every value of the provenance can be found in the report."""
    for value in ("1.0.0", "3.11.9", json.dumps(7)):
        assert value in text
