"""What an assay is told: where cells are put, how many, in which animals, and for how long."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from unmoor.fields import Field, Nested, OneOf, Quantity, Text, Whole, read_table
from unmoor.findings import FieldPath, Findings, FrozenMap, key, show

DEFAULT_HOST = "nsg"
DEFAULT_CLONES = 16
_LONGEST = 365.0  # d
_MOST_CELLS = 1e9

ASSAY_NAMES: tuple[str, ...] = ("orthotopic_xenograft",)
_HOST = Text("a host of the catalog", 80)


_HOSTS = Nested("a host of the catalog, or a table of default and hosts by cell line")

ORTHOTOPIC_FIELDS: tuple[Field, ...] = (
    Field("name", OneOf(ASSAY_NAMES), '"orthotopic_xenograft"'),
    Field("label", Text("a name for this assay in the results", 60), '"nude mice"', required=False),
    Field("host", _HOSTS, '{ default = "nsg" }', required=False, default=DEFAULT_HOST),
    Field("inoculum", Quantity("cells", 1.0, _MOST_CELLS), '"1e6 cells"'),
    Field(
        "duration",
        Quantity("time", 0.0, _LONGEST, open_low=True, what="time from inoculation to read-out"),
        '"28 d"',
    ),
    Field("animals", Whole("animals in each arm", 1, 10_000), "10"),
    Field(
        "clones",
        Whole("clones in each tumour", 1, 1_000),
        str(DEFAULT_CLONES),
        required=False,
        default=DEFAULT_CLONES,
    ),
)


@dataclass(frozen=True, slots=True, init=False)
class OrthotopicXenograft:
    """Tumour cells put into the mammary fat pad; tumour and lungs are read out on the last day.

    Parameters
    ----------
    inoculum
        Cells injected, ``"1e6 cells"`` or a number.
    duration
        Time from inoculation to read-out, ``"28 d"`` or a number in days.
    animals
        Animals in each arm.
    host
        Mouse strain for every line, or a mapping with ``"default"`` and strains of single lines.
    clones
        Clones a tumour is made of.
    label
        Name in the results; needed only when a study has several assays of one kind.

    Raises
    ------
    StudyError
        With everything that is wrong.

    Examples
    --------
    >>> OrthotopicXenograft(inoculum="1e6 cells", duration="4 weeks", animals=10).duration
    28.0
    """

    name: ClassVar[str] = "orthotopic_xenograft"
    label: str
    host: Mapping[str, str]
    inoculum: float
    duration: float
    animals: int
    clones: int

    def __init__(
        self,
        *,
        inoculum: str | float,
        duration: str | float,
        animals: int,
        host: str | Mapping[str, str] = DEFAULT_HOST,
        clones: int = DEFAULT_CLONES,
        label: str | None = None,
    ) -> None:
        raw: dict[str, Any] = {"name": self.name, "host": host, "inoculum": inoculum}
        raw |= {"duration": duration, "animals": animals, "clones": clones}
        raw |= {} if label is None else {"label": label}
        findings = Findings(prefix=(type(self).__name__,))
        values = read_assay(raw, (), findings, bare=True)
        findings.raise_errors()
        for name in (field.name for field in ORTHOTOPIC_FIELDS if field.name != "name"):
            object.__setattr__(self, name, values[name])

    def host_of(self, cell_line: str) -> str | None:
        """Return the host a line is put into; None if none is named and there is no default."""
        return self.host.get(cell_line, self.host.get("default"))

    def to_toml(self) -> str:
        """Return the ``[[assays]]`` table that stands for it in a study file."""
        hosts = ", ".join(f"{key(line)} = {show(host)}" for line, host in self.host.items())
        lines = ["[[assays]]"]
        for field in ORTHOTOPIC_FIELDS:
            if field.name == "host":
                lines.append(f"host = {{ {hosts} }}")
            elif field.name != "label" or self.label != self.name:
                lines.append(field.write(getattr(self, field.name)))
        return "\n".join(lines) + "\n"


def read_assay(raw: object, path: FieldPath, findings: Findings, *, bare: bool) -> dict[str, Any]:
    """Read the keys of an ``[[assays]]`` table; complete only if nothing was found wrong."""
    values = read_table(raw, ORTHOTOPIC_FIELDS, path, findings, bare=bare)
    if "host" in values:
        values["host"] = _read_hosts(values["host"], (*path, "host"), findings)
    if "name" in values and values.get("label", "") is None:
        values["label"] = values["name"]
    return values


def _read_hosts(raw: object, path: FieldPath, findings: Findings) -> Mapping[str, str]:
    if not isinstance(raw, Mapping):
        host = Field("host", _HOST, f'"{DEFAULT_HOST}"').read(raw, path, findings, bare=False)
        return FrozenMap({} if host is None else {"default": host})
    if not raw:
        fix = f'write {{ default = "{DEFAULT_HOST}" }}'
        findings.add(path, "{ }", _HOSTS.expected, fix, "E-EMPTY")
    hosts: dict[str, str] = {}
    for line, value in raw.items():
        field = Field(str(line), _HOST, f'"{DEFAULT_HOST}"')
        host = field.read(value, (*path, str(line)), findings, bare=False)
        if host is not None:
            hosts[str(line)] = host
    return FrozenMap(hosts)
