"""How the package is built: budgets, imports, public names, and what must not be in the tree."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import unmoor

PROJECT = Path(__file__).parents[1]
PACKAGE = PROJECT / "src" / "unmoor"
MODULES = sorted(PACKAGE.rglob("*.py"))
LONGEST_FILE = 400
LONGEST_FUNCTION = 40
LONGEST_KERNEL = 60
PUBLIC = [
    "CellLine",
    "CellSorting",
    "ColonyFormation",
    "Drug",
    "Edit",
    "Host",
    "Intracardiac",
    "Irradiation",
    "Monolayer",
    "Network",
    "OrthotopicXenograft",
    "Regimen",
    "Result",
    "SignallingTimeCourse",
    "SpheroidInvasion",
    "Study",
    "TailVein",
    "Viability",
    "__version__",
    "design",
    "discriminate",
    "harm_map",
    "matrix",
    "panel_lines",
    "read_expression",
    "report",
    "screen",
    "search",
    "sensitivity",
    "validate",
    "why",
]
HEAVY = ("numpy", "numba", "pandas", "matplotlib", "scipy", "sympy", "jinja2")
TEXT = {
    ".py",
    ".md",
    ".toml",
    ".tsv",
    ".bib",
    ".html",
    ".cff",
    ".yml",
    ".yaml",
    ".txt",
    ".lock",
    "",
}
MACHINE_PATH = re.compile(r"(?<![\w.)}>])/(?:work|root|opt|mnt|Users|home/[a-z])[/\w]*")
INDEX_OPTION = re.compile(r"--(?:extra-)?index-url|--find-links|--trusted-host")

Function = ast.FunctionDef | ast.AsyncFunctionDef


def named(path: Path) -> str:
    """Return the path below the project, as the name of a test case."""
    return str(path.relative_to(PROJECT))


def parsed(path: Path) -> ast.Module:
    """Return the syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"))


def functions(tree: ast.Module) -> Iterator[Function]:
    """Yield every function and method."""
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def length(function: Function) -> int:
    """Return the lines of a function from its name on, without its docstring."""
    assert function.end_lineno is not None
    lines = function.end_lineno - function.lineno + 1
    if ast.get_docstring(function) is not None:
        docstring = function.body[0]
        assert docstring.end_lineno is not None
        lines -= docstring.end_lineno - docstring.lineno + 1
    return lines


def is_kernel(function: Function) -> bool:
    """Return whether a function is compiled as a whole."""
    return any(ast.unparse(each).split("(")[0] == "kernel" for each in function.decorator_list)


def test_no_file_is_longer_than_its_budget() -> None:
    """A file that can be read in one sitting."""
    lines = {named(path): len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES}
    assert {path: count for path, count in lines.items() if count > LONGEST_FILE} == {}


def test_no_function_is_longer_than_its_budget() -> None:
    """Kernels may be longer, since compiled code cannot hand back control as freely."""
    too_long = [
        f"{named(path)}:{function.lineno}: {function.name} has {length(function)} lines"
        for path in MODULES
        for function in functions(parsed(path))
        if length(function) > (LONGEST_KERNEL if is_kernel(function) else LONGEST_FUNCTION)
    ]
    assert too_long == []


def imports_of_the_root(tree: ast.Module) -> Iterator[str]:
    """Yield what a module imports from the root of the package, or relative to itself."""
    inside = {each.stem for each in PACKAGE.glob("*.py")} | {
        each.name for each in PACKAGE.iterdir() if each.is_dir()
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names if each.name == "unmoor")
        elif isinstance(node, ast.ImportFrom) and node.level:
            yield "relative import"
        elif isinstance(node, ast.ImportFrom) and node.module == "unmoor":
            yield from (each.name for each in node.names if each.name not in inside)


def test_modules_import_each_other_by_full_path() -> None:
    """Through the root, a module would load everything and the layers would mean nothing."""
    wrong = []
    for path in MODULES:
        allowed = {"unmoor", *PUBLIC} if PACKAGE / "cli" in path.parents else set()
        found = imports_of_the_root(parsed(path))
        wrong += [f"{named(path)}: {name}" for name in found if name not in allowed]
    assert wrong == []


