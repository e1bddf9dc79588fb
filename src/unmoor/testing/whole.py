"""Contract of a study in a folder of its own: it reads, survives writing, runs, and runs again."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from unmoor.testing.claims import DRAWS, claim
from unmoor.trial.study import Study


class StandardStudyTest:
    """Tests of a study of one's own.

    Attributes
    ----------
    path
        Path of its file or folder, or a name of the catalog.
    may_warn
        Codes of warnings that are meant, such as ``"W-STRAIN"``.
    """

    path: ClassVar[str | Path]
    may_warn: ClassVar[tuple[str, ...]] = ()

    @cached_property
    def study(self) -> Study:
        """The study as its file says."""
        return Study.load(self.path)

    def _small(self) -> Study:
        return self.study.replace(uncertainty={"draws": DRAWS, "rivals": False})

    def test_it_reads_without_unexpected_warnings(self) -> None:
        """Every warning is one that is meant."""
        found = [each for each in self.study.warnings if each.code not in self.may_warn]
        claim(not found, "\n".join(map(str, found)))

    def test_it_survives_being_written(self) -> None:
        """What is written is read back as the same study."""
        again = Study.loads(self.study.to_toml(), beside=self.study.beside)
        claim(again == self.study, "it changes when written and read")

    def test_it_runs(self) -> None:
        """With a few draws; every arm has an outcome."""
        failed = self._small().run(workers=1).n_failed
        claim(failed == 0, f"{failed} outcomes failed")

    def test_the_same_seed_gives_the_same_tables(self) -> None:
        """To the byte."""
        one, other = (self._small().run(workers=1).tables() for _ in range(2))
        differing = [name for name in one if one[name] != other[name]]
        claim(not differing, f"two runs differ in {', '.join(differing)}")

    def test_the_order_of_arms_does_not_count(self) -> None:
        """Arms in another order have the same effects."""
        study = self._small()
        backwards: dict[str, Any] = {arm: study.arms[arm] for arm in reversed(list(study.arms))}
        other = study.replace(arms=backwards)
        keys = ["cell_line", "assay", "arm", "readout", "day"]
        one, two = (
            each.run(workers=1).readouts.sort_values(keys, kind="stable").reset_index(drop=True)
            for each in (study, other)
        )
        claim(one.equals(two), "readouts depend on the order of arms")
