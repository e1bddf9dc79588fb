"""Synergy by reference models: what each calls no interaction scores nothing."""

from __future__ import annotations

import numpy as np
import pytest

import unmoor as um
from unmoor.analysis.dose_curves import HillCurve
from unmoor.analysis.matrix import Matrix, matrix
from unmoor.analysis.musyc import musyc, musyc_ratios
from unmoor.analysis.synergy import Surface, additive, excess
from unmoor.trial.study import Study

DOSES = np.array([0.0, 0.5, 2.0, 8.0])
OTHER = np.array([0.0, 0.2, 1.0, 3.0])
FALLING = HillCurve(1.0, 0.3, 2.0, 1.5)
RISING = HillCurve(1.0, 4.0, 1.0, 2.0)


def sham(curve: HillCurve) -> Surface:
    """A drug with itself: the ratio of the sum of doses; sums are known as doses alone."""
    sums = DOSES[:, None] + OTHER[None, :]
    more = np.unique(sums)
    alone = (more, curve.at(more))
    return Surface(DOSES, OTHER, curve.at(sums), (alone, alone))


@pytest.mark.parametrize("curve", [FALLING, RISING], ids=["falls", "rises"])
def test_a_drug_with_itself_scores_nothing_under_loewe(curve: HillCurve) -> None:
    """Within 1e-6, through known doses and with the curve itself; Bliss would see something."""
    surface = sham(curve)
    assert np.abs(excess(surface, "loewe")).max() < 1e-6
    bare = Surface(DOSES, OTHER, surface.ratios)
    exact = (lambda d: np.log(curve.at(d)),) * 2
    assert np.abs(additive(bare, exact) - bare.ratios).max() < 1e-6
    assert np.abs(excess(surface, "bliss")).max() > 0.01


def test_an_independent_pair_scores_nothing_under_bliss_and_zip() -> None:
    """Ratios multiply; Loewe and the better drug alone would see an interaction."""
    surface = Surface(DOSES, OTHER, np.outer(FALLING.at(DOSES), RISING.at(OTHER)))
    assert np.abs(excess(surface, "bliss")).max() < 1e-12
    assert np.abs(excess(surface, "zip")).max() < 1e-3
    assert np.isnan(excess(surface, "loewe")).all()  # they pull in opposite directions
    assert np.abs(excess(surface, "hsa")).max() > 0.1


def test_the_better_drug_alone_scores_nothing_under_hsa() -> None:
    """And what goes beyond it scores what it goes beyond it by."""
    one, other = FALLING.at(DOSES), HillCurve(1.0, 0.6, 1.0, 1.0).at(OTHER)
    ratios = np.minimum(one[:, None], other[None, :])
    assert np.abs(excess(Surface(DOSES, OTHER, ratios), "hsa")).max() == 0.0
    better = ratios.copy()
    better[2, 2] -= 0.1
    assert excess(Surface(DOSES, OTHER, better), "hsa")[2, 2] == pytest.approx(0.1)


def test_a_pair_that_makes_each_other_potent_is_synergy_under_zip_and_musyc() -> None:
    """The factor of potency and the reach of both are found again."""
    curves = (FALLING, HillCurve(1.0, 0.5, 1.0, 1.0))
    first, second = np.array([0, 0.5, 1, 2, 4, 16.0]), np.array([0, 0.2, 0.5, 1, 3, 10.0])
    ratios = musyc_ratios(first, second, curves, (4.0, 1.0), 0.1)
    surface = Surface(first, second, ratios)
    fit = musyc(surface)
    assert fit is not None
    assert fit.alpha_first == pytest.approx(4.0, rel=0.1)
    assert fit.alpha_second == pytest.approx(1.0, rel=0.1)
    assert fit.beta == pytest.approx((0.3 - 0.1) / 0.7, rel=0.05)
    assert excess(surface, "zip")[3, 3] > 0.01


