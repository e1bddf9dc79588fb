"""Read a network's equations from text, one equation a line.

A line is an assignment ``name = expression``, a rate ``dX/dt = expression`` or a comment.
Only names, numbers, ``+ - * / ^`` and ``min``/``max`` are read; nothing is evaluated as Python.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from unmoor.errors import ParameterError

if TYPE_CHECKING:
    import sympy

_LARGEST_POWER = 64
_RATE = re.compile(r"^d(?P<species>\w+)/dt$")


@dataclass(frozen=True)
class Equations:
    """Parsed equations: rates of the species and the assignments they use."""

    species: tuple[str, ...]
    rates: tuple[sympy.Expr, ...]
    assignments: dict[str, sympy.Expr]

    def free_names(self) -> set[str]:
        """Names that neither an assignment nor a rate defines: parameters and inputs."""
        expressions = [*self.rates, *self.assignments.values()]
        names = {str(symbol) for expr in expressions for symbol in expr.free_symbols}
        return names - set(self.species)


def read_equations(text: str, where: str) -> Equations:
    """Parse equations; assignments are substituted into all later lines.

    Parameters
    ----------
    text
        One equation a line; ``#`` starts a comment.
    where
        Name for error messages.

    Raises
    ------
    ParameterError
        If a line is not an equation or uses anything but arithmetic.
    """
    rates: dict[str, sympy.Expr] = {}
    assignments: dict[str, sympy.Expr] = {}
    used: set[str] = set()
    for number, line in enumerate(text.splitlines(), start=1):
        body = line.split("#", 1)[0].strip()
        if not body:
            continue
        left, equals, right = body.partition("=")
        name = left.strip()
        rate = _RATE.match(name)
        if not equals or not (rate or name.isidentifier()):
            raise ParameterError(f"{where}:{number}: {body!r} is not `name = …` or `dX/dt = …`")
        defined = rate["species"] if rate else name
        earlier = set(rates) if rate else used | set(rates)
        if defined in assignments or defined in earlier:
            raise ParameterError(f"{where}:{number}: {defined} has a meaning already")
        expression = _expression(right, f"{where}:{number}").subs(assignments)
        used |= {str(symbol) for symbol in expression.free_symbols}
        if rate:
            rates[rate["species"]] = expression
        else:
            assignments[name] = expression
    return Equations(tuple(rates), tuple(rates.values()), assignments)


def _expression(text: str, where: str) -> sympy.Expr:
    try:
        tree = ast.parse(text.strip().replace("^", "**"), mode="eval").body
        expression = _convert(tree, where)
    except SyntaxError as error:
        raise ParameterError(f"{where}: cannot read {text.strip()!r}: {error.msg}") from None
    except (RecursionError, MemoryError):
        raise ParameterError(f"{where}: nested too deeply") from None
    if not expression.is_finite and not expression.free_symbols:
        raise ParameterError(f"{where}: {text.strip()!r} is not a finite number")
    return expression


def _convert(node: ast.expr, where: str) -> sympy.Expr:
    import sympy

    match node:
        case ast.Constant(value=int() as value) if not isinstance(value, bool):
            return sympy.Integer(value)
        case ast.Constant(value=float() as value):
            return sympy.Float(value)
        case ast.Name(id=name):
            return sympy.Symbol(name)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_convert(operand, where)
        case ast.BinOp(left=left, op=operator, right=right):
            a, b = _convert(left, where), _convert(right, where)
            match operator:
                case ast.Add():
                    return a + b
                case ast.Sub():
                    return a - b
                case ast.Mult():
                    return a * b
                case ast.Div():
                    return a / b
                case ast.Pow() if b.is_Integer and abs(int(b)) <= _LARGEST_POWER:
                    return a**b
        case ast.Call(
            func=ast.Name(id="min" | "max" as name), args=[_, *_] as arguments, keywords=[]
        ):
            function = sympy.Min if name == "min" else sympy.Max
            return function(*[_convert(argument, where) for argument in arguments])
    raise ParameterError(
        f"{where}: {ast.unparse(node)!r} is not allowed; use names, numbers, + - * /, "
        "whole powers, min and max"
    )
