"""What a biologist would say on reading a study: mistakes of biology and of design.

Each check looks at a :class:`~unmoor.trial.study_fields.Draft`, takes what it needs from it, and
says nothing where that is missing or already known to be wrong. Codes ``E-…`` stop a run; codes
``W-…`` are told and kept with the study.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from unmoor import catalog
from unmoor.catalog.plausible import plausible_sets
from unmoor.errors import CatalogError, literal, nearest
from unmoor.findings import FieldPath, Findings
from unmoor.parameters import GENES
from unmoor.trial.study_fields import EMT_CORES, MECHANISMS, MODEL_FIELDS, Draft
from unmoor.units import format_quantity


def check_domain(draft: Draft, findings: Findings) -> None:
    """Run every check and record what it finds."""
    for check in CHECKS:
        check(draft, findings)


def _about(draft: Draft, kind: str, name: str) -> Mapping[str, Any]:
    try:
        return catalog.about(kind, name, draft.beside)
    except CatalogError:  # what the study names was read before; this is a neighbour of it
        return {}


def _items(draft: Draft) -> Iterator[tuple[FieldPath, dict[str, Any]]]:
    for arm, items in draft.arms.items():
        for number, item in enumerate(items):
            yield ("arms", arm, number), item


def _durations(draft: Draft) -> list[float]:
    return [assay["duration"] for assay in draft.assays if "duration" in assay]


def _days(value: float) -> str:
    return format_quantity(value, "time")


def _listed(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _control(draft: Draft, findings: Findings) -> None:
    """The control must be an arm, should be untreated, and needs something to compare with."""
    control, arms = draft.control, draft.arms
    if control is None or not arms:
        return
    if control not in arms:
        close = nearest(control, arms)
        fix = (
            f"did you mean {_listed([literal(arm) for arm in close])}?"
            if close
            else (f"there are {_listed([literal(arm) for arm in arms])}")
        )
        findings.add(("control",), literal(control), "the name of an arm", fix, "E-CONTROL")
        return
    if arms[control]:
        got = (
            f"an arm with {len(arms[control])} treatments"
            if len(arms[control]) > 1
            else ("an arm with a treatment")
        )
        expected = "an untreated arm; all effects will be relative to a treated one"
        findings.add(("control",), got, expected, "", "W-CONTROL")
    if len(arms) == 1:
        expected = "an arm beside the control; there is nothing to compare"
        findings.add(("arms",), f"only {literal(control)}", expected, "add an arm", "W-ARMS")


def _alike_arms(draft: Draft, findings: Findings) -> None:
    """Names that differ in case or spaces only mislead; arms with one content waste animals."""
    names: dict[str, str] = {}
    contents: dict[str, str] = {}
    for arm, items in draft.arms.items():
        plain = "".join(arm.casefold().split())
        if plain in names:
            expected = f"a name unlike that of the arm {literal(names[plain])}"
            findings.add(("arms", arm), "", expected, "rename one", "E-DUPLICATE", at_key=True)
        names.setdefault(plain, arm)
        content = repr([sorted(item.items()) for item in items])
        if arm in draft.broken_arms:
            continue
        if content in contents:
            expected = f"a content unlike that of the arm {literal(contents[content])}"
            fix = "remove one, if that is not meant"
            findings.add(("arms", arm), "", expected, fix, "W-SAME", at_key=True)
        contents.setdefault(content, arm)


def _duplicate_lines(draft: Draft, findings: Findings) -> None:
    """One line under two names would be counted twice."""
    seen: dict[object, str] = {}
    for line in draft.lines:
        folder = catalog.find("cell_lines", line.name, draft.beside)
        if folder in seen:
            other = literal(seen[folder])
            expected = f"each cell line once; it is the same line as {other}"
            findings.add(line.path, literal(line.written), expected, "remove one", "E-DUPLICATE")
        seen.setdefault(folder, line.written)


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


def _hosts(draft: Draft, findings: Findings) -> None:
    """Every line needs a host that does not reject it."""
    known = {"default", *(line.name for line in draft.lines)}
    for number, assay in enumerate(draft.assays):
        hosts: Mapping[str, str] = assay.get("host", {})
        path: FieldPath = ("assays", number, "host")
        for name in hosts:
            if draft.has_all_lines and name not in known:
                expected = "cell lines of this study; this one is not in it"
                findings.add((*path, name), "", expected, "remove it", "W-HOST", at_key=True)
        if not hosts:
            continue
        for line in dict.fromkeys(line.name for line in draft.lines):
            if line in hosts or "default" in hosts:
                _graft(draft, line, hosts, path, findings)
            else:
                expected = f"a host for {line}, or a default"
                fix = 'add default = "nsg"'
                findings.add((*path, line), "nothing", expected, fix, "E-HOST")


def _graft(
    draft: Draft, line: str, hosts: Mapping[str, str], path: FieldPath, findings: Findings
) -> None:
    """Whether a host takes the graft of a line."""
    place = (*path, line if line in hosts else "default")
    host = hosts[str(place[-1])]
    cells, animal = _about(draft, "cell_lines", line), _about(draft, "hosts", host)
    if animal.get("immune") != "competent":
        return
    if cells.get("species") != animal.get("species"):
        takers = [
            name
            for name in catalog.names("hosts", draft.beside)
            if _about(draft, "hosts", name).get("immune") != "competent"
        ]
        expected = (
            f"an immune-deficient host for {cells.get('species')} {line}; "
            f"this immune-competent {animal.get('species')} rejects it"
        )
        fix = f"choose {_listed(takers)}"
        findings.add(place, literal(host), expected, fix, "E-GRAFT")
        return
    home = _about(draft, "hosts", cells["host"]).get("strain") if "host" in cells else None
    if home not in (None, animal.get("strain")):
        expected = f"the strain {line} comes from, {home}; another one may reject it"
        findings.add(place, literal(host), expected, "", "W-STRAIN")


def _benign_lines(draft: Draft, findings: Findings) -> None:
    """Cells that are not malignant make no tumour."""
    for line in draft.lines:
        if draft.assays and _about(draft, "cell_lines", line.name).get("malignant") is False:
            expected = "a malignant line; this one does not form tumours in animals"
            findings.add(line.path, literal(line.written), expected, "", "W-BENIGN")


def _assays(draft: Draft, findings: Findings) -> None:
    """Several assays need names; a single animal has no interval."""
    seen: set[str] = set()
    for number, assay in enumerate(draft.assays):
        path: FieldPath = ("assays", number)
        label = assay.get("label")
        if label in seen:
            expected = "a label that no other assay has"
            fix = 'add a label such as "second"'
            findings.add((*path, "label"), literal(label), expected, fix, "E-DUPLICATE")
        if label is not None:
            seen.add(label)
        if assay.get("animals") == 1:
            expected = "2 animals or more in each arm; one animal gives no interval"
            findings.add((*path, "animals"), "1", expected, "", "W-ANIMALS")


def _timing(draft: Draft, findings: Findings) -> None:
    """What starts after the last read-out is never seen; what stops after it never stops."""
    durations = _durations(draft)
    if not durations:
        return
    first, last = min(durations), max(durations)
    for path, item in _items(draft):
        start, stop = item.get("start"), item.get("stop")
        if start is not None and start >= last:
            expected = f"a time before the read-out, 0-{_days(last)}"
            fix = "start it earlier, or lengthen the duration"
            findings.add((*path, "start"), f'"{_days(start)}"', expected, fix, "E-TIME")
        elif start is not None and start >= first:
            expected = f"a time before each read-out, the first at {_days(first)}"
            findings.add((*path, "start"), f'"{_days(start)}"', expected, "", "W-TIME")
        if stop is not None and stop > last:
            expected = f"a time up to the read-out, {_days(last)}; this one is never reached"
            findings.add((*path, "stop"), f'"{_days(stop)}"', expected, "", "W-TIME")
        every = item.get("every")
        if every is not None and start is not None and start < last <= start + every:
            expected = (
                f"an interval that fits before the read-out, {_days(last)}; one dose is given"
            )
            findings.add((*path, "every"), f'"{_days(every)}"', expected, "", "W-SCHEDULE")


def _doses(draft: Draft, findings: Findings) -> None:
    """A dose of nothing, a dose above the drug's limit, a route it is not given by."""
    for path, item in _items(draft):
        dose = item.get("dose")
        if dose == 0.0:
            expected = "a dose above 0 mg/kg; this one does nothing"
            findings.add((*path, "dose"), '"0 mg/kg"', expected, "", "W-DOSE")
        if "drug" not in item:
            continue
        about = _about(draft, "drugs", item["drug"])
        limit = about.get("max_dose", math.inf)
        if dose is not None and dose > limit:
            expected = f"a dose of {item['drug']}, 0-{limit:g} mg/kg"
            fix = f'write "{limit:g} mg/kg" or less'
            findings.add(
                (*path, "dose"), f'"{format_quantity(dose, "dose")}"', expected, fix, "E-RANGE"
            )
        route, routes = item.get("route"), about.get("routes", [])
        if route is not None and route not in routes:
            close = nearest(route, routes, n=1)
            expected = f"a route of {item['drug']}: {', '.join(routes)}"
            fix = f"did you mean {literal(close[0])}?" if close else "leave it out"
            findings.add((*path, "route"), literal(route), expected, fix, "E-ROUTE")


