"""What a screen found, as tables: lines, arms, thresholds, limits, and how consistent it is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from unmoor.analysis.cell_switch import BRANCHES
from unmoor.analysis.consistency import BENIGN, FIRST, NO_PROTEIN, SECOND, Consistency
from unmoor.analysis.discrimination import Area, Threshold, best_threshold
from unmoor.analysis.limiting import Limits
from unmoor.analysis.own_lines import outside_panel
from unmoor.analysis.screening import INPUTS, PRIORS, Screened, mean_of
from unmoor.cell.levels import missing
from unmoor.trial.effects import draw_interval
from unmoor.trial.verdict import Interval, judge

if TYPE_CHECKING:
    import pandas as pd

KEPT = 0.95  # share of draws in which an untreated line must keep its state
_NEVER = 0.95  # share of draws that have too little E-cadherin to lose, from which P is built in


def arms_table(found: Screened) -> pd.DataFrame:
    """One row a line and arm, by falling P(switch); lines that are not malignant last."""
    import pandas as pd

    rows = []
    for place, line in enumerate(found.lines):
        for name in found.arms:
            arm = found.foretold.arms.index(name)
            rows.append({"line": line.name, "malignant": line.is_malignant, "arm": name,
                         **_answer(found, place, arm)})  # fmt: skip
    frame = pd.DataFrame(rows)
    order = frame.sort_values(
        ["malignant", "p_switch", "spread", "line"], ascending=[False, False, False, True],
        kind="stable",
    )  # fmt: skip
    return order.reset_index(drop=True)


def _answer(found: Screened, line: int, arm: int) -> dict[str, Any]:
    """Class, shares of draws and intervals of a line under an arm."""
    foretold, margins = found.foretold, found.study.verdict
    tumour, spread = foretold.tumour[line, 0, arm], foretold.spread[line, 0, arm]
    intervals = [draw_interval(values, margins.interval) for values in (tumour, spread)]
    (t, t_low, t_high), (s, s_low, s_high) = intervals
    verdict = judge(
        Interval(t_low, t_high), Interval(s_low, s_high), margins.smaller, margins.spread
    )
    return {
        "class": verdict,
        "p_switch": mean_of(foretold.is_switch[line, 0, arm]),
        "p_smaller": mean_of(foretold.is_smaller[line, 0, arm]),
        "p_more": mean_of(foretold.is_more[line, 0, arm]),
        "tumour": t, "tumour_low": t_low, "tumour_high": t_high,
        "spread": s, "spread_low": s_low, "spread_high": s_high,
        "draws": int(np.isfinite(tumour).sum()),
    }  # fmt: skip


def lines_table(found: Screened, held: Consistency) -> pd.DataFrame:
    """One row a line, by falling share of draws in which its cells switch."""
    import pandas as pd

    shares = {
        (structure, prior): found.share_switching(structure, prior)
        for structure, prior in found.cells
    }
    rows = []
    for i, (line, cells) in enumerate(zip(found.lines, found.own_cells, strict=True)):
        branch = found.inputs["branch"][i]
        too_little = mean_of((cells.untreated < found.loss).astype(float))
        rows.append({
            "line": line.name, "group": held.groups[i], "malignant": line.is_malignant,
            **{f"p_cells_{prior}": float(shares[found.structure, prior][i]) for prior in PRIORS},
            **{f"p_cells_{structure}": float(values[i]) for (structure, prior), values
               in shares.items() if structure != found.structure},
            "by_construction": too_little >= _NEVER,
            "reversible": mean_of(cells.reverses(found.loss)),
            "reversible_in_the_end": mean_of(cells.reverses(found.loss, in_the_end=True)),
            "keeps_state": mean_of(cells.keeps_branch),
            **{name: float((branch == n).mean()) for n, name in enumerate(BRANCHES)},
            **{name: float(np.median(found.inputs[name][i])) for name in INPUTS},
            "not_known": ", ".join(missing(line.levels)),
            "outside_the_panel": "; ".join(outside_panel(line)),
        })  # fmt: skip
    frame = pd.DataFrame(rows)
    order = frame.sort_values(
        ["malignant", "p_cells_calibrated", "line"], ascending=[False, False, True], kind="stable"
    )
    return order.reset_index(drop=True)


def thresholds(found: Screened, arm: str | None = None) -> list[Threshold]:
    """Single thresholds that tell switching from others among malignant lines, the best first.

    Parameters
    ----------
    arm
        Arm whose smaller tumour with more spread is the class; the test of the cells if None.
    """
    chosen = [i for i, line in enumerate(found.lines) if line.is_malignant]
    if not chosen:
        return []
    if arm is None:
        cases = np.stack([found.own_cells[i].switches(found.loss) for i in chosen])
    else:
        cases = found.foretold.is_switch[chosen, 0, found.foretold.arms.index(arm)]
    seed = found.study.seed
    tried = [best_threshold(name, found.inputs[name][chosen], cases, seed) for name in INPUTS]
    return sorted((each for each in tried if each is not None), key=lambda each: -each.accuracy)


def threshold_table(found: Screened, arms: Sequence[str | None]) -> pd.DataFrame:
    """Thresholds for the test of the cells (None) and for arms."""
    import pandas as pd

    rows = [
        {"of": "cells that lose E-cadherin" if arm is None else f"switch under {arm}",
         "parameter": each.name, "side": "above" if each.is_above else "below",
         "threshold": each.value, "low": each.low, "high": each.high,
         "balanced_accuracy": each.accuracy, "accuracy_low": each.accuracy_low,
         "accuracy_high": each.accuracy_high}
        for arm in arms
        for each in thresholds(found, arm)
    ]  # fmt: skip
    names = ("of", "parameter", "side", "threshold", "low", "high", "balanced_accuracy",
             "accuracy_low", "accuracy_high")  # fmt: skip
    return pd.DataFrame(rows, columns=list(names))


def limits_table(limits: Mapping[str, Limits]) -> pd.DataFrame:
    """What limits lines, and their smallest repair."""
    import pandas as pd

    rows = [
        {"line": name, "p_cells": each.share, "foremost": each.foremost,
         "limiting": ", ".join(each.factors), "contributing": ", ".join(each.contributing),
         "smallest_repair": repair_text(each), "p_after_repair": each.repaired_share}
        for name, each in limits.items()
    ]  # fmt: skip
    names = ("line", "p_cells", "foremost", "limiting", "contributing", "smallest_repair",
             "p_after_repair")  # fmt: skip
    return pd.DataFrame(rows, columns=list(names))


def repair_text(limits: Limits) -> str:
    """The smallest repair in words."""
    if limits.is_switching:
        return "none needed"
    if not limits.repair:
        return "none within the panel"
    return "; ".join(
        f"{move.level} {move.before:.1f} to {move.after:.1f} ({move.deviations:+.1f} sd)"
        for move in limits.repair
    )


def claims(found: Screened, held: Consistency) -> dict[str, Any]:
    """What a screen must show, as numbers: each claim with what was asked and whether it holds."""
    switching = found.share_switching()
    kept = np.array([mean_of(each.keeps_branch) for each in found.own_cells])
    permuted = float(np.mean(held.permuted)) if held.permuted else math.nan
    names = [line.name for line in found.lines]
    without = [names.index(name) for name in held.without_protein]
    left = {name: max(values.values()) for name, values in held.deleted.items()}
    reverse = [
        np.concatenate([each.reverses(found.loss, in_the_end=end) for each in found.own_cells])
        for end in (False, True)
    ]
    return {
        "rule": found.rule,
        "auroc": held.area.value,
        "auroc_low": held.area.low,
        "auroc_high": held.area.high,
        "positives": held.area.positives,
        "negatives": held.area.negatives,
        "auroc_by_lines": {name: _area(each) for name, each in held.areas.items()},
        "calibration_lines": list(held.calibrated),
        "auroc_permuted": permuted,
        "auroc_permuted_low": _quantile(held.permuted, 0.05),
        "auroc_permuted_high": _quantile(held.permuted, 0.95),
        "auroc_single": dict(held.baselines),
        "exceptions": {name: each.foremost for name, each in held.exceptions.items()},
        "without_gene": {name: dict(values) for name, values in held.deleted.items()},
        "without_gene_above": sorted(name for name, share in left.items() if share > _RARELY),
        "no_protein_above": sorted(names[i] for i in without if switching[i] > _HARDLY),
        "no_protein": len(without),
        "no_protein_lines": list(held.without_protein),
        "not_malignant": [names[i] for i in held.members(BENIGN)],
        "reversible": mean_of(reverse[0]),
        "reversible_in_the_end": mean_of(reverse[1]),
        "lose_their_state": {
            name: round(float(share), 4)
            for name, share in zip(names, kept, strict=True)
            if share < KEPT
        },
        "groups": {name: len(held.members(name)) for name in (FIRST, SECOND, NO_PROTEIN, BENIGN)},
    }


def _area(found: Area) -> dict[str, float]:
    return {"area": found.value, "low": found.low, "high": found.high,
            "positives": found.positives, "negatives": found.negatives}  # fmt: skip


_RARELY, _HARDLY = 0.1, 0.05  # shares of draws that the design asks for


def _quantile(values: Sequence[float], share: float) -> float:
    return float(np.quantile(values, share)) if len(values) else math.nan
