"""Drugs in a medium, dose responses, and checks of what is given where."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from unmoor import catalog
from unmoor.assays.exposure import act, exposures
from unmoor.assays.treatment import Treatment, treat
from unmoor.catalog.draws import Draw
from unmoor.elementwise import FloatArray
from unmoor.errors import StudyError
from unmoor.signalling.networks.adhesion_emt import INPUTS
from unmoor.therapy.drug import Drug
from unmoor.therapy.regimen import Edit, Regimen
from unmoor.therapy.response import RESPONSES, blocked, occupied
from unmoor.trial.study import Study

GRID = np.linspace(0.0, 10.0, 21)  # d
NOMINAL = Draw(1, 0)
KILLERS = ("paclitaxel", "doxorubicin", "cisplatin")


def treated(*items: Regimen | Edit, draw: Draw = NOMINAL, interaction: str = "bliss") -> Treatment:
    """One arm with some treatments of mouse cells."""
    return treat([items], [draw], GRID, INPUTS, "mouse", None, interaction)


def input_of(label: str, *items: Regimen | Edit) -> FloatArray:
    """Means of an input."""
    return treated(*items).course(label, INPUTS[label]).mean[0]


def values(drug: str) -> dict[str, float]:
    """Nominal numbers of a drug."""
    return NOMINAL.values("drugs", drug)


@pytest.mark.parametrize("drug", ["anti_itgb1", "fak_inhibitor", "p38_inhibitor"])
def test_a_constant_level_occupies_by_mass_action(drug: str) -> None:
    """From start to stop, and not outside; a medium is not used up."""
    known, label = values(drug), Drug.load(drug).target
    half = known["K_D"] if drug == "anti_itgb1" else known["ic50"]
    left = input_of(label, Regimen(drug, concentration=3.0 * half, start="2 d", stop="6 d"))
    expected = 1.0 - known["max_effect"] * 0.75
    is_inside = (GRID[:-1] >= 2.0) & (GRID[:-1] < 6.0)
    assert left[is_inside] == pytest.approx(expected, rel=1e-12)
    assert (left[~is_inside] == 1.0).all()


def test_a_window_inside_an_interval_counts_by_its_share() -> None:
    """A six-hour pulse of TGFβ adds half of its level to the mean of half a day."""
    pulse = Regimen("tgfb1", concentration="2 ng/mL", start="3 d", stop="3.25 d")
    outside = input_of("tgfb_outside", pulse)
    assert outside[6] == pytest.approx(2.0 * values("tgfb1")["potency"] * 0.5)
    assert outside.sum() == pytest.approx(outside[6])


def test_slow_inhibition_builds_up_and_outlasts_the_medium() -> None:
    """dI/dt = k_on·C/IC50·(1 − I) − k_off·I from its closed form."""
    known = values("galunisertib")
    level = 0.02 * known["ic50"]
    at = treated(Regimen("galunisertib", concentration=level, stop="5 d")).course("tgfbr1", 1.0).at
    onset, offset = 0.02 * known["k_on"], known["k_off"]
    reached = onset / (onset + offset)
    risen = reached * (1.0 - np.exp(-(onset + offset) * GRID))
    fading = reached * (1.0 - np.exp(-(onset + offset) * 5.0)) * np.exp(-offset * (GRID - 5.0))
    expected = np.where(GRID <= 5.0, risen, fading)
    assert 1.0 - at[0] == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_tgfb1_by_mass_and_by_amount_is_the_same() -> None:
    """25 kDa: 2 ng/mL are .08 nM."""
    by_mass = input_of("tgfb_outside", Regimen("tgfb1", concentration="2 ng/mL"))
    by_amount = input_of("tgfb_outside", Regimen("tgfb1", concentration="0.08 nM"))
    assert by_mass == pytest.approx(by_amount, rel=1e-12)


@pytest.mark.parametrize("drug", KILLERS)
def test_killing_in_a_medium_saturates_and_in_an_animal_follows_plasma(drug: str) -> None:
    """kill_max·C/(ec50 + C); k2 × exposure, so twice the dose kills twice as much."""
    known = values(drug)
    medium = treated(Regimen(drug, concentration=4.0 * known["ec50"])).chemotherapy
    assert medium.mean[0] == pytest.approx(0.8 * known["kill_max"])
    totals = []
    for dose in (2.0, 4.0):
        course = treated(Regimen(drug, dose=dose, start=0.0)).chemotherapy
        totals.append(float(course.mean.sum()) * 0.5)
    assert totals[1] == pytest.approx(2.0 * totals[0], rel=1e-12)
    whole = known["k2"] * 2.0 * 1e6 / known["CL"]
    assert 0.98 * whole < totals[0] <= whole * (1.0 + 1e-12)
    assert not treated(Regimen(drug, dose=2.0)).courses


def test_a_drug_given_into_the_peritoneum_reaches_plasma_by_its_share() -> None:
    """A tenth of paclitaxel; i.v. is its usual route."""
    exposure = {}
    for route in (None, "iv", "ip"):
        course = treated(Regimen("paclitaxel", dose=20.0, route=route)).chemotherapy
        exposure[route] = float(course.mean.sum())
    assert exposure[None] == exposure["iv"]
    assert exposure["ip"] == pytest.approx(0.1 * exposure["iv"], rel=1e-3)


def test_a_pan_tgfb_antibody_takes_ligand_of_any_source() -> None:
    """It lowers what receptors see – own, added, set free – and reaches the host."""
    treatment = treated(Regimen("anti_tgfb", dose=5.0, every=2.0))
    assert list(treatment.courses) == ["tgfbr1"]
    assert treatment.courses["tgfbr1"].mean[0, -1] < 0.2
    assert treatment.systemic.mean[0].tolist() == treatment.courses["tgfbr1"].mean[0].tolist()


def test_vactosertib_is_stronger_than_galunisertib() -> None:
    """At the same level in a medium, by the ratio of their IC50 at first."""
    left = {
        drug: treated(Regimen(drug, concentration="1 pM")).course("tgfbr1", 1.0).at[0, 1]
        for drug in ("vactosertib", "galunisertib")
    }
    ratio = (1.0 - left["vactosertib"]) / (1.0 - left["galunisertib"])
    assert ratio == pytest.approx(172.0 / 13.0, rel=1e-3)


def test_a_biphasic_drug_stimulates_at_low_and_blocks_at_high_levels() -> None:
    """Nanomolar RGD mimetics raise β3 function, micromolar ones take most of it."""
    levels = ("0.02 nM", "2 nM", "20 nM", "0.5 uM", "20 uM")
    left = [input_of("itgb3", Regimen("rgd_mimetic", concentration=c))[0] for c in levels]
    assert 1.0 < left[0] < left[1] < left[2]
    assert left[2] > 1.2
    assert left[3] < 0.7
    assert left[4] < 0.2


@pytest.mark.parametrize("response", RESPONSES)
def test_any_drug_may_use_a_named_response(response: str) -> None:
    """No occupancy, no effect; at full occupancy a biphasic drug keeps its stimulation's share."""
    numbers = {"max_effect": 0.9, "stimulation": 0.5, "agonist_ratio": 0.05}
    ends = blocked(np.array([0.0, 1.0]), numbers, response)
    full = 0.9 if response == "hill" else 1.0 - 1.5 * 0.1
    assert ends == pytest.approx([0.0, full])
    none = blocked(np.linspace(0, 1, 5), {**numbers, "stimulation": 0.0}, response)
    assert none == pytest.approx(0.9 * np.linspace(0, 1, 5))


