"""Numerics: steps and times of a tissue, and with which code it is moved."""

from __future__ import annotations

from dataclasses import dataclass

from unmoor.tissue.moving import How


@dataclass(frozen=True)
class Numerics:
    """How a tissue is computed.

    Attributes
    ----------
    dt
        Step of movement [min].
    exchange
        Time between two exchanges of cells with rules and gel; steps fit into it [min].
    social
        Exchanges between two looks at fields and neighbours.
    signals
        Exchanges between two advances of the networks.
    skin
        Margin of the list of neighbours [µm].
    threads
        Threads that move the cells; results do not depend on them.
    how
        Code of movement (``moving.move``).
    """

    dt: float = 0.3
    exchange: float = 6.0
    social: int = 5
    signals: int = 10
    skin: float = 3.0
    threads: int = 1
    how: How = "vector"

    @property
    def steps(self) -> int:
        """Steps between two exchanges."""
        return max(round(self.exchange / self.dt), 1)
