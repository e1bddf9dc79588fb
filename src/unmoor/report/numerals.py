"""Numbers as a reader of the report sees them; a dash stands where there is none."""

from __future__ import annotations

import math


def ratio(value: float) -> str:
    """Ratio with two significant digits; a dash where there is none."""
    if not math.isfinite(value):
        return "–"
    if value == 0:
        return "0"
    rounded = float(f"{value:.2g}")
    decimals = 1 - math.floor(math.log10(abs(rounded)))
    return f"{rounded:.{min(max(decimals, 0), 4)}f}"


def interval(low: float, high: float) -> str:
    """Interval of a ratio; a dash where there is none."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return "–"
    return f"{ratio(low)}–{ratio(high)}"


def probability(value: float) -> str:
    """Probability with two decimals, never rounded to certainty."""
    if not math.isfinite(value):
        return "–"
    if 0 < value < 0.005:
        return "< 0.01"
    if 0.995 <= value < 1:
        return "> 0.99"
    return f"{value:.2f}"


def p_value(value: float) -> str:
    """Result of a test with two significant digits; a dash where there is none."""
    if not math.isfinite(value):
        return "–"
    return "< 0.0001" if value < 1e-4 else ratio(value)


def percent(value: float) -> str:
    """Level of an interval, as in ``90 %``."""
    return f"{100 * value:.3g} %"


def share(value: float) -> str:
    """Fraction with two decimals and a true minus sign; a dash where there is none."""
    if not math.isfinite(value):
        return "–"
    return f"{value:.2f}".replace("-0.00", "0.00").replace("-", "\u2212")


def plain(value: float) -> str:
    """Write a number as a reader would: no exponent, thousands apart."""
    return (
        f"{value:,.6g}".replace(",", "\u2009") if abs(value) >= 1e-4 or value == 0 else f"{value:g}"
    )
