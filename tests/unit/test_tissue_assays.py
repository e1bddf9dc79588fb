"""Assays of tissues: settings, founders, arms that part, replicates, edges."""

from __future__ import annotations

import dataclasses
import math
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from small_study import digests, fresh_run
from unmoor.assays.base import Bench, Outcome
from unmoor.assays.cell_sorting import checkerboard, heterotypic_fraction
from unmoor.assays.culture import in_vitro, setting_of
from unmoor.assays.founders import Founders
from unmoor.assays.layer_settings import CellSorting, Monolayer
from unmoor.assays.monolayer import covered, sides
from unmoor.assays.tissue_settings import REFERENCE_TISSUES, SpheroidInvasion, TissueAssay
from unmoor.catalog.draws import Draw
from unmoor.cell.line import CellLine, Structure
from unmoor.errors import Interrupted, StudyError
from unmoor.random import Stream
from unmoor.signalling.solve import LANES
from unmoor.therapy.irradiation import Irradiation
from unmoor.therapy.regimen import Edit, Regimen
from unmoor.tissue.snapshot import LIVING, Snapshot
from unmoor.trial import chunks
from unmoor.trial import run as run_module
from unmoor.trial.chunks import Chunk, compute, plan
from unmoor.trial.frames import pack_frames, unpack_frames
from unmoor.trial.packing import pack, unpack
from unmoor.trial.run import Progress, resume
from unmoor.trial.run import run as run_study
from unmoor.trial.store import RunFolder
from unmoor.trial.study import Study

LOSS = Edit("ITGB1", change="knock_down", factor=0.1)
BRIEF: dict[str, Any] = {"cells": 10, "clones": 3, "duration": "2 h"}


def bench(arms: Mapping[str, Any], **changes: Any) -> Bench:
    """A bench of a line whose cells hold on to each other."""
    return Bench(CellLine.load("4T1"), arms, Structure(), 5, **changes)


def run(assay: TissueAssay, arms: Mapping[str, Any], **changes: Any) -> Outcome:
    """One parameter set."""
    return assay.run(bench(arms, **changes), [Draw(5, 1, is_prior=True)])


def cells_at(*places: tuple[float, float, float], radius: float = 10.0) -> Snapshot:
    """Living cells of one size."""
    n = len(places)
    ids = np.arange(n, dtype=np.uint64)
    single = [np.zeros(n, np.float32) for _ in range(7)]
    size, still = np.full(n, radius, np.float32), np.zeros((n, 3), np.float32)
    return Snapshot(0.0, ids, ids, np.zeros(n, np.int32), np.full(n, LIVING, np.int8),
                    np.array(places, dtype=float).reshape(n, 3), still, size, *single)  # fmt: skip


# --- settings -----------------------------------------------------------------------------------


def test_text_and_numbers_in_base_units_give_the_same_settings() -> None:
    """Densities, lengths and days."""
    text = SpheroidInvasion(collagen="4 g/L", duration="36 h", read=["12 h", "36 h"])
    assert text == SpheroidInvasion(collagen=4.0, duration=1.5, read=(0.5, 1.5))
    assert Monolayer(gap="0.3 mm") == Monolayer(gap=300.0)


