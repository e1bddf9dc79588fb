"""From an arm to the inputs of cells over time: windows, doses, species and the host."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from unmoor.assays.treatment import Arm, Treatment, treat
from unmoor.catalog.draws import Draw
from unmoor.organism.pharmacokinetics import blocked_fraction
from unmoor.signalling.networks.adhesion_emt import INPUTS
from unmoor.therapy.regimen import Edit, Regimen

GRID = np.linspace(0.0, 10.0, 21)  # d
NOMINAL = [Draw(1, 0)]
ANTIBODY = Regimen("anti_itgb1", dose="10 mg/kg", every="3 d", start="2 d")
INHIBITOR = Regimen("tgfbr1_inhibitor", dose="30 mg/kg", every="0.5 d", start="1 d", stop="5 d")


def treated(
    *items: Regimen | Edit, species: str = "mouse", draws: Sequence[Draw] = NOMINAL
) -> Treatment:
    """One arm with some treatments."""
    return treat([items], draws, GRID, INPUTS, species, None)


def knock_down(
    factor: float = 0.1,
    gene: str = "ITGB1",
    start: float | None = None,
    stop: float | None = None,
) -> Edit:
    """A knock-down, in a window or throughout."""
    return Edit(gene, change="knock_down", factor=factor, start=start, stop=stop)


def blocked(regimen: Regimen, draw: Draw = NOMINAL[0]) -> tuple[np.ndarray, np.ndarray]:
    """Blocked share at the grid's times and its means, straight from the kinetics."""
    model = "antibody" if regimen.drug != "tgfbr1_inhibitor" else "slow_offset"
    values = draw.values("drugs", regimen.drug)
    times = regimen.times(float(GRID[-1]))
    return blocked_fraction(model, values, times, regimen.dose, regimen.route, GRID)


def test_nothing_given_touches_nothing() -> None:
    """Every input keeps its untreated value, and the host its TGFβ."""
    treatment = treated()
    assert treatment.courses == {}
    assert treatment.cultured == {}
    for label, value in INPUTS.items():
        course = treatment.course(label, value)
        assert course.at.shape == (1, 21)
        assert course.mean.shape == (1, 20)
        assert (course.at == value).all()
        assert (course.mean == value).all()
    assert (treatment.systemic.at == 1.0).all()


def test_an_edit_without_a_start_holds_throughout_and_in_culture() -> None:
    """The cells were edited before inoculation."""
    treatment = treated(knock_down())
    assert list(treatment.courses) == ["itgb1"]
    assert treatment.courses["itgb1"].at == pytest.approx(np.full((1, 21), 0.1), rel=1e-14)
    assert treatment.courses["itgb1"].mean == pytest.approx(np.full((1, 20), 0.1), rel=1e-14)
    assert treatment.cultured["itgb1"].tolist() == [0.1]


def test_an_edit_from_a_day_leaves_culture_alone() -> None:
    """Also from day 0, when the cells are already in the animal."""
    for start in (0.0, 4.0):
        treatment = treated(knock_down(start=start))
        course = treatment.courses["itgb1"]
        assert course.at[0] == pytest.approx(np.where(start <= GRID, 0.1, 1.0))
        assert course.mean[0] == pytest.approx(np.where(GRID[:-1] >= start, 0.1, 1.0))
        assert treatment.cultured["itgb1"].tolist() == [1.0]


def test_an_edit_that_ends_leaves_no_trace() -> None:
    """In culture and until its end, not at its end: windows include their start alone."""
    treatment = treated(knock_down(stop=4.0))
    course = treatment.courses["itgb1"]
    assert course.at[0] == pytest.approx(np.where(GRID < 4.0, 0.1, 1.0))
    assert course.mean[0] == pytest.approx(np.where(GRID[:-1] < 4.0, 0.1, 1.0))
    assert treatment.cultured["itgb1"].tolist() == [0.1]


