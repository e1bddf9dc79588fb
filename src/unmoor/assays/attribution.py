"""Which parts of a treatment's effect act by which way: subjects lived again part by part.

A *coalition* is a set of parts that a treated subject keeps; all others are the control's, in the
same draw and the same animals. Parts are stages of the way to a metastasis, or routes by which
signalling and treatment reach behaviour; edges of the network are cut in runs of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from unmoor.assays.days import Frames, Released
from unmoor.assays.orthotopic_xenograft import run_xenograft
from unmoor.assays.preparation import Preparation, Setting
from unmoor.assays.quantities import COURSES, PACES
from unmoor.assays.replay import STAGES, replay
from unmoor.catalog.draws import Draw
from unmoor.elementwise import FloatArray
from unmoor.signalling.readouts import Readouts

ROUTES: dict[str, tuple[str, ...]] = {
    "adhesion": ("itgb1", "ptk2"),
    "β3 integrin": ("itgb3",),
    "E-cadherin": ("e_cadherin",),
    "mesenchymal": ("mesenchymal",),
    "pSMAD": ("psmad",),
    "host": ("systemic",),
    "killing": ("chemotherapy", "radiation"),
}
"""Routes by which a treatment reaches behaviour: the readouts and inputs each consists of."""
_GIVEN = ("itgb1", "ptk2", "systemic", "tgfbr1", "chemotherapy", "radiation")  # as in ``Treated``
_SEEN = (*Readouts._fields, *_GIVEN)


@dataclass(frozen=True)
class Coalitions:
    """Effects of coalitions of parts in each arm and draw.

    Attributes
    ----------
    parts
        Names of the parts; part ``i`` is in coalition ``n`` if bit ``i`` of ``n`` is set.
    spread, tumour
        Logarithm of the ratio to control of expected metastases and of geometric-mean volume,
        shape (draws, arms, 2 ** parts); NaN where a subject could not be solved.
    """

    parts: tuple[str, ...]
    spread: FloatArray
    tumour: FloatArray


def coalitions(
    setting: Setting, draws: Sequence[Draw], animals: int, control: int
) -> tuple[Coalitions, Coalitions]:
    """Effects of all coalitions of stages, and of all coalitions of routes that any arm takes.

    Parameters
    ----------
    animals
        Animals of each subject, over which metastases and logarithms of volumes are averaged.
    control
        Place of the control among the arms of the setting.
    """
    on = Preparation(setting, draws, animals)
    start = type(on.tumours)(*(each.copy() for each in on.tumours))
    count = on.grid.size - 1
    seen = np.zeros(on.seen_shape(count))
    nothing = Frames(np.zeros((on.shape[0], 2, len(COURSES))), np.zeros((on.shape[0], 2, 0)))
    released = Released(np.zeros(on.tumours.shed.shape), np.zeros(on.tumours.shed.shape))
    on.live(released, 0, nothing, np.zeros((on.shape[0], 1, len(PACES), on.shape[1])), seen)
    treated = on.treated()
    n_arms = len(on.arms)
    base = np.arange(on.shape[0]) // n_arms * n_arms + on.arm_subjects[control]
    taken = _routes_taken(treated.means, base)
    routes, stages = _masks(taken)
    shed = np.zeros((on.shape[0], len(routes), animals + 1))
    volume = np.zeros(shed.shape)
    replay(
        on.constants, on.cells, on.home, treated, seen, base, routes, stages, start, on.leaving,
        float(on.grid[1]), shed, volume,
    )  # fmt: skip
    shape = (len(draws), n_arms, len(routes))
    is_solved = (on.batch.failed() == 0).reshape(shape[:2])
    is_solved &= is_solved[:, [on.arm_subjects[control]]]
    with np.errstate(all="ignore"):
        spread = np.log(shed[:, :, 1:].sum(axis=2)).reshape(shape)
        tumour = np.log(volume[:, :, 1:]).mean(axis=2).reshape(shape)
    known = [
        np.where(is_solved[:, :, None], x, np.nan)[:, on.arm_subjects] for x in (spread, tumour)
    ]
    n_stages = 2 ** len(STAGES)
    cuts = (slice(n_stages), slice(n_stages, None))
    own = [[each[:, :, cut] - each[:, :, cut][:, :, :1] for each in known] for cut in cuts]
    return Coalitions(STAGES, *own[0]), Coalitions(tuple(taken), *own[1])


def _routes_taken(means: FloatArray, base: np.ndarray) -> list[str]:
    """Routes on which some subject can differ from its control; readouts always can."""
    differs = (means != means[base]).any(axis=(0, 1))
    return [
        name
        for name, parts in ROUTES.items()
        if any(part not in _GIVEN or differs[_GIVEN.index(part)] for part in parts)
    ]


def _masks(routes: Sequence[str]) -> tuple[FloatArray, FloatArray]:
    """What each coalition keeps: of stages first, then of routes, shape (mixtures, …) each."""
    n_stages, n_routes = 2 ** len(STAGES), 2 ** len(routes)
    stages = np.ones((n_stages + n_routes, len(STAGES)))
    seen = np.ones((n_stages + n_routes, len(_SEEN)))
    for n in range(n_stages):
        stages[n] = [n >> i & 1 for i in range(len(STAGES))]
    for n in range(n_routes):
        for i, name in enumerate(routes):
            for part in ROUTES[name]:
                seen[n_stages + n, _SEEN.index(part)] = n >> i & 1
    return seen, stages


def without_edge(
    setting: Setting, draws: Sequence[Draw], animals: int, control: int, cut: Sequence[str]
) -> tuple[FloatArray, FloatArray]:
    """Logarithms of spread and tumour ratio with edges of the network cut, (draws, arms) each.

    Without any cut edge these are the ratios of the study.
    """
    result = run_xenograft(replace(setting, cut=tuple(cut)), draws, animals, follow=False)
    with np.errstate(all="ignore"):
        spread = np.log(result.expected_metastases.sum(axis=2))
        tumour = np.log(result.volume).mean(axis=2)
    is_solved = (result.status == 0) & (result.status[:, [control]] == 0)
    ratios = [np.where(is_solved, x - x[:, [control]], np.nan) for x in (spread, tumour)]
    return ratios[0], ratios[1]
