"""A text with headings, tables and fields to fill in, as a Word file.

A Word file is a ZIP archive of a few XML parts (Office Open XML, ECMA-376). The parts below are all
that headings, paragraphs, lists and tables need, so no library has to be installed for them. The
same content gives the same bytes.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

_MAIN = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_OFFICE = "application/vnd.openxmlformats-officedocument.wordprocessingml"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_WIDTH = 9638  # twentieths of a point between the margins of A4
_DATE = (1980, 1, 1, 0, 0, 0)  # the earliest a ZIP archive can hold


@dataclass(frozen=True)
class Heading:
    """A heading of level 1 (the title) to 3."""

    text: str
    level: int


@dataclass(frozen=True)
class Paragraph:
    """Some text; one that is ``to_fill`` in stands in brackets and is marked."""

    text: str
    to_fill: bool = False


@dataclass(frozen=True)
class Grid:
    """A table; its first row is the heading."""

    rows: Sequence[Sequence[str]]


Part = Heading | Paragraph | Grid


def word_file(parts: Sequence[Part], title: str) -> bytes:
    """Return the parts as the content of a ``.docx`` file.

    Parameters
    ----------
    parts
        In the order of the document.
    title
        Title in the file's properties.
    """
    body = "".join(map(_part, parts))
    page = (
        '<w:sectPr><w:pgSz w:w="11906" w:h="16838"/>'
        '<w:pgMar w:top="1134" w:right="1134" w:bottom="1134" w:left="1134" '
        'w:header="567" w:footer="567" w:gutter="0"/></w:sectPr>'
    )
    files = {
        "[Content_Types].xml": _content_types(),
        "_rels/.rels": _relations(
            ("officeDocument", f"{_LINKS}/officeDocument", "word/document.xml"),
            ("core", f"{_PACKAGE}/relationships/metadata/core-properties", "docProps/core.xml"),
        ),
        "docProps/core.xml": _properties(title),
        "word/_rels/document.xml.rels": _relations(("styles", f"{_LINKS}/styles", "styles.xml")),
        "word/styles.xml": f'{_HEAD}<w:styles xmlns:w="{_MAIN}">{_styles()}</w:styles>',
        "word/document.xml": (
            f'{_HEAD}<w:document xmlns:w="{_MAIN}"><w:body>{body}{page}</w:body></w:document>'
        ),
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(
                zipfile.ZipInfo(name, _DATE), text.encode("utf-8"), zipfile.ZIP_DEFLATED
            )
    return buffer.getvalue()


def _part(part: Part) -> str:
    if isinstance(part, Heading):
        style = "Title" if part.level == 1 else f"Heading{part.level - 1}"
        return _paragraph(part.text, style)
    if isinstance(part, Paragraph):
        return _paragraph(f"[{part.text}]", "ToFill") if part.to_fill else _paragraph(part.text)
    return _table(part.rows)


def _paragraph(text: str, style: str = "") -> str:
    look = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
    kept = "".join(letter for letter in text if letter >= " " or letter in "\t\n")
    return f'<w:p>{look}<w:r><w:t xml:space="preserve">{escape(kept)}</w:t></w:r></w:p>'


def _table(rows: Sequence[Sequence[str]]) -> str:
    count = len(rows[0])
    edges = ("top", "left", "bottom", "right", "insideH", "insideV")
    lines = "".join(f'<w:{e} w:val="single" w:sz="4" w:space="0" w:color="999999"/>' for e in edges)
    grid = f'<w:gridCol w:w="{_WIDTH // count}"/>' * count
    told = "".join(_row(row, is_head=i == 0) for i, row in enumerate(rows))
    return (
        f'<w:tbl><w:tblPr><w:tblW w:w="{_WIDTH}" w:type="dxa"/><w:tblBorders>{lines}'
        f"</w:tblBorders></w:tblPr><w:tblGrid>{grid}</w:tblGrid>{told}</w:tbl><w:p/>"
    )


def _row(cells: Sequence[str], *, is_head: bool) -> str:
    style, repeat = ("TableHead", "<w:trPr><w:tblHeader/></w:trPr>") if is_head else ("Cell", "")
    width = f'<w:tcPr><w:tcW w:w="{_WIDTH // len(cells)}" w:type="dxa"/></w:tcPr>'
    inside = "".join(f"<w:tc>{width}{_paragraph(cell, style)}</w:tc>" for cell in cells)
    return f"<w:tr>{repeat}{inside}</w:tr>"


def _styles() -> str:
    """Names that Word knows, so that its navigation and table of contents work."""
    normal = (
        '<w:docDefaults><w:rPrDefault><w:rPr><w:rFonts w:ascii="Calibri" w:hAnsi="Calibri" '
        'w:cs="Calibri"/><w:sz w:val="22"/><w:lang w:val="en-GB"/></w:rPr></w:rPrDefault>'
        '<w:pPrDefault><w:pPr><w:spacing w:after="120" w:line="264" w:lineRule="auto"/></w:pPr>'
        '</w:pPrDefault></w:docDefaults><w:style w:type="paragraph" w:default="1" '
        'w:styleId="Normal"><w:name w:val="Normal"/></w:style>'
    )
    bold, small = "<w:b/>", '<w:sz w:val="19"/>'
    tight = '<w:spacing w:after="20"/>'
    return normal + "".join(
        f'<w:style w:type="paragraph" w:styleId="{key}"><w:name w:val="{name}"/><w:basedOn '
        f'w:val="Normal"/><w:pPr>{layout}</w:pPr><w:rPr>{look}</w:rPr></w:style>'
        for key, name, layout, look in (
            ("Title", "Title", "", f'{bold}<w:sz w:val="36"/>'),
            ("Heading1", "heading 1", _before(0), f'{bold}<w:sz w:val="28"/>'),
            ("Heading2", "heading 2", _before(1), f'{bold}<w:sz w:val="24"/>'),
            ("TableHead", "Table Head", tight, bold + small),
            ("Cell", "Table Cell", tight, small),
            ("ToFill", "To Fill In", "", '<w:i/><w:shd w:val="clear" w:fill="FFF2CC"/>'),
        )
    )


def _before(level: int) -> str:
    return f'<w:keepNext/><w:spacing w:before="240" w:after="80"/><w:outlineLvl w:val="{level}"/>'


def _content_types() -> str:
    kinds = {
        "/word/document.xml": f"{_OFFICE}.document.main+xml",
        "/word/styles.xml": f"{_OFFICE}.styles+xml",
        "/docProps/core.xml": "application/vnd.openxmlformats-package.core-properties+xml",
    }
    parts = "".join(f'<Override PartName="{k}" ContentType="{v}"/>' for k, v in kinds.items())
    relations = "application/vnd.openxmlformats-package.relationships+xml"
    return (
        f'{_HEAD}<Types xmlns="{_PACKAGE}/content-types">'
        f'<Default Extension="rels" ContentType="{relations}"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{parts}</Types>'
    )


def _relations(*links: tuple[str, str, str]) -> str:
    inside = "".join(f'<Relationship Id="{i}" Type="{k}" Target="{t}"/>' for i, k, t in links)
    return f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">{inside}</Relationships>'


def _properties(title: str) -> str:
    return (
        f'{_HEAD}<cp:coreProperties xmlns:cp="{_PACKAGE}/metadata/core-properties" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f"<dc:title>{escape(title)}</dc:title><dc:creator>unmoor</dc:creator></cp:coreProperties>"
    )