def other_generators(tree: ast.Module) -> Iterator[str]:
    """Yield the sources of random numbers, other than unmoor.random, that a module uses."""
    modules = ("random", "secrets", "numpy.random")
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names if each.name.startswith(modules))
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{each.name}" for each in node.names]
            yield from (name for name in names if name.startswith(modules))
        elif isinstance(node, ast.Attribute):
            text = ast.unparse(node)
            is_other = node.attr in ("rvs", "uuid4", "random_state")
            if is_other or text in ("np.random", "numpy.random", "os.urandom"):
                yield text


def test_random_numbers_come_from_one_place() -> None:
    """A second generator would have a state, and results would depend on order."""
    wrong = [
        f"{named(path)}: {name}" for path in MODULES for name in other_generators(parsed(path))
    ]
    assert wrong == []


@pytest.mark.parametrize(
    "code", ["import random", "from numpy import random", "np.random.normal()", "x.rvs(3)"]
)
def test_another_generator_would_be_seen(code: str) -> None:
    """The rule would catch the usual ones."""
    assert list(other_generators(ast.parse(code)))


def test_the_public_names_are_these() -> None:
    """A name that leaves or joins the interface is a decision, and is announced."""
    assert sorted(unmoor.__all__) == sorted(PUBLIC)
    assert set(PUBLIC) <= set(dir(unmoor))


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_loads(name: str) -> None:
    """Names are loaded late; each must be there when asked for."""
    assert getattr(unmoor, name) is not None
    assert name == "__version__" or callable(getattr(unmoor, name))


@pytest.mark.parametrize("first", ["unmoor", "unmoor.report", "unmoor.report.numerals"])
def test_report_can_be_called_whatever_was_imported_first(first: str) -> None:
    """The function shares its name with the package that it lives in."""
    code = f"""
import {first}
import unmoor as um
try:
    um.report(None)
except TypeError as error:
    print(error)
from unmoor.report import html, report
print(callable(um.report), callable(report), html.__name__)
"""
    said, names = run_python(code).splitlines()
    assert said == "report() missing 1 required positional argument: 'path'"
    assert names == "True True unmoor.report.html"


def test_an_unknown_name_is_an_attribute_error() -> None:
    """As for any module, so that hasattr works."""
    assert not hasattr(unmoor, "no_such_name")


def run_python(code: str) -> str:
    """Return what a fresh interpreter prints."""
    environment = os.environ | {"PYTHONPATH": str(PACKAGE.parent)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True
    )
    return done.stdout


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["--version"]])
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    """Help answers at once because numerical libraries are loaded by those who calculate."""
    code = f"""
import sys
from unmoor.cli import main
try:
    main({arguments!r})
except SystemExit as stop:
    assert not stop.code, stop.code
print("loaded:", *[name for name in {HEAVY!r} if name in sys.modules])
"""
    assert run_python(code).splitlines()[-1] == "loaded:"


def test_importing_the_package_loads_nothing_heavy() -> None:
    """Not even the modules of the package itself."""
    code = "import sys, unmoor; print([n for n in sys.modules if n.startswith('unmoor.')])"
    assert run_python(code).strip() == "[]"


def tree() -> list[Path]:
    """Return the text files of the project, without what is made by tools."""
    made = {"__pycache__", "build", "dist", "runs", "site"}
    return [
        path
        for path in sorted(PROJECT.rglob("*"))
        if path.is_file()
        and path.suffix in TEXT
        and not any(
            part in made or (part.startswith(".") and part != ".ci")
            for part in path.relative_to(PROJECT).parts
        )
    ]


def test_no_file_names_a_place_on_one_machine() -> None:
    """The project must work wherever it is cloned."""
    found = []
    for path in tree():
        text = path.read_text(encoding="utf-8")
        lines = enumerate(text.splitlines(), 1)
        found += [
            f"{named(path)}:{number}: {line.strip()[:80]}"
            for number, line in lines
            if path != Path(__file__) and (MACHINE_PATH.search(line) or INDEX_OPTION.search(line))
        ]
    assert found == []
