"""The molecular levels of a line, complete: what a table leaves out is not known, not neutral."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from unmoor.catalog.contracts import LEVELS
from unmoor.parameters import Parameter, ParameterTable

NOT_KNOWN = "not known for this line: median of the panel"
_Z90 = 1.645  # half-width of a 90 % range in standard deviations


def complete(table: ParameterTable, panel: Mapping[str, float]) -> ParameterTable:
    """Levels of a line with a value and a standard deviation each.

    A level that the table leaves out gets the panel's median and standard deviation; one with a
    range but without a row ``sd_…`` takes its range as the central 90 %.

    Parameters
    ----------
    table
        The line's own table [log2].
    panel
        Values of ``closures/line_levels``.
    """
    rows: list[Parameter] = []
    for name, called in LEVELS.items():
        if name in table:
            rows += _given(name, table)
        else:
            rows += _missing(name, panel[f"panel_median_{called}"], panel[f"panel_sd_{called}"])
    return ParameterTable(rows, name=table.name)


def missing(table: Mapping[str, Parameter]) -> list[str]:
    """Levels of which nothing is known about the line."""
    return [name for name in LEVELS if name in table and table[name].note == NOT_KNOWN]


def _given(name: str, table: ParameterTable) -> Iterator[Parameter]:
    row = table[name]
    yield row
    if f"sd_{name}" in table:
        yield table[f"sd_{name}"]
    elif row.low < row.high:
        note = f"standard deviation of {name}: its range is the central 90 %"
        yield _spread(name, (row.high - row.low) / (2.0 * _Z90), note)


def _missing(name: str, median: float, sd: float) -> Iterator[Parameter]:
    low, high = median - _Z90 * sd, median + _Z90 * sd
    yield Parameter(name, median, "log2", low, high, 0.0, "assumed", "", NOT_KNOWN)
    yield _spread(name, sd, f"standard deviation of {name}: that of the panel")


def _spread(name: str, sd: float, note: str) -> Parameter:
    return Parameter(f"sd_{name}", sd, "log2", sd, sd, 0.0, "derived", "", note)
