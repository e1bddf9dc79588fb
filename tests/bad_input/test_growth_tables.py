"""Tables of tumour volumes with faults: each is named by row and column, none is guessed away."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from growth_fixture import table_text
from unmoor.analysis.growth_table import GrowthTable, read_growth
from unmoor.errors import StudyError

GOOD = table_text(5)
ARMS = """\
mouse;Group;day;volume_mm3
1;vehicle;7;50.5
1;vehicle;9;80
2;drug;7;40
2;drug;9;55
"""


def read(tmp_path: Path, text: str, **options: object) -> GrowthTable:
    """Read a text as if it were a file."""
    path = tmp_path / "mice.csv"
    path.write_text(text, encoding="utf-8")
    return read_growth(path, **options)  # type: ignore[arg-type]


def told(tmp_path: Path, text: str, **options: object) -> str:
    """What is said about a faulty table."""
    with pytest.raises(StudyError) as error:
        read(tmp_path, text, **options)
    return str(error.value)


def with_line(number: int, line: str) -> str:
    """The good table with another line ``number``, counted from 1."""
    lines = GOOD.splitlines()
    lines[number - 1] = line
    return "\n".join(lines) + "\n"


def test_a_good_table_is_read_as_it_is(tmp_path: Path) -> None:
    """Every reading, in order, without a warning."""
    table = read(tmp_path, GOOD)
    assert len(table.day) == len(GOOD.splitlines()) - 1 == 40
    assert table.animals[0] == "1"
    assert table.day[0] == 6.0
    assert f"{table.volume[0]:.3f}" == GOOD.splitlines()[1].split(",")[2]
    assert table.warnings == ()


@pytest.mark.parametrize("delimiter", [";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_delimiters_and_line_ends_do_not_matter(tmp_path: Path, delimiter: str, end: str) -> None:
    """Semicolons, tabs, Windows lines, a byte-order mark, blank lines, quotes, upper case."""
    text = GOOD.replace(",", delimiter).replace("\n", end).replace("animal", '"Animal"')
    table = read(tmp_path, "\ufeff" + text + delimiter * 2 + end + end)
    assert table.volume == read(tmp_path, GOOD).volume


FAULTS = [
    (with_line(1, "animal,day,size"), "mice.csv:1", "volume", "volume_mm3", "--column volume="),
    (with_line(1, "animal,day,volume,volume_mm3"), "mice.csv:1", "volume", "one column", ""),
    (with_line(3, '1,9,"81,5"'), "mice.csv:3:3", '"81,5"', "decimal point", "write 81.5"),
    (with_line(3, "1,9,81,5"), "mice.csv:3", "4 cells", "3 cells", "decimal comma?"),
    (with_line(3, "1,9"), "mice.csv:3", "2 cells", "3 cells", ""),
    (with_line(3, '1,9,"1,234.5"'), "mice.csv:3:3", '"1,234.5"', "volume", "thousands"),
    (with_line(4, "1,9,81"), "mice.csv:4:2", "animal 1 on day 9", "row 3", ""),
    (with_line(3, "1,9,-81"), "mice.csv:3:3", "-81", "at least 0", ""),
    (with_line(3, "1,9,"), "mice.csv:3:3", '""', "volume", "leave out rows"),
    (with_line(3, ",9,81"), "mice.csv:3:1", '""', "name of the animal", ""),
    (with_line(3, "1,-9,81"), "mice.csv:3:2", "-9", "days since inoculation", ""),
    (with_line(3, "1,45292,81"), "mice.csv:3:2", "45292", "days", "date of a spreadsheet"),
    (with_line(3, "1,2024-01-09,81"), "mice.csv:3:2", '"2024-01-09"', "days", "a date"),
    (with_line(3, "1,09.01.2024,81"), "mice.csv:3:2", '"09.01.2024"', "days", "a date"),
    (with_line(3, "1,9-Jan-24,81"), "mice.csv:3:2", '"9-Jan-24"', "days", "a date"),
    (with_line(3, "1,9,nan"), "mice.csv:3:3", '"nan"', "volume", ""),
    (with_line(3, "1,9,1e999"), "mice.csv:3:3", '"1e999"', "volume", ""),
    (with_line(3, "1,9,8_1"), "mice.csv:3:3", '"8_1"', "volume", ""),
    (with_line(3, "1,9,<10"), "mice.csv:3:3", '"<10"', "volume", ""),
    (with_line(3, '1,9,"81'), "mice.csv", "unexpected end", "quotes closed", ""),
    ("animal,day,volume_mm3\n", "mice.csv", "1 rows", "a row for each reading", ""),
    ("", "mice.csv", "0 rows", "a header", ""),
]  # fmt: skip


@pytest.mark.parametrize(("text", "where", "got", "expected", "fix"), FAULTS)
def test_a_fault_is_named_with_row_column_and_mend(
    tmp_path: Path, text: str, where: str, got: str, expected: str, fix: str
) -> None:
    """Where, what stood there, what is expected, and what to do."""
    said = told(tmp_path, text)
    for part in (where, got, expected, fix):
        assert part in said
    assert re.search(r"\[E-[A-Z]+\]", said)


def test_all_faults_are_told_at_once_but_not_without_end(tmp_path: Path) -> None:
    """Twenty in full; a whole column of decimal commas must not fill the screen."""
    commas = [f'{i},7,"8,{i}"' for i in range(100)]
    said = told(tmp_path, "\n".join(["animal,day,volume", *commas]))
    assert said.count("decimal point") == 20
    assert "80 more problems" in said


def test_a_missing_file_and_bytes_that_are_no_text_are_told(tmp_path: Path) -> None:
    """As for study files."""
    with pytest.raises(StudyError, match="readable file"):
        read_growth(tmp_path / "none.csv")
    with pytest.raises(StudyError, match="readable file"):
        read_growth(tmp_path)
    (tmp_path / "mice.csv").write_bytes(b"animal,day,volume\n\xff,1,2\n")
    with pytest.raises(StudyError, match=r"mice\.csv:2:1.*UTF-8"):
        read_growth(tmp_path / "mice.csv")


def test_either_spelling_of_a_header_is_known(tmp_path: Path) -> None:
    """As written in America, too."""
    header = "tumour_volume_mm3".replace("our", "or").upper()
    text = GOOD.replace("volume_mm3", header)
    assert read(tmp_path, text).volume == read(tmp_path, GOOD).volume


def test_columns_can_be_named(tmp_path: Path) -> None:
    """With headers of one's own, also where a known one would be wrong."""
    text = GOOD.replace("animal,day,volume_mm3", "Tier,Tag,Vol")
    named = {"animal": "tier", "day": "Tag", "volume": "Vol"}
    assert read(tmp_path, text, columns=named).volume == read(tmp_path, GOOD).volume
    assert "--column volume=Vol" in told(tmp_path, text)
    assert "one of animal, day, volume, arm" in told(tmp_path, GOOD, columns={"sex": "Tier"})


