"""The command line: what goes where, in which words, and with which exit status."""

from __future__ import annotations

import io
import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from report_fixture import synthetic_result
from unmoor.cli import main
from unmoor.cli.citation import AUTHORS, TITLE
from unmoor.cli.failures import exit_code_of
from unmoor.cli.progress import EVERY, _Lines, duration
from unmoor.cli.running import simulated_tumours
from unmoor.cli.summary import WIDEST, document, summary_lines
from unmoor.errors import ExitCode, Interrupted, ResourceError

PROJECT = Path(__file__).parents[2]
TINY = """\
schema = 1
title = "Two lines, two arms"
seed = 3
cell_lines = ["4T1", "MDA-MB-231"]
control = "vehicle"

[[assays]]
name = "orthotopic_xenograft"
host = "nsg"
inoculum = "1e6 cells"
duration = "14 d"
animals = 2

[arms]
vehicle = []
"knock-down" = [{ gene = "ITGB1", change = "knock_down", factor = 0.1 }]

[uncertainty]
draws = 2
rivals = false
"""
BAD = TINY.replace("4T1", "4T2").replace("14 d", "14 mg").replace("animals", "animuls")


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Return True."""
        return True


def command(
    *arguments: str, folder: Path, text: str = "", **more: str
) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own."""
    environment = os.environ | {"PYTHONPATH": str(PROJECT / "src"), "COLUMNS": "100"} | more
    return subprocess.run(
        [sys.executable, "-m", "unmoor.cli", *arguments],
        capture_output=True,
        text=True,
        input=text,
        cwd=folder,
        env=environment,
        check=False,
    )


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """A tiny study run once, from standard input, with --json."""
    folder = tmp_path_factory.mktemp("finished")
    done = command("run", "-", "--json", folder=folder, text=TINY)
    return SimpleNamespace(
        status=done.returncode, data=json.loads(done.stdout), told=done.stderr, folder=folder
    )


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tiny study file in the current folder."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "tiny.toml"
    path.write_text(TINY, encoding="utf-8")
    return path


def test_help_names_every_verb_and_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    """What there is to do, and how to tell what happened."""
    assert main(["--help"]) == ExitCode.OK
    text = capsys.readouterr().out
    for verb in ("list", "show", "check", "run", "demo", "resume", "report", "cite", "calibrate"):
        assert re.search(rf"\b{verb}\b", text)
    assert "3 finished with failed animals" in " ".join(text.split())


def test_help_answers_at_once(tmp_path: Path) -> None:
    """Within 0.8 s of work; waiting is not counted, since other work may be going on."""
    times = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert command("--help", folder=tmp_path).returncode == ExitCode.OK
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(times) < 0.8


def test_list_writes_a_name_and_a_text_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Scripts cut the first column."""
    assert main(["list", "cell_lines"]) == ExitCode.OK
    names = [line.split("\t")[0] for line in capsys.readouterr().out.splitlines()]
    assert {"4T1", "HCC1806", "MDA-MB-231"} <= set(names)


@pytest.mark.parametrize("kind", ["drugs", "drug", "Drug"])
def test_list_takes_a_kind_however_it_is_written(
    kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """One thing or several, upper or lower case."""
    assert main(["list", kind]) == ExitCode.OK
    assert "anti_itgb1" in capsys.readouterr().out


def test_list_as_json_is_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    """With every kind as a key."""
    assert main(["list", "--json"]) == ExitCode.OK
    data = json.loads(capsys.readouterr().out)
    assert "truong2014" in [each["name"] for each in data["studies"]]


def test_show_tells_a_line_apart_by_evidence(capsys: pytest.CaptureFixture[str]) -> None:
    """Which levels are derived and which not known, from what, and what the rule makes."""
    assert main(["show", "4T1"]) == ExitCode.OK
    text = capsys.readouterr().out
    assert "6 derived, 1 not known" in text
    assert re.search(r"L_ITGB1 +-0\.21 +-1\.4 to 0\.95 +derived +Marcotte2016\n.*call ITGB1", text)
    assert re.search(r"L_ITGB3 .* not known +–\n.*median of the panel", text)
    assert re.search(r"beta1_tot +[\d.]+ +0\.\d+ to 1\.\d+ +L_ITGB1 +β1 integrin", text)
    assert "CVCL_0125" in text


def test_show_tells_measured_levels_with_their_platform(capsys: pytest.CaptureFixture[str]) -> None:
    """And which came of several readings, and how sure the line's state is."""
    assert main(["show", "SUM149PT"]) == ExitCode.OK
    text = capsys.readouterr().out
    assert "5 measured, 2 derived" in text
    assert re.search(r"L_SMAD4 .* measured +Marcotte2016\n +SMAD4 – RNA sequencing", text)
    assert re.search(r"emt_score .* derived +Marcotte2016\n.*microRNA assay", text)
    assert re.search(r"the untreated line is epithelial \d+ %, partial \d+ %", text)


