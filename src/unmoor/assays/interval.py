"""Length of the steps in which assays follow cells."""

from __future__ import annotations

INTERVAL = 0.5  # d; halving it moves outcomes by 0.1 % in the median draw (tests)
EXCHANGE = 6.0  # min between two looks of a tissue's cells at what is around them
