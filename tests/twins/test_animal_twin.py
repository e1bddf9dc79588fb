"""A whole small xenograft against one set of differential equations in plain Python."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import pytest
from animal_twin import Animal, Antibody, Xenograft

from unmoor.assays.orthotopic_xenograft import XenograftResult, run_xenograft
from unmoor.assays.preparation import Preparation, Setting
from unmoor.assays.treatment import Arm
from unmoor.catalog import table
from unmoor.catalog.draws import NOMINAL, Draw
from unmoor.cell.line import CellLine, Structure
from unmoor.organism.pharmacokinetics import blocked_fraction
from unmoor.signalling.networks.adhesion_emt import INPUTS
from unmoor.therapy.regimen import Edit, Regimen

DAYS, CLONES, SEED, INOCULUM = 8.0, 2, 11, 2e6
DOSES = (2.0, 5.0)
# Over how many days the package holds what a cell sees, and the error that this makes.
PACES = [(0.5, 0.03), (0.0625, 4e-3)]  # release is steep, so that the error is of order 1
KNOCK_DOWN = Edit("ITGB1", change="knock_down", factor=0.1)
WINDOW = Edit("TGFBR1", change="knock_down", factor=0.3, start="3.25 d", stop="6 d")
INHIBITOR = Regimen("tgfbr1_inhibitor", dose="30 mg/kg", every="0.5 d", start="3 d", stop="6 d")
ARMS: list[Arm] = [
    (),
    (KNOCK_DOWN,),
    (Regimen("anti_itgb1", dose="10 mg/kg", every="3 d", start="2 d"),),
    (KNOCK_DOWN, WINDOW),
    (KNOCK_DOWN, INHIBITOR),
]


@dataclass(frozen=True)
class Twins:
    """The package's result at each pace and, arm by arm, the twin's (typical animal, animal 1)."""

    package: dict[float, XenograftResult]
    plain: list[list[Animal]]
    wanted: float


def _twin(on: Preparation, arm: int) -> Xenograft:
    """The drawn numbers of the package in the twin's equations."""
    constants = {name: float(on.constants[name][0]) for name in on.constants.dtype.names or ()}
    names, parameters = on.network.parameters, on.batch.blocks.parameters[0]
    networks = [dict(zip(names, parameters[:, k].tolist(), strict=True)) for k in range(CLONES)]
    assert networks[0]["k_int"] != networks[1]["k_int"]
    cells, tumours = on.cells[0], on.tumours
    edited = {"itgb1": 0.1} if arm in (1, 3, 4) else {}
    times = np.linspace(0.0, DAYS, 1 + 48 * round(DAYS))
    kinetics = on.draws[0].values("drugs", "tgfbr1_inhibitor")
    doses = INHIBITOR.times(DAYS)
    inhibited, _ = blocked_fraction("slow_offset", kinetics, doses, 30.0, None, times)

    def systemic(day: float) -> float:
        return 1.0 - float(np.interp(day, times, inhibited)) if arm == 4 else 1.0

    def inputs(day: float) -> dict[str, float]:
        is_inside = arm == 3 and 3.25 <= day < 6.0
        return {**INPUTS, **edited, "tgfbr1": 0.3 if is_inside else systemic(day)}

    drug = Antibody(on.draws[0].values("drugs", "anti_itgb1"), DOSES, 10.0)
    return Xenograft(
        networks=networks,
        constants=constants,
        leaving=on.leaving.of(0),
        beta4=constants["beta4_malignant"],
        half=[float(cell.K_F) for cell in cells],
        gompertz=list(zip(tumours.alpha[0].tolist(), tumours.beta[0].tolist(), strict=True)),
        untreated_inputs=INPUTS,
        inputs=inputs,
        systemic=systemic,
        cultured=edited,
        culture_days=constants["preculture_time"],
        antibody=drug if arm == 2 else None,
    )


@pytest.fixture(scope="module")
def twins() -> Twins:
    """4T1 in a BALB/c mouse under four arms, with a coupling that switches."""
    line, draw = CellLine.load("4T1"), Draw(SEED, NOMINAL)
    draw.values("closures", "k_int")["cascading_tgfb"] = 2.0
    setting = Setting(line, "balbc", ARMS, Structure(), DAYS, INOCULUM, CLONES, SEED)
    package = {pace: run_xenograft(replace(setting, interval=pace), [draw], 1) for pace, _ in PACES}
    on = Preparation(setting, [draw], 1)
    start, volume = on.network.state_start(), INOCULUM / 1e6
    plain = [_twin(on, arm).run(start, DAYS, volume) for arm in range(len(ARMS))]
    return Twins(package, plain, float(on.constants.untreated_metastases[0]))


def test_the_animals_differ_and_the_arms_too(twins: Twins) -> None:
    """Otherwise agreement would say little."""
    volumes = np.array([[animal.volume for animal in arm] for arm in twins.plain])
    assert abs(volumes[0, 1] / volumes[0, 0] - 1.0) > 0.02
    shed = [arm[0].shed for arm in twins.plain]
    assert abs(math.log(shed[1] / shed[0])) > 0.1
    assert abs(math.log(shed[3] / shed[1])) > 0.05
    assert volumes[1, 0] / volumes[0, 0] < 0.9
    assert volumes[4, 0] / volumes[1, 0] < 0.99


@pytest.mark.parametrize(("pace", "tolerance"), PACES)
@pytest.mark.parametrize("arm", range(len(ARMS)))
def test_growth_and_spread_equal_the_twin(
    twins: Twins, arm: int, pace: float, tolerance: float
) -> None:
    """Volume, its integral and expected metastases of every animal, up to the pace's error."""
    typical, mouse = twins.plain[arm]
    scale = twins.wanted / twins.plain[0][0].shed
    package = twins.package[pace]
    found = (
        float(package.volume[0, arm, 0]),
        float(package.exposure[0, arm]),
        float(package.shedding[0, arm]),
        float(package.expected_metastases[0, arm, 0]),
    )
    expected = (mouse.volume, typical.exposure, scale * typical.shed, scale * mouse.shed)
    assert found == pytest.approx(expected, rel=tolerance)


@pytest.mark.parametrize(("pace", "tolerance"), PACES)
@pytest.mark.parametrize("arm", range(len(ARMS)))
def test_circulating_cells_equal_the_twin(
    twins: Twins, arm: int, pace: float, tolerance: float
) -> None:
    """Singles and clusters in a mL of blood at read-out, up to the pace's error."""
    scale = twins.wanted / twins.plain[0][0].shed
    blood = table("closures", "dissemination").values_by_id()
    mouse = twins.plain[arm][1]
    for found, left, half_life in (
        (twins.package[pace].singles, mouse.singles, blood["single_half_life"]),
        (twins.package[pace].clusters, mouse.clusters, blood["cluster_half_life"]),
    ):
        days = half_life / 1440.0 / math.log(2.0)
        expected = scale * left * days / blood["blood_volume"]
        assert float(found[0, arm, 0]) == pytest.approx(expected, rel=tolerance)
