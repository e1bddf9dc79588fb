"""What two drugs do together beyond a named reference model, by four reference models.

All of it is on ratios to control, whatever they are of: a tumour's volume or its metastases. Less
is better, and a ratio may exceed 1 where a treatment does harm. Excess is expected minus found, so
that above 0 the pair is better than expected (synergy) and below 0 worse (antagonism). Equations:
docs/explanation/foresight_search.md. MuSyC is a fit: :mod:`unmoor.analysis.musyc`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from unmoor.analysis.dose_curves import fitted_curve, interpolated_curve
from unmoor.elementwise import FloatArray

REFERENCES = ("bliss", "loewe", "hsa", "zip")
_HALVINGS = 80
_FINE = 2000  # doses of a table of a curve
_LEAST_DOSE = 1e-300  # no division by nothing
_FLAT = 1e-9  # change of a logarithm of a ratio that is none

Curve = Callable[[FloatArray], FloatArray]
"""Natural logarithm of the ratio to control at a dose, 0 at dose 0."""


@dataclass(frozen=True)
class Surface:
    """Ratios to control over doses of two drugs.

    Attributes
    ----------
    first, second
        Doses of each, rising from 0, shapes (n,) and (m,).
    ratios
        Ratio of each pair, (n, m); of the first drug alone in column 0, the second in row 0.
    alone
        Further doses of each drug alone and their ratios, for curves: pairs of arrays, or None.
    """

    first: FloatArray
    second: FloatArray
    ratios: FloatArray
    alone: tuple[tuple[FloatArray, FloatArray] | None, tuple[FloatArray, FloatArray] | None] = (
        None,
        None,
    )

    def curve(self, which: int) -> Curve:
        """Curve of a drug alone through all its known doses."""
        return interpolated_curve(*self.known(which))

    def known(self, which: int) -> tuple[FloatArray, FloatArray]:
        """Doses of a drug alone, rising, and the logarithms of their ratios."""
        doses = (self.first, self.second)[which]
        ratios = self.ratios[:, 0] if which == 0 else self.ratios[0]
        more = self.alone[which]
        if more is not None:
            doses, ratios = np.concatenate([doses, more[0]]), np.concatenate([ratios, more[1]])
        doses, places = np.unique(doses, return_index=True)
        return doses, np.log(ratios[places])


def excess(surface: Surface, reference: str) -> FloatArray:
    """Expected minus found ratio of each pair, (n, m); NaN where the reference says nothing.

    Parameters
    ----------
    surface
        The ratios.
    reference
        ``bliss``: independent drugs, ratios multiply. ``hsa``: the better drug alone. ``loewe``:
        a dose of one stands for a dose of the other. ``zip``: neither changes the potency of the
        other (and the ratios found are those of curves fitted along each drug).
    """
    if reference == "zip":
        return zero_interaction(surface)
    return expected(surface, reference) - surface.ratios


def expected(surface: Surface, reference: str) -> FloatArray:
    """Ratio that a reference model expects of each pair, (n, m)."""
    one, other = surface.ratios[:, :1], surface.ratios[:1, :]
    if reference == "bliss":
        product: FloatArray = one * other
        return product
    if reference == "hsa":
        better: FloatArray = np.minimum(one, other)
        return better
    if reference == "loewe":
        return additive(surface)
    raise ValueError(f"no reference model {reference!r}; there are {', '.join(REFERENCES)}")


def additive(surface: Surface, curves: tuple[Curve, Curve] | None = None) -> FloatArray:
    """Ratio that Loewe additivity expects: a/A(e) + b/B(e) = 1, A and B the doses alone for e.

    ``curves`` stand for those through known doses, if given. A drug that never does as much counts
    nothing. NaN where drugs pull in opposite directions or a drug's effect turns with dose: no dose
    of one then stands for a dose of the other.
    """
    known = [surface.known(which) for which in (0, 1)]
    ends = [float(logs[int(np.argmax(np.abs(logs)))]) for _, logs in known]
    if any(not _is_monotone(logs) for _, logs in known) or ends[0] * ends[1] < -_FLAT:
        return np.full(surface.ratios.shape, np.nan)
    sign = -1.0 if min(ends) < -_FLAT else 1.0
    tables = [
        _table(surface, known[which][0], None if curves is None else curves[which], which, sign)
        for which in (0, 1)
    ]
    a, b = np.broadcast_arrays(surface.first[:, None], surface.second[None, :])
    low = np.zeros(a.shape)
    high = np.full(a.shape, max(float(effects[-1]) for _, effects in tables))
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        used = a / _dose_for(middle, *tables[0]) + b / _dose_for(middle, *tables[1])
        low, high = np.where(used > 1.0, middle, low), np.where(used > 1.0, high, middle)
    ratio: FloatArray = np.exp(sign * 0.5 * (low + high))
    return ratio


def _is_monotone(logs: FloatArray) -> bool:
    steps = np.diff(logs)
    slack = 1e-6 + 1e-3 * float(np.abs(logs).max())
    return bool((steps <= slack).all() or (steps >= -slack).all())


def _table(
    surface: Surface, doses: FloatArray, curve: Curve | None, which: int, sign: float
) -> tuple[FloatArray, FloatArray]:
    """Doses of a drug alone and sizes of their effects, rising, close enough for lines between."""
    sums = (surface.first[:, None] + surface.second[None, :]).ravel()
    last = float(doses[-1]) if curve is None else float(max(doses[-1], sums.max()))
    fine = np.linspace(0.0, np.sqrt(last), _FINE) ** 2
    nodes = np.unique(np.concatenate([doses, fine[fine <= last], sums[sums <= last], [last]]))
    effects = np.maximum.accumulate(sign * (curve or surface.curve(which))(nodes))
    rises = np.concatenate([[True], np.diff(effects) > 0.0])
    return nodes[rises], effects[rises]


def _dose_for(effect: FloatArray, doses: FloatArray, effects: FloatArray) -> FloatArray:
    """Least dose alone that does as much; infinite if no known dose does."""
    found = np.interp(effect, effects, doses)
    dose: FloatArray = np.where(effect > effects[-1], np.inf, np.maximum(found, _LEAST_DOSE))
    return dose


def zero_interaction(surface: Surface) -> FloatArray:
    """ZIP excess: what is expected if neither drug changes the other's curve, minus curves fitted.

    Along each row and column a Hill curve is fitted whose start is what the other drug does alone;
    the fitted ratio of a pair is the mean of its two curves. What is expected is the product of the
    curves of the drugs alone. NaN along a drug with fewer than two doses.
    """
    if min(surface.first.size, surface.second.size) < 3:
        return np.full(surface.ratios.shape, np.nan)
    alone = (
        fitted_curve(surface.first, surface.ratios[:, 0], 1.0),
        fitted_curve(surface.second, surface.ratios[0], 1.0),
    )
    one, other = alone[0].at(surface.first), alone[1].at(surface.second)
    fitted = np.empty(surface.ratios.shape)
    for j in range(surface.second.size):
        along = fitted_curve(surface.first, surface.ratios[:, j], float(other[j]), like=alone[0])
        fitted[:, j] = along.at(surface.first)
    for i in range(surface.first.size):
        along = fitted_curve(surface.second, surface.ratios[i], float(one[i]), like=alone[1])
        fitted[i] = 0.5 * (fitted[i] + along.at(surface.second))
    delta: FloatArray = np.outer(one, other) - fitted
    return delta
