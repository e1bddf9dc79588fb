"""The mixed-effects fit of growth: its likelihood, its gradient, and that it finds the truth."""

from __future__ import annotations

import math

import numpy as np
import pytest

from growth_fixture import DAYS, TRUTH, group, readings, true_beta
from unmoor.analysis.growth import (
    MODELS,
    Estimate,
    _information,
    _objective,
    _to_free,
    fit_growth,
    log_likelihood,
    log_volume,
)
from unmoor.analysis.growth_animals import fit_each
from unmoor.analysis.growth_check import (
    check_predictions,
    population,
    residuals,
    serial_correlation,
)
from unmoor.analysis.growth_data import GrowthData
from unmoor.analysis.growth_files import rounded, told
from unmoor.errors import SimulationError

BOTH = TRUTH | {"omega_k": 0.05}


def twin(data: GrowthData, values: dict[str, float], steps: int = 400) -> float:
    """Log likelihood, reading by reading, animal by animal, on a plain grid of normal numbers."""
    total = 0.0
    width = 16.0 / steps
    ks = np.linspace(-8, 8, steps + 1) if "omega_k" in values else np.zeros(1)
    rho = values.get("rho", 0.0)
    for animal in range(len(data.animals)):
        own = data.index == animal
        likelihood = 0.0
        for z in np.linspace(-8, 8, steps + 1):
            beta = values["beta"] * math.exp(values["omega_beta"] * z)
            k = values["k"] * np.exp(
                values.get("omega_k", 0.0) * (rho * z + math.sqrt(1 - rho**2) * ks)
            )
            product = np.exp(-0.5 * z * z) / math.sqrt(2 * math.pi) * width * np.ones(ks.size)
            if "omega_k" in values:
                product *= np.exp(-0.5 * ks**2) / math.sqrt(2 * math.pi) * width
            for day, volume, censored in zip(
                data.day[own], data.volume[own], data.is_censored[own], strict=True
            ):
                mean = np.exp(k - (k - math.log(data.start)) * math.exp(-beta * day))
                sd = values["a"] + values["b"] * mean
                away = (volume - mean) / sd
                if censored:
                    product *= 0.5 * np.array([math.erfc(-x / math.sqrt(2)) for x in away])
                else:
                    product *= np.exp(-0.5 * away**2) / (sd * math.sqrt(2 * math.pi))
            likelihood += product.sum()
        total += math.log(likelihood)
    return total


@pytest.mark.parametrize("limit", [0.0, 80.0])
@pytest.mark.parametrize("start", [1.0, 5.0])
def test_likelihood_is_that_of_a_plain_integral(limit: float, start: float) -> None:
    """Adaptive quadrature against a grid, with censored readings and another start."""
    data = group(5, detection_limit=limit, start=start)
    assert bool(data.is_censored.any()) == (limit > 0)
    assert log_likelihood(data, TRUTH) == pytest.approx(twin(data, TRUTH), abs=1e-6)


@pytest.mark.parametrize("rho", [None, -0.7])
def test_likelihood_with_two_effects_is_that_of_a_plain_integral(rho: float | None) -> None:
    """β and k differ, with and without a correlation."""
    values = BOTH if rho is None else BOTH | {"rho": rho}
    data = group(4)
    assert log_likelihood(data, values) == pytest.approx(twin(data, values), abs=1e-3)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("limit", [0.0, 40.0])
def test_gradient_is_that_of_the_likelihood(model: str, limit: float) -> None:
    """By central differences, away from the maximum, for every number."""
    names = MODELS[model]
    values = BOTH | {"rho": -0.4}
    data = group(20, detection_limit=limit)
    free = np.array([_to_free(name, values[name]) for name in names]) + 0.03
    slope = _objective(data, names, free)[1]
    for i in range(len(names)):
        step = np.zeros(len(names))
        step[i] = 1e-4
        ahead, behind = (_objective(data, names, free + sign * step)[0] for sign in (1, -1))
        assert slope[i] == pytest.approx((ahead - behind) / 2e-4, rel=1e-3, abs=0.02)


