"""Shards are disjoint, complete, and about as long."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance import REQUIREMENTS
from conformance.running.dividing import cost, costs, examples, shards
from conformance.running.reporting.merging import merged
from tests.support.processes import command
from tests.support.reports import checked, report

NAMES = (
    *("cell_matches_equations", "results_match_reference", "dtypes_follow_input"),
    *("repr_tells_the_sizes", "device_and_cpu_agree"),
)
ASKED = (
    *("verify", "torch.nn.LSTMCell", "torch.nn.LSTM", "--max-examples", 6, "--seed", 4),
    *("--device", "cpu", *(word for name in NAMES for word in ("--requirement", name))),
)


@settings(deadline=None)
@given(
    st.dictionaries(st.text(max_size=3), st.floats(0, 100), max_size=30),
    st.integers(1, 9),
    st.randoms(use_true_random=False),
)
def test_shards_are_disjoint_and_complete(
    by_name: dict[str, float], count: int, random: Any
) -> None:
    """In whatever order they come; none is longer than the mean by more than one item."""
    weights = {(name,): seconds for name, seconds in by_name.items()}
    parts = shards(weights, count)
    assert len(parts) == count
    assert sorted(key for part in parts for key in part) == sorted(weights)
    loads = [sum(weights[key] for key in part) for part in parts]
    longest = max(weights.values(), default=0)
    assert max(loads) <= sum(weights.values()) / count + longest + 1e-6
    again = list(weights.items())
    random.shuffle(again)
    assert shards(dict(again), count) == parts


def test_costs_are_those_of_requirements() -> None:
    """Nothing else is listed; what was not measured costs the median."""
    assert not {*costs()} - {*REQUIREMENTS}
    assert all(each.seconds > 0 and each.caught >= 0 for each in costs().values())
    assert (
        cost(REQUIREMENTS["wide_layers_match_reference"]) == costs()["wide_layers_match_reference"]
    )
    assert (
        cost(REQUIREMENTS["device_and_cpu_agree"]).seconds
        in sorted(each.seconds for each in costs().values())[len(costs()) // 2 - 1 :]
    )
    assert examples(REQUIREMENTS["results_match_reference"], 20) == 20
    assert examples(REQUIREMENTS["repr_tells_the_sizes"], 1) == 1


def without_times(written: dict[str, Any]) -> dict[str, Any]:
    """A report without what differs between two equal runs."""
    for time in ("started", "seconds"):
        written["run"].pop(time)
    for verdict in written["verdicts"]:
        verdict.pop("seconds")
    return written


@pytest.mark.slow
def test_merged_shards_equal_the_whole_run(tmp_path: Path) -> None:
    """With any number of workers, and one shard that has nothing but what does not apply."""
    whole = command(*ASKED, "-n", 0, "--json", "whole.json", folder=tmp_path)
    assert whole.returncode == 0, whole.stdout + whole.stderr
    reports = []
    for number, workers in ((1, 1), (2, 2), (3, 0)):
        words = ("--shard", f"{number}/3", "-n", workers, "--json", "shard.json")
        part = command(*ASKED, *words, folder=tmp_path)
        assert part.returncode == 0, part.stdout + part.stderr
        assert f"shard {number}/3: " in part.stdout
        reports.append(report(tmp_path / "shard.json"))
        assert reports[-1]["run"]["shard"] == f"{number}/3"
    assert {len(each["verdicts"]) for each in reports} <= {2, 3, 4}
    together = checked(json.loads(json.dumps(merged(reports[::-1]))))
    assert together["conformant"]
    assert without_times(together) == without_times(report(tmp_path / "whole.json"))


@pytest.mark.slow
def test_shard_may_be_empty(tmp_path: Path) -> None:
    """Where there are more shards than there is to decide."""
    few = ("verify", "torch.nn.LSTM", "--requirement", NAMES[0], "--max-examples", 2, "--seed", 4)
    reports = []
    for number, workers in ((1, 0), (2, 1), (3, 0)):
        words = ("--shard", f"{number}/3", "-n", workers, "--json", "shard.json")
        part = command(*few, *words, folder=tmp_path)
        assert part.returncode == 0, part.stdout + part.stderr
        reports.append(report(tmp_path / "shard.json"))
    assert [len(each["verdicts"]) for each in reports] == [1, 0, 0]
    assert merged(reports)["counts"]["passed"] == 1
