"""Parameter tables: read strictly, immutable, and drawn from their ranges."""

from __future__ import annotations

import math
import pickle
from pathlib import Path

import pytest

from unmoor.errors import ParameterError
from unmoor.parameters import COLUMNS, GENES, INPUTS, Parameter, ParameterTable

ROW = ["k", "2", "1/h", "1", "4", "0.1", "measured", "Someone2001", "table 1"]


def write(tmp_path: Path, *rows: list[str], header: tuple[str, ...] = COLUMNS) -> Path:
    """Write a table with these rows."""
    path = tmp_path / "parameters.tsv"
    path.write_text("\n".join("\t".join(row) for row in [list(header), *rows]), encoding="utf-8")
    return path


def changed(**cells: str) -> list[str]:
    """Return the good row with some cells changed."""
    return [cells.get(column, cell) for column, cell in zip(COLUMNS, ROW, strict=True)]


def test_a_row_is_read_with_all_its_columns(tmp_path: Path) -> None:
    """Value, unit, range, variability, evidence, source and note."""
    table = ParameterTable.read(write(tmp_path, ROW))
    expected = Parameter("k", 2.0, "1/h", 1.0, 4.0, 0.1, "measured", "Someone2001", "table 1")
    assert table["k"] == expected
    assert table.name == tmp_path.name
    assert table.values_by_id() == {"k": 2.0}


@pytest.mark.parametrize("blank", ["", "nan"])
def test_a_blank_range_is_the_value_and_a_blank_cv_is_zero(tmp_path: Path, blank: str) -> None:
    """What is known exactly, or fixed by choice, has no range."""
    row = ParameterTable.read(write(tmp_path, changed(low=blank, high=blank, cv=blank)))["k"]
    assert (row.low, row.high, row.cv) == (2.0, 2.0, 0.0)


@pytest.mark.parametrize(
    ("cells", "field"),
    [
        ({"value": "two"}, "k.value"),
        ({"value": "nan"}, "k.value"),
        ({"value": ""}, "k.value"),
        ({"value": "inf"}, "k.value"),
        ({"value": "9"}, "k.value"),
        ({"low": "-inf"}, "k.low"),
        ({"high": "1,5"}, "k.high"),
        ({"low": "3"}, "k.value"),
        ({"cv": "-0.1"}, "k.cv"),
        ({"unit": ""}, "k.unit"),
        ({"evidence": "guessed"}, "k.evidence"),
        ({"evidence": "assumed", "note": ""}, "k.note"),
        ({"source": ""}, "k.source"),
        ({"id": ""}, "row.id"),
    ],
    ids=str,
)
def test_a_faulty_cell_is_told_with_its_line(
    tmp_path: Path, cells: dict[str, str], field: str
) -> None:
    """File, line and column of the table."""
    path = write(tmp_path, ROW, changed(**{"id": "k", **cells}))
    path.write_text(path.read_text().replace("\nk\t", "\nother\t", 1))
    with pytest.raises(ParameterError) as caught:
        ParameterTable.read(path)
    problem = caught.value.problems[0]
    assert problem.field == field
    assert problem.where == f"{path}:3:1"


def test_all_faulty_rows_are_told_at_once(tmp_path: Path) -> None:
    """Also a row of too many cells and an id that comes twice."""
    path = write(tmp_path, ROW, ROW, changed(id="a", unit=""), [*changed(id="b"), "more"])
    with pytest.raises(ParameterError) as caught:
        ParameterTable.read(path)
    lines = [problem.where.rsplit(":", 2)[1] for problem in caught.value.problems]
    assert lines == ["3", "4", "5"]


@pytest.mark.parametrize("content", [b"", b"id\tvalue\n", b"\xff\xfe", b"id,value,unit\n"])
def test_a_table_with_another_header_is_refused(tmp_path: Path, content: bytes) -> None:
    """Commas, missing columns, another encoding, nothing at all."""
    path = tmp_path / "parameters.tsv"
    path.write_bytes(content)
    with pytest.raises(ParameterError):
        ParameterTable.read(path)


def test_a_missing_table_is_a_parameter_error(tmp_path: Path) -> None:
    """Not an error of the operating system."""
    with pytest.raises(ParameterError):
        ParameterTable.read(tmp_path / "none.tsv")


def table() -> ParameterTable:
    """Return a table with a positive range, a range around zero, and no range."""
    return ParameterTable(
        [
            Parameter("rate", 2.0, "1/h", 1.0, 100.0),
            Parameter("shift", 0.5, "-", -1.0, 3.0),
            Parameter("fixed", 7.0, "d", 7.0, 7.0),
        ],
        name="three",
    )


def test_positive_parameters_are_drawn_on_a_log_scale_and_others_on_a_linear_one() -> None:
    """The middle draw is the geometric or the arithmetic mean; no range keeps the value."""
    drawn = table().draw(lambda _: 0.5)
    assert drawn["rate"] == pytest.approx(10.0, rel=1e-14)
    assert drawn["shift"] == 1.0
    assert drawn["fixed"] == 7.0


@pytest.mark.parametrize("u", [1e-300, 2.0**-53, 0.999, 1.0 - 2.0**-53])
def test_draws_stay_within_their_ranges(u: float) -> None:
    """Rounding never leaves the range."""
    for key, value in table().draw(lambda _: u).items():
        assert table()[key].low <= value <= table()[key].high


def test_each_parameter_is_drawn_by_its_own_id() -> None:
    """Another row does not change a draw."""
    asked: list[str] = []

    def uniform(key: str) -> float:
        asked.append(key)
        return 0.25

    table().draw(uniform)
    assert asked == ["rate", "shift"]


def test_a_table_cannot_change_but_can_be_merged_pickled_and_hashed() -> None:
    """The rows of the other table win and keep their place."""
    first = table()
    with pytest.raises(AttributeError):
        first.name = "other"
    merged = first.merged(ParameterTable([Parameter("rate", 3.0, "1/h", 3.0, 3.0)], name="line"))
    assert list(merged) == ["rate", "shift", "fixed"]
    assert merged["rate"].value == 3.0
    assert merged.name == "line"
    assert first["rate"].value == 2.0
    assert pickle.loads(pickle.dumps(first)) == first
    assert hash(first) == hash(table())


def test_every_gene_stands_for_an_input_and_every_re_expression_for_a_source() -> None:
    """Labels are the vocabulary that therapy and signalling share."""
    for gene, (label, changes) in GENES.items():
        assert gene == gene.upper()
        assert label in INPUTS
        assert "re_express" not in changes or f"{label}_source" in INPUTS


def test_a_draw_at_even_chances_is_uniform_in_the_logarithm() -> None:
    """Quantiles of the range are those of a log-uniform distribution."""
    for u in (0.1, 0.5, 0.9):
        drawn = table().draw(lambda _, u=u: u)["rate"]  # type: ignore[misc]
        assert math.log(drawn) == pytest.approx(u * math.log(100.0), rel=1e-13)
