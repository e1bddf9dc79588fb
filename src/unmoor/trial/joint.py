"""Arms that give two other arms together: what comes of it beyond both of them.

The factor is ratio(both) / (ratio(one) · ratio(other)), each ratio to control, draw by draw: 1 is
independence in the sense of Bliss. Of a tumour's volume or of living cells a factor below 1 is
synergy; of metastases it says that the combination spreads less than its parts would have it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from unmoor.trial.effects import draw_interval
from unmoor.trial.readouts import level, ratio
from unmoor.trial.study import Study

JOINT_COLUMNS = (
    "cell_line", "assay", "arm", "first", "second", "readout", "day", "factor", "factor_low",
    "factor_high", "p_more", "p_less", "n_draws",
)  # fmt: skip


def combinations(study: Study) -> Iterator[tuple[int, int, int]]:
    """Index of each arm that holds exactly the treatments of two others, and of those two."""
    contents = [Counter(items) for items in study.arms.values()]
    control = list(study.arms).index(study.control)
    if contents[control]:
        return  # ratios to a treated control do not multiply
    for both, content in enumerate(contents):
        for one in range(len(contents)):
            for other in range(one + 1, len(contents)):
                parts = contents[one] + contents[other]
                if contents[one] and contents[other] and parts == content:
                    yield both, one, other


def joint_table(
    study: Study, assay: int, cell_line: str, arrays: Mapping[str, Any]
) -> pd.DataFrame:
    """Factors of one line in one assay, from the arrays of its draws."""
    settings, names = study.assays[assay], list(study.arms)
    control, margins = names.index(study.control), study.verdict
    rows: list[dict[str, object]] = []
    for both, one, other in combinations(study):
        for outcome, readout in enumerate(settings.outcomes):
            for day, at in enumerate(arrays["days"]):
                base = level(arrays, control, outcome, day)
                together, first, second = (
                    ratio(level(arrays, arm, outcome, day), base) for arm in (both, one, other)
                )
                factors = ratio(together, first * second)
                known = factors[np.isfinite(factors)]
                middle, low, high = draw_interval(factors, margins.interval)
                rows.append(
                    {
                        "cell_line": cell_line,
                        "assay": settings.label,
                        "arm": names[both],
                        "first": names[one],
                        "second": names[other],
                        "readout": readout,
                        "day": float(at),
                        "factor": middle,
                        "factor_low": low,
                        "factor_high": high,
                        "p_more": float((known > margins.spread).mean()) if known.size else np.nan,
                        "p_less": float((known < margins.smaller).mean()) if known.size else np.nan,
                        "n_draws": int(known.size),
                    }
                )
    return pd.DataFrame(rows, columns=JOINT_COLUMNS)
