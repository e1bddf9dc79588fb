"""Groups: cells that hang together, the main body of a tissue and what has come off it."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from unmoor import catalog
from unmoor.compilation import kernel
from unmoor.tissue.neighbours import contacts
from unmoor.tissue.snapshot import Snapshot

OPEN = 0.2  # a closely packed flat face has 0.27, see `is_at_edge`


class Groups(NamedTuple):
    """Connected components of the contact graph of the living cells.

    Components are numbered from the largest down, ties by their smallest identity, so component 0
    is the main body. A component of one cell is no body: where all cells are apart there is none.

    Attributes
    ----------
    component
        Component of each cell, -1 for one that does not live, shape (cells,).
    size
        Number of cells of each component, shape (components,).
    offset, neighbour
        Contacts: the living neighbours of cell ``i`` are ``neighbour[offset[i]:offset[i + 1]]``,
        shapes (cells + 1,) and (contacts,).
    """

    component: npt.NDArray[np.int64]
    size: npt.NDArray[np.int64]
    offset: npt.NDArray[np.int64]
    neighbour: npt.NDArray[np.int64]

    @property
    def main(self) -> int:
        """Number of the main body: 0, or -1 where there is none."""
        return 0 if self.size.size and self.size[0] > 1 else -1

    @property
    def in_body(self) -> npt.NDArray[np.bool_]:
        """Which cells belong to the main body, shape (cells,)."""
        return np.asarray((self.component == 0) & (self.main == 0))

    @property
    def is_detached(self) -> npt.NDArray[np.bool_]:
        """Which cells live apart from the main body, shape (cells,)."""
        return np.asarray((self.component >= 0) & ~self.in_body)

    @property
    def is_single(self) -> npt.NDArray[np.bool_]:
        """Which living cells touch no other living cell, shape (cells,)."""
        size = np.append(self.size, 0)  # the last for cells that do not live
        return np.asarray(size[self.component] == 1)

    @property
    def detached_sizes(self) -> npt.NDArray[np.int64]:
        """Sizes of all components but the main body, from the largest down."""
        return self.size[self.main + 1 :]


def default_reach() -> float:
    """Distance up to which cells of this tissue adhere, in sums of their radii [-]."""
    return float(catalog.table("closures", "tissue").values_by_id()["reach"])


def groups(snapshot: Snapshot, reach: float | None = None) -> Groups:
    """Find which living cells hang together.

    Two cells touch if d < reach · (r_i + r_j), d the distance of their centres.

    Parameters
    ----------
    snapshot
        A tissue of any number of cells.
    reach
        Touching distance in sums of the radii; if not given, the range of adhesion [-].
    """
    cells = len(snapshot.identity)
    living = np.flatnonzero(snapshot.is_living)
    factor = np.float32(default_reach() if reach is None else reach)
    touching = snapshot.radius[living] * factor
    offset, index = contacts(snapshot.position[living], touching, touching)
    root = np.empty(living.size, np.int64)
    _join(offset, index, root)
    number, size = _numbered(root, snapshot.identity[living])
    component = np.full(cells, -1, np.int64)
    component[living] = number
    count = np.zeros(cells + 1, np.int64)
    count[living + 1] = np.diff(offset)
    return Groups(component, size, np.cumsum(count), living[index])


def is_at_edge(snapshot: Snapshot, found: Groups) -> npt.NDArray[np.bool_]:
    """Which cells of the main body lie at its surface, shape (cells,).

    With u_ij the unit vector from cell i to its neighbour j, |mean_j u_ij| is 0 where neighbours
    surround the cell evenly, .27 to .5 at a flat face and 1 for one neighbour. A cell with
    more than .2 is at the edge.
    """
    openness = np.empty(len(snapshot.identity))
    _open_sides(snapshot.position, found.offset, found.neighbour, openness)
    return np.asarray(found.in_body & (openness > OPEN))


def _numbered(root: Any, identity: Any) -> tuple[Any, Any]:
    """Number components by falling size, then by smallest identity."""
    _, number, size = np.unique(root, return_inverse=True, return_counts=True)
    smallest = np.full(size.size, np.iinfo(np.uint64).max, np.uint64)
    np.minimum.at(smallest, number, identity)
    order = np.lexsort((smallest, -size))
    rank = np.empty(size.size, np.int64)
    rank[order] = np.arange(size.size)
    return rank[number], size[order]


@kernel
def _join(offset: Any, index: Any, root: Any) -> None:
    """Union-find with halved paths; the root of a component is its first cell."""
    for i in range(root.size):
        root[i] = i
    for i in range(root.size):
        for k in range(offset[i], offset[i + 1]):
            a, b = i, np.int64(index[k])
            while root[a] != a:
                root[a] = root[root[a]]
                a = root[a]
            while root[b] != b:
                root[b] = root[root[b]]
                b = root[b]
            if a < b:
                root[b] = a
            else:
                root[a] = b
    for i in range(root.size):  # parents come before their children
        root[i] = root[root[i]]


@kernel
def _open_sides(position: Any, offset: Any, index: Any, openness: Any) -> None:
    """Length of the mean unit vector to the neighbours; 0 without any."""
    for i in range(openness.size):
        x = y = z = 0.0
        for k in range(offset[i], offset[i + 1]):
            j = index[k]
            dx = position[j, 0] - position[i, 0]
            dy = position[j, 1] - position[i, 1]
            dz = position[j, 2] - position[i, 2]
            d = np.sqrt(dx * dx + dy * dy + dz * dz)
            if d > 0.0:
                x += dx / d
                y += dy / d
                z += dz / d
        count = max(offset[i + 1] - offset[i], 1)
        openness[i] = np.sqrt(x * x + y * y + z * z) / count
