"""What a biologist would say on reading the lengths and end points of assays.

Checks in the way of :mod:`unmoor.trial.domain_checks`.
"""

from __future__ import annotations

from collections.abc import Callable

from unmoor import catalog
from unmoor.assays.settings import ASSAYS
from unmoor.assays.tissue_settings import COLLAGEN
from unmoor.errors import CatalogError, ParameterError
from unmoor.findings import Findings
from unmoor.trial.study_fields import Draft
from unmoor.trial.treatment_checks import about, days
from unmoor.units import format_quantity

_MILLION = 1e6


def _length(draft: Draft, findings: Findings) -> None:
    """What is shorter than a step of the model is one step, in which little is resolved."""
    for number, assay in enumerate(draft.assays):
        length, kind = assay.get("duration"), ASSAYS.get(assay.get("name", ""))
        if length is not None and kind is not None and length < kind.step:
            expected = f"{days(kind.step)} or more; the model has no shorter steps"
            fix = "lengthen the duration"
            place = ("assays", number, "duration")
            findings.add(place, f'"{days(length)}"', expected, fix, "W-SHORT")


def _humane(draft: Draft, findings: Findings) -> None:
    """An end point that is reached at the first reading ends every animal at once."""
    for number, assay in enumerate(draft.assays):
        limit, cells = assay.get("humane_volume"), assay.get("inoculum")
        if limit is None or cells is None:
            continue
        try:
            growth = catalog.table("closures", "growth", draft.beside)
        except (CatalogError, ParameterError):  # told elsewhere
            return
        if not {"volume_per_million", "smallest_reading"} <= set(growth):  # told elsewhere, too
            return
        inoculum = cells / _MILLION * growth["volume_per_million"].value
        least = max(inoculum, growth["smallest_reading"].value)
        if limit <= least:
            what = "the inoculum" if inoculum >= least else "the smallest reading"
            expected = (
                f"a volume above that of {what}, {format_quantity(least, 'volume')}; every animal "
                "leaves at its first reading"
            )
            place = ("assays", number, "humane_volume")
            got = f'"{format_quantity(limit, "volume")}"'
            findings.add(place, got, expected, "write a larger one", "W-HUMANE")


def _gel(draft: Draft, findings: Findings) -> None:
    """A density is of a gel; cells on a coat are in none."""
    for number, assay in enumerate(draft.assays):
        density = assay.get("collagen")
        if density in (None, COLLAGEN.default) or "matrix" not in assay:
            continue
        mostly = f"{about(draft, 'matrices', assay['matrix']).get('dimensions', 3)}d"
        if (assay.get("dimensions") or mostly) == "2d":
            expected = "no density: these cells are on a coat, not in a gel"
            fix = 'remove it, or write dimensions = "3d"'
            got = f'"{format_quantity(density, "density")}"'
            findings.add(("assays", number, "collagen"), got, expected, fix, "W-GEL")


ASSAY_CHECKS: tuple[Callable[[Draft, Findings], None], ...] = (_length, _humane, _gel)
