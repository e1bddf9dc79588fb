"""Orthotopic tumour in a mouse: growth, shedding and lung metastases, for a batch of draws.

Every draw runs an untreated tumour and all arms with the same clones and the same animals. The
network sees its inputs as constant over half a day; growth, shedding and the clones' weights are
advanced at the same pace. Equations: docs/explanation/organism.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from unmoor.assays.days import Frames, Released
from unmoor.assays.preparation import Preparation, Setting
from unmoor.assays.quantities import COURSES, PACES
from unmoor.catalog.draws import Draw
from unmoor.cell.line_rule import LineParameters
from unmoor.elementwise import FloatArray
from unmoor.organism.circulation import circulating

_FRAME_EVERY = 2  # intervals between the points of a course
NOT_FINITE = 3  # status of a subject whose outcome is not a finite number


@dataclass(frozen=True)
class XenograftResult:
    """Outcomes of a batch.

    Attributes
    ----------
    status
        0 or the reason of failure (``signalling.batch.FAILURES``), shape (draws, arms).
    volume
        Tumour volume at read-out, shape (draws, arms, animals) [mm³].
    expected_metastases
        Expected lung metastases of an animal before its own shedding factor, same shape.
    exposure
        Integral of the typical animal's tumour volume, shape (draws, arms) [mm³·d].
    shedding
        Expected metastases of the typical animal, shape (draws, arms).
    singles, clusters
        Expected circulating single cells and clusters at read-out, same shape [1/mL].
    courses
        ``COURSES`` over time, shape (draws, arms, quantities, times).
    times
        Days of ``courses``, shape (times,) [d].
    animal_volumes
        Tumour volume of the animals that are followed on those days, shape (draws, arms, animals,
        times) [mm³]; no animals unless asked for.
    paces
        ``PACES`` of the clones of the typical animal in the last interval, shape (draws, arms,
        paces, clones).
    weights
        Volumes of these clones at read-out, shape (draws, arms, clones) [mm³].
    lines
        Parameters of the line in each draw.
    k_int
        Coupling of lost adhesion to TGFβ in each draw, shape (draws,).
    """

    status: np.ndarray
    volume: FloatArray
    expected_metastases: FloatArray
    exposure: FloatArray
    shedding: FloatArray
    singles: FloatArray
    clusters: FloatArray
    courses: FloatArray
    times: FloatArray
    animal_volumes: FloatArray
    paces: FloatArray
    weights: FloatArray
    lines: Sequence[LineParameters]
    k_int: FloatArray


def run_xenograft(
    setting: Setting,
    draws: Sequence[Draw],
    animals: int,
    *,
    follow: bool = True,
    follow_animals: int = 0,
) -> XenograftResult:
    """Run parameter sets ``draws``, each with ``animals`` animals an arm.

    A draw's numbers do not depend on which others are in the batch, nor an animal's on how many
    there are. ``follow`` keeps the courses day by day; without it only their first and last
    points are kept. ``follow_animals`` keeps the volumes of so many animals beside them.
    """
    on = Preparation(setting, draws, animals)
    every = _FRAME_EVERY if follow else 0
    last = on.grid.size - 1
    kept = [i for i in range(last + 1) if i in (0, last) or (every and i % every == 0)]
    shape = (on.shape[0], len(kept))
    followed = min(follow_animals, animals)
    frames = Frames(np.zeros((*shape, len(COURSES))), np.zeros((*shape, followed)))
    released = Released(np.zeros(on.tumours.shed.shape), np.zeros(on.tumours.shed.shape))
    paces = np.zeros((on.shape[0], 1, len(PACES), on.shape[1]))
    on.live(released, every, frames, paces)
    return _collect(on, released, frames, paces, on.grid[kept])


def _collect(
    on: Preparation, released: Released, frames: Frames, paces: FloatArray, times: FloatArray
) -> XenograftResult:
    """Scale shedding to the untreated subject, and sort subjects by arm without typical animals."""
    arms, c = len(on.arms), on.constants
    wanted = c.untreated_metastases[::arms]
    scale = np.repeat(wanted / on.tumours.shed[::arms, 0], arms)[:, None]
    courses = frames.courses
    courses[:, :, COURSES.index("cumulative_metastases")] *= scale
    volume = np.zeros(on.tumours.shed.shape)
    for k in range(on.shape[1]):
        volume += on.tumours.volumes[:, k, :]
    for j in range(on.tumours.dying.shape[1]):
        volume += on.tumours.dying[:, j, :]
    finite = np.isfinite(volume).all(axis=1) & np.isfinite(on.tumours.shed).all(axis=1)
    finite &= np.isfinite(courses).all(axis=(1, 2))
    status = on.batch.failed()
    status = np.where((status == 0) & ~finite, NOT_FINITE, status)
    blood = {"blood_volume": c.blood_volume[:, None]}
    singles = circulating(released.singles * scale, c.single_half_life[:, None], blood)
    clusters = circulating(released.clusters * scale, c.cluster_half_life[:, None], blood)

    def by_arm(values: Any) -> Any:
        return values.reshape(len(on.draws), arms, *values.shape[1:])[:, on.arm_subjects]

    return XenograftResult(
        status=by_arm(status),
        volume=by_arm(volume)[:, :, 1:],
        expected_metastases=by_arm(on.tumours.shed * scale)[:, :, 1:],
        exposure=by_arm(on.tumours.exposure)[:, :, 0],
        shedding=by_arm(on.tumours.shed * scale)[:, :, 0],
        singles=by_arm(singles)[:, :, 1:],
        clusters=by_arm(clusters)[:, :, 1:],
        courses=np.swapaxes(by_arm(courses), 2, 3),
        times=times,
        animal_volumes=np.swapaxes(by_arm(frames.animals), 2, 3),
        paces=by_arm(paces[:, 0]),
        weights=by_arm(on.tumours.volumes[:, :, 0]),
        lines=on.lines,
        k_int=np.array([values["k_int"] for values in on.values]),
    )
