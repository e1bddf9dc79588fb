"""Numbers that are declared to go together are drawn together; nothing else moves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from small_study import SMALL
from unmoor.catalog.correlations import correlations
from unmoor.catalog.draws import Draw
from unmoor.errors import CatalogError, StudyError
from unmoor.trial.study import Study

HEADER = "first\tsecond\tcorrelation\tevidence\tsource\tnote\n"
H, KAPPA, TAU = (f"closures/adhesion/{name}" for name in ("h", "kappa3", "tau3"))


def declare(folder: Path, *rows: str) -> Path:
    """Write correlations beside a study."""
    (folder / "catalog").mkdir(exist_ok=True)
    (folder / "catalog" / "correlations.tsv").write_text(
        HEADER + "".join(f"{row}\n" for row in rows), encoding="utf-8"
    )
    return folder


def test_no_correlation_is_declared_by_the_built_in_catalog() -> None:
    """Whoever declares one changes results, and this test."""
    assert correlations() is None


def test_declared_numbers_are_correlated_and_others_stay(tmp_path: Path) -> None:
    """Normal scores have the correlation; the first of a group and all others keep their bits."""
    beside = declare(tmp_path, f"{H}\t{KAPPA}\t0.8\tassumed\t\ta test",
                     f"{TAU}\t{KAPPA}\t-0.5\tassumed\t\ta test")  # fmt: skip
    free = [Draw(5, n).values("closures", "adhesion") for n in range(1, 1001)]
    held = [Draw(5, n, beside).values("closures", "adhesion") for n in range(1, 1001)]
    logs = {name: np.log([each[name] for each in held]) for name in ("h", "kappa3", "tau3")}
    found = np.corrcoef(list(logs.values()))
    as_uniform = 6 / np.pi * np.arcsin(np.array([0.8, 0.0, -0.5]) / 2)
    assert found[[0, 0, 1], [1, 2, 2]] == pytest.approx(as_uniform, abs=0.06)
    moved = {
        name for name in free[0] for a, b in zip(free, held, strict=True) if a[name] != b[name]
    }
    assert moved == {"kappa3", "tau3"}
    assert Draw(5, 0, beside).values("closures", "adhesion") == Draw(5, 0).values(
        "closures", "adhesion"
    )


def test_a_number_does_not_depend_on_what_else_is_asked(tmp_path: Path) -> None:
    """Neither on the order of names nor on their number."""
    beside = declare(tmp_path, f"{H}\t{KAPPA}\t0.8\tassumed\t\ta test")
    draw = Draw(5, 3, beside)
    assert draw.uniforms([KAPPA, TAU, H]) == [draw.uniform(name) for name in (KAPPA, TAU, H)]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([f"{H}\tclosures/adhesion/kapa3\t0.5\tassumed\t\twhy"], "did you mean closures/"),
        ([f"{H}\t{KAPPA}\t1\tassumed\t\twhy"], "more than -1 and less than 1"),
        ([f"{H}\t{KAPPA}\tmuch\tassumed\t\twhy"], "more than -1 and less than 1"),
        ([f"{H}\t{H}\t0.5\tassumed\t\twhy"], "each pair of two numbers once"),
        ([f"{H}\t{KAPPA}\t0.5\tassumed\t\twhy"] * 2, "each pair of two numbers once"),
        ([f"{H}\t{KAPPA}\t0.5\tassumed\t\t"], "says why"),
        ([f"{H}\t{KAPPA}\t0.5\tmeasured\t\twhy"], "a key of sources.bib"),
        ([f"{H}\t{KAPPA}\t0.5\tmeasured\tNobody1900\twhy"], "a key of sources.bib"),
        ([f"{H}\t{KAPPA}\t0.9\tassumed\t\tx", f"{H}\t{TAU}\t0.9\tassumed\t\tx",
          f"{KAPPA}\t{TAU}\t-0.9\tassumed\t\tx"], "hold together"),
    ],
)  # fmt: skip
def test_wrong_correlations_stop_a_study(tmp_path: Path, rows: list[str], said: str) -> None:
    """With file, line, and what would be right."""
    beside = declare(tmp_path, *rows)
    with pytest.raises(CatalogError, match=r"correlations\.tsv") as caught:
        correlations(beside)
    assert said in str(caught.value)
    with pytest.raises(StudyError, match="E-CORRELATION"):
        Study.loads(SMALL, beside=beside)


def test_plausible_sets_were_found_without_them(tmp_path: Path) -> None:
    """A study that draws from them together with correlations is warned."""
    beside = declare(tmp_path, f"{H}\t{KAPPA}\t0.8\tassumed\t\ta test")
    warned = Study.loads(SMALL, beside=beside).warnings
    assert "W-REPLACED" in [each.code for each in warned]