@pytest.mark.parametrize(("both", "is_synergy"), [(6.0, False), (0.5, True)])
def test_more_harm_together_than_alone_is_no_synergy(both: float, is_synergy: bool) -> None:
    """Two drugs that each raise spread: together lower is synergy, together higher its opposite."""
    curves = (HillCurve(1.0, 2.0, 1.0, 1.0), HillCurve(1.0, 3.0, 1.0, 1.0))
    doses = np.array([0, 0.3, 1, 3, 10, 40.0])
    fit = musyc(Surface(doses, doses, musyc_ratios(doses, doses, curves, (1.0, 1.0), both)))
    assert fit is not None
    assert fit.both == pytest.approx(both, rel=0.1)
    assert (fit.beta > 0.0) is is_synergy


def test_musyc_without_interaction_is_each_drug_alone_at_the_edges() -> None:
    """And with α = 1 and multiplied ends it is Bliss."""
    curves = (FALLING, RISING)
    ratios = musyc_ratios(DOSES, OTHER, curves, (1.0, 1.0), FALLING.end * RISING.end)
    assert ratios == pytest.approx(np.outer(FALLING.at(DOSES), RISING.at(OTHER)), rel=1e-12)


ARM = "block twice"


def doubled(duration: str = "10 d") -> Study:
    """β1 blocked by the same antibody twice, on the same days."""
    block = um.Regimen("anti_itgb1", dose=1.0, every="3 d")
    return Study(
        cell_lines=["4T1"],
        assay=um.OrthotopicXenograft(
            host={"default": "balbc"}, inoculum="1e6 cells", duration=duration, animals=2, clones=4
        ),
        arms={"vehicle": [], ARM: [block, block, um.Regimen("cisplatin", dose=2.0, every="7 d")]},
        control="vehicle",
        seed=7,
        uncertainty={"draws": 3, "rivals": False},
    )


@pytest.fixture(scope="module")
def self_combined() -> Matrix:
    """The sham of the model itself, with a third drug in the background."""
    doses = ["0 mg/kg", "0.5 mg/kg", "2 mg/kg"]
    return matrix(doubled(), {f"{ARM}.anti_itgb1.dose": doses, f"{ARM}.anti_itgb1[1].dose": doses})


def test_the_model_scores_a_drug_with_itself_as_nothing_under_loewe(
    self_combined: Matrix,
) -> None:
    """For the tumour and the spread, wherever an effect does not turn with dose."""
    for end_point in ("tumour", "spread"):
        found = self_combined.excess(end_point, "loewe")
        scored = np.isfinite(found)
        if end_point == "tumour":  # spread may rise and fall with dose in every draw
            assert scored.any()
        assert np.abs(found[scored]).max(initial=0.0) < 1e-6


def test_a_matrix_is_symmetric_where_its_axes_are_the_same_drug(self_combined: Matrix) -> None:
    """Ratios of (a, b) and (b, a), bit for bit up to rounding of sums."""
    for end_point in ("tumour", "spread"):
        ratios = self_combined.ratios(end_point)
        assert ratios.shape == (1, 1, 3, 3, 3)
        assert ratios == pytest.approx(np.swapaxes(ratios, 2, 3), rel=1e-9)


def test_dose_by_time_is_judged_against_the_drug_alone_and_the_rest_alone() -> None:
    """A start at the read-out is the rest of the arm; only references without doses apply."""
    found = matrix(
        doubled(),
        {f"{ARM}.cisplatin.dose": ["0 mg/kg", "1 mg/kg", "4 mg/kg"],
         f"{ARM}.cisplatin.start": ["0 d", "5 d", "10 d"]},
    )  # fmt: skip
    assert found.references() == ("bliss", "hsa")
    assert found.musyc("tumour", 0) is None
    bliss = found.excess("tumour", "bliss")
    assert np.abs(bliss[:, :, :, 2]).max() < 1e-12  # never given
    assert np.abs(bliss[:, :, 0]).max() < 1e-12  # a dose of 0
    assert found.ratios("tumour")[0, 0, 2, 0, 0] < found.ratios("tumour")[0, 0, 2, 2, 0]
