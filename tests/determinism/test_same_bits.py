"""The same study gives the same bits, whoever runs it and in whatever order and company.

Each family of checks ends with planted bugs: what would break the promise must be caught.
"""

from __future__ import annotations

import json
import multiprocessing
import random
import re
import shutil
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from small_study import KNOCK_DOWN, LATE, SMALL, digests, environment, fresh_run, small_study
from unmoor import catalog
from unmoor.assays import preparation, xenograft_assay
from unmoor.catalog import draws
from unmoor.catalog.draws import Draw
from unmoor.cell.line import CellLine, Structure
from unmoor.compilation import cache_folder
from unmoor.random import Stream
from unmoor.trial import chunks, run
from unmoor.trial.chunks import Arrays, Chunk, compute
from unmoor.trial.result import Result
from unmoor.trial.study import Study

WHOLE = {
    "uncertainty.draws": 50,
    "uncertainty.rivals": "true",
    "assays[0].duration": "7 d",
}
TABLES = ("outcomes", "effects", "draws", "structures", "timecourses")
ARM_PLACES = ('"vehicle" = []', '"knock-down', "[uncertainty]")
ARRAYS_OF_A_BATCH = {"times", "days"}
README = Path(__file__).parents[2] / "README.md"
IN_A_NEW_PROCESS = """
import json, sys
from pathlib import Path
import unmoor.random
if "hash()" in sys.argv:
    unmoor.random._hash64 = lambda text: hash(text) % 2**64
from small_study import SMALL, digests, sha256, small_study
from unmoor.compilation import cache_folder
found = {}
for options in json.loads(sys.argv[1]):
    found[json.dumps(options)] = digests(small_study(SMALL, options).run(workers=2))
code = sorted((cache_folder() / "networks").glob("*.o"))
found["code"] = {path.name: sha256(path.read_bytes()) for path in code}
print(json.dumps(found))
"""