def test_fit_finds_the_truth_in_made_up_animals() -> None:
    """Each number within 4 of its standard errors, and the errors are those of the design.

    A fit without quadrature (β of the typical animal in the residual) would put ω at 0 and b at .4.
    """
    fit = fit_growth(group(200))
    for name, estimate in fit.estimates.items():
        assert abs(estimate.value - TRUTH[name]) < 4 * estimate.error
        assert estimate.error < 0.15 * TRUTH[name]
    assert fit.estimates["omega_beta"].error == pytest.approx(TRUTH["omega_beta"] / 20, rel=0.25)


def test_standard_errors_are_those_of_repeated_studies() -> None:
    """The spread of β and k over 24 studies is the told error within 45 %.

    Its own sampling error is 15 %: an error that is half or twice the true one is caught.
    """
    fits = [fit_growth(group(16, seed)) for seed in range(24)]
    for name in ("beta", "k"):
        spread = np.std([fit.estimates[name].value for fit in fits], ddof=1)
        told_error = np.mean([fit.estimates[name].error for fit in fits])
        assert spread == pytest.approx(told_error, rel=0.45)


def test_maximum_is_a_maximum() -> None:
    """The gradient is nought against its curvature, and no other start is better."""
    data = group(25)
    fit = fit_growth(data)
    names = MODELS["beta"]
    free = np.array([_to_free(name, fit.values[name]) for name in names])
    slope, information = _objective(data, names, free)[1], _information(data, names, free)
    assert np.linalg.eigvalsh(information).min() > 0
    assert slope @ np.linalg.solve(information, slope) < 1e-6
    for name in names:
        for factor in (0.9, 1.1):
            other = fit.values | {name: fit.values[name] * factor}
            assert log_likelihood(data, other) < fit.log_likelihood


def test_richer_models_contain_the_plain_one() -> None:
    """More freedom fits better; AIC still keeps to β if nothing else differs."""
    data = group(30)
    fits = {model: fit_growth(data, model) for model in MODELS}
    heights = [fit.log_likelihood for fit in fits.values()]
    assert heights[0] <= heights[1] + 0.05 <= heights[2] + 0.1
    assert min(fits, key=lambda model: fits[model].aic) == "beta"


def test_animals_own_values_shrink_towards_the_others() -> None:
    """Most likely β varies less than that of each animal's own fit, and is nearer to the truth."""
    data, truth = group(60), np.log(true_beta(60))
    fit, each = fit_growth(data), fit_each(data)
    assert np.corrcoef(np.log(fit.beta), truth)[0, 1] > 0.9
    assert np.std(np.log(fit.beta)) < np.std(np.log(each.beta))
    assert np.abs(np.log(fit.beta) - truth).mean() < np.abs(np.log(each.beta) - truth).mean() / 2
    assert np.all(fit.k == fit.values["k"])
    assert np.all((fit.beta_error > 0) & (fit.beta_error < fit.values["omega_beta"]))


def test_single_fits_find_exact_curves() -> None:
    """Without reading error α and β of each animal come out to seven digits."""
    days, betas = np.array([5.0, 9, 14, 20]), np.array([0.02, 0.0726, 0.3])
    names = [f"{i}" for i in range(3) for _ in days]
    volume = np.exp(log_volume(days, betas[:, None], 7.9, 2.0)).ravel()
    each = fit_each(GrowthData.of(names, np.tile(days, 3), volume, start=2.0))
    np.testing.assert_allclose(each.beta, betas, rtol=1e-7)
    np.testing.assert_allclose(each.alpha, 7.9 * betas, rtol=1e-7)
    assert not each.is_bounded.any()
    assert np.abs(each.residual).max() < 1e-7


def test_exponential_growth_is_the_end_of_the_range() -> None:
    """No bend in the readings: α is the rate, and β is told to lie on its bound."""
    days = np.array([5.0, 9, 14, 20])
    each = fit_each(GrowthData.of(["x"] * 4, days, np.exp(0.3 * days)))
    assert each.is_bounded.all()
    assert each.alpha[0] == pytest.approx(0.3, rel=2e-3)


