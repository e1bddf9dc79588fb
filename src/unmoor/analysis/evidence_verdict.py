"""How a published direction comes out: in draws, under structures, in lines, and as a row.

A direction counts in a draw if one side is ``change`` times the other or more; for shares of a
whole such as E-cadherin, and for cosines, if the difference reaches ``switch_loss``. Draws under
several structures are mixed by one weighting for all rows. A row that says "more" or "less" agrees
if enough of the mixture has its direction; one that says "no change" agrees if the interval of the
mixture lies within ``same_low`` to ``same_high``. All its lines must agree. A row on which
published evidence disagrees must come out under one named structure alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache

import numpy as np

from unmoor.analysis.evidence_rows import CATALOGUED, EvidenceRow, read_evidence
from unmoor.assays.settings import ASSAYS
from unmoor.elementwise import FloatArray
from unmoor.trial.uncertainty import Mixture

AGREES, DISAGREES, CANNOT, NOT_RUN = "agrees", "disagrees", "cannot", "not run"
OUTCOMES = (AGREES, DISAGREES, CANNOT, NOT_RUN)
CALIBRATED, TUNED, TEST, LEFT_OUT = "calibrated", "tuned", "test", "left out"
CALIBRATION = ("T01", "T02", "T03", "T04", "T05", "T06", "T10a", "T10b")
"""Rows that plausible parameter sets are conditioned on (analysis/calibrate.py)."""
_TUNED_ON = "TGEBP"  # first letters of the rows on which a prototype's defaults were tuned
_WHOLES = ("of epithelial maximum", "of full programme", "cosine")  # told as differences
_LEVEL = 0.9
_MOST = 1e6  # ratio to nothing, for quantiles


def role_of(row: EvidenceRow) -> str:
    """What a row was used for before it is judged; rows that are not the catalog's are tests."""
    known = _catalogued().get(row.id)
    if known is None or _asked(known) != _asked(row):
        return TEST
    if row.id in CALIBRATION:
        return CALIBRATED
    return TUNED if row.id[:1] in _TUNED_ON else TEST


def _asked(row: EvidenceRow) -> tuple[str, str, str]:
    return row.assay, row.perturbation, row.readout


@lru_cache(maxsize=1)
def _catalogued() -> dict[str, EvidenceRow]:
    return {row.id: row for row in read_evidence(CATALOGUED)}


@dataclass(frozen=True)
class Judged:
    """A row in one line under one structure, or over the mixture of structures.

    Attributes
    ----------
    role
        ``calibrated`` and ``tuned`` rows made the model what it is; ``test`` rows did not, and
        ``left out`` rows did not inform the draws they were judged in.
    draws
        Parameter sets it was judged in; those without a number have no direction.
    share
        Share of draws with the published direction; of a mixture, the weighted one.
    p_up, p_down
        Shares of draws that go up and down by enough to count.
    p_sign
        Share of draws whose sign is the published one, however small the change.
    measure
        Whether ``median``, ``low`` and ``high`` are of a ratio or of a difference.
    needed
        Share of draws from which a row agrees.
    reason
        Why the row cannot be judged.
    values
        The ratio or difference in each draw, shape (draws,); NaN where there is none.
    """

    row: EvidenceRow
    line: str
    structure: str
    outcome: str
    role: str
    draws: int = 0
    share: float = float("nan")
    p_up: float = float("nan")
    p_down: float = float("nan")
    p_sign: float = float("nan")
    measure: str = "ratio"
    median: float = float("nan")
    low: float = float("nan")
    high: float = float("nan")
    needed: float = 0.8
    reason: str = ""
    values: FloatArray = field(default_factory=lambda: np.empty(0), compare=False, repr=False)


def compared(
    blank: Judged, arm: FloatArray, reference: FloatArray, rule: Mapping[str, float]
) -> Judged:
    """Fill in how a row came out in the draws of one structure.

    Parameters
    ----------
    arm, reference
        The row's readout on its two sides, shape (draws,); NaN where it could not be solved.
    rule
        ``share``, ``change``, ``switch_loss``, ``same_low``, ``same_high``.
    """
    is_whole = ASSAYS[blank.row.assay].units[blank.row.readout] in _WHOLES
    values = arm - reference if is_whole else _ratio(arm, reference)
    if not np.isfinite(values).any():
        return replace(blank, draws=arm.size, values=values, reason="no draw gives a number")
    found = replace(
        blank, draws=arm.size, values=values, measure="difference" if is_whole else "ratio"
    )
    return _told(found, Mixture((values,), (1.0,)), rule)


def _ratio(arm: FloatArray, reference: FloatArray) -> FloatArray:
    """Arm over reference; 1 where neither has anything, very much where only the arm has."""
    with np.errstate(all="ignore"):
        ratio = np.where(reference > 0.0, arm / reference, np.nan)
        from_nothing = (reference == 0.0) & (arm >= 0.0)
        ratio = np.where(from_nothing, np.where(arm > 0.0, _MOST, 1.0), ratio)
        found: FloatArray = np.minimum(ratio, _MOST)
    return found


