"""Tests for parts of one's own: subclass, name the part, and let pytest run them.

>>> from unmoor.testing import StandardDrugTest
>>> class TestMyAntibody(StandardDrugTest):
...     name = "my_antibody"
...     beside = "."  # the folder that holds catalog/

Each class states the contract of one kind of part. Nothing here needs pytest itself: a test is a
method whose name starts with ``test_`` and that raises an ``AssertionError`` with the reason.
"""

from __future__ import annotations

from unmoor.testing.assay import StandardAssayTest
from unmoor.testing.line import StandardLineTest
from unmoor.testing.network import StandardNetworkTest
from unmoor.testing.treatment import StandardDrugTest, StandardHostTest, StandardMatrixTest
from unmoor.testing.whole import StandardStudyTest

__all__ = [
    "StandardAssayTest",
    "StandardDrugTest",
    "StandardHostTest",
    "StandardLineTest",
    "StandardMatrixTest",
    "StandardNetworkTest",
    "StandardStudyTest",
]
