"""The documentation builds without a warning, and every block of code in it runs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import unmoor

PROJECT = Path(__file__).parents[2]
DOCS = PROJECT / "docs"
BLOCK = re.compile(r"^```(\w+)(?: title=\"([^\"]+)\")?\n(.*?)^```$", re.DOTALL | re.MULTILINE)
NOT_RUN = {"text", "sh"}  # what is shown: output, and commands that install
WRITTEN = {"toml", "tsv"}
PAGES = sorted(page for page in DOCS.rglob("*.md") if BLOCK.search(page.read_text("utf-8")))


def run(command: list[str], folder: Path) -> None:
    """Run a command as a reader would, with this interpreter's commands first on the path."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, "PATH": path}, capture_output=True, text=True
    )
    assert done.returncode == 0, f"{command[-1]}\n{done.stdout}\n{done.stderr}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(DOCS)))
def test_every_block_of_a_page_runs(page: Path, tmp_path: Path) -> None:
    """In their order, from an empty folder; blocks with a title are files of that name."""
    for language, title, code in BLOCK.findall(page.read_text(encoding="utf-8")):
        if title:
            (tmp_path / title).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / title).write_text(code, encoding="utf-8")
        elif language == "bash":
            run(["bash", "-euo", "pipefail", "-c", code], tmp_path)
        elif language == "python":
            run([sys.executable, "-W", "error", "-c", code], tmp_path)
        else:
            assert language in NOT_RUN, f"a block of {language} that nobody runs"


def test_a_block_that_fails_is_noticed(tmp_path: Path) -> None:
    """The check itself can fail: in the middle of a block of commands, and in Python."""
    with pytest.raises(AssertionError, match="false"):
        run(["bash", "-euo", "pipefail", "-c", "false\ntrue"], tmp_path)
    with pytest.raises(AssertionError, match="ZeroDivisionError"):
        run([sys.executable, "-c", "1 / 0"], tmp_path)


def test_every_code_of_a_problem_is_explained() -> None:
    """The page of errors lists exactly the codes that the package uses."""
    pattern = re.compile(r"\"([EW]-[A-Z-]+)\"")
    sources = (PROJECT / "src" / "unmoor").rglob("*.py")
    used = {code for path in sources for code in pattern.findall(path.read_text("utf-8"))}
    used -= {"E-CADHERIN"}  # a gene
    page = (DOCS / "reference" / "errors.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `([EW]-[A-Z-]+)`", page, re.MULTILINE)) == used


def test_every_public_name_is_in_the_reference() -> None:
    """The page of the Python interface shows all that ``import unmoor`` offers."""
    page = (DOCS / "reference" / "interface.md").read_text(encoding="utf-8")
    shown = {line.rpartition(".")[2] for line in page.splitlines() if line.startswith("::: ")}
    assert shown - {"CultureAssay"} == set(unmoor.__all__) - {"__version__"}


def test_the_documentation_builds_strictly(tmp_path: Path) -> None:
    """No broken link, no page outside the navigation, and nothing loaded from elsewhere."""
    pytest.importorskip("mkdocs", reason="mkdocs is not installed")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-d", str(tmp_path / "site")]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for page in (tmp_path / "site").rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert not re.search(r"<(?:script|img)[^>]+src=\"https?://", text), page.name
        assert not re.search(r"<link[^>]+rel=\"stylesheet\"[^>]+href=\"https?://", text), page.name
