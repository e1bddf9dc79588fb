"""Compiled functions, and the folder their machine code is kept in.

:func:`kernel` compiles a function on first use and keeps the result on disk, so that only the first
run ever waits for the compiler. Numba can do this by itself, but three of its habits would hurt
here, so this module gives it another cache:

* it refuses to import the function where it can write nowhere (a read-only install without a home
  folder); here such a function is compiled anew in each process;
* it looks for changes only in the file of the function, while the machine code contains every
  kernel called from it; here the key is the text of all files of the package that hold kernels
  (so a constant that kernels share belongs in one of these files, or is passed as an argument);
* a damaged cache file or a full disk stops the program; here it costs a compilation.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from numba.core.caching import CompileResultCacheImpl, FunctionCache, _CacheLocator

from unmoor.errors import ResourceError

_PACKAGE = Path(__file__).parent
_PREFIX = "kernels-"
_UNUSED_AFTER = 30 * 86400.0  # seconds after which the cache of another version is removed
_log = logging.getLogger("unmoor")

_Function = TypeVar("_Function", bound=Callable[..., Any])


def kernel(function: _Function) -> _Function:
    """Compile a function with Numba on first use; machine code is kept between runs.

    The compiled function releases the interpreter lock, divides by zero as NumPy does (giving
    infinities and NaN instead of an exception) and uses no relaxed arithmetic, so that its results
    do not depend on the machine.

    Parameters
    ----------
    function
        A function of numbers and arrays, defined at the top level of a module.
    """
    return _compiled(function, is_part=False)


def part(function: _Function) -> _Function:
    """Compile a function as ``kernel`` does, for calls from other kernels only.

    Without the bridges from Python, which take longer to compile than a small function itself.
    """
    return _compiled(function, is_part=True)


def _compiled(function: _Function, *, is_part: bool) -> _Function:
    options: Any = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True} if is_part else {}
    compiled: Any = numba.njit(nogil=True, error_model="numpy", **options)(function)
    cache: Any = _KernelCache
    try:
        compiled._cache = cache(function)  # what njit(cache=True) does
    except (RuntimeError, OSError) as reason:
        _log.debug("%s is compiled in each process: %s", function.__qualname__, reason)
    return cast(_Function, compiled)


@lru_cache(maxsize=1)
def cache_folder() -> Path:
    """Folder for machine code and generated source, made if need be.

    The first that can be written of: ``$NUMBA_CACHE_DIR``, the package's own ``__pycache__``, the
    user's cache folder (``$XDG_CACHE_HOME`` or ``~/.cache``), a private temporary folder. Its name
    changes with the kernels, so nothing in it is ever out of date.

    Raises
    ------
    ResourceError
        If none can be written.
    """
    name = _PREFIX + _digest_of_kernels()
    for base in _bases():
        folder = base / name
        if _is_writable(folder):
            _remove_unused(base)
            return folder
    raise ResourceError(
        "no folder for compiled code can be written; set XDG_CACHE_HOME to one that can",
        code="E-CACHE",
    )


def _bases() -> Iterator[Path]:
    chosen = os.environ.get("NUMBA_CACHE_DIR", "")
    if chosen:
        yield Path(chosen).absolute()
    yield _PACKAGE / "__pycache__"
    chosen = os.environ.get("XDG_CACHE_HOME", "")
    if Path(chosen).is_absolute():
        yield Path(chosen) / "unmoor"
    with contextlib.suppress(RuntimeError):  # neither $HOME nor an entry for this user
        yield Path.home() / ".cache" / "unmoor"
    with contextlib.suppress(OSError):
        yield _private_temporary_folder()


def _private_temporary_folder() -> Path:
    """A folder below /tmp that no one else can write: machine code from others must not be run."""
    user = os.getuid()
    folder = Path(tempfile.gettempdir()) / f"unmoor-{user}"
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    if folder.is_symlink() or status.st_uid != user or status.st_mode & 0o022:
        return Path(tempfile.mkdtemp(prefix="unmoor-"))
    return folder


def _is_writable(folder: Path) -> bool:
    """Whether files can be made in the folder; access bits do not tell on every file system."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
        os.utime(folder)
    except OSError:
        return False
    return True


def _remove_unused(base: Path) -> None:
    oldest = time.time() - _UNUSED_AFTER
    for folder in base.glob(f"{_PREFIX}*"):
        try:
            if folder.stat().st_mtime < oldest:
                shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            continue


@lru_cache(maxsize=1)
def _digest_of_kernels() -> str:
    """Digest of every file of the package that has to do with kernels, and of the compiler."""
    digest = hashlib.sha256(f"{numba.__version__} {_PACKAGE}".encode())
    for path in sorted(_PACKAGE.rglob("*.py")):
        if "__pycache__" in path.parts[len(_PACKAGE.parts) :]:
            continue
        text = path.read_bytes()
        if path == Path(__file__) or b"unmoor.compilation" in text:
            digest.update(hashlib.sha256(text).digest())
    return digest.hexdigest()[:16]


class _Locator(_CacheLocator):
    """Tells Numba where the machine code of a function is kept and when it is out of date."""

    def __init__(self, file: Path, line: int, folder: Path) -> None:
        self._file, self._line, self._folder = file, line, folder

    @classmethod
    def from_function(cls, py_func: Any, py_file: str) -> _Locator | None:
        if not Path(py_file).exists():  # typed at a prompt
            return None
        try:
            folder = cache_folder()
        except ResourceError:
            return None
        return cls(Path(py_file).resolve(), py_func.__code__.co_firstlineno, folder)

    def get_cache_path(self) -> str:
        return str(self._folder)

    def get_source_stamp(self) -> str:
        # The name of the folder stands for the package; the file may be someone's own network.
        return hashlib.sha256(self._file.read_bytes()).hexdigest()

    def get_disambiguator(self) -> str:
        return f"{hashlib.sha256(bytes(self._file)).hexdigest()[:8]}-{self._line}"


class _KernelCacheFiles(CompileResultCacheImpl):
    _locator_classes: list[Any] = [_Locator]  # noqa: RUF012 - name and type are those of Numba


class _KernelCache(FunctionCache):
    """Numba's cache of one function, for which trouble with files is never worth an error."""

    _impl_class = _KernelCacheFiles

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        try:
            return super().load_overload(sig, target_context)  # type: ignore[no-untyped-call]
        except Exception as reason:  # a damaged pickle can raise anything
            _log.debug("machine code in %s cannot be read: %s", self.cache_path, reason)
            with contextlib.suppress(OSError):
                self.flush()  # type: ignore[no-untyped-call]
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        try:
            super().save_overload(sig, data)  # type: ignore[no-untyped-call]
        except Exception as reason:  # the same: the index is read before it is saved
            _log.debug("machine code cannot be kept in %s: %s", self.cache_path, reason)
