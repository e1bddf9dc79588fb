"""Verbs that look things up: list, show, cite."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from unmoor.cli.options import Json, Verbose, flag
from unmoor.cli.streams import columns, put, put_json, say
from unmoor.cli.studies import STDIN, is_run, load_study, study_text
from unmoor.errors import CatalogError, ExitCode, Problem, literal, nearest

if TYPE_CHECKING:
    from unmoor.trial.study import Study


def list_entries(
    kind: str | None = None, /, *, json: Json = False, verbose: Verbose = False
) -> int:
    """List what the catalog holds.

    Parameters
    ----------
    kind
        cell_lines, networks, drugs, hosts, matrices, closures or studies; all if not given.
    """
    import sys

    from unmoor import catalog

    kinds = catalog.KINDS if kind is None else (_kind(kind),)
    found = [(each, name) for each in kinds for name in catalog.names(each)]
    texts = [str(catalog.about(*entry).get("text", "")) for entry in found]
    if json:
        document: dict[str, list[dict[str, str]]] = {each: [] for each in kinds}
        for (each, name), text in zip(found, texts, strict=True):
            document[each].append({"name": name, "text": text})
        put_json(document)
        return ExitCode.OK
    rows = [
        (*(() if kind else (each,)), name, text)
        for (each, name), text in zip(found, texts, strict=True)
    ]
    put(*(columns(rows) if sys.stdout.isatty() else ("\t".join(row) for row in rows)))
    return ExitCode.OK


def show(
    name: str,
    /,
    *,
    toml: Annotated[bool, flag("As TOML; a study as a copy to edit.")] = False,
    json: Json = False,
    verbose: Annotated[bool, flag("With the note of each number.", "--verbose", "-v")] = False,
) -> int:
    """Show a thing of the catalog with its numbers and their sources.

    Parameters
    ----------
    name
        Name of a cell line, drug, host, matrix, closure, network or study, KIND/NAME where a name
        has two meanings, or a path.
    """
    from unmoor import catalog
    from unmoor.catalog.contracts import check_entry, home_of
    from unmoor.cli import entries

    kind, entry = _find(name)
    if kind == "studies":
        if toml:
            put(study_text(entry).rstrip("\n"))
        else:
            put(*entries.study_lines(load_study(entry), entry))
        return ExitCode.OK
    folder = catalog.find(kind, entry)
    beside = home_of(folder)
    check_entry(kind, entry, beside)
    reference = str(folder) if catalog.is_path(entry) else folder.name
    content = entries.Entry(kind, reference, beside)
    if json:
        put_json(content.as_data())
    elif toml:
        put(*content.as_toml())
    else:
        put(*content.lines(with_notes=verbose))
    return ExitCode.OK


def cite(of: str | None = None, /, *, verbose: Verbose = False) -> int:
    """Write BibTeX of unmoor, and of the sources of a study or run.

    Parameters
    ----------
    of
        A study or the folder of a run; unmoor alone if not given.
    """
    from unmoor.cli.citation import OWN_KEY, own_entry

    if of is None:
        put(own_entry())
        return ExitCode.OK
    from unmoor import catalog
    from unmoor.trial.provenance import citations
    from unmoor.trial.result import Result

    study = Result.study_of(Path(of)) if is_run(Path(of)) else load_study(of)
    known = catalog.sources(study.beside)
    keys = dict.fromkeys([*_sources_of_study(study), *citations(study)])
    put(own_entry(), *(known[key].to_bibtex() for key in keys if key in known and key != OWN_KEY))
    missing = [key for key in keys if key not in known]
    if missing:
        say(f"not in sources.bib: {', '.join(missing)}")
    return ExitCode.OK


def _sources_of_study(study: Study) -> list[str]:
    """Keys of the sources of a catalog study itself."""
    from unmoor import catalog

    if study.name not in catalog.names("studies", study.beside):
        return []
    return list(catalog.about("studies", study.name, study.beside).get("sources", ()))


def _kind(given: str) -> str:
    """A kind, however it is written: ``cell lines``, ``cell-line``, ``Drug``."""
    from unmoor import catalog

    plain = given.strip().casefold().replace("-", "_").replace(" ", "_")
    spellings = {kind: kind for kind in catalog.KINDS}
    spellings |= {catalog.singular(kind).replace(" ", "_"): kind for kind in catalog.KINDS}
    if plain in spellings:
        return spellings[plain]
    expected = "one of " + ", ".join(catalog.KINDS)
    close = nearest(given, catalog.KINDS, n=1)
    fix = f"did you mean {close[0]}?" if close else ""
    raise CatalogError(Problem("", "kind", literal(given), expected, fix, "E-CATALOG"))


def _find(name: str) -> tuple[str, str]:
    """Return the kind of a thing and the name or path to look it up by."""
    from unmoor import catalog
    from unmoor.catalog.contracts import kind_of

    kind, slash, rest = name.partition("/")
    if slash and kind in catalog.KINDS:
        return kind, rest
    if name == STDIN or Path(name).is_file() or (Path(name) / "study.toml").is_file():
        return "studies", name
    found = [each for each in catalog.KINDS if _has(each, name)]
    if catalog.is_path(name) and found:
        at = kind_of(Path(name))
        if at is None:
            raise CatalogError(_untold(name))
        found = [at]
    if len(found) == 1:
        return found[0], name
    raise CatalogError(_ambiguous(name, found) if found else _unknown(name))


def _has(kind: str, name: str) -> bool:
    from unmoor import catalog

    try:
        catalog.find(kind, name)
    except CatalogError:
        return False
    return True


def _ambiguous(name: str, kinds: list[str]) -> Problem:
    choices = " or ".join(f"{kind}/{name}" for kind in kinds)
    expected = "one thing of the catalog"
    return Problem("", "name", literal(name), expected, f"write {choices}", "E-NAME")


def _untold(name: str) -> Problem:
    expected = "a folder that tells its kind, such as catalog/drugs/NAME"
    fix = f"write, for example, drugs/{name}"
    return Problem("", "name", literal(name), expected, fix, "E-NAME")


def _unknown(name: str) -> Problem:
    from unmoor import catalog

    known = [each for kind in catalog.KINDS for each in catalog.names(kind)]
    close = nearest(name, known, likeness=0.5)
    fix = f"did you mean {', '.join(close)}?" if close else "see: unmoor list"
    expected = "a name of the catalog, or a path"
    return Problem("", "name", literal(name), expected, fix, "E-NAME")
