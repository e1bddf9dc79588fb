"""O14: the mixed-effects fit of 44 real mice, at its printed digits, and what the catalog took."""

from __future__ import annotations

import pytest

from growth_fixture import BREAST, LUNG, needs_data
from unmoor.analysis.growth import GrowthFit, fit_growth
from unmoor.analysis.growth_animals import fit_each
from unmoor.analysis.growth_check import check_predictions
from unmoor.analysis.growth_data import GrowthData
from unmoor.analysis.growth_files import fitted_rows, told
from unmoor.analysis.growth_study import Choices, GrowthStudy
from unmoor.analysis.growth_table import read_growth
from unmoor.catalog import table

pytestmark = needs_data
CHOICES = Choices(title="SCID mice with LM2-4LUC+ tumours", source="Zenodo3574531")


@pytest.fixture(scope="module")
def data() -> GrowthData:
    """The 44 mice."""
    return read_growth(BREAST).data()


@pytest.fixture(scope="module")
def fit(data: GrowthData) -> GrowthFit:
    """The fit of O14."""
    return fit_growth(data)


def test_mixed_fit_of_the_mice_is_that_of_the_design(data: GrowthData, fit: GrowthFit) -> None:
    """O14: β .0775 ± .0020 (ω .128), k 7.855 ± .044, a 15.7, b .169; two zeros dropped."""
    assert (len(data.animals), data.day.size, data.left_out) == (44, 401, 2)
    assert told(fit.estimates["beta"]) == ("0.0775", "0.0020")
    assert told(fit.estimates["k"]) == ("7.855", "0.044")
    assert f"{fit.values['omega_beta']:.3f}" == "0.128"
    assert f"{fit.values['a']:.1f}" == "15.7"
    assert f"{fit.values['b']:.3f}" == "0.169"


def test_single_fits_of_the_mice_are_those_of_the_design(data: GrowthData) -> None:
    """O14: medians α .591 and β .0726, correlation .975, CV .23 and .32."""
    summary = fit_each(data).summary()
    assert f"{summary['median_alpha']:.3f}" == "0.591"
    assert f"{summary['median_beta']:.4f}" == "0.0726"
    assert summary["correlation"] == pytest.approx(0.975, abs=0.001)
    assert f"{summary['cv_alpha']:.2f}" == "0.23"
    assert f"{summary['cv_beta']:.2f}" == "0.32"


def test_the_catalog_holds_the_fit(fit: GrowthFit) -> None:
    """What the animals of a study grow by are the rows that the command writes, word for word."""
    study = GrowthStudy(read_growth(BREAST), CHOICES, fit, None, 0.0, {}, None)  # type: ignore[arg-type]
    catalogued = table("closures", "growth")
    for row in fitted_rows(study):
        assert catalogued[row.id] == row


def test_the_fit_predicts_the_mice(fit: GrowthFit) -> None:
    """Percentiles lie within their bands, and four of five readings between 10 and 90 %."""
    check = check_predictions(fit)
    assert check.inside >= 0.8
    assert check.coverage == pytest.approx(0.8, abs=0.05)


def test_mice_differ_in_more_than_beta(data: GrowthData, fit: GrowthFit) -> None:
    """What the study's law leaves out: with k correlated to β, AIC falls by 88."""
    richer = fit_growth(data, "beta_with_k")
    assert fit.aic - richer.aic == pytest.approx(88.3, abs=0.5)
    assert richer.values["rho"] == pytest.approx(-0.86, abs=0.01)


def test_another_tumour_is_fitted_by_the_same_command() -> None:
    """LLC in the lung data of the same study: 20 mice, none of the numbers known beforehand."""
    fit = fit_growth(read_growth(LUNG).data())
    assert told(fit.estimates["beta"]) == ("0.0774", "0.0030")
    assert told(fit.estimates["k"]) == ("9.41", "0.13")
