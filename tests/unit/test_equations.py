"""Equations as text: arithmetic is read, everything else is refused with its line."""

from __future__ import annotations

import pytest
import sympy

from unmoor.errors import ParameterError
from unmoor.signalling.equations import read_equations

X, Y = sympy.symbols("X Y")


def expression(text: str) -> sympy.Expr:
    """What the right-hand side of an assignment is read as."""
    return read_equations(f"a = {text}", "net").assignments["a"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("X + Y - 2", X + Y - 2),
        ("-X*Y/3", -X * Y / 3),
        ("X^2", X**2),
        ("X**2", X**2),
        ("-X^2", -(X**2)),
        ("X^-1", 1 / X),
        ("2/X/Y", 2 / (X * Y)),
        ("2 - 3 - 4", sympy.Integer(-5)),
        ("1.5e-3*X", sympy.Float(1.5e-3) * X),
        (".5", sympy.Float(0.5)),
        ("min(X, 1)", sympy.Min(X, 1)),
        ("max(0, 1 - X, Y)", sympy.Max(0, 1 - X, Y)),
    ],
)
def test_arithmetic_is_read_as_written(text: str, expected: sympy.Expr) -> None:
    """With the usual precedence; ``^`` and ``**`` are powers."""
    assert expression(text) == expected


@pytest.mark.parametrize("name", ["E", "S", "N", "I", "pi", "beta", "zeta", "Q", "lambda_", "β1"])
def test_no_name_has_a_meaning_of_its_own(name: str) -> None:
    """Neither those of constants and functions of algebra systems, nor Greek ones."""
    equations = read_equations(f"dX/dt = {name} - X\n", "net")
    assert equations.rates == (sympy.Symbol(name) - X,)
    assert equations.free_names() == {name}


def test_assignments_are_substituted_into_later_lines() -> None:
    """Through any depth; what is left free is a parameter or an input."""
    text = """
    # a comment
    S = k*X          # and one at the end of a line
    drive = S + i
    dX/dt = 1 - drive^2
    dY/dt = S - Y
    """
    equations = read_equations(text, "net")
    k, i = sympy.symbols("k i")
    assert equations.species == ("X", "Y")
    assert equations.rates == (1 - (k * X + i) ** 2, k * X - Y)
    assert equations.free_names() == {"k", "i"}


def test_the_order_of_the_species_is_that_of_the_lines() -> None:
    """Not alphabetical."""
    assert read_equations("dZ/dt = 1\ndA/dt = Z\ndM/dt = A", "net").species == ("Z", "A", "M")


REFUSED = [
    "__import__('os').system('true')",
    "exec('1')",
    "open(X)",
    "X.real",
    "X.__class__",
    "min(X, Y).real",
    "1 .real",
    "X[0]",
    "[X]",
    "(X, Y)",
    "{X: Y}",
    "{X}",
    "[n for n in X]",
    "lambda: 1",
    "(b := 1)",
    "'X'",
    "b'X'",
    "f'{X}'",
    "...",
    "None",
    "1j",
    "X^Y",
    "2^X",
    "X^0.5",
    "X^2.0",
    "X^(Y - Y + 0.5)",
    "X // 2",
    "X % 2",
    "X @ Y",
    "X << 2",
    "X & Y",
    "~X",
    "not X",
    "X < Y",
    "X and Y",
    "X if Y else 0",
    "await X",
    "sin(X)",
    "abs(X)",
    "min(*X)",
    "min(X, key=Y)",
    "max(X, default=0)",
    "min(1, 2)(3)",
    "min.max(X)",
]


@pytest.mark.parametrize("text", REFUSED)
def test_everything_but_arithmetic_is_refused(text: str) -> None:
    """Code, attributes, functions, comparisons, powers that are not whole."""
    with pytest.raises(ParameterError, match=r"net:2: .* is not allowed") as caught:
        read_equations(f"b = 1\na = {text}", "net")
    assert "whole powers" in str(caught.value)


@pytest.mark.parametrize(
    "text",
    ["", "X +", "(X", "X)", "1X", "X Y", "= X", "X; import os", "lambda", "yield X", "X \\", "X\0"],
)
def test_what_cannot_be_parsed_is_refused(text: str) -> None:
    """With the line and what is wrong."""
    with pytest.raises(ParameterError, match=r"net:1: cannot read"):
        read_equations(f"a = {text}", "net")


@pytest.mark.parametrize(
    "line",
    ["X", "dX/dt", "dX/dy = 1", "d X/dt = 1", "1a = 2", "a b = 2", "a.b = 1", "a[0] = 1",
     "import os", "= 3", "dX/dt + 1 = 3", "(a) = 1", "a, b = 1"],
)  # fmt: skip
def test_a_line_that_is_no_equation_is_refused(line: str) -> None:
    """Blank lines and comments count in the number of the line."""
    with pytest.raises(ParameterError, match=r"net:3: .* is not `name = …` or `dX/dt = …`"):
        read_equations(f"\n# comment\n{line}", "net")


@pytest.mark.parametrize("text", ["True", "1e400", "min()", "max()", "1/0", "0/0"])
def test_what_is_no_finite_number_is_refused(text: str) -> None:
    """Also where Python or algebra would give it a value."""
    with pytest.raises(ParameterError, match="net:1:"):
        read_equations(f"a = {text}", "net")


@pytest.mark.parametrize(
    "text",
    ["a = 1\na = 2", "dX/dt = 1\ndX/dt = 2", "X = 3\ndX/dt = -X", "dX/dt = a - X\na = 2"],
    ids=["two assignments", "two rates", "a species assigned", "used before it is assigned"],
)
def test_a_name_has_one_meaning(text: str) -> None:
    """Neither of two meanings wins silently."""
    with pytest.raises(ParameterError, match="net:2:"):
        read_equations(text, "net")


def test_deep_nesting_is_refused_like_any_other_mistake() -> None:
    """Not with a traceback of the reader."""
    with pytest.raises(ParameterError, match="net:1:"):
        read_equations("a = " + "-" * 5000 + "1", "net")