class Shuffled(Executor):
    """Does what it was given in random order, once nothing more comes or enough is there."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._pending: list[tuple[Future[Any], Callable[[], Any]]] = []
        self._came = threading.Event()
        self._ended = False
        self._thread = threading.Thread(target=self._work)
        self._thread.start()
        self.order: list[int] = []
        self._count = 0

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Take a piece of work."""
        future: Future[Any] = Future()
        number = self._count
        self._count += 1

        def work() -> Any:
            self.order.append(number)
            return fn(*args, **kwargs)

        self._pending.append((future, work))
        self._came.set()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End when all is done."""
        self._ended = True
        self._came.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._ended or self._pending:
            self._came.clear()
            if self._came.wait(0.02):  # more may come
                continue
            while self._pending:
                number = self._random.randrange(len(self._pending))
                future, work = self._pending.pop(number)
                future.set_running_or_notify_cancel()
                try:
                    future.set_result(work())
                except BaseException as error:
                    future.set_exception(error)


@pytest.fixture(scope="module")
def whole() -> Study:
    """A study with all structures of the model, in 18 chunks."""
    return small_study(settings=WHOLE)


@pytest.fixture(scope="module")
def expected(whole: Study) -> dict[str, str]:
    """Digests of its tables, run chunk after chunk."""
    return digests(fresh_run(whole, workers=1))


@pytest.fixture(scope="module")
def small() -> Result:
    """The small study without rivals."""
    return fresh_run(small_study(), workers=2)


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    """No test sees what another one left in memory, least of all a planted bug."""
    draws._draw.cache_clear()
    yield
    draws._draw.cache_clear()


# ---------------------------------------------------------------- workers, order, chunks


@pytest.mark.parametrize("workers", [2, 5, 40])
def test_threads_change_nothing(whole: Study, expected: dict[str, str], workers: int) -> None:
    """Nor do more than twice as many threads as there are chunks."""
    assert digests(fresh_run(whole, workers=workers)) == expected


def test_processes_change_nothing(whole: Study, expected: dict[str, str]) -> None:
    """Each process starts from nothing but the study."""
    context = multiprocessing.get_context("forkserver")
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        assert digests(fresh_run(whole, executor=pool)) == expected


def check_any_order(study: Study, expected: dict[str, str]) -> None:
    """Chunks in random order, all of them handed out at once."""
    for seed in (1, 2):
        with Shuffled(seed) as pool:
            found = digests(fresh_run(study, executor=pool, workers=1000))
        assert pool.order != sorted(pool.order)
        assert found == expected


def test_order_changes_nothing(whole: Study, expected: dict[str, str]) -> None:
    """Chunks that are done and returned in random order give the same tables."""
    check_any_order(whole, expected)


def check_chunk_size(study: Study, expected: dict[str, str], size: int) -> None:
    """Cut the draws into other blocks."""
    before = {chunk.key for chunk in chunks.plan(study)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chunks, "_DRAWS", size)
        assert {chunk.key for chunk in chunks.plan(study)} != before
        assert digests(fresh_run(study, workers=2)) == expected


@pytest.mark.parametrize("size", [7, 1000])
def test_chunk_size_changes_nothing(whole: Study, expected: dict[str, str], size: int) -> None:
    """Blocks of draws that fit badly, or one block for all."""
    check_chunk_size(whole, expected, size)


def test_chunks_of_one_draw_change_nothing(small: Result) -> None:
    """The smallest chunk there is."""
    check_chunk_size(small.study, digests(small), 1)


# ---------------------------------------------------------------- processes and scripts


def in_new_processes(
    options: list[dict[str, object]], seeds: range, caches: Path | None, *more: str
) -> list[dict[str, dict[str, str]]]:
    """Digests of the small study with options, from side-by-side processes with hash seeds.

    With ``caches``, each generates the code of the networks anew and keeps it there.
    """
    running = []
    for seed in seeds:
        changes: dict[str, object] = {"PYTHONHASHSEED": seed}
        if caches is not None:
            base = caches / f"{seed}"
            unused = shutil.ignore_patterns("networks")
            shutil.copytree(cache_folder(), base / cache_folder().name, ignore=unused)
            changes["NUMBA_CACHE_DIR"] = base
        command = [sys.executable, "-c", IN_A_NEW_PROCESS, json.dumps(options), *more]
        running.append(
            subprocess.Popen(command, env=environment(**changes), stdout=subprocess.PIPE)
        )
    outputs = [process.communicate()[0] for process in running]
    assert [process.returncode for process in running] == [0] * len(running)
    return [json.loads(output) for output in outputs]


def test_hash_seeds_change_nothing(tmp_path: Path) -> None:
    """Neither numbers nor generated code depend on the order of sets, or on what ran before."""
    options: dict[str, object] = {"model.emt_core": "ternary", "uncertainty.draws": 2}
    expected = digests(fresh_run(small_study(settings=options)))
    first, *others = in_new_processes([options], range(3), tmp_path)
    assert len(first["code"]) == 1
    assert others == [first, first]
    assert first[json.dumps(options)] == expected


def readme_example() -> str:
    """The first Python example of the README."""
    found = re.search(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    assert 'Study.load("truong2014")' in found[1]
    return found[1]


@pytest.mark.parametrize("way", ["script", "standard input"])
def test_the_example_of_the_readme_runs(small: Result, tmp_path: Path, way: str) -> None:
    """It needs no main guard and no file, and gives the bits that any other run gives.

    A folder of the name of the catalog's study stands for it, since that one takes long.
    """
    (tmp_path / "truong2014").mkdir()
    (tmp_path / "truong2014" / "study.toml").write_text(SMALL, encoding="utf-8")
    code = readme_example() + "from small_study import digests\nprint(digests(result))\n"
    (tmp_path / "example.py").write_text(code, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "example.py" if way == "script" else "-"],
        input=code if way == "standard input" else "",
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == str(digests(small))
    assert (tmp_path / "report.html").stat().st_size > 10_000


# ---------------------------------------------------------------- company


def rows(result: Result, table: str) -> Counter[str]:
    """Rows of a table as text, which tells two floats apart by any bit."""
    return Counter(result.tables()[f"{table}.csv"].splitlines())


def check_rows_stay(before: Result, after: Result, tables: tuple[str, ...] = TABLES) -> None:
    """All rows of one result are in another one, bit for bit."""
    more = 0
    for table in tables:
        earlier, later = rows(before, table), rows(after, table)
        gone = earlier - later
        assert not gone, f"{table}: {sum(gone.values())} rows changed, such as {min(gone)}"
        more += (later - earlier).total()
    assert more > 0


def with_arm_before(place: str, content: str = LATE) -> Study:
    """The small study with one more arm."""
    assert place in SMALL
    return small_study(SMALL.replace(place, f'"one more" = [{content}]\n{place}', 1))


@pytest.mark.parametrize("place", ARM_PLACES)
def test_one_more_arm_changes_no_effect(small: Result, place: str) -> None:
    """Wherever it stands in the study."""
    check_rows_stay(small, fresh_run(with_arm_before(place)), ("effects",))


@pytest.mark.parametrize("place", ARM_PLACES)
@pytest.mark.parametrize("content", [LATE, "", KNOCK_DOWN], ids=["late", "none", "twin"])
def test_one_more_arm_changes_no_animal(small: Result, place: str, content: str) -> None:
    """Wherever it stands in the study, and whether or not its treatment is that of another arm."""
    tables = tuple(table for table in TABLES if table != "effects")
    check_rows_stay(small, fresh_run(with_arm_before(place, content)), tables)


def check_animals(animals: tuple[int, ...]) -> None:
    """Studies of different size have their first animals, and their tumours' days, in common."""
    results = [fresh_run(small_study(settings={"assays[0].animals": n})) for n in animals]
    for before, after in pairwise(results):
        check_rows_stay(before, after, ("outcomes", "timecourses"))


