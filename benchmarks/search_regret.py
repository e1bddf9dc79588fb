"""Does the search find the best treatment where it is known? Regret over generated problems.

``python benchmarks/search_regret.py --json --problems 100``

Problems have the shape of tumour and spread over doses and days: half have their best in closed
form, on the edge of what is allowed, with interacting axes, a plateau and a lower valley that is
forbidden; half are Hill curves of a drug that shrinks and switches and one that prevents it unless
it comes late, whose best is found on a fine mesh by other code (``tests/planted_problems.py``).
The search is that of a study, with its 200 treatments; only what says what a treatment does is
exchanged. Regret is how much more spreads under the best that was found than under the best there
is, by the quantile over draws that is judged. At least 95 in 100 have to stay within 5 %; the exit
status is 1 if fewer do. The problems of seed 11 were seen while the search was made; other seeds
are a fairer test.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

MOST, WITHIN = 0.05, 0.95


def say(text: str) -> None:
    """Write a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--problems", type=int, default=100)
    parser.add_argument("--seed", type=int, default=11, help="of the problems")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    import numpy as np

    from planted_problems import problems
    from planted_search import planted_search

    found = {}
    for number, problem in enumerate(problems(given.problems, given.seed)):
        found[problem.name] = planted_search(problem, number)[0]
        if not given.json:
            say(f"{problem.name}: regret {found[problem.name]:.4f}")
    regrets = np.array(list(found.values()))
    share = float(np.mean(regrets <= MOST))
    figures = {
        "problems": len(regrets),
        "within_5_percent": share,
        "median": float(np.median(regrets)),
        "largest": float(regrets.max()),
        "missed": {name: value for name, value in found.items() if value > MOST},
    }
    say(json.dumps(figures) if given.json else f"within 5 %: {share:.0%}; {figures['missed']}")
    return 0 if share >= WITHIN else 1


if __name__ == "__main__":
    sys.exit(main())
