"""Studies of several kinds of assay give the same bits, whoever runs them and in what company."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from small_study import digests, fresh_run
from unmoor.cell.line import Structure
from unmoor.trial import chunks
from unmoor.trial.chunks import Chunk, compute
from unmoor.trial.result import Result
from unmoor.trial.study import Study

CULTURE = """
schema     = 1
seed       = 7
cell_lines = ["4T1", "MDA-MB-231"]
control    = "vehicle"

[[assays]]
name     = "signalling_time_course"
duration = "4 d"
read     = ["1 d", "4 d"]
clones   = 5

[[assays]]
name       = "viability"
matrix     = "laminin"
dimensions = "2d"
duration   = "4 d"
clones     = 5

[[assays]]
name     = "colony_formation"
duration = "5 d"
clones   = 5

[arms]
"vehicle" = []
"lost" = [{ gene = "ITGB1", change = "knock_down", factor = 0.1 }]
"lost and hit" = [
    { gene = "ITGB1", change = "knock_down", factor = 0.1 },
    { radiation = "2 Gy", start = "1 d" },
]

[uncertainty]
draws  = 9
rivals = false
"""
BLOOD = """
[[assays]]
name     = "tail_vein"
host     = { default = "nsg", "4T1" = "balbc" }
inoculum = "1e5 cells"
duration = "4 d"
clones   = 5

[[assays]]
name     = "intracardiac"
inoculum = "1e5 cells"
duration = "4 d"
clones   = 5

[[assays]]
name     = "orthotopic_xenograft"
host     = "nsg"
inoculum = "1e6 cells"
duration = "4 d"
animals  = 2
clones   = 5
"""
PLACE = "[arms]"
ANIMALS = CULTURE[: CULTURE.index("[[assays]]")] + BLOOD + CULTURE[CULTURE.index(PLACE) :]
KINDS = (CULTURE, ANIMALS)


@pytest.fixture(scope="module", params=KINDS, ids=["culture", "animals"])
def result(request: pytest.FixtureRequest) -> Result:
    """A study of three kinds of assay, run chunk after chunk."""
    return fresh_run(Study.loads(request.param), workers=1)


def rows(result: Result, table: str) -> Counter[str]:
    """Rows of a table as text."""
    return Counter(result.tables()[f"{table}.csv"].splitlines())


def test_workers_and_chunks_change_nothing(result: Result, monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads beside each other, and draws in blocks of two."""
    assert digests(fresh_run(result.study, workers=3)) == digests(result)
    monkeypatch.setattr(chunks, "_DRAWS", 2)
    assert digests(fresh_run(result.study, workers=2)) == digests(result)


def test_one_more_arm_changes_no_readout(result: Result) -> None:
    """Wherever it stands."""
    text = result.study.to_toml()
    more = text.replace("vehicle = []", 'first = [{ radiation = "3 Gy" }]\nvehicle = []', 1)
    assert more != text
    assert not rows(result, "readouts") - rows(fresh_run(Study.loads(more)), "readouts")


def test_one_more_line_or_assay_changes_no_readout(result: Result) -> None:
    """Alone, an assay and a line are what they are among others."""
    study = result.study
    for number in range(len(study.assays)):
        alone = study.replace(cell_lines=["MDA-MB-231"], assays=[study.assays[number]])
        assert not rows(fresh_run(alone), "readouts") - rows(result, "readouts")


@pytest.mark.parametrize("number", range(3))
def test_a_draw_alone_is_what_it_is_in_any_batch(result: Result, number: int) -> None:
    """Every array of every kind of assay."""
    batch = Chunk(number, "4T1", Structure(), 1, 6, is_rival=False)
    many = compute(result.study, batch)
    for place in (0, 4):
        alone = Chunk(number, "4T1", Structure(), place + 1, place + 1, is_rival=False)
        one = compute(result.study, alone)
        assert one.keys() == many.keys()
        for name, x in many.items():
            same = x if name in ("times", "days") else x[[place]]
            assert np.asarray(one[name]).tobytes() == same.tobytes(), name


def test_results_survive_their_folder(result: Result, tmp_path: object) -> None:
    """Readouts read from disk are those that were written."""
    again = Result.load(result.save(str(tmp_path)))
    assert digests(again) == digests(result)
    assert again.readouts.equals(result.readouts)


def test_studies_without_tumours_have_no_verdict_but_readouts() -> None:
    """Tables that have no rows have their columns all the same."""
    found = fresh_run(Study.loads(CULTURE))
    assert found.effects().empty
    assert list(found.verdict()) == []
    assert found.outcomes.empty
    assert set(found.effects().columns) >= {"tumour_ratio", "spread_ratio", "verdict"}
    assert found.n_failed == 0
    told = {tuple(pair) for pair in found.readouts[["assay", "readout"]].to_numpy()}
    assert {("viability", "apoptosis"), ("colony_formation", "colonies")} <= told
    assert len(found.readouts) == 2 * 2 * (9 * 2 + 3 + 1)