def test_one_more_animal_changes_no_other() -> None:
    """Not the second, not the third, nor those beyond the pool of the reference set."""
    check_animals((1, 2, 3, chunks.POOL + 1))


def test_one_more_line_changes_no_other(small: Result) -> None:
    """Before or after the others, under whatever structure."""
    for lines in ('"HCC1806", "4T1", "MDA-MB-231"', '"4T1", "MDA-MB-231", "HCC1806"'):
        more = SMALL.replace('"4T1", "MDA-MB-231"', lines, 1)
        check_rows_stay(small, fresh_run(small_study(more)))


def test_a_line_alone_is_what_it_is_among_others(small: Result) -> None:
    """A study of one line is the part of a larger one."""
    text = SMALL.replace('"4T1", "MDA-MB-231"', '"4T1"', 1)
    check_rows_stay(fresh_run(small_study(text)), small)


def test_one_more_assay_changes_no_other(small: Result) -> None:
    """A later read-out beside the first one."""
    assay = SMALL[SMALL.index("[[assays]]") : SMALL.index("[arms]")]
    later = assay.replace("14 d", "17 d").replace("[[assays]]", '[[assays]]\nlabel = "later"')
    check_rows_stay(small, fresh_run(small_study(SMALL.replace("[arms]", f"{later}[arms]", 1))))


def test_more_draws_or_rivals_change_no_other(small: Result) -> None:
    """Rows of the first draws stay; shares and intervals are of all draws and do not."""
    for settings in ({"uncertainty.draws": 13}, {"uncertainty.rivals": "true"}):
        check_rows_stay(small, fresh_run(small_study(settings=settings)), ("outcomes", "draws"))
    one = fresh_run(small_study(settings={"uncertainty.draws": 1, "assays[0].animals": 1}))
    two = fresh_run(small_study(settings={"uncertainty.draws": 2, "assays[0].animals": 1}))
    check_rows_stay(one, two, ("outcomes", "draws"))


def same_arrays(one: Arrays, many: Arrays, places: list[int]) -> bool:
    """Whether a chunk is what stands at some places of a larger one, bit for bit."""
    assert one.keys() == many.keys()
    return all(
        one[name].tobytes() == (x if name in ARRAYS_OF_A_BATCH else x[places]).tobytes()
        for name, x in many.items()
    )


def check_draw_alone(study: Study) -> None:
    """Every draw of a chunk, and some of them together, against the whole chunk."""
    for core, is_rival in (("cascading", False), ("ternary", True)):
        batch = Chunk(0, "4T1", Structure(core), 1, 12, is_rival)
        many = compute(study, batch)
        for first, last in [(n, n) for n in range(1, 13)] + [(2, 5), (9, 12)]:
            draws._draw.cache_clear()
            part = compute(study, replace(batch, first=first, last=last))
            assert same_arrays(part, many, list(range(first - 1, last))), (core, first, last)


def test_a_draw_alone_is_what_it_is_in_any_batch() -> None:
    """Each array of a chunk, courses included, for both cores."""
    check_draw_alone(small_study())


