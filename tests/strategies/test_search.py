"""The search for a failing case: what it draws, counts, and shrinks."""

import hashlib
import random
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume
from hypothesis import strategies as st

from reference import Case
from strategies import lstm_cases
from strategies.search import search
from strategies.sizes import FEATURES, sizes
from tests.support.processes import pytest as run_pytest
from tests.support.processes import run as run_program
from tests.support.sources import ROOT

PAIRS = st.tuples(st.sampled_from(range(500)), st.sampled_from(range(30)))

SEED_1 = "d9c72517"
"""The start of the digest of the first cases from seed 1, whatever draws them."""


class TooLarge(Exception):
    pass


def drawn(seed: str, count: int = 20) -> list[tuple[int, int]]:
    seen: list[tuple[int, int]] = []
    search(PAIRS, seen.append, seed=seed, max_examples=count)
    return seen


def digest(seed: str, count: int = 100) -> str:
    """The digest of drawn cases, of which numbers count to three digits.

    They come from NumPy's generator, and the last bits of a few from the system's math library.
    """
    found = hashlib.sha256()

    def add(case: Case) -> None:
        found.update(f"{case!r}{None if case.lengths is None else case.lengths.tolist()}".encode())
        for array in (*case.parameters.values(), case.input):
            found.update(array.astype(np.float16).tobytes())

    assert search(lstm_cases(), add, seed=seed, max_examples=count) == count
    return found.hexdigest()


def test_search_tries_the_simplest_case_first_and_each_case_once() -> None:
    """The number of cases is exact, and cases come from all over the tables."""
    seen = drawn("1", 300)
    assert len(seen) == 300
    assert seen[0] == (0, 0)
    assert len(set(seen)) > 280
    assert min(sum(first in range(at, at + 100) for first, _ in seen) for at in (0, 200, 400)) > 30


def test_search_draws_from_the_seed_alone() -> None:
    """The same seed draws the same, and another one draws others."""
    assert drawn("1") == drawn("1") != drawn("2")
    random.seed(5)
    assert drawn("1") == drawn("1", 30)[:20]


def test_search_draws_the_same_cases_everywhere() -> None:
    """Under each supported Python, Hypothesis and NumPy: the digest is that of all of them."""
    assert digest("1").startswith(SEED_1)


def test_sizes_beyond_the_tables_are_drawn_alike_everywhere() -> None:
    """Hypothesis 6.168 and 6.170 read an integer from 34 to 67 in two ways from the same bytes."""
    seen: list[int] = []
    search(sizes("hidden_size", FEATURES, (34, 67)), seen.append, seed="1", max_examples=6)
    assert seen == [34, 34, 51, 39, 51, 36]


@pytest.mark.parametrize("hash_seed", ["0", "77"])
def test_search_draws_the_same_beside_any_module(hash_seed: str, tmp_path: Path) -> None:
    """A thousand constants that somebody's module holds do not get into the cases."""
    numbers = random.Random(3)
    constants = [*range(600), *(numbers.randrange(2**24) for _ in range(400))]
    (tmp_path / "theirs.py").write_text(f"integers = {constants}\nreals = {[0.1, 2.5, 1e300]}\n")
    code = f"import sys\nsys.path.append({str(ROOT)!r})\nimport theirs\n"
    code += "from tests.strategies.test_search import digest\nprint(digest('1'))"
    run = run_program([sys.executable, "-c", code], tmp_path, PYTHONHASHSEED=hash_seed)
    assert run.stdout.strip() == digest("1"), run.stderr


def test_search_shrinks_what_fails() -> None:
    """The exception is that of the smallest case, and comes from the first failing one."""

    def body(pair: tuple[int, int]) -> None:
        if pair[0] > 10 and pair[1] > 17:
            raise TooLarge(pair)

    with pytest.raises(TooLarge, match=r"\(11, 18\)"):
        search(PAIRS, body, seed="1", max_examples=100)


def test_search_raises_what_does_not_come_again() -> None:
    """An exception for a case that then passes is raised all the same."""
    seen: list[tuple[int, int]] = []

    def body(pair: tuple[int, int]) -> None:
        seen.append(pair)
        if len(seen) == 7:
            raise TooLarge

    with pytest.raises(TooLarge):
        search(PAIRS, body, seed="1", max_examples=100)
    assert seen[:7] == drawn("1", 7)


def test_search_does_not_shrink_an_interrupt() -> None:
    """What is no Exception ends the search at once."""
    seen: list[tuple[int, int]] = []

    def body(pair: tuple[int, int]) -> None:
        seen.append(pair)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        search(PAIRS, body, seed="1", max_examples=100)
    assert len(seen) == 1


def test_search_counts_the_cases_that_meet_the_conditions() -> None:
    """Others are replaced by further ones, within reason."""
    seen: list[tuple[int, int]] = []

    def body(pair: tuple[int, int]) -> None:
        assume(pair[1] % 2)
        seen.append(pair)

    assert search(PAIRS, body, seed="1", max_examples=50) == len(seen) == 50
    assert search(PAIRS, lambda _: assume(False), seed="1", max_examples=50) == 0


def test_search_shrinks_where_pytest_is_given_a_seed(tmp_path: Path) -> None:
    """Hypothesis has no database then, unless a test has a key of its own."""
    (tmp_path / "test_it.py").write_text(
        f"import sys\nsys.path.append({str(ROOT)!r})\n"
        "from tests.strategies import test_search\n"
        "def test_it():\n"
        "    test_search.test_search_shrinks_what_fails()\n"
    )
    run = run_pytest("--hypothesis-seed=3", "test_it.py", folder=tmp_path)
    assert "1 passed" in run.stdout, run.stdout + run.stderr
