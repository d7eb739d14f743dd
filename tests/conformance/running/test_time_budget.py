"""A run that is to take a given time."""

import time
from pathlib import Path

import pytest

from conformance import REQUIREMENTS, Budget
from conformance.checking.budget import LEAST
from conformance.running.deciding import check
from conformance.running.dividing import ENDING, STARTING, Division, cost, divided
from tests.support.cases import RoundedReference
from tests.support.processes import command
from tests.support.reports import report

ITEMS = {(name, "mine", "cpu"): each for name, each in REQUIREMENTS.items() if not each.costly}
AROUND = STARTING + ENDING
LEAST_OF_ALL = sum(cost(each).seconds * LEAST for each in ITEMS.values())


@pytest.mark.parametrize("workers", [1, 4])
def test_time_is_divided_completely(workers: int) -> None:
    """What catches much for what it costs comes first; each has time for the fewest cases."""
    seconds = LEAST_OF_ALL * 5 / workers
    division = divided(ITEMS, seconds + AROUND, workers)
    assert not division.left_out
    assert sum(division.seconds.values()) == pytest.approx(seconds * workers)
    assert all(
        granted > cost(ITEMS[key]).seconds * LEAST for key, granted in division.seconds.items()
    )
    first = next(iter(division.seconds))
    assert not ITEMS[first].should
    assert cost(ITEMS[first]).caught > 0


@pytest.mark.parametrize("share", [0.9, 0.5, 0.1, 0.01])
def test_should_is_left_out_before_any_must(share: float) -> None:
    """Where a must is left out, so is every should; what is kept fits."""
    division = divided(ITEMS, LEAST_OF_ALL * share + AROUND, 1)
    assert division.left_out
    assert {*division.left_out} | {*division.seconds} == {*ITEMS}
    assert not {*division.left_out} & {*division.seconds}
    assert sum(division.seconds.values()) <= LEAST_OF_ALL * share * (1 + 1e-9)
    if not all(ITEMS[key].should for key in division.left_out):
        assert not any(ITEMS[key].should for key in division.seconds)


def test_no_time_leaves_everything_out() -> None:
    """Starting and ending take time as well."""
    assert {*divided(ITEMS, AROUND, 2).left_out} == {*ITEMS}


def test_item_gets_its_share_of_what_is_left() -> None:
    """However long the others took; the last one gets all of it, and none after the end."""
    a, b, c = ((name, "mine", "cpu") for name in "abc")
    division = Division({a: 1.0, b: 1.0, c: 2.0}, [])
    end = time.monotonic() + ENDING + 1000
    assert division.granted(a, [], end, 1) == pytest.approx(250, abs=20)
    assert division.granted(a, [], end, 2) == pytest.approx(500, abs=20)
    assert division.granted(c, [a], end, 1) == pytest.approx(667, abs=20)
    assert division.granted(c, [a, b], end, 2) == pytest.approx(1000, abs=20)
    assert division.granted(c, [a, b], time.monotonic(), 1) == 0
    assert division.granted(("d", "mine", "cpu"), [], end, 1) == 0


def test_search_ends_when_its_time_is_up() -> None:
    """After the fewest cases; with time, after more than the budget without it."""
    requirement = REQUIREMENTS["h_n_is_last_output"]
    short = check(requirement, RoundedReference(), budget=Budget(50, 1, seconds=1e-6))
    assert short.cases == LEAST
    few = check(requirement, RoundedReference(), budget=Budget(2, 1, seconds=1e-6))
    assert few.cases == 2
    long = check(requirement, RoundedReference(), budget=Budget(4, 1, seconds=1e6, stretch=3))
    assert long.cases == 12
    each = check(
        REQUIREMENTS["activations_are_accurate"],
        RoundedReference(),
        budget=Budget(9, 1, seconds=1e-6),
    )
    assert each.conformant


@pytest.mark.slow
def test_run_without_time_names_what_it_leaves_out(tmp_path: Path) -> None:
    """And is no green, as nothing was checked."""
    names = ("cell_matches_equations", "repr_tells_the_sizes")
    asked = [word for name in names for word in ("--requirement", name)]
    words = ("--time-budget", "1s", "-n", 0, "--json", "report.json")
    run = command("verify", "torch.nn.LSTMCell", *asked, *words, folder=tmp_path)
    assert run.returncode == 3, run.stdout + run.stderr
    assert f"left out by the time budget: {', '.join(names)}" in run.stdout
    assert run.stdout.rstrip().endswith("without 1 must that the time budget left out")
    written = report(tmp_path / "report.json")
    assert written["run"]["left_out"] == list(names)
    assert (written["complete"], written["conformant"]) == (True, False)


@pytest.mark.slow
def test_run_with_time_draws_more_cases(tmp_path: Path) -> None:
    """More than the profile, and none is left out."""
    names = ("cell_matches_equations", "h_n_is_last_output", "device_and_cpu_agree")
    asked = [word for name in names for word in ("--requirement", name)]
    words = ("--time-budget", "1m", "--profile", "quick", "-n", 2, "--json", "report.json")
    run = command("verify", "torch.nn.LSTMCell", *asked, *words, folder=tmp_path)
    assert run.returncode == 0, run.stdout + run.stderr
    written = report(tmp_path / "report.json")
    assert written["run"]["left_out"] == []
    passed = [each for each in written["verdicts"] if each["outcome"] == "passed"]
    assert len(passed) == 2
    assert all(LEAST <= each["cases"] <= 200 for each in passed)
