"""From molecular levels to the parameters of a line: one rule for all lines.

Levels are relative to MCF10A. No line, subtype or lineage marker is named here, so renaming a
line changes nothing. Equations and choices: docs/explanation/cell.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

Branch = Literal["epithelial", "partial", "mesenchymal"]
Normal = Callable[[str], float]
Uniform = Callable[[str], float]


@dataclass(frozen=True)
class LineParameters:
    """What sets one cell line apart, for one draw.

    Attributes
    ----------
    beta1_tot
        β1 integrin relative to MCF10A [-].
    f
        Receptor and SMAD4 competence, 0 … 1.3 [-].
    e_present
        E-cadherin that the line makes in the epithelial state, 0 … 1 [-].
    branch
        State in which the untreated line lives.
    tone
        Standing TGFβ of the surroundings, in units of the autocrine T.
    c0
        β3 integrin of the untreated line [-].
    prime_f, prime_tone
        Competence and tone that first bring a cell onto the branch.
    holds_branch
        Whether the drawn numbers let the untreated line keep its branch.
    """

    beta1_tot: float
    f: float
    e_present: float
    branch: Branch
    tone: float
    c0: float
    is_malignant: bool
    prime_f: float
    prime_tone: float
    holds_branch: bool


def derive(
    levels: Mapping[str, float],
    rule: Mapping[str, float],
    core: Mapping[str, float],
    *,
    is_malignant: bool,
    normal: Normal,
    uniform: Uniform,
    fixed: Mapping[str, float] | None = None,
) -> LineParameters:
    """Apply the rule to the levels of a line, once.

    Parameters
    ----------
    levels
        ``L_…`` log2 relative to MCF10A, ``e_score``, ``emt_score``, ``vim``, and ``sd_…`` of each.
    rule
        Constants of the rule (``closures/line_rule``), drawn or nominal.
    core
        Table of the EMT core: ranges of tone that each branch survives.
    normal, uniform
        Random numbers by name; zero and one half give nominal values.
    fixed
        Parameters set in silico instead of by the rule: ``beta1_tot``, ``f``, ``e_present``,
        ``tone``, ``c0``. What follows from them follows as ever.
    """
    given = dict(fixed or {})

    def level(name: str) -> float:
        return levels[name] + levels.get(f"sd_{name}", 0.0) * normal(name)

    f = given.get("f", _competence(level("L_TGFBR2"), level("L_SMAD4"), rule))
    e_present = min(1.0, 2.0 ** level("e_score"))
    branch = _branch(level("emt_score"), level("vim"), e_present, f, rule, core)
    if branch == "partial":  # its measured E-cadherin is that of the partial state already
        e_present = min(1.0, e_present / core["e_of_partial"])
    e_present = given.get("e_present", e_present)
    low, high = _tone_range(branch, f, rule, core)
    tone = low * (high / low) ** uniform("tone") if high > low else low
    if branch == "mesenchymal" and "tone_M" in core:
        tone = core["tone_M"]
    tone = given.get("tone", tone)
    prime_f, prime_tone = _prime(branch, f, tone, rule, core)
    c0 = rule["c0_reference"] * 2.0 ** level("L_ITGB3")
    return LineParameters(
        beta1_tot=given.get("beta1_tot", 2.0 ** level("L_ITGB1")),
        f=f,
        e_present=e_present,
        branch=branch,
        tone=tone,
        c0=given.get("c0", min(max(c0, rule["c0_low"]), rule["c0_high"])),
        is_malignant=is_malignant,
        prime_f=prime_f,
        prime_tone=prime_tone,
        holds_branch=high > low and ("tone" not in given or low <= tone <= high),
    )


def _competence(tgfbr2: float, smad4: float, rule: Mapping[str, float]) -> float:
    """Saturating in the receptor and in SMAD4; a share survives without SMAD4."""
    x = 2.0**tgfbr2
    y = 2.0**smad4 if smad4 >= rule["rna_floor"] else 0.0
    receptor = x * (1.0 + rule["K2"]) / (x + rule["K2"])
    smad = max(rule["lambda"], y * (1.0 + rule["K4"]) / (y + rule["K4"]))
    return float(min(receptor * smad, rule["f_max"]))


def _branch(
    emt_score: float,
    vim: float,
    e_present: float,
    f: float,
    rule: Mapping[str, float],
    core: Mapping[str, float],
) -> Branch:
    if emt_score < rule["X_threshold"]:
        return "mesenchymal"
    low, high = _tone_range("partial", f, rule, core)
    if vim > rule["vim_threshold"] and e_present < rule["e_partial"] and high > low:
        return "partial"
    return "epithelial"


def _tone_range(
    branch: Branch, f: float, rule: Mapping[str, float], core: Mapping[str, float]
) -> tuple[float, float]:
    """Range of the tone that keeps an untreated line on its branch."""
    low, high = rule["tone_low"], rule["tone_high"]
    if branch == "epithelial":
        high = min(high, core["tone_E_high"] / f - core["tone_E_offset"]) if f > 0 else high
    elif branch == "partial":
        if f <= 0:
            return low, low
        low = max(low, core["tone_partial_low"] / f - core["tone_partial_low_offset"])
        high = min(high, core["tone_partial_high"] / f - core["tone_partial_high_offset"])
    return low, high


def _prime(
    branch: Branch, f: float, tone: float, rule: Mapping[str, float], core: Mapping[str, float]
) -> tuple[float, float]:
    """Competence and tone under which an epithelial cell moves to the branch."""
    if branch == "mesenchymal":
        return 1.0, rule["tone_high"]
    if branch == "partial":
        # between losing the epithelial state and losing the partial one
        drive = (core["tone_E_high"] * core["tone_partial_high"]) ** 0.5
        return f, drive / f - core["tone_E_offset"]
    return f, tone
