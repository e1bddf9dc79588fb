"""What the report shows: the tables of a result, in one order of lines and arms.

Every figure and table reads a `View`, so that lines, arms and numbers agree everywhere.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from unmoor.report.names import NETWORK

if TYPE_CHECKING:
    from unmoor.trial.result import Result

KEY_ARMS = 5
"""Arms in colour where all of them would hide each other (time courses)."""
_DIGITS = 4  # of distances between courses; what differs less is drawn as one line


@dataclass(frozen=True)
class Group:
    """One cell line in one assay: a panel of every figure."""

    cell_line: str
    assay: str
    label: str

    def rows(self, table: pd.DataFrame) -> pd.DataFrame:
        """Rows of a table that belong to this group (tables without assays: by cell line)."""
        mask = table["cell_line"] == self.cell_line
        if "assay" in table.columns:
            mask &= table["assay"] == self.assay
        return table[mask]


@dataclass(frozen=True)
class View:
    """A result arranged for reading; built by `View.of`.

    ``groups`` are lines in assays with tumours, ``others`` lines in all other assays.
    """

    study: Any
    seed: int
    groups: tuple[Group, ...]
    others: tuple[Group, ...]
    arms: tuple[str, ...]
    lead: str
    key_arms: tuple[str, ...]
    animals: pd.DataFrame
    followed: pd.DataFrame
    events: pd.DataFrame
    readouts: pd.DataFrame
    joint: pd.DataFrame
    effects: pd.DataFrame
    structures: pd.DataFrame
    uncertainty: pd.DataFrame
    timecourses: pd.DataFrame
    numbers: pd.DataFrame
    n_outcomes: int
    failures: pd.DataFrame
    provenance: Mapping[str, Any]
    citations: tuple[str, ...]
    snapshots: Mapping[Any, Any]

    @property
    def draw_source(self) -> str:
        """What the draws of the study are."""
        if self.is_plausible:
            return "plausible parameter sets (those that agree with the calibration rows)"
        return "parameter sets drawn from the ranges of the catalog"

    @property
    def reference(self) -> str:
        """What draw 0 is."""
        if self.is_plausible:
            return "the reference parameter set"
        return "the nominal parameter values"

    @property
    def is_plausible(self) -> bool:
        """Whether the draws were conditioned on the calibration rows."""
        return bool(self.study.uncertainty.sets == "plausible")

    @property
    def structure(self) -> str:
        """Name of the study's own structure."""
        from unmoor.cell.line import Structure

        model = self.study.model
        return Structure(model.emt_core, model.mechanism, model.e_readout).name

    @classmethod
    def of(cls, result: Result) -> View:
        """Arrange a result: the control first, then the arms in the order of the study file."""
        study = result.study
        outcomes = _table(result, "outcomes")
        effects = _table(result, "effects")
        arms = (study.control, *(arm for arm in study.arms if arm != study.control))
        lead = _lead(study, effects)
        courses = _by_day(_table(result, "timecourses"))
        reference = outcomes[outcomes["draw"] == 0]
        return cls(
            study=study,
            seed=int(result.seed),
            groups=_groups(study, has_tumours=True),
            others=_groups(study, has_tumours=False),
            arms=arms,
            lead=lead,
            key_arms=_key_arms(study, lead, effects, courses),
            animals=reference[reference["status"] == "ok"],
            followed=_table(result, "animals"),
            events=_table(result, "events"),
            readouts=_table(result, "readouts"),
            joint=_table(result, "joint"),
            effects=effects,
            structures=_table(result, "structures"),
            uncertainty=_table(result, "uncertainty"),
            timecourses=courses,
            numbers=_table(result, "numbers"),
            n_outcomes=len(outcomes),
            failures=outcomes[outcomes["status"] != "ok"],
            provenance=dict(result.provenance),
            citations=tuple(str(getattr(each, "key", each)) for each in result.citations),
            snapshots=getattr(result, "snapshots", {}),
        )

    @property
    def control(self) -> str:
        """Name of the control arm."""
        return self.arms[0]

    @property
    def treated(self) -> tuple[str, ...]:
        """Names of the arms that are compared with the control."""
        return self.arms[1:]

    @property
    def footer(self) -> str:
        """Line under every figure: version, seed, animals, draws and structure."""
        software = self.provenance.get("software", {})
        version = software.get("version", "") if isinstance(software, Mapping) else software
        counts = " or ".join(dict.fromkeys(str(assay.animals) for assay in self.animal_assays))
        animals = f"n = {counts} animals an arm · " if counts else ""
        model = self.study.model
        return (
            f"unmoor {version} · seed {self.seed} · {animals}"
            f"{self.study.uncertainty.draws} parameter draws · {model.emt_core}/{model.mechanism}"
        )

    @property
    def animal_assays(self) -> list[Any]:
        """Assays of the study with primary tumours in animals, hence effects and a verdict."""
        return [assay for assay in self.study.assays if assay.has_tumours]

    def settings(self, group: Group) -> Any:
        """The assay of a group, as the study describes it."""
        labels = [each.label for each in self.study.assays]
        return self.study.assays[labels.index(group.assay)] if group.assay in labels else None

    def humane_volume(self, group: Group) -> float:
        """Calliper reading at which an animal is taken out; infinite if there is none [mm³]."""
        return float(getattr(self.settings(group), "humane_volume", math.inf) or math.inf)

    def effect(self, group: Group, arm: str) -> dict[str, Any] | None:
        """Row of the effects table for one arm of one group, if it was computed."""
        return self._rows.get((group.cell_line, group.assay, arm))

    @cached_property
    def _rows(self) -> dict[tuple[str, str, str], dict[str, Any]]:
        records = self.effects.to_dict("records")
        return {
            (str(row["cell_line"]), str(row["assay"]), str(row["arm"])): {
                str(name): value for name, value in row.items()
            }
            for row in records
        }

    @cached_property
    def switch_shares(self) -> dict[tuple[str, str, str, str], float]:
        """P(switch) by cell line, assay, arm and structural option."""
        keys = ["cell_line", "assay", "arm", "structure", "p_switch"]
        if self.structures.empty:
            return {}
        rows = self.structures[keys].to_numpy().tolist()
        return {(line, assay, arm, name): float(p) for line, assay, arm, name, p in rows}

    @cached_property
    def own_ratios(self) -> dict[tuple[str, str, str], tuple[float, float]]:
        """Expected ratios of tumour and spread under draw 0, by cell line, assay and arm."""
        keys = ["cell_line", "assay", "arm"]
        rows = self.animals[[*keys, "tumour_volume_true", "expected_metastases"]]
        with np.errstate(all="ignore"):
            rows = rows.assign(size=np.log(rows["tumour_volume_true"].to_numpy(float)))
            means = rows.groupby(keys, sort=False)[["size", "expected_metastases"]].mean()
            known = {
                (str(line), str(assay), str(arm)): values
                for (line, assay, arm), values in zip(means.index, means.to_numpy(), strict=True)
            }
            missing = np.full(2, np.nan)
            found = {}
            for key, (size, spread) in known.items():
                base = known.get((*key[:2], self.control), missing)
                found[key] = float(np.exp(size - base[0])), float(spread / base[1])
        return found


