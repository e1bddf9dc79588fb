"""What a biologist would say on reading the treatments of a study.

Checks of drugs, edits and irradiation, in the way of :mod:`unmoor.trial.domain_checks`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from unmoor import catalog
from unmoor.errors import CatalogError, literal, nearest
from unmoor.findings import FieldPath, Findings
from unmoor.parameters import GENES
from unmoor.therapy.irradiation import LARGEST_TOTAL
from unmoor.trial.study_fields import Draft
from unmoor.units import format_quantity


def about(draft: Draft, kind: str, name: str) -> Mapping[str, Any]:
    """Return what the catalog says of an entry; nothing if that is damaged."""
    try:
        return catalog.about(kind, name, draft.beside)
    except CatalogError:  # what the study names was read before; this is a neighbour of it
        return {}


def treatments(draft: Draft) -> Iterator[tuple[FieldPath, dict[str, Any]]]:
    """Yield every treatment of every arm, with its path."""
    for arm, items in draft.arms.items():
        for number, item in enumerate(items):
            yield ("arms", arm, number), item


def durations(draft: Draft) -> list[float]:
    """Return the durations of the assays that are known [d]."""
    return [assay["duration"] for assay in draft.assays if "duration" in assay]


def days(value: float) -> str:
    """Return a time as it is written in a study."""
    return format_quantity(value, "time")


def listed(names: list[str]) -> str:
    """Return the first three names, and how many more there are."""
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _drug_names(draft: Draft, findings: Findings) -> None:
    """One drug under two names is easily taken for two drugs."""
    seen: dict[str, str] = {}
    for drug in draft.drugs:
        first = seen.setdefault(drug.name, drug.written)
        if first != drug.written:
            expected = f"one name for one drug; it is the same drug as {literal(first)}"
            fix = f"write {literal(drug.name)} for both"
            findings.add(drug.path, literal(drug.written), expected, fix, "W-SYNONYM")
            seen[drug.name] = drug.written


def _timing(draft: Draft, findings: Findings) -> None:
    """What starts after the last read-out is never seen; what stops after it never stops."""
    known = durations(draft)
    if not known:
        return
    first, last = min(known), max(known)
    for path, item in treatments(draft):
        start, stop = item.get("start"), item.get("stop")
        if start is not None and start >= last:
            expected = f"a time before the read-out, 0-{days(last)}"
            fix = "start it earlier, or lengthen the duration"
            findings.add((*path, "start"), f'"{days(start)}"', expected, fix, "E-TIME")
        elif start is not None and start >= first:
            expected = f"a time before each read-out, the first at {days(first)}"
            findings.add((*path, "start"), f'"{days(start)}"', expected, "", "W-TIME")
        if stop is not None and stop > last:
            expected = f"a time up to the read-out, {days(last)}; this one is never reached"
            findings.add((*path, "stop"), f'"{days(stop)}"', expected, "", "W-TIME")
        every = item.get("every")
        if every is not None and start is not None and start < last <= start + every:
            expected = f"an interval that fits before the read-out, {days(last)}; one dose is given"
            findings.add((*path, "every"), f'"{days(every)}"', expected, "", "W-SCHEDULE")


def _doses(draft: Draft, findings: Findings) -> None:
    """A dose of nothing, a dose above the drug's limit, a route it is not given by."""
    for path, item in treatments(draft):
        dose = item.get("dose")
        if dose == 0.0:
            expected = "a dose above 0 mg/kg; this one does nothing"
            findings.add((*path, "dose"), '"0 mg/kg"', expected, "", "W-DOSE")
        if "drug" not in item:
            continue
        own = about(draft, "drugs", item["drug"])
        limit = own.get("max_dose", math.inf)
        if dose is not None and dose > limit:
            expected = f"a dose of {item['drug']}, 0-{limit:g} mg/kg"
            fix = f'write "{limit:g} mg/kg" or less'
            findings.add(
                (*path, "dose"), f'"{format_quantity(dose, "dose")}"', expected, fix, "E-RANGE"
            )
        route, routes = item.get("route"), own.get("routes", [])
        if route is not None and route not in routes:
            close = nearest(route, routes, n=1)
            expected = f"a route of {item['drug']}: {', '.join(routes)}"
            fix = f"did you mean {literal(close[0])}?" if close else "leave it out"
            findings.add((*path, "route"), literal(route), expected, fix, "E-ROUTE")


