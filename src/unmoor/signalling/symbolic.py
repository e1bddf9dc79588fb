"""From equations to a plan of arithmetic: hoisted constants, Jacobian, sparse factorisation.

The Newton matrix is factorised symbolically and sparsely, without pivoting, as in the Kinetic
PreProcessor (Damian et al. 2002): networks of signalling are sparse and the step-size control
rejects a step whose matrix was too close to singular.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sympy

Pair = tuple[int, int]


@dataclass(frozen=True)
class System:
    """Symbolic right-hand side with its names in order."""

    species: tuple[str, ...]
    parameters: tuple[str, ...]
    inputs: tuple[str, ...]
    rates: tuple[sympy.Expr, ...]
    readouts: tuple[sympy.Expr, ...]


@dataclass(frozen=True)
class Plan:
    """Everything to be computed for a block of cells, in symbols.

    ``constants`` depend on parameters and inputs only and are computed once per interval;
    ``jacobian`` holds the entries that are not identically zero; ``factors`` those of its LU form.
    """

    system: System
    constants: dict[sympy.Expr, sympy.Symbol]
    rates: list[sympy.Expr]
    readouts: list[sympy.Expr]
    jacobian: dict[Pair, sympy.Expr]
    order: list[int]
    factors: list[Pair]


def make_plan(system: System) -> Plan:
    """Differentiate, hoist constants and choose the order of elimination."""
    import sympy

    symbols = [sympy.Symbol(name) for name in system.species]
    hoist = _Hoist(set(symbols))
    entries = {
        (i, j): sympy.diff(rate, symbol)
        for i, rate in enumerate(system.rates)
        for j, symbol in enumerate(symbols)
        if symbol in rate.free_symbols
    }
    order, factors = _eliminate(set(entries), len(symbols))
    return Plan(
        system=system,
        rates=[hoist(rate) for rate in system.rates],
        readouts=[hoist(readout) for readout in system.readouts],
        jacobian={pair: hoist(entry) for pair, entry in entries.items()},
        constants=hoist.constants,
        order=order,
        factors=factors,
    )


@dataclass
class _Hoist:
    """Moves the largest species-free parts of an expression into precomputed constants."""

    species: set[sympy.Symbol]
    constants: dict[sympy.Expr, sympy.Symbol] = field(default_factory=dict)

    def __call__(self, expression: sympy.Expr) -> sympy.Expr:
        if not expression.free_symbols & self.species:
            return self._constant(expression)
        if expression.is_Symbol:
            return expression
        if expression.is_Add or expression.is_Mul:
            fixed = [a for a in expression.args if not a.free_symbols & self.species]
            moving = [self(a) for a in expression.args if a.free_symbols & self.species]
            if fixed:
                moving.append(self._constant(expression.func(*fixed)))
            return expression.func(*moving)
        return expression.func(*[self(a) if a.free_symbols else a for a in expression.args])

    def _constant(self, expression: sympy.Expr) -> sympy.Expr:
        import sympy

        if expression.is_Number or expression.is_Symbol:
            return expression
        if expression not in self.constants:
            self.constants[expression] = sympy.Symbol(f"constant {len(self.constants)}")
        return self.constants[expression]


def _eliminate(entries: set[Pair], n: int) -> tuple[list[int], list[Pair]]:
    """Order of elimination by smallest Markowitz product (ties by index), and LU entries."""
    filled = entries | {(i, i) for i in range(n)}
    left, order = set(range(n)), []
    while left:
        costs = {k: (_markowitz(k, left, filled), k) for k in left}
        k = min(costs, key=costs.__getitem__)
        left.remove(k)
        order.append(k)
        filled |= {(i, j) for i in left for j in left if (i, k) in filled and (k, j) in filled}
    return order, sorted(filled)


def _markowitz(k: int, left: set[int], filled: set[Pair]) -> int:
    """Entries that eliminating ``k`` touches: those below it × those beside it."""
    rows = sum((i, k) in filled for i in left if i != k)
    columns = sum((k, j) in filled for j in left if j != k)
    return rows * columns
