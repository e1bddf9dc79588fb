"""A tumour of one's own: an expression table read into levels by the catalog's rule.

Levels are relative to MCF10A on the same platform. If the table holds that line, it is the
reference. If not, the panel's MCF10A is, and the table is brought to the panel's scale by genes
that hardly differ between lines; levels are then less certain, and say so. Equations and choices:
docs/explanation/foresight_lines.md.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Literal

from unmoor.analysis.expression_table import ExpressionTable, read_table
from unmoor.analysis.own_lines import line_of
from unmoor.analysis.panel_levels import REFERENCE, Level, line_key
from unmoor.catalog import table as catalog_table
from unmoor.cell.line import CellLine
from unmoor.errors import Problem, StudyError, literal, nearest

Scale = Literal["linear", "log2p1", "log2"]
SCALES: Mapping[str, str] = {
    "linear": "TPM, FPKM or counts per million",
    "log2p1": "log2(x + 1)",
    "log2": "log2(x), negative values allowed",
}
_RELATIVE = ("ITGB1", "TGFBR2", "SMAD4")
_STEADY = "steady_"
_MOST_LOG = 25.0  # no log2 of a transcript's share of a million, or of its FPKM, is greater
_LEAST_STEADY = 1.0  # mean log2 of steady genes below which a table holds differences, no levels


@dataclass(frozen=True)
class Expression:
    """Tumours of an expression table.

    Attributes
    ----------
    lines
        One a sample.
    messages
        What was found and done: scale, reference, genes that are missing or come twice.
    """

    lines: tuple[CellLine, ...]
    messages: tuple[str, ...]


def read_expression(
    path: Path | str,
    *,
    scale: Scale | None = None,
    reference: str | None = None,
    samples: Sequence[str] = (),
    species: str | None = None,
    malignant: bool = True,
) -> Expression:
    """Read tumours from a table of expression.

    Parameters
    ----------
    path
        CSV or TSV: genes as columns (``ITGB1``, or ``ITGB1 (3688)``) and samples as rows, genes as
        rows and samples as columns, or ``gene,value``.
    scale
        ``linear``, ``log2p1`` or ``log2``; found out if None, and told.
    reference
        Sample that is MCF10A; a sample of that name if None.
    samples
        Only these.
    species
        ``human`` or ``mouse``; by the spelling of the genes if None.
    malignant
        Whether the samples are malignant: no expression says so.

    Raises
    ------
    StudyError
        If the table cannot be read, with places.
    """
    numbers = catalog_table("closures", "expression").values_by_id()
    named = [name.removeprefix(_STEADY) for name in numbers if name.startswith(_STEADY)]
    steady = [gene for gene in named if gene.isupper()]
    genes = [*_RELATIVE, "ITGB3", "CDH1", "VIM", "ZEB1", "ZEB2"]
    found = read_table(Path(path), [*genes, *steady])
    messages = list(found.messages)
    used, said = _scale(found, scale, steady)
    messages.append(said)
    standard = _reference(found, reference)
    wanted = _wanted(found, samples, standard)
    reader = _Reader(found, used, numbers, steady, standard)
    messages += reader.messages(wanted)
    kind = species or ("mouse" if found.is_mouse else "human")
    text = f"Sample of {found.path.name}, read by the rule for expression tables."
    lines = [
        line_of(name, reader.levels(name), species=kind, malignant=malignant,
                about={"text": text, "from": found.path.name})
        for name in wanted
    ]  # fmt: skip
    return Expression(tuple(lines), tuple(messages))


def _scale(
    found: ExpressionTable, declared: Scale | None, steady: Sequence[str]
) -> tuple[str, str]:
    """Scale of a table, and the sentence about it."""
    values = [x for row in found.values.values() for x in row.values()]
    if declared is not None:
        if declared not in SCALES:
            fix = f"did you mean {nearest(declared, SCALES, likeness=0.0)[0]}?"
            expected = "one of " + ", ".join(SCALES)
            problem = Problem(
                f"{found.path}", "scale", literal(declared), expected, fix, "E-CHOICE"
            )
            raise StudyError(problem)
        _refuse_misdeclared(found, declared, min(values), max(values))
        return declared, f"values are {SCALES[declared]}, as declared"
    least, most = min(values), max(values)
    if least == most == 0.0:
        raise StudyError(_no_scale(found, "nothing but 0", "levels of genes"))
    if most > _MOST_LOG and least < 0.0:
        got = f"{least:.3g} to {most:.4g}"
        expected = f"no value below 0, or no logarithm above {_MOST_LOG:g}"
        raise StudyError(_no_scale(found, got, expected))
    if most > _MOST_LOG:
        return "linear", f"values up to {most:.4g}: taken as {SCALES['linear']}"
    calm = [x for row in found.values.values() for gene, x in row.items() if gene in steady]
    if least < 0.0 and (not calm or sum(calm) / len(calm) < _LEAST_STEADY):
        got = f"values from {least:.3g} to {most:.3g}"
        raise StudyError(
            _no_scale(found, got, "levels, not differences between samples (z-scores)")
        )
    used = "log2" if least < 0.0 else "log2p1"
    return used, f"values from {least:.3g} to {most:.3g}: taken as {SCALES[used]}"


def _refuse_misdeclared(found: ExpressionTable, declared: str, least: float, most: float) -> None:
    """Values that cannot be on the scale that they are said to be on."""
    if declared != "log2" and least < 0.0:
        raise StudyError(_no_scale(found, f"{least:g}", f"values of at least 0 on {declared}"))
    if declared != "linear" and most > _MOST_LOG:
        expected = f"values of at most {_MOST_LOG:g} on {declared}"
        raise StudyError(_no_scale(found, f"{most:g}", expected))


def _no_scale(found: ExpressionTable, got: str, expected: str) -> Problem:
    fix = "give a table of levels, and declare its scale: linear, log2p1 or log2"
    return Problem(f"{found.path}", "scale", got, expected, fix, "E-DATA")


def _reference(found: ExpressionTable, named: str | None) -> str | None:
    if named is None:
        keys = {line_key(name): name for name in found.values}
        return keys.get(line_key(REFERENCE))
    return _sample(found, named, "reference")


def _wanted(found: ExpressionTable, samples: Sequence[str], standard: str | None) -> list[str]:
    if samples:
        return [_sample(found, name, "sample") for name in samples]
    return [name for name in found.values if name != standard] or list(found.values)


def _sample(found: ExpressionTable, name: str, field: str) -> str:
    if name in found.values:
        return name
    near = nearest(name, found.values, likeness=0.3)
    fix = f"did you mean {', '.join(near)}?" if near else ""
    expected = "a sample of the table"
    raise StudyError(Problem(f"{found.path}", field, literal(name), expected, fix, "E-NAME"))


class _Reader:
    """Turns the values of a sample into levels."""

    def __init__(
        self,
        found: ExpressionTable,
        scale: str,
        numbers: Mapping[str, float],
        steady: Sequence[str],
        standard: str | None,
    ) -> None:
        self._found, self._scale, self._numbers, self._steady = found, scale, numbers, steady
        self._standard = standard
        self._rule = catalog_table("closures", "line_levels").values_by_id()

    def messages(self, samples: Sequence[str]) -> Iterator[str]:
        """What was done about the reference and the unit."""
        carried = [name for name in samples if self._is_carried(name)]
        if self._standard is not None:
            yield f"levels are relative to the sample {self._standard}"
        else:
            yield (
                "no MCF10A in the table: levels are relative to MCF10A of the panel, with a wider "
                "uncertainty"
            )
        if len(carried) == len(samples):
            yield "brought to the panel's scale by genes that hardly differ between lines"
        else:
            need = round(self._numbers["steady_least"])
            yield (
                f"fewer than {need} of {', '.join(self._steady)} in the table: its unit is taken "
                "for the panel's, with a much wider uncertainty"
            )
        yield "no microRNA is read from such tables: the panel's median stands in for it"

    def levels(self, sample: str) -> Iterator[Level]:
        """Levels that the table speaks to."""
        rule, extra = self._rule, self._extra(sample)
        for gene in _RELATIVE:
            if (value := self._relative(sample, gene)) is not None:
                sd = rule["level_sd_single"]
                sd = sd if self._standard is not None else math.hypot(sd, extra)
                yield self._level(sample, f"L_{gene}", value, sd)
        if (itgb3 := self._fpkm(sample, "ITGB3")) is not None:
            value = math.log2(max(itgb3, rule["fpkm_floor"]) / rule["itgb3_expressed"])
            sd = math.hypot(rule["level_sd_single"], extra)
            yield self._level(sample, "L_ITGB3", value, sd)
        if (cdh1 := self._fpkm(sample, "CDH1")) is not None:
            value = math.log2(cdh1 + rule["fpkm_offset"]) - rule["cdh1_reference"]
            yield self._level(sample, "e_score", value, math.hypot(rule["e_sd_none"], extra))
        zeb1, zeb2 = self._fpkm(sample, "ZEB1"), self._fpkm(sample, "ZEB2")
        if zeb1 is not None and zeb2 is not None:
            value = rule["panel_median_mirna"] - math.log2(zeb1 + zeb2 + rule["fpkm_offset"])
            yield self._level(sample, "emt_score", value, math.hypot(rule["X_sd_missing"], extra))
        if (vim := self._fpkm(sample, "VIM")) is not None:
            yield self._level(sample, "vim", math.log2(vim + rule["fpkm_offset"]), extra)

    def _level(self, sample: str, name: str, value: float, sd: float) -> Level:
        note = f"{self._found.path.name}, sample {sample}: RNA, {SCALES[self._scale]}"
        return Level(name, value, sd, "one reading, and its transfer", "derived", "", note)

    def _relative(self, sample: str, gene: str) -> float | None:
        if self._standard is None:
            here = self._fpkm(sample, gene)
            there = self._numbers[f"reference_{gene}"]
            return None if here is None else self._log(here) - there
        here, base = self._linear(sample, gene), self._linear(self._standard, gene)
        return None if here is None or base is None else self._log(here) - self._log(base)

    def _log(self, linear: float) -> float:
        return math.log2(max(linear, self._rule["fpkm_floor"]))

    def _linear(self, sample: str, gene: str) -> float | None:
        value = self._found.values[sample].get(gene)
        if value is None:
            return None
        if self._scale == "linear":
            return value
        offset = 1.0 if self._scale == "log2p1" else 0.0
        return max(math.exp2(value) - offset, 0.0)

    def _fpkm(self, sample: str, gene: str) -> float | None:
        """Level on the panel's scale [FPKM]."""
        linear = self._linear(sample, gene)
        return None if linear is None else linear * math.exp2(self._shift(sample))

    def _offsets(self, sample: str) -> list[float]:
        read = {gene: self._linear(sample, gene) for gene in self._steady}
        return [self._numbers[_STEADY + gene] - math.log2(x) for gene, x in read.items() if x]

    def _is_carried(self, sample: str) -> bool:
        return len(self._offsets(sample)) >= self._numbers["steady_least"]

    def _shift(self, sample: str) -> float:
        return median(self._offsets(sample)) if self._is_carried(sample) else 0.0

    def _extra(self, sample: str) -> float:
        name = "transfer_sd" if self._is_carried(sample) else "transfer_sd_none"
        return self._numbers[name]
