"""Designs: experiments and their tests, allocation, sentences, protocol, and the command."""

from __future__ import annotations

import io
import json
import math
import zipfile
from dataclasses import replace
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

import unmoor
from small_study import SMALL, small_study
from unmoor.analysis.design import COLUMNS, END_POINTS, Design, EndPoint
from unmoor.analysis.design_messages import summary
from unmoor.analysis.design_question import Choices
from unmoor.analysis.experiments import Conditions, decided, experiments
from unmoor.analysis.memory import Memory
from unmoor.analysis.randomisation import randomise
from unmoor.analysis.trial_pool import Pool
from unmoor.cli import main
from unmoor.errors import ExitCode, StudyError
from unmoor.random import Stream
from unmoor.report.docx import Grid, Heading, Paragraph, word_file
from unmoor.report.protocol import protocol, registration
from unmoor.trial.last_day import compare_last_day
from unmoor.trial.permutation import permutation_test

TUMOUR, SPREAD = END_POINTS
HARSH = Conditions(0.15, 900.0, 15.7, 0.169, 1.0)
"""Many animals are lost, and many reach the humane end point."""


@cache
def made_up_pool(draws: int = 3) -> Pool:
    """Animals of several draws that grow for four days of measurement."""
    stream = Stream(5)
    ids = np.arange(draws * 2 * 30, dtype=np.uint64).reshape(draws, 2, 30)
    last = 700.0 * np.exp(0.4 * stream.normal(ids, "volume"))
    last[:, 1] *= 0.6
    volumes = last[..., None] * np.array([0.1, 0.3, 0.6, 1.0])
    metastases = volumes / 30.0
    return Pool(
        np.arange(1, draws + 1), np.arange(1.0, 5.0), volumes, metastases, np.full(draws, 1.0)
    )


def made_up_design(spread: float = 2.0, missed: float = 0.4) -> Design:
    """A design with numbers that are easy to recognise."""
    study = small_study()
    table = pd.DataFrame(
        [
            (TUMOUR, 8, 0.9, 0.88, 0.92, 0.8, 0.78, 0.82, *[math.nan] * 3),
            (SPREAD, 8, 0.38, 0.36, 0.4, 0.3, 0.28, 0.32, missed, missed, missed),
            (TUMOUR, 2, 0.3, 0.28, 0.32, 0.2, 0.18, 0.22, *[math.nan] * 3),
            (SPREAD, 2, 0.1, 0.08, 0.12, 0.1, 0.08, 0.12, missed, missed, missed),
        ],
        columns=list(COLUMNS),
    )
    points = {
        TUMOUR: EndPoint(TUMOUR, -1, 0.5, 0.5, 0.3, 0.8, 1.0),
        SPREAD: EndPoint(SPREAD, 1 if spread >= 1.0 else -1, spread, spread, 0.8, 6.0, 0.7),
    }
    needed: dict[str, dict[str, int | None]] = {
        TUMOUR: {"power": 8, "assurance": 9}, SPREAD: {"power": 28, "assurance": None},
    }  # fmt: skip
    choices = Choices(1000, 0.05, 0.8, 0.05)
    names = list(study.arms)[:2]
    alone = study.replace(cell_lines=["4T1"], arms={name: study.arms[name] for name in names})
    return Design(alone, study, names[1], choices, points, table, needed, 40, (0.1, 0.02), 20)


def test_experiments_test_volumes_as_one_experiment_is_tested() -> None:
    """The whole array gives the p of Welch's test of each experiment, with all that was lost."""
    pool, n = made_up_pool(), 6
    made = experiments(pool, np.arange(60) % 3, 9, HARSH, Stream(1), "test")
    found = made.volumes(n)
    assert made.lost.any()
    assert made.taken_out.any()
    for i in range(60):
        seen = ~made.lost[i, :, :n, None] & (np.arange(4) <= made.last[i, :, :n, None])
        arm, animal, day = np.nonzero(seen)
        readings = np.exp(made.logs[i].astype(float))[arm, animal, day]
        one = compare_last_day(arm * n + animal, day, readings, arm == 1)
        if one is None:
            assert found.p[i] == 1.0
        else:
            assert found.p[i] == pytest.approx(one.p, rel=1e-4)
            assert found.direction[i] == np.sign(one.ratio - 1.0)


