"""What the README says works, word for word."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from unmoor.trial.study import Study

PROJECT = Path(__file__).parents[2]
README = (PROJECT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
run = Study.run


def run_briefly(study: Study, **options: Any) -> Any:
    """Run a study with two parameter draws, since these tests ask only whether it runs."""
    return run(study.replace(uncertainty={"draws": 2, "rivals": False}), **options)


@pytest.mark.parametrize("code", BLOCKS, ids=lambda code: code.splitlines()[2][:20])
def test_every_block_of_python_runs(
    code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it stands, from an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Study, "run", run_briefly)
    exec(compile(code, "README.md", "exec"), {"__name__": "__main__"})
    assert "report" not in code or (tmp_path / "report.html").is_file()


def test_set_up_takes_one_command_each() -> None:
    """One for the main job and one for the tests, which is what CI runs."""
    commands = re.findall(r"```bash\n(.*?)```", README, re.DOTALL)
    assert "python3 -m venv .venv && .venv/bin/pip install . && .venv/bin/unmoor demo\n" in commands
    assert "bash .ci/run\n" in commands
    assert (PROJECT / ".ci" / "run").is_file()


def test_the_verbs_it_names_exist() -> None:
    """No command in the README is made up."""
    from unmoor.cli import app

    named = set(re.findall(r"\bunmoor ([a-z]+)\b", "".join(re.findall(r"`[^`\n]+`", README))))
    assert named
    assert named <= set(app)
