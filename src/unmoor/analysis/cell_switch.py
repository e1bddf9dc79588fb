"""Whether cells of a line lose E-cadherin when β1 integrin is blocked: one cell a line and draw.

The test of the design: cells in the untreated state of their line, β1 integrin held at a tenth for
two weeks, then given back. It takes the network alone – no clones, neighbours or animals – so that
every line of a panel can be put to it in seconds. Equations: docs/explanation/foresight_lines.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from unmoor.catalog import table
from unmoor.catalog.draws import Draw
from unmoor.cell.line import CellLine, Structure, network_values
from unmoor.cell.line_rule import LineParameters
from unmoor.elementwise import FloatArray
from unmoor.signalling.batch import Batch
from unmoor.signalling.codegen import LANES

BRANCHES = ("epithelial", "partial", "mesenchymal")
_SETTLE = 20_000.0  # h in which a cell reaches its steady state
_RTOL = 1e-4
_DAY = 24.0  # h


@dataclass(frozen=True)
class Cells:
    """What the test found of each cell; all arrays have one shape, NaN where it was not solved.

    Attributes
    ----------
    untreated, blocked, restored, finally_restored
        E-cadherin as a share of the epithelial maximum: before, at the end of the blockade, at the
        stated day after it, and long after it.
    keeps_branch
        1 where the untreated cell is in the state that the line rule puts it in, else 0.
    """

    untreated: FloatArray
    blocked: FloatArray
    restored: FloatArray
    finally_restored: FloatArray
    keeps_branch: FloatArray

    @property
    def loss(self) -> FloatArray:
        """E-cadherin lost under blockade, a share of the epithelial maximum."""
        return self.untreated - self.blocked

    def switches(self, loss: float) -> FloatArray:
        """1 where at least so much is lost, 0 where not, NaN where not solved."""
        found: FloatArray = np.where(np.isfinite(self.loss), self.loss >= loss, np.nan)
        return found

    def reverses(self, loss: float, *, in_the_end: bool = False) -> FloatArray:
        """1 where a cell that switched has its E-cadherin back, 0 where not, else NaN."""
        now = self.finally_restored if in_the_end else self.restored
        returned = self.untreated - now < loss
        found: FloatArray = np.where(self.switches(loss) == 1.0, returned, np.nan)
        return found


def switch_loss(draw: Draw) -> float:
    """Absolute loss of E-cadherin that counts as a switch."""
    return draw.values("closures", "line_rule")["switch_loss"]


def put_to_the_test(
    line: CellLine,
    draws: Sequence[Draw],
    structure: Structure,
    lines: Sequence[LineParameters] | None = None,
    *,
    k_int: Sequence[float] | None = None,
    restore: bool = True,
) -> Cells:
    """Put one cell of a line in each draw to the test.

    Parameters
    ----------
    lines
        Parameters of the line in each draw; by the line rule if None.
    k_int
        Coupling in each draw instead of the draw's own [uM/h].
    restore
        Whether β1 integrin is given back afterwards; what is only known then is NaN if not.

    Returns
    -------
        Arrays of shape (draws,).
    """
    core = structure.emt_core
    found = lines or [line.parameters(draw, core) for draw in draws]
    constants = table("closures", "screen", line.beside).values_by_id()
    values = [network_values(draw, structure, own) for draw, own in zip(draws, found, strict=True)]
    if k_int is not None:
        values = [{**each, "k_int": k} for each, k in zip(values, k_int, strict=True)]
    network = structure.network
    pack = partial(_in_blocks, count=len(draws))
    own = {name: pack([each[name] for each in values]) for name in network.parameters}
    batch = Batch(network, own, own[network.parameters[0]].shape, rtol=_RTOL)
    batch.set_parameter("f", pack([each.prime_f for each in found]))
    batch.set_parameter("tone", pack([each.prime_tone for each in found]))
    batch.advance(_SETTLE)
    batch.set_parameter("f", own["f"])
    batch.set_parameter("tone", own["tone"])
    batch.advance(_SETTLE)
    untreated = _read(batch, len(draws))
    batch.set_input("itgb1", constants["beta1_left"])
    batch.advance(_DAY * constants["blocked_time"])
    blocked = _read(batch, len(draws))
    restored = finally_restored = np.full(len(draws), np.nan)
    if restore:
        batch.set_input("itgb1", 1.0)
        batch.advance(_DAY * constants["restored_time"])
        restored = _read(batch, len(draws))
        batch.advance(_SETTLE)
        finally_restored = _read(batch, len(draws))
    partial_state = [draw.values("networks", core)["e_of_partial"] for draw in draws]
    is_kept = _keeps(found, untreated, partial_state)
    return Cells(untreated, blocked, restored, finally_restored, is_kept)


def without(
    line: CellLine, gene_level: str, draws: Sequence[Draw], structure: Structure
) -> list[LineParameters]:
    """Parameters of a line whose gene is deleted: the same cells with another competence.

    What surrounds the cells – the standing TGFβ – and the state they come from stay as they were.

    Parameters
    ----------
    gene_level
        ``L_TGFBR2`` or ``L_SMAD4``.
    """
    core = structure.emt_core
    gone = line.altered({gene_level: _NONE})
    own = [line.parameters(draw, core) for draw in draws]
    deleted = [gone.parameters(draw, core) for draw in draws]
    return [replace(a, f=b.f) for a, b in zip(own, deleted, strict=True)]


_NONE = -200.0  # log2 level that is nothing whatever its uncertainty


def _in_blocks(values: Sequence[float], count: int) -> FloatArray:
    """Numbers of cells in rows of as many as code advances together, the last one filled up."""
    width = -(-count // LANES) * LANES
    filled = np.resize(np.asarray(values, dtype=np.float64), count)
    filled = np.concatenate([filled, np.full(width - count, filled[-1])])
    return filled.reshape(-1, LANES)


def _read(batch: Batch, count: int) -> FloatArray:
    """E-cadherin of each cell, NaN where a cell of its row was not solved."""
    is_failed = np.repeat(batch.failed() != 0, LANES)[:count]
    now = batch.readouts()["e_cadherin"].reshape(-1)[:count]
    return np.where(is_failed, np.nan, now)


def _keeps(
    lines: Sequence[LineParameters],
    untreated: FloatArray,
    partial_state: Sequence[float],
) -> FloatArray:
    """Whether each untreated cell is in the state its line lives in."""
    present = np.array([max(line.e_present, np.finfo(float).tiny) for line in lines])
    middle, relative = np.array(partial_state), untreated / present
    is_low = relative < 0.5 * middle  # half-way between states
    state = np.where(is_low, 2, np.where(relative >= 0.5 * (1.0 + middle), 0, 1))
    expected = np.array([BRANCHES.index(line.branch) for line in lines])
    kept: FloatArray = np.where(np.isfinite(untreated), state == expected, np.nan)
    return kept
