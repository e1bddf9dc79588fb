"""The verb export: tissues of a run as files for other programs, and as pictures and films."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

from cyclopts import Parameter

from unmoor.cli.options import Verbose, flag
from unmoor.cli.streams import put
from unmoor.errors import ExitCode, Problem, RunFolderError, literal, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from unmoor.tissue.snapshot import Snapshot
    from unmoor.trial.snapshots import Track

Format = Literal["simularium", "vtk", "anndata", "anndata-zarr", "png", "html", "gif", "apng"]
By = Literal["e_cadherin", "zeb", "mesenchymal", "clone", "cluster", "oxygen"]
_PICTURES = ("png", "html", "gif", "apng")


def export(
    folder: Path,
    /,
    *,
    format: Annotated[  # noqa: A002 - the name of the option
        Format,
        Parameter(help="Simularium viewer, ParaView, AnnData, or pictures and films to look at."),
    ],
    out: Annotated[Path | None, Parameter(help="Where files go; RUN/export if not given.")] = None,
    line: Annotated[
        list[str] | None, Parameter(help="Cell lines; all if not given.", negative=())
    ] = None,
    arm: Annotated[list[str] | None, Parameter(help="Arms; all if not given.", negative=())] = None,
    by: Annotated[By, Parameter(help="What cells are coloured by in pictures.")] = "e_cadherin",
    cut: Annotated[bool, flag("Cut tissues open in pictures.")] = False,
    verbose: Verbose = False,
) -> int:
    """Write the tissues of a run for other programs, and the paths of what was written.

    Parameters
    ----------
    folder
        The run folder.
    """
    from unmoor.trial.snapshots import FOLDER, read_snapshots
    from unmoor.trial.store import RunFolder

    RunFolder.open(folder)
    found: dict[Track, Sequence[Snapshot]] = {**read_snapshots(folder / FOLDER)}
    for name, wanted in (("cell_line", line), ("arm", arm)):
        found = _chosen(found, name, wanted or ())
    target = folder / "export" if out is None else out
    if format in _PICTURES:
        paths = _pictures(_in_order(found, folder), format, target, by=by, cut=cut)
    else:
        from unmoor.trial.exports import export as write

        paths = write(found, format, target)
    put(*map(str, paths))
    return ExitCode.OK


def _chosen(
    tracks: Mapping[Track, Sequence[Snapshot]], field: str, wanted: Sequence[str]
) -> dict[Track, Sequence[Snapshot]]:
    """Tissues of the lines or arms that were asked for."""
    known = list(dict.fromkeys(str(getattr(track, field)) for track in tracks))
    for name in wanted:
        if name not in known:
            option = "--line" if field == "cell_line" else "--arm"
            fix = f"write {literal(nearest(name, known, 1)[0])}" if known else ""
            allowed = f"one of {', '.join(map(literal, known))}"
            raise RunFolderError(Problem("", option, literal(name), allowed, fix, "E-CHOICE"))
    return {
        track: frames
        for track, frames in tracks.items()
        if len(frames) and (not wanted or getattr(track, field) in wanted)
    }


def _in_order(
    tracks: Mapping[Track, Sequence[Snapshot]], folder: Path
) -> dict[Track, Sequence[Snapshot]]:
    """The control first, then the arms as the study names them."""
    from unmoor.trial.result import Result

    study = Result.study_of(folder)
    arms = [study.control, *study.arms]
    return {track: tracks[track] for track in sorted(tracks, key=lambda t: arms.index(t.arm))}


def _pictures(
    tracks: Mapping[Track, Sequence[Snapshot]], kind: str, folder: Path, **look: Any
) -> list[Path]:
    """Write a picture or film of each line in each assay, arms together."""
    from unmoor.trial.atomic import refusals_told
    from unmoor.trial.file_names import file_name

    with refusals_told(folder, 0):
        folder.mkdir(parents=True, exist_ok=True)
    together: dict[tuple[str, str], dict[str, Sequence[Snapshot]]] = {}
    for track, frames in tracks.items():
        if track.number == 0:
            together.setdefault((track.assay, track.cell_line), {})[track.arm] = frames
    if not together:
        raise RunFolderError("the run holds no frames of tissues", code="E-NO-SNAPSHOTS")
    paths = []
    for (assay, line), arms in together.items():
        paths.append(folder / f"{file_name(f'{assay}_{line}')}.{kind}")
        _write_picture(paths[-1], kind, f"{line}, {assay.replace('_', ' ')}", arms, look)
    return paths


def _write_picture(
    path: Path,
    kind: str,
    title: str,
    arms: Mapping[str, Sequence[Snapshot]],
    look: Mapping[str, Any],
) -> None:
    from unmoor.trial.atomic import write_file

    if kind == "png":
        from unmoor.report.style import as_pixels, as_png, drawing
        from unmoor.report.tissue_figure import panels

        with drawing():
            write_file(path, as_png(as_pixels(panels(arms, **look)[0])))
    elif kind == "html":
        from unmoor.report.tissue_film import film, film_page

        write_file(path, film_page(film(arms, name="film", title=title), title).encode())
    else:
        from unmoor.report.tissue_movie import write_movie

        write_movie(path, arms, **look)


FORMATS: tuple[str, ...] = get_args(Format)
"""Names of the formats."""
