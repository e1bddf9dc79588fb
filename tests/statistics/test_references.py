"""Fifty stored sets of each kind give what R gives: 1e-6 in closed form, 4 digits if iterated."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import special
from stored_sets import pairs, stored

from unmoor.trial.count_test import compare_counts
from unmoor.trial.statistics import compare_growth
from unmoor.trial.survival import hazard_ratio, kaplan_meier, log_rank

CLOSED, ITERATED = 1e-6, 1e-4
NO_EVENT_TREATED, NO_EVENT = 3, 21  # sets of survival


def test_kaplan_meier_and_its_band_are_those_of_survfit() -> None:
    """Share, log-log band, animals at risk and events of every step, undefined where R says so."""
    curves = stored("kaplan_meier_r")
    for number, data, _ in pairs("survival"):
        control, expected = data[data.treated == 0], curves[curves.set == number]
        curve = kaplan_meier(control.day, control.event)
        assert curve.day == pytest.approx(expected.day.to_numpy())
        assert curve.at_risk.tolist() == expected.at_risk.tolist()
        assert curve.events.tolist() == expected.events.tolist()
        for name in ("share", "low", "high"):
            known = expected[name].to_numpy(float)
            assert getattr(curve, name) == pytest.approx(known, rel=CLOSED, nan_ok=True), number


def test_log_rank_is_that_of_survdiff() -> None:
    """Events, expected events and χ² of every set."""
    for number, data, known in pairs("survival"):
        found = log_rank(data.day, data.event, data.treated)
        assert found.observed == known.observed
        assert found.expected == pytest.approx(known.expected, rel=CLOSED)
        if number != NO_EVENT:
            assert found.z**2 == pytest.approx(known.chisq, rel=CLOSED), number


def test_cox_is_that_of_coxph_with_efron_ties() -> None:
    """Log hazard ratio and its standard error; a ratio of 0 and no ratio where R runs away."""
    compared = 0
    for number, data, known in pairs("survival"):
        found = hazard_ratio(data.day, data.event, data.treated)
        if number == NO_EVENT_TREATED:
            assert found.ratio == found.low == 0.0
            assert math.isinf(found.error)
        elif number == NO_EVENT:
            assert math.isnan(found.ratio)
        else:
            assert math.log(found.ratio) == pytest.approx(known.log_ratio, rel=ITERATED, abs=1e-6)
            assert found.error == pytest.approx(known.error, rel=ITERATED)
            compared += 1
    assert compared == 48


def test_counts_are_those_of_glm_nb() -> None:
    """Ratio, standard error of its logarithm, dispersion."""
    for number, data, known in pairs("counts"):
        found = compare_counts(data["count"], data.treated)
        assert found.ratio == pytest.approx(known.ratio, rel=CLOSED), number
        assert found.error == pytest.approx(known.error, rel=ITERATED), number
        assert found.dispersion == pytest.approx(known.k, rel=ITERATED), number


def test_mixed_model_is_that_of_lmer_and_lmertest() -> None:
    """Contrasts, errors, degrees of freedom, REML criterion and variances; singular fits, too."""
    singular = 0
    for number, data, known in pairs("volumes"):
        found = compare_growth(data.animal, data.day, data.volume, data.treated)
        assert found is not None
        model, centre = found.model, float(data.day.mean())
        level = model.contrast(np.eye(model.effects)[-2])
        moved = np.array([[1.0, centre], [0.0, 1.0]])
        spread = moved @ model.covariance() @ moved.T
        pairs_of_values = [
            (found.rate.estimate, known.rate),
            (found.rate.error, known.error),
            (found.rate.satterthwaite, known.df),
            (level.estimate, known.level),
            (level.error, known.level_error),
            (level.satterthwaite, known.level_df),
            (model.deviance(model.theta), known.reml),
            (model.sigma, known.sigma),
            (math.sqrt(spread[0, 0]), known.sd_intercept),
            (math.sqrt(spread[1, 1]), known.sd_slope),
        ]
        for value, expected in pairs_of_values:
            assert value == pytest.approx(expected, rel=ITERATED, abs=1e-6), number
        p = 2.0 * special.stdtr(found.rate.satterthwaite, -abs(found.rate.estimate / known.error))
        assert p == pytest.approx(known.p, rel=1e-3)
        singular += int(known.singular)
    assert singular >= 10