def test_show_tells_when_the_models_cells_leave_the_state_of_a_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A mesenchymal line of little competence turns epithelial untreated; a competent one stays."""
    assert main(["show", "CAL-120"]) == ExitCode.OK
    assert re.search(r"turn epithelial in 9\d % of the sets", capsys.readouterr().out)
    assert main(["show", "MDA-MB-231"]) == ExitCode.OK
    assert "turn epithelial" not in capsys.readouterr().out


def test_show_of_a_line_as_data_holds_levels_and_draws(capsys: pytest.CaptureFixture[str]) -> None:
    """Grades, medians and ranges by EMT core, and shares of branches that sum to one."""
    assert main(["show", "4T1", "--json"]) == ExitCode.OK
    data = json.loads(capsys.readouterr().out)
    assert data["levels"]["L_ITGB3"]["grade"] == "not known"
    assert data["levels"]["L_ITGB3"]["sd"] > data["levels"]["L_ITGB1"]["sd"]
    for core in ("cascading", "ternary"):
        found = data["draws"][core]
        assert sum(found["branches"].values()) == pytest.approx(1.0)
        assert 0.0 <= found["keeps_branch"] <= 1.0
        spread = found["parameters"]["f"]
        assert spread["low"] < spread["median"] < spread["high"]


@pytest.mark.parametrize(
    "name",
    ["anti_itgb1", "nsg", "tumour", "line_rule", "cascading", "drugs/anti_itgb1"],
)
def test_show_takes_every_kind(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A drug, a host, a matrix, a closure, a network, and a name with its kind."""
    assert main(["show", name]) == ExitCode.OK
    assert "evidence" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["4T1", "anti_itgb1", "balbc"])
