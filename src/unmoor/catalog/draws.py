"""One set of values for all parameters: the nominal ones, or one draw from what is not known.

Draws come from the ranges of the catalog (``Draw.sets``) or are the plausible ones among them:
those under which the calibration rows came out (``Draw.plausible``, see ``analysis.calibrate``).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np

from unmoor.catalog import table
from unmoor.catalog.correlations import Correlations, correlations
from unmoor.catalog.plausible import plausible_sets
from unmoor.errors import CatalogError
from unmoor.parameters import ParameterTable
from unmoor.random import Stream, identifier

NOMINAL = 0
# What the calibration never looks at, since its rows are of edited cells in an immune-deficient
# host: there the most central plausible set is no more central than any other.
_UNCALIBRATED = ("drugs", "hosts")
_UNCALIBRATED_CLOSURES = ("chemotherapy", "culture", "radiation")


@dataclass(frozen=True)
class Draw:
    """Parameter set ``number`` of a seed; number 0 holds the catalog's nominal values.

    ``is_prior`` says that numbers to be fitted are drawn from their prior; ``is_reference`` that
    numbers which the calibration does not touch are the nominal ones; ``given`` holds numbers in
    (0, 1) by the name of a parameter that stand instead of drawn ones.

    A number depends on the seed, the draw and the parameter's table and id alone: adding a
    parameter shifts no other, and two cell lines share the values of what is not theirs.
    """

    seed: int
    number: int
    beside: Path | None = None
    is_prior: bool = False
    is_reference: bool = False
    given: Mapping[str, float] = field(default_factory=dict, compare=False, repr=False)
    _made: dict[Hashable, Any] = field(default_factory=dict, compare=False, repr=False)
    _values: dict[tuple[str, str], dict[str, float]] = field(
        default_factory=dict, compare=False, repr=False
    )

    @classmethod
    def sets(
        cls,
        seed: int,
        numbers: Iterable[int],
        beside: Path | None = None,
        *,
        is_prior: bool = False,
    ) -> list[Draw]:
        """Several parameter sets that read each table once.

        Sets of the built-in catalog are remembered, since every line and arm of a study asks for
        the same ones; a catalog of one's own may change under our feet.
        """
        if beside is not None and (beside / "catalog").exists():
            return [cls(seed, number, beside, is_prior) for number in numbers]
        return [_draw(seed, number, None, is_prior) for number in numbers]

    @classmethod
    def plausible(
        cls, structure: str, seed: int, numbers: Iterable[int], beside: Path | None = None
    ) -> list[Draw]:
        """Plausible parameter sets in an order that the seed decides; number 0 is the central one.

        Raises
        ------
        CatalogError
            If the structure has no calibration, or fewer sets than asked for.
        """
        calibration = plausible_sets(structure)
        stream = Stream(seed)
        ids = np.array([_identifier(f"{number}") for number in calibration.others], np.uint64)
        order = np.argsort(stream.uniform(ids, "plausible"), kind="stable")
        drawn = [calibration.central, *(calibration.others[i] for i in order)]
        wanted = list(numbers)
        if max(wanted, default=0) >= len(drawn):
            raise CatalogError(
                f"{structure} has {len(drawn) - 1} plausible parameter sets and {max(wanted)} are "
                "asked for; lower uncertainty.draws, or draw from the ranges",
                code="E-DRAWS",
            )
        chosen = [drawn[number] for number in wanted]
        sets = cls.sets(calibration.seed, chosen, beside, is_prior=True)
        return [
            replace(each, is_reference=True, _made={}, _values={}) if number == NOMINAL else each
            for number, each in zip(wanted, sets, strict=True)
        ]

    @property
    def is_nominal(self) -> bool:
        """Whether this set holds the catalog's nominal values."""
        return self.number == NOMINAL and not self.is_prior

    @cached_property
    def _stream(self) -> Stream:
        return Stream(self.seed, draw=self.number)

    def uniforms(self, names: Sequence[str]) -> list[float]:
        """Numbers in (0, 1) for parameters; the median for nominal values."""
        if self.given:
            return [self.given.get(name, 0.5) for name in names]
        if self.is_nominal:
            return [0.5] * len(names)
        if self._joint is not None:
            return self._joint.joined(names, self._independent)
        return self._independent(names)

    @cached_property
    def _joint(self) -> Correlations | None:
        """Numbers that are drawn together."""
        return correlations(self.beside)

    def _independent(self, names: Sequence[str]) -> list[float]:
        ids = np.array([_identifier(name) for name in names], dtype=np.uint64)
        return [float(number) for number in self._stream.uniform(ids, "parameter")]

    def uniform(self, name: str) -> float:
        """Number in (0, 1) for one parameter."""
        return self.uniforms([name])[0]

    def normal(self, name: str) -> float:
        """Standard normal number for a parameter; 0 for nominal values."""
        return 0.0 if self.is_nominal else NormalDist().inv_cdf(self.uniform(name))

    def values(self, kind: str, name: str) -> dict[str, float]:
        """Values of a catalog table by id."""
        key = kind, name
        if key not in self._values:
            rows = _table(kind, name, self.beside)
            free = kind in _UNCALIBRATED or (kind == "closures" and name in _UNCALIBRATED_CLOSURES)
            is_fixed = self.is_reference and free
            self._values[key] = (
                rows.values_by_id() if is_fixed else self._draw(rows, f"{kind}/{name}")
            )
        return self._values[key]

    def changed(self, kind: str, name: str, **values: float) -> Draw:
        """The same set with some values of a table changed."""
        return replace(
            self,
            _made={},
            _values={**self._values, (kind, name): {**self.values(kind, name), **values}},
        )

    @property
    def tables_read(self) -> list[tuple[str, str]]:
        """Kind and name of the catalog's tables from which values were read."""
        return list(self._values)

    def remember(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """What ``make`` returns, made once for this set."""
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]

    def _draw(self, rows: ParameterTable, where: str) -> dict[str, float]:
        if self.is_nominal:
            return rows.values_by_id()
        uniforms = self.uniforms([f"{where}/{name}" for name in rows])
        return rows.draw(dict(zip(rows, uniforms, strict=True)).__getitem__)


_identifier = lru_cache(maxsize=4096)(identifier)


@lru_cache(maxsize=4096)
def _draw(seed: int, number: int, beside: Path | None, is_prior: bool) -> Draw:
    return Draw(seed, number, beside, is_prior)


def _table(kind: str, name: str, beside: Path | None) -> ParameterTable:
    """A table read once while its file stays as it is; built-in ones never change."""
    return table(kind, name, beside) if beside is not None else _built_in_table(kind, name)


_built_in_table = lru_cache(maxsize=256)(table)
