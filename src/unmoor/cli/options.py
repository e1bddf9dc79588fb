"""Options that several verbs share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter


def flag(text: str, *names: str) -> Parameter:
    """Return an option that is there or not."""
    return Parameter(name=names or None, help=text, negative=(), show_default=False)


Json = Annotated[bool, flag("Write one JSON document.")]
Verbose = Annotated[bool, flag("Show details, and where it fails.", "--verbose", "-v")]
Workers = Annotated[int | None, Parameter(help="Threads; all usable cores if not given.")]
Seed = Annotated[int | None, Parameter(help="Seed instead of the study's own.")]
Out = Annotated[Path, Parameter(help="Folder in which the run folder is made.")]
Settings = Annotated[
    list[str] | None,
    Parameter(
        name="--set",
        help="KEY=VALUE: change a value of the study, such as uncertainty.draws=20.",
        negative=(),
    ),
]
Escape = Annotated[
    Literal["table", "direct"] | None,
    Parameter(help="Read what leaves a tumour off the table, or run the tissue for it (slow)."),
]
Report = Annotated[
    bool | None,
    Parameter(help="Make the report; the default unless --json.", negative="--no-report"),
]
Full = Annotated[
    bool,
    flag("Add the figures of single animals, survival and doses, and the tables for Prism."),
]
Prism = Annotated[bool, flag("Write tables shaped for GraphPad Prism to prism/.")]
