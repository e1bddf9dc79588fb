"""Each standard test catches a part that is broken in just the way that it is there for."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

import own_catalog
from unmoor import catalog
from unmoor.assays.base import LABEL, Assay, Bench, Outcome, duration, read_fields
from unmoor.catalog.draws import Draw
from unmoor.fields import Field, OneOf
from unmoor.findings import FieldPath, Findings
from unmoor.signalling.network import Network
from unmoor.testing import (
    StandardAssayTest,
    StandardDrugTest,
    StandardHostTest,
    StandardLineTest,
    StandardMatrixTest,
    StandardNetworkTest,
    StandardStudyTest,
)


def standard(kind: type, **attributes: object) -> Any:
    """Make a standard test of a part."""
    return type("OwnTest", (kind,), attributes)()


def every_test(own: object) -> list[str]:
    """Names of the tests of a class."""
    return [name for name in dir(own) if name.startswith("test_")]


def failing(own: object) -> set[str]:
    """Names of the tests that fail, without the prefix."""
    found = set()
    for name in every_test(own):
        try:
            getattr(own, name)()
        except AssertionError:
            found.add(name.removeprefix("test_"))
    return found


# --- networks -----------------------------------------------------------------------------------

PAIR = """
dA/dt = k*B*drug - r*A
dB/dt = r*A - k*B*drug
dC/dt = p*A/(1 + A) - q*C
"""


def network(equations: str, **changes: Any) -> Any:
    """A test of a network of two forms of one protein, and a third that follows them."""
    made = Network(
        name="pair",
        equations=equations,
        inputs={"drug": 1.0},
        readouts={"form": "A/(A + B)"},
        scale={"A": 1.0, "B": 1.0, "C": 1.0},
        start={"A": 0.5, "B": 0.5, "C": 0.0},
    )
    given = {"conserved": {"protein": {"A": 1.0, "B": 1.0}}, "hours": 1e3}
    values = {"k": 0.3, "r": 0.2, "p": 0.1, "q": 0.05}
    given |= {"network": made, "parameters": values, **changes}
    return standard(StandardNetworkTest, **given)


def test_a_sound_network_passes() -> None:
    """Two forms with a conserved total, and a species that follows."""
    assert failing(network(PAIR)) == set()


@pytest.mark.parametrize(
    ("old", "new", "caught"),
    [
        ("- q*C", "- q", "amounts_never_fall_below_zero"),
        ("dB/dt = r*A", "dB/dt = 1.01*r*A", "totals_are_conserved"),
        ("- q*C", "- 0*q*C", "a_steady_state_is_found"),
        ("p*A/(1 + A)", "p/max(0, C)", "the_jacobian_is_finite"),
    ],
)
def test_a_broken_network_is_caught(old: str, new: str, caught: str) -> None:
    """A constant sink, a leak, something that piles up, a rate that is not defined at zero."""
    own = network(PAIR.replace(old, new))
    with pytest.raises(AssertionError):
        getattr(own, f"test_{caught}")()


def test_a_readout_that_divides_by_zero_is_caught() -> None:
    """A cell's behaviour cannot be computed from it."""
    own = network(PAIR)
    broken = dataclasses.replace(own.network, readouts={"form": "A/min(A, 0)"})
    with pytest.raises(AssertionError, match="form is not finite"):
        network(PAIR, network=broken).test_readouts_are_finite()


# --- assays -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Weighing(Assay):
    """An assay in a few lines: cells lose weight with the strength of their treatments."""

    name: ClassVar[str] = "weighing"
    outcomes: ClassVar[tuple[str, ...]] = ("weight",)
    courses: ClassVar[tuple[str, ...]] = ("weight",)
    table: ClassVar[tuple[Field, ...]] = (
        Field("name", OneOf(("weighing",)), '"weighing"'), LABEL, duration("time", '"3 d"'),
    )  # fmt: skip
    duration: float = 3.0
    label: str = "weighing"

    @classmethod
    def parse(
        cls, raw: Mapping[str, Any], path: FieldPath, findings: Findings, *, bare: bool
    ) -> dict[str, Any]:
        """Read its table."""
        return read_fields(raw, cls.table, path, findings, bare=bare)

    def weight(self, bench: Bench, arm: Any, draw: Draw, place: int) -> float:
        """Weight of one arm in one draw."""
        del bench, place
        loss = sum(
            1e-3 * item.concentration.value if hasattr(item, "drug") else 0.5 * (1 - item.factor)
            for item in arm
        )
        return (1.0 + draw.uniform("weight")) * max(0.0, 1.0 - loss)

    def run(self, bench: Bench, draws: Sequence[Draw]) -> Outcome:
        """Run parameter sets."""
        rows = [
            [self.weight(bench, arm, draw, place) for arm in bench.arms.values()]
            for place, draw in enumerate(draws)
        ]
        weights = np.array(rows)[:, :, None, None]
        lines = [bench.line.parameters(draw, "cascading") for draw in draws]
        status = np.zeros(weights.shape[:2], dtype=int)
        days = np.array([self.duration])
        return Outcome(status, weights, days, weights, days, lines, np.ones(len(draws)), {})


