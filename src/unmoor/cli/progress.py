"""How far a run is: a bar on a terminal, otherwise a line every few seconds."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from unmoor.cli.streams import has_colour, say

if TYPE_CHECKING:
    from unmoor.trial.run import Progress

EVERY = 5.0
"""Least time between two lines where there is no terminal [s]."""


@contextmanager
def shown_progress() -> Iterator[Callable[[Progress], None]]:
    """Show progress on standard error as long as the block lasts."""
    if sys.stderr.isatty():
        with _bar() as tell:
            yield tell
    else:
        yield _Lines()


def time_left(progress: Progress) -> str:
    """Return how long a run still takes, as far as one can tell."""
    if progress.eta is None:
        return "time left unknown"
    return f"about {duration(progress.eta)} left"


def duration(seconds: float) -> str:
    """Return a time as one would say it: ``40 s``, ``3 min 20 s``, ``2 h 10 min``."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


class _Lines:
    """A plain line every few seconds, for logs and pipes."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        if now - self._last >= EVERY and progress.done < progress.total:
            self._last = now
            say(f"{_share(progress)} %, {time_left(progress)}{_failed(progress)}")


def _share(progress: Progress) -> int:
    return 100 * progress.done // max(1, progress.total)


def _failed(progress: Progress) -> str:
    return f", {progress.failed} tumours failed" if progress.failed else ""


@contextmanager
def _bar() -> Iterator[Callable[[Progress], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn
    from rich.progress import Progress as Bar

    console = Console(stderr=True, no_color=not has_colour(sys.stderr), highlight=False)
    text = TextColumn("{task.description}", markup=False)
    with Bar(BarColumn(), TaskProgressColumn(), text, console=console, transient=True) as bar:
        task = bar.add_task("preparing", total=None)

        def tell(progress: Progress) -> None:
            said = f"{time_left(progress)}{_failed(progress)}"
            bar.update(task, total=progress.total, completed=progress.done, description=said)

        yield tell
