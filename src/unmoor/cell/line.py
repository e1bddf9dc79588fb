"""A cell line: its molecular levels, and the network and rules it runs with."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from statistics import NormalDist
from typing import Any

from unmoor import catalog
from unmoor.catalog.draws import NOMINAL, Draw
from unmoor.catalog.plausible import structure_name
from unmoor.cell.levels import complete
from unmoor.cell.line_rule import LineParameters, derive
from unmoor.findings import FrozenMap
from unmoor.parameters import ParameterTable
from unmoor.signalling.network import Network
from unmoor.signalling.networks.adhesion_emt import adhesion_emt
from unmoor.signalling.steady import steady_state


@dataclass(frozen=True)
class Structure:
    """One combination of the named structural options."""

    emt_core: str = "cascading"
    mechanism: str = "tgfb"
    e_readout: str = "cdh1"

    @property
    def name(self) -> str:
        """Name in tables, such as ``cascading/tgfb``."""
        return structure_name(self.emt_core, self.mechanism, self.e_readout)

    @property
    def network(self) -> Network:
        """The network of this combination."""
        return adhesion_emt(self.emt_core, self.mechanism, self.e_readout)


_STANDARD = NormalDist()


@dataclass(frozen=True)
class CellLine:
    """A cell line or tumour model of the catalog.

    Attributes
    ----------
    levels
        Molecular levels from which the line rule derives its parameters, complete: a level that
        the table of the line leaves out has the median and spread of the panel.
    fixed
        Parameters set in silico instead of by the rule, see :func:`unmoor.cell.line_rule.derive`.
    origin
        Of a line that was changed in silico, what its random numbers were named by before.
    """

    name: str
    species: str
    is_malignant: bool
    levels: ParameterTable
    about: Mapping[str, Any]
    beside: Path | None = None
    fixed: Mapping[str, float] = FrozenMap({})
    origin: str = ""

    @classmethod
    def load(cls, name: str, beside: Path | None = None) -> CellLine:
        """Cell line by catalog name or folder."""
        about = catalog.about("cell_lines", name, beside)
        return cls(
            name=catalog.canonical("cell_lines", name, beside),
            species=about["species"],
            is_malignant=bool(about["malignant"]),
            levels=complete(catalog.table("cell_lines", name, beside), _panel(beside)),
            about=about,
            beside=beside,
        )

    def parameters(self, draw: Draw, emt_core: str) -> LineParameters:
        """The line's parameters in one draw, by the line rule.

        Random numbers are named by the levels, not by the line: renaming it changes nothing.
        """
        levels = self.levels.values_by_id()
        # one call for all: a number depends on its name alone, not on what else is asked for
        names = [*levels, "tone"]
        drawn = draw.uniforms([self.drawn_name(name) for name in names])
        number = dict(zip(names, drawn, strict=True))
        return derive(
            levels,
            draw.values("closures", "line_rule"),
            draw.values("networks", emt_core),
            is_malignant=self.is_malignant,
            normal=lambda name: 0.0 if draw.is_nominal else _STANDARD.inv_cdf(number[name]),
            uniform=number.__getitem__,
            fixed=self.fixed,
        )

    def altered(self, levels: Mapping[str, float], **fixed: float) -> CellLine:
        """The line with other levels or parameters, and with the same random numbers.

        Parameters
        ----------
        levels
            New values of levels [log2]; their uncertainty stays.
        fixed
            Parameters set instead of by the rule, as ``f=0.1``.
        """
        rows = [replace(self.levels[name], value=value, low=min(value, self.levels[name].low),
                        high=max(value, self.levels[name].high))
                for name, value in levels.items()]  # fmt: skip
        return replace(
            self,
            levels=self.levels.merged({row.id: row for row in rows}),
            fixed=FrozenMap({**self.fixed, **fixed}),
            origin=self._content,
        )

    def drawn_name(self, level: str) -> str:
        """Name under which a level, or the ``tone``, is drawn; it depends on the levels alone."""
        return f"line/{self._content}/{level}"

    @cached_property
    def _content(self) -> str:
        if self.origin:
            return self.origin
        text = repr(sorted(self.levels.values_by_id().items()))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def steady_state(self, structure: Structure | None = None, **inputs: float) -> dict[str, float]:
        """Steady state of a nominal cell from its untreated state, under constant inputs.

        Parameters
        ----------
        inputs
            Labelled inputs, such as ``itgb1=0.1``.
        """
        structure = structure or Structure()
        draw = Draw(0, NOMINAL, self.beside)
        line = self.parameters(draw, structure.emt_core)
        values = network_values(draw, structure, line)
        primed = {**values, "f": line.prime_f, "tone": line.prime_tone}
        start = steady_state(structure.network, primed)
        start = steady_state(structure.network, values, start=start)
        return steady_state(structure.network, values, inputs, start) if inputs else start


def _panel(beside: Path | None) -> dict[str, float]:
    """What stands in for a level that is not known."""
    return catalog.table("closures", "line_levels", beside).values_by_id()


def network_values(draw: Draw, structure: Structure, line: LineParameters) -> dict[str, float]:
    """Value of every parameter of a structure's network for a line in one draw."""
    return {
        **draw.values("closures", "adhesion"),
        **draw.values("closures", "cell"),
        **draw.values("networks", structure.emt_core),  # a core may hold a constant of its own
        "k_int": adhesion_coupling(draw, structure),
        "beta1_tot": line.beta1_tot,
        "f": line.f,
        "e_present": line.e_present,
        "tone": line.tone,
        "c0": line.c0,
        "malignant": float(line.is_malignant),
    }


def adhesion_coupling(draw: Draw, structure: Structure) -> float:
    """k_int of a draw, from its prior or from its fitted range under this structure."""
    if draw.is_prior:
        return draw.values("closures", "line_rule")["k_int"]
    return draw.values("closures", "k_int")[structure.name.replace("/", "_")]
