"""The assay of a study that analyses of tumour and spread ask."""

from __future__ import annotations

from unmoor.assays.base import Assay
from unmoor.errors import Problem, StudyError
from unmoor.trial.study import Study


def tumour_assay(study: Study) -> Assay:
    """Return the first assay of a study that has tumours and metastases.

    Raises
    ------
    StudyError
        If it has none.
    """
    for assay in study.assays:
        if assay.has_tumours:
            return assay
    got = ", ".join(assay.name for assay in study.assays)
    expected = "an assay with tumours and metastases"
    fix = 'add [[assays]] with name = "orthotopic_xenograft"'
    raise StudyError(Problem(study.name, "assays", got, expected, fix, "E-NO-TUMOUR"))
