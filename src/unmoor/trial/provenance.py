"""What a run was made of – software, study, catalog, machine – and whether it still is the same."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import platform
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from unmoor import catalog
from unmoor.catalog.correlations import correlations
from unmoor.cell.line import CellLine
from unmoor.errors import RunFolderError
from unmoor.parameters import COLUMNS, ParameterTable
from unmoor.therapy.drug import Drug
from unmoor.therapy.irradiation import Irradiation
from unmoor.therapy.regimen import Regimen
from unmoor.trial.chunks import structures
from unmoor.trial.study import Study

if TYPE_CHECKING:
    import pandas as pd

SCHEMA_VERSION = "1"
_PACKAGES = ("numpy", "scipy", "numba", "llvmlite", "sympy", "pandas")
_PLACES: dict[str, tuple[str, ...]] = {
    "unmoor": ("software", "version"),
    "the code of unmoor": ("software", "code"),
    "the study": ("parameters", "digest"),
    "the catalog": ("catalog_digest",),
    **{name: ("environment", "packages", name) for name in _PACKAGES},
    "Python": ("environment", "python"),
    "the system": ("environment", "system"),
    "the C library": ("environment", "libc"),
}
_WITHOUT_NUMBERS = ("analysis", "cli", "report", "testing")
_log = logging.getLogger("unmoor")
_CLOSURES = (
    "adhesion", "cell", "clones", "culture", "escape", "dissemination", "growth", "k_int",
    "line_rule", "paracrine", "response", "tissue",
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
        "software": {**software(), "code": CODE},
        "parameters": {"study": study.name, "seed": study.seed, "digest": study.digest()},
        "environment": {
            "python": platform.python_version(),
            "system": f"{platform.system()} {platform.machine()}",
            "libc": " ".join(platform.libc_ver()),
            "processor": _processor(),
            "packages": {name: version(name) for name in _PACKAGES},
        },
        "catalog_digest": catalog_digest(study),
        "beside": _own_folder(study),
    }
    return json.dumps(record, indent=1, sort_keys=True) + "\n"


def check_same(study: Study, path: Path) -> dict[str, str]:
    """Refuse to mix results of different software, studies or catalogs.

    Returns
    -------
        What differs without harm: the processor, on which no number depends.

    Raises
    ------
    RunFolderError
        Naming everything that differs.
    """
    before = json.loads((path / "provenance.json").read_text(encoding="utf-8"))
    now = json.loads(describe(study))
    differences = []
    for what, keys in _PLACES.items():
        then, today = recorded(before, *keys), recorded(now, *keys)
        if what == "Python":  # a release that only mends changes no number
            then, today = (text.rpartition(".")[0] for text in (then, today))
        if then != today:
            was = then[:40] if "digest" not in keys[-1] else then[:12]
            is_now = today[:40] if "digest" not in keys[-1] else today[:12]
            told = f"{was or 'not recorded'} then, {is_now or 'not installed'} now"
            differences.append(f"{what} is not what it was ({told})")
    if differences:
        raise RunFolderError(
            f"{path}: {', '.join(differences)}; start anew with: unmoor run {path / 'study.toml'}",
            code="E-CHANGED",
        )
    processors = [recorded(each, "environment", "processor") for each in (before, now)]
    if processors[0] == processors[1]:
        return {}
    _log.warning("%s was begun on %s and goes on on %s", path, *processors)
    return {"processor": processors[1]}


def _code_digest() -> str:
    """SHA-256 of the code that numbers come from; reports and the command line are not in it."""
    root = catalog.ROOT.parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        name = path.relative_to(root)
        if name.parts[0] not in _WITHOUT_NUMBERS:
            digest.update(f"{name.as_posix()}\n".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


CODE = _code_digest()
"""Digest of the code that was imported, whatever happens to the files later."""


def _processor() -> str:
    """Model of the processor, as far as the system tells."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").split("\n"):
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


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
    yield from (("closures", name) for name in [*_CLOSURES, *_killing(study)])
    matrices = ["tumour", "lung", "collagen_i"]
    named = {entry for each in study.assays for kind, entry in each.entries if kind == "matrices"}
    yield from (("matrices", name) for name in [*matrices, *sorted(named - {*matrices})])
    yield from (("networks", core) for core in sorted({s.emt_core for s in structures(study)}))
    yield from (("cell_lines", line) for line in study.cell_lines)
    hosts = {a.host_of(line) for a in study.assays for line in study.cell_lines}
    yield from (("hosts", host) for host in sorted(host for host in hosts if host))
    drugs = {x.drug for arm in study.arms.values() for x in arm if isinstance(x, Regimen)}
    yield from (("drugs", drug) for drug in sorted(drugs))


def _killing(study: Study) -> Iterator[str]:
    """Closures of treatments that kill, if any arm has one."""
    items = [item for arm in study.arms.values() for item in arm]
    drugs = {item.drug for item in items if isinstance(item, Regimen)}
    if any(Drug.load(name, study.beside).action == "kills" for name in drugs):
        yield "chemotherapy"
    if any(isinstance(item, Irradiation) for item in items):
        yield "radiation"


def numbers(study: Study) -> pd.DataFrame:
    """Every catalog row behind a study, with the status of its table."""
    import pandas as pd

    return pd.DataFrame(_rows(study), columns=["table", *COLUMNS, "status"])


def _rows(study: Study) -> list[list[str | float]]:
    rows: list[list[str | float]] = []
    for kind, name in tables_of(study):
        status = catalog.about(kind, name, study.beside).get("status", "provisional")
        for row in _table(kind, name, study.beside).values():
            cells = [getattr(row, column) for column in COLUMNS]
            rows.append([f"{kind}/{name}", *cells, status])
    return rows


def _table(kind: str, name: str, beside: Path | None) -> ParameterTable:
    """A table as it is used: a line's with what stands in for levels that it leaves out."""
    if kind == "cell_lines":
        return CellLine.load(name, beside).levels
    return catalog.table(kind, name, beside)


def catalog_digest(study: Study) -> str:
    """SHA-256 of the rows behind a study, of the plausible draws and of the table of escape."""
    digest = hashlib.sha256(json.dumps(_rows(study)).encode())
    for kind, name in tables_of(study):
        about = dict(catalog.about(kind, name, study.beside))
        digest.update(json.dumps(about, sort_keys=True, default=str).encode())
    for path in ("calibration/sets.tsv", "escape/table.tsv"):
        digest.update((catalog.ROOT / path).read_bytes())
    if joint := correlations(study.beside):
        digest.update(repr((joint.groups, joint.factors)).encode())
    return digest.hexdigest()


def citations(study: Study) -> list[str]:
    """Keys of the sources behind a study, in the order of their first use."""
    keys = dict.fromkeys(numbers(study)["source"])
    for kind, name in tables_of(study):
        keys |= dict.fromkeys(catalog.about(kind, name, study.beside).get("sources", ()))
    return [key for key in keys if key]
