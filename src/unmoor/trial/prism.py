"""Tables shaped for GraphPad Prism, to be opened or pasted as they are.

A grouped table has the day in its first column and, for each arm, one column an animal side by
side. A column table has one column an arm, its animals below each other. A survival table has one
row an animal: the day, and in the column of its arm 1 for an event or 0 for a censored animal; the
columns of the other arms stay empty.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from unmoor.trial.result import Result

_OUTCOMES = ("tumour_volume", "lung_metastases")
_KEYS = ["cell_line", "assay"]
Cell = str | float | int


def prism_tables(result: Result) -> dict[str, str]:
    """CSV text by file name: ``grouped_…``, ``column_…`` and ``survival_…`` of each line and assay.

    All are about the study's own animals under the reference parameter set.
    """
    return {name: _csv(rows) for name, rows in _tables(result)}


def _tables(result: Result) -> Iterator[tuple[str, list[list[Cell]]]]:
    arms = list(result.study.arms)
    for key, rows in _groups(result.animals):
        yield f"grouped_tumour_volume_{key}.csv", grouped(rows, arms)
    outcomes = result.outcomes
    if len(outcomes):
        outcomes = outcomes[(outcomes["draw"] == 0) & (outcomes["status"] == "ok")]
    for key, rows in _groups(outcomes):
        for outcome in _OUTCOMES:
            yield f"column_{outcome}_{key}.csv", column(rows, arms, outcome)
    events = result.events
    for key, rows in _groups(events):
        yield f"survival_{key}.csv", survival(rows[rows["event"] == "humane_endpoint"], arms)


def grouped(rows: pd.DataFrame, arms: Sequence[str]) -> list[list[Cell]]:
    """Day × arm with the animals side by side; empty after an animal was taken out.

    Parameters
    ----------
    rows
        Measurements of one line in one assay: arm, animal, day, tumour_volume.
    arms
        Arms in the order of the columns.
    """
    animals = int(rows["animal"].max())
    table = rows.pivot_table(index="day", columns=["arm", "animal"], values="tumour_volume")
    columns = [(arm, animal) for arm in arms for animal in range(1, animals + 1)]
    table = table.reindex(columns=pd.MultiIndex.from_tuples(columns))
    head: list[Cell] = ["day", *(arm for arm, _ in columns)]
    body = [
        [day, *("" if pd.isna(x) else x for x in values)]
        for day, values in zip(table.index.tolist(), table.to_numpy().tolist(), strict=True)
    ]
    return [head, *body]


def column(rows: pd.DataFrame, arms: Sequence[str], outcome: str) -> list[list[Cell]]:
    """One column an arm with the animals in it below each other.

    Parameters
    ----------
    rows
        Animals of one line in one assay: arm, and the outcome.
    """
    values = [rows.loc[rows["arm"] == arm, outcome].dropna().tolist() for arm in arms]
    body = zip_longest(*values, fillvalue="")
    return [list(arms), *(list(row) for row in body)]


def survival(rows: pd.DataFrame, arms: Sequence[str]) -> list[list[Cell]]:
    """One row an animal: day, and 1 (event) or 0 (censored) in the column of its arm.

    Parameters
    ----------
    rows
        Animals of one line in one assay: arm, day, observed.
    """
    table: list[list[Cell]] = [["day", *arms]]
    for arm in arms:
        own = rows[rows["arm"] == arm]
        for day, observed in zip(own["day"].tolist(), own["observed"].tolist(), strict=True):
            table.append([day, *(int(observed) if each == arm else "" for each in arms)])
    return table


def _groups(table: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Rows of each line and assay, by what they are called in file names."""
    if table.empty:
        return
    for (line, assay), rows in table.groupby(_KEYS, sort=False):
        yield re.sub(r"[^\w.-]+", "-", f"{line}_{assay}"), rows


def _csv(rows: list[list[Cell]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
