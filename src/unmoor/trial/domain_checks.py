"""What a biologist would say on reading a study: mistakes of biology and of design.

Each check looks at a :class:`~unmoor.trial.study_fields.Draft`, takes what it needs from it, and
says nothing where that is missing or already known to be wrong. Codes ``E-…`` stop a run; codes
``W-…`` are told and kept with the study.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Mapping

from unmoor import catalog
from unmoor.catalog.contracts import problems_of, replaced
from unmoor.catalog.correlations import FILE, correlations
from unmoor.catalog.plausible import plausible_sets, structure_name
from unmoor.errors import CatalogError, literal, nearest
from unmoor.findings import FieldPath, Findings, show
from unmoor.trial.assay_checks import ASSAY_CHECKS
from unmoor.trial.search_checks import SEARCH_CHECKS
from unmoor.trial.study_fields import EMT_CORES, MECHANISMS, MODEL_FIELDS, Draft
from unmoor.trial.treatment_checks import TREATMENT_CHECKS, about, listed


def check_domain(draft: Draft, findings: Findings) -> None:
    """Run every check and record what it finds."""
    for check in CHECKS:
        check(draft, findings)


def _control(draft: Draft, findings: Findings) -> None:
    """The control must be an arm, should be untreated, and needs something to compare with."""
    control, arms = draft.control, draft.arms
    if control is None or not arms:
        return
    if control not in arms:
        close = nearest(control, arms)
        fix = (
            f"did you mean {listed([literal(arm) for arm in close])}?"
            if close
            else (f"there are {listed([literal(arm) for arm in arms])}")
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


def _own_catalog(draft: Draft, findings: Findings) -> None:
    """Entries that a study uses without naming them: wrong ones stop it, any is worth a word."""
    for kind, folder in replaced(draft.beside):
        problems = list(problems_of(kind, folder, draft.beside))
        findings.problems += problems
        if not problems and draft.sections["uncertainty"].get("sets") == "plausible":
            expected = (
                f"the built-in {catalog.singular(kind)}, with which the plausible sets were found"
            )
            fix = 'this one replaces it; consider sets = "ranges"'
            findings.add(("uncertainty", "sets"), f"{folder.name}", expected, fix, "W-REPLACED")


def _correlations(draft: Draft, findings: Findings) -> None:
    """Wrong correlations stop a study; any move the plausible sets that were found without them."""
    try:
        joint = correlations(draft.beside)
    except CatalogError as error:
        findings.problems += error.problems
        return
    if joint and draft.sections["uncertainty"].get("sets") == "plausible":
        expected = "numbers drawn one by one, with which the plausible sets were found"
        fix = 'consider sets = "ranges"'
        findings.add(("uncertainty", "sets"), FILE, expected, fix, "W-REPLACED")


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
    cells, animal = about(draft, "cell_lines", line), about(draft, "hosts", host)
    if animal.get("immune") != "competent":
        return
    if cells.get("species") != animal.get("species"):
        takers = [
            name
            for name in catalog.names("hosts", draft.beside)
            if about(draft, "hosts", name).get("immune") != "competent"
        ]
        expected = (
            f"an immune-deficient host for {cells.get('species')} {line}; "
            f"this immune-competent {animal.get('species')} rejects it"
        )
        fix = f"choose {listed(takers)}"
        findings.add(place, literal(host), expected, fix, "E-GRAFT")
        return
    home = about(draft, "hosts", cells["host"]).get("strain") if "host" in cells else None
    if home not in (None, animal.get("strain")):
        expected = f"the strain {line} comes from, {home}; another one may reject it"
        findings.add(place, literal(host), expected, "", "W-STRAIN")


def _benign_lines(draft: Draft, findings: Findings) -> None:
    """Cells that are not malignant make no tumour."""
    is_in_animals = any("host" in assay for assay in draft.assays)
    for line in draft.lines:
        if is_in_animals and about(draft, "cell_lines", line.name).get("malignant") is False:
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


def _weights(draft: Draft, findings: Findings) -> None:
    """Weights are for the structures that are run, each of them."""
    section, path = draft.sections["uncertainty"], ("uncertainty", "weights")
    weights, names = section.get("weights"), _run_structures(draft)
    if weights is None or not names:
        return
    for name in [name for name in weights if name not in names]:
        close = nearest(name, names, n=1)
        fix = f"did you mean {literal(close[0])}?" if close else "remove it"
        if name in _run_structures(draft, rivals=True):
            fix = "remove it, or write rivals = true"
        expected = f"a structure that the study runs: {listed([literal(x) for x in names])}"
        findings.add((*path, name), "", expected, fix, "E-WEIGHTS", at_key=True)
    if missing := [name for name in names if name not in weights]:
        expected = f"a weight for each structure that is run; missing: {listed(missing)}"
        fix = "give 0 to one that shall not count"
        findings.add(path, show(dict(weights)), expected, fix, "E-WEIGHTS")


def _run_structures(draft: Draft, *, rivals: bool | None = None) -> list[str]:
    """Names of the structures that a study runs; none if its model is not known."""
    section, model = draft.sections["uncertainty"], draft.sections["model"]
    if len(model) < len(MODEL_FIELDS):
        return []
    names = [structure_name(model["emt_core"], model["mechanism"], model["e_readout"])]
    if section.get("rivals") if rivals is None else rivals:
        names += [structure_name(core, path) for core in EMT_CORES for path in MECHANISMS]
    return list(dict.fromkeys(names))


def _plausible(draft: Draft, findings: Findings) -> None:
    """There are only so many plausible parameter sets under each structure that is run."""
    section = draft.sections["uncertainty"]
    draws = section.get("draws")
    if draws is None or section.get("sets") != "plausible":
        return
    counts = {}
    for name in _run_structures(draft):
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
    _control, _alike_arms, _own_catalog, _correlations, _duplicate_lines, _hosts, _benign_lines,
    _assays, *ASSAY_CHECKS,
    *TREATMENT_CHECKS, _uncertainty, _weights, _plausible, _model, *SEARCH_CHECKS,
)  # fmt: skip
