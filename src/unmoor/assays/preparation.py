"""Everything an animal study needs before its first day: cells, animals, treatments, rules."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from unmoor.assays.days import Frames, Released, Treated, Tumours, live
from unmoor.assays.interval import INTERVAL as INTERVAL
from unmoor.assays.leaving import leaving
from unmoor.assays.place import IN_A_TUMOUR, Place
from unmoor.assays.treatment import Arm, treat
from unmoor.catalog import table
from unmoor.catalog.draws import Draw
from unmoor.cell.line import CellLine, Structure, network_values
from unmoor.cell.phenotype import CELL, GROUNDS
from unmoor.elementwise import FloatArray, exponential
from unmoor.organism.chemotherapy import DYING
from unmoor.random import Stream, identifier
from unmoor.signalling.batch import Batch

_SETTLE = 20_000.0  # h in which an untreated cell reaches its steady state
_RTOL = 1e-4  # outcomes are within 1e-4 of those at 1e-7 (tests)
_CLONES_DIFFER_IN = ("beta1_tot", "k_int", "K_F")
_OF_THE_TISSUE = ("bond_E", "bond_M", "v_max")
_CLOSURES = (
    "adhesion", "cell", "escape", "dissemination", "paracrine", "radiation", "chemotherapy",
)  # fmt: skip


@dataclass(frozen=True)
class Setting:
    """One cell line in one host under all arms, for one structure of the model.

    Attributes
    ----------
    host
        Strain of the animals; None in culture.
    arms
        Treatments of each arm, in the order of the result.
    duration
        Read-out day [d].
    inoculum
        Cells injected.
    clones
        Clones of a tumour.
    interval
        Time over which inputs are held [d].
    interaction
        Reference model of drugs that act on one thing (``therapy.interaction``).
    place
        What cells stand on, and their room.
    escape
        Whether what leaves a tumour is read off the ``table`` of the catalog or counted in runs of
        the tissue under each parameter set (``direct``).
    cut
        Labels of edges of the network that see what they see in an untreated cell, whatever the
        treatment.
    """

    line: CellLine
    host: str | None
    arms: Sequence[Arm]
    structure: Structure
    duration: float
    inoculum: float
    clones: int
    seed: int
    interval: float = INTERVAL
    beside: Path | None = None
    interaction: str = "bliss"
    place: Place = IN_A_TUMOUR
    escape: str = "table"
    cut: tuple[str, ...] = ()


class Preparation:
    """Cells, animals and treatments of a batch; subjects are draws × (untreated, treatments…).

    Arms with the same treatment are one subject; ``arm_subjects`` says which.
    """

    def __init__(self, setting: Setting, draws: Sequence[Draw], animals: int) -> None:
        self.setting, self.draws = setting, draws
        self.arms: list[Arm] = list(dict.fromkeys([(), *(tuple(arm) for arm in setting.arms)]))
        self.arm_subjects = [self.arms.index(tuple(arm)) for arm in setting.arms]
        self.lines = [setting.line.parameters(draw, setting.structure.emt_core) for draw in draws]
        self.network = setting.structure.network.without(setting.cut)
        self.values = [
            network_values(draw, setting.structure, line)
            for draw, line in zip(draws, self.lines, strict=True)
        ]
        count = max(1, round(setting.duration / setting.interval))
        self.grid = np.linspace(0.0, setting.duration, count + 1)
        self.shape = (len(draws) * len(self.arms), setting.clones)
        self.treatment = treat(
            self.arms, draws, self.grid, self.network.inputs, setting.line.species, setting.beside,
            setting.interaction,
        )  # fmt: skip
        self.constants = self._constants()
        self.leaving = leaving(draws, setting.escape)
        self._set_cells()
        self._set_animals(animals)

    def _spread(self, values: Sequence[float]) -> FloatArray:
        """One value a draw to one a subject, shape (subjects, 1)."""
        return np.repeat(np.array(values, dtype=float), len(self.arms))[:, None]

    def _constants(self) -> np.recarray:
        """Constants of behaviour, a record a subject."""
        tables = [("closures", name) for name in _CLOSURES]
        host, place, rows = self.setting.host, self.setting.place, []
        for draw in self.draws:
            row = {i: v for kind, name in tables for i, v in draw.values(kind, name).items()}
            row |= draw.values("hosts", host) if host else {"iota": 0.0, "Lambda": 0.0}
            row["phi"] *= float(place.shares_medium)
            for ground in GROUNDS:
                weights = place.weights(ground, draw)
                row |= {f"{weight}_{ground}": value for weight, value in weights.items()}
            tissue = draw.values("closures", "tissue")
            row |= {name: tissue[name] for name in _OF_THE_TISSUE}
            row["cluster_anoikis"] = math.exp(-row["lambda_an"])
            rows.append(row)
        records = np.zeros(self.shape[0], dtype=[(name, np.float64) for name in rows[0]])
        for name in rows[0]:
            records[name] = self._spread([row[name] for row in rows])[:, 0]
        return records.view(np.recarray)

    def _clone_factors(self) -> dict[str, FloatArray]:
        """Log-normal factors of median 1 of the clones by name, shape (subjects, clones) each."""
        count = self.setting.clones
        spread = [
            draw.remember(("clones", count), partial(_clone_scores, draw, count))
            for draw in self.draws
        ]
        factors = np.repeat(exponential(np.array(spread)), len(self.arms), axis=0)
        return {name: factors[:, i, :] for i, name in enumerate(_CLONES_DIFFER_IN)}

    def _set_cells(self) -> None:
        """All cells at the end of culture, edited ones having been edited for its length."""
        home = self._settled()
        names = home.network.parameters
        values = {name: self._spread([v[name] for v in self.values]) for name in names}
        factors = self._clone_factors()
        values["beta1_tot"] = values["beta1_tot"] * factors["beta1_tot"]
        values["k_int"] = values["k_int"] * factors["k_int"]
        held = home.network.untreated(self.setting.cut, home.species(), self.values)
        values |= {name: self._spread(value) for name, value in held.items()}
        self.batch = Batch(self.network, values, self.shape, rtol=_RTOL)
        blocks = self.batch.state.shape[0] // len(self.draws)
        order = [home.network.species.index(name) for name in self.network.species]
        self.batch.state[:] = np.repeat(home.state[:, order], blocks, axis=0)
        self.batch.status[:] = np.repeat(home.status, blocks)
        self.batch.advance(0.0)
        self.cells = self._cell_records(values["beta1_tot"], factors["K_F"])
        self.home = self.batch.blocks.readouts.copy()
        for label, value in self.treatment.cultured.items():
            self.batch.set_input(label, value[:, None])
        culture = self.draws[0].values("closures", "paracrine")["preculture_time"]
        self.batch.advance(24.0 * culture)

    def _cell_records(self, beta1_tot: FloatArray, of_half: FloatArray) -> np.recarray:
        records = np.zeros(self.shape, dtype=CELL).view(np.recarray)
        level = "beta4_malignant" if self.setting.line.is_malignant else "beta4_polarised"
        records.beta1_tot, records.beta4 = beta1_tot, self.constants[level][:, None]
        records.K_F = self.constants.K_F[:, None] * of_half
        return records

    def _settled(self) -> Batch:
        """One untreated cell of each draw in the steady state of the line's branch."""
        network = self.setting.structure.network
        own = {name: np.array([[v[name]] for v in self.values]) for name in network.parameters}
        batch = Batch(network, own, (len(self.draws), 1), rtol=_RTOL)
        batch.set_parameter("f", np.array([[line.prime_f] for line in self.lines]))
        batch.set_parameter("tone", np.array([[line.prime_tone] for line in self.lines]))
        batch.advance(_SETTLE)
        batch.set_parameter("f", own["f"])
        batch.set_parameter("tone", own["tone"])
        batch.advance(_SETTLE)
        return batch

    def _set_animals(self, animals: int) -> None:
        """Gompertz growth; animal 0 is the typical one whose clones' volumes are weights."""
        growth = [draw.values("closures", "growth") for draw in self.draws]
        cv = table("closures", "growth", self.setting.beside)["beta"].cv
        spread = float(np.sqrt(np.log1p(cv * cv)))
        scores = np.zeros((len(self.draws), animals + 1))
        for d, draw in enumerate(self.draws):
            stream = Stream(self.setting.seed, draw=draw.number)
            scores[d, 1:] = stream.normal(np.arange(1, animals + 1, dtype=np.uint64), "growth")
        beta = np.array([[values["beta"]] for values in growth]) * exponential(spread * scores)
        beta = np.repeat(beta, len(self.arms), axis=0)
        alpha = self._spread([values["k"] for values in growth]) * beta
        place = self.setting.place
        rooms = [room for draw in self.draws if (room := place.room(draw)) is not None]
        if rooms:
            alpha, beta = np.zeros(beta.shape) + self._spread(rooms), np.zeros(beta.shape)
        volume = growth[0]["volume_per_million"] * self.setting.inoculum / 1e6
        volumes = np.full((*self.shape, animals + 1), volume / self.shape[1])
        shed, exposure = np.zeros((2, self.shape[0], animals + 1))
        dying = np.zeros((self.shape[0], DYING if self.treatment.kills else 0, animals + 1))
        self.tumours = Tumours(volumes, dying, shed, exposure, alpha, beta)

    def treated(self) -> Treated:
        """Courses of the inputs and of what behaviour needs."""
        given = self.treatment.course
        inputs = [given(i, value).mean for i, value in self.network.inputs.items()]
        acting = [
            given("itgb1", 1.0),
            given("ptk2", 1.0),
            self.treatment.systemic,
            given("tgfbr1", 1.0),
            self.treatment.chemotherapy,
            self.treatment.radiation,
        ]
        return Treated(
            np.stack(inputs, axis=-1),
            np.stack([course.mean for course in acting], axis=-1),
            np.stack([course.at for course in acting], axis=-1),
        )

    def live(
        self,
        released: Released,
        every: int,
        frames: Frames,
        paces: FloatArray,
        seen: FloatArray | None = None,
    ) -> None:
        """Run all days; what comes of it is in the arrays given, and in ``tumours``."""
        outside = list(self.network.inputs).index("tgfb_outside")
        if seen is None:
            seen = np.zeros(self.seen_shape(0))
        live(
            self.constants, self.cells, self.home, self.treated(), self.tumours, released,
            self.batch.blocks, float(self.grid[1]), every, outside, self.batch.machine,
            self.leaving, frames, paces, seen,
        )  # fmt: skip

    def seen_shape(self, intervals: int) -> tuple[int, ...]:
        """Shape of the readouts of all cells in so many intervals."""
        blocks, *cell = self.batch.blocks.readouts.shape
        return (self.shape[0], intervals, blocks // self.shape[0], *cell)


def _clone_scores(draw: Draw, clones: int) -> FloatArray:
    """Logarithms of the clones' factors in one draw, shape (quantities, clones)."""
    names = [f"clone/{name}/{k}" for name in _CLONES_DIFFER_IN for k in range(clones)]
    ids = np.array([identifier(name) for name in names], dtype=np.uint64)
    cvs = [draw.values("closures", "clones")[f"cv_{name}"] for name in _CLONES_DIFFER_IN]
    spread = np.array([[np.sqrt(np.log1p(cv * cv))] for cv in cvs])
    scores = Stream(draw.seed, draw=draw.number).normal(ids, "clone")
    scaled: FloatArray = spread * scores.reshape(len(cvs), clones)
    return scaled
