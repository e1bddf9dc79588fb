"""The smallest and the largest studies that are allowed: a defined result, or an error by name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from small_study import SMALL, fresh_run, small_study
from unmoor.assays.quantities import COURSES
from unmoor.catalog import draws
from unmoor.cell.line import Structure
from unmoor.errors import StudyError
from unmoor.parameters import GENES
from unmoor.trial import chunks
from unmoor.trial.chunks import Chunk, compute
from unmoor.trial.result import Result
from unmoor.trial.study import Study

BASE = SMALL.replace("draws  = 12", "draws  = 2").replace('["4T1", "MDA-MB-231"]', '["4T1"]')
VEHICLE, ARM = '"vehicle" = []', '"arm" = [{}]'


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    """No test sees what another one left in memory."""
    draws._draw.cache_clear()
    yield
    draws._draw.cache_clear()


def study_of(*items: str, settings: dict[str, Any] | None = None) -> Study:
    """Vehicle and one arm."""
    start, end = BASE.index("[arms]"), BASE.index("[uncertainty]")
    arms = f'[arms]\n{VEHICLE}\n"arm" = [{", ".join(items)}]\n\n'
    return small_study(BASE[:start] + arms + BASE[end:], settings or {})


def arrays(study: Study, structure: Structure | None = None) -> dict[str, Any]:
    """The chunk of two draws."""
    chunk = Chunk(0, "4T1", structure or Structure(), 1, 2, is_rival=False)
    return compute(study, chunk)


def check_solved(made: dict[str, Any]) -> None:
    """All subjects solved, all numbers finite and none negative."""
    assert (made["status"] == 0).all(), made["status"]
    for name, values in made.items():
        if values.dtype.kind == "f":
            assert np.isfinite(values).all(), name
    for name in ("volume", "expected_metastases", "exposure", "shedding", "singles", "clusters"):
        assert (made[name] >= 0.0).all(), name


def check_result(result: Result) -> None:
    """Every row of every table is solved."""
    assert result.n_failed == 0
    assert (result.outcomes["status"] == "ok").all()
    assert np.isfinite(result.outcomes["tumour_volume_true"]).all()


@pytest.mark.parametrize("drug", ["anti_itgb1", "tgfbr1_inhibitor"])
def test_a_dose_of_nothing_is_no_treatment(drug: str) -> None:
    """To the bit."""
    made = arrays(study_of(f'{{ drug = "{drug}", dose = "0 mg/kg", every = "1 d" }}'))
    check_solved(made)
    for name in ("volume", "expected_metastases", "courses"):
        assert made[name][:, 0].tobytes() == made[name][:, 1].tobytes()


def test_the_highest_dose_is_solved_and_more_is_refused() -> None:
    """A million times a usual dose is an error that names the range."""
    made = arrays(study_of('{ drug = "anti_itgb1", dose = "200 mg/kg", every = "1 h" }'))
    check_solved(made)
    blocked = 1.0 - made["courses"][:, 1, COURSES.index("beta1_active"), -1]
    assert (blocked > 0.75).all()
    assert (blocked <= 1.0).all()
    with pytest.raises(StudyError, match="0-1000 mg/kg"):
        study_of('{ drug = "anti_itgb1", dose = "1e7 mg/kg", every = "1 d" }')


CASES: dict[str, dict[str, Any]] = {
    "one cell": {"assays[0].inoculum": "1 cells"},
    "a thousand million cells": {"assays[0].inoculum": "1e9 cells"},
    "a minute": {"assays[0].duration": "1 min"},
    "a millisecond": {"assays[0].duration": "1e-8 d"},
    "a year": {"assays[0].duration": "365 d"},
    "one clone": {"assays[0].clones": 1},
    "a hundred clones": {"assays[0].clones": 100},
    "one cell of one clone for a minute": {
        "assays[0].inoculum": "1 cells", "assays[0].clones": 1, "assays[0].duration": "1 min",
    },
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("core", ["cascading", "ternary"])
def test_the_ends_of_an_assay_are_solved(name: str, core: str) -> None:
    """Cells, days and clones at either end, with a strong treatment."""
    knock_out = '{ gene = "ITGB1", change = "knock_down", factor = 0.0 }'
    made = arrays(study_of(knock_out, settings=CASES[name]), Structure(core))
    check_solved(made)
    if "minute" in name or "second" in name:
        start = study_of(settings=CASES[name]).assays[0].inoculum / 1e6
        assert np.allclose(made["volume"], start, rtol=0.01)


def test_the_smallest_study_is_a_study() -> None:
    """One animal, no draws, an arm without treatment, the shortest time."""
    settings = {"assays[0].animals": 1, "uncertainty.draws": 0, "assays[0].duration": "1 min"}
    result = fresh_run(study_of(settings=settings))
    check_result(result)
    assert len(result.outcomes) == 2
    effects = result.effects()
    assert effects["tumour_ratio"].tolist() == [1.0]
    for refused in ({"assays[0].animals": 0}, {"assays[0].duration": "0 d"}):
        with pytest.raises(StudyError):
            study_of(settings=refused)


@pytest.mark.parametrize(
    "gene", sorted({label: gene for gene, (label, _) in GENES.items()}.values())
)
def test_every_gene_can_be_knocked_out_and_over_expressed(gene: str) -> None:
    """Nothing of it, or a thousand times as much."""
    for change, factor in (("knock_down", 0.0), ("over_express", 1000.0)):
        item = f'{{ gene = "{gene}", change = "{change}", factor = {factor} }}'
        for core in ("cascading", "ternary"):
            check_solved(arrays(study_of(item), Structure(core)))


def test_without_e_cadherin_more_leave_alone() -> None:
    """Singles per cluster rises, and stays finite."""
    item = '{ gene = "CDH1", change = "knock_down", factor = 0.0 }'
    made = arrays(study_of(item, settings={"assays[0].duration": "120 d"}))
    check_solved(made)
    fold = made["courses"][:, 1, COURSES.index("singles_per_cluster"), -1]
    assert np.isfinite(fold).all()
    assert (fold > 1.0).all()


def test_a_planted_failure_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tumour that is not a number in one case of many is noticed."""
    real = chunks.draw_sets

    def sets(*arguments: Any) -> Any:
        found = real(*arguments)
        found[0].values("closures", "growth")["beta"] = float("nan")
        return found

    monkeypatch.setattr(chunks, "draw_sets", sets)
    with pytest.raises(AssertionError):
        check_solved(arrays(study_of()))
    draws._draw.cache_clear()
