"""Derive the molecular levels of cell lines from the panel files, by one rule for all lines.

Rerun with the panel files (they are not part of this project)::

    python tools/derive_lines.py --panel breast_panel_molecular.csv \
        --protein breast_panel_protein.csv --calls cell_lines.csv \
        --out src/unmoor/catalog/cell_lines

The rule names no line, subtype or lineage marker; renaming lines changes nothing but file names.
Its numbers are read from ``closures/line_levels/parameters.tsv``. x is a log2 RNA value of the
panel.

Lines of the panel
    L_g        mean of RNA and protein relative to MCF10A [log2]: log2 q - log2 q(MCF10A), with
               q = max(2^x - fpkm_offset, fpkm_floor), and the mass-spectrometry log2 ratio minus
               that of MCF10A; SMAD4 from RNA only. sd: level_sd_both or level_sd_single.
    L_ITGB3    log2 of q over the median q of the lines that express it (q > fpkm_floor). RNA only.
    e_score    min(x_CDH1 - cdh1_reference, mean of the available protein scores
               (TMT - tmt_reference)/tmt_scale and (RPPA - rppa_reference)/rppa_scale) [log2].
    emt_score  X = mean(miR-200c, miR-141) - log2(ZEB1 + ZEB2 + .1), ZEB in FPKM = 2^x - .1.
               Where miR-21 < mir21_failed the miRNA assay failed: panel median of the miRNA
               instead, sd X_sd_missing; else sd X_sd.
    vim        x_VIM.
    L_… and vim are graded measured; e_score and emt_score, each made of several readings, derived.
    Repeats of a line are averaged; of duplicate isoforms the one with most peptides counts.

Lines outside the panel
    Each qualitative call gives a quantile of the panel: the first term of the call that is known
    (high, strongly responsive: quantile_high; +, responsive: quantile_plus; mod, mid, het, mixed:
    quantile_mid; low, weak: quantile_low; -: quantile_minus). The ITGB1 call gives L_ITGB1, the
    TGFb_SMAD call L_TGFBR2 and L_SMAD4, the VIM call vim. X takes the mean of the miR-200 quantile
    and one minus the ZEB quantile, whichever are known: high miR-200 and low ZEB lie far above
    X_threshold, the reverse far below. The E-cadherin call gives e_present as stated by the rule.
    A call is one source of information, like RNA only: sd level_sd_single, e_sd_none, X_sd_missing.
    It is graded derived, or assumed if the call is field knowledge that nobody looked up.
    No call, or none for ITGB3: panel median and panel standard deviation, listed as missing.

Related lines of the panel (parent and subline) all count in its medians and quantiles.
"""

from __future__ import annotations

import argparse
import csv
import math
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

