"""Tables of expression as people have them: which way round, which genes, which values."""

from __future__ import annotations

import csv
import gzip
import io
import math
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from unmoor.errors import Problem, StudyError, literal

MOST_SAMPLES = 200
_MISSING = {"", "na", "nan", "n/a", "null", "none", "."}
_ID = re.compile(r"\s*[(|].*$")  # what follows the symbol: "ITGB1 (3688)", "ITGB1|3688"
_SHOWN = 8  # problems that are told
_SEEN = 2  # names that are shown of many


@dataclass(frozen=True)
class ExpressionTable:
    """Values of the genes asked for.

    Attributes
    ----------
    values
        By sample and gene, in the table's own scale; what is missing is not there.
    messages
        Genes that are missing or come twice.
    is_mouse
        Whether genes are spelt as those of mice are (``Itgb1``).
    """

    path: Path
    values: Mapping[str, Mapping[str, float]]
    messages: tuple[str, ...]
    is_mouse: bool


def read_table(path: Path, genes: Sequence[str]) -> ExpressionTable:
    """Read the values of some genes; all other columns and rows are passed over.

    Raises
    ------
    StudyError
        If the file cannot be read or holds none of the genes, or cells that are no numbers.
    """
    text = _text(path)
    first = text.partition("\n")[0]
    mark = max("\t,;", key=first.count)
    rows = _rows(path, text, mark)
    if len(rows) < 2:
        raise StudyError(_problem(path, "", "no rows", "a header and at least one row", ""))
    header = [_symbol(cell) for cell in rows[0]]
    column = [_symbol(row[0]) for row in rows[1:]]
    across = len(set(genes) & set(header))
    down = len(set(genes) & set(column))
    if not across and not down:
        expected = f"columns or rows named {', '.join(genes[:4])}, …"
        fix = "name genes by their HGNC symbols, alone or as SYMBOL (id)"
        got = f"{_some(rows[0])} across, {_some([row[0] for row in rows[1:]])} down"
        raise StudyError(_problem(path, "genes", got, expected, fix))
    reader = _Reader(path, genes, mark)
    values = reader.across(rows) if across >= down else reader.down(rows)
    spelt = rows[0] if across >= down else [row[0] for row in rows[1:]]
    return ExpressionTable(path, values, tuple(reader.messages(values)), _is_mouse(spelt, genes))


