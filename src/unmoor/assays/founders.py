"""Founders of tissues: cells as a culture has made them, handed to each place in a tissue.

What a tissue needs of a draw under an arm: networks at the end of culture, what each clone is like
untreated, and what is done to the cells over time. Everything is that of
:class:`~unmoor.assays.preparation.Preparation`, which all other assays use.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from unmoor.assays.days import Treated
from unmoor.assays.preparation import Preparation, Setting
from unmoor.assays.treatment import Arm, treat
from unmoor.catalog.draws import Draw
from unmoor.cell.phenotype import behave, settle
from unmoor.compilation import kernel
from unmoor.elementwise import FloatArray
from unmoor.signalling.readouts import Readouts
from unmoor.signalling.solve import LANES, Blocks
from unmoor.therapy.regimen import Regimen
from unmoor.tissue.signals import Places, Schedule, Signals

_DAY = 1440.0  # min
_CHEMOTHERAPY, _RADIATION = 4, 5  # in ``Treated.means``


class Founders:
    """Cells of every draw under every treatment, from which tissues are founded.

    Attributes
    ----------
    on
        What they were made of; subjects are draws × its arms.
    """

    def __init__(self, setting: Setting, draws: Sequence[Draw]) -> None:
        self.on = on = Preparation(setting, draws, 0)
        self._treated = on.treated()
        self._inner = self._without_drugs()
        self._base = np.zeros((on.shape[0], 2, on.shape[1]))
        _note_untreated(on.constants, on.cells, on.home, self._base)
        self._rates = [draw.values("closures", "culture") for draw in draws]

    def _without_drugs(self) -> FloatArray:
        """Inputs where no drug gets to, shape (subjects, intervals, inputs)."""
        on, setting = self.on, self.on.setting
        arms: list[Arm] = [[x for x in arm if not isinstance(x, Regimen)] for arm in on.arms]
        inputs = on.network.inputs
        bare = treat(
            arms, on.draws, on.grid, inputs, setting.line.species, setting.beside,
            setting.interaction,
        )  # fmt: skip
        return np.stack([bare.course(name, value).mean for name, value in inputs.items()], axis=-1)

    def subject(self, draw: int, arm: int) -> int:
        """Number of a subject."""
        return draw * len(self.on.arms) + arm

    def status(self, subject: int) -> int:
        """0, or why the networks of a subject could not be solved in culture."""
        return int(self.on.batch.failed()[subject])

    def clones(self, cells: int, populations: int) -> Any:
        """Number of each founder's clone, those of the second population after the first's.

        Populations take turns, and clones within them.
        """
        n, count = np.arange(cells), self.on.shape[1]
        return n % populations * count + n // populations % count

    def schedule(self, subjects: Sequence[int]) -> Schedule:
        """What is done over time to the cells of each population of a tissue."""
        treated: Treated = self._treated
        kills = treated.means[subjects[0]][:, [_CHEMOTHERAPY, _RADIATION]]
        interval = float(self.on.grid[1]) * _DAY
        of = list(subjects)
        return Schedule(treated.inputs[of], self._inner[of], kills, interval)

    def signals(self, draw: int, subjects: Sequence[int], cells: int) -> Signals:
        """Networks of the founders of one tissue.

        Parameters
        ----------
        subjects
            Populations in the tissue; founders belong to one after the other.
        """
        on = self.on
        clone = self.clones(cells, len(subjects)) % on.shape[1]
        of = np.asarray(subjects)[np.arange(cells) % len(subjects)]
        width = on.batch.blocks.state.shape[0] // on.shape[0]
        block, lane = of * width + clone // LANES, clone % LANES
        rates = self._rates[draw]
        labels = list(on.network.inputs)
        return Signals(
            machine=on.batch.machine,
            blocks=_by_slot(on.batch.blocks, _filled(block), _filled(lane)),
            cells=on.cells[_filled(of), _filled(clone)].view(np.recarray),
            constants=on.constants[subjects[0]],
            base=self._base[_filled(of), :, _filled(clone)].T.copy(),
            room=rates["division_rate"],
            turnover=rates["death_rate"],
            kind=_filled((np.arange(cells) % len(subjects)).astype(np.int8)),
            schedule=self.schedule(subjects),
            places=Places(*(labels.index(name) for name in ("itgb1", "ptk2", "tgfb_outside"))),
        )


def _filled(numbers: Any) -> Any:
    """Numbers of founders to whole blocks of slots; slots without one take those of the first."""
    missing = -numbers.size % LANES
    return np.concatenate([numbers, np.repeat(numbers[:1], missing)])


def _by_slot(blocks: Blocks, block: Any, lane: Any) -> Blocks:
    """Numbers of a batch, those of cell ``lane`` of ``block`` for each slot."""

    def taken(array: FloatArray) -> FloatArray:
        cells = array[block, :, lane]  # (slots, numbers)
        return np.ascontiguousarray(cells.reshape(-1, LANES, cells.shape[1]).transpose(0, 2, 1))

    status = blocks.status[block].reshape(-1, LANES).max(axis=1)
    return Blocks(
        taken(blocks.state), taken(blocks.parameters), taken(blocks.inputs), taken(blocks.step),
        status, taken(blocks.readouts),
    )  # fmt: skip


@kernel
def _note_untreated(c: Any, cells: Any, home: FloatArray, base: FloatArray) -> None:
    """Note the untreated readouts in the cells; growth and death of these go to ``base``.

    Parameters
    ----------
    c, cells
        Constants (a record a subject) and cells (records, shape (subjects, clones)).
    home
        Readouts of the untreated cells, shape (blocks, readouts, 8).
    base
        Shape (subjects, 2, clones).
    """
    width = home.shape[0] // cells.shape[0]
    for s in range(cells.shape[0]):
        for k in range(cells.shape[1]):
            r = home[s * width + k // LANES, :, k % LANES]
            now = Readouts(r[0], r[1], r[2], r[3], r[4], r[5], r[6])
            settle(c[s], cells[s, k], now)
            does = behave(c[s], cells[s, k], now, 1.0, 1.0)
            base[s, 0, k], base[s, 1, k] = does.growth, does.death_rate
