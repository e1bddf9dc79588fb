"""The page of a screen of lines."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from unmoor.analysis.consistency import (
    ALL,
    BENIGN,
    FIRST,
    NO_PROTEIN,
    SECOND,
    STRICT,
    UNSEEN,
    WITH_PROTEIN,
)
from unmoor.analysis.screen_tables import (
    KEPT,
    arms_table,
    claims,
    limits_table,
    lines_table,
    threshold_table,
)
from unmoor.analysis.screening import INPUTS, PRIORS
from unmoor.report.numerals import probability, share
from unmoor.report.page import Plot, Section, Table, figure_footer, write_page
from unmoor.report.screen_figures import (
    cells_by_prior,
    class_matrix,
    screen_forest,
    threshold_strips,
)

if TYPE_CHECKING:
    from unmoor.analysis.consistency import Consistency
    from unmoor.analysis.limiting import Limits
    from unmoor.analysis.screening import Screened

_FORESTS = 3  # arms that get one
_CASES = 20_000  # at most, in the file of a figure
_QUESTION = "Which lines and tumours would answer these treatments with more spread?"
_NOT_VALIDATION = (
    "Lines are foretold by one rule from their molecular levels. That the ranking agrees with what "
    "is known of the lines is consistency, not validation: their subtypes were known when the rule "
    "was written, and no one has blocked β1 integrin in all of them."
)


def screen_page(
    folder: str | os.PathLike[str],
    found: Screened,
    held: Consistency,
    limits: Mapping[str, Limits],
    messages: Sequence[str] = (),
) -> Path:
    """Write the page of a screen, with its tables and figures beside it.

    Parameters
    ----------
    limits
        What limits lines that were asked about.
    messages
        What was done about tables of one's own.
    """
    arms, lines = arms_table(found), lines_table(found, held)
    footer = figure_footer(
        found.study, f"{found.study.uncertainty.draws} draws", f"rule {found.rule[:12]}"
    )
    sections = [
        _answer(found, arms, footer),
        _cells(found, lines, footer),
        _biomarkers(found, footer),
        _limits(found, held, limits),
        _consistency(found, held),
    ]
    title = f"Screen of {len(found.lines)} lines: {found.study.title or found.study.name}"
    notes = [_NOT_VALIDATION, *_domain(lines), *messages]
    return write_page(folder, title, found.study, sections, question=_QUESTION, notes=notes)


def _domain(lines: pd.DataFrame) -> list[str]:
    """Lines outside the panel, and lines of which much is not known."""
    told = [
        f"{row.line} is outside the calibrated domain: {row.outside_the_panel}."
        for row in lines[lines["outside_the_panel"] != ""].itertuples()
    ]
    unknown = lines[lines["not_known"] != ""]
    if len(unknown):
        names = "; ".join(f"{row.line} ({row.not_known})" for row in unknown.itertuples())
        told.append(f"Not known, so the panel's median and whole spread stand in: {names}.")
    return told


def _answer(found: Screened, arms: pd.DataFrame, footer: str) -> Section:
    margins = found.study.verdict
    figures = [
        Plot(
            f"forest_{k}", f"Who switches under {arm}?",
            "Lines by falling P(switch): tumour smaller and yet more metastases, as a share of the "
            "parameter draws. Points are medians, bars the central interval of the draws; dashed "
            "lines are the margins of the verdict.",
            partial(screen_forest, arms, arm, margins, footer), arms[arms["arm"] == arm],
        )
        for k, arm in enumerate(found.arms[:_FORESTS], 1)
    ]  # fmt: skip
    if len(found.arms) > 1:
        caption = "Class of every line under every arm, with P(switch)."
        draw = partial(class_matrix, arms, found.arms, footer)
        title = "Which class is each line under each arm?"
        figures.append(Plot("classes", title, caption, draw, arms))
    counts = arms.groupby("class")["line"].count().to_dict()
    text = "Line × arm by class: " + ", ".join(f"{n} {name}" for name, n in counts.items()) + "."
    formats = dict.fromkeys(("p_switch", "p_smaller", "p_more"), probability)
    table = Table("arms", "Lines under arms, by falling P(switch)", arms, formats=formats)
    return Section("Lines and arms", [text], [table], figures)


def _cells(found: Screened, lines: pd.DataFrame, footer: str) -> Section:
    priors = "; ".join(f"{name}: {text}" for name, text in PRIORS.items())
    kept = lines[lines["keeps_state"] < KEPT]
    paragraphs = [
        "Cells alone, without clones, neighbours or animals: β1 integrin at a tenth for two weeks, "
        f"then given back. A cell switches if it loses at least {found.loss:g} of the epithelial "
        "maximum of E-cadherin. Lines whose E-cadherin is less than that cannot switch, by "
        "construction.",
        f"No one has measured the coupling k_int; three priors of it: {priors}.",
        "Untreated lines keep their state in at least 95 % of the draws"
        + (", but for " + ", ".join(f"{r.line} ({r.keeps_state:.2f})" for r in kept.itertuples())
           if len(kept) else "") + ".",
    ]  # fmt: skip
    plot = Plot(
        "cells", "Which cells lose E-cadherin, and do they get it back?",
        "Left: share of draws in which cells lose E-cadherin, under three priors of k_int. Right: "
        "of the draws that switch, the share in which E-cadherin is back two weeks after β1 "
        "integrin; and the share in which the untreated line keeps its state.",
        partial(cells_by_prior, lines, footer), lines,
    )  # fmt: skip
    names = [name for name in lines.columns if name.startswith("p_cells")]
    formats = dict.fromkeys([*names, "reversible", "reversible_in_the_end", "keeps_state"], share)
    shown = ["line", "group", *names, "by_construction", "reversible", "keeps_state",
             "outside_the_panel"]  # fmt: skip
    table = Table("lines", "Cells of each line", lines, formats=formats, shown=shown)
    return Section("Cells alone", paragraphs, [table], [plot])


def _biomarkers(found: Screened, footer: str) -> Section:
    table = threshold_table(found, [None, *found.arms[:_FORESTS]])
    own = table[table["of"] == "cells that lose E-cadherin"]
    inputs = _cases(found)
    plots = []
    if len(own):
        caption = (
            "Malignant lines in all draws: median, central half (thick) and 90 % (thin) of each "
            "parameter among draws that switch and others. The dashed line is the threshold of "
            "best balanced accuracy, the band its interval over resampled lines."
        )
        draw = partial(threshold_strips, inputs, own, footer)
        plots = [Plot("thresholds", "What tells them apart?", caption, draw, inputs[:_CASES])]
    text = (
        "Every threshold of one parameter was tried; accuracies are those of the cases they were "
        "found in, with intervals over resampled lines."
        if len(own)
        else "All malignant lines answer alike: there is nothing to tell apart."
    )
    caption = "Best threshold of each parameter"
    return Section("Biomarkers", [text], [Table("thresholds", caption, table)], plots)


def _cases(found: Screened) -> pd.DataFrame:
    chosen = [i for i, line in enumerate(found.lines) if line.is_malignant]
    if not chosen:
        return pd.DataFrame({"parameter": [], "value": [], "switches": []})
    switches = np.stack([found.own_cells[i].switches(found.loss) for i in chosen]).ravel()
    parts = [
        pd.DataFrame({"parameter": name, "value": found.inputs[name][chosen].ravel(),
                      "switches": switches})
        for name in INPUTS
    ]  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def _limits(found: Screened, held: Consistency, limits: Mapping[str, Limits]) -> Section:
    text = (
        "A level limits a line if the line's own value holds it back even with all others at their "
        "favourable end of the panel. The smallest repair moves the fewest levels as little as it "
        f"takes for {found.threshold:g} of the draws to switch; sizes are in standard deviations "
        "of the panel. Of lines that switch, the foremost level is the one they would miss most."
    )
    table = limits_table({**held.exceptions, **limits})
    return Section("What limits a line", [text], [Table("limits", "Limiting levels", table)])


_AREAS = {
    ALL: "area under the curve, this screen, all lines of the two groups",
    WITH_PROTEIN: "the same, without lines that lack E-cadherin protein among the second group",
    UNSEEN: "the same, without lines the model was calibrated on",
    STRICT: "the same, without either",
}


def _who(found: Screened, held: Consistency) -> list[str]:
    """Which lines are in which area, and those for which the answer is built in."""
    names = {found.lines[i].name for i in held.members(SECOND)}
    sure = [name for name in held.without_protein if name in names]
    told = [
        f"First group: {_listed(found, held, FIRST)}. Second group: "
        f"{_listed(found, held, SECOND)}.",
        f"{len(sure)} of the second group have no E-cadherin protein "
        f"({', '.join(sure) or 'none'}) and cannot switch by construction: they "
        "raise the area, which is told without them too. "
        f"The model was calibrated on {', '.join(held.calibrated) or 'none of them'}.",
    ]
    switching = dict(zip((line.name for line in found.lines), found.share_switching(), strict=True))
    if held.without_protein:
        most = max(held.without_protein, key=lambda name: switching[name])
        told.append(
            f"All {len(held.without_protein)} malignant lines without E-cadherin protein, whatever "
            f"their subtype ({', '.join(held.without_protein)}): the largest share of draws that "
            f"switch is {switching[most]:.2f} ({most}); by construction."
        )
    return told


def _listed(found: Screened, held: Consistency, group: str) -> str:
    return ", ".join(found.lines[i].name for i in held.members(group)) or "none"


def _consistency(found: Screened, held: Consistency) -> Section:
    told: dict[str, Any] = claims(found, held)
    rows = [
        *((_AREAS[name], each.value, each.low, each.high) for name, each in held.areas.items()),
        ("the same, ITGB1 and TGFBR2 exchanged between lines", told["auroc_permuted"],
         told["auroc_permuted_low"], told["auroc_permuted_high"]),
        *((f"{name} alone", area, np.nan, np.nan) for name, area in held.baselines.items()),
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=["of", "area", "low", "high"])
    sizes = ", ".join(f"{len(held.members(name))} {name}" for name in (FIRST, SECOND, NO_PROTEIN))
    deleted = pd.DataFrame([
        {"line": name, **{f"without_{gene}": value for gene, value in values.items()}}
        for name, values in held.deleted.items()
    ])  # fmt: skip
    benign = _listed(found, held, BENIGN)
    paragraphs = [
        f"Malignant {FIRST} lines against {SECOND} ones ({sizes}). Lines that are not malignant "
        f"stand apart and are not scored: {benign}.",
        *_who(found, held),
        "An area of one half tells nothing; a level alone with an area below one half speaks the "
        "other way round. A level alone can do as well as the screen: then the order of the lines "
        "is no evidence for the mechanism.",
        f"Of draws that switch, {told['reversible']:.2f} have E-cadherin back two weeks after β1 "
        f"integrin, {told['reversible_in_the_end']:.2f} in the end.",
        f"What decides this order has the digest {found.rule}: reading of panel and expression, "
        "rule, test of the cells, groups and areas, and their numbers. It was recorded anew after "
        "the first run of the panel (closures/line_rule tells when and why): it shows later "
        "changes and is no proof that nothing was changed before.",
    ]
    tables = [Table("consistency", "Consistency with subtypes, and baselines", table)]
    if len(deleted):
        caption = f"Lines with more than {held.often:g} of draws, without a gene"
        tables.append(Table("without_genes", caption, deleted))
    return Section("Consistency, not validation", paragraphs, tables)
