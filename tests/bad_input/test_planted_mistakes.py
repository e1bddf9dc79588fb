"""Mistakes of biology, design and writing that people make, planted one by one by hand."""

import re
from dataclasses import dataclass

import pytest

from unmoor.errors import MAX_LINE, Problem, StudyError, format_problem
from unmoor.trial.study import Study

GOOD = """\
schema = 1
title = "A study"
seed = 7
cell_lines = ["4T1", "HCC1806"]
control = "vehicle"

[[assays]]
name = "orthotopic_xenograft"
host = { default = "nsg", "4T1" = "balbc" }
inoculum = "1e6 cells"
duration = "28 d"
animals = 10

[arms]
vehicle = []
block = [{ drug = "anti_itgb1", dose = "10 mg/kg", every = "3 d", start = "7 d" }]
"knock-down" = [{ gene = "ITGB1", change = "knock_down", factor = 0.1 }]
both = [
    { drug = "anti_itgb1", dose = "10 mg/kg", every = "3 d", start = "0 d" },
    { drug = "tgfbr1_inhibitor", dose = "30 mg/kg", every = "12 h", start = "0 d" },
]

[verdict]
smaller = 0.9
spread = 1.1
interval = 0.9

[uncertainty]
draws = 200
rivals = true

[model]
emt_core = "cascading"
"""
BLOCK = '{ drug = "anti_itgb1", dose = "10 mg/kg", every = "3 d", start = "7 d" }'
KNOCK_DOWN = '{ gene = "ITGB1", change = "knock_down", factor = 0.1 }'
KNOCK_DOWN_MORE = KNOCK_DOWN.replace("0.1", "0.05")
LINES = '["4T1", "HCC1806"]'
HOST = '{ default = "nsg", "4T1" = "balbc" }'
ASSAY = '[[assays]]\nname = "orthotopic_xenograft"\n'


@dataclass(frozen=True)
class Mistake:
    """What is written instead of what, and the code, field and suggestion that must come."""

    what: str
    old: str
    new: str
    code: str
    field: str
    says: str

    def __str__(self) -> str:
        return self.what


