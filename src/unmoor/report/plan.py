"""What a figure of the report is: its name, how it is drawn, what is said about it, and when."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd
from matplotlib.figure import Figure

from unmoor.report.view import View


@dataclass(frozen=True)
class Plan:
    """A figure that a report may have.

    Attributes
    ----------
    stem
        Name of its files.
    title
        Heading of its caption.
    draw
        Draws it and gives the rows behind it.
    caption, alt
        What stands below it, and what is read to those who cannot see it.
    is_possible
        Whether the run holds data for it.
    """

    stem: str
    title: str
    draw: Callable[[View], tuple[Figure, pd.DataFrame]]
    caption: Callable[[View], str]
    alt: Callable[[View], str]
    is_possible: Callable[[View], bool]


def lines(view: View) -> str:
    """Panels of a figure in words."""
    return ", ".join(group.label for group in view.groups)