def test_what_is_plain_about_counts_is_what_the_permutations_say() -> None:
    """Sparse, heavy-tailed and alike counts, in groups of many sizes, equal or not."""
    stream, checked = Stream(3), 0
    for case in range(600):
        sizes = 3 + (stream.uniform(np.arange(2), "sizes", step=case) * 12).astype(int)
        mean, cv, ratio = np.exp(stream.uniform(np.arange(3), "law", step=case) * 4.0 - 1.5)
        ids = np.arange(int(sizes.sum()))
        means = mean * stream.lognormal(ids, "shedding", float(cv), step=case)
        means[sizes[0] :] *= ratio
        counts = stream.poisson(np.minimum(means, 1e5), ids, "counts", step=case).astype(float)
        p = permutation_test(counts, ids >= sizes[0]).p
        assert (decided(counts[: sizes[0]], counts[sizes[0] :], 0.05) <= 0.05) == (p <= 0.05)
        checked += 0.02 < p < 0.1
    assert checked > 40


def test_an_experiment_does_not_depend_on_the_others() -> None:
    """Nor on how many there are, nor on how many animals are asked for."""
    pool = made_up_pool()
    many = experiments(pool, np.arange(400) % 3, 8, HARSH, Stream(1), "test")
    few = experiments(pool, np.arange(300) % 3, 5, HARSH, Stream(1), "test")
    for name in ("logs", "last", "lost", "counts"):
        assert np.array_equal(getattr(many, name)[:300, :, :5], getattr(few, name))


def test_lungs_of_animals_taken_out_are_counted_on_their_last_day() -> None:
    """At the humane end point an animal has shed less than it would have by the read-out."""
    pool, which = made_up_pool(), np.zeros(400, dtype=int)
    spared = replace(HARSH, humane=math.inf)
    taken = experiments(pool, which, 8, HARSH, Stream(1), "test")
    kept = experiments(pool, which, 8, spared, Stream(1), "test")
    out = taken.taken_out
    assert np.array_equal(taken.counts[~out], kept.counts[~out])
    assert taken.counts[out].mean() < 0.9 * kept.counts[out].mean()


def test_blocks_hold_each_arm_equally_often() -> None:
    """So that the groups stay balanced while animals enter, in blocks of changing length."""
    listed, key = randomise(["a", "b", "c"], 20, seed=4)
    whole = listed.merge(key, on=["code", "animal"], validate="one_to_one")
    counts = whole.groupby(["block", "arm"]).size().unstack()
    assert (counts.nunique(axis=1) == 1).all()
    assert set(counts["a"]) == {1, 2}
    assert whole["arm"].value_counts().to_dict() == {"a": 20, "b": 20, "c": 20}
    assert list(listed["animal"]) == list(range(1, 61))
    assert "arm" not in listed.columns
    assert list(key["code"]) == sorted(key["code"])
    again = randomise(["a", "b", "c"], 20, seed=4)
    assert listed.equals(again[0])
    assert not listed.equals(randomise(["a", "b", "c"], 20, seed=5)[0])


def test_allocation_is_fair() -> None:
    """Each arm is first as often as the others: in 300 lists, within five standard errors."""
    first = [randomise(["a", "b", "c"], 1, seed)[1] for seed in range(300)]
    arms = [key.loc[key["animal"] == 1, "arm"].iloc[0] for key in first]
    for arm in ("a", "b", "c"):
        assert abs(arms.count(arm) - 100) < 5 * math.sqrt(300 * 2 / 9)


