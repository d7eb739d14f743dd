"""The floor below which a green is refused."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import pytest

from conformance import Budget, Failed, Passed, Support, Undecided, UsageError, load
from conformance.checking.budget import PROFILES
from conformance.checking.cells import declared
from conformance.errors import BROKEN, CONFORMANT
from conformance.running.reporting.floor import (
    Shortfall,
    exercised,
    floor,
    parsed,
    shipped,
    shortfalls,
)
from conformance.running.reporting.report import Run
from tests.conformance.running.floors import drawn
from tests.support.processes import command
from tests.support.reports import report

HERE = ("results_match_reference", "mine", "cpu")
CELLS = {"dtype": {"float64": 90, "float32": 10}, "projection": {"no": 98, "yes": 2}}
MINE = """
from conformance import Support
from reference import lstm, rounded

class Mine:
    name = "mine"
    supports = Support(gradients=False, own_process=True, results=("h_n",))

    def run(self, case):
        return rounded(lstm(case), case.dtype)
"""
NO_PROJECTIONS = """
import sys

import strategies

drawing = sys.modules["strategies.configurations"]  # the package has a function of that name
flags = drawing.flags
drawing.flags = lambda name, values, **rest: flags(
    name, values[:1] if name == "projection" else values, **rest
)
"""
"""What a process does at its start whose cases have projections no more."""


def supports(**changed: object) -> dict[str, dict[str, object]]:
    return {"mine": asdict(Support(**changed))}  # type: ignore[arg-type]


def run_of(given: Mapping[str, Mapping[str, float]], **changed: object) -> Run:
    """A run of one requirement with :data:`CELLS`."""
    made = Run(
        "quick", 3, None, {"supports": supports(**changed)}, [Passed(*HERE, 100)], floor=given
    )
    made.verdicts = [Passed(*HERE, 100, cells=CELLS)]
    return made


def test_floor_is_changed_by_the_option() -> None:
    """What is given goes before what is shipped, an axis means each of its values."""
    base = shipped("quick")
    assert floor(None, "quick", filtered=False) == base
    assert floor(None, "quick", filtered=True) == {}
    assert floor("none", "quick", filtered=False) == {}
    changed = floor("size.real=5,bias=0.5", "quick", filtered=False)
    assert changed["size"] == {**base["size"], "real": 5}
    assert changed["bias"] == {"no": 0.5, "yes": 0.5}
    assert changed["dtype"] == base["dtype"]
    assert floor("cases=7", "quick", filtered=True) == {"cases": {"all": 7}}
    assert parsed("mode.train=1") == {"mode": {"train": 1}}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("dtpye=1", "unknown axis 'dtpye': choose among cases, dtype, num_layers"),
        ("size.huge=1", "unknown size 'huge': choose among small, kernel, real"),
        ("dtype", "dtype needs a number of cases or a share, got ''"),
        ("dtype=-1", "dtype needs a number of cases or a share, got '-1'"),
        ("dtype=inf", "dtype needs a number of cases or a share, got 'inf'"),
    ],
)
def test_floor_that_makes_no_sense_is_refused(given: str, told: str) -> None:
    """In one line that names what is wrong."""
    with pytest.raises(UsageError, match=f"^{told}"):
        floor(given, "quick", filtered=False)


def test_shipped_floor_has_every_declared_value() -> None:
    """More cases are asked for in a larger profile, and each value has a share of them."""
    for profile in PROFILES:
        assert {axis: set(values) for axis, values in shipped(profile).items()} == {
            "cases": {"all"},
            **{axis: set(values) for axis, values in declared(Support()).items()},
        }
        for axis, values in shipped(profile).items():
            assert all(0 < share < 0.5 for share in values.values()) == (axis != "cases")
    fewest = [shipped(profile)["cases"]["all"] for profile in PROFILES]
    assert fewest == sorted(fewest)
    assert fewest[0] > 100


def test_cell_below_the_floor_is_not_enough() -> None:
    """It is named with how many cases there are and how many are needed; what is red stays red."""
    short = run_of({"projection": {"yes": 3}, "dtype": {"float32": 10}})
    assert short.not_enough == [Shortfall("mine", "cpu", "projection", "yes", 2, 3)]
    assert (
        "mine on cpu: 2 cases with projection yes, where 3 are needed" in short.not_enough[0].line()
    )
    assert (short.conformant, short.too_little) == (False, True)
    short.verdicts.append(Failed("h_n_is_last_output", "mine", "cpu", 1))
    assert (short.conformant, short.too_little) == (False, False)
    fine = run_of({"projection": {"yes": 2}, "dtype": {"float32": 10}})
    assert (fine.conformant, fine.too_little, fine.not_enough) == (True, False, [])


def test_time_that_ran_out_is_not_enough() -> None:
    """A requirement that was not decided shows nothing, neither a red nor a green."""
    made = run_of({})
    made.verdicts.append(Undecided("h_n_is_last_output", "mine", "cpu"))
    assert (made.conformant, made.too_little) == (False, True)


def test_floor_counts_only_what_is_declared() -> None:
    """What an implementation does not take cannot be exercised."""
    asked = {"projection": {"yes": 3}, "dtype": {"float16": 1}}
    assert len(run_of(asked).not_enough) == 2
    assert not run_of(asked, projection=False, dtypes=("float64", "float32")).not_enough


def test_share_has_a_leeway() -> None:
    """So that chance does not fail a run; a number of cases has none."""
    assert not run_of({"projection": {"yes": 0.02}}).not_enough
    found = {
        ("mine", "cpu"): {"dtype": {"float64": 10_000}, "projection": {"no": 9_900, "yes": 100}}
    }
    (short,) = shortfalls(found, supports(), {"projection": {"yes": 0.02}})
    assert (short.cases, short.needed) == (100, 157)
    (short,) = shortfalls(found, supports(), {"cases": {"all": 10_001}})
    assert short.line() == "mine on cpu: 10000 cases in all, where 10001 are needed"


def test_floor_of_a_timed_run_is_in_cases() -> None:
    """Of which a requirement has as many as there was time for."""
    timed = floor(None, "default", filtered=False, timed=True)
    assert timed["cases"] == shipped("default")["cases"]
    assert all(
        count >= 1 and count == int(count) for values in timed.values() for count in values.values()
    )


def test_shard_is_not_judged_alone() -> None:
    """All shards together are."""
    made = run_of({"projection": {"yes": 3}})
    made.shard = "1/2"
    assert not made.not_enough
    assert made.conformant


@pytest.mark.slow
@pytest.mark.parametrize("name", ["torch.nn.LSTM", "torch.nn.LSTMCell", "stacked-cells"])
def test_every_seed_draws_enough(name: str) -> None:
    """A right run never ends with not enough."""
    lstm = load(name)
    for seed in range(3, 6):
        verdict = Passed(
            "results_match_reference", name, "cpu", cells=drawn(lstm, Budget(20, seed))
        )
        found = exercised([verdict])
        assert not shortfalls(found, {name: asdict(lstm.supports)}, shipped("quick"))


@pytest.mark.slow
def test_strategy_without_projections_is_noticed(tmp_path: Path) -> None:
    """A run whose cases have projections no more, except where a requirement asks for them."""
    (tmp_path / "mine.py").write_text(MINE)
    for program, status in (("", CONFORMANT), (NO_PROJECTIONS, BROKEN)):
        (tmp_path / "sitecustomize.py").write_text(program)
        ended = command(
            *("verify", "mine.py:Mine", "--profile", "quick", "--device", "cpu", "--seed", 1),
            *("--json", "report.json"),
            folder=tmp_path,
            PYTHONPATH=str(tmp_path),
        )
        assert ended.returncode == status, ended.stdout + ended.stderr
        written = report(tmp_path / "report.json")
        assert written["conformant"] == (status == CONFORMANT)
        assert {(each["axis"], each["value"]) for each in written["not_enough"]} == (
            {("projection", "yes")} if status else set()
        )
        assert ("cases with projection yes, where" in ended.stdout) == bool(status)
    assert ended.stdout.rstrip().endswith("not enough was checked")
