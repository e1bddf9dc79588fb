"""What a xenograft's numbers depend on: its draw, arm and animal, and hardly on its pace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace

import numpy as np
import pytest

from unmoor.assays.orthotopic_xenograft import XenograftResult, run_xenograft
from unmoor.assays.preparation import Setting
from unmoor.assays.quantities import COURSES
from unmoor.assays.treatment import Arm
from unmoor.catalog.draws import Draw
from unmoor.cell.line import CellLine, Structure
from unmoor.therapy.irradiation import Irradiation
from unmoor.therapy.regimen import Edit, Regimen

SEED = 7
ANTIBODY = Regimen("anti_itgb1", dose="10 mg/kg", every="3 d", start="7 d")
INHIBITOR = Regimen("tgfbr1_inhibitor", dose="30 mg/kg", every="0.5 d", start="7 d")
CHEMOTHERAPY = Regimen("paclitaxel", dose="15 mg/kg", every="3 d", start="5 d", stop="12 d")
RADIATION = Irradiation("2 Gy", every="1 d", fractions=3, start="4 d")
ARMS: list[Arm] = [
    (),
    (Edit("ITGB1", change="knock_down", factor=0.1),),
    (ANTIBODY,),
    (ANTIBODY, INHIBITOR),
    (Edit("ITGB1", change="knock_down", factor=0.1, stop="14 d"),),
    (ANTIBODY, CHEMOTHERAPY),
    (ANTIBODY, RADIATION),
]
PULSED = 5  # chemotherapy that is gone within hours
OUTCOMES = ("volume", "expected_metastases", "singles", "clusters")
OF_TYPICAL = ("exposure", "shedding", "courses", "status")


def setting(line: str = "4T1", host: str = "balbc", days: float = 10.0, clones: int = 5) -> Setting:
    """A small study of one line under all arms."""
    return Setting(CellLine.load(line), host, ARMS, Structure(), days, 1e6, clones, SEED)


def same_bits(
    found: XenograftResult, expected: XenograftResult, names: Sequence[str] = OUTCOMES + OF_TYPICAL
) -> bool:
    """Whether two results are the same to the last bit."""
    pairs = [(getattr(found, name), getattr(expected, name)) for name in names]
    return all(a.shape == b.shape and a.tobytes() == b.tobytes() for a, b in pairs)


def part(result: XenograftResult, draws: object = None, arms: object = None) -> XenograftResult:
    """Some draws and arms of a result."""
    changes = {}
    for name in OUTCOMES + OF_TYPICAL:
        value = getattr(result, name)
        value = value if draws is None else value[draws]
        changes[name] = value if arms is None else value[:, arms]
    return replace(result, **changes)


@pytest.fixture(scope="module")
def together() -> XenograftResult:
    """Six draws with three animals in one batch."""
    return run_xenograft(setting(), Draw.sets(SEED, range(6)), 3)


def test_every_array_has_its_shape(together: XenograftResult) -> None:
    """Draws, arms, animals; and every subject was solved."""
    assert {field.name for field in fields(together)} >= {*OUTCOMES, *OF_TYPICAL}
    assert all(getattr(together, name).shape == (6, len(ARMS), 3) for name in OUTCOMES)
    assert together.courses.shape == (6, len(ARMS), len(COURSES), 11)
    assert together.times.tolist() == list(range(11))
    assert not together.status.any()
    assert all(np.isfinite(getattr(together, name)).all() for name in OUTCOMES)


def test_a_draw_has_the_same_bits_alone_and_in_any_order(together: XenograftResult) -> None:
    """Every draw by itself, and the batch backwards."""
    for number in range(6):
        alone = run_xenograft(setting(), Draw.sets(SEED, [number]), 3)
        assert same_bits(alone, part(together, [number]))
    backwards = run_xenograft(setting(), Draw.sets(SEED, range(5, -1, -1)), 3)
    assert same_bits(part(backwards, slice(None, None, -1)), together)


def test_an_animal_has_the_same_bits_among_more(together: XenograftResult) -> None:
    """Ten animals begin with the same three, and the typical one is untouched."""
    more = run_xenograft(setting(), Draw.sets(SEED, range(6)), 10)
    for name in OUTCOMES:
        first = np.ascontiguousarray(getattr(more, name)[:, :, :3])
        assert first.tobytes() == getattr(together, name).tobytes()
    assert same_bits(more, together, OF_TYPICAL)


def test_an_arm_has_the_same_bits_among_others(together: XenograftResult) -> None:
    """Arms alone, reordered, and beside new ones."""
    draws = Draw.sets(SEED, range(6))
    order = [3, 0, 4]
    fewer = run_xenograft(replace(setting(), arms=[ARMS[i] for i in order]), draws, 3)
    assert same_bits(fewer, part(together, arms=order))
    extra: Arm = (Edit("ITGB3", change="knock_down", factor=0.1), INHIBITOR)
    more = run_xenograft(replace(setting(), arms=[extra, *ARMS]), draws, 3)
    assert same_bits(part(more, arms=slice(1, None)), together)


def test_keeping_the_courses_changes_no_outcome(together: XenograftResult) -> None:
    """Without them only the first and the last point are kept, with the same bits."""
    short = run_xenograft(setting(), Draw.sets(SEED, range(6)), 3, follow=False)
    assert same_bits(short, together, (*OUTCOMES, "exposure", "shedding", "status"))
    assert short.courses.tobytes() == np.ascontiguousarray(together.courses[..., [0, -1]]).tobytes()


def test_arms_are_paired(together: XenograftResult) -> None:
    """A second untreated arm equals the first, animal by animal; untreated spread is the norm."""
    twice = run_xenograft(replace(setting(), arms=[(), ()]), Draw.sets(SEED, range(6)), 3)
    assert same_bits(part(twice, arms=[0]), part(twice, arms=[1]))
    assert same_bits(part(twice, arms=[0]), part(together, arms=[0]))
    assert together.shedding[:, 0] == pytest.approx(20.0, rel=1e-12)


def test_a_dose_of_next_to_nothing_is_next_to_nothing() -> None:
    """Outcomes go to those of the control as the dose goes to 0."""
    tiny: Arm = (Regimen("anti_itgb1", dose=1e-6), Regimen("tgfbr1_inhibitor", dose=1e-6))
    result = run_xenograft(replace(setting(), arms=[(), tiny]), Draw.sets(SEED, range(3)), 2)
    for name in OUTCOMES:
        values = getattr(result, name)
        assert values[:, 1] == pytest.approx(values[:, 0], rel=1e-4)


def test_tumours_and_release_are_never_negative(together: XenograftResult) -> None:
    """Neither volumes, nor counts, nor any course."""
    assert all((getattr(together, name) >= 0.0).all() for name in OUTCOMES)
    assert (together.courses >= 0.0).all()
    assert (np.diff(together.courses[:, :, -1], axis=-1) >= 0.0).all()  # metastases add up


@pytest.mark.parametrize(("line", "host"), [("4T1", "balbc"), ("HCC1806", "nsg")])
def test_halving_the_pace_hardly_moves_outcomes(line: str, host: str) -> None:
    """From half a day to a quarter: median ≤ .3 %, 95 % ≤ 1 %, seldom more than 5 %.

    The worst of 40 draws from the ranges was .9 % in volume and 3.9 % in metastases, under the
    combined drugs. A draw at the edge of a bistable range can move more: one in 1200 subjects
    regained E-cadherin two days earlier and had a fifth fewer metastases. A pulse of chemotherapy
    is spread over its half day, in which sensitivity changes while an antibody takes hold: that
    moves outcomes by 2 % in the median, by up to a tenth in 95 % of draws (8.0 % measured).
    """
    usual, draws = setting(line, host, 28.0, 8), Draw.sets(SEED, range(1, 31))
    results = [
        run_xenograft(replace(usual, interval=interval), draws, 1, follow=False)
        for interval in (0.5, 0.25)
    ]
    for name in ("volume", "expected_metastases", "exposure"):
        coarse, fine = (getattr(result, name) for result in results)
        change = np.abs(coarse / fine - 1.0).reshape(len(draws), len(ARMS), -1)
        pulses = change[:, PULSED]
        assert np.median(pulses) <= 0.03
        assert np.quantile(pulses, 0.95) <= 0.1
        change = np.delete(change, PULSED, axis=1)
        assert np.median(change, axis=(0, 2)).max() <= 0.003
        assert np.quantile(change, 0.95) <= 0.01
        assert np.mean(change > 0.05) <= 0.01


def test_animals_can_be_followed_day_by_day(together: XenograftResult) -> None:
    """The last day of an animal is its read-out, its numbers do not depend on being followed."""
    followed = run_xenograft(setting(), Draw.sets(SEED, range(6)), 3, follow_animals=2)
    assert together.animal_volumes.shape == (6, len(ARMS), 0, together.times.size)
    assert followed.animal_volumes.shape == (6, len(ARMS), 2, together.times.size)
    assert same_bits(followed, together)
    assert (followed.animal_volumes[..., -1] == together.volume[:, :, :2]).all()
    assert followed.animal_volumes[..., 0] == pytest.approx(1.0, rel=1e-12)  # mm³ of 1e6 cells
    assert (np.diff(followed.animal_volumes[:, 0], axis=-1) > 0.0).all()  # untreated ones grow


def test_no_more_animals_are_followed_than_there_are() -> None:
    """Asking for more gives all of them."""
    result = run_xenograft(setting(), Draw.sets(SEED, range(1)), 2, follow_animals=5)
    assert result.animal_volumes.shape[2] == 2
