"""The report of a result: figures and one HTML file that needs nothing else."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from unmoor.trial.result import Result

__all__ = ["report"]


def report(
    result: Result, path: str | os.PathLike[str], *, full: bool = False, prism: bool = False
) -> Path:
    """Write the report of a result, with its figures beside it.

    The same result gives the same bytes. Safe to call from several threads.

    Parameters
    ----------
    result
        Result of a study.
    path
        HTML file to write, or a folder, which gets ``report.html``. Figures go to ``figures/``
        beside it: SVG, PNG (300 dots/inch) and the data as CSV; the methods of the study to
        ``methods.md``.
    full
        Add the figures of single animals (spider, waterfall, Kaplan–Meier, swimmer) and of doses,
        and the tables for GraphPad Prism.
    prism
        Write the tables for GraphPad Prism to ``prism/``.

    Returns
    -------
        The HTML file.

    Raises
    ------
    ResourceError
        If the disk is full.
    RunFolderError
        If a file cannot be written for another reason.
    """
    from unmoor.report.html import write_report  # loads matplotlib and jinja2

    target = Path(path)
    if target.is_dir() or not target.suffix:
        target = target / "report.html"
    return write_report(result, target, full=full, prism=prism or full)
