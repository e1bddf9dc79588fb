"""The stored sets beside their reference values."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

HERE = Path(__file__).parent


def stored(name: str) -> pd.DataFrame:
    """A table of this folder."""
    return pd.read_csv(HERE / f"{name}.tsv", sep="\t")


def pairs(name: str) -> Iterator[tuple[int, pd.DataFrame, Any]]:
    """Number, data and reference values of each set."""
    reference = stored(f"{name}_r").set_index("set")
    for number, data in stored(name).groupby("set"):
        yield int(number), data, reference.loc[number]
