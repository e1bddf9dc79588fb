"""Large trials: worked in pieces, with the same bits as in one piece."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from small_study import small_study
from unmoor.trial import csv_text, effects
from unmoor.trial.chunks import plan


def test_virtual_studies_do_not_depend_on_how_many_are_worked_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whole, in pieces that fit, in pieces that do not, and one by one."""
    numbers = np.arange(1.0, 2 * 300 + 1).reshape(1, 2, 300)
    arrays = {"reading": 100.0 + numbers**1.1, "count": (numbers.astype(np.int64) * 7) % 23}

    def intervals(at_once: int) -> dict[str, tuple[float, float]]:
        monkeypatch.setattr(effects, "_AT_ONCE", at_once)
        effects._picks.cache_clear()
        return effects.study_interval(arrays, 1, 0, 6, 0.9, 7, "treated")

    whole = intervals(1_000_000)
    assert whole["tumour"][0] < whole["tumour"][1]
    assert intervals(6 * 500) == intervals(6 * 333) == intervals(1) == whole


@pytest.mark.parametrize("rows", [0, 1, 2, 3, 7])
def test_text_of_a_table_does_not_depend_on_how_many_rows_are_written_at_a_time(
    monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    """Missing numbers and texts in some pieces only."""
    frame = pd.DataFrame(
        {
            "number": [1.5, np.nan, 3.0, 4.25, 5.0, 1e-300, 7.0][:rows],
            "whole": np.arange(rows),
            "text": ["a", "b,c", 'say "d"', None, "a", "f", "g"][:rows],
        }
    )
    expected = csv_text.csv_text(frame)
    for at_once in (1, 2, 3):
        monkeypatch.setattr(csv_text, "_AT_ONCE", at_once)
        assert csv_text.csv_text(frame) == expected
    assert expected.count("\n") == rows + 1


def test_a_chunk_never_holds_more_animals_than_memory_does() -> None:
    """Draws of a small study go together; of a large one, one by one; none is left out."""
    for animals, most in ((2, 12), (10_000, 4), (100_000, 1)):
        study = small_study(settings={"assays[0].animals": animals})
        for line in study.cell_lines:
            own = [chunk for chunk in plan(study) if chunk.cell_line == line]
            draws = [n for chunk in own for n in range(chunk.first, chunk.last + 1)]
            assert draws == list(range(study.uncertainty.draws + 1))
            assert max(chunk.last - chunk.first + 1 for chunk in own) == most
