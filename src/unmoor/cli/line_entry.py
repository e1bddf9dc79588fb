"""A cell line as text and as data: what was measured, what follows by the rule, what is assumed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from unmoor.cell.levels import NOT_KNOWN
from unmoor.cli.streams import columns

if TYPE_CHECKING:
    from unmoor.cell.line import CellLine
    from unmoor.cell.line_rule import LineParameters
    from unmoor.parameters import Parameter

WIDTH = 96
DRAWS = 200  # plausible parameter sets, as many as a study takes unless it says otherwise
_CORES = ("cascading", "ternary")
_BRANCHES = ("epithelial", "partial", "mesenchymal")
_UNKNOWN = "not known"
_GRADES = ("measured", "transferred", "fitted", "derived", "assumed", _UNKNOWN)
_MEANING = {
    "L_ITGB1": "β1 integrin",
    "L_TGFBR2": "TGFβ receptor 2",
    "L_SMAD4": "SMAD4",
    "L_ITGB3": "β3 integrin",
    "e_score": "E-cadherin, 0 or more is full",
    "emt_score": "miR-200 against ZEB, low is mesenchymal",
    "vim": "vimentin message",
}
_PARAMETERS = {
    "beta1_tot": ("β1 integrin relative to MCF10A", "L_ITGB1"),
    "f": ("competence of TGFβ signalling, 0 to 1.3", "L_TGFBR2, L_SMAD4"),
    "e_present": ("E-cadherin there is to lose, 0 to 1", "e_score, branch"),
    "c0": ("β3 integrin of the untreated line", "L_ITGB3"),
    "tone": ("standing TGFβ of the surroundings", "what lets the line keep its branch"),
}


@dataclass(frozen=True)
class LineEntry:
    """A cell line by name or path, with what the rule makes of its levels."""

    name: str
    beside: Path | None = None

    @cached_property
    def line(self) -> CellLine:
        """The line, its levels complete."""
        from unmoor.cell.line import CellLine

        return CellLine.load(self.name, self.beside)

    def lines(self, *, with_notes: bool) -> Iterator[str]:
        """Levels, and what follows from them, for people."""
        yield ""
        yield from self._level_lines(with_notes=with_notes)
        yield ""
        yield from self._draw_lines()

    def as_data(self) -> dict[str, Any]:
        """Levels by id, parameters at nominal values and over draws by EMT core."""
        return {
            "levels": {name: self._level(row) for name, row in self._levels()},
            "derived": {core: self._nominal(core) for core in _CORES},
            "draws": {core: self._summary(core) for core in _CORES},
        }

    def _levels(self) -> list[tuple[str, Parameter]]:
        return [item for item in self.line.levels.items() if not item[0].startswith("sd_")]

    def _level(self, row: Parameter) -> dict[str, Any]:
        sd = self.line.levels.get(f"sd_{row.id}")
        told = {key: getattr(row, key) for key in ("value", "unit", "low", "high", "source")}
        return told | {
            "sd": sd.value if sd else 0.0,
            "grade": _grade(row),
            "meaning": _MEANING[row.id],
            "read_from": row.note,
        }

    def _level_lines(self, *, with_notes: bool) -> Iterator[str]:
        levels = self._levels()
        grades = [_grade(row) for _, row in levels]
        counts = [f"{grades.count(grade)} {grade}" for grade in _GRADES if grade in grades]
        yield f"{len(levels)} molecular levels [log2]: {', '.join(counts)}"
        head = ("level", "value", "90 % range", "grade", "source")
        cells = [
            (name, f"{row.value:.2f}", _span(row), _grade(row), row.source or "–")
            for name, row in levels
        ]
        first, *rest = columns([head, *cells], indent=2)
        yield first
        for text, (name, row) in zip(rest, levels, strict=True):
            yield text
            note = row.note if with_notes else row.note.partition("; ")[0]
            told = f"{_MEANING[name]} – {note}" if note else _MEANING[name]
            yield from wrap(told, WIDTH, initial_indent=" " * 6, subsequent_indent=" " * 6)

    def _draw_lines(self) -> Iterator[str]:
        found = self._summary("cascading")
        shares = [f"{name} {_share(x)}" for name, x in found["branches"].items() if x > 0.0]
        yield f"By the line rule, over {found['n']} plausible parameter sets of the default model:"
        yield f"  the untreated line is {', '.join(shares)}"
        if found["keeps_branch"] < 1.0:
            yield f"  in {_share(1.0 - found['keeps_branch'])} of the sets it cannot keep its state"
        if found["reverts"] > 0.0:
            share = _share(found["reverts"])
            yield f"  untreated mesenchymal cells turn epithelial in {share} of the sets"
        head = ("parameter", "median", "90 % range", "from", "meaning")
        rows = []
        for name, (meaning, origin) in _PARAMETERS.items():
            spread = found["parameters"][name]
            span = f"{spread['low']:.2g} to {spread['high']:.2g}"
            span = "the same in all" if spread["low"] == spread["high"] else span
            rows.append((name, f"{spread['median']:.2g}", span, origin, meaning))
        yield from columns([head, *rows], indent=2)

    def _nominal(self, core: str) -> dict[str, Any]:
        from unmoor.catalog.draws import NOMINAL, Draw

        return _told(self.line.parameters(Draw(0, NOMINAL, self.beside), core))

    def _summary(self, core: str) -> dict[str, Any]:
        """Medians and central 90 % of the parameters, and shares of branches, over draws."""
        from unmoor.catalog.draws import Draw
        from unmoor.cell.line import Structure
        from unmoor.cell.untreated import reverting

        draws = Draw.plausible(f"{core}/tgfb", 0, range(1, DRAWS + 1), self.beside)
        found = [self.line.parameters(draw, core) for draw in draws]
        n = len(found)
        return {
            "n": n,
            "branches": {b: sum(line.branch == b for line in found) / n for b in _BRANCHES},
            "keeps_branch": sum(line.holds_branch for line in found) / n,
            "reverts": reverting(self.line, draws, Structure(core)),
            "parameters": {
                name: _central([float(getattr(line, name)) for line in found])
                for name in _PARAMETERS
            },
        }


def _told(line: LineParameters) -> dict[str, Any]:
    found = asdict(line)
    return {name: found[name] for name in (*_PARAMETERS, "branch")}


def _grade(row: Parameter) -> str:
    return _UNKNOWN if row.note == NOT_KNOWN else row.evidence


def _central(values: list[float]) -> Mapping[str, float]:
    """Median and central 90 %, by linear interpolation between sorted values."""
    from statistics import quantiles

    cuts = quantiles(values, n=20, method="inclusive")
    return {"median": cuts[9], "low": cuts[0], "high": cuts[18]}


def _span(row: Parameter) -> str:
    return "without error" if row.low == row.high else f"{row.low:.2g} to {row.high:.2g}"


def _share(share: float) -> str:
    """A share of draws; none that exists is told as nothing, none that lacks some as all."""
    if 0.0 < share < 0.005:
        return "<1 %"
    return ">99 %" if 0.995 <= share < 1.0 else f"{100.0 * share:.0f} %"
