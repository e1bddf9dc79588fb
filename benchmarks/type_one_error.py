"""Do the tests that are offered keep their level? Trials in which the treatment does nothing.

``python benchmarks/type_one_error.py --json --trials 10000``

Animals come from generators like the model's own: counts are Poisson with a log-normal mean,
volumes follow the reduced Gompertz law with a log-normal β and calliper error (numbers: catalog
table growth), end points are the first reading above a limit. Every test at 5 % may call at most
5.9 % of 10⁴ null trials significant (5 % and four standard errors, which are more with fewer
trials); the exit status is 1 if one that is offered calls more. Tests that are not offered are
shown beside them (``offered: false``), to say why.
``power`` holds the sample-size formula for counts against the permutation test.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from unmoor.catalog import table
from unmoor.random import Stream
from unmoor.trial.count_test import compare_counts
from unmoor.trial.last_day import compare_last_day
from unmoor.trial.permutation import permutation_test
from unmoor.trial.statistics import compare_growth
from unmoor.trial.survival import hazard_ratio, log_rank

FloatArray = npt.NDArray[np.float64]
SEED = 74
LEVEL = 0.05
SIZES = (5, 8, 10, 20)
BLOCK = 250  # trials simulated at a time; a trial is a function of seed and block
DETECTABLE = 3.0  # standard deviations of the constant calliper error, as ``analyse`` has it
FITS = 25  # one trial in so many is also given to what is slow and for show
FEWER = 4  # scenarios after the first of a kind have so many times fewer trials


@dataclass(frozen=True)
class Counts:
    """Metastases of an animal: Poisson, its mean log-normal; some animals have none at all."""

    name: str
    mean: float
    cv: float
    empty: float = 0.0
    ratio: float = 1.0


@dataclass(frozen=True)
class Volumes:
    """Calliper readings every few days until the last, or until the humane end point."""

    name: str
    spread: float  # of β, times that of the catalog
    every: float  # d
    last: float  # d
    humane: float  # mm³


@dataclass(frozen=True)
class Survival:
    """Days to the humane end point of such animals; some leave the study for other reasons."""

    name: str
    volumes: Volumes
    lost: float = 0.0  # share that leave on a random day


@dataclass(frozen=True)
class Logs:
    """Log volumes of one day, normal; those of the treated are more spread by a factor."""

    name: str
    factor: float


COUNTS = (
    Counts("mean 20, CV 1", 20.0, 1.0),
    Counts("mean 3, CV 1", 3.0, 1.0),
    Counts("mean 0.7, CV 1", 0.7, 1.0),
    Counts("mean 20, CV 2, 30 % without", 20.0, 2.0, 0.3),
)
VOLUMES = (
    Volumes("every 2 d to day 36, humane 1500 mm³", 1.0, 2.0, 36.0, 1500.0),
    Volumes("every 4 d to day 28, β spread doubled", 2.0, 4.0, 28.0, math.inf),
)
SURVIVAL = (
    Survival("most reach it", Volumes("", 1.0, 2.0, 45.0, 1000.0)),
    Survival("few reach it", Volumes("", 1.0, 2.0, 36.0, 1700.0)),
    Survival("weekly checks, 30 % lost", Volumes("", 1.0, 7.0, 45.0, 800.0), 0.3),
)
LOGS = (
    Logs("log volumes, equal spread", 1.0),
    Logs("log volumes, treated spread 2 ×", 2.0),
    Logs("log volumes, treated spread 4 ×", 4.0),
)
Scenario = Counts | Volumes | Survival | Logs


def grown(what: Volumes, seed: int, trials: int, animals: int) -> tuple[FloatArray, FloatArray]:
    """Days, and readings of shape (trials, animals, days) [mm³]."""
    growth = table("closures", "growth")
    days = np.arange(what.last, 0.0, -what.every)[::-1]
    shape = (trials, animals, days.size)
    stream = Stream(seed)
    cv = what.spread * float(growth["beta"].cv or 0.0)
    ids = np.arange(trials * animals, dtype=np.uint64)
    beta = growth["beta"].value * stream.lognormal(ids, "beta", cv).reshape(trials, animals, 1)
    volume = np.exp(growth["k"].value * -np.expm1(-beta * days))
    luck = stream.normal(np.arange(math.prod(shape), dtype=np.uint64), "calliper").reshape(shape)
    error = growth["residual_a"].value + growth["residual_b"].value * volume
    return days, np.maximum(volume + error * luck, growth["smallest_reading"].value)


def counted(what: Counts, seed: int, trials: int, n: int) -> FloatArray:
    """Counts of shape (trials, animals), control first."""
    stream, ids = Stream(seed), np.arange(trials * 2 * n, dtype=np.uint64)
    mean = what.mean * stream.lognormal(ids, "shedding", what.cv).reshape(trials, 2 * n)
    mean[:, n:] *= what.ratio
    mean *= stream.uniform(ids, "take").reshape(mean.shape) >= what.empty
    return stream.poisson(mean, ids.reshape(mean.shape), "metastases").astype(np.float64)


def last_days(
    what: Survival, seed: int, trials: int, animals: int
) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """Last day and whether the end point was reached then, shape (trials, animals)."""
    days, readings = grown(what.volumes, seed, trials, animals)
    over = readings >= what.volumes.humane
    reached = over.any(axis=2)
    day = np.where(reached, days[over.argmax(axis=2)], days[-1])
    ids = np.arange(day.size, dtype=np.uint64)
    leaves = Stream(seed).uniform(ids, "leaves").reshape(day.shape) < what.lost
    when = np.ceil(days[-1] * Stream(seed).uniform(ids, "when")).reshape(day.shape)
    early = leaves & (when < day)
    return np.where(early, when, day), reached & ~early


def count_p(counts: FloatArray, treated: npt.NDArray[np.bool_], full: bool) -> dict[str, float]:
    """p-values; an interval counts as significant if it leaves out 1."""
    p = {"counts: negative binomial, permutation": permutation_test(counts, treated).p}
    if full:
        found = compare_counts(counts, treated)
        p["counts: interval excludes 1 (same level by construction)"] = float(
            found.low <= 1.0 <= found.high
        )
        z = math.log(found.ratio) / found.error if 0.0 < found.ratio < math.inf else 0.0
        p["counts: Wald (not offered)"] = 2.0 * float(special.ndtr(-abs(z)))
    return {name: 1.0 if math.isnan(value) else value for name, value in p.items()}


def growth_p(
    days: FloatArray, readings: FloatArray, treated: npt.NDArray[np.bool_], humane: float
) -> dict[str, float]:
    """p-values of the mixed model and of the last common day."""
    over = readings >= humane
    seen = np.cumsum(over, axis=1) - over == 0
    animal, frame = np.nonzero(seen)
    limit = DETECTABLE * table("closures", "growth")["residual_a"].value
    columns = animal, days[frame], readings[seen], treated[animal], limit
    found, last = compare_growth(*columns), compare_last_day(*columns)
    p = {} if last is None else {"volume: Welch t-test, last common day": last.p}
    if found is None:
        return p
    z = found.rate.estimate / found.rate.error
    return p | {
        "volume: mixed model, growth rate": found.rate.p,
        "volume: mixed model, Satterthwaite without bound (not offered)": 2.0
        * float(special.stdtr(found.rate.satterthwaite, -abs(z))),
        "volume: mixed model, Wald z (not offered)": 2.0 * float(special.ndtr(-abs(z))),
    }


def survival_p(
    day: FloatArray, event: npt.NDArray[np.bool_], treated: npt.NDArray[np.bool_]
) -> dict[str, float]:
    """p-values of log-rank and Cox; the usual ones beside them."""
    rank, cox = log_rank(day, event, treated), hazard_ratio(day, event, treated)
    z = 0.0 if math.isnan(rank.z) else rank.z
    flat = math.isnan(cox.ratio)
    return {
        "survival: log-rank, permutation": rank.p,
        "survival: Cox, permutation": cox.p,
        "survival: Cox interval excludes 1 (same level by construction)": 1.0
        if flat
        else float(cox.low <= 1.0 <= cox.high),
        "survival: log-rank, χ² (not offered)": 2.0 * float(special.ndtr(-abs(z))),
    }


def logs_p(logs: FloatArray, treated: npt.NDArray[np.bool_]) -> dict[str, float]:
    """p-values of the last common day; the pooled test beside it."""
    ids, days = np.arange(logs.size), np.ones(logs.size)
    found = compare_last_day(ids, days, np.exp(logs), treated)
    if found is None:
        return {}
    n = logs.size // 2  # groups of one size: the pooled statistic is that of Welch
    t = -abs(math.log(found.ratio)) / found.error
    return {
        "volume: Welch t-test, last common day": found.p,
        "volume: pooled t-test (not offered)": 2.0 * float(special.stdtr(2 * n - 2, t)),
    }


def block(scenario: Scenario, number: int, trials: int, n: int) -> list[dict[str, float]]:
    """p-values of the trials of one block."""
    seed = SEED + 1000 * number + n
    treated = np.arange(2 * n) >= n
    if isinstance(scenario, Counts):
        counts = counted(scenario, seed, trials, n)
        return [count_p(row, treated, i % FITS == 0) for i, row in enumerate(counts)]
    if isinstance(scenario, Survival):
        day, event = last_days(scenario, seed, trials, 2 * n)
        return [survival_p(*rows, treated) for rows in zip(day, event, strict=True)]
    if isinstance(scenario, Logs):
        ids = np.arange(trials * 2 * n, dtype=np.uint64)
        logs = 0.5 * Stream(seed).normal(ids, "logs").reshape(trials, 2 * n)
        return [logs_p(row, treated) for row in logs * np.where(treated, scenario.factor, 1.0)]
    days, readings = grown(scenario, seed, trials, 2 * n)
    return [growth_p(days, row, treated, scenario.humane) for row in readings]


def shares(
    scenario: Scenario, n: int, trials: int, run: Callable[..., Iterator[list[dict[str, float]]]]
) -> list[dict[str, object]]:
    """Share of null trials that each test calls significant, one row a test."""
    numbers = range(math.ceil(trials / BLOCK))
    sizes = [min(BLOCK, trials - BLOCK * number) for number in numbers]
    called: Counter[str] = Counter()
    tried: Counter[str] = Counter()
    jobs = [scenario] * len(sizes), list(numbers), sizes, [n] * len(sizes)
    for found in run(block, *jobs):
        for row in found:
            tried.update(row.keys())
            called.update(name for name, p in row.items() if p <= LEVEL)
    return [
        {
            "test": name, "scenario": scenario.name, "n": n, "trials": tried[name],
            "share": called[name] / tried[name], "offered": is_offered(name),
        }
        for name in tried
    ]  # fmt: skip


def is_offered(test: str) -> bool:
    """Whether it is a test whose level is promised."""
    return "not offered" not in test and "interval" not in test


def too_bold(row: dict[str, object]) -> bool:
    """Whether a share is more than four standard errors of 5 % above 5 %: 5.9 % at 10⁴ trials."""
    share, trials = float(str(row["share"])), float(str(row["trials"]))
    return share > LEVEL + 4.0 * math.sqrt(LEVEL * (1.0 - LEVEL) / trials)


def sample_size(first: float, second: float, k: float) -> float:
    """Animals an arm for counts of variance μ + kμ², two-sided .05 and power .8 (Wald)."""
    quantiles = float(special.ndtri(0.975) + special.ndtri(0.8))
    spread = 1.0 / first + 1.0 / second + 2.0 * k
    return quantiles**2 * spread / math.log(second / first) ** 2


def power(trials: int) -> list[dict[str, float]]:
    """Power of the permutation test at the size that the formula gives."""
    rows = []
    for first, second, k in ((10.0, 20.0, 0.5), (10.0, 20.0, 1.0), (10.0, 30.0, 1.0)):
        size = sample_size(first, second, k)
        n = math.ceil(size)
        scenario = Counts("", first, math.sqrt(k), ratio=second / first)
        treated, counts = np.arange(2 * n) >= n, counted(scenario, SEED, trials, n)
        found = sum(permutation_test(row, treated).p <= LEVEL for row in counts) / trials
        rows.append({"first": first, "second": second, "k": k, "size": size, "power": found})
    return rows


def main(arguments: Sequence[str] | None = None) -> int:
    """Run and print; 1 if an offered test is too bold."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--trials", type=int, default=10_000)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--only", choices=("counts", "survival", "logs", "volumes"), default=None)
    parser.add_argument("--workers", type=int, default=2)
    chosen = parser.parse_args(arguments)
    kinds: dict[str, Sequence[Scenario]] = {
        "counts": COUNTS, "survival": SURVIVAL, "logs": LOGS, "volumes": VOLUMES,
    }  # fmt: skip
    rows: list[dict[str, object]] = []
    with ProcessPoolExecutor(chosen.workers) as pool:
        for kind, scenarios in kinds.items():
            if chosen.only in (None, kind):
                for i, scenario in enumerate(scenarios):
                    trials = math.ceil(chosen.trials / (FEWER if i else 1))
                    for n in chosen.sizes:
                        rows += shares(scenario, n, trials, pool.map)
                        sys.stderr.write(f"{kind}: {scenario.name}, n {n}\n")
    bold = [row for row in rows if row["offered"] and too_bold(row)]
    report = {
        "seed": SEED, "level": LEVEL, "rows": rows, "too_bold": bold,
        "power": power(2000), "scenarios": [asdict(x) for y in kinds.values() for x in y],
    }  # fmt: skip
    text = json.dumps(report, indent=1, ensure_ascii=False) if chosen.json else written(rows)
    sys.stdout.write(f"{text}\n")
    return 1 if bold else 0


def written(rows: Sequence[dict[str, object]]) -> str:
    """Table in Markdown, percent significant by animals an arm."""
    sizes = sorted({int(str(row["n"])) for row in rows})
    lines = ["| test | scenario | " + " | ".join(f"n {n}" for n in sizes) + " |"]
    lines += ["|" + "---|" * (len(sizes) + 2)]
    cells = {(str(r["test"]), str(r["scenario"]), int(str(r["n"]))): r["share"] for r in rows}
    for test, scenario in dict.fromkeys((t, s) for t, s, _ in cells):
        each = [cells.get((test, scenario, n)) for n in sizes]
        told = ["–" if x is None else f"{100.0 * float(str(x)):.2f}" for x in each]
        lines.append(f"| {test} | {scenario} | " + " | ".join(told) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
