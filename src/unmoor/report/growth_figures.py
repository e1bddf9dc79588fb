"""Figures of a growth fit: single animals, predictive check, residuals, animals compared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from unmoor.analysis.growth import log_volume
from unmoor.analysis.growth_check import PERCENTILES, population, residuals
from unmoor.analysis.growth_study import DIFFERS, GrowthStudy, Rival
from unmoor.elementwise import FloatArray
from unmoor.report.canvas import Canvas, Panel, day_ticks, linear_ticks, log_ticks, shortened
from unmoor.report.style import COLOURS, GREY, INK

MOST_PANELS = 72
"""Animals drawn one by one; a table may hold hundreds."""
_BLUE, _ORANGE = COLOURS[1], COLOURS[0]
_LEAST = 10.0  # mm³: lowest volume on an axis
_SHARES = np.array([0.1, 0.5, 0.9])

Drawing = tuple[Figure, pd.DataFrame]
_Curve = tuple[float, float, str, Any]


def single_animals(study: GrowthStudy) -> Drawing:
    """Readings of each animal, the fit of all (blue), and the animal's own fit (orange)."""
    fit, data = study.fit, study.fit.data
    shown = min(len(data.animals), MOST_PANELS)
    columns = min(8, shown)
    canvas = Canvas(shown, columns, height=44, left=34, top=16, bottom=26, gaps=(5, 15))
    last, limits = float(data.day.max()), _volume_limits(study)
    days, own = np.linspace(0.0, last, 80), {int(a): i for i, a in enumerate(study.each.animal)}
    for animal, box in enumerate(canvas.boxes):
        panel = box.with_axes(x_limits=(0.0, 1.02 * last), y_limits=limits, y_scale="log")
        curves: list[_Curve] = [(fit.beta[animal], fit.k[animal], _BLUE, "-")]
        if animal in own:
            at = own[animal]
            curves.append((study.each.beta[at], study.each.k[at], _ORANGE, (0, (3, 1.5))))
        for beta, k, colour, dashes in curves:
            volume = np.exp(log_volume(days, beta, k, data.start))
            _line(canvas, panel, days, volume, colour, 1.0, dashes)
        seen = data.index == animal
        _dots(canvas, panel, data.day[seen], data.volume[seen], INK, size=4)
        bottom, side = animal + columns >= shown, animal % columns == 0
        tens = [
            (10.0**n, f"{10**n}" if side else "")
            for n in range(5)
            if limits[0] <= 10**n <= limits[1]
        ]
        canvas.frame(panel, _few_days(last, labels=bottom), tens)
        canvas.text(
            panel.left + 3, panel.top + 4, shortened(data.animals[animal], 14), size=-1, ha="left"
        )
    canvas.text(canvas.middle, 7, "day")
    canvas.text(6, canvas.height / 2, "tumour volume (mm³)", rotation=90)
    return canvas.finished(_footer(study)), _animal_rows(study)


def predictive_check(study: GrowthStudy) -> Drawing:
    """Observed percentiles over those of repeated studies: the fit, and the best rival."""
    models = [("beta", Rival(study.fit, study.check, study.serial)), *_best_rival(study)]
    canvas = Canvas(len(models), len(models), height=190, left=46, top=22, bottom=40, gaps=(44, 20))
    rows = []
    for box, (name, rival) in zip(canvas.boxes, models, strict=True):
        data, check = study.fit.data, rival.check
        limits = _volume_limits(study)
        panel = box.with_axes(
            x_limits=(0.0, 1.02 * float(data.day.max())), y_limits=limits, y_scale="log"
        )
        _dots(canvas, panel, data.day, data.volume, "#B8B8B8", size=3)
        for i, percentile in enumerate(PERCENTILES):
            colour = _ORANGE if percentile == 50.0 else _BLUE
            low, high = panel.clipped(check.low[:, i]), panel.clipped(check.high[:, i])
            canvas.area(panel.x(check.day), low, high, colour, 0.25)
            _line(canvas, panel, check.day, check.observed[:, i], colour, 1.4)
            _dots(canvas, panel, check.day, check.observed[:, i], colour, size=9)
            rows += [
                (name, percentile, *numbers)
                for numbers in zip(
                    check.day, check.readings, check.observed[:, i], check.low[:, i],
                    check.middle[:, i], check.high[:, i], strict=True,
                )
            ]  # fmt: skip
        canvas.frame(panel, day_ticks(panel.x_limits[1]), log_ticks(*limits, compact=True))
        canvas.title(panel, f"differs: {DIFFERS[name]}")
    canvas.text(canvas.middle, 19, "day")
    told = "lines: observed 10, 50, 90 % of readings · bands: 90 % of those in repeated studies"
    canvas.text(canvas.middle, 7, told, size=-0.5, color=GREY)
    canvas.text(8, canvas.boxes[0].base + 95, "tumour volume (mm³)", rotation=90)
    columns = ["model", "percentile", "day", "readings", "observed", "low", "middle", "high"]
    return canvas.finished(_footer(study)), pd.DataFrame(rows, columns=columns)


