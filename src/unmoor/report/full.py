"""Figures that only the full report has: single animals, survival and doses."""

from __future__ import annotations

from unmoor.report.doses import DOSES
from unmoor.report.forest import FOREST
from unmoor.report.plan import Plan
from unmoor.report.spider import SPIDER, SPIDER_LINEAR
from unmoor.report.survival_curves import SURVIVAL
from unmoor.report.swimmer import SWIMMER
from unmoor.report.waterfall import WATERFALL

FULL: tuple[Plan, ...] = (FOREST, SPIDER, SPIDER_LINEAR, WATERFALL, SURVIVAL, SWIMMER, DOSES)
"""In the order in which they are drawn."""

FULL_STEMS = tuple(plan.stem for plan in FULL if plan is not FOREST)  # that is with the effects
