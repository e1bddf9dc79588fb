"""Handing work to an executor: what is done is not lost with what fails."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any, NamedTuple

import pytest

from unmoor.trial.workers import completed


class Piece(NamedTuple):
    """A piece of work."""

    key: str


class AtOnce(Executor):
    """Does everything when it is handed over, so that a batch is always done together."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run it."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except BaseException as error:
            future.set_exception(error)
        return future


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_what_is_done_is_told_before_what_fails(error: type[BaseException]) -> None:
    """Of eight pieces that are done together one fails: the other seven come first."""

    def compute(piece: Piece) -> str:
        if piece.key == "0":
            raise error
        return piece.key

    seen = []

    def gather() -> None:
        for piece, _ in completed(AtOnce(), compute, [Piece(f"{n}") for n in range(8)], 8, 1):
            seen.append(piece.key)

    with pytest.raises(error):
        gather()
    assert sorted(seen) == [f"{n}" for n in range(1, 8)]