def residual_plots(study: GrowthStudy) -> Drawing:
    """Standardised residuals in time, by volume, and against the normal distribution."""
    from scipy.special import ndtri

    data = study.fit.data
    volume, away = residuals(study.fit)
    seen = ~data.is_censored
    day, order = data.day[seen], np.argsort(away)
    expected = np.empty(away.size)
    expected[order] = ndtri((np.arange(away.size) + 0.5) / away.size)
    reach = max(3.5, float(np.abs(away).max()) * 1.05)
    axes = (
        ("day", day, (0.0, 1.02 * float(day.max())), "linear"),
        ("fitted volume (mm³)", volume, _volume_limits(study), "log"),
        ("expected of a normal distribution", expected, (-3.5, 3.5), "linear"),
    )
    canvas = Canvas(3, 3, height=140, left=40, top=14, bottom=30, gaps=(22, 20))
    for box, (label, values, limits, scale) in zip(canvas.boxes, axes, strict=True):
        panel = box.with_axes(x_limits=limits, y_limits=(-reach, reach), x_scale=scale)
        for level, dashes in ((0.0, "-"), (-1.96, (0, (3, 2))), (1.96, (0, (3, 2)))):
            if label.startswith("expected"):
                break
            canvas.stroke([panel.left, panel.right], panel.y([level, level]), GREY, 0.6, dashes)
        if label.startswith("expected"):
            canvas.stroke(panel.x([-3.5, 3.5]), panel.y([-3.5, 3.5]), GREY, 0.6)
        _dots(canvas, panel, values, away, _BLUE, size=5)
        ticks = log_ticks(*limits, compact=True) if scale == "log" else linear_ticks(*limits)
        canvas.frame(panel, ticks, linear_ticks(-reach, reach))
        canvas.text(panel.middle, 8, label)
    middle = canvas.boxes[0].base + 70
    canvas.text(7, middle, "residual (standard deviations)", rotation=90)
    names = np.array(data.animals, dtype=object)[data.index[seen]]
    rows = pd.DataFrame({"animal": names, "day": day, "fitted": volume, "residual": away})
    return canvas.finished(_footer(study)), rows


def animals_compared(study: GrowthStudy) -> Drawing:
    """Single-animal fits of real and virtual animals, and the volumes of both populations."""
    canvas = Canvas(2, 2, height=190, left=46, top=22, bottom=40, gaps=(44, 20))
    rows = _scatter(canvas, canvas.boxes[0], study)
    rows += _bands(canvas, canvas.boxes[1], study)
    columns = ["animals", "what", "x", "y"]
    return canvas.finished(_footer(study)), pd.DataFrame(rows, columns=columns)


def _scatter(canvas: Canvas, box: Panel, study: GrowthStudy) -> list[tuple[str, str, float, float]]:
    """α against β of single animals."""
    each, rows = study.each, []
    x_limits, y_limits = _around(each.beta), _around(each.alpha)
    panel = box.with_axes(x_limits=x_limits, y_limits=y_limits, x_scale="log", y_scale="log")
    groups = [("real", each, _ORANGE, 10.0)]
    if study.virtual is not None:
        groups.insert(0, ("virtual", study.virtual.each, "#9CC3DE", 3.0))
    for name, fits, colour, size in groups:
        inside = (fits.beta > x_limits[0]) & (fits.beta < x_limits[1])
        inside &= (fits.alpha > y_limits[0]) & (fits.alpha < y_limits[1])
        _dots(canvas, panel, fits.beta[inside], fits.alpha[inside], colour, size=size)
        rows += [
            (name, "beta_alpha", float(x), float(y))
            for x, y in zip(fits.beta, fits.alpha, strict=True)
        ]
    canvas.frame(panel, log_ticks(*x_limits), log_ticks(*y_limits))
    canvas.title(panel, "each animal by itself")
    canvas.text(panel.middle, 19, "β (1/d)")
    canvas.text(8, panel.base + panel.height / 2, "α (1/d)", rotation=90)
    told = "orange: real" + (" · blue: virtual" if study.virtual else "")
    canvas.text(panel.middle, 7, told, size=-0.5, color=GREY)
    return rows


