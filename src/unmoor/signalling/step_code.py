"""Code of a step: each of the eight cells has its own time, step size and verdict on the step.

A cell that has reached the end of its interval, or failed, keeps its state while the others go on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from unmoor.signalling.rosenbrock import GAMMA, A, C
from unmoor.signalling.solve import LANES, NOT_FINITE, TOO_MANY_STEPS
from unmoor.signalling.vector_code import MASK, VECTOR, Function

if TYPE_CHECKING:
    from unmoor.signalling.codegen import Layout

_MAX_STEPS = 20_000
_SHORTEST = 1e-8  # h
_SAFETY, _LEAST, _MOST = 0.9, 0.1, 6.0  # of the change of the step size


def try_step(layout: Layout) -> Function:
    """Choose the size of the next step: what was proposed, or up to the end of the interval."""
    function = Function("try_step")
    time, end = function.load(layout.time), function.load(layout.end)
    step = function.load(layout.step)
    proposed = function.operate("fadd", time, step)
    reach = function.fused(step, function.number(1.0000001), time)
    is_last = function.compare("oge", reach, end)
    # a cell at its end goes through the motions with its own step
    is_left = function.compare("olt", time, end)
    is_cut = function.both(is_last, is_left)
    used = function.choose(is_cut, function.operate("fsub", end, time), step)
    inverse = function.operate("fdiv", function.number(1.0), used)
    function.store(function.choose(is_last, end, proposed), layout.ahead)
    function.store(used, layout.used)
    function.store(inverse, layout.inverse_step)
    shift = function.operate("fmul", inverse, function.number(1.0 / GAMMA))
    function.store(shift, layout.shift)
    return function


def step(layout: Layout, n: int) -> Function:
    """One Rosenbrock step from the base state; leaves the new state and its error norm.

    The slopes at the base state have been computed.
    """
    function = Function("step")
    function.call("factorise")
    for stage in range(len(C)):
        for i in range(n):
            _combine(function, layout, n, stage, i)
        if stage:
            function.call("rates")
        function.call("solve", function.address(layout.stages + stage * n))
    total = function.number(0.0)
    relative = function.load(layout.tolerance + n)
    for i in range(n):
        error, old = (
            function.load(layout.stages + (len(C) - 1) * n + i),
            function.load(layout.base + i),
        )
        new = function.operate("fadd", function.load(layout.species + i), error)
        function.store(new, layout.species + i)
        size = function.extreme("ogt", function.magnitude(old), function.magnitude(new))
        allowed = function.fused(size, relative, function.load(layout.tolerance + i))
        ratio = function.operate("fdiv", error, allowed)
        total = function.fused(ratio, ratio, total)
    function.store(function.operate("fmul", total, function.number(1.0 / n)), layout.norm)
    return function


def _combine(function: Function, layout: Layout, n: int, stage: int, i: int) -> None:
    """Point of a stage for species ``i``, and what earlier stages add to its rate."""
    earlier = [function.load(layout.stages + j * n + i) for j in range(stage)]
    added = function.number(0.0)
    if stage:
        point = (
            function.weighted(A[stage], earlier, function.load(layout.base + i))
            if stage < len(A)
            else function.operate("fadd", function.load(layout.species + i), earlier[-1])
        )
        function.store(point, layout.species + i)
        sums = function.weighted(C[stage], earlier, None)
        added = function.operate("fmul", sums, function.load(layout.inverse_step))
    function.store(added, layout.stages + stage * n + i)


def judge(layout: Layout, n: int) -> Function:
    """Accept or reject the step of each cell and propose its next."""
    function = Function("judge")
    number = function.number
    square, used = function.load(layout.norm), function.load(layout.used)
    time, end = function.load(layout.time), function.load(layout.end)
    ahead, old = function.load(layout.ahead), function.load(layout.step)
    is_left = function.compare("olt", time, end)
    is_kept = function.both(is_left, function.compare("ole", square, number(1.0)))
    for i in range(n):
        species = function.load(layout.species + i)
        state = function.choose(is_kept, species, function.load(layout.base + i))
        function.store(state, layout.base + i)
        function.store(state, layout.species + i)
    proposed = function.operate("fmul", used, _growth(function, square))
    is_cut = function.both(is_kept, function.compare("oge", ahead, end))
    is_cut = function.both(is_cut, function.compare("olt", proposed, old))
    proposed = function.choose(is_cut, old, proposed)  # a cut step says nothing against the old
    function.store(function.choose(is_left, proposed, old), layout.step)
    tries = function.operate("fadd", function.load(layout.tries), number(1.0))
    function.store(function.choose(is_left, tries, function.load(layout.tries)), layout.tries)
    time, status = function.choose(is_kept, ahead, time), function.load(layout.status)
    for is_bad, reason in (
        (function.compare("ogt", tries, number(_MAX_STEPS)), TOO_MANY_STEPS),
        (function.compare("olt", proposed, number(_SHORTEST)), NOT_FINITE),
    ):
        has_failed = function.both(is_left, is_bad)
        status = function.choose(has_failed, number(reason), status)
        time = function.choose(has_failed, end, time)
    function.store(status, layout.status)
    function.store(time, layout.time)
    return function


def _growth(function: Function, square: str) -> str:
    """Factor of the step size from the mean square of the error, for an estimate of order 4."""
    low, high = (_SAFETY / _MOST) ** 10, (_SAFETY / _LEAST) ** 10
    square = function.extreme("olt", square, function.number(high))  # of NaN: high
    square = function.extreme("ogt", square, function.number(low))
    root = function.inverse_tenth_root(square)
    return function.operate("fmul", root, function.number(_SAFETY))


def advance(layout: Layout) -> list[str]:
    """Two loops of steps: until every cell is at its end, or until the first one comes there."""
    return [
        _loop("advance", layout, "icmp ne i8 %left, 0"),
        _loop("advance_first", layout, "icmp eq i8 %left, %began"),
    ]


def _loop(name: str, layout: Layout, goes_on: str) -> str:
    slots = {"time": layout.time * LANES, "end": layout.end * LANES}
    count = [
        *[f"%{x}{{0}} = load {VECTOR}, ptr %{x}_at, align 8" for x in slots],
        f"%mask{{0}} = fcmp olt {VECTOR} %time{{0}}, %end{{0}}",
        f"%{{1}} = bitcast {MASK} %mask{{0}} to i8",
    ]
    lines = [
        "entry:",
        *[f"%{x}_at = getelementptr double, ptr %w, i64 {slot}" for x, slot in slots.items()],
        *[line.format("_before", "began") for line in count],
        "%any = icmp ne i8 %began, 0",
        "br i1 %any, label %again, label %done",
        "again:",
        *[f"call void @{part}(ptr %w)" for part in ("slopes", "try_step", "step", "judge")],
        *[line.format("_after", "left") for line in count],
        f"%more = {goes_on}",
        "br i1 %more, label %again, label %done",
        "done:",
        "ret void",
    ]
    return f"define void @{name}(ptr %w) {{\n" + "\n".join(lines) + "\n}\n"