def test_a_design_is_told_in_the_words_of_the_laboratory() -> None:
    """Cells, ground, length, and the density of a gel."""
    assert SpheroidInvasion(cells=50).design == "50 cells in collagen_i (3-D), 3 d, 2.5 mg/mL"
    flat = SpheroidInvasion(dimensions="2d", duration="36 h")
    assert flat.design == "200 cells on collagen_i (2-D), 1.5 d"
    assert CellSorting().design == "100 cells on plastic, 1 d"


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        (SpheroidInvasion, {"cells": 0}),
        (SpheroidInvasion, {"cells": 1e3}),
        (SpheroidInvasion, {"collagen": "2.5"}),
        (SpheroidInvasion, {"collagen": "2.5 nM"}),
        (SpheroidInvasion, {"collagen": 0.0}),
        (SpheroidInvasion, {"spheroids": 0}),
        (SpheroidInvasion, {"dimensions": "4d"}),
        (SpheroidInvasion, {"duration": "31 d"}),
        (SpheroidInvasion, {"read": "4 d"}),
        (Monolayer, {"gap": "-1 um"}),
        (Monolayer, {"gap": math.nan}),
        (CellSorting, {"start": "sorted"}),
        (CellSorting, {"second": []}),
        (CellSorting, {"second": [{"gene": "CDH1"}]}),
        (CellSorting, {"second": "CDH1"}),
    ],
    ids=str,
)
def test_wrong_settings_are_refused(kind: Any, given: dict[str, Any]) -> None:
    """With the same error as a study file, and the field's name."""
    with pytest.raises(StudyError) as caught:
        kind(**given)
    (name,) = given
    assert caught.value.problems[0].field.startswith(f"{kind.__name__}.{name}")


@pytest.mark.parametrize("kind", [SpheroidInvasion, Monolayer, CellSorting])
def test_settings_are_frozen_hashable_and_picklable(kind: Any) -> None:
    """Also the list of edits of a second population."""
    settings = kind()
    with pytest.raises(dataclasses.FrozenInstanceError):
        settings.cells = 3
    assert pickle.loads(pickle.dumps(settings)) == settings
    assert hash(settings) == hash(dataclasses.replace(settings))
    study = Study(["4T1"], {"vehicle": [], "loss": [LOSS]}, "vehicle", assay=settings)
    assert Study.loads(study.to_toml()).assays == (settings,)


def test_a_density_without_a_gel_is_told() -> None:
    """Cells on a coat are in no gel; the density does nothing."""
    arms = {"vehicle": [], "loss": [LOSS]}
    flat = SpheroidInvasion(collagen="4 mg/mL", dimensions="2d")
    study = Study(["4T1"], arms, "vehicle", assay=flat)
    assert [each.code for each in study.warnings] == ["W-GEL"]
    solid = SpheroidInvasion(collagen="4 mg/mL")
    assert Study(["4T1"], arms, "vehicle", assay=solid).warnings == ()


# --- how a study runs them ----------------------------------------------------------------------


def test_work_comes_in_pieces_of_seconds() -> None:
    """Little is lost when a run is stopped: fewer draws a piece the longer they take."""
    arms = {"vehicle": [], "loss": [LOSS]}

    def most(cells: int) -> int:
        study = Study(["4T1"], arms, "vehicle", assay=SpheroidInvasion(cells=cells))
        return max(chunk.last - chunk.first + 1 for chunk in plan(study))

    assert most(10) > most(200) >= most(5_000) == 1


def test_the_reference_set_has_replicates_and_frames_of_its_first() -> None:
    """Chance shows beside what is not known; other sets have what the study says."""
    assay = SpheroidInvasion(**BRIEF, spheroids=2)
    arms: dict[str, Any] = {"vehicle": (), "loss": (LOSS,)}
    several = run(assay, arms)
    assert several.arrays["repeats"].shape[:3] == (1, 2, 2)
    assert several.snapshots == {}
    many = run(assay, arms, is_reference=True)
    assert many.arrays["repeats"].shape[:3] == (1, 2, REFERENCE_TISSUES)
    assert list(many.snapshots) == list(arms)
    assert {len(frames) for frames in many.snapshots.values()} == {13}
    ends = [frames[-1] for frames in many.snapshots.values()]
    assert [frame.time for frame in ends] == [120.0, 120.0]
    first = [frames[0].position for frames in many.snapshots.values()]
    assert np.array_equal(*first)  # arms are paired
    assert not np.array_equal(ends[0].e_cadherin, ends[1].e_cadherin)