IDENTITIES = Path(__file__).with_name("line_identities.toml")
REFERENCE = "MCF10A"
PANEL_SOURCE = "Marcotte2016"
PROTEIN_SOURCE = "LINCSTMT"
KNOWLEDGE = "call from field knowledge, not looked up"
NOT_KNOWN = "not known for this line: median of the panel"
Z90 = 1.645  # half-width of a 90 % range in standard deviations
HEADER = ("id", "value", "unit", "low", "high", "cv", "evidence", "source", "note")
PROTEIN_LEVELS = ("ITGB1", "TGFBR2")  # SMAD4 and ITGB3 from RNA only
LEVELS = ("L_ITGB1", "L_TGFBR2", "L_SMAD4", "L_ITGB3", "e_score", "emt_score", "vim")
STATISTIC = {  # level -> name of its rows of panel statistics in line_levels
    "L_ITGB1": "ITGB1", "L_TGFBR2": "TGFBR2", "L_SMAD4": "SMAD4", "L_ITGB3": "ITGB3",
    "e_score": "CDH1", "emt_score": "X", "vim": "VIM",
}  # fmt: skip
# Rows of the panel that hold only a protein array under a misspelt name of another row.
MISSPELT = {"du4775": "du4475", "mb157r": "mb157"}
RPPA = "rppa_E-Cadherin-R-V"
MIRNA = ("mir_hsa-miR-200c-3p", "mir_hsa-miR-141-3p")
MIR21 = "mir_hsa-miR-21-5p"
QUANTILES = {
    "strongly responsive": "quantile_high", "high": "quantile_high", "responsive": "quantile_plus",
    "+": "quantile_plus", "mod": "quantile_mid", "mid": "quantile_mid", "het": "quantile_mid",
    "mixed": "quantile_mid", "low": "quantile_low", "weak": "quantile_low", "-": "quantile_minus",
}  # fmt: skip
E_PRESENT = {
    "+": "e_present_plus", "low": "e_present_low", "-": "e_present_minus",
    "mis-localised": "e_present_mislocalised",
}  # fmt: skip
_TERM = re.compile(
    r"\bmis-localised\b|\bstrongly responsive\b|\bresponsive\b|\bhigh\b|\+|\bmod\b|\bmid\b"
    r"|\bhet\b|\bmixed\b|\blow\b|\bweak\b|(?<![\w-])-(?![\w-])"
)
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
    """

    levels: pd.DataFrame
    statistics: Mapping[str, float]


def line_key(name: str) -> str:
    """Return the spelling under which a line is the same in all files."""
    bare = re.sub(r"\(.*?\)", "", name).lower()
    return _SUFFIX.sub("", re.sub(r"[^a-z0-9]", "", bare))


def read_rule(path: Path) -> dict[str, float]:
    """Return the numbers that levels are read with, by id."""
    with path.open(encoding="utf-8", newline="") as file:
        return {row["id"]: float(row["value"]) for row in csv.DictReader(file, delimiter="\t")}


def read_panel(path: Path) -> pd.DataFrame:
    """Return the panel by line key: lines with RNA, protein arrays under their right names."""
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
    tmt = protein["CDH1"].reindex(panel.index)
    readings = pd.DataFrame({
        "tmt": (tmt - rule["tmt_reference"]) / rule["tmt_scale"],
        "rppa": (panel[RPPA] - rule["rppa_reference"]) / rule["rppa_scale"],
    })  # fmt: skip
    message = panel["rna_CDH1"] - rule["cdh1_reference"]
    both = pd.DataFrame({"message": message, "protein": readings.mean(axis=1)})
    read = readings.notna()
    return pd.DataFrame({"e_score": both.min(axis=1), "e_tmt": read["tmt"], "e_rppa": read["rppa"]})


def panel_levels(
    panel: pd.DataFrame, protein: pd.DataFrame, rule: Mapping[str, float]
) -> pd.DataFrame:
    """Return all levels of all panel lines, with how many sources each rests on."""
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
    return Panel(read.assign(emt_score=levels["emt_score"]), statistics)


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


def term(call: str, known: Mapping[str, str]) -> str:
    """Return the first term of a call, if the rule knows it; "" where there is no call."""
    match = _TERM.search(call)
    return match[0] if match and match[0] in known else ""


def call_quantiles(calls: Mapping[str, str], rule: Mapping[str, float]) -> dict[str, float]:
    """Return the panel quantile of each level that the calls of a line speak to."""
    column = {"ITGB1": "ITGB1", "TGFb_SMAD": "TGFb_SMAD", "VIM": "VIM", "ZEB": "ZEB",
              "miR200": "miR200"}  # fmt: skip
    read = {name: QUANTILES.get(term(calls[c], QUANTILES), "") for name, c in column.items()}
    known = {name: rule[quantile] for name, quantile in read.items() if quantile}
    found = {"L_ITGB1": known.get("ITGB1"), "vim": known.get("VIM")}
    found["L_TGFBR2"] = found["L_SMAD4"] = known.get("TGFb_SMAD")
    parts = [known["miR200"]] if "miR200" in known else []
    parts += [1.0 - known["ZEB"]] if "ZEB" in known else []
    found["emt_score"] = sum(parts) / len(parts) if parts else None
    return {level: quantile for level, quantile in found.items() if quantile is not None}


def called_levels(calls: Mapping[str, str], panel: Panel, rule: Mapping[str, float]) -> list[Level]:
    """Return the levels of a line outside the panel, from its qualitative calls."""
    quantiles = call_quantiles(calls, rule)
    columns = {"L_ITGB1": ("ITGB1",), "L_TGFBR2": ("TGFb_SMAD",), "L_SMAD4": ("TGFb_SMAD",),
               "L_ITGB3": (), "e_score": ("Ecad",), "emt_score": ("miR200", "ZEB"),
               "vim": ("VIM",)}  # fmt: skip
    found: list[Level] = []
    for level in LEVELS:
        said = ", ".join(f'{c} "{without_mark(calls[c])}"' for c in columns[level])
        unread = [c for c in columns[level] if is_field_knowledge(calls[c], calls["evidence"])]
        said += f"; {KNOWLEDGE}" if unread else f"; calls: {without_mark(calls['evidence'])}"
        e_call = E_PRESENT.get(term(calls["Ecad"], E_PRESENT), "") if level == "e_score" else ""
        if level in quantiles:
            value = float(panel.levels[level].quantile(quantiles[level]))
            sd_id = {"emt_score": "X_sd_missing", "vim": ""}.get(level, "level_sd_single")
            note = f"quantile {quantiles[level]:.2f} of the panel from call {said}"
        elif e_call:
            value, sd_id = math.log2(rule[e_call]), "e_sd_none"
            note = f"log2 of {e_call} from call {said}"
        else:
            found.append(missing_level(level, panel, rule))
            continue
        sd = rule[sd_id] if sd_id else 0.0
        sd_note = f"{sd_id} of line_levels"
        evidence = "assumed" if unread else "derived"
        found.append(Level(level, value, sd, sd_note, evidence, PANEL_SOURCE, note))
    return found


def without_mark(call: str) -> str:
    """Return a call or its evidence without the letters V for looked up and K for not."""
    parts = [part.strip().removesuffix(" K").removeprefix("V ") for part in call.split(";")]
    return "; ".join(part for part in parts if not re.match(r"K\b", part))


def is_field_knowledge(call: str, evidence: str) -> bool:
    """Return whether nobody looked a call up: K stands at it, or for all that has no source."""
    if re.search(r"\bK\b", call) or not re.search(r"\bV\b", evidence):
        return True
    return bool(re.search(r"\bK (rest|status)\b", evidence)) and not re.search(r"\(.*\d.*\)", call)


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


def quoted(value: object) -> str:
    """Return a string or a list of strings as TOML."""
    if isinstance(value, list):
        return "[" + ", ".join(quoted(item) for item in value) + "]"
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'


def about(
    name: str, calls: Mapping[str, str], identity: Mapping[str, object], levels: Sequence[Level]
) -> str:
    """Return the ``about.toml`` of a line: metadata, and what was missing."""
    text = identity.get("text", f"{calls['species'].capitalize()} line: {calls['subtype']}.")
    tissue = identity.get("tissue", "not stated")
    missing = [level.id for level in levels if level.note == NOT_KNOWN]
    protein = any(PROTEIN_SOURCE in level.note for level in levels)
    basis = "panel" if any(level.evidence == "measured" for level in levels) else "calls"
    malignant = "non-malignant" not in calls["subtype"]
    lines = [
        f"name = {quoted(name)}", f"synonyms = {quoted(identity.get('synonyms', []))}",
        f"text = {quoted(text)}", 'status = "provisional"', f"species = {quoted(calls['species'])}",
        f"malignant = {str(malignant).lower()}", f"tissue = {quoted(tissue)}",
    ]  # fmt: skip
    if "host" in identity:
        lines.append(f"host = {quoted(identity['host'])}    # strain it grows in without rejection")
    lines += [
        f"basis = {quoted(basis)}    # of parameters.tsv",
        f"missing = {quoted(missing)}    # panel median and spread used",
        f"sources = {quoted([PANEL_SOURCE, *([PROTEIN_SOURCE] if protein else [])])}",
    ]
    if "cellosaurus" in identity:
        lines += ["", "[identifiers]", f"cellosaurus = {quoted(identity['cellosaurus'])}"]
    return "\n".join(lines) + "\n"


def derive(
    name: str, calls: Mapping[str, str], panel: Panel, rule: Mapping[str, float]
) -> list[Level]:
    """Return the levels of a line, measured where it is in the panel."""
    key = line_key(name)
    if key in panel.levels.index:
        return measured_levels(key, panel, rule)
    return called_levels(calls, panel, rule)


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """Return the parsed command line."""
    parser = argparse.ArgumentParser(description="Derive cell-line levels from the panel files.")
    parser.add_argument("--panel", type=Path, required=True, help="molecular panel, one line a row")
    parser.add_argument("--protein", type=Path, required=True, help="protein ratios, long format")
    parser.add_argument("--calls", type=Path, required=True, help="qualitative calls by line")
    parser.add_argument("--out", type=Path, required=True, help="folder catalog/cell_lines")
    parser.add_argument("--rule", type=Path, help="line_levels; default beside --out")
    parser.add_argument("--lines", nargs="+", help='names; "all"; default: line_identities.toml')
    parser.add_argument("--statistics", action="store_true", help="only print panel statistics")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Write the folders of the lines asked for."""
    args = arguments(argv)
    rule = read_rule(args.rule or args.out.parent / "closures" / "line_levels" / "parameters.tsv")
    panel = build_panel(read_panel(args.panel), read_protein(args.protein), rule)
    if args.statistics:
        print("".join(f"{key}\t{number(v)}\n" for key, v in panel.statistics.items()), end="")
        return
    with args.calls.open(encoding="utf-8", newline="") as file:
        calls = {row["line"]: dict(row) for row in csv.DictReader(file)}
    identities = tomllib.loads(IDENTITIES.read_text(encoding="utf-8"))
    names = list(calls) if args.lines == ["all"] else args.lines or list(identities)
    if unknown := [name for name in names if name not in calls]:
        raise SystemExit(f"no calls for {', '.join(unknown)}; write the names as in {args.calls}")
    for name in names:
        levels = derive(name, calls[name], panel, rule)
        folder = args.out / name
        folder.mkdir(parents=True, exist_ok=True)
        text = about(name, calls[name], identities.get(name, {}), levels)
        (folder / "about.toml").write_text(text, encoding="utf-8")
        (folder / "parameters.tsv").write_text(table(levels), encoding="utf-8")


if __name__ == "__main__":
    main()
