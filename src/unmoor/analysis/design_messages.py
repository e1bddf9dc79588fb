"""What a design says, in sentences: for the terminal, the report and the protocol."""

from __future__ import annotations

import math
from typing import Any

from unmoor.analysis.design import END_POINTS, Design

TUMOUR, SPREAD = END_POINTS


def is_harm(design: Design) -> bool:
    """Whether more spreads, by the study's margin, in the central draw."""
    return design.end_points[SPREAD].central > design.study.verdict.spread


def first_size(design: Design) -> int:
    """Animals an arm planned for the tumour alone; the study's own number if none is enough."""
    return design.needed[TUMOUR]["power"] or design.asked_animals


def missed(design: Design, n: int) -> tuple[float, float, float]:
    """Share of experiments with n animals an arm that miss the harm, and its Wilson interval.

    The harm of the central draw; where that is none, that of the draws that have one.
    """
    row = design.row(SPREAD, n)
    if is_harm(design):
        return 1.0 - row["power"], 1.0 - row["power_high"], 1.0 - row["power_low"]
    return row["missed"], row["missed_low"], row["missed_high"]


def messages(design: Design) -> list[str]:
    """Sentences, the most important first."""
    sizes = dict.fromkeys((first_size(design), design.asked_animals))
    known = [n for n in sizes if n in set(design.table["n"])]
    return [*(_at(design, n) for n in known), *_for_harm(design), *_assured(design)]


def _at(design: Design, n: int) -> str:
    """What an experiment of this size sees and misses."""
    tumour = design.end_points[TUMOUR]
    seen = "shrinkage" if tumour.direction < 0 else "larger tumour"
    power = design.row(TUMOUR, n)["power"]
    verb = "sees" if power >= design.choices.target else "may not see"
    told = f"n = {n} {verb} the {seen} (power {_share(power)})"
    share, low, high = missed(design, n)
    if math.isnan(share):
        least = f"{design.study.verdict.spread:g}"
        return f"{told}; in no draw does spread exceed control by the margin ({least}-fold)."
    where = "" if is_harm(design) else ", where there is one,"
    every = design.row(SPREAD, n)["missed"]
    also = f"; over all sets with a harm, {_of_100(every)}" if is_harm(design) else ""
    return (
        f"{told} and misses the harm{where} in {_of_100(share)} of 100 experiments "
        f"({_of_100(low)}–{_of_100(high)}{also})."
    )


def _for_harm(design: Design) -> list[str]:
    spread, target = design.end_points[SPREAD], _share(design.choices.target)
    n = design.needed[SPREAD]["power"]
    what = "the harm" if is_harm(design) else "the change of spread"
    if n is not None:
        told = f"If you plan for {what} you need n = {n} an arm (power {target} or more)."
    else:
        told = f"No number up to n = {design.most} an arm shows {what} with power {target}."
    if not is_harm(design):
        told += (
            f" The central effect on spread is {_ratio(spread.central)}-fold, no harm by the "
            f"study's margin; in {_of_100(spread.share)} % of the draws there is one."
        )
    return [told]


def _assured(design: Design) -> list[str]:
    """How sure one can be, with what is not known about the effect."""
    found = []
    for name, what in ((TUMOUR, "tumour volume"), (SPREAD, "lung metastases")):
        n, target = design.needed[name]["assurance"], _share(design.choices.target)
        if n is not None:
            found.append(f"n = {n} for {what}")
            continue
        best = design.table[design.table["end_point"] == name]["assurance"].max()
        found.append(f"none up to {design.most} for {what} (at most {_share(best)})")
    draws = f"{design.draws} plausible parameter sets" if design.draws > 1 else "one parameter set"
    return [f"Assurance {target}, over {draws}: {', '.join(found)}."]


def summary(design: Design) -> dict[str, Any]:
    """The design as one document, for ``--json``."""
    points = {
        name: {
            "direction": "decrease" if each.direction < 0 else "increase",
            "central": each.central, "median": each.median, "low": each.low, "high": each.high,
            "share_beyond_margin": each.share, "needed": design.needed[name],
        }
        for name, each in design.end_points.items()
    }  # fmt: skip
    n = first_size(design)
    share, low, high = missed(design, n)
    return {
        "study": design.asked.name, "cell_line": design.cell_line, "arm": design.arm,
        "control": design.study.control, "seed": design.study.seed, "draws": design.draws,
        "choices": vars(design.choices), "end_points": points,
        "harm_missed": {"n": n, "share": share, "low": low, "high": high},
        "animals": design.animals, "messages": messages(design),
        "table": design.table.to_dict("records"),
    }  # fmt: skip


def _share(value: float) -> str:
    return "> 0.99" if 0.995 <= value < 1.0 else f"{value:.2f}"


def _ratio(value: float) -> str:
    return f"{value:.2g}"


def _of_100(share: float) -> str:
    return f"{100.0 * share:.0f}"
