"""The table of escape: nodes over bond, drive, collagen and growth, as a file and for a draw.

The file holds logarithms of both rates with their standard errors, front speed and net growth at
each node, and where they come from. A draw's own table lies at its own collagen density, each rate
shifted by a drawn share of its standard error.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from unmoor.catalog import ROOT
from unmoor.catalog.draws import Draw
from unmoor.elementwise import FloatArray
from unmoor.errors import CatalogError, Problem, literal
from unmoor.tissue.escape import TABULATED, EscapeTable
from unmoor.tissue.escape_counts import Point

AXES = Point._fields
_BASES = (2, 3, 5, 7)  # of a Halton sequence
_LOGARITHMIC = (False, True, True, False)  # scales on which nodes are even
MODES = 13
"""Ways in which each rate may be wrong that the table holds; what they leave out is not drawn."""
UNCERTAIN = ("singles", "clusters")
_COLUMNS = (*TABULATED, *(f"{name}_{n}" for name in UNCERTAIN for n in range(1, MODES + 1)))
SHIPPED = ROOT / "escape" / "table.tsv"
"""The table that studies use; ``unmoor calibrate escape`` makes it."""


@dataclass(frozen=True, eq=False)
class Grid:
    """Escape at the nodes of a regular grid.

    Attributes
    ----------
    nodes
        Nodes of each axis, rising; evenly spaced, those of drive and collagen in their logarithms.
    values
        ``TABULATED`` and the ``MODES`` of both logarithms, shape (bonds, drives, collagens,
        growths, 30).
    about
        Where it comes from, by key.
    """

    nodes: tuple[FloatArray, ...]
    values: FloatArray
    about: Mapping[str, str]

    @classmethod
    def of(cls, ends: Sequence[tuple[float, float]], counts: Sequence[int]) -> Grid:
        """Return an empty grid between the ends of its axes."""
        nodes = tuple(
            np.array([_between((low, high), i / (count - 1), axis) for i in range(count)])
            for axis, ((low, high), count) in enumerate(zip(ends, counts, strict=True))
        )
        return cls(nodes, np.full((*counts, len(_COLUMNS)), math.nan), {})

    def points(self) -> FloatArray:
        """All nodes, shape (nodes, axes), the last axis running fastest."""
        return np.array(list(itertools.product(*self.nodes)))

    def table(self, nodes: FloatArray, shifts: FloatArray) -> EscapeTable:
        """Tables for compiled code.

        Parameters
        ----------
        nodes
            Shape (tables, bonds, drives, growths, 4).
        shifts
            Logarithm of the drive that does in each table what a drive of 1 does in the nodes,
            shape (tables,).
        """
        first, per_step = np.empty((2, 3))
        for n, axis in enumerate((0, 1, 3)):
            low, high = (_scale(float(end), axis) for end in self.nodes[axis][[0, -1]])
            first[n], per_step[n] = low, (self.nodes[axis].size - 1) / (high - low)
        moved = np.outer(np.ones(shifts.size), first)
        moved[:, 1] += shifts
        return EscapeTable(moved, per_step, nodes)

    def errors(self, rate: int) -> FloatArray:
        """Standard error of the logarithm of a rate at each node, as far as the modes tell."""
        start = len(TABULATED) + rate * MODES
        found: FloatArray = np.sqrt((self.values[..., start : start + MODES] ** 2).sum(axis=-1))
        return found

    def nodes_at(self, collagen: float) -> FloatArray:
        """Values at a collagen density, shape (bonds, drives, growths, 30) [mg/mL].

        Beyond the grid the nearest density counts.
        """
        low, high = (_scale(float(end), 2) for end in self.nodes[2][[0, -1]])
        inside = min(max((_scale(collagen, 2) - low) / (high - low), 0.0), 1.0)
        at = inside * (self.nodes[2].size - 1)
        below = min(int(at), self.nodes[2].size - 2)
        share = at - below
        here: FloatArray = (1.0 - share) * self.values[:, :, below]
        here += share * self.values[:, :, below + 1]
        return here

    def nodes_of(self, draw: Draw) -> FloatArray:
        """Nodes at a draw's collagen density, with one of the errors that the runs allow.

        Returns
        -------
            Shape (bonds, drives, growths, 4).
        """
        here = self.nodes_at(draw.values("closures", "tissue")["tumour_collagen"])
        made: FloatArray = here[..., : len(TABULATED)].copy()
        for i, column in enumerate(_COLUMNS[len(TABULATED) :]):
            score = draw.normal(f"closures/escape/{column}")
            made[..., i // MODES] += score * here[..., len(TABULATED) + i]
        return made

    def to_text(self) -> str:
        """The file: where it comes from, then a row a node; numbers read back as they were."""
        lines = [f"# {key}: {value}" for key, value in self.about.items()]
        lines.append("\t".join([*AXES, *_COLUMNS]))
        rows = self.values.reshape(-1, len(_COLUMNS))
        for point, row in zip(self.points(), rows, strict=True):
            lines.append("\t".join(repr(float(number)) for number in (*point, *row)))
        return "\n".join(lines) + "\n"


def spread_points(ends: Sequence[tuple[float, float]], count: int) -> list[Point]:
    """Points spread evenly between the ends of all axes; the first are those of a smaller count.

    Bonds are spread in their logarithm: weak ones differ in what leaves, strong ones hold all.
    """
    scales = (1, 1, 2, 3)  # bonds as drives
    return [
        Point(*(_between(ends[i], _halton(n, _BASES[i]), scales[i]) for i in range(len(ends))))
        for n in range(1, count + 1)
    ]


def read_grid(path: Path) -> Grid:
    """Read a table of escape.

    Raises
    ------
    CatalogError
        If the file is not one, with what is wrong.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise _broken(path, str(error), "a readable table of escape") from error
    about = dict(
        line[2:].split(": ", 1) for line in lines if line.startswith("# ") and ": " in line
    )
    head, *rows = [line.split("\t") for line in lines if not line.startswith("#")] or [[]]
    if tuple(head) != (*AXES, *_COLUMNS):
        raise _broken(path, " ".join(head)[:60], f"columns from {AXES[0]} to {_COLUMNS[-1]}")
    try:
        table = np.array([[float(cell) for cell in row] for row in rows])
    except ValueError as error:
        raise _broken(path, str(error), "a number in every cell") from error
    is_whole = table.ndim == 2 and table.shape[1] == len(head) and bool(np.isfinite(table).all())
    nodes = tuple(np.unique(table[:, axis]) for axis in range(len(AXES))) if is_whole else ()
    shape = tuple(each.size for each in nodes)
    if not is_whole or math.prod(shape) != len(rows) or min(shape) < 2:
        raise _broken(path, f"{len(rows)} rows", "finite numbers, a row for each node of a grid")
    return Grid(nodes, table[:, len(AXES) :].reshape(*shape, len(_COLUMNS)), about)


