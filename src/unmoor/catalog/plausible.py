"""The stored result of the calibration: which draws of a seed are plausible."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from unmoor.catalog import ROOT
from unmoor.errors import CatalogError


def structure_name(emt_core: str, mechanism: str, e_readout: str = "cdh1") -> str:
    """What a combination of structural options is called in tables: ``cascading/tgfb``."""
    return "/".join([emt_core, mechanism, *([] if e_readout == "cdh1" else [e_readout])])


@dataclass(frozen=True)
class CalibrationShares:
    """What the calibration of a structure kept, and how a line answered before it."""

    tried: int
    plausible: int
    switch: dict[str, float]


@lru_cache(maxsize=16)
def calibration_shares(structure: str) -> CalibrationShares | None:
    """Draws tried and kept, and the share of switches by line before; None if never calibrated."""
    path = ROOT / "calibration" / "shares.tsv"
    header, *rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]
    own = [dict(zip(header, row, strict=True)) for row in rows if row[0] == structure]
    if not own:
        return None
    switch = {row["cell_line"]: float(row["switch"]) for row in own}
    return CalibrationShares(int(own[0]["tried"]), int(own[0]["plausible"]), switch)


@dataclass(frozen=True)
class PlausibleSets:
    """Numbers of the plausible draws of a seed, under one structure of the model."""

    seed: int
    central: int
    others: tuple[int, ...]


@lru_cache(maxsize=16)
def plausible_sets(structure: str) -> PlausibleSets:
    """The stored result of the calibration for a structure such as ``cascading/tgfb``."""
    path = ROOT / "calibration" / "sets.tsv"
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()[1:]]
    own = [(int(seed), int(number)) for name, seed, number in rows if name == structure]
    if not own:
        raise CatalogError(f"there is no calibration for the structure {structure}")
    return PlausibleSets(own[0][0], own[0][1], tuple(number for _, number in own[1:]))
