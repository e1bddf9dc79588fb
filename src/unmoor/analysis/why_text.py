"""What the parts of an effect say, in words."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from unmoor.analysis.why import Why

_WORDS = {
    "size": "the size of the tumour", "release": "release from the tumour",
    "transit": "survival in blood", "colonisation": "outgrowth in the lung",
    "adhesion": "lost adhesion", "β3 integrin": "β3 integrin", "E-cadherin": "lost E-cadherin",
    "mesenchymal": "the mesenchymal programme", "pSMAD": "pSMAD", "host": "the host",
    "killing": "killing",
}  # fmt: skip
_LITTLE = math.log(1.1)  # a part that changes a ratio by less is not told
_MOST = 3  # edges told of one arm


def sentences(found: Why) -> list[str]:
    """One paragraph a line, structure and arm."""
    keys = ["cell_line", "structure", "arm"]
    spread = found.parts[found.parts["outcome"] == "spread"]
    several = found.parts["structure"].nunique() > 1
    return [
        " ".join(_told(found, part, *map(str, key), several=several))
        for key, part in spread.groupby(keys, sort=False)
    ]


def _told(
    found: Why, part: pd.DataFrame, line: str, structure: str, arm: str, *, several: bool
) -> Iterator[str]:
    level = f"{100 * found.study.verdict.interval:g} %"
    whole: Any = part[part["part"] == "all"].iloc[0]
    where = f"{line}, {arm}" + (f", {structure}" if several else "")
    if not math.isfinite(whole["mean"]):
        yield f"{where}: no draw could be solved."
        return
    yield (
        f"{where}: spread × {_number(whole['factor'])} on average ({level} of draws "
        f"{_number(math.exp(whole['low']))}–{_number(math.exp(whole['high']))})."
    )
    stages = list(_factors(part[part["kind"] == "stage"]))
    yield f"Of this {_listed(stages)}." if stages else "No stage changes it by a tenth or more."
    routes = list(_factors(part[part["kind"] == "route"]))
    if routes:
        yield f"It acts by {_listed(routes)}."
    edges = found.edges
    own: Any = edges[(edges["cell_line"] == line) & (edges["structure"] == structure)]
    own = own[(own["arm"] == arm) & (own["change"].abs() >= _LITTLE)]
    own = own.reindex(own["change"].abs().sort_values(ascending=False, kind="stable").index)
    if len(own):
        told = [
            f"{row.edge} × {_number(row.spread_without)} (P(switch) {row.p_switch_without:.2f})"
            for row in own.head(_MOST).itertuples()
        ]
        yield (
            f"Without an edge of the network it would be, at the median (P(switch) "
            f"{own.iloc[0]['p_switch']:.2f} with all): {'; '.join(told)}."
        )


def _factors(rows: Any) -> Iterator[str]:
    ordered = rows.reindex(rows["mean"].abs().sort_values(ascending=False, kind="stable").index)
    for row in ordered.itertuples():
        if abs(row.mean) >= _LITTLE:
            yield f"{_WORDS.get(row.part, row.part)} × {_number(row.factor)}"


def _number(value: float) -> str:
    return f"{value:.2g}" if value < 10 else f"{value:.0f}"


def _listed(items: list[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"