def test_a_window_inside_an_interval_counts_by_its_share() -> None:
    """From 3.2 d to 5.1 d: .6 of the interval from 3 d, the next three, .2 of that from 5 d."""
    course = treated(knock_down(start=3.2, stop=5.1)).courses["itgb1"]
    share = np.zeros(20)
    share[6:11] = 0.6, 1.0, 1.0, 1.0, 0.2
    assert course.mean[0] == pytest.approx(1.0 - 0.9 * share, abs=1e-12)
    assert course.at[0] == pytest.approx(np.where((GRID >= 3.2) & (GRID < 5.1), 0.1, 1.0))
    short = treated(knock_down(start=3.2, stop=3.3)).courses["itgb1"]
    assert short.mean[0, 6] == pytest.approx(1.0 - 0.9 * 0.2)
    assert (short.at == 1.0).all()


@pytest.mark.parametrize(("start", "stop"), [(10.0, None), (20.0, 30.0)])
def test_a_window_after_the_end_does_nothing_before(start: float, stop: float | None) -> None:
    """A start at the read-out day shows in the last reading only."""
    course = treated(knock_down(start=start, stop=stop)).courses["itgb1"]
    assert (course.mean == 1.0).all()
    assert (course.at[0, :-1] == 1.0).all()


def test_edits_and_drugs_on_one_input_act_independently() -> None:
    """What each leaves is multiplied, in any order."""
    at, mean = blocked(ANTIBODY)
    for items in ((knock_down(0.4), ANTIBODY), (ANTIBODY, knock_down(0.4))):
        course = treated(*items).courses["itgb1"]
        assert course.at[0] == pytest.approx(0.4 * (1.0 - at), rel=1e-14)
        assert course.mean[0] == pytest.approx(0.4 * (1.0 - mean), rel=1e-14)
    twice = treated(knock_down(0.4), knock_down(0.5, stop=4.0))
    assert twice.courses["itgb1"].at[0, [0, -1]] == pytest.approx([0.2, 0.4])
    assert twice.cultured["itgb1"] == pytest.approx([0.2])


def test_over_expression_multiplies_and_re_expression_adds_a_source() -> None:
    """The source has an input of its own, which is 0 in untreated cells."""
    treatment = treated(
        Edit("ITGB3", change="over_express", factor=5.0),
        Edit("MIR200", change="re_express", factor=0.5, start="3 d"),
        Edit("CDH1", change="re_express"),
    )
    assert sorted(treatment.courses) == ["cdh1_source", "itgb3", "mir200_source"]
    assert treatment.courses["itgb3"].mean == pytest.approx(np.full((1, 20), 5.0))
    assert treatment.courses["mir200_source"].mean[0] == pytest.approx(
        np.where(GRID[:-1] >= 3.0, 0.5, 0.0)
    )
    cultured = {label: float(value[0]) for label, value in treatment.cultured.items()}
    assert cultured == {"itgb3": 5.0, "mir200_source": 0.0, "cdh1_source": 1.0}


def test_a_dose_blocks_its_target_by_the_kinetics() -> None:
    """1 - occupancy at every time, and its mean over every interval; culture gets none."""
    treatment = treated(ANTIBODY)
    at, mean = blocked(ANTIBODY)
    course = treatment.courses["itgb1"]
    assert course.at[0].tolist() == (1.0 - at).tolist()
    assert course.mean[0].tolist() == (1.0 - mean).tolist()
    assert (course.at[0, GRID <= 2.0] == 1.0).all()
    assert course.at[0, -1] < 0.2
    assert treatment.cultured["itgb1"].tolist() == [1.0]


@pytest.mark.parametrize(
    ("drug", "species", "binds"),
    [
        ("aiib2", "human", True),
        ("aiib2", "mouse", False),
        ("ha2_5", "human", False),
        ("ha2_5", "mouse", True),
        ("anti_itgb1", "human", True),
        ("anti_itgb1", "mouse", True),
    ],
)
def test_a_drug_that_does_not_bind_the_species_does_nothing(
    drug: str, species: str, binds: bool
) -> None:
    """An antibody against human β1 leaves a mouse tumour alone, and the other way round."""
    treatment = treated(Regimen(drug, dose="10 mg/kg"), species=species)
    assert ("itgb1" in treatment.courses) is binds
    left = treatment.course("itgb1", 1.0)
    assert bool((left.at < 0.5).any()) is binds
    assert (treatment.systemic.at == 1.0).all()


