"""The study file's ``[search]`` table: what may be varied, what is wanted, and what must hold.

A key of ``vary`` names one number of one treatment of one arm, ``ARM.TREATMENT.FIELD``. Two values
are the ends of a range, three or more are the choices. A dose of 0, or a start at or after the
read-out, leaves the treatment out; nothing is ever tried outside what is written here, and what is
written here is held to the limits of the catalog.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from unmoor.errors import literal, nearest
from unmoor.fields import Field, Nested, Number, Quantity, RejectedError, Whole, read_table
from unmoor.findings import FieldPath, Findings, FrozenMap, show
from unmoor.therapy.irradiation import IRRADIATION_FIELDS, Irradiation
from unmoor.therapy.items import LONGEST_STUDY
from unmoor.therapy.regimen import EDIT_FIELDS, REGIMEN_FIELDS, Edit, Regimen
from unmoor.units import format_quantity

Item = Regimen | Edit | Irradiation
OBJECTIVES = ("tumour_volume", "lung_metastases", "burden")
BOUNDED = (*OBJECTIVES, "p_switch")
"""What a condition of a search may be about; the first two as ratios to control."""
_RELATIVE = ("tumour_volume", "lung_metastases")
_MOST_VARIED, _MOST_CHOICES = 12, 100
_CONDITION = re.compile(r"\s*(\w+)\s*<=?\s*(\d+(?:\.\d*)?(?:[eE][+-]?\d+)?)\s*(\*\s*control)?\s*")
_TIME = Quantity("time", 0.0, LONGEST_STUDY, what="time")
_HOLIDAYS: tuple[Field, ...] = (
    Field("holiday", replace(_TIME, what="length of a pause in dosing"), '"7 d"'),
    Field("holiday_start", replace(_TIME, what="time after inoculation"), '"10 d"'),
)
_VARIABLE: Mapping[str, Mapping[str, Field]] = {
    kind: {each.name: each for each in every if each.name in names}
    for kind, every, names in (
        ("drug", (*REGIMEN_FIELDS, *_HOLIDAYS),
         ("dose", "every", "start", "stop", "holiday", "holiday_start")),
        ("gene", EDIT_FIELDS, ("factor", "start", "stop")),
        ("radiation", IRRADIATION_FIELDS, ("radiation", "every", "fractions", "start")),
    )
}  # fmt: skip
"""Fields that can be varied, by the key that tells the kind of a treatment."""

SEARCH_FIELDS: tuple[Field, ...] = (
    Field(
        "vary",
        Nested("a table of 1-12 numbers to vary, ARM.TREATMENT.FIELD = [lowest, highest]"),
        '{ "block.anti_itgb1.dose" = ["0 mg/kg", "10 mg/kg"] }',
    ),
    Field(
        "minimise",
        Nested("a list of tumour_volume, lung_metastases and burden"),
        '["lung_metastases"]',
        required=False,
        default=OBJECTIVES,
    ),
    Field(
        "subject_to",
        Nested("a list of conditions"),
        '["tumour_volume <= 0.5 * control"]',
        required=False,
        default=(),
    ),
    Field(
        "quantile",
        Number("share of the draws in which an outcome is as good or better", 0.0, 1.0, True, True),
        "0.8",
        required=False,
        default=0.8,
    ),
    Field("candidates", Whole("treatments tried", 8, 100_000), "200", required=False, default=200),
    Field(
        "draws",
        Whole("parameter sets under which each is tried", 1, 100_000),
        "40",
        required=False,
        default=40,
    ),
)


@dataclass(frozen=True, slots=True)
class Search:
    """What a search varies, what it makes small, and what must hold.

    Parameters
    ----------
    vary
        By ``ARM.TREATMENT.FIELD`` the two ends of a range, or three or more choices, in base units
        (mg/kg, d, Gy).
    minimise
        ``tumour_volume``, ``lung_metastases`` (ratios to control), ``burden``; the first counts
        most.
    subject_to
        Conditions such as ``"tumour_volume <= 0.5 * control"``.
    quantile
        Share of the draws in which an outcome is as good or better than the number that is judged.
    candidates
        How many treatments are tried.
    draws
        Parameter sets under which each is tried; the front is verified under all of the study's.
    """

    vary: FrozenMap[tuple[float, ...]]
    minimise: tuple[str, ...] = OBJECTIVES
    subject_to: tuple[str, ...] = ()
    quantile: float = 0.8
    candidates: int = 200
    draws: int = 40

    def to_toml(self, kinds: Mapping[str, Field]) -> str:
        """Return the table that stands for it, with units by the field of each key of ``vary``."""
        rows = [f"{name} = {_listed(getattr(self, name))}" for name in _LISTS]
        rows += [
            each.write(getattr(self, each.name)) for each in SEARCH_FIELDS if each.name in _PLAIN
        ]
        varied = [
            f"{literal(key)} = {_listed(written(value, kinds[key]) for value in values)}"
            for key, values in self.vary.items()
        ]
        return "\n".join(["[search]", *rows, "", "[search.vary]", *varied]) + "\n"


def _listed(values: Iterable[object]) -> str:
    return f"[{', '.join(literal(value) for value in values)}]"


_LISTS, _PLAIN = ("minimise", "subject_to"), ("quantile", "candidates", "draws")


@dataclass(frozen=True, slots=True)
class Varied:
    """One number that is varied: where it stands, and what it may be in base units."""

    key: str
    arm: str
    item: int
    of: str
    field: Field
    values: tuple[float, ...] = ()

    @property
    def is_range(self) -> bool:
        """Whether the two values are the ends of a range."""
        return len(self.values) == 2

    def write(self, value: float) -> str:
        """Return a value with its unit."""
        return str(written(value, self.field))


@dataclass(frozen=True, slots=True)
class Condition:
    """What must hold: an outcome that is at most a limit."""

    outcome: str
    limit: float
    text: str = field(compare=False, default="")


def written(value: float, of: Field) -> str | float:
    """Return a value as the study file has it."""
    if isinstance(of.reader, Quantity):
        return format_quantity(value, of.reader.kind)
    return int(value) if isinstance(of.reader, Whole) else value


def place_of(key: str, arms: Mapping[str, Sequence[Mapping[str, Any]]]) -> Varied | str:
    """Return the number of the arms that a key names, or what is wrong with the key."""
    matching = [arm for arm in arms if key.startswith(f"{arm}.")]
    if not matching:
        return f"a key ARM.TREATMENT.FIELD of an arm: {_some(arms)}"
    arm = max(matching, key=len)
    of, _, name = key[len(arm) + 1 :].rpartition(".")
    found = {label: number for number, label in enumerate(_labels(arms[arm]))}
    if of not in found:
        return f"a treatment of the arm {literal(arm)}: {_some(found)}"
    allowed = _VARIABLE[_kind(arms[arm][found[of]])]
    if name not in allowed:
        return f"a field of {of} that can be varied: {', '.join(allowed)}"
    return Varied(key, arm, found[of], of, allowed[name])


def _some(names: Mapping[str, object]) -> str:
    return ", ".join(literal(name) for name in names) or "there are none"


def _kind(item: Mapping[str, Any]) -> str:
    return next((kind for kind in _VARIABLE if item.get(kind) is not None), "drug")


def _labels(items: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What each treatment is called: drug, gene or radiation, with [1] … where it comes again."""
    seen: dict[str, int] = {}
    for item in items:
        kind = _kind(item)
        name = "radiation" if kind == "radiation" else str(item.get(kind, ""))
        count = seen[name] = seen.get(name, -1) + 1
        yield f"{name}[{count}]" if count else name


