"""The page of an analysis: sections of text, tables and figures as one HTML file.

Any analysis of a study can be shown this way. A page needs nothing else to be read; its figures lie
beside it as SVG, PNG and CSV, its tables as CSV. The same content gives the same bytes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from unmoor.report.figures import Drawn, inline
from unmoor.report.numerals import plain
from unmoor.report.style import as_pixels, as_png, as_svg, drawing
from unmoor.report.templates import template
from unmoor.trial.atomic import refusals_told, write_file
from unmoor.trial.csv_text import csv_text
from unmoor.trial.provenance import catalog_digest, software

if TYPE_CHECKING:
    from unmoor.trial.study import Study

_MOST_ROWS = 200  # of a table that are shown; its file has them all


@dataclass(frozen=True)
class Table:
    """A table of a page.

    Parameters
    ----------
    stem
        Name of its file, without ending.
    caption
        What it shows, in a sentence without full stop.
    frame
        The data as they go into the file; the index is not shown.
    headings
        Heading of a column where that is not its name with spaces for underscores.
    formats
        How a column is written where that is not with three significant digits.
    shown
        Columns that the page shows, in this order; all if not given.
    """

    stem: str
    caption: str
    frame: pd.DataFrame
    headings: Mapping[str, str] = field(default_factory=dict)
    formats: Mapping[str, Callable[[Any], str]] = field(default_factory=dict)
    shown: Sequence[str] | None = None


@dataclass(frozen=True)
class Plot:
    """A figure of a page.

    Parameters
    ----------
    stem
        Name of its files, without ending.
    title
        What question it answers, in a few words.
    caption
        What marks, lines and bands are, in full sentences.
    figure
        A figure made inside `unmoor.report.style.drawing`, or a function that makes one: it is
        called with those settings.
    data
        What is drawn, for the CSV file.
    alt
        What it shows, for those who do not see it; the caption if empty.
    """

    stem: str
    title: str
    caption: str
    figure: Figure | Callable[[], Figure]
    data: pd.DataFrame
    alt: str = ""


@dataclass(frozen=True)
class Section:
    """A part of a page: heading, paragraphs, figures and tables, in this order.

    Paragraphs are plain text.
    """

    heading: str
    paragraphs: Sequence[str] = ()
    tables: Sequence[Table] = ()
    figures: Sequence[Plot] = ()


@dataclass(frozen=True)
class Origin:
    """What a page is about where that is no study.

    Parameters
    ----------
    what, title
        Kind of thing and name, such as ``table`` and ``evidence``.
    seed
        Seed of the random numbers.
    digest, catalog
        SHA-256 of it, and of the catalog the numbers come from.
    """

    what: str
    title: str
    seed: int
    digest: str
    catalog: str
    warnings: Sequence[str] = ()


def _origin(study: Study) -> Origin:
    warnings = [str(each.at("", each.field)) for each in study.warnings]
    title, catalog = study.title or study.name, catalog_digest(study)
    return Origin("study", title, study.seed, study.digest(), catalog, warnings)


def figure_footer(study: Study, *also: str) -> str:
    """Line under every figure of an analysis: version, seed, and what else there is to tell."""
    model = study.model
    parts = (
        f"unmoor {software()['version']}", f"seed {study.seed}", *also,
        f"{model.emt_core}/{model.mechanism}",
    )  # fmt: skip
    return " · ".join(parts)


def write_page(
    folder: str | os.PathLike[str],
    title: str,
    study: Study | Origin,
    sections: Sequence[Section],
    *,
    question: str = "",
    notes: Sequence[str] = (),
) -> Path:
    """Write an analysis as ``report.html`` with ``figures/`` and ``tables/`` beside it.

    Parameters
    ----------
    folder
        Existing folder for the files.
    title
        Heading of the page.
    study
        What was analysed, or where there is no study, an `Origin`; its warnings are shown, and
        what identifies it is in the footer.
    sections
        Content; stems of figures, and of tables, must differ.
    question
        The question the page answers, under its title.
    notes
        What a reader must know before reading on, shown in a box: limits, what was assumed.

    Returns
    -------
        The HTML file.

    Raises
    ------
    ValueError
        If two figures or two tables have the same stem.
    ResourceError, RunFolderError
        If the disk is full, or a file cannot be written.
    """
    place = Path(folder)
    about = study if isinstance(study, Origin) else _origin(study)
    _refuse_twins(sections)
    shown = [
        {
            "heading": each.heading,
            "paragraphs": list(each.paragraphs),
            "figures": [*_figures(each.figures, place / "figures")],
            "tables": [*_tables(each.tables, place / "tables")],
        }
        for each in sections
    ]
    content = {
        "title": title,
        "question": question,
        "notes": list(notes),
        "warnings": list(about.warnings),
        "sections": shown,
        "version": software()["version"],
        "what": about.what,
        "study": about.title,
        "seed": about.seed,
        "digest": about.digest,
        "catalog": about.catalog,
    }
    path = place / "report.html"
    write_file(path, template("page.html").render(content).encode("utf-8"))
    return path


def _refuse_twins(sections: Sequence[Section]) -> None:
    for stems in (
        [each.stem for section in sections for each in section.figures],
        [each.stem for section in sections for each in section.tables],
    ):
        if twins := sorted({stem for stem in stems if stems.count(stem) > 1}):
            raise ValueError(f"two parts of a page are named {' and '.join(twins)}")


def _figures(plots: Sequence[Plot], folder: Path) -> Iterator[Drawn]:
    if not plots:
        return
    _make(folder)
    with drawing():
        for plot in plots:
            figure = plot.figure if isinstance(plot.figure, Figure) else plot.figure()
            svg, alt = as_svg(figure), plot.alt or plot.caption
            write_file(folder / f"{plot.stem}.svg", svg.encode("utf-8"))
            write_file(folder / f"{plot.stem}.png", as_png(as_pixels(figure)))
            write_file(folder / f"{plot.stem}.csv", csv_text(plot.data).encode("utf-8"))
            yield Drawn(plot.stem, plot.title, plot.caption, alt, inline(svg, plot.stem, alt))


def _tables(tables: Sequence[Table], folder: Path) -> Iterator[dict[str, Any]]:
    if not tables:
        return
    _make(folder)
    for table in tables:
        write_file(folder / f"{table.stem}.csv", csv_text(table.frame).encode("utf-8"))
        names = list(table.frame.columns if table.shown is None else table.shown)
        kept = table.frame[names].head(_MOST_ROWS)
        columns = [[*map(table.formats.get(name, _written), kept[name])] for name in names]
        yield {
            "stem": table.stem,
            "caption": table.caption,
            "heads": [table.headings.get(name, str(name).replace("_", " ")) for name in names],
            "numeric": [_is_numeric(kept[name]) for name in names],
            "rows": [*zip(*columns, strict=True)],
            "left_out": len(table.frame) - len(kept),
        }


def _make(folder: Path) -> None:
    with refusals_told(folder, 0):
        folder.mkdir(parents=True, exist_ok=True)


def _is_numeric(column: pd.Series) -> bool:
    return bool(pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column))


def _written(value: Any) -> str:
    """A cell as a reader would write it: three significant digits, a dash where there is none."""
    if isinstance(value, (bool, np.bool_)):
        return "yes" if value else "no"
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return "–"
    if isinstance(value, (float, np.floating)):
        if np.isinf(value):
            return "∞" if value > 0 else "\u2212∞"
        return plain(float(f"{value:.3g}")).replace("-", "\u2212")
    return str(value)