def test_one_arm_is_kept(tmp_path: Path) -> None:
    """It must be named if there are several; the others are counted."""
    table = read(tmp_path, ARMS, arm="vehicle")
    assert table.animals == ("1", "1")
    assert table.other_rows == 2
    assert "one arm, of vehicle, drug" in told(tmp_path, ARMS)
    assert "did you mean vehicle?" in told(tmp_path, ARMS, arm="vehicel")
    assert "a table with arms" in told(tmp_path, GOOD, arm="vehicle")


def test_a_slip_in_the_name_of_an_arm_is_seen(tmp_path: Path) -> None:
    """An animal is in one arm; names that are nearly the same are told with their row."""
    slip = ARMS.replace("1;vehicle;9", "1;vehicel;9")
    said = told(tmp_path, slip, arm="vehicle")
    assert "mice.csv:3:2" in said
    assert "vehicle, the arm of animal 1 in row 2" in said
    other = ARMS + "3;vehicel;7;30\n"
    warning = str(read(tmp_path, other, arm="vehicle").warnings[0])
    assert "mice.csv:6:2" in warning
    assert "vehicel" in warning
    numbered = ARMS.replace("vehicle", "dose 1").replace("drug", "dose 2")
    assert read(tmp_path, numbered, arm="dose 1").warnings == ()


@pytest.mark.parametrize(("factor", "is_odd"), [(1.0, False), (1e-3, True), (1e3, True)])
def test_a_likely_wrong_unit_is_told(tmp_path: Path, factor: float, is_odd: bool) -> None:
    """Volumes in cm³ or µm³ look like no mouse tumour in mm³."""
    rows = [line.split(",") for line in GOOD.splitlines()[1:]]
    text = "\n".join(["animal,day,volume", *(f"{a},{d},{float(v) * factor}" for a, d, v in rows)])
    assert bool(read(tmp_path, text).warnings) == is_odd


def test_too_few_readings_are_refused(tmp_path: Path) -> None:
    """Three animals say nothing about how animals differ."""
    with pytest.raises(StudyError, match=r"24 readings of 3 animals.*two or more after day 0 of 4"):
        read(tmp_path, table_text(3)).data()
    assert len(read(tmp_path, table_text(4)).data().animals) == 4
