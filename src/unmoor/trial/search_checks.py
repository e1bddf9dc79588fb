"""What a biologist would say on reading the ``[search]`` table of a study.

Checks of what is varied, in the way of :mod:`unmoor.trial.domain_checks`: nothing is tried that a
study could not ask for.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from unmoor.errors import literal
from unmoor.findings import FieldPath, Findings
from unmoor.therapy.irradiation import LARGEST_TOTAL
from unmoor.trial.search_fields import Varied, varied_of
from unmoor.trial.study_fields import Draft
from unmoor.trial.treatment_checks import about

_FACTORS = {"knock_down": (0.0, 1.0), "over_express": (1.0, math.inf)}
"""Ends between which the factor of a change lies; 1 is no change."""


def _search(draft: Draft, findings: Findings) -> None:
    """Look at each number that is varied."""
    if draft.search is None or draft.broken_arms:
        return
    varied = varied_of(draft.search, draft.arms)
    for each in varied:
        path: FieldPath = ("search", "vary", each.key)
        item = draft.arms[each.arm][each.item]
        if each.arm == draft.control:
            expected = f"an arm beside the control, {literal(each.arm)}"
            fix = "vary another arm, or take another control"
            findings.add(path, "", expected, fix, "E-SEARCH", at_key=True)
        elif each.values:
            _CHECKS.get(each.field.name, _nothing)(draft, each, item, path, findings)
    _holidays(draft, varied, findings)
    if draft.assays and not any(_has_host(assay) for assay in draft.assays):
        expected = "a search in a study with tumours in animals; this one has cultures alone"
        fix = 'add [[assays]] with name = "orthotopic_xenograft"'
        findings.add(("search",), "", expected, fix, "E-NO-TUMOUR", at_key=True)


def _has_host(assay: dict[str, Any]) -> bool:
    return "host" in assay


def _nothing(
    draft: Draft, varied: Varied, item: dict[str, Any], path: FieldPath, findings: Findings
) -> None:
    """Nothing more to say of this field."""


def _dose(
    draft: Draft, varied: Varied, item: dict[str, Any], path: FieldPath, findings: Findings
) -> None:
    """Doses are within the drug's limit, and of a treatment that has one."""
    if item.get("dose") is None:
        expected = "a treatment with a dose; this one has a concentration in a medium"
        findings.add(path, "", expected, "vary a treatment in an animal", "E-MEDIUM", at_key=True)
        return
    limit = about(draft, "drugs", item["drug"]).get("max_dose", math.inf)
    if max(varied.values) > limit:
        expected = f"doses of {item['drug']}, 0-{limit:g} mg/kg"
        got = literal(varied.write(max(varied.values)))
        findings.add(path, got, expected, f'write "{limit:g} mg/kg" or less', "E-RANGE")


def _factor(
    draft: Draft, varied: Varied, item: dict[str, Any], path: FieldPath, findings: Findings
) -> None:
    """Factors are of the change they belong to; 1 leaves the gene as it is."""
    low, high = _FACTORS.get(str(item.get("change")), (0.0, math.inf))
    if min(varied.values) < low or max(varied.values) > high:
        expected = f"factors that {item['change']} can have, {low:g}-{high:g}"
        got = literal([*map(varied.write, varied.values)])
        findings.add(path, got, expected, "keep within them", "E-RANGE")


def _fractions(
    draft: Draft, varied: Varied, item: dict[str, Any], path: FieldPath, findings: Findings
) -> None:
    """Fractions do not come to more than can be given, and have a time between them."""
    assert draft.search is not None
    most = {"radiation": item["radiation"], "fractions": item["fractions"] or 1}
    for each in varied_of(draft.search, draft.arms):
        if (each.arm, each.item) == (varied.arm, varied.item) and each.values:
            most[each.field.name] = max(each.values)
    total = most["radiation"] * most["fractions"]
    if total > LARGEST_TOTAL:
        expected = f"fractions with a total of at most {LARGEST_TOTAL:g} Gy; these give {total:g}"
        findings.add(path, f"{max(varied.values):g}", expected, "give less", "E-RANGE")
    if item.get("every") is None and most["fractions"] > 1:
        expected = "fractions of a treatment with a time between them"
        findings.add(path, "", expected, 'add every = "1 d" to it', "E-MISSING", at_key=True)


_CHECKS: dict[str, Callable[[Draft, Varied, dict[str, Any], FieldPath, Findings], None]] = {
    "dose": _dose, "factor": _factor, "fractions": _fractions, "radiation": _fractions,
}  # fmt: skip


def _holidays(draft: Draft, varied: tuple[Varied, ...], findings: Findings) -> None:
    """A pause is of a drug that is given again and again, and has a beginning and a length."""
    named = {(each.item, each.field.name) for each in varied}
    for each in varied:
        if each.field.name not in ("holiday", "holiday_start"):
            continue
        path: FieldPath = ("search", "vary", each.key)
        if draft.arms[each.arm][each.item].get("every") is None:
            expected = "a pause of a drug that is given again and again"
            fix = 'add every = "3 d" to the treatment'
            findings.add(path, "", expected, fix, "E-SEARCH", at_key=True)
        other = "holiday_start" if each.field.name == "holiday" else "holiday"
        if (each.item, other) not in named:
            expected = f"a beginning and a length of the pause; {other} is missing"
            key = f"{each.arm}.{each.of}.{other}"
            findings.add(path, "", expected, f"vary {literal(key)} too", "E-SEARCH", at_key=True)


SEARCH_CHECKS: tuple[Callable[[Draft, Findings], None], ...] = (_search,)
