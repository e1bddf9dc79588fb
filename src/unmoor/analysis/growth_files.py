"""Write a growth fit: rows for the catalog, one JSON document, and a table of the animals."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from unmoor.analysis.growth import Estimate, GrowthFit
from unmoor.analysis.growth_study import DIFFERS, GrowthStudy
from unmoor.catalog import sources, table
from unmoor.parameters import COLUMNS, Parameter
from unmoor.trial.atomic import refusals_told, write_file

NINETY = 1.645  # standard errors of a 90 % interval
UNITS = {
    "beta": "1/d", "k": "-", "omega_beta": "-", "omega_k": "-", "rho": "-", "a": "mm^3", "b": "-",
}  # fmt: skip
_OWN_SOURCE = "growth_data"


def write_growth(study: GrowthStudy, out: Path) -> list[Path]:
    """Write the files of a fit; ``out/catalog`` can be put beside a study file as it is.

    Parameters
    ----------
    out
        Folder, made if need be.

    Returns
    -------
        The files written.

    Raises
    ------
    ResourceError, RunFolderError
        If the disk is full, or the folder cannot be written.
    """
    folder = out / "catalog" / "closures" / "growth"
    with refusals_told(folder, 0):
        folder.mkdir(parents=True, exist_ok=True)
    source = study.choices.source or _OWN_SOURCE
    files = {
        folder / "parameters.tsv": parameters_text(study),
        folder / "about.toml": _about(study, source),
        out / "growth.json": json.dumps(document(study), ensure_ascii=False, indent=1) + "\n",
        out / "animals.csv": _animals(study),
    }
    if source not in sources():
        files[out / "catalog" / "sources.bib"] = _bibliography(study, source)
    for path, text in files.items():
        write_file(path, text.encode("utf-8"))
    return list(files)


def parameters_text(study: GrowthStudy) -> str:
    """Return the rows of ``closures/growth``: what was fitted, and the rest of the catalog's."""
    rows = {row.id: row for row in table("closures", "growth").values()}
    rows |= {row.id: row for row in fitted_rows(study)}
    choices = study.choices
    per_million = choices.start / (choices.inoculum / 1e6)
    if per_million != rows["volume_per_million"].value:
        note = "volume at day 0 over cells injected, as told to unmoor calibrate growth; not drawn"
        rows["volume_per_million"] = _fixed("volume_per_million", per_million, "mm^3", note)
    if choices.detection_limit > 0.0:
        note = "detection limit told to unmoor calibrate growth; smaller readings are recorded so"
        limit = choices.detection_limit
        rows["smallest_reading"] = _fixed("smallest_reading", limit, "mm^3", note)
    return "\n".join(["\t".join(COLUMNS), *map(_line, rows.values())]) + "\n"


def fitted_rows(study: GrowthStudy) -> list[Parameter]:
    """Rows of the fitted numbers, with as many digits as two of the standard error."""
    fit, source = study.fit, study.choices.source or _OWN_SOURCE
    how = _how(study)
    rows = []
    for name, row_id in (("beta", "beta"), ("k", "k"), ("a", "residual_a"), ("b", "residual_b")):
        estimate = fit.estimates[name]
        value, error = rounded(estimate)
        is_drawn = name in ("beta", "k") and math.isfinite(error)
        low, high = _range(value, error) if is_drawn else (value, value)
        cv = float(f"{fit.beta_cv:.4g}") if name == "beta" else 0.0
        note = f"{_MEANING[name]}; {how}; {_precision(name, told(estimate)[1])}"
        rows.append(Parameter(row_id, value, UNITS[name], low, high, cv, "fitted", source, note))
    return rows


_MEANING = {
    "beta": "slowing of growth, median of the animals, which differ log-normally",
    "k": "logarithm of the final volume in mm^3; initial growth rate is k beta",
    "a": "constant part of the calliper error",
    "b": "proportional part of the calliper error",
}


def rounded(estimate: Estimate) -> tuple[float, float]:
    """Value and standard error, to two digits of the error."""
    if not estimate.is_known or estimate.error <= 0.0:
        return float(f"{estimate.value:.3g}"), math.nan
    error = float(f"{estimate.error:.2g}")
    decimals = 1 - math.floor(math.log10(error) + 1e-9)
    return round(estimate.value, decimals), error


def told(estimate: Estimate) -> tuple[str, str]:
    """Value and standard error as a reader sees them; no error if the data do not tell."""
    value, error = rounded(estimate)
    if not math.isfinite(error):
        return f"{value:g}", ""
    decimals = max(0, 1 - math.floor(math.log10(error) + 1e-9))
    return f"{value:.{decimals}f}", f"{error:.{decimals}f}"


def _range(value: float, error: float) -> tuple[float, float]:
    low = value - NINETY * error
    if low > 0.0:
        return float(f"{low:.6g}"), float(f"{value + NINETY * error:.6g}")
    factor = math.exp(NINETY * error / value)
    return float(f"{value / factor:.6g}"), float(f"{value * factor:.6g}")


def _precision(name: str, error: str) -> str:
    if not error:
        return "at the end of its range, not determined by these data; not drawn"
    if name in ("beta", "k"):
        return f"range = {NINETY} standard errors of {error}"
    return f"standard error {error}; not drawn"