class _Reader:
    def __init__(self, path: Path, genes: Sequence[str], mark: str) -> None:
        self._path, self._genes, self._mark = path, set(genes), mark
        self._problems: list[Problem] = []
        self._twice: set[str] = set()

    def across(self, rows: list[list[str]]) -> dict[str, dict[str, float]]:
        """Genes are columns; the first column names samples."""
        places = [(i, _symbol(cell)) for i, cell in enumerate(rows[0])]
        places = [(i, gene) for i, gene in places if gene in self._genes]
        found: dict[str, list[tuple[str, float]]] = {}
        for line, row in enumerate(rows[1:], 2):
            name = (_name(row[0]) if places[0][0] > 0 else "") or f"sample {line - 1}"
            if name in found:
                self._say(line, 1, name, "each sample once", "rename or average them")
            found[name] = [
                (gene, value)
                for i, gene in places
                if (value := self._number(row, i, line)) is not None
            ]
        return self._merged(found)

    def down(self, rows: list[list[str]]) -> dict[str, dict[str, float]]:
        """Genes are rows; columns with numbers are samples."""
        own = [(n, row) for n, row in enumerate(rows, 1) if _symbol(row[0]) in self._genes]
        width = max(len(row) for _, row in own)
        columns = [i for i in range(1, width) if any(self._is_number(row, i) for _, row in own)]
        columns = columns or [1]  # whose cells are told to be no numbers
        head = rows[0] if _symbol(rows[0][0]) not in self._genes else []
        found: dict[str, list[tuple[str, float]]] = {}
        for i in columns:
            name = _name(head[i]) if i < len(head) and len(columns) > 1 else self._path.stem
            name = name or f"sample {i}"
            if name in found:
                self._say(1, i + 1, name, "each sample once", "rename or average them")
            found[name] = [
                (_symbol(row[0]), value)
                for n, row in own
                if (value := self._number(row, i, n)) is not None
            ]
        return self._merged(found)

    def messages(self, values: Mapping[str, Mapping[str, float]]) -> Iterator[str]:
        """Genes that come twice or not at all."""
        if self._twice:
            yield f"{', '.join(sorted(self._twice))}: several columns or rows, their mean is taken"
        read = {gene for row in values.values() for gene in row}
        if lacking := sorted(self._genes - read):
            yield f"not in the table: {', '.join(lacking)}"

    def _merged(self, found: Mapping[str, list[tuple[str, float]]]) -> dict[str, dict[str, float]]:
        if self._problems:
            raise StudyError(self._problems[:_SHOWN])
        kept = {name: values for name, values in found.items() if values}
        if not kept:
            expected = "a number for at least one gene of at least one sample"
            raise StudyError(_problem(self._path, "genes", "no values", expected, ""))
        if len(kept) > MOST_SAMPLES:
            expected = f"at most {MOST_SAMPLES} samples"
            fix = "leave out rows or columns that are not asked about"
            raise StudyError(_problem(self._path, "samples", f"{len(kept)}", expected, fix))
        merged: dict[str, dict[str, float]] = {}
        for name, values in kept.items():
            own: dict[str, list[float]] = {}
            for gene, value in values:
                own.setdefault(gene, []).append(value)
            self._twice |= {gene for gene, each in own.items() if len(each) > 1}
            merged[name] = {gene: sum(each) / len(each) for gene, each in own.items()}
        return merged

    def _is_number(self, row: list[str], i: int) -> bool:
        try:
            return i < len(row) and math.isfinite(float(self._plain(row[i])))
        except ValueError:
            return False

    def _number(self, row: list[str], i: int, line: int) -> float | None:
        cell = row[i].strip() if i < len(row) else ""
        if cell.lower() in _MISSING:
            return None
        if not self._is_number(row, i):
            self._say(line, i + 1, cell, "a finite number, or nothing", "")
            return None
        return float(self._plain(cell))

    def _plain(self, cell: str) -> str:
        """A comma is a decimal sign where it does not separate cells."""
        return cell.strip().replace(",", ".") if self._mark == ";" else cell.strip()

    def _say(self, line: int, column: int, got: str, expected: str, fix: str) -> None:
        place = f"{self._path}:{line}:{column}"
        self._problems.append(Problem(place, "value", literal(got), expected, fix, "E-DATA"))


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
        if path.suffix == ".gz":
            data = gzip.decompress(data)
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        got, fix = f"byte {data[error.start]:#04x} at {error.start}", "save it as UTF-8 text"
        raise StudyError(_problem(path, "table", got, "UTF-8 text", fix, "E-ENCODING")) from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        got, fix = f"damaged: {error}"[:80], "copy or download the file anew"
        expected = "a whole .gz file"
        raise StudyError(_problem(path, "table", got, expected, fix, "E-FILE")) from error
    except OSError as error:
        got = error.strerror or type(error).__name__
        expected = "a CSV or TSV file"
        raise StudyError(_problem(path, "table", got, expected, "", "E-FILE")) from error


def _rows(path: Path, text: str, mark: str) -> list[list[str]]:
    """Rows that hold anything.

    Raises
    ------
    StudyError
        If a quote is opened and not closed, with the line in which its cell begins.
    """
    reader = csv.reader(io.StringIO(text), delimiter=mark, strict=True)
    rows, begun = [], 1
    try:
        for row in reader:
            rows.append(row)
            begun = reader.line_num + 1
    except csv.Error as error:
        expected, fix = "quotes in pairs around a whole cell", "close or remove the quote"
        place = f"{path}:{begun}"
        raise StudyError(Problem(place, "table", f"{error}", expected, fix, "E-DATA")) from error
    return [row for row in rows if any(cell.strip() for cell in row)]


def _name(cell: str) -> str:
    """A sample's name on one line: tabs and line ends in it would break the tables written."""
    return " ".join("".join(c if c.isprintable() else " " for c in cell).split())


def _some(names: Sequence[str]) -> str:
    """The first of many names."""
    shown = ", ".join(literal(name) for name in names[:_SEEN])
    return f"{shown}, …" if len(names) > _SEEN else shown


def _symbol(cell: str) -> str:
    return _ID.sub("", cell.strip().strip('"')).upper()


def _is_mouse(spelt: Sequence[str], genes: Sequence[str]) -> bool:
    own = [_ID.sub("", cell.strip()) for cell in spelt if _symbol(cell) in genes]
    return bool(own) and all(name != name.upper() for name in own)


def _problem(
    path: Path, field: str, got: str, expected: str, fix: str, code: str = "E-DATA"
) -> Problem:
    return Problem(f"{path}", field, got, expected, fix, code)
