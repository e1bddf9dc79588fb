"""The field ``host`` of assays in animals: one strain for all lines, or a strain by line."""

from __future__ import annotations

from collections.abc import Mapping

from unmoor.fields import Field, Nested, Text
from unmoor.findings import FieldPath, Findings, FrozenMap, key, show

DEFAULT_HOST = "nsg"
_NAME = Text("a host of the catalog", 80)
_READER = Nested("a host of the catalog, or a table of default and hosts by cell line")
HOST = Field("host", _READER, '{ default = "nsg" }', required=False, default=DEFAULT_HOST)


def read_hosts(raw: object, path: FieldPath, findings: Findings) -> FrozenMap[str]:
    """Return hosts by line, with the one for all others under ``default``."""
    if not isinstance(raw, Mapping):
        host = Field("host", _NAME, f'"{DEFAULT_HOST}"').read(raw, path, findings, bare=False)
        return FrozenMap({} if host is None else {"default": host})
    if not raw:
        fix = f'write {{ default = "{DEFAULT_HOST}" }}'
        findings.add(path, "{ }", _READER.expected, fix, "E-EMPTY")
    hosts: dict[str, str] = {}
    for line, value in raw.items():
        field = Field(str(line), _NAME, f'"{DEFAULT_HOST}"')
        host = field.read(value, (*path, str(line)), findings, bare=False)
        if host is not None:
            hosts[str(line)] = host
    return FrozenMap(hosts)


def write_hosts(hosts: Mapping[str, str]) -> str:
    """Return the line of a study file that stands for hosts."""
    written = ", ".join(f"{key(line)} = {show(host)}" for line, host in hosts.items())
    return f"host = {{ {written} }}"