def test_occupancy_is_hills_law_up_to_infinity() -> None:
    """Half at the half concentration, whatever the steepness."""
    level = np.array([0.0, 2.0, 4.0, np.inf])
    assert occupied(level, 2.0) == pytest.approx([0.0, 0.5, 2 / 3, 1.0])
    assert occupied(level, 2.0, 2.0) == pytest.approx([0.0, 0.5, 0.8, 1.0])


def test_regimens_of_one_drug_by_one_route_are_one_exposure() -> None:
    """By another route, or of another drug, they are several."""
    items = [
        Regimen("paclitaxel", dose=10.0),
        Regimen("paclitaxel", dose=5.0, start=2.0, route="iv"),
        Regimen("paclitaxel", dose=5.0, route="ip"),
        Regimen("cisplatin", dose=5.0),
    ]
    groups = exposures(items, None)
    assert [(g.name, g.route, len(g.regimens)) for g in groups] == [
        ("paclitaxel", "iv", 2), ("paclitaxel", "ip", 1), ("cisplatin", "iv", 1),
    ]  # fmt: skip
    joint = act(groups[0], [NOMINAL], GRID).course[1][0]
    apart = [treated(item).chemotherapy.mean[0] for item in items[:2]]
    assert joint == pytest.approx(apart[0] + apart[1], rel=1e-9)