@pytest.mark.parametrize(("arms", "animals"), [(["a"], 5), (["a", "b"], 0), (["a", "b"], 10**6)])
def test_what_cannot_be_allocated_is_refused(arms: list[str], animals: int) -> None:
    """With the number and what would be right."""
    with pytest.raises(StudyError, match="E-RANGE"):
        randomise(arms, animals, 1)


def test_the_first_sentence_sets_shrinkage_against_harm() -> None:
    """Power for the tumour, and how often the harm is missed with so many animals."""
    told = made_up_design().messages
    assert told[0] == (
        "n = 8 sees the shrinkage (power 0.90) and misses the harm in 62 of 100 experiments "
        "(60–64; over all sets with a harm, 40)."
    )
    assert any("you need n = 28 an arm" in each for each in told)
    assert any("none up to 40 for lung metastases" in each for each in told)


def test_no_harm_is_told_where_the_central_effect_is_none() -> None:
    """Then the share is that of the draws that have one, or none is told at all."""
    told = " ".join(made_up_design(spread=1.05).messages)
    assert "misses the harm, where there is one, in 40 of 100" in told
    assert "no harm by the study's margin; in 70 % of the draws there is one" in told
    assert "in no draw does spread exceed" in made_up_design(1.05, math.nan).messages[0]


def test_a_protocol_has_every_item_of_arrive() -> None:
    """Ten essential and eleven recommended ones, none empty, numbered in order."""
    parts = protocol(made_up_design(), 28)
    heads = [i for i, part in enumerate(parts) if isinstance(part, Heading) and part.level == 3]
    numbers = [str(parts[i]).split("'")[1].split(".")[0] for i in heads]
    assert numbers == [str(n) for n in range(1, 22)]
    assert all(not isinstance(parts[i + 1], Heading) for i in heads)
    text = " ".join(str(part) for part in parts)
    for known in ("anti-β1", "4T1", "misses the harm in 62 of 100", "2000 mm³", "28 animals"):
        assert known in text
    assert "10 animals" not in text
    assert len(registration(made_up_design(), 28)) > 10


def test_a_word_file_is_whole_and_says_what_it_was_given() -> None:
    """Each part is XML, links lead to parts that are there, and text is escaped."""
    parts = [Heading("A <b> & c", 1), Paragraph("who\x00?", True), Grid([("x", "y"), ("1", "β")])]
    data = word_file(parts, "A & B")
    assert data == word_file(parts, "A & B")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = set(archive.namelist())
        trees = {name: ElementTree.fromstring(archive.read(name)) for name in names}
    linked = [each.get("Target") or "" for each in trees["_rels/.rels"]]
    assert set(linked) <= names
    styled = {
        value
        for each in trees["word/styles.xml"].iter()
        for key, value in each.attrib.items()
        if key.endswith("styleId")
    }
    body = trees["word/document.xml"]
    used = [e.attrib.values() for e in body.iter() if e.tag.endswith("pStyle")]
    assert {name for each in used for name in each} <= styled
    text = "|".join(each.text or "" for each in body.iter() if each.tag.endswith("}t"))
    assert text == "A <b> & c|[who?]|x|y|1|β"


