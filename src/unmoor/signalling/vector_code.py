"""Write functions as LLVM vector instructions: each works on one number of each of eight cells.

Everything is spelled out, products with their sums included (``llvm.fma`` rounds once on every
processor), so the compiler has nothing to choose that could change a bit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from unmoor.signalling.solve import LANES

if TYPE_CHECKING:
    import sympy

VECTOR = f"<{LANES} x double>"
MASK = f"<{LANES} x i1>"
_INTEGERS = f"<{LANES} x i64>"
_SHORT = f"<{LANES} x i32>"
DECLARATIONS = (
    f"declare {VECTOR} @llvm.fabs.v{LANES}f64({VECTOR})\n"
    f"declare {VECTOR} @llvm.fma.v{LANES}f64({VECTOR}, {VECTOR}, {VECTOR})\n"
)


class Function:
    """Writes one function ``void name(double* workspace, …)`` instruction by instruction.

    Parameters
    ----------
    name
        Name of the function.
    slots
        Place in the workspace of each symbol that expressions use.
    arguments
        ``%w`` is the workspace.
    """

    def __init__(
        self, name: str, slots: dict[str, int] | None = None, arguments: str = "ptr %w"
    ) -> None:
        self.name, self.slots, self.arguments = name, slots or {}, arguments
        self.lines: list[str] = []
        self.known: dict[Any, str] = {}

    def text(self) -> str:
        """The function in LLVM's language."""
        body = "\n".join(f"  {line}" for line in self.lines)
        return f"define void @{self.name}({self.arguments}) {{\n{body}\n  ret void\n}}\n"

    def emit(self, instruction: str) -> str:
        """Add an instruction that has a result; returns the result's name."""
        name = f"%v{len(self.lines)}"
        self.lines.append(f"{name} = {instruction}")
        return name

    def address(self, slot: int, start: str = "%w") -> str:
        """Address of a slot of the workspace, or counted from another start."""
        return self.emit(f"getelementptr double, ptr {start}, i64 {slot * LANES}")

    def load(self, slot: int, start: str = "%w") -> str:
        """Numbers of a slot."""
        return self.emit(f"load {VECTOR}, ptr {self.address(slot, start)}, align 8")

    def store(self, value: str, slot: int, start: str = "%w") -> None:
        """Put numbers into a slot."""
        self.lines.append(f"store {VECTOR} {value}, ptr {self.address(slot, start)}, align 8")

    def call(self, name: str, *addresses: str) -> None:
        """Call another function on the same workspace."""
        arguments = ", ".join(f"ptr {address}" for address in ("%w", *addresses))
        self.lines.append(f"call void @{name}({arguments})")

    def number(self, value: float) -> str:
        """The same number for each cell."""
        return "<" + ", ".join([f"double {_hexadecimal(value)}"] * LANES) + ">"

    def operate(self, operation: str, a: str, b: str) -> str:
        """``fadd``, ``fsub``, ``fmul`` or ``fdiv``."""
        return self.emit(f"{operation} {VECTOR} {a}, {b}")

    def fused(self, a: str, b: str, c: str) -> str:
        """a·b + c, rounded once."""
        arguments = ", ".join(f"{VECTOR} {x}" for x in (a, b, c))
        return self.emit(f"call {VECTOR} @llvm.fma.v{LANES}f64({arguments})")

    def negative(self, value: str) -> str:
        """Minus a value."""
        return self.emit(f"fneg {VECTOR} {value}")

    def magnitude(self, value: str) -> str:
        """Absolute value."""
        return self.emit(f"call {VECTOR} @llvm.fabs.v{LANES}f64({VECTOR} {value})")

    def compare(self, comparison: str, a: str, b: str) -> str:
        """Mask of the cells for which a comparison holds; it never does for NaN."""
        return self.emit(f"fcmp {comparison} {VECTOR} {a}, {b}")

    def both(self, a: str, b: str) -> str:
        """Mask of the cells in two masks."""
        return self.emit(f"and {MASK} {a}, {b}")

    def choose(self, mask: str, yes: str, no: str) -> str:
        """``yes`` for the cells in the mask, ``no`` for the others."""
        return self.emit(f"select {MASK} {mask}, {VECTOR} {yes}, {VECTOR} {no}")

    def extreme(self, comparison: str, a: str, b: str) -> str:
        """The larger (``ogt``) or smaller (``olt``) of two; ``b`` if ``a`` is NaN."""
        return self.choose(self.compare(comparison, a, b), a, b)

    def chain(self, operation: str, values: list[str]) -> str:
        """Several values combined from left to right."""
        result = values[0]
        for value in values[1:]:
            result = self.operate(operation, result, value)
        return result

    def weighted(self, weights: tuple[float, ...], values: list[str], start: str | None) -> str:
        """``start`` plus weights times values, from left to right."""
        result = start
        for weight, value in zip(weights, values, strict=True):
            factor = self.number(weight)
            result = (
                self.operate("fmul", value, factor)
                if result is None
                else self.fused(value, factor, result)
            )
        assert result is not None  # no call is without both start and weights
        return result

    def inverse_tenth_root(self, x: str) -> str:
        """x^(−1/10) to .3 % for x between 1e-20 and 1e20, from the exponent by Newton steps."""
        bits = self.emit(f"bitcast {VECTOR} {x} to {_INTEGERS}")
        shift = "<" + ", ".join(["i64 32"] * LANES) + ">"
        high = self.emit(f"lshr {_INTEGERS} {bits}, {shift}")
        high = self.emit(f"trunc {_INTEGERS} {high} to {_SHORT}")
        high = self.emit(f"sitofp {_SHORT} {high} to {VECTOR}")
        # read as a number, the upper half is 2^20 (1023 + log2 x) within .09 × 2^20
        one = 1023.0 * 2.0**20
        guess = self.fused(high, self.number(-0.1), self.number(1.1 * one - 0.05 * 2.0**20))
        guess = self.emit(f"fptosi {VECTOR} {guess} to {_SHORT}")
        guess = self.emit(f"zext {_SHORT} {guess} to {_INTEGERS}")
        guess = self.emit(f"shl {_INTEGERS} {guess}, {shift}")
        y = self.emit(f"bitcast {_INTEGERS} {guess} to {VECTOR}")
        for _ in range(2):
            square = self.operate("fmul", y, y)
            fourth = self.operate("fmul", square, square)
            power = self.chain("fmul", [fourth, fourth, square, x])
            rest = self.fused(power, self.number(-0.1), self.number(1.1))
            y = self.operate("fmul", y, rest)
        return y

    def assign(self, expressions: list[sympy.Expr], places: list[int]) -> Function:
        """Compute expressions into slots, each shared part once."""
        import sympy

        shared, reduced = sympy.cse(expressions, order="canonical", list=True)
        for symbol, expression in shared:
            self.known[symbol] = self.value(expression)
        for place, expression in zip(places, reduced, strict=True):
            self.store(self.value(expression), place)
        return self

    def value(self, expression: sympy.Expr) -> str:
        """Compute an expression; a part that was computed before is used again."""
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
            return self._power(expression.base, int(expression.exp))
        if expression.is_Add:
            return self._sum(expression)
        if expression.is_Mul:
            return self.chain("fmul", [self.value(factor) for factor in expression.args])
        kind = type(expression).__name__
        if kind == "Heaviside":  # slope of max(0, x)
            is_above = self.compare("ogt", self.value(expression.args[0]), self.number(0.0))
            return self.choose(is_above, self.number(1.0), self.number(0.0))
        operands = [self.value(argument) for argument in expression.args]
        result = operands[0]
        for operand in operands[1:]:
            result = self.extreme("ogt" if kind == "Max" else "olt", result, operand)
        return result

    def _power(self, base: sympy.Expr, exponent: int) -> str:
        """Whole powers by squaring; a denominator is inverted once: divisions take longest."""
        if exponent == -1:
            return self.operate("fdiv", self.number(1.0), self.value(base))
        if exponent < 0:
            base, exponent = 1 / base, -exponent
        if exponent == 1:
            return self.value(base)
        half = self.value(base ** (exponent // 2))
        square = self.operate("fmul", half, half)
        return self.operate("fmul", square, self.value(base)) if exponent % 2 else square

    def _sum(self, expression: sympy.Expr) -> str:
        """Terms from left to right; products are fused with their sum."""
        terms = list(expression.args)
        fused = [term for term in terms if term.is_Mul and term not in self.known]
        plain = [term for term in terms if term not in fused]
        if not plain:
            plain, fused = fused[:1], fused[1:]
        result = self.chain("fadd", [self.value(term) for term in plain])
        for term in fused:
            factors = [self.value(factor) for factor in term.args]
            result = self.fused(self.chain("fmul", factors[:-1]), factors[-1], result)
        return result


def _hexadecimal(value: float) -> str:
    """A double as LLVM reads it without rounding."""
    import struct

    return f"0x{struct.unpack('<Q', struct.pack('<d', value))[0]:016X}"
