"""Published directions: how a table is read, turned into studies and judged."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from unmoor import catalog
from unmoor.analysis import evidence
from unmoor.analysis.evidence import Asking, judge_rows, study_of
from unmoor.analysis.evidence_rows import (
    CATALOGUED,
    COLUMNS,
    EvidenceRow,
    Treatment,
    read_evidence,
    read_side,
)
from unmoor.analysis.evidence_verdict import (
    AGREES,
    CANNOT,
    DISAGREES,
    NOT_RUN,
    Judged,
    compared,
    role_of,
    verdicts,
)
from unmoor.analysis.memory import Memory
from unmoor.analysis.validation import publication, validate
from unmoor.cell.line import Structure, adhesion_coupling
from unmoor.errors import Interrupted, StudyError
from unmoor.therapy.irradiation import Irradiation
from unmoor.therapy.regimen import Edit, Regimen
from unmoor.trial.chunks import draw_sets

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
    return compared(blank, np.array(arm), np.array(reference), evidence._limits())


def test_a_direction_needs_its_size_and_its_share_of_draws() -> None:
    """Ratios count beyond 1.1, in four of five draws; no change is 90 % within .8 to 1.25."""
    ones = [1.0] * 10
    assert judged([0.5] * 8 + [1.0] * 2, ones).outcome == AGREES
    assert judged([0.5] * 7 + [1.0] * 3, ones).outcome == DISAGREES
    assert judged([0.95] * 10, ones).outcome == DISAGREES
    assert judged([1.2] * 10, ones, direction="+").outcome == AGREES
    assert judged([1.2] * 10, ones, direction="0").outcome == AGREES
    assert judged([1.3] * 10, ones, direction="0").outcome == DISAGREES
    # four in five draws within .8 to 1.25 were not enough: the interval must be
    assert judged([1.0] * 8 + [1.3] * 2, ones, direction="0").outcome == DISAGREES
    assert judged([1.0] * 39 + [1.3], [1.0] * 40, direction="0").outcome == AGREES


def test_a_draw_without_a_number_has_no_direction() -> None:
    """It counts against the row; what comes from nothing is more, nothing on both sides none."""
    nan = float("nan")
    found = judged([0.5] * 7 + [nan] * 3, [1.0] * 10)
    assert (found.outcome, found.share) == (DISAGREES, 0.7)
    assert judged([1.0] * 5, [0.0] * 5, direction="+").outcome == AGREES
    assert judged([0.0] * 5, [0.0] * 5, direction="0").outcome == AGREES
    assert judged([nan] * 5, [1.0] * 5).outcome == CANNOT


def test_shares_of_a_whole_are_judged_by_their_difference() -> None:
    """A line with next to no E-cadherin loses none, whatever the ratio."""
    asked = {"assay": "signalling_time_course", "readout": "e_cadherin"}
    assert judged([1e-5] * 5, [1e-4] * 5, **asked, direction="0").outcome == AGREES
    assert judged([1e-5] * 5, [1e-4] * 5, **asked).outcome == DISAGREES
    found = judged([0.5] * 5, [0.9] * 5, **asked)
    assert (found.outcome, found.measure) == (AGREES, "difference")
    assert found.median == pytest.approx(-0.4)


def test_rows_that_made_the_model_are_told_apart() -> None:
    """Calibration, tuning, test; a row of one's own is a test, whatever its name."""
    known = {each.id: each for each in read_evidence(CATALOGUED)}
    names = ("T05", "T10b", "T12", "G01", "A01", "O12a")
    assert [role_of(known[name]) for name in names] == [
        "calibrated", "calibrated", "tuned", "tuned", "test", "test",
    ]  # fmt: skip
    assert role_of(row(id="T05")) == "test"


RULE = {"share": 0.8, "change": 1.1, "switch_loss": 0.2, "same_low": 0.8, "same_high": 1.25}
HALF = {"one": 0.5, "two": 0.5}


def outcome(
    name: str, line: str, structure: str, ratios: list[float], use: str = "conflict"
) -> Judged:
    """A row judged with planted ratios."""
    blank = Judged(row(id=name, use=use), line, structure, CANNOT, "test")
    return compared(blank, np.array(ratios), np.ones(len(ratios)), RULE)


