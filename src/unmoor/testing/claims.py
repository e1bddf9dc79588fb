"""What the standard tests share: a claim that is kept under ``python -O``, and small studies."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from unmoor.trial.study import Study

NEUTRAL_LINE = "4T1"  # a mouse line that grows in every host of the catalog
DRAWS = 4


def claim(holds: object, reason: str) -> None:
    """Raise an ``AssertionError`` unless something holds."""
    if not holds:
        raise AssertionError(reason)


def same(one: Any, other: Any) -> bool:
    """Whether two arrays have the same shape and bits; NaN equals itself."""
    first, second = np.asarray(one), np.asarray(other)
    return first.shape == second.shape and first.tobytes() == second.tobytes()


def folder(beside: str | Path | None) -> Path | None:
    """Folder of a study, absolute."""
    return None if beside is None else Path(beside).resolve()


def small_study(
    cell_line: str,
    arms: Mapping[str, Any],
    *,
    host: str = "nsg",
    beside: Path | None = None,
    duration: str = "14 d",
    draws: int = DRAWS,
) -> Study:
    """A study of one line that runs in a moment; the first arm is the control."""
    from unmoor.trial.study import Study

    assay = {"name": "orthotopic_xenograft", "host": host, "inoculum": "1e6 cells"}
    return Study(
        [cell_line],
        arms,
        next(iter(arms)),
        assay={**assay, "duration": duration, "animals": 2, "clones": 4},
        seed=11,
        uncertainty={"draws": draws, "rivals": False},
        beside=beside,
    )


def check_folder(kind: str, name: str, beside: Path | None) -> None:
    """Claim that an entry keeps to the contract of its kind."""
    from unmoor import catalog
    from unmoor.catalog.contracts import problems_of

    problems = list(problems_of(kind, catalog.find(kind, name, beside), beside))
    claim(not problems, "\n".join(map(str, problems)))


def volumes(study: Study) -> dict[str, Any]:
    """Tumour volume and expected metastases of every draw and animal by arm, in one order.

    Both as they are, without the error of the calliper and the chance of single metastases.
    """
    outcomes = study.run(workers=1).outcomes
    failed = outcomes[outcomes["status"] != "ok"]
    claim(failed.empty, f"{len(failed)} animals have no outcome: {set(failed['status'])}")
    kept = ["tumour_volume_true", "expected_metastases"]
    rows = outcomes.sort_values(["draw", "animal"], kind="stable")
    return {str(arm): own[kept].to_numpy(float) for arm, own in rows.groupby("arm", sort=False)}
