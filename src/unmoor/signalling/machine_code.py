"""Object code of networks: made by LLVM, kept in the cache folder, loaded into the process."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any

from unmoor.compilation import cache_folder
from unmoor.errors import ResourceError
from unmoor.signalling.codegen import Layout, generate

FUNCTIONS = ("prepare", "slopes", "step", "readouts", "rates", "advance", "advance_first")
_MAKERS = (
    "equations", "symbolic", "codegen", "vector_code", "step_code", "rosenbrock", "solve",
    "machine_code",
)  # fmt: skip


def cached(key: str, make: Any) -> tuple[bytes, Layout]:
    """Object code of a network and its layout: from the cache folder if whole, else made."""
    import llvmlite

    text = f"{_sources()}\n{llvmlite.__version__}\n{_processor()}\n{key}"
    name = f"{hashlib.sha256(text.encode()).hexdigest()[:24]}.o"
    with contextlib.suppress(ResourceError, OSError, ValueError, KeyError, TypeError):
        digest, description, code = (
            (cache_folder() / "networks" / name).read_bytes().split(b"\n", 2)
        )
        if hashlib.sha256(description + code).hexdigest() == digest.decode():
            return code, _layout_from(json.loads(description))
    assembly, layout = generate(make())
    code = _compile(assembly)
    description = json.dumps(asdict(layout)).encode()
    digest = hashlib.sha256(description + code).hexdigest().encode()
    with contextlib.suppress(ResourceError, OSError):
        folder = cache_folder() / "networks"
        folder.mkdir(parents=True, exist_ok=True)
        _replace(folder / name, b"\n".join([digest, description, code]))
    return code, layout


def _layout_from(stored: dict[str, Any]) -> Layout:
    species, parameters = (tuple(stored.pop(f"{x}_names")) for x in ("species", "parameter"))
    return Layout(species_names=species, parameter_names=parameters, **stored)


def _replace(path: Path, data: bytes) -> None:
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.write_bytes(data)
    os.replace(partial, path)


@lru_cache(maxsize=1)
def _sources() -> str:
    """Digest of the files that decide what code a network becomes."""
    files = [Path(__file__).with_name(f"{name}.py") for name in _MAKERS]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def _processor() -> str:
    import llvmlite.binding as llvm

    return f"{llvm.get_process_triple()} {llvm.get_host_cpu_name()}"


def _machine() -> Any:
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    target = llvm.Target.from_default_triple()
    return target.create_target_machine(
        cpu=llvm.get_host_cpu_name(),
        features=llvm.get_host_cpu_features().flatten(),
        opt=3,
        reloc="pic",
        codemodel="jitdefault",
        jit=True,
    )


def _compile(assembly: str) -> bytes:
    import llvmlite.binding as llvm

    machine = _machine()
    module = llvm.parse_assembly(assembly)
    module.triple = machine.triple
    module.verify()
    return bytes(machine.emit_object(module))


_engines: list[Any] = []


def load(code: bytes) -> tuple[int, ...]:
    """Addresses of the functions (in the order of ``FUNCTIONS``) of stored object code."""
    import llvmlite.binding as llvm

    machine = _machine()
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
    engine.add_object_file(llvm.object_file.ObjectFileRef.from_data(code))
    engine.finalize_object()
    _engines.append(engine)  # the code lives as long as its engine
    return tuple(engine.get_function_address(name) for name in FUNCTIONS)