def test_a_conflict_needs_one_structure_for_all_lines() -> None:
    """Different structures in different lines are no answer."""
    down, same = [0.5] * 5, [1.0] * 5
    split = [outcome("A", "x", "one", down), outcome("A", "x", "two", same),
             outcome("A", "y", "one", same), outcome("A", "y", "two", down)]  # fmt: skip
    (found,) = verdicts(split, HALF, RULE)
    assert (found.outcome, found.agrees_under) == (DISAGREES, [])
    assert "x: ratio" in found.reason
    assert "y: ratio" in found.reason
    agreeing = [*split[:2], outcome("A", "y", "one", down), outcome("A", "y", "two", same)]
    (found,) = verdicts(agreeing, HALF, RULE)
    assert (found.outcome, found.agrees_under, found.reason) == (AGREES, ["one"], "")


def test_a_hard_row_is_scored_over_the_mixture_of_structures() -> None:
    """One weighting decides; a structure that agrees alone does not."""
    lines = [outcome("A", "x", "one", [0.5] * 10, "hard"),
             outcome("A", "x", "two", [0.5] * 4 + [1.0] * 6, "hard")]  # fmt: skip
    (found,) = verdicts(lines, HALF, RULE)
    assert (found.outcome, found.probability, found.agrees_under) == (DISAGREES, 0.7, ["one"])
    (found,) = verdicts(lines, {"one": 0.75, "two": 0.25}, RULE)
    assert (found.outcome, found.probability) == (AGREES, pytest.approx(0.85))


def test_a_line_that_cannot_be_run_keeps_its_row_from_agreeing() -> None:
    """A row speaks of all its lines; one that fails decides before one that cannot."""
    able = outcome("A", "x", "one", [0.5] * 5, "hard")
    unable = Judged(row(id="A", use="hard"), "y", "one", CANNOT, "test", reason="no line y")
    (found,) = verdicts([able, unable], HALF, RULE)
    assert (found.outcome, found.reason) == (CANNOT, "no line y")
    (found,) = verdicts([outcome("A", "x", "one", [1.0] * 5, "hard"), unable], HALF, RULE)
    assert found.outcome == DISAGREES


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
    asking = Asking(draws=4, structures=(Structure(), Structure("ternary")))
    assert judge_rows(rows, asking, workers=1) == judge_rows(rows, asking, workers=3)


def test_what_is_known_is_not_computed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second call with the same memory gives the same, and an interrupted one goes on."""
    asked = [row(id="X1", line="4T1"), row(id="X2", line="4T1", readout="apoptosis")]
    asking = Asking(draws=4, structures=(Structure(),))
    first = judge_rows(asked, asking, memory=Memory(tmp_path), workers=1)
    calls: list[object] = []
    monkeypatch.setattr(evidence, "compute", lambda *given: calls.append(given))
    again = judge_rows(asked, asking, memory=Memory(tmp_path), workers=1)
    assert (again, calls) == (first, [])


def test_what_was_judged_before_a_stop_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C is told as such; the same call then computes only the rest."""
    asked = [row(id="X1", line="4T1"), row(id="X2", line="MCF-7")]
    asking = Asking(draws=4, structures=(Structure(),))
    compute, calls = evidence.compute, [0]

    def stopped(study: Any, chunk: Any) -> Any:
        calls[0] += 1
        if calls[0] == 2:
            raise KeyboardInterrupt
        return compute(study, chunk)

    monkeypatch.setattr(evidence, "compute", stopped)
    with pytest.raises(Interrupted, match="what is done is kept"):
        judge_rows(asked, asking, memory=Memory(tmp_path), workers=1)
    assert {each.outcome for each in judge_rows(asked, asking, memory=Memory(tmp_path))} <= {
        AGREES, DISAGREES,
    }  # fmt: skip
    assert calls == [3]  # the one that was done is not done again


