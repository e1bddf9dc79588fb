"""What the report says must be true of the study in hand, of every kind of assay."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from report_fixture import ARMS, ASSAY, DURATION, culture_result, synthetic_result, synthetic_study
from small_study import fresh_run, small_study
from unmoor.assays.settings import ASSAYS
from unmoor.report import report
from unmoor.report.limits import limits
from unmoor.report.spider import _grid
from unmoor.report.structures import shares
from unmoor.report.swimmer import swimmer
from unmoor.report.text import headlines, structure_notes
from unmoor.report.view import View
from unmoor.therapy.regimen import Regimen

EVERY_KIND = {
    "orthotopic_xenograft": 'host = "balbc"\ninoculum = "1e6 cells"\nanimals = 2',
    "tail_vein": 'host = "balbc"\ninoculum = "1e5 cells"',
    "intracardiac": 'host = "balbc"\ninoculum = "1e5 cells"',
    "signalling_time_course": "",
    "viability": 'dimensions = "3d"',
    "colony_formation": "",
    "spheroid_invasion": "cells = 8",
    "monolayer": "cells = 8",
    "cell_sorting": "cells = 8",
}
TINY = """
schema     = 1
cell_lines = ["4T1"]
control    = "control"

[[assays]]
name     = "{name}"
duration = "{length}"
clones   = 2
{more}

[arms]
"control" = []
"knock-down" = [{{ gene = "ITGB1", change = "knock_down", factor = 0.1 }}]

