"""Figures that only the full report has: single animals, survival and doses."""

from __future__ import annotations

from unmoor.report.plan import Plan

FULL: tuple[Plan, ...] = ()
"""In the order in which they are drawn."""
