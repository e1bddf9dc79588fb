"""One set of values for all parameters: the nominal ones, or one draw from what is not known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from statistics import NormalDist

import numpy as np

from unmoor.catalog import table
from unmoor.parameters import ParameterTable
from unmoor.random import Stream, identifier

NOMINAL = 0


@dataclass(frozen=True)
class Draw:
    """Parameter set ``number`` of a seed; number 0 holds the catalog's nominal values.

    A number depends on the seed, the draw and the parameter's table and id alone: adding a
    parameter shifts no other, and two cell lines share the values of what is not theirs.
    """

    seed: int
    number: int
    beside: Path | None = None
    _tables: dict[tuple[str, str], ParameterTable] = field(
        default_factory=dict, compare=False, repr=False
    )
    _values: dict[tuple[str, str], dict[str, float]] = field(
        default_factory=dict, compare=False, repr=False
    )

    @classmethod
    def sets(cls, seed: int, numbers: Iterable[int], beside: Path | None = None) -> list[Draw]:
        """Several parameter sets that read each table once."""
        tables: dict[tuple[str, str], ParameterTable] = {}
        return [cls(seed, number, beside, tables) for number in numbers]

    @cached_property
    def _stream(self) -> Stream:
        return Stream(self.seed, draw=self.number)

    def uniforms(self, names: Sequence[str]) -> list[float]:
        """Numbers in (0, 1) for parameters; the median for nominal values."""
        if self.number == NOMINAL:
            return [0.5] * len(names)
        ids = np.array([_identifier(name) for name in names], dtype=np.uint64)
        return [float(number) for number in self._stream.uniform(ids, "parameter")]

    def uniform(self, name: str) -> float:
        """Number in (0, 1) for one parameter."""
        return self.uniforms([name])[0]

    def normal(self, name: str) -> float:
        """Standard normal number for a parameter; 0 for nominal values."""
        return 0.0 if self.number == NOMINAL else NormalDist().inv_cdf(self.uniform(name))

    def values(self, kind: str, name: str) -> dict[str, float]:
        """Values of a catalog table by id."""
        key = kind, name
        if key not in self._values:
            if key not in self._tables:
                self._tables[key] = table(kind, name, self.beside)
            self._values[key] = self._draw(self._tables[key], f"{kind}/{name}")
        return self._values[key]

    def _draw(self, rows: ParameterTable, where: str) -> dict[str, float]:
        if self.number == NOMINAL:
            return rows.values_by_id()
        uniforms = self.uniforms([f"{where}/{name}" for name in rows])
        return rows.draw(dict(zip(rows, uniforms, strict=True)).__getitem__)


_identifier = lru_cache(maxsize=4096)(identifier)