def _binding(draft: Draft, findings: Findings) -> None:
    """An antibody against another species' protein does nothing."""
    species = {
        line.name: about(draft, "cell_lines", line.name).get("species") for line in draft.lines
    }
    if not species:
        return
    for path, item in treatments(draft):
        if "drug" not in item:
            continue
        place, drug = (*path, "drug"), literal(item["drug"])
        binds = about(draft, "drugs", item["drug"]).get("binds")
        if binds is None:
            continue
        missed = [line for line, kind in species.items() if kind not in binds]
        expected = (
            f"a drug that binds the cells' species; this one binds {' and '.join(binds)} only"
        )
        if len(missed) == len(species) and draft.has_all_lines:
            fix = _other_drugs(draft, item["drug"], set(species.values()))
            findings.add(place, drug, f"{expected}, so it does nothing here", fix, "E-SPECIES")
        elif missed:
            expected = f"{expected}, so it does nothing in {listed(missed)}"
            findings.add(place, drug, expected, "", "W-SPECIES")


def _other_drugs(draft: Draft, drug: str, species: set[Any]) -> str:
    """Suggest drugs of the same target that bind all of these species."""
    target = about(draft, "drugs", drug).get("target")
    others = []
    for name in catalog.names("drugs", draft.beside):
        other = about(draft, "drugs", name)
        if other.get("target") == target and species <= set(other.get("binds", ())):
            others.append(name)
    return f"use {listed(others)}" if others else "remove this treatment"


def _stroma(draft: Draft, findings: Findings) -> None:
    """A human-specific drug in a mouse treats the graft and leaves the mouse's own cells alone."""
    hosts = {host for assay in draft.assays for host in assay.get("host", {}).values()}
    animals = {about(draft, "hosts", host).get("species") for host in hosts}
    cells = {about(draft, "cell_lines", line.name).get("species") for line in draft.lines}
    for path, item in treatments(draft):
        if "drug" not in item or not animals:
            continue
        binds = about(draft, "drugs", item["drug"]).get("binds")
        if binds is not None and cells & set(binds) and not animals & set(binds):
            animal = " and ".join(sorted(str(each) for each in animals))
            expected = f"a drug that binds {animal} too, if the stroma is meant; it stays untreated"
            findings.add((*path, "drug"), literal(item["drug"]), expected, "", "W-STROMA")


def _clashes(draft: Draft, findings: Findings) -> None:
    """The same treatment twice in an arm, or two edits of one gene at once."""
    for arm, items in draft.arms.items():
        for number, item in enumerate(items):
            earlier = [other for other in items[:number] if other]
            path: FieldPath = ("arms", arm, number)
            if item and item in earlier and arm not in draft.broken_arms:
                expected = "each treatment once; both are given"
                findings.add(path, "", expected, "remove one, if that is not meant", "W-TWICE")
            elif any(_same_gene(item, other) for other in earlier):
                expected = "one edit of a gene at a time; here both act together"
                findings.add((*path, "gene"), literal(item["gene"]), expected, "", "W-TWICE")


def _same_gene(one: dict[str, Any], other: dict[str, Any]) -> bool:
    if "gene" not in one or "gene" not in other:
        return False
    if GENES[one["gene"]][0] != GENES[other["gene"]][0] or one.get("change") != other.get("change"):
        return False
    starts = [-math.inf if item.get("start") is None else item["start"] for item in (one, other)]
    stops = [math.inf if item.get("stop") is None else item["stop"] for item in (one, other)]
    return bool(max(starts) < min(stops))


