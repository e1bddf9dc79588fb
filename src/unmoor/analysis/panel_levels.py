"""Levels of the lines of a molecular panel, read by the catalog's one rule.

No line, subtype or lineage marker is named; the numbers are those of ``closures/line_levels``. Two
files make a panel: RNA, microRNA and protein arrays with a line a row (log2 FPKM + offset), and
mass-spectrometry ratios in long form. x is a log2 RNA value of the panel.

L_g
    mean of RNA and protein relative to MCF10A [log2]: log2 q - log2 q(MCF10A), with
    q = max(2^x - fpkm_offset, fpkm_floor), and the mass-spectrometry log2 ratio minus that of
    MCF10A; SMAD4 from RNA only. sd: level_sd_both or level_sd_single.
L_ITGB3
    log2 of q over the median q of the lines that express it (q > fpkm_floor). RNA only.
e_score
    min(x_CDH1 - cdh1_reference, mean of the available protein scores
    (TMT - tmt_reference)/tmt_scale and (RPPA - rppa_reference)/rppa_scale) [log2].
emt_score
    X = mean(miR-200c, miR-141) - log2(ZEB1 + ZEB2 + .1), ZEB in FPKM = 2^x - .1. Where
    miR-21 < mir21_failed the miRNA assay failed: panel median of the miRNA instead, sd
    X_sd_missing; else sd X_sd.
vim
    x_VIM.

L_… and vim are graded measured; e_score and emt_score, each made of several readings, derived.
Repeats of a line are averaged; of duplicate isoforms the one with most peptides counts.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unmoor.catalog.contracts import LEVELS as STATISTIC
from unmoor.cell.levels import NOT_KNOWN

if TYPE_CHECKING:
    import pandas as pd

REFERENCE = "MCF10A"
PANEL_SOURCE = "Marcotte2016"
PROTEIN_SOURCE = "LINCSTMT"
Z90 = 1.645  # half-width of a 90 % range in standard deviations
HEADER = ("id", "value", "unit", "low", "high", "cv", "evidence", "source", "note")
PROTEIN_LEVELS = ("ITGB1", "TGFBR2")  # SMAD4 and ITGB3 from RNA only
# Rows of the panel that hold only a protein array under a misspelt name of another row.
MISSPELT = {"du4775": "du4475", "mb157r": "mb157"}
RPPA = "rppa_E-Cadherin-R-V"
MIRNA = ("mir_hsa-miR-200c-3p", "mir_hsa-miR-141-3p")
MIR21 = "mir_hsa-miR-21-5p"
SUBTYPE = "subtype_neve"  # by which a screen is scored; never an input of the rule
SUBTYPES = {"basala": "basal A", "basalb": "basal B", "luminal": "luminal", "her2": "HER2+"}
_SUFFIX = re.compile(r"(?<=\d)(?:pt|pe|vi|vii)$")  # in the name in some files only


@dataclass(frozen=True)
class Level:
    """One molecular level of one line: value [log2], standard deviation and where both are from."""

    id: str
    value: float
    sd: float
    sd_note: str
    evidence: str
    source: str
    note: str


@dataclass(frozen=True)
class Panel:
    """Levels of all panel lines, and the statistics that stand in for what is missing.

    Parameters
    ----------
    levels
        Levels by line key (rows) and level id (columns) [log2], and how many readings each has.
    statistics
        Panel medians and standard deviations by their id in line_levels.
    subtypes
        Expression subtype of a line, where the panel states one.
    """

    levels: pd.DataFrame
    statistics: Mapping[str, float]
    subtypes: Mapping[str, str]

    def scored_by(self, key: str) -> dict[str, Any]:
        """What a screen of lines is held to and the rule never reads: subtype, protein score."""
        told: dict[str, Any] = {}
        if key in self.subtypes:
            told["subtype"] = self.subtypes[key]
        protein = float(self.levels["e_protein"][key])
        if math.isfinite(protein):
            told["e_protein"] = round(protein, 4)
        return told


def line_key(name: str) -> str:
    """Return the spelling under which a line is the same in all files."""
    bare = re.sub(r"\(.*?\)", "", name).lower()
    return _SUFFIX.sub("", re.sub(r"[^a-z0-9]", "", bare))


def read_panel(path: Path) -> pd.DataFrame:
    """Return the panel by line key: lines with RNA, protein arrays under their right names."""
    import pandas as pd

    panel = pd.read_csv(path)
    for wrong, right in MISSPELT.items():
        array = panel.loc[panel["line"] == wrong, RPPA]
        if len(array):
            at = panel["line"] == right
            panel.loc[at, RPPA] = panel.loc[at, RPPA].fillna(float(array.iloc[0]))
    panel = panel[panel["rna_ITGB1"].notna()]
    return panel.set_index(panel["line"].map(line_key))


def read_protein(path: Path) -> pd.DataFrame:
    """Return log2 protein ratios by line key and gene, repeats averaged."""
    import pandas as pd

    rows = pd.read_csv(path).dropna(subset=["log2_ratio_to_bridge"])
    rows = rows.sort_values("peptides", kind="stable").groupby(["batch", "sample", "gene"]).tail(1)
    rows = rows.assign(key=rows["sample"].map(line_key))
    return rows.pivot_table(index="key", columns="gene", values="log2_ratio_to_bridge")


def fpkm_level(values: pd.Series[float], rule: Mapping[str, float]) -> pd.Series[float]:
    """Return log2 of the FPKM behind log2 panel values, not below the floor."""
    fpkm = (2.0**values - rule["fpkm_offset"]).clip(lower=rule["fpkm_floor"])
    return fpkm.map(math.log2)


def emt_scores(panel: pd.DataFrame, rule: Mapping[str, float]) -> pd.DataFrame:
    """Return X, the mean miRNA and whether its assay worked, by line."""
    import pandas as pd

    offset = rule["fpkm_offset"]
    zeb1 = (2.0 ** panel["rna_ZEB1"] - offset).clip(lower=0.0)
    zeb2 = (2.0 ** panel["rna_ZEB2"] - offset).clip(lower=0.0)
    mirna = panel[list(MIRNA)].mean(axis=1, skipna=False)
    worked = mirna.notna() & (panel[MIR21] >= rule["mir21_failed"])
    filled = mirna.where(worked, float(mirna[worked].median()))
    score = filled - (zeb1 + zeb2 + offset).map(math.log2)
    return pd.DataFrame({"emt_score": score, "mirna": mirna, "mirna_worked": worked})


def e_scores(panel: pd.DataFrame, protein: pd.DataFrame, rule: Mapping[str, float]) -> pd.DataFrame:
    """Return the E-cadherin score before the cap and which proteins were read, by line."""
    import pandas as pd

    tmt = protein["CDH1"].reindex(panel.index)
    readings = pd.DataFrame({
        "tmt": (tmt - rule["tmt_reference"]) / rule["tmt_scale"],
        "rppa": (panel[RPPA] - rule["rppa_reference"]) / rule["rppa_scale"],
    })  # fmt: skip
    message = panel["rna_CDH1"] - rule["cdh1_reference"]
    both = pd.DataFrame({"message": message, "protein": readings.mean(axis=1)})
    read = readings.notna()
    found = {"e_score": both.min(axis=1), "e_tmt": read["tmt"], "e_rppa": read["rppa"]}
    return pd.DataFrame({**found, "e_protein": both["protein"]})


def panel_levels(
    panel: pd.DataFrame, protein: pd.DataFrame, rule: Mapping[str, float]
) -> pd.DataFrame:
    """Return all levels of all panel lines, with how many sources each rests on."""
    import pandas as pd

    key = line_key(REFERENCE)
    columns: dict[str, pd.Series[Any]] = {}
    for gene in ("ITGB1", "TGFBR2", "SMAD4"):
        rna = fpkm_level(panel[f"rna_{gene}"], rule)
        sources = pd.DataFrame({"rna": rna - rna[key]})
        if gene in PROTEIN_LEVELS:
            sources["tmt"] = protein[gene].reindex(panel.index) - protein[gene][key]
        columns[f"L_{gene}"] = sources.mean(axis=1)
        columns[f"sources_L_{gene}"] = sources.count(axis=1)
    itgb3 = fpkm_level(panel["rna_ITGB3"], rule)
    expressed = itgb3[itgb3 > math.log2(rule["fpkm_floor"])]
    columns["L_ITGB3"] = itgb3 - math.log2(float((2.0**expressed).median()))
    columns["vim"] = panel["rna_VIM"]
    parts = [pd.DataFrame(columns), e_scores(panel, protein, rule), emt_scores(panel, rule)]
    return pd.concat(parts, axis=1)


def build_panel(panel: pd.DataFrame, protein: pd.DataFrame, rule: Mapping[str, float]) -> Panel:
    """Return levels and statistics of the panel."""
    levels = panel_levels(panel, protein, rule)
    # An emt_score whose miRNA part is the panel's median is no reading of the panel.
    read = levels.assign(emt_score=levels["emt_score"].where(levels["mirna_worked"]))
    statistics = {f"panel_median_{s}": float(read[c].median()) for c, s in STATISTIC.items()}
    statistics |= {f"panel_sd_{s}": float(read[c].std()) for c, s in STATISTIC.items()}
    statistics["panel_median_mirna"] = float(read["mirna"][read["mirna_worked"]].median())
    itgb3 = 2.0 ** fpkm_level(panel["rna_ITGB3"], rule)
    statistics["itgb3_expressed"] = float(itgb3[itgb3 > rule["fpkm_floor"]].median())
    subtypes: dict[str, str] = {}
    if SUBTYPE in panel:
        said = panel[SUBTYPE].map(SUBTYPES).dropna()
        subtypes = {str(key): str(subtype) for key, subtype in said.items()}
    return Panel(read.assign(emt_score=levels["emt_score"]), statistics, subtypes)


def measured_levels(key: str, panel: Panel, rule: Mapping[str, float]) -> list[Level]:
    """Return the levels of a line of the panel."""
    line = {str(column): float(x) for column, x in panel.levels.T[key].items()}
    found: list[Level] = []

    def add(name: str, sd_id: str, note: str, evidence: str = "measured") -> None:
        sd = rule[sd_id] if sd_id else 0.0
        sd_note = f"{sd_id} of line_levels"
        found.append(Level(name, float(line[name]), sd, sd_note, evidence, PANEL_SOURCE, note))

    for gene in ("ITGB1", "TGFBR2", "SMAD4"):
        if line[f"sources_L_{gene}"] == 2:
            note = f"RNA sequencing and {PROTEIN_SOURCE} mass spectrometry, mean relative to MCF10A"
            add(f"L_{gene}", "level_sd_both", note)
        else:
            add(f"L_{gene}", "level_sd_single", "RNA sequencing, relative to MCF10A")
    note = "RNA sequencing, relative to the median of the panel lines that express it"
    add("L_ITGB3", "level_sd_single", note)
    protein = protein_platforms(line)
    note = f"smaller of CDH1 message (RNA sequencing) and protein ({protein}), before the cap at 0"
    add("e_score", "e_sd_none" if protein == "not measured" else "e_sd_protein", note, "derived")
    zeb = "log2(ZEB1 + ZEB2 + .1) (RNA sequencing)"
    if line["mirna_worked"]:
        add("emt_score", "X_sd", f"mean(miR-200c, miR-141) (microRNA assay) - {zeb}", "derived")
    else:
        note = f"microRNA assay missing or failed: panel median microRNA - {zeb}"
        add("emt_score", "X_sd_missing", note, "derived")
    add("vim", "", "RNA sequencing, log2(FPKM + .1); read without error by the rule")
    return found


def protein_platforms(line: Mapping[str, float]) -> str:
    """Return which platforms read the E-cadherin protein of a line."""
    names = {"e_tmt": f"{PROTEIN_SOURCE} mass spectrometry", "e_rppa": "protein array"}
    return " and ".join(name for key, name in names.items() if line[key]) or "not measured"


def missing_level(level: str, panel: Panel, rule: Mapping[str, float]) -> Level:
    """Return the panel's median and spread for a level of which nothing is known."""
    name = STATISTIC[level]
    sd = rule[f"panel_sd_{name}"]
    sd_note = f"panel_sd_{name} of line_levels"
    value = panel.statistics[f"panel_median_{name}"]
    return Level(level, value, sd, sd_note, "assumed", "", NOT_KNOWN)


def number(value: float) -> str:
    """Return a value to four decimals, without trailing zeros."""
    return f"{round(value, 4) + 0.0:.4f}".rstrip("0").rstrip(".")


def table(levels: Sequence[Level]) -> str:
    """Return the ``parameters.tsv`` of a line."""
    rows: list[tuple[str, ...]] = [HEADER]
    for level in levels:
        value = round(level.value, 4)
        low, high = number(value - Z90 * level.sd), number(value + Z90 * level.sd)
        rows.append((level.id, number(value), "log2", low, high, "", level.evidence, level.source,
                     level.note))  # fmt: skip
        if level.sd:
            sd = number(level.sd)
            note = f"standard deviation of {level.id}: {level.sd_note}"
            rows.append((f"sd_{level.id}", sd, "log2", sd, sd, "", "derived", "", note))
    return "".join("\t".join(row) + "\n" for row in rows)
