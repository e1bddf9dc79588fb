"""Turn a network's equations into machine code that advances eight cells at once.

All numbers of a block of eight cells lie in one workspace: slot ``i`` holds one number of each
cell. The code is written as LLVM vector instructions, so it is fast on every processor, compiles
in a fraction of a second and gives the same bits everywhere. No cell's numbers depend on which
others are in its block.
"""

from __future__ import annotations

from collections.abc import Sequence, Sized
from dataclasses import dataclass

from unmoor.signalling.rosenbrock import C
from unmoor.signalling.solve import LANES
from unmoor.signalling.step_code import advance, judge, step, try_step
from unmoor.signalling.symbolic import Plan, System, make_plan
from unmoor.signalling.vector_code import DECLARATIONS, Function

__all__ = ["LANES", "Layout", "generate"]


@dataclass(frozen=True)
class Layout:
    """Names, and first slot of each group of numbers in the workspace of a block.

    Attributes
    ----------
    base, species
        State at the start of a step, and at the stage that is being computed.
    stages
        Increments of all stages, one after the other.
    tolerance
        Absolute tolerance of each species, then the relative one.
    time, end, step, ahead, used
        Hours now, at the end of the interval, of the next step, at the end of the present step,
        and of the present step.
    shift, inverse_step
        1/(γ·used) and 1/used.
    norm
        Mean square of error over tolerance of the present step.
    status, tries
        0 or the reason of failure (``solve``), and steps tried within the interval.
    """

    species_names: tuple[str, ...]
    parameter_names: tuple[str, ...]
    species: int
    rates: int
    stages: int
    parameters: int
    inputs: int
    constants: int
    jacobian: int
    factors: int
    readouts: int
    base: int
    tolerance: int
    time: int
    end: int
    step: int
    ahead: int
    used: int
    shift: int
    inverse_step: int
    norm: int
    status: int
    tries: int
    size: int


def generate(system: System) -> tuple[str, Layout]:
    """LLVM code of the functions of a system, and its workspace layout."""
    plan = make_plan(system)
    layout = _layout(plan)
    slots = _slots(plan, layout)
    n = len(system.species)
    jacobian = _places(layout.jacobian, plan.jacobian)
    rates, readouts = _places(layout.rates, plan.rates), _places(layout.readouts, plan.readouts)
    constants = _places(layout.constants, plan.constants)
    functions = [
        Function("prepare", slots).assign(list(plan.constants), constants),
        Function("rates", slots).assign(plan.rates, rates),
        Function("slopes", slots).assign(
            [*plan.rates, *plan.jacobian.values()], [*rates, *jacobian]
        ),
        _factorise(plan, layout),
        _solve(plan, layout),
        try_step(layout),
        step(layout, n),
        judge(layout, n),
        Function("readouts", slots).assign(plan.readouts, readouts),
    ]
    texts = [function.text() for function in functions]
    return "\n".join([DECLARATIONS, *texts, *advance(layout)]), layout


def _places(start: int, group: Sized) -> list[int]:
    return [start + i for i in range(len(group))]


def _layout(plan: Plan) -> Layout:
    n, system = len(plan.system.species), plan.system
    sizes = [n, n, n * len(C), len(system.parameters), len(system.inputs), len(plan.constants)]
    sizes += [len(plan.jacobian), len(plan.factors), len(system.readouts)]
    sizes += [n, n + 1, *[1] * 10]
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


def _factorise(plan: Plan, layout: Layout) -> Function:
    """LU factors of shift·I − J in elimination order; those off the diagonal are negated.

    Diagonals are stored inverted.
    """
    function = Function("factorise")
    entries = {pair: layout.jacobian + i for i, pair in enumerate(plan.jacobian)}
    zero, one = function.number(0.0), function.number(1.0)
    shift = function.load(layout.shift)
    # worked with J − shift·I, so that each update is a product added
    a: dict[tuple[int, int], str] = {}
    for i, j in plan.factors:
        loaded = function.load(entries[i, j]) if (i, j) in entries else zero
        a[i, j] = function.operate("fsub", loaded, shift) if i == j else loaded
    for position, k in enumerate(plan.order):
        later = plan.order[position + 1 :]
        inverse = function.operate("fdiv", one, a[k, k])
        opposite = function.negative(inverse)
        a[k, k] = opposite
        for i in later:
            if (i, k) not in a:
                continue
            a[i, k] = function.operate("fmul", a[i, k], opposite)
            for j in later:
                if (k, j) in a:
                    a[i, j] = function.fused(a[i, k], a[k, j], a[i, j])
    for index, pair in enumerate(plan.factors):
        function.store(a[pair], layout.factors + index)
    return function


def _solve(plan: Plan, layout: Layout) -> Function:
    """Solve with the stored factors; at ``%x`` lies what is added to the rates, then the stage."""
    function = Function("solve", arguments="ptr %w, ptr %x")
    factor = {pair: layout.factors + i for i, pair in enumerate(plan.factors)}
    x: dict[int, str] = {}

    def add(i: int, others: list[int]) -> None:
        for j in others:
            if (i, j) in factor:
                x[i] = function.fused(function.load(factor[i, j]), x[j], x[i])

    for position, i in enumerate(plan.order):
        x[i] = function.operate("fadd", function.load(layout.rates + i), function.load(i, "%x"))
        add(i, plan.order[:position])
    for position, i in reversed(list(enumerate(plan.order))):
        add(i, plan.order[position + 1 :])
        x[i] = function.operate("fmul", x[i], function.load(factor[i, i]))
        function.store(x[i], i, "%x")
    return function
