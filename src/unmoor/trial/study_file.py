"""Study files as text: found, read as TOML with the place of every value, and written back."""

from __future__ import annotations

import contextlib
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unmoor import catalog
from unmoor.errors import Problem, StudyError, literal, nearest
from unmoor.findings import FieldPath, Locate, key, show
from unmoor.therapy.irradiation import Irradiation
from unmoor.therapy.regimen import Edit, Regimen
from unmoor.trial.search_fields import fields_varied, tables_of
from unmoor.trial.study_fields import MARGIN_FIELDS, MODEL_FIELDS, UNCERTAINTY_FIELDS
from unmoor.trial.toml_positions import toml_positions

if TYPE_CHECKING:
    from unmoor.trial.study import Study

LARGEST_FILE = 1_000_000  # bytes; a study is a page of text
_SHOWN = 50  # characters of a line that cannot be read
_PLACE = re.compile(r"\s*\(at (?:line (\d+), column (\d+)|end of document)\)")
_HINTS: tuple[tuple[str, str], ...] = (
    (r"[“”‘’]", 'write straight quotes: "'),
    (r"=\s*[+-]?\.\d", "write a zero before the point: 0.1"),
    (r"=\s*[+-]?\d+\.(?!\d)", "write a zero after the point: 1.0"),
    (r"=\s*[+-]?\d+,\d", "write a decimal point, not a comma: 0.9"),
    (r"=\s*(?i:true|false|yes|no|on|off)\b", "write true or false"),
    (r"=\s*(?i:none|null|nil|na)\b", "leave out a key that has no value"),
    (r"=\s*(?:#.*)?$", "write a value after the equals sign, or remove the line"),
    (r"=\s*[+-]?\d[\d.e+-]*\s*[A-Za-zµμ%/]", 'put a number with a unit in quotes: "10 mg/kg"'),
    (r"=\s*[A-Za-z]", 'put text in quotes: "4T1"'),
    (r"^[^\"'=\[]*[^\x00-\x7f\"'=]", "put a name with special letters in quotes"),
    (r"^\s*[A-Za-z0-9_-]+\s+[A-Za-z0-9_+-]", "put a name with spaces in quotes"),
    (r"^\s*[A-Za-z0-9_-]+\s*:", "write key = value, with an equals sign"),
)


def find_study(name: str | Path) -> Path:
    """Return the file of a study: a path, a folder that holds ``study.toml``, or a catalog name.

    Raises
    ------
    StudyError
        If there is no such file, with the nearest names.
    """
    path = Path(name)
    try:
        if path.is_dir() and (path / "study.toml").is_file():
            return path / "study.toml"
        if path.is_file():
            return path
    except (OSError, ValueError):  # too long a path, or a NUL byte in it
        pass
    if isinstance(name, str) and name in catalog.names("studies"):
        return catalog.find("studies", name) / "study.toml"
    raise StudyError(_no_file(name, path))


def _no_file(name: str | Path, path: Path) -> Problem:
    known = list(catalog.names("studies"))
    with contextlib.suppress(OSError, ValueError):  # the name need not be a path at all
        known += [str(path.with_name(near.name)) for near in path.parent.glob("*.toml")]
    close = nearest(str(name), known, likeness=0.5)
    fix = (
        f"did you mean {', '.join(close)}?" if close else f"the catalog has {', '.join(known[:3])}"
    )
    expected = "a study file, or the name of a study of the catalog"
    return Problem("", "study", literal(str(name)), expected, fix, "E-FILE")


def read_file(path: Path) -> str:
    """Return the text of a study file, which must be UTF-8 and of sane size.

    Raises
    ------
    StudyError
        If it cannot be read; with line and column if it is not UTF-8.
    """
    try:
        if path.stat().st_size > LARGEST_FILE:
            expected = f"a study file of at most {LARGEST_FILE} bytes"
            got = f"{path.stat().st_size} bytes"
            raise StudyError(Problem(f"{path}", "", got, expected, "", "E-FILE"))
        data = path.read_bytes()
    except OSError as error:
        got = error.strerror or type(error).__name__
        raise StudyError(Problem(f"{path}", "", got, "a readable file", "", "E-FILE")) from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line = before.count(b"\n") + 1
        column = len(before) - before.rfind(b"\n")
        got = f"byte {data[error.start]:#04x}"
        problem = Problem(
            f"{path}:{line}:{column}",
            "",
            got,
            "text in UTF-8",
            "save the file as UTF-8",
            "E-ENCODING",
        )
        raise StudyError(problem) from error


