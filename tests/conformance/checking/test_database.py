"""Failures that runs hand to each other."""

import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conformance import PROFILES, Budget, Failed, Passed, UsageError, check
from conformance.checking.budget import DEFAULT
from conformance.checking.database import Database, opened
from conformance.requirements import REQUIREMENTS
from reference import Case, Result
from tests.support.cases import RoundedReference
from tests.support.processes import SPECIMENS, command
from tests.support.reports import report

CLAIM = REQUIREMENTS["results_match_reference"]


def negated_in_three_layers(case: Case, result: Result) -> Result:
    """Wrong in a few cases only."""
    wrong = case.configuration.num_layers == 3 and case.configuration.bidirectional
    return Result(result.output, -result.h_n, result.c_n) if wrong else result


@pytest.fixture
def redis() -> Iterator[str]:
    """The address of a Redis server."""
    fakeredis = pytest.importorskip("fakeredis")
    if sys.version_info < (3, 11):
        pytest.skip("fakeredis has servers from Python 3.11 on")
    server = fakeredis.TcpFakeServer(("127.0.0.1", 0))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"redis://127.0.0.1:{server.server_address[1]}/0"
    server.shutdown()
    server.server_close()


def decided(place: str, change: Any = negated_in_three_layers, **budget: Any) -> Any:
    return check(CLAIM, RoundedReference(change), budget=Budget(database=opened(place), **budget))


def hands_on(place: str) -> None:
    """What is asked of every kind of database."""
    first = decided(place, seed=1)
    assert isinstance(first, Failed)
    assert first.cases > 1
    second = decided(place, seed=2)
    assert isinstance(second, Failed)
    assert second.cases == 1
    assert decided(place, seed=3, max_examples=1).cases == 1


def test_failure_is_found_with_the_first_case_of_the_next_run(tmp_path: Path) -> None:
    """Whatever its seed is."""
    hands_on(str(tmp_path))


@pytest.mark.slow
def test_failure_is_handed_on_by_redis(redis: str) -> None:
    """As by a folder."""
    hands_on(redis)


@pytest.mark.slow
def test_cases_of_the_database_are_no_part_of_the_effort(tmp_path: Path) -> None:
    """What is mended passes with the cases of its seed, and is forgotten."""
    alone = check(CLAIM, RoundedReference(), budget=Budget(PROFILES["quick"], seed=2))
    assert decided(str(tmp_path), seed=1).cases > 1
    for _ in range(2):
        mended = decided(str(tmp_path), lambda _, result: result, seed=2, max_examples=20)
        assert isinstance(mended, Passed)
        assert (mended.cases, mended.cases_digest) == (alone.cases, alone.cases_digest)
        assert mended.largest_share == alone.largest_share
    assert decided(str(tmp_path), seed=1).cases > 1


@pytest.mark.slow
def test_failure_of_another_implementation_or_support_is_not_tried(tmp_path: Path) -> None:
    """The same bytes mean other cases there."""
    decided(str(tmp_path), seed=1)
    other = RoundedReference(negated_in_three_layers)
    other.name = "other"
    budget = Budget(seed=1, database=opened(str(tmp_path)))
    assert check(CLAIM, other, budget=budget).cases > 1


@pytest.mark.slow
def test_database_that_fails_costs_nothing_else() -> None:
    """Whatever it raises, verdict and cases are those without it."""

    class Gone:
        def fetch(self, _: bytes) -> Any:
            raise ConnectionError

        save = delete = fetch

    database: Any = Database(Gone())  # type: ignore[arg-type]
    assert DEFAULT.database is None
    for change in (negated_in_three_layers, lambda _, result: result):
        lstm = RoundedReference(change)
        ours = check(CLAIM, lstm, budget=Budget(seed=1, database=database))
        plain = check(CLAIM, lstm, budget=Budget(seed=1))
        assert (ours.outcome, ours.cases_digest) == (plain.outcome, plain.cases_digest)


def test_strange_contents_are_not_taken_for_cases(tmp_path: Path) -> None:
    """What others write into a shared database is data."""
    database = opened(str(tmp_path))
    database.keep("key", "1:claim:2")
    for strange in (b"\xff\x00", b"x" * 1000):
        database._examples.save(b"key", strange)
    assert database.recall("key") == ["1:claim:2"]


def test_server_that_does_not_answer_is_wrong_usage() -> None:
    """In one line, before anything is verified."""
    pytest.importorskip("redis")
    with pytest.raises(UsageError, match=r"^--database redis://127.0.0.1:1/0 cannot be opened: "):
        opened("redis://127.0.0.1:1/0")


@pytest.mark.slow
@pytest.mark.parametrize("workers", [0, 2])
def test_option_hands_failures_on(workers: int, tmp_path: Path) -> None:
    """From one run of the command to the next, in one process or in several."""
    for seed, first in ((1, False), (2, True)):
        run = command(
            *("verify", f"{SPECIMENS}:ForgetsBiasHH", "--requirement", CLAIM.name),
            *("--database", "shared", "--seed", seed, "-n", workers, "--json", "report.json"),
            folder=tmp_path,
        )
        assert run.returncode == 1, run.stdout + run.stderr
        (verdict,) = (
            each
            for each in report(tmp_path / "report.json")["verdicts"]
            if each["outcome"] == "failed"
        )
        assert (verdict["cases"] == 1) == first
