"""Untreated virtual animals of the xenograft against the mice that their growth comes from."""

from __future__ import annotations

import numpy as np
import pytest

from growth_fixture import BREAST, group, needs_data
from unmoor.analysis.growth import log_volume
from unmoor.analysis.growth_table import read_growth
from unmoor.analysis.growth_virtual import VirtualAnimals, virtual_animals
from unmoor.catalog import table

DAYS = np.array([8.0, 12, 15, 18, 21, 24, 27, 30])
PUBLISHED = {14.0: (112, 288), 21.0: (356, 811), 28.0: (738, 1400)}  # 10 and 90 % [mm³]


@pytest.fixture(scope="module")
def virtual() -> VirtualAnimals:
    """A thousand animals in SCID on the days of the 44 mice; their line is the mice's parent."""
    return virtual_animals(read_growth(BREAST).data(), 1000)


@needs_data
def test_virtual_animals_fitted_one_by_one_are_like_the_mice(virtual: VirtualAnimals) -> None:
    """Median α and β within 15 % of .591 and .0726, and their CV between .15 and .35."""
    found = virtual.each.summary()
    assert found["median_alpha"] == pytest.approx(0.591, rel=0.15)
    assert found["median_beta"] == pytest.approx(0.0726, rel=0.15)
    assert 0.15 <= found["cv_alpha"] <= 0.35
    assert 0.15 <= found["cv_beta"] <= 0.35


@needs_data
def test_virtual_animals_fitted_together_give_the_catalog_back(virtual: VirtualAnimals) -> None:
    """Every number of the mixed fit within 4 standard errors of what the animals grew by.

    Readings that cannot be told are left out as in the data, which bends the constant error a.
    """
    rows, fit = table("closures", "growth"), virtual.fit
    truth = {
        "beta": rows["beta"].value,
        "k": rows["k"].value,
        "omega_beta": np.sqrt(np.log1p(rows["beta"].cv ** 2)),
        "b": rows["residual_b"].value,
        "a": rows["residual_a"].value,
    }
    for name, value in truth.items():
        assert abs(fit.estimates[name].value - value) < 4 * fit.estimates[name].error


@needs_data
@pytest.mark.parametrize("day", PUBLISHED)
def test_virtual_population_has_the_volumes_of_the_mice(
    virtual: VirtualAnimals, day: float
) -> None:
    """10 and 90 % of the volumes at three weeks' ends within 15 % of the fitted population."""
    found = np.quantile(virtual.at(day), (0.1, 0.9))
    np.testing.assert_allclose(found, PUBLISHED[day], rtol=0.15)


@needs_data
def test_no_virtual_tumour_is_larger_than_a_mouse_can_carry(virtual: VirtualAnimals) -> None:
    """At least 99.9 % are at most 4 cm³ on day 36."""
    assert (virtual.at(36.0) <= 4000.0).mean() >= 0.999


def test_untreated_animals_grow_by_the_closed_form() -> None:
    """The xenograft, clones and all, is a Gompertz curve within .1 % of each animal's own β.

    A clone that gains on the others, or an effect of cells on growth, would show.
    """
    virtual = virtual_animals(group(4, days=DAYS), 40)
    rows = table("closures", "growth")
    k = rows["k"].value
    late = np.log(virtual.volumes[:, -1:])
    beta = -np.log((k - late) / k) / virtual.days[-1]
    expected = log_volume(virtual.days[1:], beta, k, rows["volume_per_million"].value)
    np.testing.assert_allclose(np.log(virtual.volumes[:, 1:]), expected, atol=1e-3)
    spread = np.log(beta).std() / np.sqrt(np.log1p(rows["beta"].cv ** 2))
    assert 0.6 < spread < 1.4


def test_virtual_animals_measured_on_any_days_give_the_catalog_back() -> None:
    """Without real data: 150 animals on made-up days, β and k within 4 standard errors."""
    virtual = virtual_animals(group(5, days=DAYS), 150)
    rows = table("closures", "growth")
    for name in ("beta", "k"):
        estimate = virtual.fit.estimates[name]
        assert abs(estimate.value - rows[name].value) < 4 * estimate.error
    assert virtual.volumes.shape[0] == 150


def test_growth_does_not_depend_on_the_line_or_how_many_there_are() -> None:
    """Untreated tumours of two lines are the same animals; so are the first of a larger group."""
    pattern = group(4, days=DAYS)
    one = virtual_animals(pattern, 10)
    other = virtual_animals(pattern, 12, cell_line="4T1", host="nsg")
    np.testing.assert_allclose(other.volumes[:10], one.volumes, rtol=1e-6)