def _binding(draft: Draft, findings: Findings) -> None:
    """An antibody against another species' protein does nothing."""
    species = {
        line.name: _about(draft, "cell_lines", line.name).get("species") for line in draft.lines
    }
    if not species:
        return
    for path, item in _items(draft):
        if "drug" not in item:
            continue
        place, drug = (*path, "drug"), literal(item["drug"])
        binds = _about(draft, "drugs", item["drug"]).get("binds")
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
            expected = f"{expected}, so it does nothing in {_listed(missed)}"
            findings.add(place, drug, expected, "", "W-SPECIES")


def _other_drugs(draft: Draft, drug: str, species: set[Any]) -> str:
    """Suggest drugs of the same target that bind all of these species."""
    target = _about(draft, "drugs", drug).get("target")
    others = []
    for name in catalog.names("drugs", draft.beside):
        about = _about(draft, "drugs", name)
        if about.get("target") == target and species <= set(about.get("binds", ())):
            others.append(name)
    return f"use {_listed(others)}" if others else "remove this treatment"


def _stroma(draft: Draft, findings: Findings) -> None:
    """A human-specific drug in a mouse treats the graft and leaves the mouse's own cells alone."""
    hosts = {host for assay in draft.assays for host in assay.get("host", {}).values()}
    animals = {_about(draft, "hosts", host).get("species") for host in hosts}
    cells = {_about(draft, "cell_lines", line.name).get("species") for line in draft.lines}
    for path, item in _items(draft):
        if "drug" not in item or not animals:
            continue
        binds = _about(draft, "drugs", item["drug"]).get("binds")
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


