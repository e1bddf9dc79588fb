"""Study files as text: found, read, refused with a place, and written back."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from unmoor.errors import MAX_LINE, StudyError, format_problem
from unmoor.trial.study import Study
from unmoor.trial.study_file import LARGEST_FILE, find_study

SMALL = """\
schema = 1
cell_lines = ["4T1"]
control = "vehicle"

[[assays]]
name = "orthotopic_xenograft"
inoculum = "1e6 cells"
duration = "28 d"
animals = 10

[arms]
vehicle = []
block = [{ drug = "anti_itgb1", dose = "10 mg/kg" }]

[verdict]
smaller = 0.9
"""


def only_problem(text: str) -> str:
    """Return the line that tells the one thing wrong with a text."""
    with pytest.raises(StudyError) as caught:
        Study.loads(text, "bad.toml")
    assert len(caught.value.problems) == 1
    line = format_problem(caught.value.problems[0])
    assert len(line) <= MAX_LINE
    return line


@pytest.mark.parametrize(
    ("old", "new", "number", "hint"),
    [
        ("smaller = 0.9", "smaller = .9", 16, "zero before the point"),
        ("smaller = 0.9", "smaller = 1.", 16, "zero after the point"),
        ("smaller = 0.9", "smaller = 0,9", 16, "not a comma"),
        ("smaller = 0.9", "smaller =", 16, "value after the equals sign"),
        ("smaller = 0.9", "smaller = null", 16, "leave out"),
        ("smaller = 0.9", "smaller = True", 16, "true or false"),
        ("smaller = 0.9", "smaller: 0.9", 16, "equals sign"),
        ("smaller = 0.9", "smaller = 0.9\nsmaller = 0.8", 17, "once"),
        ('"28 d"', "28 d", 8, "in quotes"),
        ('"28 d"', "“28 d”", 8, "straight quotes"),
        ('"28 d"', '"28 d', 8, "close the bracket or the quote"),
        ('"vehicle"', "vehicle", 3, "in quotes"),
        ("block =", "anti-β1 =", 13, "special letters in quotes"),
        ("block =", "anti b1 =", 13, "spaces in quotes"),
        ("[arms]", "[arms", 11, "close the bracket"),
        ("[verdict]", "[arms]", 15, "once"),
        ("}]", "}", 15, "close the bracket"),
        ('["4T1"]', '["4T1"', 3, "close the bracket"),
    ],
)
def test_what_is_not_toml_is_told_with_place_and_hint(
    old: str, new: str, number: int, hint: str
) -> None:
    """The commonest slips have a hint of their own."""
    assert old in SMALL
    line = only_problem(SMALL.replace(old, new, 1))
    assert re.match(rf"bad\.toml:{number}:\d+  ", line)
    assert hint in line
    assert line.endswith("[E-SYNTAX]")


@pytest.mark.parametrize(
    "text",
    [
        "x = " + "[" * 50_000,
        "x = " + "[" * 300 + "]" * 300,
        "seed = " + "9" * 10_000,
        "seed = 0x" + "f" * 20_000,
        "\x00",
        "a" * 100_000,
        "=",
        "[]",
        '"""',
        "schema = 1\r",
        "\ufeff\ufeff",
        "title = " + '"' + "x" * 100_000 + '"',
        "é" * 1000 + " = 1",
        '"a\\nb" = 1',
        "x = { a = { b = { c = 1 } } }",
    ],
    ids=lambda text: repr(text[:12]),
)
def test_odd_texts_are_refused_without_a_traceback(text: str) -> None:
    """Deep nesting, huge numbers, control characters, no content."""
    with pytest.raises(StudyError) as caught:
        Study.loads(text, "bad.toml")
    for line in str(caught.value).split("\n"):
        assert len(line) <= MAX_LINE
        assert line.isprintable()


def test_an_empty_file_lacks_everything_that_is_required() -> None:
    """Each with what to add."""
    with pytest.raises(StudyError) as caught:
        Study.loads("")
    missing = {problem.field: problem.fix for problem in caught.value.problems}
    assert set(missing) == {"schema", "cell_lines", "control", "assays", "arms"}
    assert all(fix.startswith(f"add {field} = ") for field, fix in missing.items())


def test_a_message_names_file_line_and_column(tmp_path: Path) -> None:
    """As a compiler would, so that editors can jump to it."""
    path = tmp_path / "bad.toml"
    path.write_text(SMALL.replace('"10 mg/kg"', '"10 mg"'), encoding="utf-8")
    with pytest.raises(StudyError) as caught:
        Study.load(path)
    assert str(caught.value) == (
        f'{path}:13:40  arms.block[0].dose = "10 mg": expected dose per body mass, '
        '0-1000 mg/kg, not mass; write "10 mg/kg" [E-UNIT]\n1 problem, nothing was run'
    )


