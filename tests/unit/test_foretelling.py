"""What is foretold of an arm: the same as a run says, once computed never again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import unmoor as um
from unmoor.analysis import foretelling
from unmoor.analysis.foretelling import Foretold, foretell
from unmoor.analysis.memory import Memory
from unmoor.errors import Interrupted, StudyError

KNOCK_DOWN = {"gene": "ITGB1", "change": "knock_down", "factor": 0.1}
PREVENT = {"gene": "TGFBR1", "change": "knock_down", "factor": 0.3}
DRAWS = 6


def assay(duration: str) -> dict[str, object]:
    """A xenograft of a few animals."""
    return {
        "name": "orthotopic_xenograft",
        "duration": duration,
        "animals": 2,
        "inoculum": "1e6 cells",
    }


def study(**changes: object) -> um.Study:
    """A short xenograft with two arms."""
    given = {
        "assay": {
            "name": "orthotopic_xenograft",
            "duration": "10 d",
            "animals": 2,
            "inoculum": "1e6 cells",
        }
    }
    given |= {"uncertainty": {"draws": DRAWS, "rivals": False}}
    return um.Study(
        ["HCC1806"], {"none": [], "loss": [KNOCK_DOWN]}, "none", seed=3, **{**given, **changes}
    )


@pytest.fixture(scope="module")
def found() -> Foretold:
    """What the study foretells."""
    return foretell(study())


def test_ratios_are_those_of_a_run(found: Foretold) -> None:
    """A study run as ever gives the same ratios and the same shares."""
    draws = study().run(workers=1).draws
    own = draws[(draws["arm"] == "loss") & (draws["draw"] > 0)]
    arm = found.arms.index("loss")
    assert own["tumour_ratio"].to_numpy() == pytest.approx(found.tumour[0, 0, arm], rel=1e-12)
    assert own["spread_ratio"].to_numpy() == pytest.approx(found.spread[0, 0, arm], rel=1e-12)
    assert own["paradox_index"].to_numpy() == pytest.approx(found.paradox[0, 0, arm], rel=1e-12)
    assert own["e_loss"].to_numpy() == pytest.approx(found.e_loss[0, 0, arm], abs=1e-6)
    assert own["f"].to_numpy() == pytest.approx(found.parameters["f"][0, 0])


def test_the_control_is_one_and_a_switch_is_both(found: Foretold) -> None:
    """Ratios of the control are exactly 1; a switch is a smaller tumour that spreads more."""
    assert np.all(found.tumour[:, :, found.control] == 1.0)
    assert np.all(found.spread[:, :, found.control] == 1.0)
    both = (found.tumour < 0.9) & (found.spread > 1.1)
    assert np.array_equal(found.is_switch, both.astype(float))


def test_other_arms_workers_and_blocks_change_no_bit(
    found: Foretold, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An arm is foretold alike alone or among others, in any blocks of draws."""
    monkeypatch.setattr(foretelling, "_BLOCK", 4)
    monkeypatch.setattr(foretelling, "_TOGETHER", 1)
    more = {"first": [PREVENT], "loss": [KNOCK_DOWN], "both": [KNOCK_DOWN, PREVENT]}
    again = foretell(study(), arms=more, workers=3)
    assert again.arms == ("none", "first", "loss", "both")
    for name in foretelling.SUMMARY:
        assert np.array_equal(
            again.summaries[name][:, :, 2], found.summaries[name][:, :, 1], equal_nan=True
        )


def test_what_is_known_is_not_computed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second call, also of another process, computes only what is new; damage is mended."""
    computed: list[tuple[str, ...]] = []
    true = foretelling._foretell_piece

    def counted(own: um.Study, arms: object, piece: foretelling._Piece) -> object:
        computed.append(piece.arms)
        return true(own, arms, piece)  # type: ignore[arg-type]

    monkeypatch.setattr(foretelling, "_foretell_piece", counted)
    first = foretell(study(), memory=Memory(tmp_path))
    assert computed == [("none", "loss")]
    foretell(study(), arms={"same under another name": [KNOCK_DOWN]}, memory=Memory(tmp_path))
    assert len(computed) == 1
    foretell(study(), arms={"new": [PREVENT]}, memory=Memory(tmp_path))
    assert computed[1:] == [("new",)]
    for path in tmp_path.rglob("*.bin"):
        path.write_bytes(path.read_bytes()[:50])
    mended = foretell(study(), memory=Memory(tmp_path))
    assert computed[2:] == [("none", "loss")]
    assert np.array_equal(mended.spread, first.spread)


def test_seed_line_length_and_structure_are_not_taken_for_each_other() -> None:
    """The memory tells apart whatever changes a number."""
    memory = Memory()
    ternary = {"model": {"emt_core": "ternary"}}
    ranges = {"uncertainty": {"draws": DRAWS, "rivals": False, "sets": "ranges"}}
    spreads = [
        foretell(study(**each), memory=memory).spread[0, 0, 1].tolist()
        for each in ({}, ternary, ranges, {"assay": assay("12 d")})
    ]
    other_seed = foretell(study().replace(seed=4), memory=memory).spread[0, 0, 1].tolist()
    other_line = study().replace(cell_lines=["MDA-MB-231"])
    spreads += [other_seed, foretell(other_line, memory=memory).spread[0, 0, 1].tolist()]
    assert len({tuple(each) for each in spreads}) == len(spreads)


def test_a_stop_keeps_what_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C after the first piece leaves that piece in the memory."""
    monkeypatch.setattr(foretelling, "_BLOCK", 3)

    def stop(_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(Interrupted, match="goes on"):
        foretell(study(), memory=Memory(tmp_path), workers=1, progress=stop)
    assert len(list(tmp_path.rglob("*.bin"))) == 2


def test_a_study_without_tumours_is_refused() -> None:
    """Cultures have no metastases to foretell."""
    culture = {"name": "viability", "duration": "3 d"}
    with pytest.raises(StudyError, match="E-NO-TUMOUR"):
        foretell(study(assay=culture))
