"""Why an arm spreads a tumour: parts add up, and cutting nothing changes nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from small_study import small_study
from unmoor.analysis.discriminate import discriminate
from unmoor.analysis.memory import Memory
from unmoor.analysis.sensitivity import sensitivity
from unmoor.analysis.why import WHOLE, Why, why
from unmoor.assays.attribution import coalitions, without_edge
from unmoor.assays.preparation import Setting
from unmoor.cell.line import CellLine, Structure
from unmoor.cli import main
from unmoor.errors import ParameterError, StudyError
from unmoor.report.sensitivity_page import write_sensitivity
from unmoor.signalling.networks.adhesion_emt import adhesion_emt
from unmoor.trial.chunks import draw_sets
from unmoor.trial.study import Study


def asked(draws: int = 3, *, rivals: bool = False) -> Study:
    """Return a small study of one line."""
    return small_study().replace(cell_lines=["4T1"], uncertainty={"draws": draws, "rivals": rivals})


@pytest.fixture(scope="module")
def found() -> Why:
    """Return what a small study says."""
    return why(asked())


def setting_of(study: Study) -> Setting:
    """Return a coarse setting of a study."""
    return Setting(
        line=CellLine.load("4T1"), host="balbc", arms=list(study.arms.values()),
        structure=Structure(), duration=14.0, inoculum=1e6, clones=5, seed=study.seed, interval=1.0,
    )  # fmt: skip


def test_shares_add_up_to_the_effect_in_every_draw(found: Why) -> None:
    """Of stages and of routes, for spread and for the tumour."""
    for place, whole in found.draws.items():
        if place[-1] != WHOLE:
            continue
        for kind in ("stage", "route"):
            parts = [v for p, v in found.draws.items() if p[:4] == place[:4] and p[4] == kind]
            assert sum(parts) == pytest.approx(whole, abs=1e-12)


def test_means_of_shares_add_up_as_the_table_tells_them(found: Why) -> None:
    """What is drawn as a waterfall ends at the whole."""
    for _, rows in found.parts.groupby(["arm", "outcome"]):
        whole = rows[rows["part"] == WHOLE]["mean"].iloc[0]
        assert rows[rows["kind"] == "stage"]["mean"].sum() == pytest.approx(whole)


def test_cutting_nothing_changes_no_bit() -> None:
    """With all its parts a subject lived again is the subject; no edge cut is the study's run."""
    study = asked()
    setting, draws = setting_of(study), draw_sets(study, Structure(), range(1, 4))
    spread, tumour = without_edge(setting, draws, 2, 0, ())
    for each in coalitions(setting, draws, 2, 0):
        assert each.spread[..., -1] == pytest.approx(spread, abs=4e-15)
        assert (each.tumour[..., -1] == tumour).all()
        assert (each.spread[..., 0] == 0.0).all()
        assert (each.spread[:, 0] == 0.0).all()


def test_a_network_without_a_cut_is_the_network_itself() -> None:
    """So it is neither compiled anew nor slower."""
    network = adhesion_emt()
    assert network.without(()) is network
    with pytest.raises(ParameterError, match="no edge"):
        network.without(["E → nothing"])


@pytest.mark.parametrize("core", ["cascading", "ternary"])
@pytest.mark.parametrize("mechanism", ["tgfb", "itgb3"])
def test_every_edge_that_is_declared_can_be_cut(core: str, mechanism: str) -> None:
    """The symbol stands in the equation named, and nowhere else is it replaced."""
    network = adhesion_emt(core, mechanism)
    for label, edge in network.edges.items():
        lines = network.without([label]).equations.splitlines()
        changed = [b for a, b in zip(network.equations.splitlines(), lines, strict=True) if a != b]
        assert len(changed) == 1, label
        assert f"{edge.symbol}_untreated" in changed[0]