def bent(name: str, change: Callable[..., float]) -> Assay:
    """The assay with its weight changed."""

    def weight(self: Weighing, bench: Bench, arm: Any, draw: Draw, place: int) -> float:
        return change(Weighing.weight(self, bench, arm, draw, place), bench, arm, draw, place)

    return dataclass(frozen=True)(type(name, (Weighing,), {"weight": weight}))()


_COUNTER = iter(range(10**9))
BROKEN_ASSAYS: dict[str, tuple[Callable[..., float], set[str]]] = {
    "with a state of its own": (
        lambda w, *_: w + 1e-9 * next(_COUNTER),
        {"the_same_seed_gives_the_same_outcome"},
    ),
    "that knows the place in the batch": (
        lambda w, b, a, d, place: w + 0.1 * place,
        {"the_order_of_draws_does_not_count", "a_draw_alone_gives_the_same_bits"},
    ),
    "that knows the place of an arm": (
        lambda w, b, arm, d, p: w + 0.1 * [*b.arms.values()].index(arm),
        {"the_order_of_arms_does_not_count"},
    ),
    "in which the syringe counts": (
        lambda w, b, arm, d, p: 0.9 * w if any(hasattr(i, "drug") for i in arm) else w,
        {"no_dose_is_no_drug"},
    ),
    "that is not finite": (
        lambda w, b, arm, d, p: np.nan if arm else w,
        {"outcomes_have_their_shape_and_are_finite"},
    ),
    "in which nothing shows": (lambda w, b, a, d, p: 1.0, {"loss_of_the_gene_shows"}),
}


def test_a_sound_assay_passes() -> None:
    """By its interface alone."""
    assert failing(standard(StandardAssayTest, assay=Weighing())) == set()


@pytest.mark.parametrize("what", BROKEN_ASSAYS)
def test_a_broken_assay_is_caught(what: str) -> None:
    """By the test that is there for it."""
    change, caught = BROKEN_ASSAYS[what]
    assert caught <= failing(standard(StandardAssayTest, assay=bent("Bent", change)))


def test_an_assay_that_forgets_a_setting_is_caught() -> None:
    """When it is written."""

    class Forgetful(Weighing):
        def to_toml(self) -> str:
            return '[[assays]]\nname = "weighing"\nduration = "4 d"\n'

    own = standard(StandardAssayTest, assay=Forgetful())
    assert failing(own) == {"settings_survive_a_study_file"}


def test_an_assay_that_can_be_changed_is_caught() -> None:
    """A setting that moves under a running study."""

    @dataclass
    class Open(Weighing.__mro__[1]):  # type: ignore[misc, name-defined]
        name: ClassVar[str] = "weighing"
        outcomes: ClassVar[tuple[str, ...]] = ("weight",)
        courses: ClassVar[tuple[str, ...]] = ("weight",)
        table: ClassVar[tuple[Field, ...]] = Weighing.table
        duration: float = 3.0
        label: str = "weighing"
        parse = Weighing.parse
        weight = Weighing.weight
        run = Weighing.run

    own = standard(StandardAssayTest, assay=Open())
    assert failing(own) == {"settings_survive_a_study_file"}


# --- folders ------------------------------------------------------------------------------------


@pytest.fixture
def beside(tmp_path: Path) -> Path:
    """A folder with a catalog of its own."""
    own_catalog.write(tmp_path)
    shutil.rmtree(tmp_path / "catalog" / "matrices")
    return tmp_path


def row(beside: Path, entry: str, name: str, new: str) -> None:
    """Replace the row of a table."""
    path = beside / "catalog" / entry / "parameters.tsv"
    lines = path.read_text(encoding="utf-8").splitlines()
    kept = [new if line.split("\t")[0] == name else line for line in lines]
    assert kept != lines
    path.write_text("\n".join(kept) + "\n", encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "new", "options", "caught"),
    [
        ("L_ITGB1", "L_ITGB1\t-0.3\tFPKM\t-1\t1\t\tmeasured\tOurRNA\tRNA", {},
         "the_folder_keeps_to_its_contract"),
        ("L_ITGB1", "L_ITGB1\t15\tlog2\t14\t16\t\tmeasured\tOurRNA\tRNA", {},
         "parameters_are_finite_and_bounded"),
        ("L_ITGB1", "L_ITGB1\t0\tlog2\t-1\t1\t\tmeasured\tOurRNA\tRNA", {"volume": (1e4, 2e4)},
         "untreated_tumours_grow_as_stated"),
        ("L_ITGB1", "L_ITGB1\t0\tlog2\t-1\t1\t\tmeasured\tOurRNA\tRNA", {"kept": 1.01},
         "it_keeps_its_state_in_most_draws"),
    ],
)  # fmt: skip
def test_a_broken_line_is_caught(
    beside: Path, name: str, new: str, options: dict[str, Any], caught: str
) -> None:
    """A unit, a level beyond bounds, growth unlike what is stated, a state it cannot keep."""
    row(beside, "cell_lines/Ours-1", name, new)
    own = standard(StandardLineTest, name="Ours-1", beside=beside, **options)
    with pytest.raises(AssertionError):
        getattr(own, f"test_{caught}")()


