"""Joint effect of two or more drugs on one thing, by a named reference model.

Nobody knows how two drugs combine before it is measured, so the study names the rule: ``bliss``,
the drugs act independently; ``loewe``, a dose of one stands for a dose of the other; ``hsa``, the
stronger drug acts alone. What is measured beyond the rule is synergy, what falls short antagonism.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from unmoor.elementwise import FloatArray, power

_HALVINGS = 64  # of an interval within 0 … 1: below rounding
_FULL = 1.0 - 1e-12  # share of the greatest effect that is taken for all of it


@dataclass(frozen=True)
class Effect:
    """What one drug does alone, over time, and the shape of its dose response.

    Attributes
    ----------
    share
        Share of the function that is blocked, any shape; negative where it is stimulated.
    greatest
        Share blocked at an infinite dose.
    hill
        Steepness: share = greatest·x^hill/(1 + x^hill) at x times the dose of half effect.
    """

    share: FloatArray
    greatest: float = 1.0
    hill: float = 1.0

    def doses(self) -> FloatArray:
        """Dose relative to that of half effect that gives ``share`` [-]."""
        return _dose(self.share, self.greatest, self.hill)


def combine(effects: Sequence[Effect], model: str) -> FloatArray:
    """Joint share that is blocked.

    Parameters
    ----------
    effects
        One or more, of the same shape.
    model
        ``bliss``: what each leaves is multiplied. ``loewe``: the share e with Σ dose_i/D_i(e) = 1,
        D_i(e) the dose of drug i alone for e. ``hsa``: the greater.
    """
    if len(effects) == 1:
        return effects[0].share
    if model == "loewe":
        return _loewe(effects)
    joint = effects[0].share
    for other in effects[1:]:
        if model == "bliss":
            joint = 1.0 - (1.0 - joint) * (1.0 - other.share)
        else:
            joint = np.where(np.abs(other.share) > np.abs(joint), other.share, joint)
    return joint


def combine_rates(rates: Sequence[FloatArray], model: str) -> FloatArray:
    """Joint death rate of drugs that kill [1/d].

    Independent drugs multiply survival, so rates add. With rates in proportion to concentration,
    as in an animal, Loewe additivity comes to the same; in a medium, where killing saturates, it
    does not, and studies that ask for it there are refused (``trial.treatment_checks``). ``hsa``
    takes the greater rate at each time.
    """
    joint = rates[0]
    for other in rates[1:]:
        joint = np.maximum(joint, other) if model == "hsa" else joint + other
    return joint


def _dose(share: FloatArray, greatest: float, hill: float) -> FloatArray:
    part = np.minimum(np.maximum(share / greatest, 0.0), _FULL)
    odds = part / (1.0 - part)
    return odds if hill == 1.0 else power(odds, 1.0 / hill)


def _loewe(effects: Sequence[Effect]) -> FloatArray:
    first, doses = effects[0], [effect.doses() for effect in effects]
    if all((e.greatest, e.hill) == (first.greatest, first.hill) for e in effects):
        total = sum(doses[1:], doses[0])  # doses of one curve: no equation to solve
        odds = total if first.hill == 1.0 else power(total, first.hill)
        return first.greatest * odds / (1.0 + odds)
    low = np.zeros_like(first.share)
    high = np.full_like(first.share, max(effect.greatest for effect in effects))
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        used = np.zeros_like(middle)
        for effect, dose in zip(effects, doses, strict=True):
            reached = middle < effect.greatest * _FULL
            alone = _dose(np.where(reached, middle, 0.0), effect.greatest, effect.hill)
            with np.errstate(divide="ignore", invalid="ignore"):
                part = np.where(dose > 0.0, dose / alone, 0.0)
            used += np.where(reached, part, 0.0)  # no dose of this drug alone does as much
        low, high = np.where(used > 1.0, middle, low), np.where(used > 1.0, high, middle)
    return 0.5 * (low + high)
