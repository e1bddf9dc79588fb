"""Errors: what is said, in which words, and with which exit code."""

from __future__ import annotations

import pickle

import pytest

from unmoor.errors import (
    MAX_LINE,
    CatalogError,
    ExitCode,
    Interrupted,
    ParameterError,
    Problem,
    ResourceError,
    RunFolderError,
    SimulationError,
    StudyError,
    UnitError,
    UnmoorError,
    format_problem,
    literal,
    nearest,
)

DOSE = Problem(
    where="bad.toml:9:38",
    field="arms.block[0].dose",
    got='"10 mg"',
    expected="dose per body mass, 0-1000 mg/kg",
    fix='write "10 mg/kg"',
    code="E-UNIT",
)


def test_a_problem_reads_as_one_sentence() -> None:
    """Where, what, what is allowed, what to do, code: in this order, in one line."""
    assert format_problem(DOSE) == (
        'bad.toml:9:38  arms.block[0].dose = "10 mg": expected dose per body mass, 0-1000 mg/kg; '
        'write "10 mg/kg" [E-UNIT]'
    )


def test_missing_parts_leave_no_trace() -> None:
    """A value from Python has no place in a file, and a missing key has no value."""
    problem = Problem("", "seed", "", "a whole number", "", "E-MISSING")
    assert str(problem) == "seed: expected a whole number [E-MISSING]"
    assert str(Problem("", "", '"x"', "a time", "", "E-UNIT")) == '"x": expected a time [E-UNIT]'


def test_a_warning_says_so() -> None:
    """A warning does not stop a run, so it must not look like an error."""
    warning = Problem("a.toml:1:1", "arms.a", "", "a dose above 0", "", "W-DOSE", "warning")
    assert str(warning) == "a.toml:1:1  warning: arms.a: expected a dose above 0 [W-DOSE]"


@pytest.mark.parametrize("part", ["where", "field", "got", "expected", "fix", "code"])
def test_a_line_is_never_longer_than_its_limit(part: str) -> None:
    """Whichever part is too long, the line is cut to its limit and stays one line."""
    long = {**{name: getattr(DOSE, name) for name in DOSE.__slots__}, part: '"' + "x" * 5000 + '"'}
    assert len(format_problem(Problem(**long))) <= MAX_LINE


def test_a_line_with_everything_too_long_is_cut() -> None:
    """The limits of the parts add up to less than the limit of the line."""
    long = Problem("w" * 500, "f" * 500, "g" * 500, "e" * 500, "x" * 500, "c" * 500, "warning")
    assert len(format_problem(long)) <= MAX_LINE


def test_a_long_value_is_cut_before_what_is_expected() -> None:
    """Whoever wrote the value knows it; what would be right is the news."""
    line = format_problem(Problem(DOSE.where, DOSE.field, literal("x" * 5000), *_rest(DOSE)))
    assert DOSE.expected in line
    assert DOSE.fix in line
    assert '…": expected' in line


def test_a_long_path_keeps_its_line_number() -> None:
    """The end of a path tells more than its beginning."""
    line = format_problem(DOSE.at("/very/long" * 40 + "/bad.toml:9:38", DOSE.field))
    assert "/bad.toml:9:38  arms" in line


@pytest.mark.parametrize("text", ["a\nb", "a\x1b[31mb", "a\u2028b", "a\ud800b", "a\u202eb"])
def test_text_from_a_file_cannot_break_or_colour_the_line(text: str) -> None:
    """Line breaks, terminal codes, stray surrogates and writing direction are shown as escapes."""
    line = format_problem(Problem("", "title", literal(text), "one line", "", "E-TEXT"))
    assert line.isprintable()
    assert "\\" in line


