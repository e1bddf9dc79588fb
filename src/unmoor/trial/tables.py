"""From the arrays of all chunks to the tables of a result."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from unmoor.catalog import table
from unmoor.signalling.batch import FAILURES
from unmoor.trial.animals import ANIMAL_COLUMNS, EVENT_COLUMNS, follow, join
from unmoor.trial.chunks import Arrays, plan, structures
from unmoor.trial.columns import DRAW_COLUMNS, EFFECT_COLUMNS, OUTCOME_COLUMNS
from unmoor.trial.effects import (
    Ratios,
    draw_interval,
    expected_ratios,
    monte_carlo_error,
    study_interval,
)
from unmoor.trial.joint import JOINT_COLUMNS, joint_table
from unmoor.trial.readouts import READOUT_COLUMNS, readout_table
from unmoor.trial.study import Study
from unmoor.trial.verdict import Interval, judge

_STATUS = {0: "ok", **FAILURES, 3: "an outcome is not a finite number"}
_QUANTILES = {"low": 0.05, "q25": 0.25, "median": 0.5, "q75": 0.75, "high": 0.95}
_BRANCHES = np.array(["epithelial", "partial", "mesenchymal"])


@dataclass(frozen=True)
class Tables:
    """Tables of a result; columns as described in the reference."""

    outcomes: pd.DataFrame
    effects: pd.DataFrame
    draws: pd.DataFrame
    structures: pd.DataFrame
    timecourses: pd.DataFrame
    animals: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=ANIMAL_COLUMNS))
    events: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=EVENT_COLUMNS))
    readouts: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=READOUT_COLUMNS))
    joint: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=JOINT_COLUMNS))


@dataclass(frozen=True)
class _Group:
    """All draws of one line in one assay under one structure, in the order of their numbers."""

    assay: int
    cell_line: str
    structure: str
    is_rival: bool
    reference: Arrays | None
    draws: Arrays | None


def build(study: Study, done: Mapping[str, Arrays]) -> Tables:
    """Tables from the arrays of all chunks by key; assays without tumours have no effects."""
    groups = list(_groups(study, done))
    own = [group for group in groups if not group.is_rival]
    tumours = [group for group in groups if study.assays[group.assay].has_tumours]
    effective = [group for group in tumours if not group.is_rival]
    draws = _joined([_draw_rows(study, group) for group in tumours], DRAW_COLUMNS)
    followed = join([follow(study, g.assay, g.cell_line, g.reference) for g in effective])
    return Tables(
        outcomes=_joined([_outcome_rows(study, group) for group in effective], OUTCOME_COLUMNS),
        effects=_effects([row for group in effective for row in _effect_rows(study, group)]),
        draws=draws,
        structures=_structure_rows(study, draws),
        timecourses=pd.concat([_course_rows(study, group) for group in own], ignore_index=True),
        animals=followed.animals,
        events=followed.events,
        readouts=pd.concat([_readout_rows(study, group) for group in own], ignore_index=True),
        joint=_joined([_joint_rows(study, group) for group in own], JOINT_COLUMNS),
    )


def _joined(frames: Sequence[pd.DataFrame], columns: Sequence[str]) -> pd.DataFrame:
    """All rows; without any, a table that has its columns all the same."""
    filled = [frame for frame in frames if len(frame)]
    return pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=list(columns))


def _effects(rows: Sequence[Mapping[str, object]]) -> pd.DataFrame:
    return pd.DataFrame(rows) if rows else pd.DataFrame(columns=list(EFFECT_COLUMNS))


def _joint_rows(study: Study, group: _Group) -> pd.DataFrame:
    if group.draws is None:
        return pd.DataFrame(columns=list(JOINT_COLUMNS))
    return joint_table(study, group.assay, group.cell_line, group.draws)


def _readout_rows(study: Study, group: _Group) -> pd.DataFrame:
    parts: list[Mapping[str, Any]] = [*_parts(group)]
    has_draws = group.draws is not None
    return readout_table(study, group.assay, group.cell_line, parts, has_draws=has_draws)


def _groups(study: Study, done: Mapping[str, Arrays]) -> Iterator[_Group]:
    chunks = plan(study)
    for i, structure in enumerate(structures(study)):
        for assay in range(len(study.assays)):
            for line in study.cell_lines:
                own = [
                    chunk
                    for chunk in chunks
                    if (chunk.assay, chunk.cell_line, chunk.structure) == (assay, line, structure)
                ]
                blocks = [done[chunk.key] for chunk in own if chunk.first > 0]
                reference = [done[chunk.key] for chunk in own if chunk.first == 0]
                if not own:
                    continue
                yield _Group(
                    assay,
                    line,
                    structure.name,
                    i > 0,
                    reference[0] if reference else None,
                    _join(blocks) if blocks else None,
                )


def _join(blocks: Sequence[Arrays]) -> Arrays:
    joined = {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}
    joined |= {name: blocks[0][name] for name in ("times", "days")}
    return joined


def _arms(study: Study) -> list[str]:
    return list(study.arms)


def _parts(group: _Group) -> list[Arrays]:
    return [part for part in (group.reference, group.draws) if part is not None]


def _outcome_rows(study: Study, group: _Group) -> pd.DataFrame:
    frames = [_outcomes(study, group, part) for part in _parts(group)]
    return pd.concat(frames, ignore_index=True)


def _outcomes(study: Study, group: _Group, arrays: Arrays) -> pd.DataFrame:
    """One row an arm × draw × animal; of the reference set the study's own number of animals."""
    animals = study.assays[group.assay].animals
    n_draws, n_arms = arrays["status"].shape
    arm, draw, animal = np.meshgrid(
        np.arange(n_arms), np.arange(n_draws), np.arange(animals), indexing="ij"
    )

    def each(name: str) -> npt.NDArray[np.generic]:
        values: npt.NDArray[np.generic] = arrays[name][draw, arm, animal].ravel()
        return values

    status = arrays["status"][draw, arm].ravel()
    frame = pd.DataFrame(
        {
            "cell_line": group.cell_line,
            "assay": study.assays[group.assay].label,
            "arm": np.array(_arms(study), dtype=object)[arm.ravel()],
            "draw": arrays["draw"][draw.ravel()],
            "animal": animal.ravel() + 1,
            "status": np.array([_STATUS[i] for i in range(len(_STATUS))], dtype=object)[status],
            "tumour_volume": each("reading"),
            "tumour_volume_true": each("volume"),
            "lung_metastases": each("count"),
            "expected_metastases": each("expected_metastases"),
            "ctc_singles": each("singles"),
            "ctc_clusters": each("clusters"),
        }
    )
    outcomes = ["tumour_volume", "tumour_volume_true", "expected_metastases"]
    frame.loc[status != 0, [*outcomes, "ctc_singles", "ctc_clusters"]] = np.nan
    return frame