def test_readings_below_detection_are_left_out_or_censored() -> None:
    """A zero says nothing without a limit; with one, all below it are known to be below."""
    names, days = ["a", "a", "b", "b", "c"], np.array([3.0, 1, 2, 3, 1])
    volume = np.array([9.0, 0.0, 4.0, 20.0, 0.0])
    plain = GrowthData.of(names, days, volume)
    assert plain.animals == ("a", "b")
    assert plain.left_out == 2
    assert plain.volume.tolist() == [9.0, 4.0, 20.0]
    censored = GrowthData.of(names, days, volume, detection_limit=5.0)
    assert censored.animals == ("a", "b", "c")
    assert censored.volume.tolist() == [5.0, 9.0, 5.0, 20.0, 5.0]
    assert censored.is_censored.tolist() == [True, False, True, False, True]
    assert censored.firsts.tolist() == [0, 2, 4]


def test_censoring_keeps_the_fit_honest() -> None:
    """β stays when half of the readings are censored; when they are left out it drifts off."""
    early = np.array([4.0, 6, 8, 10, 13, 17, 22])
    whole = fit_growth(group(80, days=early))
    names, days, volume = readings(80, days=early)
    censored = fit_growth(GrowthData.of(names, days, volume, detection_limit=120.0))
    dropped = fit_growth(GrowthData.of(names, days, np.where(volume < 120.0, 0.0, volume)))
    assert 0.4 < censored.data.is_censored.mean() < 0.6
    error = whole.estimates["beta"].error
    assert abs(censored.values["beta"] - whole.values["beta"]) < 1.5 * error
    assert abs(dropped.values["beta"] - whole.values["beta"]) > 2 * error


def test_predictive_check_passes_what_is_true_and_not_what_is_not() -> None:
    """Percentiles lie in their bands for the fitted model; not with half the spread."""
    fit = fit_growth(group(60))
    check = check_predictions(fit, repeats=200)
    assert check.inside >= 0.8
    assert check.coverage == pytest.approx(0.8, abs=0.06)
    narrow = {
        name: Estimate(each.value * (0.3 if name in ("b", "omega_beta") else 1.0), each.error)
        for name, each in fit.estimates.items()
    }
    wrong = type(fit)(
        fit.model, fit.data, narrow, fit.log_likelihood, fit.beta, fit.k, fit.beta_error
    )
    assert check_predictions(wrong, repeats=200).inside < 0.5


def test_residuals_are_standard_normal_and_independent() -> None:
    """For data of the model."""
    fit = fit_growth(group(100))
    away = residuals(fit)[1]
    assert abs(away.mean()) < 0.15
    assert away.std() == pytest.approx(1.0, abs=0.1)
    assert abs(serial_correlation(fit)) < 0.25


def test_population_quantiles_are_those_of_beta() -> None:
    """A slower β is a smaller tumour; the median animal is the typical one."""
    fit = fit_growth(group(30))
    found = population(fit, DAYS, np.array([0.1, 0.5, 0.9]))
    values = fit.values
    assert np.all(np.diff(found, axis=1) > 0)
    np.testing.assert_allclose(
        found[:, 1], np.exp(log_volume(DAYS, values["beta"], values["k"], 1.0))
    )


def test_data_that_do_not_tell_are_refused() -> None:
    """One day for all animals cannot tell k from β; the error says what to do."""
    for seed in (1, 2, 3):
        data = group(20, seed, np.array([20.0, 20.001]))
        with pytest.raises(SimulationError, match=r"do not determine .* bring more readings"):
            fit_growth(data)


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (0.0774660, 0.00195581, ("0.0775", "0.0020")),
        (7.8554357, 0.0439673, ("7.855", "0.044")),
        (15.65109, 3.72627, ("15.7", "3.7")),
        (0.1689, 0.01110, ("0.169", "0.011")),
        (1234.5, 123.0, ("1230", "120")),
        (0.5, math.nan, ("0.5", "")),
    ],
)
def test_numbers_have_the_digits_their_error_allows(
    value: float, error: float, text: tuple[str, str]
) -> None:
    """Two digits of the error, and the value as far as those."""
    assert told(Estimate(value, error)) == text
    assert rounded(Estimate(value, error))[0] == float(text[0])
