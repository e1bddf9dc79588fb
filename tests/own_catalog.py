"""A study with a catalog of its own beside it: a line, a drug, a host and a matrix."""

from __future__ import annotations

import textwrap
from pathlib import Path

HEADER = "id\tvalue\tunit\tlow\thigh\tcv\tevidence\tsource\tnote"
STUDY = """\
schema = 1
seed = 3
cell_lines = ["Ours-1"]
control = "vehicle"

[[assays]]
name = "orthotopic_xenograft"
host = "our_mouse"
inoculum = "1e6 cells"
duration = "14 d"
animals = 2
clones = 4

[arms]
vehicle = []
ours = [{ drug = "our_antibody", dose = "5 mg/kg", every = "4 d", start = "0 d" }]

[uncertainty]
draws = 8
rivals = false
"""
LINE = """\
name = "Ours-1"
synonyms = ["Ours1"]
text = "A line of ours."
species = "human"
malignant = true
sources = ["OurRNA"]
"""
LEVELS = [
    "L_ITGB1\t-0.3\tlog2\t-1.4\t0.8\t\tmeasured\tOurRNA\tRNA relative to MCF10A",
    "L_TGFBR2\t-1.1\tlog2\t-2.2\t0.1\t\tmeasured\tOurRNA\tRNA relative to MCF10A",
    "e_score\t-0.5\tlog2\t-1.3\t0.3\t\tmeasured\tOurRNA\tCDH1 message",
    "emt_score\t15\tlog2\t13\t17\t\tmeasured\tOurRNA\tmiR-200c and ZEB",
]
DRUG = """\
name = "our_antibody"
text = "A function-blocking antibody of ours."
target = "itgb1"
action = "inhibits"
model = "antibody"
binds = ["human"]
routes = ["ip", "iv"]
max_dose = 50.0
"""
HOST = """\
name = "our_mouse"
text = "A mouse without lymphocytes."
species = "mouse"
strain = "ours"
immune = "deficient"
"""
IMMUNITY = [
    "iota\t0\t1/d\t0\t0\t\tassumed\t\tno lymphocytes",
    "Lambda\t0\t-\t0\t0\t\tassumed\t\tno lymphocytes",
]
MATRIX = 'name = "tumour"\ntext = "The ground of our tumours, richer in collagen."\n'
WEIGHTS = [
    "w1\t0.9\t-\t0.9\t0.9\t\tassumed\t\tsets the scale",
    "w3\t0.2\t-\t0.1\t0.3\t\tassumed\t\twide",
    "w4\t0\t-\t0\t0\t\tassumed\t\tnone",
    "w0\t0.1\t-\t0.05\t0.15\t\tassumed\t\twide",
]
SOURCES = "@misc{OurRNA,\n  author = {Us},\n  title = {RNA of Ours-1},\n  year = {2026}\n}\n"


def write(folder: Path) -> Path:
    """Write the study and its catalog; returns the study file."""
    from unmoor import catalog

    built_in = catalog.ROOT / "drugs" / "anti_itgb1" / "parameters.tsv"
    put(folder / "study.toml", STUDY)
    own = folder / "catalog"
    put(own / "sources.bib", SOURCES)
    entry(own / "cell_lines" / "Ours-1", LINE, LEVELS)
    rows = built_in.read_text(encoding="utf-8").splitlines()[1:]
    entry(own / "drugs" / "our_antibody", DRUG, rows)
    entry(own / "hosts" / "our_mouse", HOST, IMMUNITY)
    entry(own / "matrices" / "tumour", MATRIX, WEIGHTS)
    return folder / "study.toml"


def entry(folder: Path, about: str, rows: list[str]) -> None:
    """Write one entry."""
    put(folder / "about.toml", textwrap.dedent(about))
    put(folder / "parameters.tsv", "\n".join([HEADER, *rows]) + "\n")


def put(path: Path, text: str) -> None:
    """Write a file and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def change(path: Path, old: str, new: str) -> None:
    """Replace a text that is in the file exactly once."""
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, (old, text.count(old))
    path.write_text(text.replace(old, new), encoding="utf-8")