def test_a_draw_that_fails_leaves_the_others_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its row tells so, and no other row is touched."""
    study, batch = small_study(), Chunk(0, "4T1", Structure(), 1, 6, is_rival=False)
    expected = compute(study, batch)
    failing = chunks.draw_sets(study, Structure(), [3])[0].number
    real = preparation.network_values

    def values(draw: Draw, *more: Any) -> dict[str, float]:
        found = real(draw, *more)
        return found | {"k_int": float("nan")} if draw.number == failing else found

    monkeypatch.setattr(preparation, "network_values", values)
    found = compute(study, batch)
    assert found["status"].any(axis=1).tolist() == [False, False, True, False, False, False]
    others = [0, 1, 3, 4, 5]
    assert all(
        found[name][others].tobytes() == x[others].tobytes()
        for name, x in expected.items()
        if name not in ARRAYS_OF_A_BATCH
    )


def check_luck(study: Study) -> None:
    """No two animals, draws or arms share the error of a measurement or a growth rate."""
    arrays = compute(study, Chunk(0, "4T1", Structure(), 1, 12, is_rival=False))
    numbers = catalog.table("closures", "growth")
    error = numbers["residual_a"].value + numbers["residual_b"].value * arrays["volume"]
    scores = (arrays["reading"] - arrays["volume"]) / error
    scores = scores[arrays["reading"] > numbers["smallest_reading"].value].round(9)
    assert scores.size > 50
    assert len(np.unique(scores)) == scores.size
    assert len(np.unique(arrays["volume"])) == arrays["volume"].size


def test_no_two_animals_share_their_luck() -> None:
    """The same bits everywhere would be no merit if they were the same for everyone."""
    check_luck(small_study(settings={"assays[0].animals": 5}))


# ---------------------------------------------------------------- names and places


def own_line(folder: Path, name: str) -> None:
    """Copy 4T1 into a catalog beside a study, under a name of one's own."""
    copy = folder / "catalog" / "cell_lines" / name
    shutil.copytree(catalog.find("cell_lines", "4T1"), copy)
    about = copy / "about.toml"
    text = about.read_text(encoding="utf-8").replace('name = "4T1"', f'name = "{name}"')
    about.write_text(text, encoding="utf-8")


def check_renamed(expected: Result, folder: Path, name: str) -> None:
    """4T1 under another name has the same numbers in every row of every table."""
    own_line(folder, name)
    text = SMALL.replace('"4T1"', f'"{name}"')
    found = fresh_run(Study.loads(text, beside=folder))
    assert name in set(found.outcomes["cell_line"])
    for table in (f"{table}.csv" for table in TABLES):
        assert found.tables()[table].replace(name, "4T1") == expected.tables()[table]


@pytest.mark.parametrize("name", ["Zeta-9", "a line of ours", "4T1-β"])
def test_a_line_renamed_has_the_same_numbers(small: Result, tmp_path: Path, name: str) -> None:
    """Its levels alone decide, not what its folder is called."""
    check_renamed(small, tmp_path, name)


GROWTH = "0.0775\t1/d\t0.07421\t0.08079", "0.09\t1/d\t0.089\t0.091"


def own_growth(folder: Path, *, is_faster: bool) -> Path:
    """A study whose own catalog says how fast tumours grow."""
    table = catalog.find("closures", "growth") / "parameters.tsv"
    copy = folder / "catalog" / "closures" / "growth"
    if not copy.exists():
        shutil.copytree(table.parent, copy)
    text = table.read_text(encoding="utf-8")
    assert GROWTH[0] in text
    changed = text.replace(*GROWTH) if is_faster else text
    (copy / "parameters.tsv").write_text(changed, encoding="utf-8")
    (folder / "study.toml").write_text(SMALL, encoding="utf-8")
    return folder / "study.toml"


def volumes(study: Study) -> list[float]:
    """Tumour volumes, by whatever this process remembers."""
    found: list[float] = study.run().outcomes["tumour_volume_true"].tolist()
    return found


def test_a_table_edited_between_two_runs_counts(tmp_path: Path) -> None:
    """In one process, as in a notebook."""
    slow = volumes(Study.load(own_growth(tmp_path, is_faster=False)))
    edited = volumes(Study.load(own_growth(tmp_path, is_faster=True)))
    draws._draw.cache_clear()
    assert edited == volumes(Study.load(tmp_path / "study.toml"))
    assert edited != slow


