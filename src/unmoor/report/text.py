"""Sentences of the report: headlines from the effects table, methods, and limits."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from unmoor.catalog.plausible import calibration_shares
from unmoor.report.numerals import interval, percent, probability, ratio
from unmoor.report.structures import options, shares
from unmoor.report.view import Group, View
from unmoor.trial.verdict import halves

MEANINGS = {
    "switch": "smaller tumour, more spread",
    "benefit": "smaller tumour, not more spread",
    "containment": "tumour not smaller, less spread",
    "harm": "tumour not smaller, more spread",
    "unclear": "the model intervals do not decide it",
}
"""Verdicts in the order of the key, and what each says."""
SIGNS = {"switch": "▲", "benefit": "●", "containment": "■", "harm": "✖", "unclear": "?"}
"""A shape for each verdict, so that colour never stands alone."""

QUESTION = "Does the treatment shrink the tumour and spread it?"
CULTURE_QUESTION = "What does the treatment change in cells?"
FROM_TISSUE = {
    "table": (
        "How many single cells and clusters leave the tumour was counted in runs of the tissue: "
        "small balls of cells in collagen, over adhesion, drive, density of the gel and growth. A "
        "table smooths these counts; each parameter set shifts it by its share of the table's "
        "error. What cells adhere with, how hard they drive and how dense collagen is around a "
        "tumour is assumed, with wide ranges, and every spread ratio below rests on it."
    ),
    "direct": (
        "How many single cells and clusters leave the tumour was counted in runs of the tissue "
        "under the constants of each parameter set. What cells adhere with, how hard they drive "
        "and how dense collagen is around a tumour is assumed, with wide ranges, and every spread "
        "ratio below rests on it."
    ),
}
"""Where the numbers of cells that leave come from, by the study's ``model.escape``."""
CALIBRATED_LINES = ("4T1", "HCC1806")
ROWS = (
    "rows T01–T06 and T10 of the evidence table in 4T1 and HCC1806: with ITGB1 knocked down, "
    "single cells and TGFβ activity rise, E-cadherin and the balance of miR-200 to ZEB fall, the "
    "tumour is smaller (assumed band of the ratio .2–.9), lung metastases are more (assumed band "
    "1.5–10), and E-cadherin returns when β1 does"
)


def calibration(view: View) -> str:
    """What was fitted, how much it decided, and what therefore is no finding."""
    if not view.is_plausible:
        return (
            f"k_int alone is fitted (to {ROWS}); here every other number is drawn from its whole "
            "range, whether or not these rows come out, so P(switch) of the knock-down in these "
            "lines is nearly, but not wholly, a prediction."
        )
    known = calibration_shares(view.structure)
    share = ""
    if known is not None:
        before = ", ".join(f"{line} {value:.2f}" for line, value in known.switch.items())
        share = (
            f" {known.plausible} of {known.tried} draws were kept (1 in "
            f"{round(known.tried / known.plausible)}); before, P(switch) of the knock-down was "
            f"{before}."
        )
    return (
        "k_int (how strongly loss of β1 integrin raises TGFβ activity, one number for all lines) "
        f"is fitted by conditioning whole parameter sets on {ROWS}.{share} Numbers that act beside "
        "k_int move with it, most of all kappa3 (how far β3 integrin compensates). P(switch) of "
        "the knock-down in these two lines is therefore high by construction: calibration, not a "
        "finding. Everything else here is prediction. The antibody is no row of its own, but "
        "shares the biology of the knock-down: it is no independent test."
    )


@dataclass(frozen=True)
class Headline:
    """One sentence about the leading arm in one cell line."""

    label: str
    verdict: str
    sign: str
    sentence: str
    support: str
    is_calibration: bool


def headlines(view: View) -> list[Headline]:
    """Verdict on the leading arm in each cell line, with both intervals."""
    found = []
    for group in view.groups:
        row = view.effect(group, view.lead)
        if row is None:
            continue
        verdict = str(row["verdict"])
        found.append(
            Headline(
                label=group.label,
                verdict=verdict,
                sign=SIGNS.get(verdict, "?"),
                sentence=_headline(view, group, row),
                support=_support(view, group),
                is_calibration=_is_calibration(view, group),
            )
        )
    return found


def _is_calibration(view: View, group: Group) -> bool:
    """Whether the headline is one of the rows the parameter sets were conditioned on."""
    items = view.study.arms.get(view.lead, ())
    genes = [getattr(item, "gene", None) for item in items]
    return view.is_plausible and group.cell_line in CALIBRATED_LINES and genes == ["ITGB1"]


def _headline(view: View, group: Group, row: Mapping[str, Any]) -> str:
    verdict = str(row["verdict"])
    meaning = MEANINGS.get(verdict, "")
    half = decided(row, view.study.verdict)
    meaning += f": {half}" if half else ""
    if not _has_draws(row):
        meaning = "no parameter draws, hence no interval and no verdict"
    return (
        f"In {group.label} the verdict on {view.lead} is {verdict} ({meaning}): "
        f"tumour volume ×{_both(view, row, 'tumour')} and "
        f"lung metastases ×{_both(view, row, 'spread')} "
        f"relative to {view.control}, P(switch) {probability(row['p_switch'])}."
    )


def decided(row: Mapping[str, Any], margins: Any) -> str:
    """What an unclear verdict leaves certain: ``smaller; spread unclear``; empty for the others."""
    if str(row["verdict"]) != "unclear" or not _has_draws(row):
        return ""
    tumour, spread = halves(row, margins.smaller, margins.spread)
    if not tumour and not spread:
        return "tumour and spread unclear"
    return f"{tumour or 'tumour unclear'}; {spread or 'spread unclear'}"


