"""The report as one HTML file: sentences, tables and figures set by ``template.html``."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unmoor.report import numerals, tables, text
from unmoor.report.analyses import analyses, tests_shown
from unmoor.report.figures import Drawn, draw_figures
from unmoor.report.full import FULL_STEMS
from unmoor.report.limits import limits
from unmoor.report.methods import methods, methods_text
from unmoor.report.published import published
from unmoor.report.readouts import joint_tables, readout_tables
from unmoor.report.references import Reference, references
from unmoor.report.sources_of_spread import uncertainty_rows
from unmoor.report.structures import options, shares
from unmoor.report.style import arm_styles
from unmoor.report.survival_curves import survival_rows
from unmoor.report.templates import template
from unmoor.report.tissue_section import films
from unmoor.report.view import View
from unmoor.trial.atomic import refusals_told, write_file
from unmoor.trial.csv_text import csv_text
from unmoor.trial.prism import prism_tables

if TYPE_CHECKING:
    from unmoor.trial.result import Result


def write_report(result: Result, path: Path, *, full: bool = False, prism: bool = False) -> Path:
    """Write figures and report of a result; see `unmoor.report.report`."""
    view = View.of(result)
    folder = path.parent / "figures"
    with refusals_told(folder, 0):
        folder.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(max_workers=1) as executor:
        figures = draw_figures(view, folder, executor, full=full)
    sources = references(view.citations, view.study.beside)
    content = _content(view, figures, sources) | {"published": published(result), "full": full}
    content["analyses"] = analyses(result, view) if full else []
    tests = tests_shown(content["analyses"], "survival" in figures)
    content["methods"] = methods(view, tests)
    content["films"] = films(view, full=full)
    write_file(path, template("template.html").render(content).encode("utf-8"))
    text_of_sources = [f"{each.text} {each.doi}".strip() for each in sources]
    told = methods_text(view, text_of_sources, tests)
    write_file(path.parent / "methods.md", told.encode("utf-8"))
    if full:
        write_file(path.parent / "statistics.csv", csv_text(result.statistics).encode("utf-8"))
    if prism:
        _write_prism(result, path.parent / "prism")
    return path


def _write_prism(result: Result, folder: Path) -> None:
    with refusals_told(folder, 0):
        folder.mkdir(parents=True, exist_ok=True)
    for name, content in prism_tables(result).items():
        write_file(folder / name, content.encode("utf-8"))


def _content(view: View, figures: dict[str, Drawn], sources: list[Reference]) -> dict[str, Any]:
    """Everything the template sets, by name."""
    return {
        "title": view.study.title or "Virtual tumour trial",
        "question": text.QUESTION if view.groups else text.CULTURE_QUESTION,
        "headlines": text.headlines(view),
        "lead_note": text.lead_note(view),
        "groups": [group.label for group in view.groups],
        "verdicts": tables.verdict_table(view),
        "meanings": [(word, text.SIGNS[word], text.MEANINGS[word]) for word in text.MEANINGS],
        "verdict_note": text.verdict_note(view),
        "from_tissue": text.FROM_TISSUE[view.study.model.escape],
        "calibration": text.calibration(view),
        "warnings": [str(each.at("", each.field)) for each in view.study.warnings],
        "interval_notes": text.interval_notes(view),
        "level": numerals.percent(view.study.verdict.interval),
        "figures": figures,
        "effects": tables.effects_tables(view),
        "readouts": readout_tables(view) if "readouts" in figures else [],
        "structure_notes": text.structure_notes(view),
        "structures": _structures(view),
        "options": options(view),
        "uncertainty": uncertainty_rows(view),
        "joint": joint_tables(view),
        "failure_note": text.failure_note(view),
        "grades": tables.grade_table(view.numbers),
        "n_numbers": len(view.numbers),
        "weak_numbers": tables.weak_numbers(view.numbers),
        "limits": limits(view),
        "design": tables.design_table(view),
        "arms": tables.arm_table(view),
        "references": sources,
        "full_stems": [stem for stem in FULL_STEMS if stem in figures],
        "survival": survival_rows(view) if "survival" in figures else [],
        "provenance": tables.provenance_rows(view.provenance),
        "footer": view.footer,
        "digest": view.provenance.get("catalog_digest", "unknown"),
    }


def _structures(view: View) -> list[tuple[str, list[tuple[int, str, list[tuple[str, int]]]]]]:
    """P(switch) by cell line, arm and structural option: text, and shade in per cent."""
    if not options(view):
        return []
    styles, found = arm_styles(view.arms), []
    for group in view.groups:
        rows = []
        for arm, values in shares(view, group).iterrows():
            known = values.fillna(0.0)
            shades = [round(60 * p) for p in known]
            cells = list(zip(map(numerals.probability, values), shades, strict=True))
            rows.append((styles[str(arm)].number, str(arm), cells))
        found.append((group.label, rows))
    return found