M = Mistake
MISTAKES = [
    # names
    M("unknown line", LINES, '["4T1", "HeLa"]', "E-NAME", "cell_lines[1]", "4T1"),
    M("misspelt line", LINES, '["4T1", "HCC1860"]', "E-NAME", "cell_lines[1]", "HCC1806"),
    M("line in lower case", LINES, '["4t1", "HCC1806"]', "E-NAME", "cell_lines[0]", "4T1"),
    M("lines as one text", LINES, '"4T1, HCC1806"', "E-TYPE", "cell_lines", '["4T1"]'),
    M("no lines", LINES, "[]", "E-EMPTY", "cell_lines", '["4T1"]'),
    M("a line twice", LINES, '["4T1", "4T1"]', "E-DUPLICATE", "cell_lines[1]", "remove one"),
    M("a line under two names", LINES, '["4T1", "HCC1806", "HCC-1806"]', "E-DUPLICATE",
      "cell_lines[2]", "same line"),
    M("a folder that is not there", LINES, '["4T1", "lines/own"]', "E-NAME", "cell_lines[1]",
      "about.toml"),
    M("unknown drug", '"anti_itgb1", dose = "10 mg/kg", every = "3 d", start = "7 d"',
      '"nocodazole", dose = "10 mg/kg"', "E-NAME", "arms.block[0].drug", "drug of the catalog"),
    M("misspelt drug", BLOCK, '{ drug = "anti_itbg1", dose = "10 mg/kg" }', "E-NAME",
      "arms.block[0].drug", "anti_itgb1"),
    M("drug by its target", BLOCK, '{ drug = "itgb1", dose = "10 mg/kg" }', "E-NAME",
      "arms.block[0].drug", "anti_itgb1"),
    M("unknown host", HOST, '{ default = "rag1" }', "E-NAME", "assays[0].host.default", "host"),
    M("host misspelt", HOST, '{ default = "nsgg" }', "E-NAME", "assays[0].host.default", "nsg"),
    M("unknown gene", "ITGB1", "ITGB9", "E-CHOICE", 'arms.knock-down[0].gene', "ITGB"),
    M("gene in lower case", "ITGB1", "itgb1", "E-CHOICE", "arms.knock-down[0].gene", "ITGB1"),
    M("unknown assay", "orthotopic_xenograft", "orthotopic", "E-CHOICE", "assays[0].name",
      "orthotopic_xenograft"),
    M("typo in control", '"vehicle"', '"vehicel"', "E-CONTROL", "control", "vehicle"),
    M("control that is no arm", '"vehicle"', '"untreated"', "E-CONTROL", "control", "block"),
    # arms
    M("treated control", "vehicle = []", f"vehicle = [{BLOCK}]", "W-CONTROL", "control",
      "untreated"),
    M("two arms alike", '"knock-down" =', f'"block 2" = [{BLOCK}]\n"knock-down" =', "W-SAME",
      'arms."block 2"', "block"),
    M("a second vehicle", '"knock-down" =', 'saline = []\n"knock-down" =', "W-SAME",
      "arms.saline", "vehicle"),
    M("arms that differ in case", '"knock-down" =', f'Block = [{KNOCK_DOWN}]\n"knock-down" =',
      "E-DUPLICATE", "arms.Block", "rename"),
    M("an arm that is a table", f"[{BLOCK}]", BLOCK, "E-TYPE", "arms.block", "list"),
    M("an arm that is a drug's name", f"[{BLOCK}]", '"anti_itgb1"', "E-TYPE", "arms.block", "list"),
    M("a drug's name in an arm", f"[{BLOCK}]", '["anti_itgb1"]', "E-TYPE", "arms.block[0]", "dose"),
    M("empty treatment", f"[{BLOCK}]", "[{ }]", "E-MISSING", "arms.block[0].drug", "add drug"),
    M("drug and gene in one", BLOCK, BLOCK.replace("{ ", '{ gene = "ITGB1", '), "E-KEY",
      "arms.block[0].gene", "two treatments"),
    M("the same dose twice", f"[{BLOCK}]", f"[{BLOCK}, {BLOCK}]", "W-TWICE", "arms.block[1]",
      "remove one"),
    M("the same gene twice", f"[{KNOCK_DOWN}]", f"[{KNOCK_DOWN}, {KNOCK_DOWN_MORE}]", "W-TWICE",
      "arms.knock-down[1].gene", "act together"),
    M("a drug under two names", f"[{BLOCK}]", f'[{BLOCK.replace("anti_itgb1", "anti-beta1")}]',
      "W-SYNONYM", "arms.both[0].drug", "same drug"),
    # radiation
    M("fractions without a number", f"[{BLOCK}]", '[{ radiation = "2 Gy", every = "1 d" }]',
      "E-MISSING", "arms.block[0].fractions", "fractions = 5"),
    M("fractions without a pace", f"[{BLOCK}]", '[{ radiation = "2 Gy", fractions = 5 }]',
      "E-MISSING", "arms.block[0].every", "every"),
    M("radiation as a number", f"[{BLOCK}]", "[{ radiation = 2 }]", "E-UNIT",
      "arms.block[0].radiation", "2 Gy"),
    M("radiation by body mass", f"[{BLOCK}]", '[{ radiation = "2 mg/kg" }]', "E-UNIT",
      "arms.block[0].radiation", "Gy"),
    M("one very large fraction", f"[{BLOCK}]", '[{ radiation = "60 Gy" }]', "E-RANGE",
      "arms.block[0].radiation", "30 Gy"),
    M("a very large total", f"[{BLOCK}]",
      '[{ radiation = "12 Gy", every = "1 d", fractions = 9 }]', "E-RANGE",
      "arms.block[0].fractions", "100 Gy"),
    M("fractions beyond the read-out", f"[{BLOCK}]",
      '[{ radiation = "2 Gy", every = "1 d", fractions = 20, start = "14 d" }]', "E-TIME",
      "arms.block[0].fractions", "fewer fractions"),
    M("radiation after the read-out", f"[{BLOCK}]", '[{ radiation = "2 Gy", start = "28 d" }]',
      "E-TIME", "arms.block[0].start", "earlier"),
    M("radiation and drug in one", BLOCK, BLOCK.replace("{ ", '{ radiation = "2 Gy", '), "E-KEY",
      "arms.block[0].radiation", "two treatments"),
    M("radiation with a stop", f"[{BLOCK}]", '[{ radiation = "2 Gy", stop = "14 d" }]', "E-KEY",
      "arms.block[0].stop", "start"),
    M("radiation misspelt", f"[{BLOCK}]",
      '[{ radiaton = "2 Gy", every = "1 d", fractions = 5 }]', "E-KEY", "arms.block[0].radiaton",
      "radiation"),
    # concentrations
    M("dose and concentration", '"10 mg/kg", every = "3 d", start = "7 d"',
      '"10 mg/kg", concentration = "70 nM"', "E-KEY", "arms.block[0].concentration", "remove one"),
    M("a concentration in an animal", 'dose = "10 mg/kg", every = "3 d", start = "7 d"',
      'concentration = "70 nM"', "E-MEDIUM", "arms.block[0].concentration", "10 mg/kg"),
    M("a concentration every three days", 'dose = "10 mg/kg", every = "3 d", start = "7 d"',
      'concentration = "70 nM", every = "3 d"', "E-KEY", "arms.block[0].every", "start and stop"),
    M("a concentration as a dose", '"10 mg/kg", every = "3 d", start = "7 d"', '"70 nM"', "E-UNIT",
      "arms.block[0].dose", "mg/kg"),
    M("a dose as a concentration", 'dose = "10 mg/kg", every = "3 d", start = "7 d"',
      'concentration = "10 mg/kg"', "E-UNIT", "arms.block[0].concentration", "70 nM"),
    M("neither dose nor concentration", ', dose = "10 mg/kg", every = "3 d", start = "7 d"', "",
      "E-MISSING", "arms.block[0].dose", "add dose"),
    # species, strain, host
    M("human-specific antibody on a mouse line", LINES, '["4T1"]', "E-SPECIES",
      "arms.block[0].drug", "ha2_5"),
    M("mouse-specific antibody on a human line", LINES, '["HCC1806"]', "E-SPECIES",
      "arms.block[0].drug", "aiib2"),
    M("human-specific antibody on one of two lines", "anti_itgb1", "aiib2", "W-SPECIES",
      "arms.block[0].drug", "4T1"),
    M("mouse-specific antibody on one of two lines", "anti_itgb1", "ha2_5", "W-SPECIES",
      "arms.block[0].drug", "HCC1806"),
    M("human-specific antibody spares the stroma", "anti_itgb1", "aiib2", "W-STROMA",
      "arms.block[0].drug", "stroma"),
    M("human line in an immune-competent mouse", HOST, '{ default = "balbc" }', "E-GRAFT",
      "assays[0].host.default", "nsg"),
    M("human line in its own immune-competent host", HOST,
      '{ default = "nsg", HCC1806 = "c57bl6" }', "E-GRAFT", "assays[0].host.HCC1806", "nude"),
    M("mouse line in another strain", HOST, '{ default = "nsg", "4T1" = "c57bl6" }', "W-STRAIN",
      'assays[0].host.4T1', "BALB/c"),
    M("mouse line in FVB", HOST, '{ default = "nsg", "4T1" = "fvb" }', "W-STRAIN",
      "assays[0].host.4T1", "BALB/c"),
    M("benign line", LINES, '["4T1", "HCC1806", "MCF10A"]', "W-BENIGN", "cell_lines[2]", "tumours"),
    M("no host for a line", HOST, '{ "4T1" = "balbc" }', "E-HOST", "assays[0].host.HCC1806",
      "default"),
    M("host for a line that is not in the study", HOST, '{ default = "nsg", MDA-MB-231 = "nude" }',
      "W-HOST", "assays[0].host.MDA-MB-231", "not in it"),
    M("host for a line that does not exist", HOST, '{ default = "nsg", MDA-MB-23 = "nude" }',
      "E-NAME", "assays[0].host.MDA-MB-23", "MDA-MB-231"),
    M("two hosts for a line", HOST, '{ default = "nsg", HCC1806 = "nude", HCC-1806 = "scid" }',
      "E-DUPLICATE", "assays[0].host.HCC-1806", "one host"),
    # dose and schedule
    M("dosing starts after the end", 'start = "7 d"', 'start = "40 d"', "E-TIME",
      "arms.block[0].start", "28 d"),
    M("dosing starts at the end", 'start = "7 d"', 'start = "28 d"', "E-TIME",
      "arms.block[0].start", "0-28 d"),
    M("dosing stops before it starts", 'start = "7 d"', 'start = "7 d", stop = "5 d"', "E-TIME",
      "arms.block[0].stop", "after the start"),
    M("dosing stops as it starts", 'start = "7 d"', 'start = "7 d", stop = "7 d"', "E-TIME",
      "arms.block[0].stop", "after the start"),
    M("dosing stops after the end", 'start = "7 d"', 'start = "7 d", stop = "40 d"', "W-TIME",
      "arms.block[0].stop", "never reached"),
    M("start before inoculation", 'start = "7 d"', 'start = "-3 d"', "E-RANGE",
      "arms.block[0].start", "0-365 d"),
    M("interval longer than the study", '"3 d", start = "7 d"', '"30 d", start = "7 d"',
      "W-SCHEDULE", "arms.block[0].every", "one dose"),
    M("interval of a minute", '"3 d", start = "7 d"', '"1 min", start = "7 d"', "E-RANGE",
      "arms.block[0].every", "1 h"),
    M("dose of nothing", '"10 mg/kg", every = "3 d", start = "7 d"', '"0 mg/kg"', "W-DOSE",
      "arms.block[0].dose", "nothing"),
    M("dose as mass", '"10 mg/kg"', '"10 mg"', "E-UNIT", "arms.block[0].dose", '"10 mg/kg"'),
    M("dose as concentration", '"10 mg/kg"', '"10 nM"', "E-UNIT", "arms.block[0].dose", "mg/kg"),
    M("dose in grams", '"10 mg/kg"', '"10 g/kg"', "E-RANGE", "arms.block[0].dose", "0-1000 mg/kg"),
    M("dose above the drug's limit", '"10 mg/kg"', '"500 mg/kg"', "E-RANGE", "arms.block[0].dose",
      "200 mg/kg"),
    M("dose without a unit", '"10 mg/kg"', "10", "E-UNIT", "arms.block[0].dose", '"10 mg/kg"'),
    M("an antibody by mouth", 'start = "7 d"', 'start = "7 d", route = "oral"', "E-ROUTE",
      "arms.block[0].route", "ip"),
    M("interval as a number", 'every = "3 d"', "every = 3", "E-UNIT", "arms.block[0].every",
      '"3 d"'),
    M("schedule in words", 'every = "3 d"', 'every = "twice a week"', "E-UNIT",
      "arms.block[0].every", "d"),
    M("days spelt dose_days", 'start = "7 d"', 'strat = "7 d"', "E-KEY", "arms.block[0].strat",
      "did you mean start?"),
    # edits
    M("knock-down of 90 per cent as 90", "factor = 0.1", "factor = 90", "E-RANGE",
      "arms.knock-down[0].factor", "less than 1"),
    M("knock-down that changes nothing", "factor = 0.1", "factor = 1.0", "E-RANGE",
      "arms.knock-down[0].factor", "less than 1"),
    M("knock-down without a factor", ", factor = 0.1", "", "E-MISSING",
      "arms.knock-down[0].factor", "factor = 0.1"),
    M("over-expression that lowers", '"knock_down", factor = 0.1', '"over_express", factor = 0.5',
      "E-RANGE", "arms.knock-down[0].factor", "more than 1"),
    M("re-expression of what has no promoter here", '"knock_down", factor = 0.1', '"re_express"',
      "E-CHANGE", "arms.knock-down[0].change", "MIR200"),
    M("knock-out by another name", '"knock_down"', '"knock_out"', "E-CHOICE",
      "arms.knock-down[0].change", "knock_down"),
    M("edit after the end", "factor = 0.1", 'factor = 0.1, start = "30 d"', "E-TIME",
      "arms.knock-down[0].start", "28 d"),
    M("edit given a dose", "factor = 0.1", 'factor = 0.1, dose = "1 mg/kg"', "E-KEY",
      "arms.knock-down[0].dose", "known key"),
    # assay
    M("no animals", "animals = 10", "animals = 0", "E-RANGE", "assays[0].animals", "1-100000"),
    M("one animal", "animals = 10", "animals = 1", "W-ANIMALS", "assays[0].animals", "interval"),
    M("half an animal", "animals = 10", "animals = 7.5", "E-TYPE", "assays[0].animals", "whole"),
    M("no days", '"28 d"', '"0 d"', "E-RANGE", "assays[0].duration", "365 d"),
    M("two years", '"28 d"', '"2 years"', "E-UNIT", "assays[0].duration", "d"),
    M("500 days", '"28 d"', '"500 d"', "E-RANGE", "assays[0].duration", "365 d"),
    M("no cells", '"1e6 cells"', '"0 cells"', "E-RANGE", "assays[0].inoculum", "1-1e9 cells"),
    M("cells without a unit", '"1e6 cells"', "1e6", "E-UNIT", "assays[0].inoculum", "cells"),
    M("inoculum as a volume", '"1e6 cells"', '"100 uL"', "E-UNIT", "assays[0].inoculum", "cells"),
    M("two assays of one name", "\n[arms]", f"\n{ASSAY}inoculum = \"1e6 cells\"\n"
      'duration = "35 d"\nanimals = 5\n\n[arms]', "E-DUPLICATE", "assays[1].label", "label"),
    M("one assay in single brackets", "[[assays]]", "[assays]", "E-TYPE", "assays", "[[assays]]"),
    # verdict, uncertainty, model
    M("margin above 1 for smaller", "smaller = 0.9", "smaller = 1.2", "E-RANGE", "verdict.smaller",
      "up to 1"),
    M("margin below 1 for more", "spread = 1.1", "spread = 0.9", "E-RANGE", "verdict.spread",
      "1-100"),
    M("interval in per cent", "interval = 0.9", "interval = 90", "E-RANGE", "verdict.interval",
      "less than 1"),
    M("margin in per cent", "smaller = 0.9", 'smaller = "90 %"', "E-TYPE", "verdict.smaller",
      "without a unit"),
    M("no draws", "draws = 200", "draws = 0", "W-DRAWS", "uncertainty.draws", "nominal"),
    M("too few draws for the interval", "draws = 200", "draws = 10", "W-DRAWS",
      "uncertainty.draws", "20"),
    M("yes for true", "rivals = true", 'rivals = "yes"', "E-TYPE", "uncertainty.rivals", "true"),
    M("a read-out of the other core", 'emt_core = "cascading"',
      'emt_core = "ternary"\ne_readout = "balance"', "E-MODEL", "model.e_readout", "cdh1"),
    M("unknown mechanism", 'emt_core = "cascading"', 'mechanism = "tgf-beta"', "E-CHOICE",
      "model.mechanism", "tgfb"),
    # the file as a whole
    M("a future version", "schema = 1", "schema = 2", "E-RANGE", "schema", "1"),
    M("no version", "schema = 1\n", "", "E-MISSING", "schema", "add schema = 1"),
    M("seed from a random word", "seed = 7", 'seed = "random"', "E-TYPE", "seed", "whole"),
    M("an unknown section", "[model]", "[modle]", "E-KEY", "modle", "model"),
    M("outcomes", "[model]", '[outcomes]\nprimary = ["tumour_volume"]\n[model]', "E-UNSUPPORTED",
      "outcomes", "remove it"),
    M("American spelling", "[arms]\nvehicle", "[arm]\nvehicle", "E-KEY", "arm", "arms"),
    M("animals at the top", "seed = 7", "seed = 7\nanimals = 10", "E-KEY", "animals", "known key"),
]  # fmt: skip
SPECIFIC = {"human-specific antibody on a mouse line": "aiib2",
            "mouse-specific antibody on a human line": "ha2_5"}  # fmt: skip