def test_a_systemic_drug_reaches_the_host_too() -> None:
    """The TGFBR1 inhibitor leaves the same share of receptor activity in tumour and host."""
    treatment = treated(INHIBITOR)
    at, mean = blocked(INHIBITOR)
    assert treatment.courses["tgfbr1"].at[0].tolist() == (1.0 - at).tolist()
    assert treatment.systemic.at[0].tolist() == (1.0 - at).tolist()
    assert treatment.systemic.mean[0].tolist() == (1.0 - mean).tolist()
    assert treatment.systemic.at.min() < 0.4


def test_what_acts_in_tumour_cells_alone_leaves_the_host_alone() -> None:
    """A knock-down of the receptor is no systemic drug, nor is an antibody against β1."""
    treatment = treated(knock_down(gene="TGFBR1"), ANTIBODY)
    assert (treatment.courses["tgfbr1"].mean < 0.11).all()
    assert (treatment.systemic.at == 1.0).all()
    assert (treatment.systemic.mean == 1.0).all()


def test_subjects_are_draws_times_arms() -> None:
    """Every draw has all arms side by side; a drug's numbers are those of its draw."""
    arms: list[Arm] = [(), (knock_down(),), (ANTIBODY, INHIBITOR)]
    draws = [Draw(1, number) for number in range(3)]
    treatment = treat(arms, draws, GRID, INPUTS, "mouse", None)
    itgb1 = treatment.courses["itgb1"]
    assert itgb1.at.shape == (9, 21)
    assert (itgb1.at[0::3] == 1.0).all()
    assert itgb1.at[1::3] == pytest.approx(np.full((3, 21), 0.1), rel=1e-14)
    for d, draw in enumerate(draws):
        assert itgb1.at[3 * d + 2].tolist() == (1.0 - blocked(ANTIBODY, draw)[0]).tolist()
        left = 1.0 - blocked(INHIBITOR, draw)[0]
        assert treatment.systemic.at[3 * d + 2].tolist() == left.tolist()
    assert len({row.tobytes() for row in itgb1.at[2::3]}) == 3
    assert (treatment.systemic.at[[0, 1, 3, 4, 6, 7]] == 1.0).all()
    assert treatment.cultured["itgb1"].tolist() == [1.0, 0.1, 1.0] * 3


def test_asking_twice_gives_the_same_numbers() -> None:
    """Courses of one arm are not changed by what another arm does with them."""
    draws = [Draw(1, 1)]
    first = treated(ANTIBODY, draws=draws).courses["itgb1"].at.tobytes()
    treated(ANTIBODY, knock_down(0.5), draws=draws)
    assert treated(ANTIBODY, draws=draws).courses["itgb1"].at.tobytes() == first


def test_every_course_stays_within_its_bounds() -> None:
    """Blocked shares never leave 0 … 1, at any dose and in any draw."""
    arms: list[Arm] = [
        (Regimen("anti_itgb1", dose=dose, every=1.0), Regimen("tgfbr1_inhibitor", dose=dose))
        for dose in (1e-6, 0.3, 30.0, 1000.0)
    ]
    treatment = treat(arms, [Draw(1, n) for n in range(20)], GRID, INPUTS, "mouse", None)
    for course in (*treatment.courses.values(), treatment.systemic):
        assert course.at.min() >= 0.0
        assert course.mean.min() >= 0.0
        assert course.at.max() <= 1.0
        assert course.mean.max() <= 1.0
    low, high = treatment.courses["itgb1"].at[0::4], treatment.courses["itgb1"].at[3::4]
    assert (high <= low + 1e-12).all()