def _how(study: GrowthStudy) -> str:
    """What was fitted to what, for the notes of rows."""
    data, start = study.fit.data, study.choices.start
    law = (
        "V = exp(k (1 - exp(-beta t))), V(0) = 1 mm^3"
        if start == 1.0
        else f"ln V = k - (k - ln V0) exp(-beta t), V0 = {start:g} mm^3"
    )
    zeros = ""
    if data.left_out:
        zeros = f" ({data.left_out} readings of 0 left out)"
    elif data.is_censored.any():
        limit = study.choices.detection_limit
        zeros = f" ({int(data.is_censored.sum())} censored at {limit:g} mm^3)"
    return (
        f"exact maximum likelihood of {law}, log-normal beta, residual SD a + b V; "
        f"{data.day.size} volumes{zeros} of {len(data.animals)} {study.title}"
    )


def _fixed(name: str, value: float, unit: str, note: str) -> Parameter:
    return Parameter(name, value, unit, value, value, 0.0, "assumed", "", note)


def _line(row: Parameter) -> str:
    cv = f"{row.cv:g}" if row.cv else ""
    numbers = (f"{row.value:.10g}", row.unit, f"{row.low:.10g}", f"{row.high:.10g}", cv)
    return "\t".join((row.id, *numbers, row.evidence, row.source, row.note))


def _about(study: GrowthStudy, source: str) -> str:
    text = f"Reduced Gompertz growth and the error of its calliper reading: {study.title}."
    return (
        'name = "growth"\nsynonyms = []\n'
        f"text = {json.dumps(text, ensure_ascii=False)}\n"
        f'status = "provisional"\nsources = [{json.dumps(source, ensure_ascii=False)}]\n'
    )


def _bibliography(study: GrowthStudy, source: str) -> str:
    title = "".join(letter for letter in study.title if letter not in "{}\\%")
    name = "".join(letter for letter in study.table.name if letter not in "{}\\%")
    return (
        f"@misc{{{source},\n  title = {{Tumour volumes: {title}}},\n"
        f"  note = {{file {name}, SHA-256 {study.table.digest}}},\n}}\n"
    )


def document(study: GrowthStudy) -> dict[str, Any]:
    """Return everything that was found, as it is written to ``growth.json``."""
    found: dict[str, Any] = {
        "title": study.title,
        "data": _data(study),
        "choices": asdict(study.choices),
        "fit": _fit(study.fit),
        "models": {
            name: None if rival is None else {
                "differs": DIFFERS[name],
                **_fit(rival.fit),
                "coverage": rival.check.coverage,
                "percentiles_inside": rival.check.inside,
                "serial_correlation": rival.serial,
            }
            for name, rival in study.fits().items()
        },
        "each_animal": study.each.summary(),
        "warnings": [str(each) for each in study.table.warnings],
    }  # fmt: skip
    if study.virtual is not None:
        found["virtual_animals"] = _virtual(study)
    cleaned: dict[str, Any] = _finite(found)
    return cleaned


def _data(study: GrowthStudy) -> dict[str, Any]:
    """What was read, and what of it was used."""
    data, read = study.fit.data, study.table
    return {
        "file": read.name,
        "sha256": read.digest,
        "columns": dict(read.columns),
        "arm": read.arm,
        "rows_of_other_arms": read.other_rows,
        "animals": len(data.animals),
        "readings": data.day.size,
        "left_out": data.left_out,
        "censored": int(data.is_censored.sum()),
        "largest_volume": float(data.volume.max()),
        "last_day": float(data.day.max()),
    }


def _fit(fit: GrowthFit) -> dict[str, Any]:
    return {
        "estimates": {
            name: {"value": each.value, "standard_error": each.error, "unit": UNITS[name]}
            for name, each in fit.estimates.items()
        },
        "cv_beta_between_animals": fit.beta_cv,
        "log_likelihood": fit.log_likelihood,
        "aic": fit.aic,
    }


def _virtual(study: GrowthStudy) -> dict[str, Any]:
    virtual = study.virtual
    assert virtual is not None
    days = [day for day in (14.0, 21.0, 28.0, 36.0) if day <= virtual.days[-1]]
    return {
        "cell_line": virtual.cell_line,
        "host": virtual.host,
        "animals": virtual.volumes.shape[0],
        "fit": _fit(virtual.fit),
        "each_animal": virtual.each.summary(),
        "volume_10_50_90": {
            f"{day:g}": np.quantile(virtual.at(day), (0.1, 0.5, 0.9)).tolist() for day in days
        },
        "share_up_to_4_cm3": float((virtual.at(days[-1]) <= 4000.0).mean()) if days else None,
    }


def _animals(study: GrowthStudy) -> str:
    """One row an animal: its most likely numbers given all, and its own fit."""
    fit, each = study.fit, study.each
    own = {int(animal): i for i, animal in enumerate(each.animal)}
    readings = np.bincount(fit.data.index, minlength=len(fit.data.animals))
    rows = ["animal,readings,beta,sd_ln_beta,alpha,own_beta,own_k,own_alpha"]
    for i, name in enumerate(fit.data.animals):
        numbers = [fit.beta[i], fit.beta_error[i], fit.beta[i] * fit.k[i]]
        if i in own:
            at = own[i]
            numbers += [each.beta[at], each.k[at], each.alpha[at]]
        cells = [f"{number:.6g}" for number in numbers]
        label = '"' + name.replace('"', '""') + '"' if set(name) & set(',"\n\r') else name
        rows.append(",".join([label, f"{readings[i]}", *cells, *[""] * (6 - len(cells))]))
    return "\n".join(rows) + "\n"


def _finite(value: Any) -> Any:
    """JSON has no word for what is not a number."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _finite(part) for key, part in value.items()}
    return [_finite(part) for part in value] if isinstance(value, list) else value
