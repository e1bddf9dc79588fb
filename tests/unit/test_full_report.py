"""The full report: single animals, survival, doses, methods, published rows, other assays."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from report_fixture import (
    ARMS,
    LINES,
    combined_result,
    culture_result,
    dosed_result,
    synthetic_result,
    synthetic_study,
)
from unmoor.report import report
from unmoor.report.doses import points, series
from unmoor.report.forest import forest
from unmoor.report.harm_plot import _limits as axis_limits
from unmoor.report.harm_plot import relative_animals
from unmoor.report.html import write_report
from unmoor.report.methods import methods
from unmoor.report.spider import courses, spider
from unmoor.report.survival_curves import survival_curves, survival_rows
from unmoor.report.swimmer import event_rows, swimmer
from unmoor.report.tables import describe
from unmoor.report.view import View
from unmoor.report.waterfall import responses, waterfall
from unmoor.therapy.irradiation import Irradiation
from unmoor.therapy.regimen import Regimen
from unmoor.trial.published import compare
from unmoor.trial.study import Study

FULL = ("spider", "spider_linear", "waterfall", "survival", "swimmer")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the full report of the made-up result."""
    folder = tmp_path_factory.mktemp("run")
    return report(synthetic_result(), folder / "report.html", full=True)


@pytest.fixture(scope="module")
def view() -> View:
    """Return the made-up result as it is read."""
    return View.of(synthetic_result())


def test_full_report_adds_figures_methods_and_prism_tables(page: Path) -> None:
    """Text in SVG stays text, PNG has 300 dots an inch, CSV has rows."""
    html = page.read_text(encoding="utf-8")
    for stem in FULL:
        path = page.parent / "figures" / stem
        assert path.with_suffix(".svg").read_text(encoding="utf-8").count("<text") > 10
        with Image.open(path.with_suffix(".png")) as image:
            assert image.info["dpi"] == pytest.approx((300, 300), abs=0.1)
        assert len(pd.read_csv(path.with_suffix(".csv"))) > 10
        assert f"figures/{stem}.svg" in html
    assert len(list((page.parent / "prism").glob("*.csv"))) == 12
    assert (page.parent / "methods.md").read_text(encoding="utf-8").startswith("# Methods: β1")


def test_every_figure_of_single_animals_names_seed_and_version(page: Path) -> None:
    """A printed figure can be traced."""
    for stem in FULL:
        svg = (page.parent / "figures" / f"{stem}.svg").read_text(encoding="utf-8")
        assert "seed 7 · n = 10 animals an arm" in svg


def test_default_report_has_no_figures_of_single_animals(tmp_path: Path) -> None:
    """They are asked for, because they cost time; the report says how."""
    path = report(synthetic_result(draws=0, animals=2), tmp_path / "report.html")
    assert "unmoor report RUN --full" in path.read_text(encoding="utf-8")
    assert not (tmp_path / "figures" / "spider.svg").exists()
    assert not (tmp_path / "prism").exists()
    assert not (tmp_path / "statistics.csv").exists()


def test_every_interval_of_the_harm_plot_lies_inside_its_panel() -> None:
    """An arm far from the others is not cut off."""
    result = synthetic_result(draws=0, animals=2)
    far = result.effects.index[0]
    result.effects.loc[far, ["spread_low", "spread_ratio"]] = (0.004, 0.02)
    view = View.of(result)
    tumour, spread = axis_limits(view, relative_animals(view))
    for name, (low, high) in (("tumour", tumour), ("spread", spread)):
        assert low < view.effects[f"{name}_low"].min()
        assert high > view.effects[f"{name}_high"].max()


def test_forest_sorts_by_spread_and_holds_both_intervals(view: View) -> None:
    """Every line has all its arms, and the data have what is drawn."""
    _, rows = forest(view)
    assert len(rows) == len(LINES) * (len(ARMS) - 1)
    for name in ("tumour", "spread"):
        for end in ("ratio", "low", "high", "study_low", "study_high"):
            assert rows[f"{name}_{end}"].notna().all()


def test_spider_carries_on_the_last_reading_of_an_animal_that_left(view: View) -> None:
    """The mean keeps all animals, and says how many were measured."""
    own = courses(view)["4T1", "orthotopic_xenograft", "vehicle"]
    left = int(np.argmin(own.left))
    assert own.left[left] < own.days.size - 1
    assert np.isfinite(own.volumes).all()
    assert (own.volumes[left, own.left[left] :] == own.volumes[left, own.left[left]]).all()
    _, rows = spider(view)
    mean = rows[(rows["kind"] == "mean") & (rows["arm"] == "vehicle")]
    assert mean["n_measured"].min() < mean["n_measured"].max() == 10
    assert ((mean["low"] < mean["tumour_volume"]) & (mean["tumour_volume"] < mean["high"])).all()


