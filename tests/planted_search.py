"""The search of a study, asked of problems with a known best treatment instead of the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import unmoor as um
from planted_problems import LIMIT, QUANTILE, PlantedProblem, regret
from unmoor.analysis.search import explore
from unmoor.analysis.search_space import Space, space_of
from unmoor.trial.study import Study

_DECADES = 100.0  # below the highest over this the scale is even
ARM = "block + prevent"
DRUGS = ("anti_itgb1", "tgfbr1_inhibitor", "p38_inhibitor")
FIELDS = {
    "anti_itgb1.dose": ("0 mg/kg", "20 mg/kg"),
    "tgfbr1_inhibitor.dose": ("0 mg/kg", "60 mg/kg"),
    "tgfbr1_inhibitor.start": ("0 d", "14 d"),
    "p38_inhibitor.dose": ("0 mg/kg", "100 mg/kg"),
}


def study(**search: Any) -> Study:
    """A small study with three drugs in one arm; ``search`` is its table, by short keys."""
    vary = {f"{ARM}.{key}": values for key, values in search.pop("vary", FIELDS).items()}
    items = [um.Regimen(drug, dose=10.0, every="1 d", start="0 d") for drug in DRUGS]
    return Study(
        cell_lines=["4T1"],
        assay=um.OrthotopicXenograft(
            host={"default": "balbc"}, inoculum="1e6 cells", duration="14 d", animals=2, clones=4
        ),
        arms={"vehicle": [], ARM: items},
        control="vehicle",
        seed=7,
        uncertainty={"draws": 20, "rivals": False},
        search={"vary": vary, **search},
    )


@dataclass
class Known:
    """Ratios of arms whose doses are the axes of a planted problem."""

    tumour: Any
    spread: Any


def _logarithmic(share: float) -> float:
    """A dose relative to the highest on a scale of its logarithm, 0 at 0 and 1 at the highest."""
    return float(np.log1p(_DECADES * share) / np.log1p(_DECADES))


def evaluator(problem: PlantedProblem, space: Space, asked: list[Any]) -> Any:
    """Reads doses and start days off the treatments, as the model would; keeps what was asked."""
    largest = [levels[-1] for levels in space.levels]

    def evaluate(arms: Mapping[str, Sequence[Any]]) -> Known:
        rows = []
        for items in arms.values():
            asked.append(items)
            given = {item.drug: item for item in items}
            values = []
            for varied, most in zip(space.varied, largest, strict=True):
                item = given.get(varied.of)
                value = getattr(item, varied.field.name) if item else 0.0
                is_log = problem.is_logarithmic and varied.field.name == "dose"
                values.append(_logarithmic(value / most) if is_log else value / most)
            rows.append(values)
        tumour, spread = problem.ratios(np.array(rows))
        return Known(tumour[None, None], spread[None, None])

    return evaluate


def planted_search(problem: PlantedProblem, seed: int) -> tuple[float, list[Any], Space]:
    """Regret of the search on a problem, everything it tried, and its space."""
    keys = list(FIELDS)[: problem.n_axes]
    whole = study(
        vary={key: FIELDS[key] for key in keys},
        minimise=["lung_metastases"],
        subject_to=[f"tumour_volume <= {LIMIT} * control"],
        quantile=QUANTILE,
    )
    space, asked = space_of(whole), list[Any]()
    assert whole.search is not None
    tried = explore(space, whole.search, evaluator(problem, space, asked), seed=seed)
    allowed = [each.outcomes["lung_metastases"] for each in tried if each.is_allowed]
    return regret(problem.best, min(allowed)), asked, space
