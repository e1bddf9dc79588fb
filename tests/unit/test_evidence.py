"""Published directions: how a table is read, turned into studies and judged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from unmoor import catalog
from unmoor.analysis import evidence
from unmoor.analysis.evidence import (
    AGREES,
    CANNOT,
    DISAGREES,
    Judged,
    judge_rows,
    role_of,
    scores,
    structures_that_agree,
    study_of,
    verdict_of,
)
from unmoor.analysis.evidence_rows import COLUMNS, EvidenceRow, Treatment, read_evidence, read_side
from unmoor.cell.line import Structure
from unmoor.errors import StudyError
from unmoor.therapy.irradiation import Irradiation
from unmoor.therapy.regimen import Edit, Regimen

EVIDENCE = Path(__file__).parents[3] / "shared" / "evidence" / "evidence.tsv"
ROW = {
    "id": "X01", "line": "4T1|MCF-7", "host": "", "assay": "viability", "matrix": "laminin",
    "perturbation": "anti_itgb1", "reference": "none", "readout": "proliferation",
    "direction": "-", "source": "somebody", "use": "hard", "note": "",
}  # fmt: skip


def row(**changes: str) -> EvidenceRow:
    """One row."""
    cells = {**ROW, **changes}
    lines = tuple(cells.pop("line").split("|"))
    return EvidenceRow(lines=lines, **cells)


def written(folder: Path, *rows: dict[str, str]) -> Path:
    """A file of rows."""
    lines = ["\t".join(COLUMNS), *("\t".join({**ROW, **each}.values()) for each in rows)]
    path = folder / "evidence.tsv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "treatments", "read"),
    [
        ("none", (), None),
        ("ITGB1 x0.1", (Treatment("edit", "ITGB1", "0.1"),), None),
        ("ITGB1 x0.1 until 7 d", (Treatment("edit", "ITGB1", "0.1", None, 7.0),), None),
        ("ITGB1 x0.1 read 14 d", (Treatment("edit", "ITGB1", "0.1"),), 14.0),
        ("MIR200 re-expressed", (Treatment("re_express", "MIR200"),), None),
        ("radiation 2 Gy at 1 d", (Treatment("radiation", "", "2 Gy", 1.0),), None),
        ("TGFB1 2 ng/mL", (Treatment("medium", "TGFB1", "2 ng/mL"),), None),
        ("rgd_mimetic nanomolar", (Treatment("drug", "rgd_mimetic"),), None),
        (
            "radiation 2 Gy; anti_itgb1 from 36 h until 3 d",
            (Treatment("radiation", "", "2 Gy"), Treatment("drug", "anti_itgb1", "", 1.5, 3.0)),
            None,
        ),
    ],
)
def test_the_language_of_treatments(
    text: str, treatments: tuple[Treatment, ...], read: float | None
) -> None:
    """Every form that rows use."""
    side = read_side(text)
    assert (side.treatments, side.read) == (treatments, read)


def test_a_row_becomes_the_study_that_asks_it() -> None:
    """Edits of before the assay, a drug from its start, radiation as it says."""
    asked = row(perturbation="ITGB1 x0; radiation 2 Gy at 1 d; anti_itgb1 from 2 d",
                reference="ITGB1 x0", matrix="collagen_i")  # fmt: skip
    study, days = study_of(asked, "4T1", Structure(), 20, 7)
    edit = Edit("ITGB1", change="knock_down", factor=0.0)
    drug = Regimen("anti_itgb1", concentration="70 nM", start="2 d")
    assert study.arms["perturbed"] == (edit, Irradiation("2 Gy", start="1 d"), drug)
    assert study.arms["reference"] == (edit,)
    assert study.arms["none"] == ()
    assay: Any = study.assays[0]
    assert (assay.matrix, assay.duration, days) == ("collagen_i", 7.0, (7.0, 7.0))


def test_days_of_read_out_count_from_the_edit() -> None:
    """Of two days of one arm, and of a treatment that ends two weeks before it is read."""
    twice = row(perturbation="ITGB1 x0.1 read 14 d", reference="ITGB1 x0.1 read 3 d")
    study, days = study_of(twice, "4T1", Structure(), 20, 7)
    assert days == (14.0, 3.0)
    assert study.assays[0].duration == 14.0
    assert study.arms["perturbed"][0].start == 0.0
    back = row(assay="signalling_time_course", readout="e_cadherin",
               perturbation="ITGB1 x0.1 until 7 d", reference="ITGB1 x0.1")  # fmt: skip
    study, days = study_of(back, "4T1", Structure(), 20, 7)
    assert days == (21.0, 21.0)
    assert study.arms["perturbed"][0].start is None


@pytest.mark.parametrize(
    ("matrix", "dimensions", "density"),
    [("collagen_i", 3, 2.5), ("collagen_i dense", 3, 4.0), ("collagen_i loose", 3, 1.5),
     ("plastic_2d", 2, 2.5)],
)  # fmt: skip
def test_gels_are_as_dense_as_a_row_says(matrix: str, dimensions: int, density: float) -> None:
    """Densities are in the catalog; a spheroid on plastic lies flat."""
    asked = row(assay="spheroid_invasion", readout="invasion", matrix=matrix)
    study, days = study_of(asked, "4T1", Structure(), 20, 7)
    (assay,) = study.assays
    assert assay.collagen == density
    assert catalog.about("matrices", assay.matrix).get("dimensions", 3) == dimensions
    assert days == (3.0, 3.0)


def test_what_a_row_ends_ends_soon_in_a_tissue() -> None:
    """Its cells have been under it in culture, and a tissue grows too large in three weeks."""
    back = row(assay="spheroid_invasion", readout="cohesion", perturbation="ITGB1 x0.1 until 7 d",
               reference="ITGB1 x0.1")  # fmt: skip
    study, days = study_of(back, "4T1", Structure(), 20, 7)
    assert study.arms["perturbed"][0].stop == 1.0
    assert study.arms["perturbed"][0].start is None
    assert study.arms["reference"][0].stop is None
    assert days == (5.0, 5.0)


def test_animals_are_those_of_the_row_or_of_the_line() -> None:
    """A mouse line goes home, a human one into a mouse that takes it."""
    asked = {"assay": "orthotopic_xenograft", "readout": "tumour_volume", "matrix": ""}
    for line, host, expected in (
        ("4T1", "", "balbc"),
        ("MCF-7", "", "nsg"),
        ("4T1", "scid", "scid"),
    ):
        study, _ = study_of(row(**asked, host=host), line, Structure(), 20, 7)
        assert study.assays[0].host_of(line) == expected
        assert study.arms["perturbed"][0].dose == 10.0


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"assay": "spheroid_invasion", "readout": "speed", "matrix": "collagen_i runny"}, "runny"),
        ({"assay": "scratch"}, "no assay scratch"),
        ({"readout": "speed"}, "does not read speed"),
        ({"perturbation": "ITGA3 x0.1"}, "ITGA3"),
        ({"perturbation": "unknown_drug"}, "unknown_drug"),
        ({"line": "HeLa-9"}, "HeLa-9"),
        ({"assay": "orthotopic_xenograft", "readout": "tumour_volume", "host": "balbc",
          "line": "MCF-7"}, "rejects"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_told_and_not_counted(changes: dict[str, str], says: str) -> None:
    """With the reason, and without a run."""
    (judged, *_) = judge_rows([row(**{"line": "4T1", **changes})], draws=3)
    assert judged.outcome == CANNOT
    assert says in judged.reason


def judged(arm: list[float], reference: list[float], **changes: str) -> Judged:
    """How planted draws are judged."""
    each = row(**changes)
    blank = Judged(each, "4T1", "cascading/tgfb", CANNOT, role_of(each))
    return evidence._compared(blank, np.array(arm), np.array(reference))


def test_a_direction_needs_its_size_and_its_share_of_draws() -> None:
    """Ratios count beyond 1.1, in four of five draws; no change is .8 to 1.25."""
    ones = [1.0] * 10
    assert judged([0.5] * 8 + [1.0] * 2, ones).outcome == AGREES
    assert judged([0.5] * 7 + [1.0] * 3, ones).outcome == DISAGREES
    assert judged([0.95] * 10, ones).outcome == DISAGREES
    assert judged([1.2] * 10, ones, direction="+").outcome == AGREES
    assert judged([1.2] * 10, ones, direction="0").outcome == AGREES
    assert judged([1.3] * 10, ones, direction="0").outcome == DISAGREES


def test_shares_of_a_whole_are_judged_by_their_difference() -> None:
    """A line with next to no E-cadherin loses none, whatever the ratio."""
    asked = {"assay": "signalling_time_course", "readout": "e_cadherin"}
    assert judged([1e-5] * 5, [1e-4] * 5, **asked, direction="0").outcome == AGREES
    assert judged([1e-5] * 5, [1e-4] * 5, **asked).outcome == DISAGREES
    found = judged([0.5] * 5, [0.9] * 5, **asked)
    assert (found.outcome, found.measure) == (AGREES, "difference")
    assert found.median == pytest.approx(-0.4)


def test_rows_that_made_the_model_are_told_apart() -> None:
    """Calibration, tuning, test."""
    assert [role_of(row(id=name)) for name in ("T05", "T10b", "T12", "G01", "A01", "O12a")] == [
        "calibrated", "calibrated", "tuned", "tuned", "test", "test",
    ]  # fmt: skip


def outcome(name: str, line: str, structure: str, word: str, use: str = "conflict") -> Judged:
    """A judged row."""
    return Judged(row(id=name, use=use), line, structure, word, "test")


def test_a_conflict_needs_one_structure_for_all_lines() -> None:
    """Different structures in different lines are no answer; lines that cannot are left out."""
    split = [outcome("A", "x", "one", AGREES), outcome("A", "x", "two", DISAGREES),
             outcome("A", "y", "one", DISAGREES), outcome("A", "y", "two", AGREES)]  # fmt: skip
    assert verdict_of(split) == DISAGREES
    assert structures_that_agree(split) == []
    left = [*split[:2], outcome("A", "y", "one", CANNOT), outcome("A", "y", "two", CANNOT)]
    assert structures_that_agree(left) == ["one"]
    assert verdict_of([outcome("A", "x", "one", CANNOT)]) == CANNOT
    counted = list(scores([*left, outcome("B", "x", "one", DISAGREES, "hard")]))
    found = [(x.role, x.use, x.agrees, x.disagrees, x.cannot) for x in counted]
    assert found == [("test", "hard", 0, 1, 0), ("test", "conflict", 1, 0, 0)]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"id": ""}, "id"),
        ({"direction": "up"}, "direction"),
        ({"use": "maybe"}, "use"),
        ({"readout": ""}, "readout"),
        ({"perturbation": "ITGB1 x0.1 until 7 parsecs"}, "perturbation"),
    ],
)
def test_a_faulty_row_is_told_by_line(tmp_path: Path, changes: dict[str, str], field: str) -> None:
    """And nothing is run."""
    path = written(tmp_path, {}, {"id": "X02", **changes})
    with pytest.raises(StudyError) as caught:
        read_evidence(path)
    assert [problem.field for problem in caught.value.problems] == [field]
    assert caught.value.problems[0].where == f"{path}:3:1"


def test_a_file_that_is_no_table_of_evidence_is_refused(tmp_path: Path) -> None:
    """Empty, without columns, without rows, or with an id twice."""
    texts = ("", "a\tb\n1\t2\n", "\t".join(COLUMNS) + "\n")
    for text in texts:
        (tmp_path / "bad.tsv").write_text(text, encoding="utf-8")
        with pytest.raises(StudyError):
            read_evidence(tmp_path / "bad.tsv")
    with pytest.raises(StudyError, match="X01"):
        read_evidence(written(tmp_path, {}, {}))


def test_workers_change_nothing() -> None:
    """Rows are judged alike, in their order."""
    rows = [row(id="X1", line="4T1"), row(id="X2", line="4T1", readout="apoptosis", direction="+")]
    assert judge_rows(rows, draws=4, workers=1) == judge_rows(rows, draws=4, workers=3)


@pytest.mark.skipif(not EVIDENCE.is_file(), reason="the evidence table is not shipped")
def test_every_published_row_is_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only α integrins are beyond the model. Tissues are tiny here, and end after half a day.

    That is so little that a body may not invade at all, and its invasion be no ratio.
    """
    brief = {"spheroid_invasion": 0.5, "tissue_stop": 0.2, "tissue_restored": 0.2}
    brief |= {"tissue_cells": 20.0, "tissue_draws": 1.0}
    limits = {**evidence._limits(), **brief}
    monkeypatch.setattr(evidence, "_limits", lambda: limits)
    found = judge_rows(read_evidence(EVIDENCE), draws=2)
    still = {each.row.id for each in found if each.reason == "no draw gives a number"}
    assert all(each.row.readout == "invasion" for each in found if each.row.id in still)
    reasons = {each.reason for each in found if each.outcome == CANNOT and each.row.id not in still}
    assert reasons == {
        "no input of the network stands for ITGA2",
        "no input of the network stands for ITGA3",
    }
    able = {each.row.id: each for each in found if each.outcome != CANNOT or each.row.id in still}
    tissues = {name: each.draws for name, each in able.items() if "spheroid" in each.row.assay}
    assert {draws for name, draws in tissues.items() if name not in still} == {1}
    assert len(tissues) == 18
    assert len(able) >= 68
