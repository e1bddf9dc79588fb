"""Every benchmark runs, small, and prints what its description promises."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import unmoor

FOLDER = Path(__file__).parents[2] / "benchmarks"
HAS_ROADRUNNER = importlib.util.find_spec("roadrunner") is not None
FIGURES = {"trajectories_per_second", "ratio_to_libroadrunner", "measured_error"}


def run(script: str, *arguments: str) -> dict[str, Any]:
    """JSON that a benchmark prints."""
    done = subprocess.run(
        [sys.executable, "-W", "error::RuntimeWarning", str(FOLDER / script), "--json", *arguments],
        capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(Path(unmoor.__file__).parents[1])},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_network_says_rate_ratio_and_error() -> None:
    """At an error of 1e-6 or less, of both tools if there are two."""
    found = run("network.py", "--subjects", "24", "--rounds", "1", "--cores", "cascading")
    assert set(found) >= FIGURES
    assert found["trajectories_per_second"] > 0
    assert 0 < found["measured_error"] <= 1e-6
    if HAS_ROADRUNNER:
        assert found["ratio_to_libroadrunner"] > 0
        assert 0 < found["libroadrunner"]["measured_error"] <= 1e-6
        assert found["reference_against_libroadrunner"] < 1e-6
    else:
        assert found["ratio_to_libroadrunner"] is None


def test_trial_says_time_and_memory_of_each_size() -> None:
    """And how both grow."""
    found = run("trial.py", "--sizes", "3", "30", "--draws", "2")
    assert [size["animals"] for size in found["sizes"]] == [3, 30]
    assert all(size["cpu_seconds"] > 0 for size in found["sizes"])
    assert all(size["peak_megabytes"] > 50 for size in found["sizes"])
    assert found["sizes"][1]["written_megabytes"] > found["sizes"][0]["written_megabytes"]
    assert set(found["growth"]) == {"cpu_seconds", "peak_megabytes", "written_megabytes"}


def test_xenograft_says_what_each_part_takes() -> None:
    """Imports, chunks of each structure, tables, files and report."""
    found = run("xenograft.py", "--draws", "1", "--rounds", "1")
    parts = set(found["parts"])
    assert {"chunks reference", "chunks cascading/tgfb", "tables", "files", "report"} <= parts
    assert all(part["cpu_seconds"] > 0 for part in found["parts"].values())
    assert set(found["imports_seconds"]) == {"command line", "a study", "a run"}


def test_tissue_says_rate_and_ratios() -> None:
    """To plain code and, where it is installed, to LAMMPS."""
    found = run("tissue.py", "--cells", "600", "--threads", "1", "--rounds", "1", "--steps", "20")
    assert found["cell_updates_per_second"] > 0
    assert found["ratio_to_plain"] > 0
    has_lammps = (Path(sys.executable).parent / "lmp").exists()
    assert (found["ratio_to_lammps"] or 0) > 0 if has_lammps else not found["ratio_to_lammps"]


def test_tissue_writes_its_cost_by_size(tmp_path: Path) -> None:
    """As a table and a figure."""
    found = run("tissue.py", "--scaling", str(tmp_path), "--sizes", "100", "400", "--threads", "1")
    assert [size["cells"] for size in found["sizes"]] == [100, 400]
    assert {path.suffix for path in tmp_path.iterdir()} == {".tsv", ".svg", ".png"}


def test_escape_says_how_far_the_table_is_from_the_tissue() -> None:
    """Both ways for the nominal set, at falling cohesion, and what they make of a knock-down."""
    found = run("escape.py", "--draws", "0", "--runs", "6")
    (nominal,) = found["sets"]
    for how in ("table", "direct"):
        assert len(nominal[how]["singles_rate"]) == len(found["cohesions"])
        assert nominal[how]["spread_ratio"] > 0
    assert set(found["agreement"]) >= {"median_log_fold", "largest_log_spread"}


def test_foresight_says_what_a_screen_takes_and_how_it_grows() -> None:
    """The whole command, and the simulation by draws, arms and animals; unsolved draws counted."""
    found = run(
        "foresight.py", "--rounds", "1", "--draws", "3", "--arms", "2", "--vary-draws", "2", "4",
        "--vary-arms", "2", "3", "--vary-animals", "2", "--else-draws", "2",
    )  # fmt: skip
    assert found["is_within_budget"]
    assert (found["draws"], found["unsolved_draws"]) == (3, 0)
    assert found["draws_per_second"] > 0
    for name, sizes in {"draws": [2, 4], "arms": [2, 3], "animals": [2]}.items():
        assert [row[name] for row in found["scaling"][name]] == sizes
        assert all(row["cpu_seconds"] > 0 for row in found["scaling"][name])
    assert found["growth"]["draws"] is not None
    assert found["growth"]["animals"] is None


def test_every_benchmark_is_described() -> None:
    """The page names every script that can be run."""
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    scripts = [path for path in FOLDER.glob("*.py") if "__main__" in path.read_text("utf-8")]
    assert scripts
    for path in scripts:
        assert f"benchmarks/{path.name}" in text


def test_a_process_that_dies_ends_the_benchmark(monkeypatch: pytest.MonkeyPatch) -> None:
    """Instead of waiting for it for ever."""
    monkeypatch.syspath_prepend(str(FOLDER))
    import network as benchmark  # type: ignore[import-not-found]
    import numpy as np

    subjects = benchmark.Subjects(None, np.zeros((4, 1)), np.zeros((4, 1)))
    with (
        pytest.raises((EOFError, OSError)),
        benchmark.roadrunner("no such core", 2, np.array([1.0])) as tool,
    ):
        tool(subjects, 1e-6)


def test_spheroid_tells_numbers_and_diameters_against_the_data() -> None:
    """At the first of the eight times: within the bounds that all times are held to."""
    found = run(
        "spheroid.py", "--until", "148", "--threads", "1", "--dt", "0.6", "--exchange", "12"
    )
    (row,) = found["times"]
    assert row["hours"] == 148
    assert 1 / 1.5 < row["cells_ratio"] < 1.5
    assert 0.8 < row["diameter_ratio"] < 1.2
    assert found["largest_cells_factor"] < 1.5
    assert row["shed_per_mm2_h"] > 0


def test_spheroid_with_networks_says_what_cells_cost() -> None:
    """Each cell with its network, oxygen, TGFβ and a drug."""
    found = run("spheroid.py", "--networks", "--days", "0.125", "--cells", "100", "--threads", "1")
    assert found["cells_at_end"] >= 100
    assert found["cpu_seconds_for_10000_cells_over_14_days"] > 0


def test_monolayer_tells_its_radius_and_its_speed() -> None:
    """A small one, up to the second time; the front moves out."""
    found = run("monolayer.py", "--until", "386", "--start", "100", "--threads", "1", "--dt", "0.6")
    (row,) = found["times"]
    assert row["speed"] > 0.5
    assert row["cells"] > 200
    assert found["largest_radius_error"] > 0.15  # the start is too small for the data


def test_search_regret_says_how_many_are_within_five_percent() -> None:
    """And which are not, by name."""
    found = run("search_regret.py", "--problems", "2")
    assert found["problems"] == 2
    assert 0.0 <= found["within_5_percent"] <= 1.0
    assert len(found["missed"]) == round((1.0 - found["within_5_percent"]) * 2)
