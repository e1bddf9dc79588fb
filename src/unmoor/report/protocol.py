"""The protocol of the experiment a design describes, in the order of ARRIVE 2.0.

Items 1-10 are the essential ten, 11-21 the recommended set (Percie du Sert et al. 2020). What the
study knows is filled in; what only the laboratory knows is a field to fill in, never a guess.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields
from typing import Any

from unmoor.analysis.design import END_POINTS, Design
from unmoor.analysis.design_messages import messages
from unmoor.catalog import about, table
from unmoor.errors import UnmoorError
from unmoor.report.docx import Grid, Heading, Paragraph, Part
from unmoor.report.numerals import percent, probability, ratio
from unmoor.report.tables import describe
from unmoor.trial.provenance import catalog_digest, software
from unmoor.trial.tumour_assay import tumour_assay

TUMOUR, SPREAD = END_POINTS
Writer = Callable[[Design, int], Iterator[Part]]


def protocol(design: Design, animals: int) -> list[Part]:
    """Parts of the protocol for an experiment with so many animals in each arm."""
    study = design.asked
    parts: list[Part] = [
        Heading(f"Study protocol: {study.title or study.name}", 1),
        Paragraph(
            "Draft in the order of the ARRIVE guidelines 2.0, made by a simulation before any "
            "animal is used. Fields in brackets are for the laboratory. Nothing here replaces the "
            "decision of an ethics committee."
        ),
    ]
    for heading, items in (("The essential ten", _ESSENTIAL), ("Recommended set", _RECOMMENDED)):
        parts.append(Heading(heading, 2))
        first = 1 if items is _ESSENTIAL else len(_ESSENTIAL) + 1
        for number, (name, write) in enumerate(items, first):
            parts.append(Heading(f"{number}. {name}", 3))
            parts += write(design, animals)
    return parts


def registration(design: Design, animals: int) -> list[Part]:
    """A draft for the register of animal studies: hypotheses, outcomes, numbers, bias."""
    asked: list[tuple[str, Writer]] = [
        ("Hypotheses", _objectives),
        ("Design and experimental unit", _design),
        ("Sample size and how it was decided", _sample_size),
        ("Outcome measures", _outcomes),
        ("Analysis plan", _statistics),
        ("Measures against bias: allocation", _randomisation),
        ("Measures against bias: blinding", _blinding),
        ("Exclusions and humane end point", _exclusion),
    ]
    parts: list[Part] = [
        Heading(f"Preregistration draft: {design.asked.title or design.asked.name}", 1),
        Paragraph("Type of study: confirmatory or exploratory; tick one", to_fill=True),
    ]
    for name, write in asked:
        parts += [Heading(name, 3), *write(design, animals)]
    return [
        *parts,
        Heading("Register and embargo", 3),
        Paragraph("register, identifier, embargo until", to_fill=True),
    ]


def _design(design: Design, animals: int) -> Iterator[Part]:
    study, assay = design.asked, _assay(design)
    yield Paragraph(
        f"{len(study.arms)} parallel groups of animals with tumours of {design.cell_line}; "
        f"“{study.control}” is the control of every comparison. "
        f"The primary comparison is “{design.arm}” against it. Read-out on day "
        f"{assay.duration:g} after inoculation."
    )
    rows = [("group", "treatment", "animals")]
    for arm, items in study.arms.items():
        what = "; ".join(map(describe, items)) or "no treatment; give the vehicle of the others"
        rows.append((arm, what, str(animals)))
    yield Grid(rows)
    yield Paragraph(
        "The experimental unit is the single animal. Treatments are given animal by animal; if a "
        "cage gets one treatment as a whole, the cage is the unit and these numbers do not hold."
    )


def _sample_size(design: Design, animals: int) -> Iterator[Part]:
    study, choices = design.asked, design.choices
    yield Paragraph(
        f"{animals} animals in each of {len(study.arms)} groups, {animals * len(study.arms)} in "
        f"all, of which about {percent(choices.attrition)} may be lost."
    )
    yield Paragraph(
        f"Decided by simulation before the experiment ({choices.trials} simulated experiments a "
        f"number, two-sided level {choices.level:g} for each end point, {design.draws} plausible "
        f"parameter sets for {design.cell_line}). The effect is a prediction of a model, not a "
        "pilot measurement. Power was worked out for the primary comparison; groups beyond it "
        "have as many animals, or may be left out."
    )
    for told in messages(design):
        yield Paragraph(told)
    rows = [("end point", "central effect", "90 % of sets", "n", "power", "assurance")]
    rows[0] = (*rows[0][:2], f"{percent(study.verdict.interval)} of sets", *rows[0][3:])
    known = set(design.table["n"])
    for name, label in ((TUMOUR, "tumour volume"), (SPREAD, "lung metastases")):
        each = design.end_points[name]
        cells = (label, f"× {ratio(each.central)}", f"{ratio(each.low)}–{ratio(each.high)}")
        if animals in known:
            row = design.row(name, animals)
            shares = probability(row["power"]), probability(row["assurance"])
        else:
            shares = "–", "–"
        rows.append((*cells, str(animals), *shares))
    yield Grid(rows)


def _exclusion(design: Design, animals: int) -> Iterator[Part]:
    humane, every = _humane(design)
    yield Paragraph(
        "Set before the experiment. Included: animals whose tumour cells were injected without "
        "leakage. Excluded from both end points: animals lost for reasons that have nothing to do "
        "with their group; each is reported with its reason, by group."
    )
    yield Paragraph(
        f"An animal whose tumour reaches {humane:g} mm³ (read every {every:g} d) is taken out on "
        "that day, stays in the analysis, and its lungs are counted then."
    )
    yield Paragraph("further criteria of the laboratory", to_fill=True)


def _randomisation(design: Design, animals: int) -> Iterator[Part]:
    yield Paragraph(
        "Animals are allocated in the order of inoculation by permuted blocks of one or two "
        f"rounds of all {len(design.asked.arms)} groups, with random numbers that are a function "
        f"of the seed {design.asked.seed}. The list is randomisation.csv: each animal has a code "
        "of its own, so that no code tells which animals belong together."
    )
    yield Paragraph(
        "Treatment, measurement and necropsy follow the order of the list; cages of a block stand "
        "side by side, so that place and time are shared by all groups."
    )


def _blinding(design: Design, animals: int) -> Iterator[Part]:
    yield Paragraph(
        "What a code stands for is in blinding/key.csv alone. One person who neither treats, "
        "measures nor counts keeps it and prepares treatments under their codes. The key is opened "
        "when volumes and counts are locked. Whoever has the study file and its seed can make the "
        "key anew: keep both from those who are blinded."
    )
    yield Paragraph("who keeps the key, who treats, who measures, who counts", to_fill=True)


def _outcomes(design: Design, animals: int) -> Iterator[Part]:
    _, every = _humane(design)
    yield Paragraph(
        "Primary, both: (a) tumour volume by calliper, read every "
        f"{every:g} d, compared on the last day on which every animal of the comparison was "
        "measured; (b) number of lung metastases of each animal at read-out."
    )
    yield Paragraph(
        "Numbers of animals were decided for (a) and (b) together: an experiment planned for (a) "
        "alone would be likely to miss a change of (b)."
    )
    yield Paragraph("method of counting metastases, sections, stain, counter", to_fill=True)


def _statistics(design: Design, animals: int) -> Iterator[Part]:
    level = design.choices.level
    yield Paragraph(
        "(a) Welch's t-test of the logarithm of volume, ratio of geometric means with its "
        "interval. (b) Ratio of mean counts of a negative-binomial model with common dispersion; "
        "p and interval from the permutation distribution of its likelihood ratio. Both two-sided "
        f"at {level:g}; each answers a question of its own, and no adjustment is made between "
        "them. Comparisons with further groups are secondary."
    )
    yield Paragraph(
        "Both tests keep their level at 5 to 20 animals a group. Assumptions: (a) logarithms about "
        "normal; residuals are looked at. (b) none under the hypothesis of no effect."
    )


def _animals(design: Design, animals: int) -> Iterator[Part]:
    line = design.cell_line
    host = _assay(design).host_of(line) or ""
    yield Paragraph(
        f"{_named('cell_lines', line, 'name', design)} in "
        f"{_named('hosts', host, 'strain', design)} mice."
    )
    yield Paragraph(
        "sex, age, body mass, source, health status, authentication and mycoplasma test of the "
        "cells",
        to_fill=True,
    )


def _procedures(design: Design, animals: int) -> Iterator[Part]:
    assay = _assay(design)
    values = {each.name: getattr(assay, each.name) for each in fields(assay)}
    told = type(assay).made({**values, "animals": animals}).design
    yield Paragraph(f"{_label(assay)}: {told}.")
    for arm, items in design.asked.arms.items():
        yield Paragraph(f"{arm}: {'; '.join(map(describe, items)) or 'no treatment'}.")
    yield Paragraph("anaesthesia, analgesia, formulation, time of day, killing", to_fill=True)


def _results(design: Design, animals: int) -> Iterator[Part]:
    yield Paragraph(
        "For each group and end point: n analysed, mean or geometric mean with a measure of "
        "spread, ratio to control with its 95 % interval",
        to_fill=True,
    )


def _objectives(design: Design, animals: int) -> Iterator[Part]:
    tumour, spread = (design.end_points[name] for name in END_POINTS)
    words = {-1: "lower", 1: "higher"}
    yield Paragraph(
        f"Does “{design.arm}” change tumour volume and lung metastases of {design.cell_line} "
        f"against “{design.study.control}”? Predicted: volume {words[tumour.direction]} "
        f"(× {ratio(tumour.median)}, {ratio(tumour.low)}–{ratio(tumour.high)}), metastases "
        f"{words[spread.direction]} (× {ratio(spread.median)}, {ratio(spread.low)}–"
        f"{ratio(spread.high)}); {percent(design.study.verdict.interval)} intervals over "
        "plausible parameter sets. The prediction may be wrong; the experiment tests it."
    )


def _monitoring(design: Design, animals: int) -> Iterator[Part]:
    humane, every = _humane(design)
    out = max(design.taken_out)
    yield Paragraph(
        f"Humane end point: a tumour of {humane:g} mm³ or more, read every {every:g} d; expected "
        f"before the read-out in {percent(round(out, 3))} of the animals of the group with most."
    )
    yield Paragraph(
        "further humane end points: loss of body mass, ulceration, breathing, behaviour; how "
        "often they are looked at and by whom",
        to_fill=True,
    )


def _data(design: Design, animals: int) -> Iterator[Part]:
    made = software()
    yield Paragraph(
        f"Simulation: {made['name']} {made['version']}, study {design.asked.digest()[:12]}, "
        f"catalog {catalog_digest(design.asked)[:12]}, seed {design.asked.seed}; study.toml makes "
        "every number of this protocol anew."
    )
    yield Paragraph("where the data of the experiment will be", to_fill=True)


def _field(text: str) -> Writer:
    def write(design: Design, animals: int) -> Iterator[Part]:
        yield Paragraph(text, to_fill=True)

    return write


_ESSENTIAL: tuple[tuple[str, Writer], ...] = (
    ("Study design", _design),
    ("Sample size", _sample_size),
    ("Inclusion and exclusion criteria", _exclusion),
    ("Randomisation", _randomisation),
    ("Blinding", _blinding),
    ("Outcome measures", _outcomes),
    ("Statistical methods", _statistics),
    ("Experimental animals", _animals),
    ("Experimental procedures", _procedures),
    ("Results", _results),
)
_RECOMMENDED: tuple[tuple[str, Writer], ...] = (
    ("Abstract", _field("objectives, animals, methods, findings, conclusions")),
    ("Background", _field("why this question, why this model, what it says about people")),
    ("Objectives", _objectives),
    ("Ethical statement", _field("committee, licence and protocol numbers")),
    ("Housing and husbandry", _field("cages, animals a cage, light, food, enrichment")),
    ("Animal care and monitoring", _monitoring),
    ("Interpretation", _field("results against the predictions; limits, sources of bias")),
    ("Generalisability", _field("other tumours, other species, people")),
    ("Protocol registration", _field("register and number; a draft is in registration.docx")),
    ("Data access", _data),
    ("Declaration of interests", _field("interests; funding and the role of funders")),
)


def _assay(design: Design) -> Any:
    return tumour_assay(design.asked)


def _humane(design: Design) -> tuple[float, float]:
    """Volume at which an animal is taken out [mm³], and days between two readings [d]."""
    every = table("closures", "response", design.asked.beside)["measured_every"].value
    return float(_assay(design).humane_volume), float(every)


def _named(kind: str, name: str, key: str, design: Design) -> str:
    try:
        return str(about(kind, name, design.asked.beside).get(key, name))
    except UnmoorError:
        return name


def _label(assay: Any) -> str:
    name = str(assay.label).replace("_", " ")
    return name[0].upper() + name[1:]
