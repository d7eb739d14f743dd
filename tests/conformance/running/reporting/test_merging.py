"""The report of all shards."""

import copy
from dataclasses import asdict
from typing import Any

import pytest

from conformance import NotApplicable, Passed, Support, UsageError
from conformance.running.reporting.merging import merged
from conformance.running.reporting.report import Run
from tests.support.reports import checked

NAMES = ("cell_matches_equations", "h_n_is_last_output")
CELLS = {"dtype": {"float64": 4}, "projection": {"no": 3, "yes": 1}}


def shard(number: int, *, complete: bool = True) -> dict[str, Any]:
    """The report of one of two shards, each with one requirement."""
    circumstances = {"supports": {"mine": asdict(Support())}, "python": "3.11.7"}
    verdict = Passed(NAMES[number - 1], "mine", "cpu", 4, cells=CELLS)
    run = Run("quick", 3, None, circumstances, [verdict], total=1 + (not complete))
    run.floor, run.shard, run.items_digest = {"projection": {"yes": 2}}, f"{number}/2", "ab"
    run.seconds = 1.5
    return checked(run.to_json())


def changed(number: int, **fields: Any) -> dict[str, Any]:
    """The report of a shard whose run has other fields."""
    made = shard(number)
    made["run"].update(fields)
    return made


def test_merged_report_has_all_verdicts() -> None:
    """In the order of a whole run, with the cells of all, judged together."""
    alone = shard(1)
    assert not alone["not_enough"]
    together = checked(merged([shard(2), alone]))
    assert [each["requirement"] for each in together["verdicts"]] == list(NAMES)
    assert together["cells"] == [
        {
            "implementation": "mine",
            "device": "cpu",
            "cells": {"dtype": {"float64": 8}, "projection": {"no": 6, "yes": 2}},
        }
    ]
    assert (together["conformant"], together["complete"]) == (True, True)
    assert together["run"]["shard"] is None
    assert together["run"]["seconds"] == 3


@pytest.mark.parametrize("name", ["shortened", "mended"])
def test_lines_of_all_shards_are_put_together(name: str) -> None:
    """Each once, also where only one shard has any."""
    parts = [changed(1, **{name: ["a", "b"]}), changed(2, **{name: ["b", "c"]})]
    assert checked(merged(parts))["run"][name] == ["a", "b", "c"]
    assert merged([parts[0], shard(2)])["run"][name] == ["a", "b"]
    assert name not in merged([shard(1), shard(2)])["run"]


def test_merged_report_is_judged_by_the_floor() -> None:
    """What no shard alone could have shown."""
    other = shard(2)
    other["verdicts"][0]["cells"] = {"dtype": {"float64": 4}, "projection": {"no": 4}}
    together = merged([shard(1), other])
    assert not together["conformant"]
    assert [each["value"] for each in together["not_enough"]] == ["yes"]


def test_implementation_of_which_nothing_applies_is_named_once_all_shards_are_there() -> None:
    """A shard alone cannot know."""
    parts = [shard(1), shard(2)]
    for part in parts:
        here = part["verdicts"][0]["requirement"], "mine", "cpu"
        part["verdicts"] = [NotApplicable(*here, reason="none").to_json()]
        assert not part["unchecked"]
    assert merged(parts)["unchecked"] == ["mine"]


def test_merged_report_is_not_complete_where_a_shard_is_not() -> None:
    """A shard that was interrupted has lost verdicts."""
    together = merged([shard(1), shard(2, complete=False)])
    assert (together["complete"], together["conformant"]) == (False, False)


@pytest.mark.parametrize(
    ("reports", "told"),
    [
        ([], "there is none"),
        ([shard(1)], "shard 2/2 is missing"),
        ([shard(2), shard(2)], "shard 2/2 is there twice"),
        ([shard(1), changed(2, shard=None)], "one with seed 3 is of a whole run"),
        ([shard(1), changed(2, shard="2/3")], "there are shards of 2 and of 3"),
        ([shard(1), changed(2, seed=4)], "seed is 3 in shard 1/2 and 4 in shard 2/2"),
        ([shard(1), changed(2, profile="thorough")], "profile is quick in shard 1/2 and thor"),
        ([shard(1), changed(2, max_examples=5)], "max_examples is None in shard 1/2 and 5 in"),
        ([shard(1), changed(2, python="3.12.0")], "python is 3.11.7 in shard 1/2 and 3.12.0"),
        ([shard(1), changed(2, torch="2.13")], "torch is None in shard 1/2 and 2.13 in shard"),
        ([shard(1), changed(2, items_digest="cd")], "items_digest is ab in shard 1/2 and cd in"),
        ([shard(1), changed(2, floor={})], "floor is "),
        ([shard(1), changed(2, sources={"mine": "ab"})], "sources is None in shard 1/2 and "),
    ],
)
def test_reports_that_are_not_the_shards_of_one_run_are_refused(
    reports: list[dict[str, Any]], told: str
) -> None:
    """In one line that says which and why."""
    with pytest.raises(UsageError) as error:
        merged(reports)
    assert str(error.value).startswith("these reports are not the shards of one run: ")
    assert told in str(error.value)
    assert "\n" not in str(error.value)


def test_verdict_that_two_shards_have_is_refused() -> None:
    """A shard decides what no other does."""
    other = shard(2)
    other["verdicts"] += shard(1)["verdicts"]
    with pytest.raises(UsageError, match=rf"one run: {NAMES[0]} on mine \(cpu\) is there twice"):
        merged([shard(1), other])


def test_merging_changes_no_report() -> None:
    """What is given stays as it is."""
    parts = [shard(1), shard(2)]
    before = copy.deepcopy(parts)
    merged(parts)
    assert parts == before