def test_drugs_that_kill_add_or_give_way_by_the_named_model() -> None:
    """Independent killing multiplies survival."""
    items = tuple(Regimen(drug, dose=2.0, start=1.0) for drug in ("doxorubicin", "cisplatin"))
    rates = [treated(item).chemotherapy.mean for item in items]
    for model in ("bliss", "loewe"):
        joint = treated(*items, interaction=model).chemotherapy.mean
        assert joint == pytest.approx(rates[0] + rates[1])
    assert treated(*items, interaction="hsa").chemotherapy.mean == pytest.approx(np.maximum(*rates))


def test_each_draw_combines_its_own_numbers() -> None:
    """Under Loewe several draws at once give what each gives alone."""
    draws = Draw.sets(3, range(4))
    arm = (
        Regimen("vactosertib", concentration="0.1 nM"),
        Regimen("anti_tgfb", concentration="1 nM"),
    )
    together = treat([arm], draws, GRID, INPUTS, "mouse", None, "loewe")
    for d, draw in enumerate(draws):
        alone = treated(*arm, draw=draw, interaction="loewe")
        expected = alone.courses["tgfbr1"].mean[0]
        assert together.courses["tgfbr1"].mean[d] == pytest.approx(expected, rel=1e-12)


def test_every_drug_of_the_catalog_can_be_given() -> None:
    """In an animal by each of its routes, and in a medium; finite, and something happens."""
    for name in catalog.names("drugs"):
        drug = Drug.load(name)
        items = [Regimen(name, dose=1.0, route=route) for route in drug.routes]
        for item in [*items, Regimen(name, concentration="10 nM")]:
            treatment = treat([(item,)], [Draw(1, 3)], GRID, INPUTS, drug.species[-1], None)
            changed = [c.mean for c in (*treatment.courses.values(), treatment.chemotherapy)]
            assert all(np.isfinite(mean).all() for mean in changed)
            assert any((mean != mean[0, -1]).any() or mean[0, 0] not in (0.0, 1.0)
                       for mean in changed), name  # fmt: skip


CULTURE = {"name": "viability", "duration": "5 d"}
ANIMALS = {
    "name": "orthotopic_xenograft", "inoculum": "1e6 cells", "duration": "28 d", "animals": 5,
}  # fmt: skip
BY_LEVEL, BY_DOSE = {"concentration": "70 nM"}, {"dose": "10 mg/kg"}


def study(item: dict[str, Any], *assays: dict[str, Any], **model: str) -> Study:
    """A study of one drug, or of another after it."""
    items = item.get("items", [{"drug": "anti_itgb1", **item}])
    arms = {"vehicle": [], "drug": items}
    return Study(["4T1"], arms, "vehicle", assays=assays, model=model)


