"""A study: cell lines × arms × animals in an assay, checked before anything is run."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from unmoor.assays.base import Assay
from unmoor.assays.settings import ASSAYS
from unmoor.errors import Problem
from unmoor.fields import Field, read_table
from unmoor.findings import Findings, FrozenMap
from unmoor.therapy.irradiation import Irradiation
from unmoor.therapy.regimen import Edit, Regimen
from unmoor.trial.domain_checks import check_domain
from unmoor.trial.search_fields import Search
from unmoor.trial.study_fields import (
    MARGIN_FIELDS,
    MODEL_FIELDS,
    SCHEMA,
    UNCERTAINTY_FIELDS,
    Draft,
    read_draft,
)
from unmoor.trial.study_file import find_study, parse, read_file, to_toml
from unmoor.trial.study_settings import apply_settings

if TYPE_CHECKING:
    from unmoor.trial.result import Result

Item = Regimen | Edit | Irradiation
Arm = tuple[Item, ...]


def _check_section(section: object, allowed: tuple[Field, ...]) -> None:
    """Refuse a value that the study file would refuse."""
    raw = {each.name: getattr(section, each.name) for each in allowed}
    unset = [each.name for each in allowed if not each.required and each.default is None]
    raw = {key: value for key, value in raw.items() if value is not None or key not in unset}
    findings = Findings(prefix=(type(section).__name__,))
    read_table(raw, allowed, (), findings, bare=True)
    findings.raise_errors()


@dataclass(frozen=True, slots=True)
class Margins:
    """When a tumour counts as smaller and spread as more, and how sure one must be.

    Parameters
    ----------
    smaller
        Tumour ratio to control below which a tumour counts as smaller [-].
    spread
        Spread ratio to control above which it counts as more [-].
    interval
        Share of the parameter draws that lie inside an interval [-].
    """

    smaller: float = 0.9
    spread: float = 1.1
    interval: float = 0.9

    def __post_init__(self) -> None:
        """Check the values."""
        _check_section(self, MARGIN_FIELDS)


@dataclass(frozen=True, slots=True)
class Uncertainty:
    """How far what we do not know is explored.

    Parameters
    ----------
    draws
        Parameter sets drawn from the ranges; 0 runs nominal values only.
    rivals
        Whether the rival structures of the model are run too.
    sets
        ``plausible`` draws are those under which the calibration rows come out; ``ranges`` takes
        every draw from the catalog's ranges, ``prior`` too, but those of numbers that were fitted
        from what they were before.
    weights
        Weight of each structure of the model that is run, by name (``cascading/tgfb``), adding up
        to 1; all the same if None.
    """

    draws: int = 200
    rivals: bool = True
    sets: Literal["plausible", "ranges", "prior"] = "plausible"
    weights: Mapping[str, float] | None = None

    def __post_init__(self) -> None:
        """Check the values."""
        if isinstance(self.weights, Mapping):
            object.__setattr__(self, "weights", FrozenMap(self.weights))
        _check_section(self, UNCERTAINTY_FIELDS)


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """Named structural options: which of the rival mechanisms is the model's first choice.

    ``interaction`` is the reference model of two drugs on one target or on killing: independent
    (Bliss), doses of one drug stand for doses of the other (Loewe), or the stronger alone (HSA).
    ``escape`` says where the numbers of cells that leave a tumour come from: the catalog's table of
    tissue runs, or runs of the tissue under each parameter set of the study, which take minutes
    each and are meant for checking.
    """

    emt_core: Literal["cascading", "ternary"] = "cascading"
    mechanism: Literal["tgfb", "itgb3"] = "tgfb"
    e_readout: Literal["cdh1", "balance"] = "cdh1"
    interaction: Literal["bliss", "loewe", "hsa"] = "bliss"
    escape: Literal["table", "direct"] = "table"

    def __post_init__(self) -> None:
        """Check the values."""
        _check_section(self, MODEL_FIELDS)


@dataclass(frozen=True, slots=True, init=False)
class Study:
    """Cell lines under treatment arms in one or more assays.

    Parameters
    ----------
    cell_lines
        Names in the catalog, paths of folders, or things with a ``name``.
    arms
        Treatments by name of the arm; an empty list is no treatment.
    control
        Name of the arm that all others are compared with.
    assay, assays
        One assay, or several; give one of the two.
    title
        A line for the report.
    seed
        Seed of all random numbers.
    verdict, uncertainty, model
        Margins of the verdict, parameter draws, structural options.
    beside
        Folder of the study file: its ``catalog/`` is searched first.
    name
        Short name for run folders.

    Raises
    ------
    StudyError
        With everything that is wrong.
    """

    schema: int
    title: str
    seed: int
    cell_lines: tuple[str, ...]
    control: str
    arms: Mapping[str, Arm]
    assays: tuple[Assay, ...]
    verdict: Margins
    uncertainty: Uncertainty
    model: ModelOptions
    search: Search | None
    beside: Path | None = field(compare=False)
    name: str = field(compare=False)
    warnings: tuple[Problem, ...] = field(compare=False, repr=False)

    def __init__(
        self,
        cell_lines: Iterable[object],
        arms: Mapping[str, Sequence[Item | Mapping[str, object]]],
        control: str,
        *,
        assay: Assay | Mapping[str, object] | None = None,
        assays: Iterable[Assay | Mapping[str, object]] | None = None,
        title: str = "",
        seed: int = 0,
        verdict: Margins | Mapping[str, object] | None = None,
        uncertainty: Uncertainty | Mapping[str, object] | None = None,
        model: ModelOptions | Mapping[str, object] | None = None,
        search: Search | Mapping[str, object] | None = None,
        beside: Path | None = None,
        name: str = "study",
        schema: int = SCHEMA,
    ) -> None:
        given: dict[str, Any] = {"schema": schema, "seed": seed, "control": control}
        given["title"] = None if title == "" else title
        given |= {"cell_lines": cell_lines, "arms": arms, "verdict": verdict}
        given |= {"uncertainty": uncertainty, "model": model, "search": search}
        given["assays"] = assays if assay is None else [assay]
        raw = {key: _plain(value) for key, value in given.items() if value is not None}
        findings = Findings()
        if assay is not None and assays is not None:
            expected = "either assay or assays"
            findings.add(("assay",), "", expected, "give all of them as assays", "E-KEY")
        self._fill(_read(raw, findings, beside, bare=True), findings, name)

    @classmethod
    def load(cls, name: str | Path, settings: Mapping[str, str] | None = None) -> Study:
        """Read a study file, by path or by name in the catalog.

        Parameters
        ----------
        name
            Path of a file, of a folder with a ``study.toml``, or name of a catalog study.
        settings
            Values to change, by dotted field (see :mod:`unmoor.trial.study_settings`).

        Raises
        ------
        StudyError
            With everything that is wrong with the file, each with line and column.
        """
        path = find_study(name)
        stem = path.parent.resolve().name if path.name == "study.toml" else path.stem
        beside = path.parent.resolve()  # wherever one is when the study is run
        return cls._parsed(read_file(path), f"{path}", beside, stem or "study", settings)

    @classmethod
    def loads(
        cls,
        text: str,
        name: str = "<stdin>",
        beside: Path | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> Study:
        """Read a study from text; ``name`` stands for the file in messages."""
        return cls._parsed(text.removeprefix("\ufeff"), name, beside, "study", settings)

    @classmethod
    def _parsed(
        cls,
        text: str,
        where: str,
        beside: Path | None,
        name: str,
        settings: Mapping[str, str] | None,
    ) -> Study:
        raw, locate = parse(text, where)
        if settings:
            locate = apply_settings(raw, settings, locate)
        findings = Findings(locate)
        study = object.__new__(cls)
        study._fill(_read(raw, findings, beside, bare=False), findings, name)
        return study

    def _fill(self, draft: Draft, findings: Findings, name: str) -> None:
        values: dict[str, Any] = {
            **{key: draft.values[key] for key in ("schema", "title", "seed", "control")},
            "cell_lines": tuple(line.name for line in draft.lines),
            "arms": FrozenMap({arm: _treatments(items) for arm, items in draft.arms.items()}),
            "assays": tuple(ASSAYS[each["name"]].made(each) for each in draft.assays),
            "verdict": Margins(**draft.sections["verdict"]),
            "uncertainty": Uncertainty(**draft.sections["uncertainty"]),
            "model": ModelOptions(**draft.sections["model"]),
            "search": draft.search,
            "beside": draft.beside,
            "name": name,
            "warnings": findings.warnings,
        }
        for key, value in values.items():
            object.__setattr__(self, key, value)

    def replace(self, **changes: Any) -> Study:
        """Return a study with some parts changed, checked as a whole again."""
        skipped = {"warnings"} | ({"assays"} if "assay" in changes else set())
        kept = {each.name: getattr(self, each.name) for each in fields(self)}
        return Study(**{**{key: kept[key] for key in kept if key not in skipped}, **changes})

    def to_toml(self) -> str:
        """Return a study file that reads back as an equal study."""
        return to_toml(self)

    def run(self, *, seed: int | None = None, **options: Any) -> Result:
        """Run all cell lines × arms × draws × animals.

        Parameters
        ----------
        seed
            Seed instead of the study's own.
        options
            ``workers``, ``executor``, ``out`` and ``progress`` of :func:`unmoor.trial.run.run`.
        """
        from unmoor.trial.run import run

        return run(self if seed is None else self.replace(seed=seed), **options)

    def digest(self) -> str:
        """Return the SHA-256 of the content, as 64 hexadecimal digits."""
        return hashlib.sha256(self.to_toml().encode()).hexdigest()


def _read(raw: Mapping[str, Any], findings: Findings, beside: Path | None, *, bare: bool) -> Draft:
    """Read and check a whole study; raise everything that is wrong with it at once."""
    draft = read_draft(raw, findings, beside, bare=bare)
    check_domain(draft, findings)
    findings.raise_errors()
    return draft


def _treatments(items: list[dict[str, Any]]) -> Arm:
    return tuple(_treatment(item) for item in items)


def _treatment(item: dict[str, Any]) -> Item:
    if "gene" in item:
        return Edit(**item)
    return Irradiation(**item) if "radiation" in item else Regimen(**item)


_TABLES = (Regimen, Edit, Irradiation, Assay, Margins, Uncertainty, ModelOptions, Search)


def _plain(value: Any) -> Any:
    """Turn objects into the tables and lists they would be in a study file."""
    if isinstance(value, _TABLES):
        content = {each.name: getattr(value, each.name) for each in fields(value)}  # type: ignore[arg-type]
        if isinstance(value, Assay):
            content["name"] = value.name
        return {key: part for key, part in content.items() if part is not None}
    if isinstance(value, Mapping):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, (str, bytes, int, float)):
        return value
    if isinstance(value, Iterable):
        return [_plain(part) for part in value]
    name = getattr(value, "name", None)  # a CellLine, which this layer knows by name only
    return name if isinstance(name, str) else value
