"""Studies: what is written reads back as an equal study, whatever it holds."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from unmoor.assays.settings import OrthotopicXenograft
from unmoor.parameters import GENES
from unmoor.therapy.irradiation import Irradiation
from unmoor.therapy.regimen import Edit, Regimen
from unmoor.trial.study import Margins, ModelOptions, Study, Uncertainty

NAMES = st.text(
    st.characters(exclude_categories=("C", "Z"), include_characters=" \"'\\.#=[]{}β"),
    min_size=1, max_size=12,
).filter(lambda name: name == name.strip() and name.isprintable())  # fmt: skip
DAYS = st.floats(0.0, 300.0)


@st.composite
def uncertainties(draw: st.DrawFn) -> Uncertainty:
    """As many draws as there are sets."""
    sets = draw(st.sampled_from(("plausible", "ranges")))
    most = 200 if sets == "plausible" else 100_000
    return Uncertainty(draw(st.integers(0, most)), draw(st.booleans()), sets)


@st.composite
def windows(draw: st.DrawFn) -> dict[str, Any]:
    """Start and stop, either or both left out."""
    start, length = draw(DAYS), draw(st.floats(0.001, 60.0))
    return {
        "start": draw(st.sampled_from([0.0, start])),
        "stop": draw(st.sampled_from([None, start + length])),
    }


@st.composite
def regimens(draw: st.DrawFn) -> Regimen:
    """Doses and schedules with any digits."""
    drug = draw(st.sampled_from(["anti_itgb1", "tgfbr1_inhibitor"]))
    every = draw(st.none() | st.floats(1 / 24, 365.0))
    return Regimen(drug, dose=draw(st.floats(0.0, 200.0)), every=every, **draw(windows()))


@st.composite
def edits(draw: st.DrawFn) -> Edit:
    """All genes and changes that there are."""
    gene = draw(st.sampled_from(sorted(GENES)))
    change = draw(st.sampled_from(GENES[gene][1]))
    low, high = {"knock_down": (0.0, 0.999), "over_express": (1.001, 1000.0)}.get(
        change, (0.001, 1000.0)
    )
    return Edit(gene, change=change, factor=draw(st.floats(low, high)), **draw(windows()))


@st.composite
def irradiations(draw: st.DrawFn) -> Irradiation:
    """One fraction, or several within the longest study."""
    fractions = draw(st.integers(1, 10))
    every = None if fractions == 1 else draw(st.floats(1 / 24, 7.0))
    dose = draw(st.floats(0.0, 10.0))
    start = draw(st.floats(0.0, 200.0))
    return Irradiation(dose, every=every, fractions=fractions, start=start)


@st.composite
def studies(draw: st.DrawFn) -> Study:
    """Valid studies, built through the public interface."""
    names = draw(
        st.lists(NAMES, min_size=1, max_size=4, unique_by=lambda n: "".join(n.casefold().split()))
    )
    arms: dict[str, list[Any]] = {
        name: draw(st.lists(regimens() | edits() | irradiations(), max_size=3)) for name in names
    }
    assay = OrthotopicXenograft(
        inoculum=draw(st.floats(1.0, 1e9)),
        duration=draw(st.floats(301.0, 365.0)),
        animals=draw(st.integers(1, 10_000)),
        clones=draw(st.integers(1, 1000)),
        host=draw(st.sampled_from(["nsg", "nude"])),
    )
    return Study(
        draw(st.lists(st.sampled_from(["4T1", "HCC1806", "MDA-MB-231"]), min_size=1, unique=True)),
        arms,
        draw(st.sampled_from(names)),
        assay=assay,
        title=draw(st.just("") | NAMES),
        seed=draw(st.integers(0, 2**63 - 1)),
        verdict=Margins(draw(st.floats(0.01, 1.0)), draw(st.floats(1.0, 100.0)),
                        draw(st.floats(0.01, 0.99))),
        uncertainty=draw(uncertainties()),
        model=ModelOptions(draw(st.sampled_from(["cascading", "ternary"])),
                           draw(st.sampled_from(["tgfb", "itgb3"])),
                           interaction=draw(st.sampled_from(["bliss", "loewe", "hsa"]))),
    )  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(studies())
def test_a_study_reads_back_equal_from_its_own_file(study: Study) -> None:
    """To the last bit, with the same digest and the same warnings."""
    text = study.to_toml()
    again = Study.loads(text)
    assert again == study
    assert again.to_toml() == text
    assert list(again.arms) == list(study.arms)
    assert sorted(w.code for w in again.warnings) == sorted(w.code for w in study.warnings)
