"""What assays are told, one class a kind, and how the tables of a study file are read.

``ASSAYS`` is the list of all kinds; nothing outside this package knows one of them by name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from unmoor import catalog
from unmoor.assays.base import (
    CLONES,
    DEFAULT_CLONES,
    LABEL,
    Assay,
    Bench,
    Outcome,
    duration,
    read_fields,
)
from unmoor.assays.colonisation_settings import Intracardiac, TailVein
from unmoor.assays.culture_settings import ColonyFormation, SignallingTimeCourse, Viability
from unmoor.assays.host_field import DEFAULT_HOST, HOST, AnimalAssay, read_hosts
from unmoor.assays.layer_settings import CellSorting, Monolayer
from unmoor.assays.quantities import COURSES
from unmoor.assays.tissue_settings import SpheroidInvasion
from unmoor.fields import Field, OneOf, Quantity, Whole
from unmoor.findings import FieldPath, Findings

if TYPE_CHECKING:
    from unmoor.catalog.draws import Draw

_MOST_CELLS = 1e9
_LARGEST = 1e5  # mm³, more than a mouse weighs

ORTHOTOPIC_FIELDS: tuple[Field, ...] = (
    Field("name", OneOf(("orthotopic_xenograft",)), '"orthotopic_xenograft"'),
    LABEL,
    HOST,
    Field("inoculum", Quantity("cells", 1.0, _MOST_CELLS), '"1e6 cells"'),
    duration("time from inoculation to read-out", '"28 d"'),
    Field("animals", Whole("animals in each arm", 1, 100_000), "10"),
    CLONES,
    Field(
        "humane_volume",
        Quantity(
            "volume", 0.0, _LARGEST, open_low=True, what="tumour at which an animal is taken out"
        ),
        '"2000 mm^3"',
        required=False,
    ),
)


@dataclass(frozen=True, slots=True, init=False)
class OrthotopicXenograft(AnimalAssay):
    """Tumour cells put into the mammary fat pad; tumour and lungs are read out on the last day.

    Parameters
    ----------
    inoculum
        Cells injected, ``"1e6 cells"`` or a number.
    duration
        Time from inoculation to read-out, ``"28 d"`` or a number in days.
    animals
        Animals in each arm.
    host
        Mouse strain for every line, or a mapping with ``"default"`` and strains of single lines.
    clones
        Clones a tumour is made of.
    humane_volume
        Tumour volume at which an animal is taken out of the study, ``"2000 mm^3"`` or a number in
        mm³; None takes that of the catalog (``closures/response``).
    label
        Name in the results; needed only when a study has several assays of one kind.

    Raises
    ------
    StudyError
        With everything that is wrong.

    Examples
    --------
    >>> OrthotopicXenograft(inoculum="1e6 cells", duration="4 weeks", animals=10).duration
    28.0
    """

    name: ClassVar[str] = "orthotopic_xenograft"
    outcomes: ClassVar[tuple[str, ...]] = (
        "tumour_volume", "lung_metastases", "proliferation", "apoptosis",
    )  # fmt: skip
    courses: ClassVar[tuple[str, ...]] = COURSES
    table: ClassVar[tuple[Field, ...]] = ORTHOTOPIC_FIELDS
    has_tumours: ClassVar[bool] = True
    label: str
    host: Mapping[str, str]
    inoculum: float
    duration: float
    animals: int
    clones: int
    humane_volume: float

    def __init__(
        self,
        *,
        inoculum: str | float,
        duration: str | float,
        animals: int,
        host: str | Mapping[str, str] = DEFAULT_HOST,
        clones: int = DEFAULT_CLONES,
        humane_volume: str | float | None = None,
        label: str | None = None,
    ) -> None:
        given = {"host": host, "inoculum": inoculum, "duration": duration, "animals": animals}
        given |= {} if humane_volume is None else {"humane_volume": humane_volume}
        self._fill({**given, "clones": clones, "label": label})

    @classmethod
    def parse(
        cls, raw: Mapping[str, Any], path: FieldPath, findings: Findings, *, bare: bool
    ) -> dict[str, Any]:
        """Read the keys of an ``[[assays]]`` table; complete only if nothing was found wrong."""
        values = read_fields(raw, cls.table, path, findings, bare=bare)
        if "host" in values:
            values["host"] = read_hosts(values["host"], (*path, "host"), findings)
        if "humane_volume" in values and values["humane_volume"] is None:
            values["humane_volume"] = catalog.table("closures", "response")["humane_volume"].value
        return values

    def run(self, bench: Bench, draws: Sequence[Draw]) -> Outcome:
        """Run parameter sets."""
        from unmoor.assays.xenograft_assay import xenograft

        return xenograft(self, bench, draws)


ASSAYS: Mapping[str, type[Assay]] = {
    kind.name: kind
    for kind in (
        OrthotopicXenograft, SignallingTimeCourse, Viability, ColonyFormation, TailVein,
        Intracardiac, SpheroidInvasion, Monolayer, CellSorting,
    )
}  # fmt: skip
_NAME = Field("name", OneOf(tuple(ASSAYS)), '"orthotopic_xenograft"')


def read_assay(raw: object, path: FieldPath, findings: Findings, *, bare: bool) -> dict[str, Any]:
    """Read the keys of an ``[[assays]]`` table; complete only if nothing was found wrong."""
    kind = _kind_of(raw)
    if not isinstance(raw, Mapping):
        return read_fields(raw, kind.table, path, findings, bare=bare)
    named = {**raw}
    wrong = "name" in raw and _NAME.read(raw["name"], (*path, "name"), findings, bare=bare) is None
    if wrong:
        named["name"] = kind.name
    values = kind.parse(named, path, findings, bare=bare)
    if wrong:
        values.pop("name", None)
    return values


def _kind_of(raw: object) -> type[Assay]:
    """The kind that is named, or else the one whose keys are nearest to those given."""
    if not isinstance(raw, Mapping):
        return OrthotopicXenograft
    name = raw.get("name")
    if isinstance(name, str) and name in ASSAYS:
        return ASSAYS[name]
    given = set(map(str, raw))
    known = {kind: {field.name for field in kind.table} for kind in ASSAYS.values()}
    return max(known, key=lambda kind: len(given & known[kind]) - len(given - known[kind]))
