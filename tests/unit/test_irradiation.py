"""Irradiation and concentrations: lab language in, numbers out."""

from __future__ import annotations

import dataclasses
import pickle
from typing import Any

import pytest

from unmoor.errors import StudyError
from unmoor.therapy.irradiation import Irradiation
from unmoor.therapy.items import Concentration
from unmoor.therapy.regimen import Regimen


def test_text_and_numbers_in_base_units_give_the_same_irradiation() -> None:
    """Gy and days."""
    text = Irradiation("200 cGy", every="24 h", fractions=5, start="10 d")
    assert text == Irradiation(2, every=1, fractions=5, start=10.0)
    assert (text.radiation, text.total, text.fractions) == (2.0, 10.0, 5)
    assert text.times() == (10.0, 11.0, 12.0, 13.0, 14.0)
    assert text.times(until=12.0) == (10.0, 11.0)
    assert text.to_toml_item() == (
        '{ radiation = "2 Gy", every = "1 d", fractions = 5, start = "10 d" }'
    )


def test_one_fraction_needs_no_schedule() -> None:
    """It is given at the start."""
    single = Irradiation("8 Gy", start="3 d")
    assert (single.fractions, single.every, single.times()) == (1, None, (3.0,))


@pytest.mark.parametrize(
    "given",
    [
        {"radiation": "2 mg/kg"}, {"radiation": -1}, {"radiation": "31 Gy"}, {"radiation": None},
        {"radiation": True}, {"radiation": float("nan")}, {"fractions": 0}, {"fractions": 1.5},
        {"fractions": 101}, {"every": 0}, {"every": None}, {"fractions": None}, {"start": -1},
        {"start": None}, {"start": "366 d"},
    ],
    ids=str,
)  # fmt: skip
def test_a_wrong_irradiation_is_refused(given: dict[str, Any]) -> None:
    """With the same error as a study file."""
    right: dict[str, Any] = {"radiation": "2 Gy", "every": "1 d", "fractions": 3}
    with pytest.raises(StudyError) as caught:
        Irradiation(**{**right, **given})
    assert caught.value.problems[0].field.startswith("Irradiation.")


def test_irradiations_are_frozen_hashable_picklable_and_replaceable() -> None:
    """As every treatment."""
    item = Irradiation(2.0, every=1.0, fractions=3)
    with pytest.raises(dataclasses.FrozenInstanceError):
        item.start = 3.0  # type: ignore[misc]
    assert pickle.loads(pickle.dumps(item)) == item
    assert dataclasses.replace(item, fractions=5).total == 10.0
    assert hash(item) == hash(dataclasses.replace(item))


@pytest.mark.parametrize(
    ("text", "value", "kind", "nanomolar"),
    [
        ("70 nM", 70.0, "concentration", 70.0),
        ("0.3 uM", 300.0, "concentration", 300.0),
        ("2 ng/mL", 2.0, "mass concentration", 0.08),
        ("1 ug/mL", 1000.0, "mass concentration", 40.0),
        (5.0, 5.0, "concentration", 5.0),
    ],
)
def test_a_concentration_is_read_by_amount_or_by_mass(
    text: str | float, value: float, kind: str, nanomolar: float
) -> None:
    """A plain number is in nM; mass is turned into amount by 25 kDa here."""
    regimen = Regimen("tgfb1", concentration=text, stop="3 d")
    assert regimen.concentration == Concentration(value, kind)  # type: ignore[arg-type]
    assert regimen.concentration.nanomolar(25_000.0) == pytest.approx(nanomolar)
    assert regimen.dose is None
    assert regimen.times(10.0) == ()
    assert Regimen("tgfb1", concentration=regimen.concentration, stop=3.0) == regimen
    assert dataclasses.replace(regimen, stop=4.0).concentration == regimen.concentration
    assert pickle.loads(pickle.dumps(regimen)) == regimen


@pytest.mark.parametrize(
    "given",
    [
        {"concentration": "70 mg/kg"}, {"concentration": "70"}, {"concentration": ""},
        {"concentration": -1}, {"concentration": float("inf")}, {"concentration": True},
        {"concentration": "2 M"}, {"concentration": "1 g/mL"}, {"concentration": [1]},
        {"concentration": "nM"}, {"concentration": 5, "dose": 5}, {"concentration": 5, "every": 3},
        {"concentration": 5, "route": "ip"}, {},
    ],
    ids=str,
)  # fmt: skip
def test_a_wrong_concentration_is_refused(given: dict[str, Any]) -> None:
    """Nor can a dose stand beside it, nor is there a regimen of nothing."""
    with pytest.raises(StudyError):
        Regimen("tgfb1", **given)