def test_the_folder_one_is_in_does_not_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two studies given by relative paths in two folders, each with numbers of its own."""
    folders = tmp_path / "slow", tmp_path / "fast"
    studies = []
    for folder in folders:
        folder.mkdir()
        path = own_growth(folder, is_faster=folder.name == "fast")
        monkeypatch.chdir(folder)
        studies.append((Study.load(path.name), Study.load(path)))
    for relative, absolute in studies:
        assert volumes(relative) == volumes(absolute)
    assert volumes(studies[0][1]) != volumes(studies[1][1])


# ---------------------------------------------------------------- planted bugs


class StatefulStream(Stream):
    """As a generator that goes on where the last caller stopped."""

    calls = 0

    def uniform(self, ids: Any, purpose: str, step: int = 0) -> Any:
        """Numbers that depend on how many were drawn before."""
        StatefulStream.calls += 1
        return super().uniform(ids, purpose, step + StatefulStream.calls)


class BatchStream(Stream):
    """As a generator that fills an array from its end, so that its length counts."""

    def uniform(self, ids: Any, purpose: str, step: int = 0) -> Any:
        """Numbers that depend on how many are drawn at once."""
        return super().uniform(ids, purpose, step)[::-1]


class CountingStream(Stream):
    """As if arms were told apart by their place."""

    @property
    def _told(self) -> dict[str, int]:
        return self.__dict__.setdefault("told", {})

    def normal(self, ids: Any, purpose: str, step: int = 0) -> Any:
        """Numbers of the first, second … arm."""
        number = self._told.setdefault(purpose, len(self._told))
        return super().normal(ids, f"calliper/{number}", step)


def plant_stateful(patch: pytest.MonkeyPatch) -> None:
    """Numbers depend on the order of work."""
    patch.setattr(xenograft_assay, "Stream", StatefulStream)


def plant_batch(patch: pytest.MonkeyPatch) -> None:
    """Numbers of an animal depend on how many there are."""
    patch.setattr(xenograft_assay, "Stream", BatchStream)


def plant_arm_places(patch: pytest.MonkeyPatch) -> None:
    """Numbers of an arm depend on its place."""
    patch.setattr(xenograft_assay, "Stream", CountingStream)


def plant_no_draw(patch: pytest.MonkeyPatch) -> None:
    """All draws share their numbers."""
    patch.setattr(xenograft_assay, "Stream", lambda seed, draw: Stream(seed))


def plant_places_in_chunk(patch: pytest.MonkeyPatch) -> None:
    """A draw is known by its place in the chunk."""
    real = chunks.draw_sets

    def draw_sets(study: Study, structure: Structure, numbers: range) -> list[Draw]:
        return real(study, structure, [number - numbers[0] + 1 for number in numbers])

    patch.setattr(chunks, "draw_sets", draw_sets)


def plant_line_names(patch: pytest.MonkeyPatch) -> None:
    """A line's numbers depend on its name."""
    patch.setattr(CellLine, "_content", property(lambda line: line.name))


def plant_mixed_up(patch: pytest.MonkeyPatch) -> None:
    """Results are taken for those of the chunks in the order of the plan."""

    def completed(pool: Executor, work: Callable[..., Any], todo: list[Chunk], *_: int) -> Any:
        futures = [pool.submit(work, chunk) for chunk in todo]
        waiting = [chunk for chunk in todo if chunk.cell_line == "4T1" and chunk.first > 0]
        for future in as_completed(futures):
            chunk = todo[futures.index(future)]
            mixed = chunk.cell_line == "4T1" and chunk.first > 0
            yield (waiting.pop(0) if mixed else chunk), future.result()

    patch.setattr(run, "completed", completed)


def small_in_any_order() -> None:
    """Chunks of the small study, cut finely, in random order."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chunks, "_DRAWS", 2)
        study = small_study()
        check_any_order(study, digests(fresh_run(study, workers=1)))


def small_in_other_chunks() -> None:
    """The small study with another size of chunk."""
    study = small_study()
    check_chunk_size(study, digests(fresh_run(study, workers=1)), 5)


def small_with_an_arm() -> None:
    """The small study with an arm before all others."""
    tables = ("outcomes", "draws")
    check_rows_stay(fresh_run(small_study()), fresh_run(with_arm_before('"vehicle" = []')), tables)


PLANTED: list[tuple[Callable[[pytest.MonkeyPatch], None], Callable[[], None]]] = [
    (plant_stateful, small_in_any_order),
    (plant_mixed_up, small_in_any_order),
    (plant_places_in_chunk, small_in_other_chunks),
    (plant_places_in_chunk, lambda: check_draw_alone(small_study())),
    (plant_batch, lambda: check_animals((2, 3))),
    (plant_arm_places, small_with_an_arm),
    (plant_no_draw, lambda: check_luck(small_study())),
]


@pytest.mark.parametrize(("plant", "check"), PLANTED)
def test_planted_bugs_are_caught(
    monkeypatch: pytest.MonkeyPatch,
    plant: Callable[[pytest.MonkeyPatch], None],
    check: Callable[[], None],
) -> None:
    """Each of these checks passes above and fails here."""
    plant(monkeypatch)
    with pytest.raises(AssertionError):
        check()


def test_a_planted_line_name_is_caught(
    small: Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Random numbers named after the line are not those of the same line renamed."""
    plant_line_names(monkeypatch)
    with pytest.raises(AssertionError):
        check_renamed(small, tmp_path, "Zeta-9")


def test_a_planted_hash_is_caught(small: Result) -> None:
    """Python's own hash of a text differs between processes."""
    (found,) = in_new_processes([{}], range(1), None, "hash()")
    assert found["{}"].keys() == digests(small).keys()
    assert found["{}"] != digests(small)
