"""How unmoor itself is cited; the same as CITATION.cff."""

from __future__ import annotations

OWN_KEY = "unmoor"
TITLE = "unmoor: virtual tumour trials"
AUTHORS = "The unmoor developers"
YEAR = "2026"


def own_entry() -> str:
    """Return the BibTeX entry of the installed version."""
    from unmoor import __version__

    fields = {
        "title": TITLE,
        "author": f"{{{AUTHORS}}}",
        "year": YEAR,
        "version": __version__,
        "license": "BSD-3-Clause",
    }
    body = "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items())
    return f"@software{{{OWN_KEY},\n{body}}}\n"
