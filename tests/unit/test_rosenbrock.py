"""Coefficients of the Rosenbrock method against the conditions that make its order."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import NamedTuple

import numpy as np
import pytest

from unmoor.signalling.rosenbrock import GAMMA, A, C

Tree = tuple["Tree", ...]  # what grows from the root
Rows = Sequence[Sequence[float]]
STAGES = len(C)


def trees(order: int) -> list[Tree]:
    """All rooted trees with ``order`` vertices."""

    def forests(vertices: int, largest: int) -> list[Tree]:
        if vertices == 0:
            return [()]
        return [
            (first, *rest)
            for size in range(1, min(vertices, largest) + 1)
            for first in trees(size)
            for rest in forests(vertices - size, size)
        ]

    return sorted({tuple(sorted(forest)) for forest in forests(order - 1, order - 1)})


def size(tree: Tree) -> int:
    """Vertices of a tree."""
    return 1 + sum(size(branch) for branch in tree)


def density(tree: Tree) -> int:
    """Product of the sizes of all subtrees."""
    return size(tree) * prod(density(branch) for branch in tree)


class Method(NamedTuple):
    """α, α + γ (the diagonal included), weights of the solution and of the embedded one."""

    alpha: np.ndarray
    beta: np.ndarray
    new: np.ndarray
    embedded: np.ndarray


def method(a_rows: Rows = A, c_rows: Rows = C) -> Method:
    """The method as in textbooks, from the form without matrix products."""
    extra = len(c_rows) - len(a_rows)
    rows = [*a_rows, *[(*a_rows[-1], *[1.0] * count) for count in range(1, extra + 1)]]
    a, c = np.zeros((2, STAGES, STAGES))
    for i, (a_row, c_row) in enumerate(zip(rows, c_rows, strict=True)):
        a[i, : len(a_row)], c[i, : len(c_row)] = a_row, c_row
    gammas = np.linalg.inv(np.eye(STAGES) / GAMMA - c)
    new, embedded = np.array([*rows[-1], 1.0]), np.array([*rows[-1], 0.0])
    return Method(a @ gammas, a @ gammas + gammas, new @ gammas, embedded @ gammas)


def elementary(tree: Tree, of: Method) -> np.ndarray:
    """Weight of each stage for a tree: α where it forks, α + γ where it does not (Wanner)."""
    if len(tree) == 1:
        weights: np.ndarray = of.beta @ elementary(tree[0], of)
        return weights
    above = [of.alpha @ elementary(branch, of) for branch in tree]
    return np.prod([np.ones(STAGES), *above], axis=0)


def worst_gap(order: int, of: Method, weights: np.ndarray) -> float:
    """By how much the conditions of an order are missed."""
    return max(
        abs(float(weights @ elementary(tree, of)) - 1.0 / density(tree)) for tree in trees(order)
    )


def test_there_are_as_many_trees_as_known() -> None:
    """1, 1, 2, 4 and 9 of one to five vertices (Cayley)."""
    assert [len(trees(order)) for order in range(1, 6)] == [1, 1, 2, 4, 9]


@pytest.mark.parametrize("order", [1, 2, 3, 4, 5])
def test_conditions_up_to_order_five_hold(order: int) -> None:
    """Each to 1e-12."""
    assert worst_gap(order, method(), method().new) < 1e-12


def test_no_coefficient_can_be_mistyped_unseen() -> None:
    """A change of 1e-6 in any of them breaks a condition."""
    for table in (A, C):
        for i, row in enumerate(table):
            for j in range(len(row)):
                changed = [list(numbers) for numbers in table]
                changed[i][j] += 1e-6
                of = method(changed) if table is A else method(c_rows=changed)
                assert max(worst_gap(order, of, of.new) for order in range(1, 6)) > 1e-10


def test_the_embedded_solution_is_of_order_four_and_no_more() -> None:
    """So that the difference of both is an estimate of the error."""
    of = method()
    gaps = [worst_gap(order, of, of.embedded) for order in range(1, 6)]
    assert max(gaps[:4]) < 1e-12
    assert gaps[4] > 1e-4


def test_both_solutions_damp_whatever_is_stiff() -> None:
    """Growth of y' = zy: at most 1 on the imaginary axis, nothing left at infinity."""
    of = method()

    def growth(weights: np.ndarray, z: complex) -> float:
        inner = np.linalg.solve(np.eye(STAGES) - z * of.beta, np.ones(STAGES))
        return float(abs(1.0 + z * weights @ inner))

    for weights in (of.new, of.embedded):
        assert growth(weights, -1e9) < 1e-6
        assert max(growth(weights, 1j * y) for y in np.logspace(-2, 4, 400)) <= 1.0 + 1e-9
