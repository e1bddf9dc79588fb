"""Which catalog tables count as the numbers behind a study."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from unmoor.catalog import ROOT
from unmoor.trial.provenance import catalog_digest, tables_of
from unmoor.trial.study import Study

ASSAY = {"name": "viability", "matrix": "laminin", "duration": "4 d"}
RADIATION = {"radiation": "2 Gy", "fractions": 1, "start": "1 d"}
CISPLATIN = {"drug": "cisplatin", "concentration": "5 uM"}


def study(*items: Any, beside: Path | None = None) -> Study:
    """A small culture with one treated arm."""
    return Study(["4T1"], {"none": [], "treated": list(items)}, "none", assay=ASSAY, beside=beside)


@pytest.mark.parametrize(("item", "table"), [(RADIATION, "radiation"), (CISPLATIN, "chemotherapy")])
def test_what_kills_brings_its_closure(item: dict[str, Any], table: str) -> None:
    """Its constants count only where they are used."""
    edit = {"gene": "ITGB1", "change": "knock_down", "factor": 0.1}
    assert ("closures", table) in set(tables_of(study(item)))
    assert ("closures", table) not in set(tables_of(study(edit)))


def test_a_radiation_table_of_ones_own_changes_the_digest(tmp_path: Path) -> None:
    """So that a run that was begun with another table is not gone on with."""
    folder = tmp_path / "catalog" / "closures" / "radiation"
    folder.mkdir(parents=True)
    for name in ("about.toml", "parameters.tsv"):
        text = (ROOT / "closures" / "radiation" / name).read_text(encoding="utf-8")
        (folder / name).write_text(text, encoding="utf-8")
    before = catalog_digest(study(RADIATION, beside=tmp_path))
    table = folder / "parameters.tsv"
    changed = table.read_text(encoding="utf-8").replace("alpha_IR\t0.27", "alpha_IR\t0.31")
    table.write_text(changed, encoding="utf-8")
    assert catalog_digest(study(RADIATION, beside=tmp_path)) != before
