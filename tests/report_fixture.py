"""A made-up result with the columns of a real one, for tests of the report.

No random numbers: quantiles of a low-discrepancy sequence stand for draws and animals.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from statistics import NormalDist
from types import SimpleNamespace
from typing import Any

import pandas as pd

from unmoor.trial.joint import JOINT_COLUMNS
from unmoor.trial.readouts import READOUT_COLUMNS
from unmoor.trial.statistics import COLUMNS

LINES = ("4T1", "HCC1806", "MDA-MB-231")
ASSAY = "orthotopic_xenograft"
STRUCTURES = ("cascading/tgfb", "cascading/itgb3", "ternary/tgfb", "ternary/itgb3")
DURATION = 35.0
HUMANE = 1400.0


def _drug(
    name: str, dose: float, every: float, start: float, stop: float | None = None
) -> SimpleNamespace:
    def times(last: float) -> list[float]:
        end = last if stop is None else min(stop, last)
        return [start + n * every for n in range(200) if start + n * every < end]

    about = {"drug": name, "dose": dose, "every": every, "start": start, "stop": stop}
    return SimpleNamespace(**about, route="ip", times=times)


def _edit(gene: str, factor: float, stop: float | None = None) -> SimpleNamespace:
    return SimpleNamespace(gene=gene, change="knock_down", factor=factor, start=None, stop=stop)


BLOCK = _drug("anti_itgb1", 10.0, 3.0, 7.0)
PREVENT = _drug("tgfbr1_inhibitor", 30.0, 0.5, 7.0)
LATE = _drug("tgfbr1_inhibitor", 30.0, 0.5, 21.0)
DOWN = _edit("ITGB1", 0.1)
ARMS: dict[str, tuple[SimpleNamespace, ...]] = {
    "vehicle": (),
    "anti-β1": (BLOCK,),
    "ITGB1 knock-down": (DOWN,),
    "TGFBR1 inhibitor": (PREVENT,),
    "anti-β1 + TGFBR1 inhibitor": (BLOCK, PREVENT),
    "knock-down + TGFBR1 knock-down": (DOWN, _edit("TGFBR1", 0.3)),
    "anti-β1 + late inhibitor": (BLOCK, LATE),
    "knock-down + late inhibitor": (DOWN, LATE),
    "anti-β1 stopped": (_drug("anti_itgb1", 10.0, 3.0, 7.0, stop=14.0),),
    "knock-down, β1 restored": (_edit("ITGB1", 0.1, stop=14.0),),
}
# Tumour ratio, spread ratio and share of E-cadherin lost, for lines that switch and that do not.
SWITCHING = {
    "anti-β1": (0.55, 4.6, 0.62),
    "ITGB1 knock-down": (0.5, 5.4, 0.66),
    "TGFBR1 inhibitor": (0.97, 0.7, 0.0),
    "anti-β1 + TGFBR1 inhibitor": (0.56, 0.34, 0.02),
    "knock-down + TGFBR1 knock-down": (0.52, 0.3, 0.02),
    "anti-β1 + late inhibitor": (0.57, 2.6, 0.4),
    "knock-down + late inhibitor": (0.53, 2.9, 0.45),
    "anti-β1 stopped": (0.79, 1.4, 0.05),
    "knock-down, β1 restored": (0.75, 1.7, 0.08),
}
STAYING = {
    "anti-β1": (0.69, 0.47, 0.0),
    "ITGB1 knock-down": (0.66, 0.43, 0.0),
    "TGFBR1 inhibitor": (1.02, 0.8, 0.0),
    "anti-β1 + TGFBR1 inhibitor": (0.7, 0.4, 0.0),
    "knock-down + TGFBR1 knock-down": (0.68, 0.38, 0.0),
    "anti-β1 + late inhibitor": (0.69, 0.45, 0.0),
    "knock-down + late inhibitor": (0.67, 0.42, 0.0),
    "anti-β1 stopped": (0.88, 0.8, 0.0),
    "knock-down, β1 restored": (0.86, 0.82, 0.0),
}
_NORMAL = NormalDist()


def _z(index: int, salt: int) -> float:
    """Return the standard normal quantile of one point of a golden-ratio sequence."""
    return _NORMAL.inv_cdf(
        (index * 0.6180339887 + salt * 0.7548776662 + 0.31) % 1.0 * 0.998 + 0.001
    )


def _truth(line: str, arm: str) -> tuple[float, float, float]:
    if arm == "vehicle":
        return 1.0, 1.0, 0.0
    return (STAYING if line == "MDA-MB-231" else SWITCHING)[arm]


def _outcomes(draws: int, animals: int) -> Iterator[dict[str, Any]]:
    for salt, line in enumerate(LINES):
        for arm in ARMS:
            tumour, spread, _ = _truth(line, arm)
            for draw in range(draws + 1):
                for animal in range(animals):
                    index = animal + 17 * draw
                    size = 1100 * tumour * math.exp(0.28 * _z(index, salt))
                    mean = 22 * spread * math.exp(0.8 * _z(index, salt + 9))
                    failed = draw == 1 and animal == 0 and arm == "anti-β1"
                    yield {
                        "cell_line": line,
                        "assay": ASSAY,
                        "arm": arm,
                        "draw": draw,
                        "animal": animal + 1,
                        "status": "step_limit" if failed else "ok",
                        "tumour_volume": math.nan if failed else size * 1.03,
                        "tumour_volume_true": size,
                        "lung_metastases": math.nan if failed else float(round(mean)),
                        "expected_metastases": mean,
                        "ctc_singles": 3.0,
                        "ctc_clusters": 0.2,
                    }


def _verdict(low_t: float, high_t: float, low_s: float, high_s: float) -> str:
    smaller, larger = high_t < 0.9, low_t > 0.9
    more, fewer = low_s > 1.1, high_s < 1.1
    table = {
        (smaller, more): "switch",
        (smaller, fewer): "benefit",
        (larger, fewer): "containment",
        (larger, more): "harm",
    }
    return next((word for flags, word in table.items() if all(flags)), "unclear")


def _effects(draws: int) -> Iterator[dict[str, Any]]:
    for line in LINES:
        for arm in ARMS:
            if arm == "vehicle":
                continue
            tumour, spread, loss = _truth(line, arm)
            wide = (0.16, 0.62 if loss > 0.1 else 0.4)
            row = {"cell_line": line, "assay": ASSAY, "arm": arm}
            row |= {f"tumour_{k}": v for k, v in _ratio(tumour, wide[0], 0.24, 0.004).items()}
            row |= {f"spread_{k}": v for k, v in _ratio(spread, wide[1], 0.75, 0.011).items()}
            row |= {
                "paradox_index": spread,
                "paradox_low": spread * 0.4,
                "paradox_high": spread * 2.2,
            }
            row |= {"e_loss": loss, "e_loss_low": loss * 0.5, "e_loss_high": min(1.0, loss * 1.4)}
            row |= _shares(tumour, spread, loss, wide)
            row["verdict"] = _verdict(
                row["tumour_low"], row["tumour_high"], row["spread_low"], row["spread_high"]
            )
            yield row | {"n_draws": draws, "n_failed": 1 if arm == "anti-β1" else 0}


def _ratio(centre: float, unknown: float, study: float, error: float) -> dict[str, float]:
    def around(sd: float) -> tuple[float, float]:
        return centre * math.exp(-1.645 * sd), centre * math.exp(1.645 * sd)

    low, high = around(unknown)
    study_low, study_high = around(study)
    return {
        "ratio": centre,
        "low": low,
        "high": high,
        "study_low": study_low,
        "study_high": study_high,
        "mc": error,
    }


def _shares(
    tumour: float, spread: float, loss: float, wide: tuple[float, float]
) -> dict[str, float]:
    smaller = _NORMAL.cdf(math.log(0.9 / tumour) / wide[0])
    more = _NORMAL.cdf(math.log(spread / 1.1) / wide[1])
    return {
        "p_smaller": smaller,
        "p_more": more,
        "p_switch": smaller * more,
        "p_emt": min(1.0, loss * 1.4),
    }


def _structures(draws: int) -> Iterator[dict[str, Any]]:
    for structure, share in zip(STRUCTURES, (1.0, 0.35, 0.9, 0.28), strict=True):
        for row in _effects(draws):
            yield {
                "structure": structure,
                "cell_line": row["cell_line"],
                "assay": ASSAY,
                "arm": row["arm"],
                "p_switch": row["p_switch"] * share,
                "p_emt": row["p_emt"] * share,
                "p_smaller": row["p_smaller"],
                "p_more": row["p_more"] * share,
                "tumour_ratio": row["tumour_ratio"],
                "spread_ratio": row["spread_ratio"] ** share,
                "n_draws": draws,
            }


def _timecourses() -> Iterator[dict[str, Any]]:
    for line in LINES:
        for arm in ARMS:
            for day in range(int(DURATION) + 1):
                for quantity, (median, unit) in _courses(line, arm, float(day)).items():
                    yield {
                        "cell_line": line,
                        "arm": arm,
                        "day": float(day),
                        "quantity": quantity,
                        "unit": unit,
                        "low": median * 0.62,
                        "q25": median * 0.85,
                        "median": median,
                        "q75": median * 1.15,
                        "high": median * 1.5,
                    }


def _courses(line: str, arm: str, day: float) -> dict[str, tuple[float, str]]:
    """Return median and unit of each quantity on one day."""
    tumour, _, loss = _truth(line, arm)
    is_mesenchymal, is_stopped = line == LINES[2], "stop" in arm or "restored" in arm
    rise = 1.0 / (1.0 + math.exp(-(day - 12.0) / 2.0))
    back = 1.0 / (1.0 + math.exp(-(day - 18.0) / 2.0)) if is_stopped else 0.0
    most = 1.4 * loss + (0.9 if is_stopped and not is_mesenchymal else 0.0)
    moved = min(1.0, most) * rise * (1 - back)
    volume = math.exp(7.9 * (1 - math.exp(-0.075 * day))) * tumour ** (day / DURATION)
    zeb, mir200, e_cadherin = (30.0, 0.1, 0.05) if is_mesenchymal else (1.0, 1.0, 0.98)
    return {
        "e_cadherin": (e_cadherin * (1 - 0.85 * moved), "fraction of epithelial maximum"),
        "mesenchymal": (0.02 + 0.5 * moved, "fraction of maximum"),
        "zeb": (zeb * (1 + 20 * moved), "relative to epithelial state"),
        "mir200": (mir200 * (1 - 0.9 * moved), "relative to epithelial state"),
        "tgfb_activity": (0.05 + 0.3 * moved, "pSMAD fraction"),
        "singles_per_cluster": (0.2 + 0.6 * moved, "share"),
        "speed_collagen": (1.0 - 0.5 * rise * (1 - back), "fold of untreated"),
        "tumour_volume": (volume, "mm^3"),
        "cumulative_metastases": (volume / 50, "count"),
    }


def _followed(animals: int) -> Iterator[tuple[str, str, int, list[tuple[float, float]]]]:
    """Return line, arm, animal and its readings by day until it reaches the humane end point."""
    for salt, line in enumerate(LINES):
        for arm in ARMS:
            for animal in range(animals):
                factor, readings = math.exp(0.28 * _z(animal, salt)), []
                for step in range(1, int(DURATION) // 2 + 1):
                    day = DURATION - 2.0 * (int(DURATION) // 2 - step)
                    volume = factor * _courses(line, arm, day)["tumour_volume"][0]
                    volume *= 1 + 0.1 * _z(animal + 7 * step, salt + 3)
                    readings.append((day, volume))
                    if volume >= HUMANE:
                        break
                yield line, arm, animal + 1, readings


def _animals(animals: int) -> Iterator[dict[str, Any]]:
    for line, arm, animal, readings in _followed(animals):
        for day, volume in readings:
            row = {"cell_line": line, "assay": ASSAY, "arm": arm, "animal": animal, "day": day}
            yield row | {"tumour_volume": volume, "tumour_volume_true": volume / 1.03}


def _events(animals: int) -> Iterator[dict[str, Any]]:
    for line, arm, animal, readings in _followed(animals):
        day, volume = readings[-1]
        row = {"cell_line": line, "assay": ASSAY, "arm": arm, "animal": animal}
        is_out = volume >= HUMANE
        yield row | {"event": "humane_endpoint", "day": day, "observed": is_out}
        is_read = not is_out or day == DURATION
        yield row | {"event": "read_out", "day": day, "observed": is_read}


def _statistics() -> Iterator[dict[str, Any]]:
    for line in LINES:
        for arm in list(ARMS)[1:]:
            tumour, spread, _ = _truth(line, arm)
            for outcome, value in (("tumour_volume", tumour), ("lung_metastases", spread)):
                row = {"cell_line": line, "assay": ASSAY, "arm": arm, "outcome": outcome}
                row |= {"test": "made up", "estimate": value, "low": value / 2, "high": value * 2}
                yield row | {"p": 0.03, "n": 10, "note": ""}


def _numbers() -> Iterator[dict[str, Any]]:
    grades = ("measured", "transferred", "fitted", "derived", "assumed")
    for index in range(120):
        grade = grades[index % 5]
        yield {
            "table": f"closures/{'growth' if index % 2 else 'escape'}",
            "id": f"constant_{index}",
            "value": 0.1 * index,
            "unit": "1/d",
            "low": 0.08 * index,
            "high": 0.12 * index,
            "cv": 0.2,
            "evidence": grade,
            "source": "Truong2014",
            "note": "range taken wide; no measurement found" if grade == "assumed" else "table 1",
            "status": "provisional" if index % 3 else "confirmed",
        }


def synthetic_study(**changes: Any) -> SimpleNamespace:
    """Return a study with the attributes that a report reads."""
    fields: dict[str, Any] = {
        "schema": 1,
        "title": "β1-integrin blockade, alone and with TGFBR1 inhibition",
        "seed": 7,
        "cell_lines": LINES,
        "control": "vehicle",
        "arms": ARMS,
        "assays": (
            SimpleNamespace(
                name=ASSAY,
                label=ASSAY,
                has_tumours=True,
                outcomes=("tumour_volume", "lung_metastases"),
                design="1e6 cells, 35 d, 10 animals an arm",
                host_of=lambda line: "balbc" if line == "4T1" else "nsg",
                inoculum=1e6,
                duration=DURATION,
                animals=10,
                clones=16,
                humane_volume=HUMANE,
            ),
        ),
        "verdict": SimpleNamespace(smaller=0.9, spread=1.1, interval=0.9),
        "uncertainty": SimpleNamespace(draws=200, rivals=True, sets="plausible"),
        "warnings": (),
        "beside": None,
        "model": SimpleNamespace(
            emt_core="cascading", mechanism="tgfb", e_readout="cdh1", escape="table"
        ),
    }
    return SimpleNamespace(**(fields | changes))


def synthetic_result(*, draws: int = 3, animals: int = 10, **changes: Any) -> Any:
    """Return a made-up result: 3 lines × 10 arms, with every table of a real one."""
    fields: dict[str, Any] = {
        "study": synthetic_study(),
        "seed": 7,
        "path": None,
        "outcomes": pd.DataFrame(_outcomes(draws, animals)),
        "animals": pd.DataFrame(_animals(animals)),
        "events": pd.DataFrame(_events(animals)),
        "effects": pd.DataFrame(_effects(200)),
        "readouts": pd.DataFrame(columns=list(READOUT_COLUMNS)),
        "joint": pd.DataFrame(columns=list(JOINT_COLUMNS)),
        "structures": pd.DataFrame(_structures(200)),
        "timecourses": pd.DataFrame(_timecourses()),
        "numbers": pd.DataFrame(_numbers()),
        "statistics": pd.DataFrame(_statistics()),
        "provenance": {
            "schema_version": "1.0.0",
            "software": {"name": "unmoor", "version": "0.1.0"},
            "parameters": {"seed": 7},
            "environment": {"python": "3.11.9"},
            "catalog_digest": "c0ffee" * 10,
        },
        "citations": ["Truong2014"],
    }
    return SimpleNamespace(**(fields | changes))


def dosed_result(doses: tuple[float, ...] = (1.0, 3.0, 10.0)) -> Any:
    """Return a made-up result whose treated arms differ only in the dose of one drug."""
    names = ["vehicle", *(f"anti-β1 {dose:g} mg/kg" for dose in doses)]
    items = [(), *((_drug("anti_itgb1", dose, 3.0, 7.0),) for dose in doses)]
    result, known = synthetic_result(draws=0, animals=3), dict(zip(ARMS, names, strict=False))
    for name in (
        "outcomes",
        "effects",
        "structures",
        "timecourses",
        "animals",
        "events",
        "statistics",
    ):
        frame = getattr(result, name)
        kept = frame[frame["arm"].isin(list(known))]
        setattr(result, name, kept.assign(arm=kept["arm"].map(known)))
    result.study = synthetic_study(arms=dict(zip(names, items, strict=True)))
    return result


def combined_result() -> Any:
    """Return a made-up result with a combination and both of its parts."""
    result = synthetic_result(draws=0, animals=2)
    row = {"cell_line": "4T1", "assay": ASSAY, "arm": "anti-β1 + TGFBR1 inhibitor"}
    row |= {"first": "anti-β1", "second": "TGFBR1 inhibitor", "readout": "lung_metastases"}
    row |= {"day": DURATION, "factor": 0.11, "factor_low": 0.05, "factor_high": 0.3}
    result.joint = pd.DataFrame([{**row, "p_more": 0.0, "p_less": 1.0, "n_draws": 200}])
    return result


def culture_result() -> Any:
    """Return a made-up result of an assay in culture: readouts, and no tumour."""
    result = synthetic_result(draws=0, animals=1)
    assay = SimpleNamespace(
        name="viability", label="viability", has_tumours=False, animals=0, duration=5.0,
        outcomes=("viability", "apoptosis"), design="on collagen_i, 5 d",
        host_of=lambda line: None,
    )  # fmt: skip
    for name in ("outcomes", "effects", "structures", "animals", "events"):
        setattr(result, name, getattr(result, name).iloc[:0])
    result.statistics = pd.DataFrame(columns=list(COLUMNS))  # no numbers, hence objects
    result.timecourses = result.timecourses.assign(assay="viability")
    result.readouts = pd.DataFrame(
        {
            "cell_line": line, "assay": "viability", "arm": arm, "readout": readout, "day": day,
            "unit": "of untreated", "ratio": value, "ratio_low": value * 0.7,
            "ratio_high": value * 1.3, "difference": value - 1, "difference_low": value - 1.2,
            "difference_high": value - 0.8, "p_up": 0.1, "p_down": 0.6, "n_draws": 200,
            "n_failed": 0,
        }
        for line in LINES
        for arm in list(ARMS)[1:]
        for readout, value in (("viability", 0.6), ("apoptosis", 2.0))
        for day in (3.0, 5.0)
    )  # fmt: skip
    result.study = synthetic_study(assays=(assay,))
    return result
