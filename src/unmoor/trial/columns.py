"""Columns of tables that may be without rows, when no assay of a study has tumours."""

from __future__ import annotations

OUTCOME_COLUMNS = (
    "cell_line", "assay", "arm", "draw", "animal", "status", "tumour_volume",
    "tumour_volume_true", "lung_metastases", "expected_metastases", "ctc_singles", "ctc_clusters",
)  # fmt: skip
_RATIO = ("ratio", "low", "high", "study_low", "study_high", "mc")
EFFECT_COLUMNS = (
    "cell_line", "arm", "assay",
    *(f"tumour_{part}" for part in _RATIO), *(f"spread_{part}" for part in _RATIO),
    "paradox_index", "paradox_low", "paradox_high", "e_loss", "e_loss_low", "e_loss_high",
    "release_fold", "exposure_ratio", "p_smaller", "p_more", "p_switch", "p_emt", "verdict",
    "n_draws", "n_failed",
)  # fmt: skip
DRAW_COLUMNS = (
    "structure", "cell_line", "assay", "arm", "draw", "status", "tumour_ratio", "spread_ratio",
    "paradox_index", "e_loss", "k_int", "f", "beta1_tot", "e_present", "tone", "c0", "branch",
    "holds_branch",
)  # fmt: skip
