"""Every layer at the ends of what is allowed: solved, or failed by name; nothing in silence.

The script ``benchmarks/extremes.py`` does this for a hundred thousand points.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from small_study import SMALL, fresh_run, small_study
from unmoor.assays import exposure, preparation
from unmoor.cell.line import Structure
from unmoor.random import Stream
from unmoor.signalling.batch import Batch

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "extremes.py"
POINTS = 150


def script() -> ModuleType:
    """The script as a module."""
    spec = importlib.util.spec_from_file_location("extremes", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["extremes"] = module
    spec.loader.exec_module(module)
    return module


extremes = script()


def check_layers(*layers: str, points: int = POINTS) -> None:
    """No silent point, and at most one failed in a thousand."""
    found = extremes.run(points, layers)
    assert found
    for name, each in found.items():
        summary = each.summary()
        assert summary["silent"] == 0, (name, summary["silent_examples"])
        assert summary["solved_share"] >= extremes.SOLVED_SHARE, (name, summary["failed"])
        assert summary["passed"]


LAYERS = (
    "lines", "cells cascading/tgfb", "cells cascading/itgb3", "cells ternary", "pharmacokinetics",
    "xenograft",
)  # fmt: skip


@pytest.mark.parametrize("layer", LAYERS)
def test_no_extreme_point_goes_wrong_in_silence(layer: str) -> None:
    """Line rule, cells (network, behaviour, escape, growth), drugs and whole animals."""
    check_layers(layer)


def test_the_script_tells_the_same_each_time(capsys: pytest.CaptureFixture[str]) -> None:
    """Points are a function of the seed; the status is 0 when all layers pass."""
    told = []
    for _ in range(2):
        assert extremes.main(["--points", "20", "--only", "lines", "pharma", "--json"]) == 0
        document = json.loads(capsys.readouterr().out)
        assert document["passed"]
        for layer in document["layers"].values():
            del layer["seconds"]
        told.append(document)
    assert told[0] == told[1]
    assert set(told[0]["layers"]) == {"lines", "pharmacokinetics"}


# ---------------------------------------------------------------- points


def check_latin(column: Any) -> None:
    """One number in each stratum; corners lie in theirs on the same side of the middle."""
    free = np.arange(column.size) % extremes.CORNER_EVERY != extremes.CORNER_EVERY - 1
    strata = np.floor(column[free] * column.size).astype(int)
    assert np.unique(strata).size == strata.size
    assert column.min() > 0.0
    assert column.max() < 1.0


def test_points_are_a_latin_hypercube() -> None:
    """Each parameter is spread evenly, whatever other parameters there are."""
    cube, other = extremes.Hypercube(1000), extremes.Hypercube(1000)
    other.column("of one's own")
    for name in ("closures/growth/beta", "input/itgb1"):
        check_latin(cube.column(name))
        assert np.array_equal(cube.column(name), other.column(name))
    pair = np.corrcoef(cube.column("closures/growth/beta"), cube.column("input/itgb1"))
    assert abs(pair[0, 1]) < 4 / np.sqrt(1000)
    with pytest.raises(AssertionError):  # planted: numbers without strata
        check_latin(Stream(1).uniform(np.arange(1000), "x"))


def test_all_corners_of_all_pairs_are_met() -> None:
    """Every tenth point has each parameter at one of its ends; all pairs of ends occur."""
    cube = extremes.Hypercube(2000)
    corners = np.arange(2000) % extremes.CORNER_EVERY == extremes.CORNER_EVERY - 1
    names = ("closures/growth/beta", "drugs/anti_itgb1/K_D", "networks/ternary/kT0", "input/cdh1")
    sides = [cube.column(name)[corners] > 0.5 for name in names]
    for i, one in enumerate(sides):
        for two in sides[:i]:
            assert {(bool(a), bool(b)) for a, b in zip(one, two, strict=True)} == {
                (a, b) for a in (False, True) for b in (False, True)
            }
    (draw,) = extremes.draws_of(cube, [extremes.CORNER_EVERY - 1])
    beta = draw.values("closures", "growth")["beta"]
    assert min(abs(beta / end - 1.0) for end in (0.07421, 0.08079)) < 1e-9


def test_levels_of_inputs_are_those_of_treatments() -> None:
    """A third knocked down to 0–1, a third untouched, a third over-expressed up to 1000."""
    levels = extremes.level(extremes.Hypercube(3000).column("x"), 1.0)
    assert levels.min() < 1e-3
    assert levels.max() == pytest.approx(1000.0, rel=1e-3)
    assert np.mean(levels == 1.0) == pytest.approx(1 / 3, abs=0.1)
    assert (extremes.level(np.array([0.1, 0.9]), 0.0) == 0.0).tolist() == [True, False]


# ---------------------------------------------------------------- failures are rows


def test_a_point_that_cannot_be_solved_is_a_named_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """Line, arm, draw and reason stand in the tables; no number stands beside them."""
    study = small_study(SMALL.replace("draws  = 12", "draws  = 3"))
    real = preparation.network_values
    failing = preparation.Draw.plausible("cascading/tgfb", 7, [2])[0].number

    def values(draw: Any, *more: Any) -> dict[str, float]:
        found = real(draw, *more)
        return found | {"kdT": -1.0} if draw.number == failing else found

    monkeypatch.setattr(preparation, "network_values", values)
    result = fresh_run(study, workers=1)
    rows = result.outcomes[result.outcomes["status"] != "ok"]
    assert set(rows["draw"]) == {2}
    assert set(rows["cell_line"]) == set(study.cell_lines)
    assert set(rows["arm"]) == set(study.arms)
    assert rows["tumour_volume_true"].isna().all()
    reasons = {*extremes.REASONS.values()}
    assert set(rows["status"]) <= reasons
    assert result.n_failed == len(rows)
    told = result.draws[result.draws["draw"] == 2]
    assert set(told["status"]) <= reasons
    assert told["tumour_ratio"].isna().all()


# ---------------------------------------------------------------- planted bugs


def plant_logarithm(patch: pytest.MonkeyPatch) -> None:
    """Behaviour takes the logarithm of what may be nothing."""
    real = extremes.behave

    def behave(*arguments: Any) -> Any:
        found = real(*arguments)
        with np.errstate(all="ignore"):
            return found._replace(growth=found.growth + 0.0 * np.log(found.mesenchymal - 0.001))

    patch.setattr(extremes, "behave", behave)


def plant_negative(patch: pytest.MonkeyPatch) -> None:
    """Clusters leave in negative numbers where cells hold together least."""
    real = extremes.leave

    def leave(*given: Any) -> Any:
        found = real(*given)
        return found._replace(clusters_rate=found.clusters_rate - 1e-2)

    patch.setattr(extremes, "leave", leave)


def plant_unbounded(patch: pytest.MonkeyPatch) -> None:
    """A drug blocks more than all of its target."""
    real = exposure.blocked_course

    def blocked(*arguments: Any) -> Any:
        at, mean = real(*arguments)
        return 1.3 * at, 1.3 * mean

    patch.setattr(exposure, "blocked_course", blocked)


def plant_silence(patch: pytest.MonkeyPatch) -> None:
    """Cells that fail are not told, and their tumours are taken for solved."""
    plant_failures(patch)
    patch.setattr(Batch, "failed", lambda self: np.zeros(self.shape[0], dtype=np.int64))


def plant_failures(patch: pytest.MonkeyPatch) -> None:
    """One point in forty fails by name, which is too many."""
    real = preparation.network_values

    def values(draw: Any, *more: Any) -> dict[str, float]:
        found = real(draw, *more)
        return found | {"kdT": float("nan")} if draw.number % 40 == 7 else found

    patch.setattr(preparation, "network_values", values)


def plant_level(patch: pytest.MonkeyPatch) -> None:
    """More E-cadherin than there can be."""
    real = extremes.derive

    def derive(levels: Any, *more: Any, **named: Any) -> Any:
        found = real(levels, *more, **named)
        return extremes.replace(found, e_present=2.0 ** levels["e_score"])

    patch.setattr(extremes, "derive", derive)


def plant_explicit(patch: pytest.MonkeyPatch) -> None:
    """Networks are advanced by explicit steps of an hour."""

    def advance(self: Batch, hours: float) -> None:
        scale = self.state.mean()
        self.state -= 1e-3 * scale * min(hours, 1.0)

    patch.setattr(Batch, "advance", advance)


PLANTED: list[tuple[Callable[[pytest.MonkeyPatch], None], str]] = [
    (plant_logarithm, "cells cascading/tgfb"),
    (plant_negative, "cells cascading/tgfb"),
    (plant_explicit, "cells cascading/tgfb"),
    (plant_silence, "cells ternary/tgfb"),
    (plant_failures, "cells ternary/tgfb"),
    (plant_unbounded, "pharmacokinetics"),
    (plant_level, "lines"),
]


@pytest.mark.parametrize(("plant", "layer"), PLANTED)
def test_planted_bugs_are_caught(
    monkeypatch: pytest.MonkeyPatch, plant: Callable[[pytest.MonkeyPatch], None], layer: str
) -> None:
    """Each layer passes above and fails here."""
    plant(monkeypatch)
    with pytest.raises(AssertionError), np.errstate(all="ignore"):
        check_layers(layer)


def test_structures_of_the_script_are_all_there_are() -> None:
    """Both cores, both mechanisms, both readings of E-cadherin."""
    names = {structure.name for structure in extremes.STRUCTURES}
    assert len(names) == len(extremes.STRUCTURES) == 6
    assert Structure().name in names