def test_show_as_toml_can_be_read(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With all numbers, and the same values as the JSON document."""
    assert main(["show", name, "--toml"]) == ExitCode.OK
    parameters = tomllib.loads(capsys.readouterr().out)["parameters"]
    assert main(["show", name, "--json"]) == ExitCode.OK
    data = json.loads(capsys.readouterr().out)["parameters"]
    assert {key: row["value"] for key, row in parameters.items()} == {
        key: row["value"] for key, row in data.items()
    }


def test_show_copies_a_study_with_its_comments(capsys: pytest.CaptureFixture[str]) -> None:
    """A study to edit is the file itself."""
    assert main(["show", "truong2014", "--toml"]) == ExitCode.OK
    shipped = PROJECT / "src/unmoor/catalog/studies/truong2014/study.toml"
    assert capsys.readouterr().out.strip() == shipped.read_text(encoding="utf-8").strip()


def test_show_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    """A slip of the pen costs one look."""
    assert main(["show", "HCC1860"]) == ExitCode.BAD_INPUT
    output = capsys.readouterr()
    assert output.out == ""
    assert "did you mean HCC1806" in output.err


def test_check_echoes_a_study_with_resolved_values(
    tiny: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is written reads back as the same study; the size and the warnings go elsewhere."""
    assert main(["check", "tiny.toml", "--set", "assays[0].duration=2 weeks"]) == ExitCode.OK
    output = capsys.readouterr()
    resolved = tomllib.loads(output.out)
    assert resolved["assays"][0]["duration"] == "14 d"
    assert "2 cell lines × 2 arms × 2 animals" in output.err
    assert "W-DRAWS" in output.err


def test_check_tells_all_problems_one_a_line(
    tiny: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Place, field and suggestion; then how many."""
    tiny.write_text(BAD, encoding="utf-8")
    assert main(["check", "tiny.toml"]) == ExitCode.BAD_INPUT
    output = capsys.readouterr()
    lines = output.err.splitlines()
    assert output.out == ""
    assert lines[-1].endswith("nothing was run")
    problems = [line for line in lines if " warning: " not in line][:-1]
    assert len(problems) == 3  # line, duration, unknown key
    assert all(re.match(r"tiny\.toml:\d+:\d+  ", line) for line in problems)
    assert "did you mean 4T1" in output.err


def test_check_as_json_holds_the_problems(tiny: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """For editors and scripts."""
    tiny.write_text(BAD, encoding="utf-8")
    assert main(["check", "tiny.toml", "--json"]) == ExitCode.BAD_INPUT
    problems = json.loads(capsys.readouterr().out)["problems"]
    assert {"E-NAME", "E-UNIT"} <= {each["code"] for each in problems}
    assert all(each["where"].startswith("tiny.toml:") for each in problems)


def test_check_reads_standard_input(tmp_path: Path) -> None:
    """A hyphen stands for it, and messages name it."""
    assert command("check", "-", folder=tmp_path, text=TINY).returncode == ExitCode.OK
    bad = command("check", "-", folder=tmp_path, text=BAD)
    assert bad.returncode == ExitCode.BAD_INPUT
    assert bad.stderr.startswith("<stdin>:")
    assert command("check", "-", folder=tmp_path).returncode == ExitCode.BAD_INPUT


@pytest.mark.parametrize("e_readout", ["cdh1", "balance"])
@pytest.mark.parametrize("rivals", [True, False])
def test_the_estimate_counts_what_a_run_simulates(e_readout: str, rivals: bool) -> None:
    """Lines, arms, draws and structures, as they are planned."""
    from unmoor.trial.chunks import plan
    from unmoor.trial.study import Study

    changes = {"uncertainty.rivals": str(rivals).lower(), "model.e_readout": e_readout}
    study = Study.load("truong2014", changes)
    drawn = sum(each.last - each.first + 1 for each in plan(study) if each.first > 0)
    assert simulated_tumours(study) == drawn * len(study.arms)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["frobnicate"], "Unknown command"),
        (["runn", "x"], 'Did you mean "?run"?'),
        (["run"], "STUDY"),
        (["run", "x.toml", "--sed", "3"], 'Did you mean "?--seed"?'),
        (["run", "x.toml", "--seed", "three"], "--seed"),
        (["run", "x.toml", "--workers", "0"], "at least 1"),
        (["run", "x.toml", "--set", "seed"], "KEY=VALUE"),
        (["run", "no_such_study"], "E-FILE"),
        (["resume", "no_such_folder"], "E-NO-RUN"),
        (["report", "no_such_folder"], "E-NO-RUN"),
        (["cite", "no_such_study"], "E-FILE"),
        (["list", "lines"], "did you mean cell_lines"),
        (["calibrate", "--wanted", "0"], "at least 1"),
    ],
)
def test_bad_input_is_told_in_a_line(
    arguments: list[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit status 2, no traceback, nothing on standard output."""
    assert main(arguments) == ExitCode.BAD_INPUT
    output = capsys.readouterr()
    assert re.search(expected, output.err)
    assert output.out == ""
    assert "Traceback" not in output.err


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Interrupted("stopped"), 4),
        (KeyboardInterrupt(), 4),
        (ResourceError("full"), 5),
        (MemoryError(), 5),
        (OSError(28, "No space left on device"), 5),
        (RuntimeError("surprise"), 1),
        (BrokenPipeError(), 1),
    ],
)
def test_every_end_has_its_status(
    error: BaseException, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """As documented; a closed pipe is silent, anything else gets one line."""
    assert exit_code_of(error, verbose=False) == status
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == (0 if isinstance(error, BrokenPipeError) else 1)


def test_the_unexpected_is_written_to_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    """One line with the place of the details; the traceback itself only if asked for."""
    try:
        raise RuntimeError("surprise")
    except RuntimeError as error:
        exit_code_of(error, verbose=False)
        told = capsys.readouterr().err
        exit_code_of(error, verbose=True)
    log = Path(told.split("details: ")[1].split(" [")[0])
    assert "test_the_unexpected" in log.read_text(encoding="utf-8")
    log.unlink()
    assert "Traceback" not in told
    assert "Traceback" in capsys.readouterr().err


def test_a_reader_that_leaves_early_ends_the_command_quietly(tmp_path: Path) -> None:
    """As in `unmoor list | head -0`."""
    read_end, write_end = os.pipe()
    os.close(read_end)
    environment = os.environ | {"PYTHONPATH": str(PROJECT / "src")}
    arguments = [sys.executable, "-m", "unmoor.cli", "list"]
    done = subprocess.run(
        arguments, stdout=write_end, stderr=subprocess.PIPE, env=environment, check=False
    )
    os.close(write_end)
    assert done.stderr == b""


@pytest.mark.parametrize(
    ("variables", "coloured"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)],
)
def test_colour_is_for_terminals_that_want_it(
    variables: dict[str, str], coloured: bool, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A warning is coloured on a terminal, unless NO_COLOR is set."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert main(["check", str(tiny)]) == ExitCode.OK
    assert ("\x1b[" in sys.stderr.getvalue()) == coloured  # type: ignore[attr-defined]


def test_no_colour_where_there_is_no_terminal(
    tiny: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Logs and pipes get plain text."""
    main(["check", str(tiny)])
    assert "\x1b[" not in "".join(capsys.readouterr())


def test_a_run_as_json_prints_the_effects(finished: SimpleNamespace) -> None:
    """Scripts rely on these names."""
    assert finished.status == ExitCode.OK
    assert set(finished.data) == {"run", "effects", "readouts", "joint", "warnings"}
    assert [each["cell_line"] for each in finished.data["effects"]] == ["4T1", "MDA-MB-231"]
    for effect in finished.data["effects"]:
        assert set(effect) == {
            "cell_line", "arm", "assay", "tumour_ratio", "spread_ratio", "paradox_index",
            "tumour_study_interval", "spread_study_interval", "p_switch", "verdict",
        }  # fmt: skip
        for name in ("tumour_ratio", "spread_ratio", "paradox_index"):
            ratio = effect[name]
            assert set(ratio) == {"estimate", "low", "high"}
            assert ratio["low"] <= ratio["estimate"] <= ratio["high"]


def test_a_run_tells_people_the_same(finished: SimpleNamespace) -> None:
    """A line for each cell line and arm, on standard error."""
    assert "ratio to vehicle (90 % interval over 2 parameter draws)" in finished.told
    assert finished.told.count("knock-down") == 2
    assert "Traceback" not in finished.told


def test_a_finished_run_can_be_resumed(finished: SimpleNamespace) -> None:
    """Nothing is left to do, and the answer is the same."""
    again = command("resume", finished.data["run"], "--json", folder=finished.folder)
    assert again.returncode == ExitCode.OK
    assert json.loads(again.stdout) == finished.data


def test_a_report_can_be_made_anew(finished: SimpleNamespace) -> None:
    """Its path is what the command writes."""
    done = command("report", finished.data["run"], "seen.html", folder=finished.folder)
    assert done.returncode == ExitCode.OK
    assert done.stdout == "seen.html\n"
    assert "<html" in (finished.folder / "seen.html").read_text(encoding="utf-8")


def test_a_full_report_has_single_animals_and_tables_for_prism(
    finished: SimpleNamespace,
) -> None:
    """Asked for by --full; --prism alone adds the tables only."""
    for option, has_figures in (("--prism", False), ("--full", True)):
        name = f"asked{option}"
        target = f"{name}/report.html"
        done = command("report", finished.data["run"], target, option, folder=finished.folder)
        assert done.returncode == ExitCode.OK, done.stderr
        folder = finished.folder / name
        assert (folder / "figures" / "spider.svg").exists() == has_figures
        assert list((folder / "prism").glob("grouped_tumour_volume_*.csv"))
        assert (folder / "methods.md").exists()


def test_cite_writes_bibtex_of_a_run(finished: SimpleNamespace) -> None:
    """The software first, then the sources of the numbers."""
    done = command("cite", finished.data["run"], folder=finished.folder)
    assert done.returncode == ExitCode.OK
    assert done.stdout.startswith("@software{unmoor,")
    assert "{Tian2013," in done.stdout


def test_cite_names_the_paper_of_a_catalog_study(capsys: pytest.CaptureFixture[str]) -> None:
    """A study after a paper cites the paper."""
    assert main(["cite", "truong2014"]) == ExitCode.OK
    assert "@article{Truong2014," in capsys.readouterr().out


def test_unmoor_is_cited_as_its_citation_file_says(capsys: pytest.CaptureFixture[str]) -> None:
    """Two places, one wording."""
    assert main(["cite"]) == ExitCode.OK
    file = (PROJECT / "CITATION.cff").read_text(encoding="utf-8")
    entry = capsys.readouterr().out
    for part in (TITLE, AUTHORS):
        assert part in file
        assert part in entry


def test_a_stopped_run_says_how_to_go_on(tmp_path: Path) -> None:
    """Ctrl-C: exit status 4, the command to resume, and the resumed run finishes."""
    longer = TINY.replace("draws = 2", 'draws = 3000\nsets = "ranges"')
    (tmp_path / "study.toml").write_text(longer, encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, "-m", "unmoor.cli", "run", "study.toml", "--no-report"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(PROJECT / "src")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    limit = time.monotonic() + 120.0
    while time.monotonic() < limit and process.poll() is None:
        if any(path.stat().st_size for path in tmp_path.glob("runs/*/ledger.jsonl")):
            break
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=120.0)
    assert process.returncode == ExitCode.STOPPED, told
    folder = re.search(r"unmoor resume (\S+)", told)
    assert folder is not None
    resumed = command("resume", folder[1], "--no-report", folder=tmp_path)
    assert resumed.returncode == ExitCode.OK, resumed.stderr
    assert resumed.stdout.strip() == folder[1]


def synthetic(**effects: Any) -> Any:
    """Return a made-up result with effects as a method, as a real one has them."""
    made = synthetic_result()
    table = made.effects.assign(**effects)
    others = {"readouts": made.readouts, "joint": made.joint}
    return SimpleNamespace(study=made.study, effects=lambda: table, n_failed=0, path=None, **others)


def test_a_summary_fits_the_screen() -> None:
    """Aligned, at most 100 columns, a line for each cell line and arm."""
    lines = summary_lines(synthetic())
    assert max(map(len, lines)) <= WIDEST
    assert sum(line.startswith("  ") for line in lines) == 1 + 3 * 9
    verdicts = ("switch", "benefit", "containment", "harm", "unclear")
    starts = {line.rindex(line.split()[-1]) for line in lines if line.endswith(verdicts)}
    assert len(starts) == 1


def test_a_summary_without_draws_gives_no_interval() -> None:
    """Nominal values alone say nothing of what is not known."""
    nothing = dict.fromkeys(
        ("tumour_low", "tumour_high", "spread_low", "spread_high"), float("nan")
    )
    lines = summary_lines(synthetic(**nothing))
    assert not any("(" in line for line in lines[1:])


def test_failed_animals_are_counted() -> None:
    """They are in the tables, and in the summary."""
    result = synthetic()
    result.n_failed = 3
    assert summary_lines(result)[-1].startswith("3 animals failed")


def test_what_is_not_a_number_is_null_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    """NaN is not JSON."""
    from unmoor.cli.streams import put_json

    put_json(document(synthetic(tumour_low=float("nan"))))
    text = capsys.readouterr().out
    assert "NaN" not in text
    assert json.loads(text)["effects"][0]["tumour_ratio"]["low"] is None


def test_progress_without_a_terminal_is_a_line_now_and_then(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not a line for each chunk: a log should stay readable."""
    clock = iter([0.0, 1.0, EVERY, EVERY + 1.0, 2.0 * EVERY])
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    tell = _Lines()
    for done in (1, 2, 3, 4):
        progress: Any = SimpleNamespace(done=done, total=10, elapsed=1.0, eta=75.0, failed=0)
        tell(progress)
    lines = capsys.readouterr().err.splitlines()
    assert lines == ["20 %, about 1 min 15 s left", "40 %, about 1 min 15 s left"]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.4, "0 s"), (59.0, "59 s"), (200.0, "3 min 20 s"), (7800.0, "2 h 10 min")],
)
def test_times_are_said_as_one_would(seconds: float, said: str) -> None:
    """In the units that fit."""
    assert duration(seconds) == said