def _rest(problem: Problem) -> tuple[str, str, str]:
    return problem.expected, problem.fix, problem.code


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UnmoorError, 1),
        (StudyError, 2),
        (CatalogError, 2),
        (ParameterError, 2),
        (UnitError, 2),
        (RunFolderError, 2),
        (SimulationError, 1),
        (Interrupted, 4),
        (ResourceError, 5),
    ],
)
def test_each_error_has_its_exit_code(error: type[UnmoorError], code: int) -> None:
    """Scripts rely on the exit codes."""
    assert error.exit_code == code
    assert issubclass(error, UnmoorError)
    assert str(error("no luck")).startswith("no luck [E-")


def test_exit_codes_keep_their_numbers() -> None:
    """Scripts rely on the numbers, also on the two that no error carries."""
    assert [code.value for code in ExitCode] == [0, 1, 2, 3, 4, 5]
    assert ExitCode.FAILED_ANIMALS.value == 3


def test_a_study_error_tells_all_problems_and_their_number() -> None:
    """All problems at once, warnings counted apart, and the promise that nothing was run."""
    warning = Problem("", "arms.a", "", "a dose above 0", "", "W-DOSE", "warning")
    assert str(StudyError([DOSE])).splitlines()[1] == "1 problem, nothing was run"
    lines = str(StudyError([DOSE, DOSE, warning])).splitlines()
    assert lines[:2] == [str(DOSE), str(DOSE)]
    assert lines[3] == "2 problems, 1 warning, nothing was run"


def test_a_unit_error_carries_what_the_caller_needs() -> None:
    """Whoever knows the place of a quantity adds it to the problem."""
    error = UnitError(DOSE.at("", ""))
    assert (error.got, error.expected, error.fix) == (DOSE.got, DOSE.expected, DOSE.fix)
    assert error.problems[0].at(DOSE.where, DOSE.field) == DOSE
    assert UnitError("odd").expected == "odd"
    assert UnitError("odd").got == UnitError("odd").fix == ""


@pytest.mark.parametrize(
    "error",
    [StudyError([DOSE, DOSE]), UnitError(DOSE), ResourceError("disk full", code="E-DISK")],
)
def test_errors_survive_the_way_from_a_worker_process(error: UnmoorError) -> None:
    """A pickled error says the same and keeps its problems and code."""
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert str(copy) == str(error)
    assert (copy.problems, copy.code) == (error.problems, error.code)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("10 mg", '"10 mg"'),
        ('say "no"', '"say \\"no\\""'),
        ("β1", '"β1"'),
        (True, "true"),
        (7, "7"),
        (0.1, "0.1"),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        ([1, "a"], '[1, "a"]'),
        (list(range(9)), "[0, 1, 2, 3, …]"),
        ({"drug": "x"}, "{ drug = … }"),
        (None, "nothing"),
    ],
)
def test_values_are_shown_as_a_study_file_writes_them(value: object, text: str) -> None:
    """A person must recognise what they wrote."""
    assert literal(value) == text


LINES = ("4T1", "HCC1806", "MDA-MB-231", "MCF-7", "T-47D")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("mda mb 231", "MDA-MB-231"),
        ("MDAMB231", "MDA-MB-231"),
        ("4t-1", "4T1"),
        ("4T2", "4T1"),
        ("4", "4T1"),
        ("HCC1860", "HCC1806"),
        ("mcf_7", "MCF-7"),
    ],
)
def test_a_misspelt_name_finds_the_right_one(written: str, meant: str) -> None:
    """Case, hyphens, underscores and spaces do not count; up to two letters may be wrong."""
    assert nearest(written, LINES)[0] == meant


def test_at_most_three_names_are_suggested_best_first() -> None:
    """Three suggestions are read, a list is not; what is not alike is not suggested."""
    names = [f"drug_{number}" for number in range(20)]
    assert nearest("drug_7", names) == ("drug_7", "drug_17", "drug_0")
    assert nearest("drug_7", names, n=1) == ("drug_7",)
    assert nearest("zzz", LINES) == ()
    assert nearest("x" * 10**6, LINES) == ()
