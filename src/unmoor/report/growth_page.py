"""The report of a growth fit as one HTML file, set by ``growth.html``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from unmoor.analysis.growth import log_normal_cv
from unmoor.analysis.growth_files import UNITS, fitted_rows, told
from unmoor.analysis.growth_study import DIFFERS, GrowthStudy
from unmoor.report.figures import Drawn, inline
from unmoor.report.growth_figures import FIGURES, MOST_PANELS
from unmoor.report.numerals import share
from unmoor.report.style import as_pixels, as_png, as_svg, drawing
from unmoor.report.templates import template
from unmoor.trial.atomic import refusals_told, write_file
from unmoor.trial.csv_text import csv_text
from unmoor.trial.provenance import software

_NAMES = {
    "beta": ("β", "slowing of growth; median of the animals"),
    "k": ("k", "logarithm of the final volume in mm³; α = k·β is the initial growth rate"),
    "omega_beta": ("ω", "standard deviation of ln β between animals"),
    "a": ("a", "constant part of the reading's standard deviation"),
    "b": ("b", "part of the reading's standard deviation that is proportional to the volume"),
}


def write_growth_report(study: GrowthStudy, path: Path) -> Path:
    """Write the page and, beside it, ``figures/`` as SVG, PNG (300 dots/inch) and CSV.

    The same study gives the same bytes.

    Raises
    ------
    ResourceError, RunFolderError
        If the disk is full, or a file cannot be written.
    """
    folder = path.parent / "figures"
    with refusals_told(folder, 0):
        folder.mkdir(parents=True, exist_ok=True)
    figures = _draw(study, folder)
    page = template("growth.html").render(_content(study, figures))
    write_file(path, page.encode("utf-8"))
    return path


def _draw(study: GrowthStudy, folder: Path) -> list[Drawn]:
    drawn = []
    with drawing():
        for stem, title, draw in FIGURES:
            figure, rows = draw(study)
            svg, caption = as_svg(figure), _caption(study, stem)
            write_file(folder / f"{stem}.svg", svg.encode("utf-8"))
            write_file(folder / f"{stem}.png", as_png(as_pixels(figure)))
            write_file(folder / f"{stem}.csv", csv_text(rows).encode("utf-8"))
            drawn.append(Drawn(stem, title, caption, caption, inline(svg, stem, caption)))
    return drawn


def _content(study: GrowthStudy, figures: list[Drawn]) -> dict[str, Any]:
    data = study.fit.data
    return {
        "title": study.title,
        "n_animals": len(data.animals),
        "n_readings": data.day.size,
        "file": study.table.name,
        "digest": study.table.digest,
        "version": software()["version"],
        "warnings": [str(each) for each in study.table.warnings],
        "left_out": _left_out(study),
        "parameters": _parameters(study),
        "cv": f"{100 * study.fit.beta_cv:.0f}",
        "models": _models(study),
        "model_note": _model_note(study),
        "each_rows": _each(study),
        "virtual": study.virtual,
        "volumes": _volumes(study),
        "figures": figures,
        "rows": [
            (row.id, f"{row.value:g}", row.unit, f"{row.low:g}", f"{row.high:g}", row.note)
            for row in fitted_rows(study)
        ],
    }


def _left_out(study: GrowthStudy) -> str:
    data, other = study.fit.data, study.table.other_rows
    parts = []
    if data.left_out:
        parts.append(f"{data.left_out} readings of 0 are below an unknown limit and were left out")
    if data.is_censored.any():
        limit = study.choices.detection_limit
        parts.append(f"{int(data.is_censored.sum())} readings are censored at {limit:g} mm³")
    if other:
        parts.append(f"{other} rows of other arms were not used")
    return "; ".join(parts) + "." if parts else "All readings were used."


def _parameters(study: GrowthStudy) -> list[tuple[str, ...]]:
    """Sign, meaning, value, standard error, its share, unit and CV between animals."""
    rows: list[tuple[str, ...]] = []
    for name, estimate in study.fit.estimates.items():
        sign, meaning = _NAMES[name]
        value, error = told(estimate)
        between = f"{100 * study.fit.beta_cv:.1f} %" if name == "beta" else "–"
        rows.append(
            (
                sign, meaning, value, error or "–",
                f"{100 * estimate.error / estimate.value:.0f} %" if error else "–",
                UNITS[name].replace("mm^3", "mm³").replace("-", "–"), between,
            )
        )  # fmt: skip
    return rows


def _models(study: GrowthStudy) -> list[tuple[str, ...]]:
    """What differs, numbers, ln L, ΔAIC, spread of β and k, predictive check, serial."""
    fits = study.fits()
    best = min(rival.fit.aic for rival in fits.values() if rival is not None)
    rows: list[tuple[str, ...]] = []
    for name, rival in fits.items():
        if rival is None:
            rows.append((DIFFERS[name], "not determined by these data", *["–"] * 6))
            continue
        values, check = rival.fit.values, rival.check
        spread = f"β {100 * rival.fit.beta_cv:.0f} %"
        if "omega_k" in values:
            spread += f", k {100 * log_normal_cv(values['omega_k']):.0f} %"
        if "rho" in values:
            spread += f", correlation {share(values['rho'])}"
        height = f"{rival.fit.log_likelihood:.1f}".replace("-", "−")
        rows.append(
            (
                DIFFERS[name], f"{len(values)}", height, f"{rival.fit.aic - best:.1f}",
                spread, f"{100 * check.coverage:.0f} %",
                f"{round(check.inside * check.observed.size)} of {check.observed.size}",
                share(rival.serial),
            )
        )  # fmt: skip
    return rows


def _model_note(study: GrowthStudy) -> str:
    known = {name: rival for name, rival in study.fits().items() if rival is not None}
    best = min(known, key=lambda name: known[name].fit.aic)
    if best == study.fit.model:
        return "The law of the study, in which β alone differs between animals, is the best here."
    gap = study.fit.aic - known[best].fit.aic
    return (
        f"These data are described better if {DIFFERS[best]}, differ (AIC lower by {gap:.0f}); "
        f"with β alone, successive residuals of an animal are correlated ({share(study.serial)} "
        f"instead of {share(known[best].serial)}): real animals differ in more than the pace of "
        "growth. A study lets β alone differ. What it takes from the fit are the volumes of the "
        "population; the predictive check says how well those are met."
    )


def _each(study: GrowthStudy) -> list[tuple[str, ...]]:
    """Single-animal fits of real and virtual animals, side by side."""
    groups = [study.each.summary()]
    if study.virtual is not None:
        groups.append(study.virtual.each.summary())
    shown = (
        ("median α (1/d)", "median_alpha", ".3f"), ("median β (1/d)", "median_beta", ".4f"),
        ("CV of α", "cv_alpha", ".2f"), ("CV of β", "cv_beta", ".2f"),
        ("correlation of α and β", "correlation", ".3f"), ("animals", "animals", ".0f"),
        ("without a bend, β at the end of its range", "bounded", ".0f"),
    )  # fmt: skip
    return [(label, *(format(group[key], form) for group in groups)) for label, key, form in shown]


def _volumes(study: GrowthStudy) -> list[tuple[str, ...]]:
    """10, 50 and 90 % of true volumes by day: fit and virtual animals."""
    import numpy as np

    from unmoor.analysis.growth_check import population

    virtual = study.virtual
    if virtual is None:
        return []
    rows = []
    for day in (14.0, 21.0, 28.0):
        if day > virtual.days[-1]:
            continue
        shares = np.array([0.1, 0.5, 0.9])
        fitted = population(study.fit, np.array([day]), shares)[0]
        own = np.quantile(virtual.at(day), shares)
        rows.append((f"{day:g}", *(f"{v:.0f}" for v in fitted), *(f"{v:.0f}" for v in own)))
    return rows


def _caption(study: GrowthStudy, stem: str) -> str:
    count = len(study.fit.data.animals)
    if stem == "single_animals":
        told = (
            "Readings (dots), the fit of all animals at each animal's most likely β (blue) and a "
            "fit to the logarithms of that animal alone (orange, dashed)."
        )
        return told + (f" The first {MOST_PANELS} of {count}." if count > MOST_PANELS else "")
    return {
        "predictive_check": (
            "Observed percentiles of readings (lines) over the 90 % intervals of the same "
            "percentiles in 500 simulated studies with other animals on the same days (bands). "
            "Animals that left early are missing from later days in both."
        ),
        "animals_compared": (
            "Left: fits to each animal alone. Right: what the fit says about volumes without "
            "reading error, over all readings. Virtual animals come from the xenograft, untreated."
        ),
        "residuals": (
            "Reading minus fit at each animal's most likely β, in standard deviations of a "
            "reading; dashed: ±1.96."
        ),
    }[stem]
