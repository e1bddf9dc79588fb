"""What a run began with – its study and where it came from – and a copy to put it back from.

Everything else in a run folder can be made again from these two files.
"""

from __future__ import annotations

import difflib

from unmoor.errors import RunFolderError, UnmoorError
from unmoor.trial.provenance import describe
from unmoor.trial.store import RunFolder
from unmoor.trial.study import Study

ORIGIN = ("provenance.json", "study.toml")


def write_origin(folder: RunFolder, study: Study) -> None:
    """Write both files into a new run folder, and their copies."""
    folder.write_text("study.toml", study.to_toml())
    folder.write_text("provenance.json", describe(study))
    record_origin(folder)


def record_origin(folder: RunFolder) -> None:
    """Note digests and copies of both files, where they are not noted yet."""
    for name in ORIGIN:
        if folder.copy_of(name) is None:
            folder.record_file(name, with_copy=True)


def restore_origin(folder: RunFolder) -> None:
    """Put back what is missing or damaged, before anything is read from it.

    Raises
    ------
    RunFolderError
        If ``study.toml`` is another study than the one that was run: someone has edited it.
    """
    damaged = folder.damaged_files()
    if "provenance.json" in damaged:
        folder.restore("provenance.json")
    if "study.toml" in damaged and folder.copy_of("study.toml") is not None:
        _refuse_an_edit(folder)
        folder.restore("study.toml")


def _refuse_an_edit(folder: RunFolder) -> None:
    """Stop if the file is a study that can be read, and not the one that was run."""
    from unmoor.trial.result import Result

    path = folder.path / "study.toml"
    copy = folder.copy_of("study.toml") or ""
    try:
        written = Result.study_of(folder.path)
        text = path.read_text(encoding="utf-8-sig")
        was = Study.loads(copy, f"{path}", written.beside).replace(name=written.name)
    except (UnmoorError, OSError, ValueError):
        return
    if written == was:
        return
    raise RunFolderError(
        f"{path}: the study is not what it was ({_difference(copy, text)}); start anew with: "
        f"unmoor run {path}, or remove the file to go on with the study as it was run",
        code="E-CHANGED",
    )


def _difference(before: str, now: str) -> str:
    """First lines that differ."""
    lines = list(difflib.ndiff(before.splitlines(), now.splitlines()))
    then = next((line[2:].strip() for line in lines if line.startswith("- ")), "nothing")
    today = next((line[2:].strip() for line in lines if line.startswith("+ ")), "nothing")
    return f"{then[:80]} then, {today[:80]} now"
