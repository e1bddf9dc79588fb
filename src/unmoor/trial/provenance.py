"""What a run was made of – software, study, catalog, machine – and whether it still is the same."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from unmoor import catalog
from unmoor.errors import RunFolderError
from unmoor.parameters import COLUMNS
from unmoor.therapy.regimen import Regimen
from unmoor.trial.chunks import structures
from unmoor.trial.study import Study

if TYPE_CHECKING:
    import pandas as pd

SCHEMA_VERSION = "1"
_PACKAGES = ("numpy", "scipy", "numba", "llvmlite", "sympy", "pandas")
_CLOSURES = (
    "adhesion", "cell", "clones", "escape", "dissemination", "growth", "k_int", "line_rule",
    "paracrine", "response",
)  # fmt: skip


def software() -> dict[str, str]:
    """Name and version of unmoor."""
    try:
        return {"name": "unmoor", "version": version("unmoor")}
    except PackageNotFoundError:  # run from a source tree that is not installed
        return {"name": "unmoor", "version": "0+unknown"}


def describe(study: Study) -> str:
    """``provenance.json`` of a run."""
    record = {
        "schema_version": SCHEMA_VERSION,
        "software": software(),
        "parameters": {"study": study.name, "seed": study.seed, "digest": study.digest()},
        "environment": {
            "python": platform.python_version(),
            "system": f"{platform.system()} {platform.machine()}",
            "packages": {name: version(name) for name in _PACKAGES},
        },
        "catalog_digest": catalog_digest(study),
        "beside": _own_folder(study),
    }
    return json.dumps(record, indent=1, sort_keys=True) + "\n"


def check_same(study: Study, path: Path) -> None:
    """Refuse to mix results of different software, studies or catalogs.

    Raises
    ------
    RunFolderError
        Naming what differs.
    """
    before = json.loads((path / "provenance.json").read_text(encoding="utf-8"))
    now = json.loads(describe(study))
    places = {
        "unmoor": ("software", "version"),
        "the study": ("parameters", "digest"),
        "the catalog": ("catalog_digest",),
    }
    for what, keys in places.items():
        then, today = recorded(before, *keys), recorded(now, *keys)
        if then != today:
            was = then[:12] or "not recorded"
            raise RunFolderError(
                f"{path}: {what} is not what it was ({was} then, {today[:12]} now); "
                f"start anew with: unmoor run {path / 'study.toml'}",
                code="E-CHANGED",
            )


def _own_folder(study: Study) -> str | None:
    """Folder whose catalog a resumed run needs; none for studies of the built-in catalog."""
    if study.beside is None or Path(study.beside).is_relative_to(catalog.ROOT):
        return None
    return str(Path(study.beside).resolve())


def recorded(record: object, *keys: str) -> str:
    """Text at a place of a record; empty if a damaged record has no such place."""
    for key in keys:
        record = record.get(key) if isinstance(record, dict) else None
    return record if isinstance(record, str) else ""


def tables_of(study: Study) -> Iterator[tuple[str, str]]:
    """Kind and name of every catalog table that a study draws on."""
    yield from (("closures", name) for name in _CLOSURES)
    yield from (("matrices", name) for name in ("tumour", "lung", "collagen_i"))
    yield from (("networks", core) for core in sorted({s.emt_core for s in structures(study)}))
    yield from (("cell_lines", line) for line in study.cell_lines)
    hosts = {a.host_of(line) for a in study.assays for line in study.cell_lines}
    yield from (("hosts", host) for host in sorted(host for host in hosts if host))
    drugs = {x.drug for arm in study.arms.values() for x in arm if isinstance(x, Regimen)}
    yield from (("drugs", drug) for drug in sorted(drugs))


def numbers(study: Study) -> pd.DataFrame:
    """Every catalog row behind a study, with the status of its table."""
    import pandas as pd

    return pd.DataFrame(_rows(study), columns=["table", *COLUMNS, "status"])


def _rows(study: Study) -> list[list[str | float]]:
    rows: list[list[str | float]] = []
    for kind, name in tables_of(study):
        status = catalog.about(kind, name, study.beside).get("status", "provisional")
        for row in catalog.table(kind, name, study.beside).values():
            cells = [getattr(row, column) for column in COLUMNS]
            rows.append([f"{kind}/{name}", *cells, status])
    return rows


def catalog_digest(study: Study) -> str:
    """SHA-256 of the rows behind a study and of the plausible draws."""
    digest = hashlib.sha256(json.dumps(_rows(study)).encode())
    for kind, name in tables_of(study):
        about = dict(catalog.about(kind, name, study.beside))
        digest.update(json.dumps(about, sort_keys=True, default=str).encode())
    digest.update((catalog.ROOT / "calibration" / "sets.tsv").read_bytes())
    return digest.hexdigest()


def citations(study: Study) -> list[str]:
    """Keys of the sources behind a study, in the order of their first use."""
    keys = dict.fromkeys(numbers(study)["source"])
    for kind, name in tables_of(study):
        keys |= dict.fromkeys(catalog.about(kind, name, study.beside).get("sources", ()))
    return [key for key in keys if key]
