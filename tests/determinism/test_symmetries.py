"""What is only a name, an order or a start of counting changes no bit of a result."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from small_study import SMALL, fresh_run, small_study
from unmoor.assays import xenograft_assay
from unmoor.catalog import draws
from unmoor.cell.line import Structure
from unmoor.random import Stream
from unmoor.trial.chunks import Chunk, compute
from unmoor.trial.effects import draw_interval, expected_ratios
from unmoor.trial.result import Result

TREATED = SMALL.replace("draws  = 12", "draws  = 4").replace('["4T1", "MDA-MB-231"]', '["4T1"]')
NAMES = {"anti-β1": "A", "knock-down": "β", "vehicle": "saline"}


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    """No test sees what another one left in memory."""
    draws._draw.cache_clear()
    yield
    draws._draw.cache_clear()


@pytest.fixture(scope="module")
def before() -> Result:
    """A study of one line and four arms."""
    return fresh_run(small_study(TREATED))


def relabelled(text: str) -> str:
    """The same study with other names for three of its arms."""
    for old, new in NAMES.items():
        text = text.replace(f'"{old}" =', f'"{new}" =').replace(
            f'control    = "{old}"', f'control    = "{new}"'
        )
    return text


def exact(result: Result, table: str, arms: dict[str, str]) -> dict[str, Any]:
    """Rows of each arm, under its old name, without what the noise of a reading is named after."""
    frame = getattr(result, table)
    frame = frame() if callable(frame) else frame
    noisy = [name for name in frame if name.endswith(("_study_low", "_study_high"))]
    frame = frame.drop(columns=[*noisy, "tumour_volume"], errors="ignore")
    back = {new: old for old, new in arms.items()}
    return {
        back.get(str(arm), str(arm)): part.drop(columns="arm").reset_index(drop=True)
        for arm, part in frame.groupby("arm", sort=False)
    }


def check_same(one: Result, two: Result, arms: dict[str, str]) -> None:
    """Each arm has the same numbers in both, to the bit."""
    for table in ("outcomes", "effects", "draws", "timecourses"):
        first, second = exact(one, table, {}), exact(two, table, arms)
        assert first.keys() == second.keys()
        for arm, rows in first.items():
            assert rows.equals(second[arm]), (table, arm)


def test_arms_are_only_names(before: Result) -> None:
    """Other labels, same tumours, metastases, ratios and verdicts.

    The error of a calliper reading is drawn by the name of the arm, so that another arm beside it
    changes nothing; readings and the intervals made of them are new with a new name.
    """
    check_same(before, fresh_run(small_study(relabelled(TREATED))), NAMES)


def reordered(text: str) -> str:
    """The arms from the last to the first."""
    start, end = text.index("[arms]\n") + len("[arms]\n"), text.index("[uncertainty]")
    body = text[start:end].strip()
    arms = ['"vehicle" = []', *body.split('"vehicle" = []')[1].strip().split('\n"')]
    arms = [arm if arm.startswith('"') else f'"{arm}' for arm in arms]
    return text[:start] + "\n".join(reversed(arms)) + "\n\n" + text[end:]


def test_the_order_of_arms_is_only_an_order(before: Result) -> None:
    """From the last to the first, the control at the end; readings and their intervals too."""
    text = reordered(TREATED)
    assert list(small_study(text).arms) == list(small_study(TREATED).arms)[::-1]
    after = fresh_run(small_study(text))
    check_same(before, after, {})
    for table in ("outcomes", "effects"):
        frames = [getattr(x, table) for x in (before, after)]
        frames = [frame() if callable(frame) else frame for frame in frames]
        keys = [name for name in ("cell_line", "arm", "draw", "animal") if name in frames[0]]
        one, two = (x.sort_values(keys).reset_index(drop=True) for x in frames)
        assert one.equals(two)


# ---------------------------------------------------------------- animals


def arrays(animals: int = 5) -> dict[str, Any]:
    """A chunk of the study."""
    study = small_study(TREATED, {"assays[0].animals": animals})
    return compute(study, Chunk(0, "4T1", Structure(), 1, 4, is_rival=False))


def check_permuted(made: dict[str, Any]) -> None:
    """Animals in another order have the same ratios, up to the order of a sum."""
    order = np.array([3, 0, 4, 2, 1])
    permuted = dict(made)
    for name in ("volume", "expected_metastases"):
        permuted[name] = made[name][:, :, order]
    for arm in range(1, 4):
        one, two = expected_ratios(made, arm, 0), expected_ratios(permuted, arm, 0)
        for name in ("tumour", "spread", "paradox", "exposure", "e_loss"):
            assert np.allclose(getattr(one, name), getattr(two, name), rtol=1e-13, atol=0.0)


def test_animals_are_only_numbers() -> None:
    """Permuted alike in all arms."""
    check_permuted(arrays())


def test_draws_are_only_numbers() -> None:
    """Median and interval over draws, whatever their order: the same bits."""
    values = Stream(4).lognormal(np.arange(101), "x", 0.5)
    for seed in range(5):
        order = np.random.default_rng(seed).permutation(101)
        assert draw_interval(values[order], 0.9) == draw_interval(values, 0.9)


def test_a_ratio_does_not_depend_on_the_unit() -> None:
    """Volumes in other units, by a power of two so that no bit is lost."""
    made = arrays()
    scaled = made | {"volume": made["volume"] * 1024.0, "exposure": made["exposure"] * 1024.0}
    scaled |= {"expected_metastases": made["expected_metastases"] * 0.25}
    for arm in range(1, 4):
        one, two = expected_ratios(made, arm, 0), expected_ratios(scaled, arm, 0)
        assert np.allclose(one.tumour, two.tumour, rtol=1e-13, atol=0.0)
        assert one.spread.tobytes() == two.spread.tobytes()
        assert one.exposure.tobytes() == two.exposure.tobytes()


def test_arms_swapped_invert_the_ratio() -> None:
    """Arm against control and control against arm."""
    made = arrays()
    there, back = expected_ratios(made, 2, 0), expected_ratios(made, 0, 2)
    assert np.allclose(there.tumour * back.tumour, 1.0, rtol=1e-13)
    assert np.allclose(there.spread * back.spread, 1.0, rtol=1e-13)
    assert (there.e_loss == -back.e_loss).all()


# ---------------------------------------------------------------- planted bugs


class NamedStream(Stream):
    """Growth drawn by what was asked before, as if arms were animals of their own."""

    asked = 0

    def lognormal(self, ids: Any, purpose: str, cv: Any, step: int = 0) -> Any:
        """Factors that depend on how often they were asked for."""
        NamedStream.asked += 1
        return super().lognormal(ids, purpose, cv, step + NamedStream.asked)


def plant_order(patch: pytest.MonkeyPatch) -> None:
    """Luck depends on how many were asked before."""
    patch.setattr(xenograft_assay, "Stream", NamedStream)


def plant_first_is_control(patch: pytest.MonkeyPatch) -> None:
    """The first arm is taken for the control."""
    from unmoor.trial import tables

    real = tables.expected_ratios
    patch.setattr(tables, "expected_ratios", lambda made, arm, _: real(made, arm, 0))


def plant_paired_wrongly(patch: pytest.MonkeyPatch) -> None:
    """Ratios are weighted by the number of the animal."""
    real = expected_ratios

    def weighted(made: Any, arm: int, control: int) -> Any:
        weights = np.arange(1, made["volume"].shape[2] + 1)
        heavy = made | {"expected_metastases": made["expected_metastases"] * weights}
        return real(heavy, arm, control)

    patch.setitem(globals(), "expected_ratios", weighted)


PLANTED: list[tuple[Callable[[pytest.MonkeyPatch], None], Callable[[Result], None]]] = [
    (plant_order, lambda before: test_arms_are_only_names(before)),
    (plant_first_is_control, lambda before: test_the_order_of_arms_is_only_an_order(before)),
    (plant_paired_wrongly, lambda _: check_permuted(arrays())),
]


@pytest.mark.parametrize(("plant", "check"), PLANTED)
def test_planted_bugs_are_caught(
    before: Result,
    monkeypatch: pytest.MonkeyPatch,
    plant: Callable[[pytest.MonkeyPatch], None],
    check: Callable[[Result], None],
) -> None:
    """Each symmetry holds above and fails here."""
    plant(monkeypatch)
    with pytest.raises(AssertionError):
        check(before)
