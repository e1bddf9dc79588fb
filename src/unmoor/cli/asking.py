"""Verbs that ask about an answer: why, sensitivity, discriminate."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from unmoor.cli.analyses import Kept, Out, analysis_folder, memory_folder, study_to_analyse
from unmoor.cli.options import Json, Seed, Settings, Verbose, Workers, flag
from unmoor.cli.progress import shown_progress
from unmoor.cli.streams import put, put_json, say
from unmoor.errors import ExitCode

Arms = Annotated[
    list[str] | None, Parameter(name="--arm", help="An arm to look at; all if none.", negative=())
]
Rivals = Annotated[bool, flag("Under the rival structures too.", "--rivals")]
Fine = Annotated[bool, flag("As fine as the study itself, several times slower.", "--fine")]


def why(
    study: str,
    /,
    *,
    arm: Arms = None,
    rivals: Rivals = False,
    fine: Fine = False,
    out: Out = Path("runs"),
    seed: Seed = None,
    set_: Settings = None,
    workers: Workers = None,
    memory: Kept = None,
    json: Json = False,
    verbose: Verbose = False,
) -> int:
    """Say by which way each arm changes spread: stages, routes, and edges of the network.

    Parameters
    ----------
    study
        A study file, the name of a catalog study, or - for standard input.
    """
    loaded = study_to_analyse(study, set_, seed, workers)
    from unmoor.analysis.memory import Memory
    from unmoor.analysis.why import why as ask
    from unmoor.report.why_page import write_why
    from unmoor.trial.chunks import structures

    among = structures(loaded)[: None if rivals else 1]
    with shown_progress() as progress:
        found = ask(
            loaded, arms=arm, among=among, fine=fine, workers=workers, progress=progress,
            memory=Memory(memory_folder(out, memory)),
        )  # fmt: skip
    folder = analysis_folder(out, found.study, "why")
    write_why(found, folder)
    say(*found.sentences())
    if json:
        parts, edges = found.parts.to_dict("records"), found.edges.to_dict("records")
        told = {"parts": parts, "edges": edges, "sentences": found.sentences()}
        put_json({"folder": str(folder), **told})
    else:
        put(str(folder))
    return ExitCode.OK


def sensitivity(
    study: str,
    /,
    *,
    outcome: Annotated[
        Literal["spread", "tumour", "paradox", "e_loss"], Parameter(help="What is asked about.")
    ] = "spread",
    method: Annotated[
        Literal["sobol", "morris"], Parameter(help="Shares of variance, or screening alone.")
    ] = "sobol",
    arm: Annotated[str | None, Parameter(help="Arm; the first that is not the control.")] = None,
    line: Annotated[str | None, Parameter(help="Cell line; the first of the study.")] = None,
    out: Out = Path("runs"),
    seed: Seed = None,
    set_: Settings = None,
    workers: Workers = None,
    memory: Kept = None,
    json: Json = False,
    verbose: Verbose = False,
) -> int:
    """Rank the numbers of the catalog by what the answer owes to them: what to measure next.

    Parameters
    ----------
    study
        A study file, the name of a catalog study, or - for standard input.
    """
    loaded = study_to_analyse(study, set_, seed, workers)
    from unmoor.analysis.memory import Memory
    from unmoor.analysis.sensitivity import sensitivity as ask
    from unmoor.report.sensitivity_page import write_sensitivity

    with shown_progress() as progress:
        found = ask(
            loaded, outcome, method=method, arm=arm, line=line, workers=workers,
            progress=progress, memory=Memory(memory_folder(out, memory)),
        )  # fmt: skip
    folder = analysis_folder(out, found.study, "sensitivity")
    write_sensitivity(found, folder)
    say(*found.sentences())
    if json:
        about = {"outcome": found.outcome, "method": found.method, "points": found.points}
        numbers = found.numbers.to_dict("records")
        put_json({"folder": str(folder), **about, "failed": found.failed, "numbers": numbers})
    else:
        put(str(folder))
    return ExitCode.OK


def discriminate(
    study: str,
    /,
    *,
    arm: Arms = None,
    animals: Annotated[int | None, Parameter(help="In each group; as the study says.")] = None,
    day: Annotated[
        list[float] | None, Parameter(help="When animals are read; half-way, at the end.")
    ] = None,
    out: Out = Path("runs"),
    seed: Seed = None,
    set_: Settings = None,
    workers: Workers = None,
    memory: Kept = None,
    json: Json = False,
    verbose: Verbose = False,
) -> int:
    """Rank arms, days and readouts by what they would tell about which rival is right.

    Parameters
    ----------
    study
        A study file, the name of a catalog study, or - for standard input.
    """
    loaded = study_to_analyse(study, set_, seed, workers)
    from unmoor.analysis.discriminate import discriminate as ask
    from unmoor.analysis.memory import Memory
    from unmoor.report.discriminate_page import write_discriminated

    with shown_progress() as progress:
        found = ask(
            loaded, arms=arm, animals=animals, days=day, workers=workers, progress=progress,
            memory=Memory(memory_folder(out, memory)),
        )  # fmt: skip
    folder = analysis_folder(out, found.study, "discriminate")
    write_discriminated(found, folder)
    say(*found.sentences())
    if json:
        gains, told = found.gains.to_dict("records"), found.predicted.to_dict("records")
        put_json(
            {"folder": str(folder), "animals": found.animals, "gains": gains, "predicted": told}
        )
    else:
        put(str(folder))
    return ExitCode.OK