def _both(view: View, row: Mapping[str, Any], prefix: str) -> str:
    model = interval(row[f"{prefix}_low"], row[f"{prefix}_high"])
    study = interval(row[f"{prefix}_study_low"], row[f"{prefix}_study_high"])
    own = own_ratio(view, row, prefix)
    study += f" with draw 0 at {own}" if own else ""
    return f"{ratio(row[f'{prefix}_ratio'])} (model interval {model}, study interval {study})"


def own_ratio(view: View, row: Mapping[str, Any], prefix: str) -> str:
    """Draw 0's own ratio where the study interval does not hold the median; else empty."""
    low, high = row[f"{prefix}_study_low"], row[f"{prefix}_study_high"]
    own = view.own_ratios.get((str(row["cell_line"]), str(row["assay"]), str(row["arm"])))
    if own is None or not (low > row[f"{prefix}_ratio"] or high < row[f"{prefix}_ratio"]):
        return ""
    value = own[0 if prefix == "tumour" else 1]
    return ratio(value) if math.isfinite(value) else ""


def _has_draws(row: Mapping[str, Any]) -> bool:
    return math.isfinite(row["tumour_low"]) and math.isfinite(row["spread_low"])


def lead_note(view: View) -> str:
    """How the arm of the headlines was chosen."""
    if view.lead not in view.treated:
        return "The study has no treated arm, so there is nothing to compare."
    own = view.effects[view.effects["arm"] == view.lead]
    has_draws = own["p_switch"].notna().any()
    reason = (
        "it has the highest P(switch), averaged over the cell lines"
        if has_draws
        else "it comes first in the study"
    )
    return (
        f"The headlines are about “{view.lead}”: of the arms whose treatment is not built on "
        f"another arm's, {reason}."
    )


def interval_notes(view: View) -> list[tuple[str, str]]:
    """Two intervals and one error, a sentence each: they answer different questions."""
    level = percent(view.study.verdict.interval)
    animals = " or ".join(dict.fromkeys(str(a.animals) for a in view.animal_assays))
    return [
        (
            "Model interval",
            f"what we do not know: the central {level} of the expected ratio over "
            f"{view.study.uncertainty.draws} {view.draw_source}; "
            "more animals would not narrow it, and the verdict uses only this one.",
        ),
        (
            "Study interval",
            f"what a real study would see: the central {level} of the ratio measured with "
            f"{animals} animals in each arm, from differences between animals under "
            f"{view.reference}; better knowledge of the parameters would not narrow it.",
        ),
        (
            "Ratio",
            "the median over the draws. Draw 0, on which the study interval rests, is the "
            "plausible set most central for the β1 knock-down in the calibrated lines; in "
            "other lines and arms its own ratio may lie off the median; where the study interval "
            "therefore does not hold the median, draw 0's own expected ratio stands beside it.",
        ),
        (
            "Monte-Carlo error",
            "what more computing would remove: the standard error of the simulated ratio, in "
            "per cent of it; it is part of neither interval.",
        ),
    ]


def verdict_note(view: View) -> str:
    """Margins of the study, in words."""
    margins = view.study.verdict
    return (
        f"A tumour counts as smaller when its model interval lies below {margins.smaller:g} × "
        f"control, as not smaller when it lies wholly at or above that; spread as more above "
        f"{margins.spread:g} ×, as less below {1 / margins.spread:.2g} × control. An interval that "
        "crosses its margin decides nothing, so an arm can be unclear although one half of its "
        "answer is certain; the words below it say which. P(switch) is the share of parameter "
        "sets with both a smaller tumour and more spread."
    )


def structure_notes(view: View) -> list[str]:
    """For each cell line: under which structures the switch is more likely than not."""
    names = options(view)
    if len(names) == 1:
        return [
            f"Only {names[0]} was run, so this report cannot say whether the verdict depends on "
            "how the model is built."
        ]
    return [_structure_note(view, group) for group in view.groups] if names else []


def _structure_note(view: View, group: Group) -> str:
    yes, no = _sides(view, group)
    subject = f"{group.label}: with {view.lead}, a switch is"
    if not yes and not no:
        return f"{group.label}: no structural option was run with parameter draws."
    if not no:
        return f"{subject} more likely than not under every structural option: {', '.join(yes)}."
    if not yes:
        return f"{subject} less likely than not under every structural option: {', '.join(no)}."
    return (
        f"{subject} more likely than not only under some structural options: {', '.join(yes)}; "
        f"not under {', '.join(no)}. What is said about this line depends on the structure chosen."
    )


def _support(view: View, group: Group) -> str:
    yes, no = _sides(view, group) if options(view) else ([], [])
    count = len(yes) + len(no)
    return f"P(switch) ≥ 0.5 under {len(yes)} of {count} structural options" if count > 1 else ""


def _sides(view: View, group: Group) -> tuple[list[str], list[str]]:
    """Structural options under which a switch is more likely than not, and the others."""
    if view.lead not in view.treated:
        return [], []
    values = shares(view, group).loc[view.lead]
    known = [
        (str(name), p)
        for name, p in zip(values.index, values.to_numpy(float), strict=True)
        if math.isfinite(p)
    ]
    named = [(p >= 0.5, f"{name} ({probability(p)})") for name, p in known]
    return [text for is_yes, text in named if is_yes], [
        text for is_yes, text in named if not is_yes
    ]


def failure_note(view: View) -> str:
    """How many simulated animals failed; they are left out of all tables and figures."""
    n_failed = len(view.failures)
    if not n_failed:
        return f"None of the {view.n_outcomes} simulated animals failed."
    reasons = view.failures["status"].value_counts()
    listed = ", ".join(f"{reason} ({count})" for reason, count in reasons.items())
    return (
        f"{n_failed} of the {view.n_outcomes} simulated animals failed and are left out of every "
        f"estimate: {listed}."
    )
