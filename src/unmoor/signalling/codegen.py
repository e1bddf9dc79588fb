"""Turn a network's equations into machine code that advances eight cells at once.

All numbers of a block of eight cells lie in one workspace: slot ``i`` holds one number of each
cell. The code is written as LLVM vector instructions, so it is fast on every processor, compiles
in a fraction of a second and gives the same bits everywhere (no contraction, no library calls).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from unmoor.signalling.rosenbrock import A, C
from unmoor.signalling.symbolic import Plan, System, make_plan

if TYPE_CHECKING:
    import sympy

LANES = 8
_VECTOR = f"<{LANES} x double>"


@dataclass(frozen=True)
class Layout:
    """Names, and first slot of each group of numbers in the workspace of a block."""

    species_names: tuple[str, ...]
    parameter_names: tuple[str, ...]
    species: int
    rates: int
    solution: int
    parameters: int
    inputs: int
    constants: int
    jacobian: int
    factors: int
    readouts: int
    base: int
    tolerance: int
    shift: int
    inverse_step: int
    norm: int
    size: int


def generate(system: System) -> tuple[str, Layout]:
    """LLVM code of the functions of a system, and its workspace layout."""
    plan = make_plan(system)
    layout = _layout(plan)
    slots = _slots(plan, layout)
    jacobian = list(plan.jacobian.values())
    functions = [
        _Function("prepare", slots).assign(list(plan.constants), layout.constants),
        _Function("rates", slots).assign(plan.rates, layout.rates),
        _Function("jacobian", slots).assign(jacobian, layout.jacobian),
        _factorise(plan, layout),
        _solve(plan, layout),
        _step(plan, layout),
        _Function("readouts", slots).assign(plan.readouts, layout.readouts),
    ]
    declare = f"declare {_VECTOR} @llvm.fabs.v{LANES}f64({_VECTOR})\n"
    return declare + "\n".join(function.text() for function in functions), layout


def _layout(plan: Plan) -> Layout:
    n, system = len(plan.system.species), plan.system
    sizes = [n, n, n, len(system.parameters), len(system.inputs), len(plan.constants)]
    sizes += [len(plan.jacobian), len(plan.factors), len(system.readouts)]
    sizes += [n, n + 1, 1, 1, 1]
    starts = [sum(sizes[:i]) for i in range(len(sizes) + 1)]
    return Layout(system.species, system.parameters, *starts)


def _slots(plan: Plan, layout: Layout) -> dict[str, int]:
    groups: list[tuple[int, Sequence[str]]] = [
        (layout.species, plan.system.species),
        (layout.parameters, plan.system.parameters),
        (layout.inputs, plan.system.inputs),
        (layout.constants, [str(symbol) for symbol in plan.constants.values()]),
    ]
    return {name: start + i for start, names in groups for i, name in enumerate(names)}


class _Function:
    """Writes one function ``void name(double* workspace)`` instruction by instruction."""

    def __init__(self, name: str, slots: dict[str, int]) -> None:
        self.name, self.slots = name, slots
        self.lines: list[str] = []
        self.known: dict[Any, str] = {}

    def text(self) -> str:
        body = "\n".join(f"  {line}" for line in self.lines)
        return f"define void @{self.name}(ptr %w) {{\n{body}\n  ret void\n}}\n"

    def emit(self, instruction: str) -> str:
        name = f"%v{len(self.lines)}"
        self.lines.append(f"{name} = {instruction}")
        return name

    def _address(self, slot: int) -> str:
        return self.emit(f"getelementptr double, ptr %w, i64 {slot * LANES}")

    def load(self, slot: int) -> str:
        return self.emit(f"load {_VECTOR}, ptr {self._address(slot)}, align 8")

    def store(self, value: str, slot: int) -> None:
        self.lines.append(f"store {_VECTOR} {value}, ptr {self._address(slot)}, align 8")

    def operate(self, operation: str, a: str, b: str) -> str:
        return self.emit(f"{operation} {_VECTOR} {a}, {b}")

    def call(self, name: str) -> None:
        self.lines.append(f"call void @{name}(ptr %w)")

    def number(self, value: float) -> str:
        return "<" + ", ".join([f"double {_hexadecimal(value)}"] * LANES) + ">"

    def assign(self, expressions: list[sympy.Expr], start: int) -> _Function:
        """Compute expressions into consecutive slots, each shared part once."""
        import sympy

        shared, reduced = sympy.cse(expressions, order="canonical", list=True)
        for symbol, expression in shared:
            self.known[symbol] = self.value(expression)
        for i, expression in enumerate(reduced):
            self.store(self.value(expression), start + i)
        return self

    def value(self, expression: sympy.Expr) -> str:
        if expression in self.known:
            return self.known[expression]
        result = self._compute(expression)
        if not expression.is_Number:
            self.known[expression] = result
        return result

    def _compute(self, expression: sympy.Expr) -> str:
        if expression.is_Number:
            return self.number(float(expression))
        if expression.is_Symbol:
            return self.load(self.slots[str(expression)])
        if expression.is_Pow:
            return self._power(self.value(expression.base), int(expression.exp))
        kind = type(expression).__name__
        if kind == "Mul":
            return self._product(expression)
        if kind == "Heaviside":  # slope of max(0, x)
            return self._select("ogt", expression.args[0], 1.0, 0.0)
        operands = [self.value(argument) for argument in expression.args]
        result = operands[0]
        for operand in operands[1:]:
            result = (
                self.operate("fadd", result, operand)
                if kind == "Add"
                else self.extreme("ogt" if kind == "Max" else "olt", result, operand)
            )
        return result

    def _power(self, base: str, exponent: int) -> str:
        """Whole powers as products."""
        result = base
        for _ in range(abs(exponent) - 1):
            result = self.operate("fmul", result, base)
        return result if exponent > 0 else self.operate("fdiv", self.number(1.0), result)

    def _product(self, expression: sympy.Expr) -> str:
        """Factors above, then one division by the product of those below."""
        above, below = [], []
        for factor in expression.args:
            if factor.is_Pow and factor.exp.is_negative:
                below.append(self._power(self.value(factor.base), -int(factor.exp)))
            else:
                above.append(self.value(factor))
        numerator = self.chain("fmul", above) if above else self.number(1.0)
        if not below:
            return numerator
        return self.operate("fdiv", numerator, self.chain("fmul", below))

    def chain(self, operation: str, values: list[str]) -> str:
        result = values[0]
        for value in values[1:]:
            result = self.operate(operation, result, value)
        return result

    def magnitude(self, value: str) -> str:
        return self.emit(f"call {_VECTOR} @llvm.fabs.v{LANES}f64({_VECTOR} {value})")

    def extreme(self, comparison: str, a: str, b: str) -> str:
        mask = self.emit(f"fcmp {comparison} {_VECTOR} {a}, {b}")
        return self.emit(f"select <{LANES} x i1> {mask}, {_VECTOR} {a}, {_VECTOR} {b}")

    def _select(self, comparison: str, expression: sympy.Expr, yes: float, no: float) -> str:
        value, zero = self.value(expression), self.number(0.0)
        mask = self.emit(f"fcmp {comparison} {_VECTOR} {value}, {zero}")
        chosen = f"{_VECTOR} {self.number(yes)}, {_VECTOR} {self.number(no)}"
        return self.emit(f"select <{LANES} x i1> {mask}, {chosen}")


def _hexadecimal(value: float) -> str:
    """A double as LLVM reads it without rounding."""
    import struct

    return f"0x{struct.unpack('<Q', struct.pack('<d', value))[0]:016X}"


def _factorise(plan: Plan, layout: Layout) -> _Function:
    """LU factors of shift·I − J in elimination order; diagonals are stored inverted."""
    function = _Function("factorise", {})
    entries = {pair: layout.jacobian + i for i, pair in enumerate(plan.jacobian)}
    zero, one = function.number(0.0), function.number(1.0)
    shift = function.load(layout.shift)
    a: dict[tuple[int, int], str] = {}
    for i, j in plan.factors:
        start = shift if i == j else zero
        loaded = function.load(entries[i, j]) if (i, j) in entries else zero
        a[i, j] = function.operate("fsub", start, loaded)
    for position, k in enumerate(plan.order):
        later = plan.order[position + 1 :]
        a[k, k] = function.operate("fdiv", one, a[k, k])
        for i in later:
            if (i, k) not in a:
                continue
            a[i, k] = function.operate("fmul", a[i, k], a[k, k])
            for j in later:
                if (k, j) in a:
                    product = function.operate("fmul", a[i, k], a[k, j])
                    a[i, j] = function.operate("fsub", a[i, j], product)
    for index, pair in enumerate(plan.factors):
        function.store(a[pair], layout.factors + index)
    return function


def _solve(plan: Plan, layout: Layout) -> _Function:
    """Solve with the stored factors; the right-hand side is overwritten by the solution."""
    function = _Function("solve", {})
    factor = {pair: layout.factors + i for i, pair in enumerate(plan.factors)}
    x = {i: function.load(layout.solution + i) for i in plan.order}

    def subtract(i: int, others: list[int]) -> None:
        for j in others:
            if (i, j) in factor:
                product = function.operate("fmul", function.load(factor[i, j]), x[j])
                x[i] = function.operate("fsub", x[i], product)

    for position, i in enumerate(plan.order):
        subtract(i, plan.order[:position])
    for position, i in reversed(list(enumerate(plan.order))):
        subtract(i, plan.order[position + 1 :])
        x[i] = function.operate("fmul", x[i], function.load(factor[i, i]))
        function.store(x[i], layout.solution + i)
    return function


def _step(plan: Plan, layout: Layout) -> _Function:
    """One Rosenbrock step from the base state; leaves the new state and its error norm."""
    function, n = _Function("step", {}), len(plan.system.species)
    inverse = function.load(layout.inverse_step)
    base = [function.load(layout.base + i) for i in range(n)]
    stages: list[list[str]] = []

    def combine(weights: tuple[float, ...], i: int) -> str:
        terms = [
            function.operate("fmul", stage[i], function.number(weight))
            for weight, stage in zip(weights, stages, strict=True)
        ]
        return function.chain("fadd", terms)

    function.call("factorise")
    for a, c in zip(A, C, strict=True):
        for i in range(n):
            moved = function.operate("fadd", base[i], combine(a, i)) if a else base[i]
            function.store(moved, layout.species + i)
        function.call("rates")
        for i in range(n):
            right = function.load(layout.rates + i)
            if c:
                right = function.operate(
                    "fadd", right, function.operate("fmul", combine(c, i), inverse)
                )
            function.store(right, layout.solution + i)
        function.call("solve")
        stages.append([function.load(layout.solution + i) for i in range(n)])
    _finish(function, stages[-1], base, layout)
    return function


def _finish(function: _Function, error: list[str], base: list[str], layout: Layout) -> None:
    """Add the last stage and take the mean square of error over tolerance of each cell."""
    total = function.number(0.0)
    relative = function.load(layout.tolerance + len(base))
    for i, (part, old) in enumerate(zip(error, base, strict=True)):
        new = function.operate("fadd", function.load(layout.species + i), part)
        function.store(new, layout.species + i)
        size = function.extreme("ogt", function.magnitude(old), function.magnitude(new))
        allowed = function.operate("fmul", size, relative)
        allowed = function.operate("fadd", allowed, function.load(layout.tolerance + i))
        ratio = function.operate("fdiv", part, allowed)
        total = function.operate("fadd", total, function.operate("fmul", ratio, ratio))
    mean = function.operate("fmul", total, function.number(1.0 / len(base)))
    function.store(mean, layout.norm)