def test_without_its_edge_lost_adhesion_raises_no_tgfb(found: Why) -> None:
    """Of all single edges, that of the mechanism is needed for E-cadherin to be lost."""
    edges = found.edges[found.edges["arm"] == "knock-down"].set_index("edge")
    cut = edges.loc["lost β1 → TGFβ"]
    study = asked()
    setting, draws = setting_of(study), draw_sets(study, Structure(), range(1, 4))
    kept = coalitions(replace(setting, cut=("lost β1 → TGFβ",)), draws, 2, 0)[1]
    e = kept.parts.index("E-cadherin")
    assert np.abs(kept.spread[:, :, 1 << e]).max() < 0.02
    assert cut["spread_without"] < cut["spread_ratio"]


def test_a_memory_gives_the_same_again(tmp_path: Path, found: Why) -> None:
    """And workers change nothing."""
    memory = Memory(tmp_path)
    first = why(asked(), memory=memory, workers=1)
    again = why(asked(), memory=Memory(tmp_path), workers=3)
    assert first.parts.equals(found.parts)
    assert again.edges.equals(found.edges)


def test_an_arm_that_is_not_there_is_told() -> None:
    """With what is near it."""
    with pytest.raises(StudyError, match="did you mean knock-down"):
        why(asked(), arms=["knockdown"])


def test_numbers_are_ranked_by_their_effect(tmp_path: Path) -> None:
    """Screening finds the coupling among the numbers, and nothing in those of chemotherapy."""
    told = sensitivity(asked(12), method="morris", arm="knock-down", trajectories=2)
    table = told.numbers.set_index("number")
    assert "closures/line_rule/k_int" in table.index
    killing = table.index.str.startswith("closures/chemotherapy/")
    assert (table["effect"][killing] == 0.0).all()
    assert table["effect"].is_monotonic_decreasing
    assert table["effect"].iloc[0] > 0.0
    assert told.points == 2 * (len(table) + 1)
    assert write_sensitivity(told, tmp_path).is_file()


def test_what_is_asked_wrongly_is_told() -> None:
    """Outcome, arm and size."""
    for wrong in ({"outcome": "sprad"}, {"arm": "nothing"}, {"size": 100}, {"line": "HeLa"}):
        with pytest.raises(StudyError, match="E-ASKED"):
            sensitivity(asked(), **wrong)  # type: ignore[arg-type]
    with pytest.raises(StudyError, match="rivals = true"):
        discriminate(asked())


def test_the_arms_of_a_study_are_ranked_by_what_they_tell() -> None:
    """No gain beyond what there is to know, in the order of the table."""
    told = discriminate(asked(6, rivals=True), animals=5, days=[14.0])
    assert told.gains["bits"].is_monotonic_decreasing
    assert (told.gains["bits"] <= 2.0).all()
    for _, own in told.gains.groupby("arm"):
        bits = own.set_index("readout")["bits"]
        assert (bits["all"] >= bits).all()  # more readouts never tell less
        assert bits["volume and metastases"] >= bits[["tumour_volume", "lung_metastases"]].max()
    allowed = told.gains["bits_over"] + 4.0 * told.gains["bits_mc"] + 0.05
    assert (told.gains["bits_under"] <= allowed).all()  # they enclose it in expectation only
    assert set(told.predicted["structure"]) == {
        "cascading/tgfb", "cascading/itgb3", "ternary/tgfb", "ternary/itgb3",
    }  # fmt: skip


def test_verbs_write_pages(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each with its figure and tables beside it; JSON on standard output."""
    study = tmp_path / "small.toml"
    study.write_text(asked(5, rivals=True).to_toml(), encoding="utf-8")
    out = ["--out", str(tmp_path), "--json"]
    assert main(["why", str(study), "--arm", "knock-down", *out]) == 0
    assert '"sentences"' in capsys.readouterr().out
    assert main(["discriminate", str(study), "--arm", "knock-down", *out]) == 0
    assert '"bits_under"' in capsys.readouterr().out
    for verb in ("why", "discriminate"):
        folder = tmp_path / f"small-{verb}"
        assert (folder / "report.html").is_file()
        assert list((folder / "figures").glob("*.png"))