def parse(text: str, name: str) -> tuple[dict[str, Any], Locate]:
    """Read TOML.

    Parameters
    ----------
    text
        The text of a study file.
    name
        What to call the file in messages.

    Returns
    -------
        The content, and a function that gives the place of a field in it.

    Raises
    ------
    StudyError
        If the text is not TOML.
    """
    try:
        raw = tomllib.loads(text)
        positions = toml_positions(text)
    except tomllib.TOMLDecodeError as error:
        raise StudyError(_syntax_problem(text, name, str(error))) from error
    except (RecursionError, ValueError) as error:
        got = "nested too deeply" if isinstance(error, RecursionError) else str(error)[:60]
        expected = "a study file with a few levels and ordinary numbers"
        raise StudyError(Problem(f"{name}:1:1", "", got, expected, "", "E-SYNTAX")) from error

    def locate(path: FieldPath, at_key: bool) -> str:
        known = path
        while known and known not in positions:
            known = known[:-1]
        place = (1, 1)
        if known:
            position = positions[known]
            place = position.key if at_key and known == path else position.value
        return f"{name}:{place[0]}:{place[1]}"

    return raw, locate


def _syntax_problem(text: str, name: str, message: str) -> Problem:
    lines = text.replace("\r\n", "\n").split("\n")
    match = _PLACE.search(message)
    line, column = len(lines), len(lines[-1]) + 1
    if match and match[1]:
        line, column = int(match[1]), int(match[2])
    what = _PLACE.sub("", message)
    written = lines[line - 1].strip() if line <= len(lines) else ""
    if not written and line > 1:
        written = lines[line - 2].strip()
    hint = _hint(written, what)
    shown = written if len(written) <= _SHOWN else f"{written[:_SHOWN]}…"
    got = show(shown) if shown else "the end of the file"
    return Problem(
        f"{name}:{line}:{column}", "", got, f"TOML ({what[:1].lower()}{what[1:]})", hint, "E-SYNTAX"
    )


def _hint(written: str, what: str) -> str:
    if "overwrite" in what or "twice" in what or "Duplicate" in what or "immutable" in what:
        return "give each key and each table once"
    for pattern, hint in _HINTS:
        if re.search(pattern, written):
            return hint
    if (
        "\\n" in what
        or "']'" in what
        or "Unclosed" in what
        or "Unterminated" in what
        or "end of document" in what
    ):
        return "close the bracket or the quote"
    return "compare with: unmoor show truong2014 --toml"


def to_toml(study: Study) -> str:
    """Write a study as a file that reads back as an equal study."""
    lines = [f"schema = {study.schema}"]
    if study.title:
        lines.append(f"title = {literal(study.title)}")
    lines.append(f"seed = {study.seed}")
    lines.append(f"cell_lines = [{', '.join(literal(line) for line in study.cell_lines)}]")
    lines.append(f"control = {literal(study.control)}")
    blocks = ["\n".join(lines) + "\n"]
    blocks += [assay.to_toml() for assay in study.assays]
    blocks.append("[arms]\n" + "".join(_arm(name, arm) for name, arm in study.arms.items()))
    for name, fields in (
        ("verdict", MARGIN_FIELDS),
        ("uncertainty", UNCERTAINTY_FIELDS),
        ("model", MODEL_FIELDS),
    ):
        section = getattr(study, name)
        known = [(field, getattr(section, field.name)) for field in fields]
        rows = [field.write(value) for field, value in known if value is not None]
        blocks.append(f"[{name}]\n" + "\n".join(rows) + "\n")
    if study.search is not None:
        blocks.append(study.search.to_toml(fields_varied(study.search, tables_of(study.arms))))
    return "\n".join(blocks)


def _arm(name: str, items: tuple[Regimen | Edit | Irradiation, ...]) -> str:
    if len(items) < 2:
        return f"{key(name)} = [{''.join(item.to_toml_item() for item in items)}]\n"
    rows = "".join(f"    {item.to_toml_item()},\n" for item in items)
    return f"{key(name)} = [\n{rows}]\n"
