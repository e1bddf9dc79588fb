"""Lost adhesion sensitises tumours to radiation and chemotherapy, and order and timing matter."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from unmoor.assays.orthotopic_xenograft import XenograftResult, run_xenograft
from unmoor.assays.preparation import Setting
from unmoor.assays.treatment import Arm
from unmoor.catalog.draws import Draw
from unmoor.cell.line import CellLine, Structure
from unmoor.elementwise import FloatArray
from unmoor.organism.radiation import log_kill
from unmoor.therapy.irradiation import Irradiation
from unmoor.therapy.regimen import Edit, Regimen

IRRADIATED, DAYS, DRAWS = 10.0, 16.0, 4
RADIATION = Irradiation("2 Gy", every="1 d", fractions=3, start=IRRADIATED)
CHEMOTHERAPY = Regimen("paclitaxel", dose="15 mg/kg", start=IRRADIATED)


def block(start: float) -> Regimen:
    """β1 blocked at once and evenly, so that only the time of blockade differs."""
    return Regimen("anti_itgb1", concentration="70 nM", start=start)


BEFORE, AT, AFTER = block(0.0), block(IRRADIATED), block(IRRADIATED + 1.0)
RESCUE = Edit("FAK", change="over_express", factor=2.0, start=0.0)
ARMS: list[Arm] = [
    (), (RADIATION,), (CHEMOTHERAPY,),
    (BEFORE,), (BEFORE, RADIATION), (BEFORE, CHEMOTHERAPY),
    (AT,), (AT, RADIATION), (AT, CHEMOTHERAPY),
    (AFTER,), (AFTER, RADIATION),
    (RESCUE,), (RESCUE, RADIATION), (RESCUE, CHEMOTHERAPY),
]  # fmt: skip


def setting() -> Setting:
    """4T1 in BALB/c mice."""
    line = CellLine.load("4T1")
    return Setting(line, "balbc", ARMS, Structure(), DAYS, 1e6, 5, 7)


@pytest.fixture(scope="module")
def draws() -> list[Draw]:
    """The central plausible parameter set and some others."""
    return Draw.plausible("cascading/tgfb", 7, range(DRAWS))


@pytest.fixture(scope="module")
def result(draws: list[Draw]) -> XenograftResult:
    """All arms in all draws."""
    return run_xenograft(setting(), draws, 1)


def killed(result: XenograftResult, without: Arm, treated: Arm) -> FloatArray:
    """Natural log of what a treatment takes off the tumour by the read-out, draw by draw."""
    volume = np.log(result.volume[:, :, 0])
    return np.asarray(volume[:, ARMS.index(without)] - volume[:, ARMS.index(treated)])


def test_radiation_kills_by_the_linear_quadratic_law(
    result: XenograftResult, draws: list[Draw]
) -> None:
    """Less what has regrown, is not expressed yet or not cleared: never more than ΣE."""
    found = killed(result, (), (RADIATION,))
    fractions = [(time, 2.0) for time in RADIATION.times()]
    expected = [sum(log_kill(fractions, d.values("closures", "radiation"))) for d in draws]
    assert (found > 0.3 * np.array(expected)).all()
    assert (found < np.array(expected)).all()


@pytest.mark.parametrize("killer", [RADIATION, CHEMOTHERAPY])
def test_blocked_adhesion_sensitises(
    result: XenograftResult, killer: Regimen | Irradiation
) -> None:
    """Blocked from the same day on, the same treatment kills more, in every draw."""
    alone = killed(result, (), (killer,))
    assert (killed(result, (AT,), (AT, killer)) > 1.1 * alone).all()


@pytest.mark.parametrize("killer", [RADIATION, CHEMOTHERAPY])
def test_long_blocked_cells_are_sensitised_less(
    result: XenograftResult, killer: Regimen | Irradiation
) -> None:
    """β3 has taken over part of the grip by then."""
    long = killed(result, (BEFORE,), (BEFORE, killer))
    fresh = killed(result, (AT,), (AT, killer))
    assert (fresh > long).all()


def test_blockade_after_irradiation_sensitises_as_well_as_long_before(
    result: XenograftResult,
) -> None:
    """A day after the first fraction damaged cells are still deciding: better in the mean."""
    before = killed(result, (BEFORE,), (BEFORE, RADIATION))
    after = killed(result, (AFTER,), (AFTER, RADIATION))
    assert after.mean() > before.mean()
    assert (after > killed(result, (), (RADIATION,))).all()


@pytest.mark.parametrize("killer", [RADIATION, CHEMOTHERAPY])
def test_more_fak_protects(result: XenograftResult, killer: Regimen | Irradiation) -> None:
    """Cells with twice the FAK signal are less sensitive, but are still killed."""
    protected = killed(result, (RESCUE,), (RESCUE, killer))
    assert (protected < killed(result, (), (killer,))).all()
    assert (protected > 0.0).all()


def test_radiation_sets_tgfb_free_that_cells_answer(result: XenograftResult) -> None:
    """Their pSMAD rises after irradiation, and not before it."""
    psmad = result.courses[:, :, 4]
    is_later = result.times > IRRADIATED + 0.5
    rise = psmad[:, ARMS.index((RADIATION,))] / psmad[:, ARMS.index(())]
    assert (rise[:, is_later] > 1.2).all()
    assert rise[:, result.times < IRRADIATED] == pytest.approx(1.0, rel=1e-12)


def test_dying_cells_count_in_the_volume_but_do_not_shed(result: XenograftResult) -> None:
    """Just after killing the tumour is larger than its dividing cells, and sheds by these."""
    short = replace(setting(), duration=11.0, arms=[(), (CHEMOTHERAPY,)])
    early = run_xenograft(short, Draw.plausible("cascading/tgfb", 7, range(DRAWS)), 1)
    left = early.volume[:, 1, 0] / early.volume[:, 0, 0]
    shedding = early.singles[:, 1, 0] / early.singles[:, 0, 0]
    assert (shedding < 0.8 * left).all()
    late = np.exp(-killed(result, (), (CHEMOTHERAPY,)))
    assert (late < left).all()


def test_killing_does_not_depend_on_the_other_arms_or_draws(result: XenograftResult) -> None:
    """A batch of one arm and one draw gives the same bits."""
    alone = replace(setting(), arms=[(AT, RADIATION)])
    single = run_xenograft(alone, Draw.plausible("cascading/tgfb", 7, [2]), 1)
    assert single.volume[0, 0].tobytes() == result.volume[2, ARMS.index((AT, RADIATION))].tobytes()
    assert (result.status == 0).all()


def test_animals_followed_end_at_their_read_out() -> None:
    """With dying cells in the volume."""
    small = replace(setting(), arms=[(RADIATION,)], duration=12.0)
    one = run_xenograft(small, Draw.plausible("cascading/tgfb", 7, [1]), 3, follow_animals=3)
    assert (one.animal_volumes[..., -1] == one.volume).all()