def _told(blank: Judged, mixture: Mixture, rule: Mapping[str, float]) -> Judged:
    """Shares, interval and outcome of values over one or more structures."""
    if blank.measure == "difference":
        none, most = 0.0, rule["switch_loss"]
        least, same_low, same_high = -most, -most, most
    else:
        none, most, least = 1.0, rule["change"], 1.0 / rule["change"]
        same_low, same_high = rule["same_low"], rule["same_high"]
    up, down = _share(mixture, most, np.inf), _share(mixture, -np.inf, least)
    same = _share(mixture, same_low, same_high)
    above, below = (_share(mixture, *limits) for limits in (
        (np.nextafter(none, np.inf), np.inf), (-np.inf, np.nextafter(none, -np.inf)),
    ))  # fmt: skip
    tail = 0.5 * (1.0 - _LEVEL)
    low, median, high = mixture.quantiles([tail, 0.5, 1.0 - tail])
    direction = blank.row.direction
    share = {"+": up, "-": down, "0": same}[direction]
    holds = low >= same_low and high <= same_high if direction == "0" else share >= rule["share"]
    return replace(
        blank,
        outcome=AGREES if holds else DISAGREES,
        share=share,
        needed=rule["share"],
        p_up=up,
        p_down=down,
        p_sign={"+": above, "-": below, "0": same}[direction],
        median=median,
        low=low,
        high=high,
    )


def _share(mixture: Mixture, least: float, most: float) -> float:
    """Weighted share of all draws within limits; a draw without a number is not."""
    whole = sum(mixture.weights)
    parts = zip(mixture.values, mixture.weights, strict=True)
    within = sum(w * float(((v >= least) & (v <= most)).mean()) for v, w in parts if v.size)
    return within / whole if whole else float("nan")


def mixed(
    group: Sequence[Judged], weights: Mapping[str, float], rule: Mapping[str, float]
) -> Judged:
    """One line of a row over the mixture of structures.

    Parameters
    ----------
    group
        The line under each structure.
    weights
        Weight of each structure, by name; a structure that is not there counts nothing, and one
        that gives no number leaves its weight to the others.
    """
    told = [each for each in group if each.outcome in (AGREES, DISAGREES)]
    used = [each for each in told if weights.get(each.structure, 0.0) > 0.0]
    if not used:
        return replace(group[0], structure="mixture")
    mixture = Mixture(
        tuple(each.values for each in used), tuple(weights[each.structure] for each in used)
    )
    blank = replace(used[0], structure="mixture", draws=sum(each.draws for each in used))
    return _told(replace(blank, values=np.empty(0)), mixture, rule)


@dataclass(frozen=True)
class RowVerdict:
    """What a row comes to.

    Attributes
    ----------
    lines
        Each of its lines over the mixture of structures.
    options
        Each of its lines under each structure, by structure.
    """

    row: EvidenceRow
    role: str
    lines: tuple[Judged, ...]
    options: Mapping[str, tuple[Judged, ...]]

    @cached_property
    def outcome(self) -> str:
        """The mixture in every line; for a row in conflict, one structure in every line."""
        own = outcome_of(self.lines)
        if self.row.use == "conflict" and own == DISAGREES and self.agrees_under:
            return AGREES
        return own

    @cached_property
    def agrees_under(self) -> list[str]:
        """Structures under which the row comes out in every line."""
        return [name for name, lines in self.options.items() if outcome_of(lines) == AGREES]

    @property
    def probability(self) -> float:
        """Share of draws with the published direction, in the line where it is least."""
        return least_share(self.lines)

    def outcome_by(self, of: str) -> str:
        """What the row comes to under one structure alone, or, with ``sign``, the mixture's sign.

        With ``sign`` a change counts however small it is.
        """
        if of != "sign":
            return outcome_of(self.options[of])
        is_told = {AGREES, DISAGREES} >= {each.outcome for each in self.lines}
        if not is_told or self.row.direction == "0" or self.row.use == "conflict":
            return self.outcome
        return AGREES if all(x.p_sign >= x.needed for x in self.lines) else DISAGREES

    @property
    def reason(self) -> str:
        """Which lines fail, and what the model says instead; empty if the row agrees."""
        if self.outcome == AGREES:
            return ""
        failing = [each for each in self.lines if each.outcome != AGREES]
        return "; ".join(dict.fromkeys(map(why, failing)))


def outcome_of(lines: Sequence[Judged]) -> str:
    """What a row comes to over its lines: one that disagrees decides, then one that cannot."""
    found = {each.outcome for each in lines}
    return next((word for word in (DISAGREES, NOT_RUN, CANNOT) if word in found), AGREES)


def least_share(lines: Sequence[Judged]) -> float:
    """Share of draws in the line where it is least; NaN if a line has none."""
    return float(min((each.share for each in lines), key=lambda x: (x == x, x)))


def why(each: Judged) -> str:
    """What a line of a row says instead of the published direction."""
    if each.reason:
        return each.reason
    middle, low, high = (
        f"{x:.3g}".replace("-", "\u2212") for x in (each.median, each.low, each.high)
    )
    numbers = f"{middle} (90 %: {low} to {high})"
    shares = f"up in {100 * each.p_up:.0f} %, down in {100 * each.p_down:.0f} % of draws"
    return f"{each.line}: {each.measure} {numbers}, {shares}"


def verdicts(
    judged: Sequence[Judged], weights: Mapping[str, float], rule: Mapping[str, float]
) -> list[RowVerdict]:
    """Rows in their order, each over its lines and structures."""
    rows: dict[str, list[Judged]] = {}
    for each in judged:
        rows.setdefault(each.row.id, []).append(each)
    return [_verdict(group, weights, rule) for group in rows.values()]


def _verdict(
    group: Sequence[Judged], weights: Mapping[str, float], rule: Mapping[str, float]
) -> RowVerdict:
    names = dict.fromkeys(each.structure for each in group)
    lines = dict.fromkeys(each.line for each in group)
    own = {line: [each for each in group if each.line == line] for line in lines}
    return RowVerdict(
        group[0].row,
        group[0].role,
        tuple(mixed(each, weights, rule) for each in own.values()),
        {name: tuple(x for x in group if x.structure == name) for name in names},
    )