@pytest.mark.parametrize(
    ("item", "assays", "fix"),
    [
        (BY_DOSE, (CULTURE,), 'write concentration = "70 nM"'),
        (BY_LEVEL, (ANIMALS,), 'write dose = "10 mg/kg"'),
        (BY_DOSE, (ANIMALS, CULTURE), "two studies"),
        (BY_LEVEL, (ANIMALS, CULTURE), "two studies"),
        ({"drug": "tgfb1", "dose": "1 mg/kg"}, (ANIMALS,), "in culture"),
        ({"drug": "tgfb1", "concentration": "2 ng/mL"}, (ANIMALS,), "in culture"),
    ],
)
def test_doses_need_a_body_and_concentrations_a_medium(
    item: dict[str, Any], assays: tuple[dict[str, Any], ...], fix: str
) -> None:
    """And the message says what to write instead."""
    with pytest.raises(StudyError) as caught:
        study(item, *assays)
    problem = next(p for p in caught.value.problems if p.code == "E-MEDIUM")
    assert fix in problem.fix


@pytest.mark.parametrize(("item", "assay"), [(BY_LEVEL, CULTURE), (BY_DOSE, ANIMALS)])
def test_what_fits_is_accepted_without_a_warning(
    item: dict[str, Any], assay: dict[str, Any]
) -> None:
    """And reads back from its own file."""
    made = study(item, assay)
    assert made.warnings == ()
    assert Study.loads(made.to_toml()) == made


def test_no_drug_in_the_medium_is_told() -> None:
    """As for a dose of nothing."""
    assert {w.code for w in study({"concentration": "0 nM"}, CULTURE).warnings} == {"W-DOSE"}


KILLERS_TOGETHER: dict[str, Any] = {
    "items": [{"drug": "paclitaxel", **BY_LEVEL}, {"drug": "cisplatin", **BY_LEVEL}]
}


def test_two_drugs_that_kill_have_no_loewe_rule_in_a_medium() -> None:
    """Killing saturates there, so death rates do not add as doses do; arm and mend are named."""
    with pytest.raises(StudyError) as caught:
        study(KILLERS_TOGETHER, CULTURE, interaction="loewe")
    (problem,) = caught.value.problems
    assert (problem.code, problem.field) == ("E-MODEL", "model.interaction")
    assert 'arm "drug" paclitaxel, cisplatin kill' in problem.expected
    assert 'write "bliss"' in problem.fix


def test_where_loewe_holds_for_killing_it_is_accepted() -> None:
    """In an animal, for one drug, and under another rule."""
    items = [{"drug": "paclitaxel", **BY_DOSE}, {"drug": "cisplatin", "dose": "5 mg/kg"}]
    assert study({"items": items}, ANIMALS, interaction="loewe").model.interaction == "loewe"
    twice: dict[str, Any] = {
        "items": [
            {"drug": "paclitaxel", **BY_LEVEL, "stop": "1 d"},
            {"drug": "paclitaxel", **BY_LEVEL, "start": "2 d"},
        ]
    }
    assert study(twice, CULTURE, interaction="loewe").model.interaction == "loewe"
    for rule in ("bliss", "hsa"):
        assert study(KILLERS_TOGETHER, CULTURE, interaction=rule).model.interaction == rule


def test_a_biphasic_drug_has_no_loewe_partner() -> None:
    """It reaches one effect at several doses; alone, or under Bliss, it may be used."""
    both = {"items": [
        {"drug": "rgd_mimetic", **BY_LEVEL}, {"drug": "anti_itgb3", **BY_LEVEL},
    ]}  # fmt: skip
    with pytest.raises(StudyError, match="several doses for one effect"):
        study(both, CULTURE, interaction="loewe")
    assert study(both, CULTURE, interaction="bliss").model.interaction == "bliss"
    alone = {"items": [{"drug": "rgd_mimetic", **BY_LEVEL}]}
    assert study(alone, CULTURE, interaction="loewe").model.interaction == "loewe"
