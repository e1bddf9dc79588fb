"""Everything that ``unmoor calibrate growth`` finds out about a table of tumour volumes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from unmoor.analysis.growth import MODELS, GrowthFit, fit_growth
from unmoor.analysis.growth_animals import AnimalFits, fit_each
from unmoor.analysis.growth_check import PredictiveCheck, check_predictions, serial_correlation
from unmoor.analysis.growth_table import GrowthTable
from unmoor.analysis.growth_virtual import VirtualAnimals
from unmoor.errors import SimulationError

DIFFERS = {
    "beta": "β",
    "beta_and_k": "β and k, independently",
    "beta_with_k": "β and k, correlated",
}
"""What differs between animals in each model."""


@dataclass(frozen=True)
class Choices:
    """What the user says about a table.

    Attributes
    ----------
    start
        Volume at day 0 [mm³].
    inoculum
        Cells injected.
    detection_limit
        Smallest volume that can be read; 0 if it is not known [mm³].
    title
        What the animals are, such as ``SCID mice with LM2-4LUC+ tumours``.
    source
        Citation key of the data.
    """

    start: float = 1.0
    inoculum: float = 1e6
    detection_limit: float = 0.0
    title: str = ""
    source: str = ""


@dataclass(frozen=True)
class Rival:
    """A fit in which more differs between animals, and how it predicts the data."""

    fit: GrowthFit
    check: PredictiveCheck
    serial: float


@dataclass(frozen=True)
class GrowthStudy:
    """Fits of a table.

    Attributes
    ----------
    fit
        The fit with the growth law of the xenograft: β differs, k does not.
    check, serial
        Predictive check and correlation of successive residuals of that fit.
    rivals
        Fits in which k differs too, by name of the model; None where the data do not determine it.
    each
        Fits of single animals.
    virtual
        Virtual animals measured and fitted in the same way, if they were asked for.
    """

    table: GrowthTable
    choices: Choices
    fit: GrowthFit
    check: PredictiveCheck
    serial: float
    rivals: Mapping[str, Rival | None]
    each: AnimalFits
    virtual: VirtualAnimals | None = None

    @property
    def title(self) -> str:
        """What the animals are."""
        return " ".join((self.choices.title or f"animals of {self.table.name}").split())

    def with_virtual(self, virtual: VirtualAnimals) -> GrowthStudy:
        """Return the same with virtual animals beside the real ones."""
        return replace(self, virtual=virtual)

    def fits(self) -> dict[str, Rival | None]:
        """All models in the order of :data:`MODELS`."""
        return {"beta": Rival(self.fit, self.check, self.serial), **self.rivals}


def study_growth(table: GrowthTable, choices: Choices) -> GrowthStudy:
    """Fit a table in every way.

    Raises
    ------
    StudyError
        If there are too few readings.
    SimulationError
        If the plain fit has no maximum.
    """
    data = table.data(start=choices.start, detection_limit=choices.detection_limit)
    fit = fit_growth(data)
    rivals: dict[str, Rival | None] = {}
    for model in MODELS:
        if model == fit.model:
            continue
        try:
            rival = fit_growth(data, model)
        except SimulationError:
            rivals[model] = None
        else:
            rivals[model] = Rival(rival, check_predictions(rival), serial_correlation(rival))
    check, serial = check_predictions(fit), serial_correlation(fit)
    return GrowthStudy(table, choices, fit, check, serial, rivals, fit_each(data))