def _effect_rows(study: Study, group: _Group) -> Iterator[dict[str, object]]:
    control = _arms(study).index(study.control)
    for arm, name in enumerate(_arms(study)):
        if arm == control:
            continue
        arrays = group.draws if group.draws is not None else group.reference
        assert arrays is not None  # a study has the reference set or draws
        ratios = expected_ratios(arrays, arm, control)
        yield {
            "cell_line": group.cell_line,
            "arm": name,
            "assay": study.assays[group.assay].label,
            **_effect(study, group, ratios, arm, control),
            "n_draws": 0 if group.draws is None else int(np.isfinite(ratios.tumour).sum()),
            "n_failed": int(sum((part["status"][:, arm] != 0).sum() for part in _parts(group))),
        }


def _effect(
    study: Study, group: _Group, ratios: Ratios, arm: int, control: int
) -> dict[str, object]:
    level, margins = study.verdict.interval, study.verdict
    seen = {"tumour": (np.nan, np.nan), "spread": (np.nan, np.nan)}
    if group.reference is not None and not group.reference["status"][0, [arm, control]].any():
        animals = study.assays[group.assay].animals
        name = _arms(study)[arm]
        seen = study_interval(group.reference, arm, control, animals, level, study.seed, name)
    row: dict[str, object] = {}
    limits = {}
    has_draws = group.draws is not None
    for name, values in (("tumour", ratios.tumour), ("spread", ratios.spread)):
        middle, low, high = draw_interval(values, level)
        limits[name] = Interval(low, high) if has_draws else Interval(np.nan, np.nan)
        row |= {f"{name}_ratio": middle}
        row |= {f"{name}_low": limits[name].low, f"{name}_high": limits[name].high}
        row |= {f"{name}_study_low": seen[name][0], f"{name}_study_high": seen[name][1]}
        row |= {f"{name}_mc": monte_carlo_error(values, study.seed) if has_draws else np.nan}
    for name, values in (("paradox", ratios.paradox), ("e_loss", ratios.e_loss)):
        middle, low, high = draw_interval(values, level)
        row |= {"paradox_index" if name == "paradox" else name: middle}
        row |= {f"{name}_low": low if has_draws else np.nan}
        row |= {f"{name}_high": high if has_draws else np.nan}
    row["release_fold"] = draw_interval(ratios.paradox / ratios.exposure, level)[0]
    row["exposure_ratio"] = draw_interval(ratios.exposure, level)[0]
    shares = _shares(study, ratios)
    row |= shares if has_draws else dict.fromkeys(shares, float("nan"))
    row["verdict"] = judge(limits["tumour"], limits["spread"], margins.smaller, margins.spread)
    return row


