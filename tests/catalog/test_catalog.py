"""Every number of the catalog carries a unit, a range, an evidence grade and a source."""

from __future__ import annotations

import csv
import math
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from unmoor import catalog
from unmoor.parameters import ParameterTable
from unmoor.signalling.networks.adhesion_emt import INPUTS

ROOT = Path(__file__).parents[2] / "src" / "unmoor" / "catalog"
HEADER = "id	value	unit	low	high	cv	evidence	source	note"
EVIDENCE = {"measured", "transferred", "fitted", "derived", "assumed"}
NOTED = {"assumed", "derived", "transferred"}
MAY_LACK_SOURCE = {"assumed", "derived"}  # a formula over other rows has no source of its own
TABLES = sorted(ROOT.glob("*/*/parameters.tsv"))
ABOUTS = sorted(ROOT.glob("*/*/about.toml"))
REQUIRED_ABOUT = {
    "cell_lines": {"species", "malignant", "basis", "missing"},
    "drugs": {"target", "action", "model", "binds", "systemic", "routes", "max_dose"},
    "hosts": {"species", "immune"},
}


def entry(path: Path) -> str:
    """Return kind and name of the entry a file belongs to, as a test id."""
    return "/".join(path.parts[-3:-1])


def rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of a table."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def values(kind: str, name: str) -> dict[str, float]:
    """Return the values of a table by id."""
    return {row["id"]: float(row["value"]) for row in rows(ROOT / kind / name / "parameters.tsv")}


def about(path: Path) -> dict[str, Any]:
    """Return the content of an about file."""
    return tomllib.loads(path.read_text(encoding="utf-8"))


def faults(row: dict[str, str], known: set[str]) -> Iterator[str]:
    """Yield what is wrong with a row."""
    low, value, high = (float(row[c]) for c in ("low", "value", "high"))
    if not all(map(math.isfinite, (low, value, high))) or not low <= value <= high:
        yield f"{low} <= {value} <= {high} does not hold"
    if row["cv"] and not float(row["cv"]) >= 0.0:
        yield f"cv {row['cv']}"
    if not row["unit"]:
        yield "no unit"
    if row["evidence"] not in EVIDENCE:
        yield f"evidence {row['evidence']!r}"
    if row["evidence"] in NOTED and not row["note"]:
        yield "no note"
    if row["source"] and row["source"] not in known:
        yield f"source {row['source']!r} is not in sources.bib"
    if not row["source"] and row["evidence"] not in MAY_LACK_SOURCE:
        yield "no source"


@pytest.mark.parametrize("path", TABLES, ids=entry)
def test_every_row_is_complete(path: Path) -> None:
    """Header, unit, range, evidence, source and note of each row follow the rules."""
    assert path.read_text(encoding="utf-8").splitlines()[0] == HEADER
    known = set(catalog.sources())
    content = rows(path)
    found = [f"{row['id']}: {fault}" for row in content for fault in faults(row, known)]
    assert found == []
    ids = [row["id"] for row in content]
    assert len(set(ids)) == len(ids) > 0


@pytest.mark.parametrize("path", TABLES, ids=entry)
def test_every_table_reads_as_a_parameter_table(path: Path) -> None:
    """The loader reads the same ids and values."""
    expected = {row["id"]: float(row["value"]) for row in rows(path)}
    assert ParameterTable.read(path).values_by_id() == expected


def test_no_source_is_unused_and_none_is_unknown() -> None:
    """sources.bib holds exactly what rows and abouts cite."""
    cited = {row["source"] for path in TABLES for row in rows(path)} - {""}
    cited |= {key for path in ABOUTS for key in about(path).get("sources", [])}
    assert cited == set(catalog.sources())


def test_every_source_has_a_title_and_says_what_was_not_verified() -> None:
    """An entry without author, year or address admits it in its note."""
    for key, source in catalog.sources().items():
        fields = source.fields
        assert fields.get("title"), key
        complete = {"author", "year"} <= set(fields)
        assert complete or "not verified" in fields.get("note", ""), key