[uncertainty]
draws  = 2
rivals = false
"""


def test_every_kind_of_assay_is_tried() -> None:
    """A new kind of assay must be added to these tests."""
    assert set(EVERY_KIND) == set(ASSAYS)


@pytest.mark.parametrize("name", sorted(EVERY_KIND))
def test_full_report_is_written_for_every_kind_of_assay(name: str, tmp_path: Path) -> None:
    """Studies without tumours have no analyses of a laboratory; that stops nothing."""
    length = "2 h" if "cells" in EVERY_KIND[name] else "4 d"
    text = TINY.format(name=name, more=EVERY_KIND[name], length=length)
    result = fresh_run(small_study(text))
    html = report(result, tmp_path / "report.html", full=True).read_text(encoding="utf-8")
    has_tumours = name == "orthotopic_xenograft"
    assert (tmp_path / "statistics.csv").exists()
    assert ("Verdict on every arm" in html) == has_tumours
    assert ("arms share animals" in html) == has_tumours
    assert has_tumours or "headlines" not in re.sub("<style.*</style>", "", html, flags=re.DOTALL)
    assert "This run holds no data" not in html


def test_one_structure_is_not_called_every_structure(tmp_path: Path) -> None:
    """Without rivals the report says that it cannot tell, and draws no table of one column."""
    result = synthetic_result(draws=0, animals=2)
    is_own = result.structures["structure"] == "cascading/tgfb"
    result.structures = result.structures[is_own]
    (note,) = structure_notes(View.of(result))
    assert note.startswith("Only cascading/tgfb was run")
    html = report(result, tmp_path / "report.html").read_text(encoding="utf-8")
    assert note in html
    assert "every structural option" not in html
    assert not (tmp_path / "figures" / "structures.svg").exists()


def test_two_tumour_assays_of_a_line_keep_their_own_shares() -> None:
    """P(switch) of one assay is not that of the other."""
    result = synthetic_result(draws=0, animals=1)
    first = result.study.assays[0]
    later = type(first)(**{**vars(first), "label": "late"})
    result.study = synthetic_study(assays=(first, later))
    zero = result.structures.assign(assay="late", p_switch=0.0)
    result.structures = pd.concat([result.structures, zero], ignore_index=True)
    view = View.of(result)
    own = {group.assay: shares(view, group) for group in view.groups if group.cell_line == "4T1"}
    assert (own["late"].to_numpy() == 0.0).all()
    assert own[ASSAY].to_numpy().max() > 0.5


def test_limits_are_those_of_the_study() -> None:
    """Cells in a dish have no lungs; chemotherapy in mice leaves metastases alone."""
    told = " ".join(limits(View.of(synthetic_result(draws=0, animals=1))))
    assert "humane end point" in told
    assert "SCID mice" in told
    assert "Chemotherapy" not in told
    culture = " ".join(limits(View.of(culture_result())))
    for word in ("lung", "SCID", "humane", "strain", "Chemotherapy"):
        assert word not in culture


def test_limits_name_what_chemotherapy_leaves_alone() -> None:
    """A drug that kills acts on the primary tumour of a xenograft only."""
    result = synthetic_result(draws=0, animals=1)
    drug = Regimen("paclitaxel", dose="10 mg/kg", every="4 d")
    result.study = synthetic_study(arms={**ARMS, "anti-β1": (drug,)})
    told = " ".join(limits(View.of(result)))
    assert "acts on the primary tumour only" in told
    assert "metastases already founded and cells in blood are not killed" in told


def test_culture_report_shows_the_arms_that_differ_most() -> None:
    """Arms whose courses are those of the control give their place to the others."""
    result = culture_result()
    courses = result.timecourses
    control = courses[courses["arm"] == "vehicle"]["median"].to_numpy()
    flat = list(ARMS)[1:6]
    for arm in flat:
        courses.loc[courses["arm"] == arm, "median"] = control
    view = View.of(result)
    assert view.key_arms[0] == "vehicle"
    assert len(view.key_arms) == 5
    assert set(view.key_arms[1:]) == set(ARMS) - {"vehicle", *flat}


def test_study_interval_beside_the_ratio_shows_the_ratio_of_draw_0(tmp_path: Path) -> None:
    """Only where it does not hold the median, and in the headline as in the table."""
    result = synthetic_result(draws=0)
    assert not any("draw 0" in each.sentence for each in headlines(View.of(result)))
    is_lead = (result.effects["arm"] == "ITGB1 knock-down") & (result.effects["cell_line"] == "4T1")
    result.effects.loc[is_lead, ["spread_study_low", "spread_study_high"]] = 20.0, 30.0
    result.effects.loc[is_lead, "p_switch"] = 1.0
    view = View.of(result)
    own = view.own_ratios["4T1", ASSAY, "ITGB1 knock-down"]
    assert own == pytest.approx((0.5, 5.4))  # what the made-up animals were made with
    html = report(result, tmp_path / "report.html").read_text(encoding="utf-8")
    assert html.count("draw 0: 5.4</span>") == 1
    assert view.lead == "ITGB1 knock-down"
    assert html.count("study interval 20–30 with draw 0 at 5.4") == 1


@pytest.mark.parametrize(
    ("arms", "grid"), [(1, (1, 1)), (5, (1, 5)), (6, (2, 3)), (7, (2, 4)), (11, (3, 4))]
)
def test_panels_fill_their_rows(arms: int, grid: tuple[int, int]) -> None:
    """Six arms are two rows of three, not five and one."""
    assert _grid(arms) == grid


def test_swimmer_legend_lists_what_is_drawn() -> None:
    """No mark of a humane end point where no animal reached it, no dose where none is given."""
    result = synthetic_result(draws=0, animals=3)
    result.events = result.events.assign(day=DURATION)
    humane = result.events["event"] == "humane_endpoint"
    result.events.loc[humane, "observed"] = False
    knock_down = ARMS["ITGB1 knock-down"]
    arms: dict[str, Any] = {arm: knock_down if items else () for arm, items in ARMS.items()}
    result.study = synthetic_study(arms=arms)
    figure, _ = swimmer(View.of(result))
    told = [text.get_text() for text in figure.legends[0].get_texts()]
    assert "acts all the time" in told
    assert "humane end point" not in told
    assert "dose" not in told


@pytest.mark.parametrize(
    ("name", "more", "told"),
    [
        ("viability", 'dimensions = "3d"', "in collagen_i (3-D), 4 d"),
        ("viability", 'dimensions = "2d"', "on collagen_i (2-D), 4 d"),
        ("viability", "", "in collagen_i (3-D), 4 d"),
        ("viability", 'matrix = "plastic"', "on plastic (2-D), 4 d"),
        ("orthotopic_xenograft", EVERY_KIND["orthotopic_xenograft"], "1e6 cells, 4 d"),
    ],
)
def test_design_names_gel_coat_and_cells(name: str, more: str, told: str) -> None:
    """2-D or 3-D is the variable of the claim, and cells are written as in a study file."""
    (assay,) = small_study(TINY.format(name=name, more=more, length="4 d")).assays
    assert assay.design.startswith(told)