def problems_of(text: str) -> tuple[Problem, ...]:
    """Return the errors, or else the warnings, of a study; nothing else may be raised."""
    try:
        return Study.loads(text, "bad.toml").warnings
    except StudyError as error:
        return error.problems


def test_the_study_without_mistakes_has_no_warning() -> None:
    """Each mistake is planted into a study with nothing wrong."""
    assert Study.loads(GOOD).warnings == ()


def test_there_are_sixty_mistakes_or_more() -> None:
    """And no mistake twice."""
    assert len({mistake.what for mistake in MISTAKES}) == len(MISTAKES) >= 60


@pytest.mark.parametrize("mistake", MISTAKES, ids=str)
def test_a_planted_mistake_is_named(mistake: Mistake) -> None:
    """With its code, field and suggestion, in one line with the place in the file."""
    assert mistake.old in GOOD
    text = GOOD.replace(mistake.old, mistake.new, 1)
    if mistake.what in SPECIFIC:
        text = text.replace("anti_itgb1", SPECIFIC[mistake.what]).replace(
            HOST, '{ default = "nsg" }')  # fmt: skip
    problems = problems_of(text)
    named = [problem for problem in problems if problem.code == mistake.code]
    assert named, [format_problem(problem) for problem in problems]
    line = format_problem(named[0])
    assert named[0].field == mistake.field
    assert mistake.says in line
    assert len(line) <= MAX_LINE
    assert re.match(r"bad\.toml:\d+:\d+  ", line)
    assert ("warning: " in line) == mistake.code.startswith("W-")


