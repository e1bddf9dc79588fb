"""Write the reference pages from the code when the documentation is built."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from typing import Any

from mkdocs.structure.files import File, Files

from unmoor import catalog
from unmoor.fields import Field

_NOTE = "<!-- written by docs/hooks.py from the code -->\n\n"


def on_files(files: Files, config: Any) -> Files:
    """Add the generated pages."""
    pages: dict[str, Callable[[], str]] = {
        "reference/command_line.md": command_line,
        "reference/study_file.md": study_file,
        "reference/catalog.md": catalogue,
    }
    for name, write in pages.items():
        files.append(File.generated(config, name, content=_NOTE + write()))
    return files


def command_line() -> str:
    """Help of every verb, as the command prints it."""
    from unmoor.cli import app

    verbs = [name for name in app if not name.startswith("-")]
    parts = ["# Command line\n", _block(_help()), _EXIT]
    for verb in verbs:
        parts += [f"## `unmoor {verb}`\n", _block(_help(verb))]
    return "\n".join(parts)


_EXIT = """Data goes to standard output and what is said to people to standard error. `-` stands
for standard input, `--json` prints one JSON document, and nothing is coloured where there is no
terminal or `NO_COLOR` is set.
"""


def _help(*verb: str) -> str:
    command = [sys.executable, "-m", "unmoor.cli", *verb, "--help"]
    environment = {**os.environ, "COLUMNS": "100", "NO_COLOR": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return done.stdout.strip()


def _block(text: str, language: str = "text") -> str:
    return f"```{language}\n{text}\n```\n"


def study_file() -> str:
    """Every key of a study file, from the tables that read it."""
    parts = [_STUDY]
    for title, fields in _study_tables():
        parts += [f"## {title}\n", _fields(fields)]
    return "\n".join(parts)


_STUDY = """# Study file

A study file is TOML. Quantities are texts with a unit (`"10 mg/kg"`, `"28 d"`); unknown keys are
errors. `unmoor check STUDY` tells everything that is wrong at once and echoes the file with all
defaults and units resolved; `unmoor show truong2014 --toml` prints one to start from.
"""


def _study_tables() -> Iterable[tuple[str, Iterable[Field]]]:
    from unmoor.assays.settings import ASSAYS
    from unmoor.therapy import irradiation, regimen
    from unmoor.trial import study_fields as study

    yield "Top level", study.STUDY_FIELDS
    yield "`[verdict]`", study.MARGIN_FIELDS
    yield "`[uncertainty]`", study.UNCERTAINTY_FIELDS
    yield "`[model]`", study.MODEL_FIELDS
    yield "Arms: a drug", regimen.REGIMEN_FIELDS
    yield "Arms: a genetic edit", regimen.EDIT_FIELDS
    yield "Arms: irradiation", irradiation.IRRADIATION_FIELDS
    for name, assay in ASSAYS.items():
        yield f"`[[assays]]`: {name}", assay.table


def _fields(fields: Iterable[Field]) -> str:
    rows = ["| key | what it holds | default | example |", "|---|---|---|---|"]
    for field in fields:
        default = "required" if field.required else _default(field)
        rows.append(f"| `{field.name}` | {field.expected} | {default} | `{field.example}` |")
    return "\n".join(rows) + "\n"


def _default(field: Field) -> str:
    return "–" if field.default in (None, "") else f"`{field.default}`"


def catalogue() -> str:
    """What the catalog holds, by kind."""
    parts = [_CATALOG]
    for kind in catalog.KINDS:
        parts += [f"## {kind.replace('_', ' ').capitalize()}\n", _entries(kind)]
    return "\n".join(parts)


_CATALOG = """# Catalog

`unmoor list` prints this, `unmoor show NAME` one entry with every number, its range, evidence
grade and source. See [how the catalog works](../explanation/catalog.md).
"""


def _entries(kind: str) -> str:
    rows = ["| name | what it is | numbers |", "|---|---|---|"]
    for name in catalog.names(kind):
        about = catalog.about(kind, name)
        try:
            count = str(len(catalog.table(kind, name)))
        except Exception:  # a study has no table
            count = "–"
        rows.append(f"| `{name}` | {about.get('text') or about.get('title', '')} | {count} |")
    return "\n".join(rows) + "\n"