def test_replicates_differ_and_their_mean_is_told() -> None:
    """Each has its own places and chances."""
    assay = SpheroidInvasion(**BRIEF, spheroids=3)
    found = run(assay, {"vehicle": ()})
    each = found.arrays["repeats"][0, 0, :, 0, 0]
    assert len(set(each.tolist())) == 3
    assert found.readouts[0, 0, 0, 0] == (each[0] + each[1] + each[2]) / 3


def test_frames_survive_a_chunk() -> None:
    """Packed, written as bytes and unpacked; an arm may have any name, a frame no cell."""
    frames = {"anti-β1 / late": [cells_at((0, 0, 0), (9, 0, 0)), cells_at()], "b": [cells_at()]}
    again = unpack_frames(unpack(pack(pack_frames(frames)), None))  # type: ignore[arg-type]
    assert list(again) == list(frames)
    for arm, listed in frames.items():
        for one, other in zip(listed, again[arm], strict=True):
            assert all(np.array_equal(x, y) for x, y in zip(one, other, strict=True))
    assert unpack_frames(pack_frames({})) == {}


def test_a_chunk_of_the_reference_set_keeps_its_frames() -> None:
    """So that pictures can be drawn of a run that was resumed."""
    arms = {"vehicle": [], "loss": [LOSS]}
    study = Study(["4T1"], arms, "vehicle", assay=SpheroidInvasion(**BRIEF), seed=5,
                  uncertainty={"draws": 1, "rivals": False})  # fmt: skip
    reference, drawn = plan(study)
    assert list(unpack_frames(compute(study, reference))) == ["vehicle", "loss"]
    assert unpack_frames(compute(study, drawn)) == {}


# --- cells ----------------------------------------------------------------------------------------


