"""Single animals: what callipers read, and who is taken out when."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from unmoor.catalog import table
from unmoor.random import Stream
from unmoor.trial.animals import HUMANE, READ_OUT, Followed, follow, join
from unmoor.trial.study import Study

LIMIT = 1000.0
ARMS = ["control", "treated"]
DAYS = np.arange(0.0, 21.0)


@pytest.fixture(scope="module")
def study() -> Study:
    """Return two arms of four animals with a humane end point."""
    return Study(
        ["4T1"],
        {"control": [], "treated": [{"gene": "ITGB1", "change": "knock_down", "factor": 0.1}]},
        "control",
        assay={
            "name": "orthotopic_xenograft",
            "host": "balbc",
            "inoculum": "1e6 cells",
            "duration": "20 d",
            "animals": 4,
            "humane_volume": f"{LIMIT:g} mm^3",
        },
        seed=11,
    )


def arrays(growth: float = 0.4) -> dict[str, Any]:
    """Return exponential tumours of six animals, of which a study of four keeps four."""
    rates = growth * np.linspace(0.7, 1.2, 6)
    volumes = np.exp(rates[None, None, :, None] * DAYS) * np.array([1.0, 0.3])[None, :, None, None]
    return {
        "animal_volumes": volumes,
        "reading": volumes[..., -1] + 0.5,
        "times": DAYS,
        "status": np.zeros((1, 2), dtype=int),
    }


def one(found: pd.DataFrame, arm: str, animal: int) -> pd.DataFrame:
    """Return the rows of one animal."""
    return found[(found["arm"] == arm) & (found["animal"] == animal)]


def test_animals_are_measured_every_few_days_back_from_the_read_out(study: Study) -> None:
    """The read-out is measured, inoculation is not."""
    every = table("closures", "response")["measured_every"].value
    found = follow(study, 0, "4T1", arrays(0.1)).animals
    days = one(found, "control", 1)["day"].to_numpy()
    assert days[-1] == DAYS[-1]
    assert days[0] > 0
    assert np.all(np.diff(days) == every)
    assert set(found["animal"]) == {1, 2, 3, 4}


def test_readings_are_the_true_volume_with_the_error_of_that_day(study: Study) -> None:
    """A reading can be computed again from seed, animal, arm and day alone."""
    found = follow(study, 0, "4T1", arrays(0.2)).animals
    growth = table("closures", "growth")
    row = one(found, "treated", 3).iloc[-4]
    luck = Stream(11, draw=0).normal(3, "calliper/treated", step=int(row["day"]))
    error = growth["residual_a"].value + growth["residual_b"].value * row["tumour_volume_true"]
    expected = max(
        row["tumour_volume_true"] + error * float(luck), growth["smallest_reading"].value
    )
    assert row["tumour_volume"] == pytest.approx(expected, rel=1e-12)


def test_the_last_reading_is_that_of_the_outcomes(study: Study) -> None:
    """One measurement on the last day, not two."""
    given = arrays(0.1)
    found = follow(study, 0, "4T1", given).animals
    last = found[found["day"] == DAYS[-1]]["tumour_volume"].to_numpy()
    np.testing.assert_array_equal(last, given["reading"][0][:, :4].ravel())


def test_an_animal_leaves_at_the_first_reading_at_the_limit(study: Study) -> None:
    """No measurement follows, and none before it was as large."""
    followed = follow(study, 0, "4T1", arrays())
    out = followed.events[(followed.events["event"] == HUMANE) & followed.events["observed"]]
    assert 0 < len(out) < 8
    for row in out.to_dict("records"):
        own = one(followed.animals, row["arm"], row["animal"])
        assert own["day"].max() == row["day"]
        assert (own["tumour_volume"].to_numpy() >= LIMIT).tolist() == [False] * (len(own) - 1) + [
            True
        ]


def test_every_animal_has_both_events(study: Study) -> None:
    """Either the end point or the read-out is observed, both only on the last day."""
    events = follow(study, 0, "4T1", arrays()).events
    both = events.pivot_table(index=["arm", "animal"], columns="event", values="observed")
    assert len(both) == 8
    assert (both[HUMANE] + both[READ_OUT] >= 1).all()
    days = events.drop_duplicates(["arm", "animal"])["day"].to_numpy()
    assert ((both.sum(axis=1).to_numpy() == 2) <= (days == DAYS[-1])).all()


def test_animals_do_not_depend_on_the_other_arms(study: Study) -> None:
    """An arm that is left out changes nothing for the rest."""
    whole = follow(study, 0, "4T1", arrays())
    alone = study.replace(arms={"control": study.arms["control"]})
    given = {name: x if name == "times" else x[:, :1] for name, x in arrays().items()}
    part = follow(alone, 0, "4T1", given)
    own = whole.animals[whole.animals["arm"] == "control"]
    pd.testing.assert_frame_equal(own, part.animals)


def test_failed_arms_and_missing_volumes_give_no_animals(study: Study) -> None:
    """What was not solved is not shown."""
    given = arrays()
    given["status"][0, 1] = 2
    assert set(follow(study, 0, "4T1", given).animals["arm"]) == {"control"}
    nothing = follow(study, 0, "4T1", None)
    assert nothing.animals.empty
    assert nothing.events.empty


def test_joined_tables_keep_their_columns_without_rows(study: Study) -> None:
    """A study without single animals still has both tables."""
    empty = follow(study, 0, "4T1", None)
    found = join([empty, Followed(empty.animals, empty.events)])
    assert list(found.animals.columns) == list(follow(study, 0, "4T1", arrays()).animals.columns)
    assert list(found.events.columns)[-1] == "observed"
