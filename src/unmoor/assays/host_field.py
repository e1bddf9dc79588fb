"""The field ``host`` of assays in animals: one strain for all lines, or a strain by line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from unmoor.assays.base import Assay, read_fields
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


class AnimalAssay(Assay):
    """What assays in animals share: a host for each line."""

    __slots__ = ()
    host: Mapping[str, str]

    @classmethod
    def parse(
        cls, raw: Mapping[str, Any], path: FieldPath, findings: Findings, *, bare: bool
    ) -> dict[str, Any]:
        """Read the keys of an ``[[assays]]`` table; complete only if nothing was found wrong."""
        values = read_fields(raw, cls.table, path, findings, bare=bare)
        if "host" in values:
            values["host"] = read_hosts(values["host"], (*path, "host"), findings)
        return values

    def host_of(self, cell_line: str) -> str | None:
        """Return the host a line is put into; None if none is named and there is no default."""
        return self.host.get(cell_line, self.host.get("default"))

    def _written(self, field: Field) -> list[str]:
        if field.name == "host":
            return [write_hosts(self.host)]
        return [field.write(getattr(self, field.name))]