def test_founders_are_the_clones_of_a_culture() -> None:
    """Each slot has the numbers of its clone under its population's treatment, to the bit."""
    draws = [Draw(5, number, is_prior=True) for number in (1, 2)]
    place = in_vitro("collagen_i", None, bench({}))
    setting = setting_of(bench({"vehicle": (), "loss": (LOSS,)}), place, 0.25, 3)
    founders = Founders(setting, draws)
    on = founders.on
    width = on.batch.blocks.state.shape[0] // on.shape[0]
    subjects = [founders.subject(1, 0), founders.subject(1, 1)]
    signals = founders.signals(1, subjects, 11)
    number = founders.clones(11, 2)
    for slot in range(11):
        population, clone = slot % 2, slot // 2 % 3
        assert number[slot] == 3 * population + clone
        s = subjects[population]
        block = s * width + clone // LANES
        for name in ("state", "parameters", "inputs", "readouts", "step"):
            own = getattr(signals.blocks, name)[slot // LANES, :, slot % LANES]
            assert np.array_equal(own, getattr(on.batch.blocks, name)[block, :, clone % LANES])
        assert signals.cells[slot] == on.cells[s, clone]
        assert signals.kind[slot] == population
    labels = list(on.network.inputs)
    at = labels.index("itgb1")
    assert signals.schedule.inputs[:, 0, at].tolist() == pytest.approx([1.0, 0.1])
    assert signals.slots == 16


def test_arms_are_one_tissue_until_something_tells_them_apart() -> None:
    """An arm that parts on the way has the bits of one that was run alone."""
    late = Edit("ITGB1", change="knock_down", factor=0.1, start="12 h")
    assay = SpheroidInvasion(cells=8, clones=3, duration="18 h", read=["12 h", "18 h"])
    arms: dict[str, Any] = {"vehicle": (), "late": (late,), "loss": (LOSS,)}
    together = run(assay, arms)
    for i, name in enumerate(arms):
        alone = run(assay, {name: arms[name]})
        assert np.array_equal(together.courses[:, i], alone.courses[:, 0], equal_nan=True)
    vehicle, parted = together.readouts[0, 0], together.readouts[0, 1]
    assert np.array_equal(vehicle[:, 0], parted[:, 0], equal_nan=True)
    assert not np.array_equal(vehicle[:, 1], parted[:, 1], equal_nan=True)


def test_a_drug_in_the_medium_is_that_of_other_assays() -> None:
    """Schedules are the courses of inputs over time; edits act where no drug gets to."""
    drug = Regimen("anti_itgb1", concentration="70 nM")
    setting = setting_of(
        bench({"both": (drug, LOSS)}), in_vitro("collagen_i", None, bench({})), 1, 2
    )
    founders = Founders(setting, [Draw(5, 1, is_prior=True)])
    schedule = founders.schedule([founders.subject(0, 1)])
    at = list(founders.on.network.inputs).index("itgb1")
    assert np.array_equal(schedule.inputs[0], founders.on.treated().inputs[1])
    assert schedule.inner[0, :, at] == pytest.approx(0.1)
    assert (schedule.inputs[0, :, at] < 0.09).all()


# --- geometry -------------------------------------------------------------------------------------


def test_a_scratch_is_as_wide_as_it_says() -> None:
    """Half of the cells on each side, none within."""
    places = sides(101, 18.0, 300.0, Stream(3))
    left, right = places[places[:, 0] < 0], places[places[:, 0] > 0]
    assert abs(len(left) - len(right)) <= 1
    assert len(places) == 101
    clear = right[:, 0].min() - left[:, 0].max()
    assert 300.0 <= clear <= 300.0 + 1.2 * 18.0
    assert (places[:, 2] == 0.0).all()


@pytest.mark.parametrize("radius", [8.0, 25.0])
def test_covered_area_counts_overlap_once(radius: float) -> None:
    """One disc, two apart, and the same disc twice; in a rectangle only what lies in it."""
    one = covered(cells_at((3.3, -7.1, 0), radius=radius))
    assert one == pytest.approx(math.pi * radius**2, rel=0.05)
    twice = covered(cells_at((3.3, -7.1, 0), (3.3, -7.1, 0), radius=radius))
    assert twice == one
    apart = covered(cells_at((0, 0, 0), (100, 0, 0), radius=radius))
    assert apart == pytest.approx(2 * math.pi * radius**2, rel=0.05)
    assert covered(cells_at((0, 0, 0), radius=50.0), (5.0, 10.0)) == pytest.approx(200.0)
    assert covered(cells_at()) == 0.0


def test_a_checkerboard_has_unlike_neighbours_and_order_none() -> None:
    """Contacts between fields that share an edge; diagonal ones are too far."""
    places = checkerboard(64, 2.0 * 10.0, Stream(3))
    cells = cells_at(*map(tuple, places))
    kind = np.arange(64) % 2
    assert heterotypic_fraction(cells, kind) == 1.0
    assert heterotypic_fraction(cells, np.zeros(64)) == 0.0
    assert math.isnan(heterotypic_fraction(cells_at((0, 0, 0), (99, 0, 0)), np.array([0, 1])))


# --- edges ----------------------------------------------------------------------------------------


def values(outcome: Outcome, assay: TissueAssay, arm: int = 0) -> dict[str, float]:
    """Readouts at the end by name."""
    numbers = outcome.readouts[0, arm, :, -1].tolist()
    return dict(zip(assay.outcomes, numbers, strict=True))


@pytest.mark.parametrize("dimensions", ["2d", "3d"])
def test_one_cell_is_a_spheroid(dimensions: str) -> None:
    """It has no neighbours to be coordinated with, and is single."""
    assay = SpheroidInvasion(cells=1, clones=3, duration="2 h", dimensions=dimensions)
    found = values(run(assay, {"vehicle": ()}), assay)
    assert (found["cells"], found["detached_singles"], found["detached_clusters"]) == (
        1.0,
        1.0,
        0.0,
    )
    assert found["dissemination"] == 1.5
    assert math.isnan(found["coordination"])
    assert found["speed"] > 0.0


def test_one_cell_of_a_mixture_has_no_contacts() -> None:
    """Which is told by a number that is none, not by an error."""
    assay = CellSorting(cells=1, duration="1 h")
    found = values(run(assay, {"vehicle": ()}), assay)
    assert math.isnan(found["heterotypic_fraction"])
    assert (found["clusters_of_one_kind"], found["cells"]) == (1.0, 1.0)


def test_a_spheroid_that_dies_leaves_nothing_to_measure() -> None:
    """50 Gy: counts are 0, and what needs a living cell is undefined; nothing fails."""
    assay = SpheroidInvasion(cells=8, clones=3, duration="3 d")
    rays = (Irradiation("25 Gy", fractions=2, every="1 h"),)
    outcome = run(assay, {"vehicle": (), "rays": rays})
    assert outcome.status.tolist() == [[0, 0]]
    found = values(outcome, assay, 1)
    assert found["cells"] == 0.0
    assert found["detached_singles"] == found["detached_clusters"] == found["cluster_size"] == 0.0
    assert math.isnan(found["speed"])
    assert math.isnan(found["invasion"])
    undefined = {name for name, value in found.items() if math.isnan(value)}
    assert undefined <= set(assay.may_be_undefined)


def test_cells_may_leave_the_gel_that_is_followed() -> None:
    """Beyond the box the gel is as it was at the start: a monolayer and a spheroid go on."""
    assay = Monolayer(cells=6, clones=2, gap="5 mm", duration="1 h")
    found = values(run(assay, {"vehicle": ()}), assay)
    assert found["cells"] == 1.0
    assert abs(found["advance"]) < 5.0
    assert found["speed"] > 0.0


def test_what_is_read_between_exchanges_is_read_at_the_nearest() -> None:
    """Six minutes apart; the times told are those that were asked for."""
    assay = SpheroidInvasion(cells=6, clones=2, duration="65 min", read=["31 min", "65 min"])
    outcome = run(assay, {"vehicle": ()})
    assert outcome.days.tolist() == [31 / 1440, 65 / 1440]
    assert np.isfinite(outcome.readouts[0, 0, 0]).all()


# --- same bits ------------------------------------------------------------------------------------


def brief_study(draws: int = 3) -> Study:
    """Two arms of a brief spheroid."""
    sets = {"draws": draws, "rivals": False}
    arms = {"vehicle": [], "loss": [LOSS]}
    assay = SpheroidInvasion(**BRIEF)
    return Study(["4T1"], arms, "vehicle", seed=5, assay=assay, uncertainty=sets)


def test_workers_and_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads beside each other, and each draw on its own."""
    whole = digests(fresh_run(brief_study(), workers=1))
    monkeypatch.setattr(chunks, "_DRAWS", 1)
    assert digests(fresh_run(brief_study(), workers=3)) == whole


def test_a_run_that_was_stopped_goes_on_to_the_same_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tables and frames are those of a run that never was; what was done is not done again."""
    monkeypatch.setattr(chunks, "_DRAWS", 1)
    whole = fresh_run(brief_study(), workers=1)

    def stop(progress: Progress) -> None:
        if progress.done == 2:
            raise KeyboardInterrupt

    with pytest.raises(Interrupted):
        run_study(brief_study(), workers=1, out=tmp_path, progress=stop)
    (folder,) = tmp_path.iterdir()
    done = RunFolder.open(folder).completed()
    assert 2 <= len(done) < 4
    begun = []
    real = run_module.compute

    def noted(study: Study, chunk: Chunk, days: float | None = None) -> Any:
        begun.append(chunk.key) if days is None else None
        return real(study, chunk, days)

    monkeypatch.setattr(run_module, "compute", noted)
    again = resume(folder, workers=1)
    assert digests(again) == digests(whole)
    assert not done & set(begun)
    (first,) = (chunk for chunk in plan(brief_study()) if chunk.first == 0)
    kept = unpack_frames(RunFolder.open(folder).read_chunk(first.key))
    made = unpack_frames(compute(brief_study(), first))
    for arm, frames in made.items():
        for one, other in zip(frames, kept[arm], strict=True):
            assert all(np.array_equal(x, y) for x, y in zip(one, other, strict=True))
