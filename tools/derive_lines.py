"""Derive the molecular levels of cell lines from the panel files, by one rule for all lines.

Rerun with the panel files (they are not part of this project)::

    python tools/derive_lines.py --panel breast_panel_molecular.csv \
        --protein breast_panel_protein.csv --calls cell_lines.csv \
        --out src/unmoor/catalog/cell_lines

The rule names no line, subtype or lineage marker; renaming lines changes nothing but file names.
Its numbers are read from ``closures/line_levels/parameters.tsv``. x is a log2 RNA value of the
panel.

Lines of the panel
    As ``unmoor.analysis.panel_levels`` says.

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
from pathlib import Path

from unmoor.analysis.panel_levels import (
    PANEL_SOURCE,
    PROTEIN_SOURCE,
    Level,
    Panel,
    build_panel,
    line_key,
    measured_levels,
    missing_level,
    number,
    read_panel,
    read_protein,
    table,
)
from unmoor.cell.levels import NOT_KNOWN

IDENTITIES = Path(__file__).with_name("line_identities.toml")
KNOWLEDGE = "call from field knowledge, not looked up"
LEVELS = ("L_ITGB1", "L_TGFBR2", "L_SMAD4", "L_ITGB3", "e_score", "emt_score", "vim")
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


def read_rule(path: Path) -> dict[str, float]:
    """Return the numbers that levels are read with, by id."""
    with path.open(encoding="utf-8", newline="") as file:
        return {row["id"]: float(row["value"]) for row in csv.DictReader(file, delimiter="\t")}


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


def quoted(value: object) -> str:
    """Return a string or a list of strings as TOML."""
    if isinstance(value, list):
        return "[" + ", ".join(quoted(item) for item in value) + "]"
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'


def about(
    name: str,
    calls: Mapping[str, str],
    identity: Mapping[str, object],
    levels: Sequence[Level],
    scored_by: Mapping[str, object],
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
    if "subtype" in scored_by:
        said = quoted(scored_by["subtype"])
        lines.append(f"subtype = {said}    # of the panel; a screen is scored by it")
    if "e_protein" in scored_by:
        said = number(scored_by["e_protein"])
        lines.append(f"e_protein = {said}    # score of the protein; a screen is scored by it")
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
        key = line_key(name)
        scored_by = panel.scored_by(key) if key in panel.levels.index else {}
        text = about(name, calls[name], identities.get(name, {}), levels, scored_by)
        (folder / "about.toml").write_text(text, encoding="utf-8")
        (folder / "parameters.tsv").write_text(table(levels), encoding="utf-8")


if __name__ == "__main__":
    main()
