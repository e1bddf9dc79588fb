"""A study that runs in a moment, and digests of what comes out of it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import unmoor
from unmoor.catalog import draws
from unmoor.trial.result import Result
from unmoor.trial.study import Study

LATE = '{ drug = "tgfbr1_inhibitor", dose = "30 mg/kg", every = "12 h", start = "7 d" }'
KNOCK_DOWN = '{ gene = "ITGB1", change = "knock_down", factor = 0.1 }'
SMALL = """
schema     = 1
seed       = 7
cell_lines = ["4T1", "MDA-MB-231"]
control    = "vehicle"

[[assays]]
name     = "orthotopic_xenograft"
host     = { default = "nsg", "4T1" = "balbc" }
inoculum = "1e6 cells"
duration = "14 d"
animals  = 2
clones   = 5

[arms]
"vehicle" = []
"anti-β1" = [{ drug = "anti_itgb1", dose = "10 mg/kg", every = "3 d", start = "0 d" }]
"knock-down" = [{ gene = "ITGB1", change = "knock_down", factor = 0.1 }]
"knock-down + inhibitor" = [
    { gene = "ITGB1", change = "knock_down", factor = 0.1 },
    { drug = "tgfbr1_inhibitor", dose = "30 mg/kg", every = "12 h", start = "0 d" },
]

[uncertainty]
draws  = 12
rivals = false
"""
"""Two lines in two hosts, one of which TGFβ inhibition concerns too; clones that fill no block."""


def small_study(text: str = SMALL, settings: Mapping[str, object] | None = None) -> Study:
    """The study, with some values changed by dotted field."""
    changed = {name: str(value) for name, value in (settings or {}).items()}
    return Study.loads(text, settings=changed)


def fresh_run(study: Study, **options: Any) -> Result:
    """Run a study with nothing remembered from runs before."""
    draws._draw.cache_clear()
    return study.run(**options)


def digests(result: Result) -> dict[str, str]:
    """SHA-256 of every table."""
    return {name: sha256(text.encode()) for name, text in result.tables().items()}


def files(folder: Path) -> dict[str, str]:
    """SHA-256 of the tables and chunks of a run folder."""
    kept = [*folder.glob("*.csv"), *folder.glob("data/*")]
    return {str(path.relative_to(folder)): sha256(path.read_bytes()) for path in kept}


def sha256(data: bytes) -> str:
    """Digest as text."""
    return hashlib.sha256(data).hexdigest()


def environment(**changes: object) -> dict[str, str]:
    """The environment of a process that imports the package under test."""
    paths = [str(Path(unmoor.__file__).parents[1]), str(Path(__file__).parent)]
    found = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    return found | {name: str(value) for name, value in changes.items()}
