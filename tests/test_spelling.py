"""British spelling in everything a person reads, and in every name."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
FOLDERS = ("src", "tests", "docs", "tools", ".ci", "benchmarks")
SUFFIXES = {".py", ".toml", ".tsv", ".html", ".md", ".cff", ""}

# Words, or beginnings of words with *, that are spelled otherwise in British English.
AMERICAN = """
tumor* signaling signaled modeling modeled modeler* labeling labeled traveling traveled canceled
canceling leveled leveling totaling fueled tunneling behavior* favor* neighbor* harbor* vapor*
honor* color* gray* center centers centered centering fiber* caliber* meager luster theater
millimeter* centimeter* micrometer* nanometer* kilometer* milliliter* microliter* liter liters
analyze* analyzing catalyze* catalyzing paralyze* dialyze* hydrolyze*
coloniz* characteriz* normaliz* initializ* minimiz* maximiz* optimiz* organiz* randomiz* realiz*
recogniz* standardiz* summariz* utiliz* visualiz* localiz* internaliz* equaliz* generaliz*
parameteriz* paralleliz* penaliz* polariz* stabiliz* synchroniz* vectoriz* tokeniz* categoriz*
serializ* customiz* emphasiz* finaliz* hypothesiz* immuniz* ioniz* metastasiz* mobiliz* neutraliz*
prioritiz* randomiz* regulariz* specializ* symboliz* synthesiz* linearize* discretiz* factoriz*
estrogen* estradiol leukemi* anemi* hemoglobin* hemat* hemorrhag* edema* ischemi* hypoxemi*
esophag* fetal fetus pediatric* orthopedic* etiolog* cecum defense offense artifact* aging
fulfill fulfillment enroll enrollment skillful judgment* acknowledgment* sulfur mold molds plow*
aluminum maneuver* skeptic*
""".split()  # noqa: SIM905 - a list of words reads best as text
# Names that libraries, formats and the operating system have chosen.
API_NAMES = re.compile(
    r"normalize|initializ\w+|finalize\w*|optimize|vectorize|factorized?|serializ\w+|synchronize|tokenize\w*|"
    r"\w*color\w*|\w*center\w*|\w*gray\w*|realize\w*|canceled|minimize|analyze",
    re.IGNORECASE,
)
PROPER_NAMES = re.compile(r"Science Signaling|NO_COLOR|no-color\.org")
WORD = re.compile(r"[A-Za-z]+")
PATTERN = re.compile(
    "|".join(word[:-1] + "[a-z]*" if word.endswith("*") else word for word in AMERICAN)
)
FENCE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)


def words(text: str) -> Iterator[str]:
    """Yield the words of a text; parts of snake_case and CamelCase are words of their own."""
    for match in WORD.finditer(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)):
        yield match[0]


def american(text: str, *, is_code: bool) -> list[str]:
    """Return the words of a text in American spelling; code may use the names of libraries."""
    found = [word for word in words(PROPER_NAMES.sub("", text)) if PATTERN.fullmatch(word.lower())]
    return [word for word in found if not (is_code and API_NAMES.fullmatch(word))]


def passages(path: Path) -> Iterator[tuple[int, str, bool]]:
    """Yield line, text and whether it is code, of the passages of a file."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        before = tokenize.NEWLINE
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            starts_line = before in (tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)
            is_docstring = token.type == tokenize.STRING and starts_line
            is_prose = token.type == tokenize.COMMENT or is_docstring
            yield token.start[0], token.string, not is_prose
            if token.type not in (tokenize.COMMENT, tokenize.NL):
                before = token.type
    else:
        prose = FENCE.sub(lambda match: "\n" * match[0].count("\n"), text)
        is_code = path.suffix in (".html", ".toml", "")
        for number, line in enumerate(prose.splitlines(), 1):
            yield number, line, is_code


def files() -> list[Path]:
    """Return the files people read, without the titles of other people's papers."""
    found = [*PROJECT.glob("*.md"), *PROJECT.glob("*.toml"), *PROJECT.glob("*.cff")]
    for folder in FOLDERS:
        found += (PROJECT / folder).rglob("*")
    skipped = {Path(__file__), PROJECT / "src" / "unmoor" / "py.typed"}
    return sorted(
        path
        for path in found
        if path.is_file()
        and path.suffix in SUFFIXES
        and path not in skipped
        and not any(part == "__pycache__" or part.endswith("_cache") for part in path.parts)
    )


def test_spelling_is_british() -> None:
    """One spelling, so that a search for tumour finds everything about tumours."""
    found = [
        f"{path.relative_to(PROJECT)}:{line}: {word}"
        for path in files()
        for line, text, is_code in passages(path)
        for word in american(text, is_code=is_code)
    ]
    assert found == []


@pytest.mark.parametrize(
    "text", ["a tumor", "tumor_volume", "TumorVolume", "Signaling", "how cells behave: behavior"]
)
def test_american_spelling_is_seen(text: str) -> None:
    """In prose as in names."""
    assert american(text, is_code=True)


@pytest.mark.parametrize("text", ["tumour", "colonisation", "size", "programme", "a coloured line"])
def test_british_spelling_passes(text: str) -> None:
    """What we write is not reported."""
    assert american(text, is_code=False) == []


def test_names_of_libraries_may_stay_in_code() -> None:
    """A keyword argument of matplotlib is not ours to spell."""
    assert american("axes.plot(x, color='k')", is_code=True) == []
    assert american("the color of an arm", is_code=False) == ["color"]