def test_an_arm_that_lost_all_its_animals_early_is_drawn() -> None:
    """Its days end before those of the others."""
    result = synthetic_result(draws=0, animals=3)
    is_gone = (result.animals["arm"] == "vehicle") & (result.animals["day"] > 15)
    result.animals = result.animals[~is_gone]
    for draw in (spider, waterfall):
        _, rows = draw(View.of(result))
        assert len(rows)


def test_waterfall_gives_categories_only_where_treatment_starts_late() -> None:
    """Both criteria for tumours that can be measured, the continuous one for all."""
    assert (responses(View.of(synthetic_result()))["category"] == "").all()
    items = SimpleNamespace(drug="anti_itgb1", dose=10.0, every=3.0, start=16.0, stop=None)
    arms = {arm: (items,) if arm != "vehicle" else () for arm in ARMS}
    late = responses(View.of(synthetic_result(study=synthetic_study(arms=arms))))
    assert set(late["category"]) <= {"CR", "PR", "SD", "PD", ""}
    assert (late["category"] != "").any()
    assert late["to_control"].notna().all()
    control = late[late["arm"] == "vehicle"].groupby("cell_line")["to_control"]
    for _, values in control:
        assert np.exp(np.log(values).mean()) == pytest.approx(1.0)


def test_survival_table_counts_animals_and_events(view: View) -> None:
    """One row an arm of a line with events; the control has no hazard ratio."""
    humane = view.events[view.events["event"] == "humane_endpoint"]
    for label, rows in survival_rows(view):
        own = humane[humane["cell_line"] == label]
        assert sum(int(row[3]) for row in rows) == own["observed"].sum()
        assert [row[1] for row in rows] == list(ARMS)
        assert rows[0][5] == "–"
    _, steps = survival_curves(view)
    assert ((steps["share"] >= 0) & (steps["share"] <= 1)).all()


def test_swimmer_tells_how_every_animal_ended(view: View) -> None:
    """Lungs of animals that were taken out before the read-out are not told."""
    rows = event_rows(view)
    assert len(rows) == len(LINES) * len(ARMS) * 10
    out = rows["event"] == "humane_endpoint"
    assert rows.loc[out & (rows["day"] < rows["day"].max()), "lung_metastases"].isna().all()
    assert rows.loc[~out, "lung_metastases"].notna().all()
    _, drawn = swimmer(view)
    pd.testing.assert_frame_equal(drawn, rows)


def test_dose_response_finds_arms_that_differ_only_in_dose(tmp_path: Path) -> None:
    """Three doses of one drug are a series, other arms are none."""
    view = View.of(dosed_result())
    (found,) = series(view)
    assert found.doses == (1.0, 3.0, 10.0)
    assert found.label == "anti_itgb1 [mg/kg]"
    rows = points(view, view.groups[0], found, "spread")
    known = [view.effect(view.groups[0], arm) for arm in found.arms]
    assert rows["ratio"].tolist() == [row["spread_ratio"] for row in known if row is not None]
    assert series(View.of(synthetic_result())) == []
    page = report(dosed_result(), tmp_path / "report.html", full=True)
    assert "anti_itgb1 [mg/kg]" in page.read_text(encoding="utf-8")


def test_two_doses_or_another_schedule_are_no_dose_response() -> None:
    """A line through two points says nothing, and a schedule is not a dose."""
    assert series(View.of(dosed_result((1.0, 10.0)))) == []
    result = dosed_result()
    result.study.arms["anti-β1 10 mg/kg"][0].every = 7.0
    assert series(View.of(result)) == []


def test_methods_follow_the_essential_ten(view: View) -> None:
    """Groups, numbers, exclusions, seed, hosts, doses and software are all said."""
    told = dict(methods(view))
    assert list(told)[:10] == [
        "Study design",
        "Sample size",
        "Inclusion and exclusion criteria",
        "Randomisation",
        "Blinding",
        "Outcome measures",
        "Statistical methods",
        "Experimental animals and cell lines",
        "Experimental procedures",
        "Results",
    ]
    assert "10 arms were compared in 3 cell lines" in told["Study design"]
    assert "10 animals in each arm and line, 300 in all" in told["Sample size"]
    assert "3 of 1200 simulated animals failed" in told["Inclusion and exclusion criteria"]
    assert "1400 mm³" in told["Inclusion and exclusion criteria"]
    assert "seed (7)" in told["Randomisation"]
    assert "4T1 (mouse) in BALB/c mice" in told["Experimental animals and cell lines"]
    assert "anti_itgb1 10 mg/kg (ip) every 3 d from day 7" in told["Experimental procedures"]
    assert "unmoor 0.1.0" in told["Model, parameters and software"]
    assert "24 fitted" in told["Model, parameters and software"]


