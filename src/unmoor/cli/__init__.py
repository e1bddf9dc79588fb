"""The command ``unmoor``: one verb for each thing the Python interface does.

Data goes to standard output (names, tables, TOML, JSON, paths) and what is said to people goes to
standard error. Whatever calculates is imported by the verb that needs it, so that help is instant.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from cyclopts import App, CycloptsError

from unmoor.cli.asking import discriminate, sensitivity, why
from unmoor.cli.browsing import cite, list_entries, show
from unmoor.cli.calibration import calibration_app
from unmoor.cli.designing import design
from unmoor.cli.exporting import export
from unmoor.cli.failures import exit_code_of, explain_usage, finish_output
from unmoor.cli.running import check, demo, remake_report, resume, run
from unmoor.cli.screening import map_harm, screen
from unmoor.cli.searching import matrix, search
from unmoor.cli.streams import be_verbose
from unmoor.cli.studies import STDIN
from unmoor.cli.validation import validate
from unmoor.errors import ExitCode

__all__ = ["app", "main"]

_EXIT_CODES = """Exit codes: 0 done · 2 bad input · 3 finished with failed animals · 4 stopped,
can be resumed · 5 out of disk or memory · 1 anything else."""


def _version() -> str:
    from unmoor import __version__

    return __version__


app = App(
    name="unmoor",
    help="Virtual tumour trials: does a therapy shrink the tumour and spread it?",
    help_epilogue=" ".join(_EXIT_CODES.split()),
    help_format="plaintext",
    help_flags=["--help", "-h"],
    version=_version,
    version_flags=["--version"],
    suppress_keyboard_interrupt=False,
    exit_on_error=False,
    print_error=False,
    result_action="return_value",
)
_VERBS: dict[str, Callable[..., int]] = {
    "demo": demo,
    "run": run,
    "resume": resume,
    "report": remake_report,
    "export": export,
    "check": check,
    "list": list_entries,
    "show": show,
    "cite": cite,
    "search": search,
    "matrix": matrix,
    "validate": validate,
    "design": design,
    "screen": screen,
    "map": map_harm,
    "why": why,
    "sensitivity": sensitivity,
    "discriminate": discriminate,
}
for _place, (_verb, _function) in enumerate(_VERBS.items()):
    app.command(_function, name=_verb, sort_key=_place)
app.command(calibration_app(place=len(_VERBS)))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    arguments
        Verb and options; those of the process if None.

    Returns
    -------
        The exit status, an :class:`unmoor.errors.ExitCode`.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    verbose = be_verbose(given)
    try:
        code = app([STDIN if part == "-" else part for part in given])
        finish_output()
    except CycloptsError as error:
        return explain_usage(error, given)
    except (KeyboardInterrupt, Exception) as error:
        return exit_code_of(error, verbose=verbose)
    return int(code) if isinstance(code, int) else ExitCode.OK
