"""Tables of the report as text in rows; the template only sets them."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from unmoor.report.names import readout_name
from unmoor.report.numerals import interval, percent, probability, ratio, share
from unmoor.report.style import arm_styles
from unmoor.report.text import SIGNS, decided, own_ratio
from unmoor.report.view import Group, View
from unmoor.units import format_quantity

_MEASURES = "tumour volume (geometric mean), lung metastases (mean count)"
GRADES = ("measured", "transferred", "fitted", "derived", "assumed")


@dataclass(frozen=True)
class Verdict:
    """A verdict as it is shown: word, shape, P(switch), and the half that is certain anyway."""

    word: str
    sign: str
    p_switch: str
    half: str


def verdict_table(view: View) -> list[tuple[int, str, list[Verdict | None]]]:
    """One row an arm: number, name, verdict in each cell line."""
    styles = arm_styles(view.arms)
    rows = []
    for arm in view.treated:
        found = [view.effect(group, arm) for group in view.groups]
        cells = [None if row is None else _verdict(view, row) for row in found]
        rows.append((styles[arm].number, arm, cells))
    return rows


def effects_tables(view: View) -> list[tuple[str, list[dict[str, Any]]]]:
    """Effects of all arms, one table a cell line; both intervals in columns of their own."""
    return [(group.label, _effects(view, group)) for group in view.groups]


def _effects(view: View, group: Group) -> list[dict[str, Any]]:
    styles = arm_styles(view.arms)
    rows: list[dict[str, Any]] = []
    for arm in view.treated:
        row = view.effect(group, arm)
        if row is None:
            continue
        cells: dict[str, Any] = {
            "number": styles[arm].number,
            "arm": arm,
            "verdict": _verdict(view, row),
        }
        for prefix in ("tumour", "spread"):
            cells[prefix] = {
                "ratio": ratio(row[f"{prefix}_ratio"]),
                "model": interval(row[f"{prefix}_low"], row[f"{prefix}_high"]),
                "study": interval(row[f"{prefix}_study_low"], row[f"{prefix}_study_high"]),
                "own": own_ratio(view, row, prefix),
                "error": _error(row[f"{prefix}_mc"]),
            }
        paradox = interval(row["paradox_low"], row["paradox_high"])
        loss = f"{share(row['e_loss_low'])} to {share(row['e_loss_high'])}"
        cells["paradox"] = (ratio(row["paradox_index"]), paradox)
        cells["e_loss"] = (share(row["e_loss"]), "–" if "–" in loss else loss)
        cells["p_emt"] = probability(row["p_emt"])
        cells["n_draws"], cells["n_failed"] = int(row["n_draws"]), int(row["n_failed"])
        rows.append(cells)
    return rows


def grade_table(numbers: pd.DataFrame) -> list[tuple[str, int, int]]:
    """Evidence grade, how many numbers have it, and how many of these are provisional."""
    rows = []
    for grade in GRADES:
        own = numbers[numbers["evidence"] == grade]
        rows.append((grade, len(own), int((own["status"] == "provisional").sum())))
    return rows


def weak_numbers(numbers: pd.DataFrame) -> list[dict[str, str]]:
    """Numbers that are assumed, or whose table waits for its second reading."""
    is_weak = (numbers["evidence"] == "assumed") | (numbers["status"] == "provisional")
    own = numbers[is_weak].assign(_order=lambda t: t["evidence"] != "assumed")
    own = own.sort_values("_order", kind="stable")
    rows: list[dict[str, str]] = []
    for row in own.to_dict("records"):
        cells = {str(name): "" if pd.isna(value) else str(value) for name, value in row.items()}
        cells |= {name: _number(row[name]) for name in ("value", "low", "high", "cv")}
        rows.append(cells)
    return rows


def design_table(view: View) -> list[tuple[str, str]]:
    """List what a study plan asks for: groups, unit, numbers, exclusions, outcomes, statistics."""
    study = view.study
    rows = [("Groups (arms)", f"{len(view.arms)}, compared with “{view.control}”")]
    for assay in study.assays:
        hosts = {line: assay.host_of(line) for line in study.cell_lines}
        told = ", ".join(f"{line}: {host}" for line, host in hosts.items() if host)
        rows += [("Assay", f"{assay.label.replace('_', ' ')} ({assay.design})")]
        rows += [("Host (strain)", told)] if told else []
        if assay.has_tumours:
            unit = "virtual animals in each arm and draw; the animal is the unit"
            rows += [("Animals", f"{assay.animals} {unit}")]
        else:
            read = ", ".join(readout_name(name) for name in assay.outcomes)
            rows += [("Read-outs", read)]
    level = percent(study.verdict.interval)
    return [
        *rows,
        (
            "Parameter sets",
            f"{study.uncertainty.draws} {view.draw_source}; draw 0 is {view.reference}",
        ),
        ("Allocation", f"arms share {_shared(view)} (paired); seed {view.seed}"),
        *([("Outcome measures", _MEASURES)] if view.groups else []),
        ("Statistics", f"ratio to control; central {level} intervals; margins {_margins(view)}"),
        ("Structure of the model", structure_of(view)),
    ]


def structure_of(view: View) -> str:
    """Structural options of the headline run."""
    model = view.study.model
    return f"{model.emt_core}/{model.mechanism}, E-cadherin read from {model.e_readout}"


def arm_table(view: View) -> list[tuple[int, str, str]]:
    """Return number, name and treatment of each arm."""
    styles = arm_styles(view.arms)
    return [
        (styles[arm].number, arm, "; ".join(map(describe, view.study.arms[arm])) or "no treatment")
        for arm in view.arms
    ]


def describe(item: Any) -> str:
    """One treatment in words: ``anti_itgb1 10 mg/kg every 3 d from day 7``."""
    start, stop = getattr(item, "start", None), getattr(item, "stop", None)
    until = "" if stop is None else f" until day {stop:g}"
    if hasattr(item, "gene"):
        since = "from before inoculation" if start is None else f"from day {start:g}"
        return f"{item.gene} {item.change.replace('_', '-')} × {item.factor:g}, {since}{until}"
    if getattr(item, "concentration", None) is not None:
        return f"{item.drug} {item.concentration} in the medium from day {start:g}{until}"
    repeat = "once" if item.every is None else f"every {_time(item.every)}"
    since = f"from day {start:g}" if item.every is not None else f"on day {start:g}"
    if hasattr(item, "radiation"):
        dose = format_quantity(item.radiation, "radiation dose")
        count = f"{item.fractions} × " if item.fractions > 1 else ""
        return f"{count}{dose} radiation {repeat} {since}"
    dose = format_quantity(item.dose, "dose")
    route = f" ({item.route})" if getattr(item, "route", None) else ""
    return f"{item.drug} {dose}{route} {repeat} {since}{until}"


def provenance_rows(provenance: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Provenance as names and values, nested mappings flattened with dots."""
    shown = {name: value for name, value in provenance.items() if name != "beside"}
    return list(_flat("", shown))


def _flat(prefix: str, value: Any) -> Iterable[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat(f"{prefix}.{key}" if prefix else str(key), inner)
    elif isinstance(value, str):
        yield prefix, value
    else:
        yield prefix, json.dumps(value, ensure_ascii=False, default=str)


def _verdict(view: View, row: Mapping[str, Any]) -> Verdict:
    word, half = str(row["verdict"]), decided(row, view.study.verdict)
    return Verdict(word, SIGNS.get(word, "?"), probability(row["p_switch"]), half)


def _error(value: float) -> str:
    return f"± {100 * value:.2g} %" if math.isfinite(value) else "–"


def _number(value: Any) -> str:
    return "" if pd.isna(value) else f"{float(value):.4g}"


def _margins(view: View) -> str:
    margins = view.study.verdict
    if not view.groups:
        return f"{margins.smaller:g} (less) and {margins.spread:g} (more)"
    return f"{margins.smaller:g} (tumour) and {margins.spread:g} (spread)"


def _shared(view: View) -> str:
    return "animals and draws" if view.groups else "draws"


def _time(days: float) -> str:
    return f"{days:g} d" if days >= 1 else f"{24 * days:g} h"