CORRECT = {
    "a mouse line in its own strain": [(LINES, '["4T1"]'), (HOST, '"balbc"')],
    "a mouse line in an immune-deficient mouse": [(LINES, '["4T1"]'), (HOST, '"nsg"')],
    "a mouse line in a nude mouse": [(LINES, '["4T1"]'), (HOST, '{ default = "nude" }')],
    "a human line in a nude mouse": [(LINES, '["HCC1806"]'), (HOST, '{ default = "nude" }')],
    "a human line in a SCID mouse": [(LINES, '["HCC1806"]'), (HOST, '"scid"')],
    "a host by its other name": [('"4T1" = "balbc"', '"4T1" = "BALBc"')],
    "a line by its other name": [(LINES, '["4T1", "HCC-1806"]')],
    "a host for a line's other name": [(HOST, '{ default = "nsg", HCC-1806 = "nude" }')],
    "the host left out": [(f"host = {HOST}\n", "")],
    "a drug by its other name": [("anti_itgb1", "anti-beta1"), ("anti_itgb1", "anti-beta1")],
    "a mouse-specific antibody on a mouse line": [
        (LINES, '["4T1"]'), ("anti_itgb1", "ha2_5"), ("anti_itgb1", "ha2_5")],
    "one dose": [(', every = "3 d", start = "7 d"', "")],
    "the longest interval that fits": [('every = "3 d", start = "7 d"', 'every = "20 d"')],
    "a dose on the last day but one": [('start = "7 d"', 'start = "24 d"')],
    "a stop at the read-out": [('start = "7 d"', 'start = "7 d", stop = "28 d"')],
    "hours and weeks": [('"3 d", start = "7 d"', '"72 h", start = "1 week"')],
    "micrograms": [('"10 mg/kg"', '"500 ug/kg"')],
    "no space before the unit": [('"10 mg/kg"', '"10mg/kg"')],
    "the largest dose of the drug": [('"10 mg/kg"', '"200 mg/kg"')],
    "a route the drug has": [('start = "7 d"', 'start = "7 d", route = "iv"')],
    "a knock-out": [("factor = 0.1", "factor = 0.0")],
    "a whole factor": [("factor = 0.1", "factor = 0")],
    "an edit for a week": [("factor = 0.1", 'factor = 0.1, start = "7 d", stop = "14 d"')],
    "an edit undone": [("factor = 0.1", 'factor = 0.1, stop = "14 d"')],
    "over-expression": [('"knock_down", factor = 0.1', '"over_express", factor = 3')],
    "re-expression": [('"ITGB1", change = "knock_down", factor = 0.1',
                       '"MIR200", change = "re_express"')],
    "one irradiation": [(f"[{BLOCK}]", '[{ radiation = "8 Gy", start = "10 d" }]')],
    "fractions and a drug": [(BLOCK, BLOCK + ', { radiation = "200 cGy", every = "1 d", '
                              'fractions = 5, start = "10 d" }')],
    "additive drugs": [('emt_core = "cascading"', 'interaction = "loewe"')],
    "a gene by its common name": [('"ITGB1"', '"FAK"')],
    "two genes": [(KNOCK_DOWN, KNOCK_DOWN + ", " + KNOCK_DOWN.replace("ITGB1", "SMAD4"))],
    "one gene in two windows": [(f"[{KNOCK_DOWN}]", f"[{KNOCK_DOWN[:-2]}, stop = \"7 d\" }}, "
                                 f"{KNOCK_DOWN[:-2]}, start = \"14 d\" }}]")],
    "loading and maintenance dose": [(BLOCK, BLOCK.replace("}", ', stop = "14 d" }') + ", "
                                      + BLOCK.replace('"7 d"', '"14 d"'))],
    "two animals": [("animals = 10", "animals = 2")],
    "a year": [('"28 d"', '"365 d"')],
    "a tenth of the cells": [('"1e6 cells"', '"1e5 cells"')],
    "cells in full": [('"1e6 cells"', '"1000000 cells"')],
    "a clone": [("animals = 10", "animals = 10\nclones = 1")],
    "two assays with labels": [("\n[arms]", f"\n{ASSAY}label = \"six weeks\"\ninoculum = "
                                '"1e6 cells"\nduration = "42 d"\nanimals = 5\n\n[arms]')],
    "twenty draws": [("draws = 200", "draws = 20")],
    "no margins": [("smaller = 0.9", "smaller = 1.0"), ("spread = 1.1", "spread = 1.0")],
    "whole margins": [("smaller = 0.9", "smaller = 1"), ("spread = 1.1", "spread = 2")],
    "no rivals": [("rivals = true", "rivals = false")],
    "the rival core": [('"cascading"', '"ternary"')],
    "the rival mechanism": [('emt_core = "cascading"', 'mechanism = "itgb3"')],
    "the other read-out": [('emt_core = "cascading"', 'e_readout = "balance"')],
    "no optional part": [(GOOD[GOOD.index("[verdict]") :], ""), ("seed = 7\n", "")],
    "the largest seed": [("seed = 7", f"seed = {2**63 - 1}")],
    "Windows line ends": [("\n", "\r\n")],
    "a byte-order mark": [("schema = 1", "\ufeffschema = 1")],
    "names in Greek and Japanese": [("block =", '"β1-阻害" ='), ("A study", "β1 と TGFβ")],
    "a name with quotes": [("block =", '\'the "block"\' =')],
    "comments everywhere": [("[arms]", "# arms\n[arms] # here"), ("seed = 7", "seed = 7 # seven")],
    "dotted keys": [("[model]\nemt_core", "[model]\n# dotted\n\"emt_core\"")],
    "arms as tables": [(f"block = [{BLOCK}]\n", ""),
                       ("[verdict]", '[[arms.block]]\ndrug = "anti_itgb1"\ndose = "10 mg/kg"\n'
                        '[verdict]')],
}  # fmt: skip


@pytest.mark.parametrize("changes", CORRECT.values(), ids=CORRECT.keys())
def test_a_correct_variant_is_accepted_without_warning(changes: list[tuple[str, str]]) -> None:
    """And reads back as an equal study from what it writes."""
    text = GOOD
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, -1 if old == "\n" else 1)
    study = Study.loads(text, "good.toml")
    assert [format_problem(warning) for warning in study.warnings] == []
    again = Study.loads(study.to_toml(), "again.toml")
    assert again == study
    assert again.digest() == study.digest()
