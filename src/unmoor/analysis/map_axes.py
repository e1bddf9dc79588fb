"""Axes of a harm map: what can be varied, over which range, and how far evidence reaches.

An axis changes the line – a parameter, a molecular level, the coupling – or the arm: how much of
β1 integrin is blocked, the dose of a drug, the day on which it starts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from unmoor import catalog
from unmoor.analysis.map_evidence import (
    Reach,
    degrees_studied,
    doses_studied,
    starts_studied,
    with_evidence,
)
from unmoor.catalog.contracts import LEVELS
from unmoor.cell.line import Structure
from unmoor.elementwise import FloatArray
from unmoor.errors import Problem, StudyError, literal, nearest
from unmoor.therapy.drug import Drug
from unmoor.therapy.regimen import Edit, Regimen
from unmoor.trial.study import Arm, Study
from unmoor.trial.tumour_assay import tumour_assay

Kind = Literal["parameter", "level", "coupling", "occupancy", "dose", "start"]
STEPS = 9
MOST_STEPS = 41
_PARAMETERS: Mapping[str, tuple[str, str]] = {
    "tone": ("standing TGFβ of the surroundings", "units of the autocrine T"),
    "e_present": ("E-cadherin there is to lose", "share of the epithelial maximum"),
    "f": ("competence of TGFβ signalling", "–"),
    "beta1_tot": ("β1 integrin relative to MCF10A", "–"),
    "c0": ("β3 integrin of the untreated line", "–"),
}
_STEPS_OF_F = 20.0  # without any competence a cell has no response to be relative to
_LOG_FROM = 10.0  # ratio of the ends from which a positive axis is logarithmic
_FULL = 0.99  # of β1 integrin that can be blocked at most: none left is no blockade but a deletion


@dataclass(frozen=True)
class Axis:
    """One axis of a map.

    Attributes
    ----------
    name
        As it is asked for: ``tone``, ``SMAD4``, ``occupancy``, ``dose:DRUG`` …
    kind
        What it changes.
    key
        Parameter, level or drug.
    values
        Where cells of the map are computed, shape (steps,).
    is_log
        Whether they are evenly spaced on a logarithmic scale.
    label, unit
        For the figure.
    evidence
        Intervals within which something was measured or calibrated; empty if nothing was.
    basis
        What that was, in words.
    """

    name: str
    kind: Kind
    key: str
    values: FloatArray
    is_log: bool
    label: str
    unit: str
    evidence: Reach
    basis: str
    beside: Path | None = field(default=None, repr=False)

    @property
    def changes_arm(self) -> bool:
        """Whether it varies a treatment rather than the line."""
        return self.kind in ("occupancy", "dose", "start")

    @property
    def has_evidence(self) -> npt.NDArray[np.bool_]:
        """Which of the values something was measured or calibrated at, shape (steps,)."""
        return with_evidence(self.values, self.evidence)

    def applied(self, arm: Arm, value: float) -> Arm:
        """The arm with this axis at a value."""
        return tuple(each for item in arm for each in self._applied(item, value))

    def _applied(self, item: Any, value: float) -> tuple[Any, ...]:
        if self.kind == "occupancy" and _blocks_beta1(item, self.beside):
            if value <= 0.0:
                return ()
            times: dict[str, Any] = {"start": _start(item), "stop": item.stop}
            return (Edit("ITGB1", change="knock_down", factor=1.0 - value, **times),)
        if isinstance(item, Regimen) and item.drug == self.key:
            kept: dict[str, Any] = {name: getattr(item, name) for name in _REGIMEN}
            return (Regimen(**{**kept, self.kind: value}),)
        return (item,)


_REGIMEN = ("drug", "dose", "concentration", "every", "start", "stop", "route")


def read_axis(text: str, study: Study, arm: Arm, structure: Structure) -> Axis:
    """Read an axis such as ``tone``, ``SMAD4=-6:1``, ``dose:galunisertib=0:100:12``.

    Parameters
    ----------
    text
        Name, then the ends and the number of steps if wanted.
    arm
        Arm that is mapped.

    Raises
    ------
    StudyError
        If there is no such axis, the arm holds nothing that it could vary, or its ends are wrong.
    """
    name, _, range_ = text.partition("=")
    name = name.strip()
    known = _known(study, arm, structure)
    if name not in known:
        close = nearest(name, known, likeness=0.3)
        fix = f"did you mean {', '.join(close)}?" if close else ""
        expected = "one of " + ", ".join(known)
        raise StudyError(Problem("", "axis", literal(name), expected, fix, "E-NAME"))
    kind, key, low, high, label, unit, evidence, basis = known[name]()
    low, high, steps = _ends(name, range_, low, high)
    bounds = _LIMITS.get(kind, (-np.inf, np.inf))
    if kind == "parameter":
        bounds = (0.0, 1.0 if key == "e_present" else np.inf)
    if kind == "start":
        bounds = (0.0, _duration(study))
    if not (np.isfinite([low, high]).all() and bounds[0] <= low < high <= bounds[1]):
        got = f"{low:g} to {high:g}"
        expected = f"two ends that rise, within {bounds[0]:g} to {bounds[1]:g}"
        raise StudyError(Problem("", f"axis {name}", got, expected, "", "E-RANGE"))
    is_log = kind in ("parameter", "coupling", "dose") and low > 0.0 and high / low >= _LOG_FROM
    values = np.geomspace(low, high, steps) if is_log else np.linspace(low, high, steps)
    return Axis(name, kind, key, values, is_log, label, unit, evidence, basis, study.beside)


_LIMITS: Mapping[str, tuple[float, float]] = {
    "occupancy": (0.0, _FULL), "dose": (0.0, 1000.0), "coupling": (0.0, np.inf),
}  # fmt: skip
_Found = tuple[Kind, str, float, float, str, str, Reach, str]


def _ends(name: str, text: str, low: float, high: float) -> tuple[float, float, int]:
    """Ends and steps from ``LOW:HIGH[:STEPS]``."""
    if not text.strip():
        return low, high, STEPS
    parts = text.split(":")
    try:
        numbers = [float(part) for part in parts[:2]]
        steps = int(parts[2]) if len(parts) > 2 else STEPS
        if len(parts) not in (2, 3) or not 3 <= steps <= MOST_STEPS:
            raise ValueError
    except ValueError:
        expected = f"LOW:HIGH or LOW:HIGH:STEPS, with 3-{MOST_STEPS} steps"
        fix = f"write {name}=0:1:9"
        problem = Problem("", f"axis {name}", literal(text), expected, fix, "E-USAGE")
        raise StudyError(problem) from None
    return numbers[0], numbers[1], steps


def _known(study: Study, arm: Arm, structure: Structure) -> dict[str, Callable[[], _Found]]:
    """All axes by name; each is worked out when it is asked for."""
    found: dict[str, Callable[[], _Found]] = {}
    for name in _PARAMETERS:
        found[name] = partial(_parameter, name, study)
    for level in LEVELS:
        found[level.removeprefix("L_")] = partial(_level, level, study)
    found["k_int"] = partial(_coupling, study, structure)
    if any(_blocks_beta1(item, study.beside) for item in arm):
        found["occupancy"] = _occupancy
    for item in arm:
        if isinstance(item, Regimen) and item.dose is not None:
            found[f"dose:{item.drug}"] = partial(_dose, item, study)
            found[f"start:{item.drug}"] = partial(_begin, item, study)
    return found


def _occupancy() -> _Found:
    basis = "degrees that findings of the catalog took away; none between them was tried"
    reach = degrees_studied()
    return "occupancy", "ITGB1", 0.0, _FULL, "β1 integrin blocked", "share", reach, basis


def _parameter(name: str, study: Study) -> _Found:
    rule = catalog.table("closures", "line_rule", study.beside).values_by_id()
    reach = catalog.table("closures", "expression", study.beside).values_by_id()
    low, high = {
        "tone": (rule["tone_low"], rule["tone_high"]),
        "e_present": (0.0, 1.0),
        "f": (rule["f_max"] / _STEPS_OF_F, rule["f_max"]),
        "beta1_tot": (2.0 ** reach["panel_low_ITGB1"], 2.0 ** reach["panel_high_ITGB1"]),
        "c0": (rule["c0_low"], rule["c0_high"]),
    }[name]
    label, unit = _PARAMETERS[name]
    if name == "tone":
        basis = "the range is the prior of the line rule; no line's was measured"
        return "parameter", name, low, high, label, unit, (), basis
    basis = "what the line rule makes of the levels of the panel"
    return "parameter", name, low, high, label, unit, ((low, high),), basis


def _level(level: str, study: Study) -> _Found:
    reach = catalog.table("closures", "expression", study.beside).values_by_id()
    called = LEVELS[level]
    low, high = reach[f"panel_low_{called}"], reach[f"panel_high_{called}"]
    name = f"{level.removeprefix('L_')}, level relative to MCF10A" if "L_" in level else level
    return "level", level, low, high, name, "log2", ((low, high),), "the panel"


def _coupling(study: Study, structure: Structure) -> _Found:
    prior = catalog.table("closures", "line_rule", study.beside)["k_int"]
    fitted = catalog.table("closures", "k_int", study.beside)
    name = structure.name.replace("/", "_")
    is_fitted = name in fitted
    reach = ((fitted[name].low, fitted[name].high),) if is_fitted else ()
    basis = "the calibration" if is_fitted else "not calibrated under this structure"
    label = "TGFβ released by complete loss of β1, k_int"
    return "coupling", "k_int", prior.low, prior.high, label, prior.unit, reach, basis


def _dose(item: Regimen, study: Study) -> _Found:
    reach = doses_studied(item.drug, study.beside)
    known = max((high for _, high in reach), default=0.0)
    assert item.dose is not None
    label = f"dose of {item.drug.replace('_', ' ')}"
    high = min(max(2.0 * item.dose, 2.0 * known), _most(item.drug, study))
    basis = "the dose behind its findings" if known else "no dose of it is among the findings"
    return "dose", item.drug, 0.0, high, label, "mg/kg", reach, basis


def _most(drug: str, study: Study) -> float:
    return float(catalog.about("drugs", drug, study.beside).get("max_dose", _LIMITS["dose"][1]))


def _begin(item: Regimen, study: Study) -> _Found:
    last = _duration(study)
    stop = last if item.stop is None else min(item.stop, last)
    label = f"first day of {item.drug.replace('_', ' ')}"
    high = max(stop - 1.0, 0.5 * stop)
    reach = starts_studied(item.drug)
    basis = "days on which its findings began" if reach else "no finding has it"
    return "start", item.drug, 0.0, high, label, "d", reach, basis


def _duration(study: Study) -> float:
    return float(tumour_assay(study).duration)


def _blocks_beta1(item: Any, beside: Path | None) -> bool:
    if isinstance(item, Edit):
        return item.gene in ("ITGB1", "CD29") and item.change == "knock_down"
    return isinstance(item, Regimen) and Drug.load(item.drug, beside).target == "itgb1"


def _start(item: Any) -> float | None:
    """Edits that name no start are there from before inoculation; a drug never is."""
    return item.start if isinstance(item, Edit) else float(item.start)
