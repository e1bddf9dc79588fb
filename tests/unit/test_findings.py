"""Findings and fields: how names and values are written, and in which order things are told."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from unmoor.errors import StudyError
from unmoor.fields import Field, Number, Quantity, Whole, read_table
from unmoor.findings import FieldPath, Findings, FrozenMap, dotted, show

FIELDS = (
    Field("duration", Quantity("time", 0.0, 365.0), '"28 d"'),
    Field("n", Whole("n", 1, 9), "3"),
)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (("seed",), "seed"),
        (("arms", "block + prevent", 0, "dose"), 'arms."block + prevent"[0].dose'),
        (("arms", "β1"), 'arms."β1"'),
        (("", 3), '""[3]'),
    ],
)
def test_a_path_is_written_as_in_a_study_file(path: FieldPath, text: str) -> None:
    """Bare keys where they can be, quotes where they must be."""
    assert dotted(path) == text


@pytest.mark.parametrize("value", [{"a": object()}, [[[1]]], None, b"x", "", "a\nb"])
def test_any_value_can_be_shown(value: object) -> None:
    """Whatever Python code may pass."""
    assert show(value)


def test_a_number_that_python_will_not_print_can_be_shown() -> None:
    """Whole numbers of thousands of digits."""
    assert show(10**5000) == "a very large int"


def test_problems_are_told_by_place_errors_first() -> None:
    """Whatever the order in which they were found; and each once."""
    findings = Findings(lambda path, at_key: f"a:b.toml:{path[0]}:1")
    for line in (30, 4, 4, 100):
        findings.add((line,), "", "x", "", "E-X")
    findings.add((1,), "", "x", "", "W-X")
    with pytest.raises(StudyError) as caught:
        findings.raise_errors()
    places = [problem.where for problem in caught.value.problems]
    assert places == [f"a:b.toml:{line}:1" for line in (4, 30, 100, 1)]


def test_warnings_alone_stop_nothing() -> None:
    """They are kept for the study."""
    findings = Findings()
    findings.add(("x",), "", "y", "", "W-X")
    findings.raise_errors()
    assert len(findings.warnings) == 1


@pytest.mark.parametrize("raw", [{"duration": 3, "n": 3}, {"duration": "3 d", "n": 3}])
def test_plain_numbers_are_quantities_only_in_python(raw: dict[str, Any]) -> None:
    """In a file a quantity has its unit."""
    in_python, in_file = Findings(), Findings()
    assert read_table(raw, FIELDS, (), in_python, bare=True) == {"duration": 3.0, "n": 3}
    read_table(raw, FIELDS, (), in_file)
    assert not in_python.problems
    assert bool(in_file.problems) == (raw["duration"] == 3)


def test_a_misspelt_key_is_not_told_as_missing_too() -> None:
    """One slip, one message."""
    findings = Findings()
    read_table({"duraton": "3 d", "n": 3}, FIELDS, (), findings)
    assert [problem.code for problem in findings.problems] == ["E-KEY"]


def test_open_ends_are_left_out() -> None:
    """Of a range that says so."""
    field = Field("x", Number("x", 0.0, 1.0, open_low=True, open_high=True), "0.5")
    for value, good in ((0.0, False), (0.5, True), (1.0, False)):
        findings = Findings()
        field.read(value, ("x",), findings, bare=False)
        assert bool(findings.problems) != good


def test_a_frozen_map_keeps_order_and_cannot_change() -> None:
    """It compares with any mapping, hashes and pickles."""
    frozen = FrozenMap({"b": 1, "a": 2})
    assert list(frozen) == ["b", "a"]
    assert frozen == {"a": 2, "b": 1}
    assert pickle.loads(pickle.dumps(frozen)) == frozen
    assert hash(frozen) == hash(FrozenMap({"a": 2, "b": 1}))
    with pytest.raises(AttributeError):
        frozen.x = 1