def test_methods_of_a_culture_assay_speak_of_no_animals() -> None:
    """No host, no inoculum, no verdict."""
    text = " ".join(part for _, part in methods(View.of(culture_result())))
    assert "viability, apoptosis on day 3, 5" in text
    assert "strain" not in text
    assert "verdict (switch" not in text
    assert "animals in each arm" not in text


def test_report_of_a_culture_assay_shows_its_readouts_and_no_verdict(tmp_path: Path) -> None:
    """Every arm against control; nothing about tumours."""
    page = report(culture_result(), tmp_path / "report.html", full=True)
    html = page.read_text(encoding="utf-8")
    assert "What does the treatment change in cells?" in html
    assert "Readouts: every arm against control" in html
    assert "Verdict on every arm" not in html
    assert "This run holds no data" not in html
    assert (tmp_path / "figures" / "readouts.png").exists()
    assert len(pd.read_csv(tmp_path / "figures" / "readouts.csv")) == 3 * 9 * 2 * 2


def test_combinations_are_shown_against_their_parts(tmp_path: Path) -> None:
    """The factor beyond independence, with its interval."""
    html = report(combined_result(), tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Combinations against their parts" in html
    assert "anti-β1 × TGFBR1 inhibitor" in html
    assert "0.050–0.30" in html


@pytest.mark.parametrize(
    ("item", "words"),
    [
        (
            Irradiation("2 Gy", every="1 d", fractions=5, start="10 d"),
            "5 × 2 Gy radiation every 1 d from day 10",
        ),
        (Irradiation("8 Gy", start="3 d"), "8 Gy radiation once on day 3"),
        (
            Regimen("anti_itgb1", concentration="70 nM", stop="2 d"),
            "anti_itgb1 70 nM in the medium from day 0 until day 2",
        ),
    ],
)
def test_every_kind_of_treatment_is_described(item: Any, words: str) -> None:
    """Fractions, and concentrations in culture."""
    assert describe(item) == words


def _published_result() -> Any:
    """Return draws and courses for two of the arms of truong2014 in one line."""
    study = Study.load("truong2014", {"uncertainty.draws": "20"})
    rows = [
        {
            "structure": "cascading/tgfb", "cell_line": "4T1", "arm": arm, "draw": draw,
            "tumour_ratio": tumour, "spread_ratio": spread + 0.01 * draw, "e_loss": 0.5,
        }
        for arm, tumour, spread in (
            ("ITGB1 knock-down", 0.5, 4.0), ("knock-down + TGFBR1 knock-down", 0.52, 4.1),
        )
        for draw in range(1, 21)
    ]  # fmt: skip
    course = {"cell_line": "4T1", "day": 28.0, "q25": 2.0, "median": 3.0, "q75": 4.0}
    courses = [course | {"arm": "ITGB1 knock-down", "quantity": "itgb3"}]
    courses += [{**courses[0], "arm": "vehicle", "q25": 0.9, "median": 1.0, "q75": 1.1}]
    return SimpleNamespace(study=study, draws=pd.DataFrame(rows), timecourses=pd.DataFrame(courses))


def test_published_directions_are_compared_with_predicted_ones() -> None:
    """Agreement, disagreement and calibration are told apart; what was not run is left out."""
    found = {(each.id, each.readout): each for each in compare(_published_result())}
    assert {key[0] for key in found} == {"T02", "T05", "T06", "T08", "T12", "T13"}
    assert found["T06", "lung_metastases"].role == "calibration"
    assert found["T06", "lung_metastases"].agrees is True
    assert found["T12", "lung_metastases"].agrees is False  # published less, predicted the same
    assert found["T13", "tumour_volume"].predicted == "0"
    assert found["T08", "itgb3"].estimate == pytest.approx(3.0)
    assert found["T02", "e_cadherin"].predicted == "-"


def test_published_rows_are_shown_with_calibration_marked(tmp_path: Path) -> None:
    """The table counts both kinds apart."""
    known = _published_result()
    result = synthetic_result(draws=0, animals=2, study=known.study)
    result.draws = known.draws
    html = write_report(result, tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Published and predicted" in html
    assert re.search(r"\d+ of \d+ predictions agree; \d+ of \d+ calibration rows agree", html)
    assert html.count('class="used"') >= 3


def test_a_study_without_published_rows_has_no_such_table(tmp_path: Path) -> None:
    """A study of one's own has no expectation unless it brings one."""
    known = _published_result()
    other = known.study.replace(name="my study", beside=tmp_path)
    assert compare(SimpleNamespace(**vars(known) | {"study": other})) == []
    (tmp_path / "expected.tsv").write_text(
        "id\tcell_line\tarm\treference\treadout\tdirection\trole\tsource\tnote\n"
        "X1\t4T1\tITGB1 knock-down\tvehicle\tlung_metastases\t+\tprediction\tmine\t\n",
        encoding="utf-8",
    )
    (found,) = compare(SimpleNamespace(**vars(known) | {"study": other}))
    assert (found.id, found.agrees) == ("X1", True)