def test_a_line_that_does_not_come_to_rest_is_caught(
    beside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its state drifts away when it is moved a little."""
    own = standard(StandardLineTest, name="Ours-1", beside=beside)
    real = own.line.steady_state
    off = {name: 1.2 * value for name, value in real().items()}
    monkeypatch.setattr(type(own.line), "steady_state", lambda self, structure: off)
    with pytest.raises(AssertionError, match="away after"):
        own.test_it_returns_to_its_steady_state()


def test_a_drug_against_a_missing_target_is_caught(beside: Path) -> None:
    """And one that does nothing although its folder is in order."""
    own = standard(
        StandardDrugTest, name="our_antibody", beside=beside, cell_line="Ours-1", host="our_mouse"
    )
    row(beside, "drugs/our_antibody", "max_effect", "max_effect\t0\t-\t0\t0\t\tassumed\t\tnothing")
    assert failing(own) == {"it_does_something"}
    about = beside / "catalog" / "drugs" / "our_antibody" / "about.toml"
    own_catalog.change(about, '"itgb1"', '"itgb7"')
    with pytest.raises(AssertionError, match="target"):
        own.test_the_folder_keeps_to_its_contract()


def test_a_drug_that_acts_without_a_dose_is_caught(
    beside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The vehicle alone shrinks the tumour."""
    own = standard(
        StandardDrugTest, name="our_antibody", beside=beside, cell_line="Ours-1", host="our_mouse"
    )
    real = type(own)._outcomes

    def shrunk(self: Any, *doses: float) -> Any:
        found = real(self, *doses)
        return {arm: values * (1.0 if arm == "vehicle" else 0.9) for arm, values in found.items()}

    monkeypatch.setattr(type(own), "_outcomes", shrunk)
    with pytest.raises(AssertionError, match="dose of nothing"):
        own.test_no_dose_is_no_drug()


def test_a_host_out_of_bounds_is_caught(beside: Path) -> None:
    """Immunity that would be negative."""
    row(beside, "hosts/our_mouse", "iota", "iota\t-1\t1/d\t-1\t-1\t\tassumed\t\twrong sign")
    own = standard(StandardHostTest, name="our_mouse", beside=beside, cell_line="Ours-1")
    with pytest.raises(AssertionError, match=r"iota\.low"):
        own.test_the_folder_keeps_to_its_contract()


def test_a_host_in_which_untreated_tumours_shrink_is_caught(
    beside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Immunity that does not wait to be freed."""
    own = standard(StandardHostTest, name="our_mouse", beside=beside, cell_line="Ours-1")
    found = iter([{"vehicle": np.ones((2, 2))}, {"vehicle": 0.9 * np.ones((2, 2))}])
    monkeypatch.setattr("unmoor.testing.treatment.volumes_of", lambda study: next(found))
    with pytest.raises(AssertionError, match="differ from those in NSG"):
        own.test_untreated_tumours_grow_as_in_any_host()


def test_a_matrix_that_nothing_holds_is_caught(beside: Path) -> None:
    """No adhesion to lose."""
    rows = [f"{w}\t0\t-\t0\t0\t\tassumed\t\tnone" for w in ("w1", "w3", "w4", "w0")]
    own_catalog.entry(beside / "catalog" / "matrices" / "void", 'name = "void"\n', rows)
    own = standard(StandardMatrixTest, name="void", beside=beside)
    assert failing(own) == {"the_folder_keeps_to_its_contract", "some_receptor_holds_it"}


def test_a_study_with_an_unexpected_warning_is_caught(beside: Path) -> None:
    """Few draws; the antibody leaves the stroma alone."""
    own = standard(StandardStudyTest, path=beside / "study.toml")
    with pytest.raises(AssertionError, match="W-DRAWS"):
        own.test_it_reads_without_unexpected_warnings()


def test_a_study_that_cannot_run_twice_is_caught(
    beside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A seed that is not kept."""
    own = standard(StandardStudyTest, path=beside / "study.toml")
    seeds = iter(range(100))
    real = type(own)._small
    monkeypatch.setattr(type(own), "_small", lambda self: real(self).replace(seed=next(seeds)))
    with pytest.raises(AssertionError, match="two runs differ"):
        own.test_the_same_seed_gives_the_same_tables()


def test_every_standard_test_says_what_it_claims() -> None:
    """Names are claims, each with a line of text."""
    kinds = (
        StandardAssayTest, StandardDrugTest, StandardHostTest, StandardLineTest,
        StandardMatrixTest, StandardNetworkTest, StandardStudyTest,
    )  # fmt: skip
    for kind in kinds:
        names = [name for name in vars(kind) if name.startswith("test_")]
        assert names, kind
        assert all(vars(kind)[name].__doc__ for name in names)
    assert catalog.KINDS
