"""A result: outcomes, effects and verdicts of a study, with everything needed to check them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from unmoor.errors import RunFolderError
from unmoor.tissue.snapshot import Snapshot
from unmoor.trial.csv_text import csv_text
from unmoor.trial.origin import ORIGIN, write_origin
from unmoor.trial.provenance import citations, describe, numbers, recorded
from unmoor.trial.snapshots import FOLDER, Track, read_snapshots, save_snapshots
from unmoor.trial.statistics import analyse
from unmoor.trial.store import RunFolder
from unmoor.trial.study import Study
from unmoor.trial.tables import Tables
from unmoor.trial.uncertainty import uncertainty_table

_FILES = (
    "outcomes", "effects", "draws", "structures", "timecourses", "animals", "events", "readouts",
    "joint",
)  # fmt: skip


@dataclass(frozen=True)
class Result:
    """What came out of a study.

    Attributes
    ----------
    study
        The study as it was run.
    path
        The run folder, if there is one.
    """

    study: Study
    _tables: Tables
    path: Path | None = None
    _frames: Mapping[Track, Sequence[Snapshot]] = field(default_factory=dict)

    @property
    def outcomes(self) -> pd.DataFrame:
        """One row a cell line × arm × draw × animal (draw 0: the reference parameter set)."""
        return self._tables.outcomes

    @property
    def draws(self) -> pd.DataFrame:
        """Expected ratios to control of every draw under every structure."""
        return self._tables.draws

    @property
    def structures(self) -> pd.DataFrame:
        """Share of draws with a switch under each structural option."""
        return self._tables.structures

    @property
    def timecourses(self) -> pd.DataFrame:
        """Quantiles over draws of what happens day by day."""
        return self._tables.timecourses

    @property
    def animals(self) -> pd.DataFrame:
        """Calliper readings of the study's animals under the reference set, day by day."""
        return self._tables.animals

    @property
    def events(self) -> pd.DataFrame:
        """Humane end point and read-out of each of these animals (:mod:`unmoor.trial.animals`)."""
        return self._tables.events

    @property
    def readouts(self) -> pd.DataFrame:
        """Every readout of every assay, each arm against control (:mod:`unmoor.trial.readouts`)."""
        return self._tables.readouts

    @property
    def joint(self) -> pd.DataFrame:
        """Arms that give two others together, against both of them (:mod:`unmoor.trial.joint`)."""
        return self._tables.joint

    def effects(self) -> pd.DataFrame:
        """Each arm against control: ratios, both intervals, paradox index, verdict."""
        return self._tables.effects.copy()

    def verdict(self) -> pd.Series:
        """Verdict of each arm, indexed by cell line, assay and arm."""
        effects = self._tables.effects
        return effects.set_index(["cell_line", "assay", "arm"])["verdict"]

    @property
    def seed(self) -> int:
        """Seed of all random numbers."""
        return self.study.seed

    @property
    def n_failed(self) -> int:
        """Animals without an outcome, and of assays without tumours, arms of draws without one."""
        animals = int((self.outcomes["status"] != "ok").sum())
        told = {assay.label for assay in self.study.assays if not assay.has_tumours}
        others = self.readouts[self.readouts["assay"].isin(told)]
        first = others.drop_duplicates(["cell_line", "assay", "arm"])
        return animals + int(first["n_failed"].sum())

    @cached_property
    def numbers(self) -> pd.DataFrame:
        """Every catalog row behind the result."""
        return numbers(self.study)

    @cached_property
    def uncertainty(self) -> pd.DataFrame:
        """Each arm over all structures, and what its spread is due to (`trial.uncertainty`)."""
        return uncertainty_table(self.study, self.draws, self._tables.effects)

    @cached_property
    def statistics(self) -> pd.DataFrame:
        """What a laboratory would report of the study (:mod:`unmoor.trial.statistics`)."""
        return analyse(self)

    @cached_property
    def provenance(self) -> dict[str, Any]:
        """Software, study, environment and catalog digest: of the run, wherever it was made."""
        written = None if self.path is None else self.path / "provenance.json"
        text = written.read_text(encoding="utf-8") if written else describe(self.study)
        record: dict[str, Any] = json.loads(text)
        return record

    @property
    def citations(self) -> list[str]:
        """Keys of the sources behind the result."""
        return citations(self.study)

    @cached_property
    def snapshots(self) -> Mapping[Track, Sequence[Snapshot]]:
        """Frames of the tissues of the reference set, by assay, cell line and arm; often none."""
        if self._frames or self.path is None or not (self.path / FOLDER).exists():
            return self._frames
        return read_snapshots(self.path / FOLDER)

    def tables(self) -> dict[str, str]:
        """Content of the CSV files of a run folder by file name."""
        frames = {name: getattr(self._tables, name) for name in _FILES}
        frames |= {"numbers": self.numbers, "uncertainty": self.uncertainty}
        return {f"{name}.csv": csv_text(frame) for name, frame in frames.items()}

    def save(self, parent: str | Path) -> Path:
        """Write a new run folder below ``parent``; returns its path."""
        folder = RunFolder.create(Path(parent), self.study.name, self.study.digest())
        with folder:
            write_origin(folder, self.study)
            for name, text in self.tables().items():
                folder.write_text(name, text)
                folder.record_file(name)
            save_snapshots(folder, self.snapshots)
        return folder.path

    @classmethod
    def load(cls, path: str | Path) -> Result:
        """Read the tables of a finished run.

        Raises
        ------
        RunFolderError
            If the folder is no finished run, or a table is not what was written.
        """
        folder = Path(path)
        names = [f"{name}.csv" for name in _FILES]
        damaged = set(RunFolder.open(folder).damaged_files(without=FOLDER)) & {
            *names,
            *ORIGIN,
            "checksums.json",
        }
        missing = [name for name in names if not (folder / name).exists()]
        if damaged or missing:
            names = sorted(damaged | set(missing))
            raise RunFolderError(
                f"{folder}: {', '.join(names)} not finished, missing or damaged; "
                f"go on with: unmoor resume {folder}",
                code="E-DAMAGED",
            )
        study = cls.study_of(folder)
        frames = {name: _read(folder / f"{name}.csv") for name in _FILES}
        return cls(study, Tables(**frames), folder)

    @staticmethod
    def study_of(path: Path) -> Study:
        """The study of a run folder.

        Raises
        ------
        RunFolderError
            If there is none.
        """
        try:
            text = (path / "study.toml").read_text(encoding="utf-8")
            record = json.loads((path / "provenance.json").read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise RunFolderError(f"{path} is no run folder: {error}", code="E-RUN") from None
        beside = recorded(record, "beside")
        study = Study.loads(text, f"{path / 'study.toml'}", Path(beside) if beside else None)
        return study.replace(name=recorded(record, "parameters", "study") or "study")


def _read(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, keep_default_na=False, na_values=[""])
