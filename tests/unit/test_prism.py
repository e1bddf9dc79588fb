"""Tables for GraphPad Prism: their shape is what the program opens."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from report_fixture import ARMS, DURATION, LINES, synthetic_result
from unmoor.trial.prism import prism_tables

KEY = "4T1_orthotopic_xenograft"
ANIMALS = 5


@pytest.fixture(scope="module")
def result() -> Any:
    """Return a made-up result of five animals an arm."""
    return synthetic_result(draws=1, animals=ANIMALS)


@pytest.fixture(scope="module")
def tables(result: Any) -> dict[str, list[list[str]]]:
    """Return the cells of every table."""
    return {
        name: list(csv.reader(io.StringIO(text))) for name, text in prism_tables(result).items()
    }


def test_every_line_has_grouped_column_and_survival_tables(
    tables: dict[str, list[list[str]]],
) -> None:
    """Four files a line and assay, named by what they hold."""
    assert len(tables) == 4 * len(LINES)
    kinds = ("grouped_tumour_volume", "column_tumour_volume", "column_lung_metastases", "survival")
    assert {f"{kind}_{KEY}.csv" for kind in kinds} <= set(tables)


def test_every_row_has_as_many_cells_as_the_header(tables: dict[str, list[list[str]]]) -> None:
    """A ragged table would shift arms."""
    for name, rows in tables.items():
        assert {len(row) for row in rows} == {len(rows[0])}, name


def test_grouped_table_holds_replicates_side_by_side(
    result: Any, tables: dict[str, list[list[str]]]
) -> None:
    """Day first, then the animals of an arm under one repeated title; empty once taken out."""
    head, *body = tables[f"grouped_tumour_volume_{KEY}.csv"]
    assert head == ["day", *(arm for arm in ARMS for _ in range(ANIMALS))]
    assert float(body[-1][0]) == DURATION
    own = result.animals[(result.animals["cell_line"] == "4T1")]
    filled = sum(cell != "" for row in body for cell in row[1:])
    assert filled == len(own)
    third = own[(own["arm"] == "vehicle") & (own["animal"] == 3)]
    written = [float(row[3]) for row in body if row[3]]
    assert written == third["tumour_volume"].tolist()


def test_column_table_holds_the_animals_of_an_arm_below_each_other(
    result: Any, tables: dict[str, list[list[str]]]
) -> None:
    """Of the reference set only; failed animals are left out."""
    head, *body = tables[f"column_lung_metastases_{KEY}.csv"]
    assert head == list(ARMS)
    assert len(body) == ANIMALS
    own = result.outcomes
    own = own[(own["cell_line"] == "4T1") & (own["draw"] == 0) & (own["arm"] == "anti-β1")]
    assert [float(row[1]) for row in body] == own["lung_metastases"].tolist()


def test_survival_table_codes_events_in_the_column_of_the_arm(
    result: Any, tables: dict[str, list[list[str]]]
) -> None:
    """One row an animal: 1 for the humane end point, 0 for an animal alive at the read-out."""
    head, *body = tables[f"survival_{KEY}.csv"]
    assert head == ["day", *ARMS]
    assert len(body) == ANIMALS * len(ARMS)
    assert all(sum(cell != "" for cell in row[1:]) == 1 for row in body)
    humane = result.events[
        (result.events["cell_line"] == "4T1") & (result.events["event"] == "humane_endpoint")
    ]
    assert sum(row[1:].count("1") for row in body) == humane["observed"].sum() > 0
    assert all(float(row[0]) > 0 for row in body)  # Prism ignores rows at 0


def test_names_of_files_are_safe_whatever_the_label(result: Any) -> None:
    """A label of an assay may hold slashes and spaces."""
    other = synthetic_result(draws=0, animals=2)
    for name in ("animals", "outcomes", "events"):
        frame = getattr(other, name)
        frame["assay"] = "nude mice/2 ../x"
    assert all("/" not in name and " " not in name for name in prism_tables(other))