def test_other_software_reads_the_word_file() -> None:
    """As python-docx sees it: headings under their names, tables with their cells."""
    docx = pytest.importorskip("docx", reason="python-docx is not installed")
    document = docx.Document(io.BytesIO(word_file(protocol(made_up_design(), 28), "Protocol")))
    heads = [each for each in document.paragraphs if each.style.name == "Heading 2"]
    assert len(heads) == 21
    assert document.tables[0].rows[0].cells[0].text == "group"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a study, and what was computed for it."""
    place: Path = tmp_path_factory.mktemp("design")
    text = SMALL.replace("draws  = 12", "draws  = 3").replace("clones   = 5", "clones   = 3")
    (place / "small.toml").write_text(text, encoding="utf-8")
    return place


def command(folder: Path, *more: str) -> list[str]:
    """A command line for a short design."""
    return [
        "design", str(folder / "small.toml"), "--line", "4T1", "--n", "5,8", "--trials", "150",
        "--out", str(folder / "runs"), *more,
    ]  # fmt: skip


def test_the_command_writes_what_a_laboratory_takes_away(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Folder, files and sentences; the JSON holds the same numbers, whatever the workers."""
    assert main(command(folder, "--workers", "1")) == ExitCode.OK
    told = capsys.readouterr()
    place = Path(told.out.strip())
    assert place.name == "small-design"
    for name in (
        "study.toml", "report.html", "protocol.html", "protocol.docx", "registration.html",
        "registration.docx", "randomisation.csv", "blinding/key.csv", "figures/power.svg",
        "figures/power.png", "figures/power.csv", "tables/power.csv", "tables/effects.csv",
    ):  # fmt: skip
        assert (place / name).stat().st_size > 0, name
    listed = pd.read_csv(place / "randomisation.csv")
    assert set(listed["code"]) == set(pd.read_csv(place / "blinding" / "key.csv")["code"])
    assert main(command(folder, "--workers", "2", "--json", "--no-report")) == ExitCode.OK
    found = json.loads(capsys.readouterr().out)
    assert found["messages"][0] in told.err
    table = pd.read_csv(place / "tables" / "power.csv")
    assert table["power"].tolist() == [row["power"] for row in found["table"]]
    assert {5, 8} <= {row["n"] for row in found["table"]}


def test_animals_are_computed_once(folder: Path) -> None:
    """A second design with a memory runs no animal again, and gives the same table."""
    study = unmoor.Study.load(folder / "small.toml")
    memory = Memory(folder / "memory")
    seen: list[int] = []
    options = {"cell_line": "4T1", "sizes": (5,), "trials": 120, "memory": memory}
    first = unmoor.design(study, **options, progress=lambda each: seen.append(each.total))
    again = unmoor.design(study, **options, progress=lambda each: seen.append(-each.total))
    assert seen
    assert all(total > 0 for total in seen)
    assert first.table.equals(again.table)
    assert summary(first)["messages"] == summary(again)["messages"]


@pytest.mark.parametrize(
    ("more", "code"),
    [
        (("--arm", "anti-b1"), "E-CHOICE"),
        (("--line", "4T2"), "E-CHOICE"),
        (("--n", "8,x"), "E-USAGE"),
        (("--n", "1"), "E-RANGE"),
        (("--n", "9-5"), "E-RANGE"),
        (("--trials", "3"), "E-RANGE"),
        (("--attrition", "1.5"), "E-RANGE"),
        (("--level", "nan"), "E-RANGE"),
        (("--animals", "0"), "E-USAGE"),
        (("--workers", "0"), "E-USAGE"),
    ],
)
def test_a_wrong_option_is_told_before_anything_runs(
    folder: Path, more: tuple[str, ...], code: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """In a line with the option, what was given and what is allowed."""
    base = command(folder)
    for name in (more[0],):
        if name in base:
            at = base.index(name)
            del base[at : at + 2]
    assert main([*base, *more]) == ExitCode.BAD_INPUT
    said = capsys.readouterr().err
    assert f"[{code}]" in said
    assert "Traceback" not in said


def test_a_study_without_tumours_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A culture has no animals to count."""
    start, end = SMALL.index("[[assays]]"), SMALL.index("[uncertainty]")
    culture = '[[assays]]\nname = "viability"\nduration = "3 d"\n\n[arms]\nvehicle = []\n'
    arm = 'less = [{ gene = "ITGB1", change = "knock_down", factor = 0.1 }]\n'
    text = SMALL[:start] + culture + arm + SMALL[end:]
    (tmp_path / "small.toml").write_text(text, encoding="utf-8")
    assert main(["design", str(tmp_path / "small.toml"), "--out", str(tmp_path)]) == 2
    assert "E-NO-TUMOUR" in capsys.readouterr().err