def read_search(
    raw: object,
    arms: Mapping[str, Sequence[Mapping[str, Any]]],
    findings: Findings,
    *,
    bare: bool,
) -> Search | None:
    """Read the table; None if something is wrong with it, which is recorded."""
    before = len(findings.errors)
    values = read_table(raw, SEARCH_FIELDS, ("search",), findings, bare=bare)
    if "vary" in values:
        values["vary"] = _read_vary(values["vary"], arms, findings, bare=bare)
    if "minimise" in values:
        values["minimise"] = _read_minimise(values["minimise"], findings)
    if "subject_to" in values:
        values["subject_to"] = _read_conditions(values["subject_to"], findings)
    return None if len(findings.errors) > before else Search(**values)


def conditions(search: Search) -> tuple[Condition, ...]:
    """What must hold, read from a search that was checked."""
    return tuple(_condition(text) for text in search.subject_to)


def _condition(text: str) -> Condition:
    found = _CONDITION.fullmatch(text)
    if found is None:
        raise RejectedError("E-SEARCH")
    name, limit, relative = found[1], float(found[2]), found[3] is not None
    if name not in BOUNDED or relative != (name in _RELATIVE):
        raise RejectedError("E-SEARCH")
    return Condition(name, limit, " ".join(text.split()))


def _read_vary(
    raw: object,
    arms: Mapping[str, Sequence[Mapping[str, Any]]],
    findings: Findings,
    *,
    bare: bool,
) -> FrozenMap[tuple[float, ...]]:
    path: FieldPath = ("search", "vary")
    if not isinstance(raw, Mapping) or not 1 <= len(raw) <= _MOST_VARIED:
        code = "E-TYPE" if not isinstance(raw, Mapping) else "E-RANGE" if raw else "E-EMPTY"
        fix = f"write, for example, vary = {SEARCH_FIELDS[0].example}"
        findings.add(path, show(raw), SEARCH_FIELDS[0].expected, fix, code)
        return FrozenMap({})
    found: dict[str, tuple[float, ...]] = {}
    places: set[str] = set()
    for key, values in raw.items():
        varied = place_of(str(key), arms)
        if isinstance(varied, str):
            close = nearest(str(key), list(_every_key(arms)), n=1, likeness=0.6)
            fix = f"did you mean {literal(close[0])}?" if close else ""
            findings.add((*path, str(key)), "", varied, fix, "E-SEARCH", at_key=True)
            continue
        found[str(key)] = _read_values(values, varied, (*path, str(key)), findings, bare=bare)
        places.add(varied.arm)
    if len(places) > 1:
        expected = f"numbers of one arm; these are of {_some(dict.fromkeys(sorted(places), ''))}"
        fix = "put all treatments into one arm: a dose of 0 leaves one out"
        findings.add(path, "", expected, fix, "E-SEARCH", at_key=True)
    return FrozenMap(found)


