"""Methods of a study in words, in the order of the essential ten items of ARRIVE 2.0.

Every sentence is made from the study and its result, so that it can be lifted into a manuscript or
a study plan. Items that have no meaning for virtual animals say so instead of being left out.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from functools import partial
from typing import Any

from unmoor.catalog import about, table
from unmoor.errors import UnmoorError
from unmoor.report.names import readout_name
from unmoor.report.numerals import percent
from unmoor.report.tables import GRADES, arm_table, structure_of
from unmoor.report.view import View
from unmoor.trial.statistics import (
    COUNT_TEST,
    COX_TEST,
    GROWTH_TEST,
    KAPLAN_MEIER,
    RANK_TEST,
    VOLUME_TEST,
)

Section = tuple[str, str]
_TESTS = {
    GROWTH_TEST: (
        "growth rate by a linear mixed model of log volume with random intercept and slope of "
        "each animal, arm × time, degrees of freedom after Satterthwaite"
    ),
    VOLUME_TEST: "tumour volume by Welch's t-test of log volume on the last day with all animals",
    COUNT_TEST: (
        "lung metastases by the ratio of means of a negative-binomial model, with p of the "
        "permutation distribution"
    ),
    KAPLAN_MEIER: "time to the humane end point by Kaplan–Meier with log-log bands",
    RANK_TEST: "log-rank test with p of its permutation distribution",
    COX_TEST: "Cox model (Efron's ties) with p of the permutation distribution of its score",
}
_LISTED = 12  # fitted numbers named


def methods(view: View, tests: Collection[str] = ()) -> list[Section]:
    """Headings and paragraphs; ``tests`` are the analyses of a laboratory that are shown."""
    items: dict[str, Callable[[View], Iterator[str]]] = {
        "Study design": _design,
        "Sample size": _sample_size,
        "Inclusion and exclusion criteria": _exclusion,
        "Randomisation": _randomisation,
        "Blinding": _blinding,
        "Outcome measures": _outcomes,
        "Statistical methods": partial(_statistics, tests=tests),
        "Experimental animals and cell lines": _animals,
        "Experimental procedures": _procedures,
        "Results": _results,
        "Model, parameters and software": _model,
    }
    return [(name, " ".join(write(view))) for name, write in items.items()]


def methods_text(view: View, references: list[str], tests: Collection[str] = ()) -> str:
    """Return the same as a Markdown document with its references."""
    title = view.study.title or "Virtual tumour trial"
    parts = [
        f"# Methods: {title}",
        *(f"## {name}\n\n{text}" for name, text in methods(view, tests)),
    ]
    parts.append("## References\n\n" + "\n".join(f"{i}. {x}" for i, x in enumerate(references, 1)))
    return "\n\n".join(parts) + "\n"


def _design(view: View) -> Iterator[str]:
    kinds = ", ".join(dict.fromkeys(_kind(assay) for assay in view.study.assays))
    yield (
        "This is a computer simulation; no animal was used. "
        f"{_count(len(view.arms), 'arm')} were compared in "
        f"{_count(len(view.study.cell_lines), 'cell line')} "
        f"({', '.join(view.study.cell_lines)}) by {kinds}; "
        f"“{view.control}” was the control of every comparison."
    )
    if view.animal_assays:
        yield "The experimental unit is the animal."
    if view.others:
        yield (
            "Assays without primary tumours tell what is expected of a line under a treatment; "
            "there the experimental unit is the parameter set."
        )


def _sample_size(view: View) -> Iterator[str]:
    draws = view.study.uncertainty.draws
    for assay in view.animal_assays:
        total = len(view.arms) * len(view.study.cell_lines) * assay.animals
        yield (
            f"{_label(assay)}: {assay.animals} animals in each arm and line, {total} in all, under "
            f"each of {_count(draws, 'parameter set')} and {view.reference}."
        )
    for assay in view.study.assays:
        if not assay.has_tumours:
            yield f"{_label(assay)}: every arm under each of {_count(draws, 'parameter set')}."
    yield (
        "Numbers were set in the study file; they were not derived from a power calculation. "
        "More animals narrow the study interval only, more parameter sets the Monte-Carlo error."
    )


def _exclusion(view: View) -> Iterator[str]:
    yield "No exclusion criterion was set."
    count = len(view.failures)
    if count:
        yield (
            f"{count} of {view.n_outcomes} simulated animals failed to solve and are left out of "
            "every estimate; outcomes.csv names the reason for each."
        )
    elif view.n_outcomes:
        yield f"All {view.n_outcomes} simulated animals were analysed."
    for group in view.groups:
        limit = view.humane_volume(group)
        if limit < float("inf"):
            yield (
                "Humane end point: first calliper reading of "
                f"{limit:g} mm³ or more. It ends the follow-up of single "
                "animals and their survival; effects and verdicts use all animals at the read-out."
            )
            break


def _randomisation(view: View) -> Iterator[str]:
    yield (
        "Allocation has no meaning here: every arm is given the same virtual animals, clones and "
        "parameter sets, so arms are paired and cannot differ by chance at the start. Random "
        f"numbers are a function of the seed ({view.seed}), the animal, the parameter set and the "
        "purpose (Philox 4x32-10, counter-based); results do not depend on order or machine load."
    )


def _blinding(view: View) -> Iterator[str]:
    yield "Does not apply: read-outs are computed by the same rule in every arm."


def _outcomes(view: View) -> Iterator[str]:
    growth = partial(_number, view, "growth")
    for assay in view.animal_assays:
        yield (
            f"{_label(assay)}, day {assay.duration:g}: primary, tumour volume by calliper "
            "(geometric mean) and lung metastases (mean count). A reading is the true volume plus "
            f"an error of SD {growth('residual_a'):g} mm³ + {growth('residual_b'):g} × volume, and "
            f"at least {growth('smallest_reading'):g} mm³; tumours were read every "
            f"{_number(view, 'response', 'measured_every'):g} d up to the read-out."
        )
        yield "Secondary: E-cadherin, network activity, circulating cells and speed by day."
        break
    for assay in view.study.assays:
        if not assay.has_tumours:
            names = ", ".join(readout_name(name) for name in assay.outcomes)
            days = sorted(set(view.readouts.loc[view.readouts["assay"] == assay.label, "day"]))
            yield f"{_label(assay)}: {names} on day {', '.join(f'{day:g}' for day in days)}."


def _statistics(view: View, tests: Collection[str]) -> Iterator[str]:
    study, level = view.study, percent(view.study.verdict.interval)
    yield (
        f"Effects are ratios of each arm to “{view.control}”, the median over the parameter sets. "
        f"The model interval is the central {level} of the expected ratio over the parameter sets."
    )
    if view.animal_assays:
        yield (
            f"The study interval is the central {level} of the ratio in resampled studies of the "
            f"same size under {view.reference}. A tumour counts as smaller below "
            f"{study.verdict.smaller:g} × control, spread as more above {study.verdict.spread:g} "
            f"×; the verdict (switch, benefit, containment, harm or unclear) uses the model "
            "interval only. P(switch) is the share of parameter sets with both a smaller tumour "
            "and more spread. No hypothesis test enters the verdict."
        )
    used = [told for test, told in _TESTS.items() if test in tests]
    if used:
        yield (
            f"The animals of {view.reference} were also analysed as a laboratory would, each arm "
            f"against control: {'; '.join(used)}. Intervals are 95 %; p-values are not adjusted "
            "for the number of arms. They show what one study of this size would report and are "
            "no evidence."
        )


def _animals(view: View) -> Iterator[str]:
    in_animals = False
    for assay in view.study.assays:
        pairs = []
        for line in view.study.cell_lines:
            host, told = assay.host_of(line), _described(view, line)
            in_animals |= bool(host)
            pairs.append(f"{told} in {_strain(view, host)}" if host else told)
        yield f"{_label(assay)}: {'; '.join(pairs)}."
    if in_animals:
        yield (
            "Animals are virtual: a strain is its immune term, and sex, age, weight and housing "
            "are not modelled."
        )
    if view.animal_assays:
        yield "Animals differ in the growth of their tumours and in shedding."


def _procedures(view: View) -> Iterator[str]:
    for assay in view.study.assays:
        yield f"{_label(assay)}: {assay.design}."
    arms = [f"({number}) {arm}: {what}" for number, arm, what in arm_table(view)]
    yield f"Arms: {'; '.join(arms)}."
    items = [item for items in view.study.arms.values() for item in items]
    if any(hasattr(item, "gene") for item in items):
        yield "Changes of genes are in the tumour cells only."
    if any(getattr(item, "concentration", None) is not None for item in items):
        yield "Concentrations are constant in the medium from start to stop."
    if any(hasattr(item, "radiation") for item in items):
        yield "Radiation reaches the tumour or the culture only."


def _results(view: View) -> Iterator[str]:
    yield (
        "Every estimate with both intervals is in effects.csv and readouts.csv; single animals are "
        "in outcomes.csv, animals.csv and events.csv."
        if view.animal_assays
        else "Every estimate with its interval is in readouts.csv."
    )


def _model(view: View) -> Iterator[str]:
    from unmoor.report.text import FROM_TISSUE, calibration

    software = view.provenance.get("software", {})
    packages = view.provenance.get("environment", {})
    version = software.get("version", "unknown") if isinstance(software, Mapping) else software
    inside = packages.get("packages", {}) if isinstance(packages, Mapping) else {}
    others = ", ".join(f"{name} {number}" for name, number in inside.items())
    python = packages.get("python", "") if isinstance(packages, Mapping) else ""
    made = f"unmoor {version}" + (f" with Python {python}" if python else "")
    yield f"{made}{f' ({others})' if others else ''}; catalog {_digest(view)}."
    yield (
        f"Structure of the model: {structure_of(view)}. Parameters: "
        f"{view.study.uncertainty.draws} {view.draw_source}."
    )
    yield _graded(view)
    yield calibration(view)
    if view.animal_assays:
        yield FROM_TISSUE[view.study.model.escape]
        if view.study.model.escape == "table":
            yield _table_of_escape()
    yield f"Sources of all numbers: {', '.join(view.citations)}."


def _table_of_escape() -> str:
    """How the table was made, and how well it foretells what it was not fitted to."""
    from unmoor.tissue.escape_table import shipped_grid

    about = shipped_grid().about
    checks = (f"{name}: {about[f'cross-validated {name}']}" for name in ("singles", "clusters"))
    return f"That table was made by {about['made by']}; of points left out, {'. '.join(checks)}."


def _graded(view: View) -> str:
    """How many numbers there are of each grade, and which were fitted."""
    numbers = view.numbers
    if numbers.empty:
        return "No number of the catalog is recorded."
    counts = [(grade, int((numbers["evidence"] == grade).sum())) for grade in GRADES]
    told = ", ".join(f"{count} {grade}" for grade, count in counts if count)
    fitted = sorted(set(numbers.loc[numbers["evidence"] == "fitted", "id"].astype(str)))
    shown = ", ".join(fitted[:_LISTED]) + (" and others" if len(fitted) > _LISTED else "")
    rest = f" Fitted: {shown}." if fitted else ""
    return f"Of {len(numbers)} numbers behind the run {told}; numbers.csv lists them.{rest}"


def _number(view: View, closure: str, name: str) -> float:
    return float(table("closures", closure, view.study.beside)[name].value)


def _described(view: View, name: str) -> str:
    """Name of a line with its species, as far as the catalog knows it."""
    try:
        entry = about("cell_lines", name, view.study.beside)
    except UnmoorError:
        return name
    species = entry.get("species", "")
    return f"{entry.get('name', name)} ({species})" if species else str(entry.get("name", name))


def _strain(view: View, host: str) -> str:
    try:
        entry = about("hosts", host, view.study.beside)
    except UnmoorError:
        return host
    return f"{entry.get('strain', host)} mice"


def _kind(assay: Any) -> str:
    return str(assay.name).replace("_", " ")


def _label(assay: Any) -> str:
    name = str(assay.label).replace("_", " ")
    return name[0].upper() + name[1:]


def _digest(view: View) -> str:
    return str(view.provenance.get("catalog_digest", "unknown"))[:12]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
