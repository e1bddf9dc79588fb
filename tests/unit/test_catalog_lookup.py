"""The catalog: where things are looked for, in which order, and what is said when they are not."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from unmoor import catalog
from unmoor.catalog.bibliography import read_bibliography
from unmoor.errors import CatalogError


def entry(root: Path, kind: str, name: str, **about: object) -> Path:
    """Make a catalog entry below a root."""
    folder = root / kind / name
    folder.mkdir(parents=True)
    content = "".join(f"{key} = {value!r}\n" for key, value in {"name": name, **about}.items())
    (folder / "about.toml").write_text(content, encoding="utf-8")
    return folder


@pytest.fixture
def plug_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """Install a plug-in whose root is a folder."""
    root = tmp_path / "plug-in"
    root.mkdir()
    point = EntryPoint("fake", "fake:ROOT", catalog.ENTRY_POINT_GROUP)
    monkeypatch.setattr(EntryPoint, "load", lambda self: lambda: root)
    monkeypatch.setattr(catalog, "entry_points", lambda group: [point])
    catalog._plug_in_roots.cache_clear()
    yield root
    monkeypatch.undo()
    catalog._plug_in_roots.cache_clear()


def test_a_folder_beside_the_study_comes_before_plug_ins_and_the_built_in(
    tmp_path: Path, plug_in: Path
) -> None:
    """Path, beside, plug-in, built in."""
    assert catalog.find("cell_lines", "4T1", tmp_path).is_relative_to(catalog.ROOT)
    third = entry(plug_in, "cell_lines", "4T1")
    assert catalog.find("cell_lines", "4T1", tmp_path) == third
    second = entry(tmp_path / "catalog", "cell_lines", "4T1")
    assert catalog.find("cell_lines", "4T1", tmp_path) == second
    first = entry(tmp_path, "own", "4T1")
    assert catalog.find("cell_lines", "./own/4T1", tmp_path) == first


def test_names_are_of_all_roots_once(tmp_path: Path, plug_in: Path) -> None:
    """Sorted without regard to case."""
    entry(tmp_path / "catalog", "cell_lines", "alpha")
    entry(plug_in, "cell_lines", "4T1")
    names = catalog.names("cell_lines", tmp_path)
    assert names == sorted(names, key=str.casefold)
    assert {"4T1", "alpha", "HCC1806"} <= set(names)
    assert len(names) == len(set(names))


def test_a_synonym_finds_its_entry_even_with_a_slash_in_it(tmp_path: Path) -> None:
    """Strains are written with slashes, and so are paths."""
    entry(tmp_path / "catalog", "hosts", "c3h", synonyms=["C3H/HeN"])
    assert catalog.canonical("hosts", "C3H/HeN", tmp_path) == "c3h"
    assert catalog.reference("hosts", "C3H/HeN", tmp_path) == "c3h"


def test_a_path_is_referred_to_as_it_was_given(tmp_path: Path) -> None:
    """So that it can be found again."""
    entry(tmp_path, "lines", "own")
    assert catalog.canonical("cell_lines", "lines/own", tmp_path) == "own"
    assert catalog.reference("cell_lines", "lines/own", tmp_path) == "lines/own"


@pytest.mark.parametrize(
    "name",
    ["4t-1", "HCC1860", "nothing like it", "", "a/b", "x" * 5000, "..", "~nobody/x", "a\0/b"],
)
def test_an_unknown_name_is_told_with_the_nearest(name: str) -> None:
    """Or with what there is, if nothing is near."""
    with pytest.raises(CatalogError) as caught:
        catalog.find("cell_lines", name)
    assert caught.value.exit_code == 2
    assert caught.value.problems[0].fix
    assert len(str(caught.value)) <= 200


def test_an_unknown_kind_is_told() -> None:
    """With the kinds there are."""
    with pytest.raises(CatalogError, match="did you mean cell_lines"):
        catalog.names("cell_line")


@pytest.mark.parametrize(
    "content",
    ["name = ", "synonyms = 3", 'synonyms = ["a", 3]', 'binds = "human"', 'name = "other"'],
)
def test_a_damaged_entry_is_told_with_its_file(tmp_path: Path, content: str) -> None:
    """Not passed over: a study that names it cannot run."""
    folder = entry(tmp_path / "catalog", "drugs", "own")
    (folder / "about.toml").write_text(content, encoding="utf-8")
    with pytest.raises(CatalogError) as caught:
        catalog.about("drugs", "own", tmp_path)
    assert caught.value.problems[0].where == str(folder / "about.toml")


def test_a_plug_in_that_fails_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever it raises."""
    point = EntryPoint("broken", "no_such_module:ROOT", catalog.ENTRY_POINT_GROUP)
    monkeypatch.setattr(catalog, "entry_points", lambda group: [point])
    catalog._plug_in_roots.cache_clear()
    with pytest.raises(CatalogError, match="plug-in broken"):
        catalog.names("drugs")
    monkeypatch.undo()
    catalog._plug_in_roots.cache_clear()


def test_an_entry_without_parameters_has_an_empty_table(tmp_path: Path) -> None:
    """It differs in nothing from its defaults."""
    entry(tmp_path / "catalog", "cell_lines", "own")
    assert len(catalog.table("cell_lines", "own", tmp_path)) == 0


def test_what_is_about_an_entry_cannot_be_changed() -> None:
    """It is shared by all who read it."""
    with pytest.raises(TypeError):
        catalog.about("cell_lines", "4T1")["species"] = "rat"  # type: ignore[index]


BIB = """\
% comment with @article{no, }
@article{One2001,
  title = {A {Nested} title
           over two lines},
  journal = "In quotes",
  year = 2001
}
@misc{two, note={last}, }
"""


def test_a_bibliography_is_read(tmp_path: Path) -> None:
    """Braces, quotes, bare numbers, trailing commas."""
    path = tmp_path / "sources.bib"
    path.write_text(BIB, encoding="utf-8")
    entries = read_bibliography(path)
    assert list(entries) == ["One2001", "two"]
    assert entries["One2001"].type == "article"
    assert entries["One2001"].fields == {
        "title": "A {Nested} title over two lines",
        "journal": "In quotes",
        "year": "2001",
    }
    path.write_text("".join(one.to_bibtex() for one in entries.values()), encoding="utf-8")
    assert read_bibliography(path) == entries


@pytest.mark.parametrize(
    "text",
    [
        "@article{a, title = {never closed",
        "@article{a, title = }",
        '@misc{a, note = "open',
        "@misc{a, x={1}}\n@misc{a, x={1}}",
    ],
)
def test_a_bibliography_that_cannot_be_read_is_told(tmp_path: Path, text: str) -> None:
    """With the line of the entry."""
    path = tmp_path / "sources.bib"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CatalogError, match=r"sources\.bib:"):
        read_bibliography(path)


def test_sources_beside_a_study_are_added(tmp_path: Path) -> None:
    """And win over built-in ones of the same key."""
    (tmp_path / "catalog").mkdir()
    (tmp_path / "catalog" / "sources.bib").write_text("@misc{Mine, note={x}}", encoding="utf-8")
    assert "Mine" in catalog.sources(tmp_path)
    assert len(catalog.sources(tmp_path)) == len(catalog.sources()) + 1
