"""CSV text: what pandas would write."""

from __future__ import annotations

import numpy as np
import pandas as pd

from unmoor.random import Stream
from unmoor.trial.csv_text import csv_text


def test_a_table_is_written_as_pandas_writes_it() -> None:
    """Numbers in full, commas and quotes in texts, missing values, whole numbers and booleans."""
    numbers = np.exp(20.0 * Stream(1).normal(np.arange(500), "table"))
    numbers[3], numbers[4], numbers[5] = np.nan, np.inf, 0.0
    texts = ["plain", "a, comma", 'a "quote"', "β1", ""] * 100
    frame = pd.DataFrame(
        {"x": numbers, "name, odd": texts, "n": np.arange(500), "is_true": numbers > 1.0}
    )
    assert csv_text(frame) == frame.to_csv(index=False)


def test_an_empty_table_keeps_its_columns() -> None:
    """A study without treated arms has no effects, but a header."""
    frame = pd.DataFrame(columns=["a", "b"])
    assert csv_text(frame) == "a,b\n" == frame.to_csv(index=False)