@pytest.mark.parametrize("path", ABOUTS, ids=entry)
def test_every_about_is_complete(path: Path) -> None:
    """Name, synonyms, text and status are there, and what its kind needs."""
    content = about(path)
    assert content["name"] == path.parent.name
    assert isinstance(content["synonyms"], list)
    assert content["text"]
    assert content["status"] in {"provisional", "confirmed"}
    assert REQUIRED_ABOUT.get(path.parts[-3], set()) <= set(content)


@pytest.mark.parametrize("path", ABOUTS, ids=entry)
def test_every_synonym_finds_its_entry_only(path: Path) -> None:
    """A synonym leads to one entry of its kind."""
    kind = path.parts[-3]
    for synonym in about(path)["synonyms"]:
        assert catalog.canonical(kind, synonym) == path.parent.name
        assert synonym not in catalog.names(kind)


def test_drugs_bind_and_lines_belong_to_known_species_and_hosts() -> None:
    """Cross-references of about files resolve."""
    for path in ABOUTS:
        content = about(path)
        assert set(content.get("binds", [])) <= {"human", "mouse"}
        assert content.get("species", "mouse") in {"human", "mouse"}
        if "host" in content:
            assert content["host"] in catalog.names("hosts")
        if path.parts[-3] == "drugs":
            assert content["target"] in {*INPUTS, "cells"}


def test_published_cores_are_not_drawn() -> None:
    """The two EMT cores are used as printed; only pSMAD turnover has a range."""
    for name in ("cascading", "ternary"):
        for row in rows(ROOT / "networks" / name / "parameters.tsv"):
            fixed = row["low"] == row["value"] == row["high"]
            assert fixed or row["id"] == "k_out", row["id"]


def test_closures_name_no_line_and_no_drug() -> None:
    """Closure constants are global: no row of a closure or matrix is about one line or drug."""
    names = [*catalog.names("cell_lines"), *catalog.names("drugs")]
    for path in TABLES:
        if path.parts[-3] in {"closures", "matrices"}:
            for row in rows(path):
                text = row["id"] + " " + row["note"]
                assert not [name for name in names if name in text], row["id"]


def test_ternary_windows_follow_from_its_folds() -> None:
    """Tone windows, maxima and basal TGFβ of the ternary core follow from its other rows."""
    core = values("networks", "ternary")
    half = values("closures", "cell")["K_P"]
    folds = {
        "tone_E_high": 208840.0, "tone_partial_low": 193180.0, "tone_partial_high": 224680.0,
    }  # fmt: skip
    for name, snai1 in folds.items():
        p = (snai1 - core["S0"]) / core["S1"]
        assert core[name] == pytest.approx(half * p / (1.0 - p), abs=5e-4)
    assert core["kT0"] / core["kdT"] == pytest.approx(core["tone_E_offset"], abs=5e-4)
    assert core["E_max"] == core["kE"] / core["dE"]
    assert core["N_max"] == core["kN"] / core["dN"]


def test_antibody_half_life_is_eighteen_days() -> None:
    """V2 was chosen for the terminal half-life of mouse IgG1 in plasma."""
    drug = values("drugs", "anti_itgb1")
    k10, k12, k21 = drug["CL"] / drug["V1"], drug["Q"] / drug["V1"], drug["Q"] / drug["V2"]
    total = k10 + k12 + k21
    slow = (total - math.sqrt(total * total - 4.0 * k10 * k21)) / 2.0
    assert math.log(2.0) / slow == pytest.approx(18.0, abs=0.1)


def test_antibodies_differ_only_in_what_they_bind() -> None:
    """The clones share one table; the species they bind is in about.toml."""
    tables = [values("drugs", name) for name in ("anti_itgb1", "aiib2", "ha2_5")]
    assert tables[0] == tables[1] == tables[2]
    assert catalog.about("drugs", "aiib2")["binds"] == ["human"]
    assert catalog.about("drugs", "ha2_5")["binds"] == ["mouse"]


def test_hosts_without_lymphocytes_have_no_immune_term() -> None:
    """The immune term is zero in SCID and NSG and positive in immune-competent mice."""
    for name in catalog.names("hosts"):
        host = values("hosts", name)
        deficient = catalog.about("hosts", name)["immune"] == "deficient"
        assert (host["iota"] == 0.0 and host["Lambda"] == 0.0) == deficient, name
