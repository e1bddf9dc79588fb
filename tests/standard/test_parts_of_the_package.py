"""Parts that ship with the package pass the tests that are offered to outsiders."""

from __future__ import annotations

import pytest

import own_catalog
from network_values import core_values
from unmoor import catalog
from unmoor.signalling.networks.adhesion_emt import adhesion_emt
from unmoor.testing import (
    StandardDrugTest,
    StandardHostTest,
    StandardLineTest,
    StandardMatrixTest,
    StandardNetworkTest,
    StandardStudyTest,
)


class TestCascadingNetwork(StandardNetworkTest):
    """The default network, at nominal values."""

    network = adhesion_emt("cascading", "tgfb")
    parameters = core_values("cascading", c0=0.2)


class TestTernaryNetwork(StandardNetworkTest):
    """The rival core with the rival mechanism."""

    network = adhesion_emt("ternary", "itgb3")
    parameters = core_values("ternary", c0=0.2)


class TestEpithelialLine(StandardLineTest):
    """A mouse line in its own strain."""

    name = "4T1"
    host = "balbc"


class TestMesenchymalLine(StandardLineTest):
    """A human line without E-cadherin."""

    name = "MDA-MB-231"


class TestAntibody(StandardDrugTest):
    """Of human β1 integrin."""

    name = "aiib2"


class TestInhibitor(StandardDrugTest):
    """Of the TGFβ receptor."""

    name = "tgfbr1_inhibitor"
    every = "12 h"


class TestLigandForCulture(StandardDrugTest):
    """Given in the medium, not to animals."""

    name = "tgfb1"


class TestChemotherapy(StandardDrugTest):
    """Which kills."""

    name = "paclitaxel"


class TestImmuneCompetentHost(StandardHostTest):
    """In which freed immunity would kill."""

    name = "balbc"


class TestMatrixOfTheTumour(StandardMatrixTest):
    """The ground of the primary tumour."""

    name = "tumour"


class TestHeadlineStudy(StandardStudyTest):
    """The study of the catalog, with few draws."""

    path = "truong2014"


@pytest.mark.parametrize("name", catalog.names("cell_lines"))
def test_every_line_is_bounded_and_can_live_in_its_state(name: str) -> None:
    """All lines of the catalog, under both EMT cores, in a hundred draws each."""
    own = type("OwnTest", (StandardLineTest,), {"name": name})()
    own.test_the_folder_keeps_to_its_contract()
    own.test_parameters_are_finite_and_bounded()
    own.test_it_keeps_its_state_in_most_draws()


@pytest.mark.parametrize("name", catalog.names("matrices"))
def test_every_matrix_keeps_to_its_contract(name: str) -> None:
    """All matrices of the catalog."""
    own = type("OwnTest", (StandardMatrixTest,), {"name": name})()
    own.test_the_folder_keeps_to_its_contract()
    own.test_some_receptor_holds_it()


OUTSIDE = """
from unmoor.testing import StandardDrugTest, StandardHostTest, StandardLineTest, StandardStudyTest

class TestLine(StandardLineTest):
    name, beside, host = "Ours-1", ".", "our_mouse"

class TestDrug(StandardDrugTest):
    name, beside, cell_line = "our_antibody", ".", "Ours-1"

class TestHost(StandardHostTest):
    name, beside, cell_line = "our_mouse", ".", "Ours-1"

class TestStudy(StandardStudyTest):
    path = "study.toml"
    may_warn = ("W-STROMA", "W-DRAWS", "W-REPLACED")
"""


def test_an_outsider_tests_a_folder_with_pytest_alone(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Line, drug, host and study beside one another, tested where they lie."""
    folder = tmp_path_factory.mktemp("outside")
    own_catalog.write(folder)
    own_catalog.put(folder / "test_ours.py", OUTSIDE)
    monkeypatch.chdir(folder)
    options = ["-q", "-p", "no:cacheprovider", "-c", "/dev/null", "--rootdir", "."]
    assert pytest.main([*options, "test_ours.py"]) == 0