def _uncertainty(draft: Draft, findings: Findings) -> None:
    """Too few draws cannot carry the interval asked for."""
    draws = draft.sections["uncertainty"].get("draws")
    interval = draft.sections["verdict"].get("interval")
    if draws is None or interval is None:
        return
    needed = math.ceil(2.0 / (1.0 - interval) - 1e-9)  # one draw beyond each end
    if draws == 0:
        expected = "1 draw or more; nominal values alone give no interval and no verdict"
    elif draws < needed:
        expected = f"{needed} draws or more for an interval of {interval:g}"
    else:
        return
    findings.add(("uncertainty", "draws"), str(draws), expected, "", "W-DRAWS")


def _plausible(draft: Draft, findings: Findings) -> None:
    """There are only so many plausible parameter sets under each structure that is run."""
    section, model = draft.sections["uncertainty"], draft.sections["model"]
    draws = section.get("draws")
    if draws is None or section.get("sets") != "plausible" or len(model) < len(MODEL_FIELDS):
        return
    balance = "" if model["e_readout"] == "cdh1" else f"/{model['e_readout']}"
    names = [f"{model['emt_core']}/{model['mechanism']}{balance}"]
    if section.get("rivals"):
        names += [f"{core}/{path}" for core in EMT_CORES for path in MECHANISMS]
    counts = {}
    for name in names:
        with contextlib.suppress(CatalogError):  # a structure that cannot be is told elsewhere
            counts[name] = len(plausible_sets(name).others)
    if counts and draws > min(counts.values()):
        fewest = min(counts, key=counts.__getitem__)
        expected = f"0-{counts[fewest]} with the plausible sets of {fewest}"
        fix = 'draw fewer, or write sets = "ranges"'
        findings.add(("uncertainty", "draws"), str(draws), expected, fix, "E-DRAWS")


def _model(draft: Draft, findings: Findings) -> None:
    """The balance read-out is defined for the cascading core alone."""
    model = draft.sections["model"]
    if model.get("emt_core") == "ternary" and model.get("e_readout") == "balance":
        expected = '"cdh1" with emt_core "ternary"; "balance" belongs to "cascading"'
        findings.add(("model", "e_readout"), '"balance"', expected, 'write "cdh1"', "E-MODEL")


CHECKS: tuple[Callable[[Draft, Findings], None], ...] = (
    _control, _alike_arms, _duplicate_lines, _drug_names, _hosts, _benign_lines, _assays, _timing,
    _doses, _binding, _stroma, _clashes, _uncertainty, _plausible, _model,
)  # fmt: skip