def _bands(canvas: Canvas, box: Panel, study: GrowthStudy) -> list[tuple[str, str, float, float]]:
    """10, 50 and 90 % of the true volumes: the fit, and the virtual animals."""
    fit, rows = study.fit, []
    last = float(fit.data.day.max())
    limits = _volume_limits(study)
    panel = box.with_axes(x_limits=(0.0, 1.02 * last), y_limits=limits, y_scale="log")
    days = np.linspace(0.0, last, 100)
    curves = population(fit, days, _SHARES)
    _dots(canvas, panel, fit.data.day, fit.data.volume, "#B8B8B8", size=3)
    for i, share in enumerate(_SHARES):
        _line(canvas, panel, days, curves[:, i], INK, 1.0, "-" if share == 0.5 else (0, (4, 1.5)))
        rows += [
            ("fit", f"{share:g}", float(x), float(y))
            for x, y in zip(days, curves[:, i], strict=True)
        ]
    if study.virtual is not None:
        own = study.virtual.days[study.virtual.days <= last]
        quantiles = np.quantile(study.virtual.volumes[:, : own.size], _SHARES, axis=0)
        canvas.area(
            panel.x(own), panel.clipped(quantiles[0]), panel.clipped(quantiles[2]), _BLUE, 0.3
        )
        for share, values in zip(_SHARES, quantiles, strict=True):
            rows += [
                ("virtual", f"{share:g}", float(x), float(y))
                for x, y in zip(own, values, strict=True)
            ]
    canvas.frame(panel, day_ticks(last), log_ticks(*limits, compact=True))
    canvas.title(panel, "volumes without reading error")
    canvas.text(panel.middle, 19, "day")
    told = "lines: fit, 10, 50, 90 % · grey: readings"
    told += " · band: virtual, 10–90 %" if study.virtual else ""
    canvas.text(panel.middle, 7, told, size=-0.5, color=GREY)
    canvas.text(panel.left - 34, panel.base + panel.height / 2, "tumour volume (mm³)", rotation=90)
    return rows


def _best_rival(study: GrowthStudy) -> list[tuple[str, Rival]]:
    known = [(name, rival) for name, rival in study.rivals.items() if rival is not None]
    return sorted(known, key=lambda item: item[1].fit.aic)[:1]


def _volume_limits(study: GrowthStudy) -> tuple[float, float]:
    peak = float(study.fit.data.volume.max())
    return min(_LEAST, peak / 100.0), peak * 1.3


def _around(values: FloatArray) -> tuple[float, float]:
    """Limits of a logarithmic axis around most of the values."""
    low, high = np.quantile(values, [0.02, 0.98])
    return float(low) / 2.0, float(high) * 2.0


def _line(
    canvas: Canvas, panel: Panel, xs: FloatArray, ys: FloatArray, colour: str, width: float,
    dashes: object = "-",
) -> None:  # fmt: skip
    """A curve; what lies below the axis is not drawn."""
    heights = panel.y(ys)
    inside = (heights >= panel.base) & (heights <= panel.top)
    canvas.stroke(panel.x(xs)[inside], heights[inside], colour, width, dashes)


def _dots(
    canvas: Canvas, panel: Panel, xs: FloatArray, ys: FloatArray, colour: str, size: float
) -> None:
    heights = panel.y(ys)
    inside = np.isfinite(heights) & (heights >= panel.base - 1)
    canvas.axes.scatter(
        panel.x(xs)[inside], heights[inside], s=size, color=colour, linewidths=0, zorder=3
    )


def _few_days(last: float, *, labels: bool) -> list[tuple[float, str]]:
    """Two or three ticks for a small panel."""
    step = next((days for days in (1, 2, 7, 14, 28, 56) if last / days < 4), 365)
    return [(float(day), f"{day}" if labels else "") for day in range(0, int(last) + 1, step)]


def _animal_rows(study: GrowthStudy) -> pd.DataFrame:
    data = study.fit.data
    fitted = np.exp(
        log_volume(data.day, study.fit.beta[data.index], study.fit.k[data.index], data.start)
    )
    names = np.array(data.animals, dtype=object)[data.index]
    return pd.DataFrame({"animal": names, "day": data.day, "volume": data.volume, "fitted": fitted})


def _footer(study: GrowthStudy) -> str:
    return f"{study.table.name} · SHA-256 {study.table.digest[:12]}"


FIGURES: Sequence[tuple[str, str, Callable[[GrowthStudy], Drawing]]] = (
    ("predictive_check", "Predictive check", predictive_check),
    ("animals_compared", "Real and virtual animals", animals_compared),
    ("single_animals", "Animal by animal", single_animals),
    ("residuals", "What is left", residual_plots),
)
"""Stem, title and drawing of each figure, in the order of the page."""