@lru_cache(maxsize=1)
def shipped_grid() -> Grid:
    """The table of the catalog, read once."""
    return read_grid(SHIPPED)


def _broken(path: Path, got: str, expected: str) -> CatalogError:
    fix = "make it anew with: unmoor calibrate escape"
    return CatalogError(Problem(f"{path}", "escape", literal(got), expected, fix, "E-CATALOG"))


def _scale(value: float, axis: int) -> float:
    """A value on the scale on which its axis is even."""
    return math.log(value) if _LOGARITHMIC[axis] else value


def _between(ends: tuple[float, float], share: float, axis: int) -> float:
    """A place between the ends of an axis, even on its scale; rounded, but for the ends."""
    low, high = ends
    if share in (0.0, 1.0) or low == high:
        return high if share else low
    at = _scale(low, axis) + share * (_scale(high, axis) - _scale(low, axis))
    return rounded(math.exp(at) if _LOGARITHMIC[axis] else at)


def rounded(value: float) -> float:
    """A number as the table holds it: errors are far larger."""
    return float(f"{value:.6g}")


def _halton(n: int, base: int) -> float:
    """The n-th number of a Halton sequence, between 0 and 1."""
    value, share = 0.0, 1.0
    while n:
        n, digit = divmod(n, base)
        share /= base
        value += share * digit
    return value
