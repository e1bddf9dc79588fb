"""Who gets what: animals allocated in permuted blocks, and the key that unblinds them.

The list names a code for each animal and nothing else; what a code stands for is in the key, which
goes to someone who neither treats nor measures. Block lengths vary, so that the last allocation of
a block cannot be guessed from the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from unmoor.errors import Problem, StudyError
from unmoor.random import Stream

if TYPE_CHECKING:
    import pandas as pd

LIST_COLUMNS = ("animal", "block", "code")
KEY_COLUMNS = ("code", "animal", "arm")
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"  # without I and O, which are read as digits
_DIGITS = "23456789"
_LONGEST = 2  # rounds of all arms in a block
_MOST = 100_000  # animals


def randomise(arms: Sequence[str], animals: int, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Allocate animals to arms in permuted blocks of one or two rounds of all arms.

    Parameters
    ----------
    arms
        Names of the arms.
    animals
        Animals in each arm.
    seed
        The same seed gives the same list.

    Returns
    -------
        The list, ``LIST_COLUMNS``, in the order in which animals enter the experiment; and the
        key, ``KEY_COLUMNS``, sorted by code, so that it does not show the order.

    Raises
    ------
    StudyError
        If there are fewer than two arms, no animals or too many.
    """
    import pandas as pd

    if len(set(arms)) < 2 or not 1 <= animals * len(arms) <= _MOST:
        got = f"{animals} animals in each of {len(arms)} arms"
        expected = f"at least two arms, and 1-{_MOST} animals"
        raise StudyError(Problem("", "animals", got, expected, "", "E-RANGE"))
    stream, names = Stream(seed), np.array(list(arms), dtype=object)
    blocks: list[int] = []
    allocated: list[str] = []
    left, number = animals, 0
    while left:
        number += 1
        chosen = float(stream.uniform(number, "randomisation/length"))
        rounds = min(left, 1 + int(chosen * _LONGEST))
        slots = np.tile(np.arange(names.size), rounds)
        ids = np.arange(slots.size, dtype=np.uint64)
        order = np.argsort(stream.uniform(ids, "randomisation/order", step=number), kind="stable")
        allocated += list(names[slots[order]])
        blocks += [number] * slots.size
        left -= rounds
    numbers = np.arange(1, len(allocated) + 1)
    codes = _codes(len(allocated), stream)
    listed = pd.DataFrame(dict(zip(LIST_COLUMNS, (numbers, blocks, codes), strict=True)))
    key = pd.DataFrame(dict(zip(KEY_COLUMNS, (codes, numbers, allocated), strict=True)))
    return listed, key.sort_values("code", ignore_index=True)


def _codes(count: int, stream: Stream) -> list[str]:
    """Different codes of two letters and three digits, in an order that tells nothing."""
    a, b = len(_LETTERS), len(_DIGITS)
    every, found = a * a * b**3, dict[str, None]()
    step = 0
    while len(found) < count:  # codes that came before are left out
        step += 1
        luck = stream.uniform(np.arange(2 * count, dtype=np.uint64), "randomisation/code", step)
        for value in (luck * every).astype(np.int64).tolist():
            letters, digits = divmod(value, b**3)
            text = _LETTERS[letters // a] + _LETTERS[letters % a]
            found[text + "".join(_DIGITS[digits // b**place % b] for place in (2, 1, 0))] = None
    return list(found)[:count]