def _every_key(arms: Mapping[str, Sequence[Mapping[str, Any]]]) -> Iterator[str]:
    for arm, items in arms.items():
        for item, label in zip(items, _labels(items), strict=True):
            yield from (f"{arm}.{label}.{name}" for name in _VARIABLE[_kind(item)])


def _read_values(
    raw: object, varied: Varied, path: FieldPath, findings: Findings, *, bare: bool
) -> tuple[float, ...]:
    """Two ends that rise, or three and more choices that differ."""
    expected = f"[lowest, highest], or 3-{_MOST_CHOICES} choices, of: {varied.field.expected}"
    if not isinstance(raw, (list, tuple)) or not 2 <= len(raw) <= _MOST_CHOICES:
        fix = f"write two of them, for example [{varied.field.example}, {varied.field.example}]"
        code = "E-RANGE" if isinstance(raw, (list, tuple)) else "E-TYPE"
        findings.add(path, show(raw), expected, fix, code)
        return ()
    read = [
        varied.field.read(value, (*path, number), findings, bare=bare)
        for number, value in enumerate(raw)
    ]
    values = tuple(float(value) for value in read if value is not None)
    if len(values) == len(raw) and (
        (len(values) == 2 and values[0] >= values[1]) or len(set(values)) < len(values)
    ):
        fix = "write the lower end first" if len(values) == 2 else "give each choice once"
        findings.add(path, show(list(raw)), expected, fix, "E-SEARCH")
    return values


def _read_minimise(raw: object, findings: Findings) -> tuple[str, ...]:
    names = (raw,) if isinstance(raw, str) else raw
    path: FieldPath = ("search", "minimise")
    expected = f"one or more of {', '.join(OBJECTIVES)}, each once"
    if (
        not isinstance(names, (list, tuple))
        or not names
        or len(set(map(str, names))) < len(names)
        or any(name not in OBJECTIVES for name in names)
    ):
        findings.add(path, show(raw), expected, 'write ["lung_metastases"]', "E-SEARCH")
        return OBJECTIVES
    return tuple(names)


def _read_conditions(raw: object, findings: Findings) -> tuple[str, ...]:
    texts = (raw,) if isinstance(raw, str) else raw
    path: FieldPath = ("search", "subject_to")
    expected = (
        'conditions "OUTCOME <= NUMBER * control" of tumour_volume or lung_metastases, or '
        '"OUTCOME <= NUMBER" of burden or p_switch'
    )
    fix = 'write "tumour_volume <= 0.5 * control"'
    if not isinstance(texts, (list, tuple)):
        findings.add(path, show(raw), expected, fix, "E-TYPE")
        return ()
    for number, text in enumerate(texts):
        try:
            _condition(str(text))
        except RejectedError as rejected:
            findings.add((*path, number), show(text), expected, fix, rejected.code)
    return tuple(map(str, texts))


def varied_of(
    search: Search, arms: Mapping[str, Sequence[Mapping[str, Any]]]
) -> tuple[Varied, ...]:
    """What a checked search varies, in the order written."""
    found = []
    for key, values in search.vary.items():
        varied = place_of(key, arms)
        assert isinstance(varied, Varied)  # checked when the study was read
        found.append(replace(varied, values=values))
    return tuple(found)


def fields_varied(
    search: Search, arms: Mapping[str, Sequence[Mapping[str, Any]]]
) -> dict[str, Field]:
    """The field that each key of ``vary`` stands for."""
    return {each.key: each.field for each in varied_of(search, arms)}


def tables_of(arms: Mapping[str, Sequence[Item]]) -> dict[str, list[dict[str, Any]]]:
    """The treatments of each arm as tables, as a draft has them."""
    return {
        arm: [{each.name: getattr(item, each.name) for each in fields(item)} for item in items]
        for arm, items in arms.items()
    }
