"""Processes of a pool that are killed: their work is done again, or named after three times."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from unmoor.errors import ExitCode, ResourceError
from unmoor.trial import workers
from unmoor.trial.workers import TRIES, completed

DEADLY = "piece 4"


@dataclass(frozen=True)
class Piece:
    """Work that kills its process a number of times, noted in a folder."""

    number: int
    deaths: int
    folder: Path

    @property
    def key(self) -> str:
        """Its name."""
        return f"piece {self.number}"


def work(piece: Piece) -> int:
    """The square of a number, unless the process dies of it."""
    note = piece.folder / f"{piece.number}"
    with note.open("a", encoding="utf-8") as file:
        file.write("x")
    if piece.key == DEADLY and note.stat().st_size <= piece.deaths:
        os.kill(os.getpid(), signal.SIGKILL)
    return piece.number**2


def run_pieces(folder: Path, deaths: int) -> Iterator[tuple[Piece, int]]:
    """Ten pieces in two processes."""
    folder.mkdir(exist_ok=True)
    pieces = [Piece(number, deaths, folder) for number in range(10)]
    context = multiprocessing.get_context("forkserver")
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        yield from completed(pool, work, pieces, 4, 2)


def check_killed(folder: Path, deaths: int) -> None:
    """All pieces are done once; the deadly one as often as it took, the others twice at most."""
    found = [(piece.number, result) for piece, result in run_pieces(folder, deaths)]
    assert sorted(found) == [(number, number**2) for number in range(10)]
    tries = {path.name: path.stat().st_size for path in folder.iterdir()}
    assert tries["4"] == deaths + 1
    assert all(count <= 2 for name, count in tries.items() if name != "4")


@pytest.mark.parametrize("deaths", [0, 1, 2])
def test_work_of_a_killed_process_is_done_again(tmp_path: Path, deaths: int) -> None:
    """Killed once or twice, as by the system when memory is short."""
    check_killed(tmp_path, deaths)


def check_named(folder: Path) -> None:
    """What kills its process every time is named when all else is done."""
    found: list[int] = []
    with pytest.raises(ResourceError, match=DEADLY) as told:
        found.extend(piece.number for piece, _ in run_pieces(folder, 1000))
    assert told.value.exit_code == ExitCode.RESOURCE
    assert sorted(found) == [0, 1, 2, 3, 5, 6, 7, 8, 9]
    assert (folder / "4").stat().st_size <= TRIES + 1


def test_work_that_kills_three_times_is_named(tmp_path: Path) -> None:
    """And costs no other piece."""
    check_named(tmp_path)


def test_a_planted_single_try_is_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No second try, or a pool that takes everything down."""
    with monkeypatch.context() as patch:
        patch.setattr(workers, "TRIES", 1)
        with pytest.raises((AssertionError, ResourceError)):
            check_killed(tmp_path / "single", 1)
    monkeypatch.setattr(workers, "BrokenExecutor", ZeroDivisionError)
    with pytest.raises(BrokenExecutor):
        check_killed(tmp_path / "none", 1)
