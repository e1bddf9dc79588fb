"""Names and units of what assays read out and follow over time."""

from __future__ import annotations

# Followed by the compiled loop over days, in the order in which it notes them (assays.days).
COURSES = (
    "e_cadherin", "mesenchymal", "zeb", "mir200", "tgfb_activity", "itgb3", "beta1_active",
    "tgfbr1_active", "singles_per_cluster", "speed", "speed_collagen",
    "tumour_volume", "cumulative_metastases",
)  # fmt: skip

# Of each clone in each interval: growth relative to untreated, death beyond that of the untreated
# clone and the latter [1/d], chance that a single cell or a cluster founds a metastasis, FAK signal
# relative to untreated, death by drugs that kill and by radiation [1/d].
PACES = ("growth", "death", "turnover", "single", "cluster", "fak", "kill")

# Of cells outside an animal, or seeded in its organs.
CULTURE_COURSES = (
    "e_cadherin", "mesenchymal", "zeb", "mir200", "tgfb_activity", "itgb3", "beta1_active",
    "tgfbr1_active", "speed", "fak", "proliferation", "apoptosis", "cells",
)  # fmt: skip

UNITS = {
    "e_cadherin": "of epithelial maximum",
    "mesenchymal": "of full programme",
    "zeb": "fold of untreated",
    "mir200": "fold of untreated",
    "tgfb_activity": "pSMAD fraction",
    "itgb3": "relative to β1",
    "beta1_active": "of untreated",
    "tgfbr1_active": "of untreated",
    "singles_per_cluster": "fold of untreated",
    "speed": "fold of untreated",
    "speed_collagen": "fold of untreated",
    "tumour_volume": "mm³",
    "cumulative_metastases": "expected count",
    "cohesion": "of epithelial maximum",
    "mesenchymal_programme": "of full programme",
    "mir200_to_zeb": "fold of untreated",
    "fak": "of untreated",
    "proliferation": "1/d",
    "apoptosis": "1/d",
    "viability": "living cells per seeded cell",
    "cells": "living cells per seeded cell",
    "colonies": "per seeded cell",
    "lung_metastases": "expected count",
    "lung_outgrowth": "cells per arrested cell",
    "systemic_metastases": "expected count",
    "systemic_outgrowth": "cells per arrested cell",
}

# Of tissues: what is read is also followed over time.
INVASION_OUTCOMES = (
    "invasion", "single_cell_fraction", "dissemination", "cohesion", "coordination", "speed",
    "detached_singles", "detached_clusters", "cluster_size", "collective_index", "cells",
    "correlation_length",
)  # fmt: skip
MONOLAYER_OUTCOMES = (
    "advance", "covered_area", "cells", "speed", "coordination", "correlation_length", "cohesion",
)  # fmt: skip
SORTING_OUTCOMES = ("heterotypic_fraction", "clusters_of_one_kind", "cells", "cohesion")

TISSUE_UNITS = {
    **UNITS,
    "invasion": "µm",
    "single_cell_fraction": "of living cells",
    "dissemination": "of living cells",
    "coordination": "cosine",
    "speed": "µm/min",
    "detached_singles": "cells per spheroid",
    "detached_clusters": "clusters per spheroid",
    "cluster_size": "cells",
    "collective_index": "-",
    "correlation_length": "µm",
    "advance": "µm",
    "covered_area": "µm²",
    "heterotypic_fraction": "of contacts",
    "clusters_of_one_kind": "clusters",
}