def test_a_file_that_is_not_utf_8_is_told_with_the_place(tmp_path: Path) -> None:
    """Such as one saved in Latin-1."""
    path = tmp_path / "latin.toml"
    path.write_bytes(SMALL.replace("block", "bl\xf6ck").encode("latin-1"))
    with pytest.raises(StudyError, match=re.escape(f"{path}:13:3 ")):
        Study.load(path)


def test_a_file_that_is_no_study_is_refused(tmp_path: Path) -> None:
    """Too large, a folder, or not there."""
    large = tmp_path / "large.toml"
    large.write_bytes(b"#" * (LARGEST_FILE + 1))
    for name in (large, tmp_path, tmp_path / "none.toml", "x" * 10_000, "a\0b", "", "no such"):
        with pytest.raises(StudyError) as caught:
            Study.load(name)
        assert caught.value.problems[0].code == "E-FILE"


def test_a_misspelt_study_is_told_with_the_nearest(tmp_path: Path) -> None:
    """In the catalog, or among the files beside."""
    with pytest.raises(StudyError, match="did you mean truong2014"):
        Study.load("troung2014")
    (tmp_path / "mine.toml").write_text(SMALL, encoding="utf-8")
    with pytest.raises(StudyError, match=re.escape(f"did you mean {tmp_path / 'mine.toml'}")):
        Study.load(tmp_path / "mien.toml")


def test_a_study_is_found_by_name_path_or_folder(tmp_path: Path) -> None:
    """A run folder holds its study under a fixed name."""
    (tmp_path / "study.toml").write_text(SMALL, encoding="utf-8")
    assert find_study(tmp_path) == tmp_path / "study.toml"
    assert Study.load(tmp_path) == Study.loads(SMALL)
    assert Study.load(str(tmp_path / "study.toml")).beside == tmp_path
    assert Study.load("truong2014").name == "truong2014"


def test_the_headline_study_is_read_and_written_without_loss() -> None:
    """Three lines, ten arms, no warning."""
    study = Study.load("truong2014")
    assert study.warnings == ()
    assert len(study.arms) == 10
    assert Study.loads(study.to_toml()) == study
    assert study.assays[0].host_of("4T1") == "balbc"
    assert study.assays[0].host_of("HCC1806") == "nsg"


def test_reading_a_study_needs_no_heavy_library() -> None:
    """So that a faulty study is refused at once."""
    code = (
        "from unmoor.trial.study import Study; Study.load('truong2014')\n"
        "import sys; print([name for name in ('numpy', 'pandas', 'matplotlib', 'numba')"
        " if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_large_study_is_read() -> None:
    """Two hundred arms of ten treatments."""
    item = '{ drug = "anti_itgb1", dose = "10 mg/kg", every = "3 d" }'
    arms = "".join(
        f"a{n} = [{', '.join(item.replace('10', str(n + m)) for m in range(10))}]\n"
        for n in range(1, 190)
    )
    text = SMALL.replace("[arms]\n", f"[arms]\n{arms}")
    assert len(Study.loads(text).arms) >= 189


SETTINGS = {
    "seed": "9",
    "verdict.smaller": "0.8",
    "uncertainty.draws": "20",
    "assays[0].duration": "35 d",
    'arms."block"[0].dose': '"5 mg/kg"',
    "arms.other": '[{ gene = "ITGB1", change = "knock_down", factor = 0.1 }]',
}


def test_values_can_be_set_from_outside() -> None:
    """Written as TOML, or as plain text."""
    study = Study.loads(SMALL, settings=SETTINGS)
    assert study.seed == 9
    assert study.verdict.smaller == 0.8
    assert study.uncertainty.draws == 20
    assert study.assays[0].duration == 35.0
    assert study.arms["block"][0].to_toml_item().count('"5 mg/kg"') == 1
    assert list(study.arms) == ["vehicle", "block", "other"]


@pytest.mark.parametrize(
    "name",
    [
        "",
        "assays[1].animals",
        "assays.animals",
        "seed.x",
        "a b",
        "arms[0]",
        "a[0]",
        ".",
        "seed[",
        "assays[99999999999]",
    ],
)
def test_a_setting_without_a_place_is_refused(name: str) -> None:
    """With the same kind of message."""
    with pytest.raises(StudyError, match="--set"):
        Study.loads(SMALL, settings={name: "1"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("seed", "-1"),
        ("sede", "1"),
        ("assays[0].duration", "35"),
        ("verdict", "3"),
        ("seed", "1\nschema = 2"),
    ],
)
def test_a_wrong_setting_is_told_as_such(name: str, value: str) -> None:
    """Its place is the command line, not the file."""
    with pytest.raises(StudyError) as caught:
        Study.loads(SMALL, "fine.toml", settings={name: value})
    assert {problem.where for problem in caught.value.problems} == {"--set"}
