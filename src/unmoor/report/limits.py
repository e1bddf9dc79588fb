"""What the model cannot say, as far as it concerns the assays and treatments of a study."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from unmoor.report.view import View
from unmoor.therapy.drug import Drug


def limits(view: View) -> list[str]:
    """Sentences on what this study cannot answer, the gravest first."""
    is_animal = any(
        assay.host_of(line) for assay in view.study.assays for line in view.study.cell_lines
    )
    return [
        *(_of_tumours() if view.animal_assays else ()),
        "Size of the effects: magnitudes of the 2014 study were not available, so directions are "
        "compared with evidence, not sizes.",
        "The edge from loss of β1 integrin to TGFβ activity is this model's hypothesis; no "
        "published calibrated model contains it, and others predict the opposite.",
        "Whether a full EMT reverts once its cause is gone: the two EMT cores disagree, so "
        "late treatment and restoration must be read under both.",
        *_of_treatments(view),
        *(_of_animals(view) if is_animal else ()),
        "Resistance – selection of cells that a treatment spares – is not modelled.",
        "Numbers graded assumed have wide ranges but no measurement behind them.",
        "This is a research tool for planning experiments; it says nothing about patients.",
    ]


def _of_tumours() -> Iterator[str]:
    yield (
        "Ratios alone are predicted: the untreated count is set to 20 for every line (only what a "
        "therapy changes is computed), and all lines share one untreated tumour curve."
    )
    yield (
        "That curve was measured in SCID mice with LM2-4LUC+ tumours; every other host and line is "
        "a transfer."
    )
    yield (
        "Release of cells was counted in small balls of cells in even collagen that does not "
        "yield; fibres, vessels, nutrients and a large tumour's own push are not in it, and slower "
        "growth raises it, which may not hold for a tumour of millimetres."
    )
    yield (
        "Of the primary tumour's spread only lung metastases are counted; other organs and "
        "regrowth after surgery are not."
    )
    yield (
        "Time to the humane end point is the time to a tumour volume. Death from metastases, "
        "body weight and other humane end points are not modelled, and the verdict uses the "
        "volumes at the read-out of all animals, also of those past that volume."
    )


def _of_treatments(view: View) -> Iterator[str]:
    items: list[Any] = [item for own in view.study.arms.values() for item in own]
    drugs = sorted({str(item.drug) for item in items if getattr(item, "drug", None)})
    kills = any(Drug.load(name, view.study.beside).action == "kills" for name in drugs)
    if kills and view.animal_assays:
        yield (
            "Chemotherapy acts on the primary tumour only in a xenograft: metastases already "
            "founded and cells in blood are not killed, so its spread ratio tells of "
            "shedding alone."
        )
    if drugs and any(getattr(item, "dose", None) is not None for item in items):
        yield "Toxicity is not modelled: a dose that kills the animal looks like any other."


def _of_animals(view: View) -> Iterator[str]:
    systemic = "; a systemic drug acts on more than the tumour cells"
    drugs = any(getattr(item, "drug", None) for own in view.study.arms.values() for item in own)
    yield (
        "The host is a strain with one immune term; T cells, stroma and its own integrins are not "
        f"modelled{systemic if drugs else ''}."
    )
