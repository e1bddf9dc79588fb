"""The cache of compiled functions: found again, kept apart, and never a reason to fail."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from unmoor import compilation
from unmoor.errors import ResourceError

PACKAGE = Path(compilation.__file__).parent

PROGRAM = """
import os, pwd, sys

def no_such_user(number):
    raise KeyError(number)

if "HOME" not in os.environ:
    pwd.getpwuid = no_such_user
sys.path.insert(0, sys.argv[1])
from unmoor.compilation import cache_folder
from unmoor.sums import total
assert cache_folder.__wrapped__.__code__.co_filename.startswith(sys.argv[1])
print(cache_folder())
print(total(10), *total.stats.cache_hits.values())
"""

SUMS = """
from unmoor.compilation import kernel

@kernel
def total(n):
    return n * (n + 1) // 2
"""


@pytest.fixture
def install(tmp_path: Path) -> Path:
    """A copy of what the cache needs of the package, with a module that holds one kernel."""
    package = tmp_path / "site" / "unmoor"
    package.mkdir(parents=True)
    for name in ("errors.py", "compilation.py"):
        shutil.copy(PACKAGE / name, package)
    (package / "__init__.py").touch()
    (package / "sums.py").write_text(SUMS)
    return package


@pytest.fixture
def read_only_install(install: Path) -> Path:
    """The same where no cache can be made, not even by the superuser, who heeds no rights."""
    (install / "__pycache__").touch()
    return install


@pytest.fixture
def in_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """A folder that is the only place for caches in this process."""
    monkeypatch.setattr(compilation, "_bases", lambda: iter([tmp_path / "caches"]))
    compilation.cache_folder.cache_clear()
    yield tmp_path / "caches"
    compilation.cache_folder.cache_clear()


def run(install: Path, **environment: str) -> list[str]:
    """Import and call the kernel in a new process: its cache folder, and the cache hits if any."""
    done = subprocess.run(
        [sys.executable, "-B", "-c", PROGRAM, str(install.parent)],
        capture_output=True,
        text=True,
        cwd="/",
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    folder, result = done.stdout.splitlines()
    value, *hits = result.split()
    assert value == "55"
    return [folder, *hits]


def test_a_second_process_compiles_nothing(install: Path) -> None:
    """Machine code is kept beside the package where that can be written."""
    folder, *hits = run(install)
    assert Path(folder).parent == install / "__pycache__"
    assert hits == []
    assert run(install) == [folder, "1"]


def test_a_damaged_cache_costs_a_compilation(install: Path) -> None:
    """A machine that lost power leaves empty files; they are replaced."""
    folder, *_ = run(install)
    for file in Path(folder).iterdir():
        file.write_bytes(b"\x80" if file.suffix == ".nbc" else b"")
    assert run(install) == [folder]
    assert all(file.stat().st_size > 1 for file in Path(folder).iterdir())


def test_machine_code_of_changed_sources_is_not_used(install: Path) -> None:
    """Changing one file with kernels sets all aside, since kernels contain those they call."""
    folder, *_ = run(install)
    (install / "sums.py").write_text(SUMS + "\n# changed\n")
    other, *hits = run(install)
    assert other != folder
    assert hits == []


def test_a_read_only_install_uses_the_cache_of_the_user(
    read_only_install: Path, tmp_path: Path
) -> None:
    """As a package that an administrator installed."""
    folder, *hits = run(read_only_install, HOME=str(tmp_path))
    assert Path(folder).parent == tmp_path / ".cache" / "unmoor"
    assert hits == []
    assert run(read_only_install, HOME=str(tmp_path)) == [folder, "1"]


def test_a_chosen_cache_folder_is_used(read_only_install: Path, tmp_path: Path) -> None:
    """XDG_CACHE_HOME goes before the home folder, NUMBA_CACHE_DIR before everything."""
    here, there = str(tmp_path / "here"), str(tmp_path / "there")
    folder, *_ = run(read_only_install, HOME=str(tmp_path), XDG_CACHE_HOME=here)
    assert Path(folder).parent == Path(here) / "unmoor"
    folder, *_ = run(read_only_install, XDG_CACHE_HOME=here, NUMBA_CACHE_DIR=there)
    assert Path(folder).parent == Path(there)


@pytest.mark.parametrize("home", [{}, {"HOME": "/dev/null"}], ids=["no home", "unusable home"])
def test_a_read_only_install_without_a_home_works(
    read_only_install: Path, tmp_path: Path, home: dict[str, str]
) -> None:
    """As in many containers: machine code goes to a temporary folder no one else can write."""
    folder, *_ = run(read_only_install, TMPDIR=str(tmp_path), **home)
    private = Path(folder).parent
    assert private.parent == tmp_path
    assert private.stat().st_mode & 0o022 == 0


def test_code_that_others_could_have_planted_is_not_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Whoever can write to a cache folder can make us run anything, so such a folder is shunned."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    private = compilation._private_temporary_folder()
    assert compilation._private_temporary_folder() == private
    private.chmod(0o777)
    assert compilation._private_temporary_folder() != private
    private.rmdir()
    private.symlink_to("/")
    assert compilation._private_temporary_folder() not in (private, Path("/"))


def test_without_any_cache_folder_kernels_are_compiled_each_time(in_folder: Path) -> None:
    """Where nothing can be written at all, importing still works; asking says what would help."""
    in_folder.touch()  # a file where the folder should be

    @compilation.kernel
    def doubled(x: float) -> float:
        return 2 * x

    assert doubled(2.0) == 4.0
    with pytest.raises(ResourceError, match="XDG_CACHE_HOME"):
        compilation.cache_folder()


def test_a_cache_that_cannot_be_saved_does_not_stop_a_kernel(in_folder: Path) -> None:
    """The compiled function is used although it cannot be kept, as on a full disk."""

    @compilation.kernel
    def tripled(x: float) -> float:
        return 3 * x

    folder = compilation.cache_folder()
    assert folder.parent == in_folder
    folder.rmdir()
    folder.touch()
    assert tripled(2.0) == 6.0


def test_caches_of_other_versions_are_removed_when_old(in_folder: Path) -> None:
    """Upgrades must not fill the disk, and a version in use must not lose its cache."""
    old, recent, foreign = (in_folder / name for name in ("kernels-1", "kernels-2", "mine"))
    for folder in (old, recent, foreign):
        folder.mkdir(parents=True)
    for folder in (old, foreign):
        os.utime(folder, (1e9, 1e9))
    assert compilation.cache_folder().is_dir()
    assert not old.exists()
    assert recent.exists()
    assert foreign.exists()
