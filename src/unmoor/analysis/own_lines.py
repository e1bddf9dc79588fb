"""Lines and tumours that are in no catalog: made of levels, held to the panel, written out."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from unmoor.analysis.panel_levels import (
    PANEL_SOURCE,
    PROTEIN_SOURCE,
    Level,
    build_panel,
    line_key,
    measured_levels,
    read_panel,
    read_protein,
    table,
)
from unmoor.catalog import table as catalog_table
from unmoor.catalog.contracts import LEVELS
from unmoor.cell.levels import complete, missing
from unmoor.cell.line import CellLine
from unmoor.errors import Problem, StudyError, literal, nearest
from unmoor.parameters import Parameter, ParameterTable
from unmoor.trial.atomic import refusals_told, write_file

_Z90 = 1.645  # half-width of a 90 % range in standard deviations


def line_of(
    name: str,
    levels: Iterable[Level],
    *,
    species: str = "human",
    malignant: bool = True,
    about: Mapping[str, object] | None = None,
) -> CellLine:
    """A line made of its levels; what is not among them has the panel's median and spread."""
    rows: list[Parameter] = []
    for each in levels:
        half = _Z90 * each.sd
        rows.append(Parameter(each.id, each.value, "log2", each.value - half, each.value + half,
                              0.0, each.evidence, each.source, each.note))  # fmt: skip
        if each.sd:
            note = f"standard deviation of {each.id}: {each.sd_note}"
            rows.append(Parameter(f"sd_{each.id}", each.sd, "log2", each.sd, each.sd, 0.0,
                                  "derived", "", note))  # fmt: skip
    panel = catalog_table("closures", "line_levels").values_by_id()
    told = {"species": species, "malignant": malignant, **(about or {})}
    return CellLine(name, species, malignant, complete(ParameterTable(rows, name), panel), told)


def outside_panel(line: CellLine) -> list[str]:
    """Levels of a line beyond those of any line of the panel, as ``level = value, panel …``."""
    ends = catalog_table("closures", "expression").values_by_id()
    unknown = missing(line.levels)
    found = []
    for level, called in LEVELS.items():
        value = line.levels[level].value
        low, high = ends[f"panel_low_{called}"], ends[f"panel_high_{called}"]
        if level not in unknown and not low - _ROUNDING <= value <= high + _ROUNDING:
            found.append(f"{level} = {value:.2f}, panel {low:.2f} to {high:.2f}")
    return found


_ROUNDING = 1e-3  # of the tables of the catalog


def panel_lines(rna: Path, protein: Path, *, normal: Sequence[str] = ()) -> list[CellLine]:
    """Read the lines of a molecular panel by the catalog's rule.

    Parameters
    ----------
    rna
        One line a row: ``line``, ``rna_GENE`` (log2 FPKM), ``mir_…`` and ``rppa_…`` columns.
    protein
        Mass-spectrometry ratios in long form: sample, gene, log2_ratio_to_bridge, peptides, batch.
    normal
        Lines that are not malignant; any spelling of their names.

    Returns
    -------
        In the order of the table; ``about`` has the ``subtype`` by which a screen is scored, and
        ``e_protein``, the score of E-cadherin protein, where it was measured.
    """
    rule = catalog_table("closures", "line_levels").values_by_id()
    try:
        panel = read_panel(rna)
        found = build_panel(panel, read_protein(protein), rule)
    except (OSError, KeyError, ValueError) as error:
        expected = "the columns line, rna_…, mir_…, rppa_… and, of proteins, sample, gene, …"
        got = f"no column {error}" if isinstance(error, KeyError) else f"{error}"[:80]
        problem = Problem(f"{rna}, {protein}", "", got, expected, "", "E-DATA")
        raise StudyError(problem) from error
    benign = _known(normal, list(panel.index), rna)
    lines = []
    for key, name in zip(panel.index, panel["line"], strict=True):
        about = {"sources": [PANEL_SOURCE, PROTEIN_SOURCE], **found.scored_by(str(key))}
        levels = measured_levels(str(key), found, rule)
        lines.append(line_of(str(name), levels, malignant=key not in benign, about=about))
    return lines


def _known(names: Sequence[str], keys: Sequence[str], where: Path) -> set[str]:
    """Keys of lines named as not malignant."""
    found = {line_key(name) for name in names}
    if unknown := sorted(found - set(keys)):
        fix = f"did you mean {', '.join(nearest(unknown[0], keys))}?"
        expected = "lines of the panel"
        raise StudyError(
            Problem(f"{where}", "normal", literal(unknown[0]), expected, fix, "E-NAME")
        )
    return found


def write_line(line: CellLine, folder: Path) -> Path:
    """Write a line as an entry of a catalog, for studies and ``unmoor show``.

    Parameters
    ----------
    folder
        A folder ``cell_lines``, in which one of the line's name is made. A name that is no plain
        name of a folder (``../a``, ``a/b``, ``/a``) is written in a safe way and is a synonym.

    Returns
    -------
        The folder of the line, directly in ``folder`` whatever the line is called.
    """
    name = safe_name(line.name)
    path = folder / name
    with refusals_told(path, 0):
        path.mkdir(parents=True, exist_ok=True)
    rows = [_as_level(line, name) for name in LEVELS if name not in missing(line.levels)]
    about = [
        f"name = {literal(name)}",
        f"synonyms = [{literal(line.name) if name != line.name else ''}]",
        f"text = {literal(str(line.about.get('text', 'A line of an analysis.')))}",
        'status = "provisional"', f"species = {literal(line.species)}",
        f"malignant = {str(line.is_malignant).lower()}",
    ]  # fmt: skip
    write_file(path / "about.toml", ("\n".join(about) + "\n").encode("utf-8"))
    write_file(path / "parameters.tsv", table(rows).encode("utf-8"))
    return path


def safe_name(name: str) -> str:
    """A name for a folder on any system: itself, or what is plain of it with a digest of the rest.

    Examples
    --------
    >>> safe_name("MDA-MB-231"), safe_name("../a/b")
    ('MDA-MB-231', '_a_b-8e7e11e4')
    """
    plain = _NOT_PLAIN.sub("_", name)[:_LONGEST].strip(" .")
    if plain == name and plain and plain.split(".")[0].upper() not in _DEVICES:
        return name
    return f"{plain or 'line'}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


_NOT_PLAIN = re.compile(r"[^\w .,+()-]")
_LONGEST = 50  # letters, so that no file system refuses them in any script
_DEVICES = {"CON", "PRN", "AUX", "NUL", *(f"{a}{n}" for a in ("COM", "LPT") for n in range(10))}


def _as_level(line: CellLine, name: str) -> Level:
    row, spread = line.levels[name], line.levels.get(f"sd_{name}")
    sd, note = (spread.value, spread.note.partition(": ")[2]) if spread else (0.0, "")
    return Level(name, row.value, sd, note, row.evidence, row.source, row.note)