def test_lines_drugs_and_doses_of_one_s_own_are_found_beside_the_table(tmp_path: Path) -> None:
    """Without code: a copied line under another name is judged like the original."""
    own = tmp_path / "catalog"
    for kind, old, new in (("cell_lines", "4T1", "ours"), ("drugs", "anti_itgb1", "our_drug")):
        shutil.copytree(catalog.ROOT / kind / old, own / kind / new)
        about = own / kind / new / "about.toml"
        text = about.read_text(encoding="utf-8").replace(f'name = "{old}"', f'name = "{new}"')
        about.write_text(re.sub(r"synonyms = .*", "synonyms = []", text), encoding="utf-8")
    (own / "validation").mkdir()
    doses = "drug\tdose\tevery\tconcentration\tnote\nour_drug\t10 mg/kg\t3 d\t70 nM\t\n"
    (own / "validation" / "doses.tsv").write_text(doses, encoding="utf-8")
    theirs = {"id": "X1", "line": "4T1"}
    ours = {"id": "X2", "line": "ours"}
    drug = {**ours, "id": "X3", "perturbation": "our_drug"}
    found = validate(written(tmp_path, theirs, ours, drug), draws=3, workers=1)
    assert {each.role for each in found.rows} == {"test"}
    one, other, _ = ((each.probability, each.lines[0].median) for each in found.rows)
    assert one == other
    assert found.to_dict()["rows"][2]["lines"]["ours"]["median"] < 1.0


def test_the_catalogue_s_table_is_the_published_one() -> None:
    """It reads, and every row asks what it says it asks."""
    rows = read_evidence(CATALOGUED)
    assert {each.evidence.split()[0] for each in rows} <= {"read", "recalled"}
    assert all(each.source for each in rows)
    if not EVIDENCE.is_file():
        pytest.skip("the table it was taken from is not shipped")
    for own, given in zip(rows, read_evidence(EVIDENCE), strict=True):
        assert replace(own, note="") == replace(given, note="")


def test_rows_of_a_publication_are_judged_in_draws_they_did_not_inform() -> None:
    """What conditioned the draws goes back to the prior; what never did has nothing to undo."""
    asked = {"draws": 2, "tissue_draws": 0, "workers": 1}
    found = validate(leave_out="parvani 2013 mol", **asked)
    assert (found.asking.sets, [each.row.id for each in found.rows]) == ("plausible", ["P01"])
    found = validate(leave_out="E-MTAB-2185; Parvani | Shibue", **asked)
    assert found.asking.sets == "plausible"
    assert [each.row.id for each in found.rows] == ["T08", "G05a", "G05b"]
    with pytest.raises(StudyError, match="leave_out"):
        validate(leave_out="nobody", **asked)


def test_left_out_calibration_rows_see_the_prior(tmp_path: Path) -> None:
    """k_int is then drawn from what it was before it was fitted."""
    known = next(each for each in read_evidence(CATALOGUED) if each.id == "T03")
    cells = {name: getattr(known, name) for name in COLUMNS if name != "line"}
    path = written(tmp_path, {**cells, "line": "4T1"})
    found = validate(path, draws=8, leave_out="truong", workers=1)
    assert (found.asking.sets, found.rows[0].role) == ("prior", "left out")
    study, _ = study_of(known, "4T1", Structure(), 8, 7)
    prior = study.replace(uncertainty={"draws": 8, "rivals": False, "sets": "prior"})
    k_int = [each.values("closures", "line_rule")["k_int"]
             for each in draw_sets(prior, Structure(), range(1, 9))]  # fmt: skip
    assert [adhesion_coupling(x, Structure()) for x in draw_sets(prior, Structure(), range(1, 9))
            ] == k_int  # fmt: skip


@pytest.mark.parametrize(
    ("source", "name"),
    [("Truong 2014; E-MTAB-2185 text", "Truong 2014"), ("Huck 2010 PNAS PMC2", "Huck 2010"),
     ("PMC8284828", "PMC8284828")],
)  # fmt: skip
def test_publications_are_told_by_author_and_year(source: str, name: str) -> None:
    """Or by what there is."""
    assert publication(row(source=source)) == name


@pytest.mark.parametrize(
    "wrong",
    [{"weights": {"cascading/tgfb": 0.5}}, {"weights": {"nonsense": 1.0}}, {"draws": 0},
     {"tissue_draws": -1}, {"weights": {"cascading/tgfb": float("nan")}}],
)  # fmt: skip
def test_wrong_settings_are_refused_before_anything_is_run(wrong: dict[str, Any]) -> None:
    """With what is allowed."""
    with pytest.raises(StudyError):
        validate(**wrong)


def test_rows_of_tissues_that_are_left_out_are_told() -> None:
    """Not run is neither agreement nor silence."""
    asked = row(assay="spheroid_invasion", readout="invasion", matrix="collagen_i")
    (found, *_) = judge_rows([asked], Asking(draws=2, tissue_draws=0))
    assert found.outcome == NOT_RUN
    assert found.reason


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