def _media(draft: Draft, findings: Findings) -> None:
    """A dose needs a body, a concentration a medium."""
    kinds = {"host" in assay for assay in draft.assays if "name" in assay}
    for path, item in treatments(draft):
        if "drug" not in item:
            continue
        dose, medium = item.get("dose"), item.get("concentration")
        has_routes = bool(_routes(draft, item["drug"]))
        mixed = "run animals and culture as two studies" if len(kinds) > 1 else ""
        if dose is not None and False in kinds:
            expected = "a concentration: cells in culture have no body mass"
            fix = mixed or 'write concentration = "70 nM"'
            got = f'"{format_quantity(dose, "dose")}"'
            findings.add((*path, "dose"), got, expected, fix, "E-MEDIUM")
        elif dose is not None and not has_routes:
            expected = f"a concentration: {item['drug']} is for cells in culture only"
            fix = "use it in an assay in culture"
            got = f'"{format_quantity(dose, "dose")}"'
            findings.add((*path, "dose"), got, expected, fix, "E-MEDIUM")
        elif medium is not None and True in kinds:
            expected = "a dose: an animal clears the drug, so no concentration is constant"
            fix = mixed or 'write dose = "10 mg/kg"'
            if not has_routes:
                fix = "remove this treatment, or run an assay in culture"
            findings.add((*path, "concentration"), f'"{medium}"', expected, fix, "E-MEDIUM")
        if medium is not None and medium.value == 0.0:
            expected = "a concentration above 0; this one does nothing"
            findings.add((*path, "concentration"), f'"{medium}"', expected, "", "W-DOSE")


def _routes(draft: Draft, drug: str) -> list[str]:
    return list(about(draft, "drugs", drug).get("routes", []))


def _radiation(draft: Draft, findings: Findings) -> None:
    """No dose, too large a total, fractions that are never given."""
    known = durations(draft)
    for path, item in treatments(draft):
        if not {"radiation", "fractions", "start"} <= set(item) or item["fractions"] is None:
            continue
        dose, fractions = item["radiation"], item["fractions"]
        if dose == 0.0:
            expected = "a dose above 0 Gy; this one does nothing"
            findings.add((*path, "radiation"), '"0 Gy"', expected, "", "W-DOSE")
        if dose * fractions > LARGEST_TOTAL:
            total = format_quantity(dose * fractions, "radiation dose")
            expected = f"fractions with a total of at most {LARGEST_TOTAL:g} Gy; these give {total}"
            fix = "give fewer fractions, or less in each"
            findings.add((*path, "fractions"), str(fractions), expected, fix, "E-RANGE")
        end = item["start"] + (fractions - 1) * (item.get("every") or 0.0)
        if known and item["start"] < max(known) <= end:
            expected = (
                f"fractions that fit before the read-out, {days(max(known))}; the last of these "
                f"would be at {days(end)}"
            )
            fix = "give fewer fractions, start earlier, or lengthen the duration"
            findings.add((*path, "fractions"), str(fractions), expected, fix, "E-TIME")


def _interactions(draft: Draft, findings: Findings) -> None:
    """Loewe additivity needs dose responses that rise all the way, and doses that add."""
    if draft.sections["model"].get("interaction") != "loewe":
        return
    _killing_in_a_medium(draft, findings)
    for content in draft.arms.values():
        drugs = [about(draft, "drugs", item["drug"]) for item in content if "drug" in item]
        for own in drugs:
            others = [other for other in drugs if other.get("name") != own.get("name")]
            meets = any(other.get("target") == own.get("target") for other in others)
            if meets and own.get("response") == "biphasic":
                expected = "bliss or hsa: a biphasic drug has several doses for one effect"
                place: FieldPath = ("model", "interaction")
                findings.add(place, '"loewe"', expected, 'write "bliss"', "E-MODEL")
                return


def _killing_in_a_medium(draft: Draft, findings: Findings) -> None:
    """Killing saturates in a medium, where adding death rates is not adding doses."""
    if all("host" in assay for assay in draft.assays if "name" in assay):
        return
    for arm, items in draft.arms.items():
        drugs = [item["drug"] for item in items if "drug" in item]
        killing = [each for each in drugs if about(draft, "drugs", each).get("action") == "kills"]
        if len(set(killing)) > 1:
            expected = (
                f"bliss or hsa: in arm {literal(arm)} {listed(list(dict.fromkeys(killing)))} kill, "
                "which saturates in a medium"
            )
            fix = 'write "bliss", or run this arm as a study of its own'
            findings.add(("model", "interaction"), '"loewe"', expected, fix, "E-MODEL")


TREATMENT_CHECKS: tuple[Callable[[Draft, Findings], None], ...] = (
    _drug_names, _timing, _doses, _media, _radiation, _binding, _stroma, _clashes, _interactions,
)  # fmt: skip