def _shares(study: Study, ratios: Ratios) -> dict[str, float]:
    """Shares of the solved draws in which the tumour is smaller, spreads more, and both."""
    switch_loss = table("closures", "line_rule", study.beside)["switch_loss"].value
    solved = np.isfinite(ratios.tumour) & np.isfinite(ratios.spread)
    if not solved.any():
        return dict.fromkeys(("p_smaller", "p_more", "p_switch", "p_emt"), float("nan"))
    smaller = ratios.tumour[solved] < study.verdict.smaller
    more = ratios.spread[solved] > study.verdict.spread
    return {
        "p_smaller": float(smaller.mean()),
        "p_more": float(more.mean()),
        "p_switch": float((smaller & more).mean()),
        "p_emt": float((ratios.e_loss[solved] >= switch_loss).mean()),
    }


def _draw_rows(study: Study, group: _Group) -> pd.DataFrame:
    """One row an arm × draw with the expected ratios and the line's parameters."""
    arrays, control = group.draws, _arms(study).index(study.control)
    if arrays is None:
        return pd.DataFrame()
    frames = []
    for arm, name in enumerate(_arms(study)):
        if arm == control:
            continue
        ratios = expected_ratios(arrays, arm, control)
        frames.append(
            pd.DataFrame(
                {
                    "structure": group.structure,
                    "cell_line": group.cell_line,
                    "assay": study.assays[group.assay].label,
                    "arm": name,
                    "draw": arrays["draw"],
                    "status": [_STATUS[int(i)] for i in arrays["status"][:, arm]],
                    "tumour_ratio": ratios.tumour,
                    "spread_ratio": ratios.spread,
                    "paradox_index": ratios.paradox,
                    "e_loss": ratios.e_loss,
                    **{
                        x: arrays[x] for x in ("k_int", "f", "beta1_tot", "e_present", "tone", "c0")
                    },
                    "branch": _BRANCHES[arrays["branch"]],
                    "holds_branch": arrays["holds_branch"],
                }
            )
        )
    return _joined(frames, DRAW_COLUMNS)  # none of a study that has only its control


def _structure_rows(study: Study, draws: pd.DataFrame) -> pd.DataFrame:
    """Shares of the draws with a switch, for each structural option."""
    columns = ["structure", "cell_line", "assay", "arm"]
    rows: list[dict[str, object]] = []
    for key, part in draws.groupby(columns, sort=False) if len(draws) else ():
        values = [part[x].to_numpy() for x in ("tumour_ratio", "spread_ratio", "e_loss")]
        empty = np.full(len(part), np.nan)
        ratios = Ratios(values[0], values[1], empty, empty, values[2])
        rows.append(
            {
                **dict(zip(columns, map(str, key), strict=True)),
                **_shares(study, ratios),
                "tumour_ratio": draw_interval(values[0], 0.9)[0],
                "spread_ratio": draw_interval(values[1], 0.9)[0],
                "n_draws": int(np.isfinite(values[0]).sum()),
            }
        )
    names = [*columns, "p_smaller", "p_more", "p_switch", "p_emt"]
    return pd.DataFrame(rows, columns=[*names, "tumour_ratio", "spread_ratio", "n_draws"])


def _course_rows(study: Study, group: _Group) -> pd.DataFrame:
    """Quantiles of every course over the draws, or the reference set alone."""
    arrays = group.draws if group.draws is not None else group.reference
    assert arrays is not None  # a study has the reference set or draws
    days, frames = arrays["times"], []
    quantities = study.assays[group.assay].courses
    units = [study.assays[group.assay].units[name] for name in quantities]
    for arm, name in enumerate(_arms(study)):
        solved = arrays["courses"][arrays["status"][:, arm] == 0, arm].astype(float)
        if not len(solved):
            continue
        # draws side by side in memory: several times faster to sort
        courses = np.ascontiguousarray(solved.transpose(1, 2, 0))
        levels = np.quantile(courses, list(_QUANTILES.values()), axis=-1)
        frames.append(
            pd.DataFrame(
                {
                    "cell_line": group.cell_line,
                    "assay": study.assays[group.assay].label,
                    "arm": name,
                    "day": np.tile(days, len(quantities)),
                    "quantity": np.repeat(np.array(quantities, dtype=object), days.size),
                    "unit": np.repeat(np.array(units, object), days.size),
                    **{column: levels[i].ravel() for i, column in enumerate(_QUANTILES)},
                }
            )
        )
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()
