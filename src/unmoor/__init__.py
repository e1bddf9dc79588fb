"""Virtual tumour trials: whether a therapy shrinks the tumour and spreads it.

>>> import unmoor as um
>>> study = um.Study.load("truong2014")  # a study of the catalog, or a path to your own file
>>> study.control
'vehicle'

Names are loaded when they are first used, so that importing the package costs next to nothing.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from unmoor.analysis.design import design
    from unmoor.analysis.discriminate import discriminate
    from unmoor.analysis.expression import read_expression
    from unmoor.analysis.harm_map import harm_map
    from unmoor.analysis.matrix import matrix
    from unmoor.analysis.own_lines import panel_lines
    from unmoor.analysis.screening import screen
    from unmoor.analysis.search import search
    from unmoor.analysis.sensitivity import sensitivity
    from unmoor.analysis.validation import validate
    from unmoor.analysis.why import why
    from unmoor.assays.colonisation_settings import Intracardiac, TailVein
    from unmoor.assays.culture_settings import ColonyFormation, SignallingTimeCourse, Viability
    from unmoor.assays.layer_settings import CellSorting, Monolayer
    from unmoor.assays.settings import OrthotopicXenograft
    from unmoor.assays.tissue_settings import SpheroidInvasion
    from unmoor.cell.line import CellLine
    from unmoor.organism.host import Host
    from unmoor.report import report
    from unmoor.signalling.network import Network
    from unmoor.therapy.drug import Drug
    from unmoor.therapy.irradiation import Irradiation
    from unmoor.therapy.regimen import Edit, Regimen
    from unmoor.trial.result import Result
    from unmoor.trial.study import Study

    __version__: str

__all__ = [
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

_HOMES = {
    "CellLine": "unmoor.cell.line",
    "CellSorting": "unmoor.assays.layer_settings",
    "ColonyFormation": "unmoor.assays.culture_settings",
    "Drug": "unmoor.therapy.drug",
    "Edit": "unmoor.therapy.regimen",
    "Host": "unmoor.organism.host",
    "Intracardiac": "unmoor.assays.colonisation_settings",
    "Irradiation": "unmoor.therapy.irradiation",
    "Monolayer": "unmoor.assays.layer_settings",
    "Network": "unmoor.signalling.network",
    "OrthotopicXenograft": "unmoor.assays.settings",
    "Regimen": "unmoor.therapy.regimen",
    "Result": "unmoor.trial.result",
    "SignallingTimeCourse": "unmoor.assays.culture_settings",
    "SpheroidInvasion": "unmoor.assays.tissue_settings",
    "Study": "unmoor.trial.study",
    "TailVein": "unmoor.assays.colonisation_settings",
    "Viability": "unmoor.assays.culture_settings",
    "design": "unmoor.analysis.design",
    "discriminate": "unmoor.analysis.discriminate",
    "harm_map": "unmoor.analysis.harm_map",
    "matrix": "unmoor.analysis.matrix",
    "panel_lines": "unmoor.analysis.own_lines",
    "read_expression": "unmoor.analysis.expression",
    "report": "unmoor.report",
    "screen": "unmoor.analysis.screening",
    "search": "unmoor.analysis.search",
    "sensitivity": "unmoor.analysis.sensitivity",
    "validate": "unmoor.analysis.validation",
    "why": "unmoor.analysis.why",
}


def __getattr__(name: str) -> object:
    """Load a public name on first use."""
    if name == "__version__":
        from importlib.metadata import PackageNotFoundError, version

        try:
            value: object = version("unmoor")
        except PackageNotFoundError:  # run from its source, never installed
            value = "0+unknown"
    elif name in _HOMES:
        value = getattr(import_module(_HOMES[name]), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names, loaded or not."""
    return sorted({*globals(), *__all__})


class _Callable(ModuleType):
    """A package that can be called like its function of the same name."""

    def __call__(self, *args: Any, **options: Any) -> Any:
        return getattr(self, self.__name__.rpartition(".")[2])(*args, **options)


class _Root(ModuleType):
    """The package, in which ``report`` can be called whether or not its package is loaded."""

    def __setattr__(self, name: str, value: object) -> None:
        # Loading unmoor.report puts the package where the function of that name was.
        if name == "report" and isinstance(value, ModuleType):
            value.__class__ = _Callable
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Root