def targets(items: tuple[Any, ...]) -> frozenset[str]:
    """Drugs and genes that an arm touches, or radiation, whatever the dose and the schedule."""
    names = (getattr(x, "drug", None) or getattr(x, "gene", None) or "radiation" for x in items)
    return frozenset(str(name).lower() for name in names)


def _table(result: Result, name: str) -> pd.DataFrame:
    """Table of a result, held as an attribute or returned by a method."""
    value = getattr(result, name, ())
    table = value() if callable(value) else value
    return pd.DataFrame(table)


def _by_day(courses: pd.DataFrame) -> pd.DataFrame:
    return courses.sort_values("day", kind="stable") if len(courses) else courses


def _groups(study: Any, *, has_tumours: bool) -> tuple[Group, ...]:
    """Lines in assays with tumours, or in the other assays; told apart by assay if need be."""
    own = [assay for assay in study.assays if assay.has_tumours == has_tumours]
    is_plain = len(own if has_tumours else study.assays) == 1
    return tuple(
        Group(line, each.label, line if is_plain else f"{line} · {each.label.replace('_', ' ')}")
        for each in own
        for line in study.cell_lines
    )


def _lead(study: Any, effects: pd.DataFrame) -> str:
    """Arm of the headline: highest P(switch), mean over lines.

    Only arms whose treatment is not built on another arm's are candidates, because the question
    is what a therapy does, and a combination answers how to mend it.
    """
    touched = {arm: targets(items) for arm, items in study.arms.items() if arm != study.control}
    single = [
        arm
        for arm, own in touched.items()
        if own and not any(o and o < own for o in touched.values())
    ]
    candidates = single or list(touched) or [study.control]
    mean = effects.groupby("arm", sort=False)["p_switch"].mean().fillna(0.0)
    return str(max(candidates, key=lambda arm: float(mean.get(arm, 0.0))))


def _key_arms(
    study: Any, lead: str, effects: pd.DataFrame, courses: pd.DataFrame
) -> tuple[str, ...]:
    """Control, the arm of the headline, and the arms that contain its treatment.

    Of these, the one with the least spread comes first: it is the best mend on offer. Without
    effects there is no headline; then the arms whose courses lie furthest from the control.
    """
    if effects.empty:
        far = _distances(courses, study.control)
        arms = sorted(
            (arm for arm in study.arms if arm != study.control),
            key=lambda arm: -far.get(arm, 0.0),  # equal ones stay in the order of the study
        )
        return (study.control, *arms)[:KEY_ARMS]
    own = targets(study.arms[lead])
    rest = [arm for arm in study.arms if arm not in (study.control, lead)]
    family = [arm for arm in rest if own and own <= targets(study.arms[arm])]
    spread = effects.groupby("arm", sort=False)["spread_ratio"].mean().fillna(math.inf)
    mend = min(family, key=lambda arm: float(spread.get(arm, math.inf)), default="")
    family.sort(key=lambda arm: arm != mend)
    if len(family) < 2:
        family += [arm for arm in rest if arm not in family]
    return tuple(dict.fromkeys((study.control, lead, *family)))[:KEY_ARMS]


def _distances(courses: pd.DataFrame, control: str) -> dict[str, float]:
    """How far the network of each arm is from the control's, as a share of their sum [-].

    The greatest mean over lines and days of any quantity, because a treatment that changes one
    quantity wholly matters more than one that changes all a little.
    """
    if courses.empty:
        return {}
    rows = courses[courses["quantity"].isin(list(NETWORK))]
    keys = [name for name in ("cell_line", "assay", "quantity", "day") if name in rows.columns]
    own = rows[rows["arm"] == control][[*keys, "median"]]
    both = rows.merge(own, on=keys, suffixes=("", "_control"))
    sizes = (both["median"].abs() + both["median_control"].abs()).clip(lower=1e-12)
    both["far"] = ((both["median"] - both["median_control"]).abs() / sizes).round(_DIGITS)
    means = both.groupby(["arm", "quantity"], sort=False)["far"].mean()
    return {str(arm): float(value) for arm, value in means.groupby("arm").max().items()}
